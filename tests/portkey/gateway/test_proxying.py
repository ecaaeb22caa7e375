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
from mockserver.values import JSON
from tests.conftest import Client
from tests.portkey.gateway.calling import fail

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
