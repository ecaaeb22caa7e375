"""MCP servers: MCP integrations as a workspace has them, who of its people may use them, and who is connected.

Source of every rule that names none: governance-mcp-observability, MCP servers.
"""

from __future__ import annotations

from mockserver.contract.problems import CONFLICT, NOT_FOUND, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import mcp_access, mcp_offers
from mockserver.portkey.records import (
    existing,
    find_member,
    forbidden,
    listed,
    mask,
    named,
    not_found,
    owner_id,
    page,
    page_of,
    shown,
    stem,
    workspace_pinned,
    workspace_required,
)
from mockserver.values import JSON, Record
from mockserver.world.world import World

_READ = ("id", "slug", "name", "status", "description", "created_at", "mcp_integration_id", "object")
_DETAILS = ("id", "slug", "status", "configurations", "url", "transport", "auth_type")
_CHANGEABLE = ("name", "description")


def mcp_servers_create(request: Request, world: World) -> Reply:
    """Build a server on an integration that the workspace has.

    Fails: `invalid-request` without a workspace, for an integration that is not there or that the workspace has not;
    `conflict` for a slug that is taken.
    """
    fields = request.fields
    workspace = workspace_pinned(request, world) or workspace_required(request, world, "an MCP server")
    integration = named(world, "mcp_integrations", fields["mcp_integration_id"])
    if integration is None or not mcp_access.has_access(integration, workspace["id"], world):
        raise invalid("body", "/mcp_integration_id", "is no MCP integration that the workspace has")
    slug = fields.get("slug")
    if slug is not None and world["mcp_servers"].find("slug", slug) is not None:
        raise Problem(CONFLICT, f"An MCP server with the slug {slug} exists")
    wanted = {**fields, "slug": slug or stem(fields["name"])}
    server = mcp_access.make_server(wanted, integration, workspace["id"], request.caller.user_id or owner_id(world), world)
    return Reply(200, {"id": server["id"], "slug": server["slug"]})


def mcp_servers_list(request: Request, world: World) -> Reply:
    """Show a page of a workspace's servers, newest first.

    Fails: 404 with the code AB02 when the call names no workspace (Cross-cutting rules, observed).
    *chosen*: `search` looks into names in any case; `id` takes slugs too.
    """
    workspace, query = workspace_pinned(request, world), request.query
    if workspace is None:
        raise Problem(NOT_FOUND, "workspace_id is needed: the caller's key belongs to no workspace", code="AB02")
    wanted = {piece.strip() for piece in query["id"].split(",")} if "id" in query else None
    search = query.get("search", "").lower()

    def fits(server: Record) -> bool:
        return search in server["name"].lower() and (wanted is None or not wanted.isdisjoint((server["id"], server["slug"])))

    narrowed = wanted is not None or search
    rows, total = page(world, "mcp_servers", query, fits if narrowed else None, workspace_id=workspace["id"])
    return listed([_item(row, workspace, world) for row in rows], total)


def mcp_servers_retrieve(request: Request, world: World) -> Reply:
    """Show a server; its workspace and its integration only to keys of no person."""
    server, integration = _find(request, world)
    told = {name: server[name] for name in _READ}
    if request.caller.user_id is None:
        told["workspace_id"] = server["workspace_id"]
        told["mcp_integration_details"] = {name: integration[name] for name in _DETAILS}
    return Reply(200, told)


def mcp_servers_update(request: Request, world: World) -> Reply:
    """Change name and description, as far as they are sent."""
    server, _ = _find(request, world)
    changes = {name: request.fields[name] for name in _CHANGEABLE if name in request.fields}
    if changes:
        _replace(server, world, **changes)
    return Reply(200, {})


def mcp_servers_delete(request: Request, world: World) -> Reply:
    """Forget a server and the connections to it."""
    mcp_access.forget_server(_find(request, world)[0], world)
    return Reply(200, {})


def mcp_servers_test(request: Request, world: World) -> Reply:
    """Tell whether the server answers.

    *chosen*: not where the integration was taken from the workspace, and with `oauth_auto` not to a caller without tokens.
    """
    server, integration = _find(request, world)
    refusal = None
    if not mcp_access.has_access(integration, server["workspace_id"], world):
        refusal = 403, "The workspace has no access to the MCP integration"
    elif integration["auth_type"] == "oauth_auto" and not _is_connected(server, _person(request, world), world):
        refusal = 401, "The MCP server asks for authorization, and there are no tokens for it"
    return mcp_offers.tried(integration, server["name"], "mcp-server", refusal)


def get_mcp_server_metadata(request: Request, world: World) -> Reply:
    """Show what the server says about itself, or else what its integration was told."""
    return Reply(200, mcp_offers.metadata(_said(*_find(request, world))))


def sync_mcp_server_metadata(request: Request, world: World) -> Reply:
    """Keep what the server says about itself."""
    server, integration = _find(request, world)
    _replace(server, world, _said=mcp_offers.said_now(_said(server, integration), request.fields, world))
    return Reply(200, {"success": True})


