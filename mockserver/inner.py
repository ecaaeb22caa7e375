"""What the service does without being called from outside: what became due, and the calls that this makes of itself."""

from __future__ import annotations

import asyncio
import logging
import time

from mockserver import values
from mockserver.call import Target
from mockserver.contract.problems import MOCK_BROKE_CONTRACT, MOCK_FAILED, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import ContractBroken, Request, refusal
from mockserver.contract.violations import Violation
from mockserver.stubs.service import Headers, Service
from mockserver.values import JSON
from mockserver.world.world import World

log = logging.getLogger("mockserver")

_TURN_S = 0.02
"""How long, in seconds of the machine, what is due may hold up all other calls."""


class Inside:
    """Calls operations of one service from inside, past socket and journal but not past identity and contract."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._targets: dict[str, Target] = {}

    def add(self, targets: list[Target]) -> None:
        """Let these operations be called."""
        self._targets |= {target.operation.id: target for target in targets}

    def call(self, operation: str, path: dict[str, str], headers: Headers, body: JSON, world: World) -> Reply:
        """Return what an operation answers to a JSON body; a refusal is a reply as well, in the service's words.

        What the stub wrote stays, whatever the reply, until who called takes all of it back.
        """
        target = self._targets[operation]
        sent, content = {**headers, b"content-type": b"application/json"}, values.dump(body)
        try:
            caller = target.service.identify(target.operation, path, b"", sent, world)
            try:
                request = target.request.read(path, b"", sent, content)
            except ContractBroken as broken:
                raise refusal(broken.violations(target.explainer())) from None
            request.caller = caller
            if target.entrance is not None:
                request.faults = target.entrance.pending(target.operation, path, sent, content, request, world)
            reply = answered(target, request, world)
            target.service.account(request, reply, target.operation, world)
        except Problem as problem:
            return target.service.word(problem, target.operation)
        return reply

    async def settle(self, world: World) -> None:
        """Let all happen that became due since the world was last looked at, each at its time.

        Between two of them others get their turn, once they have taken `_TURN_S`; who calls this world then as well lets
        happen what is left, in the same order. Fails: `mock-failed` when something of it cannot, which is a defect of ours;
        it is then left out.
        """
        now_s, turn_s = world.clock.seconds(), time.perf_counter()
        while (due := world.agenda.next()) is not None and due.at_s <= now_s:
            if time.perf_counter() - turn_s > _TURN_S:
                await asyncio.sleep(0)
                turn_s = time.perf_counter()
                continue
            try:
                with world.clock.held(due.at_s), world.attempt() as attempt:
                    world.agenda.drop(due.family, due.key)
                    self._service.happen(due, world, self.call)
                    attempt.keep()
            except Exception:
                world.agenda.drop(due.family, due.key)
                log.exception("what was due of %s %s failed", due.family, due.key)
                detail = f"What was due of {due.family} {due.key} failed; the mock's log has the traceback"
                raise Problem(MOCK_FAILED, detail) from None


def answered(target: Target, request: Request, world: World) -> Reply:
    """Return what the stub of an operation answers, once the service has admitted the call. Its reply keeps the contract."""
    target.service.admit(request, target.operation, world)
    assert target.stub is not None
    request.answered_by = target.kind
    try:
        reply = target.stub(request, world)
    except Problem as problem:
        if not problem.missing or target.unknown is None:
            raise
        request.answered_by = "sample"
        reply = target.unknown(request, world)
    return kept(target, reply)


def kept(target: Target, reply: Reply) -> Reply:
    """Return a reply that keeps the contract. Fails: `mock-broke-contract`."""
    if not target.reply.keeps(reply):
        raise own_defect(target, target.reply.violations(reply, target.explainer()))
    return reply


def own_defect(target: Target, violations: list[Violation]) -> Problem:
    """Log that a reply of ours breaks the contract, and return the problem that takes its place."""
    log.error("%s broke the contract: %s", target.operation, "; ".join(map(str, violations)))
    detail = f"The mock's own reply broke the contract of {target.operation}"
    return Problem(MOCK_BROKE_CONTRACT, detail, violations=violations)
