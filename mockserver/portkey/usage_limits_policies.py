"""Usage limits policies: budgets for whatever traffic meets their conditions, one budget a group.

Source of every rule that names none: governance-mcp-observability, Usage-limits policies. What they do to calls is in
`policies`.
"""

from __future__ import annotations

from datetime import timedelta

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import policies
from mockserver.portkey.due import EXHAUSTION_TOLD, THRESHOLD_TOLD
from mockserver.portkey.limits import MONDAY, kept_limit, next_reset
from mockserver.portkey.policies import BUDGETS, ENTITIES, is_used_up
from mockserver.portkey.records import listed, not_found, page_of
from mockserver.values import Record
from mockserver.world.clock import format_timestamp, parse_timestamp
from mockserver.world.world import World

OBJECT = "policy_usage_limits"
_RESETS = ("periodic_reset", "periodic_reset_days")
_LIMIT = ("credit_limit", "alert_threshold", *_RESETS, "next_usage_reset_at")


def create_usage_limits_policy(request: Request, world: World) -> Reply:
    """Make a policy; the reply is its id. Fails: `invalid-request`, as `_limit` and `policies.make`."""
    fields = request.fields
    limit = _limit({name: fields.get(name) for name in _LIMIT}, world)
    wire = {"object": OBJECT, "type": fields["type"], **limit, "last_reset_at": None}
    return Reply(200, {"id": policies.make(BUDGETS, request, wire, world), "object": OBJECT})


def list_usage_limits_policies(request: Request, world: World) -> Reply:
    """Show a page of the policies of a workspace, as `policies.page`."""
    return policies.page(BUDGETS, request, world, ("type",))


def get_usage_limits_policy(request: Request, world: World) -> Reply:
    """Show a policy, and how much each group has used when asked for."""
    policy = _find(request, world, request.query["status"])
    shown = policy["_wire"]
    if request.query["include_usage"]:
        usage = {
            entity["value_key"]: {
                "current_usage": entity["_usage"],
                "status": _status(policy, entity),
                "is_threshold_alerts_sent": THRESHOLD_TOLD in entity["_told"],
                "is_exhausted_alerts_sent": EXHAUSTION_TOLD in entity["_told"],
            }
            for entity in policies.entities(policy, world)
        }
        shown = {**shown, "value_key_usage_map": usage}
    return Reply(200, shown)


def update_usage_limits_policy(request: Request, world: World) -> Reply:
    """Change the fields that are sent; null clears the threshold and the resets; what groups have used stays.

    A higher limit makes mails due again, and lets groups go on that had used the old one up; a higher threshold, or none,
    makes its mail due again. A field of the reset lets the next one be worked out anew from now on (Terraform provider,
    `usage_limits_policy_resource.go`: the service does so whenever one is in the body). `type` and `group_by` stay as they
    are. `reset_usage_for_value` is a command, not stored.
    Fails: `invalid-request` for a value key that no group has (*chosen*), and as `_limit`.
    """
    policy, fields = _find(request, world), request.fields
    wire: Record = {name: fields[name] for name in ("name", "description", "conditions") if name in fields}
    if any(name in fields for name in _LIMIT):
        wire |= _limit(_merged(policy["_wire"], fields), world)
    if "reset_usage_for_value" in fields:
        entity = policies.entity(policy, fields["reset_usage_for_value"], world)
        if entity is None:
            raise invalid("body", "/reset_usage_for_value", "is the value key of no group")
        policies.reset(entity, world)
    if wire:
        _remind(policy, policy["_wire"] | wire, world)
        policies.change(BUDGETS, policy, wire, world)
    return Reply(200, {})


def delete_usage_limits_policy(request: Request, world: World) -> Reply:
    """Archive a policy; it holds for no call any more."""
    policies.change(BUDGETS, _find(request, world), {"status": "archived"}, world)
    return Reply(200, {})


def list_usage_limits_policy_entities(request: Request, world: World) -> Reply:
    """Show a page of the groups that have had traffic, newest first."""
    policy, query = _find(request, world), request.query
    offset, size = page_of(query)
    search = query.get("search", "").lower()
    found = [
        entity
        for entity in policies.entities(policy, world)
        if search in entity["value_key"].lower() and query.get("status") in (None, _status(policy, entity))
    ]
    some = found[offset : None if size is None else offset + size]
    shown = [{"id": each["id"], "value_key": each["value_key"], "current_usage": each["_usage"]} for each in some]
    return listed(shown, len(found))


def reset_usage_limits_policy_entity(request: Request, world: World) -> Reply:
    """Set the usage of a group back to 0. Fails: `not-found` for an unknown policy, and for a group that is not its."""
    policy = _find(request, world)
    entity = world[ENTITIES].get(request.path["entityId"])
    if entity is None or entity["policy_id"] != policy["id"]:
        raise not_found()
    policies.reset(entity, world)
    return Reply(200, {})


def _find(request: Request, world: World, status: str = "active") -> Record:
    return policies.find(BUDGETS, request.path["policyUsageLimitsId"], request, world, status)


def _status(policy: Record, entity: Record) -> str:
    return "exhausted" if is_used_up(policy, entity["_usage"]) else "active"


def _limit(limit: Record, world: World) -> Record:
    """Return a limit as reads show it, with its next reset.

    Fails: `invalid-request` for a threshold that is not below the limit, and for both ways to reset.
    """
    threshold = limit["alert_threshold"]
    if threshold is not None and threshold >= limit["credit_limit"]:
        raise invalid("body", "/alert_threshold", "must be below credit_limit")
    kept = kept_limit(limit, "")
    if kept["next_usage_reset_at"] is not None:
        kept["next_usage_reset_at"] = _midnight(kept["next_usage_reset_at"], world)
    kept["next_usage_reset_at"] = next_reset(kept, world.clock.now(), MONDAY)
    return kept


def _midnight(given: str, world: World) -> str:
    """Return the midnight that a reset is moved to: the one before, else, when only that is over, the one after (*chosen*)."""
    at, now = parse_timestamp(given), world.clock.now()
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight <= now < at:
        midnight += timedelta(days=1)
    return format_timestamp(midnight)


def _merged(before: Record, fields: Record) -> Record:
    """The limit of a policy after a change. *chosen*: the way to reset that is sent takes the place of the other."""
    limit = {name: fields.get(name, before[name]) for name in _LIMIT}
    sent = [name for name in _RESETS if fields.get(name)]
    for name, other in (_RESETS, _RESETS[::-1]):
        if sent == [name]:
            limit[other] = None
    if "next_usage_reset_at" not in fields and any(name in fields for name in _RESETS):
        limit["next_usage_reset_at"] = None
    return limit


def _remind(policy: Record, after: Record, world: World) -> None:
    """Make mails due again where a limit or a threshold was raised, or a threshold taken away (changelog 1.20 and 1.11)."""
    before = policy["_wire"]
    was, now = before["alert_threshold"], after["alert_threshold"]
    if after["credit_limit"] > before["credit_limit"]:
        again = {THRESHOLD_TOLD, EXHAUSTION_TOLD}
    elif was is not None and (now is None or now > was):
        again = {THRESHOLD_TOLD}
    else:
        return
    for entity in list(policies.entities(policy, world)):
        if again.intersection(entity["_told"]):
            world[ENTITIES].replace({**entity, "_told": [flag for flag in entity["_told"] if flag not in again]})
