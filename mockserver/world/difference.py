"""What tells a world from the one that it came from, as JSON; and the way back.

Made of snapshots, which share what they have in common, so a world costs what was done in it and a look at each key. It is
what a token holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mockserver.blobs import Blob
from mockserver.values import JSON, Record
from mockserver.world import collection, layers
from mockserver.world.packing import Packer, Unpackable
from mockserver.world.secrets import united
from mockserver.world.world import Snapshot, World

_MISSING = object()


class _Changes(NamedTuple):
    put: dict[str, Any]
    gone: list[str]


def difference(world: World, base: Snapshot, packer: Packer) -> Record:
    """Return what `apply` needs to make this world of another that is as `base`; TypeError for a value that nobody can pack.

    A clock that runs is written down by what it shows, so that it goes on from there whenever it is read again.
    """
    now = world.snapshot()
    names = sorted({*now.collections, *base.collections})
    changed = {name: _of_collection(now.collections.get(name), base.collections.get(name), packer) for name in names}
    facts = _changes(now.facts, base.facts)
    files = _changes(now.contents, base.contents)
    due = _changes(now.agenda.entries, base.agenda.entries)
    return {
        "collections": {name: each for name, each in changed.items() if each},
        "facts": {"put": {name: packer.pack(value) for name, value in facts.put.items()}, "gone": facts.gone},
        "agenda": {"put": {name: entry[0] for name, entry in due.put.items()}, "gone": due.gone},
        "contents": {"put": [packer.pack(blob.read()) for blob in files.put.values()], "gone": files.gone},
        "drawn": now.drawn,
        "secrets": sorted(united(now.secrets) - united(base.secrets)),
        "clock": {"at": world.clock.seconds(), "frozen": world.clock.frozen},
    }


def weight(world: World, base: Snapshot) -> int:
    """Return the bytes of the files that the world holds and `base` does not: they go into a difference whole."""
    return sum(blob.size for blob in _changes(world.contents.freeze(), base.contents).put.values())


def apply(told: JSON, world: World, base: Snapshot, packer: Packer) -> None:
    """Put a world into the state that `difference` told of, on the same base. Raises `Unpackable` and leaves it as `base`."""
    world.restore(base)
    try:
        for name, each in told["collections"].items():
            world[name].amend(
                each["gone"],
                {key: (arrival, packer.unpack(record)) for key, (arrival, record) in each["put"].items()},
                {key: (key_order, arrival, key) for key, (key_order, arrival) in each["left"].items()},
                each["arrivals"],
            )
        for name in told["facts"]["gone"]:
            world.facts.remove(name)
        for name, value in told["facts"]["put"].items():
            world.facts.put(name, packer.unpack(value))
        world.agenda.amend(told["agenda"]["gone"], told["agenda"]["put"])
        for name in told["contents"]["gone"]:
            world.contents.remove(name)
        for content in told["contents"]["put"]:
            blob = Blob.of(packer.unpack(content))
            world.contents.put(blob.digest, blob)
        world.ids.drawn = told["drawn"]
        world.secrets.update(told["secrets"])
        at = datetime.fromtimestamp(told["clock"]["at"], UTC)
        if told["clock"]["frozen"]:
            world.clock.freeze(at)
        else:
            world.clock.run(at)
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError, OverflowError, OSError) as error:
        world.restore(base)
        raise Unpackable(f"is no state of a world: {error!r}") from error
    world.keep()


def of_all(base: Snapshot, packer: Packer) -> Record:
    """Return all that a snapshot holds but its clock, as JSON: equal for equal states."""
    return {
        "collections": {name: _of_collection(state, None, packer) for name, state in sorted(base.collections.items())},
        "facts": {name: packer.pack(value) for name, value in sorted(layers.contents(base.facts).items())},
        "agenda": {name: entry[0] for name, entry in sorted(layers.contents(base.agenda.entries).items())},
        "contents": sorted(layers.contents(base.contents)),
        "drawn": base.drawn,
    }


def _of_collection(now: collection.State | None, base: collection.State | None, packer: Packer) -> Record:
    """What was put in or replaced, by arrival; what was taken out; where that stood. Empty when nothing was."""
    if now is base:
        return {}
    rows = _changes(now.rows if now else (), base.rows if base else ())
    left = _changes(now.gone if now else (), base.gone if base else ())
    arrivals = now.arrivals if now else 0
    if not (rows.put or rows.gone or left.put or arrivals != (base.arrivals if base else 0)):
        return {}
    by_arrival = sorted(rows.put.items(), key=lambda item: item[1][0][1])
    return {
        "gone": rows.gone,
        "put": {key: [entry[1], packer.pack(record)] for key, (entry, record) in by_arrival},
        "left": {key: [entry[0], entry[1]] for key, entry in sorted(left.put.items())},
        "arrivals": arrivals,
    }


def _changes(now: tuple[dict[str, Any], ...], base: tuple[dict[str, Any], ...]) -> _Changes:
    """What one map has that another has not or has otherwise, and the keys that only the other has; by key."""
    if now == base == () or (now and base and len(now) == len(base) and all(a is b for a, b in zip(now, base, strict=True))):
        return _Changes({}, [])
    mine, theirs = layers.contents(now), layers.contents(base)
    return _Changes(_unlike(mine, theirs), sorted(theirs.keys() - mine.keys()))


def _unlike(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for key in sorted(mine):
        value, other = mine[key], theirs.get(key, _MISSING)
        if value is not other and (type(value) is not type(other) or value != other):
            found[key] = value
    return found
