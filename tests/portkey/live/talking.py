"""A client of realtime sessions over a real socket, whose events are held to the types of OpenAI's own SDK as they come."""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from openai.types.realtime import RealtimeServerEvent
from portkey_ai._vendor.openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from pydantic import TypeAdapter
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from mockserver.portkey.answers import sound
from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import Record

ANSWER_WITHIN_S = 5
MODEL = "gpt-realtime"
BETA = {"openai-beta": "realtime=v1"}
TEXT_ONLY: Record = {"type": "realtime", "output_modalities": ["text"]}
TIDE: Record = {
    "type": "function",
    "name": "find_tide",
    "parameters": {
        "type": "object",
        "properties": {"port": {"type": "string", "enum": ["Dover", "Hull"]}, "days": {"type": "integer", "minimum": 2}},
        "required": ["port", "days"],
        "additionalProperties": False,
    },
}

_GA: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
_BETA: TypeAdapter[Any] = TypeAdapter(BetaServerEvent)


class Talker:
    """One side of a session."""

    def __init__(self, connection: Any, *, is_beta: bool = False) -> None:
        self._connection = connection
        self.heard: list[Record] = []
        self._types = _BETA if is_beta else _GA

    def __enter__(self) -> Self:
        self.socket: ClientConnection = self._connection.__enter__()
        self.session = self.until("session.created")["session"]
        return self

    def __exit__(self, *raised: Any) -> None:
        self._connection.__exit__(*raised)

    @property
    def headers(self) -> Any:
        """What the gateway has told when it opened the session."""
        assert self.socket.response is not None
        return self.socket.response.headers

    def send(self, kind: Any, **fields: Any) -> None:
        """Send an event."""
        self.socket.send(json.dumps({"type": kind, **fields}))

    def next(self) -> Record:
        """The next event."""
        event: Record = json.loads(self.socket.recv(ANSWER_WITHIN_S))
        self.heard.append(event)
        self._types.validate_python(event)
        return event

    def until(self, kind: str) -> Record:
        """The next event of a type; those before it are in `heard` as well."""
        while (event := self.next())["type"] != kind:
            pass
        return event

    def ask(self, kind: str, answered_by: str, **fields: Any) -> Record:
        """Send an event and return the one of a type that comes back."""
        self.send(kind, **fields)
        return self.until(answered_by)

    def update(self, **session: Any) -> Record:
        """Change the session; return it."""
        found: Record = self.ask("session.update", "session.updated", session=session)["session"]
        return found

    def refused(self, kind: str, **fields: Any) -> Record:
        """Send an event that is refused; return the error, which must be the next that comes."""
        self.send(kind, **fields)
        return self.refusal()

    def refusal(self) -> Record:
        event = self.next()
        assert event["type"] == "error", event
        error: Record = event["error"]
        return error

    def say(self, text: str, **fields: Any) -> Record:
        """Add what a user says; return the item."""
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        self.send("conversation.item.create", item=item, **fields)
        while (event := self.next())["type"] not in ("conversation.item.done", "conversation.item.created"):
            pass
        found: Record = event["item"]
        return found

    def respond(self, **fields: Any) -> Record:
        """Ask for a response; return it as it ended. `heard` holds all its events and no others."""
        self.heard.clear()
        self.send("response.create", **({"response": fields} if fields else {}))
        done: Record = self.until("response.done")["response"]
        self.until("rate_limits.updated")
        return done

    def kinds(self) -> list[str]:
        """The types of what was heard; of events that repeat, one."""
        made: list[str] = []
        for event in self.heard:
            if not (event["type"].endswith(".delta") and event["type"] in made[-2:]):
                made.append(event["type"])
        return made

    def deltas(self, kind: str) -> list[str]:
        """What the events of a type, without its `.delta`, have told piece by piece."""
        return [event["delta"] for event in self.heard if event["type"] == f"{kind}.delta"]

    def samples(self, kind: str = "response.output_audio") -> bytes:
        """The sound that came in pieces."""
        return b"".join(base64.b64decode(each) for each in self.deltas(kind))


def url_of(portkey: PortkeyWorld, model: str | None = MODEL) -> str:
    """Where a world's sessions are opened."""
    query = "" if model is None else "?" + urlencode({"model": model})
    return f"{portkey.url.replace('http', 'ws')}/realtime{query}"


def open_session(portkey: PortkeyWorld, model: str | None = MODEL, key: str = "any", **headers: str) -> Talker:
    """Open a session; dashes of headers are underscores."""
    given = {"x-portkey-api-key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection = connect(url_of(portkey, model), additional_headers=given, max_size=None, open_timeout=ANSWER_WITHIN_S)
    return Talker(connection, is_beta="openai-beta" in given)


def refused_opening(portkey: PortkeyWorld, model: str | None = MODEL, key: str = "any", **headers: str) -> tuple[int, Record]:
    """Open a session in vain; return status and body."""
    try:
        open_session(portkey, model, key, **headers)
    except InvalidStatus as refusal:
        body: Record = json.loads(refusal.response.body)
        return refusal.response.status_code, body
    raise AssertionError("the session was opened")


def script(portkey: PortkeyWorld, answer: Record | str, match: Record | None = None, **more: Any) -> None:
    """Say what models answer."""
    answer = {"text": answer} if isinstance(answer, str) else answer
    reply = httpx.post(f"{portkey.admin_url}/scripts", json={"match": match or {}, "answer": answer, **more})
    assert reply.status_code == 201, reply.text


@contextmanager
def speaking(portkey: PortkeyWorld, **headers: str) -> Iterator[Talker]:
    """A session that only hears what is committed, and answers when it is told to."""
    with open_session(portkey, **headers) as talker:
        talker.update(type="realtime", audio={"input": {"turn_detection": None}})
        yield talker


def tone(seconds: float, hertz: int = 200) -> bytes:
    """Samples of somebody who speaks."""
    return sound.tones([(hertz, seconds)])


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * sound.RATE))


def encoded(samples: bytes) -> str:
    return base64.b64encode(samples).decode()


def loudest(samples: bytes) -> int:
    return max(map(abs, array("h", samples)), default=0)
