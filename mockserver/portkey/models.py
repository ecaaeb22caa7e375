"""Models that can be called: the workspace's catalogue, and the lists that providers have of their own.

Source of every rule that names none: gateway-data-plane, /models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mockserver.contract.problems import FORBIDDEN, NOT_FOUND, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls, metering, prices, tuned
from mockserver.portkey.due import settle
from mockserver.portkey.gateway.exchange import Customer, Exchange, Provider
from mockserver.portkey.gateway.proxying import opened_for, pass_on
from mockserver.values import JSON, Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.world import World

BUILT_IN_AT = 1_715_367_049
"""When the models that a provider offers to all were made, as far as the lists tell (*chosen*: one time for all)."""


def list_models(request: Request, world: World) -> Reply:
    """Show the catalogue of the workspace, or a provider's own models when the call or its config names a provider.

    `x-portkey-fetch-integrated-models`, or the config's word for it, asks for the catalogue all the same, of what is named.
    *chosen*: a provider's own list is not filtered or paged, as the providers do neither by these names.
    """
    exchange = opened_for(request, world, {})
    addressed = _named(exchange)
    integrated = calls.text(request, b"x-portkey-fetch-integrated-models").lower() == "true"
    if addressed and not integrated and exchange.config.content.get("fetch_integrated_models") is not True:
        return pass_on(exchange, lambda customer, _: Reply(200, _own_list(customer, world)))
    query = request.query
    rows = [row for row in _catalogue(request.caller.workspace_id, world) if _fits(row, query, addressed)]
    rows.sort(key=_ORDERS[query.get("sort", "name")], reverse=query.get("order") == "desc")
    first = query.get("offset", 0)
    page = rows[first : first + query.get("limit", len(rows))]
    return Reply(200, {"object": "list", "total": len(rows), "data": [_listed(row) for row in page]})


def retrieve_model(request: Request, world: World) -> Reply:
    """Show a model as its provider does. Fails: `not-found` for one that the provider does not have.

    *chosen*: an id out of the catalogue, `@slug/model`, names the provider as the model of a chat does.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        provider = customer.provider
        model = _found(customer, body["model"], world)
        return Reply(200, _signed(_openai(model), provider))

    return pass_on(opened_for(request, world, {"model": request.path["model"]}), answer)


def delete_model(request: Request, world: World) -> Reply:
    """Delete a fine-tuned model. Fails: `not-found`; `forbidden` for a model that the provider offers to all (*chosen*)."""

    def answer(customer: Customer, body: Record) -> Reply:
        model = _found(customer, body["model"], world)
        if model["id"] not in world["models"]:
            detail = "You have insufficient permissions for this operation."
            raise Problem(FORBIDDEN, detail, type_="invalid_request_error")
        world["models"].remove(model["id"])
        return Reply(200, {"id": model["id"], "object": "model", "deleted": True})

    return pass_on(opened_for(request, world, {"model": request.path["model"]}), answer)


class Row(NamedTuple):
    """A model of the catalogue: what it is called, on what it is based, and who offers it."""

    model: str
    base: str
    slug: str
    ai_service: str


_ORDERS = {
    "name": lambda row: (row.model, row.slug),
    "provider": lambda row: (row.slug, row.model),
    "ai_service": lambda row: (row.ai_service, row.model, row.slug),
}


def _catalogue(workspace_id: str | None, world: World) -> Iterator[Row]:
    """The models of a workspace, or of all for a caller that belongs to none; each once.

    *chosen*: providers that are used up stay, since their models come back with the next reset; expired ones are gone.
    """
    group = {} if workspace_id is None else {"workspace_id": workspace_id}
    seen = set()
    for provider in list(world["providers"].newest(**group)):
        integration = world["integrations"].get(provider["integration_id"])
        access = world["integration_workspaces"].get(f"{provider['integration_id']}/{provider['workspace_id']}")
        if integration is None or access is None or not access["_wire"]["enabled"]:
            continue
        if settle(world, "providers", provider)["status"] == "expired":
            continue
        for model, base in _integrated(integration, world):
            row = Row(model, base, provider["slug"], integration["ai_provider_id"])
            if row not in seen:
                seen.add(row)
                yield row


