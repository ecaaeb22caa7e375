"""Which workspace has which MCP integration, and what comes and goes with it: MCP servers and people's connections.

Source of every rule that names none: governance-mcp-observability, MCP integrations (workspaces, Delete).
"""

from __future__ import annotations

from mockserver.portkey.records import free_slug, organisation_id
from mockserver.values import Record
from mockserver.world.world import World

GRANTED = "Created automatically on MCP integration access grant"
"""What a server that a grant makes says of itself (observed)."""


def has_access(integration: Record, workspace_id: str, world: World) -> bool:
    """Whether a workspace may use an integration: as told of this workspace, else as told of all.

    *chosen*: what belongs to a workspace is for that one alone, and needs no grant.
    """
    row = world["mcp_integration_workspaces"].get(_access_id(integration, workspace_id))
    if row is not None:
        return bool(row["enabled"])
    if integration["workspace_id"] is not None:
        return bool(integration["workspace_id"] == workspace_id)
    return bool((integration["global_workspace_access"] or {}).get("enabled"))


def give(integration: Record, workspace_id: str, owner_id: str, world: World, *, enabled: bool) -> None:
    """Let a workspace use an integration, or stop it; a row that says no is kept.

    A workspace that gets access gets a server with the name and slug of the integration's slug (observed). *chosen*: only
    when it has none on this integration, and with digits behind the slug where it is taken, since slugs of servers are
    unique in the organisation; its servers stay when access is taken back, and answer no more.
    """
    rows, now = world["mcp_integration_workspaces"], world.clock.timestamp()
    key = _access_id(integration, workspace_id)
    before = rows.get(key)
    if before is None:
        row = {"mcp_integration_id": integration["id"], "workspace_id": workspace_id, "status": "active", "created_at": now}
        rows.add({"id": key, **row, "enabled": enabled, "last_updated_at": now})
    elif before["enabled"] != enabled:
        rows.replace({**before, "enabled": enabled, "last_updated_at": now})
    if enabled and (before is None or not before["enabled"]) and not _has_server(integration, workspace_id, world):
        slug = integration["slug"]
        server = {"name": slug, "slug": slug, "description": GRANTED}
        make_server(server, integration, workspace_id, owner_id, world)


def make_server(fields: Record, integration: Record, workspace_id: str, owner_id: str, world: World) -> Record:
    """Store a new MCP server and return its record; `slug` is what is wanted, if it is free."""
    now = world.clock.timestamp()
    server: Record = {
        "id": world.ids.uuid4(),
        "slug": free_slug("mcp_servers", fields["slug"], world, longest=50, shortest=3),
        "name": fields["name"],
        "description": fields.get("description"),
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
        "organisation_id": organisation_id(world),
        "owner_id": owner_id,
        "workspace_id": workspace_id,
        "mcp_integration_id": integration["id"],
        "object": "mcp-server",
        "_said": None,
        "_offers": None,
        "_switches": {},
        "_default_access": "allow",
        "_access": {},
    }
    world["mcp_servers"].add(server)
    return server


def forget_server(server: Record, world: World) -> None:
    """Remove a server and the connections to it."""
    for connection in world["mcp_connections"].newest(mcp_server_id=server["id"]):
        world["mcp_connections"].remove(connection["id"])
    world["mcp_servers"].remove(server["id"])


def forget_integration(integration: Record, world: World) -> None:
    """Remove an integration, who has it, and the servers built on it."""
    for server in world["mcp_servers"].newest(mcp_integration_id=integration["id"]):
        forget_server(server, world)
    for row in world["mcp_integration_workspaces"].newest(mcp_integration_id=integration["id"]):
        world["mcp_integration_workspaces"].remove(row["id"])
    world["mcp_integrations"].remove(integration["id"])


def forget_workspace(workspace_id: str, world: World) -> None:
    """Remove what goes with a workspace: its own integrations, its servers, its grants.

    Source: identity-and-access, Workspaces: Delete (its integrations); *chosen* for the rest: it could not be reached.
    """
    for integration in world["mcp_integrations"].newest(workspace_id=workspace_id):
        forget_integration(integration, world)
    for server in world["mcp_servers"].newest(workspace_id=workspace_id):
        forget_server(server, world)
    for row in world["mcp_integration_workspaces"].newest(workspace_id=workspace_id):
        world["mcp_integration_workspaces"].remove(row["id"])


def _has_server(integration: Record, workspace_id: str, world: World) -> bool:
    servers = world["mcp_servers"].newest(mcp_integration_id=integration["id"])
    return any(server["workspace_id"] == workspace_id for server in servers)


def _access_id(integration: Record, workspace_id: str) -> str:
    return f"{integration['id']}/{workspace_id}"
