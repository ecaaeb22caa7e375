"""Seed worlds: from a fixture's entries to records, through the same rules as calls.

A fixture names people, workspaces and keys by what people call them (address, slug); ids, secrets and times are the
world's. docs/fixtures.md tells what each entry may say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from mockserver.contract.gate import Validator, compile_schema
from mockserver.contract.problems import Problem
from mockserver.portkey import access, config_rules, configs, guardrails, memberships, provider_rows, scopes, workspaces
from mockserver.portkey.keys import make_key
from mockserver.portkey.provider_settings import checked_settings
from mockserver.stubs.service import FixtureError
from mockserver.values import JSON, Record
from mockserver.world.collection import Duplicate
from mockserver.world.world import World

Planter: TypeAlias = Callable[[Record, World], None]

ADMIN_KEY = "admin_key"
"""The fact that remembers the secret of the admin key which every seed world has."""
WORKSPACE_KEY = "workspace_key"
"""The fact that remembers the secret of the first workspace's service key with all scopes, if there is one."""

_TEXT: Record = {"type": "string", "minLength": 1}
_UUID: Record = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}
_TIME: Record = {"type": "string", "format": "date-time"}
_ROLES: Record = {"enum": ["admin", "manager", "member"]}
_RATE: Record = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "unit", "value"],
    "properties": {
        "type": {"enum": ["requests", "tokens"]},
        "unit": {"enum": ["rps", "rpm", "rph", "rpd", "rpw"]},
        "value": {"type": "integer", "minimum": 0},
    },
}
_BUDGET: Record = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["cost", "tokens"]},
        "credit_limit": {"type": "number", "minimum": 1},
        "alert_threshold": {"type": "number", "minimum": 1},
        "periodic_reset": {"enum": ["weekly", "monthly"]},
        "periodic_reset_days": {"type": "integer", "minimum": 1, "maximum": 365},
        "next_usage_reset_at": _TIME,
    },
}
_SLUG: Record = {"type": "string", "pattern": "^[a-zA-Z0-9_-]+$"}
_USAGE: Record = {"type": "number", "minimum": 0}
_METADATA: Record = {"type": "object", "additionalProperties": {"type": "string"}}


def _entry(required: list[str], **properties: JSON) -> Record:
    rules: Record = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**rules, "required": required} if required else rules


def _plant_user(entry: Record, world: World) -> None:
    now = world.clock.timestamp()
    user = {"id": world.ids.uuid1(), "role": "member", **entry}
    world["users"].add({**user, "object": "user", "created_at": now, "last_updated_at": now})


def _plant_workspace(entry: Record, world: World) -> None:
    fields = {name: value for name, value in entry.items() if name not in ("members", "usage")}
    fields["_usage"] = entry.get("usage", 0)
    workspace = workspaces.make(fields, world, is_default=fields.pop("is_default", False))
    for address, role in (entry.get("members") or {}).items():
        memberships.put_member(workspace, _user(address, world)["id"], role, world)


def _plant_key(entry: Record, world: World) -> None:
    kind = entry["type"]
    known = ("type", "workspace", "user", "secret", "usage")
    fields = {name: value for name, value in entry.items() if name not in known}
    fields["_usage"] = entry.get("usage", 0)
    granted = entry["scopes"]
    if granted == "all":
        fields["scopes"] = scopes.EVERYTHING if kind == "organisation-service" else scopes.WORKSPACE_SCOPES
    workspace_id = user_id = None
    if "workspace" in entry and kind == "organisation-service":
        raise _Unknown("a key of the organisation has no `workspace`")
    if "user" in entry and kind != "workspace-user":
        raise _Unknown("only a workspace-user key has a `user`")
    if kind != "organisation-service":
        workspace_id = _workspace(entry.get("workspace"), world)["id"]
    if kind == "workspace-user":
        user_id = _user(entry.get("user"), world)["id"]
    _, secret = make_key(fields, kind, workspace_id, user_id, world, entry.get("secret"))
    fact = {"organisation-service": ADMIN_KEY, "workspace-service": WORKSPACE_KEY}.get(kind)
    if fact is not None and granted == "all" and fact not in world.facts:
        world.facts.put(fact, secret)


def _plant_integration(entry: Record, world: World) -> None:
    home = _workspace(entry["workspace"], world) if "workspace" in entry else None
    checked_settings(entry["ai_provider_id"], entry.get("configurations"))
    made = access.make_integration(entry, home, world)
    grants = entry.get("workspaces") or ([] if home is None else [{"workspace": home["slug"]}])
    for row in grants:
        terms = {"enabled": True, **{name: row[name] for name in ("enabled", "usage_limits", "rate_limits") if name in row}}
        terms["_usage"] = row.get("usage", 0)
        create = entry.get("create_providers", True)
        access.grant(made, _workspace(row["workspace"], world), terms, world, create_provider=create)
    if entry.get("every_workspace"):
        if home is not None:
            raise _Unknown("an integration of one workspace cannot be open to `every_workspace`")
        terms = {"enabled": True, "usage_limits": None, "rate_limits": None}
        welcome = {"create_provider": entry.get("create_providers", True), "provider_slug": None}
        made = {**made, "global_workspace_access": terms, "_welcome": welcome}
        world["integrations"].replace(made)
        access.follow_all(made, world)


