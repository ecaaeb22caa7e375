"""Another API, served from its document alone: nothing outside `mockserver/portkey` knows Portkey."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import mockserver
from mockserver import data
from mockserver.app import App, Settings
from mockserver.contract import grammar
from mockserver.contract.loading import load_document
from mockserver.contract.operations import snake_case
from mockserver.values import JSON, Record
from tests.conftest import DOCUMENTS, Client

BASE = "/api/v2"


@pytest.fixture(scope="module")
def library_app() -> App:
    return App(Settings(document=DOCUMENTS / "library.yaml"))


@pytest.fixture
def library(library_app: App) -> Any:
    """The library in a private world, its clock standing still, called with a card."""
    name = f"test-{uuid.uuid4().hex}"
    made = Client(library_app, name, {"x-library-card": "any", "x-mock-world": name})
    made.world.clock.freeze()
    yield made
    library_app.worlds.delete(name)


def member(client: Client, name: str = "Ada", town: str = "York", **fields: JSON) -> Record:
    reply = client.post(f"{BASE}/members", {"name": name, "town": town, **fields})
    assert reply.status_code == 201, reply.text
    made: Record = reply.json()
    return made


def loan(client: Client, member_id: str, title: str = "Emma", **fields: JSON) -> Record:
    reply = client.post(f"{BASE}/members/{member_id}/loans", {"title": title, **fields})
    assert reply.status_code == 201, reply.text
    made: Record = reply.json()
    return made


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert body["status"] == reply.status_code
    assert {"type", "title", "detail"} <= set(body)
    return reply.status_code, body["type"].removeprefix("urn:mockserver:")


def names(reply: httpx.Response) -> list[str]:
    return [each["name"] for each in reply.json()["items"]]


# What the engine makes of the document.


def test_library_needs_no_code(library_app: App) -> None:
    chosen = {operation.id: kind for operation, kind in library_app.resolver.chosen.items()}
    assert chosen.pop("getOpeningHours") == "sample"
    assert "family" not in chosen.values()
    assert {chosen[name] for name in ("addMember", "listMembers", "getMember", "replaceMember", "changeMember")} == {"resource"}


def test_library_broken_reference_is_told(library_app: App) -> None:
    """File or pointer, and what points to nothing."""
    assert len(library_app.faults) == 1
    assert "#/components/schemas/Event" in library_app.faults[0]
    assert "/paths/~1events/get" in library_app.faults[0]


def test_library_broken_reference_costs_its_operation(library: Client) -> None:
    """The operation is not served: it is no defect of the mock's when somebody calls it."""
    reply = library.get(f"{BASE}/events")
    assert reply.status_code < 500
    assert reply.status_code >= 400


def test_library_broken_reference_costs_nothing_else(library: Client) -> None:
    assert library.get(f"{BASE}/members").status_code == 200
    assert library.get(f"{BASE}/opening-hours").status_code == 200


def test_library_sample_is_valid_and_steady(library: Client) -> None:
    reply = library.get(f"{BASE}/opening-hours")
    body = reply.json()
    assert reply.status_code == 200
    assert set(body["days"]) <= {"mon", "tue", "wed", "thu", "fri"}
    assert re.fullmatch("[0-2][0-9]:[0-5][0-9]", body["from"])


# Who calls.


@pytest.mark.parametrize(
    "headers", [{}, {"x-library-card": ""}, {"authorization": "Bearer any"}], ids=["none", "empty", "other"]
)
def test_library_without_a_card_is_401(library: Client, headers: dict[str, str]) -> None:
    nobody = Client(library.app, library.world_name, {"x-mock-world": library.world_name})
    reply = nobody.get(f"{BASE}/members", headers=headers)
    assert problem(reply) == (401, "unauthenticated")
    assert "www-authenticate" in reply.headers


def test_library_takes_any_card(library: Client) -> None:
    assert library.get(f"{BASE}/members", headers={"x-library-card": "another"}).status_code == 200


def test_library_open_operation_needs_no_card(library: Client) -> None:
    assert Client(library.app, headers={}).get(f"{BASE}/opening-hours").status_code == 200


def test_library_unknown_path_needs_no_card(library: Client) -> None:
    assert problem(Client(library.app, headers={}).get(f"{BASE}/nothing")) == (404, "no-such-path")


# Create and read.


