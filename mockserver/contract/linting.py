"""What is wrong with a document: its validity, its references, examples, links, and schemas that nothing can satisfy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jsonschema_rs

from mockserver.contract import grammar
from mockserver.contract.contract import Contract
from mockserver.contract.findings import from_gate, violation
from mockserver.contract.gate import Direction, Gate
from mockserver.contract.operations import Content, Operation
from mockserver.values import JSON, Record, pointer


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: `code` names the kind, `place` is a JSON pointer into the bundled document."""

    code: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.place}: {self.message}"


def lint(document: Record, reference_faults: list[str]) -> list[Fault]:
    """Return all that is wrong with a bundled document."""
    contract = Contract(document)
    faults = [Fault("reference", "", fault) for fault in reference_faults]
    faults += [Fault("operation", fault.pointer, str(fault)) for fault in (*contract.faults, *contract.compile())]
    if not faults:  # the validators below follow references
        faults += _invalid(document)
        faults += _impossible(document)
    faults += _unnamed(contract.operations)
    faults += _links(contract.operations)
    faults += _examples(document, contract.operations)
    return faults


def _invalid(document: Record) -> Iterator[Fault]:
    # Imported here: only this command needs it, and it is slow to import.
    from openapi_spec_validator import OpenAPIV30SpecValidator

    for error in OpenAPIV30SpecValidator(document).iter_errors():
        yield Fault("invalid", pointer(*getattr(error, "absolute_path", ())), str(getattr(error, "message", error))[:300])


def _impossible(document: Record) -> Iterator[Fault]:
    gate = Gate(document, "reply")
    for name, schema in ((document.get("components") or {}).get("schemas") or {}).items():
        converted = gate.convert(schema)
        form = jsonschema_rs.canonicalize(converted, registry=gate.registry(converted), draft=jsonschema_rs.Draft4)
        if form.satisfiability() == jsonschema_rs.canonical.Satisfiability.NO:
            yield Fault("impossible", f"/components/schemas/{name}", "no value can satisfy this schema")


def _unnamed(operations: list[Operation]) -> Iterator[Fault]:
    seen: dict[str, Operation] = {}
    for operation in operations:
        if "operationId" not in operation.spec:
            yield Fault("unnamed", operation.pointer, f"{operation} has no operationId")
        elif operation.id in seen:
            yield Fault("unnamed", operation.pointer, f"{operation} and {seen[operation.id]} have the same operationId")
        seen[operation.id] = operation


def _links(operations: list[Operation]) -> Iterator[Fault]:
    by_id = {operation.id: operation for operation in operations}
    for operation in operations:
        for status, response in (operation.spec.get("responses") or {}).items():
            links = response.get("links") if isinstance(response, dict) else None
            for name, link in (links or {}).items():
                place = operation.pointer + pointer("responses", status, "links", name)
                target = by_id.get(str(link.get("operationId", "")))
                if target is None:
                    yield Fault("link", place, f"leads to {link.get('operationId')!r}, which is no operation")
                    continue
                known = {key for each in target.parameters for key in (each.name, f"{each.location}.{each.name}")}
                for parameter in link.get("parameters") or {}:
                    if parameter not in known:
                        yield Fault("link", place, f"sets {parameter!r}, which is no parameter of {target}")


def _examples(document: Record, operations: list[Operation]) -> Iterator[Fault]:
    gates: dict[Direction, Gate] = {"request": Gate(document, "request"), "reply": Gate(document, "reply")}
    for operation in operations:
        for parameter in operation.parameters:
            raw = _raw(document, parameter.pointer)
            if "example" in raw and parameter.media_type is None:
                yield from _check(gates["request"], parameter.schema, raw["example"], f"{parameter.pointer}/example")
        for content in operation.body.contents if operation.body is not None else ():
            yield from _content_examples(document, gates["request"], content)
        for response in operation.responses.values():
            for content in response.contents:
                yield from _content_examples(document, gates["reply"], content)
    for path, kind, node in grammar.walk("document", document):
        if kind == "schema" and "example" in node:
            yield from _check(gates["reply"], node, node["example"], f"{pointer(*path)}/example")
        if kind == "schema" and "default" in node:
            yield from _check(gates["request"], node, node["default"], f"{pointer(*path)}/default")


def _content_examples(document: Record, gate: Gate, content: Content) -> Iterator[Fault]:
    raw = _raw(document, content.pointer)
    examples = {"example": raw["example"]} if "example" in raw else {}
    for name, example in (raw.get("examples") or {}).items():
        value = grammar.find(document, example["$ref"]) if "$ref" in example else example
        examples[f"examples/{name}"] = value.get("value")
    for name, value in examples.items():
        yield from _check(gate, content.schema or {}, value, f"{content.pointer}/{name}")


def _check(gate: Gate, schema: Record, value: JSON, place: str) -> Iterator[Fault]:
    for finding in from_gate(gate.validator(schema).iter_errors(value)):
        found = violation(finding, "value", finding.path, "")
        yield Fault("example", place, f"{found.pointer or 'it'} {found.message}")


def _raw(document: Record, place: str) -> Record:
    found: Record = grammar.find(document, "#" + place)
    return found
