"""What a document implies of resources: from paths, methods and schemas alone, and as `x-resource` overrules it."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any

import pytest
import yaml

from mockserver.contract.errors import SetupError
from mockserver.contract.operations import read_operations
from mockserver.stubs.inference import ROLES, Role, candidates, infer, override_fault, success
from mockserver.stubs.resources import KEY, ResourceStubs
from mockserver.values import JSON, Record
from mockserver.world.collection import Layout

BOOK: Record = {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}}
LIST: Record = {"type": "object", "properties": {"data": {"type": "array", "items": BOOK}}}


def answer(schema: Any = None, status: str = "200", media_type: str = "application/json") -> Record:
    """The responses of an operation with one success."""
    content = {} if schema is None else {"content": {media_type: {"schema": schema}}}
    return {"responses": {status: {"description": "Fine.", **content}}}


def taking(schema: JSON, replying: JSON = BOOK) -> Record:
    """An operation that takes and gives JSON."""
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}, **answer(replying)}


def api(paths: Record, **components: Record) -> Record:
    """A document of these paths; path parameters are described for all of them."""
    described = {}
    for path, methods in paths.items():
        named = [
            {"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in re.findall(r"{(\w+)}", path)
        ]
        described[path] = {method: {"parameters": named, **spec} for method, spec in methods.items()}
    return {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": described, "components": components}


def roles(document: Record) -> dict[str, Role]:
    """The roles of a document by method and path."""
    operations, faults = read_operations(document)
    assert faults == []
    found = infer(operations, document)
    assert found.keys() <= candidates(operations)
    return {str(operation): role for operation, role in found.items()}


def books(item: Record | None = None, collection: Record | None = None, more: Record | None = None) -> Record:
    """A document with a collection of books and its items."""
    paths = {"/books": {"get": answer(LIST), **(collection or {})}, "/books/{id}": {"get": answer(BOOK), **(item or {})}}
    return api({**paths, **(more or {})})


# Roles by path and method.


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("GET /books", "list"),
        ("POST /books", "create"),
        ("GET /books/{id}", "read"),
        ("PATCH /books/{id}", "merge"),
        ("DELETE /books/{id}", "delete"),
        ("POST /books/{id}/lend", "act"),
        ("GET /books/{id}/cover", "view"),
        ("PUT /books/{id}/cover", "view"),
        ("POST /books/{id}/cover/print", "view"),
        ("GET /books/{id}/pages/{number}/text", "view"),
    ],
)
def test_role_follows_path_and_method(operation: str, kind: str) -> None:
    document = books(
        {"patch": taking(BOOK), "delete": answer(None, "204")},
        {"post": taking(BOOK)},
        {
            "/books/{id}/lend": {"post": answer(BOOK)},
            "/books/{id}/cover": {"get": answer({"type": "string"}, media_type="image/png"), "put": answer(None, "204")},
            "/books/{id}/cover/print": {"post": answer(BOOK)},
            "/books/{id}/pages/{number}/text": {"get": answer({"type": "string"})},
        },
    )
    role = roles(document)[operation]
    assert (role.kind, role.resource.name, role.resource.path) == (kind, "books", "/books")


def test_every_kind_of_role_is_known() -> None:
    """The test above and those of PUT below go through all of them."""
    assert set(ROLES) == {"list", "create", "read", "replace", "merge", "delete", "act", "view"}


@pytest.mark.parametrize(
    ("paths", "operation"),
    [
        ({"/ask": {"post": taking(BOOK)}}, "POST /ask"),
        ({"/hours": {"get": answer(LIST)}}, "GET /hours"),
        ({"/books": {"get": answer(LIST)}, "/books/{id}": {"get": answer({"type": "string"})}}, "GET /books/{id}"),
        ({"/books/{id}": {"post": taking(BOOK)}}, "POST /books/{id}"),
        ({"/{id}": {"get": answer(BOOK)}}, "GET /{id}"),
        ({"/prices/{from}/{to}": {"get": answer(BOOK)}}, "GET /prices/{from}/{to}"),
        ({"/books": {"put": taking(LIST)}, "/books/{id}": {"get": answer(BOOK)}}, "PUT /books"),
        ({"/books": {"get": answer({"type": "object"})}, "/books/{id}": {"get": answer(BOOK)}}, "GET /books"),
        ({"/books/{id}": {"get": answer(BOOK), "options": answer(BOOK)}}, "OPTIONS /books/{id}"),
        ({"/books/{id}.json": {"get": answer(BOOK)}}, "GET /books/{id}.json"),
    ],
    ids=[
        "no-item", "no-item-list", "no-field-for-the-key", "only-post", "no-collection", "two-variables", "bulk-put",
        "no-rows", "other-method", "part-of-a-segment",
    ],
)  # fmt: skip
def test_operation_that_implies_nothing_has_no_role(paths: Record, operation: str) -> None:
    """It falls to a sample."""
    assert operation not in roles(api(paths))


def test_item_without_operations_on_its_collection_is_a_resource() -> None:
    role = roles(api({"/books/{id}": {"get": answer(BOOK)}}))["GET /books/{id}"]
    assert (role.kind, role.resource.name) == ("read", "books")


def test_trailing_slash_of_a_path_changes_nothing() -> None:
    found = roles(api({"/books/": {"get": answer(LIST)}, "/books/{id}/": {"get": answer(BOOK)}}))
    assert {name: role.kind for name, role in found.items()} == {"GET /books/": "list", "GET /books/{id}/": "read"}


def test_name_of_a_resource_is_made_of_its_path() -> None:
    document = api({"/v2/text-Books/{id}/sub.pages/{page_id}": {"get": answer(BOOK)}})
    (role,) = roles(document).values()
    assert role.resource.name == "v2_text_books_sub_pages"


# The key.


@pytest.mark.parametrize(
    ("parameter", "fields", "key"),
    [
        ("id", ["id", "name"], "id"),
        ("slug", ["id", "slug"], "slug"),
        ("book_id", ["id", "book_id"], "book_id"),
        ("bookId", ["id", "book_id"], "book_id"),
        ("book_id", ["name", "id"], "id"),
        ("bookSlug", ["id", "slug"], "slug"),
        ("book", ["title", "name"], "name"),
        ("book", ["title", "name", "uuid"], "uuid"),
        ("book", ["name", "key"], "key"),
        ("book", ["name", "slug"], "slug"),
        ("model", ["id", "model"], "model"),
    ],
)
def test_key_is_the_field_that_the_path_parameter_holds(parameter: str, fields: list[str], key: str) -> None:
    """By its own name, then by its last word, then by what usually identifies a record."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    (role,) = roles(api({f"/books/{{{parameter}}}": {"get": answer(schema)}})).values()
    assert (role.resource.key, role.resource.parameter) == (key, parameter)


