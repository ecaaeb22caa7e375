"""`mockserver fuzz` as a command: what it takes, what bounds it, what it leaves.

What it finds: tests/defects/test_services.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mockserver.contract.contract import Contract
from mockserver.contract.loading import load_document
from mockserver.fuzz.links import add_links
from mockserver.fuzz.replaying import Service
from mockserver.values import Record
from tests.conftest import DOCUMENTS
from tests.defects.planting import run
from tests.defects.shelf import CREDENTIALS, DOCUMENT, KEY, served

LIBRARY = Path(__file__).parent.parent / "docs" / "examples" / "other_api.yaml"
SMALL = ("--seed", "9", "--max-seconds", "60", "--cases-per-operation", "2", "--steps", "3")


def report(done: Result) -> Record:
    found = json.loads(done.stdout)
    assert found["status"] == done.exit_code
    return dict(found)


def fuzzed(*arguments: Any) -> Record:
    return report(run("fuzz", *arguments, "--report", "json"))


def test_mock_of_any_document_keeps_it() -> None:
    found = fuzzed(LIBRARY, *SMALL)
    assert found["verdict"] == "kept"
    assert found["checked"]["operations"] == 5
    assert found["checked"]["cases"] > 50


def test_seed_is_told_and_sends_the_same_again() -> None:
    first = fuzzed(LIBRARY, *SMALL, "--phase", "coverage")
    second = fuzzed(LIBRARY, *SMALL[2:], "--phase", "coverage", "--replay", first["facts"]["seed"])
    assert first["facts"] == second["facts"]
    assert first["checked"] == second["checked"]


def test_workers_test_what_one_would() -> None:
    found = fuzzed(LIBRARY, *SMALL, "--phase", "coverage", "--workers", "2")
    assert found["checked"]["operations"] == 5
    assert found["facts"]["workers"] == "2"


def test_limit_of_cases_is_kept() -> None:
    found = fuzzed(LIBRARY, *SMALL, "--max-cases", "25")
    assert 10 <= found["checked"]["cases"] <= 30  # a case that is on its way is finished, and so are its probes
    assert found["facts"]["stopped by"] == "the limit of cases"


def test_limit_of_time_is_kept() -> None:
    found = fuzzed(LIBRARY, "--seed", "9", "--max-seconds", "0.5", "--cases-per-operation", "5000")
    assert found["facts"]["stopped by"] == "the limit of time"
    assert found["duration_s"] < 8


def test_only_chosen_operations_are_called() -> None:
    chosen = ("--operation", "* /books/{id}", "--exclude-operation", "removeBook")
    found = fuzzed(LIBRARY, *SMALL, "--phase", "coverage", *chosen)
    assert found["checked"]["operations"] == 2


def test_run_that_tests_nothing_is_never_green() -> None:
    """No operation of the document has an example."""
    found = fuzzed(LIBRARY, *SMALL, "--phase", "examples", "--operation", "removeBook", "--check", "ignored_auth")
    assert (found["status"], found["verdict"]) == (2, "nothing checked")


def test_credentials_are_shown_when_asked_for(tmp_path: Path) -> None:
    module = tmp_path / "test_found.py"
    with served("fails") as url:
        asked = ("--phase", "coverage", "--operation", "addBook", "--show-secrets", "--tests", module)
        found = fuzzed(url, DOCUMENT, *CREDENTIALS, *SMALL, *asked)
    assert KEY in json.dumps(found)
    assert KEY in module.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("http://a.example", "http://b.example"), "one URL and one document at most"),
        ((LIBRARY, DOCUMENT), "one URL and one document at most"),
        ((LIBRARY, "--operation", "removeBok"), "there is no operation 'removeBok'; near it: removeBook"),
        ((LIBRARY, "--exclude-operation", "*"), "no operation is left to test"),
        ((LIBRARY, "--phase", "wild"), "'wild' is not one of"),
        ((LIBRARY, "--check", "taste"), "'taste' is not one of"),
        ((LIBRARY, "-H", "no colon"), "is no header"),
        ((LIBRARY, "-H", "a: b\nc: d"), "has a line break"),
        ((LIBRARY, "--workers", "0"), "is not in the range"),
        ((LIBRARY, "--replay", "nowhere.json"), "No such file"),
        ((LIBRARY, "--admin"), "--admin takes neither a URL, nor a document"),
        (("nowhere.yaml",), "nowhere.yaml: there is no such file"),
        (("http://127.0.0.1:9/v1", LIBRARY), "cannot be reached"),
        ((LIBRARY, "--colour"), "No such option"),
    ],
)
def test_wrong_use_is_one_line(arguments: tuple[Any, ...], said: str) -> None:
    done = run("fuzz", *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert said in done.stderr.splitlines()[-1], done.stderr


def test_file_that_is_no_report_is_not_replayed(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    file.write_text('{"findings": [{}]}', encoding="utf-8")
    done = run("fuzz", LIBRARY, "--replay", file)
    assert done.exit_code == 2
    assert "it is no report of `mockserver fuzz` in JSON" in done.stderr


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schemathesis is in an extra."""
    for name in [name for name in sys.modules if name.startswith(("mockserver.fuzz.", "schemathesis"))]:
        if name != "mockserver.fuzz.command":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("mockserver.fuzz.runs", raising=False)
    monkeypatch.setitem(sys.modules, "schemathesis", None)
    done = run("fuzz", LIBRARY)
    assert (done.exit_code, done.stderr) == (
        2,
        "mockserver: fuzzing needs schemathesis; install it by `pip install 'mockserver[fuzz]'`\n",
    )


