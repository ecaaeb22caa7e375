"""Differences between two documents: each is found by `mockserver check --against`, and judged for both sides.

A row changes the clean document, which is then checked against the clean one; and, turned round, the other way.
"""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mockserver import data
from mockserver.checking.comparison import compare
from mockserver.checking.subject import Subject
from mockserver.contract.grammar import METHODS
from mockserver.reporting import catalogue, structured
from mockserver.reporting.report import Report
from mockserver.values import Record
from tests.defects.planting import (
    ADD,
    CLEAN,
    CLEAN_FILE,
    GET,
    LIST,
    NEW,
    ORDER,
    apply_patch,
    findings,
    planted,
    run,
    told,
    written,
)

CONSUMER, PRODUCER, BOTH, NOBODY = ("consumer",), ("producer",), ("consumer", "producer"), ()
STATE = "/components/schemas/State"
LIMIT = LIST + "/parameters/0"
REPLY = GET + "/responses/200"
INTEGER = {"type": "integer"}
OPEN = {"type": "object", "properties": {"message": {"type": "string"}}}


@dataclass(frozen=True)
class Change:
    """What is changed where, the finding and whom it breaks; and the finding when the two documents change places."""

    name: str
    place: str
    value: Any
    code: str
    breaks: tuple[str, ...]
    back: str
    breaks_back: tuple[str, ...]
    message: str = ""


