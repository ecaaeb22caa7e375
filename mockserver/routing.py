"""From method and path to operation, by an index of path segments.

Literal segments win over variable ones, left to right, with backtracking; one dictionary look-up a segment. The stock
connexion router tries every path in turn, which costs four fifths of the throughput at 144 paths.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import unquote_to_bytes

from mockserver.call import Call, Target
from mockserver.chassis import ROUTING_CONTEXT, Specification, SpecMiddleware
from mockserver.contract.operations import Operation
from mockserver.contract.problems import INVALID_REQUEST, METHOD_NOT_ALLOWED, NO_SUCH_PATH, Problem
from mockserver.contract.replies import Reply

_WORLDS = "worlds"
_IN_WORLD = f"/{_WORLDS}/"


class Routed(Protocol):
    """What an index leads to: anything that knows its operation."""

    @property
    def operation(self) -> Operation:
        """The operation."""
        ...


T = TypeVar("T", bound=Routed)


@dataclass
class Leaf(Generic[T]):
    """The end of a path: what its methods lead to, by upper-case name, and the names of its variables in order."""

    template: str
    names: tuple[str, ...]
    targets: dict[str, T] = field(default_factory=dict)

    @property
    def allow(self) -> str:
        """The value of an `Allow` header."""
        methods = set(self.targets) | {"OPTIONS"} | ({"HEAD"} if "GET" in self.targets else set())
        return ", ".join(sorted(methods))


@dataclass
class _Node(Generic[T]):
    literals: dict[str, _Node[T]] = field(default_factory=dict)
    partials: list[tuple[re.Pattern[str], _Node[T]]] = field(default_factory=list)
    variable: _Node[T] | None = None
    leaf: Leaf[T] | None = None


class Index(Generic[T]):
    """The paths of all documents that a server serves, each below its base path."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self.literal: dict[str, Leaf[T]] = {}
        """The paths without variables, as they are nearly always written: they win over all others."""

    def add(self, base: list[str], target: T) -> None:
        """Lead an operation's method and path, below these segments, to it. What is there already stays."""
        operation = target.operation
        node, names = self._root, []
        for segment in (*base, *split(operation.path)):
            variables = re.findall(r"\{([^}]*)\}", segment)
            names += variables
            if not variables:
                node = node.literals.setdefault(segment, _Node())
            elif segment == "{" + variables[0] + "}":
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = self._partial(node, segment)
        node.leaf = node.leaf or Leaf(operation.path, tuple(names))
        node.leaf.targets.setdefault(operation.method.upper(), target)
        if not names:
            self.literal["/" + "/".join((*base, *split(operation.path)))] = node.leaf

    def find(self, segments: list[str]) -> tuple[Leaf[T], dict[str, str]] | None:
        """Return the path that these segments mean, with the values of its variables, or None."""
        # Literal before variable without looking back is right for nearly all paths, so it is tried first.
        node, values = self._root, []
        for segment in segments:
            child = node.literals.get(segment)
            if child is None:
                child = node.variable
                if child is None or node.partials:
                    break
                values.append(segment)
            node = child
        else:
            if node.leaf is not None:
                return node.leaf, dict(zip(node.leaf.names, values, strict=True))
        values = []
        leaf = self._search(self._root, segments, 0, values)
        return None if leaf is None else (leaf, dict(zip(leaf.names, values, strict=True)))

    def _partial(self, node: _Node[T], segment: str) -> _Node[T]:
        pieces = [re.escape(piece) for piece in re.split(r"\{[^}]*\}", segment)]
        pattern = re.compile("(.+?)".join(pieces))
        for known, child in node.partials:
            if known == pattern:
                return child
        node.partials.append((pattern, _Node()))
        return node.partials[-1][1]

    def _search(self, node: _Node[T], segments: list[str], at: int, values: list[str]) -> Leaf[T] | None:
        if at == len(segments):
            return node.leaf
        segment = segments[at]
        child = node.literals.get(segment)
        if child is not None and (leaf := self._search(child, segments, at + 1, values)) is not None:
            return leaf
        for pattern, child in node.partials:
            match = pattern.fullmatch(segment)
            if match is not None:
                mark = len(values)
                values.extend(match.groups())
                if (leaf := self._search(child, segments, at + 1, values)) is not None:
                    return leaf
                del values[mark:]
        if node.variable is not None:
            values.append(segment)
            if (leaf := self._search(node.variable, segments, at + 1, values)) is not None:
                return leaf
            values.pop()
        return None


