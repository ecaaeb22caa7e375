"""docs/coverage.md is what its generator writes, and tells of every operation."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import App

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "generate_coverage.py"))


def written() -> str:
    return (DOCS / "coverage.md").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """The cells of each row of the table of operations."""
    table = written().partition("## Operations")[2]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| `")]


def test_coverage_page_is_not_stale(generator: dict[str, Any]) -> None:
    """`make docs` writes it anew."""
    assert written() == generator["page"]()


def test_coverage_page_has_every_operation_once(shared_app: App) -> None:
    told = [(row[0], row[1], row[2]) for row in rows()]
    assert told == [(f"`{each}`", f"`{each.id}`", each.family) for each in shared_app.contract.operations]


def test_coverage_page_has_the_stub_of_every_operation(shared_app: App) -> None:
    chosen = {f"`{operation}`": kind for operation, kind in shared_app.resolver.chosen.items()}
    assert {row[0]: row[3] for row in rows()} == chosen


def test_coverage_page_adds_up(shared_app: App) -> None:
    kinds = Counter(row[3] for row in rows())
    text = written()
    assert f"{len(shared_app.contract.operations)} operations in " in text
    for kind in ("family", "resource", "sample"):
        assert f"| {kind} | {kinds[kind]} |" in text


def test_every_rule_of_a_family_has_a_source() -> None:
    """A function of a family that names no source, nor its module, tells rumours."""
    silent = [row[1] for row in rows() if row[3] == "family" and row[4] == "document"]
    assert silent == []


def test_every_row_names_a_source() -> None:
    assert [row[1] for row in rows() if not row[4]] == []
    assert {row[4] for row in rows() if row[3] != "family"} == {"document"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Do it.\n\nSource: notes, Errors (AB03).", ["notes, Errors"]),
        ("Source: notes, A (8.2); other notes 12.5 (x; y).", ["notes, A", "other notes 12.5"]),
        ("Source of every rule that names none: notes, Keys.\nMore of it. Source: other.", ["notes, Keys", "other"]),
        ("Rounded up (*chosen*: nobody knows).", ["*chosen*"]),
        ("Source: notes, A; *chosen*: so many days.", ["notes, A", "*chosen*"]),
        ("Source: notes,\n    Long lines. *chosen* too. Source: notes, Long lines.", ["notes, Long lines", "*chosen*"]),
        ("Do it.", []),
    ],
    ids=["one", "several", "module", "chosen", "both", "twice", "none"],
)
def test_sources_are_read_from_docstrings(generator: dict[str, Any], text: str, found: list[str]) -> None:
    assert generator["named_in"](text) == found
