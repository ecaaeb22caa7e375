"""OpenAI's own client reads the answers: their JSON, their streams and their files, without a socket."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import httpx
import pytest
from openai import OpenAI
from openai.types.audio import TranscriptionTextDoneEvent
from pydantic import BaseModel

from mockserver.contract.forms import parse_multipart
from mockserver.portkey.answers import (
    chat,
    completions,
    embeddings,
    images,
    moderations,
    sound,
    speech,
    sse,
    transcription,
)
from mockserver.values import Record, dump, parse
from tests.portkey.answers.given import CREATED, CountingIds, chance, joined

QUESTION: list[Any] = [{"role": "user", "content": "How warm is it in Porto?"}]


class Place(BaseModel):
    """What is asked for."""

    city: str
    days: int


def events(found: Iterable[Record]) -> bytes:
    """A stream whose events are named by their type."""
    return b"".join(sse.event(each, each["type"]) for each in found)


def answer(request: httpx.Request) -> httpx.Response:
    """What a server would answer that has nothing but the answers."""
    path, ids = request.url.path.removeprefix("/v1"), CountingIds()
    if path == "/audio/transcriptions":
        fields, uploads = parse_multipart(request.content, request.headers["content-type"])
        form: Record = {name: values[-1] for name, values in fields.items()}
        heard = transcription.answer(uploads[0].content, form, form["model"], chance())
        if form.get("stream") == "true":
            return httpx.Response(200, headers={"content-type": sse.MEDIA_TYPE}, content=events(heard.events()))
        reply = heard.reply()
        body = reply if isinstance(reply, bytes) else dump(reply)
        return httpx.Response(200, headers={"content-type": heard.media_type}, content=body)
    body = parse(request.content)
    model = body.get("model") or "omni-moderation-latest"
    if path == "/audio/speech":
        spoken = speech.answer(body, model, chance())
        return httpx.Response(200, headers={"content-type": spoken.media_type}, content=spoken.content)
    if path == "/images/generations":
        drawn = images.answer(body, model, chance(), CREATED)
        if body.get("stream"):
            return httpx.Response(200, headers={"content-type": sse.MEDIA_TYPE}, content=events(drawn.events()))
        return httpx.Response(200, json=drawn.as_json())
    if path in ("/chat/completions", "/completions"):
        made: Any = (
            chat.answer(body, model, chance().root, ids, CREATED)
            if path == "/chat/completions"
            else completions.answer(body, model, chance(), ids, CREATED)
        )
        if body.get("stream"):
            usage = bool((body.get("stream_options") or {}).get("include_usage"))
            stream = b"".join(sse.event(chunk) for chunk in made.chunks(include_usage=usage)) + sse.DONE
            return httpx.Response(200, headers={"content-type": sse.MEDIA_TYPE}, content=stream)
        return httpx.Response(200, json=made.as_json())
    others: dict[str, Callable[[], Record]] = {
        "/embeddings": lambda: embeddings.answer(body, model, chance()),
        "/moderations": lambda: moderations.answer(body, model, chance(), ids),
    }
    return httpx.Response(200, json=others[path]())


@pytest.fixture
def openai() -> OpenAI:
    client: Any = httpx.Client(transport=httpx.MockTransport(answer))
    return OpenAI(api_key="any", base_url="http://mock/v1", max_retries=0, http_client=client)


def test_chat_is_the_same_streamed(openai: OpenAI) -> None:
    whole = openai.chat.completions.create(model="gpt-4o", messages=QUESTION)
    options: Any = {"include_usage": True}
    chunks = list(openai.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True, stream_options=options))
    assert joined(chunk.choices[0].delta.content for chunk in chunks if chunk.choices) == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


def test_stream_helper_puts_it_together(openai: OpenAI) -> None:
    with openai.chat.completions.stream(model="gpt-4o", messages=QUESTION, n=2) as stream:
        kinds = {event.type for event in stream}
        made = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert all(choice.message.content and choice.finish_reason == "stop" for choice in made.choices)


def test_structured_answer_is_parsed(openai: OpenAI) -> None:
    made = openai.chat.completions.parse(model="gpt-4o", messages=QUESTION, response_format=Place)
    assert isinstance(made.choices[0].message.parsed, Place)


def test_calls_are_put_together(openai: OpenAI) -> None:
    tools: Any = [{"type": "function", "function": {"name": "look", "strict": True, "parameters": Place.model_json_schema()}}]
    with openai.chat.completions.stream(model="gpt-4o", messages=QUESTION, tools=tools, tool_choice="required") as stream:
        events_ = [event for event in stream if event.type.startswith("tool_calls")]
        (call,) = stream.get_final_completion().choices[0].message.tool_calls or []
    assert events_[-1].type == "tool_calls.function.arguments.done"
    assert Place.model_validate_json(call.function.arguments)


def test_text_is_the_same_streamed(openai: OpenAI) -> None:
    whole = openai.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once upon a time", max_tokens=40)
    chunks = openai.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once upon a time", max_tokens=40, stream=True)
    assert joined(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text


def test_vectors_are_the_same_in_both_forms(openai: OpenAI) -> None:
    """The client asks for base64 unless told otherwise, and decodes it."""
    coded = openai.embeddings.create(model="text-embedding-3-small", input="a parcel").data[0].embedding
    plain = (
        openai.embeddings.create(model="text-embedding-3-small", input="a parcel", encoding_format="float").data[0].embedding
    )
    assert coded == pytest.approx(plain, abs=0)
    assert len(coded) == 1536


def test_harm_is_told(openai: OpenAI) -> None:
    result = openai.moderations.create(input="flag:hate/threatening").results[0]
    assert result.flagged
    assert result.categories.hate_threatening


def test_images_come_as_events(openai: OpenAI) -> None:
    found = list(openai.images.generate(model="gpt-image-1", prompt="A boat", stream=True, partial_images=2))
    assert [event.type for event in found] == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    whole = openai.images.generate(model="gpt-image-1", prompt="A boat")
    assert whole.data is not None
    assert found[-1].b64_json == whole.data[0].b64_json
    assert base64.b64decode(found[-1].b64_json).startswith(b"\x89PNG")


def test_speech_is_heard_again(openai: OpenAI) -> None:
    spoken = openai.audio.speech.create(model="tts-1", voice="nova", input="The train leaves at noon.", response_format="wav")
    heard = openai.audio.transcriptions.create(model="whisper-1", file=BytesIO(spoken.content), response_format="verbose_json")
    assert heard.duration == pytest.approx(len("The train leaves at noon.") / 15, abs=0.02)
    assert heard.segments


def test_transcription_comes_as_events(openai: OpenAI) -> None:
    file = BytesIO(sound.mp3(5))
    *deltas, done = openai.audio.transcriptions.create(model="gpt-4o-transcribe", file=file, stream=True)
    assert isinstance(done, TranscriptionTextDoneEvent)
    assert joined(each.delta for each in deltas if each.type == "transcript.text.delta") == done.text


def test_transcription_as_subtitles(openai: OpenAI) -> None:
    made = openai.audio.transcriptions.create(model="whisper-1", file=BytesIO(sound.mp3(5)), response_format="srt")
    assert str(made).startswith("1\n00:00:00,000 --> ")
