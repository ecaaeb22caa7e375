"""The providers: no one is called, answers are made here, or are what a script says.

Source: gateway-data-plane, Provider errors and response decoration, Request timeout, Cache (streaming hit), SSE framing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from mockserver.contract.replies import Piece, Reply, Stream
from mockserver.portkey.answers import chat, completions, embeddings, moderations, rerank, sse
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.decoration import decorated
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.portkey.answers.script import Said, SaidCall
from mockserver.portkey.gateway import scripts
from mockserver.portkey.gateway.exchange import Exchange, Provider
from mockserver.values import JSON, Record
from mockserver.world.world import World

DEFAULT_MODELS = {
    "chatComplete": "gpt-3.5-turbo",
    "complete": "gpt-3.5-turbo-instruct",
    "embed": "text-embedding-ada-002",
    "createSpeech": "tts-1",
    "imageGenerate": "dall-e-2",
    "moderate": "omni-moderation-latest",
}
"""What a missing model becomes (gateway-data-plane, Provider and model addressing; moderations *chosen*)."""

_RERANKS = frozenset({"cohere", "voyage", "jina", "pinecone", "bedrock", "azure-ai"})
_EMBEDS_NOT = frozenset({"anthropic"})
"""Who can what, as far as the dossier says (/rerank; error catalogue B)."""

SLICE = 500
"""How many characters a chunk of a replayed stream holds."""


class Streamed(Protocol):
    """An answer that can be told in chunks."""

    def chunks(self, include_usage: bool = False, chunk_size: int | None = None) -> Iterator[Record]:
        """Yield the chunks."""
        ...


@dataclass(eq=False)
class Answer:
    """What a provider has answered. `body` is the JSON of it, `text` what output guardrails look at."""

    status: int
    body: JSON
    usage: tuple[int, int] = (0, 0)
    text: str = ""
    retry_after_s: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    streamed: Streamed | None = None
    script: Record = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json"


class _Made(NamedTuple):
    """An answer as its kind makes it."""

    body: JSON
    usage: tuple[int, int]
    text: str
    streamed: Streamed | None


class Ids:
    """Ids of answers, from the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def new(self, prefix: str) -> str:
        """Return a new id that begins with a prefix."""
        return prefix + self._world.ids.text(24)


def ask(exchange: Exchange, target: Record, provider: Provider, body: Record, path: str) -> Answer:
    """Return what a provider answers, or how it fails; `exchange.elapsed_ms` grows by the time that it takes."""
    exchange.attempts += 1
    model = body.get("model")
    model = model if isinstance(model, str) and model not in ("", "portkey-default") else DEFAULT_MODELS.get(exchange.kind, "")
    unsupported = _unsupported(exchange.kind, provider)
    if unsupported is not None:
        return unsupported
    asked = scripts.Asked(exchange.request.operation.id, provider.name, provider.slug or None, model, path, body)
    script = scripts.find(exchange.world, asked) or {}
    delay_ms, most_ms = script.get("delay_ms", 0), timeout_ms(exchange, target)
    if most_ms is not None and delay_ms > most_ms:
        exchange.elapsed_ms += most_ms
        message = f"Request exceeded the timeout sent in the request: {most_ms}ms"
        return Answer(408, {"error": {"message": message, "type": "timeout_error", "param": None, "code": None}})
    exchange.elapsed_ms += delay_ms
    said = script.get("answer") or {}
    if "error" in said:
        return _failure(exchange, provider, said["error"])
    if "body" in said:
        return Answer(200, said["body"], _usage_of(said["body"]), script=script)
    try:
        made = _KINDS[exchange.kind](exchange, provider, body, model, _said(said))
    except Unanswerable as refused:
        error = {"status": 400, "message": refused.message, "param": refused.pointer.strip("/") or None}
        return _failure(exchange, provider, error)
    return Answer(200, made.body, made.usage, made.text, streamed=made.streamed, script=script)


