"""Whether a document is OpenAPI 3.0 at all: each object has the fields that it must have, of the types that they must be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import jsonschema_rs

from mockserver.checking.faults import Fault
from mockserver.contract import grammar
from mockserver.contract.findings import Finding, flatten, from_gate, violation
from mockserver.contract.grammar import METHODS
from mockserver.values import JSON, Record, pointer

_ROUNDS = 5


def set_aside(document: Record) -> list[Fault]:
    """Return what is not valid, and take what others could stumble over out of the document.

    What is left has nothing of the wrong type. An operation with a parameter that is none goes as a whole: what it asks for is
    not known.
    """
    validator = _openapi()
    faults: list[Fault] = []
    for _ in range(_ROUNDS):
        errors = [each for finding in from_gate(validator.iter_errors(document)) for each in _meant(finding)]
        if errors:
            faults += _faults(document, errors)
        cut = {
            _cut(document, each.path) for each in errors if each.keyword not in _HARMLESS or "parameters" in each.path[-2:-1]
        }
        if not cut:
            break
        for path in sorted(cut, key=len, reverse=True):
            _remove(document, path)
    return list({(each.code, each.place, each.message): each for each in faults}.values())


@cache
def _openapi() -> jsonschema_rs.Draft4Validator:
    # The OpenAPI initiative's own schema, as openapi-spec-validator ships it; its further rules are checked elsewhere.
    from openapi_spec_validator.schemas.utils import get_schema_content

    return jsonschema_rs.Draft4Validator(json.loads(json.dumps(get_schema_content("3.0"))))


_HARMLESS = (
    "required",
    "additionalProperties",
    "minProperties",
    "minItems",
    "not",
    "pattern",
    "format",
    "uniqueItems",
    "minimum",
    "exclusiveMinimum",
    "minLength",
)
"""What is wrong, but has the type that is expected."""


def _cut(document: Record, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The nearest place, up from one, that can be taken out without bending what is around it."""
    parts = tuple(map(str, path))
    if len(parts) >= 3 and parts[0] == "paths" and parts[2] == "parameters":
        return parts[:2]
    if (
        len(parts) >= 4
        and parts[0] == "paths"
        and parts[2] in METHODS
        and parts[3] in ("parameters", "responses", "operationId")
    ):
        return parts[:3] if parts[3] == "parameters" or len(parts) == 4 else parts
    node: JSON = document
    end = 0
    for at, part in enumerate(parts):
        if isinstance(node, dict):
            end = at + 1
        node = _child(node, part)
    # An item of a list goes with the list: the places of the others must stay.
    while end and not isinstance(_at(document, parts[: end - 1]), dict):
        end -= 1
    return parts[:end]


def _child(node: JSON, part: str) -> JSON:
    if isinstance(node, dict):
        return node.get(part)
    return node[int(part)] if isinstance(node, list) and part.isdecimal() and int(part) < len(node) else None


def _at(document: JSON, parts: tuple[str, ...]) -> JSON:
    for part in parts:
        document = _child(document, part)
    return document


def _remove(document: Record, parts: tuple[str, ...]) -> None:
    holder = _at(document, parts[:-1])
    if parts and isinstance(holder, dict):
        holder.pop(parts[-1], None)


def _faults(document: Record, errors: list[Finding]) -> Iterator[Fault]:
    kinds = {pointer(*path): kind for path, kind, _ in grammar.walk("document", document)}
    for place, message in dict.fromkeys(map(_worded, errors)):
        if _kind(place, kinds) == "responses" and "not allowed" in message:
            continue  # a status that is none has its own code
        yield Fault("MS-D011" if _kind(place, kinds) == "schema" else "MS-D001", place, message)


def _kind(place: str, kinds: dict[str, str]) -> str:
    if place.endswith("/responses") and kinds.get(place.removesuffix("/responses")) == "operation":
        return "responses"
    while place and place not in kinds:
        place = place.rpartition("/")[0]
    return kinds.get(place, "document")


def _meant(finding: Finding) -> Iterator[Finding]:
    """Yield what is wrong with the alternative that was meant, of those that the schema of OpenAPI offers."""
    branches = [branch for branch in finding.branches if branch and not _is_reference(branch, finding)]
    if not branches:
        yield finding
        return
    one_of_them = [branch for branch in branches if not _of_another(branch, finding.path)]
    if len(one_of_them) == 1:
        for each in one_of_them[0]:
            yield from _meant(each)
        return
    enums = [each for branch in branches for each in branch if each.keyword == "enum"]
    if enums and all(any(each.keyword == "enum" for each in branch) for branch in branches):
        options = [option for each in enums for option in (each.expected if isinstance(each.expected, list) else [])]
        yield Finding("enum", enums[0].path, options, enums[0].instance)
        return
    yield Finding(finding.keyword, finding.path, finding.expected, finding.instance, branches=tuple(branches))


def _is_reference(branch: tuple[Finding, ...], finding: Finding) -> bool:
    # The alternative of a reference, where none was written.
    return any(each.keyword == "required" and each.expected == "$ref" for each in branch) and not (
        isinstance(finding.instance, dict) and "$ref" in finding.instance
    )


def _of_another(branch: tuple[Finding, ...], path: tuple[str | int, ...]) -> bool:
    return any(each.keyword == "enum" and each.path[:-1] == path for each in branch)


def _worded(finding: Finding) -> tuple[str, str]:
    place, expected = pointer(*finding.path), finding.expected
    if finding.keyword == "required":
        return place, f"{expected} is missing"
    if finding.keyword == "additionalProperties" and isinstance(expected, list):
        return place, f"{', '.join(map(str, expected))} is not allowed here; fields of your own begin with x-"
    if finding.keyword == "not" and isinstance(expected, dict):
        return place, f"{' and '.join(expected.get('required', []))} cannot stand together"
    if finding.branches:
        # Different alternatives miss different things: `schema` or `content`.
        missing = [str(each.expected) for branch in finding.branches for each in branch if each.keyword == "required"]
        if missing:
            return place, f"{' or '.join(dict.fromkeys(missing))} is missing"
        told = [violation(each, "", each.path, "") for branch in finding.branches for each in flatten(branch)]
        return place, " or ".join(dict.fromkeys(f"{each.pointer.removeprefix(place)} {each.message}".strip() for each in told))
    return place, violation(finding, "", (), "").message