CHANGES = [
    # Operations.
    Change("operation gone", ADD, ..., "MS-C001", CONSUMER, "MS-C002", PRODUCER, "POST /orders is missing"),
    Change("path gone", "/paths/~1orders~1{id}", ..., "MS-C001", CONSUMER, "MS-C002", PRODUCER, "GET /orders/{id} is missing"),
    Change("operation renamed", GET + "/operationId", "readOrder", "MS-C028", NOBODY, "MS-C028", NOBODY),
    Change("operation deprecated", GET + "/deprecated", True, "MS-C030", NOBODY, "MS-C030", NOBODY),
    Change("other base path", "/servers", [{"url": "/v2"}], "MS-C027", BOTH, "MS-C027", BOTH, "/v2, not /v1"),
    # Parameters.
    Change(
        "parameter gone", LIST + "/parameters/1", ..., "MS-C003", CONSUMER, "MS-C004", PRODUCER, "'state' in query is missing"
    ),
    Change(
        "parameter required",
        LIMIT + "/required",
        True,
        "MS-C005",
        CONSUMER,
        "MS-C005",
        PRODUCER,
        "'limit' in query is required",
    ),
    Change("parameter written otherwise", LIST + "/parameters/2/explode", False, "MS-C006", BOTH, "MS-C006", BOTH),
    Change(
        "parameter of another type",
        LIMIT + "/schema",
        {"type": "string"},
        "MS-C017",
        BOTH,
        "MS-C017",
        BOTH,
        "string, not integer",
    ),
    Change(
        "smaller limit",
        LIMIT + "/schema/maximum",
        50,
        "MS-C019",
        CONSUMER,
        "MS-C019",
        PRODUCER,
        "maximum is 50 rather than 100",
    ),
    Change(
        "other default", LIMIT + "/schema/default", 50, "MS-C026", NOBODY, "MS-C026", NOBODY, "the default is 50 rather than 20"
    ),
    # Bodies and media types.
    Change("body gone", ADD + "/requestBody", ..., "MS-C007", CONSUMER, "MS-C007", CONSUMER),
    Change("body optional", ADD + "/requestBody/required", False, "MS-C005", PRODUCER, "MS-C005", CONSUMER, "body is optional"),
    Change("media type of a request", ADD + "/requestBody/content/text~1plain", {}, "MS-C009", PRODUCER, "MS-C008", CONSUMER),
    Change(
        "media type of a reply", REPLY + "/content/text~1csv", {}, "MS-C009", CONSUMER, "MS-C008", PRODUCER, "text/csv is new"
    ),
    # Responses.
    Change("success gone", REPLY, ..., "MS-C010", PRODUCER, "MS-C011", CONSUMER, "the response 200 is missing"),
    Change("failure gone", GET + "/responses/404", ..., "MS-C010", PRODUCER, "MS-C011", NOBODY, "the response 404 is missing"),
    Change("another success", ADD + "/responses/202", {"description": "Later."}, "MS-C011", CONSUMER, "MS-C010", PRODUCER),
    Change("header gone", ADD + "/responses/201/headers", {}, "MS-C025", CONSUMER, "MS-C025", PRODUCER, "location is missing"),
    Change(
        "header optional", ADD + "/responses/201/headers/Location/required", False, "MS-C025", CONSUMER, "MS-C025", PRODUCER
    ),
    # Fields.
    Change(
        "field gone from replies", ORDER + "/properties/what", ..., "MS-C012", CONSUMER, "MS-C013", NOBODY, "'what' is missing"
    ),
    Change(
        "promised field gone",
        ORDER,
        {"type": "object", "properties": {}},
        "MS-C012",
        CONSUMER,
        "MS-C013",
        PRODUCER,
        "'id' is missing",
    ),
    Change("field gone from requests", NEW + "/properties/gift", ..., "MS-C012", CONSUMER, "MS-C013", PRODUCER),
    Change(
        "required field for requests",
        NEW + "/required",
        ["what", "gift"],
        "MS-C014",
        CONSUMER,
        "MS-C014",
        PRODUCER,
        "'gift' is required",
    ),
    Change("field promised in replies", ORDER + "/required", ["id", "what"], "MS-C014", PRODUCER, "MS-C014", CONSUMER),
    Change(
        "field read-only", NEW + "/properties/gift/readOnly", True, "MS-C031", CONSUMER, "MS-C031", PRODUCER, "is read-only"
    ),
    Change("requests opened", NEW + "/additionalProperties", True, "MS-C021", PRODUCER, "MS-C021", CONSUMER),
    Change("replies closed", ORDER + "/additionalProperties", False, "MS-C021", PRODUCER, "MS-C021", CONSUMER),
    Change(
        "labels of another type", ORDER + "/properties/labels/additionalProperties", INTEGER, "MS-C017", BOTH, "MS-C017", BOTH
    ),
    # Values.
    Change(
        "value gone, sent and answered",
        STATE + "/enum",
        ["open", "paid"],
        "MS-C015",
        BOTH,
        "MS-C016",
        BOTH,
        'the value "sent" is missing',
    ),
    Change(
        "any object for alternatives",
        ORDER + "/properties/payment",
        {"type": "object", "properties": {"kind": {"type": "string"}}},
        "MS-C023",
        CONSUMER,
        "MS-C022",
        PRODUCER,
    ),
    Change(
        "alternatives beside other rules",
        ORDER + "/properties/what/anyOf",
        [{"type": "string"}, INTEGER],
        "MS-C029",
        NOBODY,
        "MS-C029",
        NOBODY,
    ),
    Change("values free", STATE, {"type": "string"}, "MS-C016", BOTH, "MS-C015", BOTH, "any value is allowed"),
    Change(
        "null in replies",
        ORDER + "/properties/what/nullable",
        True,
        "MS-C018",
        CONSUMER,
        "MS-C018",
        PRODUCER,
        "null is allowed",
    ),
    Change("null in requests", NEW + "/properties/what/nullable", True, "MS-C018", PRODUCER, "MS-C018", CONSUMER),
    Change(
        "number for integer in replies",
        ORDER + "/properties/id/type",
        "number",
        "MS-C017",
        CONSUMER,
        "MS-C017",
        PRODUCER,
        "number, not integer",
    ),
    Change("longer texts in replies", ORDER + "/properties/what/maxLength", 300, "MS-C019", CONSUMER, "MS-C019", PRODUCER),
    Change("any length in replies", ORDER + "/properties/what/maxLength", ..., "MS-C019", CONSUMER, "MS-C019", PRODUCER),
    Change("longer texts in requests", NEW + "/properties/what/minLength", 3, "MS-C019", CONSUMER, "MS-C019", PRODUCER),
    Change("above a bound", ORDER + "/properties/total/exclusiveMinimum", True, "MS-C019", PRODUCER, "MS-C019", CONSUMER),
    Change(
        "step", ORDER + "/properties/total/multipleOf", 0.01, "MS-C019", PRODUCER, "MS-C019", CONSUMER, "multipleOf is 0.01"
    ),
    Change(
        "format gone",
        ORDER + "/properties/placed/format",
        ...,
        "MS-C020",
        CONSUMER,
        "MS-C020",
        PRODUCER,
        "none rather than date",
    ),
    Change(
        "another format",
        ORDER + "/properties/placed/format",
        "date",
        "MS-C020",
        BOTH,
        "MS-C020",
        BOTH,
        "date rather than date-time",
    ),
    Change("larger integers", ORDER + "/properties/id/format", "int64", "MS-C020", PRODUCER, "MS-C020", CONSUMER),
    Change("another pattern", ORDER + "/properties/code/pattern", "^[A-Z]{4}$", "MS-C020", NOBODY, "MS-C020", NOBODY),
    Change("pattern gone", ORDER + "/properties/code/pattern", ..., "MS-C020", CONSUMER, "MS-C020", PRODUCER),
    Change("a not", ORDER + "/properties/what/not", {"enum": ["x"]}, "MS-C029", NOBODY, "MS-C029", NOBODY, "`not` differs"),
    # Alternatives.
    Change(
        "alternative gone",
        "/components/schemas/Payment/oneOf",
        [{"$ref": "#/components/schemas/Card"}],
        "MS-C022",
        PRODUCER,
        "MS-C023",
        CONSUMER,
        "the alternative Invoice is missing",
    ),
    Change(
        "alternative new",
        "/components/schemas/Payment/oneOf",
        [{"$ref": "#/components/schemas/Card"}, {"$ref": "#/components/schemas/Invoice"}, {"type": "string"}],
        "MS-C023",
        CONSUMER,
        "MS-C022",
        PRODUCER,
    ),
    Change(
        "field of an alternative", "/components/schemas/Invoice/properties/due", ..., "MS-C012", CONSUMER, "MS-C013", NOBODY
    ),
    # Credentials.
    Change("other credentials", "/security", [{"oauth": []}], "MS-C024", BOTH, "MS-C024", BOTH),
    Change("credentials gone", "/security", [], "MS-C024", PRODUCER, "MS-C024", CONSUMER, "no credentials is enough now"),
    Change(
        "fewer ways in", GET + "/security", [{"key": []}], "MS-C024", CONSUMER, "MS-C024", PRODUCER, "oauth is no longer enough"
    ),
]

