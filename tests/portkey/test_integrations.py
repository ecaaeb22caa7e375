"""Integrations through the front door.

Source of every rule that names none: identity-and-access, Integrations.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import (
    GRANTED,
    INTEGRATIONS,
    KEY,
    MASKED,
    PROVIDERS,
    SEEDED,
    accesses,
    as_admin,
    as_asker,
    as_workspace,
    ask,
    everything_shown,
    grant,
    make_integration,
    make_provider,
    make_secret,
    make_virtual_key,
    mapping,
    models,
    providers,
    read_integration,
)
from tests.portkey.team import (
    ADA,
    DARA,
    NOBODY,
    PRODUCTION,
    RESEARCH,
    at,
    changes,
    done,
    make_key,
    make_workspace,
    read,
    refused,
    state,
    user_id,
    workspace_id,
)

LISTED = [
    "id", "organisation_id", "ai_provider_id", "name", "status", "created_at", "last_updated_at", "slug", "description",
    "object",
]  # fmt: skip
READ = [
    *LISTED, "type", "workspace_id", "owner_id", "masked_key", "configurations", "global_workspace_access_settings",
    "global_workspace_access", "allow_all_models", "workspace_count", "secret_mappings", "pricing_adjustments",
]  # fmt: skip
CRUD = [f"workspace_integrations.{verb}" for verb in ("create", "read", "update", "delete", "list")]

AZURE: Record = {
    "azure_auth_mode": "default",
    "azure_resource_name": "ours",
    "azure_deployment_config": [
        {"azure_deployment_name": "small", "azure_api_version": "2024-10-21", "azure_model_slug": "gpt-4o-mini"}
    ],
}
AWS: Record = {"aws_auth_type": "accessKey", "aws_region": "eu-west-1"}
ROLE: Record = {
    "aws_auth_type": "assumedRole",
    "aws_region": "eu-west-1",
    "aws_role_arn": "arn:aws:iam::123456789012:role/read",
}
VERTEX: Record = {"vertex_auth_type": "serviceAccount", "vertex_region": "europe-west4", "vertex_project_id": "ours"}


def slugs(client: Client, **query: Any) -> list[str]:
    """The slugs in a list."""
    return [item["slug"] for item in read(client, INTEGRATIONS, **query)["data"]]


def invalid_at(client: Client, pointer: str, **fields: Any) -> str:
    """Check that an integration with these fields is refused at this place, and return why."""
    given = {"name": "Ours", "ai_provider_id": "openai", "key": KEY, **fields}
    before = state(client)
    data = refused(client.post(INTEGRATIONS, given), 400, "AB01")
    assert {violation["pointer"] for violation in data["violations"]} == {pointer}
    assert state(client) == before
    return str(data["violations"][0]["message"])


# Create


def test_create_tells_id_and_slug(client: Client) -> None:
    made = make_integration(client, "ours")
    assert (set(made), made["slug"]) == ({"id", "slug"}, "ours")
    assert uuid.UUID(made["id"]).version == 4


def test_new_integration_reads_as_given(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    made = make_integration(
        client,
        "ours",
        description="Paid by us",
        configurations={"openai_organization": "org-1", "openai_project": "proj-1"},
        pricing_adjustments={"multiplier": {"default": 0.9}},
    )
    shown = read_integration(client, "ours")
    assert list(shown) == READ
    assert shown == {
        "id": made["id"],
        "organisation_id": read(client, f"/v1/admin/workspaces/{PRODUCTION}")["organisation_id"],
        "ai_provider_id": "openai",
        "name": "Ours",
        "status": "active",
        "created_at": "2026-05-03T17:08:55.000Z",
        "last_updated_at": "2026-05-03T17:08:55.000Z",
        "slug": "ours",
        "description": "Paid by us",
        "object": "integration",
        "type": "organisation",
        "workspace_id": None,
        "owner_id": user_id(client, ADA),
        "masked_key": MASKED,
        "configurations": {"openai_organization": "org-1", "openai_project": "proj-1"},
        "global_workspace_access_settings": None,
        "global_workspace_access": None,
        "allow_all_models": True,
        "workspace_count": 0,
        "secret_mappings": [],
        "pricing_adjustments": {"multiplier": {"default": 0.9}},
    }


def test_integration_of_least_fields_has_none_of_the_rest(client: Client) -> None:
    made = client.post(INTEGRATIONS, {"name": "Ours", "ai_provider_id": "bedrock"}).json()
    shown = read_integration(client, made["slug"])
    bare = ("description", "masked_key", "configurations", "secret_mappings", "pricing_adjustments")
    assert [shown[name] for name in bare] == [None, None, {}, [], None]


def test_unknown_fields_are_ignored(client: Client) -> None:
    """Conventions: Request tolerance."""
    make_integration(client, colour="red", status="archived", id=NOBODY, masked_key="mine", allow_all_models=False)
    shown = read_integration(client)
    assert (shown["status"], shown["masked_key"], shown["allow_all_models"]) == ("active", MASKED, True)
    assert shown["id"] != NOBODY
    assert "colour" not in shown


@pytest.mark.parametrize("name", ["Our Models", "研究"])
def test_slug_follows_from_the_name(client: Client, name: str) -> None:
    made = client.post(INTEGRATIONS, {"name": name, "ai_provider_id": "openai", "key": KEY}).json()
    start = {"Our Models": "our-models", "研究": "integration"}[name]
    assert re.fullmatch(f"{start}-[0-9a-f]{{6}}", made["slug"])


def test_slugs_of_twins_differ(client: Client) -> None:
    twins = [client.post(INTEGRATIONS, {"name": "Ours", "ai_provider_id": "openai", "key": KEY}).json() for _ in range(2)]
    assert twins[0]["slug"] != twins[1]["slug"]


@pytest.mark.parametrize("slug", ["", "a b", "a/b", "ä", "a.b"])
def test_slug_has_letters_digits_dash_and_underscore(client: Client, slug: str) -> None:
    invalid_at(client, "/slug", slug=slug)


def test_taken_slug_is_a_conflict(client: Client) -> None:
    """*chosen*: as with the other slugs."""
    before = state(client)
    reply = client.post(INTEGRATIONS, {"name": "Ours", "ai_provider_id": "openai", "key": KEY, "slug": SEEDED})
    assert SEEDED in refused(reply, 409, "AB07")["message"]
    assert state(client) == before


def test_slug_of_a_deleted_integration_is_free(client: Client) -> None:
    first = make_integration(client, "ours")
    done(client.delete(f"{INTEGRATIONS}/ours"))
    assert make_integration(client, "ours")["id"] != first["id"]


@pytest.mark.parametrize("field", ["name", "ai_provider_id"])
@pytest.mark.parametrize("given", [None, "", ...], ids=["null", "empty", "absent"])
def test_name_and_provider_are_required(client: Client, field: str, given: Any) -> None:
    fields = {"name": "Ours", "ai_provider_id": "openai", "key": KEY, field: given}
    refused(client.post(INTEGRATIONS, {name: value for name, value in fields.items() if value is not ...}), 400, "AB01")


@pytest.mark.parametrize("given", [None, ""], ids=["null", "empty"])
def test_key_is_needed(client: Client, given: str | None) -> None:
    assert invalid_at(client, "/key", key=given) == "is required for openai"


def test_key_is_not_needed_where_a_secret_is_mapped_to_it(client: Client) -> None:
    secret = make_secret(client, "vaulted")
    make_integration(client, key=None, secret_mappings=[mapping(secret)])
    assert read_integration(client)["masked_key"] is None


def test_secret_elsewhere_does_not_stand_for_the_key(client: Client) -> None:
    secret = make_secret(client, "vaulted")
    invalid_at(client, "/key", key=None, secret_mappings=[mapping(secret, "configurations.openai_project")])


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        ("bedrock", ROLE),
        ("vertex-ai", VERTEX),
        ("azure-openai", {**AZURE, "azure_auth_mode": "managed"}),
        ("azure-openai", {**AZURE, "azure_auth_mode": "workload"}),
        ("openai", {"custom_host": "https://models.example.com/v1"}),
        ("ollama", {"custom_host": "https://models.example.com/v1"}),
    ],
)
def test_key_is_not_needed_where_settings_authenticate(client: Client, provider: str, settings: Record) -> None:
    make_integration(client, key=None, ai_provider_id=provider, configurations=settings)
    assert read_integration(client)["configurations"] == settings


def test_azure_with_a_key_needs_it(client: Client) -> None:
    invalid_at(client, "/key", key=None, ai_provider_id="azure-openai", configurations=AZURE)


def test_bedrock_is_not_called_aws_bedrock(client: Client) -> None:
    """An acceptance test of the Terraform provider."""
    invalid_at(client, "/key", key=None, ai_provider_id="aws-bedrock", configurations=ROLE)


# Settings

SETTINGS: list[tuple[str, Record]] = [
    ("openai", {"openai_organization": "org-1", "openai_project": "proj-1"}),
    ("azure-openai", AZURE),
    ("azure-ai", {"azure_auth_mode": "managed", "azure_foundry_url": "https://ours.example.com", "azure_api_version": "1"}),
    ("bedrock", ROLE),
    ("sagemaker", {**ROLE, "amzn_sagemaker_model_name": "ours"}),
    ("vertex-ai", VERTEX),
    ("workers-ai", {"workers_ai_account_id": "a1"}),
    ("cortex", {"snowflake_account": "a1"}),
    ("huggingface", {"huggingface_base_url": "https://ours.example.com"}),
    ("mistral-ai", {"anything": "goes", "deep": {"er": [1]}}),
]


@pytest.mark.parametrize(("provider", "settings"), SETTINGS, ids=[provider for provider, _ in SETTINGS])
def test_settings_read_as_given(client: Client, provider: str, settings: Record) -> None:
    make_integration(client, ai_provider_id=provider, configurations=settings)
    assert read_integration(client)["configurations"] == settings


@pytest.mark.parametrize("provider", [provider for provider, _ in SETTINGS if provider != "mistral-ai"])
@pytest.mark.parametrize("name", ["region", "apiKey", "masked_aws_access_key_id"])
def test_misnamed_setting_is_refused(client: Client, provider: str, name: str) -> None:
    why = invalid_at(client, f"/configurations/{name}", ai_provider_id=provider, configurations={name: "x"})
    assert why == f"is no setting of {provider}"


@pytest.mark.parametrize(
    ("provider", "name", "value"),
    [
        ("azure-openai", "azure_auth_mode", "password"),
        ("bedrock", "aws_auth_type", "none"),
        ("vertex-ai", "vertex_auth_type", "none"),
        ("openai", "custom_host", 5),
        ("openai", "custom_headers", "x-team: ours"),
        ("openai", "custom_headers", {"x-team": 1}),
    ],
    ids=str,
)
def test_setting_of_another_kind_is_refused(client: Client, provider: str, name: str, value: Any) -> None:
    given = {"name": "Ours", "ai_provider_id": provider, "key": KEY, "configurations": {name: value}}
    data = refused(client.post(INTEGRATIONS, given), 400, "AB01")
    assert data["violations"][0]["pointer"].startswith(f"/configurations/{name}")


SECRETS: list[tuple[str, str, Any, str]] = [
    ("azure-openai", "azure_entra_client_secret", "entra-9f8e7d6c5b", "en*****c5b"),
    ("azure-ai", "azure_entra_client_secret", "entra-9f8e7d6c5b", "en*****c5b"),
    ("bedrock", "aws_access_key_id", "AKIA0EXAMPLE1KEY", "AK*****KEY"),
    ("bedrock", "aws_secret_access_key", "wJalr0EXAMPLE0bPx", "wJ*****bPx"),
    ("bedrock", "aws_external_id", "external-1a2b3c4d", "ex*****c4d"),
    ("sagemaker", "aws_secret_access_key", "wJalr0EXAMPLE0bPx", "wJ*****bPx"),
    ("vertex-ai", "vertex_service_account_json", {"private_key": "pem-0a1b2c3d4e"}, "*****"),
    ("vertex-ai", "vertex_service_account_json", '{"private_key": "pem-0a1b2c3d4e"}', '{"*****e"}'),
]
"""Provider, setting, what is given, what is shown."""


@pytest.mark.parametrize(("provider", "name", "given", "shown"), SECRETS)
def test_secret_setting_is_renamed_and_masked(client: Client, provider: str, name: str, given: Any, shown: str) -> None:
    make_integration(client, ai_provider_id=provider, configurations={name: given})
    assert read_integration(client)["configurations"] == {f"masked_{name}": shown}


@pytest.mark.parametrize(("provider", "name", "given", "shown"), SECRETS)
def test_secret_setting_shows_nowhere(client: Client, provider: str, name: str, given: Any, shown: str) -> None:
    make_integration(client, ai_provider_id=provider, configurations={name: given})
    done(client.put(f"{INTEGRATIONS}/ours", {"configurations": {name: given}}))
    secret = "pem-0a1b2c3d4e" if name == "vertex_service_account_json" else given
    assert secret not in everything_shown(client)
    assert secret not in client.get(f"{INTEGRATIONS}/ours").text


def test_role_of_aws_is_shown(client: Client) -> None:
    """Since backend 1.15."""
    make_integration(client, ai_provider_id="bedrock", configurations=ROLE)
    assert read_integration(client)["configurations"]["aws_role_arn"] == ROLE["aws_role_arn"]


def test_values_of_headers_are_masked(client: Client) -> None:
    """*chosen*: such headers carry credentials."""
    settings = {"custom_host": "https://models.example.com", "custom_headers": {"x-auth": "token-0a1b2c3d"}}
    make_integration(client, configurations=settings)
    assert read_integration(client)["configurations"] == settings | {"custom_headers": {"x-auth": "to*****c3d"}}
    assert "token-0a1b2c3d" not in everything_shown(client)


def test_key_shows_nowhere(client: Client) -> None:
    make_integration(client)
    done(client.put(f"{INTEGRATIONS}/ours", {"key": f"{KEY}-2"}))
    grant(client, PRODUCTION)
    texts = [client.get(path).text for path in (f"{INTEGRATIONS}/ours", INTEGRATIONS, PROVIDERS, "/v1/virtual-keys/ours")]
    assert not any(KEY in text for text in texts)
    assert KEY not in everything_shown(client)


@pytest.mark.parametrize(
    "host",
    [
        "http://localhost:8000",
        "http://127.0.0.1",
        "https://10.0.0.7/v1",
        "https://192.168.1.1",
        "https://172.16.0.1",
        "http://169.254.169.254",
        "http://[::1]:8000",
        "http://[fd00::1]",
        "http://0.0.0.0",
    ],
)
def test_private_host_is_refused(client: Client, host: str) -> None:
    why = invalid_at(client, "/configurations/custom_host", configurations={"custom_host": host})
    assert why == "lies in a private range"


@pytest.mark.parametrize("host", ["models.example.com", "ftp://models.example.com", "https://", "http://[::1"])
def test_host_that_is_no_url_is_refused(client: Client, host: str) -> None:
    why = invalid_at(client, "/configurations/custom_host", configurations={"custom_host": host})
    assert why == "is no URL of a host"


@pytest.mark.parametrize("host", ["https://models.example.com/v1", "http://8.8.8.8:8000", "https://[2606:4700::1111]"])
def test_public_host_is_taken(client: Client, host: str) -> None:
    make_integration(client, configurations={"custom_host": host})
    assert read_integration(client)["configurations"] == {"custom_host": host}


# Integrations of a workspace


@pytest.mark.parametrize("form", ["id", "slug"])
def test_workspace_named_gets_the_integration(client: Client, form: str) -> None:
    production = workspace_id(client)
    make_integration(client, workspace_id={"id": production, "slug": PRODUCTION}[form])
    shown = read_integration(client)
    assert (shown["type"], shown["workspace_id"], shown["workspace_count"]) == ("workspace", production, 1)


def test_key_of_a_workspace_makes_integrations_there(client: Client) -> None:
    caller = as_workspace(client, *CRUD)
    make_integration(caller)
    shown = read_integration(caller)
    assert (shown["type"], shown["workspace_id"]) == ("workspace", workspace_id(client))


def test_owner_is_the_user_of_the_key(client: Client) -> None:
    fields = {"user_id": user_id(client, DARA), "workspace_id": PRODUCTION, "scopes": CRUD}
    caller = client.as_key(make_key(client, "workspace/user", **fields).secret)
    make_integration(caller)
    assert read_integration(client)["owner_id"] == user_id(client, DARA)


def test_integration_of_a_workspace_gives_it_a_provider(client: Client) -> None:
    make_integration(client, workspace_id=PRODUCTION)
    provider = providers(client)["ours"]
    assert (provider["name"], provider["note"], provider["integration_id"]) == ("Ours", GRANTED, "ours")


def test_default_provider_may_be_left_out(client: Client) -> None:
    before = providers(client)
    make_integration(client, workspace_id=PRODUCTION, create_default_provider=False)
    assert providers(client) == before
    assert accesses(client)[PRODUCTION]["enabled"] is True


def test_default_provider_may_have_its_own_slug(client: Client) -> None:
    make_integration(client, workspace_id=PRODUCTION, default_provider_slug="fast")
    assert providers(client)["fast"]["integration_id"] == "ours"
    assert "ours" not in providers(client)


def test_taken_slug_of_the_default_provider_is_refused(client: Client) -> None:
    invalid_at(client, "/default_provider_slug", workspace_id=PRODUCTION, default_provider_slug=SEEDED)


def test_slug_taken_in_another_workspace_is_free(client: Client) -> None:
    make_integration(client, workspace_id=RESEARCH, default_provider_slug=SEEDED)
    assert providers(client, RESEARCH)[SEEDED]["integration_id"] == "ours"


def test_default_provider_gives_way_when_its_slug_is_taken(client: Client) -> None:
    """*chosen*: nobody named the slug, so nobody is refused for it."""
    make_integration(client, "first")
    make_provider(client, "ours", "openai-production")
    make_integration(client, "ours", workspace_id=PRODUCTION)
    (made,) = [each for each in providers(client).values() if each["integration_id"] == "ours"]
    assert re.fullmatch("ours-[0-9a-f]{6}", made["slug"])


@pytest.mark.parametrize("slug", ["x" * 256, "a b", ""])
def test_slug_of_the_default_provider_is_a_slug(client: Client, slug: str) -> None:
    invalid_at(client, "/default_provider_slug", workspace_id=PRODUCTION, default_provider_slug=slug)


def test_longest_slug_of_the_default_provider_is_taken(client: Client) -> None:
    make_integration(client, workspace_id=PRODUCTION, default_provider_slug="x" * 255)
    assert "x" * 255 in providers(client)


def test_integration_of_the_organisation_has_no_default_provider(client: Client) -> None:
    before = read(client, PROVIDERS)["total"]
    make_integration(client, create_default_provider=True, default_provider_slug="fast")
    assert read(client, PROVIDERS)["total"] == before
    assert accesses(client) == {}


def test_unknown_workspace_is_forbidden(client: Client) -> None:
    """Errors: Missing-resource status."""
    given = {"name": "Ours", "ai_provider_id": "openai", "key": KEY, "workspace_id": "ws-nowhere"}
    refused(client.post(INTEGRATIONS, given), 403, "AB03")


def test_foreign_workspace_is_forbidden(client: Client) -> None:
    given = {"name": "Ours", "ai_provider_id": "openai", "key": KEY, "workspace_id": RESEARCH}
    refused(as_workspace(client, *CRUD).post(INTEGRATIONS, given), 403, "AB03")


# List


def test_list_item_is_the_read_without_details(client: Client) -> None:
    make_integration(client, "ours", description="Paid by us", configurations={"openai_project": "p"})
    item = read(client, INTEGRATIONS)["data"][0]
    shown = read_integration(client, "ours")
    assert list(item) == LISTED
    assert item == {name: shown[name] for name in LISTED}


def test_list_is_newest_first(client: Client) -> None:
    seeded = slugs(client)
    make_integration(client, "first")
    make_integration(client, "second")
    page = read(client, INTEGRATIONS)
    assert (page["object"], page["total"]) == ("list", len(seeded) + 2)
    assert slugs(client) == ["second", "first", *seeded]


def test_pages_count_from_nought(client: Client) -> None:
    for number in range(5):
        make_integration(client, f"n{number}", workspace_id=RESEARCH)
    there = {"workspace_id": RESEARCH}
    assert slugs(client, **there, page_size=2) == ["n4", "n3"]
    assert slugs(client, **there, page_size=2, current_page=1) == ["n2", "n1"]
    assert slugs(client, **there, pageSize=2, currentPage=2) == ["n0"]
    assert slugs(client, **there, page_size=2, current_page=3) == []
    assert read(client, INTEGRATIONS, **there, page_size=2, current_page=1)["total"] == 5


def test_page_holds_a_hundred(client: Client) -> None:
    """Conventions: Paging."""
    for number in range(101):
        make_integration(client, f"n{number}", workspace_id=RESEARCH)
    page = read(client, INTEGRATIONS, workspace_id=RESEARCH)
    assert (len(page["data"]), page["total"]) == (100, 101)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("organisation", ["ours"]), ("workspace", ["lab", "theirs"]), ("all", ["lab", "theirs", "ours"])],
)
def test_list_shows_the_kind_that_is_asked_for(client: Client, kind: str, expected: list[str]) -> None:
    expected = [*expected, *slugs(client, type=kind)]
    make_integration(client, "ours")
    make_integration(client, "theirs", workspace_id=PRODUCTION)
    make_integration(client, "lab", workspace_id=RESEARCH)
    assert slugs(client, type=kind) == expected
    assert read(client, INTEGRATIONS, type=kind)["total"] == len(expected)


def test_unknown_kind_is_refused(client: Client) -> None:
    refused(client.get(INTEGRATIONS, params={"type": "mine"}), 400, "AB01")


def test_list_without_a_kind_shows_all(client: Client) -> None:
    seeded = slugs(client, type="organisation")
    make_integration(client, "theirs", workspace_id=PRODUCTION)
    assert slugs(client) == ["theirs", *seeded]


@pytest.mark.parametrize(
    ("workspace", "kind", "expected"),
    [
        (PRODUCTION, "all", ["theirs"]),
        (PRODUCTION, "workspace", ["theirs"]),
        (PRODUCTION, "organisation", []),
        (RESEARCH, "all", ["lab"]),
    ],
)
def test_list_of_a_workspace_has_its_own_and_what_it_may_use(
    client: Client, workspace: str, kind: str, expected: list[str]
) -> None:
    expected = [*expected, *slugs(client, workspace_id=workspace, type=kind)]
    make_integration(client, "ours")
    make_integration(client, "theirs", workspace_id=PRODUCTION)
    make_integration(client, "lab", workspace_id=RESEARCH)
    assert slugs(client, workspace_id=workspace, type=kind) == expected
    assert slugs(client, workspace_id=workspace_id(client, workspace), type=kind) == expected


def test_list_of_a_workspace_lacks_what_was_switched_off(client: Client) -> None:
    assert SEEDED in slugs(client, workspace_id=PRODUCTION)
    grant(client, PRODUCTION, slug=SEEDED, enabled=False)
    assert SEEDED not in slugs(client, workspace_id=PRODUCTION)


def test_list_of_an_unknown_workspace_is_forbidden(client: Client) -> None:
    refused(client.get(INTEGRATIONS, params={"workspace_id": "ws-nowhere"}), 403, "AB03")


# Who may


def test_key_of_a_workspace_lists_what_it_may_use(client: Client) -> None:
    """Scopes: a workspace key may list the organisation's, and no more."""
    seeded = slugs(client, workspace_id=PRODUCTION)
    make_integration(client, "ours")
    make_integration(client, "theirs", workspace_id=PRODUCTION)
    make_integration(client, "lab", workspace_id=RESEARCH)
    caller = as_workspace(client, "organisation_integrations.list", "workspace_integrations.list")
    assert slugs(caller) == ["theirs", *seeded]
    refused(caller.get(INTEGRATIONS, params={"workspace_id": RESEARCH}), 403, "AB03")


