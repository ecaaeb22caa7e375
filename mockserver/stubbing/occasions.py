"""On which of the calls that fit something that is set is used: the n-th, by chance, so many times, until a time."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.shelf import Counts, chance_of
from mockserver.values import Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.world import World


@dataclass(frozen=True)
class Occasion:
    """`first` to `last` and every `every`th of the calls that fit, with a probability, `times` in all."""

    first: int = 1
    last: int | None = None
    every: int = 1
    probability: float = 1.0
    times: int | None = None

    def is_over(self, counts: Counts) -> bool:
        """Whether it was used as often as it may be."""
        return self.times is not None and counts.used >= self.times

    def takes(self, id_: str, matched: int, world: World) -> bool:
        """Whether the `matched`th call that fits is one."""
        if matched < self.first or (self.last is not None and matched > self.last):
            return False
        if (matched - self.first) % self.every != 0:
            return False
        return self.probability >= 1 or chance_of(world, f"{id_}/whether", matched).chance() < self.probability


def occasion_of(definition: Record, request: Record) -> Occasion:
    """Return the occasion that a definition and its request say."""
    call = request.get("call", {})
    times, probability = definition.get("times"), float(request.get("probability", 1.0))
    if isinstance(call, int):
        return Occasion(call, call, 1, probability, times)
    every = int(call.get("every", 1))
    return Occasion(int(call.get("from", every)), call.get("to"), every, probability, times)


def expiry_of(definition: Record, world: World, refusals: Refusals) -> float | None:
    """Return when a definition expires, on the world's clock in seconds, None for never."""
    if "expires_at" in definition:
        if "expires_in_s" in definition:
            refusals.add("/expires_at", "cannot stand beside expires_in_s")
        try:
            return parse_timestamp(definition["expires_at"].upper()).timestamp()
        except ValueError as error:
            refusals.add("/expires_at", f"is no time: {error}")
            return None
    wait_s = definition.get("expires_in_s")
    return None if wait_s is None else world.clock.seconds() + float(wait_s)
