"""The journal as people see it: filtered, and without secrets."""

from __future__ import annotations

from datetime import UTC, datetime

from mockserver import values
from mockserver.contract.contract import Contract
from mockserver.contract.operations import Content, Operation
from mockserver.contract.problems import invalid
from mockserver.contract.secrets import REDACTED, redact, safe_headers, safe_query
from mockserver.values import JSON, Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.journal import Entry, Event, Journal, unpack


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


def timestamp(at_s: float) -> str:
    """Write a time to the millisecond."""
    moment = datetime.fromtimestamp(at_s, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


_EVENTS = "text/event-stream"


class Exhibit:
    """Shows entries of calls to the operations of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._document = contract.document
        self._operations = {operation.id: operation for operation in contract.operations}

    def show(self, entry: Entry) -> Record:
        """Return an entry as JSON; what the document calls a password is redacted, and so are credentials in headers."""
        operation = self._operations.get(entry.operation or "")
        request_contents = operation.body.contents if operation is not None and operation.body is not None else ()
        return {
            "number": entry.number,
            "at": timestamp(entry.at_s),
            "method": entry.method,
            "path": entry.path,
            "query": safe_query(entry.query.decode("latin-1")),
            "operation": entry.operation,
            "status": entry.status,
            "duration_us": entry.duration_us,
            "problem": entry.problem,
            "violations": [violation.as_json() for violation in entry.violations],
            "request": self._message(entry.request_headers, entry.request_body, entry.request_size, request_contents),
            "reply": self._message(
                entry.reply_headers, entry.reply_body, entry.reply_size, _reply_contents(operation, entry.status)
            ),
        }

    def _message(self, headers: bytes, body: bytes, size: int, contents: tuple[Content, ...]) -> Record:
        told = dict(unpack(headers))
        shown = safe_headers(told)
        media_type = told.get("content-type", "").partition(";")[0].strip().lower()
        # An operation that streams answers JSON as well, whose secrets say nothing of the stream: its events are texts.
        if media_type == _EVENTS:
            return {"headers": shown, "body": body.decode("utf-8", "replace") or None, "size": size}
        return {"headers": shown, "body": self._body(body, size, contents), "size": size}

    def _body(self, body: bytes, size: int, contents: tuple[Content, ...]) -> JSON:
        if not body:
            return None
        try:
            value = values.parse(body)
        except values.NotJSON:
            # A text that cannot be parsed cannot be redacted: where the operation has secrets it stays unseen.
            holds_secrets = any(_mentions_secret(content.schema) for content in contents) or size > len(body)
            return REDACTED if holds_secrets else body.decode("utf-8", "replace")
        for content in contents:
            value = redact(value, content.schema, self._document)
        return value


def _reply_contents(operation: Operation | None, status: int) -> tuple[Content, ...]:
    if operation is None:
        return ()
    response = operation.responses.get(str(status)) or operation.responses.get(f"{status // 100}XX")
    return response.contents if response is not None else ()


def _mentions_secret(schema: JSON) -> bool:
    return b'"password"' in values.dump(schema) or b"$ref" in values.dump(schema)


def _seconds(name: str, query: Record) -> float | None:
    if name not in query:
        return None
    try:
        return parse_timestamp(query[name].upper()).timestamp()
    except ValueError:
        raise invalid("query", f"/{name}", "is a time that no calendar has") from None
