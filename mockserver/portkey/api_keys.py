"""API keys: secrets with scopes, budgets, rates, expiry and rotation.

Source of every rule that names none: identity-and-access, API keys.
"""

from __future__ import annotations

from mockserver.contract.problems import CONFLICT, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import scopes
from mockserver.portkey.due import TRANSITION_MS, changed, limited, rotated, settle
from mockserver.portkey.identity import Caller, digest
from mockserver.portkey.keys import check_transition, kept_defaults, kept_policy, make_key, new_secret, with_fallback
from mockserver.portkey.records import (
    bury,
    departed,
    find_member,
    find_workspace,
    forbidden,
    listed,
    mask,
    not_found,
    page_of,
    sayable,
)
from mockserver.values import Record
from mockserver.world.world import World


def create_api_key(request: Request, world: World) -> Reply:
    """Make a key; its secret is in this reply and in no other.

    Fails: `invalid-request` for an organisation's user key (admin keys are service keys only), for a workspace key without
    a workspace, for a user's key without a user or with an unknown one; `forbidden` for a workspace out of reach.
    """
    caller: Caller = request.caller
    fields = sayable(request.fields)
    kind = f"{request.path['type']}-{request.path['sub-type']}"
    if kind not in scopes.KEY_KINDS:
        raise invalid("path", "/sub-type", "must be service: an organisation has no user keys")
    workspace_id = None
    if kind == "organisation-service":
        if caller.workspace_id is not None:
            raise forbidden()
    else:
        _check_manager(caller)
        workspace_id = _workspace_of(fields, caller, world)
    user_id = None
    if kind == "workspace-user":
        user_id = fields.get("user_id")
        if user_id is None:
            raise invalid("body", "/user_id", "is required for a key of a user")
        if user_id not in world["users"]:
            raise invalid("body", "/user_id", "is nobody of the organisation")
        fields = with_fallback(fields, world["workspaces"].get(str(workspace_id)))
    key, secret = make_key(fields, kind, workspace_id, user_id, world)
    return Reply(200, {"id": key["id"], "key": secret, "object": "api-key"})


def list_api_keys(request: Request, world: World) -> Reply:
    """Show a page of the keys within reach, newest first.

    A caller sees the kinds of key that it may list (*chosen*: the dossier has one list for all kinds and a scope for each).
    """
    caller: Caller = request.caller
    workspace = request.query.get("workspace_id")
    group: Record = {}
    if workspace is not None or caller.workspace_id is not None:
        workspace_id = find_workspace(world, workspace or str(caller.workspace_id))["id"]
        caller.reach(workspace_id)
        group = {"workspace_id": workspace_id}
    offset, size = page_of(request.query)
    keys = world["api_keys"]
    kinds = [kind for kind, family in scopes.KEY_KINDS.items() if caller.holds(f"{family}.list")]
    if "ids" not in request.query and len(kinds) == len(scopes.KEY_KINDS):
        page, total = keys.page(offset, size, **group)
    else:
        ids = {piece.strip() for piece in request.query["ids"].split(",")} if "ids" in request.query else None
        found = [key for key in keys.newest(**group) if key["_wire"]["type"] in kinds and (ids is None or key["id"] in ids)]
        page, total = found[offset : None if size is None else offset + size], len(found)
    return listed([_item(settle(world, "api_keys", key)) for key in page], total)


def get_api_key(request: Request, world: World) -> Reply:
    """Show a key, its secret masked."""
    return Reply(200, _find(request, world)["_wire"])


