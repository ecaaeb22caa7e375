"""What the tests of this tree share: ids that count, the chance of a seed, and the document's word on a reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mockserver.portkey.answers.chance import Chance
from mockserver.values import JSON, Record

CREATED = 1777888800

# Steady: what is found once is found every time, and becomes a test of its own.
STEADY = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=120)
"""Any text that a JSON body may hold."""

Judge = Callable[[str, JSON], list[str]]


class CountingIds:
    """Ids that say how many there were before them."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def new(self, prefix: str) -> str:
        self.given.append(f"{prefix}{len(self.given)}")
        return self.given[-1]


def chance(seed: int = 7) -> Chance:
    """The chance of a world."""
    return Chance(seed)


def user(text: JSON) -> Record:
    """A message of a user."""
    return {"role": "user", "content": text}


def asked(text: JSON = "Why do leaves turn red in autumn?", **fields: JSON) -> Record:
    """A conversation of one question."""
    return {"model": "gpt-4o", "messages": [user(text)], **fields}


def tool(name: str, parameters: JSON = None, description: str = "") -> Record:
    """A tool that is a function."""
    function = {"name": name, "description": description, **({} if parameters is None else {"parameters": parameters})}
    return {"type": "function", "function": function}


def joined(parts: Iterable[str | None]) -> str:
    """The texts put together, what is none left out."""
    return "".join(part or "" for part in parts)
