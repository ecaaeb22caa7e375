"""Assistants by the real `portkey-ai` and `openai` for Node: a run through a function to an answer, polled and streamed.

`node/all_calls.mjs` makes the calls. Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_gateway_node, test_node_sdk
from tests.clients.callers import script
from tests.clients.calls import FIND_TIDE, MESSAGES
from tests.clients.test_all_node_calls import NodeClient

node = test_node_sdk.node
make, kind, sdk = test_gateway_node.make, test_gateway_node.kind, test_gateway_node.sdk


@pytest.fixture
def run(sdk: NodeClient) -> tuple[str, dict[str, Any]]:
    """A thread with a question, and what a run of it is made with."""
    assistant = sdk.call("beta.assistants.create", {"model": "gpt-4o", "tools": [FIND_TIDE]})
    thread = sdk.call("beta.threads.create", {"messages": MESSAGES})
    return thread["id"], {"assistant_id": assistant["id"]}


def test_a_run_is_polled_and_streamed(sdk: NodeClient, run: tuple[str, dict[str, Any]]) -> None:
    thread_id, given = run
    waiting = sdk.call("beta.threads.runs.createAndPoll", thread_id, {**given, "tool_choice": FIND_TIDE})
    (asked,) = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": asked["id"], "output": "12:40"}]
    told = {"thread_id": thread_id, "tool_outputs": outputs}
    events = sdk.call("beta.threads.runs.submitToolOutputsStream", waiting["id"], told)
    assert [event["event"] for event in events][:2] == ["thread.run.step.completed", "thread.run.queued"]
    assert events[-1]["event"] == "thread.run.completed"
    answer = sdk.call("beta.threads.messages.list", thread_id)["data"][0]
    assert "12:40" in answer["content"][0]["text"]["value"]


def test_a_failure_is_told(portkey: PortkeyWorld, sdk: NodeClient, run: tuple[str, dict[str, Any]]) -> None:
    """Behind the run comes the error, which these clients hand on as it is."""
    thread_id, given = run
    script(portkey, {"error": {"status": 500, "message": "Not now."}}, match={"operation": "createRun"})
    *_, failed, error = sdk.call("beta.threads.runs.stream", thread_id, given)
    assert (failed["event"], failed["data"]["last_error"]["code"]) == ("thread.run.failed", "server_error")
    assert error["message"] == "Not now."
