"""Calls that the gateway passes on as they are: no guardrails, no cache, no shaping; a config still chooses the target.

Source: gateway-data-plane, Route map (proxied routes).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.gateway import configs, serving
from mockserver.portkey.gateway.attempt import addressed
from mockserver.portkey.gateway.exchange import Exchange, Outcome, Provider, opened
from mockserver.portkey.gateway.routing import route
from mockserver.values import Record
from mockserver.world.world import World

Answering: TypeAlias = Callable[[Provider, Record], Reply]
"""Answers for a provider; the record is the body, without a slug before its model."""


def opened_for(request: Request, world: World, body: Record) -> Exchange:
    """Return a call with what it says of providers. Fails: `invalid-request` for what cannot be addressed."""
    return opened("proxy", request, world, request.caller.config or configs.NONE, body)


def pass_on(exchange: Exchange, answering: Answering) -> Reply:
    """Return what the target of a call answers, with the gateway's headers. Fails: `invalid-request` without a provider."""

    def attempt(exchange: Exchange, target: Record, path: str) -> Outcome:
        provider, body = addressed(exchange, target)
        return Outcome(answering(provider, body), path, provider, body.get("model", ""))

    outcome = route(exchange, attempt)
    reply = outcome.reply
    reply.headers = {**reply.headers, **serving.headers(exchange, outcome)}
    return reply
