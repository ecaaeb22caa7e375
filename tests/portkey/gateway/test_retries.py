"""How often a provider is asked again. Source: gateway-data-plane, Retry, Response headers. Backoff takes no time here."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED
from tests.portkey.gateway.calling import (
    EMBEDDINGS,
    OPENAI,
    ask,
    asker,
    cached,
    error,
    fail,
    retries,
    said,
    script,
    send,
    used,
    watch,
)


def retrying(attempts: int, **settings: Any) -> Record:
    return {**OPENAI, "retry": {"attempts": attempts, **settings}}


@pytest.mark.parametrize(("failures", "expected"), [(0, "0"), (1, "1"), (2, "2"), (3, "3")])
def test_retry_that_succeeds_is_numbered(client: Client, failures: int, expected: str) -> None:
    if failures:
        fail(client, 500, times=failures)
    reply = ask(client, retrying(3))
    assert (reply.status_code, retries(reply)) == (200, expected)


def test_exhausted_retries_show_the_last_error(client: Client) -> None:
    """3 attempts: 4 calls, -1, the error as the provider had it."""
    failing = fail(client, 503, message="Overloaded")
    reply = ask(client, retrying(3))
    assert (error(reply, 503)["message"], retries(reply), used(client, failing)) == ("Overloaded", "-1", 4)


def test_call_without_retries_is_made_once(client: Client) -> None:
    failing = fail(client, 500)
    assert (retries(ask(client, OPENAI)), used(client, failing)) == ("0", 1)


@pytest.mark.parametrize(("status", "calls"), [(429, 3), (500, 3), (502, 3), (503, 3), (504, 3), (400, 1), (404, 1), (408, 1)])
def test_statuses_that_are_retried(client: Client, status: int, calls: int) -> None:
    failing = fail(client, status)
    assert ask(client, retrying(2)).status_code == status
    assert used(client, failing) == calls


@pytest.mark.parametrize(("status", "calls"), [(404, 3), (500, 1), (429, 1)])
def test_listed_statuses_take_the_place_of_the_usual_ones(client: Client, status: int, calls: int) -> None:
    failing = fail(client, status)
    ask(client, retrying(2, on_status_codes=[404]))
    assert used(client, failing) == calls


def test_failure_that_changes_its_kind_ends_the_retries(client: Client) -> None:
    fail(client, 404)
    fail(client, 500, times=1)
    assert ask(client, retrying(3)).status_code == 404


def test_limits_of_a_provider_are_not_retried(client: Client) -> None:
    limit = {"rate_limits": [{"type": "requests", "unit": "rpm", "value": 0}]}
    client.put(f"/v1/providers/{SEEDED}", limit, params={"workspace_id": "ws-produc-71b04e"})
    reply = ask(asker(client), {"provider": f"@{SEEDED}", "retry": {"attempts": 3}})
    assert (reply.status_code, retries(reply)) == (429, "0")


def test_exception_of_the_gateway_is_not_retried(client: Client) -> None:
    config = {"provider": "anthropic", "api_key": "k", "retry": {"attempts": 3}}
    reply = send(client, EMBEDDINGS, {"model": "m", "input": "x"}, config)
    assert (reply.status_code, retries(reply)) == (500, "0")


# Waiting as the provider asks


@pytest.mark.parametrize("name", ["use_retry_after_header", "use_retry_after_headers"])
def test_retry_waits_as_long_as_the_provider_says(client: Client, name: str) -> None:
    fail(client, 429, times=2, retry_after=7)
    sent = watch(client, {}, 1)
    assert sent.status == 429
    fail(client, 429, times=2, retry_after=7)
    client.headers["x-portkey-config"] = '{"provider":"openai","api_key":"k","retry":{"attempts":3,"NAME":true}}'.replace(
        "NAME", name
    )
    sent = watch(client, {}, 1)
    assert sent.status == 200
    assert sent.pieces[0][0] >= 14


def test_hint_is_not_heeded_unless_wished(client: Client) -> None:
    failing = fail(client, 429, times=2, retry_after=3600)
    reply = ask(client, retrying(3))
    assert (reply.status_code, retries(reply), used(client, failing)) == (200, "2", 2)


def test_hint_that_is_too_long_ends_the_retries(client: Client) -> None:
    failing = fail(client, 429, retry_after=61)
    reply = ask(client, retrying(3, use_retry_after_header=True))
    assert (reply.status_code, retries(reply), used(client, failing)) == (429, "-1", 1)
    assert reply.headers["retry-after"] == "61"


def test_waits_are_limited_together(client: Client) -> None:
    """60 seconds for all of them: 25 and 25 are waited, the third no more."""
    failing = fail(client, 429, retry_after=25)
    client.headers["x-portkey-config"] = (
        '{"provider":"openai","api_key":"k","retry":{"attempts":5,"use_retry_after_header":true}}'
    )
    sent = watch(client, {}, 5, 200)
    assert (sent.status, used(client, failing)) == (429, 3)
    assert 50 <= sent.pieces[0][0] <= 60


def test_hint_of_another_status_is_not_heeded(client: Client) -> None:
    fail(client, 503, times=1, retry_after=3600)
    reply = ask(client, retrying(1, use_retry_after_header=True))
    assert (reply.status_code, retries(reply)) == (200, "1")


def test_last_failure_is_not_waited_for(client: Client) -> None:
    fail(client, 429, retry_after=30)
    reply = ask(client, retrying(0, use_retry_after_header=True))
    assert (reply.status_code, retries(reply)) == (429, "0")


# Guardrails


WANTED: Record = {"default.contains": {"operator": "any", "words": ["Good"]}}


@pytest.mark.parametrize(
    ("deny", "status", "listed", "calls"),
    [(True, 446, [446], 3), (True, 446, None, 1), (False, 246, [246], 3), (False, 246, [446], 1)],
)
def test_output_guardrails_are_retried_where_listed(
    client: Client, deny: bool, status: int, listed: list[int] | None, calls: int
) -> None:
    bad = script(client, "Bad.")
    config = retrying(2, **({} if listed is None else {"on_status_codes": listed}))
    reply = ask(client, {**config, "output_guardrails": [{**WANTED, "deny": deny}]})
    assert (reply.status_code, used(client, bad)) == (status, calls)


def test_retry_that_pleases_a_guardrail_is_the_answer(client: Client) -> None:
    script(client, "Good.")
    script(client, "Bad.", times=2)
    config = retrying(3, on_status_codes=[446])
    reply = ask(client, {**config, "output_guardrails": [{**WANTED, "deny": True}]})
    assert (said(reply), reply.status_code, retries(reply)) == ("Good.", 200, "2")


def test_failures_and_denials_share_the_attempts(client: Client) -> None:
    script(client, "Bad.")
    failing = fail(client, 500, times=2)
    config = retrying(2, on_status_codes=[446, 500])
    reply = ask(client, {**config, "output_guardrails": [{**WANTED, "deny": True}]})
    assert (reply.status_code, retries(reply), used(client, failing)) == (446, "-1", 2)


def test_hit_counts_no_retries(client: Client) -> None:
    fail(client, 500, times=1)
    config = {**retrying(1), "cache": {"mode": "simple"}}
    first, second = ask(client, config), ask(client, config)
    assert [(retries(each), cached(each)) for each in (first, second)] == [("1", "MISS"), ("0", "HIT")]