def _integrated(integration: Record, world: World) -> Iterator[tuple[str, str]]:
    """The models that an integration opens, each with the one that it is based on (identity-and-access, Integration models)."""
    rows = {row["slug"]: row for row in world["integration_models"].newest(integration_id=integration["id"])}
    for slug in prices.models_of(integration["ai_provider_id"]):
        if slug not in rows and integration["allow_all_models"]:
            yield slug, slug
    for slug, row in rows.items():
        if row["enabled"]:
            yield slug, row["base_model_slug"] or slug


def _fits(row: Row, query: Record, addressed: set[str]) -> bool:
    return (
        query.get("ai_service", row.ai_service) == row.ai_service
        and query.get("provider", row.slug) == row.slug
        and (not addressed or not addressed.isdisjoint({f"@{row.slug}", row.ai_service}))
    )


def _listed(row: Row) -> Record:
    return {"id": f"@{row.slug}/{row.model}", "slug": row.model, "canonical_slug": row.base, "object": "model"}


def _named(exchange: Exchange) -> set[str]:
    """The providers that are in play: plain names, and slugs with an at sign. Those of a config count alone."""
    found = set(_in_config(exchange.config.content))
    if found:
        return found
    return {f"@{exchange.slug}"} if exchange.slug else {exchange.provider_name} - {""}


def _in_config(node: Record) -> Iterator[str]:
    provider, key = node.get("provider"), node.get("virtual_key")
    slug, _ = metering.parted(str((node.get("override_params") or {}).get("model") or ""))
    if provider:
        yield provider.partition("/")[0]
    elif key or slug:
        yield f"@{key or slug}"
    for target in node.get("targets") or ():
        yield from _in_config(target)


def _own_list(customer: Customer, world: World) -> Record:
    """A provider's list, as OpenAI has it."""
    provider = customer.provider
    known = {slug: _built_in(slug, provider) for slug in prices.models_of(provider.name)}
    known |= {row["slug"]: _custom(row) for row in _customs(provider, world)}
    known |= {model["id"]: model for model in tuned.models_of(world, provider.name, customer.account)}
    data = [_openai(known[name]) for name in sorted(known)]
    return _signed({"object": "list", "data": data}, provider)


def _found(customer: Customer, name: str, world: World) -> Record:
    """A model of a provider. Fails: `not-found` (gateway-data-plane, Provider errors: `model_not_found`).

    *chosen*: what is named as the models of a provider are is one (`prices.is_model_of`), since all of these answer.
    """
    provider = customer.provider
    own = tuned.find(world, name, provider.name, customer.account)
    if own is not None:
        return own
    custom = next((row for row in _customs(provider, world) if row["slug"] == name), None)
    if custom is not None:
        return _custom(custom)
    if prices.is_model_of(provider.name, name):
        return _built_in(name, provider)
    raise Problem(NOT_FOUND, f"The model '{name}' does not exist", type_="invalid_request_error", code="model_not_found")


def _customs(provider: Provider, world: World) -> list[Record]:
    """What the integration behind a provider has of models of one's own."""
    if provider.record is None:
        return []
    rows = world["integration_models"].newest(integration_id=provider.record["integration_id"])
    return [row for row in rows if row["is_custom"] and row["enabled"]]


def _built_in(name: str, provider: Provider) -> Record:
    return {"id": name, "created": BUILT_IN_AT, "owned_by": "system" if provider.name == "openai" else provider.name}


def _custom(row: Record) -> Record:
    return {"id": row["slug"], "created": int(parse_timestamp(row["created_at"]).timestamp()), "owned_by": "organization"}


def _openai(model: Record) -> Record:
    return {"id": model["id"], "object": "model", "created": model["created"], "owned_by": model["owned_by"]}


def _signed(body: Record, provider: Provider) -> Record:
    """A body with who answered at its top, unless it was OpenAI."""
    shown: dict[str, JSON] = body if provider.name == "openai" else {**body, "provider": provider.name}
    return shown
