"""Calls that the gateway passes on: how providers fail in them, and what holds for each target.

Source: gateway-data-plane, Request pipeline (10), Response headers, Budgets and rate limits, Route map.
"""

from __future__ import annotations

import json

import pytest

from mockserver import data
from mockserver.contract.loading import load_document
from mockserver.contract.operations import Operation, read_operations
from mockserver.portkey import scopes
from mockserver.values import JSON, Record
from tests.conftest import Client
from tests.portkey.catalogue import make_provider
from tests.portkey.gateway.calling import ask, fail, logs, watch
from tests.portkey.keeping import chats, done, start, wait

UNASKED = {"getDrawnImage", "createPromptRender"}
"""What belongs to the data plane and asks no provider."""
OPERATIONS = [
    operation
    for operation in read_operations(load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE).document)[0]
    if scopes.is_data_plane(operation.id) and operation.id not in UNASKED
]
KEPT: list[tuple[str, str, JSON]] = [
    ("GET", "/v1/files", ...),
    ("GET", "/v1/batches", ...),
    ("GET", "/v1/fine_tuning/jobs", ...),
    ("POST", "/v1/vector_stores", {}),
    ("POST", "/v1/assistants", {"model": "gpt-4o"}),
    ("GET", "/v1/responses/resp_1", ...),
    ("GET", "/v1/models", ...),
]
METERED = [each for each in KEPT if each[1] != "/v1/models"]
"""A list of models is no call of inference."""
EACH = pytest.mark.parametrize(("method", "path", "body"), KEPT, ids=[path[4:] for _, path, _ in KEPT])
OPENAI = {"x-portkey-provider": "openai"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_document_has_all_that_a_provider_may_fail_with(operation: Operation) -> None:
    assert {"400", "401", "403", "404", "408", "412", "413", "429", "5XX"} <= set(operation.responses)


@EACH
def test_provider_that_is_scripted_to_fail_fails(client: Client, method: str, path: str, body: JSON) -> None:
    fail(client, 503)
    reply = client.call(method, path, body, headers=OPENAI)
    assert (reply.status_code, reply.headers["x-portkey-provider"]) == (503, "openai")
    assert "overloaded" in json.dumps(reply.json()["error"])


@EACH
def test_provider_that_a_fault_strikes_fails(client: Client, method: str, path: str, body: JSON) -> None:
    """It is the provider that fails, and not the gateway: its words, and the gateway's headers."""
    strike(client, error={"status": 503, "message": "Out to lunch"})
    reply = client.call(method, path, body, headers=OPENAI)
    assert (reply.status_code, reply.headers["x-portkey-provider"]) == (503, "openai")
    assert reply.json()["error"]["message"].endswith("Out to lunch")


def test_provider_that_fails_is_fallen_back_from(client: Client) -> None:
    strike(client, error={"status": 503})
    reply = client.post("/v1/assistants", {"model": "gpt-4o"}, headers=config({"provider": "openai"}, {"provider": "groq"}))
    assert (reply.status_code, reply.headers["x-portkey-last-used-option-index"]) == (200, "config.targets[1]")
    assert client.get("/v1/assistants", headers={"x-portkey-provider": "groq"}).json()["data"] == [reply.json()]


def test_provider_breaks_off_a_run(client: Client) -> None:
    assistant = done(client.post("/v1/assistants", {"model": "gpt-4o"}, headers=OPENAI))
    strike(client, half_stream={"after_events": 2})
    sent = watch(client, {"assistant_id": assistant["id"], "stream": True}, 1, path="/v1/threads/runs")
    assert (len(sent.pieces), sent.is_complete) == (2, False)


def test_fault_of_a_provider_strikes_lines_of_a_batch(client: Client) -> None:
    made = start(client, chats(3))
    strike(client, error={"status": 503}, call=2)
    wait(client, 1000)
    assert done(client.get(f"/v1/batches/{made['id']}", headers=OPENAI))["request_counts"] == {
        "total": 3, "completed": 2, "failed": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), METERED, ids=[path[4:] for _, path, _ in METERED])
def test_limits_hold_for_the_target(client: Client, method: str, path: str, body: JSON) -> None:
    """A provider that is used up refuses within the target: its error has the gateway's headers, and leaves a log."""
    spent = used_up(client)
    before = logs(client)
    reply = client.call(method, path, body, headers={"x-portkey-config": json.dumps({"provider": f"@{spent}"})})
    assert (reply.status_code, reply.json()["error"]["type"]) == (412, "virtual_key_exhaust_error")
    assert reply.headers["x-portkey-last-used-option-index"] == "config"
    assert logs(client) == before + 1


def test_provider_that_is_used_up_is_fallen_back_from(client: Client) -> None:
    headers = config({"provider": f"@{used_up(client)}"}, {"provider": "openai"})
    reply = client.post("/v1/assistants", {"model": "gpt-4o"}, headers=headers)
    assert (reply.status_code, reply.headers["x-portkey-last-used-option-index"]) == (200, "config.targets[1]")


def test_call_counts_for_the_provider_of_its_config(client: Client) -> None:
    rates = [{"type": "requests", "unit": "rpd", "value": 1}]
    slug = make_provider(client, integration="openai-production", rate_limits=rates)["slug"]
    headers = {"x-portkey-config": json.dumps({"provider": f"@{slug}"})}
    assert [client.get("/v1/assistants", headers=headers).status_code for _ in range(2)] == [200, 429]


def strike(client: Client, call: int | None = None, **effect: JSON) -> None:
    """Let OpenAI fail, at one call or at each."""
    match: Record = {"provider": "openai", **({} if call is None else {"call": call})}
    reply = client.post("/__admin/faults", {"match": match, "effect": effect})
    assert reply.status_code == 201, reply.text


def config(*targets: Record) -> dict[str, str]:
    """The header of a config that falls back."""
    full = [{"api_key": "any", **target} for target in targets]
    return {"x-portkey-config": json.dumps({"strategy": {"mode": "fallback"}, "targets": full})}


def used_up(client: Client) -> str:
    """A provider that has no budget left, by its slug."""
    made = make_provider(client, integration="openai-production", usage_limits={"type": "tokens", "credit_limit": 1})
    ask(client, {"provider": f"@{made['slug']}"})
    return str(made["slug"])
