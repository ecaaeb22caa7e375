"""What validators find, in one form and in one wording, whichever library found it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from mockserver.contract.gate import PATTERN_FORMATS
from mockserver.contract.violations import Violation, shorten
from mockserver.values import JSON, dump, pointer

Path: TypeAlias = tuple[str | int, ...]


_FORMAT_OF_PATTERN = {pattern: name for name, pattern in PATTERN_FORMATS.items()}


MOST = 1000
"""How many findings are looked for: a body of megabytes can break a rule a million times."""


class Finding(NamedTuple):
    """A broken keyword: where in the value, where in the schema (as far as known), and by which value.

    `expected` is the keyword's value; `branches` are the findings of each alternative of `anyOf` and `oneOf`.
    """

    keyword: str
    path: Path
    expected: JSON
    instance: JSON
    rule: str = ""
    branches: tuple[Any, ...] = ()


def from_gate(errors: Iterable[Any], hidden: str = "not") -> Iterator[Finding]:
    """Turn the errors of a jsonschema-rs validator into findings, as many as are looked for."""
    for error in islice(errors, MOST):
        keyword = error.kind.name
        kind = error.kind.as_dict()
        context = kind.pop("context", ())
        expected = next(iter(kind.values()), None)
        location = error.absolute_keyword_location or "#" + pointer(*error.schema_path)
        if keyword == "pattern" and expected in _FORMAT_OF_PATTERN:
            keyword, expected = "format", _FORMAT_OF_PATTERN[expected]
            location = location.removesuffix("pattern") + "format"
        if keyword == "not" and expected == {}:
            keyword, location = hidden, location.removesuffix("not") + hidden
        yield Finding(
            keyword,
            tuple(error.instance_path),
            expected,
            error.instance,
            location,
            tuple([tuple(from_gate(branch, hidden)) for branch in context]) if context else (),
        )


def from_jsonschema(errors: Iterable[Any]) -> Iterator[Finding]:
    """Turn the errors of a jsonschema validator into findings. Their rules are unknown: references are not in them."""
    for error in islice(errors, MOST):
        keyword = error.validator or "schema"
        branches: dict[int, list[Any]] = {}
        if keyword in ("anyOf", "oneOf"):
            for child in error.context or ():
                branches.setdefault(child.schema_path[0], []).append(child)
        elif error.context:  # allOf: what its parts say is what counts
            for child in error.context:
                yield from from_jsonschema([child])
            continue
        expected = error.validator_value
        if keyword == "required":
            expected = _quoted(error.message)
        elif keyword == "additionalProperties":
            expected = [name for name in error.instance if name not in error.schema.get("properties", {})]
        elif keyword in ("minimum", "maximum") and error.schema.get("exclusive" + keyword.capitalize()):
            keyword = "exclusive" + keyword.capitalize()
        yield Finding(
            keyword,
            tuple(error.absolute_path),
            expected,
            error.instance,
            branches=tuple(tuple(from_jsonschema(branch)) for branch in branches.values()),
        )


def _quoted(message: str) -> str:
    # "'name' is a required property": the name stands nowhere else.
    return message.rpartition(" is a required")[0].strip("'\"")


def flatten(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Put in the place of a failed choice what is wrong with the alternative that was meant, where that is plain.

    An alternative of another type, or none of whose constants fit, was not meant.
    """
    for finding in findings:
        if not finding.branches:
            yield finding
            continue
        meant = [branch for branch in finding.branches if branch and not _another_kind(branch, finding.path)]
        if len(meant) == 1:
            yield from flatten(meant[0])
        else:
            yield finding


def _another_kind(branch: tuple[Finding, ...], path: Path) -> bool:
    return any(
        (finding.path == path and finding.keyword in ("type", "enum", "not"))
        or (finding.keyword == "enum" and finding.path[:-1] == path and isinstance(finding.path[-1], str))
        for finding in branch
    )


_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object", type(None): "null"}

_WORDING = {
    "required": "is required",
    "minLength": "is too short: {} characters at least",
    "maxLength": "is too long: {} characters at most",
    "minItems": "holds too few items: {} at least",
    "maxItems": "holds too many items: {} at most",
    "minProperties": "has too few fields: {} at least",
    "maxProperties": "has too many fields: {} at most",
    "minimum": "is below {}",
    "maximum": "is above {}",
    "exclusiveMinimum": "is not above {}",
    "exclusiveMaximum": "is not below {}",
    "multipleOf": "is not a multiple of {}",
    "pattern": "does not match {}",
    "format": "is not a valid {}",
    "uniqueItems": "holds an item twice",
    "additionalProperties": "has a field that is not allowed",
    "not": "is not allowed here",
    "readOnly": "is set by the server and must not be sent",
    "writeOnly": "must not be in a reply",
    "anyOf": "fits none of the alternatives",
    "oneOf": "does not fit exactly one of the alternatives",
}


def violation(finding: Finding, part: str, path: Path, rule: str) -> Violation:
    """Put a finding into words. `path` is its place within the part."""
    keyword, expected = finding.keyword, finding.expected
    if keyword == "required":
        path = (*path, str(expected))
    if keyword == "type":
        types = expected if isinstance(expected, list) else [expected]
        text = f"must be {' or '.join(map(str, types))}, not {_TYPES.get(type(finding.instance), 'something else')}"
    elif keyword == "enum":
        options = expected if isinstance(expected, list) else dump(expected).decode()
        listed = ", ".join(dump(option).decode() for option in options) if isinstance(options, list) else options
        text = f"must be one of {listed}"
    elif keyword == "additionalProperties" and isinstance(expected, list):
        text = f"has a field that is not allowed: {', '.join(sorted(map(str, expected)))}"
    else:
        shown = expected if isinstance(expected, str) else dump(expected).decode() if _scalar(expected) else ""
        text = _WORDING.get(keyword, f"breaks {keyword}").format(shown)
    return Violation(part, pointer(*path), shorten(text), rule, keyword)


def _scalar(value: JSON) -> bool:
    return value is None or isinstance(value, (bool, int, float))
