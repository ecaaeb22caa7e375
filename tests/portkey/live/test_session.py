"""Settings of a session, and what is told to a client that says something wrong: the connection stays open.

Source of every rule that names none: gateway-data-plane, /realtime; the types of OpenAI's SDK.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from mockserver.pytest_plugin import PortkeyWorld
from mockserver.testing.hosts import House
from mockserver.testing.wanted import Wanted
from mockserver.values import Record
from tests.portkey.live.talking import TEXT_ONLY, TIDE, open_session


def test_update_changes_what_it_names(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        before = talker.session
        after = talker.update(type="realtime", instructions="Be brief.", audio={"output": {"speed": 1.5}})
    assert after == {
        **before,
        "instructions": "Be brief.",
        "audio": {**before["audio"], "output": {**before["audio"]["output"], "speed": 1.5}},
    }


def test_old_update_changes_what_it_names(portkey: PortkeyWorld) -> None:
    with open_session(portkey, openai_beta="realtime=v1") as talker:
        after = talker.update(modalities=["text"], temperature=0.7, turn_detection=None)
    assert after == {**talker.session, "modalities": ["text"], "temperature": 0.7, "turn_detection": None}


def test_update_fills_in_what_turn_detection_leaves_open(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        after = talker.update(type="realtime", audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.9}}})
    turns = after["audio"]["input"]["turn_detection"]
    assert (turns["threshold"], turns["silence_duration_ms"], turns["create_response"]) == (0.9, 500, True)


def test_settings_last_and_responses_borrow(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        talker.update(type="realtime", tools=[TIDE], tool_choice="required", audio={"output": {"voice": "cedar"}})
        assert talker.respond()["output"][0]["name"] == "find_tide"
        done = talker.respond(tool_choice="none", output_modalities=["text"])
        assert done["output"][0]["type"] == "message"
        assert done["audio"]["output"]["voice"] == "cedar"
        assert talker.respond()["output"][0]["name"] == "find_tide"


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"instructions": "Be brief."}, "missing_required_parameter", "session.type"),
        ({"type": "realtime", "voice": "alloy"}, "unknown_parameter", "session.voice"),
        ({"type": "realtime", "instructions": 1}, "invalid_type", "session.instructions"),
        ({"type": "realtime", "output_modalities": ["video"]}, "invalid_value", "session.output_modalities[0]"),
        ({"type": "realtime", "output_modalities": ["text", "audio"]}, "invalid_value", "session.output_modalities"),
        ({"type": "realtime", "max_output_tokens": 0}, "integer_below_min_value", "session.max_output_tokens"),
        ({"type": "realtime", "max_output_tokens": 5000}, "integer_above_max_value", "session.max_output_tokens"),
        ({"type": "realtime", "audio": {"output": {"speed": 2.5}}}, "decimal_above_max_value", "session.audio.output.speed"),
        (
            {"type": "realtime", "audio": {"input": {"format": {"type": "mp3"}}}},
            "invalid_value",
            "session.audio.input.format.type",
        ),
        ({"type": "realtime", "tools": [{"name": "find"}]}, "missing_required_parameter", "session.tools[0].type"),
        ({"type": "realtime", "tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
        ({"type": "realtime", "tools": [{"type": "search"}]}, "invalid_value", "session.tools[0].type"),
        ({"type": "realtime", "tool_choice": {"type": "function"}}, "missing_required_parameter", "session.tool_choice.name"),
        ({"type": "realtime", "tool_choice": "always"}, "invalid_value", "session.tool_choice"),
        ({"type": "realtime", "model": "gpt-other"}, "invalid_value", "session.model"),
        ({"type": "transcription"}, "invalid_value", "session.type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_setting_is_refused(portkey: PortkeyWorld, session: Record, code: str, param: str) -> None:
    with open_session(portkey) as talker:
        error = talker.refused("session.update", session=session, event_id="mine")
        assert talker.update(type="realtime") == talker.session
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert error["event_id"] == "mine"


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"temperature": 2}, "integer_above_max_value", "session.temperature"),
        ({"input_audio_format": "mp3"}, "invalid_value", "session.input_audio_format"),
        ({"output_modalities": ["text"]}, "unknown_parameter", "session.output_modalities"),
    ],
)
def test_wrong_old_setting_is_refused(portkey: PortkeyWorld, session: Record, code: str, param: str) -> None:
    with open_session(portkey, openai_beta="realtime=v1") as talker:
        error = talker.refused("session.update", session=session)
    assert (error["code"], error["param"]) == (code, param)


def test_voice_cannot_change_once_it_was_heard(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        talker.update(type="realtime", audio={"output": {"voice": "cedar"}})
        talker.respond()
        error = talker.refused("session.update", session={"type": "realtime", "audio": {"output": {"voice": "marin"}}})
        talker.update(type="realtime", audio={"output": {"voice": "cedar"}})
    assert error["code"] == "cannot_update_voice"


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("{", "invalid_json", None),
        ("", "invalid_json", None),
        ("[]", "invalid_type", None),
        ("{}", "missing_required_parameter", "type"),
        ('{"type": "session.destroy"}', "invalid_value", "type"),
        ('{"type": {}}', "invalid_value", "type"),
        ('{"type": "response.cancel", "reason": 1}', "unknown_parameter", "reason"),
        ('{"type": "conversation.item.delete"}', "missing_required_parameter", "item_id"),
        ('{"type": "conversation.item.delete", "item_id": 1}', "invalid_type", "item_id"),
        ('{"type": "response.create", "response": []}', "invalid_type", "response"),
        ('{"type": "response.create", "response": {"conversation": "other"}}', "invalid_value", "response.conversation"),
        ('{"type": "input_audio_buffer.append", "audio": "?"}', "invalid_value", "audio"),
        ('{"type": "response.cancel", "event_id": 1}', "invalid_type", "event_id"),
        (b'{"type": "response.create"}', "invalid_message", None),
    ],
)
def test_what_is_no_event_is_told(portkey: PortkeyWorld, message: Any, code: str, param: str | None) -> None:
    with open_session(portkey) as talker:
        talker.socket.send(message)
        error = talker.refusal()
        assert talker.update(type="realtime") == talker.session
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "response.cancel"}, "response_cancel_not_active"),
        ({"type": "response.cancel", "response_id": "resp_other"}, "response_cancel_not_active"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        ({"type": "output_audio_buffer.clear"}, "output_audio_buffer_empty"),
        ({"type": "conversation.item.retrieve", "item_id": "item_x"}, "item_retrieve_invalid_item_id"),
        ({"type": "conversation.item.delete", "item_id": "item_x"}, "item_delete_invalid_item_id"),
        (
            {"type": "conversation.item.truncate", "item_id": "item_x", "content_index": 0, "audio_end_ms": 0},
            "item_truncate_invalid_item_id",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_there_is_told(portkey: PortkeyWorld, event: Record, code: str) -> None:
    with open_session(portkey) as talker:
        talker.socket.send(json.dumps({**event, "event_id": "mine"}))
        error = talker.refusal()
    assert (error["code"], error["event_id"]) == (code, "mine")


def test_old_transcription_update_is_no_event(portkey: PortkeyWorld) -> None:
    """A session that answers does not become one that only writes down."""
    with open_session(portkey, openai_beta="realtime=v1") as talker:
        assert talker.refused("transcription_session.update", session={})["param"] == "type"


def test_events_have_ids_of_their_own(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        talker.respond()
        ids = [event["event_id"] for event in talker.heard]
    assert len(set(ids)) == len(ids)


def test_session_expires(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    with open_session(portkey) as talker:
        assert talker.session["expires_at"] == int(portkey.clock.seconds()) + 3600
        portkey.clock.move(timedelta(minutes=60))
        assert talker.refused("response.create")["code"] == "session_expired"
        with pytest.raises(ConnectionClosed):
            talker.next()


def test_sessions_know_nothing_of_each_other(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as one, open_session(portkey) as other:
        item = one.say("Hello")
        assert other.refused("conversation.item.retrieve", item_id=item["id"])["code"] == "item_retrieve_invalid_item_id"


def test_same_world_and_events_give_the_same_bytes(house: House) -> None:
    said = []
    for name in ("one", "other"):
        world = PortkeyWorld(house, Wanted(), f"same-{name}")
        world.clock.freeze(world.clock.now().replace(year=2026, month=5, day=4, hour=9, minute=0, second=0, microsecond=0))
        with open_session(world) as talker:
            talker.update(**TEXT_ONLY)
            talker.say("How high is the tide?")
            talker.respond()
            said.append([talker.session, *talker.heard])
        world.close()
    assert said[0] == said[1]


def test_journal_has_both_sides(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        talker.update(**TEXT_ONLY)
        (call,) = portkey.calls
    assert (call["operation"], call["status"]) == ("connectRealtime", 101)
    assert '"session.update"' in call["request"]["body"]
    assert call["reply"]["body"].startswith('{"type":"session.created"')
