"""The page as a whole: who may see it and drive it, and that everybody can use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from mockserver.app import App
from tests.inspector.conftest import TOKEN, Opened
from tests.inspector.visit import Visit

HERE = Path(__file__).parent
VIEWS = (
    "journal", "journal/1", "resources", "resources/api_keys", "stubs", "stubs/new", "faults", "scenarios", "scripts",
    "clock", "coverage", "document", "worlds",
)  # fmt: skip


def script(name: str) -> str:
    return (HERE / name).read_text()


def filled(visit: Visit) -> Visit:
    """A world in which there is something to see in every view."""
    visit.call("POST", "/v1/api-keys/workspace/service", {"name": 3, "workspace_id": "x" * 80})
    visit.call("GET", "/v1/apikeys")
    visit.admin(
        "POST",
        "/mappings",
        {"request": {"operation": "listApiKeys"}, "response": {"status": 401}, "scenarioName": "s", "off_contract": True},
    )
    visit.admin("POST", "/faults", {"match": {"operation": "listConfigs"}, "effect": {"error": {"status": 429}}})
    visit.admin("POST", "/scripts", {"answer": {"text": "Four."}})
    visit.admin("PUT", f"/worlds/{visit.world}/snapshots/before")
    visit.call("GET", "/v1/api-keys")
    return visit


class Seen(NamedTuple):
    """What was seen of a view: texts that stand out too little, controls without names, ids, and whether it fits."""

    faint: list[str]
    nameless: list[str]
    ids: list[str]
    fits: bool


@pytest.fixture(scope="module", params=[("light", 1200), ("dark", 320)], ids=["light and wide", "dark and narrow"])
def seen(request: pytest.FixtureRequest, browser: Browser, served: tuple[App, str]) -> dict[str, Seen]:
    """What is seen of every view on one way through all of them."""
    scheme, width = request.param
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 700})
    visit = filled(Visit(context, *served, f"seen-{scheme}"))
    found = {}
    for view in VIEWS:
        page = visit.open(view)
        ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((each) => each.id)")
        fits = page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        found[view] = Seen(page.evaluate(script("faint.js")), page.evaluate(script("nameless.js")), ids, fits)
    context.close()
    visit.app.worlds.delete(visit.world)
    return found


def test_text_stands_out_from_its_ground(seen: dict[str, Seen]) -> None:
    """At least 4.5 to 1 for text of any size (WCAG 2.2, 1.4.3)."""
    assert {view: each.faint for view, each in seen.items() if each.faint} == {}


def test_all_controls_have_names(seen: dict[str, Seen]) -> None:
    assert {view: each.nameless for view, each in seen.items() if each.nameless} == {}


def test_ids_are_unique(seen: dict[str, Seen]) -> None:
    assert [view for view, each in seen.items() if len(each.ids) != len(set(each.ids))] == []


def test_no_window_needs_scrolling_aside(seen: dict[str, Seen]) -> None:
    """320 pixels are 1280 at four times the size (WCAG 2.2, 1.4.10); tables and code may scroll within themselves."""
    assert [view for view, each in seen.items() if not each.fits] == []


def test_views_are_chosen_by_keyboard(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Clock").focus()
    visit.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clock")
    assert page.title() == f"Clock · {visit.world} · Portkey"
    assert page.evaluate("() => document.querySelector('nav [aria-current]').textContent") == "Clock"


def test_first_tab_skips_to_the_content(visit: Visit) -> None:
    page = visit.open()
    visit.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    visit.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    assert page.url.endswith("/journal")


def test_focus_can_be_seen_on_every_control(visit: Visit) -> None:
    page = visit.open()
    for _ in range(22):
        visit.press("Tab")
        width = page.evaluate(
            "() => document.activeElement === document.body ? '2px' : getComputedStyle(document.activeElement).outlineWidth"
        )
        assert width == "2px"


def test_nothing_moves_for_who_wants_no_motion(visits: Opened) -> None:
    visit = visits(reduced_motion="reduce")
    visit.open()
    visit.call("GET", "/v1/api-keys")
    arrived = visit.row("listApiKeys")
    expect(arrived).to_be_visible()
    assert arrived.evaluate("each => getComputedStyle(each).animationName") == "none"


def test_page_of_a_world_shows_that_world(visit: Visit) -> None:
    visit.page.goto(f"{visit.origin}/worlds/{visit.world}/__admin")
    page = visit.shown()
    expect(page.get_by_label("World", exact=True)).to_have_value(visit.world)
    visit.call("GET", "/v1/api-keys")
    expect(visit.row("listApiKeys")).to_be_visible()


def test_world_is_chosen(visit: Visit) -> None:
    page = visit.open("resources")
    page.get_by_label("World", exact=True).select_option("default")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.url.endswith("#/default/resources")


def test_world_that_is_not_there_is_not_made_by_looking(visit: Visit) -> None:
    other = f"{visit.world}-none"
    page = visit.page
    page.goto(f"{visit.origin}/__admin/#/{other}/clock")
    expect(page.get_by_text(f"There is no world {other}")).to_be_visible()
    assert other not in visit.app.worlds.names()
    page.get_by_role("button", name="Make it from the seed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clock")
    visit.app.worlds.delete(other)


def test_any_document_can_be_looked_at(visits: Opened, other: tuple[App, str]) -> None:
    """Without what Portkey adds, and with an operation that has no name of its own."""
    visit = visits(other)
    visit.call("GET", "/v1/lines/newBooks")
    visit.call("GET", "/nothing")
    for view in (*VIEWS[:3], "journal/2", "stubs/new", "faults", "clock", "document", "worlds", "coverage"):
        page = visit.open(view)
        assert page.get_by_role("alert").filter(has_text="cannot").count() == 0, view
    expect(visit.row("get_lines_new_books")).to_contain_text("200")
    expect(page.get_by_role("link", name="Scripts")).to_have_count(0)


def test_what_cannot_be_done_is_told(visit: Visit) -> None:
    visit.admin("POST", "/scripts", {"answer": {"text": "Four."}})
    page = visit.open("scripts")
    visit.admin("DELETE", "/scripts")
    page.get_by_role("button", name="Delete script").click()
    expect(page.get_by_role("alert").filter(has_text="There is no script")).to_be_visible()


def test_many_worlds_are_searched(visit: Visit) -> None:
    names = [f"{visit.world}-{number}" for number in range(250)]
    for name in names:
        visit.app.worlds.get(name)
    page = visit.open("worlds")
    expect(page.locator(".told")).to_contain_text("200 of")
    page.get_by_label("Text").fill(names[-1])
    expect(page.locator(".told")).to_have_text("1 world")
    for name in names:
        visit.app.worlds.delete(name)


def test_document_is_searched(visit: Visit) -> None:
    page = visit.open("document")
    page.get_by_label("Text").fill("rotate")
    expect(page.locator(".told")).to_contain_text("operation")
    link = page.get_by_role("link", name="rotateApiKey", exact=True)
    expect(link).to_have_attribute("href", "/docs#/Api-Keys/rotateApiKey")


def test_coverage_counts_operations_and_names_holes(visit: Visit) -> None:
    for path in ("/v1/api-keys", "/v1/api-keys", "/v1/api-keys?page_size=x", "/v1/none"):
        visit.call("GET", path)
    page = visit.open("coverage")
    total = len(visit.app.contract.operations)
    expect(page.locator("main")).to_contain_text(f"1 of {total} operations called by the calls in the journal, 1 call of none.")
    row = visit.row("listApiKeys")
    expect(row).to_contain_text("200 \u00d7 2")
    expect(row).to_contain_text("400 \u00d7 1")
    page.get_by_label("Show").select_option("holes")
    expect(row).to_have_count(0)
    expect(visit.row("getApiKey")).to_have_count(1)


def test_holes_of_an_operation_say_what_would_fill_them(visit: Visit) -> None:
    visit.call("GET", "/v1/api-keys")
    page = visit.open("coverage")
    page.get_by_role("link", name="listApiKeys").click()
    expect(page.locator("main")).to_contain_text("GET /api-keys: 1 call, ")
    hole = visit.table("What was not touched").get_by_role("row").filter(has_text="page_size").first
    expect(hole).to_contain_text("parameter")


def test_token_is_asked_for_once(visits: Opened, guarded: tuple[App, str]) -> None:
    visit = visits(guarded)
    page = visit.page
    page.goto(f"{visit.origin}/__admin/#/{visit.world}/journal")
    page.get_by_role("textbox", name="Admin token").fill("wrong")
    visit.press("Enter")
    page.get_by_role("textbox", name="Admin token").fill(TOKEN)
    visit.press("Enter")
    expect(page.get_by_text("No calls yet")).to_be_visible()
    page.reload()
    expect(page.get_by_text("No calls yet")).to_be_visible()
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("() => localStorage.length") == 0


def test_without_token_nothing_is_shown(visits: Opened, guarded: tuple[App, str]) -> None:
    visit = visits(guarded)
    page = visit.page
    page.goto(f"{visit.origin}/__admin/#/{visit.world}/journal")
    page.get_by_role("textbox", name="Admin token").wait_for()
    visit.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("The admin token is missing or wrong")


def test_policy_lets_no_script_in(visit: Visit) -> None:
    """Should markup get in after all, it does nothing: scripts within the page are refused by the policy."""
    page = visit.open()
    page.evaluate("""() => {
      const script = document.createElement('script');
      script.textContent = "document.title = 'run'";
      document.body.append(script);
    }""")
    assert page.title() != "run"
    assert any("Content Security Policy" in each for each in visit.complaints)
    visit.complaints.clear()


@pytest.fixture
def evil(served: tuple[App, str], visit: Visit) -> Iterator[str]:
    """A page of another origin on this machine that tries what a page can."""
    told = (
        script("evil.html")
        .replace("ADMIN", f"{visit.origin}/worlds/{visit.world}/__admin")
        .replace("WORLD", visit.world)
        .encode()
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_page_of_another_origin_drives_nothing(visit: Visit, evil: str) -> None:
    visit.call("GET", "/v1/api-keys")
    before = visit.admin("GET", f"/worlds/{visit.world}")
    statuses: list[int] = []
    page: Page = visit.page
    page.on("response", lambda reply: statuses.append(reply.status) if "__admin" in reply.url else None)
    page.goto(evil, wait_until="networkidle")
    page.wait_for_selector("body[data-done=yes]")
    assert page.title() == "evil"
    assert set(statuses) <= {204, 403}
    assert statuses.count(403) >= 4, "the server refused, not the browser alone"
    assert visit.admin("GET", f"/worlds/{visit.world}") == before
    assert visit.admin("GET", "/mappings")["mappings"] == []
    visit.complaints.clear()
