"""One request and its reply, wherever they were recorded."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from mockserver.reporting.finding import Place

LARGEST_BODY = 64 * 2**20
"""Bytes that a compressed body may come to: a few kilobytes can stand for terabytes."""
ENCODINGS = frozenset(("gzip", "x-gzip", "deflate", "identity", ""))
"""Content codings that can be read."""


class Header(NamedTuple):
    """A header as it was sent, its name in lower case; `at` is where it stands in the exchange's own record."""

    name: str
    value: str
    at: str = ""


@dataclass(frozen=True)
class Payload:
    """A body. `gap` says in half a sentence why `data` is not all that was sent; empty when it is.

    A form that `lacks_files` can be read all the same: of its files only the bytes are missing.
    """

    data: bytes = b""
    gap: str = ""
    lacks_files: bool = False


@dataclass(frozen=True)
class Places:
    """Where the parts of an exchange stand: the file, the pointer of its record, and pointers in that by part."""

    file: str
    record: str
    parts: dict[str, str] = field(default_factory=dict)

    def of(self, part: str, at: str = "") -> Place:
        """The place of a part: `path`, `query`, `header`, `cookie`, `body`, `status`, `reply header`, `reply body`."""
        return Place(self.file, self.record + (at or self.parts.get(part, "")))


@dataclass(frozen=True)
class Exchange:
    """A request and its reply.

    `url` is absolute or begins with a slash. `status` None: there was no reply. `at` is when it began, as the recording has
    it. `is_live` says that nothing was taken out of it, as recordings are stripped of credentials. `note` is why its reply is
    not whole.
    """

    number: int
    method: str
    url: str
    headers: tuple[Header, ...]
    body: Payload
    status: int | None
    reply_headers: tuple[Header, ...]
    reply_body: Payload
    places: Places
    at: str = ""
    is_live: bool = False
    note: str = ""
    duration_ms: float = 0.0

    @property
    def path(self) -> str:
        """The path as it was sent, encoded."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> str:
        """The query as it was sent, encoded, without the question mark."""
        return urlsplit(self.url).query

    @property
    def host(self) -> str:
        """Host and port; empty when the recording does not say."""
        return urlsplit(self.url).netloc.rpartition("@")[2].lower()

    def header(self, name: str) -> str:
        """A header of the request; several of one name are joined."""
        return joined(self.headers, name)

    def reply_header(self, name: str) -> str:
        """A header of the reply."""
        return joined(self.reply_headers, name)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def joined(headers: Iterable[Header], name: str) -> str:
    """The values of all headers of one name, as HTTP joins them."""
    return ", ".join(header.value for header in headers if header.name == name)


def table(headers: Iterable[Header]) -> dict[str, str]:
    """Headers by their names."""
    made: dict[str, str] = {}
    for header in headers:
        between = "; " if header.name == "cookie" else ", "
        made[header.name] = f"{made[header.name]}{between}{header.value}" if header.name in made else header.value
    return made


def uncompressed(body: Payload, encoding: str, *, may_be_plain: bool) -> Payload:
    """Return a body without its content coding. `may_be_plain`: many recorders undo it and leave the header."""
    if body.gap or not body.data:
        return body
    codings = [each.strip().lower() for each in encoding.split(",") if each.strip()]
    data = body.data
    for coding in reversed(codings):
        if coding in ("gzip", "x-gzip") and (data[:2] == b"\x1f\x8b" or not may_be_plain):
            opened = _inflate(data, 31)
        elif coding == "deflate" and not may_be_plain:
            opened = _inflate(data, 15) or _inflate(data, -15)
        elif coding in ENCODINGS or may_be_plain:
            continue
        else:
            return Payload(b"", f"it is compressed by {coding}, which cannot be read here")
        if opened is None:
            return Payload(b"", f"it says that it is compressed by {coding}, and is not, or is too large")
        data = opened
    return Payload(data)


def _inflate(data: bytes, window: int) -> bytes | None:
    opener = zlib.decompressobj(window)
    try:
        made = opener.decompress(data, LARGEST_BODY)
    except zlib.error:
        return None
    return None if opener.unconsumed_tail or not opener.eof else made


def note_of(ending: str) -> str:
    """What there is to be said of how a reply of ours ended, by the word of the journal; empty for a whole one."""
    if ending == "spoilt":
        return "a fault made the body unreadable"
    return "" if ending == "whole" else f"the connection ended early ({ending})"
