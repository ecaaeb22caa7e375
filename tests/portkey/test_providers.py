"""Providers through the front door.

Source of every rule that names none: identity-and-access, Providers.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import (
    BUDGET,
    INTEGRATIONS,
    MASKED,
    PROVIDERS,
    RATE,
    SEEDED,
    VIRTUAL_KEYS,
    as_admin,
    as_workspace,
    grant,
    make_integration,
    make_provider,
    providers,
)
from tests.portkey.team import (
    NOBODY,
    PRODUCTION,
    RESEARCH,
    SHARED,
    at,
    changes,
    done,
    known_admin,
    make_workspace,
    read,
    refused,
    state,
    workspace_id,
)

PATH = f"{PROVIDERS}/theirs"
CRUD = [f"providers.{verb}" for verb in ("create", "read", "update", "delete", "list")]
VIRTUAL_KEY_SCOPES = [f"virtual_keys.{verb}" for verb in ("read", "update", "delete")]


@pytest.fixture
def ours(client: Client) -> Client:
    """A world where an integration of OpenAI is granted to Production, without a provider, in May 2026."""
    at(client, "2026-05-03T17:08:55Z")
    make_integration(client)
    rows = [{"id": PRODUCTION, "enabled": True, "create_default_provider": False}]
    done(client.put(f"{INTEGRATIONS}/ours/workspaces", {"workspaces": rows}))
    return client


def invalid_at(client: Client, pointer: str, **fields: Any) -> str:
    """Check that a provider with these fields is refused at this place, and return why."""
    before = state(client)
    given = {"name": "Theirs", "integration_id": "ours", "workspace_id": PRODUCTION}
    data = refused(client.post(PROVIDERS, given | fields), 400, "AB01")
    assert {violation["pointer"] for violation in data["violations"]} == {pointer}
    assert state(client) == before
    return str(data["violations"][0]["message"])


# Create


def test_create_tells_id_and_slug(ours: Client) -> None:
    made = make_provider(ours)
    assert (set(made), made["slug"]) == ({"id", "slug"}, "theirs")
    assert uuid.UUID(made["id"]).version == 4


def test_new_provider_reads_as_given(ours: Client) -> None:
    made = make_provider(
        ours,
        note="For support",
        usage_limits=BUDGET,
        rate_limits=[RATE],
        expires_at="2026-06-01T00:00:00Z",
        model_config={"region": "eu"},
    )
    assert read(ours, PATH) == {
        "id": made["id"],
        "name": "Theirs",
        "slug": "theirs",
        "note": "For support",
        "status": "active",
        "usage_limits": BUDGET,
        "rate_limits": [RATE],
        "model_config": {"region": "eu"},
        "created_at": "2026-05-03T17:08:55.000Z",
        "expires_at": "2026-06-01T00:00:00.000Z",
        "last_reset_at": None,
        "integration_id": "ours",
        "tags": None,
        "ai_provider_name": "openai",
        "key": "",
        "masked_api_key": MASKED,
        "object": "provider",
    }


def test_provider_of_least_fields_has_none_of_the_rest(ours: Client) -> None:
    make_provider(ours)
    shown = read(ours, PATH)
    bare = ("note", "usage_limits", "rate_limits", "model_config", "expires_at", "last_reset_at")
    assert [shown[name] for name in bare] == [None, None, [], {}, None, None]


@pytest.mark.parametrize("form", ["id", "slug"])
def test_integration_is_named_by_id_or_slug(ours: Client, form: str) -> None:
    integration = read(ours, f"{INTEGRATIONS}/ours")[form]
    make_provider(ours, integration=integration)
    assert read(ours, PATH)["integration_id"] == "ours"


@pytest.mark.parametrize("form", ["id", "slug"])
def test_workspace_is_named_by_id_or_slug(ours: Client, form: str) -> None:
    make_provider(ours, workspace_id={"id": workspace_id(ours), "slug": PRODUCTION}[form])
    assert providers(ours)["theirs"]["workspace_id"] == workspace_id(ours)


def test_key_of_a_workspace_need_not_name_it(ours: Client) -> None:
    caller = as_workspace(ours, *CRUD)
    made = caller.post(PROVIDERS, {"name": "Theirs", "integration_id": "ours"}).json()
    assert providers(ours)[made["slug"]]["workspace_id"] == workspace_id(ours)


@pytest.mark.parametrize("given", [None, ...], ids=["null", "absent"])
def test_key_of_the_organisation_must_name_the_workspace(ours: Client, given: Any) -> None:
    fields = {"name": "Theirs", "integration_id": "ours"} | ({} if given is ... else {"workspace_id": given})
    data = refused(known_admin(ours).post(PROVIDERS, fields), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/workspace_id"


@pytest.mark.parametrize(("name", "start"), [("Small & Fast", "small-fast"), ("研究", "provider")])
def test_slug_is_the_name_and_a_random_suffix(ours: Client, name: str, start: str) -> None:
    given = {"name": name, "integration_id": "ours", "workspace_id": PRODUCTION}
    assert re.fullmatch(f"{start}-[0-9a-f]{{6}}", ours.post(PROVIDERS, given).json()["slug"])


@pytest.mark.parametrize("slug", ["", "a b", "a/b", "@a", "x" * 256])
def test_slug_has_letters_digits_dash_and_underscore(ours: Client, slug: str) -> None:
    invalid_at(ours, "/slug", slug=slug)


def test_longest_slug_is_taken(ours: Client) -> None:
    assert make_provider(ours, "x" * 255)["slug"] == "x" * 255


def test_taken_slug_is_a_conflict(ours: Client) -> None:
    make_provider(ours)
    before = state(ours)
    given = {"name": "Another", "slug": "theirs", "integration_id": "ours", "workspace_id": PRODUCTION}
    assert "theirs" in refused(ours.post(PROVIDERS, given), 409, "AB07")["message"]
    assert state(ours) == before


def test_slug_is_taken_in_its_workspace_alone(ours: Client) -> None:
    """*chosen*: every workspace that an integration is granted to has a provider with its slug."""
    grant(ours, RESEARCH)
    first = make_provider(ours)
    second = make_provider(ours, workspace_id=RESEARCH)
    assert (first["slug"], second["slug"]) == ("theirs", "theirs")
    assert read(ours, PATH, workspace_id=PRODUCTION)["id"] == first["id"]
    assert read(ours, PATH, workspace_id=RESEARCH)["id"] == second["id"]


def test_integration_must_be_granted(ours: Client) -> None:
    """403 (the Terraform provider)."""
    before = state(ours)
    given = {"name": "Theirs", "integration_id": "ours", "workspace_id": RESEARCH}
    refused(ours.post(PROVIDERS, given), 403, "AB03")
    assert state(ours) == before


def test_switched_off_integration_is_not_granted(ours: Client) -> None:
    grant(ours, PRODUCTION, enabled=False)
    refused(ours.post(PROVIDERS, {"name": "Theirs", "integration_id": "ours", "workspace_id": PRODUCTION}), 403, "AB03")


def test_foreign_integration_is_forbidden(ours: Client) -> None:
    make_integration(ours, "lab", workspace_id=RESEARCH)
    refused(ours.post(PROVIDERS, {"name": "Theirs", "integration_id": "lab", "workspace_id": PRODUCTION}), 403, "AB03")


def test_unknown_integration_is_refused(ours: Client) -> None:
    """*chosen*: 400, not 404, which would say that the path is not there."""
    assert invalid_at(ours, "/integration_id", integration_id="nowhere") == "is no integration of the organisation"


@pytest.mark.parametrize("field", ["name", "integration_id"])
def test_name_and_integration_are_required(ours: Client, field: str) -> None:
    given = {"name": "Theirs", "integration_id": "ours", "workspace_id": PRODUCTION}
    del given[field]
    refused(ours.post(PROVIDERS, given), 400, "AB01")


def test_unknown_workspace_is_forbidden(ours: Client) -> None:
    given = {"name": "Theirs", "integration_id": "ours", "workspace_id": "ws-nowhere"}
    refused(ours.post(PROVIDERS, given), 403, "AB03")


@pytest.mark.parametrize(
    ("field", "value"),
    [("_usage", "much"), ("status", "exhausted"), ("id", NOBODY), ("created_at", "never"), ("last_reset_at", 5)],
)
def test_what_is_not_for_callers_is_ignored(ours: Client, field: str, value: Any) -> None:
    """Conventions: Request tolerance."""
    make_provider(ours, usage_limits=BUDGET, **{field: value})
    shown = read(ours, PATH)
    assert (shown["status"], shown["usage_limits"], shown["last_reset_at"]) == ("active", BUDGET, None)
    assert shown["id"] != NOBODY
    assert shown["created_at"] == "2026-05-03T17:08:55.000Z"


@pytest.mark.parametrize("given", [RATE, [RATE], [RATE, {**RATE, "unit": "rpd"}]], ids=["object", "one", "two"])
def test_rate_limits_read_as_an_array(ours: Client, given: Any) -> None:
    """The published interface types one object, every client sends arrays."""
    make_provider(ours, rate_limits=given)
    assert read(ours, PATH)["rate_limits"] == (given if isinstance(given, list) else [given])


@pytest.mark.parametrize("none", [None, [], ...], ids=["null", "empty", "absent"])
def test_no_rate_limits_read_as_an_empty_array(ours: Client, none: Any) -> None:
    make_provider(ours, **({} if none is ... else {"rate_limits": none}))
    assert read(ours, PATH)["rate_limits"] == []
    assert providers(ours)["theirs"]["rate_limits"] is None


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("usage_limits", [BUDGET], "/usage_limits"),
        ("usage_limits", {"type": "euro"}, "/usage_limits"),
        ("usage_limits", {**BUDGET, "alert_threshold": 21}, "/usage_limits/alert_threshold"),
        ("usage_limits", {**BUDGET, "periodic_reset_days": 366}, "/usage_limits/periodic_reset_days"),
        ("rate_limits", [{"type": "requests"}], "/rate_limits/0/unit"),
        ("expires_at", "tomorrow", "/expires_at"),
        ("note", 5, "/note"),
    ],
)
def test_wrong_field_is_refused(ours: Client, field: str, value: Any, pointer: str) -> None:
    before = state(ours)
    given = {"name": "Theirs", "integration_id": "ours", "workspace_id": PRODUCTION, field: value}
    data = refused(ours.post(PROVIDERS, given), 400, "AB01")
    assert pointer in {violation["pointer"] for violation in data["violations"]}
    assert state(ours) == before


# List


def test_list_item_tells_workspace_and_provider(ours: Client) -> None:
    made = make_provider(ours, note="For support", usage_limits=BUDGET, model_config={"region": "eu"})
    assert read(ours, PROVIDERS, workspace_id=PRODUCTION)["data"][0] == {
        "id": made["id"],
        "name": "Theirs",
        "slug": "theirs",
        "note": "For support",
        "status": "active",
        "usage_limits": BUDGET,
        "rate_limits": None,
        "model_config": None,
        "created_at": "2026-05-03T17:08:55.000Z",
        "expires_at": None,
        "last_reset_at": None,
        "integration_id": "ours",
        "tags": None,
        "reset_usage": None,
        "organisation_id": read(ours, f"/v1/admin/workspaces/{PRODUCTION}")["organisation_id"],
        "workspace_id": workspace_id(ours),
        "workspace_name": "Production",
        "provider": "openai",
        "object": "provider",
    }


def test_single_rate_limit_is_listed_as_an_object(ours: Client) -> None:
    """What the Python client can read; several are an array, which it cannot (sdk-call-map 7.3)."""
    make_provider(ours, "one", rate_limits=[RATE])
    make_provider(ours, "two", rate_limits=[RATE, {**RATE, "unit": "rpd"}])
    shown = providers(ours)
    assert (shown["one"]["rate_limits"], len(shown["two"]["rate_limits"])) == (RATE, 2)


def test_list_is_newest_first(ours: Client) -> None:
    seeded = list(providers(ours))
    make_provider(ours, "first")
    make_provider(ours, "second")
    page = read(ours, PROVIDERS, workspace_id=PRODUCTION)
    assert (page["object"], page["total"]) == ("list", len(seeded) + 2)
    assert list(providers(ours)) == ["second", "first", *seeded]


def test_list_of_a_workspace_has_its_own_alone(ours: Client) -> None:
    seeded = read(ours, PROVIDERS)["total"]
    grant(ours, RESEARCH)
    assert providers(ours, RESEARCH).keys() == {"ours"}
    assert providers(ours, workspace_id(ours, RESEARCH)).keys() == {"ours"}
    assert read(ours, PROVIDERS)["total"] == seeded + 1


def test_pages_count_from_nought(ours: Client) -> None:
    grant(ours, RESEARCH)
    for number in range(4):
        make_provider(ours, f"n{number}", workspace_id=RESEARCH)
    pages = [read(ours, PROVIDERS, workspace_id=RESEARCH, page_size=2, current_page=page) for page in range(4)]
    assert [[each["slug"] for each in page["data"]] for page in pages] == [["n3", "n2"], ["n1", "n0"], ["ours"], []]
    assert {page["total"] for page in pages} == {5}


def test_page_holds_fifty(ours: Client) -> None:
    """Conventions: Paging."""
    grant(ours, RESEARCH)
    for number in range(50):
        make_provider(ours, f"n{number}", workspace_id=RESEARCH)
    page = read(ours, PROVIDERS, workspace_id=RESEARCH)
    assert (len(page["data"]), page["total"]) == (50, 51)


def test_list_of_an_unknown_workspace_is_forbidden(ours: Client) -> None:
    refused(ours.get(PROVIDERS, params={"workspace_id": "ws-nowhere"}), 403, "AB03")


# Read


@pytest.mark.parametrize("form", ["id", "slug"])
def test_every_path_takes_id_or_slug(ours: Client, form: str) -> None:
    path = f"{PROVIDERS}/{make_provider(ours)[form]}"
    assert ours.put(path, {"note": "New"}).status_code == 200
    assert read(ours, path)["note"] == "New"
    done(ours.delete(path))
    refused(ours.get(path), 404, "AB08")


def test_slug_without_a_workspace_means_the_newest(ours: Client) -> None:
    """*chosen*: the first that a list shows."""
    grant(ours, RESEARCH)
    make_provider(ours)
    newest = make_provider(ours, workspace_id=RESEARCH)
    assert read(ours, PATH)["id"] == newest["id"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("unknown", ["nowhere", NOBODY], ids=["slug", "id"])
@pytest.mark.parametrize("path", [PROVIDERS, VIRTUAL_KEYS])
@pytest.mark.parametrize("whose", ["organisation", "workspace"])
def test_unknown_provider_is_not_found(ours: Client, whose: str, path: str, method: str, unknown: str) -> None:
    caller = ours if whose == "organisation" else as_workspace(ours, *CRUD, *VIRTUAL_KEY_SCOPES)
    before = state(ours)
    refused(caller.call(method, f"{path}/{unknown}"), 404, "AB08")
    assert state(ours) == before


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_provider_of_another_workspace_is_not_there(ours: Client, method: str) -> None:
    """To the organisation's key, which named the wrong one."""
    made = make_provider(ours)
    for known in (made["id"], made["slug"]):
        reply = ours.call(method, f"{PROVIDERS}/{known}", params={"workspace_id": RESEARCH})
        refused(reply, 404, "AB08")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_foreign_provider_is_forbidden(ours: Client, method: str) -> None:
    """Errors: 403 for what lies in another workspace."""
    made = make_provider(ours)
    caller = as_workspace(ours, *CRUD, workspace=RESEARCH)
    for known in (made["id"], made["slug"]):
        refused(caller.call(method, f"{PROVIDERS}/{known}"), 403, "AB03")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_foreign_workspace_is_forbidden(ours: Client, method: str) -> None:
    make_provider(ours)
    caller = as_workspace(ours, *CRUD)
    refused(caller.call(method, PATH, params={"workspace_id": RESEARCH}), 403, "AB03")
    refused(caller.get(PROVIDERS, params={"workspace_id": RESEARCH}), 403, "AB03")


