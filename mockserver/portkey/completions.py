"""Text completions, through the gateway. Source: gateway-data-plane, /completions."""

from __future__ import annotations

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.gateway import serving
from mockserver.world.world import World


def create_completion(request: Request, world: World) -> Reply:
    """Answer a call; see `serving.answer`."""
    return serving.answer("complete", request, world)
