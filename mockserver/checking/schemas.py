"""What is wrong with the schemas of a document: patterns, bounds, enums, defaults, and what nothing can satisfy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from mockserver.checking.faults import Fault
from mockserver.checking.structure import first_line
from mockserver.checking.subject import Subject
from mockserver.contract import grammar
from mockserver.contract.findings import from_gate, violation
from mockserver.contract.gate import Gate, compile_schema
from mockserver.values import JSON, Record, dump, pointer

_BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)
_LOCAL = ("type", "nullable", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
          "minLength", "maxLength", "minItems", "maxItems", "items", "required", "properties")  # fmt: skip
"""The rules of a schema that its own `enum` can break, those of other schemas apart."""


def check(subject: Subject) -> Iterator[Fault]:
    """Yield all that is wrong with the schemas of a document."""
    gate = Gate(subject.document, "either")
    patterns: dict[str, str | None] = {}
    for path, kind, node in grammar.walk("document", subject.document):
        if kind != "schema" or "$ref" in node:
            continue
        place = pointer(*path)
        own = [*_pattern(node, place, patterns), *_crossed(node, place), *_forbidden(node, place), *_enum(gate, node, place)]
        yield from own
        yield from _default(gate, node, place)
        if not any(fault.code in ("MS-D010", "MS-D012", "MS-D013") for fault in own):
            yield from _impossible(subject, path, node)


def count(subject: Subject) -> int:
    """How many schemas there are."""
    return sum(kind == "schema" and "$ref" not in node for _, kind, node in grammar.walk("document", subject.document))


def _pattern(node: Record, place: str, known: dict[str, str | None]) -> Iterator[Fault]:
    pattern = node.get("pattern")
    if not isinstance(pattern, str):
        return
    if pattern not in known:
        try:
            compile_schema({"pattern": pattern})
            known[pattern] = None
        except ValueError as error:
            known[pattern] = first_line(str(error))
    if known[pattern] is not None:
        yield Fault("MS-D009", f"{place}/pattern", f"{pattern!r} is no regular expression of ECMA-262")


def _crossed(node: Record, place: str) -> Iterator[Fault]:
    for low_name, high_name in _BOUNDS:
        low: Any = node.get(low_name)
        high: Any = node.get(high_name)
        if not _is_number(low) or not _is_number(high):
            continue
        exclusive = low_name == "minimum" and (node.get("exclusiveMinimum") is True or node.get("exclusiveMaximum") is True)
        if low > high or (low == high and exclusive):
            told = "exclude each other" if low == high else "cross"
            yield Fault(
                "MS-D010",
                place,
                f"no value can satisfy this schema: {low_name} {low} and {high_name} {high} {told}",
                mend=f"Exchange {low_name} and {high_name}, or remove one of them." if low > high else "",
                patch=(
                    {"op": "replace", "path": f"{place}/{low_name}", "value": high},
                    {"op": "replace", "path": f"{place}/{high_name}", "value": low},
                )
                if low > high
                else (),
            )


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _forbidden(node: Record, place: str) -> Iterator[Fault]:
    properties = node.get("properties")
    if node.get("additionalProperties") is not False or not isinstance(node.get("required"), list):
        return
    known = properties if isinstance(properties, dict) else {}
    for at, name in enumerate(node["required"]):
        if isinstance(name, str) and name not in known:
            yield Fault(
                "MS-D012",
                f"{place}/required/{at}",
                f"{name!r} is required, but not among the properties, and no others are allowed",
                mend=f"Add {name!r} to the properties, or take it out of required.",
                patch=({"op": "remove", "path": f"{place}/required/{at}"},),
            )


def _enum(gate: Gate, node: Record, place: str) -> Iterator[Fault]:
    rules = {name: node[name] for name in _LOCAL if name in node}
    if not isinstance(node.get("enum"), list) or not rules:
        return
    try:
        validator = gate.validator(rules)
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # told where the rule is
    for at, value in enumerate(node["enum"]):
        error = next(from_gate(validator.iter_errors(value)), None)
        if error is not None:
            found = violation(error, "value", error.path, "")
            message = f"{dump(value).decode()} {found.message}"
            if node.get("type") == "string" and _is_scalar(value):
                text = "true" if value is True else "false" if value is False else str(value)
                patch: tuple[Record, ...] = ({"op": "replace", "path": f"{place}/enum/{at}", "value": text},)
                yield Fault("MS-D013", f"{place}/enum/{at}", message, mend=f"Write it as a text, '{text}'.", patch=patch)
            else:
                yield Fault("MS-D013", f"{place}/enum/{at}", message)


def _is_scalar(value: JSON) -> bool:
    return isinstance(value, (bool, int, float))


def _default(gate: Gate, node: Record, place: str) -> Iterator[Fault]:
    if "default" not in node:
        return
    try:
        validator = gate.validator({name: part for name, part in node.items() if name != "default"})
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    for error in from_gate(validator.iter_errors(node["default"])):
        found = violation(error, "value", error.path, "")
        yield Fault("MS-D014", f"{place}/default", f"{found.pointer or 'it'} {found.message}")


def _impossible(subject: Subject, path: tuple[str | int, ...], node: Record) -> Iterator[Fault]:
    """Schemas that nothing can satisfy for reasons that do not stand side by side: those with a name, and those of messages."""
    if not ((len(path) == 3 and path[:2] == ("components", "schemas")) or path[-1] == "schema"):
        return
    gate = Gate(subject.document, "reply")
    try:
        converted = gate.convert(node)
        form = jsonschema_rs.canonicalize(converted, registry=gate.registry(converted), draft=jsonschema_rs.Draft4)
    except (ValueError, KeyError, TypeError, AttributeError, jsonschema_rs.ReferencingError, jsonschema_rs.ValidationError):
        return  # told where the rule is, or by its operation
    if form.satisfiability() == jsonschema_rs.canonical.Satisfiability.NO:
        yield Fault("MS-D010", pointer(*path), "no value can satisfy this schema")
