"""Numbers and texts that a schema may take, likely ones first. Whoever asks checks them."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator
from datetime import timedelta

from mockserver.stubs.patterns import matching
from mockserver.values import JSON, Record
from mockserver.world.clock import Clock, format_timestamp
from mockserver.world.ids import Ids

_VARIATIONS = 24
_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty", "knoll", "larch")


def numbers(schema: Record, *, integer: bool) -> Iterator[int | float]:
    """Yield numbers near zero, near the bounds and on the steps of a schema."""
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    anchors: list[int | float] = [bound for bound in (low, high) if bound is not None]
    if low is not None and high is not None:
        anchors.append((low + high) / 2)
    if low is None and (high is None or high >= 0):
        anchors.insert(0, 0)
    found: list[int | float] = []
    for anchor in anchors:
        if step:
            found += [round((math.ceil(round(anchor / step, 9)) + k) * step, 10) for k in (0, 1, -1, 2, -2)]
        found += [anchor, math.ceil(anchor), math.floor(anchor)]
    for anchor in anchors or [0]:
        for distance in range(1, _VARIATIONS):
            found += [anchor + distance * (step or 1), anchor - distance * (step or 1)]
            found += [] if integer else [anchor + distance * 0.5, anchor - distance * 0.5]
    seen: set[int | float] = set()
    for number in found:
        if integer and isinstance(number, float) and not number.is_integer():
            continue
        made = int(number) if isinstance(number, float) and number.is_integer() else number
        if made not in seen:
            seen.add(made)
            yield made


def strings(schema: Record, ids: Ids, clock: Clock) -> Iterator[str]:
    """Yield texts by format, by pattern, then words of the lengths that a schema allows."""
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    name = schema.get("format")
    if name in _FORMATS:
        for variation in range(_VARIATIONS):
            made = _FORMATS[name](ids, clock, variation, least if most is None else min(max(least, 24), most))
            yield made
    if isinstance(schema.get("pattern"), str):
        yield from matching(schema["pattern"], ids, least)
    for variation in range(_VARIATIONS):
        word = _WORDS[ids.below(len(_WORDS))] + (str(variation) if variation >= len(_WORDS) else "")
        yield _fitting(word, least, most)
    yield _fitting("", least, most)
    yield _fitting(" ".join(_WORDS), least, most)  # for one of two alternatives of which the other is short


def _fitting(word: str, least: int, most: int | None) -> str:
    if len(word) < least:
        word = (word + " ") * (least // (len(word) + 1) + 1)
        word = word[: least - 1] + "x"
    return word if most is None else word[:most]


def _email(ids: Ids, clock: Clock, variation: int, length: int) -> str:
    local = _WORDS[(ids.below(len(_WORDS)) + variation) % len(_WORDS)]
    return f"{local}{'x' * (min(length, 70) - len(local) - 12) if length > 24 else ''}@example.com"


def _time(ids: Ids, clock: Clock, variation: int, length: int) -> str:
    return format_timestamp(clock.now() - timedelta(days=variation, seconds=variation))


def _bytes(ids: Ids, clock: Clock, variation: int, length: int) -> str:
    text = b"mock" + b"%d" % variation * (variation > 0)
    groups = (length + 3 - variation % 4) // 4  # of four characters each, rounded up or down
    return base64.b64encode(text.ljust(groups * 3, b"-")).decode()


def _password(ids: Ids, clock: Clock, variation: int, length: int) -> str:
    made = ids.text(min(64, max(length, 24) if length >= 24 else length))
    return made + "x" * (length - len(made))


_FORMATS: dict[JSON, Callable[[Ids, Clock, int, int], str]] = {
    "uuid": lambda ids, *_: ids.uuid4(),
    "date-time": _time,
    "date": lambda *facts: _time(*facts)[:10],
    "time": lambda *facts: _time(*facts)[11:],
    "email": _email,
    "idn-email": _email,
    "hostname": lambda ids, clock, variation, _: f"host{'x' * variation}.example.com",
    "ipv4": lambda ids, *_: f"192.0.2.{ids.below(254) + 1}",
    "ipv6": lambda ids, *_: f"2001:db8::{ids.hex(4)}",
    "uri": lambda ids, *_: f"https://example.com/{ids.hex(8)}",
    "byte": _bytes,
    "regex": lambda ids, clock, variation, _: f"^[a-z]{{{variation + 1}}}$",
    "password": _password,
}
"""Format to what makes the n-th variation of it, near a length where that can be chosen."""
