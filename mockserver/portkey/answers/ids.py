"""Where an answer's ids come from: they are the caller's, since two calls get different ones."""

from __future__ import annotations

from typing import Protocol


class Ids(Protocol):
    """Gives ids."""

    def new(self, prefix: str) -> str:
        """Return a new id that begins with a prefix, such as `chatcmpl-` or `call_`."""
        ...
