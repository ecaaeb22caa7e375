"""Log exports through the front door: drafting, the states that the clock drives, and the file.

Source of every rule that names none: governance-mcp-observability, Log exports.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mockserver.portkey.logs_export import LINK_S, QUEUED_S
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    DARA,
    ELI,
    NOBODY,
    PRODUCTION,
    RESEARCH,
    SHARED,
    answered,
    at,
    changes,
    make_key,
    read,
    refused,
    state,
    user_id,
    workspace_id,
)
from tests.portkey.traffic import DAY, MESSAGES, MODEL, NOON, asked, cost_of, noted, production, rated, report, reported, used

EXPORTS = "/v1/logs/exports"
WHOLE = 30
"""Seconds that a short export takes from its start on."""

FIELDS = [
    "id", "organisation_id", "workspace_id", "filters", "requested_data", "status", "description", "created_at",
    "last_updated_at", "created_by", "object", "total_records",
]  # fmt: skip


def draft(client: Client, requested: Any = ("id",), window: Record = DAY, **fields: Any) -> Record:
    """Draft an export of Production's logs, and return what the reply says."""
    filters = {**window, **fields.pop("filters", {})}
    body = {"workspace_id": PRODUCTION, "description": "For the bill", "filters": filters, "requested_data": list(requested)}
    return answered(client.post(EXPORTS, body | fields))


def act(client: Client, export_id: str, action: str) -> httpx.Response:
    """Start, cancel or download."""
    return client.call("GET" if action == "download" else "POST", f"{EXPORTS}/{export_id}/{action}")


def read_export(client: Client, export_id: str) -> Record:
    return read(client, f"{EXPORTS}/{export_id}")


def status(client: Client, export_id: str) -> str:
    return str(read_export(client, export_id)["status"])


def link(client: Client, export_id: str) -> str:
    """A signed address of a finished export."""
    reply = act(client, export_id, "download")
    assert reply.status_code == 200, reply.text[:500]
    return str(reply.json()["signed_url"])


def fetch(client: Client, url: str, **headers: str) -> httpx.Response:
    """Fetch an address without a key and without naming a world, as a client of a file store does."""
    return Client(client.app, headers={}).get(url.removeprefix("http://localhost"), headers=headers)


def lines(client: Client, requested: Any = ("id",), **fields: Any) -> list[Record]:
    """The lines of the file of an export that was drafted, started and awaited."""
    export_id = draft(client, requested, **fields)["id"]
    assert act(client, export_id, "start").status_code == 200
    client.world.clock.move(timedelta(hours=1))
    return [json.loads(line) for line in fetch(client, link(client, export_id)).text.splitlines()]


def in_state(client: Client, wanted: str) -> str:
    """The id of an export in a state; nothing makes one fail, so that state is written into the world."""
    export_id = str(draft(client)["id"])
    if wanted == "draft":
        return export_id
    act(client, export_id, "start")
    if wanted == "stopped":
        act(client, export_id, "cancel")
    elif wanted == "failed":
        exports = client.world["log_exports"]
        exports.replace({**exports.get(export_id), "status": "failed"})
        client.world.keep()
    else:
        client.world.clock.move(timedelta(seconds={"queued": 0, "in_progress": QUEUED_S, "success": WHOLE}[wanted]))
    assert status(client, export_id) == wanted
    return export_id


# Drafting


def test_draft_tells_its_total(client: Client) -> None:
    at(client, NOON)
    caller = production(client)
    reported(caller, report(), report())
    made = draft(caller)
    assert made == {"id": made["id"], "total": 2, "object": "export"}


def test_draft_shows_in_a_read(client: Client) -> None:
    at(client, NOON)
    made = draft(client, ["id", "cost"])
    export = read_export(client, made["id"])
    assert list(export) == FIELDS
    assert export == {
        **export,
        "id": made["id"],
        "workspace_id": workspace_id(client),
        "filters": DAY,
        "requested_data": ["id", "cost"],
        "status": "draft",
        "description": "For the bill",
        "created_at": "2026-05-03T12:00:00.000Z",
        "last_updated_at": "2026-05-03T12:00:00.000Z",
        "object": "export",
        "total_records": 0,
    }


