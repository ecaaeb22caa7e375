"""Whether a server can be made of a document: its overrides, the stub of each operation, its fixtures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from mockserver import data
from mockserver.app import App, Settings
from mockserver.checking.faults import Fault
from mockserver.checking.places import shown
from mockserver.checking.subject import Subject
from mockserver.contract.errors import DocumentError, SetupError
from mockserver.reporting.finding import Place
from mockserver.reporting.report import Report
from mockserver.resolver import StubResolver
from mockserver.stubs.inference import infer, override_fault
from mockserver.stubs.resources import ResourceStubs


def overrides(subject: Subject) -> list[Fault]:
    """Return what is wrong with each `x-resource`; a document with one that is wrong is not served at all."""
    operations = subject.contract.operations
    faults = [
        Fault("MS-D018", f"{each.pointer}/x-resource", fault)
        for each in operations
        if "x-resource" in each.spec and (fault := override_fault(each.spec["x-resource"]))
    ]
    if not faults:
        try:
            infer(operations, subject.document)
        except SetupError as error:
            place, _, message = str(error).partition(": ")
            faults.append(Fault("MS-D018", f"{place}/x-resource", message))
    return faults


def stubs(subject: Subject, path: Path | None, report: Report) -> None:
    """Say of each operation what answers it."""
    operations = subject.contract.operations
    made = ResourceStubs(subject.document, operations)
    shipped = path is None or path.resolve() == data.DOCUMENT.resolve()
    package = data.service(subject.document, strict=False).stubs if shipped else None
    resolver = StubResolver(operations, package, made.stub, made.why)
    for operation in operations:
        resolver.stub(operation)
    kinds = Counter(resolver.chosen.values())
    for kind in ("family", "resource", "sample"):
        if kinds[kind]:
            report.count(f"{kind} stubs", kinds[kind])
    chosen = {operation.pointer: (kind, operation) for operation, kind in resolver.chosen.items()}
    for place, template, method, _ in subject.written_operations():
        name = subject.names[place]
        if place not in chosen:
            report.add("MS-X016", f"{method.upper()} {template} is not served", subject.place(place), operation=name)
        elif chosen[place][0] == "sample":
            why = resolver.why(chosen[place][1])
            report.add("MS-X015", f"{method.upper()} {template}: {why}", subject.place(place), operation=name)


def fixtures(path: Path | None, names: tuple[str, ...], report: Report) -> None:
    """Plant each fixture in a world of the document, and say what keeps it from being planted."""
    for name in names:
        report.case("fixtures", name)
        try:
            App(Settings(document=path, fixture=name))
        except DocumentError as error:
            # The engine tells a line, or a pointer of the document that a fixture is a part of.
            line = int(error.place) if re.fullmatch(r"\d+", error.place) else None
            report.add("MS-X008", error.reason, Place(shown(error.path), "", line), operation=name)
        except SetupError as error:
            report.add("MS-X008", str(error), Place(name), operation=name)


def fixture_fault(name: str) -> str | None:
    """Why a fixture cannot even be looked for; None when it can."""
    if name in data.fixture_names():
        return None
    path = Path(name)
    if path.suffix not in (".yaml", ".yml", ".json"):
        return f"{name}: there is no such fixture; name one of {', '.join(data.fixture_names())}, or a YAML file"
    if not path.is_file():
        return f"{name}: there is no such file"
    return None
