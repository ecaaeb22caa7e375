"""The gateway's cache: what it keeps, for how long, and when it answers.

Source: gateway-data-plane, Cache.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from math import sqrt
from typing import NamedTuple

from mockserver import values
from mockserver.values import JSON, Record
from mockserver.world.world import World

KINDS = frozenset({"chatComplete", "complete", "embed", "imageGenerate", "rerank", "createModelResponse"})
"""Kinds of calls that can be cached: not files, batches, image edits, audio."""
SEMANTIC_KINDS = frozenset({"chatComplete", "complete"})
DEFAULT_AGE_S = 604_800
SHORTEST_AGE_S, LONGEST_AGE_S = 60, 7_776_000
SIMILAR = 0.95
MOST_MESSAGES = 4


class Found(NamedTuple):
    """What the cache says: a status as the header has it, the kept body for a hit, and where a miss is to be stored."""

    status: str
    body: JSON
    key: str | None
    age_s: int


DISABLED = Found("DISABLED", None, None, 0)


def look_up(
    world: World,
    settings: Record | str,
    kind: str,
    url: str,
    body: Record,
    space: str,
    *,
    refresh: bool,
    asked_age_s: int | None,
) -> Found:
    """Return what the cache has for a call.

    `settings` are the target's `cache`, `space` the namespace or else the metadata, `asked_age_s` what the request's
    `cache-control` says. An age outside 60 to 7,776,000 seconds silently is a week.
    """
    mode = settings.get("mode") if isinstance(settings, dict) else settings
    if mode not in ("simple", "semantic") or kind not in KINDS:
        return DISABLED
    given = settings.get("max_age") if isinstance(settings, dict) else None
    age_s = int(given if given is not None else asked_age_s if asked_age_s is not None else DEFAULT_AGE_S)
    if not SHORTEST_AGE_S <= age_s <= LONGEST_AGE_S:
        age_s = DEFAULT_AGE_S
    key = _digest(url, body, space)
    entries = world["cache"]
    if refresh:
        if key in entries:
            entries.remove(key)
        return Found("REFRESH", None, key, age_s)
    now_s = world.clock.seconds()
    entry = entries.get(key)
    if entry is not None and entry["expires_s"] > now_s:
        return Found("HIT", entry["body"], key, age_s)
    if mode == "simple" or kind not in SEMANTIC_KINDS:
        return Found("MISS", None, key, age_s)
    words = _words(kind, body)
    if words is not None:
        for entry in entries.newest(bucket=_bucket(url, body, space)):
            if entry["expires_s"] > now_s and _similarity(words, entry["words"]) >= SIMILAR:
                return Found("SEMANTIC HIT", entry["body"], key, age_s)
    return Found("SEMANTIC MISS" if words is not None else "MISS", None, key, age_s)


def store(world: World, found: Found, kind: str, url: str, request: Record, space: str, body: JSON) -> None:
    """Keep the body of an answer for its age; hook results are left out."""
    if found.key is None:
        return
    now_s = world.clock.seconds()
    kept = {name: value for name, value in body.items() if name != "hook_results"} if isinstance(body, dict) else body
    entry: Record = {
        "id": found.key,
        "bucket": _bucket(url, request, space),
        "words": _words(kind, request) if kind in SEMANTIC_KINDS else None,
        "body": kept,
        "expires_s": now_s + found.age_s,
        "created_at": world.clock.timestamp(),
    }
    entries = world["cache"]
    entries.replace(entry) if found.key in entries else entries.add(entry)


def _bucket(url: str, body: Record, space: str) -> str:
    """What calls must share to be compared by meaning: all parameters but the text itself, and the space."""
    others = {name: value for name, value in body.items() if name not in ("messages", "prompt")}
    return _digest(url, others, space)


def _digest(url: str, body: Record, space: str) -> str:
    """What stands for a call; the order of its fields is the caller's, and does not count."""
    return sha256(b"\0".join((url.encode(), values.dump(dict(sorted(body.items()))), space.encode()))).hexdigest()


def _words(kind: str, body: Record) -> dict[str, int] | None:
    """How often each word stands in the text that is compared: messages without the first, or the prompt.

    None for what is never compared: more than four messages, none of a user. *chosen*: words stand for the embedding that
    the real service compares; no model is at hand here.
    """
    if kind == "complete":
        return dict(Counter(_split(str(body.get("prompt", "")))))
    messages = messages_of(body)
    if len(messages) > MOST_MESSAGES or not any(each.get("role") == "user" for each in messages):
        return None
    text = " ".join(text_of(each.get("content")) for each in (messages[1:] if len(messages) > 1 else messages))
    return dict(Counter(_split(text)))


def _split(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _similarity(first: dict[str, int], second: dict[str, int] | None) -> float:
    """The cosine of two counts of words."""
    if not first or not second:
        return 0.0
    dot = sum(count * second.get(word, 0) for word, count in first.items())
    return dot / sqrt(sum(n * n for n in first.values()) * sum(n * n for n in second.values()))


def messages_of(body: Record) -> list[Record]:
    """The messages of a body, which may not be one that a provider takes."""
    given = body.get("messages")
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def text_of(content: JSON) -> str:
    """The text of a message's content: a text, or the text parts joined by line ends."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict) and "text" in part)
