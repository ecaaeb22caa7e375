"""Which schemas say that a text is a secret."""

from __future__ import annotations

import pytest

from mockserver.contract.secrets import REDACTED, holds_secrets, redact, safe_headers, safe_query
from mockserver.values import JSON, Record

PASSWORD: Record = {"type": "string", "format": "password"}
DOCUMENT: Record = {
    "components": {
        "schemas": {
            "Login": {"type": "object", "properties": {"password": PASSWORD}},
            "Plain": {"type": "object", "properties": {"name": {"type": "string"}}},
            "Tree": {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/Tree"}}},
        }
    }
}
LOGIN, PLAIN, TREE = ({"$ref": f"#/components/schemas/{name}"} for name in ("Login", "Plain", "Tree"))


@pytest.mark.parametrize(
    ("schema", "held"),
    [
        (PASSWORD, True),
        ({"type": "string"}, False),
        (LOGIN, True),
        (PLAIN, False),
        (TREE, False),
        ({"type": "array", "items": LOGIN}, True),
        ({"anyOf": [PLAIN, LOGIN]}, True),
        ({"allOf": [PLAIN, TREE]}, False),
        ({"type": "object", "additionalProperties": PASSWORD}, True),
        ({"$ref": "#/components/schemas/Nowhere"}, False),
        (None, False),
        (True, False),
    ],
)
def test_secrets_are_found_over_references(schema: JSON, held: bool) -> None:
    assert holds_secrets(schema, DOCUMENT) == held


def test_schema_that_holds_secrets_redacts_them() -> None:
    value = [{"password": "sesame", "name": "a"}]
    assert redact(value, {"type": "array", "items": LOGIN}, DOCUMENT) == [{"password": REDACTED, "name": "a"}]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("x-portkey-api-key", "pk", REDACTED),
        ("X-ApiKey", "pk", REDACTED),
        ("authorization", "Bearer pk", REDACTED),
        ("set-cookie", "a=b", REDACTED),
        ("x-auth-token", "pk", REDACTED),
        ("x-portkey-provider", "openai", "openai"),
        ("x-portkey-trace-id", "monkey", "monkey"),
        ("x-portkey-metadata", '{"_user": "Ines", "team": ["a"]}', '{"_user":"Ines","team":["a"]}'),
        ("x-portkey-config", '{"targets": [{"api_key": "sk"}]}', '{"targets":[{"api_key":"[redacted]"}]}'),
        ("x-service-account", ' {"private_key": "pem", "id": 5}', '{"private_key":"[redacted]","id":5}'),
        ("x-portkey-config", '{"api_key": "sk', REDACTED),
    ],
)
def test_headers_are_shown_without_secrets(name: str, value: str, shown: str) -> None:
    assert safe_headers({name: value}) == {name: shown}


def test_queries_are_shown_without_secrets() -> None:
    assert safe_query("a=1&api_key=pk&signature=ab%20c&pages&key=") == (
        f"a=1&api_key={REDACTED}&signature={REDACTED}&pages&key={REDACTED}"
    )
