"""Configs through the front door.

Source of every rule that names none: prompts-configs-guardrails, Configs. What a content must be is tested in
`test_config_rules.py`.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

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
    make_workspace,
    read,
    read_key,
    refused,
    state,
    user_id,
    workspace_id,
)

CONFIGS = "/v1/configs"


@pytest.fixture
def client(client: Client) -> Client:
    """A client of a world without the fixture's configs."""
    for name in ("configs", "config_versions"):
        for record in list(client.world[name].newest()):
            client.world[name].remove(record["id"])
    return client


RETRY: Record = {"retry": {"attempts": 2}}
FALLBACK: Record = {
    "strategy": {"mode": "fallback", "on_status_codes": [429, 503]},
    "targets": [{"virtual_key": "zebra", "weight": 0.5, "colour": "blue"}, {"provider": "@apple"}],
    "anthropic_beta": "tools",
}

ITEM_FIELDS = [
    "id", "name", "slug", "organisation_id", "workspace_id", "is_default", "status", "owner_id", "updated_by", "created_at",
    "last_updated_at", "object",
]  # fmt: skip
READ_FIELDS = {*ITEM_FIELDS, "config", "version_id", "format", "type"}
"""As recorded."""


def make_config(client: Client, **fields: Any) -> Record:
    """Make a config, by default one of Production's, and return the reply."""
    given: Record = {"name": "Retry twice", "config": RETRY, "workspace_id": PRODUCTION}
    return answered(client.post(CONFIGS, given | fields))


def read_config(client: Client, slug: str) -> Record:
    """Read a config as most clients do: what stands at the top."""
    return {name: value for name, value in read(client, f"{CONFIGS}/{slug}").items() if name not in ("success", "data")}


def update(client: Client, slug: str, **fields: Any) -> Record:
    """Change a config and return the reply."""
    return answered(client.put(f"{CONFIGS}/{slug}", fields))


def listed(client: Client, **query: Any) -> list[str]:
    """The names in a list."""
    return [item["name"] for item in read(client, CONFIGS, **query)["data"]]


def versions(client: Client, slug: str) -> list[Any]:
    """The contents of a config's versions, newest first."""
    return [json.loads(row["config"]) for row in read(client, f"{CONFIGS}/{slug}/versions")["data"]]


# Create


def test_create_tells_both_forms(client: Client) -> None:
    """Flat for the SDKs and the Terraform provider, `success` and `data` for the admin tools."""
    made = make_config(client)
    told = {name: made[name] for name in ("id", "version_id", "slug")}
    assert made == {"success": True, "data": told, **told, "object": "config"}


def test_ids_have_recorded_versions(client: Client) -> None:
    shown = read_config(client, make_config(client)["slug"])
    assert [uuid.UUID(shown[name]).version for name in ("id", "version_id")] == [4, 4]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("e2e-test", "pc-e2e-te-"),
        ("My config", "pc-my-con-"),
        ("A & B", "pc-a-b-"),
        ("Fallback", "pc-fallba-"),
        ("Hello World", "pc-hello-"),
        ("研究", "pc-"),
    ],
)
def test_slug_is_made_of_name_and_six_digits(client: Client, name: str, start: str) -> None:
    """Identifiers."""
    assert re.fullmatch(start + "[0-9a-f]{6}", make_config(client, name=name)["slug"])


def test_names_may_repeat(client: Client) -> None:
    """Identifiers: four recorded configs share a name."""
    assert make_config(client)["slug"] != make_config(client)["slug"]
    assert listed(client) == ["Retry twice"] * 2


@pytest.mark.parametrize("flag", ["isDefault", "is_default"])
@pytest.mark.parametrize(("given", "shown"), [(1, 1), (0, 0), (None, 0)])
def test_default_flag_has_two_spellings(client: Client, flag: str, given: Any, shown: int) -> None:
    """The document and the Terraform provider write one, both SDKs the other; it is read as an integer."""
    found = read_config(client, make_config(client, **{flag: given})["slug"])["is_default"]
    assert (found, type(found)) == (shown, int)


