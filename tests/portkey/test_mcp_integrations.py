"""MCP integrations through the front door.

Source of every rule that names none: governance-mcp-observability, MCP integrations.
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
    make_key,
    make_workspace,
    read,
    refused,
    state,
    succeeded,
    user_id,
    workspace_id,
)

INTEGRATIONS = "/v1/mcp-integrations"
SERVERS = "/v1/mcp-servers"

READ_FIELDS = {
    "id", "name", "description", "owner_id", "status", "created_at", "last_updated_at", "configurations",
    "global_workspace_access", "workspace_id", "slug", "url", "auth_type", "transport", "type", "secret_mappings", "object",
}  # fmt: skip
METADATA_FIELDS = {
    "server_name", "server_version", "title", "description", "website_url", "icons", "protocol_version", "capability_flags",
    "instructions", "sync_status", "last_synced_at", "sync_error", "object",
}  # fmt: skip
CAPABILITY_FIELDS = {
    "name", "type", "title", "description", "icons", "enabled", "created_at", "last_updated_at", "input_schema",
    "output_schema", "execution", "annotations", "object",
}  # fmt: skip
"""What the dossier names; some kinds have more."""

DESK: Record = {"name": "Ticket desk", "url": "https://mcp.tickets.example.com/mcp", "auth_type": "none", "transport": "http"}
OFFERS: list[Record] = [
    {"name": "file_ticket", "type": "tool", "title": "File", "inputSchema": {"type": "object"}, "annotations": {"a": 1}},
    {"name": "close_ticket", "type": "tool", "input_schema": {"type": "object"}, "outputSchema": {}, "execution": {"e": 1}},
    {"name": "summary", "type": "prompt", "arguments": [{"name": "id"}], "description": "Sums up"},
    {"name": "tickets", "type": "resource", "uri": "tickets://all", "mimeType": "text/plain", "size": 17},
    {"name": "ticket", "type": "resource_template", "uriTemplate": "tickets://{id}", "icons": [{"src": "a.png"}]},
]


def make(client: Client, **fields: Any) -> str:
    """Make an integration; return its id."""
    return str(answered(client.post(INTEGRATIONS, DESK | fields))["id"])


def show(client: Client, id_or_slug: str) -> Record:
    return read(client, f"{INTEGRATIONS}/{id_or_slug}")


def names(client: Client, **query: Any) -> list[str]:
    return [item["name"] for item in read(client, INTEGRATIONS, **query)["data"]]


def sync(client: Client, integration: str, **fields: Any) -> None:
    succeeded(client.post(f"{INTEGRATIONS}/{integration}/sync", fields))


def give(client: Client, integration: str, workspace: str = PRODUCTION, *, enabled: bool = True, **more: Any) -> None:
    """Give an integration to a workspace, or take it."""
    rows = [{"id": workspace, "enabled": enabled}]
    done(client.put(f"{INTEGRATIONS}/{integration}/workspaces", {"workspaces": rows, **more}))


def access(client: Client, integration: str) -> dict[str, bool]:
    """Which workspaces were told that they have an integration or not, by their slugs."""
    rows = read(client, f"{INTEGRATIONS}/{integration}/workspaces")["workspaces"]
    return {client.world["workspaces"].get(row["id"])["slug"]: row["enabled"] for row in rows}


def servers(client: Client, workspace: str = PRODUCTION) -> list[Record]:
    found: list[Record] = read(client, SERVERS, workspace_id=workspace)["data"]
    return found


def workspace_key(client: Client, **fields: Any) -> Client:
    """A client with a key of Production that may do all of MCP that such a key can."""
    verbs = ("create", "read", "update", "delete", "list")
    scopes = [f"workspace_mcp_integrations.{verb}" for verb in verbs] + [f"mcp_servers.{verb}" for verb in verbs]
    return client.as_key(make_key(client, **{"scopes": [*scopes, "organisation_mcp_integrations.list"], **fields}).secret)


# Create and read


def test_create_tells_id_and_slug_alone(client: Client) -> None:
    made = client.post(INTEGRATIONS, DESK | {"slug": "desk"}).json()
    assert made == {"id": made["id"], "slug": "desk"}
    assert uuid.UUID(made["id"]).version == 4


def test_read_shows_all_fields(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    integration = make(client, description="Files tickets", configurations={"forward_headers": ["x-user"]})
    made = show(client, integration)
    assert made == {
        "id": integration,
        "name": "Ticket desk",
        "description": "Files tickets",
        "owner_id": user_id(client, ADA),
        "status": "active",
        "created_at": "2026-05-03T17:08:55.000Z",
        "last_updated_at": "2026-05-03T17:08:55.000Z",
        "configurations": {"forward_headers": ["x-user"]},
        "global_workspace_access": None,
        "workspace_id": None,
        "slug": "ticket-desk",
        "url": "https://mcp.tickets.example.com/mcp",
        "auth_type": "none",
        "transport": "http",
        "type": "organisation",
        "secret_mappings": None,
        "object": "mcp-integration",
    }
    assert set(made) == READ_FIELDS


@pytest.mark.parametrize("form", ["id", "slug"])
def test_every_path_takes_id_or_slug(client: Client, form: str) -> None:
    made = client.post(INTEGRATIONS, DESK).json()
    path = f"{INTEGRATIONS}/{made[form]}"
    assert client.get(path).json()["id"] == made["id"]
    for below in ("workspaces", "capabilities", "metadata"):
        assert client.get(f"{path}/{below}").status_code == 200
    for action in ("test", "sync"):
        assert client.post(f"{path}/{action}").status_code == 200
    done(client.put(path, {"name": "Other"}))
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")


@pytest.mark.parametrize("named", ["id", "slug"])
def test_workspace_makes_it_that_of_the_workspace(client: Client, named: str) -> None:
    workspace = workspace_id(client) if named == "id" else PRODUCTION
    made = show(client, make(client, workspace_id=workspace))
    assert (made["type"], made["workspace_id"]) == ("workspace", workspace_id(client))


def test_workspace_key_makes_those_of_its_workspace(client: Client) -> None:
    """Cross-cutting rules, Auth: pinned; what the call names is ignored."""
    ours = workspace_key(client)
    made = show(client, make(ours, workspace_id=RESEARCH))
    assert (made["type"], made["workspace_id"]) == ("workspace", workspace_id(client))


def test_person_owns_what_their_key_makes(client: Client) -> None:
    dara = user_id(client, DARA)
    ours = workspace_key(client, kind="workspace/user", user_id=dara)
    assert show(client, make(ours))["owner_id"] == dara


def test_unknown_workspace_is_forbidden(client: Client) -> None:
    refused(client.post(INTEGRATIONS, DESK | {"workspace_id": NOBODY}), 403, "AB03")


def test_slug_is_made_of_name_and_unique(client: Client) -> None:
    assert show(client, make(client))["slug"] == "ticket-desk"
    assert re.fullmatch("ticket-desk-[0-9a-f]{6}", show(client, make(client))["slug"])


def test_taken_slug_is_a_conflict(client: Client) -> None:
    make(client, slug="desk")
    before = state(client)
    refused(client.post(INTEGRATIONS, DESK | {"slug": "desk", "workspace_id": PRODUCTION}), 409, "AB07")
    assert state(client) == before


@pytest.mark.parametrize("auth_type", ["oauth_auto", "oauth_client_credentials", "headers", "none"])
@pytest.mark.parametrize("transport", ["http", "sse"])
def test_kinds_are_kept(client: Client, auth_type: str, transport: str) -> None:
    made = show(client, make(client, auth_type=auth_type, transport=transport))
    assert (made["auth_type"], made["transport"]) == (auth_type, transport)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"url": "no url"},
        {"auth_type": "basic"},
        {"transport": "interactive"},
        {"slug": "with space"},
        {"configurations": []},
        {"secret_mappings": [{"target_field": "configurations.x"}]},
    ],
    ids=str,
)
def test_wrong_body_is_refused(client: Client, wrong: Record) -> None:
    refused(client.post(INTEGRATIONS, DESK | wrong), 400, "AB01")


@pytest.mark.parametrize("missing", ["name", "url", "auth_type", "transport"])
def test_required_fields_are_required(client: Client, missing: str) -> None:
    refused(client.post(INTEGRATIONS, {name: value for name, value in DESK.items() if name != missing}), 400, "AB01")


def test_unknown_one_is_missing(client: Client) -> None:
    path = f"{INTEGRATIONS}/{NOBODY}"
    for below in ("", "/workspaces", "/capabilities", "/metadata"):
        refused(client.get(path + below), 404, "AB08")
    refused(client.put(path, {"name": "Other"}), 404, "AB08")
    refused(client.delete(path), 404, "AB08")
    refused(client.post(f"{path}/test"), 404, "AB08")


CONFIGURATIONS: Record = {
    "custom_headers": {"authorization": "Bearer north-desk-17", "x-short": "north", "x-count": 3},
    "passthrough_headers": ["x-request-id"],
    "oauth_metadata": {
        "token_endpoint": "https://login.example.com/token",
        "client_id": "desk",
        "client_secret": "9f31-secret-c41",
        "grant_types": ["client_credentials"],
    },
    "external_auth_config": {"api_key": "ak-5512-of-the-desk", "keys": [{"privateKey": "-----BEGIN KEY"}]},
}
MASKED: Record = {
    "custom_headers": {"authorization": "Be*****-17", "x-short": "*****", "x-count": 3},
    "passthrough_headers": ["x-request-id"],
    "oauth_metadata": {
        "token_endpoint": "https://login.example.com/token",
        "client_id": "desk",
        "client_secret": "9f*****c41",
        "grant_types": ["client_credentials"],
    },
    "external_auth_config": {"api_key": "ak*****esk", "keys": [{"privateKey": "--*****KEY"}]},
}


def test_secrets_among_configurations_are_masked(client: Client) -> None:
    """*chosen*: values of custom headers, and settings that sound secret."""
    assert show(client, make(client, configurations=CONFIGURATIONS))["configurations"] == MASKED


def test_world_and_journal_keep_no_secret(client: Client) -> None:
    integration = make(client, configurations=CONFIGURATIONS)
    client.put(f"{INTEGRATIONS}/{integration}", {"configurations": CONFIGURATIONS})
    told = client.get("/__admin/requests").text + client.get("/__admin/records/mcp_integrations").text
    for secret in ("north-desk-17", "9f31-secret-c41", "ak-5512-of-the-desk"):
        assert secret not in told


# List


def test_row_has_more_and_less_than_a_read(client: Client) -> None:
    integration = make(client, configurations=CONFIGURATIONS)
    give(client, integration)
    give(client, integration, RESEARCH, enabled=False)
    sync(client, integration, server_info={"name": "tickets", "title": "Desk"})
    listed = read(client, INTEGRATIONS)
    assert (listed["object"], listed["total"], listed["has_more"]) == ("list", 1, False)
    row, single = listed["data"][0], show(client, integration)
    assert set(row) == READ_FIELDS - {"global_workspace_access"} | {"organisation_id", "workspaces_count", "metadata"}
    assert changes(row, single) == {
        "configurations", "global_workspace_access", "organisation_id", "workspaces_count", "metadata",
    }  # fmt: skip
    assert row["workspaces_count"] == 1
    assert row["metadata"] == {
        "title": "Desk",
        "description": None,
        "icons": None,
        "server_name": "tickets",
        "server_version": None,
        "protocol_version": None,
        "sync_status": "synced",
        "last_synced_at": single["last_updated_at"],
    }


def test_configurations_of_rows_are_a_sealed_text(client: Client) -> None:
    """Observed: JSON in a text, with an encrypted blob in it."""
    make(client, configurations={"custom_headers": {"x-desk": "north-desk-17"}})
    sealed = read(client, INTEGRATIONS)["data"][0]["configurations"]
    assert isinstance(sealed, str)
    assert set(json.loads(sealed)) == {"encrypted"}
    assert "desk" not in sealed
    assert read(client, INTEGRATIONS)["data"][0]["configurations"] == sealed


def test_list_is_newest_first_and_paged(client: Client) -> None:
    for second in range(5):
        at(client, f"2026-05-03T17:08:5{second}Z")
        make(client, name=f"Desk {second}")
    assert names(client) == ["Desk 4", "Desk 3", "Desk 2", "Desk 1", "Desk 0"]
    for page, found, more in (
        (0, ["Desk 4", "Desk 3"], True),
        (1, ["Desk 2", "Desk 1"], True),
        (2, ["Desk 0"], False),
        (3, [], False),
    ):
        listed = read(client, INTEGRATIONS, page_size=2, current_page=page)
        assert ([row["name"] for row in listed["data"]], listed["total"], listed["has_more"]) == (found, 5, more)


@pytest.mark.parametrize(("size", "status"), [(1, 200), (1000, 200), (0, 400), (1001, 400)])
def test_page_sizes(client: Client, size: int, status: int) -> None:
    assert client.get(INTEGRATIONS, params={"page_size": size}).status_code == status


def test_plain_page_holds_a_hundred(client: Client) -> None:
    for _ in range(101):
        make(client)
    listed = read(client, INTEGRATIONS)
    assert (len(listed["data"]), listed["total"], listed["has_more"]) == (100, 101, True)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Everyone's", "Research's", "Production's", "Given", "Nobody's"]),
        ({"type": "all"}, ["Everyone's", "Research's", "Production's", "Given", "Nobody's"]),
        ({"type": "organisation"}, ["Everyone's", "Given", "Nobody's"]),
        ({"type": "workspace"}, ["Research's", "Production's"]),
        ({"workspace_id": PRODUCTION}, ["Everyone's", "Production's", "Given"]),
        ({"workspace_id": PRODUCTION, "type": "workspace"}, ["Production's"]),
        ({"workspace_id": SHARED}, ["Everyone's"]),
        ({"search": "'S"}, ["Everyone's", "Research's", "Production's", "Nobody's"]),
        ({"organisation_id": NOBODY}, []),
    ],
    ids=str,
)
def test_list_is_filtered(client: Client, query: Record, found: list[str]) -> None:
    make(client, name="Nobody's")
    given = make(client, name="Given")
    give(client, given)
    give(client, given, RESEARCH, enabled=False)
    make(client, name="Production's", workspace_id=PRODUCTION)
    make(client, name="Research's", workspace_id=RESEARCH)
    everyone = make(client, name="Everyone's")
    done(client.put(f"{INTEGRATIONS}/{everyone}/workspaces", {"workspaces": [], "global_workspace_access": {"enabled": True}}))
    listed = read(client, INTEGRATIONS, **query)
    assert ([row["name"] for row in listed["data"]], listed["total"]) == (found, len(found))


# Who may


@pytest.fixture
def theirs(client: Client) -> str:
    """An integration of Research."""
    return make(client, workspace_id=RESEARCH)


def test_workspace_key_lists_what_its_workspace_has(client: Client, theirs: str) -> None:
    make(client, name="Nobody's")
    give(client, make(client, name="Given"))
    ours = workspace_key(client)
    make(ours, name="Ours")
    assert names(ours) == ["Ours", "Given"]
    assert names(ours, workspace_id=RESEARCH) == ["Ours", "Given"]
    assert names(ours, type="organisation") == ["Given"]


def test_list_shows_kinds_that_may_be_listed(client: Client) -> None:
    """*chosen*: as with API keys, there is a scope for each kind and one list."""
    give(client, make(client, name="Given"))
    make(client, name="Ours", workspace_id=PRODUCTION)
    for kind, found in (("organisation", ["Given"]), ("workspace", ["Ours"])):
        ours = client.as_key(make_key(client, scopes=[f"{kind}_mcp_integrations.list"]).secret)
        assert names(ours) == found


@pytest.mark.parametrize("below", ["", "/workspaces", "/capabilities", "/metadata"])
def test_foreign_one_is_forbidden(client: Client, theirs: str, below: str) -> None:
    refused(workspace_key(client).get(f"{INTEGRATIONS}/{theirs}{below}"), 403, "AB03")


@pytest.mark.parametrize("granted", [True, False])
def test_workspace_key_does_not_reach_those_of_the_organisation(client: Client, granted: bool) -> None:
    """Cross-cutting rules, Scopes: `organisation_mcp_integrations` are for admin keys; others may list them."""
    integration = make(client)
    give(client, integration, enabled=granted)
    ours, path = workspace_key(client), f"{INTEGRATIONS}/{integration}"
    refused(ours.get(path), 403, "AB03")
    refused(ours.put(path, {"name": "Other"}), 403, "AB03")
    refused(ours.delete(path), 403, "AB03")
    refused(ours.post(f"{path}/sync", {}), 403, "AB03")
    refused(ours.put(f"{path}/workspaces", {"workspaces": [{"id": PRODUCTION, "enabled": True}]}), 403, "AB03")


def test_scope_of_one_kind_is_not_that_of_the_other(client: Client) -> None:
    ours, theirs = make(client, workspace_id=PRODUCTION), make(client)
    admin = client.as_key(make_key(client, "organisation/service", scopes=["workspace_mcp_integrations.read"]).secret)
    assert admin.get(f"{INTEGRATIONS}/{ours}").status_code == 200
    refused(admin.get(f"{INTEGRATIONS}/{theirs}"), 403, "AB03")


def test_creating_for_the_organisation_needs_its_scope(client: Client) -> None:
    admin = client.as_key(make_key(client, "organisation/service", scopes=["workspace_mcp_integrations.create"]).secret)
    refused(admin.post(INTEGRATIONS, DESK), 403, "AB03")
    assert admin.post(INTEGRATIONS, DESK | {"workspace_id": PRODUCTION}).status_code == 200


# Update and delete


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"name": "Other"}, ["name"]),
        ({"description": None}, ["description"]),
        ({"url": "https://other.example.com"}, ["url"]),
        ({"auth_type": "headers", "transport": "sse"}, ["auth_type", "transport"]),
        ({"configurations": {"forward_headers": ["x-b"]}}, ["configurations"]),
        ({"configurations": {}}, ["configurations"]),
        ({"name": "Other", "slug": "other", "type": "workspace", "workspace_id": PRODUCTION}, ["name"]),
    ],
    ids=str,
)
def test_update_changes_what_is_sent(client: Client, given: Record, changed: list[str]) -> None:
    at(client, "2026-05-03T17:08:55Z")
    integration = make(client, description="Files tickets", configurations={"forward_headers": ["x-a"], "jwt_validation": {}})
    before = show(client, integration)
    at(client, "2026-05-03T18:00:00Z")
    done(client.put(f"{INTEGRATIONS}/{integration}", given))
    after = show(client, integration)
    assert changes(before, after) == {*changed, "last_updated_at"}
    assert after["last_updated_at"] == "2026-05-03T18:00:00.000Z"
    assert all(after[name] == given[name] for name in changed)


@pytest.mark.parametrize("given", [{}, ...], ids=str)
def test_update_needs_a_field(client: Client, given: Any) -> None:
    refused(client.put(f"{INTEGRATIONS}/{make(client)}", given), 400, "AB01")


def test_update_of_unknown_fields_changes_nothing(client: Client) -> None:
    integration = make(client)
    before = show(client, integration)
    at(client, "2027-05-03T18:00:00Z")
    done(client.put(f"{INTEGRATIONS}/{integration}", {"unknown": 1}))
    assert show(client, integration) == before


@pytest.mark.parametrize("given", [None, []], ids=str)
def test_mappings_are_cleared(client: Client, given: Any) -> None:
    key = {"name": "Key", "manager_type": "aws_sm", "secret_path": "p", "auth_config": {"aws_auth_type": "serviceRole"}}
    client.post("/v1/secret-references", key)
    integration = make(client, secret_mappings=[{"target_field": "x", "secret_reference_id": "key"}])
    done(client.put(f"{INTEGRATIONS}/{integration}", {"secret_mappings": given}))
    assert show(client, integration)["secret_mappings"] is None


def test_delete_takes_servers_and_grants_along(client: Client) -> None:
    integration = make(client)
    other = make(client, name="Other")
    for each in (integration, other):
        give(client, each)
    server = servers(client)[1]["id"]
    succeeded(client.put(f"{SERVERS}/{server}/tokens", {"access_token": "at-7Qd2kXw9"}))
    done(client.delete(f"{INTEGRATIONS}/{integration}"))
    refused(client.get(f"{INTEGRATIONS}/{integration}"), 404, "AB08")
    refused(client.get(f"{SERVERS}/{server}"), 404, "AB08")
    assert [row["name"] for row in servers(client)] == ["other"]
    assert [len(client.world[name]) for name in ("mcp_integration_workspaces", "mcp_connections")] == [1, 0]


def test_deleting_a_workspace_takes_its_own_along(client: Client) -> None:
    """Source: identity-and-access, Workspaces: Delete; *chosen* for servers and grants."""
    workspace = make_workspace(client)["id"]
    given = make(client)
    give(client, given, workspace)
    own = make(client, name="Own", workspace_id=workspace)
    done(client.delete(f"/v1/admin/workspaces/{workspace}"))
    refused(client.get(f"{INTEGRATIONS}/{own}"), 404, "AB08")
    assert access(client, given) == {}
    assert len(client.world["mcp_servers"]) == 0


# Test


def test_test_tells_that_it_answers(client: Client) -> None:
    integration = make(client)
    assert client.post(f"{INTEGRATIONS}/{integration}/test").json() == {
        "success": True,
        "status_code": 200,
        "response_time_ms": 87,
        "url": DESK["url"],
        "server_name": "Ticket desk",
        "error": None,
        "message": "The MCP server answered",
        "object": "mcp-integration",
    }
    sync(client, integration, server_info={"name": "tickets"})
    assert client.post(f"{INTEGRATIONS}/{integration}/test").json()["server_name"] == "tickets"


@pytest.mark.parametrize(
    ("url", "answers"),
    [
        ("https://desk.invalid", False),
        ("https://mcp.desk.INVALID:8443/mcp?x=1", False),
        ("https://invalid.example.com/desk.invalid", True),
        ("https://desk.invalid.example.com", True),
    ],
)
def test_host_below_invalid_is_down(client: Client, url: str, answers: bool) -> None:
    """*chosen*: RFC 2606, a name that is never found. The reply is 200 all the same."""
    outcome = client.post(f"{INTEGRATIONS}/{make(client, url=url)}/test").json()
    assert (outcome["success"], outcome["status_code"]) == (answers, 200 if answers else None)
    assert (outcome["error"] is None) is answers


# Metadata and sync


def test_metadata_is_null_and_pending_at_first(client: Client) -> None:
    metadata = read(client, f"{INTEGRATIONS}/{make(client)}/metadata")
    assert set(metadata) == METADATA_FIELDS
    assert {name: value for name, value in metadata.items() if value is not None} == {
        "sync_status": "pending",
        "object": "metadata",
    }


def test_sync_keeps_what_it_is_told(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    integration = make(client)
    sync(
        client,
        integration,
        server_info={
            "name": "tickets",
            "version": "2.3.0",
            "title": "Desk",
            "description": "Tickets",
            "website_url": "https://tickets.example.com",
            "icons": [{"src": "a.png"}],
            "protocol_version": "2025-06-18",
            "capabilities": {"tools": {}},
            "instructions": "Be kind",
        },
    )
    assert read(client, f"{INTEGRATIONS}/{integration}/metadata") == {
        "server_name": "tickets",
        "server_version": "2.3.0",
        "title": "Desk",
        "description": "Tickets",
        "website_url": "https://tickets.example.com",
        "icons": [{"src": "a.png"}],
        "protocol_version": "2025-06-18",
        "capability_flags": {"tools": {}},
        "instructions": "Be kind",
        "sync_status": "synced",
        "last_synced_at": "2026-05-03T17:08:55.000Z",
        "sync_error": None,
        "object": "metadata",
    }


def test_sync_merges_what_is_said(client: Client) -> None:
    """*chosen*: what is left out stays, null takes away."""
    integration = make(client)
    sync(client, integration, server_info={"name": "tickets", "title": "Desk", "version": "2.3.0"})
    sync(client, integration, server_info={"version": "2.4.0", "title": None})
    metadata = read(client, f"{INTEGRATIONS}/{integration}/metadata")
    assert (metadata["server_name"], metadata["title"], metadata["server_version"]) == ("tickets", None, "2.4.0")


@pytest.mark.parametrize("given", [..., {}, {"server_info": None, "capabilities": None}], ids=str)
def test_bare_sync_is_a_sync(client: Client, given: Any) -> None:
    integration = make(client)
    sync(client, integration, capabilities=["file_ticket"])
    at(client, "2027-05-03T17:08:55Z")
    succeeded(client.post(f"{INTEGRATIONS}/{integration}/sync", given))
    metadata = read(client, f"{INTEGRATIONS}/{integration}/metadata")
    assert (metadata["sync_status"], metadata["last_synced_at"]) == ("synced", "2027-05-03T17:08:55.000Z")
    assert read(client, f"{INTEGRATIONS}/{integration}/capabilities")["total"] == 1


# Capabilities


def capabilities(client: Client, integration: str, **query: Any) -> dict[str, bool]:
    """What is offered, by name, and whether it is on."""
    rows = read(client, f"{INTEGRATIONS}/{integration}/capabilities", **query)["data"]
    return {row["name"]: row["enabled"] for row in rows}


@pytest.fixture
def offering(client: Client) -> str:
    """An integration that offers something of each kind."""
    at(client, "2026-05-03T17:00:00Z")
    integration = make(client)
    sync(client, integration, capabilities=OFFERS)
    return integration


def switch(client: Client, integration: str, name: str, *, enabled: bool, kind: str = "tool") -> None:
    asked = {"capabilities": [{"name": name, "type": kind, "enabled": enabled}]}
    succeeded(client.put(f"{INTEGRATIONS}/{integration}/capabilities", asked))


def test_nothing_is_offered_before_the_first_sync(client: Client) -> None:
    none = {"total": 0, "enabled": 0}
    assert read(client, f"{INTEGRATIONS}/{make(client)}/capabilities") == {
        "object": "list",
        "counts": {"tools": none, "prompts": none, "resources": none, "resource_templates": none},
        "total": 0,
        "has_more": False,
        "data": [],
    }


def test_capabilities_are_in_the_order_told(client: Client, offering: str) -> None:
    assert capabilities(client, offering) == dict.fromkeys(
        ("file_ticket", "close_ticket", "summary", "tickets", "ticket"), True
    )
    assert list(capabilities(client, offering)) == ["file_ticket", "close_ticket", "summary", "tickets", "ticket"]


def test_capability_has_all_fields(client: Client, offering: str) -> None:
    """Two spellings of a name mean the same."""
    rows = read(client, f"{INTEGRATIONS}/{offering}/capabilities")["data"]
    told = [{name: value for name, value in row.items() if value is not None} for row in rows]
    every = {
        "enabled": True,
        "created_at": "2026-05-03T17:00:00.000Z",
        "last_updated_at": "2026-05-03T17:00:00.000Z",
        "object": "mcp-capability",
    }
    assert told == [
        every
        | {"name": "file_ticket", "type": "tool", "title": "File", "input_schema": {"type": "object"}, "annotations": {"a": 1}},
        every
        | {
            "name": "close_ticket",
            "type": "tool",
            "input_schema": {"type": "object"},
            "output_schema": {},
            "execution": {"e": 1},
        },
        every | {"name": "summary", "type": "prompt", "description": "Sums up", "arguments": [{"name": "id"}]},
        every | {"name": "tickets", "type": "resource", "uri": "tickets://all", "mime_type": "text/plain", "size": 17},
        every | {"name": "ticket", "type": "resource_template", "uri_template": "tickets://{id}", "icons": [{"src": "a.png"}]},
    ]
    assert all(set(row) >= CAPABILITY_FIELDS for row in rows)


def test_name_alone_is_a_tool(client: Client) -> None:
    integration = make(client)
    sync(client, integration, capabilities=["file_ticket", {"name": "close_ticket"}])
    rows = read(client, f"{INTEGRATIONS}/{integration}/capabilities")["data"]
    assert [(row["name"], row["type"]) for row in rows] == [("file_ticket", "tool"), ("close_ticket", "tool")]


def test_offer_without_name_is_refused(client: Client) -> None:
    refused(client.post(f"{INTEGRATIONS}/{make(client)}/sync", {"capabilities": [{"type": "tool"}]}), 400, "AB01")


def test_counts_are_of_everything(client: Client, offering: str) -> None:
    switch(client, offering, "file_ticket", enabled=False)
    listed = read(client, f"{INTEGRATIONS}/{offering}/capabilities", type="prompt", page_size=1)
    assert listed["counts"] == {
        "tools": {"total": 2, "enabled": 1},
        "prompts": {"total": 1, "enabled": 1},
        "resources": {"total": 1, "enabled": 1},
        "resource_templates": {"total": 1, "enabled": 1},
    }
    assert (listed["total"], listed["has_more"]) == (1, False)


@pytest.mark.parametrize(
    ("query", "found", "more"),
    [
        ({"type": "tool"}, ["file_ticket", "close_ticket"], False),
        ({"type": "resource_template"}, ["ticket"], False),
        ({"page_size": 2}, ["file_ticket", "close_ticket"], True),
        ({"page": 1, "page_size": 2}, ["file_ticket", "close_ticket"], True),
        ({"page": 3, "page_size": 2}, ["ticket"], False),
        ({"page": 4, "page_size": 2}, [], False),
        ({"page": 2, "page_size": 1, "type": "tool"}, ["close_ticket"], False),
    ],
    ids=str,
)
def test_pages_of_capabilities_count_from_one(
    client: Client, offering: str, query: Record, found: list[str], more: bool
) -> None:
    listed = read(client, f"{INTEGRATIONS}/{offering}/capabilities", **query)
    assert ([row["name"] for row in listed["data"]], listed["has_more"]) == (found, more)


@pytest.mark.parametrize("query", [{"page": 0}, {"page_size": 501}, {"page_size": 0}, {"type": "agent"}], ids=str)
def test_wrong_page_of_capabilities_is_refused(client: Client, offering: str, query: Record) -> None:
    refused(client.get(f"{INTEGRATIONS}/{offering}/capabilities", params=query), 400, "AB01")


def test_switch_changes_what_it_names(client: Client, offering: str) -> None:
    before = read(client, f"{INTEGRATIONS}/{offering}/capabilities")["data"]
    at(client, "2026-05-03T18:00:00Z")
    switch(client, offering, "close_ticket", enabled=False)
    after = read(client, f"{INTEGRATIONS}/{offering}/capabilities")["data"]
    assert [changes(*pair) for pair in zip(before, after, strict=True)] == [
        set(), {"enabled", "last_updated_at"}, set(), set(), set(),
    ]  # fmt: skip
    assert (after[1]["enabled"], after[1]["last_updated_at"]) == (False, "2026-05-03T18:00:00.000Z")


def test_switch_is_by_name_and_type(client: Client) -> None:
    integration = make(client)
    sync(client, integration, capabilities=[{"name": "ticket", "type": "tool"}, {"name": "ticket", "type": "prompt"}])
    switch(client, integration, "ticket", kind="prompt", enabled=False)
    rows = read(client, f"{INTEGRATIONS}/{integration}/capabilities")["data"]
    assert [(row["type"], row["enabled"]) for row in rows] == [("tool", True), ("prompt", False)]


def test_unknown_switch_is_ignored(client: Client, offering: str) -> None:
    before = capabilities(client, offering)
    switch(client, offering, "unknown", enabled=False)
    switch(client, offering, "file_ticket", kind="prompt", enabled=False)
    assert capabilities(client, offering) == before


def test_switch_before_the_first_sync_is_ignored(client: Client) -> None:
    integration = make(client)
    switch(client, integration, "file_ticket", enabled=False)
    sync(client, integration, capabilities=["file_ticket"])
    assert capabilities(client, integration) == {"file_ticket": True}


@pytest.mark.parametrize(
    "wrong",
    [[], [{"name": "a", "type": "resource_template", "enabled": True}], [{"name": "a", "type": "tool"}]],
    ids=["none", "template", "no-switch"],
)
def test_wrong_switches_are_refused(client: Client, offering: str, wrong: Any) -> None:
    refused(client.put(f"{INTEGRATIONS}/{offering}/capabilities", {"capabilities": wrong}), 400, "AB01")


def test_sync_tells_all_that_is_offered(client: Client, offering: str) -> None:
    """*chosen*: what is not told is gone; what stays keeps switch and age, and takes what is new of it."""
    switch(client, offering, "close_ticket", enabled=False)
    at(client, "2026-05-03T18:00:00Z")
    sync(client, offering, capabilities=["reopen_ticket", {"name": "close_ticket", "title": "Close"}])
    rows = read(client, f"{INTEGRATIONS}/{offering}/capabilities")["data"]
    assert [(row["name"], row["enabled"], row["title"], row["created_at"]) for row in rows] == [
        ("reopen_ticket", True, None, "2026-05-03T18:00:00.000Z"),
        ("close_ticket", False, "Close", "2026-05-03T17:00:00.000Z"),
    ]


def test_sync_can_tell_that_nothing_is_offered(client: Client, offering: str) -> None:
    sync(client, offering, capabilities=[])
    assert capabilities(client, offering) == {}


# Workspaces


def test_access_is_listed_in_the_old_form(client: Client) -> None:
    at(client, "2026-05-03T17:00:00Z")
    integration = make(client)
    empty: Record = {"workspaces": [], "global_workspace_access": None, "object": "integration"}
    assert read(client, f"{INTEGRATIONS}/{integration}/workspaces") == empty
    give(client, integration)
    now = "2026-05-03T17:00:00.000Z"
    row = {"id": workspace_id(client), "enabled": True, "status": "active", "created_at": now, "last_updated_at": now}
    assert read(client, f"{INTEGRATIONS}/{integration}/workspaces") == empty | {"workspaces": [row]}


def test_access_is_listed_in_the_new_form(client: Client) -> None:
    integration = make(client)
    give(client, integration)
    rows = read(client, f"{INTEGRATIONS}/{integration}/workspaces")["workspaces"]
    listed = read(client, f"{INTEGRATIONS}/{integration}/workspaces", version=2)
    assert listed == {"data": rows, "total": 1, "global_workspace_access": None}


def test_workspace_key_sees_its_slug(client: Client) -> None:
    ours = workspace_key(client)
    integration = make(ours)
    give(client, integration, enabled=False)
    rows = read(ours, f"{INTEGRATIONS}/{integration}/workspaces")["workspaces"]
    assert [(row["id"], row["enabled"]) for row in rows] == [(PRODUCTION, False)]


@pytest.mark.parametrize("form", ["id", "slug"])
def test_access_is_given_by_id_or_slug(client: Client, form: str) -> None:
    integration = make(client)
    give(client, integration, PRODUCTION if form == "slug" else workspace_id(client))
    assert access(client, integration) == {PRODUCTION: True}


def test_access_is_merged_by_workspace(client: Client) -> None:
    at(client, "2026-05-03T17:00:00Z")
    integration = make(client)
    give(client, integration)
    give(client, integration, RESEARCH)
    at(client, "2026-05-03T18:00:00Z")
    give(client, integration, enabled=False)
    assert access(client, integration) == {PRODUCTION: False, RESEARCH: True}
    rows = read(client, f"{INTEGRATIONS}/{integration}/workspaces")["workspaces"]
    times = {row["enabled"]: (row["created_at"], row["last_updated_at"]) for row in rows}
    earlier, later = "2026-05-03T17:00:00.000Z", "2026-05-03T18:00:00.000Z"
    assert times == {True: (earlier, earlier), False: (earlier, later)}


def test_row_that_was_never_on_is_kept(client: Client) -> None:
    """Quirk 9: Terraform reads disabled rows back."""
    integration = make(client)
    give(client, integration, enabled=False)
    assert access(client, integration) == {PRODUCTION: False}
    assert servers(client) == []


def test_override_replaces_all(client: Client) -> None:
    integration = make(client)
    give(client, integration)
    give(client, integration, RESEARCH, override_existing_workspace_access=True)
    assert access(client, integration) == {RESEARCH: True}


def test_override_may_leave_none(client: Client) -> None:
    integration, path = make(client), f"{INTEGRATIONS}/ticket-desk/workspaces"
    give(client, integration)
    refused(client.put(path, {"workspaces": []}), 400, "AB01")
    assert access(client, integration) == {PRODUCTION: True}
    done(client.put(path, {"workspaces": [], "override_existing_workspace_access": True}))
    assert access(client, integration) == {}


def test_access_of_all_is_told(client: Client) -> None:
    integration, path = make(client), f"{INTEGRATIONS}/ticket-desk/workspaces"
    done(client.put(path, {"workspaces": [], "global_workspace_access": {"enabled": True}}))
    assert read(client, path)["global_workspace_access"] == {"enabled": True}
    assert show(client, integration)["global_workspace_access"] == {"enabled": True}
    give(client, integration, enabled=False)
    assert read(client, path)["global_workspace_access"] == {"enabled": True}
    done(client.put(path, {"workspaces": [], "global_workspace_access": None}))
    assert read(client, path, version=2)["global_workspace_access"] is None


def test_unknown_workspace_gets_nothing(client: Client) -> None:
    integration = make(client)
    rows = [{"id": PRODUCTION, "enabled": True}, {"id": NOBODY, "enabled": True}]
    refused(client.put(f"{INTEGRATIONS}/{integration}/workspaces", {"workspaces": rows}), 403, "AB03")
    assert access(client, integration) == {}


def test_integration_of_a_workspace_stays_there(client: Client) -> None:
    """*chosen*: "workspace-typed" would mean nothing else."""
    integration = make(client, workspace_id=PRODUCTION)
    path = f"{INTEGRATIONS}/{integration}/workspaces"
    refused(client.put(path, {"workspaces": [{"id": RESEARCH, "enabled": True}]}), 400, "AB01")
    refused(client.put(path, {"workspaces": [], "global_workspace_access": {"enabled": True}}), 400, "AB01")
    give(client, integration, enabled=False)
    assert access(client, integration) == {PRODUCTION: False}


def test_grant_makes_a_server(client: Client) -> None:
    """Observed: name and slug are the integration's slug."""
    integration = make(client, slug="desk")
    give(client, integration)
    (server,) = servers(client)
    assert (server["name"], server["slug"], server["mcp_integration_id"]) == ("desk", "desk", integration)
    assert server["description"] == "Created automatically on MCP integration access grant"
    assert servers(client, RESEARCH) == []


