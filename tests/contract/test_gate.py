"""The gate: what compiled schemas let through, in each direction."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.gate import Direction, Gate
from mockserver.values import JSON, Record


def gate(direction: Direction = "request", **schemas: Any) -> Gate:
    return Gate({"components": {"schemas": schemas}}, direction)


def accepts(schema: Record, value: JSON, direction: Direction = "request", **schemas: Any) -> bool:
    return gate(direction, **schemas).validator(schema).is_valid(value)


FORMATS: dict[str, tuple[list[str], list[str]]] = {
    "uuid": (
        [
            "0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2",
            "0B6F2C51-6A1E-4F5E-9A53-1F0CB1F8A7D2",
            "00000000-0000-0000-0000-000000000000",
        ],
        [
            "",
            "none",
            "0b6f2c516a1e4f5e9a531f0cb1f8a7d2",
            "0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7dg",
            "{0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2}",
        ],
    ),
    "date-time": (
        ["2026-05-03T17:08:55Z", "2026-05-03T17:08:55.123456Z", "2026-05-03T17:08:55+02:00", "2026-05-03t17:08:55z"],
        [
            "",
            "2026-05-03",
            "2026-05-03T17:08:55",
            "2026-13-03T17:08:55Z",
            "2026-02-30T00:00:00Z",
            "2026-05-03T25:00:00Z",
            "now",
        ],
    ),
    "date": (["2026-05-03", "2024-02-29"], ["", "2026-5-3", "2026-02-29", "2026-05-03T00:00:00Z", "20260503"]),
    "time": (["17:08:55Z", "17:08:55.5+02:00"], ["", "17:08", "25:00:00Z"]),
    "email": (
        ["a@example.com", "a.b+c@sub.example.org"],
        ["", "a", "a@", "@example.com", "a b@example.com", "a@b@example.com"],
    ),
    "uri": (
        ["https://example.com/a?b=c#d", "urn:a:b", "mailto:a@example.com"],
        ["", "a/b", "//example.com", "http://a b", "http://[::1"],
    ),
    "hostname": (["example.com", "localhost", "a-b.c"], ["", "-a.com", "a_b.com", "a" * 64 + ".com", "a b"]),
    "ipv4": (["127.0.0.1", "255.255.255.255"], ["", "127.0.0", "256.0.0.1", "127.0.0.1.1", "01.2.3.4", "::1"]),
    "ipv6": (["::1", "2001:db8::7", "::ffff:127.0.0.1"], ["", "1", "2001:db8:::7", "12345::", "127.0.0.1"]),
    "byte": (["", "aGVsbG8=", "aGk=", "aGVsbG8h"], ["a", "aGk", "aGVsbG8", "aG=k", "aGk =", "aGk=\n", "a-_="]),
    "regex": (["", "^[a-z]+$", "(a|b)*"], ["(", "[a", "a{2,1}"]),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (right, _) in FORMATS.items() for text in right])
def test_format_takes(name: str, text: str) -> None:
    assert accepts({"type": "string", "format": name}, text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (_, wrong) in FORMATS.items() for text in wrong])
def test_format_refuses(name: str, text: str) -> None:
    assert not accepts({"type": "string", "format": name}, text)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_format_binds_texts_alone(name: str) -> None:
    """A format says nothing of values of another type (JSON Schema, `format`)."""
    assert accepts({"format": name}, 5)
    assert not accepts({"type": "string", "format": name, "nullable": True}, "not a thing of the kind (")
    assert accepts({"type": "string", "format": name, "nullable": True}, None)


@pytest.mark.parametrize("name", ["password", "binary", "made-up", "uuid4", "phone", ""])
def test_format_unknown_is_an_annotation(name: str) -> None:
    assert accepts({"type": "string", "format": name}, "anything")


def test_format_and_pattern_bind_both() -> None:
    schema = {"type": "string", "format": "uuid", "pattern": "^0"}
    assert accepts(schema, "0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2")
    assert not accepts(schema, "1b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2")
    assert not accepts(schema, "0")


def test_format_and_composition_bind_both() -> None:
    schema = {"type": "string", "format": "byte", "pattern": "^a", "allOf": [{"maxLength": 4}]}
    assert accepts(schema, "aGk=")
    assert not accepts(schema, "aGVsbG8=")
    assert not accepts(schema, "aGk")


FIELDS: Record = {
    "type": "object",
    "required": ["id", "name", "secret"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string"},
        "secret": {"type": "string", "writeOnly": True},
    },
}


@pytest.mark.parametrize(
    ("value", "request_", "reply"),
    [
        ({"name": "a", "secret": "s"}, True, False),
        ({"id": "1", "name": "a"}, False, True),
        ({"id": "1", "name": "a", "secret": "s"}, False, False),
        ({"name": "a"}, False, False),
        ({"id": "1", "secret": "s"}, False, False),
    ],
    ids=["sent", "answered", "all", "neither", "no-name"],
)
def test_read_only_and_write_only_by_direction(value: JSON, request_: bool, reply: bool) -> None:
    assert accepts(FIELDS, value, "request") is request_
    assert accepts(FIELDS, value, "reply") is reply


@pytest.mark.parametrize(
    "schema", [{"$ref": "#/components/schemas/F"}, {"allOf": [{"$ref": "#/components/schemas/F"}]}], ids=str
)
def test_read_only_holds_behind_references(schema: Record) -> None:
    assert accepts(schema, {"name": "a", "secret": "s"}, "request", F=FIELDS)
    assert not accepts(schema, {"name": "a", "secret": "s"}, "reply", F=FIELDS)


@pytest.mark.parametrize(
    ("schema", "value", "taken"),
    [
        ({"minimum": 5, "exclusiveMinimum": True}, 5, False),
        ({"minimum": 5, "exclusiveMinimum": True}, 5.001, True),
        ({"minimum": 5, "exclusiveMinimum": False}, 5, True),
        ({"minimum": 5}, 5, True),
        ({"minimum": 5}, 4.999, False),
        ({"maximum": 5, "exclusiveMaximum": True}, 5, False),
        ({"maximum": 5, "exclusiveMaximum": True}, 4.999, True),
        ({"maximum": 5}, 5, True),
        ({"exclusiveMinimum": True}, -1e9, True),
        ({"exclusiveMaximum": True}, 1e9, True),
        ({"multipleOf": 0.01}, 19.99, True),
        ({"multipleOf": 0.01}, 19.999, False),
        ({"multipleOf": 3}, 9, True),
        ({"multipleOf": 3}, 10, False),
    ],
    ids=str,
)
def test_bounds_of_numbers(schema: Record, value: float, taken: bool) -> None:
    assert accepts({"type": "number", **schema}, value) is taken


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("integer", [0, -1, 2**80], [1.0, 1.5, "1", True, None]),
        ("number", [0, 1.5, -1e300], ["1", True, None]),
        ("boolean", [True, False], [0, 1, "true", None]),
        ("string", ["", "a"], [1, None, []]),
        ("array", [[], [1]], [{}, "a", None]),
        ("object", [{}, {"a": 1}], [[], "a", None]),
    ],
)
def test_types_are_json_types(kind: str, right: list[JSON], wrong: list[JSON]) -> None:
    """`1.0` is no integer: OpenAPI 3.0 stands on a JSON Schema draft that says so, and openapi-core holds to it."""
    validator = gate().validator({"type": kind})
    assert [value for value in right if not validator.is_valid(value)] == []
    assert [value for value in wrong if validator.is_valid(value)] == []


@pytest.mark.parametrize(
    ("schema", "value", "taken"),
    [
        ({"type": "string", "nullable": True}, None, True),
        ({"type": "string"}, None, False),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, None, True),
        ({"type": "string", "nullable": True, "minLength": 3}, None, True),
        ({"type": "array", "nullable": True, "items": {"type": "string"}}, None, True),
        ({"type": "array", "items": {"type": "string"}}, [None], False),
        ({"type": "object", "nullable": True, "required": ["a"]}, None, True),
    ],
    ids=str,
)
def test_nullable_adds_null(schema: Record, value: JSON, taken: bool) -> None:
    assert accepts(schema, value) is taken


@pytest.mark.parametrize(
    ("schema", "value", "taken"),
    [
        ({"maxLength": 2}, "😀😀", True),
        ({"maxLength": 2}, "abc", False),
        ({"minLength": 1}, "", False),
        ({"pattern": "b"}, "abc", True),
        ({"pattern": "^b"}, "abc", False),
        ({"pattern": r"^\d+$"}, "٣", False),
        ({"pattern": "^a$"}, "a\n", False),
        ({"uniqueItems": True}, [1, 1], False),
        ({"uniqueItems": True}, [1, "1"], True),
        ({"minItems": 1}, [], False),
        ({"maxItems": 1}, [1, 2], False),
        ({"minProperties": 1}, {}, False),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, False),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"b": 1}, False),
        ({"additionalProperties": {"type": "integer"}}, {"b": "x"}, False),
        ({"not": {"type": "string"}}, "a", False),
        ({"oneOf": [{"type": "integer"}, {"minimum": 5}]}, 7, False),
        ({"enum": [1, "a", None]}, None, True),
        ({"enum": [1, "a"]}, "b", False),
    ],
    ids=str,
)
def test_keywords_bind(schema: Record, value: JSON, taken: bool) -> None:
    assert accepts(schema, value) is taken


def test_keywords_of_later_standards_do_not_bind() -> None:
    """OpenAPI 3.0 has no `const`, `if` or `patternProperties`, and openapi-core passes over them."""
    assert accepts({"const": 1, "if": {}, "then": {"not": {}}, "patternProperties": {"a": {"type": "integer"}}}, {"a": "x"})


def test_recursive_schema_compiles() -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Tree"}}, "additionalProperties": False}
    schema = {"$ref": "#/components/schemas/Tree"}
    assert accepts(schema, {"child": {"child": {}}}, Tree=tree)
    assert not accepts(schema, {"child": {"child": {"x": 1}}}, Tree=tree)


def test_broken_reference_fails_when_it_is_compiled() -> None:
    made = gate(Broken={"$ref": "#/components/schemas/None"}, Right={"type": "string"})
    assert made.validator({"$ref": "#/components/schemas/Right"}).is_valid("a")
    with pytest.raises(ValueError, match="None"):
        made.validator({"$ref": "#/components/schemas/Broken"})


def test_foreign_reference_is_not_fetched() -> None:
    with pytest.raises(ValueError, match=r".+"):
        gate().compile({"$ref": "http://127.0.0.1:1/schema.json"})


def test_component_that_is_no_schema_spoils_nothing() -> None:
    assert accepts({"$ref": "#/components/schemas/Right"}, "a", Wrong=None, Right={"type": "string"})
