"""Mappings through the front door: which calls they answer, with what, and what is refused when they are set."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from mockserver.contract.problems import Problem
from mockserver.values import Record
from tests.conftest import Client
from tests.stubbing.conftest import Desk

ADA = {"name": "Ada", "town": "Ely"}
HOURS = {"days": ["mon"], "from": "10:00", "to": "12:00"}
ASK = {"operation": "ask"}
NOBODY = "00000000-0000-4000-8000-000000000000"


def answers(value: str) -> Record:
    return {"status": 200, "jsonBody": {"id": value}}


def told(desk: Client, question: str = "why", **options: Any) -> str:
    reply = desk.get(f"/api/v2/desk/{question}", **options)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["id"])


# Which calls, and what.


@pytest.mark.parametrize(
    "request_",
    [
        {"operation": "getOpeningHours"},
        {"method": "GET", "url": "/api/v2/opening-hours"},
        {"method": "GET", "urlPath": "/opening-hours"},
        {"urlPathPattern": "/api/v2/opening-.*"},
        {"urlPathTemplate": "/api/v2/opening-hours"},
        {"urlPattern": ".*hours"},
    ],
    ids=lambda request: next(reversed(request)),
)
def test_mapping_answers_in_the_place_of_the_operation(desk: Desk, request_: Record) -> None:
    made = desk.stub(request=request_, response={"jsonBody": HOURS, "headers": {"X-Desk": "left"}})
    reply = desk.get("/api/v2/opening-hours")
    assert (reply.status_code, reply.json()) == (200, HOURS)
    assert (reply.headers["x-desk"], reply.headers["x-mock-stub"]) == ("left", made["id"])
    assert desk.usage(made) == (1, 1)


def test_body_is_sent_as_it_was_written(desk: Desk) -> None:
    desk.stub(request=ASK, response={"body": '{ "id":  "42" }'})
    reply = desk.get("/api/v2/desk/why")
    assert reply.content == b'{ "id":  "42" }'
    assert reply.headers["content-type"] == "application/json"


def test_bytes_can_be_sent(desk: Desk) -> None:
    desk.stub(request=ASK, response={"base64Body": "eyJpZCI6ICJhIn0="})
    assert told(desk) == "a"


def test_call_that_fits_nothing_is_answered_by_the_operation(desk: Desk) -> None:
    made = desk.stub(request={"operation": "ask", "parameters": {"question": "who"}}, response=answers("a"))
    assert told(desk, "who") == "a"
    assert desk.get("/api/v2/desk/why").headers.get("x-mock-stub") is None
    assert desk.usage(made) == (1, 1)


def test_mapping_may_look_at_the_body(desk: Desk) -> None:
    made = desk.stub(
        request={"operation": "addMember", "bodyPatterns": [{"matchesJsonPath": "$[?(@.name == 'Bob')]"}, {"contains": "Bob"}]},
        response={"fall_through": True},
    )
    desk.post("/api/v2/members", ADA)
    assert desk.usage(made) == (0, 0)


def test_newest_and_lowest_priority_number_comes_first(desk: Desk) -> None:
    desk.stub(request=ASK, response=answers("old"))
    desk.stub(request=ASK, response=answers("new"))
    assert told(desk) == "new"
    first = desk.stub(request=ASK, response=answers("first"), priority=1)
    assert told(desk) == "first"
    desk.stub(request=ASK, response=answers("last"), priority=9)
    assert told(desk) == "first"
    assert desk.admin("GET", "/mappings")["mappings"][0]["id"] == first["id"]


def test_mapping_is_used_so_many_times(desk: Desk) -> None:
    desk.stub(request=ASK, response=answers("always"))
    made = desk.stub(request=ASK, response=answers("twice"), times=2)
    assert [told(desk) for _ in range(3)] == ["twice", "twice", "always"]
    assert desk.usage(made) == (2, 2)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (2, "-x---"),
        ({"every": 2}, "-x-x-"),
        ({"from": 3}, "--xxx"),
        ({"from": 2, "to": 3}, "-xx--"),
        ({"from": 1, "every": 3}, "x--x-"),
    ],
)
def test_mapping_is_used_on_some_calls(desk: Desk, call: Any, expected: str) -> None:
    desk.stub(request=ASK, response=answers("-"))
    desk.stub(request={**ASK, "call": call}, response=answers("x"))
    assert "".join(told(desk) for _ in range(5)) == expected


def test_probability_follows_from_the_seed_and_moves_no_ids(library_app: Any, desk: Desk) -> None:
    def drawn(name: str) -> str:
        library_app.worlds.fork(name, library_app.worlds.seed)
        other = Desk(library_app, name, {"x-library-card": "any", "x-mock-world": name})
        other.stub(id="b", request=ASK, response=answers("-"))
        other.stub(id="a", request={**ASK, "probability": 0.4}, response=answers("x"))
        found = "".join(told(other) for _ in range(60))
        made = other.post("/api/v2/members", ADA).json()["id"]
        library_app.worlds.delete(name)
        return f"{found}{made}"

    first = drawn("chance-1")
    assert first == drawn("chance-2")
    assert 12 <= first.count("x") <= 36
    assert desk.post("/api/v2/members", ADA).json()["id"] in first


def test_mapping_expires_on_the_clock_of_the_world(desk: Desk) -> None:
    desk.stub(request=ASK, response=answers("always"))
    made = desk.stub(request=ASK, response=answers("soon"), expires_in_s=60)
    assert told(desk) == "soon"
    desk.world.clock.move(timedelta(seconds=60))
    assert told(desk) == "always"
    assert desk.admin("GET", f"/mappings/{made['id']}")["usage"] == {"matched": 1, "used": 1, "expired": True}


def test_mapping_asks_for_a_state_of_the_world(desk: Desk) -> None:
    desk.stub(request={**ASK, "state": [{"collection": "members", "count": {"at_least": 1}}]}, response=answers("some"))
    in_ely = {"collection": "members", "key": "{{request.path.member_id}}", "field": "/town", "equals": "Ely"}
    made = desk.stub(
        request={"operation": "getMember", "state": [in_ely]}, response={"fall_through": True, "patch": {"name": "Hidden"}}
    )
    id_ = desk.post("/api/v2/members", ADA).json()["id"]
    assert told(desk) == "some"
    assert desk.get(f"/api/v2/members/{id_}").json()["name"] == "Hidden"
    desk.call("PATCH", f"/api/v2/members/{id_}", {"town": "Ulm"})
    assert desk.get(f"/api/v2/members/{id_}").json()["name"] == "Ada"
    assert desk.usage(made) == (1, 1)


def test_fall_through_changes_the_reply_and_not_the_record(desk: Desk) -> None:
    desk.stub(
        request={"operation": "addMember"},
        response={"fall_through": True, "patch": {"town": "Ulm", "email": None}, "headers": {"X-A": "b"}},
    )
    reply = desk.post("/api/v2/members", ADA)
    assert (reply.status_code, reply.json()["town"], reply.headers["x-a"]) == (201, "Ulm", "b")
    desk.admin("DELETE", "/mappings")
    assert desk.get(f"/api/v2/members/{reply.json()['id']}").json()["town"] == "Ely"


def test_fall_through_takes_refusals_too(desk: Desk) -> None:
    made = desk.stub(request={"operation": "getMember"}, response={"fall_through": True, "headers": {"X-A": "b"}})
    reply = desk.get(f"/api/v2/members/{NOBODY}")
    assert (reply.status_code, reply.headers["x-a"], reply.headers["x-mock-problem"]) == (404, "b", "not-found")
    assert desk.usage(made) == (1, 1)


def test_answer_of_a_mapping_changes_no_records(desk: Desk) -> None:
    member = {"id": NOBODY, "active": True, "created_at": "2026-05-03T00:00:00Z", **ADA}
    desk.stub(request={"operation": "addMember"}, response={"status": 201, "jsonBody": member})
    assert desk.post("/api/v2/members", ADA).json() == member
    assert desk.get("/api/v2/members").json()["count"] == 0


def test_request_that_breaks_the_contract_is_refused_all_the_same(desk: Desk) -> None:
    made = desk.stub(request={"operation": "addMember"}, response={"fall_through": True})
    assert desk.post("/api/v2/members", {"name": ""}).status_code == 400
    assert desk.usage(made) == (0, 0)


def test_stranger_is_refused_all_the_same(desk: Desk) -> None:
    desk.stub(request=ASK, response=answers("a"))
    assert Client(desk.app, desk.world_name, {"x-mock-world": desk.world_name}).get("/api/v2/desk/why").status_code == 401


def test_stream_comes_at_its_pace(desk: Desk) -> None:
    desk.world.clock.run()
    desk.stub(
        request=ASK, off_contract=True,
        response={"stream": {"events": [{"data": {"n": 1}}, {"event": "end", "data": "two\nlines", "id": "7"}], "delay_ms": 1}},
    )  # fmt: skip
    reply = desk.get("/api/v2/desk/why")
    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.text == 'data: {"n":1}\n\nevent: end\nid: 7\ndata: two\ndata: lines\n\n'


def test_delay_is_on_the_clock_of_the_world(desk: Desk) -> None:
    desk.world.clock.run()
    desk.stub(request=ASK, response={**answers("late"), "fixedDelayMilliseconds": 30})
    desk.stub(
        request={**ASK, "call": 2},
        response={**answers("later"), "delayDistribution": {"type": "uniform", "lower": 40, "upper": 60}},
    )
    started = time.monotonic()
    assert [told(desk), told(desk)] == ["late", "later"]
    assert time.monotonic() - started >= 0.07


def test_dribble_brings_the_whole_body(desk: Desk) -> None:
    desk.world.clock.run()
    desk.stub(request=ASK, response={**answers("a"), "chunkedDribbleDelay": {"numberOfChunks": 3, "totalDuration": 12}})
    assert told(desk) == "a"


# Templates.


def test_template_writes_what_the_request_says(desk: Desk) -> None:
    text = "{{request.path.question}} {{request.method}} {{request.headers.X-Who}} {{request.query.a.[1]}}"
    response = {"jsonBody": {"id": text}, "headers": {"X-Path": "{{request.path}}"}, "transformers": ["response-template"]}
    desk.stub(request=ASK, response=response)
    reply = desk.get("/api/v2/desk/why?a=1&a=2", headers={"x-who": "Ada"})
    assert reply.json()["id"] == "why GET Ada 2"
    assert reply.headers["x-path"] == "/api/v2/desk/why"


def test_template_cannot_break_json(desk: Desk) -> None:
    desk.stub(request=ASK, response={"jsonBody": {"id": "{{request.query.a}}"}, "transformers": ["response-template"]})
    assert told(desk, params={"a": '"}, {"'}) == '"}, {"'


def test_template_without_the_transformer_is_text(desk: Desk) -> None:
    desk.stub(request=ASK, response={"jsonBody": {"id": "{{request.path}}"}})
    assert told(desk) == "{{request.path}}"


def test_header_cannot_be_split_by_a_template(desk: Desk) -> None:
    desk.stub(
        request=ASK, response={**answers("a"), "headers": {"X-A": "{{request.query.a}}"}, "transformers": ["response-template"]}
    )
    reply = desk.get("/api/v2/desk/why", params={"a": "x\r\nX-B: y"})
    assert reply.headers["x-a"] == "x X-B: y"
    assert "x-b" not in reply.headers


def test_template_that_breaks_the_contract_is_told(desk: Desk) -> None:
    desk.stub(
        name="hours", request={"operation": "getOpeningHours"},
        response={"jsonBody": {**HOURS, "from": "{{request.query.from}}"}, "transformers": ["response-template"]},
    )  # fmt: skip
    assert desk.get("/api/v2/opening-hours?from=09:30").json()["from"] == "09:30"
    reply = desk.get("/api/v2/opening-hours?from=noon")
    assert (reply.status_code, reply.headers["x-mock-problem"]) == (500, "stub-broke-contract")
    assert "hours" in reply.json()["detail"]
    assert reply.json()["violations"][0]["pointer"] == "/from"


def test_chance_and_time_of_a_template_are_the_world_s(library_app: Any) -> None:
    def drawn() -> list[str]:
        library_app.worlds.fork("template", library_app.worlds.seed).clock.freeze()
        desk = Desk(library_app, "template", {"x-library-card": "any", "x-mock-world": "template"})
        desk.admin("PUT", "/clock", {"now": "2026-05-03T17:08:55Z", "frozen": True})
        text = "{{now offset='1 days'}} {{randomValue type='UUID'}} {{randomInt upper=9}}"
        desk.stub(request=ASK, response={"jsonBody": {"id": text}, "transformers": ["response-template"]})
        return [told(desk), told(desk)]

    first, second = drawn()
    assert first.startswith("2026-05-04T17:08:55Z ")
    assert first != second
    assert drawn() == [first, second]
    library_app.worlds.delete("template")


# What is refused.


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ({"request": ASK, "response": {"status": 200, "jsonBody": {"number": 1}}}, "/response/jsonBody/id"),
        ({"request": ASK, "response": {"status": 404, "jsonBody": {"id": "a"}}}, "/response/jsonBody/error"),
        ({"request": ASK, "response": {"body": "hello"}}, "/response/body"),
        ({"request": ASK, "response": {"status": 200}}, "/response/body"),
        (
            {"request": ASK, "response": {**answers("a"), "headers": {"Content-Type": "text/csv"}}},
            "/response/headers/content-type",
        ),
        ({"request": {"operation": "getOpeningHours"}, "response": {"status": 503}}, "/response/status"),
        ({"request": {"urlPath": "/api/v2/opening-hours"}, "response": {"jsonBody": {}}}, "/response/jsonBody/days"),
        ({"request": {"operation": "nobody"}, "response": {"status": 200}}, "/request/operation"),
        ({"request": {"method": "POST", "operation": "ask"}, "response": answers("a")}, "/request/method"),
        ({"request": {"url": "/nowhere"}, "response": {"status": 200}}, "/request/url"),
        ({"request": {"method": "DELETE", "url": "/api/v2/opening-hours"}, "response": {"status": 200}}, "/request/url"),
        ({"request": {**ASK, "parameters": {"answer": "a"}}, "response": answers("a")}, "/request/parameters/answer"),
        ({"request": ASK, "response": {**answers("a"), "body": "b"}}, "/response/jsonBody"),
        ({"request": ASK, "response": {**answers("a"), "patch": {}}}, "/response/patch"),
        ({"request": ASK, "response": {**answers("a"), "statusMessage": "Splendid"}}, "/response/statusMessage"),
        (
            {"request": ASK, "response": {**answers("a"), "headers": {"Content-Length": "3"}}},
            "/response/headers/Content-Length",
        ),
        ({"request": ASK, "response": {**answers("a"), "transformers": ["mine"]}}, "/response/transformers/0"),
        (
            {"request": ASK, "response": {**answers("{{nobody}}"), "transformers": ["response-template"]}},
            "/response/jsonBody/id",
        ),
        (
            {"request": ASK, "response": {**answers("a"), "delayDistribution": {"type": "uniform"}}},
            "/response/delayDistribution",
        ),
        ({"request": {"operation": "returnLoan"}, "response": {"status": 204, "body": "a"}}, "/response/body"),
        ({"request": ASK, "response": answers("a"), "scenarioKey": "question"}, "/scenarioKey"),
        ({"request": ASK, "response": answers("a"), "expires_at": "2026-05-03T00:00:00Z", "expires_in_s": 3}, "/expires_at"),
        ({"id": "import", "request": ASK, "response": answers("a")}, "/id"),
        ({"request": ASK, "response": answers("a"), "scenario": "a"}, ""),
        ({"request": ASK, "response": {"proxyBaseUrl": "http://a"}}, "/response"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mapping_is_refused_when_it_is_set(desk: Desk, mapping: Record, place: str) -> None:
    assert desk.stub(400, **mapping)[0][0] == place
    assert desk.admin("GET", "/mappings")["meta"]["total"] == 0


def test_refusal_tells_those_from_wiremock_what_to_do(desk: Desk) -> None:
    (_, message), *_ = desk.stub(400, request=ASK, response={"bodyFileName": "a.json"})
    assert "bodyFileName" in message
    assert "jsonBody" in message


def test_python_is_refused_as_http_is(desk: Desk) -> None:
    control = desk.app.control
    for mapping in ({"request": ASK, "response": {"bodyFileName": "a"}}, {"request": ASK, "response": {"status": 200}}):
        with pytest.raises(Problem) as caught:
            control.perform("addMapping", desk.world, mapping)
        assert [(each.pointer, each.message) for each in caught.value.violations] == desk.stub(400, **mapping)
    made = control.perform("addMapping", desk.world, {"request": ASK, "response": answers("a")})
    assert told(desk) == "a"
    assert control.perform("getMapping", desk.world, id=made["id"])["usage"]["used"] == 1


def test_off_contract_answer_needs_to_be_called_so(desk: Desk) -> None:
    desk.stub(request=ASK, response={"status": 418, "body": "short and stout"}, off_contract=True)
    reply = desk.get("/api/v2/desk/why")
    assert (reply.status_code, reply.text, reply.headers["content-type"]) == (418, "short and stout", "text/plain")


@pytest.mark.parametrize(("method", "path"), [("GET", "/hidden"), ("DELETE", "/api/v2/opening-hours")])
def test_off_contract_path_can_be_served(desk: Desk, method: str, path: str) -> None:
    made = desk.stub(request={"method": method, "urlPath": path}, response={"jsonBody": {"a": 1}}, off_contract=True)
    reply = desk.call(method, path)
    assert (reply.status_code, reply.json(), reply.headers["x-mock-stub"]) == (200, {"a": 1}, made["id"])
    assert desk.call(method, path.replace("hid", "bid"), headers={"x-mock-world": "other"}).status_code in (404, 405)
    entry = desk.admin("GET", "/requests")["requests"][0]
    assert (entry["path"], entry["status"]) == (path, 200)


def test_pattern_that_meets_several_operations_is_held_to_each(desk: Desk) -> None:
    """It keeps the contract of one of those that it may mean; which are meant shows in a call."""
    desk.stub(request={"method": "GET", "urlPathPattern": "/api/v2/.*"}, response={"jsonBody": HOURS})
    assert desk.get("/api/v2/opening-hours").json() == HOURS
    reply = desk.get("/api/v2/members")
    assert (reply.status_code, reply.headers["x-mock-problem"]) == (500, "stub-broke-contract")
    assert desk.stub(400, request={"urlPathPattern": "/api/v2/.*"}, response={"status": 418})[0][0] == "/response/status"


# Many of them.


def test_mappings_are_state_of_the_world(desk: Desk) -> None:
    made = desk.stub(request=ASK, response=answers("a"))
    told(desk)
    snapshots = f"/worlds/{desk.world_name}/snapshots/before"
    desk.admin("PUT", snapshots)
    desk.admin("DELETE", f"/mappings/{made['id']}")
    desk.stub(request=ASK, response=answers("b"))
    assert told(desk) == "b"
    desk.admin("POST", f"{snapshots}/restore")
    assert told(desk) == "a"
    assert desk.usage(made) == (2, 2)
    desk.admin("POST", "/worlds", {"name": "copy", "from": desk.world_name}, 201)
    copy = Client(desk.app, "copy", {"x-library-card": "any", "x-mock-world": "copy"})
    assert told(copy) == "a"
    assert desk.usage(made) == (2, 2)
    desk.admin("POST", "/reset")
    assert desk.admin("GET", "/mappings")["mappings"] == []
    assert told(copy) == "a"
    desk.app.worlds.delete("copy")


def test_mapping_can_be_replaced(desk: Desk) -> None:
    made = desk.stub(request=ASK, response=answers("a"))
    told(desk)
    shown = desk.admin("GET", f"/mappings/{made['id']}")
    changed = desk.admin("PUT", f"/mappings/{made['id']}", {**shown, "response": answers("b")})
    assert (changed["id"], changed["usage"]["used"]) == (made["id"], 0)
    assert told(desk) == "b"
    desk.admin("PUT", f"/mappings/{made['id']}", {"id": "another", "response": answers("b")}, 400)
    desk.admin("PUT", "/mappings/nobody", {"response": {}}, 404)


def test_mapping_that_is_refused_leaves_the_one_before(desk: Desk) -> None:
    made = desk.stub(request=ASK, response=answers("a"))
    desk.admin("PUT", f"/mappings/{made['id']}", {"request": ASK, "response": {"status": 418}}, 400)
    assert told(desk) == "a"


def test_export_can_be_imported(desk: Desk) -> None:
    desk.stub(request=ASK, response=answers("a"), metadata={"suite": "x"})
    desk.stub(request={"operation": "getOpeningHours"}, response={"jsonBody": HOURS})
    exported = desk.admin("GET", "/mappings")
    desk.admin("POST", "/mappings/reset")
    desk.stub(id="stays", request=ASK, response=answers("b"), priority=9)
    assert desk.admin("POST", "/mappings/import", exported)["meta"]["total"] == 2
    assert told(desk) == "a"
    options = {"importOptions": {"deleteAllNotInImport": True, "duplicatePolicy": "IGNORE"}}
    desk.admin("POST", "/mappings/import", {**exported, **options})
    assert desk.usage(exported["mappings"][1]) == (1, 1)
    assert desk.admin("GET", "/mappings")["meta"]["total"] == 2


def test_import_is_all_or_nothing(desk: Desk) -> None:
    mappings = [{"request": ASK, "response": answers("a")}, {"request": ASK, "response": {"status": 418}}]
    refusal = desk.admin("POST", "/mappings/import", {"mappings": mappings}, 400)
    assert refusal["violations"][0]["pointer"] == "/mappings/1/response/body"
    assert desk.admin("GET", "/mappings")["meta"]["total"] == 0


def test_unused_mappings_can_be_listed_and_removed(desk: Desk) -> None:
    used = desk.stub(request=ASK, response=answers("a"))
    unused = desk.stub(request={"operation": "getOpeningHours"}, response={"jsonBody": HOURS})
    told(desk)
    for path in ("/mappings?unmatched=true", "/mappings/unmatched"):
        assert [each["id"] for each in desk.admin("GET", path)["mappings"]] == [unused["id"]]
    desk.admin("DELETE", "/mappings/unmatched")
    assert [each["id"] for each in desk.admin("GET", "/mappings")["mappings"]] == [used["id"]]


def test_mappings_are_found_by_metadata(desk: Desk) -> None:
    made = desk.stub(request=ASK, response=answers("a"), metadata={"suite": "x"})
    desk.stub(request=ASK, response=answers("b"))
    wanted = {"matchesJsonPath": {"expression": "$.suite", "equalTo": "x"}}
    assert [each["id"] for each in desk.admin("POST", "/mappings/find-by-metadata", wanted)["mappings"]] == [made["id"]]
    desk.admin("POST", "/mappings/remove-by-metadata", wanted)
    assert desk.admin("GET", "/mappings")["meta"]["total"] == 1


def test_mappings_are_no_records(desk: Desk) -> None:
    before = desk.admin("GET", f"/worlds/{desk.world_name}")["records"]
    desk.stub(request=ASK, response=answers("a"))
    assert desk.admin("GET", "/records") == {"collections": {}}
    assert desk.admin("GET", f"/worlds/{desk.world_name}")["records"] == before


def test_near_misses_are_told(desk: Desk) -> None:
    desk.stub(id="near", request={**ASK, "parameters": {"question": "who"}}, response=answers("a"))
    desk.stub(id="far", request={"operation": "addMember", "headers": {"A": {"equalTo": "b"}}}, response={"fall_through": True})
    desk.get("/api/v2/desk/why")
    entry = next(desk.world.journal.newest())
    stubbing = desk.app.entrance.stubbing
    asked = stubbing.asked(entry.method, entry.path, entry.query, [], entry.request_body, entry.operation)
    found = stubbing.near_misses(desk.world, asked)
    assert [definition["id"] for definition, _ in found] == ["near", "far"]
    assert [str(each) for each in found[0][1]] == ["/request/parameters/question: expected who, found why"]


# Forms that upload files.


@pytest.mark.parametrize("size", [20, 200_000], ids=["small", "large"])
def test_mapping_looks_into_a_form_that_uploads(client: Client, size: int) -> None:
    """At its fields wherever they stand; and at the body, of which a large one is kept in part."""
    request = {
        "operation": "createFile",
        "formParameters": {"purpose": {"equalTo": "assistants"}},
        "bodyPatterns": [{"contains": "tide"}],
    }
    response = {
        "fall_through": True,
        "headers": {"x-seen": "{{request.formData.purpose}}"},
        "transformers": ["response-template"],
    }
    assert client.post("/__admin/mappings", {"request": request, "response": response}).status_code == 201

    def seen(content: str, purpose: str) -> str | None:
        parts = [("file", ("a.txt", content.ljust(size).encode())), ("purpose", (None, purpose))]
        reply = client.call("POST", "/v1/files", files=parts, headers={"x-portkey-provider": "openai"})
        assert reply.status_code == 200, reply.text
        found: str | None = reply.headers.get("x-seen")
        return found

    assert seen("The tide turns.", "assistants") == "assistants"
    assert seen("The tide turns.", "vision") is None
    assert seen("Nothing turns.", "assistants") is None


def test_pattern_finds_a_form_that_uploads(client: Client) -> None:
    parts = [("file", ("a.txt", b"x")), ("purpose", (None, "assistants"))]
    client.call("POST", "/v1/files", files=parts, headers={"x-portkey-provider": "openai"})
    counted = [
        client.post("/__admin/requests/count", {"formParameters": {"purpose": purpose}}).json()["count"]
        for purpose in ("assistants", "vision")
    ]
    assert counted == [1, 0]
