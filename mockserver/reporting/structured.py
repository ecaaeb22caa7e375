"""A report as JSON, for programs. `report.schema.json` beside this module describes it, and is versioned with it."""

from __future__ import annotations

import json
from pathlib import Path

from mockserver import __version__
from mockserver.reporting import catalogue
from mockserver.reporting.finding import Edit, Finding
from mockserver.reporting.report import FailOn, Report
from mockserver.values import Record

FORM = 1
"""The version of the form. Fields may be added under the same number; nothing is removed or changes its meaning."""
SCHEMA = Path(__file__).parent / "report.schema.json"


def render(report: Report, fail_on: FailOn) -> str:
    """Return the JSON text."""
    return json.dumps(value(report, fail_on), ensure_ascii=False, indent=2) + "\n"


def value(report: Report, fail_on: FailOn) -> Record:
    """Return the JSON value."""
    return {
        "form": FORM,
        "tool": report.tool,
        "version": __version__,
        "subject": report.subject,
        "verdict": report.verdict(fail_on),
        "status": report.status(fail_on),
        "fail_on": fail_on,
        "duration_s": round(report.duration_s, 3),
        "facts": report.facts,
        "checked": report.checked,
        "counts": report.counts(),
        "findings": [_finding(finding) for finding in report.findings],
    }


def _finding(finding: Finding) -> Record:
    return {
        "code": finding.code,
        "title": catalogue.entry(finding.code).title,
        "severity": finding.severity,
        "message": finding.message,
        "place": finding.place.as_json(),
        "operation": finding.operation or None,
        "blame": finding.blame,
        "because": finding.because,
        "breaks": list(finding.breaks),
        "edit": _edit(finding.edit),
        "related": [{"what": each.what, **each.place.as_json()} for each in finding.related],
        "evidence": finding.evidence,
    }


def _edit(edit: Edit | None) -> Record | None:
    return None if edit is None else {"words": edit.words, "patch": list(edit.patch)}
