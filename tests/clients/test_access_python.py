"""The real `portkey-ai` for Python, sync and async, over a real socket: integrations, providers and virtual keys."""

from __future__ import annotations

import operator
from typing import Any

import pytest
from portkey_ai import AsyncPortkey, Portkey
from portkey_ai.api_resources import exceptions
from pydantic import ValidationError

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_python_sdk
from tests.clients.test_python_sdk import HAS_DEPENDENTS, NO_PERMISSION, NOT_THERE, PRODUCTION, RESEARCH, Call, workspace_id

call = test_python_sdk.call

METHODS = {
    "integrations": {"create", "retrieve", "list", "update", "delete"},
    "integrations.models": {"list", "update", "delete"},
    "integrations.workspaces": {"list", "update"},
    "providers": {"create", "retrieve", "list", "update", "delete"},
    "virtual_keys": {"create", "retrieve", "list", "update", "delete"},
}
KEY = "sk-live-7Yq2mWv9Xb4T"
MASKED = "sk*****b4T"
GRANTED = "Created automatically on integration access grant"
SEEDED = "openai-production"
CUSTOM = {"slug": "tuned", "enabled": True, "is_custom": True, "is_finetune": True, "base_model_slug": "gpt-4o"}
RATE = {"type": "requests", "unit": "rpm", "value": 60}
ASK = [{"role": "user", "content": "When?"}]


@pytest.fixture
def ours(call: Call) -> Any:
    """An integration of OpenAI, as its creation shows it."""
    return call("integrations.create", name="Ours", ai_provider_id="openai", key=KEY, slug="ours", description="Paid by us")


@pytest.fixture
def granted(call: Call, ours: Any) -> Any:
    """The same, granted to Production."""
    call("integrations.workspaces.update", slug="ours", workspaces=[{"id": PRODUCTION, "enabled": True}])
    return ours


@pytest.fixture
def provider(call: Call) -> Any:
    """A provider of Production, as its creation shows it."""
    return call(
        "providers.create",
        name="Theirs",
        slug="theirs",
        integration_id=SEEDED,
        workspace_id=PRODUCTION,
        note="For support",
        usage_limits={"type": "cost", "credit_limit": 20},
        rate_limits=[RATE],
        expires_at="2030-01-01T00:00:00Z",
    )


@pytest.fixture
def virtual_key(call: Call) -> Any:
    """A virtual key of Production, as its creation shows it."""
    return call(
        "virtual_keys.create",
        name="Ours",
        provider="azure-openai",
        key=KEY,
        note="For support",
        apiVersion="2024-10-21",
        resourceName="ours",
        deploymentName="small",
        workspace_id=PRODUCTION,
        usage_limits={"type": "tokens", "credit_limit": 1000},
    )


