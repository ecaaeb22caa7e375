"""How lists page: which parameters of an operation mean what, and how its envelope tells the rest."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.contract.operations import Operation
from mockserver.contract.shapes import shape_of
from mockserver.values import JSON, Record

_SIZES = ("page_size", "pageSize", "limit", "per_page", "perPage", "size", "max_results", "maxResults", "count", "top")
_PAGES = ("current_page", "currentPage", "page", "page_number", "pageNumber")
_OFFSETS = ("offset", "skip", "start")
_AFTER = ("after", "starting_after", "cursor", "page_token", "pageToken")
_TOTALS = ("total", "total_count", "totalCount", "count", "total_items", "totalItems")


@dataclass(frozen=True)
class Paging:
    """The names of an operation's paging parameters, None for those it has not. `first_page` is 0 or 1."""

    size: str | None
    page: str | None
    offset: str | None
    after: str | None
    first_page: int

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return frozenset(name for name in (self.size, self.page, self.offset, self.after) if name is not None)


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
    return Paging(named(_SIZES), page, named(_OFFSETS), named(_AFTER), first_page)


def window(paging: Paging, query: Record) -> tuple[int, int | None]:
    """Return where a page starts and how long it is, None for all the rest."""
    size: JSON = query.get(paging.size) if paging.size else None
    limit = int(size) if isinstance(size, (int, float)) else None
    offset = 0
    if paging.offset is not None and isinstance(query.get(paging.offset), int):
        offset = query[paging.offset]
    elif paging.page is not None and limit is not None and isinstance(query.get(paging.page), (int, float)):
        offset = max(0, int(query[paging.page]) - paging.first_page) * limit
    return offset, limit


def envelope(shape_properties: Record, rows: list[Record], total: int, offset: int, key: str) -> Record:
    """Return what the fields of a list's envelope say about a page, for those fields that it has."""
    told: Record = {name: total for name in _TOTALS if name in shape_properties}
    if "has_more" in shape_properties:
        told["has_more"] = offset + len(rows) < total
    if "first_id" in shape_properties:
        told["first_id"] = rows[0].get(key) if rows else None
    if "last_id" in shape_properties:
        told["last_id"] = rows[-1].get(key) if rows else None
    return told
