"""Calls of models by the real `portkey-ai` and `openai` for Python, sync and async, over a real socket.

`openai` names its provider as Portkey's guide says: by the headers of `createHeaders`.
Source of what the clients send and raise: gateway-data-plane, What real clients send and need.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import APIConnectionError, OpenAI
from portkey_ai import createHeaders

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.callers import ASK, DENYING, MESSAGES, PROVIDER, TEXT, TOOL, Caller, Tide, script
from tests.clients.calls import write_uploads

SOUND = ("tide.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav")
PICTURE = ("boat.png", b"\x89PNG\r\n\x1a\n", "image/png")


def fields(reply: Any) -> Any:
    """A reply as data."""
    return reply.model_dump() if hasattr(reply, "model_dump") else reply


def text_of(events: list[Any]) -> str:
    """The text that the chunks of a chat make up."""
    return "".join(event.choices[0].delta.content or "" for event in events if event.choices)


# Chat


def test_chat_is_answered(portkey: PortkeyWorld, call: Caller) -> None:
    script(portkey, {"text": TEXT})
    made = call("chat.completions.create", **ASK)
    assert (made.choices[0].message.content, made.choices[0].finish_reason) == (TEXT, "stop")
    assert (made.object, made.model) == ("chat.completion", "gpt-4o")
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens > 0


def test_chat_is_streamed(portkey: PortkeyWorld, call: Caller) -> None:
    script(portkey, {"text": TEXT})
    events = call("chat.completions.create", **ASK, stream=True)
    assert text_of(events) == TEXT
    assert events[-1].choices[0].finish_reason == "stop"
    assert len({event.id for event in events}) == 1


def test_stream_ends_with_its_usage(call: Caller) -> None:
    events = call("chat.completions.create", **ASK, stream=True, stream_options={"include_usage": True})
    whole = call("chat.completions.create", **ASK)
    assert events[-1].choices == []
    assert events[-1].usage.prompt_tokens == whole.usage.prompt_tokens
    assert all(event.usage is None for event in events[:-1])


def test_tool_is_called(call: Caller) -> None:
    made = call("chat.completions.create", **ASK, tools=[TOOL], tool_choice="required")
    (asked,) = made.choices[0].message.tool_calls
    assert (asked.function.name, made.choices[0].finish_reason) == ("find_tide", "tool_calls")
    assert set(json.loads(asked.function.arguments)) == {"port"}


def test_tool_call_is_streamed(call: Caller) -> None:
    events = call("chat.completions.create", **ASK, tools=[TOOL], tool_choice="required", stream=True)
    parts = [part for event in events for part in event.choices[0].delta.tool_calls or []]
    assert (parts[0].function.name, parts[0].index) == ("find_tide", 0)
    assert set(json.loads("".join(part.function.arguments for part in parts))) == {"port"}


def test_answer_is_parsed(openai: Caller) -> None:
    """`.parse()` asks for a JSON schema and reads what comes into the class."""
    parsed = openai("chat.completions.parse", **ASK, response_format=Tide).choices[0].message.parsed
    assert isinstance(parsed, Tide)


def test_stream_helper_puts_the_answer_together(portkey: PortkeyWorld, runner: asyncio.Runner) -> None:
    script(portkey, {"text": TEXT})
    caller = Caller("openai", portkey, runner)
    with caller.client.chat.completions.stream(**ASK) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    caller.close()
    assert final.choices[0].message.content == TEXT
    assert {"chunk", "content.delta", "content.done"} <= kinds


def test_stream_helper_parses_tools(portkey: PortkeyWorld, runner: asyncio.Runner) -> None:
    caller = Caller("openai", portkey, runner)
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}  # type: ignore[dict-item]  # a tool is no more than a dict
    with caller.client.chat.completions.stream(**ASK, tools=[strict], tool_choice="required") as stream:
        final = stream.get_final_completion()
    caller.close()
    assert set(final.choices[0].message.tool_calls[0].function.parsed_arguments) == {"port"}


def test_async_stream_helper_puts_the_answer_together(portkey: PortkeyWorld, runner: asyncio.Runner) -> None:
    script(portkey, {"text": TEXT})
    caller = Caller("openai-async", portkey, runner)

    async def read() -> Any:
        async with caller.client.chat.completions.stream(**ASK) as stream:
            return await stream.get_final_completion()

    final = runner.run(read())
    caller.close()
    assert final.choices[0].message.content == TEXT


def test_raw_response_has_the_gateways_headers(openai: Caller) -> None:
    raw = openai("chat.completions.with_raw_response.create", **ASK)
    assert raw.headers["x-portkey-provider"] == "openai"
    assert raw.headers["x-portkey-last-used-option-index"] == "config"
    assert raw.parse().object == "chat.completion"


def test_reply_has_the_gateways_headers(own: Caller) -> None:
    """As Portkey's own client shows them."""
    headers = own("chat.completions.create", **ASK).get_headers()
    assert {name: headers[name] for name in ("provider", "cache-status", "retry-attempt-count")} == {
        "provider": "openai",
        "cache-status": "DISABLED",
        "retry-attempt-count": "0",
    }


