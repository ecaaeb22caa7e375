"""Rate limits policies through the front door; what they do to calls is in test_policies.

Source of every rule that names none: governance-mcp-observability, Rate-limits policies.
"""

from __future__ import annotations

import uuid

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.policing import SCOPES, TUESDAY, Policies
from tests.portkey.team import (
    NOBODY,
    PRODUCTION,
    RESEARCH,
    at,
    changes,
    done,
    make_key,
    read,
    refused,
    state,
    workspace_id,
)

RATES = Policies(
    "/v1/policies/rate-limits",
    {
        "name": "Gentle",
        "conditions": [{"key": "model", "value": "@openai/gpt-4o"}],
        "group_by": [{"key": "api_key"}],
        "type": "requests",
        "unit": "rpm",
        "value": 30,
        "workspace_id": PRODUCTION,
    },
)
POLICIES, policy, make, get, names = RATES.path, RATES.body, RATES.make, RATES.get, RATES.names


def test_create_tells_only_the_id(client: Client) -> None:
    """With its own object: the published example names the other kind of policy."""
    body = client.post(POLICIES, policy()).json()
    assert body == {"id": body["id"], "object": "policy_rate_limits"}
    assert uuid.UUID(body["id"]).version == 4


def test_plain_policy_reads_with_every_field(client: Client) -> None:
    at(client, TUESDAY)
    made = make(client)
    assert get(client, made) == {
        "id": made,
        "object": "policy_rate_limits",
        "name": "Gentle",
        "description": None,
        "conditions": [{"key": "model", "value": "@openai/gpt-4o"}],
        "group_by": [{"key": "api_key"}],
        "type": "requests",
        "unit": "rpm",
        "value": 30,
        "target": "llm",
        "status": "active",
        "workspace_id": workspace_id(client),
        "organisation_id": client.world.facts.get("organisation_id"),
        "created_at": "2026-05-05T09:07:35.000Z",
        "last_updated_at": "2026-05-05T09:07:35.000Z",
    }


@pytest.mark.parametrize("unit", ["rpm", "rph", "rpd", "rpw"])
def test_units(client: Client, unit: str) -> None:
    assert get(client, make(client, unit=unit))["unit"] == unit


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"conditions": []}, "/conditions"),
        ({"group_by": []}, "/group_by"),
        ({"type": "cost"}, "/type"),
        ({"unit": "tpd"}, "/unit"),
        ({"value": "many"}, "/value"),
        ({"value": -1}, "/value"),
        ({"target": "everything"}, "/target"),
        ({"workspace_id": None}, "/workspace_id"),
    ],
)
def test_bad_field_is_refused_with_its_place(client: Client, fields: Record, pointer: str) -> None:
    before = state(client)
    data = refused(client.post(POLICIES, policy(**fields)), 400, "AB01")
    assert pointer in {violation["pointer"] for violation in data["violations"]}
    assert state(client) == before


@pytest.mark.parametrize("field", ["conditions", "group_by", "type", "unit", "value"])
def test_needed_field_is_needed(client: Client, field: str) -> None:
    body = policy()
    del body[field]
    refused(client.post(POLICIES, body), 400, "AB01")


def test_policy_for_tools_does_without_groups(client: Client) -> None:
    body = policy(target="mcp_tools", conditions=[{"key": "mcp_tool", "value": "search"}])
    del body["group_by"]
    shown = get(client, client.post(POLICIES, body).json()["id"])
    assert shown["target"] == "mcp_tools"
    assert "group_by" not in shown


def test_list_is_newest_first_and_of_one_workspace(client: Client) -> None:
    make(client, name="first")
    second = make(client, name="second")
    make(client, name="elsewhere", workspace_id=RESEARCH)
    assert names(client) == ["second", "first"]
    assert read(client, POLICIES, workspace_id=PRODUCTION)["data"][0] == get(client, second)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "GENT"}, ["Gentle"]),
        ({"type": "tokens"}, ["Tokens"]),
        ({"unit": "rpd"}, ["Daily"]),
        ({"target": "mcp_tools"}, ["Tools"]),
        ({"target": "llm", "unit": "rpm"}, ["Tokens", "Gentle"]),
        ({"status": "archived"}, ["Gone"]),
        ({"organisation_id": NOBODY}, []),
        ({"page_size": 2, "current_page": 1}, ["Daily", "Gentle"]),
    ],
)
def test_list_is_filtered_and_paged(client: Client, query: Record, found: list[str]) -> None:
    make(client)
    make(client, name="Daily", unit="rpd")
    make(client, name="Tokens", type="tokens")
    make(client, name="Tools", target="mcp_tools")
    done(client.delete(f"{POLICIES}/{make(client, name='Gone')}"))
    assert names(client, **query) == found


