"""From method and path to operation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mockserver.app import App, Settings
from tests.conftest import Client

DOCUMENT = """
openapi: 3.0.3
info: {title: Routed, version: '1'}
servers: [{url: 'https://api.example.com/v1/'}]
paths:
  /: {get: {operationId: root, responses: &fine {'200': {description: Fine.}}}}
  /things:
    get: {operationId: listThings, responses: *fine}
    post: {operationId: addThing, responses: *fine}
  /things/{id}:
    parameters: &id [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getThing
      responses:
        '200':
          description: Fine.
          content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string}}}}}
    put: {operationId: putThing, responses: *fine}
    delete: {operationId: deleteThing, responses: *fine}
  /things/mine: {post: {operationId: postMine, responses: *fine}}
  /things/mine/other: {get: {operationId: mineOther, responses: *fine}}
  /things/{id}/parts/{part}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: part, in: path, required: true, schema: {type: integer}}
    get: {operationId: getPart, responses: *fine}
  /things/x-{id}: {parameters: *id, get: {operationId: partial, responses: *fine}}
  /things/x-y: {get: {operationId: literal, responses: *fine}}
  /things/x-{id}/deep: {parameters: *id, get: {operationId: partialDeep, responses: *fine}}
  /files/{name}.{ending}:
    parameters:
      - {name: name, in: path, required: true, schema: {type: string, maxLength: 3}}
      - {name: ending, in: path, required: true, schema: {type: string, enum: [txt]}}
    get: {operationId: getFile, responses: *fine}
  /kinds/{sub-type}:
    parameters: [{name: sub-type, in: path, required: true, schema: {type: string, enum: [a]}}]
    get: {operationId: getKind, responses: *fine}
  /own:
    get: {operationId: getOwn, responses: *fine}
    options: {operationId: optionsOwn, responses: *fine}
    head: {operationId: headOwn, responses: *fine}
  /posted: {post: {operationId: onlyPost, responses: *fine}}
  /traced: {trace: {operationId: traced, responses: *fine}, patch: {operationId: patched, responses: *fine}}
  /a+b: {get: {operationId: plus, responses: *fine}}
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    path = tmp_path_factory.mktemp("routing") / "routed.yaml"
    path.write_text(DOCUMENT)
    return App(Settings(document=path))


@pytest.fixture
def routed(app: App) -> Client:
    """The document, called without any header of ours."""
    app.worlds.reset("default")
    return Client(app, headers={})


def reached(client: Client, method: str, path: str) -> str | None:
    """The operation that a call led to, as the journal tells it."""
    client.call(method, path)
    entry = next(client.world.journal.newest())
    operation: str | None = entry.operation
    return operation