# Other kinds of calls


def test_text_is_completed(portkey: PortkeyWorld, call: Caller) -> None:
    script(portkey, {"text": TEXT})
    given = {"model": "gpt-3.5-turbo-instruct", "prompt": "The tide"}
    made = call("completions.create", **given)
    events = call("completions.create", **given, stream=True)
    assert (made.object, made.choices[0].text) == ("text_completion", TEXT)
    assert "".join(event.choices[0].text for event in events) == TEXT


def test_embedding_is_decoded_by_openai(openai: Caller) -> None:
    """It asks for base64 by itself."""
    made = openai("embeddings.create", model="text-embedding-3-small", input=["Tides", "Boats"], dimensions=8)
    assert [(len(each.embedding), each.index) for each in made.data] == [(8, 0), (8, 1)]
    assert sum(number**2 for number in made.data[0].embedding) == pytest.approx(1, abs=1e-3)


def test_embedding_is_left_in_base64_by_portkey(own: Caller) -> None:
    """It asks for base64 as well, and decodes nothing; floats come to whom asks for them."""
    given = {"model": "text-embedding-3-small", "input": "Tides", "dimensions": 8}
    assert isinstance(own("embeddings.create", **given).data[0].embedding, str)
    assert len(own("embeddings.create", **given, encoding_format="float").data[0].embedding) == 8


def test_text_is_moderated(call: Caller) -> None:
    made = fields(call("moderations.create", input=["Tides", "Boats"]))
    assert len(made["results"]) == 2
    assert made["results"][0]["flagged"] in (True, False)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # OpenAI deprecates what it still serves
def test_pictures_are_made(call: Caller) -> None:
    made = call("images.generate", prompt="A lighthouse", n=2)
    assert [each.url.startswith("http") for each in made.data] == [True, True]
    edited = call("images.edit", image=PICTURE, prompt="Put a boat beside it", model="gpt-image-1")
    assert edited.data[0].b64_json
    assert call("images.create_variation", image=PICTURE).data[0].url


def test_picture_is_there_to_be_fetched(openai: Caller) -> None:
    made = openai("images.generate", prompt="A lighthouse", model="dall-e-3")
    reply = httpx.get(made.data[0].url)
    assert (reply.status_code, reply.content[:4]) == (200, b"\x89PNG")


def test_picture_is_streamed(openai: Caller) -> None:
    given = {"prompt": "A lighthouse", "model": "gpt-image-1", "partial_images": 2}
    events = openai("images.generate", **given, stream=True)
    kinds = [event.type for event in events]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


