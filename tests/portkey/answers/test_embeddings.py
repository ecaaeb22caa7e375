"""Embeddings: vectors whose nearness follows the words."""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse

from mockserver.portkey.answers import embeddings, tokens
from mockserver.values import JSON
from tests.portkey.answers.given import STEADY, Judge, chance, texts

SMALL = "text-embedding-3-small"


def reply(given_: JSON, model: str = SMALL, seed: int = 7, **fields: JSON) -> Any:
    return embeddings.answer({"input": given_, **fields}, model, chance(seed))


def vectors(given_: JSON, **options: Any) -> list[list[float]]:
    return [each["embedding"] for each in reply(given_, **options)["data"]]


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def length(vector: list[float]) -> float:
    return math.sqrt(sum(each * each for each in vector))


def test_equal_texts_get_equal_vectors() -> None:
    """Whatever stands beside them, and in whichever call."""
    one, other, again = vectors(["a parcel", "a garden", "a parcel"])
    assert one == again == vectors("a parcel")[0]
    assert one != other


def test_world_and_model_have_spaces_of_their_own() -> None:
    (one,), (other,), (third,) = vectors("a parcel"), vectors("a parcel", seed=8), vectors("a parcel", model="ada")
    assert max(likeness(one, other), likeness(one, third)) < 0.5


@pytest.mark.parametrize(
    ("model", "fields", "size"),
    [
        (SMALL, {}, 1536),
        ("text-embedding-ada-002", {}, 1536),
        ("text-embedding-3-large", {}, 3072),
        (SMALL, {"dimensions": 5000}, 5000),
        (SMALL, {"dimensions": 4}, 4),
        (SMALL, {"dimensions": 1}, 1),
    ],
)
def test_vector_has_its_size(model: str, fields: dict[str, JSON], size: int) -> None:
    (made,) = vectors("a parcel", model=model, **fields)
    assert len(made) == size
    assert length(made) == pytest.approx(1, abs=1e-6)


def test_shorter_vector_is_the_beginning_of_the_longer() -> None:
    (whole,), (short,) = vectors("How do I return a parcel?"), vectors("How do I return a parcel?", dimensions=256)
    scale = length(whole[:256])
    assert short == pytest.approx([each / scale for each in whole[:256]], abs=1e-6)


@pytest.mark.parametrize("size", [1536, 256])
def test_nearness_follows_the_words(size: int) -> None:
    given_ = [
        "How do I return a parcel?",
        "how do I return a parcel",
        "How can I return a package?",
        "What are your opening hours?",
    ]
    first, same, near, far = vectors(given_, dimensions=size)
    assert likeness(first, same) > 0.95
    assert 0.4 < likeness(first, near) < 0.9
    assert abs(likeness(first, far)) < 0.3


def test_parts_of_words_count() -> None:
    one, more, other = vectors(["parcel", "parcels", "garden"])
    assert likeness(one, more) > likeness(one, other) + 0.1


def test_text_of_no_words_has_a_vector() -> None:
    empty, marks = vectors(["", "?!"])
    assert empty != marks
    assert length(empty) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("size", [3, 1536])
def test_base64_is_the_floats(size: int) -> None:
    floats = vectors(["a parcel", "a garden"], dimensions=size)
    coded = [each["embedding"] for each in reply(["a parcel", "a garden"], dimensions=size, encoding_format="base64")["data"]]
    assert [list(struct.unpack(f"<{size}f", base64.b64decode(each))) for each in coded] == floats


@pytest.mark.parametrize(
    ("given_", "count", "read"),
    [("How do I return a parcel?", 1, 7), (["Hello, world!", "Hi"], 2, 5), ([5, 6, 7], 1, 3), ([[5, 6], [7]], 2, 3)],
    ids=str,
)
def test_inputs_are_counted(given_: JSON, count: int, read: int) -> None:
    made = reply(given_)
    assert [each["index"] for each in made["data"]] == list(range(count))
    assert made["usage"] == {"prompt_tokens": read, "total_tokens": read}


def test_tokens_have_vectors_near_those_that_share_them() -> None:
    one, near, far = vectors([[1, 2, 3, 4], [1, 2, 3, 5], [7, 8, 9]])
    assert likeness(one, near) > 0.6 > likeness(one, far)


def test_as_many_inputs_as_are_allowed() -> None:
    assert len(vectors([f"text {number}" for number in range(2048)], dimensions=8)) == 2048


@pytest.mark.parametrize("fields", [{}, {"encoding_format": "base64"}, {"dimensions": 2}], ids=str)
def test_reply_keeps_the_document(fields: dict[str, JSON], faults: Judge) -> None:
    made = reply(["a parcel", "a garden"], **fields)
    assert faults("EmbeddingList", made) == []
    if "encoding_format" not in fields:
        CreateEmbeddingResponse.model_validate(made, strict=True)


@STEADY
@given(texts, st.integers(1, 40))
def test_any_text_has_a_vector_of_length_one(text: str, size: int) -> None:
    (made,) = vectors(text, dimensions=size)
    assert len(made) == size
    assert length(made) == pytest.approx(1, abs=1e-6)
    assert reply(text)["usage"]["prompt_tokens"] == tokens.count(text)
