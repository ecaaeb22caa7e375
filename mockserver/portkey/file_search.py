"""Looks for words in the files of vector stores: pieces of their texts, the likeliest first.

Source: gateway-data-plane, /vector_stores (the form of results). *chosen*: words in common stand for likeness of meaning, as in
reranking; files whose format is no text have none here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from mockserver.portkey import stored_files, vector_files
from mockserver.portkey.answers import rerank, tokens
from mockserver.portkey.answers.chance import Chance
from mockserver.values import Record
from mockserver.world.world import World

MOST = 10
"""How many are found unless a call says otherwise."""

_NO_TEXTS = frozenset({"pdf", "doc", "docx", "pptx"})

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, among: value in among,
    "nin": lambda value, among: value not in among,
}


class Wanted(NamedTuple):
    """What is looked for: words, in files whose attributes fit, so many at most, each with so high a score at least."""

    query: str
    filters: Record | None = None
    most: int = MOST
    least_score: float = 0.0


def found(world: World, store_ids: list[str], wanted: Wanted) -> list[Record]:
    """Return the best piece of each file in these stores, the best first: `text`, `score`, and what the file is.

    A file that lies in several of them is found once.
    """
    chance = Chance(world.seed, "file-search").of(wanted.query)
    rows: list[Record] = []
    for store_id in store_ids:
        for record in world[vector_files.FILES].newest(vector_store_id=store_id):
            if record["status"] != "completed" or not fits(wanted.filters, record["attributes"]):
                continue
            scored = [(rerank.likeness(wanted.query, piece, chance), piece) for piece in pieces(world, record)]
            if scored:
                score, piece = max(scored, key=lambda each: each[0])
                rows.append({**_named(world, record), "score": score, "text": piece})
    rows = sorted((row for row in rows if row["score"] >= wanted.least_score), key=lambda row: -row["score"])
    best: dict[str, Record] = {}
    for row in rows:
        best.setdefault(row["file_id"], row)
    return list(best.values())[: wanted.most]


def in_tool(world: World, tool: Record, question: str, reaches: Callable[[Record], bool]) -> list[Record]:
    """Return what the tool of a model finds for a question, in those of its stores that the caller reaches."""
    store_ids = vector_files.searchable(world, list(map(str, tool.get("vector_store_ids") or ())), reaches)
    options = tool.get("ranking_options") or {}
    wanted = Wanted(question, tool.get("filters"), tool.get("max_num_results") or MOST, options.get("score_threshold") or 0.0)
    return found(world, store_ids, wanted)


def pieces(world: World, record: Record, *, overlapping: bool = True) -> list[str]:
    """Return the text of a file in a store, in pieces as its chunking strategy has them."""
    settings = record["chunking_strategy"]["static"]
    size = settings["max_chunk_size_tokens"]
    step = max(1, size - settings["chunk_overlap_tokens"]) if overlapping else size
    found = tokens.pieces(_text(world, record["id"]))
    return ["".join(found[at : at + size]) for at in range(0, len(found), step) if at == 0 or at + size - step < len(found)]


def fits(wanted: Record | None, attributes: Record) -> bool:
    """Whether attributes fit a filter; what is absent, or of another type, equals nothing and is not compared."""
    if not wanted:
        return True
    if wanted["type"] in ("and", "or"):
        judged = (fits(each, attributes) for each in wanted["filters"])
        return all(judged) if wanted["type"] == "and" else any(judged)
    try:
        return wanted["key"] in attributes and bool(_COMPARISONS[wanted["type"]](attributes[wanted["key"]], wanted["value"]))
    except TypeError:
        return False


def _named(world: World, record: Record) -> Record:
    file = world["files"].get(record["id"]) or {}
    return {"file_id": record["id"], "filename": str(file.get("filename") or ""), "attributes": record["attributes"]}


def _text(world: World, file_id: str) -> str:
    """What a file says; nothing when it is gone or no text."""
    file = world["files"].get(file_id)
    if file is None or file["filename"].rpartition(".")[2].lower() in _NO_TEXTS:
        return ""
    return stored_files.content(world, file).read().decode("utf-8", "replace")
