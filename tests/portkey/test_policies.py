"""What policies do to calls: which they hold for, how they count, how they refuse.

Source of every rule that names none: governance-mcp-observability, Usage-limits and Rate-limits policies; gateway@2.0.0,
`policyUtils.ts`, whose rules these tests follow one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.policing import TUESDAY
from tests.portkey.team import PRODUCTION, RESEARCH, answered, at, done, make_key, read, workspace_id

BUDGETS, RATES = "/v1/policies/usage-limits", "/v1/policies/rate-limits"
CHAT = "/v1/chat/completions"


def ask(client: Client, model: str = "gpt-4o", metadata: Any = None, **headers: str) -> httpx.Response:
    """Make a call, of OpenAI if nobody is named; headers are named without `x-portkey-`."""
    if not model.startswith("@") and not headers.keys() & {"provider", "virtual-key", "config"}:
        headers["provider"] = "openai"
    sent = {f"x-portkey-{name}": value for name, value in headers.items()}
    if metadata is not None:
        sent["x-portkey-metadata"] = metadata if isinstance(metadata, str) else json.dumps(metadata)
    return client.post(CHAT, {"model": model, "messages": [{"role": "user", "content": "Hello"}]}, headers=sent)


def budget(client: Client, *conditions: Record, group_by: list[str] | None = None, **fields: Any) -> str:
    """Make a usage limits policy, by default of one request, and return its id."""
    return limit(client, BUDGETS, conditions, group_by, {"credit_limit": 1} | fields)


def rate(client: Client, *conditions: Record, group_by: list[str] | None = None, **fields: Any) -> str:
    """Make a rate limits policy, by default of one request a minute, and return its id."""
    return limit(client, RATES, conditions, group_by, {"unit": "rpm", "value": 1} | fields)


def limit(client: Client, path: str, conditions: Sequence[Record], group_by: list[str] | None, fields: Record) -> str:
    """Make a policy, by default of Production and for all requests, and return its id."""
    body = {
        "conditions": list(conditions) or [{"key": "organisation_id", "value": "*"}],
        "group_by": [{"key": key} for key in group_by or ["organisation_id"]],
        "type": "requests",
        "workspace_id": PRODUCTION,
    }
    return str(answered(client.post(path, body | fields))["id"])


def groups(client: Client, policy_id: str) -> dict[str, float]:
    """What each group of a policy has used, oldest first."""
    rows = read(client, f"{BUDGETS}/{policy_id}/entities")["data"]
    return {row["value_key"]: row["current_usage"] for row in reversed(rows)}


def caller(client: Client, slug: str = PRODUCTION, **fields: Any) -> Client:
    """The same world, called with a key of a workspace that may call models."""
    return client.as_key(make_key(client, scopes=["completions.write"], workspace_id=slug, **fields).secret)


def provide(client: Client, slug: str = "main", plain: str = "openai", at: str = PRODUCTION) -> Record:
    """Make a provider and return its record."""
    body = {"name": slug, "ai_provider_id": plain, "key": "sk-example-1a2b3c4d5e6f"}
    reply = client.post("/v1/integrations", body | {"workspace_id": at, "default_provider_slug": slug})
    assert reply.status_code == 200, reply.text[:500]
    found: Record = client.world["providers"].find("_handle", f"{workspace_id(client, at)}/{slug}")
    return found


def configure(client: Client, **content: Any) -> Record:
    """Make a config, of OpenAI by default, and return what its creation shows."""
    body = {"name": "Fast", "config": {"provider": "openai", "api_key": "sk"} | content, "workspace_id": PRODUCTION}
    return answered(client.post("/v1/configs", body))


def holds(client: Client, *conditions: Record, call: Any) -> bool:
    """Whether a policy with these conditions counts a call."""
    made = budget(client, *conditions, credit_limit=100)
    assert call().status_code == 200
    return bool(groups(client, made))


# How a call is refused


def test_call_beyond_a_budget_is_refused(client: Client) -> None:
    """Error catalogue C: 412, code 06, type and text."""
    made = budget(client, group_by=["metadata._user"])
    assert ask(client, metadata={"_user": "ines"}).status_code == 200
    used = groups(client, made)
    reply = ask(client, metadata={"_user": "ines"})
    assert reply.status_code == 412
    assert reply.json()["error"] == {
        "message": f"Portkey Usage Limits Policy {made} Exceeded for value key metadata._user:ines",
        "type": "usage_limits_policy_exhaust_error",
        "param": None,
        "code": "06",
    }
    assert groups(client, made) == used == {"metadata._user:ines": 1}


def test_call_beyond_a_rate_is_refused(client: Client) -> None:
    """Error catalogue C: 429, no code, type and text; `Retry-After` is ours, as for other rates."""
    at(client, TUESDAY)
    made = rate(client, group_by=["metadata._user"])
    assert ask(client, metadata={"_user": "ines"}).status_code == 200
    reply = ask(client, metadata={"_user": "ines"})
    assert reply.status_code == 429
    assert reply.json()["error"] == {
        "message": f"Portkey Rate Limit Policy {made} exceeded for value key metadata._user:ines",
        "type": "rate_limits_policy_exhaust_error",
        "param": None,
        "code": None,
    }
    assert reply.headers["retry-after"] == "25"


def test_budget_is_named_before_rate(client: Client) -> None:
    rate(client)
    budget(client)
    assert [ask(client).status_code for _ in range(2)] == [200, 412]


def test_refused_call_counts_nowhere(client: Client) -> None:
    rate(client)
    made = budget(client, credit_limit=5)
    assert [ask(client).status_code for _ in range(3)] == [200, 429, 429]
    assert groups(client, made) == {f"organisation_id:{client.world.facts.get('organisation_id')}": 1}


def test_invalid_call_counts_nowhere(client: Client) -> None:
    made = budget(client)
    assert client.post(CHAT, {"messages": "Hello"}).status_code == 400
    assert groups(client, made) == {}


# What is counted


def tokens(reply: httpx.Response) -> int:
    """What an answer used."""
    used: int = reply.json()["usage"]["total_tokens"]
    return used


def cost_usd(reply: httpx.Response) -> float:
    """What an answer of gpt-4o costs: 2.5 and 10 dollars for a million tokens."""
    used = reply.json()["usage"]
    return float(used["prompt_tokens"] * 2.5 + used["completion_tokens"] * 10) / 1e6


@pytest.mark.parametrize(("type_", "used"), [("requests", lambda _: 1), ("tokens", tokens), ("cost", cost_usd)])
def test_usage_is_requests_tokens_or_dollars(client: Client, type_: str, used: Callable[[httpx.Response], float]) -> None:
    made = budget(client, type=type_, credit_limit=1000)
    replies = [ask(client), ask(client)]
    assert list(groups(client, made).values()) == [pytest.approx(sum(map(used, replies)))]


def test_model_without_a_price_costs_nothing(client: Client) -> None:
    """And its group comes to be all the same."""
    made = budget(client, type="cost")
    assert ask(client, "gpt-nobody-knows").status_code == 200
    assert list(groups(client, made).values()) == [0]


def test_one_call_may_overshoot(client: Client) -> None:
    """Budgets and rate limits: usage is known only after the call."""
    once = tokens(ask(client))
    made = budget(client, type="tokens", credit_limit=once + 1)
    assert [ask(client).status_code for _ in range(3)] == [200, 200, 412]
    assert list(groups(client, made).values()) == [2 * once]


def test_window_of_tokens_refuses_once_it_is_full(client: Client) -> None:
    at(client, TUESDAY)
    rate(client, type="tokens", value=tokens(ask(client)) + 1)
    assert [ask(client).status_code for _ in range(3)] == [200, 200, 429]
    client.world.clock.move(timedelta(minutes=1))
    assert ask(client).status_code == 200


@pytest.mark.parametrize(
    ("unit", "wait_s"), [("rpm", 25), ("rph", 52 * 60 + 25), ("rpd", 14 * 3600 + 52 * 60 + 25), ("rpw", 139945)]
)
def test_windows_begin_with_their_period(client: Client, unit: str, wait_s: int) -> None:
    at(client, TUESDAY)
    rate(client, unit=unit)
    assert ask(client).status_code == 200
    assert ask(client).headers["retry-after"] == str(wait_s)
    client.world.clock.move(timedelta(seconds=wait_s))
    assert [ask(client).status_code for _ in range(2)] == [200, 429]


def test_rate_of_nothing_limits_nothing(client: Client) -> None:
    """`rateLimitPolicies.ts` skips it."""
    rate(client, value=0)
    assert ask(client).status_code == 200


def test_higher_value_lets_in_at_once(client: Client) -> None:
    made = rate(client)
    assert [ask(client).status_code for _ in range(2)] == [200, 429]
    done(client.put(f"{RATES}/{made}", {"value": 3}))
    assert [ask(client).status_code for _ in range(3)] == [200, 200, 429]


def test_policy_for_tools_leaves_models_alone(client: Client) -> None:
    rate(client, target="mcp_tools")
    assert [ask(client).status_code for _ in range(2)] == [200, 200]


def test_archived_rate_limits_nothing(client: Client) -> None:
    made = rate(client)
    assert [ask(client).status_code for _ in range(2)] == [200, 429]
    done(client.delete(f"{RATES}/{made}"))
    assert ask(client).status_code == 200


def test_all_policies_count_a_call(client: Client) -> None:
    first, second = budget(client, credit_limit=5), budget(client, credit_limit=5, group_by=["model"])
    ask(client)
    assert [list(groups(client, made).values()) for made in (first, second)] == [[1], [1]]


@pytest.mark.parametrize(("path", "counted"), [("/v1/files", False), ("/v1/batches", False), ("/v1/assistants", True)])
def test_looking_after_files_and_batches_is_free(client: Client, path: str, counted: bool) -> None:
    """Request pipeline, 3."""
    made = budget(client)
    assert client.get(path).status_code == 200
    assert bool(groups(client, made)) == counted


def test_control_plane_is_not_held(client: Client) -> None:
    made = budget(client)
    for _ in range(3):
        read(client, "/v1/admin/workspaces")
    assert groups(client, made) == {}


# By what calls are grouped


def test_each_group_has_its_own_budget(client: Client) -> None:
    made = budget(client, group_by=["metadata._user"])
    replies = [ask(client, metadata={"_user": user}).status_code for user in ("ines", "omar", "ines", "omar")]
    assert replies == [200, 200, 412, 412]
    assert groups(client, made) == {"metadata._user:ines": 1, "metadata._user:omar": 1}


def test_each_group_has_its_own_windows(client: Client) -> None:
    rate(client, group_by=["metadata._user"])
    assert [ask(client, metadata={"_user": user}).status_code for user in ("ines", "omar", "ines")] == [200, 200, 429]


def test_value_key_joins_several_keys(client: Client) -> None:
    made = budget(client, group_by=["metadata.team", "metadata._user"])
    ask(client, metadata={"_user": "ines", "team": "support"})
    assert list(groups(client, made)) == ["metadata.team:support-metadata._user:ines"]


def test_call_without_a_value_to_group_by_is_not_held(client: Client) -> None:
    made = budget(client, group_by=["metadata._user"])
    assert [ask(client).status_code for _ in range(2)] == [200, 200]
    assert groups(client, made) == {}


def test_groups_are_named_by_ids_and_plain_names(client: Client) -> None:
    """The gateway's choice for each key: ids, but the plain name of a provider, also before the model."""
    provider = provide(client)
    key = make_key(client, scopes=["completions.write"])
    keys = ["api_key", "workspace_id", "virtual_key", "provider", "model", "config", "endpoint_type"]
    made = {each: budget(client, group_by=[each], credit_limit=9) for each in keys}
    config = configure(client, provider="@main")
    assert ask(client.as_key(key.secret), config=config["slug"]).status_code == 200
    assert {each: list(groups(client, made[each])) for each in keys} == {
        "api_key": [f"api_key:{key.id}"],
        "workspace_id": [f"workspace_id:{workspace_id(client)}"],
        "virtual_key": [f"virtual_key:{provider['id']}"],
        "provider": ["provider:openai"],
        "model": ["model:openai.gpt-4o"],
        "config": [f"config:{config['id']}"],
        "endpoint_type": ["endpoint_type:chatComplete"],
    }