@pytest.mark.parametrize("kind", ["organisation", "workspace"])
def test_list_shows_what_the_scope_is_for(client: Client, kind: str) -> None:
    make_integration(client, "theirs", workspace_id=PRODUCTION)
    scope = f"{kind}_integrations.list"
    assert slugs(as_admin(client, scope)) == slugs(client, type=kind)
    assert slugs(as_workspace(client, scope)) == slugs(client, type=kind, workspace_id=PRODUCTION)
    assert ("theirs" in slugs(client, type=kind)) is (kind == "workspace")


@pytest.mark.parametrize("suffix", ["", "/models", "/workspaces"])
def test_key_of_a_workspace_reads_none_of_the_organisations(client: Client, suffix: str) -> None:
    """The admin tools report 403 for one, its models and its workspaces, while the list works."""
    caller = as_workspace(client, "organisation_integrations.list", *CRUD, "workspaces.list", "workspaces.read")
    refused(caller.get(f"{INTEGRATIONS}/{SEEDED}{suffix}"), 403, "AB03")


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("GET", "", ...),
        ("PUT", "", {"name": "New"}),
        ("DELETE", "", ...),
        ("GET", "/models", ...),
        ("PUT", "/models", {"models": []}),
        ("DELETE", "/models?slugs=m", ...),
    ],
    ids=["read", "update", "delete", "list models", "update models", "delete models"],
)
class TestReach:
    """Every operation on one integration, by who calls and for which integration."""

    def test_key_of_a_workspace_reaches_its_own(self, client: Client, method: str, suffix: str, body: Any) -> None:
        make_integration(client, "theirs", workspace_id=PRODUCTION)
        model = {"slug": "m", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"}
        done(client.put(f"{INTEGRATIONS}/theirs/models", {"models": [model]}))
        assert as_workspace(client, *CRUD).call(method, f"{INTEGRATIONS}/theirs{suffix}", body).status_code == 200

    def test_foreign_integration_is_forbidden(self, client: Client, method: str, suffix: str, body: Any) -> None:
        make_integration(client, "lab", workspace_id=RESEARCH)
        refused(as_workspace(client, *CRUD).call(method, f"{INTEGRATIONS}/lab{suffix}", body), 403, "AB03")

    @pytest.mark.parametrize("kind", ["organisation", "workspace"])
    def test_scope_of_the_other_kind_does_not_do(self, client: Client, method: str, suffix: str, body: Any, kind: str) -> None:
        make_integration(client, "theirs", workspace_id=PRODUCTION)
        slug = {"organisation": "theirs", "workspace": SEEDED}[kind]
        caller = as_admin(client, *(f"{kind}_integrations.{verb}" for verb in ("read", "update", "delete")))
        refused(caller.call(method, f"{INTEGRATIONS}/{slug}{suffix}", body), 403, "AB03")

    @pytest.mark.parametrize("unknown", ["nowhere", NOBODY], ids=["slug", "id"])
    def test_unknown_integration_is_not_found(self, client: Client, method: str, suffix: str, body: Any, unknown: str) -> None:
        before = state(client)
        refused(client.call(method, f"{INTEGRATIONS}/{unknown}{suffix}", body), 404, "AB08")
        assert state(client) == before


@pytest.mark.parametrize("form", ["id", "slug"])
def test_every_path_takes_id_or_slug(client: Client, form: str) -> None:
    path = f"{INTEGRATIONS}/{make_integration(client)[form]}"
    done(client.put(path, {"description": "New"}))
    done(client.put(f"{path}/models", {"models": [{"slug": "gpt-4o", "enabled": False}]}))
    done(client.put(f"{path}/workspaces", {"workspaces": [{"id": PRODUCTION, "enabled": True}]}))
    shown = read(client, path)
    assert (shown["slug"], shown["description"], shown["workspace_count"]) == ("ours", "New", 1)
    assert read(client, f"{path}/models")["models"][0]["enabled"] is False
    assert read(client, f"{path}/workspaces")["total"] == 1
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")


def test_scope_to_create_is_that_of_the_kind(client: Client) -> None:
    given = {"name": "Ours", "ai_provider_id": "openai", "key": KEY}
    organisation, workspace = (as_admin(client, f"{kind}_integrations.create") for kind in ("organisation", "workspace"))
    refused(workspace.post(INTEGRATIONS, given), 403, "AB03")
    refused(organisation.post(INTEGRATIONS, {**given, "workspace_id": PRODUCTION}), 403, "AB03")
    assert organisation.post(INTEGRATIONS, given).status_code == 200
    assert workspace.post(INTEGRATIONS, {**given, "workspace_id": PRODUCTION}).status_code == 200


# Update


def test_update_changes_what_is_sent(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    make_integration(client, description="Paid by us", configurations={"openai_project": "p"})
    before = read_integration(client)
    at(client, "2026-05-04T10:00:00Z")
    done(client.put(f"{INTEGRATIONS}/ours", {"name": "Renamed"}))
    after = read_integration(client)
    assert changes(before, after) == {"name", "last_updated_at"}
    assert (after["name"], after["last_updated_at"]) == ("Renamed", "2026-05-04T10:00:00.000Z")


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("description", "New", "New"),
        ("description", None, None),
        ("pricing_adjustments", {"multiplier": {"request_token": 2}}, {"multiplier": {"request_token": 2}}),
        ("pricing_adjustments", None, None),
    ],
)
def test_field_is_replaced_or_cleared(client: Client, field: str, value: Any, shown: Any) -> None:
    make_integration(client, description="Old", pricing_adjustments={"multiplier": {"default": 0.5, "request_token": 3}})
    done(client.put(f"{INTEGRATIONS}/ours", {field: value}))
    assert read_integration(client)[field] == shown


