"""A report as one HTML file: nothing is fetched, nothing runs, and it prints."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from mockserver import __version__
from mockserver.reporting import catalogue, wording
from mockserver.reporting.report import FailOn, Report

TEMPLATE = Path(__file__).parent / "page.html.j2"


def render(report: Report, fail_on: FailOn) -> str:
    """Return the page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    groups: dict[str, list[object]] = {}
    for finding in report.findings:
        groups.setdefault(finding.place.file or "elsewhere", []).append(finding)
    return template.render(
        report=report,
        verdict=report.verdict(fail_on),
        fail_on=fail_on,
        checked=wording.checked(report),
        found=wording.found(report),
        groups=groups,
        entries=catalogue.entries() if report.findings else {},
        version=__version__,
        runs=wording.runs,
        as_json=lambda value: json.dumps(value, ensure_ascii=False, indent=2),
    )
