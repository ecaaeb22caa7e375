"""The protocol between socket and application, with applications of its own: what runs at once, waits, comes late or breaks."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import pytest

from mockserver import protocol
from mockserver.call import HEAD, WHOLE
from mockserver.server import BackgroundServer

Application = Callable[[Any, Any, Any], Any]


class Host:
    """An application that does what another one does, which can be changed."""

    def __init__(self) -> None:
        self.application: Application = echo

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.application(scope, receive, send)
            return
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        assert message["type"] == "lifespan.shutdown"
        await send({"type": "lifespan.shutdown.complete"})


Serve: TypeAlias = "Callable[[Application], socket.socket]"
"""Serves an application; returns a connection."""


@contextmanager
def serving() -> Iterator[Serve]:
    host = Host()
    server = BackgroundServer(host)
    server.start()
    with ExitStack() as opened:

        def serve(application: Application) -> socket.socket:
            host.application = application
            return opened.enter_context(connected(server.origin))

        yield serve
    server.stop()


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    with serving() as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A server that keeps idle connections for a tenth of a second."""
    monkeypatch.setattr("mockserver.server.KEEP_ALIVE_S", 0.1)
    with serving() as made:
        yield made


@pytest.fixture
def errors() -> Iterator[io.StringIO]:
    """What uvicorn says of applications that fail."""
    said = io.StringIO()
    handler, log = logging.StreamHandler(said), logging.getLogger("uvicorn.error")
    log.addHandler(handler)
    yield said
    log.removeHandler(handler)


def connected(origin: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(origin.rpartition(":")[2])), timeout=10)


def until(connection: socket.socket, end: bytes) -> bytes:
    """What comes, up to these bytes, or to the end of the connection."""
    received = b""
    while not received.endswith(end) and (data := connection.recv(65536)):
        received += data
    return received


def start(length: int | None, *headers: tuple[bytes, bytes]) -> Any:
    said = [] if length is None else [(b"content-length", b"%d" % length)]
    return {"type": "http.response.start", "status": 200, "headers": [*said, *headers]}


