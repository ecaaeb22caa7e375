"""The admin API: every operation of its document."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from mockserver import __version__, data
from mockserver.app import App, Settings
from mockserver.contract import grammar
from mockserver.contract.contract import Contract
from mockserver.contract.gate import Gate
from mockserver.contract.loading import load_document
from mockserver.contract.reading import read_file
from mockserver.portkey.seeds import admin_key
from mockserver.values import JSON, Record
from tests.conftest import Client

TOKEN = "let-me-in"


@pytest.fixture(scope="module")
def guarded_app() -> App:
    return App(Settings(admin_token=TOKEN))


@pytest.fixture
def guarded(guarded_app: App) -> Client:
    """A server with an admin token."""
    return Client(guarded_app, headers={})


@pytest.fixture
def small(tmp_path: Any) -> Client:
    """A server of an own document, with a journal of three calls."""
    path = tmp_path / "small.yaml"
    path.write_text(
        """
openapi: 3.0.3
info: {title: Small, version: '1'}
paths:
  /logins:
    post:
      operationId: login
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                name: {type: string}
                password: {type: string, format: password}
                more: {type: array, items: {$ref: '#/components/schemas/Secret'}}
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {password: {type: string, format: password}}}
      responses:
        '200':
          description: Fine.
          content:
            application/json:
              schema: {type: object, required: [token], properties: {token: {type: string, format: password}}}
  /plain: {get: {operationId: plain, responses: {'200': {description: Fine.}}}}
