"""Which calls of a journal are meant: by the filters of a query, or by a pattern in the words of mappings.

Both ask the calls as they came, secrets included: a test may ask whether a key was used, though it is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from mockserver import values
from mockserver.contract.operations import Operation
from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.contract.violations import Violation
from mockserver.control.exhibit import verdict
from mockserver.control.journal import moment
from mockserver.control.near import Looked
from mockserver.stubbing.asked import Asked, variables
from mockserver.stubbing.matching import Pattern, pattern_of
from mockserver.stubbing.refusals import Refusals
from mockserver.values import Record
from mockserver.world.journal import Entry
from mockserver.world.world import World

Test: TypeAlias = Callable[[Entry], bool]

_PLACES = {"urlPathPattern": "path", "queryParameters": "query", "headers": "header", "bodyPatterns": "body"}
"""From the parts of a pattern to the filters that they stand for."""


class Finder:
    """Finds calls to the operations of one document."""

    def __init__(self, operations: Iterable[Operation], base_path: str) -> None:
        self._operations = {operation.id: operation for operation in operations}
        self._base = base_path

    def by_query(self, query: Record, world: World) -> Test:
        """Return whether a call fits the filters. Fails: `invalid-request` for one that makes no sense."""
        request: Record = {name: query[name] for name in ("method", "operation") if name in query}
        if "path" in query:
            request["urlPathPattern"] = glob(query["path"])
        for name, part, sign in (("header", "headers", ":"), ("query", "queryParameters", "=")):
            for text in query.get(name, ()):
                key, given, value = text.partition(sign)
                matcher = {"equalTo": value.strip()} if given else {"not": {"absent": True}}
                request.setdefault(part, {}).setdefault(key.strip(), []).append(matcher)
            for key, matchers in request.get(part, {}).items():
                request[part][key] = matchers[0] if len(matchers) == 1 else {"and": matchers}
        if "body" in query:
            request["bodyPatterns"] = [body_matcher(query["body"])]
        return self._test(request, query, world, "query")

    def by_pattern(self, pattern: Record, world: World, place: str = "") -> Test:
        """Return whether a call fits a pattern, which stands at `place` of a body. Fails: `invalid-request`."""
        return self._test(requested(pattern), pattern, world, "body", place)

    def pattern(self, pattern: Record, place: str = "") -> Pattern:
        """Return what is asked of a request. Fails: `invalid-request`."""
        return self._compiled(requested(pattern), "body", place)

    def asked(self, entry: Entry) -> Asked:
        """Return a call as patterns look at it."""
        parts = entry.request_headers.split(b"\n") if entry.request_headers else []
        headers = list(zip(parts[::2], parts[1::2], strict=True))
        operation = self._operations.get(entry.operation or "")
        return Asked(entry.method, entry.path, entry.query, headers, entry.request_body, operation, self._base)

    def looked_at(self, entry: Entry, shown: Record) -> Looked:
        """Return a call as patterns look at it, and as it may be shown."""
        headers, body = shown["request"]["headers"], shown["request"]["body"]
        packed = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        text = b"" if body is None else body.encode() if isinstance(body, str) else values.dump(body)
        operation = self._operations.get(entry.operation or "")
        query = shown["query"].encode("latin-1", "replace")
        return Looked(self.asked(entry), Asked(entry.method, shown["path"], query, packed, text, operation, self._base))

    def routed(self, method: str, path: str) -> Operation | None:
        """The operation at a path, with or without the base path: literal segments win over variable ones."""
        found = []
        for operation in self._operations.values():
            if operation.method.upper() == method and any(
                variables(operation.path, each) is not None for each in (path, path.removeprefix(self._base))
            ):
                found.append(operation)
        return min(found, key=lambda each: ["{" in segment for segment in each.path.split("/")], default=None)

    def _test(self, request: Record, own: Record, world: World, part: str, place: str = "") -> Test:
        tests = list(_own_tests(own, part, place))
        if request:
            pattern = self._compiled(request, part, place)
            tests.append(lambda entry: pattern.fits(self.asked(entry), world))
        return lambda entry: all(test(entry) for test in tests)

    def _compiled(self, request: Record, part: str, place: str) -> Pattern:
        refusals = Refusals()
        pattern = pattern_of({"request": request}, refusals)
        if refusals.found:
            found = [_placed(violation, part, place) for violation in refusals.found]
            raise Problem(INVALID_REQUEST, f"Invalid request: {found[0]}", violations=found)
        return pattern


OWN = ("path", "status", "problem", "verdict", "blame", "caller", "stub", "text", "since", "until")
"""What of a pattern the journal alone knows of."""


def requested(pattern: Record) -> Record:
    """The part of a pattern that is about the request, with `path` in the words of mappings."""
    request = {name: value for name, value in pattern.items() if name not in OWN}
    if "path" in pattern:
        request["urlPathPattern"] = glob(pattern["path"])
    return request


def body_matcher(text: str) -> Record:
    """The matcher that a filter stands for: a JSONPath, a part of the JSON, or a text."""
    if text.startswith("$"):
        return {"matchesJsonPath": text}
    try:
        value = values.parse(text.encode())
    except values.NotJSON:
        return {"contains": text}
    if not isinstance(value, (dict, list)):
        return {"contains": text}
    return {"equalToJson": value, "ignoreExtraElements": True, "ignoreArrayOrder": True}


_WILD = {"**": ".*", "*": "[^/]*"}


def glob(path: str) -> str:
    """Return the regular expression of a path with `*`, `**` and `{name}`.

    A name stands for a piece that is there, `*` also for an empty one.
    """
    pieces = re.split(r"(\*\*|\*|\{[^{}/]*\})", path)
    return "".join(_WILD.get(piece, "[^/]+") if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))


def _own_tests(wanted: Record, part: str, place: str) -> Iterable[Test]:
    """Tests of what was found out of a call, cheap ones first."""
    if "status" in wanted:
        status = wanted["status"].lower()
        yield lambda entry: status in (str(entry.status), f"{entry.status // 100}xx")
    if "problem" in wanted:
        yield lambda entry: entry.problem == wanted["problem"]
    if "caller" in wanted:
        yield lambda entry: entry.caller is not None and wanted["caller"] in entry.caller
    if "stub" in wanted:
        yield lambda entry: wanted["stub"] in (entry.stub, entry.mapping, entry.fault)
    since = moment("since", wanted, part, place)
    if since is not None:
        yield lambda entry: entry.at_s >= since
    until = moment("until", wanted, part, place)
    if until is not None:
        yield lambda entry: entry.at_s <= until
    if "verdict" in wanted:
        yield lambda entry: verdict(entry).request == wanted["verdict"]
    if "blame" in wanted:
        yield lambda entry: verdict(entry).blame == wanted["blame"]
    if "text" in wanted:
        text = wanted["text"].encode()
        yield lambda entry: any(text in each for each in _texts(entry))


def _texts(entry: Entry) -> Iterable[bytes]:
    yield entry.path.encode("utf-8", "surrogateescape")
    yield from (entry.query, entry.request_headers, entry.request_body, entry.reply_headers, entry.reply_body)


def _placed(violation: Violation, part: str, place: str) -> Violation:
    """A fault of a pattern, with its place in what was sent."""
    pointer = violation.pointer.removeprefix("/request")
    if part == "query":
        pointer = "/" + _PLACES.get(pointer.split("/")[1], pointer.split("/")[1])
    return violation._replace(part=part, pointer=place + pointer)
