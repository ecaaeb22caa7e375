"""Sound that comes in: committed by hand, or when somebody has stopped to speak.

Source of every rule that names none: gateway-data-plane, /realtime; what counts as speech is *chosen* (see `ear`).
"""

from __future__ import annotations

import io
from array import array
from datetime import timedelta
from typing import Any

import av
import pytest

from mockserver.portkey.live.ear import Ear, Turn
from mockserver.portkey.live.formats import FORMATS
from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import Record
from tests.portkey.live.talking import Talker, encoded, open_session, script, silence, speaking, tone

SPOKEN = silence(0.5) + tone(1) + silence(0.7)


def append(talker: Talker, samples: bytes, piece: int = 9600) -> None:
    """Send samples in pieces."""
    for start in range(0, len(samples), piece):
        talker.send("input_audio_buffer.append", audio=encoded(samples[start : start + piece]))


def detecting(talker: Talker, **settings: Any) -> None:
    """Let the session find the turns, without answering."""
    turns = {"type": "server_vad", "create_response": False, **settings}
    talker.update(type="realtime", audio={"input": {"turn_detection": turns}})


def test_commit_makes_an_item(portkey: PortkeyWorld) -> None:
    with speaking(portkey) as talker:
        append(talker, tone(1))
        committed = talker.ask("input_audio_buffer.commit", "input_audio_buffer.committed")
        added, done = talker.next(), talker.next()
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert committed["item_id"] == added["item"]["id"]
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]


def test_committed_sound_is_what_was_sent(portkey: PortkeyWorld) -> None:
    """Pieces may end in the middle of a sample."""
    with speaking(portkey) as talker:
        append(talker, tone(0.5), piece=1001)
        item_id = talker.ask("input_audio_buffer.commit", "input_audio_buffer.committed")["item_id"]
        found = talker.ask("conversation.item.retrieve", "conversation.item.retrieved", item_id=item_id)["item"]
    assert found["content"][0]["audio"] == encoded(tone(0.5))


def test_append_is_not_answered_and_clear_is(portkey: PortkeyWorld) -> None:
    with speaking(portkey) as talker:
        append(talker, tone(1))
        talker.send("input_audio_buffer.clear")
        assert talker.next()["type"] == "input_audio_buffer.cleared"
        assert talker.refused("input_audio_buffer.commit")["code"] == "input_audio_buffer_commit_empty"


def test_too_little_is_not_committed(portkey: PortkeyWorld) -> None:
    with speaking(portkey) as talker:
        append(talker, tone(0.05))
        error = talker.refused("input_audio_buffer.commit")
    assert error["message"].endswith("buffer only has 50.00ms of audio.")


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe"])
def test_transcript_is_told_to_who_asks_for_it(portkey: PortkeyWorld, model: str) -> None:
    with speaking(portkey) as talker:
        talker.update(type="realtime", audio={"input": {"transcription": {"model": model}}})
        append(talker, tone(2))
        talker.heard.clear()
        whole = talker.ask("input_audio_buffer.commit", "conversation.item.input_audio_transcription.completed")
        pieces = talker.deltas("conversation.item.input_audio_transcription")
        found = talker.ask("conversation.item.retrieve", "conversation.item.retrieved", item_id=whole["item_id"])["item"]
    assert "".join(pieces) == whole["transcript"] == found["content"][0]["transcript"]
    assert whole["usage"]["type"] == ("duration" if model == "whisper-1" else "tokens")


def test_model_hears_what_is_transcribed(portkey: PortkeyWorld) -> None:
    """So scripts can be matched by what is said in sound."""
    with speaking(portkey) as talker:
        talker.update(type="realtime", audio={"input": {"transcription": {"model": "whisper-1"}}})
        append(talker, tone(2))
        heard = talker.ask("input_audio_buffer.commit", "conversation.item.input_audio_transcription.completed")
        script(portkey, "I have heard you.", {"last_message": heard["transcript"]})
        done = talker.respond()
    assert done["output"][0]["content"][0]["transcript"] == "I have heard you."
    assert done["usage"]["input_token_details"]["audio_tokens"] == 20