async def _nothing() -> None:
    """Stands for the steps that need not be taken."""


def split(path: str) -> list[str]:
    """Return the segments of a path; empty ones fall away, so doubled and trailing slashes mean nothing."""
    return [segment for segment in path.split("/") if segment]


class Routing(SpecMiddleware):  # type: ignore[misc]  # connexion has no types
    """Finds the world's name and the operation of a call: `/worlds/<name>` before any path names the world."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._served: list[tuple[list[str], list[Target], bool]] = []

    def add_api(self, specification: Specification, *, base_path: str, targets: list[Target], at_root: bool, **_: Any) -> None:
        """Serve the operations below the base path and, when `at_root`, at the root as well."""
        self._served.append((split(base_path), targets, at_root))

    @cached_property
    def _index(self) -> Index[Target]:
        # Made when all are known, in an order of our own: the served document comes before what the server adds to it.
        index: Index[Target] = Index()
        for base, targets, at_root in sorted(self._served, key=lambda api: not api[2]):
            for target in targets:
                index.add(base, target)
            for target in targets if at_root and base else ():
                index.add([], target)
        return index

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Route a call, or answer it when HTTP itself has the answer."""
        call: Call = scope[Call.KEY]
        raw: bytes = scope.get("raw_path") or b"%"
        leaf = self._literal(call) if b"%" not in raw else None
        if leaf is None:
            leaf = self._found(call, scope)
        target = leaf.targets.get(call.method)
        if target is None:
            target = self._other_method(call, leaf)
            if target is None:
                call.reply = Reply(204, headers={"allow": leaf.allow})  # OPTIONS, which no operation answers
                return _nothing()
        call.target = target
        if call.is_socket and not target.operation.is_socket:
            raise Problem(INVALID_REQUEST, f"{target.operation} is no WebSocket: call it by plain HTTP")
        scope.setdefault("extensions", {})[ROUTING_CONTEXT] = {"operation_id": target.operation.id}
        following: Awaitable[None] = self.app(scope, receive, send)
        return following

    def _literal(self, call: Call) -> Leaf[Target] | None:
        """The path of a call that is written just as one without variables."""
        path = call.path
        if not path.startswith(_IN_WORLD):
            return self._index.literal.get(path)
        name, slash, rest = path[len(_IN_WORLD) :].partition("/")
        leaf = self._index.literal.get(slash + rest)
        if leaf is not None and name:
            call.world_name = name
            return leaf
        return None

    def _found(self, call: Call, scope: Any) -> Leaf[Target]:
        """The path that the segments of a call mean. Fails: `no-such-path`."""
        segments = _segments(scope)
        if len(segments) > 1 and segments[0] == _WORLDS:
            call.world_name = segments[1]
            del segments[:2]
        found = self._index.find(segments)
        if found is None:
            raise Problem(NO_SUCH_PATH, f"There is no path {call.path}")
        leaf, call.path_values = found
        return leaf

    def _other_method(self, call: Call, leaf: Leaf[Target]) -> Target | None:
        if call.method == "HEAD" and "GET" in leaf.targets:
            return leaf.targets["GET"]
        if call.method == "OPTIONS":
            return None
        detail = f"{call.method} is not possible on {leaf.template}, only {leaf.allow}"
        raise Problem(METHOD_NOT_ALLOWED, detail, headers={"allow": leaf.allow})


def _segments(scope: Any) -> list[str]:
    raw: bytes = scope.get("raw_path") or b""
    if b"%" not in raw:
        return split(scope["path"])
    try:
        # Split before decoding: an encoded slash belongs to its segment.
        return [unquote_to_bytes(segment).decode() for segment in raw.partition(b"?")[0].split(b"/") if segment]
    except UnicodeDecodeError:
        raise Problem(INVALID_REQUEST, "The path is not UTF-8") from None
