"""What testers set for one served document: checked when it is set, asked on every call that may be meant.

A world in which nothing is set costs a look-up. One in which something is has its mappings and faults compiled once for all
calls and copies, in lists by operation.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from mockserver.contract.contract import Contract
from mockserver.contract.heads import Head
from mockserver.contract.operations import Operation
from mockserver.contract.problems import NOT_FOUND, RATE_LIMITED, STUB_BROKE_CONTRACT, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.contract.violations import Violation
from mockserver.stubbing import answers, effects, faults, mappings
from mockserver.stubbing.answers import Made
from mockserver.stubbing.asked import Asked
from mockserver.stubbing.entrance import REVISION, is_used
from mockserver.stubbing.faults import Fault, Pending
from mockserver.stubbing.mappings import Mapping
from mockserver.stubbing.matching import Mismatch, pattern_of
from mockserver.stubbing.occasions import expiry_of
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.shelf import Counts, chance_of
from mockserver.stubbing.targets import Finder, Meant, check_parameters
from mockserver.stubbing.templates import Scope
from mockserver.stubs.service import Service
from mockserver.values import Record
from mockserver.world.world import World

_CATALOGUES = 256
"""How many states of what is set are kept compiled; worlds that are copies share one."""

Each = TypeVar("Each", Mapping, Fault)


class Incoming(Protocol):
    """What is looked at of a call on its way."""

    method: str
    path: str
    query: bytes
    headers: Head
    body: bytes
    path_values: dict[str, str]
    fields: dict[str, list[str]] | None


class _Ordered(Generic[Each]):
    """What is tried for each operation, in order."""

    def __init__(self, found: list[Each]) -> None:
        self.all: list[Each] = sorted(found, key=lambda each: each.priority)
        self._by_operation: dict[Operation, tuple[Each, ...]] = {}

    def of(self, operation: Operation) -> tuple[Each, ...]:
        if operation not in self._by_operation:
            fitting = (each for each in self.all if each.operations is None or operation in each.operations)
            self._by_operation[operation] = tuple(fitting)
        return self._by_operation[operation]


class Catalogue:
    """Everything that is set in one state of a world, compiled."""

    def __init__(self, found: list[Mapping], struck: list[Fault]) -> None:
        self.mappings = _Ordered(found)
        self.faults = _Ordered(struck)
        self.strays = tuple(each for each in self.mappings.all if each.off_contract)

    def concerns(self, operation: Operation) -> bool:
        """Whether anything may be meant for an operation."""
        return bool(self.mappings.of(operation) or self.faults.of(operation))


@dataclass(eq=False)
class Verdict:
    """What is set for one call: a fault that strikes, a mapping that answers, or both; each with the number of its call."""

    asked: Asked
    world: World
    fault: Fault | None = None
    fault_call: int = 0
    mapping: Mapping | None = None
    mapping_call: int = 0

    @property
    def scope(self) -> Scope:
        """What the mapping's templates are rendered from."""
        assert self.mapping is not None
        return Scope(self.asked, self.world, chance_of(self.world, f"{self.mapping.id}/template", self.mapping_call))

    @property
    def off_contract(self) -> bool:
        """Whether the reply may be one that the document does not have."""
        return any(each is not None and each.off_contract for each in (self.fault, self.mapping))

    @property
    def breaks(self) -> bool:
        """Whether the mapping breaks the connection instead of answering."""
        return self.mapping is not None and self.mapping.answer.fault is not None

    @property
    def spoils(self) -> bool:
        """Whether the body goes out whole, but as nobody can read it."""
        return self.fault is not None and "malformed" in self.fault.effect

    def strike(self, reply: Reply) -> tuple[Reply, str | None]:
        """Return what becomes of the reply on its way out, which says by whose word; and the id of the fault, if it struck."""
        fault, mapping, world = self.fault, self.mapping, self.world
        if mapping is not None:
            reply = replace(reply, headers={**reply.headers, "x-mock-stub": mapping.id})
            reply = mapping.struck(reply, world, self.mapping_call)
        if fault is None:
            return reply, None
        if fault.spares(reply, self.asked.operation):
            fault.take_back(world)
            return reply, None
        reply = replace(reply, headers={**reply.headers, "x-mock-fault": fault.id})
        reply = effects.delayed(reply, fault.delay_ms(world, self.fault_call), world)
        return fault.struck(reply, world, self.fault_call), fault.id


