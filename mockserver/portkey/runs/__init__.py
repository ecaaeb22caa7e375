"""What happens when an assistant answers a thread: the run, its steps, what the model says, and what clients are told."""
