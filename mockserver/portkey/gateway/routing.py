"""Through a config's targets: single, fallback, loadbalance, conditional, nested at will.

Source: gateway-data-plane, Strategies.
"""

from __future__ import annotations

from collections.abc import Callable

from mockserver.contract.problems import SERVICE_FAILED, Problem
from mockserver.portkey.gateway import conditions
from mockserver.portkey.gateway.exchange import Exchange, Outcome
from mockserver.portkey.gateway.targets import inherit
from mockserver.values import Record

Attempt = Callable[[Exchange, Record, str], Outcome]
"""Calls one target, at its place in the config."""


def route(exchange: Exchange, attempt: Attempt) -> Outcome:
    """Return what the targets of a call's config come to."""
    return _through(exchange, {}, exchange.config.content, "config", attempt)


def _through(exchange: Exchange, above: Record, node: Record, path: str, attempt: Attempt) -> Outcome:
    here = inherit(above, node)
    strategy, targets = node.get("strategy"), node.get("targets")
    if not strategy or not targets:
        return attempt(exchange, here, path)

    def follow(at: int) -> Outcome:
        return _through(exchange, here, targets[at], f"{path}.targets[{at}]", attempt)

    mode = strategy["mode"]
    if mode == "fallback":
        return _fallback(strategy, len(targets), follow)
    if mode == "loadbalance":
        return follow(_drawn(exchange, targets))
    if mode == "conditional":
        return follow(conditions.chosen(strategy, targets, _context(exchange)))
    return follow(0)


def _fallback(strategy: Record, count: int, follow: Callable[[int], Outcome]) -> Outcome:
    """The first target whose outcome is no reason to go on: any but 2xx, or only the statuses that are listed."""
    listed = strategy.get("on_status_codes")
    outcome = follow(0)
    for at in range(1, count):
        goes_on = outcome.status in listed if listed else not 200 <= outcome.status < 300
        if not goes_on or outcome.final:
            break
        outcome = follow(at)
    return outcome


def _drawn(exchange: Exchange, targets: list[Record]) -> int:
    """One target by its weight, 1 unless given; 0 switches a target off."""
    weights = [float(1 if target.get("weight") is None else target["weight"]) for target in targets]
    total = sum(weights)
    if total <= 0:
        raise Problem(SERVICE_FAILED, "Something went wrong")
    drawn = exchange.world.ids.chance() * total
    for at, weight in enumerate(weights):
        drawn -= weight
        if drawn < 0:
            return at
    return max(at for at, weight in enumerate(weights) if weight)


def _context(exchange: Exchange) -> Record:
    """What conditions ask about. Parameters are those before overrides; a form has none."""
    is_form = exchange.request.media_type is not None and "multipart" in exchange.request.media_type
    return {
        "metadata": exchange.metadata,
        "params": {} if is_form else exchange.body,
        "url": {"pathname": f"/v1{exchange.request.operation.path}"},
    }
