"""A collection of records with its indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from mockserver.values import JSON, Record
from mockserver.world.layers import Layers, Undo
from mockserver.world.order import NOTHING, Entry, Frozen, Groups, Order


class Duplicate(Exception):
    """A record has a value that must be unique and is taken: `field` and `value` say which."""

    def __init__(self, field: str, value: str) -> None:
        super().__init__(f"{field} {value!r} is taken")
        self.field = field
        self.value = value


@dataclass(frozen=True)
class Layout:
    """How the records of a collection are found.

    `key`: the field that identifies a record. `order`: the field that lists are sorted by, newest first; records with
    the same value (or without the field) follow their arrival. `groups`: fields by which lists are filtered without
    a scan. `unique`: fields whose value no two records share; a list value counts item by item.
    """

    key: str = "id"
    order: str = "created_at"
    groups: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()


Row: TypeAlias = tuple[Entry, Record]

Change: TypeAlias = tuple[str, str, Record | None, Record | None]
"""What was written: the name of a collection, the key of a record, the record before (None when there was none) and after."""


class Place(NamedTuple):
    """Where a record stands, or stood before it was taken out: how many come `before` it, and whether it `is_there`."""

    before: int
    is_there: bool


class State(NamedTuple):
    """All that a collection holds, frozen: shared by all worlds that come from it. Indexes follow the layout's fields."""

    rows: tuple[dict[str, Row], ...]
    order: Frozen
    groups: tuple[tuple[dict[str, Frozen], ...], ...]
    unique: tuple[tuple[dict[str, str], ...], ...]
    arrivals: int
    gone: tuple[dict[str, Entry], ...]


