"""Stubs that remember, through the front door: what creating, reading, listing, changing and deleting do to a resource.

The document is made for these tests; each of its collections has another style.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import yaml

from mockserver import values
from mockserver.app import App, Settings
from mockserver.contract.contract import Contract
from mockserver.contract.normalising import normalise
from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.stubs.resources import LAYOUT, ResourceStubs
from mockserver.values import JSON, Record
from mockserver.world.world import World
from tests.conftest import Client

WORKSHOP = """\
openapi: 3.0.3
info: {title: Workshop, version: 1.0.0}
servers: [{url: /}]
paths:
  # In the style of OpenAI: a cursor, times in seconds, a tombstone.
  /robots:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100, default: 20}}
        - {name: after, in: query, schema: {type: string}}
        - {name: before, in: query, schema: {type: string}}
        - {name: order, in: query, schema: {type: string, enum: [asc, desc], default: desc}}
        - {name: colour, in: query, schema: {type: string}}
      responses:
        '200':
          description: Robots.
          content:
            application/json:
              schema:
                type: object
                required: [object, data, first_id, last_id, has_more]
                properties:
                  object: {type: string, enum: [list]}
                  data: {type: array, items: {$ref: '#/components/schemas/Robot'}}
                  first_id: {type: string, nullable: true}
                  last_id: {type: string, nullable: true}
                  has_more: {type: boolean}
              example: {object: list, data: [], first_id: rob_x, last_id: rob_y, has_more: true}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NewRobot'}}}}
      responses:
        '200': {description: A robot., content: {application/json: {schema: {$ref: '#/components/schemas/Robot'}}}}
  /robots/{robot_id}:
    parameters: [{name: robot_id, in: path, required: true, schema: {type: string}}]
    get:
      responses:
        '200':
          description: A robot.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Robot'}
              example:
                {id: rob_1a2B3c4D5e6F7g8H, object: robot, name: Marvin, colour: grey, mood: gloomy, serial: s-1, legs: 2,
                 owner: {name: Zaphod}, tags: [old], created_at: 1700000000, updated_at: 1700000000}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/RobotChange'}}}}
      responses:
        '200': {description: A robot., content: {application/json: {schema: {$ref: '#/components/schemas/Robot'}}}}
    delete:
      responses:
        '200':
          description: It is gone.
          content:
            application/json:
              schema:
                type: object
                required: [id, object, deleted]
                properties:
                  id: {type: string}
                  object: {type: string, enum: [robot.deleted]}
                  deleted: {type: boolean}
              example: {id: rob_x, object: robot.deleted, deleted: false}
  /robots/{robot_id}/dance:
    post:
      parameters: [{name: robot_id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: A robot., content: {application/json: {schema: {$ref: '#/components/schemas/Robot'}}}}
  /robots/{robot_id}/manual:
    get:
      parameters: [{name: robot_id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: Its manual., content: {text/plain: {schema: {type: string}}}}
  # Records and rows in a wrapper, pages by number, names as keys, a PUT that replaces.
  /tools:
    get:
      parameters:
        - {name: page, in: query, schema: {type: integer, minimum: 1, default: 1}}
        - {name: per_page, in: query, schema: {type: integer, minimum: 1, maximum: 50, default: 3}}
        - {name: kind, in: query, schema: {type: string}}
        - {name: sharp, in: query, schema: {type: boolean}}
        - {name: weight, in: query, schema: {type: integer}}
      responses:
        '200':
          description: Tools.
          content:
            application/json:
              schema:
                type: object
                required: [success, results, total, page, per_page]
                properties:
                  success: {type: boolean, enum: [true]}
                  results: {type: array, items: {$ref: '#/components/schemas/Tool'}}
                  total: {type: integer}
                  page: {type: integer}
                  per_page: {type: integer}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NewTool'}}}}
      responses:
        '201': {$ref: '#/components/responses/Tool'}
  /tools/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string}}]
    get: {responses: {'200': {$ref: '#/components/responses/Tool'}}}
    put:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NewTool'}}}}
      responses: {'200': {$ref: '#/components/responses/Tool'}}
    patch:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/ToolChange'}}}}
      responses: {'200': {$ref: '#/components/responses/Tool'}}
    delete: {responses: {'204': {description: It is gone.}}}
  # Whole numbers as keys, times as texts, a bare array by offset.
  /orders:
    get:
      parameters:
        - {name: offset, in: query, schema: {type: integer, minimum: 0, default: 0}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
      responses:
        '200':
          description: Orders.
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Order'}}}}
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewOrder'}}}}
      responses:
        '201': {description: An order., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
  /orders/{order_id}:
    parameters: [{name: order_id, in: path, required: true, schema: {type: integer}}]
    get:
      responses: {'200': {description: An order., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
    put:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewOrder'}}}}
      responses: {'200': {description: An order., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
    delete:
      responses: {'200': {description: It was., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
  # Records below a record under ids of their own.
  /orders/{order_id}/crates:
    parameters: [{name: order_id, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        '200':
          description: Crates.
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Crate'}}}}
    post:
      requestBody:
        content: {application/json: {schema: {type: object, required: [crate_id], properties: {crate_id: {type: string}}}}}
      responses: {'200': {description: A crate., content: {application/json: {schema: {$ref: '#/components/schemas/Crate'}}}}}
  /orders/{order_id}/crates/{crate_id}:
    parameters:
      - {name: order_id, in: path, required: true, schema: {type: integer}}
      - {name: crate_id, in: path, required: true, schema: {type: string}}
    get:
      responses: {'200': {description: A crate., content: {application/json: {schema: {$ref: '#/components/schemas/Crate'}}}}}
  # Records below records below records.
  /orders/{order_id}/lines:
    parameters: [{name: order_id, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        '200':
          description: Lines.
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Line'}}}}
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {what: {type: string}}}}}}
      responses: {'201': {description: A line., content: {application/json: {schema: {$ref: '#/components/schemas/Line'}}}}}
  /orders/{order_id}/lines/{line_id}:
    parameters:
      - {name: order_id, in: path, required: true, schema: {type: integer}}
      - {name: line_id, in: path, required: true, schema: {type: string, format: uuid}}
    get:
      responses: {'200': {description: A line., content: {application/json: {schema: {$ref: '#/components/schemas/Line'}}}}}
    delete: {responses: {'204': {description: It is gone.}}}
  /orders/{order_id}/lines/{line_id}/notes:
    parameters:
      - {name: order_id, in: path, required: true, schema: {type: integer}}
      - {name: line_id, in: path, required: true, schema: {type: string, format: uuid}}
    get:
      responses: {'200': {description: Notes., content: {application/json: {schema: {type: array, items: {type: object}}}}}}
    post:
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {'201': {description: A note., content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
  /orders/{order_id}/lines/{line_id}/notes/{note_id}:
    parameters:
      - {name: order_id, in: path, required: true, schema: {type: integer}}
      - {name: line_id, in: path, required: true, schema: {type: string, format: uuid}}
      - {name: note_id, in: path, required: true, schema: {type: string}}
    get:
      responses: {'200': {description: A note., content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
  # A cursor that the envelope hands on.
  /events:
    get:
      parameters:
        - {name: cursor, in: query, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, default: 2}}
      responses:
        '200':
          description: Events.
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, items: {$ref: '#/components/schemas/Note'}}
                  next_cursor: {type: string, nullable: true}
    post:
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {'201': {description: An event., content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
  /events/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: An event., content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}
components:
  responses:
    Tool:
      description: A tool.
      content:
        application/json:
          schema:
            type: object
            required: [success, data]
            properties:
              success: {type: boolean, enum: [true]}
              data: {$ref: '#/components/schemas/Tool'}
          example:
            success: true
            data:
              {id: 9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d, name: saw, kind: hand, sharp: true, weight: 300, note: from the cellar,
               maker: {name: Ada}, createdAt: '2024-01-01T00:00:00.000Z', updatedAt: '2024-01-01T00:00:00.000Z'}
  schemas:
    Robot:
      type: object
      required: [id, object, name, colour, created_at]
      properties:
        id: {type: string}
        object: {type: string, enum: [robot]}
        name: {type: string}
        colour: {type: string}
        mood: {type: string, nullable: true}
        serial: {type: string}
        legs: {type: integer}
        owner: {type: object, nullable: true, properties: {name: {type: string}}}
        tags: {type: array, items: {type: string}}
        created_at: {type: integer}
        updated_at: {type: integer}
    NewRobot:
      type: object
      required: [name]
      properties:
        name: {type: string, minLength: 1}
        colour: {type: string, default: white}
        mood: {type: string, nullable: true}
        legs: {type: integer}
        owner: {type: object, properties: {name: {type: string}}}
        tags: {type: array, items: {type: string}}
        secret: {type: string}
    RobotChange:
      type: object
      properties:
        name: {type: string}
        mood: {type: string, nullable: true}
        legs: {type: integer}
        id: {type: string}
    Tool:
      type: object
      required: [name, kind]
      properties:
        id: {type: string, format: uuid}
        name: {type: string}
        kind: {type: string}
        sharp: {type: boolean}
        weight: {type: integer}
        note: {type: string}
        maker: {type: object, properties: {name: {type: string}}}
        createdAt: {type: string, format: date-time}
        updatedAt: {type: string, format: date-time}
    NewTool:
      type: object
      required: [name, kind]
      properties:
        name: {type: string, minLength: 1}
        kind: {type: string}
        sharp: {type: boolean, default: true}
        weight: {type: integer}
        note: {type: string}
    ToolChange:
      type: object
      properties:
        kind: {type: string}
        note: {type: string}
        weight: {type: integer}
    Order:
      type: object
      required: [id]
      properties:
        id: {type: integer}
        what: {type: string, nullable: true}
        state: {type: string, enum: [open, paid], default: open}
        created: {type: string, format: date-time}
    NewOrder:
      type: object
      properties:
        what: {type: string}
    Crate: {type: object, required: [id], properties: {id: {type: string}}}
    Line:
      type: object
      required: [id, order_id]
      properties:
        id: {type: string, format: uuid}
        order_id: {type: integer}
        what: {type: string}
    Note:
      type: object
      required: [id]
      properties:
        id: {type: string, example: note-A1b2C3d4E5}
        text: {type: string}
"""


@pytest.fixture(scope="module")
def workshop_app(tmp_path_factory: pytest.TempPathFactory) -> App:
    path = tmp_path_factory.mktemp("workshop") / "workshop.yaml"
    path.write_text(WORKSHOP, encoding="utf-8")
    app = App(Settings(document=path))
    assert app.faults == []
    return app


@pytest.fixture
def workshop(workshop_app: App) -> Iterator[Client]:
    """The workshop in a private world, its clock standing still."""
    name = f"test-{uuid.uuid4().hex}"
    made = Client(workshop_app, name, {"x-mock-world": name})
    made.world.clock.freeze()
    yield made
    workshop_app.worlds.delete(name)


def created(reply: httpx.Response) -> Any:
    assert reply.status_code in (200, 201), reply.text
    return reply.json()


def robot(client: Client, name: str = "Marvin", **fields: JSON) -> Record:
    made: Record = created(client.post("/robots", {"name": name, **fields}))
    return made


def tool(client: Client, name: str = "saw", kind: str = "hand", **fields: JSON) -> Record:
    made: Record = created(client.post("/tools", {"name": name, "kind": kind, **fields}))["data"]
    return made


def order(client: Client, **fields: JSON) -> Record:
    made: Record = created(client.post("/orders", fields))
    return made


def line(client: Client, order_id: int, **fields: JSON) -> Record:
    made: Record = created(client.post(f"/orders/{order_id}/lines", fields))
    return made


def missing(reply: httpx.Response) -> bool:
    return (reply.status_code, reply.headers.get("x-mock-problem")) == (404, "not-found")


def test_every_operation_of_the_workshop_is_remembered(workshop_app: App) -> None:
    assert set(workshop_app.resolver.chosen.values()) == {"resource"}


# What a new record has.


def test_create_echoes_what_was_given(workshop: Client) -> None:
    made = robot(workshop, "R2", colour="blue", mood="fine", legs=3, owner={"name": "Leia"}, tags=["new"])
    told = {name: made[name] for name in ("name", "colour", "mood", "legs", "owner", "tags")}
    assert told == {"name": "R2", "colour": "blue", "mood": "fine", "legs": 3, "owner": {"name": "Leia"}, "tags": ["new"]}


def test_create_fills_defaults_of_the_request(workshop: Client) -> None:
    assert robot(workshop)["colour"] == "white"
    assert tool(workshop)["sharp"] is True


def test_create_gives_null_for_what_was_left_out(workshop: Client) -> None:
    """Where the reply may be null. The example's value would be somebody else's."""
    made = robot(workshop)
    assert made["mood"] is None
    assert made["owner"] is None


@pytest.mark.parametrize("field", ["legs", "tags"])
def test_create_leaves_out_what_may_be_missing(workshop: Client, field: str) -> None:
    """Where the reply may neither be null nor must have the field."""
    assert field not in robot(workshop)


@pytest.mark.parametrize("field", ["note", "weight"])
def test_create_in_a_wrapper_leaves_out_what_may_be_missing(workshop: Client, field: str) -> None:
    assert field not in tool(workshop)


def test_create_fills_server_fields_from_the_example(workshop: Client) -> None:
    """What no request can set comes from the document's example, which shows how the server sets it."""
    assert tool(workshop)["maker"] == {"name": "Ada"}
    assert robot(workshop)["serial"] == "s-1"


def test_create_keeps_what_no_reply_shows(workshop: Client) -> None:
    made = robot(workshop, secret="s3cret")
    assert "secret" not in made
    assert workshop.world["robots"].get(made["id"])["secret"] == "s3cret"


def test_create_sets_constant_fields(workshop: Client) -> None:
    assert robot(workshop)["object"] == "robot"
    assert created(workshop.post("/tools", {"name": "saw", "kind": "hand"}))["success"] is True


def test_create_fills_defaults_of_the_reply(workshop: Client) -> None:
    assert order(workshop)["state"] == "open"


def test_create_without_a_body_makes_a_record(workshop: Client) -> None:
    made = created(workshop.post("/orders"))
    assert workshop.get(f"/orders/{made['id']}").json() == made


# Times.


def test_created_at_is_in_seconds_where_it_is_a_number(workshop: Client) -> None:
    made = robot(workshop)
    assert made["created_at"] == made["updated_at"] == int(workshop.world.clock.seconds())


def test_created_at_is_a_text_where_it_is_one(workshop: Client) -> None:
    made = tool(workshop)
    assert made["createdAt"] == made["updatedAt"] == workshop.world.clock.timestamp()
    assert order(workshop)["created"] == workshop.world.clock.timestamp()


def test_update_moves_the_time_of_change_only(workshop: Client) -> None:
    made, other = robot(workshop), tool(workshop)
    workshop.world.clock.move(timedelta(hours=1))
    changed = workshop.post(f"/robots/{made['id']}", {"legs": 4}).json()
    assert (changed["created_at"], changed["updated_at"]) == (made["created_at"], made["created_at"] + 3600)
    changed = workshop.call("PATCH", "/tools/saw", {"weight": 4}).json()["data"]
    assert (changed["createdAt"], changed["updatedAt"]) == (other["createdAt"], workshop.world.clock.timestamp())
    assert changed["updatedAt"] != other["updatedAt"]


def test_read_moves_no_time(workshop: Client) -> None:
    made = robot(workshop)
    workshop.world.clock.move(timedelta(hours=1))
    assert workshop.get(f"/robots/{made['id']}").json() == made


# Ids.


def test_id_has_the_prefix_and_length_of_the_example(workshop: Client) -> None:
    """The example is that of reading a robot: creating one shows none."""
    assert re.fullmatch("rob_[A-Za-z0-9]{16}", robot(workshop)["id"])


def test_id_follows_the_example_of_its_schema(workshop: Client) -> None:
    assert re.fullmatch("note-[A-Za-z0-9]{10}", created(workshop.post("/events", {}))["id"])


@pytest.mark.parametrize("make", [tool, lambda client: line(client, order(client)["id"])], ids=["beside-the-key", "key"])
def test_id_of_format_uuid_is_one(workshop: Client, make: Any) -> None:
    assert str(uuid.UUID(make(workshop)["id"])) != "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"


@pytest.mark.parametrize("make", [robot, order], ids=["text", "number"])
def test_id_is_given_out_once(workshop: Client, make: Any) -> None:
    assert len({make(workshop)["id"] for _ in range(30)}) == 30


def test_id_beside_the_key_is_given_out_once(workshop: Client) -> None:
    assert len({tool(workshop, f"saw {number}")["id"] for number in range(10)}) == 10


def test_whole_numbers_as_keys_count_up(workshop: Client) -> None:
    assert [order(workshop)["id"] for _ in range(3)] == [1, 2, 3]


def test_whole_numbers_as_keys_are_not_reused(workshop: Client) -> None:
    order(workshop)
    workshop.delete("/orders/1")
    assert order(workshop)["id"] == 2


def test_whole_numbers_as_keys_go_on_after_a_refusal(workshop: Client) -> None:
    """A refused call uses nothing up."""
    order(workshop)
    workshop.post("/orders", {"what": 5})
    assert order(workshop)["id"] == 2


# Conflicts.


def test_key_that_is_taken_is_409(workshop: Client) -> None:
    tool(workshop)
    reply = workshop.post("/tools", {"name": "saw", "kind": "power"})
    assert (reply.status_code, reply.headers["x-mock-problem"]) == (409, "conflict")
    assert "saw" in reply.json()["detail"]
    assert workshop.get("/tools/saw").json()["data"]["kind"] == "hand"


def test_key_of_a_deleted_record_is_free(workshop: Client) -> None:
    tool(workshop)
    workshop.delete("/tools/saw")
    assert tool(workshop, kind="power")["kind"] == "power"


def test_key_that_is_taken_is_400_where_the_document_has_no_409() -> None:
    """Without a server, which documents a 409 for documents that are silent."""
    document = normalise(yaml.safe_load(WORKSHOP))
    contract = Contract(document)
    stubs = ResourceStubs(document, contract.operations)
    (create,) = (each for each in contract.operations if str(each) == "POST /tools")
    _, stub = stubs.stub(create)
    world = World("w", 1, {"tools": LAYOUT})
    body, headers = values.dump({"name": "saw", "kind": "hand"}), {b"content-type": b"application/json"}
    stub(contract.requests[create].read({}, b"", headers, body), world)
    with pytest.raises(Problem) as caught:
        stub(contract.requests[create].read({}, b"", headers, body), world)
    assert caught.value.kind is INVALID_REQUEST


def test_what_is_put_below_a_record_under_its_own_id_may_be_put_there_again(workshop: Client) -> None:
    """As a file into a vector store: the id is the file's, and putting it there a second time is no error."""
    order = workshop.post("/orders", {}).json()
    path, body = f"/orders/{order['id']}/crates", {"crate_id": "crate-Atlas01"}
    first, second = workshop.post(path, body), workshop.post(path, body)
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json()["id"] == "crate-Atlas01"
    assert [row["id"] for row in workshop.get(path).json()] == ["crate-Atlas01"]


# Reading.


@pytest.mark.parametrize("fields", [{}, {"colour": "red", "mood": "fine", "legs": 3}], ids=["least", "most"])
def test_read_shows_what_create_showed(workshop: Client, fields: Record) -> None:
    made = robot(workshop, **fields)
    for _ in range(2):
        assert workshop.get(f"/robots/{made['id']}").json() == made


def test_read_in_a_wrapper_shows_what_create_showed(workshop: Client) -> None:
    made = tool(workshop, weight=250)
    assert workshop.get("/tools/saw").json() == {"success": True, "data": made}


def test_read_finds_a_name_that_is_escaped_in_the_path(workshop: Client) -> None:
    made = tool(workshop, "cross/cut saw é")
    assert workshop.get("/tools/cross%2Fcut%20saw%20%C3%A9").json()["data"] == made


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/robots/none"),
        ("POST", "/robots/none"),
        ("DELETE", "/robots/none"),
        ("POST", "/robots/none/dance"),
        ("GET", "/robots/none/manual"),
        ("GET", "/tools/none"),
        ("PUT", "/tools/none"),
        ("PATCH", "/tools/none"),
        ("DELETE", "/tools/none"),
        ("GET", "/orders/7"),
        ("PUT", "/orders/7"),
        ("DELETE", "/orders/7"),
        ("GET", "/orders/7/lines"),
        ("POST", "/orders/7/lines"),
    ],
)
def test_unknown_id_is_404(workshop: Client, method: str, path: str) -> None:
    sent: JSON = {"name": "none", "kind": "none"} if method == "PUT" and "tools" in path else {}
    assert missing(workshop.call(method, path, ... if method in ("GET", "DELETE") else sent))


def test_unknown_id_is_named_in_the_refusal(workshop: Client) -> None:
    assert workshop.get("/tools/hammer").json()["detail"] == "/tools holds no hammer"


# Listing.


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [6, 5, 4]),
        ("?page=1", [6, 5, 4]),
        ("?page=2", [3, 2, 1]),
        ("?page=3", [0]),
        ("?page=4", []),
        ("?per_page=5", [6, 5, 4, 3, 2]),
        ("?per_page=5&page=2", [1, 0]),
    ],
)
def test_pages_by_number(workshop: Client, query: str, numbers: list[int]) -> None:
    for number in range(7):
        tool(workshop, str(number))
    body = workshop.get(f"/tools{query}").json()
    assert [row["name"] for row in body["results"]] == [str(number) for number in numbers]
    assert (body["success"], body["total"]) == (True, 7)


@pytest.mark.parametrize(("query", "told"), [("", (1, 3)), ("?page=2&per_page=1", (2, 1))])
def test_envelope_tells_which_page_it_is(workshop: Client, query: str, told: tuple[int, int]) -> None:
    tool(workshop)
    body = workshop.get(f"/tools{query}").json()
    assert (body["page"], body["per_page"]) == told


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("?limit=2", [5, 4]),
        ("?limit=2&offset=2", [3, 2]),
        ("?offset=3", [2, 1]),
        ("?offset=5", []),
        ("?limit=100&offset=4", [1]),
    ],
)
def test_bare_array_is_paged_by_offset(workshop: Client, query: str, numbers: list[int]) -> None:
    for _ in range(5):
        order(workshop)
    assert [row["id"] for row in workshop.get(f"/orders{query}").json()] == numbers


def test_empty_lists(workshop: Client) -> None:
    assert workshop.get("/orders").json() == []
    assert workshop.get("/robots").json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@pytest.mark.parametrize(("limit", "more"), [(1, True), (2, True), (3, False), (50, False)])
def test_envelope_tells_first_last_and_whether_there_is_more(workshop: Client, limit: int, more: bool) -> None:
    ids = [robot(workshop)["id"] for _ in range(3)][::-1]
    body = workshop.get(f"/robots?limit={limit}").json()
    assert [row["id"] for row in body["data"]] == ids[:limit]
    assert (body["first_id"], body["last_id"], body["has_more"]) == (ids[0], ids[:limit][-1], more)
    assert body["object"] == "list"


def test_cursor_after_an_id_goes_on_behind_it(workshop: Client) -> None:
    ids = [robot(workshop)["id"] for _ in range(5)][::-1]
    body = workshop.get(f"/robots?limit=2&after={ids[1]}").json()
    assert [row["id"] for row in body["data"]] == ids[2:4]
    assert (body["first_id"], body["last_id"], body["has_more"]) == (ids[2], ids[3], True)


def test_cursor_after_the_last_id_finds_nothing(workshop: Client) -> None:
    ids = [robot(workshop)["id"] for _ in range(2)][::-1]
    body = workshop.get(f"/robots?after={ids[-1]}").json()
    assert (body["data"], body["has_more"]) == ([], False)


def test_cursor_before_an_id_ends_in_front_of_it(workshop: Client) -> None:
    ids = [robot(workshop)["id"] for _ in range(5)][::-1]
    body = workshop.get(f"/robots?limit=2&before={ids[3]}").json()
    assert [row["id"] for row in body["data"]] == ids[1:3]


def test_cursor_keeps_the_filter(workshop: Client) -> None:
    ids = [robot(workshop, colour=colour)["id"] for colour in ("red", "blue", "red", "blue")][::-1]
    body = workshop.get(f"/robots?colour=red&after={ids[1]}").json()
    assert [row["id"] for row in body["data"]] == [ids[3]]


@pytest.mark.parametrize("query", ["limit=2", "limit=2&order=asc", "limit=2&colour=red", "limit=2&colour=red&order=asc"])
def test_cursor_on_a_deleted_row_leads_on_from_where_it_was(workshop: Client, query: str) -> None:
    ids = [robot(workshop, colour="red")["id"] for _ in range(5)]
    ids = ids if "asc" in query else ids[::-1]
    assert workshop.delete(f"/robots/{ids[1]}").status_code == 200
    assert [row["id"] for row in workshop.get(f"/robots?{query}&after={ids[1]}").json()["data"]] == ids[2:4]
    assert [row["id"] for row in workshop.get(f"/robots?{query}&before={ids[1]}").json()["data"]] == ids[:1]


def test_cursor_on_a_row_that_fits_no_more_leads_on(workshop: Client) -> None:
    ids = [robot(workshop, colour="red")["id"] for _ in range(3)][::-1]
    assert workshop.post(f"/robots/{ids[0]}", {"colour": "blue"}).status_code == 200
    assert [row["id"] for row in workshop.get(f"/robots?colour=red&after={ids[0]}").json()["data"]] == ids[1:]


def test_paging_backward_tells_whether_there_is_more_in_front(workshop: Client) -> None:
    ids = [robot(workshop)["id"] for _ in range(4)][::-1]
    assert workshop.get(f"/robots?limit=2&before={ids[3]}").json()["has_more"] is True
    assert workshop.get(f"/robots?limit=2&before={ids[2]}").json()["has_more"] is False


def test_order_ascending_turns_the_list_round(workshop: Client) -> None:
    ids = [robot(workshop)["id"] for _ in range(3)]
    body = workshop.get("/robots?order=asc&limit=2").json()
    assert [row["id"] for row in body["data"]] == ids[:2]


def test_cursor_that_the_envelope_hands_on_leads_through_all_rows(workshop: Client) -> None:
    ids = [created(workshop.post("/events", {}))["id"] for _ in range(5)][::-1]
    found: list[str] = []
    query = ""
    for _ in range(5):
        body = workshop.get(f"/events{query}").json()
        found += [row["id"] for row in body["items"]]
        if body["next_cursor"] is None:
            break
        query = f"?cursor={body['next_cursor']}"
    assert found == ids
    assert body["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=hand", ["file", "saw"]),
        ("kind=power", ["drill"]),
        ("kind=other", []),
        ("sharp=false", ["drill"]),
        ("weight=300", ["saw"]),
        ("kind=hand&sharp=true", ["file", "saw"]),
        ("kind=hand&per_page=1&page=2", ["saw"]),
    ],
)
def test_lists_are_filtered_by_fields_of_the_rows(workshop: Client, query: str, found: list[str]) -> None:
    tool(workshop, "saw", weight=300)
    tool(workshop, "drill", "power", sharp=False)
    tool(workshop, "file")
    body = workshop.get(f"/tools?{query}").json()
    assert [row["name"] for row in body["results"]] == found


def test_total_is_that_of_the_filter(workshop: Client) -> None:
    for name in ("saw", "file", "plane"):
        tool(workshop, name)
    tool(workshop, "drill", "power")
    assert workshop.get("/tools?kind=hand&per_page=1").json()["total"] == 3


def test_rows_are_as_their_records_are_read(workshop: Client) -> None:
    made = [robot(workshop, "R2", legs=3), robot(workshop, "C3PO")]
    assert workshop.get("/robots").json()["data"] == made[::-1]


# Changing.


def test_merge_keeps_what_it_does_not_say(workshop: Client) -> None:
    made = robot(workshop, legs=2, mood="fine")
    body = workshop.post(f"/robots/{made['id']}", {"legs": 3}).json()
    assert body == {**made, "legs": 3}
    assert workshop.get(f"/robots/{made['id']}").json() == body


def test_merge_with_null_clears(workshop: Client) -> None:
    made = robot(workshop, mood="fine")
    assert workshop.post(f"/robots/{made['id']}", {"mood": None}).json()["mood"] is None


def test_merge_cannot_change_the_key(workshop: Client) -> None:
    made = robot(workshop)
    assert workshop.post(f"/robots/{made['id']}", {"id": "rob_other"}).json()["id"] == made["id"]
    assert missing(workshop.get("/robots/rob_other"))


def test_put_that_requires_nothing_merges(workshop: Client) -> None:
    made = order(workshop, what="a lamp")
    assert workshop.put(f"/orders/{made['id']}", {}).json() == made


def test_put_replaces_what_the_request_could_say(workshop: Client) -> None:
    made = tool(workshop, weight=250, note="old", sharp=False)
    body = workshop.put("/tools/saw", {"name": "saw", "kind": "power"}).json()["data"]
    assert (body["kind"], body["id"], body["maker"], body["createdAt"]) == (
        "power",
        made["id"],
        made["maker"],
        made["createdAt"],
    )
    assert not {"weight", "note"} & set(body)


def test_put_that_replaces_fills_defaults(workshop: Client) -> None:
    """As for a new record: what a default means does not depend on the method."""
    tool(workshop, sharp=False)
    assert workshop.put("/tools/saw", {"name": "saw", "kind": "hand"}).json()["data"]["sharp"] is True


def test_put_is_read_as_answered(workshop: Client) -> None:
    tool(workshop, weight=250)
    body = workshop.put("/tools/saw", {"name": "saw", "kind": "power"}).json()
    assert workshop.get("/tools/saw").json() == body


def test_put_that_breaks_the_contract_changes_nothing(workshop: Client) -> None:
    made = tool(workshop)
    assert workshop.put("/tools/saw", {"kind": "power"}).status_code == 400
    assert workshop.get("/tools/saw").json()["data"] == made


def test_act_answers_with_the_record(workshop: Client) -> None:
    made = robot(workshop, legs=2)
    assert workshop.post(f"/robots/{made['id']}/dance").json() == made


def test_view_of_a_record_that_is_there_is_answered(workshop: Client) -> None:
    made = robot(workshop)
    reply = workshop.get(f"/robots/{made['id']}/manual")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain")


# Deleting.


def test_delete_answers_a_tombstone(workshop: Client) -> None:
    made = robot(workshop)
    reply = workshop.delete(f"/robots/{made['id']}")
    assert reply.json() == {"id": made["id"], "object": "robot.deleted", "deleted": True}


def test_delete_answers_nothing_where_the_document_has_nothing(workshop: Client) -> None:
    tool(workshop)
    reply = workshop.delete("/tools/saw")
    assert (reply.status_code, reply.content) == (204, b"")


def test_delete_answers_the_record_where_the_document_has_it(workshop: Client) -> None:
    made = order(workshop, what="a lamp")
    assert workshop.delete(f"/orders/{made['id']}").json() == made


def test_deleted_record_is_gone_everywhere(workshop: Client) -> None:
    made = robot(workshop)
    workshop.delete(f"/robots/{made['id']}")
    assert missing(workshop.get(f"/robots/{made['id']}"))
    assert missing(workshop.delete(f"/robots/{made['id']}"))
    assert missing(workshop.post(f"/robots/{made['id']}/dance"))
    assert workshop.get("/robots").json()["data"] == []


# Parents.


def test_nested_record_knows_its_parent(workshop: Client) -> None:
    parent = order(workshop)
    made = line(workshop, parent["id"], what="a bulb")
    assert (made["order_id"], made["what"]) == (parent["id"], "a bulb")
    assert workshop.get(f"/orders/{parent['id']}/lines/{made['id']}").json() == made


def test_nested_lists_are_those_of_their_parent(workshop: Client) -> None:
    one, other = order(workshop), order(workshop)
    made = line(workshop, one["id"])
    line(workshop, other["id"])
    assert workshop.get(f"/orders/{one['id']}/lines").json() == [made]


def test_nested_record_is_not_found_below_another_parent(workshop: Client) -> None:
    one, other = order(workshop), order(workshop)
    made = line(workshop, one["id"])
    assert missing(workshop.get(f"/orders/{other['id']}/lines/{made['id']}"))


@pytest.mark.parametrize("path", ["/lines", "/lines/{line}", "/lines/{line}/notes", "/lines/{line}/notes/{note}"])
def test_records_below_a_deleted_parent_are_404(workshop: Client, path: str) -> None:
    parent = order(workshop)
    below = line(workshop, parent["id"])
    note = created(workshop.post(f"/orders/{parent['id']}/lines/{below['id']}/notes", {}))
    path = f"/orders/{parent['id']}{path}".format(line=below["id"], note=note["id"])
    assert workshop.get(path).status_code == 200
    workshop.delete(f"/orders/{parent['id']}")
    assert missing(workshop.get(path))


def test_records_of_a_deleted_parent_do_not_return_with_its_key(workshop: Client) -> None:
    """A new record with the old key is another record."""
    parent = order(workshop)
    below = line(workshop, parent["id"])
    workshop.delete(f"/orders/{parent['id']}/lines/{below['id']}")
    assert workshop.get(f"/orders/{parent['id']}/lines").json() == []


@pytest.mark.parametrize("path", ["/orders/1/lines/{line}/notes", "/orders/2/lines/{line}/notes"])
def test_records_below_the_wrong_line_are_404(workshop: Client, path: str) -> None:
    order(workshop)
    order(workshop)
    made = line(workshop, 1)
    expected = 201 if "/1/" in path else 404
    assert workshop.post(path.format(line=made["id"]), {}).status_code == expected


# Worlds.


def test_worlds_do_not_share_records(workshop: Client) -> None:
    made = robot(workshop)
    other = f"{workshop.world_name}-other"
    reply = workshop.get(f"/worlds/{other}/robots/{made['id']}")
    listed = workshop.get(f"/worlds/{other}/robots").json()["data"]
    workshop.app.worlds.delete(other)
    assert missing(reply)
    assert listed == []


def test_worlds_count_each_for_itself(workshop: Client) -> None:
    other = f"{workshop.world_name}-other"
    order(workshop)
    made = created(workshop.post(f"/worlds/{other}/orders", {}))
    workshop.app.worlds.delete(other)
    assert made["id"] == 1


def test_snapshot_brings_records_and_counters_back(workshop: Client) -> None:
    order(workshop, what="a lamp")
    snapshot = workshop.world.snapshot()
    order(workshop)
    workshop.delete("/orders/1")
    workshop.world.restore(snapshot)
    assert [row["what"] for row in workshop.get("/orders").json()] == ["a lamp"]
    assert order(workshop)["id"] == 2


def test_refused_create_leaves_nothing(workshop: Client) -> None:
    drawn = workshop.world.ids.drawn
    tool(workshop)
    after_one = workshop.world.ids.drawn
    workshop.post("/tools", {"name": "saw", "kind": "hand"})
    workshop.post("/tools", {"name": "", "kind": "hand"})
    assert workshop.world.ids.drawn == after_one > drawn
    assert len(workshop.world["tools"]) == 1