IDS = [each.name.replace(" ", "-") for each in CHANGES]
WORST = {CONSUMER: {"error", "warning"}, BOTH: {"error", "warning"}, PRODUCER: {"warning"}, NOBODY: {"note", "warning"}}


@cache
def clean() -> Subject:
    return Subject(CLEAN_FILE)


def differences(ours: Path, theirs: Path) -> list[Record]:
    """What a comparison finds, as the report in JSON tells it; without the checks of either document."""
    one, two = (clean() if path == CLEAN_FILE else Subject(path) for path in (ours, theirs))
    report = Report("check", one.name)
    compare(one, two, report)
    report.finish()
    return list(structured.value(report, "error")["findings"])


def judge(found: list[Record], code: str, breaks: tuple[str, ...], message: str = "") -> None:
    own = [each for each in found if each["code"] == code and message in each["message"]]
    assert own, told(found)
    sides = {side for each in own for side in each["breaks"]}
    assert sides == set(breaks), [(each["message"], each["breaks"]) for each in own]
    for each in own:
        assert each["severity"] in WORST[tuple(each["breaks"])]
        assert each["blame"] == "document"
        assert each["place"]["line"] is not None
        assert each["related"][0]["line"] is not None


@pytest.mark.parametrize("change", CHANGES, ids=IDS)
def test_change_is_found_and_judged_for_both_sides(change: Change, tmp_path: Path) -> None:
    path = written(planted(change.place, change.value), tmp_path)
    judge(differences(path, CLEAN_FILE), change.code, change.breaks, change.message)


@pytest.mark.parametrize("change", CHANGES, ids=IDS)
def test_change_back_is_judged_the_other_way_round(change: Change, tmp_path: Path) -> None:
    path = written(planted(change.place, change.value), tmp_path)
    judge(differences(CLEAN_FILE, path), change.back, change.breaks_back)


def test_every_code_of_comparisons_is_planted() -> None:
    wanted = {code for code in catalogue.entries() if code[3] == "C"}
    assert {code for each in CHANGES for code in (each.code, each.back)} == wanted


