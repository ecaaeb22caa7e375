"""Conditional routing: which target a config's query chooses.

Source: gateway-data-plane, Strategies: conditional, quirks included.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mockserver.contract.problems import INVALID_REQUEST, SERVICE_FAILED, Problem
from mockserver.values import JSON, Record


def chosen(strategy: Record, targets: list[Record], context: Record) -> int:
    """Return the index of the target that a strategy's conditions choose; the first that holds wins, else `default`.

    `context` holds `metadata`, `params` and `url`. Fails: `invalid-request` with the router's own texts.
    """
    conditions = strategy.get("conditions") or []
    if not conditions:
        raise Problem(INVALID_REQUEST, "No conditions passed in the query router")
    name = next((each["then"] for each in conditions if holds(each.get("query") or {}, context)), strategy.get("default"))
    if name is None:
        raise Problem(INVALID_REQUEST, "Query router did not resolve to any valid target")
    for at, target in enumerate(targets):
        if target.get("name") == name:
            return at
    raise Problem(INVALID_REQUEST, f"Invalid target name found in the query router: {name}")


def holds(query: Record, context: Record) -> bool:
    """Whether a query holds. All of its keys must, but the first `$and` or `$or` decides at once, as in the gateway's code."""
    for key, wanted in query.items():
        if key == "$and":
            return all(holds(each, context) for each in _queries(wanted))
        if key == "$or":
            return any(holds(each, context) for each in _queries(wanted))
        if not _fits(_value(key, context), wanted):
            return False
    return True


def _queries(wanted: JSON) -> list[Record]:
    """What stands below `$and` or `$or`; the gateway fails at what is no list of queries."""
    if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
        raise Problem(SERVICE_FAILED, "Something went wrong")
    return wanted


def _value(key: str, context: Record) -> JSON:
    """The value of `metadata.x`, `params.x` or `url.pathname`; only two segments are read. None when there is none."""
    first, *more = key.split(".")
    holder = context.get(first)
    return holder.get(more[0]) if isinstance(holder, dict) and more else None


def _fits(value: JSON, wanted: JSON) -> bool:
    if not isinstance(wanted, dict):
        return _same(value, wanted)
    for operator, operand in wanted.items():
        if operator == "$regex":
            return _matches(value, operand)  # later operators on this field are not looked at
        test = _OPERATORS.get(operator)
        if test is None:
            raise Problem(INVALID_REQUEST, f"Unsupported operator used in the query router: {operator}")
        if not test(value, operand):
            return False
    return True


def _same(value: JSON, wanted: JSON) -> bool:
    """Strict equality: no coercion, so that true is not 1."""
    return (type(value) is type(wanted) and value == wanted) or (_is_number(value) and _is_number(wanted) and value == wanted)


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _compared(test: Callable[[float, float], bool]) -> Callable[[JSON, JSON], bool]:
    def compare(value: JSON, operand: JSON) -> bool:
        left, right = _float(value), _float(operand)
        return left is not None and right is not None and test(left, right)

    return compare


_LEADING = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")


def _float(value: JSON) -> float | None:
    """What JavaScript's parseFloat reads: the number that a text begins with."""
    match = _LEADING.match(str(value)) if not isinstance(value, bool) else None
    return float(match[1]) if match is not None else None


def _matches(value: JSON, pattern: JSON) -> bool:
    try:
        return value is not None and re.search(str(pattern), str(value)) is not None
    except re.error:
        return False


_OPERATORS: dict[str, Callable[[JSON, JSON], bool]] = {
    "$eq": _same,
    "$ne": lambda value, operand: not _same(value, operand),
    "$gt": _compared(lambda left, right: left > right),
    "$gte": _compared(lambda left, right: left >= right),
    "$lt": _compared(lambda left, right: left < right),
    "$lte": _compared(lambda left, right: left <= right),
    "$in": lambda value, operand: isinstance(operand, list) and any(_same(value, each) for each in operand),
    "$nin": lambda value, operand: isinstance(operand, list) and not any(_same(value, each) for each in operand),
}
"""A missing value passes `$ne` and `$nin` and fails the rest, as in the gateway's code."""
