"""Which operations of the document a request pattern can mean: told when it is set, so that a slip shows at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from mockserver.contract.operations import Operation
from mockserver.stubbing.asked import variables
from mockserver.stubbing.matching import ANY, URLS
from mockserver.stubbing.refusals import Refusals
from mockserver.values import Record, pointer


class Meant(NamedTuple):
    """The operations that a pattern means. `certain` is whether these are all; else others may turn out to fit as well."""

    operations: tuple[Operation, ...]
    certain: bool


_SAMPLES = ("x", "1", "0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2")
"""What stands for the variables of a path where a regular expression is tried on it."""


class Finder:
    """Finds the operations of one document. `base` is the path below which they are served, and may be left out."""

    def __init__(self, operations: Iterable[Operation], base: str) -> None:
        self._operations = tuple(operations)
        self._by_id = {operation.id: operation for operation in self._operations}
        self._base = base

    def meant(self, request: Record, place: str, refusals: Refusals, *, off_contract: bool = False) -> Meant:
        """Return what a request pattern means; a URL or operation that the document does not have is noted."""
        method = request.get("method", ANY).upper()
        if "operation" in request:
            return self._by_name(request["operation"], method, place, refusals)
        told = next((name for name in URLS if name in request), None)
        if told is None:
            return Meant(tuple(each for each in self._operations if _takes(each, method)), False)
        text: str = request[told]
        if told in ("urlPattern", "urlPathPattern"):
            return self._by_pattern(text, method)
        found = self.at(text.partition("?")[0])
        meant = tuple(each for each in found if _takes(each, method))
        if not meant and not off_contract:
            refusals.add(f"{place}/{told}", self._unknown(text.partition("?")[0], method, found))
        return Meant(meant, True)

    def at(self, path: str) -> list[Operation]:
        """The operations at a path, or at one with variables in braces: literal segments win over variable ones."""
        for each in (path[len(self._base) :], path) if self._base and path.startswith(f"{self._base}/") else (path,):
            fitting = [operation for operation in self._operations if variables(operation.path, each) is not None]
            if fitting:
                best = min(map(_variability, fitting))
                return [operation for operation in fitting if _variability(operation) == best]
        return []

    def _by_name(self, name: str, method: str, place: str, refusals: Refusals) -> Meant:
        operation = self._by_id.get(name)
        if operation is None:
            close = get_close_matches(name, self._by_id, 3)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            refusals.add(f"{place}/operation", f"{name!r} is no operation of the document{hint}")
            return Meant((), True)
        if not _takes(operation, method):
            refusals.add(f"{place}/method", f"{method} is not the method of {operation.id}, which is {operation}")
        return Meant((operation,), True)

    def _by_pattern(self, text: str, method: str) -> Meant:
        try:
            pattern = re.compile(text)
        except (re.error, RecursionError, OverflowError):
            return Meant((), False)  # noted where the pattern is compiled
        found = []
        for operation in (each for each in self._operations if _takes(each, method)):
            paths = {re.sub(r"\{[^}]*\}", sample, operation.path) for sample in _SAMPLES}
            if any(pattern.fullmatch(each) for path in paths for each in (path, self._base + path)):
                found.append(operation)
        return Meant(tuple(found), False)

    def _unknown(self, path: str, method: str, others: list[Operation]) -> str:
        if others:
            taken = ", ".join(each.method.upper() for each in others)
            return f'the document has no {method} {path}, only {taken}; an undocumented one needs "off_contract": true'
        close = get_close_matches(path.removeprefix(self._base), {each.path for each in self._operations}, 2)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        return f'the document has no path {path}{hint}; an undocumented one needs "off_contract": true'


def check_parameters(request: Record, meant: Meant, place: str, refusals: Refusals) -> None:
    """Note parameters that the operations do not have."""
    if not meant.certain or not meant.operations:
        return
    names = {parameter.name for operation in meant.operations for parameter in operation.parameters}
    for name in request.get("parameters") or {}:
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            refusals.add(f"{place}/parameters{pointer(name)}", f"{meant.operations[0]} has no such parameter; it has {known}")


def _takes(operation: Operation, method: str) -> bool:
    own = operation.method.upper()
    return method in (ANY, own) or (method == "HEAD" and own == "GET")


def _variability(operation: Operation) -> tuple[bool, ...]:
    return tuple("{" in segment for segment in operation.path.split("/"))
