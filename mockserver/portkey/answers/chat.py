"""What a model answers in a conversation. Source: gateway-data-plane, /chat/completions.

It answers in words of the last user's message, unless a tool must be called, a form is asked for, or a script says what it
answers. *Chosen*: left to itself it calls no tool, so that every conversation with tools ends; a script can make it call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from mockserver.portkey.answers import logprobs, samples, tokens, wording
from mockserver.portkey.answers.asking import Asked, Tool, asked
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.ids import Ids
from mockserver.portkey.answers.script import Said, SaidCall
from mockserver.values import JSON, Record, dump

_MATTERS = (
    "messages", "tools", "tool_choice", "functions", "function_call", "response_format", "seed", "temperature", "top_p",
    "frequency_penalty", "presence_penalty", "logit_bias", "thinking", "reasoning_effort", "verbosity",
)  # fmt: skip
"""What makes an answer another one. Limits, stops and the form of the reply only cut or show the same one."""


_SERVICE_TIERS: dict[JSON, str] = {"flex": "flex", "priority": "priority"}
"""The tiers that are given to whoever asks for them; all else gets the usual one."""


class Call(NamedTuple):
    """A tool or function that the model asks for; `arguments` is the text of JSON, or what a custom tool takes."""

    id: str
    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"

    def as_json(self) -> Record:
        """Return it as it stands in a message."""
        field = "arguments" if self.kind == "function" else "input"
        return {"id": self.id, "type": self.kind, self.kind: {"name": self.name, field: self.arguments}}


class Choice(NamedTuple):
    """One answer. `text` is its text or refusal, `pieces` are the tokens of that, None when it has neither."""

    text: str | None
    pieces: Sequence[str] | None
    refused: bool
    calls: tuple[Call, ...]
    thought: Sequence[str]
    finish_reason: str

    @property
    def tokens(self) -> int:
        """How many tokens were written."""
        called = sum([tokens.count(call.name) + tokens.count(call.arguments) for call in self.calls])
        return len(self.pieces or ()) + len(self.thought) + called


class Usage(NamedTuple):
    """Tokens read and written; `reasoning` are among those written."""

    prompt: int
    completion: int
    reasoning: int = 0

    def as_json(self) -> Record:
        """Return it as a reply tells it."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


@dataclass(eq=False)
class Spoken:
    """What is answered to one call, apart from ids and time.

    `legacy` shows calls in the older form; `top_logprobs` is None where nobody asked.
    """

    model: str
    fingerprint: str
    service_tier: str
    choices: tuple[Choice, ...]
    usage: Usage
    legacy: bool
    top_logprobs: int | None
    root: bytes
    _shown: tuple[list[Record], Record] | None = field(init=False, default=None)

    def shown(self) -> tuple[list[Record], Record]:
        """Return the choices and the usage as replies tell them; all that tell the same share them, so nobody changes them."""
        if self._shown is None:
            self._shown = self._choices(), self.usage.as_json()
        return self._shown

    def _choices(self) -> list[Record]:
        return [
            {
                "index": index,
                "message": self._message(choice),
                "logprobs": None if self.top_logprobs is None else self._logprobs(choice, self._likely(index, choice)),
                "finish_reason": choice.finish_reason,
            }
            for index, choice in enumerate(self.choices)
        ]

    def _message(self, choice: Choice) -> Record:
        text = choice.text
        message: Record = {
            "role": "assistant",
            "content": None if choice.refused else text,
            "refusal": text if choice.refused else None,
            "annotations": [],
        }
        if choice.calls and self.legacy:
            message["function_call"] = {"name": choice.calls[0].name, "arguments": choice.calls[0].arguments}
        elif choice.calls:
            message["tool_calls"] = [call.as_json() for call in choice.calls]
        if choice.thought:
            message["content_blocks"] = [{"type": "thinking", "thinking": "".join(choice.thought)}]
            if message["content"]:
                message["content_blocks"].append({"type": "text", "text": text})
        return message

    def opening(self, choice: Choice) -> Record:
        """Return what the first chunk of an answer says."""
        opening: Record = {"role": "assistant", "content": "", "refusal": None}
        if choice.refused:
            opening = {"role": "assistant", "content": None, "refusal": ""}
        elif choice.pieces is None:
            opening["content"] = None
        return opening

    def deltas(self, index: int, choice: Choice, size: int) -> Iterator[tuple[Record, Record | None]]:
        """Yield what the chunks after the first say, so many tokens in each, and their logprobs."""
        for thought in _grouped(choice.thought, size):
            yield {"content_blocks": [{"index": 0, "delta": {"thinking": "".join(thought)}}]}, None
        likely = self._likely(index, choice)
        for at, group in enumerate(_grouped(choice.pieces or (), size)):
            text = "".join(group)
            delta: Record = {"refusal" if choice.refused else "content": text}
            if choice.thought and not choice.refused:
                delta["content_blocks"] = [{"index": 1, "delta": {"text": text}}]
            yield delta, self._logprobs(choice, None if likely is None else likely[at * size : (at + 1) * size])
        for at, call in enumerate(choice.calls):
            field = "arguments" if call.kind == "function" else "input"
            begun = call.as_json()
            begun[call.kind][field] = ""
            yield {"function_call": begun["function"]} if self.legacy else {"tool_calls": [{"index": at, **begun}]}, None
            for group in _grouped(tokens.pieces(call.arguments), size):
                more = {field: "".join(group)}
                yield {"function_call": more} if self.legacy else {"tool_calls": [{"index": at, call.kind: more}]}, None

    def _likely(self, index: int, choice: Choice) -> list[logprobs.Likely] | None:
        if self.top_logprobs is None or choice.pieces is None:
            return None
        return logprobs.told(choice.pieces, Chance.at(self.root).of("logprobs", index), self.top_logprobs)

    def _logprobs(self, choice: Choice, likely: Sequence[logprobs.Likely] | None) -> Record | None:
        if likely is None:
            return None
        told = [
            {**_token(each.token, each.logprob), "top_logprobs": [_token(token, logprob) for token, logprob in each.top]}
            for each in likely
        ]
        return {"content": None, "refusal": told} if choice.refused else {"content": told, "refusal": None}


