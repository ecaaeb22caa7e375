"""Integrations: the credentials of a provider, the models that they open, the workspaces that may use them.

Source of every rule that names none: identity-and-access, Integrations, Integration models, Integration workspaces.
"""

from __future__ import annotations

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import access, prices
from mockserver.portkey.identity import Caller
from mockserver.portkey.provider_settings import check_host, checked_settings, has_own_authentication, merged_settings
from mockserver.portkey.records import find_workspace, forbidden, listed, mask, named, not_found, page, workspace_named
from mockserver.portkey.secret_mappings import checked_mappings
from mockserver.values import Record
from mockserver.world.world import World

_TARGETS = ("key", "configurations.")
"""Where a secret may go."""


def create_integration(request: Request, world: World) -> Reply:
    """Store the credentials of a provider; the reply has the id and the slug.

    It is the organisation's, or a workspace's when one is named or the caller's key belongs to one; then the workspace gets
    a provider at once, unless `create_default_provider` is false. Fails: `invalid-request` for a missing key, a setting that
    the provider has not, a private host, a taken `default_provider_slug`; `conflict` for a taken slug.
    """
    fields = request.fields
    workspace = workspace_named(request, world)
    _check_scope(request.caller, workspace["id"] if workspace is not None else None, "create")
    settings = checked_settings(fields["ai_provider_id"], fields.get("configurations"))
    mappings = checked_mappings(
        fields.get("secret_mappings"), _TARGETS, workspace["id"] if workspace is not None else None, world
    )
    mapped = {mapping["target_field"] for mapping in mappings or ()}
    if not fields.get("key") and "key" not in mapped and not has_own_authentication(fields["ai_provider_id"], settings):
        raise invalid("body", "/key", f"is required for {fields['ai_provider_id']}")
    made = access.make_integration({**fields, "secret_mappings": mappings}, workspace, world, owner=request.caller.user_id)
    if workspace is not None:
        access.grant(
            made,
            workspace,
            {"enabled": True},
            world,
            provider_slug=fields.get("default_provider_slug"),
            create_provider=fields.get("create_default_provider", True),
        )
    return Reply(200, {"id": made["id"], "slug": made["slug"]})


def list_integrations(request: Request, world: World) -> Reply:
    """Show a page of integrations, newest first: the organisation's, those of workspaces, or all.

    Of a workspace, its own and those that were granted to it; a workspace's key asks for its own workspace. A caller sees
    what it may list.
    """
    caller: Caller = request.caller
    workspace = workspace_named(request, world)
    wanted = request.query["type"]

    def fits(record: Record) -> bool:
        kind = _kind(record)
        if wanted not in ("all", kind) or not caller.holds(f"{kind}_integrations.list"):
            return False
        return workspace is None or record["workspace_id"] == workspace["id"] or access.is_open(record, workspace["id"], world)

    everything = workspace is None and wanted == "all" and caller.key is None
    rows, total = page(world, "integrations", request.query, None if everything else fits)
    return listed([_item(record) for record in rows], total)


def get_integration(request: Request, world: World) -> Reply:
    """Show an integration, its credentials masked."""
    record = _find(request, world, "read")
    rows = world["integration_workspaces"].newest(integration_id=record["id"])
    return Reply(
        200,
        {
            **_item(record),
            "type": _kind(record),
            "workspace_id": record["workspace_id"],
            "owner_id": record["owner_id"],
            "masked_key": record["masked_key"],
            "configurations": record["configurations"],
            "global_workspace_access_settings": record["global_workspace_access"],
            "global_workspace_access": record["global_workspace_access"],
            "allow_all_models": record["allow_all_models"],
            "workspace_count": sum(row["_wire"]["enabled"] for row in rows),
            "secret_mappings": record["secret_mappings"],
            "pricing_adjustments": record["pricing_adjustments"],
        },
    )


def update_integration(request: Request, world: World) -> Reply:
    """Change the fields that are sent.

    `slug`, `ai_provider_id` and `workspace_id` are immutable and ignored. `secret_mappings` replace the list. Settings merge
    name by name, null takes one away (*chosen*: masked ones do not come back to be sent again).
    """
    record, fields = _find(request, world, "update"), request.fields
    made: Record = {name: fields[name] for name in ("name", "description", "pricing_adjustments") if name in fields}
    if fields.get("key"):
        world.secrets.add(fields["key"])
        made["masked_key"] = mask(fields["key"])
    if "secret_mappings" in fields:
        made["secret_mappings"] = checked_mappings(fields["secret_mappings"], _TARGETS, record["workspace_id"], world) or []
    if fields.get("configurations"):
        given = checked_settings(record["ai_provider_id"], fields["configurations"])
        made["configurations"] = merged_settings(record["configurations"], given)
    if made:
        world["integrations"].replace({**record, **made, "last_updated_at": world.clock.timestamp()})
    return Reply(200, {})


