"""MCP servers through the front door.

Source of every rule that names none: governance-mcp-observability, MCP servers.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    ADA,
    BEN,
    CHIE,
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
    read,
    refused,
    state,
    succeeded,
    user_id,
    workspace_id,
)

INTEGRATIONS = "/v1/mcp-integrations"
SERVERS = "/v1/mcp-servers"

PERSON_FIELDS = {"id", "slug", "name", "status", "description", "created_at", "mcp_integration_id", "object"}
READ_FIELDS = PERSON_FIELDS | {"workspace_id", "mcp_integration_details"}
ITEM_FIELDS = PERSON_FIELDS | {
    "organisation_id", "owner_id", "workspace_id", "workspace_name", "workspace_slug", "mcp_integration_slug",
    "mcp_integration_url", "auth_type", "url", "last_updated_at", "metadata",
}  # fmt: skip

DESK: Record = {"name": "Ticket desk", "url": "https://mcp.tickets.example.com/mcp", "auth_type": "none", "transport": "http"}
VERBS = ("create", "read", "update", "delete", "list")


def integrate(client: Client, **fields: Any) -> str:
    """Make an integration that all workspaces have; return its id."""
    reply = client.post(INTEGRATIONS, DESK | fields)
    assert reply.status_code == 200, reply.text[:500]
    integration = str(reply.json()["id"])
    everyone = {"workspaces": [], "global_workspace_access": {"enabled": True}}
    done(client.put(f"{INTEGRATIONS}/{integration}/workspaces", everyone))
    return integration


@pytest.fixture
def desk(client: Client) -> str:
    """An integration that all workspaces have."""
    return integrate(client)


def make(client: Client, integration: str, workspace: str = PRODUCTION, **fields: Any) -> str:
    """Make a server; return its id."""
    given = {"name": "Tickets", "mcp_integration_id": integration, "workspace_id": workspace}
    return str(answered(client.post(SERVERS, given | fields))["id"])


@pytest.fixture
def server(client: Client, desk: str) -> str:
    """A server of Production."""
    return make(client, desk)


def show(client: Client, id_or_slug: str, below: str = "", **query: Any) -> Record:
    return read(client, f"{SERVERS}/{id_or_slug}{below}", **query)


def names(client: Client, **query: Any) -> list[str]:
    return [row["name"] for row in read(client, SERVERS, **query)["data"]]


def close(client: Client, integration: str, workspace: str = PRODUCTION) -> None:
    """Take an integration from a workspace."""
    rows = [{"id": workspace, "enabled": False}]
    done(client.put(f"{INTEGRATIONS}/{integration}/workspaces", {"workspaces": rows}))


def service(client: Client, **fields: Any) -> Client:
    """A client with a service key of Production."""
    return client.as_key(make_key(client, **{"scopes": [f"mcp_servers.{verb}" for verb in VERBS], **fields}).secret)


def person(client: Client, email: str = DARA) -> Client:
    """A client with a person's key of Production."""
    return service(client, kind="workspace/user", user_id=user_id(client, email))


# Create and read


def test_create_tells_id_and_slug_alone(client: Client, desk: str) -> None:
    given = {"name": "Tickets", "mcp_integration_id": desk, "workspace_id": PRODUCTION, "slug": "ours"}
    made = client.post(SERVERS, given).json()
    assert made == {"id": made["id"], "slug": "ours"}
    assert uuid.UUID(made["id"]).version == 4


def test_read_shows_all_fields(client: Client, desk: str) -> None:
    at(client, "2026-05-03T17:08:55Z")
    server = make(client, desk, description="At the counter")
    assert show(client, server) == {
        "id": server,
        "slug": "tickets",
        "name": "Tickets",
        "status": "active",
        "description": "At the counter",
        "created_at": "2026-05-03T17:08:55.000Z",
        "mcp_integration_id": desk,
        "object": "mcp-server",
        "workspace_id": workspace_id(client),
        "mcp_integration_details": {
            "id": desk,
            "slug": "ticket-desk",
            "status": "active",
            "configurations": {},
            "url": "https://mcp.tickets.example.com/mcp",
            "transport": "http",
            "auth_type": "none",
        },
    }


def test_person_is_told_less(client: Client, server: str) -> None:
    """Read: workspace and integration only under service auth."""
    assert set(show(service(client), server)) == READ_FIELDS
    assert set(show(person(client), server)) == PERSON_FIELDS


@pytest.mark.parametrize("form", ["id", "slug"])
def test_every_path_takes_id_or_slug(client: Client, desk: str, form: str) -> None:
    known = show(client, make(client, desk))[form]
    path = f"{SERVERS}/{known}"
    for below in (
        "",
        "/metadata",
        "/capabilities",
        "/user-access",
        "/user-access/check",
        "/connections",
        "/tokens",
        "/client-info",
    ):
        assert client.get(path + below).status_code == 200
    done(client.put(path, {"name": "Other"}))
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")


@pytest.mark.parametrize("form", ["id", "slug"])
def test_integration_is_named_by_id_or_slug(client: Client, desk: str, form: str) -> None:
    server = make(client, desk if form == "id" else "ticket-desk")
    assert show(client, server)["mcp_integration_id"] == desk


