"""Holds calls of the data plane to the limits of the provider that they name, and counts what they use.

Source: gateway-data-plane, Provider and model addressing (which slug counts), error catalogue C (texts and types),
Request pipeline (budget, then models, then rates); identity-and-access, Integrations.
"""

from __future__ import annotations

from typing import NamedTuple

from mockserver.contract.problems import EXHAUSTED, INVALID_REQUEST, UNAUTHENTICATED, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls, due, identity, limits, logbook, policies, prices
from mockserver.portkey.price_list import Price
from mockserver.portkey.records import find_provider
from mockserver.values import JSON, Record
from mockserver.world.world import World

_UNNAMED = ("", "portkey-default")
"""A model that the caller leaves open, as the Python client does; the reply tells which it was."""
_NO_SLUGS = ("@cf/", "@hf/")
"""How models of Cloudflare begin: their own names have an at sign."""


class Billed(NamedTuple):
    """Who is to answer a call, and be paid for it.

    `name` is the plain name of the provider, `slug` what the call names, empty for none, `record` the world's provider behind
    it; `model` is empty when the call leaves it open.
    """

    name: str
    slug: str
    record: Record | None
    model: str


def addressed(request: Request, world: World) -> Billed:
    """Return what a call addresses. Fails: `invalid-request` for a slug that no provider within reach has.

    *chosen*: a key that the world does not know may name any slug, as it may do all else: who only wants answers need not
    make providers first. OpenAI answers when nobody is named.
    """
    model = request.fields.get("model")
    slug, model = parted(model if isinstance(model, str) and model not in _UNNAMED else "")
    told = calls.told(request)
    slug = told.slug or slug
    if not slug:
        return Billed(told.provider or "openai", "", None, model)
    provider = find_provider(world, slug, request.caller.workspace_id)
    if provider is None:
        if request.caller.key is None:
            return Billed("openai", slug, None, model)
        raise Problem(INVALID_REQUEST, f"Following keys are not valid: {slug}")
    integration = world["integrations"].get(provider["integration_id"]) or {}
    return Billed(integration.get("ai_provider_id", ""), slug, due.settle(world, "providers", provider), model)


def parted(model: str) -> tuple[str, str]:
    """Return the slug that the name of a model begins with, as in `@slug/model`, empty when it has none, and the rest."""
    if not model.startswith("@") or "/" not in model or model.startswith(_NO_SLUGS):
        return "", model
    slug, _, rest = model[1:].partition("/")
    return slug, rest


def admit(request: Request, world: World) -> None:
    """Refuse a call that names its provider itself, and that nobody is asked about; see `admit_to`."""
    admit_to(request, addressed(request, world), world)


def are_limited(world: World, provider: Record | None) -> bool:
    """Whether anything may bar calls to a provider: its own limits, or policies."""
    return provider is not None or policies.there_are(world)


def admit_to(request: Request, billed: Billed, world: World) -> None:
    """Refuse a call that a policy bars, or to a provider that is used up, expired, barred or too busy.

    The gateway asks for all budgets first, and of several that are used up names the policy's (`preRequestValidator`).
    """
    holding = policies.NONE
    if policies.there_are(world):
        holding = policies.holding(request, billed.model, billed.name, billed.slug, billed.record, world)
        policies.check_budgets(holding, world)
    if billed.record is not None:
        _admit_to_provider(billed.record, billed.model, world)
    policies.check_rates(holding, world)


def _admit_to_provider(provider: Record, model: str, world: World) -> None:
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
    """Count a call that names its provider itself, and that nobody was asked about, as a request, and log it.

    It is charged nothing. What providers are asked is metered by `gateway.serving` and `gateway.proxying`.
    """
    billed = addressed(request, world)
    if not billed.model:
        billed = billed._replace(model=_answering(reply.body))
    count(request, billed, 0, 0, world)
    usage = logbook.Usage(billed.name, billed.model, billed.record, 0, 0, 0.0)
    logbook.of_call(request, reply, usage, world)


def count(
    request: Request,
    billed: Billed,
    asked: int,
    answered: int,
    world: World,
    besides_cents: float = 0.0,
    *,
    requests: int = 1,
) -> float:
    """Count a request and its tokens against policies, caller, provider and integration; return its cost in cents.

    `besides_cents` is what it costs apart from tokens; `requests` is 0 for tokens of a call that was counted before.
    """
    cost = cost_cents(billed, asked, answered, world) + besides_cents
    cost_usd, tokens = cost / 100, asked + answered
    if tokens or cost:
        identity.spend(request.caller, cost_usd, tokens, world)
    if policies.there_are(world):
        holding = policies.holding(request, billed.model, billed.name, billed.slug, billed.record, world)
        policies.count(holding, cost_usd, tokens, world, requests)
    if billed.record is not None:
        for subject, record, what in _subjects(billed.record, _access(billed.record, world)):
            limits.count_rates(record["_wire"]["rate_limits"], subject, world, requests=requests, tokens=tokens)
            collection = "providers" if what == "Virtual Key" else "integration_workspaces"
            due.spend(world, collection, record["id"], cost_usd, tokens)
    return cost


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


def _answering(body: JSON) -> str:
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else ""


def tokens_of(body: JSON) -> tuple[int, int]:
    """The tokens of request and response that a reply tells, in the words of chat or of responses."""
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return 0, 0
    asked = usage.get("prompt_tokens", usage.get("input_tokens")) or 0
    answered = usage.get("completion_tokens", usage.get("output_tokens"))
    if answered is None:
        answered = (usage.get("total_tokens") or asked) - asked
    return int(asked), int(answered)


def cost_cents(billed: Billed, asked: int, answered: int, world: World) -> float:
    """Return what tokens cost at a provider, in cents: by the integration's own price of the model, else by its list price."""
    price, adjustments = _price(billed, world)
    return prices.cost_cents(price, adjustments, asked, answered) if price is not None else 0.0


def sound_cents(billed: Billed, asked: int, answered: int, world: World) -> float:
    """Return what so many tokens of sound cost more than as many of text, in cents; nothing where no price tells."""
    if not (asked or answered):
        return 0.0
    price, adjustments = _price(billed, world)
    if price is None:
        return 0.0
    return prices.cost_cents(prices.beyond_text(price), adjustments, asked, answered)


def _price(billed: Billed, world: World) -> tuple[Price | None, Record | None]:
    """The price of a model at a provider, None for none, and what its integration makes of it."""
    record = billed.record
    if record is None:
        return prices.price_of(billed.name, billed.model), None
    integration = world["integrations"].get(record["integration_id"]) or {}
    own = world["integration_models"].get(f"{integration.get('id')}/{billed.model}") or {}
    price = prices.own_price(own.get("pricing_config"))
    price = price or prices.price_of(billed.name, own.get("base_model_slug") or billed.model)
    return price, integration.get("pricing_adjustments")
