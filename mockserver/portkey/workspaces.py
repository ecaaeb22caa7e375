"""Workspaces, and who belongs to them.

Source of every rule that names none: identity-and-access, Workspaces and Workspace members.
"""

from __future__ import annotations

import re

from mockserver.contract.problems import CONFLICT, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import access, mcp_access, memberships, standing
from mockserver.portkey.due import changed, limited, settle
from mockserver.portkey.identity import Caller
from mockserver.portkey.limits import kept_limits, next_reset
from mockserver.portkey.memberships import has_left, remove_member
from mockserver.portkey.records import (
    bury,
    find_config,
    find_member,
    find_workspace,
    forbidden,
    listed,
    new_slug,
    not_found,
    organisation_id,
    page_of,
    sayable,
)
from mockserver.values import JSON, Record
from mockserver.world.world import World

SETTINGS = {
    "debug_log": 1,
    "user_api_key_ttl": 0,
    "user_key_metadata": 1,
    "user_api_key_count": -1,
    "user_api_key_max_ttl": 0,
    "user_key_metadata_override": 1,
}

_MEMBERS = (
    "ViewLogs", "ViewAllData", "ViewApiKeys", "ViewConfigs", "ViewPrompts", "ViewAnalytics", "ViewGuardrails",
    "ViewLogMetadata", "ViewVirtualKeys", "WriteApiKeys", "WriteConfigs", "WritePrompts", "WriteGuardrails",
    "WriteVirtualKeys",
)  # fmt: skip
_MANAGERS = (*_MEMBERS, "UpdateWs", "WriteWsUsers", "WriteMcpServers", "WriteWsIntegrations", "WriteWsMcpIntegrations")
SECURITY_SETTINGS = (
    {f"members{name}": name not in ("WriteConfigs", "WriteGuardrails") for name in _MEMBERS}
    | {f"managers{name}": True for name in _MANAGERS}
    | {f"organisationAdmins{name}": True for name in ("ViewLogs", "ViewLogMetadata")}
)
"""As recorded."""

DEPENDENTS = (
    ("providers", "Virtual Keys"),
    ("configs", "Configs"),
    ("prompts", "Prompts"),
    ("prompt_partials", "Prompt Partials"),
    ("guardrails", "Guardrails"),
)
"""What keeps a workspace from being deleted: collection, and what the refusal calls it. API keys do not."""

# One emoji: a pictograph or flag with its modifiers, or several joined to one.
_EMOJI = r"(?:[\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff][\ufe0f\u200d\U0001f3fb-\U0001f3ff]*)+"
_ICON_FIRST = re.compile(rf"({_EMOJI})\s*(\S.*)", re.DOTALL)


def create_workspace(request: Request, world: World) -> Reply:
    """Make a workspace; the reply is what a read shows.

    An emoji at the start of the name becomes the icon. Fails: `invalid-request` for an unknown user, `conflict` for a slug
    that is taken (*chosen*: only the admin tools send a slug, nothing is known of a second one).
    """
    caller: Caller = request.caller
    fields = sayable(request.fields)
    if caller.workspace_id is not None:
        raise forbidden()
    users = fields.get("users") or []
    for at, user_id in enumerate(users):
        if user_id not in world["users"]:
            raise invalid("body", f"/users/{at}", "is nobody of the organisation")
    if fields.get("slug") and world["workspaces"].find("slug", fields["slug"]) is not None:
        raise Problem(CONFLICT, f"A workspace with the slug {fields['slug']} exists")
    workspace = make(fields, world, created_by=caller.user_id)
    for user_id in users:
        memberships.put_member(workspace, user_id, "member", world)
    return Reply(200, _shown(workspace, world))


