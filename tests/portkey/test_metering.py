"""What calls of the data plane address, what refuses them, and what they cost: through the front door.

Source of every rule that names none: gateway-data-plane, Provider and model addressing, error catalogue C, Budgets and rate
limits; identity-and-access, Conventions (Limit state machine).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any, NamedTuple

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import (
    CHAT,
    INTEGRATIONS,
    PROVIDERS,
    VIRTUAL_KEYS,
    accesses,
    as_asker,
    as_workspace,
    ask,
    grant,
    make_integration,
    make_provider,
    make_virtual_key,
    providers,
    tokens,
)
from tests.portkey.team import PRODUCTION, RESEARCH, at, done, make_key, read, read_key, read_workspace, state

MASKED = "Virtual Key ou********urs"
"""How error texts name the provider `our-yours`."""


def rate(value: int, kind: str = "requests", unit: str = "rpm") -> Record:
    return {"type": kind, "unit": unit, "value": value}


def budget(kind: str = "cost", limit: float = 1, **more: Any) -> Record:
    return {"type": kind, "credit_limit": limit, **more}


@pytest.fixture
def ours(client: Client) -> Client:
    """A world where Production may use an integration of OpenAI, on Tuesday 5 May 2026; the provider is `our-yours`."""
    at(client, "2026-05-05T17:08:55Z")
    make_integration(client, "ours")
    grant(client, PRODUCTION, default_provider_slug="our-yours")
    return client


@pytest.fixture
def asker(ours: Client) -> Client:
    """The same world, called with a key of Production."""
    return as_asker(ours)


def change(client: Client, slug: str = "our-yours", **fields: Any) -> None:
    """Change a provider."""
    reply = client.put(f"{PROVIDERS}/{slug}", fields, params={"workspace_id": PRODUCTION})
    assert reply.status_code == 200, reply.text[:500]


def refusal(reply: httpx.Response, status: int) -> Record:
    """Check that a call was refused with a status, and return the error in OpenAI's words."""
    assert reply.status_code == status, reply.text[:500]
    error: Record = reply.json()["error"]
    assert reply.json().get("message", error["message"]) == error["message"]
    return error


def price(client: Client, **cents: float) -> None:
    """Give gpt-4o a price of its own, in cents per token."""
    pricing = {"type": "static", "pay_as_you_go": {name: {"price": value} for name, value in cents.items()}}
    body = {"models": [{"slug": "gpt-4o", "enabled": True, "pricing_config": pricing}]}
    done(client.put(f"{INTEGRATIONS}/ours/models", body))


def counted(client: Client) -> tuple[list[Record], Record]:
    """The holders of limits as they are, and the counters of rates."""
    records, facts, _ = state(client)
    held: Record = json.loads(records)
    names = ("providers", "integration_workspaces", "api_keys", "workspaces")
    return [held[name] for name in names], {name: count for name, count in facts.items() if name.startswith("rate:")}


def used(client: Client, slug: str = "our-yours") -> float:
    """How much of the budget of a provider is used."""
    return float(providers(client)[slug]["usage_limits"].get("current_usage", 0))


# Which provider a call names


def test_slug_in_the_model_names_the_provider(ours: Client, asker: Client) -> None:
    change(ours, rate_limits=[rate(0)])
    assert ask(asker, "@our-yours/gpt-4o").status_code == 429
    assert ask(asker, "gpt-4o", provider="openai").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"virtual_key": "our-yours"},
        {"provider": "@our-yours"},
        {"provider": "@our-yours/ignored"},
        {"provider": "@our-yours", "virtual_key": "other"},
    ],
    ids=["virtual key", "provider", "provider and more", "provider first"],
)
@pytest.mark.parametrize("model", ["gpt-4o", "@other/gpt-4o", None])
def test_headers_name_the_provider_before_the_model(
    ours: Client, asker: Client, headers: dict[str, str], model: str | None
) -> None:
    make_provider(ours, "other")
    change(ours, rate_limits=[rate(0)])
    assert ask(asker, model, **headers).status_code == 429


