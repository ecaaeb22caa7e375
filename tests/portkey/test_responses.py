"""Responses as they are made, kept, gone on from and deleted. Source: gateway-data-plane, /responses, Stateful resources."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED
from tests.portkey.gateway.calling import (
    ANTHROPIC,
    OPENAI,
    asker,
    cached,
    error,
    fail,
    log,
    path,
    script,
    send,
    told,
)
from tests.portkey.team import at, read

RESPONSES = "/v1/responses"
TIDE = {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"], "additionalProperties": False}
TOOL: Record = {"type": "function", "name": "find_tide", "parameters": TIDE}
BAD: Record = {"default.contains": {"operator": "none", "words": ["Hello", "Scripted"]}}


def respond(client: Client, config: Any = None, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    """Ask for a response."""
    return send(client, RESPONSES, {"model": "gpt-4o", "input": "Hello", **fields}, config, headers)


def made(client: Client, **fields: Any) -> Record:
    """A new response."""
    reply = respond(client, **fields)
    assert reply.status_code == 200, reply.text[:500]
    found: Record = reply.json()
    return found


def text_of(response: Record) -> str:
    """What all messages of a response say."""
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part.get("text", part.get("refusal")) for item in messages for part in item["content"])


def kinds(response: Record) -> list[str]:
    return [item["type"] for item in response["output"]]


def items(client: Client, response: Record, **query: Any) -> list[Record]:
    """What a response was asked with, oldest first."""
    found: list[Record] = read(client, f"{RESPONSES}/{response['id']}/input_items", order="asc", **query)["data"]
    return found


def refused(reply: httpx.Response, status: int, code: str | None = None) -> str:
    """Check that a provider refuses; return its words without its name."""
    found = error(reply, status)
    assert (found["type"], found["code"]) == ("invalid_request_error", code)
    assert reply.json()["provider"] == "openai"
    return str(found["message"]).removeprefix("openai error: ")


# The object


def test_response_has_all_fields(client: Client) -> None:
    at(client, "2026-05-05T12:00:00Z")
    script(client, "Scripted.")
    response = made(client)
    (message,) = response.pop("output")
    assert message.pop("id").startswith("msg_")
    part = {"type": "output_text", "text": "Scripted.", "annotations": [], "logprobs": []}
    assert message == {"type": "message", "role": "assistant", "status": "completed", "content": [part]}
    assert response.pop("id").startswith("resp_")
    usage = response.pop("usage")
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    assert response == {
        "object": "response", "created_at": 1777982400, "completed_at": 1777982400, "status": "completed", "background": False,
        "error": None, "incomplete_details": None, "instructions": None, "max_output_tokens": None, "model": "gpt-4o",
        "parallel_tool_calls": True, "previous_response_id": None, "reasoning": {"effort": None, "summary": None},
        "service_tier": "default", "store": True, "temperature": 1.0, "text": {"format": {"type": "text"}},
        "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled", "user": None, "metadata": {},
    }  # fmt: skip


def test_request_is_told_again(client: Client) -> None:
    said: Record = {
        "instructions": "Be brief.", "max_output_tokens": 900, "metadata": {"team": "a"}, "parallel_tool_calls": False,
        "reasoning": {"effort": "low", "summary": "auto"}, "service_tier": "flex", "temperature": 0.5, "top_p": 0.5,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"}, "tool_choice": "none", "truncation": "auto",
        "user": "u1", "max_tool_calls": 3, "store": True, "background": False,
    }  # fmt: skip
    response = made(client, **said, tools=[TOOL])
    assert {name: response[name] for name in said} == said
    assert response["tools"] == [{**TOOL, "description": None, "strict": True}]


def test_response_is_read_as_it_was_made(client: Client) -> None:
    response = made(client)
    assert read(client, f"{RESPONSES}/{response['id']}") == response


def test_limit_makes_it_incomplete(client: Client) -> None:
    response = made(client, max_output_tokens=3)
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert (response["output"][0]["status"], response["completed_at"]) == ("incomplete", None)
    assert response["usage"]["output_tokens"] == 3


def test_filter_makes_it_incomplete(client: Client) -> None:
    script(client, {"text": "No.", "finish_reason": "content_filter"})
    assert made(client)["incomplete_details"] == {"reason": "content_filter"}


def test_refusal_is_a_part_of_its_own(client: Client) -> None:
    script(client, {"refusal": "I cannot."})
    assert made(client)["output"][0]["content"] == [{"type": "refusal", "refusal": "I cannot."}]


def test_scripted_failure(client: Client) -> None:
    script(client, {"text": "Half", "failure": {"message": "The model broke off"}})
    response = made(client)
    assert (response["status"], response["error"]) == ("failed", {"code": "server_error", "message": "The model broke off"})
    assert response["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"model": "o3"}, 0),
        ({"model": "o3", "reasoning": {"summary": "auto"}}, 1),
        ({"reasoning": {"effort": "high", "generate_summary": "concise"}}, 1),
    ],
)
def test_models_that_think(client: Client, fields: Record, shown: int) -> None:
    response = made(client, **fields)
    assert kinds(response) == ["reasoning", "message"]
    assert len(response["output"][0]["summary"]) == shown
    assert 0 < response["usage"]["output_tokens_details"]["reasoning_tokens"] < response["usage"]["output_tokens"]


def test_thought_can_use_up_the_limit(client: Client) -> None:
    response = made(client, model="o3", max_output_tokens=5)
    assert (kinds(response), response["status"]) == (["reasoning"], "incomplete")
    assert response["usage"]["output_tokens_details"]["reasoning_tokens"] == 5


@pytest.mark.parametrize("effort", ["none", "minimal"])
def test_thought_can_be_switched_off(client: Client, effort: str) -> None:
    assert kinds(made(client, model="gpt-5", reasoning={"effort": effort})) == ["message"]


def test_scripted_thought(client: Client) -> None:
    script(client, {"text": "Four.", "reasoning": "Two and two."})
    response = made(client, reasoning={"summary": "auto"})
    assert response["output"][0]["summary"] == [{"type": "summary_text", "text": "Two and two."}]


def test_form_is_kept(client: Client) -> None:
    form = {"type": "json_schema", "name": "tide", "schema": TIDE, "strict": True}
    response = made(client, text={"format": form})
    assert set(json.loads(text_of(response))) == {"port"}
    assert response["text"]["format"] == form


def test_json_object(client: Client) -> None:
    assert isinstance(json.loads(text_of(made(client, text={"format": {"type": "json_object"}}))), dict)


def test_schema_that_is_none_is_refused(client: Client) -> None:
    form = {"type": "json_schema", "name": "tide", "schema": {"type": "nothing"}}
    found = error(respond(client, text={"format": form}), 400)
    assert found["param"] == "text/format/schema"


def test_logprobs_are_told_to_whom_asks(client: Client) -> None:
    response = made(client, include=["message.output_text.logprobs"], top_logprobs=2)
    (part,) = response["output"][0]["content"]
    assert "".join(each["token"] for each in part["logprobs"]) == part["text"]
    assert {len(each["top_logprobs"]) for each in part["logprobs"]} == {2}
    assert made(client)["output"][0]["content"][0]["logprobs"] == []


def test_thought_is_told_in_cipher_to_whom_asks(client: Client) -> None:
    asked = made(client, model="o3", include=["reasoning.encrypted_content"])["output"][0]
    assert asked["encrypted_content"]
    assert "encrypted_content" not in made(client, model="o3")["output"][0]


# What it is asked with


def test_input_items_have_ids(client: Client) -> None:
    (item,) = items(client, made(client, input="Which tide?"))
    assert item.pop("id").startswith("msg_")
    content = [{"type": "input_text", "text": "Which tide?"}]
    assert item == {"type": "message", "role": "user", "status": "completed", "content": content}


def test_items_of_all_kinds_are_taken(client: Client) -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "find_tide", "arguments": "{}"}
    given: list[Record] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "See"}, {"type": "input_image", "image_url": "https://a.test/b"}]},
        {"role": "assistant", "content": "I see."},
        {"id": "rs_1", "type": "reasoning", "summary": []},
        call,
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "12:40"}]},
        {"role": "user", "content": [{"type": "input_file", "file_data": "aGk=", "filename": "a.txt"}]},
    ]  # fmt: skip
    found = items(client, made(client, input=given))
    assert [item["type"] for item in found] == ["message"] * 3 + [
        "reasoning",
        "function_call",
        "function_call_output",
        "message",
    ]
    assert [item["id"].partition("_")[0] for item in found] == ["msg", "msg", "msg", "rs", "fc", "fco", "msg"]
    assert found[2]["content"][0]["type"] == "output_text"


def test_what_a_tool_told_is_answered(client: Client) -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "find_tide", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "It comes in at 12:40"}
    assert "12:40" in text_of(made(client, input=[{"role": "user", "content": "Which?"}, call, output]))


def test_input_costs_tokens(client: Client) -> None:
    short, long = (made(client, input="tide " * times)["usage"]["input_tokens"] for times in (1, 50))
    assert long - short == 49
    assert made(client, instructions="Be brief.")["usage"]["input_tokens"] > made(client)["usage"]["input_tokens"]


def test_tokens_are_counted_beforehand(client: Client) -> None:
    fields: Record = {"model": "gpt-4o", "input": "Which tide?", "tools": [TOOL], "instructions": "Be brief."}
    reply = client.post(f"{RESPONSES}/input_tokens", fields)
    counted = made(client, **fields)["usage"]["input_tokens"]
    assert reply.json() == {"object": "response.input_tokens", "input_tokens": counted}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [{"type": "function_call_output", "call_id": "call_9", "output": "1"}],
            "No tool call found for function call output with call_id call_9.",
        ),
        (
            [{"type": "function_call", "call_id": "call_9", "name": "f", "arguments": "{}"}],
            "No tool output found for function call call_9.",
        ),
        (
            [{"id": "msg_1", "role": "user", "content": "a"}, {"id": "msg_1", "role": "user", "content": "b"}],
            "Duplicate item found with id msg_1. Remove duplicate items from your input and try again.",
        ),
    ],
)
def test_conversation_that_makes_no_sense_is_refused(client: Client, given: list[Record], message: str) -> None:
    reply = respond(client, input=given)
    assert refused(reply, 400) == message
    assert reply.json()["error"]["param"] == "input"


def test_item_is_taken_by_its_id(client: Client) -> None:
    first = made(client, input="The harbour")
    reference = {"type": "item_reference", "id": first["output"][0]["id"]}
    assert items(client, made(client, input=[reference]))[0] == first["output"][0]
    message = refused(respond(client, input=[{"type": "item_reference", "id": "msg_9"}]), 404)
    assert message == "Item with id 'msg_9' not found."


# Going on


def test_conversation_goes_on(client: Client) -> None:
    first = made(client, input="The harbour")
    second = made(client, input="And now?", previous_response_id=first["id"])
    assert second["previous_response_id"] == first["id"]
    found = items(client, second)
    assert found[0] == items(client, first)[0]
    assert found[1] == first["output"][0]
    assert second["usage"]["input_tokens"] > made(client, input="And now?")["usage"]["input_tokens"]


def test_instructions_do_not_go_on(client: Client) -> None:
    first = made(client, instructions="Be brief.")
    assert made(client, previous_response_id=first["id"])["instructions"] is None


def test_beginning_that_was_read_before_is_cached(client: Client) -> None:
    first = made(client, input="tide " * 1500)
    assert first["usage"]["input_tokens_details"]["cached_tokens"] == 0
    second = made(client, previous_response_id=first["id"])
    cached_tokens = second["usage"]["input_tokens_details"]["cached_tokens"]
    assert cached_tokens % 128 == 0
    assert 1500 - 128 < cached_tokens <= second["usage"]["input_tokens"]


def test_unknown_response_cannot_be_gone_on_from(client: Client) -> None:
    reply = respond(client, previous_response_id="resp_9")
    message = refused(reply, 400, "previous_response_not_found")
    assert message == "Previous response with id 'resp_9' not found."
    assert reply.json()["error"]["param"] == "previous_response_id"


def test_function_is_answered_in_the_next_response(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "find_tide"}]}, times=1)
    first = made(client, tools=[TOOL])
    (call,) = first["output"]
    assert refused(respond(client, previous_response_id=first["id"]), 400).startswith("No tool output found")
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "At 12:40"}
    assert "12:40" in text_of(made(client, input=[output], previous_response_id=first["id"], tools=[TOOL]))


def test_script_sees_what_a_tool_told(client: Client) -> None:
    script(client, "Noon.", {"tool_result": "12:40"})
    call = {"type": "function_call", "call_id": "call_1", "name": "find_tide", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "12:40"}
    assert text_of(made(client, input=[call, output])) == "Noon."


def test_deleted_response_stays_in_those_after_it(client: Client) -> None:
    first = made(client)
    second = made(client, previous_response_id=first["id"])
    client.delete(f"{RESPONSES}/{first['id']}")
    assert len(items(client, made(client, previous_response_id=second["id"]))) == 5


# Keeping


def test_response_that_is_not_stored_is_not_there(client: Client) -> None:
    response = made(client, store=False)
    assert response["store"] is False
    assert refused(client.get(f"{RESPONSES}/{response['id']}"), 404) == f"Response with id '{response['id']}' not found."
    assert refused(respond(client, previous_response_id=response["id"]), 400, "previous_response_not_found")


def test_response_is_deleted_once(client: Client) -> None:
    address = f"{RESPONSES}/{made(client)['id']}"
    reply = client.delete(address)
    assert reply.json() == {"id": address.rpartition("/")[2], "object": "response", "deleted": True}
    assert told(reply, "provider") == "openai"
    assert [client.delete(address).status_code, client.get(address).status_code] == [404, 404]
    assert client.get(f"{address}/input_items").status_code == 404


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_input_items_are_paged_each_once(client: Client, limit: int, order: str) -> None:
    response = made(client, input=[{"role": "user", "content": str(number)} for number in range(5)])
    address, seen, after = f"{RESPONSES}/{response['id']}/input_items", list[str](), dict[str, str]()
    while True:
        page = read(client, address, limit=limit, order=order, **after)
        seen += [item["content"][0]["text"] for item in page["data"]]
        assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
        if not page["has_more"]:
            break
        after = {"after": page["last_id"]}
    assert seen == sorted("01234", reverse=order == "desc")


def test_input_items_are_paged_back(client: Client) -> None:
    response = made(client, input=[{"role": "user", "content": str(number)} for number in range(5)])
    address = f"{RESPONSES}/{response['id']}/input_items"
    last = read(client, address)["last_id"]
    page = read(client, address, limit=2, before=last)
    assert [item["content"][0]["text"] for item in page["data"]] == ["2", "1"]
    assert page["has_more"] is True


def test_other_account_has_other_responses(client: Client) -> None:
    response = made(client, headers={"x-portkey-provider": "openai"})
    address = f"{RESPONSES}/{response['id']}"
    assert client.get(address, headers={"x-portkey-provider": "groq"}).status_code == 404
    assert client.get(address, headers={"x-portkey-provider": "openai"}).status_code == 200
    assert client.get(address).status_code == 200


# Other providers


def test_provider_without_responses_is_asked_by_chat(client: Client) -> None:
    response = made(client, config=ANTHROPIC, store=True)
    assert (response["store"], response["provider"]) == (False, "anthropic")
    assert len(response["id"]) == len("resp_") + 36


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("DELETE", ""), ("GET", "/input_items")])
def test_provider_without_responses_keeps_none(client: Client, method: str, suffix: str) -> None:
    reply = client.call(method, f"{RESPONSES}/resp_1{suffix}", headers={"x-portkey-provider": "anthropic"})
    message = f"{method} /v1/responses is only supported for native Responses API providers"
    assert (reply.status_code, reply.json()) == (400, {"error": {"message": message, "type": "invalid_request_error"}})


@pytest.mark.parametrize("provider", ["openai", "azure-openai", "x-ai", "groq", "openrouter"])
def test_native_providers_keep_responses(client: Client, provider: str) -> None:
    headers = {"x-portkey-provider": provider}
    response = made(client, headers=headers)
    assert client.get(f"{RESPONSES}/{response['id']}", headers=headers).json()["id"] == response["id"]


# The background


def test_response_in_the_background(client: Client) -> None:
    response = made(client, background=True)
    assert (response["status"], response["output"], response["usage"]) == ("queued", [], None)
    seen = []
    for _ in range(3):
        seen.append(read(client, f"{RESPONSES}/{response['id']}")["status"])
        client.world.clock.move(timedelta(milliseconds=100))
    assert seen == ["queued", "in_progress", "completed"]
    done = read(client, f"{RESPONSES}/{response['id']}")
    assert (text_of(done) != "", done["background"]) == (True, True)
    assert done["usage"]["output_tokens"] > 0


def test_background_takes_as_long_as_its_script(client: Client) -> None:
    at(client, "2026-05-05T12:00:00Z")
    script(client, "Late.", delay_ms=60000)
    response = made(client, background=True)
    at(client, "2026-05-05T12:01:00Z")
    assert read(client, f"{RESPONSES}/{response['id']}")["status"] == "in_progress"
    at(client, "2026-05-05T12:02:00Z")
    done = read(client, f"{RESPONSES}/{response['id']}")
    assert (done["status"], done["completed_at"]) == ("completed", response["created_at"] + 60)


def test_background_can_fail(client: Client) -> None:
    script(client, {"failure": {"code": "rate_limit_exceeded", "message": "Too busy"}})
    response = made(client, background=True)
    assert (response["status"], response["error"]) == ("queued", None)
    client.world.clock.move(timedelta(seconds=1))
    assert read(client, f"{RESPONSES}/{response['id']}")["error"]["code"] == "rate_limit_exceeded"


def test_background_is_cancelled(client: Client) -> None:
    response = made(client, background=True)
    address = f"{RESPONSES}/{response['id']}"
    for _ in range(2):
        assert client.post(f"{address}/cancel").json()["status"] == "cancelled"
    client.world.clock.move(timedelta(seconds=1))
    found = read(client, address)
    assert (found["status"], found["output"], found["usage"]) == ("cancelled", [], None)


def test_only_what_runs_is_cancelled(client: Client) -> None:
    over = made(client, background=True)
    client.world.clock.move(timedelta(seconds=1))
    refusals = [client.post(f"{RESPONSES}/{each['id']}/cancel") for each in (over, made(client))]
    assert [error(reply, 400)["message"] for reply in refusals] == [
        "Cannot cancel a completed response.",
        "Cannot cancel a synchronous response.",
    ]


def test_background_must_be_stored(client: Client) -> None:
    assert refused(respond(client, background=True, store=False), 400)


def test_what_is_not_answered_yet_is_not_gone_on_from(client: Client) -> None:
    response = made(client, background=True)
    assert refused(respond(client, previous_response_id=response["id"]), 400).endswith("is still queued.")


def test_background_that_is_deleted_is_gone(client: Client) -> None:
    response = made(client, background=True)
    assert client.delete(f"{RESPONSES}/{response['id']}").status_code == 200
    client.world.clock.move(timedelta(seconds=1))
    assert client.get(f"{RESPONSES}/{response['id']}").status_code == 404


# The gateway


def test_falls_back(client: Client) -> None:
    fail(client, 503, "config.targets[0]")
    reply = respond(client, {"strategy": {"mode": "fallback"}, "targets": [OPENAI, ANTHROPIC]})
    assert (reply.status_code, path(reply), told(reply, "provider")) == (200, "config.targets[1]", "anthropic")


def test_is_retried(client: Client) -> None:
    fail(client, 503, times=1)
    assert told(respond(client, {**OPENAI, "retry": {"attempts": 1}}), "retry-attempt-count") == "1"


def test_hit_has_the_first_id(client: Client) -> None:
    config = {**OPENAI, "cache": {"mode": "simple"}}
    replies = [respond(client, config) for _ in range(2)]
    assert [cached(reply) for reply in replies] == ["MISS", "HIT"]
    assert replies[0].json()["id"] == replies[1].json()["id"]


@pytest.mark.parametrize("side", ["input_guardrails", "output_guardrails"])
@pytest.mark.parametrize(("deny", "status"), [(False, 246), (True, 446)])
def test_guardrails_judge(client: Client, side: str, deny: bool, status: int) -> None:
    script(client, "Scripted.")
    reply = respond(client, {**OPENAI, side: [{**BAD, "deny": deny}]})
    assert reply.status_code == status
    hook = "before_request_hooks" if side == "input_guardrails" else "after_request_hooks"
    assert reply.json()["hook_results"][hook][0]["verdict"] is False


def test_failure_has_the_name_of_the_provider(client: Client) -> None:
    fail(client, 500, message="Broken")
    assert error(respond(client), 500)["message"] == "openai error: Broken"


def test_usage_is_logged_and_paid(client: Client) -> None:
    usage = made(asker(client), model=f"@{SEEDED}/gpt-4o")["usage"]
    metrics = log(client)["metrics"]
    assert (metrics["req_units"], metrics["res_units"]) == (usage["input_tokens"], usage["output_tokens"])
    assert metrics["cost"] == pytest.approx(usage["input_tokens"] * 0.00025 + usage["output_tokens"] * 0.001)


def test_model_may_be_left_out(client: Client) -> None:
    reply = client.post(RESPONSES, {"input": "Hello"})
    assert (reply.status_code, reply.json()["model"]) == (200, "gpt-3.5-turbo")


def test_model_of_a_config_is_used(client: Client) -> None:
    reply = respond(client, {**OPENAI, "override_params": {"model": "o3", "temperature": 0.1}})
    assert (reply.json()["model"], reply.json()["temperature"]) == ("o3", 0.1)
