"""Virtual keys through the front door.

Source of every rule that names none: identity-and-access, Virtual keys.
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
    GRANTED,
    INTEGRATIONS,
    KEY,
    MASKED,
    PROVIDERS,
    RATE,
    SEEDED,
    VIRTUAL_KEYS,
    accesses,
    as_admin,
    as_asker,
    as_workspace,
    ask,
    everything_shown,
    make_integration,
    make_secret,
    make_virtual_key,
    mapping,
    models,
)
from tests.portkey.team import (
    NOBODY,
    PRODUCTION,
    RESEARCH,
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

CRUD = [f"virtual_keys.{verb}" for verb in ("create", "read", "update", "delete", "list")]
COMMON = {
    "id", "name", "slug", "note", "status", "usage_limits", "created_at", "expires_at", "last_reset_at", "integration_id",
    "tags", "object", "model_config", "rate_limits",
}  # fmt: skip
LISTED = COMMON | {"organisation_id", "workspace_id", "workspace_name", "reset_usage", "provider"}
READ = COMMON | {"ai_provider_name", "key", "masked_api_key"}
"""As recorded."""


def path(made: Any) -> str:
    return f"{VIRTUAL_KEYS}/{made['slug']}"


def invalid_at(client: Client, pointer: str, **fields: Any) -> str:
    """Check that a virtual key with these fields is refused at this place, and return why."""
    before = state(client)
    given = {"name": "Ours", "provider": "openai", "key": KEY, "workspace_id": PRODUCTION}
    data = refused(client.post(VIRTUAL_KEYS, given | fields), 400, "AB01")
    assert {violation["pointer"] for violation in data["violations"]} == {pointer}
    assert state(client) == before
    return str(data["violations"][0]["message"])


# As recorded


def test_read_has_the_recorded_fields(client: Client) -> None:
    assert read(client, f"{VIRTUAL_KEYS}/{SEEDED}").keys() == READ


def test_list_item_has_the_recorded_fields(client: Client) -> None:
    assert {frozenset(item) for item in read(client, VIRTUAL_KEYS)["data"]} == {frozenset(LISTED)}


def test_virtual_key_of_a_grant_is_as_recorded(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    slug = make_integration(client, "ours")["slug"]
    done(client.put(f"{INTEGRATIONS}/{slug}/workspaces", {"workspaces": [{"id": PRODUCTION, "enabled": True}]}))
    shown = read(client, f"{VIRTUAL_KEYS}/ours")
    assert shown == {
        "id": shown["id"],
        "name": "Ours",
        "slug": "ours",
        "note": GRANTED,
        "status": "active",
        "usage_limits": None,
        "rate_limits": [],
        "model_config": {},
        "created_at": "2026-05-03T17:08:55.000Z",
        "expires_at": None,
        "last_reset_at": None,
        "integration_id": "ours",
        "tags": None,
        "ai_provider_name": "openai",
        "key": "",
        "masked_api_key": MASKED,
        "object": "virtual-key",
    }


def test_list_says_null_where_a_read_says_empty(client: Client) -> None:
    made = make_virtual_key(client)
    shown, item = read(client, path(made)), read(client, VIRTUAL_KEYS)["data"][0]
    assert (shown["model_config"], shown["rate_limits"]) == ({}, [])
    assert (item["model_config"], item["rate_limits"], item["reset_usage"]) == (None, None, None)


def test_list_item_tells_workspace_and_provider(client: Client) -> None:
    make_virtual_key(client)
    item = read(client, VIRTUAL_KEYS)["data"][0]
    assert (item["workspace_id"], item["workspace_name"], item["provider"]) == (workspace_id(client), "Production", "openai")


# Create


def test_create_tells_the_slug_to_all_clients(client: Client) -> None:
    """The published reply and that of the SDKs' types in one (sdk-call-map 7.4)."""
    made = make_virtual_key(client, name="Our Models")
    assert made == {
        "success": True,
        "data": {"slug": made["slug"]},
        "id": made["id"],
        "slug": made["slug"],
        "object": "virtual-key",
    }
    assert uuid.UUID(made["id"]).version == 4
    assert re.fullmatch(r"our-models-[0-9a-f]{6}", made["slug"])


