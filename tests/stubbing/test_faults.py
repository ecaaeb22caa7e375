"""Faults: which calls they strike, and what arrives at a client on a real connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from mockserver.app import App
from mockserver.pytest_plugin import PortkeyWorld
from mockserver.server import BackgroundServer
from mockserver.values import Record
from tests.conftest import Client
from tests.stubbing.conftest import Desk

ASK = {"operation": "ask"}
HOURS = "/api/v2/opening-hours"


# Errors.


@pytest.mark.parametrize(
    ("error", "status", "problem"),
    [
        ({"status": 404}, 404, "not-found"),
        ({"problem": "conflict"}, 409, "conflict"),
        ({"status": 503}, 503, "service-failed"),
        ({"status": 422, "message": "No."}, 422, "invalid-request"),
    ],
)
def test_error_is_in_the_words_of_the_api(desk: Desk, error: Record, status: int, problem: str) -> None:
    made = desk.fault(match=ASK, effect={"error": error})
    reply = desk.get("/api/v2/desk/why")
    assert (reply.status_code, reply.headers["x-mock-problem"], reply.headers["x-mock-fault"]) == (status, problem, made["id"])
    assert set(reply.json()) == {"error"}
    assert error.get("message", "") in reply.json()["error"]
    assert desk.usage(made) == (1, 1)


def test_failure_says_no_more_than_its_status(desk: Desk) -> None:
    """Nothing of a mock: what a client shows of it is what its users would see."""
    desk.fault(match=ASK, effect={"error": {"status": 500}})
    assert desk.get("/api/v2/desk/why").json() == {"error": "Internal Server Error"}


def test_operation_does_not_run_when_an_error_strikes(desk: Desk) -> None:
    made = desk.fault(match={"operation": "addMember"}, effect={"error": {"status": 409}})
    assert desk.post("/api/v2/members", {"name": "Ada", "town": "Ely"}).status_code == 409
    told = desk.admin("GET", "/requests")["requests"][0]
    assert told["stub"] == {"kind": "fault", "mapping": None, "fault": made["id"]}
    assert desk.get("/api/v2/members").json()["count"] == 0


def test_error_that_is_not_documented_is_refused(desk: Desk) -> None:
    ((place, message),) = desk.fault(400, match={"operation": "getOpeningHours"}, effect={"error": {"status": 503}})
    assert place == "/effect/error"
    assert "503 is not documented" in message
    desk.fault(match={"operation": "getOpeningHours"}, effect={"error": {"status": 503}}, off_contract=True)
    assert desk.get(HOURS).status_code == 503


def test_error_for_all_passes_over_operations_that_have_it_not(desk: Desk) -> None:
    made = desk.fault(effect={"error": {"status": 503}})
    assert "getOpeningHours" in made["passes_over"]
    assert "ask" not in made["passes_over"]
    assert desk.get(HOURS).status_code == 200
    assert desk.get("/api/v2/desk/why").status_code == 503


def test_fault_strikes_the_nth_call_and_before_mappings(desk: Desk) -> None:
    desk.stub(request=ASK, response={"jsonBody": {"id": "a"}})
    desk.fault(match={**ASK, "call": {"every": 2}}, effect={"error": {"status": 500}}, times=2)
    assert [desk.get("/api/v2/desk/why").status_code for _ in range(6)] == [200, 500, 200, 500, 200, 200]


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ({"effect": {"delay": {"type": "fixed"}}}, "/effect/delay"),
        ({"effect": {"reset": True, "malformed": True}}, "/effect/malformed"),
        ({"effect": {"error": {"message": "No."}}}, "/effect/error"),
        ({"effect": {"error": {"problem": "mock-failed"}}}, "/effect/error/problem"),
        ({"match": {"provider": "openai"}, "effect": {"error": {"status": 404}}}, "/match/provider"),
        ({"match": {"key": "a"}, "effect": {"reset": True}}, "/match/key"),
        ({"match": {"operation": "nobody"}, "effect": {"reset": True}}, "/match/operation"),
        ({"match": {"urlPath": "/nowhere"}, "effect": {"reset": True}}, "/match/urlPath"),
        ({"match": ASK, "effect": {"half_stream": {"after_events": 1}}}, "/effect/half_stream"),
        ({"match": ASK}, "/effect"),
    ],
)
def test_fault_is_refused_when_it_is_set(desk: Desk, fault: Record, place: str) -> None:
    assert desk.fault(400, **fault)[0][0] == place


def test_faults_are_listed_replaced_and_forgotten(desk: Desk) -> None:
    made = desk.fault(match=ASK, effect={"error": {"status": 500}})
    later = desk.fault(match=ASK, effect={"error": {"status": 404}}, priority=9)
    assert [each["id"] for each in desk.admin("GET", "/faults")["faults"]] == [made["id"], later["id"]]
    assert desk.get("/api/v2/desk/why").status_code == 500
    assert [each["id"] for each in desk.admin("GET", "/faults?unmatched=true")["faults"]] == [later["id"]]
    shown = desk.admin("GET", f"/faults/{made['id']}")
    changed = desk.admin("PUT", f"/faults/{made['id']}", {**shown, "effect": {"error": {"status": 502}}})
    assert changed["usage"]["matched"] == 0
    assert desk.get("/api/v2/desk/why").status_code == 502
    desk.admin("DELETE", f"/faults/{made['id']}")
    assert desk.get("/api/v2/desk/why").status_code == 404
    desk.admin("DELETE", "/faults")
    assert desk.admin("GET", "/faults")["faults"] == []
    desk.admin("GET", f"/faults/{made['id']}", status=404)


# On a real connection.


@pytest.fixture(scope="module")
def library_server(library_app: App) -> Iterator[BackgroundServer]:
    server = BackgroundServer(library_app)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def line(desk: Desk, library_server: BackgroundServer) -> Iterator[httpx.Client]:
    """A client on a connection of its own, in the world of the desk, whose clock runs."""
    desk.world.clock.run()
    base = f"{library_server.origin}/worlds/{desk.world_name}"
    with httpx.Client(base_url=base, headers={"x-library-card": "any"}, timeout=5) as client:
        yield client


def received(library_server: BackgroundServer, desk: Desk, path: str = HOURS) -> tuple[bytes, bool]:
    """All bytes that come back, and whether the connection was reset rather than closed."""
    parts = urlsplit(library_server.origin)
    found = b""
    with socket.create_connection((str(parts.hostname), parts.port or 80), 5) as connection:
        head = f"GET /worlds/{desk.world_name}{path} HTTP/1.1\r\nhost: a\r\nx-library-card: any\r\n\r\n"
        connection.sendall(head.encode())
        try:
            while data := connection.recv(65536):
                found += data
        except ConnectionResetError:
            return found, True
    return found, False


def test_reset_is_one(desk: Desk, library_server: BackgroundServer) -> None:
    desk.fault(effect={"reset": True})
    assert received(library_server, desk) == (b"", True)
    entry = desk.admin("GET", "/requests")["requests"][0]
    assert (entry["status"], entry["operation"]) == (0, "getOpeningHours")


def test_empty_reply_is_one(desk: Desk, library_server: BackgroundServer) -> None:
    desk.fault(effect={"empty": True})
    assert received(library_server, desk) == (b"", False)


def test_garbage_is_no_http(desk: Desk, line: httpx.Client) -> None:
    desk.fault(effect={"garbage": True})
    with pytest.raises(httpx.RemoteProtocolError):
        line.get(HOURS)


def test_cut_comes_after_so_many_bytes(desk: Desk, library_server: BackgroundServer) -> None:
    desk.fault(effect={"cut": {"after_bytes": 7}})
    found, was_reset = received(library_server, desk)
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert (len(body), was_reset) == (7, False)


def test_cut_can_be_a_reset(desk: Desk, library_server: BackgroundServer) -> None:
    desk.fault(effect={"cut": {"after_bytes": 0, "reset": True}})
    assert received(library_server, desk)[1] is True


def test_operation_has_run_when_its_reply_is_cut(desk: Desk, line: httpx.Client) -> None:
    desk.fault(match={"operation": "addMember"}, effect={"cut": {"after_bytes": 3}})
    with pytest.raises(httpx.RemoteProtocolError):
        line.post("/api/v2/members", json={"name": "Ada", "town": "Ely"})
    assert line.get("/api/v2/members").json()["count"] == 1


def test_malformed_body_comes_whole(desk: Desk, line: httpx.Client) -> None:
    desk.fault(effect={"malformed": True})
    reply = line.get(HOURS)
    assert int(reply.headers["content-length"]) == len(reply.content)
    with pytest.raises(json.JSONDecodeError):
        reply.json()


def test_truncated_body_is_shorter_than_announced(desk: Desk, line: httpx.Client) -> None:
    desk.fault(effect={"truncated": True})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        line.get(HOURS)


def test_slow_body_follows_the_clock(desk: Desk, line: httpx.Client) -> None:
    desk.fault(effect={"slow_body": {"bytes_per_s": 2000}})
    reply = line.get(HOURS)
    assert reply.json()["days"]
    assert int(reply.headers["content-length"]) == len(reply.content)
    assert desk.admin("GET", "/requests")["requests"][0]["duration_us"] >= len(reply.content) / 2000 * 1e6 * 0.9


def test_delay_holds_refusals_up_too(desk: Desk, line: httpx.Client) -> None:
    desk.fault(effect={"delay": {"type": "fixed", "milliseconds": 30}})
    assert line.get(HOURS).status_code == 200
    assert line.get("/api/v2/members/00000000-0000-4000-8000-000000000000").status_code == 404
    assert all(each["duration_us"] >= 30_000 for each in desk.admin("GET", "/requests")["requests"])


def test_connection_serves_on_behind_a_delay(desk: Desk, line: httpx.Client) -> None:
    desk.fault(effect={"slow_body": {"bytes_per_s": 20000}}, times=1)
    assert [line.get(HOURS).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("CONNECTION_RESET_BY_PEER", (b"", True)),
        ("EMPTY_RESPONSE", (b"", False)),
        ("RANDOM_DATA_THEN_CLOSE", None),
        ("MALFORMED_RESPONSE_CHUNK", None),
    ],
)
def test_mapping_breaks_connections_in_wiremock_s_words(
    desk: Desk, library_server: BackgroundServer, fault: str, expected: tuple[bytes, bool] | None
) -> None:
    desk.stub(request={"urlPath": HOURS}, response={"fault": fault})
    found, was_reset = received(library_server, desk)
    if expected is not None:
        assert (found, was_reset) == expected
    else:
        assert found.startswith(b"HTTP/1.1 200 OK") == (fault == "MALFORMED_RESPONSE_CHUNK")
        assert found
        assert not was_reset


def test_in_process_a_broken_connection_is_an_error(desk: Desk) -> None:
    desk.fault(effect={"reset": True})
    assert desk.get(HOURS).status_code == 500  # httpx's own word for an application that raises


# Portkey: keys, providers, limits, streams.


def set_fault(portkey: PortkeyWorld, **fault: Any) -> Record:
    reply = httpx.post(f"{portkey.admin_url}/faults", json=fault)
    assert reply.status_code == 201, reply.text
    made: Record = reply.json()
    return made


def test_rate_limit_tells_when_the_window_of_the_key_ends(client: Client) -> None:
    made = client.post(
        "/v1/api-keys/organisation/service",
        {
            "name": "busy",
            "scopes": ["organisation_service_api_keys.list"],
            "rate_limits": [{"type": "requests", "unit": "rph", "value": 100}],
        },
    ).json()
    other = client.post(
        "/v1/api-keys/organisation/service", {"name": "calm", "scopes": ["organisation_service_api_keys.list"]}
    ).json()
    client.call("PUT", "/__admin/clock", {"now": "2030-01-01T10:50:00Z", "frozen": True})
    fault = {"match": {"key": "busy"}, "effect": {"error": {"status": 429}}}
    assert client.post("/__admin/faults", fault).status_code == 201
    reply = client.as_key(made["key"]).get("/v1/api-keys")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "600")
    assert "rate limit exceeded" in reply.json()["message"]
    assert made["key"] not in client.get("/__admin/faults").text
    assert client.as_key(other["key"]).get("/v1/api-keys").status_code == 200


def test_key_can_be_named_by_its_id(client: Client) -> None:
    made = client.post("/v1/api-keys/organisation/service", {"name": "one", "scopes": ["logs.list"]}).json()
    fault = {"match": {"key": made["id"]}, "effect": {"error": {"status": 403}}}
    assert client.post("/__admin/faults", fault).status_code == 201
    assert client.as_key(made["key"]).get("/v1/configs").status_code == 403
    assert client.get("/v1/configs").status_code == 200


def test_provider_that_fails_is_fallen_back_from(portkey: PortkeyWorld) -> None:
    fault = set_fault(portkey, match={"provider": "openai"}, effect={"error": {"status": 503, "message": "Out to lunch"}})
    targets = [{"provider": name, "api_key": "any"} for name in ("openai", "anthropic")]
    client = portkey.client(api_key="any", config={"strategy": {"mode": "fallback"}, "targets": targets})
    reply = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])
    assert reply.get_headers()["last-used-option-index"] == "config.targets[1]"
    shown = httpx.get(f"{portkey.admin_url}/faults/{fault['id']}").json()
    assert shown["usage"] == {"matched": 1, "used": 1, "expired": False}


def test_provider_that_is_busy_is_retried_by_the_client(portkey: PortkeyWorld) -> None:
    set_fault(portkey, match={"provider": "openai", "call": 1}, effect={"error": {"status": 429, "retry_after_s": 0}})
    client = openai.OpenAI(base_url=portkey.url, api_key="any", default_headers={"x-portkey-provider": "openai"}, max_retries=1)
    reply = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])
    assert reply.choices[0].message.content
    assert [call["status"] for call in portkey.calls] == [429, 200]
    client.close()


def test_provider_breaks_no_connection_of_the_caller(client: Client) -> None:
    reply = client.post("/__admin/faults", {"match": {"provider": "openai"}, "effect": {"reset": True}})
    assert reply.status_code == 400
    assert reply.json()["violations"][0]["pointer"] == "/effect/reset"


def stream(url: str, body: Record, found: list[bytes]) -> None:
    """Call, and put what comes into a list as it comes."""
    with httpx.stream("POST", url, json=body, headers={"x-portkey-api-key": "any"}) as reply:
        for data in reply.iter_bytes():
            found.append(data)


def test_half_a_stream_breaks_off(portkey: PortkeyWorld) -> None:
    fault = set_fault(portkey, match={"operation": "createChatCompletion"}, effect={"half_stream": {"after_events": 2}})
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"x-portkey-api-key": "any"}
    assert httpx.post(f"{portkey.url}/chat/completions", json=body, headers=headers).status_code == 200
    found: list[bytes] = []
    with pytest.raises(httpx.RemoteProtocolError):
        stream(f"{portkey.url}/chat/completions", {**body, "stream": True}, found)
    assert b"".join(found).count(b"data: ") == 2
    assert httpx.get(f"{portkey.admin_url}/faults/{fault['id']}").json()["usage"] == {"matched": 2, "used": 1, "expired": False}


def test_sdk_reads_a_mapping(portkey: PortkeyWorld) -> None:
    mapping = {
        "request": {"method": "GET", "urlPath": "/v1/api-keys"},
        "response": {"jsonBody": {"object": "list", "total": 0, "data": []}},
    }
    assert httpx.post(f"{portkey.admin_url}/mappings", json=mapping).status_code == 201
    assert portkey.client().api_keys.list().total == 0
