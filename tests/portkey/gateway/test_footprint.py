"""What a call tells in its headers, and what it leaves: its log, and what it counts.

Source: gateway-data-plane, Response headers, Request headers, Budgets and rate limits; governance-mcp-observability, Logs.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED, providers
from tests.portkey.gateway.calling import (
    ANTHROPIC,
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    OPENAI,
    ask,
    asker,
    cached,
    error,
    fail,
    log,
    logs,
    path,
    retries,
    save,
    script,
    send,
    told,
    used,
)
from tests.portkey.team import PRODUCTION, at, barred, done, make_key, read_key, read_workspace, workspace_id
from tests.portkey.traffic import production, read_log

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
OURS: Record = {"provider": f"@{SEEDED}"}
HEADERS = ("trace-id", "retry-attempt-count", "cache-status", "last-used-option-index", "provider")

CALLS: dict[str, tuple[str, Record]] = {
    "chat": (CHAT, {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}),
    "completions": (COMPLETIONS, {"model": "m", "prompt": "Hi"}),
    "embeddings": (EMBEDDINGS, {"model": "m", "input": "Hi"}),
    "moderations": ("/v1/moderations", {"input": "Hi"}),
    "images": ("/v1/images/generations", {"prompt": "A tide"}),
    "speech": ("/v1/audio/speech", {"model": "tts-1", "input": "Hi", "voice": "alloy"}),
}


@pytest.fixture(autouse=True)
def noon(client: Client) -> None:
    at(client, "2026-05-05T12:00:00Z")


def provider(client: Client, **fields: Any) -> None:
    """Change the provider of the seed."""
    reply = client.put(f"/v1/providers/{SEEDED}", fields, params={"workspace_id": PRODUCTION})
    assert reply.status_code == 200, reply.text[:500]


# Headers


@pytest.mark.parametrize("name", CALLS)
def test_every_kind_of_call_has_the_headers(client: Client, name: str) -> None:
    route, body = CALLS[name]
    reply = send(client, route, body, OPENAI)
    assert reply.status_code == 200, reply.text[:500]
    assert re.fullmatch(UUID4, told(reply, "trace-id") or "")
    assert [told(reply, header) for header in HEADERS[1:]] == ["0", "DISABLED", "config", "openai"]


def test_rerank_has_the_headers(client: Client) -> None:
    body = {"model": "rerank-v3", "query": "tide", "documents": ["a", "b"]}
    reply = send(client, "/v1/rerank", body, {"provider": "cohere", "api_key": "k"})
    assert reply.status_code == 200, reply.text[:500]
    assert [told(reply, header) for header in HEADERS[1:]] == ["0", "DISABLED", "config", "cohere"]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 412, 413, 415, 429, 500, 503, 529])
def test_every_kind_of_call_may_fail(client: Client, name: str, status: int) -> None:
    fail(client, status)
    reply = send(client, *CALLS[name], OPENAI)
    assert reply.status_code == status, reply.text[:500]
    assert all(told(reply, header) for header in HEADERS)
    assert told(reply, "gateway-exception") is None


@pytest.mark.parametrize("status", [408, 412, 446])
def test_refusals_of_a_target_have_the_headers(client: Client, status: int) -> None:
    config: Record = {
        **OURS,
        "input_guardrails": [{"contains": {"operator": "none", "words": ["Hello"]}, "deny": status == 446}],
    }
    if status == 412:
        provider(client, usage_limits={"type": "tokens", "credit_limit": 1})
        ask(client, OURS)
    if status == 408:
        fail(client, 408)
    reply = ask(client, config)
    assert reply.status_code == status
    assert all(told(reply, header) for header in HEADERS)


def test_exception_of_the_gateway_is_marked(client: Client) -> None:
    reply = send(client, EMBEDDINGS, CALLS["embeddings"][1], ANTHROPIC)
    assert (reply.status_code, told(reply, "gateway-exception")) == (500, "true")
    assert all(told(reply, header) for header in HEADERS)


def test_stream_has_the_headers(client: Client) -> None:
    reply = ask(client, OPENAI, stream=True)
    assert [told(reply, header) for header in HEADERS[1:]] == ["0", "DISABLED", "config", "openai"]


# Traces


def test_trace_is_echoed(client: Client) -> None:
    assert told(ask(client, OPENAI, headers={"x-portkey-trace-id": "mine"}), "trace-id") == "mine"
    assert log(client)["metrics"]["trace_id"] == "mine"


def test_trace_that_was_drawn_is_that_of_the_log(client: Client) -> None:
    trace_id = told(ask(client, OPENAI), "trace-id")
    assert log(client)["metrics"]["trace_id"] == trace_id


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_traceparent_opens_a_span(client: Client) -> None:
    reply = ask(client, OPENAI, headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    metrics = log(client)["metrics"]
    assert (told(reply, "trace-id"), metrics["trace_id"], metrics["parent_span_id"]) == (TRACE, TRACE, SPAN)
    assert re.fullmatch("[0-9a-f]{16}", metrics["span_id"])
    assert metrics["span_name"] == "POST /v1/chat/completions"


def test_portkeys_headers_beat_traceparent(client: Client) -> None:
    headers = {
        "x-portkey-trace-id": "mine",
        "x-portkey-span-id": "s",
        "x-portkey-span-name": "n",
        "x-portkey-parent-span-id": "p",
    }
    ask(client, OPENAI, headers=headers | {"traceparent": f"00-{TRACE}-{SPAN}-01"})
    metrics = log(client)["metrics"]
    names = ("trace_id", "span_id", "span_name", "parent_span_id")
    assert [metrics[name] for name in names] == ["mine", "s", "n", "p"]


# Metadata


def metadata(client: Client) -> dict[str, str]:
    metrics = log(client)["metrics"]
    return dict(zip(metrics["metadata.key"], metrics["metadata.value"], strict=True))


@pytest.mark.parametrize(
    ("headers", "fields", "expected"),
    [
        ({"x-portkey-metadata": '{"a":"1","_user":"u"}'}, {}, {"a": "1", "_user": "u"}),
        ({"x-portkey-metadata": "nonsense"}, {}, {}),
        ({"baggage": "a=1,b=two%20words"}, {}, {"a": "1", "b": "two words"}),
        ({"baggage": "a=1", "x-portkey-metadata": '{"a":"2"}'}, {}, {"a": "2"}),
        ({}, {"user": "u"}, {"_user": "u"}),
        ({"x-portkey-metadata": '{"_user":"v"}'}, {"user": "u"}, {"_user": "v"}),
    ],
)
def test_metadata_of_a_call(client: Client, headers: dict[str, str], fields: Record, expected: dict[str, str]) -> None:
    ask(client, OPENAI, headers=headers, **fields)
    assert metadata(client) == expected


def test_metadata_of_workspace_beats_key_beats_call(client: Client) -> None:
    done(client.put(f"/v1/admin/workspaces/{PRODUCTION}", {"defaults": {"metadata": {"a": "workspace"}}}))
    caller = asker(client, defaults={"metadata": {"a": "key", "b": "key"}})
    ask(caller, OPENAI, headers={"x-portkey-metadata": '{"a":"call","b":"call","c":"call"}'})
    assert metadata(client) == {"a": "workspace", "b": "key", "c": "call"}


def test_conditions_see_the_defaults_too(client: Client) -> None:
    caller = asker(client, defaults={"metadata": {"plan": "paid"}})
    conditions = [{"query": {"metadata.plan": "paid"}, "then": "b"}]
    config = {
        "strategy": {"mode": "conditional", "conditions": conditions, "default": "a"},
        "targets": [{**OPENAI, "name": "a"}, {**ANTHROPIC, "name": "b"}],
    }
    assert path(ask(caller, config)) == "config.targets[1]"


# The log


def test_log_of_a_call(client: Client) -> None:
    """A price in cents: gpt-4o costs 0.00025 and 0.001 a token. A call takes 100 ms and 10 for each token of its answer."""
    script(client, {"text": "Hi.", "usage": {"prompt_tokens": 1000, "completion_tokens": 200}})
    made = make_key(client, scopes=["completions.write"])
    reply = ask(client.as_key(made.secret), OURS)
    found = log(client)
    metrics = found["metrics"]
    assert (metrics["req_units"], metrics["res_units"], metrics["total_units"]) == (1000, 200, 1200)
    assert metrics["cost"] == pytest.approx(1000 * 0.00025 + 200 * 0.001)
    assert metrics["response_time"] == 100 + 10 * 200
    assert (metrics["ai_org"], metrics["ai_model"], metrics["virtual_key"]) == ("openai", "gpt-4o", SEEDED)
    assert (metrics["api_key_id"], metrics["workspace_slug"]) == (made.id, PRODUCTION)
    assert (metrics["response_status_code"], metrics["is_success"]) == (200, True)
    assert (found["request"]["method"], found["request"]["url"]) == ("POST", "/v1/chat/completions")
    assert found["request"]["body"]["messages"] == [{"role": "user", "content": "Hello"}]
    assert found["response"]["body"]["id"] == reply.json()["id"]


@pytest.mark.parametrize(
    ("failures", "attempts", "expected"), [(0, 3, 0), (2, 3, 2), (3, 1, 0)], ids=["none", "rescued", "exhausted"]
)
def test_log_counts_retries_that_rescued(client: Client, failures: int, attempts: int, expected: int) -> None:
    if failures:
        fail(client, 500, times=failures)
    ask(client, {**OPENAI, "retry": {"attempts": attempts}})
    assert log(client)["metrics"]["retry_success_count"] == expected


def test_log_tells_of_strategy_config_and_target(client: Client) -> None:
    fail(client, 500, "config.targets[0]")
    slug = save(client, {"strategy": {"mode": "fallback"}, "targets": [OPENAI, ANTHROPIC]})
    ask(client, slug)
    found = log(client)
    metrics = found["metrics"]
    assert (metrics["mode"], metrics["config"], metrics["last_used_option_index"]) == ("fallback", slug, 1)
    assert (found["response"]["lastUsedOptionJsonPath"], metrics["ai_org"]) == ("config.targets[1]", "anthropic")
    assert logs(client) == 1


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("simple", [("MISS", "simple"), ("HIT", "simple")]), ("semantic", [("SEMANTIC MISS", "semantic"), ("HIT", "simple")])],
)
def test_log_tells_of_the_cache(client: Client, mode: str, expected: list[tuple[str, str]]) -> None:
    found = []
    for _ in range(2):
        ask(client, {**OPENAI, "cache": {"mode": mode}})
        metrics = log(client)["metrics"]
        found.append((metrics["cache_status"], metrics["cache_type"]))
    assert found == expected


@pytest.mark.parametrize("status", [400, 429, 503])
def test_log_of_a_failure_costs_nothing(client: Client, status: int) -> None:
    fail(client, status, message="No.")
    ask(client, OPENAI)
    found = log(client)
    assert (found["response"]["status"], found["metrics"]["cost"], found["metrics"]["is_success"]) == (status, 0, False)
    assert found["response"]["body"]["error"]["message"] == "No."


def test_log_of_a_stream_has_the_whole_answer(client: Client) -> None:
    script(client, "One two three.")
    ask(client, OPENAI, stream=True)
    found = log(client)
    assert found["metrics"]["stream_mode"] == 1
    assert found["metrics"]["res_units"] > 0
    assert found["response"]["body"]["choices"][0]["message"]["content"] == "One two three."


def test_stream_uses_what_an_answer_at_once_uses(client: Client) -> None:
    units = []
    for stream in (False, True):
        ask(client, OPENAI, stream=stream)
        units.append(log(client)["metrics"]["total_units"])
    assert units[0] == units[1] > 0


def test_log_without_bodies(client: Client) -> None:
    ask(client, OPENAI, headers={"x-portkey-debug": "false"})
    found = log(client)
    assert (found["request"]["body"], found["response"]["body"]) == ({}, {})
    assert found["metrics"]["total_units"] > 0


def test_log_keeps_no_secrets(client: Client) -> None:
    ask(client, {"provider": "openai", "api_key": "sk-very-secret"}, headers={"authorization": "Bearer sk-other-secret"})
    assert "secret" not in json.dumps(log(client))


def test_log_is_found_by_those_of_its_workspace(client: Client) -> None:
    caller = production(client)
    ask(caller, OPENAI)
    assert read_log(caller, client.world["logs"].page(0, 1)[0][0]["id"])["metrics"]["workspace_slug"] == PRODUCTION


# Counters


LIMIT: Record = {"type": "tokens", "credit_limit": 1_000_000}


def test_all_who_have_a_budget_count(client: Client) -> None:
    provider(client, usage_limits=LIMIT)
    done(client.put(f"/v1/admin/workspaces/{PRODUCTION}", {"usage_limits": [LIMIT]}))
    made = make_key(client, scopes=["completions.write"], usage_limits=LIMIT)
    tokens = ask(client.as_key(made.secret), OURS).json()["usage"]["total_tokens"]
    counted = [
        read_key(client, made.id)["usage_limits"]["current_usage"],
        read_workspace(client, PRODUCTION)["usage_limits"][0]["current_usage"],
        providers(client)[SEEDED]["usage_limits"]["current_usage"],
    ]
    assert counted == [tokens] * 3


def test_budget_of_the_target_that_answered_counts(client: Client) -> None:
    """A target that failed has used nothing."""
    provider(client, usage_limits=LIMIT)
    fail(client, 500, "config.targets[0]")
    ask(client, {"strategy": {"mode": "fallback"}, "targets": [OURS, OPENAI]})
    assert "current_usage" not in providers(client)[SEEDED]["usage_limits"]


def test_failure_uses_no_budget(client: Client) -> None:
    fail(client, 500)
    made = make_key(client, scopes=["completions.write"], usage_limits=LIMIT)
    ask(client.as_key(made.secret), OURS)
    assert "current_usage" not in read_key(client, made.id)["usage_limits"]


def test_budget_of_a_key_refuses_the_call_after_the_one_that_crossed_it(client: Client) -> None:
    script(client, {"text": "Hi.", "usage": {"prompt_tokens": 5, "completion_tokens": 5}})
    caller = asker(client, usage_limits={"type": "tokens", "credit_limit": 25})
    assert [ask(caller, OURS).status_code for _ in range(4)] == [200, 200, 200, 412]
    assert barred(ask(caller, OURS), 412, "04") == "Portkey API Key Usage Limit Exceeded"
    assert logs(client) == 3


def test_budget_of_a_provider_refuses_within_the_target(client: Client) -> None:
    script(client, {"text": "Hi.", "usage": {"prompt_tokens": 5, "completion_tokens": 5}})
    provider(client, usage_limits={"type": "tokens", "credit_limit": 15})
    caller = asker(client)
    assert [ask(caller, OURS).status_code for _ in range(2)] == [200, 200]
    reply = ask(caller, OURS)
    assert error(reply, 412) == {
        "message": "Portkey Virtual Key op********ion Usage Limit Exceeded",
        "type": "virtual_key_exhaust_error",
        "param": None,
        "code": "04",
    }
    assert (logs(client), log(client)["response"]["status"]) == (3, 412)


def test_rate_of_a_provider_refuses_within_the_target(client: Client) -> None:
    provider(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 2}])
    caller = asker(client)
    assert [ask(caller, OURS).status_code for _ in range(3)] == [200, 200, 429]
    assert (logs(client), log(client)["response"]["status"]) == (3, 429)


def test_failure_counts_as_a_request(client: Client) -> None:
    provider(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 2}])
    fail(client, 500, times=1)
    caller = asker(client)
    assert [ask(caller, OURS).status_code for _ in range(3)] == [500, 200, 429]


def test_model_that_is_closed_is_refused(client: Client) -> None:
    models = {"models": [{"slug": "gpt-4o", "enabled": False}]}
    done(client.put(f"/v1/integrations/{SEEDED}/models", models))
    asked = script(client)
    reply = ask(asker(client), OURS)
    assert error(reply, 412) == {
        "message": "Model gpt-4o is not allowed for this integration",
        "type": "model_not_allowed_error",
        "param": None,
        "code": None,
    }
    assert used(client, asked) == 0
    assert ask(asker(client), {**OURS, "override_params": {"model": "gpt-4o-mini"}}).status_code == 200


def test_policy_counts_and_refuses(client: Client) -> None:
    policy = {
        "conditions": [{"key": "workspace_id", "value": workspace_id(client)}],
        "group_by": [{"key": "api_key"}],
        "type": "requests",
        "unit": "rpm",
        "value": 2,
        "workspace_id": PRODUCTION,
    }
    reply = client.post("/v1/policies/rate-limits", policy)
    assert reply.status_code == 200, reply.text[:500]
    caller = asker(client)
    assert [ask(caller, OURS).status_code for _ in range(3)] == [200, 200, 429]
    assert error(ask(caller, OURS), 429)["type"] == "rate_limits_policy_exhaust_error"
    assert ask(asker(client), OURS).status_code == 200


def test_hit_counts_for_the_rate_of_its_key_alone(client: Client) -> None:
    provider(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}])
    caller = asker(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 2}])
    config = {**OURS, "cache": {"mode": "simple"}}
    replies = [ask(caller, config) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert [cached(reply) for reply in replies] == ["MISS", "HIT", None]
    assert retries(replies[1]) == "0"
