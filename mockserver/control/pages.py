"""The files of the page for people, as a browser gets them: never anything from elsewhere, and once only.

Whatever reaches the page from the outside is put in as text. Should a piece of it become markup nevertheless, the policy keeps
it from running: no script but the files beside this one, no other host, no frame (CSP level 3; Fetch, `nosniff`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from mockserver.contract.problems import NOT_FOUND, Problem
from mockserver.contract.replies import Reply

FOLDER = Path(__file__).parent / "inspector"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class _File(NamedTuple):
    body: bytes
    media_type: str
    etag: str


class Pages:
    """Serves what lies in the folder, read when it is first asked for."""

    def reply(self, name: str, headers: Mapping[bytes, bytes]) -> Reply:
        """Return a file, or 304 to who has it. Fails: `not-found`."""
        file = self._files.get(name)
        if file is None:
            raise Problem(NOT_FOUND, f"The page has no file {name}")
        told = {
            "etag": file.etag,
            "cache-control": "no-cache",  # kept, but asked for again: an update of the package shows at once
            "content-security-policy": POLICY,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }
        if file.etag in _listed(headers.get(b"if-none-match", b"")):
            return Reply(304, None, told, file.media_type)
        return Reply(200, file.body, told, file.media_type)

    @cached_property
    def _files(self) -> dict[str, _File]:
        return {path.name: _file(path) for path in FOLDER.iterdir() if path.suffix in _MEDIA_TYPES}


def _file(path: Path) -> _File:
    body = path.read_bytes()
    return _File(body, _MEDIA_TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:20]}"')


def _listed(condition: bytes) -> list[str]:
    """The tags of an `If-None-Match`; weak ones count as well (RFC 9110, 13.1.2)."""
    return [tag.strip().removeprefix("W/") for tag in condition.decode("latin-1").split(",")]
