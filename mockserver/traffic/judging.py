"""Holds an exchange to a document, and says of each violation who is to blame.

Who is to blame (chosen; the document is the word that both sides gave):

| request | reply | blame |
|---|---|---|
| breaks | success | client; a note that the service is laxer than the document |
| breaks | refusal | client, the service is right |
| keeps | refused for its form (400, 415, 422) | document where it has that status, but not the rule; else service |
| keeps | undocumented status, media type, header or body | service |
| no such path or method | 404, 405 | client |
| no such path or method | success | document, which lacks it |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mockserver import values
from mockserver.contract.contract import Contract
from mockserver.contract.decoding import Decoded, ParameterDecoder, parse_pairs
from mockserver.contract.forms import Undecodable
from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.contract.secrets import is_secret_member
from mockserver.contract.violations import Violation
from mockserver.reporting.finding import Party, Severity
from mockserver.traffic.exchange import Exchange, table
from mockserver.traffic.routes import Elsewhere, Route, Routes
from mockserver.values import JSON, Record, unescape

_BY_PART = {"path": "MS-R001", "query": "MS-R002", "header": "MS-R003", "cookie": "MS-R004", "body": "MS-R005"}
_BY_KEYWORD = {"media-type": "MS-R007", "decode": "MS-R008"}
_REFUSES_FORM = (400, 415, 422)
_PLACEHOLDER = re.compile(r"(?i)[\[<({*]*\s*(redacted|filtered|removed|masked|\*{3,}|x{4,})[\w -]*\s*[\])>}*]*")
"""What recorders put in the place of secrets: `[redacted]`, `<FILTERED>`, `***`, `REDACTED_KEY`."""
_STRUCTURE = frozenset(("required", "additionalProperties", "minProperties", "maxProperties", "minItems", "maxItems"))
"""Keywords that a placeholder further in has nothing to do with."""
_PAGE = re.compile(r"(?i)(page|next|cursor|continuation|sync)[-_]?token$")
_BODILESS = frozenset((204, 205, 304))
_OWN_ERRORS = "urn:mockserver:"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in an exchange, or could not be found out.

    `part` and `at` say where (see `Places.of`), `rule` is a pointer into the document. What is None or empty is as the
    catalogue has it.
    """

    code: str
    message: str
    part: str
    at: str = ""
    rule: str = ""
    because: str = ""
    blame: Party | None = None
    severity: Severity | None = None


@dataclass
class Judgement:
    """What was found of one exchange. `operation` is None when it called none, `checked` whether it was held to anything."""

    exchange: Exchange
    operation: Operation | None = None
    faults: list[Fault] = field(default_factory=list)
    checked: bool = True
    elsewhere: bool = False
    foreign: bool = False
    """It may have gone to another service: neither the document nor `servers` say."""

    @property
    def name(self) -> str:
        """The operation, for people."""
        return self.operation.id if self.operation else ""


