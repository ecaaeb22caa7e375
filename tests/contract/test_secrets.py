"""Which schemas say that a text is a secret."""

from __future__ import annotations

import pytest

from mockserver.contract.secrets import REDACTED, holds_secrets, redact
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
