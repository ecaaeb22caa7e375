"""Logs through the front door: what a call leaves, what is reported, what a read shows.

Source of every rule that names none: governance-mcp-observability, Logs; gateway-data-plane, Request headers.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from mockserver.portkey.log_records import EXCHANGE_LIMIT
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import NOBODY, PRODUCTION, RESEARCH, SHARED, at, make_key, read_key, refused, serve, state
from tests.portkey.traffic import (
    MESSAGES,
    MODEL,
    NOON,
    asked,
    cost_of,
    latest,
    noted,
    production,
    read_log,
    report,
    reported,
    used,
)

LOGS = "/v1/logs"


def metadata(log: Record) -> dict[str, str]:
    """The metadata of a log that was read."""
    return dict(zip(log["metrics"]["metadata.key"], log["metrics"]["metadata.value"], strict=True))


# Reporting


def test_report_is_acknowledged(client: Client) -> None:
    reply = client.post(LOGS, report())
    assert (reply.status_code, reply.json()) == (200, {"status": "success", "success": True})


@pytest.mark.parametrize(
    ("body", "count"),
    [(report(), 1), ([report(), report()], 2), ([], 0), ({"0": report(), "1": report(), "2": report()}, 3)],
    ids=["one", "several", "none", "by number, as the Node client writes a list"],
)
def test_report_may_hold_several(client: Client, body: Any, count: int) -> None:
    client.post(LOGS, body)
    assert len(client.world["logs"]) == count


def test_report_shows_in_a_read(client: Client) -> None:
    at(client, NOON)
    said = report(429, tokens=(100, 10), ms=412, trace_id="tide-1", span_id="s-1", span_name="answer", team="support")
    said["request"]["headers"] = {"accept": "application/json"}
    log = reported(client, said)[0]
    organisation_id = read_log(client, log["id"])["organisation_id"]
    answer = said["response"]["body"]
    assert read_log(client, log["id"]) == {
        "_id": log["id"],
        "organisation_id": organisation_id,
        "created_at": "2026-05-03T12:00:00.000Z",
        "log_format": "v1",
        "request": {
            "url": "https://api.openai.com/v1/chat/completions",
            "method": "POST",
            "headers": {"accept": "application/json"},
            "body": {"model": "gpt-4o"},
            "portkeyHeaders": {},
        },
        "response": {
            "status": 429,
            "headers": {},
            "body": answer,
            "responseTime": 412,
            "lastUsedOptionJsonPath": "config",
        },
        "metrics": {
            "id": log["id"],
            "organisation_id": organisation_id,
            "workspace_slug": SHARED,
            "created_at": "2026-05-03T12:00:00.000Z",
            "trace_id": "tide-1",
            "span_id": "s-1",
            "span_name": "answer",
            "ai_org": "openai",
            "ai_model": "gpt-4o",
            "request_url": "https://api.openai.com/v1/chat/completions",
            "request_method": "POST",
            "response_status_code": 429,
            "is_success": False,
            "response_time": 412,
            "req_units": 100,
            "res_units": 10,
            "total_units": 110,
            "cost": 0.035,
            "cost_currency": "USD",
            "cache_status": "DISABLED",
            "cache_type": None,
            "retry_success_count": 0,
            "last_used_option_index": 0,
            "mode": "single",
            "stream_mode": 0,
            "metadata.key": ["team"],
            "metadata.value": ["support"],
        },
        "finalUntransformedRequest": {"body": {"model": "gpt-4o"}},
        "transformedRequest": {"body": {"model": "gpt-4o"}},
        "originalResponse": {"body": answer},
    }


def test_report_without_details_has_defaults(client: Client) -> None:
    """The docs' defaults: method `post`, status 200."""
    log = read_log(client, reported(client, {"request": {}, "response": {}})[0]["id"])
    assert (log["request"]["method"], log["response"]["status"], log["response"]["responseTime"]) == ("POST", 200, 0)
    assert (log["metrics"]["ai_org"], log["metrics"]["ai_model"], log["metrics"]["is_success"]) == ("", "", True)


