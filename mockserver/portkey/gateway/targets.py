"""Targets of a config: what they inherit, and what they make of a call's parameters.

Source: gateway-data-plane, Target inheritance and parameter shaping.
"""

from __future__ import annotations

import copy
import re

from mockserver.values import JSON, Record

_MERGED = ("override_params", "default_params")
"""Deep by level, shallow by key: the target's own keys win."""
_NEAREST = (
    "retry", "cache", "request_timeout", "custom_host", "forward_headers", "strict_open_ai_compliance", "drop_params",
    "input_guardrails", "output_guardrails", "before_request_hooks", "after_request_hooks",
)  # fmt: skip
"""What a target says takes the place of all that stands above it."""


def inherit(above: Record, target: Record) -> Record:
    """Return a target with what it inherits from the targets above it."""
    made = dict(target)
    for name in _NEAREST:
        if name not in made and name in above:
            made[name] = above[name]
    for name in _MERGED:
        if name in above or name in made:
            made[name] = {**(above.get(name) or {}), **(made.get(name) or {})}
    return made


def shaped(body: Record, target: Record) -> Record:
    """Return a call's body as a target sends it on: defaults where nothing is said, then overrides, then what is dropped.

    It is the very same where the target has nothing to say.
    """
    if not (target.get("default_params") or target.get("override_params") or target.get("drop_params")):
        return body
    made = {**(target.get("default_params") or {}), **body, **(target.get("override_params") or {})}
    dropped = target.get("drop_params") or ()
    if dropped:
        made = copy.deepcopy(made)
        for path in dropped:
            if steps := _steps(path):
                _drop(made, steps)
    return made


def _steps(path: str) -> list[str]:
    """The steps of a path such as `tools[*].function.strict`."""
    return re.findall(r"[^.\[\]]+", path)


def _drop(value: JSON, steps: list[str]) -> None:
    first, *more = steps
    if isinstance(value, list):
        chosen = value if first == "*" else [value[int(first)]] if first.isdigit() and int(first) < len(value) else []
        for each in chosen:
            if more:
                _drop(each, more)
    elif isinstance(value, dict) and first in value:
        if more:
            _drop(value[first], more)
        else:
            del value[first]