def test_key_is_found_in_the_reply_of_create_when_nothing_is_read() -> None:
    document = api({"/books": {"post": answer(BOOK, "201")}, "/books/{book_id}": {"delete": answer(None, "204")}})
    assert {name: (role.kind, role.resource.key) for name, role in roles(document).items()} == {
        "POST /books": ("create", "id"),
        "DELETE /books/{book_id}": ("delete", "id"),
    }


@pytest.mark.parametrize("word", ["allOf", "anyOf", "oneOf"])
def test_key_is_found_through_composition_and_references(word: str) -> None:
    schema = {word: [{"$ref": "#/components/schemas/Id"}, {"type": "object", "properties": {"title": {"type": "string"}}}]}
    shared = {"schemas": {"Id": {"type": "object", "properties": {"id": {"type": "string"}}}}}
    (role,) = roles(api({"/books/{book_id}": {"get": answer(schema)}}, **shared)).values()
    assert role.resource.key == "id"


# Where the rows and the record are.


@pytest.mark.parametrize("name", ["data", "items", "results", "records", "entries", "values", "books"])
def test_rows_are_found_in_an_envelope(name: str) -> None:
    listing = {"type": "object", "properties": {name: {"type": "array", "items": BOOK}, "total": {"type": "integer"}}}
    role = roles(books(collection={"get": answer(listing)}))["GET /books"]
    assert (role.kind, role.inside) == ("list", (name,))
    assert role.why == f"GET of a collection; the rows are {name} of the reply"


def test_rows_are_found_in_a_bare_array() -> None:
    role = roles(books(collection={"get": answer({"type": "array", "items": BOOK})}))["GET /books"]
    assert (role.kind, role.inside) == ("list", ())
    assert role.why == "GET of a collection; the rows are the reply"


def test_rows_are_those_of_the_usual_name_among_several_arrays() -> None:
    arrays = {name: {"type": "array", "items": {"type": "string"}} for name in ("warnings", "data", "links")}
    assert roles(books(collection={"get": answer({"type": "object", "properties": arrays})}))["GET /books"].inside == ("data",)


