"""`mockserver recording`: stubs, fixtures and archives made of traffic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from mockserver.app import App, Settings
from mockserver.cli import main
from mockserver.traffic.exchange import note_of
from mockserver.values import Record
from tests.conftest import Client
from tests.defects.test_traffic import CRATE, DEPOT, NEW, ORIGIN, REFUSED, adding, crates, entry, reading

LIBRARY = Path(__file__).parent.parent.parent / "docs" / "examples" / "other_api.yaml"


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["recording", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def traffic(folder: Path, *entries: Record) -> Path:
    file = folder / "traffic.har"
    file.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8")
    return file


def stubs(folder: Path, *entries: Record) -> list[Any]:
    result = run(traffic(folder, *entries), DEPOT, "--as", "stubs")
    assert result.exit_code == 0, result.stderr
    mappings: list[Any] = json.loads(result.stdout)["mappings"]
    return mappings


# Stubs.


def test_stub_waits_for_the_call_and_answers_as_it_was_answered(tmp_path: Path) -> None:
    (made,) = stubs(tmp_path, adding())
    assert made["request"] == {"method": "POST", "urlPath": "/v2/crates", "bodyPatterns": [{"equalToJson": NEW}]}
    assert made["response"] == {"status": 201, "headers": {"content-type": "application/json"}, "jsonBody": CRATE}
    assert made["metadata"]["recorded"].endswith("traffic.har#/log/entries/0")
    assert "off_contract" not in made


def test_stub_waits_for_the_query(tmp_path: Path) -> None:
    (made,) = stubs(tmp_path, crates("/crates?site=north%20end&limit=5"))
    assert made["request"]["queryParameters"] == {"site": {"equalTo": "north end"}, "limit": {"equalTo": "5"}}


def test_stub_takes_any_secret(tmp_path: Path) -> None:
    (made,) = stubs(tmp_path, adding({**NEW, "lock": "a lock for tests"}))
    assert made["request"]["bodyPatterns"][0]["equalToJson"]["lock"] == "${json-unit.ignore}"


def test_answers_that_change_are_a_scenario(tmp_path: Path) -> None:
    mappings = stubs(tmp_path, reading(), reading(), reading(REFUSED, 404))
    assert [each["response"]["status"] for each in mappings] == [200, 404]
    assert [each["requiredScenarioState"] for each in mappings] == ["Started", "2"]
    assert mappings[0]["newScenarioState"] == "2"
    assert "newScenarioState" not in mappings[1]


@pytest.mark.parametrize("broken", [reading({"id": 1}), adding(status=202), entry(path="/pallets", answered=[])])
def test_stub_that_breaks_the_document_says_so(broken: Record, tmp_path: Path) -> None:
    assert stubs(tmp_path, broken)[0]["off_contract"] is True


def test_call_that_the_mock_would_refuse_has_no_stub(tmp_path: Path) -> None:
    result = run(traffic(tmp_path, adding({"weight": -1}), adding()), DEPOT, "--as", "stubs")
    assert len(json.loads(result.stdout)["mappings"]) == 1
    assert "the document refuses the request" in result.stderr


def test_stubs_answer_in_a_server_as_the_service_did(tmp_path: Path) -> None:
    file = tmp_path / "stubs.json"
    calls = [
        reading(),
        reading({**CRATE, "weight": 9}),
        crates(),
        adding(),
        reading({"id": 1}),
        entry("DELETE", "/crates/1", 204),
    ]
    assert run(traffic(tmp_path, *calls), DEPOT, "--as", "stubs", "--output", file).exit_code == 0

    client = Client(App(Settings(document=DEPOT, stubs=(file,))), headers={"x-depot-pass": "any"})

    assert [client.get("/v2/crates/1").json() for _ in range(4)] == [CRATE, {**CRATE, "weight": 9}, {"id": 1}, {"id": 1}]
    assert client.get("/v2/crates?site=north").json() == [CRATE]
    assert client.post("/v2/crates", NEW).json() == CRATE
    assert client.delete("/v2/crates/1").status_code == 204
    checked = CliRunner().invoke(main, ["check", str(DEPOT), "--stubs", str(file), "--report", "json"])
    assert [each for each in json.loads(checked.stdout)["findings"] if each["code"] in STUBS] == []


STUBS = {f"MS-X{number:03}" for number in range(9, 15)}


# Fixtures.


def library(folder: Path) -> Path:
    """What a library's client did, as the mock's own journal has it."""
    client = Client(App(Settings(document=LIBRARY)), headers={"x-library-card": "any"})
    for title in ("Emma", "Persuasion", "Sanditon"):
        assert client.post("/api/books", {"title": title, "author": "Jane Austen"}).status_code < 300
    books = client.get("/api/books").json()["data"]
    ids = {each["title"]: each["id"] for each in books}
    client.delete(f"/api/books/{ids['Sanditon']}")
    changed = client.call("PATCH", f"/api/books/{ids['Emma']}", {"title": "Emma, a novel"})
    assert changed.status_code == 200, changed.text
    file = folder / "library.har"
    file.write_bytes(client.get("/__admin/requests/har").content)
    return file


def test_fixture_is_the_last_state_that_was_seen(tmp_path: Path) -> None:
    result = run(library(tmp_path), LIBRARY, "--as", "fixture", "--output", tmp_path / "seen.yaml")
    assert result.exit_code == 0, result.stderr

    client = Client(App(Settings(document=LIBRARY, fixture=str(tmp_path / "seen.yaml"))), headers={"x-library-card": "any"})

    assert {each["title"] for each in client.get("/api/books").json()["data"]} == {"Emma, a novel", "Persuasion"}


def test_fixture_of_the_shipped_document_seeds_a_world(client: Client, tmp_path: Path) -> None:
    for path in ("/v1/admin/users", "/v1/admin/workspaces", "/v1/integrations", "/v1/providers", "/v1/api-keys"):
        assert client.get(path).status_code == 200
    slugs = [each["slug"] for each in client.get("/v1/configs").json()["data"]]
    for slug in slugs:
        client.get(f"/v1/configs/{slug}")
    (tmp_path / "a.har").write_bytes(client.get("/__admin/requests/har").content)

    result = run(tmp_path / "a.har", "--as", "fixture", "--output", tmp_path / "seen.yaml")
    assert result.exit_code == 0, result.stderr

    seeded = Client(App(Settings(fixture=str(tmp_path / "seen.yaml"))))
    for path, field in (("/v1/admin/users", "email"), ("/v1/admin/workspaces", "slug"), ("/v1/integrations", "slug")):
        assert {each[field] for each in seeded.get(path).json()["data"]} == {
            each[field] for each in client.get(path).json()["data"]
        }, result.stderr
    names = {each["name"] for each in seeded.get("/v1/api-keys").json()["data"]}
    assert names >= {"Production service", "Research service", "Log reader", "Dara"}
    assert yaml.safe_load((tmp_path / "seen.yaml").read_text()).keys() <= {
        "users", "workspaces", "integrations", "providers", "guardrails", "configs", "api_keys"
    }  # fmt: skip


def test_what_a_fixture_cannot_hold_is_told(client: Client, tmp_path: Path) -> None:
    client.get("/v1/admin/users")
    assert client.post("/v1/collections", {"name": "Tides", "workspace_id": "ws-produc-71b04e"}).status_code == 200
    client.get("/v1/collections?workspace_id=ws-produc-71b04e")
    (tmp_path / "a.har").write_bytes(client.get("/__admin/requests/har").content)
    result = run(tmp_path / "a.har", "--as", "fixture")
    assert "of collections: a fixture has no section for them" in result.stderr


# Archives.


def test_archive_tells_the_same_without_secrets(tmp_path: Path) -> None:
    file = traffic(tmp_path, adding({**NEW, "lock": "a lock for tests"}), reading({"id": 1}))
    assert run(file, DEPOT, "--as", "har", "--output", tmp_path / "one.har").exit_code == 0
    reports = []
    for each in (file, tmp_path / "one.har"):
        result = CliRunner().invoke(main, ["verify", str(each), str(DEPOT), "--report", "json"])
        reports.append([(found["code"], found["place"]["pointer"]) for found in json.loads(result.stdout)["findings"]])
    assert reports[0] == reports[1]
    assert "a lock for tests" not in (tmp_path / "one.har").read_text()
    assert ORIGIN in (tmp_path / "one.har").read_text()


@pytest.mark.parametrize("form", ["stubs", "fixture"])
def test_nothing_to_be_made_is_2_and_told(form: str, tmp_path: Path) -> None:
    result = run(traffic(tmp_path), DEPOT, "--as", form)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("ending", "note"),
    [
        ("whole", ""),
        ("cut", "the connection ended early (cut)"),
        ("spoilt", "a fault made the body unreadable"),
    ],
)
def test_ending_of_a_call_is_noted(ending: str, note: str) -> None:
    assert note_of(ending) == note
