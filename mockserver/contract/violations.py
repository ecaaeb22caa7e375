"""One way in which a message breaks the contract."""

from __future__ import annotations

from typing import NamedTuple

from mockserver.values import Record


class Violation(NamedTuple):
    """`part` is path, query, header, cookie or body for a request, status, header or body for a reply.

    `pointer` is a JSON pointer into that part, `rule` one into the document (with the keyword at its end), `keyword` the
    broken keyword or what else failed (`required`, `decode`, `media-type`).
    """

    part: str
    pointer: str
    message: str
    rule: str = ""
    keyword: str = ""

    @property
    def place(self) -> str:
        """Where it is, for people: `body/rate_limits/0/unit`."""
        return self.part + self.pointer

    def as_json(self) -> Record:
        """The violation as replies and the journal show it."""
        shown: Record = {"in": self.part, "pointer": self.pointer, "message": self.message}
        if self.rule:
            shown["schema"] = self.rule
        return shown

    def __str__(self) -> str:
        return f"{self.place} {self.message}"


MESSAGE_LIMIT = 300
"""Characters of a message; what the client sent may be megabytes."""


def shorten(text: str) -> str:
    """Cut a message that holds too much of the client's own data, in the middle."""
    if len(text) <= MESSAGE_LIMIT:
        return text
    return f"{text[: MESSAGE_LIMIT * 2 // 3]} … {text[-MESSAGE_LIMIT // 3 :]}"
