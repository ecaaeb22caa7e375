"""Streams over a real socket: what is written when, who leaves, what breaks off."""

from __future__ import annotations

import contextlib
import json
import logging
import select
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest

from mockserver.app import App, Settings
from mockserver.pytest_plugin import PortkeyWorld
from mockserver.server import BackgroundServer
from mockserver.testing.hosts import Elsewhere
from mockserver.testing.wanted import Wanted
from mockserver.values import Record

ANSWER_WITHIN_S = 5
CHAT = "/chat/completions"
ASK: Record = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide is next?"}], "stream": True}
TEXT = "The next tide comes in at noon, as it did a week ago."
DONE = b"data: [DONE]\n\n"
END = b"0\r\n\r\n"


class Caller:
    """A call on a connection of its own; what comes back is read as it comes."""

    def __init__(self, url: str, body: Record = ASK, config: str = "") -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        content = json.dumps(body).encode()
        fields = {"host": "mock", "x-portkey-api-key": "any", "content-type": "application/json"}
        if config:
            fields["x-portkey-config"] = config
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.received = b""
        self.socket = socket.create_connection((parts.hostname, parts.port or 80), ANSWER_WITHIN_S)
        self.socket.sendall(
            f"POST {parts.path}{CHAT} HTTP/1.1\r\n{head}content-length: {len(content)}\r\n\r\n".encode() + content
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.socket.close()

    def until(self, mark: bytes, count: int = 1) -> bytes:
        """Read until a mark has come so often; return all that has come by then."""
        while self.received.count(mark) < count:
            data = self.socket.recv(65536)
            assert data, f"the connection was closed before {mark!r}: {self.received!r}"
            self.received += data
        return self.received

    def rest(self) -> bytes:
        """Read until the server closes; return all that has come."""
        while data := self.socket.recv(65536):
            self.received += data
        return self.received

    @property
    def silent(self) -> bool:
        """Whether nothing more has come so far."""
        return not select.select([self.socket], [], [], 0)[0]

    @property
    def head(self) -> dict[str, str]:
        """The status line under an empty name, and the headers."""
        first, *lines = self.until(b"\r\n\r\n").partition(b"\r\n\r\n")[0].decode().split("\r\n")
        return {"": first} | {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def chunks(self) -> list[bytes]:
        """The chunks of the body, which must have come to its end."""
        found: list[bytes] = []
        rest = self.received.partition(b"\r\n\r\n")[2]
        while True:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            if not length:
                assert rest == b"\r\n"
                return found
            found.append(rest[:length])
            assert rest[length : length + 2] == b"\r\n"
            rest = rest[length + 2 :]


class Complaints(logging.Handler):
    """What the server writes into its log; uvicorn's loggers keep it from all others."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What is logged while a test runs."""
    handler = Complaints()
    loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio", "mockserver")]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler.lines
    for logger in loggers:
        logger.removeHandler(handler)


def script(portkey: PortkeyWorld, **fields: Any) -> None:
    """Say what the model answers, and at which pace."""
    reply = httpx.post(f"{portkey.admin_url}/scripts", json={"answer": {"text": TEXT}, "chunk_size": 4, **fields})
    assert reply.status_code == 201, reply.text


def move(portkey: PortkeyWorld, seconds: int) -> None:
    assert httpx.post(f"{portkey.admin_url}/clock/move", json={"seconds": seconds}).status_code == 200


def answers(portkey: PortkeyWorld) -> bool:
    """Whether the server answers another call of the world meanwhile."""
    reply = httpx.get(f"{portkey.url}/models", headers={"x-portkey-api-key": "any"})
    return reply.status_code == 200


def asked(portkey: PortkeyWorld) -> bool:
    """Whether the call has reached its provider, which takes its time from then on."""
    return any(answers(portkey) and each["used"] for _ in range(500) for each in portkey.world["scripts"].newest())


def journalled(portkey: PortkeyWorld) -> Record:
    """The journal's entry of the chat; it is written when the stream has ended, which its client need not notice."""
    for _ in range(500):
        found = [call for call in portkey.calls if call["operation"] == "createChatCompletion"]
        if found:
            return found[-1]
        assert answers(portkey)  # a turn of the server's event loop
    raise AssertionError("the call was not journalled")


def test_stream_is_chunked_and_has_no_length(portkey: PortkeyWorld) -> None:
    with Caller(portkey.url) as caller:
        head = caller.head
        caller.until(END)
    assert head[""] == "HTTP/1.1 200 OK"
    assert (head["transfer-encoding"], head["content-type"]) == ("chunked", "text/event-stream; charset=utf-8")
    assert "content-length" not in head
    assert head["x-portkey-provider"] == "openai"


def test_every_event_is_a_chunk(portkey: PortkeyWorld) -> None:
    script(portkey)
    with Caller(portkey.url) as caller:
        caller.until(END)
        chunks = caller.chunks
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in chunks)
    assert chunks[-1] == DONE
    told = [json.loads(chunk.removeprefix(b"data: "))["choices"][0] for chunk in chunks[:-1]]
    assert "".join(choice["delta"].get("content", "") for choice in told) == TEXT
    assert [choice["finish_reason"] for choice in told] == [None] * (len(told) - 1) + ["stop"]


def test_connection_stays_open_behind_a_stream(portkey: PortkeyWorld) -> None:
    with Caller(portkey.url) as caller:
        caller.until(END)
        caller.received = b""
        caller.socket.sendall(b"GET /health HTTP/1.1\r\nhost: mock\r\n\r\n")
        assert caller.head[""].startswith("HTTP/1.1 ")


def test_first_chunk_comes_before_the_others_are_due(portkey: PortkeyWorld) -> None:
    """Each on its own: the clock stands still until it is moved."""
    portkey.clock.freeze()
    script(portkey, chunk_delay_ms=1000)
    with Caller(portkey.url) as caller:
        for count in (1, 2, 3):
            received = caller.until(b"data: ", count)
            assert answers(portkey)
            assert caller.silent
            assert received.count(b"data: ") == count
            move(portkey, 1)
        move(portkey, 60)
        assert DONE in caller.until(END)


def test_pace_holds_on_a_running_clock(portkey: PortkeyWorld) -> None:
    portkey.clock.run()
    script(portkey, chunk_delay_ms=3_600_000)
    with Caller(portkey.url) as caller:
        caller.until(b"data: ")
        assert answers(portkey)
        assert caller.silent
        move(portkey, 86_400)
        assert DONE in caller.until(END)


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "answer"])
def test_time_of_the_provider_is_waited_for(portkey: PortkeyWorld, *, streams: bool) -> None:
    """Neither head nor body comes before; a stream begins then."""
    portkey.clock.freeze()
    script(portkey, delay_ms=30_000)
    with Caller(portkey.url, body={**ASK, "stream": streams}) as caller:
        assert asked(portkey)
        move(portkey, 29)
        assert answers(portkey)
        assert caller.silent
        move(portkey, 1)
        assert caller.until(b"tide").startswith(b"HTTP/1.1 200 OK")


