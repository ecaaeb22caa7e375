"""Where a world keeps what testers set: definitions in a collection, beside them how often each was used.

Definitions are replaced only by a tester, so what is compiled of them can be kept; the counts change on every call that
fits. Both are state of the world: private, copied by forks and snapshots, gone after a reset.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from mockserver import values
from mockserver.stubbing.entrance import REVISION
from mockserver.values import Record
from mockserver.world.ids import Ids
from mockserver.world.world import World

MAPPINGS = "_mappings"
FAULTS = "_faults"
"""The collections. What begins with an underscore is the mock's own, and no collection of a document."""


class Counts(NamedTuple):
    """How many calls fitted, and how many of them were answered."""

    matched: int
    used: int


class Shelf:
    """One kind of what is set: its collection and its counts."""

    def __init__(self, collection: str) -> None:
        self.collection = collection

    def add(self, world: World, definition: Record, at_s: float | None) -> Record:
        """Keep a definition and return what is kept of it; `at_s` is when it expires. One that has the id is replaced.

        What is kept: `id`, `definition`, `expires_at_s` and, for the order, `created_at`. An id is drawn where there is none;
        those of records do not depend on it.
        """
        number = int(world.facts.get(f"{self.collection}#") or 0) + 1
        given = definition.get("id")
        known = world[self.collection].get(given) if given is not None else None
        if known is None:
            world.facts.put(f"{self.collection}#", number)
        id_ = given or Ids(_seed(world.seed, self.collection), number).uuid4()
        kept: Record = {
            "id": id_,
            "definition": {**definition, "id": id_},
            "expires_at_s": at_s,
            "created_at": f"{number:012d}" if known is None else known["created_at"],
        }
        if known is None:
            world[self.collection].add(kept)
        else:
            world[self.collection].replace(kept)
        world.facts.put(self._counter(id_), [0, 0])
        self._revise(world, kept)
        return kept

    def remove(self, world: World, id_: str) -> None:
        """Forget one; KeyError when there is none."""
        world[self.collection].remove(id_)
        world.facts.remove(self._counter(id_))
        self._revise(world, {"id": id_})

    def clear(self, world: World) -> None:
        """Forget all."""
        for kept in self.kept(world):
            self.remove(world, kept["id"])

    def kept(self, world: World) -> list[Record]:
        """All that is kept, newest first."""
        return list(world[self.collection].newest()) if self.collection in world.collections else []

    def counts(self, world: World, id_: str) -> Counts:
        """How often one was used."""
        return Counts(*(world.facts.get(self._counter(id_)) or (0, 0)))

    def count(self, world: World, id_: str, counts: Counts) -> None:
        """Write down how often one was used."""
        world.facts.put(self._counter(id_), list(counts))

    def _counter(self, id_: str) -> str:
        return f"{self.collection}:{id_}"

    def _revise(self, world: World, change: Record) -> None:
        """Name the new state by all that led to it, so that worlds with the same name hold the same; nothing has no name."""
        if not any(len(world[each]) for each in (MAPPINGS, FAULTS)):
            world.facts.remove(REVISION)
            return
        before = str(world.facts.get(REVISION) or "")
        told = f"{self.collection}{before}".encode() + values.dump(change)
        world.facts.put(REVISION, blake2b(told, digest_size=16).hexdigest())


def chance_of(world: World, id_: str, number: int) -> Ids:
    """Return the chance of the `number`th call that fits one: it follows from the seed, and leaves the world's ids alone."""
    return Ids(_seed(world.seed, f"{id_}/{number}"))


def _seed(seed: int, name: str) -> int:
    return int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big")
