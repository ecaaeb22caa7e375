"""Whether texts and images do harm, by a list of words. Source: gateway-data-plane, /moderations.

The rule (*chosen*: a tester must be able to tell what is flagged): a text is flagged for a kind of harm when it has one of
the words or phrases below, whole and in any case, or `flag:` and the name of the kind, such as `flag:hate/threatening`.
What is flagged for a part of a kind is flagged for the kind. Of an image only the words of its address count.
"""

from __future__ import annotations

import re

from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.ids import Ids
from mockserver.values import JSON, Record

CATEGORIES: dict[str, tuple[str, ...]] = {
    "harassment": ("idiot", "moron", "stupid", "shut up", "pathetic"),
    "harassment/threatening": ("hurt you", "watch your back", "you will regret this"),
    "hate": ("subhuman", "vermin", "inferior race"),
    "hate/threatening": ("wipe them out", "exterminate"),
    "illicit": ("counterfeit", "launder money", "pick a lock", "shoplift", "buy drugs"),
    "illicit/violent": ("build a bomb", "make a bomb", "untraceable gun"),
    "self-harm": ("self-harm", "suicide", "cut myself", "kill myself"),
    "self-harm/intent": ("end my life", "kill myself", "want to die"),
    "self-harm/instructions": ("ways to die", "how to kill myself"),
    "sexual": ("porn", "erotic", "explicit sex", "nude"),
    "sexual/minors": ("sexualised minor", "sexualized minor"),
    "violence": ("kill", "murder", "stab", "shoot", "attack", "bomb"),
    "violence/graphic": ("gore", "dismember", "behead"),
}
"""Kind of harm to the words that stand for it."""

_OF_IMAGES = frozenset(name for name in CATEGORIES if name.startswith(("self-harm", "sexual", "violence"))) - {"sexual/minors"}
"""What an image can be judged for. Source: OpenAI's guide, which the applied input types follow."""

_RULES = {
    name: re.compile(rf"(?i)\bflag:{re.escape(name)}(?![\w/])|\b(?:{'|'.join(map(re.escape, words))})\b")
    for name, words in CATEGORIES.items()
}


def answer(body: Record, model: str, chance: Chance, ids: Ids) -> Record:
    """Return a judgement for each text, or one for parts that belong together."""
    chance = chance.of("moderations", model)
    results = [_judged(texts, addresses, chance.of(texts, addresses)) for texts, addresses in _inputs(body["input"])]
    return {"id": ids.new("modr-"), "model": model, "results": results}


def _inputs(said: JSON) -> list[tuple[list[str], list[str]]]:
    """What is judged together: texts, and addresses of images."""
    if isinstance(said, str):
        return [([said], [])]
    if all(isinstance(each, str) for each in said):
        return [([each], []) for each in said]
    parts: list[Record] = [{"type": "text", "text": each} if isinstance(each, str) else each for each in said]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    return [(texts, [part["image_url"]["url"] for part in parts if part["type"] == "image_url"])]


def _judged(texts: list[str], addresses: list[str], chance: Chance) -> Record:
    words = "\n".join(texts)
    shown = "\n".join(each for each in addresses if not each.startswith("data:"))
    found = {
        name for name, rule in _RULES.items() if rule.search(words) or (name in _OF_IMAGES and rule.search(shown))
    }  # fmt: skip
    found |= {name.partition("/")[0] for name in found}
    scores = {}
    for name in CATEGORIES:
        share = chance.share()
        scores[name] = round(0.6 + 0.39 * share if name in found else 0.00001 + 0.002 * share * share, 8)
    return {
        "flagged": bool(found),
        "categories": {name: name in found for name in CATEGORIES},
        "category_scores": scores,
        "category_applied_input_types": {
            name: ["text"] * bool(texts) + ["image"] * (bool(addresses) and name in _OF_IMAGES) for name in CATEGORIES
        },
    }