def test_unknown_keys_are_told_apart(client: Client) -> None:
    """*chosen*: an id is drawn from the secret of a key that the world does not know."""
    made = budget(client, {"key": "api_key", "value": "*"}, group_by=["api_key"])
    first, second = client.as_key("one"), client.as_key("two")
    assert [ask(each).status_code for each in (first, second, first, second)] == [200, 200, 412, 412]
    assert len(groups(client, made)) == 2


# Which calls a policy holds for


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ({"value": "support"}, True),
        ({"value": "sales"}, False),
        ({"value": "*"}, True),
        ({"value": ["sales", "support"]}, True),
        ({"value": ["sales", "*"]}, True),
        ({"value": ["sales"]}, False),
        ({"excludes": "support"}, False),
        ({"excludes": ["sales", "support"]}, False),
        ({"excludes": "sales"}, True),
        ({"value": "*", "excludes": "support"}, False),
        ({"value": ["support", "sales"], "excludes": ["sales"]}, True),
        ({"value": "Support"}, False),
    ],
)
def test_values_stars_and_exclusions(client: Client, condition: Record, held: bool) -> None:
    call = {"key": "metadata.team", **condition}
    assert holds(client, call, call=lambda: ask(client, metadata={"team": "support"})) == held


@pytest.mark.parametrize("condition", [{"value": "*"}, {"excludes": "support"}, {"value": "support"}])
def test_what_a_call_has_not_meets_no_condition(client: Client, condition: Record) -> None:
    assert not holds(client, {"key": "metadata.team", **condition}, call=lambda: ask(client))


