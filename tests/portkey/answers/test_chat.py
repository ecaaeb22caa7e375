"""Chat: what a model says, how it is cut, counted and told in chunks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from mockserver.portkey.answers import chat, tokens
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.portkey.answers.script import Said, SaidCall
from mockserver.values import JSON, Record
from tests.portkey.answers.given import CREATED, STEADY, CountingIds, Judge, asked, chance, joined, texts, tool, user

PLACE: Record = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
WEATHER = tool("get_weather", PLACE, "Tells how warm it will be")
TIME = tool("get_time", {"type": "object", "properties": {"zone": {"type": "string"}}}, "Tells what the clock shows")
CUSTOM: Record = {"type": "custom", "custom": {"name": "run_code"}}
FORM: Record = {"type": "json_schema", "json_schema": {"name": "place", "schema": PLACE, "strict": True}}


def answered(body: Record, said: Said | None = None, seed: int = 7, model: str = "gpt-4o") -> chat.Completion:
    return chat.answer(body, model, chance(seed).root, CountingIds(), CREATED, said)


def reply(body: Record, said: Said | None = None) -> Any:
    return answered(body, said).as_json()


def message(body: Record, said: Said | None = None) -> Any:
    return reply(body, said)["choices"][0]["message"]


def text(body: Record, seed: int = 7, model: str = "gpt-4o") -> str:
    made = answered(body, seed=seed, model=model).choices[0].text
    assert made is not None
    return made


# What the words follow from.


def test_same_request_gets_the_same_words() -> None:
    assert text(asked()) == text(asked())


@pytest.mark.parametrize(
    "change",
    [{"seed": 5}, {"temperature": 0.2}, {"messages": [user("Why is the sea salty?")]},
     {"messages": [{"role": "system", "content": "Be brief."}, *asked()["messages"]]}, {"tools": [WEATHER]}],
    ids="-".join,
)  # fmt: skip
def test_other_request_gets_other_words(change: Record) -> None:
    assert text({**asked(), **change}) != text(asked())


def test_other_world_and_other_model_say_something_else() -> None:
    assert len({text(asked()), text(asked(), seed=8), text(asked(), model="gpt-4o-mini")}) == 3


@pytest.mark.parametrize(
    "change",
    [{"stream": True}, {"stream_options": {"include_usage": True}}, {"user": "ada"}, {"metadata": {"a": "b"}}, {"store": True},
     {"logprobs": True, "top_logprobs": 3}, {"max_tokens": 100000}, {"stop": "never said"}, {"n": 3}],
    ids="-".join,
)  # fmt: skip
def test_how_it_is_told_does_not_change_the_words(change: Record) -> None:
    assert text(asked(**change)) == text(asked())


def test_order_of_names_does_not_change_the_words() -> None:
    turned = {"messages": [{"content": "Hello there", "role": "user"}]}
    assert text(turned) == text({"messages": [{"role": "user", "content": "Hello there"}]})


def test_words_are_about_the_last_question() -> None:
    earlier = [user("Tell me about volcanoes"), {"role": "assistant", "content": "They are hot."}]
    made = text({"messages": [*earlier, user("Why do leaves turn red?")]})
    assert "leaves" in made
    assert "volcanoes" not in made


def test_words_read_as_sentences() -> None:
    made = text(asked())
    assert made[0].isupper()
    assert made[-1] in ".?!"
    assert 8 < len(made.split()) < 150


def test_greeting_is_returned() -> None:
    assert text(asked("Hi!")).startswith(("Hello", "Hi"))


@pytest.mark.parametrize("content", ["", "?", [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]])
def test_question_without_words_is_answered(content: JSON) -> None:
    assert text(asked(content))


def test_parts_of_text_are_read() -> None:
    assert text(asked([{"type": "text", "text": "Tell me about volcanoes"}])).count("volcanoes")


def test_what_a_tool_told_is_passed_on() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    told = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"}]
    assert "21 degrees" in text({"messages": [user("How warm is Porto?"), *told], "tools": [WEATHER]})


def test_answers_of_one_call_differ() -> None:
    made = answered(asked(n=5))
    assert len({choice.text for choice in made.choices}) == 5
    assert [choice["index"] for choice in made.as_json()["choices"]] == [0, 1, 2, 3, 4]


# The reply.


def test_reply_has_the_ids_and_time_it_was_given() -> None:
    ids = CountingIds()
    made = chat.answer(asked(), "gpt-4o", chance().root, ids, CREATED).as_json()
    assert (made["id"], made["created"], made["model"], made["object"]) == ("chatcmpl-0", CREATED, "gpt-4o", "chat.completion")
    assert ids.given == ["chatcmpl-0"]


def test_reply_has_every_field() -> None:
    made = reply(asked())
    assert list(made) == ["id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"]
    assert list(made["choices"][0]) == ["index", "message", "logprobs", "finish_reason"]
    assert made["choices"][0]["message"] == {
        "role": "assistant", "content": text(asked()), "refusal": None, "annotations": []
    }  # fmt: skip
    assert (made["choices"][0]["logprobs"], made["choices"][0]["finish_reason"]) == (None, "stop")


def test_fingerprint_is_that_of_the_model() -> None:
    one, other = reply(asked()), reply(asked("Why is the sea salty?"))
    assert one["system_fingerprint"] == other["system_fingerprint"]
    assert one["system_fingerprint"].startswith("fp_")


@pytest.mark.parametrize(("tier", "given"), [(None, "default"), ("auto", "default"), ("priority", "priority")])
def test_tier_is_told(tier: str | None, given: str) -> None:
    assert reply(asked(service_tier=tier))["service_tier"] == given


def test_usage_adds_up() -> None:
    usage = reply(asked(n=3, tools=[WEATHER]))["usage"]
    made = answered(asked(n=3, tools=[WEATHER]))
    assert usage["completion_tokens"] == sum(tokens.count(choice.text or "") for choice in made.choices)
    assert usage["prompt_tokens"] == tokens.count_messages(asked()["messages"]) + tokens.count_tools({"tools": [WEATHER]})
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


# Limits and stops.


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_limit_cuts_the_text(field: str) -> None:
    whole, made = text(asked()), reply(asked(**{field: 5}))
    assert made["choices"][0]["message"]["content"] == joined(tokens.pieces(whole)[:5])
    assert (made["choices"][0]["finish_reason"], made["usage"]["completion_tokens"]) == ("length", 5)


def test_newer_limit_wins() -> None:
    assert reply(asked(max_tokens=50, max_completion_tokens=3))["usage"]["completion_tokens"] == 3


def test_limit_that_just_fits_cuts_nothing() -> None:
    whole = text(asked())
    assert reply(asked(max_tokens=tokens.count(whole)))["choices"][0]["finish_reason"] == "stop"


def test_limit_of_nothing_leaves_an_empty_text() -> None:
    made = reply(asked(max_tokens=0))
    assert (made["choices"][0]["message"]["content"], made["choices"][0]["finish_reason"]) == ("", "length")


def test_stop_ends_the_text_before_it() -> None:
    whole = text(asked())
    word = whole.split()[4]
    assert text(asked(stop=word)) == whole.partition(word)[0]
    assert text(asked(stop=["never said", word])) == whole.partition(word)[0]


@STEADY
@given(
    question=texts,
    limit=st.integers(0, 60),
    stop=st.one_of(st.none(), st.sampled_from(["a", "the", " ", ".", "in"]), st.lists(texts, min_size=1, max_size=4)),
    count=st.integers(1, 3),
    form=st.sampled_from([None, {"type": "json_object"}, FORM]),
)
def test_limits_and_stops_hold(question: str, limit: int, stop: Any, count: int, form: Record | None) -> None:
    made = reply(asked(question, max_tokens=limit, stop=stop, n=count, response_format=form))
    said = [choice["message"]["content"] for choice in made["choices"]]
    ends = [end for end in ([stop] if isinstance(stop, str) else stop or []) if end]
    assert all(tokens.count(each) <= limit for each in said)
    assert not any(end in each for end in ends for each in said)
    assert made["usage"]["completion_tokens"] == sum(map(tokens.count, said))


# Tools.


def calls(body: Record, said: Said | None = None) -> list[Any]:
    found = message(body, said).get("tool_calls", [])
    assert isinstance(found, list)
    return found


def fits(call: Record) -> bool:
    return bool(jsonschema_rs.is_valid(PLACE, json.loads(call["function"]["arguments"])))


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_tool_is_not_called_unasked(choice: str | None) -> None:
    made = reply(asked("How is the weather in Porto?", tools=[WEATHER], tool_choice=choice))
    assert "tool_calls" not in made["choices"][0]["message"]
    assert made["choices"][0]["finish_reason"] == "stop"


def test_required_tool_is_called() -> None:
    made = reply(asked("How warm is it in Porto?", tools=[TIME, WEATHER], tool_choice="required"))
    (call,) = made["choices"][0]["message"]["tool_calls"]
    assert (call["id"], call["type"], call["function"]["name"]) == ("call_1", "function", "get_weather")
    assert fits(call)
    assert (made["choices"][0]["message"]["content"], made["choices"][0]["finish_reason"]) == (None, "tool_calls")
    assert made["usage"]["completion_tokens"] == tokens.count_call(call["function"])


def test_named_tool_is_called() -> None:
    """OpenAI says `stop` here (gateway-data-plane, /chat/completions)."""
    named = {"type": "function", "function": {"name": "get_time"}}
    made = reply(asked("How is the weather?", tools=[WEATHER, TIME], tool_choice=named))
    assert [call["function"]["name"] for call in made["choices"][0]["message"]["tool_calls"]] == ["get_time"]
    assert made["choices"][0]["finish_reason"] == "stop"


def test_arguments_are_words_of_the_question() -> None:
    (call,) = calls(asked("Porto?", tools=[WEATHER], tool_choice="required"))
    assert json.loads(call["function"]["arguments"])["city"].lower() == "porto"


def test_tools_that_the_question_names_are_called_at_once() -> None:
    body = asked("What are the weather and the time in Porto?", tools=[WEATHER, TIME], tool_choice="required")
    both = calls(body)
    assert [call["function"]["name"] for call in both] == ["get_weather", "get_time"]
    assert len({call["id"] for call in both}) == 2
    assert len(calls({**body, "parallel_tool_calls": False})) == 1


def test_tool_without_a_schema_gets_an_empty_object() -> None:
    (call,) = calls(asked(tools=[tool("ping")], tool_choice="required"))
    assert call["function"]["arguments"] == "{}"


@pytest.mark.parametrize("wrapped", [True, False])
def test_only_allowed_tools_are_called(wrapped: bool) -> None:
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "get_time"}}]}
    choice = {"type": "allowed_tools", **({"allowed_tools": allowed} if wrapped else allowed)}
    made = calls(asked("What is the weather?", tools=[WEATHER, TIME], tool_choice=choice))
    assert [call["function"]["name"] for call in made] == ["get_time"]


def test_allowed_tools_need_not_be_called() -> None:
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "get_time"}}]}
    assert calls(asked(tools=[TIME], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})) == []


def test_custom_tool_gets_text() -> None:
    (call,) = calls(asked(tools=[CUSTOM], tool_choice={"type": "custom", "custom": {"name": "run_code"}}))
    assert (call["type"], call["custom"]["name"]) == ("custom", "run_code")
    assert "leaves" in call["custom"]["input"]


@pytest.mark.parametrize(
    "choice",
    ["required", {"type": "function", "function": {"name": "none"}}, {"type": "allowed_tools", "mode": "required", "tools": []},
     {"type": "custom"}],
    ids=str,
)  # fmt: skip
def test_tool_that_is_not_there_cannot_be_called(choice: JSON) -> None:
    with pytest.raises(Unanswerable) as caught:
        answered(asked(tool_choice=choice))
    assert caught.value.pointer == "/tool_choice"


def test_impossible_arguments_say_which_tool() -> None:
    with pytest.raises(Unanswerable) as caught:
        answered(asked(tools=[tool("odd", {"type": "nope"})], tool_choice="required"))
    assert caught.value.pointer == "/tools/0/function/parameters"


@pytest.mark.parametrize("limit", range(0, 20, 3))
def test_limit_cuts_calls(limit: int) -> None:
    made = reply(asked("Weather and time?", tools=[WEATHER, TIME], tool_choice="required", max_tokens=limit))
    said = made["choices"][0]["message"]
    assert made["usage"]["completion_tokens"] <= limit
    assert (made["choices"][0]["finish_reason"] == "length") or len(said["tool_calls"]) == 2


# The older form of tools.


@pytest.mark.parametrize(("choice", "reason"), [({"name": "get_weather"}, "stop"), (None, "function_call")])
def test_older_form_is_answered_in_the_older_form(choice: JSON, reason: str) -> None:
    said = Said(tool_calls=(SaidCall("get_weather"),)) if choice is None else None
    made = reply(asked(functions=[WEATHER["function"]], function_call=choice), said)
    call = made["choices"][0]["message"]["function_call"]
    assert call["name"] == "get_weather"
    assert jsonschema_rs.is_valid(PLACE, json.loads(call["arguments"]))
    assert made["choices"][0]["finish_reason"] == reason
    assert "tool_calls" not in made["choices"][0]["message"]


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_older_form_is_not_called_unasked(choice: str | None) -> None:
    assert "function_call" not in message(asked(functions=[WEATHER["function"]], function_call=choice))


# Forms of answers.


def test_answer_follows_the_schema() -> None:
    made = json.loads(text(asked("How warm is Porto?", response_format=FORM)))
    assert jsonschema_rs.is_valid(PLACE, made)


def test_answer_is_an_object() -> None:
    made = json.loads(text(asked(response_format={"type": "json_object"})))
    assert isinstance(made, dict)
    assert "leaves" in made["topic"]


def test_schema_may_be_left_out() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "any"}}
    assert isinstance(json.loads(text(asked(response_format=form))), dict)


def test_impossible_form_says_where() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "odd", "schema": {"type": "nope"}}}
    with pytest.raises(Unanswerable) as caught:
        answered(asked(response_format=form))
    assert caught.value.pointer == "/response_format/json_schema/schema"


# Likelihoods.


def test_logprobs_are_those_of_the_text() -> None:
    choice = reply(asked(logprobs=True, top_logprobs=3))["choices"][0]
    told = choice["logprobs"]["content"]
    assert [each["token"] for each in told] == tokens.pieces(choice["message"]["content"])
    assert all(bytes(each["bytes"]).decode() == each["token"] for each in told)
    assert choice["logprobs"]["refusal"] is None


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_likely_tokens_are_as_many_as_asked_for(count: int) -> None:
    for each in reply(asked(logprobs=True, top_logprobs=count))["choices"][0]["logprobs"]["content"]:
        top = [(one["token"], one["logprob"]) for one in each["top_logprobs"]]
        assert len(dict(top)) == count
        assert top[:1] in ([], [(each["token"], each["logprob"])])
        assert sorted(top, key=lambda one: -one[1]) == top
        assert sum(math.exp(logprob) for _, logprob in top) <= 1.0001


def test_likely_tokens_are_left_out_unless_asked_for() -> None:
    told = reply(asked(logprobs=True))["choices"][0]["logprobs"]["content"]
    assert all(each["top_logprobs"] == [] for each in told)
    assert reply(asked(logprobs=False, top_logprobs=None))["choices"][0]["logprobs"] is None


def test_calls_have_no_logprobs() -> None:
    assert reply(asked(logprobs=True, tools=[TIME], tool_choice="required"))["choices"][0]["logprobs"] is None


# Scripts.


def test_script_has_the_last_word() -> None:
    made = reply(asked(max_tokens=2, stop="is", response_format=FORM), Said(text="It is 42."))
    assert made["choices"][0]["message"]["content"] == "It is 42."
    assert made["choices"][0]["finish_reason"] == "stop"
    assert made["usage"]["completion_tokens"] == tokens.count("It is 42.")


def test_script_may_say_nothing() -> None:
    made = reply(asked(), Said(text="", finish_reason="content_filter"))
    assert (made["choices"][0]["message"]["content"], made["choices"][0]["finish_reason"]) == ("", "content_filter")


def test_script_of_a_reason_leaves_the_words() -> None:
    made = reply(asked(), Said(finish_reason="content_filter"))
    assert (made["choices"][0]["message"]["content"], made["choices"][0]["finish_reason"]) == (text(asked()), "content_filter")


def test_script_refuses() -> None:
    made = reply(asked(logprobs=True), Said(refusal="I cannot help with that."))
    said = made["choices"][0]
    assert (said["message"]["content"], said["message"]["refusal"]) == (None, "I cannot help with that.")
    assert said["logprobs"]["content"] is None
    assert len(said["logprobs"]["refusal"]) == tokens.count("I cannot help with that.") == made["usage"]["completion_tokens"]


def test_script_calls_tools() -> None:
    """Of two with their own arguments and one with none, that one gets what its schema takes."""
    said = Said(tool_calls=(SaidCall("look", {"a": [1]}), SaidCall("odd", "{not JSON"), SaidCall("get_weather")))
    made = reply(asked(tools=[WEATHER]), said)
    one, odd, weather = made["choices"][0]["message"]["tool_calls"]
    assert (one["function"], odd["function"]["arguments"]) == ({"name": "look", "arguments": '{"a":[1]}'}, "{not JSON")
    assert fits(weather)
    assert made["choices"][0]["finish_reason"] == "tool_calls"


def test_script_calls_and_speaks() -> None:
    said = message(asked(), Said(text="Let me look.", tool_calls=(SaidCall("look", {}),)))
    assert (said["content"], len(said["tool_calls"])) == ("Let me look.", 1)


def test_script_counts() -> None:
    usage = reply(asked(), Said(text="Yes.", usage={"prompt_tokens": 1000, "completion_tokens": 500}))["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (1000, 500, 1500)


# Thoughts.

THINKING: Record = {"thinking": {"type": "enabled", "budget_tokens": 2000}}


def test_thought_comes_before_the_text_and_is_counted() -> None:
    made = answered(asked(**THINKING))
    thought, said = made.as_json()["choices"][0]["message"]["content_blocks"]
    assert thought["type"] == "thinking"
    assert said == {"type": "text", "text": made.choices[0].text}
    usage = made.as_json()["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == tokens.count(thought["thinking"])
    assert usage["completion_tokens"] == tokens.count(thought["thinking"]) + tokens.count(said["text"])


def test_thought_keeps_its_budget_and_the_limit() -> None:
    brief = answered(asked(thinking={"type": "enabled", "budget_tokens": 4}))
    assert len(brief.choices[0].thought) == 4
    assert answered(asked(**THINKING, max_tokens=3)).usage.completion == 3


def test_thought_may_be_scripted() -> None:
    blocks = message(asked(), Said(text="42.", reasoning="Six times seven."))["content_blocks"]
    assert blocks == [{"type": "thinking", "thinking": "Six times seven."}, {"type": "text", "text": "42."}]


def test_nothing_is_thought_unasked() -> None:
    assert "content_blocks" not in message(asked())
    assert "content_blocks" not in message(asked(thinking={"type": "disabled"}))


# Chunks.

BODIES: dict[str, tuple[Record, Said | None]] = {
    "plain": (asked(), None),
    "several": (asked(n=3), None),
    "cut": (asked(max_tokens=4), None),
    "empty": (asked(max_tokens=0), None),
    "logprobs": (asked(logprobs=True, top_logprobs=2, n=2), None),
    "schema": (asked(response_format=FORM), None),
    "tools": (asked("Weather and time in Porto?", tools=[WEATHER, TIME], tool_choice="required", n=2), None),
    "custom": (asked(tools=[CUSTOM], tool_choice="required"), None),
    "older": (asked(functions=[WEATHER["function"]], function_call={"name": "get_weather"}), None),
    "refusal": (asked(logprobs=True), Said(refusal="I cannot help with that.")),
    "both": (asked(tools=[WEATHER]), Said(text="Let me look.", tool_calls=(SaidCall("get_weather"),))),
    "thought": (asked(**THINKING), None),
}


@pytest.fixture(params=BODIES)
def completion(request: pytest.FixtureRequest) -> chat.Completion:
    return answered(*BODIES[request.param])


@pytest.fixture(params=[name for name in BODIES if name != "custom"])
def known(request: pytest.FixtureRequest) -> chat.Completion:
    """What OpenAI's client has types for in chunks: calls of custom tools are not among them."""
    return answered(*BODIES[request.param])


