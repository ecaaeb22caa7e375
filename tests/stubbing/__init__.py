"""What testers set: matching, templates, stubs, faults, scenarios."""
