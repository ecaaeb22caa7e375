"""Logs: taking in what was called elsewhere, and reading one log.

Source of every rule that names none: governance-mcp-observability, Logs.
"""

from __future__ import annotations

from sys import intern

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.contract.secrets import safe_headers
from mockserver.portkey import calls, log_tallies, logbook, prices
from mockserver.portkey.log_records import LogRecord, lean, put_down, shown
from mockserver.portkey.metering import tokens_of
from mockserver.portkey.records import not_found
from mockserver.values import JSON, Record
from mockserver.world.world import World

_NAMES = (
    ("trace_id", "traceId"),
    ("span_id", "spanId"),
    ("parent_span_id", "parentSpanId"),
    ("span_name", "spanName"),
)
"""What of the metadata is no metadata, in both spellings: the interface's and that of the docs."""


def create_log(request: Request, world: World) -> Reply:
    """Take in one log or several, as made now. They cost what the same calls would have cost here, but use no budget.

    *chosen*: the time of the clock, since `time` is the length of a step for some tracers and a date for others.
    """
    body = request.body
    if isinstance(body, dict):
        body = [body] if "request" in body else list(body.values())  # the Node client writes a list by numbers
    workspace_id = logbook.workspace_of(request.caller, world)
    for each in body:
        _report(each, workspace_id, request, world)
    log_tallies.add_up(world)  # imports are large: the first graph would wait for all of it
    return Reply(200, {"status": "success", "success": True})


def get_log(request: Request, world: World) -> Reply:
    """Show a log with its bodies, or with `type=hooks` only what the guardrails of the call found.

    Fails: `invalid-request` for `path_format=v2` without `created_at`, which the store files that way; `forbidden` for a log
    of another workspace.
    """
    query = request.query
    if query.get("path_format") == "v2" and "created_at" not in query:
        raise invalid("query", "/created_at", "is required with path_format v2")
    log = world["logs"].get(request.path["logId"])
    if log is None:
        raise not_found()
    request.caller.reach(log["workspace_id"])
    found = shown(log, world)
    if query.get("type") == "hooks":
        hooks = found["response"]["body"].get("hook_results")
        found["response"]["body"] = {} if hooks is None else {"hook_results": hooks}
        found["request"]["body"] = {}
        found = {name: found[name] for name in ("_id", "organisation_id", "created_at", "log_format", "request", "response")}
    return Reply(200, found)


def _report(said: Record, workspace_id: str, request: Request, world: World) -> None:
    """Log a call that somebody reports."""
    asked, answered = said["request"], said["response"]
    question, answer = asked.get("body") or {}, answered.get("body") or {}
    metadata = {name: value for name, value in (said.get("metadata") or {}).items() if value is not None}
    trace_id, span_id, parent_span_id, span_name = (_first(metadata, names) for names in _NAMES)
    if isinstance(metadata.get("user"), str):
        metadata.setdefault("_user", metadata["user"])
    ai_org, ai_model = asked.get("provider") or "", question.get("model") or answer.get("model") or ""
    ai_model = ai_model if isinstance(ai_model, str) else ""
    req_units, res_units = tokens_of(answer)
    price = prices.price_of(ai_org, ai_model)
    log = LogRecord(
        workspace_id=workspace_id,
        api_key_id=logbook.key_of(request.caller),
        trace_id=trace_id or logbook.new_trace(world),
        span_id=span_id,
        parent_span_id=parent_span_id,
        span_name=span_name,
        ai_org=intern(ai_org),
        ai_model=intern(ai_model),
        request_url=intern(asked.get("url") or ""),
        request_method=intern((asked.get("method") or "post").upper()),
        response_status_code=answered.get("status", 200),
        response_time=round(float(answered.get("response_time") or 0)),
        req_units=req_units,
        res_units=res_units,
        cost=round(prices.cost_cents(price, None, req_units, res_units), 10) if price is not None else 0,
        stream_mode=int(answered.get("streamingMode") is True or question.get("stream") is True),
    )
    told = calls.below_defaults(metadata, request.caller, workspace_id, world)
    sides = {"headers": _headers(asked), "body": question}, {"headers": _headers(answered), "body": answer}
    put_down(world, lean(log), told, *sides)


def _headers(side: Record) -> dict[str, str]:
    return safe_headers({name: str(value) for name, value in (side.get("headers") or {}).items()})


def _first(metadata: Record, names: tuple[str, str]) -> str:
    """Take a value out of the metadata by the first of two names that is there; OpenTelemetry's ids are numbers."""
    found: list[JSON] = [metadata.pop(name) for name in names if name in metadata]
    return str(found[0]) if found else ""
