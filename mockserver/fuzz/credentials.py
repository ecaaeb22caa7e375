"""Keeps the credentials of a campaign out of what is written down: a variable of the environment stands for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mockserver import values
from mockserver.contract.secrets import SHORTEST, Veil, conceal, is_secret_name
from mockserver.fuzz.steps import Step
from mockserver.values import Record

_PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


def variable(header: str) -> str:
    """The variable that stands for a header: `X_SHOP_KEY` for `x-shop-key`."""
    return re.sub(r"[^A-Z0-9]+", "_", header.upper()).strip("_")


@dataclass(frozen=True)
class Credentials:
    """The headers that say who calls; `shown` leaves them where they are."""

    headers: Mapping[str, str] = field(default_factory=dict)
    shown: bool = False

    @property
    def secrets(self) -> dict[str, str]:
        """The values that must not be seen, each with the variable that stands for it."""
        if self.shown:
            return {}
        return {value: variable(name) for name, value in self.headers.items() if is_secret_name(name) and value}

    def hidden(self, step: Step) -> Step:
        """Return a step with `${VARIABLE}` in the place of credentials."""
        headers = tuple((name, self._placed(value)) for name, value in step.headers)
        return replace(step, headers=headers)

    def _placed(self, value: str) -> str:
        name = self.secrets.get(value)
        return value if name is None else "${" + name + "}"

    def text(self, body: bytes, longest: int = 2000) -> str:
        """Return a body as it may be shown: without credentials, and without members that are secrets by their names."""
        if self.shown:
            return body.decode("utf-8", "replace")[:longest]
        veil = Veil(secret for secret in self.secrets if len(secret) >= SHORTEST)
        try:
            told = values.dump(conceal(values.parse(body), [], {}, set())).decode()
        except values.NotJSON:
            told = body.decode("utf-8", "replace")
        return veil.text(told)[:longest]


def variables(step: Step) -> set[str]:
    """The variables that a hidden step needs."""
    return {name for _, value in step.headers for name in _PLACEHOLDER.findall(value)}


def given(step: Step, environment: Mapping[str, str], headers: Mapping[str, str]) -> Step:
    """Return a hidden step with credentials again: those of these headers, else those of the environment.

    Raises `KeyError` with the variable that is missing.
    """
    own = {variable(name): value for name, value in headers.items()}
    known: Record = {**environment, **own}
    made = []
    for name, value in step.headers:
        match = _PLACEHOLDER.fullmatch(value)
        made.append((name, value if match is None else str(known[match[1]])))
    return replace(step, headers=tuple(made))
