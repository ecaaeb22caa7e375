"""MCP integrations: the MCP servers that an organisation or a workspace knows, who has them, and what they offer.

Source of every rule that names none: governance-mcp-observability, MCP integrations.
"""

from __future__ import annotations

import base64
import re
from hashlib import blake2b

from mockserver.contract.problems import CONFLICT, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import mcp_access, mcp_offers
from mockserver.portkey.identity import Caller
from mockserver.portkey.records import (
    existing,
    find_workspace,
    forbidden,
    free_slug,
    mask,
    organisation_id,
    owner_id,
    page,
    page_of,
    shown,
    stem,
    workspace_pinned,
)
from mockserver.portkey.secret_mappings import checked_mappings
from mockserver.values import JSON, Record, dump
from mockserver.world.world import World

_TARGETS = ("configurations.",)
_CHANGEABLE = ("name", "description", "url", "auth_type", "transport")

_SECRET = re.compile(r".*(secret|password|token|api_?key|private_?key)", re.IGNORECASE | re.DOTALL)
"""Names of settings that hold a secret: not `token_endpoint`, but `client_secret`."""

_SERVER_INFO = {"name": "server_name", "version": "server_version", "capabilities": "capability_flags"}
"""What a sync calls otherwise than the metadata does."""


def mcp_integrations_create(request: Request, world: World) -> Reply:
    """Make an MCP server known to a workspace, when one is named or the caller has one, else to the organisation.

    The URL is not looked at: a mock's users have theirs on private hosts. Fails: `conflict` for a slug that is taken,
    `invalid-request` for wrong secret mappings, `forbidden` where the caller's scope is for the other kind.
    """
    fields = request.fields
    workspace = workspace_pinned(request, world)
    workspace_id = None if workspace is None else str(workspace["id"])
    _check_scope(request.caller, workspace_id, "create")
    integrations, slug = world["mcp_integrations"], fields.get("slug")
    if slug is not None and integrations.find("slug", slug) is not None:
        raise Problem(CONFLICT, f"An MCP integration with the slug {slug} exists")
    now = world.clock.timestamp()
    record: Record = {
        "id": world.ids.uuid4(),
        "name": fields["name"],
        "description": fields.get("description"),
        "owner_id": request.caller.user_id or owner_id(world),
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
        "configurations": _masked(fields.get("configurations") or {}),
        "global_workspace_access": None,
        "workspace_id": workspace_id,
        "slug": slug or free_slug("mcp_integrations", stem(fields["name"]), world),
        "url": fields["url"],
        "auth_type": fields["auth_type"],
        "transport": fields["transport"],
        "type": _kind(workspace_id),
        "secret_mappings": checked_mappings(fields.get("secret_mappings"), _TARGETS, workspace_id, world),
        "object": "mcp-integration",
        "_said": None,
        "_offers": None,
    }
    integrations.add(record)
    return Reply(200, {"id": record["id"], "slug": record["slug"]})


def mcp_integrations_list(request: Request, world: World) -> Reply:
    """Show a page of integrations, newest first: all, or those that one workspace has, of its own or of the organisation's.

    A caller sees the kinds that it may list (*chosen*, as with API keys), a workspace's key what its workspace has.
    *chosen*: `search` looks into names in any case; another organisation has none.
    """
    query, caller = request.query, request.caller
    workspace = workspace_pinned(request, world)
    asked = query.get("type", "all")
    kinds = [kind for kind in ("workspace", "organisation") if asked in ("all", kind) and _holds(caller, kind, "list")]
    search = query.get("search", "").lower()
    ours = query.get("organisation_id", organisation_id(world)) == organisation_id(world)

    def fits(record: Record) -> bool:
        within = workspace is None or mcp_access.has_access(record, workspace["id"], world)
        return ours and record["type"] in kinds and search in record["name"].lower() and within

    everything = ours and len(kinds) == 2 and not search and workspace is None
    rows, total = page(world, "mcp_integrations", query, None if everything else fits)
    more = page_of(query)[0] + len(rows) < total
    return Reply(200, {"object": "list", "total": total, "has_more": more, "data": [_item(row, world) for row in rows]})