def test_workspace_key_needs_no_workspace(client: Client, desk: str) -> None:
    """Cross-cutting rules, Auth: pinned; what the call names is ignored."""
    given = {"name": "Tickets", "mcp_integration_id": desk}
    for named in ({}, {"workspace_id": RESEARCH}):
        made = service(client).post(SERVERS, given | named).json()["id"]
        assert show(client, made)["workspace_id"] == workspace_id(client)


def test_admin_names_a_workspace(client: Client, desk: str) -> None:
    admin = client.as_key(make_key(client, "organisation/service", scopes=["mcp_servers.create"]).secret)
    said = refused(admin.post(SERVERS, {"name": "Tickets", "mcp_integration_id": desk}), 400, "AB01")
    assert said["violations"][0]["pointer"] == "/workspace_id"


def test_unknown_key_means_the_default_workspace(client: Client, desk: str) -> None:
    """*chosen*, as for providers: who tests with any key has one of a workspace with the real service."""
    made = client.post(SERVERS, {"name": "Tickets", "mcp_integration_id": desk}).json()["id"]
    assert show(client, made)["workspace_id"] == workspace_id(client, SHARED)


def test_unknown_workspace_is_forbidden(client: Client, desk: str) -> None:
    given = {"name": "Tickets", "mcp_integration_id": desk, "workspace_id": NOBODY}
    refused(client.post(SERVERS, given), 403, "AB03")


def test_unknown_integration_is_a_bad_request(client: Client) -> None:
    given = {"name": "Tickets", "mcp_integration_id": NOBODY, "workspace_id": PRODUCTION}
    assert refused(client.post(SERVERS, given), 400, "AB01")["violations"][0]["pointer"] == "/mcp_integration_id"


@pytest.mark.parametrize(
    ("owner", "rows", "everyone", "has"),
    [
        (None, {}, None, False),
        (None, {}, True, True),
        (None, {}, False, False),
        (None, {PRODUCTION: True}, None, True),
        (None, {RESEARCH: True}, None, False),
        (None, {PRODUCTION: False}, True, False),
        (None, {PRODUCTION: True}, False, True),
        (PRODUCTION, {}, None, True),
        (PRODUCTION, {PRODUCTION: False}, None, False),
        (RESEARCH, {}, None, False),
    ],
    ids=str,
)
def test_workspace_must_have_the_integration(
    client: Client, owner: str | None, rows: dict[str, bool], everyone: bool | None, has: bool
) -> None:
    """Create: enabled for the workspace, else 400. What is said of one workspace goes before what is said of all."""
    integration = client.post(INTEGRATIONS, DESK | {"workspace_id": owner}).json()["id"]
    asked: Record = {"workspaces": [{"id": slug, "enabled": enabled} for slug, enabled in rows.items()]}
    if everyone is not None:
        asked["global_workspace_access"] = {"enabled": everyone}
    if rows or everyone is not None:
        done(client.put(f"{INTEGRATIONS}/{integration}/workspaces", asked))
    given = {"name": "Tickets", "mcp_integration_id": integration, "workspace_id": PRODUCTION}
    reply = client.post(SERVERS, given)
    if has:
        assert reply.status_code == 200
    else:
        assert refused(reply, 400, "AB01")["violations"][0]["pointer"] == "/mcp_integration_id"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Tickets for Production", "tickets-for-production"),
        ("QA", "qa-[0-9a-f]{6}"),
        ("研究", "[0-9a-f]{6}"),
        ("x" * 60, "x{43}-[0-9a-f]{6}"),
    ],
    ids=["words", "short", "no-letters", "long"],
)
def test_slug_is_made_of_name(client: Client, desk: str, name: str, slug: str) -> None:
    assert re.fullmatch(slug, show(client, make(client, desk, name=name))["slug"])


def test_slugs_of_twins_differ(client: Client, desk: str) -> None:
    make(client, desk)
    assert re.fullmatch("tickets-[0-9a-f]{6}", show(client, make(client, desk, RESEARCH))["slug"])


def test_taken_slug_is_a_conflict(client: Client, desk: str) -> None:
    """Unique in the organisation, so in another workspace too."""
    make(client, desk, slug="ours")
    before = state(client)
    given = {"name": "Tickets", "mcp_integration_id": desk, "workspace_id": RESEARCH, "slug": "ours"}
    refused(client.post(SERVERS, given), 409, "AB07")
    assert state(client) == before


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 256}, {"slug": "ab"}, {"slug": "x" * 51}, {"slug": "a b"}, {"description": "x" * 501}],
    ids=str,
)
def test_wrong_body_is_refused(client: Client, desk: str, wrong: Record) -> None:
    given = {"name": "Tickets", "mcp_integration_id": desk, "workspace_id": PRODUCTION}
    refused(client.post(SERVERS, given | wrong), 400, "AB01")


