"""What a campaign found, as a report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from mockserver.contract.contract import Contract
from mockserver.contract.operations import Operation
from mockserver.fuzz import writing
from mockserver.fuzz.campaign import Outcome
from mockserver.fuzz.credentials import Credentials
from mockserver.fuzz.expecting import Expectation
from mockserver.fuzz.failures import Failure
from mockserver.reporting.finding import Party, Place, Severity
from mockserver.reporting.report import Report
from mockserver.values import Record

_MOCK = "The mock was called, not a service: it must keep its own document."
_ONCE = "It did not show again when the same calls were sent once more, so it depends on what the service did before."


def hidden(failure: Failure, credentials: Credentials) -> Failure:
    """Return a failure without credentials."""
    return replace(failure, steps=tuple(map(credentials.hidden, failure.steps)))


def add(
    failures: Iterable[Failure],
    report: Report,
    contract: Contract,
    document: str,
    base_url: str,
    credentials: Credentials,
    *,
    mock: bool,
) -> None:
    """Add failures to a report."""
    by_label = {str(operation): operation for operation in contract.operations}
    for failure in sorted(failures, key=lambda each: each.key):
        operation = by_label.get(failure.operation)
        blame: Party = "mock" if mock else "service"
        because = _MOCK if mock else ""
        if not failure.shown_again and failure.expectation != Expectation():
            because = f"{because} {_ONCE}".strip()
        report.add(
            failure.code,
            f"{failure.operation}: {failure.message}",
            Place(document, operation.pointer if operation else ""),
            operation=name(operation) if operation else failure.operation,
            blame=blame,
            because=because,
            evidence=evidence(hidden(failure, credentials), base_url, credentials),
        )


def name(operation: Operation) -> str:
    """An operation as reports name it."""
    return str(operation.spec.get("operationId") or operation)


def evidence(failure: Failure, base_url: str, credentials: Credentials) -> Record:
    """What proves a failure, its credentials hidden; `--replay` reads it."""
    told: Record = {
        "operation": failure.operation,
        "place": failure.place,
        "failure": failure.failure,
        "expected": failure.expectation.as_json(),
        "shown_again": failure.shown_again,
        "steps": [step.as_json() for step in failure.steps],
        "answer": {
            "status": failure.answer.status,
            "content_type": failure.answer.headers.get("content-type"),
            "body": credentials.text(failure.answer.body),
        },
        "curl": [writing.curl(step, base_url) for step in failure.steps],
    }
    if failure.shown_again:
        told["test"] = "\n".join(writing.test(failure, set()))
    return told


def summarise(outcome: Outcome, report: Report, contract: Contract) -> None:
    """Say what was tested, and what could not be."""
    report.count("cases", outcome.cases)
    for operation in contract.operations:
        if str(operation) in outcome.operations:
            report.case("operations", name(operation))
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(outcome.statuses.items()))
    called = sum(str(operation) in outcome.operations for operation in contract.operations)
    report.facts |= {
        "operations called": f"{called} of {len(contract.operations)}",
        "answers": statuses or "none",
        "links": f"{outcome.transitions:,}",
        "stopped by": outcome.stopped or "its end",
    }
    by_label = {str(operation): operation for operation in contract.operations}
    for error in dict.fromkeys(" ".join(error.split()) for error in outcome.errors):
        label = error.partition(": ")[0]
        about = by_label.get(label)
        place = Place(report.facts["document"], about.pointer if about else "")
        # What stands for no operation kept a whole phase from its work.
        severity: Severity | None = None if re.match("[A-Z]+ /", label) else "error"
        report.add("MS-F018", error, place, operation=name(about) if about else "", severity=severity)
