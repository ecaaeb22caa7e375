"""JSON values: the alias, the parser and the writer that every part uses.

One parser for all sides, so that the gate, openapi-core and the stubs see the same value. It is stricter than
RFC 8259 where a lenient answer would hurt later: no NaN, no nesting beyond `MAX_DEPTH`, no NUL in any text.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeAlias

import orjson

JSON: TypeAlias = Any
"""None, bool, int, float, str, list of JSON or dict of str to JSON."""

Record: TypeAlias = dict[str, Any]
"""A JSON object. Records that a world holds are never changed in place."""

MAX_DEPTH = 200

# orjson turns integers beyond 64 bits into floats, which `type: integer` then refuses; only texts that can hold
# such a number pay for the exact parser.
_LONG_NUMBER = re.compile(rb"\d{19}")
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))


class NotJSON(ValueError):
    """The text is not JSON that we take; the message says why, in half a sentence."""


def parse(text: bytes) -> JSON:
    """Return the value of a JSON text.

    Raises `NotJSON` for anything but RFC 8259 JSON in UTF-8, for numbers that no double can hold, for nesting beyond
    200 levels and for NUL characters (databases behind real services refuse them).
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJSON(f"is not valid JSON: {error}") from None
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH and depth(value) > MAX_DEPTH:
        raise NotJSON(f"is nested deeper than {MAX_DEPTH} levels")
    if len(text.translate(None, _NO_DIGITS)) >= 19 and _LONG_NUMBER.search(text) is not None:
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except ValueError:
            raise NotJSON("holds a number that is too long") from None
    if b"\\u0000" in text and _holds_nul(value):
        raise NotJSON("holds a NUL character")
    return value


def dump(value: JSON) -> bytes:
    """Return the JSON text of a value, in UTF-8 and without spaces."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # Integers beyond 64 bits, which orjson refuses.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def depth(value: JSON) -> int:
    """Return how deep arrays and objects are nested in a value; 0 for a scalar."""
    level, layer = 0, [value]
    while layer := [part for part in layer if isinstance(part, (dict, list))]:
        level += 1
        layer = [child for part in layer for child in (part.values() if isinstance(part, dict) else part)]
    return level


def pointer(*parts: str | int) -> str:
    """Return the JSON pointer (RFC 6901) made of these parts; the empty text for none."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def unescape(part: str) -> str:
    """Return what a part of a JSON pointer stands for."""
    return part.replace("~1", "/").replace("~0", "~")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _holds_nul(value: JSON) -> bool:
    layer = [value]
    while layer:
        part = layer.pop()
        if isinstance(part, str):
            if "\0" in part:
                return True
        elif isinstance(part, dict):
            layer.extend(part)
            layer.extend(part.values())
        elif isinstance(part, list):
            layer.extend(part)
    return False
