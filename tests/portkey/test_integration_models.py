"""The models of integrations through the front door.

Source of every rule that names none: identity-and-access, Integration models.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import (
    INTEGRATIONS,
    everything_shown,
    make_integration,
    models,
    read_integration,
)
from tests.portkey.team import NOBODY, at, changes, done, read, refused, state

PATH = f"{INTEGRATIONS}/ours/models"
FIELDS = [
    "slug", "name", "enabled", "is_custom", "is_finetune", "base_model_slug", "pricing_config", "configurations",
    "created_at", "last_updated_at",
]  # fmt: skip
CUSTOM: Record = {"slug": "tuned", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"}
PRICES: Record = {
    "type": "static",
    "pay_as_you_go": {
        "request_token": {"price": 0.03},
        "response_token": {"price": 0.06},
        "cache_read_input_token": {"price": 0.01},
    },
}


@pytest.fixture
def ours(client: Client) -> Client:
    """A world with an integration of OpenAI, in May 2026."""
    at(client, "2026-05-03T17:08:55Z")
    make_integration(client)
    return client


def put(client: Client, *given: Record, **fields: Any) -> None:
    """Say something of models."""
    done(client.put(PATH, {"models": list(given), **fields}))


def invalid_at(client: Client, pointer: str, *given: Record) -> str:
    """Check that what is said of models is refused at this place, and return why."""
    before = state(client)
    data = refused(client.put(PATH, {"models": list(given)}), 400, "AB01")
    assert [violation["pointer"] for violation in data["violations"]] == [pointer]
    assert state(client) == before
    return str(data["violations"][0]["message"])


def test_new_integration_opens_the_models_known_of_its_provider(ours: Client) -> None:
    page = read(ours, PATH)
    assert page.keys() == {"models", "allow_all_models", "total"}
    assert (page["allow_all_models"], page["total"]) == (True, len(page["models"]))
    assert models(ours)["gpt-4o"] == {
        "slug": "gpt-4o",
        "name": "gpt-4o",
        "enabled": True,
        "is_custom": False,
        "is_finetune": False,
        "base_model_slug": None,
        "pricing_config": None,
        "configurations": None,
        "created_at": None,
        "last_updated_at": None,
    }


def test_model_of_ones_own_reads_as_given(ours: Client) -> None:
    put(ours, {**CUSTOM, "is_finetune": True, "pricing_config": PRICES, "configurations": {"custom_host": "https://a.example"}})
    model = models(ours)["tuned"]
    assert list(model) == FIELDS
    assert model == {
        "slug": "tuned",
        "name": "tuned",
        "enabled": True,
        "is_custom": True,
        "is_finetune": True,
        "base_model_slug": "gpt-4o",
        "pricing_config": PRICES,
        "configurations": {"custom_host": "https://a.example"},
        "created_at": "2026-05-03T17:08:55.000Z",
        "last_updated_at": "2026-05-03T17:08:55.000Z",
    }


def test_flags_are_booleans(ours: Client) -> None:
    """Quirk 17: all clients read booleans; numbers and texts only some."""
    put(ours, CUSTOM)
    flags = ("enabled", "is_custom", "is_finetune")
    assert {type(model[flag]) for model in models(ours).values() for flag in flags} == {bool}


def test_built_in_model_is_switched_off_and_on(ours: Client) -> None:
    put(ours, {"slug": "gpt-4o", "enabled": False})
    assert (models(ours)["gpt-4o"]["enabled"], models(ours)["gpt-4o"]["is_custom"]) == (False, False)
    put(ours, {"slug": "gpt-4o", "enabled": True})
    assert models(ours)["gpt-4o"]["enabled"] is True


def test_model_is_listed_once(ours: Client) -> None:
    before = read(ours, PATH)["total"]
    put(ours, {"slug": "gpt-4o", "enabled": False}, CUSTOM, {"slug": "gpt-4o-mini", "enabled": True})
    page = read(ours, PATH)
    assert page["total"] == len(models(ours)) == before + 2


def test_models_that_are_not_named_stay(ours: Client) -> None:
    put(ours, CUSTOM, {"slug": "gpt-4o", "enabled": False})
    before = models(ours)
    at(ours, "2026-05-04T10:00:00Z")
    put(ours, {"slug": "gpt-4o-mini", "enabled": True})
    after = models(ours)
    assert {slug: after[slug] for slug in before} == before
    assert after.keys() - before.keys() == {"gpt-4o-mini"}


def test_fields_that_are_not_said_stay(ours: Client) -> None:
    put(ours, {**CUSTOM, "is_finetune": True, "pricing_config": PRICES, "configurations": {"custom_host": "https://a.example"}})
    before = models(ours)["tuned"]
    at(ours, "2026-05-04T10:00:00Z")
    put(ours, {"slug": "tuned", "enabled": False})
    after = models(ours)["tuned"]
    assert changes(before, after) == {"enabled", "last_updated_at"}
    assert after["last_updated_at"] == "2026-05-04T10:00:00.000Z"


@pytest.mark.parametrize("flag", ["is_custom", "is_finetune"])
def test_null_says_nothing_of_a_flag(ours: Client, flag: str) -> None:
    put(ours, {**CUSTOM, "is_finetune": True})
    put(ours, {"slug": "tuned", "enabled": True, flag: None})
    assert models(ours)["tuned"][flag] is True


@pytest.mark.parametrize(
    ("field", "value"), [("pricing_config", PRICES), ("configurations", {"custom_host": "https://a.example"})]
)
def test_null_clears_what_can_be_empty(ours: Client, field: str, value: Any) -> None:
    put(ours, {**CUSTOM, field: value})
    put(ours, {"slug": "tuned", "enabled": True, field: None})
    assert models(ours)["tuned"][field] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", NOBODY), ("integration_id", NOBODY), ("created_at", "yesterday"), ("last_updated_at", 5), ("name", 7)],
)
def test_what_is_not_for_callers_is_ignored(ours: Client, field: str, value: Any) -> None:
    """Conventions: Request tolerance."""
    put(ours, CUSTOM)
    before = read(ours, PATH)
    put(ours, {**CUSTOM, field: value})
    assert read(ours, PATH) == before
    put(ours, {"slug": "gpt-4o", "enabled": True, field: value})
    assert read(ours, PATH)["total"] == before["total"]


def test_empty_list_is_taken(ours: Client) -> None:
    before = models(ours)
    put(ours)
    assert models(ours) == before


@pytest.mark.parametrize(
    "body",
    [{}, {"models": None}, {"models": [{"slug": "gpt-4o"}]}, {"models": [{"enabled": True}]}, {"allow_all_models": False}],
    ids=["nothing", "null", "no enabled", "no slug", "no models"],
)
def test_models_with_slug_and_enabled_are_required(ours: Client, body: Record) -> None:
    before = state(ours)
    refused(ours.put(PATH, body), 400, "AB01")
    assert state(ours) == before


@pytest.mark.parametrize("base", [None, "", ...], ids=["null", "empty", "absent"])
def test_model_of_ones_own_needs_a_base(ours: Client, base: Any) -> None:
    given = {**CUSTOM, "base_model_slug": base} if base is not ... else {"slug": "tuned", "enabled": True, "is_custom": True}
    assert invalid_at(ours, "/models/0/base_model_slug", given) == "is required for a model of one's own"


def test_unknown_model_is_refused(ours: Client) -> None:
    why = invalid_at(ours, "/models/1/slug", CUSTOM, {"slug": "no-such", "enabled": True})
    assert why == "Following models are not valid: no-such"


@pytest.mark.parametrize(
    ("provider", "slug"),
    [
        ("openai", "gpt-4o-mini"),
        ("openai", "o3-mini"),
        ("openai", "text-embedding-3-small"),
        ("anthropic", "claude-sonnet-4-5"),
        ("google", "gemini-2.5-flash"),
        ("mistral-ai", "whatever"),
        ("bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
    ],
)
def test_model_that_sounds_like_the_providers_is_taken(client: Client, provider: str, slug: str) -> None:
    """*chosen*: a list would refuse the models of tomorrow."""
    make_integration(client, ai_provider_id=provider)
    put(client, {"slug": slug, "enabled": True})
    assert models(client)[slug]["enabled"] is True


@pytest.mark.parametrize(("provider", "slug"), [("openai", "claude-sonnet-4-5"), ("anthropic", "gpt-4o"), ("google", "gpt-4o")])
def test_model_of_another_provider_is_refused(client: Client, provider: str, slug: str) -> None:
    make_integration(client, ai_provider_id=provider)
    assert invalid_at(client, "/models/0/slug", {"slug": slug, "enabled": True}).endswith(slug)


@pytest.mark.parametrize(
    ("host", "why"),
    [("http://127.0.0.1", "lies in a private range"), ("models.example.com", "is no URL of a host")],
)
def test_host_of_a_model_is_a_public_url(ours: Client, host: str, why: str) -> None:
    given = {**CUSTOM, "configurations": {"custom_host": host}}
    assert invalid_at(ours, "/models/0/configurations/custom_host", given) == why


def test_headers_of_a_model_are_texts(ours: Client) -> None:
    invalid_at(
        ours, "/models/0/configurations/custom_headers/x-team", {**CUSTOM, "configurations": {"custom_headers": {"x-team": 1}}}
    )


def test_values_of_headers_show_nowhere(ours: Client) -> None:
    """*chosen*: such headers carry credentials."""
    put(ours, {**CUSTOM, "configurations": {"custom_headers": {"x-auth": "token-0a1b2c3d"}}})
    assert models(ours)["tuned"]["configurations"] == {"custom_headers": {"x-auth": "to*****c3d"}}
    assert "token-0a1b2c3d" not in everything_shown(ours)


@pytest.mark.parametrize("price", [-0.1, "0.1"])
def test_price_is_no_negative_number_nor_a_text(ours: Client, price: Any) -> None:
    pricing = {"type": "static", "pay_as_you_go": {"request_token": {"price": price}}}
    assert ours.put(PATH, {"models": [{**CUSTOM, "pricing_config": pricing}]}).status_code == 400


# Whether all are allowed


def test_switch_closes_the_models_that_nobody_named(ours: Client) -> None:
    put(ours, CUSTOM, allow_all_models=False)
    page = read(ours, PATH)
    assert page["allow_all_models"] is False
    assert {slug: model["enabled"] for slug, model in models(ours).items()} == {"tuned": True, "gpt-4o": False}
    assert read_integration(ours)["allow_all_models"] is False


def test_switch_opens_them_again(ours: Client) -> None:
    put(ours, {"slug": "gpt-4o-mini", "enabled": False}, allow_all_models=False)
    put(ours, allow_all_models=True)
    assert {slug: model["enabled"] for slug, model in models(ours).items()} == {"gpt-4o-mini": False, "gpt-4o": True}


def test_switch_that_is_not_named_stays(ours: Client) -> None:
    put(ours, allow_all_models=False)
    put(ours, CUSTOM)
    assert read(ours, PATH)["allow_all_models"] is False


def test_integration_is_newer_when_its_models_are(ours: Client) -> None:
    before = read_integration(ours)
    at(ours, "2026-05-04T10:00:00Z")
    put(ours, CUSTOM)
    assert changes(before, read_integration(ours)) == {"last_updated_at"}


# Delete


@pytest.mark.parametrize("slugs", ["tuned", "tuned,other", "tuned, other", "tuned,tuned", ",tuned,"])
def test_models_of_ones_own_are_deleted(ours: Client, slugs: str) -> None:
    put(ours, CUSTOM, {**CUSTOM, "slug": "other"}, {**CUSTOM, "slug": "kept"})
    done(ours.delete(PATH, params={"slugs": slugs}))
    gone = {"tuned", "other"} if "other" in slugs else {"tuned"}
    assert {"tuned", "other", "kept"} & models(ours).keys() == {"tuned", "other", "kept"} - gone


@pytest.mark.parametrize(
    ("slugs", "wrong"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("nowhere", "nowhere"),
        ("gpt-4o,tuned,nowhere", "gpt-4o, nowhere"),
    ],
)
def test_other_models_cannot_be_deleted(ours: Client, slugs: str, wrong: str) -> None:
    """Built-in models can only be switched off. All go, or none."""
    put(ours, CUSTOM, {"slug": "gpt-4o-mini", "enabled": True})
    before = state(ours)
    data = refused(ours.delete(PATH, params={"slugs": slugs}), 400, "AB01")
    assert data["violations"][0]["message"] == f"Following models are not valid: {wrong}"
    assert state(ours) == before


@pytest.mark.parametrize(
    "options",
    [{}, {"params": {"slugs": ""}}, {"params": {"slugs": " ,"}}, {"json": {"models": ["tuned"]}}],
    ids=["no", "empty", "commas", "body"],
)
def test_slugs_are_said_in_the_query(ours: Client, options: Record) -> None:
    """The provider's changelog: a body is not read, and 400 names `slugs` in the query."""
    put(ours, CUSTOM)
    data = refused(ours.delete(PATH, **options), 400, "AB01")
    assert (data["violations"][0]["in"], data["violations"][0]["pointer"]) == ("query", "/slugs")
    assert "tuned" in models(ours)


