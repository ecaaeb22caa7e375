"""Seed worlds: from a fixture's entries to records, through the same rules as calls.

A fixture names people, workspaces and keys by what people call them (address, slug); ids, secrets and times are the
world's. docs/fixtures.md tells what each entry may say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mockserver.contract.gate import compile_schema
from mockserver.contract.problems import Problem
from mockserver.portkey import api_keys, scopes, workspaces
from mockserver.stubs.resources import kept
from mockserver.stubs.service import FixtureError
from mockserver.values import JSON, Record
from mockserver.world.collection import Duplicate
from mockserver.world.world import World

Planter: TypeAlias = Callable[[Record, World], None]

ADMIN_KEY = "admin_key"
"""The fact that remembers the secret of the admin key which every seed world has."""

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
        workspaces.put_member(workspace, _user(address, world)["id"], role, world)


def _plant_key(entry: Record, world: World) -> None:
    kind = entry["type"]
    known = ("type", "workspace", "user", "secret", "usage")
    fields = {name: value for name, value in entry.items() if name not in known}
    fields["_usage"] = entry.get("usage", 0)
    granted = entry["scopes"]
    if granted == "all":
        fields["scopes"] = scopes.ADMIN_SCOPES if kind == "organisation-service" else scopes.WORKSPACE_SCOPES
    workspace_id = user_id = None
    if "workspace" in entry and kind == "organisation-service":
        raise _Unknown("a key of the organisation has no `workspace`")
    if "user" in entry and kind != "workspace-user":
        raise _Unknown("only a workspace-user key has a `user`")
    if kind != "organisation-service":
        workspace_id = _workspace(entry.get("workspace"), world)["id"]
    if kind == "workspace-user":
        user_id = _user(entry.get("user"), world)["id"]
    _, secret = api_keys.make(fields, kind, workspace_id, user_id, world, entry.get("secret"))
    if kind == "organisation-service" and granted == "all" and ADMIN_KEY not in world.facts:
        world.facts.put(ADMIN_KEY, secret)


def _plant_provider(entry: Record, world: World) -> None:
    workspace_id = _workspace(entry["workspace"], world)["id"]
    slug = entry.get("slug") or f"{entry['name'].lower().replace(' ', '-')}-{world.ids.hex(6)}"
    provider = {"id": world.ids.uuid4(), "name": entry["name"], "slug": slug, "workspace_id": workspace_id}
    world["providers"].add(kept({**provider, "created_at": world.clock.timestamp()}, slug))


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
            slug={"type": "string", "pattern": "^[a-zA-Z0-9_-]+$"},
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
            usage={"type": "number", "minimum": 0},
        ),
        _plant_workspace,
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
            usage={"type": "number", "minimum": 0},
        ),
        _plant_key,
    ),
    "providers": (_entry(["name", "workspace"], name=_TEXT, slug=_TEXT, workspace=_TEXT), _plant_provider),
}
"""Section of a fixture to what an entry may say, and how it is planted; sections are planted in this order."""


_HINTS = {"scopes": ": write `all`, or a list of at least one scope"}
"""What to add to an error about a field whose rule a validator cannot put into words."""


def plant(world: World, fixture: Record) -> None:
    """Fill a world. Raises `FixtureError` at the place of the mistake. A world without an admin key gets one."""
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
        for at, entry in enumerate(entries):
            error = next(iter(gate.iter_errors(entry)), None)
            if error is not None:
                hint = _HINTS.get(str(error.instance_path[0]) if error.instance_path else "", "")
                raise FixtureError((section, at, *error.instance_path), f"{error.message}{hint}")
            try:
                planter(entry, world)
            except Duplicate as mistake:
                what = {"_secrets": "secret", "_key": "slug"}.get(mistake.field, mistake.field)
                raise FixtureError((section, at), f"another entry has the same {what}") from mistake
            except (Problem, _Unknown) as mistake:
                raise FixtureError((section, at), str(mistake)) from mistake
    if ADMIN_KEY not in world.facts:
        _plant_key({"name": "Admin", "type": "organisation-service", "scopes": "all"}, world)


def admin_key(world: World) -> str:
    """Return the secret of a seed world's admin key."""
    return str(world.facts.get(ADMIN_KEY))


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
