"""What a log holds of one call, and how a world keeps it: small, since a world may hold hundreds of thousands.

Source of every field: governance-mcp-observability, Logs: Log record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from sys import intern
from types import MappingProxyType
from typing import TypeAlias, TypedDict, cast

from mockserver import values
from mockserver.portkey.records import organisation_id
from mockserver.values import Record
from mockserver.world.world import World

EXCHANGE_LIMIT = 65_536
"""Bytes of both bodies together; of a longer exchange the log keeps the facts alone (*chosen*: the journal's limit)."""

HITS = frozenset(("HIT", "SEMANTIC HIT"))
"""What `cache_status` says of a call that the cache answered."""

_METHODS = frozenset(("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"))


class LogRecord(TypedDict, total=False):
    """One call, as it goes into the log. Whoever does not know a fact leaves it out: `_DEFAULTS` has what then counts.

    Times are in milliseconds; `cost`, and `cache_savings` (what a hit did not have to pay), in cents. `virtual_key`, `config`
    and `prompt_slug` are slugs.
    """

    workspace_id: str
    api_key_id: str
    trace_id: str
    span_id: str
    parent_span_id: str
    span_name: str
    ai_org: str
    ai_model: str
    request_url: str
    request_method: str
    response_status_code: int
    response_time: int
    req_units: int
    res_units: int
    cost: float
    cache_status: str
    cache_type: str
    cache_savings: float
    retry_success_count: int
    last_used_option_index: int
    option_path: str
    mode: str
    config: str
    config_id: str
    virtual_key: str
    prompt_id: str
    prompt_version_id: str
    prompt_slug: str
    source: str
    stream_mode: int


_DEFAULTS: Record = {
    "workspace_id": "",
    "api_key_id": "",
    "trace_id": "",
    "span_id": "",
    "parent_span_id": "",
    "span_name": "",
    "ai_org": "",
    "ai_model": "",
    "request_url": "",
    "request_method": "POST",
    "response_status_code": 200,
    "response_time": 0,
    "req_units": 0,
    "res_units": 0,
    "cost": 0,
    "cache_status": "DISABLED",
    "cache_type": "",
    "cache_savings": 0,
    "retry_success_count": 0,
    "last_used_option_index": 0,
    "option_path": "config",
    "mode": "single",
    "config": "",
    "config_id": "",
    "virtual_key": "",
    "prompt_id": "",
    "prompt_version_id": "",
    "prompt_slug": "",
    "source": "",
    "stream_mode": 0,
}
"""What a log says of what nobody knew, of all that is kept field by field."""


def lean(log: LogRecord) -> LogRecord:
    """Return a log without the facts that say no more than what counts where nobody knows."""
    return cast(LogRecord, {name: value for name, value in log.items() if value != _DEFAULTS.get(name)})


Facts: TypeAlias = tuple[str, str, str, str, str, str, str, str, int, int, int, int, float, LogRecord | None]
"""What every call has, in a form that costs little to keep; see `_log_of`."""


def put_down(world: World, facts: Facts | LogRecord, metadata: Mapping[str, str], asked: Record, shown: Record) -> None:
    """Put a log into the world at the time of its clock, under an id that is reserved for it.

    It waits there until somebody looks for logs, which most tests never do. `asked` has `headers`, `portkeyHeaders` and
    `body`, as far as there are any, `shown` too but for the second.
    """
    exchange = values.dump({"request": asked, "response": shown})
    if len(exchange) > EXCHANGE_LIMIT:
        exchange = values.dump({"request": without_body(asked), "response": without_body(shown)})
    told = intern(values.dump(metadata).decode()) if metadata else ""
    world.put_off("logs", _write, (world.ids.reserve(), world.clock.timestamp(), facts, told, exchange.decode()))


def _write(world: World, put: tuple[int, str, Facts | LogRecord, str, str]) -> None:
    """Add a log to those that are there, as texts and numbers alone (see `full`), numbered in the order of arrival.

    The logs of a trace are a chain, newest first: an index would weigh as much as they do.
    """
    reserved, created_at, said, metadata, exchange = put
    facts, logs, log_id = world.facts, world["logs"], world.ids.uuid4(reserved)
    made = _log_of(said) if isinstance(said, tuple) else said
    # A dictionary that never held anything but texts and numbers is none that the garbage collector looks through.
    log: Record = {"id": log_id, "workspace_id": "", "created_at": created_at, **made}
    log |= {"_number": len(logs), "_exchange": exchange}
    if metadata:
        log["metadata"] = metadata
    name = f"trace:{log['trace_id']}"
    before = facts.get(name)
    if before is not None:
        log["_before"] = before
    facts.put(name, log_id)
    logs.add(log)


def _log_of(facts: Facts) -> LogRecord:
    """The log of a call.

    *chosen*: a call takes a tenth of a second and a hundredth for each token of its answer, so that a latency can be worked
    out by hand; what a script adds is added.
    """
    (
        workspace_id, trace_id, method, path, ai_org, model, key_id, slug, status, took_ms, req_units, res_units, cost_cents,
        more,
    ) = facts  # fmt: skip
    log: LogRecord = {
        "workspace_id": workspace_id,
        "trace_id": trace_id,
        "ai_org": ai_org,
        "ai_model": intern(model),
        "request_url": path,
        "request_method": method,
        "response_status_code": status,
        "response_time": 100 + 10 * res_units + took_ms,
        "req_units": req_units,
        "res_units": res_units,
        "cost": round(cost_cents, 10),  # without what adding leaves behind
    }
    if key_id:
        log["api_key_id"] = key_id
    if slug:
        log["virtual_key"] = slug
    if more is not None:
        log.update(more)
    return log


def of_trace(world: World, trace_id: str) -> Iterator[Record]:
    """The logs of a trace, in full, newest first."""
    logs = world["logs"]
    log_id = world.facts.get(f"trace:{trace_id}")
    while log_id is not None:
        log = full(logs.get(log_id) or {})
        yield log
        log_id = log.get("_before")


def full(log: Record) -> Record:
    """Return a kept log with all its fields but the exchange."""
    return {**_DEFAULTS, **log}


def metadata_of(log: Record) -> Mapping[str, str]:
    """Return the metadata of a log."""
    text = log.get("metadata")
    return _parsed(text) if text else _NOTHING


def is_success(log: Record) -> bool:
    """Whether a call succeeded: its status is 2xx, so a 246 is a success and a 446 is none."""
    return 200 <= int(log["response_status_code"]) < 300


def metrics(log: Record, world: World) -> Record:
    """Return the facts of a full log in the words of the interface; texts that say nothing are left out."""
    metadata = metadata_of(log)
    workspace = world["workspaces"].get(log["workspace_id"])
    shown = {name: log[name] for name in _DEFAULTS if name not in _OWN and (log[name] != "" or name in _ALWAYS)}
    return {
        "id": log["id"],
        "organisation_id": organisation_id(world),
        "workspace_slug": None if workspace is None else workspace["slug"],
        "created_at": log["created_at"],
        **shown,
        "total_units": log["req_units"] + log["res_units"],
        "cost_currency": "USD",
        "is_success": is_success(log),
        "cache_type": log["cache_type"] or None,
        "metadata.key": list(metadata),
        "metadata.value": list(metadata.values()),
    }


def shown(log: Record, world: World) -> Record:
    """Return a kept log as a read shows it."""
    request, response = exchange_of(log)
    log = full(log)
    body = request.get("body") or {}
    method = str(log["request_method"]).upper()
    return {
        "_id": log["id"],
        "organisation_id": organisation_id(world),
        "created_at": log["created_at"],
        "log_format": "v1",
        "request": {
            "url": log["request_url"],
            "method": method if method in _METHODS else "POST",
            "headers": request.get("headers") or {},
            "body": body,
            "portkeyHeaders": request.get("portkeyHeaders") or {},
        },
        "response": {
            "status": log["response_status_code"],
            "headers": response.get("headers") or {},
            "body": response.get("body") or {},
            "responseTime": log["response_time"],
            "lastUsedOptionJsonPath": log["option_path"],
        },
        "metrics": metrics(log, world),
        "finalUntransformedRequest": {"body": body},
        "transformedRequest": {"body": body},
        "originalResponse": {"body": response.get("body") or {}},
    }


def exchange_of(log: Record) -> tuple[Record, Record]:
    """Return what was asked and what was answered, each empty when it was not kept."""
    text = log.get("_exchange")
    exchange: Record = values.parse(text.encode()) if text else {}
    return exchange.get("request") or {}, exchange.get("response") or {}


def without_body(side: Record) -> Record:
    """Return one side of an exchange without its body."""
    return {name: value for name, value in side.items() if name != "body"}


_OWN = frozenset(("workspace_id", "cache_savings", "option_path"))
"""Fields of `LogRecord` that are no metrics, or not in this form."""
_ALWAYS = frozenset(("trace_id", "ai_org", "ai_model", "request_url"))
"""Texts that are shown also when they are empty."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Mapping[str, str]:
    parsed: Record = values.parse(text.encode())
    return MappingProxyType(parsed)
