"""Patterns: which calls fit, and why others do not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.contract.problems import Problem
from mockserver.stubbing import equality, scenarios
from mockserver.stubbing.asked import Asked
from mockserver.stubbing.matching import Pattern, pattern_of
from mockserver.stubbing.refusals import Refusals
from mockserver.values import JSON, Record
from mockserver.world.world import World

BODY = b'{"name": "Ada", "tags": ["a", "b"], "limits": {"rpm": 5}, "born": "1815-12-10T00:00:00Z"}'


def asked(method: str = "POST", path: str = "/v1/widgets/w-1", query: bytes = b"", body: bytes = BODY, **headers: str) -> Asked:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Asked(method, path, query, told, body, None, "/v1")


def pattern(definition: Record) -> Pattern:
    refusals = Refusals()
    made = pattern_of(definition, refusals)
    refusals.check("mapping")
    return made


def fits(request: Record, call: Asked) -> bool:
    made, world = pattern({"request": request}), World("w", 0, {})
    told = made.mismatches(call, world)
    assert made.fits(call, world) == (not told)
    return not told


def refused(definition: Record) -> list[str]:
    with pytest.raises(Problem) as caught:
        pattern(definition)
    return [violation.pointer for violation in caught.value.violations]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, True),
        ({"method": "ANY"}, True),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"urlPath": "/v1/widgets/w-1"}, True),
        ({"urlPath": "/widgets/w-1"}, True),
        ({"urlPath": "/v1/widgets"}, False),
        ({"url": "/v1/widgets/w-1?a=1&b=x%20y"}, True),
        ({"url": "/v1/widgets/w-1"}, False),
        ({"urlPattern": "/v1/widgets/.*a=1.*"}, True),
        ({"urlPathPattern": "/v1/widgets/w-[0-9]"}, True),
        ({"urlPathPattern": "/v1/widgets"}, False),
        ({"urlPathTemplate": "/v1/widgets/{id}"}, True),
        ({"urlPathTemplate": "/v1/widgets/{id}", "pathParameters": {"id": {"equalTo": "w-1"}}}, True),
        ({"urlPathTemplate": "/v1/widgets/{id}", "pathParameters": {"id": {"equalTo": "w-2"}}}, False),
        ({"queryParameters": {"b": {"equalTo": "x y"}}}, True),
        ({"queryParameters": {"c": {"absent": True}}}, True),
        ({"queryParameters": {"a": {"absent": True}}}, False),
        ({"parameters": {"a": 1}}, True),
        ({"headers": {"X-Colour": {"contains": "RED", "caseInsensitive": True}}}, True),
        ({"headers": {"X-Colour": {"doesNotContain": "re"}}}, False),
        ({"cookies": {"sid": {"equalTo": "9"}}}, True),
        ({"basicAuthCredentials": {"username": "ada", "password": "x"}}, False),
    ],
)
def test_matching_of_the_head(request_: Record, expected: bool) -> None:
    call = asked(query=b"a=1&b=x%20y", x_colour="dark red", cookie="sid=9; other=1")
    assert fits(request_, call) is expected


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ({"equalToJson": {"name": "Ada"}, "ignoreExtraElements": True}, True),
        ({"equalToJson": '{"name": "Ada"}'}, False),
        ({"equalToJson": {"tags": ["b", "a"]}, "ignoreExtraElements": True, "ignoreArrayOrder": True}, True),
        ({"equalToJson": {"tags": ["b", "a"]}, "ignoreExtraElements": True}, False),
        ({"equalToJson": {"name": "${json-unit.any-string}"}, "ignoreExtraElements": True}, True),
        ({"equalToJson": {"name": "${json-unit.any-number}"}, "ignoreExtraElements": True}, False),
        ({"matchesJsonPath": "$.limits.rpm"}, True),
        ({"matchesJsonPath": "$.limits.tpm"}, False),
        ({"matchesJsonPath": "$[?(@.rpm > 4)]"}, True),
        ({"matchesJsonPath": {"expression": "$.name", "equalTo": "Ada"}}, True),
        ({"matchesJsonPath": {"expression": "$.tags[*]", "equalTo": "b"}}, True),
        ({"matchesJsonPath": {"expression": "$.limits", "equalToJson": {"rpm": 5.0}}}, True),
        ({"matchesJsonPath": {"expression": "$.gone", "absent": True}}, True),
        ({"matchesJsonPath": {"expression": "$.born", "before": "1900-01-01T00:00:00Z"}}, True),
        ({"matchesJsonSchema": {"type": "object", "required": ["name"]}}, True),
        ({"matchesJsonSchema": '{"type": "array"}', "schemaVersion": "V7"}, False),
        ({"matches": '.*"Ada".*'}, True),
        ({"doesNotMatch": ".*Bob.*"}, True),
        ({"and": [{"contains": "Ada"}, {"contains": "rpm"}]}, True),
        ({"or": [{"contains": "Bob"}, {"contains": "rpm"}]}, True),
        ({"not": {"contains": "Ada"}}, False),
        ({"absent": True}, False),
    ],
)
def test_matching_of_the_body(matcher: Record, expected: bool) -> None:
    assert fits({"bodyPatterns": [matcher]}, asked()) is expected


def test_body_that_is_no_json_fits_no_path() -> None:
    assert not fits({"bodyPatterns": [{"matchesJsonPath": "$.a"}]}, asked(body=b"hello"))


def test_mismatches_tell_each_criterion() -> None:
    made = pattern(
        {
            "request": {
                "method": "GET",
                "headers": {"Accept": {"equalTo": "text/csv"}, "X-Api-Key": {"equalTo": "secret"}},
                "bodyPatterns": [{"equalToJson": {"name": "Bob"}}],
            }
        }
    )
    told = made.mismatches(asked(accept="text/html", x_api_key="other"), World("w", 0, {}))
    assert [mismatch.place for mismatch in told] == [
        "/request/method", "/request/headers/Accept", "/request/headers/X-Api-Key", "/request/bodyPatterns/0",
    ]  # fmt: skip
    assert told[1].as_json() == {
        "criterion": "/request/headers/Accept", "expected": {"equalTo": "text/csv"}, "found": "text/html"
    }  # fmt: skip


def test_mismatches_keep_secrets_to_themselves() -> None:
    made = pattern({"request": {"headers": {"X-Api-Key": {"equalTo": "sesame"}}}})
    told = str(made.mismatches(asked(x_api_key="open"), World("w", 0, {})))
    assert "sesame" not in told
    assert "open" not in told


def test_state_of_a_scenario_is_a_criterion() -> None:
    world = World("w", 0, {})
    made = pattern({"request": {}, "scenarioName": "order", "requiredScenarioState": "paid"})
    assert [str(each) for each in made.mismatches(asked(), world)] == ["/requiredScenarioState: expected paid, found Started"]
    scenarios.set_state(world, "order", "paid")
    assert made.fits(asked(), world)


def test_state_of_the_world_is_a_criterion() -> None:
    world = World("w", 0, {})
    world["widgets"].add({"id": "w-1", "colour": "red"})

    def holds(condition: Record) -> bool:
        return pattern({"request": {"state": [{"collection": "widgets", **condition}]}}).fits(asked(), world)

    assert holds({"key": "w-1"})
    assert holds({"key": "{{request.path.[2]}}", "field": "/colour", "equals": "red"})
    assert holds({"key": "w-1", "field": "/colour", "matches": {"contains": "e"}})
    assert holds({"key": "w-2", "exists": False})
    assert holds({"count": 1})
    assert holds({"count": {"at_least": 1}, "where": {"/colour": "red"}})
    assert not holds({"key": "w-1", "field": "/colour", "equals": "blue"})
    assert not holds({"count": {"at_most": 0}})


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ({"request": {"url": "/a", "urlPath": "/a"}}, "/request/urlPath"),
        ({"request": {"urlPattern": "["}}, "/request/urlPattern"),
        ({"request": {"headers": {"A": {}}}}, "/request/headers/A"),
        ({"request": {"headers": {"A": {"equalTo": "a", "contains": "b"}}}}, "/request/headers/A"),
        ({"request": {"headers": {"A": {"contains": "b", "ignoreArrayOrder": True}}}}, "/request/headers/A/ignoreArrayOrder"),
        ({"request": {"bodyPatterns": [{"equalToJson": "{"}]}}, "/request/bodyPatterns/0/equalToJson"),
        ({"request": {"bodyPatterns": [{"matchesJsonPath": "a.b"}]}}, "/request/bodyPatterns/0/matchesJsonPath"),
        ({"request": {"bodyPatterns": [{"matchesJsonSchema": {"type": 3}}]}}, "/request/bodyPatterns/0/matchesJsonSchema"),
        ({"request": {"bodyPatterns": [{"before": "now +3 days"}]}}, "/request/bodyPatterns/0/before"),
        ({"request": {"pathParameters": {"id": {"equalTo": "a"}}}}, "/request/pathParameters"),
        ({"request": {"state": [{"collection": "a"}]}}, "/request/state/0"),
        ({"request": {}, "newScenarioState": "a"}, "/newScenarioState"),
    ],
)
def test_pattern_that_makes_no_sense_is_refused(definition: Record, place: str) -> None:
    assert refused(definition) == [place]


def test_all_faults_are_told_at_once() -> None:
    assert len(refused({"request": {"urlPattern": "(", "headers": {"A": {"absent": False}, "B": {"matches": "*"}}}})) == 3


# Equality of JSON.

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2)
documents: st.SearchStrategy[JSON] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=1), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(documents, st.booleans(), st.booleans())
def test_value_equals_itself(value: JSON, any_order: bool, extra: bool) -> None:
    assert equality.equal(value, value, any_order=any_order, extra=extra)


def shuffled(value: JSON, random: Any) -> JSON:
    if isinstance(value, dict):
        return {name: shuffled(item, random) for name, item in value.items()}
    if isinstance(value, list):
        items = [shuffled(item, random) for item in value]
        random.shuffle(items)
        return items
    return value


@settings(max_examples=60, deadline=None)
@given(documents, st.randoms(use_true_random=False))
def test_order_of_arrays_can_be_ignored(value: JSON, random: Any) -> None:
    assert equality.equal(value, shuffled(value, random), any_order=True)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("xy", max_size=1), documents, max_size=3), documents)
def test_more_than_is_wanted_is_extra(value: Record, more: JSON) -> None:
    assert equality.equal(value, {**value, "more": more}, extra=True)
    assert not equality.equal(value, {**value, "more": more})


def test_items_are_paired_without_greed() -> None:
    """The first wanted item takes either, the second only one of them."""
    assert equality.equal([{"a": 1}, {"a": 1, "b": 2}], [{"a": 1, "b": 2}, {"a": 1}], any_order=True, extra=True)


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (None, False), ("1", 1), ([], {})])
def test_types_differ(one: JSON, other: JSON) -> None:
    assert not equality.equal(one, other)