def mcp_integrations_retrieve(request: Request, world: World) -> Reply:
    """Show an integration, secrets among its configurations masked."""
    return Reply(200, shown(_find(request, world, "read")))


def mcp_integrations_update(request: Request, world: World) -> Reply:
    """Change the fields that are sent; configurations and secret mappings are replaced, each as a whole (*chosen*).

    Fails: `invalid-request` for wrong secret mappings.
    """
    record, fields = _find(request, world, "update"), request.fields
    changes: Record = {name: fields[name] for name in _CHANGEABLE if name in fields}
    if "configurations" in fields:
        changes["configurations"] = _masked(fields["configurations"])
    if "secret_mappings" in fields:
        changes["secret_mappings"] = checked_mappings(fields["secret_mappings"], _TARGETS, record["workspace_id"], world)
    if changes:
        _replace(record, world, **changes)
    return Reply(200, {})


def mcp_integrations_delete(request: Request, world: World) -> Reply:
    """Forget an integration, and the servers built on it."""
    mcp_access.forget_integration(_find(request, world, "delete"), world)
    return Reply(200, {})


def test_mcp_integration(request: Request, world: World) -> Reply:
    """Tell whether the MCP server answers, as far as a test without a call can."""
    record = _find(request, world, "read")
    name = (record["_said"] or {}).get("server_name") or record["name"]
    return mcp_offers.tried(record, name, "mcp-integration")


def sync_mcp_integration(request: Request, world: World) -> Reply:
    """Keep what an MCP server says about itself and what it offers, each as far as it is told."""
    record, fields = _find(request, world, "update"), request.fields
    info = {_SERVER_INFO.get(name, name): value for name, value in (fields.get("server_info") or {}).items()}
    changes: Record = {"_said": mcp_offers.said_now(record["_said"], info, world)}
    if fields.get("capabilities") is not None:
        changes["_offers"] = mcp_offers.offered_now(record["_offers"], fields["capabilities"], world)
    _replace(record, world, **changes)
    return Reply(200, {"success": True})


def mcp_integration_workspaces_list(request: Request, world: World) -> Reply:
    """Show which workspaces were told to have an integration or not to, newest first, in the old form or the new one.

    A workspace is named by its id, to a workspace's key by its slug. *chosen*: such a key sees its own row only.
    """
    record = _find(request, world, "read")
    own = request.caller.workspace_id
    rows = [
        {
            "id": row["workspace_id"] if own is None else find_workspace(world, own)["slug"],
            **{name: row[name] for name in ("enabled", "status", "created_at", "last_updated_at")},
        }
        for row in world["mcp_integration_workspaces"].newest(mcp_integration_id=record["id"])
        if own in (None, row["workspace_id"])
    ]
    everywhere = record["global_workspace_access"]
    if request.query.get("version") == "2":
        return Reply(200, {"data": rows, "total": len(rows), "global_workspace_access": everywhere})
    return Reply(200, {"workspaces": rows, "global_workspace_access": everywhere, "object": "integration"})


def mcp_integration_workspaces_bulk_update(request: Request, world: World) -> Reply:
    """Give an integration to workspaces or take it from them; those not named keep what they have, or lose it on `override`.

    *chosen*: access of all workspaces makes no server, since that was seen for a single one alone. Fails: `forbidden` for an
    unknown workspace, `invalid-request` for another than the one that the integration belongs to.
    """
    record, fields = _find(request, world, "update"), request.fields
    own = record["workspace_id"]
    wanted = {find_workspace(world, row["id"])["id"]: row["enabled"] for row in fields["workspaces"]}
    if own is not None and ("global_workspace_access" in fields or set(wanted) - {own}):
        pointer = "/global_workspace_access" if "global_workspace_access" in fields else "/workspaces"
        raise invalid("body", pointer, "goes beyond the workspace that the integration belongs to")
    if "global_workspace_access" in fields:
        record = _replace(record, world, global_workspace_access=fields["global_workspace_access"])
    if fields.get("override_existing_workspace_access"):
        for row in world["mcp_integration_workspaces"].newest(mcp_integration_id=record["id"]):
            if row["workspace_id"] not in wanted:
                world["mcp_integration_workspaces"].remove(row["id"])
    owner = request.caller.user_id or owner_id(world)
    for workspace_id, enabled in wanted.items():
        mcp_access.give(record, workspace_id, owner, world, enabled=enabled)
    return Reply(200, {})