def test_speech_is_spoken(call: Caller) -> None:
    made = call("audio.speech.create", model="tts-1", voice="nova", input="At noon.", response_format="wav")
    assert made.content[:4] == b"RIFF"


@pytest.mark.parametrize("format_", ["json", "verbose_json", "text", "srt", "vtt"])
def test_speech_is_transcribed(portkey: PortkeyWorld, openai: Caller, format_: str) -> None:
    made = openai("audio.transcriptions.create", file=SOUND, model="whisper-1", response_format=format_)
    told = made if isinstance(made, str) else made.text
    marks = {"srt": "00:00:00,000 --> ", "vtt": "WEBVTT", "text": "\n"}
    assert isinstance(made, str) is (format_ in marks)
    assert marks.get(format_, "") in told
    assert told.strip()


def test_speech_is_transcribed_for_portkey(own: Caller, tmp_path: Path) -> None:
    """It takes every transcription for JSON, so other formats fail in the client; and it reads how long a sound is."""
    write_uploads(tmp_path)
    for task in ("transcriptions", "translations"):
        with (tmp_path / "speech.wav").open("rb") as sound:
            assert own(f"audio.{task}.create", file=sound, model="whisper-1").text


def test_transcription_is_streamed(openai: Caller) -> None:
    events = openai("audio.transcriptions.create", file=SOUND, model="gpt-4o-transcribe", stream=True)
    *parts, last = events
    assert {part.type for part in parts} == {"transcript.text.delta"}
    assert (last.type, last.text) == ("transcript.text.done", "".join(part.delta for part in parts))


def test_documents_are_ranked(portkey: PortkeyWorld, runner: asyncio.Runner) -> None:
    """No client has a method for it."""
    given: dict[str, Any] = {"model": "rerank-v3.5", "query": "When?", "documents": ["At nine.", "At ten."]}
    caller = Caller("portkey", portkey, runner, provider="cohere")
    made = caller("post", url="/rerank", **given)
    caller.close()
    scores = [each["relevance_score"] for each in made.results]
    assert scores == sorted(scores, reverse=True)
    assert sorted(each["index"] for each in made.results) == [0, 1]


def test_models_are_listed_and_read(call: Caller) -> None:
    assert [model.id for model in call("models.list").data] == ["gpt-4o"]
    assert fields(call("models.retrieve", model="gpt-4o"))["owned_by"] == "system"


def test_catalogue_is_listed(portkey: PortkeyWorld) -> None:
    """A client that names no provider sees the catalogue; its models have neither time nor owner."""
    found = portkey.client().models.list()
    assert [model.id for model in found.data] == ["@openai-evaluations/gpt-4o", "@openai-production/gpt-4o"]


def test_model_of_the_catalogue_is_called(portkey: PortkeyWorld) -> None:
    made = portkey.client().chat.completions.create(model="@openai-production/gpt-4o", messages=MESSAGES)
    assert (made.model, made.get_headers()["provider"]) == ("gpt-4o", "openai")


def test_prompt_is_completed_and_streamed(portkey: PortkeyWorld, own: Caller) -> None:
    script(portkey, {"text": TEXT})
    shelf = own("collections.create", name="Care", workspace_id="ws-produc-71b04e")
    told = '[{"role":"user","content":"{{question}}"}]'
    version = {"string": told, "parameters": {}, "model": "gpt-4o", "virtual_key": "openai-production"}
    prompt = own("prompts.create", name="Reply", collection_id=shelf.id, **version)
    asked = {"prompt_id": prompt.slug, "variables": {"question": "Where?"}}
    assert own("prompts.completions.create", **asked).choices[0].message.content == TEXT
    assert text_of(own("prompts.completions.create", **asked, stream=True)) == TEXT


# Guardrails and refusals


def config(**content: Any) -> dict[str, Any]:
    return {"provider": None, "config": {"provider": PROVIDER, **content}}