def test_new_key_shows_in_the_mask(client: Client) -> None:
    make_integration(client)
    done(client.put(f"{INTEGRATIONS}/ours", {"key": "ab-new-key-xyz"}))
    assert read_integration(client)["masked_key"] == "ab*****xyz"


@pytest.mark.parametrize("body", [{"name": "Renamed"}, {"key": None}, {"key": ""}], ids=["absent", "null", "empty"])
def test_key_changes_only_when_sent(client: Client, body: Record) -> None:
    make_integration(client)
    done(client.put(f"{INTEGRATIONS}/ours", body))
    assert read_integration(client)["masked_key"] == MASKED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "new"),
        ("ai_provider_id", "anthropic"),
        ("workspace_id", PRODUCTION),
        ("id", NOBODY),
        ("type", "workspace"),
        ("status", "archived"),
        ("allow_all_models", False),
        ("owner_id", NOBODY),
        ("workspace_count", 7),
    ],
)
def test_immutable_field_is_ignored(client: Client, field: str, value: Any) -> None:
    make_integration(client)
    before = read_integration(client)
    done(client.put(f"{INTEGRATIONS}/ours", {field: value}))
    assert read_integration(client) == before


@pytest.mark.parametrize("options", [{"json": {}}, {}], ids=["empty", "absent"])
def test_update_that_says_nothing_changes_nothing(client: Client, options: Record) -> None:
    at(client, "2026-05-03T17:08:55Z")
    make_integration(client)
    before = read_integration(client)
    at(client, "2026-05-04T10:00:00Z")
    done(client.put(f"{INTEGRATIONS}/ours", **options))
    assert read_integration(client) == before


