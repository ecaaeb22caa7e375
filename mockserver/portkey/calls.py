"""What a call tells of itself in its headers: whose key made it, whom it asks, its trace, the metadata that goes with it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from mockserver import values
from mockserver.contract.heads import read_once
from mockserver.contract.requests import Request
from mockserver.contract.secrets import safe_headers
from mockserver.portkey.identity import Caller, digest, secret_of
from mockserver.values import JSON, Record
from mockserver.world.world import World


def text(request: Request, header: bytes) -> str:
    """Return a header, empty when it was not sent."""
    return text_in(request.headers, header)


def text_in(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """Return one of some headers, empty when it was not sent."""
    said = headers.get(name)
    return said.decode("latin-1").strip() if said else ""


class Steering(NamedTuple):
    """What the headers of a call tell the gateway. Texts are empty, and `metadata` too, where nothing was said.

    `slug` is that of a provider. `shown` are all of these headers without secrets, as logs have them; nobody changes it.
    """

    provider: str
    slug: str
    trace_id: str
    span_id: str
    parent_span_id: str
    span_name: str
    metadata: Record
    custom_host: str
    forward_headers: str
    request_timeout: str
    is_loose: bool
    is_silent: bool
    shown: Record


def told(request: Request) -> Steering:
    """Return what the headers of a call tell the gateway; identity has read those of the data plane."""
    return request.caller.told or steering(request.headers)


def steering(headers: Mapping[bytes, bytes]) -> Steering:
    """Return what headers tell the gateway. Source: gateway-data-plane, Request headers."""
    return read_once(headers, _told)


def _told(headers: Mapping[bytes, bytes]) -> Steering:
    return _steering(tuple([pair for pair in headers.items() if pair[0].startswith(b"x-portkey-")]))


@lru_cache(maxsize=1024)
def _steering(pairs: tuple[tuple[bytes, bytes], ...]) -> Steering:
    """Read the headers. Remembered, since a client sends the same with each call, whatever else it sends."""
    headers = dict(pairs)

    def said(name: str) -> str:
        return text_in(headers, f"x-portkey-{name}".encode())

    metadata: JSON = None
    with suppress(values.NotJSON):
        metadata = values.parse(headers.get(b"x-portkey-metadata", b"null"))
    provider = said("provider")
    return Steering(
        provider=provider,
        slug=provider[1:].partition("/")[0] if provider.startswith("@") else said("virtual-key"),
        trace_id=said("trace-id"),
        span_id=said("span-id"),
        parent_span_id=said("parent-span-id"),
        span_name=said("span-name"),
        metadata=metadata if isinstance(metadata, dict) else {},
        custom_host=said("custom-host"),
        forward_headers=said("forward-headers"),
        request_timeout=said("request-timeout"),
        is_loose=said("strict-open-ai-compliance").lower() == "false",
        is_silent=said("debug").lower() == "false",
        shown=safe_headers({name.decode(): value.decode("latin-1") for name, value in pairs}),
    )


def trace(headers: Mapping[bytes, bytes], steering: Steering) -> tuple[str, str]:
    """Return the trace and the parent span that headers name, empty for none.

    W3C's header counts when Portkey's is absent, and opens a new span (gateway-data-plane, Request headers).
    """
    if steering.trace_id or b"traceparent" not in headers:
        return steering.trace_id, ""
    parts = text_in(headers, b"traceparent").split("-")
    return (parts[1], parts[2]) if len(parts) == 4 else ("", "")


def key_id(request: Request) -> str:
    """Return the id of the key that a call is made with.

    *chosen*: a key that the world does not know gets an id drawn from its secret, the same for all its calls, so that what
    counts or is written down by key tells unknown ones apart as well.
    """
    caller: Caller = request.caller
    if caller.key is not None:
        return str(caller.key["id"])
    return caller.drawn_id or _drawn(secret_of(request.headers))


@lru_cache(maxsize=1024)
def _drawn(secret: str) -> str:
    return str(uuid.UUID(hex=digest(secret), version=4))


def metadata(request: Request, world: World) -> dict[str, str]:
    """Return the metadata that conditions and policies see, texts by name: what is empty or null is not there."""
    return seen_metadata(said_metadata(request, told(request)), request.caller, world)


def seen_metadata(said: Record, caller: Caller, world: World) -> dict[str, str]:
    """Return what conditions and policies see of the metadata that a call itself gives."""
    told = below_defaults(said, caller, caller.workspace_id, world)
    return {name: value for name, value in told.items() if value not in ("", "null")}


def said_metadata(request: Request, steering: Steering) -> Record:
    """Return the metadata that a call itself gives.

    Source: gateway-data-plane, Request headers (JSON in `x-portkey-metadata`, anything else counts as none; `baggage` lies
    under it; `user` of the body is copied to `_user`).
    """
    said: Record = {}
    if b"baggage" in request.headers:
        for member in text(request, b"baggage").split(","):
            name, equals, value = member.partition(";")[0].partition("=")
            if equals:
                said[unquote(name.strip())] = unquote(value.strip())
    user = request.fields.get("user")
    if isinstance(user, str):
        said["_user"] = user
    return said | steering.metadata


def below_defaults(said: Record, caller: Caller, workspace_id: str | None, world: World) -> dict[str, str]:
    """Return metadata below the defaults of the caller's key, and those below the defaults of a workspace.

    Source: governance-mcp-observability, Logs (precedence workspace > API key > request; values are texts). *chosen*: numbers
    and the like count as the texts that JSON has for them.
    """
    for owner in (caller.key, world["workspaces"].get(workspace_id) if workspace_id else None):
        if owner is not None and (defaults := owner["_wire"].get("defaults")) and (metadata := defaults.get("metadata")):
            said = {**said, **metadata}
    if not said:
        return {}
    return {
        name: value if isinstance(value, str) else values.dump(value).decode()
        for name, value in said.items()
        if value is not None
    }