def list_workspaces(request: Request, world: World) -> Reply:
    """Show a page of workspaces, newest first; only active ones unless asked for others.

    Archived ones are for admins of the organisation; a workspace's key sees its own alone.
    """
    caller: Caller = request.caller
    query = request.query
    wanted = set(query["status"].split(","))
    if caller.workspace_id is not None:
        wanted.discard("archived")
    offset, size = page_of(query)
    workspaces = world["workspaces"]
    if caller.workspace_id is None and "name" not in query and "exact_name" not in query and len(wanted) == 1:
        page, total = workspaces.page(offset, size, _shelf=_only(wanted))
    else:
        found = [
            record
            for record in workspaces.newest()
            if record["_shelf"] in wanted
            and caller.workspace_id in (None, record["id"])
            and query.get("name", "") in _display_name(record)
            and query.get("exact_name", record["_wire"]["name"]) in (record["_wire"]["name"], _display_name(record))
        ]
        page, total = found[offset : None if size is None else offset + size], len(found)
    return listed([_item(settle(world, "workspaces", record)) for record in page], total)


def get_workspace(request: Request, world: World) -> Reply:
    """Show a workspace with its members."""
    workspace = _find(request, world)
    return Reply(200, _shown(workspace, world, plain=request.query.get("name_format") == "plain"))


def update_workspace(request: Request, world: World) -> Reply:
    """Change the fields that are sent; `defaults` is replaced as a whole, null clears limits.

    Fails: `invalid-request` for `security_settings`, which the organisation does not let workspaces override.
    """
    workspace, fields = _find(request, world), request.fields
    if "security_settings" in fields:
        raise invalid("body", "/security_settings", "Workspace override is not enabled")
    shown: Record = {name: fields[name] for name in ("description", "defaults") if name in fields}
    if "icon" in fields:
        shown["icon"] = fields["icon"] or None
    if "name" in fields:
        icon, name = _split_icon(fields["name"])
        shown["name"] = name
        if icon is not None:
            shown["icon"] = icon
    if "defaults" in shown:
        shown["defaults"] = _defaults(shown["defaults"], world)
    own = limited(workspace, world, fields, shown)
    if "rate_limits" in shown:
        shown["rate_limits"] = shown["rate_limits"] or None
    if shown or own:
        shown["last_updated_at"] = world.clock.timestamp()
        world["workspaces"].replace(changed(workspace, world, shown, **own))
    return Reply(200, {})


def delete_workspace(request: Request, world: World) -> Reply:
    """Archive a workspace; from then on it is forbidden, and listed only as archived.

    `name`, when sent, must be its name; `force_delete` has no effect. Fails: `invalid-request` for another name or for the
    default workspace, `conflict` while something depends on it.
    *chosen*: its keys, memberships, SCIM mappings and MCP servers go with it, since a key of no workspace could do nothing.
    """
    workspace = _find(request, world)
    name = request.fields.get("name")
    if name is not None and name not in (workspace["_wire"]["name"], _display_name(workspace)):
        raise invalid("body", "/name", "is not the name of the workspace")
    if workspace["_wire"]["is_default"]:
        raise invalid("path", "/workspaceId", "is the default workspace, which cannot be deleted")
    for collection, called in DEPENDENTS:
        if world[collection].count(workspace_id=workspace["id"]):
            raise Problem(CONFLICT, f"Unable to delete. Please ensure that all {called} are deleted")
    for member in list(world["workspace_users"].newest(workspace_id=workspace["id"])):
        remove_member(member, world)
    for key in list(world["api_keys"].newest(workspace_id=workspace["id"])):
        world["api_keys"].remove(key["id"])
        bury(world, key["_secrets"])
    access.forget_workspace(workspace, world)
    mcp_access.forget_workspace(workspace["id"], world)
    for mapping in world["scim_mappings"].newest(workspace_id=workspace["id"]):
        world["scim_mappings"].replace({**mapping, "status": "archived"})
    standing.clear(workspace, world)
    archived = {**workspace, "status": "archived", "_shelf": "archived"}
    world["workspaces"].replace(changed(archived, world, {"last_updated_at": world.clock.timestamp()}))
    return Reply(200, {})