BELOW = [
    ("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/metadata"), ("POST", "/metadata/sync"),
    ("GET", "/capabilities"), ("PUT", "/capabilities"), ("POST", "/capabilities/sync"), ("GET", "/user-access"),
    ("PUT", "/user-access"), ("GET", "/user-access/check"), ("GET", "/connections"), ("DELETE", "/connections"),
    ("GET", "/tokens"), ("PUT", "/tokens"), ("DELETE", "/tokens"), ("GET", "/client-info"),
]  # fmt: skip
BODIES: Record = {
    "/capabilities": {"capabilities": [{"name": "a", "type": "tool", "enabled": True}]},
    "/tokens": {"access_token": "at-7Qd2kXw9"},
    "": {"name": "Other"},
}


@pytest.mark.parametrize(("method", "below"), BELOW, ids=" ".join)
def test_unknown_one_is_missing_and_a_foreign_one_forbidden(client: Client, desk: str, method: str, below: str) -> None:
    theirs = make(client, desk, RESEARCH)
    body = BODIES.get(below, {}) if method in ("PUT", "POST") else ...
    refused(client.call(method, f"{SERVERS}/{NOBODY}{below}", body), 404, "AB08")
    ours = service(client)
    before = state(client)
    refused(ours.call(method, f"{SERVERS}/{theirs}{below}", body), 403, "AB03")
    assert state(client) == before


# List


def test_row_has_more_than_a_read(client: Client, desk: str, server: str) -> None:
    listed = read(client, SERVERS, workspace_id=PRODUCTION)
    assert {name: value for name, value in listed.items() if name != "data"} == {"object": "list", "total": 1}
    row, single = listed["data"][0], show(client, server)
    assert set(row) == ITEM_FIELDS
    assert all(row[name] == single[name] for name in PERSON_FIELDS)
    assert {name: row[name] for name in ITEM_FIELDS - PERSON_FIELDS} == {
        "organisation_id": read(client, f"/v1/admin/workspaces/{PRODUCTION}")["organisation_id"],
        "owner_id": user_id(client, ADA),
        "workspace_id": workspace_id(client),
        "workspace_name": "Production",
        "workspace_slug": PRODUCTION,
        "mcp_integration_slug": "ticket-desk",
        "mcp_integration_url": DESK["url"],
        "auth_type": "none",
        "url": "https://mcp.portkey.ai/tickets/mcp",
        "last_updated_at": row["created_at"],
        "metadata": {
            "title": None,
            "description": None,
            "icons": None,
            "server_name": None,
            "server_version": None,
            "protocol_version": None,
            "sync_status": "pending",
            "last_synced_at": None,
        },
    }


def test_person_owns_what_their_key_makes(client: Client, desk: str) -> None:
    make(person(client), desk)
    assert read(client, SERVERS, workspace_id=PRODUCTION)["data"][0]["owner_id"] == user_id(client, DARA)


def test_admin_without_workspace_gets_no_list(client: Client) -> None:
    """Cross-cutting rules: observed, 404 and AB02 rather than 400."""
    refused(client.get(SERVERS), 404, "AB02")


def test_workspace_key_lists_its_own(client: Client, desk: str) -> None:
    make(client, desk, name="Ours")
    make(client, desk, RESEARCH, name="Theirs")
    ours = service(client)
    assert names(ours) == names(ours, workspace_id=RESEARCH) == ["Ours"]


def test_list_of_unknown_workspace_is_forbidden(client: Client) -> None:
    refused(client.get(SERVERS, params={"workspace_id": NOBODY}), 403, "AB03")


def test_list_is_newest_first_and_paged(client: Client, desk: str) -> None:
    for second in range(5):
        at(client, f"2026-05-03T17:08:5{second}Z")
        make(client, desk, name=f"Tickets {second}")
    query: Record = {"workspace_id": workspace_id(client)}
    assert names(client, **query) == [f"Tickets {second}" for second in (4, 3, 2, 1, 0)]
    listed = read(client, SERVERS, page_size=2, current_page=1, **query)
    assert ([row["name"] for row in listed["data"]], listed["total"]) == (["Tickets 2", "Tickets 1"], 5)
    assert names(client, page_size=2, current_page=3, **query) == []
    refused(client.get(SERVERS, params={**query, "page_size": 101}), 400, "AB01")


def test_list_is_filtered_by_name_and_id(client: Client, desk: str) -> None:
    ids = [make(client, desk, name=name) for name in ("Tickets", "Mail", "Mail 2")]
    query: Record = {"workspace_id": PRODUCTION}
    assert names(client, search="mail", **query) == ["Mail 2", "Mail"]
    assert names(client, id=f"{ids[0]}, {ids[2]},{NOBODY}", **query) == ["Mail 2", "Tickets"]
    assert names(client, id=ids[0], search="mail", **query) == []
    assert names(client, id="mail-2", **query) == ["Mail 2"]


# Update and delete


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"name": "Other"}, ["name"]),
        ({"description": "Other"}, ["description"]),
        ({"description": None}, ["description"]),
        ({"name": "Other", "slug": "other", "mcp_integration_id": NOBODY, "workspace_id": RESEARCH}, ["name"]),
    ],
    ids=str,
)
def test_update_changes_what_is_sent(client: Client, desk: str, given: Record, changed: list[str]) -> None:
    at(client, "2026-05-03T17:08:55Z")
    server = make(client, desk, description="At the counter")
    before = show(client, server)
    at(client, "2026-05-03T18:00:00Z")
    done(client.put(f"{SERVERS}/{server}", given))
    after = show(client, server)
    assert changes(before, after) == set(changed)
    assert all(after[name] == given[name] for name in changed)
    (row,) = read(client, SERVERS, workspace_id=PRODUCTION)["data"]
    assert row["last_updated_at"] == "2026-05-03T18:00:00.000Z"


