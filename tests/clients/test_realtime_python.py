"""Realtime sessions of the real `openai` and `portkey-ai` for Python, sync and async, in both dialects, over a real socket.

Source of what the clients send: sdk-call-map, WebSockets; gateway-data-plane, /realtime.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from portkey_ai import createHeaders

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.callers import PROVIDER, script
from tests.portkey.live.talking import ANSWER_WITHIN_S, encoded, tone

MODEL = "gpt-realtime"
TEXT = "The tide turns at noon."
QUESTION = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "When does the tide turn?"}]}
TOOL = {"type": "function", "name": "find_tide", "parameters": {"type": "object", "properties": {"port": {"type": "string"}}}}

METHODS = {
    "session.update",
    "response.create",
    "response.cancel",
    "input_audio_buffer.append",
    "input_audio_buffer.clear",
    "input_audio_buffer.commit",
    "output_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "conversation.item.truncate",
}
"""What a connection of any client can send."""

pytestmark = [
    # OpenAI deprecates its older dialect, and `websockets` the way in which the clients connect.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class Session:
    """A connection of any client: its methods by name, events one by one."""

    def __init__(self, manager: Any, runner: asyncio.Runner) -> None:
        self._manager = manager
        self._runner = runner
        self.connection: Any = None

    def __enter__(self) -> Session:
        self.connection = self._done(self._manager.enter())
        assert self.recv().type == "session.created"
        return self

    def __exit__(self, *_: object) -> None:
        self._done(self.connection.close())

    def __call__(self, method: str, **given: Any) -> None:
        """Send an event."""
        holder = self.connection
        *names, last = method.split(".")
        for name in names:
            holder = getattr(holder, name)
        self._done(getattr(holder, last)(**given))

    def recv(self) -> Any:
        """The next event."""
        return self._done(self.connection.recv())

    def until(self, kind: str) -> Any:
        """The next event of a type."""
        return self.all_until(kind)[-1]

    def all_until(self, kind: str) -> list[Any]:
        """All events up to one of a type."""
        events = [self.recv()]
        while events[-1].type != kind:
            assert events[-1].type != "error", events[-1]
            events.append(self.recv())
        return events

    def _done(self, value: Any) -> Any:
        async def wait() -> Any:
            return await asyncio.wait_for(value, ANSWER_WITHIN_S)

        return self._runner.run(wait()) if inspect.isawaitable(value) else value


CLIENTS = [f"{client}{kind}" for client in ("openai", "portkey") for kind in ("", "-async")]


@pytest.fixture(params=[f"{client} {dialect}" for client in CLIENTS for dialect in ("ga", "beta")])
def session(request: pytest.FixtureRequest, portkey: PortkeyWorld, runner: asyncio.Runner) -> Iterator[Session]:
    """A session of each client in each dialect."""
    name, dialect = request.param.split()
    headers = createHeaders(api_key=portkey.api_key, provider=PROVIDER)  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    sockets = portkey.url.replace("http", "ws", 1)
    given: dict[str, Any] = {}
    client: Any
    if name.startswith("portkey"):
        make: Any = portkey.async_client if name.endswith("async") else portkey.client
        client = make(provider=PROVIDER, websocket_base_url=sockets)
    else:
        make = AsyncOpenAI if name.endswith("async") else OpenAI
        client = make(api_key="none", base_url=portkey.url, websocket_base_url=sockets, default_headers=headers)
    if dialect == "ga":
        given["extra_headers"] = headers  # no client sends its own ones there
    holder = client.realtime if dialect == "ga" else client.beta.realtime
    with Session(holder.connect(model=MODEL, **given), runner) as made:
        yield made
    for each in (client, getattr(client, "openai_client", None)):
        closed = each.close() if each is not None else None
        if inspect.isawaitable(closed):
            runner.run(_finished(closed))


async def _finished(closed: Any) -> None:
    await closed


def is_beta(session: Session) -> bool:
    return "beta" in type(session.connection).__module__


def settings(session: Session, *modalities: str, **more: Any) -> dict[str, Any]:
    """Settings of a session in its dialect."""
    if is_beta(session):
        return {"modalities": list(modalities), "turn_detection": None, **more}
    turns = {"input": {"turn_detection": None}}
    return {"type": "realtime", "output_modalities": [modalities[0]], "audio": turns, **more}


def test_text_is_answered(portkey: PortkeyWorld, session: Session) -> None:
    script(portkey, {"text": TEXT})
    session("session.update", session=settings(session, "text"))
    session("conversation.item.create", item=QUESTION)
    session("response.create")
    events = session.all_until("response.done")
    kind = "response.text.delta" if is_beta(session) else "response.output_text.delta"
    assert "".join(event.delta for event in events if event.type == kind) == TEXT
    assert events[-1].response.status == "completed"
    assert events[-1].response.output[0].content[0].text == TEXT


def test_sound_is_answered(portkey: PortkeyWorld, session: Session) -> None:
    script(portkey, {"text": TEXT})
    session("session.update", session=settings(session, "audio", "text"))
    session("response.create")
    events = session.all_until("response.done")
    kind = "response.audio.delta" if is_beta(session) else "response.output_audio.delta"
    samples = b"".join(base64.b64decode(event.delta) for event in events if event.type == kind)
    assert len(samples) / 48000 == pytest.approx(len(TEXT) / 15, abs=0.2)
    assert events[-1].response.output[0].content[0].transcript == TEXT


def test_function_is_called_and_its_result_heard(session: Session) -> None:
    session("session.update", session=settings(session, "text", tools=[TOOL]))
    session("conversation.item.create", item=QUESTION)
    session("response.create", response={"tool_choice": "required"})
    call = session.until("response.done").response.output[0]
    assert (call.name, set(json.loads(call.arguments))) == ("find_tide", {"port"})
    item = {"type": "function_call_output", "call_id": call.call_id, "output": "Seven metres"}
    session("conversation.item.create", item=item)
    session("response.create")
    assert "Seven metres" in session.until("response.done").response.output[0].content[0].text


def test_every_method_is_answered(portkey: PortkeyWorld, session: Session) -> None:
    portkey.clock.freeze()
    script(portkey, {"text": TEXT}, chunk_delay_ms=1000)
    session("session.update", session=settings(session, "audio", "text"))
    session.until("session.updated")
    session("input_audio_buffer.append", audio=encoded(tone(0.5)))
    session("input_audio_buffer.clear")
    session.until("input_audio_buffer.cleared")
    session("input_audio_buffer.append", audio=encoded(tone(0.5)))
    session("input_audio_buffer.commit")
    heard = session.until("input_audio_buffer.committed").item_id
    session("conversation.item.retrieve", item_id=heard)
    assert base64.b64decode(session.until("conversation.item.retrieved").item.content[0].audio) == tone(0.5)
    session("conversation.item.delete", item_id=heard)
    session.until("conversation.item.deleted")
    session("response.create")
    session.until("response.audio.delta" if is_beta(session) else "response.output_audio.delta")
    session("response.cancel")
    done = session.until("response.done").response
    assert (done.status, done.output[0].status) == ("cancelled", "incomplete")
    session("conversation.item.truncate", item_id=done.output[0].id, content_index=0, audio_end_ms=100)
    assert session.until("conversation.item.truncated").audio_end_ms == 100
    session("output_audio_buffer.clear")
    assert session.until("output_audio_buffer.cleared").response_id == done.id


def test_error_is_an_event(session: Session) -> None:
    session("conversation.item.delete", item_id="nowhere", event_id="mine")
    event = session.recv()
    assert (event.type, event.error.type, event.error.event_id) == ("error", "invalid_request_error", "mine")
    session("response.create")
    assert session.until("response.done").response.status == "completed"


def test_connection_has_no_other_methods(session: Session) -> None:
    """A method that a client gains wants a place above."""
    resources = {name: each for name, each in vars(session.connection).items() if not name.startswith("_")}
    resources["conversation.item"] = resources["conversation"].item
    found = {
        f"{name}.{each}"
        for name, resource in resources.items()
        for each in dir(resource)
        if inspect.isroutine(getattr(resource, each)) and not each.startswith("_")
    }
    assert found - METHODS <= {"transcription_session.update"}  # which a session that answers refuses
    assert found >= METHODS
