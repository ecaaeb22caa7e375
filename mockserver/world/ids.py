"""Where ids, secrets and chance come from: the seed of a world and how often it was drawn from.

Nothing else enters, so the same seed and the same calls give the same values on every machine.
"""

from __future__ import annotations

from hashlib import blake2b

ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Ids:
    """A stream of values. `drawn` may be read and set: it is part of a snapshot."""

    __slots__ = ("_key", "drawn")

    def __init__(self, seed: int, drawn: int = 0) -> None:
        self._key = blake2b(str(seed).encode(), digest_size=32).digest()
        self.drawn = drawn

    def draw(self, size: int = 16) -> bytes:
        """Return the next `size` bytes, at most 64."""
        self.drawn += 1
        return blake2b(self.drawn.to_bytes(8, "big"), digest_size=size, key=self._key).digest()

    def uuid4(self) -> str:
        """A random UUID."""
        text = self.draw().hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"

    def uuid1(self) -> str:
        """A UUID in the form of version 1. Its time is chance too: the clock must not decide ids."""
        text = self.draw().hex()
        return f"{text[:8]}-{text[8:12]}-11{text[14:16]}-8{text[17:20]}-{text[20:]}"

    def hex(self, digits: int) -> str:
        """So many hexadecimal digits, at most 128."""
        return self.draw((digits + 1) // 2).hex()[:digits]

    def text(self, length: int, alphabet: str = ALPHANUMERIC) -> str:
        """So many characters of the alphabet, at most 64."""
        size = len(alphabet)
        return "".join([alphabet[byte % size] for byte in self.draw(length)])

    def below(self, limit: int) -> int:
        """A whole number from 0 on and below `limit`."""
        return int.from_bytes(self.draw(), "big") % limit

    def chance(self) -> float:
        """A number from 0 on and below 1."""
        return int.from_bytes(self.draw(8), "big") / 2**64
