"""A sorted sequence that lists page from, cheap to append to and cheap to copy.

Entries that were there at the last copy lie in frozen chunks that copies share; newer ones in a list of its own. So an
append costs the same at ten entries and at a million, and so does a page.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from mockserver.world.layers import Undo

Entry: TypeAlias = tuple[str, int, str]
"""What is sorted by, the number of arrival (which breaks ties), the key of the record."""

Chunk: TypeAlias = list[Entry]

_CHUNK = 1024


class Frozen(NamedTuple):
    """The contents of an order: chunks that nobody changes, in ascending order, and how many entries they hold."""

    chunks: tuple[Chunk, ...]
    size: int


NOTHING = Frozen((), 0)


class Order:
    """Entries in ascending order."""

    __slots__ = ("_frozen", "_own", "_undo")

    def __init__(self, undo: Undo, frozen: Frozen = NOTHING) -> None:
        self._undo = undo
        self._frozen = frozen
        self._own: Chunk = []

    @property
    def count(self) -> int:
        """How many entries there are."""
        return self._frozen.size + len(self._own)

    def insert(self, entry: Entry) -> None:
        """Put an entry in; it must not be there."""
        own = self._own
        if own:
            if entry > own[-1]:  # nearly always: what is created now is the newest
                own.append(entry)
                self._undo.append((own.pop, ()))
                return
        elif not self._frozen.chunks or entry > self._frozen.chunks[-1][-1]:
            own.append(entry)
            self._undo.append((own.pop, ()))
            return
        if not self._frozen.chunks or entry > self._frozen.chunks[-1][-1]:
            insort(own, entry)
            self._undo.append((own.remove, (entry,)))
            return
        at = self._chunk_of(entry)
        chunk = list(self._frozen.chunks[at])
        insort(chunk, entry)
        self._replace(at, chunk, self._frozen.size + 1)

    def remove(self, entry: Entry) -> None:
        """Take an entry out; KeyError when it is not there."""
        own = self._own
        place = bisect_left(own, entry)
        if place < len(own) and own[place] == entry:
            del own[place]
            self._undo.append((own.insert, (place, entry)))
            return
        at = self._chunk_of(entry)
        chunk = list(self._frozen.chunks[at]) if at < len(self._frozen.chunks) else []
        place = bisect_left(chunk, entry)
        if place == len(chunk) or chunk[place] != entry:
            raise KeyError(entry)
        del chunk[place]
        self._replace(at, chunk, self._frozen.size - 1)

    def drop(self, count: int) -> list[str]:
        """Take the first `count` entries out, in ascending order, and return their keys. All at once costs as much as one."""
        self._undo.append((self._restore, (self._frozen, self._own)))
        entries = [*(entry for chunk in self._frozen.chunks for entry in chunk), *self._own]
        self._frozen, self._own = NOTHING, entries[count:]
        return [entry[2] for entry in entries[:count]]

    def newest(self, offset: int, limit: int) -> list[str]:
        """Return the keys of at most `limit` entries in descending order, after the first `offset`."""
        keys: list[str] = []
        for chunk in (self._own, *reversed(self._frozen.chunks)):
            size = len(chunk)
            if offset >= size:
                offset -= size
                continue
            end = size - offset
            start = max(0, end - limit)
            keys.extend([entry[2] for entry in reversed(chunk[start:end])])
            limit -= end - start
            offset = 0
            if limit <= 0:
                break
        return keys

    def between(self, low: str, high: str) -> list[str]:
        """Return the keys of the entries from `low` on and below `high`, in descending order."""
        first, end = (low, -1, ""), (high, -1, "")
        keys: list[str] = []
        for chunk in (self._own, *reversed(self._frozen.chunks)):
            if not chunk or chunk[0] >= end:
                continue
            start = bisect_left(chunk, first)
            keys.extend([entry[2] for entry in reversed(chunk[start : bisect_left(chunk, end)])])
            if start:
                break
        return keys

    def arrived(self, since: int) -> list[str]:
        """Return the keys of the entries with this number of arrival or a later one, in descending order."""
        chunks = (self._own, *reversed(self._frozen.chunks))
        return [entry[2] for chunk in chunks for entry in reversed(chunk) if entry[1] >= since]

    def rank(self, entry: Entry) -> int:
        """Return how many entries come before this one in descending order, whether it is there or not."""
        own, chunks = self._own, self._frozen.chunks
        above = len(own) - bisect_right(own, entry)
        at = self._chunk_of(entry)
        if at < len(chunks):
            above += len(chunks[at]) - bisect_right(chunks[at], entry)
            above += sum(len(chunk) for chunk in chunks[at + 1 :])
        return above

    def __iter__(self) -> Iterator[str]:
        """All keys in descending order, as they are now: changes meanwhile are not seen."""
        return iter(self.newest(0, self.count))

    def freeze(self) -> Frozen:
        """Return the contents for a copy to start from; neither side sees what the other writes from now on."""
        own, frozen = self._own, self._frozen
        if own:
            chunks = list(frozen.chunks)
            if chunks and len(chunks[-1]) + len(own) <= _CHUNK:
                own = [*chunks.pop(), *own]
            chunks.extend(own[at : at + _CHUNK] for at in range(0, len(own), _CHUNK))
            self._frozen = Frozen(tuple(chunks), self.count)
            self._own = []
        return self._frozen

    def thaw(self, frozen: Frozen) -> None:
        """Take over frozen contents in the place of all that was here."""
        self._frozen = frozen
        self._own = []

    def _replace(self, at: int, chunk: Chunk, count: int) -> None:
        chunks = self._frozen.chunks
        self._undo.append((self._set_frozen, (self._frozen,)))
        parts = (chunk,) if chunk else ()
        self._frozen = Frozen((*chunks[:at], *parts, *chunks[at + 1 :]), count)

    def _restore(self, frozen: Frozen, own: Chunk) -> None:
        self._frozen, self._own = frozen, own

    def _set_frozen(self, frozen: Frozen) -> None:
        self._frozen = frozen

    def _chunk_of(self, entry: Entry) -> int:
        # The first chunk whose last entry is not below the entry.
        chunks = self._frozen.chunks
        low, high = 0, len(chunks)
        while low < high:
            middle = (low + high) // 2
            if chunks[middle][-1] < entry:
                low = middle + 1
            else:
                high = middle
        return low


class Groups:
    """An order for each value of a field."""

    __slots__ = ("_frozen", "_own", "_undo")

    def __init__(self, undo: Undo, frozen: tuple[dict[str, Frozen], ...] = ()) -> None:
        self._undo = undo
        self._frozen = frozen
        self._own: dict[str, Order] = {}

    def order(self, value: str) -> Order:
        """Return the order of a value, to read."""
        return self._own.get(value) or Order(self._undo, self._find(value))

    def insert(self, value: str, entry: Entry) -> None:
        """Put an entry into the order of a value."""
        self._mine(value).insert(entry)

    def remove(self, value: str, entry: Entry) -> None:
        """Take an entry out of the order of a value."""
        self._mine(value).remove(entry)

    def freeze(self) -> tuple[dict[str, Frozen], ...]:
        """Return the contents for a copy to start from."""
        if self._own:
            top = {value: order.freeze() for value, order in self._own.items()}
            below = self._frozen
            while below and (len(below[0]) <= 4 * len(top) or len(below) > 8):
                top = {**below[0], **top}
                below = below[1:]
            self._frozen = (top, *below)
            self._own = {}
        return self._frozen

    def thaw(self, frozen: tuple[dict[str, Frozen], ...]) -> None:
        """Take over frozen contents."""
        self._frozen = frozen
        self._own = {}

    def _mine(self, value: str) -> Order:
        order = self._own.get(value)
        if order is None:
            order = self._own[value] = Order(self._undo, self._find(value))
            self._undo.append((self._own.pop, (value,)))
        return order

    def _find(self, value: str) -> Frozen:
        for layer in self._frozen:
            if value in layer:
                return layer[value]
        return NOTHING
