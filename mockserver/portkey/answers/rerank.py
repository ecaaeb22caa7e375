"""The order of documents by what they share with a query. Source: gateway-data-plane, /rerank."""

from __future__ import annotations

import re

from mockserver.portkey.answers import tokens
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.ids import Ids
from mockserver.portkey.answers.wording import STOP_WORDS
from mockserver.values import JSON, Record

_WORD = re.compile(r"\w+")
_ENDING = re.compile(r"(ing|ed|es|s)$")

_LEAST, _BY_WORDS, _BY_SHARE, _BY_CHANCE = 0.02, 0.85, 0.09, 0.03
"""What a score is made of: something, the share of the query's words that are there, how much of the document they are,
and chance that depends on the query and the document alone. Together they stay below one."""

_DOCUMENTS_A_UNIT = 100
"""How many documents a search unit pays for, as Cohere bills."""


def answer(body: Record, model: str, chance: Chance, ids: Ids) -> Record:
    """Return the documents, best first; equal ones in the order of the request."""
    query = body["query"]
    chance = chance.of("rerank", model, query)
    texts = [_text(each, body.get("rank_fields"), body.get("max_tokens_per_doc")) for each in body["documents"]]
    wanted = _words(query)
    scores = [_score(wanted, text, chance) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: -scores[index])
    results = []
    for index in order[: body.get("top_n")]:
        result: Record = {"index": index, "relevance_score": scores[index]}
        if body.get("return_documents"):
            document = body["documents"][index]
            result["document"] = document if isinstance(document, dict) else {"text": document}
        results.append(result)
    units = -(-len(texts) // _DOCUMENTS_A_UNIT)
    return {"object": "list", "id": ids.new("rerank-"), "results": results, "model": model, "usage": {"search_units": units}}


def likeness(query: str, text: str, chance: Chance) -> float:
    """Return how much of a query a text has, from 0 to 1."""
    return _score(_words(query), text, chance)


def _score(wanted: set[str], text: str, chance: Chance) -> float:
    words = _words(text)
    both = len(wanted & words)
    share = both / len(words) if words else 0
    found = both / len(wanted) if wanted else 0
    return round(_LEAST + _BY_WORDS * found + _BY_SHARE * share + _BY_CHANCE * chance.of(text).share(), 6)


def _text(document: JSON, fields: list[str] | None, limit: int | None) -> str:
    """What counts of a document."""
    if isinstance(document, dict):
        document = "\n".join(str(document[name]) for name in fields or ("text",) if name in document)
    return document if limit is None else "".join(tokens.pieces(document)[:limit])


def _words(text: str) -> set[str]:
    """The words of a text that say something, without their endings; all of them where none does."""
    words = _WORD.findall(text.lower())
    return {_ENDING.sub("", word) for word in words if word not in STOP_WORDS} or set(words)
