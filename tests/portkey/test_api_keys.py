"""API keys through the front door: what each operation gives, keeps and refuses.

Source of every rule that names none: identity-and-access, API keys.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from mockserver.stubs.resources import kept
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    DARA,
    ELI,
    NOBODY,
    PRODUCTION,
    RESEARCH,
    at,
    changes,
    done,
    make_key,
    read,
    read_key,
    refused,
    state,
    user_id,
    workspace_id,
)

READ_FIELDS = [
    "id", "key", "name", "description", "type", "organisation_id", "workspace_id", "user_id", "status", "created_at",
    "last_updated_at", "creation_mode", "rate_limits", "usage_limits", "reset_usage", "expires_at", "last_reset_at",
    "alert_emails", "expiry_enforced", "next_usage_reset_at", "allow_config_override", "api_key_defaults_id", "scopes",
    "defaults", "object",
]  # fmt: skip
"""As recorded, in this order."""

RATE: Record = {"type": "requests", "unit": "rpm", "value": 60}
BUDGET: Record = {"type": "cost", "credit_limit": 20, "alert_threshold": 15}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
MASKED = re.compile(r".{2}\*{5}.{3}")


# Create


def test_create_gives_id_secret_and_object(client: Client) -> None:
    reply = client.post("/v1/api-keys/workspace/service", {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION})
    assert reply.status_code == 200
    assert list(reply.json()) == ["id", "key", "object"]
    assert reply.json()["object"] == "api-key"


def test_create_gives_each_key_its_own_secret(client: Client) -> None:
    first, second = make_key(client), make_key(client)
    assert first.id != second.id
    assert first.secret != second.secret


@pytest.mark.parametrize("path", ["/v1/api-keys/{id}", "/v1/api-keys", "/v1/api-keys?ids={id}"])
def test_secret_is_in_no_read(client: Client, path: str) -> None:
    made = make_key(client)
    reply = client.get(path.format(id=made.id))
    assert made.id in reply.text
    assert made.secret not in reply.text


def test_mask_keeps_two_and_three_characters(client: Client) -> None:
    made = make_key(client)
    assert read_key(client, made.id)["key"] == f"{made.secret[:2]}*****{made.secret[-3:]}"


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("organisation/service", "organisation-service"),
        ("workspace/service", "workspace-service"),
        ("workspace/user", "workspace-user"),
    ],
)
def test_create_stores_type_of_path(client: Client, kind: str, stored: str) -> None:
    fields = {"user_id": user_id(client, DARA)} if kind == "workspace/user" else {}
    assert read_key(client, make_key(client, kind, **fields).id)["type"] == stored


def test_organisation_has_no_user_keys(client: Client) -> None:
    body = {"name": "app", "scopes": ["logs.view"], "user_id": user_id(client, DARA)}
    refused(client.post("/v1/api-keys/organisation/user", body), 400, "AB01")


@pytest.mark.parametrize("path", ["/v1/api-keys/team/service", "/v1/api-keys/workspace/robot"])
def test_create_refuses_unknown_types(client: Client, path: str) -> None:
    refused(client.post(path, {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION}), 400, "AB01")


@pytest.mark.parametrize("own", [{"_usage": 7}, {"_usage": "abc"}, {"id": NOBODY}, {"_secrets": ["x"]}], ids=str)
def test_create_says_nothing_of_what_is_the_services(client: Client, own: Record) -> None:
    made = make_key(client, usage_limits={"type": "cost", "credit_limit": 5}, **own)
    key = read_key(client, made.id)
    assert made.id != NOBODY
    assert (key["status"], key["usage_limits"]) == ("active", {"type": "cost", "credit_limit": 5})


def test_organisation_key_has_no_workspace(client: Client) -> None:
    key = read_key(client, make_key(client, "organisation/service").id)
    assert (key["workspace_id"], key["user_id"]) == (None, None)


def test_service_key_has_no_user(client: Client) -> None:
    assert read_key(client, make_key(client).id)["user_id"] is None


def test_user_key_names_its_user(client: Client) -> None:
    dara = user_id(client, DARA)
    assert read_key(client, make_key(client, "workspace/user", user_id=dara).id)["user_id"] == dara


@pytest.mark.parametrize("form", ["id", "slug"])
def test_create_stores_workspace_as_uuid(client: Client, form: str) -> None:
    known = workspace_id(client)
    made = make_key(client, workspace_id=known if form == "id" else PRODUCTION)
    assert read_key(client, made.id)["workspace_id"] == known


@pytest.mark.parametrize("kind", ["service", "user"])
@pytest.mark.parametrize("given", [{}, {"workspace_id": None}], ids=["absent", "null"])
def test_workspace_key_needs_a_workspace(client: Client, kind: str, given: Record) -> None:
    body = {"name": "app", "scopes": ["logs.view"], "user_id": user_id(client, DARA), **given}
    data = refused(client.post(f"/v1/api-keys/workspace/{kind}", body), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/workspace_id"


@pytest.mark.parametrize("unknown", ["ws-nobody-000000", NOBODY])
def test_create_in_unknown_workspace_is_forbidden(client: Client, unknown: str) -> None:
    """Errors, Missing-resource status: a workspace that is not there is 403 AB03."""
    body = {"name": "app", "scopes": ["logs.view"], "workspace_id": unknown}
    refused(client.post("/v1/api-keys/workspace/service", body), 403, "AB03")


def test_user_key_needs_a_user(client: Client) -> None:
    body = {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION}
    data = refused(client.post("/v1/api-keys/workspace/user", body), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/user_id"


def test_user_key_needs_a_known_user(client: Client) -> None:
    body = {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION, "user_id": NOBODY}
    data = refused(client.post("/v1/api-keys/workspace/user", body), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/user_id"


def test_create_ignores_what_clients_add(client: Client) -> None:
    """The SDKs repeat the path in the body; unknown fields are ignored (Conventions, Request tolerance)."""
    made = make_key(client, **{"type": "organisation", "sub-type": "user", "colour": "blue"})
    key = read_key(client, made.id)
    assert key["type"] == "workspace-service"
    assert "colour" not in key


def test_create_alike_names_is_no_conflict(client: Client) -> None:
    assert make_key(client, name="twin").id != make_key(client, name="twin").id


@pytest.mark.parametrize("name", ["a", "a" * 100, "ключ 🔑"], ids=["shortest", "longest", "unicode"])
def test_name_is_kept_as_given(client: Client, name: str) -> None:
    assert read_key(client, make_key(client, name=name).id)["name"] == name


@pytest.mark.parametrize("description", [None, "", "Runs at night", "d" * 200], ids=["null", "empty", "text", "longest"])
def test_description_is_kept_as_given(client: Client, description: str | None) -> None:
    assert read_key(client, make_key(client, description=description).id)["description"] == description


@pytest.mark.parametrize("given", [{}, {"rate_limits": None}, {"rate_limits": []}], ids=["absent", "null", "empty"])
def test_rate_limits_are_a_list_when_none(client: Client, given: Record) -> None:
    assert read_key(client, make_key(client, **given).id)["rate_limits"] == []


@pytest.mark.parametrize("unit", ["rps", "rpm", "rph", "rpd", "rpw"])
@pytest.mark.parametrize("kind", ["requests", "tokens"])
def test_rate_limits_are_kept_as_given(client: Client, kind: str, unit: str) -> None:
    limit = {"type": kind, "unit": unit, "value": 5}
    assert read_key(client, make_key(client, rate_limits=[limit]).id)["rate_limits"] == [limit]


@pytest.mark.parametrize("given", [{}, {"usage_limits": None}], ids=["absent", "null"])
def test_usage_limits_are_null_when_none(client: Client, given: Record) -> None:
    key = read_key(client, make_key(client, **given).id)
    assert (key["usage_limits"], key["next_usage_reset_at"]) == (None, None)


def test_usage_limit_is_an_object(client: Client) -> None:
    assert read_key(client, make_key(client, usage_limits=BUDGET).id)["usage_limits"] == BUDGET


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2030-01-02T03:04:05Z", "2030-01-02T03:04:05.000Z"),
        ("2030-01-02T03:04:05.678Z", "2030-01-02T03:04:05.000Z"),
        ("2030-01-02T03:04:05+02:00", "2030-01-02T01:04:05.000Z"),
        ("2030-01-02t03:04:05z", "2030-01-02T03:04:05.000Z"),
    ],
)
def test_expiry_is_shown_in_utc(client: Client, given: str, shown: str) -> None:
    """Conventions, Timestamps: always UTC, to the second, written with milliseconds."""
    assert read_key(client, make_key(client, expires_at=given).id)["expires_at"] == shown


def test_key_made_after_its_expiry_is_expired(client: Client) -> None:
    """*chosen*: the status follows the time, whoever set it."""
    assert read_key(client, make_key(client, expires_at="2020-01-01T00:00:00Z").id)["status"] == "expired"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a" * 101),
        ("name", None),
        ("name", 5),
        ("description", "d" * 201),
        ("description", 5),
        ("scopes", []),
        ("scopes", None),
        ("scopes", "logs.view"),
        ("scopes", [5]),
        ("rate_limits", RATE),
        ("rate_limits", [{"type": "requests", "unit": "rpm"}]),
        ("rate_limits", [{"type": "requests", "value": 1}]),
        ("rate_limits", [{"unit": "rpm", "value": 1}]),
        ("rate_limits", [RATE | {"unit": "rpy"}]),
        ("rate_limits", [RATE | {"type": "calls"}]),
        ("rate_limits", [RATE | {"value": -1}]),
        ("rate_limits", [RATE | {"value": 1.5}]),
        ("usage_limits", [BUDGET]),
        ("usage_limits", BUDGET | {"type": "calls"}),
        ("usage_limits", BUDGET | {"credit_limit": 0}),
        ("usage_limits", BUDGET | {"alert_threshold": 0}),
        ("usage_limits", BUDGET | {"periodic_reset": "daily"}),
        ("usage_limits", BUDGET | {"periodic_reset_days": 0}),
        ("usage_limits", BUDGET | {"periodic_reset_days": 366}),
        ("usage_limits", BUDGET | {"next_usage_reset_at": "tomorrow"}),
        ("alert_emails", ["nobody"]),
        ("alert_emails", "ops@example.com"),
        ("expires_at", "tomorrow"),
        ("expires_at", "2030-01-02"),
        ("expires_at", "2030-01-02T03:04:05"),
        ("expires_at", "2023-12-12 13:56:32"),
        ("expires_at", "2030-02-30T00:00:00Z"),
        ("defaults", {"metadata": {"team": 5}}),
        ("defaults", {"config_id": 5}),
        ("defaults", {"allow_config_override": 1}),
        ("rotation_policy", {"rotation_period": "daily"}),
        ("rotation_policy", {"rotation_period_days": 0}),
        ("rotation_policy", {"rotation_period_days": 366}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("call", ["create", "update"])
def test_wrong_field_is_refused_and_nothing_changes(client: Client, call: str, field: str, value: Any) -> None:
    made = make_key(client)
    before = state(client)
    if call == "create":
        body = {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION, field: value}
        reply = client.post("/v1/api-keys/workspace/service", body)
    else:
        reply = client.put(f"/v1/api-keys/{made.id}", {field: value})
    data = refused(reply, 400, "AB01")
    assert data["violations"][0]["pointer"].startswith(f"/{field}")
    assert state(client) == before


@pytest.mark.parametrize("field", ["user_id", "organisation_id"])
def test_create_takes_ids_as_uuids(client: Client, field: str) -> None:
    body = {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION, field: "dara"}
    data = refused(client.post("/v1/api-keys/workspace/service", body), 400, "AB01")
    assert data["violations"][0]["pointer"] == f"/{field}"


@pytest.mark.parametrize("field", ["name", "scopes"])
def test_create_needs_name_and_scopes(client: Client, field: str) -> None:
    """*chosen*: 400 where the service is said to answer 502, which every client would take for an outage and retry."""
    body = {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION}
    del body[field]
    data = refused(client.post("/v1/api-keys/workspace/service", body), 400, "AB01")
    assert data["violations"][0]["pointer"] == f"/{field}"


def test_refusal_lists_every_violation(client: Client) -> None:
    body = {"name": "", "scopes": [], "workspace_id": PRODUCTION, "alert_emails": ["nobody"]}
    data = refused(client.post("/v1/api-keys/workspace/service", body), 400, "AB01")
    assert {each["pointer"] for each in data["violations"]} == {"/name", "/scopes", "/alert_emails/0"}


@pytest.mark.parametrize("call", ["create", "update"])
def test_usage_limit_has_one_kind_of_reset(client: Client, call: str) -> None:
    """Conventions, Common objects: 400 AB01 with this text."""
    made = make_key(client)
    limit = BUDGET | {"periodic_reset": "weekly", "periodic_reset_days": 3}
    if call == "create":
        body = {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION, "usage_limits": limit}
        reply = client.post("/v1/api-keys/workspace/service", body)
    else:
        reply = client.put(f"/v1/api-keys/{made.id}", {"usage_limits": limit})
    assert "Cannot set both periodic_reset and periodic_reset_days" in refused(reply, 400, "AB01")["message"]
    assert read_key(client, made.id)["usage_limits"] is None


def test_alert_threshold_does_not_exceed_the_limit(client: Client) -> None:
    body = {"name": "app", "scopes": ["logs.view"], "usage_limits": {"credit_limit": 10, "alert_threshold": 11}}
    data = refused(client.post("/v1/api-keys/organisation/service", body), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/usage_limits/alert_threshold"


# Read


def test_read_shows_recorded_fields_in_order(client: Client) -> None:
    assert list(read_key(client, make_key(client).id)) == READ_FIELDS


def test_read_of_plain_key_is_as_recorded(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    key = read_key(client, make_key(client).id)
    for field in ("id", "key", "organisation_id", "workspace_id"):
        del key[field]
    assert key == {
        "name": "app",
        "description": None,
        "type": "workspace-service",
        "user_id": None,
        "status": "active",
        "created_at": "2026-05-03T17:08:55.000Z",
        "last_updated_at": "2026-05-03T17:08:55.000Z",
        "creation_mode": "api",
        "rate_limits": [],
        "usage_limits": None,
        "reset_usage": None,
        "expires_at": None,
        "last_reset_at": None,
        "alert_emails": None,
        "expiry_enforced": 0,
        "next_usage_reset_at": None,
        "allow_config_override": None,
        "api_key_defaults_id": None,
        "scopes": ["logs.view"],
        "defaults": {"metadata": None, "config_id": None, "allow_config_override": False},
        "object": "api-key",
    }


def test_flags_are_numbers_not_booleans(client: Client) -> None:
    """Conventions, Integer booleans; the Terraform provider decodes the top-level flag as a number."""
    key = read_key(client, make_key(client, defaults={"metadata": {"team": "a"}}).id)
    assert (type(key["expiry_enforced"]), type(key["allow_config_override"])) == (int, int)
    assert type(key["defaults"]["allow_config_override"]) is bool


def test_ids_have_recorded_versions(client: Client) -> None:
    """Conventions, Ids: version 4, but version 1 for users and for the id of the defaults."""
    dara = user_id(client, DARA)
    key = read_key(client, make_key(client, "workspace/user", user_id=dara, defaults={"metadata": {"team": "a"}}).id)
    assert [uuid.UUID(key[name]).version for name in ("id", "organisation_id", "workspace_id")] == [4, 4, 4]
    assert [uuid.UUID(key[name]).version for name in ("user_id", "api_key_defaults_id")] == [1, 1]


def test_all_keys_have_the_same_organisation(client: Client) -> None:
    make_key(client, organisation_id=NOBODY)
    assert len({key["organisation_id"] for key in read(client, "/v1/api-keys")["data"]}) == 1


def test_seed_keys_look_like_made_ones(client: Client) -> None:
    for item in read(client, "/v1/api-keys")["data"]:
        key = read_key(client, item["id"])
        assert list(key) == READ_FIELDS
        assert MASKED.fullmatch(key["key"])
        assert TIMESTAMP.fullmatch(key["created_at"])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_key_is_not_found(client: Client, method: str) -> None:
    body = {"name": "other"} if method == "PUT" else ...
    refused(client.call(method, f"/v1/api-keys/{NOBODY}", body), 404, "AB08")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_path_id_must_be_a_uuid(client: Client, method: str) -> None:
    """What the Python client sends for an argument that was left out."""
    body = {"name": "other"} if method == "PUT" else ...
    refused(client.call(method, "/v1/api-keys/NOT_GIVEN", body), 400, "AB01")


# List


def test_list_has_recorded_envelope(client: Client) -> None:
    found = read(client, "/v1/api-keys")
    assert list(found) == ["object", "total", "data"]
    assert (found["object"], found["total"]) == ("list", len(found["data"]))


def test_list_item_lacks_two_fields_of_a_read(client: Client) -> None:
    made = make_key(client, usage_limits=BUDGET, defaults={"metadata": {"team": "a"}, "config_id": "pc-a"})
    item = read(client, "/v1/api-keys", ids=made.id)["data"][0]
    key = read_key(client, made.id)
    assert list(item) == [field for field in READ_FIELDS if field != "next_usage_reset_at"]
    del key["next_usage_reset_at"], key["defaults"]["allow_config_override"]
    assert item == key


def test_list_is_newest_first(client: Client) -> None:
    made = []
    for minute in (1, 2, 2, 3):
        at(client, f"2030-01-01T00:0{minute}:00Z")
        made.append(make_key(client).id)
    assert [key["id"] for key in read(client, "/v1/api-keys")["data"]][:4] == made[::-1]


def test_list_without_size_is_unpaged(client: Client) -> None:
    """Conventions, Paging: 16 of 16 came back."""
    for _ in range(120):
        make_key(client)
    found = read(client, "/v1/api-keys", current_page=0)
    assert len(found["data"]) == found["total"] == 127


def test_second_page_without_size_is_empty(client: Client) -> None:
    """All records are on page 0; who walks pages until one is short must come to an end."""
    found = read(client, "/v1/api-keys", current_page=1)
    assert (found["total"], found["data"]) == (7, [])


@pytest.mark.parametrize(
    ("size", "page"),
    [("page_size", "current_page"), ("pageSize", "currentPage"), ("page_size", "currentPage"), ("pageSize", "current_page")],
)
def test_pages_are_zero_based_in_both_casings(client: Client, size: str, page: str) -> None:
    everything = [key["id"] for key in read(client, "/v1/api-keys")["data"]]
    pages = [read(client, "/v1/api-keys", **{size: 3, page: number}) for number in range(4)]
    assert [[key["id"] for key in found["data"]] for found in pages] == [everything[:3], everything[3:6], everything[6:], []]
    assert {found["total"] for found in pages} == {7}


def test_size_alone_gives_the_first_page(client: Client) -> None:
    everything = read(client, "/v1/api-keys")["data"]
    assert read(client, "/v1/api-keys", page_size=2)["data"] == everything[:2]


@pytest.mark.parametrize(
    "query",
    ["?", "?page_size=None&current_page=None", "?page_size=None&current_page=0&workspace_id=None&ids=None", "?unknown=1"],
)
def test_none_in_a_query_is_absent(client: Client, query: str) -> None:
    """What the Python client writes for arguments that were not given."""
    reply = client.get(f"/v1/api-keys{query}")
    assert (reply.status_code, reply.json()) == (200, read(client, "/v1/api-keys"))


@pytest.mark.parametrize(
    "query", ["page_size=0", "page_size=-1", "page_size=x", "page_size=1.5", "current_page=-1", "pageSize=x"]
)
def test_list_refuses_impossible_pages(client: Client, query: str) -> None:
    refused(client.get(f"/v1/api-keys?{query}"), 400, "AB01")


@pytest.mark.parametrize("form", ["id", "slug"])
def test_list_shows_keys_of_one_workspace(client: Client, form: str) -> None:
    known = workspace_id(client)
    found = read(client, "/v1/api-keys", workspace_id=known if form == "id" else PRODUCTION)
    assert [key["name"] for key in found["data"]] == ["Dara", "Log reader", "Production service"]
    assert found["total"] == 3


def test_list_of_unknown_workspace_is_forbidden(client: Client) -> None:
    refused(client.get("/v1/api-keys", params={"workspace_id": "ws-nobody-000000"}), 403, "AB03")


@pytest.mark.parametrize("separator", [",", ", "])
def test_list_by_ids_skips_unknown_ones(client: Client, separator: str) -> None:
    first, _, third = make_key(client), make_key(client), make_key(client)
    found = read(client, "/v1/api-keys", ids=separator.join([first.id, NOBODY, third.id]))
    assert [key["id"] for key in found["data"]] == [third.id, first.id]
    assert found["total"] == 2


def test_list_by_ids_within_a_workspace(client: Client) -> None:
    here, there = make_key(client), make_key(client, workspace_id=RESEARCH)
    found = read(client, "/v1/api-keys", ids=f"{here.id},{there.id}", workspace_id=RESEARCH)
    assert [key["id"] for key in found["data"]] == [there.id]


def test_list_by_ids_pages(client: Client) -> None:
    made = [make_key(client).id for _ in range(3)]
    found = read(client, "/v1/api-keys", ids=",".join(made), page_size=2, current_page=1)
    assert (found["total"], [key["id"] for key in found["data"]]) == (3, made[:1])


# Update


@pytest.mark.parametrize(
    ("field", "value", "follows"),
    [
        ("name", "other", set()),
        ("description", "Runs at night", set()),
        ("scopes", ["logs.list", "logs.view"], set()),
        ("rate_limits", [RATE], set()),
        ("usage_limits", BUDGET, set()),
        ("usage_limits", BUDGET | {"periodic_reset": "weekly"}, {"next_usage_reset_at"}),
        ("alert_emails", ["ops@example.com"], set()),
        ("expires_at", "2030-01-01T00:00:00.000Z", set()),
        ("rotation_policy", {"rotation_period": "weekly"}, set()),
        ("defaults", {"metadata": {"team": "a"}}, {"api_key_defaults_id", "allow_config_override"}),
    ],
)
def test_update_changes_only_what_is_sent(client: Client, field: str, value: Any, follows: set[str]) -> None:
    made = make_key(client)
    before = read_key(client, made.id)
    at(client, "2029-01-01T00:00:00Z")
    done(client.put(f"/v1/api-keys/{made.id}", {field: value}))
    after = read_key(client, made.id)
    assert changes(before, after) == {field, "last_updated_at"} | follows
    assert after["last_updated_at"] == "2029-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("field", "value", "cleared"),
    [
        ("usage_limits", BUDGET, None),
        ("rate_limits", [RATE], []),
        ("alert_emails", ["ops@example.com"], None),
        ("expires_at", "2030-01-01T00:00:00Z", None),
        ("rotation_policy", {"rotation_period": "weekly"}, ...),
        ("description", "Runs at night", None),
    ],
)
def test_null_clears_a_field(client: Client, field: str, value: Any, cleared: Any) -> None:
    """Update; a policy that is not set is absent (Read)."""
    made = make_key(client, **{field: value})
    before = read_key(client, made.id)
    done(client.put(f"/v1/api-keys/{made.id}", {field: None}))
    after = read_key(client, made.id)
    assert before[field] is not None
    assert after.get(field, ...) == cleared


@pytest.mark.parametrize(
    ("field", "value", "cleared"), [("rate_limits", [RATE], []), ("alert_emails", ["ops@example.com"], None)]
)
def test_empty_list_clears_like_null(client: Client, field: str, value: Any, cleared: Any) -> None:
    """Update: "treat as clear"."""
    made = make_key(client, **{field: value})
    done(client.put(f"/v1/api-keys/{made.id}", {field: []}))
    assert read_key(client, made.id)[field] == cleared


def test_cleared_limit_has_no_next_reset(client: Client) -> None:
    made = make_key(client, usage_limits=BUDGET | {"periodic_reset": "monthly"})
    assert read_key(client, made.id)["next_usage_reset_at"] is not None
    done(client.put(f"/v1/api-keys/{made.id}", {"usage_limits": None}))
    assert read_key(client, made.id)["next_usage_reset_at"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "organisation-service"),
        ("sub-type", "user"),
        ("workspace_id", RESEARCH),
        ("user_id", NOBODY),
        ("organisation_id", NOBODY),
        ("id", NOBODY),
        ("key", "stolen"),
        ("status", "expired"),
        ("created_at", "2020-01-01T00:00:00.000Z"),
        ("creation_mode", "ui"),
    ],
)
def test_update_ignores_immutable_fields(client: Client, field: str, value: str) -> None:
    """Immutable by Update, or the service's own; ignored as unknown fields are (Conventions, Request tolerance)."""
    made = make_key(client)
    before = read_key(client, made.id)
    at(client, "2029-01-01T00:00:00Z")
    done(client.put(f"/v1/api-keys/{made.id}", {field: value}))
    assert read_key(client, made.id) == before


