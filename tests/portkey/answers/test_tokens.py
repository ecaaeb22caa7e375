"""Tokens: pieces that are the text again, and counts that agree with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.portkey.answers import tokens
from mockserver.values import JSON, Record
from tests.portkey.answers.given import STEADY, texts

ENGLISH = (
    "As the days grow shorter, the green fades from the leaves and other colours come to show. "
    "Some of them were there all along; the reds are made anew, from sugar that the tree can no longer send down."
)


@STEADY
@given(texts)
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(tokens.pieces(text)) == text
    assert tokens.count(text) == len(tokens.pieces(text))


@STEADY
@given(texts, st.integers(0, 60))
def test_first_pieces_are_those_of_the_beginning(text: str, count: int) -> None:
    """So that cutting a text after so many tokens makes one of so many."""
    first = tokens.pieces(text)[:count]
    assert tokens.pieces("".join(first)) == first


@STEADY
@given(texts)
def test_pieces_are_never_empty(text: str) -> None:
    assert all(tokens.pieces(text))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hello, world!", ["Hello", ",", " world", "!"]),
        ("in 2026", ["in", " 202", "6"]),
        ("internationalisation", ["internat", "ionalisa", "tion"]),
        ("a\n\n  b", ["a", "\n\n", "  ", "b"]),
        ('{"a": 1}', ['{"', "a", '":', " 1", "}"]),
        ("首都", ["首", "都"]),
    ],
)
def test_pieces_follow_the_rule(text: str, pieces: list[str]) -> None:
    assert tokens.pieces(text) == pieces


def test_english_has_about_four_characters_a_token() -> None:
    assert 3.5 < len(ENGLISH) / tokens.count(ENGLISH) < 5.5


@STEADY
@given(st.lists(st.integers(0, 10**9), max_size=50))
def test_spelled_tokens_are_as_many(numbers: list[int]) -> None:
    assert tokens.count(tokens.spelled(numbers)) == len(numbers)


def test_numbers_stand_for_pieces() -> None:
    one, other, again = tokens.numbers(["red", " leaves", "red"])
    assert one == again != other
    assert max(one, other) < 50000


@pytest.mark.parametrize("stop", [None, [], "", [""]])
def test_no_stop_leaves_the_text(stop: JSON) -> None:
    assert tokens.stopped("one two three", stop) == "one two three"


@STEADY
@given(texts, st.one_of(texts, st.lists(texts, max_size=4)))
def test_stop_is_never_in_what_is_left(text: str, stop: str | list[str]) -> None:
    left = tokens.stopped(text, stop)
    assert text.startswith(left)
    assert not any(end and end in left for end in ([stop] if isinstance(stop, str) else stop))


# Conversations.


def counted(*messages: Record) -> int:
    return tokens.count_messages(messages)


def test_message_costs_its_text_and_its_frame() -> None:
    assert counted({"role": "user", "content": "Hello, world!"}) == 3 + 4 + 4
    assert counted() == 3


def test_name_costs() -> None:
    plain = {"role": "user", "content": "Hi"}
    assert counted({**plain, "name": "Ada"}) == counted(plain) + 2


@pytest.mark.parametrize(
    ("part", "cost"),
    [
        ({"type": "text", "text": "Hello, world!"}, 4),
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}, 85),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, 765),
        ({"type": "input_audio", "input_audio": {"data": "A" * 42000, "format": "wav"}}, 11),
        ({"type": "file", "file": {"file_id": "file-1"}}, 100),
        ({"type": "file", "file": {"file_data": "A" * 600}}, 101),
        ({"type": "refusal", "refusal": "I cannot"}, 2),
        ({"type": "thinking", "thinking": "Hello, world!"}, 4),
        ({"type": "redacted_thinking", "data": "AAAA"}, 0),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else None,
)
def test_parts_cost_by_their_kind(part: Record, cost: int) -> None:
    assert counted({"role": "user", "content": [part]}) == counted({"role": "user", "content": []}) + cost


def test_calls_cost_their_names_and_arguments() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
    empty = {"role": "assistant", "content": None}
    assert counted({**empty, "tool_calls": [call]}) == counted(empty) + 1 + 5
    assert counted({**empty, "function_call": call["function"]}) == counted(empty) + 1 + 5


def test_tools_and_forms_cost() -> None:
    assert tokens.count_tools({}) == 0
    assert tokens.count_tools({"tools": [{"type": "function", "function": {"name": "look"}}]}) > 5
    assert tokens.count_tools({"response_format": {"type": "json_object"}}) > 3
