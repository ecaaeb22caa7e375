"""Writes the log: one record for each call of the data plane and for each log that somebody reports.

A call that is refused before a target is chosen changes no world, so it is not logged (*chosen*: that is the engine's rule;
whether the service logs what a policy refuses is unknown, governance-mcp-observability, Analytics). What a target comes to is
logged, its refusals and its provider's errors as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls
from mockserver.portkey.identity import Caller
from mockserver.portkey.log_records import LogRecord, put_down
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


def of_call(request: Request, reply: Reply, usage: Usage, world: World) -> None:
    """Log a call of the data plane that the gateway passed on; see `of_facts`."""
    config = find_config(world, _config_of(request.headers, request.caller))
    provider = usage.provider or {}
    workspace_id = workspace_of(request.caller, world, provider.get("workspace_id"))
    told = calls.told(request)
    metadata = calls.below_defaults(calls.said_metadata(request, told), request.caller, workspace_id, world)
    trace_id, parent = calls.trace(request.headers, told)
    trace_id = reply.headers.get("x-portkey-trace-id") or trace_id or new_trace(world)
    more: LogRecord | None = None if config is None else {"config": config["slug"], "config_id": config["id"]}
    if request.fields.get("stream") is True:
        more = {**(more or {}), "stream_mode": 1}
    trace, status, kind = (trace_id, parent), reply.status, reply.media_type
    of_facts(request, request.fields, told, status, kind, reply.body, usage, trace, metadata, workspace_id, more, world)


def new_trace(world: World) -> str:
    """Return the id of a trace that nobody named. Source: gateway-data-plane, Request headers (random, version 4)."""
    return world.ids.uuid4()


def of_facts(
    request: Request,
    body: Record,
    told: calls.Steering,
    status: int,
    media_type: str,
    answered: JSON,
    usage: Usage,
    trace: tuple[str, str],
    metadata: Mapping[str, str],
    workspace_id: str,
    more: LogRecord | None,
    world: World,
    took_ms: int = 0,
) -> None:
    """Log a call of which this much is known, at the time of the world's clock.

    `body` is what was asked, `answered` what was answered, `trace` its trace and its parent span, empty for none. `more` is
    what only some calls have. `took_ms` comes on top of what the answer takes.

    Source: gateway-data-plane, Request headers (trace, span, metadata, debug), Response headers. *chosen*: the address is
    the one that was called, since the mock calls no provider; files are told by their names.
    """
    trace_id, parent = trace
    method, path = _address(request.operation, request.path)
    asked: Record = {"portkeyHeaders": told.shown}
    shown: Record = {"headers": {"content-type": media_type}}
    if not told.is_silent:
        asked["body"] = {**body, **{each.name: each.file_name for each in request.uploads}} if request.uploads else body
        shown["body"] = answered if isinstance(answered, dict) else {}
    if parent or told.span_id or told.parent_span_id or told.span_name:
        more = {
            **(more or {}),
            "span_id": told.span_id or (world.ids.hex(16) if parent else ""),
            "parent_span_id": told.parent_span_id or parent,
            "span_name": told.span_name or (f"{method} {path}" if parent else ""),
        }
    if "promptId" in request.path:
        prompt = _prompt_of(request, world)
        more = {**(more or {}), "prompt_id": prompt.get("id", ""), "prompt_slug": prompt.get("slug", "")}
    ai_org, model, provider, req_units, res_units, cost_cents = usage
    key_id, slug = key_of(request.caller), "" if provider is None else provider["slug"]
    facts = (
        workspace_id, trace_id, method, path, ai_org, model, key_id, slug, status, took_ms, req_units, res_units,
        cost_cents, more,
    )  # fmt: skip
    put_down(world, facts, metadata, asked, shown)


def _address(operation: Operation, path_values: Record) -> tuple[str, str]:
    """The method and the path of a call as logs have them."""
    method, path = _shared(operation.method, operation.path)
    for name, value in path_values.items():
        path = path.replace("{" + name + "}", str(value))
    return method, path


@lru_cache(maxsize=512)
def _shared(method: str, path: str) -> tuple[str, str]:
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
    """The prompt that a call completes."""
    said = request.path["promptId"]
    return find_prompt(world, said) or {"slug": said}