@pytest.mark.parametrize("change", CHANGES, ids=IDS)
def test_proposed_patch_takes_the_difference_back(change: Change, tmp_path: Path) -> None:
    document = planted(change.place, change.value)
    for each in differences(written(document, tmp_path), CLEAN_FILE):
        if patch := each["edit"]["patch"]:
            mended = differences(written(apply_patch(document, patch), tmp_path), CLEAN_FILE)
            assert (each["code"], each["message"]) not in [(other["code"], other["message"]) for other in mended]


# What is not a difference.


def test_document_does_not_differ_from_itself() -> None:
    assert told(differences(CLEAN_FILE, CLEAN_FILE)) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (GET + "/summary", "Read an order."),
        (ORDER + "/properties/what/description", "What it is."),
        (ORDER + "/example", {"id": 2}),
        (LIST + "/parameters", list(reversed(CLEAN["paths"]["/orders"]["get"]["parameters"]))),
        (STATE + "/enum", ["sent", "paid", "open"]),
        (ORDER + "/properties/state", {"$ref": "#/components/schemas/State"}),
        (LIMIT + "/schema/format", "int64"),
        (ORDER + "/properties/what/minLength", 0),
        (ORDER + "/properties/what/format", "password"),
        ("/components/schemas/Card/type", ...),
        (ORDER + "/properties/note", {"anyOf": [{"type": "string"}, {"type": "object", "nullable": True, "enum": [None]}]}),
        ("/components/schemas/Unused", {"type": "string"}),
        (GET + "/responses/4XX", {"description": "Refused."}),
        (
            "/components/schemas/Payment/oneOf",
            [{"$ref": "#/components/schemas/Invoice"}, {"$ref": "#/components/schemas/Card"}],
        ),
    ],
    ids=[
        "summary",
        "description",
        "example",
        "order",
        "order-of-values",
        "allOf-of-one",
        "format-within-bounds",
        "no-length",
        "format-that-allows-all",
        "type-that-is-plain",
        "null-as-alternative",
        "unused",
        "range",
        "order-of-alternatives",
    ],
)
def test_what_means_the_same_breaks_nobody(place: str, value: Any, tmp_path: Path) -> None:
    if place.endswith("4XX"):
        value = CLEAN["paths"]["/orders/{id}"]["get"]["responses"]["404"]
    found = differences(written(planted(place, value), tmp_path), CLEAN_FILE)
    assert [each for each in found if each["breaks"] and each["code"] != "MS-C020"] == [], told(found)


def test_schemas_that_are_composed_otherwise_are_the_same(tmp_path: Path) -> None:
    """A reference put in place, and an `allOf` of the parts of an object."""
    order = CLEAN["components"]["schemas"]["Order"]
    names = list(order["properties"])
    parts = [{"type": "object", "properties": {name: order["properties"][name]}} for name in names]
    document = planted(ORDER, {"allOf": [*parts, {"required": ["id"]}]})
    assert told(differences(written(document, tmp_path), CLEAN_FILE)) == []


def test_path_variable_may_have_another_name(tmp_path: Path) -> None:
    text = CLEAN_FILE.read_text().replace("{id}", "{order}").replace("name: id, in: path", "name: order, in: path")
    text = text.replace("parameters: {id: '$response", "parameters: {order: '$response")
    assert told(findings("check", written(text, tmp_path), "--against", CLEAN_FILE)) == []


def test_alternative_that_another_covers_is_not_missing(tmp_path: Path) -> None:
    wide = planted("/components/schemas/Payment/oneOf", [{"$ref": "#/components/schemas/Card"}, {"type": "string"}])
    wide["components"]["schemas"]["Payment"]["oneOf"].append({"type": "string", "maxLength": 5})
    narrow = planted("/components/schemas/Payment/oneOf", [{"$ref": "#/components/schemas/Card"}, {"type": "string"}])
    found = differences(written(narrow, tmp_path), written(wide, tmp_path, "wide.yaml"))
    assert told(found) == []


