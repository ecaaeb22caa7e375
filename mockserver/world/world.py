"""A world: one private state of the service. And the worlds that a server has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from mockserver.blobs import Blob
from mockserver.values import JSON, Record
from mockserver.world import agenda, clock, collection, secrets
from mockserver.world.agenda import Agenda
from mockserver.world.clock import Clock
from mockserver.world.collection import Change, Collection, Layout
from mockserver.world.ids import Ids
from mockserver.world.journal import CAPACITY, Event, Journal
from mockserver.world.layers import Layers, Undo, take_back
from mockserver.world.secrets import Secrets

Layouts: TypeAlias = Mapping[str, Layout]

Write: TypeAlias = "Callable[[World, Any], None]"
"""Writes what was put off, out of what was known at its time."""

DEFAULT = "default"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")


class _Waiting(NamedTuple):
    """What is put off for a collection, what writes it, and how the last of it is taken back."""

    collection: Collection
    write: Write
    all_known: list[Any]
    undo: tuple[Callable[..., Any], tuple[Any, ...]]


class Snapshot(NamedTuple):
    """All state of a world but its journal. It shares everything with the world, so it costs next to nothing."""

    collections: dict[str, collection.State]
    facts: tuple[dict[str, JSON], ...]
    drawn: int
    clock: clock.Setting
    agenda: agenda.State
    secrets: secrets.State
    contents: tuple[dict[str, Blob], ...]


class World:
    """Collections of records, facts beside them, a clock, an agenda, an id source and a journal.

    `facts` are single values that belong to no record: counters of rate windows, ids made once. `contents` are blobs by
    their digest, for records that have them: worlds that come from each other share them. All of these
    change only through a world, and only inside `attempt` are changes taken back. `changes` are those of records and
    `told` the events since the last `keep`, oldest first, for who writes down what a call did. `secrets` are the texts that
    must be shown to nobody; they are only ever added to, since the journal outlives what is taken back.

    A collection that much is written into and that few look at can be written later: see `put_off`.
    """

    __slots__ = (
        "_collections", "_layouts", "_undo", "_waiting", "agenda", "changes", "clock", "contents", "facts", "ids",
        "journal", "name", "secrets", "seed", "told",
    )  # fmt: skip

    def __init__(self, name: str, seed: int, layouts: Layouts, journal_capacity: int = CAPACITY) -> None:
        self.name = name
        self.seed = seed
        self._layouts = layouts
        self._collections: dict[str, Collection] = {}
        self._waiting: dict[str, _Waiting] = {}  # of these the collections are set aside: looking costs the others nothing
        self._undo: Undo = []
        self.facts: Layers[JSON] = Layers(self._undo)
        self.contents: Layers[Blob] = Layers(self._undo)
        self.clock = Clock()
        self.agenda = Agenda(self._undo)
        self.ids = Ids(seed)
        self.journal = Journal(journal_capacity)
        self.changes: list[Change] = []
        self.told: list[Event] = []
        self.secrets = Secrets()

    def __getitem__(self, name: str) -> Collection:
        """Return a collection, empty when nothing was put into it yet."""
        try:
            return self._collections[name]
        except KeyError:
            return self._written(name)

    @property
    def collections(self) -> Mapping[str, Collection]:
        """The collections used so far, by name."""
        self._catch_up()
        return self._collections

    def put_off(self, name: str, write: Write, known: Any) -> None:
        """Have `write(world, known)` called when somebody next looks into a collection, before they see it.

        It writes into that collection, and into facts that nobody reads without having looked there; it depends on nothing
        else that may have changed by then. What is put off in an attempt is taken back with it. There may be a great many:
        what is known is best a tuple of texts and numbers, which the garbage collector does not look through.
        """
        waiting = self._waiting.get(name)
        if waiting is None or waiting.write is not write:
            found, all_known = self[name], list[Any]()
            waiting = self._waiting[name] = _Waiting(found, write, all_known, (list.pop, (all_known,)))
            del self._collections[name]
        waiting.all_known.append(known)
        self._undo.append(waiting.undo)

    def _written(self, name: str) -> Collection:
        """A collection, a new one when there was none, into which all was written that was put off."""
        undo, changes = self._undo, self.changes
        waiting = self._waiting.pop(name, None)
        if waiting is None:
            made = self._collections[name] = Collection(name, self._layouts.get(name, Layout()), undo, changes)
            return made
        self._collections[name] = waiting.collection
        others = [each for each in undo if each is not waiting.undo]
        kept = len(waiting.all_known) - (len(undo) - len(others))  # what came after these belongs to the attempt at hand
        undo[:] = others
        for at, known in enumerate(waiting.all_known):
            waiting.all_known[at] = None  # of many, both forms would be there at once
            before = len(undo), len(changes)
            waiting.write(self, known)
            if at < kept:
                del undo[before[0] :], changes[before[1] :]
        return waiting.collection

    def _catch_up(self) -> None:
        """Write all that was put off."""
        for name in list(self._waiting):
            self._written(name)

    def tell(self, kind: str, details: Record) -> None:
        """Write down an event; one of an attempt that is not kept never happened."""
        self.told.append(Event(self.journal.next_number, self.clock.seconds(), kind, details))

    def keep(self) -> None:
        """Let all that was written until now stay: it cannot be taken back any more, and its events are journalled."""
        self._undo.clear()
        self.changes.clear()
        if self.told:
            self.journal.events.extend(self.told)
            self.told.clear()

    def snapshot(self) -> Snapshot:
        """Return the state as it is now. What was written until now cannot be taken back any more."""
        self._catch_up()
        self.keep()
        states = {name: each.freeze() for name, each in self._collections.items() if each.arrivals}
        made = (self.facts.freeze(), self.ids.drawn, self.clock.setting, self.agenda.freeze(), self.secrets.freeze())
        return Snapshot(states, *made, self.contents.freeze())

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, of this world or of another with the same seed. The journal stays."""
        self.keep()
        self._collections |= {name: waiting.collection for name, waiting in self._waiting.items()}
        self._waiting.clear()
        for name in {*self._collections, *snapshot.collections}:
            self[name].thaw(snapshot.collections.get(name))
        self.facts.thaw(snapshot.facts)
        self.ids.drawn = snapshot.drawn
        self.clock.setting = snapshot.clock
        self.agenda.thaw(snapshot.agenda)
        self.secrets.join(snapshot.secrets)
        self.contents.thaw(snapshot.contents)

    def attempt(self) -> Attempt:
        """Return a context whose changes stay only if `keep()` is called on it; the clock is not touched."""
        self.keep()
        return Attempt(self)


