"""API keys: secrets with scopes, budgets, rates, expiry and rotation.

Source of every rule that names none: identity-and-access, API keys.
"""

from __future__ import annotations

from datetime import timedelta

from mockserver.contract.problems import CONFLICT, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import scopes
from mockserver.portkey.due import TRANSITION_MS, changed, limited, next_rotation, rotated, settle
from mockserver.portkey.identity import Caller, digest
from mockserver.portkey.limits import kept_limit, kept_rates, next_reset
from mockserver.portkey.records import (
    bury,
    departed,
    find_config,
    find_member,
    find_workspace,
    forbidden,
    listed,
    mask,
    moment,
    not_found,
    organisation_id,
    page_of,
)
from mockserver.values import JSON, Record
from mockserver.world.clock import format_timestamp
from mockserver.world.world import World

SECRET_LENGTH = 28

# Shared by all keys that have none: records are never changed in place, and a world holds many.
_NO_RATES: list[Record] = []
_NO_DEFAULTS: Record = {"metadata": None, "config_id": None, "allow_config_override": False}


def create_api_key(request: Request, world: World) -> Reply:
    """Make a key; its secret is in this reply and in no other.

    Fails: `invalid-request` for an organisation's user key (admin keys are service keys only), for a workspace key without
    a workspace, for a user's key without a user or with an unknown one; `forbidden` for a workspace out of reach.
    """
    caller: Caller = request.caller
    fields = request.fields
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
        fields = _with_fallback(fields, world["workspaces"].get(str(workspace_id)))
    key, secret = make(fields, kind, workspace_id, user_id, world)
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
        defaults, own["_override"] = _defaults(fields["defaults"], wire, key.get("_override"), world)
        shown |= defaults
    if "rotation_policy" in fields:
        own["_policy_removed"] = fields["rotation_policy"] is None
        if fields["rotation_policy"] is not None:
            shown["rotation_policy"] = _policy(fields["rotation_policy"], world)
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
    _check_transition(lives_on_ms, policy, "/key_transition_period_ms")
    secret = new_secret(world)
    made = rotated(key, world, digest(secret), mask(secret), world.clock.timestamp(), lives_on_ms)
    world["api_keys"].replace(made)
    return Reply(200, {"id": key["id"], "key": secret, "key_transition_expires_at": made["_transition_ends"]})


def make(
    fields: Record, kind: str, workspace_id: str | None, user_id: str | None, world: World, secret: str | None = None
) -> tuple[Record, str]:
    """Store a new key; return its record and its secret."""
    limit = fields.get("usage_limits")
    if limit is not None:
        limit = kept_limit(limit, "/usage_limits")
    secret = secret or new_secret(world)
    now = world.clock.timestamp()
    resets_at = None if limit is None else next_reset(limit, world.clock.now())
    key_id = fields.get("id") or world.ids.uuid4()
    wire: Record = {
        "id": key_id,
        "key": mask(secret),
        "name": fields["name"],
        "description": fields.get("description"),
        "type": kind,
        "organisation_id": organisation_id(world),
        "workspace_id": workspace_id,
        "user_id": user_id,
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
        "creation_mode": "api",
        "rate_limits": kept_rates(fields.get("rate_limits")) or _NO_RATES,
        "usage_limits": limit,
        "reset_usage": None,
        "expires_at": _expiry(fields.get("expires_at")),
        "last_reset_at": None,
        "alert_emails": fields.get("alert_emails") or None,
        "expiry_enforced": 0,
        "next_usage_reset_at": resets_at,
        "allow_config_override": None,
        "api_key_defaults_id": None,
        "scopes": fields["scopes"],
        "defaults": _NO_DEFAULTS,
        "object": "api-key",
    }
    override = None
    if fields.get("defaults"):
        defaults, override = _defaults(fields["defaults"], wire, None, world)
        wire |= defaults
    if fields.get("rotation_policy") is not None:
        wire["rotation_policy"] = _policy(fields["rotation_policy"], world)
    record: Record = {
        "id": key_id,
        "workspace_id": workspace_id,
        "user_id": user_id,
        "status": "active",
        "created_at": now,
        "_secrets": [digest(secret)],
        "_usage": fields.get("_usage", 0),
        "_resets_at": resets_at,
        "_due": None,
        "_wire": wire,
    }
    if override is not None:
        record["_override"] = override
    if wire["expires_at"] or limit is not None or "rotation_policy" in wire:
        record = changed(record, world)
    world["api_keys"].add(record)
    return record, secret