def test_virtual_key_may_be_named_by_its_id(ours: Client, asker: Client) -> None:
    """*chosen*: as everywhere else."""
    change(ours, rate_limits=[rate(0)])
    assert ask(asker, "gpt-4o", virtual_key=providers(ours)["our-yours"]["id"]).status_code == 429


def test_rest_of_the_model_may_have_slashes(ours: Client, asker: Client) -> None:
    done(ours.put(f"{INTEGRATIONS}/ours/models", {"models": [], "allow_all_models": False}))
    error = refusal(ask(asker, "@our-yours/accounts/us/models/small"), 412)
    assert error["message"] == "Model accounts/us/models/small is not allowed for this integration"


def test_slug_is_stripped_when_a_header_names_another(ours: Client, asker: Client) -> None:
    make_provider(ours, "other")
    done(ours.put(f"{INTEGRATIONS}/ours/models", {"models": [{"slug": "gpt-4o", "enabled": False}]}))
    assert refusal(ask(asker, "@other/gpt-4o", provider="@our-yours"), 412)["message"].startswith("Model gpt-4o is not")


@pytest.mark.parametrize("model", ["@cf/meta/llama-3-8b", "@hf/google/gemma-7b", "@nowhere", "a@our-yours/gpt-4o"])
def test_other_at_signs_name_no_provider(asker: Client, model: str) -> None:
    assert ask(asker, model, provider="openai").status_code == 200


def test_plain_provider_is_no_slug(asker: Client) -> None:
    assert ask(asker, "gpt-4o", provider="openai").status_code == 200


def test_field_of_a_form_names_the_provider(ours: Client, asker: Client) -> None:
    change(ours, rate_limits=[rate(0)])
    upload: Record = {"files": {"file": ("speech.wav", b"RIFF", "audio/wav")}, "headers": {"x-portkey-provider": "openai"}}
    replies = [
        asker.post("/v1/audio/transcriptions", data={"model": model}, **upload).status_code
        for model in ("@our-yours/whisper-1", "whisper-1")
    ]
    assert replies == [429, 200]


@pytest.mark.parametrize(
    ("model", "headers"),
    [("@nowhere/gpt-4o", {}), ("gpt-4o", {"virtual_key": "nowhere"}), ("gpt-4o", {"provider": "@nowhere"})],
    ids=["model", "virtual key", "provider"],
)
def test_unknown_slug_is_refused(asker: Client, model: str, headers: dict[str, str]) -> None:
    before = state(asker)
    assert refusal(ask(asker, model, **headers), 400)["message"] == "Following keys are not valid: nowhere"
    assert state(asker) == before


def test_slug_of_another_workspace_is_unknown(ours: Client) -> None:
    reply = ask(as_asker(ours, RESEARCH), "@our-yours/gpt-4o")
    assert refusal(reply, 400)["message"] == "Following keys are not valid: our-yours"


def test_slug_means_that_of_the_callers_workspace(ours: Client, asker: Client) -> None:
    grant(ours, RESEARCH, default_provider_slug="our-yours")
    change(ours, rate_limits=[rate(0)])
    assert ask(asker, "@our-yours/gpt-4o").status_code == 429
    assert ask(as_asker(ours, RESEARCH), "@our-yours/gpt-4o").status_code == 200


def test_unknown_key_may_name_any_slug(ours: Client) -> None:
    """*chosen*: who only wants answers need not make providers first."""
    assert ask(ours, "@nowhere/gpt-4o").status_code == 200


def test_unknown_key_is_held_to_the_providers_that_are_there(ours: Client) -> None:
    change(ours, rate_limits=[rate(0)])
    assert ask(ours, "@our-yours/gpt-4o").status_code == 429


# What refuses a call


class Refusal(NamedTuple):
    """A state of things, and how a call is refused in it."""

    arrange: Callable[[Client], None]
    status: int
    type: str
    code: str | None
    message: str


def expire(client: Client) -> None:
    change(client, expires_at="2026-05-05T17:08:54Z")