def deltas(completion: chat.Completion, index: int = 0, **options: Any) -> Iterator[Record]:
    for chunk in completion.chunks(**options):
        yield from (choice for choice in chunk["choices"] if choice["index"] == index)


def test_reply_keeps_the_document(completion: chat.Completion, faults: Judge) -> None:
    assert faults("ChatCompletion", completion.as_json()) == []


def test_reply_is_what_openai_sends(completion: chat.Completion) -> None:
    made = ChatCompletion.model_validate(completion.as_json(), strict=True)
    assert made.choices[0].finish_reason == completion.choices[0].finish_reason


def test_chunks_are_what_openai_sends(known: chat.Completion) -> None:
    for chunk in known.chunks(include_usage=True):
        ChatCompletionChunk.model_validate(chunk, strict=True)


@pytest.mark.parametrize("size", [None, 1, 3, 1000])
def test_chunks_put_together_are_the_reply(known: chat.Completion, size: int | None) -> None:
    """As OpenAI's own client puts them together."""
    state = ChatCompletionStreamState()
    for chunk in known.chunks(include_usage=True, chunk_size=size):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    put: Any = state.current_completion_snapshot.to_dict()
    whole: Any = ChatCompletion.model_validate(known.as_json()).to_dict()
    for choice in (*put["choices"], *whole["choices"]):
        for call in choice["message"].get("tool_calls") or []:
            call.pop("index", None)
            call.get("function", {}).pop("parsed_arguments", None)
    for wanted, found in zip(whole["choices"], put["choices"], strict=True):
        said, heard = wanted["message"], found["message"]
        for name in ("content", "refusal", "tool_calls", "function_call"):
            assert (heard.get(name) or None) == (said.get(name) or None)
        assert found["finish_reason"] == wanted["finish_reason"]
        assert (found["logprobs"] or None) == (wanted["logprobs"] or None)
    assert put["usage"] == whole["usage"]


