"""Keeps bundled documents as JSON, so that a normal start parses no YAML.

A cache file holds what it was made from (each source with its SHA-256) and a digest of itself. It is used only when all of
that still holds; a damaged, foreign or old one is ignored and made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import orjson

from mockserver.values import JSON

FORMAT = 2
"""Raised whenever the bundler or the normaliser makes something else of the same sources."""


def load(cache: Path, folder: Path) -> JSON:
    """Return the value that a cache file holds, or None when it cannot be trusted.

    `folder` is where the document lies now: its files are named from there, so that a bundle travels with it.
    """
    try:
        if hasattr(os, "getuid") and cache.stat().st_uid not in (os.getuid(), 0):
            return None
        head, _, payload = cache.read_bytes().partition(b"\n")
        facts = orjson.loads(head)
        if facts["format"] != FORMAT or facts["digest"] != _digest(payload):
            return None
        for name, digest in facts["sources"].items():
            if _digest((folder / name).read_bytes()) != digest:
                return None
        return orjson.loads(payload)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save(cache: Path, folder: Path, value: JSON, sources: dict[Path, bytes]) -> None:
    """Write a cache file at once or not at all. Raises `OSError` when the place cannot be written."""
    payload = orjson.dumps(value)
    cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = {
        "format": FORMAT,
        "digest": _digest(payload),
        "sources": {os.path.relpath(path, folder): _digest(text) for path, text in sources.items()},
    }
    handle, name = tempfile.mkstemp(dir=cache.parent, prefix=cache.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(facts) + b"\n" + payload)
        os.chmod(name, 0o644)
        os.replace(name, cache)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def user_cache(source: Path, kind: str) -> Path:
    """Where the cache of a user's own file lies: below XDG_CACHE_HOME, named by the file's place and what it is read as."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "mockserver" / f"{source.stem}-{_digest(str(source).encode())[:16]}-{kind}.json"


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
