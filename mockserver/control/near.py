"""Near misses: what a call that fits nothing came close to, and why it does not fit.

A pattern says itself which of its criteria a call does not fit. How far off it is, is the mean over all criteria: 0 for one
that fits, up to 1 for one where nothing is alike (WireMock's measure, from 0 for a match to 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

from mockserver import values
from mockserver.contract.operations import Operation
from mockserver.contract.secrets import Veil
from mockserver.stubbing.asked import Asked
from mockserver.stubbing.matching import Mismatch, Pattern, pattern_of
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.shelf import MAPPINGS
from mockserver.values import JSON, Record
from mockserver.world.world import World

MOST = 3
"""How many near misses are told of each call or pattern, as WireMock does."""
_ALIKE = 300
"""Characters of a text that are compared."""
_LEAST = 0.05
"""What a criterion that is not met counts at least, however alike its texts are."""


class Miss(NamedTuple):
    """How far off something is, and why."""

    distance: float
    mismatches: list[Mismatch]

    def as_json(self, veil: Veil) -> Record:
        """The miss as the admin API shows it, secrets taken out."""
        mismatches = [{name: veil.over(value) for name, value in each.as_json().items()} for each in self.mismatches]
        return {"distance": round(self.distance, 3), "mismatches": mismatches}


class Looked(NamedTuple):
    """A call, and the same as it may be shown: whether it fits is asked of the one, what was found is told of the other."""

    asked: Asked
    shown: Asked


def miss(pattern: Pattern, call: Looked, world: World) -> Miss | None:
    """Return how far a call is from fitting a pattern, None when it fits."""
    mismatches = [
        Mismatch(each.place, each.expected, each.found(call.shown, world))
        for each in pattern.criteria
        if not each.fits(call.asked, world)
    ]
    return Miss(sum(map(_off, mismatches)) / len(pattern.criteria), mismatches) if mismatches else None


def mappings(call: Looked, world: World) -> list[tuple[Record, Miss]]:
    """Return the mappings of a world that a call came closest to without fitting, closest first."""
    kept = world.collections.get(MAPPINGS)
    found = []
    for record in kept.newest() if kept is not None else ():
        missed = miss(pattern_of(record["definition"], Refusals()), call, world)
        if missed is not None:
            found.append((record["definition"], missed))
    return sorted(found, key=lambda each: each[1].distance)[:MOST]


def operations(known: Iterable[Operation], call: Looked) -> list[tuple[Operation, Miss]]:
    """Return the operations that a call came closest to, by method and path, closest first."""
    path = min(call.shown.paths, key=len)  # operations are told without the base path
    found = [(operation, missed) for operation in known if (missed := _operation_miss(operation, path, call.asked.method))]
    return sorted(found, key=lambda each: (each[1].distance, each[0].path.count("{")))[:MOST]


def _operation_miss(operation: Operation, path: str, method: str) -> Miss | None:
    """None for an operation whose path is another one altogether."""
    mismatches = []
    own = operation.method.upper()
    off_method = 0.0 if own == method or (method == "HEAD" and own == "GET") else 1.0
    if off_method:
        mismatches.append(Mismatch("method", own, method))
    off_path = _path_off(operation.path, path)
    if off_path:
        mismatches.append(Mismatch("path", operation.path, path))
    return Miss((off_method + 3 * off_path) / 4, mismatches) if off_path <= _FAR and mismatches else None


_FAR = 0.5
"""Paths that are less alike than this are nobody's slip."""


def _path_off(template: str, path: str) -> float:
    """How far a path is from a template: segment by segment, a variable is like anything."""
    wanted, given = template.strip("/").split("/"), path.strip("/").split("/")
    longer = max(len(wanted), len(given))
    pairs = zip(wanted, given, strict=False)
    off = sum(0.0 if re.fullmatch(r"\{[^}]*\}", want) else _unlike(want, have) for want, have in pairs)
    return (off + abs(len(wanted) - len(given))) / longer


def _off(mismatch: Mismatch) -> float:
    expected, found = _text(mismatch.expected), _text(mismatch.found)
    return 1.0 if mismatch.found is None else max(_LEAST, _unlike(expected, found))


def _unlike(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return 1 - SequenceMatcher(None, one[:_ALIKE], other[:_ALIKE], autojunk=False).ratio()


def _text(value: JSON) -> str:
    """What a criterion asks for: of a matcher that has one, its operand."""
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return value if isinstance(value, str) else values.dump(value).decode()
