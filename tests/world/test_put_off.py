"""Writes that wait until somebody looks: nobody can tell them from others, and they are taken back like others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.world.difference import of_all
from mockserver.world.packing import Packer
from mockserver.world.world import World, Worlds


@pytest.fixture
def world() -> World:
    return World("test", 0, {})


def write(world: World, name: str) -> None:
    things = world["things"]
    world.facts.put(f"last:{len(things)}", name)
    things.add({"id": name, "number": len(things)})


def put_off(world: World, *names: str) -> None:
    for name in names:
        world.put_off("things", write, name)


def kept(world: World) -> list[tuple[str, int]]:
    return sorted((each["id"], each["number"]) for each in world["things"].newest())


def test_nothing_is_written_before_somebody_looks(world: World) -> None:
    put_off(world, "a")
    assert "last:0" not in world.facts
    assert (kept(world), world.facts.get("last:0")) == ([("a", 0)], "a")


def test_writes_are_made_in_their_order_and_once(world: World) -> None:
    put_off(world, "a", "b")
    assert kept(world) == [("a", 0), ("b", 1)]
    put_off(world, "c")
    assert kept(world) == kept(world) == [("a", 0), ("b", 1), ("c", 2)]


@pytest.mark.parametrize(
    "look",
    [
        lambda world: world["things"],
        lambda world: world.collections["things"],
        lambda world: world.snapshot(),
        lambda world: of_all(world.snapshot(), Packer()),
    ],
)
def test_every_way_to_look_sees_them(world: World, look: Callable[[World], Any]) -> None:
    put_off(world, "a")
    look(world)
    assert world.facts.get("last:0") == "a"


def test_attempt_that_is_not_kept_takes_back_its_own(world: World) -> None:
    put_off(world, "a")
    with world.attempt():
        put_off(world, "b", "c")
    assert kept(world) == [("a", 0)]


def test_attempt_that_looks_takes_back_its_own_alone(world: World) -> None:
    put_off(world, "a", "b")
    with world.attempt():
        world.facts.put("mark", 1)
        put_off(world, "c")
        assert kept(world) == [("a", 0), ("b", 1), ("c", 2)]
        put_off(world, "d")
        assert [each for _, each, *_ in world.changes] == ["c"]
    assert (kept(world), "mark" in world.facts, "last:2" in world.facts) == ([("a", 0), ("b", 1)], False, False)


def test_attempt_that_is_kept_keeps_them(world: World) -> None:
    with world.attempt() as attempt:
        put_off(world, "a")
        attempt.keep()
    with world.attempt():
        pass
    assert kept(world) == [("a", 0)]


def test_snapshot_has_them_and_restoring_drops_what_came_after(world: World) -> None:
    put_off(world, "a")
    snapshot = world.snapshot()
    put_off(world, "b")
    world.restore(snapshot)
    assert kept(world) == [("a", 0)]


def test_restoring_to_before_the_collection_drops_them(world: World) -> None:
    empty = world.snapshot()
    put_off(world, "a")
    world.restore(empty)
    assert (kept(world), len(world.facts.freeze())) == ([], 0)


def test_fork_has_what_its_source_put_off() -> None:
    worlds = Worlds(World("seed", 0, {}))
    source = worlds.get("source")
    put_off(source, "a")
    other = worlds.fork("other", source.snapshot())
    put_off(source, "b")
    assert (kept(other), kept(source)) == ([("a", 0)], [("a", 0), ("b", 1)])


def test_reserved_id_is_the_one_that_would_have_been_drawn(world: World) -> None:
    other = World("other", 0, {})
    reserved = world.ids.reserve()
    assert (world.ids.uuid4(), world.ids.uuid4(reserved)) == tuple(reversed([other.ids.uuid4(), other.ids.uuid4()]))