def test_new_virtual_key_reads_as_given(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    made = make_virtual_key(
        client, note="For support", usage_limits=BUDGET, rate_limits=[RATE], expires_at="2026-06-01T00:00:00Z"
    )
    assert read(client, path(made)) == {
        "id": made["id"],
        "name": "Ours",
        "slug": made["slug"],
        "note": "For support",
        "status": "active",
        "usage_limits": BUDGET,
        "rate_limits": [RATE],
        "model_config": {},
        "created_at": "2026-05-03T17:08:55.000Z",
        "expires_at": "2026-06-01T00:00:00.000Z",
        "last_reset_at": None,
        "integration_id": made["slug"],
        "tags": None,
        "ai_provider_name": "openai",
        "key": "",
        "masked_api_key": MASKED,
        "object": "virtual-key",
    }


@pytest.mark.parametrize("field", ["name", "provider"])
def test_name_and_provider_are_required(client: Client, field: str) -> None:
    given = {"name": "Ours", "provider": "openai", "key": KEY, "workspace_id": PRODUCTION}
    del given[field]
    refused(client.post(VIRTUAL_KEYS, given), 400, "AB01")


@pytest.mark.parametrize("given", [None, ""], ids=["null", "empty"])
def test_key_is_required(client: Client, given: str | None) -> None:
    assert invalid_at(client, "/key", key=given) == "is required unless a secret is mapped to it"


def test_key_is_not_required_where_a_secret_is_mapped_to_it(client: Client) -> None:
    secret = make_secret(client, "vaulted")
    made = make_virtual_key(client, key=None, secret_mappings=[mapping(secret)])
    shown = read(client, path(made))
    assert (shown["masked_api_key"], shown["secret_mappings"]) == ("", [mapping(secret)])


def test_secret_elsewhere_does_not_stand_for_the_key(client: Client) -> None:
    secret = make_secret(client, "vaulted")
    invalid_at(client, "/key", key=None, secret_mappings=[mapping(secret, "model_config.awsRegion")])


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        ("bedrock", {"awsRegion": "eu-west-1", "awsRoleArn": "arn:aws:iam::1:role/read"}),
        ("vertex-ai", {"vertexProjectId": "ours"}),
        ("azure-openai", {"azureAuthMode": "managed"}),
        ("azure-openai", {"azureEntraClientSecret": "entra-9f8e7d6c5b"}),
        ("openai", {"customHost": "https://models.example.com"}),
    ],
)
def test_key_is_not_required_where_settings_authenticate(client: Client, provider: str, settings: Any) -> None:
    """*chosen*: as for integrations."""
    made = make_virtual_key(client, key=None, provider=provider, **settings)
    assert read(client, path(made))["ai_provider_name"] == provider


def test_private_host_is_refused(client: Client) -> None:
    """As for integrations."""
    assert invalid_at(client, "/custom_host", customHost="http://127.0.0.1") == "lies in a private range"


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (
            {"apiVersion": "2024-10-21", "resourceName": "ours", "deploymentName": "small"},
            {"apiVersion": "2024-10-21", "resourceName": "ours", "deploymentName": "small"},
        ),
        ({"api_version": "2024-10-21", "resource_name": "ours"}, {"apiVersion": "2024-10-21", "resourceName": "ours"}),
        (
            {"deployment_config": [{"apiVersion": "1", "deploymentName": "small", "is_default": True}]},
            {"deploymentConfig": [{"apiVersion": "1", "deploymentName": "small", "is_default": True}]},
        ),
        ({"awsRegion": "eu-west-1", "vertexProjectId": "ours"}, {"awsRegion": "eu-west-1", "vertexProjectId": "ours"}),
        ({"aws_region": "eu-west-1", "azure_auth_mode": "default"}, {"awsRegion": "eu-west-1", "azureAuthMode": "default"}),
        ({"apiVersion": None, "colour": "red", "model_config": {"a": 1}}, {}),
    ],
    ids=["camel", "snake", "deployments", "camel beyond", "snake beyond", "none"],
)
def test_settings_are_read_in_camel_case(client: Client, settings: Any, shown: Any) -> None:
    """The Node SDK writes underscores at the top level (sdk-call-map 6.1)."""
    assert read(client, path(make_virtual_key(client, **settings)))["model_config"] == shown


SECRETS = [
    ("awsAccessKeyId", "AKIA0EXAMPLE1KEY"),
    ("aws_secret_access_key", "wJalr0EXAMPLE0bPx"),
    ("awsSecretAccessKey", "wJalr0EXAMPLE0bPx"),
    ("awsSessionToken", "session-0a1b2c3d"),
    ("awsExternalId", "external-1a2b3c4d"),
    ("azureEntraClientSecret", "entra-9f8e7d6c5b"),
    ("azure_ad_token", "ad-0a1b2c3d4e"),
    ("vertexServiceAccountJson", {"private_key": "pem-0a1b2c3d4e"}),
    ("vertex_service_account_json", '{"private_key": "pem-0a1b2c3d4e"}'),
    ("customHeaders", {"x-auth": "token-0a1b2c3d"}),
]


