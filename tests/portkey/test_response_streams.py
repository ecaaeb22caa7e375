"""The events of responses, in their order. Source: gateway-data-plane, /responses (SSE), SSE framing, Guardrails, Cache."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.gateway.calling import OPENAI, script, watch
from tests.portkey.test_response_tools import CALLERS_TOOLS, FIND, PROVIDERS_TOOLS, SERVER
from tests.portkey.test_responses import RESPONSES, made, respond

LOOSE = {"x-portkey-strict-open-ai-compliance": "false"}
BEGIN, END = ["created", "in_progress"], ["completed"]
TEXT = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
]


def events(reply: httpx.Response) -> list[Record]:
    """The events of a stream; each has its type as its name, and there is no `[DONE]`."""
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8"), reply.text[:500]
    found = []
    for block in reply.text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def streamed(client: Client, **fields: Any) -> list[Record]:
    return events(respond(client, stream=True, **fields))


def order(found: list[Record]) -> list[str]:
    """The types of events, each run of deltas as one."""
    types = [event["type"].removeprefix("response.") for event in found]
    return [type_ for at, type_ in enumerate(types) if at == 0 or type_ != types[at - 1] or not type_.endswith(".delta")]


def joined(found: list[Record], type_: str) -> str:
    return "".join(event["delta"] for event in found if event["type"] == f"response.{type_}.delta")


def test_text(client: Client) -> None:
    script(client, "Scripted words are told.")
    found = streamed(client)
    assert order(found) == [*BEGIN, *TEXT, *END]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert (
        joined(found, "output_text") == found[-1]["response"]["output"][0]["content"][0]["text"] == "Scripted words are told."
    )
    assert all(event["logprobs"] == [] for event in found if event["type"].startswith("response.output_text."))


def test_response_is_not_answered_at_first(client: Client) -> None:
    created, running, *_, completed = streamed(client)
    for event in (created, running):
        assert event["response"] == {
            **completed["response"], "status": "in_progress", "output": [], "usage": None, "completed_at": None,
        }  # fmt: skip


def test_streamed_response_is_kept(client: Client) -> None:
    response = streamed(client)[-1]["response"]
    assert client.get(f"{RESPONSES}/{response['id']}").json() == response


def test_events_name_their_places(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "web_search"}, {"name": "find_tide"}]})
    found = streamed(client, tools=[{"type": "web_search"}, FIND])
    output = found[-1]["response"]["output"]
    for event in found:
        if "item_id" in event:
            assert output[event["output_index"]]["id"] == event["item_id"]
    added = [event["item"]["id"] for event in found if event["type"] == "response.output_item.added"]
    assert added == [item["id"] for item in output]


def test_function_calls(client: Client) -> None:
    found = streamed(client, input="Find the tide", tools=[FIND], tool_choice="required")
    call = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]
    assert order(found) == [*BEGIN, *call, *END]
    (item,) = found[-1]["response"]["output"]
    (done,) = [event for event in found if event["type"] == "response.function_call_arguments.done"]
    assert joined(found, "function_call_arguments") == item["arguments"] == done["arguments"]
    assert done["name"] == item["name"]


def test_custom_tool(client: Client) -> None:
    found = streamed(client, input="The tide", tools=[{"type": "custom", "name": "shout"}], tool_choice="required")
    call = ["output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.done", "output_item.done"]
    assert order(found) == [*BEGIN, *call, *END]


def test_refusal(client: Client) -> None:
    script(client, {"refusal": "I cannot do that."})
    found = streamed(client)
    part = ["output_item.added", "content_part.added", "refusal.delta", "refusal.done", "content_part.done", "output_item.done"]
    assert order(found) == [*BEGIN, *part, *END]
    assert joined(found, "refusal") == "I cannot do that."


def test_thought(client: Client) -> None:
    found = streamed(client, model="o3", reasoning={"summary": "auto"})
    summary = [f"reasoning_summary_{each}" for each in ("part.added", "text.delta", "text.done", "part.done")]
    assert order(found) == [*BEGIN, "output_item.added", *summary, "output_item.done", *TEXT, *END]
    assert joined(found, "reasoning_summary_text") == found[-1]["response"]["output"][0]["summary"][0]["text"]


def test_incomplete(client: Client) -> None:
    found = streamed(client, max_output_tokens=3)
    assert order(found) == [*BEGIN, *TEXT, "incomplete"]
    (done,) = [event for event in found if event["type"] == "response.output_item.done"]
    assert done["item"]["status"] == "incomplete"


def test_failed(client: Client) -> None:
    script(client, {"text": "Half of", "failure": {"message": "Broken off"}})
    found = streamed(client)
    assert order(found) == [*BEGIN, *TEXT, "failed"]
    assert found[-1]["response"]["error"] == {"code": "server_error", "message": "Broken off"}


SEARCH = ["in_progress", "searching", "completed"]
STEPS = {
    "web_search_call": [f"web_search_call.{step}" for step in SEARCH],
    "file_search_call": [f"file_search_call.{step}" for step in SEARCH],
    "code_interpreter_call": [
        "code_interpreter_call.in_progress", "code_interpreter_call_code.delta", "code_interpreter_call_code.done",
        "code_interpreter_call.interpreting", "code_interpreter_call.completed",
    ],
    "image_generation_call": [f"image_generation_call.{step}" for step in ("in_progress", "generating", "completed")],
}  # fmt: skip


@pytest.mark.parametrize("kind", STEPS)
def test_tools_of_the_provider(client: Client, kind: str) -> None:
    found = [
        each
        for each in order(streamed(client, tools=[PROVIDERS_TOOLS[kind]], tool_choice="required"))
        if "annotation" not in each
    ]
    assert found == [*BEGIN, "output_item.added", *STEPS[kind], "output_item.done", *TEXT, *END]


def test_annotations_come_before_the_end_of_their_text(client: Client) -> None:
    found = order(streamed(client, input="Tides of Hull", tools=[{"type": "web_search"}], tool_choice="required"))
    at = found.index("output_text.annotation.added")
    assert (found[at - 1], found[at + 1], found[at + 2]) == (
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
    )


@pytest.mark.parametrize("kind", CALLERS_TOOLS)
def test_tools_of_the_caller(client: Client, kind: str) -> None:
    found = streamed(client, tools=[CALLERS_TOOLS[kind]], tool_choice="required")
    assert order(found) == [*BEGIN, "output_item.added", "output_item.done", *END]


def test_servers(client: Client) -> None:
    found = streamed(client, tools=[{**SERVER, "require_approval": "never"}], tool_choice="required")
    listing = ["output_item.added", "mcp_list_tools.in_progress", "mcp_list_tools.completed", "output_item.done"]
    call = ["in_progress", "arguments.delta", "arguments.done", "completed"]
    calls = [f"mcp_call{'_' if step.startswith('arguments') else '.'}{step}" for step in call]
    assert order(found) == [*BEGIN, *listing, "output_item.added", *calls, "output_item.done", *TEXT, *END]


def test_chunks_of_a_script(client: Client) -> None:
    script(client, "one two three four", chunk_size=2)
    deltas = [event["delta"] for event in streamed(client) if event["type"] == "response.output_text.delta"]
    assert deltas == ["one two", " three four"]


def test_logprobs_go_with_their_tokens(client: Client) -> None:
    script(client, "one two three", chunk_size=2)
    found = streamed(client, include=["message.output_text.logprobs"])
    deltas = [event for event in found if event["type"] == "response.output_text.delta"]
    assert ["".join(each["token"] for each in event["logprobs"]) for event in deltas] == ["one two", " three"]


def test_stream_is_told_again(client: Client) -> None:
    found = streamed(client)
    address = f"{RESPONSES}/{found[-1]['response']['id']}"
    assert events(client.get(address, params={"stream": "true"})) == found
    assert events(client.get(address, params={"stream": "true", "starting_after": "3"})) == found[4:]


def test_hit_is_streamed_without_numbers(client: Client) -> None:
    config = {**OPENAI, "cache": {"mode": "simple"}}
    first, hit = (streamed(client, config=config) for _ in range(2))
    assert order(hit) == order(first)
    assert not any("sequence_number" in event for event in hit)
    (id_,) = {event["response"]["id"] for event in hit if "response" in event}
    assert id_.startswith("portkey_cache_")


@pytest.mark.parametrize(("headers", "shown"), [({}, False), (LOOSE, True)])
def test_findings_before_are_told_where_compliance_is_loose(client: Client, headers: dict[str, str], shown: bool) -> None:
    config = {**OPENAI, "input_guardrails": [{"default.contains": {"operator": "none", "words": ["Hello"]}}]}
    reply = respond(client, config, headers, stream=True)
    assert reply.status_code == 246
    assert reply.text.startswith('data: {"hook_results":{"before_request_hooks":[{"verdict":false') is shown


def test_background_is_streamed_as_it_goes_on(client: Client) -> None:
    """Before it is answered there is nothing to tell but that it is queued and runs."""
    sent = watch(client, {"input": "Hello", "background": True, "stream": True}, step_s=0.05, path=RESPONSES)
    names = [data.split(b"\n")[0].removeprefix(b"event: response.").decode() for _, data in sent.pieces]
    times = [at for at, _ in sent.pieces]
    assert (names[:3], names[-1], sent.is_complete) == (["created", "queued", "in_progress"], "completed", True)
    assert (times[2], times[3]) == (0, 0.2)


def test_background_is_followed(client: Client) -> None:
    response = made(client, background=True)
    client.world.clock.move(timedelta(seconds=1))
    found = events(client.get(f"{RESPONSES}/{response['id']}", params={"stream": "true"}))
    assert order(found)[:3] == ["created", "queued", "in_progress"]
    assert found[-1]["response"] == client.get(f"{RESPONSES}/{response['id']}").json()


def test_stream_breaks_off(client: Client) -> None:
    script(client, "one two three", cut_after=4)
    sent = watch(client, {"input": "Hello", "stream": True}, step_s=1, path=RESPONSES)
    assert (len(sent.pieces), sent.is_complete) == (4, False)


def test_stream_is_paced(client: Client) -> None:
    script(client, "one two", chunk_delay_ms=1000)
    sent = watch(client, {"input": "Hello", "stream": True}, step_s=1, path=RESPONSES)
    assert [at for at, _ in sent.pieces] == list(range(10))
