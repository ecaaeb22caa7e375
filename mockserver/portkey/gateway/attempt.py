"""One target of a config: guardrails, cache, limits, the provider with its retries, guardrails again.

Source: gateway-data-plane, Request pipeline (10: the order), Retry, Request timeout, Cache, Guardrails, error catalogue C.
"""

from __future__ import annotations

from mockserver import values
from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.contract.replies import Reply
from mockserver.portkey import metering
from mockserver.portkey.gateway import cache, hooks, scripts
from mockserver.portkey.gateway.exchange import PROVIDERS, Exchange, Outcome, Provider, addressed_model, resolved
from mockserver.portkey.gateway.targets import shaped
from mockserver.portkey.gateway.upstream import Answer, ask, replayed
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
HOOKS_FAILED = "The guardrail checks defined in the config failed. You can find more information in the `hook_results` object."


def attempt(exchange: Exchange, target: Record, path: str) -> Outcome:
    """Return what a target, with all that it inherits, comes to."""
    world = exchange.world
    provider, body = _addressed(exchange, target)
    body = shaped(body, target)
    model = body.get("model") if isinstance(body.get("model"), str) else ""
    outcome = Outcome(Reply(), path, provider, str(model or ""))
    at = world.clock.timestamp()

    def subject(text: str) -> Subject:
        return Subject(text, exchange.kind, body, exchange.metadata)

    before = hooks.NOTHING
    if exchange.kind in hooks.INPUT_KINDS:
        before = hooks.run(hooks.guardrails(target, "input", world), subject(scripts.last_text(body)), at)
    if before.denied:
        outcome.reply = _denied(before, hooks.NOTHING)
        return outcome

    url = f"{provider.name}{exchange.request.operation.path}"
    space = calls_space(exchange)
    found = cache.look_up(
        world, target.get("cache"), exchange.kind, url, body, space,
        refresh=_text(exchange, b"x-portkey-cache-force-refresh").lower() == "true", asked_age_s=_asked_age_s(exchange),
    )  # fmt: skip
    outcome.cache_status = found.status
    if found.body is not None:
        outcome.reply = _with_hooks(replayed(exchange, body, found.body), before, hooks.NOTHING)
        outcome.response, outcome.answered = found.body, True
        return outcome

    refusal = metering.refusal(exchange, provider, outcome.model)
    if refusal is not None:
        outcome.reply = refusal
        return outcome

    after_rails = hooks.guardrails(target, "output", world) if exchange.kind in hooks.OUTPUT_KINDS else []
    answer, after = _asked(exchange, target, provider, body, path, outcome, after_rails, subject)
    outcome.usage, outcome.response = answer.usage, answer.body
    outcome.answered = answer.status == 200
    if after.denied:
        outcome.reply = _denied(before, after)
        return outcome
    outcome.reply = _with_hooks(answer.reply(exchange, body), before, after)
    if answer.status == 200:
        cache.store(world, found, exchange.kind, url, body, space, answer.body)
    return outcome


def _asked(
    exchange: Exchange, target: Record, provider: Provider, body: Record, path: str, outcome: Outcome,
    rails: list[hooks.Guardrail], subject: object,
) -> tuple[Answer, hooks.Findings]:  # fmt: skip
    """Ask the provider until it answers with something that is not retried, or the attempts are used up."""
    settings = target.get("retry") or {}
    attempts = int(settings.get("attempts") or 0)
    statuses = settings.get("on_status_codes") or RETRIED
    waits = settings.get("use_retry_after_header") or settings.get("use_retry_after_headers")
    waited_s = 0.0
    for tried in range(attempts + 1):
        answer = ask(exchange, target, provider, body, path)
        after = hooks.NOTHING
        if rails and answer.status == 200:
            after = hooks.run(rails, subject(answer.text), exchange.world.clock.timestamp())  # type: ignore[operator]
        status = 446 if after.denied else 246 if after.failed else answer.status
        outcome.retries = tried
        if status not in statuses or status == 200:
            return answer, after
        hint_s = answer.retry_after_s if waits and status == 429 else None
        if hint_s is not None:
            if waited_s + hint_s > LONGEST_WAIT_S:
                break
            waited_s += hint_s
            exchange.elapsed_ms += hint_s * 1000
    outcome.retries = -1 if attempts else 0
    return answer, after


def _addressed(exchange: Exchange, target: Record) -> tuple[Provider, Record]:
    """Who is to answer, and the body without a slug before its model.

    In a target `provider` counts before `virtual_key` and that before the model of `override_params`; one that says nothing
    borrows what the call says. Fails: `invalid-request` when nobody says anything.
    """
    body, said, key = exchange.body, target.get("provider"), target.get("virtual_key")
    if isinstance(said, str) and said.startswith("@"):
        return resolved(exchange, said[1:].partition("/")[0]), body
    if key and not said:
        return resolved(exchange, key), body
    if said:
        if said not in PROVIDERS:
            raise Problem(INVALID_REQUEST, "Invalid provider passed")
        return Provider(said), body
    slug, model = addressed_model((target.get("override_params") or {}).get("model"))
    if slug:
        target["override_params"] = {**target["override_params"], "model": model}
        return resolved(exchange, slug), body
    if exchange.slug:
        return resolved(exchange, exchange.slug), body
    if exchange.provider_name:
        return Provider(exchange.provider_name), body
    if exchange.caller.key is None:
        return Provider("openai"), body  # chosen: a key that the world does not know need not name a provider either
    raise Problem(INVALID_REQUEST, NO_PROVIDER_IN_CONFIG if exchange.config.content else NO_PROVIDER)


def _denied(before: hooks.Findings, after: hooks.Findings) -> Reply:
    error = {"message": HOOKS_FAILED, "type": "hooks_failed", "param": None, "code": None}
    return Reply(446, {"error": error, "hook_results": _results(before, after)}, problem="denied")


def _with_hooks(reply: Reply, before: hooks.Findings, after: hooks.Findings) -> Reply:
    """The reply with what synchronous guardrails found; one that failed without denying makes a 200 a 246."""
    if not before.results and not after.results:
        return reply
    if isinstance(reply.body, dict):
        reply.body = {**reply.body, "hook_results": _results(before, after)}
    if reply.status == 200 and (before.failed or after.failed):
        reply.status = 246
    return reply


def _results(before: hooks.Findings, after: hooks.Findings) -> Record:
    return {"before_request_hooks": before.results, "after_request_hooks": after.results}


def calls_space(exchange: Exchange) -> str:
    """What keeps calls apart in the cache: the namespace, else the metadata as it was sent."""
    return _text(exchange, b"x-portkey-cache-namespace") or _text(exchange, b"x-portkey-metadata")


def _asked_age_s(exchange: Exchange) -> int | None:
    for part in _text(exchange, b"cache-control").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "max-age" and value.isdigit():
            return int(value)
    return None


def _text(exchange: Exchange, header: bytes) -> str:
    return exchange.request.headers.get(header, b"").decode("latin-1").strip()


def dumped(value: JSON) -> bytes:
    """Return the JSON text of a value."""
    return values.dump(value)