@pytest.mark.parametrize(("team", "held"), [("support", True), ("sales", False)])
def test_all_conditions_must_hold(client: Client, team: str, held: bool) -> None:
    conditions = [{"key": "model", "value": "gpt-4o"}, {"key": "metadata.team", "value": team}]
    assert holds(client, *conditions, call=lambda: ask(client, metadata={"team": "support"})) == held


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ({"value": "@openai/gpt-4o"}, True),
        ({"value": "@main/gpt-4o"}, True),
        ({"value": "gpt-4o"}, True),
        ({"value": "@openai/*"}, True),
        ({"value": "@main/*"}, True),
        ({"value": "@other/*"}, False),
        ({"value": "@openai/gpt-4o-mini"}, False),
        ({"value": "@openai/gpt"}, False),
        ({"value": "*", "excludes": "@main/*"}, False),
        ({"value": ["gpt-4", "gpt-4o"], "excludes": ["gpt-4-mini", "gpt-4o-mini"]}, True),
    ],
)
def test_models_are_named_with_or_without_their_provider(client: Client, condition: Record, held: bool) -> None:
    provide(client)
    key = caller(client)
    assert holds(client, {"key": "model", **condition}, call=lambda: ask(key, "@main/gpt-4o")) == held


@pytest.mark.parametrize(
    ("key", "value", "held"),
    [
        ("provider", "main", True),
        ("provider", "openai", True),
        ("provider", "other", False),
        ("virtual_key", "main", True),
        ("virtual_key", "openai", False),
    ],
)
@pytest.mark.parametrize("how", ["model", "provider", "virtual-key"])
def test_providers_are_named_by_slug_or_plain_name(client: Client, how: str, key: str, value: str, held: bool) -> None:
    provide(client)
    sent: Record = {
        "model": {"model": "@main/gpt-4o"},
        "provider": {"provider": "@main"},
        "virtual-key": {"virtual-key": "main"},
    }[how]
    key_caller = caller(client)
    assert holds(client, {"key": key, "value": value}, call=lambda: ask(key_caller, **sent)) == held


