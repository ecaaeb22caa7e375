"""Calls without a socket: as a client would see them over one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mockserver.app import App
from mockserver.testing.hosts import House
from mockserver.testing.wanted import Wanted
from mockserver.testing.world import PortkeyWorld

HEADERS = {"x-portkey-api-key": "any", "x-portkey-provider": "openai"}
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide is next?"}], "stream": True}
TEXT = "The next tide comes in at noon."


@pytest.fixture(scope="module")
def house(shared_app: App) -> Iterator[House]:
    made = House(shared_app)
    yield made
    made.stop()


@pytest.fixture
def world(house: House) -> Iterator[PortkeyWorld]:
    with PortkeyWorld(house, Wanted()) as made:
        yield made


@pytest.fixture
def client(world: PortkeyWorld) -> Iterator[httpx.Client]:
    with httpx.Client(transport=world.transport, base_url="http://any/v1", headers=HEADERS, timeout=5) as made:
        yield made


def chunk(line: str) -> str:
    told: Any = json.loads(line.removeprefix("data: "))
    return str(told["choices"][0]["delta"].get("content", ""))


def test_no_socket_is_opened(shared_app: App) -> None:
    house = House(shared_app)
    with PortkeyWorld(house, Wanted()) as world:
        assert world.http.get("/api-keys").status_code == 200
        assert house._listening is None
    house.stop()


def test_bodies_of_all_kinds_arrive(client: httpx.Client, world: PortkeyWorld) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"name": "ci",'
        yield b' "scopes": ["logs.view"]}'

    headers = {"content-type": "application/json"}
    assert client.post("/api-keys/organisation/service", content=pieces(), headers=headers).status_code == 200
    assert client.post("/files", files={"file": ("a.jsonl", b"{}\n")}, data={"purpose": "batch"}).status_code == 200
    assert [call.operation for call in world.calls] == ["createApiKey", "createFile"]


def test_paths_and_queries_arrive_as_they_were_sent(client: httpx.Client, world: PortkeyWorld) -> None:
    client.get("/api-keys/a%2Fb", params={"q": "ü &"})
    assert world.calls[-1]["path"].endswith("/v1/api-keys/a/b")
    assert world.calls[-1]["query"] == "q=%C3%BC+%26"
    assert client.get("/api-keys/a%2Fb").status_code in (400, 404)


def test_stream_comes_piece_by_piece(client: httpx.Client, world: PortkeyWorld) -> None:
    """What is due later is not there yet: the clock stands still, and only its moves bring more."""
    world.clock.freeze()
    world.script({"text": TEXT}, chunk_delay_ms=1000)
    with client.stream("POST", "/chat/completions", json=CHAT) as reply:
        lines = (line for line in reply.iter_lines() if line)
        text = chunk(next(lines))
        world.clock.move(3600)
        rest = list(lines)
    assert text != TEXT
    assert rest[-1] == "data: [DONE]"
    assert text + "".join(map(chunk, rest[:-1])) == TEXT


def test_client_that_leaves_a_stream_stops_it(client: httpx.Client, world: PortkeyWorld) -> None:
    world.clock.freeze()
    world.script({"text": TEXT}, chunk_delay_ms=1000)
    with client.stream("POST", "/chat/completions", json=CHAT) as reply:
        next(reply.iter_lines())
    (call,) = world.calls.wait_for("createChatCompletion")
    assert "[DONE]" not in call.reply


def test_stream_that_breaks_off_is_an_error(client: httpx.Client, world: PortkeyWorld) -> None:
    world.script({"text": TEXT}, cut_after=1)
    with (
        client.stream("POST", "/chat/completions", json=CHAT) as reply,
        pytest.raises(httpx.RemoteProtocolError, match="before the reply was whole"),
    ):
        reply.read()


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        ({"reset": True}, httpx.ReadError),
        ({"empty": True}, httpx.RemoteProtocolError),
        ({"garbage": True}, httpx.RemoteProtocolError),
        ({"cut": {"after_bytes": 5}}, httpx.RemoteProtocolError),
        ({"cut": {"after_bytes": 5, "reset": True}}, httpx.ReadError),
        ({"truncated": True}, httpx.RemoteProtocolError),
    ],
    ids=str,
)
def test_faults_of_the_connection_are_those_of_a_socket(world: PortkeyWorld, effect: Any, error: type[Exception]) -> None:
    """Sync and async, as httpx raises them when the connection is a real one."""
    world.fault("listApiKeys", **effect)
    with pytest.raises(error) as caught:
        world.http.get("/api-keys")

    async def call() -> None:
        async with httpx.AsyncClient(transport=world.transport, base_url="http://any/v1", headers=HEADERS) as client:
            await client.get("/api-keys")

    with pytest.raises(type(caught.value)):
        asyncio.run(call())
    with pytest.raises(type(caught.value)):
        httpx.get(f"{world.url}/api-keys", headers=HEADERS, trust_env=False)


def test_reply_that_takes_too_long_is_a_timeout(client: httpx.Client, world: PortkeyWorld) -> None:
    world.clock.freeze()
    world.script({"text": TEXT}, delay_ms=1000)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/chat/completions", json={**CHAT, "stream": False}, timeout=0.05)


def test_async_calls_run_side_by_side(world: PortkeyWorld) -> None:
    async def call() -> list[int]:
        async with httpx.AsyncClient(transport=world.transport, base_url="http://any/v1", headers=HEADERS) as client:
            return [reply.status_code for reply in await asyncio.gather(*(client.get("/api-keys") for _ in range(50)))]

    assert asyncio.run(call()) == [200] * 50


def test_async_stream_comes_piece_by_piece(world: PortkeyWorld) -> None:
    world.clock.freeze()
    world.script({"text": TEXT}, chunk_delay_ms=1000)

    async def call() -> list[str]:
        async with (
            httpx.AsyncClient(transport=world.transport, base_url="http://any/v1", headers=HEADERS) as client,
            client.stream("POST", "/chat/completions", json=CHAT) as reply,
        ):
            lines = reply.aiter_lines()
            first = await anext(lines)
            world.clock.move(3600)
            return [first, *[line async for line in lines if line]]

    lines = asyncio.run(call())
    assert "".join(map(chunk, lines[:-1])) == TEXT


def test_async_timeout_and_break_are_errors(world: PortkeyWorld) -> None:
    world.clock.freeze()
    world.script({"text": TEXT}, delay_ms=1000)

    async def call() -> None:
        async with httpx.AsyncClient(transport=world.transport, base_url="http://any/v1", headers=HEADERS) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/chat/completions", json=CHAT, timeout=0.05)

    asyncio.run(call())


def test_defect_of_the_application_reaches_the_test() -> None:
    class Broken:
        base_path = ""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            raise ZeroDivisionError

    from mockserver.testing.exchange import Exchange, scope_of

    exchange = Exchange(b"")
    asyncio.run(exchange.run(Broken(), scope_of("GET", "/", [])))
    with pytest.raises(ZeroDivisionError):
        exchange.whole()
