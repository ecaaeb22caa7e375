"""WebSockets: how they are reached and refused, what is kept of them, how they end. What they speak is for others to test."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from mockserver.app import App, Settings
from mockserver.contract.replies import Closing
from mockserver.control.exhibit import Exhibit
from mockserver.server import BackgroundServer
from mockserver.sockets import FRAME_LIMIT, Minutes, converse
from mockserver.values import Record
from mockserver.world.world import World
from tests.conftest import DOCUMENTS

ANSWER_WITHIN_S = 5


class Feed:
    """A server of the feed."""

    def __init__(self) -> None:
        self.app = App(Settings(document=DOCUMENTS / "feed.yaml"))
        self.server = BackgroundServer(self.app)
        self.server.start()

    def open(self, path: str = "/api/feed?topic=tides", **headers: str) -> ClientConnection:
        """Connect, with headers whose dashes are written as underscores."""
        url = self.server.origin.replace("http", "ws") + path
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return connect(url, additional_headers=given, open_timeout=ANSWER_WITHIN_S)

    def refusal(self, path: str = "/api/feed?topic=tides", **headers: str) -> tuple[int, Record]:
        """Connect in vain; return the status and the body."""
        with pytest.raises(InvalidStatus) as raised:
            self.open(path, **headers)
        return raised.value.response.status_code, json.loads(raised.value.response.body)

    def journal(self, world: str) -> list[Record]:
        """The calls of a world, oldest first."""
        exhibit = Exhibit(self.app.contract)
        found = self.app.worlds.get(world)
        return [exhibit.show(entry, found) for entry in reversed(list(found.journal.newest()))]


@pytest.fixture(scope="module")
def feed() -> Iterator[Feed]:
    made = Feed()
    yield made
    made.server.stop()


def test_document_says_what_is_a_socket(feed: Feed) -> None:
    with feed.open() as socket:
        assert socket.response is not None
        assert socket.response.status_code == 101


def test_socket_is_known_from_101_alone(feed: Feed) -> None:
    assert {operation.id for operation in feed.app.contract.operations if operation.is_socket} == {"openFeed"}


@pytest.mark.parametrize(
    ("path", "headers", "world"),
    [
        ("/worlds/based/api/feed?topic=tides", {}, "based"),
        ("/worlds/rooted/feed?topic=tides", {}, "rooted"),
        ("/api/feed?topic=tides", {"x_mock_world": "named"}, "named"),
    ],
    ids=["base-url", "base-url-at-root", "header"],
)
def test_socket_belongs_to_a_world(feed: Feed, path: str, headers: dict[str, str], world: str) -> None:
    with feed.open(path, **headers):
        pass
    (call,) = feed.journal(world)
    assert (call["method"], call["operation"], call["status"]) == ("GET", "openFeed", 101)


def test_socket_that_nobody_speaks_is_heard(feed: Feed) -> None:
    """What a document cannot say, the mock cannot answer; the journal has what the client has said."""
    with feed.open(x_mock_world="heard") as socket:
        socket.send("first")
        socket.send(b"second")
    for _ in range(500):  # the client is gone before the server has heard all
        (call,) = feed.journal("heard")
        if call["request"]["size"] == 11:
            break
        feed.refusal("/api/nowhere")  # a turn of the server's event loop
    assert (call["request"]["body"], call["request"]["size"]) == ("first\nsecond", 11)
    assert call["reply"]["body"] is None


def test_first_protocol_that_is_offered_is_taken(feed: Feed) -> None:
    url = feed.server.origin.replace("http", "ws") + "/api/feed?topic=tides"
    with connect(url, subprotocols=[Subprotocol("first"), Subprotocol("second")]) as socket:
        assert socket.subprotocol == "first"


def test_plain_call_is_told_to_upgrade(feed: Feed) -> None:
    reply = httpx.get(f"{feed.server.origin}/api/feed?topic=tides")
    assert (reply.status_code, reply.headers["upgrade"]) == (426, "websocket")
    assert reply.json()["type"] == "urn:mockserver:upgrade-required"


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/nowhere", 404, "There is no path /api/nowhere"),
        ("/api/topics", 400, "GET /topics is no WebSocket: call it by plain HTTP"),
        ("/api/topics/tides", 405, "GET is not possible on /topics/{name}, only DELETE, OPTIONS"),
        ("/api/feed", 400, "Invalid request: query/topic is required"),
        ("/api/feed?topic=trains", 400, 'Invalid request: query/topic must be one of "tides", "winds"'),
        ("/worlds/a%20b/api/feed?topic=tides", 400, "'a b' is no name for a world"),
    ],
    ids=["unknown-path", "no-socket", "other-method", "parameter-missing", "parameter-wrong", "world"],
)
def test_refusal_comes_before_the_upgrade(feed: Feed, path: str, status: int, told: str) -> None:
    got, body = feed.refusal(path)
    assert got == status
    assert body["detail"].startswith(told)


def test_demand_is_answered_before_the_upgrade(feed: Feed) -> None:
    status, body = feed.refusal(prefer="code=400", x_mock_world="demanding")
    assert (status, body) == (400, {})


def test_refusal_is_journalled_and_no_error(feed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        feed.refusal("/api/topics", x_mock_world="refused")
        with feed.open(x_mock_world="refused"):
            pass  # the refused connection has ended for good by now
    refused, _ = feed.journal("refused")
    assert (refused["status"], refused["problem"]) == (400, "invalid-request")
    assert caplog.records == []


def test_server_that_stops_closes_sockets() -> None:
    feed = Feed()
    with feed.open() as socket:
        feed.server.stop()
        with pytest.raises(ConnectionClosed) as raised:
            socket.recv(ANSWER_WITHIN_S)
    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == 1012


def test_server_without_words_for_refusals_gets_a_bare_one(feed: Feed) -> None:
    """Servers need not know how to refuse a WebSocket in full; closing it before it opens is a 403."""
    sent: list[Record] = []
    scope = {"type": "websocket", "path": "/api/nowhere", "raw_path": b"/api/nowhere", "query_string": b"", "headers": []}

    async def receive() -> Record:
        return {"type": "websocket.connect"}

    async def send(message: Record) -> None:
        sent.append(message)

    asyncio.run(feed.app(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


# The conversation itself, with a part that is played here.


class Part:
    """Says what it is told to at its times of the world; hears, and does something."""

    def __init__(self, world: World, *lines: tuple[float, str | Closing]) -> None:
        self.lines = [(world.clock.seconds() + after_s, line) for after_s, line in lines]
        self.heard: list[str | bytes] = []
        self.world = world

    def due_s(self) -> float | None:
        return self.lines[0][0] if self.lines else None

    def say(self) -> str | bytes | Closing | None:
        return self.lines.pop(0)[1]

    def hear(self, message: str | bytes) -> None:
        if message == "fail":
            raise RuntimeError("a defect")
        self.world.facts.put("heard", message)
        self.heard.append(message)

    def end(self) -> None:
        self.world.facts.put("ended", True)


class Stage:
    """Both ends of a conversation in a world whose clock stands still."""

    def __init__(self) -> None:
        self.world = World("stage", 0, {})
        self.world.clock.freeze()
        self.sent: list[Record] = []

    def play(self, part: Part, *messages: str, steps_s: tuple[float, ...] = (), leaves: bool = True) -> list[Any]:
        """Let the client say these, the clock move on by these steps, and the client leave; return what was sent."""

        async def run() -> None:
            incoming: asyncio.Queue[Record] = asyncio.Queue()

            async def send(message: Record) -> None:
                self.sent.append(message)

            number = self.world.journal.append(0, "GET", "/", b"", None, 101, 0, None, (), b"", b"", b"", b"")
            minutes = Minutes(self.world.journal, number, 0)
            talk = asyncio.ensure_future(converse(self.world, part, minutes, incoming.get, send))
            for message in messages:
                incoming.put_nowait({"type": "websocket.receive", "text": message})
            for step_s in steps_s:
                await asyncio.sleep(0.02)
                self.world.clock.move(timedelta(seconds=step_s))
            if leaves:
                incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
            await asyncio.wait_for(talk, ANSWER_WITHIN_S)

        asyncio.run(run())
        return [message.get("text", message.get("code")) for message in self.sent]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_what_is_due_waits_for_the_clock(stage: Stage) -> None:
    assert stage.play(Part(stage.world, (0, "now"), (5, "later"), (60, "too late")), steps_s=(4, 1.5)) == ["now", "later"]


def test_what_is_due_goes_before_what_is_heard(stage: Stage) -> None:
    part = Part(stage.world, (0, "one"), (0, "two"))
    stage.play(part, "question")
    assert [message["text"] for message in stage.sent] == ["one", "two"]
    assert part.heard == ["question"]


def test_client_is_heard_while_something_waits(stage: Stage) -> None:
    part = Part(stage.world, (60, "later"))
    assert stage.play(part, "question", "again") == []
    assert part.heard == ["question", "again"]


def test_changes_to_the_world_stay(stage: Stage) -> None:
    stage.play(Part(stage.world), "kept")
    with stage.world.attempt():
        pass  # takes back all that was not kept
    assert stage.world.facts.get("heard") == "kept"


@pytest.mark.parametrize("leaves", [True, False])
def test_part_is_told_of_the_end(stage: Stage, leaves: bool) -> None:
    stage.play(Part(stage.world, *(() if leaves else [(0.0, Closing())])), leaves=leaves)
    with stage.world.attempt():
        pass
    assert stage.world.facts.get("ended") is True


def test_server_may_end_it(stage: Stage) -> None:
    assert stage.play(Part(stage.world, (0, "bye"), (0, Closing(4000, "done"))), leaves=False) == ["bye", 4000]


def test_defect_ends_it_and_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    assert stage.play(Part(stage.world), "fail", leaves=False) == [1011]
    assert "a WebSocket failed" in caplog.text


def test_journal_keeps_the_beginning_of_long_messages(stage: Stage) -> None:
    stage.play(Part(stage.world), "a" * (FRAME_LIMIT + 1), "b")
    entry = stage.world.journal.get(1)
    assert entry is not None
    assert entry.request_body == b"a" * FRAME_LIMIT + b"...\nb"
    assert entry.request_size == FRAME_LIMIT + 2


def test_journal_that_was_cleared_stays_so(stage: Stage) -> None:
    part = Part(stage.world)
    hear = part.hear

    def clear(message: str | bytes) -> None:
        stage.world.journal.clear()
        hear(message)

    part.hear = clear  # type: ignore[method-assign]  # a reset of the world in the middle
    stage.play(part, "one", "two")
    assert len(stage.world.journal) == 0


# What testers set.


def set_for(feed: Feed, world: str, kind: str, definition: Record) -> httpx.Response:
    return httpx.post(f"{feed.server.origin}/worlds/{world}/__admin/{kind}", json=definition)


@pytest.mark.parametrize("effect", ["reset", "empty", "garbage"])
def test_fault_breaks_a_handshake(feed: Feed, effect: str) -> None:
    assert set_for(feed, effect, "faults", {"effect": {effect: True}}).status_code == 201
    with pytest.raises(InvalidMessage):
        feed.open(x_mock_world=effect)
    (told,) = feed.journal(effect)
    assert (told["status"], told["ending"], told["verdict"]["blame"]) == (0, "cut", "stub")


@pytest.mark.parametrize("effect", [{"cut": {"after_bytes": 1}}, {"malformed": True}, {"slow_body": {"bytes_per_s": 1}}])
def test_fault_of_a_body_leaves_a_socket_alone(feed: Feed, effect: Record) -> None:
    """Where it is meant for all operations; for none but sockets it is refused."""
    world = next(iter(effect))
    refused = set_for(feed, world, "faults", {"match": {"operation": "openFeed"}, "effect": effect})
    assert "needs a body, but GET /feed opens a WebSocket" in refused.json()["detail"]
    assert set_for(feed, world, "faults", {"effect": effect}).status_code == 201
    with feed.open(x_mock_world=world) as socket:
        assert socket.response is not None
        assert "x-mock-fault" not in socket.response.headers


@pytest.mark.parametrize(
    "response",
    [
        {"headers": {"x-tide": "low"}},
        {"headers": {"x-tide": "low"}, "chunkedDribbleDelay": {"numberOfChunks": 2, "totalDuration": 1}},
    ],
    ids=["headers", "dribbled"],
)
def test_mapping_lets_a_socket_open(feed: Feed, response: Record) -> None:
    world = f"opens-{len(response)}"
    definition = {"request": {"operation": "openFeed"}, "response": {"fall_through": True, **response}}
    assert set_for(feed, world, "mappings", definition).status_code == 201
    with feed.open(x_mock_world=world) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-tide"] == "low"


def test_mapping_refuses_a_socket(feed: Feed) -> None:
    response = {"fall_through": True, "status": 503}
    definition = {"request": {"operation": "openFeed"}, "response": response, "off_contract": True}
    assert set_for(feed, "refuses", "mappings", definition).status_code == 201
    with pytest.raises(InvalidStatus) as raised:
        feed.open(x_mock_world="refuses")
    assert raised.value.response.status_code == 503


def test_mapping_breaks_a_handshake(feed: Feed) -> None:
    definition = {"request": {"operation": "openFeed"}, "response": {"fault": "CONNECTION_RESET_BY_PEER"}}
    assert set_for(feed, "broken", "mappings", definition).status_code == 201
    with pytest.raises(InvalidMessage):
        feed.open(x_mock_world="broken")
    assert feed.journal("broken")[-1]["ending"] == "cut"


@pytest.mark.parametrize("path", ["/__admin/worlds", "/worlds/other/__admin/requests", "/__admin/"])
def test_page_of_another_origin_opens_no_socket_to_the_admin_api(feed: Feed, path: str) -> None:
    status, told = feed.refusal(path, origin="http://elsewhere.example")
    assert status == 400
    assert "is no WebSocket" in told["detail"]
