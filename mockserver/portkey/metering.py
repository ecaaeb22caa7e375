"""Holds calls of the data plane to the limits of the provider that they name, and counts what they use.

Source: gateway-data-plane, Provider and model addressing (which slug counts), error catalogue C (texts and types),
Request pipeline (budget, then models, then rates); identity-and-access, Integrations.
"""

from __future__ import annotations

from typing import NamedTuple

from mockserver.contract.problems import EXHAUSTED, INVALID_REQUEST, UNAUTHENTICATED, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import due, identity, limits, prices
from mockserver.portkey.records import find_provider
from mockserver.values import JSON, Record
from mockserver.world.world import World

_NO_SLUGS = ("@cf/", "@hf/")
"""How models of Cloudflare begin: their own names have an at sign."""


class Addressed(NamedTuple):
    """The model that a call names, and the provider behind its slug, if it names one."""

    model: str
    provider: Record | None


def addressed(request: Request, world: World) -> Addressed:
    """Return what a call addresses. Fails: `invalid-request` for a slug that no provider within reach has.

    The model is empty when a call names none: `portkey-default` is the Python client's word for that.
    *chosen*: a key that the world does not know may name any slug, as it may do all else: who only wants answers need not
    make providers first.
    """
    model = request.fields.get("model") or request.query.get("model")
    model = model if isinstance(model, str) and model != "portkey-default" else ""
    slug, model = parted(model)
    slug = _text(request, b"x-portkey-virtual-key") or slug
    said = _text(request, b"x-portkey-provider")
    if said.startswith("@"):
        slug = said[1:].partition("/")[0]
    if not slug:
        return Addressed(model, None)
    provider = find_provider(world, slug, request.caller.workspace_id)
    if provider is None:
        if request.caller.key is None:
            return Addressed(model, None)
        raise Problem(INVALID_REQUEST, f"Following keys are not valid: {slug}")
    return Addressed(model, due.settle(world, "providers", provider))


def parted(model: str) -> tuple[str | None, str]:
    """Return the slug that the name of a model begins with, as in `@slug/model`, None when it has none, and the rest."""
    if not model.startswith("@") or "/" not in model or model.startswith(_NO_SLUGS):
        return None, model
    slug, _, rest = model[1:].partition("/")
    return slug, rest


def admit(request: Request, world: World) -> None:
    """Refuse a call to a provider that is used up, expired, barred or too busy."""
    model, provider = addressed(request, world)
    if provider is None:
        return
    masked = limits.mask_name(provider["slug"])
    integration = world["integrations"].get(provider["integration_id"]) or {}
    access = _access(provider, world)
    if provider["status"] == "expired":
        raise Problem(UNAUTHENTICATED, f"Portkey Virtual Key {masked} Expired", code="01", type_="virtual_key_expired_error")
    if provider["status"] == "exhausted":
        detail = f"Portkey Virtual Key {masked} Usage Limit Exceeded"
        raise Problem(EXHAUSTED, detail, code="04", type_="virtual_key_exhaust_error")
    if access is not None and access["status"] == "exhausted":
        detail = f"Portkey Integration {integration['slug']} Usage Limit Exceeded"
        raise Problem(EXHAUSTED, detail, code="04", type_="integration_exhaust_error")
    if not _allows(integration, access, model, world):
        detail = f"Model {model} is not allowed for this integration"
        raise Problem(EXHAUSTED, detail, type_="model_not_allowed_error")
    for subject, record, what in _subjects(provider, access):
        name = masked if what == "Virtual Key" else integration["slug"]
        refusal = f"Portkey {what} {name} Rate Limit Exceeded"
        type_ = f"{what.lower().replace(' ', '_')}_rate_limit_error"
        limits.check_rates(record["_wire"]["rate_limits"], subject, refusal, world, type_)


def account(request: Request, reply: Reply, world: World) -> None:
    """Count one request and the tokens that its reply tells, against the caller, the provider and the integration."""
    _, provider = addressed(request, world)
    if provider is not None:
        for subject, record, _ in _subjects(provider, _access(provider, world)):
            limits.count_rates(record["_wire"]["rate_limits"], subject, world, requests=1)
    use(request, reply.body, world)


def use(request: Request, body: JSON, world: World) -> None:
    """Count the tokens that a completion tells and what they cost. `account` does so for replies that are completions."""
    model, provider = addressed(request, world)
    asked, answered = _tokens(body)
    if not asked and not answered:
        return
    cost_usd = _cost_cents(model, provider, asked, answered, request, world) / 100
    identity.spend(request.caller, cost_usd, asked + answered, world)
    if provider is None:
        return
    for subject, record, what in _subjects(provider, _access(provider, world)):
        limits.count_rates(record["_wire"]["rate_limits"], subject, world, tokens=asked + answered)
        collection = "providers" if what == "Virtual Key" else "integration_workspaces"
        due.spend(world, collection, record["id"], cost_usd, asked + answered)


def _subjects(provider: Record, access: Record | None) -> list[tuple[str, Record, str]]:
    """Whose limits hold for a call to a provider: its own, and those of its integration for the workspace."""
    subjects = [(f"provider:{provider['id']}", provider, "Virtual Key")]
    if access is not None:
        subjects.append((f"integration:{access['id']}", access, "Integration"))
    return subjects


def _access(provider: Record, world: World) -> Record | None:
    """The access of a provider's integration to the provider's workspace, None for one that needs none."""
    access = world["integration_workspaces"].get(f"{provider['integration_id']}/{provider['workspace_id']}")
    return None if access is None else due.settle(world, "integration_workspaces", access)


def _allows(integration: Record, access: Record | None, model: str, world: World) -> bool:
    """Whether an integration opens a model to a workspace.

    *chosen*: when a workspace's access is taken back its providers stay, and open no model any more.
    """
    if access is None or not access["_wire"]["enabled"]:
        return False
    known = world["integration_models"].get(f"{integration.get('id')}/{model}")
    if known is not None:
        return bool(known["enabled"])
    return not model or bool(integration.get("allow_all_models", True))


def _tokens(body: JSON) -> tuple[int, int]:
    """The tokens of request and response that a reply tells, in the words of chat or of responses."""
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return 0, 0
    asked = usage.get("prompt_tokens", usage.get("input_tokens")) or 0
    answered = usage.get("completion_tokens", usage.get("output_tokens"))
    if answered is None:
        answered = (usage.get("total_tokens") or asked) - asked
    return int(asked), int(answered)


def _cost_cents(model: str, provider: Record | None, asked: int, answered: int, request: Request, world: World) -> float:
    if provider is None:
        price = prices.price_of(_text(request, b"x-portkey-provider") or "openai", model)
        return prices.cost_cents(price, None, asked, answered) if price is not None else 0.0
    integration = world["integrations"].get(provider["integration_id"]) or {}
    own = world["integration_models"].get(f"{integration.get('id')}/{model}") or {}
    price = prices.own_price(own.get("pricing_config"))
    price = price or prices.price_of(integration.get("ai_provider_id", ""), own.get("base_model_slug") or model)
    return prices.cost_cents(price, integration.get("pricing_adjustments"), asked, answered) if price is not None else 0.0


def _text(request: Request, header: bytes) -> str:
    return request.headers.get(header, b"").decode("latin-1").strip()
