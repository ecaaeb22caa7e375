"""A response: what the model says to a conversation, event by event.

Source: gateway-data-plane, /realtime (the sequence); the OpenAI SDK, `types/realtime` (what each event holds, and that all
that has begun is ended also when it is cut short). *chosen*: what sound costs; a limit counts the tokens of sound as well, so
that usage never lies above it, but cuts nothing that a script says.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from mockserver.contract.replies import Closing, Reply
from mockserver.portkey.answers import speech, tokens
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.gateway import serving, upstream
from mockserver.portkey.gateway.exchange import Exchange, Outcome, Provider
from mockserver.portkey.live.conversation import (
    HEARD_TOKENS_A_SECOND,
    Conversation,
    Item,
    messages,
    seconds_heard,
    written,
)
from mockserver.portkey.live.dialects import VOICE, Dialect, limit_of
from mockserver.portkey.live.formats import FORMATS
from mockserver.values import Record

_CHARACTERS_A_SECOND = 15
_SPOKEN_TOKENS_A_SECOND = 20
"""As speech here has them."""

BROKEN_OFF = Closing(1011, "The upstream broke off")

_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is not whole, by the reason for which a model ends in chat."""


@dataclass(frozen=True)
class Line:
    """Who answers on a connection: the provider that its config led to, the target of it, and where that stands in it."""

    exchange: Exchange
    provider: Provider
    model: str
    target: Record
    path: str


class Teller(Protocol):
    """Tells the client."""

    def tell(self, kind: str, **fields: object) -> None:
        """Tell an event."""
        ...

    def close(self, closing: Closing) -> None:
        """End the connection."""
        ...


@dataclass
class Count:
    """Tokens of a response, of text and of sound."""

    text_in: int
    sound_in: int
    text_out: int = 0
    sound_out: int = 0

    def as_json(self) -> Record:
        """Return it as a response tells it."""
        asked, answered = self.text_in + self.sound_in, self.text_out + self.sound_out
        cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        return {
            "total_tokens": asked + answered,
            "input_tokens": asked,
            "output_tokens": answered,
            "input_token_details": {
                "text_tokens": self.text_in,
                "audio_tokens": self.sound_in,
                "image_tokens": 0,
                "cached_tokens": 0,
                "cached_tokens_details": cached,
            },
            "output_token_details": {"text_tokens": self.text_out, "audio_tokens": self.sound_out},
        }


