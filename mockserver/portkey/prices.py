"""What a call costs: list prices of models, and what an integration makes of them.

Prices are in US cents per token, as the real service's logs and prices are; budgets are in dollars
(governance-mcp-observability, Model pricing, and Conflicts: cost).
"""

from __future__ import annotations

from typing import NamedTuple

from mockserver.values import Record


class Price(NamedTuple):
    """US cents per token."""

    request_token: float
    response_token: float


PRICES: dict[tuple[str, str], Price] = {
    # Source: governance-mcp-observability, Model pricing (the three prices that it quotes).
    ("openai", "gpt-4o"): Price(0.00025, 0.001),
    ("anthropic", "claude-3-5-sonnet-20241022"): Price(0.0003, 0.0015),
    ("google", "gemini-2.5-pro"): Price(0.000125, 0.001),
}
"""Provider and model to what a token costs."""


def price_of(provider: str, model: str) -> Price | None:
    """Return the list price of a model, None for one that has none."""
    return PRICES.get((provider, model))


def own_price(pricing: Record | None) -> Price | None:
    """Return the price that an integration gives a model. Source: identity-and-access, Integration models (pricing_config)."""
    units = (pricing or {}).get("pay_as_you_go")
    if units is None:
        return None
    return Price(*((units.get(name) or {}).get("price") or 0 for name in Price._fields))


def cost_cents(price: Price, adjustments: Record | None, request_tokens: int, response_tokens: int) -> float:
    """Return what tokens cost, in cents.

    Adjustments multiply, one for each kind of token or `default` for those without one (*chosen*: the published interface
    names the fields, nothing says how they combine).
    """
    factors = ((adjustments or {}).get("multiplier")) or {}
    amounts = (request_tokens, response_tokens)
    total = 0.0
    for name, unit, amount in zip(Price._fields, price, amounts, strict=True):
        factor = next((factors[each] for each in (name, "default") if factors.get(each) is not None), 1)
        total += unit * amount * factor
    return total


_MODELS = {
    "openai": ("gpt-", "chatgpt-", "o1", "o3", "o4", "o5", "text-", "tts-", "whisper-", "dall-e-", "omni-", "codex-",
               "davinci-", "babbage-", "computer-use-", "sora-"),
    "anthropic": ("claude-",),
    "google": ("gemini-", "gemma-", "imagen-", "veo-", "embedding-", "text-embedding-"),
}  # fmt: skip
"""How the names of a provider's models begin. Providers that name models of others are not here."""


def is_model_of(provider: str, slug: str) -> bool:
    """Whether a model may be one of a provider's own.

    *chosen*: told by the beginning of its name, and true of every name where none is known, since a list would refuse the
    models of tomorrow; what fits no name is refused as by the real service (identity-and-access, Integration models).
    """
    return slug.startswith(_MODELS.get(provider, ("",)))


def models_of(provider: str) -> list[str]:
    """The models of a provider that have a list price, in the order of the table."""
    return [model for each, model in PRICES if each == provider]
