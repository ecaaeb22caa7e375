"""Writes exchanges as HTTP Archives, HAR 1.2, in a form that `reading` gets the same exchanges from."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from http import HTTPStatus

from mockserver import __version__, values
from mockserver.traffic.exchange import Exchange, Header, Payload, table
from mockserver.values import Record


def archive(exchanges: Iterable[Exchange]) -> bytes:
    """Return a HAR file with these exchanges."""
    creator = {"name": "mockserver", "version": __version__}
    return values.dump({"log": {"version": "1.2", "creator": creator, "entries": [_entry(each) for each in exchanges]}}) + b"\n"


def _entry(exchange: Exchange) -> Record:
    wait = round(exchange.duration_ms, 3)
    made: Record = {
        "startedDateTime": exchange.at or "1970-01-01T00:00:00.000Z",
        "time": wait,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": wait, "receive": 0},
    }
    if exchange.note or exchange.body.gap or exchange.reply_body.gap:
        made["comment"] = "; ".join(filter(None, (exchange.note, exchange.body.gap, exchange.reply_body.gap)))
        truncated = {"request": bool(exchange.body.gap), "reply": bool(exchange.reply_body.gap)}
        made["_mockserver"] = {"truncated": truncated, "ending": "cut" if exchange.note else "whole"}
    return made


def _request(exchange: Exchange) -> Record:
    pairs = [each.partition("=") for each in exchange.query.split("&") if each]
    made: Record = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange.headers),
        "queryString": [{"name": name, "value": value} for name, _, value in pairs],
        "headersSize": -1,
        "bodySize": len(exchange.body.data),
    }
    if exchange.body.data:
        made["postData"] = {"mimeType": exchange.header("content-type"), "params": [], **_text(exchange.body)}
    return made


def _response(exchange: Exchange) -> Record:
    headers = table(exchange.reply_headers)
    status = exchange.status or 0
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in set(HTTPStatus) else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange.reply_headers),
        "content": {
            "size": len(exchange.reply_body.data),
            "mimeType": headers.get("content-type", ""),
            **(_text(exchange.reply_body) if exchange.reply_body.data else {}),
        },
        "redirectURL": headers.get("location", ""),
        "headersSize": -1,
        "bodySize": len(exchange.reply_body.data),
    }


def _pairs(headers: tuple[Header, ...]) -> list[Record]:
    return [{"name": header.name, "value": header.value} for header in headers]


def _text(body: Payload) -> Record:
    try:
        return {"text": body.data.decode()}
    except UnicodeDecodeError:
        # HAR 1.2 has `encoding` for replies only; of requests, readers that know no better see the text.
        return {"text": base64.b64encode(body.data).decode(), "encoding": "base64"}
