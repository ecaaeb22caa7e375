"""`mockserver verify`: recorded traffic, held to a document; and what can be made of it."""
