"""What is said in a sound file, written down. Source: gateway-data-plane, /audio.

The words follow from the bytes of the file, how many from how long it is: as its header says for a WAV file, else as long
as 64 kbit a second make it (*chosen*: what speech here is packed in).
"""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from mockserver.portkey.answers import logprobs, sound, tokens, wording
from mockserver.portkey.answers.chance import Chance
from mockserver.values import Record

_WORDS_A_SECOND = 2.5
_TOKENS_A_SECOND = 10
_SHORTEST_S = 0.1
_LONGEST_S = 6 * 3600.0
"""Beyond this a header is not believed."""

_LANGUAGES = {
    "ar": "arabic", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "fi": "finnish", "fr": "french", "he": "hebrew", "hi": "hindi", "hu": "hungarian", "it": "italian", "ja": "japanese",
    "ko": "korean", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sv": "swedish", "tr": "turkish", "uk": "ukrainian", "vi": "vietnamese", "zh": "chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, when it was said, and by whom."""

    text: str
    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `form` is how it is asked for; `has_logprobs` tells how sure the model is of each token."""

    task: Literal["transcribe", "translate"]
    form: str
    language: str
    duration_s: float
    segments: tuple[Segment, ...]
    usage: Record
    temperature: float
    has_words: bool
    has_segments: bool
    has_logprobs: bool
    chance: Chance

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join([segment.text for segment in self.segments])

    @property
    def media_type(self) -> str:
        """Of the reply."""
        types = {"text": "text/plain; charset=utf-8", "srt": "text/plain; charset=utf-8", "vtt": "text/vtt; charset=utf-8"}
        return types.get(self.form, "application/json")

    def reply(self) -> Record | bytes:
        """Return the body of the reply: an object, or a text for the forms that are one."""
        if self.form == "text":
            return f"{self.text}\n".encode()
        if self.form == "srt":
            cues = [f"{number}\n{self._cue(segment, ',')}\n" for number, segment in enumerate(self.segments, 1)]
            return "\n".join(cues).encode()
        if self.form == "vtt":
            return "\n".join(["WEBVTT\n", *[f"{self._cue(segment, '.')}\n" for segment in self.segments]]).encode()
        if self.form == "verbose_json":
            return self._verbose()
        if self.form == "diarized_json":
            segments = [self._said_by(number, segment) for number, segment in enumerate(self.segments)]
            made: Record = {"task": self.task, "duration": self.duration_s, "text": self.text, "segments": segments}
            return {**made, "usage": self.usage}
        return {"text": self.text, **({"logprobs": self._logprobs()} if self.has_logprobs else {}), "usage": self.usage}

    def events(self, chunk_size: int | None = None) -> Iterator[Record]:
        """Yield the reply as events of so many tokens, one as a rule; their `type` is their name."""
        size = max(chunk_size or 1, 1)
        told = self._logprobs() if self.has_logprobs else None
        if self.form == "diarized_json":
            for number, segment in enumerate(self.segments):
                yield self._said_by(number, segment)
        pieces = tokens.pieces(self.text)
        for start in range(0, len(pieces), size):
            event: Record = {"type": "transcript.text.delta", "delta": "".join(pieces[start : start + size])}
            yield event if told is None else {**event, "logprobs": told[start : start + size]}
        done: Record = {"type": "transcript.text.done", "text": self.text}
        if told is not None:
            done["logprobs"] = told
        yield {**done, "usage": self.usage}

    def _verbose(self) -> Record:
        made: Record = {"task": self.task, "language": self.language, "duration": self.duration_s, "text": self.text}
        if self.has_words:
            made["words"] = [word for segment in self.segments for word in _words(segment)]
        if self.has_segments:
            made["segments"] = [self._segment(number, segment) for number, segment in enumerate(self.segments)]
        return {**made, "usage": self.usage}

    def _segment(self, number: int, segment: Segment) -> Record:
        chance = self.chance.of("segment", number)
        return {
            "id": number,
            "seek": round(segment.start_s * 100) // 3000 * 3000,
            "start": segment.start_s,
            "end": segment.end_s,
            "text": f" {segment.text}",
            "tokens": tokens.numbers(tokens.pieces(segment.text)),
            "temperature": self.temperature,
            "avg_logprob": -round(0.1 + 0.3 * chance.share(), 6),
            "compression_ratio": round(1 + 0.7 * chance.share(), 6),
            "no_speech_prob": round(0.05 * chance.share(), 6),
        }

    def _said_by(self, number: int, segment: Segment) -> Record:
        return {
            "type": "transcript.text.segment",
            "id": f"seg_{number:03d}",
            "start": segment.start_s,
            "end": segment.end_s,
            "text": segment.text,
            "speaker": segment.speaker,
        }

    def _logprobs(self) -> list[Record]:
        told = logprobs.told(tokens.pieces(self.text), self.chance.of("logprobs"), 0)
        return [{"token": each.token, "logprob": each.logprob, "bytes": list(each.token.encode())} for each in told]

    def _cue(self, segment: Segment, mark: str) -> str:
        return f"{_time(segment.start_s, mark)} --> {_time(segment.end_s, mark)}\n{segment.text}"


def answer(
    file: bytes, body: Record, model: str, chance: Chance, task: Literal["transcribe", "translate"] = "transcribe"
) -> Transcript:
    """Write down what is said in a file; `body` has the other fields of the form."""
    chance = chance.of("transcription", task, model, body.get("language"), body.get("prompt")).of_bytes(file)
    duration_s = _duration_s(file)
    sentences = wording.spoken(chance, math.ceil(duration_s * _WORDS_A_SECOND))
    speakers = body.get("known_speaker_names[]") or ["A", "B"]
    granularities = body.get("timestamp_granularities[]") or ["segment"]
    heard, written = round(duration_s * _TOKENS_A_SECOND), tokens.count(" ".join(sentences))
    language = body.get("language") or "en"
    return Transcript(
        task=task,
        form=body.get("response_format") or "json",
        language="english" if task == "translate" else _LANGUAGES.get(language, language),
        duration_s=duration_s,
        segments=_timed(sentences, duration_s, speakers, chance),
        usage=_usage(model, duration_s, heard, written),
        temperature=body.get("temperature") or 0,
        has_words="word" in granularities,
        has_segments="segment" in granularities,
        has_logprobs="logprobs" in (body.get("include[]") or ()),
        chance=chance,
    )


def _usage(model: str, duration_s: float, heard: int, written: int) -> Record:
    if "whisper" in model:
        return {"type": "duration", "seconds": math.ceil(duration_s)}
    return {
        "type": "tokens",
        "input_tokens": heard,
        "output_tokens": written,
        "total_tokens": heard + written,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
    }


def _duration_s(file: bytes) -> float:
    seconds = len(file) / sound.MP3_BYTES_A_SECOND
    if file[:4] == b"RIFF":
        try:
            with wave.open(BytesIO(file)) as reader:
                # A writer that cannot go back leaves a length that is longer than the file.
                held = len(file) // (reader.getsampwidth() * reader.getnchannels())
                seconds = min(reader.getnframes(), held) / reader.getframerate()
        except (wave.Error, EOFError, ZeroDivisionError):
            pass  # of a kind that is not read here
    return round(min(max(seconds, _SHORTEST_S), _LONGEST_S), 2)


def _timed(sentences: list[str], duration_s: float, speakers: list[str], chance: Chance) -> tuple[Segment, ...]:
    """The sentences one after the other, each as long as its share of the letters."""
    total = sum(map(len, sentences))
    found, said, start_s, speaker = [], 0, 0.0, 0
    for sentence in sentences:
        said += len(sentence)
        end_s = round(duration_s * said / total, 2)
        found.append(Segment(sentence, start_s, end_s, speakers[speaker % len(speakers)]))
        start_s = end_s
        speaker += chance.below(2)
    return tuple(found)


def _words(segment: Segment) -> Iterator[Record]:
    length, total, said = segment.end_s - segment.start_s, len(segment.text) + 1, 0
    for word in segment.text.split(" "):
        start_s = segment.start_s + length * said / total
        said += len(word) + 1
        yield {
            "word": word.strip(",.?!"),
            "start": round(start_s, 2),
            "end": round(segment.start_s + length * said / total, 2),
        }


def _time(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"
