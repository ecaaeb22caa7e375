"""Takes secrets out of messages before anybody is shown them."""

from __future__ import annotations

from mockserver.contract.shapes import branches
from mockserver.values import JSON, Record

REDACTED = "[redacted]"

_HEADER_WORDS = ("key", "token", "secret", "authorization", "cookie", "password")


def is_secret_header(name: str) -> bool:
    """Whether a header's name says that it holds a secret."""
    return any(word in name.lower() for word in _HEADER_WORDS)


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
