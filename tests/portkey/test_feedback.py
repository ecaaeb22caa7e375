"""Feedback through the front door. No call reads it: analytics do, from the records that are looked at here.

Source of every rule that names none: prompts-configs-guardrails, Feedback.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import NOBODY, RESEARCH, at, changes, make_key, refused, state, workspace_id

FEEDBACK = "/v1/feedback"
GOOD: Record = {"trace_id": "order-1", "value": 5, "weight": 0.5, "metadata": {"_user": "ines", "depth": {"any": [1]}}}


def save(client: Client, body: Any) -> list[str]:
    """Save feedback and return the ids."""
    reply = client.post(FEEDBACK, body)
    assert reply.status_code == 200, reply.text[:500]
    assert reply.json() == {"status": "success", "message": "Feedback saved", "feedback_ids": reply.json()["feedback_ids"]}
    return list(reply.json()["feedback_ids"])


def change(client: Client, feedback_id: str, /, **fields: Any) -> None:
    """Change a score."""
    reply = client.put(f"{FEEDBACK}/{feedback_id}", fields)
    assert reply.status_code == 200, reply.text[:500]
    assert reply.json() == {"status": "success", "message": "Feedback updated", "feedback_ids": [feedback_id]}


def record(client: Client, feedback_id: str) -> Record:
    """A score as analytics find it."""
    found: Record = client.world["feedback"].get(feedback_id)
    return found


def key_of(client: Client, workspace: str, *scopes: str) -> Client:
    """The client with the key of a workspace's service."""
    return client.as_key(make_key(client, scopes=list(scopes) or ["logs.write"], workspace_id=workspace).secret)


def test_feedback_is_kept_with_its_trace(client: Client) -> None:
    at(client, "2026-04-12T17:07:59Z")
    (feedback_id,) = save(client, GOOD)
    assert uuid.UUID(feedback_id).version == 4
    assert record(client, feedback_id) == {
        "id": feedback_id,
        **GOOD,
        "workspace_id": None,
        "created_at": "2026-04-12T17:07:59.000Z",
        "last_updated_at": "2026-04-12T17:07:59.000Z",
    }


@pytest.mark.parametrize("given", [{}, {"weight": None, "metadata": None}], ids=["absent", "null"])
def test_weight_is_one_and_metadata_empty_unless_said(client: Client, given: Record) -> None:
    (feedback_id,) = save(client, {"trace_id": "order-1", "value": -2, **given})
    kept = record(client, feedback_id)
    assert (kept["value"], kept["weight"], kept["metadata"]) == (-2, 1, {})


def test_weight_of_nothing_is_kept(client: Client) -> None:
    (feedback_id,) = save(client, {"trace_id": "order-1", "value": 0, "weight": 0})
    assert (record(client, feedback_id)["value"], record(client, feedback_id)["weight"]) == (0, 0)


def test_trace_need_not_be_known_and_takes_many(client: Client) -> None:
    """*chosen*; several on one trace are told of. By their trace they are found, newest first."""
    first, second = save(client, GOOD), save(client, {"trace_id": "order-1", "value": 1})
    save(client, {"trace_id": "order-2", "value": 1})
    assert [each["id"] for each in client.world["feedback"].newest(trace_id="order-1")] == [*second, *first]


def test_array_is_saved_in_its_order(client: Client) -> None:
    """What `bulk_create` of the Python client sends."""
    ids = save(client, [GOOD | {"value": value} for value in (1, 2, 3)])
    assert [record(client, each)["value"] for each in ids] == [1, 2, 3]


@pytest.mark.parametrize("name", ["trace_id", "traceID"])
def test_indexed_object_is_saved_in_its_order(client: Client, name: str) -> None:
    """What the Node client makes of an array; names within the array stay as its user wrote them."""
    ids = save(client, {"0": {name: "a", "value": 1}, "1": {name: "b", "value": 2, "weight": 0.1}})
    kept = [record(client, each) for each in ids]
    assert [(each["trace_id"], each["value"], each["weight"]) for each in kept] == [("a", 1, 1), ("b", 2, 0.1)]