def body(data: bytes, *, more: bool = False) -> Any:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def whole(receive: Any) -> bytes:
    """All of a request's body."""
    read, more = b"", True
    while more:
        message = await receive()
        read, more = read + message["body"], message["more_body"]
    return read


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with path and body."""
    said = scope["path"].encode() + b" " + await whole(receive) + b";"
    await send(start(len(said)))
    await send(body(said))


def get(path: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: x\r\n{more}\r\n".encode()


def post(path: str, data: bytes) -> bytes:
    return f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data


def bodies(received: bytes) -> list[bytes]:
    return [part.rpartition(b"\r\n\r\n")[2] for part in received.split(b";") if part]


def test_requests_in_one_segment_are_answered_in_their_order(serve: Serve) -> None:
    paths = [f"/{number}" for number in range(500)]
    connection = serve(echo)
    connection.sendall(b"".join(map(get, paths)))
    assert bodies(until(connection, b"/499 ;")) == [f"{path} ".encode() for path in paths]


def test_request_behind_one_that_waits_is_answered_after_it(serve: Serve) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/first":
            for _ in range(20):
                await asyncio.sleep(0)
        await echo(scope, receive, send)

    connection = serve(app)
    connection.sendall(get("/first") + get("/second") + get("/third"))
    assert bodies(until(connection, b"/third ;")) == [b"/first ", b"/second ", b"/third "]


@pytest.mark.parametrize("cut", [1, 20, 45, 50, 60])
def test_request_in_two_segments_is_one(serve: Serve, cut: int) -> None:
    sent = post("/late", b"0123456789")
    connection = serve(echo)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(sent[:cut])
    connection.sendall(sent[cut:])
    assert bodies(until(connection, b";")) == [b"/late 0123456789"]


def test_body_that_comes_late_is_told_once(serve: Serve) -> None:
    """After its end, what is received next is that the client left, not an empty part."""
    received: list[Any] = []
    ended = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            await echo(scope, receive, send)
            return
        received.append(await receive())
        while received[-1].get("more_body"):
            received.append(await receive())
        left = asyncio.ensure_future(receive())
        for _ in range(10):
            await asyncio.sleep(0)
        received.append(left.done())
        await send(start(2))
        await send(body(b"ok"))
        received.append((await left)["type"])
        ended.set()

    connection = serve(app)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head, _, data = post("/", b"0123456789").rpartition(b"\r\n\r\n")
    connection.sendall(head + b"\r\n\r\n")
    with socket.create_connection(connection.getpeername(), timeout=10) as other:
        other.sendall(get("/"))  # its answer tells that the head has been read
        until(other, b";")
    connection.sendall(data)
    until(connection, b"ok")
    assert ended.wait(10)
    assert b"".join(message["body"] for message in received[:-2]) == b"0123456789"
    assert received[-2:] == [False, "http.disconnect"]


def test_body_larger_than_what_is_read_ahead_arrives_whole(serve: Serve) -> None:
    data = bytes(range(65, 91)) * 20_000
    connection = serve(echo)
    connection.sendall(post("/large", data))
    assert bodies(until(connection, b";")) == [b"/large " + data]


def test_head_goes_out_while_the_application_waits(serve: Serve) -> None:
    go_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/go-on":
            go_on.set()
        else:
            await send(start(4))
            await go_on.wait()
        await send(body(b"done") if scope["path"] != "/go-on" else start(0))
        if scope["path"] == "/go-on":
            await send(body(b""))

    connection = serve(app)
    connection.sendall(get("/"))
    assert until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n")
    with socket.create_connection(connection.getpeername(), timeout=10) as other:
        other.sendall(get("/go-on"))
        assert until(other, b"\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert until(connection, b"done") == b"done"


def test_pieces_go_out_in_chunks(serve: Serve) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(None))
        for piece in (b"one", b"two"):
            await send(body(piece, more=True))
        await send(body(b""))

    connection = serve(app)
    connection.sendall(get("/"))
    received = until(connection, b"0\r\n\r\n")
    assert received.endswith(b"transfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_head_without_a_body(serve: Serve) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(4))
        await send(body(b"" if scope["method"] == "HEAD" else b"body"))

    connection = serve(app)
    connection.sendall(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert until(connection, b"\r\n\r\n") == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
    connection.sendall(get("/"))
    assert until(connection, b"body").endswith(b"content-length: 4\r\n\r\nbody")


def test_client_that_expects_it_is_told_to_continue(serve: Serve) -> None:
    connection = serve(echo)
    connection.sendall(b"POST /c HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    assert until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"ok")
    assert bodies(until(connection, b";")) == [b"/c ok"]


@pytest.mark.parametrize("header", [(b"x-bad", b"a\r\nx-more: b"), (b"x bad", b"a")])
def test_header_that_would_be_two_is_not_written(serve: Serve, header: tuple[bytes, bytes], errors: io.StringIO) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(2, header))
        await send(body(b"ok"))

    connection = serve(app)
    connection.sendall(get("/"))
    assert b"x-more" not in until(connection, b"never")
    assert "Invalid HTTP header" in errors.getvalue()


@pytest.mark.parametrize("length", [1, 9])
def test_reply_of_another_length_than_announced_ends_the_connection(serve: Serve, length: int, errors: io.StringIO) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(length))
        await send(body(b"four"))

    connection = serve(app)
    connection.sendall(get("/") + get("/"))
    assert until(connection, b"never").count(b"HTTP/1.1") == 1
    assert "than Content-Length" in errors.getvalue()


def test_failure_is_a_500_and_the_end(serve: Serve, errors: io.StringIO) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("planted")

    connection = serve(app)
    connection.sendall(get("/"))
    assert until(connection, b"never").startswith(b"HTTP/1.1 500")
    assert "planted" in errors.getvalue()


def test_client_that_asks_for_it_is_left_after_the_reply(serve: Serve) -> None:
    connection = serve(echo)
    connection.sendall(get("/bye", "connection: close\r\n"))
    assert b"connection: close" in until(connection, b"never")


def test_application_hears_that_the_client_left(serve: Serve) -> None:
    heard: list[str] = []
    told = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/told":
            await told.wait()
            await echo(scope, receive, send)
            return
        await whole(receive)
        heard.append((await receive())["type"])
        told.set()

    connection = serve(app)
    other = socket.create_connection(connection.getpeername(), timeout=10)
    other.sendall(get("/"))
    other.close()
    connection.sendall(get("/told"))
    assert bodies(until(connection, b";")) == [b"/told "]
    assert heard == ["http.disconnect"]


def test_application_that_waits_has_a_task(serve: Serve) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await echo(scope, receive, send)

    connection = serve(app)
    connection.sendall(get("/in-time"))
    assert bodies(until(connection, b";")) == [b"/in-time "]


def test_connection_that_is_idle_for_too_long_is_closed(impatient: Serve) -> None:
    connection = impatient(echo)
    connection.sendall(get("/once"))
    assert bodies(until(connection, b"never")) == [b"/once "]  # until the server closes


def test_connection_in_use_is_not_idle(impatient: Serve) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await asyncio.sleep(0.3)
        await echo(scope, receive, send)

    connection = impatient(app)
    connection.sendall(get("/once"))
    until(connection, b";")
    connection.sendall(get("/slow"))
    assert bodies(until(connection, b";")) == [b"/slow "]


def sent(line: str, *headers: str, data: str = "") -> bytes:
    length = [f"content-length: {len(data)}"] if data else []
    return "\r\n".join([line, "host: x", *headers, *length, "", data]).encode("latin-1")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, Any]:
    """What the protocol remembers of headers, nothing at first."""
    made: dict[bytes, Any] = {}
    monkeypatch.setattr(protocol, "_read", made)
    return made


@pytest.fixture
def seen() -> list[Any]:
    """What the application `see` was told."""
    return []


@pytest.fixture
def see(seen: list[Any]) -> Application:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        told = {name: value for name, value in scope.items() if name not in ("client", "extensions", HEAD, WHOLE)}
        read = await whole(receive)
        assert scope.get(WHOLE, read) == read
        seen.append((told, read, scope.get(HEAD)))
        await send(start(2))
        await send(body(b"k;"))

    return app


LIKE_MOST = [
    sent("GET /v1/models HTTP/1.1"),
    sent("GET /v1/models?page=2&name=a%20b?c HTTP/1.1", "accept: */*"),
    sent("HEAD /v1/%C3%A9/@me/a;b=c,d HTTP/1.1"),
    sent("POST /v1/models HTTP/1.1", "Content-Type: text/plain", "X-Two: 1", "x-two: 2", data="x=1"),
    sent("DELETE /v1/models/x HTTP/1.1", "connection: keep-alive", "x-empty:", "x-space:  a b  "),
    sent("PATCH /v1/models/x HTTP/1.1", "x-name: caf\xe9", data="\xff\x00"),
]
UNLIKE_MOST = [
    sent("GET /v1/models HTTP/1.0", "connection: keep-alive"),
    sent("GET http://x/v1/models HTTP/1.1"),
    sent("GET /v1/models#there HTTP/1.1"),
    sent('GET /v1/"models" HTTP/1.1'),
    sent("PROPFIND /v1/models HTTP/1.1"),
]


def remembering(connection: socket.socket, request: bytes) -> None:
    """Send a request like most that has the same headers."""
    headers = request[request.index(b"\r\n") :]
    connection.sendall((b"GET" if b"content-length" not in headers else b"POST") + b" /before HTTP/1.1" + headers)
    assert until(connection, b"k;")


@pytest.mark.parametrize("request_", LIKE_MOST + UNLIKE_MOST, ids=lambda each: each.partition(b"\r\n")[0].decode("latin-1"))
def test_request_with_known_headers_is_what_it_was_with_new_ones(
    serve: Serve, see: Application, seen: list[Any], read: dict[bytes, Any], request_: bytes
) -> None:
    connection, end = serve(see), b"\r\n\r\n" if request_.startswith(b"HEAD") else b"k;"
    connection.sendall(request_)
    first = until(connection, end)
    again = serve(see)
    remembering(again, request_)
    assert len(read) == 1
    again.sendall(request_)
    assert until(again, end) == first
    assert seen[0][:2] == seen[2][:2]
    assert (seen[0][2], seen[2][2] is not None) == (None, request_ in LIKE_MOST)


@pytest.mark.parametrize(
    "request_",
    [
        sent("GET /a HTTP/1.1", "connection: close"),
        sent("POST /a HTTP/1.1", "transfer-encoding: chunked") + b"2\r\nhi\r\n0\r\n\r\n",
        sent("GET /a HTTP/1.1", "upgrade: something", "connection: upgrade"),
        sent("POST /a HTTP/1.1", "expect: 100-continue", data="hi"),
        sent("GET /a HTTP/1.1", "x-long: " + 4096 * "a"),
        sent("POST /a HTTP/1.1", data=70_000 * "a"),
        get("/a") + get("/a"),
    ],
)
def test_headers_after_which_there_is_more_to_do_are_not_remembered(
    serve: Serve, see: Application, seen: list[Any], read: dict[bytes, Any], request_: bytes
) -> None:
    connection = serve(see)
    connection.sendall(request_)
    assert until(connection, b"k;")
    assert (len(seen) > 0, read) == (True, {})


@pytest.mark.parametrize("cut", [10, 30, 44, 55])
def test_request_with_known_headers_may_come_in_two_segments(serve: Serve, read: dict[bytes, Any], cut: int) -> None:
    connection = serve(echo)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for path in ("/once", "/more"):
        connection.sendall(post(path, b"0123456789"))
        assert bodies(until(connection, b";")) == [path.encode() + b" 0123456789"]
    connection.sendall(post("/late", b"9876543210")[:cut])
    connection.sendall(post("/late", b"9876543210")[cut:] + post("/last", b"0000000000"))
    assert bodies(until(connection, b"/last 0000000000;")) == [b"/late 9876543210", b"/last 0000000000"]
    assert len(read) == 1


def test_request_with_known_headers_waits_for_the_one_before_it(serve: Serve, read: dict[bytes, Any]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await asyncio.sleep(0.05)
        await echo(scope, receive, send)

    connection = serve(app)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(get("/quick"))
    assert bodies(until(connection, b";")) == [b"/quick "]
    assert len(read) == 1
    connection.sendall(get("/slow"))
    connection.sendall(get("/next"))
    assert bodies(until(connection, b"/next ;")) == [b"/slow ", b"/next "]


def test_only_so_many_headers_are_remembered(serve: Serve, read: dict[bytes, Any]) -> None:
    connection = serve(echo)
    for number in range(protocol._MOST_READ + 3):
        connection.sendall(get("/", f"x-number: {number}\r\n"))
        assert bodies(until(connection, b";")) == [b"/ "]
    assert len(read) == 3
