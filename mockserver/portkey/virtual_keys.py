"""Virtual keys: the older view of providers. A virtual key brings its provider's key along.

Source of every rule that names none: identity-and-access, Virtual keys.
"""

from __future__ import annotations

import re

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import access, provider_rows
from mockserver.portkey.provider_settings import SECRETS, check_host, has_own_authentication
from mockserver.portkey.records import listed, mask, new_slug, stem, workspace_required
from mockserver.portkey.secret_mappings import checked_mappings
from mockserver.values import Record
from mockserver.world.world import World

_SETTING = re.compile(
    r"(api_?version|resource_?name|deployment_?(name|config)|aws|azure|vertex|workers_?ai|openai|huggingface|snowflake|amzn|custom)"
    r".*",
    re.IGNORECASE,
)
"""A provider's own settings, in camel case or with underscores, as the Node SDK has them."""

_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")
_CREDENTIAL = re.compile(r"key|secret|token|json|headers")


_TARGETS = ("key", "model_config.")
"""Where a secret may go."""


def create_virtual_key(request: Request, world: World) -> Reply:
    """Store a provider's key for a workspace; it is a provider at once, with an integration of the workspace behind it.

    Fails: `invalid-request` without a workspace, for a private host, and without a key unless a secret is mapped to it or the
    provider's settings hold its credentials.
    *chosen*: the integration has the slug of the virtual key, and goes with it (the dossier: likely, unconfirmed).
    """
    fields = request.fields
    workspace = workspace_required(request, world, "a virtual key")
    settings = {name: value for name, value in _settings(fields).items() if value is not None}
    check_host(settings, "")
    mappings = checked_mappings(fields.get("secret_mappings"), _TARGETS, workspace["id"], world)
    mapped = {mapping["target_field"] for mapping in mappings or ()}
    is_open = has_own_authentication(fields["provider"], settings) or any(map(_is_secret, settings))
    if not fields.get("key") and "key" not in mapped and not is_open:
        raise invalid("body", "/key", "is required unless a secret is mapped to it")
    slug = new_slug("integrations", "", stem(fields["name"]) or "virtual-key", 255, world)
    given = {"name": fields["name"], "ai_provider_id": fields["provider"], "key": fields.get("key"), "slug": slug}
    integration = access.make_integration(given, workspace, world, owner=request.caller.user_id)
    access.grant(integration, workspace, {"enabled": True}, world, create_provider=False)
    own = {"slug": slug, "model_config": _shown(settings) or None, "secret_mappings": mappings}
    made = provider_rows.make_provider(provider_rows.said(fields) | own, integration, workspace["id"], world)
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
    """Change the fields that are sent; null clears. A new `key` shows in the mask.

    Fails: `invalid-request` for a private host, and for the `key` of an integration that was not made for this virtual key
    (*chosen*: other providers live on it).
    """
    provider, fields = provider_rows.provider_of(request, world), request.fields
    own: Record = {}
    if "secret_mappings" in fields:
        own["secret_mappings"] = checked_mappings(fields["secret_mappings"], _TARGETS, provider["workspace_id"], world)
    fields = {name: value for name, value in fields.items() if name != "model_config"}  # it is read, and said field by field
    settings = _settings(fields)
    if settings:
        check_host(settings, "")
        merged = {**(provider["_wire"]["model_config"] or {}), **_shown(settings)}
        fields["model_config"] = {name: value for name, value in merged.items() if value is not None} or None
    if fields.get("key"):
        integration = world["integrations"].get(provider["integration_id"])
        if integration is None or integration.get("_made_for") != provider["id"]:
            raise invalid("body", "/key", "is that of an integration which others use: change it there")
        world.secrets.add(fields["key"])
        world["integrations"].replace({**integration, "masked_key": mask(fields["key"])})
    made = provider_rows.change_provider(provider, fields, world, **own)
    return Reply(200, {"id": made["id"], "slug": made["slug"], "object": "virtual-key"})


def delete_virtual_key(request: Request, world: World) -> Reply:
    """Forget a virtual key, and the integration behind it if it was made for it."""
    access.remove_provider(provider_rows.provider_of(request, world), world)
    return Reply(200, {})


def _settings(fields: Record) -> Record:
    """The provider's own settings among the fields of a body, by their names with underscores."""
    return {_CAPITAL.sub(r"_\g<0>", name).lower(): value for name, value in fields.items() if _SETTING.fullmatch(name)}


def _is_secret(name: str) -> bool:
    return name in SECRETS or _CREDENTIAL.search(name) is not None


def _shown(settings: Record) -> Record:
    """Settings as a read shows them: in camel case, without credentials."""
    words = {name: name.split("_") for name in settings if not _is_secret(name)}
    return {first + "".join(map(str.capitalize, more)): settings[name] for name, (first, *more) in words.items()}
