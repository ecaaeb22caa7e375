"""The headers of a request, and what was read in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_T = TypeVar("_T")

Pairs = list[tuple[bytes, bytes]]
"""Names in lower case and values, as they came."""


class Head(dict[bytes, bytes]):
    """Headers by their names, the last of several with the same.

    Requests with the very same headers may share them, as clients send them again and again: so nobody changes them, and
    what was read in them is remembered with them (see `read_once`).
    """

    __slots__ = ("pairs", "readings")

    def __init__(self, pairs: Pairs) -> None:
        super().__init__(pairs)
        self.pairs = pairs
        self.readings: dict[Any, Any] = {}


def read_once(headers: Mapping[bytes, bytes], read: Callable[[Any], _T]) -> _T:
    """Return what a function reads in headers, which must follow from them alone and be changed by nobody."""
    if type(headers) is not Head:
        return read(headers)
    found: _T | None = headers.readings.get(read)
    if found is None:
        found = headers.readings[read] = read(headers)
    return found
