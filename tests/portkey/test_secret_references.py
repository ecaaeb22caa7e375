"""Secret references through the front door; who may use them is in `test_secret_mappings`.

Source of every rule that names none: governance-mcp-observability, Secret references.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import ADA, NOBODY, PRODUCTION, answered, at, changes, done, make_key, read, refused, user_id

REFERENCES = "/v1/secret-references"

READ_FIELDS = {
    "id", "organisation_id", "name", "slug", "description", "manager_type", "secret_path", "secret_key",
    "allow_all_workspaces", "tags", "status", "created_by", "created_at", "last_updated_at", "auth_config", "object",
}  # fmt: skip
ITEM_FIELDS = {"id", "name", "slug", "manager_type", "status", "created_at", "last_updated_at", "object"}

ACCESS_KEY: Record = {
    "aws_auth_type": "accessKey",
    "aws_access_key_id": "AKIAEXAMPLEKEY77",
    "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG",
    "aws_region": "eu-west-1",
}
VAULTS: dict[str, tuple[str, Record, Record]] = {
    "aws access key": (
        "aws_sm",
        ACCESS_KEY,
        {
            "aws_auth_type": "accessKey",
            "masked_aws_access_key_id": "AK*****Y77",
            "masked_aws_secret_access_key": "wJ*****ENG",
            "aws_region": "eu-west-1",
        },
    ),
    "aws assumed role": (
        "aws_sm",
        {
            "aws_auth_type": "assumedRole",
            "aws_role_arn": "arn:aws:iam::123456789012:role/read-secrets",
            "aws_region": "eu-west-1",
            "aws_external_id": "external-4471",
        },
        {
            "aws_auth_type": "assumedRole",
            "masked_aws_role_arn": "ar*****ets",
            "aws_region": "eu-west-1",
            "masked_aws_external_id": "ex*****471",
        },
    ),
    "aws service role": ("aws_sm", {"aws_auth_type": "serviceRole"}, {"aws_auth_type": "serviceRole"}),
    "azure entra": (
        "azure_kv",
        {
            "azure_auth_mode": "entra",
            "azure_entra_tenant_id": "tenant-1",
            "azure_entra_client_id": "client-1",
            "azure_entra_client_secret": "8Q~secret-of-entra",
            "azure_vault_url": "https://ours.vault.azure.net",
        },
        {
            "azure_auth_mode": "entra",
            "azure_entra_tenant_id": "tenant-1",
            "azure_entra_client_id": "client-1",
            "masked_azure_entra_client_secret": "8Q*****tra",
            "azure_vault_url": "https://ours.vault.azure.net",
        },
    ),
    "azure managed": (
        "azure_kv",
        {
            "azure_auth_mode": "managed",
            "azure_managed_client_id": "client-2",
            "azure_vault_url": "https://ours.vault.azure.net",
        },
        {
            "azure_auth_mode": "managed",
            "azure_managed_client_id": "client-2",
            "azure_vault_url": "https://ours.vault.azure.net",
        },
    ),
    "azure default": (
        "azure_kv",
        {"azure_auth_mode": "default", "azure_vault_url": "https://ours.vault.azure.net"},
        {"azure_auth_mode": "default", "azure_vault_url": "https://ours.vault.azure.net"},
    ),
    "vault token": (
        "hashicorp_vault",
        {
            "vault_auth_type": "token",
            "vault_addr": "https://vault.example.com",
            "vault_token": "hvs.CAESIJ-token",
            "vault_namespace": "ours",
        },
        {
            "vault_auth_type": "token",
            "vault_addr": "https://vault.example.com",
            "masked_vault_token": "hv*****ken",
            "vault_namespace": "ours",
        },
    ),
    "vault approle": (
        "hashicorp_vault",
        {
            "vault_auth_type": "approle",
            "vault_addr": "https://vault.example.com",
            "vault_role_id": "role-1",
            "vault_secret_id": "b9a1c2-secret-id",
        },
        {
            "vault_auth_type": "approle",
            "vault_addr": "https://vault.example.com",
            "vault_role_id": "role-1",
            "masked_vault_secret_id": "b9*****-id",
        },
    ),
    "vault kubernetes": (
        "hashicorp_vault",
        {"vault_auth_type": "kubernetes", "vault_addr": "https://vault.example.com", "vault_role": "reader"},
        {"vault_auth_type": "kubernetes", "vault_addr": "https://vault.example.com", "vault_role": "reader"},
    ),
}
"""Each way into a vault: its kind, what is sent, what is read."""


def body(**fields: Any) -> Record:
    """A reference as it is sent."""
    given: Record = {
        "name": "OpenAI key",
        "manager_type": "aws_sm",
        "secret_path": "prod/openai",
        "auth_config": {"aws_auth_type": "serviceRole"},
    }
    return given | fields


def make(client: Client, **fields: Any) -> str:
    """Make a reference; return its id."""
    return str(answered(client.post(REFERENCES, body(**fields)))["id"])


def show(client: Client, id_or_slug: str) -> Record:
    return read(client, f"{REFERENCES}/{id_or_slug}")


def names(client: Client, **query: Any) -> list[str]:
    return [item["name"] for item in read(client, REFERENCES, **query)["data"]]


# Create and read


def test_create_tells_id_slug_and_object(client: Client) -> None:
    made = client.post(REFERENCES, body(slug="openai-key")).json()
    assert made == {"id": made["id"], "slug": "openai-key", "object": "secret-reference"}
    assert uuid.UUID(made["id"]).version == 4


def test_read_shows_all_fields(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    made = show(client, make(client, description="For chats", secret_key="api_key", tags={"team": "support"}))
    assert set(made) == READ_FIELDS
    assert {name: value for name, value in made.items() if name not in ("id", "organisation_id")} == {
        "name": "OpenAI key",
        "slug": "openai-key",
        "description": "For chats",
        "manager_type": "aws_sm",
        "secret_path": "prod/openai",
        "secret_key": "api_key",
        "allow_all_workspaces": True,
        "tags": {"team": "support"},
        "status": "ACTIVE",
        "created_by": user_id(client, ADA),
        "created_at": "2026-05-03T17:08:55.000Z",
        "last_updated_at": "2026-05-03T17:08:55.000Z",
        "auth_config": {"aws_auth_type": "serviceRole"},
        "object": "secret-reference",
    }


def test_workspaces_are_never_told(client: Client) -> None:
    made = show(client, make(client, allowed_workspaces=[PRODUCTION]))
    assert set(made) == READ_FIELDS
    assert made["allow_all_workspaces"] is False


def test_what_is_not_said_is_null(client: Client) -> None:
    made = show(client, make(client))
    assert (made["description"], made["secret_key"], made["tags"]) == (None, None, None)


def test_organisation_is_that_of_the_workspaces(client: Client) -> None:
    workspace = read(client, f"/v1/admin/workspaces/{PRODUCTION}")
    assert show(client, make(client))["organisation_id"] == workspace["organisation_id"]


@pytest.mark.parametrize("form", ["id", "slug"])
def test_every_path_takes_id_or_slug(client: Client, form: str) -> None:
    made = client.post(REFERENCES, body()).json()
    path = f"{REFERENCES}/{made[form]}"
    assert client.get(path).json()["id"] == made["id"]
    done(client.put(path, {"name": "Other"}))
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")


@pytest.mark.parametrize("vault", VAULTS)
def test_credentials_are_renamed_and_masked(client: Client, vault: str) -> None:
    kind, given, wanted = VAULTS[vault]
    assert show(client, make(client, manager_type=kind, auth_config=given))["auth_config"] == wanted


def test_short_credential_is_all_stars(client: Client) -> None:
    """*chosen*: the usual mask would tell it."""
    given = {"vault_auth_type": "token", "vault_addr": "https://vault.example.com", "vault_token": "hvs.1"}
    made = show(client, make(client, manager_type="hashicorp_vault", auth_config=given))
    assert made["auth_config"]["masked_vault_token"] == "*****"


def test_world_keeps_no_credential(client: Client) -> None:
    reference = make(client, auth_config=ACCESS_KEY)
    kept = client.get(f"/__admin/records/secret_references/{reference}").text
    assert "masked_aws_secret_access_key" in kept
    assert "wJalrXUtnFEMI" not in kept
    assert "AKIAEXAMPLE" not in kept


@pytest.mark.parametrize("vault", [name for name, (_, given, wanted) in VAULTS.items() if given != wanted])
def test_journal_keeps_no_credential(client: Client, vault: str) -> None:
    kind, given, wanted = VAULTS[vault]
    secrets = [given[name] for name in given if f"masked_{name}" in wanted]
    reference = make(client, manager_type=kind, auth_config=given)
    client.put(f"{REFERENCES}/{reference}", {"auth_config": given})
    calls = client.get("/__admin/requests").text
    assert calls.count("[redacted]") >= 2 * len(secrets)
    assert not any(secret in calls for secret in secrets)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("OpenAI key", "openai-key"), ("A & B", "a-b"), ("研究", "[0-9a-f]{6}"), ("x" * 255, "x{255}")],
    ids=["words", "signs", "no-letters", "long"],
)
def test_slug_is_made_of_name(client: Client, name: str, slug: str) -> None:
    assert re.fullmatch(slug, show(client, make(client, name=name))["slug"])


def test_slugs_of_twins_differ(client: Client) -> None:
    """*chosen*: digits behind the second one."""
    make(client)
    assert re.fullmatch("openai-key-[0-9a-f]{6}", show(client, make(client))["slug"])


def test_long_slug_of_a_twin_is_no_longer(client: Client) -> None:
    make(client, name="x" * 255)
    assert len(show(client, make(client, name="x" * 255))["slug"]) == 255


def test_taken_slug_is_a_bad_request(client: Client) -> None:
    """Create: 400, not 409."""
    make(client, slug="ours")
    said = refused(client.post(REFERENCES, body(slug="ours")), 400, "AB01")
    assert said["violations"][0]["pointer"] == "/slug"


def test_slug_of_a_deleted_one_is_free(client: Client) -> None:
    done(client.delete(f"{REFERENCES}/{make(client, slug='ours')}"))
    make(client, slug="ours")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"manager_type": "gcp_sm"},
        {"secret_path": "x" * 1025},
        {"secret_key": "x" * 256},
        {"description": "x" * 1025},
        {"slug": "with space"},
        {"slug": "x" * 256},
        {"auth_config": {"aws_auth_type": "accessKey", "aws_access_key_id": "AKIA", "aws_region": "eu-west-1"}},
        {"auth_config": {}},
        {"auth_config": {"azure_auth_mode": "default", "azure_vault_url": "https://ours.vault.azure.net"}},
        {"manager_type": "azure_kv"},
        {"manager_type": "hashicorp_vault"},
        {"allowed_workspaces": []},
        {"allowed_workspaces": [NOBODY]},
        {"allowed_workspaces": [PRODUCTION], "allow_all_workspaces": True},
        {"tags": {"team": 1}},
    ],
    ids=str,
)
def test_wrong_body_is_refused(client: Client, wrong: Record) -> None:
    refused(client.post(REFERENCES, body(**wrong)), 400, "AB01")
    assert names(client) == []


@pytest.mark.parametrize("missing", ["name", "manager_type", "secret_path", "auth_config"])
def test_required_fields_are_required(client: Client, missing: str) -> None:
    given = body()
    del given[missing]
    refused(client.post(REFERENCES, given), 400, "AB01")


def test_archived_workspace_is_none(client: Client) -> None:
    made = client.post("/v1/admin/workspaces", {"name": "Lab"}).json()
    done(client.delete(f"/v1/admin/workspaces/{made['id']}"))
    said = refused(client.post(REFERENCES, body(allowed_workspaces=[PRODUCTION, made["id"]])), 400, "AB01")
    assert said["violations"][0]["pointer"] == "/allowed_workspaces/1"


def test_unknown_one_is_missing(client: Client) -> None:
    for reply in (client.get(f"{REFERENCES}/{NOBODY}"), client.delete(f"{REFERENCES}/none")):
        refused(reply, 404, "AB08")
    refused(client.put(f"{REFERENCES}/{NOBODY}", {"name": "Other"}), 404, "AB08")


def test_workspace_key_is_refused(client: Client) -> None:
    """Cross-cutting rules, Scopes: `secret_references.*` are for admin keys."""
    reference = make(client)
    ours = client.as_key(make_key(client, scopes=["secret_references.read", "secret_references.list"]).secret)
    refused(ours.get(REFERENCES), 403, "AB03")
    refused(ours.get(f"{REFERENCES}/{reference}"), 403, "AB03")


# List


def test_list_shows_less_than_a_read(client: Client) -> None:
    reference = make(client)
    listed = read(client, REFERENCES)
    assert (listed["object"], listed["total"]) == ("list", 1)
    assert set(listed["data"][0]) == ITEM_FIELDS
    assert listed["data"][0] == {name: value for name, value in show(client, reference).items() if name in ITEM_FIELDS}


def test_list_is_newest_first_and_paged(client: Client) -> None:
    for second in range(5):
        at(client, f"2026-05-03T17:08:5{second}Z")
        make(client, name=f"Key {second}")
    assert names(client) == ["Key 4", "Key 3", "Key 2", "Key 1", "Key 0"]
    page = read(client, REFERENCES, page_size=2, current_page=1)
    assert ([row["name"] for row in page["data"]], page["total"]) == (["Key 2", "Key 1"], 5)
    assert names(client, pageSize=2, currentPage=2) == ["Key 0"]
    assert names(client, page_size=2, current_page=3) == []


def test_page_holds_twenty_and_a_hundred_at_most(client: Client) -> None:
    for _ in range(21):
        make(client)
    assert len(names(client)) == 20
    assert len(names(client, page_size=100)) == 21
    refused(client.get(REFERENCES, params={"page_size": 101}), 400, "AB01")
    refused(client.get(REFERENCES, params={"page_size": 0}), 400, "AB01")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"manager_type": "aws_sm"}, ["Chat key", "Mail KEY"]),
        ({"manager_type": "hashicorp_vault"}, ["Vault"]),
        ({"search": "key"}, ["Chat key", "Mail KEY"]),
        ({"search": "KEY", "manager_type": "hashicorp_vault"}, []),
        ({"search": "chat-key"}, []),
        ({"tags": '{"team":"chat"}'}, ["Vault", "Chat key"]),
        ({"tags": '{"team":"chat","level":"1"}'}, ["Vault"]),
        ({"tags": '{"team":"other"}'}, []),
        ({"tags": "{}"}, ["Vault", "Chat key", "Mail KEY"]),
        ({"organisation_id": NOBODY}, []),
    ],
    ids=str,
)
def test_list_is_filtered(client: Client, query: Record, found: list[str]) -> None:
    _, vault, _ = VAULTS["vault kubernetes"]
    make(client, name="Mail KEY")
    make(client, name="Chat key", tags={"team": "chat"})
    make(client, name="Vault", manager_type="hashicorp_vault", auth_config=vault, tags={"team": "chat", "level": "1"})
    listed = read(client, REFERENCES, **query)
    assert ([row["name"] for row in listed["data"]], listed["total"]) == (found, len(found))


def test_list_of_own_organisation_is_the_list(client: Client) -> None:
    organisation = show(client, make(client))["organisation_id"]
    assert names(client, organisation_id=organisation) == ["OpenAI key"]


@pytest.mark.parametrize("tags", ["team", "[1]", "{", '{"a":1', "null"])
def test_tags_are_a_json_object(client: Client, tags: str) -> None:
    said = refused(client.get(REFERENCES, params={"tags": tags}), 400, "AB01")
    assert said["violations"][0]["pointer"] == "/tags"


# Update


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"name": "Other"}, ["name"]),
        ({"description": None}, ["description"]),
        ({"description": ""}, ["description"]),
        ({"secret_path": "prod/other"}, ["secret_path"]),
        ({"secret_key": None}, ["secret_key"]),
        ({"tags": None}, ["tags"]),
        ({"tags": {"level": "2"}}, ["tags"]),
        ({"auth_config": {"aws_region": "us-east-1"}}, ["auth_config"]),
        ({"allow_all_workspaces": False}, ["allow_all_workspaces"]),
        ({"name": "Other", "manager_type": "azure_kv", "slug": "other", "status": "GONE"}, ["name"]),
    ],
    ids=str,
)
def test_update_changes_what_is_sent(client: Client, given: Record, changed: list[str]) -> None:
    at(client, "2026-05-03T17:08:55Z")
    reference = make(client, description="For chats", secret_key="k", tags={"team": "chat"}, auth_config=ACCESS_KEY)
    before = show(client, reference)
    at(client, "2026-05-03T18:00:00Z")
    done(client.put(f"{REFERENCES}/{reference}", given))
    after = show(client, reference)
    assert changes(before, after) == {*changed, "last_updated_at"}
    assert after["last_updated_at"] == "2026-05-03T18:00:00.000Z"
    assert all(after[name] == given[name] for name in changed if name != "auth_config")


def test_auth_config_is_merged_field_by_field(client: Client) -> None:
    reference = make(client, auth_config=ACCESS_KEY)
    done(client.put(f"{REFERENCES}/{reference}", {"auth_config": {"aws_secret_access_key": "another-secret-9"}}))
    assert show(client, reference)["auth_config"] == {
        "aws_auth_type": "accessKey",
        "masked_aws_access_key_id": "AK*****Y77",
        "masked_aws_secret_access_key": "an*****t-9",
        "aws_region": "eu-west-1",
    }


@pytest.mark.parametrize("given", [{}, {"manager_type": "azure_kv"}, {"unknown": 1}, {"slug": "other"}, ...], ids=str)
def test_update_needs_a_known_field(client: Client, given: Any) -> None:
    refused(client.put(f"{REFERENCES}/{make(client)}", given), 400, "AB01")


def test_refused_update_changes_nothing(client: Client) -> None:
    reference = make(client)
    before = show(client, reference)
    refused(client.put(f"{REFERENCES}/{reference}", {"name": "Other", "allowed_workspaces": [NOBODY]}), 400, "AB01")
    assert show(client, reference) == before


# As Terraform does


def test_terraform_sequence(client: Client) -> None:
    """Quirk 10: by slug, with `masked_*` credentials; every field is compared each time."""
    at(client, "2026-05-03T17:00:00Z")
    given = body(
        slug="openai",
        description="For chats",
        secret_key="api_key",
        allow_all_workspaces=False,
        allowed_workspaces=[PRODUCTION],
        tags={"team": "chat"},
        auth_config=ACCESS_KEY,
    )
    made = client.post(REFERENCES, given).json()
    path = f"{REFERENCES}/{made['slug']}"
    first = read(client, path)
    expected = {name: value for name, value in given.items() if name not in ("allowed_workspaces", "auth_config")}
    assert {name: first[name] for name in expected} == expected
    assert first["auth_config"] == VAULTS["aws access key"][2]
    assert read(client, path) == first
    at(client, "2026-05-03T17:10:00Z")
    done(client.put(path, {**given, "secret_path": "prod/other"}))
    second = read(client, path)
    assert second == first | {"secret_path": "prod/other", "last_updated_at": "2026-05-03T17:10:00.000Z"}
    at(client, "2026-05-03T17:20:00Z")
    done(client.put(path, {**given, "secret_path": "prod/other", "description": None, "tags": None}))
    third = read(client, path)
    assert third == second | {"description": None, "tags": None, "last_updated_at": "2026-05-03T17:20:00.000Z"}
    rows = read(client, REFERENCES, page_size=100)["data"]
    assert [row["slug"] for row in rows] == ["openai"]
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")
    assert json.loads(client.get("/__admin/records").text)["collections"].get("secret_references", 0) == 0
