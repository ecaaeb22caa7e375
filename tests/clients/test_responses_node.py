"""Responses by the real `portkey-ai` and `openai` for Node over a real socket. Without Node skipped, under CI=true failed."""

from __future__ import annotations

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_gateway_node
from tests.clients.callers import TEXT, script
from tests.clients.test_all_node_calls import NodeClient
from tests.clients.test_responses_python import ASK, TOOL

kind = test_gateway_node.kind
make = test_gateway_node.make
node = test_gateway_node.node
sdk = test_gateway_node.sdk


def test_response_is_answered_streamed_and_read(portkey: PortkeyWorld, sdk: NodeClient) -> None:
    script(portkey, {"text": TEXT})
    made = sdk.call("responses.create", ASK)
    assert made["output"][0]["content"][0]["text"] == TEXT
    assert sdk.call("responses.retrieve", made["id"])["id"] == made["id"]
    for method, more in (("responses.create", {"stream": True}), ("responses.stream", {})):
        events = sdk.call(method, {**ASK, **more})
        assert "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta") == TEXT


def test_function_is_called_and_answered(sdk: NodeClient) -> None:
    first = sdk.call("responses.create", {**ASK, "tools": [TOOL], "tool_choice": "required"})
    output = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "At 12:40"}
    second = sdk.call("responses.create", {"model": "gpt-4o", "previous_response_id": first["id"], "input": [output]})
    assert "12:40" in second["output"][0]["content"][0]["text"]
