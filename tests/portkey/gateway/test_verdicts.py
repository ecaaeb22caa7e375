"""What the deterministic checks find. Source: gateway-data-plane, Guardrails: Deterministic checks."""

from __future__ import annotations

import pytest

from mockserver.portkey.gateway.verdicts import CheckFailed, Subject, check
from mockserver.values import Record

LONG = "x" * 101
CODE = "Use this:\n```py\nprint(1)\n```"
JSON_TEXT = 'Here you are: ```json\n{"name": "Ada", "age": 36}\n```'
SCHEMA: Record = {"type": "object", "required": ["name"], "properties": {"age": {"type": "integer"}}}


def subject(text: str, kind: str = "chatComplete", **metadata: str) -> Subject:
    return Subject(text, kind, {"model": "gpt-4o"}, metadata)


@pytest.mark.parametrize(
    ("name", "text", "parameters", "passed"),
    [
        ("regexMatch", "order 66", {"rule": r"\d+"}, True),
        ("regexMatch", "order", {"rule": r"\d+"}, False),
        ("regexMatch", "order", {"rule": r"\d+", "not": True}, True),
        ("contains", "a cat", {"words": ["cat", "dog"], "operator": "any"}, True),
        ("contains", "a cat", {"words": ["cat", "dog"], "operator": "all"}, False),
        ("contains", "a cat", {"words": ["cow", "dog"], "operator": "none"}, True),
        ("contains", "a cat", {"words": ["cat"], "operator": "none"}, False),
        ("wordCount", "one two three", {"minWords": 1, "maxWords": 3}, True),
        ("wordCount", "one two three", {"minWords": 4, "maxWords": 9}, False),
        ("wordCount", "one two three", {"minWords": 4, "maxWords": 9, "not": True}, True),
        ("characterCount", "12345", {"minCharacters": 5, "maxCharacters": 5}, True),
        ("characterCount", "123456", {"minCharacters": 5, "maxCharacters": 5}, False),
        ("sentenceCount", "One. Two! Three?", {"minSentences": 3, "maxSentences": 3}, True),
        ("sentenceCount", "One", {"minSentences": 1, "maxSentences": 3}, False),
        ("endsWith", "the end", {"suffix": "end"}, True),
        ("endsWith", "the end.", {"suffix": "end"}, True),
        ("endsWith", "the ending", {"suffix": "end"}, False),
        ("alluppercase", "LOUD", {}, True),
        ("alluppercase", "Loud", {}, False),
        ("alllowercase", "quiet", {}, True),
        ("isAllLowerCase", "Quiet", {}, False),
        ("jsonSchema", JSON_TEXT, {"schema": SCHEMA}, True),
        ("jsonSchema", '{"age": 3}', {"schema": SCHEMA}, False),
        ("jsonSchema", "no JSON", {"schema": SCHEMA}, False),
        ("jsonKeys", JSON_TEXT, {"keys": ["name", "age"], "operator": "all"}, True),
        ("jsonKeys", JSON_TEXT, {"keys": ["name", "size"], "operator": "all"}, False),
        ("jsonKeys", JSON_TEXT, {"keys": ["name", "size"], "operator": "any"}, True),
        ("jsonKeys", JSON_TEXT, {"keys": ["name"], "operator": "none"}, False),
        ("containsCode", CODE, {"format": "Python"}, True),
        ("containsCode", CODE, {"format": "SQL"}, False),
        ("containsCode", "none", {"format": "SQL", "not": True}, True),
        ("validUrls", "see https://example.com/a", {}, True),
        ("validUrls", "see nothing", {}, False),
        ("notNull", "x", {}, True),
        ("notNull", "  ", {}, False),
        ("modelwhitelist", "", {"models": ["gpt-4o"]}, True),
        ("modelWhitelist", "", {"models": ["other"]}, False),
        ("modelWhitelist", "", {"models": ["other"], "not": True}, True),
        ("allowedRequestTypes", "", {"allowedTypes": ["chatComplete"]}, True),
        ("allowedRequestTypes", "", {"allowedTypes": ["embed"]}, False),
        ("allowedRequestTypes", "", {"blockedTypes": ["chatComplete"]}, False),
        ("allowedRequestTypes", "", {"blockedTypes": "embed, complete"}, True),
        ("requiredMetadataKeys", "", {"metadataKeys": ["team"], "operator": "all"}, True),
        ("requiredMetadataKeys", "", {"metadataKeys": ["team", "user"], "operator": "all"}, False),
        ("requiredMetadataKeys", "", {"metadataKeys": ["team", "user"], "operator": "any"}, True),
        ("webhook", "", {"webhookURL": "https://example.com"}, True),
    ],
)
def test_check_finds(name: str, text: str, parameters: Record, passed: bool) -> None:
    verdict = check(f"default.{name}", subject(text, team="a"), parameters)
    assert verdict.passed is passed
    assert verdict.data


@pytest.mark.parametrize(
    ("name", "parameters", "keys"),
    [
        ("regexMatch", {"rule": "x"}, {"regexPattern", "not", "verdict", "explanation", "matchDetails", "textExcerpt"}),
        ("contains", {"words": ["x"], "operator": "any"}, {"explanation", "foundWords", "missingWords", "operator"}),
    ],
)
def test_data_has_the_keys_of_the_gateway(name: str, parameters: Record, keys: set[str]) -> None:
    assert set(check(f"default.{name}", subject("x"), parameters).data or {}) == keys


def test_contains_tells_what_it_found() -> None:
    data = check("default.contains", subject("a cat"), {"words": ["cat", "dog"], "operator": "all"}).data or {}
    assert (data["foundWords"], data["missingWords"], data["operator"]) == (["cat"], ["dog"], "all")


def test_excerpt_is_cut() -> None:
    data = check("default.regexMatch", subject(LONG), {"rule": "x"}).data or {}
    assert data["textExcerpt"] == "x" * 100 + "..."


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("regexMatch", {"rule": "("}),
        ("regexMatch", {}),
        ("endsWith", {}),
        ("jsonSchema", {}),
        ("jsonSchema", {"schema": {"type": "nothing"}}),
        ("webhook", {}),
    ],
)
def test_check_with_unusable_parameters_fails(name: str, parameters: Record) -> None:
    with pytest.raises(CheckFailed):
        check(f"default.{name}", subject("text"), parameters)


@pytest.mark.parametrize("name", ["portkey.pii", "patronus.isPolite", "default.nothingKnown"])
def test_other_checks_pass(name: str) -> None:
    """*chosen*: no model and no partner is asked."""
    assert check(name, subject("text"), {}).passed is True