@pytest.mark.parametrize("value", [-10, 0, 10])
@pytest.mark.parametrize("weight", [0, 0.25, 1])
def test_bounds_are_within(client: Client, value: int, weight: float) -> None:
    (feedback_id,) = save(client, {"trace_id": "order-1", "value": value, "weight": weight})
    assert (record(client, feedback_id)["value"], record(client, feedback_id)["weight"]) == (value, weight)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", 11),
        ("value", -11),
        ("value", 1.5),
        ("value", "5"),
        ("value", None),
        ("weight", -0.1),
        ("weight", 1.1),
        ("weight", "1"),
        ("metadata", "text"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("form", ["one", "array", "indexed", "update"])
def test_wrong_field_is_refused_and_nothing_is_saved(client: Client, form: str, field: str, value: Any) -> None:
    (known,) = save(client, GOOD)
    wrong = GOOD | {field: value}
    before = state(client)
    if form == "update":
        reply, place = client.put(f"{FEEDBACK}/{known}", {"value": 1, field: value}), f"/{field}"
    else:
        forms: dict[str, tuple[Any, str]] = {
            "one": (wrong, f"/{field}"),
            "array": ([GOOD, wrong], f"/1/{field}"),
            "indexed": ({"0": GOOD, "1": wrong}, f"/1/{field}"),
        }
        body, place = forms[form]
        reply = client.post(FEEDBACK, body)
    assert refused(reply, 400, "AB01")["violations"][0]["pointer"] == place
    assert state(client) == before


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "/trace_id"),
        ({"value": 5}, "/trace_id"),
        ({"trace_id": "a"}, "/value"),
        ({"trace_id": "", "value": 5}, "/trace_id"),
        ([], ""),
        ([{"trace_id": "a"}], "/0/value"),
        ({"0": {"traceID": "a"}}, "/0/value"),
        ({"0": {"value": 5}}, "/0"),
        (None, ""),
        ("good", ""),
    ],
    ids=repr,
)
def test_trace_and_value_are_needed(client: Client, body: Any, place: str) -> None:
    assert refused(client.post(FEEDBACK, body), 400, "AB01")["violations"][0]["pointer"] == place


def test_feedback_belongs_to_the_workspace_of_the_key(client: Client) -> None:
    caller = key_of(client, RESEARCH)
    (feedback_id,) = save(caller, GOOD)
    assert record(client, feedback_id)["workspace_id"] == workspace_id(client, RESEARCH)


@pytest.mark.parametrize("scope", ["logs.write", "feedbacks.write"])
def test_either_scope_will_do(client: Client, scope: str) -> None:
    """Scopes conflict: two pages name two scopes."""
    (feedback_id,) = save(key_of(client, RESEARCH, scope), GOOD)
    change(key_of(client, RESEARCH, scope), feedback_id, value=1)


def test_other_scopes_will_not_do(client: Client) -> None:
    refused(key_of(client, RESEARCH, "logs.view").post(FEEDBACK, GOOD), 403, "AB03")


# Update


def test_update_changes_what_is_sent(client: Client) -> None:
    """*chosen*: the value is required, weight and metadata stay unless they are sent."""
    (feedback_id,) = save(client, GOOD)
    before = record(client, feedback_id)
    at(client, "2031-01-01T00:00:00Z")
    change(client, feedback_id, value=-3)
    after = record(client, feedback_id)
    assert (after["value"], after["last_updated_at"]) == (-3, "2031-01-01T00:00:00.000Z")
    assert changes(before, after) == {"value", "last_updated_at"}


def test_update_replaces_metadata_as_a_whole(client: Client) -> None:
    (feedback_id,) = save(client, GOOD)
    change(client, feedback_id, value=5, weight=1, metadata={"reason": "late"})
    kept = record(client, feedback_id)
    assert (kept["weight"], kept["metadata"]) == (1, {"reason": "late"})


def test_null_clears_weight_and_metadata(client: Client) -> None:
    (feedback_id,) = save(client, GOOD)
    change(client, feedback_id, value=5, weight=None, metadata=None)
    kept = record(client, feedback_id)
    assert (kept["weight"], kept["metadata"]) == (1, {})


def test_update_ignores_id_and_trace(client: Client) -> None:
    """The Node client repeats the id in the body."""
    (feedback_id,) = save(client, GOOD)
    change(client, feedback_id, value=5, feedback_id=NOBODY, trace_id="other", id=NOBODY)
    assert record(client, feedback_id)["trace_id"] == "order-1"
    assert len(client.world["feedback"]) == 1


def test_update_needs_a_value(client: Client) -> None:
    (feedback_id,) = save(client, GOOD)
    data = refused(client.put(f"{FEEDBACK}/{feedback_id}", {"weight": 1}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/value"


def test_unknown_feedback_is_not_found(client: Client) -> None:
    """Conventions, Missing or other-workspace resource: 404 AB08."""
    refused(client.put(f"{FEEDBACK}/{NOBODY}", {"value": 5}), 404, "AB08")


def test_feedback_of_another_workspace_is_forbidden(client: Client) -> None:
    (feedback_id,) = save(key_of(client, RESEARCH), GOOD)
    before = record(client, feedback_id)
    refused(key_of(client, "ws-produc-71b04e").put(f"{FEEDBACK}/{feedback_id}", {"value": 1}), 403, "AB03")
    assert record(client, feedback_id) == before
    change(client, feedback_id, value=1)
    assert record(client, feedback_id)["workspace_id"] == workspace_id(client, RESEARCH)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_feedback_is_neither_read_nor_deleted(client: Client, method: str) -> None:
    (feedback_id,) = save(client, GOOD)
    assert client.call(method, f"{FEEDBACK}/{feedback_id}").status_code == 405
    assert client.call(method, FEEDBACK).status_code == 405
