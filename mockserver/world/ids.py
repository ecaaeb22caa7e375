"""Where ids, secrets and chance come from: the seed of a world and how often it was drawn from.

Nothing else enters, so the same seed and the same calls give the same values on every machine.
"""

from __future__ import annotations

from hashlib import blake2b

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ALPHANUMERIC = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))


class Ids:
    """A stream of values. `drawn` may be read and set: it is part of a snapshot."""

    __slots__ = ("_base", "drawn")

    def __init__(self, seed: int, drawn: int = 0) -> None:
        self._base = blake2b(b"mockserver", key=blake2b(str(seed).encode(), digest_size=32).digest(), digest_size=64)
        self.drawn = drawn

    def draw(self, reserved: int | None = None) -> bytes:
        """Return the next 64 bytes, or those that were reserved."""
        stream = self._base.copy()
        stream.update(b"%d" % (self.reserve() if reserved is None else reserved))
        return stream.digest()

    def reserve(self) -> int:
        """Return the number under which `draw` tells later what it would have told now."""
        self.drawn += 1
        return self.drawn

    def uuid4(self, reserved: int | None = None) -> str:
        """A random UUID, or the one that was reserved."""
        text = self.draw(reserved).hex()
        return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:30]}"

    def uuid1(self) -> str:
        """A UUID in the form of version 1. Its time is chance too: the clock must not decide ids."""
        text = self.draw().hex()
        return f"{text[:8]}-{text[8:12]}-11{text[12:14]}-8{text[14:17]}-{text[17:29]}"

    def hex(self, digits: int) -> str:
        """So many hexadecimal digits, at most 128."""
        return self.draw().hex()[:digits]

    def text(self, length: int) -> str:
        """So many letters and digits, at most 64."""
        return self.draw()[:length].translate(_ALPHANUMERIC).decode()

    def below(self, limit: int) -> int:
        """A whole number from 0 on and below `limit`."""
        return int.from_bytes(self.draw()[:16], "big") % limit

    def chance(self) -> float:
        """A number from 0 on and below 1."""
        return int.from_bytes(self.draw()[:8], "big") / 2**64
