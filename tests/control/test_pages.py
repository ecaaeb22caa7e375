"""What a browser gets of the page for people, and what the page asks of the admin API for itself."""

from __future__ import annotations

import re

import pytest

from mockserver.app import App, Settings
from mockserver.control.pages import FOLDER
from tests.conftest import DOCUMENTS, Client


@pytest.mark.parametrize("base", ["", "/worlds/here"])
def test_page_lies_at_the_path_with_a_slash(client: Client, base: str) -> None:
    reply = client.get(f"{base}/__admin?x=1")
    assert (reply.status_code, reply.headers["location"]) == (308, "__admin/")
    assert client.get(f"{base}/__admin/").headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.iterdir()))
def test_every_file_is_served_under_the_policy(client: Client, file: str) -> None:
    reply = client.get(f"/__admin/inspector/{file}")
    kinds = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    assert reply.content == (FOLDER / file).read_bytes()
    assert reply.headers["content-type"].partition(";")[0] == kinds[file.rpartition(".")[2]]
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_file_that_is_none_is_404(client: Client) -> None:
    for name in ("none.js", "..%2Fservice.py", "%2e%2e%2fservice.py"):
        assert client.get(f"/__admin/inspector/{name}").status_code == 404


def test_who_has_a_file_gets_it_no_more(client: Client) -> None:
    first = client.get("/__admin/inspector/app.js")
    etag = first.headers["etag"]
    for condition in (etag, f"W/{etag}", f'"other", {etag}'):
        again = client.get("/__admin/inspector/app.js", headers={"if-none-match": condition})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in again.headers
    assert client.get("/__admin/inspector/app.js", headers={"if-none-match": '"other"'}).status_code == 200


def test_page_names_no_other_host() -> None:
    named = {url for path in FOLDER.iterdir() for url in re.findall(r"""https?://[^\s"']+""", path.read_text())}
    assert named == {"http://www.w3.org/2000/svg"}  # a name, and no address


def test_health_tells_what_the_service_adds(client: Client) -> None:
    assert client.get("/__admin/health").json()["adds"] == ["Scripts"]
    other = Client(App(Settings(document=DOCUMENTS / "shop.yaml")), headers={})
    assert other.get("/__admin/health").json()["adds"] == []


def test_calls_are_found_by_verdict(client: Client) -> None:
    client.get("/v1/api-keys")
    client.get("/v1/api-keys?page_size=x")
    for verdict, numbers in (("kept", [1]), ("broke", [2]), ("unchecked", [])):
        found = client.get(f"/__admin/requests?verdict={verdict}").json()["requests"]
        assert [each["number"] for each in found] == numbers
        assert client.post("/__admin/requests/count", {"verdict": verdict}).json() == {"count": len(numbers)}


def test_waiting_goes_on_after_a_call(client: Client) -> None:
    client.get("/v1/api-keys")
    client.get("/v1/configs")
    told = client.post("/__admin/requests/wait", {"after": 1, "timeout_s": 0}).json()
    assert [each["number"] for each in told["requests"]] == [2]
    assert client.post("/__admin/requests/wait", {"after": 2, "timeout_s": 0}).json()["met"] is False


def test_records_are_searched_by_what_is_shown(client: Client) -> None:
    made = client.post("/v1/api-keys/organisation/service", {"name": "Tide table", "scopes": ["logs.view"]}).json()
    found = client.get("/__admin/records/api_keys?text=tide+TABLE").json()
    assert (found["total"], found["key"], found["records"][0]["id"]) == (1, "id", made["id"])
    assert client.get(f"/__admin/records/api_keys?text={made['key']}").json()["total"] == 0


def test_nothing_of_the_admin_api_is_journalled(client: Client) -> None:
    """Not even what leads nowhere, and the question of a browser for another page whether it may call."""
    for base in ("", f"/worlds/{client.world_name}"):
        client.call("OPTIONS", f"{base}/__admin/reset")
        client.get(f"{base}/__admin/nothing")
    assert client.get("/__admin/requests/count").json() == {"count": 0}
    client.get("/__administer")
    assert client.get("/__admin/requests/count").json() == {"count": 1}
