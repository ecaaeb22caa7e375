"""Transports for httpx, sync and async alike, whose calls all go to one world: without a socket, or over one.

httpx has one for ASGI applications, but it is async only and hands out a reply when it is whole; streams must come as they do
over a socket.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from mockserver.testing.exchange import END, Exchange, scope_of
from mockserver.testing.hosts import PATIENCE_S, House

_WORLDS = "/worlds/"


def path_in(world: str, url: httpx.URL) -> str:
    """Return the path of a call, query and all, in a world. An address that names a world already keeps it."""
    raw = url.raw_path.decode("ascii")
    return raw if raw.startswith(_WORLDS) else f"{_WORLDS}{world}{raw}"


class InsideTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Calls an application in this process."""

    def __init__(self, house: House, world: str) -> None:
        self._house = house
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make a call, and return when its head is there."""
        bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        exchange = Exchange(request.read(), lambda: bell.put(None))
        self._house.begin(exchange.run(self._house.app, self._scope(request)))
        stream = _Inside(exchange, self._house, lambda: bell.get(timeout=_patience(request)), request)
        return stream.response(stream.next())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make a call, and return when its head is there; under asyncio only."""
        loop, bell = asyncio.get_running_loop(), asyncio.Event()

        def ring() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(bell.set)

        exchange = Exchange(await request.aread(), ring)
        self._house.begin(exchange.run(self._house.app, self._scope(request)))
        stream = _AsyncInside(exchange, self._house, bell, request)
        try:
            return stream.response(await stream.next())
        except BaseException:
            await stream.aclose()
            raise

    def close(self) -> None:
        """Nothing is open between calls."""

    async def aclose(self) -> None:
        """Nothing is open between calls."""

    def _scope(self, request: httpx.Request) -> dict[str, Any]:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        # One that is sent in pieces has no length, but arrives here in one piece.
        return scope_of(request.method, path_in(self._world, request.url), headers)


class _Messages:
    """What comes of an exchange, as httpx wants it."""

    def __init__(self, exchange: Exchange, house: House, request: httpx.Request) -> None:
        self._exchange = exchange
        self._house = house
        self._request = request
        self._is_whole = False

    def response(self, start: dict[str, Any]) -> httpx.Response:
        """Return the response that a first message begins."""
        if start["type"] != "http.response.start":
            self._house.soon(self._exchange.leave)
            raise start.get("error") or self._broken("Server disconnected without sending a response.")
        return httpx.Response(start["status"], headers=start["headers"], stream=self)  # type: ignore[arg-type]  # it is one

    def _piece(self, message: dict[str, Any]) -> bytes | None:
        """The piece of the body that a message brings; None at its end."""
        if message["type"] == "http.response.body":
            if not message.get("more_body", False):
                self._is_whole = True
            body: bytes = message.get("body", b"")
            return body
        if not self._is_whole or message["type"] == "crash":
            raise message.get("error") or self._broken("peer closed connection before the reply was whole")
        return None

    def _broken(self, why: str) -> httpx.TransportError:
        """What httpx raises when the same happens on a socket."""
        if self._exchange.is_reset:
            return httpx.ReadError("Connection reset by peer", request=self._request)
        if self._exchange.garbage:
            why = "the server sent what is no HTTP"
        return httpx.RemoteProtocolError(why, request=self._request)

    def _leave(self) -> None:
        if not (self._exchange.told and self._exchange.told[-1] is END):
            self._house.soon(self._exchange.leave)


class _Inside(_Messages, httpx.SyncByteStream):
    def __init__(self, exchange: Exchange, house: House, wait: Callable[[], None], request: httpx.Request) -> None:
        super().__init__(exchange, house, request)
        self._wait = wait

    def next(self) -> dict[str, Any]:
        """Return the next message."""
        try:
            self._wait()
        except queue.Empty:
            self._leave()
            raise httpx.ReadTimeout("the reply took too long", request=self._request) from None
        return self._exchange.told.popleft()

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._piece(self.next())) is not None:
            if piece:
                yield piece

    def close(self) -> None:
        """Leave, if the reply is not whole yet."""
        if not self._is_whole:
            self._house.soon(self._exchange.leave)


class _AsyncInside(_Messages, httpx.AsyncByteStream):
    def __init__(self, exchange: Exchange, house: House, bell: asyncio.Event, request: httpx.Request) -> None:
        super().__init__(exchange, house, request)
        self._bell = bell

    async def next(self) -> dict[str, Any]:
        """Return the next message."""
        told = self._exchange.told
        while not told:
            self._bell.clear()
            if told:
                break
            try:
                await asyncio.wait_for(self._bell.wait(), _patience(self._request))
            except TimeoutError:
                raise httpx.ReadTimeout("the reply took too long", request=self._request) from None
        return told.popleft()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := self._piece(await self.next())) is not None:
            if piece:
                yield piece

    async def aclose(self) -> None:
        """Leave, if the reply is not whole yet."""
        if not self._is_whole:
            self._house.soon(self._exchange.leave)


class SocketTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Calls a server over its socket. Sync calls of all worlds share their connections, which close when the server stops."""

    def __init__(self, origin: str, world: str, shared: httpx.HTTPTransport) -> None:
        self._origin = httpx.URL(origin)
        self._world = world
        self._shared = shared
        self._async: httpx.AsyncHTTPTransport | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make a call."""
        return self._shared.handle_request(self._aimed(request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make a call."""
        if self._async is None:
            self._async = httpx.AsyncHTTPTransport(verify=False)
        return await self._async.handle_async_request(self._aimed(request))

    def close(self) -> None:
        """The connections are not this world's alone."""

    async def aclose(self) -> None:
        """Close the connections of async calls, which belong to their event loop."""
        if self._async is not None:
            await self._async.aclose()
            self._async = None

    def _aimed(self, request: httpx.Request) -> httpx.Request:
        url = self._origin.copy_with(raw_path=path_in(self._world, request.url).encode("ascii"))
        aimed = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        aimed.headers["host"] = self._origin.netloc.decode()
        return aimed


def plain() -> httpx.HTTPTransport:
    """Return a transport for plain HTTP: without the certificates, which take httpx longer to read than a test takes."""
    return httpx.HTTPTransport(verify=False)


def _patience(request: httpx.Request) -> float | None:
    """How long to wait for the next piece: as long as the client says, else as long as a broken mock deserves."""
    timeout: dict[str, float | None] = request.extensions.get("timeout", {"read": PATIENCE_S})
    return timeout.get("read")
