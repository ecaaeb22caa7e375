"""Collections against a plain list: order, groups, unique values, copies, and changes taken back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mockserver.values import Record
from mockserver.world.collection import Collection, Duplicate, Layout, State
from mockserver.world.layers import Undo, take_back
from mockserver.world.world import World, Worlds

LAYOUT = Layout(groups=("team", "colour"), unique=("slug", "aliases"))
TIMES = ("2026-01-01", "2026-01-02", "2026-01-03")
TEAMS = ("red", "blue")


class Model:
    """What a collection should do, in the plainest way: a list in the order of arrival."""

    def __init__(self, records: list[Record] | None = None) -> None:
        self.records = records or []

    def copy(self) -> Model:
        return Model(list(self.records))

    def newest(self) -> list[Record]:
        ascending = sorted(enumerate(self.records), key=lambda pair: (pair[1].get("created_at") or "", pair[0]))
        return [record for _, record in reversed(ascending)]

    def taken(self, record: Record) -> bool:
        others = [other for other in self.records if other["id"] != record["id"]]
        slugs = {other["slug"] for other in others if other.get("slug") is not None}
        aliases = {alias for other in others for alias in other.get("aliases") or ()}
        return record.get("slug") in slugs or bool(aliases & set(record.get("aliases") or ()))

    def at(self, key: str) -> int | None:
        return next((at for at, record in enumerate(self.records) if record["id"] == key), None)


RECORDS = strategies.fixed_dictionaries(
    {
        "id": strategies.sampled_from([f"r{number}" for number in range(8)]),
        "slug": strategies.sampled_from(["s1", "s2", "s3", None]),
        "aliases": strategies.lists(strategies.sampled_from(["a1", "a2", "a3", "a4"]), max_size=2, unique=True),
    },
    optional={"created_at": strategies.sampled_from(TIMES), "team": strategies.sampled_from([*TEAMS, None])},
)


class CollectionMachine(RuleBasedStateMachine):
    """One world, its snapshots and its attempts, beside a model of each."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World("tested", 0, {"things": LAYOUT})
        self.model = Model()
        self.snapshots: list[tuple[Any, Model]] = []
        self.attempt: Any = None
        self.before = Model()

    @property
    def things(self) -> Collection:
        return self.world["things"]

    @rule(record=RECORDS)
    def add(self, record: Record) -> None:
        if self.model.at(record["id"]) is not None or self.model.taken(record):
            with pytest.raises(Duplicate):
                self.things.add(record)
        else:
            self.things.add(record)
            self.model.records.append(record)

    @rule(record=RECORDS)
    def replace(self, record: Record) -> None:
        at = self.model.at(record["id"])
        if at is None:
            with pytest.raises(KeyError):
                self.things.replace(record)
        elif self.model.taken(record):
            with pytest.raises(Duplicate):
                self.things.replace(record)
        else:
            self.things.replace(record)
            self.model.records[at] = record

    @rule(number=strategies.integers(0, 7))
    def remove(self, number: int) -> None:
        at = self.model.at(f"r{number}")
        if at is None:
            with pytest.raises(KeyError):
                self.things.remove(f"r{number}")
        else:
            assert self.things.remove(f"r{number}") == self.model.records.pop(at)

    @rule(count=strategies.integers(0, 4))
    def drop_oldest(self, count: int) -> None:
        self.things.drop_oldest(count)
        for record in self.model.newest()[::-1][:count]:
            self.model.records.remove(record)

    @precondition(lambda self: self.attempt is None)
    @rule()
    def begin_attempt(self) -> None:
        self.attempt = self.world.attempt()
        self.before = self.model.copy()

    @precondition(lambda self: self.attempt is not None)
    @rule(keep=strategies.booleans())
    def end_attempt(self, keep: bool) -> None:
        with self.attempt as attempt:
            if keep:
                attempt.keep()
        if not keep:
            self.model = self.before
        self.attempt = None

    @precondition(lambda self: self.attempt is None)
    @rule()
    def take_snapshot(self) -> None:
        self.snapshots.append((self.world.snapshot(), self.model.copy()))

    @precondition(lambda self: self.attempt is None and self.snapshots)
    @rule(at=strategies.integers(0, 9))
    def restore(self, at: int) -> None:
        snapshot, model = self.snapshots[at % len(self.snapshots)]
        self.world.restore(snapshot)
        self.model = model.copy()

    @precondition(lambda self: self.attempt is None and self.snapshots)
    @rule(at=strategies.integers(0, 9))
    def fork(self, at: int) -> None:
        """The fork takes the place of the world; the snapshots stay those of the old one."""
        snapshot, model = self.snapshots[at % len(self.snapshots)]
        self.world = World("forked", 0, {"things": LAYOUT})
        self.world.restore(snapshot)
        self.model = model.copy()

    @invariant()
    def pages_are_slices_of_the_order(self) -> None:
        newest, things = self.model.newest(), self.things
        assert list(things.newest()) == newest
        assert len(things) == things.count() == len(newest)
        for offset, limit in ((0, None), (0, 3), (2, 2), (5, 0), (7, 100)):
            end = None if limit is None else offset + limit
            assert things.page(offset, limit) == (newest[offset:end], len(newest))

    @invariant()
    def groups_are_filters(self) -> None:
        for team in TEAMS:
            rows = [record for record in self.model.newest() if record.get("team") == team]
            assert self.things.page(0, None, team=team) == (rows, len(rows))
            assert self.things.count(team=team) == len(rows)

    @invariant()
    def spans_are_filters_of_the_order(self) -> None:
        for low, high in (("", TIMES[1]), (TIMES[0], TIMES[2]), (TIMES[1], "9"), (TIMES[1], TIMES[1])):
            rows = [record for record in self.model.newest() if low <= (record.get("created_at") or "") < high]
            assert self.things.between(low, high) == rows
            red = [record for record in rows if record.get("team") == "red"]
            assert self.things.between(low, high, team="red") == red

    @invariant()
    def unique_values_find_their_record(self) -> None:
        by_slug = {record.get("slug"): record for record in self.model.records}
        by_alias = {alias: record for record in self.model.records for alias in record.get("aliases") or ()}
        for slug in ("s1", "s2", "s3"):
            assert self.things.find("slug", slug) == by_slug.get(slug)
        for alias in ("a1", "a2", "a3", "a4"):
            assert self.things.find("aliases", alias) == by_alias.get(alias)

    @invariant()
    def keys_find_their_record(self) -> None:
        for number in range(8):
            at = self.model.at(f"r{number}")
            assert self.things.get(f"r{number}") == (None if at is None else self.model.records[at])


CollectionMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestCollectionMachine = CollectionMachine.TestCase


def things(layout: Layout = LAYOUT) -> Collection:
    return Collection("things", layout, [], [])


def ids(records: list[Record]) -> list[str]:
    return [record["id"] for record in records]


def test_collection_lists_newest_first() -> None:
    made = things()
    for number, day in enumerate(("2026-01-02", "2026-01-03", "2026-01-01")):
        made.add({"id": f"r{number}", "created_at": day})
    assert ids(list(made.newest())) == ["r1", "r0", "r2"]


def test_collection_breaks_ties_by_arrival() -> None:
    made = things()
    for name in ("b", "a", "c"):
        made.add({"id": name, "created_at": "2026-01-01"})
    assert ids(list(made.newest())) == ["c", "a", "b"]


def test_collection_late_arrival_finds_its_place_below_a_copy() -> None:
    """A record with an old date that comes after a copy goes into the shared part, which the copy must not see."""
    source, copy = things(), things()
    for number in range(3000):
        source.add({"id": f"r{number}", "created_at": f"2026-{number:05}"})
    copy.thaw(source.freeze())
    source.add({"id": "late", "created_at": "2026-01500x"})
    page, total = source.page(1498, 3)
    assert ids(page) == ["r1501", "late", "r1500"]
    assert total == 3001
    assert "late" not in copy
    assert copy.count() == 3000


def test_collection_finds_a_span_across_chunks() -> None:
    made = things()
    for day in range(3000):
        made.add({"id": str(day), "created_at": f"{day:05}"})
        if day == 2500:
            made.freeze()
    assert ids(made.between("00998", "02600")) == [str(day) for day in range(2599, 997, -1)]
    assert ids(made.between("02999", "99999")) == ["2999"]


def test_collection_replace_keeps_the_place_of_arrival() -> None:
    made = things()
    for name in ("a", "b", "c"):
        made.add({"id": name, "created_at": "2026-01-01"})
    made.replace({"id": "b", "created_at": "2026-01-01", "team": "red"})
    assert ids(list(made.newest())) == ["c", "b", "a"]


def test_collection_replace_moves_between_groups() -> None:
    made = things()
    made.add({"id": "a", "team": "red"})
    made.replace({"id": "a", "team": "blue"})
    assert made.count(team="red") == 0
    assert made.count(team="blue") == 1


def test_collection_replace_frees_dropped_values_only() -> None:
    made = things()
    made.add({"id": "a", "aliases": ["x", "y"]})
    made.replace({"id": "a", "aliases": ["y", "z"]})
    assert made.find("aliases", "x") is None
    assert made.find("aliases", "y") == made.find("aliases", "z") == made.get("a")