@pytest.mark.parametrize("given", [{}, ..., {"name": ""}, {"name": None}], ids=str)
def test_wrong_update_is_refused(client: Client, server: str, given: Any) -> None:
    refused(client.put(f"{SERVERS}/{server}", given), 400, "AB01")


def test_delete_leaves_the_integration(client: Client, desk: str, server: str) -> None:
    succeeded(client.put(f"{SERVERS}/{server}/tokens", {"access_token": "at-7Qd2kXw9"}))
    done(client.delete(f"{SERVERS}/{server}"))
    refused(client.get(f"{SERVERS}/{server}"), 404, "AB08")
    assert read(client, f"{INTEGRATIONS}/{desk}")["id"] == desk
    assert len(client.world["mcp_connections"]) == 0


# Test


def tried(client: Client, server: str) -> tuple[bool, int | None]:
    reply = client.post(f"{SERVERS}/{server}/test")
    assert reply.status_code == 200
    outcome = reply.json()
    assert (outcome["error"] is None) is outcome["success"]
    return outcome["success"], outcome["status_code"]


def test_test_tells_that_it_answers(client: Client, server: str) -> None:
    assert client.post(f"{SERVERS}/{server}/test").json() == {
        "success": True,
        "status_code": 200,
        "response_time_ms": 87,
        "url": DESK["url"],
        "server_name": "Tickets",
        "error": None,
        "message": "The MCP server answered",
        "object": "mcp-server",
    }


def test_test_is_200_when_the_server_is_down(client: Client) -> None:
    server = make(client, integrate(client, url="https://desk.invalid/mcp"))
    outcome = client.post(f"{SERVERS}/{server}/test")
    assert outcome.status_code == 200
    assert [outcome.json()[name] for name in ("success", "status_code", "response_time_ms")] == [False, None, None]
    assert outcome.json()["error"] == outcome.json()["message"] == "The host of the MCP server was not found"


def test_test_fails_without_access(client: Client, desk: str, server: str) -> None:
    """*chosen*: servers stay when access is taken back, and answer no more."""
    close(client, desk)
    assert tried(client, server) == (False, 403)


def test_test_fails_without_tokens(client: Client) -> None:
    """*chosen*: with `oauth_auto` it takes a connection."""
    server = make(client, integrate(client, auth_type="oauth_auto"))
    dara = person(client)
    assert tried(dara, server) == (False, 401)
    succeeded(dara.put(f"{SERVERS}/{server}/tokens", {"access_token": "at-7Qd2kXw9"}))
    assert tried(dara, server) == (True, 200)
    assert tried(person(client, BEN), server) == (False, 401)


# Metadata


def test_metadata_is_that_of_the_integration(client: Client, desk: str, server: str) -> None:
    """*chosen*: until the server is told something of its own."""
    assert show(client, server, "/metadata")["sync_status"] == "pending"
    info = {"name": "tickets", "title": "Desk", "version": "2.3.0"}
    succeeded(client.post(f"{INTEGRATIONS}/{desk}/sync", {"server_info": info}))
    metadata = show(client, server, "/metadata")
    assert metadata == read(client, f"{INTEGRATIONS}/{desk}/metadata")
    assert metadata["server_name"] == "tickets"
    assert read(client, SERVERS, workspace_id=PRODUCTION)["data"][0]["metadata"]["server_name"] == "tickets"


def test_server_has_metadata_of_its_own(client: Client, desk: str, server: str) -> None:
    at(client, "2026-05-03T17:08:55Z")
    succeeded(client.post(f"{INTEGRATIONS}/{desk}/sync", {"server_info": {"name": "tickets", "title": "Desk"}}))
    told: Record = {
        "server_name": "our-tickets",
        "server_version": "2.3.0",
        "protocol_version": "2025-06-18",
        "website_url": "https://tickets.example.com",
        "icons": {"small": "a.png"},
        "capability_flags": {"tools": {}},
        "instructions": "Be kind",
        "description": None,
    }
    succeeded(client.post(f"{SERVERS}/{server}/metadata/sync", told))
    assert show(client, server, "/metadata") == told | {
        "title": "Desk",
        "sync_status": "synced",
        "last_synced_at": "2026-05-03T17:08:55.000Z",
        "sync_error": None,
        "object": "metadata",
    }
    assert read(client, f"{INTEGRATIONS}/{desk}/metadata")["server_name"] == "tickets"
    succeeded(client.post(f"{INTEGRATIONS}/{desk}/sync", {"server_info": {"name": "tickets-2"}}))
    assert show(client, server, "/metadata")["server_name"] == "our-tickets"