def delete_integration(request: Request, world: World) -> Reply:
    """Forget an integration, its models, its grants and its providers."""
    access.remove_integration(_find(request, world, "delete"), world)
    return Reply(200, {})


def list_integration_models(request: Request, world: World) -> Reply:
    """Show the models of an integration: the provider's own that are known here, and those that were added or switched."""
    record = _find(request, world, "read")
    rows = {row["slug"]: row for row in world["integration_models"].newest(integration_id=record["id"])}
    for slug in prices.models_of(record["ai_provider_id"]):
        rows.setdefault(slug, _built_in(slug, enabled=record["allow_all_models"]))
    models = [_model(row) for row in rows.values()]
    return Reply(200, {"models": models, "allow_all_models": record["allow_all_models"], "total": len(models)})


def update_integration_models(request: Request, world: World) -> Reply:
    """Switch models on or off, or add models of one's own; those that are not named stay as they are.

    Fails: `invalid-request` for a custom model without `base_model_slug`, for a private host, and for a model that is neither
    custom nor one of the provider's (see `prices.is_model_of`).
    """
    record, fields = _find(request, world, "update"), request.fields
    rows, now = world["integration_models"], world.clock.timestamp()
    for at, model in enumerate(fields["models"]):
        key = f"{record['id']}/{model['slug']}"
        known = rows.get(key)
        base = known or {**_built_in(model["slug"], enabled=True), "id": key, "integration_id": record["id"], "created_at": now}
        made = {**base, **{name: model[name] for name in _SAID_OF_A_MODEL if name in model}, "last_updated_at": now}
        for flag in ("is_custom", "is_finetune"):
            if made[flag] is None:  # as some clients say that they have nothing to say
                made[flag] = base[flag]
        if made["is_custom"] and not made["base_model_slug"]:
            raise invalid("body", f"/models/{at}/base_model_slug", "is required for a model of one's own")
        if not made["is_custom"] and known is None and not prices.is_model_of(record["ai_provider_id"], model["slug"]):
            raise invalid("body", f"/models/{at}/slug", f"Following models are not valid: {model['slug']}")
        if model.get("configurations"):
            check_host(model["configurations"], f"/models/{at}/configurations")
            made["configurations"] = merged_settings({}, model["configurations"])
        rows.replace(made) if known is not None else rows.add(made)
    if "allow_all_models" in fields:
        record = {**record, "allow_all_models": fields["allow_all_models"]}
    world["integrations"].replace({**record, "last_updated_at": now})
    return Reply(200, {})


def delete_integration_models(request: Request, world: World) -> Reply:
    """Delete models of one's own. Fails: `invalid-request` for any other: built-in models can only be switched off."""
    record, rows = _find(request, world, "update"), world["integration_models"]
    slugs = [slug.strip() for slug in request.query["slugs"].split(",") if slug.strip()]
    keys = {slug: f"{record['id']}/{slug}" for slug in slugs}
    wrong = [slug for slug, key in keys.items() if not (rows.get(key) or {}).get("is_custom")]
    if not slugs:
        raise invalid("query", "/slugs", "names no model")
    if wrong:
        raise invalid("query", "/slugs", f"Following models are not valid: {', '.join(wrong)}")
    for key in keys.values():
        rows.remove(key)
    return Reply(200, {})


def list_integration_workspaces(request: Request, world: World) -> Reply:
    """Show which workspaces may use an integration, and those that may not any more."""
    record = _find_for_access(request, world)
    rows = [access.settled(row, world)["_wire"] for row in world["integration_workspaces"].newest(integration_id=record["id"])]
    shown = [{name: row[name] for name in _SHOWN_OF_ACCESS} for row in rows]
    global_access = record["global_workspace_access"]
    return Reply(200, {"workspaces": shown, "total": len(shown), "global_workspace_access": global_access})