def test_report_may_spell_metadata_in_camel_case(client: Client) -> None:
    names: Record = {
        "traceId": "t",
        "spanId": 7,
        "parentSpanId": 6,
        "spanName": "answer",
        "user": "ines",
        "organization": "Tides",
    }
    log = read_log(client, reported(client, report(**names))[0]["id"])
    shown = [log["metrics"][name] for name in ("trace_id", "span_id", "parent_span_id", "span_name")]
    assert shown == ["t", "7", "6", "answer"]
    assert metadata(log) == {"_user": "ines", "user": "ines", "organization": "Tides"}


def test_report_of_nulls_has_no_metadata(client: Client) -> None:
    log = read_log(client, reported(client, report(trace_id=None, span_id=None, user=None))[0]["id"])
    assert metadata(log) == {}
    assert "span_id" not in log["metrics"]


def test_given_user_is_kept(client: Client) -> None:
    log = read_log(client, reported(client, report(user="ines", _user="bo"))[0]["id"])
    assert metadata(log)["_user"] == "bo"


def test_metadata_is_text(client: Client) -> None:
    log = read_log(client, reported(client, report(level=3, on=True, tags=["a"]))[0]["id"])
    assert metadata(log) == {"level": "3", "on": "true", "tags": '["a"]'}


def test_report_without_a_trace_gets_one_of_its_own(client: Client) -> None:
    first, second = reported(client, report(), report())
    assert first["trace_id"] != second["trace_id"]
    assert {uuid.UUID(each["trace_id"]).version for each in (first, second)} == {4}


@pytest.mark.parametrize(("ms", "shown"), [(412, 412), (412.6, 413), ("412.4", 412), ("7", 7)])
def test_response_time_may_be_a_text_or_a_fraction(client: Client, ms: Any, shown: int) -> None:
    assert read_log(client, reported(client, report(ms=ms))[0]["id"])["response"]["responseTime"] == shown


@pytest.mark.parametrize(
    ("provider", "model", "cents"),
    [
        ("openai", "gpt-4o", 0.25 + 1),
        ("anthropic", "claude-3-5-sonnet-20241022", 0.3 + 1.5),
        ("openai", "own", 0),
        (None, "gpt-4o", 0),
    ],
)
def test_report_costs_what_a_call_would(client: Client, provider: str | None, model: str, cents: float) -> None:
    """Model pricing: cents per token; what has no price adds nothing."""
    said = report(tokens=(1000, 1000), model=model)
    said["request"]["provider"] = provider
    if provider is None:
        del said["request"]["provider"]
    assert read_log(client, reported(client, said)[0]["id"])["metrics"]["cost"] == cents


def test_report_may_count_tokens_as_responses_do(client: Client) -> None:
    said = report()
    said["response"]["body"] = {"model": "o3", "usage": {"input_tokens": 5, "output_tokens": 2}}
    said["request"]["body"] = {}
    shown = read_log(client, reported(client, said)[0]["id"])["metrics"]
    assert (shown["ai_model"], shown["req_units"], shown["res_units"]) == ("o3", 5, 2)


def test_secrets_in_reported_headers_are_taken_out(client: Client) -> None:
    said = report()
    said["request"]["headers"] = {"Authorization": "Bearer sk-1", "x-portkey-api-key": "pk", "x-portkey-trace-id": "t"}
    shown = read_log(client, reported(client, said)[0]["id"])["request"]["headers"]
    assert shown == {"Authorization": "[redacted]", "x-portkey-api-key": "[redacted]", "x-portkey-trace-id": "t"}


