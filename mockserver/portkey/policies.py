"""Policies: which calls they hold for, what they count calls by, and how they refuse.

A usage limits policy counts in its entities, a rate limits policy in windows; both have one counter for each set of values
of the keys that they group by.
Source of every rule that names none: governance-mcp-observability, Usage-limits and Rate-limits policies; gateway@2.0.0,
`policyUtils.ts` (conditions, groups, value keys), `usageLimitPolicies.ts` and `rateLimitPolicies.ts`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import NamedTuple

from mockserver.contract.problems import EXHAUSTED, NOT_FOUND, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls, limits, scopes
from mockserver.portkey.due import EXHAUSTION_TOLD, THRESHOLD_TOLD, latest
from mockserver.portkey.records import (
    admins,
    find_prompt,
    listed,
    not_found,
    organisation_id,
    page_of,
    workspace_pinned,
)
from mockserver.values import JSON, Record
from mockserver.world.clock import format_timestamp, parse_timestamp
from mockserver.world.world import World

BUDGETS, RATES, ENTITIES = "usage_limits_policies", "rate_limits_policies", "usage_limits_policy_entities"

_FREE = ("/batches", "/files", "/fine_tuning")
"""Whose GETs no budget and no rate holds for (gateway-data-plane, Request pipeline, 3)."""

ENDPOINT_TYPES = {
    "createChatCompletion": "chatComplete",
    "createCompletion": "complete",
    "createEmbedding": "embed",
    "createRerank": "rerank",
    "createImage": "imageGenerate",
    "createImageEdit": "imageEdit",
    "createSpeech": "createSpeech",
    "createTranscription": "createTranscription",
    "createTranslation": "createTranslation",
    "createResponse": "createModelResponse",
}
"""What `endpoint_type` compares with, else `proxy`: the gateway's names of its routes (*chosen*: no source lists values)."""


class Facts(NamedTuple):
    """What a call is: texts that conditions compare with, any of them will do; and the one that groups count by."""

    told: dict[str, tuple[str, ...]]
    counted: dict[str, str]


class Held(NamedTuple):
    """A policy that holds for a call, and the counter that the call belongs to."""

    policy: Record
    value_key: str


class Holding(NamedTuple):
    """All policies that hold for a call, newest first."""

    budgets: list[Held]
    rates: list[Held]


NONE = Holding([], [])


def there_are(world: World) -> bool:
    """Whether a world has policies, or had some."""
    return bool(world[BUDGETS].arrivals or world[RATES].arrivals)


def holding(request: Request, model: str, name: str, slug: str, provider: Record | None, world: World) -> Holding:
    """Return the policies that hold for a call of the data plane: those of its workspace whose conditions it meets.

    `name` is the plain name of the provider that is to answer, `slug` what the call or its config names as such, empty for
    none, `provider` the record behind that. *chosen*: the workspace is that of the key, else that of the provider; of a call
    with an unknown key that names no provider it cannot be told, and policies of all workspaces hold for it whose conditions
    it meets.
    """
    operation = request.operation
    if operation.id in scopes.OPERATIONS or (operation.method == "get" and operation.path.startswith(_FREE)):
        return NONE  # the first are lists of models and prompts put together: no model is called
    workspace_id = request.caller.workspace_id or (provider or {}).get("workspace_id")
    budgets, rates = _active(BUDGETS, workspace_id, world), _active(RATES, workspace_id, world)
    rates = [policy for policy in rates if policy["_wire"]["target"] == "llm"]
    if not budgets and not rates:
        return NONE
    facts = _facts(request, model, name, slug, provider, workspace_id, world)
    return Holding(_held(budgets, facts), _held(rates, facts))


def check_budgets(holding: Holding, world: World) -> None:
    """Refuse a call whose group has used up its budget. Source: gateway-data-plane, error catalogue C (text, type, code)."""
    for policy, value_key in holding.budgets:
        group = entity(settle(policy, world), value_key, world)
        if group is not None and is_used_up(policy, group["_usage"]):
            detail = f"Portkey Usage Limits Policy {policy['id']} Exceeded for value key {value_key}"
            raise Problem(EXHAUSTED, detail, code="06", type_="usage_limits_policy_exhaust_error")