def test_new_default_takes_the_flag(client: Client) -> None:
    """*chosen*: a workspace has one default."""
    first, second = (make_config(client, is_default=1)["slug"] for _ in range(2))
    assert [read_config(client, slug)["is_default"] for slug in (first, second)] == [0, 1]


def test_default_keeps_the_flag_beside_others(client: Client) -> None:
    first = make_config(client, is_default=1)["slug"]
    make_config(client, is_default=0)
    assert read_config(client, first)["is_default"] == 1


def test_default_of_another_workspace_keeps_the_flag(client: Client) -> None:
    first = make_config(client, is_default=1)["slug"]
    make_config(client, is_default=1, workspace_id=RESEARCH)
    assert read_config(client, first)["is_default"] == 1


@pytest.mark.parametrize("form", ["id", "slug"])
def test_workspace_is_read_as_uuid(client: Client, form: str) -> None:
    """Conventions, Auth."""
    known = workspace_id(client)
    made = make_config(client, workspace_id=known if form == "id" else PRODUCTION)
    assert read_config(client, made["slug"])["workspace_id"] == known


def test_workspace_key_implies_its_workspace(client: Client) -> None:
    caller = key_with(client, "configs.create")
    made = caller.post(CONFIGS, {"name": "Mine", "config": RETRY}).json()
    assert read_config(client, made["slug"])["workspace_id"] == workspace_id(client)