@pytest.mark.parametrize("given", [..., {}], ids=str)
def test_bare_sync_of_metadata_is_a_sync(client: Client, server: str, given: Any) -> None:
    succeeded(client.post(f"{SERVERS}/{server}/metadata/sync", given))
    assert show(client, server, "/metadata")["sync_status"] == "synced"


# Capabilities


@pytest.fixture
def offering(client: Client, desk: str, server: str) -> str:
    """A server whose integration offers two tools and a prompt, one tool switched off."""
    offers = ["file_ticket", "close_ticket", {"name": "summary", "type": "prompt"}]
    succeeded(client.post(f"{INTEGRATIONS}/{desk}/sync", {"capabilities": offers}))
    asked = [{"name": "close_ticket", "type": "tool", "enabled": False}]
    succeeded(client.put(f"{INTEGRATIONS}/{desk}/capabilities", {"capabilities": asked}))
    return server


def capabilities(client: Client, server: str, **query: Any) -> dict[str, tuple[bool, bool | None]]:
    """What is offered by name, whether it is on here, and whether the integration has it on."""
    rows = show(client, server, "/capabilities", **query)["data"]
    return {row["name"]: (row["enabled"], row["integration_enabled"]) for row in rows}


def switch(client: Client, server: str, name: str, *, enabled: bool) -> None:
    asked = [{"name": name, "type": "tool", "enabled": enabled}]
    succeeded(client.put(f"{SERVERS}/{server}/capabilities", {"capabilities": asked}))


def test_capabilities_are_those_of_the_integration(client: Client, offering: str) -> None:
    assert capabilities(client, offering) == {
        "file_ticket": (True, True),
        "close_ticket": (False, False),
        "summary": (True, True),
    }


def test_capability_has_all_fields(client: Client, offering: str) -> None:
    (row,) = show(client, offering, "/capabilities", type="prompt")["data"]
    assert {name: value for name, value in row.items() if value is not None} == {
        "name": "summary",
        "type": "prompt",
        "enabled": True,
        "integration_enabled": True,
        "object": "mcp-capability",
    }
    assert row.keys() >= {"title", "description", "icons", "input_schema", "output_schema", "execution", "annotations"}


@pytest.mark.parametrize(
    ("name", "enabled", "wanted"),
    [
        ("file_ticket", False, (False, True)),
        ("file_ticket", True, (True, True)),
        ("close_ticket", True, (False, False)),
        ("close_ticket", False, (False, False)),
    ],
)
def test_both_switches_must_be_on(client: Client, offering: str, name: str, enabled: bool, wanted: tuple[bool, bool]) -> None:
    """Capabilities: effective `enabled` is the integration's flag and the server's override."""
    before = capabilities(client, offering)
    switch(client, offering, name, enabled=enabled)
    assert capabilities(client, offering) == before | {name: wanted}


def test_switch_of_a_server_is_its_own(client: Client, desk: str, offering: str) -> None:
    other = make(client, desk, RESEARCH)
    switch(client, offering, "file_ticket", enabled=False)
    assert capabilities(client, other)["file_ticket"] == (True, True)
    rows = read(client, f"{INTEGRATIONS}/{desk}/capabilities")["data"]
    assert [row["enabled"] for row in rows] == [True, False, True]


def test_switch_outlives_that_of_the_integration(client: Client, desk: str, offering: str) -> None:
    switch(client, offering, "file_ticket", enabled=False)
    for enabled in (False, True):
        asked = [{"name": "file_ticket", "type": "tool", "enabled": enabled}]
        succeeded(client.put(f"{INTEGRATIONS}/{desk}/capabilities", {"capabilities": asked}))
        assert capabilities(client, offering)["file_ticket"] == (False, enabled)


def test_unknown_switch_is_ignored(client: Client, offering: str) -> None:
    switch(client, offering, "later", enabled=False)
    succeeded(client.post(f"{SERVERS}/{offering}/capabilities/sync", {"capabilities": [{"name": "later"}]}))
    assert capabilities(client, offering) == {"later": (True, None)}


def test_server_has_capabilities_of_its_own(client: Client, desk: str, offering: str) -> None:
    """*chosen*: what the integration does not know is on, with null for the integration's flag."""
    offers = [{"name": "close_ticket", "type": "tool", "schema": {"type": "object"}}, {"name": "merge", "type": "tool"}]
    succeeded(client.post(f"{SERVERS}/{offering}/capabilities/sync", {"capabilities": offers}))
    assert capabilities(client, offering) == {"close_ticket": (False, False), "merge": (True, None)}
    assert show(client, offering, "/capabilities")["data"][0]["input_schema"] == {"type": "object"}
    assert read(client, f"{INTEGRATIONS}/{desk}/capabilities")["total"] == 3
    switch(client, offering, "merge", enabled=False)
    assert capabilities(client, offering)["merge"] == (False, None)


@pytest.mark.parametrize("given", [..., {}, {"capabilities": None}], ids=str)
def test_bare_sync_of_capabilities_changes_nothing(client: Client, offering: str, given: Any) -> None:
    before = show(client, offering, "/capabilities")
    succeeded(client.post(f"{SERVERS}/{offering}/capabilities/sync", given))
    assert show(client, offering, "/capabilities") == before
    assert show(client, offering, "/metadata")["server_name"] is None


