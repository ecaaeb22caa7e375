"""Calls as others hand them over: by Schemathesis, and by our own journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.coverage.collecting import Call, Collector
from mockserver.world.journal import Entry, unpack


def of_requests(collector: Collector) -> Callable[[Any, Any], None]:
    """Return what notes a prepared request of `requests` and the response that Schemathesis made of its answer."""

    def witness(request: Any, response: Any) -> None:
        body = request.body or b""
        collector.take(
            Call(
                str(request.method),
                str(request.url),
                {str(name).lower(): _text(value) for name, value in request.headers.items()},
                body.encode() if isinstance(body, str) else bytes(body),
                int(response.status_code),
                {name.lower(): ", ".join(each) for name, each in response.headers.items()},
                response.content or b"",
            )
        )

    return witness


def of_entry(entry: Entry) -> Call:
    """Return a call of the journal."""
    headers = {name.lower(): value for name, value in unpack(entry.request_headers)}
    reply_headers = {name.lower(): value for name, value in unpack(entry.reply_headers)}
    query = entry.query.decode("latin-1")
    return Call(
        entry.method,
        _encoded(entry.path) + (f"?{query}" if query else ""),
        headers,
        entry.request_body,
        entry.status,
        reply_headers,
        entry.reply_body,
        entry.request_size > len(entry.request_body),
        entry.reply_size > len(entry.reply_body),
    )


def _encoded(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/:@!$&'()*+,;=~%")


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
