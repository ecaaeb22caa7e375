"""The providers: no one is called, answers are made here, or are what a script says.

Source: gateway-data-plane, Provider errors and response decoration, Request timeout, Cache (streaming hit), SSE framing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from math import ceil
from typing import Literal, TypeAlias

from mockserver.contract.replies import Piece, Reply, Stream
from mockserver.portkey import limits, tuned
from mockserver.portkey.addresses import own_address
from mockserver.portkey.answers import (
    chat,
    completions,
    embeddings,
    images,
    moderations,
    rerank,
    response_events,
    responses,
    speech,
    sse,
    transcription,
)
from mockserver.portkey.answers.chance import Chance, root_of
from mockserver.portkey.answers.decoration import decorated
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.portkey.answers.items import text_of
from mockserver.portkey.answers.script import Said, SaidCall
from mockserver.portkey.gateway import bodies, conversations, scripts
from mockserver.portkey.gateway.exchange import Exchange, Provider, account
from mockserver.values import JSON, Record
from mockserver.world.world import World

DEFAULT_MODELS = {
    "chatComplete": "gpt-3.5-turbo",
    "complete": "gpt-3.5-turbo-instruct",
    "embed": "text-embedding-ada-002",
    "createSpeech": "tts-1",
    "imageGenerate": "dall-e-2",
    "moderate": "omni-moderation-latest",
    "createModelResponse": "gpt-3.5-turbo",
    "realtime": "gpt-realtime",
}
"""What a missing model becomes (gateway-data-plane, Provider and model addressing; those of the last three are *chosen*)."""

_RERANKS = frozenset({"cohere", "voyage", "jina", "pinecone", "bedrock", "azure-ai"})
_EMBEDS_NOT = frozenset({"anthropic"})
_NOT_BY_ALL = ("rerank", "embed")
"""Who can what, as far as the dossier says (/rerank; error catalogue B)."""

_NO_SCRIPT: Record = {}

SLICE = 500
"""How many characters a chunk of a replayed stream holds."""


@dataclass(eq=False, slots=True)
class Answer:
    """What a provider has answered.

    `body` is the JSON of it, `raw` the bytes of what is none, `text` what output guardrails look at. `chunks` tells it piece by
    piece to whom asked for that; `events` always does, each with its type as its name, with so many tokens in those that have
    some. `due_s` tells of the how-manieth event before which time it is not told.
    """

    status: int
    body: JSON
    usage: tuple[int, int] = (0, 0)
    text: str = ""
    retry_after_s: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Callable[[bool, int | None], Iterator[Record]] | None = None
    events: Callable[[int | None], Iterator[Record]] | None = None
    due_s: Callable[[int], float | None] | None = None
    script: Record = field(default_factory=lambda: _NO_SCRIPT)
    raw: bytes | None = None
    media_type: str = "application/json"


_Kind: TypeAlias = "Callable[[Exchange, Provider, Record, str, Said | None], Answer]"
"""Makes the answers of one kind of call."""


class Ids:
    """Ids of answers, from the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def new(self, prefix: str) -> str:
        """Return a new id that begins with a prefix."""
        return prefix + self._world.ids.text(24)


