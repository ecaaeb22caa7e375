"""Usage limits policies through the front door; what they do to calls is in test_policies.

Source of every rule that names none: governance-mcp-observability, Usage-limits policies.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

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
    key_with,
    make_key,
    read,
    refused,
    state,
    workspace_id,
)

BUDGETS = Policies(
    "/v1/policies/usage-limits",
    {
        "name": "Per person",
        "conditions": [{"key": "metadata.team", "value": "support"}],
        "group_by": [{"key": "metadata._user"}],
        "type": "requests",
        "credit_limit": 2,
        "workspace_id": PRODUCTION,
    },
)
POLICIES, policy, make, get, names = BUDGETS.path, BUDGETS.body, BUDGETS.make, BUDGETS.get, BUDGETS.names
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")


def call(client: Client, user: str = "ines", team: str = "support") -> int:
    """Make a call of a person and return its status."""
    headers = {"x-portkey-metadata": f'{{"team": "{team}", "_user": "{user}"}}'}
    chat = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    return client.post("/v1/chat/completions", chat, headers=headers).status_code


def entities(client: Client, policy_id: str, **query: Any) -> list[Record]:
    """The groups of a policy."""
    rows: list[Record] = read(client, f"{POLICIES}/{policy_id}/entities", **query)["data"]
    return rows


def workspace_key(client: Client, slug: str = PRODUCTION) -> Client:
    """The same world, called with a key of a workspace that may do all with policies."""
    return key_with(client, *SCOPES, workspace=slug)


# Create and read


def test_create_tells_only_the_id(client: Client) -> None:
    body = client.post(POLICIES, policy()).json()
    assert body == {"id": body["id"], "object": "policy_usage_limits"}
    assert uuid.UUID(body["id"]).version == 4


def test_plain_policy_reads_with_every_field(client: Client) -> None:
    at(client, TUESDAY)
    made = make(client)
    assert get(client, made) == {
        "id": made,
        "object": "policy_usage_limits",
        "name": "Per person",
        "description": None,
        "conditions": [{"key": "metadata.team", "value": "support"}],
        "group_by": [{"key": "metadata._user"}],
        "type": "requests",
        "credit_limit": 2,
        "alert_threshold": None,
        "periodic_reset": None,
        "periodic_reset_days": None,
        "next_usage_reset_at": None,
        "last_reset_at": None,
        "status": "active",
        "workspace_id": workspace_id(client),
        "organisation_id": client.world.facts.get("organisation_id"),
        "created_at": "2026-05-05T09:07:35.000Z",
        "last_updated_at": "2026-05-05T09:07:35.000Z",
    }


def test_name_may_be_left_out(client: Client) -> None:
    body = policy()
    del body["name"]
    assert get(client, client.post(POLICIES, body).json()["id"])["name"] is None


@pytest.mark.parametrize("form", ["id", "slug"])
def test_workspace_is_named_by_id_or_slug_and_read_by_id(client: Client, form: str) -> None:
    known = workspace_id(client)
    assert get(client, make(client, workspace_id=known if form == "id" else PRODUCTION))["workspace_id"] == known


@pytest.mark.parametrize(
    "conditions",
    [
        [{"key": "workspace_id", "value": PRODUCTION}],
        [{"key": "model", "value": ["gpt-4", "gpt-4o"], "excludes": ["gpt-4o-mini"]}],
        [{"key": "api_key", "value": "*"}, {"key": "provider", "excludes": "openai"}],
    ],
)
def test_conditions_come_back_as_sent(client: Client, conditions: list[Record]) -> None:
    """Terraform compares them."""
    assert get(client, make(client, conditions=conditions))["conditions"] == conditions


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"conditions": []}, "/conditions"),
        ({"group_by": []}, "/group_by"),
        ({"conditions": ["api_key"]}, "/conditions/0"),
        ({"conditions": [{"field": "model", "operator": "eq", "value": "gpt-4o"}]}, "/conditions/0/key"),
        ({"conditions": [{"key": "model"}]}, "/conditions/0"),
        ({"group_by": ["api_key"]}, "/group_by/0"),
        ({"type": "minutes"}, "/type"),
        ({"credit_limit": -1}, "/credit_limit"),
        ({"alert_threshold": -1}, "/alert_threshold"),
        ({"alert_threshold": 2}, "/alert_threshold"),
        ({"alert_threshold": 3}, "/alert_threshold"),
        ({"periodic_reset": "daily"}, "/periodic_reset"),
        ({"periodic_reset_days": 366}, "/periodic_reset_days"),
        ({"periodic_reset": "weekly", "periodic_reset_days": 7}, "/periodic_reset"),
        ({"name": "n" * 256}, "/name"),
        ({"description": "d" * 501}, "/description"),
        ({"workspace_id": None}, "/workspace_id"),
    ],
)
def test_bad_field_is_refused_with_its_place(client: Client, fields: Record, pointer: str) -> None:
    before = state(client)
    data = refused(client.post(POLICIES, policy(**fields)), 400, "AB01")
    assert pointer in {violation["pointer"] for violation in data["violations"]}
    assert state(client) == before


@pytest.mark.parametrize("field", ["conditions", "group_by", "type", "credit_limit"])
def test_needed_field_is_needed(client: Client, field: str) -> None:
    body = policy()
    del body[field]
    refused(client.post(POLICIES, body), 400, "AB01")


def test_unknown_workspace_is_forbidden(client: Client) -> None:
    refused(client.post(POLICIES, policy(workspace_id="ws-nowher-000000")), 403, "AB03")


def test_unknown_fields_are_ignored(client: Client) -> None:
    assert "colour" not in get(client, make(client, colour="red"))


@pytest.mark.parametrize("credit_limit", [0, 0.5, 40, 40.0])
def test_limit_reads_as_a_number(client: Client, credit_limit: float) -> None:
    assert get(client, make(client, credit_limit=credit_limit))["credit_limit"] == credit_limit


# Resets


@pytest.mark.parametrize(
    ("fields", "next_reset"),
    [
        ({"periodic_reset": "monthly"}, "2026-06-01T00:00:00.000Z"),
        ({"periodic_reset": "weekly"}, "2026-05-11T00:00:00.000Z"),
        ({"periodic_reset_days": 10}, "2026-05-15T00:00:00.000Z"),
        ({"next_usage_reset_at": "2026-05-20T15:30:00+02:00"}, "2026-05-20T00:00:00.000Z"),
        ({"next_usage_reset_at": "2026-05-05T17:00:00Z"}, "2026-05-06T00:00:00.000Z"),
        ({"next_usage_reset_at": "2026-05-04T17:00:00Z"}, None),
        ({"periodic_reset": "monthly", "next_usage_reset_at": "2026-05-20T00:00:00Z"}, "2026-05-20T00:00:00.000Z"),
        ({"periodic_reset": "monthly", "next_usage_reset_at": "2026-05-04T17:00:00Z"}, "2026-06-01T00:00:00.000Z"),
    ],
)
def test_next_reset_is_a_midnight(client: Client, fields: Record, next_reset: str | None) -> None:
    """Weeks begin on Monday here; the first of the month; so many days from today's midnight (*chosen*, as for keys)."""
    at(client, TUESDAY)
    assert get(client, make(client, **fields))["next_usage_reset_at"] == next_reset