def test_settings_merge_name_by_name(client: Client) -> None:
    """*chosen*: masked ones do not come back to be sent again."""
    make_integration(client, ai_provider_id="bedrock", configurations={**AWS, "aws_secret_access_key": "wJalr0EXAMPLE0bPx"})
    done(client.put(f"{INTEGRATIONS}/ours", {"configurations": {"aws_region": "us-east-1"}}))
    assert read_integration(client)["configurations"] == {
        "aws_auth_type": "accessKey",
        "aws_region": "us-east-1",
        "masked_aws_secret_access_key": "wJ*****bPx",
    }


@pytest.mark.parametrize("name", ["aws_role_arn", "aws_external_id"])
def test_null_takes_a_setting_away(client: Client, name: str) -> None:
    make_integration(client, ai_provider_id="bedrock", configurations={**ROLE, "aws_external_id": "external-1a2b3c4d"})
    done(client.put(f"{INTEGRATIONS}/ours", {"configurations": {name: None}}))
    shown = read_integration(client)["configurations"]
    assert name not in shown
    assert f"masked_{name}" not in shown
    assert shown["aws_region"] == "eu-west-1"


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"region": "eu-west-1"}, "/configurations/region"),
        ({"custom_host": "http://10.0.0.1"}, "/configurations/custom_host"),
    ],
    ids=["misnamed", "private"],
)
def test_wrong_setting_is_refused_on_update_too(client: Client, settings: Record, pointer: str) -> None:
    make_integration(client)
    before = state(client)
    data = refused(client.put(f"{INTEGRATIONS}/ours", {"name": "Renamed", "configurations": settings}), 400, "AB01")
    assert data["violations"][0]["pointer"] == pointer
    assert state(client) == before