components: {schemas: {Secret: {type: string, format: password}}}
"""
    )
    made = Client(App(Settings(document=path, journal=3)), headers={})
    made.world.clock.freeze()
    return made


def admin(client: Client, method: str, path: str, json: Any = ..., **options: Any) -> httpx.Response:
    return client.call(method, f"/__admin{path}", json, **options)


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert body["status"] == reply.status_code
    return reply.status_code, body["type"].removeprefix("urn:mockserver:")


# The document.


def test_control_document_is_valid() -> None:
    validate(read_file(data.CONTROL_DOCUMENT))


def test_control_document_can_be_compiled() -> None:
    contract = Contract(load_document(data.CONTROL_DOCUMENT).document)
    assert contract.faults == []
    assert contract.compile() == []


def examples() -> Iterator[tuple[str, Record, JSON]]:
    """Every example beside a schema, in a media type, a parameter or a schema itself."""
    for path, kind, node in grammar.walk("document", read_file(data.CONTROL_DOCUMENT)):
        if "example" in node:
            schema = node if kind == "schema" else node.get("schema", {})
            direction = "request" if "requestBody" in path or kind == "parameter" else "reply"
            yield f"{direction}:{'/'.join(map(str, path))}", schema, node["example"]


@pytest.mark.parametrize(("name", "schema", "example"), list(examples()), ids=[name for name, _, _ in examples()])
def test_control_example_is_valid(name: str, schema: Record, example: JSON) -> None:
    document = read_file(data.CONTROL_DOCUMENT)
    gate = Gate(document, "request" if name.startswith("request") else "reply")
    assert gate.validator(schema).is_valid(example)


def test_control_answers_that_have_a_body_have_an_example() -> None:
    missing = [
        "/".join(map(str, path))
        for path, kind, node in grammar.walk("document", read_file(data.CONTROL_DOCUMENT))
        if kind == "mediaType" and "json" in str(path[-1]) and "example" not in node and "examples" not in node
    ]
    assert missing == []


def test_control_serves_its_own_document(client: Client) -> None:
    served = admin(client, "GET", "/openapi.json").json()
    assert served["info"]["title"] == "mockserver admin"
    assert set(served["paths"]) == set(read_file(data.CONTROL_DOCUMENT)["paths"])
    validate(served)


OPERATIONS = [
    (method.upper(), path)
    for path, item in read_file(data.CONTROL_DOCUMENT)["paths"].items()
    for method in grammar.METHODS
    if method in item
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_control_every_operation_is_served(client: Client, method: str, path: str) -> None:
    """Answered by its own stub, and never by a defect."""
    sent: Record = {
        "/worlds": {"name": "test-served"},
        "/clock": {"frozen": True},
        "/clock/move": {"seconds": 0},
        "/mappings": {"response": {"fall_through": True}},
        "/mappings/{id}": {"response": {}},
        "/mappings/import": {"mappings": []},
        "/mappings/find-by-metadata": {"contains": "a"},
        "/mappings/remove-by-metadata": {"contains": "a"},
        "/faults": {"effect": {"reset": True}},
        "/faults/{id}": {"effect": {"reset": True}},
    }
    sent |= {"/requests/wait": {"timeout_s": 0}, "/events/wait": {"timeout_s": 0}, "/near-misses/request": {"url": "/v1/key"}}
    sent |= {each: {} for each in ("/requests/find", "/requests/count", "/requests/remove", "/near-misses/request-pattern")}
    sent |= {each: {"id": "none"} for each in ("/records/{collection}", "/records/{collection}/{key}")}
    sent["/token"] = {"token": admin(client, "GET", "/token").json()["token"]}
    filled = path.replace("{world}", "test-served").replace("{number}", "1")
    reply = admin(client, method, re.sub(r"\{.*?\}", "none", filled), sent.get(path, ...) if method in ("PUT", "POST") else ...)
    assert reply.status_code in (200, 201, 404)
    assert reply.headers.get("x-mock-problem", "not-found") == "not-found"


# Server.


def test_health_tells_what_is_served(client: Client) -> None:
    body = admin(client, "GET", "/health").json()
    assert body["status"] == "healthy"
    assert body["version"] == __version__
    assert (body["serves"], body["operations"], body["not_served"]) == ("Portkey", len(client.app.contract.operations), [])
    assert body["worlds"] == len(client.app.worlds.names())


def test_health_tells_what_is_not_served(tmp_path: Any) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "openapi: 3.0.3\ninfo: {title: Bad, version: '1'}\npaths:\n  /a/{b}: {get: {responses: {'200': {description: No.}}}}\n"
        "  /b: {get: {responses: {'200': {description: Fine.}}}}\n"
    )
    body = admin(Client(App(Settings(document=path)), headers={}), "GET", "/health").json()
    assert (body["operations"], len(body["not_served"])) == (1, 1)
    assert "/paths/~1a~1{b}/get" in body["not_served"][0]


def test_settings_tell_how_the_server_was_started(client: Client) -> None:
    assert admin(client, "GET", "/settings").json() == {
        "document": "openapi.yaml",
        "fixture": "small_team",
        "seed": 0,
        "auth": "open",
        "explain": True,
        "body_limit": 10 * 2**20,
        "upload_limit": 512 * 2**20,
        "unknown_ids": "refuse",
        "journal": 10_000,
        "unredacted": False,
    }


def test_settings_keep_the_token_to_themselves(guarded: Client) -> None:
    reply = admin(guarded, "GET", "/settings", headers={"authorization": f"Bearer {TOKEN}"})
    assert reply.status_code == 200
    assert TOKEN not in reply.text


def test_page_is_for_people(client: Client) -> None:
    reply = admin(client, "GET", "/")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "<html" in reply.text


@pytest.mark.parametrize("path", ["/worlds", "/health", "/clock"])
def test_control_refuses_other_methods(client: Client, path: str) -> None:
    reply = admin(client, "PATCH", path)
    assert reply.status_code == 405
    assert "GET" in reply.headers["allow"]


def test_control_is_not_under_the_base_path(client: Client) -> None:
    assert client.get("/v1/__admin/health").status_code == 404
    assert client.get("/settings").status_code == 404


def test_control_needs_no_key(strict: Client) -> None:
    """Its identity is its own: keys of the served API mean nothing here."""
    assert admin(strict.as_key(None), "GET", "/worlds").status_code == 200


# The token and the origin.


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": "Bearer"},
    ],
    ids=["none", "wrong", "basic", "bare", "empty"],
)
def test_token_missing_or_wrong_is_401(guarded: Client, headers: dict[str, str]) -> None:
    reply = admin(guarded, "POST", "/reset", headers=headers)
    assert problem(reply) == (401, "unauthenticated")
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("word", ["Bearer", "bearer"])
def test_token_opens(guarded: Client, word: str) -> None:
    assert admin(guarded, "POST", "/reset", headers={"authorization": f"{word} {TOKEN}"}).status_code == 200


def test_token_guards_all_but_health_and_page(guarded: Client) -> None:
    free = []
    for method, path in OPERATIONS:
        sent: JSON = {} if method in ("PUT", "POST") else ...
        if admin(guarded, method, re.sub(r"\{.*?\}", "1", path), sent).status_code != 401:
            free.append((method, path))
    assert free == [("GET", "/health"), ("GET", "/"), ("GET", "/inspector/{file}")]


def test_token_is_not_needed_for_the_served_api(guarded: Client) -> None:
    assert guarded.get("/v1/api-keys", headers={"x-portkey-api-key": "any"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example.com", "null", "https://mock.evil.example.com", "http://localhost:81"])
def test_page_of_another_origin_is_refused(client: Client, origin: str) -> None:
    """A web page somewhere must not drive the server on somebody's machine."""
    reply = admin(client, "POST", "/clock/move", {"seconds": 5}, headers={"origin": origin})
    assert problem(reply) == (403, "forbidden")


def test_page_of_its_own_origin_may_drive(client: Client) -> None:
    assert admin(client, "POST", "/reset", headers={"origin": "http://localhost"}).status_code == 200


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_every_operation_refuses_another_origin(client: Client, method: str, path: str) -> None:
    reply = admin(client, method, re.sub(r"\{.*?\}", "1", path), headers={"origin": "http://evil.example.com"})
    assert problem(reply) == (403, "forbidden")


# Worlds.


@pytest.fixture
def named(client: Client) -> Iterator[str]:
    """The name of a second world, deleted afterwards."""
    name = f"{client.world_name}-other"
    yield name
    client.app.worlds.delete(name)


def test_worlds_are_listed_by_name(client: Client, named: str) -> None:
    client.app.worlds.get(named)
    names = [world["name"] for world in admin(client, "GET", "/worlds").json()["worlds"]]
    assert names == sorted(names)
    assert {client.world_name, named} <= set(names)


