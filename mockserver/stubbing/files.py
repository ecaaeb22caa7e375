"""Files of mappings, as WireMock keeps them: a mapping, a list of them, or an object with `mappings`, one or many a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mockserver.contract.errors import DocumentError
from mockserver.values import JSON


def files(path: Path) -> list[Path]:
    """Return the files at a path: itself, or all below a folder. Raises `DocumentError`."""
    if path.is_dir():
        found = sorted(path.rglob("*.json"))
        if not found:
            raise DocumentError(path, "there is no .json file in it")
        return found
    if not path.is_file():
        raise DocumentError(path, "there is no such file")
    return [path]


def mappings_in(value: JSON) -> Iterator[tuple[list[str], JSON]]:
    """Yield what should be mappings in the value of a file, each with the steps to its place."""
    several = value.get("mappings") if isinstance(value, dict) else None
    if isinstance(several, list):
        yield from ((["mappings", str(at)], mapping) for at, mapping in enumerate(several))
    elif isinstance(value, list):
        yield from (([str(at)], mapping) for at, mapping in enumerate(value))
    else:
        yield [], value
