"""Samples: values that their schemas accept, or the reason why there is none."""

from __future__ import annotations

import copy
import gc
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.app import App
from mockserver.contract import grammar
from mockserver.contract.gate import Direction, Gate
from mockserver.contract.normalising import normalise
from mockserver.stubs.sampling import Sampler, Source, Unsatisfiable
from mockserver.values import JSON, Record, depth
from mockserver.world.clock import Clock
from mockserver.world.ids import Ids
from tests.conftest import Client

DIRECTIONS: tuple[Direction, ...] = ("request", "reply")

# Steady: what is found once is found every time, and becomes a row of the tables below.
STEADY = settings(
    max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def api(schema: JSON, **schemas: JSON) -> Record:
    """A document with a schema named `It`, and others."""
    shared = {"It": schema, **schemas}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, "components": {"schemas": shared}}
    return normalise(copy.deepcopy(document))


def source(seed: int = 1) -> Source:
    """Chance from a seed, a clock that stands still."""
    clock = Clock()
    clock.freeze(datetime(2026, 5, 3, 17, 8, 55, tzinfo=UTC))
    return Source(Ids(seed), clock)


def sampled(document: Record, direction: Direction = "reply", seed: int = 1, **options: bool) -> JSON:
    """A sample of `It`, held to it by a gate of our own. Raises `Unsatisfiable`."""
    schema = document["components"]["schemas"]["It"]
    value = Sampler(document, direction).sample(schema, source(seed), **options)
    assert Gate(document, direction).validator(schema).is_valid(value), value
    return value


# The shipped document.


@pytest.mark.parametrize("examples", [True, False], ids=["examples", "dynamic"])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_component_of_the_document_has_a_sample(shared_app: App, direction: Direction, examples: bool) -> None:
    document = shared_app.document
    gate, sampler, failed = Gate(document, direction), Sampler(document, direction), {}
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        try:
            value = sampler.sample(schema, source(), examples=examples)
        except Unsatisfiable as error:
            failed[name] = str(error)
            continue
        if not gate.validator(schema).is_valid(value):
            failed[name] = str(value)
    assert len(schemas) > 100
    assert failed == {}


@pytest.mark.parametrize("examples", [True, False], ids=["examples", "dynamic"])
def test_every_reply_of_the_document_has_a_sample(shared_app: App, examples: bool) -> None:
    document = shared_app.document
    gate, sampler, failed, count = Gate(document, "reply"), Sampler(document, "reply"), {}, 0
    for operation in shared_app.contract.operations:
        for response in operation.responses.values():
            for content in response.contents:
                count += 1
                place = f"{operation} {response.status} {content.media_type}"
                schema = content.schema or {}
                try:
                    value = sampler.sample(schema, source(), examples=examples)
                except Unsatisfiable as error:
                    failed[place] = str(error)
                    continue
                if not gate.validator(schema).is_valid(value):
                    failed[place] = str(value)
    assert count > len(shared_app.contract.operations)
    assert failed == {}


def test_every_body_that_the_document_asks_for_has_a_sample(shared_app: App) -> None:
    document = shared_app.document
    gate, sampler, failed, count = Gate(document, "request"), Sampler(document, "request"), {}, 0
    for operation in shared_app.contract.operations:
        for content in operation.body.contents if operation.body else ():
            count += 1
            schema = content.schema or {}
            try:
                value = sampler.sample(schema, source())
            except Unsatisfiable as error:
                failed[str(operation)] = str(error)
                continue
            if not gate.validator(schema).is_valid(value):
                failed[str(operation)] = str(value)
    assert count > 50
    assert failed == {}