class Collection:
    """Records by key, in order, by group and by unique value. Records are never changed in place, only replaced.

    What is written is noted in `changes`, which belongs to the world, as `undo` does. `arrivals` is how many records were ever
    put in: the number of the next one, and 0 as long as there was none.
    """

    __slots__ = ("_changes", "_gone", "_groups", "_order", "_rows", "_undo", "_unique", "arrivals", "layout", "name")

    def __init__(self, name: str, layout: Layout, undo: Undo, changes: list[Change]) -> None:
        self.name = name
        self.layout = layout
        self._undo = undo
        self._changes = changes
        self._rows: Layers[Row] = Layers(undo)
        self._gone: Layers[Entry] = Layers(undo)  # where records stood that were taken out, for cursors that name them
        self._order = Order(undo)
        self._groups = tuple((field, Groups(undo)) for field in layout.groups)
        self._unique: tuple[tuple[str, Layers[str]], ...] = tuple((field, Layers(undo)) for field in layout.unique)
        self.arrivals = 0

    def __len__(self) -> int:
        return self._order.count

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def get(self, key: str) -> Record | None:
        """Return the record with this key, or None."""
        row = self._rows.get(key)
        return None if row is None else row[1]

    def find(self, field: str, value: str) -> Record | None:
        """Return the record whose unique field has this value, or None. KeyError when the field is no index."""
        for name, index in self._unique:
            if name == field:
                key = index.get(value)
                return None if key is None else self.get(key)
        raise KeyError(f"{self.name} has no unique index on {field}")

    def add(self, record: Record) -> None:
        """Put a new record in. Raises `Duplicate` when its key or a unique value is taken; nothing is changed then."""
        layout = self.layout
        key = record[layout.key]
        if key in self._rows:
            raise Duplicate(layout.key, key)
        entry: Entry = (record.get(layout.order) or "", self.arrivals, key)
        for field, index in self._unique:
            self._check(index, field, record.get(field), key)
        for field, index in self._unique:
            for each in _values(record.get(field)):
                index.put(each, key)
        for field, groups in self._groups:
            value = record.get(field)
            if value is not None:
                groups.insert(value, entry)
        self._rows.put(key, (entry, record))
        self._order.insert(entry)
        self.arrivals += 1  # never taken back: arrivals only need to ascend
        self._changes.append((self.name, key, None, record))

    def replace(self, record: Record) -> None:
        """Put a record in the place of the one with its key; KeyError when there is none. Raises `Duplicate`."""
        key = record[self.layout.key]
        row = self._rows.get(key)
        if row is None:
            raise KeyError(key)
        old_entry, old = row
        entry: Entry = (record.get(self.layout.order) or "", old_entry[1], key)
        moved = entry != old_entry
        for field, index in self._unique:
            self._check(index, field, record.get(field), key)
        for field, index in self._unique:
            before, now = old.get(field), record.get(field)
            if before != now:
                for each in _values(now):
                    index.put(each, key)
                for value in set(_values(before)) - set(_values(now)):
                    index.remove(value)
        if moved:
            self._order.remove(old_entry)
            self._order.insert(entry)
        for field, groups in self._groups:
            before, now = old.get(field), record.get(field)
            if moved or before != now:
                if before is not None:
                    groups.remove(before, old_entry)
                if now is not None:
                    groups.insert(now, entry)
        self._rows.put(key, (entry, record))
        self._changes.append((self.name, key, old, record))

    def remove(self, key: str) -> Record:
        """Take a record out and return it; KeyError when there is none."""
        row = self._rows.get(key)
        if row is None:
            raise KeyError(key)
        self._order.remove(row[0])
        self._gone.put(key, row[0])
        return self._forget(key, row)

    def drop_oldest(self, count: int) -> None:
        """Take out the `count` records that lists show last, at little more than the cost of taking out one."""
        for key in self._order.drop(count):
            row = self._rows.get(key)
            assert row is not None, "an order and its rows disagree"
            self._forget(key, row)

    def amend(
        self, gone: Iterable[str], put: Mapping[str, tuple[int, Record]], left: Mapping[str, Entry], arrivals: int
    ) -> None:
        """Take out and put in what `difference` tells of.

        `put` holds records with the numbers of their arrival, `left` where records stood that were taken out. Raises
        KeyError for a key that is not there, and when a record has another key than it is told to have.
        """
        layout = self.layout
        for key in (*gone, *(key for key in put if key in self._rows)):
            row = self._rows.get(key)
            if row is None:
                raise KeyError(key)
            self._order.remove(row[0])
            self._forget(key, row)
        for key, (arrival, record) in put.items():
            if record[layout.key] != key:
                raise KeyError(key)
            entry: Entry = (record.get(layout.order) or "", arrival, key)
            for field, index in self._unique:
                for each in _values(record.get(field)):
                    index.put(each, key)
            for field, groups in self._groups:
                if record.get(field) is not None:
                    groups.insert(record[field], entry)
            self._rows.put(key, (entry, record))
            self._order.insert(entry)
        for key, entry in left.items():
            self._gone.put(key, entry)
        self.arrivals = arrivals

    def page(self, offset: int, limit: int | None, **group: str) -> tuple[list[Record], int]:
        """Return records, newest first, after the first `offset`, and how many there are without paging.

        At most one group: `page(0, 20, workspace_id=…)`. `limit` None gives all the rest.
        """
        order = self._ordered(group)
        count = order.count
        return self._records(order.newest(offset, count if limit is None else limit)), count

    def place(self, key: str, **group: str) -> Place | None:
        """Return the place of a record among all or those of one group, newest first; None when it was never there.

        A record that was taken out keeps its place, so that a cursor on it still leads on.
        """
        row = self._rows.get(key)
        entry = self._gone.get(key) if row is None else row[0]
        return None if entry is None else Place(self._ordered(group).rank(entry), row is not None)

    def newest(self, **group: str) -> Iterator[Record]:
        """All records, or those of one group, newest first, as they are when the iteration begins."""
        order = self._ordered(group)
        return iter(self._records(order.newest(0, order.count)))

    def between(self, low: str, high: str, **group: str) -> list[Record]:
        """Return the records, or those of one group, whose order field lies from `low` on and below `high`, newest first."""
        return self._records(self._ordered(group).between(low, high))

    def count(self, **group: str) -> int:
        """How many records there are, or how many of one group."""
        return self._ordered(group).count

    def since(self, arrivals: int) -> list[Record]:
        """Return the records that were put in after so many others and are still there, newest first."""
        return self._records(self._order.arrived(arrivals))

    def freeze(self) -> State:
        """Return all that the collection holds, to be shared."""
        return State(
            self._rows.freeze(),
            self._order.freeze(),
            tuple(groups.freeze() for _, groups in self._groups),
            tuple(index.freeze() for _, index in self._unique),
            self.arrivals,
            self._gone.freeze(),
        )

    def thaw(self, state: State | None) -> None:
        """Take over what another collection of this layout has frozen, or nothing."""
        rows, order, groups, unique, arrivals, gone = state or State((), NOTHING, (), (), 0, ())
        self._rows.thaw(rows)
        self._gone.thaw(gone)
        self._order.thaw(order)
        for at, (_, each) in enumerate(self._groups):
            each.thaw(groups[at] if groups else ())
        for at, (_, index) in enumerate(self._unique):
            index.thaw(unique[at] if unique else ())
        self.arrivals = arrivals

    def _forget(self, key: str, row: Row) -> Record:
        """Take a record out of all but the order of the collection."""
        entry, record = row
        for field, index in self._unique:
            for value in _values(record.get(field)):
                index.remove(value)
        for field, groups in self._groups:
            if record.get(field) is not None:
                groups.remove(record[field], entry)
        self._rows.remove(key)
        self._changes.append((self.name, key, record, None))
        return record

    def _ordered(self, group: dict[str, str]) -> Order:
        if not group:
            return self._order
        ((field, value),) = group.items()
        for name, groups in self._groups:
            if name == field:
                return groups.order(value)
        raise KeyError(f"{self.name} has no group index on {field}")

    def _records(self, keys: list[str]) -> list[Record]:
        get: Any = self._rows.get
        return [get(key)[1] for key in keys]

    def _check(self, index: Layers[str], field: str, value: JSON, key: str) -> None:
        for each in _values(value):
            holder = index.get(each)
            if holder is not None and holder != key:
                raise Duplicate(field, each)


def _values(value: JSON) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)