def test_clock_that_is_set_running_ends_the_wait(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    script(portkey, delay_ms=5)
    with Caller(portkey.url) as caller:
        assert asked(portkey)
        assert caller.silent
        portkey.clock.run()
        assert DONE in caller.until(END)


def test_waits_of_retries_are_waited_for(portkey: PortkeyWorld) -> None:
    """`Retry-After` counts on the clock of the world."""
    portkey.clock.freeze()
    script(portkey, answer={"error": {"status": 429, "retry_after": 20}}, times=1)
    config = {"provider": "openai", "api_key": "sk-1", "retry": {"attempts": 1, "use_retry_after_header": True}}
    with Caller(portkey.url, config=json.dumps(config)) as caller:
        assert asked(portkey)
        assert caller.silent
        move(portkey, 20)
        assert caller.head["x-portkey-retry-attempt-count"] == "1"
        assert DONE in caller.until(END)


def test_client_that_leaves_stops_the_work(portkey: PortkeyWorld, complaints: list[str]) -> None:
    """The journal has what was sent, and no more is made though its time comes."""
    portkey.clock.freeze()
    script(portkey, chunk_delay_ms=1000)
    with Caller(portkey.url) as caller:
        caller.until(b"data: ")
    entry = journalled(portkey)
    assert entry["status"] == 200
    body = json.dumps(entry["reply"])
    assert (body.count("data: "), "[DONE]" in body) == (1, False)
    move(portkey, 60)
    assert answers(portkey)
    assert complaints == []


def test_client_that_leaves_before_the_answer_is_forgotten(portkey: PortkeyWorld, complaints: list[str]) -> None:
    portkey.clock.freeze()
    script(portkey, delay_ms=60_000)
    with Caller(portkey.url, body={**ASK, "stream": False}):
        assert asked(portkey)
    move(portkey, 60)
    assert answers(portkey)
    assert complaints == []


@pytest.mark.parametrize("count", [0, 1, 3])
def test_stream_breaks_off_where_the_script_says(portkey: PortkeyWorld, complaints: list[str], count: int) -> None:
    """The end of the chunks is missing, so a client knows; nothing is logged, as it was wished for."""
    script(portkey, cut_after=count)
    with Caller(portkey.url) as caller:
        received = caller.rest()
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert (received.count(b"data: "), received.endswith(END)) == (count, False)
    assert answers(portkey)
    assert complaints == []


def test_client_notices_that_a_stream_broke_off(portkey: PortkeyWorld) -> None:
    script(portkey, cut_after=2)
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("POST", f"{portkey.url}{CHAT}", json=ASK, headers={"x-portkey-api-key": "any"}) as reply,
    ):
        list(reply.iter_lines())


