"""What a schema lets through, as far as decoding needs it: types, properties and items, over references and branches.

Texts in URLs, headers and forms have no types of their own; the schema says what they are meant as.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from mockserver.contract import grammar
from mockserver.values import JSON, Record

_T = TypeVar("_T")
Cast: TypeAlias = Callable[[str], JSON]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,999})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,999})(\.[0-9]{1,999})?([eE][+-]?[0-9]{1,3})?")
# `True` and `False` are what Python clients write.
_BOOLEANS = {"true": True, "false": False, "True": True, "False": False}


@dataclass(frozen=True)
class Shape:
    """The union of what all branches of a schema say."""

    types: frozenset[str]
    nullable: bool
    properties: dict[str, Record]
    additional: Record | None
    items: Record | None
    required: frozenset[str]
    options: tuple[JSON, ...]
    default: JSON
    has_default: bool


def shape_of(schema: JSON, document: Record) -> Shape:
    """Return the shape of a schema of this document."""
    types: set[str] = set()
    nullable = False
    properties: dict[str, Record] = {}
    additional: Record | None = None
    items: Record | None = None
    required: set[str] = set()
    options: list[JSON] = []
    default: JSON = None
    has_default = False
    for part in branches(schema, document):
        if isinstance(part.get("type"), str):
            types.add(part["type"])
        nullable = nullable or part.get("nullable") is True
        # A keyword of the wrong type says nothing; that its schema is none shows when it is compiled.
        properties = {**_of(dict, part, "properties"), **properties}
        required.update(name for name in _of(list, part, "required") if isinstance(name, str))
        options.extend(_of(list, part, "enum"))
        if isinstance(part.get("additionalProperties"), dict):
            additional = additional or part["additionalProperties"]
        if isinstance(part.get("items"), dict):
            items = items or part["items"]
        if "default" in part and not has_default:
            default, has_default = part["default"], True
    return Shape(
        frozenset(types), nullable, properties, additional, items, frozenset(required), tuple(options), default, has_default
    )


def branches(schema: JSON, document: Record) -> Iterator[Record]:
    """Yield a schema and all that it is composed of, references followed, each once."""
    seen: set[int] = set()
    stack = [schema]
    while stack:
        part = stack.pop()
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        if "$ref" in part:
            try:
                stack.append(grammar.find(document, part["$ref"]))
            except KeyError:
                continue
        else:
            yield part
            for word in ("oneOf", "anyOf", "allOf"):
                stack.extend(reversed(_of(list, part, word)))


def _of(kind: type[_T], part: Record, keyword: str) -> _T:
    value = part.get(keyword)
    return value if isinstance(value, kind) else kind()


def cast_for(shape: Shape) -> Cast:
    """Return what turns a text into the value that a schema of this shape means by it.

    A text that is none of the types stays a text, so that the schema can refuse it. Spellings are JSON's: `1_000`, `+5`
    and `yes` are texts.
    """
    types, nullable = shape.types, shape.nullable
    if not types & {"integer", "number", "boolean"} and not nullable:
        return _as_it_is
    # `null` is a text where any text is one; where a text must be one of a few, it is null unless it is among them.
    text_too = ("string" in types or not types) and not (shape.options and "null" not in shape.options)

    def cast(text: str) -> JSON:
        if "integer" in types and _INTEGER.fullmatch(text):
            return int(text)
        if "number" in types and _NUMBER.fullmatch(text):
            return float(text) if any(mark in text for mark in ".eE") else int(text)
        if "boolean" in types and text in _BOOLEANS:
            return _BOOLEANS[text]
        if nullable and not text_too and text == "null":
            return None
        return text

    return cast


def _as_it_is(text: str) -> JSON:
    return text
