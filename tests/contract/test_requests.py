"""Requests judged: every violation at once, each with its place in the request and in the document."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from mockserver.contract import grammar
from mockserver.contract.contract import Contract
from mockserver.contract.normalising import normalise
from mockserver.contract.requests import ContractBroken
from mockserver.contract.violations import MESSAGE_LIMIT, Violation
from mockserver.values import JSON, Record, dump

UUID = "0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2"

DOCUMENT: Record = {
    "openapi": "3.0.3",
    "info": {"title": "Tested", "version": "1"},
    "paths": {
        "/shops/{shop}/orders": {
            "parameters": [{"name": "shop", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}],
            "post": {
                "operationId": "addOrder",
                "parameters": [
                    {"$ref": "#/components/parameters/Dry"},
                    {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer", "maximum": 10}},
                    {"name": "tags", "in": "query", "schema": {"type": "array", "maxItems": 1, "items": {"enum": ["a", "b"]}}},
                    {"name": "where", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
                    {"name": "X-Request", "in": "header", "required": True, "schema": {"type": "string", "format": "uuid"}},
                    {"name": "session", "in": "cookie", "required": True, "schema": {"type": "string", "minLength": 3}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                },
                "responses": {"200": {"description": "Fine."}},
            },
            "put": {
                "operationId": "inline",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["a/b"],
                                "properties": {
                                    "a/b": {"type": "integer"},
                                    "code": {"type": "string", "format": "uuid", "pattern": "^0"},
                                    "kind": {
                                        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
                                        "discriminator": {
                                            "propertyName": "kind",
                                            "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
                                        },
                                    },
                                },
                            }
                        }
                    }
                },
                "responses": {"200": {"description": "Fine."}},
            },
        }
    },
    "components": {
        "parameters": {"Dry": {"name": "dry", "in": "query", "schema": {"type": "boolean"}}},
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["lines", "id"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "readOnly": True},
                    "note": {"type": "string", "maxLength": 5, "nullable": True},
                    "state": {"type": "string", "enum": ["open", "paid"]},
                    "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Line"}},
                    "when": {
                        "anyOf": [
                            {"type": "integer", "minimum": 5},
                            {"type": "string", "format": "date"},
                            {"type": "array", "items": {"type": "integer"}},
                        ]
                    },
                    "pay": {"oneOf": [{"$ref": "#/components/schemas/Card"}, {"$ref": "#/components/schemas/Cash"}]},
                },
            },
            "Line": {
                "type": "object",
                "required": ["article", "count"],
                "properties": {
                    "article": {"type": "string", "pattern": "^[A-Z]+$"},
                    "count": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "format": "int32"},
                    "price": {"type": "number", "multipleOf": 0.01},
                },
            },
            "Card": {
                "type": "object",
                "required": ["by", "number"],
                "properties": {"by": {"type": "string", "enum": ["card"]}, "number": {"type": "string", "minLength": 4}},
            },
            "Cash": {"type": "object", "required": ["by"], "properties": {"by": {"type": "string", "enum": ["cash"]}}},
            "Cat": {
                "type": "object",
                "required": ["kind"],
                "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}},
            },
            "Dog": {
                "type": "object",
                "required": ["kind"],
                "properties": {"kind": {"type": "string"}, "lives": {"type": "boolean"}},
            },
        },
    },
}

RIGHT: Record = {
    "path": {"shop": "7"},
    "query": b"limit=5",
    "headers": {b"x-request": UUID.encode(), b"cookie": b"session=abc", b"content-type": b"application/json"},
    "body": b'{"lines": [{"article": "A", "count": 1}]}',
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(normalise(deepcopy(DOCUMENT)))


def broken(contract: Contract, operation: str = "addOrder", *, explain: bool = True, **parts: Any) -> list[Violation]:
    """The violations of a request that is right but for these parts."""
    plan = contract.requests[contract.operation(operation)]
    given = {**RIGHT, **parts}
    with pytest.raises(ContractBroken) as caught:
        plan.read(given["path"], given["query"], given["headers"], given["body"])
    return caught.value.violations(contract.explainer() if explain else None)


def body(**fields: JSON) -> bytes:
    return dump({"lines": [{"article": "A", "count": 1}], **fields})


def test_request_that_is_right_is_read(contract: Contract) -> None:
    plan = contract.requests[contract.operation("addOrder")]
    request = plan.read(RIGHT["path"], b"limit=5&dry=true&tags=a", RIGHT["headers"], RIGHT["body"])
    assert (request.path, request.query, request.cookie) == (
        {"shop": 7},
        {"limit": 5, "dry": True, "tags": ["a"]},
        {"session": "abc"},
    )
    assert request.header == {"x-request": UUID}
    assert request.fields == {"lines": [{"article": "A", "count": 1}]}


WRONG: Record = {
    "path": {"shop": "0"},
    "query": b"limit=11&dry=perhaps&tags=c",
    "headers": {b"x-request": b"none", b"cookie": b"session=ab", b"content-type": b"application/json"},
    "body": b'{"lines": [{"article": "a", "count": 0}, {"count": "x"}], "note": "too long", "state": "lost", "more": 1}',
}
FOUND = {
    "path/shop",
    "query/limit",
    "query/dry",
    "query/tags/0",
    "header/x-request",
    "cookie/session",
    "body/lines/0/article",
    "body/lines/0/count",
    "body/lines/1/article",
    "body/lines/1/count",
    "body/note",
    "body/state",
    "body",
}


@pytest.mark.parametrize("explain", [True, False], ids=["openapi-core", "gate"])
def test_request_violations_come_all_at_once(contract: Contract, explain: bool) -> None:
    found = broken(contract, explain=explain, **WRONG)
    assert sorted(violation.place for violation in found) == sorted(FOUND)


@pytest.mark.parametrize("explain", [True, False], ids=["openapi-core", "gate"])
def test_request_violations_come_in_the_order_of_a_request(contract: Contract, explain: bool) -> None:
    parts = [violation.part for violation in broken(contract, explain=explain, **WRONG)]
    assert list(dict.fromkeys(parts)) == ["path", "query", "header", "cookie", "body"]


CASES: dict[str, tuple[str, Record, list[tuple[str, str, str]]]] = {
    "path-bound": ("addOrder", {"path": {"shop": "0"}}, [("path/shop", "minimum", "is below 1")]),
    "path-type": ("addOrder", {"path": {"shop": "x"}}, [("path/shop", "type", "must be integer, not string")]),
    "query-missing": ("addOrder", {"query": b""}, [("query/limit", "required", "is required")]),
    "query-bound": ("addOrder", {"query": b"limit=11"}, [("query/limit", "maximum", "is above 10")]),
    "query-behind-reference": ("addOrder", {"query": b"limit=1&dry=x"}, [("query/dry", "type", "must be boolean, not string")]),
    "query-items": (
        "addOrder",
        {"query": b"limit=1&tags=a&tags=a"},
        [("query/tags", "maxItems", "holds too many items: 1 at most")],
    ),
    "query-item": ("addOrder", {"query": b"limit=1&tags=c"}, [("query/tags/0", "enum", 'must be one of "a", "b"')]),
    "query-json": ("addOrder", {"query": b"limit=1&where=[]"}, [("query/where", "type", "must be object, not array")]),
    "header-missing": (
        "addOrder",
        {"headers": {b"cookie": b"session=abc", b"content-type": b"application/json"}},
        [("header/x-request", "required", "is required")],
    ),
    "header-format": (
        "addOrder",
        {"headers": {**RIGHT["headers"], b"x-request": b"none"}},
        [("header/x-request", "format", "is not a valid uuid")],
    ),
    "cookie-missing": (
        "addOrder",
        {"headers": {b"x-request": UUID.encode(), b"content-type": b"application/json"}},
        [("cookie/session", "required", "is required")],
    ),
    "cookie-length": (
        "addOrder",
        {"headers": {**RIGHT["headers"], b"cookie": b"session=a"}},
        [("cookie/session", "minLength", "is too short: 3 characters at least")],
    ),
    "body-missing": ("addOrder", {"body": b""}, [("body", "required", "is required")]),
    "body-type": ("addOrder", {"body": b"[]"}, [("body", "type", "must be object, not array")]),
    "body-null": ("addOrder", {"body": b"null"}, [("body", "type", "must be object, not null")]),
    "field-missing": ("addOrder", {"body": b"{}"}, [("body/lines", "required", "is required")]),
    "field-extra": (
        "addOrder",
        {"body": body(more=1)},
        [("body", "additionalProperties", "has a field that is not allowed: more")],
    ),
    "field-enum": ("addOrder", {"body": body(state="lost")}, [("body/state", "enum", 'must be one of "open", "paid"')]),
    "field-nullable": ("addOrder", {"body": body(note=5)}, [("body/note", "type", "must be string, not integer")]),
    "field-read-only": (
        "addOrder",
        {"body": body(id="1")},
        [("body/id", "readOnly", "is set by the server and must not be sent")],
    ),
    "items-few": ("addOrder", {"body": body(lines=[])}, [("body/lines", "minItems", "holds too few items: 1 at least")]),
    "item-pattern": (
        "addOrder",
        {"body": body(lines=[{"article": "a", "count": 1}])},
        [("body/lines/0/article", "pattern", "does not match ^[A-Z]+$")],
    ),
    "item-exclusive": (
        "addOrder",
        {"body": body(lines=[{"article": "A", "count": 0}])},
        [("body/lines/0/count", "exclusiveMinimum", "is not above 0")],
    ),
    "item-int32": (
        "addOrder",
        {"body": body(lines=[{"article": "A", "count": 2**31}])},
        [("body/lines/0/count", "maximum", "is above 2147483647")],
    ),
    "item-multiple": (
        "addOrder",
        {"body": body(lines=[{"article": "A", "count": 1, "price": 0.001}])},
        [("body/lines/0/price", "multipleOf", "is not a multiple of 0.01")],
    ),
    "branch-meant": ("addOrder", {"body": body(when=3)}, [("body/when", "minimum", "is below 5")]),
    "branch-of-an-array": ("addOrder", {"body": body(when=[1, "x"])}, [("body/when/1", "type", "must be integer, not string")]),
    "branch-none": ("addOrder", {"body": body(pay=5)}, [("body/pay", "oneOf", "does not fit exactly one of the alternatives")]),
    "escaped-name": ("inline", {"body": b"{}"}, [("body/a~1b", "required", "is required")]),
    "escaped-type": ("inline", {"body": b'{"a/b": "x"}'}, [("body/a~1b", "type", "must be integer, not string")]),
    "format-and-pattern": (
        "inline",
        {"body": dump({"a/b": 1, "code": "0"})},
        [("body/code", "format", "is not a valid uuid")],
    ),
    "discriminated": (
        "inline",
        {"body": dump({"a/b": 1, "kind": {"kind": "cat", "lives": True}})},
        [("body/kind/lives", "type", "must be integer, not boolean")],
    ),
    "optional-body-missing-part": (
        "inline",
        {"path": {"shop": "x"}, "body": b""},
        [("path/shop", "type", "must be integer, not string")],
    ),
}


@pytest.mark.parametrize("explain", [True, False], ids=["openapi-core", "gate"])
@pytest.mark.parametrize("case", CASES)
def test_request_violation_says_where(contract: Contract, case: str, explain: bool) -> None:
    operation, parts, wanted = CASES[case]
    found = broken(contract, operation, explain=explain, **parts)
    assert [violation.place for violation in found] == [place for place, _, _ in wanted]


@pytest.mark.parametrize("case", CASES)
def test_request_violation_says_what(contract: Contract, case: str) -> None:
    operation, parts, wanted = CASES[case]
    found = broken(contract, operation, **parts)
    assert [(violation.keyword, violation.message) for violation in found] == [(keyword, text) for _, keyword, text in wanted]


@pytest.mark.parametrize("explain", [True, False], ids=["openapi-core", "gate"])
@pytest.mark.parametrize("case", CASES)
def test_request_violation_rule_leads_into_the_document(contract: Contract, case: str, explain: bool) -> None:
    """A rule is a JSON pointer, the broken keyword at its end: what it points to is the keyword's value."""
    operation, parts, wanted = CASES[case]
    keywords = {keyword for _, keyword, _ in wanted}
    keywords |= {keyword.replace("exclusiveM", "m") for keyword in keywords}  # an exclusive bound stands in two keywords
    for violation in broken(contract, operation, explain=explain, **parts):
        assert violation.rule.startswith("/")
        assert grammar.find(contract.document, "#" + violation.rule) is not None
        assert violation.rule.rpartition("/")[2] in keywords