def test_world_fork_comes_from_the_seed(client: Client, named: str) -> None:
    client.world["api_keys"].remove(next(client.world["api_keys"].newest())["id"])
    reply = admin(client, "POST", "/worlds", {"name": named})
    assert reply.status_code == 201
    body = reply.json()
    seeded = client.app.worlds.get(named)
    assert (body["name"], body["calls"], body["snapshots"], body["frozen"]) == (named, 0, [], False)
    assert body["records"] == sum(len(each) for each in seeded.collections.values())
    assert len(seeded["api_keys"]) == len(client.world["api_keys"]) + 1


def test_world_fork_comes_from_another_world(client: Client, named: str) -> None:
    gone = next(client.world["api_keys"].newest())["id"]
    client.world["api_keys"].remove(gone)
    assert admin(client, "POST", "/worlds", {"name": named, "from": client.world_name}).json()["frozen"] is True
    assert gone not in client.app.worlds.get(named)["api_keys"]


def test_world_forks_are_independent(client: Client, named: str) -> None:
    admin(client, "POST", "/worlds", {"name": named, "from": client.world_name})
    key = next(client.world["api_keys"].newest())["id"]
    client.app.worlds.get(named)["api_keys"].remove(key)
    assert key in client.world["api_keys"]


def test_world_fork_comes_from_a_snapshot(client: Client, named: str) -> None:
    key = next(client.world["api_keys"].newest())["id"]
    admin(client, "PUT", f"/worlds/{client.world_name}/snapshots/whole")
    client.world["api_keys"].remove(key)
    admin(client, "POST", "/worlds", {"name": named, "from": client.world_name, "snapshot": "whole"})
    assert key in client.app.worlds.get(named)["api_keys"]
    assert key not in client.world["api_keys"]


def test_world_fork_of_a_name_that_is_there_starts_anew(client: Client, named: str) -> None:
    world = client.app.worlds.get(named)
    key = next(world["api_keys"].newest())["id"]
    world["api_keys"].remove(key)
    admin(client, "POST", "/worlds", {"name": named})
    assert key in client.app.worlds.get(named)["api_keys"]


def test_world_fork_onto_itself_keeps_its_state(client: Client) -> None:
    key = next(client.world["api_keys"].newest())["id"]
    client.world["api_keys"].remove(key)
    admin(client, "POST", "/worlds", {"name": client.world_name, "from": client.world_name})
    assert key not in client.world["api_keys"]


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({}, "/name"),
        ({"name": "a b"}, "/name"),
        ({"name": "a", "more": 1}, ""),
        ({"name": 5}, "/name"),
        ({"name": "a", "from": ""}, "/from"),
        ({"name": "a", "snapshot": "s"}, "/snapshot"),
        ([], ""),
    ],
    ids=str,
)
def test_world_fork_that_makes_no_sense_is_400(client: Client, sent: JSON, pointer: str) -> None:
    reply = admin(client, "POST", "/worlds", sent)
    assert problem(reply) == (400, "invalid-request")
    assert [(each["in"], each["pointer"]) for each in reply.json()["violations"]] == [("body", pointer)]


@pytest.mark.parametrize("sent", [{"from": "none"}, {"from": "SELF", "snapshot": "none"}], ids=["world", "snapshot"])
def test_world_fork_from_nothing_is_404(client: Client, named: str, sent: dict[str, str]) -> None:
    sent = {key: client.world_name if value == "SELF" else value for key, value in sent.items()}
    assert problem(admin(client, "POST", "/worlds", {"name": named, **sent})) == (404, "not-found")
    assert client.app.worlds.find(named) is None


def test_world_is_shown(client: Client) -> None:
    client.world.clock.freeze(datetime.fromisoformat("2026-06-01T00:00:00.25Z"))
    client.get("/v1/api-keys")
    admin(client, "PUT", f"/worlds/{client.world_name}/snapshots/b")
    admin(client, "PUT", f"/worlds/{client.world_name}/snapshots/a")
    assert admin(client, "GET", f"/worlds/{client.world_name}").json() == {
        "name": client.world_name,
        "records": sum(len(each) for each in client.world.collections.values()),
        "calls": 1,
        "snapshots": ["a", "b"],
        "now": "2026-06-01T00:00:00.250Z",
        "frozen": True,
    }


def test_world_reset_brings_back_the_seed(client: Client) -> None:
    gone = next(client.world["api_keys"].newest())["id"]
    client.world["api_keys"].remove(gone)
    client.get("/v1/api-keys")
    assert admin(client, "POST", f"/worlds/{client.world_name}/reset").json() == {}
    assert gone in client.world["api_keys"]
    assert len(client.world.journal) == 0
    assert not client.world.clock.frozen


def test_reset_is_for_the_calls_own_world(client: Client, named: str) -> None:
    other = client.app.worlds.get(named)
    for world in (client.world, other):
        world["api_keys"].remove(next(world["api_keys"].newest())["id"])
    before = len(other["api_keys"])
    assert admin(client, "POST", "/reset").status_code == 200
    assert len(client.world["api_keys"]) == before + 1
    assert len(other["api_keys"]) == before


def test_reset_takes_the_world_of_the_url(client: Client, named: str) -> None:
    other = client.app.worlds.get(named)
    other["api_keys"].remove(next(other["api_keys"].newest())["id"])
    before = len(other["api_keys"])
    assert client.post(f"/worlds/{named}/__admin/reset").status_code == 200
    assert len(other["api_keys"]) == before + 1


