"""Images: made from words, changed, varied. Source: gateway-data-plane, /images.

An address holds all that its image is drawn from, so that whoever serves addresses needs to remember nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mockserver.portkey.answers import tokens
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.drawing import Format, drawn
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.values import JSON, Record

Kind: TypeAlias = Literal["generation", "edit", "variation"]

_FORMATS: dict[JSON, Format] = {"jpeg": "jpeg", "webp": "webp"}
_EVENTS: dict[Kind, str] = {"generation": "image_generation", "edit": "image_edit", "variation": "image_edit"}

_DRAWING = "drawing"

_SIZE = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")
_USUAL_SIZE = "1024x1024"
_LARGEST = 4096
_NAME = re.compile(r"([0-9a-f]{16})-([0-9]{1,4})x([0-9]{1,4})\.png")

_TOKENS_OF_A_SQUARE = {"low": 272, "medium": 1056, "high": 4160}
"""What a square of 1024 costs in each quality (OpenAI's prices of GPT images); others by their area."""

_QUALITIES: dict[JSON, str] = {"low": "low", "medium": "medium", "high": "high", "hd": "high"}

_TOKENS_OF_AN_INPUT = 323
"""What an image to be changed costs (*chosen*: of the order of OpenAI's)."""


@dataclass(frozen=True, slots=True)
class Images:
    """The images of one call. `settings` are told of GPT images, and None of others; `tokens_written` are those of one."""

    kind: Kind
    created: int
    seeds: tuple[int, ...]
    width: int
    height: int
    form: Format
    clear: bool
    compression: int
    as_address: str | None
    revised_prompt: str | None
    settings: Record | None
    tokens_read: int
    tokens_shown: int
    tokens_written: int
    partial_images: int

    def as_json(self) -> Record:
        """Return the reply."""
        data: list[Record] = []
        for seed in self.seeds:
            if self.as_address is None:
                image = {"b64_json": self._encoded(seed)}
            else:
                image = {"url": f"{self.as_address}/{seed:016x}-{self.width}x{self.height}.png"}
            data.append(image if self.revised_prompt is None else {**image, "revised_prompt": self.revised_prompt})
        made: Record = {"created": self.created, "data": data}
        return made if self.settings is None else {**made, **self.settings, "usage": self._usage(len(self.seeds))}

    def events(self) -> Iterator[Record]:
        """Yield the reply as events, whose `type` is their name: rough images, then the whole one, for each image."""
        settings: Record = {"created_at": self.created, **(self.settings or {})}
        name = _EVENTS[self.kind]
        for seed in self.seeds:
            for at in range(self.partial_images):
                rough = self._encoded(seed, (at + 1) / (self.partial_images + 1))
                yield {"type": f"{name}.partial_image", "partial_image_index": at, "b64_json": rough, **settings}
            yield {"type": f"{name}.completed", "b64_json": self._encoded(seed), **settings, "usage": self._usage(1)}

    def _usage(self, count: int) -> Record:
        read, written = self.tokens_read + self.tokens_shown, self.tokens_written * count
        return {
            "input_tokens": read,
            "output_tokens": written,
            "total_tokens": read + written,
            "input_tokens_details": {"text_tokens": self.tokens_read, "image_tokens": self.tokens_shown},
        }

    def _encoded(self, seed: int, share: float = 1) -> str:
        size = (self.width, self.height)
        made = drawn(Chance(seed, _DRAWING), *size, self.form, clear=self.clear, quality=self.compression, share=share)
        return base64.b64encode(made).decode()


def answer(
    body: Record,
    model: str,
    chance: Chance,
    created: int,
    kind: Kind = "generation",
    address: str = "https://images.example.com",
) -> Images:
    """Make images. `address` is where those live that are given by address. Raises `Unanswerable` for a size that is none."""
    size: str = body.get("size") or "auto"
    size = _USUAL_SIZE if size == "auto" else size
    width, height = _measured(size)
    prompt = body.get("prompt") or ""
    inputs = [*_listed(body.get("image")), *_listed(body.get("image[]")), *_listed(body.get("mask"))]
    chance = chance.of("images", kind, model, prompt, inputs, [body.get(name) for name in ("quality", "style", "background")])
    is_gpt = "gpt-image" in model
    form = _FORMATS.get(body.get("output_format"), "png") if is_gpt else "png"
    clear = is_gpt and body.get("background") == "transparent" and form != "jpeg"
    seeds = tuple(chance.of(at).seed for at in range(body.get("n") or 1))
    compression = body.get("output_compression")
    quality = _QUALITIES.get(body.get("quality"), "medium")
    background = "transparent" if clear else "opaque"
    settings = {"background": background, "output_format": form, "quality": quality, "size": size}
    return Images(
        kind=kind,
        created=created,
        seeds=seeds,
        width=width,
        height=height,
        form=form,
        clear=clear,
        compression=80 if compression is None else compression,
        as_address=None if is_gpt or body.get("response_format") == "b64_json" else address.rstrip("/"),
        revised_prompt=f"A clear and detailed picture: {prompt}" if model.startswith("dall-e-3") else None,
        settings=settings if is_gpt or body.get("stream") else None,
        tokens_read=tokens.count(prompt),
        tokens_shown=len(inputs) * _TOKENS_OF_AN_INPUT,
        tokens_written=max(1, _TOKENS_OF_A_SQUARE[quality] * width * height // (1024 * 1024)),
        partial_images=body.get("partial_images") or 0,
    )


def served(name: str) -> bytes | None:
    """Return the PNG file of the last part of an address, None for one that was never given out."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    seed, width, height = int(found[1], 16), int(found[2]), int(found[3])
    if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        return None
    return drawn(Chance(seed, _DRAWING), width, height)


def _measured(size: str) -> tuple[int, int]:
    found = _SIZE.fullmatch(size)
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        raise Unanswerable("/size", f"Invalid size {size!r}: it is a width and a height such as {_USUAL_SIZE}.")
    return width, height


def _listed(said: JSON) -> list[JSON]:
    return said if isinstance(said, list) else [] if said is None else [said]