def test_counts_are_of_what_is_on_here(client: Client, offering: str) -> None:
    switch(client, offering, "file_ticket", enabled=False)
    listed = show(client, offering, "/capabilities", page=2, page_size=2)
    assert listed["counts"] == {
        "tools": {"total": 2, "enabled": 0},
        "prompts": {"total": 1, "enabled": 1},
        "resources": {"total": 0, "enabled": 0},
        "resource_templates": {"total": 0, "enabled": 0},
    }
    assert ([row["name"] for row in listed["data"]], listed["total"], listed["has_more"]) == (["summary"], 3, False)


def test_no_switch_is_refused(client: Client, offering: str) -> None:
    refused(client.put(f"{SERVERS}/{offering}/capabilities", {"capabilities": []}), 400, "AB01")


# User access


def may(client: Client, server: str) -> dict[str, tuple[bool, bool]]:
    """Who may use a server, by first name, and whether that was said of them."""
    rows = show(client, server, "/user-access")["data"]
    return {row["first_name"]: (row["enabled"], row["has_override"]) for row in rows}


def let(client: Client, server: str, **fields: Any) -> None:
    succeeded(client.put(f"{SERVERS}/{server}/user-access", fields))


def test_members_may_use_a_server(client: Client, server: str) -> None:
    listed = show(client, server, "/user-access")
    assert {name: value for name, value in listed.items() if name != "data"} == {
        "object": "list",
        "default_user_access": "allow",
        "total": 3,
        "has_more": False,
    }
    assert listed["data"][0] == {
        "user_id": user_id(client, DARA),
        "first_name": "Dara",
        "last_name": "Moreau",
        "enabled": True,
        "has_override": False,
        "connection_status": "not_connected",
        "object": "user-acces",
    }
    assert [row["first_name"] for row in listed["data"]] == ["Dara", "Ben", "Ada"]


def test_who_has_no_override_follows_the_default(client: Client, server: str) -> None:
    let(client, server, user_access=[{"user_id": user_id(client, BEN), "enabled": True}], default_user_access="deny")
    assert show(client, server, "/user-access")["default_user_access"] == "deny"
    assert may(client, server) == {"Dara": (False, False), "Ben": (True, True), "Ada": (False, False)}
    let(client, server, default_user_access="allow")
    assert may(client, server) == {"Dara": (True, False), "Ben": (True, True), "Ada": (True, False)}


def test_overrides_are_merged(client: Client, server: str) -> None:
    let(client, server, user_access=[{"user_id": user_id(client, BEN), "enabled": False}])
    let(client, server, user_access=[{"id": user_id(client, DARA), "enabled": False}])
    assert may(client, server) == {"Dara": (False, True), "Ben": (False, True), "Ada": (True, False)}
    let(client, server, user_access=[{"user_id": user_id(client, BEN), "enabled": True}])
    assert may(client, server)["Ben"] == (True, True)


@pytest.mark.parametrize("given", [..., {}, {"user_access": None, "default_user_access": None}, {"user_access": []}], ids=str)
def test_nothing_said_changes_nothing(client: Client, server: str, given: Any) -> None:
    let(client, server, default_user_access="deny")
    before = show(client, server, "/user-access")
    succeeded(client.put(f"{SERVERS}/{server}/user-access", given))
    assert show(client, server, "/user-access") == before


@pytest.mark.parametrize("stranger", [NOBODY, CHIE], ids=["nobody", "of-research"])
def test_stranger_is_a_bad_request(client: Client, server: str, stranger: str) -> None:
    """*chosen*: a list would not show who is no member."""
    named = stranger if stranger == NOBODY else user_id(client, stranger)
    rows = [{"user_id": user_id(client, BEN), "enabled": False}, {"user_id": named, "enabled": True}]
    said = refused(client.put(f"{SERVERS}/{server}/user-access", {"user_access": rows}), 400, "AB01")
    assert said["violations"][0]["pointer"] == "/user_access/1/user_id"
    assert may(client, server)["Ben"] == (True, False)


@pytest.mark.parametrize("wrong", [{"default_user_access": "maybe"}, {"user_access": [{"enabled": True}]}], ids=str)
def test_wrong_access_is_refused(client: Client, server: str, wrong: Record) -> None:
    refused(client.put(f"{SERVERS}/{server}/user-access", wrong), 400, "AB01")


@pytest.mark.parametrize(
    ("query", "found", "total", "more"),
    [
        ({"page_size": 2}, ["Dara", "Ben"], 3, True),
        ({"page_size": 2, "page": 2}, ["Ada"], 3, False),
        ({"page_size": 2, "page": 3}, [], 3, False),
        ({"search": "A L"}, [], 0, False),
        ({"search": "ben l"}, ["Ben"], 1, False),
        ({"search": "MOREAU"}, ["Dara"], 1, False),
    ],
    ids=str,
)
def test_people_are_paged_and_searched(
    client: Client, server: str, query: Record, found: list[str], total: int, more: bool
) -> None:
    listed = show(client, server, "/user-access", **query)
    assert [row["first_name"] for row in listed["data"]] == found
    assert (listed["total"], listed["has_more"]) == (total, more)


