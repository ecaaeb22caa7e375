"""What a model says in a session: the events of a response, whole or cut short, and what it costs.

Source of every rule that names none: gateway-data-plane, /realtime. Every event is held to the SDK's types as it comes.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from websockets.exceptions import ConnectionClosed

from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.live.talking import BETA, TEXT_ONLY, TIDE, Talker, loudest, open_session, script, speaking
from tests.portkey.traffic import latest, read_log

QUESTION = "How high is the tide at Dover?"
PACED: Record = {"chunk_delay_ms": 1000}

TEXT_SEQUENCE = [
    "response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
    "response.output_text.delta", "response.output_text.done", "response.content_part.done", "conversation.item.done",
    "response.output_item.done", "response.done", "rate_limits.updated",
]  # fmt: skip
SOUND_SEQUENCE = [
    "response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
    "response.output_audio_transcript.delta", "response.output_audio.delta", "response.output_audio.done",
    "response.output_audio_transcript.done", "response.content_part.done", "conversation.item.done",
    "response.output_item.done", "response.done", "rate_limits.updated",
]  # fmt: skip
OLD_TEXT_SEQUENCE = [
    "response.created", "response.output_item.added", "conversation.item.created", "response.content_part.added",
    "response.text.delta", "response.text.done", "response.content_part.done", "response.output_item.done", "response.done",
    "rate_limits.updated",
]  # fmt: skip
OLD_SOUND_SEQUENCE = [
    "response.created", "response.output_item.added", "conversation.item.created", "response.content_part.added",
    "response.audio_transcript.delta", "response.audio.delta", "response.audio.done", "response.audio_transcript.done",
    "response.content_part.done", "response.output_item.done", "response.done", "rate_limits.updated",
]  # fmt: skip


def text_of(response: Record) -> str:
    """What was said in a response's message."""
    (message,) = [item for item in response["output"] if item["type"] == "message"]
    (part,) = message["content"]
    return str(part.get("text", part.get("transcript")))


@pytest.mark.parametrize(
    ("headers", "given", "sequence"),
    [
        ({}, {"output_modalities": ["text"]}, TEXT_SEQUENCE),
        ({}, {"output_modalities": ["audio"]}, SOUND_SEQUENCE),
        (BETA, {"modalities": ["text"]}, OLD_TEXT_SEQUENCE),
        (BETA, {"modalities": ["audio", "text"]}, OLD_SOUND_SEQUENCE),
    ],
    ids=["text", "sound", "old-text", "old-sound"],
)
def test_response_has_its_whole_sequence(
    portkey: PortkeyWorld, headers: dict[str, str], given: Record, sequence: list[str]
) -> None:
    with open_session(portkey, **{name.replace("-", "_"): value for name, value in headers.items()}) as talker:
        talker.say(QUESTION)
        done = talker.respond(**given)
        assert talker.kinds() == sequence
    assert (done["status"], done["status_details"]) == ("completed", {"type": "completed"})