def _plant_provider(entry: Record, world: World) -> None:
    workspace = _workspace(entry["workspace"], world)
    integration = world["integrations"].find("slug", entry["integration"])
    if integration is None:
        raise _Unknown(f"there is no integration {entry['integration']!r}; integrations are named by their slug")
    if not access.is_open(integration, workspace["id"], world):
        raise _Unknown(f"the integration {entry['integration']!r} is not granted to {entry['workspace']!r}")
    provider_rows.make_provider({**entry, "_usage": entry.get("usage", 0)}, integration, workspace["id"], world)


def _plant_guardrail(entry: Record, world: World) -> None:
    home = _workspace(entry["workspace"], world)["id"] if "workspace" in entry else None
    guardrails.check_parameters(entry["checks"])
    guardrails.make({"actions": {}, **entry}, home, world, slug=entry.get("slug"))


def _plant_config(entry: Record, world: World, shape: Validator | None = None) -> None:
    workspace_id = _workspace(entry["workspace"], world)["id"]
    faults = config_rules.shape_faults(entry["config"], shape) or config_rules.faults(entry["config"], world, workspace_id)
    if faults:
        raise _Unknown("; ".join(f"config{fault.pointer}: {fault.text}" for fault in faults))
    fields = {**entry, "is_default": int(entry.get("is_default", False))}
    configs.make(fields, workspace_id, world, slug=entry.get("slug"))


SECTIONS: dict[str, tuple[Record, Planter]] = {
    "users": (
        _entry(
            ["email"],
            id=_UUID,
            email={"type": "string", "format": "email"},
            first_name={"type": "string"},
            last_name={"type": "string"},
            role={"enum": ["owner", "admin", "member"]},
        ),
        lambda entry, world: _plant_user({"first_name": "", "last_name": "", **entry}, world),
    ),
    "workspaces": (
        _entry(
            ["name"],
            id=_UUID,
            name=_TEXT,
            slug=_SLUG,
            icon=_TEXT,
            description={"type": "string"},
            is_default={"type": "boolean"},
            members={"type": "object", "additionalProperties": _ROLES},
            defaults=_entry(
                [],
                metadata=_METADATA,
                input_guardrails={"type": "array", "items": _TEXT},
                output_guardrails={"type": "array", "items": _TEXT},
                user_api_key_config=_TEXT,
            ),
            usage_limits={"type": "array", "items": _BUDGET},
            rate_limits={"type": "array", "items": _RATE},
            usage=_USAGE,
        ),
        _plant_workspace,
    ),
    "integrations": (
        _entry(
            ["name", "ai_provider_id"],
            name=_TEXT,
            slug=_SLUG,
            ai_provider_id=_TEXT,
            key=_TEXT,
            description={"type": "string"},
            configurations={"type": "object"},
            workspace=_TEXT,
            create_providers={"type": "boolean"},
            every_workspace={"type": "boolean"},
            workspaces={
                "type": "array",
                "items": _entry(
                    ["workspace"],
                    workspace=_TEXT,
                    enabled={"type": "boolean"},
                    usage_limits={"type": "array", "maxItems": 1, "items": _BUDGET},
                    rate_limits={"type": "array", "maxItems": 1, "items": _RATE},
                    usage=_USAGE,
                ),
            },
        ),
        _plant_integration,
    ),
    "providers": (
        _entry(
            ["name", "workspace", "integration"],
            name=_TEXT,
            slug=_SLUG,
            workspace=_TEXT,
            integration=_TEXT,
            note={"type": "string"},
            expires_at=_TIME,
            usage_limits=_BUDGET,
            rate_limits={"type": "array", "items": _RATE},
            usage=_USAGE,
        ),
        _plant_provider,
    ),
    "guardrails": (
        _entry(
            ["name", "checks"],
            name=_TEXT,
            slug=_SLUG,
            workspace=_TEXT,
            checks={
                "type": "array",
                "minItems": 1,
                "items": _entry(["id"], id=_TEXT, name=_TEXT, parameters={"type": "object"}, is_enabled={"type": "boolean"}),
            },
            actions={"type": "object"},
        ),
        _plant_guardrail,
    ),
    "configs": (
        _entry(
            ["name", "workspace", "config"],
            name=_TEXT,
            slug=_SLUG,
            workspace=_TEXT,
            config={"type": "object"},
            is_default={"type": "boolean"},
        ),
        _plant_config,
    ),
    "api_keys": (
        _entry(
            ["name", "type", "scopes"],
            id=_UUID,
            name=_TEXT,
            type={"enum": list(scopes.KEY_KINDS)},
            workspace=_TEXT,
            user=_TEXT,
            secret={"type": "string", "minLength": 8},
            description={"type": "string"},
            scopes={"anyOf": [{"enum": ["all"]}, {"type": "array", "minItems": 1, "items": _TEXT}]},
            expires_at=_TIME,
            usage_limits=_BUDGET,
            rate_limits={"type": "array", "items": _RATE},
            alert_emails={"type": "array", "items": {"type": "string", "format": "email"}},
            defaults=_entry([], metadata=_METADATA, config_id=_TEXT, allow_config_override={"type": "boolean"}),
            usage=_USAGE,
        ),
        _plant_key,
    ),
}
"""Section of a fixture to what an entry may say, and how it is planted; sections are planted in this order."""


