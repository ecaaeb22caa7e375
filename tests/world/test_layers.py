"""Layers against a plain dictionary: what is written, copied and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mockserver.world import layers
from mockserver.world.layers import Layers, Undo, take_back

KEYS = strategies.sampled_from([f"k{number}" for number in range(12)])
VALUES = strategies.one_of(strategies.integers(), strategies.text(max_size=3), strategies.booleans())


def contents(map_: Layers[Any], keys: list[str]) -> dict[str, Any]:
    return {key: map_.get(key) for key in keys if key in map_}


class LayersMachine(RuleBasedStateMachine):
    """Several maps, each beside a dictionary that should hold the same; a copy of a map is a new pair."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Layers[Any], dict[str, Any], Undo]] = []
        undo: Undo = []
        self.pairs.append((Layers(undo), {}, undo))
        self.kept: list[dict[str, Any]] = [{}]
        """What each map held when its undo list was empty."""

    def pick(self, at: int) -> tuple[int, Layers[Any], dict[str, Any], Undo]:
        at %= len(self.pairs)
        return (at, *self.pairs[at])

    @rule(at=strategies.integers(0, 5), key=KEYS, value=VALUES)
    def put(self, at: int, key: str, value: Any) -> None:
        _, map_, model, _ = self.pick(at)
        map_.put(key, value)
        model[key] = value

    @rule(at=strategies.integers(0, 5), key=KEYS)
    def remove(self, at: int, key: str) -> None:
        _, map_, model, _ = self.pick(at)
        map_.remove(key)
        model.pop(key, None)

    @rule(at=strategies.integers(0, 5))
    def keep(self, at: int) -> None:
        at, _, model, undo = self.pick(at)
        undo.clear()
        self.kept[at] = dict(model)

    @rule(at=strategies.integers(0, 5))
    def undo_all(self, at: int) -> None:
        at, _, model, undo = self.pick(at)
        take_back(undo)
        model.clear()
        model.update(self.kept[at])

    @rule(at=strategies.integers(0, 5))
    def copy(self, at: int) -> None:
        """Freezing ends what can be taken back: a world clears its undo list before it takes a snapshot."""
        at, map_, model, undo = self.pick(at)
        undo.clear()
        self.kept[at] = dict(model)
        fresh: Undo = []
        made: Layers[Any] = Layers(fresh)
        made.thaw(map_.freeze())
        if len(self.pairs) < 6:
            self.pairs.append((made, dict(model), fresh))
            self.kept.append(dict(model))

    @rule(at=strategies.integers(0, 5), other=strategies.integers(0, 5))
    def thaw_over(self, at: int, other: int) -> None:
        at, map_, model, undo = self.pick(at)
        other, source, source_model, source_undo = self.pick(other)
        undo.clear()
        source_undo.clear()
        self.kept[other] = dict(source_model)
        map_.thaw(source.freeze())
        taken = dict(source_model)
        model.clear()
        model.update(taken)
        self.kept[at] = dict(taken)

    @invariant()
    def maps_hold_what_the_models_hold(self) -> None:
        keys = [f"k{number}" for number in range(12)]
        for map_, model, _ in self.pairs:
            assert contents(map_, keys) == model


LayersMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestLayersMachine = LayersMachine.TestCase


def test_layers_none_for_an_unknown_key() -> None:
    map_: Layers[int] = Layers([])
    assert map_.get("a") is None
    assert "a" not in map_


@pytest.mark.parametrize("value", [0, "", False, [], {}])
def test_layers_hold_values_that_are_falsy(value: Any) -> None:
    map_: Layers[Any] = Layers([])
    map_.put("a", value)
    assert map_.get("a") == value
    assert "a" in map_


def test_layers_removed_key_stays_gone_in_a_copy() -> None:
    map_: Layers[int] = Layers([])
    map_.put("a", 1)
    map_.freeze()
    map_.remove("a")
    copy: Layers[int] = Layers([], map_.freeze())
    assert "a" not in map_
    assert "a" not in copy


def test_layers_forget_a_removed_key_that_no_copy_has() -> None:
    """Else who makes and deletes all day would fill a world with what is gone."""
    undo: Undo = []
    map_: Layers[int] = Layers(undo)
    map_.put("a", 1)
    undo.clear()
    map_.remove("a")
    assert map_._own == {}
    take_back(undo)
    assert map_.get("a") == 1


def test_layers_freeze_without_writes_shares_all() -> None:
    map_: Layers[int] = Layers([])
    map_.put("a", 1)
    assert map_.freeze() is map_.freeze()


def test_layers_stay_few_after_many_small_copies() -> None:
    """A look-up goes through the layers one by one, so a world that is forked often must not pile them up."""
    map_: Layers[int] = Layers([])
    for number in range(200):
        map_.put(f"k{number}", number)
        map_.freeze()
    assert len(map_.freeze()) == 1
    assert map_.get("k0") == 0


def test_layers_large_base_is_not_copied_by_a_small_write() -> None:
    """Copy-on-write: what a fork costs does not grow with the seed."""
    map_: Layers[int] = Layers([])
    for number in range(layers._MERGED + 1):
        map_.put(f"k{number}", number)
    (base,) = map_.freeze()
    map_.put("k0", -1)
    top, below = map_.freeze()
    assert below is base
    assert top == {"k0": -1}


def test_layers_deep_stack_of_large_layers_is_bounded() -> None:
    map_: Layers[int] = Layers([])
    for layer in range(20):
        for number in range(layers._MERGED + 1):
            map_.put(f"{layer}.{number}", number)
        map_.freeze()
    assert len(map_.freeze()) <= layers._DEEPEST + 1
    assert map_.get("0.17") == 17


def test_take_back_restores_overwritten_value() -> None:
    undo: Undo = []
    map_: Layers[int] = Layers(undo)
    map_.put("a", 1)
    undo.clear()
    map_.put("a", 2)
    map_.remove("a")
    take_back(undo)
    assert map_.get("a") == 1
    assert undo == []