@pytest.mark.parametrize(
    ("fields", "later", "last", "following"),
    [
        ({"periodic_reset": "weekly"}, "2026-05-11T00:00:00Z", "2026-05-11T00:00:00.000Z", "2026-05-18T00:00:00.000Z"),
        ({"periodic_reset": "weekly"}, "2026-05-29T12:00:00Z", "2026-05-25T00:00:00.000Z", "2026-06-01T00:00:00.000Z"),
        ({"periodic_reset": "monthly"}, "2026-08-02T12:00:00Z", "2026-08-01T00:00:00.000Z", "2026-09-01T00:00:00.000Z"),
        ({"periodic_reset_days": 3}, "2026-05-15T12:00:00Z", "2026-05-14T00:00:00.000Z", "2026-05-17T00:00:00.000Z"),
        ({"next_usage_reset_at": "2026-05-20T00:00:00Z"}, "2026-05-21T12:00:00Z", "2026-05-20T00:00:00.000Z", None),
    ],
)
def test_reset_by_the_clock_frees_every_group(
    client: Client, fields: Record, later: str, last: str, following: str | None
) -> None:
    at(client, TUESDAY)
    made = make(client, **fields)
    assert [call(client), call(client), call(client), call(client, "omar")] == [200, 200, 412, 200]
    at(client, later)
    shown = get(client, made, include_usage=True)
    assert (shown["last_reset_at"], shown["next_usage_reset_at"]) == (last, following)
    assert {usage["current_usage"] for usage in shown["value_key_usage_map"].values()} == {0}
    assert call(client) == 200


