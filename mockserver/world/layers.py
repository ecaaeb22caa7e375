"""Maps that are cheap to write, cheap to copy and can take back what was written.

A map is a dictionary of its own over frozen ones that it shares with its copies. Writing is writing into a dictionary;
copying freezes the own one and shares it. A persistent hash map (rpds, immutables) would do the same in less code, at ten
times the cost of a write, and writes are what every create is made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeAlias, TypeVar

V = TypeVar("V")

_GONE: Final = object()
"""Stands in a layer for a key that the layers below still have."""

_MERGED = 4096
"""Frozen layers are merged while they stay this small, so that a look-up goes through few of them."""
_DEEPEST = 16

Undo: TypeAlias = list[tuple[Callable[..., Any], tuple[Any, ...]]]
"""What to call, last first, to take back what was written since the list was empty. All parts of a world share one."""


class Layers(Generic[V]):
    """A map with text keys."""

    __slots__ = ("_frozen", "_own", "_undo")

    def __init__(self, undo: Undo, frozen: tuple[dict[str, Any], ...] = ()) -> None:
        self._undo = undo
        self._frozen = frozen
        self._own: dict[str, Any] = {}

    def get(self, key: str) -> V | None:
        """Return the value of a key, or None."""
        value = self._own.get(key)
        if value is None:
            for layer in self._frozen:
                value = layer.get(key)
                if value is not None:
                    break
        return None if value is _GONE else value

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def put(self, key: str, value: V) -> None:
        """Set the value of a key; None cannot be one."""
        own = self._own
        if key in own:
            self._undo.append((own.__setitem__, (key, own[key])))
        else:
            self._undo.append((own.pop, (key,)))
        own[key] = value

    def remove(self, key: str) -> None:
        """Take a key out; nothing happens when it is not there."""
        for layer in self._frozen:
            if key in layer:
                self.put(key, _GONE)  # type: ignore[arg-type]  # the mark is no value, and never given out
                return
        if key in self._own:
            self._undo.append((self._own.__setitem__, (key, self._own.pop(key))))

    def freeze(self) -> tuple[dict[str, Any], ...]:
        """Return the contents for a copy to start from; neither side sees what the other writes from now on."""
        if self._own:
            top, below = self._own, self._frozen
            while below and (len(top) + len(below[0]) <= _MERGED or len(below) >= _DEEPEST):
                top = {**below[0], **top}
                below = below[1:]
            if not below:
                top = {key: value for key, value in top.items() if value is not _GONE} if _GONE in top.values() else top
            self._frozen = (top, *below)
            self._own = {}
        return self._frozen

    def thaw(self, frozen: tuple[dict[str, Any], ...]) -> None:
        """Take over frozen contents in the place of all that was here."""
        self._frozen = frozen
        self._own = {}


def contents(frozen: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Return all that frozen layers hold, as one dictionary."""
    merged: dict[str, Any] = {}
    for layer in reversed(frozen):
        merged.update(layer)
    return {key: value for key, value in merged.items() if value is not _GONE}


def take_back(undo: Undo) -> None:
    """Undo what was written since the list was empty, and empty it."""
    while undo:
        function, arguments = undo.pop()
        function(*arguments)