def add_workspace_members(request: Request, world: World) -> Reply:
    """Make people members; one who is a member already gets the role (*chosen*: an upsert harms nobody).

    Fails: `invalid-request` for who does not belong to the organisation, and then nobody is added (*chosen*: not 404, which
    would say that the workspace is not there).
    """
    workspace, fields = _find(request, world), request.fields
    people = fields.get("users") or [{"id": fields["user_id"], "role": fields.get("role")}]
    for at, person in enumerate(people):
        if person["id"] not in world["users"]:
            raise invalid("body", f"/users/{at}/id" if "users" in fields else "/user_id", "is nobody of the organisation")
        _check_promotion(request.caller, workspace, person.get("role"), world)
    for person in people:
        memberships.put_member(workspace, person["id"], person.get("role") or "member", world)
    return Reply(200, {})


def list_workspace_members(request: Request, world: World) -> Reply:
    """Show a page of members, newest first, of one role or with one address when asked."""
    workspace = _find(request, world)
    offset, size = page_of(request.query)
    wanted = {name: request.query[name] for name in ("role", "email") if name in request.query}
    members = world["workspace_users"]
    if wanted:
        found = [
            member
            for member in members.newest(workspace_id=workspace["id"])
            if all(_member(member, world)[name] == value for name, value in wanted.items())
        ]
        page, total = found[offset : None if size is None else offset + size], len(found)
    else:
        page, total = members.page(offset, size, workspace_id=workspace["id"])
    return listed([_member(member, world) for member in page], total)


def get_workspace_member(request: Request, world: World) -> Reply:
    """Show a member."""
    return Reply(200, _member(_find_member(request, world), world))


def update_workspace_member(request: Request, world: World) -> Reply:
    """Give a member another role; an owner of the organisation stays admin."""
    member = _find_member(request, world)
    role = request.fields["role"]
    workspace = find_workspace(world, request.path["workspaceId"])
    _check_promotion(request.caller, workspace, role, world)
    memberships.put_member(workspace, member["user_id"], role, world)
    return Reply(200, {})


def remove_workspace_member(request: Request, world: World) -> Reply:
    """Remove a member, and the keys that they hold in the workspace."""
    remove_member(_find_member(request, world), world)
    return Reply(200, {})


def make(fields: Record, world: World, created_by: str | None = None, *, is_default: bool = False) -> Record:
    """Store a new workspace and return its record."""
    icon, name = _split_icon(fields["name"])
    usage_limits, resets_at = _usage_limits(fields.get("usage_limits"), world)
    now = world.clock.timestamp()
    workspace_id = fields.get("id") or world.ids.uuid4()
    slug = fields.get("slug") or new_slug("workspaces", "ws", name, 6, world)
    wire: Record = {
        "id": workspace_id,
        "name": name,
        "description": fields.get("description"),
        "created_at": now,
        "last_updated_at": now,
        "is_default": int(is_default),
        "defaults": _defaults(fields.get("defaults"), world),
        "slug": slug,
        "icon": fields.get("icon") or icon,
        "usage_limits": usage_limits,
        "rate_limits": fields.get("rate_limits") or None,
        "security_settings": SECURITY_SETTINGS,
        "settings": SETTINGS,
        "organisation_id": organisation_id(world),
        "last_reset_at": None,
        "created_by": created_by,
        "creation_source": "default" if is_default else "api",
    }
    record: Record = {
        "id": workspace_id,
        "slug": slug,
        "status": "active",
        "_shelf": "active",
        "created_at": now,
        "_usage": fields.get("_usage", 0),
        "_resets_at": resets_at,
        "_due": None,
        "_wire": wire,
    }
    record = changed(record, world)
    world["workspaces"].add(record)
    access.open_to_new(record, world)
    standing.furnish(record, world)
    return record


