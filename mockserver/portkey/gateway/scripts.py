"""What tests say that models answer: scripts, kept in the world, tried before an answer is made up.

The form is that of `admin.yaml`. All of it is *chosen*: the real service has nothing of the kind.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

from mockserver.portkey.gateway.cache import messages_of, text_of
from mockserver.values import JSON, Record
from mockserver.world.world import World


class Asked(NamedTuple):
    """A call as a provider gets it: what scripts are matched against."""

    operation: str
    provider: str
    slug: str | None
    model: str
    target: str
    body: Record


def there_are(world: World) -> bool:
    """Whether a world has scripts, or had some."""
    return world["scripts"].arrivals > 0


def find(world: World, asked: Asked, *, in_words: bool = True) -> Record | None:
    """Return the script for a call, None for none, and count: each script that fits, and the one that is used.

    `in_words` tells that a model answers the call; where none does, scripts with words to say wait for one that does.
    """
    if not there_are(world):
        return None
    used = None
    for script in in_order(world):
        if script.get("times") is not None and script["used"] >= script["times"]:
            continue
        if not in_words and script["answer"].keys() - {"error"}:
            continue
        if not _fits(script["match"], asked):
            continue
        matched = script["matched"] + 1
        is_used = used is None and script["match"].get("call", matched) == matched
        counted = {**script, "matched": matched, "used": script["used"] + is_used}
        world["scripts"].replace(counted)
        if is_used:
            used = counted
    return used


def in_order(world: World) -> list[Record]:
    """The scripts of a world as they are tried: by priority, then the newest first."""
    return sorted(world["scripts"].newest(), key=lambda script: -script["priority"])


def last_text(body: Record) -> str:
    """The text that a call ends with: of the last message, or of prompt, input or query."""
    messages = messages_of(body)
    if messages:
        return text_of(messages[-1].get("content"))
    given: JSON = next((body[name] for name in ("prompt", "input", "query") if name in body), "")
    if isinstance(given, list):
        given = given[-1] if given else ""
    if isinstance(given, dict):
        return text_of(given.get("content"))
    return given if isinstance(given, str) else ""


def _fits(match: Record, asked: Asked) -> bool:
    if match.get("operation", asked.operation) != asked.operation:
        return False
    if match.get("provider") not in (None, asked.provider, asked.slug):
        return False
    if "model" in match and not fnmatchcase(asked.model, _literal(match["model"])):
        return False
    if match.get("target", asked.target) != asked.target:
        return False
    text = last_text(asked.body)
    if match.get("last_message", "") not in text:
        return False
    if "last_message_regex" in match and re.search(match["last_message_regex"], text) is None:
        return False
    return "tool_result" not in match or any(match["tool_result"] in result for result in _tool_results(asked.body))


def _literal(pattern: str) -> str:
    """A pattern in which only the star is special."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _tool_results(body: Record) -> list[str]:
    found = [text_of(message.get("content")) for message in messages_of(body) if message.get("role") in ("tool", "function")]
    items = body.get("input") if isinstance(body.get("input"), list) else []
    results = (item for item in items or () if isinstance(item, dict) and item.get("type") == "function_call_output")
    return found + [str(item.get("output", "")) for item in results]
