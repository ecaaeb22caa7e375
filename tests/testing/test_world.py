"""A world as a test holds it: what it has, and how it speaks of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from mockserver.app import App
from mockserver.testing.hosts import Elsewhere, House
from mockserver.testing.wanted import Wanted
from mockserver.testing.world import AdminError, PortkeyWorld
from mockserver.values import Record

NOON = datetime(2030, 5, 3, 12, tzinfo=UTC)
KEY = {"name": "ci", "scopes": ["logs.view"]}
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide is next?"}]}
TARGET = {"x-portkey-provider": "openai"}


@pytest.fixture(scope="module")
def house(shared_app: App) -> Iterator[House]:
    made = House(shared_app)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def elsewhere(house: House) -> Iterator[Elsewhere]:
    """The same server, reached as from another process."""
    made = Elsewhere(house.origin, house.base_path, house.api_key)
    yield made
    made.stop()


@pytest.fixture(params=["inside", "socket"])
def world(request: pytest.FixtureRequest) -> Iterator[PortkeyWorld]:
    """A world that is reached in both ways: all of it is the same."""
    host: Any = request.getfixturevalue("house" if request.param == "inside" else "elsewhere")
    with PortkeyWorld(host, Wanted()) as made:
        yield made


def test_nothing_is_made_before_it_is_asked_for(house: House) -> None:
    before = house.app.worlds.names()
    world = PortkeyWorld(house, Wanted())
    assert world.api_key == house.api_key
    assert house.app.worlds.names() == before
    world.http.get("/api-keys")
    assert world.name in house.app.worlds.names()
    world.close()
    assert world.name not in house.app.worlds.names()


def test_records_are_read_and_written(world: PortkeyWorld) -> None:
    made = world.http.post("/api-keys/organisation/service", json=KEY).json()
    keys = world.world["api_keys"]
    found = keys.get(made["id"])
    assert found is not None
    assert made["id"] in keys
    assert next(keys.newest()) == found
    assert keys.find("id", made["id"]) == found
    keys.replace(made["id"], {**found, "note": "ours"})
    assert [each["id"] for each in keys.newest(note="ours")] == [made["id"]]
    keys.remove(made["id"])
    assert keys.get(made["id"]) is None


def test_collections_that_are_not_there_are_empty(world: PortkeyWorld) -> None:
    assert (len(world.world["nothing"]), list(world.world["nothing"]), world.world["nothing"].get("a")) == (0, [], None)
    world.world["notes"].add({"id": "a/b c"})
    assert "a/b c" in world.world["notes"]
    assert "notes" in list(world.world)


def test_clock_is_set_and_moved(world: PortkeyWorld) -> None:
    clock = world.clock
    clock.freeze(NOON)
    assert (clock.now(), clock.frozen, clock.timestamp()) == (NOON, True, "2030-05-03T12:00:00.000Z")
    clock.move(timedelta(days=1))
    clock.move(-3600)
    assert clock.now() == NOON + timedelta(hours=23)
    clock.set("2031-01-01T00:00:00Z")
    assert clock.frozen
    clock.run(NOON)
    assert not clock.frozen
    assert clock.seconds() >= NOON.timestamp()


def test_clock_wants_a_time_zone(world: PortkeyWorld) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        world.clock.freeze(datetime(2030, 1, 1))


def test_clock_of_a_test_begins_where_it_wants(house: House) -> None:
    with PortkeyWorld(house, Wanted(now=NOON, frozen=True)) as world:
        assert world.clock.now() == NOON
        world.clock.move(5)
        world.reset()
        assert world.clock.now() == NOON


def test_calls_are_told_by_attributes(world: PortkeyWorld) -> None:
    world.http.post("/api-keys/organisation/service", json=KEY)
    world.http.get("/nowhere")
    first, second = world.calls
    assert (first.operation, first.method, first.status, first.json, first.problem) == ("createApiKey", "POST", 200, KEY, None)
    assert first.reply["object"] == "api-key"
    assert first.headers["content-type"] == "application/json"
    assert (second.operation, second.status, second.problem, second["method"]) == (None, 404, "no-such-path", "GET")
    assert str(second) == "#2 GET /v1/nowhere -> 404 (no-such-path)"


def test_calls_are_filtered(world: PortkeyWorld) -> None:
    for name in ("a", "b", "a"):
        world.http.post("/api-keys/organisation/service", json={**KEY, "name": name})
    world.http.get("/api-keys")
    calls = world.calls
    assert (len(calls), calls.count("createApiKey"), calls.count("createApiKey", name="a")) == (4, 3, 2)
    assert [call.number for call in calls.where(lambda call: call.method == "GET")] == [4]
    assert len(calls.assert_made("createApiKey", name="a", times=2)) == 2
    assert not calls.refused()
    calls.assert_none("deleteApiKey")


def test_call_that_is_missing_is_told_with_what_was_called(world: PortkeyWorld) -> None:
    world.http.post("/api-keys/organisation/service", json=KEY)
    with pytest.raises(AssertionError) as caught:
        world.calls.assert_made("createApiKey", name="other")
    assert "<0 calls of createApiKey, name='other'>, and at least one wanted" in str(caught.value)
    assert "    name: is 'ci', not 'other'" in str(caught.value)
    with pytest.raises(AssertionError, match=r"(?s)called instead:\n  #1 POST /v1/api-keys/organisation/service createApiKey"):
        world.calls.assert_made("deleteApiKey")


def test_call_in_the_background_is_waited_for(world: PortkeyWorld) -> None:
    http = world.http
    caller = threading.Thread(target=lambda: [http.get("/api-keys") for _ in range(3)])
    caller.start()
    assert len(world.calls.wait_for("listApiKeys", times=3)) == 3
    caller.join()


def test_call_that_does_not_come_is_told(world: PortkeyWorld) -> None:
    with pytest.raises(AssertionError, match=r"1 within 0\.02 s wanted\nnothing was called in this world"):
        world.calls.wait_for("listApiKeys", timeout_s=0.02)


def test_script_is_used(world: PortkeyWorld) -> None:
    script = world.script({"text": "At noon."}, match={"model": "gpt-4o"}, times=1)
    assert (script.used, script.is_unused) == (0, True)
    reply = world.http.post("/chat/completions", json=CHAT, headers=TARGET).json()
    assert reply["choices"][0]["message"]["content"] == "At noon."
    assert (script.used, script.is_unused) == (1, False)
    script.remove()
    assert not script.is_unused


def test_stub_answers_in_the_place_of_an_operation(world: PortkeyWorld) -> None:
    stub = world.stub("listApiKeys", json={"object": "list", "total": 0, "data": []}, headers={"x-region": "eu"}, times=1)
    reply = world.http.get("/api-keys")
    assert (reply.json()["total"], reply.headers["x-region"], stub.used) == (0, "eu", 1)
    assert world.http.get("/api-keys").json()["total"] > 0


@pytest.mark.parametrize(
    "call",
    [
        {"method": "GET", "urlPath": "/v1/api-keys"},
        {"request": {"operation": "listApiKeys"}, "response": {"headers": {"x-region": "eu"}}, "priority": 1},
    ],
    ids=["pattern", "mapping"],
)
def test_stub_takes_patterns_and_mappings(world: PortkeyWorld, call: Record) -> None:
    stub = world.stub(call, {"fall_through": True}, headers={"x-region": "eu"})
    assert world.http.get("/api-keys").headers["x-region"] == "eu"
    assert not stub.is_unused


def test_stub_is_held_to_the_document(world: PortkeyWorld) -> None:
    with pytest.raises(AdminError, match=r"(?s)POST .*/mappings: 400 .*/response/jsonBody/total"):
        world.stub("listApiKeys", json={"object": "list", "total": "none", "data": []})
    assert world._verdict().unused == []


def test_fault_strikes_the_calls_that_are_meant(world: PortkeyWorld) -> None:
    fault = world.fault("listApiKeys", error={"status": 429}, nth=2)
    assert [world.http.get("/api-keys").status_code for _ in range(3)] == [200, 429, 200]
    assert fault.used == 1


def test_fault_may_be_a_providers(world: PortkeyWorld) -> None:
    world.fault(provider="openai", error={"status": 503})
    assert world.http.post("/chat/completions", json=CHAT, headers=TARGET).status_code == 503
    assert world.http.post("/chat/completions", json=CHAT, headers={"x-portkey-provider": "anthropic"}).status_code == 200


def test_refusal_by_a_fault_is_not_the_clients_doing(world: PortkeyWorld) -> None:
    world.fault("listApiKeys", error={"status": 400})
    world.http.get("/api-keys")
    assert world._verdict() == ([], [])


def test_what_was_never_used_is_told(world: PortkeyWorld) -> None:
    world.stub("listApiKeys", {"fall_through": True})
    world.fault("listConfigs", empty=True)
    world.script({"text": "x"}).remove()
    world.http.get("/admin/workspaces")
    assert [str(each).split()[0] for each in world._verdict().unused] == ["mapping", "fault"]


def test_token_holds_what_is_set(world: PortkeyWorld, house: House) -> None:
    world.stub("listApiKeys", {"fall_through": True}, headers={"x-region": "eu"})
    with PortkeyWorld(house, Wanted()) as other:
        other.ask("PUT", "/token", {"token": world.token()})
        assert other.http.get("/api-keys").headers["x-region"] == "eu"


def test_refusal_of_the_admin_api_says_why(world: PortkeyWorld) -> None:
    with pytest.raises(AdminError, match=r"(?s)POST .*/scripts: 400 .*body/answer") as caught:
        world.script({"txt": "x"})
    assert caught.value.status == 400


def test_snapshot_is_restored(world: PortkeyWorld) -> None:
    snapshot = world.snapshot()
    made = world.http.post("/api-keys/organisation/service", json=KEY).json()["id"]
    world.restore(snapshot)
    assert made not in world.world["api_keys"]
    assert len(world.calls) == 1


def test_reset_starts_anew(world: PortkeyWorld) -> None:
    world.script({"text": "x"})
    made = world.http.post("/api-keys/organisation/service", json=KEY).json()["id"]
    world.reset()
    assert made not in world.world["api_keys"]
    assert len(world.calls) == 0
    assert world._verdict().unused == []


def test_token_restores_the_world(world: PortkeyWorld, house: House) -> None:
    made = world.http.post("/api-keys/organisation/service", json=KEY).json()["id"]
    with PortkeyWorld(house, Wanted()) as other:
        other.ask("PUT", "/token", {"token": world.token()})
        assert made in other.world["api_keys"]


def test_broken_contract_may_be_expected(world: PortkeyWorld) -> None:
    world.http.get("/nowhere")
    with world.expect_broken():
        world.http.get("/nowhere/else")
    assert [call.number for call in world._verdict().broken] == [1]


def test_expectation_that_is_not_met_is_told(world: PortkeyWorld) -> None:
    with pytest.raises(AssertionError, match="no call broke the contract, of 1 that were made"), world.expect_broken():
        world.http.get("/api-keys")


def test_error_within_an_expectation_is_not_covered_up(world: PortkeyWorld) -> None:
    with pytest.raises(ZeroDivisionError), world.expect_broken():
        raise ZeroDivisionError


def test_real_clients_may_take_the_transport(world: PortkeyWorld) -> None:
    """Whatever address they name: here the real one."""
    from portkey_ai import Portkey

    real = "https://api.portkey.ai/v1"
    with httpx.Client(transport=world.transport, base_url=real, trust_env=False) as http:
        client = Portkey(api_key=world.api_key, base_url=real, http_client=http)
        assert client.admin.workspaces.list().total
        client.chat.completions.create(model="@openai-production/gpt-4o", messages=CHAT["messages"])
        client.openai_client.close()
    assert [call.operation for call in world.calls] == ["listWorkspaces", "createChatCompletion"]


def test_openai_may_call_it(portkey: PortkeyWorld) -> None:
    client = portkey.openai(default_headers=TARGET)
    reply = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Which tide is next?"}])
    assert reply.choices[0].message.content
    assert portkey.calls[-1].operation == "createChatCompletion"


def test_many_threads_share_a_world(world: PortkeyWorld) -> None:
    """Each creates and looks; none is lost, none gets another's."""
    http, errors = world.http, []

    def work(number: int) -> None:
        for turn in range(5):
            made = http.post("/api-keys/organisation/service", json={**KEY, "name": f"{number}-{turn}"}).json()
            if (world.world["api_keys"].get(made["id"]) or {}).get("id") != made["id"]:
                errors.append(made)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert world.calls.count("createApiKey") == 40


def test_async_client_is_closed_whole(portkey: PortkeyWorld) -> None:
    """With a client left open inside it, a later test falls over the event loop that is gone."""

    async def used() -> Any:
        client = portkey.async_client()
        await client.admin.workspaces.list()
        await client.close()
        return client

    client = asyncio.run(used())
    assert client.is_closed()
    assert client.openai_client.is_closed()
