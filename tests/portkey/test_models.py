"""Lists of models, and single ones, through the front door.

Source of every rule that names none: gateway-data-plane, /models.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import INTEGRATIONS, SEEDED, grant, make_integration, make_provider
from tests.portkey.team import PRODUCTION, RESEARCH, barred, done, known_admin, make_key, read, turned_down

MODELS = "/v1/models"
TUNED = "ft:gpt-4o:acorn:tickets:A1b2"
NO_PROVIDER = "Either x-portkey-config or x-portkey-provider header is required"


def tune(client: Client, name: str = TUNED, **fields: Any) -> None:
    """Put a fine-tuned model there, as a job of fine-tuning leaves it."""
    row: Record = {"id": name, "created": 1_777_777_777, "owned_by": "acorn", "provider": "openai", "created_at": ""}
    client.world["models"].add(row | fields)


def ids(client: Client, headers: dict[str, str] | None = None, **query: Any) -> list[str]:
    """The ids of a list."""
    reply = client.get(MODELS, params=query, headers=headers or {})
    assert reply.status_code == 200, reply.text
    return [model["id"] for model in reply.json()["data"]]


def one(client: Client, name: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Call with the id of a model, escaped as the SDKs do."""
    return client.call(method, f"{MODELS}/{quote(name, safe='')}", headers=headers)


def config(**content: Any) -> dict[str, str]:
    return {"x-portkey-config": json.dumps(content)}


def missing(reply: httpx.Response) -> bool:
    """Whether a provider does not have the model, in OpenAI's words."""
    error = reply.json()["error"]
    return (reply.status_code, error["type"], error["code"]) == (404, "invalid_request_error", "model_not_found")


@pytest.fixture
def service(client: Client) -> Client:
    """A key of Production that may call models."""
    return client.as_key(make_key(client, scopes=["completions.write"]).secret)


@pytest.fixture
def mixed(client: Client) -> Client:
    """A world whose Production has models of two services beside the seed's."""
    make_integration(client, "claude", ai_provider_id="anthropic")
    make_integration(client, "ours")
    done(
        client.put(
            f"{INTEGRATIONS}/ours/models",
            {"models": [{"slug": "tuned", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"}]},
        )
    )
    for slug in ("claude", "ours"):
        grant(client, PRODUCTION, slug=slug)
    return client


# The catalogue


def test_list_is_the_catalogue_of_the_workspace(service: Client) -> None:
    """Without the time and owner that OpenAI's have."""
    assert read(service, MODELS) == {
        "object": "list",
        "total": 2,
        "data": [
            {"id": "@openai-evaluations/gpt-4o", "slug": "gpt-4o", "canonical_slug": "gpt-4o", "object": "model"},
            {"id": "@openai-production/gpt-4o", "slug": "gpt-4o", "canonical_slug": "gpt-4o", "object": "model"},
        ],
    }


def test_workspace_without_providers_has_no_models(client: Client) -> None:
    research = client.as_key(make_key(client, workspace_id=RESEARCH, scopes=["completions.write"]).secret)
    assert read(research, MODELS) == {"object": "list", "total": 0, "data": []}


def test_organisations_key_sees_all_workspaces(client: Client) -> None:
    grant(client, RESEARCH, slug=SEEDED)
    make_provider(client, "labs", SEEDED, workspace_id=RESEARCH)
    assert "@labs/gpt-4o" in ids(known_admin(client))
    assert ids(client) == sorted(set(ids(client)))


def test_model_of_ones_own_tells_what_it_is_based_on(mixed: Client) -> None:
    rows = {row["id"]: row for row in read(mixed, MODELS)["data"]}
    assert rows["@ours/tuned"] == {"id": "@ours/tuned", "slug": "tuned", "canonical_slug": "gpt-4o", "object": "model"}


def test_model_that_is_switched_off_is_not_offered(service: Client, client: Client) -> None:
    done(client.put(f"{INTEGRATIONS}/{SEEDED}/models", {"models": [{"slug": "gpt-4o", "enabled": False}]}))
    assert ids(service) == []


def test_closed_integration_offers_what_is_switched_on(service: Client, client: Client) -> None:
    off = {"models": [{"slug": "gpt-4o-mini", "enabled": True}], "allow_all_models": False}
    done(client.put(f"{INTEGRATIONS}/{SEEDED}/models", off))
    assert ids(service) == ["@openai-evaluations/gpt-4o-mini", "@openai-production/gpt-4o-mini"]


def test_integration_that_is_taken_back_offers_nothing(service: Client, client: Client) -> None:
    grant(client, PRODUCTION, slug=SEEDED, enabled=False)
    assert ids(service) == []


def test_expired_provider_offers_nothing(service: Client, client: Client) -> None:
    make_provider(client, "summer", SEEDED, expires_at="2099-09-01T00:00:00Z")
    assert "@summer/gpt-4o" in ids(service)
    client.world.clock.freeze(client.world.clock.now().replace(year=2100))
    late = client.as_key(make_key(client, scopes=["completions.write"]).secret)
    assert "@summer/gpt-4o" not in ids(late)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"ai_service": "anthropic"}, ["@claude/claude-3-5-sonnet-20241022"]),
        ({"provider": "ours"}, ["@ours/gpt-4o", "@ours/tuned"]),
        ({"provider": "ours", "ai_service": "anthropic"}, []),
        ({"provider": "nobody"}, []),
    ],
    ids=["service", "provider", "both", "unknown"],
)
def test_catalogue_is_filtered(mixed: Client, query: Record, found: list[str]) -> None:
    assert ids(mixed, **query) == found


