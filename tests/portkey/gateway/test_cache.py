"""What the cache answers, and for how long. Source: gateway-data-plane, Cache."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED
from tests.portkey.gateway.calling import (
    ANTHROPIC,
    COMPLETIONS,
    EMBEDDINGS,
    OPENAI,
    ask,
    asker,
    cached,
    chunks,
    fail,
    log,
    script,
    send,
    used,
)
from tests.portkey.team import make_key, read_key

SIMPLE: Record = {**OPENAI, "cache": {"mode": "simple"}}
SEMANTIC: Record = {**OPENAI, "cache": {"mode": "semantic"}}
OTHER: Record = {**ANTHROPIC, "cache": {"mode": "simple"}}
SYSTEM: Record = {"role": "system", "content": "Be brief."}


def statuses(*replies: httpx.Response) -> list[str | None]:
    return [cached(reply) for reply in replies]


def later(client: Client, seconds: float) -> None:
    client.world.clock.move(timedelta(seconds=seconds))


def test_hit_replays_the_answer(client: Client) -> None:
    asked = script(client)
    first, second = ask(client, SIMPLE), ask(client, SIMPLE)
    assert statuses(first, second) == ["MISS", "HIT"]
    assert second.json() == first.json()
    assert (second.status_code, used(client, asked)) == (200, 1)


def test_call_without_cache_is_disabled(client: Client) -> None:
    assert statuses(ask(client, SIMPLE), ask(client, OPENAI)) == ["MISS", "DISABLED"]


@pytest.mark.parametrize(
    "change",
    [{"say": "Goodbye"}, {"model": "gpt-4o-mini"}, {"temperature": 0.5}, {"stream": True}, {"config": OTHER}],
    ids=["text", "model", "parameter", "stream", "provider"],
)
def test_other_calls_miss(client: Client, change: Record) -> None:
    ask(client, SIMPLE)
    assert cached(ask(client, **{"config": SIMPLE, **change})) == "MISS"


def test_body_counts_as_the_provider_gets_it(client: Client) -> None:
    ask(client, SIMPLE, model="m")
    assert cached(ask(client, {**SIMPLE, "override_params": {"model": "m"}}, model="other")) == "HIT"


def test_usual_model_counts_like_a_missing_one(client: Client) -> None:
    ask(client, SIMPLE, model=None)
    assert cached(ask(client, SIMPLE, model="portkey-default")) == "HIT"


def test_keys_share_the_cache(client: Client) -> None:
    assert statuses(ask(asker(client), SIMPLE), ask(asker(client, workspace_id="ws-resear-c52d88"), SIMPLE)) == ["MISS", "HIT"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"metadata": '{"a":"1"}'}, {"metadata": '{"a":"1"}'}, "HIT"),
        ({"metadata": '{"a":"1"}'}, {"metadata": '{"a":"2"}'}, "MISS"),
        ({"metadata": '{"a":"1"}'}, {}, "MISS"),
        ({"cache-namespace": "x"}, {"cache-namespace": "x"}, "HIT"),
        ({"cache-namespace": "x"}, {"cache-namespace": "y"}, "MISS"),
        # With a namespace metadata does not count.
        ({"cache-namespace": "x", "metadata": '{"a":"1"}'}, {"cache-namespace": "x", "metadata": '{"a":"2"}'}, "HIT"),
    ],
)
def test_spaces(client: Client, first: dict[str, str], second: dict[str, str], expected: str) -> None:
    for headers in (first, second):
        reply = ask(client, SIMPLE, headers={f"x-portkey-{name}": value for name, value in headers.items()})
    assert cached(reply) == expected


# Age


def aged(seconds: int | None) -> Record:
    return {**OPENAI, "cache": {"mode": "simple", **({} if seconds is None else {"max_age": seconds})}}


@pytest.mark.parametrize(
    ("max_age", "length_s"),
    [(60, 60), (3600, 3600), (7_776_000, 7_776_000), (None, 604_800), (59, 604_800), (10, 604_800), (7_776_001, 604_800)],
)
def test_age(client: Client, max_age: int | None, length_s: int) -> None:
    """Outside 60 to 7,776,000 seconds it is a week."""
    ask(client, aged(max_age))
    later(client, length_s - 1)
    assert cached(ask(client, aged(max_age))) == "HIT"
    later(client, 1)
    assert statuses(ask(client, aged(max_age)), ask(client, aged(max_age))) == ["MISS", "HIT"]


@pytest.mark.parametrize(("max_age", "said", "length_s"), [(None, 120, 120), (300, 120, 300), (None, 5, 604_800)])
def test_request_may_say_the_age(client: Client, max_age: int | None, said: int, length_s: int) -> None:
    headers = {"cache-control": f"no-transform, max-age={said}"}
    ask(client, aged(max_age), headers=headers)
    later(client, length_s - 1)
    assert cached(ask(client, aged(max_age))) == "HIT"
    later(client, 1)
    assert cached(ask(client, aged(max_age))) == "MISS"


# Refresh


@pytest.mark.parametrize("said", ["true", "True"])
def test_refresh_asks_again_and_keeps_the_answer(client: Client, said: str) -> None:
    script(client, "New.")
    script(client, "Old.", times=1)
    replies = [ask(client, SIMPLE), ask(client, SIMPLE, headers={"x-portkey-cache-force-refresh": said}), ask(client, SIMPLE)]
    assert statuses(*replies) == ["MISS", "REFRESH", "HIT"]
    assert [reply.json()["choices"][0]["message"]["content"] for reply in replies] == ["Old.", "New.", "New."]


def test_refresh_without_cache_is_disabled(client: Client) -> None:
    assert cached(ask(client, OPENAI, headers={"x-portkey-cache-force-refresh": "true"})) == "DISABLED"


def test_refresh_that_fails_leaves_nothing(client: Client) -> None:
    ask(client, SIMPLE)
    fail(client, 500, times=1)
    ask(client, SIMPLE, headers={"x-portkey-cache-force-refresh": "true"})
    assert cached(ask(client, SIMPLE)) == "MISS"


# What is kept


def test_failures_are_not_kept(client: Client) -> None:
    fail(client, 500, times=1)
    assert statuses(ask(client, SIMPLE), ask(client, SIMPLE), ask(client, SIMPLE)) == ["MISS", "MISS", "HIT"]


@pytest.mark.parametrize("side", ["input_guardrails", "output_guardrails"])
def test_answers_that_a_guardrail_failed_on_are_not_kept(client: Client, side: str) -> None:
    config: Record = {**SIMPLE, side: [{"default.contains": {"operator": "any", "words": ["no such word"]}}]}
    first, second = ask(client, config), ask(client, config)
    assert [first.status_code, second.status_code] == [246, 246]
    assert statuses(first, second) == ["MISS", "MISS"]


def test_hook_results_are_not_kept(client: Client) -> None:
    passing: Record = {"default.contains": {"operator": "any", "words": ["Hello"]}}
    assert "hook_results" in ask(client, {**SIMPLE, "input_guardrails": [passing]}).json()
    reply = ask(client, SIMPLE)
    assert cached(reply) == "HIT"
    assert "hook_results" not in reply.json()


def test_hit_with_a_failing_input_guardrail_is_a_246(client: Client) -> None:
    ask(client, SIMPLE)
    failing: Record = {"default.contains": {"operator": "none", "words": ["Hello"]}}
    reply = ask(client, {**SIMPLE, "input_guardrails": [failing], "output_guardrails": [failing]})
    assert (reply.status_code, cached(reply)) == (246, "HIT")
    assert [len(found) for found in reply.json()["hook_results"].values()] == [1, 0]


@pytest.mark.parametrize(
    ("route", "body", "expected"),
    [
        (COMPLETIONS, {"model": "m", "prompt": "Hi"}, "HIT"),
        (EMBEDDINGS, {"model": "m", "input": "Hi"}, "HIT"),
        ("/v1/images/generations", {"model": "dall-e-3", "prompt": "A tide"}, "HIT"),
        ("/v1/audio/speech", {"model": "tts-1", "input": "Hi", "voice": "alloy"}, "DISABLED"),
    ],
)
def test_what_can_be_kept(client: Client, route: str, body: Record, expected: str) -> None:
    send(client, route, body, SIMPLE)
    reply = send(client, route, body, SIMPLE)
    assert (reply.status_code, cached(reply)) == (200, expected), reply.text[:300]


def test_files_are_never_kept(client: Client) -> None:
    config = '{"provider":"openai","api_key":"k","cache":{"mode":"simple"}}'
    for route, form in (
        ("/v1/images/edits", {"image": ("a.png", b"\x89PNG", "image/png"), "prompt": (None, "A tide")}),
        ("/v1/audio/transcriptions", {"file": ("a.wav", b"RIFF"), "model": (None, "whisper-1")}),
    ):
        replies = [client.call("POST", route, files=form, headers={"x-portkey-config": config}) for _ in range(2)]
        assert [(reply.status_code, cached(reply)) for reply in replies] == [(200, "DISABLED")] * 2


# Streams


def test_streamed_hit_has_chunks_of_its_own(client: Client) -> None:
    text = "tide " * 250
    script(client, text)
    streams: list[list[Record]] = []
    for expected in ("MISS", "HIT"):
        reply = ask(client, SIMPLE, stream=True)
        assert (reply.status_code, cached(reply)) == (200, expected)
        assert reply.text.endswith("data: [DONE]\n\n")
        streams.append(chunks(reply))
    slices, end = streams[1][:-1], streams[1][-1]
    assert [len(each["choices"][0]["delta"]["content"]) for each in slices] == [500, 500, 250]
    assert "".join(each["choices"][0]["delta"]["content"] for each in slices) == text
    assert all(each["choices"][0]["delta"]["role"] == "assistant" for each in slices)
    assert all(each["provider"] == "openai" and each["usage"]["completion_tokens"] for each in streams[1])
    assert (end["choices"][0]["delta"], end["choices"][0]["finish_reason"]) == ({}, "stop")
    assert {each["id"] for each in streams[1]} == {streams[0][0]["id"]}


def test_streamed_hit_tells_tool_calls_in_two_chunks(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "tide", "arguments": {"at": "noon"}}]})
    tools = [{"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}}}]
    ask(client, SIMPLE, stream=True, tools=tools)
    reply = ask(client, SIMPLE, stream=True, tools=tools)
    assert cached(reply) == "HIT"
    calls = [each["choices"][0]["delta"]["tool_calls"][0] for each in chunks(reply)[:-1]]
    assert [call["function"].get("name") for call in calls] == ["tide", None]
    assert [call["function"]["arguments"].replace(" ", "") for call in calls] == ["", '{"at":"noon"}']
    assert chunks(reply)[-1]["choices"][0]["finish_reason"] == "tool_calls"


# By meaning


def asked(client: Client, *messages: Record | str, **fields: Any) -> str | None:
    shown = [each if isinstance(each, dict) else {"role": "user", "content": each} for each in messages]
    return cached(ask(client, SEMANTIC, messages=shown, **fields))


def test_same_call_is_a_plain_hit(client: Client) -> None:
    assert [asked(client, SYSTEM, "When is the tide?") for _ in range(2)] == ["SEMANTIC MISS", "HIT"]


def test_same_meaning_hits(client: Client) -> None:
    """*chosen*: the same words stand for the same meaning."""
    first = asked(client, SYSTEM, "When is the tide?")
    assert [first, asked(client, SYSTEM, "when is the tide")] == ["SEMANTIC MISS", "SEMANTIC HIT"]


def test_first_message_does_not_count(client: Client) -> None:
    asked(client, SYSTEM, "When is the tide?")
    assert asked(client, {"role": "system", "content": "Be long."}, "When is the tide?") == "SEMANTIC HIT"


@pytest.mark.parametrize("change", [{"temperature": 0.1}, {"model": "gpt-4o-mini"}, {"stream": True}])
def test_other_parameters_miss(client: Client, change: Record) -> None:
    asked(client, SYSTEM, "When is the tide?")
    assert asked(client, SYSTEM, "when is the tide", **change) == "SEMANTIC MISS"


def test_other_meaning_misses(client: Client) -> None:
    asked(client, SYSTEM, "When is the tide?")
    assert asked(client, SYSTEM, "Who wrote the play?") == "SEMANTIC MISS"


@pytest.mark.parametrize(
    "messages",
    [[SYSTEM, "a", "b", "c", "d"], [SYSTEM, {"role": "assistant", "content": "a"}]],
    ids=["five messages", "nobody asks"],
)
def test_what_has_no_meaning_is_compared_exactly(client: Client, messages: list[Any]) -> None:
    assert [asked(client, *messages) for _ in range(2)] == ["MISS", "HIT"]


def test_embeddings_are_compared_exactly(client: Client) -> None:
    for expected, text in (("MISS", "When is the tide?"), ("HIT", "When is the tide?"), ("MISS", "when is the tide")):
        assert cached(send(client, EMBEDDINGS, {"model": "m", "input": text}, SEMANTIC)) == expected


def test_semantic_hits_grow_old_too(client: Client) -> None:
    asked(client, SYSTEM, "When is the tide?")
    later(client, 604_800)
    assert asked(client, SYSTEM, "when is the tide") == "SEMANTIC MISS"


# What a hit costs


def test_hit_uses_no_budget(client: Client) -> None:
    made = make_key(client, scopes=["completions.write"], usage_limits={"type": "tokens", "credit_limit": 100_000})
    caller = client.as_key(made.secret)
    config = {"provider": f"@{SEEDED}", "cache": {"mode": "simple"}}
    tokens = ask(caller, config).json()["usage"]["total_tokens"]
    ask(caller, config)
    assert read_key(client, made.id)["usage_limits"]["current_usage"] == tokens


def test_hit_costs_nothing_and_tells_what_it_saved(client: Client) -> None:
    ask(client, SIMPLE)
    cost = log(client)["metrics"]["cost"]
    assert cost > 0
    ask(client, SIMPLE)
    metrics = log(client)["metrics"]
    assert (metrics["cost"], metrics["cache_status"], metrics["cache_type"], metrics["response_time"]) == (
        0,
        "HIT",
        "simple",
        0,
    )


def test_cache_belongs_to_its_world(client: Client) -> None:
    ask(client, SIMPLE)
    other = Client(client.app, f"{client.world_name}-other")
    try:
        assert cached(ask(other, SIMPLE)) == "MISS"
    finally:
        client.app.worlds.delete(other.world_name)