def test_world_delete_forgets_it(client: Client, named: str) -> None:
    client.app.worlds.get(named)
    assert admin(client, "DELETE", f"/worlds/{named}").json() == {}
    assert client.app.worlds.find(named) is None
    assert problem(admin(client, "GET", f"/worlds/{named}")) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/reset"),
        ("PUT", "/snapshots/s"),
        ("DELETE", "/snapshots/s"),
        ("POST", "/snapshots/s/restore"),
    ],
)
def test_world_that_is_not_there_is_404_and_not_made(client: Client, named: str, method: str, path: str) -> None:
    assert problem(admin(client, method, f"/worlds/{named}{path}")) == (404, "not-found")
    assert client.app.worlds.find(named) is None


@pytest.mark.parametrize("name", ["a%20b", "-a", "x" * 101])
def test_world_name_that_is_none_is_400(client: Client, name: str) -> None:
    assert problem(admin(client, "GET", f"/worlds/{name}")) == (400, "invalid-request")


# Snapshots.


def test_snapshot_is_restored_as_often_as_wanted(client: Client) -> None:
    path = f"/worlds/{client.world_name}/snapshots/before"
    key = next(client.world["api_keys"].newest())["id"]
    admin(client, "PUT", path)
    for _ in range(2):
        client.world["api_keys"].remove(key)
        assert admin(client, "POST", f"{path}/restore").json() == {}
        assert key in client.world["api_keys"]


def test_snapshot_holds_clock_and_ids_but_not_the_journal(client: Client) -> None:
    path = f"/worlds/{client.world_name}/snapshots/before"
    client.world.clock.freeze(datetime.fromisoformat("2026-06-01T00:00:00Z"))
    admin(client, "PUT", path)
    first = client.world.ids.uuid4()
    client.world.clock.run()
    client.get("/v1/api-keys")
    admin(client, "POST", f"{path}/restore")
    assert client.world.clock.timestamp() == "2026-06-01T00:00:00.000Z"
    assert client.world.clock.frozen
    assert client.world.ids.uuid4() == first
    assert len(client.world.journal) == 1


def test_snapshot_is_taken_anew_under_its_name(client: Client) -> None:
    path = f"/worlds/{client.world_name}/snapshots/s"
    key = next(client.world["api_keys"].newest())["id"]
    admin(client, "PUT", path)
    client.world["api_keys"].remove(key)
    assert admin(client, "PUT", path).json()["snapshots"] == ["s"]
    admin(client, "POST", f"{path}/restore")
    assert key not in client.world["api_keys"]


def test_snapshot_survives_a_reset(client: Client) -> None:
    path = f"/worlds/{client.world_name}/snapshots/s"
    key = next(client.world["api_keys"].newest())["id"]
    client.world["api_keys"].remove(key)
    admin(client, "PUT", path)
    admin(client, "POST", "/reset")
    admin(client, "POST", f"{path}/restore")
    assert key not in client.world["api_keys"]


def test_snapshot_that_is_dropped_is_gone(client: Client) -> None:
    path = f"/worlds/{client.world_name}/snapshots/s"
    admin(client, "PUT", path)
    assert admin(client, "DELETE", path).json() == {}
    assert problem(admin(client, "DELETE", path)) == (404, "not-found")
    assert problem(admin(client, "POST", f"{path}/restore")) == (404, "not-found")


def test_snapshots_are_private_to_their_world(client: Client, named: str) -> None:
    client.app.worlds.get(named)
    admin(client, "PUT", f"/worlds/{client.world_name}/snapshots/s")
    assert problem(admin(client, "POST", f"/worlds/{named}/snapshots/s/restore")) == (404, "not-found")


# The clock.


def test_clock_is_told(client: Client) -> None:
    client.world.clock.freeze(datetime.fromisoformat("2026-06-01T12:00:00.5Z"))
    assert admin(client, "GET", "/clock").json() == {"now": "2026-06-01T12:00:00.500Z", "frozen": True}


@pytest.mark.parametrize(
    ("sent", "frozen"),
    [
        ({"now": "2026-06-01T12:00:00Z"}, True),
        ({"now": "2026-06-01T12:00:00Z", "frozen": True}, True),
        ({"now": "2026-06-01T14:00:00+02:00", "frozen": True}, True),
        ({"now": "2026-06-01t12:00:00z"}, True),
        ({"now": "2026-06-01T12:00:00.000000000Z"}, True),
    ],
    ids=str,
)
def test_clock_is_set(client: Client, sent: Record, frozen: bool) -> None:
    reply = admin(client, "PUT", "/clock", sent)
    assert reply.json() == {"now": "2026-06-01T12:00:00.000Z", "frozen": frozen}
    assert client.world.clock.timestamp() == "2026-06-01T12:00:00.000Z"


def test_clock_that_runs_is_set_and_runs_on(client: Client) -> None:
    client.world.clock.run()
    body = admin(client, "PUT", "/clock", {"now": "2026-06-01T12:00:00Z"}).json()
    assert body["frozen"] is False
    assert body["now"].startswith("2026-06-01T12:00:0")


