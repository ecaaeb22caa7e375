"""Whether stub files keep the contract: objects with `request` and `response` as WireMock writes them, one or many a file.

What only a call can show (rendered templates, chance) is left alone. A mapping that says `"off_contract": true`
means to break the contract, and only its call is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from mockserver import values
from mockserver.checking.places import Source, shown
from mockserver.checking.subject import Subject
from mockserver.contract.errors import DocumentError
from mockserver.contract.normalising import base_path
from mockserver.contract.operations import Operation
from mockserver.contract.problems import Problem
from mockserver.contract.reading import parse_text, read_bytes
from mockserver.contract.replies import JSON_TYPE, Reply
from mockserver.contract.requests import ContractBroken
from mockserver.contract.violations import Violation
from mockserver.reporting.finding import Place, Related
from mockserver.reporting.report import Report
from mockserver.stubbing.files import mappings_in
from mockserver.values import JSON, Record, pointer

_ADDRESSES = ("url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate")
_PATTERNS = {"urlPattern", "urlPathPattern"}
_SAMPLES = ("1", "a", "abc-123", "00000000-0000-4000-8000-000000000000")
"""What stands in for a variable of a path, to find out which operations a pattern is for."""


def check(subject: Subject, path: Path, report: Report) -> None:
    """Add to a report what is wrong with the stubs of one file."""
    judge = _Judge(subject, path, report)
    try:
        text = read_bytes(path)
        judge.source = Source(text)
        value = parse_text(text, path)
    except DocumentError as error:
        line = int(error.place) if error.place.isdecimal() else None
        report.count("stub files")
        report.add("MS-X009", error.reason, Place(shown(path), "", line))
        return
    report.count("stub files")
    for parts, mapping in mappings_in(value):
        known = len(report.findings)
        judge.mapping(mapping, parts)
        if len(report.findings) == known and isinstance(mapping, dict):
            judge.setting(mapping, parts)


@dataclass
class _Judge:
    subject: Subject
    path: Path
    report: Report
    source: Source | None = None

    def add(
        self, code: str, message: str, parts: list[str], operation: Operation | None = None, rule: str = "", **more: Any
    ) -> None:
        position = self.source.position(parts) if self.source else None
        related = [Related("the rule", self.subject.place(rule))] if rule else []
        place = Place(shown(self.path), pointer(*parts), *(position or (None, None)))
        name = self.subject.names.get(operation.pointer, str(operation)) if operation else ""
        self.report.add(code, message, place, operation=name, related=related, **more)

    def mapping(self, mapping: JSON, parts: list[str]) -> None:
        self.report.count("stubs")
        if not isinstance(mapping, dict):
            self.add("MS-X009", "a stub is an object with request and response", parts)
            return
        request, response = mapping.get("request"), mapping.get("response")
        for name, part in (("request", request), ("response", response)):
            if not isinstance(part, dict):
                self.add(
                    "MS-X009", f"{name} is {'missing' if part is None else 'no object'}", [*parts, name] if part else parts
                )
                return
        assert isinstance(request, dict)
        assert isinstance(response, dict)
        status = response.get("status", 200)
        if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
            self.add("MS-X009", f"{values.dump(status).decode()} is no status", [*parts, "response", "status"])
            return
        address = next((name for name in _ADDRESSES if name in request), None)
        if address is None:
            return  # it is for any call
        if not isinstance(request[address], str):
            self.add("MS-X009", f"{address} is no text", [*parts, "request", address])
            return
        operations = self.operations(request, address, parts)
        if not operations:
            return
        meant = mapping.get("off_contract") is True or response.get("off_contract") is True or "fault" in response
        for operation, path in operations:
            self.request(operation, path, request, parts)
            if not meant:
                self.response(operation, status, response, parts)

    def operations(self, request: Record, address: str, parts: list[str]) -> list[tuple[Operation, dict[str, str]]]:
        """Return the operations that a stub is for, with the values of the path's variables where they are known."""
        method = str(request.get("method", "ANY")).lower()
        given = request[address]
        here = [*parts, "request", address]
        try:
            on_path = [each for each in self.subject.contract.operations if self.match(each, address, given) is not None]
        except re.error as error:
            self.add("MS-X009", f"{given!r} is no pattern: {error}", here)
            return []
        if address not in _PATTERNS and on_path:
            literals = max(_literals(each.path) for each in on_path)
            on_path = [each for each in on_path if _literals(each.path) == literals]
        if not on_path:
            severity = "warning" if address in _PATTERNS else None
            self.add("MS-X010", f"no operation has the path {given}", here, severity=severity)
            return []
        meant = [each for each in on_path if method in ("any", each.method)]
        if not meant:
            listed = ", ".join(sorted({each.method.upper() for each in on_path}))
            self.add("MS-X010", f"{on_path[0].path} has no {method.upper()}, only {listed}", [*parts, "request", "method"])
        return [(each, self.match(each, address, given) or {}) for each in meant]

    def match(self, operation: Operation, address: str, given: str) -> dict[str, str] | None:
        base = base_path(self.subject.document)
        templates = [f"{base}{operation.path}", operation.path] if base else [operation.path]
        if address in _PATTERNS:
            samples = [re.sub(r"\{[^}]*\}", sample, template) for template in templates for sample in _SAMPLES]
            pattern = re.compile(given)
            return {} if any(pattern.fullmatch(each) or pattern.fullmatch(f"{each}?a=b") for each in samples) else None
        path = unquote(urlsplit(given).path)
        if address == "urlPathTemplate":
            return {} if any(_shape(path) == _shape(template) for template in templates) else None
        for template in templates:
            pieces = re.split(r"\{([^}]*)\}", template)
            pattern = re.compile("".join(re.escape(piece) if at % 2 == 0 else "([^/]+)" for at, piece in enumerate(pieces)))
            if found := pattern.fullmatch(path):
                return dict(zip(pieces[1::2], found.groups(), strict=True))
        return None

    # What a server has against it that the document alone does not tell: matchers, templates, fields that it does not know.

    def setting(self, mapping: Record, parts: list[str]) -> None:
        app = self.subject.app
        try:
            app.control.perform("addMapping", app.worlds.get("default"), mapping)
        except Problem as problem:
            for violation in problem.violations:
                inside = [values.unescape(each) for each in violation.pointer.split("/")[1:]]
                self.add("MS-X009", str(violation), [*parts, *inside])

    # What it waits for.

    def request(self, operation: Operation, path: dict[str, str], request: Record, parts: list[str]) -> None:
        query: dict[str, str] = {}
        for name, matcher in _objects(request.get("queryParameters")):
            if isinstance(matcher.get("equalTo"), str):
                query[name] = matcher["equalTo"]
        url = request.get("url")
        text = urlsplit(url).query if isinstance(url, str) else urlencode(query, quote_via=quote)
        body, at = b"", -1
        for number, matcher in enumerate(request.get("bodyPatterns") or []):
            if isinstance(matcher, dict) and "equalToJson" in matcher and not matcher.get("ignoreExtraElements"):
                wanted = matcher["equalToJson"]
                body, at = wanted.encode() if isinstance(wanted, str) else values.dump(wanted), number
        for violation in self.refusals(operation, path, text, body):
            if violation.part == "path" and path:
                here = [*parts, "request", next(name for name in _ADDRESSES if name in request)]
            elif violation.part == "query" and text and violation.keyword != "required":
                name = values.unescape(violation.pointer.split("/")[1]) if violation.pointer else ""
                here = [*parts, "request", "url"] if "url" in request else [*parts, "request", "queryParameters", name]
            elif violation.part == "body" and at >= 0:
                here = [*parts, "request", "bodyPatterns", str(at)]
            else:
                continue
            self.add("MS-X014", str(violation), here, operation, violation.rule)

    def refusals(self, operation: Operation, path: dict[str, str], query: str, body: bytes) -> list[Violation]:
        named = {each.name for each in operation.parameters if each.location == "path"}
        if not named <= set(path):
            path = {}
        headers = {b"content-type": JSON_TYPE.encode()} if body else {}
        try:
            self.subject.contract.requests[operation].read(path, query.encode(), headers, body)
        except ContractBroken as broken:
            return broken.violations()
        return []

    # What it answers.

    def response(self, operation: Operation, status: int, response: Record, parts: list[str]) -> None:
        here = [*parts, "response"]
        headers = {name.lower(): text for name, text in (response.get("headers") or {}).items() if isinstance(text, str)}
        given, body, key = _body(response, headers)
        plan = self.subject.contract.replies[operation]
        documented = plan.response(status)
        first = documented.contents[0].media_type if documented and documented.contents else JSON_TYPE
        reply = Reply(
            status, body, headers, headers.get("content-type") or (JSON_TYPE if given and key == "jsonBody" else first)
        )
        for violation in plan.violations(reply):
            name = values.unescape(violation.pointer.split("/")[1]) if violation.pointer else ""
            if violation.part == "status":
                self.add("MS-X011", violation.message, [*here, "status"], operation, violation.rule)
            elif violation.keyword == "media-type":
                self.add("MS-X012", violation.message, [*here, "headers", _spelt(response, name)], operation, violation.rule)
            elif violation.part == "header":
                self.add("MS-X013", str(violation), [*here, "headers", _spelt(response, name)], operation, violation.rule)
            elif given:
                inside = [values.unescape(each) for each in violation.pointer.split("/")[1:]] if key == "jsonBody" else []
                self.add("MS-X012", str(violation), [*here, key, *inside], operation, violation.rule)


def _body(response: Record, headers: dict[str, str]) -> tuple[bool, JSON, str]:
    """Whether a JSON value can be judged, the value, and the field that it is in."""
    templated = bool(response.get("transformers"))
    if "jsonBody" in response:
        value = response["jsonBody"]
        return not (templated and b"{{" in values.dump(value)), value, "jsonBody"
    text = response.get("body")
    if isinstance(text, str) and "json" in headers.get("content-type", JSON_TYPE) and not (templated and "{{" in text):
        try:
            return True, values.parse(text.encode()), "body"
        except values.NotJSON:
            return "content-type" in headers, text, "body"
    return False, b"", "body"


def _spelt(response: Record, name: str) -> str:
    return next((each for each in response.get("headers") or {} if each.lower() == name), name)


def _objects(value: JSON) -> Iterator[tuple[str, Record]]:
    for name, part in value.items() if isinstance(value, dict) else ():
        if isinstance(part, dict):
            yield name, part


def _literals(template: str) -> int:
    return sum("{" not in segment for segment in template.split("/"))


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)
