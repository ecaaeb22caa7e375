"""Addresses of this very server, for links that it gives out."""

from __future__ import annotations

import re

from mockserver.contract.requests import Request
from mockserver.world.world import DEFAULT, World

_HOST = re.compile(rb"[A-Za-z0-9._-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")


def own_address(request: Request, world: World) -> str:
    """Return the base URL of a world on the host that a call has named, localhost for a name that is none."""
    host = request.headers.get(b"host", b"")
    place = host.decode() if _HOST.fullmatch(host) else "localhost"
    prefix = "" if world.name == DEFAULT else f"/worlds/{world.name}"
    return f"http://{place}{prefix}/v1"
