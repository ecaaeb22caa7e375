"""Batches: lines that are really run, by the clock. Source: gateway-data-plane, /batches."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from mockserver.portkey.batch import EXPIRES_S, FINALIZING_S, PACES, VALIDATING_S
from tests.conftest import Client
from tests.portkey.gateway import calling
from tests.portkey.keeping import (
    BATCHES,
    FILES,
    MANAGED,
    OPENAI,
    batch,
    chats,
    content,
    done,
    line,
    lines,
    refused,
    results,
    run,
    start,
    upload,
    wait,
)
from tests.portkey.team import make_key
from tests.portkey.traffic import latest

DENYING = {"provider": "openai", "api_key": "k", "input_guardrails": [
    {"default.contains": {"operator": "none", "words": ["tide"]}, "deny": True}
]}  # fmt: skip
OUTPUT_RAIL = {"output_guardrails": [{"default.contains": {"operator": "any", "words": ["a"]}}]}


def script(client: Client, answer: Any, say: str = "tide", **more: Any) -> None:
    """Say what a model answers to lines that end with a text."""
    calling.script(client, answer, {"operation": "createChatCompletion", "last_message": say}, **more)


def fail(client: Client, status: int, **more: Any) -> None:
    """Let lines fail."""
    script(client, {"error": {"status": status}}, **more)


def cancel(client: Client, batch_id: str, headers: Any = OPENAI) -> httpx.Response:
    return client.post(f"{BATCHES}/{batch_id}/cancel", headers=headers)


def output(client: Client, batch_id: str, headers: Any = OPENAI) -> httpx.Response:
    return client.get(f"{BATCHES}/{batch_id}/output", headers=headers)


def test_new_batch_is_shown_whole(client: Client) -> None:
    file_id, now_s = upload(client, chats(1))["id"], int(client.world.clock.seconds())
    made = start(client, file_id, metadata={"job": "nightly"})
    hooks = made.pop("hook_results")["after_request_hooks"]
    assert hooks == [{"id": "portkey-dataservice", "verdict": True, "type": "guardrail", "deny": False}]
    times = ("in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at", "cancelled_at")
    assert made["id"].startswith("batch_")
    assert made == {
        "id": made["id"],
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "errors": None,
        "input_file_id": file_id,
        "completion_window": "24h",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now_s,
        "expires_at": now_s + 86_400,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": {"job": "nightly"},
        "model": None,
        "usage": None,
        **dict.fromkeys(times),
    }
    assert batch(client, made["id"]) == made


def test_client_is_told_how_soon_to_poll(client: Client) -> None:
    made = start(client, chats(1))
    assert client.get(f"{BATCHES}/{made['id']}", headers=OPENAI).headers["openai-poll-after-ms"] == "100"


def test_batch_passes_through_its_states_by_the_clock(client: Client) -> None:
    made, seen = start(client, chats(60)), []
    for _ in range(6):
        now = batch(client, made["id"])
        seen.append((now["status"], now["request_counts"]["completed"]))
        wait(client, 1)
    assert seen == [
        ("validating", 0), ("in_progress", 0), ("in_progress", 25), ("in_progress", 50), ("finalizing", 60), ("completed", 60),
    ]  # fmt: skip
    begun = made["created_at"]
    times = [now[f"{state}_at"] - begun for state in ("in_progress", "finalizing", "completed")]
    assert times == [VALIDATING_S, VALIDATING_S + 3, VALIDATING_S + 3 + FINALIZING_S]


def test_lines_are_answered_in_a_file(client: Client) -> None:
    script(client, "At noon.", "number 1?")
    over = run(client, chats(2))
    assert (over["status"], over["error_file_id"]) == ("completed", None)
    file = done(client.get(f"{FILES}/{over['output_file_id']}", headers=OPENAI))
    assert (file["purpose"], file["filename"]) == ("batch_output", f"{over['id']}_output.jsonl")
    assert file["expires_at"] == file["created_at"] + 30 * 86_400
    first, second = results(client, over["output_file_id"])
    assert [first["custom_id"], second["custom_id"]] == ["line-0", "line-1"]
    assert second["error"] is None
    assert second["id"].startswith("batch_req_")
    response = second["response"]
    assert (response["status_code"], response["request_id"][:4]) == (200, "req_")
    assert response["body"]["choices"][0]["message"]["content"] == "At noon."


def test_failures_are_told_in_a_file_of_their_own(client: Client) -> None:
    fail(client, 503, times=1)
    over = run(client, chats(3))
    assert over["request_counts"] == {"total": 3, "completed": 2, "failed": 1}
    (failure,) = results(client, over["error_file_id"])
    assert (failure["custom_id"], failure["response"]["status_code"], failure["error"]) == ("line-0", 503, None)
    assert failure["response"]["body"]["error"]["message"]
    assert len(results(client, over["output_file_id"])) == 2


@pytest.mark.parametrize(
    ("endpoint", "body", "kind"),
    [
        ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "Tides"}, "text_completion"),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Tides"}, "list"),
        ("/v1/moderations", {"input": "Tides"}, None),
        ("/v1/images/generations", {"prompt": "Tides"}, None),
    ],
    ids=["completions", "embeddings", "moderations", "images"],
)
def test_endpoints_are_called(client: Client, endpoint: str, body: Any, kind: str | None) -> None:
    over = run(client, lines({"custom_id": "a", "method": "POST", "url": endpoint, "body": body}), endpoint=endpoint)
    (answer,) = results(client, over["output_file_id"])
    assert (answer["response"]["status_code"], answer["response"]["body"].get("object")) == (200, kind)


def test_links_in_answers_lead_here(client: Client) -> None:
    asked = {"custom_id": "a", "method": "POST", "url": "/v1/images/generations", "body": {"prompt": "Tides"}}
    made = run(client, lines(asked), {**OPENAI, "host": "mock.test:81"}, endpoint="/v1/images/generations")
    (result,) = results(client, made["output_file_id"])
    assert result["response"]["body"]["data"][0]["url"].startswith("http://mock.test:81/")


def test_usage_adds_up(client: Client) -> None:
    over = run(client, chats(2))
    told = [answer["response"]["body"]["usage"] for answer in results(client, over["output_file_id"])]
    usage = over["usage"]
    assert usage["input_tokens"] == sum(each["prompt_tokens"] for each in told)
    assert usage["total_tokens"] == sum(each["total_tokens"] for each in told)
    assert over["model"] == "gpt-4o"


WRONG = {
    "not-json": (lines("{"), "invalid_json_line", 1),
    "no-object": (lines("[1]"), "invalid_json_line", 1),
    "no-custom-id": (lines({"method": "POST", "url": "/v1/chat/completions", "body": {}}), "missing_required_parameter", 1),
    "no-body": (lines({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}), "missing_required_parameter", 1),
    "text-as-body": (lines(line("a", body="x")), "invalid_type", 1),
    "number-as-id": (lines(line("a") | {"custom_id": 1}), "invalid_type", 1),
    "twice": (lines(line("a"), "", line("b"), line("a")), "duplicate_custom_id", 4),
    "method": (lines(line("a", method="GET")), "invalid_method", 1),
    "url": (lines(line("a", url="/v1/embeddings")), "invalid_url", 1),
    "empty": (b"\n", "empty_file", None),
    "too-many": (b"{}\n" * 50_001, "too_many_tasks", None),
}


@pytest.mark.parametrize(("given", "code", "number"), WRONG.values(), ids=WRONG)
def test_wrong_files_fail(client: Client, given: bytes, code: str, number: int | None) -> None:
    over = run(client, given)
    assert (over["status"], over["failed_at"]) == ("failed", over["created_at"] + VALIDATING_S)
    error = over["errors"]["data"][-1]
    assert (over["errors"]["object"], error["code"], error["line"]) == ("list", code, number)
    assert over["request_counts"]["total"] == 0
    assert output(client, over["id"]).json() == over["errors"]


def test_all_wrong_lines_are_told(client: Client) -> None:
    over = run(client, lines("{", line("a"), "[]", line("b", method="PUT")))
    assert [error["line"] for error in over["errors"]["data"]] == [1, 3, 4]


def test_file_must_be_there_and_for_batches(client: Client) -> None:
    other = upload(client, chats(1), "fine-tune")["id"]
    codes = [run(client, file_id)["errors"]["data"][0]["code"] for file_id in ("file-none", other)]
    assert codes == ["file_not_found", "invalid_file_purpose"]


def test_lines_cannot_be_streamed(client: Client) -> None:
    asked = line("a")
    over = run(client, lines(asked | {"body": asked["body"] | {"stream": True}}))
    (failure,) = results(client, over["error_file_id"])
    assert (failure["response"]["status_code"], failure["response"]["body"]["error"]["param"]) == (400, "stream")


def test_line_that_breaks_the_contract_fails_alone(client: Client) -> None:
    over = run(client, lines(line("a", body={"messages": "none"}), line("b")))
    (failure,) = results(client, over["error_file_id"])
    assert (failure["custom_id"], failure["response"]["status_code"]) == ("a", 400)
    assert over["request_counts"]["completed"] == 1


def test_guardrails_of_the_config_hold_for_each_line(client: Client) -> None:
    over = run(client, lines(line("a"), line("b", "Hello")), {"x-portkey-config": json.dumps(DENYING)})
    assert [each["response"]["status_code"] for each in results(client, over["error_file_id"])] == [446]
    assert over["request_counts"] == {"total": 2, "completed": 1, "failed": 1}


def test_budget_of_the_key_holds_for_each_line(client: Client) -> None:
    limits = {"credit_limit": 1, "type": "tokens"}
    key = client.as_key(make_key(client, scopes=["completions.write"], usage_limits=limits).secret)
    provider = {"x-portkey-provider": "@openai-production"}
    over = run(key, chats(3), provider)
    assert over["request_counts"] == {"total": 3, "completed": 1, "failed": 2}
    statuses = {each["response"]["status_code"] for each in results(key, over["error_file_id"], provider)}
    assert statuses == {412}


def test_each_line_leaves_a_log(client: Client) -> None:
    made = start(client, chats(3))
    before = len(client.world["logs"])
    wait(client, 60)
    batch(client, made["id"])
    logs = latest(client, len(client.world["logs"]) - before)
    assert sum(log["request_url"] == "/v1/chat/completions" for log in logs) == 3


@pytest.mark.parametrize(
    ("after_s", "state", "answered"),
    [(0, "validating", 0), (1, "in_progress", 0), (2, "in_progress", 25), (4, "finalizing", 60)],
    ids=["validating", "begun", "in-progress", "finalizing"],
)
def test_cancelled_batch_keeps_what_was_answered(client: Client, after_s: int, state: str, answered: int) -> None:
    made = start(client, chats(60))
    wait(client, after_s)
    assert batch(client, made["id"])["status"] == state
    cancelling = done(cancel(client, made["id"]))
    assert (cancelling["status"], cancelling["cancelling_at"]) == ("cancelling", made["created_at"] + after_s)
    assert done(cancel(client, made["id"])) == cancelling
    wait(client, 1)
    over = batch(client, made["id"])
    assert (over["status"], over["cancelled_at"]) == ("cancelled", made["created_at"] + after_s + 1)
    assert over["request_counts"]["completed"] == answered
    assert (over["output_file_id"] is not None) == (answered > 0)
    if 0 < answered < 60:
        assert len(results(client, over["output_file_id"])) == answered
        undone = results(client, over["error_file_id"])
        assert {(each["response"], each["error"]["code"]) for each in undone} == {(None, "batch_cancelled")}
        assert answered + len(undone) == 60


def test_batch_that_is_over_cannot_be_cancelled(client: Client) -> None:
    over = run(client, chats(1))
    assert refused(cancel(client, over["id"]), 400)["message"].endswith("Cannot cancel a batch with status 'completed'.")


def test_batch_expires_after_a_day(client: Client) -> None:
    """A script delays one of the lines beyond it."""
    made = start(client, chats(30))
    script(client, "Late.", delay_ms=EXPIRES_S * 1000, times=1)
    wait(client, EXPIRES_S - 1)
    assert batch(client, made["id"])["status"] == "in_progress"
    wait(client, 1)
    over = batch(client, made["id"])
    assert (over["status"], over["expired_at"]) == ("expired", made["expires_at"])
    assert [each["error"]["code"] for each in results(client, over["error_file_id"])] == ["batch_expired"]
    assert over["request_counts"] == {"total": 30, "completed": 29, "failed": 0}
    assert len(results(client, over["output_file_id"])) == 29


def test_batch_expires_with_lines_that_were_not_begun(client: Client) -> None:
    made = start(client, chats(60))
    script(client, "Late.", delay_ms=EXPIRES_S * 1000 - 3000, times=1)
    wait(client, EXPIRES_S)
    over = batch(client, made["id"])
    assert (over["status"], over["request_counts"]["completed"]) == ("expired", 50)
    assert len(results(client, over["error_file_id"])) == 10


def test_delayed_lines_keep_a_batch_waiting(client: Client) -> None:
    made = start(client, chats(1))
    script(client, "Late.", delay_ms=30_000)
    wait(client, 31)
    assert batch(client, made["id"])["status"] == "in_progress"
    wait(client, 1)
    assert batch(client, made["id"])["status"] == "finalizing"


def test_output_is_a_file_or_there_is_none_yet(client: Client) -> None:
    made = start(client, chats(1))
    reply = output(client, made["id"])
    assert reply.status_code == 400
    assert reply.json() == {
        "error": "invalid response output format",
        "provider_response": batch(client, made["id"]),
        "provider": "openai",
    }
    wait(client, 60)
    over = batch(client, made["id"])
    reply = output(client, made["id"])
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/octet-stream")
    assert reply.content == content(client, over["output_file_id"])


def test_output_of_failures_alone_is_their_file(client: Client) -> None:
    fail(client, 500)
    over = run(client, chats(2))
    assert over["output_file_id"] is None
    assert output(client, over["id"]).content == content(client, over["error_file_id"])


def test_output_of_an_unknown_batch(client: Client) -> None:
    refused(output(client, "batch_none"), 404)
    reply = output(client, "batch_none", MANAGED)
    assert (reply.status_code, reply.json()) == (400, {"message": {"error": "Invalid batch ID", "code": None}})
    refused(output(client, "pk_batch_none", MANAGED), 404)


def test_portkey_manages_a_batch_of_nobody(client: Client) -> None:
    options = {"x-portkey-provider": "anthropic"}
    made = start(client, lines(line("a", body={"messages": [{"role": "user", "content": "When?"}]})), MANAGED,
                 model="claude-3-5-sonnet-20241022", portkey_options=options)  # fmt: skip
    assert made["id"].startswith("pk_batch_")
    wait(client, 60)
    reply = client.get(f"{BATCHES}/{made['id']}", params={"include_provider_details": True})
    over = done(reply)
    assert "x-portkey-provider" not in reply.headers
    assert over["output_file_id"].startswith("pk_file_")
    assert over["provider_details"]["status"] == "completed"
    (answer,) = results(client, over["output_file_id"], MANAGED)
    told = answer["response"]["body"]
    assert (told["model"], told["provider"]) == ("claude-3-5-sonnet-20241022", "anthropic")


def test_immediate_batch_runs_at_its_pace_and_tries_again(client: Client) -> None:
    fail(client, 503, times=3)
    made = start(client, chats(26), MANAGED, completion_window="immediate")
    pace = PACES["immediate"]
    wait(client, VALIDATING_S + pace.seconds)
    assert batch(client, made["id"], MANAGED)["request_counts"] == {"total": 26, "completed": 25, "failed": 0}
    wait(client, pace.seconds)
    assert batch(client, made["id"], MANAGED)["status"] == "finalizing"


def test_immediate_batch_is_only_managed(client: Client) -> None:
    file_id = upload(client, chats(1))["id"]
    body = {"input_file_id": file_id, "endpoint": "/v1/chat/completions", "completion_window": "immediate"}
    assert "immediate" in refused(client.post(BATCHES, body, headers=OPENAI), 400)["message"]


def test_managed_batch_is_judged_before_it_is_completed(client: Client) -> None:
    headers = {"x-portkey-config": json.dumps({"provider": "portkey", **OUTPUT_RAIL})}
    made = start(client, chats(1), headers)
    wait(client, VALIDATING_S + 1 + FINALIZING_S)
    assert batch(client, made["id"], headers)["status"] == "processing_post_request_guardrails"
    wait(client, 1)
    assert batch(client, made["id"], headers)["status"] == "completed"


def test_secrets_of_a_batch_are_not_shown(client: Client) -> None:
    key = client.as_key(make_key(client, scopes=["completions.write"]).secret)
    start(key, chats(1), {"x-portkey-provider": "@openai-production"})
    secret = key.headers["x-portkey-api-key"]
    assert secret not in client.get("/__admin/records/batches").text


def test_big_batch_gives_other_calls_their_turn(client: Client) -> None:
    """3,000 lines are due at once; a call of another world is answered while they run."""
    made = start(client, chats(3000))
    wait(client, 1000)

    async def both() -> tuple[float, float]:
        transport = httpx.ASGITransport(app=client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock", headers=client.headers) as sender:
            begun = time.perf_counter()
            working = asyncio.ensure_future(sender.get(f"{BATCHES}/{made['id']}", headers=OPENAI))
            await asyncio.sleep(0)
            reply = await sender.get("/v1/models", headers={"x-mock-world": "elsewhere"})
            other_s = time.perf_counter() - begun
            assert reply.status_code == 200
            assert (await working).json()["status"] == "completed"
            return other_s, time.perf_counter() - begun

    other_s, all_s = asyncio.run(both())
    client.app.worlds.delete("elsewhere")
    assert other_s < all_s / 2