@pytest.mark.parametrize("namespace", METHODS)
@pytest.mark.parametrize("client_type", [Portkey, AsyncPortkey], ids=["sync", "async"])
def test_namespaces_have_the_methods_tested_here(client_type: Any, namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    client = client_type(base_url="http://127.0.0.1:1/v1", api_key="any")
    methods = vars(type(operator.attrgetter(namespace)(client)))
    assert {name for name in methods if not name.startswith("_")} == METHODS[namespace]


# Integrations


def test_created_integration_tells_id_and_slug(call: Call, portkey: PortkeyWorld, ours: Any) -> None:
    assert (ours.slug, ours.get_headers()) == ("ours", {})
    record = portkey.world["integrations"].get(ours.id)
    assert record is not None
    assert KEY not in str(record) + str(portkey.calls)


def test_retrieved_integration_has_the_attributes_users_read(call: Call, ours: Any) -> None:
    """`global_workspace_access` is the SDK's word for a field that is published otherwise (sdk-call-map 7.4)."""
    shown = call("integrations.retrieve", slug="ours")
    assert (shown.id, shown.slug, shown.object, shown.name) == (ours.id, "ours", "integration", "Ours")
    assert (shown.description, shown.ai_provider_id, shown.status) == ("Paid by us", "openai", "active")
    assert (shown.masked_key, shown.configurations, shown.allow_all_models) == (MASKED, {}, True)
    assert (shown.type, shown.workspace_id, shown.global_workspace_access) == ("organisation", None, None)
    assert (shown.workspace_count, shown.secret_mappings, shown.pricing_adjustments) == (0, [], None)
    assert shown.created_at == shown.last_updated_at
    assert shown.owner_id


def test_integration_takes_fields_the_sdk_does_not_name(call: Call) -> None:
    """Source: sdk-call-map 6.2 (reachable through keyword arguments)."""
    call(
        "integrations.create",
        name="Theirs",
        slug="theirs",
        ai_provider_id="bedrock",
        workspace_id=PRODUCTION,
        configurations={"aws_auth_type": "accessKey", "aws_region": "eu-west-1", "aws_secret_access_key": "wJalr0EXAMPLE0bPx"},
        default_provider_slug="fast",
        pricing_adjustments={"multiplier": {"default": 0.9}},
    )
    shown = call("integrations.retrieve", slug="theirs")
    assert (shown.type, shown.pricing_adjustments) == ("workspace", {"multiplier": {"default": 0.9}})
    assert shown.configurations["masked_aws_secret_access_key"] == "wJ*****bPx"
    assert call("providers.retrieve", slug="fast").integration_id == "theirs"


def test_listed_integrations_come_newest_first(call: Call, ours: Any) -> None:
    page = call("integrations.list")
    assert (page.object, page.total) == ("list", len(page.data))
    assert [each.created_at for each in page.data] == sorted((each.created_at for each in page.data), reverse=True)
    assert (page.data[0].id, page.data[0].ai_provider_id, page.data[0].object) == (ours.id, "openai", "integration")


def test_listed_integrations_fit_page_workspace_and_type(call: Call, ours: Any) -> None:
    everything = [each.slug for each in call("integrations.list").data]
    assert [each.slug for each in call("integrations.list", page_size=1, current_page=1).data] == everything[1:2]
    assert [each.slug for each in call("integrations.list", workspace_id=PRODUCTION).data] == everything[1:]
    assert call("integrations.list", type="workspace").total == 0
    assert call("integrations.list", type="organisation").total == len(everything)


def test_updated_integration_keeps_what_was_not_sent(call: Call, ours: Any) -> None:
    call("integrations.update", slug="ours", name="Renamed", configurations={"openai_project": "p"})
    shown = call("integrations.retrieve", slug="ours")
    assert (shown.name, shown.configurations, shown.description) == ("Renamed", {"openai_project": "p"}, "Paid by us")
    assert shown.masked_key == MASKED


def test_updated_key_of_an_integration_is_masked(call: Call, ours: Any) -> None:
    call("integrations.update", slug="ours", key="ab-new-key-xyz")
    assert call("integrations.retrieve", slug="ours").masked_key == "ab*****xyz"


def test_deleted_integration_is_gone(call: Call, ours: Any) -> None:
    call("integrations.delete", slug="ours")
    with pytest.raises(exceptions.NotFoundError) as caught:
        call("integrations.retrieve", slug="ours")
    assert caught.value.message == f"Error code: 404 - {NOT_THERE}"


# Their models


def test_listed_models_tell_whether_all_are_allowed(call: Call, ours: Any) -> None:
    page = call("integrations.models.list", slug="ours")
    assert (page.allow_all_models, page.total) == (True, len(page.models))
    model = next(each for each in page.models if each.slug == "gpt-4o")
    assert (model.enabled, model.is_custom, model.is_finetune, model.base_model_slug) == (True, False, False, None)


def test_updated_models_are_listed(call: Call, ours: Any) -> None:
    pricing = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.03}}}
    models = [{**CUSTOM, "pricing_config": pricing}, {"slug": "gpt-4o", "enabled": False}]
    call("integrations.models.update", slug="ours", models=models, allow_all_models=False)
    page = call("integrations.models.list", slug="ours")
    found = {each.slug: each for each in page.models}
    assert page.allow_all_models is False
    assert found["gpt-4o"].enabled is False
    assert found["tuned"].model_dump().items() >= {**CUSTOM, "pricing_config": pricing}.items()
    assert found["tuned"].created_at == found["tuned"].last_updated_at