def mcp_integration_capabilities_list(request: Request, world: World) -> Reply:
    """Show a page of tools, prompts and resources, in the order in which the MCP server told them (*chosen*)."""
    return mcp_offers.listed_capabilities(_find(request, world, "read")["_offers"] or [], request.query)


def mcp_integration_capabilities_bulk_update(request: Request, world: World) -> Reply:
    """Switch capabilities on or off; the others stay, unknown ones are ignored."""
    record = _find(request, world, "update")
    offers = mcp_offers.switched(record["_offers"], request.fields["capabilities"], world)
    world["mcp_integrations"].replace({**record, "_offers": offers})
    return Reply(200, {"success": True})


def mcp_integration_metadata_retrieve(request: Request, world: World) -> Reply:
    """Show what the MCP server says about itself."""
    return Reply(200, mcp_offers.metadata(_find(request, world, "read")["_said"]))


def _find(request: Request, world: World, verb: str) -> Record:
    """The integration of a call's path, by id or slug.

    Fails: `not-found`; `forbidden` for one of another workspace, and where the caller's scope is for the other kind.
    """
    record = existing(world, "mcp_integrations", request.path["mcpIntegrationId"])
    _check_scope(request.caller, record["workspace_id"], verb)
    if record["workspace_id"] is not None:
        request.caller.reach(record["workspace_id"])
    return record


def _replace(record: Record, world: World, **changes: JSON) -> Record:
    made = {**record, **changes, "last_updated_at": world.clock.timestamp()}
    world["mcp_integrations"].replace(made)
    return made


def _check_scope(caller: Caller, workspace_id: str | None, verb: str) -> None:
    if not _holds(caller, _kind(workspace_id), verb):
        raise forbidden()


def _holds(caller: Caller, kind: str, verb: str) -> bool:
    """Whether the caller has the scope for this kind of integration; either let it come this far.

    What is the organisation's is for admins, but for lists (identity-and-access, API keys: Scopes, who may hold it).
    """
    return caller.holds(f"{kind}_mcp_integrations.{verb}")


def _kind(workspace_id: str | None) -> str:
    return "organisation" if workspace_id is None else "workspace"


def _item(record: Record, world: World) -> Record:
    """An integration as lists show it: its configurations in a text that tells nothing (observed)."""
    item = shown(record)
    del item["global_workspace_access"]
    sealed = base64.b64encode(blake2b(dump(item["configurations"]), digest_size=24).digest()).decode()
    granted = world["mcp_integration_workspaces"].newest(mcp_integration_id=record["id"])
    return {
        **item,
        "configurations": dump({"encrypted": sealed}).decode(),
        "organisation_id": organisation_id(world),
        "workspaces_count": sum(row["enabled"] for row in granted),
        "metadata": mcp_offers.metadata_in_list(record["_said"]),
    }


def _masked(value: JSON, *, secret: bool = False) -> JSON:
    """Configurations as they are kept: masks in the place of custom headers' values and of settings that sound secret.

    *chosen*: the service keeps them encrypted, and clients keep copies of their own.
    """
    if isinstance(value, dict):
        return {
            name: _masked(each, secret=secret or name == "custom_headers" or _SECRET.fullmatch(name) is not None)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_masked(each, secret=secret) for each in value]
    return mask(value) if secret and isinstance(value, str) else value