def test_metadata_of_the_workspace_beats_the_keys_beats_the_reports(client: Client) -> None:
    """Precedence workspace > API key > request; Production has `cost_centre`."""
    scopes = ["completions.write", "logs.write", "logs.view"]
    defaults = {"metadata": {"cost_centre": "key", "team": "key"}}
    key = client.as_key(make_key(client, scopes=scopes, defaults=defaults).secret)
    log = reported(key, report(cost_centre="said", team="said", step="said"))[0]
    assert metadata(read_log(client, log["id"])) == {"cost_centre": "1200", "team": "key", "step": "said"}


def test_reported_calls_use_no_budget(client: Client) -> None:
    limit = {"type": "cost", "credit_limit": 1}
    made = make_key(client, scopes=["completions.write", "logs.write"], usage_limits=limit)
    reported(client.as_key(made.secret), report(tokens=(10**7, 10**7)))
    assert read_key(client, made.id)["usage_limits"] == limit


def test_one_bad_report_refuses_all(client: Client) -> None:
    before = state(client)
    refused(client.post(LOGS, [report(), {"request": {}}]), 400, "AB01")
    assert state(client) == before


# What a call leaves


def test_call_leaves_a_log(client: Client) -> None:
    at(client, NOON)
    caller = production(client)
    log = asked(caller, {"x-portkey-trace-id": "tide-2"}, user="ines")
    shown = log["metrics"]
    assert (shown["workspace_slug"], shown["trace_id"], shown["created_at"]) == (
        PRODUCTION,
        "tide-2",
        "2026-05-03T12:00:00.000Z",
    )
    assert (shown["ai_org"], shown["ai_model"], shown["response_status_code"]) == ("openai", "gpt-4o", 200)
    assert (shown["req_units"], shown["res_units"]) == used(log)
    assert shown["cost"] == cost_of(log) > 0
    assert (log["request"]["url"], log["request"]["method"]) == ("/v1/chat/completions", "POST")
    assert log["request"]["body"] == {"model": MODEL, "messages": MESSAGES, "user": "ines"}
    assert log["response"]["body"]["choices"][0]["message"]["role"] == "assistant"
    assert metadata(log) == {"_user": "ines", "cost_centre": "1200"}


def test_call_takes_as_long_as_its_answer(client: Client) -> None:
    """*chosen*: a tenth of a second, and a hundredth for each token of the answer."""
    log = asked(client)
    assert log["response"]["responseTime"] == 100 + 10 * used(log)[1]


def test_call_names_its_key(client: Client) -> None:
    made = make_key(client, scopes=["completions.write"])
    client.as_key(made.secret).post("/v1/chat/completions", {"model": MODEL, "messages": MESSAGES})
    assert read_log(client, latest(client)[0]["id"])["metrics"]["api_key_id"] == made.id


def test_call_of_an_unknown_key_names_none(client: Client) -> None:
    assert "api_key_id" not in asked(client)["metrics"]


def test_call_through_a_provider_names_it(client: Client) -> None:
    """The default workspace is not meant then: the provider's is (*chosen*)."""
    newest = next(client.world["providers"].newest(slug="openai-production"))
    workspace = client.world["workspaces"].get(newest["workspace_id"])
    shown = asked(client)["metrics"]
    assert (shown["virtual_key"], shown["ai_org"], shown["ai_model"]) == ("openai-production", "openai", "gpt-4o")
    assert shown["workspace_slug"] == workspace["slug"]


def test_call_without_a_workspace_belongs_to_the_default_one(client: Client) -> None:
    assert asked(client, model="gpt-4o")["metrics"]["workspace_slug"] == SHARED


def test_call_in_an_empty_world_belongs_to_none(tmp_path: Any) -> None:
    client = Client(serve(tmp_path, {}))
    assert asked(client, model="gpt-4o")["metrics"]["workspace_slug"] is None


