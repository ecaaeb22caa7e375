"""How far a campaign is, for people: a line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import click

from mockserver.fuzz.workers import Tally

EVERY_S = 10.0
"""How often a line is written where lines stay."""


class Progress(AbstractContextManager["Progress"]):
    """Tells on standard error what all workers have done together."""

    def __init__(self, max_time_s: float, max_cases: int | None) -> None:
        self._limits = f"{max_time_s:g} s" + ("" if max_cases is None else f" or {max_cases:,} cases")
        self._tallies: dict[int, Tally] = {}
        self._started = self._last = time.perf_counter()
        self._status: Any = None

    def __enter__(self) -> Progress:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal:
            self._status = console.status(self.line())
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, tally: Tally) -> None:
        """Take up how far a worker is."""
        self._tallies[tally.worker] = tally
        now = time.perf_counter()
        if self._status is not None:
            if now - self._last >= 0.1:
                self._last = now
                self._status.update(self.line())
        elif now - self._last >= EVERY_S:
            self._last = now
            click.echo(self.line(), err=True)

    def line(self) -> str:
        """What has been done so far."""
        tallies = self._tallies.values()
        cases, seconds = sum(each.cases for each in tallies), time.perf_counter() - self._started
        operations = len(frozenset().union(*(each.operations for each in tallies)))
        failures = sum(each.failures for each in tallies)
        return f"{cases:,} cases of {operations} operations, {failures} failures, {seconds:.0f} s of at most {self._limits}"