@pytest.mark.parametrize("frozen", [True, False])
def test_clock_is_stopped_and_started_where_it_stands(client: Client, frozen: bool) -> None:
    client.world.clock.freeze(datetime.fromisoformat("2026-06-01T12:00:00Z"))
    if frozen:
        client.world.clock.run()
    body = admin(client, "PUT", "/clock", {"frozen": frozen}).json()
    assert body["frozen"] is frozen
    assert body["now"].startswith("2026-06-01T12:00:0")
    assert client.world.clock.frozen is frozen


@pytest.mark.parametrize(
    ("seconds", "now"), [(3600, "13:00:00.000"), (-0.5, "11:59:59.500"), (0, "12:00:00.000"), (0.25, "12:00:00.250")]
)
def test_clock_is_moved(client: Client, seconds: float, now: str) -> None:
    client.world.clock.freeze(datetime.fromisoformat("2026-06-01T12:00:00Z"))
    body = admin(client, "POST", "/clock/move", {"seconds": seconds}).json()
    assert body == {"now": f"2026-06-01T{now}Z", "frozen": True}


@pytest.mark.parametrize("seconds", [-1e11, 1e11 + 1, 1e12, -1e12, 10**30, 1e300], ids=str)
def test_clock_move_to_an_absurd_time_is_400(client: Client, seconds: float) -> None:
    setting = client.world.clock.setting
    reply = admin(client, "POST", "/clock/move", {"seconds": seconds})
    assert problem(reply) == (400, "invalid-request")
    assert reply.json()["violations"][0]["pointer"] == "/seconds"
    assert client.world.clock.setting == setting


@pytest.mark.parametrize(
    "content", [b'{"seconds": NaN}', b'{"seconds": Infinity}', b'{"seconds": 1e999}', b'{"seconds": "1"}', b"{}", b""]
)
def test_clock_move_by_no_number_is_400(client: Client, content: bytes) -> None:
    reply = admin(client, "POST", "/clock/move", content=content, headers={"content-type": "application/json"})
    assert problem(reply) == (400, "invalid-request")


@pytest.mark.parametrize(
    "now",
    [
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "9000-01-01T00:00:01Z",
        "0001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2016-12-31T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "tomorrow",
        "2026-06-01",
        "2026-06-01T12:00:00",
        "",
    ],
)
@pytest.mark.parametrize("frozen", [True, False])
def test_clock_set_to_an_absurd_time_is_400(client: Client, now: str, frozen: bool) -> None:
    setting = client.world.clock.setting
    reply = admin(client, "PUT", "/clock", {"now": now, "frozen": frozen})
    assert problem(reply) == (400, "invalid-request")
    assert reply.json()["violations"][0]["pointer"] == "/now"
    assert client.world.clock.setting == setting


@pytest.mark.parametrize("sent", [{}, {"frozen": "yes"}, {"frozen": None}, {"more": 1}, []], ids=str)
def test_clock_set_to_nothing_is_400(client: Client, sent: JSON) -> None:
    assert problem(admin(client, "PUT", "/clock", sent)) == (400, "invalid-request")


def test_clock_is_that_of_the_calls_world(client: Client, named: str) -> None:
    other = client.app.worlds.get(named)
    other.clock.freeze()
    before = other.clock.now()
    admin(client, "POST", "/clock/move", {"seconds": 10})
    assert other.clock.now() == before


def test_clock_moves_what_the_served_api_tells(client: Client) -> None:
    admin(client, "PUT", "/clock", {"now": "2030-01-01T00:00:00Z", "frozen": True})
    made = client.post("/v1/admin/workspaces", {"name": "Late"}).json()
    assert made["created_at"].startswith("2030-01-01T00:00:00")


# The journal.


def test_journal_lists_newest_first(client: Client) -> None:
    client.get("/v1/api-keys")
    client.get("/v1/admin/workspaces")
    body = admin(client, "GET", "/requests").json()
    assert (body["total"], body["dropped"], body["capacity"]) == (2, 0, 10_000)
    assert [(entry["number"], entry["path"]) for entry in body["requests"]] == [
        (2, "/v1/admin/workspaces"),
        (1, "/v1/api-keys"),
    ]


def test_journal_shows_a_call_whole(small: Client) -> None:
    small.world.clock.freeze(datetime.fromisoformat("2026-06-01T12:00:00.120Z"))
    small.post("/logins?x=1", {"name": "ada"}, headers={"x-word": "hello"})
    (entry,) = admin(small, "GET", "/requests").json()["requests"]
    assert entry["duration_us"] >= 0
    told = {
        "number": 1,
        "at": "2026-06-01T12:00:00.120Z",
        "method": "POST",
        "path": "/logins",
        "query": "x=1",
        "operation": "login",
        "status": 200,
        "problem": None,
        "violations": [],
    }
    assert {name: entry[name] for name in told} == told
    assert entry["request"]["headers"]["x-word"] == "hello"
    assert (entry["request"]["body"], entry["request"]["size"]) == ({"name": "ada"}, 15)
    assert entry["reply"]["headers"]["content-type"] == "application/json"


def test_journal_shows_why_a_call_was_refused(client: Client) -> None:
    client.get("/v1/api-keys?page_size=x")
    (entry,) = admin(client, "GET", "/requests").json()["requests"]
    assert (entry["status"], entry["problem"], entry["operation"]) == (400, "invalid-request", "listApiKeys")
    assert [(each["in"], each["pointer"]) for each in entry["violations"]] == [("query", "/page_size")]


