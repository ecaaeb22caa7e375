"""What is due in a world, in its order; copies and undoing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies

from mockserver.world.agenda import Due
from mockserver.world.world import World


@pytest.fixture
def world() -> World:
    return World("test", 0, {})


def emptied(world: World) -> list[Due]:
    found = []
    while (due := world.agenda.next()) is not None:
        found.append(due)
        world.agenda.drop(due.family, due.key)
    return found


def test_earliest_is_next(world: World) -> None:
    for at_s, key in ((30.5, "c"), (10.25, "a"), (20.0, "b")):
        world.agenda.put("lamps", key, at_s)
    assert emptied(world) == [Due(10.25, "lamps", "a"), Due(20.0, "lamps", "b"), Due(30.5, "lamps", "c")]


def test_record_has_one_time(world: World) -> None:
    world.agenda.put("lamps", "a", 10.0)
    world.agenda.put("lamps", "a", 20.0)
    assert emptied(world) == [Due(20.0, "lamps", "a")]


def test_nothing_is_due_of_what_was_dropped(world: World) -> None:
    world.agenda.put("lamps", "a", 10.0)
    world.agenda.drop("lamps", "a")
    assert (world.agenda.next(), bool(world.agenda)) == (None, False)


def test_attempt_that_is_not_kept_leaves_the_agenda(world: World) -> None:
    world.agenda.put("lamps", "a", 10.0)
    with world.attempt():
        world.agenda.drop("lamps", "a")
        world.agenda.put("lamps", "b", 5.0)
    assert emptied(world) == [Due(10.0, "lamps", "a")]


def test_copy_has_an_agenda_of_its_own(world: World) -> None:
    world.agenda.put("lamps", "a", 10.0)
    other = World("other", 0, {})
    other.restore(world.snapshot())
    other.agenda.drop("lamps", "a")
    assert (emptied(other), emptied(world)) == ([], [Due(10.0, "lamps", "a")])


TIMES = strategies.integers(min_value=0, max_value=221_845_392_000_000).map(lambda at_ms: at_ms / 1000)


@settings(max_examples=50, deadline=None)
@given(strategies.dictionaries(strategies.text("ab/c", min_size=1, max_size=3), TIMES, max_size=8))
def test_all_come_in_the_order_of_their_times(times: dict[str, float]) -> None:
    world = World("test", 0, {})
    for key, at_s in times.items():
        world.agenda.put("lamps", key, at_s)
    found = emptied(world)
    assert {due.key: due.at_s for due in found} == pytest.approx(times, abs=0.002)
    assert [due.at_s for due in found] == sorted(due.at_s for due in found)
