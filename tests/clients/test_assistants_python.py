"""Assistants by the real `openai` and `portkey-ai` for Python, sync and async: their poll helpers, streams and pages.

AsyncPortkey's own stream helpers of runs break before they send anything (sdk-call-map 1), so `openai` stands for both there.
Source of what the clients read: gateway-data-plane, What real clients send and need.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler, AsyncOpenAI, BadRequestError, NotFoundError, OpenAI

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.callers import PROVIDER, Caller, script

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # OpenAI deprecates what it still serves

QUESTION = "Which tide is next in Lisbon?"
FIND_TIDE: Any = {"type": "function", "function": {"name": "find_tide", "parameters": {"type": "object"}}}
ASKED: list[Any] = [{"role": "user", "content": QUESTION}]


def made(call: Caller) -> tuple[str, str]:
    """An assistant with a function, and a thread with a question: their ids."""
    assistant = call("beta.assistants.create", model="gpt-4o", name="Desk", tools=[FIND_TIDE])
    return assistant.id, call("beta.threads.create", messages=ASKED).id


@pytest.fixture
def client(portkey: PortkeyWorld) -> OpenAI:
    made: OpenAI = portkey.openai(default_headers={"x-portkey-provider": PROVIDER}, max_retries=0)
    return made


@pytest.fixture
def run(client: OpenAI) -> dict[str, Any]:
    """What a run is made with."""
    assistant = client.beta.assistants.create(model="gpt-4o", tools=[FIND_TIDE])
    return {"assistant_id": assistant.id, "thread_id": client.beta.threads.create(messages=ASKED).id}


class Heard(AssistantEventHandler):
    """Writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def on_text_created(self, text: Any) -> None:
        self.heard.append("text created")

    def on_text_done(self, text: Any) -> None:
        self.heard.append(f"text done: {text.value}")

    def on_tool_call_created(self, tool_call: Any) -> None:
        self.heard.append(f"call created: {tool_call.function.name}")

    def on_tool_call_done(self, tool_call: Any) -> None:
        self.heard.append(f"call done: {tool_call.function.arguments}")

    def on_run_step_done(self, run_step: Any) -> None:
        self.heard.append(f"step done: {run_step.type}")

    def on_end(self) -> None:
        self.heard.append("end")


def test_poll_helpers_lead_through_a_function_to_an_answer(call: Caller) -> None:
    assistant_id, thread_id = made(call)
    choice = {"tool_choice": FIND_TIDE}
    waiting = call("beta.threads.runs.create_and_poll", thread_id=thread_id, assistant_id=assistant_id, **choice)
    assert waiting.status == "requires_action"
    (asked,) = waiting.required_action.submit_tool_outputs.tool_calls
    outputs = [{"tool_call_id": asked.id, "output": "12:40"}]
    ended = call("beta.threads.runs.submit_tool_outputs_and_poll", thread_id=thread_id, run_id=waiting.id, tool_outputs=outputs)
    assert (ended.status, ended.usage.total_tokens > 0) == ("completed", True)
    answer = call("beta.threads.messages.list", thread_id=thread_id).data[0]
    assert "12:40" in answer.content[0].text.value
    calling = call("beta.threads.runs.steps.list", thread_id=thread_id, run_id=ended.id, order="asc").data[0]
    assert calling.step_details.tool_calls[0].function.output == "12:40"


def test_a_handler_hears_all_of_an_answer(portkey: PortkeyWorld, client: OpenAI, run: dict[str, Any]) -> None:
    script(portkey, {"text": "At noon."})
    with client.beta.threads.runs.stream(**run, event_handler=Heard()) as stream:
        stream.until_done()
        final = stream.get_final_run()
    assert stream.heard == ["text created", "text done: At noon.", "step done: message_creation", "end"]
    assert final.status == "completed"
    assert [each.content[0].text.value for each in stream.get_final_messages()] == ["At noon."]  # type: ignore[union-attr]  # it is a text


def test_texts_come_bit_by_bit(portkey: PortkeyWorld, client: OpenAI, run: dict[str, Any]) -> None:
    script(portkey, {"text": "The tide is high."}, chunk_size=2)
    with client.beta.threads.runs.stream(**run) as stream:
        assert list(stream.text_deltas) == ["The tide", " is high", "."]


def test_functions_are_heard_and_answered(client: OpenAI, run: dict[str, Any]) -> None:
    with client.beta.threads.runs.stream(**run, tool_choice=FIND_TIDE, event_handler=Heard()) as stream:
        stream.until_done()
        waiting = stream.current_run
    assert waiting is not None
    assert waiting.required_action is not None
    (asked,) = waiting.required_action.submit_tool_outputs.tool_calls
    assert stream.heard == ["call created: find_tide", f"call done: {asked.function.arguments}", "end"]
    with client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=waiting.id, thread_id=waiting.thread_id, tool_outputs=[{"tool_call_id": asked.id, "output": "12:40"}]
    ) as going_on:
        assert "12:40" in "".join(going_on.text_deltas)


