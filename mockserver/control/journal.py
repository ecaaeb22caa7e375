"""What is asked of a journal beside its calls: events, times, pages; and waiting for what is still to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from mockserver.contract.problems import invalid
from mockserver.control.exhibit import timestamp
from mockserver.values import Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.journal import Entry, Event, Journal

_LOOK_S = 0.005
"""How often who waits looks whether something has come, in seconds of the machine."""


class Page(NamedTuple):
    """Some of the calls that fit: how many there are in all, those of this page, and the cursor of the next one."""

    total: int
    entries: list[Entry]
    next: int | None


def page(journal: Journal, fits: Callable[[Entry], bool], query: Record) -> Page:
    """Return the page of `order`, `cursor` and `limit`. The cursor is a call's number, so that new calls shift nothing."""
    ascending, cursor, limit = query["order"] == "asc", query.get("cursor"), query["limit"]
    found = [entry for entry in (journal.oldest() if ascending else journal.newest()) if fits(entry)]
    below = found
    if cursor is not None:
        below = [entry for entry in found if (entry.number > cursor if ascending else entry.number < cursor)]
    return Page(len(found), below[:limit], below[limit - 1].number if len(below) > limit else None)


def select_events(journal: Journal, query: Record) -> list[Event]:
    """Return the events that fit the filters `kind`, `since` and `until`, newest first. Fails: as `moment`."""
    since, until = moment("since", query), moment("until", query)
    return [
        event
        for event in reversed(list(journal.events))
        if query.get("kind", event.kind) == event.kind
        and (since is None or event.at_s >= since)
        and (until is None or event.at_s <= until)
    ]


def show_event(event: Event) -> Record:
    """Return an event as JSON."""
    return {"request": event.request, "at": timestamp(event.at_s), "kind": event.kind, "details": event.details}


def moment(name: str, query: Record, part: str = "query", place: str = "") -> float | None:
    """Return a time that was asked for, None when none was.

    Fails: `invalid-request` for one that no calendar has (a leap second, year 0).
    """
    if name not in query:
        return None
    try:
        return parse_timestamp(query[name].upper()).timestamp()
    except ValueError:
        raise invalid(part, f"{place}/{name}", "is a time that no calendar has") from None


async def until_called(
    journal: Callable[[], Journal], fits: Callable[[Entry], bool], count: int, timeout_s: float, left: asyncio.Future[Any]
) -> None:
    """Return when so many calls fit, the time is up, or `left` is done. Each call is looked at once.

    `journal` gives that of the world, which may be another after the world was deleted. It may be written by another thread,
    so it is looked at rather than listened to.
    """
    seen, losses, found, watched = 0, 0, 0, None

    def enough() -> bool:
        nonlocal seen, losses, found, watched
        now = journal()
        if now is not watched or now.losses != losses:
            watched, losses, seen, found = now, now.losses, 0, 0
        if now.next_number - 1 > seen:
            new = _after(now.newest(), seen)
            found, seen = found + sum(map(fits, new)), new[0].number if new else seen
        return found >= count

    await _until(enough, timeout_s, left)


async def until_told(
    journal: Callable[[], Journal], kind: str | None, count: int, timeout_s: float, left: asyncio.Future[Any]
) -> None:
    """Return when the journal has so many events of a kind (None: of any), the time is up, or `left` is done."""
    await _until(lambda: sum(kind is None or event.kind == kind for event in list(journal().events)) >= count, timeout_s, left)


async def _until(enough: Callable[[], bool], timeout_s: float, left: asyncio.Future[Any]) -> None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    while not enough() and not left.done() and (remaining_s := end_s - loop.time()) > 0:
        await asyncio.sleep(min(_LOOK_S, remaining_s))


def _after(newest: Iterable[Entry], number: int) -> list[Entry]:
    """The calls after this one, of calls that come newest first."""
    found = []
    for entry in newest:
        if entry.number <= number:
            break
        found.append(entry)
    return found


def led_nowhere(entry: Entry) -> bool:
    """Whether neither an operation nor a mapping got a call."""
    return entry.operation is None and entry.mapping is None
