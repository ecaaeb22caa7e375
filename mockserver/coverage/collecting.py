"""Notes what calls touch. A call costs tens of microseconds, and is looked at after it was answered, never before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from mockserver import values
from mockserver.contract.contract import Contract
from mockserver.contract.gate import Validator
from mockserver.contract.operations import Content, Operation, Response
from mockserver.coverage.items import Item, Node, Universe, value_name
from mockserver.values import JSON, Record

FORM = "mockserver-coverage"
VERSION = 1
_REFUSALS = frozenset((400, 401, 403, 405, 406, 411, 413, 414, 415, 422, 431))
"""Statuses that say that the request was not taken as one: what it held was not tried."""
_MOST_ITEMS = 100
"""Members of an array that are looked at."""


class Call(NamedTuple):
    """A call and its answer. `url` is absolute or a path with its query; header names are in lower case.

    `request_gap` and `reply_gap` tell that a body is not all there. `status` 0: there was no answer.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    reply_headers: Mapping[str, str]
    reply_body: bytes
    request_gap: bool = False
    reply_gap: bool = False


class NotMergeable(ValueError):
    """What is no record of coverage, or one of another document."""


@dataclass
class Touched:
    """What was touched of one operation. `refused` is what stood in requests that were not taken; keys are `Item.key`."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    branches: set[str] = field(default_factory=set)
    gaps: int = 0

    def add(self, told: Record) -> None:
        """Take up what a file says. Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for what is none."""
        self.calls += int(told["calls"])
        self.gaps += int(told["gaps"])
        self.statuses.update({int(status): int(count) for status, count in told["statuses"].items()})
        self.seen.update(map(str, told["seen"]))
        self.refused.update(map(str, told["refused"]))
        self.branches.update(map(str, told["branches"]))

    def as_json(self) -> Record:
        """What files say."""
        return {
            "calls": self.calls,
            "gaps": self.gaps,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "seen": sorted(self.seen),
            "refused": sorted(self.refused - self.seen),
            "branches": sorted(self.branches),
        }


class Collector:
    """Collects what calls to the operations of one document touch."""

    def __init__(self, contract: Contract, base_url: str = "", universe: Universe | None = None) -> None:
        """`base_url` is that below which the document's paths are; its path alone counts."""
        self.contract = contract
        self.universe = universe or Universe(contract)
        self.operations: dict[str, Touched] = {}
        self.calls = 0
        self.unmatched: Counter[str] = Counter()
        self._base = urlsplit(base_url).path.rstrip("/")
        self._routes = _Routes(contract.operations)
        self._facts: dict[Operation, _Facts] = {}

    def take(self, call: Call) -> None:
        """Note what a call touched; one of no path is counted."""
        self.calls += 1
        parts = urlsplit(call.url)
        path = re.sub(r"^/worlds/[^/]+", "", parts.path)  # a world of the mock
        found = self._routes.find(call.method, path.removeprefix(self._base) if self._base else path)
        if found is None and self._base:
            found = self._routes.find(call.method, path)
        if found is None:
            if not self._routes.knows(path.removeprefix(self._base)) and not self._routes.knows(path):
                self.unmatched[f"{call.method} {parts.path}"] += 1
            return
        operation, path_values = found
        facts = self._facts.get(operation)
        if facts is None:
            facts = self._facts[operation] = _Facts(operation, self.universe)
        touched = self.operations.setdefault(str(operation), Touched())
        touched.calls += 1
        touched.gaps += call.request_gap or call.reply_gap
        touched.seen.add(facts.itself)
        if call.status:
            touched.statuses[call.status] += 1
        requests = touched.refused if call.status in _REFUSALS else touched.seen
        self._request(call, parts.query, path_values, facts, requests, touched)
        self._credentials(call, facts, requests, touched)
        self._reply(call, facts, touched)

    def _request(self, call: Call, query: str, path: dict[str, str], facts: _Facts, seen: set[str], touched: Touched) -> None:
        plan = self.contract.requests[facts.operation]
        headers = {
            name.encode("latin-1", "replace"): value.encode("latin-1", "replace") for name, value in call.headers.items()
        }
        body = b"" if call.request_gap else call.body
        decoded, body_decoder = plan.decoder.decode(path, query.encode("latin-1", "replace"), headers, body)
        broken = {(each.part, each.pointer) for each in decoded.violations}
        for location, key, sent, absent, node in facts.parameters:
            if key in decoded.parts[location]:
                seen.add(sent)
                if not node.is_plain:
                    self._walk(decoded.parts[location][key], node, seen, touched, 0)
            elif (location, values.pointer(key)) in broken:
                seen.add(sent)
            elif absent is not None:
                seen.add(absent)
        if body_decoder is not None:
            content = body_decoder.content
            seen.add(Item("request media types", content.pointer, content.media_type).key)
            if "body" in decoded.parts and content.schema is not None:
                node = self.universe.requests.at(content.schema, content.pointer + "/schema")
                self._walk(decoded.parts["body"], node, seen, touched, 0)

    def _credentials(self, call: Call, facts: _Facts, seen: set[str], touched: Touched) -> None:
        for alternative, key in facts.credentials:
            if all(_carries(call, scheme) for scheme in alternative):
                seen.add(key)
        if call.status == 403 or call.status < 400:
            outcome = "refused" if call.status == 403 else "allowed"
            for scope in facts.scopes:
                touched.seen.add(Item("scopes", facts.operation.pointer, f"{scope}: {outcome}").key)

    def _reply(self, call: Call, facts: _Facts, touched: Touched) -> None:
        response = self.contract.replies[facts.operation].response(call.status) if call.status else None
        if response is None:
            return
        touched.seen.add(Item("statuses", response.pointer, response.status).key)
        essence = call.reply_headers.get("content-type", "").partition(";")[0].strip().lower()
        content = _content(response, essence)
        if content is None or not essence:
            return
        touched.seen.add(Item("response media types", content.pointer, f"{response.status} {content.media_type}").key)
        if content.schema is None or call.reply_gap or "json" not in essence:
            return
        try:
            value = values.parse(call.reply_body)
        except values.NotJSON:
            touched.gaps += bool(call.reply_body)
            return
        node = self.universe.replies.at(content.schema, content.pointer + "/schema")
        self._walk(value, node, touched.seen, touched, 0)

    def _walk(self, value: JSON, node: Node, seen: set[str], touched: Touched, depth: int) -> None:
        if depth > 60 or node.is_plain:
            return
        if node.enum and (item := node.enum.get(value_name(value))) is not None:
            seen.add(item.key)
        for part in node.parts:
            self._walk(value, part, seen, touched, depth + 1)
        for branch in node.branches:
            if branch.validator is None or _is_valid(branch.validator, value):
                touched.branches.add(branch.pointer)
                self._walk(value, branch.node, seen, touched, depth + 1)
        if isinstance(value, dict):
            for name, item in value.items():
                known = node.fields.get(name)
                if known is not None:
                    seen.add(known[0].key)
                    self._walk(item, known[1], seen, touched, depth + 1)
                elif node.additional is not None:
                    self._walk(item, node.additional, seen, touched, depth + 1)
        elif isinstance(value, list) and node.items is not None:
            for item in value[:_MOST_ITEMS]:
                self._walk(item, node.items, seen, touched, depth + 1)

    def touched(self) -> Record:
        """What was touched, for files; `merge` reads it."""
        info = self.contract.document.get("info") or {}
        return {
            "form": FORM,
            "version": VERSION,
            "document": {"title": str(info.get("title") or ""), "version": str(info.get("version") or "")},
            "calls": self.calls,
            "unmatched": dict(self.unmatched.most_common(100)),
            "operations": {name: self.operations[name].as_json() for name in sorted(self.operations)},
        }

    def merge(self, told: JSON) -> None:
        """Take up what another collector touched. Raises `NotMergeable`."""
        if not isinstance(told, dict) or told.get("form") != FORM:
            raise NotMergeable("it is no record of coverage")
        if told.get("version") != VERSION:
            raise NotMergeable(f"it has version {told.get('version')!r}, and this mockserver reads {VERSION}")
        try:
            title = told["document"]["title"]
            own = str((self.contract.document.get("info") or {}).get("title") or "")
            if title != own:
                raise NotMergeable(f"it is of {title!r}, and the document is {own!r}")
            for name, each in told["operations"].items():
                self.operations.setdefault(str(name), Touched()).add(each)
            self.calls += int(told["calls"])
            self.unmatched.update({str(name): int(count) for name, count in told["unmatched"].items()})
        except NotMergeable:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NotMergeable(f"it is no record of coverage: {type(error).__name__} {error}") from error