@pytest.mark.parametrize(
    ("sort", "first", "last"),
    [
        ("name", "@claude/claude-3-5-sonnet-20241022", "@ours/tuned"),
        ("provider", "@claude/claude-3-5-sonnet-20241022", "@ours/tuned"),
        ("ai_service", "@claude/claude-3-5-sonnet-20241022", "@ours/tuned"),
    ],
)
def test_catalogue_is_sorted(mixed: Client, sort: str, first: str, last: str) -> None:
    found = ids(mixed, sort=sort)
    assert (found[0], found[-1]) == (first, last)
    assert ids(mixed, sort=sort, order="desc") == found[::-1]


def test_sorting_by_provider_keeps_its_models_together(mixed: Client) -> None:
    assert ids(mixed, sort="provider") == [
        "@claude/claude-3-5-sonnet-20241022",
        "@openai-evaluations/gpt-4o",
        "@openai-production/gpt-4o",
        "@ours/gpt-4o",
        "@ours/tuned",
    ]


def test_pages_make_up_the_catalogue(mixed: Client) -> None:
    pages = [read(mixed, MODELS, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [page["total"] for page in pages] == [5] * 4
    assert [model["id"] for page in pages for model in page["data"]] == ids(mixed)
    assert pages[-1]["data"] == []


# The list of a provider


OPENAIS = {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 1715367049, "owned_by": "system"}]}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-portkey-provider": "openai"},
        {"x-portkey-provider": "@openai-production"},
        {"x-portkey-virtual-key": "openai-production"},
        config(provider="@openai-production"),
        config(
            strategy={"mode": "fallback"},
            targets=[{"provider": "@openai-production"}, {"provider": "anthropic", "api_key": "sk-2"}],
        ),
    ],
    ids=["name", "slug", "virtual-key", "config", "targets"],
)
def test_named_provider_lists_its_own_models(service: Client, headers: dict[str, str]) -> None:
    reply = service.get(MODELS, headers=headers)
    assert (reply.status_code, reply.json()) == (200, OPENAIS)
    assert reply.headers["x-portkey-provider"] == "openai"


def test_other_provider_signs_its_list(mixed: Client) -> None:
    reply = mixed.get(MODELS, headers={"x-portkey-provider": "@claude"})
    (model,) = reply.json()["data"]
    assert (reply.json()["provider"], model["owned_by"]) == ("anthropic", "anthropic")
    assert "total" not in reply.json()


def test_providers_list_has_models_of_ones_own(mixed: Client) -> None:
    tune(mixed)
    assert ids(mixed, {"x-portkey-provider": "@ours"}) == [TUNED, "gpt-4o", "tuned"]
    assert ids(mixed, {"x-portkey-provider": "openai"}) == [TUNED, "gpt-4o"]


def test_reply_tells_the_target(service: Client) -> None:
    both = {
        "strategy": {"mode": "loadbalance"},
        "targets": [{"provider": "openai", "api_key": "sk-1", "weight": 0}, {"provider": "anthropic", "api_key": "sk-2"}],
    }
    headers = service.get(MODELS, headers={**config(**both), "x-portkey-trace-id": "t-1"}).headers
    assert (headers["x-portkey-last-used-option-index"], headers["x-portkey-provider"]) == ("config.targets[1]", "anthropic")
    assert headers["x-portkey-trace-id"] == "t-1"


def test_config_without_provider_leaves_the_catalogue(service: Client) -> None:
    assert ids(service, config(retry={"attempts": 2})) == ids(service)


