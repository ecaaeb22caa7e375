"""Cassettes: of vcrpy (version 1, YAML or JSON, with the forms that its stubs for httpx had), and of Ruby's VCR.

Source: vcrpy's `serialize.py`, `serializers/compat.py` and `stubs/httpx_stubs.py`; VCR's docs of its cassette format.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from mockserver.traffic.exchange import Exchange, Header, Payload, Places, table, uncompressed
from mockserver.traffic.faults import UNREADABLE, Malformed, check_address, reason
from mockserver.values import JSON, Record, pointer

_PARTS = {
    "path": "/request/uri",
    "query": "/request/uri",
    "header": "/request/headers",
    "cookie": "/request/headers",
    "body": "/request/body",
    "status": "/response/status/code",
    "reply header": "/response/headers",
    "reply body": "/response/body",
}
LISTS = ("interactions", "http_interactions")
"""Under which name a cassette has its exchanges: vcrpy's, VCR's."""


def exchanges(value: JSON, file: str) -> Iterator[Exchange | Malformed]:
    """Yield the interactions of a cassette."""
    name = next(each for each in LISTS if each in value)
    for at, each in enumerate(value[name]):
        places = Places(file, pointer(name, at), _PARTS)
        try:
            yield _exchange(each, at + 1, places)
        except UNREADABLE as error:
            yield Malformed(places, f"the interaction is none: {reason(error)}")


def _exchange(each: Record, number: int, places: Places) -> Exchange:
    request, response = each["request"], each["response"]
    headers = _headers(request.get("headers"), "/request/headers")
    reply_headers = _headers(response.get("headers"), "/response/headers")
    status = response["status_code"] if "status_code" in response else response["status"]["code"]
    body = response["body"] if "body" in response else response.get("content")
    method, url = request["method"], request["uri"]
    method = str(method)
    check_address(method, url)
    return Exchange(
        number=number,
        method=method.upper(),
        url=url,
        headers=headers,
        body=uncompressed(Payload(_body(request.get("body"))), table(headers).get("content-encoding", ""), may_be_plain=True),
        status=int(status),
        reply_headers=reply_headers,
        # vcrpy can undo the coding; then it takes the header away, but only since version 2.
        reply_body=uncompressed(Payload(_body(body)), table(reply_headers).get("content-encoding", ""), may_be_plain=True),
        places=places,
        at=str(each.get("recorded_at") or ""),
    )


def _headers(told: Any, at: str) -> tuple[Header, ...]:
    pairs = told.items() if isinstance(told, dict) else told or ()
    made = []
    for name, values in pairs:
        for value in values if isinstance(values, list) else [values]:
            made.append(Header(_text(name).lower(), _text(value), at + pointer(_text(name))))
    return tuple(made)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(told: Any) -> bytes:
    if isinstance(told, dict):
        if "base64_string" in told:
            try:
                return base64.b64decode(told["base64_string"])
            except binascii.Error as error:
                raise ValueError(f"a body is no base64: {error}") from None
        told = told.get("string")
    if told is None:
        return b""
    return told if isinstance(told, bytes) else str(told).encode("utf-8", "surrogatepass")
