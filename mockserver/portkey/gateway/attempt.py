"""One target of a config: guardrails, cache, limits, the provider with its retries, guardrails again.

Source: gateway-data-plane, Request pipeline (10: the order), Retry, Request timeout, Cache, Guardrails, error catalogue C.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.contract.replies import Reply
from mockserver.portkey import calls, envelopes, metering
from mockserver.portkey.gateway import cache, hooks, scripts
from mockserver.portkey.gateway.exchange import PROVIDERS, Exchange, Outcome, Provider, plain, resolved
from mockserver.portkey.gateway.targets import shaped
from mockserver.portkey.gateway.upstream import Answer, ask, model_of, replayed, reply_of, saying
from mockserver.portkey.gateway.verdicts import Subject
from mockserver.values import JSON, Record

RETRIED = (429, 500, 502, 503, 504)
"""What is retried unless a config lists other statuses."""
LONGEST_WAIT_S = 60
"""How long all waits for `Retry-After` may be together."""

NO_PROVIDER = "Either x-portkey-config or x-portkey-provider header is required"
NO_PROVIDER_IN_CONFIG = (
    "Either x-portkey-provider needs to be passed. Or the x-portkey-config header should have a valid config with provider "
    "details in it."
)


Judge: TypeAlias = Callable[[str], hooks.Findings]
"""Tells what guardrails find in the text of an answer."""

_NO_REPLY = Reply()
"""Stands for a reply until there is one."""


def attempt(exchange: Exchange, target: Record, path: str) -> Outcome:
    """Return what a target, with all that it inherits, comes to."""
    world = exchange.world
    provider, body = addressed(exchange, target)
    if target and not exchange.is_form:
        body = shaped(body, target)
    outcome = Outcome(_NO_REPLY, path, provider, model_of(exchange.kind, body))
    exchange.target = target
    exchange.strict = not exchange.told.is_loose and target.get("strict_open_ai_compliance") is not False

    before, judge = hooks.NOTHING, None
    if target or exchange.caller.workspace_id:
        before, judge = _guarded(exchange, target, body)
        exchange.feedback += tuple(before.feedback)
        if before.denied:
            outcome.reply = _denied(exchange, outcome, body, before, hooks.NOTHING)
            return outcome

    cached = _Cached(exchange, target, provider, outcome, body) if target.get("cache") else None
    if cached is not None:
        outcome.cache_status = cached.kept.status
        if cached.kept.body is not None:
            results = _results(before, hooks.NOTHING)
            reply = replayed(exchange, provider, body, cached.kept.body, results)
            outcome.reply = _judged(reply, failed=before.failed)
            outcome.response = cached.kept.body
            return outcome

    if metering.are_limited(world, provider.record):
        try:
            metering.admit_to(exchange.request, outcome.billed, world)
        except Problem as problem:
            outcome.reply = envelopes.of_gateway(problem)
            return outcome

    answer, after = _asked(exchange, target, provider, body, outcome, judge)
    outcome.usage, outcome.response, outcome.asked = answer.usage, answer.body, True
    outcome.final = "x-portkey-gateway-exception" in answer.headers
    if before is hooks.NOTHING and after is hooks.NOTHING:
        outcome.reply = reply_of(exchange, provider, answer, body, None)
    else:
        exchange.feedback += tuple(after.feedback)
        if after.denied:
            outcome.reply = _denied(exchange, outcome, body, before, after)
            return outcome
        reply = reply_of(exchange, provider, answer, body, _results(before, after))
        outcome.reply = _judged(reply, failed=before.failed or after.failed)
    if cached is not None and outcome.status == 200:
        cached.store(answer.body)
    return outcome


def _guarded(exchange: Exchange, target: Record, body: Record) -> tuple[hooks.Findings, Judge | None]:
    """What guardrails find in a call, and what will judge its answer, None for nothing."""
    world, kind, workspace_id = exchange.world, exchange.kind, exchange.caller.workspace_id
    workspace = world["workspaces"].get(workspace_id) if workspace_id else None

    def found_in(rails: list[hooks.Guardrail], text: str) -> hooks.Findings:
        return hooks.run(rails, Subject(text, kind, body, exchange.metadata), world.clock.timestamp())

    before = hooks.guardrails(target, "input", workspace, world) if kind in hooks.INPUT_KINDS else []
    after = hooks.guardrails(target, "output", workspace, world) if kind in hooks.OUTPUT_KINDS else []
    found = found_in(before, scripts.last_text(body)) if before else hooks.NOTHING
    return found, partial(found_in, after) if after else None


class _Cached:
    """The cache, for one call of a target that has one. `kept` is what it knows of the call."""

    def __init__(self, exchange: Exchange, target: Record, provider: Provider, outcome: Outcome, body: Record) -> None:
        request = exchange.request
        self._world = exchange.world
        self._kind = exchange.kind
        self._url = f"{provider.name}{request.operation.path}"
        self._asked = {**body, "model": outcome.model} if outcome.model else body  # what the provider would get
        self._space = calls.text(request, b"x-portkey-cache-namespace") or calls.text(request, b"x-portkey-metadata")
        refresh = calls.text(request, b"x-portkey-cache-force-refresh").lower() == "true"
        self.kept = cache.look_up(
            self._world, target["cache"], self._kind, self._url, self._asked, self._space,
            refresh=refresh, asked_age_s=_asked_age_s(exchange),
        )  # fmt: skip

    def store(self, answer: JSON) -> None:
        """Keep an answer for the calls that come after."""
        cache.store(self._world, self.kept, self._kind, self._url, self._asked, self._space, answer)


def _asked(
    exchange: Exchange,
    target: Record,
    provider: Provider,
    body: Record,
    outcome: Outcome,
    judge: Judge | None,
) -> tuple[Answer, hooks.Findings]:
    """Ask the provider until it answers with something that is not retried, or the attempts are used up."""
    settings = target.get("retry")
    if not settings and judge is None:
        return ask(exchange, target, provider, body, outcome.path, outcome.model), hooks.NOTHING
    settings = settings or {}
    attempts = int(settings.get("attempts") or 0)
    statuses = settings.get("on_status_codes")
    statuses = RETRIED if statuses is None else statuses
    heeds = settings.get("use_retry_after_header") or settings.get("use_retry_after_headers")
    waited_s = 0.0
    for tried in range(attempts + 1):
        answer = ask(exchange, target, provider, body, outcome.path, outcome.model)
        after = hooks.NOTHING
        if judge is not None and answer.status == 200:
            after = judge(answer.text)
            if body.get("stream") is True:
                after = after._replace(failed=False, denied=False)  # it is judged at its end, when its status is long out
        status = answer.status if answer.status != 200 else _status(after)
        outcome.retries = tried
        if status == 200 or status not in statuses or "x-portkey-gateway-exception" in answer.headers:
            return answer, after
        if tried == attempts:
            break
        wait_s = answer.retry_after_s if heeds and status == 429 else None
        if wait_s is not None:
            if waited_s + wait_s > LONGEST_WAIT_S:
                break
            waited_s += wait_s
            exchange.elapsed_ms += wait_s * 1000
    outcome.retries = -1 if attempts else 0
    return answer, after


def addressed(exchange: Exchange, target: Record) -> tuple[Provider, Record]:
    """Who is to answer, and the body without a slug before its model.

    In a target `provider` counts before `virtual_key` and that before the model of `override_params`; one that says nothing
    borrows what the call says. Fails: `invalid-request` when nobody says anything.
    """
    body = exchange.body
    if target:
        said, key = target.get("provider"), target.get("virtual_key")
        if isinstance(said, str) and said.startswith("@"):
            return resolved(exchange, said[1:].partition("/")[0]), body
        if key and not said:
            return resolved(exchange, key), body
        if said:
            if said not in PROVIDERS:
                raise Problem(INVALID_REQUEST, "Invalid provider passed")
            return plain(said), body
        slug, model = metering.parted(str((target.get("override_params") or {}).get("model") or ""))
        if slug:
            target["override_params"] = {**target["override_params"], "model": model}
            return resolved(exchange, slug), body
    if exchange.slug:
        return resolved(exchange, exchange.slug), body
    if exchange.provider_name:
        return plain(exchange.provider_name), body
    if exchange.unnamed:
        return plain(exchange.unnamed), body
    if exchange.caller.key is None:
        # chosen: a key that the world does not know need not name a provider either, and gets one that can do it
        return plain("cohere" if exchange.kind == "rerank" else "openai"), body
    raise Problem(INVALID_REQUEST, NO_PROVIDER_IN_CONFIG if exchange.config.content else NO_PROVIDER)


def _status(found: hooks.Findings) -> int:
    """What a 200 becomes by what guardrails found; a soft denial is none that anything is tried again for."""
    if found.denied:
        return 446 if found.words is None else 200
    return 246 if found.failed else 200


def _denied(exchange: Exchange, outcome: Outcome, body: Record, before: hooks.Findings, after: hooks.Findings) -> Reply:
    """The denial, or what a model says instead of it where that is wished.

    *chosen*, since the dossier tells no more than that it is a completion with a 200: what it says is the guardrail's
    `message`, else the text of a denial, and the results of guardrails come with it.
    """
    results, words = _results(before, after), (before if before.denied else after).words
    if words is not None and exchange.kind in hooks.OUTPUT_KINDS:
        answer = saying(exchange, outcome.provider, body, outcome.model, words)
        return reply_of(exchange, outcome.provider, answer, body, results)
    error = {"message": hooks.REFUSAL, "type": "hooks_failed", "param": None, "code": None}
    return Reply(446, {"error": error, "hook_results": results}, problem="denied")


def _judged(reply: Reply, *, failed: bool) -> Reply:
    """The reply; a guardrail that failed without denying makes a 200 a 246."""
    if reply.status == 200 and failed:
        reply.status = 246
    return reply


def _results(before: hooks.Findings, after: hooks.Findings) -> Record | None:
    """What synchronous guardrails found, as replies show it; None when there were none."""
    if not before.results and not after.results:
        return None
    return {"before_request_hooks": before.results, "after_request_hooks": after.results}


def _asked_age_s(exchange: Exchange) -> int | None:
    for part in calls.text(exchange.request, b"cache-control").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "max-age" and value.isdigit():
            return int(value)
    return None
