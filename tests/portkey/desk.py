"""Steps with assistants, threads and runs that the tests of this tree share."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import read

ASSISTANTS = "/v1/assistants"
THREADS = "/v1/threads"
QUESTION = "Which tide is next in Lisbon?"
FIND_TIDE: Record = {
    "type": "function",
    "function": {
        "name": "find_tide",
        "parameters": {"type": "object", "required": ["port"], "properties": {"port": {"type": "string"}}},
    },
}
OTHER: Record = {"type": "function", "function": {"name": "find_moon", "parameters": {"type": "object"}}}

QUEUED_MS, IN_PROGRESS_MS, CANCELLING_MS = 50, 150, 50


def done(reply: httpx.Response) -> Record:
    """The body of a call that succeeded."""
    assert reply.status_code == 200, reply.text[:500]
    body: Record = reply.json()
    return body


def refusal(reply: httpx.Response, status: int) -> str:
    """Check that a call was refused as providers do; return the words."""
    assert reply.status_code == status, reply.text[:500]
    error = reply.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, None)
    return str(error["message"])


def make_assistant(client: Client, **fields: Any) -> Record:
    return done(client.post(ASSISTANTS, {"model": "gpt-4o", **fields}))


def make_thread(client: Client, *texts: str, **fields: Any) -> str:
    """Make a thread with messages of a user; return its id."""
    messages = [{"role": "user", "content": text} for text in texts]
    return str(done(client.post(THREADS, {"messages": messages, **fields}))["id"])


def make_run(client: Client, assistant: Record | None = None, thread_id: str = "", **fields: Any) -> Record:
    """Let an assistant, a new one unless given, answer a thread with the question."""
    assistant = assistant or make_assistant(client)
    thread_id = thread_id or make_thread(client, QUESTION)
    return done(client.post(f"{THREADS}/{thread_id}/runs", {"assistant_id": assistant["id"], **fields}))


def path_of(run: Record) -> str:
    return f"{THREADS}/{run['thread_id']}/runs/{run['id']}"


def now(client: Client, run: Record) -> Record:
    """The run as it is now."""
    return read(client, path_of(run))


def later(client: Client, run: Record, ms: float = 1000) -> Record:
    """The run as it is in so many milliseconds."""
    client.world.clock.move(timedelta(milliseconds=ms))
    return now(client, run)


def steps_of(client: Client, run: Record, **query: Any) -> list[Record]:
    """The steps of a run, oldest first."""
    found: list[Record] = read(client, f"{path_of(run)}/steps", order="asc", **query)["data"]
    return found


def messages_of(client: Client, thread_id: str) -> list[Record]:
    """The messages of a thread, oldest first."""
    found: list[Record] = read(client, f"{THREADS}/{thread_id}/messages", order="asc")["data"]
    return found


def text_of(message: Record) -> str:
    return str(message["content"][0]["text"]["value"])


def calls_of(run: Record) -> list[Record]:
    """The calls that a run waits for."""
    assert run["status"] == "requires_action", run["status"]
    found: list[Record] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return found


def waiting(client: Client, **fields: Any) -> Record:
    """A run that waits for the output of a function."""
    assistant = make_assistant(client, tools=[FIND_TIDE, OTHER])
    return later(client, make_run(client, assistant, **{"tool_choice": FIND_TIDE, **fields}))


def submit(client: Client, run: Record, *outputs: str, **fields: Any) -> httpx.Response:
    """Submit outputs, one for each call in its order."""
    given = [{"tool_call_id": call["id"], "output": text} for call, text in zip(calls_of(run), outputs, strict=True)]
    return client.post(f"{path_of(run)}/submit_tool_outputs", {"tool_outputs": given, **fields})


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a stream by their names, with their JSON, or the text of what is none."""
    found = []
    for each in text.split("\n\n"):
        if each:
            name, data = each.split("\n")
            content = data.removeprefix("data: ")
            found.append((name.removeprefix("event: "), json.loads(content) if content[0] == "{" else content))
    return found


def names(found: list[tuple[str, Any]]) -> list[str]:
    """The names of events without `thread.`, each run of deltas as one."""
    told = [name.removeprefix("thread.") for name, _ in found]
    return [name for at, name in enumerate(told) if not name.endswith("delta") or told[at - 1 : at] != [name]]