_HINTS = {"scopes": ": write `all`, or a list of at least one scope"}
"""What to add to an error about a field whose rule a validator cannot put into words."""


def plant(world: World, fixture: Record, document: Record) -> None:
    """Fill a world. Raises `FixtureError` at the place of the mistake. A world without an admin key gets one.

    The document is Portkey's: it has the schema of configs.
    """
    for section in fixture:
        if section not in SECTIONS:
            raise FixtureError((section,), f"there is no section {section!r}, only {', '.join(SECTIONS)}")
    for section, (schema, planter) in SECTIONS.items():
        entries = fixture.get(section)
        if entries is None:
            continue
        if not isinstance(entries, list):
            raise FixtureError((section,), "a list of entries is needed here")
        gate = compile_schema(schema)
        plant_one = partial(_plant_config, shape=config_rules.shape(document)) if section == "configs" else planter
        for at, entry in _expanded(section, entries):
            error = next(iter(gate.iter_errors(entry)), None)
            if error is not None:
                hint = _HINTS.get(str(error.instance_path[0]) if error.instance_path else "", "")
                raise FixtureError((section, at, *error.instance_path), f"{error.message}{hint}")
            try:
                plant_one(entry, world)
            except Duplicate as mistake:
                what = {"_secrets": "secret"}.get(mistake.field, mistake.field)
                raise FixtureError((section, at), f"another entry has the same {what}") from mistake
            except (Problem, _Unknown) as mistake:
                raise FixtureError((section, at), str(mistake)) from mistake
    if ADMIN_KEY not in world.facts:
        _plant_key({"name": "Admin", "type": "organisation-service", "scopes": "all"}, world)


def _expanded(section: str, entries: list[JSON]) -> Iterator[tuple[int, JSON]]:
    """Each entry with its place, one with `repeat` so many times: `{n}` counts from 1, `{n%5}` goes round from 1 to 5."""
    for at, entry in enumerate(entries):
        if not isinstance(entry, dict) or "repeat" not in entry:
            yield at, entry
            continue
        times = entry["repeat"]
        if type(times) is not int or not 1 <= times <= MOST_REPEATS:
            raise FixtureError((section, at, "repeat"), f"{times!r} is no whole number from 1 to {MOST_REPEATS}")
        pattern = {name: value for name, value in entry.items() if name != "repeat"}
        for number in range(1, times + 1):
            yield at, _numbered(pattern, number)


def _numbered(value: JSON, number: int) -> JSON:
    if isinstance(value, str):
        return _NUMBER.sub(lambda found: str((number - 1) % int(found[1]) + 1 if found[1] else number), value)
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    if isinstance(value, dict):
        return {_numbered(name, number): _numbered(item, number) for name, item in value.items()}
    return value


MOST_REPEATS = 1_000_000
_NUMBER = re.compile(r"\{n(?:%([1-9]\d{0,6}))?\}")


def admin_key(world: World) -> str:
    """Return the secret of a seed world's admin key."""
    return str(world.facts.get(ADMIN_KEY))


def workspace_key(world: World) -> str | None:
    """Return the secret of a workspace's service key with all scopes, None when the fixture has none."""
    known = world.facts.get(WORKSPACE_KEY)
    return None if known is None else str(known)


class _Unknown(ValueError):
    """A name in a fixture that nothing bears."""


def _user(address: str | None, world: World) -> Record:
    found = world["users"].find("email", address) if address else None
    if address is None:
        raise _Unknown("`user` is needed here: whose key it is, by their address")
    if found is None:
        raise _Unknown(f"there is no user {address!r}; users are named by their address")
    return found


def _workspace(slug: str | None, world: World) -> Record:
    found = world["workspaces"].find("slug", slug) if slug else None
    if slug is None:
        raise _Unknown("`workspace` is needed here: the one it belongs to, by its slug")
    if found is None:
        raise _Unknown(f"there is no workspace {slug!r}; workspaces are named by their slug")
    return found