def test_member_is_created_as_given(library: Client) -> None:
    made = member(library, email="ada@example.com", active=False)
    assert uuid.UUID(made["id"])
    assert (made["name"], made["town"], made["email"], made["active"]) == ("Ada", "York", "ada@example.com", False)


def test_member_is_stamped_by_the_worlds_clock(library: Client) -> None:
    assert member(library)["created_at"] == library.world.clock.timestamp()


def test_member_gets_defaults(library: Client) -> None:
    assert member(library)["active"] is True


@pytest.mark.parametrize("fields", [{}, {"email": "ada@example.com", "phone": "0123"}, {"email": None}], ids=str)
def test_member_is_read_as_created(library: Client, fields: Record) -> None:
    made = member(library, **fields)
    for _ in range(2):
        reply = library.get(f"{BASE}/members/{made['id']}")
        assert (reply.status_code, reply.json()) == (200, made)
    assert library.get(f"{BASE}/members").json()["items"] == [made]


def test_member_has_nothing_that_was_not_given(library: Client) -> None:
    """An optional field stays out: inventing a phone number for somebody would be a wrong answer."""
    assert "phone" not in member(library)


def test_members_have_ids_of_their_own(library: Client) -> None:
    assert len({member(library)["id"] for _ in range(20)}) == 20


def test_member_lies_in_the_world(library: Client) -> None:
    made = member(library)
    (record,) = library.world["members"].newest()
    assert (record["id"], record["name"]) == (made["id"], "Ada")


@pytest.mark.parametrize("path", ["/members", "//api//v2//members/", "/api/v2/members"])
def test_members_answer_below_root_and_base_path(library: Client, path: str) -> None:
    made = member(library)
    reply = library.get(f"http://localhost{path}")
    assert [each["id"] for each in reply.json()["items"]] == [made["id"]]


# List.


def test_members_are_listed_newest_first(library: Client) -> None:
    for name in ("Ada", "Ben", "Chie"):
        member(library, name)
        library.world.clock.move(timedelta(seconds=1))
    reply = library.get(f"{BASE}/members")
    assert names(reply) == ["Chie", "Ben", "Ada"]
    assert reply.json()["count"] == 3


def test_members_of_an_empty_world_are_none(library: Client) -> None:
    assert library.get(f"{BASE}/members").json() == {"items": [], "count": 0}


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", range(11, 1, -1)),
        ("?limit=3", [11, 10, 9]),
        ("?limit=3&offset=3", [8, 7, 6]),
        ("?limit=50", range(11, -1, -1)),
        ("?offset=10", [1, 0]),
        ("?offset=12", []),
        ("?limit=50&offset=11", [0]),
    ],
)
def test_members_are_paged(library: Client, query: str, numbers: list[int]) -> None:
    """Twelve members; ten on a page unless the call says otherwise, as the document's default has it."""
    for number in range(12):
        member(library, f"m{number}")
    reply = library.get(f"{BASE}/members{query}")
    assert names(reply) == [f"m{number}" for number in numbers]
    assert reply.json()["count"] == 12


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("town=York", ["Dara", "Ada"]),
        ("town=Leeds", ["Chie", "Ben"]),
        ("town=Hull", []),
        ("active=false", ["Chie"]),
        ("town=Leeds&active=true", ["Ben"]),
        ("town=York&limit=1", ["Dara"]),
        ("town=York&limit=1&offset=1", ["Ada"]),
    ],
)
def test_members_are_filtered(library: Client, query: str, found: list[str]) -> None:
    member(library, "Ada", "York")
    member(library, "Ben", "Leeds")
    member(library, "Chie", "Leeds", active=False)
    member(library, "Dara", "York")
    assert names(library.get(f"{BASE}/members?{query}")) == found


def test_members_count_is_that_of_the_filter(library: Client) -> None:
    member(library, "Ada", "York")
    member(library, "Ben", "Leeds")
    assert library.get(f"{BASE}/members?town=York&limit=1").json()["count"] == 1


# Update.


def test_member_patch_merges(library: Client) -> None:
    made = member(library, email="ada@example.com", active=False)
    reply = library.call("PATCH", f"{BASE}/members/{made['id']}", {"town": "Leeds"})
    assert reply.status_code == 200
    assert reply.json() == {**made, "town": "Leeds"}
    assert library.get(f"{BASE}/members/{made['id']}").json() == {**made, "town": "Leeds"}


