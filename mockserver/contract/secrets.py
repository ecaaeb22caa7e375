"""Takes secrets out of messages before anybody is shown them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from mockserver.contract.shapes import branches
from mockserver.values import JSON, NotJSON, Record, dump, parse

REDACTED = "[redacted]"
SHORTEST = 8
"""Characters of the shortest secret that is taken out of texts in which it is not named: shorter ones are words."""

_SECRET_NAME = re.compile(
    r"(^|[-_])keys?($|[-_])|(api|access|secret|private)[-_]?key|token|secret|authorization|cookie|password|signature"
)
_COUNTED = re.compile(
    r"(^|[-_])(max|min|limit|remaining|reset|total|prompt|completion|input|output|cached|reasoning|audio)[-_]tokens?$"
    r"|tokens?[-_](min|max|count|limit)$"
)
"""Names that tell how many tokens a text has."""


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    (
        "apikey", "authorization", "cookie", "credential", "credentials", "passphrase", "passwd", "password", "pwd", "secret",
        "signature", "token",
    )
)  # fmt: skip
_KEY_OWNERS = frozenset(("access", "account", "api", "encryption", "master", "private", "secret", "signing"))


def is_secret_member(name: str) -> bool:
    """Whether the name of a member of a body says that it is a secret: by its last words, in whichever case they are joined.

    `access_token` and `clientSecret` do, `max_tokens`, `secret_path` and `masked_key` do not. A bare `key` does not either:
    bodies have too many that are none.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[0] == "masked":
        return False
    return words[-1] in _SECRET_WORDS or (words[-1] == "key" and len(words) > 1 and words[-2] in _KEY_OWNERS)


def is_marked(part: Record) -> bool:
    """Whether a schema, or a parameter, says that what it describes is a secret: by `format: password` or `x-secret: true`."""
    return part.get("format") == "password" or part.get("x-secret") is True