def test_servers_of_two_grants_have_two_slugs(client: Client) -> None:
    """*chosen*: slugs of servers are unique in the organisation, so the second gets digits behind it."""
    integration = make(client, slug="desk")
    for workspace in (PRODUCTION, RESEARCH):
        give(client, integration, workspace)
    assert [server["slug"] for server in servers(client)] == ["desk"]
    (second,) = servers(client, RESEARCH)
    assert second["name"] == "desk"
    assert re.fullmatch("desk-[0-9a-f]{6}", second["slug"])


@pytest.mark.parametrize("slug", ["d", "d" * 60])
def test_slug_of_a_server_has_its_length(client: Client, slug: str) -> None:
    give(client, make(client, slug=slug))
    (server,) = servers(client)
    assert server["name"] == slug
    assert 3 <= len(server["slug"]) <= 50


def test_second_grant_makes_no_second_server(client: Client) -> None:
    integration = make(client)
    for enabled in (True, True, False, True):
        give(client, integration, enabled=enabled)
    assert len(servers(client)) == 1


def test_grant_makes_a_deleted_server_again(client: Client) -> None:
    integration = make(client)
    give(client, integration)
    done(client.delete(f"{SERVERS}/{servers(client)[0]['id']}"))
    give(client, integration)
    assert servers(client) == []  # nothing was granted that was not
    give(client, integration, enabled=False)
    give(client, integration)
    assert len(servers(client)) == 1


