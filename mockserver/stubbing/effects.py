"""What a fault does to a reply on its way out: later, slower, cut, reset, damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from mockserver import values
from mockserver.contract.replies import Duplex, Piece, Reply, Stream
from mockserver.world.ids import Ids
from mockserver.world.world import World

_SLICES_PER_S = 20
"""How often a slow body writes, at most."""


def delayed(reply: Reply, delay_ms: float, world: World) -> Reply:
    """The reply, so much later than it would leave."""
    if not delay_ms:
        return reply
    since_s = world.clock.seconds() if reply.due_s is None else reply.due_s
    due_s = since_s + delay_ms / 1000
    if isinstance(reply.body, Stream):
        reply.body.pieces = _later(reply.body.pieces, delay_ms / 1000)
    return replace(reply, due_s=due_s)


def _later(pieces: Iterable[Piece], by_s: float) -> Iterator[Piece]:
    for piece in pieces:
        yield piece if piece.due_s is None else Piece(piece.data, piece.due_s + by_s)


def reset(reply: Reply) -> Reply:
    """Nothing but a connection that is reset."""
    return replace(reply, body=Stream((), cut=True, headless=True, reset=True))


def empty(reply: Reply) -> Reply:
    """Nothing but a connection that is closed."""
    return replace(reply, body=Stream((), cut=True, headless=True))


def garbage(reply: Reply, chance: Ids) -> Reply:
    """Bytes that are no HTTP, and a connection that is closed."""
    return replace(reply, body=Stream((), cut=True, headless=True, garbage=chance.draw()))


def bad_chunk(reply: Reply, chance: Ids) -> Reply:
    """Status and headers, then what is no chunk, and a connection that is closed."""
    return replace(reply, body=Stream((), cut=True, garbage=b"\x00" + chance.draw()))


def slow(reply: Reply, bytes_per_s: float, world: World) -> Reply:
    """The body, at so many bytes a second of the world's clock."""
    size = max(1, int(bytes_per_s / _SLICES_PER_S))

    def sliced(pieces: Iterable[Piece]) -> Iterator[Piece]:
        start_s, sent = _start_s(reply, world), 0
        for piece in pieces:
            for at in range(0, len(piece.data), size):
                data = piece.data[at : at + size]
                sent += len(data)
                yield Piece(data, max(start_s + sent / bytes_per_s, piece.due_s or 0))

    return _paced(reply, sliced)


def dribbled(reply: Reply, chunks: int, total_ms: float, world: World) -> Reply:
    """The body in so many chunks, spread over a time, as WireMock's `chunkedDribbleDelay` has it."""
    if isinstance(reply.body, Duplex):
        return reply
    body = content(reply)
    size = max(1, -(-len(body) // chunks))
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    pause_s = total_ms / 1000 / max(len(parts), 1)
    start_s = _start_s(reply, world)
    pieces = [Piece(part, start_s + (at + 1) * pause_s) for at, part in enumerate(parts)]
    return replace(reply, body=Stream(pieces))


def cut(reply: Reply, after_bytes: int, *, by_reset: bool) -> Reply:
    """The first bytes of the body, then a connection that is closed or reset. A short body goes out whole before that."""
    if isinstance(reply.body, Stream):
        return replace(reply, body=Stream(_first_bytes(reply.body.pieces, after_bytes), cut=True, reset=by_reset))
    body = content(reply)
    if not body:
        return reset(reply) if by_reset else empty(reply)
    sent = body[:after_bytes]
    length = max(len(body), len(sent) + 1)  # more is always announced than comes
    return replace(reply, body=Stream((Piece(sent),) if sent else (), cut=True, reset=by_reset, length=length))


def _first_bytes(pieces: Iterable[Piece], count: int) -> Iterator[Piece]:
    for piece in pieces:
        if count <= 0:
            return
        yield Piece(piece.data[:count], piece.due_s)
        count -= len(piece.data)


def truncated(reply: Reply) -> Reply:
    """Half of the body, where the whole was announced; of a stream the first piece, without the end of one."""
    if isinstance(reply.body, Stream):
        return half(reply, 1)
    return cut(reply, len(content(reply)) // 2, by_reset=False)


def malformed(reply: Reply) -> Reply:
    """A body that is no JSON, in a message that is whole; of a stream every event is."""
    if isinstance(reply.body, Stream):
        pieces = (Piece(_spoilt(piece.data), piece.due_s) for piece in reply.body.pieces)
        return replace(reply, body=Stream(pieces, cut=reply.body.cut))
    return replace(reply, body=content(reply)[:-1] + b",,")


def _spoilt(event: bytes) -> bytes:
    end = len(event.rstrip(b"\r\n"))
    return event[: max(end - 1, 0)] + b",," + event[end:]


def half(reply: Reply, after_events: int) -> Reply:
    """The first events of a stream, then a connection that is closed. What is no stream stays as it is."""
    if not isinstance(reply.body, Stream):
        return reply
    return replace(reply, body=Stream(_first(reply.body.pieces, after_events), cut=True))


def _first(pieces: Iterable[Piece], count: int) -> Iterator[Piece]:
    for at, piece in enumerate(pieces):
        if at >= count:
            return
        yield piece


def content(reply: Reply) -> bytes:
    """The bytes of a body that is no stream."""
    if reply.status == 204:
        return b""
    return reply.body if isinstance(reply.body, bytes) else values.dump(reply.body)


def _paced(reply: Reply, pace: Callable[[Iterable[Piece]], Iterator[Piece]]) -> Reply:
    if isinstance(reply.body, Stream):
        return replace(reply, body=Stream(pace(reply.body.pieces), cut=reply.body.cut))
    body = content(reply)
    return replace(reply, body=Stream(pace((Piece(body),)), length=len(body)))


def _start_s(reply: Reply, world: World) -> float:
    return world.clock.seconds() if reply.due_s is None else reply.due_s
