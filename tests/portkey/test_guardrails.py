"""Guardrails through the front door.

Source of every rule that names none: prompts-configs-guardrails, Guardrails.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.operations import Operation
from mockserver.portkey.checks import BASIC, CATALOGUE, PARTNER, PRO
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    ADA,
    DARA,
    NOBODY,
    PRODUCTION,
    RESEARCH,
    SHARED,
    answered,
    at,
    changes,
    done,
    key_with,
    make_key,
    read,
    refused,
    state,
    user_id,
    workspace_id,
)

GUARDRAILS = "/v1/guardrails"
BRIEF: list[Record] = [{"id": "default.wordCount", "parameters": {"maxWords": 100}}]
POLITE: list[Record] = [
    {"id": "default.regexMatch", "name": "No keys", "parameters": {"rule": "AKIA", "not": True}, "is_enabled": True},
    {"id": "patronus.isPolite", "is_enabled": False},
]
ACTIONS: Record = {
    "deny": True,
    "async": False,
    "on_success": {"feedback": {"value": 5, "weight": 1, "metadata": ""}},
    "on_fail": {"feedback": {"value": -5, "weight": 1, "metadata": {"team": "a"}}},
}

ITEM_FIELDS = [
    "id", "name", "slug", "organisation_id", "workspace_id", "status", "created_at", "last_updated_at", "owner_id",
    "updated_by",
]  # fmt: skip
READ_FIELDS = [*ITEM_FIELDS, "version_id", "checks", "actions"]


def make_guardrail(client: Client, **fields: Any) -> Record:
    """Make a guardrail, by default one of Production's, and return the reply."""
    given: Record = {"name": "Be brief", "checks": BRIEF, "actions": ACTIONS, "workspace_id": PRODUCTION}
    return answered(client.post(GUARDRAILS, given | fields))


def make_shared(client: Client, **fields: Any) -> Record:
    """Make a guardrail of the organisation."""
    return make_guardrail(client, workspace_id=None, **fields)


def read_guardrail(client: Client, id_or_slug: str) -> Record:
    """Read a guardrail."""
    return read(client, f"{GUARDRAILS}/{id_or_slug}")


def listed(client: Client, **query: Any) -> list[str]:
    """The names in a list."""
    return [item["name"] for item in read(client, GUARDRAILS, **query)["data"]]


def organisation(client: Client) -> str:
    """The id of the organisation."""
    return str(read(client, f"/v1/admin/workspaces/{PRODUCTION}")["organisation_id"])


# Create


def test_create_tells_names_and_version(client: Client) -> None:
    made = make_guardrail(client)
    assert list(made) == ["id", "slug", "version_id"]
    assert [uuid.UUID(made[name]).version for name in ("id", "version_id")] == [4, 4]


@pytest.mark.parametrize(
    ("name", "start"), [("check", "pg-check-"), ("Patronus PII", "pg-patron-"), ("A & B", "pg-a-b-"), ("研究", "pg-")]
)
def test_slug_is_made_of_name_and_six_digits(client: Client, name: str, start: str) -> None:
    """Identifiers."""
    assert re.fullmatch(start + "[0-9a-f]{6}", make_guardrail(client, name=name)["slug"])


@pytest.mark.parametrize("form", ["id", "slug"])
def test_workspace_is_read_as_uuid(client: Client, form: str) -> None:
    """Conventions, Auth: the Terraform provider's tests send both."""
    known = workspace_id(client)
    made = make_guardrail(client, workspace_id=known if form == "id" else PRODUCTION)
    assert read_guardrail(client, made["id"])["workspace_id"] == known


def test_workspace_key_implies_its_workspace(client: Client) -> None:
    caller = key_with(client, "guardrails.create")
    made = caller.post(GUARDRAILS, {"name": "Mine", "checks": BRIEF, "actions": {}}).json()
    assert read_guardrail(client, made["id"])["workspace_id"] == workspace_id(client)