def exhaust(client: Client) -> None:
    change(client, usage_limits=budget("tokens"))
    tokens(ask(as_asker(client), "@our-yours/gpt-4o"))


def exhaust_access(client: Client) -> None:
    make_provider(client, "second")
    grant(client, PRODUCTION, usage_limits=[budget("tokens")])
    tokens(ask(as_asker(client), "@second/gpt-4o"))


def bar(client: Client) -> None:
    done(client.put(f"{INTEGRATIONS}/ours/models", {"models": [{"slug": "gpt-4o", "enabled": False}]}))


def fill(client: Client) -> None:
    change(client, rate_limits=[rate(0)])


def fill_access(client: Client) -> None:
    grant(client, PRODUCTION, rate_limits=[rate(0)])


REFUSALS = {
    "expired": Refusal(expire, 401, "virtual_key_expired_error", "01", f"Portkey {MASKED} Expired"),
    "exhausted": Refusal(exhaust, 412, "virtual_key_exhaust_error", "04", f"Portkey {MASKED} Usage Limit Exceeded"),
    "access exhausted": Refusal(
        exhaust_access, 412, "integration_exhaust_error", "04", "Portkey Integration ours Usage Limit Exceeded"
    ),
    "barred": Refusal(bar, 412, "model_not_allowed_error", None, "Model gpt-4o is not allowed for this integration"),
    "busy": Refusal(fill, 429, "virtual_key_rate_limit_error", None, f"Portkey {MASKED} Rate Limit Exceeded"),
    "access busy": Refusal(
        fill_access, 429, "integration_rate_limit_error", None, "Portkey Integration ours Rate Limit Exceeded"
    ),
}
"""In the order of the checks: budget, then models, then rates (Request pipeline)."""


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusal_is_worded_as_catalogued(ours: Client, asker: Client, kind: str) -> None:
    wanted = REFUSALS[kind]
    wanted.arrange(ours)
    error = refusal(ask(asker, "@our-yours/gpt-4o"), wanted.status)
    assert error == {"message": wanted.message, "type": wanted.type, "param": None, "code": wanted.code}


@pytest.mark.parametrize("kind", REFUSALS)
def test_refused_call_counts_for_nothing(ours: Client, asker: Client, kind: str) -> None:
    """*chosen*: the gateway counts refused calls as well. They are logged, as there."""
    REFUSALS[kind].arrange(ours)
    ask(asker, "@our-yours/gpt-4o")
    before = counted(ours)
    ask(asker, "@our-yours/gpt-4o")
    assert counted(ours) == before


@pytest.mark.parametrize(("first", "second"), list(combinations(REFUSALS, 2)))
def test_first_reason_counts(ours: Client, asker: Client, first: str, second: str) -> None:
    for kind in sorted((first, second), key=lambda kind: "exhausted" not in kind):  # which need a call that is let in
        REFUSALS[kind].arrange(ours)
    wanted = REFUSALS[first]
    assert refusal(ask(asker, "@our-yours/gpt-4o"), wanted.status)["type"] == wanted.type


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusal_is_for_the_data_plane_alone(ours: Client, kind: str) -> None:
    REFUSALS[kind].arrange(ours)
    caller = as_workspace(ours, "providers.read", "virtual_keys.read")
    for path in (PROVIDERS, VIRTUAL_KEYS):
        assert caller.get(f"{path}/our-yours", headers={"x-portkey-virtual-key": "our-yours"}).status_code == 200


@pytest.mark.parametrize("kind", REFUSALS)
def test_other_providers_answer_on(ours: Client, kind: str) -> None:
    make_integration(ours, "theirs")
    grant(ours, PRODUCTION, slug="theirs")
    REFUSALS[kind].arrange(ours)
    assert ask(as_asker(ours), "@theirs/gpt-4o").status_code == 200


# Models


