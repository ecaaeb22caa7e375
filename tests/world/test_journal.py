"""The ring of calls."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from mockserver.world.journal import BODY_LIMIT, CAPACITY, Entry, Journal, pack, unpack


def note(journal: Journal, path: str = "/", request_body: bytes = b"", reply_body: bytes = b"") -> None:
    told = (
        1.5,
        "GET",
        path,
        b"q=1",
        "getIt",
        200,
        12,
        None,
        (),
        pack([(b"a", b"1")]),
        request_body,
        pack([(b"b", b"2")]),
        reply_body,
    )
    journal.append(*told, None, (), ("key-1", "ci"), "family", None, None, True, None, 7.5, None, None)


def numbers(journal: Journal) -> list[int]:
    return [entry.number for entry in journal.newest()]


def test_journal_holds_ten_thousand_calls_by_default() -> None:
    assert Journal().capacity == CAPACITY == 10_000


def test_journal_shows_newest_first() -> None:
    journal = Journal()
    for _ in range(3):
        note(journal)
    assert numbers(journal) == [3, 2, 1]


def test_journal_drops_the_oldest_and_counts() -> None:
    journal = Journal(capacity=3)
    for _ in range(5):
        note(journal)
    assert len(journal) == 3
    assert numbers(journal) == [5, 4, 3]
    assert journal.dropped == 2


@given(strategies.integers(1, 8), strategies.lists(strategies.booleans(), max_size=40))
def test_journal_is_a_bounded_ring(capacity: int, steps: list[bool]) -> None:
    """Against a list: True notes a call, False clears."""
    journal, kept, dropped, following = Journal(capacity), list[int](), 0, 1
    for step in steps:
        if step:
            note(journal, f"/{following}")
            kept.append(following)
            following += 1
            if len(kept) > capacity:
                del kept[0]
                dropped += 1
        else:
            journal.clear()
            kept, dropped = [], 0
        assert numbers(journal) == kept[::-1]
        assert (len(journal), journal.dropped) == (len(kept), dropped)
    for number in range(following + 1):
        entry = journal.get(number)
        assert (None if entry is None else entry.path) == (f"/{number}" if number in kept else None)


def test_journal_numbers_go_on_after_clearing() -> None:
    journal = Journal()
    note(journal)
    journal.clear()
    note(journal)
    assert numbers(journal) == [2]
    assert journal.get(1) is None


@pytest.mark.parametrize("number", [-1, 0, 1, 3, 10**12])
def test_journal_has_no_call_that_never_was(number: int) -> None:
    journal = Journal()
    assert journal.get(number) is None
    note(journal)
    note(journal)
    assert (journal.get(number) is None) == (number not in (1, 2))


def test_journal_keeps_all_facts_of_a_call() -> None:
    journal = Journal()
    note(journal, "/x", b"in", b"out!")
    assert journal.get(1) == Entry(
        1, 1.5, "GET", "/x", b"q=1", "getIt", 200, 12, None, (), b"a\n1", b"in", 2, b"b\n2", b"out!", 4,
        None, (), ("key-1", "ci"), "family", None, None, True, None, 7.5,
    )  # fmt: skip


def test_journal_cuts_bodies_and_tells_their_size() -> None:
    journal = Journal()
    note(journal, "/", b"x" * (BODY_LIMIT + 1), b"y" * (BODY_LIMIT + 2))
    entry = journal.get(1)
    assert entry is not None
    assert (len(entry.request_body), entry.request_size) == (BODY_LIMIT, BODY_LIMIT + 1)
    assert (len(entry.reply_body), entry.reply_size) == (BODY_LIMIT, BODY_LIMIT + 2)


def test_journal_keeps_a_body_at_the_limit_whole() -> None:
    journal = Journal()
    note(journal, "/", b"x" * BODY_LIMIT)
    entry = journal.get(1)
    assert entry is not None
    assert len(entry.request_body) == entry.request_size == BODY_LIMIT


@given(
    strategies.lists(
        strategies.tuples(
            strategies.text(strategies.characters(max_codepoint=255, exclude_characters="\r\n"), min_size=1, max_size=8),
            strategies.text(strategies.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=8),
        )
    )
)
def test_headers_unpack_as_they_were_packed(headers: list[tuple[str, str]]) -> None:
    packed = pack([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])
    assert unpack(packed) == headers
