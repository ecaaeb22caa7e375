"""One thing that is wrong with a document, as the checks tell it; a report has it with its file, line and proposed edit."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.reporting.finding import Severity
from mockserver.values import Record


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a document. Places are JSON pointers into the bundle.

    `also` are further places, each with what it is; `patch` says, as JSON Patch with such places, what would mend it for sure.
    """

    code: str
    place: str
    message: str
    also: tuple[tuple[str, str], ...] = ()
    mend: str = ""
    patch: tuple[Record, ...] = ()
    severity: Severity | None = None
