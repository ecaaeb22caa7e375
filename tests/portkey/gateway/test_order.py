"""Which check comes first, where several would refuse. Source: gateway-data-plane, Request pipeline and order of checks."""

from __future__ import annotations

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED
from tests.portkey.gateway.calling import CHAT, OPENAI, ask, asker, cached, error, fail, log, logs, script, used
from tests.portkey.team import at, barred, make_key, turned_down

DENYING: Record = {"default.contains": {"operator": "none", "words": ["Hello"]}, "deny": True}
UNKNOWN_KEYS = "Following keys are not valid: nobody"


def provider(client: Client, **fields: object) -> None:
    """Change the provider of the seed."""
    reply = client.put(f"/v1/providers/{SEEDED}", fields, params={"workspace_id": "ws-produc-71b04e"})
    assert reply.status_code == 200, reply.text[:500]


def test_missing_key_beats_all(client: Client) -> None:
    reply = ask(client.as_key(None), "pc-nobody", headers={"x-portkey-provider": "@nobody"}, messages="none")
    assert barred(reply, 401, "03") == "Invalid API Key"


def test_key_of_another_service_does_not_count(client: Client) -> None:
    reply = client.as_key(None).post(CHAT, {}, headers={"x-api-key": "any"})
    assert barred(reply, 401, "03") == "Invalid API Key"


def test_budget_of_a_key_beats_its_config(client: Client) -> None:
    caller = asker(client, usage_limits={"type": "tokens", "credit_limit": 1})
    assert ask(caller, OPENAI).status_code == 200
    assert barred(ask(caller, "pc-nobody"), 412, "04") == "Portkey API Key Usage Limit Exceeded"


def test_budget_beats_rate(client: Client) -> None:
    rate = {"type": "requests", "unit": "rpm", "value": 1}
    caller = asker(client, usage_limits={"type": "tokens", "credit_limit": 1}, rate_limits=[rate])
    assert ask(caller, OPENAI).status_code == 200
    assert ask(caller, OPENAI).status_code == 412


def test_rate_of_a_key_beats_its_config(client: Client) -> None:
    caller = asker(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}])
    assert ask(caller, OPENAI).status_code == 200
    assert barred(ask(caller, "pc-nobody"), 429, "05").startswith("apikey ")


@pytest.mark.parametrize(
    ("config", "headers", "text"),
    [
        ("pc-nobody", {}, "Invalid config id passed"),
        ({"provider": "@nobody"}, {}, UNKNOWN_KEYS),
        ({"input_guardrails": ["pg-x"]}, {}, "Following guardrails are not valid: pg-x"),
        ({}, {}, "Invalid config passed"),
        (None, {"x-portkey-provider": "@nobody"}, UNKNOWN_KEYS),
        (None, {"x-portkey-virtual-key": "nobody"}, UNKNOWN_KEYS),
    ],
    ids=["config id", "slug in config", "guardrail", "schema", "provider header", "virtual key header"],
)
def test_what_cannot_be_found_beats_a_missing_scope(
    client: Client, config: Record | str | None, headers: dict[str, str], text: str
) -> None:
    caller = client.as_key(make_key(client, scopes=["logs.view"]).secret)
    assert turned_down(ask(caller, config, headers=headers), 400) == text


def test_guardrail_beats_a_slug_in_a_config(client: Client) -> None:
    config = {"provider": "@nobody", "input_guardrails": ["pg-x"]}
    assert turned_down(ask(asker(client), config), 400) == "Following guardrails are not valid: pg-x"


def test_config_beats_the_slug_of_a_header(client: Client) -> None:
    reply = ask(asker(client), "pc-nobody", headers={"x-portkey-provider": "@nobody"})
    assert turned_down(reply, 400) == "Invalid config id passed"


def test_missing_scope_beats_the_body(client: Client) -> None:
    caller = client.as_key(make_key(client, scopes=["logs.view"]).secret)
    assert barred(ask(caller, OPENAI, messages="none"), 403, "033") == "Forbidden!"