def ask(exchange: Exchange, target: Record, provider: Provider, body: Record, path: str, model: str) -> Answer:
    """Return what a provider answers, or how it fails; `exchange.elapsed_ms` grows by the time that it takes."""
    kind, script, said = exchange.kind, _NO_SCRIPT, None
    if kind in _NOT_BY_ALL and not _is_able(kind, provider):
        # The gateway's own failure; it ends a chain of fallbacks.
        failure = {"status": "failure", "message": f"{kind} is not supported by {provider.name}"}
        return Answer(500, failure, headers={"x-portkey-gateway-exception": "true"})
    exchange.later_ms = 0.0
    if scripts.there_are(exchange.world) or exchange.request.faults:
        asked = scripts.Asked(exchange.request.operation.id, provider.name, provider.slug or None, model, path, body)
        script = scripts.find(exchange.world, asked) or failing(exchange, provider)
        delay_ms, most_ms = script.get("delay_ms", 0), timeout_ms(exchange, target)
        if most_ms is not None and delay_ms > most_ms:
            exchange.elapsed_ms += most_ms
            message = f"Request exceeded the timeout sent in the request: {most_ms}ms"
            return Answer(408, {"error": {"message": message, "type": "timeout_error", "param": None, "code": None}})
        if body.get("background") is True and kind == "createModelResponse":
            exchange.later_ms = delay_ms  # what is answered in the background takes its time after the reply
        else:
            exchange.elapsed_ms += delay_ms
        if answer := script.get("answer"):
            if "error" in answer:
                return _failure(exchange, provider, answer["error"])
            said = said_by(answer)
    if tuned.there_are(exchange.world) and tuned.is_gone(
        exchange.world, model, provider.name, account(exchange, provider, target)
    ):
        return _failure(exchange, provider, tuned.missing(model))
    wrong = None if exchange.is_checked and body is exchange.body else bodies.fault(kind, body)
    if wrong is not None:
        pointer, message = wrong
        return _failure(exchange, provider, {"status": 400, "message": message, "param": pointer.strip("/") or None})
    try:
        made = _KINDS[kind](exchange, provider, body, model, said)
    except Unanswerable as refused:
        param = refused.pointer.strip("/") or None
        error = {"status": refused.status, "message": refused.message, "param": param, "code": refused.code}
        return _failure(exchange, provider, error)
    made.script = script
    return made


_WORDED = ("model", "messages", "prompt", "input", "stream", "stream_options")


def saying(exchange: Exchange, provider: Provider, body: Record, model: str, words: str) -> Answer:
    """Return the answer of a model that says these words, as nobody was asked: nothing is called, thought or kept."""
    asked = {name: body[name] for name in _WORDED if name in body} | {"store": False}
    return _KINDS[exchange.kind](exchange, provider, asked, model, Said(text=words))


def failing(exchange: Exchange, provider: Provider) -> Record:
    """Return a fault that a tester set for a provider, as the script that it would be; an empty one for none."""
    names = {provider.name, provider.slug, f"@{provider.slug}"} - {"", "@"}
    for fault in exchange.request.faults:
        told = fault.take(names, exchange.world)
        if told is not None:
            script: Record = {"delay_ms": told["delay_ms"]}
            if "error" in told:
                error = dict(told["error"])
                wait_s = error.pop("retry_after_s", wait_of(error["status"], exchange.world))
                script["answer"] = {"error": error if wait_s is None else {**error, "retry_after": wait_s}}
            if "after_events" in told:
                script["cut_after"] = told["after_events"]
            return script
    return {}


def wait_of(status: int, world: World) -> int | None:
    """How long a provider that is too busy asks to wait: until the minute is over (*chosen*)."""
    return limits.wait_s("rpm", world) if status == 429 else None


def model_of(kind: str, body: Record) -> str:
    """Return the model of a call, the usual one of its kind when it names none."""
    model = body.get("model")
    return model if isinstance(model, str) and model not in ("", "portkey-default") else DEFAULT_MODELS.get(kind, "")


def reply_of(exchange: Exchange, provider: Provider, answer: Answer, body: Record, results: Record | None) -> Reply:
    """Return an answer as the caller gets it: at once, or as a stream when it was asked for; `results` are hook results."""
    if answer.events is not None and (answer.raw is not None or body.get("stream")):
        told = (sse.event(event, event["type"]) for event in answer.events(answer.script.get("chunk_size")))
        # What is found behind the end is left out (chosen): these streams have no mark for it, and helpers would fall over it.
        before = {**results, "after_request_hooks": []} if results is not None else None
        return _stream(exchange, _hooked(exchange, told, before), answer.script, answer.due_s)
    if answer.raw is not None:
        return Reply(answer.status, answer.raw, answer.headers, answer.media_type)
    if body.get("stream") is True and answer.chunks is not None:
        options = body.get("stream_options")
        with_usage = isinstance(options, dict) and options.get("include_usage") is True
        chunks = answer.chunks(with_usage, answer.script.get("chunk_size"))
        shown = (decorated(chunk, provider.name, exchange.strict) for chunk in chunks)
        return _stream(exchange, _chunked(exchange, shown, results), answer.script)
    shown_body = decorated(answer.body, provider.name, exchange.strict) if answer.status == 200 else answer.body
    if results is not None and isinstance(shown_body, dict):
        shown_body = {**shown_body, "hook_results": results}
    return Reply(answer.status, shown_body, answer.headers)


