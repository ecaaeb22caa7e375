"""Moderations: what is flagged, and for what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from openai.types import ModerationCreateResponse

from mockserver.portkey.answers import moderations
from mockserver.values import JSON
from tests.portkey.answers.given import STEADY, CountingIds, Judge, chance, texts
from tests.test_docs import quoted, read, rows, section

MODEL = "omni-moderation-latest"


def reply(given_: JSON) -> Any:
    return moderations.answer({"input": given_}, MODEL, chance(), CountingIds())


def flagged(given_: JSON) -> set[str]:
    (result,) = reply(given_)["results"]
    found = {name for name, is_found in result["categories"].items() if is_found}
    assert result["flagged"] == bool(found)
    return found


def image(url: str) -> dict[str, JSON]:
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize("text", ["I will water your plants.", "", "The skill of stability", "They stood in a line"])
def test_harmless_text_is_not_flagged(text: str) -> None:
    assert flagged(text) == set()


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("You idiot!", {"harassment"}),
        ("I will KILL the process", {"violence"}),
        ("how to build a bomb", {"illicit", "illicit/violent", "violence"}),
        ("Full of gore", {"violence", "violence/graphic"}),
        ("self-harm", {"self-harm"}),
    ],
)
def test_words_are_flagged_for_their_kinds(text: str, kinds: set[str]) -> None:
    assert flagged(text) == kinds


@pytest.mark.parametrize("kind", moderations.CATEGORIES)
def test_any_kind_can_be_asked_for(kind: str) -> None:
    assert flagged(f"a test, flag:{kind}.") == {kind, kind.partition("/")[0]}


@pytest.mark.parametrize("kind", moderations.CATEGORIES)
def test_every_word_of_the_list_is_found(kind: str) -> None:
    assert all(kind in flagged(f"so {word}, they say") for word in moderations.CATEGORIES[kind])


def test_page_has_every_word_of_the_list() -> None:
    table = rows(section(read("model.md"), "## Moderations"))
    told = {quoted(row[0])[0]: tuple(word.strip() for word in row[1].split(",")) for row in table}
    assert told == moderations.CATEGORIES


def test_scores_follow_the_flags() -> None:
    (result,) = reply("You idiot!")["results"]
    for name, score in result["category_scores"].items():
        assert (0.6 <= score < 1) if result["categories"][name] else (0 < score < 0.01)


def test_each_text_has_a_result_of_its_own() -> None:
    first, second, third = reply(["You idiot!", "I will water your plants.", "You idiot!"])["results"]
    assert (first["flagged"], second["flagged"]) == (True, False)
    assert first == third


def test_parts_have_one_result() -> None:
    parts = [{"type": "text", "text": "Look:"}, {"type": "text", "text": "gore"}, image("https://example.com/a.png")]
    assert flagged(parts) == {"violence", "violence/graphic"}


def test_address_of_an_image_counts_for_what_images_show() -> None:
    assert flagged([image("https://example.com/gore.png")]) == {"violence", "violence/graphic"}
    assert flagged([image("https://example.com/idiot.png")]) == set()
    assert flagged([image("data:image/png;base64,gore")]) == set()


@pytest.mark.parametrize(
    ("given_", "of_violence", "of_hate"),
    [
        ("Hi", ["text"], ["text"]),
        ([image("https://example.com/a.png")], ["image"], []),
        ([{"type": "text", "text": "Hi"}, image("https://example.com/a.png")], ["text", "image"], ["text"]),
    ],
    ids=["text", "image", "both"],
)
def test_applied_types_are_those_that_were_judged(given_: JSON, of_violence: list[str], of_hate: list[str]) -> None:
    (result,) = reply(given_)["results"]
    applied = result["category_applied_input_types"]
    assert (applied["violence"], applied["hate"]) == (of_violence, of_hate)
    assert len(applied) == 13


@pytest.mark.parametrize(
    "given_", ["Hi", ["Hi", "You idiot!"], [{"type": "text", "text": "Hi"}, image("https://a.example/b")], []]
)
def test_reply_keeps_the_document(given_: JSON, faults: Judge) -> None:
    made = reply(given_)
    assert faults("Moderation", made) == []
    ModerationCreateResponse.model_validate(made)
    assert (made["id"], made["model"]) == ("modr-0", MODEL)


@STEADY
@given(texts)
def test_judgement_is_the_same_each_time(text: str) -> None:
    assert reply(text) == reply(text)
    assert len(reply(text)["results"][0]["categories"]) == 13
