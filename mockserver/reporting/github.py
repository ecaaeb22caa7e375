"""A report as workflow commands of GitHub Actions, which shows them beside the lines that they are about.

Source of the form and of what is escaped: GitHub's public docs, "Workflow commands for GitHub Actions", and the toolkit's
`command.ts`: data escape `%`, CR and LF; properties `:` and `,` as well.
"""

from __future__ import annotations

from mockserver.reporting import catalogue, wording
from mockserver.reporting.finding import Finding, Severity
from mockserver.reporting.report import FailOn, Report

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(report: Report, fail_on: FailOn) -> str:
    """Return the commands, one a line. GitHub shows ten of each severity a step, so the worst come first."""
    order = list(_COMMANDS)
    findings = sorted(report.findings, key=lambda finding: order.index(finding.severity))
    lines = [_command(finding) for finding in findings]
    if report.verdict(fail_on) == "nothing checked":
        lines.append(f"::error title=mockserver {report.tool}::{'nothing was checked'.translate(_DATA)}")
    return "".join(f"{line}\n" for line in lines)


def _command(finding: Finding) -> str:
    place = finding.place
    properties = {
        "file": place.file if "://" not in place.file else "",
        "line": "" if place.line is None else str(place.line),
        "col": "" if place.column is None else str(place.column),
        "title": f"{finding.code} {catalogue.entry(finding.code).title}",
    }
    told = ",".join(f"{name}={text.translate(_PROPERTY)}" for name, text in properties.items() if text)
    lines = [
        finding.message,
        f"at {finding.place.pointer}" if finding.place.pointer else "",
        wording.breaking(finding),
        f"to blame: {finding.blame}: {finding.because}",
        f"mend: {finding.edit.words}" if finding.edit else "",
    ]
    return f"::{_COMMANDS[finding.severity]} {told}::" + "\n".join(line for line in lines if line).translate(_DATA)
