"""Bundles kept on disk: used when fresh, ignored when anything is odd about them."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from mockserver.contract import caching
from mockserver.contract.loading import load_document, load_value

DOCUMENT = """openapi: 3.0.3
info: {title: Tested, version: '1'}
paths:
  /a: {$ref: 'part.yaml#/a'}
"""
PART = "a: {get: {summary: SUMMARY, responses: {'200': {description: Fine.}}}}\n"


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the caches of this test lie, told as a user tells it."""
    home = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "part.yaml").write_text(PART.replace("SUMMARY", "first"))
    path = tmp_path / "document.yaml"
    path.write_text(DOCUMENT)
    return path


def summary(source: Path, cache: Path | None = None) -> str:
    loaded = load_document(source, cache).document
    return str(loaded["paths"]["/a"]["get"]["summary"])


def cache_of(source: Path) -> Path:
    return caching.user_cache(source.resolve(), "document")


def tamper(cache: Path) -> None:
    """Write another summary into the cache as if it were what the sources say: it shows whether the cache was used."""
    head, _, payload = cache.read_bytes().partition(b"\n")
    facts = orjson.loads(head)
    payload = payload.replace(b'"first"', b'"cache"')
    facts["digest"] = caching._digest(payload)
    cache.write_bytes(orjson.dumps(facts) + b"\n" + payload)


def test_cache_is_written_on_first_use(source: Path) -> None:
    assert summary(source) == "first"
    assert cache_of(source).is_file()


def test_cache_lies_in_the_users_cache_folder(source: Path, cache_home: Path) -> None:
    assert cache_of(source).parent == cache_home / "mockserver"


def test_cache_that_is_fresh_is_used(source: Path) -> None:
    summary(source)
    tamper(cache_of(source))
    assert summary(source) == "cache"


@pytest.mark.parametrize("name", ["document.yaml", "part.yaml"])
def test_cache_of_a_changed_source_is_ignored(source: Path, name: str) -> None:
    summary(source)
    tamper(cache_of(source))
    changed = source.parent / name
    changed.write_text(changed.read_text() + "# changed\n")
    assert summary(source) == "first"


def test_cache_follows_its_source(source: Path) -> None:
    summary(source)
    (source.parent / "part.yaml").write_text(PART.replace("SUMMARY", "second"))
    assert summary(source) == "second"
    tamper_free = orjson.loads(cache_of(source).read_bytes().partition(b"\n")[2])
    assert tamper_free["document"]["paths"]["/a"]["get"]["summary"] == "second"


def test_cache_of_a_missing_source_is_ignored(source: Path) -> None:
    summary(source)
    cache = cache_of(source)
    (source.parent / "part.yaml").unlink()
    assert caching.load(cache, source.parent) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[: len(text) // 2],
        lambda text: text[:-1],
        lambda text: text.replace(b'"first"', b'"other"'),
        lambda text: b"\xff" + text,
        lambda text: text.partition(b"\n")[2],
        lambda text: b"null\n" + text.partition(b"\n")[2],
        lambda text: b"[]\n{}",
        lambda text: b"{}\n{}",
        lambda text: b"\0" * 100,
    ],
    ids=["empty", "half", "cut", "changed", "byte-before", "no-head", "null-head", "list-head", "empty-head", "noughts"],
)
def test_cache_that_is_damaged_is_ignored_and_made_anew(source: Path, damage: object) -> None:
    assert callable(damage)
    summary(source)
    cache = cache_of(source)
    whole = cache.read_bytes()
    cache.write_bytes(damage(whole))
    assert caching.load(cache, source.parent) is None
    assert summary(source) == "first"
    assert cache.read_bytes() == whole


def test_cache_of_another_format_is_ignored(source: Path) -> None:
    summary(source)
    cache = cache_of(source)
    tamper(cache)
    head, _, payload = cache.read_bytes().partition(b"\n")
    cache.write_bytes(orjson.dumps({**orjson.loads(head), "format": caching.FORMAT + 1}) + b"\n" + payload)
    assert summary(source) == "first"