class Completion(NamedTuple):
    """The answers to one call."""

    id: str
    created: int
    spoken: Spoken

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The answers."""
        return self.spoken.choices

    @property
    def usage(self) -> Usage:
        """What was read and written for all of them."""
        return self.spoken.usage

    def as_json(self) -> Record:
        """Return the reply."""
        spoken = self.spoken
        choices, usage = spoken.shown()
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": spoken.model,
            "choices": choices,
            "usage": usage,
            "service_tier": spoken.service_tier,
            "system_fingerprint": spoken.fingerprint,
        }

    def chunks(self, include_usage: bool = False, chunk_size: int | None = None) -> Iterator[Record]:
        """Yield the reply in chunks of so many tokens, one as a rule; several answers take turns.

        Answers first appear in the order of their indexes, and so do the calls of each: clients demand it
        (gateway-data-plane, What real clients send and need).
        """
        spoken = self.spoken
        head = {"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": spoken.model}
        tail: Record = {"service_tier": spoken.service_tier, "system_fingerprint": spoken.fingerprint}
        if include_usage:
            tail["usage"] = None

        def chunk(index: int, delta: Record, told: Record | None = None, finish_reason: str | None = None) -> Record:
            choice = {"index": index, "delta": delta, "logprobs": told, "finish_reason": finish_reason}
            return {**head, "choices": [choice], **tail}

        for index, choice in enumerate(spoken.choices):
            yield chunk(index, spoken.opening(choice))
        speaking = [(at, spoken.deltas(at, choice, max(chunk_size or 1, 1))) for at, choice in enumerate(spoken.choices)]
        while speaking:
            still = []
            for index, deltas in speaking:
                if (found := next(deltas, None)) is not None:
                    yield chunk(index, *found)
                    still.append((index, deltas))
                else:
                    yield chunk(index, {}, finish_reason=spoken.choices[index].finish_reason)
            speaking = still
        if include_usage:
            yield {**head, "choices": [], **tail, "usage": self.usage.as_json()}


def answer(
    body: Record, model: str, root: bytes, ids: Ids, created: int, said: Said | None = None, text: bytes = b""
) -> Completion:
    """Answer a conversation. `root` is that of chance; `text` is what says the body, as far as that is known.

    Everything but ids and time follows from the seed, the model and what the request asks for. Raises `Unanswerable`.
    """
    id_ = ids.new("chatcmpl-")
    if not text or said is not None or len(text) > _LONGEST or body.get("tools") or body.get("functions"):
        return Completion(id_, created, _spoken(body, model, said or Said(), root, ids))
    place = _remembered(root, model, text)
    if not place:
        place.append(_spoken(body, model, Said(), root, ids))
    return Completion(id_, created, place[0])


_LONGEST = 4096
"""Bytes of a request of which it is remembered what is answered."""


@lru_cache(maxsize=512)
def _remembered(root: bytes, model: str, text: bytes) -> list[Spoken]:
    """The place of what is answered to this text, empty at first.

    It all follows from them where no tool is called, since calls have ids; and tests ask the same again and again.
    """
    return []


def _spoken(body: Record, model: str, said: Said, of_model: bytes, ids: Ids) -> Spoken:
    """What is answered. Raises `Unanswerable`."""
    root = Chance.at(of_model).root_of("chat", model, [*map(body.get, _MATTERS)])
    asking = asked(body)
    choices = tuple([_Speaker(body, asking, said, root, index, ids).choice() for index in range(body.get("n") or 1)])
    counted = {
        "prompt_tokens": tokens.count_messages(body.get("messages") or ()) + tokens.count_tools(body),
        "completion_tokens": sum(choice.tokens for choice in choices),
        "reasoning_tokens": sum(len(choice.thought) for choice in choices),
        **(said.usage or {}),
    }
    return Spoken(
        model=model,
        fingerprint=_fingerprint(of_model, model),
        service_tier=_SERVICE_TIERS.get(body.get("service_tier"), "default"),
        choices=choices,
        usage=Usage(counted["prompt_tokens"], counted["completion_tokens"], counted["reasoning_tokens"]),
        legacy=asking.legacy,
        top_logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        root=root,
    )


@lru_cache(maxsize=64)
def _fingerprint(root: bytes, model: str) -> str:
    """What stands for the make of a model. Remembered, since it is in every answer of the model."""
    return f"fp_{Chance.at(root).of('fingerprint', model).bytes(5).hex()}"


class _Speaker:
    """Makes one answer, within the limit of tokens; what a script says has none. `root` is that of all the answers."""

    def __init__(self, body: Record, asked: Asked, said: Said, root: bytes, index: int, ids: Ids) -> None:
        self._body = body
        self._asked = asked
        self._said = said
        self._chance = Chance.at(root).of(index)
        self._ids = ids
        limit = body.get("max_completion_tokens")
        self._left: int | None = body.get("max_tokens") if limit is None else limit
        self._is_cut = False

    def choice(self) -> Choice:
        said = self._said
        thought = self._thought()
        calls: tuple[Call, ...] = ()
        refused = False
        text: str | None = None
        pieces: Sequence[str] | None = None
        if said.text is not None or said.tool_calls is not None or said.refusal is not None:
            text = said.text if said.refusal is None else said.refusal
            pieces = None if text is None else tokens.pieces(text)
            refused = said.refusal is not None
            calls = tuple(self._scripted(each) for each in said.tool_calls or ())
            reason = self._reason_to_call() if calls else "stop"
            self._is_cut = False
        elif self._asked.demanded:
            calls = self._called()
            reason = "stop" if self._asked.forced else self._reason_to_call()
        else:
            text = tokens.stopped(self._content(), self._body.get("stop"))
            pieces = self._fitted(tokens.pieces(text))
            reason = "stop"
        if self._is_cut:
            reason = "length"
            pieces = [] if pieces is None and not calls else pieces
            text = None if pieces is None else "".join(pieces)
        return Choice(text, pieces, refused, calls, thought, said.finish_reason or reason)

    def _reason_to_call(self) -> str:
        return "function_call" if self._asked.legacy else "tool_calls"

    def _fitted(self, pieces: Sequence[str]) -> Sequence[str]:
        """As much as there is room for."""
        if self._left is not None:
            self._is_cut = self._is_cut or len(pieces) > self._left
            pieces = pieces[: self._left]
            self._left -= len(pieces)
        return pieces

    def _thought(self) -> Sequence[str]:
        if self._said.reasoning is not None:
            return tokens.pieces(self._said.reasoning)
        if (self._body.get("thinking") or {}).get("type") != "enabled":
            return []
        pieces = tokens.pieces(wording.thought(self._asked.question, self._chance))
        return self._fitted(pieces[: self._body["thinking"].get("budget_tokens")])

    def _content(self) -> str:
        wanted = self._body.get("response_format") or {}
        schema = (wanted.get("json_schema") or {}).get("schema") if wanted.get("type") == "json_schema" else None
        question = self._asked.question
        if schema is not None:
            words = wording.keywords(question)
            return dump(samples.sample(schema, words, self._chance, "/response_format/json_schema/schema")).decode()
        if wanted.get("type") in ("json_object", "json_schema"):
            return dump(wording.digest(question, self._chance)).decode()
        return wording.reply(question, self._chance, self._asked.found)

    def _called(self) -> tuple[Call, ...]:
        """Calls of the tools that are demanded; where the limit cuts, the last one lacks its end."""
        calls = []
        for tool in self._asked.demanded:
            name = tokens.count(tool.name)
            if self._left is not None and self._left < name:
                self._is_cut = True
                break
            self._left = None if self._left is None else self._left - name
            arguments = "".join(self._fitted(tokens.pieces(self._arguments(tool))))
            calls.append(Call(self._ids.new("call_"), tool.name, arguments, tool.kind))
        return tuple(calls)

    def _arguments(self, tool: Tool) -> str:
        words = wording.keywords(self._asked.question)
        if tool.kind == "custom":
            return " ".join(words)
        schema = {"type": "object"} if tool.parameters is None else tool.parameters
        return dump(samples.sample(schema, words, self._chance.of(tool.name), tool.pointer)).decode()

    def _scripted(self, said: SaidCall) -> Call:
        tool = next((each for each in self._asked.tools if each.name == said.name), None)
        tool = tool or Tool(said.name, "function", "", None, "")
        arguments = self._arguments(tool) if said.arguments is None else said.arguments
        if not isinstance(arguments, str):
            arguments = dump(arguments).decode()
        return Call(self._ids.new("call_"), said.name, arguments, tool.kind)


def _token(text: str, logprob: float) -> Record:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _grouped(pieces: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(pieces), size):
        yield pieces[start : start + size]
