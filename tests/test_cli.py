"""The commands that look at a document: what stubs its operations get, and what is wrong with it."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from mockserver import data
from mockserver.app import App
from mockserver.values import Record
from tests.conftest import DOCUMENTS
from tests.defects.planting import CLEAN, GET, ORDER, planted, run, written

# check: the command.


def test_check_of_the_shipped_document_finds_nothing(shared_app: App) -> None:
    result = run("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"openapi.yaml: kept; checked {len(shared_app.contract.operations)} operations, " in result.stdout
    assert f", {len(data.fixture_names())} fixtures; 0 errors, 0 warnings, " in result.stdout


def test_check_of_a_clean_document_is_0(tmp_path: Path) -> None:
    path = written(CLEAN, tmp_path)
    result = run("check", path)
    assert result.exit_code == 0
    assert result.stdout == (
        f"{path}: kept; checked 3 operations, 31 schemas, 7 examples, 1 links, 3 resource stubs; "
        "0 errors, 0 warnings, 0 notes\n"
    )


def test_check_counts_operations_only(tmp_path: Path) -> None:
    """A summary of a path is none."""
    result = run("check", written(planted("/paths/~1orders/summary", "Orders"), tmp_path))
    assert "checked 3 operations," in result.stdout


def test_check_of_a_faulty_document_is_1(tmp_path: Path) -> None:
    path = written(planted(ORDER + "/example", {"id": "one"}), tmp_path)
    result = run("check", path)
    assert result.exit_code == 1
    lines = path.read_text().splitlines()
    line = lines.index("      example:", lines.index("    Order:")) + 1
    assert result.stdout.splitlines()[:2] == [
        f"{path}:{line}:7: error MS-X001: /id must be integer, not string",
        f"    at: {ORDER}/example",
    ]
    assert "; 1 error, 0 warnings, 0 notes" in result.stdout


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"rule": "read"}, "x-resource has no field 'rule', only role, collection and inside"),
        ({"collection": "/people"}, "x-resource needs a collection that is there"),
    ],
    ids=["field", "collection"],
)
def test_check_finds_an_override_with_which_nothing_would_start(said: Record, message: str, tmp_path: Path) -> None:
    path = written(planted(GET + "/x-resource", said), tmp_path)
    result = run("check", path)
    assert result.exit_code == 1
    assert f"error MS-D018: {message}" in result.stdout
    assert run("routes", path).exit_code == 2


def test_check_of_a_document_without_operations_is_1(tmp_path: Path) -> None:
    result = run("check", written({"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": {}}, tmp_path))
    assert result.exit_code == 1
    assert "MS-D017" in result.stdout
    assert "checked 0 schemas" in result.stdout


@pytest.mark.parametrize("item", [None, [], "orders"], ids=str)
def test_check_of_a_path_that_is_no_object_is_1(item: Any, tmp_path: Path) -> None:
    result = run("check", written(planted("/paths/~1nothing", item), tmp_path))
    assert result.exit_code == 1
    assert "/paths/~1nothing" in result.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openapi: 3.1.0\npaths: {}\n", "OpenAPI 3.0 is needed"),
        ("swagger: '2.0'\npaths: {}\n", "OpenAPI 3.0 is needed"),
        ("a: [b\n", "is not valid YAML"),
        ("a: 1\na: 2\n", "the key 'a' is there twice"),
        ("- 1\n", "it has no paths"),
        ("", "it has no paths"),
    ],
    ids=["3.1", "2.0", "broken", "twice", "list", "empty"],
)
def test_check_of_what_is_no_document_is_2(text: str, message: str, tmp_path: Path) -> None:
    result = run("check", written(text, tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("mockserver: ")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["check", "routes"])
def test_document_that_is_not_there_is_2(command: str, tmp_path: Path) -> None:
    result = run(command, tmp_path / "none.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("mockserver: ")
    assert "none.yaml" in result.stderr


@pytest.mark.parametrize("command", ["check", "routes"])
def test_folder_is_no_document(command: str, tmp_path: Path) -> None:
    assert run(command, tmp_path).exit_code == 2


@pytest.mark.parametrize("command", ["check", "routes"])
@pytest.mark.parametrize("arguments", [["--nonsense"], ["one.yaml", "two.yaml"]], ids=["option", "two-documents"])
def test_wrong_use_of_a_command_is_2(command: str, arguments: list[str]) -> None:
    result = run(command, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


def test_refused_start_leaves_the_collector_on() -> None:
    """A start does without it; who calls the command in a process of their own goes on with it."""
    assert run("serve", "--host", "0.0.0.0").exit_code == 2
    assert gc.isenabled()


@pytest.mark.parametrize("command", ["serve", "check", "routes"])
def test_help_of_a_command_explains_it(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: mockserver {command}" in result.stdout.replace("main", "mockserver")


# routes.


def test_routes_tells_the_stub_of_each_operation(tmp_path: Path) -> None:
    document = planted("/paths/~1hours", {"get": {"operationId": "getHours", "responses": {"200": {"description": "Fine."}}}})
    result = run("routes", written(document, tmp_path))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "GET   /orders       resource  list of orders: GET of a collection; the rows are data of the reply",
        "POST  /orders       resource  create of orders: POST to a collection",
        "GET   /orders/{id}  resource  read of orders: GET of an item; {id} is its id",
        "GET   /hours        sample    no resource is implied by its path and schemas",
    ]


def test_routes_as_json_tells_the_same(tmp_path: Path) -> None:
    result = run("routes", written(CLEAN, tmp_path), "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [row["operation"] for row in told["routes"]] == ["listOrders", "addOrder", "getOrder"]
    assert told["routes"][2] == {
        "method": "GET",
        "path": "/orders/{id}",
        "operation": "getOrder",
        "family": "orders",
        "stub": "resource",
        "why": "read of orders: GET of an item; {id} is its id",
    }
    assert told["not_served"] == []


def test_routes_of_the_shipped_document_has_every_operation(shared_app: App) -> None:
    told = json.loads(run("routes", "--json").stdout)["routes"]
    assert [(row["operation"], row["stub"]) for row in told] == [
        (operation.id, shared_app.resolver.chosen[operation]) for operation in shared_app.contract.operations
    ]
    assert {row["stub"] for row in told} == {"family", "sample"}
    assert all(row["why"] for row in told)


def test_routes_of_a_family_names_the_function() -> None:
    told = {row["operation"]: row for row in json.loads(run("routes", "--json").stdout)["routes"]}
    assert told["createApiKey"]["stub"] == "family"
    assert told["createApiKey"]["why"] == "mockserver.portkey.api_keys.create_api_key"


def test_routes_says_when_the_document_overruled(tmp_path: Path) -> None:
    result = run("routes", written(planted(GET + "/x-resource", {"role": "view"}), tmp_path))
    assert "GET   /orders/{id}  resource  view of orders: x-resource says so" in result.stdout.splitlines()


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_routes_tells_what_is_not_served(as_json: bool, tmp_path: Path) -> None:
    """The others are: a fault costs its operation."""
    path = written(planted("/paths/~1orders~1{id}/parameters", []), tmp_path)
    result = run("routes", path, *(["--json"] if as_json else []))
    assert result.exit_code == 0
    if as_json:
        told = json.loads(result.stdout)
        assert len(told["routes"]) == 2
        assert told["not_served"] == [f"{GET}: the path parameter 'id' is not described"]
    else:
        assert result.stdout.splitlines()[-1] == f"not served: {GET}: the path parameter 'id' is not described"
        assert len(result.stdout.splitlines()) == 3


def test_routes_of_a_document_with_another_reference_to_nothing(tmp_path: Path) -> None:
    told = json.loads(run("routes", DOCUMENTS / "library.yaml", "--json").stdout)
    assert "GET /events" not in [f"{row['method']} {row['path']}" for row in told["routes"]]
    assert len(told["not_served"]) == 1


def test_routes_of_a_wrong_x_resource_is_2(tmp_path: Path) -> None:
    result = run("routes", written(planted(GET + "/x-resource", {"role": "find"}), tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"mockserver: {GET}: x-resource has no role 'find'")


def test_check_takes_several_documents(tmp_path: Path) -> None:
    """As pre-commit hands them over."""
    first, second = written(CLEAN, tmp_path), tmp_path / "second.yaml"
    second.write_text(Path(first).read_text().replace("#/components/schemas/", "#/components/schemas/No"))
    result = run("check", first, second)
    assert result.exit_code == 1
    assert "second.yaml" in result.output
    assert run("check", first, first).exit_code == 0


@pytest.mark.parametrize("option", [["--against", "other.yaml"], ["--stubs", "mappings"], ["--fixture", "empty"]], ids=" ".join)
def test_check_holds_what_stands_beside_to_one_document(option: list[str], tmp_path: Path) -> None:
    first = written(CLEAN, tmp_path)
    result = run("check", first, first, *option)
    assert (result.exit_code, "belong to one document" in result.output) == (2, True)
