"""Transcriptions: words that follow from the sound, in each form."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.audio import (
    Transcription,
    TranscriptionDiarized,
    TranscriptionDiarizedSegment,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
)

from mockserver.portkey.answers import sound, tokens, transcription
from mockserver.portkey.answers.transcription import Transcript
from tests.portkey.answers.given import STEADY, Judge, chance, joined

WAV = sound.wav(bytes(2 * 24000 * 12))
"""Twelve seconds."""

WORDS: dict[str, Any] = {"timestamp_granularities[]": ["word"]}
BOTH: dict[str, Any] = {"timestamp_granularities[]": ["word", "segment"]}
LIKELY: dict[str, Any] = {"include[]": ["logprobs"]}


def heard(file: bytes = WAV, model: str = "whisper-1", seed: int = 7, task: Any = "transcribe", **fields: Any) -> Transcript:
    return transcription.answer(file, {"model": model, **fields}, model, chance(seed), task)


def reply(form: str | None = None, **fields: Any) -> Any:
    return heard(response_format=form, **fields).reply()


def test_words_follow_from_the_sound() -> None:
    other = sound.wav(b"\1\0" * 24000 * 12)
    assert heard().text == heard(response_format="verbose_json", stream=True).text
    assert len({heard().text, heard(other).text, heard(seed=8).text, heard(model="gpt-4o-transcribe").text}) == 4


def test_longer_sound_has_more_words() -> None:
    words = [len(heard(sound.wav(bytes(48000 * seconds))).text.split()) for seconds in (1, 12, 120)]
    assert words[0] < words[1] < words[2]
    assert words[2] == pytest.approx(300, rel=0.1)


@pytest.mark.parametrize(
    ("file", "seconds"),
    [
        (WAV, 12),
        (sound.wav(b""), 0.1),
        (sound.mp3(12), 12),
        (b"", 0.1),
        (b"\0" * 16000, 2),
        (b"RIFF" + bytes(7996), 1),
        (WAV[:40] + b"\xff\xff\xff\x7f" + WAV[44:], 12),
    ],
    ids=["wav", "empty-wav", "mp3", "nothing", "unknown", "broken-wav", "wav-of-unknown-length"],
)
def test_duration_is_that_of_the_sound(file: bytes, seconds: float) -> None:
    assert heard(file).duration_s == pytest.approx(seconds, abs=0.02)


@pytest.mark.parametrize(
    ("form", "media_type"),
    [(None, "application/json"), ("json", "application/json"), ("verbose_json", "application/json"),
     ("diarized_json", "application/json"), ("text", "text/plain"), ("srt", "text/plain"), ("vtt", "text/vtt")],
)  # fmt: skip
def test_form_has_its_media_type(form: str | None, media_type: str) -> None:
    assert heard(response_format=form).media_type.partition(";")[0] == media_type
    assert isinstance(reply(form), bytes) == media_type.startswith("text/")


def test_json_has_text_and_usage(faults: Judge) -> None:
    assert reply() == {"text": heard().text, "usage": {"type": "duration", "seconds": 12}}
    assert faults("Transcription", reply()) == []
    Transcription.model_validate(reply(), strict=True)


def test_newer_models_count_tokens() -> None:
    usage = reply(model="gpt-4o-transcribe")["usage"]
    assert (usage["type"], usage["input_tokens"]) == ("tokens", 120)
    assert usage["output_tokens"] == tokens.count(heard(model="gpt-4o-transcribe").text)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    Transcription.model_validate(reply(model="gpt-4o-transcribe"), strict=True)


def test_likelihoods_when_asked_for() -> None:
    found = reply(**LIKELY)
    assert joined(each["token"] for each in found["logprobs"]) == found["text"]
    assert "logprobs" not in reply()


def test_text_is_the_text() -> None:
    assert reply("text").decode() == f"{heard().text}\n"


# With times.


def times(segments: list[dict[str, Any]]) -> list[tuple[float, float]]:
    return [(each["start"], each["end"]) for each in segments]


def follow_each_other(spans: list[tuple[float, float]], end: float) -> bool:
    return spans[0][0] == 0 and spans[-1][1] == end and all(one[1] == other[0] for one, other in pairwise(spans))


def test_verbose_has_segments(faults: Judge) -> None:
    found = reply("verbose_json")
    assert (found["task"], found["language"], found["duration"]) == ("transcribe", "english", 12)
    assert joined(each["text"] for each in found["segments"]).strip() == found["text"]
    assert follow_each_other(times(found["segments"]), 12)
    assert [each["id"] for each in found["segments"]] == list(range(len(found["segments"])))
    assert "words" not in found
    assert faults("VerboseTranscription", found) == []
    TranscriptionVerbose.model_validate(found)


def test_words_when_asked_for() -> None:
    found = reply("verbose_json", **WORDS)
    assert "segments" not in found
    assert [each["word"] for each in found["words"]] == [re.sub(r"[,.?!]", "", word) for word in found["text"].split()]
    assert follow_each_other(times(found["words"]), 12)


def test_words_and_segments_when_asked_for(faults: Judge) -> None:
    found = reply("verbose_json", **BOTH)
    assert {"words", "segments"} < set(found)
    assert faults("VerboseTranscription", found) == []


def test_cues_of_srt() -> None:
    cues = reply("srt").decode().split("\n\n")
    number, times_, text = cues[0].split("\n")
    assert (number, text) == ("1", heard().segments[0].text)
    assert re.fullmatch(r"00:00:00,000 --> 00:00:\d\d,\d\d\d", times_)
    assert cues[-1].split("\n")[1].endswith("--> 00:00:12,000")
    assert len(cues) == len(heard().segments)


def test_cues_of_vtt() -> None:
    head, *cues = reply("vtt").decode().split("\n\n")
    assert head == "WEBVTT"
    assert re.match(r"00:00:00\.000 --> 00:00:\d\d\.\d\d\d\n", cues[0])
    assert len(cues) == len(heard().segments)


def test_times_go_beyond_an_hour() -> None:
    assert "01:06:" in heard(sound.mp3(4000), response_format="srt").reply().decode()  # type: ignore[union-attr]


@pytest.mark.parametrize(("names", "speakers"), [(None, {"A", "B"}), (["Ada", "Ben"], {"Ada", "Ben"}), (["Ada"], {"Ada"})])
def test_diarized_tells_who_speaks(names: list[str] | None, speakers: set[str]) -> None:
    known: dict[str, Any] = {"known_speaker_names[]": names}
    found = reply("diarized_json", file=sound.mp3(120), **known)
    assert {each["speaker"] for each in found["segments"]} == speakers
    TranscriptionDiarized.model_validate(found, strict=True)
    assert follow_each_other(times(found["segments"]), 120)


@pytest.mark.parametrize(("code", "name"), [(None, "english"), ("de", "german"), ("xx", "xx")])
def test_language_is_named(code: str | None, name: str) -> None:
    assert reply("verbose_json", language=code)["language"] == name


def test_translation_is_english() -> None:
    found = reply("verbose_json", task="translate", language="de")
    assert (found["task"], found["language"]) == ("translate", "english")


# Events.


@pytest.mark.parametrize("size", [None, 5])
def test_events_are_the_text(size: int | None) -> None:
    *deltas, done = heard(model="gpt-4o-transcribe").events(size)
    assert joined(TranscriptionTextDeltaEvent.model_validate(each, strict=True).delta for each in deltas) == done["text"]
    assert TranscriptionTextDoneEvent.model_validate(done, strict=True).text == heard(model="gpt-4o-transcribe").text
    assert all(tokens.count(each["delta"]) == (size or 1) for each in deltas[:-1])


def test_events_have_likelihoods_when_asked_for() -> None:
    *deltas, done = heard(**LIKELY).events(3)
    assert [each for delta in deltas for each in delta["logprobs"]] == done["logprobs"]
    assert all(joined(each["token"] for each in delta["logprobs"]) == delta["delta"] for delta in deltas)


def test_events_tell_who_speaks() -> None:
    made = heard(response_format="diarized_json", model="gpt-4o-transcribe-diarize")
    segments = [each for each in made.events() if each["type"] == "transcript.text.segment"]
    assert [TranscriptionDiarizedSegment.model_validate(each, strict=True).text for each in segments] == [
        each.text for each in made.segments
    ]


@STEADY
@given(st.binary(max_size=3000), st.sampled_from(["json", "verbose_json", "text", "srt", "vtt", "diarized_json"]))
def test_any_file_is_heard(file: bytes, form: str) -> None:
    made = heard(file, response_format=form, **BOTH)
    assert made.reply() == heard(file, response_format=form, **BOTH).reply()
    assert made.segments[-1].end_s == made.duration_s
    assert math.isfinite(made.duration_s)