def test_secret_mappings_are_replaced_as_a_whole(client: Client) -> None:
    first, second = make_secret(client, "one"), make_secret(client, "two")
    make_integration(client, secret_mappings=[mapping(first), mapping(first, "configurations.openai_project")])
    done(client.put(f"{INTEGRATIONS}/ours", {"secret_mappings": [mapping(second)]}))
    assert read_integration(client)["secret_mappings"] == [mapping(second)]


def test_secret_mappings_stay_when_left_out(client: Client) -> None:
    secret = make_secret(client, "one")
    make_integration(client, secret_mappings=[mapping(secret)])
    done(client.put(f"{INTEGRATIONS}/ours", {"name": "Renamed"}))
    assert read_integration(client)["secret_mappings"] == [mapping(secret)]


@pytest.mark.parametrize("none", [[], None], ids=["empty", "null"])
def test_secret_mappings_are_cleared(client: Client, none: Any) -> None:
    make_integration(client, secret_mappings=[mapping(make_secret(client, "one"))])
    done(client.put(f"{INTEGRATIONS}/ours", {"secret_mappings": none}))
    assert read_integration(client)["secret_mappings"] == []


def test_pricing_adjustments_take_every_kind_of_unit(client: Client) -> None:
    multiplier: Record = {"default": 0.9, "request_token": 0, "response_token": None, "reasoning_token": 1.5}
    multiplier |= {"image": {"default": 2}, "additional_units": {"web_search": 0.5}}
    make_integration(client, pricing_adjustments={"multiplier": multiplier})
    assert read_integration(client)["pricing_adjustments"] == {"multiplier": multiplier}