class Judge:
    """Holds exchanges to one document."""

    def __init__(self, contract: Contract, servers: tuple[str, ...] = ()) -> None:
        self._contract = contract
        self._routes = Routes(contract, servers)
        self._schemes: dict[str, Record] = (contract.document.get("components") or {}).get("securitySchemes") or {}
        self._query_keys = {str(each.get("name")) for each in self._schemes.values() if each.get("in") == "query"}
        self._told = bool(servers)

    def judge(self, exchange: Exchange) -> Judgement:
        """Return what is wrong with an exchange."""
        judgement = Judgement(exchange)
        try:
            route = self._routes.find(exchange)
        except Elsewhere:
            return Judgement(exchange, checked=False, elsewhere=True)
        except UnicodeDecodeError:
            judgement.faults.append(Fault("MS-R001", "the path is not UTF-8", "path"))
            return judgement
        if route is None or route.entry is None:
            self._unrouted(judgement, route)
            return judgement
        judgement.operation = route.entry.operation
        if route.entry.fault:
            judgement.checked = False
            judgement.faults.append(
                Fault("MS-T006", f"not judged: {route.entry.fault}", "path", rule=judgement.operation.pointer)
            )
            return judgement
        try:
            self._held(judgement, route, judgement.operation)
        except ValueError as error:  # a schema that is none
            judgement.checked = False
            message = f"not judged: a schema of the operation is none: {error}"
            judgement.faults.append(Fault("MS-T006", message, "path", rule=judgement.operation.pointer))
        return judgement

    def route(self, exchange: Exchange) -> Route | None:
        """Where an exchange leads, None when to nothing that the document has."""
        try:
            return self._routes.find(exchange)
        except (Elsewhere, UnicodeDecodeError):
            return None

    # What the document does not have.

    def _unrouted(self, judgement: Judgement, route: Route | None) -> None:
        exchange = judgement.exchange
        status = exchange.status
        if exchange.method == "OPTIONS":  # HTTP's own question, and a browser's before a call from another site
            judgement.checked = False
            return
        judgement.faults.extend(self._url(exchange, None))
        judgement.foreign = route is None and not self._told and not exchange.is_live
        if route is None:
            what, codes, rule = f"the document has no path {exchange.path}", ("MS-R010", "MS-T001"), "/paths"
        else:
            methods = ", ".join(sorted(route.leaf.targets))
            what = f"{route.leaf.template} has no {exchange.method}, only {methods}"
            codes, rule = ("MS-R011", "MS-T002"), values.pointer("paths", route.leaf.template)
        if status is None:
            judgement.faults.append(Fault(codes[0], what, "path", rule=rule, because="The document does not have it."))
            self._no_reply(judgement)
        elif status < 400:
            because = f"The service answers it ({status}), so the document lacks it."
            judgement.faults.append(
                Fault(codes[1], f"{what}, yet the service answers {status}", "path", rule=rule, because=because)
            )
        else:
            because = f"The document does not have it, and the service refuses it ({status})."
            judgement.faults.append(Fault(codes[0], what, "path", rule=rule, because=because))

    # What the document has.

    def _held(self, judgement: Judgement, route: Route, operation: Operation) -> None:
        exchange = judgement.exchange
        status = exchange.status
        judgement.faults.extend(self._url(exchange, operation))
        broken = list(self._request(judgement, route.values, operation))
        for fault in broken:
            judgement.faults.append(fault)
        breaks = any(fault.severity is None for fault in broken)
        judgement.faults.extend(self._credentials(exchange, operation))
        if status is None:
            self._no_reply(judgement)
            return
        judgement.faults.extend(self._reply(judgement, operation))
        if breaks and status < 400:
            message = f"the service takes a request that the document refuses ({status})"
            judgement.faults.append(Fault("MS-A009", message, "status", rule=operation.pointer))
        elif not breaks and not exchange.body.gap:
            judgement.faults.extend(self._refusal(exchange, operation))

    def _no_reply(self, judgement: Judgement) -> None:
        note = judgement.exchange.note
        message = f"the exchange has no reply{f': {note}' if note else ''}; it is not checked"
        judgement.faults.append(Fault("MS-T005", message, "status"))

    def _request(self, judgement: Judgement, path: dict[str, str], operation: Operation) -> Iterator[Fault]:
        exchange, plan = judgement.exchange, self._contract.requests[operation]
        headers = {name.encode("latin-1", "replace"): value.encode("latin-1", "replace") for name, value in
                   table(exchange.headers).items()}  # fmt: skip
        gap, unread = exchange.body.gap, bool(exchange.body.gap) and not exchange.body.lacks_files
        if gap:
            yield _gap("the body of the request", gap, "body")
        data = b"" if unread else exchange.body.data
        query = exchange.query.encode("utf-8", "surrogatepass")
        decoded, body = plan.decoder.decode(path, query, headers, data)
        if decoded.violations or not plan.validator(body).is_valid(decoded.parts):
            for each in plan.explain(decoded, body, None):
                if unread and each.part == "body":
                    continue
                yield self._violation(exchange, each, decoded)
        yield from self._unknown_query(exchange, plan.decoder.query, operation)
        if data and operation.body is None:
            yield Fault("MS-R013", f"{operation} takes no body", "body", rule=operation.pointer, severity="warning")

    def _violation(self, exchange: Exchange, each: Violation, decoded: Decoded) -> Fault:
        if self._is_hidden(each, decoded.parts.get(each.part)):
            return _gap(f"{each.place} of the request", "a placeholder stands there for a secret", each.part)
        code = _BY_PART[each.part]
        if each.part == "body":
            code = _BY_KEYWORD.get(each.keyword, "MS-R006" if not each.pointer and each.keyword == "required" else code)
        elif each.keyword == "required" and each.pointer.count("/") == 1:
            code = "MS-R009"
        status = exchange.status
        if status is None:
            because = "The document refuses it."
        elif status < 400:
            because = f"The document refuses it; the service took it all the same ({status})."
        elif status < 500:
            because = f"The document refuses it, and the service refused the call as well ({status})."
        else:
            because = f"The document refuses it; the service failed at it ({status})."
        at = _header_at(exchange.headers, each.pointer) if each.part == "header" else ""
        return Fault(code, _worded(each, "request"), each.part, at, each.rule, because)

    def _is_hidden(self, each: Violation, value: JSON) -> bool:
        if each.keyword in _STRUCTURE or each.keyword == "media-type":
            return False
        for part in each.pointer.split("/")[1:]:
            if isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            elif isinstance(value, dict) and unescape(part) in value:
                value = value[unescape(part)]
            else:
                return False
        return _holds_placeholder(value)

    def _unknown_query(self, exchange: Exchange, known: list[ParameterDecoder], operation: Operation) -> Iterator[Fault]:
        try:
            pairs = parse_pairs(exchange.query.encode("utf-8", "surrogatepass"))
        except Undecodable:
            return
        names: set[str] = set(self._query_keys)
        for decoder in known:
            if "object" in decoder.shape.types and decoder.parameter.explode and decoder.parameter.style == "form":
                if decoder.shape.additional is not None or not decoder.shape.properties:
                    return  # any name may be one of its members
                names |= set(decoder.shape.properties)
            names |= {decoder.parameter.name, *decoder.parameter.aliases}
        for name in dict.fromkeys(name for name, _ in pairs):
            if name.partition("[")[0] not in names and name not in names and not name.startswith("__"):
                message = f"{operation} has no query parameter {name!r}"
                rule = f"{operation.pointer}/parameters" if operation.parameters else operation.pointer
                yield Fault("MS-R012", message, "query", rule=rule, severity="warning")

    def _url(self, exchange: Exchange, operation: Operation | None) -> Iterator[Fault]:
        described = {each.name for each in operation.parameters if each.location == "query"} if operation else set()
        for piece in exchange.query.split("&"):
            name, _, value = piece.partition("=")
            if value and is_secret_member(name) and name not in described | self._query_keys and not _PAGE.search(name):
                yield Fault("MS-T007", f"the query parameter {name!r} looks like a secret", "query")

    def _credentials(self, exchange: Exchange, operation: Operation) -> Iterator[Fault]:
        if not operation.security or any(all(self._is_sent(exchange, each) for each in names) for names in operation.security):
            return
        wanted = " or ".join(" and ".join(names) or "nothing" for names in operation.security)
        rule = f"{operation.pointer}/security" if "security" in operation.spec else "/security"
        if exchange.status == 401:
            because = "The document asks for them, and the service refused the call (401)."
            yield Fault("MS-R014", f"the credentials are missing: {wanted}", "header", rule=rule, because=because)
        elif exchange.is_live:
            yield Fault("MS-R014", f"the credentials are missing: {wanted}", "header", rule=rule)
        else:
            message = f"no credentials are in the recording: {wanted}; many recorders take them out"
            yield Fault("MS-T008", message, "header", rule=rule)

    def _is_sent(self, exchange: Exchange, name: str) -> bool:
        scheme = self._schemes.get(name) or {}
        where, key = scheme.get("in"), str(scheme.get("name") or "")
        if scheme.get("type") != "apiKey":
            return scheme.get("type") == "mutualTLS" or bool(exchange.header("authorization"))
        if where == "header":
            return bool(exchange.header(key.lower()))
        if where == "query":
            return any(piece.partition("=")[0] == key for piece in exchange.query.split("&"))
        return any(piece.strip().partition("=")[0] == key for piece in exchange.header("cookie").split(";"))

    # Replies.

    def _reply(self, judgement: Judgement, operation: Operation) -> Iterator[Fault]:
        exchange, plan = judgement.exchange, self._contract.replies[operation]
        status = exchange.status
        assert status is not None
        headers = table(exchange.reply_headers)
        if status == 304 and {"if-none-match", "if-modified-since"} & set(table(exchange.headers)) and not plan.response(304):
            return  # HTTP's own answer to a question of HTTP's own
        if status < 200 and not plan.response(status):
            return
        media_type = headers.get("content-type", "")
        response = plan.response(status)
        body = exchange.reply_body
        whole = not body.gap and not exchange.note
        bodiless = exchange.method == "HEAD" or status in _BODILESS
        if not whole and not bodiless:
            yield _gap("the body of the reply", exchange.note or body.gap, "reply body")
        value: JSON | bytes = body.data
        has_contents = response is not None and bool(response.contents)
        content = plan.content(status, media_type) if has_contents else None
        if content is None and _is_own(media_type, body.data):
            return  # a refusal in the mock's own words, which another's document does not have
        if has_contents and whole and not bodiless and not body.data and not media_type:
            listed = " or ".join(each.media_type for each in response.contents) if response else ""
            yield Fault("MS-A007", f"{status} has no body, the document has {listed}", "reply body", rule=_pointer(response))
            has_contents = False
        elif content is not None and _is_json(media_type):
            if not whole or bodiless:
                value = b""
            elif not body.data:
                yield Fault(
                    "MS-A007", f"{status} has no body, the document has {media_type}", "reply body", rule=content[0].pointer
                )
                value = b""
            else:
                try:
                    value = values.parse(body.data)
                except values.NotJSON as error:
                    yield Fault("MS-A006", f"the body {error}", "reply body", rule=content[0].pointer)
                    value = b""
        elif content is not None and whole and body.data and content[0].schema and not _is_opaque(content[0].schema):
            message = f"not checked: the schema of {media_type.partition(';')[0]}; only JSON is held to one"
            yield Fault("MS-T004", message, "reply body", rule=content[0].pointer)
        reply = Reply(status, value, headers, media_type)
        skips_type = bodiless or not has_contents or (not media_type and not whole)
        for each in plan.violations(reply):
            if each.keyword == "media-type" and skips_type:
                continue
            if each.part == "body" and self._is_hidden(each, value):
                yield _gap(f"{each.place} of the reply", "a placeholder stands there for a secret", "reply body")
                continue
            yield self._answered(exchange, each)

    def _answered(self, exchange: Exchange, each: Violation) -> Fault:
        code = {"status": "MS-A001", "media-type": "MS-A002", "required": "MS-A004"}.get(each.keyword, "MS-A005")
        part, at = "reply header", ""
        if each.part == "body":
            code, part = "MS-A003", "reply body"
        elif each.part == "status":
            part = "status"
        else:
            at = _header_at(exchange.reply_headers, each.pointer)
        message = each.message if each.keyword in ("status", "media-type") else _worded(each, "reply")
        if each.keyword == "media-type" and not exchange.reply_header("content-type"):
            message = f"the reply does not say of which media type its body is{message}"
        return Fault(code, message, part, at, each.rule)

    def _refusal(self, exchange: Exchange, operation: Operation) -> Iterator[Fault]:
        """A request that keeps the document, refused as if it did not."""
        status, plan = exchange.status or 0, self._contract.replies[operation]
        documented = plan.response(status) is not None
        if status in (405, 501):
            yield Fault("MS-A010", f"{operation} is documented, and the service does not have it ({status})", "status",
                        rule=operation.pointer)  # fmt: skip
        elif status in _REFUSES_FORM:
            message = f"a request that keeps the document is refused ({status})"
            if documented:
                because = (
                    f"The document allows the request and has {status} for refusals: there is a rule that it does not tell."
                )
                yield Fault("MS-A008", message, "status", rule=operation.pointer, because=because, blame="document")
            else:
                because = "The document allows the request, and knows of no such refusal."
                yield Fault("MS-A008", message, "status", rule=operation.pointer, because=because, severity="error")
        elif status >= 500 and documented:
            yield Fault("MS-A011", f"the service fails at a request that keeps the document ({status})", "status",
                        rule=operation.pointer)  # fmt: skip


