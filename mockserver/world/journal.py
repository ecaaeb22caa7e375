"""What was called: a bounded ring of calls with their verdicts, and beside it one of what a service would have told people."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from mockserver.values import Record

CAPACITY = 10_000
BODY_LIMIT = 65_536
"""Bytes of a body that an entry keeps; the rest is cut off, and the entry says so by the sizes."""

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


class Entry(NamedTuple):
    """One call. Bodies are raw and may hold secrets: only `control` shows entries, with secrets taken out.

    `at_s` is the time of the world, `duration_us` that of the machine. Headers are packed, see `pack`. The violations are
    the contract's, in its own form.
    """

    number: int
    at_s: float
    method: str
    path: str
    query: bytes
    operation: str | None
    status: int
    duration_us: int
    problem: str | None
    violations: tuple[Any, ...]
    request_headers: bytes
    request_body: bytes
    request_size: int
    reply_headers: bytes
    reply_body: bytes
    reply_size: int


class Event(NamedTuple):
    """Something that the service would have done towards people: a mail. Nothing is sent; it is written down.

    `request` is the number of the call that brought it about, `details` is plain JSON.
    """

    request: int
    at_s: float
    kind: str
    details: Record


class Journal:
    """The newest calls of a world, older ones are dropped and counted; and the newest events.

    An entry is kept as a plain tuple of plain values: ten thousand of them must not slow down the garbage collector.
    """

    __slots__ = ("_ring", "capacity", "dropped", "events", "next_number")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._ring: deque[tuple[Any, ...]] = deque(maxlen=capacity)
        self.events: deque[Event] = deque(maxlen=capacity)
        self.capacity = capacity
        self.dropped = 0
        self.next_number = 1

    def __len__(self) -> int:
        return len(self._ring)

    def append(
        self,
        at_s: float,
        method: str,
        path: str,
        query: bytes,
        operation: str | None,
        status: int,
        duration_us: int,
        problem: str | None,
        violations: tuple[Any, ...],
        request_headers: Headers,
        request_body: bytes,
        reply_headers: Headers,
        reply_body: bytes,
    ) -> None:
        """Add a call; the oldest goes when the ring is full. Fields as in `Entry`."""
        ring = self._ring
        if len(ring) == self.capacity:
            self.dropped += 1
        number = self.next_number
        self.next_number = number + 1
        request_size, reply_size = len(request_body), len(reply_body)
        ring.append(
            (
                number,
                at_s,
                method,
                path,
                query,
                operation,
                status,
                duration_us,
                problem,
                violations,
                pack(request_headers),
                request_body if request_size <= BODY_LIMIT else request_body[:BODY_LIMIT],
                request_size,
                pack(reply_headers),
                reply_body if reply_size <= BODY_LIMIT else reply_body[:BODY_LIMIT],
                reply_size,
            )
        )

    def get(self, number: int) -> Entry | None:
        """Return the call with this number, or None when it is unknown or dropped."""
        if not self._ring:
            return None
        place = number - self._ring[0][0]
        return Entry(*self._ring[place]) if 0 <= place < len(self._ring) else None

    def newest(self) -> Iterator[Entry]:
        """All calls kept, newest first."""
        return (Entry(*entry) for entry in reversed(self._ring))

    def clear(self) -> None:
        """Forget all calls and events; numbers go on, the count of dropped ones starts anew."""
        self._ring.clear()
        self.events.clear()
        self.dropped = 0


def pack(headers: Headers) -> bytes:
    """Put headers into one text: names and values by turns, a line each (neither can hold a line's end)."""
    return b"\n".join([part for pair in headers for part in pair])


def unpack(headers: bytes) -> list[tuple[str, str]]:
    """Return the names and values of packed headers."""
    parts = headers.decode("latin-1").split("\n") if headers else []
    return list(zip(parts[::2], parts[1::2], strict=True))
