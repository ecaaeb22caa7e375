"""The items of a conversation: made, put in order, shown, cut short, taken away.

Source of every rule that names none: gateway-data-plane, /realtime; the types of OpenAI's SDK.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import Record
from tests.portkey.live.talking import BETA, Talker, encoded, open_session, script, speaking, tone

QUESTION = "How high is the tide?"


def message(text: str = QUESTION, role: str = "user", **fields: Any) -> Record:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **fields}


def create(talker: Talker, item: Record, **fields: Any) -> Record:
    """Create an item; return the event that tells that it is there."""
    talker.heard.clear()
    talker.ask("conversation.item.create", "conversation.item.done", item=item, **fields)
    return talker.heard[0]


def test_item_is_told_twice(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        create(talker, message())
        added, done = talker.heard
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert added["item"] == done["item"]
    assert (added["item"]["status"], added["item"]["object"]) == ("completed", "realtime.item")
    assert added["item"]["content"] == message()["content"]


def test_old_dialect_tells_once(portkey: PortkeyWorld) -> None:
    with open_session(portkey, **{name.replace("-", "_"): value for name, value in BETA.items()}) as talker:
        talker.say(QUESTION)
        assert [event["type"] for event in talker.heard[1:]] == ["conversation.item.created"]


def test_items_follow_each_other(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        first = create(talker, message())
        second = create(talker, message(role="assistant"))
        talker.respond()
        answer = next(each for each in talker.heard if each["type"] == "conversation.item.added")
    assert (first["previous_item_id"], second["previous_item_id"]) == (None, first["item"]["id"])
    assert answer["previous_item_id"] == second["item"]["id"]


def test_item_goes_where_it_is_said(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        first, last = (create(talker, message(id=name))["item"]["id"] for name in ("first", "last"))
        between = create(talker, message(id="between"), previous_item_id=first)
        root = create(talker, message(id="root"), previous_item_id="root")
        end = create(talker, message())
        error = talker.refused("conversation.item.create", item=message(), previous_item_id="nowhere")
    assert (between["previous_item_id"], root["previous_item_id"]) == ("first", None)
    assert end["previous_item_id"] == last
    assert (error["code"], error["param"]) == ("item_create_invalid_item_id", "previous_item_id")


def test_order_is_what_the_model_hears(portkey: PortkeyWorld) -> None:
    """The last item counts, wherever in time it was said."""
    script(portkey, "About the wind.", {"last_message": "wind"})
    with open_session(portkey) as talker:
        create(talker, message("And the wind?", id="wind"))
        create(talker, message("And the tide?"), previous_item_id="root")
        assert talker.respond()["output"][0]["content"][0]["transcript"] == "About the wind."


def test_id_is_taken_once(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        create(talker, message(id="mine"))
        assert talker.refused("conversation.item.create", item=message(id="mine"))["param"] == "item.id"


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        ({}, "missing_required_parameter", "item.type"),
        ({"type": "note"}, "invalid_value", "item.type"),
        ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
        ({"type": "message", "role": "robot", "content": []}, "invalid_value", "item.role"),
        (
            {"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]},
            "invalid_value",
            "item.content[0].type",
        ),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_text"}]},
            "missing_required_parameter",
            "item.content[0].text",
        ),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "%"}]},
            "invalid_value",
            "item.content[0].audio",
        ),
        ({"type": "function_call_output", "call_id": "call_x", "output": ""}, "invalid_tool_call_id", "item.call_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_item_is_refused(portkey: PortkeyWorld, item: Record, code: str, param: str) -> None:
    with open_session(portkey) as talker:
        error = talker.refused("conversation.item.create", item=item, event_id="mine")
        assert create(talker, message())["previous_item_id"] is None
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")


def test_deleted_item_is_gone(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        create(talker, message(id="mine"))
        deleted = talker.ask("conversation.item.delete", "conversation.item.deleted", item_id="mine")
        assert talker.refused("conversation.item.retrieve", item_id="mine")["code"] == "item_retrieve_invalid_item_id"
        assert create(talker, message())["previous_item_id"] is None
    assert deleted["item_id"] == "mine"


def test_answer_is_retrieved_with_its_sound(portkey: PortkeyWorld) -> None:
    with speaking(portkey) as talker:
        (item,) = talker.respond()["output"]
        samples = talker.samples()
        found = talker.ask("conversation.item.retrieve", "conversation.item.retrieved", item_id=item["id"])["item"]
    (part,) = found["content"]
    assert base64.b64decode(part["audio"]) == samples
    assert part["transcript"] == item["content"][0]["transcript"]


def test_truncated_answer_keeps_no_words(portkey: PortkeyWorld) -> None:
    """So that what was never heard is not remembered."""
    with speaking(portkey) as talker:
        (item,) = talker.respond()["output"]
        place = {"item_id": item["id"], "content_index": 0}
        talker.ask("conversation.item.truncate", "conversation.item.truncated", **place, audio_end_ms=500)
        found = talker.ask("conversation.item.retrieve", "conversation.item.retrieved", item_id=item["id"])["item"]
        error = talker.refused("conversation.item.truncate", **place, audio_end_ms=501)
    (part,) = found["content"]
    assert (len(base64.b64decode(part["audio"])), part["transcript"]) == (500 * 48, "")
    assert (error["code"], error["param"]) == ("invalid_value", "audio_end_ms")


def test_only_sound_of_the_assistant_is_truncated(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        create(talker, message(id="mine"))
        error = talker.refused("conversation.item.truncate", item_id="mine", content_index=0, audio_end_ms=0)
    assert error["code"] == "item_truncate_invalid_content"


def test_sound_of_a_user_is_an_item_without_it(portkey: PortkeyWorld) -> None:
    part = {"type": "input_audio", "audio": encoded(tone(0.5))}
    with open_session(portkey) as talker:
        told = create(talker, {"type": "message", "role": "user", "content": [part]})["item"]
        found = talker.ask("conversation.item.retrieve", "conversation.item.retrieved", item_id=told["id"])["item"]
        usage = talker.respond()["usage"]
    assert told["content"] == [{"type": "input_audio", "transcript": None}]
    assert found["content"][0]["audio"] == part["audio"]
    assert usage["input_token_details"]["audio_tokens"] == 5


def test_picture_counts_as_input(portkey: PortkeyWorld) -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    with open_session(portkey) as talker:
        create(talker, message())
        before = talker.respond(conversation="none")["usage"]["input_tokens"]
        create(talker, {"type": "message", "role": "user", "content": [picture]})
        assert talker.respond(conversation="none")["usage"]["input_tokens"] > before + 500