def reply_of(exchange: Exchange, provider: Provider, answer: Answer, body: Record, results: Record | None) -> Reply:
    """Return an answer as the caller gets it: at once, or as a stream when it was asked for; `results` are hook results."""
    if answer.raw is not None:
        return Reply(answer.status, answer.raw, answer.headers, answer.media_type)
    if body.get("stream") is True and answer.streamed is not None:
        options = body.get("stream_options")
        with_usage = isinstance(options, dict) and options.get("include_usage") is True
        chunks = answer.streamed.chunks(with_usage, answer.script.get("chunk_size"))
        shown = (decorated(chunk, provider.name, exchange.strict) for chunk in chunks)
        return _stream(exchange, answer.status, shown, answer.script, results)
    shown_body = decorated(answer.body, provider.name, exchange.strict) if answer.status == 200 else answer.body
    if results is not None and isinstance(shown_body, dict):
        shown_body = {**shown_body, "hook_results": results}
    return Reply(answer.status, shown_body, answer.headers)


def replayed(exchange: Exchange, provider: Provider, body: Record, kept: JSON, results: Record | None) -> Reply:
    """Return what the cache has kept as a reply; a stream of it has chunks of its own (Cache: Streaming hit)."""
    if body.get("stream") is True and isinstance(kept, dict) and isinstance(kept.get("choices"), list):
        return _stream(exchange, 200, _replayed_chunks(kept, provider), {}, results)
    shown = decorated(kept, provider.name, exchange.strict) if isinstance(kept, dict) else kept
    return Reply(200, {**shown, "hook_results": results} if results is not None and isinstance(shown, dict) else shown)


def timeout_ms(exchange: Exchange, target: Record) -> int | None:
    """How long an attempt may take: as the request says, else as the nearest config says; None for as long as it likes."""
    said = exchange.request.headers.get(b"x-portkey-request-timeout", b"").decode("latin-1").strip()
    if said.isdigit():
        return int(said)
    given = target.get("request_timeout")
    return int(given) if given is not None else None


def _stream(exchange: Exchange, status: int, chunks: Iterator[Record], script: Record, results: Record | None) -> Reply:
    """A reply of server-sent events.

    What guardrails found before comes first, what they found after comes behind the end, and only to whom strict compliance is
    off (Guardrails: Streaming).
    """
    start_s = exchange.world.clock.seconds() + exchange.elapsed_ms / 1000
    pause_s = script.get("chunk_delay_ms", 0) / 1000
    cut_after = script.get("cut_after")

    def events() -> Iterator[bytes]:
        if results is not None and not exchange.strict:
            yield sse.event({"hook_results": {"before_request_hooks": results["before_request_hooks"]}})
        for chunk in chunks:
            yield sse.event(chunk)
        yield sse.DONE
        if results is not None and not exchange.strict and results["after_request_hooks"]:
            yield sse.event({"hook_results": {"after_request_hooks": results["after_request_hooks"]}})

    def pieces() -> Iterator[Piece]:
        for at, data in enumerate(events()):
            if cut_after is not None and at >= cut_after:
                return
            yield Piece(data, start_s + at * pause_s if pause_s else None)

    return Reply(status, Stream(pieces(), cut=cut_after is not None), media_type=sse.MEDIA_TYPE)


def _replayed_chunks(kept: Record, provider: Provider) -> Iterator[Record]:
    """A kept answer in slices: every chunk has the role and the usage, and none but the last an end."""
    is_chat = kept.get("object") == "chat.completion"
    head = {name: kept[name] for name in ("id", "created", "model") if name in kept}
    head |= {"object": "chat.completion.chunk" if is_chat else kept.get("object"), "provider": provider.name}

    def chunk(index: int, said: Record, reason: str | None) -> Record:
        choice = {"index": index, **said, "logprobs": None, "finish_reason": reason}
        return {**head, "choices": [choice], "usage": kept.get("usage")}

    for choice in kept["choices"]:
        index = choice["index"]
        text = (choice["message"].get("content") if is_chat else choice.get("text")) or ""
        for at in range(0, len(text), SLICE):
            part = text[at : at + SLICE]
            yield chunk(index, {"delta": {"role": "assistant", "content": part}} if is_chat else {"text": part}, None)
        for number, call in enumerate((choice["message"].get("tool_calls") or []) if is_chat else []):
            named = {**call, "index": number, "function": {"name": call["function"]["name"], "arguments": ""}}
            yield chunk(index, {"delta": {"role": "assistant", "tool_calls": [named]}}, None)
            rest = {"index": number, "function": {"arguments": call["function"]["arguments"]}}
            yield chunk(index, {"delta": {"role": "assistant", "tool_calls": [rest]}}, None)
        yield chunk(index, {"delta": {}} if is_chat else {"text": ""}, choice["finish_reason"])


