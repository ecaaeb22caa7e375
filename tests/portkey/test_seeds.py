"""Seed worlds: what fixtures make, and what a person is told who made a mistake in one.

Source: docs/fixtures.md; house rule: file, place, what was expected, what was found; unknown fields are refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver import data
from mockserver.app import App, Settings
from mockserver.contract.errors import DocumentError
from mockserver.portkey.scopes import EVERYTHING, WORKSPACE_SCOPES
from mockserver.portkey.seeds import SECTIONS, admin_key, workspace_key
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import DARA, NOBODY, PRODUCTION, RESEARCH, SHARED, read, read_workspace, serve, user_id

# What the shipped ones make


def seeded(app: App) -> Client:
    return Client(app).as_key(admin_key(app.worlds.get("default")))


@pytest.mark.parametrize("fixture", data.fixture_names())
@pytest.mark.parametrize("strict", [False, True], ids=["open", "strict"])
def test_shipped_fixture_serves(fixture: str, strict: bool) -> None:
    client = seeded(App(Settings(fixture=fixture, strict=strict)))
    for path in ("/v1/api-keys", "/v1/admin/workspaces", "/v1/integrations", "/v1/providers", "/v1/virtual-keys"):
        for item in read(client, path, page_size=20)["data"]:
            assert client.get(f"{path}/{item['id']}").status_code == 200


def test_large_organisation_has_thousands_of_records() -> None:
    client = seeded(App(Settings(fixture="large_org")))
    totals = {path: read(client, f"/v1/{path}", page_size=1)["total"] for path in ("api-keys", "admin/workspaces", "providers")}
    assert totals == {"api-keys": 6001, "admin/workspaces": 201, "providers": 1204}
    assert client.world["users"].count() == 2021


def test_small_team_has_an_integration_and_its_providers(client: Client) -> None:
    assert {item["slug"] for item in read(client, "/v1/integrations")["data"]} == {"openai-production"}
    found = {(item["slug"], item["integration_id"], item["provider"]) for item in read(client, "/v1/providers")["data"]}
    assert found == {
        ("openai-production", "openai-production", "openai"),
        ("openai-evaluations", "openai-production", "openai"),
    }


def test_empty_fixture_has_an_admin_key_alone() -> None:
    client = seeded(App(Settings(fixture="empty", strict=True)))
    keys = read(client, "/v1/api-keys")["data"]
    assert [(key["name"], key["type"], key["scopes"]) for key in keys] == [("Admin", "organisation-service", EVERYTHING)]
    assert read(client, "/v1/admin/workspaces")["total"] == 0


def test_small_team_is_the_default(client: Client) -> None:
    assert {item["slug"] for item in read(client, "/v1/admin/workspaces")["data"]} == {SHARED, PRODUCTION, RESEARCH}


def test_small_team_has_a_key_in_each_state(client: Client) -> None:
    client.world.clock.run()
    keys = {key["name"]: (key["type"], key["status"]) for key in read(client, "/v1/api-keys")["data"]}
    assert keys == {
        "Admin": ("organisation-service", "active"),
        "Production service": ("workspace-service", "active"),
        "Research service": ("workspace-service", "active"),
        "Log reader": ("workspace-service", "active"),
        "Dara": ("workspace-user", "active"),
        "Nightly evaluation": ("workspace-service", "exhausted"),
        "Summer school": ("workspace-service", "expired"),
    }


def test_small_team_has_one_default_workspace(client: Client) -> None:
    assert [item["slug"] for item in read(client, "/v1/admin/workspaces")["data"] if item["is_default"]] == [SHARED]


def test_entries_are_as_old_on_every_day(client: Client) -> None:
    assert read_workspace(client, PRODUCTION)["created_at"] == "2025-01-06T09:00:00.000Z"


def test_same_seed_gives_same_keys() -> None:
    first, second, other = (App(Settings(seed=seed)) for seed in (3, 3, 4))
    assert seeded(first).get("/v1/api-keys").content == seeded(second).get("/v1/api-keys").content
    assert admin_key(first.worlds.get("default")) != admin_key(other.worlds.get("default"))


# What an entry may say


def planted(folder: Path, **sections: Any) -> Client:
    """A world made of these sections, called with its admin key."""
    return seeded(serve(folder, sections, strict=True))


USER: Record = {"email": "ines@example.com"}
WORKSPACE: Record = {"name": "Lab", "slug": "ws-lab"}
KEY: Record = {"name": "app", "type": "workspace-service", "workspace": "ws-lab", "scopes": ["logs.view"]}


def test_user_may_say_little(tmp_path: Path) -> None:
    client = planted(tmp_path, users=[USER], workspaces=[WORKSPACE | {"members": {"ines@example.com": "manager"}}])
    user = read_workspace(client, "ws-lab")["users"][0]
    assert (user["first_name"], user["last_name"], user["org_role"], user["role"]) == ("", "", "member", "manager")


@pytest.mark.parametrize(("section", "entry", "path"), [("workspaces", WORKSPACE, "/v1/admin/workspaces")])
def test_id_may_be_given(tmp_path: Path, section: str, entry: Record, path: str) -> None:
    assert planted(tmp_path, **{section: [entry | {"id": NOBODY}]}).get(f"{path}/{NOBODY}").json()["id"] == NOBODY


def test_user_id_may_be_given(tmp_path: Path) -> None:
    assert user_id(planted(tmp_path, users=[USER | {"id": NOBODY}]), USER["email"]) == NOBODY


def test_workspace_may_say_all_that_a_call_may(tmp_path: Path) -> None:
    said: Record = {
        "description": "Trials",
        "icon": "🚀",
        "defaults": {"metadata": {"team": "a"}},
        "usage_limits": [{"type": "tokens", "credit_limit": 100}],
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 5}],
    }
    shown = read_workspace(planted(tmp_path, workspaces=[WORKSPACE | said]), "ws-lab")
    assert {name: shown[name] for name in said} == said


def test_workspace_without_slug_gets_one(tmp_path: Path) -> None:
    (item,) = read(planted(tmp_path, workspaces=[{"name": "Lab"}]), "/v1/admin/workspaces")["data"]
    assert item["slug"].startswith("ws-lab-")


def test_key_may_say_all_that_a_call_may(tmp_path: Path) -> None:
    said: Record = {
        "description": "Nightly",
        "expires_at": "2099-01-01T00:00:00.000Z",
        "usage_limits": {"type": "cost", "credit_limit": 5},
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 5}],
        "alert_emails": ["ops@example.com"],
    }
    client = planted(tmp_path, workspaces=[WORKSPACE], api_keys=[KEY | said | {"id": NOBODY}])
    shown = client.get(f"/v1/api-keys/{NOBODY}").json()
    assert {name: shown[name] for name in said} == said


def test_key_has_the_secret_that_was_given(tmp_path: Path) -> None:
    client = planted(
        tmp_path, workspaces=[WORKSPACE], api_keys=[KEY | {"secret": "my-secret-1", "scopes": ["workspaces.list"]}]
    )
    assert client.as_key("my-secret-1").get("/v1/admin/workspaces").status_code == 200


def test_admin_key_may_have_a_given_secret(tmp_path: Path) -> None:
    entry = {"name": "Boss", "type": "organisation-service", "scopes": "all", "secret": "my-admin-key"}
    app = serve(tmp_path, {"api_keys": [entry]}, strict=True)
    assert admin_key(app.worlds.get("default")) == "my-admin-key"
    assert read(seeded(app), "/v1/api-keys")["total"] == 1


@pytest.mark.parametrize(
    ("kind", "scopes"),
    [("organisation-service", EVERYTHING), ("workspace-service", WORKSPACE_SCOPES), ("workspace-user", WORKSPACE_SCOPES)],
)
def test_all_scopes_are_those_of_the_kind(tmp_path: Path, kind: str, scopes: list[str]) -> None:
    entry: Record = {"name": "app", "type": kind, "scopes": "all", "id": NOBODY}
    if kind != "organisation-service":
        entry["workspace"] = "ws-lab"
    if kind == "workspace-user":
        entry["user"] = USER["email"]
    client = planted(tmp_path, users=[USER], workspaces=[WORKSPACE], api_keys=[entry])
    assert client.get(f"/v1/api-keys/{NOBODY}").json()["scopes"] == scopes


INTEGRATION: Record = {"name": "OpenAI", "slug": "oai", "ai_provider_id": "openai", "workspaces": [{"workspace": "ws-lab"}]}


def test_grant_makes_a_provider(tmp_path: Path) -> None:
    client = planted(tmp_path, workspaces=[WORKSPACE], integrations=[INTEGRATION])
    assert [item["slug"] for item in read(client, "/v1/providers")["data"]] == ["oai"]
    assert client.delete("/v1/admin/workspaces/ws-lab").status_code == 409


def test_grant_may_say_all_that_a_call_may(tmp_path: Path) -> None:
    limits: Record = {
        "usage_limits": [{"type": "cost", "credit_limit": 5}],
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 5}],
        "enabled": False,
    }
    entry = {**INTEGRATION, "workspaces": [{"workspace": "ws-lab", **limits}]}
    client = planted(tmp_path, workspaces=[WORKSPACE], integrations=[entry])
    (row,) = read(client, "/v1/integrations/oai/workspaces")["workspaces"]
    assert {name: row[name] for name in limits} == limits
    assert read(client, "/v1/providers")["total"] == 0


def test_integration_may_belong_to_a_workspace(tmp_path: Path) -> None:
    entry = {"name": "Own", "slug": "own", "ai_provider_id": "bedrock", "workspace": "ws-lab", "create_providers": False}
    client = planted(tmp_path, workspaces=[WORKSPACE], integrations=[entry])
    assert read(client, "/v1/integrations/own")["type"] == "workspace"
    assert read(client, "/v1/providers")["total"] == 0


def test_integration_may_be_open_to_every_workspace(tmp_path: Path) -> None:
    entry = {"name": "OpenAI", "slug": "oai", "ai_provider_id": "openai", "every_workspace": True}
    client = planted(tmp_path, workspaces=[WORKSPACE], integrations=[entry])
    client.post("/v1/admin/workspaces", {"name": "Later"})
    assert {item["workspace_name"] for item in read(client, "/v1/providers")["data"]} == {"Lab", "Later"}


def test_provider_may_say_all_that_a_call_may(tmp_path: Path) -> None:
    said: Record = {
        "note": "Nightly",
        "expires_at": "2099-01-01T00:00:00.000Z",
        "usage_limits": {"type": "cost", "credit_limit": 5},
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 5}],
    }
    entry = {"name": "One", "slug": "one", "workspace": "ws-lab", "integration": "oai", **said}
    client = planted(tmp_path, workspaces=[WORKSPACE], integrations=[INTEGRATION], providers=[entry])
    shown = read(client, "/v1/providers/one")
    assert {name: shown[name] for name in said} == said


def test_usage_of_a_provider_may_be_given(tmp_path: Path) -> None:
    entry = {"name": "One", "slug": "one", "workspace": "ws-lab", "integration": "oai", "usage": 5}
    limit = {"usage_limits": {"type": "cost", "credit_limit": 5}}
    client = planted(tmp_path, workspaces=[WORKSPACE], integrations=[INTEGRATION], providers=[entry | limit])
    assert read(client, "/v1/providers/one")["status"] == "exhausted"


GUARDRAIL: Record = {
    "name": "Short",
    "slug": "pg-short",
    "checks": [{"id": "default.wordCount", "parameters": {"minWords": 1, "maxWords": 5}, "is_enabled": True}],
}


def test_guardrail_may_say_all_that_a_call_may(tmp_path: Path) -> None:
    entry = {**GUARDRAIL, "workspace": "ws-lab", "actions": {"deny": True}}
    client = planted(tmp_path, workspaces=[WORKSPACE], guardrails=[entry, {**GUARDRAIL, "slug": "pg-all"}])
    shown = read(client, "/v1/guardrails/pg-short")
    assert (shown["name"], shown["checks"], shown["actions"]) == ("Short", GUARDRAIL["checks"], {"deny": True})
    assert shown["workspace_id"] is not None
    assert read(client, "/v1/guardrails/pg-all")["workspace_id"] is None


def test_config_may_say_all_that_a_call_may(tmp_path: Path) -> None:
    content = {"provider": "@oai", "input_guardrails": ["pg-short"]}
    entry = {"name": "One", "slug": "pc-one", "workspace": "ws-lab", "is_default": True, "config": content}
    client = planted(tmp_path, workspaces=[WORKSPACE], integrations=[INTEGRATION], guardrails=[GUARDRAIL], configs=[entry])
    shown = read(client, "/v1/configs/pc-one")
    assert (shown["name"], shown["is_default"], json.loads(shown["config"])) == ("One", 1, content)


def test_small_team_has_configs_that_route(client: Client) -> None:
    service = client.as_key(str(workspace_key(client.world)))
    ask = {"model": "gpt-4o", "messages": [{"role": "user", "content": "When do you open?"}]}
    call = {"headers": {"x-portkey-config": "pc-answer-77c0b4"}}
    replies = [service.post("/v1/chat/completions", ask, **call) for _ in range(2)]
    assert [reply.headers["x-portkey-cache-status"] for reply in replies] == ["MISS", "HIT"]


def test_entry_may_repeat(tmp_path: Path) -> None:
    people = {"email": "p{n}@example.com", "first_name": "P{n%2}", "repeat": 3}
    rooms = {"name": "Room {n}", "slug": "ws-room-{n}", "members": {"p{n%3}@example.com": "member"}, "repeat": 4}
    client = planted(tmp_path, users=[people], workspaces=[rooms])
    users = {user["email"]: user["first_name"] for user in client.world["users"].newest()}
    assert users == {"p1@example.com": "P1", "p2@example.com": "P2", "p3@example.com": "P1"}
    members = read(client, "/v1/admin/workspaces/ws-room-4/users")["data"]
    assert [member["email"] for member in members] == ["p1@example.com"]


def test_times_need_no_quotes(tmp_path: Path) -> None:
    text = "api_keys:\n- {name: app, type: organisation-service, scopes: all, expires_at: 2099-01-01T00:00:00Z}\n"
    client = seeded(serve(tmp_path, text, name="world.yaml"))
    assert "2099-01-01T00:00:00.000Z" in client.get("/v1/api-keys").text


@pytest.mark.parametrize("text", ["", "{}\n", "# nothing\n", "users:\n", "users: []\n"], ids=repr)
def test_nothing_makes_an_empty_organisation(tmp_path: Path, text: str) -> None:
    client = seeded(serve(tmp_path, text, name="world.yaml", strict=True))
    assert read(client, "/v1/api-keys")["total"] == 1


def test_seed_is_changed_by_no_world(tmp_path: Path) -> None:
    app = serve(tmp_path, {"workspaces": [WORKSPACE]})
    Client(app, "one").put("/v1/admin/workspaces/ws-lab", {"name": "Changed"})
    assert read_workspace(Client(app, "two"), "ws-lab")["name"] == "Lab"


# Mistakes

LAB = "workspaces:\n- {name: Lab, slug: ws-lab}\n"
PERSON = "users:\n- {email: ines@example.com}\n"


def mistake(folder: Path, text: str, name: str = "world.yaml") -> str:
    """What is told of a fixture that is refused, after its file."""
    with pytest.raises(DocumentError) as caught:
        serve(folder, text, name=name)
    told = str(caught.value)
    assert told.startswith(f"{folder / name}:")
    return told.removeprefix(f"{folder / name}:")


MISTAKES: list[tuple[str, int, list[str]]] = [
    # What the schema of an entry says.
    ("people: []\n", 1, ["people", *SECTIONS]),
    (PERSON + "\nkeys: []\n", 4, ["keys", *SECTIONS]),
    ("users:\n- {email: a@example.com}\n- {email: b@example.com, age: 5}\n", 3, ["users.1", "age"]),
    ("workspaces:\n- name: Lab\n  colour: blue\n", 2, ["workspaces.0", "colour"]),
    ("api_keys:\n- {name: app, type: organisation-service, scopes: all, status: expired}\n", 2, ["api_keys.0", "status"]),
    (LAB + "providers:\n- {name: A, workspace: ws-lab, integration: oai, key: sk-1}\n", 4, ["providers.0", "key"]),
    ("integrations:\n- {name: A, ai_provider_id: openai, colour: blue}\n", 2, ["integrations.0", "colour"]),
    ("integrations:\n- {name: A}\n", 2, ["integrations.0", "ai_provider_id", "required"]),
    ("users:\n- {email: 'p{n}@example.com', repeat: 0}\n", 2, ["users.0.repeat", "0", "whole number"]),
    ("users:\n- {email: 'p{n}@example.com', repeat: many}\n", 2, ["users.0.repeat", "many", "whole number"]),
    ("users:\n- {email: same@example.com, repeat: 2}\n", 2, ["users.0", "email"]),
    ("users:\n- {email: 'p{n}', repeat: 2}\n", 2, ["users.0.email", "p1", "email"]),
    ("users:\n- {first_name: Ines}\n", 2, ["users.0", "email", "required"]),
    ("workspaces:\n- {slug: ws-lab}\n", 2, ["workspaces.0", "name", "required"]),
    ("api_keys:\n- {name: app, scopes: all}\n", 2, ["api_keys.0", "type", "required"]),
    ("api_keys:\n- {name: app, type: organisation-service}\n", 2, ["api_keys.0", "scopes", "required"]),
    ("providers:\n- {name: OpenAI, integration: oai}\n", 2, ["providers.0", "workspace", "required"]),
    ("guardrails:\n- {name: Short, checks: [{id: default.regexMatch}]}\n", 2, ["guardrails.0", "rule", "required"]),
    ("configs:\n- {name: One, workspace: ws-none, config: {retry: {}}}\n", 2, ["configs.0", "ws-none"]),
    (
        "workspaces:\n- {name: Lab, slug: ws-lab}\nconfigs:\n- {name: One, workspace: ws-lab, config: {cache: {mode: no}}}\n",
        4,
        ["configs.0", "config/cache/mode", "simple, semantic"],
    ),
    (
        "workspaces:\n- {name: Lab, slug: ws-lab}\nconfigs:\n- {name: One, workspace: ws-lab, config: {provider: '@none'}}\n",
        4,
        ["configs.0", "config/provider", "none"],
    ),
    ("users:\n- email: nobody\n", 2, ["users.0.email", "nobody", "email"]),
    ("users:\n- email: a@example.com\n  role: boss\n", 3, ["users.0.role", "boss", "owner", "admin", "member"]),
    ("users:\n- email: a@example.com\n  id: '5'\n", 3, ["users.0.id", "5"]),
    ("users:\n- ines\n", 2, ["users.0", "ines", "object"]),
    ("users: ines\n", 1, ["users", "list"]),
    ("users: {email: a@example.com}\n", 1, ["users", "list"]),
    ("users: {}\n", 1, ["users", "list"]),
    ("workspaces:\n- name: ''\n", 2, ["workspaces.0.name"]),
    ("workspaces:\n- name: 5\n", 2, ["workspaces.0.name", "5", "string"]),
    ("workspaces:\n- name: Lab\n  slug: a b\n", 3, ["workspaces.0.slug", "a b"]),
    ("workspaces:\n- name: Lab\n  is_default: 1\n", 3, ["workspaces.0.is_default", "boolean"]),
    (
        PERSON + "workspaces:\n- name: Lab\n  members:\n    ines@example.com: boss\n",
        6,
        ["boss", "admin", "manager", "member"],
    ),
    (LAB + "  usage_limits: []\n", 3, ["valid YAML"]),
    ("workspaces:\n- name: Lab\n  usage_limits: {credit_limit: 5}\n", 3, ["usage_limits", "array"]),
    ("workspaces:\n- name: Lab\n  usage_limits:\n  - credit_limit: 0\n", 4, ["credit_limit", "0", "1"]),
    ("workspaces:\n- name: Lab\n  usage_limits:\n  - limit: 5\n", 4, ["usage_limits.0", "limit"]),
    (
        "workspaces:\n- name: Lab\n  rate_limits:\n  - {type: requests, unit: rpm}\n",
        4,
        ["rate_limits.0", "value", "required"],
    ),
    ("workspaces:\n- name: Lab\n  rate_limits:\n  - {type: requests, unit: rpy, value: 1}\n", 4, ["unit", "rpy", "rpm"]),
    ("workspaces:\n- name: Lab\n  usage: -1\n", 3, ["workspaces.0.usage", "-1", "0"]),
    ("workspaces:\n- name: Lab\n  defaults:\n    metdata: {team: a}\n", 3, ["workspaces.0.defaults", "metdata"]),
    ("workspaces:\n- name: Lab\n  defaults:\n    metadata:\n      team: 5\n", 5, ["defaults.metadata.team", "5", "string"]),
    ("api_keys:\n- {name: app, type: organisation-user, scopes: all}\n", 2, ["api_keys.0.type", "organisation-service"]),
    ("api_keys:\n- name: app\n  type: organisation-service\n  scopes: some\n", 4, ["api_keys.0.scopes", "some", "all"]),
    ("api_keys:\n- name: app\n  type: organisation-service\n  scopes: []\n", 4, ["api_keys.0.scopes", "all"]),
    (
        "api_keys:\n- name: app\n  type: organisation-service\n  scopes: all\n  secret: short\n",
        5,
        ["api_keys.0.secret", "8"],
    ),
    (
        "api_keys:\n- name: app\n  type: organisation-service\n  scopes: all\n  expires_at: tomorrow\n",
        5,
        ["api_keys.0.expires_at", "tomorrow", "date-time"],
    ),
    (
        "api_keys:\n- name: app\n  type: organisation-service\n  scopes: all\n  defaults: {colour: blue}\n",
        5,
        ["api_keys.0.defaults", "colour"],
    ),
    # What only the world can tell.
    (PERSON + "- {email: ines@example.com}\n", 3, ["users.1", "email"]),
    (LAB + "- {name: Other, slug: ws-lab}\n", 3, ["workspaces.1", "slug"]),
    (
        f"workspaces:\n- {{name: A, id: {NOBODY}}}\n- {{name: B, id: {NOBODY}}}\n",
        3,
        ["workspaces.1", "id"],
    ),
    (
        "workspaces:\n- {name: Lab, members: {ines@example.com: admin}}\n",
        2,
        ["workspaces.0", "no user", "ines@example.com"],
    ),
    (
        "api_keys:\n- {name: app, type: workspace-service, workspace: ws-lab, scopes: all}\n",
        2,
        ["api_keys.0", "no workspace", "ws-lab"],
    ),
    ("api_keys:\n- {name: app, type: workspace-service, scopes: all}\n", 2, ["api_keys.0", "workspace"]),
    (LAB + "api_keys:\n- {name: app, type: workspace-user, workspace: ws-lab, scopes: all}\n", 4, ["api_keys.0", "user"]),
    (
        LAB + "api_keys:\n- {name: app, type: workspace-user, workspace: ws-lab, user: ines, scopes: all}\n",
        4,
        ["api_keys.0", "no user", "ines", "address"],
    ),
    (
        LAB + "api_keys:\n- {name: app, type: organisation-service, workspace: ws-lab, scopes: all}\n",
        4,
        ["api_keys.0", "workspace"],
    ),
    (
        PERSON + LAB + "api_keys:\n"
        "- {name: app, type: workspace-service, workspace: ws-lab, user: ines@example.com, scopes: all}\n",
        6,
        ["api_keys.0", "user"],
    ),
    (
        "api_keys:\n- {name: a, type: organisation-service, scopes: all, secret: same-secret}\n"
        "- {name: b, type: organisation-service, scopes: all, secret: same-secret}\n",
        3,
        ["api_keys.1", "secret"],
    ),
    ("providers:\n- {name: A, workspace: ws-lab, integration: oai}\n", 2, ["providers.0", "no workspace", "ws-lab"]),
    (LAB + "providers:\n- {name: A, workspace: ws-lab, integration: oai}\n", 4, ["providers.0", "no integration", "oai"]),
    (
        LAB + "integrations:\n- {name: OpenAI, slug: oai, ai_provider_id: openai}\n"
        "providers:\n- {name: A, workspace: ws-lab, integration: oai}\n",
        6,
        ["providers.0", "not granted", "oai", "ws-lab"],
    ),
    (
        LAB + "integrations:\n- {name: OpenAI, slug: oai, ai_provider_id: openai, workspaces: [{workspace: ws-none}]}\n",
        4,
        ["integrations.0", "no workspace", "ws-none"],
    ),
    (
        LAB + "integrations:\n- {name: OpenAI, slug: oai, ai_provider_id: openai, workspaces: [{workspace: ws-lab}]}\n"
        "providers:\n- {name: A, slug: oai, workspace: ws-lab, integration: oai}\n",
        6,
        ["providers.0", "slug oai"],
    ),
    (
        LAB + "integrations:\n- {name: A, ai_provider_id: openai, workspace: ws-lab, every_workspace: true}\n",
        4,
        ["integrations.0", "every_workspace"],
    ),
    (
        "integrations:\n- {name: A, ai_provider_id: bedrock, configurations: {openai_project: x}}\n",
        2,
        ["integrations.0", "openai_project", "bedrock"],
    ),
    # What a call would be refused for.
    (
        "workspaces:\n- name: Lab\n  usage_limits: [{credit_limit: 5, periodic_reset: weekly, periodic_reset_days: 3}]\n",
        2,
        ["workspaces.0", "Cannot set both periodic_reset and periodic_reset_days"],
    ),
    (
        "api_keys:\n- name: app\n  type: organisation-service\n  scopes: all\n"
        "  usage_limits: {credit_limit: 5, alert_threshold: 6}\n",
        2,
        ["api_keys.0", "alert_threshold", "credit_limit"],
    ),
    (
        "api_keys:\n- name: app\n  type: organisation-service\n  scopes: all\n  expires_at: '2030-06-30T23:59:60Z'\n",
        2,
        ["api_keys.0", "expires_at", "calendar"],
    ),
    # What is no YAML.
    ("users:\n- {email: a@example.com\n", 3, ["valid YAML"]),
    ("users:\n\t- email: a@example.com\n", 2, ["valid YAML"]),
    ("users: []\nusers: []\n", 2, ["users", "twice"]),
    ("users:\n- {email: a@example.com, email: b@example.com}\n", 2, ["email", "twice"]),
]
"""A fixture, the line that its mistake is in, and what is told of it."""


@pytest.mark.parametrize(
    ("text", "line", "told"), MISTAKES, ids=[text.splitlines()[-1].strip()[:60] for text, _, _ in MISTAKES]
)
def test_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, told: list[str]) -> None:
    found = mistake(tmp_path, text)
    place, _, words = found.partition(":")
    assert place == str(line), found
    assert [word for word in told if word not in words] == []


def test_mistake_in_json_is_told_with_its_line(tmp_path: Path) -> None:
    found = mistake(tmp_path, '{\n  "users": [\n    {"email": "nobody"}\n  ]\n}\n', "world.json")
    assert found.startswith("3: users.0.email")


@pytest.mark.parametrize("text", ["- users\n", "users\n", "5\n", "false\n"], ids=repr)
def test_fixture_must_be_sections(tmp_path: Path, text: str) -> None:
    assert "object of sections" in mistake(tmp_path, text)


def test_first_mistake_leaves_no_half_world(tmp_path: Path) -> None:
    """Nothing is served from a fixture that cannot be used as a whole."""
    with pytest.raises(DocumentError):
        serve(tmp_path, {"users": [USER], "workspaces": [{}]})


@pytest.mark.parametrize("name", ["nowhere", "small-team", "../small_team"])
def test_unknown_name_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(DocumentError) as caught:
        App(Settings(fixture=name))
    assert [known for known in (name, *data.fixture_names()) if known not in str(caught.value)] == []


@pytest.mark.parametrize("name", ["nowhere.yaml", "nowhere.json"])
def test_missing_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError, match="there is no such file") as caught:
        App(Settings(fixture=str(tmp_path / name)))
    assert str(tmp_path / name) in str(caught.value)


def test_corrected_fixture_is_read_anew(tmp_path: Path) -> None:
    """What was read before must not stand in for what the file says now."""
    mistake(tmp_path, "users:\n- email: nobody\n")
    client = seeded(serve(tmp_path, PERSON, name="world.yaml"))
    assert user_id(client, "ines@example.com") != user_id(Client(App(Settings())), DARA)
