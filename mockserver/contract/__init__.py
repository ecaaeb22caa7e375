"""What the document says: loading it, its operations, the verdict on requests and replies, problems."""
