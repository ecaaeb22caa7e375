"""SCIM: which groups of the identity provider join which workspaces, and in which role.

No identity provider fills the groups here, so that a mapping makes nobody a member, nor does its end remove anybody.
Source of every rule that names none: identity-and-access, SCIM workspace mappings.
"""

from __future__ import annotations

from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.contract.violations import Violation
from mockserver.portkey.records import find_workspace, not_found, page
from mockserver.values import Record
from mockserver.world.world import World


def create_scim_workspace_mapping(request: Request, world: World) -> Reply:
    """Let a group join a workspace in a role; a name that no group has makes the group.

    The same again gives the mapping that exists. Fails: `forbidden` for a workspace's key, and for an unknown workspace;
    `not-found` for an unknown group; `invalid-request` when the group is mapped with another role, in whichever workspace.
    """
    request.caller.reach(None)
    fields, mappings = request.fields, world["scim_mappings"]
    workspace = find_workspace(world, fields["workspace_id"])
    group, role = _group(fields, world), fields["role"].lower()
    active = [mapping for mapping in mappings.newest(scim_group_id=group["id"]) if mapping["status"] == "active"]
    for mapping in active:
        if mapping["role"] != role:
            raise _other_role(mapping["role"])
    for mapping in active:
        if mapping["workspace_id"] == workspace["id"]:
            return Reply(200, _shown(mapping))
    made: Record = {
        "id": world.ids.uuid4(),
        "workspace_id": workspace["id"],
        "scim_group": group["name"],
        "role": role,
        "scim_group_id": group["id"],
        "status": "active",
        "created_at": world.clock.timestamp(),
    }
    mappings.add(made)
    return Reply(200, _shown(made))


def list_scim_workspace_mappings(request: Request, world: World) -> Reply:
    """Show a page of mappings, newest first, of one workspace, of one group or to one role when asked.

    A workspace is asked for by its id: a slug finds nothing, as the Terraform provider has seen, though the published
    document takes it.
    """
    request.caller.reach(None)
    query = request.query
    wanted = {name: query[name] for name in ("workspace_id", "scim_group_id", "role") if name in query}

    def fits(mapping: Record) -> bool:
        return all(mapping[name] == value for name, value in wanted.items())

    rows, total = page(world, "scim_mappings", _paging(query), fits if wanted else None, status="active")
    shown = [_shown(mapping) for mapping in rows]
    return Reply(200, {"mappings": shown, "total_count": total, "page": query["page"], "page_size": query["page_size"]})


def delete_scim_workspace_mapping(request: Request, world: World) -> Reply:
    """Archive a mapping, which no list shows any more; members stay. Fails: `not-found`, also the second time."""
    request.caller.reach(None)
    mapping = world["scim_mappings"].get(request.path["scimWorkspaceGroupId"])
    if mapping is None or mapping["status"] == "archived":
        raise not_found()
    world["scim_mappings"].replace({**mapping, "status": "archived"})
    return Reply(200, {"success": True})


def list_scim_groups(request: Request, world: World) -> Reply:
    """Show a page of groups, newest first, whose names contain a text when asked, in capitals or not (*chosen*)."""
    request.caller.reach(None)
    text = request.query.get("search", "").lower()

    def fits(group: Record) -> bool:
        return text in group["name"].lower()

    rows, total = page(world, "scim_groups", _paging(request.query), fits if text else None)
    return Reply(200, {"groups": [{name: group[name] for name in ("id", "name")} for group in rows], "total_count": total})


def _group(fields: Record, world: World) -> Record:
    """The group that a call names by its id or by its name, made when no group has the name."""
    groups = world["scim_groups"]
    if "scim_group_id" in fields:
        group = groups.get(fields["scim_group_id"])
        if group is None:
            raise not_found()
        return group
    name = fields["scim_group_name"]
    group = groups.find("name", name)
    if group is None:
        group = {"id": world.ids.uuid4(), "name": name, "created_at": world.clock.timestamp()}
        groups.add(group)
    return group


def _other_role(role: str) -> Problem:
    text = (
        f"SCIM group is already mapped to other workspace(s) with role '{role}'. "
        "A group can only be mapped with a single role across workspaces."
    )
    return Problem(INVALID_REQUEST, text, violations=[Violation("body", "/role", text)])


def _paging(query: Record) -> Record:
    """The page that is asked for, in the words of other lists."""
    return {"current_page": query["page"], "page_size": query["page_size"]}


def _shown(mapping: Record) -> Record:
    return {name: mapping[name] for name in ("id", "workspace_id", "scim_group", "role", "scim_group_id")}
