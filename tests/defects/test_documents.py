"""Defects in a document: each is found by `mockserver check`, at the place and line where it was planted."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.reporting import catalogue
from mockserver.values import pointer
from tests.defects.planting import (
    ADD,
    CLEAN,
    CLEAN_FILE,
    GET,
    JSON,
    LIST,
    NEW,
    ORDER,
    Planted,
    apply_patch,
    findings,
    planted,
    run,
    told,
    written,
)

LINK = ADD + "/responses/201/links/read"
LIMIT = LIST + "/parameters/0"
ONE = "/paths/~1orders~1{id}"
SERVER = "/servers/0"
INTEGER = {"type": "integer"}
PATH = {"name": "number", "in": "path", "required": True, "schema": INTEGER}

PLANTED = [
    # What is not OpenAPI.
    Planted("no title", "/info/title", ..., "MS-D001", "/info", "title is missing"),
    Planted("unknown field", "/colour", "red", "MS-D001", "", "colour is not allowed here"),
    Planted(
        "no description", GET + "/responses/200/description", ..., "MS-D001", GET + "/responses/200", "description is missing"
    ),
    Planted("path that is no object", "/paths/~1nothing", [], "MS-D001", "/paths/~1nothing", "must be object"),
    Planted("parameter elsewhere", LIMIT + "/in", "body", "MS-D001", LIMIT + "/in", "must be one of"),
    Planted(
        "parameter without schema", LIST + "/parameters/2/schema", ..., "MS-D001", LIST + "/parameters/2", "schema or content"
    ),
    Planted("parameter with both", LIMIT + "/content", {"a/b": {}}, "MS-D001", LIMIT, "cannot stand together"),
    Planted(
        "scheme without a name",
        "/components/securitySchemes/key/name",
        ...,
        "MS-D001",
        "/components/securitySchemes/key",
        "name is missing",
    ),
    # References.
    Planted(
        "dangling component",
        ORDER + "/properties/owner",
        {"$ref": "#/components/schemas/Nobody"},
        "MS-D002",
        ORDER + "/properties/owner",
        "#/components/schemas/Nobody points to nothing",
    ),
    Planted(
        "misspelt component",
        LIST + "/parameters/1/schema",
        {"$ref": "#/components/schemas/Stat"},
        "MS-D002",
        LIST + "/parameters/1/schema",
        "points to nothing",
    ),
    Planted(
        "no such file",
        ORDER + "/properties/owner",
        {"$ref": "parts.yaml#/Owner"},
        "MS-D002",
        ORDER + "/properties/owner",
        "parts.yaml",
    ),
    Planted(
        "reference elsewhere",
        ORDER + "/properties/owner",
        {"$ref": "https://example.com/parts.yaml#/Owner"},
        "MS-D002",
        ORDER + "/properties/owner",
        "nothing is fetched",
    ),
    # Operations and their parameters.
    Planted("no responses", GET + "/responses", {}, "MS-D001", GET + "/responses", "has too few fields"),
    Planted(
        "circle of references",
        "/components/responses/Refused",
        {"$ref": "#/components/responses/Refused"},
        "MS-D003",
        "/components/responses/Refused",
        "the references go round in a circle",
    ),
    Planted("path parameter gone", ONE + "/parameters", [], "MS-D004", GET, "'id' is not described"),
    Planted("path parameter renamed", ONE + "/parameters/0/name", "ident", "MS-D005", ONE + "/parameters/0", "has no {ident}"),
    Planted(
        "path twice",
        "/paths/~1orders~1{number}",
        {"parameters": [PATH], "get": CLEAN["paths"]["/orders"]["get"]},
        "MS-D006",
        "/paths/~1orders~1{number}",
        "cannot be told from /orders/{id}",
    ),
    Planted("no operationId", GET + "/operationId", ..., "MS-D007", GET, "GET /orders/{id} has no operationId"),
    Planted("operationId twice", GET + "/operationId", "addOrder", "MS-D008", GET + "/operationId", "of another operation"),
    Planted("no status", GET + "/responses/20", {"description": "x"}, "MS-D019", GET + "/responses/20", "'20' is no status"),
    Planted(
        "parameter twice",
        LIST + "/parameters/1",
        {"name": "limit", "in": "query", "schema": INTEGER},
        "MS-D020",
        LIST + "/parameters/1",
        "'limit' in query is described twice",
    ),
    Planted("default of what is required", LIMIT + "/required", True, "MS-D022", LIMIT, "its default is never used"),
    Planted("no operations", "/paths", {}, "MS-D017", "/paths", "no operation"),
    Planted(
        "override with another field", GET + "/x-resource", {"rule": "read"}, "MS-D018", GET + "/x-resource", "no field 'rule'"
    ),
    Planted(
        "override that leads nowhere",
        GET + "/x-resource",
        {"collection": "/people"},
        "MS-D018",
        GET + "/x-resource",
        "needs a collection that is there",
    ),
    # Schemas.
    Planted("broken pattern", ORDER + "/properties/code/pattern", "(", "MS-D009", ORDER + "/properties/code/pattern", "'('"),
    Planted(
        "pattern of Python",
        ORDER + "/properties/code/pattern",
        r"^(?P<a>x)\Z",
        "MS-D009",
        ORDER + "/properties/code/pattern",
        "ECMA-262",
    ),
    Planted(
        "crossed bounds", LIMIT + "/schema/minimum", 200, "MS-D010", LIMIT + "/schema", "minimum 200 and maximum 100 cross"
    ),
    Planted(
        "crossed lengths of an optional field",
        ORDER + "/properties/what/minLength",
        300,
        "MS-D010",
        ORDER + "/properties/what",
        "minLength 300 and maxLength 200 cross",
    ),
    Planted(
        "bounds that exclude each other",
        ORDER + "/properties/total",
        {"type": "number", "minimum": 1, "maximum": 1, "exclusiveMinimum": True},
        "MS-D010",
        ORDER + "/properties/total",
        "exclude each other",
    ),
    Planted(
        "contradiction",
        "/components/schemas/No",
        {"allOf": [{"type": "string"}, INTEGER]},
        "MS-D010",
        "/components/schemas/No",
        "no value can satisfy",
    ),
    Planted(
        "impossible field that is required",
        ORDER + "/properties/id",
        {"allOf": [{"type": "string"}, INTEGER]},
        "MS-D010",
        ORDER,
        "no value can satisfy",
    ),
    Planted(
        "unknown type", ORDER + "/properties/what/type", "text", "MS-D011", ORDER + "/properties/what/type", "must be one of"
    ),
    Planted(
        "required as a flag",
        ORDER + "/properties/what/required",
        True,
        "MS-D011",
        ORDER + "/properties/what/required",
        "must be array",
    ),
    Planted(
        "required but forbidden", NEW + "/required", ["what", "color"], "MS-D012", NEW + "/required/1", "'color' is required"
    ),
    Planted(
        "number in an enum of texts",
        "/components/schemas/State/enum",
        ["open", 1],
        "MS-D013",
        "/components/schemas/State/enum/1",
        "must be string, not integer",
    ),
    Planted(
        "default of a property",
        NEW + "/properties/gift/default",
        "no",
        "MS-D014",
        NEW + "/properties/gift/default",
        "must be boolean, not string",
    ),
    Planted(
        "default that is none of the values",
        ORDER + "/properties/state/default",
        "lost",
        "MS-D014",
        ORDER + "/properties/state/default",
        "must be one of",
    ),
    Planted("default out of bounds", LIMIT + "/schema/default", 0, "MS-D014", LIMIT + "/schema/default", "is below 1"),
    # Credentials and servers.
    Planted(
        "unknown scheme", GET + "/security", [{"keys": []}], "MS-D015", GET + "/security/0/keys", "'keys' is not described"
    ),
    Planted("unknown scheme for all", "/security", [{"token": []}], "MS-D015", "/security/0/token", "'token' is not described"),
    Planted("unknown scope", GET + "/security/1/oauth", ["orders:raed"], "MS-D021", GET + "/security/1/oauth", "'orders:raed'"),
    Planted("server without its variable", SERVER + "/variables", ..., "MS-D016", SERVER + "/url", "'region' is not described"),
    Planted(
        "server with another default",
        SERVER + "/variables/region/default",
        "asia",
        "MS-D016",
        SERVER + "/variables/region",
        "is not among its enum",
    ),
    Planted("server that is no address", SERVER + "/url", "ftp://example.com", "MS-D016", SERVER + "/url", "is no address"),
    # Examples.
    Planted("example of a parameter", LIMIT + "/example", 0, "MS-X001", LIMIT + "/example", "is below 1"),
    Planted(
        "examples of a parameter",
        LIST + "/parameters/2/examples",
        {"none": {"value": "x"}},
        "MS-X001",
        LIST + "/parameters/2/examples/none",
        "must be array",
    ),
    Planted(
        "example of a body",
        ADD + "/requestBody" + JSON + "/example",
        {"what": ""},
        "MS-X001",
        ADD + "/requestBody" + JSON + "/example",
        "/what is too short",
    ),
    Planted(
        "example with a field too many",
        ADD + "/requestBody" + JSON + "/example",
        {"what": "x", "colour": "red"},
        "MS-X001",
        ADD + "/requestBody" + JSON + "/example",
        "not allowed",
    ),
    Planted(
        "example of a reply",
        ADD + "/responses/201" + JSON + "/example",
        {"id": "1"},
        "MS-X001",
        ADD + "/responses/201" + JSON + "/example",
        "/id must be integer",
    ),
    Planted(
        "named example",
        LIST + "/responses/200" + JSON + "/examples/none/value",
        {"data": [{}]},
        "MS-X001",
        LIST + "/responses/200" + JSON + "/examples/none",
        "/data/0/id is required",
    ),
    Planted(
        "shared example",
        "/components/examples/One/value",
        {"data": {}},
        "MS-X001",
        LIST + "/responses/200" + JSON + "/examples/one",
        "/data must be array",
    ),
    Planted("example of a schema", ORDER + "/example", {"what": "a lamp"}, "MS-X001", ORDER + "/example", "/id is required"),
    Planted(
        "example of a property",
        NEW + "/properties/what/example",
        5,
        "MS-X001",
        NEW + "/properties/what/example",
        "must be string, not integer",
    ),
    Planted(
        "example of a header",
        ADD + "/responses/201/headers/Location/example",
        5,
        "MS-X001",
        ADD + "/responses/201/headers/Location/example",
        "must be string",
    ),
    Planted(
        "example of a shared reply",
        "/components/responses/Refused" + JSON + "/example",
        {},
        "MS-X001",
        "/components/responses/Refused" + JSON + "/example",
        "/message is required",
    ),
    Planted(
        "example elsewhere",
        LIST + "/responses/200" + JSON + "/examples/none",
        {"externalValue": "https://example.com/a"},
        "MS-X002",
        LIST + "/responses/200" + JSON + "/examples/none",
        "nothing is fetched",
    ),
    # Links.
    Planted("link to nowhere", LINK + "/operationId", "findOrder", "MS-X003", LINK, "leads to 'findOrder'"),
    Planted("link by a wrong place", LINK, {"operationRef": "#/paths/~1order/get"}, "MS-X003", LINK, "which is no operation"),
    Planted(
        "link with another parameter",
        LINK + "/parameters/key",
        "x",
        "MS-X004",
        LINK + "/parameters/key",
        "no parameter of GET /orders/{id}",
    ),
    Planted(
        "link with no expression",
        LINK + "/parameters/id",
        "$response.body.id",
        "MS-X005",
        LINK + "/parameters/id",
        "is no runtime expression",
    ),
    Planted(
        "link with no expression inside",
        LINK + "/parameters/id",
        "order-{$respons.body#/id}",
        "MS-X005",
        LINK + "/parameters/id",
        "is no runtime expression",
    ),
    Planted(
        "link to no field",
        LINK + "/parameters/id",
        "$response.body#/number",
        "MS-X006",
        LINK + "/parameters/id",
        "has no /number",
    ),
    Planted(
        "link to no field of the request",
        LINK + "/parameters/id",
        "$request.body#/number",
        "MS-X006",
        LINK + "/parameters/id",
        "has no /number",
    ),
    Planted(
        "link to no header",
        LINK + "/parameters/id",
        "$response.header.X-Id",
        "MS-X006",
        LINK + "/parameters/id",
        "no header 'X-Id'",
    ),
    Planted(
        "link to no parameter",
        LINK + "/parameters/id",
        "$request.path.id",
        "MS-X006",
        LINK + "/parameters/id",
        "no parameter 'id' in path",
    ),
    Planted("link without its path parameter", LINK + "/parameters", ..., "MS-X007", LINK, "does not set 'id'"),
]

IDS = [each.name.replace(" ", "-") for each in PLANTED]


@pytest.mark.parametrize("defect", PLANTED, ids=IDS)
def test_planted_defect_is_found_at_its_place(defect: Planted, tmp_path: Path) -> None:
    document = planted(defect.place, defect.value)
    found = findings("check", written(document, tmp_path))
    own = [each for each in found if (each["code"], each["place"]["pointer"]) == (defect.code, defect.told_at)]
    assert own, told(found)
    assert any(defect.message in each["message"] for each in own), told(own)
    assert {each["blame"] for each in own} == {defect.blame}
    assert all(each["edit"]["words"] for each in found)
    assert {each["severity"] for each in own} == {catalogue.entry(defect.code).severity}
    # Whatever is told is told where it stands: the line holds the last part of the pointer.
    lines = (tmp_path / "shop.yaml").read_text(encoding="utf-8").splitlines()
    for each in found:
        last = each["place"]["pointer"].rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        line = lines[each["place"]["line"] - 1][each["place"]["column"] - 1 :]
        assert last.isdecimal() or line.startswith((last, f"'{last}'", f'"{last}"')) or not last, (each, line)
    # Where a JSON Patch is proposed, the finding is gone once it is applied.
    if patch := own[0]["edit"]["patch"]:
        mended = findings("check", written(apply_patch(document, patch), tmp_path))
        assert (own[0]["code"], own[0]["message"]) not in [(each["code"], each["message"]) for each in mended]


def test_every_code_of_documents_is_planted() -> None:
    """Those of fixtures and stubs (X008 and on) have a module of their own."""
    wanted = {code for code in catalogue.entries() if code[3] == "D" or "MS-X001" <= code <= "MS-X007"}
    assert {each.code for each in PLANTED} == wanted


def test_defects_are_told_all_at_once(tmp_path: Path) -> None:
    document = planted(ORDER + "/example", {})
    del document["paths"]["/orders/{id}"]["get"]["operationId"]
    document["components"]["schemas"]["No"] = {"type": "integer", "minimum": 2, "maximum": 1}
    codes = {each["code"] for each in findings("check", written(document, tmp_path))}
    assert codes >= {"MS-X001", "MS-D007", "MS-D010", "MS-X003"}


# What is in order has no findings.


def test_clean_document_has_no_findings() -> None:
    assert told(findings("check", CLEAN_FILE)) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (LINK, {"operationRef": "#/paths/~1orders~1{id}/get", "parameters": {"id": "x"}}),
        (LINK + "/parameters", {"path.id": "$response.body#/id"}),
        (LINK + "/parameters/id", "$response.header.location"),
        (LINK + "/parameters/id", "$response.body#/labels/anything"),
        (LINK + "/parameters/id", "$response.body#/parent/parent/id"),
        (LINK + "/parameters/id", "order {$response.body#/id} of {$request.body#/what}"),
        (NEW + "/example", {"what": "a lamp", "card": "4111"}),
        (ORDER + "/properties/what/nullable", True),
        ("/components/schemas/Odd", {"type": "string", "format": "colour", "example": "red"}),
        ("/paths/~1orders/x-note", "ours"),
        ("/x-note", "ours"),
        ("/components/schemas/Null", {"type": "string", "nullable": True, "default": None}),
        ("/components/schemas/Null", {"type": "string", "nullable": True, "enum": ["a", None]}),
        ("/components/schemas/Equal", {"type": "integer", "minimum": 1, "maximum": 1}),
        ("/components/schemas/Long", {"type": "integer", "format": "int64", "default": 5}),
        ("/servers", [{"url": "/"}]),
        ("/servers", [{"url": "http://[::1]:8080/v1/"}]),
        ("/security", [{"key": []}, {}]),
        (LIST + "/parameters/0", {"$ref": "#/components/parameters/Limit"}),
    ],
    ids=str,
)
def test_document_that_is_in_order_has_no_findings(place: str, value: Any, tmp_path: Path) -> None:
    document = planted(place, value)
    document["components"]["parameters"] = {"Limit": {"name": "limit", "in": "query", "schema": INTEGER}}
    assert told(findings("check", written(document, tmp_path))) == []


def test_shared_link_has_no_finding(tmp_path: Path) -> None:
    document = planted(LINK, {"$ref": "#/components/links/Read"})
    document["components"]["links"] = {"Read": {"operationId": "getOrder", "parameters": {"id": "$response.body#/id"}}}
    assert told(findings("check", written(document, tmp_path))) == []


# Places.


def test_place_in_another_file_is_told_there(tmp_path: Path) -> None:
    """A path and a schema that lie in other files, and a fault that is in the second of them."""
    document = planted("/paths/~1orders~1{id}", {"$ref": "one.yaml#/paths/one"})
    (tmp_path / "one.yaml").write_text(yaml.safe_dump({"paths": {"one": CLEAN["paths"]["/orders/{id}"]}}))
    one = (tmp_path / "one.yaml").read_text().replace("'#/components/schemas/Order'", "'parts.yaml#/Order'")
    one = one.replace("#/components/responses/Refused", "shop.yaml#/components/responses/Refused")
    (tmp_path / "one.yaml").write_text(one)
    (tmp_path / "parts.yaml").write_text(
        "# Parts.\nOrder:\n  type: object\n  properties:\n    id: {type: integer, default: x}\n"
    )
    found = findings("check", written(document, tmp_path))
    own = [each for each in found if each["code"] == "MS-D014"]
    assert len(own) == 1, told(found)
    assert own[0]["place"]["file"].endswith("parts.yaml")
    assert (own[0]["place"]["pointer"], own[0]["place"]["line"]) == ("/Order/properties/id/default", 5)


@pytest.mark.parametrize("indent", [None, 2, "\t"], ids=["one-line", "two", "tabs"])
def test_place_in_json_has_its_line_and_column(indent: Any, tmp_path: Path) -> None:
    document = planted(LIMIT + "/schema/default", 0)
    path = written(json.dumps(document, indent=indent), tmp_path, "shop.json")
    (found,) = [each for each in findings("check", path) if each["code"] == "MS-D014"]
    line = path.read_text().splitlines()[found["place"]["line"] - 1]
    assert line[found["place"]["column"] - 1 :].startswith('"default": 0')


def test_parameter_of_the_path_is_told_at_the_path(tmp_path: Path) -> None:
    found = findings("check", written(planted(ONE + "/parameters/0/example", "x"), tmp_path))
    assert [(each["code"], each["place"]["pointer"]) for each in found] == [("MS-X001", ONE + "/parameters/0/example")]


def test_finding_names_its_operation(tmp_path: Path) -> None:
    (found,) = findings("check", written(planted(LIMIT + "/example", 0), tmp_path))
    assert found["operation"] == "listOrders"


# Whatever a document is, the check ends with findings or with one line.


def everything(node: Any, way: str = "") -> Iterator[str]:
    """Every place of a document."""
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in parts:
        yield from everything(child, here := way + pointer(key))
        yield here


MANGLED = list(itertools.product(everything(CLEAN), (None, True, 5, "x", [], [5], {}, {"a": 5})))[::73]
"""A sample of all places with values of the wrong type at them; all together take minutes."""


@pytest.mark.parametrize(("place", "value"), MANGLED, ids=json.dumps)
def test_no_document_is_too_broken_to_be_checked(place: str, value: Any, tmp_path: Path) -> None:
    result = run("check", written(planted(place, value), tmp_path, "shop.json"))
    assert result.exit_code in (0, 1, 2)
    assert len(result.stderr.splitlines()) == (1 if result.exit_code == 2 else 0), result.stderr


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (ORDER + "/properties/what/required", True),
        ("/servers", [5]),
        ("/info", 5),
        (GET + "/responses/200/content", None),
        ("/components/schemas/State/enum", 5),
    ],
)
def test_what_is_no_openapi_costs_what_it_must_and_no_more(place: str, value: Any, tmp_path: Path) -> None:
    """Another document is served as far as it can be."""
    assert run("routes", written(planted(place, value), tmp_path)).exit_code == 0
