"""JSONPath: the library, loaded when somebody first asks for a path, which most servers never do."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mockserver.values import JSON


class NoPath(ValueError):
    """The text is no JSONPath; the message says why, in half a sentence."""


@lru_cache(maxsize=1024)
def compiled(expression: str) -> Any:
    """Return a compiled path. Raises `NoPath`."""
    from jsonpath import JSONPathError
    from jsonpath import compile as compile_path

    if not expression.startswith("$"):
        raise NoPath(f"is no JSONPath: {expression!r} does not begin with $")
    try:
        return compile_path(expression)
    except (JSONPathError, RecursionError, ValueError) as error:
        raise NoPath(f"is no JSONPath: {str(error).splitlines()[0]}") from None


def found(expression: str, value: JSON) -> list[JSON]:
    """Return the values at a path; none where a filter cannot be applied to what is there. Raises `NoPath`."""
    from jsonpath import JSONPathError

    path = compiled(expression)
    try:
        return list(path.findall(value)) if isinstance(value, (dict, list)) else []
    except (JSONPathError, RecursionError):
        return []
