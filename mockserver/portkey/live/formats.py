"""The forms in which sound goes to and fro, each to and from samples of 16 bits at 24 kHz.

Source: the types of the OpenAI SDK (realtime_audio_formats): PCM of 16 bits at 24 kHz, and both laws of G.711, 8 kHz.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import cache
from sys import byteorder
from typing import NamedTuple

from mockserver.portkey.answers.sound import RATE

BYTES_A_MS = 2 * RATE // 1000
_G711_EVERY = RATE // 8000


class Format(NamedTuple):
    """A form of sound: how many bytes a sample of it has, and the ways to our samples and back."""

    width: int
    decode: Callable[[bytes], bytes]
    encode: Callable[[bytes], bytes]


def _same(data: bytes) -> bytes:
    return data


def _from_mu(byte: int) -> int:
    byte = ~byte & 0xFF
    size = (((byte & 0x0F) << 3) + 0x84) << ((byte & 0x70) >> 4)
    return 0x84 - size if byte & 0x80 else size - 0x84


def _from_a(byte: int) -> int:
    byte ^= 0x55
    segment, size = (byte & 0x70) >> 4, ((byte & 0x0F) << 4) + 8
    size = size if segment == 0 else (size + 0x100) << (segment - 1)
    return size if byte & 0x80 else -size


@cache
def _decoded(law: Callable[[int], int]) -> list[bytes]:
    """What each byte means, as often as there are samples of ours in one of its own."""
    return [law(byte).to_bytes(2, "little", signed=True) * _G711_EVERY for byte in range(256)]


@cache
def _encoded(law: Callable[[int], int]) -> bytes:
    """The byte that is nearest to each sample, from the lowest on."""
    steps = sorted((law(byte), byte) for byte in range(256))
    table, at = bytearray(65536), -32768
    for (value, byte), (following, _) in zip(steps, [*steps[1:], (65536, 0)], strict=True):
        end = min((value + following) // 2 + 1, 32768)
        table[at + 32768 : end + 32768] = bytes([byte]) * (end - at)
        at = end
    return bytes(table)


def _g711(law: Callable[[int], int]) -> Format:
    def decode(data: bytes) -> bytes:
        table = _decoded(law)
        return b"".join([table[byte] for byte in data])

    def encode(samples: bytes) -> bytes:
        table = _encoded(law)
        return bytes([table[sample + 32768] for sample in numbers(samples)[::_G711_EVERY]])

    return Format(1, decode, encode)


def numbers(samples: bytes) -> array[int]:
    """Samples as numbers."""
    made = array("h")
    made.frombytes(samples)
    if byteorder == "big":
        made.byteswap()
    return made


_PCM, _MU, _A = Format(2, _same, _same), _g711(_from_mu), _g711(_from_a)
FORMATS = {
    "audio/pcm": _PCM, "pcm16": _PCM, "audio/pcmu": _MU, "g711_ulaw": _MU, "audio/pcma": _A, "g711_alaw": _A,
}  # fmt: skip
"""By what each dialect calls them."""
