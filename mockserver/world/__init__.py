"""What has happened: collections of records, a clock, an id source and a journal, each world for itself."""