def test_unknown_slug_is_refused(service: Client) -> None:
    text = turned_down(service.get(MODELS, headers={"x-portkey-provider": "@nobody"}), 400)
    assert text == "Following keys are not valid: nobody"


# The catalogue of what is named


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"x-portkey-provider": "@ours"}, ["@ours/gpt-4o", "@ours/tuned"]),
        ({"x-portkey-virtual-key": "claude"}, ["@claude/claude-3-5-sonnet-20241022"]),
        ({"x-portkey-provider": "anthropic"}, ["@claude/claude-3-5-sonnet-20241022"]),
        (
            config(
                strategy={"mode": "fallback"},
                targets=[{"virtual_key": "claude"}, {"override_params": {"model": "@ours/gpt-4o"}, "retry": {"attempts": 1}}],
            ),
            ["@claude/claude-3-5-sonnet-20241022", "@ours/gpt-4o", "@ours/tuned"],
        ),
    ],
    ids=["slug", "virtual-key", "name", "targets"],
)
def test_integrated_models_of_what_is_named(mixed: Client, headers: dict[str, str], found: list[str]) -> None:
    assert ids(mixed, {**headers, "x-portkey-fetch-integrated-models": "true"}) == found


def test_config_asks_for_integrated_models(mixed: Client) -> None:
    found = ids(mixed, config(provider="@ours", fetch_integrated_models=True))
    assert found == ["@ours/gpt-4o", "@ours/tuned"]


# One model


@pytest.mark.parametrize("name", ["gpt-4o", "@openai-production/gpt-4o", "gpt-4.1-of-tomorrow"])
def test_model_is_read_as_openai_shows_it(service: Client, name: str) -> None:
    reply = one(service, name, **{"x-portkey-provider": "@openai-production"})
    shown = {"id": name.rpartition("/")[2], "object": "model", "created": 1715367049, "owned_by": "system"}
    assert (reply.status_code, reply.json()) == (200, shown)
    assert reply.headers["x-portkey-provider"] == "openai"


def test_id_of_the_catalogue_names_its_provider(mixed: Client) -> None:
    admin = known_admin(mixed)
    for name in ids(admin):
        assert one(admin, name).json()["id"] == name.partition("/")[2]


def test_id_may_hold_slashes(client: Client) -> None:
    name = "accounts/acorn/models/llama-v3"
    reply = one(client, name, **{"x-portkey-provider": "fireworks-ai"})
    assert (reply.json()["id"], reply.json()["provider"]) == (name, "fireworks-ai")


def test_unknown_model_is_missing(client: Client) -> None:
    assert missing(one(client, "nothing-of-the-kind"))
    assert missing(one(client, "claude-3-5-sonnet-20241022"))


def test_model_of_another_provider_is_missing(mixed: Client) -> None:
    tune(mixed)
    assert missing(one(mixed, TUNED, **{"x-portkey-provider": "anthropic"}))
    assert missing(one(mixed, "tuned", **{"x-portkey-provider": "openai"}))
    assert one(mixed, "tuned", **{"x-portkey-provider": "@ours"}).json()["owned_by"] == "organization"


def test_known_key_must_name_a_provider(service: Client) -> None:
    """As for all that is passed on (gateway-data-plane, Route map)."""
    assert turned_down(one(service, "gpt-4o"), 400) == NO_PROVIDER


def test_fine_tuned_model_goes(client: Client) -> None:
    tune(client)
    shown = {"id": TUNED, "object": "model", "created": 1_777_777_777, "owned_by": "acorn"}
    assert one(client, TUNED).json() == shown
    assert one(client, TUNED, "DELETE").json() == {"id": TUNED, "object": "model", "deleted": True}
    assert missing(one(client, TUNED))
    assert missing(one(client, TUNED, "DELETE"))
    assert TUNED not in ids(client, {"x-portkey-provider": "openai"})


def test_built_in_model_cannot_be_deleted(client: Client) -> None:
    reply = one(client, "gpt-4o", "DELETE")
    assert (reply.status_code, reply.json()["error"]["type"]) == (403, "invalid_request_error")
    assert one(client, "gpt-4o").status_code == 200


@pytest.mark.parametrize("scope", ["models.list", "virtual_keys.list", "completions.write"])
def test_any_of_three_scopes_lists(client: Client, scope: str) -> None:
    """Source: gateway-data-plane, Authentication: Scopes."""
    assert client.as_key(make_key(client, scopes=[scope]).secret).get(MODELS).status_code == 200


def test_other_scope_lists_nothing(client: Client) -> None:
    barred(client.as_key(make_key(client, scopes=["logs.view"]).secret).get(MODELS), 403, "033")
