"""What no model can answer."""

from __future__ import annotations


class Unanswerable(ValueError):
    """A request that keeps the document and that a provider refuses all the same: `pointer` says where in the body.

    `code` and `status` are those of the refusal.
    """

    def __init__(self, pointer: str, message: str, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message
        self.code = code
        self.status = status
