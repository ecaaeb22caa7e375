"""The commands that look at a document: what stubs its operations get, and what is wrong with it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from mockserver.app import App
from mockserver.cli import main
from mockserver.contract.bundling import bundle
from mockserver.contract.linting import Fault, lint
from mockserver.contract.normalising import normalise
from mockserver.values import Record
from tests.conftest import DOCUMENTS

CLEAN: Record = yaml.safe_load("""\
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
servers: [{url: /}]
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, default: 20}, example: 5}
      responses:
        '200':
          description: Orders.
          content:
            application/json:
              schema: {type: object, properties: {data: {type: array, items: {$ref: '#/components/schemas/Order'}}}}
              examples:
                none: {value: {data: []}}
                one: {$ref: '#/components/examples/One'}
    post:
      operationId: addOrder
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/NewOrder'}, example: {what: a lamp, card: '4111'}}
      responses:
        '201':
          description: An order.
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}, example: {id: 1, what: a lamp}}}
          links:
            read: {operationId: getOrder, parameters: {id: '$response.body#/id'}}
  /orders/{id}:
    summary: One order
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: getOrder
      responses:
        '200':
          description: An order.
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
components:
  examples:
    One: {value: {data: [{id: 1, what: a lamp}]}}
  schemas:
    Order:
      type: object
      required: [id]
      properties: {id: {type: integer, readOnly: true}, what: {type: string}, state: {type: string, default: open}}
      example: {id: 1, what: a lamp}
    NewOrder:
      type: object
      required: [what]
      properties:
        what: {type: string, minLength: 1, example: a lamp}
        card: {type: string, writeOnly: true}
