"""Realtime sessions of the real `openai` and `portkey-ai` for Node over a real socket.

`node/realtime.mjs` talks. Without Node or npm these tests are skipped, under CI=true they fail.
Source of what the clients send: sdk-call-map, WebSockets.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.callers import PROVIDER, script
from tests.clients.test_node_sdk import Refused

node = test_node_sdk.node

TEXT = "The tide turns at noon."
QUESTION = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "When does the tide turn?"}]}
CREATED = {"until": "session.created"}
RESPOND = {"send": {"type": "response.create"}, "until": "response.done"}


class NodeClient(test_node_sdk.NodeClient):
    """The SDKs as there, each call one session."""

    script = "realtime.mjs"


@pytest.fixture
def sdk(node: str, portkey: PortkeyWorld) -> Iterator[NodeClient]:
    client = NodeClient(node, portkey, CLIENT_PROVIDER=PROVIDER, MODEL="gpt-realtime")
    yield client
    client.close()


@pytest.fixture(params=["OpenAIRealtimeWS", "OldRealtimeWS", "PortkeyAIRealtimeWS"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each client in turn; the last two speak the older dialect."""
    return str(request.param)


def settings(kind: str, modality: str) -> Any:
    """An update of a session in the dialect of its client."""
    if kind == "OpenAIRealtimeWS":
        session: Any = {"type": "realtime", "output_modalities": [modality]}
    else:
        session = {"modalities": ["text"] if modality == "text" else ["audio", "text"]}
    return {"send": {"type": "session.update", "session": session}, "until": "session.updated"}


def test_text_is_answered(portkey: PortkeyWorld, sdk: NodeClient, kind: str) -> None:
    script(portkey, {"text": TEXT})
    item = {"send": {"type": "conversation.item.create", "item": QUESTION}}
    item["until"] = "conversation.item.done" if kind == "OpenAIRealtimeWS" else "conversation.item.created"  # type: ignore[assignment]
    *_, events = sdk.call("talk", kind, [CREATED, settings(kind, "text"), item, RESPOND])
    stream = "response.output_text.delta" if kind == "OpenAIRealtimeWS" else "response.text.delta"
    assert "".join(event["delta"] for event in events if event["type"] == stream) == TEXT
    assert events[-1]["response"]["status"] == "completed"
    (call,) = portkey.calls
    assert (call["operation"], call["status"]) == ("connectRealtime", 101)


def test_sound_is_answered(portkey: PortkeyWorld, sdk: NodeClient, kind: str) -> None:
    script(portkey, {"text": TEXT})
    *_, events = sdk.call("talk", kind, [CREATED, settings(kind, "audio"), RESPOND])
    stream = "response.output_audio.delta" if kind == "OpenAIRealtimeWS" else "response.audio.delta"
    samples = b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == stream)
    assert len(samples) / 48000 == pytest.approx(len(TEXT) / 15, abs=0.2)


def test_error_leaves_the_connection_open(sdk: NodeClient, kind: str) -> None:
    wrong = {"send": {"type": "conversation.item.delete", "item_id": "nowhere", "event_id": "mine"}, "until": "error"}
    _, refused, events = sdk.call("talk", kind, [CREATED, wrong, RESPOND])
    assert refused[0]["error"]["event_id"] == "mine"
    assert events[-1]["response"]["status"] == "completed"


def test_refusal_of_the_gateway_is_an_error(node: str, portkey: PortkeyWorld, kind: str) -> None:
    client = NodeClient(node, portkey, CLIENT_PROVIDER="@nowhere", MODEL="gpt-realtime")
    with pytest.raises(Refused, match="Unexpected server response: 400"):
        client.call("talk", kind, [CREATED])
    client.close()
