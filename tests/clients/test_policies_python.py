"""The real `portkey-ai` and `openai` for Python, over a real socket: policies, audit logs, model pricing.

No method of the SDK reaches their operations (sdk-call-map 1); the raw `get`, `post`, `put` and `delete` do, and calls of
models meet the policies.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import openai
import pytest
from portkey_ai import createHeaders
from portkey_ai.api_resources import exceptions

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_python_sdk
from tests.clients.test_python_sdk import PRODUCTION, Call, workspace_id

call = test_python_sdk.call

BUDGETS, RATES = "/policies/usage-limits", "/policies/rate-limits"
BUDGET = {
    "name": "One call a person",
    "conditions": [{"key": "metadata.team", "value": "support"}],
    "group_by": [{"key": "metadata._user"}],
    "type": "requests",
    "credit_limit": 1,
    "alert_threshold": 0.5,
    "periodic_reset": "monthly",
    "workspace_id": PRODUCTION,
}
RATE = {
    "name": "Gently",
    "conditions": [{"key": "model", "value": "@openai/*"}],
    "group_by": [{"key": "metadata._user"}],
    "type": "requests",
    "unit": "rpm",
    "value": 1,
    "workspace_id": PRODUCTION,
}
SUPPORT = {"team": "support", "_user": "ines"}
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "When?"}]}


def read(call: Call, path: str) -> Any:
    """What a raw `get` brings: an answer of httpx."""
    return call("get", path=path).json()


def test_budget_from_create_to_delete(call: Call, portkey: PortkeyWorld) -> None:
    made = call("post", url=BUDGETS, **BUDGET)
    assert made.object == "policy_usage_limits"
    path = f"{BUDGETS}/{made.id}"
    shown = read(call, path)
    assert {name: shown[name] for name in BUDGET} == BUDGET | {"workspace_id": workspace_id(portkey, PRODUCTION)}
    assert read(call, f"{BUDGETS}?workspace_id={PRODUCTION}") == {"object": "list", "total": 1, "data": [shown]}
    assert call("put", path=path, body={"credit_limit": 2, "alert_threshold": None}).json() == {}
    assert (read(call, path)["credit_limit"], read(call, path)["alert_threshold"]) == (2, None)
    assert call("delete", path=path).json() == {}
    with pytest.raises(exceptions.NotFoundError):
        read(call, path)
    assert read(call, f"{path}?status=archived")["status"] == "archived"


def test_rate_from_create_to_delete(call: Call, portkey: PortkeyWorld) -> None:
    made = call("post", url=RATES, **RATE)
    assert made.object == "policy_rate_limits"
    path = f"{RATES}/{made.id}"
    shown = read(call, path)
    assert {name: shown[name] for name in RATE} == RATE | {"workspace_id": workspace_id(portkey, PRODUCTION)}
    assert read(call, f"{RATES}?workspace_id={PRODUCTION}&unit=rpm")["data"] == [shown]
    assert call("put", path=path, body={"unit": "rph", "value": 60}).json() == {}
    assert (read(call, path)["unit"], read(call, path)["value"]) == ("rph", 60)
    assert call("delete", path=path).json() == {}
    with pytest.raises(exceptions.NotFoundError):
        read(call, path)


@pytest.mark.parametrize("path", [BUDGETS, RATES])
def test_list_without_a_workspace_is_not_found(call: Call, path: str) -> None:
    with pytest.raises(exceptions.NotFoundError, match="workspace_id is required"):
        read(call, path)


def test_used_up_budget_raises_and_a_reset_frees_it(portkey: PortkeyWorld) -> None:
    admin = portkey.client()
    client = portkey.client(metadata=SUPPORT, provider="openai")
    path = f"{BUDGETS}/{admin.post(url=BUDGETS, **BUDGET).id}"
    client.chat.completions.create(**ASK)
    with pytest.raises(Exception, match=r"412.*Exceeded for value key metadata\._user:ines") as refused:
        client.chat.completions.create(**ASK)
    assert (refused.value.status_code, refused.value.code) == (412, "06")  # type: ignore[attr-defined]  # OpenAI's, bundled
    (entity,) = admin.get(path=f"{path}/entities").json()["data"]
    assert (entity["value_key"], entity["current_usage"]) == ("metadata._user:ines", 1)
    assert admin.put(path=f"{path}/entities/{entity['id']}/reset").json() == {}
    assert client.chat.completions.create(**ASK).usage.total_tokens > 0
    assert [event["kind"] for event in portkey.events] == ["usage-threshold", "usage-exhausted"] * 2


def test_full_window_raises_until_the_next(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    portkey.client().post(url=RATES, **RATE)
    client = portkey.client(metadata=SUPPORT, provider="openai")
    client.chat.completions.create(**ASK)
    with pytest.raises(Exception, match=r"429.*Rate Limit Policy .* exceeded for value key metadata\._user:ines"):
        client.chat.completions.create(**ASK)
    portkey.clock.move(timedelta(minutes=1))
    client.chat.completions.create(**ASK)


def test_openai_meets_policies_too(portkey: PortkeyWorld) -> None:
    """Through `createHeaders`, as the docs have it."""
    portkey.client().post(url=BUDGETS, **BUDGET)
    headers = createHeaders(api_key=portkey.api_key, provider="openai", metadata=SUPPORT)  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    with openai.OpenAI(api_key="sk", base_url=portkey.url, default_headers=headers, max_retries=0) as client:
        client.chat.completions.create(**ASK)
        with pytest.raises(openai.APIStatusError) as refused:
            client.chat.completions.create(**ASK)
    assert refused.value.status_code == 412
    assert (refused.value.type, refused.value.code) == ("usage_limits_policy_exhaust_error", "06")


def test_audit_logs_tell_who_changed_what(call: Call, portkey: PortkeyWorld) -> None:
    made = call(
        "api_keys.create", type="workspace", sub_type="service", name="ci", workspace_id=PRODUCTION, scopes=["logs.view"]
    )
    call("api_keys.update", id=made.id, name="nightly")
    window = "start_time=2020-01-01T00:00:00Z&end_time=2100-01-01T00:00:00Z"
    found = read(call, f"/audit-logs?{window}&resource_type=api_keys")
    assert (found["object"], found["total"], found["data"]) == ("analytics-graph", 2, found["records"])
    updated, created = found["records"]
    assert [(row["method"], row["action"]) for row in (updated, created)] == [("PUT", "update"), ("POST", "create")]
    assert (updated["before"]["name"], updated["after"]["name"], created["before"]) == ("ci", "nightly", None)
    assert made.key not in str(found)


def test_prices_need_no_v1(call: Call, portkey: PortkeyWorld) -> None:
    """A raw call names the server's root, where the real service has them (sdk-call-map 1)."""
    root = portkey.url.removesuffix("/v1")
    shown = read(call, f"{root}/model-configs/pricing/openai/gpt-4o")
    assert shown == read(call, "/model-configs/pricing/openai/gpt-4o")
    assert shown["pay_as_you_go"]["request_token"] == {"price": 0.00025}


def test_cost_of_a_call_is_that_of_the_list(portkey: PortkeyWorld) -> None:
    admin = portkey.client()
    path = f"{BUDGETS}/{admin.post(url=BUDGETS, **BUDGET | {'type': 'cost', 'credit_limit': 10}).id}"
    used = portkey.client(metadata=SUPPORT, provider="openai").chat.completions.create(**ASK).usage
    costs = admin.get(path="/model-configs/pricing/openai/gpt-4o").json()["pay_as_you_go"]
    cents = used.prompt_tokens * costs["request_token"]["price"] + used.completion_tokens * costs["response_token"]["price"]
    (entity,) = admin.get(path=f"{path}/entities").json()["data"]
    assert entity["current_usage"] == pytest.approx(cents / 100)