def test_window_holds_its_beginning_and_not_its_end(client: Client) -> None:
    caller = production(client)
    for time in ("11:59:59", "12:00:00", "12:29:59", "12:30:00"):
        reported(caller, report(), when=f"2026-05-03T{time}Z")
    window = {"time_of_generation_min": "2026-05-03T12:00:00Z", "time_of_generation_max": "2026-05-03T14:30:00+02:00"}
    assert draft(client, window=window)["total"] == 2


@pytest.mark.parametrize("form", ["slug", "id"])
def test_workspace_is_named_by_slug_or_id(client: Client, form: str) -> None:
    """The real service takes slugs, its document ids."""
    at(client, NOON)
    reported(production(client), report())
    named = PRODUCTION if form == "slug" else workspace_id(client)
    assert draft(client, workspace_id=named)["total"] == 1
    assert draft(client, workspace_id=RESEARCH)["total"] == 0


def test_workspace_may_be_named_by_the_filters_alone(client: Client) -> None:
    made = draft(client, workspace_id=None, filters={"workspace_slug": RESEARCH})
    assert read_export(client, made["id"])["workspace_id"] == workspace_id(client, RESEARCH)


def test_filter_for_another_workspace_means_nothing(client: Client) -> None:
    at(client, NOON)
    reported(production(client), report())
    assert draft(client, filters={"workspace_slug": PRODUCTION})["total"] == 1
    assert draft(client, filters={"workspace_slug": RESEARCH})["total"] == 0


def test_key_of_a_workspace_need_not_name_it(client: Client) -> None:
    made = draft(production(client), workspace_id=None)
    assert read_export(client, made["id"])["workspace_id"] == workspace_id(client)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"workspace_id": None}, "/workspace_id"),
        ({"description": None}, "/description"),
        ({"description": ""}, "/description"),
        ({"filters": {"time_of_generation_min": None}}, None),
        ({"filters": {"metadata": ["a"]}}, None),
        ({"requested_data": None}, "/requested_data"),
    ],
)
def test_draft_that_lacks_something_is_refused(client: Client, fields: Record, pointer: str | None) -> None:
    body = {"workspace_id": PRODUCTION, "description": "d", "filters": DAY, "requested_data": ["id"]}
    before = state(client)
    answer = refused(client.post(EXPORTS, body | fields), 400, "AB01")
    assert pointer is None or pointer in [violation["pointer"] for violation in answer["violations"]]
    assert state(client) == before


@pytest.mark.parametrize("bound", ["time_of_generation_min", "time_of_generation_max"])
def test_draft_without_a_bound_is_refused(client: Client, bound: str) -> None:
    filters = {name: time for name, time in DAY.items() if name != bound}
    body = {"workspace_id": PRODUCTION, "description": "d", "filters": filters, "requested_data": ["id"]}
    answer = refused(client.post(EXPORTS, body), 400, "AB01")
    assert [violation["pointer"] for violation in answer["violations"]] == [f"/filters/{bound}"]


def test_lenient_handling_needs_neither_description_nor_bounds(client: Client) -> None:
    """Conflicts: switchable, since some clients send no description."""
    reported(production(client), report())
    body = {"workspace_id": PRODUCTION, "filters": {}, "requested_data": ["id"]}
    reply = client.post(EXPORTS, body, headers={"prefer": "handling=lenient"})
    assert (reply.status_code, reply.json()["total"]) == (200, 1)
    assert read_export(client, reply.json()["id"])["description"] is None


@pytest.mark.parametrize("named", ["ws-nowhere", NOBODY])
def test_unknown_workspace_is_forbidden(client: Client, named: str) -> None:
    body = {"workspace_id": named, "description": "d", "filters": DAY, "requested_data": ["id"]}
    refused(client.post(EXPORTS, body), 403, "AB03")
    refused(client.get(EXPORTS, params={"workspace_id": named}), 403, "AB03")