@pytest.mark.parametrize("options", [{}, {"json": {}}, {"headers": {"content-type": "application/json"}}])
def test_update_without_fields_changes_nothing(client: Client, options: Record) -> None:
    """Only an effective update sets `last_updated_at`."""
    made = make_key(client)
    before = read_key(client, made.id)
    at(client, "2029-01-01T00:00:00Z")
    done(client.put(f"/v1/api-keys/{made.id}", **options))
    assert read_key(client, made.id) == before


def test_update_may_repeat_the_id(client: Client) -> None:
    made = make_key(client)
    done(client.put(f"/v1/api-keys/{made.id}", {"id": made.id, "name": "other"}))
    assert read_key(client, made.id)["name"] == "other"


def test_update_replaces_scopes_as_a_whole(client: Client) -> None:
    made = make_key(client, scopes=["logs.view", "logs.list"])
    done(client.put(f"/v1/api-keys/{made.id}", {"scopes": ["logs.export"]}))
    assert read_key(client, made.id)["scopes"] == ["logs.export"]


def test_update_keeps_the_order_of_fields(client: Client) -> None:
    made = make_key(client)
    done(client.put(f"/v1/api-keys/{made.id}", {"usage_limits": BUDGET, "name": "other", "defaults": {"config_id": "pc-a"}}))
    assert list(read_key(client, made.id)) == READ_FIELDS