class Response:
    """One response, which is told step by step, and can be stopped between two steps.

    `due_s` is the time of the world at which the next step is due.
    """

    def __init__(
        self,
        line: Line,
        dialect: Dialect,
        teller: Teller,
        settings: Record,
        context: Sequence[Item],
        conversation: Conversation | None,
        conversation_id: str | None,
    ) -> None:
        """`settings` are those of the session with what was asked for; `conversation` takes the answer, None for nowhere."""
        world = line.exchange.world
        self.id = f"resp_{world.ids.text(21)}"
        self.due_s = world.clock.seconds()
        self.stopped: str | None = None
        self.is_default = conversation is not None
        self._line = line
        self._dialect = dialect
        self._tell = teller.tell
        self._close = teller.close
        self._settings = settings
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._output: list[Record] = []
        self._is_spoken = "audio" in dialect.read(settings, "modalities")
        self._body = _asked(line.model, dialect, settings, context)
        instructions = settings.get("instructions") or ""
        read = tokens.count_messages(written(instructions, context)) + tokens.count_tools(self._body)
        self._count = Count(read, round(HEARD_TOKENS_A_SECOND * seconds_heard(context)))
        line.exchange.elapsed_ms = 0.0
        self._answer = upstream.ask(line.exchange, line.target, line.provider, self._body, line.path, line.model)
        self._delay_ms = line.exchange.elapsed_ms
        script = self._answer.script
        self._chunk_size = script.get("chunk_size") or 1
        self._pause_s = script.get("chunk_delay_ms", 0) / 1000
        self._left: int | None = script.get("cut_after")
        self.steps = self._steps()

    @property
    def last_item_id(self) -> str | None:
        """The id of the last item that it has begun."""
        return self._output[-1]["id"] if self._output else None

    def stop(self, reason: str) -> None:
        """Let it end at its next step, which is due at once."""
        self.stopped = reason
        self.due_s = 0.0

    def _steps(self) -> Iterator[float]:
        """Tell it, and yield the seconds that are to pass before what comes next."""
        self._tell("response.created", response=self._shown("in_progress"))
        yield self._delay_ms / 1000
        if self.stopped is not None:
            self._end("cancelled", {"type": "cancelled", "reason": self.stopped})
            return
        if self._answer.status != 200:
            error = self._answer.body["error"]
            told = {"type": error["type"], "code": error["code"], "message": error["message"]}
            self._end("failed", {"type": "failed", "error": told})
            return
        choice = self._answer.body["choices"][0]
        said = choice["message"]
        text = said["content"] if said["content"] is not None else said["refusal"]
        if text is not None or not said.get("tool_calls"):
            pieces, is_cut = self._fitting(tokens.pieces(text or ""))
            if is_cut:
                choice = {**choice, "finish_reason": "length"}
            yield from self._say(pieces, is_whole=choice["finish_reason"] not in _REASONS)
        for call in said.get("tool_calls") or ():
            if self.stopped is None:
                yield from self._call(call["function"], is_whole=choice["finish_reason"] not in _REASONS)
        if self._left == 0:
            self._close(BROKEN_OFF)
        elif self.stopped is not None:
            self._end("cancelled", {"type": "cancelled", "reason": self.stopped})
        elif choice["finish_reason"] in _REASONS:
            self._end("incomplete", {"type": "incomplete", "reason": _REASONS[choice["finish_reason"]]})
        else:
            self._end("completed", {"type": "completed"})

    def _fitting(self, pieces: list[str]) -> tuple[list[str], bool]:
        """As many tokens as fit below the limit with those of their sound, and whether that is not all."""
        limit = limit_of(self._dialect, self._settings)
        if limit is None or not self._is_spoken or self._answer.script.get("answer"):
            return pieces, False
        length = 0
        for at, piece in enumerate(pieces):
            length += len(piece)
            if at + 1 + _sound_tokens(length) > limit:
                return pieces[:at], True
        return pieces, False

    def _say(self, pieces: list[str], *, is_whole: bool) -> Iterator[float]:
        kind = self._dialect.parts[self._is_spoken]
        field = "transcript" if self._is_spoken else "text"
        item = Item({**self._new_item("message"), "role": "assistant", "content": []})
        at = self._begin(item)
        place = {"response_id": self.id, "item_id": item.id, "output_index": at, "content_index": 0}
        part = {"type": "audio" if self._is_spoken else "text", field: ""}
        self._tell("response.content_part.added", **place, part=part)
        words, sound = self._dialect.streams[field], self._dialect.streams["sound"]
        form = FORMATS[self._dialect.read(self._settings, "output_format")]
        text = "".join(pieces)
        spoken = form.encode(self._speech(text)) if self._is_spoken and text else b""
        said, told, end = "", 0, 0
        for group in self._groups(pieces):
            delta = "".join(group)
            said += delta
            told += len(group)
            self._tell(f"{words}.delta", **place, delta=delta)
            if self._is_spoken:
                begin, end = end, form.width * round(len(spoken) // form.width * len(said) / len(text))
                self._tell(f"{sound}.delta", **place, delta=base64.b64encode(spoken[begin:end]).decode())
            yield self._pause_s
        if self._left == 0:
            return
        self._count.text_out += told
        if self._is_spoken:
            self._count.sound_out += _sound_tokens(len(said))
            item.sounds[0] = form.decode(spoken[:end])
            self._tell(f"{sound}.done", **place)
        self._tell(f"{words}.done", **place, **{field: said})
        self._tell("response.content_part.done", **place, part={**part, field: said})
        self._finish(item, at, is_done=is_whole and self.stopped is None, content=[{"type": kind, field: said}])

    def _call(self, function: Record, *, is_whole: bool) -> Iterator[float]:
        call_id = f"call_{self._line.exchange.world.ids.text(16)}"
        item = Item({**self._new_item("function_call"), "name": function["name"], "call_id": call_id, "arguments": ""})
        at = self._begin(item)
        place = {"response_id": self.id, "item_id": item.id, "output_index": at, "call_id": call_id}
        said = ""
        for group in self._groups(tokens.pieces(function["arguments"])):
            delta = "".join(group)
            said += delta
            self._tell("response.function_call_arguments.delta", **place, delta=delta)
            yield self._pause_s
        if self._left == 0:
            return
        self._count.text_out += tokens.count(function["name"]) + tokens.count(said)
        named = {"name": function["name"]} if self._dialect.names_calls else {}
        self._tell("response.function_call_arguments.done", **place, arguments=said, **named)
        self._finish(item, at, is_done=is_whole and self.stopped is None, arguments=said)

    def _groups(self, pieces: list[str]) -> Iterator[list[str]]:
        """The tokens of each piece that is told, until somebody stops it or the connection is to break off."""
        for start in range(0, len(pieces), self._chunk_size):
            if self.stopped is not None or self._left == 0:
                return
            if self._left is not None:
                self._left -= 1
            yield pieces[start : start + self._chunk_size]

    def _new_item(self, kind: str) -> Record:
        id_ = f"item_{self._line.exchange.world.ids.text(21)}"
        return {"id": id_, "object": "realtime.item", "type": kind, "status": "in_progress"}

    def _begin(self, item: Item) -> int:
        at = len(self._output)
        self._output.append(item.record)
        self._tell("response.output_item.added", response_id=self.id, output_index=at, item=item.record)
        if self._conversation is not None:
            before = self._conversation.last_id()
            self._conversation.add(item)
            self._tell(self._dialect.acks[0], previous_item_id=before, item=item.record)
        return at

    def _finish(self, item: Item, at: int, *, is_done: bool, **more: object) -> None:
        item.record = {**item.record, "status": "completed" if is_done else "incomplete", **more}
        self._output[at] = item.record
        if self._conversation is not None and item in self._conversation.items:
            for kind in self._dialect.acks[1:]:
                self._tell(kind, previous_item_id=self._conversation.before(item), item=item.record)
        self._tell("response.output_item.done", response_id=self.id, output_index=at, item=item.record)

    def _end(self, status: str, details: Record) -> None:
        """Tell how it ended, once it is counted and logged: who is told may look at once."""
        line, count = self._line, self._count
        script_usage = (self._answer.script.get("answer") or {}).get("usage") or {}
        if "prompt_tokens" in script_usage:
            count.text_in, count.sound_in = script_usage["prompt_tokens"], 0
        if "completion_tokens" in script_usage:
            count.text_out, count.sound_out = script_usage["completion_tokens"], 0
        usage = None if status == "failed" else count.as_json()
        shown = {**self._shown(status), "status_details": details, "usage": usage}
        outcome = Outcome(Reply(self._answer.status, shown), line.path, line.provider, line.model, response=shown)
        if usage is not None:
            outcome.usage, outcome.asked = (usage["input_tokens"], usage["output_tokens"]), True
            outcome.sound = (count.sound_in, count.sound_out)
        line.exchange.elapsed_ms = self._delay_ms
        serving.settle(line.exchange, outcome, self._body)
        self._tell("response.done", response=shown)

    def _shown(self, status: str) -> Record:
        settings, dialect = self._settings, self._dialect
        limit = dialect.read(settings, "limit")
        made: Record = {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": None,
            "output": list(self._output),
            "conversation_id": self._conversation_id if self.is_default else None,
            "max_output_tokens": "inf" if limit is None else limit,
            "usage": None,
            "metadata": settings.get("metadata"),
        }
        if dialect.speaks_alone:
            output = settings["audio"]["output"]
            made["output_modalities"] = dialect.read(settings, "modalities")
            voice = output["voice"]
            shown = voice["id"] if isinstance(voice, dict) else voice  # in a response, the SDK knows names alone
            made["audio"] = {"output": {"format": output["format"], "voice": shown}}
        else:
            names = ("modalities", "voice", "output_audio_format", "temperature")
            made.update({name: settings[name] for name in names})
        return made

    def _speech(self, text: str) -> bytes:
        """The text in samples."""
        line, read = self._line, self._dialect.read
        voice = read(self._settings, "voice") or VOICE
        said = {"input": text, "voice": voice, "speed": read(self._settings, "speed"), "response_format": "pcm"}
        return speech.answer(said, line.model, Chance(line.exchange.world.seed, f"{line.provider.name}/{line.model}")).content


def _sound_tokens(characters: int) -> int:
    return ceil(characters * _SPOKEN_TOKENS_A_SECOND / _CHARACTERS_A_SECOND)


def _asked(model: str, dialect: Dialect, settings: Record, context: Sequence[Item]) -> Record:
    """What a model is asked, as a chat."""
    body: Record = {"model": model, "messages": messages(settings.get("instructions") or "", context)}
    functions = [
        {"type": "function", "function": {name: tool[name] for name in ("name", "description", "parameters") if name in tool}}
        for tool in settings.get("tools") or ()
        if tool["type"] == "function" and "name" in tool
    ]
    if functions:
        body["tools"] = functions
    choice = settings.get("tool_choice")
    if (isinstance(choice, dict) and choice["type"] == "function") or choice == "required":
        body["tool_choice"] = choice
    limit = limit_of(dialect, settings)
    if limit is not None:
        body["max_completion_tokens"] = limit
    return body