def test_tools_of_the_provider_are_heard(client: OpenAI, run: dict[str, Any]) -> None:
    class Code(AssistantEventHandler):
        heard = ""

        def on_tool_call_done(self, tool_call: Any) -> None:
            self.heard = f"{tool_call.code_interpreter.input} gives {tool_call.code_interpreter.outputs[0].logs}"

    code: Any = {"type": "code_interpreter"}
    with client.beta.threads.runs.stream(**run, tools=[code], tool_choice=code, event_handler=Code()) as stream:
        stream.until_done()
        steps = stream.get_final_run_steps()
    assert stream.heard.endswith("print(len(words)) gives 3")
    assert [step.type for step in steps] == ["tool_calls", "message_creation"]


def test_portkey_streams_a_thread_and_its_run(portkey: PortkeyWorld, run: dict[str, Any]) -> None:
    script(portkey, {"text": "At noon."})
    threads = portkey.client(provider=PROVIDER).beta.threads
    with threads.create_and_run_stream(assistant_id=run["assistant_id"], thread={"messages": ASKED}) as stream:
        told = [event.event for event in stream]
    assert (told[:2], told[-1]) == (["thread.created", "thread.run.created"], "thread.run.completed")


def test_async_streams_are_heard(portkey: PortkeyWorld, run: dict[str, Any]) -> None:
    script(portkey, {"text": "At noon."})

    class AsyncHeard(AsyncAssistantEventHandler):
        text = ""

        async def on_text_delta(self, delta: Any, snapshot: Any) -> None:
            self.text += delta.value

    async def hear() -> tuple[str, str, list[str]]:
        headers = {"x-portkey-provider": PROVIDER}
        async with AsyncOpenAI(api_key=portkey.api_key, base_url=portkey.url, default_headers=headers) as client:
            async with client.beta.threads.runs.stream(**run, event_handler=AsyncHeard()) as stream:
                await stream.until_done()
                final = await stream.get_final_run()
            async with client.beta.threads.create_and_run_stream(assistant_id=run["assistant_id"]) as made:
                deltas = [text async for text in made.text_deltas]
        return stream.text, final.status, deltas

    text, status, deltas = asyncio.run(hear())
    assert (text, status, "".join(deltas)) == ("At noon.", "completed", "At noon.")


def test_a_failure_is_told_to_the_end(portkey: PortkeyWorld, client: OpenAI, run: dict[str, Any]) -> None:
    script(portkey, {"error": {"status": 429, "message": "Not now."}}, match={"operation": "createRun"})
    with client.beta.threads.runs.stream(**run) as stream:
        told = [event.event for event in stream]
    final = stream.current_run
    assert told[-2] == "thread.run.failed"  # behind it the error, which this client names no more
    assert final is not None
    assert final.last_error is not None
    assert (final.last_error.code, final.last_error.message) == ("rate_limit_exceeded", "Not now.")


def test_cancelling_ends_a_stream(portkey: PortkeyWorld, client: OpenAI, run: dict[str, Any]) -> None:
    script(portkey, {"text": "one two three " * 100}, chunk_delay_ms=5)
    told: list[str] = []
    with client.beta.threads.runs.stream(**run) as stream:
        for event in stream:
            told.append(event.event)
            if told.count("thread.message.delta") == 1 and stream.current_run and "thread.run.cancelling" not in told:
                client.beta.threads.runs.cancel(stream.current_run.id, thread_id=run["thread_id"])
        cut = stream.get_final_messages()[0]
    assert told[-3:] == ["thread.message.incomplete", "thread.run.step.cancelled", "thread.run.cancelled"]
    assert told.count("thread.message.delta") < 100
    assert "one two three " * 100 != cut.content[0].text.value.strip() != ""


def test_who_leaves_a_stream_leaves_a_run_that_ends(client: OpenAI, portkey: PortkeyWorld, run: dict[str, Any]) -> None:
    with client.beta.threads.runs.stream(**run) as stream:
        first = next(iter(stream))
    assert first.event == "thread.run.created"
    ended = client.beta.threads.runs.retrieve(first.data.id, thread_id=run["thread_id"])
    assert ended.status == "completed"


def test_pages_are_followed_to_the_end(openai: Caller) -> None:
    thread = openai("beta.threads.create", messages=[{"role": "user", "content": str(number)} for number in range(5)])
    for order in ("asc", "desc"):
        pages = openai.client.beta.threads.messages.list(thread.id, limit=2, order=order)
        texts = openai._runner.run(_texts(pages))
        assert texts == (["0", "1", "2", "3", "4"] if order == "asc" else ["4", "3", "2", "1", "0"])


async def _texts(pages: Any) -> list[str]:
    if hasattr(pages, "__aiter__"):
        return [message.content[0].text.value async for message in pages]
    return [message.content[0].text.value for message in pages]


def test_refusals_are_the_errors_of_the_client(client: OpenAI, run: dict[str, Any]) -> None:
    with pytest.raises(NotFoundError, match="No assistant found with id 'asst_1'"):
        client.beta.assistants.retrieve("asst_1")
    made = client.beta.threads.runs.create(**run)
    with pytest.raises(BadRequestError, match="already has an active run"):
        client.beta.threads.runs.create(**run)
    client.beta.threads.runs.cancel(made.id, thread_id=made.thread_id)
    assert client.beta.threads.runs.poll(made.id, thread_id=made.thread_id).status == "cancelled"
