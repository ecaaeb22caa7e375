"""Conditions on the world: whether a record is there, what a field of it holds, how many records there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mockserver.stubbing import equality, matchers
from mockserver.stubbing.asked import Asked
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.templates import key_reader
from mockserver.values import JSON, Record, unescape
from mockserver.world.world import World


class Condition(NamedTuple):
    """What must hold of the world; `found` is what is there, for people."""

    holds: Callable[[Asked, World], bool]
    found: Callable[[Asked, World], JSON]


def compiled(told: Record, place: str, refusals: Refusals) -> Condition:
    """Return the condition that an object says; what is wrong with it is noted.

    `collection` with `key` (and `field`, and what it `equals` or `matches`), or with `count` (and `where`).
    """
    if ("key" in told) == ("count" in told):
        refusals.add(place, "needs `key`, for one record, or `count`, for how many there are")
    if "count" in told:
        for name in ("field", "equals", "matches", "exists"):
            if name in told:
                refusals.add(f"{place}/{name}", "goes with `key`")
        return _counted(told)
    if "where" in told:
        refusals.add(f"{place}/where", "goes with `count`")
    if "field" in told:
        return _of_field(told, place, refusals)
    for name in ("equals", "matches"):
        if name in told:
            refusals.add(f"{place}/{name}", "needs `field`")
    return _of_record(told, place, refusals)


def _of_record(told: Record, place: str, refusals: Refusals) -> Condition:
    wanted, read = told.get("exists", True), _record_reader(told, place, refusals)

    def exists(asked: Asked, world: World) -> bool:
        return read(asked, world) is not None

    return Condition(lambda asked, world: exists(asked, world) == wanted, exists)


def _of_field(told: Record, place: str, refusals: Refusals) -> Condition:
    if "exists" in told or ("equals" in told) == ("matches" in told):
        refusals.add(place, "needs `equals` or `matches` beside `field`, and nothing else")
    read, parts = _record_reader(told, place, refusals), told["field"].split("/")[1:]
    test = matchers.compiled(told["matches"], f"{place}/matches", refusals) if "matches" in told else None

    def value(asked: Asked, world: World) -> JSON:
        return _at(read(asked, world), parts)

    def holds(asked: Asked, world: World) -> bool:
        found = value(asked, world)
        return test(matchers.of_value(found)) if test is not None else equality.equal(told.get("equals"), found)

    return Condition(holds, value)


def _counted(told: Record) -> Condition:
    wanted = told["count"]
    least, most = (wanted, wanted) if isinstance(wanted, int) else (wanted.get("at_least", 0), wanted.get("at_most"))
    where: Record = told.get("where") or {}

    def count(_: Asked, world: World) -> int:
        found = world.collections.get(told["collection"])
        if found is None or not where:
            return 0 if found is None else len(found)
        return sum(
            all(equality.equal(value, _at(record, pointer.split("/")[1:])) for pointer, value in where.items())
            for record in found.newest()
        )

    def holds(asked: Asked, world: World) -> bool:
        found = count(asked, world)
        return least <= found and (most is None or found <= most)

    return Condition(holds, count)


def _record_reader(told: Record, place: str, refusals: Refusals) -> Callable[[Asked, World], Record | None]:
    key_of = key_reader(told.get("key"), f"{place}/key", refusals, literal=True)

    def read(asked: Asked, world: World) -> Record | None:
        found = world.collections.get(told["collection"])
        return None if found is None else found.get(key_of(asked, world))

    return read


def _at(value: JSON, parts: list[str]) -> JSON:
    """What lies at a JSON pointer, None when nothing does. What the mock keeps for itself lies below `_`."""
    for part in map(unescape, parts):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
