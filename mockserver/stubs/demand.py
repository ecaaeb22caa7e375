"""Answers on demand: a documented status, a named example or a fresh sample, as Prism's users ask for them.

By the header `Prefer: code=404, example=empty, dynamic=true` (RFC 7240) or the query parameters `__code`, `__example` and
`__dynamic`. The request is still held to the contract; the world is not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from mockserver.contract import grammar
from mockserver.contract.operations import Content, Operation, Response
from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.violations import Violation
from mockserver.stubs.inference import success
from mockserver.stubs.sampling import Sampler, Source
from mockserver.values import JSON, Record


@dataclass(frozen=True)
class Demand:
    """What a caller asks for; None and False where nothing is asked."""

    code: str | None
    example: str | None
    dynamic: bool


def demand_of(query: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Demand | None:
    """Return what a call asks for, or None. Several headers count as one, and parameters of a preference do not count."""
    asked: dict[str, str] = {}
    preferences = b",".join(value for name, value in headers if name == b"prefer")
    for piece in preferences.decode("latin-1").split(","):
        name, _, value = piece.partition(";")[0].strip().partition("=")
        asked[name.strip().lower()] = value.strip().strip('"')
    for piece in query.decode("latin-1").split("&"):
        name, _, value = piece.partition("=")
        if name.startswith("__"):
            asked[name[2:]] = unquote_plus(value)
    code, example = asked.get("code") or None, asked.get("example") or None
    dynamic = asked.get("dynamic", "").lower() == "true"
    return Demand(code, example, dynamic) if code or example or dynamic else None


class Demands:
    """Answers demands on the operations of one document."""

    def __init__(self, document: Record) -> None:
        self._document = document
        self._sampler = Sampler(document, "reply")

    def answer(self, demand: Demand, operation: Operation, source: Source) -> Reply:
        """Return the reply that is asked for. Fails: `invalid-request` for what the document does not list."""
        status, response = self._response(demand, operation)
        content = next((each for each in response.contents if "json" in each.media_type), None)
        if content is None:
            if demand.example:
                raise _refused("example", f"{demand.example!r} is not there: {status} of {operation} has no examples")
            if not response.contents:
                return Reply(status, b"")
            return Reply(status, b"", media_type=response.contents[0].media_type)
        body = self._body(demand, content, source, f"{status} of {operation}")
        return Reply(status, body, self._headers(response, source), content.media_type)

    def _response(self, demand: Demand, operation: Operation) -> tuple[int, Response]:
        if demand.code is None:
            code = str(success(operation)[0])
        elif re.fullmatch(r"[1-5][0-9][0-9]", demand.code):
            code = demand.code
        else:
            raise _refused("code", f"{demand.code!r} is no status")
        responses = operation.responses
        response = responses.get(code) or responses.get(f"{code[0]}XX") or responses.get("default")
        if response is None:
            raise _refused("code", f"{code} is not documented for {operation}, only {', '.join(responses)}")
        return int(code), response

    def _body(self, demand: Demand, content: Content, source: Source, where: str) -> JSON:
        raw = grammar.find(self._document, "#" + content.pointer)
        named: Record = raw.get("examples") or {}
        if demand.example is not None:
            if demand.example not in named:
                listed = ", ".join(named) or "none"
                raise _refused("example", f"{demand.example!r} is not there: {where} has these examples: {listed}")
            return self._value(named[demand.example])
        if not demand.dynamic:
            if "example" in raw:
                return raw["example"]
            for example in named.values():
                return self._value(example)
        return self._sampler.sample(content.schema or {}, source, examples=not demand.dynamic)

    def _value(self, example: Record) -> JSON:
        return (grammar.find(self._document, example["$ref"]) if "$ref" in example else example).get("value")

    def _headers(self, response: Response, source: Source) -> dict[str, str]:
        made = {}
        for header in response.headers:
            if header.required:
                value = self._sampler.sample(header.schema, source)
                made[header.name] = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        return made


def _refused(pointer: str, message: str) -> Problem:
    violation = Violation("query", f"/__{pointer}", message)
    return Problem(INVALID_REQUEST, f"Invalid demand: {message}", violations=[violation])