def test_list_without_a_workspace_is_not_found(client: Client) -> None:
    """Cross-cutting rules: 404 AB02, not 400."""
    refused(client.get(POLICIES), 404, "AB02")


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"name": "Other"}, {"name"}),
        ({"description": "Why"}, {"description"}),
        ({"unit": "rph"}, {"unit"}),
        ({"value": 60.0}, {"value"}),
        ({"conditions": [{"key": "api_key", "value": "*"}]}, {"conditions"}),
        ({"type": "tokens", "group_by": [{"key": "model"}], "target": "mcp_tools", "value": 1}, {"value"}),
    ],
)
def test_update_changes_what_is_sent(client: Client, fields: Record, changed: set[str]) -> None:
    at(client, TUESDAY)
    made = make(client)
    before = get(client, made)
    at(client, "2026-05-05T10:00:00Z")
    done(client.put(f"{POLICIES}/{made}", fields))
    after = get(client, made)
    assert changes(before, after) == changed | {"last_updated_at"}
    assert {name: after[name] for name in changed} == {name: fields[name] for name in changed}


def test_empty_update_changes_nothing(client: Client) -> None:
    at(client, TUESDAY)
    made = make(client)
    before = get(client, made)
    at(client, "2026-05-05T10:00:00Z")
    done(client.put(f"{POLICIES}/{made}", {}))
    assert get(client, made) == before


@pytest.mark.parametrize("fields", [{"name": None}, {"unit": "rps"}, {"value": None}, {"conditions": []}])
def test_bad_update_changes_nothing(client: Client, fields: Record) -> None:
    made = make(client)
    before = state(client)
    refused(client.put(f"{POLICIES}/{made}", fields), 400, "AB01")
    assert state(client) == before


def test_delete_archives(client: Client) -> None:
    made = make(client)
    done(client.delete(f"{POLICIES}/{made}"))
    for method in ("GET", "PUT", "DELETE"):
        refused(client.call(method, f"{POLICIES}/{made}", {}), 404, "AB08")
    assert get(client, made, status="archived")["status"] == "archived"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_policy_is_not_found(client: Client, method: str) -> None:
    refused(client.call(method, f"{POLICIES}/{NOBODY}", {}), 404, "AB08")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_policy_of_another_workspace_is_forbidden(client: Client, method: str) -> None:
    foreign = make(client, workspace_id=RESEARCH)
    caller = client.as_key(make_key(client, scopes=SCOPES).secret)
    refused(caller.call(method, f"{POLICIES}/{foreign}", {}), 403, "AB03")


def test_workspace_key_is_pinned_to_its_workspace(client: Client) -> None:
    """Cross-cutting rules: Auth: the argument is ignored."""
    make(client, name="foreign", workspace_id=RESEARCH)
    caller = client.as_key(make_key(client, scopes=SCOPES).secret)
    assert get(caller, make(caller, name="own", workspace_id=RESEARCH))["workspace_id"] == workspace_id(client)
    assert names(caller, workspace_id=RESEARCH) == ["own"]


@pytest.mark.parametrize(
    ("verb", "method", "path"),
    [
        ("create", "POST", ""),
        ("list", "GET", ""),
        ("read", "GET", "/{id}"),
        ("update", "PUT", "/{id}"),
        ("delete", "DELETE", "/{id}"),
    ],
)
def test_each_operation_asks_for_its_scope(client: Client, verb: str, method: str, path: str) -> None:
    path = POLICIES + path.format(id=make(client))
    body = policy() if method == "POST" else {}
    without = client.as_key(make_key(client, scopes=[scope for scope in SCOPES if scope != f"policies.{verb}"]).secret)
    refused(without.call(method, path, body), 403, "AB03")
    only = client.as_key(make_key(client, scopes=[f"policies.{verb}"]).secret)
    assert only.call(method, path, body).status_code == 200


def test_sequence_as_terraform_makes_it(client: Client) -> None:
    """Create, read by the returned id, plan again, change one field, delete; nothing but the name can be left unset."""
    at(client, TUESDAY)
    body = policy(conditions=[{"key": "workspace_id", "value": workspace_id(client)}], value=100.0)
    del body["name"]
    made = client.post(POLICIES, body).json()["id"]
    first = get(client, made)
    assert {name: first[name] for name in body if name != "workspace_id"} == {
        name: value for name, value in body.items() if name != "workspace_id"
    }
    assert first["name"] is None
    assert get(client, made) == first

    at(client, "2026-05-05T10:00:00Z")
    done(client.put(f"{POLICIES}/{made}", {"conditions": body["conditions"], "unit": "rpm", "value": 200}))
    second = get(client, made)
    assert second == first | {"value": 200, "last_updated_at": "2026-05-05T10:00:00.000Z"}

    done(client.put(f"{POLICIES}/{made}", {"conditions": body["conditions"], "unit": "rpd", "value": 200}))
    assert get(client, made) == second | {"unit": "rpd"}

    done(client.delete(f"{POLICIES}/{made}"))
    refused(client.get(f"{POLICIES}/{made}"), 404, "AB08")
    assert read(client, POLICIES, workspace_id=PRODUCTION)["data"] == []
