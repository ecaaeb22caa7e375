"""The real `portkey-ai` for Python, sync and async, over a real socket: configs, guardrails, feedback."""

from __future__ import annotations

import json
import operator
from typing import Any

import pytest
from portkey_ai import AsyncPortkey, Portkey
from portkey_ai.api_resources import exceptions

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_python_sdk
from tests.clients.test_python_sdk import NO_PERMISSION, NOBODY, PRODUCTION, RESEARCH, Call, workspace_id

call = test_python_sdk.call

METHODS = {
    "configs": {"create", "retrieve", "list", "update", "delete"},
    "guardrails": {"create", "retrieve", "list", "update", "delete"},
    "feedback": {"create", "bulk_create", "update"},
}
ROUTING = {
    "strategy": {"mode": "fallback"},
    "targets": [{"provider": "@openai-production"}, {"virtual_key": "openai-evaluations"}],
}
RETRY = {"retry": {"attempts": 2}}
CHECKS = [{"id": "default.wordCount", "parameters": {"maxWords": 100}}]
ACTIONS = {"deny": True, "async": False}


@pytest.fixture
def config(call: Call) -> Any:
    """A new config, as its creation shows it."""
    return call("configs.create", name="Routing", config=ROUTING, is_default=1, workspace_id=PRODUCTION)


@pytest.fixture
def guardrail(call: Call) -> Any:
    """A new guardrail, as its creation shows it."""
    return call("guardrails.create", name="Be brief", checks=CHECKS, actions=ACTIONS, workspace_id=PRODUCTION)


