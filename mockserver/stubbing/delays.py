"""How long something takes: a fixed time, or one drawn from a distribution by the world's own chance."""

from __future__ import annotations

import math

from mockserver.stubbing.refusals import Refusals
from mockserver.values import Record
from mockserver.world.ids import Ids

LONGEST_MS = 30 * 86_400_000
"""What a distribution draws is cut off here: thirty days."""


def check(told: Record, place: str, refusals: Refusals) -> None:
    """Note what a distribution lacks or has too much."""
    wanted = _FIELDS[told["type"]]
    for name in wanted:
        if name not in told:
            refusals.add(place, f"a {told['type']} delay needs {name}")
    for name in told:
        if (name != "type" and name not in (*wanted, "maxValue")) or (name == "maxValue" and told["type"] != "lognormal"):
            refusals.add(f"{place}/{name}", f"does not go with {told['type']}")
    if told["type"] == "uniform" and told.get("lower", 0) > told.get("upper", math.inf):
        refusals.add(f"{place}/lower", "is above upper")


_FIELDS = {"fixed": ("milliseconds",), "uniform": ("lower", "upper"), "lognormal": ("median", "sigma")}


def drawn_ms(told: Record | None, chance: Ids) -> float:
    """Return a delay in milliseconds; none is 0."""
    if not told:
        return 0.0
    if told["type"] == "fixed":
        return float(told["milliseconds"])
    if told["type"] == "uniform":
        return float(told["lower"]) + chance.chance() * (float(told["upper"]) - float(told["lower"]))
    # A normal value by Box and Muller: both chances are below 1, so the logarithm is taken of what is above 0.
    normal = math.sqrt(-2 * math.log(1 - chance.chance())) * math.cos(2 * math.pi * chance.chance())
    exponent = min(float(told["sigma"]) * normal, 60.0)
    return min(float(told["median"]) * math.exp(exponent), float(told.get("maxValue", LONGEST_MS)), LONGEST_MS)
