"""From a place in a bundled document to the file, line and column that a person wrote it at."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from mockserver.contract.bundling import Bundle
from mockserver.reporting.finding import Place
from mockserver.values import JSON, Record, pointer, unescape

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


def shown(path: Path | str) -> str:
    """A file as people name it: from the folder they are in, where it lies below; a URL as it is."""
    if "://" in str(path):
        return str(path)
    absolute = Path(path).resolve()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except ValueError:
        return str(absolute) if Path(path).is_absolute() else os.path.relpath(absolute)


class Source:
    """A YAML or JSON text in which places are looked up."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def position(self, parts: list[str]) -> tuple[int, int] | None:
        """Return line and column, from 1 on, of the key or item at a path, or of what is nearest above it; None if unknown."""
        if self._text.lstrip()[:1] in (b"{", b"["):
            try:
                return _json_position(self._string, parts)
            except (ValueError, IndexError):
                pass  # a flow mapping of YAML
        return _yaml_position(self._node, parts)

    @cached_property
    def _string(self) -> str:
        return self._text.decode("utf-8-sig")

    @cached_property
    def _node(self) -> Any:
        try:
            return yaml.compose(self._text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (yaml.YAMLError, ValueError):
            return None


def _yaml_position(node: Any, parts: list[str]) -> tuple[int, int] | None:
    found = None if node is None else node.start_mark
    for part in parts:
        if isinstance(node, yaml.MappingNode):
            pairs = [pair for pair in node.value if getattr(pair[0], "value", None) == part]
            if not pairs:
                break
            found, node = pairs[-1][0].start_mark, pairs[-1][1]
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
            node = node.value[int(part)]
            found = node.start_mark
        else:
            break
    return None if found is None else (found.line + 1, found.column + 1)


def _json_position(text: str, parts: list[str]) -> tuple[int, int] | None:
    # The decoder skips what is not on the way, at its own speed.
    at = found = _skip(text, 0)
    for part in parts:
        if text[at] == "{":
            place = _member(text, at, part)
        elif text[at] == "[" and part.isdecimal():
            place = _item(text, at, int(part))
        else:
            break
        if place is None:
            break
        found, at = place
    return text.count("\n", 0, found) + 1, found - text.rfind("\n", 0, found)


def _skip(text: str, at: int) -> int:
    while text[at] in _BLANK:
        at += 1
    return at


def _member(text: str, at: int, wanted: str) -> tuple[int, int] | None:
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        value = _skip(text, _skip(text, end) + 1)
        if key == wanted:
            return at, value
        at = _skip(text, _DECODER.raw_decode(text, value)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
    return None


def _item(text: str, at: int, wanted: int) -> tuple[int, int] | None:
    at, count = _skip(text, at + 1), 0
    while text[at] != "]":
        if count == wanted:
            return at, at
        at, count = _skip(text, _DECODER.raw_decode(text, at)[1]), count + 1
        if text[at] == ",":
            at = _skip(text, at + 1)
    return None


class Locator:
    """Finds the places of one bundled document. `name` is the root file as the user named it, or its URL."""

    def __init__(self, made: Bundle, raw: Record, root: Path, name: str) -> None:
        self._origins = made.origins
        self._raw = raw
        self._root = root
        self._name = name
        self._sources = {path: Source(text) for path, text in made.sources.items()}

    def place(self, place: str) -> Place:
        """Return the place that a JSON pointer into the normalised document stands for."""
        parts = self._written([unescape(part) for part in place.split("/")[1:]])
        file, parts = self._origin(parts)
        position = self._sources[file].position(parts)
        name = self._name if file == self._root else shown(file)
        return Place(name, pointer(*parts), *(position or (None, None)))

    def _origin(self, parts: list[str]) -> tuple[Path, list[str]]:
        for length in range(len(parts), 0, -1):
            origin = self._origins.get(pointer(*parts[:length]))
            if origin is not None:
                file, fragment = origin
                return file, [*map(unescape, fragment.split("/")[1:]), *parts[length:]]
        return self._root, parts

    def _written(self, parts: list[str]) -> list[str]:
        """Take back what the normaliser moved: nullable alternatives, hoisted flags, parameters of the path."""
        node: JSON = self._raw
        way: list[str] = []
        at = 0
        while at < len(parts):
            part = parts[at]
            child = _child(node, part)
            if child is _NOTHING and part in ("anyOf", "allOf") and parts[at + 1 : at + 2] == ["0"]:
                at += 2
                continue
            if child is _NOTHING and len(way) == 4 and way[0] == "paths" and way[3] == "parameters" and part.isdecimal():
                shared = self._of_the_path(way, int(part))
                if shared is not None:
                    way = [*way[:2], "parameters", str(shared)]
                    node = self._raw["paths"][way[1]]["parameters"][shared]
                    at += 1
                    continue
            way.append(part)
            node = child
            at += 1
        return way

    def _of_the_path(self, way: list[str], at: int) -> int | None:
        # The normaliser puts what is the path's behind what is the operation's, in order, without what that replaces.
        item = self._raw["paths"][way[1]]
        own = (item.get(way[2]) or {}).get("parameters") or []
        shared = item.get("parameters") or []
        if not isinstance(own, list) or not isinstance(shared, list):
            return None
        named = [(each.get("name"), each.get("in")) if isinstance(each, dict) else None for each in own]
        kept = [
            number
            for number, each in enumerate(shared)
            if not isinstance(each, dict) or "$ref" in each or (each.get("name"), each.get("in")) not in named
        ]
        return kept[at - len(own)] if 0 <= at - len(own) < len(kept) else None


_NOTHING = object()


def _child(node: JSON, part: str) -> Any:
    if isinstance(node, dict):
        return node.get(part, _NOTHING)
    if isinstance(node, list) and part.isdecimal() and int(part) < len(node):
        return node[int(part)]
    return _NOTHING