def test_member_patch_with_null_clears(library: Client) -> None:
    made = member(library, email="ada@example.com")
    library.call("PATCH", f"{BASE}/members/{made['id']}", {"email": None})
    assert library.get(f"{BASE}/members/{made['id']}").json()["email"] is None


def test_member_put_replaces(library: Client) -> None:
    """What the call does not say is gone; what only the server sets stays."""
    made = member(library, email="ada@example.com", phone="0123")
    reply = library.put(f"{BASE}/members/{made['id']}", {"name": "Eve", "town": "Hull"})
    body = reply.json()
    assert reply.status_code == 200
    assert (body["id"], body["created_at"]) == (made["id"], made["created_at"])
    assert (body["name"], body["town"]) == ("Eve", "Hull")
    assert body.get("email") is None
    assert "phone" not in body


def test_member_put_fills_defaults(library: Client) -> None:
    """As for a new member: the value that is meant when none is given (OpenAPI 3.0.3, Schema Object, `default`)."""
    made = member(library, active=False)
    assert library.put(f"{BASE}/members/{made['id']}", {"name": "Eve", "town": "Hull"}).json()["active"] is True


def test_member_put_is_read_as_answered(library: Client) -> None:
    made = member(library, email="ada@example.com", phone="0123")
    body = library.put(f"{BASE}/members/{made['id']}", {"name": "Eve", "town": "Hull"}).json()
    assert library.get(f"{BASE}/members/{made['id']}").json() == body
    assert library.get(f"{BASE}/members").json()["items"] == [body]


def test_member_put_needs_everything(library: Client) -> None:
    made = member(library)
    reply = library.put(f"{BASE}/members/{made['id']}", {"name": "Eve"})
    assert problem(reply) == (400, "invalid-request")
    assert [each["pointer"] for each in reply.json()["violations"]] == ["/town"]
    assert library.get(f"{BASE}/members/{made['id']}").json() == made


def test_member_keeps_its_place_after_an_update(library: Client) -> None:
    first = member(library, "Ada")
    member(library, "Ben")
    library.call("PATCH", f"{BASE}/members/{first['id']}", {"name": "Eve"})
    assert names(library.get(f"{BASE}/members")) == ["Ben", "Eve"]


# Delete.


