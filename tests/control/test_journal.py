"""The journal by the admin API: what is told of a call, and how calls are found, counted, waited for and removed."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.app import App, Settings
from mockserver.portkey.seeds import admin_key
from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import JSON, Record
from tests.conftest import Client

DOCUMENTS = Path(__file__).parent.parent / "documents"
SOON_S = 5
CHAT: Record = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide is next?"}]}


def admin(client: Client, method: str, path: str, json: Any = ..., **options: Any) -> httpx.Response:
    return client.call(method, f"/__admin{path}", json, **options)


def newest(client: Client) -> Record:
    found: list[Record] = admin(client, "GET", "/requests?limit=1").json()["requests"]
    return found[0]


def numbers(reply: httpx.Response) -> list[int]:
    assert reply.status_code == 200, reply.text
    return [each["number"] for each in reply.json()["requests"]]


# What is told of a call.


def test_call_tells_who_called(client: Client) -> None:
    known = client.as_key(admin_key(client.world))
    known.get("/v1/api-keys")
    caller = newest(client)["caller"]
    record = client.world["api_keys"].get(caller["id"])
    assert caller["name"] == record["_wire"]["name"]
    client.get("/v1/api-keys")
    assert newest(client)["caller"] is None


def test_call_tells_its_place(client: Client) -> None:
    key = next(client.world["api_keys"].newest())["id"]
    client.get(f"/v1/api-keys/{key}")
    told = newest(client)
    assert (told["operation"], told["family"], told["world"]) == ("getApiKey", "api_keys", client.world_name)
    assert told["path_parameters"] == {"id": key}
    assert told["ending"] == "whole"


@pytest.mark.parametrize(
    ("method", "path", "json", "verdict", "kind"),
    [
        ("GET", "/v1/api-keys", ..., ("kept", "kept", None), "family"),
        ("GET", "/v1/api-keys?page_size=x", ..., ("broke", "kept", "client"), None),
        ("GET", "/v1/nothing", ..., ("broke", "unchecked", "client"), None),
        ("GET", "/v1/api-keys/0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2", ..., ("kept", "kept", "client"), "family"),
        ("GET", "/v1/api-keys?__code=400", ..., ("kept", "kept", "client"), "demand"),
        ("GET", "/v1/threads/thread_1", ..., ("kept", "kept", "client"), "family"),
    ],
)
def test_call_tells_the_verdicts(
    client: Client, method: str, path: str, json: JSON, verdict: tuple[str, str, str | None], kind: str | None
) -> None:
    client.call(method, path, json)
    told = newest(client)
    assert tuple(told["verdict"].values()) == verdict
    assert (told["stub"] or {}).get("kind") == kind


def test_call_tells_that_the_document_implied_its_stub() -> None:
    client = Client(App(Settings(document=DOCUMENTS / "shop.yaml")), headers={"x-shop-key": "any"})
    client.get("/orders")
    assert newest(client)["stub"]["kind"] == "resource"


def test_call_that_nobody_may_make_is_not_checked(strict: Client) -> None:
    strict.as_key("nobody-knows-this").get("/v1/api-keys?page_size=x")
    told = newest(strict)
    assert told["verdict"] == {"request": "unchecked", "reply": "kept", "blame": "client"}
    assert (told["problem"], told["violations"], told["stub"]) == ("unauthenticated", [], None)


def test_call_tells_what_is_wrong_in_request_and_document(client: Client) -> None:
    client.get("/v1/api-keys?page_size=x")
    told = newest(client)
    assert told["detail"].startswith("Invalid request: query/page_size")
    assert told["violations"][0]["pointer"] == "/page_size"
    assert told["violations"][0]["schema"].startswith("/")


def test_stream_tells_its_chunks(client: Client) -> None:
    reply = client.post("/v1/chat/completions", {**CHAT, "stream": True}, headers={"x-portkey-provider": "openai"})
    told = newest(client)
    assert reply.status_code == 200
    assert told["stream"]["chunks"] == reply.text.count("data: ")
    assert told["ending"] == "whole"


def test_body_that_is_cut_off_says_so(client: Client) -> None:
    client.post("/v1/api-keys/organisation/service", {"name": "x" * 70_000})
    told = newest(client)
    assert (told["request"]["truncated"], told["reply"]["truncated"]) == (True, False)


def test_client_that_does_not_wait_is_journalled(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    script = {"answer": {"text": "Noon."}, "delay_ms": 60_000}
    assert httpx.post(f"{portkey.admin_url}/scripts", json=script).status_code == 201
    headers = {"x-portkey-api-key": "any", "x-portkey-provider": "openai"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{portkey.url}/chat/completions", json=CHAT, headers=headers, timeout=0.1)
    found = httpx.post(f"{portkey.admin_url}/requests/wait", json={"timeout_s": SOON_S}).json()
    assert [each["ending"] for each in found["requests"]] == ["left"]
    assert found["requests"][0]["due_at"] > found["requests"][0]["at"]


# Finding.


@pytest.fixture
def called(client: Client) -> Client:
    """Five calls, a minute apart: a list, one key, a key that is made, a path that is not there, and a refusal."""
    client.world.clock.freeze(datetime.fromisoformat("2026-06-01T12:00:00Z"))
    key = next(client.world["api_keys"].newest())["id"]
    made = {"name": "ci", "scopes": ["logs.view", "logs.list"]}
    for method, path, json, headers in (
        ("GET", "/v1/api-keys?page_size=2", ..., {"x-word": "tide"}),
        ("GET", f"/v1/api-keys/{key}", ..., {"x-portkey-api-key": admin_key(client.world)}),
        ("POST", "/v1/api-keys/organisation/service", made, {}),
        ("GET", "/v1/api-kees", ..., {}),
        ("GET", "/v1/api-keys?page_size=x&page_size=y", ..., {"x-word": "ebb"}),
    ):
        client.call(method, path, json, headers=headers)
        admin(client, "POST", "/clock/move", {"seconds": 60})
    return client


QUERIES = [
    ("method=POST", [3]),
    ("method=post", [3]),
    ("path=/v1/api-keys", [5, 1]),
    ("path=/v1/api-keys/{id}", [2]),
    ("path=/v1/*", [5, 4, 1]),
    ("path=/v1/api-*", [5, 4, 1]),
    ("path=/v1/**", [5, 4, 3, 2, 1]),
    ("path=/v1/api-keys/**", [3, 2]),
    ("path=/v1/api.keys", []),
    ("status=4xx&path=/**", [5, 4]),
    ("problem=no-such-path", [4]),
    ("blame=client", [5, 4]),
    ("blame=mock", []),
    ("stub=family", [3, 2, 1]),
    ("stub=sample", []),
    ("header=x-word", [5, 1]),
    ("header=X-Word:tide", [1]),
    ("header=x-word:tide&header=x-portkey-api-key:any", [1]),
    ("header=x-none", []),
    ("query=page_size", [5, 1]),
    ("query=page_size=2", [1]),
    ("query=page_size=y", [5]),
    ('body={"scopes": ["logs.list"]}', [3]),
    ('body={"scopes": ["logs.export"]}', []),
    ("body=$.name", [3]),
    ("body=$.scopes[?@ == 'logs.list']", [3]),
    ("body=$.nothing", []),
    ("body=logs.view", [3]),
    ("text=organisation/service", [3]),
    ("text=ebb", [5]),
    ("since=2026-06-01T12:03:00Z&blame=client", [5, 4]),
    ("until=2026-06-01T12:01:00Z", [2, 1]),
    ("order=asc", [1, 2, 3, 4, 5]),
    ("order=asc&limit=2", [1, 2]),
    ("order=asc&limit=2&cursor=2", [3, 4]),
    ("limit=2&cursor=4", [3, 2]),
]


@pytest.mark.parametrize(("query", "wanted"), QUERIES, ids=[query for query, _ in QUERIES])
def test_calls_are_found_by_filters(called: Client, query: str, wanted: list[int]) -> None:
    pairs = [(name, value) for name, _, value in (each.partition("=") for each in query.split("&"))]
    found = numbers(admin(called, "GET", "/requests", params=pairs))

    assert found == wanted


def test_calls_are_found_by_caller(called: Client) -> None:
    caller = admin(called, "GET", "/requests/2").json()["caller"]
    assert numbers(admin(called, "GET", f"/requests?caller={caller['id']}")) == [2]
    assert numbers(admin(called, "GET", "/requests", params={"caller": caller["name"]})) == [2]


def test_calls_are_paged_by_cursors(called: Client) -> None:
    first = admin(called, "GET", "/requests?limit=3").json()
    called.get("/v1/api-keys")
    second = admin(called, "GET", f"/requests?limit=3&cursor={first['next']}").json()
    assert ([each["number"] for each in first["requests"]], first["next"]) == ([5, 4, 3], 3)
    assert ([each["number"] for each in second["requests"]], second["next"]) == ([2, 1], None)


PATTERNS: list[tuple[Record, list[int]]] = [
    ({}, [5, 4, 3, 2, 1]),
    ({"method": "POST"}, [3]),
    ({"operation": "listApiKeys"}, [5, 1]),
    ({"urlPath": "/v1/api-keys"}, [5, 1]),
    ({"urlPath": "/api-keys"}, [5, 1]),
    ({"url": "/v1/api-keys?page_size=2"}, [1]),
    ({"urlPathPattern": "/v1/api-k.*s"}, [5, 4, 1]),
    ({"urlPathTemplate": "/v1/api-keys/{id}"}, [2]),
    ({"queryParameters": {"page_size": {"matches": "[0-9]"}}}, [1]),
    ({"headers": {"x-word": {"contains": "id"}}}, [1]),
    ({"headers": {"x-word": {"absent": True}}, "method": "GET"}, [4, 2]),
    ({"bodyPatterns": [{"matchesJsonPath": "$.scopes"}, {"contains": "ci"}]}, [3]),
    ({"bodyPatterns": [{"equalToJson": {"name": "ci"}}]}, []),
    ({"bodyPatterns": [{"equalToJson": {"name": "ci"}, "ignoreExtraElements": True}]}, [3]),
    ({"status": "4xx", "path": "/v1/api-k*s"}, [5, 4]),
    ({"stub": "family", "until": "2026-06-01T12:00:00Z"}, [1]),
    ({"text": "ebb", "blame": "client"}, [5]),
]


@pytest.mark.parametrize(("pattern", "wanted"), PATTERNS, ids=str)
def test_calls_are_found_and_counted_by_patterns(called: Client, pattern: Record, wanted: list[int]) -> None:
    assert numbers(admin(called, "POST", "/requests/find", pattern)) == wanted
    assert admin(called, "POST", "/requests/count", pattern).json() == {"count": len(wanted)}


def test_calls_are_removed_by_patterns(called: Client) -> None:
    assert admin(called, "POST", "/requests/remove", {"method": "GET"}).json() == {"count": 4}
    assert numbers(admin(called, "GET", "/requests")) == [3]
    called.get("/v1/api-keys")
    assert numbers(admin(called, "GET", "/requests")) == [6, 3]


def test_call_is_removed_by_its_number(called: Client) -> None:
    assert admin(called, "DELETE", "/requests/3").json() == {}
    assert admin(called, "GET", "/requests/3").status_code == 404
    assert admin(called, "DELETE", "/requests/3").status_code == 404
    assert admin(called, "GET", "/requests/4").status_code == 200


def test_calls_that_led_nowhere_are_listed(called: Client) -> None:
    assert numbers(admin(called, "GET", "/requests/unmatched")) == [4]


@pytest.mark.parametrize(
    ("method", "path", "json", "part", "pointer"),
    [
        ("POST", "/requests/find", {"nothing": 1}, "body", ""),
        ("POST", "/requests/find", {"bodyPatterns": [{"matchesJsonPath": "name"}]}, "body", "/bodyPatterns/0/matchesJsonPath"),
        ("POST", "/requests/count", {"headers": {"x": {"like": "y"}}}, "body", "/headers/x"),
        ("POST", "/requests/count", {"url": "/a", "urlPath": "/a"}, "body", "/urlPath"),
        ("POST", "/requests/wait", {"request": {"urlPattern": "("}, "timeout_s": 0}, "body", "/request/urlPattern"),
        ("POST", "/requests/wait", {"request": {"since": "2016-12-31T23:59:60Z"}}, "body", "/request/since"),
        ("POST", "/requests/wait", {"timeout_s": 601}, "body", "/timeout_s"),
        ("POST", "/near-misses/request", {"url": "v1"}, "body", "/url"),
        ("GET", "/requests?body=$[", ..., "query", "/body"),
        ("GET", "/requests?path=v1", ..., "query", "/path"),
        ("GET", "/requests?order=up", ..., "query", "/order"),
        ("GET", "/requests?blame=me", ..., "query", "/blame"),
        ("GET", "/requests?cursor=x", ..., "query", "/cursor"),
    ],
)
def test_pattern_that_makes_no_sense_is_400(
    client: Client, method: str, path: str, json: JSON, part: str, pointer: str
) -> None:
    reply = admin(client, method, path, json)
    assert reply.status_code == 400
    assert [(each["in"], each["pointer"]) for each in reply.json()["violations"]][:1] == [(part, pointer)]


# Waiting.


@pytest.fixture
def live(portkey: PortkeyWorld) -> PortkeyWorld:
    portkey.clock.freeze()
    return portkey


def call(world: PortkeyWorld, path: str = "/api-keys") -> None:
    httpx.get(world.url + path, headers={"x-portkey-api-key": "any"})


def wait(world: PortkeyWorld, **fields: Any) -> Record:
    reply = httpx.post(f"{world.admin_url}/requests/wait", json={"timeout_s": SOON_S, **fields}, timeout=2 * SOON_S)
    assert reply.status_code == 200, reply.text
    result: Record = reply.json()
    return result


def test_wait_ends_at_once_when_the_calls_are_there(live: PortkeyWorld) -> None:
    call(live)
    assert wait(live, request={"operation": "listApiKeys"})["met"] is True


def test_wait_ends_when_the_last_call_comes(live: PortkeyWorld) -> None:
    """Other calls are served meanwhile: they are what it waits for."""
    got: list[Record] = []
    waiter = threading.Thread(target=lambda: got.append(wait(live, request={"method": "GET"}, count=3)))
    waiter.start()
    for _ in range(3):
        assert not got
        call(live)
    waiter.join(SOON_S)
    assert [(each["met"], each["count"], len(each["requests"])) for each in got] == [(True, 3, 3)]


def test_wait_counts_anew_after_calls_were_forgotten(live: PortkeyWorld) -> None:
    call(live)
    got: list[Record] = []
    waiter = threading.Thread(target=lambda: got.append(wait(live, count=2)))
    waiter.start()
    httpx.delete(f"{live.admin_url}/requests")
    call(live)
    call(live)
    waiter.join(SOON_S)
    assert got[0]["met"] is True


def test_wait_ends_at_its_time_with_what_has_come(live: PortkeyWorld) -> None:
    call(live)
    began_s = time.monotonic()
    result = wait(live, count=2, timeout_s=0.05)
    assert time.monotonic() - began_s < SOON_S
    assert (result["met"], result["count"]) == (False, 1)


def test_wait_ends_when_the_client_leaves(client: Client) -> None:
    """Nothing is sent to nobody, and nothing of it goes on."""
    body = b'{"timeout_s": 600}'
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"18")]
    headers.append((b"x-mock-world", client.world_name.encode()))
    scope = {"type": "http", "method": "POST", "path": "/__admin/requests/wait", "query_string": b"", "headers": headers}
    messages = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> int:
        await asyncio.wait_for(client.app(scope, receive, send), SOON_S)
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1
    assert sent == []


def test_wait_for_events_ends_when_they_come(client: Client) -> None:
    client.world.tell("expired", {"to": []})
    client.world.keep()
    result = admin(client, "POST", "/events/wait", {"kind": "expired", "timeout_s": SOON_S}).json()
    assert (result["met"], [each["kind"] for each in result["events"]]) == (True, ["expired"])
    other = admin(client, "POST", "/events/wait", {"kind": "other", "timeout_s": 0}).json()
    assert other == {"met": False, "count": 0, "events": []}


# Near misses.


def test_call_that_led_nowhere_tells_what_it_came_close_to(called: Client) -> None:
    found = admin(called, "GET", "/requests/unmatched/near-misses").json()["nearMisses"]
    assert found[0]["request"]["number"] == 4
    assert found[0]["operation"] == {"id": "listApiKeys", "method": "GET", "path": "/api-keys"}
    assert found[0]["matchResult"]["mismatches"] == [{"criterion": "path", "expected": "/api-keys", "found": "/api-kees"}]
    assert found[0]["matchResult"]["distance"] < 0.2


def test_method_that_a_path_does_not_take_is_a_near_miss(client: Client) -> None:
    client.call("PATCH", "/v1/prompts/partials")
    found = admin(client, "GET", "/requests/unmatched/near-misses").json()["nearMisses"]
    assert {each["operation"]["path"] for each in found[:2]} == {"/prompts/partials"}
    assert found[0]["matchResult"]["mismatches"][0]["criterion"] == "method"


def test_request_that_nobody_made_is_told_its_near_misses(client: Client) -> None:
    found = admin(client, "POST", "/near-misses/request", {"method": "POST", "url": "/v1/chat/completion"}).json()["nearMisses"]
    assert found[0]["operation"]["id"] == "createChatCompletion"
    assert admin(client, "POST", "/near-misses/request", {"url": "/v1/api-keys"}).json() == {"nearMisses": []}


def test_pattern_is_told_the_calls_that_come_close(called: Client) -> None:
    pattern = {"method": "POST", "urlPath": "/v1/api-keys/organisation/service", "bodyPatterns": [{"matchesJsonPath": "$.nme"}]}
    found = admin(called, "POST", "/near-misses/request-pattern", pattern).json()["nearMisses"]
    assert found[0]["request"]["number"] == 3
    assert [each["criterion"] for each in found[0]["matchResult"]["mismatches"]] == ["/request/bodyPatterns/0"]
    assert 0 < found[0]["matchResult"]["distance"] < found[1]["matchResult"]["distance"] <= 1


@pytest.mark.parametrize(
    "pattern", [{"urlPattern": "/none.*"}, {"url": "/none"}, {"bodyPatterns": [{"contains": "none"}]}], ids=str
)
def test_near_misses_show_of_a_call_what_may_be_shown(client: Client, pattern: Record) -> None:
    client.post("/v1/configs?token=s3cr3t", {"name": "c", "config": {"api_key": "s3cr3t"}})
    reply = admin(client, "POST", "/near-misses/request-pattern", pattern)
    assert "[redacted]" in reply.json()["nearMisses"][0]["matchResult"]["mismatches"][0]["found"]
    assert "s3cr3t" not in reply.text


def test_near_misses_show_no_secrets(called: Client) -> None:
    secret = admin_key(called.world)
    pattern = {"headers": {"x-portkey-api-key": {"equalTo": "other"}, "x-word": {"equalTo": secret}}, "method": "GET"}
    reply = admin(called, "POST", "/near-misses/request-pattern", pattern)
    assert reply.json()["nearMisses"]
    assert secret not in reply.text


def test_mapping_that_a_call_comes_close_to_is_told(client: Client) -> None:
    request = {"method": "GET", "urlPath": "/v1/tides", "headers": {"x-word": {"equalTo": "tide"}}}
    client.world["_mappings"].add({"id": "m1", "definition": {"id": "m1", "request": request, "response": {"status": 200}}})
    client.get("/v1/tide", headers={"x-word": "tide"})
    found = admin(client, "GET", "/requests/unmatched/near-misses").json()["nearMisses"]
    (told,) = [each for each in found if "stubMapping" in each]
    assert told["stubMapping"]["id"] == "m1"
    assert told["matchResult"]["mismatches"] == [
        {"criterion": "/request/urlPath", "expected": "/v1/tides", "found": "/v1/tide"}
    ]
