"""Records that nobody created: refused, unless the server is told to answer samples for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import App, Settings
from mockserver.contract.gate import Gate
from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.stubs.inference import Role, infer, success
from mockserver.stubs.sampling import Sampler, Source
from mockserver.values import JSON, Record, dump
from mockserver.world.clock import Clock
from mockserver.world.ids import Ids
from tests.conftest import Client

PETS = """\
openapi: 3.0.3
info: {title: Pets, version: 1.0.0}
servers: [{url: /}]
paths:
  /pets:
    get:
      responses:
        '200':
          description: Pets.
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewPet'}}}}
      responses: {'201': {description: A pet., content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  /pets/{pet_id}:
    parameters: [{name: pet_id, in: path, required: true, schema: {type: string}}]
    get: {responses: {'200': {$ref: '#/components/responses/Pet'}}}
    patch:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewPet'}}}}
      responses: {'200': {$ref: '#/components/responses/Pet'}}
    delete:
      responses:
        '200':
          description: It is gone.
          content:
            application/json:
              schema: {type: object, required: [id, deleted], properties: {id: {type: string}, deleted: {type: boolean}}}
  /pets/{pet_id}/feed:
    post:
      parameters: [{name: pet_id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {$ref: '#/components/responses/Pet'}}
  /pets/{pet_id}/photo:
    get:
      parameters: [{name: pet_id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: A photo., content: {image/png: {schema: {type: string, format: binary}}}}}
  /pets/{pet_id}/toys:
    parameters: [{name: pet_id, in: path, required: true, schema: {type: string}}]
    get:
      responses:
        '200':
          description: Toys.
          content:
            application/json:
              schema:
                type: object
                required: [data]
                properties: {data: {type: array, items: {$ref: '#/components/schemas/Toy'}}}
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {colour: {type: string}}}}}}
      responses: {'201': {description: A toy., content: {application/json: {schema: {$ref: '#/components/schemas/Toy'}}}}}
  /pets/{pet_id}/toys/{toy_id}:
    parameters:
      - {name: pet_id, in: path, required: true, schema: {type: string}}
      - {name: toy_id, in: path, required: true, schema: {type: integer}}
    get: {responses: {'200': {description: A toy., content: {application/json: {schema: {$ref: '#/components/schemas/Toy'}}}}}}
    delete: {responses: {'204': {description: It is gone.}}}
  /tags/{tag}:
    parameters: [{name: tag, in: path, required: true, schema: {type: string}}]
    get:
      responses:
        '200':
          description: A tag, whose name has a form that the path does not ask for.
          content:
            application/json:
              schema: {type: object, required: [tag], properties: {tag: {type: string, pattern: '^[a-z]+$'}}}
components:
  responses:
    Pet:
      description: A pet.
      content:
        application/json:
          schema:
            type: object
            required: [success, data]
            properties: {success: {type: boolean}, data: {$ref: '#/components/schemas/Pet'}}
          example: {success: true, data: {id: pet_Example01, name: Rex, fed_at: 5}}
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties: {id: {type: string}, name: {type: string}, fed_at: {type: integer}}
    NewPet: {type: object, properties: {name: {type: string}}}
    Toy:
      type: object
      required: [id]
      properties: {id: {type: integer}, pet_id: {type: string}, colour: {type: string}}