def is_secret_name(name: str) -> bool:
    """Whether the name of a header, or of a member of one, says that it holds a secret."""
    lowered = name.lower()
    return _SECRET_NAME.search(lowered) is not None and _COUNTED.search(lowered) is None


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as they may be shown: without those that are secrets, and without secrets in those that are JSON."""
    return {name: REDACTED if is_secret_name(name) else safe_header(name, value, set()) for name, value in headers.items()}


def safe_header(name: str, value: str, found: set[str]) -> str:
    """Return the value of a header that is no secret by its name, without the secrets in it where it is JSON.

    They are added to `found`.
    """
    if not value.lstrip().startswith(("{", "[")):
        return value
    try:
        parsed = parse(value.encode("latin-1", "replace"))
    except NotJSON:
        return REDACTED  # cut or broken, it may hold anything
    return dump(_safe_members(parsed, found)).decode()


def safe_query(query: str) -> str:
    """Return a query string without the values of parameters that are secrets."""
    return "&".join(_safe_pair(pair) for pair in query.split("&"))


def _safe_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={REDACTED}" if equals and is_secret_name(name) else pair


def _safe_members(value: JSON, found: set[str]) -> JSON:
    if isinstance(value, list):
        return [_safe_members(item, found) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {}
    for name, item in value.items():
        if is_secret_name(name):
            found.update(texts(item))
        shown[name] = REDACTED if is_secret_name(name) else _safe_members(item, found)
    return shown


def redact(value: JSON, schema: JSON, document: Record) -> JSON:
    """Return a value without what its schema marks (see `is_marked`): a text, or any other value in the place of one."""
    return _redact(value, [schema], document, 0)


def holds_secrets(schema: JSON, document: Record) -> bool:
    """Whether a schema says of any text in or below it, over references, that it is a secret."""
    seen: set[str] = set()
    stack = [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, list):
            stack.extend(part)
        elif isinstance(part, dict):
            if is_marked(part):
                return True
            reference = part.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                stack.extend(branches(part, document))
            stack.extend(part.values())
    return False


def _redact(value: JSON, schemas: list[JSON], document: Record, depth: int) -> JSON:
    if depth > 100 or not schemas:
        return value
    parts = [part for schema in schemas for part in branches(schema, document)]
    if value is not None and any(map(is_marked, parts)):
        return REDACTED
    if isinstance(value, list):
        below = [part["items"] for part in parts if "items" in part]
        return [_redact(item, below, document, depth + 1) for item in value]
    if isinstance(value, dict):
        return {name: _redact(item, _below(parts, name), document, depth + 1) for name, item in value.items()}
    return value


def _below(parts: list[Record], name: str) -> list[JSON]:
    below = [part["properties"][name] for part in parts if name in (part.get("properties") or {})]
    below += [part["additionalProperties"] for part in parts if isinstance(part.get("additionalProperties"), dict)]
    return below


def conceal(value: JSON, schemas: list[JSON], document: Record, found: set[str]) -> JSON:
    """Return a value without what one of its schemas marks, and without texts whose names say that they are secrets.

    `x-secret: false` says of a member that it is none, whatever its name. The texts taken out are added to `found`.
    """
    return _conceal(value, schemas, document, found, 0)


def _conceal(value: JSON, schemas: list[JSON], document: Record, found: set[str], depth: int) -> JSON:
    parts = [part for schema in schemas for part in branches(schema, document)] if depth <= 100 else []
    if value is not None and any(map(is_marked, parts)):
        found.update(texts(value))
        return REDACTED
    if isinstance(value, list):
        below = [part["items"] for part in parts if "items" in part]
        return [_conceal(item, below, document, found, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {}
    for name, item in value.items():
        below = _below(parts, name)
        is_secret = is_secret_member(name) and not any(
            isinstance(each, dict) and each.get("x-secret") is False for each in below
        )
        shown[name] = _conceal(_without_texts(item, found) if is_secret else item, below, document, found, depth + 1)
    return shown


def _without_texts(value: JSON, found: set[str]) -> JSON:
    """A value in the place of a secret. Numbers stay: `token` is what prices are told by."""
    if isinstance(value, str):
        found.add(value)
        return REDACTED if value else value
    if isinstance(value, list):
        return [_without_texts(item, found) for item in value]
    if isinstance(value, dict):
        return {name: _without_texts(item, found) for name, item in value.items()}
    return value


def texts(value: JSON) -> Iterable[str]:
    """All texts in a value, but for the names of members."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, (list, dict)):
            stack.extend(part.values() if isinstance(part, dict) else part)


def _written(secret: str) -> set[str]:
    """A secret as it stands in plain text, in URLs, in forms and in JSON."""
    return {secret, quote(secret, safe=""), quote_plus(secret), dump(secret).decode()[1:-1]}


class Veil:
    """Takes known secrets out of texts, wherever they stand in them, also as JSON and URLs write them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Secrets that are shorter than `SHORTEST` are left where they are."""
        self._by_length: dict[int, set[str]] = defaultdict(set)
        for secret in secrets:
            if len(secret) >= SHORTEST and secret != REDACTED:
                for form in (secret,) if secret.isalnum() else _written(secret):
                    self._by_length[len(form)].add(form)
        self._lengths = sorted(self._by_length, reverse=True)

    def over(self, value: JSON) -> JSON:
        """Return a value without the secrets in its texts and in the names of its members."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (list, tuple)):  # records may hold tuples
            return [self.over(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.over(item) for name, item in value.items()}
        return value

    def text(self, text: str) -> str:
        """Return a text without the secrets in it."""
        for length in self._lengths:
            if len(text) < length:
                continue
            known = self._by_length[length]
            present = {piece for at in range(len(text) - length + 1) if (piece := text[at : at + length]) in known}
            for secret in present:
                text = text.replace(secret, REDACTED)
        return text
