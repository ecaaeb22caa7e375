"""Values for the schemas of callers: always valid, or a reason why there is none."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.portkey.answers import samples
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.values import JSON, Record
from tests.portkey.answers.given import STEADY, chance

NODE: Record = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
    "required": ["value", "children"],
    "additionalProperties": False,
}


def thing(**properties: JSON) -> Record:
    """A strict object, as clients write it."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def sampled(schema: JSON, words: tuple[str, ...] = ("Porto", "train"), seed: int = 7) -> JSON:
    """A sample that the schema itself accepts."""
    made = samples.sample(schema, words, chance(seed), "/x")
    validator: Any = jsonschema_rs.validator_for(schema, validate_formats=True)
    assert validator.is_valid(made), made
    return made


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": "object"},
        thing(name={"type": "string"}, age={"type": "integer", "minimum": 0, "exclusiveMaximum": 150}),
        thing(amount={"type": "number", "exclusiveMinimum": 0}, part={"type": "number", "minimum": 0, "exclusiveMaximum": 0.5}),
        thing(kind={"const": "person"}, level={"enum": ["low", "high"]}, nothing={"const": None}),
        thing(a={"type": ["string", "null"]}, b={"type": ["string", "integer"]}, c={"type": "null"}, d={"type": ["null"]}),
        thing(mail={"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}], "default": None}),
        thing(pair={"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2}),
        thing(tags={"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True}),
        thing(scores={"type": "object", "additionalProperties": {"type": "number"}, "minProperties": 1}),
        thing(code={"type": "string", "pattern": "^[A-Z]{3}-[0-9]+$"}, short={"type": "string", "maxLength": 2}),
        thing(long={"type": "string", "minLength": 200}),
        thing(some={"type": "array", "contains": {"type": "integer", "minimum": 5}}),
        thing(not_red={"type": "string", "not": {"enum": ["red"]}}),
        thing(both={"allOf": [thing(a={"type": "string"}) | {"additionalProperties": True}, {"required": ["b"]}]}),
        thing(one={"oneOf": [thing(a={"type": "string"}), thing(b={"type": "integer"})]}),
        {"$defs": {"City": {"enum": ["Porto"]}}, **thing(city={"$ref": "#/$defs/City", "description": "Where"})},
        {"definitions": {"City": {"type": "string"}}, **thing(city={"$ref": "#/definitions/City"})},
        thing(a=thing(x={"type": "integer"}), b={"$ref": "#/properties/a"}),
        {"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer", "minimum": 3, "exclusiveMinimum": True},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "items": [{"type": "integer"}, {"const": "a"}]},
        {"allOf": [{"type": "object", "properties": {"b": {"type": "integer"}}}, {"required": ["b"]}]},
        {"properties": {"a": {"type": "integer"}, "b": {"type": "null"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"type": "object", "required": ["a"], "additionalProperties": {"type": "integer"}},
        {"type": "object", "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "integer"}}, "dependentRequired": {"a": ["b"]}},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_sample_fits_its_schema(schema: JSON) -> None:
    sampled(schema)


@pytest.mark.parametrize(
    "name",
    ["date", "date-time", "time", "email", "uuid", "uri", "uri-reference", "iri", "ipv4", "ipv6", "hostname", "duration",
     "regex", "json-pointer", "relative-json-pointer", "uri-template", "idn-hostname", "of-my-own"],
)  # fmt: skip
def test_sample_has_the_format(name: str) -> None:
    sampled(thing(it={"type": "string", "format": name}))


def test_texts_are_words_of_the_question() -> None:
    made = sampled(thing(city={"type": "string"}, stops={"type": "array", "items": {"type": "string"}}))
    assert {made["city"], *made["stops"]} <= {"Porto", "train"}


def test_names_are_in_the_order_of_the_schema() -> None:
    assert list(sampled(thing(zulu={"type": "string"}, alpha={"type": "string"}))) == ["zulu", "alpha"]


def test_examples_of_the_caller_come_first() -> None:
    assert sampled(thing(city={"type": "string", "examples": ["Braga"]}, n={"type": "integer", "default": 9})) == {
        "city": "Braga",
        "n": 9,
    }


def test_bad_example_is_not_taken() -> None:
    assert sampled(thing(n={"type": "integer", "examples": ["many"]})) != {"n": "many"}


def test_same_chance_gives_the_same() -> None:
    schema = thing(id={"type": "string", "format": "uuid"}, name={"type": "string"})
    assert sampled(schema) == sampled(schema)
    assert sampled(schema) != sampled(schema, seed=8)


# Schemas that come back to themselves.


def test_tree_ends() -> None:
    assert sampled({"$defs": {"Node": NODE}, "$ref": "#/$defs/Node"})["children"] == []


def test_list_around_trees_is_not_empty() -> None:
    schema = {"$defs": {"Node": NODE}, **thing(trees={"type": "array", "items": {"$ref": "#/$defs/Node"}})}
    assert len(sampled(schema)["trees"]) == 1


def test_chain_ends() -> None:
    schema = thing(value={"type": "string"}, next={"anyOf": [{"$ref": "#"}, {"type": "null"}]})
    assert sampled(schema)["next"] is None


def test_optional_part_that_comes_back_is_left_out() -> None:
    schema = {"type": "object", "properties": {"value": {"type": "string"}, "next": {"$ref": "#"}}, "required": ["value"]}
    assert list(sampled(schema)) == ["value"]


def test_expression_ends_in_its_leaf() -> None:
    deep = thing(left={"$ref": "#/$defs/E"}, right={"$ref": "#/$defs/E"})
    schema = {"$defs": {"E": {"anyOf": [deep, thing(value={"type": "number"})]}}, **thing(e={"$ref": "#/$defs/E"})}
    assert list(sampled(schema)["e"]) == ["value"]


def test_parts_that_come_back_to_each_other_end() -> None:
    schema = {
        "$defs": {"A": thing(b={"$ref": "#/$defs/B"}), "B": thing(a={"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]})},
        "$ref": "#/$defs/A",
    }
    assert sampled(schema) == {"b": {"a": None}}


# What cannot be.


@pytest.mark.parametrize(
    "schema",
    [
        False,
        5,
        {"type": "nope"},
        {"$ref": "#/$defs/none"},
        {"$ref": "https://example.com/schema.json"},
        {"type": "string", "pattern": "("},
        {"type": "integer", "minimum": 5, "maximum": 4},
        thing(next={"$ref": "#"}),
        {"type": "number", "minimum": 2**70, "maximum": 2**70 - 1},
    ],
    ids=json.dumps,
)
def test_impossible_schema_says_where(schema: JSON) -> None:
    with pytest.raises(Unanswerable, match=r"^Invalid schema: ") as caught:
        samples.sample(schema, (), chance(), "/tools/0/function/parameters")
    assert caught.value.pointer == "/tools/0/function/parameters"


def nested(depth: int) -> Record:
    schema: Record = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema, "minItems": 1}
    return schema


@pytest.mark.parametrize("depth", [20, 190, 3000])
def test_schema_that_is_nested_too_deep_is_refused(depth: int) -> None:
    with pytest.raises(Unanswerable):
        samples.sample(nested(depth), (), chance(), "/x")


def test_schema_that_never_ends_is_refused_at_once() -> None:
    branches = thing(**{f"branch_{number}": {"$ref": "#"} for number in range(9)})
    with pytest.raises(Unanswerable, match="for ever"):
        samples.sample(branches, (), chance(), "/x")


def test_what_is_kept_does_not_grow() -> None:
    """A schema is prepared once, however often it comes."""
    loose = thing(
        rows={"type": "array", "minItems": 2}, facts={"type": "object", "minProperties": 1}, any={}, cells={"items": {}}
    )
    schema = {**loose, "required": [*loose["required"], "unsaid"], "additionalProperties": True}
    tracemalloc.start()
    try:
        for seed in range(50):
            sampled(schema, seed=seed)
        before = tracemalloc.get_traced_memory()[0]
        for seed in range(200):
            sampled(schema, seed=seed)
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()


# Schemas as clients make them, at random.

_leaves = st.one_of(
    st.sampled_from(["string", "integer", "number", "boolean", "null"]).map(lambda kind: {"type": kind}),
    st.lists(st.sampled_from(["red", "green", 3, None]), min_size=1, unique=True).map(lambda values: {"enum": values}),
    st.sampled_from(["date", "date-time", "email", "uuid"]).map(lambda name: {"type": "string", "format": name}),
    st.tuples(st.integers(-5, 5), st.integers(0, 5)).map(
        lambda bounds: {"type": "integer", "minimum": bounds[0], "maximum": sum(bounds)}
    ),
    st.tuples(st.integers(0, 5), st.integers(0, 9)).map(
        lambda bounds: {"type": "string", "minLength": bounds[0], "maxLength": sum(bounds)}
    ),
    st.just({"$ref": "#/$defs/Node"}),
)
_names = st.sampled_from(["name", "kind", "note", "x"])
_schemas: st.SearchStrategy[Record] = st.recursive(
    _leaves,
    lambda parts: st.one_of(
        st.dictionaries(_names, parts, max_size=3).map(lambda properties: thing(**properties)),
        st.dictionaries(_names, parts, max_size=3).map(lambda properties: {"type": "object", "properties": properties}),
        st.tuples(parts, st.integers(0, 2)).map(lambda made: {"type": "array", "items": made[0], "minItems": made[1]}),
        st.lists(parts, min_size=1, max_size=3).map(lambda made: {"anyOf": made}),
        parts.map(lambda part: {"type": "object", "additionalProperties": part}),
    ),
    max_leaves=8,
)


@STEADY
@given(_schemas)
def test_any_usual_schema_has_a_sample(schema: Record) -> None:
    sampled({"$defs": {"Node": NODE}, **schema})
