"""A realtime session: what it hears from a client, and what it says.

Source: gateway-data-plane, /realtime (the sequence, errors that leave the connection open); codes and texts of errors as far as
users of the real service have published them, else *chosen* in their manner.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from typing import Any

from mockserver import values
from mockserver.contract.replies import Closing
from mockserver.portkey.answers import sound, transcription
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.live.checks import Fault, check_event
from mockserver.portkey.live.conversation import Conversation, Item
from mockserver.portkey.live.dialects import GA, Dialect
from mockserver.portkey.live.ear import LONGEST_MS, SHORTEST_MS, Ear, Turn
from mockserver.portkey.live.formats import FORMATS
from mockserver.portkey.live.speaking import Line, Response
from mockserver.values import Record

LASTS_S = {"ga": 3600, "beta": 1800}
"""How long a session lasts, on the clock of the world; it is looked at when the client says something."""

_RATES = (("requests", 10_000), ("tokens", 2_000_000))
"""Rate limits of the provider that are told (*chosen*: large, and counted down by what the session itself has used)."""

_ENDED = Closing(1001, "The session has expired")


class Session:
    """Talks on the WebSocket of one client. Source of its order: what is due first is said first."""

    def __init__(self, line: Line, dialect: Dialect) -> None:
        world = line.exchange.world
        self._line = line
        self._world = world
        self._dialect = dialect
        self._expires_at = int(world.clock.seconds()) + LASTS_S[dialect.name]
        self._settings = dialect.first(f"sess_{world.ids.text(21)}", line.model, self._expires_at)
        self._conversation = Conversation()
        self._conversation_id = f"conv_{world.ids.text(21)}"
        self._ear = Ear()
        self._half_sample = b""
        self._turn_item_id = ""
        self._responses: list[Response] = []
        self._last_response: str | None = None
        self._used = dict.fromkeys((name for name, _ in _RATES), 0)
        self._said: deque[str | Closing] = deque()
        self._handlers: dict[str, Callable[[Record], None]] = {
            "session.update": self._update,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.truncate": self._truncate_item,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "output_audio_buffer.clear": self._clear_output,
            "response.create": self._create_response,
            "response.cancel": self._cancel,
        }
        self.tell("session.created", session=self._settings)

    def due_s(self) -> float | None:
        """At once while there is something to say, else when the next step of a response is due."""
        if self._said:
            return 0.0
        return min((response.due_s for response in self._responses), default=None)

    def say(self) -> str | bytes | Closing | None:
        """Say what waits; when nothing does, go on with the response that is due first."""
        if not self._said and self._responses:
            response = min(self._responses, key=lambda each: each.due_s)
            pause_s = next(response.steps, None)
            if pause_s is None:
                self._responses.remove(response)
            elif response.stopped is None:
                response.due_s += pause_s
        return self._said.popleft() if self._said else None

    def hear(self, message: str | bytes) -> None:
        """Do what a client's event asks for, or tell what is wrong with it."""
        event_id: str | None = None
        try:
            if self._world.clock.seconds() >= self._expires_at:
                self.close(_ENDED)
                minutes = LASTS_S[self._dialect.name] // 60
                raise Fault("session_expired", f"Your session hit the maximum duration of {minutes} minutes.")
            event = _parsed(message)
            said = event.get("event_id")
            event_id = said if isinstance(said, str) else None
            check_event(event, self._dialect)
            self._handlers[event["type"]](event)
        except Fault as fault:
            self._complain(fault, event_id)

    def end(self) -> None:
        """Cancel what is still being said, so that it is counted and logged as far as it went."""
        for response in self._responses:
            response.stop("client_cancelled")
            for _ in response.steps:
                pass

    def tell(self, kind: str, **fields: Any) -> None:
        """Put an event into the line of what is said."""
        if kind == "response.done":
            self._spend(fields["response"])
        event = {"type": kind, "event_id": f"event_{self._world.ids.text(21)}", **fields}
        self._put(values.dump(event).decode())
        if kind == "response.done":
            self._tell_rates()

    def close(self, closing: Closing) -> None:
        """End the connection behind all that waits."""
        self._said.append(closing)

    def _put(self, message: str) -> None:
        if self._said and isinstance(self._said[-1], Closing):
            self._said.insert(len(self._said) - 1, message)
        else:
            self._said.append(message)

    def _complain(self, fault: Fault, event_id: str | None) -> None:
        error = {
            "type": "invalid_request_error",
            "code": fault.code,
            "message": fault.message,
            "param": fault.param,
            "event_id": event_id,
        }
        self.tell("error", error=error)

    def _read(self, name: str) -> Any:
        return self._dialect.read(self._settings, name)

    def _update(self, event: Record) -> None:
        given, dialect = event["session"], self._dialect
        if given.get("model") not in (None, self._settings["model"]):
            raise Fault("invalid_value", "The model of a session cannot be changed.", "session.model")
        voice = dialect.read(given, "voice")
        if voice not in (None, self._read("voice")) and self._has_spoken():
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise Fault("cannot_update_voice", message, "session.voice" if dialect is not GA else "session.audio.output.voice")
        self._settings = dialect.merged(self._settings, given)
        self.tell("session.updated", session=self._settings)

    def _has_spoken(self) -> bool:
        return any(item.sounds and item.record.get("role") == "assistant" for item in self._conversation.items)

    def _create_item(self, event: Record) -> None:
        given, after = event["item"], event.get("previous_item_id")
        behind = None if after in (None, "root") else self._found(after, "create", "previous_item_id")
        if self._conversation.find(given.get("id", "")) is not None:
            message = f"Error adding item: an item with id '{given['id']}' exists already."
            raise Fault("item_create_duplicate_item_id", message, "item.id")
        item = self._item(given, "item")
        self._conversation.add(item, behind, first=after == "root")
        self._tell_of(item)

    def _item(self, given: Record, place: str) -> Item:
        """An item as a client gives it, in its own words but for its sound."""
        record = {"object": "realtime.item", "status": "completed", **given}
        record.setdefault("id", f"item_{self._world.ids.text(21)}")
        item = Item(record)
        kind = record["type"]
        if kind == "function_call":
            record.setdefault("call_id", f"call_{self._world.ids.text(16)}")
        elif kind == "function_call_output" and place == "item" and not self._conversation.calls(record["call_id"]):
            message = f"Tool call ID '{record['call_id']}' not found in conversation."
            raise Fault("invalid_tool_call_id", message, "item.call_id")
        elif kind == "message":
            content = []
            for at, part in enumerate(map(dict, record["content"])):
                if "audio" in part:
                    form = self._read("input_format" if record["role"] == "user" else "output_format")
                    item.sounds[at] = _samples(part.pop("audio"), form, f"{place}.content[{at}].audio")
                    if not part.get("transcript"):
                        item.heard[at] = self._transcript(item.sounds[at]).text
                    part.setdefault("transcript", None)
                content.append(part)
            record["content"] = content
        return item

    def _tell_of(self, item: Item) -> None:
        before = self._conversation.before(item)
        for kind in self._dialect.acks:
            self.tell(kind, previous_item_id=before, item=item.record)

    def _found(self, item_id: str, verb: str, param: str = "item_id") -> Item:
        item = self._conversation.find(item_id)
        if item is None:
            message = f"Error with item '{item_id}': the item with id '{item_id}' does not exist."
            raise Fault(f"item_{verb}_invalid_item_id", message, param)
        return item

    def _retrieve_item(self, event: Record) -> None:
        item = self._found(event["item_id"], "retrieve")
        shown = item.shown(self._dialect, self._read("input_format"), self._read("output_format"))
        self.tell("conversation.item.retrieved", item=shown)

    def _delete_item(self, event: Record) -> None:
        item = self._found(event["item_id"], "delete")
        self._conversation.items.remove(item)
        self.tell("conversation.item.deleted", item_id=item.id)

    def _truncate_item(self, event: Record) -> None:
        item, at, end_ms = self._found(event["item_id"], "truncate"), event["content_index"], event["audio_end_ms"]
        if item.record.get("role") != "assistant" or at not in item.sounds:
            message = "Only audio of the assistant can be truncated."
            raise Fault("item_truncate_invalid_content", message, "content_index")
        if end_ms > item.length_ms(at):
            message = f"Audio content of {item.length_ms(at)}ms is already shorter than {end_ms}ms"
            raise Fault("invalid_value", message, "audio_end_ms")
        item.truncate(at, end_ms)
        self.tell("conversation.item.truncated", item_id=item.id, content_index=at, audio_end_ms=end_ms)

    def _append(self, event: Record) -> None:
        form = self._read("input_format")
        data = self._half_sample + _decoded(event["audio"], "audio")
        self._half_sample = b""
        if form in ("audio/pcm", "pcm16") and len(data) % 2:
            data, self._half_sample = data[:-1], data[-1:]
        self._ear.append(FORMATS[form].decode(data))
        turns = self._read("turns")
        if turns is not None:
            for turn in self._ear.turns(turns):
                self._take_turn(turn, turns)
        if self._ear.length_ms > LONGEST_MS:
            self._ear.take()
            message = f"The input audio buffer held more than {LONGEST_MS // 60_000} minutes and was cleared."
            raise Fault("input_audio_buffer_full", message)

    def _take_turn(self, turn: Turn, settings: Record) -> None:
        """Tell that somebody begins or stops to speak, and answer in the end."""
        if turn.sound is None:
            self._turn_item_id = f"item_{self._world.ids.text(21)}"
            told = {"audio_start_ms": turn.at_ms, "item_id": self._turn_item_id}
            self.tell("input_audio_buffer.speech_started", **told)
            running = self._running()
            if running is not None and settings["interrupt_response"]:
                running.stop("turn_detected")
            return
        self.tell("input_audio_buffer.speech_stopped", audio_end_ms=turn.at_ms, item_id=self._turn_item_id)
        self._keep_heard(turn.sound, self._turn_item_id)
        self._turn_item_id = ""
        running = self._running()
        if settings["create_response"] and (running is None or running.stopped is not None):
            self._start({})

    def _commit(self, event: Record) -> None:
        length_ms = self._ear.length_ms
        if length_ms < SHORTEST_MS:
            message = "Error committing input audio buffer: buffer too small. "
            message += f"Expected at least {SHORTEST_MS}ms of audio, but buffer only has {length_ms:.2f}ms of audio."
            raise Fault("input_audio_buffer_commit_empty", message)
        self._keep_heard(self._ear.take(), self._turn_item_id or f"item_{self._world.ids.text(21)}")
        self._turn_item_id = ""

    def _keep_heard(self, samples: bytes, item_id: str) -> None:
        """Make an item of what was heard, and write it down for who asked for that."""
        record = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        written = self._transcript(samples)
        item = Item(record, {0: samples}, {0: written.text})
        self.tell("input_audio_buffer.committed", previous_item_id=self._conversation.last_id(), item_id=item_id)
        self._conversation.add(item)
        self._tell_of(item)
        if self._read("transcription") is None:
            return
        item.record = {**record, "content": [{"type": "input_audio", "transcript": written.text}]}
        place = {"item_id": item_id, "content_index": 0}
        kind = "conversation.item.input_audio_transcription"
        self.tell(f"{kind}.delta", **place, delta=written.text)
        self.tell(f"{kind}.completed", **place, transcript=written.text, usage=written.usage)

    def _transcript(self, samples: bytes) -> transcription.Transcript:
        settings = self._read("transcription") or {}
        model = settings.get("model") or "gpt-4o-transcribe"
        return transcription.answer(sound.wav(samples), settings, model, Chance(self._world.seed, f"openai/{model}"))

    def _clear(self, event: Record) -> None:
        self._ear.take()
        self._half_sample = b""
        self._turn_item_id = ""
        self.tell("input_audio_buffer.cleared")

    def _clear_output(self, event: Record) -> None:
        """Forget what was said and not heard yet: of a WebSocket, nobody knows (*chosen*: as if it were all)."""
        if self._last_response is None:
            raise Fault("output_audio_buffer_empty", "There is no audio to clear: no response has been made yet.")
        self.tell("output_audio_buffer.cleared", response_id=self._last_response)

    def _create_response(self, event: Record) -> None:
        self._start(event.get("response") or {})

    def _start(self, given: Record) -> None:
        is_alone = given.get("conversation") == "none"
        running = self._running()
        if running is not None and running.stopped is None and not is_alone:
            message = f"Conversation already has an active response in progress: {running.id}. "
            message += "Wait until the response is finished before creating a new one."
            raise Fault("conversation_already_has_active_response", message)
        context = list(self._conversation.items)
        if "input" in given:
            context = [self._referred(each, at) for at, each in enumerate(given["input"])]
        told = {name: value for name, value in given.items() if name not in ("conversation", "input")}
        response = Response(
            self._line,
            self._dialect,
            self,
            self._dialect.merged(self._settings, told),
            context,
            None if is_alone else self._conversation,
            self._conversation_id,
        )
        self._responses.append(response)
        self._last_response = response.id

    def _referred(self, given: Record, at: int) -> Item:
        if given["type"] == "item_reference":
            return self._found(given["id"], "reference", f"response.input[{at}].id")
        return self._item(given, f"response.input[{at}]")

    def _running(self) -> Response | None:
        """The response to the conversation, None when there is none."""
        return next((response for response in reversed(self._responses) if response.is_default), None)

    def _cancel(self, event: Record) -> None:
        wanted = event.get("response_id")
        going = [each for each in self._responses if each.stopped is None]
        found = next((each for each in going if each.id == wanted or (wanted is None and each.is_default)), None)
        if found is None:
            raise Fault("response_cancel_not_active", "Cancellation failed: no active response found")
        found.stop("client_cancelled")

    def _spend(self, response: Record) -> None:
        self._used["requests"] += 1
        self._used["tokens"] += (response["usage"] or {}).get("total_tokens", 0)

    def _tell_rates(self) -> None:
        rates = [
            {"name": name, "limit": limit, "remaining": max(limit - self._used[name], 0), "reset_seconds": 60}
            for name, limit in _RATES
        ]
        self.tell("rate_limits.updated", rate_limits=rates)


def _parsed(message: str | bytes) -> Record:
    if isinstance(message, bytes):
        raise Fault("invalid_message", "Binary messages are not supported: send events as JSON in text messages.")
    try:
        event = values.parse(message.encode("utf-8", "surrogatepass"))
    except values.NotJSON as error:
        raise Fault("invalid_json", f"Could not parse your JSON: it {error}") from None
    if not isinstance(event, dict):
        raise Fault("invalid_type", "Invalid type: an event is an object.")
    return event


def _decoded(text: str, param: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        message = f"Invalid '{param}'. Expected base64-encoded audio bytes but got an invalid value."
        raise Fault("invalid_value", message, param) from None


def _samples(text: str, form: str, param: str) -> bytes:
    data = _decoded(text, param)
    return FORMATS[form].decode(data[: len(data) // 2 * 2] if form in ("audio/pcm", "pcm16") else data)
