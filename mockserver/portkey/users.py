"""Users: the people of an organisation, each in a role, and the workspaces that they belong to.

Nobody is created here: people come by invitation. A workspace's key holds none of the scopes that this asks for, so that it
is always forbidden. Source of every rule that names none: identity-and-access, Users.
"""

from __future__ import annotations

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.memberships import remove_member
from mockserver.portkey.records import depart_keys, listed, not_found, page, page_of
from mockserver.values import Record
from mockserver.world.world import World


def list_users(request: Request, world: World) -> Reply:
    """Show a page of people, newest first, of one role or with exactly one address when asked."""
    query = request.query
    if "email" in query:
        known = world["users"].find("email", query["email"])
        found = [known] if known is not None and query.get("role", known["role"]) == known["role"] else []
        offset, size = page_of(query)
        rows, total = found[offset : None if size is None else offset + size], len(found)
    else:
        rows, total = page(world, "users", query, **({"role": query["role"]} if "role" in query else {}))
    return listed([_item(user) for user in rows], total)


def get_user(request: Request, world: World) -> Reply:
    """Show a person with the slugs of their workspaces."""
    user = _find(request, world)
    return Reply(200, {**_item(user), "workspace_ids": _workspaces(user, world)})


def update_user(request: Request, world: World) -> Reply:
    """Give a person another role. Other fields have no effect; *chosen*: nor has a call without a role.

    Fails: `invalid-request` for the role that the person has, and for an owner, who is not demoted.
    """
    user, role = _find(request, world), request.fields.get("role")
    if role is not None:
        _check_no_owner(user)
        if role == user["role"]:
            raise invalid("body", "/role", "is the role that the person has")
        world["users"].replace({**user, "role": role, "last_updated_at": world.clock.timestamp()})
    return Reply(200, {})


def delete_user(request: Request, world: World) -> Reply:
    """Remove a person, their memberships and their keys; reading those is forbidden from then on.

    Fails: `invalid-request` for an owner (*chosen*, as for the default workspace: the service presumably refuses).
    Source: identity-and-access, Errors (departed members and their keys give 403).
    """
    user = _find(request, world)
    _check_no_owner(user)
    for member in world["workspace_users"].newest(user_id=user["id"]):
        remove_member(member, world)
    depart_keys(world, user_id=user["id"])
    world["users"].remove(user["id"])
    return Reply(200, {})


def _find(request: Request, world: World) -> Record:
    user = world["users"].get(request.path["userId"])
    if user is None:
        raise not_found()
    return user


def _check_no_owner(user: Record) -> None:
    if user["role"] == "owner":
        raise invalid("path", "/userId", "is an owner of the organisation, who is neither demoted nor removed")


def _workspaces(user: Record, world: World) -> list[str]:
    """The slugs of a person's workspaces, newest first; an owner or an admin has all of them."""
    workspaces = world["workspaces"]
    if user["role"] != "member":
        return [workspace["slug"] for workspace in workspaces.newest(_shelf="active")]
    joined = (workspaces.get(member["workspace_id"]) for member in world["workspace_users"].newest(user_id=user["id"]))
    return [workspace["slug"] for workspace in joined if workspace is not None]


_FIELDS = ("object", "id", "first_name", "last_name", "role", "email", "created_at", "last_updated_at")


def _item(user: Record) -> Record:
    return {name: user[name] for name in _FIELDS}
