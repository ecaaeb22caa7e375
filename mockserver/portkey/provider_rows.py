"""The rows that providers and virtual keys are two views of.

Source of every rule that names none: identity-and-access, Virtual keys and Providers.
"""

from __future__ import annotations

from mockserver.contract.problems import CONFLICT, Problem
from mockserver.contract.requests import Request
from mockserver.portkey.due import changed, limited, settle
from mockserver.portkey.records import (
    find_provider,
    forbidden,
    not_found,
    organisation_id,
    page,
    stem,
    workspace_named,
)
from mockserver.values import JSON, Record
from mockserver.world.world import World


def said(fields: Record) -> Record:
    """What a call may say of a new provider; the mock's own fields are not for callers."""
    return {name: fields[name] for name in _SAID if name in fields}


_SAID = ("name", "slug", "note", "model_config", "usage_limits", "rate_limits", "expires_at")


def make_provider(fields: Record, integration: Record, workspace_id: str, world: World) -> Record:
    """Store a new provider of an integration in a workspace and return its record.

    Fails: `conflict` for a slug that the workspace has already.
    """
    slug = fields.get("slug") or f"{stem(fields['name']) or 'provider'}-{world.ids.hex(6)}"
    handle = f"{workspace_id}/{slug}"
    if world["providers"].find("_handle", handle) is not None:
        raise Problem(CONFLICT, f"A provider with the slug {slug} exists in this workspace")
    provider_id = world.ids.uuid4()
    now = world.clock.timestamp()
    wire: Record = {
        "id": provider_id,
        "name": fields["name"],
        "slug": slug,
        "note": fields.get("note"),
        "status": "active",
        "usage_limits": None,
        "rate_limits": [],
        "model_config": fields.get("model_config"),
        "created_at": now,
        "expires_at": None,
        "last_reset_at": None,
        "integration_id": integration["slug"],
    }
    record: Record = {
        "id": provider_id,
        "slug": slug,
        "workspace_id": workspace_id,
        "integration_id": integration["id"],
        "status": "active",
        "created_at": now,
        "secret_mappings": fields.get("secret_mappings"),
        "_handle": handle,
        "_usage": fields.get("_usage", 0),
        "_resets_at": None,
        "_due": None,
        "_wire": wire,
    }
    own = limited(record, world, fields, wire)
    record = changed(record, world, **own)
    world["providers"].add(record)
    return record


def provider_of(request: Request, world: World) -> Record:
    """The provider of a call's path, by slug or id, settled.

    Fails: `not-found` for one that is not there, `forbidden` for one of a workspace that is out of the caller's reach.
    """
    workspace = workspace_named(request, world)
    asked = request.path["slug"]
    found = find_provider(world, asked, workspace["id"] if workspace is not None else None)
    if found is None:
        elsewhere = find_provider(world, asked, None)
        raise forbidden() if elsewhere is not None and request.caller.workspace_id is not None else not_found()
    return settle(world, "providers", found)


def provider_page(request: Request, world: World) -> tuple[list[Record], int]:
    """Return a page of providers, newest first, and how many there are: of a workspace, or of all to an organisation's key."""
    workspace = workspace_named(request, world)
    group = {} if workspace is None else {"workspace_id": workspace["id"]}
    rows, total = page(world, "providers", request.query, **group)
    return [settle(world, "providers", row) for row in rows], total


def change_provider(provider: Record, fields: Record, world: World, **own: JSON) -> Record:
    """Store the fields that a call sends, and return the record: those that are not sent stay, null clears.

    `slug`, `integration_id` and `workspace_id` are immutable and ignored.
    """
    wire: Record = {name: fields[name] for name in ("name", "note", "model_config") if name in fields}
    own |= limited(provider, world, fields, wire)
    made = changed(provider, world, wire, **own)
    world["providers"].replace(made)
    return made


def shown(provider: Record, world: World) -> Record:
    """A provider as a single read shows it: no workspace, but whose model it is, and the masked key (as recorded)."""
    integration = world["integrations"].get(provider["integration_id"]) or {}
    return {
        **_common(provider),
        "model_config": provider["_wire"]["model_config"] or {},
        "ai_provider_name": integration.get("ai_provider_id", ""),
        "key": "",
        "masked_api_key": integration.get("masked_key") or "",
        **({"secret_mappings": provider["secret_mappings"]} if provider["secret_mappings"] else {}),
    }


def item(provider: Record, world: World) -> Record:
    """A provider as lists show it: its workspace by id and name, no settings, rate limits null for none (as recorded)."""
    integration = world["integrations"].get(provider["integration_id"]) or {}
    workspace = world["workspaces"].get(provider["workspace_id"]) or {"_wire": {"name": ""}}
    return {
        **_common(provider),
        "reset_usage": None,
        "model_config": None,
        "rate_limits": provider["_wire"]["rate_limits"] or None,
        "organisation_id": organisation_id(world),
        "workspace_id": provider["workspace_id"],
        "workspace_name": workspace["_wire"]["name"],
        "provider": integration.get("ai_provider_id", ""),
    }


def _common(provider: Record) -> Record:
    return {**provider["_wire"], "tags": None}
