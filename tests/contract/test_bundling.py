"""One document out of many files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.contract import grammar
from mockserver.contract.bundling import Bundle, bundle
from mockserver.contract.contract import Contract
from mockserver.contract.errors import DocumentError
from mockserver.contract.normalising import normalise

HEAD = "openapi: 3.0.3\ninfo: {title: Tested, version: '1'}\n"
OK = "responses: {'200': {description: Fine.}}"


def write(folder: Path, files: dict[str, str]) -> Bundle:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + text if name == "root.yaml" else text)
    return bundle(folder / "root.yaml")


def schema_of(made: Bundle, path: str = "/a", method: str = "post") -> Any:
    return made.document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]


def posting(schema: str, path: str = "/a") -> str:
    return f"  {path}: {{post: {{requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}, {OK}}}}}\n"


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for value in node.values() for each in references(value)]
    return [each for value in node for each in references(value)] if isinstance(node, list) else []


def test_bundle_puts_path_items_in_place(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n  /a/{id}:\n    $ref: parts/a.yaml#/paths/~1a~1{id}\n",
            "parts/a.yaml": f"paths: {{'/a/{{id}}': {{get: {{operationId: getA, {OK}}}}}}}",
        },
    )
    assert made.document["paths"]["/a/{id}"]["get"]["operationId"] == "getA"
    assert made.faults == []


def test_bundle_makes_components_of_foreign_references(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n" + posting("{$ref: 'parts.yaml#/components/schemas/Pet'}"),
            "parts.yaml": "components: {schemas: {Pet: {type: object}}}",
        },
    )
    assert schema_of(made) == {"$ref": "#/components/schemas/Pet"}
    assert made.document["components"]["schemas"]["Pet"] == {"type": "object"}


@pytest.mark.parametrize(
    ("kind", "use"),
    [
        ("parameters", "parameters: [{$ref: 'p.yaml#/x/It'}]"),
        ("requestBodies", "requestBody: {$ref: 'p.yaml#/x/It'}"),
        ("responses", "responses: {'400': {$ref: 'p.yaml#/x/It'}}"),
        ("headers", "responses: {'400': {description: No., headers: {X: {$ref: 'p.yaml#/x/It'}}}}"),
        ("links", "responses: {'400': {description: No., links: {x: {$ref: 'p.yaml#/x/It'}}}}"),
        ("examples", "requestBody: {content: {application/json: {examples: {x: {$ref: 'p.yaml#/x/It'}}}}}"),
        ("schemas", "requestBody: {content: {application/json: {schema: {items: {$ref: 'p.yaml#/x/It'}}}}}"),
        ("callbacks", "callbacks: {x: {$ref: 'p.yaml#/x/It'}}"),
    ],
)
def test_bundle_takes_the_kind_from_the_place(tmp_path: Path, kind: str, use: str) -> None:
    made = write(tmp_path, {"root.yaml": f"paths: {{/a: {{post: {{{use}}}}}}}", "p.yaml": "x: {It: {description: it}}"})
    assert made.faults == []
    assert made.document["components"][kind] == {"It": {"description": "it"}}
    assert references(made.document) == [f"#/components/{kind}/It"]


def test_bundle_names_a_whole_file_by_its_stem(tmp_path: Path) -> None:
    made = write(tmp_path, {"root.yaml": "paths:\n" + posting("{$ref: schemas/Pet.yaml}"), "schemas/Pet.yaml": "type: object"})
    assert schema_of(made) == {"$ref": "#/components/schemas/Pet"}


def test_bundle_gives_clashing_names_numbers(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n"
            + posting("{$ref: 'one.yaml#/Pet'}")
            + posting("{$ref: 'two.yaml#/Pet'}", "/b")
            + posting("{$ref: '#/components/schemas/Pet'}", "/c")
            + "components: {schemas: {Pet: {type: string}}}\n",
            "one.yaml": "Pet: {type: integer}",
            "two.yaml": "Pet: {type: boolean}",
        },
    )
    targets = [grammar.find(made.document, schema_of(made, path)["$ref"]) for path in ("/a", "/b", "/c")]
    assert targets == [{"type": "integer"}, {"type": "boolean"}, {"type": "string"}]


def test_bundle_makes_one_component_of_one_target(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n" + posting("{$ref: 'one.yaml#/Pet'}") + posting("{$ref: './one.yaml#/Pet'}", "/b"),
            "one.yaml": "Pet: {type: integer}",
        },
    )
    assert list(made.document["components"]["schemas"]) == ["Pet"]
    assert schema_of(made) == schema_of(made, "/b")


def test_bundle_reads_references_relative_to_their_file(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n" + posting("{$ref: 'deep/er/one.yaml#/Pet'}"),
            "deep/er/one.yaml": "Pet: {properties: {owner: {$ref: '../two.yaml#/Owner'}, friend: {$ref: '#/Friend'}}}\n"
            "Friend: {type: boolean}",
            "deep/two.yaml": "Owner: {type: string}",
        },
    )
    properties = made.document["components"]["schemas"]["Pet"]["properties"]
    assert grammar.find(made.document, properties["owner"]["$ref"]) == {"type": "string"}
    assert grammar.find(made.document, properties["friend"]["$ref"]) == {"type": "boolean"}


def test_bundle_ends_for_recursion_across_files(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n" + posting("{$ref: 'one.yaml#/Tree'}"),
            "one.yaml": "Tree: {type: object, properties: {child: {$ref: 'two.yaml#/Branch'}}}",
            "two.yaml": "Branch: {type: object, properties: {tree: {$ref: 'one.yaml#/Tree'}, self: {$ref: '#/Branch'}}}",
        },
    )
    assert made.faults == []
    contract = Contract(normalise(made.document))
    plan = contract.requests[contract.operations[0]]
    body, headers = b'{"child":{"tree":{"child":{"self":{"tree":{}}}}}}', {b"content-type": b"application/json"}
    assert plan.read({}, b"", headers, body).body == {"child": {"tree": {"child": {"self": {"tree": {}}}}}}


def test_bundle_reference_back_to_the_root_stays_within(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n" + posting("{$ref: 'one.yaml#/Pet'}") + "components: {schemas: {Name: {type: string}}}\n",
            "one.yaml": "Pet: {properties: {name: {$ref: 'root.yaml#/components/schemas/Name'}}}",
        },
    )
    pet = made.document["components"]["schemas"]["Pet"]
    assert pet["properties"]["name"] == {"$ref": "#/components/schemas/Name"}
    assert list(made.document["components"]["schemas"]) == ["Name", "Pet"]


def test_bundle_no_reference_leaves_the_document(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n  /a: {$ref: 'a.yaml'}\n",
            "a.yaml": f"parameters: [{{$ref: 'p.yaml#/Id'}}]\nget: {{{OK}}}",
            "p.yaml": "Id: {name: id, in: query, schema: {$ref: 's.yaml'}}",
            "s.yaml": "type: string",
        },
    )
    found = references(made.document)
    assert len(found) == 2
    assert all(reference.startswith("#/components/") for reference in found)
    assert all(grammar.find(made.document, reference) for reference in found)


def test_bundle_leaves_references_in_examples_alone(tmp_path: Path) -> None:
    """`$ref` within an example, a default or an enum is data."""
    made = write(
        tmp_path, {"root.yaml": "paths:\n" + posting("{example: {$ref: none.yaml}, default: {$ref: 'x'}, enum: [{$ref: 'y'}]}")}
    )
    assert made.faults == []
    assert schema_of(made) == {"example": {"$ref": "none.yaml"}, "default": {"$ref": "x"}, "enum": [{"$ref": "y"}]}


def test_bundle_takes_a_property_called_ref(tmp_path: Path) -> None:
    made = write(tmp_path, {"root.yaml": "paths:\n" + posting("{properties: {$ref: {type: string}}}")})
    assert made.faults == []
    assert schema_of(made) == {"properties": {"$ref": {"type": "string"}}}


def test_bundle_reads_escaped_pointers(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n" + posting("{$ref: 'one.yaml#/x/a~1b~0c%20d'}"),
            "one.yaml": "x: {'a/b~c d': {type: integer}}",
        },
    )
    assert made.faults == []
    assert grammar.find(made.document, schema_of(made)["$ref"]) == {"type": "integer"}


def test_bundle_takes_json_files(tmp_path: Path) -> None:
    made = write(
        tmp_path, {"root.yaml": "paths:\n" + posting("{$ref: 'one.json#/Pet'}"), "one.json": '{"Pet": {"type": "integer"}}'}
    )
    assert grammar.find(made.document, schema_of(made)["$ref"]) == {"type": "integer"}


def test_bundle_lists_its_sources(tmp_path: Path) -> None:
    made = write(tmp_path, {"root.yaml": "paths:\n" + posting("{$ref: 'one.yaml#/Pet'}"), "one.yaml": "Pet: {type: integer}"})
    assert made.sources == {path: path.read_bytes() for path in (tmp_path / "root.yaml", tmp_path / "one.yaml")}


BROKEN = [
    ("{$ref: 'none.yaml#/Pet'}", "none.yaml: cannot be read"),
    ("{$ref: 'one.yaml#/Cat'}", "one.yaml#/Cat points to nothing"),
    ("{$ref: 'one.yaml#/Number'}", "points to a int, not an object"),
    ("{$ref: 'https://example.com/pet.yaml#/Pet'}", "nothing is fetched from elsewhere"),
    ("{$ref: 'bad.yaml#/Pet'}", "bad.yaml:2: is not valid YAML"),
    ("{$ref: '#/components/schemas/Cat'}", "#/components/schemas/Cat points to nothing"),
]
BROKEN_IDS = ["no-file", "no-target", "no-object", "elsewhere", "no-yaml", "within"]


@pytest.mark.parametrize(("schema", "told"), BROKEN, ids=BROKEN_IDS)
def test_bundle_broken_reference_is_a_fault(tmp_path: Path, schema: str, told: str) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n" + posting(schema) + f"  /b: {{get: {{{OK}}}}}\n",
            "one.yaml": "Pet: {type: integer}\nNumber: 5",
            "bad.yaml": "Pet: [",
        },
    )
    faults = [*made.faults, *map(str, Contract(normalise(made.document)).faults)]
    assert any(told in fault for fault in faults), faults


@pytest.mark.parametrize(("schema", "told"), BROKEN, ids=BROKEN_IDS)
def test_bundle_broken_reference_costs_its_operation_alone(tmp_path: Path, schema: str, told: str) -> None:
    """A fault in one operation costs that operation, never the document."""
    made = write(
        tmp_path,
        {
            "root.yaml": "paths:\n" + posting(schema) + f"  /b: {{get: {{{OK}}}}}\n",
            "one.yaml": "Pet: {type: integer}\nNumber: 5",
            "bad.yaml": "Pet: [",
        },
    )
    contract = Contract(normalise(made.document))
    assert [str(operation) for operation in contract.operations] == ["GET /b"]


@pytest.mark.parametrize(
    "use",
    [
        "parameters: [{$ref: 'none.yaml#/x'}], responses: {'200': {description: Fine.}}",
        "requestBody: {$ref: '#/components/requestBodies/None'}, responses: {'200': {description: Fine.}}",
        "responses: {'200': {$ref: 'none.yaml#/x'}}",
        "responses: {'200': {description: Fine., headers: {X: {$ref: '#/components/headers/None'}}}}",
        "responses: {'200': {description: Fine., content: {application/json: {schema: {$ref: 'none.yaml#/x'}}}}}",
    ],
    ids=["parameter", "body", "response", "header", "reply-schema"],
)
def test_bundle_broken_reference_anywhere_costs_its_operation_alone(tmp_path: Path, use: str) -> None:
    made = write(tmp_path, {"root.yaml": f"paths:\n  /a: {{get: {{{use}}}}}\n  /b: {{get: {{{OK}}}}}\n"})
    contract = Contract(normalise(made.document))
    assert [str(operation) for operation in contract.operations] == ["GET /b"]
    assert any("/paths/~1a/get" in fault.pointer or "None" in str(fault) or "none" in str(fault) for fault in contract.faults)


def test_bundle_broken_path_item_costs_its_path_alone(tmp_path: Path) -> None:
    made = write(tmp_path, {"root.yaml": f"paths:\n  /a: {{$ref: none.yaml}}\n  /b: {{get: {{{OK}}}}}\n"})
    contract = Contract(normalise(made.document))
    assert [str(operation) for operation in contract.operations] == ["GET /b"]
    assert len(made.faults) == 1


def test_bundle_circle_of_references_costs_its_operation_alone(tmp_path: Path) -> None:
    made = write(
        tmp_path,
        {
            "root.yaml": f"paths:\n  /a: {{get: {{parameters: [{{$ref: '#/components/parameters/A'}}], {OK}}}}}\n"
            f"  /b: {{get: {{{OK}}}}}\n"
            "components: {parameters: {A: {$ref: '#/components/parameters/B'}, B: {$ref: '#/components/parameters/A'}}}\n"
        },
    )
    contract = Contract(normalise(made.document))
    assert [str(operation) for operation in contract.operations] == ["GET /b"]
    assert ["circle" in str(fault) for fault in contract.faults] == [True]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("openapi: 3.0.3\n", "it has no paths"),
        ("[]", "it has no paths"),
        ("", "it has no paths"),
        ("swagger: '2.0'\npaths: {}\n", "this says swagger: 2.0; convert it"),
        ("openapi: 3.1.0\npaths: {}\n", "this says openapi: 3.1.0; convert it"),
        ("openapi: 3.0\npaths: {}\n", "this says openapi: 3.0"),
        ("paths: {}\n", "OpenAPI 3.0 is needed"),
    ],
    ids=["no-paths", "list", "empty", "swagger", "3.1", "number", "no-version"],
)
def test_bundle_refuses_other_documents(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "root.yaml").write_text(text)
    with pytest.raises(DocumentError, match=told):
        bundle(tmp_path / "root.yaml")
