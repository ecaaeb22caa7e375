"""Chance: what it follows from, and what it does not."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.portkey.answers.chance import Chance
from tests.portkey.answers.given import STEADY, texts


def drawn(chance: Chance, count: int = 40) -> list[int]:
    return [chance.below(1000) for _ in range(count)]


def test_same_seed_and_key_give_the_same() -> None:
    assert drawn(Chance(1, "a")) == drawn(Chance(1, "a"))


@pytest.mark.parametrize("other", [Chance(2, "a"), Chance(1, "b"), Chance(1, "a").of(), Chance(-1, "a")])
def test_other_seed_or_key_gives_another(other: Chance) -> None:
    assert drawn(Chance(1, "a")) != drawn(other)


def test_values_are_these_on_every_machine() -> None:
    """What was given out once must not change: users keep it in their tests."""
    chance = Chance(1, "a").of("text", {"b": [1, None, True]})
    assert (drawn(chance, 5), chance.bytes(4).hex(), chance.seed) == ([14, 300, 889, 183, 424], "e0b7779e", 60873607418924300)


def test_stream_for_values_does_not_depend_on_what_was_drawn() -> None:
    one, other = Chance(1), Chance(1)
    drawn(one)
    assert drawn(one.of("x")) == drawn(other.of("x"))


def test_order_of_names_does_not_count() -> None:
    assert drawn(Chance(1).of({"a": 1, "b": 2})) == drawn(Chance(1).of({"b": 2, "a": 1}))


def test_numbers_beyond_64_bits_are_values_too() -> None:
    assert drawn(Chance(1).of(2**70)) != drawn(Chance(1).of(2**70 + 1))


def test_bytes_begin_alike() -> None:
    assert Chance(1).bytes(100)[:10] == Chance(1).bytes(10)


def test_streams_of_bytes_and_of_values_are_apart() -> None:
    assert drawn(Chance(1).of("x")) != drawn(Chance(1).of_bytes(b'["x"]'))


def test_draws_are_spread() -> None:
    chance = Chance(3)
    counts = Counter(chance.below(10) for _ in range(10000))
    assert set(counts) == set(range(10))
    assert max(counts.values()) < 1.2 * min(counts.values())


@STEADY
@given(st.integers(), texts, st.integers(1, 2**32))
def test_draws_are_within_bounds(seed: int, key: str, limit: int) -> None:
    chance = Chance(seed, key)
    assert 0 <= chance.below(limit) < limit
    assert 0 <= chance.share() < 1