""")

LIST, ADD, GET = "/paths/~1orders/get", "/paths/~1orders/post", "/paths/~1orders~1{id}/get"
ORDER = "/components/schemas/Order"


def planted(path: str, value: Any = ...) -> Record:
    """The clean document with something else at a place; nothing there when no value is given."""
    document = copy.deepcopy(CLEAN)
    *way, last = (part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])
    node: Any = document
    for part in way:
        node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
    if value is ...:
        del node[last]
    elif isinstance(node, list):
        node.insert(int(last), value)
    else:
        node[last] = value
    return document


def written(document: Any, folder: Path) -> Path:
    path = folder / "shop.yaml"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def faults(document: Record, folder: Path) -> list[Fault]:
    made = bundle(written(document, folder))
    return lint(normalise(made.document), made.faults)


def run(*arguments: str | Path) -> Result:
    """The command in process. It ends by a status, never by an exception of its own."""
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


# check: planted faults.

LIMIT: Record = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}}

PLANTED: list[tuple[str, str, Any, str, str, str]] = [
    # What stands where, and which fault is told at which place, in which words.
    ("broken path parameter", "/paths/~1orders~1{id}/parameters", [], "operation", GET, "'id' is not described"),
    ("no responses", GET + "/responses", {}, "operation", GET, "no response is described"),
    ("no status", GET + "/responses/20", {"description": "x"}, "operation", GET + "/responses", "'20' is no status"),
    ("unknown scheme", GET + "/security", [{"Key": []}], "operation", GET + "/security", "'Key' is not described"),
    ("broken pattern", ORDER + "/properties/what/pattern", "(", "operation", LIST, "schema"),
    ("dangling component", ORDER + "/properties/owner", {"$ref": "#/components/schemas/Nobody"}, "operation", LIST, "Nobody"),
    ("no title", "/info/title", ..., "invalid", "/info", "title"),
    ("no description", GET + "/responses/200/description", ..., "invalid", GET + "/responses/200", "is not valid"),
    ("unknown type", ORDER + "/properties/what/type", "text", "operation", LIST, "schema"),
    ("crossed bounds", "/components/schemas/No", {"type": "integer", "minimum": 2, "maximum": 1}, "impossible",
     "/components/schemas/No", "no value can satisfy"),
    ("contradiction", "/components/schemas/No", {"allOf": [{"type": "string"}, {"type": "integer"}]}, "impossible",
     "/components/schemas/No", "no value can satisfy"),
    ("impossible field that is required", ORDER + "/properties/id", {"type": "string", "minLength": 2, "maxLength": 1},
     "impossible", ORDER, "no value can satisfy"),
    ("impossible reply", GET + "/responses/200/content/application~1json/schema", {"type": "string", "enum": [1]}, "impossible",
     GET + "/responses/200/content/application~1json/schema", "no value can satisfy"),
    ("impossible parameter", LIST + "/parameters", [{**LIMIT, "schema": {"type": "integer", "minimum": 2, "maximum": 1}}],
     "impossible", LIST + "/parameters/0/schema", "no value can satisfy"),
    ("no operationId", GET + "/operationId", ..., "unnamed", GET, "GET /orders/{id} has no operationId"),
    ("operationId twice", GET + "/operationId", "addOrder", "unnamed", GET, "have the same operationId"),
    ("link to nowhere", ADD + "/responses/201/links/read/operationId", "findOrder", "link", ADD + "/responses/201/links/read",
     "leads to 'findOrder', which is no operation"),
    ("link with another parameter", ADD + "/responses/201/links/read/parameters", {"key": "x"}, "link",
     ADD + "/responses/201/links/read", "sets 'key', which is no parameter of GET /orders/{id}"),
    ("example of a parameter", LIST + "/parameters/0/example", 0, "example", LIST + "/parameters/0/example", "is below 1"),
    ("examples of a parameter", LIST + "/parameters", [{**LIMIT, "examples": {"none": {"value": 0}}}], "example",
     LIST + "/parameters/0/examples/none", "is below 1"),
    ("example of a body", ADD + "/requestBody/content/application~1json/example", {"what": ""}, "example",
     ADD + "/requestBody/content/application~1json/example", "/what is too short"),
    ("example of a reply", ADD + "/responses/201/content/application~1json/example", {"id": "1"}, "example",
     ADD + "/responses/201/content/application~1json/example", "/id must be integer"),
    ("named example", LIST + "/responses/200/content/application~1json/examples/none/value", {"data": [{}]}, "example",
     LIST + "/responses/200/content/application~1json/examples/none", "/data/0/id is required"),
    ("shared example", "/components/examples/One/value", {"data": {}}, "example",
     LIST + "/responses/200/content/application~1json/examples/one", "/data must be array"),
    ("example of a schema", ORDER + "/example", {"what": "a lamp"}, "example", ORDER + "/example", "/id is required"),
    ("example of a property", ORDER + "/properties/what/example", 5, "example", ORDER + "/properties/what/example",
     "must be string, not integer"),
    ("default of a property", ORDER + "/properties/state/default", 5, "example", ORDER + "/properties/state/default",
     "must be string, not integer"),
    ("default of a parameter", LIST + "/parameters/0/schema/default", None, "example",
     LIST + "/parameters/0/schema/default", "must be integer, not null"),
    ("example of a header", GET + "/responses/200/headers", {"X-Left": {"schema": {"type": "integer"}, "example": "few"}},
     "example", GET + "/responses/200/headers/X-Left/example", "must be integer"),
]  # fmt: skip


NAMES = [row[0].replace(" ", "-") for row in PLANTED]


@pytest.mark.parametrize(("place", "value", "code", "told_at", "message"), [row[1:] for row in PLANTED], ids=NAMES)
def test_planted_fault_is_found_at_its_place(
    place: str, value: Any, code: str, told_at: str, message: str, tmp_path: Path
) -> None:
    found = faults(planted(place, value), tmp_path)
    assert (code, told_at) in [(fault.code, fault.place) for fault in found], [str(fault) for fault in found]
    assert any(message in fault.message for fault in found if (fault.code, fault.place) == (code, told_at))


@pytest.mark.parametrize(("place", "value"), [row[1:3] for row in PLANTED], ids=NAMES)
def test_planted_fault_is_told_in_one_line(place: str, value: Any, tmp_path: Path) -> None:
    """One fault a line, its place said once: other programs read this."""
    found = faults(planted(place, value), tmp_path)
    assert found
    for fault in found:
        assert "\n" not in str(fault)
        assert not fault.place or fault.place not in fault.message


def test_every_code_is_planted() -> None:
    """`reference` has tests of its own below: its place is a file."""
    assert {row[3] for row in PLANTED} == {"operation", "invalid", "impossible", "unnamed", "link", "example"}


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("parts.yaml#/Order", "parts.yaml"),
        ("https://example.com/parts.yaml#/Order", "nothing is fetched from elsewhere"),
    ],
    ids=["no-file", "elsewhere"],
)
def test_planted_reference_is_found_with_its_file(reference: str, message: str, tmp_path: Path) -> None:
    found = faults(planted(ORDER + "/properties/owner", {"$ref": reference}), tmp_path)
    told = [fault for fault in found if fault.code == "reference"]
    assert len(told) == 1
    assert message in told[0].message
    assert "shop.yaml" in told[0].message or "parts.yaml" in told[0].message


def test_planted_reference_into_another_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text("Order: {type: object}\n", encoding="utf-8")
    found = faults(planted(ORDER + "/properties/owner", {"$ref": "parts.yaml#/Nobody"}), tmp_path)
    assert "reference" in [fault.code for fault in found if "parts.yaml#/Nobody points to nothing" in fault.message]


def test_fault_of_a_shared_reply_is_found(tmp_path: Path) -> None:
    """A link of a component is looked at like one that stands in its operation."""
    document = planted(ADD + "/responses/201", {"$ref": "#/components/responses/Made"})
    links = {"read": {"operationId": "findOrder"}}
    document["components"]["responses"] = {"Made": {"description": "An order.", "links": links}}
    assert "link" in [fault.code for fault in faults(document, tmp_path)]


def test_faults_are_told_all_at_once(tmp_path: Path) -> None:
    document = planted(ORDER + "/example", {})
    del document["paths"]["/orders/{id}"]["get"]["operationId"]
    document["components"]["schemas"]["No"] = {"type": "integer", "minimum": 2, "maximum": 1}
    assert {fault.code for fault in faults(document, tmp_path)} >= {"example", "unnamed", "impossible", "link"}


# check: documents that are in order.


def test_clean_document_has_no_faults(tmp_path: Path) -> None:
    assert [str(fault) for fault in faults(CLEAN, tmp_path)] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (ADD + "/responses/201/links/read", {"operationRef": "#/paths/~1orders~1{id}/get", "parameters": {"id": "x"}}),
        (ADD + "/responses/201/links/read/parameters", {"path.id": "$response.body#/id"}),
        ("/components/schemas/NewOrder/example", {"what": "a lamp", "card": "4111"}),
        (ORDER + "/properties/what/nullable", True),
        (ORDER + "/properties/below", {"$ref": "#/components/schemas/Order"}),
        ("/components/schemas/Odd", {"type": "string", "format": "colour", "example": "red"}),
        ("/paths/~1orders/x-note", "ours"),
        ("/components/schemas/Null", {"type": "string", "nullable": True, "default": None}),
    ],
    ids=["link-by-reference", "link-by-place", "write-only", "nullable", "recursion", "format", "extension", "null-default"],
)
def test_document_that_is_in_order_has_no_faults(place: str, value: Any, tmp_path: Path) -> None:
    assert [str(fault) for fault in faults(planted(place, value), tmp_path)] == []


def test_shared_link_has_no_fault(tmp_path: Path) -> None:
    document = planted(ADD + "/responses/201/links/read", {"$ref": "#/components/links/Read"})
    document["components"]["links"] = {"Read": {"operationId": "getOrder", "parameters": {"id": "$response.body#/id"}}}
    assert [str(fault) for fault in faults(document, tmp_path)] == []


@pytest.mark.parametrize("path", ["examples/other_api.yaml"])
def test_documents_of_the_docs_have_no_faults(path: str) -> None:
    assert run("check", Path(__file__).parent.parent / "docs" / path).exit_code == 0


# check: the command.


def test_check_of_the_shipped_document_finds_nothing(shared_app: App) -> None:
    result = run("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(f"openapi.yaml: {len(shared_app.contract.operations)} operations, 0 faults\n")


def test_check_of_a_clean_document_is_0(tmp_path: Path) -> None:
    path = written(CLEAN, tmp_path)
    result = run("check", path)
    assert (result.exit_code, result.stdout) == (0, f"{path}: 3 operations, 0 faults\n")


def test_check_counts_operations_only(tmp_path: Path) -> None:
    """A summary of a path is none."""
    result = run("check", written(planted("/paths/~1orders/summary", "Orders"), tmp_path))
    assert ": 3 operations, 0 faults" in result.stdout


def test_check_of_a_faulty_document_is_1(tmp_path: Path) -> None:
    path = written(planted(ORDER + "/example", {"id": "one"}), tmp_path)
    result = run("check", path)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"example {ORDER}/example: /id must be integer, not string",
        f"{path}: 3 operations, 1 faults",
    ]


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
    assert result.stdout.startswith(f"operation {GET}: {message}")
    assert run("routes", path).exit_code == 2


def test_check_of_a_document_without_operations_is_1(tmp_path: Path) -> None:
    result = run("check", written({"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": {}}, tmp_path))
    assert result.exit_code == 1
    assert "0 operations" in result.stdout


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
    assert run(command, *arguments).exit_code == 2


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
    assert {row["stub"] for row in told} == {"family", "resource", "sample"}
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