def test_schemas_in_circles_end(tmp_path: Path) -> None:
    """Two that refer to each other, through alternatives, in both documents."""
    document = planted(
        ORDER + "/properties/parent",
        {"oneOf": [{"$ref": "#/components/schemas/Order"}, {"$ref": "#/components/schemas/Round"}]},
    )
    document["components"]["schemas"]["Round"] = {
        "type": "object",
        "properties": {"back": {"oneOf": [{"$ref": "#/components/schemas/Round"}, {"$ref": "#/components/schemas/Order"}]}},
    }
    path = written(document, tmp_path)
    assert told(differences(path, path)) == []
    assert differences(path, CLEAN_FILE)


def test_shared_schema_is_told_once_for_both_directions(tmp_path: Path) -> None:
    found = differences(written(planted(STATE + "/enum", ["open", "paid"]), tmp_path), CLEAN_FILE)
    assert [each["message"] for each in found] == ['the value "sent" is missing, in requests and responses']


def test_fault_of_one_document_is_not_taken_for_a_difference(tmp_path: Path) -> None:
    broken = planted("/components/responses/Refused", {"$ref": "#/components/responses/Refused"})
    found = differences(CLEAN_FILE, written(broken, tmp_path))
    assert {each["code"] for each in found} == {"MS-C029"}
    assert {each["severity"] for each in found} == {"note"}


# The command.


def test_breaking_consumers_fails_and_breaking_producers_does_only_when_asked(tmp_path: Path) -> None:
    without = written(planted(GET + "/responses/404", ...), tmp_path)
    assert run("check", without, "--against", CLEAN_FILE).exit_code == 0
    assert run("check", without, "--against", CLEAN_FILE, "--fail-on", "warning").exit_code == 1
    gone = written(planted(ADD), tmp_path, "gone.yaml")
    result = run("check", gone, "--against", CLEAN_FILE)
    assert result.exit_code == 1
    assert "breaks: consumer" in result.stdout


def methods(item: Record) -> set[str]:
    return set(item) & set(METHODS)


def test_shipped_document_is_compared_in_seconds(tmp_path: Path) -> None:
    """With a copy in which one operation is gone."""
    document = json.loads(data.DOCUMENT_BUNDLE.read_bytes().partition(b"\n")[2])["document"]
    path = next(each for each in document["paths"] if "post" in document["paths"][each])
    del document["paths"][path]["post"]
    (tmp_path / "published.json").write_text(json.dumps(document))
    started = time.process_time()
    report = Report("check", "shipped")
    compare(Subject(data.DOCUMENT), Subject(tmp_path / "published.json"), report)
    assert time.process_time() - started < 10
    assert [(each.code, each.message) for each in report.findings] == [("MS-C002", f"POST {path} is new")]
    assert report.checked == {"compared operations": sum(len(methods(each)) for each in document["paths"].values())}


@pytest.fixture
def origin() -> Iterator[str]:
    """A server with the clean document, one that answers nothing, and a status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/shop.yaml":
                body = CLEAN_FILE.read_bytes()
                self.send_response(200)
            elif self.path == "/page":
                body = b"<html>hello</html>"
                self.send_response(200)
            else:
                body = b""
                self.send_response(404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_document_of_a_url_is_fetched(origin: str, tmp_path: Path) -> None:
    told_all = findings("check", written(planted(ADD), tmp_path), "--against", f"{origin}/shop.yaml")
    (found,) = [each for each in told_all if each["code"][3] == "C"]
    assert found["code"] == "MS-C001"
    assert found["related"][0]["file"] == f"{origin}/shop.yaml"
    assert CLEAN_FILE.read_text().splitlines()[found["related"][0]["line"] - 1].strip() == "post:"


@pytest.mark.parametrize(
    ("against", "message"),
    [
        ("{origin}/none.yaml", "answers 404"),
        ("{origin}/page", "is not"),
        ("http://127.0.0.1:9/x.yaml", "cannot be fetched"),
        ("ftp://example.com/x.yaml", "only http and https"),
        ("none.yaml", "there is no such file"),
    ],
    ids=["404", "page", "refused", "scheme", "file"],
)
def test_document_that_cannot_be_compared_with_is_2(against: str, message: str, origin: str) -> None:
    result = run("check", CLEAN_FILE, "--against", against.format(origin=origin))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_server_that_does_not_answer_is_2_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run("check", CLEAN_FILE, "--against", f"http://127.0.0.1:{silent.getsockname()[1]}/", "--timeout", "0.2")
    assert result.exit_code == 2
    assert "did not answer within 0.2 s" in result.stderr
