"""What testers set: stubs, faults and scenarios, told from the operations' own stubs by being records of a world."""
