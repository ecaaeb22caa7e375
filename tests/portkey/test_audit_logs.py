"""Audit logs through the front door: each change of the control plane leaves a record of who, what, before and after.

Source of every rule that names none: governance-mcp-observability, Audit logs.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from mockserver.portkey import auditing
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    DARA,
    NOBODY,
    PRODUCTION,
    RESEARCH,
    at,
    done,
    make_key,
    make_workspace,
    read,
    read_key,
    read_workspace,
    refused,
    user_id,
    workspace_id,
)

LOGS = "/v1/audit-logs"
WINDOW = {"start_time": "1970-01-01T00:00:00Z", "end_time": "8999-01-01T00:00:00Z"}
SECRET = "sk-live-0123456789abcdef"
CHAT: Record = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Something private"}]}


def logs(client: Client, **query: Any) -> list[Record]:
    """The records in a list."""
    rows: list[Record] = read(client, LOGS, **{**WINDOW, **query})["records"]
    return rows


def log(client: Client, **query: Any) -> Record:
    """The only record in a list."""
    (row,) = logs(client, **query)
    return row


def lab(client: Client) -> str:
    """Make a workspace and return its id."""
    return str(make_workspace(client)["id"])


# What a record tells


def test_a_seed_world_has_none(client: Client) -> None:
    assert read(client, LOGS, **WINDOW) == {"object": "analytics-graph", "total": 0, "records": [], "data": []}


def test_record_of_a_change_has_every_field(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    caller = make_key(client, "organisation/service", scopes=["workspaces.update", "workspaces.read"])
    before = read_workspace(client, PRODUCTION)
    at(client, "2026-05-03T18:00:00Z")
    headers = {"x-forwarded-for": "203.0.113.9, 10.0.0.1", "cf-ipcountry": "PT"}
    path = f"/v1/admin/workspaces/{PRODUCTION}?dry=1"
    done(client.as_key(caller.secret).put(path, {"description": "Two shifts"}, headers=headers))
    row = logs(client)[0]
    sent = json.loads(row.pop("request_headers"))
    assert uuid.UUID(row.pop("request_id"))
    changed = row.pop("changes")
    shown_before, shown_after = row.pop("before"), row.pop("after")
    assert row == {
        "timestamp": "2026-05-03T18:00:00.000Z",
        "method": "PUT",
        "uri": f"/v1/admin/workspaces/{PRODUCTION}",
        "request_body": '{"description":"Two shifts"}',
        "query_params": "{}",
        "user_id": caller.id,
        "user_type": "api_key",
        "organisation_id": before["organisation_id"],
        "workspace_id": before["id"],
        "response_status_code": 200,
        "resource_type": "workspaces",
        "action": "update",
        "client_ip": "203.0.113.9",
        "country": "PT",
    }
    assert (shown_before["description"], shown_after["description"]) == ("What customers use", "Two shifts")
    assert {name for name in shown_before if shown_before[name] != shown_after[name]} == {"description", "last_updated_at"}
    assert changed == [{"resource": "workspaces", "id": before["id"], "before": shown_before, "after": shown_after}]
    assert sent["content-type"] == "application/json"
    assert sent["x-portkey-api-key"] == f"{caller.secret[:2]}*****{caller.secret[-3:]}"


def test_data_repeats_the_records(client: Client) -> None:
    """A known client looks there."""
    lab(client)
    body = read(client, LOGS, **WINDOW)
    assert (body["data"], body["total"]) == (body["records"], 1)


def test_new_thing_has_no_before(client: Client) -> None:
    made = make_key(client)
    row = log(client)
    assert (row["before"], row["after"]) == (None, read_key(client, made.id))


def test_removed_thing_has_no_after(client: Client) -> None:
    made = make_key(client)
    before = read_key(client, made.id)
    done(client.delete(f"/v1/api-keys/{made.id}"))
    row = logs(client)[0]
    assert (row["action"], row["before"], row["after"]) == ("delete", before, None)


def test_change_tells_all_that_went_with_it(client: Client) -> None:
    """The workspace is what the call was about, though its key went first."""
    made = lab(client)
    key = make_key(client, workspace_id=made)
    done(client.delete(f"/v1/admin/workspaces/{made}", {}))
    row = logs(client)[0]
    changed = [(each["resource"], each["id"]) for each in row["changes"] if each["resource"] != "collections"]
    assert changed == [("api_keys", key.id), ("workspaces", made)]
    assert row["before"]["id"] == row["after"]["id"] == made


def test_call_that_changes_nothing_is_written_down(client: Client) -> None:
    made = make_key(client)
    done(client.put(f"/v1/api-keys/{made.id}", {}))
    row = logs(client)[0]
    assert (row["action"], row["before"], row["after"], row["changes"]) == ("update", None, None, [])


def test_thing_that_is_written_twice_is_told_once(client: Client) -> None:
    """A budget's reset falls due with the update that looks at the key."""
    at(client, "2026-05-05T00:00:00Z")
    limit = {"type": "tokens", "credit_limit": 100, "periodic_reset": "monthly"}
    made = make_key(client, usage_limits=limit)
    at(client, "2026-07-05T00:00:00Z")
    done(client.put(f"/v1/api-keys/{made.id}", {"name": "other"}))
    row = logs(client)[0]
    assert [each["id"] for each in row["changes"]] == [made.id]
    assert (row["before"]["last_reset_at"], row["before"]["name"]) == (None, "app")
    assert (row["after"]["last_reset_at"], row["after"]["name"]) == ("2026-07-01T00:00:00.000Z", "other")


