"""The proxy over real sockets: what goes through unchanged, what it finds, and what clients get when the service fails."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from openai import OpenAI
from portkey_ai import Portkey

from mockserver.app import App, Settings
from mockserver.values import Record
from tests.proxying.conftest import Before
from tests.proxying.through import Small, Through, always, whole

JSON = (b"content-type", b"application/json")
KEY = {"x-depot-pass": "a-pass-for-tests"}
CRATE: Record = {"id": 1, "weight": 2.5}
MESSAGES: list[Any] = [{"role": "user", "content": "Which tide is next?"}]


def crate(*headers: tuple[bytes, bytes]) -> Small:
    return always(200, json.dumps(CRATE).encode(), JSON, *headers)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it got."""
    body = await whole(receive)
    told = {
        "method": scope["method"],
        "target": (scope["raw_path"] + b"?" + scope["query_string"]).decode(),
        "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
        "body": body.decode("latin-1"),
    }
    await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


@pytest.fixture(scope="module")
def echoing() -> Iterator[Through]:
    with Through(Small(echo), base="/api") as through:
        yield through


# What goes through.


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
def test_method_and_body_go_through(echoing: Through, method: str) -> None:
    told = echoing.client.request(method, "/x", content=b"\x00\xffbytes").json()
    assert (told["method"], told["body"]) == (method, "\x00\xffbytes")


@pytest.mark.parametrize("target", ["/a%2Fb?x=%2f&y=+&z", "/%C3%A9", "/a//b/?", "/a?b?c", "/~x;y=1?q=[1]"])
def test_target_goes_through_to_the_byte(echoing: Through, target: str) -> None:
    parts = urlsplit(echoing.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 5) as raw:
        raw.sendall(f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: raw.recv(65536), b""))
    told = json.loads(received.partition(b"\r\n\r\n")[2].partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0])
    assert told["target"] == "/api" + (target if "?" in target else target + "?")


def test_headers_go_through_but_for_those_of_the_connection(echoing: Through) -> None:
    sent = {"x-own": "a", "connection": "keep-alive, x-hop", "x-hop": "b", "te": "trailers", "accept-encoding": "br, gzip"}
    told = echoing.client.get("/x", headers=sent).json()["headers"]
    named = dict(told)
    assert named["x-own"] == "a"
    assert named["accept-encoding"] == "gzip"
    assert named["host"] == urlsplit(echoing.service_url).netloc
    assert not {"x-hop", "te"} & set(named)


def test_headers_of_a_reply_go_through_one_by_one(before: Before) -> None:
    cookies = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    with before(crate(*cookies, (b"x-own", b"\xe9"))) as through:
        reply = through.client.get("/crates/1", headers=KEY)
    assert reply.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert reply.headers.raw[-1][1] == b"\xe9" or (b"x-own", b"\xe9") in reply.headers.raw


def test_redirect_is_the_clients_to_follow(before: Before) -> None:
    with before(always(302, b"", (b"location", b"/elsewhere"))) as through:
        reply = through.client.get("/crates/1", headers=KEY)
    assert (reply.status_code, reply.headers["location"]) == (302, "/elsewhere")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("DELETE", 204)])
def test_reply_without_a_body_goes_through(before: Before, method: str, status: int) -> None:
    with before(always(status, b"", JSON)) as through:
        reply = through.client.request(method, "/crates/1", headers=KEY)
        assert (reply.status_code, reply.content) == (status, b"")
        assert through.findings() == []


def test_compressed_reply_goes_through_compressed_and_is_checked(before: Before) -> None:
    service = always(200, gzip.compress(b'{"id": "one"}'), JSON, (b"content-encoding", b"gzip"))
    with before(service) as through:
        with through.client.stream("GET", "/crates/1", headers=KEY) as reply:
            assert gzip.decompress(b"".join(reply.iter_raw())) == b'{"id": "one"}'
        assert {each.code for each in through.findings()} == {"MS-A003"}


def test_stream_is_not_held_up(before: Before) -> None:
    """The real client has the first event while the service waits with the last."""
    seen = threading.Event()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": _event("The"), "more_body": True})
        arrived = await _in_thread(seen.wait, 5)
        await send({"type": "http.response.body", "body": _event(" tide" if arrived else " late") + b"data: [DONE]\n\n"})

    with before(Small(answer), document=None) as through:
        said = []
        with OpenAI(api_key="sk-a-key-for-tests-only", base_url=f"{through.url}/v1", max_retries=0) as client:
            for chunk in client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
                said.append(chunk.choices[0].delta.content)
                seen.set()
        assert said == ["The", " tide"]


