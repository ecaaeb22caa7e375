"""What was called: a bounded ring of calls with their verdicts, and beside it one of what a service would have told people."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from mockserver.values import Record

CAPACITY = 10_000
BODY_LIMIT = 65_536
"""Bytes of a body that an entry keeps; the rest is cut off, and the entry says so by the sizes."""

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


class Entry(NamedTuple):
    """One call. Bodies are raw and may hold secrets: only `control` shows entries, with secrets taken out.

    `at_s` is the time of the world at the reply, `due_s` the one before which the reply might not leave; `started` is the
    machine's (`time.perf_counter`), as is `duration_us`. Headers are packed, see `pack`. The violations are the contract's,
    in its own form. `path_values` are those of the operation's path parameters, in the order of the template. `caller` is the
    id and the name of whose key it was. `stub` is the kind of stub that was run, None when it did not come to that, `mapping`
    and `fault` the ids of a tester's own. `checked` tells that the request kept the contract. Of a stream, `chunks` is how many
    pieces went out, and `ending` is `whole`, `cut` (broken off by the stub), `spoilt` (a body that nobody can read) or `left`
    (by the client). `forborne` tells that a tester wanted a reply which is not held to the contract.
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
    detail: str | None = None
    path_values: tuple[str, ...] = ()
    caller: tuple[str, str] | None = None
    stub: str | None = None
    mapping: str | None = None
    fault: str | None = None
    checked: bool = False
    due_s: float | None = None
    started: float = 0.0
    chunks: int | None = None
    ending: str | None = None
    forborne: bool = False


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
    `learnt` is the number of the last call that was searched for secrets. `losses` says how often calls were taken away, for
    who counts them as they come.
    """

    __slots__ = ("_ring", "capacity", "dropped", "events", "learnt", "losses", "next_number")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._ring: deque[tuple[Any, ...]] = deque(maxlen=capacity)
        self.events: deque[Event] = deque(maxlen=capacity)
        self.capacity = capacity
        self.dropped = 0
        self.next_number = 1
        self.learnt = 0
        self.losses = 0

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
        request_headers: bytes,
        request_body: bytes,
        reply_headers: bytes,
        reply_body: bytes,
        detail: str | None = None,
        path_values: tuple[str, ...] = (),
        caller: tuple[str, str] | None = None,
        stub: str | None = None,
        mapping: str | None = None,
        fault: str | None = None,
        checked: bool = False,
        due_s: float | None = None,
        started: float = 0.0,
        chunks: int | None = None,
        ending: str | None = None,
        request_size: int | None = None,
        reply_size: int | None = None,
        forborne: bool = False,
    ) -> int:
        """Add a call and return its number; the oldest goes when the ring is full. Fields as in `Entry`.

        The sizes are those of bodies of which only the beginning is given.
        """
        ring = self._ring
        if len(ring) == self.capacity:
            self.dropped += 1
        number = self.next_number
        self.next_number = number + 1
        if request_size is None:
            request_size = len(request_body)
        if reply_size is None:
            reply_size = len(reply_body)
        # A copy: texts that orjson writes hold on to several times their size.
        kept_body = memoryview(reply_body)[:BODY_LIMIT].tobytes()
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
                request_headers,
                request_body if request_size <= BODY_LIMIT else request_body[:BODY_LIMIT],
                request_size,
                reply_headers,
                kept_body,
                reply_size,
                detail,
                path_values,
                caller,
                stub,
                mapping,
                fault,
                checked,
                due_s,
                started,
                chunks,
                ending,
                forborne,
            )
        )
        return number

    def amend(self, number: int, **fields: Any) -> None:
        """Replace fields of a call that still goes on. Bodies are kept as they are given. One that was dropped stays so."""
        entry = self.get(number)
        if entry is not None:
            self._ring[number - self._ring[0][0]] = tuple(entry._replace(**fields))

    def get(self, number: int) -> Entry | None:
        """Return the call with this number, or None when it is unknown or dropped."""
        for entry in list(self._ring):  # a place cannot be reckoned, since calls may be removed
            if entry[0] >= number:
                return Entry(*entry) if entry[0] == number else None
        return None

    def newest(self) -> Iterator[Entry]:
        """All calls kept, newest first."""
        return (Entry(*entry) for entry in reversed(list(self._ring)))  # a copy: other threads may add calls meanwhile

    def oldest(self) -> Iterator[Entry]:
        """All calls kept, oldest first."""
        return (Entry(*entry) for entry in list(self._ring))

    def remove(self, numbers: Collection[int]) -> None:
        """Forget these calls; the others keep their numbers."""
        kept = [entry for entry in self._ring if entry[0] not in numbers]
        self._ring.clear()
        self._ring.extend(kept)
        self.losses += 1

    def clear(self) -> None:
        """Forget all calls and events; numbers go on, the count of dropped ones starts anew."""
        self._ring.clear()
        self.events.clear()
        self.dropped = 0
        self.losses += 1


def pack(headers: Headers) -> bytes:
    """Put headers into one text: names and values by turns, a line each (neither can hold a line's end)."""
    return b"\n".join(chain.from_iterable(headers))


def unpack(headers: bytes) -> list[tuple[str, str]]:
    """Return the names and values of packed headers."""
    parts = headers.decode("latin-1").split("\n") if headers else []
    return list(zip(parts[::2], parts[1::2], strict=True))
