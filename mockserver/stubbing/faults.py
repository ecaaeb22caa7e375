"""Faults: which calls they strike, and what becomes of the reply."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from mockserver.contract import problems
from mockserver.contract.operations import Operation
from mockserver.contract.problems import KINDS, Kind, Problem
from mockserver.contract.replies import Reply, Stream
from mockserver.stubbing import delays, effects
from mockserver.stubbing.matching import Pattern, pattern_of
from mockserver.stubbing.occasions import Occasion, occasion_of
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.shelf import FAULTS, Counts, Shelf, chance_of
from mockserver.values import Record
from mockserver.world.world import World

SHELF = Shelf(FAULTS)
MARKS = ("provider", "key")
"""What a service may know of a call beyond the document."""

INSTEAD = ("error", "reset", "empty", "garbage")
"""Effects in the place of the operation, which does not run."""
AFTER = ("slow_body", "cut", "malformed", "truncated", "half_stream")
"""Effects on the operation's own reply: it has run, and what it did stays."""
_OF_PROVIDERS = ("delay", "error", "half_stream")
"""How a provider fails; the connection to the caller is not the provider's."""

_NOT_A_FAULT = (problems.STUB_BROKE_CONTRACT, problems.MOCK_BROKE_CONTRACT, problems.MOCK_FAILED)
_BY_NAME = {kind.name: kind for kind in KINDS if kind not in _NOT_A_FAULT}
_BY_STATUS = {kind.status: kind for kind in reversed(_BY_NAME.values()) if kind is not problems.NO_SUCH_PATH}
"""The first kind of a status stands for it; of a path that there is, a record may be missing."""


@dataclass(eq=False)
class Fault:
    """A compiled fault. `expires_at_s` is on the world's clock."""

    id: str
    definition: Record
    pattern: Pattern
    occasion: Occasion
    priority: int
    expires_at_s: float | None
    operations: frozenset[Operation] | None
    """Those that it may strike, None for all."""
    marks: Record

    @property
    def effect(self) -> Record:
        """What it does."""
        effect: Record = self.definition["effect"]
        return effect

    @property
    def off_contract(self) -> bool:
        """Whether it may do what the document does not have."""
        return bool(self.definition.get("off_contract"))

    @property
    def instead(self) -> str | None:
        """The effect in the place of the operation, if it is one."""
        return next((name for name in INSTEAD if name in self.effect), None)

    def problem(self) -> Problem:
        """The problem that an error is, before the service says what its limiter would."""
        return problem_of(self.effect["error"])

    def delay_ms(self, world: World, matched: int) -> float:
        """How much later the reply leaves."""
        return delays.drawn_ms(self.effect.get("delay"), chance_of(world, f"{self.id}/delay", matched))

    def struck(self, reply: Reply, world: World, matched: int) -> Reply:
        """Return what becomes of a reply, apart from its delay."""
        chance = chance_of(world, f"{self.id}/bytes", matched)
        told = self.effect
        name = next((each for each in (*INSTEAD, *AFTER) if each in told), None)
        strikes: dict[str, Callable[[], Reply]] = {
            "reset": lambda: effects.reset(reply),
            "empty": lambda: effects.empty(reply),
            "garbage": lambda: effects.garbage(reply, chance),
            "slow_body": lambda: effects.slow(reply, told["slow_body"]["bytes_per_s"], world),
            "cut": lambda: effects.cut(reply, told["cut"]["after_bytes"], by_reset=bool(told["cut"].get("reset"))),
            "malformed": lambda: effects.malformed(reply),
            "truncated": lambda: effects.truncated(reply),
            "half_stream": lambda: effects.half(reply, told["half_stream"]["after_events"]),
        }
        return strikes[name]() if name in strikes else reply

    def spares(self, reply: Reply, operation: Operation | None) -> bool:
        """Whether there is nothing about a reply that the effect could strike: a WebSocket has no body."""
        if "half_stream" in self.effect and not isinstance(reply.body, Stream):
            return True
        return operation is not None and operation.is_socket and any(name in self.effect for name in AFTER)

    def takes(self, world: World) -> int | None:
        """Count a call that fits; return its number when the fault strikes, else None."""
        counts = SHELF.counts(world, self.id)
        if self.expires_at_s is not None and world.clock.seconds() >= self.expires_at_s:
            return None
        if self.occasion.is_over(counts):
            return None
        matched = counts.matched + 1
        struck = self.occasion.takes(self.id, matched, world)
        SHELF.count(world, self.id, Counts(matched, counts.used + struck))
        return matched if struck else None

    def take_back(self, world: World) -> None:
        """Count a strike less: the reply was spared."""
        counts = SHELF.counts(world, self.id)
        SHELF.count(world, self.id, Counts(counts.matched, counts.used - 1))


