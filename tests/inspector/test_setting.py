"""What is set by hand on the page: stubs, faults, scripts, scenarios, the clock, worlds, records."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.inspector.visit import Visit

EMPTY = {"object": "list", "total": 0, "data": []}


def test_stub_of_the_form_answers(visit: Visit) -> None:
    page = visit.open("stubs")
    page.get_by_role("link", name="Add a stub").click()
    page.get_by_label("Operation").fill("listApiKeys")
    page.get_by_label("Body").fill(json.dumps(EMPTY))
    page.get_by_role("button", name="Save").click()
    expect(visit.row("listApiKeys")).to_contain_text("0 / 0")
    assert visit.call("GET", "/v1/api-keys").body == EMPTY
    page.reload()
    expect(visit.row("listApiKeys")).to_contain_text("1 / 1")


def test_form_of_stubs_starts_with_the_example(visit: Visit) -> None:
    page = visit.open("stubs/new")
    page.get_by_label("Operation").fill("listApiKeys")
    page.wait_for_function("() => JSON.parse(document.querySelector('form textarea').value).object === 'list'")
    definition = json.loads(page.get_by_label("Definition").input_value())
    assert definition["request"] == {"operation": "listApiKeys"}
    assert definition["response"]["jsonBody"]["object"] == "list"


def test_refused_stub_shows_what_is_wrong_at_its_place(visit: Visit) -> None:
    page = visit.open("stubs/new")
    editor = page.get_by_label("Definition")
    editor.fill(json.dumps({"request": {"operation": "listApiKeys"}, "response": {"jsonBody": {**EMPTY, "total": "none"}}}))
    page.get_by_role("button", name="Save").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The mapping cannot be set")
    assert alert.locator("mark").all_inner_texts() == ['"none"']
    alert.get_by_role("button", name="/response/jsonBody/total").click()
    expect(editor).to_be_focused()
    assert editor.evaluate("each => each.value.slice(each.selectionStart, each.selectionEnd)") == '"none"'
    assert visit.admin("GET", "/mappings")["mappings"] == []


def test_text_that_is_no_json_is_told_with_its_line(visit: Visit) -> None:
    page = visit.open("stubs/new")
    page.get_by_label("Definition").fill('{\n  "request": ]\n}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("This is no JSON: see line 2, column 14")


def test_stub_is_changed_and_deleted_by_keyboard(visit: Visit) -> None:
    visit.admin("POST", "/mappings", {"name": "mine", "request": {"operation": "listApiKeys"}, "response": {"jsonBody": EMPTY}})
    page = visit.open("stubs")
    page.get_by_role("link", name="mine").focus()
    visit.press("Enter")
    editor = page.get_by_label("Definition")
    editor.fill(editor.input_value().replace('"total": 0', '"total": 7'))
    visit.press("Tab", "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Stubs")
    assert visit.call("GET", "/v1/api-keys").body["total"] == 7
    page.get_by_role("button", name="Delete mine").focus()
    visit.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Delete the stub?")
    visit.press("Enter")
    expect(page.get_by_text("No stubs: the operations answer.")).to_be_visible()


def test_fault_of_the_form_strikes(visit: Visit) -> None:
    page = visit.open("faults")
    page.get_by_label("Operation").fill("listApiKeys")
    page.get_by_label("N-th call").fill("2")
    page.get_by_label("Status").fill("429")
    page.get_by_role("button", name="Set it").click()
    expect(visit.table("Faults")).to_contain_text("listApiKeys, call 2")
    assert [visit.call("GET", "/v1/api-keys").status for _ in range(3)] == [200, 429, 200]


@pytest.mark.parametrize(
    ("effect", "definition"),
    [
        ("delay", {"effect": {"delay": {"type": "fixed", "milliseconds": 1000}}}),
        ("reset", {"effect": {"reset": True}}),
        ("cut", {"effect": {"cut": {"after_bytes": 10}}}),
        ("half_stream", {"effect": {"half_stream": {"after_events": 1}}}),
        ("slow_body", {"effect": {"slow_body": {"bytes_per_s": 100}}}),
    ],
)
def test_every_kind_of_fault_is_set(visit: Visit, effect: str, definition: dict[str, object]) -> None:
    page = visit.open("faults")
    page.get_by_label("Effect").select_option(effect)
    assert json.loads(page.get_by_label("Definition").input_value()) == definition
    page.get_by_role("button", name="Set it").click()
    expect(visit.table("Faults")).to_contain_text("all calls")
    (fault,) = visit.admin("GET", "/faults")["faults"]
    assert fault["effect"] == definition["effect"]


def test_script_says_what_a_model_answers(visit: Visit) -> None:
    page = visit.open("scripts")
    page.get_by_label("Definition").fill('{"answer": {"text": "Set by hand."}}')
    page.get_by_role("button", name="Add it").click()
    expect(visit.table("Scripts")).to_contain_text("Set by hand.")
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    reply = visit.call("POST", "/v1/chat/completions", asked, {"x-portkey-provider": "openai", "authorization": "Bearer x"})
    assert reply.body["choices"][0]["message"]["content"] == "Set by hand."


def test_scenario_is_put_into_a_state_and_back(visit: Visit) -> None:
    request = {"operation": "listApiKeys"}
    answers = {"Started": 1, "paid": 2}
    for state, total in answers.items():
        named = {"scenarioName": "order", "requiredScenarioState": state}
        visit.admin("POST", "/mappings", {"request": request, "response": {"jsonBody": {**EMPTY, "total": total}}, **named})
    page = visit.open("scenarios")
    page.get_by_label("State of order").select_option("paid")
    expect(page.get_by_role("status")).to_have_text("order is at paid")
    assert visit.call("GET", "/v1/api-keys").body["total"] == 2
    page.get_by_role("button", name="Put all back").click()
    expect(page.get_by_label("State of order")).to_have_value("Started")


def test_clock_is_moved_set_and_let_run(visit: Visit) -> None:
    visit.admin("PUT", "/clock", {"now": "2027-03-01T12:00:00Z", "frozen": True})
    page = visit.open("clock")
    shown = page.locator("p.clock")
    expect(shown).to_have_text("2027-03-01 12:00:00 UTC")
    page.get_by_role("button", name="1 day on", exact=True).click()
    expect(shown).to_have_text("2027-03-02 12:00:00 UTC")
    page.get_by_label("Seconds").fill("-90")
    visit.press("Enter")
    expect(shown).to_have_text("2027-03-02 11:58:30 UTC")
    page.get_by_label("Time", exact=True).fill("2030-01-01T00:00:00Z")
    visit.press("Enter")
    expect(page.get_by_role("banner")).to_contain_text("2030-01-01 00:00:00 UTC stands still")
    page.get_by_role("button", name="Let it run").click()
    expect(page.get_by_text("It runs.")).to_be_visible()
    assert visit.admin("GET", "/clock")["frozen"] is False


def test_time_that_is_none_is_refused_on_the_page(visit: Visit) -> None:
    page = visit.open("clock")
    page.get_by_label("Time", exact=True).fill("tomorrow")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_role("alert")).to_contain_text("body/now")


def test_world_is_made_of_another_and_deleted(visit: Visit) -> None:
    visit.call("POST", "/v1/admin/workspaces", {"name": "Only here"})
    page = visit.open("worlds")
    copy = f"{visit.world}-copy"
    page.get_by_label("Name").fill(copy)
    page.get_by_label("From").select_option(label=visit.world)
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("link", name=copy)).to_be_visible()
    names = visit.call("GET", "/v1/admin/workspaces", ..., {"x-mock-world": copy}).body["data"]
    assert "Only here" in [each["name"] for each in names]
    page.get_by_role("button", name=f"Delete {copy}").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("link", name=copy)).to_have_count(0)


def test_world_goes_back_to_a_snapshot(visit: Visit) -> None:
    page = visit.open("worlds")
    page.get_by_role("button", name=f"Snapshot {visit.world}").click()
    page.get_by_label("Name of the snapshot").fill("before")
    visit.press("Enter")
    restore = page.get_by_role("button", name=f"Restore before of {visit.world}")
    expect(restore).to_be_visible()
    made = visit.call("POST", "/v1/admin/workspaces", {"name": "Gone soon"}).body["id"]
    restore.click()
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("status")).to_have_text(f"{visit.world} is back at before")
    assert visit.call("GET", f"/v1/admin/workspaces/{made}").status != 200


def test_world_is_reset_only_after_a_yes(visit: Visit) -> None:
    made = visit.call("POST", "/v1/admin/workspaces", {"name": "Gone soon"}).body["id"]
    page = visit.open("worlds")
    page.get_by_role("button", name=f"Reset {visit.world}").click()
    visit.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert visit.call("GET", f"/v1/admin/workspaces/{made}").status == 200
    page.get_by_role("button", name=f"Reset {visit.world}").click()
    page.get_by_role("button", name="Reset it").click()
    expect(page.get_by_role("status")).to_have_text(f"{visit.world} is back at its seed")
    assert visit.call("GET", f"/v1/admin/workspaces/{made}").status != 200


def test_record_is_found_changed_and_taken_out(visit: Visit) -> None:
    made = visit.call("POST", "/v1/admin/workspaces", {"name": "Find me"}).body["id"]
    page = visit.open("resources")
    page.get_by_role("link", name="workspaces", exact=True).click()
    page.get_by_label("Text").fill("find ME")
    expect(page.locator(".told")).to_have_text("1 to 1 of 1 record, newest first")
    page.get_by_role("link", name=made).click()
    editor = page.get_by_label("Record", exact=True)
    editor.fill(editor.input_value().replace("Find me", "Found"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved")
    assert visit.call("GET", f"/v1/admin/workspaces/{made}").body["name"] == "Found"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Take it out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Resources / workspaces")
    assert visit.call("GET", f"/v1/admin/workspaces/{made}").status != 200


def test_record_is_added_like_the_newest(visit: Visit) -> None:
    visit.call("POST", "/v1/admin/workspaces", {"name": "One"})
    page = visit.open("resources/workspaces")
    page.get_by_role("link", name="Add a record").click()
    editor = page.get_by_label("New record", exact=True)
    record = json.loads(editor.input_value())
    record["slug"] = record["_wire"]["slug"] = "two"
    record["_wire"]["name"] = "Two"
    editor.fill(json.dumps(record))
    page.get_by_role("button", name="Save").click()
    expect(visit.row("Two")).to_be_visible()
    assert visit.call("GET", f"/v1/admin/workspaces/{record['id']}").body["name"] == "Two"


def test_large_collection_is_shown_page_by_page(visit: Visit) -> None:
    notes = visit.app.worlds.get(visit.world)["notes"]
    for number in range(100_000):
        notes.add({"id": f"n{number:06}", "name": f"Note {number}"})
    page = visit.open("resources/notes")
    expect(page.locator(".told")).to_have_text("1 to 50 of 100,000 records, newest first")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="n099949")).to_be_visible()
    page.get_by_label("Text").fill("Note 4242")
    expect(page.locator(".told")).to_have_text("1 to 11 of 11 records, newest first")