def mcp_server_capabilities_list(request: Request, world: World) -> Reply:
    """Show a page of tools, prompts and resources, each with whether it is on here and whether the integration has it on."""
    return mcp_offers.listed_capabilities(mcp_offers.server_capabilities(*_find(request, world)), request.query)


def mcp_server_capabilities_bulk_update(request: Request, world: World) -> Reply:
    """Switch capabilities on or off for this server; the others stay, unknown ones are ignored."""
    server, integration = _find(request, world)
    _replace(server, world, _switches=mcp_offers.switches_now(server, integration, request.fields["capabilities"]))
    return Reply(200, {"success": True})


def sync_mcp_server_capabilities(request: Request, world: World) -> Reply:
    """Keep what the server offers. *chosen*: its metadata has a sync of its own and stays."""
    server, _ = _find(request, world)
    if request.fields.get("capabilities") is not None:
        _replace(server, world, _offers=mcp_offers.offered_now(server["_offers"], request.fields["capabilities"], world))
    return Reply(200, {"success": True})


def mcp_server_user_access_list(request: Request, world: World) -> Reply:
    """Show a page of the members of the server's workspace, newest first, and whether each may use it.

    *chosen*: nobody else can be meant, since the rows have names; `search` looks into these, in any case.
    """
    server, _ = _find(request, world)
    search = request.query.get("search", "").lower()
    rows = [
        {
            "user_id": user["id"],
            "first_name": user["first_name"],
            "last_name": user["last_name"],
            "enabled": _may_use(server, user["id"]),
            "has_override": user["id"] in server["_access"],
            "connection_status": "connected" if _is_connected(server, user["id"], world) else "not_connected",
            "object": "user-acces",  # as the service spells it
        }
        for member in world["workspace_users"].newest(workspace_id=server["workspace_id"])
        if (user := world["users"].get(member["user_id"])) is not None
        and search in f"{user['first_name']} {user['last_name']}".lower()
    ]
    part, more = mcp_offers.page_from_one(rows, request.query)
    default = server["_default_access"]
    return Reply(200, {"object": "list", "default_user_access": default, "total": len(rows), "has_more": more, "data": part})


def mcp_server_user_access_bulk_update(request: Request, world: World) -> Reply:
    """Let people use the server or shut them out, one by one or all of whom nothing is said.

    Fails: `invalid-request` for who is no member of the workspace (*chosen*: a list would not show them).
    """
    server, _ = _find(request, world)
    fields, access = request.fields, dict(server["_access"])
    for at, row in enumerate(fields.get("user_access") or ()):
        name = "user_id" if "user_id" in row else "id"
        if find_member(world, server["workspace_id"], row[name]) is None:
            raise invalid("body", f"/user_access/{at}/{name}", "is no member of the server's workspace")
        access[row[name]] = row["enabled"]
    default = fields.get("default_user_access") or server["_default_access"]
    _replace(server, world, _access=access, _default_access=default)
    return Reply(200, {"success": True})


def check_mcp_server_user_access(request: Request, world: World) -> Reply:
    """Tell whether the caller may use the server; a key of no person may (*chosen*: nothing is said of it)."""
    server, integration = _find(request, world)
    user_id = request.caller.user_id
    may = mcp_access.has_access(integration, server["workspace_id"], world) and (user_id is None or _may_use(server, user_id))
    return Reply(200, {"has_access": may, "object": "user-access"})


def mcp_server_connections_list(request: Request, world: World) -> Reply:
    """Show a page of connections, newest first: to a person's key its own, to others all or those of one person.

    How people connect is not in the API; keeping tokens connects (see `update_mcp_server_tokens`).
    """
    server, _ = _find_in_workspace(request, world)
    person, query = _whose(request), request.query
    fits = None if person is None else lambda row: bool(row["user_id"] == person)
    rows, total = page(world, "mcp_connections", query, fits, mcp_server_id=server["id"])
    told = [{name: row[name] for name in ("user_id", "connected", "created_at", "last_updated_at")} for row in rows]
    return Reply(200, {"data": told, "total": total, "has_more": page_of(query)[0] + len(rows) < total})


def mcp_server_connections_delete(request: Request, world: World) -> Reply:
    """Disconnect a person; done, too, for one who is not connected (*chosen*: what is asked for holds).

    Fails: `invalid-request` when a key of no person does not say whom.
    """
    server, _ = _find_in_workspace(request, world)
    person = _whose(request)
    if person is None:
        raise invalid("query", "/user_id", "is required: the caller's key belongs to no person")
    if _connection(server, person, world) is not None:
        world["mcp_connections"].remove(_connection_id(server, person))
    return Reply(200, {"success": True})


def get_mcp_server_tokens(request: Request, world: World) -> Reply:
    """Show the caller's tokens, masked (*chosen*: a mock keeps no secret that it need not use); nulls when there are none."""
    server, _ = _find(request, world)
    connection = _connection(server, _person(request, world), world) or {}
    return Reply(200, {**_NO_TOKENS, **connection.get("_tokens", {}), "object": "mcp-server-tokens"})