# Which logs


MIXED: list[Record] = [
    {
        "trace_id": "a", "ai_org": "openai", "ai_model": "gpt-4o", "cost": 1.5, "req_units": 10, "res_units": 1,
        "metadata": {"team": "x"},
    },
    {
        "trace_id": "b", "ai_org": "openai", "ai_model": "o3", "cost": 2.5, "req_units": 20, "res_units": 2,
        "response_status_code": 500, "virtual_key": "main", "config": "pc-a", "prompt_slug": "pp-a", "api_key_id": "k1",
        "metadata": {"team": "x", "level": "3"},
    },
    {
        "trace_id": "c", "ai_org": "anthropic", "ai_model": "o3", "cost": 3.5, "req_units": 30, "res_units": 3,
        "virtual_key": "spare", "config": "pc-b", "prompt_slug": "pp-b", "api_key_id": "k2",
    },
]  # fmt: skip


@pytest.fixture
def mixed(client: Client) -> Client:
    """Three logs of Production that differ in all that filters look at."""
    for facts in MIXED:
        noted(client, NOON, **facts)
    rated(client, "b", 4, 0.5)
    rated(client, "c", -5)
    return client


@pytest.mark.parametrize(
    ("filters", "traces"),
    [
        ({}, "abc"),
        ({"total_units_min": 22}, "bc"),
        ({"total_units_max": 22}, "ab"),
        ({"cost_min": 1.5, "cost_max": 2.5}, "ab"),
        ({"prompt_token_min": 20}, "bc"),
        ({"completion_token_max": 1}, "a"),
        ({"status_code": "500"}, "b"),
        ({"status_code": "200, 500"}, "abc"),
        ({"status_code": ["200"]}, "ac"),
        ({"virtual_keys": "main,spare"}, "bc"),
        ({"configs": "pc-b"}, "c"),
        ({"prompt_slug": "pp-a"}, "b"),
        ({"api_key_ids": ["k1", "k2"]}, "bc"),
        ({"ai_model": "o3"}, "bc"),
        ({"ai_model": ["gpt-4o", "o3"]}, "abc"),
        ({"ai_org_model": "openai__o3"}, "b"),
        ({"trace_id": "c,a"}, "ac"),
        ({"trace_id": ["b"]}, "b"),
        ({"trace_id": "d"}, ""),
        ({"metadata": {"team": "x"}}, "ab"),
        ({"metadata": {"team": "x", "level": 3}}, "b"),
        ({"metadata": {"team": "y"}}, ""),
        ({"weighted_feedback_min": 2}, "b"),
        ({"weighted_feedback_max": 1.9}, "c"),
        ({"weighted_feedback_min": -10}, "bc"),
        ({"cost_min": 2, "status_code": "200"}, "c"),
        ({"cost_min": None, "status_code": "", "metadata": None, "trace_id": None}, "abc"),
    ],
    ids=str,
)
def test_filters_pick_logs(mixed: Client, filters: Record, traces: str) -> None:
    """All that is named must hold; the file holds what the total counted."""
    assert draft(mixed, filters=filters)["total"] == len(traces)
    assert "".join(line["trace_id"] for line in lines(mixed, ["trace_id"], filters=filters)) == traces


@pytest.mark.parametrize(
    ("paging", "traces"),
    [
        ({"page_size": 2}, "ab"),
        ({"page_size": 2, "current_page": 1}, "c"),
        ({"page_size": 2, "current_page": 2}, ""),
        ({"page_size": 0}, "abc"),
        ({"page_size": None, "current_page": None}, "abc"),
    ],
    ids=str,
)
def test_pages_split_what_is_too_much_for_one(mixed: Client, paging: Record, traces: str) -> None:
    """Pages are counted from 0; the total is that of all pages."""
    assert draft(mixed, filters=paging)["total"] == 3
    assert "".join(line["trace_id"] for line in lines(mixed, ["trace_id"], filters=paging)) == traces


