"""Which target answers. Source: gateway-data-plane, Strategies. `test_conditions` has the queries one by one."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from mockserver.values import JSON, Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED
from tests.portkey.gateway.calling import (
    ANTHROPIC,
    EMBEDDINGS,
    OPENAI,
    ask,
    error,
    fail,
    path,
    save,
    send,
    told,
    used,
)
from tests.portkey.team import turned_down

COHERE: Record = {"provider": "cohere", "api_key": "k"}


def config(mode: str, *targets: Record, **strategy: Any) -> Record:
    return {"strategy": {"mode": mode, **strategy}, "targets": list(targets)}


def place(at: int) -> str:
    return f"config.targets[{at}]"


def test_single_takes_the_first(client: Client) -> None:
    reply = ask(client, config("single", ANTHROPIC, OPENAI))
    assert (path(reply), told(reply, "provider")) == (place(0), "anthropic")


def test_single_does_not_move_on(client: Client) -> None:
    fail(client, 500, place(0))
    assert path(ask(client, config("single", ANTHROPIC, OPENAI))) == place(0)


# Fallback


def test_fallback_stays_where_it_succeeds(client: Client) -> None:
    assert path(ask(client, config("fallback", OPENAI, ANTHROPIC))) == place(0)


@pytest.mark.parametrize("status", [400, 401, 404, 408, 412, 429, 500, 503])
def test_fallback_moves_on_from_any_failure(client: Client, status: int) -> None:
    fail(client, status, place(0))
    reply = ask(client, config("fallback", OPENAI, ANTHROPIC))
    assert (reply.status_code, path(reply), told(reply, "provider")) == (200, place(1), "anthropic")


@pytest.mark.parametrize(
    ("listed", "status", "expected"), [([429], 429, 1), ([429], 500, 0), ([429, 500], 500, 1), ([], 500, 0)]
)
def test_fallback_moves_on_from_what_is_listed(client: Client, listed: list[int], status: int, expected: int) -> None:
    fail(client, status, place(0))
    assert path(ask(client, config("fallback", OPENAI, ANTHROPIC, on_status_codes=listed))) == place(expected)


def test_fallback_shows_the_last_failure(client: Client) -> None:
    fail(client, 500, place(0))
    fail(client, 429, place(1), message="Slow down")
    reply = ask(client, config("fallback", OPENAI, OPENAI))
    assert (error(reply, 429)["message"], path(reply)) == ("Slow down", place(1))


WARNING: Record = {"default.contains": {"operator": "none", "words": ["Hello"]}}
DENYING: Record = {**WARNING, "deny": True}


@pytest.mark.parametrize(
    ("rail", "listed", "status", "expected"),
    [(WARNING, None, 246, 0), (WARNING, [246], 200, 1), (DENYING, None, 200, 1), (DENYING, [500], 446, 0)],
)
def test_fallback_and_guardrails(client: Client, rail: Record, listed: list[int] | None, status: int, expected: int) -> None:
    """246 is a success unless it is listed, 446 is none."""
    more = {} if listed is None else {"on_status_codes": listed}
    reply = ask(client, config("fallback", {**OPENAI, "input_guardrails": [rail]}, ANTHROPIC, **more))
    assert (reply.status_code, path(reply)) == (status, place(expected))


def test_fallback_stops_at_an_exception_of_the_gateway(client: Client) -> None:
    body: Record = {"model": "m", "input": "Hello"}
    reply = send(client, EMBEDDINGS, body, config("fallback", ANTHROPIC, OPENAI))
    assert (reply.status_code, path(reply)) == (500, place(0))
    assert reply.json()["message"] == "embed is not supported by anthropic"
    assert told(reply, "gateway-exception") == "true"


def test_fallback_leaves_a_provider_that_is_busy(client: Client) -> None:
    limit = {"rate_limits": [{"type": "requests", "unit": "rpm", "value": 0}]}
    assert client.put(f"/v1/providers/{SEEDED}", limit, params={"workspace_id": "ws-produc-71b04e"}).status_code == 200
    reply = ask(client, config("fallback", {"provider": f"@{SEEDED}"}, ANTHROPIC))
    assert (reply.status_code, path(reply)) == (200, place(1))


def test_fallback_comes_after_the_retries_of_a_target(client: Client) -> None:
    failing = fail(client, 500, place(0))
    reply = ask(client, config("fallback", {**OPENAI, "retry": {"attempts": 2}}, ANTHROPIC))
    assert (path(reply), used(client, failing)) == (place(1), 3)


# Load balance


def drawn(client: Client, settings: JSON, times: int = 300) -> Counter[str | None]:
    return Counter(path(ask(client, settings)) for _ in range(times))


def test_loadbalance_keeps_to_weights(client: Client) -> None:
    counted = drawn(client, config("loadbalance", {**OPENAI, "weight": 3}, {**ANTHROPIC, "weight": 1}), 400)
    assert set(counted) == {place(0), place(1)}
    assert 250 < counted[place(0)] < 350


def test_loadbalance_without_weights_is_even(client: Client) -> None:
    counted = drawn(client, config("loadbalance", OPENAI, ANTHROPIC, COHERE))
    assert all(60 < counted[place(at)] < 140 for at in range(3))


def test_loadbalance_never_draws_a_weight_of_zero(client: Client) -> None:
    settings = config("loadbalance", {**OPENAI, "weight": 0}, {**ANTHROPIC, "weight": 0.001}, {**COHERE, "weight": 0})
    assert set(drawn(client, settings, 50)) == {place(1)}


def test_loadbalance_without_any_weight_fails(client: Client) -> None:
    reply = ask(client, config("loadbalance", {**OPENAI, "weight": 0}, {**ANTHROPIC, "weight": 0}))
    assert turned_down(reply, 500) == "Something went wrong"
    assert told(reply, "gateway-exception") == "true"


def test_loadbalance_does_not_fail_over(client: Client) -> None:
    fail(client, 500, place(0))
    counted = Counter(ask(client, config("loadbalance", OPENAI, ANTHROPIC)).status_code for _ in range(40))
    assert set(counted) == {200, 500}


def test_loadbalance_follows_from_the_world(client: Client) -> None:
    """Two worlds of the same seed draw alike."""
    settings = config("loadbalance", OPENAI, ANTHROPIC)
    other = Client(client.app, f"{client.world_name}-twin")
    other.world.clock.freeze(client.world.clock.now())
    try:
        assert [path(ask(other, settings)) for _ in range(20)] == [path(ask(client, settings)) for _ in range(20)]
    finally:
        client.app.worlds.delete(other.world_name)


def sticky(**settings: Any) -> Record:
    return config("loadbalance", OPENAI, ANTHROPIC, COHERE, sticky={"enabled": True, **settings})


def by_user(client: Client, slug: str, user: str, times: int = 1) -> set[str | None]:
    return {path(ask(client, slug, headers={"x-portkey-metadata": f'{{"user_id":"{user}"}}'})) for _ in range(times)}


def test_sticky_calls_stay_with_their_target(client: Client) -> None:
    slug = save(client, sticky(hash_fields=["metadata.user_id"]))
    users = {user: by_user(client, slug, user, 5) for user in "abcdefghij"}
    assert all(len(places) == 1 for places in users.values())
    assert len(set().union(*users.values())) > 1


@pytest.mark.parametrize(("ttl", "length_s"), [({}, 300), ({"ttl": 60}, 60)])
def test_sticky_choice_ends(client: Client, ttl: Record, length_s: int) -> None:
    slug = save(client, sticky(**ttl))
    first = path(ask(client, slug))
    later = set()
    for _ in range(20):
        client.world.clock.move(timedelta(seconds=length_s - 1))
        before = path(ask(client, slug))
        assert before == first
        client.world.clock.move(timedelta(seconds=1))
        first = path(ask(client, slug))
        later.add(first)
    assert len(later) > 1


def test_config_that_comes_along_does_not_stick(client: Client) -> None:
    assert len(drawn(client, sticky(), 30)) > 1


# Conditional


BY_PLAN: Record = config(
    "conditional",
    {**OPENAI, "name": "usual"},
    {**ANTHROPIC, "name": "paid"},
    {**COHERE, "name": "small"},
    conditions=[
        {"query": {"metadata.plan": "paid"}, "then": "paid"},
        {"query": {"params.model": {"$regex": "mini$"}}, "then": "small"},
        {"query": {"url.pathname": "/v1/completions"}, "then": "paid"},
    ],
    default="usual",
)


@pytest.mark.parametrize(
    ("plan", "model", "expected"),
    [("paid", "gpt-4o", 1), ("free", "gpt-4o", 0), ("free", "gpt-4o-mini", 2), ("paid", "gpt-4o-mini", 1)],
)
def test_conditions_choose(client: Client, plan: str, model: str, expected: int) -> None:
    reply = ask(client, BY_PLAN, headers={"x-portkey-metadata": f'{{"plan":"{plan}"}}'}, model=model)
    assert (reply.status_code, path(reply)) == (200, place(expected))


def test_conditions_see_the_address(client: Client) -> None:
    reply = send(client, "/v1/completions", {"model": "m", "prompt": "Hello"}, BY_PLAN)
    assert path(reply) == place(1)


def test_conditions_see_a_model_without_its_slug_and_before_overrides(client: Client) -> None:
    settings = {**BY_PLAN, "override_params": {"model": "over"}}
    assert path(ask(client, settings, model="@any/gpt-4o-mini")) == place(2)


def test_conditions_do_not_see_a_form(client: Client) -> None:
    form = {"file": ("a.wav", b"RIFF"), "model": (None, "whisper-mini")}
    reply = client.call("POST", "/v1/audio/transcriptions", files=form, headers={"x-portkey-config": json.dumps(BY_PLAN)})
    assert (reply.status_code, path(reply)) == (200, place(0))


@pytest.mark.parametrize(
    ("strategy", "text"),
    [
        ({"conditions": [], "default": "usual"}, "No conditions passed in the query router"),
        (
            {"conditions": [{"query": {"params.model": {"$like": "x"}}, "then": "usual"}], "default": "usual"},
            "Unsupported operator used in the query router: $like",
        ),
        (
            {"conditions": [{"query": {}, "then": "gone"}], "default": "usual"},
            "Invalid target name found in the query router: gone",
        ),
        (
            {"conditions": [{"query": {"metadata.x": "y"}, "then": "usual"}], "default": "gone"},
            "Invalid target name found in the query router: gone",
        ),
    ],
)
def test_router_tells_what_is_wrong(client: Client, strategy: Record, text: str) -> None:
    settings = config("conditional", {**OPENAI, "name": "usual"}, **strategy)
    assert turned_down(ask(client, settings), 400) == text
    assert turned_down(send(client, EMBEDDINGS, {"model": "m", "input": "x"}, settings), 500) == "Something went wrong"


# Nesting


def test_nested_targets_have_their_path(client: Client) -> None:
    fail(client, 500, place(0) + ".targets[0]")
    inner = config("fallback", OPENAI, ANTHROPIC)
    reply = ask(client, config("single", inner))
    assert (reply.status_code, path(reply)) == (200, "config.targets[0].targets[1]")


def test_fallback_leaves_a_group_that_failed_as_a_whole(client: Client) -> None:
    fail(client, 500, place(0) + ".targets[0]")
    fail(client, 503, place(0) + ".targets[1]")
    reply = ask(client, config("fallback", config("fallback", OPENAI, OPENAI), ANTHROPIC))
    assert (reply.status_code, path(reply)) == (200, place(1))


def test_nested_conditions_below_a_balance(client: Client) -> None:
    reply = ask(client, config("loadbalance", {**BY_PLAN, "weight": 1}, {**OPENAI, "weight": 0}), model="gpt-4o-mini")
    assert path(reply) == "config.targets[0].targets[2]"


# Circuit breaker


BREAKER: Record = {"failure_threshold": 2, "cooldown_interval": 30000}


def breaking(*targets: Record, mode: str = "fallback", **settings: Any) -> Record:
    given = targets or ({"provider": f"@{SEEDED}"}, {"provider": f"@{SEEDED}"})
    return config(mode, *given, cb_config=BREAKER | settings)


def test_target_that_fails_too_often_is_left_alone(client: Client) -> None:
    failing, slug = fail(client, 500, place(0)), save(client, breaking())
    assert [path(ask(client, slug)) for _ in range(4)] == [place(1)] * 4
    assert used(client, failing) == 2


def test_target_is_tried_again_after_the_cooldown(client: Client) -> None:
    failing, slug = fail(client, 500, place(0), times=3), save(client, breaking())
    for _ in range(3):
        ask(client, slug)
    client.world.clock.move(timedelta(seconds=29))
    assert path(ask(client, slug)) == place(1)
    assert used(client, failing) == 2
    client.world.clock.move(timedelta(seconds=1))
    assert path(ask(client, slug)) == place(1)
    assert (path(ask(client, slug)), used(client, failing)) == (place(0), 3)


def test_all_open_targets_are_tried_after_all(client: Client) -> None:
    failing, slug = fail(client, 500), save(client, breaking())
    for _ in range(3):
        assert ask(client, slug).status_code == 500
    assert used(client, failing) == 6


@pytest.mark.parametrize(
    ("status", "settings", "calls"),
    [(429, {}, 3), (429, {"failure_status_codes": [429]}, 2), (500, {"failure_status_codes": [429]}, 3)],
)
def test_what_counts_as_a_failure(client: Client, status: int, settings: Record, calls: int) -> None:
    failing, slug = fail(client, status, place(0)), save(client, breaking(**settings))
    for _ in range(3):
        ask(client, slug)
    assert used(client, failing) == calls


def test_share_of_failures_opens_a_circuit(client: Client) -> None:
    failing = fail(client, 500, place(0), times=2)
    slug = save(client, breaking(failure_threshold=100, failure_threshold_percentage=30, minimum_requests=6))
    ask(client, slug)
    assert [path(ask(client, slug)) for _ in range(2)] == [place(1), place(0)]
    assert used(client, failing) == 2
    fail(client, 500, place(0), times=1)
    places = [path(ask(client, slug)) for _ in range(5)]
    assert places == [place(1), place(0), place(0), place(0), place(0)]
    fail(client, 500, place(0), times=1)
    assert [path(ask(client, slug)) for _ in range(2)] == [place(1), place(1)]


@pytest.mark.parametrize("kind", ["inline", "plain providers", "conditional"])
def test_circuits_that_never_open(client: Client, kind: str) -> None:
    failing = fail(client, 500, place(0))
    if kind == "conditional":
        named = [{"provider": f"@{SEEDED}", "name": name} for name in "ab"]
        one = [{"query": {}, "then": "a"}]
        settings = config("conditional", *named, conditions=one, default="a", cb_config=BREAKER)
    else:
        settings = breaking(*((OPENAI, OPENAI) if kind == "plain providers" else ()))
    given = settings if kind == "inline" else save(client, settings)
    for _ in range(4):
        ask(client, given)
    assert used(client, failing) == 4


def test_balance_draws_from_closed_circuits(client: Client) -> None:
    fail(client, 500, place(0))
    slug = save(client, breaking(mode="loadbalance"))
    statuses = [ask(client, slug).status_code for _ in range(40)]
    assert statuses.count(500) == 2
