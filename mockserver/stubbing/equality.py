"""Whether two JSON values are equal, strictly or leniently, as WireMock's `equalToJson` has it.

Source: WireMock's reference of request matching (`ignoreArrayOrder`, `ignoreExtraElements`, the placeholders of JsonUnit).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mockserver.values import JSON

PLACEHOLDERS: dict[str, Callable[[JSON], bool]] = {
    "${json-unit.ignore}": lambda _: True,
    "${json-unit.any-string}": lambda value: isinstance(value, str),
    "${json-unit.any-number}": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "${json-unit.any-boolean}": lambda value: isinstance(value, bool),
}
"""Texts that stand for many values."""
REGEX = "${json-unit.regex}"


def equal(wanted: JSON, found: JSON, *, any_order: bool = False, extra: bool = False) -> bool:
    """Whether a value is the wanted one: with `any_order` arrays may be shuffled, with `extra` it may hold more.

    Numbers are equal by value (1 and 1.0), and true is not 1. More elements of an array count as `extra` where they come
    behind the wanted ones, or anywhere in any order.
    """
    if isinstance(wanted, str):
        if wanted in PLACEHOLDERS:
            return PLACEHOLDERS[wanted](found)
        if wanted.startswith(REGEX):
            return isinstance(found, str) and re.fullmatch(wanted.removeprefix(REGEX), found) is not None
        return isinstance(found, str) and found == wanted
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and (extra or found.keys() <= wanted.keys())
            and all(
                name in found and equal(value, found[name], any_order=any_order, extra=extra)
                if value != "${json-unit.ignore}"
                else True
                for name, value in wanted.items()
            )
        )
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) < len(wanted) or (len(found) > len(wanted) and not extra):
            return False
        if any_order:
            return _paired(wanted, found, extra=extra)
        return all(equal(one, other, extra=extra) for one, other in zip(wanted, found, strict=False))
    if isinstance(wanted, bool) or isinstance(found, bool) or wanted is None or found is None:
        return wanted is found
    return isinstance(found, (int, float)) and bool(wanted == found)


def _paired(wanted: list[JSON], found: list[JSON], *, extra: bool) -> bool:
    """Whether each wanted item can have an item of its own. Greed would fail where one item fits two wanted ones."""
    holder: dict[int, int] = {}

    def place(at: int, tried: set[int]) -> bool:
        for other, item in enumerate(found):
            if other not in tried and equal(wanted[at], item, any_order=True, extra=extra):
                tried.add(other)
                if other not in holder or place(holder[other], tried):
                    holder[other] = at
                    return True
        return False

    return all(place(at, set()) for at in range(len(wanted)))
