"""The few sentences that all forms of a report share."""

from __future__ import annotations

from mockserver.reporting.finding import Finding
from mockserver.reporting.report import FailOn, Report

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160))}
"""What would steer a terminal, or end a line; findings may quote anything that somebody sent."""


def printable(text: str) -> str:
    """Return a text in one line, without what steers terminals."""
    return text.translate(_CONTROLS)


def checked(report: Report) -> str:
    """What was checked, and how much of it: `231 operations, 1,204 examples`."""
    return ", ".join(f"{count:,} {kind}" for kind, count in report.checked.items()) or "nothing"


def found(report: Report) -> str:
    """How much was found: `1 error, 0 warnings, 2 notes`."""
    return ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in report.counts().items())


def summary(report: Report, fail_on: FailOn) -> str:
    """The last line of a text, the head of a page."""
    return f"{report.subject}: {report.verdict(fail_on)}; checked {checked(report)}; {found(report)}"


def where(finding: Finding) -> str:
    """The place, and the operation where there is one."""
    return " ".join(part for part in (str(finding.place), finding.operation and f"({finding.operation})") if part)


def breaking(finding: Finding) -> str:
    """For whom a difference is breaking; empty for findings that are no differences."""
    return "breaks " + " and ".join(finding.breaks) if finding.breaks else ""


def runs(finding: Finding) -> list[str]:
    """The lines that show it again, where its evidence has some."""
    lines = finding.evidence.get("curl")
    return [str(line) for line in lines] if isinstance(lines, list) else []
