"""How a key is made, and what becomes of its secret, defaults and rotation policy.

Source of every rule that names none: identity-and-access, API keys.
"""

from __future__ import annotations

from datetime import timedelta

from mockserver.contract.problems import invalid
from mockserver.portkey.due import TRANSITION_MS, changed, next_rotation
from mockserver.portkey.identity import digest
from mockserver.portkey.limits import kept_limit, kept_rates, next_reset
from mockserver.portkey.records import find_config, mask, moment, organisation_id
from mockserver.values import JSON, Record
from mockserver.world.clock import format_timestamp
from mockserver.world.world import World

SECRET_LENGTH = 28

# Shared by all keys that have none: records are never changed in place, and a world holds many.
_NO_RATES: list[Record] = []
_NO_DEFAULTS: Record = {"metadata": None, "config_id": None, "allow_config_override": False}


def make_key(
    fields: Record,
    kind: str,
    workspace_id: str | None,
    user_id: str | None,
    world: World,
    secret: str | None = None,
    creation_mode: str = "api",
) -> tuple[Record, str]:
    """Store a new key; return its record and its secret."""
    limit = fields.get("usage_limits")
    if limit is not None:
        limit = kept_limit(limit, "/usage_limits")
    secret = secret or new_secret(world)
    world.secrets.add(secret)  # also one that a fixture has
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
        "creation_mode": creation_mode,
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
        defaults, override = kept_defaults(fields["defaults"], wire, None, world)
        wire |= defaults
    if fields.get("rotation_policy") is not None:
        wire["rotation_policy"] = kept_policy(fields["rotation_policy"], world)
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
    secret = world.ids.text(SECRET_LENGTH)
    world.secrets.add(secret)
    return secret


def kept_defaults(given: Record | None, wire: Record, override: bool | None, world: World) -> tuple[Record, bool | None]:
    """Return the fields of a key that follow from its `defaults`, merged with what it has, and the override flag as given.

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


def with_fallback(fields: Record, workspace: Record | None) -> Record:
    """Return the fields of a user's key: without a config it falls back to the one that its workspace has for user keys."""
    fallback = ((workspace or {}).get("_wire") or {}).get("defaults") or {}
    given = fields.get("defaults") or {}
    if fallback.get("user_api_key_config") is None or given.get("config_id") is not None:
        return fields
    return {**fields, "defaults": {**given, "config_id": fallback["user_api_key_config"]}}


def kept_policy(given: Record, world: World) -> Record:
    """Return a rotation policy as it is kept.

    A given `next_rotation_at` wins over the period for the next run and is set to midnight. Fails: `invalid-request` when
    none of the three ways is given, both periods are, or the transition is as long as the period.
    """
    if given.get("rotation_period") and given.get("rotation_period_days"):
        raise invalid("body", "/rotation_policy/rotation_period_days", "excludes rotation_period")
    if not any(given.get(name) for name in ("rotation_period", "rotation_period_days", "next_rotation_at")):
        raise invalid("body", "/rotation_policy", "needs rotation_period, rotation_period_days or next_rotation_at")
    lives_on_ms = given.get("key_transition_period_ms") or TRANSITION_MS
    check_transition(lives_on_ms, given, "/rotation_policy/key_transition_period_ms")
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


def check_transition(lives_on_ms: int, policy: Record, pointer: str) -> None:
    """Refuse a transition that is as long as the rotation period, by `invalid-request`."""
    days = {"weekly": 7, "monthly": 28}.get(policy.get("rotation_period") or "") or policy.get("rotation_period_days")
    if days and timedelta(milliseconds=lives_on_ms) >= timedelta(days=days):
        raise invalid("body", pointer, "must be shorter than the rotation period")


def _expiry(given: str | None) -> str | None:
    return None if given is None else format_timestamp(moment(given, "/expires_at"))