@pytest.mark.skipif(
    os.environ.get("CI") != "true" and (not hasattr(os, "getuid") or os.getuid() != 0), reason="only root can give a file away"
)
def test_cache_of_a_foreign_owner_is_ignored(source: Path) -> None:
    """Somebody who can write into a shared folder must not decide what is served."""
    summary(source)
    cache = cache_of(source)
    tamper(cache)
    os.chown(cache, 12345, -1)
    assert summary(source) == "first"


def test_cache_is_private_to_its_place(source: Path, tmp_path: Path) -> None:
    """Two documents with the same name have caches of their own."""
    other = tmp_path / "other" / "document.yaml"
    other.parent.mkdir()
    other.write_text(DOCUMENT)
    (other.parent / "part.yaml").write_text(PART.replace("SUMMARY", "other"))
    assert (summary(source), summary(other), summary(source)) == ("first", "other", "first")


def test_cache_that_cannot_be_written_does_no_harm(source: Path, cache_home: Path) -> None:
    """A file stands where the folder should be: nobody can write there, not even root."""
    cache_home.write_text("in the way")
    assert summary(source) == "first"
    assert cache_home.read_text() == "in the way"


def test_cache_leaves_no_half_written_file(source: Path, cache_home: Path) -> None:
    summary(source)
    assert [path.name for path in (cache_home / "mockserver").iterdir()] == [cache_of(source).name]


def test_cache_save_fails_whole(tmp_path: Path) -> None:
    """What cannot be written as JSON leaves no file behind."""
    with pytest.raises(TypeError):
        caching.save(tmp_path / "c" / "x.json", tmp_path, {1: object()}, {})
    assert not list(tmp_path.glob("c/*"))


def test_shipped_bundle_is_tried_first(source: Path, tmp_path: Path) -> None:
    shipped = tmp_path / "shipped" / "document.json"
    caching.save(shipped, source.parent, load_shipped(source), {source: source.read_bytes()})
    assert summary(source, shipped) == "shipped"


def test_shipped_bundle_older_than_its_source_is_not_used(source: Path, tmp_path: Path) -> None:
    shipped = tmp_path / "shipped" / "document.json"
    caching.save(shipped, source.parent, load_shipped(source), {source: b"what it was"})
    assert summary(source, shipped) == "first"


def load_shipped(source: Path) -> object:
    loaded = load_document(source)
    return {"document": {**loaded.document, "paths": {"/a": {"get": {"summary": "shipped"}}}}, "faults": []}


def test_cache_keeps_the_faults(source: Path) -> None:
    (source.parent / "part.yaml").write_text("b: 1\n")
    first, second = load_document(source), load_document(source)
    assert first.faults == second.faults
    assert len(first.faults) == 1


@pytest.mark.parametrize("text", ["null", "{}", "[]", "false", "0"])
def test_values_that_are_falsy_are_cached_too(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fixture.yaml"
    path.write_text(text)
    assert load_value(path) == load_value(path) == orjson.loads(text)


def test_cache_of_a_document_is_not_taken_for_the_value_of_its_file(source: Path) -> None:
    """A file may be read in both ways; what was made of it in one is nothing in the other."""
    load_document(source)
    value = load_value(source)
    assert value["openapi"] == "3.0.3"


def test_shipped_bundle_travels_with_its_document(source: Path, tmp_path: Path) -> None:
    """Sources are named from the document's folder, so that document and bundle may be installed elsewhere."""
    shipped, moved = tmp_path / "one" / "document.json", tmp_path / "two" / "deep" / "document.json"
    caching.save(shipped, source.parent, load_shipped(source), {source: source.read_bytes()})
    moved.parent.mkdir(parents=True)
    shipped.rename(moved)
    assert summary(source, moved) == "shipped"