def test_update_of_expiry_revives_a_key(client: Client) -> None:
    made = make_key(client, expires_at="2020-01-01T00:00:00Z")
    done(client.put(f"/v1/api-keys/{made.id}", {"expires_at": None}))
    assert read_key(client, made.id)["status"] == "active"


# Defaults


def test_key_without_defaults_still_shows_an_object(client: Client) -> None:
    key = read_key(client, make_key(client, defaults=None).id)
    assert key["defaults"] == {"metadata": None, "config_id": None, "allow_config_override": False}
    assert (key["api_key_defaults_id"], key["allow_config_override"]) == (None, None)


@pytest.mark.parametrize("given", [{"metadata": {"team": "a"}}, {"config_id": "pc-a"}], ids=["metadata", "config"])
def test_defaults_get_an_id_and_allow_override(client: Client, given: Record) -> None:
    """The flag is 1 exactly when the defaults have an id; the document's default for it is true."""
    key = read_key(client, make_key(client, defaults=given).id)
    assert key["api_key_defaults_id"] is not None
    assert key["allow_config_override"] == 1
    assert key["defaults"] == {"metadata": None, "config_id": None, "allow_config_override": True} | given


def test_null_flag_is_the_default_flag(client: Client) -> None:
    key = read_key(client, make_key(client, defaults={"config_id": "pc-a", "allow_config_override": None}).id)
    assert (key["allow_config_override"], key["defaults"]["allow_config_override"]) == (1, True)


