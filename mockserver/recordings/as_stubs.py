"""Recorded exchanges as stubs in WireMock's form: one mapping for each call, a scenario where its answer changed."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from mockserver import values
from mockserver.contract.decoding import parse_pairs
from mockserver.contract.forms import Undecodable
from mockserver.contract.secrets import REDACTED
from mockserver.traffic.exchange import Exchange, Payload, table
from mockserver.traffic.judging import Judge, Judgement
from mockserver.values import JSON, Record

_ANYTHING = "${json-unit.ignore}"
_REGEX = "${json-unit.regex}"
_GONE = frozenset(
    ("connection", "content-encoding", "content-length", "date", "keep-alive", "server", "set-cookie", "transfer-encoding",
     "vary", "via", "alt-svc")
)  # fmt: skip
"""Headers of a reply that are the connection's or the server's own."""


def mappings(exchanges: Iterable[Exchange], judge: Judge, tell: Any) -> Record:
    """Return the stubs; `tell` is given in one line what no stub is made of, and why."""
    groups: dict[bytes, list[tuple[Record, Exchange]]] = {}
    for exchange in exchanges:
        judgement = judge.judge(exchange)
        if (reason := _useless(judgement)) is not None:
            tell(f"{exchange.places.file}{exchange.places.record}: no stub for {exchange}: {reason}")
            continue
        request = _request(exchange)
        answer: Record = {"response": _response(exchange)}
        if any(fault.part.startswith(("reply", "status")) or judgement.operation is None for fault in _broken(judgement)):
            answer["off_contract"] = True
        groups.setdefault(values.dump(request), []).append((answer, exchange))
    made: list[Record] = []
    for number, (key, answers) in enumerate(groups.items(), 1):
        made.extend(_group(values.parse(key), answers, f"recorded-{number}"))
    return {"mappings": made}


def _broken(judgement: Judgement) -> list[Any]:
    """Faults for which the mock would refuse a stub; where a placeholder stands it cannot tell them from others."""
    return [each for each in judgement.faults if each.code.startswith(("MS-A00", "MS-T001", "MS-T002", "MS-R01", "MS-T003"))
            and each.code not in ("MS-A008", "MS-A009")]  # fmt: skip


def _useless(judgement: Judgement) -> str | None:
    exchange = judgement.exchange
    if exchange.status is None:
        return "it has no reply"
    if exchange.method == "HEAD":
        return "the mock answers HEAD as it answers GET"
    if exchange.reply_body.gap:
        return f"the body of its reply is missing: {exchange.reply_body.gap}"
    if judgement.operation is not None and any(
        each.code.startswith("MS-R") and each.severity is None and each.code != "MS-R014" for each in judgement.faults
    ):
        return "the document refuses the request, and so does the mock before it looks at stubs"
    return None


def _group(request: Record, answers: list[tuple[Record, Exchange]], name: str) -> list[Record]:
    distinct = [answers[0]]
    for each in answers[1:]:
        if each[0] != distinct[-1][0]:
            distinct.append(each)
    made = []
    for at, (answer, exchange) in enumerate(distinct):
        mapping: Record = {"request": request, **answer}
        mapping["metadata"] = {"recorded": f"{exchange.places.file}#{exchange.places.record}"}
        if len(distinct) > 1:
            mapping["scenarioName"] = name
            mapping["requiredScenarioState"] = "Started" if at == 0 else str(at + 1)
            if at + 1 < len(distinct):
                mapping["newScenarioState"] = str(at + 2)
        made.append(mapping)
    return made


def _request(exchange: Exchange) -> Record:
    made: Record = {"method": exchange.method}
    path, pairs = unquote(exchange.path), _pairs(exchange.query)
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):  # one of several values is all that a matcher asks for
        made["url"] = f"{exchange.path}?{exchange.query}"
    elif REDACTED in path:
        made["urlPathPattern"] = _pattern(path)
    else:
        made["urlPath"] = path
    if pairs and "url" not in made:
        made["queryParameters"] = {
            name: {"matches": _pattern(value)} if REDACTED in value else {"equalTo": value} for name, value in pairs
        }
    pattern = _body_pattern(exchange.body, exchange.header("content-type"))
    if pattern is not None:
        made["bodyPatterns"] = [pattern]
    return made


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_pairs(query.encode("utf-8", "surrogatepass"))
    except Undecodable:
        return []


def _pattern(text: str) -> str:
    return ".*".join(map(re.escape, text.split(REDACTED)))


def _body_pattern(body: Payload, content_type: str) -> Record | None:
    if not body.data or body.gap or content_type.lower().startswith("multipart/"):
        return None  # boundaries of forms differ from call to call
    try:
        return {"equalToJson": _matched(values.parse(body.data))}
    except values.NotJSON:
        pass
    try:
        text = body.data.decode()
    except UnicodeDecodeError:
        return {"binaryEqualTo": base64.b64encode(body.data).decode()}
    return {"matches": f"(?s){_pattern(text)}"} if REDACTED in text else {"equalTo": text}


def _matched(value: JSON) -> JSON:
    if isinstance(value, str):
        return _ANYTHING if value == REDACTED else _REGEX + _pattern(value) if REDACTED in value else value
    if isinstance(value, list):
        return [_matched(item) for item in value]
    if isinstance(value, dict):
        return {name: _matched(item) for name, item in value.items()}
    return value


def _response(exchange: Exchange) -> Record:
    headers = {name: value for name, value in table(exchange.reply_headers).items() if name not in _GONE and value != REDACTED}
    made: Record = {"status": exchange.status, "headers": headers}
    data = exchange.reply_body.data
    if not data:
        return made
    if "json" in headers.get("content-type", ""):
        try:
            return {**made, "jsonBody": values.parse(data)}
        except values.NotJSON:
            pass
    try:
        return {**made, "body": data.decode()}
    except UnicodeDecodeError:
        return {**made, "base64Body": base64.b64encode(data).decode()}