def test_rows_are_found_below_a_wrapper() -> None:
    """`{success, data: {items: […]}}`: the envelope lies in another."""
    inner = {"type": "object", "properties": {"items": {"type": "array", "items": BOOK}, "total": {"type": "integer"}}}
    wrapped = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": inner}}
    role = roles(books(collection={"get": answer(wrapped)})).get("GET /books")
    assert role is not None
    assert (role.kind, role.inside) == ("list", ("data", "items"))


@pytest.mark.parametrize("method", ["get", "put", "patch"])
def test_record_is_found_in_a_wrapper(method: str) -> None:
    wrapped = {"type": "object", "properties": {"success": {"type": "boolean"}, "data": BOOK}}
    role = roles(books({method: {**taking(BOOK, wrapped)}}))[f"{method.upper()} /books/{{id}}"]
    assert role.inside == ("data",)


def test_record_at_the_top_wins_over_one_below() -> None:
    schema = {"type": "object", "properties": {"author": BOOK, "id": {"type": "string"}}}
    assert roles(books({"get": answer(schema)}))["GET /books/{id}"].inside == ()


def test_places_are_those_of_each_operation() -> None:
    wrapped = {"type": "object", "properties": {"data": BOOK}}
    found = roles(books({"get": answer(wrapped)}, {"post": taking(BOOK)}))
    assert (found["GET /books/{id}"].inside, found["POST /books"].inside) == (("data",), ())


# PUT.


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "object", "required": ["title"], "properties": BOOK["properties"]}, "replace"),
        ({"allOf": [{"type": "object", "required": ["title"]}, BOOK]}, "replace"),
        ({"$ref": "#/components/schemas/NewBook"}, "replace"),
        (BOOK, "merge"),
        ({"type": "object", "required": [], "properties": {}}, "merge"),
    ],
    ids=["required", "composed", "referred", "nothing-required", "empty"],
)
def test_put_replaces_where_something_is_required(schema: Record, kind: str) -> None:
    """A PUT that requires nothing is how interfaces write a partial update: what is left out must stay."""
    document = books({"put": taking(schema)})
    document["components"] = {"schemas": {"NewBook": {"type": "object", "required": ["title"]}}}
    assert roles(document)["PUT /books/{id}"].kind == kind


def test_put_without_a_body_merges() -> None:
    assert roles(books({"put": answer(BOOK)}))["PUT /books/{id}"].kind == "merge"


def test_post_to_an_item_merges() -> None:
    assert roles(books({"post": taking(BOOK)}))["POST /books/{id}"].kind == "merge"


# Parents.

NESTED = {
    "/shops/{shop_id}": {"get": answer(BOOK)},
    "/shops/{shop_id}/shelves": {"get": answer(LIST)},
    "/shops/{shop_id}/shelves/{shelf_id}": {"get": answer(BOOK)},
    "/shops/{shop_id}/shelves/{shelf_id}/books": {"post": taking(BOOK)},
    "/shops/{shop_id}/shelves/{shelf_id}/books/{book_id}": {"get": answer(BOOK)},
}


def test_parents_are_the_path_parameters_before_the_key() -> None:
    resource = roles(api(NESTED))["POST /shops/{shop_id}/shelves/{shelf_id}/books"].resource
    assert (resource.name, resource.key, resource.parameter) == ("shops_shelves_books", "id", "book_id")
    assert resource.parents == ("shop_id", "shelf_id")


def test_parent_is_the_nearest_resource_above() -> None:
    resource = roles(api(NESTED))["GET /shops/{shop_id}/shelves/{shelf_id}/books/{book_id}"].resource
    assert resource.parent is not None
    assert (resource.parent.path, resource.parent.parents) == ("/shops/{shop_id}/shelves", ("shop_id",))
    assert resource.parent.parent is not None
    assert (resource.parent.parent.path, resource.parent.parent.parent) == ("/shops", None)


def test_parent_that_is_no_resource_is_none() -> None:
    """Nobody can make a shop here, so none can be missing."""
    (role,) = roles(api({"/shops/{shop_id}/books/{book_id}": {"get": answer(BOOK)}})).values()
    assert (role.resource.parents, role.resource.parent) == (("shop_id",), None)


def test_order_of_paths_changes_nothing() -> None:
    backwards = dict(reversed(NESTED.items()))
    assert roles(api(backwards)) == roles(api(NESTED))


def test_parent_is_found_over_another_word_between() -> None:
    document = api({"/shops/{id}": {"get": answer(BOOK)}, "/shops/{id}/stock/books/{book_id}": {"get": answer(BOOK)}})
    resource = roles(document)["GET /shops/{id}/stock/books/{book_id}"].resource
    assert resource.parent is not None
    assert resource.parent.name == "shops"