@pytest.mark.parametrize(
    ("models", "allow_all", "model", "status"),
    [
        ([], True, "gpt-4o", 200),
        ([], True, "anything", 200),
        ([], False, "gpt-4o", 412),
        ([("gpt-4o", True)], False, "gpt-4o", 200),
        ([("gpt-4o", True)], False, "gpt-4o-mini", 412),
        ([("gpt-4o", False)], True, "gpt-4o", 412),
        ([("gpt-4o", False)], True, "gpt-4o-mini", 200),
        ([], False, None, 412),
        ([("gpt-3.5-turbo", True)], False, None, 200),
        ([("gpt-3.5-turbo", True)], False, "portkey-default", 200),
    ],
)
def test_integration_opens_its_models(
    ours: Client, asker: Client, models: list[tuple[str, bool]], allow_all: bool, model: str | None, status: int
) -> None:
    """A call that names none gets the default of the endpoint; the Python client calls that a name."""
    rows = [{"slug": slug, "enabled": enabled} for slug, enabled in models]
    done(ours.put(f"{INTEGRATIONS}/ours/models", {"models": rows, "allow_all_models": allow_all}))
    assert ask(asker, model, provider="@our-yours").status_code == status


def test_model_of_ones_own_is_opened_by_its_slug(ours: Client, asker: Client) -> None:
    model = {"slug": "tuned", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"}
    done(ours.put(f"{INTEGRATIONS}/ours/models", {"models": [model], "allow_all_models": False}))
    assert ask(asker, "@our-yours/tuned").status_code == 200
    done(ours.delete(f"{INTEGRATIONS}/ours/models", params={"slugs": "tuned"}))
    assert ask(asker, "@our-yours/tuned").status_code == 412


# Rates

SUBJECTS: dict[str, Callable[[Client, Record], None]] = {
    "provider": lambda client, each: change(client, rate_limits=[each]),
    "access": lambda client, each: grant(client, PRODUCTION, rate_limits=[each]),
}


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(("unit", "wait_s"), [("rps", 1), ("rpm", 5), ("rph", 3065), ("rpd", 24665), ("rpw", 111065)], ids=str)
def test_full_window_of_requests_refuses_until_the_next(
    ours: Client, asker: Client, subject: str, unit: str, wait_s: int
) -> None:
    """Fixed windows, aligned to the epoch; *chosen*: `Retry-After` is sent."""
    SUBJECTS[subject](ours, rate(2, unit=unit))
    replies = [ask(asker, "@our-yours/gpt-4o") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[-1].headers["retry-after"] == str(wait_s)
    ours.world.clock.move(timedelta(seconds=wait_s))
    assert ask(asker, "@our-yours/gpt-4o").status_code == 200


@pytest.mark.parametrize("subject", SUBJECTS)
def test_full_window_of_tokens_refuses_until_the_next(ours: Client, asker: Client, subject: str) -> None:
    """*chosen*: once a window holds as many as it may; one call may overshoot."""
    SUBJECTS[subject](ours, rate(1, "tokens"))
    assert sum(tokens(ask(asker, "@our-yours/gpt-4o"))) > 1
    reply = ask(asker, "@our-yours/gpt-4o")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "5")
    ours.world.clock.move(timedelta(seconds=5))
    assert ask(asker, "@our-yours/gpt-4o").status_code == 200


@pytest.mark.parametrize("subject", SUBJECTS)
def test_window_of_tokens_holds_as_many_as_it_says(ours: Client, asker: Client, subject: str) -> None:
    each = sum(tokens(ask(asker, "gpt-4o", provider="openai")))
    SUBJECTS[subject](ours, rate(2 * each, "tokens"))
    assert [ask(asker, "@our-yours/gpt-4o").status_code for _ in range(3)] == [200, 200, 429]


def test_keys_share_the_rate_of_a_provider(ours: Client) -> None:
    change(ours, rate_limits=[rate(1)])
    assert [ask(as_asker(ours), "@our-yours/gpt-4o").status_code for _ in range(2)] == [200, 429]


def test_providers_share_the_rate_of_their_access(ours: Client, asker: Client) -> None:
    make_provider(ours, "second")
    grant(ours, PRODUCTION, rate_limits=[rate(1)])
    assert [ask(asker, f"@{slug}/gpt-4o").status_code for slug in ("our-yours", "second")] == [200, 429]


def test_workspaces_have_their_own_windows(ours: Client, asker: Client) -> None:
    grant(ours, PRODUCTION, RESEARCH, rate_limits=[rate(1)])
    callers = [(asker, "our-yours"), (as_asker(ours, RESEARCH), "ours")]
    assert [[ask(caller, f"@{slug}/gpt-4o").status_code for _ in range(2)] for caller, slug in callers] == [[200, 429]] * 2


def test_providers_have_their_own_windows(ours: Client, asker: Client) -> None:
    make_provider(ours, "second", rate_limits=[rate(1)])
    change(ours, rate_limits=[rate(1)])
    slugs = ("our-yours", "second", "our-yours", "second")
    assert [ask(asker, f"@{slug}/gpt-4o").status_code for slug in slugs] == [200, 200, 429, 429]


def test_every_operation_of_the_data_plane_counts(ours: Client, asker: Client) -> None:
    change(ours, rate_limits=[rate(1)])
    reply = asker.post("/v1/embeddings", {"model": "@our-yours/text-embedding-3-small", "input": "When?"})
    assert reply.status_code == 200
    assert ask(asker, "@our-yours/gpt-4o").status_code == 429


# Budgets


def test_tokens_are_counted(ours: Client, asker: Client) -> None:
    change(ours, usage_limits=budget("tokens", 1000))
    asked, answered = tokens(ask(asker, "@our-yours/gpt-4o"))
    assert used(ours) == asked + answered
    ask(asker, "@our-yours/gpt-4o")
    assert used(ours) == 2 * (asked + answered)


def test_tokens_of_embeddings_are_counted(ours: Client, asker: Client) -> None:
    change(ours, usage_limits=budget("tokens", 1000))
    reply = asker.post("/v1/embeddings", {"model": "@our-yours/text-embedding-3-small", "input": "When?"})
    assert used(ours) == reply.json()["usage"]["total_tokens"]


def test_reading_what_was_answered_costs_nothing(ours: Client, asker: Client) -> None:
    """A stored response tells the tokens of a call that is long paid for."""
    change(ours, usage_limits=budget("tokens", 100000))
    made = asker.post("/v1/responses", {"model": "@our-yours/gpt-4o", "input": "When?"})
    assert made.status_code == 200, made.text[:500]
    before = used(ours)
    assert before == made.json()["usage"]["total_tokens"]
    reply = asker.get(f"/v1/responses/{made.json()['id']}", headers={"x-portkey-provider": "@our-yours"})
    assert reply.json()["usage"] == made.json()["usage"]
    assert used(ours) == before


def test_list_price_is_counted_in_dollars(ours: Client, asker: Client) -> None:
    """Model pricing: gpt-4o costs 0.00025 and 0.001 cents per token; budgets are in dollars."""
    change(ours, usage_limits=budget())
    asked, answered = tokens(ask(asker, "@our-yours/gpt-4o"))
    assert used(ours) == pytest.approx((asked * 0.00025 + answered * 0.001) / 100, abs=1e-8)


def test_list_price_is_that_of_the_provider(client: Client) -> None:
    make_integration(client, "claude", ai_provider_id="anthropic")
    grant(client, PRODUCTION, slug="claude")
    change(client, "claude", usage_limits=budget())
    model = "claude-3-5-sonnet-20241022"
    asked, answered = tokens(ask(as_asker(client), f"@claude/{model}"))
    assert used(client, "claude") == pytest.approx((asked * 0.0003 + answered * 0.0015) / 100, abs=1e-8)


def test_model_without_a_price_costs_nothing(ours: Client, asker: Client) -> None:
    change(ours, usage_limits=budget())
    tokens(ask(asker, "@our-yours/unheard-of"))
    assert "current_usage" not in providers(ours)["our-yours"]["usage_limits"]


def test_own_price_beats_the_list(ours: Client, asker: Client) -> None:
    change(ours, usage_limits=budget(limit=1000))
    price(ours, request_token=3, response_token=6)
    asked, answered = tokens(ask(asker, "@our-yours/gpt-4o"))
    assert used(ours) == pytest.approx((asked * 3 + answered * 6) / 100)


def test_part_without_an_own_price_costs_nothing(ours: Client, asker: Client) -> None:
    change(ours, usage_limits=budget(limit=1000))
    price(ours, response_token=6)
    _, answered = tokens(ask(asker, "@our-yours/gpt-4o"))
    assert used(ours) == pytest.approx(answered * 6 / 100)


def test_model_of_ones_own_costs_what_its_base_costs(ours: Client, asker: Client) -> None:
    change(ours, usage_limits=budget())
    model = {"slug": "tuned", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"}
    done(ours.put(f"{INTEGRATIONS}/ours/models", {"models": [model]}))
    asked, answered = tokens(ask(asker, "@our-yours/tuned"))
    assert used(ours) == pytest.approx((asked * 0.00025 + answered * 0.001) / 100, abs=1e-8)


@pytest.mark.parametrize(
    ("multiplier", "request_factor", "response_factor"),
    [
        ({"default": 2}, 2, 2),
        ({"request_token": 2}, 2, 1),
        ({"default": 0.5, "response_token": 3}, 0.5, 3),
        ({"default": 0.5, "response_token": None}, 0.5, 0.5),
        ({"default": 0}, 0, 0),
        ({"default": None}, 1, 1),
        ({"reasoning_token": 7}, 1, 1),
        ({}, 1, 1),
    ],
)
def test_adjustments_multiply_the_price(
    ours: Client, asker: Client, multiplier: Record, request_factor: float, response_factor: float
) -> None:
    """*chosen*: each kind of token by its own factor, else by `default`."""
    change(ours, usage_limits=budget(limit=1000))
    price(ours, request_token=3, response_token=6)
    done(ours.put(f"{INTEGRATIONS}/ours", {"pricing_adjustments": {"multiplier": multiplier}}))
    asked, answered = tokens(ask(asker, "@our-yours/gpt-4o"))
    assert used(ours) == pytest.approx((asked * 3 * request_factor + answered * 6 * response_factor) / 100)


def test_cleared_adjustments_leave_the_price(ours: Client, asker: Client) -> None:
    change(ours, usage_limits=budget(limit=1000))
    price(ours, request_token=3, response_token=6)
    for adjustments in ({"multiplier": {"default": 2}}, None):
        done(ours.put(f"{INTEGRATIONS}/ours", {"pricing_adjustments": adjustments}))
    asked, answered = tokens(ask(asker, "@our-yours/gpt-4o"))
    assert used(ours) == pytest.approx((asked * 3 + answered * 6) / 100)


def test_cost_counts_for_all_who_have_a_budget(ours: Client) -> None:
    """The key, its workspace, the provider, and the integration's access."""
    limit = budget(limit=1000)
    made = make_key(ours, scopes=["completions.write"], usage_limits=limit)
    done(ours.put(f"/v1/admin/workspaces/{PRODUCTION}", {"usage_limits": [limit]}))
    change(ours, usage_limits=limit)
    grant(ours, PRODUCTION, usage_limits=[limit])
    price(ours, request_token=3, response_token=6)
    asked, answered = tokens(ask(ours.as_key(made.secret), "@our-yours/gpt-4o"))
    spent = pytest.approx((asked * 3 + answered * 6) / 100)
    assert read_key(ours, made.id)["usage_limits"]["current_usage"] == spent
    assert read_workspace(ours, PRODUCTION)["usage_limits"][0]["current_usage"] == spent
    assert used(ours) == spent
    assert accesses(ours)[PRODUCTION]["usage_limits"][0]["current_usage"] == spent


def test_call_that_names_a_plain_provider_costs_its_key(client: Client) -> None:
    made = make_key(client, scopes=["completions.write"], usage_limits=budget())
    reply = ask(client.as_key(made.secret), "claude-3-5-sonnet-20241022", provider="anthropic")
    asked, answered = tokens(reply)
    spent = (asked * 0.0003 + answered * 0.0015) / 100
    assert read_key(client, made.id)["usage_limits"]["current_usage"] == pytest.approx(spent, abs=1e-8)


# From active to exhausted and back


class Holder(NamedTuple):
    """Something with a budget: how it is set, changed and shown."""

    set: Callable[[Client, Record | None], None]
    reset: Callable[[Client], None]
    usage: Callable[[Client], Record]


HOLDERS = {
    "provider": Holder(
        lambda client, limit: change(client, usage_limits=limit),
        lambda client: change(client, reset_usage=True),
        lambda client: dict(read(client, f"{PROVIDERS}/our-yours")["usage_limits"]),
    ),
    "virtual key": Holder(
        lambda client, limit: _change_virtual_key(client, usage_limits=limit),
        lambda client: _change_virtual_key(client, reset_usage=True),
        lambda client: dict(read(client, f"{VIRTUAL_KEYS}/our-yours")["usage_limits"]),
    ),
    "access": Holder(
        lambda client, limit: grant(client, PRODUCTION, usage_limits=limit and [limit]),
        lambda client: grant(client, PRODUCTION, reset_usage=True),
        lambda client: dict(accesses(client)[PRODUCTION]["usage_limits"][0]),
    ),
}


def _change_virtual_key(client: Client, **fields: Any) -> None:
    assert client.put(f"{VIRTUAL_KEYS}/our-yours", fields).status_code == 200


def statuses(client: Client, calls: int = 2) -> list[int]:
    return [ask(client, "@our-yours/gpt-4o").status_code for _ in range(calls)]


@pytest.mark.parametrize("name", HOLDERS)
def test_used_up_budget_refuses(ours: Client, asker: Client, name: str) -> None:
    HOLDERS[name].set(ours, budget("tokens"))
    assert statuses(asker, 3) == [200, 412, 412]


@pytest.mark.parametrize("name", HOLDERS)
def test_dollars_are_used_up_too(ours: Client, asker: Client, name: str) -> None:
    price(ours, request_token=100, response_token=100)
    HOLDERS[name].set(ours, budget("cost", 1))
    assert statuses(asker) == [200, 412]


@pytest.mark.parametrize("name", HOLDERS)
def test_reset_frees_a_budget(ours: Client, asker: Client, name: str) -> None:
    HOLDERS[name].set(ours, budget("tokens"))
    assert statuses(asker) == [200, 412]
    HOLDERS[name].reset(ours)
    assert HOLDERS[name].usage(ours) == budget("tokens")
    assert statuses(asker) == [200, 412]


@pytest.mark.parametrize("name", HOLDERS)
def test_higher_limit_frees_a_budget(ours: Client, asker: Client, name: str) -> None:
    HOLDERS[name].set(ours, budget("tokens"))
    assert statuses(asker) == [200, 412]
    spent = HOLDERS[name].usage(ours)["current_usage"]
    HOLDERS[name].set(ours, budget("tokens", spent))
    assert statuses(asker, 1) == [412]
    HOLDERS[name].set(ours, budget("tokens", spent + 1))
    assert statuses(asker) == [200, 412]


@pytest.mark.parametrize("name", HOLDERS)
def test_no_limit_frees_a_budget(ours: Client, asker: Client, name: str) -> None:
    HOLDERS[name].set(ours, budget("tokens"))
    assert statuses(asker) == [200, 412]
    HOLDERS[name].set(ours, None)
    assert statuses(asker) == [200, 200]


@pytest.mark.parametrize("name", HOLDERS)
@pytest.mark.parametrize(
    ("period", "last", "first"),
    [
        ({"periodic_reset": "weekly"}, "2026-05-09T23:59:59Z", "2026-05-10T00:00:00Z"),
        ({"periodic_reset": "monthly"}, "2026-05-31T23:59:59Z", "2026-06-01T00:00:00Z"),
        ({"periodic_reset_days": 3}, "2026-05-07T23:59:59Z", "2026-05-08T00:00:00Z"),
        ({"next_usage_reset_at": "2026-05-06T12:00:00Z"}, "2026-05-06T11:59:59Z", "2026-05-06T12:00:00Z"),
    ],
    ids=["weekly", "monthly", "three days", "given"],
)
def test_period_frees_a_budget(ours: Client, asker: Client, name: str, period: Record, last: str, first: str) -> None:
    """Weekly on Sunday, monthly on the first, at 00:00 UTC."""
    HOLDERS[name].set(ours, budget("tokens") | period)
    assert statuses(asker) == [200, 412]
    at(ours, last)
    assert statuses(asker, 1) == [412]
    at(ours, first)
    assert statuses(asker) == [200, 412]


@pytest.mark.parametrize("family", [PROVIDERS, VIRTUAL_KEYS])
def test_status_tells_of_exhaustion_in_read_and_list(ours: Client, asker: Client, family: str) -> None:
    change(ours, usage_limits=budget("tokens"))
    ask(asker, "@our-yours/gpt-4o")
    item = next(each for each in read(ours, family, workspace_id=PRODUCTION)["data"] if each["slug"] == "our-yours")
    assert (read(ours, f"{family}/our-yours")["status"], item["status"]) == ("exhausted", "exhausted")
    change(ours, reset_usage=True)
    assert read(ours, f"{family}/our-yours")["status"] == "active"


@pytest.mark.parametrize("family", [PROVIDERS, VIRTUAL_KEYS])
def test_status_tells_of_expiry_in_read_and_list(ours: Client, family: str) -> None:
    change(ours, expires_at="2026-05-06T00:00:00Z")
    at(ours, "2026-05-05T23:59:59Z")
    assert read(ours, f"{family}/our-yours")["status"] == "active"
    at(ours, "2026-05-06T00:00:00Z")
    item = next(each for each in read(ours, family, workspace_id=PRODUCTION)["data"] if each["slug"] == "our-yours")
    assert (read(ours, f"{family}/our-yours")["status"], item["status"]) == ("expired", "expired")


@pytest.mark.parametrize("later", ["2026-06-01T00:00:00Z", None], ids=["later", "never"])
def test_new_expiry_revives(ours: Client, asker: Client, later: str | None) -> None:
    change(ours, expires_at="2026-05-06T00:00:00Z")
    assert statuses(asker, 1) == [200]
    at(ours, "2026-05-06T00:00:00Z")
    assert statuses(asker, 1) == [401]
    change(ours, expires_at=later)
    assert statuses(asker, 1) == [200]
    assert read(ours, f"{PROVIDERS}/our-yours")["status"] == "active"


def test_expiry_is_told_before_anything_looks(ours: Client) -> None:
    """A virtual key with an end of its own, told by the first call after it."""
    made = make_virtual_key(ours, expires_at="2026-05-06T00:00:00Z")
    at(ours, "2026-05-07T00:00:00Z")
    reply = ask(as_asker(ours), "gpt-4o", virtual_key=made["slug"])
    assert refusal(reply, 401)["type"] == "virtual_key_expired_error"


def test_row_of_an_access_shows_the_same_fields_after_a_reset(ours: Client) -> None:
    before = accesses(ours)[PRODUCTION]
    grant(ours, PRODUCTION, reset_usage=True)
    assert accesses(ours)[PRODUCTION] == before


def test_budget_of_an_access_is_its_own_workspaces(ours: Client, asker: Client) -> None:
    grant(ours, PRODUCTION, RESEARCH, usage_limits=[budget("tokens")])
    assert statuses(asker) == [200, 412]
    assert ask(as_asker(ours, RESEARCH), "@ours/gpt-4o").status_code == 200


def test_demanded_answer_costs_nothing(ours: Client, asker: Client) -> None:
    """*chosen*: an answer on demand is no call to a model."""
    change(ours, usage_limits=budget("tokens", 1000))
    body = {"model": "@our-yours/gpt-4o", "messages": [{"role": "user", "content": "When?"}]}
    assert asker.post(CHAT, body, headers={"prefer": "code=200"}).status_code == 200
    assert used(ours) == 0
