"""What traffic touched: collected from servers, files and campaigns, measured, told."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.app import App, Settings
from mockserver.coverage.collecting import Call, Collector
from mockserver.coverage.items import KINDS
from mockserver.coverage.measuring import Hole, measure
from mockserver.fuzz import campaign
from mockserver.fuzz import command as fuzz_command
from mockserver.surveying import command
from mockserver.surveying.gathering import collector
from tests.conftest import DOCUMENTS, Client
from tests.defects.planting import run
from tests.defects.shelf import CREDENTIALS, DOCUMENT, served

KEY = {"x-shelf-key": "k", "x-tenant": "north"}
JSON = {"content-type": "application/json"}


@pytest.fixture
def shelf() -> Collector:
    return collector(DOCUMENT, None)


def call(
    method: str, url: str, status: int, reply: Any = None, body: Any = None, headers: dict[str, str] | None = None, **gaps: bool
) -> Call:
    sent = b"" if body is None else json.dumps(body).encode()
    told = {**KEY, **(JSON if sent else {})} if headers is None else headers
    return Call(method, url, told, sent, status, JSON if reply is not None else {}, json.dumps(reply).encode(), **gaps)


def names(collected: Collector, kind: str, operation: str) -> set[str]:
    seen = (key.split("\t") for key in collected.operations[operation].seen)
    return {name for its_kind, _, name in seen if its_kind == kind}


def hole(collected: Collector, operation: str, kind: str, name: str) -> Hole:
    (found,) = [
        each
        for one in measure(collected).operations
        for each in one.holes
        if (each.operation, each.item.kind, each.item.name) == (operation, kind, name)
    ]
    return found


def test_request_touches_parameters_values_and_fields(shelf: Collector) -> None:
    shelf.take(call("POST", "/v1/books", 201, {"id": 1, "title": "Emma"}, {"title": "Emma", "kind": "novel"}))
    assert names(shelf, "parameters", "POST /books") == {"header x-tenant"}
    assert names(shelf, "parameter values", "POST /books") == {"north"}
    assert names(shelf, "request fields", "POST /books") == {"title", "kind"}
    assert names(shelf, "request values", "POST /books") == {"novel"}
    assert names(shelf, "request media types", "POST /books") == {"application/json"}


def test_reply_touches_statuses_media_types_and_fields(shelf: Collector) -> None:
    shelf.take(call("GET", "http://shop.example/v1/books?limit=5", 200, {"data": [{"id": 1, "title": "a", "kind": "poems"}]}))
    assert names(shelf, "statuses", "GET /books") == {"200"}
    assert names(shelf, "response media types", "GET /books") == {"200 application/json"}
    assert names(shelf, "response fields", "GET /books") == {"data", "id", "title", "kind"}
    assert names(shelf, "response values", "GET /books") == {"poems"}


def test_optional_parameter_is_touched_by_its_absence(shelf: Collector) -> None:
    shelf.take(call("GET", "/v1/books", 200, {"data": []}))
    assert names(shelf, "parameters left out", "GET /books") == {"query limit"}
    assert "query limit" not in names(shelf, "parameters", "GET /books")


def test_refused_request_touches_only_its_answer(shelf: Collector) -> None:
    shelf.take(call("POST", "/v1/books", 400, {"message": "no"}, {"title": ""}))
    assert names(shelf, "request fields", "POST /books") == set()
    assert names(shelf, "statuses", "POST /books") == {"400"}
    assert hole(shelf, "POST /books", "request fields", "title").reason == "it stood only in calls that were refused"


def test_credentials_are_touched_by_calls_that_were_taken(shelf: Collector) -> None:
    shelf.take(call("GET", "/v1/books/1", 401, {"message": "no"}))
    assert names(shelf, "credentials", "GET /books/{id}") == set()
    shelf.take(call("GET", "/v1/books/1", 200, {"id": 1, "title": "a"}))
    assert names(shelf, "credentials", "GET /books/{id}") == {"key"}


REASONS = [
    ("never called", [], "DELETE /books/{id}", "statuses", "204", "the operation was never called"),
    ("no such status", [("GET", 200)], "GET /books/{id}", "statuses", "404", "no call was answered 404"),
    ("field of no answer", [("GET", 404)], "GET /books/{id}", "response fields", "pages", "no call was answered 200"),
    ("field not answered", [("GET", 200)], "GET /books/{id}", "response fields", "pages", "no answer had it"),
    ("value not answered", [("GET", 200)], "GET /books/{id}", "response values", "essays", "no answer had it"),
]


@pytest.mark.parametrize(
    ("calls", "operation", "kind", "name", "reason"), [row[1:] for row in REASONS], ids=[r[0] for r in REASONS]
)
def test_hole_has_a_reason(shelf: Collector, calls: Any, operation: str, kind: str, name: str, reason: str) -> None:
    for method, status in calls:
        shelf.take(call(method, "/v1/books/1", status, {"id": 1, "title": "a"} if status == 200 else {"message": "no"}))
    found = hole(shelf, operation, kind, name)
    assert found.reason == reason
    assert found.suggestion.startswith(f"call {operation}")


def test_cut_body_is_the_reason_of_what_was_not_seen(shelf: Collector) -> None:
    shelf.take(call("GET", "/v1/books/1", 200, {"id": 1}, reply_gap=True))
    assert "cut off" in hole(shelf, "GET /books/{id}", "response fields", "title").reason


def test_alternative_that_was_never_chosen_is_the_reason_of_its_fields() -> None:
    made = collector(DOCUMENTS / "shop.yaml", None)
    order = {"id": 1, "payment": {"kind": "card", "digits": "1"}}
    made.take(Call("GET", "/v1/orders/1", {}, b"", 200, JSON, json.dumps(order).encode()))
    assert "digits" in names(made, "response fields", "GET /orders/{id}")
    assert "alternative that was never answered" in hole(made, "GET /orders/{id}", "response fields", "due").reason


def test_field_that_a_side_cannot_send_does_not_count() -> None:
    made = collector(DOCUMENTS / "shop.yaml", None)
    value = yaml.safe_load((DOCUMENTS / "shop.yaml").read_text(encoding="utf-8"))
    assert value["components"]["schemas"]["NewOrder"]["properties"]["card"]["writeOnly"]
    found = [each for one in measure(made).operations for each in one.holes if each.excluded]
    assert all("readOnly" in each.reason or "writeOnly" in each.reason for each in found)


def test_scopes_are_allowed_and_refused(shared_app: App) -> None:
    made = collector(None, None)
    for status in (200, 403):
        made.take(Call("GET", "/v1/configs", {"x-portkey-api-key": "k"}, b"", status, {}, b""))
    assert names(made, "scopes", "GET /configs") == {"configs.list: allowed", "configs.list: refused"}


def test_merged_is_what_one_would_have_seen(shelf: Collector) -> None:
    calls = [call("GET", "/v1/books", 200, {"data": []}), call("GET", "/v1/books/1", 404, {"message": "no"})]
    other = collector(DOCUMENT, None)
    merged = collector(DOCUMENT, None)
    for at, each in enumerate(calls):
        (shelf, other)[at].take(each)
        merged.take(each)
    shelf.merge(other.touched())
    assert shelf.touched() == merged.touched()


def test_server_tells_its_coverage(client: Client) -> None:
    client.get("/v1/configs")
    told = client.get("/__admin/coverage?holes=true").json()
    assert told["calls"] == 1
    assert told["operations"]["GET /configs"]["statuses"] == {"200": 1}
    assert 0 < told["kinds"]["operations"]["percent"] < 1
    assert any(each["reason"] == "the operation was never called" for each in told["holes"])


@pytest.fixture
def books() -> Client:
    """The mock of a small document, which is quick to measure."""
    return Client(App(Settings(document=DOCUMENT)), headers=KEY)


def test_server_looks_at_new_calls_and_forgets_removed_ones(books: Client) -> None:
    for count in (1, 2):
        books.get("/v1/books")
        assert books.get("/__admin/coverage").json()["calls"] == count
    books.call("DELETE", "/__admin/requests")
    assert books.get("/__admin/coverage").json()["calls"] == 0


@pytest.mark.parametrize("source", ["har", "requests", "coverage"])
def test_every_source_says_the_same(source: str, books: Client, tmp_path: Path) -> None:
    books.post("/v1/books", {"title": "Emma", "kind": "novel"})
    books.get("/v1/books?limit=1")
    path = {"har": "requests/har", "requests": "requests", "coverage": "coverage"}[source]
    file = tmp_path / "traffic.json"
    file.write_bytes(books.get(f"/__admin/{path}").content)
    out = tmp_path / "measure.json"
    done = run("coverage", file, "--document", DOCUMENT, "--json", out, "--report", "json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(out.read_bytes())
    assert told["calls"] == 2
    live = books.get("/__admin/coverage").json()["operations"]
    for name in ("GET /books", "POST /books"):
        assert told["operations"][name]["seen"] == live[name]["seen"]


def measured(tmp_path: Path, *options: str, calls: int = 1) -> tuple[int, dict[str, Any]]:
    made = collector(DOCUMENT, None)
    for _ in range(calls):
        made.take(call("GET", "/v1/books", 200, {"data": []}))
    file = tmp_path / "touched.json"
    file.write_text(json.dumps(made.touched()), encoding="utf-8")
    done = run("coverage", file, "--document", DOCUMENT, *options, "--report", "json")
    return done.exit_code, json.loads(done.stdout or "{}")


def test_threshold_that_is_met_is_green(tmp_path: Path) -> None:
    status, report = measured(tmp_path, "--fail-under", "25", "--only", "operations")
    assert status == 0
    assert report["facts"]["operations"] == "25.0 % (1 of 4)"


def test_threshold_that_is_missed_is_not(tmp_path: Path) -> None:
    status, report = measured(tmp_path, "--fail-under", "25.1", "--only", "operations")
    assert status == 1
    assert [each["code"] for each in report["findings"] if each["severity"] == "error"] == ["MS-U001"]


def test_nothing_touched_is_never_green(tmp_path: Path) -> None:
    status, report = measured(tmp_path, "--fail-under", "0", calls=0)
    assert (status, report["verdict"]) == (2, "nothing checked")


def test_traffic_of_other_paths_is_never_green(tmp_path: Path) -> None:
    made = collector(DOCUMENT, None)
    made.take(call("GET", "/elsewhere", 200, {}))
    file = tmp_path / "touched.json"
    file.write_text(json.dumps(made.touched()), encoding="utf-8")
    done = run("coverage", file, "--document", DOCUMENT)
    assert done.exit_code == 2
    assert "MS-U004" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "is no recorded traffic"),
        ("{", "is not valid JSON"),
        ('{"log": {"entries": [{}]}}', "/log/entries/0: the entry is no HAR entry"),
        ('{"form": "mockserver-coverage", "version": 9}', "version 9"),
        ('{"form": "mockserver-coverage", "version": 1, "document": {"title": "Other"}}', "is of 'Other'"),
    ],
)
def test_what_is_no_traffic_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "traffic.json"
    file.write_text(text, encoding="utf-8")
    done = run("coverage", file, "--document", DOCUMENT)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr


class Outline(HTMLParser):
    """What a page loads or runs."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.foreign += [tag for name, _ in attrs if name in ("src", "href", "onclick")] + [tag] * (tag in ("script", "link"))


