"""What leaves the server: the HAR file, and no secret in it or in anything else that is shown."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.app import App, Settings
from mockserver.contract.reading import read_file
from mockserver.portkey.seeds import admin_key
from mockserver.values import JSON, Record
from tests.conftest import Client

HAR = jsonschema_rs.validator_for(
    {"$schema": "https://json-schema.org/draft/2020-12/schema", **read_file(Path(__file__).parent / "har_1_2.yaml")},
    validate_formats=True,
)
JSON_TYPE = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=x"}
EVENTS = {"content-type": "text/event-stream"}
CHAT: Record = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide is next?"}]}


def admin(client: Client, path: str, **options: Any) -> httpx.Response:
    return client.get(f"/__admin{path}", **options)


def exported(client: Client, query: str = "") -> Record:
    reply = admin(client, f"/requests/har{query}")
    assert reply.status_code == 200, reply.text
    value: Record = reply.json()
    assert [str(error) for error in HAR.iter_errors(value)] == []
    log: Record = value["log"]
    return log


@pytest.fixture(scope="module")
def open_app() -> App:
    return App(Settings(unredacted=True))


@pytest.fixture
def small(tmp_path: Path) -> Client:
    """A document with secrets wherever a document can have them."""
    path = tmp_path / "small.yaml"
    path.write_text(
        """
openapi: 3.0.3
info: {title: Small, version: '1'}
paths:
  /links/{code}:
    parameters:
      - {name: code, in: path, required: true, schema: {type: string, format: password}}
      - {name: pin, in: query, schema: {$ref: '#/components/schemas/Pin'}}
      - {name: x-door, in: header, schema: {type: string, x-secret: true}}
    get: {operationId: openLink, responses: {'200': {description: Fine.}}}
  /notes:
    post:
      operationId: addNote
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                hint: {type: string, x-secret: true}
                token: {type: string, x-secret: false}
          application/x-www-form-urlencoded: {schema: {type: object, properties: {hint: {type: string, x-secret: true}}}}
          multipart/form-data: {schema: {type: object, properties: {hint: {type: string, x-secret: true}}}}
          text/event-stream: {schema: {type: string}}
          application/x-ndjson: {schema: {type: string}}
          text/plain: {schema: {type: string}}
      responses: {'200': {description: Fine.}}