@pytest.mark.parametrize("namespace", METHODS)
@pytest.mark.parametrize("client_type", [Portkey, AsyncPortkey], ids=["sync", "async"])
def test_namespaces_have_the_methods_tested_here(client_type: Any, namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    client = client_type(base_url="http://127.0.0.1:1/v1", api_key="any")
    methods = vars(type(operator.attrgetter(namespace)(client)))
    assert {name for name in methods if not name.startswith("_")} == METHODS[namespace]


# Configs


def test_created_config_has_the_attributes_users_read(portkey: PortkeyWorld, config: Any) -> None:
    """Source: sdk-call-map 7.4 (flat, with a slug)."""
    record = portkey.world["configs"].get(config.id)
    assert record is not None
    assert (config.slug, config.version_id, config.object) == (record["slug"], record["version_id"], "config")


def test_retrieved_config_has_the_attributes_users_read(call: Call, portkey: PortkeyWorld, config: Any) -> None:
    read = call("configs.retrieve", slug=config.slug)
    assert (read.id, read.slug, read.version_id, read.object) == (config.id, config.slug, config.version_id, "config")
    assert (read.name, read.is_default, read.status) == ("Routing", 1, "active")
    assert (read.format, read.type) == ("json", "ORG_CONFIG")
    assert read.workspace_id == workspace_id(portkey, PRODUCTION)
    assert read.owner_id == read.updated_by
    assert read.created_at == read.last_updated_at
    assert json.loads(read.config) == ROUTING


def test_listed_configs_are_those_of_a_workspace(call: Call, portkey: PortkeyWorld, config: Any) -> None:
    other = call("configs.create", name="Retry", config=RETRY, workspace_id=RESEARCH)
    everything = call("configs.list")
    assert (everything.object, everything.total) == ("list", 4)  # two are the fixture's
    assert [each["slug"] for each in everything.data][:2] == [other.slug, config.slug]
    for workspace in (PRODUCTION, workspace_id(portkey, PRODUCTION)):
        assert [each["id"] for each in call("configs.list", workspace_id=workspace).data][:1] == [config.id]


def test_renamed_config_keeps_its_version(call: Call, config: Any) -> None:
    told = call("configs.update", slug=config.slug, name="Routes")
    assert (told.version_id, told.object) == (config.version_id, "config")
    read = call("configs.retrieve", slug=config.slug)
    assert (read.name, json.loads(read.config), read.is_default) == ("Routes", ROUTING, 1)


def test_updated_config_has_another_version(call: Call, config: Any) -> None:
    told = call("configs.update", slug=config.slug, config=RETRY, status="archived")
    read = call("configs.retrieve", slug=config.slug)
    assert (read.version_id, read.status) == (told.version_id, "archived")
    assert (json.loads(read.config), told.version_id == config.version_id) == (RETRY, False)
    versions = call("get", path=f"/configs/{config.slug}/versions", cast_to=type(call("configs.list")))
    assert [each["version_id"] for each in versions.data] == [told.version_id, config.version_id]


def test_empty_texts_do_not_arrive(call: Call) -> None:
    """Source: sdk-call-map 4, row 5: they are taken out at any depth, so a read shows less than was given."""
    made = call("configs.create", name="Retry", config=RETRY | {"note": ""}, workspace_id=PRODUCTION)
    assert json.loads(call("configs.retrieve", slug=made.slug).config) == RETRY


def test_deleted_config_is_forbidden(call: Call, config: Any) -> None:
    call("configs.delete", slug=config.slug)
    with pytest.raises(exceptions.PermissionDeniedError) as caught:
        call("configs.retrieve", slug=config.slug)
    assert caught.value.message == f"Error code: 403 - {NO_PERMISSION}"


def test_config_is_deleted_by_id(call: Call, config: Any) -> None:
    with pytest.warns(DeprecationWarning, match="using 'id' to delete a config"):
        call("configs.delete", id=config.id)
    assert config.id not in [each["id"] for each in call("configs.list").data]


def test_config_of_a_key_is_a_conflict(call: Call, config: Any) -> None:
    call(
        "api_keys.create",
        type="workspace",
        sub_type="service",
        name="ci",
        workspace_id=PRODUCTION,
        scopes=["completions.write"],
        defaults={"config_id": config.slug},
    )
    with pytest.raises(exceptions.ConflictError):
        call("configs.delete", slug=config.slug)


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("configs.create", {"name": "Mine", "config": {}}, "Invalid configuration. It must have either"),
        ("configs.create", {"name": "Mine", "config": {"provider": "@nobody"}}, "Following keys are not valid: nobody"),
        ("configs.create", {"name": "Mine", "config": {"input_guardrails": ["pg-a"]}}, "Following guardrails are not valid"),
        ("configs.create", {"name": "Mine", "config": {"cache": {"mode": "clever"}}}, "body/config/cache/mode must be one of"),
        ("guardrails.create", {"name": "Mine", "checks": [], "actions": {}}, "body/checks holds too few items"),
        (
            "guardrails.create",
            {"name": "Mine", "checks": [{"id": "default.regexMatch"}], "actions": {}},
            "body/checks/0/parameters/rule is required by default.regexMatch",
        ),
    ],
)
def test_what_breaks_a_rule_is_a_bad_request(call: Call, method: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(exceptions.BadRequestError) as caught:
        call(method, workspace_id=PRODUCTION, **arguments)
    assert message in caught.value.message


# Guardrails


def test_retrieved_guardrail_has_the_attributes_users_read(call: Call, portkey: PortkeyWorld, guardrail: Any) -> None:
    for name in (guardrail.id, guardrail.slug):
        read = call("guardrails.retrieve", guardrail_id=name)
        assert (read.id, read.slug, read.version_id) == (guardrail.id, guardrail.slug, guardrail.version_id)
        assert (read.name, read.status, read.updated_by) == ("Be brief", "active", None)
        assert (read.checks, read.actions) == (CHECKS, ACTIONS)
        assert read.workspace_id == workspace_id(portkey, PRODUCTION)


def test_listed_guardrails_fit_owner_and_page(call: Call, guardrail: Any) -> None:
    organisation_id = call("guardrails.retrieve", guardrail_id=guardrail.id).organisation_id
    shared = call("guardrails.create", name="For all", checks=CHECKS, actions={}, organisation_id=organisation_id)
    everything = call("guardrails.list")
    assert (everything.total, [each.id for each in everything.data]) == (2, [shared.id, guardrail.id])
    assert [each.name for each in call("guardrails.list", organisation_id=organisation_id).data] == ["For all"]
    assert [each.name for each in call("guardrails.list", workspace_id=PRODUCTION).data] == ["Be brief"]
    assert [each.id for each in call("guardrails.list", page_size=1, current_page=1).data] == [guardrail.id]


def test_updated_guardrail_has_another_version(call: Call, guardrail: Any) -> None:
    told = call("guardrails.update", guardrail_id=guardrail.slug, name="Be briefer", actions={"deny": False})
    read = call("guardrails.retrieve", guardrail_id=guardrail.id)
    assert (read.name, read.actions, read.checks) == ("Be briefer", {"deny": False}, CHECKS)
    assert read.version_id == told.version_id != guardrail.version_id
    assert (told.id, told.slug) == (guardrail.id, guardrail.slug)


def test_deleted_guardrail_is_forbidden(call: Call, guardrail: Any) -> None:
    call("guardrails.delete", guardrail_id=guardrail.id)
    with pytest.raises(exceptions.PermissionDeniedError):
        call("guardrails.retrieve", guardrail_id=guardrail.id)
    assert call("guardrails.list").data == []


# Feedback


def test_created_feedback_is_in_the_world(call: Call, portkey: PortkeyWorld) -> None:
    told = call("feedback.create", trace_id="order-1", value=5, weight=0.5, metadata={"_user": "ines"})
    record = portkey.world["feedback"].get(told.feedback_ids[0])
    assert record is not None
    assert told.status == "success"
    assert (record["trace_id"], record["value"], record["weight"]) == ("order-1", 5, 0.5)
    assert record["metadata"] == {"_user": "ines"}


def test_bulk_created_feedback_keeps_its_order(call: Call, portkey: PortkeyWorld) -> None:
    told = call("feedback.bulk_create", feedbacks=[{"trace_id": f"order-{value}", "value": value} for value in (1, 0, -1)])
    records = [portkey.world["feedback"].get(each) for each in told.feedback_ids]
    assert [record and (record["trace_id"], record["value"]) for record in records] == [
        ("order-1", 1), ("order-0", 0), ("order--1", -1),
    ]  # fmt: skip


def test_updated_feedback_has_another_value(call: Call, portkey: PortkeyWorld) -> None:
    (feedback_id,) = call("feedback.create", trace_id="order-1", value=5, weight=0.5).feedback_ids
    told = call("feedback.update", feedback_id=feedback_id, value=-2)
    record = portkey.world["feedback"].get(feedback_id)
    assert told.feedback_ids == [feedback_id]
    assert record is not None
    assert (record["value"], record["weight"]) == (-2, 0.5)


def test_unknown_feedback_is_not_found(call: Call) -> None:
    with pytest.raises(exceptions.NotFoundError):
        call("feedback.update", feedback_id=NOBODY, value=1)
