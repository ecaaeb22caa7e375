"""The document that is checked: as it was written, as it is served, and its operations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from mockserver import values
from mockserver.app import App, Settings
from mockserver.checking.faults import Fault
from mockserver.checking.places import Locator, shown
from mockserver.checking.validity import set_aside
from mockserver.contract import grammar
from mockserver.contract.bundling import bundle
from mockserver.contract.contract import Contract
from mockserver.contract.loading import check_file
from mockserver.contract.normalising import normalise
from mockserver.contract.operations import Operation
from mockserver.reporting.finding import Edit, Place
from mockserver.values import JSON, Record, pointer


class Subject:
    """A document in its forms. Raises `DocumentError` when it is none."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        check_file(path)
        made = bundle(path)
        self.path = path
        self.name = name or shown(path)
        self.written: Record = values.parse(values.dump(made.document))
        """As it was written, references to other files put in place."""
        self.faults = set_aside(made.document)
        self.raw: Record = values.parse(values.dump(made.document))
        """As it was written, without what is not OpenAPI at all."""
        self.document = normalise(made.document)
        self.reference_faults = made.faults
        self.locator = Locator(made, self.written, path.resolve(), self.name)

    @cached_property
    def contract(self) -> Contract:
        """What can be served of it."""
        return Contract(self.document)

    @cached_property
    def app(self) -> App:
        """A server of it."""
        return App(Settings(document=self.path))

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of each operation by its place: its id, or its method and path."""
        return {
            place: str(spec.get("operationId") or f"{method.upper()} {path}")
            for place, path, method, spec in self.written_operations()
        }

    def operations(self) -> Iterator[tuple[str, str, str, Record]]:
        """Yield place, path, method and object of each operation."""
        return _operations(self.raw)

    def written_operations(self) -> Iterator[tuple[str, str, str, Record]]:
        """The same of all that were written, also of those that are set aside."""
        return _operations(self.written)

    def served(self, place: str) -> Operation | None:
        """The operation at a place, None when it cannot be served."""
        return next((each for each in self.contract.operations if each.pointer == place), None)

    def operation_at(self, place: str) -> str:
        """The name of the operation that a place is in; empty when it is in none."""
        parts = place.split("/")
        return self.names.get("/".join(parts[:4]), "") if len(parts) >= 4 else ""

    def follow(self, node: JSON) -> JSON:
        """What an object of the document as it was written stands for; None where its references lead nowhere."""
        for _ in range(50):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                return node
            try:
                node = grammar.find(self.raw, node["$ref"])
            except KeyError:
                return None
        return None

    def place(self, place: str) -> Place:
        """Where something was written."""
        return self.locator.place(place)

    def edit(self, fault: Fault) -> Edit | None:
        """The proposed edit, its patch for the file that the fault is in; None for what the catalogue proposes."""
        if not fault.mend:
            return None
        here = self.place(fault.place).file
        patch = []
        for step in fault.patch:
            moved = dict(step)
            for name in ("path", "from"):
                if name in step:
                    place = self.place(step[name])
                    if place.file != here:
                        return Edit(fault.mend)
                    moved[name] = place.pointer
            patch.append(moved)
        return Edit(fault.mend, tuple(patch))


def _operations(document: Record) -> Iterator[tuple[str, str, str, Record]]:
    for path, item in document["paths"].items():
        for method in grammar.METHODS if isinstance(item, dict) else ():
            if isinstance(item.get(method), dict):
                yield pointer("paths", path, method), str(path), method, item[method]
