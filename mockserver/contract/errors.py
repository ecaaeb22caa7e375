"""What the person who sets the server up did wrong."""

from __future__ import annotations

from pathlib import Path


class SetupError(Exception):
    """Something that the server is made from cannot be used. The message says what, where and what to do."""


class DocumentError(SetupError):
    """A document, fixture or stub file is not what it should be.

    `path` is the file, `place` a line (`12`) or a JSON pointer in it, as far as known.
    """

    def __init__(self, path: Path | str, message: str, place: str = "") -> None:
        where = f"{path}:{place}" if place else str(path)
        super().__init__(f"{where}: {message}")
        self.path = path
        self.place = place
        self.reason = message
