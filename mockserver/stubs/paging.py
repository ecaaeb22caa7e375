"""How lists page: which parameters of an operation mean what, and how its envelope tells the rest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from mockserver.contract.operations import Operation
from mockserver.contract.shapes import shape_of
from mockserver.values import JSON, Record
from mockserver.world.collection import Collection, Place

_SIZES = ("page_size", "pageSize", "limit", "per_page", "perPage", "size", "max_results", "maxResults", "count", "top")
_PAGES = ("current_page", "currentPage", "page", "page_number", "pageNumber")
_OFFSETS = ("offset", "skip", "start")
_AFTER = ("after", "starting_after", "cursor", "page_token", "pageToken")
_BEFORE = ("before", "ending_before")
_ORDERS = ("order", "sort_order", "sortOrder")
_TOTALS = ("total", "total_count", "totalCount", "count", "total_items", "totalItems")
_NEXT = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next")


@dataclass(frozen=True)
class Paging:
    """The names of an operation's paging parameters, None for those it has not. `first_page` is 0 or 1."""

    size: str | None
    page: str | None
    offset: str | None
    after: str | None
    before: str | None
    order: str | None
    first_page: int

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        named = (self.size, self.page, self.offset, self.after, self.before, self.order)
        return frozenset(name for name in named if name is not None)


@dataclass(frozen=True)
class Window:
    """What of a list is asked for: from where, how many (None for all the rest), and whether oldest first.

    `backward` tells that it ends at a cursor: who pages so goes on towards the beginning.
    """

    offset: int
    limit: int | None
    ascending: bool
    backward: bool = False


def paging_of(operation: Operation, document: Record) -> Paging:
    """Return how an operation pages, by the names of its query parameters."""
    query = {parameter.name: parameter for parameter in operation.parameters if parameter.location == "query"}

    def named(names: tuple[str, ...]) -> str | None:
        return next((name for name in names if name in query), None)

    page, first_page = named(_PAGES), 0
    if page is not None:
        schema = query[page].schema
        shape = shape_of(schema, document)
        if shape.default == 1 or schema.get("minimum") == 1 or (page == "page" and shape.default is None):
            first_page = 1
    order = named(_ORDERS)
    if order is not None and "asc" not in shape_of(query[order].schema, document).options:
        order = None
    return Paging(named(_SIZES), page, named(_OFFSETS), named(_AFTER), named(_BEFORE), order, first_page)


def window(paging: Paging, query: Record, total: int, place: Callable[[str], Place | None]) -> Window:
    """Return what a query asks for of `total` rows; `place` tells the place of a row by its key, newest first.

    A cursor on a row that was deleted leads on from where the row was; one that leads nowhere is as good as none.
    """
    size: JSON = query.get(paging.size) if paging.size else None
    limit = int(size) if isinstance(size, (int, float)) else None
    ascending = paging.order is not None and query.get(paging.order) == "asc"

    def placed(name: str | None) -> Place | None:
        return place(str(query[name])) if name is not None and query.get(name) is not None else None

    if (after := placed(paging.after)) is not None:
        return Window(total - after.before if ascending else after.before + after.is_there, limit, ascending)
    if (before := placed(paging.before)) is not None:
        end = total - before.before - before.is_there if ascending else before.before
        start = 0 if limit is None else max(0, end - limit)
        return Window(start, end - start, ascending, backward=True)
    if paging.offset is not None and isinstance(query.get(paging.offset), int):
        return Window(query[paging.offset], limit, ascending)
    if paging.page is not None and limit is not None and isinstance(query.get(paging.page), (int, float)):
        return Window(max(0, int(query[paging.page]) - paging.first_page) * limit, limit, ascending)
    return Window(0, limit, ascending)


def is_more(seen: Window, shown: int, total: int) -> bool:
    """Whether rows follow those that are shown, in the direction in which the caller pages."""
    return seen.offset > 0 if seen.backward else seen.offset + shown < total


def rows(collection: Collection, seen: Window, total: int, **group: str) -> list[Record]:
    """Return the records of a window; oldest first is the end of newest first, turned round."""
    if not seen.ascending:
        return collection.page(seen.offset, seen.limit, **group)[0]
    left = max(0, total - seen.offset)
    size = left if seen.limit is None else min(left, seen.limit)
    return collection.page(left - size, size, **group)[0][::-1]


class Sifted:
    """The records of a group that fit a filter, newest first."""

    def __init__(self, collection: Collection, fits: Callable[[Record], bool], **group: str) -> None:
        found = [(at, record) for at, record in enumerate(collection.newest(**group)) if fits(record)]
        self._ranks = [at for at, _ in found]
        self._records = [record for _, record in found]
        self._collection = collection
        self._group = group
        self.total = len(found)

    def place(self, key: str) -> Place | None:
        """Return the place of a record among those that fit; it need not be one of them, nor be there any more."""
        found = self._collection.place(key, **self._group)
        if found is None:
            return None
        before = bisect_left(self._ranks, found.before)
        return Place(before, found.is_there and self._ranks[before : before + 1] == [found.before])

    def rows(self, seen: Window) -> list[Record]:
        """Return the records of a window."""
        ordered = self._records[::-1] if seen.ascending else self._records
        return ordered[seen.offset : None if seen.limit is None else seen.offset + seen.limit]


def envelope(properties: Record, shown: list[Record], total: int, seen: Window, paging: Paging, key: str) -> Record:
    """Return what the fields of a list's envelope say about a page, for those fields that it has."""
    more = is_more(seen, len(shown), total)
    limit = total if seen.limit is None else seen.limit
    told: Record = {name: total for name in _TOTALS if name in properties}
    told |= {name: limit for name in _SIZES if name in properties and name not in told}
    told |= {name: seen.offset for name in _OFFSETS if name in properties}
    told |= {name: paging.first_page + (seen.offset // limit if limit else 0) for name in _PAGES if name in properties}
    told |= {name: shown[-1].get(key) if more and shown else None for name in _NEXT if name in properties}
    if "has_more" in properties:
        told["has_more"] = more
    if "first_id" in properties:
        told["first_id"] = shown[0].get(key) if shown else None
    if "last_id" in properties:
        told["last_id"] = shown[-1].get(key) if shown else None
    return told
