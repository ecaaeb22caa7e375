"""What one run of a command looked at, and what it found."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from mockserver.reporting import catalogue
from mockserver.reporting.finding import SEVERITIES, Edit, Finding, Party, Place, Related, Severity, Side
from mockserver.values import Record

Verdict: TypeAlias = Literal["kept", "broken", "nothing checked"]
FailOn: TypeAlias = Literal["error", "warning"]

STATUS: dict[Verdict, int] = {"kept": 0, "broken": 1, "nothing checked": 2}
"""The exit status of a verdict. 2 is also the status of what could not run."""


@dataclass
class Report:
    """Collects what a run of `tool` over `subject` does. Its verdict follows from what it holds.

    `essential` names the kinds of things of which at least one must have been checked for the run to be green: a run
    that checked nothing never is. `facts` are what is worth knowing about the run: a seed, a URL, a version.
    """

    tool: str
    subject: str
    essential: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    checked: dict[str, int] = field(default_factory=dict)
    cases: dict[str, list[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    duration_s: float = 0.0
    _started: float = field(default_factory=time.perf_counter, repr=False)

    def count(self, kind: str, how_many: int = 1) -> None:
        """Say that so many things of a kind (`operations`, `examples`, `replies`) were checked."""
        self.checked[kind] = self.checked.get(kind, 0) + how_many

    def case(self, kind: str, name: str) -> None:
        """Say that one thing with a name was checked; JUnit shows each as a test, passed unless a finding names it."""
        self.cases.setdefault(kind, []).append(name)
        self.count(kind)

    def add(
        self,
        code: str,
        message: str,
        place: Place = Place(),  # noqa: B008  # frozen
        *,
        operation: str = "",
        severity: Severity | None = None,
        blame: Party | None = None,
        because: str = "",
        edit: Edit | str | None = None,
        related: Iterable[Related] = (),
        breaks: Iterable[Side] = (),
        evidence: Record | None = None,
    ) -> Finding:
        """Add a finding. What is not given is what the catalogue says of its code."""
        entry = catalogue.entry(code)
        finding = Finding(
            code=entry.code,
            message=" ".join(message.split()),
            severity=severity or entry.severity,
            blame=blame or entry.blame,
            because=because or entry.why,
            place=place,
            operation=operation,
            edit=Edit(edit) if isinstance(edit, str) else edit or Edit(entry.mend),
            related=tuple(related),
            breaks=tuple(breaks),
            evidence=evidence or {},
        )
        self.findings.append(finding)
        return finding

    def join(self, other: Report) -> None:
        """Take in what another run of the same tool has looked at and found."""
        self.subject = f"{self.subject}, {other.subject}"
        for kind, names in other.cases.items():
            self.cases.setdefault(kind, []).extend(names)
        for kind, how_many in other.checked.items():
            self.count(kind, how_many)
        self.findings += other.findings

    def finish(self) -> Report:
        """Put the findings in order (file, line, place, code) and stop the watch."""
        self.duration_s = time.perf_counter() - self._started
        self.findings.sort(key=_order)
        return self

    def counts(self) -> dict[Severity, int]:
        """How many findings there are of each severity, worst first."""
        return {each: sum(finding.severity == each for finding in self.findings) for each in SEVERITIES}

    def failing(self, fail_on: FailOn) -> list[Finding]:
        """The findings for which the run is not green."""
        return [finding for finding in self.findings if is_failing(finding, fail_on)]

    def verdict(self, fail_on: FailOn = "error") -> Verdict:
        """Whether the contract is kept. What was broken is told also when little was checked."""
        if self.failing(fail_on):
            return "broken"
        kinds = self.essential or tuple(self.checked)
        return "kept" if any(self.checked.get(kind) for kind in kinds) else "nothing checked"

    def status(self, fail_on: FailOn = "error") -> int:
        """The exit status: 0 kept, 1 broken, 2 nothing checked."""
        return STATUS[self.verdict(fail_on)]


def is_failing(finding: Finding, fail_on: FailOn) -> bool:
    """Whether a finding is as bad as what a run fails on, or worse."""
    return SEVERITIES.index(finding.severity) <= SEVERITIES.index(fail_on)


def _order(finding: Finding) -> tuple[Any, ...]:
    place = finding.place
    return (place.file, place.line or 0, place.column or 0, place.pointer, finding.code, finding.message)
