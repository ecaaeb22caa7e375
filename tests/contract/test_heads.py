"""Headers that requests share, and what was read in them."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.contract.heads import Head, read_once

PAIRS = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]


def test_last_of_several_with_the_same_name_counts() -> None:
    head = Head(PAIRS)
    assert (head, head.pairs) == ({b"a": b"3", b"b": b"2"}, PAIRS)


def test_what_was_read_is_remembered_with_the_headers_it_was_read_in() -> None:
    looks: list[bytes] = []

    def first(headers: Mapping[bytes, bytes]) -> bytes:
        looks.append(headers[b"a"])
        return headers[b"a"]

    def second(headers: Mapping[bytes, bytes]) -> bytes:
        return headers[b"b"]

    one, other = Head(PAIRS), Head([(b"a", b"4"), (b"b", b"5")])
    assert [read_once(one, first), read_once(one, first), read_once(one, second)] == [b"3", b"3", b"2"]
    assert [read_once(other, first), read_once(other, second)] == [b"4", b"5"]
    assert looks == [b"3", b"4"]


def test_nothing_is_remembered_with_headers_of_another_kind() -> None:
    headers = {b"a": b"1"}

    def read(given: Mapping[bytes, bytes]) -> bytes:
        return given[b"a"]

    assert read_once(headers, read) == b"1"
    headers[b"a"] = b"2"
    assert read_once(headers, read) == b"2"