"""


@pytest.fixture(scope="module")
def pets_document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pets") / "pets.yaml"
    path.write_text(PETS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def pets_app(pets_document: Path) -> App:
    return App(Settings(document=pets_document, sample_unknown=True))


@pytest.fixture
def pets(pets_app: App) -> Iterator[Client]:
    """The pets in a private world of a server that samples what is not there."""
    name = f"test-{uuid.uuid4().hex}"
    made = Client(pets_app, name, {"x-mock-world": name})
    made.world.clock.freeze()
    yield made
    pets_app.worlds.delete(name)


# Refused by default.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/pets/none"),
        ("PATCH", "/pets/none"),
        ("DELETE", "/pets/none"),
        ("GET", "/pets/none/toys/1"),
        ("GET", "/tags/a"),
    ],
)
def test_unknown_id_is_refused_by_default(pets_document: Path, method: str, path: str) -> None:
    client = Client(App(Settings(document=pets_document)), headers={})
    reply = client.call(method, path, {} if method == "PATCH" else ...)
    assert (reply.status_code, reply.headers["x-mock-problem"]) == (404, "not-found")


def test_unknown_id_of_the_shipped_document_is_refused_by_default(client: Client) -> None:
    reply = client.get("/v1/configs/pc-nobody")
    assert (reply.status_code, reply.json()["data"]["errorCode"]) == (403, "AB03")


# Answered by a sample.


def test_read_of_an_unknown_id_is_answered_with_it(pets: Client) -> None:
    reply = pets.get("/pets/pet_42")
    assert (reply.status_code, reply.json()) == (200, {"success": True, "data": {"id": "pet_42", "name": "Rex", "fed_at": 5}})


def test_change_of_an_unknown_id_is_answered_with_what_was_sent(pets: Client) -> None:
    body = pets.call("PATCH", "/pets/pet_42", {"name": "Tom"}).json()
    assert (body["data"]["id"], body["data"]["name"]) == ("pet_42", "Tom")


def test_act_on_an_unknown_id_is_answered_with_it(pets: Client) -> None:
    assert pets.post("/pets/pet_42/feed").json()["data"]["id"] == "pet_42"


def test_delete_of_an_unknown_id_says_deleted(pets: Client) -> None:
    """A client that was told `deleted: false` would think that it failed."""
    assert pets.delete("/pets/pet_42").json() == {"id": "pet_42", "deleted": True}


def test_delete_of_an_unknown_id_is_answered_without_a_body(pets: Client) -> None:
    reply = pets.delete("/pets/pet_42/toys/7")
    assert (reply.status_code, reply.content) == (204, b"")


def test_view_below_an_unknown_id_is_answered(pets: Client) -> None:
    reply = pets.get("/pets/pet_42/photo")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/png")


def test_record_below_an_unknown_parent_is_answered_with_its_own_id(pets: Client) -> None:
    assert pets.get("/pets/pet_42/toys/7").json()["id"] == 7


def test_record_below_an_unknown_parent_knows_the_parent(pets: Client) -> None:
    assert pets.get("/pets/pet_42/toys/7").json()["pet_id"] == "pet_42"


def test_create_below_an_unknown_parent_is_answered(pets: Client) -> None:
    reply = pets.post("/pets/pet_42/toys", {"colour": "red"})
    assert (reply.status_code, reply.json()["colour"]) == (201, "red")


def test_list_below_an_unknown_parent_is_answered(pets: Client) -> None:
    """As a mock without a memory would: with rows that the schema takes."""
    reply = pets.get("/pets/pet_42/toys")
    assert reply.status_code == 200
    assert all(isinstance(row["id"], int) for row in reply.json()["data"])


def test_id_that_the_schema_refuses_is_not_echoed(pets: Client) -> None:
    reply = pets.get("/tags/Not-small")
    assert reply.status_code == 200
    assert reply.json()["tag"].islower()


def test_id_that_the_schema_takes_is_echoed(pets: Client) -> None:
    assert pets.get("/tags/small").json() == {"tag": "small"}


@pytest.mark.parametrize("path", ["/pets/pet_42", "/pets/pet_42/toys/7"])
def test_same_call_is_answered_the_same(pets: Client, path: str) -> None:
    """Reads of one unknown id show one record: clients compare what they read."""
    assert pets.get(path).json() == pets.get(path).json()


# What stays as it is.


def test_known_records_are_still_remembered(pets: Client) -> None:
    made = pets.post("/pets", {"name": "Ada"}).json()
    assert pets.get(f"/pets/{made['id']}").json()["data"] == made


def test_deleted_record_is_answered_by_a_sample(pets: Client) -> None:
    made = pets.post("/pets", {"name": "Ada"}).json()
    pets.delete(f"/pets/{made['id']}")
    assert pets.get(f"/pets/{made['id']}").json()["data"]["name"] == "Rex"


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "/pets/pet_42", ...),
        ("PATCH", "/pets/pet_42", {"name": "Tom"}),
        ("POST", "/pets/pet_42/toys", {"colour": "red"}),
    ],
)
def test_sample_leaves_no_record(pets: Client, method: str, path: str, sent: JSON) -> None:
    pets.call(method, path, sent)
    assert pets.get("/pets").json() == []
    assert {name: len(each) for name, each in pets.world.collections.items() if len(each)} == {}


def test_invalid_request_is_still_refused(pets: Client) -> None:
    assert pets.call("PATCH", "/pets/pet_42", {"name": 5}).status_code == 400
    assert pets.get("/pets/pet_42/toys/seven").status_code == 400


def test_unknown_path_is_still_refused(pets: Client) -> None:
    assert pets.get("/owners/1").status_code == 404


# Over the shipped document.


@pytest.fixture(scope="module")
def sampling_app() -> App:
    return App(Settings(sample_unknown=True))


def roles(app: App) -> dict[Operation, Role]:
    return infer(app.contract.operations, app.document)


def values_of(operation: Operation, app: App) -> dict[str, str]:
    """A value for each path parameter, such as the schema takes and no record has."""
    sampler, gate = Sampler(app.document, "request"), Gate(app.document, "request")
    found = {}
    for parameter in operation.parameters:
        if parameter.location == "path":
            taken = gate.validator(parameter.schema).is_valid("nobody-0a1b2c")
            value = "nobody-0a1b2c" if taken else sampler.sample(parameter.schema, Source(Ids(99), Clock()))
            found[parameter.name] = str(value)
    return found


def test_every_read_of_an_unknown_id_is_answered_with_it(sampling_app: App) -> None:
    """Families with code of their own as well: what they miss is missed in one way."""
    client, failed, count = Client(sampling_app, "unknown-ids"), {}, 0
    for operation, role in roles(sampling_app).items():
        _, content = success(operation)
        if (
            role.kind != "read"
            or content is None
            or any(each.required and each.location == "query" for each in operation.parameters)
        ):
            continue
        count += 1
        given = values_of(operation, sampling_app)
        reply = client.get("/v1" + operation.path.format(**given))
        body: Any = reply.json()
        for name in role.inside:
            body = body.get(name, {})
        wanted = given[role.resource.parameter]
        plan = sampling_app.contract.replies[operation]
        if reply.status_code >= 400 or not plan.keeps(Reply(reply.status_code, reply.json())):
            failed[str(operation)] = f"{reply.status_code} {reply.text[:200]}"
        elif echoes(role, content.schema or {}, wanted, sampling_app.document) and str(body.get(role.resource.key)) != wanted:
            failed[str(operation)] = f"{wanted} was asked for: {dump(body)[:200]!r}"
    assert count > 25
    assert failed == {}


def echoes(role: Role, schema: Record, value: str, document: Record) -> bool:
    """Whether the schema of the reply takes a value as the key of the record."""
    sampler = Sampler(document, "reply")
    body = sampler.sample(schema, Source(Ids(1), Clock()))
    inner = body
    for name in role.inside:
        inner = inner[name]
    inner[role.resource.key] = value
    return sampler.accepts(schema, body)