def test_key_of_a_workspace_sees_its_own(ours: Client) -> None:
    grant(ours, RESEARCH)
    make_provider(ours)
    caller = as_workspace(ours, *CRUD, workspace=RESEARCH)
    assert [each["slug"] for each in read(caller, PROVIDERS)["data"]] == ["ours"]
    assert caller.get(f"{PROVIDERS}/ours").status_code == 200


@pytest.mark.parametrize(
    ("verb", "method", "path"),
    [("list", "GET", PROVIDERS), ("read", "GET", PATH), ("update", "PUT", PATH), ("delete", "DELETE", PATH)],
)
@pytest.mark.parametrize("family", ["providers", "virtual_keys"])
def test_scopes_of_virtual_keys_do_as_well(ours: Client, verb: str, method: str, path: str, family: str) -> None:
    make_provider(ours)
    assert as_admin(ours, f"{family}.{verb}").call(method, path).status_code == 200


@pytest.mark.parametrize("family", ["providers", "virtual_keys"])
def test_scope_to_create(ours: Client, family: str) -> None:
    given = {"name": "Theirs", "integration_id": "ours"}
    refused(as_workspace(ours, f"{family}.update").post(PROVIDERS, given), 403, "AB03")
    assert as_workspace(ours, f"{family}.create").post(PROVIDERS, given).status_code == 200


