"""Takes secrets out of exchanges before they are kept: those that are named so, that the document marks, and known patterns.

What was found once is taken out wherever it stands, in this exchange and all later ones.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote, unquote, unquote_plus

from mockserver import values
from mockserver.contract.concealing import Concealer
from mockserver.contract.contract import Contract
from mockserver.contract.operations import Content, Operation
from mockserver.contract.secrets import (
    REDACTED,
    SHORTEST,
    Veil,
    holds_secrets,
    is_secret_member,
    is_secret_name,
    safe_header,
)
from mockserver.traffic.exchange import Exchange, Header, Payload
from mockserver.traffic.routes import Elsewhere, Routes
from mockserver.values import Record

_PATTERNS = re.compile(
    r"\b(?:sk|pk|rk)[-_](?:[a-zA-Z]+[-_])*[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic, Stripe
    r"|\b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|hf|xox[abprs])[-_][A-Za-z0-9_-]{16,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bASIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # JSON web tokens
    r"|(?i:\b(?:bearer|basic) )[A-Za-z0-9._~+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
)
"""Secrets that are known by how they look, wherever they stand."""
_NO_SECRETS = frozenset(("bearer", "basic", "true", "false", "null"))


class Redactor:
    """Takes secrets out of the exchanges of one service."""

    def __init__(self, contract: Contract, servers: tuple[str, ...] = ()) -> None:
        self._contract = contract
        self._routes = Routes(contract, servers)
        self._concealer = Concealer(contract.document)
        schemes: Record = (contract.document.get("components") or {}).get("securitySchemes") or {}
        self._keys = {
            (str(each.get("in")), str(each.get("name")).lower()) for each in schemes.values() if each.get("type") == "apiKey"
        }
        self.found: set[str] = set()
        """The secrets that were found so far."""

    def redact(self, exchange: Exchange) -> Exchange:
        """Return an exchange without secrets."""
        operation, path_values = self._operation(exchange)
        found: set[str] = set()
        path = self._path(exchange.path, operation, path_values, found)
        query = "&".join(self._pair(pair, operation, found) for pair in exchange.query.split("&"))
        prefix = exchange.url.partition("?")[0]
        prefix = prefix[: len(prefix) - len(exchange.path)] if prefix.endswith(exchange.path) else ""
        made = replace(
            exchange,
            url=_without_user(prefix, found) + path + (f"?{query}" if query else ""),
            headers=self._headers(exchange.headers, operation, found),
            reply_headers=self._headers(exchange.reply_headers, None, found),
            body=self._body(exchange.body, exchange.header("content-type"), _taken(operation), found),
            reply_body=self._body(
                exchange.reply_body, exchange.reply_header("content-type"), self._given(operation, exchange.status), found
            ),
        )
        self.found |= {each for each in found if each and each.lower() not in _NO_SECRETS and each != REDACTED}
        return self._veiled(made)

    def _operation(self, exchange: Exchange) -> tuple[Operation | None, dict[str, str]]:
        try:
            route = self._routes.find(exchange)
        except (Elsewhere, UnicodeDecodeError):
            return None, {}
        if route is None or route.entry is None or route.entry.fault:
            return None, {}
        return route.entry.operation, route.values

    def _marked(self, operation: Operation | None, location: str) -> set[str]:
        if operation is None:
            return set()
        here = (each for each in operation.parameters if each.location == location)
        return {each.key for each in here if holds_secrets(each.schema, self._contract.document)}

    def _path(self, path: str, operation: Operation | None, given: dict[str, str], found: set[str]) -> str:
        secret = {given[name] for name in self._marked(operation, "path") if name in given}
        found |= secret
        return "/".join(quote(REDACTED) if unquote(piece) in secret else piece for piece in path.split("/"))

    def _pair(self, pair: str, operation: Operation | None, found: set[str]) -> str:
        name, equals, value = pair.partition("=")
        plain = unquote_plus(name)
        described = {each.name for each in operation.parameters if each.location == "query"} if operation else set()
        is_secret = (
            ("query", plain.lower()) in self._keys
            or plain in self._marked(operation, "query")
            or is_secret_member(plain)
            or (plain not in described and is_secret_name(plain))  # a described `prompt_token_min` is a number
        )
        if not equals or not is_secret:
            return pair
        found.update((value, unquote_plus(value)))
        return f"{name}={quote(REDACTED)}"

    def _headers(self, headers: tuple[Header, ...], operation: Operation | None, found: set[str]) -> tuple[Header, ...]:
        marked = self._marked(operation, "header")
        made = []
        for header in headers:
            if header.name in marked or ("header", header.name) in self._keys or is_secret_name(header.name):
                found.update(piece.partition("=")[2] or piece for piece in header.value.replace(";", " ").split())
                found.add(header.value)
                made.append(header._replace(value=REDACTED))
            else:
                made.append(header._replace(value=safe_header(header.name, header.value, found)))
        return tuple(made)

    def _given(self, operation: Operation | None, status: int | None) -> tuple[Content, ...]:
        response = self._contract.replies[operation].response(status) if operation and status else None
        return response.contents if response else ()

    def _body(self, body: Payload, content_type: str, contents: tuple[Content, ...], found: set[str]) -> Payload:
        if not body.data:
            return body
        own: set[str] = set()
        shown = self._concealer.shown(body.data, len(body.data), content_type, contents, own)
        found |= own
        essence = content_type.partition(";")[0].strip().lower()
        if essence == "multipart/form-data" or not _is_text(body.data):
            short = any(0 < len(each) < SHORTEST for each in own)
            return Payload(b"", "it held secrets that cannot be told from the rest") if short else body
        if shown == REDACTED:
            return Payload(b"", "it cannot be read, and may hold secrets")
        if isinstance(shown, str) and not _is_json(essence, body.data):
            return body if shown.encode() == body.data else Payload(shown.encode(), body.gap)
        return Payload(values.dump(shown), body.gap) if own else body

    def _veiled(self, exchange: Exchange) -> Exchange:
        for text in (exchange.url, *(header.value for header in (*exchange.headers, *exchange.reply_headers))):
            self.found.update(_PATTERNS.findall(text))
        for body in (exchange.body, exchange.reply_body):
            self.found.update(_PATTERNS.findall(body.data.decode("latin-1")))
        veil = Veil(self.found)
        url = veil.text(exchange.url)
        return replace(
            exchange,
            url=url.replace(REDACTED, quote(REDACTED)),
            headers=tuple(each._replace(value=veil.text(each.value)) for each in exchange.headers),
            reply_headers=tuple(each._replace(value=veil.text(each.value)) for each in exchange.reply_headers),
            body=_veiled(exchange.body, veil),
            reply_body=_veiled(exchange.reply_body, veil),
            note=veil.text(exchange.note),
        )


def _veiled(body: Payload, veil: Veil) -> Payload:
    if not body.data:
        return body
    if not _is_text(body.data):
        text = body.data.decode("latin-1")
        made = veil.text(text).encode("latin-1")
    else:
        whole = _veiled_json(body.data.decode(), veil)
        lines = body.data.decode().split("\n")
        made = (whole if whole is not None else "\n".join(_veiled_line(line, veil) for line in lines)).encode()
    return body if made == body.data else Payload(made, body.gap)


def _veiled_json(text: str, veil: Veil) -> str | None:
    """JSON without secrets, however they are escaped in it; None for what is no JSON."""
    try:
        value = values.parse(text.encode())
    except values.NotJSON:
        return None
    made = veil.over(value)
    return text if made == value else values.dump(made).decode()


def _veiled_line(line: str, veil: Veil) -> str:
    """A line of a stream, whose values are JSON."""
    head, brace, rest = line.partition("{")
    made = _veiled_json(brace + rest, veil) if brace else None
    return veil.text(line) if made is None else veil.text(head) + made


def _taken(operation: Operation | None) -> tuple[Content, ...]:
    return operation.body.contents if operation is not None and operation.body is not None else ()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(essence: str, data: bytes) -> bool:
    if essence in ("text/event-stream", "application/x-www-form-urlencoded"):
        return False
    try:
        values.parse(data)
    except values.NotJSON:
        return False
    return True


def _without_user(prefix: str, found: set[str]) -> str:
    """An origin without the name and password that a URL can have."""
    scheme, mark, host = prefix.partition("://")
    user, at, rest = host.rpartition("@")
    if at:
        found.update(user.split(":"))
    return f"{scheme}{mark}{rest}"
