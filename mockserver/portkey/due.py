"""What time and use do to whatever has limits: expiry, the end of a transition, rotation, a budget's use and reset.

Nothing runs in the background: whoever looks at a record settles it first. `_due` is when something happens next, so that
a look costs one comparison; `_wire` is the record as a read shows it.
Source: identity-and-access, Conventions (limit state machine) and API keys (Rotation).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b

from mockserver.portkey.limits import (
    first_of_next_month,
    is_alarming,
    is_exhausted,
    kept_limit,
    kept_limits,
    kept_rates,
    next_reset,
)
from mockserver.portkey.records import admins, bury, moment
from mockserver.values import JSON, Record
from mockserver.world.clock import format_timestamp, parse_timestamp
from mockserver.world.world import World

TRANSITION_MS = 1_800_000
"""How long an old secret lives on when nobody says how long: half an hour (API keys: Rotation)."""


def settle(world: World, collection: str, record: Record) -> Record:
    """Return a record as it is now; what became due since the last look is written down in its collection."""
    due = record["_due"]
    if due is None or due > world.clock.timestamp():
        return record
    settled = record
    while settled["_due"] is not None and settled["_due"] <= world.clock.timestamp():
        settled = _happen(settled, settled["_due"], world)
    world[collection].replace(settled)
    return settled


def changed(record: Record, world: World, wire: Record | None = None, **own: JSON) -> Record:
    """Return a record with other fields: `wire` as reads show them, `own` the mock's. Status and next due time follow."""
    made = {**record, **own, "_wire": {**record["_wire"], **(wire or {})}}
    shown = made["_wire"]
    limit = budget(made)
    if made["status"] != "archived":
        now = world.clock.timestamp()
        expires_at = shown.get("expires_at")
        status = "active"
        if expires_at is not None and expires_at <= now:
            status = "expired"
        elif is_exhausted(limit, made["_usage"]):
            status = "exhausted"
        made["status"] = status
        if "status" in shown:
            shown["status"] = status
    if limit is not None:
        if made.get("_told"):
            due_again = {THRESHOLD_TOLD: is_alarming, EXHAUSTION_TOLD: is_exhausted}
            made["_told"] = [flag for flag in made["_told"] if due_again[flag](limit, made["_usage"])]
        told = _with_usage(limit, made)
        shown["usage_limits"] = [told] if isinstance(shown["usage_limits"], list) else told
    expiry = shown.get("expires_at") if made["status"] != "expired" else None
    rotation = (shown.get("rotation_policy") or {}).get("next_rotation_at") if made["status"] != "expired" else None
    times = (expiry, made.get("_transition_ends"), made["_resets_at"], rotation)
    made["_due"] = min((time for time in times if time is not None), default=None)
    return made


def limited(record: Record, world: World, fields: Record, wire: Record) -> Record:
    """Return what a call's fields make of the limits of a record: fields of its own, and those of `wire` set in place.

    `usage_limits`, `rate_limits` and `expires_at` replace what was there, null clears them; `reset_usage` is a command.
    A list of usage limits stays a list. Source: identity-and-access, Conventions (Limit state machine).
    """
    own: Record = {}
    if "rate_limits" in fields:
        wire["rate_limits"] = kept_rates(fields["rate_limits"])
    if "usage_limits" in fields:
        given = fields["usage_limits"]
        if isinstance(given, list):
            wire["usage_limits"] = kept_limits(given, "/usage_limits")
            kept = wire["usage_limits"][0] if wire["usage_limits"] else None
        else:
            kept = wire["usage_limits"] = None if given is None else kept_limit(given, "/usage_limits")
        own["_resets_at"] = next_reset(kept, world.clock.now())
    if "expires_at" in fields:
        given = fields["expires_at"]
        wire["expires_at"] = None if given is None else format_timestamp(moment(given, "/expires_at"))
        limit = wire.get("usage_limits", record["_wire"]["usage_limits"])
        if isinstance(limit, dict) and EXPIRY_TOLD in limit:
            wire["usage_limits"] = {name: value for name, value in limit.items() if name != EXPIRY_TOLD} or None
    if fields.get("reset_usage"):
        own |= {"_usage": 0, "_told": []}
        wire["last_reset_at"] = world.clock.timestamp()
    return own