def test_text_in_pieces_is_the_whole_text(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        talker.update(**TEXT_ONLY)
        talker.say(QUESTION)
        done = talker.respond()
        assert "".join(talker.deltas("response.output_text")) == text_of(done)
        assert done["output"][0]["content"][0]["type"] == "output_text"
    assert "Dover" in text_of(done)


def test_sound_is_pcm_and_lasts_as_long_as_its_words(portkey: PortkeyWorld) -> None:
    script(portkey, "One two three four five six seven.")  # 34 characters
    with open_session(portkey) as talker:
        done = talker.respond()
        samples = talker.samples()
        assert "".join(talker.deltas("response.output_audio_transcript")) == text_of(done)
    assert len(samples) / 2 / 24000 == pytest.approx(34 / 15, abs=0.2)
    assert 1000 < loudest(samples) < 32767


def test_old_dialect_has_content_of_its_own(portkey: PortkeyWorld) -> None:
    with open_session(portkey, openai_beta="realtime=v1") as talker:
        done = talker.respond()
        (item,) = done["output"]
        assert item["content"] == [{"type": "audio", "transcript": text_of(done)}]
        assert len(talker.samples("response.audio")) > 24000
    assert (done["voice"], done["output_audio_format"]) == ("alloy", "pcm16")


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
def test_g711_takes_a_sixth_of_the_bytes(portkey: PortkeyWorld, law: str) -> None:
    script(portkey, "The same words.")
    with open_session(portkey) as talker:
        talker.respond()
        samples = talker.samples()
        talker.respond(audio={"output": {"format": {"type": law}}})
        assert len(talker.samples()) == pytest.approx(len(samples) / 6, abs=20)


def test_same_question_gets_the_same_answer_as_in_chat(portkey: PortkeyWorld) -> None:
    chat = portkey.client(api_key="any", provider="openai").chat.completions.create(
        model="gpt-realtime",
        messages=[{"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
    )
    with open_session(portkey) as talker:
        talker.update(**TEXT_ONLY)
        talker.say(QUESTION)
        assert text_of(talker.respond()) == chat.choices[0].message.content


# Scripts


def test_script_fits_model_provider_and_last_message(portkey: PortkeyWorld) -> None:
    match = {"operation": "connectRealtime", "model": "gpt-real*", "provider": "openai", "last_message": "tide"}
    script(portkey, "Scripted.", match)
    with open_session(portkey) as talker:
        talker.update(**TEXT_ONLY)
        talker.say("Hello")
        assert text_of(talker.respond()) != "Scripted."
        talker.say(QUESTION)
        assert text_of(talker.respond()) == "Scripted."


def test_scripted_error_fails_the_response_alone(portkey: PortkeyWorld, admin: Client) -> None:
    script(portkey, {"error": {"status": 429, "message": "Slow down", "code": "rate_limit_exceeded"}}, times=1)
    with open_session(portkey) as talker:
        failed = talker.respond()
        assert talker.kinds() == ["response.created", "response.done", "rate_limits.updated"]
        assert talker.respond()["status"] == "completed"
    error = {"type": "requests", "code": "rate_limit_exceeded", "message": "Slow down"}
    assert (failed["status"], failed["status_details"]) == ("failed", {"type": "failed", "error": error})
    assert [log.get("response_status_code", 200) for log in admin.world["logs"].newest()] == [200, 429]


def test_scripted_usage_is_told(portkey: PortkeyWorld) -> None:
    script(portkey, {"text": "Yes.", "usage": {"prompt_tokens": 70, "completion_tokens": 30}})
    with open_session(portkey) as talker:
        usage = talker.respond()["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (70, 30, 100)


@pytest.mark.parametrize(
    ("reason", "told"), [("length", "max_output_tokens"), ("content_filter", "content_filter")], ids=["length", "filter"]
)
def test_scripted_end_makes_it_incomplete(portkey: PortkeyWorld, reason: str, told: str) -> None:
    script(portkey, {"text": "Only a be", "finish_reason": reason})
    with open_session(portkey) as talker:
        done = talker.respond()
    assert (done["status"], done["status_details"]) == ("incomplete", {"type": "incomplete", "reason": told})
    assert done["output"][0]["status"] == "incomplete"


def test_script_may_break_the_connection_off(portkey: PortkeyWorld) -> None:
    script(portkey, "One two three four.", cut_after=2)
    with open_session(portkey) as talker:
        talker.update(**TEXT_ONLY)
        talker.send("response.create")
        with pytest.raises(ConnectionClosed) as raised:
            talker.until("response.done")
        assert len(talker.deltas("response.output_text")) == 2
    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == 1011


# Pace, cancelling


def hold(talker: Talker, pieces: int, kind: str = "response.output_text") -> None:
    """Ask for a response and hear so many pieces of it."""
    talker.heard.clear()
    talker.send("response.create")
    while len(talker.deltas(kind)) < pieces:
        talker.next()


@pytest.fixture
def paced(portkey: PortkeyWorld) -> PortkeyWorld:
    """A world that stands still, where a model takes a second for each piece."""
    portkey.clock.freeze()
    script(portkey, "One two three four five.", **PACED)
    return portkey


def test_pieces_follow_the_clock_of_the_world(paced: PortkeyWorld) -> None:
    with open_session(paced) as talker:
        talker.update(**TEXT_ONLY)
        hold(talker, 1)
        paced.clock.move(timedelta(seconds=2))
        while len(talker.deltas("response.output_text")) < 3:
            talker.next()
        assert talker.refused("nothing")["code"] == "invalid_value"  # the next thing that comes, so no fourth piece has
        paced.clock.move(timedelta(seconds=10))
        assert text_of(talker.until("response.done")["response"]) == "One two three four five."


def test_provider_takes_its_time_before_it_speaks(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    script(portkey, "At last.", delay_ms=3000)
    with open_session(portkey) as talker:
        talker.send("response.create")
        talker.until("response.created")
        assert talker.refused("nothing")["code"] == "invalid_value"
        portkey.clock.move(timedelta(seconds=3))
        assert talker.until("response.done")["response"]["status"] == "completed"


@pytest.mark.parametrize("by_id", [False, True], ids=["the-only-one", "by-id"])
def test_cancel_stops_in_the_middle(paced: PortkeyWorld, by_id: bool) -> None:
    with open_session(paced) as talker:
        talker.update(**TEXT_ONLY)
        hold(talker, 1)
        paced.clock.move(timedelta(seconds=1))
        talker.next()
        wanted = {"response_id": talker.heard[0]["response"]["id"]} if by_id else {}
        done = talker.ask("response.cancel", "response.done", **wanted)["response"]
        assert (done["status"], done["status_details"]) == ("cancelled", {"type": "cancelled", "reason": "client_cancelled"})
        assert (text_of(done), done["output"][0]["status"]) == ("One two", "incomplete")
        assert done["usage"]["output_tokens"] == 2
        talker.until("rate_limits.updated")
        paced.clock.move(timedelta(seconds=60))
        assert talker.refused("nothing")["code"] == "invalid_value"


def test_cancelled_response_ends_all_that_it_began(paced: PortkeyWorld) -> None:
    with open_session(paced) as talker:
        hold(talker, 1, "response.output_audio")
        talker.ask("response.cancel", "rate_limits.updated")
        assert talker.kinds() == SOUND_SEQUENCE


def test_cancel_before_a_word_leaves_nothing(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    script(portkey, "Never said.", delay_ms=3000)
    with open_session(portkey) as talker:
        talker.send("response.create")
        done = talker.ask("response.cancel", "response.done")["response"]
    assert (done["status"], done["output"]) == ("cancelled", [])


def test_only_one_response_at_a_time(paced: PortkeyWorld) -> None:
    with open_session(paced) as talker:
        talker.update(**TEXT_ONLY)
        hold(talker, 1)
        error = talker.refused("response.create", event_id="mine")
    assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "mine")


def test_another_may_follow_a_cancelled_one(paced: PortkeyWorld) -> None:
    with open_session(paced) as talker:
        talker.update(**TEXT_ONLY)
        hold(talker, 1)
        talker.ask("response.cancel", "rate_limits.updated")
        hold(talker, 1)
        assert talker.heard[0]["type"] == "response.created"


# Limits


@pytest.mark.parametrize("limit", [1, 7, 20])
@pytest.mark.parametrize("modality", ["text", "audio"])
def test_limit_of_tokens_holds(portkey: PortkeyWorld, modality: str, limit: int) -> None:
    with open_session(portkey) as talker:
        talker.say(QUESTION)
        done = talker.respond(output_modalities=[modality], max_output_tokens=limit)
    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert done["usage"]["output_tokens"] <= limit
    assert done["max_output_tokens"] == limit


# Functions


def test_demanded_function_is_called_with_fitting_arguments(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        talker.update(type="realtime", tools=[TIDE], tool_choice="required")
        talker.say(QUESTION)
        done = talker.respond()
        (call,) = done["output"]
        told = "".join(talker.deltas("response.function_call_arguments"))
        whole = next(each for each in talker.heard if each["type"] == "response.function_call_arguments.done")
        assert talker.kinds() == [
            "response.created", "response.output_item.added", "conversation.item.added",
            "response.function_call_arguments.delta", "response.function_call_arguments.done", "conversation.item.done",
            "response.output_item.done", "response.done", "rate_limits.updated",
        ]  # fmt: skip
    arguments = json.loads(call["arguments"])
    assert (call["type"], call["name"], set(arguments)) == ("function_call", "find_tide", {"port", "days"})
    assert arguments["port"] in ("Dover", "Hull")
    assert arguments["days"] >= 2
    assert told == whole["arguments"] == call["arguments"]
    assert (whole["name"], whole["call_id"]) == ("find_tide", call["call_id"])


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_function_is_not_called_unless_demanded(portkey: PortkeyWorld, choice: str) -> None:
    with open_session(portkey) as talker:
        done = talker.respond(tools=[TIDE], tool_choice=choice, output_modalities=["text"])
    assert [item["type"] for item in done["output"]] == ["message"]


def test_function_is_demanded_by_name(portkey: PortkeyWorld) -> None:
    other = {**TIDE, "name": "find_wind"}
    with open_session(portkey) as talker:
        done = talker.respond(tools=[TIDE, other], tool_choice={"type": "function", "name": "find_wind"})
    assert [item["name"] for item in done["output"]] == ["find_wind"]


def test_script_may_call_functions(portkey: PortkeyWorld) -> None:
    script(portkey, {"tool_calls": [{"name": "find_tide", "arguments": {"port": "Hull"}}, {"name": "find_tide"}]})
    with open_session(portkey) as talker:
        done = talker.respond(tools=[TIDE])
    first, second = done["output"]
    assert json.loads(first["arguments"]) == {"port": "Hull"}
    assert set(json.loads(second["arguments"])) == {"port", "days"}


def test_what_a_function_found_is_passed_on(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        talker.update(type="realtime", tools=[TIDE], output_modalities=["text"])
        talker.say(QUESTION)
        (call,) = talker.respond(tool_choice="required")["output"]
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": "Seven metres"}
        talker.ask("conversation.item.create", "conversation.item.done", item=item)
        assert "Seven metres" in text_of(talker.respond())


def test_old_dialect_calls_functions(portkey: PortkeyWorld) -> None:
    with open_session(portkey, openai_beta="realtime=v1") as talker:
        (call,) = talker.respond(tools=[TIDE], tool_choice="required")["output"]
        whole = next(each for each in talker.heard if each["type"] == "response.function_call_arguments.done")
    assert (call["name"], "name" in whole) == ("find_tide", False)


# What a response is made from, and where it goes


def test_response_without_a_conversation_leaves_no_item(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        talker.update(**TEXT_ONLY)
        done = talker.respond(conversation="none", metadata={"topic": "tide"})
        assert not any(kind.startswith("conversation.") for kind in talker.kinds())
        error = talker.refused("conversation.item.retrieve", item_id=done["output"][0]["id"])
    assert (done["conversation_id"], done["metadata"]) == (None, {"topic": "tide"})
    assert error["code"] == "item_retrieve_invalid_item_id"


def test_response_without_a_conversation_may_run_beside_another(paced: PortkeyWorld) -> None:
    with open_session(paced) as talker:
        talker.update(**TEXT_ONLY)
        hold(talker, 1)
        talker.send("response.create", response={"conversation": "none"})
        talker.until("response.created")
        paced.clock.move(timedelta(seconds=30))
        ended = {talker.until("response.done")["response"]["conversation_id"] for _ in range(2)}
    assert None in ended
    assert len(ended) == 2


def test_response_may_have_its_own_input(portkey: PortkeyWorld) -> None:
    script(portkey, "About the wind.", {"last_message": "wind"})
    with open_session(portkey) as talker:
        talker.update(**TEXT_ONLY)
        talker.say(QUESTION)
        asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And the wind?"}]}
        assert text_of(talker.respond(input=[asked], conversation="none")) == "About the wind."
        assert text_of(talker.respond()) != "About the wind."


def test_response_may_refer_to_items(portkey: PortkeyWorld) -> None:
    script(portkey, "About the wind.", {"last_message": "wind"})
    with open_session(portkey) as talker:
        talker.update(**TEXT_ONLY)
        item = talker.say("And the wind?")
        talker.say(QUESTION)
        assert text_of(talker.respond(input=[{"type": "item_reference", "id": item["id"]}])) == "About the wind."


# What it leaves behind


def test_usage_adds_up(portkey: PortkeyWorld) -> None:
    with speaking(portkey) as talker:
        talker.say(QUESTION)
        usage = talker.respond()["usage"]
    asked, answered = usage["input_token_details"], usage["output_token_details"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] == asked["text_tokens"] + asked["audio_tokens"]
    assert usage["output_tokens"] == answered["text_tokens"] + answered["audio_tokens"]
    assert min(asked["text_tokens"], answered["text_tokens"], answered["audio_tokens"]) > 0


def test_rates_count_down(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        used = talker.respond()["usage"]["total_tokens"]
        requests, tokens = talker.heard[-1]["rate_limits"]
    assert (requests["name"], requests["limit"] - requests["remaining"]) == ("requests", 1)
    assert (tokens["name"], tokens["limit"] - tokens["remaining"]) == ("tokens", used)


def test_each_response_leaves_a_log(portkey: PortkeyWorld, admin: Client) -> None:
    with open_session(portkey, x_portkey_trace_id="talk") as talker:
        talker.say(QUESTION)
        first, second = talker.respond(), talker.respond()
    logs = latest(admin, 2)
    assert [log["req_units"] + log["res_units"] for log in logs] == [
        response["usage"]["total_tokens"] for response in (first, second)
    ]
    shown = read_log(admin, logs[1]["id"])
    assert (shown["request"]["url"], shown["request"]["method"]) == ("/v1/realtime", "GET")
    assert shown["response"]["body"]["id"] == second["id"]
    assert {log["trace_id"] for log in logs} == {"talk"}
    assert QUESTION in json.dumps(shown["request"]["body"])


def test_response_that_is_left_is_counted_as_far_as_it_went(paced: PortkeyWorld, admin: Client) -> None:
    with open_session(paced) as talker:
        talker.update(**TEXT_ONLY)
        hold(talker, 1)
    for _ in range(500):  # the client is gone before the server has noticed
        if len(paced.world["logs"]):
            break
        with open_session(paced):
            pass  # a turn of the server's event loop
    (log,) = latest(admin)
    assert log["res_units"] == 1


def test_sound_costs_more_than_text(portkey: PortkeyWorld, admin: Client) -> None:
    """Prices of gpt-realtime in dollars a million: text 4 and 16, sound 64 to be said (governance, Model pricing)."""
    with open_session(portkey) as talker:
        usage = talker.respond()["usage"]
    answered = usage["output_token_details"]
    dollars = (4 * usage["input_tokens"] + 16 * answered["text_tokens"] + 64 * answered["audio_tokens"]) / 1e6
    assert next(iter(admin.world["logs"].newest()))["cost"] == pytest.approx(100 * dollars)
