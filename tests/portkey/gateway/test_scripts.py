"""What models answer when a test says so. All of it is *chosen*; docs/gateway.md tells it to users."""

from __future__ import annotations

from datetime import timedelta

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
    SCRIPTS,
    ask,
    asker,
    chunks,
    error,
    log,
    said,
    script,
    send,
    told,
    used,
    watch,
)
from tests.portkey.team import read

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "tide",
            "parameters": {"type": "object", "required": ["at"], "properties": {"at": {"type": "string"}}},
        },
    }
]


def scripted(reply: httpx.Response) -> bool:
    return said(reply) == "Scripted."


# The admin API


def test_script_is_shown_as_it_was_set(client: Client) -> None:
    given = {"match": {"model": "m*"}, "answer": {"text": "Hi"}, "delay_ms": 5, "times": 2, "priority": 3}
    reply = client.post(SCRIPTS, given)
    shown = {**given, "id": "script-1", "matched": 0, "used": 0}
    assert (reply.status_code, reply.json()) == (201, shown)
    assert read(client, f"{SCRIPTS}/script-1") == shown
    assert read(client, SCRIPTS) == {"scripts": [shown]}


def test_scripts_are_listed_in_the_order_of_their_trial(client: Client) -> None:
    for priority in (0, 5, 0):
        script(client, priority=priority)
    assert [each["id"] for each in read(client, SCRIPTS)["scripts"]] == ["script-2", "script-3", "script-1"]


def test_script_is_forgotten(client: Client) -> None:
    script_id = script(client)
    assert client.delete(f"{SCRIPTS}/{script_id}").status_code == 200
    assert client.get(f"{SCRIPTS}/{script_id}").status_code == 404
    assert client.delete(f"{SCRIPTS}/{script_id}").status_code == 404
    assert not scripted(ask(client))


def test_all_scripts_are_forgotten(client: Client) -> None:
    script(client)
    script(client)
    assert client.delete(SCRIPTS).status_code == 200
    assert read(client, SCRIPTS) == {"scripts": []}


def test_id_is_not_given_again(client: Client) -> None:
    client.delete(f"{SCRIPTS}/{script(client)}")
    assert script(client) == "script-2"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"answer": {"text": "a", "refusal": "b"}}, "/answer/refusal"),
        ({"answer": {"text": "a", "error": {"status": 500}}}, "/answer/error"),
        ({"answer": {"error": {}}}, "/answer/error"),
        ({"answer": {"error": {"status": 200}}}, "/answer/error/status"),
        ({"answer": {"tool_calls": []}}, "/answer/tool_calls"),
        ({"answer": {"text": "a"}, "match": {"last_message_regex": "("}}, "/match/last_message_regex"),
        ({"answer": {"text": "a"}, "match": {"modell": "m"}}, "/match"),
        ({"answer": {"text": "a"}, "times": 0}, "/times"),
        ({"answer": {"text": "a"}, "delay_ms": -1}, "/delay_ms"),
    ],
)
def test_script_that_cannot_be_is_refused(client: Client, body: Record, pointer: str) -> None:
    reply = client.post(SCRIPTS, body)
    assert reply.status_code == 400
    assert any(violation["pointer"].startswith(pointer) for violation in reply.json()["violations"]), reply.text
    assert read(client, SCRIPTS) == {"scripts": []}


def test_scripts_belong_to_their_world(client: Client) -> None:
    script(client)
    other = Client(client.app, f"{client.world_name}-other")
    try:
        assert read(other, SCRIPTS) == {"scripts": []}
    finally:
        client.app.worlds.delete(other.world_name)


# What they fit


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"operation": "createChatCompletion"}, True),
        ({"operation": "createCompletion"}, False),
        ({"provider": "openai"}, True),
        ({"provider": SEEDED}, True),
        ({"provider": "anthropic"}, False),
        ({"model": "gpt-4o"}, True),
        ({"model": "gpt-*"}, True),
        ({"model": "*"}, True),
        ({"model": "gpt"}, False),
        ({"model": "gpt-4?"}, False),
        ({"model": "gpt-4[o]"}, False),
        ({"target": "config"}, True),
        ({"target": "config.targets[0]"}, False),
        ({"last_message": "tide"}, True),
        ({"last_message": "Tide"}, False),
        ({"last_message_regex": "^When.*tide"}, True),
        ({"last_message_regex": "^tide"}, False),
        ({"tool_result": "tide"}, False),
        ({"tool_result": ""}, False),
        ({"call": 1}, True),
        ({"call": 2}, False),
        ({"provider": "openai", "model": "gpt-4o", "last_message": "tide"}, True),
        ({"provider": "openai", "model": "other", "last_message": "tide"}, False),
    ],
)
def test_what_a_script_fits(client: Client, match: Record, fits: bool) -> None:
    script(client, match=match)
    reply = ask(asker(client), {"provider": f"@{SEEDED}"}, say="When is the next tide?")
    assert scripted(reply) is fits


