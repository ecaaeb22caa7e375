"""What a model answers, for operations that reach one with a request of their own making.

`answer` is all that others use. *chosen*, all of it: a stand-in for the gateway, which will take its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Literal, TypeAlias

from mockserver.contract.replies import Piece, Reply, Stream
from mockserver.contract.requests import Request
from mockserver.portkey import metering
from mockserver.values import JSON, Record, dump
from mockserver.world.world import World

Kind: TypeAlias = Literal["chat", "text"]
"""Whether a request is for `/chat/completions` or for `/completions`."""

EVENTS = "text/event-stream"

MOST_CHOICES = 128
"""How many answers a request may ask for, whatever a prompt says."""

_SENTENCES = (
    "Thank you for asking.",
    "Here is what I found.",
    "There are two things to consider.",
    "The short answer is yes.",
    "That depends on what you need.",
    "It takes about ten minutes.",
    "Start with the first step and go on from there.",
    "You will find the details below.",
    "Most people choose the second option.",
    "Please check the settings once more.",
    "Nothing else has to be changed.",
    "Let me know if anything is unclear.",
)

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])|\s+\Z")
"""A token: a word, or a single other character, with the blanks before it; blanks at the end are one more."""


def answer(kind: Kind, body: Record, request: Request, world: World) -> Reply:
    """Answer a request for a chat or text completion as its model would, at once or with `stream` as events.

    `body` is the request as the model is to get it, its model perhaps with a provider as in `@slug/model`; `request` is the
    call that it comes from. From here on the call counts as one with this body: limits are those of its provider, and what
    it uses is counted there. Fails: as `metering.admit`.
    """
    request.body = body
    metering.admit(request, world)
    completion = _completion(kind, body, metering.addressed(request, world).model, world)
    if body.get("stream") is not True:
        return Reply(200, completion)
    options = body.get("stream_options")
    with_usage = isinstance(options, dict) and options.get("include_usage") is True
    pieces = [Piece(b"data: " + dump(chunk) + b"\n\n") for chunk in _chunks(kind, completion, with_usage=with_usage)]
    return Reply(200, Stream([*pieces, Piece(b"data: [DONE]\n\n")], whole=completion), media_type=EVENTS)


def _completion(kind: Kind, body: Record, model: str, world: World) -> Record:
    """A completion in OpenAI's form.

    The text follows from the world's seed and what the model reads, so that a repeat repeats it and a stream streams it.
    """
    asked = body.get("messages") if kind == "chat" else body.get("prompt")
    most = _whole(body, "max_completion_tokens", _whole(body, "max_tokens", None))
    # One group of answers for each text or list of tokens.
    several = kind == "text" and isinstance(asked, list) and not all(isinstance(item, int) for item in asked)
    answers = min(_whole(body, "n", 1) or 1, MOST_CHOICES) * (len(asked) if several and asked else 1)
    choices, written = [], 0
    for index in range(answers):
        tokens = _TOKEN.findall(_text(dump([world.seed, model, asked, index])))
        kept = tokens if most is None else tokens[:most]
        written += len(kept)
        content = {"message": {"role": "assistant", "content": "".join(kept), "refusal": None}}
        shown: Record = content if kind == "chat" else {"text": "".join(kept)}
        ending = "stop" if kept == tokens else "length"
        choices.append({"index": index, **shown, "logprobs": None, "finish_reason": ending})
    read = _tokens_in(asked)
    return {
        "id": f"{'chatcmpl' if kind == 'chat' else 'cmpl'}-{world.ids.text(29)}",
        "object": "chat.completion" if kind == "chat" else "text_completion",
        "created": int(world.clock.seconds()),
        "model": model,
        "choices": choices,
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        "system_fingerprint": None,
    }


def _chunks(kind: Kind, completion: Record, *, with_usage: bool) -> Iterator[Record]:
    """The chunks of a completion, choice after choice, one a token.

    Source: gateway-data-plane, /chat/completions: Stream, and /completions (order and shape).
    """
    common = {name: completion[name] for name in ("id", "created", "model", "system_fingerprint")}
    common["object"] = "chat.completion.chunk" if kind == "chat" else completion["object"]
    if with_usage:
        common["usage"] = None

    def chunk(choice: Record, piece: Record, ending: str | None = None) -> Record:
        return {**common, "choices": [{"index": choice["index"], **piece, "logprobs": None, "finish_reason": ending}]}

    for choice in completion["choices"]:
        if kind == "chat":
            yield chunk(choice, {"delta": {"role": "assistant", "content": "", "refusal": None}})
            pieces = [{"delta": {"content": token}} for token in _TOKEN.findall(choice["message"]["content"])]
        else:
            pieces = [{"text": token} for token in _TOKEN.findall(choice["text"])]
        for piece in pieces:
            yield chunk(choice, piece)
        yield chunk(choice, {"delta": {}} if kind == "chat" else {"text": ""}, choice["finish_reason"])
    if with_usage:
        yield {**common, "choices": [], "usage": completion["usage"]}


def _text(of: bytes) -> str:
    """One to three sentences."""
    chosen = blake2b(of, digest_size=4).digest()
    return " ".join(_SENTENCES[at % len(_SENTENCES)] for at in chosen[: chosen[3] % 3 + 1])


def _tokens_in(value: JSON) -> int:
    """How many tokens a request holds: those of each text in it, and one for each number, which is a token itself."""
    if isinstance(value, str):
        return len(_TOKEN.findall(value))
    if isinstance(value, dict):
        return sum(_tokens_in(item) for item in value.values())
    if isinstance(value, list):
        return sum(_tokens_in(item) for item in value)
    return int(isinstance(value, int))


def _whole(body: Record, name: str, otherwise: int | None) -> int | None:
    """A whole number of a request; prompts may hold anything in its place."""
    value = body.get(name)
    return value if type(value) is int and value >= 0 else otherwise
