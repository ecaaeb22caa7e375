"""YAML and JSON files as JSON values, without YAML's surprises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.errors import DocumentError
from mockserver.contract.reading import line_of, parse_text, read_file

YAML = Path("document.yaml")


def read(text: str) -> Any:
    return parse_text(text.encode(), YAML)


@pytest.mark.parametrize("text", ["2026-05-03", "2026-05-03T17:08:55Z", "2026-05-03 17:08:55", "2026-05-03T17:08:55.5+02:00"])
def test_reading_leaves_times_as_text(text: str) -> None:
    assert read(f"at: {text}") == {"at": text}


@pytest.mark.parametrize("key", ["200", "no", "on", "y", "1.0", "null", "~", "true", "2026-05-03", "0x10", "012"])
def test_reading_takes_keys_as_written(key: str) -> None:
    assert read(f"{key}: 1") == {key: 1}


def test_reading_keys_of_one_value_in_two_spellings_are_two() -> None:
    assert read("1: a\n1.0: b\n'01': c") == {"1": "a", "1.0": "b", "01": "c"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "3"),
        ("top:\n  x: {a: 1, a: 2}\n", "2"),
        ("200: a\n'200': b\n", "2"),
        ("- a: 1\n-\n  b: 1\n  b: 1\n", "4"),
    ],
    ids=["top", "flow", "two-spellings", "in-a-list"],
)
def test_reading_refuses_duplicate_keys_with_their_line(text: str, line: str) -> None:
    with pytest.raises(DocumentError, match="is there twice") as caught:
        read(text)
    assert caught.value.place == line
    assert str(caught.value).startswith(f"document.yaml:{line}: ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1, 2\n", "3"),
        ("a: 1\n\tb: 2\n", "2"),
        ("a: b: c\n", "1"),
        ("a: *nowhere\n", "1"),
        ("a: 1\n--- \nb: 2\n", "2"),
    ],
    ids=["open-list", "tab", "two-colons", "unknown-anchor", "two-documents"],
)
def test_reading_bad_yaml_tells_the_line(text: str, line: str) -> None:
    with pytest.raises(DocumentError, match="is not valid YAML") as caught:
        read(text)
    assert caught.value.place == line


@pytest.mark.parametrize("text", ["? [a, b]\n: 1", "? {a: 1}\n: 1"], ids=["list", "object"])
def test_reading_refuses_keys_that_are_no_text(text: str) -> None:
    with pytest.raises(DocumentError, match="a key must be a text"):
        read(text)


@pytest.mark.parametrize("text", ["a: !!python/object/apply:os.getcwd []", "a: !thing 1", "a: &x [*x]"])
def test_reading_refuses_what_no_json_can_say(text: str) -> None:
    with pytest.raises(DocumentError, match="is not valid YAML"):
        read(text)


@pytest.mark.parametrize(
    "text", ["a: !!binary aGk=", "a: !!set {b, c}", "a: !!timestamp 2026-05-03"], ids=["bytes", "set", "date"]
)
def test_reading_refuses_tags_of_other_types(text: str) -> None:
    """A bundle is kept as JSON, so a value that JSON does not have must end in an error that names the file."""
    with pytest.raises(DocumentError):
        read(text)


def test_reading_merge_keys_may_be_overridden() -> None:
    """YAML's merge key: the mapping's own keys win (yaml.org/type/merge.html). That is no key given twice."""
    assert read("base: &base {a: 1, b: 2}\nmade: {<<: *base, b: 3}") == {"base": {"a": 1, "b": 2}, "made": {"a": 1, "b": 3}}


def test_reading_merge_keys_are_merged() -> None:
    assert read("base: &base {a: 1}\nmade: {<<: *base, b: 3}")["made"] == {"a": 1, "b": 3}


def test_reading_follows_anchors() -> None:
    assert read("a: &x [1]\nb: *x") == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("''", ""),
        ("'1'", "1"),
        ("text", "text"),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_reading_scalars_are_what_json_has(text: str, value: Any) -> None:
    assert read(f"a: {text}") == {"a": value}


@pytest.mark.parametrize("text", [b"a: \xff\xfe\xff", b"a: \x01"], ids=["not-utf8", "control-character"])
def test_reading_refuses_bytes_that_are_no_text(text: bytes) -> None:
    with pytest.raises(DocumentError, match="is not valid YAML"):
        parse_text(text, YAML)


def test_reading_json_files_as_json() -> None:
    assert parse_text(b'{"a": "2026-05-03", "b": 12345678901234567890}', Path("d.json")) == {
        "a": "2026-05-03",
        "b": 12345678901234567890,
    }


def test_reading_bad_json_tells_the_line() -> None:
    with pytest.raises(DocumentError, match=r"d\.json.*line 2"):
        parse_text(b'{"a": 1,\n]', Path("d.json"))


def test_reading_yaml_in_a_json_file_is_refused() -> None:
    with pytest.raises(DocumentError, match="is not valid JSON"):
        parse_text(b"a: 1", Path("d.json"))


def test_reading_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"none\.yaml: cannot be read: No such file"):
        read_file(tmp_path / "none.yaml")


def test_reading_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        read_file(tmp_path)


LINES = b"a: 1\nlist:\n  - x: 1\n  - y: 2\n    z: {deep: 3}\n200: here\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [((), None), (("a",), 1), (("list",), 2), (("list", 1), 4), (("list", 1, "z", "deep"), 5), (("200",), 6), (("list", 9), 2)],
)
def test_line_of_a_place(path: tuple[str | int, ...], line: int | None) -> None:
    assert line_of(LINES, path) == line


def test_line_of_an_unknown_key_is_that_of_its_holder() -> None:
    assert line_of(LINES, ("list", 1, "none")) == 4
