"""What will happen in a world, and when. Nothing runs by itself: it happens when the world is next looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor
from typing import NamedTuple

from mockserver.world.layers import Layers, Undo
from mockserver.world.order import NOTHING, Entry, Frozen, Order

_DIGITS = 15
"""Of a time in milliseconds, so that texts sort as numbers do; the clock ends at the year 9000."""


class Due(NamedTuple):
    """When something is to happen, in seconds since the epoch, which family has to do it, and to which of its records."""

    at_s: float
    family: str
    key: str


class State(NamedTuple):
    """All entries, frozen."""

    order: Frozen
    entries: tuple[dict[str, Entry], ...]


class Agenda:
    """One time for each record that something will happen to."""

    __slots__ = ("_entries", "_order", "_undo")

    def __init__(self, undo: Undo) -> None:
        self._undo = undo
        self._order = Order(undo)
        self._entries: Layers[Entry] = Layers(undo)

    def __bool__(self) -> bool:
        return bool(self._order.count)

    def put(self, family: str, key: str, at_s: float) -> None:
        """Let something happen to a record at a time, to the millisecond, in the place of what was to happen before."""
        self.drop(family, key)
        name = f"{family}/{key}"
        # Counted down from the end of time: the order gives out its last entries first, and what is due first must be that.
        entry: Entry = (f"{10**_DIGITS - floor(at_s * 1000):0{_DIGITS + 1}}", 0, name)
        self._order.insert(entry)
        self._entries.put(name, entry)

    def drop(self, family: str, key: str) -> None:
        """Let nothing happen to a record; nothing is done when nothing was to."""
        name = f"{family}/{key}"
        entry = self._entries.get(name)
        if entry is not None:
            self._order.remove(entry)
            self._entries.remove(name)

    def amend(self, gone: Iterable[str], put: Mapping[str, str]) -> None:
        """Take out and put in what `difference` tells of: entries by their names, with what they are sorted by."""
        for name in (*gone, *put):
            entry = self._entries.get(name)
            if entry is not None:
                self._order.remove(entry)
                self._entries.remove(name)
        for name, sorted_by in put.items():
            entry = (sorted_by, 0, name)
            self._order.insert(entry)
            self._entries.put(name, entry)

    def next(self) -> Due | None:
        """Return what is due first, None when nothing ever will be."""
        if not self._order.count:
            return None
        name = self._order.newest(0, 1)[0]
        entry = self._entries.get(name)
        assert entry is not None, "the order and the entries disagree"
        family, _, key = name.partition("/")
        return Due((10**_DIGITS - int(entry[0])) / 1000, family, key)

    def freeze(self) -> State:
        """Return all entries, to be shared."""
        return State(self._order.freeze(), self._entries.freeze())

    def thaw(self, state: State | None) -> None:
        """Take over what another agenda has frozen, or nothing."""
        order, entries = state or State(NOTHING, ())
        self._order.thaw(order)
        self._entries.thaw(entries)
