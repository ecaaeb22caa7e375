"""Values of a world as JSON, and back: what tells one world from another is written down with it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from mockserver.values import JSON

_MARK = "$"
"""The one field of an object that stands for what JSON has no word for; objects with such a field are written as pairs."""


class Unpackable(ValueError):
    """What was read is not what was written; the message says where it is wrong, in half a sentence."""


class Packer:
    """Packs JSON, and beside it tuples, bytes and instances of given classes.

    A class is a `NamedTuple`, or has `__slots__` that are all set and stand for all that it is. No other is ever made of
    what is read: a text from elsewhere cannot bring code to life.
    """

    def __init__(self, kinds: Iterable[type] = ()) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}

    def pack(self, value: Any) -> JSON:
        """Return a value as JSON. TypeError for what can neither be written nor made again."""
        kind = type(value)
        if kind is str or value is None or kind is bool or kind is int or kind is float:
            return value
        if kind is dict:
            if _MARK not in value and all(type(name) is str for name in value):
                return {name: self.pack(each) for name, each in value.items()}
            return {_MARK: ["dict", *([self.pack(name), self.pack(each)] for name, each in value.items())]}
        if kind is list:
            return [self.pack(each) for each in value]
        if kind is tuple:
            return {_MARK: ["tuple", *map(self.pack, value)]}
        if kind is bytes:
            return {_MARK: ["bytes", base64.b64encode(value).decode()]}
        if self._kinds.get(kind.__name__) is not kind:
            raise TypeError(f"{kind.__name__} is no kind of value that a world may hold")
        parts = value if isinstance(value, tuple) else [getattr(value, name) for name in _slots(kind)]
        return {_MARK: [kind.__name__, *map(self.pack, parts)]}

    def unpack(self, value: JSON) -> Any:
        """Return what a packed value stands for. Raises `Unpackable`."""
        if isinstance(value, list):
            return [self.unpack(each) for each in value]
        if not isinstance(value, dict):
            return value
        if _MARK not in value:
            return {name: self.unpack(each) for name, each in value.items()}
        written = value[_MARK]
        if not isinstance(written, list) or not written or not isinstance(written[0], str):
            raise Unpackable("a marked value names no kind")
        name, *parts = written
        try:
            return self._made(name, [self.unpack(part) for part in parts])
        except (TypeError, ValueError) as error:
            raise Unpackable(f"is no {name}: {error}") from error

    def _made(self, name: str, parts: list[Any]) -> Any:
        if name == "tuple":
            return tuple(parts)
        if name == "dict":
            return dict(parts)
        if name == "bytes":
            return base64.b64decode(parts[0], validate=True)
        kind = self._kinds.get(name)
        if kind is None:
            raise Unpackable(f"there are no values of the kind {name}")
        if issubclass(kind, tuple):
            return kind(*parts)
        made = object.__new__(kind)
        for slot, part in zip(_slots(kind), parts, strict=True):
            setattr(made, slot, part)
        return made


def _slots(kind: type) -> tuple[str, ...]:
    return tuple(kind.__slots__)  # type: ignore[attr-defined]  # the classes that are given have them
