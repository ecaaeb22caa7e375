"""Calls that the gateway passes on: no guardrails, no cache, no shaping; a config still chooses the target.

What providers keep for their customers is called so: files, batches, jobs, assistants, threads, vector stores.
Source: gateway-data-plane, Route map, Provider errors and response decoration, Stateful resources (Errors), error catalogue B.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TypeAlias

from mockserver.contract.problems import Problem
from mockserver.contract.replies import Reply, Stream
from mockserver.contract.requests import Request
from mockserver.portkey import envelopes, logbook, metering, scopes
from mockserver.portkey.gateway import configs, scripts, serving, upstream
from mockserver.portkey.gateway.attempt import addressed
from mockserver.portkey.gateway.exchange import Customer, Exchange, Outcome, account, opened
from mockserver.portkey.gateway.routing import route
from mockserver.values import Record
from mockserver.world.world import World


class Missed(Problem):
    """What the provider does not have; `reply` is how it says so, with the headers of the gateway."""

    def __init__(self, problem: Problem, reply: Reply) -> None:
        super().__init__(problem.kind, problem.detail, code=problem.code, type_=problem.type, missing=True)
        self.reply = reply


Answering: TypeAlias = Callable[[Customer, Record], Reply]
"""Answers for a provider; the record is the body, without a slug before its model. It refuses by raising `Problem`."""


def opened_for(request: Request, world: World, body: Record, kind: str = "proxy") -> Exchange:
    """Return a call with what it says of providers. Fails: `invalid-request` for what cannot be addressed."""
    return opened(kind, request, world, request.caller.config or configs.NONE, body)


def passed_on(request: Request, world: World, answering: Answering, *, scripted: bool = True) -> Reply:
    """Return what the provider answers to a call that the gateway passes on word by word; see `pass_on`."""
    return pass_on(opened_for(request, world, request.fields), answering, scripted=scripted)


def unified(kind: str, request: Request, world: World, answering: Answering) -> Reply:
    """Return what the provider answers to a call of files, batches or fine-tuning; Portkey itself when none is named.

    Fails: as `pass_on`.
    """
    return pass_on(opened_for(request, world, request.fields, kind), answering, unnamed="portkey", is_unified=True)


def pass_on(
    exchange: Exchange, answering: Answering, *, unnamed: str = "", is_unified: bool = False, scripted: bool = True
) -> Reply:
    """Return what the target of a call answers, with the gateway's headers; its refusals are worded as the provider's.

    `unnamed` answers when nobody is named. Scripts may let the provider fail or take its time, unless `scripted` is off: the
    family then asks a model, and a script for it, by itself. Faults of the provider strike in any case. Limits of the provider
    and policies hold for each target, as everywhere; a call counts as a request and is charged nothing.
    Fails: `invalid-request` without a provider; `Missed`, which is a problem so that unknown ids can be answered all the same
    where the server is told to.
    """
    exchange.unnamed = unnamed
    missed: Problem | None = None
    is_limited = False

    def attempt(exchange: Exchange, target: Record, path: str) -> Outcome:
        nonlocal missed, is_limited
        provider, body = addressed(exchange, target)
        outcome = Outcome(Reply(), path, provider, upstream.model_of(exchange.kind, body))
        operation, is_limited = exchange.request.operation.id, False
        if _is_metered(exchange):
            try:
                metering.admit_to(exchange.request, outcome.billed, exchange.world)
            except Problem as problem:
                missed, is_limited = None, True
                outcome.reply = envelopes.of_gateway(problem)
                return outcome
        asked = scripts.Asked(operation, provider.name, provider.slug or None, outcome.model, path, body)
        script = (scripts.find(exchange.world, asked, in_words=False) if scripted else None) or {}
        script = script or upstream.failing(exchange, provider)
        exchange.elapsed_ms += script.get("delay_ms", 0)
        error = script.get("answer", {}).get("error")
        if error is None:
            try:
                customer = Customer(provider, account(exchange, provider, target), path, exchange.trace_id)
                outcome.reply = _cut(answering(customer, body), script.get("cut_after"))
                missed = None
                return outcome
            except Problem as problem:
                error, missed = _error(problem), problem if problem.missing else None
        else:
            outcome.asked, missed = True, None
        outcome.reply = upstream.failed(provider, error, is_plain=not is_unified)
        return outcome

    outcome = route(exchange, attempt)
    reply = outcome.reply
    reply.headers = {**reply.headers, **serving.headers(exchange, outcome)}
    if exchange.elapsed_ms:
        reply.due_s = exchange.world.clock.seconds() + exchange.elapsed_ms / 1000
    if missed is not None and reply.status >= 400:
        raise Missed(missed, reply)
    # A script or fault that let the provider fail was used, and a call that failed so, or was over a limit, is logged.
    reply.kept = outcome.asked or is_limited
    if _is_metered(exchange) and (reply.status < 400 or reply.kept):
        _settle(exchange, outcome, is_limited=is_limited)
    return reply


def _is_metered(exchange: Exchange) -> bool:
    """Whether a call is one of inference, as far as limits and logs go; lists of models are not."""
    return exchange.request.operation.id not in scopes.OPERATIONS


def _settle(exchange: Exchange, outcome: Outcome, *, is_limited: bool) -> None:
    """Count a call as a request, and log it; it is charged nothing.

    Such calls read and change what providers keep: a reply that tells tokens (a stored response, a run, a batch) tells of a
    call that was paid for already.
    """
    world, reply, billed = exchange.world, outcome.reply, outcome.billed
    if not billed.model and isinstance(reply.body, dict):
        billed = billed._replace(model=str(reply.body.get("model") or ""))
    if not is_limited:
        metering.count(exchange.request, billed, 0, 0, world)
    usage = logbook.Usage(billed.name, billed.model, billed.record, 0, 0, 0.0)
    logbook.of_call(exchange.request, reply, usage, world)


def _cut(reply: Reply, after: int | None) -> Reply:
    """The reply; of a stream of events only so many, where a fault has the provider break off."""
    if after is not None and isinstance(reply.body, Stream) and reply.body.length is None:
        reply.body = Stream(islice(reply.body.pieces, after), cut=True)
    return reply


def _error(problem: Problem) -> Record:
    """A refusal as providers word it."""
    violation = problem.violations[0] if problem.violations else None
    param = violation.pointer.strip("/") or None if violation is not None else None
    message = f"Invalid '{param}': {violation.message}" if violation is not None and param else problem.detail
    type_ = problem.type or "invalid_request_error"
    return {"status": problem.kind.status, "message": message, "type": type_, "param": param, "code": problem.code}
