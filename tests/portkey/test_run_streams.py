"""Runs told event by event. Source of every rule that names none: gateway-data-plane, /threads/.../runs and steps (SSE)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import Client
from tests.portkey.desk import (
    FIND_TIDE,
    OTHER,
    QUESTION,
    THREADS,
    calls_of,
    events,
    later,
    make_assistant,
    make_thread,
    messages_of,
    names,
    now,
    path_of,
    steps_of,
    submit,
    text_of,
    waiting,
)
from tests.portkey.gateway.calling import fail, script, watch
from tests.portkey.team import read

OPENING = ["run.created", "run.queued", "run.in_progress"]
STEP = ["run.step.created", "run.step.in_progress"]
MESSAGE = ["message.created", "message.in_progress", "message.delta", "message.completed", "run.step.completed"]


def streamed(client: Client, thread_id: str = "", tools: list[Any] | None = None, **fields: Any) -> list[tuple[str, Any]]:
    """The events of a run."""
    assistant = make_assistant(client, tools=tools or [])
    thread_id = thread_id or make_thread(client, QUESTION)
    body = {"assistant_id": assistant["id"], "stream": True, **fields}
    return events_of(client.post(f"{THREADS}/{thread_id}/runs", body))


def events_of(reply: httpx.Response) -> list[tuple[str, Any]]:
    assert reply.status_code == 200, reply.text[:500]
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    return events(reply.text)


def said_in(found: list[tuple[str, Any]]) -> list[str]:
    """The texts of the deltas of a message."""
    return [data["delta"]["content"][0]["text"]["value"] for name, data in found if name == "thread.message.delta"]


def test_an_answer_is_told_in_order(client: Client) -> None:
    found = streamed(client)
    assert names(found) == [*OPENING, *STEP, *MESSAGE, "run.completed", "done"]
    assert found[-1] == ("done", "[DONE]")


def test_deltas_add_up_to_the_message(client: Client) -> None:
    found = streamed(client)
    told = dict(found)
    message = told["thread.message.completed"]
    assert "".join(said_in(found)) == text_of(message)
    assert told["thread.message.created"]["content"] == []
    assert told["thread.message.delta"]["id"] == message["id"]
    assert messages_of(client, message["thread_id"])[-1] == message


def test_a_stream_tells_what_the_plain_run_is(client: Client) -> None:
    told = dict(streamed(client))
    run, step = told["thread.run.completed"], told["thread.run.step.completed"]
    assert now(client, run) == run
    assert steps_of(client, run) == [step]
    assert run["usage"]["completion_tokens"] == len(said_in(streamed(client)))


def test_a_stream_takes_no_time(client: Client) -> None:
    """*chosen*: a clock that stands still must not hold it up."""
    told = dict(streamed(client))
    assert told["thread.run.completed"]["completed_at"] == told["thread.run.created"]["created_at"]
    assert not client.world.agenda


def test_functions_are_told_in_order(client: Client) -> None:
    found = streamed(client, tools=[FIND_TIDE], tool_choice="required")
    assert names(found) == [*OPENING, *STEP, "run.step.delta", "run.requires_action", "done"]
    deltas = [data["delta"]["step_details"]["tool_calls"][0] for name, data in found if name == "thread.run.step.delta"]
    run = dict(found)["thread.run.requires_action"]
    (call,) = calls_of(run)
    assert (deltas[0]["index"], deltas[0]["id"], deltas[0]["function"]["name"]) == (0, call["id"], "find_tide")
    assert "".join(delta["function"]["arguments"] for delta in deltas) == call["function"]["arguments"]
    assert now(client, run)["status"] == "requires_action"


def test_several_functions_have_indexes(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "find_tide"}, {"name": "find_moon"}]}, {"call": 1})
    found = streamed(client, tools=[FIND_TIDE, OTHER])
    deltas = [data["delta"]["step_details"]["tool_calls"][0] for name, data in found if name == "thread.run.step.delta"]
    assert [delta["index"] for delta in deltas if "id" in delta] == [0, 1]


def test_outputs_go_on_with_the_stream(client: Client) -> None:
    run = waiting(client)
    found = events_of(submit(client, run, "12:40", stream=True))
    going_on = ["run.step.completed", "run.queued", "run.in_progress"]
    assert names(found) == [*going_on, *STEP, *MESSAGE, "run.completed", "done"]
    assert found[0][1]["step_details"]["tool_calls"][0]["function"]["output"] == "12:40"
    assert "12:40" in "".join(said_in(found))


def test_thread_and_run_tell_of_the_thread_first(client: Client) -> None:
    assistant = make_assistant(client)
    thread = {"messages": [{"role": "user", "content": QUESTION}]}
    found = events_of(client.post(f"{THREADS}/runs", {"assistant_id": assistant["id"], "thread": thread, "stream": True}))
    assert names(found) == ["created", *OPENING, *STEP, *MESSAGE, "run.completed", "done"]
    assert read(client, f"{THREADS}/{found[0][1]['id']}") == found[0][1]


def test_tools_of_the_provider_are_a_step_before(client: Client) -> None:
    code = [{"type": "code_interpreter"}]
    found = streamed(client, tools=code, tool_choice=code[0])
    using = [*STEP, "run.step.delta", "run.step.completed"]
    assert names(found) == [*OPENING, *using, *STEP, *MESSAGE, "run.completed", "done"]


@pytest.mark.parametrize("status", [500, 429])
def test_a_failure_ends_in_an_error(client: Client, status: int) -> None:
    """The names are the published ones; *chosen*: both events, the run's and the error, in this order."""
    assistant, thread_id = make_assistant(client), make_thread(client, QUESTION)
    fail(client, status, message="Not now.")
    found = events_of(client.post(f"{THREADS}/{thread_id}/runs", {"assistant_id": assistant["id"], "stream": True}))
    assert names(found) == [*OPENING, "run.failed", "error", "done"]
    error = dict(found)["error"]
    assert error.keys() == {"code", "message", "param", "type"}
    assert error["message"] == dict(found)["thread.run.failed"]["last_error"]["message"] == "Not now."


