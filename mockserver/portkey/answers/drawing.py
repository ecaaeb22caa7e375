"""Draws images that are real, light and plainly made up: a few shapes on a ground, in colours that go together."""

from __future__ import annotations

import colorsys
from io import BytesIO
from typing import Literal, TypeAlias

from mockserver.portkey.answers.chance import Chance

Format: TypeAlias = Literal["png", "jpeg", "webp"]

_COLOURS = 8
_SHAPES = 9


def drawn(
    chance: Chance, width: int, height: int, form: Format = "png", *, clear: bool = False, quality: int = 80, share: float = 1
) -> bytes:
    """Return an image file. `clear` leaves the ground transparent, `share` draws so much of it, as for one that is not done.

    The pixels follow from chance alone; how they are packed is the library's matter, and may change with it.
    """
    from PIL import Image, ImageDraw

    # A palette keeps it small and quick: a square of 1024 is a few kilobytes.
    image = Image.new("P", (width, height), 0)
    image.putpalette(_palette(chance))
    pen = ImageDraw.Draw(image)
    for _ in range(round(_SHAPES * share)):
        left, top = chance.below(width), chance.below(height)
        place = (left, top, left + chance.below(width // 2 + 1), top + chance.below(height // 2 + 1))
        shape = pen.ellipse if chance.below(2) else pen.rectangle
        shape(place, fill=1 + chance.below(_COLOURS - 1))
    file = BytesIO()
    if form == "png":
        image.save(file, "PNG", compress_level=1, **({"transparency": 0} if clear else {}))
    elif form == "jpeg":
        image.convert("RGB").save(file, "JPEG", quality=min(quality, 95))
    else:
        if clear:
            image.info["transparency"] = 0
        image.convert("RGBA" if clear else "RGB").save(file, "WEBP", quality=quality, method=0)
    return file.getvalue()


def _palette(chance: Chance) -> list[int]:
    hue = chance.share()
    made: list[int] = []
    for at in range(_COLOURS):
        red, green, blue = colorsys.hls_to_rgb((hue + at * 0.07) % 1, 0.85 - 0.08 * at, 0.55)
        made += [round(255 * red), round(255 * green), round(255 * blue)]
    return made
