"""One run of `mockserver check`: everything about a document, in one report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mockserver import data
from mockserver.checking import examples, links, schemas, setup, structure, stub_files
from mockserver.checking.comparison import compare
from mockserver.checking.faults import Fault
from mockserver.checking.subject import Subject
from mockserver.reporting.finding import Related
from mockserver.reporting.report import Report
from mockserver.stubbing.files import files


def check(
    path: Path | None, fixtures: tuple[str, ...] = (), stubs: tuple[Path, ...] = (), against: tuple[Subject, ...] = ()
) -> Report:
    """Check a document, None for the shipped one, and what stands beside it. Raises `DocumentError` for what is none.

    The shipped fixtures are checked with the shipped document unless others are named; `against` are other documents.
    """
    subject = Subject(path or data.DOCUMENT)
    report = Report("check", subject.name, ("operations",))
    for name in subject.names.values():
        report.case("operations", name)
    report.count("schemas", schemas.count(subject))
    faults = [*subject.faults, *structure.check(subject), *schemas.check(subject)]
    faults += structure.not_served(subject, faults)
    for kind, (found, count) in (("examples", examples.check(subject)), ("links", links.check(subject))):
        faults += found
        report.count(kind, count)
    unusable = setup.overrides(subject)
    faults += unusable
    add(subject, faults, report)
    if not unusable:
        setup.stubs(subject, path, report)
        setup.fixtures(path, fixtures or (tuple(data.fixture_names()) if path is None else ()), report)
    for place in stubs:
        for file in files(place):
            stub_files.check(subject, file, report)
    for other in against:
        report.facts["against"] = ", ".join(filter(None, (report.facts.get("against"), other.name)))
        compare(subject, other, report)
    return report


def add(subject: Subject, faults: Iterable[Fault], report: Report) -> None:
    """Add the faults of a document to a report, each at the place that it was written at."""
    told: set[tuple[str, str, str]] = set()
    for fault in faults:
        place = subject.place(fault.place)
        if (key := (fault.code, str(place), fault.message)) in told:
            continue  # a parameter of a path is one of each of its operations
        told.add(key)
        report.add(
            fault.code,
            fault.message,
            place,
            operation=subject.operation_at(fault.place),
            severity=fault.severity,
            edit=subject.edit(fault),
            related=[Related(what, subject.place(place)) for what, place in fault.also],
        )
