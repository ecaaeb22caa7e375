"""Whatever a client says, a session answers, in events that the SDKs know, and stays open."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.pytest_plugin import PortkeyWorld
from tests.portkey.live.talking import TIDE, encoded, open_session, silence, tone

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([0.5, "", "text", "root", "none", "\U0001f600"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "id", "content"]), inner, max_size=2),
    max_leaves=4,
)


def often(*values: Any) -> st.SearchStrategy[Any]:
    """One of these, and now and then anything."""
    return st.one_of(*[st.just(value) for value in values], junk)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


part = st.one_of(
    some(type=often("input_text"), text=often("How high is the tide?")),
    some(type=often("input_audio"), audio=often(encoded(tone(0.1)))),
    some(type=often("output_text", "output_audio"), text=often("High."), transcript=often("High.")),
)
item = st.one_of(
    some(type=often("message"), role=often("user", "assistant"), content=st.lists(part, max_size=2), id=often("mine")),
    some(type=often("function_call"), name=often("find_tide"), arguments=often("{}"), call_id=often("called")),
    some(type=often("function_call_output"), call_id=often("called"), output=often("seven")),
)
asked = some(
    type=often("realtime"),
    output_modalities=often(["text"], ["audio"]),
    max_output_tokens=often(1, 20, "inf"),
    tools=often([], [TIDE]),
    tool_choice=often("auto", "required", {"type": "function", "name": "find_tide"}),
    audio=often({"output": {"format": {"type": "audio/pcmu"}}}, {"input": {"turn_detection": None}}),
)
events = st.one_of(
    some(type=often("session.update"), session=asked),
    some(type=often("response.create"), response=asked),
    some(type=often("response.create"), response=some(conversation=often("none"), input=st.lists(item, max_size=2))),
    some(type=often("conversation.item.create"), item=item, previous_item_id=often("root", "mine")),
    some(type=often("conversation.item.retrieve", "conversation.item.delete"), item_id=often("mine")),
    some(type=st.just("conversation.item.truncate"), item_id=often("mine"), content_index=often(0), audio_end_ms=often(50)),
    some(type=st.just("input_audio_buffer.append"), audio=often(encoded(tone(0.3)), encoded(silence(0.6)), "AA==")),
    some(type=often("input_audio_buffer.commit", "input_audio_buffer.clear", "output_audio_buffer.clear", "response.cancel")),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(events, min_size=1, max_size=12))
def test_no_event_ends_a_session(portkey: PortkeyWorld, said: list[dict[str, Any]]) -> None:
    with open_session(portkey) as talker:
        for event in said:
            talker.send(event.get("type"), **{name: value for name, value in event.items() if name != "type"})
        talker.send("the end", event_id="last")
        while (heard := talker.next())["type"] != "error" or heard["error"]["event_id"] != "last":
            pass