def test_deleted_models_are_gone(call: Call, ours: Any) -> None:
    """The SDK escapes the comma (sdk-call-map 4, row 13)."""
    call("integrations.models.update", slug="ours", models=[CUSTOM, {**CUSTOM, "slug": "other"}])
    call("integrations.models.delete", slug="ours", slugs="tuned,other")
    assert {"tuned", "other"}.isdisjoint(each.slug for each in call("integrations.models.list", slug="ours").models)


def test_deleting_a_built_in_model_is_a_bad_request(call: Call, ours: Any) -> None:
    with pytest.raises(exceptions.BadRequestError) as caught:
        call("integrations.models.delete", slug="ours", slugs="gpt-4o")
    assert "Following models are not valid: gpt-4o" in caught.value.message


# Who may use them


def test_granted_workspaces_are_listed(call: Call, granted: Any) -> None:
    page = call("integrations.workspaces.list", slug="ours")
    assert (page.total, page.global_workspace_access) == (1, None)
    (row,) = page.workspaces
    assert (row.id, row.enabled, row.usage_limits, row.rate_limits) == (PRODUCTION, True, None, None)
    assert row.created_at == row.last_updated_at


def test_grant_makes_a_provider_and_a_virtual_key(call: Call, granted: Any) -> None:
    made = call("providers.list", workspace_id=PRODUCTION).data[0]
    assert (made.slug, made.name, made.note) == ("ours", "Ours", GRANTED)
    assert call("virtual_keys.list", workspace_id=PRODUCTION).data[0]["id"] == made.id


def test_override_in_the_words_of_the_sdk(call: Call, granted: Any) -> None:
    """Source: sdk-call-map 6.1."""
    rows = [{"id": RESEARCH, "enabled": True}]
    call("integrations.workspaces.update", slug="ours", workspaces=rows, override_existing_workspaces_access=True)
    assert [row.id for row in call("integrations.workspaces.list", slug="ours").workspaces] == [RESEARCH]


def test_access_for_all_is_given_and_withdrawn(call: Call, ours: Any) -> None:
    call("integrations.workspaces.update", slug="ours", global_workspace_access={"enabled": True})
    assert call("integrations.retrieve", slug="ours").global_workspace_access["enabled"] is True
    assert call("integrations.workspaces.list", slug="ours").global_workspace_access["enabled"] is True
    call("integrations.workspaces.update", slug="ours", global_workspace_access=None)
    page = call("integrations.workspaces.list", slug="ours")
    assert ({row.enabled for row in page.workspaces}, page.global_workspace_access) == ({False}, None)


def test_listed_limits_of_a_workspace_are_beyond_the_sdk(call: Call, ours: Any) -> None:
    """It cannot read arrays here, and Terraform nothing else (sdk-call-map 7.3)."""
    call("integrations.workspaces.update", slug="ours", workspaces=[{"id": PRODUCTION, "enabled": True, "rate_limits": [RATE]}])
    with pytest.raises(ValidationError):
        call("integrations.workspaces.list", slug="ours")


# Providers


def test_created_provider_tells_id_and_slug(portkey: PortkeyWorld, provider: Any) -> None:
    assert (provider.slug, provider.get_headers()) == ("theirs", {})
    assert portkey.world["providers"].get(provider.id) is not None


@pytest.mark.parametrize("form", ["id", "slug"])
def test_retrieved_provider_has_the_attributes_users_read(call: Call, provider: Any, form: str) -> None:
    shown = call("providers.retrieve", slug=getattr(provider, form), workspace_id=PRODUCTION)
    assert (shown.id, shown.slug, shown.object, shown.name) == (provider.id, "theirs", "provider", "Theirs")
    assert (shown.note, shown.integration_id, shown.status) == ("For support", SEEDED, "active")
    assert (shown.usage_limits, shown.rate_limits) == ({"type": "cost", "credit_limit": 20}, [RATE])
    assert (shown.expires_at, shown.ai_provider_name) == ("2030-01-01T00:00:00.000Z", "openai")