def test_an_answer_that_is_cut_is_incomplete(client: Client) -> None:
    script(client, {"text": "At no", "finish_reason": "length"})
    found = streamed(client)
    assert names(found)[-4:] == ["message.incomplete", "run.step.completed", "run.incomplete", "done"]


def test_chunks_have_the_size_of_the_script(client: Client) -> None:
    script(client, "The next tide comes in at noon.", chunk_size=4)
    assert said_in(streamed(client)) == ["The next tide comes", " in at noon."]


def test_events_come_at_the_pace_of_the_script(client: Client) -> None:
    """Each event is a chunk, as in chat."""
    script(client, "One two", chunk_delay_ms=1000)
    assistant, thread_id = make_assistant(client), make_thread(client, QUESTION)
    body = {"assistant_id": assistant["id"], "stream": True}
    sent = watch(client, body, 1, path=f"{THREADS}/{thread_id}/runs")
    found = events(b"".join(piece for _, piece in sent.pieces).decode())
    assert names(found)[-2:] == ["run.completed", "done"]
    assert [at for at, _ in sent.pieces[:5]] == [0, 1, 2, 3, 4]
    run = dict(found)["thread.run.completed"]
    assert run["completed_at"] >= run["created_at"] + len(found) - 5
    assert now(client, run) == run


def test_a_slow_run_is_in_progress_until_it_has_ended(client: Client) -> None:
    """Whether the client stays or not."""
    script(client, "One two", delay_ms=5000, chunk_delay_ms=1000)
    assistant, thread_id = make_assistant(client), make_thread(client, QUESTION)
    body = {"assistant_id": assistant["id"], "stream": True}
    sent = watch(client, body, 1, limit_s=7, path=f"{THREADS}/{thread_id}/runs")
    assert not sent.is_complete
    run = read(client, f"{THREADS}/{thread_id}/runs")["data"][0]
    assert run["status"] == "in_progress"
    assert later(client, run, 10_000)["status"] == "completed"
    assert text_of(messages_of(client, thread_id)[-1]) == "One two"


def test_a_stream_that_breaks_off_leaves_a_whole_run(client: Client) -> None:
    script(client, "The next tide comes in at noon.", cut_after=9)
    assistant, thread_id = make_assistant(client), make_thread(client, QUESTION)
    sent = watch(client, {"assistant_id": assistant["id"], "stream": True}, 1, path=f"{THREADS}/{thread_id}/runs")
    assert (len(sent.pieces), sent.is_complete) == (9, False)
    run = read(client, f"{THREADS}/{thread_id}/runs")["data"][0]
    assert (run["status"], text_of(messages_of(client, thread_id)[-1])) == ("completed", "The next tide comes in at noon.")


def test_a_stream_that_is_slower_than_a_run_may_be_expires(client: Client) -> None:
    script(client, "One two", delay_ms=700_000)
    assistant, thread_id = make_assistant(client), make_thread(client, QUESTION)
    sent = watch(client, {"assistant_id": assistant["id"], "stream": True}, 100, 1000, path=f"{THREADS}/{thread_id}/runs")
    found = events(b"".join(piece for _, piece in sent.pieces).decode())
    assert names(found)[-4:] == ["message.incomplete", "run.step.expired", "run.expired", "done"]
    assert now(client, found[0][1])["status"] == "expired"


def test_a_run_that_is_streamed_is_paid_once(client: Client) -> None:
    script(client, {"text": "One", "usage": {"prompt_tokens": 30, "completion_tokens": 12}})
    run = dict(streamed(client))["thread.run.completed"]
    client.world.clock.move(timedelta(hours=1))
    now(client, run)
    paid = [
        each for each in client.world["logs"].newest() if each.get("req_units") and each.get("request_method", "POST") == "POST"
    ]
    assert [(each["req_units"], each["res_units"]) for each in paid] == [(30, 12)]


def test_a_stream_may_be_asked_for_nothing(client: Client) -> None:
    assistant, thread_id = make_assistant(client), make_thread(client, QUESTION)
    reply = client.post(f"{THREADS}/{thread_id}/runs", {"assistant_id": assistant["id"], "stream": None})
    assert reply.json()["status"] == "queued"
    assert later(client, reply.json())["status"] == "completed"
    assert path_of(reply.json()).startswith(THREADS)
