"""Conditional routing: which queries hold. Source: gateway-data-plane, Strategies: conditional, quirks included."""

from __future__ import annotations

import pytest

from mockserver.contract.problems import Problem
from mockserver.portkey.gateway.conditions import chosen, holds
from mockserver.values import JSON, Record

CONTEXT: Record = {
    "metadata": {"plan": "paid", "seats": "12", "note": "3 of 4"},
    "params": {"model": "gpt-4o", "temperature": 0.5, "stream": True, "n": 1, "nested": {"deep": 1}},
    "url": {"pathname": "/v1/chat/completions"},
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, True),
        ({"metadata.plan": "paid"}, True),
        ({"metadata.plan": "free"}, False),
        ({"metadata.plan": {"$eq": "paid"}}, True),
        ({"metadata.plan": {"$ne": "paid"}}, False),
        ({"metadata.missing": "paid"}, False),
        ({"metadata.missing": {"$eq": "paid"}}, False),
        # In the gateway's code a missing value passes these two.
        ({"metadata.missing": {"$ne": "paid"}}, True),
        ({"metadata.missing": {"$nin": ["paid"]}}, True),
        ({"metadata.missing": {"$in": ["paid"]}}, False),
        ({"metadata.missing": {"$gt": 1}}, False),
        ({"metadata.missing": {"$regex": "."}}, False),
        # Strict: a text is no number, and true is not 1.
        ({"metadata.seats": 12}, False),
        ({"metadata.seats": "12"}, True),
        ({"params.stream": True}, True),
        ({"params.stream": 1}, False),
        ({"params.n": 1}, True),
        ({"params.n": 1.0}, True),
        ({"params.n": True}, False),
        # Comparisons read floats, also those that a text begins with.
        ({"metadata.seats": {"$gt": 11}}, True),
        ({"metadata.seats": {"$gt": "12"}}, False),
        ({"metadata.seats": {"$gte": "12"}}, True),
        ({"metadata.seats": {"$lt": 12.5}}, True),
        ({"metadata.seats": {"$lte": 11.9}}, False),
        ({"metadata.note": {"$lt": 4}}, True),
        ({"metadata.plan": {"$gt": 0}}, False),
        ({"params.stream": {"$gte": 1}}, False),
        ({"metadata.plan": {"$in": ["free", "paid"]}}, True),
        ({"metadata.plan": {"$nin": ["free", "paid"]}}, False),
        # Lists are needed.
        ({"metadata.plan": {"$in": "paid"}}, False),
        ({"metadata.plan": {"$nin": "free"}}, False),
        ({"params.model": {"$regex": "^gpt-4"}}, True),
        ({"params.model": {"$regex": "GPT"}}, False),
        ({"params.model": {"$regex": "("}}, False),
        # Several operators must all hold; those behind a regular expression are not looked at.
        ({"params.temperature": {"$gt": 0.1, "$lt": 0.6}}, True),
        ({"params.temperature": {"$gt": 0.1, "$lt": 0.2}}, False),
        ({"params.model": {"$regex": "gpt", "$eq": "other"}}, True),
        ({"params.model": {"$eq": "other", "$regex": "gpt"}}, False),
        ({"metadata.plan": "paid", "params.model": "gpt-4o"}, True),
        ({"metadata.plan": "paid", "params.model": "other"}, False),
        ({"$and": [{"metadata.plan": "paid"}, {"params.n": 1}]}, True),
        ({"$and": [{"metadata.plan": "paid"}, {"params.n": 2}]}, False),
        ({"$or": [{"metadata.plan": "free"}, {"params.n": 1}]}, True),
        ({"$or": [{"metadata.plan": "free"}, {"params.n": 2}]}, False),
        ({"$or": [{"$and": [{"params.n": 1}, {"params.stream": True}]}, {"params.n": 2}]}, True),
        # What stands behind one of these two is not looked at.
        ({"$or": [{"params.n": 1}], "metadata.plan": "free"}, True),
        ({"metadata.plan": "free", "$or": [{"params.n": 1}]}, False),
        ({"url.pathname": "/v1/chat/completions"}, True),
        ({"url.pathname": {"$regex": "embeddings$"}}, False),
        # Two segments are read and no more.
        ({"params.nested.deep": {"$ne": 1}}, True),
        ({"params.nested": {"$eq": {"deep": 1}}}, True),
        ({"elsewhere.x": "y"}, False),
        ({"params": "y"}, False),
    ],
    ids=str,
)
def test_query_holds(query: Record, expected: bool) -> None:
    assert holds(query, CONTEXT) is expected


def test_unknown_operator_is_refused() -> None:
    with pytest.raises(Problem, match=r"Unsupported operator used in the query router: \$like"):
        holds({"metadata.plan": {"$like": "p%"}}, CONTEXT)


TARGETS: list[Record] = [{"name": "small"}, {"name": "large"}, {}]


def strategy(*conditions: tuple[Record, str], default: JSON = None) -> Record:
    said: Record = {"mode": "conditional", "conditions": [{"query": query, "then": name} for query, name in conditions]}
    return said if default is None else {**said, "default": default}


def test_first_condition_that_holds_wins() -> None:
    said = strategy(({"params.n": 2}, "small"), ({"params.n": 1}, "large"), ({}, "small"))
    assert chosen(said, TARGETS, CONTEXT) == 1


def test_default_is_taken_when_none_holds() -> None:
    assert chosen(strategy(({"params.n": 2}, "large"), default="small"), TARGETS, CONTEXT) == 0


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"mode": "conditional", "conditions": []}, "No conditions passed in the query router"),
        (strategy(({"params.n": 2}, "large")), "Query router did not resolve to any valid target"),
        (strategy(({}, "huge")), "Invalid target name found in the query router: huge"),
    ],
    ids=["none", "no-default", "no-target"],
)
def test_router_that_finds_nothing_is_refused(said: Record, text: str) -> None:
    with pytest.raises(Problem) as caught:
        chosen(said, TARGETS, CONTEXT)
    assert (caught.value.detail, caught.value.kind.status) == (text, 400)
