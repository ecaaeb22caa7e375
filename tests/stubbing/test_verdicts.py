"""What the journal says of calls in which a tester had a hand: by whose doing they failed, and what of them was held."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import Record
from tests.stubbing.conftest import Desk

ASK = {"operation": "ask"}
CHAT: Record = {"model": "gpt-4o", "messages": [{"role": "user", "content": "When is the next tide?"}]}


def told(portkey: PortkeyWorld) -> tuple[Any, ...]:
    """Of the newest call: how its reply was judged, whose doing it was, how it ended, and what answered."""
    call = portkey.calls[-1]
    stub = call["stub"] or {"kind": None}
    return call["verdict"]["reply"], call["verdict"]["blame"], call["ending"], stub["kind"]


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        ({"delay": {"type": "fixed", "milliseconds": 1}}, ("kept", None, "whole", "family")),
        ({"slow_body": {"bytes_per_s": 10_000_000}}, ("kept", None, "whole", "family")),
        ({"error": {"status": 429}}, ("kept", "stub", "whole", "fault")),
        ({"malformed": True}, ("unchecked", "stub", "spoilt", "family")),
        ({"truncated": True}, ("unchecked", "stub", "cut", "family")),
        ({"reset": True}, ("unchecked", "stub", "cut", "fault")),
    ],
    ids=lambda told: next(iter(told)) if isinstance(told, dict) else "",
)
def test_fault_is_to_blame_for_what_it_spoils(portkey: PortkeyWorld, effect: Record, verdict: tuple[Any, ...]) -> None:
    portkey.fault("listApiKeys", **effect)
    try:
        portkey.http.get("/api-keys")
    except httpx.TransportError:
        assert verdict[2] == "cut"
    assert told(portkey) == verdict


@pytest.mark.portkey(unused_stubs="allow")
def test_fault_that_finds_nothing_to_strike_is_not_named(portkey: PortkeyWorld) -> None:
    portkey.fault({"method": "GET"}, half_stream={"after_events": 1})
    assert "x-mock-fault" not in portkey.http.get("/api-keys").headers
    assert portkey.calls[-1]["stub"] == {"kind": "family", "mapping": None, "fault": None}


def test_fault_leaves_the_blame_for_what_it_only_delays(portkey: PortkeyWorld) -> None:
    portkey.fault("getWorkspace", delay={"type": "fixed", "milliseconds": 1})
    assert portkey.http.get("/admin/workspaces/nobody").status_code == 403
    assert told(portkey) == ("kept", "client", "whole", "family")


@pytest.mark.parametrize(
    ("config", "status", "verdict"),
    [
        ({"retry": {"attempts": 1}}, 503, ("kept", "stub", "whole", "fault")),
        ({"strategy": {"mode": "fallback"}}, 200, ("kept", None, "whole", "family")),
    ],
    ids=["retries", "falls back"],
)
def test_fault_of_a_provider_is_named(portkey: PortkeyWorld, config: Record, status: int, verdict: tuple[Any, ...]) -> None:
    """Also where the gateway helped itself, and the call succeeded."""
    made = portkey.fault(provider="openai", error={"status": 503})
    targets = [{"provider": name, "api_key": "any"} for name in ("openai", "anthropic")]
    config = {**config, "targets": targets} if "strategy" in config else {**config, **targets[0]}
    reply = portkey.http.post("/chat/completions", json=CHAT, headers={"x-portkey-config": json.dumps(config)})
    assert (reply.status_code, reply.headers["x-mock-fault"]) == (status, made.id)
    assert told(portkey) == verdict
    assert portkey.calls[-1]["stub"]["fault"] == made.id


def test_provider_that_breaks_off_is_to_blame(portkey: PortkeyWorld) -> None:
    made = portkey.fault(provider="openai", half_stream={"after_events": 2})
    with pytest.raises(httpx.RemoteProtocolError):
        portkey.http.post("/chat/completions", json={**CHAT, "stream": True}, headers={"x-portkey-provider": "openai"})
    assert told(portkey) == ("unchecked", "stub", "cut", "family")
    assert portkey.calls[-1]["stub"]["fault"] == made.id


def verdict_of(desk: Desk) -> tuple[Any, ...]:
    call = desk.admin("GET", "/requests")["requests"][0]
    return call["verdict"]["reply"], call["verdict"]["blame"], call["stub"]


def test_mapping_that_breaks_the_connection_is_to_blame(portkey: PortkeyWorld) -> None:
    portkey.stub("listApiKeys", fault="EMPTY_RESPONSE")
    with pytest.raises(httpx.RemoteProtocolError):
        portkey.http.get("/api-keys")
    assert told(portkey) == ("unchecked", "stub", "cut", "mapping")


def test_mapping_in_breach_of_the_contract_has_broken_it(desk: Desk) -> None:
    made = desk.stub(request=ASK, response={"body": '{"{{request.method}}": 1}', "transformers": ["response-template"]})
    assert desk.get("/api/v2/desk/why").status_code == 500
    assert verdict_of(desk) == ("broke", "stub", {"kind": "mapping", "mapping": made["id"], "fault": None})


def test_reply_off_contract_is_not_judged(desk: Desk) -> None:
    made = desk.stub(request=ASK, response={"status": 418}, off_contract=True)
    assert desk.get("/api/v2/desk/why").status_code == 418
    assert verdict_of(desk) == ("unchecked", "stub", {"kind": "mapping", "mapping": made["id"], "fault": None})


def test_mapping_of_an_undocumented_path_is_told(desk: Desk) -> None:
    made = desk.stub(request={"urlPath": "/teapot"}, response={"status": 418}, off_contract=True)
    assert desk.get("/teapot").status_code == 418
    assert verdict_of(desk) == ("unchecked", "stub", {"kind": "mapping", "mapping": made["id"], "fault": None})


def test_refusal_that_a_mapping_lets_through_is_the_clients(desk: Desk) -> None:
    made = desk.stub(request={"operation": "getMember"}, response={"fall_through": True, "headers": {"x-seen": "yes"}})
    nobody = "/api/v2/members/00000000-0000-4000-8000-000000000000"
    assert desk.get(nobody).status_code == 404
    assert verdict_of(desk) == ("kept", "client", {"kind": "resource", "mapping": made["id"], "fault": None})


def test_status_that_a_mapping_changes_is_its_own(desk: Desk) -> None:
    desk.stub(request=ASK, response={"fall_through": True, "status": 503}, off_contract=True)
    assert desk.get("/api/v2/desk/why").status_code == 503
    assert verdict_of(desk)[1] == "stub"