def test_listed_providers_come_newest_first(call: Call, portkey: PortkeyWorld, provider: Any) -> None:
    """A single rate limit is an object here, the only form that the SDK can read (sdk-call-map 7.3)."""
    page = call("providers.list", workspace_id=PRODUCTION)
    assert (page.object, page.total) == ("list", len(page.data))
    assert [each.created_at for each in page.data] == sorted((each.created_at for each in page.data), reverse=True)
    first = page.data[0]
    assert (first.id, first.provider, first.workspace_name) == (provider.id, "openai", "Production")
    assert (first.workspace_id, first.rate_limits) == (workspace_id(portkey, PRODUCTION), RATE)


def test_listed_providers_fit_page_and_workspace(call: Call, provider: Any) -> None:
    everything = [each.slug for each in call("providers.list").data]
    page = call("providers.list", page_size=1, current_page=1)
    assert (page.total, [each.slug for each in page.data]) == (len(everything), everything[1:2])
    assert call("providers.list", workspace_id=RESEARCH).data == []


def test_updated_provider_keeps_what_was_not_sent(call: Call, provider: Any) -> None:
    told = call("providers.update", slug="theirs", workspace_id=PRODUCTION, name="Renamed", rate_limits=None, expires_at=None)
    shown = call("providers.retrieve", slug="theirs")
    assert (told.id, told.slug) == (provider.id, "theirs")
    assert (shown.name, shown.rate_limits, shown.expires_at, shown.note) == ("Renamed", [], None, "For support")


def test_reset_of_a_provider_is_told(call: Call, provider: Any) -> None:
    call("providers.update", slug="theirs", reset_usage=True)
    assert call("providers.retrieve", slug="theirs").last_reset_at is not None


def test_deleted_provider_is_gone(call: Call, provider: Any) -> None:
    call("providers.delete", slug="theirs", workspace_id=PRODUCTION)
    with pytest.raises(exceptions.NotFoundError) as caught:
        call("providers.retrieve", slug="theirs", workspace_id=PRODUCTION)
    assert caught.value.message == f"Error code: 404 - {NOT_THERE}"


# Virtual keys


def test_created_virtual_key_tells_its_slug(virtual_key: Any) -> None:
    """Source: sdk-call-map 7.4 (the SDK looks beside `data`)."""
    assert (virtual_key.object, virtual_key.data) == ("virtual-key", {"slug": virtual_key.slug})
    assert virtual_key.slug.startswith("ours-")


def test_retrieved_virtual_key_has_the_attributes_users_read(call: Call, virtual_key: Any) -> None:
    """`model_config` is pydantic's own word: the field is in what was dumped (sdk-call-map 7.1)."""
    shown = call("virtual_keys.retrieve", slug=virtual_key.slug)
    assert (shown.id, shown.slug, shown.object, shown.name) == (virtual_key.id, virtual_key.slug, "virtual-key", "Ours")
    assert (shown.note, shown.status, shown.ai_provider_name) == ("For support", "active", "azure-openai")
    assert (shown.key, shown.masked_api_key) == ("", MASKED)
    assert (shown.usage_limits, shown.rate_limits) == ({"type": "tokens", "credit_limit": 1000}, [])
    settings = {"apiVersion": "2024-10-21", "resourceName": "ours", "deploymentName": "small"}
    assert shown.model_dump()["model_config"] == settings


def test_listed_virtual_keys_come_newest_first(call: Call, virtual_key: Any) -> None:
    """The SDK sends no page (sdk-call-map 6.2)."""
    page = call("virtual_keys.list")
    assert (page.object, page.total) == ("list", len(page.data))
    assert (page.data[0]["slug"], SEEDED in {each["slug"] for each in page.data}) == (virtual_key.slug, True)
    assert call("virtual_keys.list", workspace_id=RESEARCH).data == []


def test_updated_virtual_key_keeps_what_was_not_sent(call: Call, virtual_key: Any) -> None:
    told = call("virtual_keys.update", slug=virtual_key.slug, note="New", key="ab-new-key-xyz", rate_limits=[RATE])
    shown = call("virtual_keys.retrieve", slug=virtual_key.slug)
    assert (told.id, told.slug, told.object) == (virtual_key.id, virtual_key.slug, "virtual-key")
    assert (shown.note, shown.masked_api_key, shown.rate_limits, shown.name) == ("New", "ab*****xyz", [RATE], "Ours")


