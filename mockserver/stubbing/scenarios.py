"""Scenarios: named states that stubs ask for and set, one for the whole world or one for each resource."""

from __future__ import annotations

from mockserver.values import Record
from mockserver.world.world import World

SCENARIOS = "_scenarios"
"""The collection of states that were left or set; a scenario that is not there has the first state."""
STARTED = "Started"
"""The state that every scenario begins in, as WireMock has it."""


def state_of(world: World, name: str, key: str = "") -> str:
    """Return the state of a scenario, for one resource when `key` says which."""
    record = world[SCENARIOS].get(_id(name, key)) if len(world[SCENARIOS]) else None
    return STARTED if record is None else str(record["state"])


def set_state(world: World, name: str, state: str, key: str = "") -> None:
    """Put a scenario into a state."""
    record: Record = {"id": _id(name, key), "name": name, "key": key, "state": state}
    states = world[SCENARIOS]
    if record["id"] in states:
        states.replace(record)
    else:
        states.add(record)


def reset(world: World, name: str | None = None) -> None:
    """Put all scenarios, or one with all its resources, back to the first state."""
    for record in list(world[SCENARIOS].newest()):
        if name is None or record["name"] == name:
            world[SCENARIOS].remove(record["id"])


def keyed_states(world: World, name: str) -> dict[str, str]:
    """The states of a scenario by resource; the empty key is the scenario's own."""
    return {record["key"]: record["state"] for record in world[SCENARIOS].newest() if record["name"] == name}


def _id(name: str, key: str) -> str:
    return f"{name}\0{key}" if key else name
