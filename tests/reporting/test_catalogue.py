"""The catalogue of codes, and `mockserver explain`."""

from __future__ import annotations

import ast
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from mockserver.cli import main
from mockserver.reporting import catalogue

ROOT = Path(__file__).parent.parent.parent


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def test_codes_are_numbered_without_gaps() -> None:
    """A code stays for good: one that is no longer found is retired, not removed."""
    for family in catalogue.families():
        numbers = [int(entry.code[4:]) for entry in family.entries]
        assert numbers == list(range(1, len(numbers) + 1)), family.letter


@pytest.mark.parametrize("code", catalogue.entries())
def test_entry_says_it_all(code: str) -> None:
    entry = catalogue.entries()[code]
    assert not entry.title.endswith(".")
    for sentence in (entry.why, entry.explanation, entry.mend):
        assert sentence.endswith("."), sentence
    assert entry.wrong != entry.right
    readers: dict[str, Callable[[str], Any]] = {"json": json.loads, "yaml": yaml.safe_load}
    read = readers.get(entry.language, str)
    for example in (entry.wrong, entry.right):
        if "…" not in example and not example.startswith("GET "):
            read(example)


def test_every_code_that_is_written_anywhere_is_in_the_catalogue() -> None:
    found: set[str] = set()
    for path in (ROOT / "mockserver").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"^MS-[A-Z]\d{3}$", node.value))
    assert found <= set(catalogue.entries())


@pytest.mark.parametrize("code", ["MS-D010", "ms-d010", "D010", "d010"])
def test_explain_tells_of_a_code_however_it_is_written(code: str) -> None:
    result = run(code)
    assert result.exit_code == 0
    assert result.stdout.startswith("MS-D010  Nothing satisfies a schema\n")
    for part in ("to blame: document", "Wrong:", "Right:", "Mend:"):
        assert part in result.stdout


def test_explain_lists_all_codes() -> None:
    listed = re.findall(r"^  (MS-[A-Z]\d{3})  \w+ +\S", run().stdout, re.MULTILINE)
    assert listed == [code for code, entry in catalogue.entries().items() if not entry.retired]


@pytest.mark.parametrize(("code", "message"), [("MS-D01", "near it: MS-D0"), ("nonsense", "there is no code 'nonsense'")])
def test_explain_of_an_unknown_code_is_2(code: str, message: str) -> None:
    result = run(code)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_page_is_what_the_catalogue_says() -> None:
    """`make docs` writes it anew."""
    page = runpy.run_path(str(ROOT / "docs" / "generate_findings.py"))["page"]()
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == page
