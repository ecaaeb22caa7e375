"""Rerank: documents in the order of the words that they share with a query."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.portkey.answers import rerank
from mockserver.values import JSON
from tests.portkey.answers.given import STEADY, CountingIds, Judge, chance, texts

QUERY = "When does the shop open?"
DOCUMENTS = [
    "We ship to all of Europe.",
    "Doors open at nine.",
    {"text": "Closed on Sundays.", "source": "faq"},
    "The shop opens early",
]


def reply(query: str = QUERY, documents: JSON = DOCUMENTS, seed: int = 7, **fields: JSON) -> Any:
    return rerank.answer({"query": query, "documents": documents, **fields}, "rerank-v3.5", chance(seed), CountingIds())


def order(**fields: Any) -> list[int]:
    return [each["index"] for each in reply(**fields)["results"]]


def test_more_words_in_common_come_first() -> None:
    assert order()[:2] == [3, 1]
    assert sorted(order()) == [0, 1, 2, 3]


def test_scores_descend_between_nothing_and_one() -> None:
    scores = [each["relevance_score"] for each in reply()["results"]]
    assert scores == sorted(scores, reverse=True)
    assert 1 > scores[0] > 0.8
    assert 0 < scores[-1] < 0.1


def test_score_depends_on_query_and_document_alone() -> None:
    alone = reply(documents=["Doors open at nine."])["results"][0]["relevance_score"]
    assert alone == next(each["relevance_score"] for each in reply()["results"] if each["index"] == 1)


def test_equal_documents_keep_their_order() -> None:
    assert order(documents=["shop", "door", "shop", "shop"]) == [0, 2, 3, 1]


def test_endings_do_not_count() -> None:
    assert order(query="opening shops", documents=["nothing here", "the shop opens"]) == [1, 0]


def test_first_of_them_are_enough() -> None:
    assert order(top_n=2) == order()[:2]
    assert order(top_n=9) == order()


def test_documents_come_back_when_asked_for() -> None:
    assert all("document" not in each for each in reply()["results"])
    found = {each["index"]: each["document"] for each in reply(return_documents=True)["results"]}
    assert found[1] == {"text": "Doors open at nine."}
    assert found[2] == DOCUMENTS[2]


def test_named_fields_count() -> None:
    documents = [{"text": "shop open", "title": "x"}, {"text": "x", "title": "shop open"}, {"text": "shop open"}]
    assert order(documents=documents)[-1] == 1
    assert order(documents=documents, rank_fields=["title"])[0] == 1


def test_only_the_beginning_of_long_documents_counts() -> None:
    documents = ["far " * 50 + "shop open", "near the open door"]
    assert order(documents=documents) == [0, 1]
    assert order(documents=documents, max_tokens_per_doc=10) == [1, 0]


@pytest.mark.parametrize(("count", "units"), [(1, 1), (100, 1), (101, 2)])
def test_units_go_by_the_hundred(count: int, units: int) -> None:
    assert reply(documents=["x"] * count)["usage"] == {"search_units": units}


def test_reply_keeps_the_document(faults: Judge) -> None:
    made = reply(return_documents=True)
    assert faults("Reranking", made) == []
    assert (made["object"], made["id"], made["model"]) == ("list", "rerank-0", "rerank-v3.5")


@STEADY
@given(texts, st.lists(texts, min_size=1, max_size=5))
def test_any_documents_have_an_order(query: str, documents: list[str]) -> None:
    made = reply(query, documents)
    assert sorted(each["index"] for each in made["results"]) == list(range(len(documents)))
    assert all(0 < each["relevance_score"] < 1 for each in made["results"])
    assert made == reply(query, documents)