def test_access_of_all_makes_no_server(client: Client) -> None:
    """*chosen*: only single grants were observed."""
    make(client)
    done(client.put(f"{INTEGRATIONS}/ticket-desk/workspaces", {"workspaces": [], "global_workspace_access": {"enabled": True}}))
    assert servers(client) == []


# As Terraform does


def test_terraform_sequence(client: Client) -> None:
    """Quirks 6 and 8: creates, reads by the id, sends name, url, auth_type and transport with each update."""
    at(client, "2026-05-03T17:00:00Z")
    given = DESK | {"slug": "desk", "description": "Files tickets", "configurations": {"custom_headers": {"x": "north-17"}}}
    integration = client.post(INTEGRATIONS, given).json()["id"]
    path = f"{INTEGRATIONS}/{integration}"
    first = read(client, path)
    told = {name: value for name, value in given.items() if name != "configurations"}
    assert {name: first[name] for name in told} == told
    assert read(client, path) == first
    at(client, "2026-05-03T17:10:00Z")
    done(client.put(path, DESK | {"url": "https://other.example.com", "description": "Files tickets"}))
    second = read(client, path)
    later = {"url": "https://other.example.com", "last_updated_at": "2026-05-03T17:10:00.000Z"}
    assert second == first | later
    at(client, "2026-05-03T17:20:00Z")
    done(client.put(path, DESK | {"url": "https://other.example.com", "description": None}))
    third = read(client, path)
    assert third == second | {"description": None, "last_updated_at": "2026-05-03T17:20:00.000Z"}
    assert names(client, workspace_id=PRODUCTION) == []
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")


