"""Writes the log: one record for each call of the data plane and for each log that somebody reports.

A call that is refused before a target is chosen changes no world, so it is not logged (*chosen*: that is the engine's rule;
whether the service logs what a policy refuses is unknown, governance-mcp-observability, Analytics). What a target comes to is
logged, its refusals and its provider's errors as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls
from mockserver.portkey.identity import Caller
from mockserver.portkey.log_records import LogRecord, add, kept
from mockserver.portkey.records import find_config, find_prompt
from mockserver.values import JSON, Record
from mockserver.world.world import World

_DEFAULT_WORKSPACE = "default_workspace_id"


class Usage(NamedTuple):
    """What metering found out of a call: `ai_org` is the provider's plain name, `provider` its record if it has one."""

    ai_org: str
    model: str
    provider: Record | None
    req_units: int
    res_units: int
    cost_cents: float


class Answered(NamedTuple):
    """What was answered to a call."""

    status: int
    media_type: str
    body: JSON


def record(world: World, *logs: LogRecord) -> None:
    """Put logs into the world, at the time of its clock. A log without a trace gets one of its own."""
    now = world.clock.timestamp()
    for log in logs:
        entry = kept(log, world.ids.uuid4(), now)
        if not log.get("trace_id"):
            entry["trace_id"] = world.ids.uuid4()  # gateway-data-plane, Request headers: a random one, version 4
        add(world, entry)


def of_call(request: Request, reply: Reply, usage: Usage, world: World) -> LogRecord:
    """Return the log of a call of the data plane that the gateway passed on; see `of_facts`."""
    config = find_config(world, _config_of(request.headers, request.caller))
    provider = usage.provider or {}
    workspace_id = workspace_of(request.caller, world, provider.get("workspace_id"))
    told = calls.told(request)
    metadata = calls.below_defaults(calls.said_metadata(request, told), request.caller, workspace_id, world)
    trace_id, parent = calls.trace(request.headers, told)
    trace = (reply.headers.get("x-portkey-trace-id") or trace_id, parent)
    answered = Answered(reply.status, reply.media_type, reply.body)
    log = of_facts(request, told, answered, usage, trace, metadata, workspace_id, world)
    if config is not None:
        log["config"], log["config_id"] = config["slug"], config["id"]
    return log


def of_facts(
    request: Request,
    told: calls.Steering,
    answered: Answered,
    usage: Usage,
    trace: tuple[str, str],
    metadata: Mapping[str, str],
    workspace_id: str,
    world: World,
) -> LogRecord:
    """Return the log of a call of which this much is known; `trace` is its trace and its parent span, empty for none.

    Source: gateway-data-plane, Request headers (trace, span, metadata, debug), Response headers. *chosen*: the address is
    the one that was called, since the mock calls no provider; a call takes a tenth of a second and a hundredth for each token
    of its answer, so that a latency can be worked out by hand; files are told by their names.
    """
    body, (trace_id, parent) = request.fields, trace
    method, path = _address(request.operation.method, request.operation.path)
    for name, value in request.path.items():
        path = path.replace("{" + name + "}", str(value))
    asked: Record = {"portkeyHeaders": told.shown}
    shown: Record = {"headers": {"content-type": answered.media_type}}
    if not told.is_silent:
        files = {upload.name: upload.file_name for upload in request.uploads} if request.uploads else None
        asked["body"] = {**body, **files} if files else body
        shown["body"] = answered.body if isinstance(answered.body, dict) else {}
    log: LogRecord = {
        "workspace_id": workspace_id,
        "trace_id": trace_id,
        "ai_org": usage.ai_org,
        "ai_model": intern(usage.model),
        "request_url": path,
        "request_method": method,
        "response_status_code": answered.status,
        "response_time": 100 + 10 * usage.res_units,
        "req_units": usage.req_units,
        "res_units": usage.res_units,
        "cost": round(usage.cost_cents, 10),  # without what adding leaves behind
        "metadata": metadata,
        "request": asked,
        "response": shown,
    }
    if request.caller.key is not None:
        log["api_key_id"] = key_of(request.caller)
    if usage.provider is not None:
        log["virtual_key"] = usage.provider["slug"]
    if parent or told.span_id or told.parent_span_id or told.span_name:
        log["span_id"] = told.span_id or (world.ids.hex(16) if parent else "")
        log["parent_span_id"] = told.parent_span_id or parent
        log["span_name"] = told.span_name or (f"{method} {path}" if parent else "")
    if body.get("stream") is True:
        log["stream_mode"] = 1
    if "promptId" in request.path:
        prompt = _prompt_of(request, world)
        log["prompt_id"], log["prompt_slug"] = prompt.get("id", ""), prompt.get("slug", "")
    return log


@lru_cache(maxsize=512)
def _address(method: str, path: str) -> tuple[str, str]:
    """The method and the path of an operation as logs have them. Remembered, so that all logs share them."""
    return method.upper(), f"/v1{path}"


def workspace_of(caller: Caller, world: World, instead: str | None = None) -> str:
    """Return the workspace whose log a call belongs to: the caller's, else `instead`, else the organisation's default one.

    *chosen*: with the real service only keys of a workspace make such calls, so every log has a workspace. Empty when there
    is none at all.
    """
    named = caller.workspace_id or instead or world.facts.get(_DEFAULT_WORKSPACE)
    if named is None:
        active = world["workspaces"].newest(_shelf="active")
        named = next((each["id"] for each in active if each["_wire"]["is_default"]), "")
        world.facts.put(_DEFAULT_WORKSPACE, named)  # the default one is made with the world, and cannot be deleted
    return str(named)


def key_of(caller: Caller) -> str:
    """Return the id of the caller's key, empty for a key that the world does not know."""
    return "" if caller.key is None else str(caller.key["id"])


def _config_of(headers: Mapping[bytes, bytes], caller: Caller) -> str | None:
    """The saved config that a call names, else the default one of its key; an inline config has no name."""
    said = calls.text_in(headers, b"x-portkey-config")
    if said or caller.key is None:
        return said
    default: str | None = caller.key["_wire"]["defaults"]["config_id"]
    return default


def _prompt_of(request: Request, world: World) -> Record:
    """The prompt that a call completes; empty for other calls."""
    if "promptId" not in request.path:
        return {}
    said = request.path["promptId"]
    return find_prompt(world, said) or {"slug": said}
