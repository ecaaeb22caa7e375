"""What is wrong with a document: its validity, its references, examples, links, and schemas that nothing can satisfy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from mockserver.contract import grammar
from mockserver.contract.contract import Contract
from mockserver.contract.findings import from_gate, violation
from mockserver.contract.gate import Direction, Gate
from mockserver.contract.operations import Operation
from mockserver.values import JSON, Record, pointer


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: `code` names the kind, `place` is a JSON pointer into the bundled document."""

    code: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.place}: {self.message}" if self.place else f"{self.code} {self.message}"


def lint(document: Record, reference_faults: list[str]) -> list[Fault]:
    """Return all that is wrong with a bundled document."""
    contract = Contract(document)
    faults = [Fault("reference", "", _line(fault)) for fault in reference_faults]
    faults += [
        Fault("operation", fault.pointer, _line(str(fault).removeprefix(f"{fault.pointer}: ")))
        for fault in (*contract.faults, *contract.compile())
    ]
    faults += _no_objects(document)
    if not faults:  # the validators below follow references
        faults += _invalid(document)
    faults += _schemas(document)
    faults += _unnamed(contract.operations)
    faults += _links(document, contract.operations)
    faults += _examples(document)
    return faults


def _line(text: str) -> str:
    """The first line of an error that others wrote, of a length that can be read."""
    line = text.partition("\n")[0]
    return line if len(line) <= 300 else f"{line[:140]} … {line[-140:]}"


def _no_objects(document: Record) -> Iterator[Fault]:
    for path, item in document["paths"].items():
        if not isinstance(item, dict) and not str(path).startswith("x-"):
            yield Fault("invalid", pointer("paths", path), "must be an object with the operations of the path")


def _invalid(document: Record) -> Iterator[Fault]:
    # Imported here: only this command needs it, and it is slow to import.
    from openapi_spec_validator import OpenAPIV30SpecValidator

    for error in OpenAPIV30SpecValidator(document).iter_errors():
        place = pointer(*getattr(error, "absolute_path", ()))
        yield Fault("invalid", place, _line(str(getattr(error, "message", error))))


def _schemas(document: Record) -> Iterator[Fault]:
    """Schemas that nothing can satisfy: those with a name, and those of parameters, headers and bodies."""
    gate = Gate(document, "reply")
    for path, kind, node in grammar.walk("document", document):
        named = len(path) == 3 and path[:2] == ("components", "schemas")
        if kind != "schema" or "$ref" in node or not (named or path[-1] == "schema"):
            continue
        try:
            converted = gate.convert(node)
            form = jsonschema_rs.canonicalize(converted, registry=gate.registry(converted), draft=jsonschema_rs.Draft4)
        except (ValueError, jsonschema_rs.ReferencingError, jsonschema_rs.ValidationError) as error:
            if named:  # those of the operations are told by the contract
                yield Fault("invalid", pointer(*path), _line(str(error)))
            continue
        if form.satisfiability() == jsonschema_rs.canonical.Satisfiability.NO:
            yield Fault("impossible", pointer(*path), "no value can satisfy this schema")


def _unnamed(operations: list[Operation]) -> Iterator[Fault]:
    seen: dict[str, Operation] = {}
    for operation in operations:
        if "operationId" not in operation.spec:
            yield Fault("unnamed", operation.pointer, f"{operation} has no operationId")
        elif operation.id in seen:
            yield Fault("unnamed", operation.pointer, f"{operation} and {seen[operation.id]} have the same operationId")
        seen[operation.id] = operation


def _links(document: Record, operations: list[Operation]) -> Iterator[Fault]:
    by_id = {operation.id: operation for operation in operations}
    by_place = {f"#{operation.pointer}": operation for operation in operations}
    for path, kind, link in grammar.walk("document", document):
        if kind != "link" or "$ref" in link:
            continue
        place = pointer(*path)
        named = link.get("operationId", link.get("operationRef"))
        target = by_id.get(str(named)) if "operationId" in link else by_place.get(str(named))
        if target is None:
            yield Fault("link", place, f"leads to {named!r}, which is no operation")
            continue
        known = {key for each in target.parameters for key in (each.name, f"{each.location}.{each.name}")}
        for parameter in link.get("parameters") or {}:
            if parameter not in known:
                yield Fault("link", place, f"sets {parameter!r}, which is no parameter of {target}")


def _examples(document: Record) -> Iterator[Fault]:
    gates: dict[Direction, Gate] = {each: Gate(document, each) for each in ("request", "reply", "either")}
    for path, kind, node in grammar.walk("document", document):
        place = pointer(*path)
        if kind == "schema":
            for name in ("example", "default"):
                if name in node:
                    yield from _check(gates["either"], node, node[name], f"{place}/{name}")
        elif kind in ("parameter", "header", "mediaType") and isinstance(node.get("schema"), dict):
            asked = kind == "parameter" or (kind == "mediaType" and ("requestBody" in path or "requestBodies" in path))
            direction: Direction = "request" if asked else "reply"
            for name, value in _values(document, node):
                yield from _check(gates[direction], node["schema"], value, f"{place}/{name}")


def _values(document: Record, node: Record) -> Iterator[tuple[str, JSON]]:
    if "example" in node:
        yield "example", node["example"]
    for name, example in (node.get("examples") or {}).items():
        try:
            found: Any = grammar.find(document, example["$ref"]) if "$ref" in example else example
        except KeyError:  # a reference fault, told above
            continue
        if "value" in found:
            yield pointer("examples", name)[1:], found["value"]


def _check(gate: Gate, schema: Record, value: JSON, place: str) -> Iterator[Fault]:
    try:
        validator = gate.validator(schema)
    except (ValueError, KeyError) as error:
        yield Fault("example", place, f"cannot be checked: {_line(str(error))}")
        return
    for finding in from_gate(validator.iter_errors(value)):
        found = violation(finding, "value", finding.path, "")
        yield Fault("example", place, f"{found.pointer or 'it'} {found.message}")
