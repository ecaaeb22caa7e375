"""What is wrong with a recording itself."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from mockserver.traffic.exchange import Places


@dataclass(frozen=True)
class Malformed:
    """An entry of a recording that cannot be read, and why."""

    places: Places
    why: str


def check_address(method: object, url: object) -> None:
    """Raise `ValueError` unless they are a method and a URL, or a path."""
    for part in (method, url):
        if not isinstance(part, str) or not part:
            raise ValueError("method and URL must be texts")
    urlsplit(str(url))


UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading an entry raises that has not the form that it should have."""


def reason(error: Exception) -> str:
    """Why an entry cannot be read, in half a sentence."""
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
