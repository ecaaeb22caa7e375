"""Integrations and the workspaces that may use them: a grant makes a provider in the workspace, which is a virtual key too.

Families meet here: workspaces are born with what is open to all, integrations are granted, providers and virtual keys are
two views of the same rows. Source of every rule that names none: identity-and-access, Integration workspaces and Providers.
"""

from __future__ import annotations

from mockserver.contract.problems import CONFLICT, Problem, invalid
from mockserver.portkey.due import changed, limited, settle
from mockserver.portkey.provider_rows import make_provider
from mockserver.portkey.provider_settings import merged_settings
from mockserver.portkey.records import mask, new_slug, organisation_id, owner_id, stem
from mockserver.values import Record
from mockserver.world.world import World

GRANTED = "Created automatically on integration access grant"
"""The note of a provider that a grant has made (recorded)."""
ORGANISATION = "organisation"
"""The home of an integration that belongs to no workspace."""


def make_integration(fields: Record, workspace: Record | None, world: World, owner: str | None = None) -> Record:
    """Store a new integration and return its record. Its key is not kept, only the mask. Fails: `conflict` for a taken slug."""
    slug = fields.get("slug") or new_slug("integrations", "", stem(fields["name"]) or "integration", 255, world)
    if world["integrations"].find("slug", slug) is not None:
        raise Problem(CONFLICT, f"An integration with the slug {slug} exists")
    now = world.clock.timestamp()
    workspace_id = workspace["id"] if workspace is not None else None
    key = fields.get("key")
    if key:
        world.secrets.add(key)
    record: Record = {
        "id": world.ids.uuid4(),
        "slug": slug,
        "name": fields["name"],
        "ai_provider_id": fields["ai_provider_id"],
        "description": fields.get("description"),
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
        "organisation_id": organisation_id(world),
        "workspace_id": workspace_id,
        "owner_id": owner or owner_id(world),
        "masked_key": mask(key) if key else None,
        "configurations": merged_settings({}, fields.get("configurations") or {}),
        "global_workspace_access": None,
        "allow_all_models": True,
        "secret_mappings": fields.get("secret_mappings") or [],
        "pricing_adjustments": fields.get("pricing_adjustments"),
        "_home": workspace_id or ORGANISATION,
    }
    world["integrations"].add(record)
    return record


def remove_provider(provider: Record, world: World) -> None:
    """Forget a provider, and the integration that was made for it alone."""
    world["providers"].remove(provider["id"])
    integration = world["integrations"].get(provider["integration_id"])
    if integration is not None and integration.get("_made_for") == provider["id"]:
        remove_integration(integration, world)


def remove_integration(integration: Record, world: World) -> None:
    """Forget an integration and all that hangs on it: models, grants, providers (*chosen*: they could call nothing)."""
    for collection in ("integration_models", "integration_workspaces", "providers"):
        for record in list(world[collection].newest(integration_id=integration["id"])):
            world[collection].remove(record["id"])
    world["integrations"].remove(integration["id"])


def grant(
    integration: Record,
    workspace: Record,
    fields: Record,
    world: World,
    *,
    provider_slug: str | None = None,
    create_provider: bool = True,
    to_all: bool = False,
) -> None:
    """Let a workspace use an integration, or forbid it.

    `fields` have `enabled`, and may have `usage_limits`, `rate_limits` and `reset_usage`. A workspace that comes in gets a
    provider with the slug and the name of the integration, unless it has one of this integration already or
    `create_provider` is false. `to_all` marks what the access of all workspaces gave. Fails: `invalid-request` for a
    `provider_slug` that the workspace has already; what is for all goes on under a slug that is free.
    """
    key = f"{integration['id']}/{workspace['id']}"
    known = world["integration_workspaces"].get(key)
    now = world.clock.timestamp()
    was_open = known is not None and known["_wire"]["enabled"]
    if known is None:
        known = {
            "id": key,
            "integration_id": integration["id"],
            "workspace_id": workspace["id"],
            "status": "active",
            "created_at": now,
            "_usage": fields.get("_usage", 0),
            "_resets_at": None,
            "_due": None,
            "_wire": {
                "id": workspace["slug"],
                "enabled": False,
                "usage_limits": None,
                "rate_limits": None,
                "created_at": now,
                "last_updated_at": now,
            },
        }
        world["integration_workspaces"].add(known)
    known = settle(world, "integration_workspaces", known)
    shown: Record = {"enabled": fields["enabled"], "last_updated_at": now}
    own = limited(known, world, fields, shown)
    if "rate_limits" in shown:
        shown["rate_limits"] = shown["rate_limits"] or None
    world["integration_workspaces"].replace(changed(known, world, shown, _to_all=to_all, **own))
    if fields["enabled"] and not was_open and create_provider:
        if to_all and _is_taken(workspace, provider_slug, world):
            provider_slug = None
        _greet(integration, workspace, provider_slug, world)


