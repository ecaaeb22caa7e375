"""uvicorn's protocols as we run them: that of HTTP without what a small call has no need of, that of WebSockets with quiet
refusals.

Most calls are small: the request is there in one piece, and the reply is whole as soon as the application is asked. For
these uvicorn starts a task, an event and a timer each, and writes the head and the body of the reply by themselves; each
write is a system call that wakes the client. Together that is more than half of what the server itself takes for a call.
Here an application runs at once, within the call that brought the last bytes, and becomes a task only where it waits for
something; head and body are written in one; a connection has one timer; and headers that were read before are not read
again, since a client sends the same with each call. All else is uvicorn's.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote
from weakref import WeakMethod

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from mockserver.call import BREAK_OFF, HEAD, WHOLE
from mockserver.contract.heads import Head

_ASGI = {"version": "3.0", "spec_version": "2.3"}
_EVERY = bytes(range(256))
_OF_NAMES = HEADER_RE.sub(b"", _EVERY)
_OF_VALUES = HEADER_VALUE_RE.sub(b"", _EVERY)
"""The bytes that may stand in names and values of headers."""


class Cycle(RequestResponseCycle):
    """A request and its reply. The head of a reply is held until what comes next, or until the application waits."""

    # How each begins: all that uvicorn's has, but for the event, which a request in one piece does not need.
    logger = access_logger = logging.getLogger("uvicorn.error")
    access_log = disconnected = response_started = response_complete = False
    more_body = True
    body: Any = b""
    chunked_encoding = None
    expected_content_length = 0
    _event: asyncio.Event | None = None
    _is_read = False
    _head: Any = None

    def __init__(self, protocol: PromptProtocol, scope: Any, *, keep_alive: bool, expects: bool) -> None:
        self.scope = scope
        self.transport = protocol.transport
        self.flow = protocol.flow
        self.default_headers = protocol.server_state.default_headers
        self.on_response = protocol.on_response_complete
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = expects

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]  # uvicorn has an attribute
        """What tells that there is something to receive."""
        if self._event is None:
            self._event = asyncio.Event()
            if self.disconnected or self.response_complete or self.body or not (self.more_body or self._is_read):
                self._event.set()
        return self._event

    def add(self, body: bytes = b"", *, more: bool) -> None:
        """Take in a part of the body."""
        self.body += body
        self.more_body = more
        if self._event is not None:
            self._event.set()

    async def receive(self) -> Any:
        """Return the next part of the body, the whole of it if it is there; else, once there is one, that the client left."""
        if self.more_body or self._is_read or self.disconnected or self.response_complete or self.waiting_for_100_continue:
            message = await super().receive()
            self._is_read = self._is_read or message.get("more_body") is False
            return message
        self._is_read = True
        body, self.body = bytes(self.body), b""
        if self._event is not None:
            self._event.clear()
        if self.flow.read_paused:
            self.flow.resume_reading()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Any) -> None:
        """Hold a head; write what comes behind one together with it when it is all there is."""
        if self._head is None:
            if self.response_started or message["type"] != "http.response.start":
                await super().send(message)
            else:
                self._head = message
            return
        head = self._head
        data = self._whole(head, message)
        if data is None:
            await self.release()
            await super().send(message)
            return
        self._head = None
        self.response_started = self.response_complete = True
        if self._event is not None:
            self._event.set()
        self.transport.write(data)
        self.on_response()

    @property
    def is_holding(self) -> bool:
        """Whether a head waits for what comes next."""
        return self._head is not None

    async def release(self) -> None:
        """Write the head that is held."""
        head, self._head = self._head, None
        await super().send(head)

    def _whole(self, head: Any, message: Any) -> bytes | None:
        """The bytes of a reply that is whole and like most are; None for any other, which is left to uvicorn."""
        if message["type"] != "http.response.body" or message.get("more_body") or not self.keep_alive:
            return None
        if self.disconnected or self.flow.write_paused or self.default_headers:
            return None
        body, length = message["body"], None
        names, values, parts = [], [], [STATUS_LINE[head["status"]]]
        for name, value in head["headers"]:
            if name == b"content-length":
                length = value
            names.append(name)
            values.append(value)
            parts += (name, b": ", value, b"\r\n")
        if length is None or b"connection" in names or b"transfer-encoding" in names:
            return None
        if self.scope["method"] == "HEAD":
            body = b""
        elif int(length) != len(body):
            return None
        if b"".join(names).translate(None, _OF_NAMES) or b"".join(values).translate(None, _OF_VALUES):
            return None  # uvicorn refuses it
        parts += (b"\r\n", body)
        return b"".join(parts)


class _Read(NamedTuple):
    """Headers as they were read, and the length of the body that they announce."""

    head: Head
    length: int


_read: dict[bytes, _Read] = {}
_MOST_READ = 256
_LONGEST_READ = 4096
"""How many headers of requests are remembered, and how long they may be; all are forgotten when there would be more."""

_UNLIKE_MOST = frozenset((b"expect", b"transfer-encoding", b"upgrade"))
"""Headers after which more is to be done than to read a body of the length that was announced."""

_METHODS = {name.encode(): name for name in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")}
_OF_TARGETS = b"%/-._~!$&'()*+,;=:@?0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The methods of nearly all requests, and the bytes of nearly all their targets."""


