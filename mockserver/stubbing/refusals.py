"""What is wrong with something that a tester set: all of it at once, each fault with its place."""

from __future__ import annotations

from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.contract.violations import Violation, shorten


class Refusals:
    """Collects what is wrong with one mapping or fault; places are JSON pointers into it."""

    def __init__(self) -> None:
        self.found: list[Violation] = []

    def add(self, place: str, message: str) -> None:
        """Note a fault."""
        self.found.append(Violation("body", place, shorten(message)))

    def check(self, what: str) -> None:
        """Raise `Problem` when anything was noted."""
        if self.found:
            more = f" (and {len(self.found) - 1} more)" if len(self.found) > 1 else ""
            detail = f"The {what} cannot be set: {self.found[0]}{more}"
            raise Problem(INVALID_REQUEST, detail, violations=self.found)
