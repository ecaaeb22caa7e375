"""The one loader of documents and fixtures: from the cache when it is fresh, else from their files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mockserver.contract import caching
from mockserver.contract.errors import DocumentError
from mockserver.values import JSON, Record


@dataclass(frozen=True)
class Loaded:
    """A bundled, normalised document, and what was wrong with its references."""

    document: Record
    faults: list[str]


def load_document(path: Path, cache: Path | None = None) -> Loaded:
    """Return the document at `path`. Raises `DocumentError` when it cannot be read.

    `cache` is where its bundle is looked for first, for a document that ships with one.
    """
    check_file(path)
    value = _cached(path, cache, _bundle)
    return Loaded(value["document"], value["faults"])


def load_value(path: Path, cache: Path | None = None) -> JSON:
    """Return the value of a YAML file. Raises `DocumentError` when it cannot be read."""
    check_file(path)
    return _cached(path, cache, _value)


def check_file(path: Path) -> None:
    """Raise `DocumentError` when there is no file to be read."""
    if path.is_dir():
        raise DocumentError(path, "is a folder; name a file in it")
    if not path.is_file():
        raise DocumentError(path, "there is no such file")


def build(path: Path, cache: Path, *, document: bool) -> None:
    """Make the cache of a document or another YAML file that ships with the package."""
    cache.parent.mkdir(parents=True, exist_ok=True)  # for all who may read the package, unlike a cache of one user
    value, sources = (_bundle if document else _value)(path)
    caching.save(cache, path.resolve().parent, value, sources)


def _cached(path: Path, cache: Path | None, read: Callable[[Path], tuple[JSON, dict[Path, bytes]]]) -> JSON:
    path = path.resolve()
    own = caching.user_cache(path, "document" if read is _bundle else "value")
    for place in (cache, own):
        if place is not None and (value := caching.load(place, path.parent)) is not None:
            return value
    value, sources = read(path)
    with contextlib.suppress(OSError):  # a place that cannot be written costs time, nothing else
        caching.save(own, path.parent, value, sources)
    return value


def _bundle(path: Path) -> tuple[JSON, dict[Path, bytes]]:
    # Imported here: a normal start finds a cache and needs neither YAML nor these.
    from mockserver.contract.bundling import bundle
    from mockserver.contract.normalising import normalise

    made = bundle(path)
    return {"document": normalise(made.document), "faults": made.faults}, made.sources


def _value(path: Path) -> tuple[JSON, dict[Path, bytes]]:
    from mockserver.contract.reading import parse_text, read_bytes

    text = read_bytes(path)
    return parse_text(text, path), {path: text}
