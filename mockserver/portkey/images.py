"""Images, through the gateway; and the images themselves, at the addresses that replies give out.

Source: gateway-data-plane, /images; *chosen*: that addresses lead to this server.
"""

from __future__ import annotations

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.answers import images
from mockserver.portkey.gateway import serving
from mockserver.portkey.records import not_found
from mockserver.world.world import World


def create_image(request: Request, world: World) -> Reply:
    """Make images from words; see `serving.answer`."""
    return serving.answer("imageGenerate", request, world)


def create_image_edit(request: Request, world: World) -> Reply:
    """Change an image; see `serving.answer`."""
    return serving.answer("imageEdit", request, world)


def create_image_variation(request: Request, world: World) -> Reply:
    """Vary an image; see `serving.answer`."""
    return serving.answer("imageVariation", request, world)


def get_drawn_image(request: Request, world: World) -> Reply:
    """Return the image at an address that a reply gave out. Fails: `not-found` for an address that none did."""
    content = images.served(request.path["name"])
    if content is None:
        raise not_found()
    return Reply(200, content, media_type="image/png")