def check_rates(holding: Holding, world: World) -> None:
    """Refuse a call whose group has filled its window; a rate of 0 limits nothing. Source: as `check_budgets`."""
    for policy, value_key in holding.rates:
        refusal = f"Portkey Rate Limit Policy {policy['id']} exceeded for value key {value_key}"
        limits.check_rates(_rates(policy), _subject(policy, value_key), refusal, world, "rate_limits_policy_exhaust_error")


def count(holding: Holding, cost_usd: float, tokens: int, world: World, requests: int = 1) -> None:
    """Count a call that succeeded in each of its groups; write down the mails due.

    A group comes to be with its first call, whatever that costs.
    """
    amounts = {"cost": cost_usd, "tokens": tokens, "requests": requests}
    for policy, value_key in holding.budgets:
        _spend(settle(policy, world), value_key, amounts[policy["_wire"]["type"]], world)
    for policy, value_key in holding.rates:
        limits.count_rates(_rates(policy), _subject(policy, value_key), world, requests=requests, tokens=tokens)


def is_used_up(policy: Record, usage: float) -> bool:
    """Whether a group has used up its budget; one that has used nothing has not, however small the budget is."""
    return bool(usage) and limits.is_exhausted(policy["_wire"], usage)


def reset(group: Record, world: World) -> None:
    """Set the usage of a group back to 0: it may call again, and mails are due again."""
    world[ENTITIES].replace({**group, "_usage": 0, "_told": []})


def entity(policy: Record, value_key: str, world: World) -> Record | None:
    """Return the group of a policy with these values, None when it has had no traffic."""
    return world[ENTITIES].find("_handle", f"{policy['id']}/{value_key}")


def entities(policy: Record, world: World) -> Iterator[Record]:
    """The groups of a policy that have had traffic, newest first."""
    return world[ENTITIES].newest(policy_id=policy["id"])


def settle(policy: Record, world: World) -> Record:
    """Return a usage limits policy as it is now; a reset that became due since the last look sets its groups back.

    Source: Enforcement (00:00 UTC, monthly on the first, weekly on Monday).
    """
    at = policy["_wire"].get("next_usage_reset_at")
    if at is None or at > world.clock.timestamp():
        return policy
    wire: Record = {**policy["_wire"], "next_usage_reset_at": None}
    last = latest(
        parse_timestamp(at),
        world.clock.now(),
        lambda time: limits.next_reset(wire, time, limits.MONDAY),
        wire["periodic_reset_days"] or 7,
    )
    wire["last_reset_at"] = format_timestamp(last)
    wire["next_usage_reset_at"] = limits.next_reset(wire, last, limits.MONDAY)
    for group in list(entities(policy, world)):
        if group["_usage"] or group["_told"]:
            reset(group, world)
    settled = {**policy, "_wire": wire}
    world[BUDGETS].replace(settled)
    return settled


def make(collection: str, request: Request, wire: Record, world: World) -> str:
    """Store a new policy in the workspace that the call names and return its id; `wire` are the fields of its kind.

    Conditions and groups are kept as they were sent (Terraform compares them). Fails: `invalid-request` when a caller of no
    workspace names none.
    """
    workspace = workspace_pinned(request, world)
    if workspace is None:
        raise invalid("body", "/workspace_id", "is required for a policy: the caller's key belongs to no workspace")
    fields, now = request.fields, world.clock.timestamp()
    policy_id = world.ids.uuid4()
    shown: Record = {
        "id": policy_id,
        "name": fields.get("name"),
        "description": fields.get("description"),
        "conditions": fields["conditions"],
        **({"group_by": fields["group_by"]} if "group_by" in fields else {}),
        **wire,
        "status": "active",
        "workspace_id": workspace["id"],
        "organisation_id": organisation_id(world),
        "created_at": now,
        "last_updated_at": now,
    }
    record: Record = {
        "id": policy_id,
        "workspace_id": workspace["id"],
        "created_at": now,
        "status": "active",
        "_shelf": _shelf(workspace["id"], "active"),
        "_wire": shown,
    }
    world[collection].add(record)
    return policy_id