def budget(record: Record) -> Record | None:
    """Return the usage limit of a record: an object, or a list of at most one."""
    limit: JSON = record["_wire"]["usage_limits"]
    if isinstance(limit, list):
        limit = limit[0] if limit else None
    found: Record | None = limit
    return found


def spend(world: World, collection: str, key: str, cost: float, tokens: int) -> None:
    """Count what a call has cost, in US dollars or tokens as the limit of a record counts; write down the mails due.

    Source: identity-and-access, Conventions (usage_limits, Limit state machine).
    """
    record = world[collection].get(key)
    limit = budget(record) if record is not None else None
    if record is None or limit is None or limit.get("credit_limit") is None:
        return
    spent = tokens if limit.get("type") == "tokens" else cost
    if not spent:
        return
    made = changed(record, world, _usage=round(record["_usage"] + spent, 9))
    for reached, told, kind in (
        (is_alarming(limit, made["_usage"]), THRESHOLD_TOLD, "usage-threshold"),
        (made["status"] == "exhausted", EXHAUSTION_TOLD, "usage-exhausted"),
    ):
        if reached and told not in limit:
            _mail(made, kind, world)
            made = changed(made, world, _told=[*made.get("_told", ()), told])
    world[collection].replace(made)


THRESHOLD_TOLD = "is_threshold_alerts_sent"
EXHAUSTION_TOLD = "is_exhausted_alerts_sent"
EXPIRY_TOLD = "is_expired_alerts_sent"
"""Flags of a usage limit that say which mails are out (identity-and-access, Conventions: internal fields)."""


def _with_usage(limit: Record, record: Record) -> Record:
    """A usage limit as a read shows it: with what is used, when it is reset, and which mails are out.

    *chosen*: nothing is added before something is used, so that a read gives back what was written. The next reset stands
    here for records that have no field of their own for it.
    """
    usage = record["_usage"]
    shown = {name: value for name, value in limit.items() if name not in _COUNTED}
    if usage:
        shown["current_usage"] = usage
    shown |= dict.fromkeys(record.get("_told") or (), True)
    if "next_usage_reset_at" not in record["_wire"] and record["_resets_at"] is not None:
        shown["next_usage_reset_at"] = record["_resets_at"]
    return shown


_COUNTED = ("current_usage", THRESHOLD_TOLD, EXHAUSTION_TOLD)


def _mail(record: Record, kind: str, world: World) -> None:
    """Write down a mail about a record, to the addresses that its key names, else to owners and admins of the organisation."""
    wire = record["_wire"]
    details: Record = {
        "to": wire.get("alert_emails") or admins(world),
        "about": {name: wire[name] for name in ("object", "id", "name") if name in wire},
        "usage": record["_usage"],
        "usage_limits": budget(record),
    }
    world.tell(kind, details)


def rotated(record: Record, world: World, secret_digest: str, masked: str, at: str, lives_on_ms: int) -> Record:
    """Return a key with a new secret, the old one living on for a while from the time `at` on."""
    ends = format_timestamp(parse_timestamp(at) + timedelta(milliseconds=lives_on_ms))
    wire: Record = {"key": masked, "last_updated_at": at}
    policy = record["_wire"].get("rotation_policy")
    if policy is not None:
        following = next_rotation(policy, parse_timestamp(at))
        if following is None and (policy.get("next_rotation_at") or "") > at:
            following = policy["next_rotation_at"]  # a single date that is still ahead
        wire["rotation_policy"] = {**policy, "next_rotation_at": following}
    bury(world, record["_secrets"][1:])
    return changed(record, world, wire, _secrets=[secret_digest, record["_secrets"][0]], _transition_ends=ends)