def test_script_fits_the_target_of_a_config(client: Client) -> None:
    script(client, match={"target": "config.targets[1]"})
    config = {"strategy": {"mode": "loadbalance"}, "targets": [{**OPENAI, "weight": 0}, OPENAI]}
    assert scripted(ask(client, config))


def test_script_fits_the_model_that_the_provider_gets(client: Client) -> None:
    script(client, match={"model": "over"})
    assert scripted(ask(client, {**OPENAI, "override_params": {"model": "over"}}, model="@any/m"))


@pytest.mark.parametrize(("result", "fits"), [("High at noon", True), ("Low", False)])
def test_script_fits_the_result_of_a_tool(client: Client, result: str, fits: bool) -> None:
    script(client, match={"tool_result": "noon"})
    call = {"id": "call_1", "type": "function", "function": {"name": "tide", "arguments": "{}"}}
    messages: list[Record] = [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": result},
    ]
    assert scripted(ask(client, messages=messages)) is fits


@pytest.mark.parametrize(
    ("route", "body"),
    [(COMPLETIONS, {"model": "m", "prompt": "the tide"}), (EMBEDDINGS, {"model": "m", "input": ["a", "the tide"]})],
)
def test_script_fits_other_texts(client: Client, route: str, body: Record) -> None:
    script(client, {"error": {"status": 429}}, {"last_message": "tide"})
    assert send(client, route, body).status_code == 429


# Which one is used


def test_nth_call_is_meant(client: Client) -> None:
    script(client, match={"call": 2, "model": "gpt-4o"})
    assert [scripted(ask(client, model=model)) for model in ("gpt-4o", "other", "gpt-4o", "gpt-4o")] == [
        False, False, True, False,
    ]  # fmt: skip


def test_script_is_used_so_many_times(client: Client) -> None:
    script_id = script(client, times=2)
    assert [scripted(ask(client)) for _ in range(3)] == [True, True, False]
    shown = read(client, f"{SCRIPTS}/{script_id}")
    assert (shown["matched"], shown["used"]) == (2, 2)


def test_newest_of_several_is_used(client: Client) -> None:
    script(client, "Old.")
    script(client, "New.", times=1)
    assert [said(ask(client)) for _ in range(2)] == ["New.", "Old."]


def test_priority_beats_age(client: Client) -> None:
    script(client, "First.", priority=1)
    script(client, "Newest.")
    assert said(ask(client)) == "First."


def test_script_behind_another_counts_what_fits_it(client: Client) -> None:
    """So that the third call is the third, whoever answered the others."""
    script(client, "Third.", {"call": 3})
    script(client, "First two.", times=2)
    assert [said(ask(client)) for _ in range(3)] == ["First two.", "First two.", "Third."]


def test_each_attempt_is_a_call(client: Client) -> None:
    script(client, {"error": {"status": 500}}, {"call": 1})
    reply = ask(client, {**OPENAI, "retry": {"attempts": 1}})
    assert (reply.status_code, told(reply, "retry-attempt-count")) == (200, "1")


def test_refused_call_uses_nothing(client: Client) -> None:
    script_id = script(client)
    ask(client, "pc-nobody")
    ask(client, messages="none")
    assert used(client, script_id) == 0


# What they answer


def test_text_of_a_completion(client: Client) -> None:
    script(client)
    assert send(client, COMPLETIONS, {"model": "m", "prompt": "Hi"}).json()["choices"][0]["text"] == "Scripted."


def test_usage_and_reason_go_with_a_text(client: Client) -> None:
    answer = {"text": "Cut", "finish_reason": "length", "usage": {"prompt_tokens": 100, "completion_tokens": 50}}
    script(client, answer)
    body = ask(client).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert [body["usage"][name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")] == [100, 50, 150]
    assert log(client)["metrics"]["total_units"] == 150


def test_refusal(client: Client) -> None:
    script(client, {"refusal": "I cannot."})
    message = ask(client).json()["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "I cannot.")


def test_tool_calls(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "tide", "arguments": {"at": "noon"}}, {"name": "tide"}]})
    (choice,) = ask(client, tools=TOOLS).json()["choices"]
    calls = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert [call["function"]["name"] for call in calls] == ["tide", "tide"]
    assert calls[0]["function"]["arguments"].replace(" ", "") == '{"at":"noon"}'
    assert '"at"' in calls[1]["function"]["arguments"]
    assert len({call["id"] for call in calls}) == 2