@pytest.mark.parametrize("given", [{}, {"workspace_id": None}], ids=["absent", "null"])
def test_key_of_the_organisation_needs_a_workspace(client: Client, given: Record) -> None:
    caller = key_with(client, "configs.create", workspace=None)
    before = state(client)
    data = refused(caller.post(CONFIGS, {"name": "Mine", "config": RETRY, **given}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/workspace_id"
    assert state(client) == before


def test_stranger_without_a_workspace_gets_the_default_one(client: Client) -> None:
    """*chosen*: who tests with any key has, with the real service, a key of a workspace."""
    made = client.post(CONFIGS, {"name": "Mine", "config": RETRY}).json()
    assert read_config(client, made["slug"])["workspace_id"] == workspace_id(client, SHARED)


def test_unknown_workspace_is_forbidden(client: Client) -> None:
    refused(client.post(CONFIGS, {"name": "Mine", "config": RETRY, "workspace_id": "ws-none"}), 403, "AB03")


def test_foreign_workspace_is_forbidden(client: Client) -> None:
    caller = key_with(client, "configs.create", workspace=RESEARCH)
    refused(caller.post(CONFIGS, {"name": "Mine", "config": RETRY, "workspace_id": PRODUCTION}), 403, "AB03")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", 5),
        ("config", json.dumps(RETRY)),
        ("config", None),
        ("config", [RETRY]),
        ("config", {"retry": {}}),
        ("config", {"cache": {"mode": "clever"}}),
        ("config", {}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("call", ["create", "update"])
def test_wrong_field_is_refused_and_nothing_changes(client: Client, call: str, field: str, value: Any) -> None:
    """A content is an object when it is sent, and a text only when it is read."""
    made = make_config(client)
    before = state(client)
    if call == "create":
        reply = client.post(CONFIGS, {"name": "Mine", "config": RETRY, "workspace_id": PRODUCTION, field: value})
    else:
        reply = client.put(f"{CONFIGS}/{made['slug']}", {field: value})
    assert refused(reply, 400, "AB01")["violations"][0]["pointer"].startswith(f"/{field}")
    assert state(client) == before


@pytest.mark.parametrize("field", ["name", "config"])
def test_create_needs_name_and_content(client: Client, field: str) -> None:
    given: Record = {"name": "Mine", "config": RETRY, "workspace_id": PRODUCTION}
    del given[field]
    assert refused(client.post(CONFIGS, given), 400, "AB01")["violations"][0]["pointer"] == f"/{field}"


@pytest.mark.parametrize("flag", [2, "1", True, 1.0])
def test_default_flag_is_a_number(client: Client, flag: Any) -> None:
    data = refused(client.post(CONFIGS, {"name": "Mine", "config": RETRY, "isDefault": flag}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/isDefault"


# Read


def test_read_is_as_recorded(client: Client) -> None:
    at(client, "2026-04-12T17:07:59Z")
    made = make_config(client)
    ada = user_id(client, ADA)
    assert read_config(client, made["slug"]) == {
        "id": made["id"],
        "name": "Retry twice",
        "slug": made["slug"],
        "organisation_id": read(client, f"/v1/admin/workspaces/{PRODUCTION}")["organisation_id"],
        "workspace_id": workspace_id(client),
        "is_default": 0,
        "status": "active",
        "owner_id": ada,
        "updated_by": ada,
        "created_at": "2026-04-12T17:07:59.000Z",
        "last_updated_at": "2026-04-12T17:07:59.000Z",
        "object": "config",
        "config": '{"retry":{"attempts":2}}',
        "version_id": made["version_id"],
        "format": "json",
        "type": "ORG_CONFIG",
    }


def test_read_has_the_content_as_an_object_too(client: Client) -> None:
    """Spec versus reality: in `data` for those who go by the document."""
    shown = read(client, f"{CONFIGS}/{make_config(client, config=FALLBACK)['slug']}")
    assert (shown["success"], shown["data"]) == (True, {"config": FALLBACK})


def test_content_comes_back_as_it_was_sent(client: Client) -> None:
    """In its order, with keys that nobody knows and no others: the Terraform provider compares it."""
    shown = read_config(client, make_config(client, config=FALLBACK)["slug"])
    assert shown["config"] == json.dumps(FALLBACK, separators=(",", ":"))


@pytest.mark.parametrize("form", ["id", "slug"])
def test_every_path_takes_slug_or_id(client: Client, form: str) -> None:
    """Conventions, Path ids: by slug; whether by id as well is not known, so it does."""
    known = make_config(client)[form]
    assert read_config(client, known)[form] == known
    update(client, known, name="Other")
    assert len(versions(client, known)) == 1
    done(client.delete(f"{CONFIGS}/{known}"))


def test_owner_is_who_made_it(client: Client) -> None:
    dara = user_id(client, DARA)
    key = make_key(client, "workspace/user", user_id=dara, scopes=["configs.create", "configs.update"])
    made = make_config(client.as_key(key.secret))
    for caller, person in ((client, user_id(client, ADA)), (client.as_key(key.secret), dara)):
        update(caller, made["slug"], name="Other")
        shown = read_config(client, made["slug"])
        assert (shown["owner_id"], shown["updated_by"]) == (dara, person)


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [("GET", "", ...), ("PUT", "", {"name": "Other"}), ("DELETE", "", ...), ("GET", "/versions", ...)],
)
@pytest.mark.parametrize("slug", ["pc-nobody-000000", NOBODY, "None"])
def test_unknown_config_is_forbidden(client: Client, method: str, end: str, body: Any, slug: str) -> None:
    """Conventions, Missing or other-workspace resource: 403 AB03, not 404."""
    refused(client.call(method, f"{CONFIGS}/{slug}{end}", body), 403, "AB03")


@pytest.mark.parametrize(
    ("method", "end", "body", "scope"),
    [
        ("GET", "", ..., "configs.read"),
        ("PUT", "", {"name": "Other"}, "configs.update"),
        ("DELETE", "", ..., "configs.delete"),
        ("GET", "/versions", ..., "configs.read"),
    ],
)
def test_config_of_another_workspace_is_forbidden(client: Client, method: str, end: str, body: Any, scope: str) -> None:
    slug = make_config(client)["slug"]
    own, foreign = key_with(client, scope), key_with(client, scope, workspace=RESEARCH)
    before = state(client)
    refused(foreign.call(method, f"{CONFIGS}/{slug}{end}", body), 403, "AB03")
    assert state(client) == before
    assert own.call(method, f"{CONFIGS}/{slug}{end}", body).status_code == 200


# List


def test_list_has_both_envelopes(client: Client) -> None:
    make_config(client)
    found = read(client, CONFIGS)
    assert (found["object"], found["total"], len(found["data"]), found["success"]) == ("list", 1, 1, True)


def test_list_item_is_a_read_without_the_content(client: Client) -> None:
    shown = read_config(client, make_config(client)["slug"])
    item = read(client, CONFIGS)["data"][0]
    assert list(item) == ITEM_FIELDS
    assert item == {name: shown[name] for name in ITEM_FIELDS}
    assert shown.keys() == READ_FIELDS


def test_list_is_newest_first(client: Client) -> None:
    for minute in (1, 3, 2, 2):
        at(client, f"2030-01-01T00:0{minute}:00Z")
        make_config(client, name=f"At {minute} after {len(listed(client))}")
    assert listed(client) == ["At 3 after 1", "At 2 after 3", "At 2 after 2", "At 1 after 0"]


def test_list_is_everything_unless_pages_are_asked_for(client: Client) -> None:
    """Conventions, List envelope."""
    for number in range(5):
        make_config(client, name=f"Config {number}")
    assert len(listed(client)) == 5
    pages = [read(client, CONFIGS, page_size=2, current_page=page) for page in range(4)]
    assert [[item["name"][-1] for item in page["data"]] for page in pages] == [["4", "3"], ["2", "1"], ["0"], []]
    assert {page["total"] for page in pages} == {5}


def test_list_filters_by_workspace(client: Client) -> None:
    make_config(client, name="One")
    make_config(client, name="Two", workspace_id=RESEARCH)
    assert listed(client, workspace_id=PRODUCTION) == listed(client, workspace_id=workspace_id(client)) == ["One"]
    assert listed(client) == ["Two", "One"]


def test_workspace_key_lists_its_own_alone(client: Client) -> None:
    make_config(client, name="One")
    make_config(client, name="Two", workspace_id=RESEARCH)
    caller = key_with(client, "configs.list")
    assert listed(caller) == ["One"]
    refused(caller.get(f"{CONFIGS}?workspace_id={RESEARCH}"), 403, "AB03")


@pytest.mark.parametrize("query", ["?", "?workspace_id=None"])
def test_list_takes_what_the_python_client_writes(client: Client, query: str) -> None:
    """Quirks, row 4."""
    make_config(client)
    assert client.get(f"{CONFIGS}{query}").json() == read(client, CONFIGS)


# Update


def test_name_alone_makes_no_version(client: Client) -> None:
    made = make_config(client)
    before = read_config(client, made["slug"])
    at(client, "2031-01-01T00:00:00Z")
    told = update(client, made["slug"], name="Other")
    after = read_config(client, made["slug"])
    assert told["version_id"] == made["version_id"]
    assert changes(before, after) == {"name", "last_updated_at"}
    assert versions(client, made["slug"]) == [RETRY]


def test_content_is_replaced_as_a_whole(client: Client) -> None:
    """Not merged: the Terraform provider must be able to remove keys."""
    made = make_config(client, config=RETRY | {"cache": {"mode": "simple"}})
    before = read_config(client, made["slug"])
    update(client, made["slug"], config={"cache": {"mode": "semantic", "max_age": 60}})
    after = read_config(client, made["slug"])
    assert json.loads(after["config"]) == {"cache": {"mode": "semantic", "max_age": 60}}
    assert changes(before, after) == {"config", "version_id"}


def test_update_tells_both_forms(client: Client) -> None:
    made = make_config(client)
    told = update(client, made["slug"], config=FALLBACK)
    version = read_config(client, made["slug"])["version_id"]
    assert told == {"success": True, "data": {"version_id": version}, "version_id": version, "object": "config"}
    assert version != made["version_id"]


def test_rename_keeps_the_slug(client: Client) -> None:
    slug = make_config(client)["slug"]
    update(client, slug, name="Other")
    assert read_config(client, slug)["slug"] == slug


@pytest.mark.parametrize("status", ["archived", "inactive", "active"])
def test_status_can_be_set(client: Client, status: str) -> None:
    """It is kept and shown; nothing is known to follow from it."""
    made = make_config(client)
    update(client, made["slug"], status=status)
    shown = read_config(client, made["slug"])
    assert (shown["status"], shown["version_id"]) == (status, made["version_id"])
    assert read(client, CONFIGS)["data"][0]["status"] == status


@pytest.mark.parametrize(
    "fields",
    [..., {}, {"slug": "pc-other"}, {"id": NOBODY}, {"isDefault": 1}, {"is_default": 1}, {"workspace_id": RESEARCH}],
    ids=repr,
)
def test_nothing_else_can_be_changed(client: Client, fields: Record) -> None:
    """The SDKs repeat the slug in the body."""
    made = make_config(client)
    before = read_config(client, made["slug"])
    at(client, "2031-01-01T00:00:00Z")
    assert client.put(f"{CONFIGS}/{made['slug']}", fields).json()["version_id"] == made["version_id"]
    assert read_config(client, made["slug"]) == before


# Versions


def test_versions_are_reads_with_their_own_contents(client: Client) -> None:
    made = make_config(client)
    told = update(client, made["slug"], config=FALLBACK, name="Other")
    shown = read_config(client, made["slug"])
    found = read(client, f"{CONFIGS}/{made['slug']}/versions")
    assert (found["object"], found["total"]) == ("list", 2)
    assert found["data"] == [shown, shown | {"config": '{"retry":{"attempts":2}}', "version_id": made["version_id"]}]
    assert found["data"][0]["version_id"] == told["version_id"]


def test_versions_are_newest_first(client: Client) -> None:
    """*chosen*: the order is not known."""
    made = make_config(client)
    contents = [{"retry": {"attempts": attempts}} for attempts in (3, 4, 5)]
    for content in contents:
        update(client, made["slug"], config=content)
    assert versions(client, made["slug"]) == [*reversed(contents), RETRY]


def test_versions_are_of_one_config(client: Client) -> None:
    first, second = make_config(client), make_config(client, config=FALLBACK)
    assert versions(client, first["slug"]) == [RETRY]
    assert versions(client, second["slug"]) == [FALLBACK]


# Delete


def test_deleted_config_is_gone(client: Client) -> None:
    slug = make_config(client)["slug"]
    update(client, slug, config=FALLBACK)
    done(client.delete(f"{CONFIGS}/{slug}"))
    refused(client.get(f"{CONFIGS}/{slug}"), 403, "AB03")
    refused(client.delete(f"{CONFIGS}/{slug}"), 403, "AB03")
    assert listed(client) == []
    assert len(client.world["config_versions"]) == 0


def test_delete_leaves_other_configs_alone(client: Client) -> None:
    kept, gone = make_config(client)["slug"], make_config(client)["slug"]
    done(client.delete(f"{CONFIGS}/{gone}"))
    assert versions(client, kept) == [RETRY]


@pytest.mark.parametrize("form", ["id", "slug"])
def test_default_of_a_workspace_cannot_be_deleted(client: Client, form: str) -> None:
    """While it is what user keys of a workspace fall back to."""
    made = make_config(client)
    path = f"/v1/admin/workspaces/{PRODUCTION}"
    done(client.put(path, {"defaults": {"user_api_key_config": made[form]}}))
    before = state(client)
    refused(client.delete(f"{CONFIGS}/{made['slug']}"), 409, "AB07")
    assert state(client) == before
    done(client.put(path, {"defaults": {"user_api_key_config": None}}))
    done(client.delete(f"{CONFIGS}/{made['slug']}"))


@pytest.mark.parametrize("form", ["id", "slug"])
@pytest.mark.parametrize("kind", ["workspace/service", "organisation/service"])
def test_default_of_a_key_cannot_be_deleted(client: Client, kind: str, form: str) -> None:
    """identity-and-access, Errors and API keys: Delete (the config becomes deletable again)."""
    made = make_config(client)
    key = make_key(client, kind, defaults={"config_id": made[form]})
    assert read_key(client, key.id)["defaults"]["config_id"] == made["id"]
    before = state(client)
    refused(client.delete(f"{CONFIGS}/{made['slug']}"), 409, "AB07")
    assert state(client) == before
    done(client.delete(f"/v1/api-keys/{key.id}"))
    done(client.delete(f"{CONFIGS}/{made['slug']}"))


def test_key_that_lets_go_frees_its_config(client: Client) -> None:
    made = make_config(client)
    key = make_key(client, defaults={"config_id": made["id"]})
    done(client.put(f"/v1/api-keys/{key.id}", {"defaults": {"config_id": None}}))
    done(client.delete(f"{CONFIGS}/{made['slug']}"))


def test_deleted_workspace_frees_its_default(client: Client) -> None:
    made = make_config(client)
    workspace = make_workspace(client, defaults={"user_api_key_config": made["slug"]})
    refused(client.delete(f"{CONFIGS}/{made['slug']}"), 409, "AB07")
    done(client.delete(f"/v1/admin/workspaces/{workspace['id']}"))
    done(client.delete(f"{CONFIGS}/{made['slug']}"))


@pytest.mark.parametrize("options", [{"json": {}}, {"headers": {"content-type": "application/json"}}], ids=repr)
def test_delete_takes_what_clients_send_along(client: Client, options: Record) -> None:
    done(client.delete(f"{CONFIGS}/{make_config(client)['slug']}", **options))


# Secrets


def test_journal_hides_keys_of_providers(client: Client) -> None:
    """They come in a config and go out with its text."""
    target = {"provider": "openai", "api_key": "sk-hidden"}
    clouds = {"provider": "bedrock", "aws_secret_access_key": "sk-hidden", "aws_access_key_id": "sk-hidden"}
    service: Record = {"provider": "vertex-ai", "vertex_service_account_json": {"private_key": "sk-hidden"}}
    content = {"strategy": {"mode": "fallback"}, "targets": [target, clouds, service]}
    slug = make_config(client, config=content)["slug"]
    assert "sk-hidden" in read_config(client, slug)["config"]
    read(client, f"{CONFIGS}/{slug}/versions")
    journal = client.get("/__admin/requests", headers={"x-mock-world": client.world_name})
    assert [entry["operation"] for entry in journal.json()["requests"]] == ["listConfigVersions", "getConfig", "createConfig"]
    assert "sk-hidden" not in journal.text


# Sequences


def test_terraform_keeps_a_config(client: Client) -> None:
    """What the provider does over the life of a resource: every field, each time it reads."""
    at(client, "2026-01-01T00:00:00Z")
    given = {"name": "Routing", "config": FALLBACK, "isDefault": 1, "workspace_id": workspace_id(client)}
    made = client.post(CONFIGS, given).json()
    first = read_config(client, made["slug"])
    assert {name: first[name] for name in ("name", "is_default", "status", "workspace_id", "version_id")} == {
        "name": "Routing",
        "is_default": 1,
        "status": "active",
        "workspace_id": workspace_id(client),
        "version_id": made["version_id"],
    }
    assert json.loads(first["config"]) == FALLBACK
    assert read_config(client, made["slug"]) == first

    at(client, "2026-01-02T00:00:00Z")
    update(client, made["slug"], name="Routes")
    renamed = read_config(client, made["slug"])
    assert renamed == first | {"name": "Routes", "last_updated_at": "2026-01-02T00:00:00.000Z"}

    at(client, "2026-01-03T00:00:00Z")
    less = {name: value for name, value in FALLBACK.items() if name != "anthropic_beta"}
    told = update(client, made["slug"], name="Routes", config=less)
    changed = read_config(client, made["slug"])
    assert changed == renamed | {
        "config": json.dumps(less, separators=(",", ":")),
        "version_id": told["version_id"],
        "last_updated_at": "2026-01-03T00:00:00.000Z",
    }
    assert read_config(client, made["slug"]) == changed

    done(client.delete(f"{CONFIGS}/{made['slug']}"))
    refused(client.get(f"{CONFIGS}/{made['slug']}"), 403, "AB03")
