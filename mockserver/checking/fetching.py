"""Other documents to compare with: files, and what is fetched from a URL."""

from __future__ import annotations

import contextlib
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from mockserver.checking.subject import Subject
from mockserver.contract.errors import DocumentError

_LIMIT = 64 * 2**20
"""Bytes of a fetched document; chosen: ten times the largest that is known to us."""


def subject(name: str, timeout_s: float) -> Subject:
    """Return the document at a URL or in a file. Raises `DocumentError`: what cannot be reached, or is no document."""
    if urlsplit(name).scheme not in ("http", "https"):
        if "://" in name:
            raise DocumentError(name, "only http and https can be fetched; save it, and name the file")
        return Subject(Path(name))
    with _fetched(name, timeout_s) as path:
        try:
            return Subject(path, name)
        except DocumentError as error:
            if error.path == path.resolve() or error.path == path:
                raise DocumentError(name, error.reason, error.place) from error
            raise


def _read(answer: IO[bytes], until: float) -> bytes:
    # A timeout of the socket is one of each piece: a server that trickles would never end.
    pieces, size = [], 0
    while (piece := answer.read(2**16)) and size <= _LIMIT:
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > until:
            raise TimeoutError
    return b"".join(pieces)


@contextlib.contextmanager
def _fetched(url: str, timeout_s: float) -> Iterator[Path]:
    request = urllib.request.Request(url, headers={"accept": "application/json, application/yaml, */*;q=0.5"})
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            text = _read(answer, time.monotonic() + timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        raise DocumentError(url, f"answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        told = f"did not answer within {timeout_s:g} s" if isinstance(reason, TimeoutError) else f"cannot be fetched: {reason}"
        raise DocumentError(url, told) from error
    if len(text) > _LIMIT:
        raise DocumentError(url, f"is larger than {_LIMIT // 2**20} MiB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "document.yaml"  # which JSON is as well
        if text.lstrip()[:1] == b"{":
            path = path.with_suffix(".json")
        path.write_bytes(text)
        yield path