def revoke_own(integration: Record, world: World, *, but: list[str]) -> None:
    """Forget what was given to workspaces alone, except to some: they have what is for all, or nothing.

    Their providers stay, and open no model any more when nothing is left (see `metering`).
    """
    rows = world["integration_workspaces"]
    for row in list(rows.newest(integration_id=integration["id"])):
        if row["workspace_id"] in but:
            continue
        if _for_all(integration)["enabled"]:
            rows.replace({**row, "_to_all": True})
        else:
            rows.remove(row["id"])


def follow_all(integration: Record, world: World) -> None:
    """Bring the workspaces that have nothing of their own to what is for all."""
    terms = _for_all(integration)
    for workspace in reversed(list(world["workspaces"].newest(_shelf="active"))):
        row = world["integration_workspaces"].get(f"{integration['id']}/{workspace['id']}")
        if terms["enabled"] if row is None else row["_to_all"]:
            grant(integration, workspace, terms, world, **_welcome(integration))


def is_open(integration: Record, workspace_id: str, world: World) -> bool:
    """Whether a workspace may use an integration."""
    row = world["integration_workspaces"].get(f"{integration['id']}/{workspace_id}")
    return row is not None and bool(row["_wire"]["enabled"])


def settled(row: Record, world: World) -> Record:
    """Return the grant of an integration to a workspace as it is now."""
    return settle(world, "integration_workspaces", row)


def open_to_new(workspace: Record, world: World) -> None:
    """Grant a new workspace all that is open to every workspace."""
    for integration in reversed(list(world["integrations"].newest(_home=ORGANISATION))):
        if _for_all(integration)["enabled"]:
            grant(integration, workspace, _for_all(integration), world, **_welcome(integration))


def forget_workspace(workspace: Record, world: World) -> None:
    """Forget what a deleted workspace could use; the integrations that are its own go with it."""
    for row in list(world["integration_workspaces"].newest(workspace_id=workspace["id"])):
        world["integration_workspaces"].remove(row["id"])
    for integration in list(world["integrations"].newest(_home=workspace["id"])):
        remove_integration(integration, world)


def _for_all(integration: Record) -> Record:
    """What every workspace may do with an integration: the terms of a grant."""
    given = integration["global_workspace_access"]
    return given if given is not None and given["enabled"] else {"enabled": False}


def _welcome(integration: Record) -> Record:
    """How `grant` treats a workspace that comes in with all others: as the call said that opened the integration.

    *chosen*: also one that comes later, since `create_default_provider: false` is meant to leave workspaces empty.
    """
    return {"create_provider": True, "provider_slug": None, **(integration.get("_welcome") or {}), "to_all": True}


def _greet(integration: Record, workspace: Record, slug: str | None, world: World) -> None:
    """Make the provider that comes with a grant."""
    own = world["providers"].newest(integration_id=integration["id"])
    if any(provider["workspace_id"] == workspace["id"] for provider in own):
        return
    if _is_taken(workspace, slug, world):
        raise invalid("body", "/default_provider_slug", f"is taken: the workspace has a provider {slug}")
    if slug is None and not _is_taken(workspace, integration["slug"], world):
        slug = integration["slug"]
    make_provider({"name": integration["name"], "note": GRANTED, "slug": slug}, integration, workspace["id"], world)


def _is_taken(workspace: Record, slug: str | None, world: World) -> bool:
    """Whether a provider of a workspace has a slug."""
    return slug is not None and world["providers"].find("_handle", f"{workspace['id']}/{slug}") is not None