def test_plain_provider_of_the_header_counts(client: Client) -> None:
    assert holds(client, {"key": "provider", "value": "anthropic"}, call=lambda: ask(client, provider="anthropic"))


@pytest.mark.parametrize("named", ["id", "slug", "other"])
def test_workspaces_are_named_by_id_or_slug(client: Client, named: str) -> None:
    value = {"id": workspace_id(client), "slug": PRODUCTION, "other": RESEARCH}[named]
    key = caller(client)
    assert holds(client, {"key": "workspace_id", "value": value}, call=lambda: ask(key)) == (named != "other")


def test_api_key_is_named_by_its_id(client: Client) -> None:
    mine, other = (make_key(client, scopes=["completions.write"]) for _ in range(2))
    made = budget(client, {"key": "api_key", "value": mine.id}, credit_limit=9)
    for key in (mine, other):
        assert ask(client.as_key(key.secret)).status_code == 200
    assert list(groups(client, made).values()) == [1]


@pytest.mark.parametrize("named", ["id", "slug"])
def test_config_is_named_by_id_or_slug(client: Client, named: str) -> None:
    config = configure(client)
    condition = {"key": "config", "value": config[named]}
    assert holds(client, condition, call=lambda: ask(client, config=config["slug"]))


@pytest.mark.parametrize("sent", ["another", "inline"])
def test_other_config_is_not_meant(client: Client, sent: str) -> None:
    config, other = configure(client), configure(client)["slug"]
    header = {"another": other, "inline": '{"provider": "openai", "api_key": "sk"}'}[sent]
    assert not holds(client, {"key": "config", "value": config["slug"]}, call=lambda: ask(client, config=header))