def test_chunks_open_speak_and_close(completion: chat.Completion) -> None:
    opener, *spoken, closer = deltas(completion)
    assert opener["delta"]["role"] == "assistant"
    assert closer == {
        "index": 0, "delta": {}, "logprobs": None, "finish_reason": completion.choices[0].finish_reason
    }  # fmt: skip
    assert all(each["delta"] and each["finish_reason"] is None for each in (opener, *spoken))


def test_chunks_share_what_is_of_the_whole(completion: chat.Completion) -> None:
    heads = [{name: value for name, value in chunk.items() if name != "choices"} for chunk in completion.chunks()]
    assert all(head == heads[0] for head in heads)
    assert heads[0]["object"] == "chat.completion.chunk"
    assert "usage" not in heads[0]


def test_usage_comes_last_and_alone(completion: chat.Completion) -> None:
    *earlier, last = completion.chunks(include_usage=True)
    assert all(chunk["usage"] is None for chunk in earlier)
    assert (last["choices"], last["usage"]) == ([], completion.usage.as_json())


def test_answers_first_appear_in_order() -> None:
    """Clients fail otherwise (gateway-data-plane, What real clients send and need)."""
    seen = [choice["index"] for chunk in answered(asked(n=4)).chunks() for choice in chunk["choices"]]
    assert list(dict.fromkeys(seen)) == [0, 1, 2, 3]


