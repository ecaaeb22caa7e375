"""What models cost: the public price list, and the costs of calls that follow from it.

Source of every rule that names none: governance-mcp-observability, Model pricing.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.portkey.price_list import PICTURES, PRICES, TRAINING, UNITS
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import PRODUCTION, make_key, read

PRICING = "/model-configs/pricing"
ROWS = sorted({*PRICES, *PICTURES, *UNITS, *TRAINING})


@pytest.fixture
def public(client: Client) -> Client:
    """The same world, called without a key."""
    return client.as_key(None)


def pricing(client: Client, provider: str, model: str) -> Record:
    return read(client, f"{PRICING}/{provider}/{model.replace('/', '%2F')}")


def evaluate(tree: Record, amounts: dict[str, float]) -> float:
    """Work a calculation out."""
    if "value" in tree:
        return amounts[tree["value"]] if tree["value"] in amounts else float(tree["value"])
    operands = [evaluate(each, amounts) for each in tree["operands"]]
    if tree["operation"] == "sum":
        return sum(operands)
    product = 1.0
    for each in operands:
        product *= each
    return product


# What is shown


@pytest.mark.parametrize(
    ("provider", "model", "request_cents", "response_cents"),
    [
        ("openai", "gpt-4o", 0.00025, 0.001),
        ("anthropic", "claude-3-5-sonnet-20241022", 0.0003, 0.0015),
        ("google", "gemini-2.5-pro", 0.000125, 0.001),
    ],
)
def test_quoted_prices_are_as_quoted(
    public: Client, provider: str, model: str, request_cents: float, response_cents: float
) -> None:
    """The three that the dossier has."""
    costs = pricing(public, provider, model)["pay_as_you_go"]
    assert (costs["request_token"]["price"], costs["response_token"]["price"]) == (request_cents, response_cents)


def test_model_has_every_part(public: Client) -> None:
    assert pricing(public, "openai", "gpt-4o-mini-2024-07-18") == {
        "pay_as_you_go": {
            "request_token": {"price": 0.000015},
            "response_token": {"price": 0.00006},
            "cache_read_input_token": {"price": 0.0000075},
            "additional_units": {"web_search": {"price": 1}, "file_search": {"price": 0.25}},
        },
        "calculate": {
            "request": {
                "operation": "sum",
                "operands": [
                    {"operation": "multiply", "operands": [{"value": "input_tokens"}, {"value": "rates.request_token"}]},
                    {
                        "operation": "multiply",
                        "operands": [{"value": "cache_read_tokens"}, {"value": "rates.cache_read_input_token"}],
                    },
                ],
            },
            "response": {"operation": "multiply", "operands": [{"value": "output_tokens"}, {"value": "rates.response_token"}]},
        },
        "currency": "USD",
        "finetune_config": {"pay_per_token": {"price": 0.0003}},
    }


def test_what_has_no_price_is_left_out(public: Client) -> None:
    shown = pricing(public, "groq", "llama-3.1-8b-instant")
    assert set(shown) == {"pay_as_you_go", "calculate", "currency"}
    assert set(shown["pay_as_you_go"]) == {"request_token", "response_token"}


def test_sound_and_caches_have_prices(public: Client) -> None:
    spoken = pricing(public, "openai", "gpt-realtime")["pay_as_you_go"]
    assert [spoken[f"{name}_audio_token"]["price"] for name in ("request", "response")] == [0.0032, 0.0064]
    assert spoken["cache_read_audio_input_token"]["price"] == 0.00004
    cached = pricing(public, "anthropic", "claude-sonnet-4-5")["pay_as_you_go"]
    assert [cached[f"cache_{name}_input_token"]["price"] for name in ("write", "read")] == [0.000375, 0.00003]


def test_pictures_cost_by_quality_and_size(public: Client) -> None:
    shown = pricing(public, "openai", "dall-e-3")
    by_quality = shown["pay_as_you_go"]["image"]
    assert by_quality["default"] == by_quality["standard"]
    assert by_quality["hd"]["1792x1024"] == {"price": 12}
    assert evaluate(shown["calculate"]["response"], {"rates.image": 12}) == 12
    assert evaluate(shown["calculate"]["request"], {"input_tokens": 9}) == 0


@pytest.mark.parametrize(("provider", "model"), ROWS)
def test_each_row_is_served_and_adds_up(public: Client, provider: str, model: str) -> None:
    """Every leaf of a calculation is a count that is known or a price that is there, and prices are those of a list."""
    shown = pricing(public, provider, model)
    costs = shown["pay_as_you_go"]
    counts = {"input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "audio_input_tokens",
              "audio_output_tokens", "cache_read_audio_tokens"}  # fmt: skip
    amounts: dict[str, float] = dict.fromkeys(counts, 1)
    amounts |= {f"rates.{name}": cost["price"] for name, cost in costs.items() if "price" in cost}
    tokens = [cost["price"] for cost in costs.values() if "price" in cost]
    if tokens:
        found = sum(evaluate(shown["calculate"][half], amounts) for half in ("request", "response"))
        assert found == pytest.approx(sum(tokens))
    assert all(0 <= price <= 0.1 for price in tokens)


@pytest.mark.parametrize(
    ("provider", "model", "as_model"),
    [
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("anthropic", "claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("openai", "ft:gpt-4o-mini:acme::AbC123", "ft:gpt-4o-mini"),
        ("openai", "ft:gpt-4o-2024-08-06:acme:tuned:AbC123", "ft:gpt-4o"),
    ],
)
def test_dated_and_trained_models_cost_as_their_base(public: Client, provider: str, model: str, as_model: str) -> None:
    assert pricing(public, provider, model)["pay_as_you_go"] == pricing(public, provider, as_model)["pay_as_you_go"]


def test_date_with_a_price_of_its_own_keeps_it(public: Client) -> None:
    assert pricing(public, "openai", "gpt-4o-2024-05-13")["pay_as_you_go"]["request_token"] == {"price": 0.0005}


def test_slash_in_a_name_is_encoded(public: Client) -> None:
    assert pricing(public, "groq", "openai/gpt-oss-20b")["pay_as_you_go"]["request_token"] == {"price": 0.0000075}


@pytest.mark.parametrize("base", ["", "/v1", "/worlds/other", "/worlds/other/v1"])
def test_served_with_and_without_v1(public: Client, base: str) -> None:
    """The real service has it at the root; clients with a base URL ask below `/v1`."""
    assert public.get(f"{base}{PRICING}/openai/gpt-4o").json()["currency"] == "USD"


@pytest.mark.parametrize("secret", [None, "any", "short"])
def test_open_to_all(client: Client, secret: str | None) -> None:
    assert client.as_key(secret).get(f"{PRICING}/openai/gpt-4o").status_code == 200


def test_key_that_may_do_nothing_else_may_read(client: Client) -> None:
    caller = client.as_key(make_key(client).secret)
    assert caller.get(f"{PRICING}/openai/gpt-4o").status_code == 200


def test_open_to_all_in_strict_mode(strict: Client) -> None:
    assert strict.as_key(None).get(f"{PRICING}/openai/gpt-4o").status_code == 200


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-nobody-knows"), ("nobody", "gpt-4o"), ("anthropic", "gpt-4o"), ("openai", "2024-08-06")],
)
def test_unknown_model_is_told_in_plain_words(public: Client, provider: str, model: str) -> None:
    """Not the envelope of the control plane."""
    reply = public.get(f"{PRICING}/{provider}/{model}")
    assert (reply.status_code, reply.json()) == (404, {"error": "Model not found"})
    assert reply.headers["x-mock-problem"] == "not-found"


# What calls cost


def usage_limit(client: Client) -> str:
    """Make a policy that counts dollars, and return its id."""
    body = {
        "conditions": [{"key": "organisation_id", "value": "*"}],
        "group_by": [{"key": "organisation_id"}],
        "type": "cost",
        "credit_limit": 1000,
        "workspace_id": PRODUCTION,
    }
    return str(client.post("/v1/policies/usage-limits", body).json()["id"])


def spent_cents(client: Client, policy_id: str) -> float:
    (entity,) = read(client, f"/v1/policies/usage-limits/{policy_id}/entities")["data"]
    return float(entity["current_usage"]) * 100


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("openai", "gpt-4o-2024-08-06"),
        ("anthropic", "claude-haiku-4-5-20251001"),
        ("google", "gemini-2.5-flash"),
        ("groq", "openai/gpt-oss-120b"),
    ],
)
def test_cost_of_a_call_follows_from_the_list(client: Client, provider: str, model: str) -> None:
    made, shown = usage_limit(client), pricing(client, provider, model)
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    reply = client.post("/v1/chat/completions", body, headers={"x-portkey-provider": provider})
    assert reply.status_code == 200, reply.text[:300]
    used = reply.json()["usage"]
    amounts: dict[str, float] = {"input_tokens": used["prompt_tokens"], "output_tokens": used["completion_tokens"]}
    amounts |= {"cache_read_tokens": 0, "cache_write_tokens": 0}
    amounts |= {f"rates.{name}": cost["price"] for name, cost in shown["pay_as_you_go"].items() if "price" in cost}
    expected = sum(evaluate(shown["calculate"][half], amounts) for half in ("request", "response"))
    assert spent_cents(client, made) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("asked", "cents"),
    [
        ({}, 4),
        ({"size": "1792x1024"}, 8),
        ({"quality": "hd", "size": "1024x1792"}, 12),
        ({"model": "dall-e-2", "n": 3, "size": "512x512"}, 5.4),
        ({"model": "gpt-image-1", "quality": "low"}, 1.1),
    ],
)
def test_cost_of_pictures_follows_from_the_list(client: Client, asked: Record, cents: float) -> None:
    made = usage_limit(client)
    body: Any = {"model": "dall-e-3", "prompt": "A red leaf", **asked}
    reply = client.post("/v1/images/generations", body, headers={"x-portkey-provider": "openai"})
    assert reply.status_code == 200, reply.text[:300]
    assert spent_cents(client, made) == pytest.approx(cents)