def test_journal_shows_calls_that_no_operation_got(client: Client) -> None:
    client.get("/v1/nothing")
    (entry,) = admin(client, "GET", "/requests").json()["requests"]
    assert (entry["operation"], entry["status"], entry["problem"]) == (None, 404, "no-such-path")


def test_journal_leaves_the_admin_api_out(client: Client) -> None:
    for path in ("/requests", "/health", "/nothing", "/worlds/none"):
        admin(client, "GET", path)
    assert admin(client, "GET", "/requests/count").json() == {"count": 0}


@pytest.fixture
def called(client: Client) -> Client:
    """Four calls, a minute apart: two lists, a refused one, one that leads nowhere."""
    client.world.clock.freeze(datetime.fromisoformat("2026-06-01T12:00:00Z"))
    for path in ("/v1/api-keys", "/v1/admin/workspaces", "/v1/api-keys?page_size=x", "/v1/nothing"):
        client.get(path)
        admin(client, "POST", "/clock/move", {"seconds": 60})
    return client


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [4, 3, 2, 1]),
        ("operation=listApiKeys", [3, 1]),
        ("operation=none", []),
        ("status=200", [2, 1]),
        ("status=4xx", [4, 3]),
        ("status=4XX", [4, 3]),
        ("status=500", []),
        ("operation=listApiKeys&status=2xx", [1]),
        ("since=2026-06-01T12:01:00Z", [4, 3, 2]),
        ("until=2026-06-01T12:01:00Z", [2, 1]),
        ("since=2026-06-01T12:01:00Z&until=2026-06-01T12:02:00Z", [3, 2]),
        ("since=2026-06-01T14:01:00%2B02:00", [4, 3, 2]),
        ("until=2000-01-01t00:00:00z", []),
        ("since=2026-06-01T12:01:30Z&status=404", [4]),
    ],
)
def test_journal_filters(called: Client, query: str, numbers: list[int]) -> None:
    body = admin(called, "GET", f"/requests?{query}").json()
    assert [entry["number"] for entry in body["requests"]] == numbers
    assert body["total"] == len(numbers)
    assert admin(called, "GET", f"/requests/count?{query}").json() == {"count": len(numbers)}


def test_journal_limit_cuts_the_list_not_the_total(called: Client) -> None:
    body = admin(called, "GET", "/requests?limit=3").json()
    assert [entry["number"] for entry in body["requests"]] == [4, 3, 2]
    assert body["total"] == 4


@pytest.mark.parametrize(
    "query", ["status=ok", "status=600", "status=20", "since=yesterday", "until=2026-06-01", "limit=0", "limit=x"]
)
@pytest.mark.parametrize("path", ["/requests", "/requests/count"])
def test_journal_filter_that_is_none_is_400(client: Client, path: str, query: str) -> None:
    if query.startswith("limit") and path.endswith("count"):
        path = "/requests"  # counting has no limit
    assert problem(admin(client, "GET", f"{path}?{query}")) == (400, "invalid-request")


@pytest.mark.parametrize(
    "time", ["2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59"]
)
@pytest.mark.parametrize("name", ["since", "until"])
def test_journal_filter_by_an_odd_time_is_no_defect(client: Client, name: str, time: str) -> None:
    """Times that RFC 3339 has and no calendar: the answer may be a list or a refusal, never a failure."""
    assert admin(client, "GET", f"/requests?{name}={time}").status_code in (200, 400)


def test_journal_shows_one_call(called: Client) -> None:
    assert admin(called, "GET", "/requests/2").json()["path"] == "/v1/admin/workspaces"


@pytest.mark.parametrize(
    ("number", "status"), [("5", 404), ("9007199254740991", 404), ("0", 400), ("-1", 400), ("x", 400), ("1" * 30, 400)]
)
def test_journal_has_no_such_call(called: Client, number: str, status: int) -> None:
    assert admin(called, "GET", f"/requests/{number}").status_code == status


def test_journal_is_cleared(called: Client) -> None:
    assert admin(called, "DELETE", "/requests").json() == {}
    assert admin(called, "GET", "/requests/count").json() == {"count": 0}
    called.get("/v1/api-keys")
    assert admin(called, "GET", "/requests").json()["requests"][0]["number"] == 5


def test_journal_ring_drops_the_oldest_and_says_so(small: Client) -> None:
    for _ in range(5):
        small.get("/plain")
    body = admin(small, "GET", "/requests").json()
    assert (body["total"], body["dropped"], body["capacity"]) == (3, 2, 3)
    assert [entry["number"] for entry in body["requests"]] == [5, 4, 3]
    assert admin(small, "GET", "/requests/2").status_code == 404


def test_journal_is_private_to_its_world(client: Client, named: str) -> None:
    client.get("/v1/api-keys", headers={"x-mock-world": named})
    assert admin(client, "GET", "/requests/count").json() == {"count": 0}
    assert client.get(f"/worlds/{named}/__admin/requests/count").json() == {"count": 1}


# Secrets.


