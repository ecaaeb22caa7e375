"""What nobody may be shown: it only grows, and worlds share it."""

from __future__ import annotations

from mockserver.world.secrets import Secrets, united
from mockserver.world.world import World, Worlds


def test_texts_are_there_once() -> None:
    secrets = Secrets()
    secrets.update(("one", "two", "one"))
    secrets.freeze()
    secrets.add("two")
    assert sorted(secrets) == ["one", "two"]


def test_copy_and_origin_go_their_own_ways() -> None:
    origin, copy = Secrets(), Secrets()
    origin.add("of both")
    copy.join(origin.freeze())
    origin.add("of the origin")
    copy.add("of the copy")
    assert sorted(origin) == ["of both", "of the origin"]
    assert sorted(copy) == ["of both", "of the copy"]


def test_joining_forgets_nothing_that_is_known() -> None:
    secrets, other = Secrets(), Secrets()
    secrets.add("own")
    other.add("other")
    secrets.join(other.freeze())
    assert sorted(secrets) == ["other", "own"]
    secrets.freeze()
    secrets.join(other.freeze())
    assert sorted(secrets) == ["other", "own"]


def test_version_changes_with_each_new_text_and_with_no_other() -> None:
    secrets, seen = Secrets(), set()
    for text in ("one", "two", "three"):
        secrets.add(text)
        seen.add(secrets.version)
    assert len(seen) == 3
    secrets.add("three")
    assert secrets.version in seen
    secrets.join(Secrets().freeze())
    assert secrets.version not in seen


def test_many_copies_of_copies_stay_few_layers() -> None:
    secrets = Secrets()
    for number in range(100):
        secrets.add(f"secret {number}")
        layers = secrets.freeze()
        assert len(layers) <= 8
    assert united(layers) == {f"secret {number}" for number in range(100)}


def test_fork_shares_what_its_source_knows() -> None:
    worlds = Worlds(World("seed", 0, {}))
    source = worlds.get("source")
    source.secrets.update(f"secret {number}" for number in range(1000))
    fork = worlds.fork("fork", source.snapshot())
    assert fork.secrets.freeze()[0] is source.secrets.freeze()[0]
    assert set(fork.secrets) == set(source.secrets)


def test_reset_world_still_hides_what_it_knew() -> None:
    world = Worlds(World("seed", 0, {})).get("any")
    world.secrets.add("sk-of-before")
    world.restore(Worlds(World("seed", 0, {})).seed)
    assert "sk-of-before" in set(world.secrets)