class Stubbing:
    """Mappings and faults for one contract. They themselves are in the worlds; what is here can be made anew at any time."""

    def __init__(self, contract: Contract, base_path: str, service: Service) -> None:
        self._contract = contract
        self._service = service
        self.base = base_path.rstrip("/")
        self._finder = Finder(contract.operations, self.base)
        self._catalogues: OrderedDict[str, Catalogue] = OrderedDict()
        self._compiled: dict[int, tuple[Record, Any]] = {}

    # Setting.

    def set_mapping(self, world: World, definition: Record) -> Record:
        """Keep a mapping, in the place of the one with its id if there is one, and return it as it is shown.

        Fails: `invalid-request` with all that is wrong: what makes no sense, what the document does not have.
        """
        refusals = Refusals()
        request: Record = definition.get("request") or {}
        pattern_of(definition, refusals)
        answer = answers.answer_of(definition.get("response") or {}, refusals)
        expires_at_s = expiry_of(definition, world, refusals)
        off_contract = bool(definition.get("off_contract"))
        meant = self._finder.meant(request, "/request", refusals, off_contract=off_contract)
        check_parameters(request, meant, "/request", refusals)
        if not refusals.found and not off_contract and not answer.falls_through:
            self._check_answer(answer, meant, world, refusals)
        refusals.check("mapping")
        return self.shown(world, mappings.SHELF.add(world, _without_usage(definition), expires_at_s))

    def set_fault(self, world: World, definition: Record) -> Record:
        """Keep a fault, in the place of the one with its id if there is one, and return it as it is shown.

        Fails: `invalid-request` with all that is wrong: what makes no sense, an error that no operation documents, a name
        of a provider or key where the service knows of none.
        """
        refusals = Refusals()
        match: Record = definition.get("match") or {}
        pattern_of(definition, refusals, "/match")
        faults.checked_effect(definition, refusals)
        expires_at_s = expiry_of(definition, world, refusals)
        meant = self._finder.meant(match, "/match", refusals)
        check_parameters(match, meant, "/match", refusals)
        for mark in faults.MARKS:
            if mark in match and mark not in self._service.marks:
                refusals.add(f"/match/{mark}", f"{self._service.name} knows of no {mark}; match a header or the body instead")
        if not refusals.found:
            self._check_effect(definition, meant, refusals)
        refusals.check("fault")
        return self.shown_fault(world, faults.SHELF.add(world, _without_usage(definition), expires_at_s))

    # Showing.

    def shown(self, world: World, kept: Record) -> Record:
        """A mapping as it was set, with its id and how often it was used."""
        id_ = kept["id"]
        return {**kept["definition"], "uuid": id_, "usage": _usage(mappings.SHELF.counts(world, id_), kept, world)}

    def shown_fault(self, world: World, kept: Record) -> Record:
        """A fault as it was set, with its id, how often it was used, and the operations that it passes over."""
        usage = _usage(faults.SHELF.counts(world, kept["id"]), kept, world)
        fault = self._fault(kept)
        passed = [] if fault.operations is None else self._passed_over(fault)
        return {**kept["definition"], "usage": usage, "passes_over": passed}

    def near_misses(self, world: World, asked: Asked) -> list[tuple[Record, list[Mismatch]]]:
        """Return the mappings that a call does not fit, each with all the reasons, the nearest first."""
        found = []
        for mapping in self._catalogue(world).mappings.all if is_used(world) else ():
            if mismatches := mapping.pattern.mismatches(asked, world):
                found.append((mapping.definition, mismatches))
        return sorted(found, key=lambda each: len(each[1]))

    def asked(self, method: str, path: str, query: bytes, headers: Any, body: bytes, operation_id: str | None) -> Asked:
        """Return a call as patterns look at it, of what is known of one that is over, or that the document does not have."""
        operation = next((each for each in self._contract.operations if each.id == operation_id), None)
        return Asked(method, path, query, headers, body, operation, self.base)

    # Asking.

    def consult(self, call: Incoming, operation: Operation, request: Request, world: World) -> Verdict | None:
        """Return what is set for a call, counted; None when nothing is. Faults that wait for a provider go with the request."""
        catalogue = self._catalogue(world)
        if not catalogue.concerns(operation):
            return None
        asked = Asked(
            call.method, call.path, call.query, call.headers.pairs, call.body, operation, self.base, call.path_values,
            fields=call.fields,
        )  # fmt: skip
        verdict = Verdict(asked, world)
        pending = []
        for fault in catalogue.faults.of(operation):
            if not fault.pattern.fits(asked, world):
                continue
            marked = self._marked(fault, request, operation, world)
            if marked is None:
                pending.append(Pending(fault))
            elif marked and verdict.fault is None and (number := fault.takes(world)) is not None:
                verdict.fault, verdict.fault_call = fault, number
        request.faults = tuple(pending)
        if verdict.fault is None or verdict.fault.instead is None:
            self._choose(catalogue.mappings.of(operation), verdict)
        return None if verdict.fault is None and verdict.mapping is None else verdict

    def pending(self, asked: Asked, world: World, request: Request) -> tuple[Pending, ...]:
        """Return the faults that wait for the provider of a call that the service makes of itself.

        All else that testers set is for calls from outside.
        """
        assert asked.operation is not None
        return tuple(
            Pending(fault)
            for fault in self._catalogue(world).faults.of(asked.operation)
            if fault.pattern.fits(asked, world) and self._marked(fault, request, asked.operation, world) is None
        )

    def consult_stray(self, asked: Asked, world: World) -> Verdict | None:
        """Return the mapping for a call that the document does not have, counted; None when there is none."""
        verdict = Verdict(asked, world)
        self._choose(self._catalogue(world).strays, verdict)
        return None if verdict.mapping is None or verdict.mapping.answer.falls_through else verdict

    def failure(self, verdict: Verdict, request: Request, operation: Operation, world: World) -> Problem | Reply | None:
        """Return what a fault puts in the place of the operation: a problem, or nothing but a broken connection."""
        fault = verdict.fault
        if fault is None or fault.instead is None:
            return None
        if fault.instead != "error":
            return Reply(200, b"")
        return self._service.limited(fault.problem(), request, operation, world)

    def answer(self, verdict: Verdict, operation: Operation, explainer: Any) -> Made:
        """Return what the mapping answers. Fails: `stub-broke-contract` for what the document does not have."""
        mapping = verdict.mapping
        assert mapping is not None
        plan = self._contract.replies[operation]
        made = mapping.answer.make(operation, plan, verdict.scope)
        if not mapping.off_contract and mapping.answer.fault is None:
            self._hold(mapping, operation, made.reply, explainer)
        return made

    def answer_stray(self, verdict: Verdict) -> Made:
        """Return what the mapping answers to a call that the document does not have."""
        assert verdict.mapping is not None
        return verdict.mapping.answer.make(None, None, verdict.scope)

    def change(self, verdict: Verdict, operation: Operation, reply: Reply, explainer: Any) -> Reply:
        """Return the operation's own reply as the mapping changes it. Fails: `stub-broke-contract`."""
        mapping = verdict.mapping
        assert mapping is not None
        changed = mapping.answer.change(reply, verdict.scope)
        if not mapping.off_contract:
            self._hold(mapping, operation, changed, explainer)
        return changed

    def _choose(self, candidates: tuple[Mapping, ...], verdict: Verdict) -> None:
        for mapping in candidates:
            number = mapping.takes(verdict.asked, verdict.world)
            if number is not None:
                verdict.mapping, verdict.mapping_call = mapping, number
                return

    def _hold(self, mapping: Mapping, operation: Operation, reply: Reply, explainer: Any) -> None:
        plan = self._contract.replies[operation]
        if mapping.answer.is_fixed:
            if operation not in mapping.verdicts:
                mapping.verdicts[operation] = answers.judge(plan, reply, explainer)
            violations = mapping.verdicts[operation]
        else:
            violations = answers.judge(plan, reply, explainer)
        if violations:
            name = f"{mapping.definition.get('name') or mapping.id}"
            detail = f"The mapping {name} answers in breach of the contract of {operation}: {violations[0]}"
            raise Problem(STUB_BROKE_CONTRACT, detail, violations=violations)

    def _marked(self, fault: Fault, request: Request, operation: Operation, world: World) -> bool | None:
        """Whether a call goes by the names that a fault asks for; None when only the operation itself can tell."""
        pending = False
        for mark, name in fault.marks.items():
            names = self._service.names(mark, request, operation, world)
            if names is None:
                pending = True
            elif name not in names:
                return False
        return None if pending else True

    # What is compiled.

    def _catalogue(self, world: World) -> Catalogue:
        revision = str(world.facts.get(REVISION))
        found = self._catalogues.get(revision)
        if found is None:
            found = Catalogue(
                [self._mapping(kept) for kept in mappings.SHELF.kept(world)],
                [self._fault(kept) for kept in faults.SHELF.kept(world)],
            )
            self._catalogues[revision] = found
            if len(self._catalogues) > _CATALOGUES:
                self._catalogues.popitem(last=False)
        return found

    def _mapping(self, kept: Record) -> Mapping:
        def make() -> Mapping:
            request: Record = kept["definition"].get("request") or {}
            meant = self._finder.meant(request, "", Refusals(), off_contract=True)
            return mappings.compiled(kept, meant.operations if meant.certain else None)

        return self._once(kept, make)

    def _fault(self, kept: Record) -> Fault:
        def make() -> Fault:
            definition: Record = kept["definition"]
            meant = self._finder.meant(definition.get("match") or {}, "", Refusals())
            fault = faults.compiled(kept, meant.operations if meant.certain else None)
            if "error" in fault.effect and not fault.off_contract:
                candidates = meant.operations if meant.certain else tuple(self._contract.operations)
                fault.operations = frozenset(each for each in candidates if not self._breach(fault.definition, each))
            return fault

        return self._once(kept, make)

    def _once(self, kept: Record, make: Callable[[], Each]) -> Each:
        """What is made of a definition, made once. Kept by identity: what is kept with the key keeps the identity taken."""
        found = self._compiled.get(id(kept))
        if found is None:
            if len(self._compiled) >= 20_000:
                self._compiled.clear()
            found = self._compiled[id(kept)] = (kept, make())
        made: Each = found[1]
        return made

    # The contract.

    def _check_answer(self, answer: answers.Answer, meant: Meant, world: World, refusals: Refusals) -> None:
        """Note how an answer breaks the contract of the operations that are meant.

        All of them where they are certain. Where others may turn out to be meant it must keep that of one at least, and is
        held to each when it is called. A template is held to the contract when it is called; its status and media type now.
        """
        if answer.fault is not None:
            return
        nothing = Asked("GET", "/", b"", [], b"", None, self.base)

        def breaches(operation: Operation, explainer: Any) -> list[Violation]:
            plan = self._contract.replies[operation]
            made = answer.make(operation, plan, Scope(nothing, world, chance_of(world, "check", 0)))
            if not answer.is_templated:
                return answers.judge(plan, made.reply, explainer)
            made.reply.headers = {}
            found = answers.judge(plan, made.reply, explainer)
            return [each for each in found if each.keyword in ("status", "media-type", "content")]

        breached = None
        for operation in meant.operations:
            if breaches(operation, None):
                breached = breached or operation
            elif not meant.certain:
                return
        if breached is not None:
            for violation in breaches(breached, self._contract.explainer()):
                refusals.found.append(_as_of_mapping(violation, breached, answer.body_name))

    def _check_effect(self, definition: Record, meant: Meant, refusals: Refusals) -> None:
        """Note an error that none of the operations has; those that do not have it are passed over."""
        if definition.get("off_contract"):
            return
        effect = definition["effect"]
        if "half_stream" in effect and meant.certain and not any(_streams(each) for each in meant.operations):
            refusals.add("/effect/half_stream", f"needs a stream of events, which {meant.operations[0]} does not answer")
        elif meant.certain and all(each.is_socket for each in meant.operations):
            for name in (each for each in faults.AFTER if each in effect):
                hint = f"error, delay, {', '.join(faults.INSTEAD[1:])} strike one"
                refusals.add(f"/effect/{name}", f"needs a body, but {meant.operations[0]} opens a WebSocket; {hint}")
        if "error" not in effect:
            return
        breaches = [self._breach(definition, each) for each in meant.operations]
        if breaches and all(breaches):
            refusals.found.extend(each._replace(part="body", pointer="/effect/error") for each in breaches[0])

    def _breach(self, definition: Record, operation: Operation) -> list[Violation]:
        """How an error, in the service's own words, breaks the contract of an operation."""
        problem = faults.problem_of(definition["effect"]["error"])
        plan = self._contract.replies[operation]
        if "provider" in (definition.get("match") or {}):  # whose words are the provider's
            return plan.violations(Reply(problem.status, b""))[:1] if plan.response(problem.status) is None else []
        if problem.kind is RATE_LIMITED:
            problem.headers.setdefault("retry-after", "1")  # when it strikes, the service says how long
        return plan.violations(self._service.word(problem, operation))

    def _passed_over(self, fault: Fault) -> list[str]:
        assert fault.operations is not None
        meant = self._finder.meant(fault.definition.get("match") or {}, "", Refusals())
        return [operation.id for operation in meant.operations if operation not in fault.operations]


