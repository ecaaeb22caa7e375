"""What `GET /__admin/requests` of this server answers: calls of its journal, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver import values
from mockserver.traffic.exchange import Exchange, Header, Payload, Places, note_of
from mockserver.traffic.faults import UNREADABLE, Malformed, check_address, reason
from mockserver.values import JSON, Record, pointer

_PARTS = {
    "path": "/path",
    "query": "/query",
    "header": "/request/headers",
    "cookie": "/request/headers",
    "body": "/request/body",
    "status": "/status",
    "reply header": "/reply/headers",
    "reply body": "/reply/body",
}


def exchanges(value: JSON, file: str) -> Iterator[Exchange | Malformed]:
    """Yield the calls in the order in which they were made."""
    calls = list(enumerate(value["requests"]))
    for at, each in reversed(calls):
        places = Places(file, pointer("requests", at), _PARTS)
        try:
            yield _exchange(each, places)
        except UNREADABLE as error:
            yield Malformed(places, f"the call is none of a journal: {reason(error)}")


def _exchange(each: Record, places: Places) -> Exchange:
    check_address(each["method"], each["path"])
    request, reply = each["request"], each["reply"]
    return Exchange(
        number=int(each["number"]),
        method=each["method"].upper(),
        url=each["path"] + (f"?{each['query']}" if each.get("query") else ""),
        headers=_headers(request, "/request/headers"),
        body=_body(request),
        status=int(each["status"]) or None,
        reply_headers=_headers(reply, "/reply/headers"),
        reply_body=_body(reply),
        places=places,
        at=str(each.get("started_at") or ""),
        note=note_of(each.get("ending", "whole")),
        duration_ms=float(each.get("duration_us") or 0) / 1000,
    )


def _headers(message: Record, at: str) -> tuple[Header, ...]:
    return tuple(Header(name.lower(), str(value), at + pointer(name)) for name, value in message["headers"].items())


def _body(message: Record) -> Payload:
    body: Any = message["body"]
    kind = str(next((value for name, value in message["headers"].items() if name.lower() == "content-type"), ""))
    if body is None:
        return Payload(b"", "it is not in the recording") if message.get("size") else Payload()
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) and "json" not in kind else values.dump(body)
    if message.get("truncated"):
        return Payload(data, "the journal keeps the beginning of large bodies only")
    if kind.startswith("multipart/"):
        return Payload(b"", "the journal shows forms with files by their fields only")
    return Payload(data)
