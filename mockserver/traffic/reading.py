"""Reads recorded traffic: finds out from what stands in a file which form it has.

A file is read as a whole: 100 MB of HAR take some hundred megabytes of memory, entries are let go as they are judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mockserver.contract.errors import DocumentError
from mockserver.contract.reading import read_bytes
from mockserver.traffic import archives, cassettes, listings
from mockserver.traffic.exchange import Exchange
from mockserver.traffic.faults import Malformed
from mockserver.values import JSON

FORMS = "a HAR file, an export of the journal, or a VCR cassette"
_SUFFIXES = (".har", ".json", ".yaml", ".yml")


def files(path: Path) -> list[Path]:
    """The files of a recording: the file itself, or those of a folder by their names. Raises `DocumentError`."""
    if not path.exists():
        raise DocumentError(path, "there is no such file")
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES and each.is_file())
    if not found:
        raise DocumentError(path, f"there is no recording in the folder; files of one end in {', '.join(_SUFFIXES)}")
    return found


def read(path: Path) -> Iterator[Exchange | Malformed]:
    """Yield the exchanges of a file or a folder, numbered through. Raises `DocumentError` for what is no recording."""
    for file in files(path):
        value = parse(read_bytes(file), file)
        yield from _form(value, file).exchanges(value, str(file))


def _form(value: JSON, file: Path) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("log"), dict):
            return archives
        for name in cassettes.LISTS:
            if isinstance(value.get(name), list):
                return cassettes
        if isinstance(value.get("requests"), list):
            return listings
    found = f"an object with {', '.join(map(str, list(value)[:5])) or 'nothing'}" if isinstance(value, dict) else _kind(value)
    raise DocumentError(file, f"is no recorded traffic: {FORMS} is needed, this is {found}")


def _kind(value: JSON) -> str:
    return {"list": "a list", "str": "a text", "NoneType": "empty"}.get(type(value).__name__, type(value).__name__)


def parse(text: bytes, file: Path) -> JSON:
    """Return the value of a JSON or YAML text. Raises `DocumentError`."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    if text.lstrip()[:1] in (b"{", b"["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass  # browsers write halves of surrogate pairs, which orjson refuses
        try:
            return json.loads(text.decode("utf-8", "surrogatepass"))
        except (ValueError, RecursionError) as error:
            if file.suffix in (".har", ".json"):
                raise DocumentError(file, f"is not valid JSON: {error}; was it written to its end?") from None
    return _yaml(text, file)


def _yaml(text: bytes, file: Path) -> JSON:
    # Imported here: most recordings are JSON.
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else str(error.problem_mark.line + 1)
        raise DocumentError(file, f"is neither JSON nor YAML: {error.problem or error.context}", line) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise DocumentError(file, f"is neither JSON nor YAML: {' '.join(str(error).split())}") from None