def test_calls_begin_with_their_names() -> None:
    found = [each["delta"]["tool_calls"][0] for each in deltas(answered(*BODIES["tools"])) if "tool_calls" in each["delta"]]
    named = [(each["index"], each["function"]["name"], each["function"]["arguments"]) for each in found if "id" in each]
    assert named == [(0, "get_weather", ""), (1, "get_time", "")]
    assert all(set(each) == {"index", "function"} for each in found if "id" not in each)


def test_chunk_is_one_token_unless_told() -> None:
    spoken = [each["delta"]["content"] for each in deltas(answered(asked())) if each["delta"].get("content")]
    assert spoken == tokens.pieces(text(asked()))


def test_chunk_of_several_tokens() -> None:
    spoken = [each["delta"]["content"] for each in deltas(answered(asked()), chunk_size=4) if each["delta"].get("content")]
    assert [tokens.count(each) for each in spoken[:-1]] == [4] * (len(spoken) - 1)


def test_logprobs_go_with_their_tokens() -> None:
    made = answered(asked(logprobs=True, top_logprobs=2))
    told = [each for choice in deltas(made) if choice["logprobs"] for each in choice["logprobs"]["content"]]
    assert told == made.as_json()["choices"][0]["logprobs"]["content"]
    for choice in deltas(made):
        assert (choice["logprobs"] is not None) == bool(choice["delta"].get("content"))


def test_thought_comes_in_blocks() -> None:
    made = answered(asked(**THINKING))
    blocks = [each["delta"]["content_blocks"][0] for each in deltas(made) if "content_blocks" in each["delta"]]
    assert joined(block["delta"].get("thinking") for block in blocks if block["index"] == 0) == joined(made.choices[0].thought)
    assert joined(block["delta"].get("text") for block in blocks if block["index"] == 1) == made.choices[0].text


def test_scripted_text_is_not_cut_for_a_thought_that_is() -> None:
    made = reply(asked(**THINKING, max_tokens=3), Said(text="It is 42."))
    assert made["choices"][0]["finish_reason"] == "stop"