components: {schemas: {Pin: {type: string, format: password}}}
"""
    )
    return Client(App(Settings(document=path)), headers={})


def shown(client: Client) -> Record:
    found: list[Record] = admin(client, "/requests?limit=1").json()["requests"]
    return found[0]


# HAR.


def test_har_is_valid_and_complete(client: Client) -> None:
    client.get("/v1/api-keys?page_size=x", headers={"cookie": "a=b", "x-word": "tide"})
    client.post("/v1/api-keys/organisation/service", {"name": "ci", "scopes": ["logs.view"]})
    client.post("/v1/chat/completions", {**CHAT, "stream": True}, headers={"x-portkey-provider": "openai"})
    client.get("/v1/nothing/%20there?a=1&b")
    files: Any = {"file": ("a.jsonl", b"{}"), "purpose": (None, "batch")}
    made = httpx.Request("POST", "http://localhost/v1/files", files=files)
    client.post("/v1/files", content=made.read(), headers={"content-type": made.headers["content-type"]})
    refused, created, stream, nowhere, form = exported(client)["entries"]

    assert (refused["request"]["method"], refused["response"]["status"], refused["response"]["statusText"]) == (
        "GET",
        400,
        "Bad Request",
    )
    assert refused["request"]["url"] == "http://localhost/v1/api-keys?page_size=x"
    assert refused["request"]["queryString"] == [{"name": "page_size", "value": "x"}]
    assert {"name": "x-word", "value": "tide"} in refused["request"]["headers"]
    assert json.loads(created["request"]["postData"]["text"])["name"] == "ci"
    assert created["response"]["content"]["mimeType"] == "application/json"
    assert stream["response"]["content"]["text"].endswith("data: [DONE]\n\n")
    assert nowhere["request"]["url"] == "http://localhost/v1/nothing/%20there?a=1&b"
    assert {"name": "purpose", "value": "batch"} in form["request"]["postData"]["params"]
    assert {"name": "file", "fileName": "a.jsonl", "contentType": "application/octet-stream"} in form["request"]["postData"][
        "params"
    ]


def test_har_tells_what_was_found_out(client: Client) -> None:
    client.get("/v1/api-keys?page_size=x")
    log = exported(client)
    own = log["entries"][0]["_mockserver"]
    assert (own["operation"], own["problem"], own["verdict"]["blame"]) == ("listApiKeys", "invalid-request", "client")
    assert own["violations"][0]["pointer"] == "/page_size"
    assert own["at"] == admin(client, "/requests/1").json()["at"]
    assert log["_mockserver"] == {"world": client.world_name, "serves": "Portkey", "redacted": True, "dropped": 0}


def test_har_has_a_name_and_filters(client: Client) -> None:
    for path in ("/v1/api-keys", "/v1/nothing", "/v1/api-keys"):
        client.get(path)
    reply = admin(client, "/requests/har?operation=listApiKeys")
    assert reply.headers["content-disposition"] == f'attachment; filename="{client.world_name}.har"'
    assert [each["_mockserver"]["number"] for each in reply.json()["log"]["entries"]] == [1, 3]


def test_har_of_nothing_is_valid(client: Client) -> None:
    assert exported(client)["entries"] == []


def test_har_keeps_secrets_only_where_the_server_allows_it(client: Client, open_app: App) -> None:
    reply = admin(client, "/requests/har?secrets=keep")
    assert reply.status_code == 403
    assert "--unredacted" in reply.json()["detail"]
    open_client = Client(open_app, f"test-{uuid.uuid4().hex}")
    secret = open_client.post("/v1/api-keys/organisation/service", {"name": "ci", "scopes": ["logs.view"]}).json()["key"]
    assert secret in json.dumps(exported(open_client, "?secrets=keep"))
    assert secret not in json.dumps(exported(open_client))


# Secrets.


def test_documented_secrets_in_a_url_are_hidden(small: Client) -> None:
    small.get("/links/s3cr3t-way?pin=1234&x=y", headers={"x-door": "sesame"})
    told = shown(small)
    assert (told["path"], told["query"]) == ("/links/[redacted]", "pin=[redacted]&x=y")
    assert told["path_parameters"] == {"code": "[redacted]"}
    assert told["request"]["headers"]["x-door"] == "[redacted]"


@pytest.mark.parametrize(
    ("headers", "content", "wanted"),
    [
        (JSON_TYPE, b'{"hint": "s3cr3t", "name": "a"}', {"hint": "[redacted]", "name": "a"}),
        (
            JSON_TYPE,
            b'{"a": [{"accessToken": "s3cr3t", "clientSecret": ["s3cr3t"]}]}',
            {"a": [{"accessToken": "[redacted]", "clientSecret": ["[redacted]"]}]},
        ),
        (
            JSON_TYPE,
            b'{"token": "free", "max_tokens": 5, "b": {"token": "s3cr3t"}}',
            {"token": "free", "max_tokens": 5, "b": {"token": "[redacted]"}},
        ),
        (FORM, b"hint=s3cr3t&name=a+b&api_key=s3cr3t", "hint=[redacted]&name=a+b&api_key=[redacted]"),
        (
            MULTIPART,
            b'--x\r\ncontent-disposition: form-data; name="hint"\r\n\r\ns3cr3t\r\n'
            b'--x\r\ncontent-disposition: form-data; name="more"\r\n\r\n{"password": "s3cr3t"}\r\n--x--\r\n',
            {"hint": "[redacted]", "more": {"password": "[redacted]"}},
        ),
        (
            EVENTS,
            b'data: {"api_key": "s3cr3t", "n": 1}\n\ndata: [DONE]\n\n',
            'data: {"api_key":"[redacted]","n":1}\n\ndata: [DONE]\n\n',
        ),
        (EVENTS, b'data: {"api_key": "s3cr', "data: [redacted]"),
        ({"content-type": "application/x-ndjson"}, b'{"password": "s3cr3t"}\n{"a": 1}', '{"password":"[redacted]"}\n{"a": 1}'),
    ],
)
def test_secrets_in_bodies_are_hidden(small: Client, headers: dict[str, str], content: bytes, wanted: JSON) -> None:
    small.post("/notes", content=content, headers=headers)
    assert shown(small)["request"]["body"] == wanted
    assert "s3cr" not in json.dumps(exported(small))


def test_secret_of_a_call_is_hidden_wherever_it_stands_in_it(small: Client) -> None:
    """Also in what is said of the call: here in the path of an error's message."""
    small.get("/nowhere/s3cr3t-and-long", headers={"authorization": "Bearer s3cr3t-and-long"})
    reply = admin(small, "/requests")
    assert reply.json()["requests"][0]["path"] == "/nowhere/[redacted]"
    assert "s3cr3t-and-long" not in reply.text


