"""Speech: files that a decoder plays, as long as the text is."""

from __future__ import annotations

import base64
import wave
from io import BytesIO
from typing import Any

import av
import pytest

from mockserver.portkey.answers import sound, speech
from mockserver.portkey.answers.speech import Speech
from mockserver.values import JSON
from tests.portkey.answers.given import chance

TEXT = "The train to Porto leaves at noon from platform nine."


def spoken(text: str = TEXT, form: str | None = "wav", seed: int = 7, **fields: JSON) -> Speech:
    return speech.answer({"input": text, "voice": "nova", "response_format": form, **fields}, "tts-1", chance(seed))


def played_s(file: bytes) -> tuple[str, float]:
    """The codec, and how long a decoder plays."""
    with av.open(BytesIO(file), "r") as container:
        samples, rate = 0, 1
        for frame in container.decode(audio=0):
            samples += frame.samples
            rate = frame.sample_rate
        return container.streams.audio[0].codec_context.name, samples / rate


@pytest.mark.parametrize("text", ["Hi.", TEXT, TEXT * 20], ids=["short", "usual", "long"])
@pytest.mark.parametrize(
    ("form", "media_type", "codec"),
    [
        (None, "audio/mpeg", "mp3float"),
        ("mp3", "audio/mpeg", "mp3float"),
        ("opus", "audio/opus", "opus"),
        ("aac", "audio/aac", "aac"),
        ("flac", "audio/flac", "flac"),
        ("wav", "audio/wav", "pcm_s16le"),
    ],
)
def test_decoder_plays_it_as_long_as_it_is(text: str, form: str | None, media_type: str, codec: str) -> None:
    made = spoken(text, form)
    assert made.media_type == media_type
    found, seconds = played_s(made.content)
    assert found == codec
    assert seconds == pytest.approx(made.duration_s, abs=0.05)


def test_samples_are_those_of_the_file() -> None:
    with wave.open(BytesIO(spoken().content)) as reader:
        assert (reader.getframerate(), reader.getsampwidth(), reader.getnchannels()) == (24000, 2, 1)
        assert reader.readframes(reader.getnframes()) == spoken(form="pcm").content
    assert spoken(form="pcm").media_type == "audio/pcm"


def test_sound_is_heard() -> None:
    samples = memoryview(spoken(form="pcm").content).cast("h")
    assert 3000 < max(samples) < 20000


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_longer_text_takes_longer(form: str) -> None:
    assert spoken(TEXT * 3, form).duration_s == pytest.approx(3 * spoken(TEXT, form).duration_s, rel=0.1)
    assert len(spoken(TEXT * 3, form).content) > 2 * len(spoken(TEXT, form).content)


@pytest.mark.parametrize("form", ["mp3", "wav"])
@pytest.mark.parametrize("speed", [0.25, 2, 4])
def test_faster_takes_less(form: str, speed: float) -> None:
    assert spoken(form=form, speed=speed).duration_s == pytest.approx(spoken(form=form).duration_s / speed, rel=0.05, abs=0.02)


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav"])
def test_text_of_nothing_is_a_short_sound(form: str) -> None:
    assert played_s(spoken("", form).content)[1] == pytest.approx(0.3, abs=0.05)


def test_longest_text_is_spoken() -> None:
    assert played_s(spoken("word " * 819, "flac").content)[1] == pytest.approx(273, abs=0.1)


@pytest.mark.parametrize("change", [{"voice": "onyx"}, {"text": TEXT.replace("noon", "nine")}, {"seed": 8}])
def test_sound_follows_voice_text_and_world(change: dict[str, Any]) -> None:
    assert spoken().content == spoken().content
    assert spoken(**change).content != spoken().content


def test_pieces_are_the_file() -> None:
    pieces = list(spoken().pieces(1000))
    assert b"".join(pieces) == spoken().content
    assert {len(piece) for piece in pieces[:-1]} == {1000}


def test_events_are_the_file_and_what_it_costs() -> None:
    *deltas, done = spoken(form="mp3").events(1000)
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert b"".join(base64.b64decode(event["audio"]) for event in deltas) == spoken(form="mp3").content
    assert done["type"] == "speech.audio.done"
    assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]


@pytest.mark.parametrize("seconds", [0.3, 1.0, 1.0001, 7.3, 600])
@pytest.mark.parametrize("packed", [sound.mp3, sound.aac, sound.opus, sound.flac])
def test_silence_is_as_long_as_asked_for(packed: Any, seconds: float) -> None:
    assert played_s(packed(seconds))[1] == pytest.approx(seconds, abs=0.045)


def test_notes_are_whole_waves() -> None:
    """So that nothing clicks: each begins at rest, and what is left of its time is silent."""
    samples = memoryview(sound.tones([(440, 0.1), (0, 0.05), (700, 0.1)])).cast("h")
    assert len(samples) == 6000
    assert samples[0] == samples[2399] == samples[3000] == 0
