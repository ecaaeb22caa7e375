"""The journal of the inspector: calls as they come, each with what is wrong with it at its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.inspector.visit import Visit

IMAGE = "<img src=x onerror="
EVIL = f"{IMAGE}\"document.title='run'\">"


def calls(visit: Visit) -> list[str]:
    """The numbers of the calls that are shown."""
    return visit.page.locator(".calls tbody th, .calls tbody td.number:first-child").all_inner_texts()


def marks(page: Page, region: str) -> list[str]:
    """What is marked in a JSON text."""
    return page.get_by_role("region", name=region).locator("mark").all_inner_texts()


def test_calls_come_in_as_they_are_made(visit: Visit) -> None:
    page = visit.open()
    expect(page.get_by_text("No calls yet")).to_be_visible()
    visit.call("GET", "/v1/api-keys")
    expect(visit.row("/v1/api-keys")).to_contain_text("listApiKeys")
    expect(page.get_by_role("status")).to_have_text("1 new call")


def test_paused_journal_holds_new_calls_back(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="Pause").click()
    visit.call("GET", "/v1/api-keys")
    page.wait_for_function("() => document.querySelector('button[aria-pressed=true]')")
    expect(visit.row("listApiKeys")).to_have_count(0)
    page.get_by_role("button", name="Pause").click()
    expect(visit.row("listApiKeys")).to_have_count(1)


@pytest.mark.parametrize(
    ("label", "value", "fits"),
    [
        ("Operation", "listApiKeys", ["4", "1"]),
        ("Status", "4xx", ["3", "2"]),
        ("Text", "page_size", ["4", "2"]),
        ("Request", "broke", ["3", "2"]),
        ("Blame", "client", ["3", "2"]),
    ],
)
def test_filters_leave_calls_that_fit(visit: Visit, label: str, value: str, fits: list[str]) -> None:
    for path in ("/v1/api-keys", "/v1/configs?page_size=x", "/v1/nothing", "/v1/api-keys?page_size=2"):
        visit.call("GET", path)
    page = visit.open()
    control = page.get_by_label(label, exact=True)
    if control.evaluate("each => each.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)
        control.press("Tab")
    expect(page.locator(".told")).to_have_text("2 calls")
    assert calls(visit) == fits
    assert f"={value}" in page.url


def test_filtered_journal_takes_only_calls_that_fit(visit: Visit) -> None:
    page = visit.open("journal?operation=listConfigs")
    visit.call("GET", "/v1/api-keys")
    visit.call("GET", "/v1/configs")
    expect(visit.row("listConfigs")).to_have_count(1)
    assert calls(visit) == ["2"]
    expect(page.get_by_label("Operation")).to_have_value("listConfigs")


def test_call_is_opened_by_keyboard_and_left_by_back(visit: Visit) -> None:
    visit.call("GET", "/v1/api-keys")
    page = visit.open()
    page.get_by_role("link", name="Call 1").focus()
    visit.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Call 1")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Journal")


def test_violation_is_marked_in_body_and_document(visit: Visit) -> None:
    visit.call("POST", "/v1/api-keys/workspace/service", {"name": 3, "scopes": ["logs.view"]})
    page = visit.open("journal/1")
    assert marks(page, "Body of the request")[0] == "3"
    assert marks(page, "The request at /name")[0] == "3"
    assert marks(page, "The document at /components/schemas/ApiKeyName/type") == ['"string"']
    expect(page.get_by_role("region", name="Body of the request")).to_contain_text("↑ must be string, not integer")


def test_missing_field_is_shown_where_it_should_be(visit: Visit) -> None:
    visit.call("POST", "/v1/configs", {"config": {}})
    page = visit.open("journal/1")
    body = page.get_by_role("region", name="Body of the request")
    assert body.locator("mark.missing").inner_text() == '"name"'
    assert body.locator(".line", has=page.locator("mark.missing")).inner_text().strip() == '"name" is required'
    rule = page.get_by_role("region", name="The document at /components/schemas/CreateConfig/required")
    assert '"required": [' in rule.locator(".line", has=page.locator("mark")).first.inner_text()


@pytest.mark.parametrize(
    ("method", "path", "headers", "table", "marked"),
    [
        ("GET", "/v1/api-keys?page_size=x", {}, "Query", "x"),
        ("DELETE", "/v1/api-keys/none", {}, "Path", "none"),
        ("POST", "/v1/chat/completions", {"X-Portkey-Cache-Force-Refresh": "maybe"}, "Headers", "maybe"),
    ],
    ids=["query", "path", "header"],
)
def test_violation_is_marked_in_its_row(
    visit: Visit, method: str, path: str, headers: dict[str, str], table: str, marked: str
) -> None:
    visit.call(method, path, headers=headers)
    page = visit.open("journal/1")
    row = page.get_by_label("Request").get_by_role("table", name=table).get_by_role("row").filter(has=page.locator("mark"))
    assert row.locator("mark").inner_text() == marked
    assert row.locator(".note").inner_text().startswith("↑ ")


def test_every_way_to_break_the_contract_can_be_shown(visit: Visit) -> None:
    """The page says what it says of any violation, whatever part it is about and however little it tells."""
    many: list[tuple[str, str, Any, dict[str, str]]] = [
        ("POST", "/v1/configs", b"{", {"content-type": "application/json"}),
        ("POST", "/v1/configs", b"a=b", {"content-type": "application/x-www-form-urlencoded"}),
        ("POST", "/v1/configs", b"[]", {"content-type": "application/json"}),
        ("POST", "/v1/configs", b"", {}),
        ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": [{"type": "none"}]}], "n": 0}, {}),
        ("POST", "/v1/api-keys/a/b", {"x": {"y/z~": [1]}}, {}),
        ("POST", "/v1/audio/transcriptions", b"--x--", {"content-type": "multipart/form-data; boundary=x"}),
        ("GET", "/v1/logs/exports/none?x=1&x=2", ..., {}),
    ]
    for method, path, body, headers in many:
        visit.call(method, path, body, headers)
    for number in range(1, len(many) + 1):
        page = visit.open(f"journal/{number}")
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"Call {number}")
        assert page.locator("[role=alert]:not(:empty)").count() == 0


def test_near_misses_name_operations(visit: Visit) -> None:
    visit.call("GET", "/v1/apikeys")
    page = visit.open("journal/1")
    near = page.get_by_role("region", name="What it came close to")
    expect(near.get_by_role("listitem").first).to_contain_text("operation listApiKeys GET /api-keys")


def test_stub_is_made_of_a_call(visit: Visit) -> None:
    visit.call("GET", "/v1/api-keys?page_size=1")
    page = visit.open("journal/1")
    page.get_by_role("link", name="Make a stub of this").click()
    expect(page.get_by_label("Operation")).to_have_value("listApiKeys")
    body = page.get_by_label("Body")
    told = json.loads(body.input_value())
    body.fill(json.dumps({**told, "total": 4711, "data": []}))
    page.get_by_role("button", name="Save").click()
    expect(visit.table("Stubs")).to_contain_text("listApiKeys")
    assert visit.call("GET", "/v1/api-keys").body["total"] == 4711


def test_call_is_copied_as_curl(visits: Any) -> None:
    visit = visits(permissions=["clipboard-read", "clipboard-write"])
    visit.call("POST", "/v1/configs", {"name": "it's", "config": {}})
    page = visit.open("journal/1")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("status")).to_have_text("curl command copied")
    command = page.evaluate("() => navigator.clipboard.readText()")
    assert command.startswith(f"curl '{visit.origin}/v1/configs' ")
    assert "-H 'x-portkey-api-key: [redacted]'" in command
    assert """--data-raw '{"name":"it'\\''s",""" in command


