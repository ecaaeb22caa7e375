"""What is wrong with a recording itself."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.traffic.exchange import Places


@dataclass(frozen=True)
class Malformed:
    """An entry of a recording that cannot be read, and why."""

    places: Places
    why: str


def texts_of(*parts: object) -> None:
    """Raise `ValueError` unless all are texts, and none is empty."""
    for part in parts:
        if not isinstance(part, str) or not part:
            raise ValueError("method and URL must be texts")