def test_links_follow_from_resources() -> None:
    document = load_document(LIBRARY).document
    operations = Contract(document).operations
    count = add_links(document, operations)
    made = document["paths"]["/books"]["post"]["responses"]["201"]["links"]
    assert made["create_get_book"] == {
        "operationRef": "#/paths/~1books~1{id}/get",
        "parameters": {"path.id": "$response.body#/id"},
    }
    assert document["paths"]["/books/{id}"]["delete"]["responses"]["204"]["links"]["delete_get_book"]["parameters"] == {
        "path.id": "$request.path.id"
    }
    assert count == 9


def test_links_of_the_document_are_enough() -> None:
    document = load_document(DOCUMENTS / "shop.yaml").document
    add_links(document, Contract(document).operations)
    assert list(document["paths"]["/orders"]["post"]["responses"]["201"]["links"]) == ["read"]


def test_mock_in_process_can_be_tested_by_what_was_written() -> None:
    service = Service(str(LIBRARY))
    made = service.call(
        "POST /books", "POST", "/books", {"x-library-card": "a", "content-type": "application/json"}, b'{"title": "E"}'
    )
    answer = service.call("GET /books/{id}", "GET", "/books/7", {"x-library-card": "a"}, takes={"7": made.at("/id")})
    assert answer.status == 200
    assert service.broken("GET /books/{id}", answer, contract=True) == ""
    assert service.broken("GET /books/{id}", answer, ("404",)) == "was answered 200, not 404"


def test_mock_keeps_a_document_that_requires_headers() -> None:
    """Found by fuzzing: the stub that makes a record left out the `Location` that its document requires."""
    found = fuzzed(DOCUMENTS / "shelf.yaml", *SMALL)
    assert found["findings"] == []


def test_mock_is_to_blame_without_a_url(tmp_path: Path) -> None:
    """What its document promises cannot be answered by anybody."""
    file = tmp_path / "shelf.yaml"
    text = (DOCUMENTS / "shelf.yaml").read_text(encoding="utf-8")
    book = "properties:\n        id: {type: integer}\n        title: {type: string}"
    assert book in text
    file.write_text(
        text.replace(book, book.replace("type: string", "type: string, minLength: 3, maxLength: 2")), encoding="utf-8"
    )
    found = fuzzed(file, *SMALL, "--phase", "examples", "--operation", "addBook")
    assert {(each["code"], each["blame"]) for each in found["findings"]} == {("MS-F001", "mock")}
