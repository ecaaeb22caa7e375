"""`mockserver proxy`: stands before a real service, holds both directions to the document, records and replays."""
