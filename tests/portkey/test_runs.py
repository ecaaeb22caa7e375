"""Runs and their steps: the machine by the clock, functions, limits, and what a run costs.

Source of every rule that names none: gateway-data-plane, /threads/.../runs and steps.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import make_provider, providers
from tests.portkey.desk import (
    CANCELLING_MS,
    FIND_TIDE,
    IN_PROGRESS_MS,
    OTHER,
    QUESTION,
    QUEUED_MS,
    THREADS,
    calls_of,
    done,
    later,
    make_assistant,
    make_run,
    make_thread,
    messages_of,
    now,
    path_of,
    refusal,
    steps_of,
    submit,
    text_of,
    waiting,
)
from tests.portkey.gateway.calling import SCRIPTS, ask, fail, said, script, used
from tests.portkey.team import PRODUCTION, make_key, read
from tests.portkey.traffic import read_log


def test_a_run_has_all_its_fields(client: Client) -> None:
    assistant = make_assistant(client, instructions="Be brief.", tools=[FIND_TIDE], temperature=0.5)
    run = make_run(client, assistant, metadata={"a": "b"})
    created = int(client.world.clock.seconds())
    assert run.pop("id").startswith("run_")
    assert run.pop("thread_id").startswith("thread_")
    assert run == {
        "object": "thread.run",
        "created_at": created,
        "assistant_id": assistant["id"],
        "status": "queued",
        "started_at": None,
        "expires_at": created + 600,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "required_action": None,
        "last_error": None,
        "incomplete_details": None,
        "model": "gpt-4o",
        "instructions": "Be brief.",
        "tools": [FIND_TIDE],
        "metadata": {"a": "b"},
        "usage": None,
        "temperature": 0.5,
        "top_p": 1.0,
        "max_prompt_tokens": None,
        "max_completion_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "response_format": "auto",
    }


def test_a_call_overrules_the_assistant(client: Client) -> None:
    assistant = make_assistant(client, instructions="Be brief.", tools=[FIND_TIDE])
    run = make_run(
        client, assistant, model="gpt-4o-mini", tools=[], top_p=0.1, additional_instructions="Be kind.", tool_choice="none"
    )
    assert (run["model"], run["tools"], run["top_p"], run["tool_choice"]) == ("gpt-4o-mini", [], 0.1, "none")
    assert run["instructions"] == "Be brief.\nBe kind."


def test_a_run_goes_on_by_the_clock(client: Client) -> None:
    """Times are *chosen*."""
    run = make_run(client)
    assert later(client, run, QUEUED_MS - 1)["status"] == "queued"
    begun = later(client, run, 1)
    assert (begun["status"], begun["started_at"], begun["usage"]) == ("in_progress", int(client.world.clock.seconds()), None)
    assert later(client, run, IN_PROGRESS_MS - 1)["status"] == "in_progress"
    ended = later(client, run, 1)
    assert (ended["status"], ended["completed_at"]) == ("completed", int(client.world.clock.seconds()))


def test_a_run_ends_at_its_time_however_late_one_looks(client: Client) -> None:
    run = make_run(client)
    ended = later(client, run, ms=3_600_000)
    assert ended["completed_at"] <= run["created_at"] + 1
    message = messages_of(client, run["thread_id"])[-1]
    assert message["created_at"] <= run["created_at"] + 1


def test_polling_is_told_how_often(client: Client) -> None:
    """Source: gateway-data-plane, What real clients send and need."""
    run = make_run(client)
    assert client.get(path_of(run)).headers["openai-poll-after-ms"] == "100"


def test_an_answer_is_written_in_a_step(client: Client) -> None:
    run = make_run(client)
    later(client, run, QUEUED_MS)
    step, message = steps_of(client, run)[0], messages_of(client, run["thread_id"])[-1]
    assert (step["status"], step["usage"], message["status"], message["content"]) == ("in_progress", None, "in_progress", [])
    usage = later(client, run)["usage"]
    step, message = steps_of(client, run)[0], messages_of(client, run["thread_id"])[-1]
    assert (step["status"], step["type"], step["usage"]) == ("completed", "message_creation", usage)
    assert step["step_details"] == {"type": "message_creation", "message_creation": {"message_id": message["id"]}}
    assert (message["role"], message["status"], message["run_id"]) == ("assistant", "completed", run["id"])
    assert message["assistant_id"] == run["assistant_id"]


def test_the_answer_is_what_chat_says(client: Client) -> None:
    run = make_run(client, make_assistant(client, instructions="Be brief."))
    ended = later(client, run)
    system = {"role": "system", "content": "Be brief."}
    reply = ask(client, messages=[system, {"role": "user", "content": QUESTION}])
    assert text_of(messages_of(client, run["thread_id"])[-1]) == said(reply)
    usage = reply.json()["usage"]
    assert ended["usage"] == {name: usage[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}


def test_a_script_speaks(client: Client) -> None:
    script(client, "At noon.", {"operation": "createRun", "model": "gpt-4o", "last_message": "tide"})
    run = make_run(client)
    later(client, run)
    assert text_of(messages_of(client, run["thread_id"])[-1]) == "At noon."


def test_a_script_takes_its_time(client: Client) -> None:
    script(client, "At noon.", delay_ms=5000)
    run = make_run(client)
    assert later(client, run, 5000)["status"] == "in_progress"
    assert later(client, run, 250)["status"] == "completed"


def test_a_refusal_is_a_part_of_the_message(client: Client) -> None:
    script(client, {"refusal": "I would rather not."})
    run = make_run(client)
    assert later(client, run)["status"] == "completed"
    assert messages_of(client, run["thread_id"])[-1]["content"] == [{"type": "refusal", "refusal": "I would rather not."}]


def test_a_form_of_answer_is_kept_to(client: Client) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "tide", "schema": {"type": "object", "required": ["port"]}}}
    run = make_run(client, response_format=form)
    later(client, run)
    assert text_of(messages_of(client, run["thread_id"])[-1]).startswith('{"port":')


@pytest.mark.parametrize("schema", [5, True, [], "x", None, {"type": "nothing"}], ids=str)
def test_a_form_that_is_none_lets_the_run_end(client: Client, schema: Any) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "tide", "schema": schema}}
    assert later(client, make_run(client, response_format=form))["status"] in ("completed", "failed")


def test_pictures_without_an_address_are_answered(client: Client) -> None:
    """Found by fuzzing."""
    content = [{"type": "image_url", "image_url": {"url": ""}}, {"type": "image_file", "image_file": {"file_id": ""}}]
    run = make_run(client, additional_messages=[{"role": "user", "content": content}])
    assert later(client, run)["status"] == "completed"


def test_additional_messages_come_first(client: Client) -> None:
    run = make_run(client, additional_messages=[{"role": "user", "content": "And in Porto?"}])
    later(client, run)
    texts = [text_of(each) for each in messages_of(client, run["thread_id"])]
    assert texts[:2] == [QUESTION, "And in Porto?"]
    assert "Porto" in texts[2]


def test_a_busy_thread_takes_neither_messages_nor_runs(client: Client) -> None:
    run = make_run(client)
    thread_id = run["thread_id"]
    message = client.post(f"{THREADS}/{thread_id}/messages", {"role": "user", "content": "Hi"})
    assert refusal(message, 400) == f"Can't add messages to {thread_id} while a run {run['id']} is active."
    again = client.post(f"{THREADS}/{thread_id}/runs", {"assistant_id": run["assistant_id"]})
    assert refusal(again, 400) == f"Thread {thread_id} already has an active run {run['id']}."
    later(client, run)
    done(client.post(f"{THREADS}/{thread_id}/messages", {"role": "user", "content": "Hi"}))


def test_functions_are_called_when_a_choice_says_so(client: Client) -> None:
    run = waiting(client)
    (call,) = calls_of(run)
    assert call["id"].startswith("call_")
    assert call["function"]["name"] == "find_tide"
    assert call["function"]["arguments"] == '{"port":"Lisbon"}'
    (step,) = steps_of(client, run)
    assert (step["type"], step["status"]) == ("tool_calls", "in_progress")
    shown = {**call, "function": {**call["function"], "output": None}}
    assert step["step_details"] == {"type": "tool_calls", "tool_calls": [shown]}


def test_functions_are_left_alone_otherwise(client: Client) -> None:
    """*chosen*, as in chat: so every run ends that nobody has scripted."""
    run = make_run(client, make_assistant(client, tools=[FIND_TIDE]))
    assert later(client, run)["status"] == "completed"


def test_a_script_calls_functions(client: Client) -> None:
    calls = [{"name": "find_tide", "arguments": {"port": "Lisbon"}}, {"name": "find_moon"}]
    script(client, {"tool_calls": calls}, {"call": 1})
    run = later(client, make_run(client, make_assistant(client, tools=[FIND_TIDE, OTHER])))
    assert [call["function"]["name"] for call in calls_of(run)] == ["find_tide", "find_moon"]
    assert calls_of(run)[0]["function"]["arguments"] == '{"port":"Lisbon"}'


def test_outputs_lead_to_an_answer(client: Client) -> None:
    run = waiting(client)
    queued = done(submit(client, run, "12:40"))
    assert (queued["status"], queued["required_action"], queued["usage"]) == ("queued", None, None)
    assert later(client, run, QUEUED_MS)["status"] == "in_progress"
    assert later(client, run)["status"] == "completed"
    assert "12:40" in text_of(messages_of(client, run["thread_id"])[-1])
    calling, writing = steps_of(client, run)
    assert calling["step_details"]["tool_calls"][0]["function"]["output"] == "12:40"
    assert (calling["status"], writing["type"], writing["status"]) == ("completed", "message_creation", "completed")


def test_a_script_answers_outputs(client: Client) -> None:
    script(client, "At 12:40, then.", {"tool_result": "12:40"})
    run = waiting(client)
    submit(client, run, "12:40")
    later(client, run)
    assert text_of(messages_of(client, run["thread_id"])[-1]) == "At 12:40, then."


def test_a_run_can_call_again_and_again(client: Client) -> None:
    for number in (1, 2):
        script(client, {"tool_calls": [{"name": "find_tide"}]}, {"operation": "createRun", "call": number})
    run = later(client, make_run(client, make_assistant(client, tools=[FIND_TIDE])))
    submit(client, run, "12:40")
    run = later(client, run)
    submit(client, run, "0:55")
    ended = later(client, run)
    assert [step["type"] for step in steps_of(client, run)] == ["tool_calls", "tool_calls", "message_creation"]
    by_step = [step["usage"]["total_tokens"] for step in steps_of(client, run)]
    assert ended["usage"]["total_tokens"] == sum(by_step)


def test_all_outputs_are_needed(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "find_tide"}, {"name": "find_moon"}]}, {"call": 1})
    run = later(client, make_run(client, make_assistant(client, tools=[FIND_TIDE, OTHER])))
    ids = [call["id"] for call in calls_of(run)]
    for given in ([ids[0]], [ids[0], "call_1"], [ids[0], ids[0]], [*ids, "call_1"], []):
        outputs = [{"tool_call_id": each, "output": "1"} for each in given]
        reply = client.post(f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": outputs})
        assert refusal(reply, 400) == f"Expected tool outputs for call_ids {ids}, got {given}"
    assert now(client, run)["status"] == "requires_action"


def test_outputs_are_taken_only_when_they_are_waited_for(client: Client) -> None:
    run = make_run(client)
    reply = client.post(f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": []})
    assert refusal(reply, 400) == 'Runs in status "queued" do not accept tool outputs.'


def test_outputs_that_never_come_let_the_run_expire(client: Client) -> None:
    run = waiting(client)
    client.world.clock.move(timedelta(seconds=run["expires_at"] - client.world.clock.seconds() - 1))
    assert now(client, run)["status"] == "requires_action"
    expired = later(client, run, 1000)
    assert (expired["status"], expired["required_action"]) == ("expired", None)
    assert (steps_of(client, run)[0]["status"], steps_of(client, run)[0]["expired_at"]) == ("expired", run["expires_at"])
    assert expired["usage"]["prompt_tokens"] > 0


def test_a_slow_model_lets_the_run_expire(client: Client) -> None:
    script(client, "At noon.", delay_ms=700_000)
    run = make_run(client)
    assert later(client, run, 599_000)["status"] == "in_progress"
    assert later(client, run, 2000)["status"] == "expired"
    message = messages_of(client, run["thread_id"])[-1]
    assert (message["status"], message["incomplete_details"]) == ("incomplete", {"reason": "run_expired"})


@pytest.mark.parametrize("ms", [0, QUEUED_MS], ids=["queued", "in_progress"])
def test_a_run_can_be_cancelled(client: Client, ms: int) -> None:
    run = make_run(client)
    client.world.clock.move(timedelta(milliseconds=ms))
    assert done(client.post(f"{path_of(run)}/cancel"))["status"] == "cancelling"
    assert later(client, run, CANCELLING_MS - 1)["status"] == "cancelling"
    ended = later(client, run, 1)
    assert (ended["status"], ended["cancelled_at"]) == ("cancelled", int(client.world.clock.seconds()))
    assert later(client, run)["status"] == "cancelled"


def test_cancelling_ends_the_step_and_the_message(client: Client) -> None:
    run = make_run(client)
    later(client, run, QUEUED_MS)
    client.post(f"{path_of(run)}/cancel")
    later(client, run)
    message = messages_of(client, run["thread_id"])[-1]
    assert (message["status"], message["incomplete_details"]) == ("incomplete", {"reason": "run_cancelled"})
    assert steps_of(client, run)[0]["status"] == "cancelled"


def test_a_run_that_waits_can_be_cancelled(client: Client) -> None:
    run = waiting(client)
    assert done(client.post(f"{path_of(run)}/cancel"))["required_action"] is None
    assert later(client, run)["status"] == "cancelled"
    assert steps_of(client, run)[0]["status"] == "cancelled"


@pytest.mark.parametrize("status", ["completed", "cancelled", "cancelling"])
def test_what_is_over_cannot_be_cancelled(client: Client, status: str) -> None:
    run = make_run(client)
    if status != "completed":
        client.post(f"{path_of(run)}/cancel")
    if status != "cancelling":
        later(client, run)
    assert refusal(client.post(f"{path_of(run)}/cancel"), 400) == f"Cannot cancel run with status '{status}'."


@pytest.mark.parametrize(
    ("status", "code"), [(500, "server_error"), (503, "server_error"), (429, "rate_limit_exceeded"), (400, "invalid_prompt")]
)
def test_a_provider_that_fails_lets_the_run_fail(client: Client, status: int, code: str) -> None:
    run = make_run(client)
    fail(client, status, message="Not now.")
    client.world.clock.move(timedelta(seconds=1))
    client.delete(SCRIPTS)
    ended = now(client, run)
    assert (ended["status"], ended["last_error"]) == ("failed", {"code": code, "message": "Not now."})
    assert ended["failed_at"] == int(client.world.clock.seconds()) or ended["failed_at"] == run["created_at"]
    assert steps_of(client, run) == []


def test_a_schema_that_nothing_keeps_lets_the_run_fail(client: Client) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"allOf": [{"type": "string"}, {"type": "object"}]}}}
    run = make_run(client, make_assistant(client, tools=[tool]), tool_choice="required")
    assert later(client, run)["last_error"]["code"] == "invalid_prompt"


def test_a_limit_of_the_answer_cuts_it(client: Client) -> None:
    script(client, {"text": "At no", "finish_reason": "length"})
    run = make_run(client, max_completion_tokens=256)
    ended = later(client, run)
    assert (ended["status"], ended["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})
    message = messages_of(client, run["thread_id"])[-1]
    assert (message["status"], message["incomplete_details"]) == ("incomplete", {"reason": "max_tokens"})
    assert text_of(message) == "At no"


def test_a_limit_of_the_answer_holds_for_all_turns(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "find_tide"}], "usage": {"completion_tokens": 250}}, {"call": 1})
    assistant = make_assistant(client, tools=[FIND_TIDE])
    run = later(client, make_run(client, assistant, max_completion_tokens=256))
    submit(client, run, "12:40")
    ended = later(client, run)
    assert (ended["status"], ended["usage"]["completion_tokens"]) == ("incomplete", 256)
    assert len(text_of(messages_of(client, run["thread_id"])[-1]).split()) <= 6


def test_a_limit_of_the_question_leaves_out_the_oldest(client: Client) -> None:
    """*chosen*: which messages go."""
    thread_id = make_thread(client, *(f"Number {number}: {'many words ' * 40}" for number in range(5)), QUESTION)
    run = make_run(client, thread_id=thread_id, max_prompt_tokens=256)
    ended = later(client, run)
    assert ended["status"] == "completed"
    assert 150 < ended["usage"]["prompt_tokens"] <= 256


def test_a_question_beyond_its_limit_is_not_asked(client: Client) -> None:
    run = make_run(client, thread_id=make_thread(client, "many words " * 300), max_prompt_tokens=256)
    ended = later(client, run)
    assert (ended["status"], ended["incomplete_details"]) == ("incomplete", {"reason": "max_prompt_tokens"})
    assert ended["usage"]["total_tokens"] == 0


def test_only_the_last_messages_count_where_that_is_said(client: Client) -> None:
    thread_id = make_thread(client, "many words " * 300, QUESTION)
    run = make_run(client, thread_id=thread_id, truncation_strategy={"type": "last_messages", "last_messages": 1})
    assert later(client, run)["usage"]["prompt_tokens"] < 30


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"type": "function", "function": {"name": "find_sun"}}, "Tool choice 'find_sun' not found in 'tools' parameter."),
        ({"type": "code_interpreter"}, "Tool choice 'code_interpreter' not found in 'tools' parameter."),
    ],
)
def test_a_choice_of_a_tool_that_is_not_there_is_refused(client: Client, choice: Record, message: str) -> None:
    assistant = make_assistant(client, tools=[FIND_TIDE])
    thread_id = make_thread(client, QUESTION)
    reply = client.post(f"{THREADS}/{thread_id}/runs", {"assistant_id": assistant["id"], "tool_choice": choice})
    assert refusal(reply, 400) == message
    assert read(client, f"{THREADS}/{thread_id}/runs")["data"] == []


def test_a_thread_can_be_made_with_its_run(client: Client) -> None:
    assistant = make_assistant(client)
    body = {
        "assistant_id": assistant["id"],
        "thread": {"messages": [{"role": "user", "content": QUESTION}], "metadata": {"a": "b"}},
    }
    run = done(client.post(f"{THREADS}/runs", body))
    assert read(client, f"{THREADS}/{run['thread_id']}")["metadata"] == {"a": "b"}
    assert later(client, run)["status"] == "completed"
    assert [each["role"] for each in messages_of(client, run["thread_id"])] == ["user", "assistant"]


def test_code_is_run_where_a_choice_says_so(client: Client) -> None:
    run = make_run(
        client, make_assistant(client, tools=[{"type": "code_interpreter"}]), tool_choice={"type": "code_interpreter"}
    )
    assert later(client, run)["status"] == "completed"
    code, writing = steps_of(client, run)
    (call,) = code["step_details"]["tool_calls"]
    assert (code["status"], call["type"], writing["type"]) == ("completed", "code_interpreter", "message_creation")
    assert call["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "3"}]


def test_code_can_be_scripted(client: Client) -> None:
    calls = [{"name": "code_interpreter", "arguments": {"input": "print(1 + 1)", "output": "2"}}]
    script(client, {"tool_calls": calls})
    run = make_run(client, make_assistant(client, tools=[{"type": "code_interpreter"}]))
    assert later(client, run)["status"] == "completed"
    (call,) = steps_of(client, run)[0]["step_details"]["tool_calls"]
    assert call["code_interpreter"] == {"input": "print(1 + 1)", "outputs": [{"type": "logs", "logs": "2"}]}


def test_a_search_is_left_out_where_there_is_nothing(client: Client) -> None:
    run = make_run(client, make_assistant(client, tools=[{"type": "file_search"}]))
    later(client, run)
    assert [step["type"] for step in steps_of(client, run)] == ["message_creation"]


def test_a_run_is_paid_once_when_it_ends(client: Client) -> None:
    """Source: *chosen*; reading a run that was paid costs nothing."""
    key_id, caller = payer(client)
    run = make_run(caller)
    client.world.clock.move(timedelta(milliseconds=QUEUED_MS))
    assert (settled(client)["status"], usage_of(client, key_id)) == ("in_progress", 0)
    client.world.clock.move(timedelta(milliseconds=IN_PROGRESS_MS))
    assert settled(client)["status"] == "completed"
    assert usage_of(client, key_id) == client.world["thread_runs"].get(run["id"])["usage"]["total_tokens"]


def test_turns_of_a_run_are_paid_together(client: Client) -> None:
    key_id, caller = payer(client)
    run = waiting(caller)
    submit(caller, run, "12:40")
    client.world.clock.move(timedelta(seconds=1))
    ended = settled(client)
    assert usage_of(client, key_id) == ended["usage"]["total_tokens"] > ended["_turn"]["usage"][0]


def test_the_provider_of_a_run_is_charged(client: Client) -> None:
    budget = {"type": "tokens", "credit_limit": 100_000}
    made = make_provider(client, integration="openai-production", usage_limits=budget)
    _, caller = payer(client)
    caller.headers["x-portkey-provider"] = f"@{made['slug']}"
    make_run(caller)
    client.world.clock.move(timedelta(seconds=1))
    tokens = settled(client)["usage"]["total_tokens"]
    assert providers(client)[made["slug"]]["usage_limits"]["current_usage"] == tokens


def test_requests_of_a_run_are_counted_once(client: Client) -> None:
    rates = [{"type": "requests", "unit": "rpd", "value": 3}]
    body = {"name": "few", "integration_id": "openai-production", "workspace_id": PRODUCTION, "rate_limits": rates}
    slug = done(client.post("/v1/providers", body))["slug"]
    _, caller = payer(client)
    caller.headers["x-portkey-provider"] = f"@{slug}"
    run = make_run(caller)  # with assistant and thread the third
    client.world.clock.move(timedelta(seconds=1))
    assert settled(client)["status"] == "completed"
    assert caller.get(path_of(run)).status_code == 429


def test_a_run_leaves_a_log_when_it_ends(client: Client) -> None:
    """Tokens of list price: 0.00025 and 0.001 cents (governance-mcp-observability, Model pricing)."""
    _, caller = payer(client)
    caller.headers |= {"x-portkey-trace-id": "trace-1", "x-portkey-metadata": '{"team": "a"}'}
    run = make_run(caller)
    client.world.clock.move(timedelta(seconds=1))
    usage = settled(client)["usage"]
    log = read_log(client, next(each["id"] for each in client.world["logs"].newest() if each.get("req_units")))
    metrics = log["metrics"]
    assert (metrics["req_units"], metrics["res_units"]) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert metrics["cost"] == pytest.approx(usage["prompt_tokens"] * 0.00025 + usage["completion_tokens"] * 0.001)
    assert (metrics["trace_id"], metrics["metadata.value"][0]) == ("trace-1", "a")
    assert (log["response"]["body"]["id"], log["response"]["body"]["status"]) == (run["id"], "completed")


def test_a_key_that_is_gone_pays_nothing(client: Client) -> None:
    key = make_key(client, scopes=["completions.write"])
    caller = client.as_key(key.secret)
    caller.headers["x-portkey-provider"] = "@openai-production"
    run = make_run(caller)
    client.delete(f"/v1/api-keys/{key.id}")
    client.world.clock.move(timedelta(seconds=1))
    reply = client.get(path_of(run), headers={"x-portkey-provider": "@openai-production"})
    assert done(reply)["status"] == "completed"


def test_the_secret_of_a_caller_is_not_kept(client: Client) -> None:
    caller = client.as_key("sk-secret-1")
    run = make_run(caller)
    assert "sk-secret-1" not in str(client.world["thread_runs"].get(run["id"]))


def test_a_script_is_used_once_a_turn(client: Client) -> None:
    script_id = script(client, "At noon.", {"operation": "createRun"})
    later(client, make_run(client))
    assert used(client, script_id) == 1


def payer(client: Client) -> tuple[str, Client]:
    """A key of Production that counts its tokens, by its id, and the client that uses it."""
    key = make_key(client, scopes=["completions.write"], usage_limits={"type": "tokens", "credit_limit": 100_000})
    caller = client.as_key(key.secret)
    caller.headers["x-portkey-provider"] = "@openai-production"
    return key.id, caller


def settled(client: Client) -> Record:
    """The newest run as the world holds it, after a call of something else."""
    client.get("/v1/labels")
    (run,) = client.world["thread_runs"].page(0, 1)[0]
    found: Record = run
    return found


def usage_of(client: Client, key_id: str) -> float:
    return float(client.world["api_keys"].get(key_id)["_usage"])
