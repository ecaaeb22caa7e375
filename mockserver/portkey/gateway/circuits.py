"""Circuit breakers: targets that fail too often are left alone for a while.

Source: gateway-data-plane, Strategies: circuit breaker. *chosen*: calls are counted from the last time that a circuit closed,
without a window, since none is known; a percentage counts only when the config names one.
"""

from __future__ import annotations

from mockserver.values import Record
from mockserver.world.world import World

MINIMUM_REQUESTS = 5
"""How many calls a percentage needs to mean something, unless a config says."""


def can_open(target: Record) -> bool:
    """Whether a target has a circuit: one that names its provider by slug, and has no targets of its own."""
    provider = target.get("provider")
    by_slug = provider.startswith("@") if isinstance(provider, str) else bool(target.get("virtual_key"))
    return by_slug and "targets" not in target


def is_open(world: World, config_id: str, place: str, settings: Record) -> bool:
    """Whether a target is to be left alone, until its cooldown is over; then it starts anew."""
    counted = world.facts.get(_name(config_id, place))
    if counted is None or counted[2] is None:
        return False
    return bool(world.clock.seconds() < counted[2] + settings["cooldown_interval"] / 1000)


def note(world: World, config_id: str, place: str, settings: Record, status: int) -> None:
    """Count a call to a target; too many failures open its circuit."""
    counted = world.facts.get(_name(config_id, place))
    requests, failures, opened_s = counted or (0, 0, None)
    if opened_s is not None and not is_open(world, config_id, place, settings):
        requests, failures, opened_s = 0, 0, None
    listed = settings.get("failure_status_codes")
    failed = status in listed if listed is not None else status >= 500
    requests, failures = requests + 1, failures + failed
    if opened_s is None and failed and _are_too_many(requests, failures, settings):
        opened_s = world.clock.seconds()
    world.facts.put(_name(config_id, place), [requests, failures, opened_s])


def _are_too_many(requests: int, failures: int, settings: Record) -> bool:
    percentage = settings.get("failure_threshold_percentage")
    if percentage is None or requests < settings.get("minimum_requests", MINIMUM_REQUESTS):
        return bool(failures >= settings["failure_threshold"])
    return bool(failures >= settings["failure_threshold"] or failures * 100 >= percentage * requests)


def _name(config_id: str, place: str) -> str:
    return f"circuit:{config_id}:{place}"