def test_check_is_about_the_caller(client: Client, desk: str, server: str) -> None:
    let(client, server, user_access=[{"user_id": user_id(client, BEN), "enabled": False}])
    dara, ben, app = person(client), person(client, BEN), service(client)
    answers = [show(each, server, "/user-access/check") for each in (dara, ben, app, client)]
    assert answers == [{"has_access": has, "object": "user-access"} for has in (True, False, True, True)]
    close(client, desk)
    assert show(dara, server, "/user-access/check")["has_access"] is False


# Connections and tokens


@pytest.fixture
def connected(client: Client, server: str) -> str:
    """A server to which Ben, then Dara are connected."""
    for second, email in enumerate((BEN, DARA)):
        at(client, f"2026-05-03T17:00:0{second}Z")
        tokens = {"access_token": f"at-of-{email}", "refresh_token": f"rt-of-{email}"}
        succeeded(person(client, email).put(f"{SERVERS}/{server}/tokens", tokens))
    return server


def people(client: Client, server: str, **query: Any) -> list[str]:
    """The first names of who is listed among the connections."""
    rows = show(client, server, "/connections", **query)["data"]
    return [client.world["users"].get(row["user_id"])["first_name"] for row in rows]


def test_nobody_is_connected_at_first(client: Client, server: str) -> None:
    assert show(client, server, "/connections") == {"data": [], "total": 0, "has_more": False}


def test_tokens_connect(client: Client, connected: str) -> None:
    """*chosen*: how people connect is not in the API; tokens are what a connection is made of."""
    listed = show(client, connected, "/connections", user_id=user_id(client, DARA))
    now = "2026-05-03T17:00:01.000Z"
    row = {"user_id": user_id(client, DARA), "connected": True, "created_at": now, "last_updated_at": now}
    assert listed == {"data": [row], "total": 1, "has_more": False}
    rows = show(client, connected, "/user-access")["data"]
    assert {row["first_name"]: row["connection_status"] for row in rows} == {
        "Dara": "connected",
        "Ben": "connected",
        "Ada": "not_connected",
    }


def test_service_keys_see_all_and_people_themselves(client: Client, connected: str) -> None:
    assert people(client, connected) == people(service(client), connected) == ["Dara", "Ben"]
    assert people(person(client), connected) == ["Dara"]
    assert people(person(client), connected, user_id=user_id(client, DARA)) == ["Dara"]
    refused(person(client).get(f"{SERVERS}/{connected}/connections", params={"user_id": user_id(client, BEN)}), 403, "AB03")


def test_connections_are_paged_from_zero(client: Client, connected: str) -> None:
    listed = show(client, connected, "/connections", page_size=1)
    assert (len(listed["data"]), listed["total"], listed["has_more"]) == (1, 2, True)
    assert people(client, connected, page_size=1, current_page=1) == ["Ben"]
    assert show(client, connected, "/connections", page_size=1, current_page=1)["has_more"] is False
    refused(client.get(f"{SERVERS}/{connected}/connections", params={"page_size": 501}), 400, "AB01")


def test_connections_are_of_the_server_and_its_workspace(client: Client, desk: str, connected: str) -> None:
    assert people(client, make(client, desk)) == []
    assert people(client, connected, workspace_id=PRODUCTION) == ["Dara", "Ben"]
    assert people(service(client), connected, workspace_id=RESEARCH) == ["Dara", "Ben"]
    refused(client.get(f"{SERVERS}/{connected}/connections", params={"workspace_id": RESEARCH}), 404, "AB08")


def test_service_key_says_whom_to_disconnect(client: Client, connected: str) -> None:
    path = f"{SERVERS}/{connected}/connections"
    for each in (client, service(client)):
        assert refused(each.delete(path), 400, "AB01")["violations"][0]["pointer"] == "/user_id"
    succeeded(client.delete(path, params={"user_id": user_id(client, BEN)}))
    assert people(client, connected) == ["Dara"]
    succeeded(client.delete(path, params={"user_id": user_id(client, BEN)}))
    refused(client.delete(path, params={"user_id": "ben"}), 400, "AB01")


def test_person_disconnects_themselves(client: Client, connected: str) -> None:
    path, dara = f"{SERVERS}/{connected}/connections", person(client)
    refused(dara.delete(path, params={"user_id": user_id(client, BEN)}), 403, "AB03")
    succeeded(dara.delete(path))
    assert people(client, connected) == ["Ben"]
    assert show(dara, connected, "/tokens")["access_token"] is None


def test_tokens_are_the_callers_and_masked(client: Client, connected: str) -> None:
    assert show(person(client), connected, "/tokens") == {
        "access_token": "at*****com",
        "refresh_token": "rt*****com",
        "expires_at": None,
        "object": "mcp-server-tokens",
    }
    assert show(client, connected, "/tokens") == {
        "access_token": None,
        "refresh_token": None,
        "expires_at": None,
        "object": "mcp-server-tokens",
    }


