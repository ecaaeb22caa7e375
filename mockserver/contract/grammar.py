"""The shape of an OpenAPI 3.0 document: which object stands where.

One table, walked by everything that treats documents as trees: the bundler, the normaliser, the linter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from mockserver.values import JSON, Record, unescape

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Holding: TypeAlias = Literal["one", "list", "map"]

CHILDREN: dict[str, dict[str, tuple[str, Holding]]] = {
    "document": {"paths": ("pathItem", "map"), "components": ("components", "one")},
    "components": {
        "schemas": ("schema", "map"),
        "responses": ("response", "map"),
        "parameters": ("parameter", "map"),
        "examples": ("example", "map"),
        "requestBodies": ("requestBody", "map"),
        "headers": ("header", "map"),
        "securitySchemes": ("securityScheme", "map"),
        "links": ("link", "map"),
        "callbacks": ("callback", "map"),
    },
    "pathItem": {"parameters": ("parameter", "list"), **dict.fromkeys(METHODS, ("operation", "one"))},
    "operation": {
        "parameters": ("parameter", "list"),
        "requestBody": ("requestBody", "one"),
        "responses": ("response", "map"),
        "callbacks": ("callback", "map"),
    },
    "callback": {},
    "parameter": {"schema": ("schema", "one"), "content": ("mediaType", "map"), "examples": ("example", "map")},
    "header": {"schema": ("schema", "one"), "content": ("mediaType", "map"), "examples": ("example", "map")},
    "requestBody": {"content": ("mediaType", "map")},
    "response": {"headers": ("header", "map"), "content": ("mediaType", "map"), "links": ("link", "map")},
    "mediaType": {"schema": ("schema", "one"), "examples": ("example", "map"), "encoding": ("encoding", "map")},
    "encoding": {"headers": ("header", "map")},
    "schema": {
        "properties": ("schema", "map"),
        "items": ("schema", "one"),
        "additionalProperties": ("schema", "one"),
        "not": ("schema", "one"),
        "allOf": ("schema", "list"),
        "anyOf": ("schema", "list"),
        "oneOf": ("schema", "list"),
    },
    "example": {},
    "link": {},
    "securityScheme": {},
}

SECTIONS = {kind: section for section, (kind, _) in CHILDREN["components"].items()}
"""Kind of object to the section of `components` that holds it: `schema` to `schemas`."""


def children(kind: str, node: Record) -> Iterator[tuple[tuple[str | int, ...], str, Record]]:
    """Yield the path below the node, the kind and the object of each child that is an object."""
    for key, (child_kind, holding) in CHILDREN[kind].items():
        value = node.get(key)
        if holding == "one":
            if isinstance(value, dict):
                yield (key,), child_kind, value
        elif holding == "list":
            if isinstance(value, list):
                for at, item in enumerate(value):
                    if isinstance(item, dict):
                        yield (key, at), child_kind, item
        elif isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, dict):
                    yield (key, name), child_kind, item


def walk(kind: str, node: Record, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str, Record]]:
    """Yield the path, kind and object of a node and of everything below it, parents first."""
    stack = [(path, kind, node)]
    while stack:
        here, kind_here, node_here = stack.pop()
        yield here, kind_here, node_here
        stack.extend((here + below, child_kind, child) for below, child_kind, child in children(kind_here, node_here))


def operations(document: Record) -> Iterator[Record]:
    """Yield every operation, without a look at what is below it: a tenth of what there is to walk."""
    for _, kind, item in children("document", document):
        if kind == "pathItem":
            yield from (node for _, kind_here, node in children(kind, item) if kind_here == "operation")


def find(document: JSON, reference: str) -> JSON:
    """Return what a reference within the document (`#/components/…`) points to. Raises `KeyError`."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise KeyError(reference)
    node = document
    for part in reference[1:].split("/")[1:]:
        key = unescape(part)
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, ValueError, IndexError, TypeError):
            raise KeyError(reference) from None
    return node