def test_collection_remove_frees_unique_values() -> None:
    made = things()
    made.add({"id": "a", "slug": "s", "aliases": ["x", "y"]})
    made.remove("a")
    made.add({"id": "b", "slug": "s", "aliases": ["y", "x"]})
    assert made.find("aliases", "x") == made.get("b")


def test_collection_record_may_hold_a_value_twice() -> None:
    made = things()
    made.add({"id": "a", "aliases": ["x", "x"]})
    made.remove("a")
    assert made.find("aliases", "x") is None


@pytest.mark.parametrize(
    ("record", "field", "value"),
    [
        ({"id": "a"}, "id", "a"),
        ({"id": "b", "slug": "s"}, "slug", "s"),
        ({"id": "b", "aliases": ["free", "x"]}, "aliases", "x"),
    ],
    ids=["key", "single", "list"],
)
def test_collection_duplicate_names_field_and_value(record: Record, field: str, value: str) -> None:
    made = things()
    made.add({"id": "a", "slug": "s", "aliases": ["x"]})
    with pytest.raises(Duplicate) as caught:
        made.add(record)
    assert (caught.value.field, caught.value.value) == (field, value)


def test_collection_duplicate_add_leaves_nothing_behind() -> None:
    """The first unique field is free, the second is taken: the first must be free afterwards as well."""
    made = things()
    made.add({"id": "a", "slug": "s", "aliases": ["x"]})
    with pytest.raises(Duplicate):
        made.add({"id": "b", "slug": "free", "aliases": ["x"], "team": "red"})
    assert made.find("slug", "free") is None
    assert made.count() == 1
    assert made.count(team="red") == 0
    made.add({"id": "c", "slug": "free"})
    assert made.find("slug", "free") == {"id": "c", "slug": "free"}


def test_collection_duplicate_replace_leaves_nothing_behind() -> None:
    made = things()
    made.add({"id": "a", "slug": "s", "aliases": ["x"]})
    made.add({"id": "b", "slug": "t", "aliases": ["y"]})
    with pytest.raises(Duplicate):
        made.replace({"id": "b", "slug": "u", "aliases": ["x"]})
    assert made.find("slug", "t") == made.get("b")
    assert made.find("slug", "u") is None
    assert made.get("b") == {"id": "b", "slug": "t", "aliases": ["y"]}


def test_collection_find_refuses_unindexed_field() -> None:
    with pytest.raises(KeyError):
        things().find("name", "x")


def test_collection_page_refuses_unindexed_group() -> None:
    with pytest.raises(KeyError):
        things().page(0, None, name="x")


def test_collection_iteration_does_not_see_later_changes() -> None:
    made = things()
    made.add({"id": "a"})
    rows = made.newest()
    made.add({"id": "b"})
    made.remove("a")
    assert ids(list(rows)) == ["a"]


def test_collection_without_order_field_lists_by_arrival() -> None:
    made = things()
    for name in ("b", "a"):
        made.add({"id": name})
    assert ids(list(made.newest())) == ["a", "b"]


def test_collection_thaw_of_nothing_empties() -> None:
    made = things()
    made.add({"id": "a", "slug": "s", "team": "red"})
    made.thaw(None)
    assert len(made) == 0
    assert made.find("slug", "s") is None
    assert made.count(team="red") == 0


def test_collection_copies_do_not_see_each_other() -> None:
    source = things()
    source.add({"id": "a", "slug": "s", "team": "red"})
    state: State = source.freeze()
    left, right = things(), things()
    left.thaw(state)
    right.thaw(state)
    left.remove("a")
    right.add({"id": "b", "team": "red"})
    assert ids(list(source.newest(team="red"))) == ["a"]
    assert ids(list(left.newest(team="red"))) == []
    assert ids(list(right.newest(team="red"))) == ["b", "a"]


def test_collection_take_back_undoes_everything() -> None:
    undo: Undo = []
    made = Collection("things", LAYOUT, undo, [])
    made.add({"id": "a", "slug": "s", "team": "red", "created_at": "2026-01-01"})
    undo.clear()
    made.replace({"id": "a", "slug": "t", "team": "blue", "created_at": "2026-02-01"})
    made.add({"id": "b", "slug": "s"})
    made.remove("a")
    take_back(undo)
    assert list(made.newest()) == [{"id": "a", "slug": "s", "team": "red", "created_at": "2026-01-01"}]
    assert made.find("slug", "t") is None
    assert made.count(team="red") == 1