def test_world_and_journal_keep_no_token(client: Client, connected: str) -> None:
    told = client.get("/__admin/requests").text + client.get("/__admin/records/mcp_connections").text
    assert "at*****com" in told
    assert "at-of-" not in told
    assert "rt-of-" not in told


@pytest.mark.parametrize(
    ("more", "refresh"),
    [({}, "rt*****com"), ({"refresh_token": None}, None), ({"refresh_token": "another-9"}, "an*****r-9")],
    ids=str,
)
def test_new_tokens_take_the_place_of_old(client: Client, connected: str, more: Record, refresh: str | None) -> None:
    """A refresh token that is left out goes on (RFC 6749, 6)."""
    at(client, "2026-05-03T18:00:00Z")
    dara = person(client)
    succeeded(dara.put(f"{SERVERS}/{connected}/tokens", {"access_token": "new-token-1", **more}))
    tokens = show(dara, connected, "/tokens")
    assert (tokens["access_token"], tokens["refresh_token"]) == ("ne*****n-1", refresh)
    (row,) = show(dara, connected, "/connections")["data"]
    assert (row["created_at"], row["last_updated_at"]) == ("2026-05-03T17:00:01.000Z", "2026-05-03T18:00:00.000Z")


def test_deleted_tokens_leave_a_connection_that_does_not_hold(client: Client, connected: str) -> None:
    dara = person(client)
    at(client, "2026-05-03T18:00:00Z")
    succeeded(dara.delete(f"{SERVERS}/{connected}/tokens"))
    assert show(dara, connected, "/tokens")["access_token"] is None
    (row,) = show(dara, connected, "/connections")["data"]
    assert (row["connected"], row["last_updated_at"]) == (False, "2026-05-03T18:00:00.000Z")
    assert show(client, connected, "/user-access")["data"][0]["connection_status"] == "not_connected"
    succeeded(dara.put(f"{SERVERS}/{connected}/tokens", {"access_token": "new-token-1"}))
    assert show(dara, connected, "/tokens")["refresh_token"] is None
    assert show(dara, connected, "/connections")["data"][0]["connected"] is True


def test_deleting_no_tokens_is_done(client: Client, server: str) -> None:
    succeeded(client.delete(f"{SERVERS}/{server}/tokens"))
    assert people(client, server) == []


def test_key_of_no_person_stands_for_the_owner(client: Client, server: str) -> None:
    """*chosen*: as in all that has an author."""
    succeeded(service(client).put(f"{SERVERS}/{server}/tokens", {"access_token": "at-7Qd2kXw9"}))
    assert people(client, server) == ["Ada"]
    assert show(client, server, "/tokens")["access_token"] == "at*****Xw9"


@pytest.mark.parametrize("given", [{}, {"access_token": ""}, {"refresh_token": "rt"}, ...], ids=str)
def test_access_token_is_required(client: Client, server: str, given: Any) -> None:
    refused(client.put(f"{SERVERS}/{server}/tokens", given), 400, "AB01")


@pytest.mark.parametrize(
    ("configurations", "client_id", "client_secret"),
    [
        ({}, None, None),
        ({"oauth_metadata": None}, None, None),
        ({"oauth_metadata": {"client_id": "gateway-5512"}}, "gateway-5512", None),
        ({"oauth_metadata": {"client_id": 5512}}, None, None),
        ({"external_auth_config": {"client_id": "desk", "client_secret": "9f31-secret-c41"}}, "desk", "9f*****c41"),
    ],
    ids=str,
)
def test_client_info_is_what_the_configurations_say(
    client: Client, configurations: Record, client_id: str | None, client_secret: str | None
) -> None:
    server = make(client, integrate(client, auth_type="oauth_client_credentials", configurations=configurations))
    info = show(client, server, "/client-info")
    assert info == {"client_id": client_id, "client_secret": client_secret, "object": "mcp-server-client-info"}


# As clients do


def test_sequence_of_a_resource(client: Client, desk: str) -> None:
    """As Terraform would, had it this resource: each read is compared in every field."""
    at(client, "2026-05-03T17:00:00Z")
    given = {"name": "Tickets", "mcp_integration_id": desk, "workspace_id": PRODUCTION, "description": "At the counter"}
    path = f"{SERVERS}/{client.post(SERVERS, given).json()['id']}"
    first = read(client, path)
    assert read(client, path) == first
    at(client, "2026-05-03T17:10:00Z")
    done(client.put(path, {"name": "Other", "description": "At the counter"}))
    assert read(client, path) == first | {"name": "Other"}
    done(client.put(path, {"description": None}))
    assert read(client, path) == first | {"name": "Other", "description": None}
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")
    assert names(client, workspace_id=PRODUCTION) == []


def test_same_calls_give_the_same_world(client: Client, strict: Client) -> None:
    """The worlds of two servers, whatever their names."""
    told = []
    for each in (client, strict):
        at(each, "2026-05-03T17:00:00Z")
        server = make(each, integrate(each))
        succeeded(each.put(f"{SERVERS}/{server}/tokens", {"access_token": "at-7Qd2kXw9"}))
        told.append([each.get(f"{SERVERS}/{server}{below}").content for below in ("", "/connections", "/user-access")])
    assert told[0] == told[1]