# What offers itself comes first.


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "example": "a", "default": "b", "enum": ["c", "b", "a"]}, "a"),
        ({"type": "string", "default": "b", "enum": ["c", "b", "a"]}, "b"),
        ({"type": "string", "enum": ["c", "b", "a"]}, "c"),
        ({"type": "string", "enum": [None, "a"], "nullable": True}, "a"),
        ({"type": "object", "enum": [None], "nullable": True}, None),
        ({"type": "integer", "example": "wrong", "default": 3}, 3),
        ({"type": "integer", "example": "wrong", "default": "wrong", "minimum": 7}, 7),
        ({"type": "integer", "example": 3, "minimum": 7}, 7),
        ({"type": "integer", "default": None, "minimum": 7}, 7),
        ({"type": "string", "nullable": True, "example": None}, None),
        ({"type": "boolean"}, False),
        ({"type": "boolean", "enum": [True]}, True),
        ({"type": "integer", "enum": [1, 2, 3], "minimum": 2}, 2),
        ({"allOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["b", "c"]}]}, "b"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 0}, []),
        ({"oneOf": [{"type": "integer", "example": 5}, {"type": "string"}]}, 5),
    ],
    ids=str,
)
def test_sample_takes_what_the_document_offers(schema: Record, value: JSON) -> None:
    """Example, default, first of an enumeration; each only when the schema accepts it."""
    assert sampled(api(schema)) == value


def test_dynamic_sample_takes_no_example() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "example": 41}}, "example": {"a": 42}}
    document = api(schema)
    assert sampled(document) == {"a": 42}
    assert sampled(document, examples=False) == {"a": 0}


