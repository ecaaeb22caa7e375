"""Defects in a service: each is found by `mockserver fuzz`, with the calls that show it and the service to blame."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mockserver.values import Record
from tests.defects.planting import run
from tests.defects.shelf import CREDENTIALS, DOCUMENT, KEY, served

BOUNDS = ("--seed", "20261", "--max-seconds", "60", "--cases-per-operation", "3", "--steps", "5")
SINGLE = ("--phase", "examples", "--phase", "coverage")
SEQUENCES = (
    "--phase",
    "stateful",
    "--cases-per-operation",
    "12",
    "--check",
    "response_schema_conformance",
    "--check",
    "use_after_free",
    "--check",
    "ensure_resource_availability",
)


@dataclass(frozen=True)
class Planted:
    """One defect: the code and the operation that it must be found at, and the options that keep the campaign small."""

    defect: str
    code: str
    operation: str
    options: tuple[str, ...]
    message: str


PLANTED = [
    Planted("status", "MS-F002", "addBook", SINGLE, "status 200 is not documented"),
    Planted("missing field", "MS-F005", "getBook", SEQUENCES, "body/title is required"),
    Planted("wrong type", "MS-F005", "getBook", SEQUENCES, "body/id must be integer, not string"),
    Planted("media type", "MS-F003", "listBooks", SINGLE, "text/html is not documented"),
    Planted("half a body", "MS-F005", "listBooks", SINGLE, "body is no JSON"),
    Planted("no Location", "MS-F004", "addBook", SINGLE, "header/location is required"),
    Planted("fails", "MS-F001", "addBook", SINGLE, "was answered 500"),
    Planted("use after delete", "MS-F011", "getBook", SEQUENCES, "was answered 200, not 404 or 410"),
    Planted("forgets", "MS-F012", "deleteBook", SEQUENCES, "was answered 404"),
    Planted("accepts anything", "MS-F006", "listBooks", SINGLE, "was answered 200, not 400"),
    Planted("refuses the limit", "MS-F007", "listBooks", SINGLE, "was answered 400"),
    Planted("header not asked for", "MS-F008", "listBooks", SINGLE, "was answered 200"),
    Planted("no Allow", "MS-F009", "addBook", SINGLE, "without the header allow"),
    Planted("Allow", "MS-F010", "addBook", SINGLE, "Allow: GET"),
    Planted("open door", "MS-F013", "listBooks", ("--phase", "examples", "--check", "ignored_auth"), "not 401 or 403"),
    Planted("slow", "MS-F015", "listBooks", ("--phase", "examples", "--max-response-time", "0.05"), "took longer than 0.05 s"),
    Planted("hangs up", "MS-F016", "deleteBook", SINGLE, "was not answered"),
]


def campaign(defect: str, *options: str, document: Path = DOCUMENT) -> list[Record]:
    """What a campaign finds in the service; its status must be that of the report."""
    with served(defect) as url:
        done = run("fuzz", url, document, *CREDENTIALS, *BOUNDS, *options, "--report", "json")
    report = json.loads(done.stdout)
    assert report["status"] == done.exit_code
    assert report["checked"]["cases"] > 0
    return list(report["findings"])


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.defect)
def test_defect_is_found(planted: Planted) -> None:
    found = campaign(planted.defect, *planted.options)

    mine = [each for each in found if (each["code"], each["operation"]) == (planted.code, planted.operation)]
    assert len(mine) == 1, [(each["code"], each["operation"], each["message"]) for each in found]
    assert planted.message in mine[0]["message"]
    assert mine[0]["blame"] == "service"
    assert mine[0]["evidence"]["shown_again"]
    assert KEY not in json.dumps(found)


def test_clean_service_is_clean() -> None:
    assert campaign("") == []


def test_finding_is_minimal() -> None:
    """What does not matter is gone: the read before the deletion, the kind of the book, the default headers."""
    (found,) = [each for each in campaign("use after delete", *SEQUENCES) if each["code"] == "MS-F011"]
    steps = found["evidence"]["steps"]
    assert [step["operation"] for step in steps] == ["POST /books", "DELETE /books/{id}", "GET /books/{id}"]
    assert list(json.loads(steps[0]["body"])) == ["title"]
    assert [name.lower() for name, _ in steps[2]["headers"]] == ["x-shelf-key"]


def test_deletion_that_only_changes_a_record_is_none(tmp_path: Path) -> None:
    """The document says so: the books that are gone may be read."""
    document = tmp_path / "shelf.yaml"
    text = DOCUMENT.read_text(encoding="utf-8")
    document.write_text(text.replace("operationId: deleteBook\n", "operationId: deleteBook\n      x-resource: {role: act}\n"))
    assert "MS-F011" in {each["code"] for each in campaign("use after delete", *SEQUENCES)}
    assert "MS-F011" not in {each["code"] for each in campaign("use after delete", *SEQUENCES, document=document)}


def test_line_of_curl_shows_the_finding() -> None:
    with served("fails") as url:
        done = run("fuzz", url, DOCUMENT, *CREDENTIALS, *BOUNDS, *SINGLE, "--operation", "addBook", "--report", "json")
        (found,) = [each for each in json.loads(done.stdout)["findings"] if each["code"] == "MS-F001"]
        (line,) = found["evidence"]["curl"]
        shown = subprocess.run(
            line, shell=True, capture_output=True, text=True, env=os.environ | {"X_SHELF_KEY": KEY}, check=True
        )
    assert shown.stdout.startswith("HTTP/1.1 500")


@pytest.mark.parametrize("mended", [False, True], ids=["defective", "mended"])
def test_module_of_tests_fails_until_the_service_is_mended(mended: bool, tmp_path: Path) -> None:
    module = tmp_path / "test_found.py"
    with served("missing field") as url:
        run("fuzz", url, DOCUMENT, *CREDENTIALS, *BOUNDS, *SEQUENCES, "--tests", module)
    assert KEY not in module.read_text(encoding="utf-8")
    with served("" if mended else "missing field") as url:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(module)]
        environment = os.environ | {"SERVICE_URL": url, "X_SHELF_KEY": KEY}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert ("1 passed" if mended else "1 failed") in done.stdout, done.stdout


@pytest.mark.parametrize("mended", [False, True], ids=["defective", "mended"])
def test_replay_of_a_report_sends_it_again(mended: bool, tmp_path: Path) -> None:
    report = tmp_path / "found.json"
    with served("use after delete") as url:
        run("fuzz", url, DOCUMENT, *CREDENTIALS, *BOUNDS, *SEQUENCES, "--report", f"json={report}")
    with served("" if mended else "use after delete") as url:
        done = run("fuzz", url, DOCUMENT, *CREDENTIALS, "--replay", report)
    assert done.exit_code == (0 if mended else 1)
    assert f"shown again: {0 if mended else 1} of 1" in done.stdout