def update_api_key(request: Request, world: World) -> Reply:
    """Change the fields that are sent; null clears those that can be empty, `defaults` merges field by field.

    Type, workspace, user and organisation are immutable and ignored. `reset_usage` is a command, not stored.
    """
    key, fields = _find(request, world), request.fields
    _check_manager(request.caller)
    wire = key["_wire"]
    shown: Record = {name: fields[name] for name in ("name", "description", "scopes") if name in fields}
    if "alert_emails" in fields:
        shown["alert_emails"] = fields["alert_emails"] or None
    own = limited(key, world, fields, shown)
    if "_resets_at" in own:
        shown["next_usage_reset_at"] = own["_resets_at"]
    if "defaults" in fields:
        defaults, own["_override"] = kept_defaults(fields["defaults"], wire, key.get("_override"), world)
        shown |= defaults
    if "rotation_policy" in fields:
        own["_policy_removed"] = fields["rotation_policy"] is None
        if fields["rotation_policy"] is not None:
            shown["rotation_policy"] = kept_policy(fields["rotation_policy"], world)
    if shown or own:
        shown["last_updated_at"] = world.clock.timestamp()
        if own.pop("_policy_removed", False):
            key = {**key, "_wire": {name: value for name, value in wire.items() if name != "rotation_policy"}}
        world["api_keys"].replace(changed(key, world, shown, **own))
    return Reply(200, {})


def delete_api_key(request: Request, world: World) -> Reply:
    """Forget a key; its secrets stop working at once."""
    key = _find(request, world)
    _check_manager(request.caller)
    world["api_keys"].remove(key["id"])
    bury(world, key["_secrets"])
    return Reply(200, {})


def rotate_api_key(request: Request, world: World) -> Reply:
    """Give a key a new secret; the old one works beside it until the transition ends.

    Fails: `conflict` while a transition runs (at most two secrets live; *chosen* among the dossier's two statuses, since the
    request itself is right); `invalid-request` when the transition would be as long as the rotation period.
    """
    key = _find(request, world)
    caller: Caller = request.caller
    if caller.key is not None and caller.key["_wire"]["type"] == "workspace-user" and key["user_id"] != caller.user_id:
        # Admins and managers of the workspace rotate any of its keys, members only their own.
        member = find_member(world, str(caller.workspace_id), str(caller.user_id))
        if member is None or member["role"] == "member":
            raise forbidden()
    if key.get("_transition_ends") is not None:
        raise Problem(CONFLICT, "A rotation of this key is still in transition")
    policy = key["_wire"].get("rotation_policy") or {}
    lives_on_ms = request.fields.get("key_transition_period_ms") or policy.get("key_transition_period_ms") or TRANSITION_MS
    check_transition(lives_on_ms, policy, "/key_transition_period_ms")
    secret = new_secret(world)
    made = rotated(key, world, digest(secret), mask(secret), world.clock.timestamp(), lives_on_ms)
    world["api_keys"].replace(made)
    return Reply(200, {"id": key["id"], "key": secret, "key_transition_expires_at": made["_transition_ends"]})


def _find(request: Request, world: World) -> Record:
    """The key of a call's path, settled.

    Fails: `forbidden` for a key that went with its user and for one of another workspace, `not-found` for an unknown one.
    """
    key_id = request.path["id"]
    key = world["api_keys"].get(key_id)
    if key is None:
        if departed(key_id) in world.facts:
            raise forbidden()
        raise not_found()
    caller: Caller = request.caller
    caller.reach(key["workspace_id"])
    return settle(world, "api_keys", key)


def _check_manager(caller: Caller) -> None:
    # A workspace's service key may manage other keys of the workspace, a user's key may not (Side effects and visibility).
    if caller.key is not None and caller.key["_wire"]["type"] == "workspace-user":
        raise forbidden()


def _workspace_of(fields: Record, caller: Caller, world: World) -> str:
    named = fields.get("workspace_id") or caller.workspace_id
    if named is None:
        raise invalid("body", "/workspace_id", "is required for a key of a workspace")
    workspace_id: str = find_workspace(world, named)["id"]
    caller.reach(workspace_id)
    return workspace_id


def _item(key: Record) -> Record:
    """A key as lists show it: without two fields that a single read has (recorded)."""
    item = dict(key["_wire"])
    del item["next_usage_reset_at"]
    defaults = item["defaults"]
    item["defaults"] = {"metadata": defaults["metadata"], "config_id": defaults["config_id"]}
    return item