def replayed(exchange: Exchange, provider: Provider, body: Record, kept: JSON, results: Record | None) -> Reply:
    """Return what the cache has kept as a reply; a stream of it has chunks of its own (Cache: Streaming hit)."""
    if body.get("stream") is True and isinstance(kept, dict) and isinstance(kept.get("choices"), list):
        return _stream(exchange, _chunked(exchange, _replayed_chunks(kept, provider), results), {})
    if body.get("stream") is True and isinstance(kept, dict) and kept.get("object") == "response":
        before = {**results, "after_request_hooks": []} if results is not None else None
        return _stream(exchange, _hooked(exchange, _replayed_events(kept, exchange.world.ids.uuid4()), before), {})
    shown = decorated(kept, provider.name, exchange.strict) if isinstance(kept, dict) else kept
    return Reply(200, {**shown, "hook_results": results} if results is not None and isinstance(shown, dict) else shown)


def timeout_ms(exchange: Exchange, target: Record) -> int | None:
    """How long an attempt may take: as the request says, else as the nearest config says; None for as long as it likes.

    0 limits nothing, as in the gateway's code.
    """
    said = exchange.told.request_timeout
    if said.isdigit():
        return int(said) or None
    return int(target.get("request_timeout") or 0) or None


def _chunked(exchange: Exchange, chunks: Iterator[Record], results: Record | None) -> Iterator[bytes]:
    """Chunks as events, and what ends them."""
    return _hooked(exchange, chain((sse.event(chunk) for chunk in chunks), (sse.DONE,)), results)


def _hooked(exchange: Exchange, events: Iterator[bytes], results: Record | None) -> Iterator[bytes]:
    """Events with what guardrails found.

    What they found before comes first, what they found after comes behind the end, and only to whom strict compliance is
    off (Guardrails: Streaming).
    """
    shows = results is not None and not exchange.strict
    if shows and results is not None:
        yield sse.event({"hook_results": {"before_request_hooks": results["before_request_hooks"]}})
    yield from events
    if shows and results is not None and results["after_request_hooks"]:
        yield sse.event({"hook_results": {"after_request_hooks": results["after_request_hooks"]}})


def _stream(
    exchange: Exchange, events: Iterator[bytes], script: Record, due_s: Callable[[int], float | None] | None = None
) -> Reply:
    """A reply of server-sent events, at the pace of a script, and cut off where it says so."""
    start_s = exchange.world.clock.seconds() + exchange.elapsed_ms / 1000
    pause_s, cut_after = script.get("chunk_delay_ms", 0) / 1000, script.get("cut_after")

    def pieces() -> Iterator[Piece]:
        for at, data in enumerate(islice(events, cut_after)):
            times = (start_s + at * pause_s if pause_s else None, due_s(at) if due_s is not None else None)
            yield Piece(data, max((time for time in times if time is not None), default=None))

    return Reply(200, Stream(pieces(), cut=cut_after is not None), media_type=sse.MEDIA_TYPE)


def _replayed_chunks(kept: Record, provider: Provider) -> Iterator[Record]:
    """A kept answer in slices: every chunk has the role and the usage, and none but the last an end."""
    is_chat = kept.get("object") == "chat.completion"
    head: Record = {name: kept[name] for name in ("id", "created", "model") if name in kept}
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