def next_rotation(policy: Record, now: datetime) -> str | None:
    """Return when a policy rotates a key next after a time.

    Source: identity-and-access, API keys: Rotation (weekly on Monday, monthly on the first, 00:00 UTC).
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if policy.get("rotation_period") == "weekly":
        return format_timestamp(midnight + timedelta(days=7 - midnight.weekday()))
    if policy.get("rotation_period") == "monthly":
        return format_timestamp(first_of_next_month(midnight))
    if policy.get("rotation_period_days"):
        return format_timestamp(midnight + timedelta(days=policy["rotation_period_days"]))
    return None


def _happen(record: Record, due: str, world: World) -> Record:
    """Return the record after all that happens at one time; what repeats happens at the last time that is not ahead."""
    wire, at, now = record["_wire"], parse_timestamp(due), world.clock.now()
    if record.get("_transition_ends") == due:
        bury(world, record["_secrets"][1:])
        record = changed(record, world, _secrets=record["_secrets"][:1], _transition_ends=None)
    if record["_resets_at"] == due:
        limit = {**(budget(record) or {}), "next_usage_reset_at": None}
        last = latest(at, now, lambda time: next_reset(limit, time), limit.get("periodic_reset_days") or 7)
        resets_at = next_reset(limit, last)
        shown: Record = {"last_reset_at": format_timestamp(last)}
        if "next_usage_reset_at" in wire:
            shown["next_usage_reset_at"] = resets_at
        if (budget(record) or {}).get("next_usage_reset_at"):
            renewed = limit | {"next_usage_reset_at": resets_at}
            shown["usage_limits"] = [renewed] if isinstance(wire["usage_limits"], list) else renewed
        record = changed(record, world, shown, _usage=0, _resets_at=resets_at, _told=[])
    policy = wire.get("rotation_policy") or {}
    if policy.get("next_rotation_at") == due and record["status"] != "expired":
        last = latest(at, now, lambda time: next_rotation(policy, time), policy.get("rotation_period_days") or 7)
        record = _rotated_by_policy(record, world, last, missed=last > at)
    if wire.get("expires_at") == due:
        told: Record = {"usage_limits": {**(budget(record) or {}), EXPIRY_TOLD: True}}  # as recorded, also without a limit
        if "last_updated_at" in wire:
            told["last_updated_at"] = due
        record = changed(record, world, told)
        _mail(record, "expired", world)
    if record["_due"] == due:  # nothing claimed it: never look at it again
        record = {**record, "_due": None}
    return record


def _rotated_by_policy(record: Record, world: World, at: datetime, *, missed: bool) -> Record:
    """A key after its policy gave it a new secret; when rotations were missed, the secret before it is one nobody knew.

    Nobody learns the new secret, as nobody does from the real service's reads; `rotate` gives a known one. It is drawn from
    the key and the time rather than from the world's ids: looking at a key must not shift what later calls get.
    """
    secret = blake2b(f"{record['id']} {at}".encode(), digest_size=32).hexdigest()
    if missed:
        bury(world, record["_secrets"])
        record = {**record, "_secrets": [secret[32:]]}
    masked = f"{secret[:2]}*****{secret[29:32]}"
    lives_on_ms = record["_wire"]["rotation_policy"].get("key_transition_period_ms", TRANSITION_MS)
    return rotated(record, world, secret[:32], masked, format_timestamp(at), lives_on_ms)


def latest(at: datetime, now: datetime, following: Callable[[datetime], str | None], days: int) -> datetime:
    """Return the last time up to now of what happens at `at` and repeats: on the first of each month, or every so many days.

    `following` tells when it happens next; the times after that one lie on a grid, so that centuries take no longer.
    """
    text = following(at)
    if text is None or (first := parse_timestamp(text)) > now:
        return at
    second = parse_timestamp(following(first) or text)
    if first.day == second.day == 1:
        return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first + (now - first) // timedelta(days=days) * timedelta(days=days)