def test_null_takes_the_budget_away(call: Call, virtual_key: Any) -> None:
    call("virtual_keys.update", slug=virtual_key.slug, usage_limits=None)
    assert call("virtual_keys.retrieve", slug=virtual_key.slug).usage_limits is None


def test_deleted_virtual_key_is_gone(call: Call, virtual_key: Any) -> None:
    call("virtual_keys.delete", slug=virtual_key.slug)
    with pytest.raises(exceptions.NotFoundError) as caught:
        call("virtual_keys.retrieve", slug=virtual_key.slug)
    assert caught.value.message == f"Error code: 404 - {NOT_THERE}"


# Together


def test_workspace_is_deleted_once_its_providers_are(call: Call, ours: Any) -> None:
    lab = call("admin.workspaces.create", name="Lab")
    call("integrations.workspaces.update", slug="ours", workspaces=[{"id": lab.id, "enabled": True}])
    with pytest.raises(exceptions.ConflictError) as caught:
        call("admin.workspaces.delete", workspace_id=lab.id)
    assert caught.value.message == f"Error code: 409 - {HAS_DEPENDENTS}"
    call("providers.delete", slug="ours", workspace_id=lab.id)
    call("admin.workspaces.delete", workspace_id=lab.id)
    assert call("integrations.workspaces.list", slug="ours").total == 0


@pytest.mark.parametrize("options", [{}, {"virtual_key": SEEDED}, {"provider": f"@{SEEDED}"}], ids=["model", "key", "provider"])
def test_provider_answers_until_its_budget_is_used_up(portkey: PortkeyWorld, options: dict[str, str]) -> None:
    """Source: gateway-data-plane, error catalogue C (412; the code is read from `error.code`)."""
    admin = portkey.client()
    admin.providers.update(slug=SEEDED, usage_limits={"type": "tokens", "credit_limit": 1})
    client = portkey.client(**options)
    model = "gpt-4o" if options else f"@{SEEDED}/gpt-4o"
    assert client.chat.completions.create(model=model, messages=ASK).usage.total_tokens > 1
    with pytest.raises(Exception, match="virtual_key_exhaust_error") as caught:
        client.chat.completions.create(model=model, messages=ASK)
    error: Any = caught.value
    assert (error.status_code, error.body["code"]) == (412, "04")


@pytest.mark.parametrize(
    ("method", "given", "error", "message"),
    [
        pytest.param(method, given, error, message, id=method)
        for method, given, error, message in (
            ("integrations.retrieve", {"slug": "nowhere"}, exceptions.NotFoundError, f"404 - {NOT_THERE}"),
            ("integrations.models.list", {"slug": "nowhere"}, exceptions.NotFoundError, f"404 - {NOT_THERE}"),
            ("integrations.workspaces.list", {"slug": "nowhere"}, exceptions.NotFoundError, f"404 - {NOT_THERE}"),
            ("providers.delete", {"slug": "nowhere"}, exceptions.NotFoundError, f"404 - {NOT_THERE}"),
            ("virtual_keys.update", {"slug": "nowhere"}, exceptions.NotFoundError, f"404 - {NOT_THERE}"),
            (
                "providers.create",
                {"name": "Theirs", "integration_id": SEEDED, "workspace_id": RESEARCH},
                exceptions.PermissionDeniedError,
                f"403 - {NO_PERMISSION}",
            ),
            (
                "providers.create",
                {"name": "Theirs", "integration_id": SEEDED, "workspace_id": PRODUCTION, "slug": SEEDED},
                exceptions.ConflictError,
                f"409 - A provider with the slug {SEEDED} exists in this workspace",
            ),
            (
                "integrations.create",
                {"name": "Ours", "ai_provider_id": "openai"},
                exceptions.BadRequestError,
                "400 - Invalid request: body/key is required for openai",
            ),
        )
    ],
)
def test_refusal_becomes_the_error_of_its_status(
    call: Call, method: str, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Source: sdk-call-map 8.1 and 8.2."""
    with pytest.raises(error) as caught:
        call(method, **given)
    assert str(caught.value) == f"Error code: {message}"
