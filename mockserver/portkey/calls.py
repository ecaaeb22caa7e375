"""What a call tells of itself in its headers: whose key made it, whom it asks, its trace, the metadata that goes with it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

from mockserver import values
from mockserver.contract.requests import Request
from mockserver.portkey.identity import Caller, digest, secret_of
from mockserver.values import Record
from mockserver.world.world import World


def text(request: Request, header: bytes) -> str:
    """Return a header, empty when it was not sent."""
    said = request.headers.get(header)
    return said.decode("latin-1").strip() if said else ""


def text_in(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """Return one of some headers, empty when it was not sent."""
    said = headers.get(name)
    return said.decode("latin-1").strip() if said else ""


def provider_slug(headers: Mapping[bytes, bytes]) -> str:
    """Return the slug of the provider that headers name, empty for none."""
    said = text_in(headers, b"x-portkey-provider")
    if said.startswith("@"):
        return said[1:].partition("/")[0]
    return text_in(headers, b"x-portkey-virtual-key")


def trace(headers: Mapping[bytes, bytes]) -> tuple[str, str]:
    """Return the trace and the parent span that headers name, empty for none.

    W3C's header counts when Portkey's is absent, and opens a new span (gateway-data-plane, Request headers).
    """
    own = text_in(headers, b"x-portkey-trace-id")
    if own or b"traceparent" not in headers:
        return own, ""
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
    return seen_metadata(said_metadata(request), request.caller, world)


def seen_metadata(said: Record, caller: Caller, world: World) -> dict[str, str]:
    """Return what conditions and policies see of the metadata that a call itself gives."""
    told = below_defaults(said, caller, caller.workspace_id, world)
    return {name: value for name, value in told.items() if value not in ("", "null")}


def said_metadata(request: Request) -> Record:
    """Return the metadata that a call itself gives.

    Source: gateway-data-plane, Request headers (JSON in `x-portkey-metadata`, anything else counts as none; `baggage` lies
    under it; `user` of the body is copied to `_user`).
    """
    said: Record = {}
    if baggage := text(request, b"baggage"):
        for member in baggage.split(","):
            name, equals, value = member.partition(";")[0].partition("=")
            if equals:
                said[unquote(name.strip())] = unquote(value.strip())
    user = request.fields.get("user")
    if isinstance(user, str):
        said["_user"] = user
    if given := request.headers.get(b"x-portkey-metadata"):
        with suppress(values.NotJSON):
            header = values.parse(given)
            said |= header if isinstance(header, dict) else {}
    return said


def below_defaults(said: Record, caller: Caller, workspace_id: str | None, world: World) -> dict[str, str]:
    """Return metadata below the defaults of the caller's key, and those below the defaults of a workspace.

    Source: governance-mcp-observability, Logs (precedence workspace > API key > request; values are texts). *chosen*: numbers
    and the like count as the texts that JSON has for them.
    """
    for owner in (caller.key, world["workspaces"].get(workspace_id) if workspace_id else None):
        if owner is not None and (defaults := owner["_wire"].get("defaults")) and (metadata := defaults.get("metadata")):
            said = {**said, **metadata}
    return {
        name: value if isinstance(value, str) else values.dump(value).decode()
        for name, value in said.items()
        if value is not None
    }