def test_defaults_may_forbid_override(client: Client) -> None:
    key = read_key(client, make_key(client, defaults={"config_id": "pc-a", "allow_config_override": False}).id)
    assert (key["allow_config_override"], key["defaults"]["allow_config_override"]) == (0, False)


def test_flag_set_before_a_config_is_kept(client: Client) -> None:
    """Update: `defaults` merges per sub-field, and a client sends only what changed."""
    made = make_key(client, defaults={"allow_config_override": False})
    done(client.put(f"/v1/api-keys/{made.id}", {"defaults": {"config_id": "pc-a"}}))
    assert read_key(client, made.id)["defaults"]["allow_config_override"] is False


@pytest.mark.parametrize(
    ("sent", "merged"),
    [
        ({"metadata": {"team": "b"}}, {"metadata": {"team": "b"}, "config_id": "pc-a", "allow_config_override": False}),
        ({"metadata": None}, {"metadata": None, "config_id": "pc-a", "allow_config_override": False}),
        ({"config_id": None}, {"metadata": {"team": "a"}, "config_id": None, "allow_config_override": False}),
        ({"config_id": "pc-b"}, {"metadata": {"team": "a"}, "config_id": "pc-b", "allow_config_override": False}),
        ({"allow_config_override": True}, {"metadata": {"team": "a"}, "config_id": "pc-a", "allow_config_override": True}),
        ({}, {"metadata": {"team": "a"}, "config_id": "pc-a", "allow_config_override": False}),
    ],
    ids=",".join,
)
def test_defaults_merge_field_by_field(client: Client, sent: Record, merged: Record) -> None:
    given = {"metadata": {"team": "a"}, "config_id": "pc-a", "allow_config_override": False}
    made = make_key(client, defaults=given)
    before = read_key(client, made.id)
    done(client.put(f"/v1/api-keys/{made.id}", {"defaults": sent}))
    after = read_key(client, made.id)
    assert after["defaults"] == merged
    assert after["api_key_defaults_id"] == before["api_key_defaults_id"]