def _find(request: Request, world: World) -> Record:
    """The workspace of a call's path, by id or slug, settled."""
    workspace = find_workspace(world, request.path["workspaceId"])
    caller: Caller = request.caller
    caller.reach(workspace["id"])
    return settle(world, "workspaces", workspace)


def _find_member(request: Request, world: World) -> Record:
    """The member of a call's path. Fails: `forbidden` for one who left, `not-found` for one who never was there."""
    workspace = _find(request, world)
    member = find_member(world, workspace["id"], request.path["userId"])
    if member is None:
        if has_left(world, workspace["id"], request.path["userId"]):
            raise forbidden()
        raise not_found()
    return member


def _check_promotion(caller: Caller, workspace: Record, role: str | None, world: World) -> None:
    # A manager lifts nobody above manager.
    if caller.user_id is not None and role == "admin":
        own = find_member(world, workspace["id"], caller.user_id)
        if own is not None and own["role"] != "admin":
            raise forbidden()


def _only(statuses: set[str]) -> str:
    (status,) = statuses
    return status


def _defaults(given: Record | None, world: World) -> Record | None:
    """The defaults as they are read: a config comes back as its slug."""
    if given is None:
        return None
    known = find_config(world, given.get("user_api_key_config"))
    return given if known is None else {**given, "user_api_key_config": known["slug"]}


def _usage_limits(given: list[Record] | None, world: World) -> tuple[list[Record] | None, str | None]:
    kept = kept_limits(given, "/usage_limits")
    return kept, next_reset(kept[0], world.clock.now()) if kept else None


def _split_icon(name: str) -> tuple[str | None, str]:
    match = _ICON_FIRST.fullmatch(name)
    return (None, name) if match is None else (match[1], match[2])


def _display_name(workspace: Record) -> str:
    wire = workspace["_wire"]
    return f"{wire['icon']} {wire['name']}" if wire["icon"] else wire["name"]


def _shown(workspace: Record, world: World, *, plain: bool = False) -> Record:
    """A workspace as a read shows it: no status, but its members (without address and object)."""
    members = [_member(member, world) for member in world["workspace_users"].newest(workspace_id=workspace["id"])]
    users = [{name: member[name] for name in _IN_WORKSPACE} for member in members]
    name = workspace["_wire"]["name"] if plain else _display_name(workspace)
    return {**workspace["_wire"], "name": name, "users": users, "object": "workspace"}


_IN_WORKSPACE = (
    "first_name", "last_name", "org_role", "role", "created_at", "last_updated_at", "status", "workspace_id", "id",
)  # fmt: skip
"""The fields of a member within a workspace, in the order recorded."""


def _item(workspace: Record) -> Record:
    """A workspace as lists show it: a status, but neither members, settings nor organisation."""
    wire = workspace["_wire"]
    return {
        "id": wire["id"],
        "slug": wire["slug"],
        "name": _display_name(workspace),
        "icon": wire["icon"],
        "description": wire["description"],
        "created_at": wire["created_at"],
        "last_updated_at": wire["last_updated_at"],
        "defaults": wire["defaults"],
        "is_default": wire["is_default"],
        "scim_source_id": None,
        "usage_limits": wire["usage_limits"],
        "rate_limits": wire["rate_limits"],
        "security_settings": wire["security_settings"],
        "status": workspace["status"],
        "object": "workspace",
    }


def _member(member: Record, world: World) -> Record:
    user: JSON = world["users"].get(member["user_id"])
    return {
        "object": "workspace-user",
        "id": user["id"],
        "first_name": user["first_name"],
        "last_name": user["last_name"],
        "org_role": user["role"],
        "role": member["role"],
        "created_at": member["created_at"],
        "last_updated_at": member["last_updated_at"],
        "status": "active",
        "workspace_id": member["workspace_id"],
        "email": user["email"],
        "scopes": [],
        "settings": None,
    }