class _Facts:
    """What a collector needs of an operation, made once."""

    def __init__(self, operation: Operation, universe: Universe) -> None:
        self.operation = operation
        self.itself = Item("operations", operation.pointer, str(operation)).key
        self.parameters = []
        for each in operation.parameters:
            name = f"{each.location} {each.name}"
            absent = None if each.required else Item("parameters left out", each.pointer, name).key
            node = universe.parameters.at(each.schema or {}, each.pointer + "/schema")
            self.parameters.append((each.location, each.key, Item("parameters", each.pointer, name).key, absent, node))
        schemes = (universe.contract.document.get("components") or {}).get("securitySchemes") or {}
        self.credentials = [
            (
                [schemes.get(name) or {} for name in alternative],
                Item("credentials", f"{operation.pointer}/security", " and ".join(alternative) or "none").key,
            )
            for alternative in operation.security
        ]
        self.scopes = universe.scopes_of(operation)


def _carries(call: Call, scheme: Record) -> bool:
    """Whether a call has credentials of a scheme, right or wrong."""
    name, where = str(scheme.get("name", "")), scheme.get("in")
    if scheme.get("type") == "apiKey":
        if where == "header":
            return name.lower() in call.headers
        return f"{name}=" in (call.headers.get("cookie", "") if where == "cookie" else call.url)
    return "authorization" in call.headers


