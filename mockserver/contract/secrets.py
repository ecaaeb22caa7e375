"""Takes secrets out of messages before anybody is shown them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mockserver.contract.shapes import branches
from mockserver.values import JSON, NotJSON, Record, dump, parse

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"(^|[-_])keys?($|[-_])|(api|access|secret|private)[-_]?key|token|secret|authorization|cookie|password|signature"
)


def is_secret_name(name: str) -> bool:
    """Whether the name of a header, or of a member of one, says that it holds a secret."""
    return _SECRET_NAME.search(name.lower()) is not None


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as they may be shown: without those that are secrets, and without secrets in those that are JSON."""
    return {name: REDACTED if is_secret_name(name) else _safe_text(value) for name, value in headers.items()}


def safe_query(query: str) -> str:
    """Return a query string without the values of parameters that are secrets."""
    return "&".join(_safe_pair(pair) for pair in query.split("&"))


def _safe_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={REDACTED}" if equals and is_secret_name(name) else pair


def _safe_text(text: str) -> str:
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = parse(text.encode("latin-1", "replace"))
    except NotJSON:
        return REDACTED  # cut or broken, it may hold anything
    return dump(_safe_members(value)).decode()


def _safe_members(value: JSON) -> JSON:
    if isinstance(value, list):
        return [_safe_members(item) for item in value]
    if isinstance(value, dict):
        return {name: REDACTED if is_secret_name(name) else _safe_members(item) for name, item in value.items()}
    return value


def redact(value: JSON, schema: JSON, document: Record) -> JSON:
    """Return a value without what its schema calls `format: password`: a text, or any other value in the place of one."""
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
            if part.get("format") == "password":
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
    if value is not None and any(part.get("format") == "password" for part in parts):
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
