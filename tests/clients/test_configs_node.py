"""The real `portkey-ai` for Node over a real socket: configs, guardrails, feedback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.test_node_sdk import NO_PERMISSION, NOBODY, PRODUCTION, RESEARCH, NodeClient, Refused

node = test_node_sdk.node
sdk = test_node_sdk.sdk

METHODS = {
    "configs": {"create", "retrieve", "list", "update", "delete"},
    "guardrails": {"create", "retrieve", "list", "update", "delete"},
    "feedback": {"create", "update"},
}
ROUTING = {"strategy": {"mode": "fallback"}, "targets": [{"provider": "@openai-production"}], "overrideParams": {}}
RETRY = {"retry": {"attempts": 2}}
CHECKS = [{"id": "default.wordCount", "parameters": {"maxWords": 100}}]


@pytest.fixture
def config(sdk: NodeClient) -> Any:
    """A new config, as its creation shows it. The SDK writes the flag in snake case (sdk-call-map 6.1)."""
    fields = {"name": "Routing", "config": ROUTING, "isDefault": 1, "workspaceId": PRODUCTION}
    return sdk.call("configs.create", fields)


@pytest.fixture
def guardrail(sdk: NodeClient) -> Any:
    """A new guardrail, as its creation shows it."""
    fields = {"name": "Be brief", "checks": CHECKS, "actions": {"onFail": "log"}, "workspace_id": PRODUCTION}
    return sdk.call("guardrails.create", fields)


@pytest.mark.parametrize("namespace", METHODS)
def test_namespaces_have_the_methods_tested_here(sdk: NodeClient, namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    assert set(sdk.call(f"{namespace}.methods")) - {"constructor"} == METHODS[namespace]


def test_config_comes_back_as_text(sdk: NodeClient, config: Any) -> None:
    """Names within the content stay as they were written."""
    read = sdk.call("configs.retrieve", {"slug": config["slug"]})
    assert (read["id"], read["version_id"], read["is_default"]) == (config["id"], config["version_id"], 1)
    assert (read["name"], json.loads(read["config"])) == ("Routing", ROUTING)


def test_listed_configs_are_those_of_a_workspace(sdk: NodeClient, config: Any) -> None:
    other = sdk.call("configs.create", {"name": "Retry", "config": RETRY, "workspace_id": RESEARCH})
    everything = sdk.call("configs.list", {})
    assert (everything["object"], everything["total"]) == ("list", 4)  # two are the fixture's
    assert [each["slug"] for each in everything["data"]][:2] == [other["slug"], config["slug"]]
    assert [each["slug"] for each in sdk.call("configs.list", {"workspace_id": RESEARCH})["data"]] == [other["slug"]]


def test_updated_config_has_another_version(sdk: NodeClient, config: Any) -> None:
    """The SDK repeats the slug in the body (sdk-call-map 6.1)."""
    assert sdk.call("configs.update", {"slug": config["slug"], "name": "Routes"})["version_id"] == config["version_id"]
    told = sdk.call("configs.update", {"slug": config["slug"], "config": RETRY})
    read = sdk.call("configs.retrieve", {"slug": config["slug"]})
    assert (read["slug"], read["name"], json.loads(read["config"])) == (config["slug"], "Routes", RETRY)
    assert read["version_id"] == told["version_id"] != config["version_id"]


@pytest.mark.parametrize("name", ["slug", "id"])
def test_deleted_config_is_forbidden(sdk: NodeClient, config: Any, name: str) -> None:
    assert sdk.call("configs.delete", {name: config[name]}) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("configs.retrieve", {"slug": config["slug"]})
    assert (caught.value.type, caught.value.message) == ("PermissionDeniedError", NO_PERMISSION)


def test_unknown_slugs_in_a_config_are_a_bad_request(sdk: NodeClient) -> None:
    with pytest.raises(Refused) as caught:
        sdk.call("configs.create", {"name": "Mine", "config": {"virtual_key": "nobody"}, "workspace_id": PRODUCTION})
    assert (caught.value.type, caught.value.message) == ("BadRequestError", "Following keys are not valid: nobody")
    assert caught.value.body["data"]["violations"][0]["pointer"] == "/config/virtual_key"


def test_guardrail_comes_back_as_it_was_sent(sdk: NodeClient, guardrail: Any) -> None:
    read = sdk.call("guardrails.retrieve", {"guardrail_id": guardrail["slug"]})
    assert {name: read[name] for name in guardrail} == guardrail
    assert (read["checks"], read["actions"]) == (CHECKS, {"onFail": "log"})


def test_listed_guardrails_fit_owner_and_page(sdk: NodeClient, guardrail: Any) -> None:
    sdk.call("guardrails.create", {"name": "Theirs", "checks": CHECKS, "actions": {}, "workspace_id": RESEARCH})
    assert [each["name"] for each in sdk.call("guardrails.list", {})["data"]] == ["Theirs", "Be brief"]
    assert [each["name"] for each in sdk.call("guardrails.list", {"workspace_id": PRODUCTION})["data"]] == ["Be brief"]
    page = sdk.call("guardrails.list", {"page_size": 1, "current_page": 1})
    assert (page["total"], [each["id"] for each in page["data"]]) == (2, [guardrail["id"]])


def test_updated_guardrail_has_another_version(sdk: NodeClient, guardrail: Any) -> None:
    told = sdk.call("guardrails.update", {"guardrail_id": guardrail["id"], "name": "Be briefer"})
    read = sdk.call("guardrails.retrieve", {"guardrail_id": guardrail["id"]})
    assert (read["name"], read["checks"]) == ("Be briefer", CHECKS)
    assert read["version_id"] == told["version_id"] != guardrail["version_id"]


def test_deleted_guardrail_is_forbidden(sdk: NodeClient, guardrail: Any) -> None:
    """The SDK sends a body along (sdk-call-map 4, row 8)."""
    assert sdk.call("guardrails.delete", {"guardrail_id": guardrail["id"]}) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("guardrails.retrieve", {"guardrail_id": guardrail["id"]})
    assert caught.value.status == 403


def test_feedback_is_created_and_updated(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    """The trace in camel case, as the SDK has it; on update the id is repeated in the body (sdk-call-map 6.1)."""
    told = sdk.call("feedback.create", {"traceID": "order-1", "value": 5, "metadata": {"_user": "ines"}})
    (feedback_id,) = told["feedback_ids"]
    assert sdk.call("feedback.update", {"feedbackID": feedback_id, "value": -2})["feedback_ids"] == [feedback_id]
    record = portkey.world["feedback"].get(feedback_id)
    assert record is not None
    assert (record["trace_id"], record["value"], record["metadata"]) == ("order-1", -2, {"_user": "ines"})


def test_feedback_in_an_array_is_saved_in_its_order(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    """The SDK makes an object of it, by index (sdk-call-map 4, row 22)."""
    scores: Any = [{"traceID": f"order-{at}", "value": at} for at in range(11)]
    told = sdk.call("feedback.create", scores)
    records = [portkey.world["feedback"].get(each) for each in told["feedback_ids"]]
    assert [record and record["value"] for record in records] == list(range(11))


def test_unknown_feedback_is_not_found(sdk: NodeClient) -> None:
    with pytest.raises(Refused) as caught:
        sdk.call("feedback.update", {"feedbackID": NOBODY, "value": 1})
    assert caught.value.status == 404
