"""Vectors of texts: equal for equal texts, near for texts that share words and parts of words.

Each word and each three letters in a row add to a few places of the vector, which chance picks once for all texts; a little
of the same everywhere keeps every place from being zero. What comes first matters most: a vector that is shortened by
`dimensions` is the beginning of the longer one, brought to length one again, and still tells texts apart.
Source: gateway-data-plane, /embeddings; *chosen*: the rule itself.
"""

from __future__ import annotations

import base64
import math
import re
from array import array
from functools import lru_cache
from hashlib import blake2b, shake_256
from struct import pack, unpack
from typing import TypeAlias

from mockserver.portkey.answers import tokens
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.wording import STOP_WORDS
from mockserver.values import JSON, Record

_DIMENSIONS = {"text-embedding-3-large": 3072}
_DIMENSIONS_OTHERWISE = 1536

_BANDS = ((0, 16), (16, 64), (64, 256), (256, 1024), (1024, 4096))
"""A feature adds to one place of each: from where on, and up to where."""

_SHARED = 0.6
"""How long the part is that all texts have in common; the part of a text's own is one long."""

_WORD_WEIGHT = 2.0
_STOP_WORD_WEIGHT = 0.4
_LETTERS_WEIGHT = 0.5
_TEXT_WEIGHT = 0.3
"""What a word counts, and one that says little; three letters; and the text as it stands, so that no two are the same."""

_WORD = re.compile(r"\w+")

Features: TypeAlias = dict[str, float]


def answer(body: Record, model: str, chance: Chance) -> Record:
    """Return the vectors of all inputs, in their order."""
    inputs = _inputs(body.get("input"))
    size = body.get("dimensions") or _DIMENSIONS.get(model, _DIMENSIONS_OTHERWISE)
    space = _Space(chance.of("embeddings", model), size)
    as_text = body.get("encoding_format") == "base64"
    data = []
    for index, each in enumerate(inputs):
        vector = space.vector(each)
        embedding: JSON = base64.b64encode(pack(f"<{size}f", *vector)).decode() if as_text else vector.tolist()
        data.append({"object": "embedding", "index": index, "embedding": embedding})
    read = sum(len(each) if isinstance(each, list) else tokens.count(each) for each in inputs)
    return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": read, "total_tokens": read}}


def _inputs(said: JSON) -> list[str | list[int]]:
    """Each input, as a text or as its tokens. A list of numbers is one input."""
    if isinstance(said, list):
        return [said] if said and isinstance(said[0], int) else said
    return [said or ""]


class _Space:
    """The space of one model: where features lie in it."""

    def __init__(self, chance: Chance, size: int) -> None:
        self._key = chance.bytes(32)
        self._size = size
        self._shared, self._shared_square = _shared(chance.of("shared").bytes(32), size)
        self._places: dict[str, list[tuple[int, int]]] = {}

    def vector(self, said: str | list[int]) -> array[float]:
        """Return the vector of a text or of tokens, one long, in 32-bit floats."""
        features = _of_text(said) if isinstance(said, str) else _of_tokens(said)
        own: dict[int, float] = {}
        square = 0.0
        for feature, weight in features.items():
            square += weight * weight
            for place, sign in self._places.get(feature) or self._placed(feature):
                own[place] = own.get(place, 0.0) + sign * weight
        scale = 1 / math.sqrt(square * len(_BANDS))
        made = self._shared.copy()
        length = self._shared_square
        for place, amount in own.items():
            if place < self._size:
                before = made[place]
                made[place] = after = before + amount * scale
                length += after * after - before * before
        factor = 1 / math.sqrt(length)
        return array("f", [amount * factor for amount in made])

    def _placed(self, feature: str) -> list[tuple[int, int]]:
        """Where a feature adds, and whether it adds or takes away."""
        drawn = unpack("<5H", blake2b(feature.encode("utf-8", "surrogatepass"), key=self._key, digest_size=10).digest())
        found = [
            (start + (number >> 1) % (end - start), 1 if number & 1 else -1)
            for number, (start, end) in zip(drawn, _BANDS, strict=True)
        ]
        self._places[feature] = found
        return found


@lru_cache(maxsize=8)
def _shared(key: bytes, size: int) -> tuple[list[float], float]:
    """The part that all texts have in common, and the square of its length."""
    levels = unpack(f"<{size}h", shake_256(key).digest(2 * size))
    # Evenly spread levels are so long together, as far as the last band goes.
    scale = _SHARED / (32768 / math.sqrt(3) * math.sqrt(_BANDS[-1][1]))
    made = [level * scale for level in levels]
    # Not by sum(), which adds floats in another way since Python 3.12.
    return made, math.fsum([level * level for level in made])


def _of_text(text: str) -> Features:
    lowered = text.lower()
    features: Features = {f"text {text}": _TEXT_WEIGHT}
    for word in _WORD.findall(lowered):
        _add(features, f"word {word}", _STOP_WORD_WEIGHT if word in STOP_WORDS else _WORD_WEIGHT)
        padded = f" {word} "
        for at in range(len(padded) - 2):
            _add(features, padded[at : at + 3], _LETTERS_WEIGHT)
    return features


def _of_tokens(numbers: list[int]) -> Features:
    features: Features = {f"tokens {numbers}": _TEXT_WEIGHT}
    for number in numbers:
        _add(features, f"token {number}", _WORD_WEIGHT)
    return features


def _add(features: Features, feature: str, weight: float) -> None:
    features[feature] = features.get(feature, 0.0) + weight