def find(shelf: Any, world: World, id_: str, what: str) -> Record:
    """Return what a shelf keeps under an id. Fails: `not-found`."""
    found: Record | None = world[shelf.collection].get(id_)
    if found is None:
        raise Problem(NOT_FOUND, f"World {world.name} has no {what} {id_}")
    return found


def _usage(counts: Counts, kept: Record, world: World) -> Record:
    expires_at_s = kept["expires_at_s"]
    expired = expires_at_s is not None and world.clock.seconds() >= expires_at_s
    return {"matched": counts.matched, "used": counts.used, "expired": expired}


def _without_usage(definition: Record) -> Record:
    """A definition without what is only shown, so that what was shown can be sent again."""
    id_ = definition.get("id") or definition.get("uuid")
    kept = {name: value for name, value in definition.items() if name not in ("id", "uuid", "usage", "passes_over")}
    return kept if id_ is None else {"id": id_, **kept}


def _as_of_mapping(violation: Violation, operation: Operation, body_name: str) -> Violation:
    """A violation of a reply as one of the mapping that answers it: where in it, and by which operation's contract."""
    if violation.part == "status":
        return violation._replace(part="body", pointer="/response/status")
    at = "/response/headers" if violation.part == "header" else f"/response/{body_name}"
    hint = "; a fault answers errors in the API's own words" if violation.keyword == "missing-body" else ""
    message = f"{violation.message} ({operation}{hint})"
    return violation._replace(part="body", pointer=at + violation.pointer, message=message)


def _streams(operation: Operation) -> bool:
    return any(content.media_type == answers.EVENTS for each in operation.responses.values() for content in each.contents)