class Attempt:
    """Changes to a world that are taken back at the end of the block unless they were kept."""

    __slots__ = ("_drawn", "_kept", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._drawn = world.ids.drawn
        self._kept = False

    def keep(self) -> None:
        """Let the changes stay."""
        self._kept = True

    def __enter__(self) -> Attempt:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._kept:
            self._world.keep()
        else:
            take_back(self._world._undo)
            self._world.changes.clear()
            self._world.told.clear()
            self._world.ids.drawn = self._drawn


class Worlds:
    """The worlds of a server, forked from one seed world on first use."""

    def __init__(self, seed_world: World) -> None:
        """`seed_world` is the pattern; nothing may change it afterwards.

        `base` is its state; `seed` what new worlds start from, which is the same unless a token was put in its place.
        """
        self._pattern = seed_world
        self.seed = self.base = seed_world.snapshot()
        self._worlds: dict[str, World] = {}
        self._snapshots: dict[str, dict[str, Snapshot]] = {}

    def reseed(self, change: Callable[[World], None]) -> None:
        """Change the seed world, before any world is forked from it."""
        assert not self._worlds, "worlds that are there would not know of it"
        change(self._pattern)
        self.seed = self.base = self._pattern.snapshot()

    def get(self, name: str) -> World:
        """Return a world, forked from the seed when it is new. Raises `ValueError` for a name that is none."""
        try:
            return self._worlds[name]
        except KeyError:
            return self.fork(name, self.seed)

    def find(self, name: str) -> World | None:
        """Return a world that exists, or None."""
        return self._worlds.get(name)

    def start_from(self, snapshot: Snapshot) -> None:
        """Let worlds that are new, and those that are reset, start from another state than the seed world's."""
        self.seed = snapshot

    def scratch(self) -> World:
        """Return a world that is none of the server's, as the seed world was."""
        pattern = self._pattern
        world = World(pattern.name, pattern.seed, pattern._layouts, pattern.journal.capacity)
        world.restore(self.base)
        return world

    def names(self) -> list[str]:
        """The names of all worlds, in order."""
        return sorted(self._worlds)

    def fork(self, name: str, source: Snapshot) -> World:
        """Make a world with this name and state; one that has the name already starts anew."""
        if NAME.fullmatch(name) is None:
            raise ValueError(f"{name[:100]!r} is no name for a world: letters, digits and . _ ~ - only, 100 at most")
        pattern = self._pattern
        world = World(name, pattern.seed, pattern._layouts, pattern.journal.capacity)
        world.restore(source)
        self._worlds[name] = world
        self._snapshots[name] = {}
        return world

    def reset(self, name: str) -> World:
        """Put a world back to the seed: records, ids, clock and journal. Its snapshots stay."""
        world = self.get(name)
        world.restore(self.seed)
        world.journal.clear()
        return world

    def delete(self, name: str) -> bool:
        """Forget a world and its snapshots; False when there was none. The next call to it forks it anew."""
        self._snapshots.pop(name, None)
        return self._worlds.pop(name, None) is not None

    def snapshots(self, name: str) -> dict[str, Snapshot]:
        """The named snapshots of a world, which may be added to."""
        self.get(name)
        return self._snapshots[name]