def test_config_of_the_key_counts(client: Client) -> None:
    config = configure(client)
    key = caller(client, defaults={"config_id": config["id"]})
    assert holds(client, {"key": "config", "value": config["slug"]}, call=lambda: ask(key))


@pytest.mark.parametrize("condition", [{"key": "provider", "value": "main"}, {"key": "model", "value": "@openai/gpt-4o"}])
def test_provider_of_the_config_counts(client: Client, condition: Record) -> None:
    provide(client)
    config = configure(client, provider="@main")
    assert holds(client, condition, call=lambda: ask(client, config=config["slug"]))


def test_prompt_counts(client: Client) -> None:
    collection = client.post("/v1/collections", {"name": "Greetings", "workspace_id": PRODUCTION}).json()["id"]
    prompt = {"name": "Greet", "collection_id": collection, "string": "Hello {{name}}", "parameters": {"name": "Ines"}}
    made = client.post("/v1/prompts", prompt | {"virtual_key": "main", "model": "gpt-4o"}).json()
    run = f"/v1/prompts/{made['id']}/completions"
    condition = {"key": "prompt", "value": made["slug"]}
    assert holds(client, condition, call=lambda: client.post(run, {"variables": {"name": "Ines"}}))


@pytest.mark.parametrize(("value", "held"), [("chatComplete", True), ("embed", False)])
def test_endpoint_type_counts(client: Client, value: str, held: bool) -> None:
    assert holds(client, {"key": "endpoint_type", "value": value}, call=lambda: ask(client)) == held


def test_unknown_condition_holds_for_nothing(client: Client) -> None:
    assert not holds(client, {"key": "weather", "value": "*"}, call=lambda: ask(client))


# Metadata


@pytest.mark.parametrize(
    ("metadata", "team"),
    [
        ({"team": "support"}, "support"),
        ({"team": 7}, "7"),
        ({"team": True}, "true"),
        ({"team": ""}, None),
        ({"team": None}, None),
        ("not JSON", None),
        ('["support"]', None),
    ],
)
def test_metadata_is_an_object_of_texts(client: Client, metadata: Any, team: str | None) -> None:
    made = budget(client, group_by=["metadata.team"])
    assert ask(client, metadata=metadata).status_code == 200
    assert list(groups(client, made)) == ([] if team is None else [f"metadata.team:{team}"])


