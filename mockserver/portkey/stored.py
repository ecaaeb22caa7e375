"""What providers keep for their customers: ids, times, lists with cursors, deletion.

Source of every rule that names none: gateway-data-plane, Stateful resources: shared conventions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mockserver.contract.problems import INVALID_REQUEST, NOT_FOUND, Problem
from mockserver.portkey.gateway.exchange import Customer
from mockserver.portkey.records import shown
from mockserver.stubs import paging
from mockserver.values import Record
from mockserver.world.collection import Place
from mockserver.world.world import World

POLL = {"openai-poll-after-ms": "100"}
"""Tells the poll helpers of clients when to look again (What real clients send and need: a small value); *chosen*: this one."""

_PAGING = paging.Paging("limit", None, None, "after", "before", "order", 0)


def new_id(world: World, prefix: str) -> str:
    """Return a new id: a prefix that ends with its own mark, and 24 letters and digits."""
    return prefix + world.ids.text(24)


def seconds(world: World) -> int:
    """Return the time as these interfaces tell it."""
    return int(world.clock.seconds())


def keep(world: World, collection: str, record: Record, customer: Customer | None = None) -> Record:
    """Put a new record into its collection and return it; `customer` for one that belongs to an account, not to a parent."""
    kept = {**record, "_at": world.clock.timestamp()}
    if customer is not None:
        kept["_account"] = customer.keeps_in
    world[collection].add(kept)
    return kept


def find(world: World, collection: str, key: str, customer: Customer, what: str) -> Record:
    """Return a record of the customer's account. Fails: `not-found`, where `what` is what it is called (texts unconfirmed)."""
    record = world[collection].get(key)
    if record is None or customer.account not in (None, record["_account"]):
        raise missing(what, key)
    return record


def missing(what: str, key: str) -> Problem:
    """Return the problem of a record that is not there."""
    return Problem(NOT_FOUND, f"No {what} found with id '{key}'.", type_="invalid_request_error")


def refused(message: str, code: str | None = None) -> Problem:
    """Return the problem of a call that the state of a record does not let be done."""
    return Problem(INVALID_REQUEST, message, type_="invalid_request_error", code=code)


def page(
    world: World,
    collection: str,
    query: Record,
    customer: Customer | None = None,
    *,
    fits: Callable[[Record], bool] | None = None,
    show: Callable[[Record], Record] = shown,
    key: Callable[[str], str] = str,
    **group: str,
) -> Record:
    """Return a page of a list: the customer's, or those of one group, that fit.

    `query` has `limit` (20 unless given), `order` (`desc` unless given), `after` and `before`; `key` makes of a cursor the
    key of a record. A cursor on a record that was deleted leads on from where it was; one that leads nowhere is none.
    """
    records, asked = world[collection], {"limit": 20, **query}
    if customer is not None and customer.account is not None:
        group = {"_account": customer.account}
    if fits is None:
        total = records.count(**group)
        seen = paging.window(_PAGING, asked, total, lambda cursor: records.place(key(cursor), **group))
        found = paging.rows(records, seen, total, **group)
    else:
        sifted = paging.Sifted(records, fits, **group)
        total = sifted.total
        seen = paging.window(_PAGING, asked, total, lambda cursor: sifted.place(key(cursor)))
        found = sifted.rows(seen)
    return _listed([show(record) for record in found], seen, total)


def page_of(rows: Sequence[Record], query: Record) -> Record:
    """Return a page of rows that are no records of their own, oldest first as given; see `page`."""
    newest, asked = rows[::-1], {"limit": 20, **query}
    places = {row["id"]: at for at, row in enumerate(newest)}

    def place(cursor: str) -> Place | None:
        return Place(places[cursor], is_there=True) if cursor in places else None

    seen = paging.window(_PAGING, asked, len(newest), place)
    ordered = rows if seen.ascending else newest
    data = list(ordered[seen.offset : None if seen.limit is None else seen.offset + seen.limit])
    return _listed(data, seen, len(rows))


def _listed(data: list[Record], seen: paging.Window, total: int) -> Record:
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    more = paging.is_more(seen, len(data), total)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": more}


def deleted(key: str, what: str) -> Record:
    """Return what the deletion of a record answers; `what` is the name of its object."""
    return {"id": key, "object": what, "deleted": True}
