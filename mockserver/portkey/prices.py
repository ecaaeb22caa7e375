"""What a call costs: list prices of models, and what an integration makes of them.

Prices are in US cents per token, as the real service's logs and prices are; budgets are in dollars
(governance-mcp-observability, Model pricing, and Conflicts: cost).
"""

from __future__ import annotations

import re

from mockserver.portkey.price_list import PICTURES, PRICES, TRAINING, UNITS, Price
from mockserver.values import JSON, Record

_DATE = re.compile(r"-(\d{4}-\d\d-\d\d|\d{8}|latest)$")
_PARTS = {
    "request": (
        ("input_tokens", "request_token"),
        ("cache_write_tokens", "cache_write_input_token"),
        ("cache_read_tokens", "cache_read_input_token"),
        ("audio_input_tokens", "request_audio_token"),
        ("cache_read_audio_tokens", "cache_read_audio_input_token"),
    ),
    "response": (("output_tokens", "response_token"), ("audio_output_tokens", "response_audio_token")),
}
"""What is counted of each half of a call, and which price it has (gateway@2.0.0, `winky/configs/openai.json`)."""


def _listed(provider: str, model: str) -> tuple[str, str] | None:
    """The row that a model is priced by: its own, else that of its name without a date, or of what it was trained from."""
    names = [model]
    if model.startswith("ft:"):
        names.append(":".join(model.split(":")[:2]))
    names.append(_DATE.sub("", names[-1]))
    rows = ((provider, name) for name in names)
    return next((row for row in rows if row in PRICES or row in PICTURES or row in UNITS), None)


def price_of(provider: str, model: str) -> Price | None:
    """Return the list price of a model, None for one that has none."""
    price = PRICES.get((provider, model))
    if price is None and (row := _listed(provider, model)) is not None:
        price = PRICES.get(row)
    return price


def pricing_of(provider: str, model: str) -> Record | None:
    """Return all that is known of a model's prices as Portkey shows it, None for an unknown model.

    Source: governance-mcp-observability, Model pricing; gateway@2.0.0, `winky/configs` (what a picture's cost is made of).
    """
    row = _listed(provider, model)
    if row is None:
        return None
    price, units, pictures = PRICES.get(row), UNITS.get(row), PICTURES.get(row)
    costs: Record = {name: {"price": cents} for name, cents in (price._asdict() if price else {}).items() if cents is not None}
    if units is not None:
        costs["additional_units"] = {name: {"price": cents} for name, cents in units.items()}
    if pictures is not None:
        costs["image"] = {
            quality: {size: {"price": cents} for size, cents in by_size.items()} for quality, by_size in pictures.items()
        }
    shown: Record = {"pay_as_you_go": costs, "calculate": _calculation(costs), "currency": "USD"}
    training = TRAINING.get((provider, model))
    if training is not None:
        shown["finetune_config"] = {name: {"price": cents} for name, cents in training.items()}
    return shown


def _calculation(costs: Record) -> Record:
    """How the two halves of a call's cost follow from what it used."""
    if "image" in costs:
        return {"request": _product("0", "input_tokens"), "response": _product("1", "rates.image")}
    trees: Record = {}
    for half, parts in _PARTS.items():
        products = [_product(amount, f"rates.{name}") for amount, name in parts if name in costs]
        trees[half] = products[0] if len(products) == 1 else {"operation": "sum", "operands": products}
    return trees


def _product(*values: str) -> Record:
    return {"operation": "multiply", "operands": [{"value": value} for value in values]}


def pictures_cents(provider: str, model: str, asked: Record, answer: JSON) -> float:
    """Return what the pictures of an answer cost, in cents: by their number, and the quality and size that were asked for."""
    drawn = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(drawn, list):
        return 0.0
    row = _listed(provider, model)
    table = PICTURES.get(row) if row is not None else None
    if table is None:
        return 0.0
    by_size = table.get(str(asked.get("quality"))) or table["default"]
    return len(drawn) * (by_size.get(str(asked.get("size"))) or by_size["default"])


def own_price(pricing: Record | None) -> Price | None:
    """Return the price that an integration gives a model. Source: identity-and-access, Integration models (pricing_config)."""
    units = (pricing or {}).get("pay_as_you_go")
    if units is None:
        return None
    return Price(*((units.get(name) or {}).get("price") or 0 for name in ("request_token", "response_token")))


def beyond_text(price: Price) -> Price:
    """Return what a token of sound costs more than one of text; nothing where a list does not price sound."""
    asked, answered = price.request_audio_token, price.response_audio_token
    return Price(
        0.0 if asked is None else asked - price.request_token, 0.0 if answered is None else answered - price.response_token
    )


def cost_cents(price: Price, adjustments: Record | None, request_tokens: int, response_tokens: int) -> float:
    """Return what tokens cost, in cents.

    Adjustments multiply, one for each kind of token or `default` for those without one (*chosen*: the published interface
    names the fields, nothing says how they combine).
    """
    factors = ((adjustments or {}).get("multiplier")) or {}
    if not factors:
        return price.request_token * request_tokens + price.response_token * response_tokens
    total = 0.0
    for name, unit, amount in (
        ("request_token", price.request_token, request_tokens),
        ("response_token", price.response_token, response_tokens),
    ):
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


_CATALOGUE = {
    "openai": ["gpt-4o"],
    "anthropic": ["claude-3-5-sonnet-20241022"],
    "google": ["gemini-2.5-pro"],
}


def models_of(provider: str) -> list[str]:
    """The models of a provider that lists show beside those that were added.

    *chosen*: one each, not all that have a price, so that what a test reads stays short; any other can be called as well.
    """
    return _CATALOGUE.get(provider, [])