def test_null_defaults_empty_the_object(client: Client) -> None:
    made = make_key(client, defaults={"metadata": {"team": "a"}, "config_id": "pc-a"})
    done(client.put(f"/v1/api-keys/{made.id}", {"defaults": None}))
    shown = read_key(client, made.id)["defaults"]
    assert (shown["metadata"], shown["config_id"]) == (None, None)


@pytest.mark.parametrize("form", ["id", "slug"])
def test_config_comes_back_as_its_id(client: Client, form: str) -> None:
    config = {"id": "0f3c7c1e-7f0a-4d55-8a43-9f3f7c3d1a11", "slug": "pc-cheap-12ab34", "created_at": "2025-01-06T09:00:00.000Z"}
    client.world["configs"].add(kept(config, config["slug"]))
    made = make_key(client, defaults={"config_id": config[form]})
    assert read_key(client, made.id)["defaults"]["config_id"] == config["id"]


def test_user_key_falls_back_to_config_of_its_workspace(client: Client) -> None:
    """Create body: the workspace's `defaults.user_api_key_config` is the config of user keys that are made without one."""
    config = {"id": "0f3c7c1e-7f0a-4d55-8a43-9f3f7c3d1a11", "slug": "pc-cheap-12ab34", "created_at": "2025-01-06T09:00:00.000Z"}
    client.world["configs"].add(kept(config, config["slug"]))
    done(client.put(f"/v1/admin/workspaces/{PRODUCTION}", {"defaults": {"user_api_key_config": config["slug"]}}))
    made = make_key(client, "workspace/user", user_id=user_id(client, DARA))
    assert read_key(client, made.id)["defaults"]["config_id"] == config["id"]


