"""What a world notes of what was written since the last time that it was kept."""

from __future__ import annotations

import pytest

from mockserver.world.world import World

FIRST, SECOND = {"id": "a", "name": "first"}, {"id": "a", "name": "second"}


@pytest.fixture
def world() -> World:
    return World("test", 0, {})


def test_writes_are_noted_in_their_order(world: World) -> None:
    things = world["things"]
    things.add(FIRST)
    things.replace(SECOND)
    things.remove("a")
    assert world.changes == [("things", "a", None, FIRST), ("things", "a", FIRST, SECOND), ("things", "a", SECOND, None)]


def test_collections_share_one_list(world: World) -> None:
    world["things"].add(FIRST)
    world["others"].add(SECOND)
    assert [name for name, *_ in world.changes] == ["things", "others"]


@pytest.mark.parametrize("kept", [True, False])
def test_end_of_an_attempt_forgets_them(world: World, kept: bool) -> None:
    with world.attempt() as attempt:
        world["things"].add(FIRST)
        world.tell("mail", {})
        assert (len(world.changes), len(world.told)) == (1, 1)
        if kept:
            attempt.keep()
    assert (world.changes, world.told) == ([], [])
    assert ("a" in world["things"], len(world.journal.events)) == (kept, kept)


def test_refused_write_is_not_noted(world: World) -> None:
    with pytest.raises(KeyError):
        world["things"].replace(FIRST)
    assert world.changes == []


def test_another_world_notes_nothing(world: World) -> None:
    world["things"].add(FIRST)
    other = World("other", 0, {})
    other.restore(world.snapshot())
    assert other.changes == world.changes == []
