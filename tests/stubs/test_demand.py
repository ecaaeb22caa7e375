"""Answers on demand, by the header `Prefer` or by the query parameters `__code`, `__example` and `__dynamic`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import httpx
import pytest

from mockserver.app import App, Settings
from mockserver.stubs.demand import Demand, demand_of
from mockserver.values import JSON, Record
from tests.conftest import Client

WEATHER = """\
openapi: 3.0.3
info: {title: Weather, version: 1.0.0}
servers: [{url: /}]
security: [{Token: []}]
paths:
  /reports:
    get:
      parameters: [{name: town, in: query, schema: {type: string, maxLength: 5}}]
      responses:
        '200':
          description: Reports.
          content:
            application/json:
              schema:
                type: object
                required: [data]
                properties: {data: {type: array, items: {$ref: '#/components/schemas/Report'}}}
              examples:
                dry: {value: {data: [{id: rep_1, rain_mm: 0}]}}
                two days: {$ref: '#/components/examples/Wet'}
                wrong: {value: {data: [{id: 1}]}}
        '304': {description: As before.}
        '4XX':
          description: Your fault.
          content: {application/json: {schema: {$ref: '#/components/schemas/Error'}, example: {error: yours}}}
        '503':
          description: Later.
          headers:
            Retry-After: {required: true, schema: {type: integer, minimum: 1}}
            X-Why: {schema: {type: string}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NewReport'}}}}
      responses:
        '201':
          description: A report.
          content:
            application/json: {schema: {$ref: '#/components/schemas/Report'}, example: {id: rep_example, rain_mm: 3}}
        '409':
          description: There already.
          content:
            application/json: {schema: {$ref: '#/components/schemas/Error'}, examples: {taken: {value: {error: taken}}}}
  /reports/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      responses:
        '200': {description: A report., content: {application/json: {schema: {$ref: '#/components/schemas/Report'}}}}
        default: {description: Else., content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
    delete:
      responses:
        '204': {description: It is gone.}
  /map:
    get:
      responses:
        '200': {description: A map., content: {image/png: {schema: {type: string, format: binary}}}}
components:
  securitySchemes:
    Token: {type: apiKey, in: header, name: x-token}
  examples:
    Wet: {value: {data: [{id: rep_2, rain_mm: 12}, {id: rep_3, rain_mm: 9}]}}
  schemas:
    Report:
      type: object
      required: [id, rain_mm]
      properties:
        id: {type: string, pattern: '^rep_[A-Za-z0-9]+$'}
        rain_mm: {type: integer, minimum: 0, example: 5}
    NewReport: {type: object, required: [rain_mm], properties: {rain_mm: {type: integer}}}
    Error: {type: object, required: [error], properties: {error: {type: string, example: something}}}
"""

CALM = {"data": [{"id": "rep_1", "rain_mm": 0}]}
WET = {"data": [{"id": "rep_2", "rain_mm": 12}, {"id": "rep_3", "rain_mm": 9}]}


@pytest.fixture(scope="module")
def weather_app(tmp_path_factory: pytest.TempPathFactory) -> App:
    path = tmp_path_factory.mktemp("weather") / "weather.yaml"
    path.write_text(WEATHER, encoding="utf-8")
    return App(Settings(document=path))


@pytest.fixture
def weather(weather_app: App) -> Iterator[Client]:
    """The weather in a private world, its clock standing still."""
    name = f"test-{uuid.uuid4().hex}"
    made = Client(weather_app, name, {"x-token": "any", "x-mock-world": name})
    made.world.clock.freeze()
    yield made
    weather_app.worlds.delete(name)


def ask(client: Client, prefer: str, path: str = "/reports") -> httpx.Response:
    return client.get(path, headers={"prefer": prefer})


def refused(reply: httpx.Response) -> str:
    """Why a demand was refused, in RFC 9457's words or in those of the document."""
    assert (reply.status_code, reply.headers["x-mock-problem"]) == (400, "invalid-request")
    body = reply.json()
    return str(body["detail"] if "detail" in body else body["error"])


# What is asked for.


@pytest.mark.parametrize(
    ("query", "prefer", "demand"),
    [
        (b"", b"code=404", Demand("404", None, False)),
        (b"", b"example=dry", Demand(None, "dry", False)),
        (b"", b"dynamic=true", Demand(None, None, True)),
        (b"", b"code=404, example=dry, dynamic=true", Demand("404", "dry", True)),
        (b"", b"CODE = 404 ,Example=\"two days\"", Demand("404", "two days", False)),
        (b"", b"respond-async, code=404", Demand("404", None, False)),
        (b"", b"code=404; because=i-say-so", Demand("404", None, False)),
        (b"", b"dynamic=TRUE", Demand(None, None, True)),
        (b"__code=404", b"", Demand("404", None, False)),
        (b"__example=two+days&__code=200", b"", Demand("200", "two days", False)),
        (b"__example=two%20days", b"", Demand(None, "two days", False)),
        (b"__dynamic=true&town=York", b"", Demand(None, None, True)),
        (b"__code=409", b"code=404, dynamic=true", Demand("409", None, True)),
    ],
    ids=str,
)  # fmt: skip
def test_demand_is_read(query: bytes, prefer: bytes, demand: Demand) -> None:
    """RFC 7240: names in any case, values quoted or not, parameters behind a semicolon. The query wins (*chosen*)."""
    assert demand_of(query, [(b"prefer", prefer)]) == demand


@pytest.mark.parametrize(
    ("query", "prefer"),
    [
        (b"", b""),
        (b"", b"return=minimal, wait=10"),
        (b"", b"dynamic=false"),
        (b"", b"dynamic"),
        (b"", b"code="),
        (b"code=404&example=dry", b""),
        (b"__code=", b""),
        (b"__dynamic=false", b""),
        (b"town=__code", b""),
    ],
    ids=str,
)
def test_other_preferences_are_no_demand(query: bytes, prefer: bytes) -> None:
    assert demand_of(query, [(b"prefer", prefer)]) is None


def test_other_preferences_change_nothing(weather: Client) -> None:
    assert ask(weather, "return=minimal").json() == {"data": []}


def test_preferences_of_several_headers_are_taken_together(weather: Client) -> None:
    """RFC 7240, section 2: several headers are as one with commas between."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=weather.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
            headers = [*weather.headers.items(), ("prefer", "code=404"), ("prefer", "respond-async")]
            return await client.get("/reports", headers=headers)

    assert asyncio.run(send()).status_code == 404


# What is answered.


@pytest.mark.parametrize(
    ("prefer", "path", "status", "body"),
    [
        ("code=200", "/reports", 200, CALM),
        ("code=404", "/reports", 404, {"error": "yours"}),
        ("code=418", "/reports", 418, {"error": "yours"}),
        ("code=503", "/reports", 503, {"error": "something"}),
        ("code=500", "/reports/rep_9", 500, {"error": "something"}),
        ("example=dry", "/reports", 200, CALM),
        ("example=two days", "/reports", 200, WET),
        ("code=200, example=two days", "/reports", 200, WET),
        ("example=dry, dynamic=true", "/reports", 200, CALM),
    ],
)
def test_demand_is_answered(weather: Client, prefer: str, path: str, status: int, body: JSON) -> None:
    """A status of its own, of a range or of the default; an example by name, also one that is shared."""
    reply = ask(weather, prefer, path)
    assert (reply.status_code, reply.json()) == (status, body)
    assert reply.headers["content-type"] == "application/json"
    assert "x-mock-problem" not in reply.headers


@pytest.mark.parametrize("query", ["__code=404", "__code=404&__dynamic=false", "town=York&__code=404"])
def test_demand_by_the_query_is_answered(weather: Client, query: str) -> None:
    assert weather.get(f"/reports?{query}").json() == {"error": "yours"}


def test_demand_for_an_empty_reply_is_answered(weather: Client) -> None:
    assert (ask(weather, "code=304").status_code, ask(weather, "code=304").content) == (304, b"")
    reply = weather.delete("/reports/rep_9", headers={"prefer": "code=204"})
    assert (reply.status_code, reply.content) == (204, b"")


def test_demand_for_another_media_type_is_answered(weather: Client) -> None:
    reply = ask(weather, "code=200", "/map")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/png")


def test_demand_brings_the_headers_that_are_required(weather: Client) -> None:
    reply = ask(weather, "code=503")
    assert int(reply.headers["retry-after"]) >= 1
    assert "x-why" not in reply.headers


def test_dynamic_is_made_afresh(weather: Client) -> None:
    bodies = [ask(weather, "dynamic=true").json() for _ in range(2)]
    row = bodies[0]["data"][0]
    assert row["id"].startswith("rep_")
    assert row != CALM["data"][0]
    assert row["rain_mm"] == 0, "the example says 5"


def test_dynamic_goes_with_a_code(weather: Client) -> None:
    reply = ask(weather, "code=404, dynamic=true")
    assert reply.status_code == 404
    assert reply.json()["error"] not in ("yours", "something")


def test_demand_needs_no_record(weather: Client) -> None:
    assert ask(weather, "code=200", "/reports/nobody").status_code == 200
    assert weather.get("/reports/nobody").status_code == 404


def test_demand_of_the_shipped_document_is_answered(client: Client) -> None:
    reply = client.get("/v1/api-keys", headers={"prefer": "code=429"})
    assert reply.status_code == 429
    assert reply.json()["data"]["errorCode"]


# What is refused.


def test_code_that_is_not_documented_is_refused_with_those_that_are(weather: Client) -> None:
    told = refused(ask(weather, "code=302"))
    assert "302 is not documented for GET /reports, only 200, 304, 4XX, 503" in told


@pytest.mark.parametrize("code", ["20", "2000", "abc", "600", "4XX", "default", "-404", "\uff14\uff10\uff14"])
def test_code_that_is_no_status_is_refused(weather: Client, code: str) -> None:
    reply = weather.get("/reports", params={"__code": code})
    assert f"{code!r} is no status" in refused(reply)


def test_example_that_is_not_there_is_refused_with_those_that_are(weather: Client) -> None:
    told = refused(ask(weather, "example=snow"))
    assert "'snow' is not there: 200 of GET /reports has these examples: dry, two days, wrong" in told


@pytest.mark.parametrize(
    ("prefer", "path", "told"),
    [
        ("example=snow", "/reports/rep_9", "'snow' is not there: 200 of GET /reports/{id} has these examples: none"),
        ("code=404, example=dry", "/reports", "'dry' is not there: 404 of GET /reports has these examples: none"),
        ("example=dry", "/map", "'dry' is not there: 200 of GET /map has no examples"),
        ("code=304, example=dry", "/reports", "'dry' is not there: 304 of GET /reports has no examples"),
    ],
)
def test_example_where_there_are_none_is_refused(weather: Client, prefer: str, path: str, told: str) -> None:
    assert told in refused(ask(weather, prefer, path))


def test_refusal_points_to_what_was_asked(weather: Client) -> None:
    body = weather.get("/map?__code=302").json()
    assert [(each["in"], each["pointer"]) for each in body["violations"]] == [("query", "/__code")]


def test_refusal_of_the_shipped_document_lists_its_codes(client: Client) -> None:
    reply = client.get("/v1/api-keys?__code=302")
    assert reply.status_code == 400
    assert "302 is not documented for GET /api-keys, only 200, 400" in reply.json()["data"]["message"]


def test_example_that_breaks_the_contract_is_withheld(weather: Client) -> None:
    """No reply leaves that the document refuses, not even one that it shows itself."""
    reply = ask(weather, "example=wrong")
    assert (reply.status_code, reply.headers["x-mock-problem"]) == (500, "mock-broke-contract")


def test_demand_does_not_stand_above_the_contract(weather: Client) -> None:
    assert weather.get("/reports?__code=200&town=Edinburgh").status_code == 400
    assert weather.post("/reports", {"rain_mm": "much"}, headers={"prefer": "code=201"}).status_code == 400


def test_demand_does_not_stand_above_identity(weather: Client) -> None:
    nobody = Client(weather.app, weather.world_name, {"x-mock-world": weather.world_name})
    assert nobody.get("/map?__code=200").status_code == 401


def test_demand_makes_no_path(weather: Client) -> None:
    assert weather.get("/nowhere?__code=200").status_code == 404


# What is remembered.


def state(client: Client) -> Record:
    world = client.world
    return {"drawn": world.ids.drawn, "records": {name: list(each.newest()) for name, each in world.collections.items()}}


@pytest.mark.parametrize("prefer", ["code=201", "dynamic=true", "code=409", "code=409, example=taken"])
def test_demanded_create_makes_nothing(weather: Client, prefer: str) -> None:
    weather.post("/reports", {"rain_mm": 1})
    before = state(weather)
    reply = weather.post("/reports", {"rain_mm": 2}, headers={"prefer": prefer})
    assert reply.status_code == (409 if "409" in prefer else 201)
    assert state(weather) == before


def test_demanded_delete_deletes_nothing(weather: Client) -> None:
    made = weather.post("/reports", {"rain_mm": 1}).json()
    assert weather.delete(f"/reports/{made['id']}?__code=204").status_code == 204
    assert weather.get(f"/reports/{made['id']}").json() == made


def test_demand_holds_for_one_call(weather: Client) -> None:
    ask(weather, "code=404")
    assert weather.get("/reports").status_code == 200


def test_demanded_success_is_counted_against_no_rate(client: Client) -> None:
    """The world must not notice: a test that looks at an error has not used up its budget of calls."""
    limits = [{"type": "requests", "unit": "rpm", "value": 1}]
    made = client.post(
        "/v1/api-keys/organisation/service", {"name": "ci", "scopes": ["workspaces.list"], "rate_limits": limits}
    ).json()
    caller = client.as_key(made["key"])
    assert [caller.get("/v1/admin/workspaces?__code=200").status_code for _ in range(3)] == [200, 200, 200]
    assert [caller.get("/v1/admin/workspaces").status_code for _ in range(2)] == [200, 429]


def test_demanded_call_is_in_the_journal(weather: Client) -> None:
    ask(weather, "code=503")
    entry = next(iter(weather.world.journal.newest()))
    assert (entry.status, entry.problem) == (503, None)
