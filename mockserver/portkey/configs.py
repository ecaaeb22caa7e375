"""Configs: how the gateway is to route, retry, cache and guard. Each change of the content makes a version.

Source of every rule that names none: prompts-configs-guardrails, Configs. What a content must be stands in `config_rules`.
"""

from __future__ import annotations

from mockserver import values
from mockserver.contract.problems import CONFLICT, INVALID_REQUEST, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.contract.violations import Violation
from mockserver.portkey import config_rules
from mockserver.portkey.identity import Caller
from mockserver.portkey.records import (
    listed,
    new_slug,
    organisation_id,
    owner_id,
    page,
    required,
    workspace_named,
    workspace_required,
)
from mockserver.values import Record
from mockserver.world.world import World

SLUG_STEM = 6


def create_config(request: Request, world: World) -> Reply:
    """Make a config and its first version.

    The flag is `isDefault` for the document and the Terraform provider, `is_default` for both SDKs. Names may repeat.
    Fails: `invalid-request` without a workspace, and for a content that breaks a rule.
    """
    caller: Caller = request.caller
    fields = request.fields
    workspace_id = workspace_required(request, world, "a config")["id"]
    _check(request, workspace_id, world)
    config = make(fields, workspace_id, world, by=caller.user_id)
    told = {name: config[name] for name in ("id", "version_id", "slug")}
    return Reply(200, {"success": True, "data": told, **told, "object": "config"})


def list_configs(request: Request, world: World) -> Reply:
    """Show a page of configs, newest first, without their contents.

    *chosen*: an admin who names no workspace sees those of all. The dossier says that it must name one, but not what it gets
    without.
    """
    workspace = workspace_named(request, world)
    group = {} if workspace is None else {"workspace_id": workspace["id"]}
    rows, total = page(world, "configs", request.query, **group)
    return Reply(200, {"success": True, "object": "list", "total": total, "data": [_item(config) for config in rows]})


def get_config(request: Request, world: World) -> Reply:
    """Show a config: flat, with the content as text, as recorded; and in `data` as an object, as the document has it."""
    config = required(request, world, "configs", request.path["slug"])
    return Reply(200, {"success": True, "data": {"config": config["_content"]}, **_shown(config)})


def update_config(request: Request, world: World) -> Reply:
    """Change name and status where they are sent; a content replaces the old one as a whole and makes a version.

    What else is sent is ignored: the SDKs repeat the slug, and no client changes the default flag. The reply names the version
    that now counts, also when that is the one before (*chosen*).
    """
    config = required(request, world, "configs", request.path["slug"])
    caller: Caller = request.caller
    fields = request.fields
    changes: Record = {name: fields[name] for name in ("name", "status") if name in fields}
    if "config" in fields:
        _check(request, config["workspace_id"], world)
        changes |= _version(config["id"], fields["config"], world)
    if changes:
        by = caller.user_id or owner_id(world)
        config = {**config, **changes, "updated_by": by, "last_updated_at": world.clock.timestamp()}
        world["configs"].replace(config)
    told = {"version_id": config["version_id"]}
    return Reply(200, {"success": True, "data": told, **told, "object": "config"})


def delete_config(request: Request, world: World) -> Reply:
    """Forget a config and its versions. Fails: `conflict` while a workspace or a key falls back to it.

    Source: prompts-configs-guardrails, Configs: Delete (workspaces; status *chosen* there, text here); identity-and-access,
    Errors (409 for a config bound to a live key, by the Terraform provider's tests).
    """
    config = required(request, world, "configs", request.path["slug"])
    names = (config["id"], config["slug"])
    for workspace in world["workspaces"].newest(_shelf="active"):
        if (workspace["_wire"]["defaults"] or {}).get("user_api_key_config") in names:
            raise Problem(CONFLICT, f"Unable to delete. The workspace {workspace['slug']} has it as the default of user keys")
    for key in world["api_keys"].newest():
        if key["_wire"]["defaults"]["config_id"] in names:
            raise Problem(CONFLICT, f"Unable to delete. The API key {key['id']} has it as its default")
    for version in world["config_versions"].newest(config_id=config["id"]):
        world["config_versions"].remove(version["id"])
    world["configs"].remove(config["id"])
    return Reply(200, {})


def list_config_versions(request: Request, world: World) -> Reply:
    """Show a config once for each version of its content, newest first (*chosen*: the order is not known)."""
    config = required(request, world, "configs", request.path["slug"])
    versions = world["config_versions"].newest(config_id=config["id"])
    rows = [{**_shown(config), "config": version["config"], "version_id": version["id"]} for version in versions]
    return listed(rows, len(rows))


def make(fields: Record, workspace_id: str, world: World, by: str | None = None, slug: str | None = None) -> Record:
    """Store a new config and its first version, made by a user or for lack of one by the organisation's owner.

    Its slug is made from the name unless one is given, which only fixtures can.
    """
    config_id, now, by = world.ids.uuid4(), world.clock.timestamp(), by or owner_id(world)
    is_default = fields.get("is_default") or fields.get("isDefault") or 0
    if is_default:
        _clear_default(workspace_id, world)
    config: Record = {
        "id": config_id,
        "name": fields["name"],
        "slug": slug or new_slug("configs", "pc", fields["name"], SLUG_STEM, world),
        "organisation_id": organisation_id(world),
        "workspace_id": workspace_id,
        "is_default": is_default,
        "status": "active",
        "owner_id": by,
        "updated_by": by,
        "created_at": now,
        "last_updated_at": now,
        "object": "config",
        **_version(config_id, fields["config"], world),
        "format": "json",
        "type": "ORG_CONFIG",
    }
    world["configs"].add(config)
    return config


def _check(request: Request, workspace_id: str, world: World) -> None:
    """Refuse a content that breaks a rule. Source: prompts-configs-guardrails, Configs: Validation (400 AB01)."""
    caller: Caller = request.caller
    faults = config_rules.faults(request.fields["config"], world, workspace_id, caller.key is not None)
    if faults:
        violations = [Violation("body", f"/config{fault.pointer}", fault.text) for fault in faults]
        raise Problem(INVALID_REQUEST, "; ".join(dict.fromkeys(fault.text for fault in faults)), violations=violations)


def _version(config_id: str, content: Record, world: World) -> Record:
    """Store a version, and return the fields of its config that follow from it: the content as text, and as it is."""
    version_id, text = world.ids.uuid4(), values.dump(content).decode()
    world["config_versions"].add(
        {"id": version_id, "config_id": config_id, "config": text, "created_at": world.clock.timestamp()}
    )
    return {"config": text, "version_id": version_id, "_content": content}


def _clear_default(workspace_id: str, world: World) -> None:
    """Take the flag from the config that has it. *chosen*: a workspace has one default, whatever was the default before."""
    for config in world["configs"].newest(workspace_id=workspace_id):
        if config["is_default"]:
            world["configs"].replace({**config, "is_default": 0})


def _shown(config: Record) -> Record:
    """A config as a read shows it."""
    return {name: value for name, value in config.items() if not name.startswith("_")}


def _item(config: Record) -> Record:
    """A config as lists show it: without content, format, type and version (recorded)."""
    return {name: value for name, value in _shown(config).items() if name not in ("config", "format", "type", "version_id")}