def test_later_changes_leave_a_record_as_it_is(client: Client) -> None:
    made = make_key(client)
    first = log(client)
    done(client.put(f"/v1/api-keys/{made.id}", {"name": "other"}))
    assert logs(client)[1] == first


# Who


def test_user_behind_a_key_is_told(client: Client) -> None:
    dara = user_id(client, DARA)
    made = make_key(client, "workspace/user", user_id=dara, scopes=["workspaces.update"])
    done(client.as_key(made.secret).put(f"/v1/admin/workspaces/{PRODUCTION}", {"description": "x"}))
    row = logs(client)[0]
    assert (row["user_type"], row["user_id"], row["workspace_id"]) == ("user", dara, workspace_id(client))


def test_unknown_keys_are_told_apart(client: Client) -> None:
    """*chosen*: an id is drawn from the secret of a key that the world does not know."""
    for secret in ("one", "two", "one"):
        make_workspace(client.as_key(secret))
    third, second, first = (row["user_id"] for row in logs(client))
    assert first == third != second
    assert str(uuid.UUID(first)) == first


@pytest.mark.parametrize("secret", ["any", "short"])
def test_short_keys_are_hidden_whole(client: Client, secret: str) -> None:
    make_workspace(client.as_key(secret))
    assert json.loads(log(client)["request_headers"])["x-portkey-api-key"] == "*****"


# What, and what not


@pytest.mark.parametrize(
    ("method", "path", "body", "resource", "action"),
    [
        ("POST", "/v1/admin/workspaces", {"name": "Lab"}, "workspaces", "create"),
        ("POST", "/v1/api-keys/{key}/rotate", {}, "api_keys", "rotate"),
        ("PUT", "/v1/api-keys/{key}", {"name": "x"}, "api_keys", "update"),
        ("DELETE", "/v1/api-keys/{key}", ..., "api_keys", "delete"),
        ("POST", "/v1/labels", {"name": "live"}, "labels", "create"),
        ("DELETE", "/v1/policies/rate-limits/{policy}", ..., "rate_limits_policies", "delete"),
    ],
)
def test_resource_and_action_follow_from_the_operation(
    client: Client, method: str, path: str, body: Any, resource: str, action: str
) -> None:
    policy: Record = {"conditions": [{"key": "api_key", "value": "*"}], "group_by": [{"key": "api_key"}], "type": "requests"}
    policy |= {"unit": "rpm", "value": 1, "workspace_id": PRODUCTION}
    policy_id = client.post("/v1/policies/rate-limits", policy).json()["id"]
    reply = client.call(method, path.format(key=make_key(client).id, policy=policy_id), body)
    assert reply.status_code == 200, reply.text[:500]
    row = logs(client)[0]
    assert (row["resource_type"], row["action"], row["method"]) == (resource, action, method)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/admin/workspaces", ...),
        ("GET", "/v1/audit-logs?start_time=2026-01-01T00:00:00Z&end_time=2027-01-01T00:00:00Z", ...),
        ("POST", "/v1/chat/completions", CHAT),
        ("POST", "/v1/feedback", {"trace_id": "t", "value": 1}),
        ("POST", "/v1/logs", {"request": {}, "response": {}}),
    ],
)
def test_what_changes_nothing_of_the_control_plane_leaves_none(client: Client, method: str, path: str, body: Any) -> None:
    assert client.call(method, path, body).status_code == 200
    assert logs(client) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/admin/workspaces", {"name": 7}, 400),
        ("POST", "/v1/admin/workspaces", {"name": "Lab", "slug": PRODUCTION}, 409),
        ("PUT", f"/v1/api-keys/{NOBODY}", {"name": "x"}, 404),
        ("DELETE", "/v1/admin/workspaces/ws-nowher-000000", ..., 403),
    ],
)
def test_refused_call_leaves_none(client: Client, method: str, path: str, body: Any, status: int) -> None:
    """*chosen*: no refused call changes a world (that the service writes failures down is inferred)."""
    assert client.call(method, path, body).status_code == status
    assert logs(client) == []


