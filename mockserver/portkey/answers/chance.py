"""Chance that follows from a seed and a key: the same two give the same values, on every machine and in every order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, shake_256
from struct import Struct
from typing import TypeVar

import orjson

from mockserver.values import JSON

_T = TypeVar("_T")

_SIXTEEN = Struct("<16I").unpack


class Chance:
    """A stream of values. `of` leads to others, which do not depend on how much of this one was used.

    `root` is what it follows from; `Chance.at` leads back to its beginning.
    """

    __slots__ = ("_drawn", "_numbers", "root")

    def __init__(self, seed: int, key: str = "") -> None:
        self._start(root_of(seed, key))

    def _start(self, root: bytes) -> None:
        self.root = root
        self._drawn = 0
        self._numbers: list[int] = []

    @classmethod
    def at(cls, root: bytes) -> Chance:
        """Return the stream that follows from this."""
        made = cls.__new__(cls)
        made._start(root)
        return made

    def of(self, *parts: JSON) -> Chance:
        """Return the stream for these JSON values. The order of the names in an object does not count."""
        return Chance.at(self.root_of(*parts))

    def root_of(self, *parts: JSON) -> bytes:
        """Return the root of the stream for these JSON values."""
        return blake2b(_text(parts), key=self.root, digest_size=32).digest()

    def of_bytes(self, content: bytes) -> Chance:
        """Return the stream for these bytes."""
        return Chance.at(blake2b(content, key=self.root, digest_size=32, person=b"bytes").digest())

    def below(self, limit: int) -> int:
        """A whole number from 0 on and below `limit`, which is 2**32 at most."""
        if not self._numbers:
            self._drawn += 1
            self._numbers += _SIXTEEN(blake2b(b"%d" % self._drawn, key=self.root).digest())
        return self._numbers.pop() * limit >> 32

    def one_of(self, options: Sequence[_T]) -> _T:
        """One of several."""
        return options[self.below(len(options))]

    def share(self) -> float:
        """A number from 0 on and below 1."""
        return self.below(2**32) / 2**32

    def bytes(self, count: int) -> bytes:
        """So many bytes: always the first ones of the same sequence."""
        return shake_256(self.root).digest(count)

    @property
    def seed(self) -> int:
        """A whole number for whoever makes a stream of their own of it."""
        return int.from_bytes(self.root[:7], "little")


@lru_cache(maxsize=32)
def root_of(seed: int, key: str) -> bytes:
    """Return the root of the stream for a seed and a key.

    Remembered, since a world has one seed, and the same models are asked again and again.
    """
    seeded = blake2b(b"%d" % seed, digest_size=32).digest()
    return blake2b(key.encode("utf-8", "surrogatepass"), key=seeded, digest_size=32).digest()


def _text(parts: JSON) -> bytes:
    try:
        return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # integers beyond 64 bits
        return json.dumps(parts, sort_keys=True).encode()
