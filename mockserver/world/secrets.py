"""Texts that nobody may be shown, for as long as a world is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

State: TypeAlias = tuple[frozenset[str], ...]
"""Texts as worlds share them: what a later layer has may be in an earlier one as well."""

_MOST = 8
"""So many layers are looked through before they are made one."""


class Secrets:
    """A set of texts that only grows, and shares what it holds with the worlds that come from its own.

    `version` is another number after each change.
    """

    __slots__ = ("_frozen", "_own", "version")

    def __init__(self) -> None:
        self._frozen: State = ()
        self._own: set[str] = set()
        self.version = 0

    def __iter__(self) -> Iterator[str]:
        return iter(united((*self._frozen, frozenset(self._own))))

    def add(self, text: str) -> None:
        """Add a text."""
        self.update((text,))

    def update(self, texts: Iterable[str]) -> None:
        """Add texts."""
        before = len(self._own)
        self._own.update(texts)
        self.version += len(self._own) - before

    def freeze(self) -> State:
        """Return all texts, to be shared."""
        if self._own:
            self._put(frozenset(self._own))
            self._own = set()
        return self._frozen

    def join(self, state: State) -> None:
        """Add what another set has frozen."""
        self.version += 1
        if not self._frozen:
            self._frozen = state
            return
        for layer in state:
            if not any(layer is known for known in self._frozen):
                self._put(layer)

    def _put(self, layer: frozenset[str]) -> None:
        self._frozen = (*self._frozen, layer)
        if len(self._frozen) > _MOST:
            self._frozen = (frozenset(united(self._frozen)),)


def united(state: State) -> set[str]:
    """Return the texts of all layers."""
    return set().union(*state)
