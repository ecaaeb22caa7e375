"""Tokens: a world written down as text, and put up again, here or on another server."""

from __future__ import annotations

import base64
import json
import uuid
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings, strategies

from mockserver.app import App, Settings
from mockserver.control.tokens import TokenError, parse, read
from tests.conftest import Client

KEYS = "/v1/api-keys"
KEY = {"name": "ci", "scopes": ["logs.view", "completions.write"], "workspace_id": "ws-produc-71b04e"}
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide is next?"}]}
DAY = "time_of_generation_min=2020-01-01T00:00:00Z&time_of_generation_max=2030-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def elsewhere() -> App:
    """Another server, made with the same settings."""
    return App(Settings())


def token_of(client: Client) -> str:
    return str(client.get("/__admin/token").json()["token"])


def restore(client: Client, token: str) -> httpx.Response:
    return client.put("/__admin/token", {"token": token})


def twin_of(client: Client, app: App) -> Client:
    """A world of the same name on another server, put into the state of this one."""
    twin = Client(app, client.world_name)
    assert restore(twin, token_of(client)).status_code == 200
    return twin


# What a world may be asked; each step is told what the steps before it gave.


class Story:
    """Calls one after the other, of which later ones name what earlier ones made."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.keys: list[str] = []

    def step(self, number: int) -> bytes:
        """Make a call and return its reply, headers and all."""
        name, newest = f"{number:02d}", self.keys[-1] if self.keys else str(uuid.UUID(int=number))
        calls: list[tuple[str, str, Any]] = [
            ("POST", f"{KEYS}/workspace/service", {**KEY, "name": name}),
            ("PUT", f"{KEYS}/{newest}", {"name": f"renamed {name}"}),
            ("POST", f"{KEYS}/{newest}/rotate", {}),
            ("DELETE", f"{KEYS}/{newest}", ...),
            ("GET", f"{KEYS}?page_size=3", ...),
            ("POST", "/v1/admin/workspaces", {"name": "Same name"}),
            ("GET", "/v1/admin/workspaces", ...),
            ("POST", "/v1/chat/completions", CHAT),
            ("GET", f"/v1/analytics/graphs/cost?{DAY}", ...),
            ("GET", "/v1/audit-logs", ...),
            ("POST", "/__admin/clock/move", {"seconds": 90_000}),
            ("POST", "/__admin/scripts", {"answer": {"text": f"Answer {name}."}, "times": 1}),
            ("POST", "/v1/collections", {"name": f"Prompts {name}", "workspace_id": "ws-produc-71b04e"}),
            ("POST", "/v1/nowhere", {}),
        ]
        method, path, body = calls[number % len(calls)]
        reply = self.client.call(method, path, body)
        if path.endswith("/service") and reply.status_code == 200:
            self.keys.append(reply.json()["id"])
        elif method == "DELETE" and self.keys:
            self.keys.pop()
        return b"%d %r " % (reply.status_code, sorted(reply.headers.items())) + reply.content


STEPS = strategies.lists(strategies.integers(0, 13), max_size=7)


@settings(max_examples=15, deadline=None)
@given(before=STEPS, after=STEPS)
def test_restored_world_answers_with_the_same_bytes(
    shared_app: App, elsewhere: App, before: list[int], after: list[int]
) -> None:
    first = Client(shared_app, f"story-{uuid.uuid4().hex}")
    first.world.clock.freeze()
    story = Story(first)
    for number in before:
        story.step(number)
    second = Story(twin_of(first, elsewhere))
    second.keys = list(story.keys)

    told = [story.step(number) for number in (*after, 4, 8, 0)]

    assert [second.step(number) for number in (*after, 4, 8, 0)] == told
    assert token_of(second.client) == token_of(first)
    for client in (first, second.client):
        client.app.worlds.delete(client.world_name)


def test_all_kinds_of_changes_survive(client: Client, elsewhere: App) -> None:
    """The story from end to end, so that no kind of change is left to chance."""
    story = Story(client)
    for number in [*range(14), *range(14)]:
        story.step(number)
    twin = twin_of(client, elsewhere)
    assert {name: list(each.newest()) for name, each in twin.world.collections.items() if len(each)} == {
        name: list(each.newest()) for name, each in client.world.collections.items() if len(each)
    }
    assert token_of(twin) == token_of(client)


def test_tallies_of_logs_survive(client: Client, elsewhere: App) -> None:
    client.post("/v1/chat/completions", CHAT)
    graph = client.get(f"/v1/analytics/graphs/cost?{DAY}")
    assert graph.json()["summary"]["total"] > 0
    twin = twin_of(client, elsewhere)
    assert twin.get(f"/v1/analytics/graphs/cost?{DAY}").content == graph.content


def test_untouched_world_has_a_short_token(client: Client) -> None:
    assert len(token_of(client)) < 400


def test_clock_goes_on_from_where_it_was(client: Client, elsewhere: App) -> None:
    client.put("/__admin/clock", {"now": "2030-01-01T00:00:00Z", "frozen": False})
    twin = twin_of(client, elsewhere)
    now = twin.get("/__admin/clock").json()
    assert (now["now"][:15], now["frozen"]) == ("2030-01-01T00:0", False)


def test_what_was_deleted_stays_deleted(client: Client, elsewhere: App) -> None:
    key = next(client.world["api_keys"].newest())["id"]
    assert client.delete(f"{KEYS}/{key}").status_code == 200
    assert twin_of(client, elsewhere).get(f"{KEYS}/{key}").status_code == 404


def test_restoring_leaves_nothing_of_what_was_there(client: Client) -> None:
    token = token_of(client)
    made = client.post(f"{KEYS}/workspace/service", KEY).json()["id"]
    restore(client, token)
    assert client.get(f"{KEYS}/{made}").status_code == 404
    assert client.post(f"{KEYS}/workspace/service", KEY).json()["id"] == made


def test_server_may_start_from_a_token(client: Client) -> None:
    """Each of its worlds does, and a reset leads back there."""
    made = client.post(f"{KEYS}/workspace/service", KEY).json()["id"]
    again = Client(App(Settings(token=parse(token_of(client)))), "any")
    assert again.get(f"{KEYS}/{made}").status_code == 200
    again.delete(f"{KEYS}/{made}")
    again.post("/__admin/reset")
    assert again.get(f"{KEYS}/{made}").status_code == 200
    assert token_of(again) == token_of(client)


# What cannot be restored.


def changed(token: str, **fields: Any) -> str:
    told = json.loads(zlib.decompress(base64.urlsafe_b64decode(token.removeprefix("mock1."))))
    return "mock1." + base64.urlsafe_b64encode(zlib.compress(json.dumps({**told, **fields}).encode())).decode()


def said(reply: httpx.Response) -> str:
    assert reply.status_code == 400
    return str(reply.json()["detail"])


@pytest.mark.parametrize("cut", [slice(0, -9), slice(0, 40), slice(0, 6)], ids=["end", "most", "all"])
def test_damaged_token_is_refused(client: Client, cut: slice) -> None:
    assert "the token is damaged" in said(restore(client, token_of(client)[cut]))


def test_token_of_another_version_is_refused(client: Client) -> None:
    assert "begin with `mock1.`" in said(restore(client, token_of(client).replace("mock1.", "mock2.")))


def test_token_of_another_document_is_refused(client: Client) -> None:
    assert "another document" in said(restore(client, changed(token_of(client), document="0")))


def test_token_of_another_seed_is_refused(client: Client) -> None:
    other = Client(App(Settings(seed=3)))
    detail = said(restore(client, token_of(other)))
    assert "small_team with seed 3, and this server on the fixture small_team with seed 0" in detail


def test_token_of_a_fixture_that_has_changed_is_refused(client: Client) -> None:
    assert "has changed since" in said(restore(client, changed(token_of(client), base="0")))


@pytest.mark.parametrize(
    "state",
    [None, {}, {"collections": {"api_keys": {"gone": ["none"], "put": {}, "left": {}, "arrivals": 1}}}],
    ids=["null", "empty", "record"],
)
def test_token_of_an_impossible_state_changes_nothing(client: Client, state: Any) -> None:
    client.post(f"{KEYS}/workspace/service", KEY)
    before = token_of(client)
    assert "is damaged" in said(restore(client, changed(before, state=state)))
    assert token_of(client) == before


def test_token_brings_no_class_to_life(client: Client) -> None:
    token = token_of(client)
    state = json.loads(zlib.decompress(base64.urlsafe_b64decode(token.removeprefix("mock1."))))["state"]
    state["facts"]["put"]["x"] = {"$": ["Path", "/"]}
    assert "no values of the kind Path" in said(restore(client, changed(token, state=state)))


def test_file_of_a_token_is_read(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "world.token"
    path.write_text(f"{token_of(client)}\n")
    assert read(str(path)) == parse(token_of(client))


@pytest.mark.parametrize("given_text", ["nowhere.token", "x" * 5000, "\0"], ids=["missing", "long", "nul"])
def test_file_that_is_not_there_is_told(given_text: str) -> None:
    with pytest.raises(TokenError, match=r"is neither a token, which begins with `mock1\.`, nor a file with one"):
        read(given_text)


# Files.


def test_files_are_brought_along(client: Client, elsewhere: App) -> None:
    sent = {"file": ("lines.jsonl", b'{"custom_id": "1"}\n' * 3)}
    made = client.call("POST", "/v1/files", files=sent, data={"purpose": "batch"}).json()["id"]
    twin = twin_of(client, elsewhere)
    assert twin.get(f"/v1/files/{made}/content").content == sent["file"][1]


def test_files_that_are_too_large_make_no_token(client: Client) -> None:
    client.call("POST", "/v1/files", files={"file": ("lines.jsonl", bytes(17 * 2**20))}, data={"purpose": "user_data"})
    reply = client.get("/__admin/token")
    assert reply.status_code == 413
    assert reply.json()["detail"] == "There is no token: the world holds files of 17 MiB, and a token takes 16"


def test_stubs_of_the_server_are_what_a_token_stands_on(client: Client, tmp_path: Path) -> None:
    stubs = tmp_path / "stubs.json"
    stubs.write_text('{"request": {"operation": "listApiKeys"}, "response": {"fall_through": true}}')
    stubbed = Client(App(Settings(stubs=(stubs,))), "stubbed")
    assert "has changed since" in said(restore(stubbed, token_of(client)))
    assert restore(stubbed, token_of(stubbed)).status_code == 200


def test_token_has_the_states_of_single_resources(client: Client, elsewhere: App) -> None:
    key = client.get(KEYS).json()["data"][0]["id"]
    mapping = {"scenarioName": "seen", "scenarioKey": "id", "requiredScenarioState": "Started", "newScenarioState": "yes"}
    request, response = {"operation": "getApiKey"}, {"fall_through": True, "headers": {"x-first": "yes"}}
    assert client.post("/__admin/mappings", {**mapping, "request": request, "response": response}).status_code == 201
    assert client.get(f"{KEYS}/{key}").headers["x-first"] == "yes"
    twin = twin_of(client, elsewhere)
    assert twin.get("/__admin/scenarios").json()["scenarios"][0]["keys"] == {key: "yes"}
    assert "x-first" not in twin.get(f"{KEYS}/{key}").headers


def test_token_has_what_is_nested_as_deep_as_a_call_may_be(client: Client, elsewhere: App) -> None:
    deep: Any = "bottom"
    for _ in range(190):
        deep = [deep]
    assert client.post("/__admin/records/notes", {"id": "deep", "value": deep}).status_code == 201
    assert twin_of(client, elsewhere).world["notes"].get("deep")["value"] == deep