def find(collection: str, policy_id: str, request: Request, world: World, status: str = "active") -> Record:
    """Return a policy by its id, settled.

    Fails: `not-found` for an unknown one and for one of another status (*chosen*: an archived policy is seen by who asks for
    archived ones), `forbidden` for one of another workspace.
    """
    policy = world[collection].get(policy_id)
    if policy is None or policy["status"] != status:
        raise not_found()
    request.caller.reach(policy["workspace_id"])
    return settle(policy, world)


def page(collection: str, request: Request, world: World, filters: tuple[str, ...]) -> Reply:
    """Show a page of the policies of one status of a workspace, newest first; `filters` are fields that must be equal.

    Fails: `not-found` with the code AB02 when a caller of no workspace names none.
    """
    query = request.query
    workspace = workspace_pinned(request, world)
    if workspace is None:
        raise Problem(NOT_FOUND, "workspace_id is required: the caller's key belongs to no workspace", code="AB02")
    offset, size = page_of(query)
    policies, shelf = world[collection], _shelf(workspace["id"], query["status"])
    wanted = {name: query[name] for name in (*filters, "organisation_id") if name in query}
    search = query.get("search", "").lower()
    if wanted or search:
        found = [
            policy
            for policy in policies.newest(_shelf=shelf)
            if all(policy["_wire"][name] == value for name, value in wanted.items())
            and search in (policy["_wire"]["name"] or "").lower()
        ]
        some, total = found[offset : None if size is None else offset + size], len(found)
    else:
        some, total = policies.page(offset, size, _shelf=shelf)
    return listed([settle(policy, world)["_wire"] for policy in some], total)


def change(collection: str, policy: Record, wire: Record, world: World) -> None:
    """Store other fields of a policy."""
    shown = {**policy["_wire"], **wire, "last_updated_at": world.clock.timestamp()}
    status = shown["status"]
    world[collection].replace({**policy, "status": status, "_shelf": _shelf(policy["workspace_id"], status), "_wire": shown})