def test_answer_on_demand_leaves_none(client: Client) -> None:
    assert client.post("/v1/admin/workspaces", {"name": "Lab"}, headers={"prefer": "code=200"}).status_code == 200
    assert logs(client) == []


# Secrets


def test_secrets_never_appear(client: Client) -> None:
    """Not in bodies, not in headers, not in what was before and after, nor in the records as the admin API shows them."""
    body = {"name": "OpenAI", "slug": "ours", "ai_provider_id": "openai", "key": SECRET, "workspace_id": PRODUCTION}
    headers = {"authorization": f"Bearer {SECRET}", "x-portkey-virtual-key": SECRET, "cookie": f"session={SECRET}"}
    assert client.post("/v1/integrations", body, headers=headers).status_code == 200
    made = make_key(client)
    rotated = client.post(f"/v1/api-keys/{made.id}/rotate").json()["key"]
    everything = client.get(LOGS, params=WINDOW).text + client.get("/__admin/records/audit_logs").text
    assert [secret in everything for secret in (SECRET, made.secret, rotated)] == [False] * 3
    assert json.loads(logs(client)[2]["request_body"])["key"] == "[redacted]"


def test_what_the_mock_keeps_for_itself_stays_out(client: Client) -> None:
    make_key(client)
    make_workspace(client)
    for row in logs(client):
        for change in row["changes"]:
            assert not [name for name in change["after"] if name.startswith("_")]


# Filters and pages


@pytest.fixture
def busy(client: Client) -> Client:
    """A world with three changes: a workspace, a key of it, the key's update."""
    at(client, "2026-05-03T10:00:00Z")
    made = make_workspace(client, slug="lab")["id"]
    at(client, "2026-05-03T11:00:00Z")
    key = make_key(client, workspace_id=made, scopes=["workspaces.update"])
    at(client, "2026-05-03T12:00:00Z")
    headers = {"x-forwarded-for": "203.0.113.9", "cf-ipcountry": "PT"}
    done(client.as_key(key.secret).put("/v1/admin/workspaces/lab", {"description": "x"}, headers=headers))
    return client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["12:00", "11:00", "10:00"]),
        ({"method": "POST"}, ["11:00", "10:00"]),
        ({"method": "DELETE"}, []),
        ({"uri": "/v1/admin/workspaces"}, ["10:00"]),
        ({"uri": "/v1/admin/workspaces/lab"}, ["12:00"]),
        ({"user_type": "api_key"}, ["12:00", "11:00", "10:00"]),
        ({"user_type": "user"}, []),
        ({"user_id": NOBODY}, []),
        ({"workspace_id": "lab"}, ["12:00", "11:00", "10:00"]),
        ({"workspace_id": RESEARCH}, []),
        ({"workspace_id": "ws-nowher-000000"}, []),
        ({"response_status_code": 200}, ["12:00", "11:00", "10:00"]),
        ({"response_status_code": 400}, []),
        ({"resource_type": "workspaces"}, ["12:00", "10:00"]),
        ({"resource_type": "api_keys"}, ["11:00"]),
        ({"action": "update"}, ["12:00"]),
        ({"action": "create", "resource_type": "workspaces"}, ["10:00"]),
        ({"client_ip": "203.0.113.9"}, ["12:00"]),
        ({"client_ip": "203.0.113.10"}, []),
        ({"country": "PT"}, ["12:00"]),
        ({"organisation_id": NOBODY}, []),
        ({"start_time": "2026-05-03T11:00:00Z"}, ["12:00", "11:00"]),
        ({"end_time": "2026-05-03T11:00:00Z"}, ["11:00", "10:00"]),
        ({"start_time": "2026-05-03T13:00:00+02:00", "end_time": "2026-05-03T13:30:00+02:00"}, ["11:00"]),
        ({"start_time": "2026-05-03T11:00:00", "end_time": "2026-05-03T11:30:00"}, ["11:00"]),
        ({"start_time": "2026-05-03", "end_time": "2026-05-04"}, ["12:00", "11:00", "10:00"]),
        ({"start_time": "2026-05-04", "end_time": "2026-05-03"}, []),
        ({"page_size": 2}, ["12:00", "11:00"]),
        ({"page_size": 2, "current_page": 1}, ["10:00"]),
        ({"page_size": 0}, []),
    ],
)
def test_filters_and_pages(busy: Client, query: Record, found: list[str]) -> None:
    assert [row["timestamp"][11:16] for row in logs(busy, **query)] == found


def test_each_record_is_found_by_its_own_ids(busy: Client) -> None:
    for row in logs(busy):
        assert log(busy, request_id=row["request_id"]) == row
        assert row in logs(busy, user_id=row["user_id"])


def test_organisation_finds_its_own(busy: Client) -> None:
    assert len(logs(busy, organisation_id=busy.world.facts.get("organisation_id"))) == 3


