"""Replies judged: status, headers, media type and body."""

from __future__ import annotations

from copy import deepcopy

import pytest

from mockserver.contract import grammar
from mockserver.contract.contract import Contract
from mockserver.contract.normalising import normalise
from mockserver.contract.replies import Reply
from mockserver.contract.violations import Violation
from mockserver.values import JSON, Record

DOCUMENT: Record = {
    "openapi": "3.0.3",
    "info": {"title": "Tested", "version": "1"},
    "paths": {
        "/a": {
            "get": {
                "operationId": "get",
                "responses": {
                    "200": {
                        "description": "Fine.",
                        "headers": {
                            "X-Count": {"required": True, "schema": {"type": "integer", "minimum": 1}},
                            "X-Tags": {"schema": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}},
                            "Content-Type": {"required": True, "schema": {"type": "integer"}},
                            "X-Shared": {"$ref": "#/components/headers/Shared"},
                        },
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/It"}},
                            "text/*": {"schema": {"type": "string"}},
                        },
                    },
                    "204": {"description": "Nothing."},
                    "4XX": {
                        "description": "No.",
                        "content": {"application/json": {"schema": {"type": "object", "required": ["error"]}}},
                    },
                    "404": {
                        "description": "Not there.",
                        "content": {"application/json": {"schema": {"type": "object", "required": ["gone"]}}},
                    },
                },
            },
            "put": {
                "operationId": "default",
                "responses": {
                    "200": {"description": "Fine.", "content": {"application/json": {}}},
                    "default": {
                        "description": "Else.",
                        "content": {"application/problem+json": {"schema": {"type": "object"}}},
                    },
                },
            },
        }
    },
    "components": {
        "headers": {"Shared": {"schema": {"type": "string", "format": "uuid"}}},
        "schemas": {
            "It": {
                "type": "object",
                "required": ["id", "secret"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "list": {"type": "array", "items": {"$ref": "#/components/schemas/It"}},
                    "secret": {"type": "string", "writeOnly": True},
                    "n": {"type": "integer", "nullable": True},
                },
            }
        },
    },
}

UUID = "0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2"
RIGHT: Record = {"id": UUID, "n": None}
COUNT = {"x-count": "1"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(normalise(deepcopy(DOCUMENT)))


def judged(contract: Contract, reply: Reply, operation: str = "get", *, explain: bool = True) -> list[Violation]:
    """The violations of a reply; the fast verdict must agree with them."""
    plan = contract.replies[contract.operation(operation)]
    found = plan.violations(reply, contract.explainer() if explain else None)
    assert plan.keeps(reply) is (not found)
    return found


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        ("get", Reply(200, RIGHT, COUNT)),
        ("get", Reply(200, {"id": UUID, "list": [{"id": UUID}]}, COUNT, "application/json; charset=utf-8")),
        ("get", Reply(200, "text", COUNT, "text/html; charset=utf-8")),
        ("get", Reply(200, b"bytes", COUNT, "text/plain")),
        ("get", Reply(200, RIGHT, {"x-count": "7", "x-tags": "a, b", "x-shared": UUID, "x-else": "?"})),
        ("get", Reply(204)),
        ("get", Reply(400, {"error": 1})),
        ("get", Reply(499, {"error": 1})),
        ("get", Reply(404, {"gone": 1})),
        ("default", Reply(200, [1, None])),
        ("default", Reply(503, {}, {}, "application/problem+json")),
        ("default", Reply(201, {}, {}, "application/problem+json")),
    ],
    ids=["right", "charset", "range", "bytes", "headers", "empty", "4XX", "499", "404", "no-schema", "default", "default-2xx"],
)
def test_reply_that_is_right(contract: Contract, operation: str, reply: Reply) -> None:
    assert judged(contract, reply, operation) == []