def test_service_key_has_no_config_of_its_workspace(client: Client) -> None:
    done(client.put(f"/v1/admin/workspaces/{PRODUCTION}", {"defaults": {"user_api_key_config": "pc-a"}}))
    assert read_key(client, make_key(client).id)["defaults"]["config_id"] is None


# Delete


def test_deleted_key_is_gone_everywhere(client: Client) -> None:
    """Delete: a later read is 404; Errors: AB08."""
    made = make_key(client)
    done(client.delete(f"/v1/api-keys/{made.id}"))
    refused(client.get(f"/v1/api-keys/{made.id}"), 404, "AB08")
    assert made.id not in client.get("/v1/api-keys").text


@pytest.mark.parametrize(
    ("method", "end", "body"), [("DELETE", "", ...), ("PUT", "", {"name": "other"}), ("POST", "/rotate", {})]
)
def test_deleted_key_takes_no_further_calls(client: Client, method: str, end: str, body: Any) -> None:
    made = make_key(client)
    done(client.delete(f"/v1/api-keys/{made.id}"))
    refused(client.call(method, f"/v1/api-keys/{made.id}{end}", body), 404, "AB08")


@pytest.mark.parametrize(
    "options",
    [{"json": {}}, {"json": {"id": NOBODY}}, {"headers": {"content-type": "application/json"}}],
    ids=["empty object", "id", "no body"],
)
def test_delete_takes_what_clients_send_along(client: Client, options: Record) -> None:
    """Conventions, Request tolerance: a DELETE may have a body."""
    done(client.delete(f"/v1/api-keys/{make_key(client).id}", **options))