@pytest.mark.parametrize(
    "name",
    [
        "x-portkey-api-key",
        "authorization",
        "cookie",
        "x-auth-token",
        "proxy-authorization",
        "x-client-secret",
        "X-Api-Key",
        "x-password",
    ],
)
def test_journal_redacts_headers_that_hold_secrets(client: Client, name: str) -> None:
    client.get("/v1/api-keys", headers={name: "Bearer s3cr3t"})
    reply = admin(client, "GET", "/requests")
    assert "s3cr3t" not in reply.text
    assert reply.json()["requests"][0]["request"]["headers"][name.lower()] == "[redacted]"


def test_journal_redacts_secrets_in_bodies(client: Client) -> None:
    """A created key is told once, in its reply, and the journal is no second place for it."""
    made = client.post(
        "/v1/api-keys/organisation/service", {"name": "ci", "scopes": ["logs.view"]}, headers={"x-portkey-api-key": "any"}
    )
    secret = made.json()["key"]
    assert made.status_code == 200
    reply = admin(client, "GET", "/requests")
    assert secret not in reply.text
    assert reply.json()["requests"][0]["reply"]["body"]["key"] == "[redacted]"


def test_journal_redacts_by_schema_in_requests(small: Client) -> None:
    small.post("/logins", {"name": "ada", "password": "s3cr3t", "more": ["s3cr3t"]})
    (entry,) = admin(small, "GET", "/requests").json()["requests"]
    assert entry["request"]["body"] == {"name": "ada", "password": "[redacted]", "more": ["[redacted]"]}
    assert entry["reply"]["body"]["token"] == "[redacted]"


@pytest.mark.parametrize("given", [["s3cr3t"], {"is": "s3cr3t"}, 531], ids=["list", "object", "number"])
def test_journal_redacts_what_stands_in_the_place_of_a_secret(small: Client, given: Any) -> None:
    small.post("/logins", {"name": "ada", "password": given})
    (entry,) = admin(small, "GET", "/requests").json()["requests"]
    assert entry["request"]["body"] == {"name": "ada", "password": "[redacted]"}


def test_journal_shows_that_no_secret_was_given(small: Client) -> None:
    small.post("/logins", {"password": None})
    (entry,) = admin(small, "GET", "/requests").json()["requests"]
    assert entry["request"]["body"] == {"password": None}


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("multipart/form-data; boundary=x", b'--x\r\ncontent-disposition: form-data; name="password"\r\n\r\ns3cr3t'),
        ("application/json", b'{"password": "s3cr3t"'),
        ("application/json", b'{"password": "s3cr3t", "name": "' + b"x" * 70_000 + b'"}'),
    ],
    ids=["half a form", "broken", "cut-off"],
)
def test_journal_redacts_whole_what_it_cannot_read(small: Client, media_type: str, content: bytes) -> None:
    small.post("/logins", content=content, headers={"content-type": media_type})
    (entry,) = admin(small, "GET", "/requests").json()["requests"]
    assert entry["request"]["body"] == "[redacted]"
    assert entry["request"]["size"] == len(content)


def test_journal_shows_text_where_nothing_is_secret(small: Client) -> None:
    small.get("/plain", content=b"hello {", headers={"content-type": "text/plain"})
    (entry,) = admin(small, "GET", "/requests").json()["requests"]
    assert entry["request"]["body"] == "hello {"


# Records.


def test_records_list_collections_with_sizes(client: Client) -> None:
    found = admin(client, "GET", "/records").json()["collections"]
    assert list(found) == sorted(found)
    assert found["api_keys"] == len(client.world["api_keys"]) > 0


def test_records_leave_empty_collections_out(client: Client) -> None:
    assert len(client.world["nothing"]) == 0
    assert "nothing" not in admin(client, "GET", "/records").json()["collections"]


def test_records_page_newest_first(client: Client) -> None:
    wanted = [record["id"] for record in client.world["api_keys"].newest()]
    body = admin(client, "GET", "/records/api_keys?limit=2&offset=1").json()
    assert body["total"] == len(wanted)
    assert [record["id"] for record in body["records"]] == wanted[1:3]


def test_records_show_one(client: Client) -> None:
    key = next(client.world["api_keys"].newest())["id"]
    assert admin(client, "GET", f"/records/api_keys/{key}").json()["id"] == key


def test_records_keep_secrets_to_themselves(client: Client) -> None:
    secret = admin_key(client.world)
    assert secret not in admin(client, "GET", "/records/api_keys").text
    for record in client.world["api_keys"].newest():
        shown = admin(client, "GET", f"/records/api_keys/{record['id']}")
        assert secret not in shown.text
        assert "_secrets" not in shown.json()


@pytest.mark.parametrize("path", ["/records/none", "/records/none/x", "/records/api_keys/none"])
def test_records_that_are_not_there_are_404(client: Client, path: str) -> None:
    assert problem(admin(client, "GET", path)) == (404, "not-found")


def test_records_are_found_by_a_field(client: Client) -> None:
    found = admin(client, "GET", "/records/workspaces?field=slug&value=ws-produc-71b04e").json()
    assert (found["total"], [each["slug"] for each in found["records"]]) == (1, ["ws-produc-71b04e"])


@pytest.mark.parametrize(("value", "total"), [("true", 1), ("3", 1), ("null", 2), ("none", 0)])
def test_records_are_found_by_what_is_no_text(client: Client, value: str, total: int) -> None:
    for number, flag in enumerate([True, 3, ["true"]]):
        admin(client, "POST", "/records/things", {"id": str(number), "flag": flag})
    admin(client, "POST", "/records/things", {"id": "n", "flag": None})
    admin(client, "POST", "/records/things", {"id": "without"})
    assert admin(client, "GET", f"/records/things?field=flag&value={value}").json()["total"] == total