def new_secret(world: World) -> str:
    """Return a secret; the mask must not give it away."""
    return world.ids.text(SECRET_LENGTH)


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


def _expiry(given: str | None) -> str | None:
    return None if given is None else format_timestamp(moment(given, "/expires_at"))


def _defaults(given: Record | None, wire: Record, override: bool | None, world: World) -> tuple[Record, bool | None]:
    """The fields of a key that follow from its `defaults`, merged with what it has, and the override flag as it was given.

    Null takes a field away; for the flag that leaves true, its default. `allow_config_override` at the top is 1 or 0 as soon
    as metadata or a config was set, else null; a config is shown by its id.
    """
    before = wire["defaults"]
    if given is None:
        given = {"metadata": None, "config_id": None, "allow_config_override": None}
    config = given.get("config_id", before["config_id"])
    known = find_config(world, config)
    metadata = given.get("metadata", before["metadata"])
    override = given.get("allow_config_override", override)
    allowed = override is not False
    has_any = wire["api_key_defaults_id"] is not None or metadata is not None or config is not None
    shown = {
        "defaults": {
            "metadata": metadata,
            "config_id": known["id"] if known is not None else config,
            "allow_config_override": allowed and has_any,
        },
        "api_key_defaults_id": wire["api_key_defaults_id"] or (world.ids.uuid1() if has_any else None),
        "allow_config_override": int(allowed) if has_any else None,
    }
    return shown, override


def _with_fallback(fields: Record, workspace: Record | None) -> Record:
    """A user's key without a config falls back to the one that its workspace has for user keys."""
    fallback = ((workspace or {}).get("_wire") or {}).get("defaults") or {}
    given = fields.get("defaults") or {}
    if fallback.get("user_api_key_config") is None or given.get("config_id") is not None:
        return fields
    return {**fields, "defaults": {**given, "config_id": fallback["user_api_key_config"]}}


def _policy(given: Record, world: World) -> Record:
    """A rotation policy as it is kept.

    A given `next_rotation_at` wins over the period for the next run and is set to midnight. Fails: `invalid-request` when
    none of the three ways is given, both periods are, or the transition is as long as the period.
    """
    if given.get("rotation_period") and given.get("rotation_period_days"):
        raise invalid("body", "/rotation_policy/rotation_period_days", "excludes rotation_period")
    if not any(given.get(name) for name in ("rotation_period", "rotation_period_days", "next_rotation_at")):
        raise invalid("body", "/rotation_policy", "needs rotation_period, rotation_period_days or next_rotation_at")
    lives_on_ms = given.get("key_transition_period_ms") or TRANSITION_MS
    _check_transition(lives_on_ms, given, "/rotation_policy/key_transition_period_ms")
    if given.get("next_rotation_at"):
        at = moment(given["next_rotation_at"], "/rotation_policy/next_rotation_at")
        if at <= world.clock.now():
            raise invalid("body", "/rotation_policy/next_rotation_at", "lies in the past")
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        if midnight <= world.clock.now():  # later today: the midnight that comes, not the one that is over
            midnight += timedelta(days=1)
        next_at: JSON = format_timestamp(midnight)
    else:
        next_at = next_rotation(given, world.clock.now())
    kept: Record = {"rotation_period": given.get("rotation_period")}
    if given.get("rotation_period_days"):
        kept["rotation_period_days"] = given["rotation_period_days"]
    return kept | {"next_rotation_at": next_at, "key_transition_period_ms": lives_on_ms, "status": "ACTIVE"}


def _check_transition(lives_on_ms: int, policy: Record, pointer: str) -> None:
    days = {"weekly": 7, "monthly": 28}.get(policy.get("rotation_period") or "") or policy.get("rotation_period_days")
    if days and timedelta(milliseconds=lives_on_ms) >= timedelta(days=days):
        raise invalid("body", pointer, "must be shorter than the rotation period")