def test_deleted_model_can_be_made_again(ours: Client) -> None:
    put(ours, {**CUSTOM, "pricing_config": PRICES})
    done(ours.delete(PATH, params={"slugs": "tuned"}))
    put(ours, CUSTOM)
    assert models(ours)["tuned"]["pricing_config"] is None


def test_models_of_another_integration_stay(ours: Client) -> None:
    make_integration(ours, "theirs")
    put(ours, CUSTOM)
    done(ours.put(f"{INTEGRATIONS}/theirs/models", {"models": [CUSTOM]}))
    done(ours.delete(PATH, params={"slugs": "tuned"}))
    assert "tuned" in models(ours, "theirs")


# The way of the Terraform provider


def test_terraform_sees_no_drift(ours: Client) -> None:
    """Quirk 12: a GET of the list after every PUT; the row is found by its slug."""
    given = {"slug": "ft:gpt-4o:us:1", "enabled": True, "is_custom": True, "is_finetune": True, "base_model_slug": "gpt-4o"}
    put(ours, {**given, "pricing_config": PRICES})
    created = models(ours)["ft:gpt-4o:us:1"]
    assert created.items() >= {**given, "pricing_config": PRICES}.items()
    assert models(ours)["ft:gpt-4o:us:1"] == created

    at(ours, "2026-05-04T10:00:00Z")
    dearer = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.05}, "response_token": {"price": 0.1}}}
    put(ours, {**given, "pricing_config": dearer})
    changed = models(ours)["ft:gpt-4o:us:1"]
    assert changed == created | {"pricing_config": dearer, "last_updated_at": "2026-05-04T10:00:00.000Z"}
    assert models(ours)["ft:gpt-4o:us:1"] == changed

    put(ours, {**given, "pricing_config": None})
    assert models(ours)["ft:gpt-4o:us:1"] == changed | {"pricing_config": None}

    done(ours.delete(PATH, params={"slugs": "ft:gpt-4o:us:1"}))
    assert "ft:gpt-4o:us:1" not in models(ours)


def test_terraform_disables_a_built_in_model_to_delete_it(ours: Client) -> None:
    put(ours, {"slug": "gpt-4o", "enabled": True})
    created = models(ours)["gpt-4o"]
    put(ours, {"slug": "gpt-4o", "enabled": False})
    assert models(ours)["gpt-4o"] == created | {"enabled": False}