async def _call_bare(app: App, scope: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app({"type": "http", "headers": [], "query_string": b"", **scope}, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"]


def bare(app: App, method: str, path: str, raw_path: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    """Call as a server does that is not bound to what an HTTP client may send."""
    scope: dict[str, Any] = {"method": method, "path": path}
    return asyncio.run(_call_bare(app, scope if raw_path is None else {**scope, "raw_path": raw_path}))


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/v1/things", "listThings"),
        ("POST", "/v1/things", "addThing"),
        ("GET", "/v1/things/7", "getThing"),
        ("PUT", "/v1/things/7", "putThing"),
        ("DELETE", "/v1/things/7", "deleteThing"),
        ("POST", "/v1/things/mine", "postMine"),
        ("GET", "/v1/things/mine/other", "mineOther"),
        ("GET", "/v1/things/7/parts/1", "getPart"),
        ("GET", "/v1/things/mine/parts/1", "getPart"),
        ("GET", "/v1/things/x-y", "literal"),
        ("GET", "/v1/things/x-yz", "partial"),
        ("GET", "/v1/things/x-", "getThing"),
        ("GET", "/v1/things/X-y", "getThing"),
        ("GET", "/v1/things/x-y/deep", "partialDeep"),
        ("GET", "/v1/things/x-y/parts/1", "getPart"),
        ("GET", "/v1/files/abc.txt", "getFile"),
        ("GET", "/v1/kinds/a", "getKind"),
        ("GET", "/v1/", "root"),
        ("GET", "/v1", "root"),
        ("GET", "/", "root"),
        ("GET", "/v1/a+b", "plus"),
        ("GET", "/v1/a%2Bb", "plus"),
        ("PATCH", "/v1/traced", "patched"),
        ("TRACE", "/v1/traced", "traced"),
    ],
)
def test_routing_literal_before_partial_before_variable(routed: Client, method: str, path: str, operation: str) -> None:
    """Per segment, left to right, with backtracking."""
    assert reached(routed, method, path) == operation


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v1/things/7/parts",
        "/v1/things/7/parts/1/2",
        "/v2/things",
        "/v1/v1/things",
        "/v1/Things",
        "/v1/files/abc",
        "/__admin/nothing",
    ],
)
def test_routing_unknown_path_is_404(routed: Client, path: str) -> None:
    reply = routed.get(path)
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == "urn:mockserver:no-such-path"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v1/things/7", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("PATCH", "/v1/things", "GET, HEAD, OPTIONS, POST"),
        ("GET", "/v1/posted", "OPTIONS, POST"),
        ("HEAD", "/v1/posted", "OPTIONS, POST"),
        ("TRACE", "/v1/things", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/v1/things/x-y", "GET, HEAD, OPTIONS"),
        ("QUERY", "/v1/things", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_routing_other_method_is_405_with_all_of_the_path(routed: Client, method: str, path: str, allow: str) -> None:
    reply = routed.call(method, path)
    assert reply.status_code == 405
    assert reply.headers["allow"] == allow


def test_routing_finds_the_path_before_the_method(routed: Client) -> None:
    """`/things/mine` is a path of its own, so GET does not fall through to `/things/{id}`."""
    reply = routed.get("/v1/things/mine")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/v1/things", "GET, HEAD, OPTIONS, POST"),
        ("/v1/posted", "OPTIONS, POST"),
        ("/v1/things/7", "DELETE, GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_routing_options_answers_by_itself(routed: Client, path: str, allow: str) -> None:
    reply = routed.call("OPTIONS", path)
    assert reply.status_code == 204
    assert reply.headers["allow"] == allow
    assert reply.content == b""


def test_routing_options_of_an_unknown_path_is_404(routed: Client) -> None:
    assert routed.call("OPTIONS", "/v1/nothing").status_code == 404


@pytest.mark.parametrize(("method", "operation"), [("OPTIONS", "optionsOwn"), ("HEAD", "headOwn"), ("GET", "getOwn")])
def test_routing_leads_to_declared_options_and_head(routed: Client, method: str, operation: str) -> None:
    assert reached(routed, method, "/v1/own") == operation


def test_routing_head_is_get_without_the_body(client: Client) -> None:
    got, head = client.get("/v1/api-keys"), client.call("HEAD", "/v1/api-keys")
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/things/a%2Fb", "a/b"),
        ("/v1/things/a%252Fb", "a%2Fb"),
        ("/v1/things/@a", "@a"),
        ("/v1/things/%40a", "@a"),
        ("/v1/things/a%20b", "a b"),
        ("/v1/things/a+b", "a+b"),
        ("/v1/things/%C3%A9", "é"),
        ("/v1/things/..%2Fx", "../x"),
        ("/v1/things/a;b=c", "a;b=c"),
        ("/v1/things/{id}", "{id}"),
    ],
)
def test_routing_decodes_values_after_splitting(routed: Client, path: str, told: str) -> None:
    """An encoded slash belongs to its segment."""
    reply = routed.get(path)
    assert reply.status_code == 404
    assert reply.json()["detail"].endswith(f" {told}")


@pytest.mark.parametrize("raw", [b"/v1/things/%FF", b"/v1/%C3/7"])
def test_routing_path_that_is_no_text_is_400(app: App, raw: bytes) -> None:
    status, headers, _ = bare(app, "GET", "/v1/things/x", raw)
    assert status == 400
    assert headers["x-mock-problem"] == "invalid-request"


def test_routing_path_with_nul_is_400(routed: Client) -> None:
    assert routed.get("/v1/things/a%00b").status_code == 400


def test_routing_without_a_raw_path_takes_the_decoded_one(app: App) -> None:
    """`raw_path` is optional in ASGI."""
    status, _, body = bare(app, "GET", "/v1/things/é x")
    assert status == 404
    assert "no é x".encode() in body


def test_routing_options_of_the_server_breaks_nothing(app: App) -> None:
    """`OPTIONS *` comes with the path `*`."""
    assert bare(app, "OPTIONS", "*", b"*")[0] == 404


def test_routing_parameter_of_another_type_is_400(routed: Client) -> None:
    """The path matches; what stands in it is wrong."""
    reply = routed.get("/v1/things/7/parts/x")
    assert reply.status_code == 400
    assert [(each["in"], each["pointer"]) for each in reply.json()["violations"]] == [("path", "/part")]


def test_routing_keeps_the_names_of_parameters(routed: Client) -> None:
    assert routed.get("/v1/kinds/b").json()["violations"][0]["pointer"] == "/sub-type"


def test_routing_takes_two_variables_in_a_segment(routed: Client) -> None:
    found = [each["pointer"] for each in routed.get("/v1/files/abcd.html").json()["violations"]]
    assert sorted(found) == ["/ending", "/name"]


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/things/7", "getThing"),
        ("//v1//things///7", "getThing"),
        ("/v1/things/7/", "getThing"),
        ("/v1//things", "listThings"),
        ("/things/", "listThings"),
        ("/v1/things//mine/other//", "mineOther"),
    ],
)
def test_routing_takes_root_and_doubled_slashes_without_redirect(app: App, path: str, operation: str) -> None:
    """Real clients put base URL and path together in all these ways, and none follows a redirect with its body."""
    app.worlds.reset("default")
    status, headers, _ = bare(app, "GET", path, path.encode())
    assert status in (200, 404)
    assert "location" not in headers
    assert next(app.worlds.get("default").journal.newest()).operation == operation