def test_key_of_the_organisation_names_an_owner(client: Client) -> None:
    caller = key_with(client, "guardrails.create", "organisation_guardrails.create", workspace=None)
    before = state(client)
    data = refused(caller.post(GUARDRAILS, {"name": "Mine", "checks": BRIEF, "actions": {}}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/workspace_id"
    assert state(client) == before


def test_stranger_who_names_no_owner_gets_the_default_workspace(client: Client) -> None:
    """*chosen*: who tests with any key has, with the real service, a key of a workspace."""
    made = client.post(GUARDRAILS, {"name": "Mine", "checks": BRIEF, "actions": {}}).json()
    assert read_guardrail(client, made["id"])["workspace_id"] == workspace_id(client, SHARED)


@pytest.mark.parametrize("null", [True, False], ids=["null", "absent"])
def test_guardrail_of_the_organisation_has_no_workspace(client: Client, null: bool) -> None:
    fields: Record = {"organisation_id": organisation(client)} | ({"workspace_id": None} if null else {})
    made = client.post(GUARDRAILS, {"name": "All", "checks": BRIEF, "actions": {}, **fields}).json()
    shown = read_guardrail(client, made["id"])
    assert (shown["workspace_id"], shown["organisation_id"]) == (None, organisation(client))


def test_workspace_counts_when_both_owners_are_named(client: Client) -> None:
    made = make_guardrail(client, organisation_id=organisation(client))
    assert read_guardrail(client, made["id"])["workspace_id"] == workspace_id(client)


@pytest.mark.parametrize("fields", [{"workspace_id": "ws-none"}, {"organisation_id": NOBODY, "workspace_id": None}], ids=repr)
def test_unknown_owner_is_forbidden(client: Client, fields: Record) -> None:
    before = state(client)
    refused(client.post(GUARDRAILS, {"name": "Mine", "checks": BRIEF, "actions": {}, **fields}), 403, "AB03")
    assert state(client) == before


def test_foreign_workspace_is_forbidden(client: Client) -> None:
    caller = key_with(client, "guardrails.create", workspace=RESEARCH)
    body = {"name": "Mine", "checks": BRIEF, "actions": {}, "workspace_id": PRODUCTION}
    refused(caller.post(GUARDRAILS, body), 403, "AB03")


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("name", "", "/name"),
        ("name", None, "/name"),
        ("checks", [], "/checks"),
        ("checks", {}, "/checks"),
        ("checks", None, "/checks"),
        ("checks", [{}], "/checks/0/id"),
        ("checks", [{"id": "wordCount"}], "/checks/0/id"),
        ("checks", [{"id": "default.wordCount", "is_enabled": "true"}], "/checks/0/is_enabled"),
        ("checks", [{"id": "default.wordCount", "parameters": 5}], "/checks/0/parameters"),
        ("checks", [{"id": "default.regexMatch"}], "/checks/0/parameters/rule"),
        ("actions", [], "/actions"),
        ("actions", None, "/actions"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("call", ["create", "update"])
def test_wrong_field_is_refused_and_nothing_changes(client: Client, call: str, field: str, value: Any, place: str) -> None:
    made = make_guardrail(client)
    before = state(client)
    if call == "create":
        given: Record = {"name": "Mine", "checks": BRIEF, "actions": {}, "workspace_id": PRODUCTION}
        reply = client.post(GUARDRAILS, given | {field: value})
    else:
        reply = client.put(f"{GUARDRAILS}/{made['id']}", {field: value})
    assert refused(reply, 400, "AB01")["violations"][0]["pointer"] == place
    assert state(client) == before


@pytest.mark.parametrize("field", ["name", "checks", "actions"])
def test_create_needs_its_fields(client: Client, field: str) -> None:
    given: Record = {"name": "Mine", "checks": BRIEF, "actions": {}, "workspace_id": PRODUCTION}
    del given[field]
    assert refused(client.post(GUARDRAILS, given), 400, "AB01")["violations"][0]["pointer"] == f"/{field}"


# Checks


def test_catalogue_is_the_published_one(client: Client) -> None:
    """The document lists the ids that Portkey publishes."""
    operation: Operation = client.app.contract.operation("createGuardrail")
    schemas = client.app.document["components"]["schemas"]
    published = schemas["GuardrailCheck"]["properties"]["id"]["anyOf"][0]["enum"]
    assert operation.family == "guardrails"
    assert sorted(CATALOGUE) == sorted(published)
    assert (len(BASIC), len(PRO), len(PARTNER)) == (17, 4, 25)


def test_page_has_what_each_check_needs() -> None:
    page = Path(__file__).parents[2] / "docs" / "configs.md"
    table = page.read_text(encoding="utf-8").partition("<!-- checks:")[2].partition("\n## ")[0]
    told = {
        first: tuple(rest) for first, *rest in (re.findall(r"`([^`]+)`", line) for line in table.splitlines() if "`" in line)
    }
    assert told == {check: needed for check, needed in CATALOGUE.items() if needed}


@pytest.mark.parametrize(("check", "needed"), CATALOGUE.items(), ids=CATALOGUE)
def test_known_check_needs_its_parameters(client: Client, check: str, needed: tuple[str, ...]) -> None:
    """400 AB01, naming each."""
    body: Record = {"name": "Mine", "actions": {}, "workspace_id": PRODUCTION}
    full: Record = {"id": check, "parameters": dict.fromkeys(needed, "any")}
    assert client.post(GUARDRAILS, body | {"checks": [full]}).status_code == 200
    for name in needed:
        less = {key: value for key, value in full["parameters"].items() if key != name}
        data = refused(client.post(GUARDRAILS, body | {"checks": [*BRIEF, {"id": check, "parameters": less}]}), 400, "AB01")
        assert [each["pointer"] for each in data["violations"]] == [f"/checks/1/parameters/{name}"]
        assert data["message"] == f"Invalid request: body/checks/1/parameters/{name} is required by {check}"


def test_all_missing_parameters_are_told(client: Client) -> None:
    checks = [{"id": "default.endsWith"}, {"id": "bedrock.guard", "parameters": {"guardrailId": "a"}}]
    body = {"name": "Mine", "actions": {}, "workspace_id": PRODUCTION, "checks": checks}
    data = refused(client.post(GUARDRAILS, body), 400, "AB01")
    places = [each["pointer"] for each in data["violations"]]
    assert places == ["/checks/0/parameters/suffix", "/checks/1/parameters/guardrailVersion"]
    assert data["message"].endswith("is required by default.endsWith (and 1 more)")


@pytest.mark.parametrize(
    "check", ["default.notNull", "azure.shieldPrompt", "qualifire.anything", "f5-guardrails.scan", "lakera.guard"]
)
def test_check_beyond_the_catalogue_is_taken(client: Client, check: str) -> None:
    made = make_guardrail(client, checks=[{"id": check, "parameters": {"any": [1]}}])
    assert read_guardrail(client, made["id"])["checks"] == [{"id": check, "parameters": {"any": [1]}}]


def test_checks_come_back_as_they_were_sent(client: Client) -> None:
    """No defaults are added; a check that is not enabled is kept as well."""
    assert read_guardrail(client, make_guardrail(client, checks=POLITE)["id"])["checks"] == POLITE


@pytest.mark.parametrize(
    "actions",
    [
        ACTIONS,
        {},
        {"deny": True},
        {"onFail": "log", "message": "Refused"},
        {"on_fail": "deny", "sequential": True},
        {"on_fail": {"value": -1, "weight": 1}, "soft_deny_200": True},
    ],
    ids=["published", "none", "one", "terraform", "word", "admin tool"],
)
def test_actions_come_back_as_they_were_sent(client: Client, actions: Record) -> None:
    """Nothing of what the document asks for is enforced."""
    made = make_guardrail(client, actions=actions)
    assert read_guardrail(client, made["id"])["actions"] == actions


# Read


def test_read_has_every_field(client: Client) -> None:
    at(client, "2026-04-12T17:07:59Z")
    made = make_guardrail(client)
    shown = read_guardrail(client, made["id"])
    assert list(shown) == READ_FIELDS
    assert shown == {
        **made,
        "name": "Be brief",
        "organisation_id": organisation(client),
        "workspace_id": workspace_id(client),
        "status": "active",
        "created_at": "2026-04-12T17:07:59.000Z",
        "last_updated_at": "2026-04-12T17:07:59.000Z",
        "owner_id": user_id(client, ADA),
        "updated_by": None,
        "checks": BRIEF,
        "actions": ACTIONS,
    }


@pytest.mark.parametrize("form", ["id", "slug"])
def test_every_path_takes_id_or_slug(client: Client, form: str) -> None:
    known = make_guardrail(client)[form]
    assert read_guardrail(client, known)[form] == known
    assert client.put(f"{GUARDRAILS}/{known}", {"name": "Other"}).json()[form] == known
    done(client.delete(f"{GUARDRAILS}/{known}"))


def test_owner_is_who_made_it(client: Client) -> None:
    dara = user_id(client, DARA)
    key = make_key(client, "workspace/user", user_id=dara, scopes=["guardrails.create", "guardrails.update"])
    made = make_guardrail(client.as_key(key.secret))
    for caller, person in ((client, user_id(client, ADA)), (client.as_key(key.secret), dara)):
        caller.put(f"{GUARDRAILS}/{made['id']}", {"name": "Other"})
        shown = read_guardrail(client, made["id"])
        assert (shown["owner_id"], shown["updated_by"]) == (dara, person)


@pytest.mark.parametrize(("method", "body"), [("GET", ...), ("PUT", {"name": "Other"}), ("DELETE", ...)])
@pytest.mark.parametrize("unknown", ["pg-nobody-000000", NOBODY, "None"])
def test_unknown_guardrail_is_forbidden(client: Client, method: str, body: Any, unknown: str) -> None:
    """403 only: no 404 is documented."""
    refused(client.call(method, f"{GUARDRAILS}/{unknown}", body), 403, "AB03")


@pytest.mark.parametrize(
    ("method", "body", "verb"), [("GET", ..., "read"), ("PUT", {"name": "Other"}, "update"), ("DELETE", ..., "delete")]
)
def test_guardrail_of_another_workspace_is_forbidden(client: Client, method: str, body: Any, verb: str) -> None:
    path = f"{GUARDRAILS}/{make_guardrail(client)['id']}"
    own, foreign = (key_with(client, f"guardrails.{verb}", workspace=each) for each in (PRODUCTION, RESEARCH))
    before = state(client)
    refused(foreign.call(method, path, body), 403, "AB03")
    assert state(client) == before
    assert own.call(method, path, body).status_code == 200


# Scopes: those of workspaces, and those of the organisation.

CALLS = [("GET", ..., "read"), ("PUT", {"name": "Other"}, "update"), ("DELETE", ..., "delete")]


@pytest.mark.parametrize(("method", "body", "verb"), CALLS)
@pytest.mark.parametrize("owner", ["workspace", "organisation"])
def test_each_kind_has_its_own_scopes(client: Client, owner: str, method: str, body: Any, verb: str) -> None:
    made = make_shared(client) if owner == "organisation" else make_guardrail(client)
    path = f"{GUARDRAILS}/{made['slug']}"
    right, wrong = f"organisation_guardrails.{verb}", f"guardrails.{verb}"
    if owner == "workspace":
        right, wrong = wrong, right
    refused(key_with(client, wrong, workspace=None).call(method, path, body), 403, "AB03")
    assert key_with(client, right, workspace=None).call(method, path, body).status_code == 200


@pytest.mark.parametrize(
    ("owner", "scope"),
    [(None, "organisation_guardrails.create"), (PRODUCTION, "guardrails.create")],
    ids=["organisation", "workspace"],
)
def test_each_kind_is_created_with_its_own_scope(client: Client, owner: str | None, scope: str) -> None:
    body: Record = {"name": "Mine", "checks": BRIEF, "actions": {}, "workspace_id": owner}
    other = "guardrails.create" if owner is None else "organisation_guardrails.create"
    refused(key_with(client, other, workspace=None).post(GUARDRAILS, body), 403, "AB03")
    assert key_with(client, scope, workspace=None).post(GUARDRAILS, body).status_code == 200


def test_workspace_key_reaches_none_of_the_organisation(client: Client) -> None:
    """The organisation's scopes mean nothing on it."""
    path = f"{GUARDRAILS}/{make_shared(client)['id']}"
    caller = key_with(client, "guardrails.read", "organisation_guardrails.read")
    refused(caller.get(path), 403, "AB03")


def test_list_shows_the_kinds_that_a_key_may_list(client: Client) -> None:
    make_guardrail(client, name="Ours")
    make_shared(client, name="All")
    assert listed(key_with(client, "guardrails.list", workspace=None)) == ["Ours"]
    assert listed(key_with(client, "organisation_guardrails.list", workspace=None)) == ["All"]
    both = key_with(client, "guardrails.list", "organisation_guardrails.list", workspace=None)
    assert listed(both) == ["All", "Ours"]
    assert listed(key_with(client, "organisation_guardrails.list", workspace=None), workspace_id=PRODUCTION) == []


# List


def test_list_item_is_a_read_without_what_it_checks(client: Client) -> None:
    shown = read_guardrail(client, make_guardrail(client)["id"])
    found = read(client, GUARDRAILS)
    assert (found["object"], found["total"]) == ("list", 1)
    assert [list(item) for item in found["data"]] == [ITEM_FIELDS]
    assert found["data"][0] == {name: shown[name] for name in ITEM_FIELDS}


def test_list_is_newest_first(client: Client) -> None:
    for minute in (1, 3, 2):
        at(client, f"2030-01-01T00:0{minute}:00Z")
        make_guardrail(client, name=f"At {minute}")
    assert listed(client) == ["At 3", "At 2", "At 1"]


def test_list_filters_by_owner(client: Client) -> None:
    """A workspace's, by id or slug; the organisation's own (*chosen*), or all for an admin who names neither (*chosen*)."""
    make_guardrail(client, name="One")
    make_guardrail(client, name="Two", workspace_id=RESEARCH)
    make_shared(client, name="All")
    assert listed(client, workspace_id=PRODUCTION) == listed(client, workspace_id=workspace_id(client)) == ["One"]
    assert listed(client, organisation_id=organisation(client)) == ["All"]
    assert listed(client, organisation_id=organisation(client), workspace_id=RESEARCH) == ["Two"]
    assert listed(client) == ["All", "Two", "One"]


def test_list_of_an_unknown_owner_is_forbidden(client: Client) -> None:
    refused(client.get(f"{GUARDRAILS}?organisation_id={NOBODY}"), 403, "AB03")
    refused(client.get(f"{GUARDRAILS}?workspace_id=ws-none"), 403, "AB03")


def test_workspace_key_lists_its_own_alone(client: Client) -> None:
    make_guardrail(client, name="One")
    make_guardrail(client, name="Two", workspace_id=RESEARCH)
    make_shared(client, name="All")
    caller = key_with(client, "guardrails.list")
    assert listed(caller) == listed(caller, organisation_id=organisation(client)) == ["One"]
    refused(caller.get(f"{GUARDRAILS}?workspace_id={RESEARCH}"), 403, "AB03")


def test_list_filters_by_ids(client: Client) -> None:
    """Changelog 1.15.0; slugs do as well (*chosen*)."""
    first, second, third = (make_guardrail(client, name=name) for name in ("One", "Two", "Three"))
    assert listed(client, ids=f"{first['id']}, {third['slug']},{NOBODY}") == ["Three", "One"]
    assert listed(client, ids=second["id"], workspace_id=RESEARCH) == []
    found = read(client, GUARDRAILS, ids=f"{first['id']},{second['id']}", page_size=1, current_page=1)
    assert (found["total"], [item["name"] for item in found["data"]]) == (2, ["One"])


def test_page_holds_a_hundred_unless_told_otherwise(client: Client) -> None:
    for number in range(101):
        make_guardrail(client, name=f"Number {number}")
    assert [len(listed(client, current_page=page)) for page in range(3)] == [100, 1, 0]
    assert [len(listed(client, page_size=40, current_page=page)) for page in range(3)] == [40, 40, 21]
    assert read(client, GUARDRAILS, page_size=1)["total"] == 101


@pytest.mark.parametrize("query", ["page_size=0", "page_size=1001", "current_page=-1", "organisation_id=here"])
def test_list_refuses_impossible_queries(client: Client, query: str) -> None:
    refused(client.get(f"{GUARDRAILS}?{query}"), 400, "AB01")


# Update


@pytest.mark.parametrize(
    ("field", "value"), [("name", "Other"), ("checks", POLITE), ("actions", {"deny": False})], ids=["name", "checks", "actions"]
)
def test_update_replaces_what_is_sent_as_a_whole(client: Client, field: str, value: Any) -> None:
    made = make_guardrail(client)
    before = read_guardrail(client, made["id"])
    at(client, "2031-01-01T00:00:00Z")
    told = client.put(f"{GUARDRAILS}/{made['id']}", {field: value}).json()
    after = read_guardrail(client, made["id"])
    assert after[field] == value
    assert changes(before, after) == {field, "version_id", "last_updated_at", "updated_by"}
    assert told == {"id": made["id"], "slug": made["slug"], "version_id": after["version_id"]}


@pytest.mark.parametrize(
    "fields", [..., {}, {"guardrail_id": NOBODY}, {"workspace_id": RESEARCH}, {"status": "archived"}], ids=repr
)
def test_nothing_else_can_be_changed(client: Client, fields: Any) -> None:
    """Then no version is made (*chosen*)."""
    made = make_guardrail(client)
    before = read_guardrail(client, made["id"])
    at(client, "2031-01-01T00:00:00Z")
    assert client.put(f"{GUARDRAILS}/{made['id']}", fields).json() == made
    assert read_guardrail(client, made["id"]) == before


# Delete


def test_deleted_guardrail_is_forbidden(client: Client) -> None:
    made = make_guardrail(client)
    done(client.delete(f"{GUARDRAILS}/{made['id']}", {"guardrail_id": made["id"]}))
    for form in ("id", "slug"):
        refused(client.get(f"{GUARDRAILS}/{made[form]}"), 403, "AB03")
    assert listed(client) == []


def test_config_does_not_keep_a_guardrail(client: Client) -> None:
    """*chosen*: nothing is known; the config stays as it is."""
    made = make_guardrail(client)
    content = {"input_guardrails": [made["slug"]]}
    config = client.post("/v1/configs", {"name": "Guarded", "config": content, "workspace_id": PRODUCTION}).json()
    done(client.delete(f"{GUARDRAILS}/{made['id']}"))
    assert read(client, f"/v1/configs/{config['slug']}")["data"]["config"] == content


# Secrets


def test_journal_hides_headers_of_webhooks(client: Client) -> None:
    parameters = {"webhookURL": "https://hook.example/check", "headers": {"Authorization": "Bearer hidden"}}
    made = make_guardrail(client, checks=[{"id": "default.webhook", "parameters": parameters}])
    assert read_guardrail(client, made["id"])["checks"][0]["parameters"] == parameters
    journal = client.get("/__admin/requests", headers={"x-mock-world": client.world_name})
    assert len(journal.json()["requests"]) == 2
    assert "Bearer hidden" not in journal.text
    assert "hook.example" in journal.text


# Sequences


@pytest.mark.parametrize("owner", ["workspace", "organisation"])
def test_terraform_keeps_a_guardrail(client: Client, owner: str) -> None:
    """What the provider does over the life of a resource: every field, each time it reads."""
    at(client, "2026-01-01T00:00:00Z")
    actions = {"onFail": "log", "message": "Too long"}
    home = {"workspace_id": workspace_id(client)} if owner == "workspace" else {"organisation_id": organisation(client)}
    made = client.post(GUARDRAILS, {"name": "Brief", "checks": BRIEF, "actions": actions, **home}).json()
    first = read_guardrail(client, made["slug"])
    assert first == {
        "id": made["id"],
        "name": "Brief",
        "slug": made["slug"],
        "organisation_id": organisation(client),
        "workspace_id": home.get("workspace_id"),
        "status": "active",
        "created_at": "2026-01-01T00:00:00.000Z",
        "last_updated_at": "2026-01-01T00:00:00.000Z",
        "owner_id": user_id(client, ADA),
        "updated_by": None,
        "version_id": made["version_id"],
        "checks": BRIEF,
        "actions": actions,
    }
    assert read_guardrail(client, made["slug"]) == first

    at(client, "2026-01-02T00:00:00Z")
    told = client.put(f"{GUARDRAILS}/{made['slug']}", {"name": "Polite", "checks": POLITE, "actions": actions}).json()
    changed = first | {
        "name": "Polite",
        "checks": POLITE,
        "version_id": told["version_id"],
        "updated_by": user_id(client, ADA),
        "last_updated_at": "2026-01-02T00:00:00.000Z",
    }
    assert told["version_id"] != made["version_id"]
    assert read_guardrail(client, made["slug"]) == changed

    told = client.put(f"{GUARDRAILS}/{made['slug']}", {"name": "Polite", "checks": POLITE[:1], "actions": {}}).json()
    cleared = changed | {"checks": POLITE[:1], "actions": {}, "version_id": told["version_id"]}
    assert read_guardrail(client, made["slug"]) == cleared
    assert read_guardrail(client, made["slug"]) == cleared

    done(client.delete(f"{GUARDRAILS}/{made['slug']}"))
    refused(client.get(f"{GUARDRAILS}/{made['slug']}"), 403, "AB03")