def test_collection_drops_what_lists_show_last() -> None:
    made = things()
    for number in range(3000):
        made.add({"id": f"r{number}", "created_at": f"2026-{number:05}", "slug": f"s{number}", "team": "red"})
    made.freeze()
    made.add({"id": "late", "created_at": "2025"})
    made.drop_oldest(2999)
    assert ids(list(made.newest())) == ["r2999", "r2998"]
    assert ids(list(made.newest(team="red"))) == ["r2999", "r2998"]
    assert made.find("slug", "s2997") is None


def world() -> World:
    made = World("seed", 0, {"things": LAYOUT})
    made["things"].add({"id": "a", "slug": "s"})
    made.facts.put("count", 1)
    return made


def test_attempt_that_is_not_kept_changes_nothing() -> None:
    made = world()
    with made.attempt():
        made["things"].add({"id": "b"})
        made.facts.put("count", 2)
        made.ids.uuid4()
    assert ids(list(made["things"].newest())) == ["a"]
    assert made.facts.get("count") == 1
    assert made.ids.drawn == 0


def test_attempt_that_is_kept_stays() -> None:
    made = world()
    with made.attempt() as attempt:
        made["things"].add({"id": "b"})
        made.ids.uuid4()
        attempt.keep()
    with made.attempt():
        made["things"].remove("b")
    assert "b" in made["things"]
    assert made.ids.drawn == 1


def swap_and_fail(made: World) -> None:
    made["things"].remove("a")
    for _ in range(2):
        made["things"].add({"id": "b"})


def test_attempt_that_raises_is_taken_back() -> None:
    made = world()
    with pytest.raises(Duplicate), made.attempt():
        swap_and_fail(made)
    assert ids(list(made["things"].newest())) == ["a"]


def test_attempt_leaves_the_clock_alone() -> None:
    made = world()
    with made.attempt():
        made.clock.freeze()
    assert made.clock.frozen


def test_snapshot_brings_back_records_facts_ids_and_clock() -> None:
    made = world()
    made.clock.freeze()
    snapshot, first = made.snapshot(), made.ids.uuid4()
    made["things"].remove("a")
    made["others"].add({"id": "x"})
    made.facts.remove("count")
    made.clock.run()
    made.restore(snapshot)
    assert ids(list(made["things"].newest())) == ["a"]
    assert len(made["others"]) == 0
    assert made.facts.get("count") == 1
    assert made.ids.uuid4() == first
    assert made.clock.frozen


def test_snapshot_does_not_hold_the_journal() -> None:
    made = world()
    snapshot = made.snapshot()
    made.journal.append(0.0, "GET", "/", b"", None, 200, 1, None, (), b"", b"", b"", b"")
    made.restore(snapshot)
    assert len(made.journal) == 1


def test_worlds_fork_from_the_seed_on_first_use() -> None:
    worlds = Worlds(world())
    worlds.get("one")["things"].add({"id": "b"})
    assert ids(list(worlds.get("one")["things"].newest())) == ["b", "a"]
    assert ids(list(worlds.get("two")["things"].newest())) == ["a"]
    assert worlds.names() == ["one", "two"]


def test_worlds_reset_goes_back_to_the_seed() -> None:
    worlds = Worlds(world())
    made = worlds.get("one")
    made["things"].remove("a")
    made.journal.append(0.0, "GET", "/", b"", None, 200, 1, None, (), b"", b"", b"", b"")
    worlds.snapshots("one")["kept"] = made.snapshot()
    worlds.reset("one")
    assert "a" in made["things"]
    assert len(made.journal) == 0
    assert list(worlds.snapshots("one")) == ["kept"]


def test_worlds_delete_forgets_world_and_snapshots() -> None:
    worlds = Worlds(world())
    worlds.get("one")["things"].remove("a")
    worlds.snapshots("one")["kept"] = worlds.get("one").snapshot()
    assert worlds.delete("one") is True
    assert worlds.delete("one") is False
    assert worlds.find("one") is None
    assert "a" in worlds.get("one")["things"]
    assert worlds.snapshots("one") == {}


@pytest.mark.parametrize("name", ["", "-x", ".", "a b", "a/b", "é", "x" * 101, "a\n"])
def test_worlds_refuse_a_name_that_is_none(name: str) -> None:
    worlds = Worlds(world())
    with pytest.raises(ValueError, match="is no name for a world"):
        worlds.get(name)
    assert worlds.names() == []


@pytest.mark.parametrize("name", ["a", "9", "test-17", "a.b_c~d", "x" * 100])
def test_worlds_take_names_for_urls(name: str) -> None:
    assert Worlds(world()).get(name).name == name