def test_sample_shows_optional_fields() -> None:
    """A client under test should see what may come."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "integer"}}}}
    assert sampled(api(schema)) == {"a": 0, "b": [0]}


def test_sample_leaves_out_an_optional_field_that_nothing_satisfies() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5, "maximum": 3}, "b": {"type": "integer"}}}
    assert sampled(api(schema)) == {"b": 0}


# Schemas that something satisfies.


def array(items: Record, least: int = 2) -> Record:
    return {"type": "array", "items": items, "minItems": least, "uniqueItems": True}


A_OR_B = {"a": {"type": "string"}, "b": {"type": "string"}}

SATISFIABLE: dict[str, Record] = {
    "anything": {},
    "object without properties": {"type": "object"},
    "array without items": {"type": "array", "minItems": 2},
    "fields without a type": {"properties": {"a": {"type": "string"}}, "required": ["a"]},
    "required field that is not described": {"type": "object", "required": ["z"]},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
    "map of anything": {"type": "object", "additionalProperties": True, "minProperties": 1},
    "few fields": {"type": "object", "properties": A_OR_B, "maxProperties": 1},
    "few fields, one required": {"type": "object", "properties": A_OR_B, "required": ["b"], "maxProperties": 1},
    "closed": {"type": "object", "properties": {"a": {"not": {}}}, "additionalProperties": False},
    "not a text": {"not": {"type": "string"}},
    "not zero": {"type": "integer", "not": {"enum": [0]}},
    "not false": {"type": "boolean", "not": {"enum": [False]}},
    "not this word": {"type": "string", "not": {"enum": ["amber"]}},
    # Numbers.
    "above": {"type": "integer", "minimum": 3, "exclusiveMinimum": True},
    "below zero": {"type": "integer", "maximum": 0, "exclusiveMaximum": True},
    "number below": {"type": "number", "maximum": -1.5, "exclusiveMaximum": True},
    "between close bounds": {
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 0.1,
        "exclusiveMaximum": True,
    },
    "whole above half": {"type": "integer", "minimum": 0.5},
    "whole below half": {"type": "integer", "maximum": -0.5},
    "whole between halves": {"type": "integer", "minimum": 0.5, "exclusiveMinimum": True, "maximum": 1},
    "multiple within": {"type": "integer", "minimum": 1, "maximum": 10, "multipleOf": 7},
    "multiple below zero": {"type": "integer", "maximum": -1, "multipleOf": 7},
    "whole multiple of a fraction": {"type": "integer", "minimum": 1, "multipleOf": 1.5},
    "cents": {"type": "number", "minimum": 0.07, "multipleOf": 0.01},
    "large": {"type": "integer", "minimum": 10**17},
    "int32": {"type": "integer", "format": "int32", "minimum": 2**31 - 1},
    # Texts.
    "long": {"type": "string", "minLength": 200},
    "short": {"type": "string", "maxLength": 1},
    "empty": {"type": "string", "maxLength": 0},
    "enumeration and length": {"type": "string", "enum": ["a", "abc"], "minLength": 2},
    "pattern and least length": {"type": "string", "pattern": "^[a-z]+$", "minLength": 10},
    "open pattern and least length": {"type": "string", "pattern": "[a-z]", "minLength": 10},
    "pattern with a prefix and a length": {"type": "string", "pattern": "^ws-[a-z0-9-]*$", "minLength": 10, "maxLength": 12},
    "pattern and greatest length": {"type": "string", "pattern": "^[a-z]{1,50}$", "maxLength": 3},
    "pattern of alternatives": {"type": "string", "pattern": "^(cat|dog)s?$"},
    "pattern with a name": {"type": "string", "pattern": r"^(?<year>\d{4})$"},
    "pattern that refers back": {"type": "string", "pattern": r"^(a|b)\1$"},
    "pattern that looks ahead": {"type": "string", "pattern": "^(?!a)[a-z]{4}$"},
    "long address": {"type": "string", "format": "email", "minLength": 40},
    "long password": {"type": "string", "format": "password", "minLength": 30},
    "short password": {"type": "string", "format": "password", "maxLength": 8},
    "long bytes": {"type": "string", "format": "byte", "minLength": 20},
    "format that nobody knows": {"type": "string", "format": "colour", "minLength": 9},
    # Items that differ.
    "different numbers": array({"type": "integer", "minimum": 5}, 3),
    "all numbers of a range": array({"type": "integer", "minimum": 500, "maximum": 502}, 3),
    "different halves": array({"type": "number", "multipleOf": 0.5, "minimum": 3}, 3),
    "all of an enumeration": array({"type": "string", "enum": ["a", "b", "c"]}, 3),
    "both booleans": array({"type": "boolean"}),
    "different letters": array({"type": "string", "pattern": "^[a-c]$"}),
    "different words": array({"type": "string"}, 20),
    "different long words": array({"type": "string", "minLength": 10}, 3),
    "different ids": array({"type": "string", "format": "uuid"}),
    "different days": array({"type": "string", "format": "date"}),
    "different times": array({"type": "string", "format": "date-time"}),
    "different objects": array({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}),
    "different arrays": array({"type": "array", "minItems": 1, "items": {"type": "integer"}}),
    # Composition.
    "all of two objects": {"allOf": [{"type": "object", "required": [n], "properties": {n: A_OR_B[n]}} for n in "ab"]},
    "bounds of a field from two": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}, "required": ["a"]},
            {"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}}},
        ]
    },
    "whole and number": {"allOf": [{"type": "integer"}, {"type": "number", "minimum": 1.5}]},
    "bounds of which one is open": {
        "allOf": [{"type": "integer", "minimum": 5}, {"type": "integer", "minimum": 3, "exclusiveMinimum": True, "maximum": 5}]
    },
    "choices of both": {
        "allOf": [{"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}]
    },
    "any of nothing": {"anyOf": [{}]},
    "one of two required fields": {"type": "object", "properties": A_OR_B, "oneOf": [{"required": [n]} for n in "ab"]},
    "any of two required fields": {"type": "object", "properties": A_OR_B, "anyOf": [{"required": [n]} for n in "ab"]},
    "choice within a choice": {"oneOf": [{"oneOf": [{"type": "string", "enum": ["a"]}]}, {"type": "integer"}]},
    "one of whole and number": {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    "one of overlapping bounds": {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "number", "minimum": 5}]},
    "one of text and short text": {"oneOf": [{"type": "string"}, {"type": "string", "maxLength": 5}]},
    "one of two multiples": {"oneOf": [{"type": "integer", "multipleOf": 3}, {"type": "integer", "multipleOf": 5}]},
    "one of open and closed": {
        "oneOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}},
        ]
    },
}


@pytest.mark.parametrize("name", SATISFIABLE)
def test_schema_that_something_satisfies_has_a_sample(name: str) -> None:
    """`sampled` holds the value to the schema."""
    document = api(SATISFIABLE[name])
    assert sampled(document) == sampled(document)


FORMATS: dict[str, Callable[[str], Any]] = {
    "uuid": re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch,
    "date-time": lambda text: datetime.fromisoformat(text).tzinfo,
    "date": re.compile(r"\d{4}-\d\d-\d\d").fullmatch,
    "time": re.compile(r"\d\d:\d\d:\d\d(\.\d+)?Z").fullmatch,
    "email": re.compile(r"[a-z]+@example\.com").fullmatch,
    "hostname": re.compile(r"[a-z]+(\.[a-z]+)+").fullmatch,
    "ipv4": re.compile(r"\d+(\.\d+){3}").fullmatch,
    "ipv6": re.compile("[0-9a-f:]+").fullmatch,
    "uri": re.compile("https://example.com/.+").fullmatch,
    "byte": re.compile("[A-Za-z0-9+/]+=*").fullmatch,
    "regex": re.compile,
}


@pytest.mark.parametrize("name", FORMATS)
def test_format_is_kept(name: str) -> None:
    assert FORMATS[name](sampled(api({"type": "string", "format": name})))


def test_times_are_those_of_the_clock() -> None:
    assert sampled(api({"type": "string", "format": "date-time"})) == "2026-05-03T17:08:55.000Z"
    assert sampled(api({"type": "string", "format": "date"})) == "2026-05-03"


# readOnly and writeOnly.

ACCOUNT: Record = {
    "type": "object",
    "required": ["id", "password", "name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "password": {"type": "string", "writeOnly": True},
        "name": {"type": "string"},
        "token": {"$ref": "#/components/schemas/Token"},
    },
}


@pytest.mark.parametrize(
    ("direction", "fields"), [("request", {"password", "name", "token"}), ("reply", {"id", "name"})], ids=["request", "reply"]
)
def test_sample_has_the_fields_of_its_direction(direction: Direction, fields: set[str]) -> None:
    """Also where a reference says which way a field goes."""
    assert set(sampled(api(ACCOUNT, Token={"type": "string", "writeOnly": True}), direction)) == fields


def test_sample_takes_no_example_of_the_other_direction() -> None:
    document = api({**ACCOUNT, "example": {"id": 1, "password": "secret", "name": "Ada"}}, Token={"type": "string"})
    assert "password" not in sampled(document)


# Recursion.

IT: Record = {"$ref": "#/components/schemas/It"}


@pytest.mark.parametrize(
    "tree",
    [
        {"type": "object", "properties": {"next": IT}},
        {"type": "object", "required": ["below"], "properties": {"below": {"type": "array", "items": IT}}},
        {"type": "object", "required": ["next"], "properties": {"next": {**IT, "nullable": True}}},
        {"type": "object", "additionalProperties": IT},
        {"anyOf": [{"type": "array", "minItems": 1, "items": IT}, {"type": "string"}]},
        {"type": "object", "properties": {"value": {}, "two": {"$ref": "#/components/schemas/Two"}}},
    ],
    ids=["optional", "array", "nullable", "map", "choice", "by-another"],
)
def test_recursive_schema_has_a_bounded_sample(tree: Record) -> None:
    two = {"type": "object", "required": ["it"], "properties": {"it": IT}}
    assert depth(sampled(api(tree, Two=two))) < 20


def test_branching_recursion_stays_small() -> None:
    """Each level triples what the level above has."""
    properties = dict.fromkeys(("left", "middle", "right"), IT)
    assert len(str(sampled(api({"type": "object", "properties": properties})))) < 100_000


@pytest.mark.parametrize(
    "endless",
    [
        {"type": "object", "required": ["next"], "properties": {"next": IT}},
        {"type": "array", "minItems": 1, "items": IT},
        {"type": "object", "required": ["next"], "properties": {"next": {"allOf": [IT]}}},
    ],
    ids=["object", "array", "all-of"],
)
def test_endless_schema_is_unsatisfiable(endless: Record) -> None:
    with pytest.raises(Unsatisfiable):
        sampled(api(endless))


@pytest.mark.parametrize("word", ["allOf", "anyOf", "oneOf"])
def test_schema_that_is_itself_and_nothing_more_is_no_crash(word: str) -> None:
    """Such a schema says nothing. It may have any sample or none, but must not end in a recursion without end."""
    reason = reason_of(api({word: [IT]}), "reply")
    assert reason is None or reason.startswith("no value could be made for ")


# Choices with a discriminator.

ANIMAL: Record = {
    "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
    "discriminator": {
        "propertyName": "kind",
        "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
    },
}
CAT: Record = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}}
DOG: Record = {"type": "object", "required": ["kind", "name"], "properties": {n: {"type": "string"} for n in ("kind", "name")}}


def test_discriminator_has_the_value_of_its_branch() -> None:
    assert sampled(api(ANIMAL, Cat=CAT, Dog=DOG))["kind"] == "cat"


def test_discriminator_goes_on_where_a_branch_is_impossible() -> None:
    impossible = {**CAT, "required": ["kind", "lives"], "properties": {**CAT["properties"], "lives": {"not": {}}}}
    assert sampled(api(ANIMAL, Cat=impossible, Dog=DOG))["kind"] == "dog"


# Schemas that nothing satisfies.


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 3}, "the schema"),
        ({"type": "string", "enum": ["a"], "minLength": 4}, "the schema"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "the schema"),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "the schema"),
        ({"type": "object", "required": ["a"], "properties": {"a": {"not": {}}}}, "/properties/a"),
        ({"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 2, "maximum": 1}}, "/items"),
        ({"type": "object", "minProperties": 1, "additionalProperties": {"not": {}}}, "/additionalProperties"),
        ({"oneOf": [{"type": "string", "minLength": 3, "maxLength": 2}]}, "/oneOf/0"),
        (
            {"type": "object", "required": ["x/y"], "properties": {"x/y": {"type": "integer", "minimum": 2, "maximum": 1}}},
            "/properties/x~1y",
        ),
        (
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "minItems": 1, "items": {"not": {}}}}},
            "/properties/a/items",
        ),
    ],
    ids=["bounds", "enum", "all-of", "closed", "field", "items", "map", "one-of", "escaped", "deep"],
)
def test_unsatisfiable_says_which_part_of_the_schema(schema: Record, place: str) -> None:
    with pytest.raises(Unsatisfiable) as caught:
        sampled(api(schema))
    assert f"no value could be made for {place}: its rules contradict each other" in str(caught.value)


def test_unsatisfiable_tells_its_own_place_apart_from_the_reason() -> None:
    with pytest.raises(Unsatisfiable) as caught:
        sampled(api({"type": "object", "required": ["a"], "properties": {"a": {"not": {}}}}))
    assert caught.value.pointer == ""


# Chance.

LIVELY: Record = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "token": {"type": "string", "pattern": "^pk-[A-Za-z0-9]{8}$"},
        "word": {"type": "string"},
        "mail": {"type": "string", "format": "email"},
        "link": {"type": "string", "format": "uri"},
    },
}


def test_same_seed_gives_the_same_value() -> None:
    assert sampled(api(LIVELY), seed=7) == sampled(api(LIVELY), seed=7)


def test_another_seed_gives_another_value() -> None:
    assert sampled(api(LIVELY), seed=7) != sampled(api(LIVELY), seed=8)


@pytest.mark.parametrize("field", ["id", "token", "link"])
def test_different_calls_give_different_ids(field: str) -> None:
    document, chance = api(LIVELY), source()
    sampler, schema = Sampler(document, "reply"), document["components"]["schemas"]["It"]
    assert len({sampler.sample(schema, chance)[field] for _ in range(20)}) == 20


def test_example_of_an_id_gives_way_to_an_id_of_its_own() -> None:
    """A document shows one UUID for all records; two records have two."""
    document = api({"type": "string", "format": "uuid", "example": "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"})
    assert sampled(document, seed=1) != sampled(document, seed=2)


def test_sampled_operations_give_different_ids(client: Client) -> None:
    """Through the front door: an operation that nothing remembers."""
    sent = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    replies = [client.post("/v1/chat/completions", sent).json() for _ in range(3)]
    assert len({reply["id"] for reply in replies}) == 3


def test_sampled_operation_repeats_itself_in_a_world_of_the_same_seed(client: Client) -> None:
    sent = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    snapshot = client.world.snapshot()
    first = client.post("/v1/chat/completions", sent).content
    client.world.restore(snapshot)
    assert client.post("/v1/chat/completions", sent).content == first


def test_sampler_draws_nothing_for_what_is_fixed() -> None:
    chance = source()
    document = api({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string", "enum": ["x"]}}})
    Sampler(document, "reply").sample(document["components"]["schemas"]["It"], chance)
    assert chance.ids.drawn == 0


# Generated schemas.

NAMES = ("id", "name", "tags", "next", "a b", "x/y", "é")
PATTERNS = (
    "^[a-z]+$", r"^\d{3}-[A-Z]{2}$", "^(cat|dog)s?$", r"^[^@ ]+@[a-z]+\.com$", "^pk-[A-Za-z0-9]{8,}$", "x", "^$",
    r"^\w+(\.\w+)*$", "^.{3}$", r"^[\w.-]{1,4}$", r"^[^\s]+$", r"\S",
)  # fmt: skip

Schemas = st.SearchStrategy[Record]


def _with_flags(schemas: Schemas) -> Schemas:
    flags: list[Record] = [{}, {}, {}, {"nullable": True}, {"readOnly": True}, {"writeOnly": True}]
    return st.tuples(schemas, st.sampled_from(flags)).map(lambda pair: {**pair[0], **(pair[1] if "type" in pair[0] else {})})


def texts() -> Schemas:
    """Lengths that fit each other, formats, patterns, enumerations."""
    lengths = st.tuples(st.integers(0, 40), st.none() | st.integers(0, 40)).map(
        lambda pair: {"minLength": pair[0], **({} if pair[1] is None else {"maxLength": pair[0] + pair[1]})}
    )
    return st.one_of(
        lengths,
        st.sampled_from([*FORMATS, "password", "colour"]).map(lambda name: {"format": name}),
        st.sampled_from(PATTERNS).map(lambda pattern: {"pattern": pattern}),
        st.lists(st.text(max_size=3), min_size=1, max_size=3, unique=True).map(lambda options: {"enum": options}),
    ).map(lambda schema: {"type": "string", **schema})


@st.composite
def numbers(draw: st.DrawFn) -> Record:
    """Bounds with room between them, or a step."""
    schema: Record = {"type": draw(st.sampled_from(["integer", "number"]))}
    low = draw(st.none() | st.integers(-1000, 1000))
    if low is not None:
        schema |= {"minimum": low, "exclusiveMinimum": draw(st.booleans())}
    if draw(st.booleans()):
        high = (low or 0) + draw(st.integers(2, 1000)) - (1000 if low is None else 0)
        schema |= {"maximum": high, "exclusiveMaximum": draw(st.booleans())}
    elif draw(st.booleans()):
        schema["multipleOf"] = draw(st.sampled_from([1, 2, 7, 50] if schema["type"] == "integer" else [0.5, 0.25, 0.01, 3]))
    return schema


@st.composite
def objects(draw: st.DrawFn, below: Schemas) -> Record:
    """Properties of which some are required, others allowed or not, and not more wanted than there can be."""
    properties = draw(st.dictionaries(st.sampled_from(NAMES), below, max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    extra = draw(st.none() | st.booleans() | below)
    schema: Record = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if extra is not None:
        schema["additionalProperties"] = extra
    if extra is True:
        schema["minProperties"] = draw(st.integers(0, 5))
    return schema


@st.composite
def arrays(draw: st.DrawFn, below: Schemas) -> Record:
    """Lengths that fit each other."""
    least = draw(st.integers(0, 3))
    most = draw(st.none() | st.integers(0, 3))
    schema: Record = {"type": "array", "items": draw(below), "minItems": least}
    return schema if most is None else {**schema, "maxItems": least + most}


def scalars() -> Schemas:
    plain: list[Record] = [{"type": "boolean"}, {}]
    return st.one_of(texts(), numbers(), st.sampled_from(plain))


def fitting() -> Schemas:
    """Schemas that something satisfies, by the way they are made."""
    return st.recursive(
        st.one_of(scalars(), scalars().map(lambda schema: {**schema, "nullable": True} if "type" in schema else schema)),
        lambda below: st.one_of(
            objects(below),
            arrays(below),
            st.lists(below, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts}),
            below.map(lambda part: {"allOf": [part]}),
        ),
        max_leaves=8,
    )


def any_schemas() -> Schemas:
    """Schemas that contradict themselves as they like, with references to the whole."""
    tight = st.builds(
        lambda kind, low, high: {"type": kind, "minimum": low, "maximum": high},
        st.sampled_from(["integer", "number"]), st.integers(-3, 3), st.integers(-3, 3),
    )  # fmt: skip
    mixed = st.builds(lambda one, other: {**one, **other}, texts(), texts() | numbers())
    return st.recursive(
        _with_flags(st.one_of(scalars(), tight, mixed, st.just({"type": "array", "minItems": 2, "uniqueItems": True}))),
        lambda below: _with_flags(
            st.one_of(
                objects(below | st.just(IT)),
                arrays(below | st.just(IT)),
                st.builds(lambda one, unique: {**one, "uniqueItems": unique}, arrays(below), st.booleans()),
                st.builds(lambda one, high: {**one, "maxProperties": high}, objects(below), st.integers(0, 3)),
                st.tuples(st.sampled_from(["allOf", "anyOf", "oneOf"]), st.lists(below, min_size=1, max_size=3)).map(
                    lambda pair: {pair[0]: pair[1]}
                ),
                st.builds(lambda one, other: {**one, "allOf": [other]}, objects(below), objects(below)),
                below.map(lambda part: {"not": part}),
            )
        ),
        max_leaves=8,
    )


@STEADY
@given(fitting(), st.sampled_from(DIRECTIONS), st.booleans())
def test_generated_schema_that_something_satisfies_has_a_sample(schema: Record, direction: Direction, examples: bool) -> None:
    document = api(schema)
    assert sampled(document, direction, examples=examples) == sampled(document, direction, examples=examples)


@STEADY
@given(any_schemas(), st.sampled_from(DIRECTIONS))
def test_generated_schema_has_a_sample_or_a_reason(schema: Record, direction: Direction) -> None:
    """Whatever else is raised, or a value that the gate refuses, is a defect."""
    document = api(schema)
    reason = reason_of(document, direction)
    if reason is not None:
        places = re.findall("no value could be made for ([^:]+):", reason)
        assert places
        assert leads_somewhere(document, places[-1]), reason


def reason_of(document: Record, direction: Direction) -> str | None:
    """Why there is no sample, None when there is one."""
    try:
        sampled(document, direction)
    except Unsatisfiable as error:
        return str(error)
    return None


def leads_somewhere(document: Record, place: str) -> bool:
    """Whether a place lies in the schema, as far as no reference or fold stands on the way to it."""
    if place == "the schema" or "allOf" in str(document) or "$ref" in str(document):
        return True
    try:
        found = grammar.find(document["components"]["schemas"]["It"], f"#{place}")
    except KeyError:
        return False
    return isinstance(found, (dict, bool))


@pytest.mark.parametrize(
    "schema",
    [{"type": "array"}, {"type": "object", "required": ["name"]}, {"type": "object", "minProperties": 2}],
    ids=["items", "property", "additional properties"],
)
def test_sampling_what_a_schema_leaves_open_keeps_nothing(schema: Record) -> None:
    sampler = Sampler({}, "reply")
    sampler.sample(schema, source(1))
    gc.collect()
    before = len(gc.get_objects())
    for seed in range(200):
        sampler.sample(schema, source(seed))
    gc.collect()
    assert len(gc.get_objects()) - before < 100
