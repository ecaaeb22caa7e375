"""The journal as an HTTP Archive, HAR 1.2, for browsers' network panels and other tools.

What HAR has no word for stands in `_mockserver` (names of one's own begin with an underscore, HAR 1.2, Custom Fields): the
operation, its verdicts, the problem with its violations, the time of the world. Written here rather than by a library: the
one that is kept up (harfile) writes no such fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import islice
from urllib.parse import quote

from mockserver import __version__, values
from mockserver.contract.decoding import parse_pairs
from mockserver.contract.forms import Undecodable
from mockserver.contract.replies import Piece
from mockserver.contract.secrets import REDACTED
from mockserver.values import JSON, Record

_OWN = (
    "number", "world", "at", "due_at", "operation", "family", "path_parameters", "caller", "verdict", "stub", "problem",
    "detail", "violations", "stream", "ending",
)  # fmt: skip


_AT_ONCE = 20
"""Calls in a piece: a few milliseconds, in which nobody else is served."""


def archive(shown: Iterable[Record], about: Record) -> Iterator[Piece]:
    """Write calls, each as `Exhibit.show` gives it, as a HAR file, piece by piece; `about` is told of all of them."""
    head = {"version": "1.2", "creator": {"name": "mockserver", "version": __version__}, "_mockserver": about}
    yield Piece(b'{"log":' + values.dump(head)[:-1] + b',"entries":[')
    calls, between = iter(shown), b""
    while some := list(islice(calls, _AT_ONCE)):
        yield Piece(between + b",".join(values.dump(_entry(each)) for each in some))
        between = b","
    yield Piece(b"]}}")


def _entry(shown: Record) -> Record:
    duration_ms = shown["duration_us"] / 1000
    request, reply = shown["request"], shown["reply"]
    headers = reply["headers"]
    own = {name: shown[name] for name in _OWN}
    own["truncated"] = {"request": request["truncated"], "reply": reply["truncated"]}
    return {
        "startedDateTime": shown["started_at"],
        "time": duration_ms,
        "request": _request(shown, request),
        "response": {
            "status": shown["status"],
            "statusText": _reason(shown["status"]),
            "httpVersion": "HTTP/1.1",
            "cookies": _cookies(headers.get("set-cookie", ""), named=1),
            "headers": _pairs(headers),
            "content": _content(reply, headers),
            "redirectURL": headers.get("location", ""),
            "headersSize": -1,
            "bodySize": reply["size"],
        },
        "cache": {},
        # The socket is none of the application's: all the time is the mock's.
        "timings": {"send": 0, "wait": duration_ms, "receive": 0},
        "_mockserver": own,
    }


def _request(shown: Record, request: Record) -> Record:
    headers = request["headers"]
    query = f"?{quote(shown['query'], safe=_PLAIN + '?%')}" if shown["query"] else ""
    made: Record = {
        "method": shown["method"],
        "url": f"http://{headers.get('host', 'localhost')}{quote(shown['path'], safe=_PLAIN)}{query}",
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(headers.get("cookie", "")),
        "headers": _pairs(headers),
        "queryString": _query(shown["query"]),
        "headersSize": -1,
        "bodySize": request["size"],
    }
    if request["body"] is not None:
        made["postData"] = _post_data(request["body"], headers.get("content-type", ""))
    return made


_PLAIN = "/:@!$&'()*+,;=~"
"""What stands in paths as it is (RFC 3986, 3.3)."""


def _post_data(body: JSON, media_type: str) -> Record:
    essence = media_type.partition(";")[0].strip().lower()
    if essence == "multipart/form-data" and isinstance(body, dict):
        params = [
            _param(name, each) for name, value in body.items() for each in (value if isinstance(value, list) else [value])
        ]
        return {"mimeType": media_type, "params": params, "text": ""}
    if essence == "application/x-www-form-urlencoded" and isinstance(body, str):
        return {"mimeType": media_type, "params": _query(body), "text": body}
    return {"mimeType": media_type, "params": [], "text": _text(body)}


def _param(name: str, value: JSON) -> Record:
    if isinstance(value, dict) and value.keys() == {"file", "content_type", "size"}:
        return {"name": name, "fileName": value["file"], "contentType": value["content_type"]}
    return {"name": name, "value": _text(value)}


def _content(reply: Record, headers: dict[str, str]) -> Record:
    made: Record = {"size": reply["size"], "mimeType": headers.get("content-type", "")}
    if reply["body"] is not None:
        made["text"] = _text(reply["body"])
    return made


def _text(body: JSON) -> str:
    return body if isinstance(body, str) else values.dump(body).decode()


def _pairs(headers: dict[str, str]) -> list[Record]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def _query(text: str) -> list[Record]:
    try:
        pairs = parse_pairs(text.encode("utf-8", "surrogateescape"))
    except Undecodable:
        pairs = [(name, value) for name, _, value in (piece.partition("=") for piece in text.split("&") if piece)]
    return [{"name": name, "value": value} for name, value in pairs]


def _cookies(text: str, named: int | None = None) -> list[Record]:
    """The cookies of a header that is shown; `named` is how many pairs name one, where others are its attributes."""
    if not text:
        return []
    if text == REDACTED:
        return [{"name": REDACTED, "value": REDACTED}]
    pairs = (piece.strip().partition("=") for piece in text.split(";")[:named])
    return [{"name": name, "value": value} for name, _, value in pairs if name]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