def test_speech_is_found_between_silence(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        detecting(talker)
        append(talker, SPOKEN)
        started = talker.until("input_audio_buffer.speech_started")
        stopped = talker.until("input_audio_buffer.speech_stopped")
        committed = talker.until("input_audio_buffer.committed")
        talker.until("conversation.item.done")
    assert started["audio_start_ms"] == 200  # half a second of silence, of which 300 ms are kept
    assert stopped["audio_end_ms"] == pytest.approx(2000, abs=20)
    assert started["item_id"] == stopped["item_id"] == committed["item_id"]


def test_end_of_speech_is_answered(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        append(talker, SPOKEN)
        done = talker.until("response.done")["response"]
        kinds = talker.kinds()
    assert done["status"] == "completed"
    assert kinds.index("input_audio_buffer.committed") < kinds.index("response.created")


@pytest.mark.parametrize(
    ("samples", "settings"),
    [
        (silence(2), {}),
        (tone(1) + silence(0.4), {"silence_duration_ms": 800}),
        (tone(1) + silence(0.7), {"threshold": 1.0, "create_response": False, "silence_duration_ms": 900}),
    ],
    ids=["silence", "too-short-a-pause", "another-pause"],
)
def test_nothing_is_committed_before_its_end(portkey: PortkeyWorld, samples: bytes, settings: Record) -> None:
    with open_session(portkey) as talker:
        detecting(talker, **settings)
        talker.heard.clear()
        append(talker, samples)
        talker.send("nothing")
        talker.until("error")
        assert "input_audio_buffer.committed" not in talker.kinds()


def test_threshold_tells_quiet_from_loud(portkey: PortkeyWorld) -> None:
    faint = array("h", [value // 10 for value in array("h", tone(1))]).tobytes()
    with open_session(portkey) as talker:
        detecting(talker, threshold=0.2)
        append(talker, faint)
        assert talker.next()["type"] == "input_audio_buffer.speech_started"
    with open_session(portkey) as talker:
        detecting(talker, threshold=0.8)
        append(talker, faint)
        assert talker.refused("nothing")["param"] == "type"


def test_two_turns_are_two_items(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        detecting(talker)
        append(talker, SPOKEN + SPOKEN)
        first, second = (talker.until("input_audio_buffer.speech_started") for _ in range(2))
        committed = talker.until("input_audio_buffer.committed")
    assert committed["previous_item_id"] == first["item_id"]
    assert second["audio_start_ms"] == pytest.approx(2200 + 200, abs=20)


@pytest.mark.parametrize("interrupts", [True, False])
def test_speech_interrupts_who_speaks(portkey: PortkeyWorld, interrupts: bool) -> None:
    portkey.clock.freeze()
    script(portkey, "One two three four.", chunk_delay_ms=1000)
    with open_session(portkey) as talker:
        detecting(talker, interrupt_response=interrupts)
        talker.send("response.create")
        talker.until("response.output_audio.delta")
        append(talker, tone(0.2))
        talker.until("input_audio_buffer.speech_started")
        portkey.clock.move(timedelta(seconds=20))
        done = talker.until("response.done")["response"]
    details = {"type": "cancelled", "reason": "turn_detected"} if interrupts else {"type": "completed"}
    assert done["status_details"] == details


def test_manual_commit_works_beside_detection(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        detecting(talker)
        append(talker, tone(0.5))
        started = talker.until("input_audio_buffer.speech_started")
        committed = talker.ask("input_audio_buffer.commit", "input_audio_buffer.committed")
    assert committed["item_id"] == started["item_id"]


@pytest.mark.parametrize("form", ["g711_ulaw", "g711_alaw"])
def test_old_dialect_hears_g711(portkey: PortkeyWorld, form: str) -> None:
    with open_session(portkey, openai_beta="realtime=v1") as talker:
        talker.update(input_audio_format=form, turn_detection={"type": "server_vad", "create_response": False})
        talker.send("input_audio_buffer.append", audio=encoded(FORMATS[form].encode(SPOKEN)))
        assert talker.until("input_audio_buffer.speech_started")["audio_start_ms"] == 200
        assert talker.until("input_audio_buffer.speech_stopped")["audio_end_ms"] == pytest.approx(2000, abs=20)


@pytest.mark.parametrize(("ours", "codec"), [("audio/pcmu", "pcm_mulaw"), ("audio/pcma", "pcm_alaw")])
def test_laws_are_those_of_g711(ours: str, codec: str) -> None:
    """As FFmpeg has them; of two steps that are as near to a sample, either is right."""
    every = bytes(range(256))
    assert FORMATS[ours].decode(every)[::6] + FORMATS[ours].decode(every)[1::6] == _by_ffmpeg(every, codec)
    decoded = FORMATS[ours].decode(every)
    assert FORMATS[ours].decode(FORMATS[ours].encode(decoded)) == decoded


def _by_ffmpeg(data: bytes, codec: str) -> bytes:
    form = "mulaw" if "mu" in codec else "alaw"
    with av.open(io.BytesIO(data), "r", format=form, options={"sample_rate": "8000"}) as file:
        samples = b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in file.decode(audio=0))
    return samples[::2] + samples[1::2]


def test_what_was_looked_at_is_not_looked_at_again() -> None:
    """However the pieces fall, the turns are the same."""
    whole, by_piece = Ear(), Ear()
    settings: Record = {"threshold": 0.5}
    whole.append(SPOKEN)
    expected = list(whole.turns(settings))
    found: list[Turn] = []
    for start in range(0, len(SPOKEN), 1238):
        by_piece.append(SPOKEN[start : start + 1238])
        found += by_piece.turns(settings)
    assert found == expected
    assert len(expected) == 2