def number(value: float) -> float:
    """Return a number as it is kept: whole ones as integers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shelf(workspace_id: str, status: str) -> str:
    return f"{workspace_id}/{status}"


def _active(collection: str, workspace_id: str | None, world: World) -> list[Record]:
    if workspace_id is None:
        return list(world[collection].newest(status="active"))
    return list(world[collection].newest(_shelf=_shelf(workspace_id, "active")))


def _held(policies: list[Record], facts: Facts) -> list[Held]:
    held = []
    for policy in policies:
        wire = policy["_wire"]
        if all(_meets(condition, facts) for condition in wire["conditions"]):
            value_key = _value_key(wire.get("group_by") or [], facts)
            if value_key is not None:
                held.append(Held(policy, value_key))
    return held


def _meets(condition: Record, facts: Facts) -> bool:
    """Whether a call meets a condition. What the call has no value for is met by nothing, not by a star nor an exclusion."""
    told = facts.told.get(condition["key"])
    if not told:
        return False
    fits = _fits_model if condition["key"] == "model" else operator.eq
    if any(fits(each, text) for each in _several(condition.get("excludes")) for text in told):
        return False
    wanted = _several(condition.get("value"))
    return not wanted or "*" in wanted or any(fits(each, text) for each in wanted for text in told)


def _fits_model(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("/*") else text == pattern


def _several(values: JSON) -> list[str]:
    if not values:
        return []
    return values if isinstance(values, list) else [values]


def _value_key(group_by: list[Record], facts: Facts) -> str | None:
    """The counter that a call belongs to, None when it has no value for one of the keys: then the policy does not hold."""
    if not group_by:
        return "default"
    parts = []
    for group in group_by:
        value = facts.counted.get(group["key"])
        if value is None:
            return None
        parts.append(f"{group['key']}:{value}")
    return "-".join(parts)


def _facts(
    request: Request, model: str, name: str, slug: str, provider: Record | None, workspace_id: str | None, world: World
) -> Facts:
    """What a call is.

    The gateway compares slugs and counts by ids; a provider is for it the plain name behind the slug. *chosen*: conditions
    take what either side may call a thing, so workspaces and configs by id or slug, providers by their slug or plain name,
    models with either before them or with none, as the Terraform provider's tests name them.
    """
    facts = Facts({}, {})
    key_id = calls.key_id(request)
    _tell(facts, "api_key", key_id, key_id)
    organisation = organisation_id(world)
    _tell(facts, "organisation_id", organisation, organisation)
    workspace = world["workspaces"].get(workspace_id) if workspace_id else None
    if workspace is not None:
        _tell(facts, "workspace_id", workspace["id"], workspace["id"], workspace["slug"])
    if provider is not None:
        _tell(facts, "virtual_key", provider["id"], provider["slug"])
    slug = slug or name
    _tell(facts, "provider", name, name, slug)
    if model:
        _tell(facts, "model", f"{name}.{model}", f"@{name}/{model}", f"@{slug}/{model}", model)
    config = request.caller.config
    if config is not None and config.slug:
        _tell(facts, "config", config.id, config.slug, config.id)
    prompt = request.path.get("promptId")
    if prompt:
        known = find_prompt(world, prompt) or {"id": prompt, "slug": prompt}
        _tell(facts, "prompt", known["id"], known["slug"], known["id"])
    endpoint = ENDPOINT_TYPES.get(request.operation.id, "proxy")
    _tell(facts, "endpoint_type", endpoint, endpoint)
    for key, value in calls.metadata(request, world).items():
        _tell(facts, f"metadata.{key}", value, value)
    return facts


def _tell(facts: Facts, key: str, counted: str, *told: str) -> None:
    facts.told[key], facts.counted[key] = told, counted


def _spend(policy: Record, value_key: str, amount: float, world: World) -> None:
    wire = policy["_wire"]
    group = entity(policy, value_key, world) or _begun(policy, value_key, world)
    if not amount:
        return
    usage = number(round(group["_usage"] + amount, 9))
    told = list(group["_told"])
    for reached, flag, kind in (
        (limits.is_alarming(wire, usage), THRESHOLD_TOLD, "usage-threshold"),
        (is_used_up(policy, usage), EXHAUSTION_TOLD, "usage-exhausted"),
    ):
        if reached and flag not in told:
            told.append(flag)
            _mail(policy, value_key, usage, kind, world)
    world[ENTITIES].replace({**group, "_usage": usage, "_told": told})


def _begun(policy: Record, value_key: str, world: World) -> Record:
    group: Record = {
        "id": world.ids.uuid4(),
        "policy_id": policy["id"],
        "value_key": value_key,
        "created_at": world.clock.timestamp(),
        "_handle": f"{policy['id']}/{value_key}",
        "_usage": 0,
        "_told": [],
    }
    world[ENTITIES].add(group)
    return group


def _mail(policy: Record, value_key: str, usage: float, kind: str, world: World) -> None:
    """Write down a mail about a group, to owners and admins of the organisation, as for other limits."""
    wire = policy["_wire"]
    about = {"object": wire["object"], "id": wire["id"], "name": wire["name"], "value_key": value_key}
    limit = {name: wire[name] for name in ("type", "credit_limit", "alert_threshold")}
    world.tell(kind, {"to": admins(world), "about": about, "usage": usage, "usage_limits": limit})


def _rates(policy: Record) -> list[Record]:
    wire = policy["_wire"]
    return [wire] if wire["value"] > 0 else []


def _subject(policy: Record, value_key: str) -> str:
    return f"policy:{policy['id']}:{value_key}"