# Why.


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ("GET /shops/{shop_id}", "GET of an item; {shop_id} is its id"),
        ("GET /shops/{shop_id}/shelves", "GET of a collection; the rows are data of the reply"),
        ("POST /shops/{shop_id}/shelves/{shelf_id}/books", "POST to a collection"),
        ("POST /shops/{shop_id}/open", "POST below an item of /shops"),
        ("GET /shops/{shop_id}/till", "GET below an item of /shops, which must be there"),
    ],
)
def test_why_says_what_the_role_was_inferred_from(operation: str, why: str) -> None:
    more = {"/shops/{shop_id}/open": {"post": answer(BOOK)}, "/shops/{shop_id}/till": {"get": answer(BOOK)}}
    assert roles(api({**NESTED, **more}))[operation].why == why


def test_why_of_a_stub_names_role_and_resource() -> None:
    document = books(more={"/hours": {"get": answer(BOOK)}})
    operations, _ = read_operations(document)
    stubs = ResourceStubs(document, operations)
    assert {str(operation): stubs.why(operation) for operation in operations} == {
        "GET /books": "list of books: GET of a collection; the rows are data of the reply",
        "GET /books/{id}": "read of books: GET of an item; {id} is its id",
        "GET /hours": "no resource is implied by its path and schemas",
    }


def test_candidates_are_what_lies_at_or_below_a_collection() -> None:
    found = api(
        {
            "/books/": {"get": answer(LIST)},
            "/books/{id}/": {"get": answer(BOOK)},
            "/hours": {"get": answer(BOOK)},
            "/find": {"get": {**answer(BOOK), "x-resource": {"role": "list", "collection": "/books"}}},
        }
    )
    operations, _ = read_operations(found)
    assert sorted(map(str, candidates(operations))) == ["GET /books/", "GET /books/{id}/", "GET /find"]


def test_roles_are_not_inferred_where_families_serve_all_candidates() -> None:
    """As of the shipped document: a start does without a tenth of its time."""
    document = books(more={"/hours": {"get": answer(BOOK)}})
    operations, _ = read_operations(document)
    stubs, declared = ResourceStubs(document, operations), {"books": Layout(key="id")}
    families = {each for each in operations if each.path != "/hours"}
    assert stubs.layouts(families, declared) == declared
    assert [stubs.stub(each)[0] for each in operations if each not in families] == ["sample"]
    assert "roles" not in vars(stubs)
    assert stubs.layouts(set(), {})["books"].key == KEY


# x-resource.


def test_x_resource_false_takes_the_role_away() -> None:
    found = roles(books({"get": {**answer(BOOK), "x-resource": False}}))
    assert "GET /books/{id}" not in found
    assert found["GET /books"].kind == "list"


def test_x_resource_changes_the_role() -> None:
    found = roles(books({"put": {**taking(BOOK), "x-resource": {"role": "replace"}}}))["PUT /books/{id}"]
    assert (found.kind, found.resource.name, found.why) == ("replace", "books", "x-resource says so")


def test_x_resource_gives_a_role_where_nothing_was_inferred() -> None:
    adding = {**taking(BOOK), "x-resource": {"role": "create", "collection": "/books"}}
    found = roles(books(more={"/add-book": {"post": adding}}))["POST /add-book"]
    assert (found.kind, found.resource.path, found.inside) == ("create", "/books", ())


def test_x_resource_says_where_the_record_is() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string"}, "book": BOOK}}
    found = roles(books({"get": {**answer(schema), "x-resource": {"inside": ["book"]}}}))["GET /books/{id}"]
    assert (found.kind, found.inside) == ("read", ("book",))


def test_x_resource_keeps_what_it_does_not_say() -> None:
    wrapped = {"type": "object", "properties": {"data": BOOK}}
    found = roles(books({"put": {**taking(BOOK, wrapped), "x-resource": {"role": "replace"}}}))["PUT /books/{id}"]
    assert found.inside == ("data",)