def test_member_is_deleted(library: Client) -> None:
    made = member(library)
    reply = library.delete(f"{BASE}/members/{made['id']}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert "content-type" not in reply.headers
    assert problem(library.get(f"{BASE}/members/{made['id']}")) == (404, "not-found")
    assert library.get(f"{BASE}/members").json()["count"] == 0


@pytest.mark.parametrize(
    ("method", "sent"), [("GET", ...), ("PUT", {"name": "a", "town": "b"}), ("PATCH", {"name": "a"}), ("DELETE", ...)]
)
def test_member_that_is_not_there_is_404(library: Client, method: str, sent: JSON) -> None:
    reply = library.call(method, f"{BASE}/members/{uuid.uuid4()}", sent)
    assert problem(reply) == (404, "not-found")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_member_deleted_twice_is_404(library: Client, method: str) -> None:
    made = member(library)
    library.delete(f"{BASE}/members/{made['id']}")
    assert library.call(method, f"{BASE}/members/{made['id']}").status_code == 404


# Nested.


def test_loan_has_a_number(library: Client) -> None:
    reader = member(library)
    assert [loan(library, reader["id"])["id"] for _ in range(3)] == [1, 2, 3]


def test_loan_knows_its_member(library: Client) -> None:
    reader = member(library)
    made = loan(library, reader["id"], "Emma", days=7)
    assert made == {"id": 1, "title": "Emma", "days": 7, "member_id": reader["id"]}
    assert library.get(f"{BASE}/members/{reader['id']}/loans/1").json() == made


def test_loan_gets_defaults(library: Client) -> None:
    assert loan(library, member(library)["id"])["days"] == 28


def test_loans_are_those_of_their_member(library: Client) -> None:
    one, other = member(library), member(library)
    loan(library, one["id"], "Emma")
    mine = loan(library, other["id"], "Ivanhoe")
    body = library.get(f"{BASE}/members/{other['id']}/loans").json()
    assert body == {"items": [mine], "count": 1}
    assert problem(library.get(f"{BASE}/members/{one['id']}/loans/{mine['id']}")) == (404, "not-found")


def test_loan_numbers_are_not_given_out_twice(library: Client) -> None:
    reader = member(library)
    first = loan(library, reader["id"])
    library.delete(f"{BASE}/members/{reader['id']}/loans/{first['id']}")
    assert loan(library, reader["id"])["id"] != first["id"]


@pytest.mark.parametrize(
    ("method", "path", "sent"), [("GET", "", ...), ("POST", "", {"title": "Emma"}), ("GET", "/1", ...), ("DELETE", "/1", ...)]
)
def test_loans_of_nobody_are_404(library: Client, method: str, path: str, sent: JSON) -> None:
    reply = library.call(method, f"{BASE}/members/{uuid.uuid4()}/loans{path}", sent)
    assert problem(reply) == (404, "not-found")


def test_loans_go_with_their_member(library: Client) -> None:
    """Nothing lies below what is not there."""
    reader = member(library)
    loan(library, reader["id"])
    library.delete(f"{BASE}/members/{reader['id']}")
    assert problem(library.get(f"{BASE}/members/{reader['id']}/loans/1")) == (404, "not-found")


# Refusals.


@pytest.mark.parametrize(
    ("sent", "places"),
    [
        ({}, ["/name", "/town"]),
        ({"name": "", "town": 5}, ["/name", "/town"]),
        ({"name": "a", "town": "b", "email": "none"}, ["/email"]),
        ({"name": "a", "town": "b", "active": "yes"}, ["/active"]),
        ({"name": "a", "town": "b", "more": 1}, [""]),
        ([], [""]),
    ],
    ids=str,
)
def test_member_that_breaks_the_contract_is_400(library: Client, sent: JSON, places: list[str]) -> None:
    reply = library.post(f"{BASE}/members", sent)
    assert problem(reply) == (400, "invalid-request")
    assert sorted(each["pointer"] for each in reply.json()["violations"]) == places
    assert len(library.world["members"]) == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=51", "limit=x", "offset=-1", "active=perhaps"])
def test_members_page_that_is_none_is_400(library: Client, query: str) -> None:
    assert problem(library.get(f"{BASE}/members?{query}")) == (400, "invalid-request")


@pytest.mark.parametrize("path", ["/members/none", "/members/7"])
def test_member_id_that_is_none_is_400(library: Client, path: str) -> None:
    assert problem(library.get(f"{BASE}{path}")) == (400, "invalid-request")


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"<a/>", "application/xml", 415),
        (b"\xff", "application/json", 400),
    ],
)
def test_member_that_cannot_be_read_is_refused(library: Client, content: bytes, media_type: str, status: int) -> None:
    reply = library.post(f"{BASE}/members", content=content, headers={"content-type": media_type})
    assert problem(reply)[0] == status


def test_member_that_is_too_large_is_413(library: Client) -> None:
    reply = library.post(f"{BASE}/members", {"name": "a" * (11 * 2**20), "town": "b"})
    assert problem(reply) == (413, "body-too-large")


def test_other_method_is_405(library: Client) -> None:
    reply = library.call("PATCH", f"{BASE}/members")
    assert problem(reply) == (405, "method-not-allowed")
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("headers", [{}, {"x-library-card": "any"}], ids=["no-card", "card"])
def test_operation_with_errors_of_its_own_is_refused_as_others_are(library: Client, headers: dict[str, str]) -> None:
    """The document words its errors itself (`default`, as JSON). A refusal is a refusal there too, never a 500."""
    asking = Client(library.app, library.world_name, {"x-mock-world": library.world_name, **headers})
    reply = asking.get(f"{BASE}/desk/where%00")
    assert reply.status_code == (400 if headers else 401)


def test_operation_with_a_404_of_its_own_gives_404(library: Client) -> None:
    assert library.get(f"{BASE}/desk/nobody-asked-this").status_code in (200, 404)


# Worlds.


def test_members_are_remembered_per_world(library: Client) -> None:
    made = member(library)
    other = f"{library.world_name}-other"
    there = library.get(f"/worlds/{other}{BASE}/members/{made['id']}")
    library.app.worlds.delete(other)
    assert problem(there) == (404, "not-found")
    assert library.get(f"{BASE}/members/{made['id']}").status_code == 200


def test_worlds_make_the_same_bytes_of_the_same_calls(library_app: App) -> None:
    bodies = []
    for name in ("same-1", "same-2"):
        library_app.worlds.delete(name)
        client = Client(library_app, name, {"x-library-card": "any", "x-mock-world": name})
        client.world.clock.freeze(library_app.worlds.get("same-1").clock.now())
        made = member(client)
        bodies.append((made, loan(client, made["id"]), client.get(f"{BASE}/members").content))
    assert bodies[0] == bodies[1]