def test_total_stands_from_the_draft_on(client: Client) -> None:
    at(client, NOON)
    caller = production(client)
    reported(caller, report())
    export_id = draft(client)["id"]
    reported(caller, report())
    assert read_export(client, export_id)["total_records"] == 1


def test_file_holds_what_was_there_when_the_export_was_started(client: Client) -> None:
    """*chosen*: so the file stays the same however late it is fetched, and whatever the clock says."""
    at(client, NOON)
    caller = production(client)
    export_id = draft(client, ["trace_id"])["id"]
    reported(caller, report(trace_id="between"), when="2026-05-03T18:00:00Z")
    at(client, NOON)
    act(client, export_id, "start")
    reported(caller, report(trace_id="after"))
    client.world.clock.move(timedelta(seconds=WHOLE))
    found = fetch(client, link(client, export_id)).text.splitlines()
    assert [json.loads(line)["trace_id"] for line in found] == ["between"]


# What a line says


def test_line_has_what_was_asked_for(client: Client) -> None:
    at(client, NOON)
    caller = production(client)
    log = asked(caller, {"x-portkey-trace-id": "tide-3", "x-portkey-metadata": '{"team": "a"}'})
    names = [
        "id", "trace_id", "created_at", "request", "response", "is_success", "ai_org", "ai_model", "req_units", "res_units",
        "total_units", "request_url", "cost", "cost_currency", "response_time", "response_status_code", "mode", "config",
        "prompt_slug", "prompt_id", "prompt_version_id", "cache_status", "metadata",
    ]  # fmt: skip
    (line,) = lines(caller, names)
    assert list(line) == [*names, "portkeyHeaders"]
    assert line == {
        "id": log["_id"],
        "trace_id": "tide-3",
        "created_at": "Sun May 03 2026 12:00:00 GMT+0000 (Coordinated Universal Time)",
        "request": {"model": MODEL, "messages": MESSAGES},
        "response": log["response"]["body"],
        "is_success": True,
        "ai_org": "openai",
        "ai_model": "gpt-4o",
        "req_units": used(log)[0],
        "res_units": used(log)[1],
        "total_units": sum(used(log)),
        "request_url": "/v1/chat/completions",
        "cost": cost_of(log),
        "cost_currency": "USD",
        "response_time": log["response"]["responseTime"],
        "response_status_code": 200,
        "mode": "single",
        "config": None,
        "prompt_slug": None,
        "prompt_id": None,
        "prompt_version_id": None,
        "cache_status": "DISABLED",
        "metadata": {"team": "a", "cost_centre": "1200"},
        "portkeyHeaders": log["request"]["portkeyHeaders"],
    }


def test_line_has_metadata_and_headers_in_any_case(client: Client) -> None:
    at(client, NOON)
    asked(production(client), {"x-portkey-trace-id": "t"})
    (line,) = lines(client, ["cost"])
    assert list(line) == ["cost", "metadata", "portkeyHeaders"]
    assert line["portkeyHeaders"] == {"x-portkey-api-key": "[redacted]", "x-portkey-trace-id": "t"}


def test_unknown_fields_are_passed_over(client: Client) -> None:
    at(client, NOON)
    reported(production(client), report())
    (line,) = lines(client, ["cost", "colour"])
    assert list(line) == ["cost", "metadata", "portkeyHeaders"]
    assert draft(client, ["colour"])["object"] == "export"


def test_lines_come_oldest_first(client: Client) -> None:
    """*chosen*."""
    caller = production(client)
    for hour in (14, 9, 11):
        reported(caller, report(trace_id=str(hour)), when=f"2026-05-03T{hour:02}:00:00Z")
    assert [line["trace_id"] for line in lines(client, ["trace_id"])] == ["9", "11", "14"]


