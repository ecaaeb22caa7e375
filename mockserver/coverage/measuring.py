"""How much was touched, and why the rest was not: a reason for each hole, and the call that would fill it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mockserver.contract.operations import Operation
from mockserver.coverage.collecting import Collector, Touched
from mockserver.coverage.items import KINDS, Item, Universe
from mockserver.values import Record

_BY_STATUS = {
    "400": "send what breaks the document: a wrong type, a missing field",
    "401": "call without credentials, or with wrong ones",
    "403": "call with a key that lacks the right",
    "404": "name an id that is not there",
    "405": "use a method that the path does not have",
    "406": "ask by `Accept` for what it cannot answer",
    "409": "make the same thing twice, or change what has changed meanwhile",
    "412": "leave out a header that says on what the call depends",
    "413": "send a body that is too large",
    "415": "send another `Content-Type`",
    "422": "send what is right by its form and wrong by its meaning",
    "429": "call more often than is allowed",
}
"""What call is answered with a status, by what the status means (RFC 9110, 15; RFC 6585)."""


@dataclass(frozen=True)
class Hole:
    """One thing that was not touched. `excluded`: no call can touch it, so it does not count."""

    operation: str
    item: Item
    reason: str
    suggestion: str
    excluded: bool = False

    def as_json(self) -> Record:
        """The hole for programs."""
        return {
            "operation": self.operation,
            "kind": self.item.kind,
            "pointer": self.item.where,
            "name": self.item.name,
            "reason": self.reason,
            "suggestion": self.suggestion,
            "excluded": self.excluded,
        }


@dataclass
class Share:
    """How many of how many."""

    touched: int = 0
    total: int = 0

    @property
    def percent(self) -> float:
        """In hundredths, rounded down to a tenth, so that 100 means all; 100 of nothing."""
        return 100.0 if not self.total else (self.touched * 1000 // self.total) / 10

    def as_json(self) -> Record:
        """The share for programs."""
        return {"touched": self.touched, "total": self.total, "percent": self.percent}


@dataclass
class Measured:
    """The measure of one operation."""

    operation: Operation
    touched: Touched
    kinds: dict[str, Share] = field(default_factory=dict)
    holes: list[Hole] = field(default_factory=list)

    @property
    def total(self) -> Share:
        """All kinds together."""
        return _sum(self.kinds.values())


@dataclass
class Measure:
    """The measure of a document. `kinds` are those asked for, in their order."""

    kinds: dict[str, Share]
    operations: list[Measured]
    calls: int
    unmatched: dict[str, int]

    @property
    def total(self) -> Share:
        """All kinds together."""
        return _sum(self.kinds.values())

    @property
    def matched(self) -> int:
        """How many calls were of an operation."""
        return sum(each.touched.calls for each in self.operations)


def _sum(shares: Iterable[Share]) -> Share:
    shares = list(shares)
    return Share(sum(each.touched for each in shares), sum(each.total for each in shares))


def measure(collector: Collector, kinds: tuple[str, ...] = KINDS, *, holes: bool = True) -> Measure:
    """Measure what a collector has collected, of these kinds. Without `holes` only shares are told, which is faster."""
    made = []
    shares = {kind: Share() for kind in KINDS if kind in kinds}
    for operation in collector.contract.operations:
        touched = collector.operations.get(str(operation), Touched())
        one = _operation(operation, touched, collector.universe, kinds, holes=holes)
        for kind, share in one.kinds.items():
            shares[kind].touched += share.touched
            shares[kind].total += share.total
        made.append(one)
    return Measure(shares, made, collector.calls, dict(collector.unmatched.most_common()))


def _operation(operation: Operation, touched: Touched, universe: Universe, kinds: tuple[str, ...], *, holes: bool) -> Measured:
    made = Measured(operation, touched, {kind: Share() for kind in KINDS if kind in kinds})
    told: set[str] = set()
    for item, branches, status, hidden in _items(operation, universe):
        if item.kind not in made.kinds or item.key in told:
            continue
        told.add(item.key)
        if hidden:
            if holes:
                made.holes.append(_hidden(operation, item))
            continue
        share = made.kinds[item.kind]
        share.total += 1
        if item.key in touched.seen:
            share.touched += 1
        elif holes:
            reason, suggestion = _why(operation, item, branches, status, touched)
            made.holes.append(Hole(str(operation), item, reason, suggestion))
    return made


def _items(operation: Operation, universe: Universe) -> Iterator[tuple[Item, tuple[str, ...], str, bool]]:
    """Yield each item with the alternatives and the status that it depends on, and whether no call can touch it."""
    for item in universe.plain(operation):
        yield item, (), item.name.partition(" ")[0] if item.kind == "response media types" else "", False
    for parameter in operation.parameters:
        node = universe.parameters.at(parameter.schema or {}, parameter.pointer + "/schema")
        for item, branches, hidden in universe.reachable(node):
            yield item, branches, "", hidden
    for content in operation.body.contents if operation.body else ():
        if content.schema is not None:
            for item, branches, hidden in universe.reachable(universe.requests.at(content.schema, content.pointer + "/schema")):
                yield item, branches, "", hidden
    # Successes first: what several responses have is said of the one that is easiest to get.
    for status, response in sorted(operation.responses.items(), key=lambda each: (each[0][0] != "2", each[0])):
        for content in response.contents:
            if content.schema is not None and "json" in content.media_type:
                for item, branches, hidden in universe.reachable(
                    universe.replies.at(content.schema, content.pointer + "/schema")
                ):
                    yield item, branches, status, hidden


def _hidden(operation: Operation, item: Item) -> Hole:
    sender, flag = ("client", "readOnly") if item.kind.startswith("request") else ("service", "writeOnly")
    return Hole(str(operation), item, f"no {sender} can send it: it is {flag}", "", excluded=True)


def _why(operation: Operation, item: Item, branches: tuple[str, ...], status: str, touched: Touched) -> tuple[str, str]:
    """Return the reason of a hole, and what call would fill it."""
    kind, call = item.kind, f"call {operation}"
    if not touched.calls:
        return "the operation was never called", call
    if kind == "statuses":
        return f"no call was answered {item.name}", f"{call}: {_how(item.name)}"
    if kind == "scopes":
        scope, _, outcome = item.name.rpartition(": ")
        key = "that holds" if outcome == "allowed" else "that does not hold"
        return f"no call was {outcome} for it", f"{call} with a key {key} {scope}"
    if kind.startswith("response"):
        return _why_not_answered(item, branches, status, touched, call)
    if item.key in touched.refused:
        return "it stood only in calls that were refused", f"{call} with it, and otherwise as the document says"
    if all(each >= 400 for each in touched.statuses):
        return "the operation was called, but only with errors", f"{call} so that it succeeds, with {item.name}"
    if kind == "parameters left out":
        return "it was sent in every call", f"{call} without {item.name}"
    if kind == "credentials":
        return "no call that was taken carried them", f"{call} with {item.name}"
    if branch := next((each for each in branches if each not in touched.branches), None):
        return f"it is in an alternative that was never chosen: {branch}", f"{call} with a body of that alternative"
    if touched.gaps and kind in ("request fields", "request values"):
        return "it was not seen, and bodies in the recording are cut off, redacted or missing", f"{call} with {item.name}"
    return "it was never sent", f"{call} with {_named(item)}"


def _named(item: Item) -> str:
    if item.kind.endswith("values"):
        return f"the value {item.name}"
    return f"a body of {item.name}" if item.kind == "request media types" else item.name


def _why_not_answered(item: Item, branches: tuple[str, ...], status: str, touched: Touched, call: str) -> tuple[str, str]:
    if status and not any(_matches(status, each) for each in touched.statuses):
        return f"no call was answered {status}", f"{call}: {_how(status)}"
    if branch := next((each for each in branches if each not in touched.branches), None):
        return f"it is in an alternative that was never answered: {branch}", f"{call} for a record of that alternative"
    if touched.gaps:
        return (
            "it was not seen, and bodies in the recording are cut off, redacted or missing",
            f"{call} again, recorded in full",
        )
    if item.kind == "response media types":
        return "no answer had it", f"{call} with `Accept: {item.name.partition(' ')[2]}`"
    return "no answer had it", f"{call} for a record that has {_named(item)}"


def _how(status: str) -> str:
    if status.startswith("2"):
        return "send what it takes"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status.startswith("5"):
        return f"let the service fail; the mock does on `Prefer: code={status}`"
    return f"the mock does on `Prefer: code={status}`" if status.isdigit() else "get any answer of that range"


def _matches(documented: str, status: int) -> bool:
    return documented == "default" or documented == str(status) or (documented[1:] == "XX" and str(status)[0] == documented[0])


def as_json(made: Measure, collector: Collector, *, holes: bool = True) -> Record:
    """Return a measure for programs. `mockserver coverage` reads it again, and adds it to others."""
    by_name = {str(each.operation): each for each in made.operations}
    told = collector.touched()
    for name, each in told["operations"].items():
        one = by_name.get(name)
        if one is not None:
            each["coverage"] = one.total.as_json()
    told["coverage"] = made.total.as_json()
    told["kinds"] = {kind: share.as_json() for kind, share in made.kinds.items()}
    if holes:
        told["holes"] = [hole.as_json() for each in made.operations for hole in each.holes]
    return told
