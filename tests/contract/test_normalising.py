"""Documents rewritten so that all their readers mean the same."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from mockserver.contract.contract import Contract
from mockserver.contract.normalising import add_error_responses, base_path, normalise
from mockserver.contract.replies import Reply
from mockserver.contract.requests import ContractBroken
from mockserver.values import JSON, Record, dump

JSON_TYPE = {b"content-type": b"application/json"}
FINE: Record = {"200": {"description": "Fine."}}


def document(paths: Record, schemas: Record | None = None, **more: JSON) -> Record:
    made: Record = {
        "openapi": "3.0.3",
        "info": {"title": "Tested", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas or {}},
        **more,
    }
    return normalise(deepcopy(made))


def posting(schema: Record) -> Record:
    content = {"application/json": {"schema": schema}}
    return {
        "/a": {"post": {"requestBody": {"content": content}, "responses": {"200": {"description": "", "content": content}}}}
    }


def takes(schema: Record, value: JSON, schemas: Record | None = None) -> bool:
    """Whether a request body of this schema may be this value; the gate and openapi-core must say the same."""
    contract = Contract(document(posting(schema), schemas))
    plan = contract.requests[contract.operations[0]]
    try:
        plan.read({}, b"", JSON_TYPE, dump(value))
    except ContractBroken as caught:
        broken = caught
    else:
        return True
    decoded, decoder = plan.decoder.decode({}, b"", JSON_TYPE, dump(value))
    explainer = contract.explainer()
    assert explainer is not None
    assert broken.violations()
    assert explainer.request(plan, decoded, decoder)
    return False


def gives(schema: Record, value: JSON, schemas: Record | None = None) -> bool:
    """Whether a reply body of this schema may be this value."""
    contract = Contract(document(posting(schema), schemas))
    return contract.replies[contract.operations[0]].keeps(Reply(200, value))


def named(parameters: Any) -> list[tuple[str, str, Any]]:
    return [(each["name"], each["in"], each.get("schema", {}).get("type")) for each in parameters]


def parameter(name: str, where: str, kind: str) -> Record:
    return {"name": name, "in": where, "schema": {"type": kind}}


def test_path_level_parameters_go_to_every_operation() -> None:
    item = {
        "parameters": [parameter("q", "query", "string")],
        "get": {"responses": dict(FINE)},
        "post": {"parameters": [parameter("z", "query", "string")], "responses": dict(FINE)},
    }
    made = document({"/a": item})["paths"]["/a"]
    assert "parameters" not in made
    assert named(made["get"]["parameters"]) == [("q", "query", "string")]
    assert named(made["post"]["parameters"]) == [("z", "query", "string"), ("q", "query", "string")]


def test_operation_parameter_wins_over_the_paths() -> None:
    item = {
        "parameters": [parameter("q", "query", "string"), parameter("q", "header", "string")],
        "get": {"parameters": [parameter("q", "query", "integer")], "responses": dict(FINE)},
    }
    made = document({"/a": item})["paths"]["/a"]["get"]["parameters"]
    assert named(made) == [("q", "query", "integer"), ("q", "header", "string")]


def test_operation_parameter_wins_over_the_paths_behind_references() -> None:
    """A parameter is known by name and place (OpenAPI 3.0.3, Path Item Object), wherever it is written."""
    item = {
        "parameters": [{"$ref": "#/components/parameters/Q"}],
        "get": {"parameters": [parameter("q", "query", "integer")], "responses": dict(FINE)},
    }
    made = normalise(
        {
            "openapi": "3.0.3",
            "info": {"title": "Tested", "version": "1"},
            "paths": {"/a": item},
            "components": {"parameters": {"Q": parameter("q", "query", "boolean")}},
        }
    )
    contract = Contract(made)
    plan = contract.requests[contract.operations[0]]
    assert plan.read({}, b"q=5", {}, b"").query == {"q": 5}


@pytest.mark.parametrize(
    ("schema", "null", "other"),
    [
        ({"type": "string", "nullable": True}, True, "text"),
        ({"type": "string"}, False, "text"),
        ({"type": "string", "nullable": False}, False, "text"),
        ({"type": "string", "nullable": True, "enum": ["a"]}, True, "a"),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, True, "a"),
        ({"$ref": "#/components/schemas/Word", "nullable": True}, True, "word"),
        ({"$ref": "#/components/schemas/Word"}, False, "word"),
        ({"nullable": True, "allOf": [{"$ref": "#/components/schemas/Word"}]}, True, "word"),
        ({"nullable": True, "anyOf": [{"type": "integer"}, {"type": "boolean"}]}, True, 5),
        ({"nullable": True, "oneOf": [{"type": "integer"}, {"type": "boolean"}]}, True, True),
        ({"nullable": True, "minLength": 2}, True, "ab"),
        ({"nullable": True}, True, [1]),
        ({}, True, {"a": 1}),
        ({"type": "array", "items": {"type": "string", "nullable": True}}, False, [None, "a"]),
        ({"type": "object", "nullable": True, "properties": {"a": {"type": "integer"}}}, True, {"a": 1}),
        ({"anyOf": [{"type": "integer"}, {"type": "string", "nullable": True}]}, True, 5),
    ],
    ids=lambda part: dump(part).decode()[:60],
)
def test_nullable_says_whether_null_may_be(schema: Record, null: bool, other: JSON) -> None:
    schemas = {"Word": {"type": "string"}}
    assert takes(schema, None, schemas) is null
    assert takes(schema, other, schemas)


def test_nullable_beside_a_reference_leaves_the_target_alone() -> None:
    schemas = {"Word": {"type": "string"}}
    both = {
        "type": "object",
        "properties": {
            "may": {"$ref": "#/components/schemas/Word", "nullable": True},
            "must": {"$ref": "#/components/schemas/Word"},
        },
    }
    assert takes(both, {"may": None, "must": "a"}, schemas)
    assert not takes(both, {"may": None, "must": None}, schemas)


def test_nullable_still_holds_the_other_values_to_the_rest() -> None:
    assert not takes({"nullable": True, "minLength": 2}, "a")
    assert not takes({"nullable": True, "enum": ["a"]}, "b")


@pytest.mark.parametrize(
    ("schema", "value", "taken"),
    [
        ({"format": "int32"}, 2**31 - 1, True),
        ({"format": "int32"}, 2**31, False),
        ({"format": "int32"}, -(2**31), True),
        ({"format": "int32"}, -(2**31) - 1, False),
        ({"format": "int64"}, 2**63 - 1, True),
        ({"format": "int64"}, 2**63, False),
        ({"format": "int64"}, -(2**63) - 1, False),
        ({"format": "int32", "minimum": 5}, 4, False),
        ({"format": "int32", "maximum": 5}, 6, False),
        ({"format": "int32", "maximum": 2**40}, 2**31, False),
        ({"format": "int32", "minimum": 5, "exclusiveMinimum": True}, 5, False),
        ({"format": "int32", "nullable": True}, None, True),
        ({}, 2**80, True),
    ],
    ids=str,
)
def test_integer_formats_are_bounds(schema: Record, value: JSON, taken: bool) -> None:
    assert takes({"type": "integer", **schema}, value) is taken


READ_ONLY: Record = {
    "Id": {"type": "string", "readOnly": True},
    "Alias": {"$ref": "#/components/schemas/Id"},
    "Secret": {"type": "string", "writeOnly": True},
}


def record(field: Record) -> Record:
    return {"type": "object", "required": ["f"], "properties": {"f": field}}


@pytest.mark.parametrize(
    "field",
    [
        {"type": "string", "readOnly": True},
        {"$ref": "#/components/schemas/Id"},
        {"$ref": "#/components/schemas/Id", "nullable": True},
        {"$ref": "#/components/schemas/Alias"},
    ],
    ids=["own", "reference", "nullable-reference", "two-references"],
)
def test_read_only_field_is_for_replies_alone(field: Record) -> None:
    """Required, read-only: it must be in a reply and must not be sent (OpenAPI 3.0.3, Schema Object, `readOnly`)."""
    assert takes(record(field), {}, READ_ONLY)
    assert not takes(record(field), {"f": "x"}, READ_ONLY)
    assert gives(record(field), {"f": "x"}, READ_ONLY)
    assert not gives(record(field), {}, READ_ONLY)


@pytest.mark.parametrize(
    "field", [{"type": "string", "writeOnly": True}, {"$ref": "#/components/schemas/Secret"}], ids=["own", "reference"]
)
def test_write_only_field_is_for_requests_alone(field: Record) -> None:
    assert takes(record(field), {"f": "x"}, READ_ONLY)
    assert not takes(record(field), {}, READ_ONLY)
    assert gives(record(field), {}, READ_ONLY)
    assert not gives(record(field), {"f": "x"}, READ_ONLY)


PETS: Record = {
    "Cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
    "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "lives": {"type": "boolean"}}},
}
BRANCHES: list[JSON] = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]
MAPPING = {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog", "hound": "#/components/schemas/Dog"}


@pytest.mark.parametrize("word", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ({"kind": "cat", "lives": 9}, True),
        ({"kind": "dog", "lives": True}, True),
        ({"kind": "hound", "lives": True}, True),
        ({"kind": "cat"}, True),
        ({"kind": "cat", "lives": True}, False),
        ({"kind": "cow"}, False),
        ({"kind": 5}, False),
        ({"lives": 9}, False),
        ("cat", False),
    ],
    ids=str,
)
def test_discriminator_with_mapping_chooses_the_branch(word: str, value: JSON, taken: bool) -> None:
    schema = {word: list(BRANCHES), "discriminator": {"propertyName": "kind", "mapping": dict(MAPPING)}}
    assert takes(schema, value, PETS) is taken


@pytest.mark.parametrize("mapping", [{}, {"cat": "#/components/schemas/Cat"}, {"c": "Cat", "d": "Dog"}], ids=str)
@pytest.mark.parametrize(
    ("value", "taken"),
    [({"kind": "cat", "lives": 9}, True), ({"kind": "anything", "lives": True}, True), ({"kind": "cat", "lives": "x"}, False)],
    ids=str,
)
def test_discriminator_without_full_mapping_is_left_out(mapping: Record, value: JSON, taken: bool) -> None:
    """The branches alone decide then: readers differ on what the name of a schema is."""
    schema = {"oneOf": list(BRANCHES), "discriminator": {"propertyName": "kind", "mapping": mapping}}
    assert takes(schema, value, PETS) is taken


def test_discriminator_of_inline_branches_is_left_out() -> None:
    branches = [{"type": "object", "required": [name], "properties": {name: {"type": "string"}}} for name in ("a", "b")]
    schema: Record = {"oneOf": branches, "discriminator": {"propertyName": "kind"}}
    assert takes(schema, {"a": "x"})
    assert not takes(schema, {"a": "x", "b": "y"})


@pytest.mark.parametrize(
    ("servers", "path"),
    [
        ([{"url": "/v1"}], "/v1"),
        ([{"url": "/v1/"}], "/v1"),
        ([{"url": "https://api.example.com/v2"}], "/v2"),
        ([{"url": "https://api.example.com"}], ""),
        (
            [
                {
                    "url": "https://{region}.example.com/{base}",
                    "variables": {"region": {"default": "eu"}, "base": {"default": "v3"}},
                }
            ],
            "/v3",
        ),
        ([{"url": "/"}], ""),
        ([{"url": "/first"}, {"url": "/second"}], "/first"),
        ([], ""),
        (None, ""),
    ],
)
def test_base_path_is_that_of_the_first_server(servers: JSON, path: str) -> None:
    assert base_path({"servers": servers}) == path
    made = document({}, servers=servers)
    assert made["servers"] == [{"url": path or "/"}]


def test_servers_below_the_document_are_dropped() -> None:
    """Routing is by path; openapi-core reads the inner levels the other way round than the standard."""
    other = [{"url": "https://elsewhere.example.com/x"}]
    made = document({"/a": {"servers": other, "get": {"servers": other, "responses": dict(FINE)}}}, servers=[{"url": "/v1"}])
    assert "servers" not in made["paths"]["/a"]
    assert "servers" not in made["paths"]["/a"]["get"]


def test_reference_siblings_are_ignored() -> None:
    """OpenAPI 3.0.3, Reference Object: what stands beside `$ref` is ignored."""
    assert takes({"$ref": "#/components/schemas/Word", "maxLength": 1}, "long", {"Word": {"type": "string"}})


def test_security_schemes_are_written_small() -> None:
    made = document({})
    made["components"]["securitySchemes"] = {"b": {"type": "http", "scheme": "Bearer"}}
    assert normalise(made)["components"]["securitySchemes"]["b"]["scheme"] == "bearer"


def test_normalising_twice_changes_nothing() -> None:
    schema = {
        "type": "object",
        "nullable": True,
        "properties": {"a": {"nullable": True, "enum": ["x"]}, "b": {"$ref": "#/components/schemas/Id"}},
    }
    made = document(posting(schema), {"Id": {"type": "integer", "format": "int32", "readOnly": True}}, servers=[{"url": "/v1"}])
    once = dump(made)
    assert dump(normalise(made)) == once


def test_error_responses_fill_gaps_only() -> None:
    item = {
        "get": {"responses": {"200": {"description": ""}, "404": {"description": "own"}}},
        "put": {"responses": {"200": {"description": ""}, "4XX": {"description": "range"}}},
        "post": {"responses": {"default": {"description": "all"}}},
    }
    made = add_error_responses(document({"/a": item}), ("400", "404"), {"description": "added"})["paths"]["/a"]
    assert {status: each["description"] for status, each in made["get"]["responses"].items()} == {
        "200": "",
        "404": "own",
        "400": "added",
    }
    assert list(made["put"]["responses"]) == ["200", "4XX"]
    assert list(made["post"]["responses"]) == ["default"]


def test_error_responses_do_not_make_up_for_a_missing_success() -> None:
    """An operation that describes no response is a fault; refusals that are added must not hide it."""
    made = add_error_responses(document({"/a": {"get": {"responses": {}}}}), ("400",), {"description": "added"})
    assert Contract(made).operations == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string", "required": True}}},
        {"type": "object", "discriminator": "kind"},
        {"type": "integer", "format": "int32", "minimum": "5"},
        {"type": "object", "properties": ["a"]},
        {"type": "object", "required": "a"},
        {"enum": "a"},
        {"allOf": {"type": "object"}},
        {"type": "strnig"},
        {"pattern": "("},
    ],
    ids=lambda schema: dump(schema).decode(),
)
def test_schema_that_is_none_does_not_cost_the_document(schema: Record) -> None:
    """Documents in the wild hold such; a fault costs the operations that need it, never the document."""
    paths = posting({"$ref": "#/components/schemas/Odd"}) | {"/b": {"get": {"responses": dict(FINE)}}}
    contract = Contract(document(paths, {"Odd": schema}))
    assert "GET /b" in [str(operation) for operation in contract.operations]


@pytest.mark.parametrize("parameters", [["x"], [None], {"a": 1}, [{"in": "query"}]], ids=str)
def test_parameters_that_are_none_do_not_cost_the_document(parameters: JSON) -> None:
    paths = {
        "/a": {"parameters": parameters, "get": {"responses": dict(FINE)}},
        "/b": {"get": {"responses": dict(FINE)}},
    }
    contract = Contract(document(paths))
    assert [str(operation) for operation in contract.operations] == ["GET /b"]
    assert len(contract.faults) == 1
