"""Responses by the real `portkey-ai` and `openai` for Python, sync and async, over a real socket.

Source: gateway-data-plane, /responses, What real clients send and need.
"""

from __future__ import annotations

import asyncio
import inspect
from datetime import timedelta
from typing import Any

import openai
import portkey_ai._vendor.openai as vendored
import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.callers import TEXT, TIDE, Caller, Tide, script

ASK: dict[str, Any] = {"model": "gpt-4o", "input": "Which tide is next?"}
TOOL = {"type": "function", "name": "find_tide", "parameters": TIDE, "strict": True}
NOT_FOUND = (openai.NotFoundError, vendored.NotFoundError)
BAD_REQUEST = (openai.BadRequestError, vendored.BadRequestError)


def helped(call: Caller, **given: Any) -> tuple[list[Any], Any]:
    """The events that the helper gives, and the response that it puts together."""

    async def run() -> tuple[list[Any], Any]:
        made = call.client.responses.stream(**given)
        if hasattr(made, "__aenter__"):
            async with made as stream:
                return [event async for event in stream], await stream.get_final_response()
        with made as stream:
            return list(stream), stream.get_final_response()

    return call._runner.run(run())


def every(call: Caller, page: Any) -> list[Any]:
    """What all pages from one on hold."""

    async def run() -> list[Any]:
        found = await page if inspect.isawaitable(page) else page
        return [item async for item in found] if hasattr(found, "__aiter__") else list(found)

    return call._runner.run(run())


def test_response_is_answered(portkey: PortkeyWorld, call: Caller) -> None:
    script(portkey, {"text": TEXT})
    made = call("responses.create", **ASK)
    assert (made.object, made.status, made.output[0].content[0].text) == ("response", "completed", TEXT)
    assert made.output_text == TEXT
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens > 0


def test_response_is_read_and_deleted(call: Caller) -> None:
    made = call("responses.create", **ASK)
    read = call("responses.retrieve", response_id=made.id)
    assert (read.id, read.output[0].id, read.output[0].content[0].text) == (made.id, made.output[0].id, made.output_text)
    call("responses.delete", response_id=made.id)
    with pytest.raises(NOT_FOUND):
        call("responses.retrieve", response_id=made.id)


def test_conversation_goes_on(call: Caller) -> None:
    first = call("responses.create", **ASK)
    second = call("responses.create", **ASK, previous_response_id=first.id)
    assert second.previous_response_id == first.id
    with pytest.raises(BAD_REQUEST) as caught:
        call("responses.create", **ASK, previous_response_id="resp_9")
    assert getattr(caught.value, "code", None) == "previous_response_not_found"


def test_events_come_in_order(portkey: PortkeyWorld, call: Caller) -> None:
    script(portkey, {"text": TEXT})
    events = call("responses.create", **ASK, stream=True)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT


def test_helper_puts_a_text_together(portkey: PortkeyWorld, call: Caller) -> None:
    script(portkey, {"text": TEXT})
    events, final = helped(call, **ASK)
    assert final.output_text == TEXT
    assert [event.snapshot for event in events if event.type == "response.output_text.delta"][-1] == TEXT


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "web_search"}], "tool_choice": "required"},
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}], "tool_choice": "required"},
        {"model": "o3", "reasoning": {"summary": "auto"}},
    ],
    ids=["search", "code", "thought"],
)
def test_helper_takes_what_comes_before_a_text(call: Caller, more: dict[str, Any]) -> None:
    _, final = helped(call, **{**ASK, **more})
    assert [item.type for item in final.output][-1] == "message"
    assert len(final.output) == 2


def test_helper_parses_arguments(call: Caller) -> None:
    events, final = helped(call, **ASK, tools=[TOOL], tool_choice="required")
    (item,) = final.output
    assert set(item.parsed_arguments) == {"port"}
    assert [event.snapshot for event in events if event.type.endswith("arguments.delta")][-1] == item.arguments


def test_helper_parses_a_form(call: Caller) -> None:
    _, final = helped(call, **ASK, text_format=Tide)
    assert isinstance(final.output_parsed, Tide)


def test_helper_is_told_of_an_end_that_is_none(call: Caller) -> None:
    with pytest.raises(RuntimeError, match=r"response\.completed"):
        helped(call, **ASK, max_output_tokens=2)


def test_form_is_parsed(call: Caller) -> None:
    made = call("responses.parse", **ASK, text_format=Tide)
    assert isinstance(made.output_parsed, Tide)


def test_function_is_called_and_answered(call: Caller) -> None:
    first = call("responses.create", **ASK, tools=[TOOL], tool_choice={"type": "function", "name": "find_tide"})
    (item,) = first.output
    output = {"type": "function_call_output", "call_id": item.call_id, "output": "It comes in at 12:40"}
    second = call("responses.create", model="gpt-4o", previous_response_id=first.id, input=[output])
    assert "12:40" in second.output_text


def test_input_items_are_paged(call: Caller) -> None:
    said = [{"role": "user", "content": str(number)} for number in range(5)]
    made = call("responses.create", model="gpt-4o", input=said)
    found = every(call, call.client.responses.input_items.list(response_id=made.id, limit=2, order="asc"))
    assert [item.content[0].text for item in found] == list("01234")


def test_background_is_waited_for(portkey: PortkeyWorld, call: Caller) -> None:
    portkey.clock.freeze()
    made = call("responses.create", **ASK, background=True)
    seen = [made.status]
    for _ in range(2):
        portkey.clock.move(timedelta(milliseconds=100))
        seen.append(call("responses.retrieve", response_id=made.id).status)
    assert seen == ["queued", "in_progress", "completed"]


def test_background_is_cancelled(portkey: PortkeyWorld, call: Caller) -> None:
    portkey.clock.freeze()
    made = call("responses.create", **ASK, background=True)
    assert call("responses.cancel", response_id=made.id).status == "cancelled"


def test_stream_is_taken_up_again(call: Caller) -> None:
    events = call("responses.create", **ASK, stream=True)
    again = call("responses.retrieve", response_id=events[0].response.id, stream=True, starting_after=2)
    assert [event.type for event in again] == [event.type for event in events[3:]]


@pytest.mark.parametrize("kind", ["openai", "openai-async", "portkey"])
def test_hit_is_streamed(portkey: PortkeyWorld, runner: asyncio.Runner, kind: str) -> None:
    """Its events have no numbers, and no client minds."""
    config = {"provider": "openai", "api_key": "k", "cache": {"mode": "simple"}}
    hitting = Caller(kind, portkey, runner, config=config)
    for _ in range(2):
        _, final = helped(hitting, **ASK)
    hitting.close()
    assert final.id.startswith("portkey_cache_")


def test_helper_falls_over_findings(portkey: PortkeyWorld, runner: asyncio.Runner) -> None:
    """As with the real gateway: Portkey's clients switch strict compliance off, and the helper wants `response.created`."""
    config = {
        "provider": "openai",
        "api_key": "k",
        "input_guardrails": [{"default.contains": {"operator": "any", "words": ["tide"]}}],
    }
    client = Caller("portkey", portkey, runner, config=config)
    with pytest.raises((RuntimeError, AttributeError)):
        helped(client, **ASK)
    client.close()