# States


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(0, "queued"), (9.999, "queued"), (10, "in_progress"), (29.999, "in_progress"), (30, "success"), (10**6, "success")],
)
def test_clock_drives_a_started_export(client: Client, seconds: float, wanted: str) -> None:
    """*chosen*: ten seconds in the queue, then twenty and one for each 50 logs."""
    at(client, NOON)
    export_id = draft(client)["id"]
    act(client, export_id, "start")
    client.world.clock.move(timedelta(seconds=seconds))
    export = read_export(client, export_id)
    since = {"queued": "12:00:00", "in_progress": "12:00:10", "success": "12:00:30"}[wanted]
    assert (export["status"], export["last_updated_at"]) == (wanted, f"2026-05-03T{since}.000Z")


def test_larger_export_takes_longer(client: Client) -> None:
    at(client, NOON)
    reported(production(client), *[report()] * 150)
    export_id = draft(client)["id"]
    act(client, export_id, "start")
    client.world.clock.move(timedelta(seconds=WHOLE + 2))
    assert status(client, export_id) == "in_progress"
    client.world.clock.move(timedelta(seconds=1))
    assert status(client, export_id) == "success"


@pytest.mark.parametrize("state_", ["draft", "queued", "in_progress", "success", "failed", "stopped"])
@pytest.mark.parametrize("action", ["start", "cancel", "download"])
def test_actions_fit_states(client: Client, state_: str, action: str) -> None:
    """The table of the state machine; what does not fit changes nothing."""
    fits = {"start": ("draft", "failed"), "cancel": ("queued", "in_progress"), "download": ("success",)}[action]
    export_id = in_state(client, state_)
    before = state(client)
    reply = act(client, export_id, action)
    if state_ in fits:
        assert reply.status_code == 200
        assert status(client, export_id) == {"start": "queued", "cancel": "stopped", "download": "success"}[action]
    else:
        refused(reply, 400, "AB01")
        assert state(client) == before


@pytest.mark.parametrize("state_", ["queued", "in_progress", "success", "failed", "stopped"])
def test_only_a_draft_can_be_changed(client: Client, state_: str) -> None:
    export_id = in_state(client, state_)
    refused(client.put(f"{EXPORTS}/{export_id}", {"filters": DAY}), 400, "AB01")
    assert status(client, export_id) == state_


@pytest.mark.parametrize("action", ["start", "cancel"])
def test_action_says_so(client: Client, action: str) -> None:
    export_id = in_state(client, "draft" if action == "start" else "queued")
    message = {"start": "The export has been queued", "cancel": "The export has been stopped"}[action]
    assert act(client, export_id, action).json() == {"message": message, "object": "export"}


def test_stopped_export_stays_stopped(client: Client) -> None:
    export_id = in_state(client, "stopped")
    client.world.clock.move(timedelta(days=1))
    assert status(client, export_id) == "stopped"


def test_failed_export_can_run_again(client: Client) -> None:
    export_id = in_state(client, "failed")
    act(client, export_id, "start")
    client.world.clock.move(timedelta(seconds=WHOLE))
    assert status(client, export_id) == "success"


def test_list_shows_states_as_they_are_now(client: Client) -> None:
    export_id = in_state(client, "queued")
    client.world.clock.move(timedelta(seconds=WHOLE))
    assert [each["status"] for each in read(client, EXPORTS)["data"]] == ["success"]
    assert status(client, export_id) == "success"


# Changing


def test_change_of_the_filters_counts_again(client: Client) -> None:
    at(client, NOON)
    reported(production(client), report(), report(500))
    export_id = draft(client)["id"]
    reply = client.put(f"{EXPORTS}/{export_id}", {"filters": {**DAY, "status_code": "500"}})
    assert reply.json() == {"id": export_id, "total": 1, "object": "export"}


