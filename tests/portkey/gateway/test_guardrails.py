"""Guardrails at work. Source: gateway-data-plane, Guardrails. `test_verdicts` has the checks one by one."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.values import JSON, Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED
from tests.portkey.gateway.calling import (
    COMPLETIONS,
    EMBEDDINGS,
    OPENAI,
    ask,
    asker,
    cached,
    chunks,
    error,
    fail,
    log,
    path,
    retries,
    said,
    script,
    send,
    told,
    used,
)
from tests.portkey.team import PRODUCTION, at, done, make_key, read_key, turned_down

GOOD: Record = {"default.contains": {"operator": "any", "words": ["Hello", "Scripted"]}}
BAD: Record = {"default.contains": {"operator": "none", "words": ["Hello", "Scripted"]}}
DENYING: Record = {**BAD, "deny": True}
ASYNC: Record = {**DENYING, "async": True}
FAILED = "The guardrail checks defined in the config failed. You can find more information in the `hook_results` object."


@pytest.fixture
def scripted(client: Client) -> Client:
    """A world where models answer `Scripted.`."""
    at(client, "2026-05-05T12:00:00Z")
    script(client)
    return client


def guarded(*before: JSON, after: tuple[JSON, ...] = (), **more: Any) -> Record:
    config = {**OPENAI, **more}
    if before:
        config["input_guardrails"] = list(before)
    if after:
        config["output_guardrails"] = list(after)
    return config


@pytest.mark.parametrize(
    ("before", "after", "status", "shown"),
    [
        ((), (), 200, None),
        ((GOOD,), (), 200, (1, 0)),
        ((), (GOOD,), 200, (0, 1)),
        ((GOOD,), (GOOD,), 200, (1, 1)),
        ((BAD,), (), 246, (1, 0)),
        ((), (BAD,), 246, (0, 1)),
        ((GOOD, BAD), (GOOD,), 246, (2, 1)),
        ((DENYING,), (GOOD,), 446, (1, 0)),
        ((BAD, DENYING), (), 446, (2, 0)),
        ((GOOD,), (DENYING,), 446, (1, 1)),
        ((BAD,), (DENYING,), 446, (1, 1)),
        ((ASYNC,), (), 200, None),
        ((), (ASYNC,), 200, None),
        ((ASYNC, GOOD), (ASYNC,), 200, (1, 0)),
        (({**GOOD, "deny": True},), ({**GOOD, "deny": True},), 200, (1, 1)),
    ],
)
def test_cases(
    scripted: Client, before: tuple[JSON, ...], after: tuple[JSON, ...], status: int, shown: tuple[int, int] | None
) -> None:
    reply = ask(scripted, guarded(*before, after=after))
    assert reply.status_code == status, reply.text[:500]
    results = reply.json().get("hook_results")
    found = results and (len(results["before_request_hooks"]), len(results["after_request_hooks"]))
    assert found == shown
    assert ("choices" in reply.json()) is (status != 446)


@pytest.mark.parametrize("config", [guarded(DENYING), guarded(after=(DENYING,))], ids=["input", "output"])
def test_denial_is_told_in_openais_form(scripted: Client, config: Record) -> None:
    reply = ask(scripted, config)
    assert error(reply, 446) == {"message": FAILED, "type": "hooks_failed", "param": None, "code": None}
    assert (path(reply), retries(reply), cached(reply), told(reply, "provider")) == ("config", "0", "DISABLED", "openai")
    assert told(reply, "trace-id")


def test_output_of_a_246_is_the_answer(scripted: Client) -> None:
    assert said(ask(scripted, guarded(BAD))) == "Scripted."


def test_provider_error_keeps_what_was_found_before(client: Client) -> None:
    fail(client, 503)
    reply = ask(client, guarded(BAD, after=(BAD,)))
    assert reply.status_code == 503
    assert [len(found) for found in reply.json()["hook_results"].values()] == [1, 0]
    assert reply.json()["error"]["type"] == "server_error"


def test_denied_input_does_not_reach_the_provider(client: Client) -> None:
    asked = script(client)
    ask(client, guarded(DENYING))
    assert used(client, asked) == 0


def test_shape_of_a_result(scripted: Client) -> None:
    check = {"default.wordCount": {"minWords": 5}, "id": "long", "deny": True}
    given = {"feedback": {"value": -5, "weight": 1, "metadata": {"team": "a"}}}
    (result,) = ask(scripted, guarded({**check, "on_fail": given})).json()["hook_results"]["before_request_hooks"]
    assert result["checks"][0].pop("data")["wordCount"] == 1
    assert result == {
        "verdict": False,
        "id": "long",
        "transformed": False,
        "checks": [
            {
                "verdict": False,
                "id": "default.wordCount",
                "execution_time": 0,
                "transformed": False,
                "created_at": "2026-05-05T12:00:00.000Z",
                "log": None,
                "fail_on_error": False,
            }
        ],
        "feedback": {
            "value": -5,
            "weight": 1,
            "metadata": {"team": "a", "successfulChecks": "", "failedChecks": "default.wordCount", "erroredChecks": ""},
        },
        "execution_time": 0,
        "async": False,
        "type": "guardrail",
        "created_at": "2026-05-05T12:00:00.000Z",
        "deny": True,
    }


def results(client: Client, *before: JSON, **more: Any) -> list[Record]:
    found: list[Record] = ask(client, guarded(*before, **more)).json()["hook_results"]["before_request_hooks"]
    return found


def test_result_denies_only_if_it_did(scripted: Client) -> None:
    assert [found["deny"] for found in results(scripted, {**GOOD, "deny": True}, DENYING)] == [False, True]


def test_result_without_feedback_has_none(scripted: Client) -> None:
    assert results(scripted, GOOD)[0]["feedback"] is None


# Forms


def test_bare_names_of_checks_get_their_prefix(scripted: Client) -> None:
    (found,) = results(scripted, {"wordCount": {"minWords": 1}, "notNull": {}})
    assert [check["id"] for check in found["checks"]] == ["default.wordCount", "default.notNull"]
    assert found["id"].startswith("input_guardrail_")


def test_checks_may_be_listed(scripted: Client) -> None:
    rail = {"id": "mine", "checks": [{"id": "default.regexMatch", "parameters": {"rule": "^H"}}]}
    (found,) = results(scripted, rail)
    assert (found["id"], found["verdict"]) == ("mine", True)


def hook(**more: Any) -> Record:
    check = {"id": "default.regexMatch", "parameters": {"rule": "^X"}}
    return {"type": "guardrail", "id": "g", "checks": [check], **more}


@pytest.mark.parametrize(
    ("more", "status"), [({}, 246), ({"deny": True}, 446), ({"deny": True, "async": True}, 200), ({"type": "mutator"}, 200)]
)
@pytest.mark.parametrize("side", ["before_request_hooks", "after_request_hooks"])
def test_raw_hooks(scripted: Client, side: str, more: Record, status: int) -> None:
    reply = ask(scripted, {**OPENAI, side: [hook(**more)]})
    assert reply.status_code == status
    if status != 200:
        assert [found["id"] for found in reply.json()["hook_results"][side]] == ["g"]


def make(client: Client, actions: Record) -> str:
    """Save a guardrail of Production that fails, and return its slug."""
    check = {"id": "default.regexMatch", "parameters": {"rule": "^X"}}
    body = {"name": "Mine", "checks": [check], "actions": actions, "workspace_id": PRODUCTION}
    reply = client.post("/v1/guardrails", body)
    assert reply.status_code == 200, reply.text[:500]
    return str(reply.json()["slug"])


@pytest.mark.parametrize(
    ("actions", "status"),
    [({}, 200), ({"deny": True}, 200), ({"async": False}, 246), ({"async": False, "deny": True}, 446)],
)
@pytest.mark.parametrize("key", ["input_guardrails", "before_request_hooks"])
def test_saved_guardrails(scripted: Client, key: str, actions: Record, status: int) -> None:
    """Asynchronous and not denying, unless they say otherwise."""
    slug = make(scripted, actions)
    reply = ask(scripted, {**OPENAI, key: [slug]})
    assert reply.status_code == status
    if status != 200:
        assert reply.json()["hook_results"]["before_request_hooks"][0]["id"] == slug


def test_disabled_check_is_not_made(scripted: Client) -> None:
    checks = [{"id": "default.regexMatch", "parameters": {"rule": "^X"}, "is_enabled": False}]
    (found,) = results(scripted, {"id": "g", "checks": checks})
    assert (found["verdict"], found["checks"]) == (True, [])


# Checks that cannot be made


@pytest.mark.parametrize(
    "check",
    [
        {"regexMatch": {"rule": "("}},
        {"wordCount": {"minWords": "two"}},
        {"contains": {"words": 5}},
        {"jsonSchema": {}},
        {"endsWith": {}},
    ],
    ids=["regex", "text for a number", "number for a list", "nothing", "nothing either"],
)
def test_check_that_errs_does_not_fail_its_guardrail(scripted: Client, check: Record) -> None:
    (found,) = results(scripted, {**check, "deny": True})
    (made,) = found["checks"]
    assert (found["verdict"], made["verdict"]) == (True, False)
    assert set(made["error"]) == {"name", "message"}


def test_check_may_fail_on_errors(scripted: Client) -> None:
    reply = ask(scripted, guarded({"regexMatch": {"rule": "(", "failOnError": True}, "deny": True}))
    assert reply.status_code == 446
    assert reply.json()["hook_results"]["before_request_hooks"][0]["checks"][0]["fail_on_error"] is True


@pytest.mark.parametrize("checks", ["none", [5], [{}], [{"id": 5}], [{"id": "default.contains", "parameters": 5}]])
def test_checks_that_are_none_break_nothing(scripted: Client, checks: JSON) -> None:
    assert ask(scripted, guarded({"id": "g", "checks": checks})).status_code in (200, 246)


# What is looked at


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"role": "user", "content": "Hello"}], 246),
        ([{"role": "user", "content": "Hello"}, {"role": "user", "content": "Bye"}], 200),
        ([{"role": "user", "content": [{"type": "text", "text": "Bye"}, {"type": "text", "text": "Hello"}]}], 246),
    ],
    ids=["one", "the last counts", "parts"],
)
def test_text_is_that_of_the_last_message(client: Client, messages: list[Record], status: int) -> None:
    assert ask(client, guarded(BAD), messages=messages).status_code == status


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        (COMPLETIONS, {"model": "m", "prompt": "Hello"}, 246),
        (EMBEDDINGS, {"model": "m", "input": "Hello"}, 246),
        ("/v1/moderations", {"input": "Hello"}, 200),
        ("/v1/images/generations", {"prompt": "Hello"}, 200),
        ("/v1/audio/speech", {"model": "tts-1", "input": "Hello", "voice": "alloy"}, 200),
    ],
)
def test_which_calls_are_guarded(client: Client, route: str, body: Record, status: int) -> None:
    assert send(client, route, body, guarded(BAD)).status_code == status


def test_embeddings_have_no_output_to_guard(client: Client) -> None:
    reply = send(client, EMBEDDINGS, {"model": "m", "input": "Hello"}, guarded(after=(DENYING,)))
    assert (reply.status_code, "hook_results" in reply.json()) == (200, False)


def test_checks_see_kind_model_and_metadata(client: Client) -> None:
    rail = {
        "allowedRequestTypes": {"allowedTypes": ["chatComplete"]},
        "modelwhitelist": {"models": ["gpt-4o"]},
        "requiredMetadataKeys": {"metadataKeys": ["team"], "operator": "all"},
    }
    good = ask(client, guarded(rail), headers={"x-portkey-metadata": '{"team":"a"}'})
    bad = ask(client, guarded(rail), model="other")
    assert good.status_code == 200
    checks = bad.json()["hook_results"]["before_request_hooks"][0]["checks"]
    assert [check["verdict"] for check in checks] == [True, False, False]


# Defaults of a workspace


def test_workspace_guards_all_its_calls(scripted: Client) -> None:
    """Beside those of the config, which does not replace them."""
    slug = make(scripted, {"async": False, "deny": True})
    done(scripted.put(f"/v1/admin/workspaces/{PRODUCTION}", {"defaults": {"input_guardrails": [slug]}}))
    reply = ask(asker(scripted), guarded(GOOD))
    assert reply.status_code == 446
    assert [found["verdict"] for found in reply.json()["hook_results"]["before_request_hooks"]] == [True, False]
    assert ask(asker(scripted, workspace_id="ws-resear-c52d88"), OPENAI).status_code == 200


def test_missing_default_guardrail_is_refused(scripted: Client) -> None:
    done(scripted.put(f"/v1/admin/workspaces/{PRODUCTION}", {"defaults": {"output_guardrails": ["pg-gone"]}}))
    assert turned_down(ask(asker(scripted), OPENAI), 400) == "Following default guardrails are not valid: pg-gone"


# Streams


def test_stream_of_a_246(scripted: Client) -> None:
    reply = ask(scripted, guarded(BAD), stream=True)
    assert reply.status_code == 246
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert not any("hook_results" in chunk for chunk in chunks(reply))


def test_loose_stream_tells_what_was_found(scripted: Client) -> None:
    """What was found before comes first, what was found after behind the end."""
    headers = {"x-portkey-strict-open-ai-compliance": "false"}
    reply = ask(scripted, guarded(GOOD, after=(GOOD,)), headers=headers, stream=True)
    found = chunks(reply)
    assert list(found[0]["hook_results"]) == ["before_request_hooks"]
    assert list(found[-1]["hook_results"]) == ["after_request_hooks"]
    assert reply.text.index("[DONE]") < reply.text.index("after_request_hooks")


@pytest.mark.parametrize("rail", [BAD, DENYING])
def test_stream_is_out_before_its_end_is_judged(scripted: Client, rail: Record) -> None:
    reply = ask(scripted, guarded(after=(rail,)), stream=True)
    assert reply.status_code == 200
    assert reply.text.endswith("data: [DONE]\n\n")


def test_denied_stream_is_json(scripted: Client) -> None:
    assert error(ask(scripted, guarded(DENYING), stream=True), 446)["type"] == "hooks_failed"


# Soft denials

SOFT: Record = {**BAD, "soft_deny_200": True}


@pytest.mark.parametrize(
    "config", [guarded(SOFT), guarded(after=(SOFT,)), guarded(BAD, after=(SOFT,))], ids=["in", "out", "both"]
)
def test_soft_denial_is_a_completion(scripted: Client, config: Record) -> None:
    reply = ask(scripted, config)
    assert reply.status_code == 200
    assert said(reply) == FAILED
    assert reply.json()["choices"][0]["finish_reason"] == "stop"
    results = reply.json()["hook_results"]
    assert [found["deny"] for side in results.values() for found in side][-1] is True


def test_soft_denial_says_what_the_guardrail_says(scripted: Client) -> None:
    assert (
        said(ask(scripted, guarded({**SOFT, "message": "Let us talk of something else."}))) == "Let us talk of something else."
    )


def test_saved_guardrail_denies_softly(scripted: Client) -> None:
    slug = make(scripted, {"async": False, "soft_deny_200": True, "message": "Not that."})
    assert said(ask(scripted, guarded(slug))) == "Not that."


def test_hard_denial_wins(scripted: Client) -> None:
    assert error(ask(scripted, guarded(SOFT, DENYING)), 446)["type"] == "hooks_failed"


def test_soft_denial_that_passes_changes_nothing(scripted: Client) -> None:
    assert said(ask(scripted, guarded({**GOOD, "soft_deny_200": True}))) == "Scripted."


def test_soft_denial_streams(scripted: Client) -> None:
    reply = ask(scripted, guarded({**SOFT, "message": "Not that."}), stream=True)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks(reply)) == "Not that."


def test_soft_denial_calls_no_tool(scripted: Client) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    reply = ask(scripted, guarded(SOFT), tools=[tool], tool_choice="required")
    assert said(reply) == FAILED


def test_nothing_is_tried_again_for_a_soft_denial(scripted: Client) -> None:
    config = guarded(after=(SOFT,), retry={"attempts": 3, "on_status_codes": [446, 246]})
    assert retries(ask(scripted, config)) == "0"
    fallback = {"strategy": {"mode": "fallback"}, "targets": [guarded(SOFT), OPENAI]}
    assert path(ask(scripted, fallback)) == "config.targets[0]"


def test_softly_denied_input_costs_nothing(scripted: Client) -> None:
    ask(scripted, guarded(SOFT))
    metrics = log(scripted)["metrics"]
    assert (metrics["cost"], metrics["total_units"], metrics["response_status_code"]) == (0, 0, 200)


def test_response_and_text_completion_are_denied_softly(client: Client) -> None:
    response = send(client, "/v1/responses", {"model": "gpt-4o", "input": "Hello", "background": True}, guarded(SOFT)).json()
    assert response["status"] == "completed"
    assert response["output"][-1]["content"][0]["text"] == FAILED
    text = send(client, COMPLETIONS, {"model": "m", "prompt": "Hello"}, guarded(SOFT))
    assert (text.status_code, text.json()["choices"][0]["text"]) == (200, FAILED)


def test_embeddings_have_no_words_to_deny_softly(client: Client) -> None:
    reply = send(client, "/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hello"}, guarded(SOFT))
    assert error(reply, 446)["type"] == "hooks_failed"


# Feedback


GIVING: Record = {
    "on_success": {"feedback": {"value": 5, "weight": 0.5}},
    "on_fail": {"feedback": {"value": -5, "metadata": {"team": "a"}}},
}


def given(client: Client, trace_id: str = "t") -> list[tuple[int, float]]:
    return [(each["value"], each["weight"]) for each in client.world["feedback"].newest(trace_id=trace_id)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({**GOOD, **GIVING}, None, [(5, 0.5)]),
        ({**BAD, **GIVING}, None, [(-5, 1)]),
        ({**DENYING, **GIVING}, {**GOOD, **GIVING}, [(-5, 1)]),
        ({**BAD, **GIVING}, {**GOOD, **GIVING}, [(5, 0.5), (-5, 1)]),
        ({**ASYNC, **GIVING}, None, [(-5, 1)]),
        (GOOD, BAD, []),
    ],
)
def test_feedback_goes_to_the_trace(
    scripted: Client, before: Record, after: Record | None, expected: list[tuple[int, float]]
) -> None:
    config = guarded(before, after=() if after is None else (after,))
    ask(scripted, config, headers={"x-portkey-trace-id": "t"})
    assert given(scripted) == expected


def test_feedback_shows_in_analytics(scripted: Client) -> None:
    ask(scripted, guarded({**BAD, **GIVING}))
    window = {"time_of_generation_min": "2026-05-05T00:00:00Z", "time_of_generation_max": "2026-05-06T00:00:00Z"}
    assert scripted.get("/v1/analytics/graphs/feedbacks", params=window).json()["summary"]["total"] == 1


# What a guarded call leaves


@pytest.mark.parametrize(("config", "status"), [(guarded(DENYING), 446), (guarded(BAD), 246)], ids=["denied", "warned"])
def test_log_tells_of_guardrails(scripted: Client, config: Record, status: int) -> None:
    ask(scripted, config)
    assert log(scripted)["response"]["status"] == status


def test_denied_input_costs_nothing_and_denied_output_does(scripted: Client) -> None:
    made = make_key(scripted, scopes=["completions.write"], usage_limits={"type": "tokens", "credit_limit": 100_000})
    caller, provider = scripted.as_key(made.secret), {"provider": f"@{SEEDED}"}
    ask(caller, {**guarded(DENYING), **provider})
    assert "current_usage" not in read_key(scripted, made.id)["usage_limits"]
    ask(caller, {**guarded(after=(DENYING,)), **provider})
    assert read_key(scripted, made.id)["usage_limits"]["current_usage"] > 0
