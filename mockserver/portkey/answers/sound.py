"""Sound files of a given length, in each form that speech is given out in.

WAV and PCM hold tones, one a word. The packed forms hold silence (*chosen*): their frames of silence are short and fixed, so
every player reads them and shows the right length, while encoders are native libraries of tens of megabytes, and no tester
listens to what is made up here.
"""

from __future__ import annotations

import wave
from array import array
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from math import pi, sin
from struct import pack
from sys import byteorder

RATE = 24000
"""Samples a second, of 16 bits, one channel: what OpenAI gives out."""

MP3_BYTES_A_SECOND = 8000

_LOUDNESS = 6000


def tones(notes: Iterable[tuple[int, float]]) -> bytes:
    """Return samples, little-endian, for notes of so many hertz and seconds; 0 hertz is a pause.

    A note has whole waves only, so that it neither begins nor ends with a click; what is missing is a pause.
    """
    waves: dict[int, bytes] = {}
    made = []
    for hertz, seconds in notes:
        wanted = 2 * round(seconds * RATE)
        if hertz:
            one = waves.get(hertz) or waves.setdefault(hertz, _wave(hertz))
            sounding = one * (wanted // len(one))
            made.append(sounding)
            wanted -= len(sounding)
        made.append(bytes(wanted))
    return b"".join(made)


def _wave(hertz: int) -> bytes:
    length = RATE // hertz
    samples = array("h", [round(_LOUDNESS * sin(2 * pi * at / length)) for at in range(length)])
    if byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def wav(samples: bytes) -> bytes:
    """Return a WAV file."""
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(samples)
    return file.getvalue()


def mp3(seconds: float) -> bytes:
    """Return silence: frames of MPEG-2 layer III without any sound in them, 576 samples each, 64 kbit a second."""
    frame = bytes([0xFF, 0xF3, 0x84, 0xC4]).ljust(MP3_BYTES_A_SECOND * 576 // RATE, b"\0")
    return frame * _frames(seconds, 576)


def aac(seconds: float) -> bytes:
    """Return silence: ADTS frames of AAC-LC, 1024 samples each, whose one channel has no bands, so nothing follows."""
    content = (0b111).to_bytes(4, "big")  # the element's 29 bits are all zero; then the end
    length = 7 + len(content)
    head = 0xFFF1 << 40 | 0b01_0110_0_001_0_0_0_0 << 26 | length << 13 | 0x7FF << 2
    return (head.to_bytes(7, "big") + content) * _frames(seconds, 1024)


def opus(seconds: float) -> bytes:
    """Return silence: Opus packets of 20 ms in Ogg pages of a second (RFC 7845)."""
    skipped = 312
    made = [
        _page(0, 0, 2, [b"OpusHead" + pack("<BBHIhB", 1, 1, skipped, RATE, 0, 0)]),
        _page(1, 0, 0, [b"OpusTags" + pack("<I", 4) + b"mock" + pack("<I", 0)]),
    ]
    end = skipped + round(seconds * 48000)
    packets = -(-end // 960)
    for number, start in enumerate(range(0, packets, 50), 2):
        here = min(50, packets - start)
        last = start + here == packets
        made.append(_page(number, end if last else (start + here) * 960, 4 if last else 0, [b"\xf8\xff\xfe"] * here))
    return b"".join(made)


def _page(number: int, granule: int, flags: int, packets: list[bytes]) -> bytes:
    """An Ogg page of packets that are shorter than 255 bytes."""
    lengths = bytes([len(packet) for packet in packets])
    content = lengths + b"".join(packets)
    head = b"OggS" + pack("<BBqII", 0, flags, granule, 1, number)
    check = _checked(head + bytes(4) + bytes([len(lengths)]) + content, 32, 0x04C11DB7)
    return head + pack("<I", check) + bytes([len(lengths)]) + content


def flac(seconds: float) -> bytes:
    """Return silence: frames of 4096 samples that are all the same (RFC 9639)."""
    samples, block = round(seconds * RATE), 4096
    told = RATE << 44 | 0 << 41 | 15 << 36 | samples
    described = pack(">HH", block, block) + bytes(6) + told.to_bytes(8, "big") + bytes(16)
    made = [b"fLaC" + bytes([0x80, 0, 0, len(described)]) + described]
    for number, start in enumerate(range(0, samples, block)):
        here = min(block, samples - start)
        whole = here == block
        head = bytes([0xFF, 0xF8, 0xC7 if whole else 0x77, 0x08]) + _counted(number)
        head += b"" if whole else pack(">H", here - 1)
        frame = head + bytes([_checked(head, 8, 0x07)]) + bytes(3)
        made.append(frame + pack(">H", _checked(frame, 16, 0x8005)))
    return b"".join(made)


def _counted(number: int) -> bytes:
    """A number in the form of FLAC, which is that of UTF-8."""
    return chr(number).encode("utf-8", "surrogatepass")


def _frames(seconds: float, samples: int) -> int:
    return max(1, -(-round(seconds * RATE) // samples))


def _checked(content: bytes, bits: int, polynomial: int) -> int:
    """The cyclic redundancy check of so many bits, as Ogg and FLAC count it."""
    table, mask, shift = _table(bits, polynomial), (1 << bits) - 1, bits - 8
    found = 0
    for byte in content:
        found = (found << 8) & mask ^ table[found >> shift ^ byte]
    return found


@cache
def _table(bits: int, polynomial: int) -> list[int]:
    made = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 & 1 else 0)
        made.append(value & (1 << bits) - 1)
    return made