def test_terraform_sequence_of_workspace_access(client: Client) -> None:
    """Quirk 9: the legacy array, literal ids, disabled rows kept; its delete switches the row off."""
    at(client, "2026-05-03T17:00:00Z")
    path, production = f"{INTEGRATIONS}/{make(client)}/workspaces", workspace_id(client)

    def row() -> Record:
        (found,) = [each for each in read(client, path)["workspaces"] if each["id"] == production]
        return dict(found)

    done(client.put(path, {"workspaces": [{"id": production, "enabled": True}]}))
    first = row()
    assert (first["enabled"], row()) == (True, first)
    at(client, "2026-05-03T17:10:00Z")
    done(client.put(path, {"workspaces": [{"id": production, "enabled": False}]}))
    assert row() == first | {"enabled": False, "last_updated_at": "2026-05-03T17:10:00.000Z"}
    at(client, "2026-05-03T17:20:00Z")
    done(client.put(path, {"workspaces": [{"id": production, "enabled": False}]}))
    assert row() == first | {"enabled": False, "last_updated_at": "2026-05-03T17:10:00.000Z"}


def test_terraform_sequence_of_capabilities(client: Client, offering: str) -> None:
    """Quirk 8: reads capabilities without paging."""
    path = f"{INTEGRATIONS}/{offering}/capabilities"
    first = read(client, path)
    assert read(client, path) == first
    asked = [{"name": "file_ticket", "type": "tool", "enabled": False}, {"name": "summary", "type": "prompt", "enabled": False}]
    succeeded(client.put(path, {"capabilities": asked}))
    assert [row["enabled"] for row in read(client, path)["data"]] == [False, True, False, True, True]
    succeeded(client.put(path, {"capabilities": [{**each, "enabled": True} for each in asked]}))
    assert read(client, path) == first