def test_a_call_alone_brings_the_reset_about(client: Client) -> None:
    at(client, TUESDAY)
    made = make(client, periodic_reset="weekly")
    assert [call(client), call(client), call(client)] == [200, 200, 412]
    at(client, "2026-05-11T00:00:00Z")
    assert call(client) == 200
    assert entities(client, made)[0]["current_usage"] == 1


def test_a_second_before_the_reset_nothing_is_free(client: Client) -> None:
    at(client, TUESDAY)
    make(client, periodic_reset="weekly")
    assert [call(client), call(client)] == [200, 200]
    at(client, "2026-05-10T23:59:59Z")
    assert call(client) == 412


# List


def test_list_is_newest_first_and_of_one_workspace(client: Client) -> None:
    make(client, name="first")
    make(client, name="second")
    make(client, name="elsewhere", workspace_id=RESEARCH)
    assert names(client) == ["second", "first"]
    assert names(client, workspace_id=workspace_id(client, RESEARCH)) == ["elsewhere"]


def test_list_items_are_as_single_reads(client: Client) -> None:
    made = make(client)
    body = read(client, POLICIES, workspace_id=PRODUCTION)
    assert body == {"object": "list", "total": 1, "data": [get(client, made)]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "PERSON"}, ["Per person"]),
        ({"type": "cost"}, ["Dear"]),
        ({"type": "cost", "search": "person"}, []),
        ({"status": "archived"}, ["Gone"]),
        ({"status": "active"}, ["Dear", "Per person"]),
        ({"organisation_id": NOBODY}, []),
        ({"page_size": 1}, ["Dear"]),
        ({"page_size": 1, "current_page": 1}, ["Per person"]),
        ({"page_size": 1, "current_page": 2}, []),
    ],
)
def test_list_is_filtered_and_paged(client: Client, query: Record, found: list[str]) -> None:
    make(client)
    make(client, name="Dear", type="cost")
    done(client.delete(f"{POLICIES}/{make(client, name='Gone')}"))
    assert names(client, **query) == found


def test_total_counts_before_paging(client: Client) -> None:
    for _ in range(3):
        make(client)
    assert read(client, POLICIES, workspace_id=PRODUCTION, page_size=2)["total"] == 3


def test_list_without_a_workspace_is_not_found(client: Client) -> None:
    """Cross-cutting rules: 404 AB02, not 400."""
    refused(client.get(POLICIES), 404, "AB02")


