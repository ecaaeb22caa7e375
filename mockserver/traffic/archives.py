"""HTTP Archives, HAR 1.2: those of browsers and proxies, and the exports of our own journal, which say more in `_mockserver`.

Source: HAR 1.2 Spec (Software is hard); what Chrome, Firefox and mitmproxy write where it leaves room, from their docs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

from mockserver import values
from mockserver.traffic.exchange import Exchange, Header, Payload, Places, note_of, table, uncompressed
from mockserver.traffic.faults import UNREADABLE, Malformed, check_address, reason
from mockserver.values import JSON, Record

PARTS = {
    "path": "/request/url",
    "query": "/request/url",
    "header": "/request/headers",
    "cookie": "/request/headers",
    "body": "/request/postData/text",
    "status": "/response/status",
    "reply header": "/response/headers",
    "reply body": "/response/content/text",
}
"""Where in an entry of an archive each part of a call stands."""


def exchanges(value: JSON, file: str) -> Iterator[Exchange | Malformed]:
    """Yield the entries of an archive. Large ones are let go as they are read."""
    entries = value["log"].get("entries")
    if not isinstance(entries, list):
        yield Malformed(Places(file, "/log"), "log.entries is no list")
        return
    for at, entry in enumerate(entries):
        places = Places(file, f"/log/entries/{at}", PARTS)
        entries[at] = None
        try:
            yield _exchange(entry, at + 1, places)
        except UNREADABLE as error:
            yield Malformed(places, f"the entry is no HAR entry: {reason(error)}")


def _exchange(entry: Record, number: int, places: Places) -> Exchange:
    request, response = entry["request"], entry["response"]
    own = entry.get("_mockserver") or {}
    headers = _headers(request.get("headers"), "/request/headers")
    reply_headers = _headers(response.get("headers"), "/response/headers")
    content = response.get("content") or {}
    if not table(reply_headers).get("content-type") and (told := str(content.get("mimeType") or "")) not in ("", "x-unknown"):
        reply_headers = (*reply_headers, Header("content-type", told, "/response/content/mimeType"))
    post = request.get("postData") or {}
    if post and not table(headers).get("content-type") and post.get("mimeType"):
        headers = (*headers, Header("content-type", str(post["mimeType"]), "/request/postData/mimeType"))
    truncated = own.get("truncated") or {}
    status = int(response["status"])
    method, url = request["method"], request["url"]
    check_address(method, url)
    return Exchange(
        number=number,
        method=method.upper(),
        url=url,
        headers=headers,
        body=_request_body(request, post, table(headers), cut=bool(truncated.get("request"))),
        status=status if 100 <= status <= 599 else None,
        reply_headers=reply_headers,
        reply_body=_reply_body(
            response, content, table(reply_headers), cut=bool(truncated.get("reply")), is_ours="number" in own
        ),
        places=places,
        at=str(entry.get("startedDateTime") or ""),
        note=_ending(own, response),
        duration_ms=float(entry.get("time") or 0),
    )


def _ending(own: Record, response: Record) -> str:
    if note := note_of(own.get("ending", "whole")):
        return note
    return str(response.get("_error") or response.get("comment") or "") if not response.get("status") else ""


def _headers(pairs: Any, at: str) -> tuple[Header, ...]:
    # HTTP/2's own, `:path` and the like, which Chrome lists among them, are none.
    return tuple(
        Header(str(pair["name"]).lower(), str(pair["value"]), f"{at}/{index}")
        for index, pair in enumerate(pairs or ())
        if not str(pair["name"]).startswith(":")
    )


def _request_body(request: Record, post: Record, headers: dict[str, str], *, cut: bool) -> Payload:
    size = _size(request.get("bodySize"), headers)
    if cut:
        return Payload(_bytes(post), "the recording cut it off")
    if "_file" in post:
        return Payload(b"", "it lies in a file of its own")
    if post.get("text"):
        return uncompressed(Payload(_bytes(post)), headers.get("content-encoding", ""), may_be_plain=True)
    if post.get("params"):
        return _from_params(post["params"], headers.get("content-type", ""))
    return Payload(b"", "it is not in the recording") if size else Payload()


def _reply_body(response: Record, content: Record, headers: dict[str, str], *, cut: bool, is_ours: bool) -> Payload:
    if cut:
        return Payload(_bytes(content), "the recording cut it off")
    if content.get("text") and is_ours and "json" in headers.get("content-type", ""):
        return Payload(_shown(content["text"]))
    if content.get("text"):
        return uncompressed(Payload(_bytes(content)), headers.get("content-encoding", ""), may_be_plain=True)
    size = content.get("size")
    missing = (isinstance(size, int) and size > 0) or _size(response.get("bodySize"), headers)
    return Payload(b"", "it is not in the recording") if missing else Payload()


def _shown(text: str) -> bytes:
    """JSON as our journal exports it: a value that is a text stands there without its quotes."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        values.parse(data)
    except values.NotJSON:
        return values.dump(text)
    return data


def _size(told: Any, headers: dict[str, str]) -> int:
    """How large a body was, as far as is known: -1 stands for unknown."""
    if isinstance(told, int) and told >= 0:
        return told
    length = headers.get("content-length", "")
    return int(length) if length.isdigit() else 0


def _bytes(part: Record) -> bytes:
    text = str(part.get("text") or "")
    if part.get("encoding") == "base64":
        try:
            return base64.b64decode(text, validate=False)
        except binascii.Error as error:
            raise ValueError(f"a body is no base64: {error}") from None
    return text.encode("utf-8", "surrogatepass")


def _from_params(params: list[Record], content_type: str) -> Payload:
    """A form from its fields. What files held is not in a HAR, so they are empty here, and the body has a gap."""
    if not content_type.lower().startswith("multipart/form-data"):
        pairs = (f"{quote_plus(str(each['name']))}={quote_plus(str(each.get('value') or ''))}" for each in params)
        return Payload("&".join(pairs).encode())
    _, _, boundary = content_type.partition("boundary=")
    boundary = boundary.partition(";")[0].strip(' "')
    if not boundary:
        return Payload(b"", "it is a form without a boundary")
    pieces = []
    for each in params:
        file = f'; filename="{each["fileName"]}"' if each.get("fileName") else ""
        kind = f"\r\ncontent-type: {each['contentType']}" if each.get("contentType") else ""
        head = f'--{boundary}\r\ncontent-disposition: form-data; name="{each["name"]}"{file}{kind}\r\n\r\n'
        pieces.append(f"{head}{each.get('value') or ''}\r\n")
    data = ("".join(pieces) + f"--{boundary}--\r\n").encode("utf-8", "surrogatepass")
    if any("fileName" in each for each in params):
        return Payload(data, "the recording has its fields, but not its files", lacks_files=True)
    return Payload(data)
