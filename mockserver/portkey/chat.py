"""Chat completions, through the gateway. Source: gateway-data-plane, /chat/completions."""

from __future__ import annotations

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.gateway import serving
from mockserver.world.world import World


def create_chat_completion(request: Request, world: World) -> Reply:
    """Answer a call; see `serving.answer`."""
    return serving.answer("chatComplete", request, world)