def _gap(what: str, why: str, part: str) -> Fault:
    return Fault("MS-T003", f"not checked: {what}: {why}", part, severity="note")


def _worded(each: Violation, side: str) -> str:
    return f"{each.place} {each.message}" if each.part != "body" or each.pointer else f"the body of the {side} {each.message}"


def _header_at(headers: Iterable[tuple[str, str, str]], place: str) -> str:
    name = unescape(place.split("/")[1]) if "/" in place else ""
    return next((at for known, _, at in headers if known == name), "")


def _pointer(response: object) -> str:
    return str(getattr(response, "pointer", ""))


def _is_json(media_type: str) -> bool:
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _is_opaque(schema: Record) -> bool:
    """Whether a schema says no more than that something is a text or bytes."""
    return not set(schema) - {"type", "format", "description", "title", "example"} and schema.get("type", "string") == "string"


def _is_own(media_type: str, body: bytes) -> bool:
    return media_type.startswith("application/problem+json") and _OWN_ERRORS.encode() in body[:200]


def _holds_placeholder(value: JSON) -> bool:
    if isinstance(value, str):
        return _PLACEHOLDER.fullmatch(value) is not None or "[redacted]" in value
    if isinstance(value, list):
        return any(map(_holds_placeholder, value))
    return isinstance(value, dict) and any(map(_holds_placeholder, value.values()))
