"""The real `portkey-ai` for Node over a real socket: integrations, providers and virtual keys.

Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.test_node_sdk import (
    ERRORS,
    HAS_DEPENDENTS,
    NO_PERMISSION,
    NOT_THERE,
    PRODUCTION,
    RESEARCH,
    NodeClient,
    Refused,
)

node = test_node_sdk.node
sdk = test_node_sdk.sdk

METHODS = {
    "integrations": {"create", "retrieve", "list", "update", "delete"},
    "integrations.models": {"list", "update", "delete"},
    "integrations.workspaces": {"list", "update"},
    "providers": {"create", "retrieve", "list", "update", "delete"},
    "virtualKeys": {"create", "retrieve", "list", "update", "delete"},
}
KEY = "sk-live-7Yq2mWv9Xb4T"
MASKED = "sk*****b4T"
GRANTED = "Created automatically on integration access grant"
SEEDED = "openai-production"
OURS = {"slug": "ours"}
CUSTOM = {"slug": "tuned", "enabled": True, "is_custom": True, "is_finetune": True, "base_model_slug": "gpt-4o"}
RATE = {"type": "requests", "unit": "rpm", "value": 60}


@pytest.fixture
def ours(sdk: NodeClient) -> Any:
    """An integration of OpenAI, as its creation shows it."""
    fields = {"name": "Ours", "ai_provider_id": "openai", "key": KEY, "slug": "ours", "description": "Paid by us"}
    return sdk.call("integrations.create", fields)


@pytest.fixture
def provider(sdk: NodeClient) -> Any:
    """A provider of Production, as its creation shows it."""
    fields = {"name": "Theirs", "slug": "theirs", "integrationId": SEEDED, "workspaceId": PRODUCTION, "note": "For support"}
    return sdk.call("providers.create", fields | {"rateLimits": [RATE], "usageLimits": {"type": "cost", "credit_limit": 20}})


@pytest.fixture
def virtual_key(sdk: NodeClient) -> Any:
    """A virtual key of Production, as its creation shows it: the SDK writes its settings in snake case."""
    settings = {"apiVersion": "2024-10-21", "resourceName": "ours", "deploymentName": "small"}
    fields = {"name": "Ours", "provider": "azure-openai", "key": KEY, "note": "For support", "workspaceId": PRODUCTION}
    return sdk.call("virtualKeys.create", fields | settings)


@pytest.mark.parametrize("namespace", METHODS)
def test_namespaces_have_the_methods_tested_here(sdk: NodeClient, namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    assert set(sdk.call(f"{namespace}.methods")) - {"constructor"} == METHODS[namespace]


# Integrations


def test_created_integration_tells_id_and_slug(portkey: PortkeyWorld, ours: Any) -> None:
    assert ours == {"id": ours["id"], "slug": "ours"}
    assert portkey.world["integrations"].get(ours["id"]) is not None


def test_retrieved_integration_has_the_attributes_users_read(sdk: NodeClient, ours: Any) -> None:
    shown = sdk.call("integrations.retrieve", OURS)
    expected = {
        "id": ours["id"],
        "object": "integration",
        "description": "Paid by us",
        "masked_key": MASKED,
        "status": "active",
    }
    expected |= {"type": "organisation", "configurations": {}, "allow_all_models": True, "global_workspace_access": None}
    assert shown.items() >= expected.items()


def test_listed_integrations_come_newest_first(sdk: NodeClient, ours: Any) -> None:
    page = sdk.call("integrations.list", {})
    assert (page["object"], page["total"]) == ("list", len(page["data"]))
    assert (page["data"][0]["slug"], SEEDED in {each["slug"] for each in page["data"]}) == ("ours", True)


def test_listed_integrations_fit_page_workspace_and_type(sdk: NodeClient, ours: Any) -> None:
    everything = sdk.call("integrations.list", {})["data"]
    assert sdk.call("integrations.list", {"page_size": 1, "current_page": 1})["data"] == everything[1:2]
    assert sdk.call("integrations.list", {"workspace_id": RESEARCH, "type": "organisation"})["total"] == 0


def test_updated_integration_keeps_what_was_not_sent(sdk: NodeClient, ours: Any) -> None:
    assert sdk.call("integrations.update", {**OURS, "name": "Renamed", "key": "ab-new-key-xyz"}) == {}
    shown = sdk.call("integrations.retrieve", OURS)
    assert (shown["name"], shown["masked_key"], shown["description"]) == ("Renamed", "ab*****xyz", "Paid by us")


def test_deleted_integration_is_gone(sdk: NodeClient, ours: Any) -> None:
    assert sdk.call("integrations.delete", OURS) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("integrations.retrieve", OURS)
    assert (caught.value.status, caught.value.message) == (404, NOT_THERE)


# Their models and workspaces


def test_updated_models_are_listed(sdk: NodeClient, ours: Any) -> None:
    """Top-level names may be in camel case, those of models not (sdk-call-map 4, row 21)."""
    models = [CUSTOM, {"slug": "gpt-4o", "enabled": False}]
    assert sdk.call("integrations.models.update", {**OURS, "models": models, "allowAllModels": False}) == {}
    page = sdk.call("integrations.models.list", OURS)
    found = {each["slug"]: each for each in page["models"]}
    assert (page["allow_all_models"], page["total"]) == (False, len(found))
    assert found["gpt-4o"]["enabled"] is False
    assert found["tuned"].items() >= CUSTOM.items()


def test_deleted_models_are_gone(sdk: NodeClient, ours: Any) -> None:
    """The SDK does not escape the comma (sdk-call-map 4, row 13)."""
    sdk.call("integrations.models.update", {**OURS, "models": [CUSTOM, {**CUSTOM, "slug": "other"}]})
    assert sdk.call("integrations.models.delete", {**OURS, "slugs": "tuned,other"}) == {}
    slugs = {each["slug"] for each in sdk.call("integrations.models.list", OURS)["models"]}
    assert slugs.isdisjoint({"tuned", "other"})


def test_granted_workspaces_are_listed_with_their_limits(sdk: NodeClient, ours: Any) -> None:
    rows = [{"id": PRODUCTION, "enabled": True, "rate_limits": [RATE]}]
    assert sdk.call("integrations.workspaces.update", {**OURS, "workspaces": rows}) == {}
    page = sdk.call("integrations.workspaces.list", OURS)
    (row,) = page["workspaces"]
    assert (page["total"], page["global_workspace_access"]) == (1, None)
    assert (row["id"], row["enabled"], row["usage_limits"], row["rate_limits"]) == (PRODUCTION, True, None, [RATE])
    made = sdk.call("virtualKeys.list", {"workspace_id": PRODUCTION})["data"][0]
    assert (made["slug"], made["name"], made["note"]) == ("ours", "Ours", GRANTED)


def test_override_in_the_words_of_the_sdk(sdk: NodeClient, ours: Any) -> None:
    """Source: sdk-call-map 6.1."""
    sdk.call("integrations.workspaces.update", {**OURS, "workspaces": [{"id": PRODUCTION, "enabled": True}]})
    sdk.call("integrations.workspaces.update", {**OURS, "workspaces": [], "override_existing_workspaces_access": True})
    assert sdk.call("integrations.workspaces.list", OURS)["workspaces"] == []


def test_access_for_all_is_given_and_withdrawn(sdk: NodeClient, ours: Any) -> None:
    sdk.call("integrations.workspaces.update", {**OURS, "globalWorkspaceAccess": {"enabled": True}})
    assert sdk.call("integrations.retrieve", OURS)["workspace_count"] == 3
    sdk.call("integrations.workspaces.update", {**OURS, "global_workspace_access": None})
    assert sdk.call("integrations.retrieve", OURS)["workspace_count"] == 0


# Providers


def test_created_provider_tells_id_and_slug(provider: Any) -> None:
    assert provider == {"id": provider["id"], "slug": "theirs"}


def test_retrieved_provider_has_the_attributes_users_read(sdk: NodeClient, provider: Any) -> None:
    shown = sdk.call("providers.retrieve", {"slug": "theirs", "workspace_id": PRODUCTION})
    expected = {"id": provider["id"], "object": "provider", "name": "Theirs", "note": "For support", "status": "active"}
    expected |= {"integration_id": SEEDED, "rate_limits": [RATE], "usage_limits": {"type": "cost", "credit_limit": 20}}
    assert shown.items() >= expected.items()


def test_listed_providers_come_newest_first(sdk: NodeClient, provider: Any) -> None:
    page = sdk.call("providers.list", {"workspace_id": PRODUCTION, "page_size": 2})
    everything = sdk.call("providers.list")
    assert (page["object"], page["total"]) == ("list", len(everything["data"]))
    assert page["data"] == everything["data"][:2]
    assert page["data"][0]["slug"] == "theirs"


def test_updated_provider_keeps_what_was_not_sent(sdk: NodeClient, provider: Any) -> None:
    """The SDK says the workspace in the body. Source: sdk-call-map 6.1."""
    fields = {"slug": "theirs", "workspace_id": PRODUCTION, "name": "Renamed", "rate_limits": None}
    assert sdk.call("providers.update", fields) == provider
    shown = sdk.call("providers.retrieve", {"slug": "theirs"})
    assert (shown["name"], shown["rate_limits"], shown["note"]) == ("Renamed", [], "For support")


def test_deleted_provider_is_gone(sdk: NodeClient, provider: Any) -> None:
    assert sdk.call("providers.delete", {"slug": "theirs", "workspace_id": PRODUCTION}) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("providers.retrieve", {"slug": "theirs"})
    assert (caught.value.status, caught.value.message) == (404, NOT_THERE)


# Virtual keys


def test_created_virtual_key_tells_its_slug(virtual_key: Any) -> None:
    assert (virtual_key["object"], virtual_key["data"]) == ("virtual-key", {"slug": virtual_key["slug"]})
    assert virtual_key["slug"].startswith("ours-")


def test_retrieved_virtual_key_has_the_attributes_users_read(sdk: NodeClient, virtual_key: Any) -> None:
    """Source: sdk-call-map 6.1 (settings in snake case are the same settings)."""
    shown = sdk.call("virtualKeys.retrieve", {"slug": virtual_key["slug"]})
    expected = {"id": virtual_key["id"], "ai_provider_name": "azure-openai", "masked_api_key": MASKED, "rate_limits": []}
    expected |= {"model_config": {"apiVersion": "2024-10-21", "resourceName": "ours", "deploymentName": "small"}}
    assert shown.items() >= expected.items()


def test_listed_virtual_keys_come_newest_first(sdk: NodeClient, virtual_key: Any) -> None:
    page = sdk.call("virtualKeys.list", {})
    assert (page["object"], page["total"]) == ("list", len(page["data"]))
    assert page["data"][0]["slug"] == virtual_key["slug"]
    assert sdk.call("virtualKeys.list", {"workspace_id": RESEARCH})["data"] == []


def test_updated_virtual_key_keeps_what_was_not_sent(sdk: NodeClient, virtual_key: Any) -> None:
    told = sdk.call("virtualKeys.update", {"slug": virtual_key["slug"], "note": None, "rate_limits": [RATE]})
    assert told == {name: virtual_key[name] for name in ("id", "slug", "object")}
    shown = sdk.call("virtualKeys.retrieve", {"slug": virtual_key["slug"]})
    assert (shown["note"], shown["rate_limits"], shown["name"]) == (None, [RATE], "Ours")


def test_deleted_virtual_key_is_gone(sdk: NodeClient, virtual_key: Any) -> None:
    assert sdk.call("virtualKeys.delete", {"slug": virtual_key["slug"]}) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("virtualKeys.retrieve", {"slug": virtual_key["slug"]})
    assert (caught.value.status, caught.value.message) == (404, NOT_THERE)


@pytest.mark.parametrize(
    ("method", "given", "status", "message"),
    [
        pytest.param(method, given, status, message, id=f"{method} {status}")
        for method, given, status, message in (
            ("integrations.delete", {"slug": "nowhere"}, 404, NOT_THERE),
            (
                "integrations.workspaces.update",
                {"slug": SEEDED, "workspaces": [{"id": "x", "enabled": True}]},
                403,
                NO_PERMISSION,
            ),
            ("providers.create", {"name": "A", "integration_id": SEEDED, "workspace_id": RESEARCH}, 403, NO_PERMISSION),
            ("virtualKeys.retrieve", {"slug": "nowhere"}, 404, NOT_THERE),
        )
    ],
)
def test_refusal_becomes_the_error_of_its_status(
    sdk: NodeClient, method: str, given: dict[str, Any], status: int, message: str
) -> None:
    """Source: sdk-call-map 8.1 and 8.2 (`message` at the top is what it reads)."""
    with pytest.raises(Refused) as caught:
        sdk.call(method, given)
    assert (caught.value.type, caught.value.status, caught.value.message) == (ERRORS[status], status, message)


def test_workspace_is_deleted_once_its_providers_are(sdk: NodeClient, ours: Any) -> None:
    lab = sdk.call("admin.workspaces.create", {"name": "Lab"})
    sdk.call("integrations.workspaces.update", {**OURS, "workspaces": [{"id": lab["id"], "enabled": True}]})
    with pytest.raises(Refused) as caught:
        sdk.call("admin.workspaces.delete", {"workspaceId": lab["id"]})
    assert (caught.value.status, caught.value.message) == (409, HAS_DEPENDENTS)
    sdk.call("providers.delete", {"slug": "ours", "workspace_id": lab["id"]})
    assert sdk.call("admin.workspaces.delete", {"workspaceId": lab["id"]}) == {}