@pytest.mark.parametrize("case", CASES)
def test_request_reasons_of_gate_and_openapi_core_agree(contract: Contract, case: str) -> None:
    """In place and rule; their words may differ."""
    operation, parts, _ = CASES[case]
    by_core, by_gate = (broken(contract, operation, explain=explain, **parts) for explain in (True, False))
    assert sorted((each.place, each.rule) for each in by_core) == sorted((each.place, each.rule) for each in by_gate)


def test_request_reasons_of_many_violations_agree(contract: Contract) -> None:
    by_core, by_gate = (broken(contract, explain=explain, **WRONG) for explain in (True, False))
    assert sorted((each.place, each.rule) for each in by_core) == sorted((each.place, each.rule) for each in by_gate)


def test_request_that_cannot_be_decoded_still_lists_the_rest(contract: Contract) -> None:
    found = broken(contract, path={"shop": "0"}, query=b"", body=b"{")
    assert sorted(violation.place for violation in found) == ["body", "path/shop", "query/limit"]


@pytest.mark.parametrize("explain", [True, False], ids=["openapi-core", "gate"])
def test_request_of_another_media_type_says_so_once(contract: Contract, explain: bool) -> None:
    headers = {**RIGHT["headers"], b"content-type": b"text/plain"}
    (found,) = broken(contract, explain=explain, headers=headers)
    assert (found.part, found.keyword) == ("body", "media-type")