def test_missing_scope_beats_a_provider_that_is_none(client: Client) -> None:
    caller = client.as_key(make_key(client, scopes=["logs.view"]).secret)
    assert barred(ask(caller, headers={"x-portkey-provider": "nobody"}), 403, "033") == "Forbidden!"


def test_denial_beats_the_cache(client: Client) -> None:
    """A denied call neither reads the cache nor writes it."""
    config: Record = {**OPENAI, "cache": {"mode": "simple"}}
    ask(client, config)
    reply = ask(client, {**config, "input_guardrails": [DENYING]})
    assert (reply.status_code, cached(reply)) == (446, "DISABLED")


def test_denial_beats_a_used_up_provider(client: Client) -> None:
    caller = asker(client)
    provider(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 0}])
    config: Record = {"provider": f"@{SEEDED}"}
    assert ask(caller, config).status_code == 429
    assert ask(caller, {**config, "input_guardrails": [DENYING]}).status_code == 446


def test_denied_call_does_not_reach_the_provider(client: Client) -> None:
    asked = script(client)
    assert ask(client, {**OPENAI, "input_guardrails": [DENYING]}).status_code == 446
    assert used(client, asked) == 0


def test_hit_beats_a_used_up_provider(client: Client) -> None:
    caller, config = asker(client), {"provider": f"@{SEEDED}", "cache": {"mode": "simple"}}
    assert ask(caller, config).status_code == 200
    provider(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 0}])
    assert cached(ask(caller, config)) == "HIT"
    assert ask(caller, config, say="Something else").status_code == 429


def test_hit_does_not_beat_the_rate_of_a_key(client: Client) -> None:
    caller = asker(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}])
    config: Record = {**OPENAI, "cache": {"mode": "simple"}}
    assert [ask(caller, config).status_code for _ in range(2)] == [200, 429]


def test_hit_skips_output_guardrails(client: Client) -> None:
    config: Record = {**OPENAI, "cache": {"mode": "simple"}}
    first = ask(client, config)
    denying = {"default.contains": {"operator": "any", "words": ["no such word"]}, "deny": True}
    second = ask(client, {**config, "output_guardrails": [denying]})
    assert (second.status_code, cached(second)) == (200, "HIT")
    assert second.json() == first.json()


def test_provider_limit_beats_the_provider(client: Client) -> None:
    caller = asker(client)
    provider(client, rate_limits=[{"type": "requests", "unit": "rpm", "value": 0}])
    failing = fail(client, 500)
    reply = ask(caller, {"provider": f"@{SEEDED}"})
    assert error(reply, 429)["type"] == "virtual_key_rate_limit_error"
    assert used(client, failing) == 0


def test_provider_error_beats_output_guardrails(client: Client) -> None:
    fail(client, 503)
    denying = {"default.contains": {"operator": "any", "words": ["no such word"]}, "deny": True}
    reply = ask(client, {**OPENAI, "output_guardrails": [denying]})
    assert reply.status_code == 503
    assert "hook_results" not in reply.json()


@pytest.mark.parametrize("header", ["x-portkey-trace-id", "x-portkey-cache-status", "x-portkey-last-used-option-index"])
def test_refusal_before_a_target_has_no_headers_of_one(client: Client, header: str) -> None:
    replies: list[httpx.Response] = [
        ask(client.as_key(None)),
        ask(client, "pc-nobody"),
        ask(client, headers={"x-portkey-provider": "nobody"}),
        ask(client, {"strategy": {"mode": "loadbalance"}, "targets": [{**OPENAI, "weight": 0}]}),
    ]
    assert [reply.status_code for reply in replies] == [401, 400, 400, 500]
    assert not any(header in reply.headers for reply in replies)


def test_refusal_before_a_target_leaves_no_log(client: Client) -> None:
    for config in ("pc-nobody", {"strategy": {"mode": "loadbalance"}, "targets": [{**OPENAI, "weight": 0}]}):
        assert ask(client, config).status_code >= 400
    assert logs(client) == 0


def test_failed_target_leaves_a_log(client: Client) -> None:
    at(client, "2026-05-05T12:00:00Z")
    fail(client, 503)
    ask(client, OPENAI)
    assert (logs(client), log(client)["response"]["status"]) == (1, 503)