@pytest.mark.parametrize(
    "fields", [{"filters": {}}, {"filters": DAY, "description": ""}, {"filters": DAY, "description": None}, {}], ids=str
)
def test_change_that_takes_what_is_needed_is_refused(client: Client, fields: Record) -> None:
    export_id = draft(client)["id"]
    before = read_export(client, export_id)
    refused(client.put(f"{EXPORTS}/{export_id}", fields), 400, "AB01")
    assert read_export(client, export_id) == before


def test_terraform_finds_no_difference(client: Client) -> None:
    """Create, read, read, change one thing, read, change another, read; an export cannot be deleted."""
    at(client, NOON)
    reported(production(client), report())
    export_id = draft(client, ["id"])["id"]
    first = read_export(client, export_id)
    assert read_export(client, export_id) == first

    client.world.clock.move(timedelta(minutes=1))
    client.put(f"{EXPORTS}/{export_id}", {"filters": {**DAY, "cost_min": 1}})
    second = read_export(client, export_id)
    assert changes(first, second) == {"filters", "last_updated_at", "total_records"}
    assert second["filters"] == {**DAY, "cost_min": 1}

    client.put(f"{EXPORTS}/{export_id}", {"filters": DAY, "description": "Again", "requested_data": ["cost"]})
    third = read_export(client, export_id)
    assert changes(first, third) == {"description", "requested_data", "last_updated_at"}
    assert read(client, EXPORTS)["data"] == [third]
    assert client.delete(f"{EXPORTS}/{export_id}").status_code == 405


# Who may


def test_list_shows_newest_first_and_by_workspace(client: Client) -> None:
    ids = {slug: draft(client, workspace_id=slug)["id"] for slug in (PRODUCTION, RESEARCH, SHARED)}
    found = read(client, EXPORTS)
    assert (found["object"], found["total"]) == ("list", 3)
    assert [each["id"] for each in found["data"]] == list(ids.values())[::-1]
    for named in (RESEARCH, workspace_id(client, RESEARCH)):
        assert [each["id"] for each in read(client, EXPORTS, workspace_id=named)["data"]] == [ids[RESEARCH]]


def test_list_of_a_workspaces_key_hides_other_workspaces(client: Client) -> None:
    draft(client, workspace_id=RESEARCH)
    made = draft(client)
    assert [each["id"] for each in read(production(client), EXPORTS)["data"]] == [made["id"]]


def test_export_of_another_workspace_is_forbidden(client: Client) -> None:
    export_id = draft(client, workspace_id=RESEARCH)["id"]
    caller = production(client)
    refused(caller.get(f"{EXPORTS}/{export_id}"), 403, "AB03")
    for action in ("start", "cancel", "download"):
        refused(act(caller, export_id, action), 403, "AB03")
    refused(caller.put(f"{EXPORTS}/{export_id}", {"filters": DAY}), 403, "AB03")
    refused(caller.post(EXPORTS, {"workspace_id": RESEARCH, "filters": DAY, "requested_data": []}), 403, "AB03")


def test_unknown_export_is_missing(client: Client) -> None:
    refused(client.get(f"{EXPORTS}/{NOBODY}"), 404, "AB08")
    for action in ("start", "cancel", "download"):
        refused(act(client, NOBODY, action), 404, "AB08")
    refused(client.put(f"{EXPORTS}/{NOBODY}", {"filters": DAY}), 404, "AB08")


def test_key_of_a_person_sees_their_own(client: Client) -> None:
    """Since 1.19."""
    fields: Record = {"workspace_id": RESEARCH, "scopes": ["logs.export"]}
    eli = client.as_key(make_key(client, "workspace/user", user_id=user_id(client, ELI), **fields).secret)
    own, other = draft(eli, workspace_id=RESEARCH)["id"], draft(client, workspace_id=RESEARCH)["id"]
    assert [each["id"] for each in read(eli, EXPORTS)["data"]] == [own]
    assert read_export(eli, own)["created_by"] == user_id(client, ELI)
    refused(eli.get(f"{EXPORTS}/{other}"), 403, "AB03")
    service = client.as_key(make_key(client, **fields).secret)
    assert read(service, EXPORTS)["total"] == 2


