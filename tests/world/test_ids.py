"""Ids, secrets and chance come from the seed alone."""

from __future__ import annotations

import re
import uuid

import pytest

from mockserver.world.ids import Ids

GOLDEN = ("9248010a-3f36-4c74-a7d6-ff7ce1e9430e", "aa73406b", "qNXwnIJD", 199)


def drawn(ids: Ids) -> list[object]:
    return [ids.uuid4(), ids.uuid1(), ids.hex(10), ids.text(12), ids.below(1000), ids.chance()]


def test_ids_of_the_same_seed_are_the_same() -> None:
    assert drawn(Ids(7)) == drawn(Ids(7))


def test_ids_of_another_seed_are_others() -> None:
    one, other = drawn(Ids(1)), drawn(Ids(2))
    assert all(left != right for left, right in zip(one, other, strict=True))


def test_ids_are_the_same_on_every_machine() -> None:
    """The values themselves, as they were when this was written: a change of them breaks everybody's recorded runs."""
    ids = Ids(0)
    assert (ids.uuid4(), ids.hex(8), ids.text(8), ids.below(1000)) == GOLDEN


def test_ids_go_on_from_a_place_in_the_stream() -> None:
    ids = Ids(7)
    ids.draw()
    ids.draw()
    place, following = ids.drawn, ids.uuid4()
    assert Ids(7, place).uuid4() == following
    ids.drawn = place
    assert ids.uuid4() == following


def test_ids_never_repeat() -> None:
    ids = Ids(0)
    assert len({ids.draw() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(("name", "version"), [("uuid4", 4), ("uuid1", 1)])
def test_ids_uuids_have_version_and_variant(name: str, version: int) -> None:
    ids = Ids(3)
    for _ in range(50):
        made = uuid.UUID(getattr(ids, name)())
        assert made.version == version
        assert made.variant == uuid.RFC_4122


@pytest.mark.parametrize("length", [0, 1, 24, 64])
def test_ids_text_is_letters_and_digits(length: int) -> None:
    assert re.fullmatch(f"[A-Za-z0-9]{{{length}}}", Ids(5).text(length))


@pytest.mark.parametrize("digits", [0, 1, 32, 128])
def test_ids_hex_has_so_many_digits(digits: int) -> None:
    assert re.fullmatch(f"[0-9a-f]{{{digits}}}", Ids(5).hex(digits))


def test_ids_below_stays_below_and_reaches_all() -> None:
    ids = Ids(5)
    assert {ids.below(6) for _ in range(300)} == set(range(6))


def test_ids_chance_lies_between_nought_and_one() -> None:
    ids = Ids(5)
    values = [ids.chance() for _ in range(1000)]
    assert 0 <= min(values) < 0.05
    assert 0.95 < max(values) < 1
