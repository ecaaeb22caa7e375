"""Plain English about whatever was asked: sentences with words of the question in them.

No sentence needs to know whether a word is a name, a verb or a plural, so that it reads well with any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mockserver.portkey.answers.chance import Chance

_FUNCTION_WORDS = """
a about above after again all also am an and any are as at be because been before being below between both but by can could did
do does doing down during each few for from further give had has have having he hello her here hers hey hi him his how i if in
into is it its itself just let like make may me might more most must my no nor not now of off on once only or other our out over
own please same say she should so some such tell than thank thanks that the their them then there these they this those through
to too under until up us very want was we were what when where which while who whom whose why will with would yes you your
"""
_COMMANDS = (
    "answer create describe draft explain find generate list question reply summarise summarize translate use using write"
)

STOP_WORDS = frozenset(_FUNCTION_WORDS.split()) | frozenset(_COMMANDS.split())
"""Words that do not say what a text is about, and what people ask a model to do with it."""

_WORD = re.compile(r"[A-Z][\w'-]*(?: [A-Z][\w'-]*)+|[^\W\d_][\w'\u2019-]*")
"""A word, or a name of several."""

_LOOKED_AT = 300
_LONGEST = 30

_GREETING = re.compile(r"(hi|hello|hey|good (morning|day|evening))\b", re.IGNORECASE)
_GREETINGS = (
    "Hello! How can I help you today?",
    "Hi there! What would you like to know?",
    "Hello! I am ready when you are. What shall we look at?",
)

_OPENERS = (
    "The short answer is that {a} and {b} have more to do with each other than most people think.",
    "Let us take {a} first, since much of {b} follows from it.",
    "There are a few things worth knowing about {a}.",
    "When it comes to {a}, it helps to keep {b} in mind.",
    "That is a good question about {a}.",
    "In brief: with {a}, begin with {b} and work outwards from there.",
    "What matters most about {a} is the part that {b} plays in it.",
)

_MIDDLES = (
    "In practice, {a} and {b} are best looked at side by side.",
    "Most of the difference comes from how {a} and {b} are combined.",
    "A simple way to see this is to leave {a} alone and change only {b}.",
    "Many people start with {a} and come back to {b} later.",
    "Small changes to {a} tend to matter more than large changes to {b}.",
    "For {a}, the usual advice is to start small and to check the result at each step.",
    "What holds for {a} does not always hold for {b}.",
    "If you are unsure about {a}, compare it with something that you already know.",
    "It is worth writing down what you expect of {a} before you look at {b}.",
    "The details of {a} depend on where and when you look.",
    "Once you understand {a}, {b} will make more sense.",
    "Nothing about {a} rules out {b}.",
    "Older accounts of {a} often leave out {b}, which is why they disagree.",
    "There is usually more than one way from {a} to {b}, and the shortest is not always the best.",
)

_CLOSERS = (
    "Tell me more about your case, and I can be more precise about {a}.",
    "If you like, I can go into {a} in more detail.",
    "Would you like an example with {a} and {b}?",
    "That should be enough to get started with {a}.",
    "I hope this helps you with {a}.",
)

_THOUGHTS = (
    "The question is about {a}, so I should begin there.",
    "I should say how {a} and {b} belong together, and keep it short.",
    "An example with {b} may not be needed.",
    "First {a}, then {b}, then what follows from both.",
)

_CONTINUATIONS = (
    " best seen with an example.",
    " one part of a longer story about {a}.",
    " what most people mean by {a}.",
    " where {a} and {b} meet.",
    " easier to show than to explain.",
)

_THIS, _REST = "this", "the rest"
"""What a sentence is about where no word is left for it."""

_SPOKEN = (
    "Good morning, everyone, and thank you for coming.",
    "Let us begin with the {a}.",
    "We looked at the {a} again last week.",
    "As you can see, the {a} and the {b} are nearly ready.",
    "There were some questions about the {a}.",
    "I will come back to the {b} in a moment.",
    "The next train to the {a} leaves at noon.",
    "Could somebody take a note of the {b}, please?",
    "We have had more of the {a} than we expected.",
    "That leaves the {b} for another day.",
    "I think we all agree about the {a}.",
    "Please call me back when the {b} is there.",
)
_SPOKEN_OF = ("harbour", "report", "garden", "budget", "station", "library", "kitchen", "schedule", "bridge", "workshop")


def keywords(text: str, most: int = 6) -> list[str]:
    """Return the words that a text is about, each once, in its own order. Only its beginning and end are looked at."""
    if len(text) > 2 * _LOOKED_AT:
        text = f"{text[:_LOOKED_AT]} {text[-_LOOKED_AT:]}"
    found: dict[str, str] = {}
    for at, word in enumerate(_WORD.findall(text)):
        lowered = word.lower()
        if at == 0 and word[1:].islower():
            word = lowered  # noqa: PLW2901  a capital that begins a sentence makes no name
        if len(word) > 2 and lowered not in STOP_WORDS:
            found.setdefault(lowered, word[:_LONGEST])
            if len(found) == most:
                break
    return list(found.values())


def reply(question: str, chance: Chance, found: str | None = None) -> str:
    """Return an answer of two to six sentences; `found` is what a tool has told, and is passed on."""
    words = keywords(question)
    if not words and found is None and _GREETING.match(question):
        return chance.one_of(_GREETINGS)
    made = [_opened(words, chance) if found is None else f"Here is what I found: {_clipped(found)}"]
    made += _middle(words, chance, 1 + chance.below(4))
    if chance.below(2):
        made.append(_filled(chance.one_of(_CLOSERS), words, chance))
    return " ".join(made)


def thought(question: str, chance: Chance) -> str:
    """Return what goes before an answer."""
    words = keywords(question)
    return " ".join([_filled(template, words, chance) for template in _THOUGHTS[chance.below(2) :]])


def continuation(prompt: str, chance: Chance) -> str:
    """Return how a text goes on."""
    words = keywords(prompt[-_LOOKED_AT:])
    made = "" if prompt.rstrip()[-1:] in ("", ".", "!", "?", ":") else _filled(chance.one_of(_CONTINUATIONS), words, chance)
    return f"{made} {' '.join(_middle(words, chance, 2 + chance.below(3)))}"


def digest(question: str, chance: Chance) -> dict[str, object]:
    """Return an answer in the form of an object."""
    words = keywords(question)
    return {
        "topic": " ".join(words[:3]) or "general",
        "answer": _opened(words, chance),
        "points": _middle(words, chance, 1 + chance.below(3)),
        "confidence": round(0.5 + chance.share() / 2, 2),
    }


def spoken(chance: Chance, least_words: int) -> list[str]:
    """Return sentences that somebody might say, with so many words together at least."""
    made: list[str] = []
    left = least_words
    at = chance.below(len(_SPOKEN))
    while left > 0 or not made:
        made.append(_filled(_SPOKEN[at % len(_SPOKEN)], _SPOKEN_OF, chance))
        left -= made[-1].count(" ") + 1
        at += 1 + chance.below(3)
    return made


def _opened(words: Sequence[str], chance: Chance) -> str:
    # The first word is often what it is about, and the last one a noun.
    first, last = (words[0], words[-1]) if len(words) > 1 else (words[0] if words else _THIS, _REST)
    return _put(chance.one_of(_OPENERS), first, last)


def _middle(words: Sequence[str], chance: Chance, count: int) -> list[str]:
    start = chance.below(len(_MIDDLES))
    # Every fifth, so that neighbours are seldom together and none comes twice.
    return [_filled(_MIDDLES[(start + 5 * step) % len(_MIDDLES)], words, chance) for step in range(count)]


def _filled(template: str, words: Sequence[str], chance: Chance) -> str:
    if not words:
        return _put(template, _THIS, _REST)
    at = chance.below(len(words))
    return _put(template, words[at], words[at - 1] if len(words) > 1 else _REST)


def _put(template: str, first: str, second: str) -> str:
    return template.replace("{a}", first).replace("{b}", second)  # words have no braces; `format` takes thrice as long


def _clipped(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LOOKED_AT else f"{line[:_LOOKED_AT]}…"