def test_secret_that_was_sent_is_hidden_in_other_calls(client: Client) -> None:
    """A config's credentials are known to the world by the call that brought them."""
    config = {"name": "c", "config": {"provider": "openai", "api_key": "sk-0f5a7c2e91"}}
    assert client.post("/v1/configs", config).status_code == 200
    client.get("/v1/nothing/sk-0f5a7c2e91")
    assert "sk-0f5a7c2e91" not in admin(client, "/requests").text
    assert "sk-0f5a7c2e91" not in json.dumps(exported(client))


def test_secrets_outlive_what_is_taken_back(client: Client) -> None:
    """The journal does as well."""
    client.call("PUT", f"/__admin/worlds/{client.world_name}/snapshots/before")
    secret = client.post("/v1/api-keys/organisation/service", {"name": "ci", "scopes": ["logs.view"]}).json()["key"]
    client.call("POST", f"/__admin/worlds/{client.world_name}/snapshots/before/restore")
    client.get(f"/v1/nothing/{secret}")
    assert secret not in admin(client, "/requests").text


@pytest.mark.parametrize("word", ["unchecked", "truncated", "requests", "duration_us", "redacted", "listApiKeys", "[redacted]"])
def test_secrets_that_are_words_of_ours_break_nothing(client: Client, word: str) -> None:
    for path in ("/v1/api-keys?page_size=x", f"/v1/{word}"):
        client.get(path, headers={"x-portkey-api-key": word})
    found = admin(client, "/requests").json()["requests"]
    assert [each["verdict"]["blame"] for each in found] == ["client", "client"]
    assert exported(client)["entries"]
    assert admin(client, "/requests/unmatched/near-misses").status_code == 200
    assert admin(client, "/events").status_code == 200


PLACES = st.sampled_from(
    ["path", "query", "query name", "header", "json header", "json", "key", "text", "form", "multipart", "metadata"]
)
AROUND = st.sampled_from(
    [("", ""), ("x", "y"), ("Bearer ", ""), ('"', '"'), ("\\", "\\"), (" é", "é"), ("{", ""), ("%", "%20")]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.tuples(PLACES, AROUND, st.sampled_from(["made", "admin", "provider"])), min_size=1, max_size=4))
def test_no_secret_of_the_world_leaves_it(shared_app: App, calls: list[tuple[str, tuple[str, str], str]]) -> None:
    """Wherever a client puts one: in what it sends, hence in what is said of it."""
    name = f"test-{uuid.uuid4().hex}"
    client = Client(shared_app, name)
    provider = "sk-very/secret+and:long="
    made = client.post("/v1/api-keys/organisation/service", {"name": "ci", "scopes": ["logs.view"]}).json()["key"]
    client.post("/v1/integrations", {"name": "mine", "ai_provider_id": "openai", "key": provider})
    known = {"made": made, "admin": admin_key(client.world), "provider": provider}
    for place, (before, after), which in calls:
        send(client, place, before + known[which] + after, known[which])
    forms = {form for secret in known.values() for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])}
    paths = ["/requests", "/requests/har", "/events", "/requests/unmatched/near-misses"]
    paths += [f"/records/{collection}?limit=1000" for collection in client.world.collections]
    for path in paths:
        reply = admin(client, path)
        assert [form for form in forms if form in reply.text] == [], path
    shared_app.worlds.delete(name)


def send(client: Client, place: str, text: str, secret: str) -> None:
    """Put a text with a secret somewhere into a call."""
    if place == "path":
        client.get(f"/v1/api-keys/{quote(text, safe='')}")
    elif place == "query":
        client.get("/v1/api-keys", params={"workspace_id": text, "page_size": "x"})
    elif place == "query name":
        client.get("/v1/api-keys", params={text: "1"})
    elif place in ("header", "json header"):
        value = text if place == "header" else json.dumps({"a": {"b": text}})
        client.get("/v1/nothing", headers={"x-word": value.encode("ascii", "replace").decode()})
    elif place == "json":
        client.post("/v1/collections", {"name": text, "workspace_id": [text], "more": {"deep": [text]}})
    elif place == "key":
        client.post("/v1/collections", {"name": "a", text: 1})
    elif place == "text":
        client.post("/v1/configs", content=text.encode(), headers=JSON_TYPE)
    elif place == "form":
        client.post("/v1/files", content=f"a={quote(text)}".encode(), headers=FORM)
    elif place == "multipart":
        part = f'--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n{text}\r\n--x--\r\n'
        client.post("/v1/files", content=part.encode(), headers=MULTIPART)
    else:
        client.post("/v1/chat/completions", {**CHAT, "messages": [{"role": "user", "content": text}], "metadata": {"a": text}})
