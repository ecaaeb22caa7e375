"""The parser and the writer of JSON that all parts share."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, strategies

from mockserver import values
from mockserver.contract import grammar

TEXT = strategies.characters(codec="utf-8", exclude_characters="\0")
JSON_VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False, allow_infinity=False)
    | strategies.text(TEXT),
    lambda inner: (
        strategies.lists(inner, max_size=4)
        | strategies.dictionaries(
            strategies.text(TEXT, max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_values_read_back_as_written(value: Any) -> None:
    assert values.parse(values.dump(value)) == value


@given(strategies.binary(max_size=40))
def test_parse_never_fails_in_another_way(text: bytes) -> None:
    with contextlib.suppress(values.NotJSON):
        assert values.depth(values.parse(text)) <= values.MAX_DEPTH


@given(strategies.integers(-(10**40), 10**40))
def test_parse_keeps_long_integers_exact(number: int) -> None:
    parsed = values.parse(b"[%d]" % number)
    assert parsed == [number]
    assert type(parsed[0]) is int


@given(strategies.integers(-(10**40), 10**40))
def test_dump_writes_long_integers_exact(number: int) -> None:
    assert values.dump({"n": number}) == b'{"n":%d}' % number


@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["arrays", "objects"])
def test_parse_takes_two_hundred_levels(opening: str) -> None:
    text = opening * 200 + ("" if opening == "[" else "1") + ("]" if opening == "[" else "}") * 200
    assert values.depth(values.parse(text.encode())) == 200


@pytest.mark.parametrize("levels", [201, 1000, 5000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["arrays", "objects"])
def test_parse_refuses_more_levels(opening: str, levels: int) -> None:
    text = opening * levels + ("" if opening == "[" else "1") + ("]" if opening == "[" else "}") * levels
    with pytest.raises(values.NotJSON):
        values.parse(text.encode())


def test_parse_takes_many_brackets_side_by_side() -> None:
    """Breadth is not depth."""
    assert len(values.parse(b"[" + b"[]," * 5000 + b"{}]")) == 5001


def test_parse_takes_brackets_within_texts() -> None:
    assert values.parse(json.dumps("[" * 1000).encode()) == "[" * 1000


@pytest.mark.parametrize("text", [b'"a\\u0000b"', b'{"\\u0000": 1}', b'[{"a": ["\\u0000"]}]', b'"a\0b"'])
def test_parse_refuses_nul(text: bytes) -> None:
    with pytest.raises(values.NotJSON):
        values.parse(text)


def test_parse_takes_an_escaped_backslash_before_u0000() -> None:
    assert values.parse(b'"\\\\u0000"') == "\\u0000"


@pytest.mark.parametrize(
    "text",
    [
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"-1e400",
        b"1" * 400,
        b"1" * 400 + b".5",
        b"1" * 5000,
        b"[1234567890123456789e999]",
    ],
    ids=["nan", "infinity", "minus", "1e400", "-1e400", "400-digits", "400-digits-and-half", "5000-digits", "mantissa"],
)
def test_parse_refuses_numbers_beyond_a_double(text: bytes) -> None:
    with pytest.raises(values.NotJSON):
        values.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1,}',
        b"{'a':1}",
        b"// no\n1",
        b"01",
        b"+1",
        b"\xff",
        b'"\xff"',
        b'"\\ud800"',
        b"1 2",
        b"\xef\xbb\xbf1",
    ],
)
def test_parse_refuses_what_is_not_json(text: bytes) -> None:
    with pytest.raises(values.NotJSON, match="is not valid JSON"):
        values.parse(text)


@pytest.mark.parametrize("text", [b"{}".decode().encode("utf-16"), '"é"'.encode("latin-1")], ids=["utf-16", "latin-1"])
def test_parse_takes_utf8_only(text: bytes) -> None:
    with pytest.raises(values.NotJSON):
        values.parse(text)


def test_parse_tells_integers_from_floats() -> None:
    assert [type(value) for value in values.parse(b"[1, 1.0, 1e2]")] == [int, float, float]


def test_parse_keeps_long_fractions_as_floats() -> None:
    assert values.parse(b"0.12345678901234567890123") == 0.12345678901234568


def test_dump_writes_text_as_it_is() -> None:
    assert values.dump({"a": "é😀"}) == '{"a":"é😀"}'.encode()


def test_dump_writes_text_beside_a_long_integer_as_it_is() -> None:
    """The fallback writer must write as the fast one does."""
    assert values.dump({"a": "é😀/", "n": 2**80}) == f'{{"a":"é😀/","n":{2**80}}}'.encode()


@pytest.mark.parametrize(
    ("value", "depth"), [(1, 0), ("[[", 0), ([], 1), ({}, 1), ([[]], 2), ({"a": [{}]}, 3), ([[], [[]], 1], 3)], ids=str
)
def test_depth_counts_the_deepest(value: Any, depth: int) -> None:
    assert values.depth(value) == depth


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ((), ""),
        (("a", 0), "/a/0"),
        (("a/b",), "/a~1b"),
        (("a~b",), "/a~0b"),
        (("~1",), "/~01"),
        (("",), "/"),
        ((" ", "%"), "/ /%"),
    ],
)
def test_pointer_escapes_as_rfc_6901_says(parts: tuple[str | int, ...], pointer: str) -> None:
    assert values.pointer(*parts) == pointer


@given(strategies.lists(strategies.text(max_size=4), max_size=4))
def test_pointer_leads_where_it_was_made_for(parts: list[str]) -> None:
    document: Any = "here"
    for part in reversed(parts):
        document = {part: document}
    assert grammar.find(document, "#" + values.pointer(*parts)) == "here"
