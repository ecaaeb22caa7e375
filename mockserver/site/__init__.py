"""What people and tools read of a served document: the document itself, and a page to browse it."""

from mockserver.site.service import Site

__all__ = ["Site"]
