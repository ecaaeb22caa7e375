"""A text, spoken. Source: gateway-data-plane, /audio."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mockserver.portkey.answers import sound, tokens
from mockserver.portkey.answers.chance import Chance
from mockserver.values import Record

_CHARACTERS_A_SECOND = 15
_SHORTEST_S = 0.3
_TOKENS_A_SECOND = 20
"""How fast one speaks, and what it costs (*chosen*: a brisk speaker, and of the order of OpenAI's)."""

_PACKED: dict[str, tuple[str, Callable[[float], bytes]]] = {
    "mp3": ("audio/mpeg", sound.mp3),
    "opus": ("audio/opus", sound.opus),
    "aac": ("audio/aac", sound.aac),
    "flac": ("audio/flac", sound.flac),
}
_CHUNK = 8192


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken text, as a file."""

    content: bytes
    media_type: str
    duration_s: float
    input_tokens: int

    def pieces(self, size: int = _CHUNK) -> Iterator[bytes]:
        """Yield the file in pieces of so many bytes."""
        for start in range(0, len(self.content), size):
            yield self.content[start : start + size]

    def events(self, size: int = _CHUNK) -> Iterator[Record]:
        """Yield the file as events, for `stream_format` sse; their `type` is their name."""
        for piece in self.pieces(size):
            yield {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}
        written = round(_TOKENS_A_SECOND * self.duration_s)
        usage = {"input_tokens": self.input_tokens, "output_tokens": written, "total_tokens": self.input_tokens + written}
        yield {"type": "speech.audio.done", "usage": usage}


def answer(body: Record, model: str, chance: Chance) -> Speech:
    """Speak a text: the longer it is the longer it takes, and the faster the shorter."""
    text: str = body["input"]
    voice = body["voice"]
    pace = _CHARACTERS_A_SECOND * (body.get("speed") or 1)
    read = tokens.count(text)
    form = body.get("response_format") or "mp3"
    if form in _PACKED:
        media_type, packed = _PACKED[form]
        seconds = max(_SHORTEST_S, len(text) / pace)
        return Speech(packed(seconds), media_type, seconds, read)
    samples = sound.tones(_notes(text, pace, chance.of("speech", model, voice)))
    seconds = len(samples) / (2 * sound.RATE)
    if form == "wav":
        return Speech(sound.wav(samples), "audio/wav", seconds, read)
    return Speech(samples, "audio/pcm", seconds, read)


def _notes(text: str, pace: float, chance: Chance) -> list[tuple[int, float]]:
    """A note for each word, at a pitch of the voice's own, and a pause for each space."""
    pitch = 110 + 10 * chance.below(15)
    notes: list[tuple[int, float]] = []
    for word in text.split(" "):
        notes.append((pitch + 20 * chance.of(word).below(6), len(word) / pace))
        notes.append((0, 1 / pace))
    notes.pop()
    left = _SHORTEST_S - sum(seconds for _, seconds in notes)
    return notes if left <= 0 else [*notes, (0, left)]