@pytest.mark.parametrize("kind", ["portkey", "openai"])
def test_failed_guardrail_that_does_not_deny_is_an_answer(portkey: PortkeyWorld, runner: asyncio.Runner, kind: str) -> None:
    """246 is a success for all clients; what was found is among the fields."""
    caller = Caller(kind, portkey, runner, **config(input_guardrails=[{**DENYING[0], "deny": False}]))
    made = caller("chat.completions.create", **ASK)
    caller.close()
    assert made.choices[0].message.content
    assert made.model_extra["hook_results"]["before_request_hooks"][0]["verdict"] is False
    assert portkey.calls[-1]["status"] == 246


ERRORS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "APIStatusError",
    412: "APIStatusError",
    429: "RateLimitError",
    446: "APIStatusError",
    500: "InternalServerError",
    503: "InternalServerError",
}


@pytest.mark.parametrize("status", ERRORS)
def test_refusal_becomes_the_error_of_its_status(
    portkey: PortkeyWorld, request: pytest.FixtureRequest, call: Caller, runner: asyncio.Runner, status: int
) -> None:
    """One call each: a trace in the headers keeps Portkey's clients from a second one after a 5xx."""
    caller = call
    if status == 446:
        caller = Caller(request.node.callspec.params["call"], portkey, runner, **config(input_guardrails=DENYING))
    else:
        script(portkey, {"error": {"status": status, "message": "No tide today", "code": "no_tide"}})
    with pytest.raises(Exception, match=r"tide|hook_results") as caught:
        caller("chat.completions.create", **ASK)
    if caller is not call:
        caller.close()
    error: Any = caught.value
    names = {each.__name__ for each in type(error).__mro__}
    assert (ERRORS[status] in names, error.status_code) == (True, status)
    assert [entry["status"] for entry in portkey.calls] == [status]
    assert error.response.headers["x-portkey-trace-id"]


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_refused_stream_raises_at_once(portkey: PortkeyWorld, call: Caller, status: int) -> None:
    script(portkey, {"error": {"status": status, "message": "No tide today"}})
    with pytest.raises(Exception, match="No tide today") as caught:
        call("chat.completions.create", **ASK, stream=True)
    error: Any = caught.value
    assert (error.status_code, len(portkey.calls)) == (status, 1)


def test_provider_that_takes_too_long_is_a_timeout(portkey: PortkeyWorld, runner: asyncio.Runner) -> None:
    script(portkey, {"text": TEXT}, delay_ms=5000)
    caller = Caller("openai", portkey, runner, **config(request_timeout=1))
    with pytest.raises(Exception, match="Request exceeded the timeout sent in the request: 1ms") as caught:
        caller("chat.completions.create", **ASK)
    caller.close()
    error: Any = caught.value
    assert (error.status_code, error.type) == (408, "timeout_error")


def test_openai_tries_again_after_a_full_rate(portkey: PortkeyWorld) -> None:
    """As often as it likes: it knows nothing of Portkey's headers."""
    script(portkey, {"error": {"status": 429, "retry_after": 0.01}}, times=1)
    headers = createHeaders(api_key=portkey.api_key, provider=PROVIDER)  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    with OpenAI(api_key="none", base_url=portkey.url, default_headers=headers, max_retries=2) as client:
        assert client.chat.completions.create(**ASK).choices
    assert [entry["status"] for entry in portkey.calls] == [429, 200]


def test_known_key_without_a_provider_is_refused(portkey: PortkeyWorld) -> None:
    with pytest.raises(Exception, match="Either x-portkey-config or x-portkey-provider header is required") as caught:
        portkey.client().chat.completions.create(**ASK)
    error: Any = caught.value
    assert error.status_code == 400


def test_stream_that_breaks_off_raises(portkey: PortkeyWorld, call: Caller) -> None:
    script(portkey, {"text": TEXT}, cut_after=2)
    with pytest.raises((httpx.RemoteProtocolError, APIConnectionError)):
        call("chat.completions.create", **ASK, stream=True)
