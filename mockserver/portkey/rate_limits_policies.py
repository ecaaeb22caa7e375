"""Rate limits policies: how much traffic that meets their conditions may pass in a window.

Source of every rule that names none: governance-mcp-observability, Rate-limits policies. What they do to calls is in
`policies`.
"""

from __future__ import annotations

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import policies
from mockserver.portkey.policies import RATES
from mockserver.values import Record
from mockserver.world.world import World

OBJECT = "policy_rate_limits"


def create_rate_limits_policy(request: Request, world: World) -> Reply:
    """Make a policy; the reply is its id. Fails: `invalid-request`, as `policies.make`."""
    fields = request.fields
    wire = {
        "object": OBJECT,
        "type": fields["type"],
        "unit": fields["unit"],
        "value": policies.number(fields["value"]),
        "target": fields.get("target", "llm"),
    }
    return Reply(200, {"id": policies.make(RATES, request, wire, world), "object": OBJECT})


def list_rate_limits_policies(request: Request, world: World) -> Reply:
    """Show a page of the policies of a workspace, as `policies.page`."""
    return policies.page(RATES, request, world, ("type", "unit", "target"))


def get_rate_limits_policy(request: Request, world: World) -> Reply:
    """Show a policy."""
    return Reply(200, _find(request, world, request.query["status"])["_wire"])


def update_rate_limits_policy(request: Request, world: World) -> Reply:
    """Change the fields that are sent; `type`, `group_by` and `target` stay as they are."""
    policy, fields = _find(request, world), request.fields
    wire: Record = {name: fields[name] for name in ("name", "description", "conditions", "unit") if name in fields}
    if "value" in fields:
        wire["value"] = policies.number(fields["value"])
    if wire:
        policies.change(RATES, policy, wire, world)
    return Reply(200, {})


def delete_rate_limits_policy(request: Request, world: World) -> Reply:
    """Archive a policy; it holds for no call any more."""
    policies.change(RATES, _find(request, world), {"status": "archived"}, world)
    return Reply(200, {})


def _find(request: Request, world: World, status: str = "active") -> Record:
    return policies.find(RATES, request.path["rateLimitsPolicyId"], request, world, status)
