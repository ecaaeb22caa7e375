"""The document as people and tools read it: /docs, /openapi.json, /openapi.yaml."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from mockserver.app import App, Settings
from mockserver.contract import grammar
from mockserver.values import Record
from tests.conftest import DOCUMENTS, Client

PREFIXES = pytest.mark.parametrize("prefix", ["", "/worlds/somewhere"], ids=["root", "world"])


@pytest.fixture
def visitor(shared_app: App) -> Iterator[Client]:
    """Somebody without a key."""
    name = f"test-{uuid.uuid4().hex}"
    yield Client(shared_app, name, {"x-mock-world": name})
    for world in (name, "somewhere"):
        shared_app.worlds.delete(world)


# The document.


@PREFIXES
def test_openapi_json_is_the_served_document(visitor: Client, prefix: str) -> None:
    reply = visitor.get(f"{prefix}/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == visitor.app.document


@PREFIXES
def test_openapi_yaml_says_the_same(visitor: Client, prefix: str) -> None:
    reply = visitor.get(f"{prefix}/openapi.yaml")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/yaml")
    assert yaml.safe_load(reply.text) == visitor.get("/openapi.json").json()


def test_openapi_yaml_has_no_anchors(visitor: Client) -> None:
    """Shared parts are written out: `&id001` would surprise people, and some tools."""
    assert not re.search(r"^\s*\S*:? [&*]id\d+", visitor.get("/openapi.yaml").text, re.MULTILINE)


def test_openapi_json_is_valid(visitor: Client) -> None:
    document: Record = visitor.get("/openapi.json").json()
    assert [str(error) for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


def test_openapi_json_lists_every_operation_that_is_served(visitor: Client) -> None:
    paths = visitor.get("/openapi.json").json()["paths"]
    listed = {(method, path) for path, item in paths.items() for method in grammar.METHODS if method in item}
    assert listed == {(operation.method, operation.path) for operation in visitor.app.contract.operations}


def test_openapi_json_refers_to_nothing_outside_it(visitor: Client) -> None:
    text = visitor.get("/openapi.json").text
    references = set(re.findall(r'"\$ref":"([^"]*)"', text))
    assert references
    assert {each for each in references if not each.startswith("#/")} == set()


def test_openapi_json_is_that_of_another_document() -> None:
    app = App(Settings(document=DOCUMENTS / "constructs.yaml"))
    served = Client(app, headers={}).get("/openapi.json").json()
    assert served["info"] == yaml.safe_load((DOCUMENTS / "constructs.yaml").read_text(encoding="utf-8"))["info"]


def test_openapi_json_of_a_document_wins_over_ours(tmp_path: Path) -> None:
    """The paths of the document come first: a stand-in must not hide them."""
    path = tmp_path / "own.yaml"
    path.write_text(
        "openapi: 3.0.3\ninfo: {title: Own, version: '1'}\npaths:\n  /openapi.json:\n    get:\n      responses:\n"
        "        '200': {description: Mine., content: {application/json: {schema: {type: string, example: mine}}}}\n",
        encoding="utf-8",
    )
    assert Client(App(Settings(document=path)), headers={}).get("/openapi.json").json() == "mine"


# The page.


@PREFIXES
def test_docs_is_a_page(visitor: Client, prefix: str) -> None:
    reply = visitor.get(f"{prefix}/docs")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert "<title>Portkey</title>" in reply.text


@PREFIXES
def test_every_link_of_the_page_leads_to_this_server(visitor: Client, prefix: str) -> None:
    """Nothing is fetched from elsewhere; what is fetched is there, below a world as well."""
    page = visitor.get(f"{prefix}/docs").text
    links = re.findall(r'(?:src|href|url)[=:] ?"([^"]+)"', page)
    assert len(links) == 3
    for link in links:
        target = urljoin(f"http://localhost{prefix}/docs", link)
        assert target.startswith(f"http://localhost{prefix}/")
        assert visitor.get(target.removeprefix("http://localhost")).status_code == 200, link


@pytest.mark.parametrize(
    ("name", "media_type", "text"),
    [("swagger-ui.css", "text/css", ".swagger-ui"), ("swagger-ui-bundle.js", "javascript", "SwaggerUIBundle")],
)
@PREFIXES
def test_asset_of_the_page_is_served(visitor: Client, prefix: str, name: str, media_type: str, text: str) -> None:
    reply = visitor.get(f"{prefix}/docs/{name}")
    assert reply.status_code == 200
    assert media_type in reply.headers["content-type"]
    assert text in reply.text


@pytest.mark.parametrize(
    "name",
    ["none.js", "..%2F__init__.py", "%2e%2e", "..%5C__init__.py", "%2Fetc%2Fpasswd", "C:%5Cwindows", "a" * 300],
    ids=lambda name: name[:20],
)
def test_asset_that_is_none_is_404(visitor: Client, name: str) -> None:
    """Also for names that try to climb out of the folder."""
    reply = visitor.get(f"/docs/{name}")
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")


def test_title_of_the_page_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(
        "openapi: 3.0.3\ninfo: {title: '<script>alert(1)</script>', version: '1'}\n"
        "paths: {/x: {get: {responses: {'200': {description: x}}}}}\n",
        encoding="utf-8",
    )
    page = Client(App(Settings(document=path)), headers={}).get("/docs").text
    assert "<title>&lt;script&gt;" in page
    assert "<script>alert" not in page


# Manners.


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/openapi.yaml", "/docs/swagger-ui.css"])
def test_reading_the_document_needs_no_key_and_leaves_no_trace(visitor: Client, path: str) -> None:
    before = len(visitor.world.journal)
    assert visitor.get(path).status_code == 200
    assert len(visitor.world.journal) == before


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_other_methods_are_405(visitor: Client, path: str) -> None:
    reply = visitor.post(path, {})
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_head_of_the_document_has_its_length(visitor: Client) -> None:
    reply = visitor.call("HEAD", "/openapi.json")
    assert (reply.status_code, reply.content) == (200, b"")
    assert int(reply.headers["content-length"]) == len(visitor.get("/openapi.json").content)