def _unsupported(kind: str, provider: Provider) -> Answer | None:
    """The gateway's own failure for what a provider cannot do; it ends a chain of fallbacks."""
    unable = (kind == "rerank" and provider.name not in _RERANKS) or (kind == "embed" and provider.name in _EMBEDS_NOT)
    if not unable:
        return None
    body = {"status": "failure", "message": f"{kind} is not supported by {provider.name}"}
    return Answer(500, body, headers={"x-portkey-gateway-exception": "true"})


def _failure(exchange: Exchange, provider: Provider, said: Record) -> Answer:
    """A provider's own error: OpenAI's passes through for chat, all others name the provider."""
    status = said["status"]
    message = said.get("message", _WORDS.get(status, "The provider failed"))
    error = {
        "message": message,
        "type": said.get("type", _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")),
        "param": said.get("param"),
        "code": said.get("code"),
    }
    body: Record = {"error": error}
    if provider.name != "openai" or exchange.kind != "chatComplete":
        body = {"error": {**error, "message": f"{provider.name} error: {message}"}, "provider": provider.name}
    wait_s = said.get("retry_after")
    headers = {} if wait_s is None else {"retry-after": f"{wait_s:g}"}
    return Answer(status, body, retry_after_s=wait_s, headers=headers)


_WORDS = {
    401: "Incorrect API key provided",
    404: "The model does not exist or you do not have access to it",
    429: "Rate limit reached for requests",
    500: "The server had an error while processing your request",
    503: "The engine is currently overloaded, please try again later",
}
_TYPES = {401: "invalid_request_error", 429: "requests", 503: "server_error"}
"""What a failure says of itself when its script does not; *chosen*."""


def _said(answer: Record) -> Said | None:
    if not answer:
        return None
    calls = answer.get("tool_calls")
    return Said(
        text=answer.get("text"),
        tool_calls=None if calls is None else tuple(SaidCall(call["name"], call.get("arguments")) for call in calls),
        refusal=answer.get("refusal"),
        finish_reason=answer.get("finish_reason"),
        usage=answer.get("usage"),
    )


def _usage_of(body: JSON) -> tuple[int, int]:
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return 0, 0
    asked = usage.get("prompt_tokens", usage.get("input_tokens")) or 0
    return int(asked), int(usage.get("completion_tokens", usage.get("output_tokens")) or 0)


def _chance(exchange: Exchange, provider: Provider, model: str) -> Chance:
    return Chance(exchange.world.seed, f"{provider.name}/{model}")


def _chat(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> _Made:
    world = exchange.world
    made = chat.answer(body, model, _chance(exchange, provider, model), Ids(world), int(world.clock.seconds()), said)
    return _Made(made.as_json(), (made.usage.prompt, made.usage.completion), made.choices[0].text or "", made)


def _complete(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> _Made:
    world = exchange.world
    made = completions.answer(body, model, _chance(exchange, provider, model), Ids(world), int(world.clock.seconds()), said)
    shown = made.as_json()
    return _Made(shown, _usage_of(shown), shown["choices"][0]["text"], made)


def _embed(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> _Made:
    shown = embeddings.answer(body, model, _chance(exchange, provider, model))
    return _Made(shown, _usage_of(shown), "", None)


def _rerank(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> _Made:
    shown = rerank.answer(body, model, _chance(exchange, provider, model), Ids(exchange.world))
    return _Made(shown, (0, 0), "", None)


def _moderate(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> _Made:
    shown = moderations.answer(body, model, _chance(exchange, provider, model), Ids(exchange.world))
    return _Made(shown, (0, 0), "", None)


_KINDS: dict[str, Callable[[Exchange, Provider, Record, str, Said | None], _Made]] = {
    "chatComplete": _chat,
    "complete": _complete,
    "embed": _embed,
    "rerank": _rerank,
    "moderate": _moderate,
}