# Update


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"name": "Other"}, {"name"}),
        ({"description": "Why"}, {"description"}),
        ({"conditions": [{"key": "api_key", "value": "*"}]}, {"conditions"}),
        ({"credit_limit": 60}, {"credit_limit"}),
        ({"alert_threshold": 1}, {"alert_threshold"}),
        ({"alert_threshold": None}, {"alert_threshold"}),
        ({"periodic_reset": "weekly"}, {"periodic_reset", "next_usage_reset_at"}),
        ({"periodic_reset": None}, {"periodic_reset", "next_usage_reset_at"}),
        ({"periodic_reset_days": 45}, {"periodic_reset", "periodic_reset_days", "next_usage_reset_at"}),
        ({"periodic_reset": None, "periodic_reset_days": 45}, {"periodic_reset", "periodic_reset_days", "next_usage_reset_at"}),
        ({"next_usage_reset_at": "2026-05-20T09:00:00Z"}, {"next_usage_reset_at"}),
        ({"type": "cost", "group_by": [{"key": "api_key"}], "credit_limit": 3}, {"credit_limit"}),
    ],
)
def test_update_changes_what_is_sent(client: Client, fields: Record, changed: set[str]) -> None:
    at(client, TUESDAY)
    made = make(client, alert_threshold=1.5, periodic_reset="monthly")
    before = get(client, made)
    at(client, "2026-05-05T10:00:00Z")
    done(client.put(f"{POLICIES}/{made}", fields))
    after = get(client, made)
    assert changes(before, after) == changed | {"last_updated_at"}
    assert {name: after[name] for name in fields.keys() & changed - {"next_usage_reset_at"}} == {
        name: fields[name] for name in fields.keys() & changed - {"next_usage_reset_at"}
    }


def test_days_of_a_reset_count_from_the_update(client: Client) -> None:
    """The Terraform provider sends the days only when they change: the service counts anew whenever they are sent."""
    at(client, TUESDAY)
    made = make(client, periodic_reset_days=30)
    at(client, "2026-05-15T10:00:00Z")
    done(client.put(f"{POLICIES}/{made}", {"credit_limit": 5}))
    assert get(client, made)["next_usage_reset_at"] == "2026-06-04T00:00:00.000Z"
    done(client.put(f"{POLICIES}/{made}", {"periodic_reset_days": 30}))
    assert get(client, made)["next_usage_reset_at"] == "2026-06-14T00:00:00.000Z"


@pytest.mark.parametrize("body", [{}, {"type": "cost"}])
def test_empty_update_changes_nothing(client: Client, body: Record) -> None:
    made = make(client)
    before = get(client, made)
    client.world.clock.freeze(client.world.clock.now().replace(year=2030))
    done(client.put(f"{POLICIES}/{made}", body))
    assert get(client, made) == before


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None},
        {"conditions": []},
        {"credit_limit": 1},
        {"alert_threshold": 2},
        {"periodic_reset": "weekly", "periodic_reset_days": 7},
        {"reset_usage_for_value": "metadata._user:nobody"},
    ],
)
def test_bad_update_changes_nothing(client: Client, fields: Record) -> None:
    made = make(client, alert_threshold=1)
    before = state(client)
    refused(client.put(f"{POLICIES}/{made}", fields), 400, "AB01")
    assert state(client) == before


def test_changed_conditions_hold_for_the_next_call(client: Client) -> None:
    """And what was used stays: the Terraform provider changes them in place for that reason."""
    made = make(client)
    assert [call(client), call(client), call(client)] == [200, 200, 412]
    done(client.put(f"{POLICIES}/{made}", {"conditions": [{"key": "metadata.team", "value": "sales"}]}))
    assert [call(client), call(client, team="sales")] == [200, 412]


# Entities, and what resets them


def test_first_call_of_a_group_makes_an_entity(client: Client) -> None:
    made = make(client)
    assert entities(client, made) == []
    call(client)
    (entity,) = entities(client, made)
    assert entity == {"id": entity["id"], "value_key": "metadata._user:ines", "current_usage": 1}
    uuid.UUID(entity["id"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["metadata._user:omar", "metadata._user:ines"]),
        ({"status": "exhausted"}, ["metadata._user:ines"]),
        ({"status": "active"}, ["metadata._user:omar"]),
        ({"search": "OMA"}, ["metadata._user:omar"]),
        ({"page_size": 1}, ["metadata._user:omar"]),
        ({"page_size": 1, "current_page": 1}, ["metadata._user:ines"]),
    ],
)
def test_entities_are_filtered_and_paged(client: Client, query: Record, found: list[str]) -> None:
    made = make(client)
    for user in ("ines", "ines", "omar"):
        call(client, user)
    assert [each["value_key"] for each in entities(client, made, **query)] == found