def update_integration_workspaces(request: Request, world: World) -> Reply:
    """Let workspaces use an integration, or forbid it.

    Those that are not named stay, unless the call overrides: then they lose what was given to them alone. Access for all goes
    to every workspace that has none of its own, also to those that come later; null or `enabled: false` takes away what it
    gave. Fails: `forbidden` for an unknown workspace, and for another than an integration of a workspace belongs to;
    `invalid-request` for a taken `default_provider_slug`, and for access for all to an integration of a workspace.
    """
    record, fields = _find_for_access(request, world), request.fields
    create_provider, provider_slug = fields.get("create_default_provider", True), fields.get("default_provider_slug")
    named_ids = []
    for row in fields.get("workspaces") or ():
        workspace = find_workspace(world, row["id"])
        if record["workspace_id"] not in (None, workspace["id"]):
            raise forbidden()
        named_ids.append(workspace["id"])
        access.grant(
            record,
            workspace,
            {name: row[name] for name in _SAID_OF_ACCESS if name in row},
            world,
            provider_slug=row.get("default_provider_slug") or provider_slug,
            create_provider=row.get("create_default_provider", create_provider),
        )
    if "global_workspace_access" in fields:
        given = fields["global_workspace_access"]
        if given is not None and record["workspace_id"] is not None:
            raise invalid("body", "/global_workspace_access", "is for integrations of the organisation: this is a workspace's")
        kept = None if given is None else {name: given.get(name) for name in ("enabled", "usage_limits", "rate_limits")}
        welcome = {"create_provider": create_provider, "provider_slug": provider_slug}
        changes = {"global_workspace_access": kept, "_welcome": welcome, "last_updated_at": world.clock.timestamp()}
        record = {**record, **changes}
        world["integrations"].replace(record)
    # The SDKs spell it their own way (sdk-call-map 6.1).
    overrides = fields.get("override_existing_workspace_access") or fields.get("override_existing_workspaces_access")
    if overrides:
        access.revoke_own(record, world, but=named_ids)
    if overrides or "global_workspace_access" in fields:
        access.follow_all(record, world)
    return Reply(200, {})


def _find(request: Request, world: World, verb: str) -> Record:
    """The integration of a call's path, by slug or id.

    Fails: `not-found` for one that is not there; `forbidden` for one of another workspace, and without the scope for its kind.
    """
    record = named(world, "integrations", request.path["slug"])
    if record is None:
        raise not_found()
    if record["workspace_id"] is not None:
        request.caller.reach(record["workspace_id"])
    _check_scope(request.caller, record["workspace_id"], verb)
    return record


def _find_for_access(request: Request, world: World) -> Record:
    """The integration whose workspaces a call is about: only an organisation's key may ask."""
    if request.caller.workspace_id is not None:
        raise forbidden()
    record = named(world, "integrations", request.path["slug"])
    if record is None:
        raise not_found()
    return record


def _check_scope(caller: Caller, workspace_id: str | None, verb: str) -> None:
    kind = "organisation" if workspace_id is None else "workspace"
    if not caller.holds(f"{kind}_integrations.{verb}"):
        raise forbidden()


def _kind(record: Record) -> str:
    return "organisation" if record["workspace_id"] is None else "workspace"


def _item(record: Record) -> Record:
    """An integration as lists show it."""
    return {name: record[name] for name in _LISTED} | {"object": "integration"}


_SAID_OF_A_MODEL = ("enabled", "is_custom", "is_finetune", "base_model_slug", "pricing_config", "configurations")
_SAID_OF_ACCESS = ("enabled", "usage_limits", "rate_limits", "reset_usage")
_SHOWN_OF_ACCESS = ("id", "enabled", "usage_limits", "rate_limits", "created_at", "last_updated_at")
_LISTED = ("id", "organisation_id", "ai_provider_id", "name", "status", "created_at", "last_updated_at", "slug", "description")


def _built_in(slug: str, *, enabled: bool) -> Record:
    """A model of the provider's own, of which nothing was said yet."""
    return {
        "slug": slug,
        "name": slug,
        "enabled": enabled,
        "is_custom": False,
        "is_finetune": False,
        "base_model_slug": None,
        "pricing_config": None,
        "configurations": None,
        "created_at": None,
        "last_updated_at": None,
    }


def _model(row: Record) -> Record:
    return {name: value for name, value in row.items() if name not in ("id", "integration_id")}
