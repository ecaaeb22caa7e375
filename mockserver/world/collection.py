"""A collection of records with its indexes, copy-on-write.

All state of a collection is one immutable `State`; a copy of it is a snapshot, and putting it back undoes everything
since. Hash maps come from `rpds` (in the tree through jsonschema), ordered indexes from `order`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from rpds import HashTrieMap

from mockserver.values import JSON, Record
from mockserver.world.order import Entry, Order


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


class State(NamedTuple):
    """All that a collection holds. `groups` and `unique` follow the layout's fields."""

    rows: HashTrieMap[str, Row]
    order: Order
    groups: tuple[HashTrieMap[str, Order], ...]
    unique: tuple[HashTrieMap[str, str], ...]
    arrivals: int


class Collection:
    """Records by key, in order, by group and by unique value.

    `state` may be read and set: that is how worlds fork, snapshot, restore and undo.
    """

    __slots__ = ("layout", "name", "state")

    def __init__(self, name: str, layout: Layout, state: State | None = None) -> None:
        self.name = name
        self.layout = layout
        self.state = state or State(
            HashTrieMap(),
            Order(),
            tuple(HashTrieMap() for _ in layout.groups),
            tuple(HashTrieMap() for _ in layout.unique),
            0,
        )

    def __len__(self) -> int:
        return self.state.order.count

    def __contains__(self, key: str) -> bool:
        return key in self.state.rows

    def get(self, key: str) -> Record | None:
        """Return the record with this key, or None."""
        row = self.state.rows.get(key)
        return None if row is None else row[1]

    def find(self, field: str, value: str) -> Record | None:
        """Return the record whose unique field has this value, or None. KeyError when the field is no index."""
        key = self.state.unique[self._unique(field)].get(value)
        return None if key is None else self.get(key)

    def add(self, record: Record) -> None:
        """Put a new record in. Raises `Duplicate` when its key or a unique value is taken."""
        state, layout = self.state, self.layout
        key = record[layout.key]
        if key in state.rows:
            raise Duplicate(layout.key, key)
        entry: Entry = (record.get(layout.order) or "", state.arrivals, key)
        unique = tuple(
            _claim(index, field, (), _values(record.get(field)), key)
            for field, index in zip(layout.unique, state.unique, strict=True)
        )
        groups = tuple(
            _join(index, record.get(field), entry) for field, index in zip(layout.groups, state.groups, strict=True)
        )
        self.state = State(
            state.rows.insert(key, (entry, record)), state.order.insert(entry), groups, unique, state.arrivals + 1
        )

    def replace(self, record: Record) -> None:
        """Put a record in the place of the one with its key; KeyError when there is none. Raises `Duplicate`."""
        state, layout = self.state, self.layout
        key = record[layout.key]
        old_entry, old = state.rows[key]
        entry: Entry = (record.get(layout.order) or "", old_entry[1], key)
        order = state.order if entry == old_entry else state.order.remove(old_entry).insert(entry)
        unique = tuple(
            _claim(index, field, _values(old.get(field)), _values(record.get(field)), key)
            for field, index in zip(layout.unique, state.unique, strict=True)
        )
        groups = tuple(
            index
            if entry == old_entry and record.get(field) == old.get(field)
            else _join(_leave(index, old.get(field), old_entry), record.get(field), entry)
            for field, index in zip(layout.groups, state.groups, strict=True)
        )
        self.state = State(state.rows.insert(key, (entry, record)), order, groups, unique, state.arrivals)

    def remove(self, key: str) -> Record:
        """Take a record out and return it; KeyError when there is none."""
        state, layout = self.state, self.layout
        entry, record = state.rows[key]
        unique = tuple(
            _claim(index, field, _values(record.get(field)), (), key)
            for field, index in zip(layout.unique, state.unique, strict=True)
        )
        groups = tuple(
            _leave(index, record.get(field), entry) for field, index in zip(layout.groups, state.groups, strict=True)
        )
        self.state = State(state.rows.remove(key), state.order.remove(entry), groups, unique, state.arrivals)
        return record

    def page(self, offset: int, limit: int | None, **group: str) -> tuple[list[Record], int]:
        """Return records, newest first, after the first `offset`, and how many there are without paging.

        At most one group: `page(0, 20, workspace_id=…)`. `limit` None gives all the rest.
        """
        order = self._order(group)
        size = order.count if limit is None else limit
        rows = self.state.rows
        return [rows[key][1] for key in order.newest(offset, size)], order.count

    def newest(self, **group: str) -> Iterator[Record]:
        """All records, or those of one group, newest first."""
        rows = self.state.rows
        return (rows[key][1] for key in self._order(group))

    def count(self, **group: str) -> int:
        """How many records there are, or how many of one group."""
        return self._order(group).count

    def _order(self, group: dict[str, str]) -> Order:
        if not group:
            return self.state.order
        ((field, value),) = group.items()
        index = self.state.groups[self.layout.groups.index(field)]
        return index.get(value) or _NO_ORDER

    def _unique(self, field: str) -> int:
        try:
            return self.layout.unique.index(field)
        except ValueError:
            raise KeyError(f"{self.name} has no unique index on {field}") from None


_NO_ORDER = Order()


def _values(value: JSON) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _claim(
    index: HashTrieMap[str, str], field: str, old: Iterable[str], new: Iterable[str], key: str
) -> HashTrieMap[str, str]:
    if old == new:
        return index
    for value in old:
        index = index.remove(value)
    for value in new:
        if value in index:
            raise Duplicate(field, value)
        index = index.insert(value, key)
    return index


def _join(index: HashTrieMap[str, Order], value: JSON, entry: Entry) -> HashTrieMap[str, Order]:
    if value is None:
        return index
    return index.insert(value, (index.get(value) or _NO_ORDER).insert(entry))


def _leave(index: HashTrieMap[str, Order], value: JSON, entry: Entry) -> HashTrieMap[str, Order]:
    if value is None:
        return index
    order = index[value].remove(entry)
    return index.insert(value, order) if order.count else index.remove(value)