# Update


def test_update_tells_id_and_slug(ours: Client) -> None:
    made = make_provider(ours)
    assert ours.put(PATH, {"note": "New"}).json() == made


@pytest.mark.parametrize("where", ["query", "body", "neither"])
def test_workspace_of_an_update_stands_in_query_or_body(ours: Client, where: str) -> None:
    grant(ours, RESEARCH)
    make_provider(ours, workspace_id=RESEARCH)
    if where == "neither":
        reply = as_workspace(ours, *CRUD, workspace=RESEARCH).put(PATH, {"note": "New"})
    else:
        make_provider(ours)  # newer, and not meant
        named = {"workspace_id": RESEARCH}
        reply = ours.put(PATH, {"note": "New"} | (named if where == "body" else {}), params=named if where == "query" else {})
    assert reply.status_code == 200
    assert read(ours, PATH, workspace_id=RESEARCH)["note"] == "New"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Renamed"),
        ("note", "New"),
        ("usage_limits", {"type": "tokens", "credit_limit": 1000}),
        ("rate_limits", [{"type": "tokens", "unit": "rpd", "value": 5}]),
        ("expires_at", "2026-07-01T00:00:00.000Z"),
        ("model_config", {"region": "us"}),
    ],
)
def test_update_changes_what_is_sent(ours: Client, field: str, value: Any) -> None:
    make_provider(ours, note="Old", usage_limits=BUDGET, rate_limits=[RATE], model_config={"region": "eu"})
    before = read(ours, PATH)
    assert ours.put(PATH, {field: value}).status_code == 200
    after = read(ours, PATH)
    assert (changes(before, after), after[field]) == ({field}, value)