@pytest.mark.parametrize(
    ("headers", "metadata_", "trace_id"),
    [
        ({"x-portkey-metadata": '{"team": "a", "_user": "bo"}'}, {"team": "a", "_user": "bo"}, None),
        ({"x-portkey-metadata": "no JSON"}, {}, None),
        ({"x-portkey-metadata": "[1]"}, {}, None),
        ({"baggage": "team=a%20b;p=1, step=2", "x-portkey-metadata": '{"step": "3"}'}, {"team": "a b", "step": "3"}, None),
        ({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}, {}, "a" * 32),
        ({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "x-portkey-trace-id": "own"}, {}, "own"),
    ],
    ids=["metadata", "broken metadata", "metadata that is no object", "baggage", "traceparent", "both traces"],
)
def test_headers_say_metadata_and_trace(
    client: Client, headers: dict[str, str], metadata_: dict[str, str], trace_id: str | None
) -> None:
    log = asked(client, headers, model="gpt-4o")
    assert metadata(log) == metadata_
    assert trace_id is None or log["metrics"]["trace_id"] == trace_id


def test_call_without_a_trace_gets_one(client: Client) -> None:
    assert uuid.UUID(asked(client)["metrics"]["trace_id"]).version == 4


def test_spans_are_kept(client: Client) -> None:
    headers = {"x-portkey-span-id": "s", "x-portkey-parent-span-id": "p", "x-portkey-span-name": "answer"}
    shown = asked(client, headers)["metrics"]
    assert (shown["span_id"], shown["parent_span_id"], shown["span_name"]) == ("s", "p", "answer")


def test_headers_that_steer_are_kept_without_secrets(client: Client) -> None:
    config = json.dumps({"provider": "openai", "api_key": "sk-1"})
    shown = asked(client, {"x-portkey-config": config, "x-portkey-debug": "true"}, model="gpt-4o")["request"]["portkeyHeaders"]
    safe = '{"provider":"openai","api_key":"[redacted]"}'
    assert shown == {"x-portkey-api-key": "[redacted]", "x-portkey-config": safe, "x-portkey-debug": "true"}


def test_debug_false_keeps_no_bodies(client: Client) -> None:
    log = asked(client, {"x-portkey-debug": "false"})
    assert (log["request"]["body"], log["response"]["body"]) == ({}, {})
    assert log["metrics"]["total_units"] > 0


def test_long_exchange_keeps_its_facts(client: Client) -> None:
    """*chosen*: a log holds no more of a call than the journal does."""
    log = asked(client, user="x" * EXCHANGE_LIMIT)
    assert (log["request"]["body"], log["request"]["url"]) == ({}, "/v1/chat/completions")


def test_stream_mode_tells_of_streams(client: Client) -> None:
    assert asked(client)["metrics"]["stream_mode"] == 0
    assert (
        read_log(client, reported(client, report() | {"response": {"streamingMode": True}})[0]["id"])["metrics"]["stream_mode"]
        == 1
    )


def test_completion_of_a_prompt_is_logged_with_the_prompt(client: Client) -> None:
    collection = client.post("/v1/collections", {"name": "Tides", "workspace_id": PRODUCTION}).json()["id"]
    prompt = {"name": "Tide", "collection_id": collection, "string": "{{a}}", "parameters": {}, "model": "gpt-4o"}
    made = client.post("/v1/prompts", {**prompt, "virtual_key": "openai-production"}).json()
    reply = client.post(f"/v1/prompts/{made['id']}/completions", {"variables": {"a": "b"}})
    assert reply.status_code == 200, reply.text
    shown = read_log(client, latest(client)[0]["id"])["metrics"]
    assert (shown["prompt_id"], shown["prompt_slug"]) == (made["id"], made["slug"])
    assert shown["request_url"] == f"/v1/prompts/{made['id']}/completions"
    assert shown["ai_model"] == reply.json()["model"]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/api-keys", "/v1/admin/workspaces"])