@pytest.mark.parametrize(("query", "pointer"), [("field=a", "/value"), ("value=a", "/field")])
def test_records_filter_wants_field_and_value(client: Client, query: str, pointer: str) -> None:
    reply = admin(client, "GET", f"/records/workspaces?{query}")
    assert (problem(reply)[0], reply.json()["violations"][0]["pointer"]) == (400, pointer)


def test_record_is_put_in(client: Client) -> None:
    reply = admin(client, "POST", "/records/things", {"id": "a", "size": 3})
    assert (reply.status_code, reply.json()) == (201, {"id": "a", "size": 3})
    assert client.world["things"].get("a") == {"id": "a", "size": 3}


def test_record_with_a_taken_key_is_409(client: Client) -> None:
    key = dict(next(client.world["api_keys"].newest()))
    reply = admin(client, "POST", "/records/api_keys", {name: each for name, each in key.items() if name != "_secrets"})
    assert problem(reply) == (409, "conflict")


@pytest.mark.parametrize("record", [{}, {"id": 3}, {"id": ""}], ids=["missing", "number", "empty"])
def test_record_without_a_key_is_400(client: Client, record: Record) -> None:
    assert problem(admin(client, "POST", "/records/things", record)) == (400, "invalid-request")


def test_record_is_replaced_and_keeps_its_secrets(client: Client) -> None:
    before = next(record for record in client.world["api_keys"].newest() if "_secrets" in record)
    shown = admin(client, "GET", f"/records/api_keys/{before['id']}").json()
    assert admin(client, "PUT", f"/records/api_keys/{before['id']}", {**shown, "status": "odd"}).status_code == 200
    assert client.world["api_keys"].get(before["id"]) == {**before, "status": "odd"}


def test_record_is_not_replaced_by_another(client: Client) -> None:
    admin(client, "POST", "/records/things", {"id": "a"})
    reply = admin(client, "PUT", "/records/things/a", {"id": "b"})
    assert problem(reply) == (400, "invalid-request")


def test_record_is_taken_out(client: Client) -> None:
    admin(client, "POST", "/records/things", {"id": "a"})
    assert admin(client, "DELETE", "/records/things/a").status_code == 200
    assert problem(admin(client, "DELETE", "/records/things/a")) == (404, "not-found")


# The verdict.


def test_verdict_on_a_world_without_calls(client: Client) -> None:
    assert admin(client, "GET", "/verdict").json() == {"last": 0, "broken": []}


def test_verdict_lists_what_broke_the_contract(client: Client) -> None:
    client.get("/v1/api-keys")
    client.get("/v1/nowhere")
    client.call("PATCH", "/v1/api-keys")
    client.post("/v1/api-keys/workspace/service", {"name": 3})
    client.call("POST", "/v1/api-keys/workspace/service", content=b"x", headers={"content-type": "text/plain"})
    told = admin(client, "GET", "/verdict").json()
    assert told["last"] == 5
    assert [each["problem"] for each in told["broken"]] == [
        "no-such-path", "method-not-allowed", "invalid-request", "unsupported-media-type",
    ]  # fmt: skip


def test_verdict_clears_who_is_refused_for_the_state(client: Client) -> None:
    assert client.get(f"/v1/api-keys/{uuid.UUID(int=1)}").status_code == 404
    assert client.as_key(None).get("/v1/api-keys").status_code == 401
    assert admin(client, "GET", "/verdict").json() == {"last": 2, "broken": []}


def test_verdict_begins_after_a_call(client: Client) -> None:
    client.get("/v1/nowhere")
    client.get("/v1/nowhere")
    assert [each["number"] for each in admin(client, "GET", "/verdict?since=1").json()["broken"]] == [2]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1", "offset=1.5"])
def test_records_page_that_is_none_is_400(client: Client, query: str) -> None:
    assert problem(admin(client, "GET", f"/records/api_keys?{query}")) == (400, "invalid-request")


# Refusals.


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"name=a", "application/x-www-form-urlencoded", 415),
        (b"{}" + b" " * (11 * 2**20), "application/json", 413),
    ],
    ids=["broken", "form", "huge"],
)
def test_control_holds_requests_to_its_document(client: Client, content: bytes, media_type: str, status: int) -> None:
    reply = admin(client, "POST", "/worlds", content=content, headers={"content-type": media_type})
    assert problem(reply)[0] == status


@pytest.mark.parametrize("name", ["a b", "-x", "x" * 101])
def test_control_refuses_a_world_that_is_none(client: Client, name: str) -> None:
    reply = admin(client, "GET", "/clock", headers={"x-mock-world": name})
    assert problem(reply) == (400, "invalid-world")


@pytest.mark.parametrize("path", ["/health", "/settings", "/worlds", "/openapi.json", "/"])
def test_control_refuses_a_world_that_is_none_everywhere(client: Client, path: str) -> None:
    """Also where the document lists no 400: a refusal is never turned into a defect."""
    reply = admin(client, "GET", path, headers={"x-mock-world": "a b"})
    assert reply.status_code == 400