@pytest.mark.parametrize("factor", [-1, "1"])
def test_factor_is_no_negative_number_nor_a_text(client: Client, factor: Any) -> None:
    invalid_at(client, "/pricing_adjustments/multiplier/default", pricing_adjustments={"multiplier": {"default": factor}})


# Delete


def test_deleted_integration_is_not_found(client: Client) -> None:
    seeded = slugs(client)
    make_integration(client)
    done(client.delete(f"{INTEGRATIONS}/ours"))
    for suffix in ("", "/models", "/workspaces"):
        refused(client.get(f"{INTEGRATIONS}/ours{suffix}"), 404, "AB08")
    refused(client.delete(f"{INTEGRATIONS}/ours"), 404, "AB08")
    assert slugs(client) == seeded


def test_providers_go_with_their_integration(client: Client) -> None:
    """*chosen*: they could call nothing."""
    seeded = providers(client)
    make_integration(client)
    grant(client, PRODUCTION)
    make_provider(client, "theirs")
    done(client.delete(f"{INTEGRATIONS}/ours"))
    assert providers(client) == seeded
    refused(client.get("/v1/virtual-keys/theirs"), 404, "AB08")
    assert ask(as_asker(client), "@ours/gpt-4o").status_code == 400


def test_models_and_grants_go_with_their_integration(client: Client) -> None:
    make_integration(client)
    grant(client, PRODUCTION)
    done(client.put(f"{INTEGRATIONS}/ours/models", {"models": [{"slug": "gpt-4o", "enabled": False}]}))
    done(client.delete(f"{INTEGRATIONS}/ours"))
    make_integration(client)
    assert accesses(client) == {}
    assert models(client)["gpt-4o"]["enabled"] is True