@pytest.mark.parametrize(("name", "given"), SECRETS)
def test_secret_setting_shows_nowhere(client: Client, name: str, given: Any) -> None:
    made = make_virtual_key(client, **{name: given})
    assert client.put(path(made), {name: given}).status_code == 200
    secret = (
        next(iter(given.values())) if isinstance(given, dict) else given.removeprefix('{"private_key": "').removesuffix('"}')
    )
    assert secret not in client.get(path(made)).text
    assert secret not in everything_shown(client)


def test_key_shows_nowhere(client: Client) -> None:
    made = make_virtual_key(client)
    assert client.put(path(made), {"key": f"{KEY}-2"}).status_code == 200
    views = [path(made), VIRTUAL_KEYS, f"{PROVIDERS}/{made['slug']}", PROVIDERS, f"{INTEGRATIONS}/{made['slug']}"]
    assert not any(KEY in client.get(view).text for view in views)
    assert KEY not in everything_shown(client)


def test_key_of_the_organisation_must_name_the_workspace(client: Client) -> None:
    data = refused(known_admin(client).post(VIRTUAL_KEYS, {"name": "Ours", "provider": "openai", "key": KEY}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/workspace_id"


def test_unknown_key_gets_the_default_workspace(client: Client) -> None:
    """*chosen*: whoever tests with any key has, with the real service, a key of a workspace."""
    made = client.post(VIRTUAL_KEYS, {"name": "Ours", "provider": "openai", "key": KEY}).json()
    listed = {item["slug"]: item["workspace_name"] for item in client.get(VIRTUAL_KEYS).json()["data"]}
    assert listed[made["slug"]] == "Shared Team Workspace"


def test_key_of_a_workspace_need_not_name_it(client: Client) -> None:
    caller = as_workspace(client, *CRUD)
    made = caller.post(VIRTUAL_KEYS, {"name": "Ours", "provider": "openai", "key": KEY}).json()
    assert caller.get(path(made)).status_code == 200
    assert read(client, VIRTUAL_KEYS)["data"][0]["workspace_id"] == workspace_id(client)


@pytest.mark.parametrize("workspace", [RESEARCH, "ws-nowhere"])
def test_foreign_or_unknown_workspace_is_forbidden(client: Client, workspace: str) -> None:
    given = {"name": "Ours", "provider": "openai", "key": KEY, "workspace_id": workspace}
    refused(as_workspace(client, *CRUD).post(VIRTUAL_KEYS, given), 403, "AB03")


@pytest.mark.parametrize(("field", "value"), [("_usage", "much"), ("slug", "mine"), ("status", "expired"), ("id", NOBODY)])
def test_what_is_not_for_callers_is_ignored(client: Client, field: str, value: Any) -> None:
    """Conventions: Request tolerance."""
    made = make_virtual_key(client, usage_limits=BUDGET, **{field: value})
    shown = read(client, path(made))
    assert (shown["status"], shown["usage_limits"]) == ("active", BUDGET)
    assert value not in (shown["slug"], shown["id"])


def test_any_provider_is_taken(client: Client) -> None:
    made = make_virtual_key(client, provider="tomorrow-ai")
    assert read(client, path(made))["ai_provider_name"] == "tomorrow-ai"


def test_virtual_key_answers_at_once(client: Client) -> None:
    made = make_virtual_key(client)
    assert ask(as_asker(client), "gpt-4o", virtual_key=made["slug"]).status_code == 200


def test_virtual_key_is_a_provider_too(client: Client) -> None:
    made = make_virtual_key(client, rate_limits=[RATE])
    shown = read(client, f"{PROVIDERS}/{made['slug']}")
    assert shown == read(client, path(made)) | {"object": "provider"}
    assert read(client, PROVIDERS, workspace_id=PRODUCTION)["data"][0]["id"] == made["id"]


def test_virtual_key_brings_its_integration(client: Client) -> None:
    """*chosen*: likely, unconfirmed. It is the workspace's, and may be used."""
    made = make_virtual_key(client)
    assert accesses(client, made["slug"])[PRODUCTION]["enabled"] is True
    assert "gpt-4o" in models(client, made["slug"])


# List


def test_list_is_newest_first(client: Client) -> None:
    seeded = read(client, VIRTUAL_KEYS)["data"]
    first, second = make_virtual_key(client), make_virtual_key(client)
    page = read(client, VIRTUAL_KEYS)
    assert (page["object"], page["total"]) == ("list", len(seeded) + 2)
    assert [each["slug"] for each in page["data"][:2]] == [second["slug"], first["slug"]]
    assert page["data"][2:] == seeded


def test_pages_count_from_nought(client: Client) -> None:
    """The Python client sends no page at all (sdk-call-map 6.2)."""
    for _ in range(5):
        make_virtual_key(client, workspace_id=RESEARCH)
    there = {"workspace_id": RESEARCH}
    sizes = [len(read(client, VIRTUAL_KEYS, **there, page_size=2, current_page=page)["data"]) for page in range(4)]
    assert (sizes, len(read(client, VIRTUAL_KEYS, **there)["data"])) == ([2, 2, 1, 0], 5)


def test_page_holds_fifty(client: Client) -> None:
    """Conventions: Paging."""
    for _ in range(51):
        make_virtual_key(client, workspace_id=RESEARCH)
    page = read(client, VIRTUAL_KEYS, workspace_id=RESEARCH)
    assert (len(page["data"]), page["total"]) == (50, 51)


def test_list_of_a_workspace_has_its_own_alone(client: Client) -> None:
    made = make_virtual_key(client, workspace_id=RESEARCH)
    assert [each["slug"] for each in read(client, VIRTUAL_KEYS, workspace_id=RESEARCH)["data"]] == [made["slug"]]
    caller = as_workspace(client, *CRUD, workspace=RESEARCH)
    assert [each["slug"] for each in read(caller, VIRTUAL_KEYS)["data"]] == [made["slug"]]
    refused(caller.get(VIRTUAL_KEYS, params={"workspace_id": PRODUCTION}), 403, "AB03")


# Who may


@pytest.mark.parametrize(("verb", "method"), [("read", "GET"), ("update", "PUT"), ("delete", "DELETE")])
def test_scope_of_each_verb(client: Client, verb: str, method: str) -> None:
    made = make_virtual_key(client)
    other = next(scope for scope in CRUD if not scope.endswith(verb))
    refused(as_admin(client, other, f"providers.{verb}").call(method, path(made)), 403, "AB03")
    assert as_admin(client, f"virtual_keys.{verb}").call(method, path(made)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_foreign_virtual_key_is_forbidden(client: Client, method: str) -> None:
    made = make_virtual_key(client)
    refused(as_workspace(client, *CRUD, workspace=RESEARCH).call(method, path(made)), 403, "AB03")


# Update


def test_update_tells_what_all_clients_read(client: Client) -> None:
    made = make_virtual_key(client)
    assert client.put(path(made), {"note": "New"}).json() == {name: made[name] for name in ("id", "slug", "object")}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Renamed"),
        ("note", "New"),
        ("usage_limits", {"type": "tokens", "credit_limit": 1000}),
        ("rate_limits", [{"type": "tokens", "unit": "rpd", "value": 5}]),
        ("expires_at", "2026-07-01T00:00:00.000Z"),
    ],
)
def test_update_changes_what_is_sent(client: Client, field: str, value: Any) -> None:
    at(client, "2026-05-03T17:08:55Z")
    made = make_virtual_key(client, note="Old", usage_limits=BUDGET, rate_limits=[RATE])
    before = read(client, path(made))
    client.put(path(made), {field: value})
    after = read(client, path(made))
    assert (changes(before, after), after[field]) == ({field}, value)


@pytest.mark.parametrize(
    ("field", "cleared"), [("note", None), ("usage_limits", None), ("rate_limits", []), ("expires_at", None)]
)
def test_null_clears(client: Client, field: str, cleared: Any) -> None:
    at(client, "2026-05-03T17:08:55Z")
    fields: Record = {"note": "Old", "usage_limits": BUDGET, "rate_limits": [RATE], "expires_at": "2026-06-01T00:00:00Z"}
    made = make_virtual_key(client, **fields)
    before = read(client, path(made))
    client.put(path(made), {field: None})
    after = read(client, path(made))
    assert (changes(before, after), after[field]) == ({field}, cleared)


def test_new_key_shows_in_the_mask(client: Client) -> None:
    made = make_virtual_key(client)
    client.put(path(made), {"key": "ab-new-key-xyz"})
    assert read(client, path(made))["masked_api_key"] == "ab*****xyz"
    assert read(client, f"{INTEGRATIONS}/{made['slug']}")["masked_key"] == "ab*****xyz"


@pytest.mark.parametrize("key", [None, "", ...], ids=["null", "empty", "absent"])
def test_key_changes_only_when_sent(client: Client, key: Any) -> None:
    made = make_virtual_key(client)
    client.put(path(made), {"note": "New"} | ({} if key is ... else {"key": key}))
    assert read(client, path(made))["masked_api_key"] == MASKED


def test_key_of_a_shared_integration_is_not_changed_here(client: Client) -> None:
    """*chosen*: other workspaces live on it."""
    before = state(client)
    data = refused(client.put(f"{VIRTUAL_KEYS}/{SEEDED}", {"key": "sk-other"}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/key"
    assert state(client) == before


def test_settings_merge_name_by_name(client: Client) -> None:
    made = make_virtual_key(client, apiVersion="1", resourceName="ours")
    client.put(path(made), {"api_version": "2", "deploymentConfig": [{"apiVersion": "1", "deploymentName": "small"}]})
    assert read(client, path(made))["model_config"] == {
        "apiVersion": "2",
        "resourceName": "ours",
        "deploymentConfig": [{"apiVersion": "1", "deploymentName": "small"}],
    }


def test_null_takes_a_setting_away(client: Client) -> None:
    made = make_virtual_key(client, apiVersion="1", resourceName="ours")
    client.put(path(made), {"resource_name": None})
    assert read(client, path(made))["model_config"] == {"apiVersion": "1"}
    client.put(path(made), {"apiVersion": None})
    assert read(client, path(made))["model_config"] == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "new"), ("provider", "anthropic"), ("integration_id", SEEDED), ("status", "expired"), ("model_config", "x")],
)
def test_immutable_field_is_ignored(client: Client, field: str, value: Any) -> None:
    made = make_virtual_key(client)
    before = read(client, path(made))
    assert client.put(path(made), {field: value}).status_code == 200
    assert read(client, path(made)) == before


