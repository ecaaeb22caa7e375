"""A report as JUnit XML, for the dashboards of CI systems.

Each thing that was checked and has a name is a test of its kind; a finding fails the test of its operation, or is one of its
own. What does not fail the run is told in `system-out`. Kinds without names are one test each, that says how many there were.
"""

from __future__ import annotations

import re
from typing import Any

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from mockserver.reporting import catalogue, wording
from mockserver.reporting.finding import Finding
from mockserver.reporting.report import FailOn, Report, is_failing

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is escaped."""


def render(report: Report, fail_on: FailOn) -> str:
    """Return the XML text."""
    open_findings = list(report.findings)
    whole = JUnitXml(f"mockserver {report.tool}")
    for kind, count in report.checked.items():
        suite = _suite(report, kind)
        names = list(dict.fromkeys(report.cases.get(kind, ())))
        for name in names:
            own = [finding for finding in open_findings if finding.operation == name]
            open_findings = [finding for finding in open_findings if finding.operation != name]
            suite.add_testcase(_case(report, kind, name, own, fail_on))
        if count and not names:
            suite.add_testcase(_case(report, kind, f"{count} {kind}", [], fail_on))
        if suite.tests:
            whole.add_testsuite(suite)
    if open_findings:
        suite = _suite(report, "findings")
        for finding in open_findings:
            suite.add_testcase(_case(report, "findings", f"{finding.code} {finding.place}", [finding], fail_on))
        whole.add_testsuite(suite)
    if report.verdict(fail_on) == "nothing checked":
        suite = _suite(report, "run")
        case = TestCase("something was checked", f"mockserver.{report.tool}.run")
        case.result = [Error("nothing was checked", "nothing checked")]
        suite.add_testcase(case)
        whole.add_testsuite(suite)
    whole.update_statistics()  # type: ignore[no-untyped-call]
    whole.time = round(report.duration_s, 3)
    text: bytes = whole.tostring()  # type: ignore[no-untyped-call]
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text.decode("utf-8") + "\n"


def _suite(report: Report, kind: str) -> TestSuite:
    suite = TestSuite(_clean(f"{kind} of {report.subject}"))
    for name, fact in report.facts.items():
        suite.add_property(_clean(name), _clean(fact))
    return suite


def _case(report: Report, kind: str, name: str, findings: list[Finding], fail_on: FailOn) -> TestCase:
    case = TestCase(_clean(name), _clean(f"mockserver.{report.tool}.{kind.replace(' ', '_')}"), 0.0)
    failures: list[Any] = []
    others: list[str] = []
    for finding in findings:
        if is_failing(finding, fail_on):
            failure = Failure(_clean(f"{finding.code}: {finding.message}"), finding.code)
            failure.text = _clean(_text(finding))
            failures.append(failure)
        else:
            others.append(_text(finding))
    if failures:
        case.result = failures
    if others:
        case.system_out = _clean("\n\n".join(others))
    return case


def _text(finding: Finding) -> str:
    lines = [
        f"{wording.where(finding)}: {finding.severity} {finding.code}: {finding.message}",
        catalogue.entry(finding.code).title,
        wording.breaking(finding),
        f"blame: {finding.blame}: {finding.because}",
        *(f"{each.what}: {each.place}" for each in finding.related),
        *(f"run: {line}" for line in wording.runs(finding)),
        f"mend: {finding.edit.words}" if finding.edit else "",
    ]
    return "\n".join(line for line in lines if line)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