# The file


def test_signed_url_is_of_this_server_and_world(client: Client) -> None:
    export_id = in_state(client, "success")
    reply = client.get(f"{EXPORTS}/{export_id}/download", headers={"host": "mock.example:8787"})
    beginning = re.escape(f"http://mock.example:8787/worlds/{client.world_name}{EXPORTS}/{export_id}/file?expires=")
    assert re.match(rf"{beginning}\d+&", reply.json()["signed_url"])


def test_file_is_jsonl_and_needs_no_key(client: Client) -> None:
    at(client, NOON)
    reported(production(client), report(), report())
    export_id = in_state(client, "success")
    reply = fetch(client, link(client, export_id))
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/jsonl")
    assert [list(json.loads(line)) for line in reply.text.splitlines()] == [["id", "metadata", "portkeyHeaders"]] * 2
    assert reply.text.endswith("\n")


def test_file_needs_no_key_under_strict_identity(strict: Client) -> None:
    assert fetch(strict, link(strict, in_state(strict, "success"))).status_code == 200


def test_each_download_gives_another_address(client: Client) -> None:
    export_id = in_state(client, "success")
    first, second = link(client, export_id), link(client, export_id)
    assert first != second
    assert [fetch(client, url).status_code for url in (first, second)] == [200, 200]


def test_address_is_good_for_six_hours(client: Client) -> None:
    url = link(client, in_state(client, "success"))
    client.world.clock.move(timedelta(seconds=LINK_S - 1))
    assert fetch(client, url).status_code == 200
    client.world.clock.move(timedelta(seconds=1))
    assert refused(fetch(client, url), 403, "AB03")["message"] == "The address has expired"


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        (r"signature=\w+", "signature=0"),
        (r"nonce=\w+", "nonce=0"),
        (r"expires=\d+", "expires=99999999999"),
        ("exports/[^/]+", None),
    ],
    ids=["signature", "nonce", "expiry", "export"],
)
def test_changed_address_is_forbidden(client: Client, part: str, instead: str | None) -> None:
    url = link(client, in_state(client, "success"))
    other = re.sub(part, instead or f"exports/{in_state(client, 'success')}", url)
    assert other != url
    refused(fetch(client, other), 403, "AB03")


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, None),
        ("bytes=-5", -5, None),
        ("bytes=3-99999", 3, None),
        ("bytes=-99999", 0, None),
    ],
)
def test_range_of_the_file_can_be_fetched(client: Client, said: str, first: int, last: int | None) -> None:
    at(client, NOON)
    reported(production(client), report())
    url = link(client, in_state(client, "success"))
    whole = fetch(client, url).content
    reply = fetch(client, url, range=said)
    wanted = whole[first:last]
    start = first if first >= 0 else len(whole) + first
    assert (reply.status_code, reply.content) == (206, wanted)
    assert reply.headers["content-range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(whole)}"


@pytest.mark.parametrize(
    "said", ["bytes=0-1,3-4", "bytes=99999-", "bytes=5-4", "lines=0-1", "bytes=-", "bytes=-0", f"bytes={'9' * 5000}-"]
)
def test_other_ranges_get_the_whole_file(client: Client, said: str) -> None:
    """RFC 9110, 14.2: a server may pass over a range."""
    at(client, NOON)
    reported(production(client), report())
    url = link(client, in_state(client, "success"))
    assert fetch(client, url, range=said).status_code == 200


def test_file_of_nothing_is_empty(client: Client) -> None:
    reply = fetch(client, link(client, in_state(client, "success")), range="bytes=0-1")
    assert (reply.status_code, reply.content) == (200, b"")


def test_dara_is_no_exporter(client: Client) -> None:
    """`logs.export` is what all of it asks for."""
    made = make_key(client, "workspace/user", user_id=user_id(client, DARA), scopes=["logs.view", "logs.list"])
    dara = client.as_key(made.secret)
    refused(dara.get(EXPORTS), 403, "AB03")