def update_mcp_server_tokens(request: Request, world: World) -> Reply:
    """Keep tokens for the caller, who is connected from then on.

    A refresh token that is left out stays (RFC 6749, 6: the old one goes on when no new one comes), null takes it away.
    *chosen*: this is how a test makes a connection, since tokens are what one is made of; a key of no person stands for the
    organisation's first owner, as in all that has an author. When they expire is never told, so `expires_at` is null.
    """
    server, _ = _find(request, world)
    person, now = _person(request, world), world.clock.timestamp()
    before = _connection(server, person, world)
    world.secrets.update(filter(None, (request.fields["access_token"], request.fields.get("refresh_token"))))
    told = {name: value and mask(value) for name, value in request.fields.items() if name in _NO_TOKENS}
    connection: Record = {
        "id": _connection_id(server, person),
        "mcp_server_id": server["id"],
        "user_id": person,
        "created_at": now,
        **(before or {}),
        "connected": True,
        "last_updated_at": now,
        "_tokens": {**_NO_TOKENS, **(before or {}).get("_tokens", {}), **told},
    }
    connections = world["mcp_connections"]
    if before is None:
        connections.add(connection)
    else:
        connections.replace(connection)
    return Reply(200, {"success": True})


def delete_mcp_server_tokens(request: Request, world: World) -> Reply:
    """Forget the caller's tokens. *chosen*: the connection stays listed, as one that does not hold."""
    server, _ = _find(request, world)
    connection = _connection(server, _person(request, world), world)
    if connection is not None:
        gone = {"connected": False, "_tokens": {}, "last_updated_at": world.clock.timestamp()}
        world["mcp_connections"].replace({**connection, **gone})
    return Reply(200, {"success": True})


def get_mcp_server_client_info(request: Request, world: World) -> Reply:
    """Show the OAuth client that the integration's configurations name, its secret masked; nulls when they name none.

    *chosen*: a client that would be registered with the MCP server by itself is not known, since nothing is called.
    """
    _, integration = _find(request, world)
    client: Record = {}
    for name in ("external_auth_config", "oauth_metadata"):
        client |= integration["configurations"].get(name) or {}
    told = {name: _text(client.get(name)) for name in ("client_id", "client_secret")}
    return Reply(200, {**told, "object": "mcp-server-client-info"})


_NO_TOKENS: Record = {"access_token": None, "refresh_token": None, "expires_at": None}


def _find(request: Request, world: World) -> tuple[Record, Record]:
    """The server of a call's path, by id or slug, and its integration.

    Fails: `not-found`, `forbidden` for one of another workspace.
    """
    server = existing(world, "mcp_servers", request.path["mcpServerId"])
    request.caller.reach(server["workspace_id"])
    return server, existing(world, "mcp_integrations", server["mcp_integration_id"])


def _find_in_workspace(request: Request, world: World) -> tuple[Record, Record]:
    """The same, in the workspace that the call names, if it names one. Fails: `not-found` when it lies in another."""
    server, integration = _find(request, world)
    workspace = workspace_pinned(request, world)
    if workspace is not None and workspace["id"] != server["workspace_id"]:
        raise not_found()
    return server, integration


def _replace(server: Record, world: World, **changes: JSON) -> None:
    world["mcp_servers"].replace({**server, **changes, "last_updated_at": world.clock.timestamp()})


def _item(server: Record, workspace: Record, world: World) -> Record:
    """A server as lists show it."""
    integration = existing(world, "mcp_integrations", server["mcp_integration_id"])
    return {
        **shown(server),
        "workspace_name": workspace["_wire"]["name"],
        "workspace_slug": workspace["slug"],
        "mcp_integration_slug": integration["slug"],
        "mcp_integration_url": integration["url"],
        "auth_type": integration["auth_type"],
        "url": f"https://mcp.portkey.ai/{server['slug']}/mcp",
        "metadata": mcp_offers.metadata_in_list(_said(server, integration)),
    }


def _said(server: Record, integration: Record) -> Record | None:
    """What a server says about itself: what it was told, else what its integration was."""
    said: Record | None = integration["_said"] if server["_said"] is None else server["_said"]
    return said


def _may_use(server: Record, user_id: str) -> bool:
    return bool(server["_access"].get(user_id, server["_default_access"] == "allow"))


def _person(request: Request, world: World) -> str:
    return str(request.caller.user_id or owner_id(world))


def _whose(request: Request) -> str | None:
    """Whose connection a call is about, None for all. Fails: `forbidden` for a person's key about somebody else (*chosen*)."""
    own, said = request.caller.user_id, request.query.get("user_id")
    if own is not None and said not in (None, own):
        raise forbidden()
    return own or said


def _connection(server: Record, user_id: str, world: World) -> Record | None:
    return world["mcp_connections"].get(_connection_id(server, user_id))


def _is_connected(server: Record, user_id: str, world: World) -> bool:
    connection = _connection(server, user_id, world)
    return connection is not None and bool(connection["connected"])


def _connection_id(server: Record, user_id: str) -> str:
    return f"{server['id']}/{user_id}"


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) else None
