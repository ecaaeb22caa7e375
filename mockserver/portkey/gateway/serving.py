"""The gateway as families call it: one call in, one reply out, and what it leaves behind.

Source: gateway-data-plane, Response headers, Budgets and rate limits; governance-mcp-observability, Logs.
"""

from __future__ import annotations

import re
from sys import intern

from mockserver.contract.replies import JSON_TYPE, Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls, logbook, metering, prices
from mockserver.portkey.gateway import configs
from mockserver.portkey.gateway.attempt import attempt
from mockserver.portkey.gateway.exchange import Exchange, Outcome, opened
from mockserver.portkey.gateway.routing import route
from mockserver.portkey.log_records import HITS, LogRecord
from mockserver.values import Record
from mockserver.world.world import World

OPERATIONS = frozenset(
    {
        "createChatCompletion", "createCompletion", "createEmbedding", "createRerank", "createModeration", "createImage",
        "createImageEdit", "createImageVariation", "createSpeech", "createTranscription", "createTranslation",
        "createPromptCompletion", "createGeneration", "createResponse", "connectRealtime",
    }
)  # fmt: skip
"""Operations that come here, and are charged for; whatever else the data plane has counts as a request and no more."""


_DRAWS = frozenset(("imageGenerate", "imageEdit", "imageVariation"))
"""Kinds of calls whose answers are pictures, which have a price each."""
_TARGET = re.compile(r"targets\[(\d+)\]")


def answer(kind: str, request: Request, world: World, body: Record | None = None) -> Reply:
    """Return the reply to a call of a kind; `body` takes the place of the request's own, for prompts.

    Refusals before a target is chosen are problems; what a target comes to is a reply, which leaves a log also when it is
    an error. Fails: `invalid-request` for what cannot be addressed, `service-failed` where the gateway itself would fail.
    """
    exchange = opened(kind, request, world, request.caller.config or configs.NONE, request.fields if body is None else body)
    outcome = route(exchange, attempt)
    settle(exchange, outcome)
    reply = outcome.reply
    reply.headers = reply.headers | headers(exchange, outcome)
    reply.kept = True
    if exchange.elapsed_ms:
        reply.due_s = world.clock.seconds() + exchange.elapsed_ms / 1000
    return reply


def settle(exchange: Exchange, outcome: Outcome, said: Record | None = None) -> None:
    """Count what a call used, leave its log, and keep the feedback of guardrails.

    `said` is logged as what was asked where the call's own body is not it.
    """
    _log(exchange, outcome, _counted(exchange, outcome), exchange.request.fields if said is None else said)
    if exchange.feedback:
        _rate(exchange, outcome)


def _rate(exchange: Exchange, outcome: Outcome) -> None:
    """Keep the feedback that guardrails give to the trace of a call (prompts-configs-guardrails, Guardrails: actions)."""
    world, now = exchange.world, exchange.world.clock.timestamp()
    workspace_id = logbook.workspace_of(exchange.caller, world, (outcome.provider.record or {}).get("workspace_id"))
    for given in exchange.feedback:
        world["feedback"].add(
            {
                "id": world.ids.uuid4(),
                "trace_id": exchange.trace_id,
                **given,
                "workspace_id": workspace_id,
                "created_at": now,
                "last_updated_at": now,
            }
        )


def headers(exchange: Exchange, outcome: Outcome) -> dict[str, str]:
    """What the gateway tells in headers of every reply that a target gave."""
    told = {
        "x-portkey-trace-id": exchange.trace_id,
        "x-portkey-retry-attempt-count": str(outcome.retries),
        "x-portkey-cache-status": outcome.cache_status,
        "x-portkey-last-used-option-index": outcome.path,
    }
    if outcome.provider.name != "portkey":
        told["x-portkey-provider"] = outcome.provider.name
    return told


def _counted(exchange: Exchange, outcome: Outcome) -> float:
    """Count what a call used, unless it reached no provider; return its cost in cents."""
    if not outcome.asked:
        return 0.0
    billed, world = outcome.billed, exchange.world
    besides_cents = 0.0
    if any(outcome.sound):
        besides_cents = metering.sound_cents(billed, *outcome.sound, world)
    elif exchange.kind in _DRAWS:
        besides_cents = prices.pictures_cents(billed.name, billed.model, exchange.body, outcome.response)
    return metering.count(exchange.request, billed, *outcome.usage, world, besides_cents)


def _log(exchange: Exchange, outcome: Outcome, cost_cents: float, asked: Record) -> None:
    """Log a call that asked for this.

    *chosen*: a provider takes what its script says, and besides as long as `log_records` has it; a hit takes no time.
    """
    provider, world = outcome.provider, exchange.world
    workspace_id = logbook.workspace_of(exchange.caller, world, (provider.record or {}).get("workspace_id"))
    metadata = calls.below_defaults(exchange.said_metadata, exchange.caller, workspace_id, world)
    shown = outcome.response if outcome.response is not None else outcome.reply.body
    usage = logbook.Usage(provider.name, outcome.model, provider.record, *outcome.usage, cost_cents)
    trace = (exchange.trace_id, exchange.parent_span_id)
    more, took_ms = _more(exchange, outcome), round(exchange.elapsed_ms)
    logbook.of_facts(
        exchange.request, asked, exchange.told, outcome.reply.status, JSON_TYPE, shown, usage, trace, metadata, workspace_id,
        more, world, took_ms,
    )  # fmt: skip


def _more(exchange: Exchange, outcome: Outcome) -> LogRecord | None:
    """What only some calls have in their logs: those with a config, which may have retries and a cache, or a stream."""
    config, streams = exchange.config, exchange.body.get("stream") is True
    if config is configs.NONE and not streams:
        return None
    more: LogRecord = {}
    if config is not configs.NONE:
        more["option_path"] = intern(outcome.path)
        more["mode"] = (config.content.get("strategy") or {}).get("mode", "single")
        more["config"], more["config_id"] = config.slug, config.id
        if targets := _TARGET.findall(outcome.path):
            more["last_used_option_index"] = int(targets[-1])
    if streams:
        more["stream_mode"] = 1
    if outcome.retries > 0 and 200 <= outcome.status < 300:
        more["retry_success_count"] = outcome.retries
    if outcome.cache_status != "DISABLED":
        more["cache_status"] = outcome.cache_status
        more["cache_type"] = "semantic" if "SEMANTIC" in outcome.cache_status else "simple"
        if outcome.cache_status in HITS:
            more["response_time"], more["cache_savings"] = 0, round(_saved(exchange, outcome), 10)
    return more


def _saved(exchange: Exchange, outcome: Outcome) -> float:
    """What a hit did not have to pay, in cents."""
    return metering.cost_cents(outcome.billed, *metering.tokens_of(outcome.response), exchange.world)