@pytest.mark.parametrize(
    ("field", "cleared"),
    [("note", None), ("usage_limits", None), ("rate_limits", []), ("expires_at", None), ("model_config", {})],
)
def test_null_clears(ours: Client, field: str, cleared: Any) -> None:
    fields: Record = {"note": "Old", "usage_limits": BUDGET, "rate_limits": [RATE], "model_config": {"region": "eu"}}
    make_provider(ours, **fields, expires_at="2026-06-01T00:00:00Z")
    before = read(ours, PATH)
    assert ours.put(PATH, {field: None}).status_code == 200
    after = read(ours, PATH)
    assert (changes(before, after), after[field]) == ({field}, cleared)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "new"),
        ("integration_id", SEEDED),
        ("id", NOBODY),
        ("status", "expired"),
        ("created_at", "2020-01-01T00:00:00.000Z"),
        ("key", "sk-new"),
        ("_usage", 20),
    ],
)
def test_immutable_field_is_ignored(ours: Client, field: str, value: Any) -> None:
    make_provider(ours, usage_limits=BUDGET)
    before = read(ours, PATH)
    assert ours.put(PATH, {field: value}).status_code == 200
    assert read(ours, PATH) == before


def test_provider_cannot_move_to_another_workspace(ours: Client) -> None:
    make_provider(ours)
    refused(ours.put(PATH, {"workspace_id": RESEARCH}), 404, "AB08")
    assert "theirs" in providers(ours)


