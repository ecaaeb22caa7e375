"""Dates as WireMock's templates write them: patterns of Java, offsets in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta


class NoFormat(ValueError):
    """A pattern that cannot be written; the message says why."""


class NoOffset(ValueError):
    """An offset that is none; the message says why."""


_FIELDS = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d", "EEEE": "%A", "EEE": "%a", "HH": "%H",
    "hh": "%I", "mm": "%M", "ss": "%S", "a": "%p", "DDD": "%j", "Z": "+0000", "XXX": "Z", "X": "Z", "z": "UTC",
}  # fmt: skip
"""Fields of a Java pattern; times are in UTC, so zones are constants."""
_PIECE = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<field>([A-Za-z])\3*)|(?P<other>[^A-Za-z']+)")
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}
_OFFSET = re.compile(r"\s*([+-]?\d{1,9})\s+(\w+)\s*")


def written(moment: datetime, pattern: str | None) -> str:
    """Return a time in a Java pattern, `epoch` (milliseconds) or `unix` (seconds); without one to the second, as ISO 8601.

    Raises `NoFormat`.
    """
    moment = moment.astimezone(UTC)
    if pattern is None:
        return moment.isoformat()[:19] + "Z"
    if pattern in ("epoch", "unix"):
        return str(int(moment.timestamp() * (1000 if pattern == "epoch" else 1)))
    made, at = [], 0
    while at < len(pattern):
        found = _PIECE.match(pattern, at)
        if found is None:
            raise NoFormat(f"{pattern!r} has a quote that is not closed")
        made.append(_piece(found, moment, pattern))
        at = found.end()
    return "".join(made)


def _piece(found: re.Match[str], moment: datetime, pattern: str) -> str:
    if found["quoted"] is not None:
        return found["quoted"].replace("''", "'") or "'"
    if found["other"] is not None:
        return found["other"]
    field = found["field"]
    if set(field) == {"S"} and len(field) <= 6:
        return f"{moment.microsecond:06d}"[: len(field)]
    if field == "yyyy":
        return f"{moment.year:04d}"  # strftime leaves out the zeros of early years
    if field not in _FIELDS:
        raise NoFormat(f"{pattern!r} has the field {field!r}; {', '.join(_FIELDS)} and S are known")
    return moment.strftime(_FIELDS[field])


def offset_of(text: str) -> timedelta:
    """Return an offset such as `3 days` or `-24 seconds`. Raises `NoOffset`."""
    found = _OFFSET.fullmatch(text)
    unit = found[2] if found is not None else ""
    unit = unit if unit.endswith("s") else f"{unit}s"
    if found is None or unit not in _UNITS:
        raise NoOffset(f"{text!r} is no offset; write a number and one of {', '.join(_UNITS)}")
    return timedelta(seconds=int(found[1]) * _UNITS[unit])
