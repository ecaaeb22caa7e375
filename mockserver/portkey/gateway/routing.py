"""Through a config's targets: single, fallback, loadbalance, conditional, nested at will.

Source: gateway-data-plane, Strategies.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from mockserver import values
from mockserver.contract.problems import INVALID_REQUEST, SERVICE_FAILED, Problem
from mockserver.portkey import calls
from mockserver.portkey.gateway import circuits, conditions
from mockserver.portkey.gateway.exchange import Exchange, Outcome
from mockserver.portkey.gateway.targets import inherit
from mockserver.values import JSON, Record

Attempt = Callable[[Exchange, Record, str], Outcome]
"""Calls one target, at its place in the config."""

STUCK_S = 300
"""How long a sticky choice lasts unless a config says; the gateway's code has this, its docs an hour."""


def route(exchange: Exchange, attempt: Attempt) -> Outcome:
    """Return what the targets of a call's config come to."""
    config = exchange.config
    if not config.content:
        return attempt(exchange, {}, "config")
    return _through(exchange, {}, config.content, "config", attempt, breaks=bool(config.id))


def _through(exchange: Exchange, above: Record, node: Record, path: str, attempt: Attempt, *, breaks: bool) -> Outcome:
    """What a node of a config comes to. `breaks` tells whether circuits may open: in saved configs, not below conditions."""
    here = inherit(above, node)
    strategy, targets = node.get("strategy"), node.get("targets")
    if not strategy or not targets:
        return attempt(exchange, here, path)
    mode = strategy["mode"]
    breaks = breaks and mode != "conditional"
    settings = strategy.get("cb_config") if breaks else None
    places = [f"{path}.targets[{at}]" for at in range(len(targets))]

    def follow(at: int) -> Outcome:
        outcome = _through(exchange, here, targets[at], places[at], attempt, breaks=breaks)
        if settings is not None and circuits.can_open(targets[at]):
            circuits.note(exchange.world, exchange.config.id, places[at], settings, outcome.status)
        return outcome

    every = list(range(len(targets)))
    if settings is None:
        closed = every
    else:  # when all are open, none is left alone
        world, config_id = exchange.world, exchange.config.id
        closed = [at for at in every if not circuits.is_open(world, config_id, places[at], settings)] or every
    if mode == "fallback":
        return _fallback(strategy, closed, follow)
    if mode == "loadbalance":
        return follow(_balanced(exchange, strategy, targets, closed, path))
    if mode == "conditional":
        return follow(_conditioned(exchange, strategy, targets))
    return follow(closed[0])


def _fallback(strategy: Record, closed: list[int], follow: Callable[[int], Outcome]) -> Outcome:
    """The first target whose outcome is no reason to go on: any but 2xx, or only the statuses that are listed."""
    listed = strategy.get("on_status_codes")
    first, *others = closed
    outcome = follow(first)
    for at in others:
        goes_on = not 200 <= outcome.status < 300 if listed is None else outcome.status in listed
        if not goes_on or outcome.final:
            break
        outcome = follow(at)
    return outcome


def _balanced(exchange: Exchange, strategy: Record, targets: list[Record], closed: list[int], path: str) -> int:
    """A target by its weight; for calls that stick, the one that calls of their kind got before. Only saved configs stick."""
    sticky = strategy.get("sticky") or {}
    if not sticky.get("enabled") or not exchange.config.id:
        return _drawn(exchange, targets, closed)
    facts, now_s = exchange.world.facts, exchange.world.clock.seconds()
    said: list[JSON] = [calls.key_id(exchange.request), *(_field(exchange, name) for name in sticky.get("hash_fields") or ())]
    name = f"sticky:{exchange.config.id}:{path}:{blake2b(values.dump(said), digest_size=16).hexdigest()}"
    stuck = facts.get(name)
    if stuck is not None and stuck[1] > now_s and stuck[0] in closed:
        return int(stuck[0])
    at = _drawn(exchange, targets, closed)
    facts.put(name, [at, now_s + sticky.get("ttl", STUCK_S)])
    return at


def _field(exchange: Exchange, name: str) -> JSON:
    """The value of `metadata.x`, `params.x` or `headers.x`, None when there is none."""
    holder, _, key = name.partition(".")
    if holder == "headers":
        return calls.text(exchange.request, key.lower().encode()) or None
    found = exchange.metadata if holder == "metadata" else _context(exchange)["params"]
    return found.get(key)


def _drawn(exchange: Exchange, targets: list[Record], closed: list[int]) -> int:
    """One target by its weight, 1 unless given; 0 switches a target off."""
    weights = {at: float(1 if targets[at].get("weight") is None else targets[at]["weight"]) for at in closed}
    total = sum(weights.values())
    if total <= 0:
        raise Problem(SERVICE_FAILED, "Something went wrong")
    drawn = exchange.world.ids.chance() * total
    for at, weight in weights.items():
        drawn -= weight
        if drawn < 0:
            return at
    return max(at for at, weight in weights.items() if weight)


def _conditioned(exchange: Exchange, strategy: Record, targets: list[Record]) -> int:
    """The target that conditions choose; embeddings do not tell what is wrong with these."""
    try:
        return conditions.chosen(strategy, targets, _context(exchange))
    except Problem as problem:
        if exchange.kind == "embed" and problem.kind is INVALID_REQUEST:
            raise Problem(SERVICE_FAILED, "Something went wrong") from None
        raise


def _context(exchange: Exchange) -> Record:
    """What conditions ask about. Parameters are those before overrides; a form has none."""
    return {
        "metadata": exchange.metadata,
        "params": {} if exchange.is_form else exchange.body,
        "url": {"pathname": f"/v1{exchange.request.operation.path}"},
    }
