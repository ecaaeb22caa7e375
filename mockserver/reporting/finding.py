"""One thing that a command found: what it is, where, who is to blame and why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mockserver.values import Record

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Worst first. An error breaks the contract; a warning breaks it for some, or will; a note is worth knowing."""

Party: TypeAlias = Literal["client", "service", "document", "mock"]
PARTIES: dict[Party, str] = {
    "client": "The client sent what the document does not allow.",
    "service": "The service answered what the document does not allow.",
    "document": "The document contradicts itself, or what it is held against.",
    "mock": "The mock, or the fixtures and stubs that it was given, are wrong.",
}
"""Who can be to blame."""

Side: TypeAlias = Literal["producer", "consumer"]


@dataclass(frozen=True)
class Place:
    """Where something is: a file as the user named it (or a URL), a JSON pointer in it, line and column from 1 on.

    `line` and `column` are None where the source has none. What has no file (a call in a recording, say) uses `pointer`
    for the place in whatever `file` names.
    """

    file: str = ""
    pointer: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """`shop.yaml:12:7`, as editors and terminals open it; `shop.yaml#/paths` without a line."""
        if self.line is None:
            return f"{self.file}#{self.pointer}" if self.pointer else self.file
        return f"{self.file}:{self.line}" + ("" if self.column is None else f":{self.column}")

    def as_json(self) -> Record:
        """The place as reports show it."""
        return {"file": self.file, "pointer": self.pointer, "line": self.line, "column": self.column}


@dataclass(frozen=True)
class Related:
    """A second place that a finding is about, and what it is: `the schema`, `the same field in published.yaml`."""

    what: str
    place: Place


@dataclass(frozen=True)
class Edit:
    """What to change: in words, and as a JSON Patch (RFC 6902) of the file of the finding's place where one is certain."""

    words: str
    patch: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One finding.

    `code` is in the catalogue and stays for good; `message` says what is wrong here, in one line; `because` says why
    `blame` is to blame. `operation` is an operation's id or, where it has none, `GET /orders`. `breaks` is for
    comparisons: whose code breaks. `evidence` is what proves it, as JSON: a request, a reply, a line to run again.
    """

    code: str
    message: str
    severity: Severity
    blame: Party
    because: str
    place: Place = Place()
    operation: str = ""
    edit: Edit | None = None
    related: tuple[Related, ...] = ()
    breaks: tuple[Side, ...] = ()
    evidence: Record = field(default_factory=dict)
