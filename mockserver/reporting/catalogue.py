"""The catalogue of codes: what each means, an example of wrong and right, and how to mend it.

It is data, one YAML file a family in `catalogue/`, read when a command finds or explains something. A code never changes its
meaning; a code that is no longer found stays, marked as `retired`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

from mockserver.reporting.finding import PARTIES, SEVERITIES, Party, Severity

FOLDER = Path(__file__).parent / "catalogue"
_FIELDS = {"title", "severity", "blame", "why", "explanation", "wrong", "right", "mend"}
_OPTIONAL = {"retired"}


@dataclass(frozen=True)
class Entry:
    """One code.

    `title` is half a sentence; `severity`, `blame` and `why` (why that party is to blame) are what a finding has unless it
    says otherwise; `wrong` and `right` are texts in `language`; `mend` says in one sentence what to do.
    """

    code: str
    title: str
    severity: Severity
    blame: Party
    why: str
    explanation: str
    wrong: str
    right: str
    mend: str
    language: str
    retired: bool = False


@dataclass(frozen=True)
class Family:
    """The codes that begin with one letter, and what they are about."""

    letter: str
    title: str
    about: str
    entries: tuple[Entry, ...]


class UnknownCode(KeyError):
    """There is no such code; `near` are those that look like it."""

    def __init__(self, code: str, near: list[str]) -> None:
        super().__init__(code)
        self.code = code
        self.near = near


@cache
def families() -> tuple[Family, ...]:
    """Return all families, by their letters."""
    return tuple(sorted(map(_family, FOLDER.glob("*.yaml")), key=lambda family: family.letter))


@cache
def entries() -> dict[str, Entry]:
    """Return all entries by their codes, in order."""
    return {entry.code: entry for family in families() for entry in family.entries}


def entry(code: str) -> Entry:
    """Return an entry by its code, in capitals or not, with `MS-` or without. Raises `UnknownCode`."""
    wanted = code.strip().upper()
    known = entries()
    for each in (wanted, f"MS-{wanted}"):
        if each in known:
            return known[each]
    raise UnknownCode(code, difflib.get_close_matches(f"MS-{wanted.removeprefix('MS-')}", known, n=3, cutoff=0.7))


def _family(path: Path) -> Family:
    # Imported here: commands that find nothing need no YAML for it.
    import yaml

    value: Any = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    letter = str(value["letter"])
    language = str(value.get("language", "yaml"))
    defaults = value.get("defaults", {})
    made = tuple(_entry(code, defaults | row, letter, language) for code, row in value["codes"].items())
    return Family(letter, value["title"], " ".join(value["about"].split()), made)


def _entry(code: str, row: dict[str, Any], letter: str, language: str) -> Entry:
    # The catalogue is ours: what is wrong with it is our defect.
    assert re.fullmatch(rf"MS-{letter}\d{{3}}", code), code
    assert set(row) - _OPTIONAL - {"language"} == _FIELDS, (code, set(row) ^ _FIELDS)
    assert row["severity"] in SEVERITIES, (code, row["severity"])
    assert row["blame"] in get_args(Party), (code, row["blame"])
    assert set(get_args(Party)) == set(PARTIES)
    return Entry(
        code=code,
        title=row["title"],
        severity=cast(Severity, row["severity"]),
        blame=cast(Party, row["blame"]),
        why=" ".join(row["why"].split()),
        explanation=" ".join(row["explanation"].split()),
        wrong=row["wrong"].rstrip("\n"),
        right=row["right"].rstrip("\n"),
        mend=" ".join(row["mend"].split()),
        language=row.get("language", language),
        retired=bool(row.get("retired", False)),
    )
