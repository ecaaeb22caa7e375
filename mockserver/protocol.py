"""uvicorn's protocols: that of WebSockets with quiet refusals, that of HTTP with head and body of a reply in one write.

uvicorn writes the head as soon as it has it. Each write is a system call that wakes the client, twice for every reply:
a fifth of all the time that a small reply takes. Here the head waits for what is written next in the same step of the
event loop; a body that comes later (a stream) does not hold it up.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any
from weakref import WeakMethod

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from mockserver.call import BREAK_OFF


class HeldTransport:
    """A transport that holds the head of a reply until the next write, or the next turn of the event loop."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write, or hold what is a head."""
        if self._held:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        elif data[:5] == b"HTTP/" and data[-4:] == b"\r\n\r\n":
            self._held = data
            self._loop.call_soon(self.flush)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            data, self._held = self._held, b""
            self._transport.write(data)

    def close(self) -> None:
        """Write what is held, and close."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol on a `HeldTransport`. A reply may be broken off, which uvicorn by itself reports as an error."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Serve a connection."""
        super().connection_made(transport)
        self._held = HeldTransport(transport, self.loop)
        self.transport = self._held  # type: ignore[assignment]  # it has all that uvicorn calls of a transport

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        # Weakly: a circle would keep each request, body and all, until the garbage collector comes round.
        self.scope["extensions"] = {BREAK_OFF: WeakMethod(self._break_off)}  # type: ignore[dict-item]  # ours is a function

    def _break_off(self, garbage: bytes = b"", *, reset: bool = False) -> None:
        """Close the connection in the midst of a reply, behind bytes that are no HTTP; or reset it."""
        self.cycle.disconnected = True
        if garbage:
            self._held.write(garbage)
        if not reset:
            self._held.close()
            return
        self._held.flush()
        _reset(self._held)

    def handle_websocket_upgrade(self) -> None:
        """Hand the bare transport over."""
        self._held.flush()
        self.transport = self._held._transport
        super().handle_websocket_upgrade()


def _reset(transport: Any) -> None:
    connection = transport.get_extra_info("socket")
    # To linger for no time is to reset: what the peer has not acknowledged is thrown away.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class RefusingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol of WebSockets. One may be refused or broken off, which uvicorn by itself reports as an error."""

    async def run_asgi(self) -> None:
        """Serve the WebSocket."""
        self.scope["extensions"][BREAK_OFF] = WeakMethod(self._break_off)  # type: ignore[assignment]  # as above
        await super().run_asgi()

    def _break_off(self, garbage: bytes = b"", *, reset: bool = False) -> None:
        """Close the connection in the place of a handshake, behind bytes that are no HTTP; or reset it."""
        self.handshake_complete = True
        if garbage:
            self.transport.write(garbage)
        if reset:
            _reset(self.transport)
        else:
            self.transport.close()

    async def send(self, message: Any) -> None:
        """Send a message; the last one of a refusal completes the handshake."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
