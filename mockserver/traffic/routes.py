"""Which operation of a document an exchange called."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from mockserver.contract.contract import Contract
from mockserver.contract.normalising import base_path
from mockserver.contract.operations import Operation
from mockserver.routing import Index, Leaf, split
from mockserver.traffic.exchange import Exchange
from mockserver.values import JSON, Record

_WORLDS = "worlds"


@dataclass(frozen=True)
class Entry:
    """What an index leads to: an operation, or the place of one that the document has in a way that cannot be served."""

    operation: Operation
    fault: str = ""


@dataclass(frozen=True)
class Route:
    """Where a call leads: the operation, or else the path alone, and the decoded values of its variables."""

    leaf: Leaf[Entry]
    values: dict[str, str]
    entry: Entry | None


class Elsewhere(Exception):
    """The exchange is none with the service that is looked at."""


class Routes:
    """The paths of one document.

    `servers` are the URLs below which it is served; what is called elsewhere is not looked at. Without them every host may be
    the service, and a path counts with and without the base path of the document, as the mock has it.
    """

    def __init__(self, contract: Contract, servers: tuple[str, ...] = ()) -> None:
        self._servers = [(urlsplit(each).netloc.lower(), split(urlsplit(each).path)) for each in servers]
        self._base = split(base_path(contract.document))
        self._index: Index[Entry] = Index()
        for operation in contract.operations:
            self._index.add([], Entry(operation))
        known = {(each.method, each.path) for each in contract.operations}
        faults = {fault.pointer: str(fault) for fault in contract.faults}
        for operation in _faulty(contract.document, known):
            self._index.add([], Entry(operation, faults.get(operation.pointer, "the operation is faulty")))

    def find(self, exchange: Exchange) -> Route | None:
        """Return where a call leads, None when the document has no such path. Raises `Elsewhere`, `UnicodeDecodeError`."""
        segments = [unquote_to_bytes(each).decode() for each in exchange.path.split("/") if each]
        for below in self._below(exchange.host, segments):
            found = self._index.find(below)
            if found is not None:
                leaf, variables = found
                return Route(leaf, variables, leaf.targets.get(_method(exchange, leaf)))
        return None

    def _below(self, host: str, segments: list[str]) -> list[list[str]]:
        if not self._servers:
            return list(self._anywhere(segments))
        below = [
            segments[len(base) :]
            for wanted, base in self._servers
            if segments[: len(base)] == base and (not wanted or not host or wanted == host)
        ]
        if not below:
            raise Elsewhere(host)
        return below

    def _anywhere(self, segments: list[str]) -> list[list[str]]:
        made = [segments]
        if self._base and segments[: len(self._base)] == self._base:
            made.insert(0, segments[len(self._base) :])
        if len(segments) > 1 and segments[0] == _WORLDS:  # of the mock's own URLs
            made += self._anywhere(segments[2:])
        return made


def _method(exchange: Exchange, leaf: Leaf[Entry]) -> str:
    return "GET" if exchange.method == "HEAD" and "HEAD" not in leaf.targets else exchange.method


def _faulty(document: Record, known: set[tuple[str, str]]) -> list[Operation]:
    """Operations that the document has and that cannot be served, by what can be said of them."""
    from mockserver.contract.grammar import METHODS
    from mockserver.values import pointer

    made = []
    for path, item in document["paths"].items():
        for method in METHODS if isinstance(item, dict) else ():
            spec: JSON = item.get(method)
            if isinstance(spec, dict) and (method, path) not in known:
                name = str(spec.get("operationId") or f"{method.upper()} {path}")
                made.append(Operation(name, method, path, "", "", (), None, {}, (), spec, pointer("paths", path, method)))
    return made