def test_refused_call_leaves_the_world_as_it_was(library: Client) -> None:
    """No call changes state unless it is answered with success; ids are state too."""
    drawn = library.world.ids.drawn
    library.post(f"{BASE}/members", {"name": "a"})
    library.get(f"{BASE}/members/{uuid.uuid4()}")
    library.post(f"{BASE}/members/{uuid.uuid4()}/loans", {"title": "Emma"})
    assert library.world.ids.drawn == drawn
    assert {name: len(each) for name, each in library.world.collections.items() if len(each)} == {}


def test_admin_api_shows_the_library(library: Client) -> None:
    made = member(library)
    assert library.get("/__admin/health").json()["serves"] == "Lending Library"
    assert library.get("/__admin/records").json()["collections"] == {"members": 1}
    shown = library.get("/__admin/records/members").json()["records"][0]
    assert (shown["id"], shown["name"]) == (made["id"], "Ada")


# Nobody but the family package knows Portkey.

PACKAGE = Path(mockserver.__file__).parent
SHIPPED = {"portkey", "bundled", "shipped", "testing"}
"""Folders that are Portkey's own, copies of its document and fixtures, and what the pytest plugin gives to its users."""
TOLD = {"data.py", "pytest_plugin.py"}
"""Where the defaults are named, and the plugin whose pytest fixture is named after the service."""


def sources() -> list[Path]:
    return [
        path
        for path in sorted(PACKAGE.rglob("*"))
        if path.suffix in (".py", ".yaml", ".html", ".js", ".css", ".jinja")
        and path.relative_to(PACKAGE).parts[0] not in SHIPPED
        and str(path.relative_to(PACKAGE)) not in TOLD
    ]


ENGLISH = re.compile(r"(?!workspaces)[a-z]+")
"""Families of one plain word (files, logs, models) are left out: the engine has files and logs of its own."""


def operations(path: Path) -> list[Record]:
    paths = load_document(path).document["paths"]
    return [item[method] for item in paths.values() for method in grammar.METHODS if method in item]


def families() -> list[str]:
    tags = {str(tag).split(">")[0] for each in operations(data.DOCUMENT) for tag in each.get("tags", ())}
    return sorted({name for name in map(snake_case, tags) if ENGLISH.fullmatch(name) is None})


def mentions(text: str, word: str) -> list[int]:
    """The lines that say a word, however it is put together: api_keys, api-keys, apiKeys, `API keys`."""
    pattern = re.compile(r"(?<![a-z])" + r"[-_ ]?".join(map(re.escape, word.split("_"))) + r"(?![a-z])", re.IGNORECASE)
    return [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def test_engine_sources_are_found() -> None:
    names_ = {str(path.relative_to(PACKAGE)) for path in sources()}
    assert {"app.py", "cli.py", "control/openapi.yaml", "world/world.py", "stubs/resources.py"} <= names_
    assert not any(name.startswith("portkey") for name in names_)


@pytest.mark.parametrize("word", ["portkey", *families()])
def test_engine_names_neither_portkey_nor_its_families(word: str) -> None:
    found = {
        f"{path.relative_to(PACKAGE)}:{line}" for path in sources() for line in mentions(path.read_text(encoding="utf-8"), word)
    }
    assert found == set()


def test_engine_names_no_operation_of_portkey() -> None:
    own = {each.get("operationId") for path in (data.CONTROL_DOCUMENT, data.SITE_DOCUMENT) for each in operations(path)}
    ids = {each.get("operationId", "") for each in operations(data.DOCUMENT)} - own
    pattern = re.compile(r"\b(" + "|".join(sorted(name for name in ids if re.search("[a-z][A-Z]", name))) + r")\b")
    found = {
        f"{path.relative_to(PACKAGE)}:{number} {match[0]}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in pattern.finditer(line)
    }
    assert found == set()


def test_engine_imports_nothing_of_portkey() -> None:
    imports = re.compile(r"^\s*(from|import)\s+mockserver\.portkey", re.MULTILINE)
    found = [str(path.relative_to(PACKAGE)) for path in sources() if path.suffix == ".py" and imports.search(path.read_text())]
    assert found == []
