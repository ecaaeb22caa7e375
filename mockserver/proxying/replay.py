"""Answers calls from a recording: the same method, path, query and body, in the order in which they were recorded.

What was asked several times is answered in turn, and then with the last answer again (chosen: clients that poll or try again
once more must not fail). A placeholder for a secret, and a body that the recording does not have, stand for anything.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from mockserver import values
from mockserver.contract.decoding import parse_pairs
from mockserver.contract.errors import SetupError
from mockserver.contract.forms import Undecodable, parse_multipart
from mockserver.contract.secrets import REDACTED
from mockserver.proxying.upstream import Answer, Asked, Headers, NoAnswer
from mockserver.traffic import reading
from mockserver.traffic.exchange import Exchange
from mockserver.traffic.faults import Malformed
from mockserver.values import JSON, pointer

MOST = 5
"""Differences that are told of the nearest exchange."""
_GONE = frozenset((b"content-encoding", b"content-length", b"transfer-encoding", b"connection", b"keep-alive"))


@dataclass
class _Recorded:
    exchange: Exchange
    path: str
    query: list[tuple[str, str]]
    body: JSON
    is_used: bool = False


class Replay:
    """A recording in the place of a service."""

    def __init__(self, recording: Path) -> None:
        """Raises `SetupError` when there is nothing to answer with."""
        self._recorded: list[_Recorded] = []
        for each in reading.read(recording):
            if isinstance(each, Malformed):
                raise SetupError(f"{each.places.file}#{each.places.record}: {each.why}")
            if each.status is not None:
                query, body = _pairs(each.query), _value(each.body.data, each.header("content-type"))
                self._recorded.append(_Recorded(each, unquote(each.path), query, ... if each.body.gap else body))
        if not self._recorded:
            raise SetupError(f"{recording}: the recording has no exchange with a reply")

    async def send(self, asked: Asked, body: AsyncIterator[bytes] | None) -> Answer:
        """Answer a call. Raises `NoAnswer` for one that was not recorded."""
        data = b"".join([piece async for piece in body]) if body is not None else b""
        found = self._find(asked, data)
        found.is_used = True
        exchange = found.exchange
        headers = [(each.name.encode("latin-1"), each.value.encode("latin-1")) for each in exchange.reply_headers]
        if exchange.reply_body.gap and asked.method != "HEAD":
            message = f"the recording lacks the body of its reply: {exchange.reply_body.gap}"
            raise NoAnswer(502, "not-recorded", message, "MS-T011")
        kept: Headers = [pair for pair in headers if pair[0] not in _GONE]
        reply = exchange.reply_body.data
        if asked.method != "HEAD" and exchange.status not in (204, 304):
            kept.append((b"content-length", b"%d" % len(reply)))
        assert exchange.status is not None
        return Answer(exchange.status, kept, _all(reply), _nothing)

    async def close(self) -> None:
        """Nothing is open."""

    def _find(self, asked: Asked, data: bytes) -> _Recorded:
        path, _, query = asked.target.decode("latin-1").partition("?")
        path, pairs = unquote(path), _pairs(query)
        kind = b", ".join(value for name, value in asked.headers if name.lower() == b"content-type").decode("latin-1")
        body = _value(data, kind)
        alike = [each for each in self._recorded if each.exchange.method == asked.method and _fits(each.path, path)]
        differences = [(list(_differences(each, pairs, body)), each) for each in alike]
        fitting = [each for found, each in differences if not found]
        if fitting:
            return next((each for each in fitting if not each.is_used), fitting[-1])
        raise NoAnswer(502, "not-recorded", *self._nearest(asked.method, path, differences), "MS-T011")

    def _nearest(self, method: str, path: str, differences: list[tuple[list[str], _Recorded]]) -> tuple[str]:
        if differences:
            differs, nearest = min(differences, key=lambda each: len(each[0]))
            told = "; ".join(differs[:MOST])
            return (f"{method} {path} was not recorded in this form. Nearest is {_named(nearest)}: {told}",)
        others = sorted({each.exchange.method for each in self._recorded if _fits(each.path, path)})
        if others:
            return (f"{method} {path} was not recorded, only {', '.join(others)}",)
        close = difflib.get_close_matches(path, {each.path for each in self._recorded}, n=1, cutoff=0)
        return (f"{method} {path} was not recorded. Nearest is {close[0]}",)


def _named(recorded: _Recorded) -> str:
    return f"{recorded.exchange.places.file}{'#' + recorded.exchange.places.record}"


def _differences(recorded: _Recorded, query: list[tuple[str, str]], body: JSON) -> Iterator[str]:
    left = list(query)
    for name, value in recorded.query:
        match = next((pair for pair in left if pair[0] == name and _fits(value, pair[1])), None)
        if match is None:
            yield f"query {name}={value} was recorded"
        else:
            left.remove(match)
    for name, value in left:
        yield f"query {name}={value} was not recorded"
    if recorded.body is not ...:
        yield from _unlike(recorded.body, body, "body")


def _unlike(recorded: JSON, sent: JSON, place: str) -> Iterator[str]:
    if isinstance(recorded, str) and REDACTED in recorded:
        if recorded != REDACTED and not (isinstance(sent, str) and _fits(recorded, sent)):
            yield f"{place} differs"
    elif isinstance(recorded, dict) and isinstance(sent, dict):
        for name in {**recorded, **sent}:
            below = place + pointer(name)
            if name not in recorded or name not in sent:
                yield f"{below} was {'not recorded' if name not in recorded else 'recorded'}"
            else:
                yield from _unlike(recorded[name], sent[name], below)
    elif isinstance(recorded, list) and isinstance(sent, list) and len(recorded) == len(sent):
        for at, (one, two) in enumerate(zip(recorded, sent, strict=True)):
            yield from _unlike(one, two, f"{place}/{at}")
    elif recorded != sent or isinstance(recorded, bool) != isinstance(sent, bool):
        yield f"{place} differs"


def _fits(recorded: str, sent: str) -> bool:
    if REDACTED not in recorded:
        return recorded == sent
    return re.fullmatch(".*".join(map(re.escape, recorded.split(REDACTED))), sent, re.DOTALL) is not None


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_pairs(query.encode("latin-1", "replace"))
    except Undecodable:
        return [("", query)]


def _value(data: bytes, content_type: str) -> JSON:
    """What a body says, whichever way it is written; boundaries of forms differ from call to call."""
    if not data:
        return None
    essence = content_type.partition(";")[0].strip().lower()
    try:
        if essence == "multipart/form-data":
            fields, uploads = parse_multipart(data, content_type)
            return {**fields, **{each.name: [each.file_name, each.content.decode("latin-1")] for each in uploads}}
        if essence == "application/x-www-form-urlencoded":
            return sorted(list(pair) for pair in parse_pairs(data))
        return values.parse(data)
    except (Undecodable, values.NotJSON):
        return data.decode("latin-1")


async def _all(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


async def _nothing() -> None:
    return None
