"""The sound that has come in and is no item yet, and where in it somebody speaks.

*chosen*, since the real service asks a model: somebody speaks in a window of 20 ms whose root mean square reaches the
threshold times 1000, of 32767; a `threshold` of 0.5 takes -36 dB of full scale. What is said about times counts all sound
that has come in, as the real service does (SDK: input_audio_buffer_speech_started_event).
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import mul
from typing import NamedTuple

from mockserver.portkey.live.formats import BYTES_A_MS, numbers
from mockserver.values import Record

WINDOW_MS = 20
SHORTEST_MS = 100
"""What is shorter is not taken for something said."""
LONGEST_MS = 15 * 60 * 1000
"""How much is kept (*chosen*)."""

_WINDOW = WINDOW_MS * BYTES_A_MS
_LOUD = 1000
_SEMANTIC: Record = {"threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
"""How the end is found when the sense of what is said should tell it (*chosen*: nobody here understands it)."""


class Turn(NamedTuple):
    """Somebody begins to speak, or has stopped: then `sound` is what was said."""

    at_ms: int
    sound: bytes | None = None


class Ear:
    """Sound that has come in, as samples of 16 bits at 24 kHz."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._start_ms = 0
        self._looked = 0
        self._spoken_ms: int | None = None
        self._silent_ms = 0

    @property
    def length_ms(self) -> float:
        """How long what is kept takes."""
        return len(self._kept) / BYTES_A_MS

    def append(self, sound: bytes) -> None:
        """Take more in."""
        self._kept += sound

    def take(self) -> bytes:
        """Return all that is kept, and keep it no more."""
        return self._cut(0, len(self._kept))

    def turns(self, settings: Record) -> Iterator[Turn]:
        """Yield where somebody begins and stops to speak in what has not been looked at yet."""
        settings = {**_SEMANTIC, **settings}
        limit = (settings["threshold"] * _LOUD) ** 2
        while self._looked + _WINDOW <= len(self._kept):
            window = numbers(bytes(self._kept[self._looked : self._looked + _WINDOW]))
            self._looked += _WINDOW
            is_loud = sum(map(mul, window, window)) >= max(limit, 1) * len(window)
            end_ms = self._start_ms + self._looked // BYTES_A_MS
            if self._spoken_ms is None:
                if is_loud:
                    self._spoken_ms = max(end_ms - WINDOW_MS - settings["prefix_padding_ms"], self._start_ms)
                    self._silent_ms = 0
                    yield Turn(self._spoken_ms)
                continue
            self._silent_ms = 0 if is_loud else self._silent_ms + WINDOW_MS
            if not is_loud and self._silent_ms >= settings["silence_duration_ms"]:
                begin = (self._spoken_ms - self._start_ms) * BYTES_A_MS
                yield Turn(end_ms, self._cut(begin, self._looked))

    def _cut(self, begin: int, end: int) -> bytes:
        """Take out what lies between, and forget what lies before."""
        taken = bytes(self._kept[begin:end])
        del self._kept[:end]
        self._start_ms += end // BYTES_A_MS
        self._looked = max(self._looked - end, 0)
        self._spoken_ms = None
        return taken
