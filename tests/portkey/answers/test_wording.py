"""The words that answers are made of."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.portkey.answers import wording
from tests.portkey.answers.given import STEADY, chance, texts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Why do leaves turn red in autumn?", ["leaves", "turn", "red", "autumn"]),
        ("Leaves, leaves and LEAVES", ["leaves"]),
        ("Summarise the contract between Acme Corp and Globex.", ["contract", "Acme Corp", "Globex"]),
        ("What is it?", []),
        ("", []),
        ("12 + 30", []),
    ],
)
def test_keywords_are_what_a_text_is_about(text: str, words: list[str]) -> None:
    assert wording.keywords(text) == words


def test_keywords_are_few() -> None:
    assert wording.keywords("alpha bravo charlie delta echo foxtrot golf", 3) == ["alpha", "bravo", "charlie"]


def test_long_texts_are_looked_at_where_they_begin_and_end() -> None:
    found = wording.keywords("beginning " + "the " * 1000 + "middle " + "the " * 1000 + "ending")
    assert found == ["beginning", "ending"]


@STEADY
@given(texts, st.integers(0, 10**6))
def test_replies_are_whole_sentences(question: str, seed: int) -> None:
    made = wording.reply(question, chance(seed))
    assert made[-1] in ".?!"
    assert "{" not in made or "{" in question
    assert re.search(r"  |\n", made) is None or re.search(r"\s", question)


def test_no_sentence_comes_twice() -> None:
    for seed in range(200):
        sentences = re.split(r"(?<=[.?!]) ", wording.reply("Why do leaves turn red in autumn?", chance(seed)))
        shapes = [re.sub(r"leaves|turn|red|autumn", "_", sentence) for sentence in sentences]
        assert len(set(shapes)) == len(shapes)


def test_replies_differ_in_length() -> None:
    assert len({len(wording.reply("Why do leaves turn red?", chance(seed)).split()) for seed in range(50)}) > 10


def test_long_findings_are_clipped() -> None:
    made = wording.reply("What now?", chance(), "x" * 1000)
    assert f"{'x' * 300}… " in made


@pytest.mark.parametrize(
    ("prompt", "start"), [("The moons of Jupiter are", r" [a-z]"), ("That is all.", r" [A-Z]"), ("", r" [A-Z]")]
)
def test_continuation_goes_on_where_the_prompt_ends(prompt: str, start: str) -> None:
    assert re.match(start, wording.continuation(prompt, chance()))


@pytest.mark.parametrize("least", [0, 1, 30, 500])
def test_spoken_words_are_enough(least: int) -> None:
    words = sum(len(sentence.split()) for sentence in wording.spoken(chance(), least))
    assert least <= words < least + 15
