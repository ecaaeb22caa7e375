"""What the gateway adds to the answers of providers other than OpenAI."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mockserver.portkey.answers import chat
from mockserver.portkey.answers.decoration import decorated
from mockserver.portkey.answers.script import Said, SaidCall
from mockserver.values import Record
from tests.portkey.answers.given import CREATED, CountingIds, Judge, asked, chance, joined

THINKING: Record = {"thinking": {"type": "enabled"}}
BLOCKY = ["anthropic", "bedrock", "google", "vertex-ai"]


def answered(body: Record | None = None, said: Said | None = None) -> chat.Completion:
    return chat.answer(body or asked(), "claude-sonnet-4", chance().root, CountingIds(), CREATED, said)


def whole(provider: str, strict: bool, body: Record | None = None, said: Said | None = None) -> Any:
    return decorated(answered(body, said).as_json(), provider, strict)


def choices(provider: str, strict: bool, body: Record | None = None) -> list[Any]:
    chunks = [decorated(chunk, provider, strict) for chunk in answered(body).chunks(include_usage=True)]
    assert all((chunk.get("provider") == provider) == (provider != "openai") for chunk in chunks)
    return [choice for chunk in chunks for choice in chunk["choices"]]


@pytest.mark.parametrize("strict", [True, False])
def test_openai_stays_as_it_is(strict: bool) -> None:
    assert whole("openai", strict) == answered().as_json()


@pytest.mark.parametrize("provider", ["anthropic", "groq"])
def test_others_are_named(provider: str) -> None:
    assert whole(provider, True) == {**answered().as_json(), "provider": provider}


def test_bodies_without_choices_are_named_too() -> None:
    assert decorated({"object": "list", "data": []}, "cohere", False) == {"object": "list", "data": [], "provider": "cohere"}


@pytest.mark.parametrize("provider", BLOCKY)
def test_blocks_are_there_unless_strict(provider: str) -> None:
    message = whole(provider, False)["choices"][0]["message"]
    assert message["content_blocks"] == [{"type": "text", "text": message["content"]}]
    assert "content_blocks" not in whole(provider, True)["choices"][0]["message"]


def test_providers_without_blocks_have_none() -> None:
    assert "content_blocks" not in whole("groq", False, asked(**THINKING))["choices"][0]["message"]
    assert "content_blocks" not in whole("openai", False, asked(**THINKING))["choices"][0]["message"]


def test_thought_shows_unless_strict() -> None:
    assert [
        block["type"] for block in whole("anthropic", False, asked(**THINKING))["choices"][0]["message"]["content_blocks"]
    ] == [
        "thinking",
        "text",
    ]
    assert "content_blocks" not in whole("anthropic", True, asked(**THINKING))["choices"][0]["message"]


@pytest.mark.parametrize(
    ("provider", "reason", "word"),
    [
        ("anthropic", "stop", "end_turn"),
        ("anthropic", "length", "max_tokens"),
        ("anthropic", "tool_calls", "tool_use"),
        ("bedrock", "content_filter", "content_filtered"),
        ("google", "length", "MAX_TOKENS"),
        ("vertex-ai", "tool_calls", "STOP"),
        ("groq", "length", "length"),
        ("anthropic", "of_its_own", "of_its_own"),
    ],
)
def test_reason_is_the_providers_word_unless_strict(provider: str, reason: str, word: str) -> None:
    said = Said(text="Yes.", finish_reason=reason)
    assert whole(provider, False, said=said)["choices"][0]["finish_reason"] == word
    assert whole(provider, True, said=said)["choices"][0]["finish_reason"] == reason


def test_chunks_have_blocks_where_they_have_text() -> None:
    deltas = [choice["delta"] for choice in choices("anthropic", False)]
    assert joined(delta["content_blocks"][0]["delta"]["text"] for delta in deltas if "content_blocks" in delta) == (
        answered().choices[0].text
    )
    assert all(("content_blocks" in delta) == bool(delta.get("content")) for delta in deltas)


def test_chunks_of_a_thought_are_left_out_or_counted() -> None:
    open_, strict = choices("anthropic", False, asked(**THINKING)), choices("anthropic", True, asked(**THINKING))
    assert {block["index"] for choice in open_ for block in choice["delta"].get("content_blocks", [])} == {0, 1}
    assert all("content_blocks" not in choice["delta"] for choice in strict)
    assert joined(choice["delta"].get("content") for choice in strict) == answered(asked(**THINKING)).choices[0].text


def test_last_chunk_has_the_providers_reason() -> None:
    assert [each["finish_reason"] for each in choices("anthropic", False) if each["finish_reason"]] == ["end_turn"]


def test_what_is_given_stays_as_it_is() -> None:
    body = answered(asked(**THINKING)).as_json()
    before = copy.deepcopy(body)
    decorated(body, "anthropic", False)
    decorated(body, "anthropic", True)
    assert body == before


@pytest.mark.parametrize("provider", BLOCKY)
@pytest.mark.parametrize(
    "said", [None, Said(tool_calls=(SaidCall("look", {}),)), Said(refusal="No.")], ids=["text", "calls", "no"]
)
def test_decorated_reply_keeps_the_document(provider: str, said: Said | None, faults: Judge) -> None:
    assert faults("ChatCompletion", whole(provider, False, asked(**THINKING), said)) == []
