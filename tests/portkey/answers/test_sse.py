"""The frames of streams."""

from __future__ import annotations

from mockserver.portkey.answers import sse


def test_event_without_a_name() -> None:
    assert sse.event({"a": "é"}) == 'data: {"a":"é"}\n\n'.encode()


def test_event_with_a_name() -> None:
    assert sse.event({"type": "x.done"}, "x.done") == b'event: x.done\ndata: {"type":"x.done"}\n\n'


def test_line_breaks_stay_within_the_event() -> None:
    assert sse.event({"a": "one\ntwo"}).count(b"\n") == 2


def test_end_of_a_stream() -> None:
    assert sse.DONE == b"data: [DONE]\n\n"
