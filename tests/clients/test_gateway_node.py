"""Calls of models by the real `portkey-ai` and `openai` for Node over a real socket.

`node/all_calls.mjs` makes the calls. Without Node or npm these tests are skipped, under CI=true they fail.
Source of what the clients send and raise: gateway-data-plane, What real clients send and need.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.callers import ASK, DENYING, PROVIDER, TEXT, TIDE, TOOL, script
from tests.clients.calls import write_uploads
from tests.clients.test_all_node_calls import NodeClient
from tests.clients.test_node_sdk import Refused

node = test_node_sdk.node

Make: TypeAlias = Callable[..., NodeClient]


@pytest.fixture
def make(node: str, portkey: PortkeyWorld) -> Iterator[Make]:
    """Makes a client, `portkey-ai` or `openai`, with a provider or a config."""
    made: list[NodeClient] = []

    def start(kind: str, provider: str = PROVIDER, **config: Any) -> NodeClient:
        said = {"CLIENT_CONFIG": json.dumps({"provider": provider, **config})} if config else {"CLIENT_PROVIDER": provider}
        made.append(NodeClient(node, portkey, CLIENT=kind, **said))
        return made[-1]

    yield start
    for client in made:
        client.close()


@pytest.fixture(params=["portkey-ai", "openai"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each client in turn."""
    return str(request.param)


@pytest.fixture
def sdk(make: Make, kind: str) -> NodeClient:
    return make(kind)


def streamed(events: list[Any]) -> str:
    """The text that the chunks of a chat make up."""
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"])


def test_chat_is_answered_and_streamed(portkey: PortkeyWorld, sdk: NodeClient) -> None:
    script(portkey, {"text": TEXT})
    made = sdk.call("chat.completions.create", ASK)
    events = sdk.call("chat.completions.create", {**ASK, "stream": True, "stream_options": {"include_usage": True}})
    assert (made["object"], made["choices"][0]["message"]["content"]) == ("chat.completion", TEXT)
    assert (streamed(events), events[-1]["choices"]) == (TEXT, [])
    assert events[-1]["usage"] == made["usage"]


def test_stream_helper_reads_to_the_end(portkey: PortkeyWorld, sdk: NodeClient) -> None:
    script(portkey, {"text": TEXT})
    assert streamed(sdk.call("chat.completions.stream", ASK)) == TEXT


def test_tool_is_called(sdk: NodeClient) -> None:
    asked = {**ASK, "tools": [TOOL], "tool_choice": "required"}
    (called,) = sdk.call("chat.completions.create", asked)["choices"][0]["message"]["tool_calls"]
    assert (called["function"]["name"], set(json.loads(called["function"]["arguments"]))) == ("find_tide", {"port"})
    events = sdk.call("chat.completions.create", {**asked, "stream": True})
    parts = [part for event in events for part in event["choices"][0]["delta"].get("tool_calls", [])]
    assert "".join(part["function"]["arguments"] for part in parts)[:1] == "{"


def test_answer_is_parsed(make: Make) -> None:
    """`.parse()` reads what comes by the JSON schema that it asks for."""
    asked = {"type": "json_schema", "json_schema": {"name": "tide", "strict": True, "schema": TIDE}}
    made = make("openai").call("chat.completions.parse", {**ASK, "response_format": asked})
    assert set(json.loads(made["choices"][0]["message"]["content"])) == {"port"}


def test_text_is_completed_and_streamed(portkey: PortkeyWorld, sdk: NodeClient) -> None:
    script(portkey, {"text": TEXT})
    asked = {"model": "gpt-3.5-turbo-instruct", "prompt": "The tide"}
    assert sdk.call("completions.create", asked)["choices"][0]["text"] == TEXT
    events = sdk.call("completions.create", {**asked, "stream": True})
    assert "".join(event["choices"][0]["text"] for event in events) == TEXT