def test_private_host_is_refused_on_update_too(client: Client) -> None:
    made = make_virtual_key(client)
    before = state(client)
    refused(client.put(path(made), {"customHost": "http://10.0.0.1", "note": "New"}), 400, "AB01")
    assert state(client) == before


def test_secret_mappings_are_replaced_kept_and_cleared(client: Client) -> None:
    first, second = make_secret(client, "one"), make_secret(client, "two")
    made = make_virtual_key(client, secret_mappings=[mapping(first)])
    client.put(path(made), {"note": "New"})
    assert read(client, path(made))["secret_mappings"] == [mapping(first)]
    client.put(path(made), {"secret_mappings": [mapping(second)]})
    assert read(client, path(made))["secret_mappings"] == [mapping(second)]
    client.put(path(made), {"secret_mappings": []})
    assert "secret_mappings" not in read(client, path(made))


# Delete


def test_deleted_virtual_key_is_gone_with_its_integration(client: Client) -> None:
    made = make_virtual_key(client)
    done(client.delete(path(made)))
    for view in (path(made), f"{PROVIDERS}/{made['slug']}", f"{INTEGRATIONS}/{made['slug']}"):
        refused(client.get(view), 404, "AB08")


@pytest.mark.parametrize("family", ["providers", "virtual-keys"])
def test_shared_integration_outlives_its_virtual_keys(client: Client, family: str) -> None:
    done(client.delete(f"/v1/{family}/{SEEDED}"))
    assert read(client, f"{INTEGRATIONS}/{SEEDED}")["status"] == "active"