def test_entities_tell_their_total(client: Client) -> None:
    made = make(client)
    for user in ("ines", "omar"):
        call(client, user)
    body = read(client, f"{POLICIES}/{made}/entities", page_size=1)
    assert (body["object"], body["total"], len(body["data"])) == ("list", 2, 1)


def test_page_of_entities_has_a_hundred_at_most(client: Client) -> None:
    refused(client.get(f"{POLICIES}/{make(client)}/entities?page_size=101"), 400, "AB01")


def test_usage_is_told_on_request_only(client: Client) -> None:
    made = make(client)
    call(client)
    assert "value_key_usage_map" not in get(client, made)
    assert get(client, made, include_usage=True)["value_key_usage_map"] == {
        "metadata._user:ines": {
            "current_usage": 1,
            "status": "active",
            "is_threshold_alerts_sent": False,
            "is_exhausted_alerts_sent": False,
        }
    }


def test_reset_frees_one_group(client: Client) -> None:
    made = make(client)
    for user in ("ines", "ines", "omar", "omar"):
        call(client, user)
    ines = entities(client, made, search="ines")[0]
    done(client.put(f"{POLICIES}/{made}/entities/{ines['id']}/reset"))
    assert [each["current_usage"] for each in entities(client, made)] == [2, 0]
    assert [call(client, "ines"), call(client, "omar")] == [200, 412]


def test_reset_takes_any_body(client: Client) -> None:
    """Clients send an empty object, or nothing."""
    made = make(client)
    call(client)
    done(client.put(f"{POLICIES}/{made}/entities/{entities(client, made)[0]['id']}/reset", {}))


def test_reset_of_unknown_group_is_not_found(client: Client) -> None:
    made, other = make(client), make(client, name="Other")
    call(client)
    foreign = entities(client, other)[0]["id"]
    for policy_id, entity_id in ((made, NOBODY), (made, foreign), (NOBODY, foreign)):
        refused(client.put(f"{POLICIES}/{policy_id}/entities/{entity_id}/reset"), 404, "AB08")


def test_update_can_reset_a_group_by_its_value(client: Client) -> None:
    made = make(client)
    for user in ("ines", "ines", "omar"):
        call(client, user)
    before = get(client, made)
    done(client.put(f"{POLICIES}/{made}", {"reset_usage_for_value": "metadata._user:ines"}))
    assert [each["current_usage"] for each in entities(client, made)] == [1, 0]
    assert get(client, made) == before


def test_higher_limit_lets_an_exhausted_group_go_on(client: Client) -> None:
    made = make(client)
    assert [call(client), call(client), call(client)] == [200, 200, 412]
    done(client.put(f"{POLICIES}/{made}", {"credit_limit": 3}))
    assert entities(client, made, status="active")[0]["current_usage"] == 2
    assert [call(client), call(client)] == [200, 412]


# Mails


def told(client: Client) -> list[tuple[str, float]]:
    """The mails so far, oldest first."""
    return [(event.kind, event.details["usage"]) for event in client.world.journal.events]


def flags(client: Client, policy_id: str) -> tuple[bool, bool]:
    """Which mails about the only group are out."""
    (usage,) = get(client, policy_id, include_usage=True)["value_key_usage_map"].values()
    return usage["is_threshold_alerts_sent"], usage["is_exhausted_alerts_sent"]


def test_threshold_and_limit_are_mailed_once(client: Client) -> None:
    made = make(client, credit_limit=3, alert_threshold=2)
    assert [call(client) for _ in range(5)] == [200, 200, 200, 412, 412]
    assert told(client) == [("usage-threshold", 2), ("usage-exhausted", 3)]
    assert flags(client, made) == (True, True)


