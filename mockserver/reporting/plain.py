"""A report as text for people: one line a finding that editors can open, what to do below it, a summary at the end."""

from __future__ import annotations

import click

from mockserver.reporting import catalogue, wording
from mockserver.reporting.finding import Finding, Place, Severity
from mockserver.reporting.report import FailOn, Report

_COLOURS: dict[Severity, str] = {"error": "red", "warning": "yellow", "note": "blue"}


def render(report: Report, fail_on: FailOn, *, colour: bool = False, notes: bool = False) -> str:
    """Return the text. Notes are counted, and told only when asked for: most are no work for anybody."""
    told = [finding for finding in report.findings if notes or finding.severity != "note"]
    lines = [line for finding in told for line in _finding(finding, colour)]
    hidden = len(report.findings) - len(told)
    if hidden:
        lines.append(_dim(f"{hidden} note{'' if hidden == 1 else 's'} not shown: --notes shows them", colour))
    lines += [_dim(f"{name}: {wording.printable(fact)}", colour) for name, fact in report.facts.items()]
    failed = report.status(fail_on) != 0
    summary = wording.printable(wording.summary(report, fail_on))
    lines.append(click.style(summary, fg="red" if failed else "green", bold=True) if colour else summary)
    if report.findings and told:
        lines.append(_dim(f"`mockserver explain {told[0].code}` tells more about a code", colour))
    return "\n".join(lines) + "\n"


def _finding(finding: Finding, colour: bool) -> list[str]:
    severity = click.style(finding.severity, fg=_COLOURS[finding.severity], bold=True) if colour else finding.severity
    shown = wording.printable(str(finding.place))
    place = click.style(shown, bold=True) if colour else shown
    head = f"{place}: {severity} {finding.code}: {wording.printable(finding.message)}"
    facts = [
        ("at", finding.place.pointer if finding.place.line is not None else ""),
        ("operation", finding.operation),
        ("breaks", " and ".join(finding.breaks)),
        ("blame", f"{finding.blame}: {finding.because}"),
        *((each.what, _related(each.place)) for each in finding.related),
        *(("run", line) for line in wording.runs(finding)),
        ("mend", finding.edit.words if finding.edit else ""),
    ]
    return [head, *(f"    {_dim(name + ':', colour)} {wording.printable(text)}" for name, text in facts if text)]


def _related(place: Place) -> str:
    return str(place) if place.line is None else f"{place} {place.pointer}".rstrip()


def _dim(text: str, colour: bool) -> str:
    return click.style(text, dim=True) if colour else text


def explanation(code: str, *, colour: bool = False) -> str:
    """Return what the catalogue says of a code. Raises `UnknownCode`."""
    entry = catalogue.entry(code)
    title = f"{entry.code}  {entry.title}"
    indented = {name: "\n".join("    " + line for line in text.splitlines()) for name, text in _examples(entry)}
    parts = [
        click.style(title, bold=True) if colour else title,
        f"{entry.severity}, to blame: {entry.blame}. {entry.why}",
        entry.explanation,
        *(f"{name}:\n{text}" for name, text in indented.items()),
        f"Mend: {entry.mend}",
    ]
    if entry.retired:
        parts.insert(1, "Retired: no command reports it any more.")
    return "\n\n".join(parts) + "\n"


def _examples(entry: catalogue.Entry) -> list[tuple[str, str]]:
    return [("Wrong", entry.wrong), ("Right", entry.right)]


def listing() -> str:
    """Return all codes with their titles, family by family."""
    parts = []
    for family in catalogue.families():
        rows = [f"  {entry.code}  {entry.severity:<7}  {entry.title}" for entry in family.entries if not entry.retired]
        parts.append("\n".join([f"{family.letter}: {family.title}", *rows]))
    return "\n\n".join(parts) + "\n"