@dataclass
class Pending:
    """A fault that fits a call in all but what shows only in the course of the operation: which provider is asked."""

    fault: Fault
    struck: bool = False
    """Whether it did strike, once or more often."""

    def take(self, names: Collection[str], world: World) -> Record | None:
        """Return how a provider of these names fails now, None when it does not.

        `status`, `message`, `type`, `code` and `retry_after_s` for an error, `delay_ms`, `after_events` for half a stream.
        """
        if self.fault.marks["provider"] not in names:
            return None
        matched = self.fault.takes(world)
        if matched is None:
            return None
        self.struck = True
        effect = self.fault.effect
        told: Record = {"delay_ms": self.fault.delay_ms(world, matched)}
        if "half_stream" in effect:
            told["after_events"] = effect["half_stream"]["after_events"]
        if "error" in effect:
            problem = self.fault.problem()
            error = {
                name: effect["error"][name] for name in ("message", "type", "code", "retry_after_s") if name in effect["error"]
            }
            told["error"] = {"status": problem.status, **error}
        return told


def problem_of(error: Record) -> Problem:
    """Return the problem that an error tells by a kind's name or by a status."""
    kind = _BY_NAME[error["problem"]] if "problem" in error else kind_of(error["status"])
    status = error.get("status", kind.status)
    headers = {name.lower(): value for name, value in (error.get("headers") or {}).items()}
    if "retry_after_s" in error:
        headers["retry-after"] = str(error["retry_after_s"])
    is_told = status == kind.status and kind is not problems.SERVICE_FAILED  # whose title speaks of the mock
    detail = error.get("message") or (kind.title if is_told else _phrase(status))
    return Problem(kind, detail, code=error.get("code"), type_=error.get("type"), headers=headers, status=status)


def kind_of(status: int) -> Kind:
    """The kind of problem that a status is: its own, else that of all bad requests or of all failures."""
    return _BY_STATUS.get(status) or (problems.INVALID_REQUEST if status < 500 else problems.SERVICE_FAILED)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def checked_effect(definition: Record, refusals: Refusals) -> None:
    """Note what is wrong with an effect by itself."""
    effect: Record = definition["effect"]
    told = [name for name in (*INSTEAD, *AFTER) if name in effect]
    if len(told) > 1:
        refusals.add(f"/effect/{told[1]}", f"cannot stand beside {told[0]}: one effect, and a delay beside it")
    if not told and "delay" not in effect:
        refusals.add("/effect", f"needs one of delay, {', '.join((*INSTEAD, *AFTER))}")
    if "delay" in effect:
        delays.check(effect["delay"], "/effect/delay", refusals)
    error = effect.get("error")
    if error is not None:
        if "problem" not in error and "status" not in error:
            refusals.add("/effect/error", "needs a `status`, or a `problem`")
        if "problem" in error and error["problem"] not in _BY_NAME:
            refusals.add("/effect/error/problem", f"is no kind of problem; {', '.join(_BY_NAME)} are")
        for name, value in (error.get("headers") or {}).items():
            if any(ord(sign) > 255 or sign in "\r\n\0" for sign in name + value):
                refusals.add("/effect/error/headers", "hold a sign that no header can")
    if "provider" in (definition.get("match") or {}):
        for name in effect:
            if name not in _OF_PROVIDERS:
                refusals.add(
                    f"/effect/{name}", f"is not how a provider fails: {', '.join(_OF_PROVIDERS)} are; without "
                    "`provider`, it breaks the caller's own connection"
                )  # fmt: skip


def compiled(kept: Record, operations: Iterable[Operation] | None) -> Fault:
    """Return the fault that a shelf keeps."""
    definition: Record = kept["definition"]
    match: Record = definition.get("match") or {}
    return Fault(
        kept["id"],
        definition,
        pattern_of(definition, Refusals(), "/match"),
        occasion_of(definition, match),
        definition.get("priority", 5),
        kept["expires_at_s"],
        None if operations is None else frozenset(operations),
        {name: match[name] for name in MARKS if name in match},
    )
