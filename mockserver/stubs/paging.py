"""How lists page: which parameters of an operation mean what, and how its envelope tells the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockserver.contract.operations import Operation
from mockserver.contract.shapes import shape_of
from mockserver.values import JSON, Record

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
    """What of a list is asked for: from where, how many (None for all the rest), and whether oldest first."""

    offset: int
    limit: int | None
    ascending: bool


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


def window(paging: Paging, query: Record, total: int, rank: Callable[[str], int | None]) -> Window:
    """Return what a query asks for of `total` rows; `rank` tells the place of a row by its key, newest first.

    A cursor that leads nowhere is as good as none.
    """
    size: JSON = query.get(paging.size) if paging.size else None
    limit = int(size) if isinstance(size, (int, float)) else None
    ascending = paging.order is not None and query.get(paging.order) == "asc"

    def place(name: str | None) -> int | None:
        found = rank(str(query[name])) if name is not None and query.get(name) is not None else None
        return found if found is None or not ascending else total - 1 - found

    after, before = place(paging.after), place(paging.before)
    if after is not None:
        return Window(after + 1, limit, ascending)
    if before is not None:
        start = 0 if limit is None else max(0, before - limit)
        return Window(start, before - start, ascending)
    if paging.offset is not None and isinstance(query.get(paging.offset), int):
        return Window(query[paging.offset], limit, ascending)
    if paging.page is not None and limit is not None and isinstance(query.get(paging.page), (int, float)):
        return Window(max(0, int(query[paging.page]) - paging.first_page) * limit, limit, ascending)
    return Window(0, limit, ascending)


def envelope(properties: Record, rows: list[Record], total: int, seen: Window, paging: Paging, key: str) -> Record:
    """Return what the fields of a list's envelope say about a page, for those fields that it has."""
    more = seen.offset + len(rows) < total
    limit = total if seen.limit is None else seen.limit
    told: Record = {name: total for name in _TOTALS if name in properties}
    told |= {name: limit for name in _SIZES if name in properties and name not in told}
    told |= {name: seen.offset for name in _OFFSETS if name in properties}
    told |= {name: paging.first_page + (seen.offset // limit if limit else 0) for name in _PAGES if name in properties}
    told |= {name: rows[-1].get(key) if more and rows else None for name in _NEXT if name in properties}
    if "has_more" in properties:
        told["has_more"] = more
    if "first_id" in properties:
        told["first_id"] = rows[0].get(key) if rows else None
    if "last_id" in properties:
        told["last_id"] = rows[-1].get(key) if rows else None
    return told