def test_text_is_embedded(sdk: NodeClient) -> None:
    """`openai` asks for base64 and decodes it, `portkey-ai` asks for nothing."""
    made = sdk.call("embeddings.create", {"model": "text-embedding-3-small", "input": ["Tides"], "dimensions": 8})
    assert sum(float(number) ** 2 for number in made["data"][0]["embedding"]) == pytest.approx(1, abs=1e-3)


def test_text_is_moderated(sdk: NodeClient) -> None:
    assert len(sdk.call("moderations.create", {"input": ["Tides", "Boats"]})["results"]) == 2


def test_pictures_are_made(sdk: NodeClient, tmp_path: Path) -> None:
    write_uploads(tmp_path)
    picture = {"$upload": str(tmp_path / "image.png")}
    assert sdk.call("images.generate", {"prompt": "A lighthouse"})["data"][0]["url"]
    assert sdk.call("images.edit", {"image": picture, "prompt": "A boat", "model": "gpt-image-1"})["data"][0]["b64_json"]
    assert sdk.call("images.createVariation", {"image": picture})["data"][0]["url"]


def test_speech_is_spoken(sdk: NodeClient) -> None:
    """The client gives bytes; here they are counted."""
    assert sdk.call("audio.speech.create", {"model": "tts-1", "voice": "nova", "input": "At noon."}) > 0


@pytest.mark.parametrize("format_", ["json", "verbose_json", "text", "srt", "vtt"])
def test_speech_is_transcribed(make: Make, tmp_path: Path, format_: str) -> None:
    write_uploads(tmp_path)
    asked = {"file": {"$upload": str(tmp_path / "speech.wav")}, "model": "whisper-1", "response_format": format_}
    made = make("openai").call("audio.transcriptions.create", asked)
    assert isinstance(made, str) is (format_ in ("text", "srt", "vtt"))
    assert made if isinstance(made, str) else made["text"]


def test_documents_are_ranked(make: Make) -> None:
    asked = {"model": "rerank-v3.5", "query": "When?", "documents": ["At nine.", "At ten."]}
    made = make("portkey-ai", "cohere").call("post", "/rerank", asked)
    assert sorted(each["index"] for each in made["results"]) == [0, 1]


def test_models_are_listed_and_read(sdk: NodeClient) -> None:
    assert [model["id"] for model in sdk.call("models.list")["data"]] == ["gpt-4o"]
    assert sdk.call("models.retrieve", "gpt-4o")["owned_by"] == "system"


def test_failed_guardrail_that_does_not_deny_is_an_answer(portkey: PortkeyWorld, make: Make, kind: str) -> None:
    made = make(kind, input_guardrails=[{**DENYING[0], "deny": False}]).call("chat.completions.create", ASK)
    assert made["hook_results"]["before_request_hooks"][0]["verdict"] is False
    assert portkey.calls[-1]["status"] == 246


ERRORS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "APIError",
    412: "APIError",
    429: "RateLimitError",
    446: "APIError",
    500: "InternalServerError",
}


@pytest.mark.parametrize("status", ERRORS)
@pytest.mark.parametrize("streams", [False, True], ids=["answer", "stream"])
def test_refusal_becomes_the_error_of_its_status(
    portkey: PortkeyWorld, make: Make, kind: str, status: int, *, streams: bool
) -> None:
    """After one call each: a trace in the headers keeps `portkey-ai` from a second one after a 5xx."""
    config = {"input_guardrails": DENYING} if status == 446 else {}
    if status != 446:
        script(portkey, {"error": {"status": status, "message": "No tide today"}})
    with pytest.raises(Refused) as caught:
        make(kind, **config).call("chat.completions.create", {**ASK, "stream": streams})
    assert (caught.value.status, caught.value.type) == (status, ERRORS[status])
    assert [entry["status"] for entry in portkey.calls] == [status]


def test_stream_that_breaks_off_raises(portkey: PortkeyWorld, sdk: NodeClient) -> None:
    script(portkey, {"text": TEXT}, cut_after=2)
    with pytest.raises(Refused, match=r"terminated|Premature close|aborted"):
        sdk.call("chat.completions.create", {**ASK, "stream": True})
