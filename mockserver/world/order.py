"""A persistent sorted sequence: an index that lists page from.

Every change returns a new `Order` that shares all but one chunk with the old one, so that a copy costs nothing and a
change costs the same at ten entries and at a million (a chunk and the tuple of chunks are copied: about a microsecond).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TypeAlias

Entry: TypeAlias = tuple[str, int, str]
"""What is sorted by, the number of arrival (which breaks ties), the key of the record."""

_CHUNK = 512


class Order:
    """Entries in ascending order, in chunks of at most 512."""

    __slots__ = ("_chunks", "count")

    def __init__(self, chunks: tuple[tuple[Entry, ...], ...] = (), count: int = 0) -> None:
        self._chunks = chunks
        self.count = count

    def insert(self, entry: Entry) -> Order:
        """Return the order with an entry more; `entry` must not be in it."""
        chunks = self._chunks
        if not chunks:
            return Order(((entry,),), 1)
        last = chunks[-1]
        if entry > last[-1]:  # nearly always: what is created now is the newest
            if len(last) < _CHUNK:
                return Order((*chunks[:-1], (*last, entry)), self.count + 1)
            return Order((*chunks, (entry,)), self.count + 1)
        at = self._chunk_of(entry)
        chunk = chunks[at]
        place = bisect_left(chunk, entry)
        grown = (*chunk[:place], entry, *chunk[place:])
        if len(grown) <= _CHUNK:
            parts: tuple[tuple[Entry, ...], ...] = (grown,)
        else:
            parts = (grown[: _CHUNK // 2], grown[_CHUNK // 2 :])
        return Order((*chunks[:at], *parts, *chunks[at + 1 :]), self.count + 1)

    def remove(self, entry: Entry) -> Order:
        """Return the order without an entry; KeyError when it is not in it."""
        chunks = self._chunks
        at = self._chunk_of(entry)
        chunk = chunks[at] if at < len(chunks) else ()
        place = bisect_left(chunk, entry)
        if place == len(chunk) or chunk[place] != entry:
            raise KeyError(entry)
        shrunk = (*chunk[:place], *chunk[place + 1 :])
        parts = (shrunk,) if shrunk else ()
        return Order((*chunks[:at], *parts, *chunks[at + 1 :]), self.count - 1)

    def newest(self, offset: int, limit: int) -> list[str]:
        """Return the keys of at most `limit` entries in descending order, after the first `offset`."""
        keys: list[str] = []
        for chunk in reversed(self._chunks):
            size = len(chunk)
            if offset >= size:
                offset -= size
                continue
            end = size - offset
            start = max(0, end - limit)
            keys.extend(entry[2] for entry in reversed(chunk[start:end]))
            limit -= end - start
            offset = 0
            if limit <= 0:
                break
        return keys

    def __iter__(self) -> Iterator[str]:
        """All keys, in descending order."""
        for chunk in reversed(self._chunks):
            for entry in reversed(chunk):
                yield entry[2]

    def _chunk_of(self, entry: Entry) -> int:
        # The first chunk whose last entry is not below the entry.
        low, high = 0, len(self._chunks)
        while low < high:
            middle = (low + high) // 2
            if self._chunks[middle][-1] < entry:
                low = middle + 1
            else:
                high = middle
        return low