def _replayed_events(kept: Record, name: str) -> Iterator[bytes]:
    """A kept response event by event: its id is the cache's, and nothing is numbered."""
    response = {**kept, "id": f"portkey_cache_{name}"}
    for event in response_events.events(response, chunk_size=SLICE):
        told = {field: value for field, value in event.items() if field != "sequence_number"}
        yield sse.event(told, told["type"])


def _is_able(kind: str, provider: Provider) -> bool:
    """Whether a provider can do what not all can."""
    return provider.name in _RERANKS if kind == "rerank" else provider.name not in _EMBEDS_NOT


def _failure(exchange: Exchange, provider: Provider, said: Record) -> Answer:
    """A provider's own error, in the words of the kind of call."""
    is_plain = provider.name == "openai" and exchange.kind in ("chatComplete", "realtime")
    reply = failed(provider, said, is_plain=is_plain)
    return Answer(reply.status, reply.body, retry_after_s=said.get("retry_after"), headers=reply.headers)


def failed(provider: Provider, said: Record, *, is_plain: bool) -> Reply:
    """Return a provider's own error: as it is where the gateway passes it on (`is_plain`), else with the provider's name.

    `said` has the status, and as far as it goes `message`, `type`, `param`, `code` and, in seconds, `retry_after`.
    """
    status = said["status"]
    message = said.get("message", _WORDS.get(status, "The provider failed"))
    error = {
        "message": message,
        "type": said.get("type", _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")),
        "param": said.get("param"),
        "code": said.get("code"),
    }
    body: Record = {"error": error}
    if not is_plain:
        body = {"error": {**error, "message": f"{provider.name} error: {message}"}, "provider": provider.name}
    wait_s = said.get("retry_after")
    headers = {} if wait_s is None else {"retry-after": str(ceil(wait_s))}
    if wait_s is not None and wait_s % 1:  # the header of HTTP has whole seconds; clients look at this one first
        headers["retry-after-ms"] = str(ceil(wait_s * 1000))
    return Reply(status, body, headers)


_WORDS = {
    401: "Incorrect API key provided",
    404: "The model does not exist or you do not have access to it",
    429: "Rate limit reached for requests",
    500: "The server had an error while processing your request",
    503: "The engine is currently overloaded, please try again later",
}
_TYPES = {401: "invalid_request_error", 429: "requests", 503: "server_error"}
"""What a failure says of itself when its script does not; *chosen*."""


def said_by(answer: Record) -> Said:
    """Return what the answer of a script says."""
    calls = answer.get("tool_calls")
    return Said(
        text=answer.get("text"),
        tool_calls=None if calls is None else tuple(SaidCall(call["name"], call.get("arguments")) for call in calls),
        refusal=answer.get("refusal"),
        finish_reason=answer.get("finish_reason"),
        usage=answer.get("usage"),
        reasoning=answer.get("reasoning"),
        failure={"code": "server_error", **answer["failure"]} if "failure" in answer else None,
    )


def _usage_of(body: JSON) -> tuple[int, int]:
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return 0, 0
    asked = usage.get("prompt_tokens", usage.get("input_tokens")) or 0
    return int(asked), int(usage.get("completion_tokens", usage.get("output_tokens")) or 0)


def _chance(exchange: Exchange, provider: Provider, model: str) -> Chance:
    return Chance(exchange.world.seed, f"{provider.name}/{model}")


def _chat(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
    request = exchange.request
    text = request.raw_body if exchange.is_checked and body is exchange.body and request.body is not None else b""
    world = exchange.world
    root, created = root_of(world.seed, f"{provider.name}/{model}"), int(world.clock.seconds())
    made = chat.answer(body, model, root, Ids(world), created, said, text)
    return Answer(
        200, made.as_json(), (made.usage.prompt, made.usage.completion), made.choices[0].text or "", chunks=made.chunks
    )


def _complete(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
    made = completions.answer(body, model, *_source(exchange, provider, model), _created(exchange), said)
    shown = made.as_json()
    return Answer(200, shown, _usage_of(shown), shown["choices"][0]["text"], chunks=made.chunks)


def _respond(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
    """A response; of a provider that has none the gateway makes it of a chat, and keeps nothing."""
    world, (chance, ids) = exchange.world, _source(exchange, provider, model)
    whose = account(exchange, provider, exchange.target or {})
    id_ = ids.new("resp_")
    if provider.name not in conversations.NATIVE:
        body, id_ = {**body, "store": False, "background": False}, f"resp_{world.ids.uuid4()}"
    is_later = body.get("background") is True
    if is_later and body.get("store") is False:
        raise Unanswerable("/background", "Background mode requires `store` to be true.")
    items, known = conversations.conversation(world, body, whose, ids)
    elapsed_s = exchange.elapsed_ms / 1000
    asked = responses.Asked(body, items, known, id_, _created(exchange), elapsed_s)
    response = responses.answer(asked, model, chance, ids, conversations.searching(world, whose), said)
    if body.get("store") is not False:
        conversations.keep(world, response, items, whose or provider.name, exchange.later_ms if is_later else None)
    shown = responses.told(response, body.get("include") or ())
    usage, text = _usage_of(shown), text_of(shown["output"])
    events = partial(response_events.events, shown)
    if not is_later:
        return Answer(200, shown, usage, text, events=events)
    first, ends_s = response_events.opening(shown), conversations.ends_s(world, exchange.later_ms)
    return Answer(
        200, responses.begun(shown, "queued"), usage, text, events=events, due_s=lambda at: ends_s if at >= first else None
    )


def _embed(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
    shown = embeddings.answer(body, model, _chance(exchange, provider, model))
    return Answer(200, shown, _usage_of(shown))


def _rerank(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
    return Answer(200, rerank.answer(body, model, *_source(exchange, provider, model)))


def _moderate(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
    return Answer(200, moderations.answer(body, model, *_source(exchange, provider, model)))


def _draw(kind: images.Kind) -> _Kind:
    def answer(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
        # What a form uploads stands in the place of its field: its bytes decide what is drawn.
        files = {upload.name: upload.blob.digest for upload in exchange.request.uploads}
        address = f"{own_address(exchange.request, exchange.world)}/images/drawn"
        chance, created = _chance(exchange, provider, model), _created(exchange)
        made = images.answer({**body, **files}, model, chance, created, kind, address)
        return Answer(200, made.as_json(), events=lambda _: made.events())

    return answer


def _speak(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
    made = speech.answer(body, model, _chance(exchange, provider, model))
    streams = body.get("stream_format") == "sse"
    return Answer(
        200, None, raw=made.content, media_type=made.media_type, events=(lambda _: made.events()) if streams else None
    )


def _transcribe(task: Literal["transcribe", "translate"]) -> _Kind:
    def answer(exchange: Exchange, provider: Provider, body: Record, model: str, said: Said | None) -> Answer:
        content = next((upload.content for upload in exchange.request.uploads if upload.name == "file"), b"")
        made = transcription.answer(content, body, model, _chance(exchange, provider, model), task)
        shown = made.reply()
        if isinstance(shown, bytes):
            return Answer(200, None, text=made.text, raw=shown, media_type=made.media_type)
        streams = str(body.get("stream")).lower() == "true" and task == "transcribe"
        return Answer(200, shown, _usage_of(shown), made.text, events=(lambda _: made.events()) if streams else None)

    return answer


def _source(exchange: Exchange, provider: Provider, model: str) -> tuple[Chance, Ids]:
    return _chance(exchange, provider, model), Ids(exchange.world)


def _created(exchange: Exchange) -> int:
    return int(exchange.world.clock.seconds())


_KINDS: dict[str, _Kind] = {
    "chatComplete": _chat,
    "realtime": _chat,
    "complete": _complete,
    "createModelResponse": _respond,
    "embed": _embed,
    "rerank": _rerank,
    "moderate": _moderate,
    "imageGenerate": _draw("generation"),
    "imageEdit": _draw("edit"),
    "imageVariation": _draw("variation"),
    "createSpeech": _speak,
    "createTranscription": _transcribe("transcribe"),
    "createTranslation": _transcribe("translate"),
}
