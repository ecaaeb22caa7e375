"""Realtime sessions, through the gateway. Source: gateway-data-plane, /realtime.

The gateway chooses a target when the connection is opened, and from then on passes on what is said: so a config is followed,
and limits are looked at, before the upgrade (*chosen*: a session that is open goes on when a budget ends).
"""

from __future__ import annotations

from dataclasses import replace

from mockserver.contract.problems import Problem
from mockserver.contract.replies import Duplex, Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls, envelopes, metering
from mockserver.portkey.gateway import configs, serving
from mockserver.portkey.gateway.attempt import addressed
from mockserver.portkey.gateway.exchange import Exchange, Outcome, opened
from mockserver.portkey.gateway.routing import route
from mockserver.portkey.gateway.targets import shaped
from mockserver.portkey.gateway.upstream import failed, failing, model_of
from mockserver.portkey.live.dialects import spoken
from mockserver.portkey.live.session import Session
from mockserver.portkey.live.speaking import Line
from mockserver.values import Record
from mockserver.world.world import World


def connect_realtime(request: Request, world: World) -> Reply:
    """Open a session with the model that the query names, at the provider that the call or its config does.

    Reply: 101. Fails: `invalid-request` for what cannot be addressed; what a target refuses is a reply, and leaves a log.
    """
    said = request.query.get("model")
    body: Record = {} if said is None else {"model": said}
    exchange = opened("realtime", request, world, request.caller.config or configs.NONE, body)
    outcome = route(exchange, _attempt)
    headers = serving.headers(exchange, outcome)
    target = outcome.reply.body
    due_s = world.clock.seconds() + exchange.elapsed_ms / 1000 if exchange.elapsed_ms else None
    if outcome.status != 200:
        serving.settle(exchange, outcome)
        return replace(outcome.reply, headers={**outcome.reply.headers, **headers}, kept=True, due_s=due_s)
    assert isinstance(target, dict)
    line = Line(exchange, outcome.provider, outcome.model, target, outcome.path)
    session = Session(line, spoken(calls.text(request, b"openai-beta")))
    return Reply(101, Duplex(session), headers, due_s=due_s)


def _attempt(exchange: Exchange, target: Record, path: str) -> Outcome:
    """What comes of connecting to a target: its settings as the body of a 200, or its refusal."""
    provider, body = addressed(exchange, target)
    model = model_of(exchange.kind, shaped(body, target))
    outcome = Outcome(Reply(200, target), path, provider, model)
    try:
        billed = metering.Billed(provider.name, provider.slug, provider.record, model)
        metering.admit_to(exchange.request, billed, exchange.world)
    except Problem as problem:
        outcome.reply = envelopes.of_gateway(problem)
        return outcome
    fault = failing(exchange, provider)
    exchange.elapsed_ms += fault.get("delay_ms", 0)
    if "answer" in fault:
        outcome.asked = True
        outcome.reply = failed(provider, fault["answer"]["error"], is_plain=provider.name == "openai")
    return outcome