def test_virtual_key_keeps_its_workspace_from_deletion(client: Client) -> None:
    workspace = make_workspace(client)["slug"]
    made = make_virtual_key(client, workspace_id=workspace)
    message = refused(client.delete(f"/v1/admin/workspaces/{workspace}"), 409, "AB07")["message"]
    assert message == "Unable to delete. Please ensure that all Virtual Keys are deleted"
    done(client.delete(path(made)))
    done(client.delete(f"/v1/admin/workspaces/{workspace}"))


# From the beginning to the end


def test_life_of_a_virtual_key_has_no_surprises(client: Client) -> None:
    """No field differs but what was changed."""
    at(client, "2026-05-03T17:08:55Z")
    made = make_virtual_key(client, note="Old", usage_limits=BUDGET, apiVersion="1")
    created = read(client, path(made))
    assert read(client, path(made)) == created

    at(client, "2026-05-04T10:00:00Z")
    client.put(path(made), {"note": "New", "rate_limits": [RATE]})
    changed = read(client, path(made))
    assert changed == created | {"note": "New", "rate_limits": [RATE]}
    assert read(client, path(made)) == changed

    client.put(path(made), {"note": None, "usage_limits": None, "rate_limits": None})
    assert read(client, path(made)) == changed | {"note": None, "usage_limits": None, "rate_limits": []}

    done(client.delete(path(made)))
    refused(client.get(path(made)), 404, "AB08")