def test_total_counts_what_fits_before_paging(busy: Client) -> None:
    body = read(busy, LOGS, **WINDOW, method="POST", page_size=1)
    assert (body["total"], len(body["records"])) == (2, 1)


def test_workspace_that_is_gone_keeps_its_records(busy: Client) -> None:
    done(busy.delete("/v1/admin/workspaces/lab"))
    assert [row["action"] for row in logs(busy, workspace_id="lab")] == ["delete", "update", "create", "create"]


@pytest.mark.parametrize("missing", ["start_time", "end_time"])
def test_window_is_needed(client: Client, missing: str) -> None:
    query = {name: value for name, value in WINDOW.items() if name != missing}
    refused(client.get(LOGS, params=query), 400, "AB01")


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+10:00"])
def test_time_must_be_one(client: Client, time: str) -> None:
    data = refused(client.get(LOGS, params=WINDOW | {"end_time": time}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/end_time"


def test_page_has_a_hundred_at_most(client: Client) -> None:
    refused(client.get(LOGS, params={**WINDOW, "page_size": 101}), 400, "AB01")
    made = make_key(client)
    for _ in range(100):
        done(client.put(f"/v1/api-keys/{made.id}", {}))
    body = read(client, LOGS, **WINDOW)
    assert (body["total"], len(body["records"])) == (101, 100)


# Who may


def test_admins_may_read(client: Client) -> None:
    caller = make_key(client, "organisation/service", scopes=["audit_logs.list"])
    assert len(logs(client.as_key(caller.secret))) == 1


@pytest.mark.parametrize("kind", ["organisation/service", "workspace/service"])
def test_scope_is_needed_and_only_admins_have_it(client: Client, kind: str) -> None:
    scopes = ["workspaces.read"] if kind.startswith("organisation") else ["audit_logs.list"]
    caller = client.as_key(make_key(client, kind, scopes=scopes).secret)
    refused(caller.get(LOGS, params=WINDOW), 403, "AB03")


# Limits that are come to


def test_limit_that_a_call_comes_to_is_written_down(client: Client) -> None:
    """Threshold crossings write records too; not the call's body, which is a conversation."""
    body = {
        "name": "Two calls",
        "conditions": [{"key": "api_key", "value": "*"}],
        "group_by": [{"key": "metadata._user"}],
        "type": "requests",
        "credit_limit": 2,
        "alert_threshold": 1,
        "workspace_id": PRODUCTION,
    }
    policy = client.post("/v1/policies/usage-limits", body).json()["id"]
    for _ in range(2):
        client.post("/v1/chat/completions", CHAT, headers={"x-portkey-metadata": '{"_user": "ines"}'})
    exhausted, threshold, _ = logs(client)
    for row, usage in ((threshold, 1), (exhausted, 2)):
        told = {name: row[name] for name in ("uri", "method", "resource_type", "action", "request_body", "before")}
        assert told == {
            "uri": "/v1/chat/completions",
            "method": "POST",
            "resource_type": "usage_limits_policies",
            "action": "update",
            "request_body": None,
            "before": None,
        }
        assert (row["after"]["about"]["id"], row["after"]["usage"]) == (policy, usage)


def test_limit_of_a_key_that_is_come_to_is_written_down(client: Client) -> None:
    made = make_key(client, scopes=["completions.write"], usage_limits={"type": "tokens", "credit_limit": 1})
    provider = {"x-portkey-provider": "openai"}
    assert client.as_key(made.secret).post("/v1/chat/completions", CHAT, headers=provider).status_code == 200
    row = logs(client)[0]
    assert (row["resource_type"], row["after"]["about"]["id"], row["user_id"]) == ("api_keys", made.id, made.id)


# Worlds


def test_oldest_records_go_first(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """*chosen*: a world must not grow for ever. Patched, since the real bound takes ten thousand calls."""
    monkeypatch.setattr(auditing, "MOST", 3)
    monkeypatch.setattr(auditing, "BATCH", 2)
    kept = []
    for name in "abcdef":
        make_workspace(client, name=name)
        kept.append("".join(row["after"]["name"] for row in logs(client)))
    assert kept == ["a", "ba", "cba", "dcba", "edc", "fedc"]


def test_records_are_part_of_a_world(client: Client) -> None:
    lab(client)
    snapshot = client.world.snapshot()
    lab(client)
    client.world.restore(snapshot)
    assert len(logs(client)) == 1
    lab(client)
    assert len({row["request_id"] for row in logs(client)}) == 2


def test_writing_draws_nothing(client: Client) -> None:
    """What a call gets must not depend on what was written down before it."""
    made = lab(client)
    drawn = client.world.ids.drawn
    done(client.put(f"/v1/admin/workspaces/{made}", {"description": "x"}))
    assert client.world.ids.drawn == drawn