def test_violation_shows_itself_as_json(contract: Contract) -> None:
    (found,) = broken(contract, path={"shop": "0"})
    assert found.as_json() == {"in": "path", "pointer": "/shop", "message": "is below 1", "schema": found.rule}


def test_violation_messages_are_cut(contract: Contract) -> None:
    """What the client sent may be megabytes; an answer about it must not be."""
    made = deepcopy(DOCUMENT)
    made["components"]["schemas"]["Order"]["properties"]["state"]["enum"] = [f"state number {at}" for at in range(1000)]
    (found,) = broken(Contract(normalise(made)), body=body(state="x" * 10_000))
    assert len(found.message) <= MESSAGE_LIMIT + 10


def test_optional_body_may_be_missing(contract: Contract) -> None:
    plan = contract.requests[contract.operation("inline")]
    assert plan.read({"shop": "1"}, b"", {}, b"").body is None


def test_compile_finds_schemas_that_are_none() -> None:
    made = deepcopy(DOCUMENT)
    made["components"]["schemas"]["Line"]["properties"]["article"]["pattern"] = "("
    faults = Contract(normalise(made)).compile()
    assert [fault.pointer for fault in faults] == ["/paths/~1shops~1{shop}~1orders/post"]


def test_compile_finds_nothing_wrong_with_a_right_document(contract: Contract) -> None:
    assert contract.compile() == []


