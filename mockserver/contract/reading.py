"""Reads YAML and JSON files as JSON values, strictly.

YAML 1.1 has traps that would bend a document unseen; so times stay texts, keys are the text that was written, and a
key given twice is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mockserver import values
from mockserver.contract.errors import DocumentError
from mockserver.values import JSON

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Loader):  # type: ignore[misc]  # the base is chosen at run time: libyaml's when it is there
    pass


# The table is shared by all loaders, so a copy is edited.
_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def _construct_mapping(loader: Any, node: yaml.MappingNode, deep: bool = True) -> dict[str, JSON]:
    own = list(node.value)
    seen: set[str] = set()
    for key_node, _ in own:
        if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} is there twice", key_node.start_mark
                )
            seen.add(key_node.value)
    loader.flatten_mapping(node)
    mapping: dict[str, JSON] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a text", key_node.start_mark)
        key = key_node.value
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
# The table of constructors is copied by the first call of add_constructor; tags that JSON has no value for are refused.
for _tag in ("binary", "timestamp", "set", "omap", "pairs"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.construct_undefined)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises `DocumentError` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(path, f"cannot be read: {error.strerror or error}") from error


def read_file(path: Path) -> JSON:
    """Return the value of a YAML or JSON file. Raises `DocumentError` with the line of the fault."""
    return parse_text(read_bytes(path), path)


def parse_text(text: bytes, path: Path) -> JSON:
    """Return the value of a YAML or JSON text; `path` names it in errors, and `.json` makes it JSON."""
    if path.suffix == ".json":
        try:
            return values.parse(text)
        except values.NotJSON as error:
            raise DocumentError(path, str(error)) from error
    try:
        _check_depth(text, path)
        value = yaml.load(text, Loader=_StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else str(mark.line + 1)
        raise DocumentError(path, f"is not valid YAML: {error.problem or error.context}", place) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DocumentError(path, f"is not valid YAML: {reason}") from error
    return value


def _check_depth(text: bytes, path: Path) -> None:
    # The C library's composer recurses without a bound of its own.
    depth = 0
    for event in yaml.parse(text, Loader=_StrictLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > values.MAX_DEPTH:
                raise DocumentError(path, f"is nested deeper than {values.MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def line_of(text: bytes, path: tuple[str | int, ...]) -> int | None:
    """Return the line, from 1 on, of the value at a path of keys and indexes in a YAML text; None when not found."""
    node = yaml.compose(text, Loader=_StrictLoader)
    line: int | None = None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            for key_node, value_node in node.value:
                if key_node.value == part:
                    line, node = key_node.start_mark.line + 1, value_node
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