def test_secret_of_deleted_key_is_refused(client: Client) -> None:
    """Under open as well: a key that the world has deleted is no unknown key."""
    made = make_key(client, "organisation/service", scopes=["workspaces.list"])
    done(client.delete(f"/v1/api-keys/{made.id}"))
    refused(client.as_key(made.secret).get("/v1/admin/workspaces"), 401, "AB05")


def test_key_of_departed_member_is_forbidden(client: Client) -> None:
    """Errors, Missing-resource status: 403 AB03 when the user has left, 404 otherwise."""
    made = make_key(client, "workspace/user", user_id=user_id(client, DARA))
    done(client.delete(f"/v1/admin/workspaces/{PRODUCTION}/users/{user_id(client, DARA)}"))
    refused(client.get(f"/v1/api-keys/{made.id}"), 403, "AB03")
    assert made.id not in client.get("/v1/api-keys").text


def test_key_of_member_of_another_workspace_stays(client: Client) -> None:
    made = make_key(client, "workspace/user", workspace_id=RESEARCH, user_id=user_id(client, DARA))
    done(client.delete(f"/v1/admin/workspaces/{PRODUCTION}/users/{user_id(client, DARA)}"))
    assert read_key(client, made.id)["status"] == "active"


# Who sees and changes what


@pytest.fixture
def service(client: Client) -> Client:
    """Production's own service key, with every scope that a workspace's key may hold."""
    scopes = [f"workspace_{kind}_api_keys.{verb}" for kind in ("service", "user") for verb in ("create", "read", "update")]
    scopes += [f"workspace_{kind}_api_keys.{verb}" for kind in ("service", "user") for verb in ("delete", "list", "rotate")]
    return client.as_key(make_key(client, scopes=scopes).secret)