def test_har_is_downloaded(visit: Visit) -> None:
    visit.call("GET", "/v1/api-keys")
    visit.call("GET", "/v1/configs")
    page = visit.open("journal?operation=listConfigs")
    with page.expect_download() as waited:
        page.get_by_role("button", name="HAR").click()
    har = json.loads(waited.value.path().read_text())
    assert waited.value.suggested_filename == f"{visit.world}.har"
    assert [entry["request"]["url"].rpartition("/v1")[2] for entry in har["log"]["entries"]] == ["/configs"]


def test_calls_are_cleared_only_after_a_yes(visit: Visit) -> None:
    visit.call("GET", "/v1/api-keys")
    page = visit.open()
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Cancel").click()
    expect(visit.row("listApiKeys")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Forget them").click()
    expect(page.get_by_text("No calls yet")).to_be_visible()
    assert visit.admin("GET", "/requests/count") == {"count": 0}


def test_journal_begins_anew_with_its_world(visit: Visit) -> None:
    visit.call("GET", "/v1/api-keys")
    visit.call("GET", "/v1/api-keys")
    visit.open()
    assert calls(visit) == ["2", "1"]
    visit.admin("POST", f"/worlds/{visit.world}/reset")
    visit.call("GET", "/v1/configs")
    expect(visit.row("listApiKeys")).to_have_count(0)
    expect(visit.row("listConfigs")).to_have_count(1)


def test_long_journal_is_shown_page_by_page(visit: Visit) -> None:
    journal = visit.app.worlds.get(visit.world).journal
    for number in range(10_050):
        journal.append(0.0, "GET", f"/v1/n{number}", b"", None, 404, 5, "no-such-path", (), b"", b"", b"", b"")
    page = visit.open()
    expect(page.locator(".told")).to_contain_text("10,000 calls; 50 older ones were dropped")
    assert len(calls(visit)) == 100
    page.get_by_role("link", name="Older calls").click()
    expect(page.locator(".calls tbody tr").first).to_contain_text("/v1/n9949")
    visit.call("GET", "/v1/api-keys")
    page.get_by_role("link", name="Newest calls").click()
    expect(page.locator(".calls tbody tr").first).to_contain_text("listApiKeys")
    visit.call("GET", "/v1/configs")
    expect(page.locator(".calls tbody tr").first).to_contain_text("listConfigs")
    assert len(calls(visit)) == 100


def test_what_comes_from_outside_is_text(visit: Visit) -> None:
    visit.call("POST", "/v1/admin/workspaces", {"name": EVIL})
    visit.call("POST", f"/v1/configs?{EVIL.replace(' ', '%20')}", {EVIL: EVIL, "name": 1}, {"x-evil": EVIL})
    response = {"status": 404, "jsonBody": {"a": EVIL}}
    named = {"name": EVIL, "scenarioName": "<b>", "off_contract": True}
    visit.admin("POST", "/mappings", {"request": {"operation": "getConfig"}, "response": response, **named})
    visit.admin("POST", "/faults", {"name": EVIL, "match": {"operation": "getPrompt"}, "effect": {"reset": True}})
    shown = {"journal/2": IMAGE, "resources/workspaces": IMAGE, "stubs": IMAGE, "faults": IMAGE, "scenarios": "<b>"}
    for view, text in shown.items():
        page = visit.open(view)
        expect(page.locator("main")).to_contain_text(text)
        assert page.locator("main img").count() == 0
        assert page.title() != "run"