@pytest.mark.parametrize("path", ["/worlds/one/v1/things", "/worlds/one/things", "//worlds//one//v1/things/"])
def test_routing_world_before_the_path(app: App, path: str) -> None:
    app.worlds.delete("one")
    assert bare(app, "GET", path, path.encode())[0] == 200
    world = app.worlds.find("one")
    assert world is not None
    assert [entry.operation for entry in world.journal.newest()] == ["listThings"]


def test_routing_world_of_the_url_wins_over_the_header(routed: Client) -> None:
    routed.app.worlds.delete("header")
    routed.get("/worlds/url/v1/things", headers={"x-mock-world": "header"})
    assert routed.app.worlds.find("header") is None
    assert len(routed.app.worlds.get("url").journal) == 1


def test_routing_world_by_header(routed: Client) -> None:
    routed.get("/v1/things", headers={"x-mock-world": "header"})
    assert len(routed.app.worlds.get("header").journal) == 1
    assert len(routed.world.journal) == 0


def test_routing_without_a_name_is_the_default_world(routed: Client) -> None:
    routed.get("/v1/things")
    assert len(routed.app.worlds.get("default").journal) == 1


@pytest.mark.parametrize(
    "path", ["/worlds/a%20b/v1/things", "/worlds/-a/v1/things", f"/worlds/{'x' * 101}/v1/things", "/worlds/a%2Fb/things"]
)
def test_routing_world_name_that_is_none_is_400(routed: Client, path: str) -> None:
    known = routed.app.worlds.names()
    reply = routed.get(path)
    assert reply.status_code == 400
    assert reply.json()["type"] == "urn:mockserver:invalid-world"
    assert routed.app.worlds.names() == known


def test_routing_world_name_alone_is_no_path(routed: Client) -> None:
    assert routed.get("/worlds/one/nothing").status_code == 404


def test_routing_escaped_literals_match(routed: Client) -> None:
    assert reached(routed, "GET", "/v1/%74hings") == "listThings"
