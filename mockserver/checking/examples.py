"""Whether the examples of a document are what its schemas allow: of bodies, parameters, headers and schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver.checking.faults import Fault
from mockserver.checking.subject import Subject
from mockserver.contract import grammar
from mockserver.contract.findings import flatten, from_gate, violation
from mockserver.contract.gate import Direction, Gate
from mockserver.values import JSON, Record, pointer

_ASKED = {"requestBody", "requestBodies", "parameters"}
"""Where what the client sends is described."""


def check(subject: Subject) -> tuple[list[Fault], int]:
    """Return what is wrong with the examples, and how many there are."""
    document = subject.document
    gates: dict[Direction, Gate] = {each: Gate(document, each) for each in ("request", "reply", "either")}
    faults: list[Fault] = []
    count = 0
    for path, kind, node in grammar.walk("document", document):
        place = pointer(*path)
        if kind == "schema" and "example" in node:
            count += 1
            faults += _check(gates["either"], node, node["example"], f"{place}/example", place)
        elif kind in ("parameter", "header", "mediaType"):
            asked = kind == "parameter" or (kind == "mediaType" and not _ASKED.isdisjoint(path))
            schema = node.get("schema")
            for name, example in _examples(document, node):
                count += 1
                if "externalValue" in example:
                    faults.append(Fault("MS-X002", f"{place}/{name}", "it lies elsewhere, and nothing is fetched"))
                elif "value" in example and isinstance(schema, dict):
                    gate = gates["request" if asked else "reply"]
                    faults += _check(gate, schema, example["value"], f"{place}/{name}", f"{place}/schema")
    return faults, count


def _examples(document: Record, node: Record) -> Iterator[tuple[str, Record]]:
    if "example" in node:
        yield "example", {"value": node["example"]}
    for name, example in (node.get("examples") or {}).items():
        try:
            found: Any = grammar.find(document, example["$ref"]) if "$ref" in example else example
        except (KeyError, TypeError):  # told as a reference
            continue
        if isinstance(found, dict):
            yield pointer("examples", name)[1:], found


def _check(gate: Gate, schema: Record, value: JSON, place: str, rule: str) -> Iterator[Fault]:
    try:
        validator = gate.validator(schema)
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # a schema that is none has a finding of its own
    for finding in flatten(from_gate(validator.iter_errors(value))):
        found = violation(finding, "value", finding.path, "")
        at = finding.rule.partition("#")[2]
        broken = at if finding.rule.startswith("urn:") else f"{rule}{at}"
        yield Fault("MS-X001", place, f"{found.pointer or 'it'} {found.message}", also=(("the rule", broken),))
