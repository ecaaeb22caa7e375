"""Writes the log: one record for each call of the data plane and for each log that somebody reports.

A call that is refused before a target is chosen changes no world, so it is not logged (*chosen*: that is the engine's rule;
whether the service logs what a policy refuses is unknown, governance-mcp-observability, Analytics). What a target comes to is
logged, its refusals and its provider's errors as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote

from mockserver import values
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.contract.secrets import safe_headers
from mockserver.portkey import log_tallies
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


def record(world: World, *logs: LogRecord) -> None:
    """Put logs into the world, at the time of its clock. A log without a trace gets one of its own."""
    now = world.clock.timestamp()
    made = []
    for log in logs:
        entry = kept(log, world.ids.uuid4(), now)
        if not log.trace_id:
            entry["trace_id"] = world.ids.uuid4()  # gateway-data-plane, Request headers: a random one, version 4
        add(world, entry)
        made.append(entry)
    log_tallies.note(world, made)


def of_call(request: Request, reply: Reply, usage: Usage, world: World) -> LogRecord:
    """Return the log of a call of the data plane.

    Source: gateway-data-plane, Request headers (trace, span, metadata, debug), Response headers. *chosen*: the address is
    the one that was called, since the mock calls no provider; a call takes a tenth of a second and a hundredth for each token
    of its answer, so that a latency can be worked out by hand.
    """
    headers, body, caller = request.headers, request.fields, request.caller
    trace_id, parent = _trace(headers)
    config = find_config(world, _config_of(headers, caller)) or {}
    prompt = _prompt_of(request, world)
    path = "/v1" + request.operation.path
    for name, value in request.path.items():
        path = path.replace("{" + name + "}", str(value))
    provider = usage.provider or {}
    workspace_id = workspace_of(caller, world, provider.get("workspace_id"))
    silent = _text(headers, b"x-portkey-debug").lower() == "false"
    return LogRecord(
        workspace_id=workspace_id,
        api_key_id=key_of(caller),
        trace_id=reply.headers.get("x-portkey-trace-id") or trace_id,
        span_id=_text(headers, b"x-portkey-span-id") or (world.ids.hex(16) if parent else ""),
        parent_span_id=_text(headers, b"x-portkey-parent-span-id") or parent,
        span_name=_text(headers, b"x-portkey-span-name") or (f"{request.operation.method.upper()} {path}" if parent else ""),
        ai_org=usage.ai_org,
        ai_model=usage.model,
        request_url=path,
        request_method=request.operation.method.upper(),
        response_status_code=reply.status,
        response_time=100 + 10 * usage.res_units,
        req_units=usage.req_units,
        res_units=usage.res_units,
        cost=usage.cost_cents,
        config=config.get("slug", ""),
        config_id=config.get("id", ""),
        virtual_key=provider.get("slug", ""),
        prompt_id=prompt.get("id", ""),
        prompt_slug=prompt.get("slug", ""),
        stream_mode=int(body.get("stream") is True),
        metadata=metadata_for(_metadata(headers, body), workspace_id, caller, world),
        request={"portkeyHeaders": _portkey_headers(headers), **({} if silent else {"body": body})},
        response={"headers": {"content-type": reply.media_type}, **({} if silent else {"body": _object(reply.body)})},
    )


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


def metadata_for(said: Mapping[str, JSON], workspace_id: str, caller: Caller, world: World) -> dict[str, str]:
    """Return the metadata of a call: what it says, below the defaults of the key, below those of the workspace.

    Source: governance-mcp-observability, Logs (precedence workspace > API key > request; values are texts).
    """
    workspace = world["workspaces"].get(workspace_id) or {}
    defaults = [((each.get("_wire") or {}).get("defaults") or {}).get("metadata") for each in (caller.key or {}, workspace)]
    merged = {**said, **(defaults[0] or {}), **(defaults[1] or {})}
    return {
        name: value if isinstance(value, str) else values.dump(value).decode()
        for name, value in merged.items()
        if value is not None
    }


def _metadata(headers: Mapping[bytes, bytes], body: Record) -> Record:
    """What a call says of itself: its baggage, its metadata over that, the body's `user` as `_user` unless it is given."""
    said: Record = {}
    for member in _text(headers, b"baggage").split(","):
        name, equals, value = member.partition(";")[0].partition("=")
        if equals:
            said[name.strip()] = unquote(value.strip())
    with suppress(values.NotJSON):  # invalid JSON counts as an empty object (gateway-data-plane, Request headers)
        said |= _object(values.parse(headers.get(b"x-portkey-metadata", b"{}")))
    if isinstance(body.get("user"), str):
        said.setdefault("_user", body["user"])
    return said


def _trace(headers: Mapping[bytes, bytes]) -> tuple[str, str]:
    """The trace and the parent span that a call names; W3C's header counts when Portkey's are absent, and opens a new span."""
    own = _text(headers, b"x-portkey-trace-id")
    parts = _text(headers, b"traceparent").split("-")
    if own or len(parts) != 4:
        return own, ""
    return parts[1], parts[2]


def _config_of(headers: Mapping[bytes, bytes], caller: Caller) -> str | None:
    """The saved config that a call names, else the default one of its key; an inline config has no name."""
    said = _text(headers, b"x-portkey-config")
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


def _portkey_headers(headers: Mapping[bytes, bytes]) -> Record:
    """The headers that steered the gateway."""
    return safe_headers(
        {name.decode(): value.decode("latin-1") for name, value in headers.items() if name.startswith(b"x-portkey-")}
    )


def _object(value: JSON) -> Record:
    return value if isinstance(value, dict) else {}


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1").strip()