class _Rest:
    """What an application has still to do that waits for something, for a task to await."""

    __slots__ = ("_coroutine", "_cycle", "_waited_for")

    def __init__(self, cycle: Cycle, coroutine: Coroutine[Any, Any, None], waited_for: Any) -> None:
        self._cycle = cycle
        self._coroutine = coroutine
        self._waited_for = waited_for

    def __await__(self) -> Generator[Any, Any, None]:
        waited_for, coroutine = self._waited_for, self._coroutine
        while True:
            try:
                if self._cycle.is_holding:
                    yield from self._cycle.release().__await__()
                told = yield waited_for
            except BaseException as error:  # whatever it is, it is for the application
                step: Callable[[Any], Any] = coroutine.throw
                told = error
            else:
                step = coroutine.send
            try:
                waited_for = step(told)
            except StopIteration:
                return


class PromptProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a short way for small calls.

    An application that needs a task of its own gets it by waiting for anything, if only `asyncio.sleep(0)`. A reply may be
    broken off, which uvicorn by itself reports as an error.
    """

    cycle: Cycle
    pipeline: deque[tuple[Cycle, Any]]  # type: ignore[assignment]  # all cycles are ours

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Serve a connection."""
        super().connection_made(transport)
        # Weakly: a circle would keep each request, body and all, until the garbage collector comes round.
        self._breaks_off = WeakMethod(self._break_off)
        self._begun: Cycle | None = None
        self._upgrades = False
        self._is_between = True
        self._idle_since_s: float | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def data_received(self, data: bytes) -> None:
        """Take in what the client sends, and run the application for the request that begins with it."""
        self._idle_since_s = None
        if not (self._is_between and self._recognise(data)):
            self._parse(data)
        cycle, self._begun = self._begun, None
        if cycle is None:
            return
        coroutine = cycle.run_asgi(self.app)
        try:
            waits_for = coroutine.send(None)
        except StopIteration:
            return
        self._go_on(cycle, coroutine, waits_for)

    def _recognise(self, data: bytes) -> bool:
        """Take in one whole request whose headers were read before; False for any other, which is left to the parser."""
        begin, end = data.find(b"\r\n"), data.find(b"\r\n\r\n") + 4
        read = _read.get(data[begin:end])
        if read is None or len(data) != end + read.length:
            return False
        method, _, rest = data[:begin].partition(b" ")
        target, _, version = rest.partition(b" ")
        name = _METHODS.get(method)
        if name is None or version != b"HTTP/1.1" or target[:1] != b"/" or target.translate(None, _OF_TARGETS):
            return False
        self._begin(name, target, "1.1", read.head.pairs, keep_alive=True, expects=False)
        scope: Any = self.scope  # whose type names what uvicorn puts into it
        scope[HEAD], scope[WHOLE] = read.head, data[end:]
        self.cycle.add(scope[WHOLE], more=False)
        return True

    def _parse(self, data: bytes) -> None:
        """Let the parser read, and remember the headers of one whole request like most."""
        was_between, self._is_between = self._is_between, False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._unsupported_upgrade_warning()
            return
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
            return
        begin, end = data.find(b"\r\n"), data.find(b"\r\n\r\n") + 4
        if not (was_between and self._is_between and self.cycle.keep_alive) or end > _LONGEST_READ:
            return
        head = Head(self.headers)
        length = head.get(b"content-length", b"0")
        if head.keys() & _UNLIKE_MOST or not length.isdigit() or not len(data) == end + int(length) < HIGH_WATER_LIMIT:
            return
        if len(_read) == _MOST_READ:
            _read.clear()
        _read[data[begin:end]] = _Read(head, int(length))

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Begin its reply, once all has been read that came with this; or queue it behind the one that is under way."""
        parser = self.parser
        self._upgrades = parser.should_upgrade() and self._should_upgrade()
        version, method = parser.get_http_version(), parser.get_method().decode("ascii")
        keep_alive = version != "1.0" and parser.should_keep_alive()
        self._begin(method, self.url, version, self.headers, keep_alive=keep_alive, expects=self.expect_100_continue)

    def _begin(
        self, method: str, url: bytes, version: str, headers: list[tuple[bytes, bytes]], *, keep_alive: bool, expects: bool
    ) -> None:
        if url.startswith(b"/") and b"#" not in url:
            raw_path, _, query = url.partition(b"?")
        else:
            parsed = httptools.parse_url(url)
            raw_path, query = parsed.path, parsed.query or b""
        path = raw_path.decode("ascii")
        self.scope = {
            "type": "http",
            "asgi": _ASGI,  # type: ignore[typeddict-item]  # of all calls the same
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "root_path": "",
            "headers": headers,
            "method": method,
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "extensions": {BREAK_OFF: self._breaks_off},  # type: ignore[dict-item]  # ours is a function
        }
        if self._upgrades:
            return
        before = self.cycle
        cycle = self.cycle = Cycle(self, self.scope, keep_alive=keep_alive, expects=expects)
        if before is None or before.response_complete:
            self._begun = cycle
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def on_body(self, body: bytes) -> None:
        """Take in a part of a body."""
        if self._upgrades or self.cycle.response_complete:
            return
        self.cycle.add(body, more=True)
        if len(self.cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        """Take that a request is whole."""
        self._is_between = True
        if not self._upgrades and not self.cycle.response_complete:
            self.cycle.add(more=False)

    def on_response_complete(self) -> None:
        """Go on with the next request that is queued; without one the connection is idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._go_on(cycle, cycle.run_asgi(app), None)  # in a task: of a thousand, each would run within the one before
            return
        self._idle_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_later(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that has been idle for too long; look again later at any other."""
        self.timeout_keep_alive_task = None
        if self._idle_since_s is None:
            return
        left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._look_later(left_s)
        else:
            super().timeout_keep_alive_handler()

    def _look_later(self, after_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(after_s, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """Nothing: the one timer of a connection finds out by itself that it is in use."""

    def _go_on(self, cycle: Cycle, coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
        """Give an application that waits for something a task."""

        async def rest() -> None:
            await _Rest(cycle, coroutine, waits_for)

        task = self.loop.create_task(rest())
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _break_off(self, garbage: bytes = b"", *, reset: bool = False) -> None:
        """Close the connection in the midst of a reply, behind bytes that are no HTTP; or reset it."""
        if self.cycle.is_holding:
            with suppress(StopIteration):  # one that has not read what it has got so far does not get the head either
                self.cycle.release().send(None)
        self.cycle.disconnected = True
        _end(self.transport, garbage, reset=reset)


def _end(transport: Any, garbage: bytes, *, reset: bool) -> None:
    """Close a connection behind these bytes, or reset it."""
    if garbage:
        transport.write(garbage)
    if not reset:
        transport.close()
        return
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
        _end(self.transport, garbage, reset=reset)

    async def send(self, message: Any) -> None:
        """Send a message; the last one of a refusal completes the handshake."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