def test_other_reads_leave_no_log(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200
    assert len(client.world["logs"]) == 0


def test_refused_call_leaves_no_log(client: Client) -> None:
    """*chosen*: no refused call changes a world."""
    client.post("/v1/chat/completions", {"model": MODEL})
    production(client, "logs.view").post("/v1/chat/completions", {"model": MODEL, "messages": MESSAGES})
    assert len(client.world["logs"]) == 0


def test_answer_on_demand_leaves_no_log(client: Client) -> None:
    client.post("/v1/chat/completions", {"model": MODEL, "messages": MESSAGES}, headers={"prefer": "code=200"})
    assert len(client.world["logs"]) == 0


def test_facts_that_no_call_brings_yet_are_shown(client: Client) -> None:
    facts: Record = {
        "cache_status": "HIT", "cache_type": "simple", "retry_success_count": 2, "mode": "fallback", "config": "pc-a",
        "option_path": "config.targets[1]", "last_used_option_index": 1, "config_id": "c", "prompt_id": "p",
        "prompt_version_id": "v",
    }  # fmt: skip
    noted(client, **facts)
    log = read_log(client, latest(client)[0]["id"])
    names = ("cache_status", "cache_type", "retry_success_count", "last_used_option_index", "mode", "config", "config_id")
    assert [log["metrics"][name] for name in names] == ["HIT", "simple", 2, 1, "fallback", "pc-a", "c"]
    assert log["response"]["lastUsedOptionJsonPath"] == "config.targets[1]"
    assert (log["metrics"]["prompt_id"], log["metrics"]["prompt_version_id"]) == ("p", "v")


# Reading


def test_unknown_log_is_missing(client: Client) -> None:
    refused(client.get(f"{LOGS}/{NOBODY}"), 404, "AB08")


def test_log_of_another_workspace_is_forbidden(client: Client) -> None:
    log = reported(production(client), report())[0]
    stranger = client.as_key(make_key(client, workspace_id=RESEARCH, scopes=["logs.view"]).secret)
    refused(stranger.get(f"{LOGS}/{log['id']}"), 403, "AB03")


def test_second_way_of_filing_needs_the_time(client: Client) -> None:
    path = f"{LOGS}/{reported(client, report())[0]['id']}"
    refused(client.get(path, params={"path_format": "v2"}), 400, "AB01")
    for query in ({"path_format": "v2", "created_at": "2026-05-03T12:00:00.000Z"}, {"path_format": "v1"}):
        assert client.get(path, params=query).status_code == 200


def test_hooks_alone_can_be_read(client: Client) -> None:
    said = report()
    said["response"]["body"] = {"choices": [], "hook_results": {"before_request_hooks": []}}
    path = f"{LOGS}/{reported(client, said)[0]['id']}"
    log = client.get(path, params={"type": "hooks"}).json()
    assert log["response"]["body"] == {"hook_results": {"before_request_hooks": []}}
    assert log["request"]["body"] == {}
    assert "metrics" not in log


@pytest.mark.parametrize("scope", ["logs.view", "logs.read", "logs.write", "completions.write"])
def test_any_of_these_scopes_reads(client: Client, scope: str) -> None:
    log = reported(production(client), report())[0]
    assert production(client, scope).get(f"{LOGS}/{log['id']}").status_code == 200


@pytest.mark.parametrize("scope", ["logs.write", "completions.write"])
def test_reporting_needs_both_scopes(client: Client, scope: str) -> None:
    refused(production(client, scope).post(LOGS, report()), 403, "AB03")


def test_same_calls_give_the_same_logs(client: Client) -> None:
    """Ids and traces come from the world's seed."""

    def made() -> list[Record]:
        client.app.worlds.reset(client.world_name)
        at(client, NOON)
        asked(client)
        reported(client, report(), report())
        return latest(client, 3)

    assert made() == made()


def test_logs_follow_snapshots(client: Client) -> None:
    reported(client, report(trace_id="t"))
    snapshot = client.world.snapshot()
    reported(client, report(trace_id="t"))
    client.world.restore(snapshot)
    assert len(client.world["logs"]) == 1
    noted(client, trace_id="t")
    assert len(client.world["logs"]) == 2