def test_reset_is_a_command(ours: Client) -> None:
    """Conventions: Limit state machine (not stored, reads null, sets `last_reset_at`)."""
    make_provider(ours)
    at(ours, "2026-05-04T10:00:00Z")
    assert ours.put(PATH, {"reset_usage": True}).status_code == 200
    assert read(ours, PATH)["last_reset_at"] == "2026-05-04T10:00:00.000Z"
    assert providers(ours)["theirs"]["reset_usage"] is None


@pytest.mark.parametrize("value", [False, None])
def test_reset_that_is_not_true_is_none(ours: Client, value: Any) -> None:
    make_provider(ours)
    ours.put(PATH, {"reset_usage": value})
    assert read(ours, PATH)["last_reset_at"] is None


# Delete


def test_deleted_provider_is_gone_from_both_views(ours: Client) -> None:
    make_provider(ours)
    done(ours.delete(PATH, params={"workspace_id": PRODUCTION}))
    refused(ours.get(PATH), 404, "AB08")
    refused(ours.get(f"{VIRTUAL_KEYS}/theirs"), 404, "AB08")
    assert "theirs" not in providers(ours)


def test_integration_outlives_its_provider(ours: Client) -> None:
    make_provider(ours)
    done(ours.delete(PATH))
    assert read(ours, f"{INTEGRATIONS}/ours")["workspace_count"] == 1


