"""What was called: a bounded ring of calls with their verdicts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from mockserver.values import JSON

CAPACITY = 10_000
BODY_LIMIT = 65_536
"""Bytes of a body that an entry keeps; the rest is cut off, and the entry says so by the sizes."""


@dataclass(slots=True)
class Entry:
    """One call. Bodies are raw and may hold secrets: only `control` shows entries, with secrets taken out."""

    number: int
    at_s: float
    method: str
    path: str
    query: str
    operation: str | None
    status: int
    duration_us: int
    request_headers: list[tuple[bytes, bytes]]
    request_body: bytes
    reply_headers: list[tuple[bytes, bytes]]
    reply_body: bytes
    problem: str | None = None
    violations: list[JSON] = field(default_factory=list)
    request_size: int = 0
    reply_size: int = 0


class Journal:
    """The newest calls of a world; older ones are dropped and counted."""

    __slots__ = ("_entries", "dropped", "next_number")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self.dropped = 0
        self.next_number = 1

    @property
    def capacity(self) -> int:
        """How many calls fit."""
        return self._entries.maxlen or 0

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: Entry) -> None:
        """Add a call; the oldest goes when the ring is full."""
        entries = self._entries
        if len(entries) == entries.maxlen:
            self.dropped += 1
        entry.number = self.next_number
        self.next_number += 1
        entry.request_size = len(entry.request_body)
        entry.reply_size = len(entry.reply_body)
        if entry.request_size > BODY_LIMIT:
            entry.request_body = entry.request_body[:BODY_LIMIT]
        if entry.reply_size > BODY_LIMIT:
            entry.reply_body = entry.reply_body[:BODY_LIMIT]
        entries.append(entry)

    def get(self, number: int) -> Entry | None:
        """Return the call with this number, or None when it is unknown or dropped."""
        if not self._entries:
            return None
        place = number - self._entries[0].number
        return self._entries[place] if 0 <= place < len(self._entries) else None

    def newest(self) -> Iterator[Entry]:
        """All calls kept, newest first."""
        return reversed(self._entries)

    def clear(self) -> None:
        """Forget all calls; numbers go on, the count of dropped ones starts anew."""
        self._entries.clear()
        self.dropped = 0
