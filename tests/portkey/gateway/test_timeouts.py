"""How long a provider may take. Source: gateway-data-plane, Request timeout; error catalogue C."""

from __future__ import annotations

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.gateway.calling import ANTHROPIC, OPENAI, ask, error, log, path, retries, script, told, used, watch


@pytest.fixture
def slow(client: Client) -> Client:
    """A world where OpenAI takes a minute for an answer. Time stands still, so nothing that waits for it comes back."""
    script(client, "Late.", {"provider": "openai"}, delay_ms=60_000)
    return client


def header(limit_ms: object) -> dict[str, str]:
    return {"x-portkey-request-timeout": str(limit_ms)}


def test_timeout_is_told_in_the_gateways_words(client: Client) -> None:
    script(client, delay_ms=20)
    client.world.clock.run()
    reply = ask(client, OPENAI, headers=header(5))
    assert error(reply, 408) == {
        "message": "Request exceeded the timeout sent in the request: 5ms",
        "type": "timeout_error",
        "param": None,
        "code": None,
    }
    assert (told(reply, "provider"), path(reply), retries(reply)) == ("openai", "config", "0")


@pytest.mark.parametrize(
    ("config_ms", "header_ms", "status"),
    [
        (5, None, 408),
        (5, 500, 200),
        (500, 5, 408),
        (None, 5, 408),
        (None, None, 200),
        (500, None, 200),
        (0, None, 200),
        (5, 0, 200),
    ],
)
def test_header_beats_config(client: Client, config_ms: int | None, header_ms: int | None, status: int) -> None:
    """0 limits nothing."""
    script(client, delay_ms=20)
    client.world.clock.run()
    config = OPENAI if config_ms is None else {**OPENAI, "request_timeout": config_ms}
    assert ask(client, config, headers={} if header_ms is None else header(header_ms)).status_code == status


def test_header_that_is_no_number_is_none(client: Client) -> None:
    script(client, delay_ms=1)
    client.world.clock.run()
    assert ask(client, OPENAI, headers=header("soon")).status_code == 200


def test_caller_waits_no_longer_than_the_limit(slow: Client) -> None:
    slow.headers |= header(3000)
    sent = watch(slow, {}, 0.5)
    assert sent.status == 408
    assert 3 <= sent.pieces[0][0] < 10


def test_each_attempt_has_its_own_time(slow: Client) -> None:
    slow.headers |= header(2000) | {
        "x-portkey-config": '{"provider":"openai","api_key":"k","retry":{"attempts":2,"on_status_codes":[408]}}'
    }
    sent = watch(slow, {}, 0.5)
    assert sent.status == 408
    assert 6 <= sent.pieces[0][0] < 15


def test_timeout_is_not_retried_unless_listed(client: Client) -> None:
    late = script(client, delay_ms=20)
    client.world.clock.run()
    ask(client, {**OPENAI, "retry": {"attempts": 3}}, headers=header(5))
    assert used(client, late) == 1


def test_fallback_moves_on_from_a_timeout(client: Client) -> None:
    script(client, "Late.", {"provider": "openai"}, delay_ms=20)
    client.world.clock.run()
    config: Record = {"strategy": {"mode": "fallback"}, "targets": [{**OPENAI, "request_timeout": 5}, ANTHROPIC]}
    reply = ask(client, config)
    assert (reply.status_code, path(reply)) == (200, "config.targets[1]")


def test_stream_is_timed_to_its_first_chunk(client: Client) -> None:
    script(client, "One two three four.", chunk_delay_ms=30)
    client.world.clock.run()
    reply = ask(client, OPENAI, headers=header(20), stream=True)
    assert reply.status_code == 200
    assert reply.text.endswith("data: [DONE]\n\n")


def test_timeout_leaves_a_log_that_costs_nothing(client: Client) -> None:
    script(client, delay_ms=20)
    client.world.clock.run()
    ask(client, OPENAI, headers=header(5))
    metrics = log(client)["metrics"]
    assert (metrics["response_status_code"], metrics["cost"], metrics["is_success"]) == (408, 0, False)
