"""Providers: what an integration is called in a workspace, with limits of its own.

Source of every rule that names none: identity-and-access, Providers.
"""

from __future__ import annotations

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import access, provider_rows
from mockserver.portkey.records import forbidden, listed, named, workspace_required
from mockserver.values import Record
from mockserver.world.world import World


def create_provider(request: Request, world: World) -> Reply:
    """Give an integration a name in a workspace.

    Fails: `invalid-request` for an unknown integration (*chosen*: not 404, which would say that the path is not there),
    `forbidden` for one that is not enabled for the workspace, `conflict` for a slug that the workspace has.
    """
    workspace = workspace_required(request, world, "a provider")
    integration = named(world, "integrations", request.fields["integration_id"])
    if integration is None:
        raise invalid("body", "/integration_id", "is no integration of the organisation")
    if not access.is_open(integration, workspace["id"], world):
        raise forbidden()
    made = provider_rows.make_provider(provider_rows.said(request.fields), integration, workspace["id"], world)
    return Reply(200, _named(made))


def list_providers(request: Request, world: World) -> Reply:
    """Show a page of providers, newest first."""
    rows, total = provider_rows.provider_page(request, world)
    return listed([_item(row, world) for row in rows], total)


def get_provider(request: Request, world: World) -> Reply:
    """Show a provider, by slug or id."""
    provider = provider_rows.provider_of(request, world)
    return Reply(200, {**provider_rows.shown(provider, world), "object": "provider"})


def update_provider(request: Request, world: World) -> Reply:
    """Change the fields that are sent; null clears."""
    provider = provider_rows.provider_of(request, world)
    return Reply(200, _named(provider_rows.change_provider(provider, request.fields, world)))


def delete_provider(request: Request, world: World) -> Reply:
    """Forget a provider, whatever refers to its slug."""
    access.remove_provider(provider_rows.provider_of(request, world), world)
    return Reply(200, {})


def _named(provider: Record) -> Record:
    return {"id": provider["id"], "slug": provider["slug"]}


def _item(provider: Record, world: World) -> Record:
    """A provider as lists show it.

    A single rate limit is shown as the object that the published interface has there and the Python client can read;
    several are an array (sdk-call-map 7.3).
    """
    shown = {**provider_rows.item(provider, world), "object": "provider"}
    rates = shown["rate_limits"]
    if rates is not None and len(rates) == 1:
        shown["rate_limits"] = rates[0]
    return shown
