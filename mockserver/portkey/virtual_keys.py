"""Virtual keys: the older view of providers. A virtual key brings its provider's key along.

Source of every rule that names none: identity-and-access, Virtual keys.
"""

from __future__ import annotations

import re

from mockserver.contract.problems import CONFLICT, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import access, provider_rows
from mockserver.portkey.records import listed, mask, stem, workspace_required
from mockserver.values import Record
from mockserver.world.world import World

_SETTING = re.compile(
    r"(api_?version|resource_?name|deployment_?(name|config)|aws|azure|vertex|workers_?ai|openai|huggingface|snowflake|amzn|custom)"
    r".*",
    re.IGNORECASE,
)
"""A provider's own settings, in camel case or with underscores, as the Node SDK has them."""

_SECRET = re.compile(r"key|secret|token|json|headers", re.IGNORECASE)


def create_virtual_key(request: Request, world: World) -> Reply:
    """Store a provider's key for a workspace; it is a provider at once, with an integration of the workspace behind it.

    Fails: `invalid-request` without a workspace, and without a key unless a secret is mapped to it or the provider's settings
    hold its credentials.
    *chosen*: the integration has the slug of the virtual key, and goes with it (the dossier: likely, unconfirmed).
    """
    fields = request.fields
    workspace = workspace_required(request, world, "a virtual key")
    settings = _settings(fields)
    mapped = {mapping["target_field"] for mapping in fields.get("secret_mappings") or ()}
    if not fields.get("key") and "key" not in mapped and not any(_SECRET.search(name) for name in fields if name in settings):
        raise invalid("body", "/key", "is required unless a secret is mapped to it")
    slug = f"{stem(fields['name']) or 'virtual-key'}-{world.ids.hex(6)}"
    given = {"name": fields["name"], "ai_provider_id": fields["provider"], "key": fields.get("key"), "slug": slug}
    integration = access.make_integration(given, workspace, world, owner=request.caller.user_id)
    access.grant(integration, workspace, {"enabled": True}, world, create_provider=False)
    shown = {**fields, "slug": slug, "model_config": _shown(settings) or None}
    made = provider_rows.make_provider(shown, integration, workspace["id"], world)
    world["integrations"].replace({**integration, "_made_for": made["id"]})
    told = {"id": made["id"], "slug": slug, "object": "virtual-key"}
    return Reply(200, {"success": True, "data": {"slug": slug}, **told})


def list_virtual_keys(request: Request, world: World) -> Reply:
    """Show a page of virtual keys, newest first."""
    rows, total = provider_rows.provider_page(request, world)
    return listed([{**provider_rows.item(row, world), "object": "virtual-key"} for row in rows], total)


def get_virtual_key(request: Request, world: World) -> Reply:
    """Show a virtual key, the provider's key masked."""
    provider = provider_rows.provider_of(request, world)
    return Reply(200, {**provider_rows.shown(provider, world), "object": "virtual-key"})


def update_virtual_key(request: Request, world: World) -> Reply:
    """Change the fields that are sent; null clears. A new `key` shows in the mask."""
    provider, fields = provider_rows.provider_of(request, world), request.fields
    own: Record = {}
    if "secret_mappings" in fields:
        own["secret_mappings"] = fields["secret_mappings"] or None
    settings = _settings(fields)
    if settings:
        fields = {**fields, "model_config": {**(provider["_wire"]["model_config"] or {}), **_shown(settings)}}
    if fields.get("key"):
        integration = world["integrations"].get(provider["integration_id"])
        if integration is None or integration.get("_made_for") != provider["id"]:
            raise Problem(CONFLICT, "The key of this virtual key is its integration's")
        world["integrations"].replace({**integration, "masked_key": mask(fields["key"])})
    made = provider_rows.change_provider(provider, fields, world, **own)
    return Reply(200, {"id": made["id"], "slug": made["slug"], "object": "virtual-key"})


def delete_virtual_key(request: Request, world: World) -> Reply:
    """Forget a virtual key, and the integration behind it if it was made for it."""
    access.remove_provider(provider_rows.provider_of(request, world), world)
    return Reply(200, {})


def _settings(fields: Record) -> Record:
    """The provider's own settings among the fields of a body."""
    return {name: value for name, value in fields.items() if value is not None and _SETTING.fullmatch(name)}


def _shown(settings: Record) -> Record:
    """Settings as a read shows them: in camel case, without credentials."""
    words = {name: name.split("_") for name in settings if not _SECRET.search(name)}
    return {first + "".join(map(str.capitalize, more)): settings[name] for name, (first, *more) in words.items()}
