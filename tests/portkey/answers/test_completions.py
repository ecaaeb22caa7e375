"""Completions: how texts are carried on, cut, counted and told in chunks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from mockserver.portkey.answers import completions, tokens
from mockserver.portkey.answers.script import Said
from mockserver.values import JSON, Record
from tests.portkey.answers.given import CREATED, STEADY, CountingIds, Judge, chance, joined, texts

PROMPT = "The three largest moons of Jupiter are"


def asked(prompt: JSON = PROMPT, **fields: JSON) -> Record:
    return {"prompt": prompt, **fields}


def answered(body: Record, said: Said | None = None, seed: int = 7) -> completions.TextCompletion:
    return completions.answer(body, "gpt-3.5-turbo-instruct", chance(seed), CountingIds(), CREATED, said)


def reply(body: Record, said: Said | None = None) -> Any:
    return answered(body, said).as_json()


def said(body: Record) -> list[str]:
    return [choice["text"] for choice in reply(body)["choices"]]


def test_same_request_gets_the_same_text() -> None:
    assert said(asked(max_tokens=50)) == said(asked(max_tokens=50, stream=True, user="ada", logprobs=2))
    assert answered(asked()).texts != answered(asked(), seed=8).texts


def test_reply_has_every_field() -> None:
    made = reply(asked())
    assert list(made) == ["id", "object", "created", "model", "system_fingerprint", "choices", "usage"]
    assert (made["id"], made["object"], made["created"]) == ("cmpl-0", "text_completion", CREATED)
    assert list(made["choices"][0]) == ["text", "index", "logprobs", "finish_reason"]


@pytest.mark.parametrize(("limit", "count"), [(None, 16), (0, 0), (3, 3)])
def test_limit_cuts_the_text(limit: int | None, count: int) -> None:
    made = reply(asked(max_tokens=limit))
    assert tokens.count(made["choices"][0]["text"]) == count == made["usage"]["completion_tokens"]
    assert made["choices"][0]["finish_reason"] == "length"


def test_text_ends_by_itself() -> None:
    made = reply(asked(max_tokens=1000))
    assert made["choices"][0]["finish_reason"] == "stop"
    assert made["choices"][0]["text"].endswith(".")


def test_stop_ends_the_text_before_it() -> None:
    (whole,) = said(asked(max_tokens=1000))
    assert said(asked(max_tokens=1000, stop=".")) == [whole.partition(".")[0]]


@pytest.mark.parametrize(
    ("prompt", "count", "read"),
    [
        (PROMPT, 1, tokens.count(PROMPT)),
        ([PROMPT, "Once upon a time"], 2, tokens.count(PROMPT) + 4),
        ([5, 6, 7], 1, 3),
        ([[5, 6], [7]], 2, 3),
        (None, 1, 0),
        ([], 1, 0),
    ],
    ids=str,
)
def test_each_prompt_has_its_texts(prompt: JSON, count: int, read: int) -> None:
    made = reply(asked(prompt, n=2))
    assert [choice["index"] for choice in made["choices"]] == list(range(2 * count))
    assert made["usage"]["prompt_tokens"] == read


def test_texts_of_a_prompt_do_not_depend_on_the_others() -> None:
    assert said(asked(["Once upon a time", PROMPT], n=2))[2:] == said(asked(n=2))


def test_best_of_counts_all_it_chose_from() -> None:
    assert said(asked(best_of=5, n=2)) == said(asked(n=2))
    assert reply(asked(best_of=5, n=2))["usage"]["completion_tokens"] == 5 * 16


def test_echo_repeats_the_prompt() -> None:
    assert said(asked(echo=True)) == [PROMPT + said(asked())[0]]
    assert reply(asked(echo=True))["usage"] == reply(asked())["usage"]


def test_echo_of_tokens_has_as_many() -> None:
    (made,) = said(asked([5, 6, 7], echo=True, max_tokens=0))
    assert tokens.count(made) == 3


def test_logprobs_are_those_of_the_text() -> None:
    (choice,) = reply(asked(logprobs=2))["choices"]
    told = choice["logprobs"]
    assert joined(told["tokens"]) == choice["text"]
    assert [choice["text"][at:][: len(token)] for at, token in zip(told["text_offset"], told["tokens"], strict=True)] == told[
        "tokens"
    ]
    assert [top[token] for top, token in zip(told["top_logprobs"], told["tokens"], strict=True)] == told["token_logprobs"]
    assert {len(top) for top in told["top_logprobs"]} == {2}


def test_first_token_of_a_prompt_has_no_likelihood() -> None:
    told = reply(asked(logprobs=1, echo=True))["choices"][0]["logprobs"]
    assert (told["token_logprobs"][0], told["top_logprobs"][0], told["tokens"][0]) == (None, None, "The")
    assert None not in told["token_logprobs"][1:]


def test_likelihoods_of_the_tokens_alone() -> None:
    told = reply(asked(logprobs=0))["choices"][0]["logprobs"]
    assert set(map(len, told["top_logprobs"])) == {0}
    assert len(told["token_logprobs"]) == 16


def test_script_has_the_last_word() -> None:
    made = reply(asked(max_tokens=1, n=2), Said(text=" Io, Europa, Ganymede.", usage={"prompt_tokens": 3}))
    assert {choice["text"] for choice in made["choices"]} == {" Io, Europa, Ganymede."}
    count = 2 * tokens.count(" Io, Europa, Ganymede.")
    assert made["usage"] == {"prompt_tokens": 3, "completion_tokens": count, "total_tokens": 3 + count}


def test_script_of_a_reason_leaves_the_text() -> None:
    assert reply(asked(), Said(finish_reason="content_filter"))["choices"][0]["finish_reason"] == "content_filter"


# Chunks.

BODIES = {
    "plain": asked(),
    "several": asked([PROMPT, "Once upon a time"], n=2, max_tokens=50),
    "echo": asked(echo=True, logprobs=2),
    "empty": asked(max_tokens=0),
    "likely": asked(logprobs=1, n=2),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_reply_keeps_the_document(body: Record, faults: Judge) -> None:
    assert faults("Completion", reply(body)) == []


@pytest.mark.parametrize("body", [body for name, body in BODIES.items() if name != "echo"], ids=str)
def test_reply_is_what_openai_sends(body: Record) -> None:
    """Its types have no null for the first token of a prompt, its documentation does."""
    Completion.model_validate(reply(body), strict=True)


@pytest.mark.parametrize("size", [None, 1, 4, 1000])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_chunks_put_together_are_the_reply(body: Record, size: int | None) -> None:
    made = answered(body)
    whole = made.as_json()
    put: dict[int, Record] = {}
    *chunks, last = made.chunks(include_usage=True, chunk_size=size)
    for chunk in chunks:
        assert (chunk["object"], chunk["usage"]) == ("text_completion", None)
        (choice,) = chunk["choices"]
        found = put.setdefault(choice["index"], {"text": "", "index": choice["index"], "told": {}, "finish_reason": None})
        assert found["finish_reason"] is None
        found["text"] += choice["text"]
        found["finish_reason"] = choice["finish_reason"]
        for name, values in (choice["logprobs"] or {}).items():
            found["told"].setdefault(name, []).extend(values)
    assert (last["choices"], last["usage"]) == ([], whole["usage"])
    for choice in whole["choices"]:
        found = put[choice["index"]]
        assert (found["text"], found["finish_reason"]) == (choice["text"], choice["finish_reason"])
        assert {name: values for name, values in (choice["logprobs"] or {}).items() if values} == found["told"]


def test_chunks_have_no_usage_unless_asked_for() -> None:
    assert all("usage" not in chunk for chunk in answered(asked()).chunks())


@STEADY
@given(texts, st.integers(0, 40), st.one_of(st.none(), texts, st.lists(texts, min_size=1, max_size=4)), st.booleans())
def test_limits_and_stops_hold(prompt: str, limit: int, stop: Any, echo: bool) -> None:
    made = answered(asked(prompt, max_tokens=limit, stop=stop, echo=echo))
    text = joined(made.texts[0].pieces)
    assert tokens.count(text) <= limit
    assert not any(end in text for end in ([stop] if isinstance(stop, str) else stop or []) if end)
    assert made.as_json()["choices"][0]["text"] == (prompt if echo else "") + text
