"""Who belongs to which workspace: how people join and leave.

Source: identity-and-access, Workspace members.
"""

from __future__ import annotations

from mockserver.portkey.records import depart_keys, membership_id
from mockserver.values import Record
from mockserver.world.world import World


def put_member(workspace: Record, user_id: str, role: str, world: World) -> None:
    """Make a user of the organisation a member with a role, or give a member this role."""
    if world["users"].get(user_id)["role"] == "owner":  # type: ignore[index]  # callers have checked that the user is there
        role = "admin"
    members, key, now = world["workspace_users"], membership_id(workspace["id"], user_id), world.clock.timestamp()
    known = members.get(key)
    if known is not None:
        members.replace({**known, "role": role, "last_updated_at": now})
        return
    members.add(
        {
            "id": key,
            "workspace_id": workspace["id"],
            "user_id": user_id,
            "role": role,
            "created_at": now,
            "last_updated_at": now,
        }
    )


def remove_member(member: Record, world: World) -> None:
    """End a membership; the keys that the member holds in the workspace go with it."""
    world["workspace_users"].remove(member["id"])
    depart_keys(world, user_id=member["user_id"], workspace_id=member["workspace_id"])
    world.facts.put(_departed(member["workspace_id"], member["user_id"]), True)


def has_left(world: World, workspace_id: str, user_id: str) -> bool:
    """Whether somebody was a member once, and may be no longer."""
    return _departed(workspace_id, user_id) in world.facts


def _departed(workspace_id: str, user_id: str) -> str:
    return f"departed_member:{membership_id(workspace_id, user_id)}"
