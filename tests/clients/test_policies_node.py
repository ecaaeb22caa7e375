"""The real `portkey-ai` for Node over a real socket: policies, audit logs, model pricing, all by raw calls.

Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.test_node_sdk import ERRORS, PRODUCTION, NodeClient, Refused
from tests.clients.test_policies_python import BUDGET, BUDGETS, RATE, RATES

node = test_node_sdk.node
sdk = test_node_sdk.sdk

ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "When?"}], "user": "ines"}
OPENAI = {"provider": "openai"}


@pytest.mark.parametrize(("path", "body", "change"), [(BUDGETS, BUDGET, {"credit_limit": 2}), (RATES, RATE, {"value": 60})])
def test_policy_from_create_to_delete(sdk: NodeClient, path: str, body: dict[str, Any], change: dict[str, Any]) -> None:
    own = f"{path}/{sdk.call('post', path, body)['id']}"
    shown = sdk.call("get", own)
    assert {name: shown[name] for name in body if name != "workspace_id"} == {
        name: value for name, value in body.items() if name != "workspace_id"
    }
    assert sdk.call("get", f"{path}?workspace_id={PRODUCTION}")["data"] == [shown]
    sdk.call("put", own, change)
    assert sdk.call("get", own).items() >= change.items()
    sdk.call("delete", own)
    with pytest.raises(Refused) as refused:
        sdk.call("get", own)
    assert refused.value.type == ERRORS[404]


def test_used_up_budget_throws_and_a_reset_frees_it(sdk: NodeClient) -> None:
    """A body's `user` is the user of the metadata."""
    everybody = {"conditions": [{"key": "metadata._user", "value": "*"}]}
    path = f"{BUDGETS}/{sdk.call('post', BUDGETS, BUDGET | everybody)['id']}"
    sdk.call("chat.completions.create", ASK, OPENAI)
    with pytest.raises(Refused) as refused:
        sdk.call("chat.completions.create", ASK, OPENAI)
    assert refused.value.status == 412
    assert refused.value.body["error"]["type"] == "usage_limits_policy_exhaust_error"
    (entity,) = sdk.call("get", f"{path}/entities")["data"]
    assert (entity["value_key"], entity["current_usage"]) == ("metadata._user:ines", 1)
    sdk.call("put", f"{path}/entities/{entity['id']}/reset", {})
    sdk.call("chat.completions.create", ASK, OPENAI)


def test_full_window_throws(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    sdk.call("post", RATES, RATE)
    sdk.call("chat.completions.create", ASK, OPENAI)
    with pytest.raises(Refused) as refused:
        sdk.call("chat.completions.create", ASK, OPENAI)
    assert (refused.value.status, refused.value.type) == (429, "RateLimitError")


def test_audit_logs_tell_who_changed_what(sdk: NodeClient) -> None:
    made = sdk.call("labels.create", {"name": "live"})
    window = "start_time=2020-01-01T00:00:00Z&end_time=2100-01-01T00:00:00Z"
    (row,) = sdk.call("get", f"/audit-logs?{window}")["records"]
    assert (row["resource_type"], row["action"], row["after"]["id"]) == ("labels", "create", made["id"])


def test_prices_are_read_below_the_base_url(sdk: NodeClient) -> None:
    """Node puts its base URL before every path (sdk-call-map 1)."""
    shown = sdk.call("get", "/model-configs/pricing/openai/gpt-4o")
    assert shown["pay_as_you_go"]["response_token"] == {"price": 0.001}
    with pytest.raises(Refused) as refused:
        sdk.call("get", "/model-configs/pricing/openai/gpt-nobody-knows")
    assert refused.value.status == 404
    assert refused.value.body == {"error": "Model not found"}