CASES: dict[str, tuple[str, Reply, list[tuple[str, str]]]] = {
    "status": ("get", Reply(201, RIGHT), [("status", "201 is not documented for GET /a, only 200, 204, 4XX, 404")]),
    "status-5xx": ("get", Reply(500, {}), [("status", "500 is not documented for GET /a, only 200, 204, 4XX, 404")]),
    "media-type": (
        "get",
        Reply(200, RIGHT, COUNT, "application/xml"),
        [("header/content-type", "application/xml is not documented for 200, only application/json, text/*")],
    ),
    "media-type-of-default": (
        "default",
        Reply(400, {}),
        [("header/content-type", "application/json is not documented for 400, only application/problem+json")],
    ),
    "header-missing": ("get", Reply(200, RIGHT), [("header/x-count", "is required")]),
    "header-bound": ("get", Reply(200, RIGHT, {"x-count": "0"}), [("header/x-count", "is below 1")]),
    "header-type": ("get", Reply(200, RIGHT, {"x-count": "x"}), [("header/x-count", "must be integer, not string")]),
    "header-item": ("get", Reply(200, RIGHT, {**COUNT, "x-tags": "a,c"}), [("header/x-tags/1", 'must be one of "a", "b"')]),
    "header-behind-reference": (
        "get",
        Reply(200, RIGHT, {**COUNT, "x-shared": "no"}),
        [("header/x-shared", "is not a valid uuid")],
    ),
    "body-type": ("get", Reply(200, [], COUNT), [("body", "must be object, not array")]),
    "body-none": ("get", Reply(200, None, COUNT), [("body", "must be object, not null")]),
    "field-missing": ("get", Reply(200, {}, COUNT), [("body/id", "is required")]),
    "field-format": ("get", Reply(200, {"id": "x"}, COUNT), [("body/id", "is not a valid uuid")]),
    "field-extra": ("get", Reply(200, {**RIGHT, "more": 1}, COUNT), [("body", "has a field that is not allowed: more")]),
    "field-write-only": ("get", Reply(200, {**RIGHT, "secret": "s"}, COUNT), [("body/secret", "must not be in a reply")]),
    "field-deep": (
        "get",
        Reply(200, {"id": UUID, "list": [RIGHT, {"id": UUID, "n": "x"}]}, COUNT),
        [("body/list/1/n", "must be integer, not string")],
    ),
    "range": ("get", Reply(400, {}), [("body/error", "is required")]),
    "status-before-range": ("get", Reply(404, {"error": 1}), [("body/gone", "is required")]),
    "all-at-once": (
        "get",
        Reply(200, {"id": "x", "n": "y"}, {"x-tags": "c"}),
        [
            ("header/x-count", "is required"),
            ("header/x-tags/0", 'must be one of "a", "b"'),
            ("body/id", "is not a valid uuid"),
            ("body/n", "must be integer, not string"),
        ],
    ),
}


@pytest.mark.parametrize("explain", [True, False], ids=["openapi-core", "gate"])
@pytest.mark.parametrize("case", CASES)
def test_reply_violation_says_where(contract: Contract, case: str, explain: bool) -> None:
    operation, reply, wanted = CASES[case]
    found = judged(contract, reply, operation, explain=explain)
    assert sorted(violation.place for violation in found) == sorted(place for place, _ in wanted)


@pytest.mark.parametrize("case", CASES)
def test_reply_violation_says_what(contract: Contract, case: str) -> None:
    operation, reply, wanted = CASES[case]
    found = judged(contract, reply, operation)
    assert sorted((violation.place, violation.message) for violation in found) == sorted(wanted)


@pytest.mark.parametrize("explain", [True, False], ids=["openapi-core", "gate"])
@pytest.mark.parametrize("case", CASES)
def test_reply_violation_rule_leads_into_the_document(contract: Contract, case: str, explain: bool) -> None:
    operation, reply, _ = CASES[case]
    for violation in judged(contract, reply, operation, explain=explain):
        assert violation.rule.startswith("/")
        assert grammar.find(contract.document, "#" + violation.rule) is not None


@pytest.mark.parametrize("body", [RIGHT, b"", None, "x"], ids=str)
def test_reply_without_documented_content_is_not_judged(contract: Contract, body: JSON) -> None:
    assert judged(contract, Reply(204, body)) == []