def test_deletion_frees_the_workspace(client: Client) -> None:
    workspace = make_workspace(client)["id"]
    make_integration(client)
    grant(client, workspace)
    message = refused(client.delete(f"/v1/admin/workspaces/{workspace}"), 409, "AB07")["message"]
    assert message == "Unable to delete. Please ensure that all Virtual Keys are deleted"
    done(client.delete(f"{INTEGRATIONS}/ours"))
    done(client.delete(f"/v1/admin/workspaces/{workspace}"))


def test_integrations_of_a_workspace_go_with_it(client: Client) -> None:
    """Workspaces: Delete (1.5.1)."""
    workspace = make_workspace(client)["id"]
    make_integration(client, workspace_id=workspace, create_default_provider=False)
    done(client.delete(f"/v1/admin/workspaces/{workspace}"))
    refused(client.get(f"{INTEGRATIONS}/ours"), 404, "AB08")


# The way of the Terraform provider


def test_terraform_sees_no_drift(client: Client) -> None:
    """Quirks 12 and 16: POST, GET by slug, GET models; a GET after every PUT. No field differs but what was changed."""
    at(client, "2026-05-03T17:08:55Z")
    secret = make_secret(client, "one")
    settings = {"openai_organization": "org-1"}
    make_integration(client, description="Old", configurations=settings, secret_mappings=[mapping(secret)])
    created = read_integration(client)
    assert read(client, f"{INTEGRATIONS}/ours/models")["allow_all_models"] is True
    assert read_integration(client) == created

    at(client, "2026-05-04T10:00:00Z")
    done(client.put(f"{INTEGRATIONS}/ours", {"name": "Ours", "description": "New"}))
    changed = read_integration(client)
    assert changed == created | {"description": "New", "last_updated_at": "2026-05-04T10:00:00.000Z"}
    assert read_integration(client) == changed

    at(client, "2026-05-05T10:00:00Z")
    done(client.put(f"{INTEGRATIONS}/ours", {"description": None, "secret_mappings": []}))
    cleared = read_integration(client)
    later = {"last_updated_at": "2026-05-05T10:00:00.000Z"}
    assert cleared == changed | {"description": None, "secret_mappings": []} | later
    assert read_integration(client) == cleared

    done(client.delete(f"{INTEGRATIONS}/ours"))
    refused(client.get(f"{INTEGRATIONS}/ours"), 404, "AB08")


def test_terraform_restricts_models_when_it_creates(client: Client) -> None:
    """Quirk 16: PUT models only when `allow_all_models` is false."""
    make_integration(client)
    done(client.put(f"{INTEGRATIONS}/ours/models", {"models": [], "allow_all_models": False}))
    assert read(client, f"{INTEGRATIONS}/ours/models")["allow_all_models"] is False
    assert read_integration(client)["allow_all_models"] is False


def test_virtual_keys_bring_an_integration_of_their_workspace(client: Client) -> None:
    """*chosen*: Virtual keys (likely, unconfirmed)."""
    slug = make_virtual_key(client)["slug"]
    shown = read_integration(client, slug)
    assert (shown["type"], shown["workspace_id"], shown["masked_key"]) == ("workspace", workspace_id(client), MASKED)
    assert slugs(client, type="workspace") == [slug]