def test_mail_tells_who_and_what(client: Client) -> None:
    made = make(client, credit_limit=3, alert_threshold=1)
    call(client)
    (event,) = client.world.journal.events
    assert event.details == {
        "to": ["ada@example.com", "ben@example.com"],
        "about": {
            "object": "policy_usage_limits",
            "id": made,
            "name": "Per person",
            "value_key": "metadata._user:ines",
        },
        "usage": 1,
        "usage_limits": {"type": "requests", "credit_limit": 3, "alert_threshold": 1},
    }


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ({"credit_limit": 9}, (False, False)),
        ({"credit_limit": 2.5}, (True, True)),
        ({"alert_threshold": 2}, (False, True)),
        ({"alert_threshold": None}, (False, True)),
        ({"alert_threshold": 0.5}, (True, True)),
        ({"name": "Other"}, (True, True)),
    ],
)
def test_raising_makes_mails_due_again(client: Client, fields: Record, after: tuple[bool, bool]) -> None:
    made = make(client, credit_limit=3, alert_threshold=1)
    for _ in range(3):
        call(client)
    done(client.put(f"{POLICIES}/{made}", fields))
    assert flags(client, made) == after


def test_reset_makes_mails_due_again(client: Client) -> None:
    made = make(client, alert_threshold=1)
    call(client)
    done(client.put(f"{POLICIES}/{made}/entities/{entities(client, made)[0]['id']}/reset"))
    assert flags(client, made) == (False, False)
    call(client)
    assert told(client) == [("usage-threshold", 1)] * 2


# Delete


def test_delete_archives(client: Client) -> None:
    made = make(client)
    done(client.delete(f"{POLICIES}/{made}"))
    refused(client.get(f"{POLICIES}/{made}"), 404, "AB08")
    assert get(client, made, status="archived")["status"] == "archived"


def test_archived_policy_cannot_be_used(client: Client) -> None:
    made = make(client)
    call(client)
    entity = entities(client, made)[0]["id"]
    done(client.delete(f"{POLICIES}/{made}"))
    for method, path in (("PUT", ""), ("DELETE", ""), ("GET", "/entities"), ("PUT", f"/entities/{entity}/reset")):
        refused(client.call(method, f"{POLICIES}/{made}{path}", {}), 404, "AB08")


def test_active_policy_is_not_among_the_archived(client: Client) -> None:
    refused(client.get(f"{POLICIES}/{make(client)}?status=archived"), 404, "AB08")


def test_archived_policy_limits_nothing(client: Client) -> None:
    made = make(client)
    assert [call(client), call(client), call(client)] == [200, 200, 412]
    done(client.delete(f"{POLICIES}/{made}"))
    assert call(client) == 200


# Who may


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/entities"), ("PUT", f"/entities/{NOBODY}/reset")]
)
def test_unknown_policy_is_not_found(client: Client, method: str, path: str) -> None:
    refused(client.call(method, f"{POLICIES}/{NOBODY}{path}", {}), 404, "AB08")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/entities"), ("PUT", f"/entities/{NOBODY}/reset")]
)
def test_policy_of_another_workspace_is_forbidden(client: Client, method: str, path: str) -> None:
    foreign = make(client, workspace_id=RESEARCH)
    refused(workspace_key(client).call(method, f"{POLICIES}/{foreign}{path}", {}), 403, "AB03")


def test_workspace_key_is_pinned_to_its_workspace(client: Client) -> None:
    """Cross-cutting rules: Auth: the argument is ignored."""
    make(client, name="foreign", workspace_id=RESEARCH)
    caller = workspace_key(client)
    made = make(caller, name="own", workspace_id=RESEARCH)
    assert get(caller, made)["workspace_id"] == workspace_id(client)
    assert names(caller, workspace_id=RESEARCH) == ["own"]
    assert [each["name"] for each in read(caller, POLICIES)["data"]] == ["own"]


