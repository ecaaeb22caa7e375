"""`mockserver check`: whether a document, and what stands beside it, is in order, and how two documents differ."""
