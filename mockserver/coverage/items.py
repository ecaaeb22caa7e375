"""What there is to touch in a document, operation by operation.

Schemas become *nodes*, one for each place in the document and direction, made when they are first needed: recursive schemas
are circles of nodes, and those that operations share are shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from mockserver import values
from mockserver.contract import grammar
from mockserver.contract.contract import Contract
from mockserver.contract.gate import Direction, Gate, Validator
from mockserver.contract.operations import Operation
from mockserver.values import JSON, Record, pointer

KINDS = (
    "operations",
    "statuses",
    "parameters",
    "parameters left out",
    "parameter values",
    "request media types",
    "request fields",
    "request values",
    "response media types",
    "response fields",
    "response values",
    "credentials",
    "scopes",
)
"""Kinds of things that can be touched. Values are those of enums."""


class Item(NamedTuple):
    """One thing that can be touched: where it stands in the document, and its name or value as people read it."""

    kind: str
    where: str
    name: str

    @property
    def key(self) -> str:
        """The item as files write it."""
        return f"{self.kind}\t{self.where}\t{self.name}"


def value_name(value: JSON) -> str:
    """A value of an enum as people read it."""
    return value if isinstance(value, str) else values.dump(value).decode()


@dataclass(eq=False)
class Branch:
    """An alternative of `oneOf` or `anyOf`, and what tells whether a value is meant for it."""

    node: Node
    validator: Validator | None
    pointer: str


@dataclass(eq=False)
class Node:
    """A schema, as far as values are looked at: its fields, items, alternatives and enum."""

    pointer: str
    fields: dict[str, tuple[Item, Node]] = field(default_factory=dict)
    hidden: dict[str, Item] = field(default_factory=dict)
    """Fields that this direction cannot have: readOnly ones in requests, writeOnly ones in replies."""
    items: Node | None = None
    additional: Node | None = None
    enum: dict[str, Item] = field(default_factory=dict)
    parts: list[Node] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)

    @cached_property
    def is_plain(self) -> bool:
        """Whether there is nothing to look at in a value."""
        return not (self.fields or self.items or self.additional or self.enum or self.parts or self.branches)


_FLAG = {"request": "readOnly", "reply": "writeOnly"}
_SIDE = {"request": "request", "reply": "response", "parameter": "parameter"}


class Nodes:
    """The nodes of a document in one direction."""

    def __init__(self, document: Record, direction: Direction, side: str) -> None:
        """`side` is what the kinds of its items are called after: request, response, parameter."""
        self._document = document
        self._gate = Gate(document, direction)
        self._flag = _FLAG.get(direction, "")
        self._side = side
        self._nodes: dict[str, Node] = {}

    def at(self, schema: JSON, place: str) -> Node:
        """Return the node of a schema that stands at a place."""
        for _ in range(50):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                break
            place = schema["$ref"].removeprefix("#")
            try:
                schema = grammar.find(self._document, schema["$ref"])
            except KeyError:
                schema = {}
        if place in self._nodes:
            return self._nodes[place]
        node = self._nodes[place] = Node(place)
        if isinstance(schema, dict):
            self._fill(node, schema, place)
        return node

    def _fill(self, node: Node, schema: Record, place: str) -> None:
        for name, below in (schema.get("properties") or {}).items():
            there = place + pointer("properties", name)
            item = Item(f"{self._side} fields", there, str(name))
            if isinstance(below, dict) and self._flag and below.get(self._flag) is True:
                node.hidden[name] = item
            else:
                node.fields[name] = (item, self.at(below, there))
        for value in schema.get("enum") or ():
            if value is not None:
                node.enum[value_name(value)] = Item(f"{self._side} values", place + "/enum", value_name(value))
        if isinstance(schema.get("items"), dict):
            node.items = self.at(schema["items"], place + "/items")
        if isinstance(schema.get("additionalProperties"), dict):
            node.additional = self.at(schema["additionalProperties"], place + "/additionalProperties")
        for at, part in enumerate(schema.get("allOf") or ()):
            node.parts.append(self.at(part, f"{place}/allOf/{at}"))
        for word in ("oneOf", "anyOf"):
            for at, part in enumerate(schema.get(word) or ()):
                there = f"{place}/{word}/{at}"
                node.branches.append(Branch(self.at(part, there), self._validator(part), there))

    def _validator(self, schema: JSON) -> Validator | None:
        try:
            return self._gate.validator(schema) if isinstance(schema, dict) else None
        except ValueError:
            return None


class Reached(NamedTuple):
    """An item that a body can touch, and the alternatives that must be chosen for it, outermost first."""

    item: Item
    branches: tuple[str, ...]
    hidden: bool = False


def reachable(node: Node) -> Iterator[Reached]:
    """Yield what values of a node can touch, each item once, by the way with the fewest alternatives."""
    seen: set[str] = set()
    level: list[tuple[Node, tuple[str, ...]]] = [(node, ())]
    told: set[Item] = set()
    while level:
        following: list[tuple[Node, tuple[str, ...]]] = []
        while level:
            here, branches = level.pop()
            if here.pointer in seen:
                continue
            seen.add(here.pointer)
            for item in here.hidden.values():
                if item not in told:
                    told.add(item)
                    yield Reached(item, branches, hidden=True)
            for item in (*here.enum.values(), *(item for item, _ in here.fields.values())):
                if item not in told:
                    told.add(item)
                    yield Reached(item, branches)
            below = [each for _, each in here.fields.values()] + here.parts
            below += [each for each in (here.items, here.additional) if each is not None]
            level += [(each, branches) for each in below]
            following += [(branch.node, (*branches, branch.pointer)) for branch in here.branches]
        level = following


@dataclass(frozen=True)
class Universe:
    """Everything that a document has to touch."""

    contract: Contract
    scopes: dict[Operation, tuple[str, ...]] = field(default_factory=dict)
    """The scopes that a service asks for, each as people read it."""
    _reached: dict[Node, list[Reached]] = field(default_factory=dict, repr=False)

    @cached_property
    def parameters(self) -> Nodes:
        """The nodes of parameters."""
        return Nodes(self.contract.document, "request", "parameter")

    @cached_property
    def requests(self) -> Nodes:
        """The nodes of request bodies."""
        return Nodes(self.contract.document, "request", "request")

    @cached_property
    def replies(self) -> Nodes:
        """The nodes of replies."""
        return Nodes(self.contract.document, "reply", "response")

    def reachable(self, node: Node) -> list[Reached]:
        """What values of a node can touch; see `reachable`. Refusals are shared by most operations, so it is kept."""
        if node not in self._reached:
            self._reached[node] = list(reachable(node))
        return self._reached[node]

    def plain(self, operation: Operation) -> Iterator[Item]:
        """Yield what an operation has, but for what is in its schemas."""
        yield Item("operations", operation.pointer, str(operation))
        for status, response in operation.responses.items():
            yield Item("statuses", response.pointer, status)
            for content in response.contents:
                yield Item("response media types", content.pointer, f"{status} {content.media_type}")
        for content in operation.body.contents if operation.body else ():
            yield Item("request media types", content.pointer, content.media_type)
        for parameter in operation.parameters:
            yield Item("parameters", parameter.pointer, f"{parameter.location} {parameter.name}")
            if not parameter.required:
                yield Item("parameters left out", parameter.pointer, f"{parameter.location} {parameter.name}")
        for alternative in operation.security:
            yield Item("credentials", f"{operation.pointer}/security", " and ".join(alternative) or "none")
        for scope in self.scopes_of(operation):
            for outcome in ("allowed", "refused"):
                yield Item("scopes", operation.pointer, f"{scope}: {outcome}")

    def scopes_of(self, operation: Operation) -> tuple[str, ...]:
        """The scopes that an operation asks for: those of its service, and those that the document names."""
        return self.scopes.get(operation) or _documented(operation, self.contract.document)


def _documented(operation: Operation, document: Record) -> tuple[str, ...]:
    told = operation.spec.get("security", document.get("security"))
    names = [
        " and ".join(map(str, scopes))
        for alternative in (told if isinstance(told, list) else ())
        for scopes in (alternative.values() if isinstance(alternative, dict) else ())
        if scopes
    ]
    return tuple(dict.fromkeys(names))