@pytest.mark.parametrize(
    "said", [False, {}, {"role": "list"}, {"collection": "/books"}, {"inside": []}, {"inside": ["a", "b"]}]
)
def test_x_resource_of_the_right_form_has_no_fault(said: JSON) -> None:
    assert override_fault(said) is None


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (True, "x-resource is false or an object"),
        (None, "x-resource is false or an object"),
        ("books", "x-resource is false or an object"),
        ({"kind": "list"}, "x-resource has no field 'kind', only role, collection and inside"),
        ({"role": "find"}, "x-resource has no role 'find', only list, create, read, replace, merge, delete, act, view"),
        ({"role": None}, "x-resource has no role None, only list, create, read, replace, merge, delete, act, view"),
        ({"inside": "data"}, "x-resource.inside is a list of names"),
        ({"inside": [1]}, "x-resource.inside is a list of names"),
    ],
    ids=str,
)
def test_x_resource_of_another_form_is_a_fault(said: JSON, fault: str) -> None:
    assert override_fault(said) == fault


@pytest.mark.parametrize("role", [["list"], {"list": 1}], ids=str)
def test_x_resource_role_that_is_no_text_is_a_fault(role: JSON) -> None:
    assert str(override_fault({"role": role})).startswith("x-resource has no role")


@pytest.mark.parametrize("collection", [1, None, ["/books"]], ids=str)
def test_x_resource_collection_that_is_no_text_is_a_fault(collection: JSON) -> None:
    """A list cannot even be looked up: it would end a start with a traceback."""
    assert override_fault({"collection": collection}) is not None


def test_x_resource_faults_are_all_told_with_their_places() -> None:
    document = books({"get": {**answer(BOOK), "x-resource": True}}, {"post": {**taking(BOOK), "x-resource": {"role": "find"}}})
    operations, _ = read_operations(document)
    with pytest.raises(SetupError) as caught:
        ResourceStubs(document, operations)
    told = str(caught.value).split("; ")
    assert len(told) == 2
    assert told[0].startswith("/paths/~1books/post: x-resource has no role 'find'")
    assert told[1].startswith("/paths/~1books~1{id}/get: x-resource is false or an object")


@pytest.mark.parametrize(
    "said",
    [{"role": "read", "collection": "/bookz"}, {"collection": "/bookz"}, {"role": "list"}, {"inside": ["data"]}],
    ids=["no-such-collection", "no-such-collection-nor-role", "no-collection", "neither"],
)
def test_x_resource_that_leads_nowhere_is_a_fault(said: Record) -> None:
    """A slip of the pen must be told at the start, not turn a resource into a sample in silence."""
    document = books(more={"/find": {"get": {**answer(BOOK), "x-resource": said}}})
    operations, _ = read_operations(document)
    with pytest.raises(SetupError, match=r"/paths/~1find/get: .*collection"):
        infer(operations, document)


@pytest.mark.parametrize("role", ["read", "replace", "merge", "delete", "act", "view"])
def test_x_resource_of_an_item_needs_its_parameter_in_the_path(role: str) -> None:
    """Found at the start: at the first call it would be a KeyError."""
    document = books(more={"/find": {"get": {**answer(BOOK), "x-resource": {"role": role, "collection": "/books"}}}})
    operations, _ = read_operations(document)
    with pytest.raises(SetupError, match=r"/paths/~1find/get: .*\bid\b"):
        infer(operations, document)


def test_x_resource_inside_that_the_reply_has_not_is_a_fault() -> None:
    """Found at the start: at the first call it would be a KeyError."""
    document = books({"get": {**answer(BOOK), "x-resource": {"inside": ["book"]}}})
    operations, _ = read_operations(document)
    with pytest.raises(SetupError, match="inside"):
        infer(operations, document)


def test_x_resource_in_yaml_reads_as_it_is_written() -> None:
    """As an author writes it: `false` is YAML's, not a text."""
    operation = yaml.safe_load(
        dedent("""\
            x-resource: false
            responses: {'200': {description: Fine.}}
        """)
    )
    assert "GET /books/{id}" not in roles(books({"get": operation}))


# The reply of success.


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["200"], 200),
        (["404", "201", "200"], 200),
        (["204", "400"], 204),
        (["2XX"], 200),
        (["202", "2XX"], 202),
        (["400", "default"], 200),
        (["400"], 200),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_success_is_the_first_2xx_that_is_listed(statuses: list[str], status: int) -> None:
    operations, _ = read_operations(api({"/x": {"get": {"responses": {each: {"description": "x"} for each in statuses}}}}))
    assert success(operations[0])[0] == status


def test_success_prefers_json_among_media_types() -> None:
    content = {"text/event-stream": {"schema": {"type": "string"}}, "application/json": {"schema": BOOK}}
    document = api({"/x": {"get": {"responses": {"200": {"description": "x", "content": content}}}}})
    operations, _ = read_operations(document)
    _, found = success(operations[0])
    assert found is not None
    assert found.media_type == "application/json"