def _content(response: Response, essence: str) -> Content | None:
    for wanted in (essence, essence.partition("/")[0] + "/*", "*/*"):
        for content in response.contents:
            if content.media_type.partition(";")[0].strip().lower() == wanted:
                return content
    return None


def _is_valid(validator: Validator, value: JSON) -> bool:
    try:
        return bool(validator.is_valid(value))
    except (ValueError, UnicodeEncodeError):
        return False


class _Routes:
    """Operations by method and path: literal segments win over variable ones, left to right."""

    def __init__(self, operations: list[Operation]) -> None:
        self._by_length: dict[tuple[str, int], list[tuple[re.Pattern[str], list[str], Operation]]] = {}
        for operation in sorted(operations, key=lambda each: [("{" in part, part) for part in _segments(each.path)]):
            segments = _segments(operation.path)
            names = re.findall(r"\{([^}]*)\}", operation.path)
            pattern = "/".join("([^/]+?)".join(map(re.escape, re.split(r"\{[^}]*\}", segment))) for segment in segments)
            row = (re.compile(pattern), names, operation)
            self._by_length.setdefault((operation.method.upper(), len(segments)), []).append(row)

    def knows(self, path: str) -> bool:
        """Whether any method is possible on a path: to try others is a test of refusals."""
        segments = _segments(path)
        text = "/".join(segments)
        rows = (row for (_, length), rows in self._by_length.items() if length == len(segments) for row in rows)
        return any(pattern.fullmatch(text) for pattern, _, _ in rows)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation that is meant, with the decoded values of its path."""
        segments = _segments(path)
        method = method.upper()
        for each in (method, "GET") if method == "HEAD" else (method,):
            for pattern, names, operation in self._by_length.get((each, len(segments)), ()):
                match = pattern.fullmatch("/".join(segments))
                if match is not None:
                    return operation, dict(zip(names, map(unquote, match.groups()), strict=True))
        return None


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]