def test_workspace_key_needs_not_name_its_workspace(client: Client, service: Client) -> None:
    """Conventions, Auth: a workspace key is implicitly scoped to its workspace."""
    reply = service.post("/v1/api-keys/workspace/service", {"name": "app", "scopes": ["logs.view"]})
    assert read_key(client, reply.json()["id"])["workspace_id"] == workspace_id(client)


def test_workspace_key_manages_keys_of_its_workspace(client: Client, service: Client) -> None:
    made = make_key(client)
    done(service.put(f"/v1/api-keys/{made.id}", {"name": "other"}))
    assert read_key(service, made.id)["name"] == "other"
    done(service.delete(f"/v1/api-keys/{made.id}"))


def test_workspace_key_lists_its_workspace_alone(service: Client) -> None:
    names = {key["name"] for key in read(service, "/v1/api-keys")["data"]}
    assert names == {"app", "Dara", "Log reader", "Production service"}


@pytest.mark.parametrize(("method", "body"), [("GET", ...), ("PUT", {"name": "other"}), ("DELETE", ...)])
def test_workspace_key_reaches_no_other_workspace(client: Client, service: Client, method: str, body: Any) -> None:
    made = make_key(client, workspace_id=RESEARCH)
    before = state(client)
    refused(service.call(method, f"/v1/api-keys/{made.id}", body), 403, "AB03")
    assert state(client) == before


def test_list_shows_kinds_that_the_caller_may_list(client: Client) -> None:
    """*chosen*: there is one list for all kinds of key and a scope for each."""
    caller = client.as_key(make_key(client, "organisation/service", scopes=["workspace_user_api_keys.list"]).secret)
    found = read(caller, "/v1/api-keys")
    assert [key["name"] for key in found["data"]] == ["Dara"]
    assert found["total"] == 1


@pytest.mark.parametrize(("method", "body"), [("PUT", {"name": "other"}), ("DELETE", ...)])
def test_user_key_manages_no_other_keys(client: Client, method: str, body: Any) -> None:
    """Side effects and visibility."""
    scopes = ["workspace_service_api_keys.update", "workspace_service_api_keys.delete"]
    caller = client.as_key(make_key(client, "workspace/user", user_id=user_id(client, DARA), scopes=scopes).secret)
    made = make_key(client)
    before = state(client)
    refused(caller.call(method, f"/v1/api-keys/{made.id}", body), 403, "AB03")
    assert state(client) == before


def test_user_key_makes_no_keys(client: Client) -> None:
    scopes = ["workspace_user_api_keys.create"]
    caller = client.as_key(make_key(client, "workspace/user", user_id=user_id(client, DARA), scopes=scopes).secret)
    body = {"name": "app", "scopes": ["logs.view"], "user_id": user_id(client, ELI)}
    refused(caller.post("/v1/api-keys/workspace/user", body), 403, "AB03")


# As the Terraform provider goes about it


def test_terraform_lives_through_a_key(client: Client) -> None:
    """Create, read twice, change one field, clear another, delete: each read shows what was written and nothing else."""
    body = {
        "name": "tf",
        "type": "workspace",
        "sub-type": "service",
        "workspace_id": workspace_id(client),
        "scopes": ["logs.view"],
        "description": "By Terraform",
        "rate_limits": [RATE],
        "usage_limits": BUDGET,
        "defaults": {"metadata": {"team": "a"}},
        "alert_emails": ["ops@example.com"],
    }
    at(client, "2026-05-05T10:00:00Z")
    made = client.post("/v1/api-keys/workspace/service", body).json()
    first = read_key(client, made["id"])
    assert read_key(client, made["id"]) == first
    assert {name: first[name] for name in ("rate_limits", "usage_limits", "alert_emails")} == {
        name: body[name] for name in ("rate_limits", "usage_limits", "alert_emails")
    }

    at(client, "2026-05-05T10:01:00Z")
    done(client.put(f"/v1/api-keys/{made['id']}", {"description": "Changed by Terraform"}))
    second = read_key(client, made["id"])
    assert changes(first, second) == {"description", "last_updated_at"}

    at(client, "2026-05-05T10:02:00Z")
    done(client.put(f"/v1/api-keys/{made['id']}", {"usage_limits": None, "alert_emails": None}))
    third = read_key(client, made["id"])
    assert changes(second, third) == {"usage_limits", "alert_emails", "last_updated_at"}

    done(client.delete(f"/v1/api-keys/{made['id']}"))
    refused(client.get(f"/v1/api-keys/{made['id']}"), 404, "AB08")
