"""Defects in what the mock is set up with: fixtures and stub files. The mock is to blame, never the document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.checking import setup
from mockserver.reporting import catalogue
from mockserver.reporting.report import Report
from mockserver.values import Record
from tests.defects.planting import CLEAN, CLEAN_FILE, findings, planted, run, told, written

ORDER: Record = {"id": 1, "what": "a lamp"}
LOCATION = {"Location": "https://example.com/v1/orders/1"}


def stub(method: str, path: str, response: Any = None, **request: Any) -> Record:
    return {"request": {"method": method, "urlPath": path, **request}, "response": {} if response is None else response}


@dataclass(frozen=True)
class Stub:
    """A stub with one defect, and the finding that must come of it."""

    name: str
    stub: Any
    code: str
    told_at: str
    message: str


STUBS = [
    Stub("no response", {"request": {"urlPath": "/orders"}}, "MS-X009", "", "response is missing"),
    Stub("request as a text", {"request": "GET /orders", "response": {}}, "MS-X009", "/request", "request is no object"),
    Stub("no object", "GET /orders", "MS-X009", "", "an object with request and response"),
    Stub("no status", stub("GET", "/orders", {"status": "200"}), "MS-X009", "/response/status", '"200" is no status'),
    Stub(
        "broken pattern",
        {"request": {"urlPathPattern": "("}, "response": {}},
        "MS-X009",
        "/request/urlPathPattern",
        "no pattern",
    ),
    Stub("no such path", stub("GET", "/order"), "MS-X010", "/request/urlPath", "no operation has the path /order"),
    Stub("no such method", stub("DELETE", "/orders"), "MS-X010", "/request/method", "/orders has no DELETE, only GET, POST"),
    Stub(
        "pattern for nothing",
        {"request": {"urlPathPattern": "/people/.*"}, "response": {}},
        "MS-X010",
        "/request/urlPathPattern",
        "no operation",
    ),
    Stub(
        "template for nothing",
        {"request": {"urlPathTemplate": "/people/{id}"}, "response": {}},
        "MS-X010",
        "/request/urlPathTemplate",
        "no operation",
    ),
    Stub("another status", stub("GET", "/orders", {"status": 202}), "MS-X011", "/response/status", "202 is not documented"),
    Stub(
        "id as a text",
        stub("GET", "/orders/1", {"jsonBody": {"id": "1"}}),
        "MS-X012",
        "/response/jsonBody/id",
        "must be integer",
    ),
    Stub("id missing", stub("GET", "/orders/1", {"jsonBody": {}}), "MS-X012", "/response/jsonBody/id", "is required"),
    Stub(
        "id as a text in a text",
        stub("GET", "/orders/1", {"body": '{"id": "1"}'}),
        "MS-X012",
        "/response/body",
        "must be integer",
    ),
    Stub(
        "deep in a list",
        stub("GET", "/orders", {"jsonBody": {"data": [ORDER, {"id": 2, "code": "ab"}]}}),
        "MS-X012",
        "/response/jsonBody/data/1/code",
        "does not match",
    ),
    Stub(
        "body of a refusal",
        stub("GET", "/orders/1", {"status": 404, "jsonBody": {"error": "no"}}),
        "MS-X012",
        "/response/jsonBody/message",
        "is required",
    ),
    Stub(
        "another media type",
        stub("GET", "/orders/1", {"body": "<a/>", "headers": {"Content-Type": "text/xml"}}),
        "MS-X012",
        "/response/headers/Content-Type",
        "text/xml is not documented",
    ),
    Stub(
        "no location",
        stub("POST", "/orders", {"status": 201, "jsonBody": ORDER}),
        "MS-X013",
        "/response/headers/location",
        "is required",
    ),
    Stub(
        "wrong location",
        stub("POST", "/orders", {"status": 201, "jsonBody": ORDER, "headers": {"location": "not a URI"}}),
        "MS-X013",
        "/response/headers/location",
        "is not a valid uri",
    ),
    Stub(
        "query that is refused",
        stub("GET", "/orders", queryParameters={"limit": {"equalTo": "many"}}),
        "MS-X014",
        "/request/queryParameters/limit",
        "must be integer",
    ),
    Stub(
        "query of a url",
        {"request": {"method": "GET", "url": "/v1/orders?limit=0"}, "response": {}},
        "MS-X014",
        "/request/url",
        "is below 1",
    ),
    Stub(
        "path that is refused",
        stub("GET", "/orders/one", {"jsonBody": ORDER}),
        "MS-X014",
        "/request/urlPath",
        "must be integer",
    ),
    Stub(
        "body that is refused",
        stub(
            "POST",
            "/orders",
            {"status": 201, "jsonBody": ORDER, "headers": LOCATION},
            bodyPatterns=[{"equalToJson": {"colour": "red"}}],
        ),
        "MS-X014",
        "/request/bodyPatterns/0",
        "body/what is required",
    ),
    Stub("a file", stub("GET", "/orders/1", {"bodyFileName": "order.json"}), "MS-X009", "/response", "bodyFileName"),
    Stub("no body", stub("GET", "/orders", {"status": 200}), "MS-X009", "/response/body", "has a body in the document"),
    Stub(
        "a misspelt matcher",
        stub("GET", "/orders/1", {"jsonBody": ORDER}, headers={"accept": {"equalsTo": "x"}}),
        "MS-X009",
        "/request/headers/accept",
        "equalsTo",
    ),
    Stub("any operation", {"request": {}, "response": {"status": 503}}, "MS-X009", "/response/status", "503 is not documented"),
]

IDS = [each.name.replace(" ", "-") for each in STUBS]


MADE = {"status": 201, "jsonBody": ORDER, "headers": LOCATION}


def check_stubs(value: Any, folder: Path, name: str = "stub.json") -> list[Record]:
    path = folder / name
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value, indent=2).encode())
    return findings("check", CLEAN_FILE, "--stubs", path)


@pytest.mark.parametrize("defect", STUBS, ids=IDS)
def test_planted_defect_of_a_stub_is_found(defect: Stub, tmp_path: Path) -> None:
    found = check_stubs(defect.stub, tmp_path)
    own = [each for each in found if (each["code"], each["place"]["pointer"]) == (defect.code, defect.told_at)]
    assert own, told(found)
    assert any(defect.message in each["message"] for each in own), told(own)
    assert {each["blame"] for each in found} == {"mock"}
    assert all(each["place"]["file"].endswith("stub.json") and each["place"]["line"] for each in found)


@pytest.mark.parametrize("defect", STUBS, ids=IDS)
def test_defect_among_other_stubs_is_told_at_its_own(defect: Stub, tmp_path: Path) -> None:
    found = check_stubs({"mappings": [stub("GET", "/orders/1", {"jsonBody": ORDER}), defect.stub]}, tmp_path)
    assert {each["place"]["pointer"][:11] for each in found} == {"/mappings/1"}


@pytest.mark.parametrize(
    "clean",
    [
        stub("GET", "/orders", {"jsonBody": {"data": [ORDER]}}, queryParameters={"limit": {"equalTo": "10"}}),
        stub("GET", "/v1/orders/1", {"status": 404, "jsonBody": {"message": "no"}}),
        stub("ANY", "/orders/1", {"jsonBody": ORDER}),
        stub("POST", "/orders", {"status": 201, "body": json.dumps(ORDER), "headers": LOCATION}),
        stub("POST", "/orders", MADE, bodyPatterns=[{"equalToJson": '{"what": "x"}'}]),
        stub("POST", "/orders", MADE, bodyPatterns=[{"matchesJsonPath": "$.what"}]),
        {"request": {"method": "GET", "urlPathPattern": "/orders/[0-9]+"}, "response": {"jsonBody": ORDER}},
        {"request": {"method": "GET", "urlPathTemplate": "/orders/{order}"}, "response": {"jsonBody": ORDER}},
        {"request": {"method": "GET", "url": "/orders?limit=5"}, "response": {"jsonBody": {"data": []}}},
        {"request": {}, "response": {"status": 503}, "off_contract": True},
        {**stub("GET", "/orders/1", {"status": 418, "jsonBody": {}}), "off_contract": True},
        stub("GET", "/orders/1", {"fault": "CONNECTION_RESET_BY_PEER"}),
        stub("GET", "/orders/1", {"jsonBody": {"id": "{{request.path.1}}"}, "transformers": ["response-template"]}),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_stub_that_keeps_the_contract_has_no_findings(clean: Record, tmp_path: Path) -> None:
    assert told(check_stubs(clean, tmp_path)) == []


def test_stub_file_that_is_no_json_is_told_with_its_name(tmp_path: Path) -> None:
    (found,) = check_stubs(b"{", tmp_path)
    assert (found["code"], found["blame"]) == ("MS-X009", "mock")


def test_folder_of_stubs_is_checked_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    for number in range(3):
        (tmp_path / "mappings" / f"{number}.json").write_text(json.dumps(stub("GET", "/order")))
    result = run("check", CLEAN_FILE, "--stubs", tmp_path, "--report", "json")
    report = json.loads(result.stdout)
    assert len(report["findings"]) == report["checked"]["stubs"] == 3


@pytest.mark.parametrize("what", ["--stubs", "--fixture"])
def test_what_is_not_there_is_2(what: str, tmp_path: Path) -> None:
    result = run("check", CLEAN_FILE, what, tmp_path / "none.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no such file" in result.stderr


def test_folder_without_stubs_is_2(tmp_path: Path) -> None:
    assert run("check", CLEAN_FILE, "--stubs", tmp_path).exit_code == 2


# Fixtures.

FIXTURES: list[tuple[str, str, int | None, str]] = [
    ("not YAML", "orders: [\n", 2, "is not valid YAML"),
    ("no object", "- 1\n", None, "an object of sections"),
    ("no list", "orders: 5\n", 1, "a list of records"),
    ("record as a text", "orders:\n  - {id: 1, what: a lamp}\n  - lamp\n", 3, "a record is an object"),
    ("unknown collection", "people: [{id: 1}]\n", None, "people"),
]


@pytest.mark.parametrize(("text", "line", "message"), [row[1:] for row in FIXTURES], ids=[row[0] for row in FIXTURES])
def test_planted_defect_of_a_fixture_is_found(text: str, line: int | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(text)
    (found,) = findings("check", CLEAN_FILE, "--fixture", path)
    assert (found["code"], found["blame"], found["operation"]) == ("MS-X008", "mock", str(path))
    assert message in found["message"]
    assert found["place"]["file"].endswith("world.yaml")
    assert line is None or found["place"]["line"] == line


def test_clean_fixture_has_no_findings(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(yaml.safe_dump({"orders": [ORDER]}))
    assert told(findings("check", CLEAN_FILE, "--fixture", path)) == []


def test_fixture_of_the_shipped_document_is_held_to_its_rules(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("workspaces:\n  - {nmae: Production}\n")
    report = Report("check", "shipped")
    setup.fixtures(None, (str(path),), report)
    (found,) = report.findings
    assert (found.code, found.place.line) == ("MS-X008", 2)
    assert "nmae" in found.message


# Stubs of operations.


def test_operation_without_a_rule_is_a_note(tmp_path: Path) -> None:
    hours = {"get": {"operationId": "getHours", "responses": {"200": {"description": "Fine."}}}}
    (found,) = findings("check", written(planted("/paths/~1hours", hours), tmp_path))
    assert (found["code"], found["severity"], found["operation"]) == ("MS-X015", "note", "getHours")


def test_operation_that_cannot_be_served_has_no_stub(tmp_path: Path) -> None:
    found = findings("check", written(planted("/paths/~1orders~1{id}/get/responses", {}), tmp_path))
    assert ("MS-X016", "document") in [(each["code"], each["blame"]) for each in found if each["operation"] == "getOrder"]


def test_every_code_of_setups_is_planted() -> None:
    planted_here = {each.code for each in STUBS} | {"MS-X008", "MS-X015", "MS-X016"}
    assert planted_here == {code for code in catalogue.entries() if "MS-X008" <= code <= "MS-X016"}
    assert CLEAN["paths"]
