"""The journal as people see it: filtered, and without secrets."""

from __future__ import annotations

from mockserver.contract.problems import invalid
from mockserver.control.exhibit import timestamp
from mockserver.values import Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.journal import Entry, Event, Journal


def select(journal: Journal, query: Record) -> list[Entry]:
    """Return the calls that fit the filters `operation`, `status`, `since` and `until`, newest first.

    Fails: `invalid-request` for a time that no calendar has (a leap second, year 0).
    """
    since, until = _seconds("since", query), _seconds("until", query)
    status = query.get("status", "").lower()
    return [
        entry
        for entry in journal.newest()
        if query.get("operation", entry.operation) == entry.operation
        and (not status or status in (str(entry.status), f"{entry.status // 100}xx"))
        and (since is None or entry.at_s >= since)
        and (until is None or entry.at_s <= until)
    ]


def select_events(journal: Journal, query: Record) -> list[Event]:
    """Return the events that fit the filters `kind`, `since` and `until`, newest first. Fails: as `select`."""
    since, until = _seconds("since", query), _seconds("until", query)
    return [
        event
        for event in reversed(journal.events)
        if query.get("kind", event.kind) == event.kind
        and (since is None or event.at_s >= since)
        and (until is None or event.at_s <= until)
    ]


def show_event(event: Event) -> Record:
    """Return an event as JSON."""
    return {"request": event.request, "at": timestamp(event.at_s), "kind": event.kind, "details": event.details}


def _seconds(name: str, query: Record) -> float | None:
    if name not in query:
        return None
    try:
        return parse_timestamp(query[name].upper()).timestamp()
    except ValueError:
        raise invalid("query", f"/{name}", "is a time that no calendar has") from None