def test_user_of_the_body_is_metadata(client: Client) -> None:
    made = budget(client, group_by=["metadata._user"])
    client.post(CHAT, {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "user": "ines"})
    assert list(groups(client, made)) == ["metadata._user:ines"]


def test_baggage_lies_under_metadata(client: Client) -> None:
    made = budget(client, group_by=["metadata.team", "metadata.shift"])
    headers = {"baggage": "team=sales, shift=night%20one", "x-portkey-metadata": '{"team": "support"}'}
    client.post(CHAT, {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}, headers=headers)
    assert list(groups(client, made)) == ["metadata.team:support-metadata.shift:night one"]


def test_workspace_beats_key_beats_request(client: Client) -> None:
    """Production's own default is `cost_centre` 1200."""
    key = caller(client, defaults={"metadata": {"team": "tools", "cost_centre": "7"}})
    made = budget(client, group_by=["metadata.cost_centre", "metadata.team", "metadata.shift"])
    ask(key, metadata={"team": "support", "cost_centre": "9", "shift": "night"})
    assert list(groups(client, made)) == ["metadata.cost_centre:1200-metadata.team:tools-metadata.shift:night"]


# Whose calls a policy is about


def test_policy_holds_for_its_workspace_only(client: Client) -> None:
    made = budget(client, credit_limit=9)
    for slug in (PRODUCTION, RESEARCH):
        assert ask(caller(client, slug)).status_code == 200
    assert list(groups(client, made).values()) == [1]


def test_call_of_an_unknown_key_is_of_its_providers_workspace(client: Client) -> None:
    """*chosen*, as is the next."""
    provide(client, at=RESEARCH)
    here, there = budget(client, credit_limit=9), budget(client, credit_limit=9, workspace_id=RESEARCH)
    assert ask(client, "@main/gpt-4o").status_code == 200
    assert [len(groups(client, made)) for made in (here, there)] == [0, 1]


def test_call_of_an_unknown_key_without_a_provider_is_of_any_workspace(client: Client) -> None:
    made = [budget(client, credit_limit=9), budget(client, credit_limit=9, workspace_id=RESEARCH)]
    assert ask(client).status_code == 200
    assert [len(groups(client, each)) for each in made] == [1, 1]


def test_worlds_have_their_own_counters(client: Client) -> None:
    budget(client)
    client.app.worlds.fork("policies-other", client.world.snapshot())
    try:
        other = Client(client.app, "policies-other")
        assert [ask(each).status_code for each in (client, other, client, other)] == [200, 200, 412, 412]
    finally:
        client.app.worlds.delete("policies-other")


def test_budget_of_the_provider_comes_after_the_policy(client: Client) -> None:
    """`preRequestValidator`: of several budgets that are used up, the policy's is named."""
    provide(client)
    limit = {"type": "tokens", "credit_limit": 1}
    assert client.put(f"/v1/providers/main?workspace_id={PRODUCTION}", {"usage_limits": limit}).status_code == 200
    key = caller(client)
    budget(client)
    assert ask(key, "@main/gpt-4o").status_code == 200
    assert ask(key, "@main/gpt-4o").json()["error"]["type"] == "usage_limits_policy_exhaust_error"


def test_rate_of_the_provider_comes_before_the_policy(client: Client) -> None:
    provide(client)
    limits = [{"type": "requests", "unit": "rpm", "value": 1}]
    assert client.put(f"/v1/providers/main?workspace_id={PRODUCTION}", {"rate_limits": limits}).status_code == 200
    key = caller(client)
    rate(client)
    assert ask(key, "@main/gpt-4o").status_code == 200
    assert ask(key, "@main/gpt-4o").json()["error"]["type"] == "virtual_key_rate_limit_error"