def test_workspace_key_need_not_name_its_workspace(client: Client) -> None:
    body = policy()
    del body["workspace_id"]
    caller = workspace_key(client)
    assert get(caller, caller.post(POLICIES, body).json()["id"])["workspace_id"] == workspace_id(client)


@pytest.mark.parametrize(
    ("verb", "method", "path"),
    [
        ("create", "POST", ""),
        ("list", "GET", ""),
        ("read", "GET", "/{id}"),
        ("update", "PUT", "/{id}"),
        ("delete", "DELETE", "/{id}"),
        ("read", "GET", "/{id}/entities"),
        ("update", "PUT", "/{id}/entities/{entity}/reset"),
    ],
)
def test_each_operation_asks_for_its_scope(client: Client, verb: str, method: str, path: str) -> None:
    made = make(client)
    call(client)
    path = POLICIES + path.format(id=made, entity=entities(client, made)[0]["id"])
    scopes = {f"policies.{each}" for each in ("create", "read", "update", "delete", "list")}
    body = policy() if method == "POST" else {}
    without = client.as_key(make_key(client, scopes=sorted(scopes - {f"policies.{verb}"})).secret)
    refused(without.call(method, path, body), 403, "AB03")
    only = client.as_key(make_key(client, scopes=[f"policies.{verb}"]).secret)
    assert only.call(method, path, body).status_code == 200


# As Terraform makes them


def test_sequence_as_terraform_makes_it(client: Client) -> None:
    """Create, read by the returned id, plan again, change one field, clear one, delete; replies to writes are ignored."""
    at(client, TUESDAY)
    body = policy(
        name="tf-acc",
        conditions=[{"key": "workspace_id", "value": PRODUCTION}],
        group_by=[{"key": "api_key"}],
        type="cost",
        credit_limit=1000.0,
        alert_threshold=800.0,
        periodic_reset="monthly",
    )
    made = client.post(POLICIES, body).json()["id"]
    first = get(client, made)
    assert {name: first[name] for name in body if name != "workspace_id"} == {
        name: value for name, value in body.items() if name != "workspace_id"
    }
    assert get(client, made) == first

    at(client, "2026-05-05T10:00:00Z")
    conditions = first["conditions"]
    done(
        client.put(
            f"{POLICIES}/{made}", {"name": "tf-acc", "conditions": conditions, "credit_limit": 2000, "alert_threshold": 800}
        )
    )
    second = get(client, made)
    assert second == first | {"credit_limit": 2000, "last_updated_at": "2026-05-05T10:00:00.000Z"}

    done(client.put(f"{POLICIES}/{made}", {"conditions": conditions, "credit_limit": 2000, "alert_threshold": None}))
    third = get(client, made)
    assert third == second | {"alert_threshold": None}

    switch = {"conditions": conditions, "credit_limit": 2000, "alert_threshold": None}
    done(client.put(f"{POLICIES}/{made}", switch | {"periodic_reset": None, "periodic_reset_days": 45}))
    resets = {"periodic_reset": None, "periodic_reset_days": 45, "next_usage_reset_at": "2026-06-19T00:00:00.000Z"}
    assert get(client, made) == third | resets

    done(client.delete(f"{POLICIES}/{made}"))
    refused(client.get(f"{POLICIES}/{made}"), 404, "AB08")
    assert read(client, POLICIES, workspace_id=PRODUCTION)["data"] == []


def test_same_calls_give_the_same_ids(client: Client, shared_app: Any) -> None:
    shared_app.worlds.fork("policies-twin", client.world.snapshot())
    try:
        twins = [client, Client(shared_app, "policies-twin")]
        twins[1].world.clock.setting = client.world.clock.setting
        made = [make(each) for each in twins]
        for each in twins:
            call(each)
        assert made[0] == made[1]
        assert entities(twins[0], made[0]) == entities(twins[1], made[1])
    finally:
        shared_app.worlds.delete("policies-twin")