def test_streamed_text(client: Client) -> None:
    script(client, "One two three four five.", chunk_size=2)
    small = chunks(ask(client, stream=True))
    script(client, "One two three four five.", chunk_size=1000)
    large = chunks(ask(client, stream=True))
    for found in (small, large):
        text = "".join(choice["delta"].get("content") or "" for chunk in found for choice in chunk["choices"])
        assert text == "One two three four five."
    assert len(small) > len(large)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 412, 413, 415, 429, 500, 502, 503, 504, 529])
def test_failure(client: Client, status: int) -> None:
    failure = {"status": status, "message": "No.", "type": "mine", "code": "c", "param": "p"}
    script(client, {"error": failure})
    found = error(ask(client), status)
    assert found == {"message": "No.", "type": "mine", "code": "c", "param": "p"}


def test_failure_of_another_provider_names_it(client: Client) -> None:
    script(client, {"error": {"status": 500, "message": "No."}})
    body = ask(client, ANTHROPIC).json()
    assert (body["error"]["message"], body["provider"]) == ("anthropic error: No.", "anthropic")


def test_failure_beside_chat_names_openai(client: Client) -> None:
    script(client, {"error": {"status": 500, "message": "No."}})
    body = send(client, EMBEDDINGS, {"model": "m", "input": "Hi"}, OPENAI).json()
    assert (body["error"]["message"], body["provider"]) == ("openai error: No.", "openai")


@pytest.mark.parametrize(("wait_s", "seconds", "milliseconds"), [(7, "7", None), (0, "0", None), (2.5, "3", "2500")])
def test_failure_may_tell_when_to_come_back(client: Client, wait_s: float, seconds: str, milliseconds: str | None) -> None:
    script(client, {"error": {"status": 429, "retry_after": wait_s}})
    headers = ask(client).headers
    assert (headers["retry-after"], headers.get("retry-after-ms")) == (seconds, milliseconds)


def test_failure_has_words_of_its_own(client: Client) -> None:
    script(client, {"error": {"status": 429}})
    assert error(ask(client), 429)["type"] == "requests"


def test_failed_stream_is_json(client: Client) -> None:
    script(client, {"error": {"status": 503}})
    reply = ask(client, stream=True)
    assert (reply.status_code, reply.headers["content-type"]) == (503, "application/json")


# When they answer


def test_answer_waits_for_the_worlds_clock(client: Client) -> None:
    script(client, delay_ms=3000)
    sent = watch(client, {}, 0.5)
    assert sent.status == 200
    assert 3 <= sent.pieces[0][0] < 8


def test_answer_does_not_come_while_time_stands_still(client: Client) -> None:
    script(client, delay_ms=3000)
    sent = watch(client, {}, 0.5, limit_s=2)
    assert (sent.status, sent.pieces) == (0, [])


def test_chunks_keep_their_distance(client: Client) -> None:
    script(client, "One two three.", chunk_size=1, delay_ms=1000, chunk_delay_ms=2000)
    sent = watch(client, {"stream": True}, 1)
    assert sent.is_complete
    assert len(sent.pieces) > 4
    assert all(at_s >= 1 + 2 * number for number, (at_s, _) in enumerate(sent.pieces))
    assert sent.pieces[-1][1] == b"data: [DONE]\n\n"


def test_delays_of_retries_add_up(client: Client) -> None:
    script(client, {"error": {"status": 500}}, delay_ms=2000, times=1)
    script(client, delay_ms=2000, priority=-1)
    client.headers["x-portkey-config"] = '{"provider":"openai","api_key":"k","retry":{"attempts":1}}'
    assert watch(client, {}, 0.5).pieces[0][0] >= 4


def test_delay_shows_in_the_log(client: Client) -> None:
    client.world.clock.run()
    script(client)
    ask(client)
    before = log(client)["metrics"]["response_time"]
    script(client, delay_ms=20)
    ask(client)
    assert log(client)["metrics"]["response_time"] == before + 20


@pytest.mark.parametrize("after", [0, 1, 3])
def test_stream_is_cut(client: Client, after: int) -> None:
    script(client, "One two three four five.", chunk_size=1, cut_after=after)
    sent = watch(client, {"stream": True}, 1)
    assert (len(sent.pieces), sent.is_complete) == (after, False)


def test_clock_may_be_moved_meanwhile_by_another_call(client: Client) -> None:
    """The world's clock counts, however it gets there."""
    script(client, delay_ms=86_400_000)
    client.world.clock.move(timedelta(days=-1))
    assert watch(client, {}, 50_000, 200_000).status == 200


def test_world_with_scripts_is_still_told_by_its_seed(client: Client) -> None:
    script(client, "Old.")
    other = Client(client.app, f"{client.world_name}-twin")
    other.world.clock.freeze(client.world.clock.now())
    try:
        script(other, "Old.")
        assert ask(client).text == ask(other).text
    finally:
        client.app.worlds.delete(other.world_name)