def _event(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


async def _in_thread(wait: Any, *given: Any) -> Any:
    import asyncio

    return await asyncio.to_thread(wait, *given)


def test_request_is_not_held_up(before: Before) -> None:
    """The service has the first piece while the client waits with the second."""
    first = threading.Event()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        first.set()
        rest = await whole(receive) if message.get("more_body") else b""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": message["body"] + b"|" + rest})

    def pieces() -> Iterator[bytes]:
        yield b"one"
        assert first.wait(5)
        yield b"two"

    with before(Small(answer)) as through:
        assert through.client.post("/x", content=pieces()).content == b"one|two"


def test_client_that_leaves_is_told_to_the_service(before: Before) -> None:
    left = threading.Event()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        if (await receive())["type"] == "http.disconnect":
            left.set()

    with before(Small(answer)) as through:
        with through.client.stream("GET", "/events", headers=KEY) as reply:
            assert next(reply.iter_raw()) == b"first"
        assert left.wait(5)


# Real clients, the real document.


@pytest.fixture(scope="module")
def portkeys() -> Iterator[Through]:
    with Through(App(Settings()), document=None) as through:
        yield through


def test_real_clients_do_not_notice_it(portkeys: Through) -> None:
    url = f"{portkeys.url}/v1"
    portkey = Portkey(api_key="any-key-for-tests", base_url=url, provider="@openai-production")
    headers = {"x-portkey-api-key": "any-key-for-tests", "x-portkey-provider": "@openai-production"}

    with OpenAI(api_key="sk-a-key-for-tests-only", base_url=url, max_retries=0, default_headers=headers) as openai:
        plain = openai.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        events = list(openai.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
    streamed = list(portkey.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
    configs = portkey.configs.list()
    portkey.close()
    portkey.openai_client.close()

    text = plain.choices[0].message.content
    assert text
    assert "".join(each.choices[0].delta.content or "" for each in events if each.choices) == text
    assert len(streamed) > 1
    assert configs.data
    report = portkeys.report()
    assert [each for each in report.findings if each.severity != "note"] == []
    assert report.checked["exchanges"] == 4


# What it finds.


def test_violation_is_told_as_it_goes(before: Before) -> None:
    with before(always(200, b'{"id": "one"}', JSON)) as through:
        through.client.get("/crates/first", headers=KEY)
        report = through.report()
    assert through.lines[0].startswith("GET /crates/first 200 getCrate")
    assert any("MS-R001" in line and "client" in line for line in through.lines)
    assert any("MS-A003" in line and "service" in line for line in through.lines)
    assert report.verdict() == "broken"
    assert {each.place.file for each in report.findings} == {through.service_url}
    assert {each.place.pointer.split("/")[2] for each in report.findings} == {"1"}


def test_missing_credentials_are_an_error_live(before: Before) -> None:
    with before(crate()) as through:
        through.client.get("/crates/1")
        assert [(each.code, each.severity) for each in through.findings()] == [("MS-R014", "error")]


def test_path_of_no_document_is_told_live(before: Before) -> None:
    with before(crate()) as through:
        through.client.get("/pallets", headers=KEY)
        assert [(each.code, each.blame) for each in through.findings()] == [("MS-T001", "document")]


def test_large_body_goes_through_and_is_not_checked(before: Before) -> None:
    with before(always(200, b"[" + b" " * 5000 + b"]", JSON), body_limit=1000) as through:
        assert len(through.client.get("/crates/1", headers=KEY).content) == 5002
        found = through.findings()
    assert [each.code for each in found] == ["MS-T003"]
    assert "--body-limit" in found[0].message


def test_no_call_is_not_green(before: Before) -> None:
    with before(crate()) as through:
        assert through.report().status() == 2


# When the service fails.


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def test_service_that_is_not_there_is_502() -> None:
    with Through(url=f"http://127.0.0.1:{free_port()}") as through:
        reply = through.client.post("/crates", json={"weight": 1}, headers=KEY)
        found = [each for each in through.findings() if each.severity == "error"]
    assert (reply.status_code, reply.headers["x-mock-problem"]) == (502, "upstream-unreachable")
    assert "cannot be reached" in reply.json()["error"]["message"]
    assert [(each.code, each.blame) for each in found] == [("MS-A012", "service")]


def test_service_that_is_silent_is_504(before: Before) -> None:
    ended = threading.Event()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await _in_thread(ended.wait, 5)

    with before(Small(answer), timeout_s=0.1) as through:
        reply = through.client.get("/crates/1", headers=KEY)
        ended.set()
    assert (reply.status_code, reply.json()["error"]["type"]) == (504, "upstream-timeout")


def test_reply_that_breaks_off_breaks_off(before: Before) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await send({"type": "http.response.start", "status": 200, "headers": [JSON, (b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b'{"id": 1', "more_body": True})
        scope["extensions"]["mockserver.break_off"]()()

    with before(Small(answer)) as through:
        with pytest.raises(httpx.RemoteProtocolError):
            through.client.get("/crates/1", headers=KEY)
        codes = {each.code for each in through.findings()}
    assert codes == {"MS-A012", "MS-T003"}


# Enforced.


def test_enforced_request_does_not_reach_the_service(before: Before) -> None:
    service = crate()
    with before(service, enforce=True) as through:
        reply = through.client.post("/crates", json={"weight": "heavy"}, headers=KEY)
    assert reply.status_code == 400
    assert reply.json()["error"]["violations"][0]["message"] == "body/weight must be number, not string"
    assert service.seen == []


def test_enforced_reply_does_not_reach_the_client(before: Before) -> None:
    with before(always(200, b'{"id": "one"}', JSON), enforce=True) as through:
        reply = through.client.get("/crates/1", headers=KEY)
    assert (reply.status_code, reply.json()["error"]["type"]) == (502, "reply-breaks-contract")


def test_enforced_exchange_that_keeps_the_document_goes_through(before: Before) -> None:
    with before(always(201, json.dumps(CRATE).encode(), JSON), enforce=True) as through:
        reply = through.client.post("/crates", json={"weight": 1}, headers=KEY)
        assert (reply.status_code, reply.json()) == (201, CRATE)
        assert through.findings() == []


def test_enforced_bodies_that_are_too_large_to_be_checked(before: Before) -> None:
    """Of a request nothing goes on; of a reply all does."""
    with before(always(200, b"[" + b" " * 5000 + b"]", JSON), enforce=True, body_limit=1000) as through:
        assert through.client.get("/crates/1", headers=KEY).content == b"[" + b" " * 5000 + b"]"
        assert through.client.post("/crates", content=b" " * 2000, headers=KEY).status_code == 413