def test_provider_is_deleted_whatever_refers_to_it(ours: Client) -> None:
    """*chosen*: the dossier calls it unconfirmed."""
    make_provider(ours)
    config = {"name": "Fast", "config": {"provider": "@theirs"}, "workspace_id": PRODUCTION}
    assert ours.post("/v1/configs", config).status_code == 200
    done(ours.delete(PATH))


def test_deletion_takes_a_body(ours: Client) -> None:
    """Conventions: Request tolerance."""
    make_provider(ours)
    done(ours.delete(PATH, {"slug": "theirs"}))


def test_provider_keeps_its_workspace_from_deletion(ours: Client) -> None:
    workspace = make_workspace(ours)["slug"]
    rows = [{"id": workspace, "enabled": True, "create_default_provider": False}]
    done(ours.put(f"{INTEGRATIONS}/ours/workspaces", {"workspaces": rows}))
    make_provider(ours, workspace_id=workspace)
    message = refused(ours.delete(f"/v1/admin/workspaces/{workspace}"), 409, "AB07")["message"]
    assert message == "Unable to delete. Please ensure that all Virtual Keys are deleted"
    done(ours.delete(PATH, params={"workspace_id": workspace}))
    done(ours.delete(f"/v1/admin/workspaces/{workspace}"))


def test_provider_is_a_virtual_key_too(ours: Client) -> None:
    made = make_provider(ours, note="For support", rate_limits=[RATE])
    shown = read(ours, f"{VIRTUAL_KEYS}/theirs")
    assert shown == read(ours, PATH) | {"object": "virtual-key"}
    listed = read(ours, VIRTUAL_KEYS, workspace_id=PRODUCTION)["data"][0]
    assert listed == providers(ours)["theirs"] | {"object": "virtual-key", "rate_limits": [RATE]}
    assert listed["id"] == made["id"]


# The way of the Terraform provider


def test_terraform_sees_no_drift(ours: Client) -> None:
    """Quirks 11 and 12: addressed by the id that creation tells, a GET after every change, gone by a text with 404."""
    production = workspace_id(ours)
    at(ours, "2026-05-03T17:08:55Z")
    made = make_provider(ours, workspace_id=production, note="Old", usage_limits=BUDGET, rate_limits=[RATE])
    path, named = f"{PROVIDERS}/{made['id']}", {"workspace_id": production}
    created = read(ours, path, **named)
    assert created.items() >= {**made, "integration_id": "ours", "usage_limits": BUDGET, "rate_limits": [RATE]}.items()
    assert read(ours, path, **named) == created

    at(ours, "2026-05-04T10:00:00Z")
    more: Record = {"type": "cost", "credit_limit": 50, "alert_threshold": 40}
    given = {"name": "Theirs", "note": "Old", "usage_limits": more, "rate_limits": [RATE], **named}
    assert ours.put(path, given).status_code == 200
    changed = read(ours, path, **named)
    assert changed == created | {"usage_limits": more}
    assert read(ours, path, **named) == changed

    assert ours.put(path, {**given, "usage_limits": None, "rate_limits": None}).status_code == 200
    cleared = read(ours, path, **named)
    assert cleared == changed | {"usage_limits": None, "rate_limits": []}
    assert read(ours, path, **named) == cleared

    done(ours.delete(path, params=named))
    refused(ours.get(path, params=named), 404, "AB08")


@pytest.mark.parametrize("workspace", [SHARED, RESEARCH])
def test_workspace_without_providers_has_an_empty_list(ours: Client, workspace: str) -> None:
    assert read(ours, PROVIDERS, workspace_id=workspace) == {"object": "list", "total": 0, "data": []}