def test_streams_keep_apart(portkey: PortkeyWorld) -> None:
    """Several wait on one clock; each gets its own text in full."""
    portkey.clock.freeze()
    texts = [f"Tide number {number} comes at noon." for number in range(5)]
    for number, text in enumerate(texts):
        script(portkey, match={"last_message": f"tide {number}"}, answer={"text": text}, chunk_delay_ms=1000)
    with contextlib.ExitStack() as stack:
        callers = []
        for number in range(5):
            body = {**ASK, "messages": [{"role": "user", "content": f"Which is tide {number}?"}]}
            callers.append(stack.enter_context(Caller(portkey.url, body=body)))
        for caller in callers:
            caller.until(b"data: ")
        move(portkey, 3600)
        for caller, text in zip(callers, texts, strict=True):
            caller.until(END)
            told = [json.loads(chunk.removeprefix(b"data: "))["choices"][0]["delta"] for chunk in caller.chunks[:-1]]
            assert "".join(delta.get("content", "") for delta in told) == text


@pytest.fixture
def other(portkey_factory: Any) -> Iterator[PortkeyWorld]:
    """Another world on the same server."""
    with portkey_factory() as world:
        yield world


def test_waiting_stream_holds_up_nobody(portkey: PortkeyWorld, other: PortkeyWorld) -> None:
    """Neither calls of its world, nor HEAD, nor the streams of another world, whose clock runs."""
    portkey.clock.freeze()
    script(portkey, chunk_delay_ms=1000)
    with Caller(portkey.url) as caller:
        caller.until(b"data: ")
        head = httpx.head(f"{portkey.url}/models", headers={"x-portkey-api-key": "any"})
        assert (head.status_code, head.content) == (200, b"")
        with Caller(other.url) as second:
            assert DONE in second.until(END)
        assert caller.silent


def test_clock_of_another_world_moves_nothing(portkey: PortkeyWorld, other: PortkeyWorld) -> None:
    portkey.clock.freeze()
    script(portkey, chunk_delay_ms=1000)
    with Caller(portkey.url) as caller:
        caller.until(b"data: ")
        move(other, 3600)
        assert answers(portkey)
        assert caller.silent


def test_what_is_streamed_is_journalled(portkey: PortkeyWorld) -> None:
    script(portkey)
    with Caller(portkey.url) as caller:
        caller.until(END)
        sent = b"".join(caller.chunks).decode()
    assert journalled(portkey)["reply"]["body"] == sent


@pytest.mark.parametrize("fields", [{"chunk_delay_ms": 1000}, {"delay_ms": 1000}], ids=["stream", "answer"])
def test_server_stops_though_a_reply_waits(complaints: list[str], fields: Record) -> None:
    """It breaks off, soon and without a word in the log: the clock may never be moved."""
    app = App(Settings())
    server = BackgroundServer(app)
    server.start()
    host = Elsewhere(server.origin, app.base_path, "any")
    world = PortkeyWorld(host, Wanted(), "stopping")
    world.clock.freeze()
    script(world, **fields)
    with Caller(world.url) as caller:
        assert asked(world)
        if "chunk_delay_ms" in fields:
            caller.until(b"data: ")
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert END not in caller.rest()
        stopping.join(2)
        assert not stopping.is_alive()
    host.stop()
    assert complaints == []


def test_wait_ends_when_the_clock_goes_back_and_forth(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    script(portkey, delay_ms=10_000)
    with Caller(portkey.url) as caller:
        assert asked(portkey)
        move(portkey, -100)
        move(portkey, 100)
        assert answers(portkey)
        assert caller.silent
        move(portkey, 10)
        assert DONE in caller.until(END)