def test_page_stands_alone_and_escapes(tmp_path: Path) -> None:
    page = tmp_path / "coverage.html"
    made = collector(DOCUMENT, None)
    made.take(call("GET", "/v1/books", 200, {"data": []}))
    made.take(call("GET", "/<script>alert(1)</script>", 404))
    file = tmp_path / "touched.json"
    file.write_text(json.dumps(made.touched()), encoding="utf-8")
    run("coverage", file, "--document", DOCUMENT, "--html", page)
    text = page.read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(text)
    assert outline.foreign == []
    assert "GET /books" in text
    assert "&lt;script&gt;" in text


def test_campaign_writes_what_it_touched(tmp_path: Path) -> None:
    """Two workers are one: what they touched is added up."""
    file = tmp_path / "touched.json"
    with served() as url:
        bounds = (
            "--phase",
            "examples",
            "--phase",
            "stateful",
            "--cases-per-operation",
            "4",
            "--max-seconds",
            "10",
            "--seed",
            "5",
        )
        fuzzed = run("fuzz", url, DOCUMENT, *CREDENTIALS, *bounds, "--workers", "2", "--coverage", file)
    assert fuzzed.exit_code == 0, fuzzed.output
    done = run("coverage", file, "--document", DOCUMENT, "--only", "operations", "--fail-under", "100")
    assert done.exit_code == 0, done.stdout


def test_campaign_over_the_shipped_document_touches_scopes(tmp_path: Path) -> None:
    file = tmp_path / "touched.json"
    asked = ("--operation", "listConfigs", "--phase", "examples", "--phase", "coverage", "--check", "not_a_server_error")
    run("fuzz", *asked, "--cases-per-operation", "1", "--seed", "1", "--coverage", file)
    done = run("coverage", file, "--only", "scopes", "--report", "json")
    assert json.loads(done.stdout)["facts"]["touched"].endswith("% (2 of 520)")


def test_command_lines_know_what_there_is() -> None:
    assert command._KINDS == KINDS
    assert fuzz_command._CHECKS == campaign.CHECKS
    assert fuzz_command._PHASES == campaign.PHASES


def test_app_of_another_document_tells_its_coverage() -> None:
    """Scopes that the document names are among it."""
    app = App(Settings(document=DOCUMENTS / "shop.yaml"))
    client = Client(app, headers={"x-shop-key": "k"})
    client.get("/v1/orders/1")
    told = client.get("/__admin/coverage").json()
    assert told["kinds"]["scopes"]["total"] == 2
