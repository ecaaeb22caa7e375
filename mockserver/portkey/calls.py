"""What a call tells of itself in its headers: whose key made it, and the metadata that goes with it."""

from __future__ import annotations

import uuid
from functools import lru_cache
from urllib.parse import unquote

from mockserver import values
from mockserver.contract.requests import Request
from mockserver.portkey.identity import Caller, digest, secret_of
from mockserver.values import JSON
from mockserver.world.world import World


def text(request: Request, header: bytes) -> str:
    """Return a header, empty when it was not sent."""
    return request.headers.get(header, b"").decode("latin-1").strip()


def key_id(request: Request) -> str:
    """Return the id of the key that a call is made with.

    *chosen*: a key that the world does not know gets an id drawn from its secret, the same for all its calls, so that what
    counts or is written down by key tells unknown ones apart as well.
    """
    caller: Caller = request.caller
    if caller.key is not None:
        return str(caller.key["id"])
    return _drawn(secret_of(request.headers))


@lru_cache(maxsize=1024)
def _drawn(secret: str) -> str:
    return str(uuid.UUID(hex=digest(secret), version=4))


def metadata(request: Request, world: World) -> dict[str, str]:
    """Return the metadata of a call, texts by name.

    Source: gateway-data-plane, Request headers (JSON in `x-portkey-metadata`, anything else counts as none; `baggage` lies
    under it; workspace defaults beat key defaults beat the request; `user` of the body is copied to `_user`). *chosen*:
    numbers and the like count as the texts that JSON has for them.
    """
    found: dict[str, JSON] = {}
    for pair in text(request, b"baggage").split(","):
        name, equals, value = pair.partition("=")
        if equals:
            found[unquote(name.strip())] = unquote(value.strip())
    user = request.fields.get("user")
    if isinstance(user, str):
        found["_user"] = user
    found |= _object(request.headers.get(b"x-portkey-metadata", b""))
    key = request.caller.key
    if key is not None:
        found |= key["_wire"]["defaults"].get("metadata") or {}
        workspace = world["workspaces"].get(key["workspace_id"]) if key["workspace_id"] else None
        if workspace is not None:
            found |= (workspace["_wire"]["defaults"] or {}).get("metadata") or {}
    told = {name: value if isinstance(value, str) else values.dump(value).decode() for name, value in found.items()}
    return {name: value for name, value in told.items() if value not in ("", "null")}


def _object(header: bytes) -> dict[str, JSON]:
    try:
        value = values.parse(header)
    except values.NotJSON:
        return {}
    return value if isinstance(value, dict) else {}