def test_operations_without_an_id_get_one() -> None:
    made = Contract({"paths": {"/a/{b}": {"get": {"parameters": [{"name": "b", "in": "path"}], "responses": {"200": {}}}}}})
    assert [operation.id for operation in made.operations] == ["get_a_b"]


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ({"responses": {}}, "no response is described"),
        ({"responses": {"20": {}}}, "is no status"),
        ({"responses": {"200": {}}, "parameters": [{"name": "a", "in": "body"}]}, "cannot stand in 'body'"),
        ({"responses": {"200": {}}, "parameters": [{"in": "query"}]}, "cannot be read"),
        ({"responses": {"200": {}}, "security": [{"None": []}]}, "the scheme 'None' is not described"),
    ],
    ids=["no-response", "status", "location", "no-name", "security"],
)
def test_operation_that_is_none_is_a_fault(operation: Record, told: str) -> None:
    made = Contract({"paths": {"/a": {"get": operation}, "/b": {"get": {"responses": {"200": {}}}}}})
    assert [str(each) for each in made.operations] == ["GET /b"]
    assert [told in str(fault) for fault in made.faults] == [True]


def test_path_parameter_that_is_not_described_is_a_fault() -> None:
    made = Contract({"paths": {"/a/{b}": {"get": {"responses": {"200": {}}}}}})
    assert [str(fault) for fault in made.faults] == ["/paths/~1a~1{b}/get: the path parameter 'b' is not described"]


def test_paths_that_cannot_be_told_apart_are_a_fault() -> None:
    described = {"name": "b", "in": "path", "required": True, "schema": {"type": "string"}}
    other = {**described, "name": "c"}
    paths = {
        "/a/{b}": {"get": {"parameters": [described], "responses": {"200": {}}}},
        "/a/{c}": {"get": {"parameters": [other], "responses": {"200": {}}}},
    }
    made = Contract({"paths": paths})
    assert [str(each) for each in made.operations] == ["GET /a/{b}"]
    assert ["cannot be told from GET /a/{b}" in str(fault) for fault in made.faults] == [True]
