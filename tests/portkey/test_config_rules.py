"""What a config must be: what the document says of it, and the rules that it cannot say.

Source of every rule that names none: prompts-configs-guardrails, Configs: Validation; gateway-data-plane, Config object and
its validation. The texts are the gateway's.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.portkey.config_rules import EMPTY, LEGACY, Fault, faults, shape_faults
from mockserver.values import JSON, Record
from tests.conftest import Client
from tests.portkey.team import PRODUCTION, RESEARCH, make_key, refused, workspace_id

MODE = "Invalid 'mode' value. Must be one of: single, loadbalance, fallback, conditional"
CACHE_MODE = "Invalid 'cache.mode' value. Must be one of: simple, semantic"
HASH_FIELDS = 'hash_fields must start with "metadata.", "params.", or "headers."'

RETRY: Record = {"retry": {"attempts": 2}}
SEEDED = "openai-production"
"""A provider of Production, and of no other workspace."""


def sent(client: Client, config: JSON, workspace: str = PRODUCTION) -> Any:
    """The reply to a config that is to be kept."""
    return client.post("/v1/configs", {"name": "Mine", "config": config, "workspace_id": workspace})


def pointers(client: Client, config: JSON) -> list[str]:
    """The places in a config for which it is refused; none for one that is taken."""
    reply = sent(client, config)
    if reply.status_code == 200:
        return []
    return [violation["pointer"].removeprefix("/config") for violation in refused(reply, 400, "AB01")["violations"]]


def known(client: Client, workspace: str = PRODUCTION) -> Client:
    """The client with a key that the world knows: one of a workspace's service."""
    return client.as_key(make_key(client, scopes=["configs.create", "configs.update"], workspace_id=workspace).secret)


def make_guardrail(client: Client, **fields: Any) -> Record:
    """Make a guardrail, by default one of Production's."""
    given: Record = {"name": "Brief", "checks": [{"id": "default.wordCount"}], "actions": {}, "workspace_id": PRODUCTION}
    made: Record = client.post("/v1/guardrails", given | fields).json()
    return made


# What the document says.


@pytest.mark.parametrize(
    ("config", "places"),
    [
        ({"strategy": {}, **RETRY}, ["/strategy/mode"]),
        ({"strategy": {"mode": "random"}, **RETRY}, ["/strategy/mode"]),
        ({"strategy": {"mode": "conditional"}, **RETRY}, ["/strategy/conditions", "/strategy/default"]),
        ({"strategy": {"mode": "conditional", "conditions": []}, **RETRY}, ["/strategy/default"]),
        (
            {"strategy": {"mode": "conditional", "default": "a", "conditions": [{"query": {}}]}, **RETRY},
            ["/strategy/conditions/0/then"],
        ),
        ({"strategy": {"mode": "fallback", "on_status_codes": ["429"]}, **RETRY}, ["/strategy/on_status_codes/0"]),
        ({"strategy": {"mode": "single", "cb_config": {}}, **RETRY}, [
            "/strategy/cb_config/cooldown_interval", "/strategy/cb_config/failure_threshold",
        ]),
        ({"strategy": {"mode": "single", "cb_config": {"failure_threshold": 0, "cooldown_interval": 29_999}}, **RETRY}, [
            "/strategy/cb_config/cooldown_interval", "/strategy/cb_config/failure_threshold",
        ]),
        ({"strategy": {"mode": "single", "sticky": {"hash_fields": ["user"]}}, **RETRY}, ["/strategy/sticky/hash_fields/0"]),
        ({"cache": {}}, ["/cache/mode"]),
        ({"cache": {"mode": "clever"}}, ["/cache/mode"]),
        ({"retry": {}}, ["/retry/attempts"]),
        ({"retry": {"attempts": "3"}}, ["/retry/attempts"]),
        ({"request_timeout": "1s"}, ["/request_timeout"]),
        ({"input_guardrails": "pg-a"}, ["/input_guardrails"]),
        ({"input_guardrails": [5]}, ["/input_guardrails/0"]),
        ({"targets": {}, **RETRY}, ["/targets"]),
        ({"targets": [5], **RETRY}, ["/targets/0"]),
        ({"strategy": {"mode": "single"}, "targets": [{"cache": {"mode": "clever"}}]}, ["/targets/0/cache/mode"]),
        (
            {"strategy": {"mode": "single"}, "targets": [{"strategy": {"mode": "single"}, "targets": [{"retry": {}}]}]},
            ["/targets/0/targets/0/retry/attempts"],
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_document_refuses_wrong_shapes(client: Client, config: Record, places: list[str]) -> None:
    """On the control plane by the contract, for a config that comes elsewhere by the same schema."""
    assert sorted(pointers(client, config)) == places
    assert sorted(fault.pointer for fault in shape_faults(config)) == places


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"strategy": {"mode": "random"}}, Fault("/strategy/mode", MODE)),
        (
            {"targets": [{"targets": [{"strategy": {"mode": "random"}}]}]},
            Fault("/targets/0/targets/0/strategy/mode", MODE),
        ),
        ({"cache": {"mode": "clever"}}, Fault("/cache/mode", CACHE_MODE)),
        ({"strategy": {"mode": "single", "sticky": {"hash_fields": ["metadata.user", "user"]}}},
         Fault("/strategy/sticky/hash_fields/1", HASH_FIELDS)),
        ({"retry": {"attempts": 1.5}}, Fault("/retry/attempts", "must be integer, not number")),
        ([], Fault("", "must be object, not array")),
        ("pc-a", Fault("", "must be object, not string")),
        (None, Fault("", "must be object, not null")),
    ],
    ids=repr,
)  # fmt: skip
def test_wrong_shapes_have_the_words_of_the_gateway(config: JSON, fault: Fault) -> None:
    """Where they are known; else the contract's."""
    assert shape_faults(config) == [fault]


@pytest.mark.parametrize(
    "config",
    [
        {"strategy": {"mode": "conditional", "conditions": [{"query": {"metadata.plan": "paid"}, "then": "a"}], "default": "b"},
         "targets": [{"name": "a", "virtual_key": "a"}, {"name": "b", "provider": "@b"}]},
        {"strategy": {"mode": "loadbalance", "sticky": {"enabled": True, "hash_fields": ["metadata.user"], "ttl": 60},
                      "cb_config": {"failure_threshold": 5, "cooldown_interval": 30_000, "failure_status_codes": [500]}},
         "targets": [{"provider": "@a", "weight": 0}, {"provider": "@b", "weight": 0.3}]},
        {"retry": {"attempts": 9, "use_retry_after_header": True, "use_retry_after_headers": True}},
        {"cache": {"mode": "simple", "max_age": 1}},
        {"provider": "@a", "override_params": {"temperature": 0}, "request_timeout": 5000, "custom_host": "https://a.example"},
        {"retry": {"attempts": 0}, "azure_entra_scope": "a", "anthropic_beta": "b", "fetch_integrated_models": True,
         "overrideParams": {"model": "c"}, "nobody_knows": [{}]},
        {"before_request_hooks": [{"type": "guardrail", "id": "g", "checks": [{"id": "default.regexMatch"}], "deny": True}]},
        {"output_guardrails": [{"default.contains": {"operator": "none", "words": ["x"]}, "deny": True}]},
    ],
    ids=["conditional", "sticky", "retry", "cache", "slug", "unknown keys", "raw hooks", "written-out checks"],
)  # fmt: skip
def test_allowed_config_is_taken_whole(client: Client, config: Record) -> None:
    """Unknown keys pass, at any depth."""
    assert shape_faults(config) == []
    reply = sent(client, config)
    assert reply.status_code == 200, reply.text
    assert client.get(f"/v1/configs/{reply.json()['slug']}").json()["data"]["config"] == config


# It must say something.


@pytest.mark.parametrize(
    "enough",
    [
        {"virtual_key": "a"},
        {"provider": "openai", "api_key": "sk-1"},
        {"provider": "ollama", "custom_host": "http://ollama.example"},
        {"provider": "bedrock", "aws_region": "eu-west-1"},
        {"provider": "vertex-ai", "vertex_project_id": "a"},
        {"provider": "azure-openai", "azure_auth_mode": "managed"},
        {"provider": "@a"},
        {"override_params": {"model": "@a/gpt-4o"}},
        {"strategy": {"mode": "single"}, "targets": [{"virtual_key": "a"}]},
        {"cache": {"mode": "simple"}},
        {"retry": {"attempts": 1}},
        {"prompt_id": "pp-a"},
        {"forward_headers": ["x-a"]},
        {"request_timeout": 1000},
        {"input_guardrails": []},
        {"output_guardrails": []},
        {"before_request_hooks": []},
        {"after_request_hooks": []},
        {"passthrough": True},
        {"default_params": {}},
        {"drop_params": ["user"]},
    ],
    ids=repr,
)
def test_one_thing_makes_a_config(client: Client, enough: Record) -> None:
    """Alone, and as a target."""
    assert pointers(client, enough) == []
    assert pointers(client, {"strategy": {"mode": "fallback"}, "targets": [enough]}) == []


@pytest.mark.parametrize(
    "too_little",
    [
        {},
        {"provider": "openai"},
        {"api_key": "sk-1"},
        {"custom_host": "http://ollama.example"},
        {"aws_region": "eu-west-1"},
        {"strategy": {"mode": "single"}},
        {"targets": [{"virtual_key": "a"}]},
        {"override_params": {"temperature": 0}},
        {"override_params": {"model": "gpt-4o"}},
        {"override_params": {"model": "meta/llama"}},
        {"override_params": {"model": 5}},
        {"override_params": {"model": "@cf/meta/llama"}},
        {"override_params": {"model": "@a"}},
        {"nobody_knows": 1},
    ],
    ids=repr,
)
def test_less_than_one_thing_makes_none(client: Client, too_little: Record) -> None:
    data = refused(sent(client, too_little), 400, "AB01")
    assert (data["message"], [each["pointer"] for each in data["violations"]]) == (EMPTY, ["/config"])
    target = refused(sent(client, {"strategy": {"mode": "fallback"}, "targets": [RETRY, too_little]}), 400, "AB01")
    assert (target["message"], [each["pointer"] for each in target["violations"]]) == (EMPTY, ["/config/targets/1"])


def test_legacy_config_is_refused(client: Client) -> None:
    data = refused(sent(client, {"mode": "single", "options": [{"provider": "openai"}]}), 400, "AB01")
    assert (data["message"], data["violations"][0]["pointer"]) == (LEGACY, "/config/options")


# What excludes what, and how much is too much.


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("targets", []),
        ("strategy", {"mode": "single"}),
        ("override_params", {"temperature": 0}),
        ("input_guardrails", []),
        ("output_guardrails", []),
    ],
)
def test_passthrough_excludes(client: Client, name: str, value: Any) -> None:
    """prompts-configs-guardrails: changelog 1.15.0. On a target it excludes the same."""
    node = {"passthrough": True, name: value}
    assert pointers(client, node) == [f"/{name}"]
    assert pointers(client, {"strategy": {"mode": "single"}, "targets": [node]}) == [f"/targets/0/{name}"]
    assert pointers(client, {**node, "passthrough": False, **RETRY}) == []


def test_passthrough_target_may_have_a_provider(client: Client) -> None:
    target = {"name": "a", "passthrough": True, "virtual_key": "a", "weight": 0.7, **RETRY}
    assert pointers(client, {"strategy": {"mode": "loadbalance"}, "targets": [target]}) == []


@pytest.mark.parametrize(("mode", "most"), [("fallback", 100), ("loadbalance", 100), ("conditional", 1000)])
def test_targets_are_limited(client: Client, mode: str, most: int) -> None:
    """gateway-data-plane: since 2.14."""
    config: Record = {"strategy": {"mode": mode, "conditions": [], "default": "a"}, "targets": [RETRY] * most}
    assert pointers(client, config) == []
    assert pointers(client, config | {"targets": [RETRY] * (most + 1)}) == ["/targets"]


def test_nested_targets_are_limited(client: Client) -> None:
    """All that lie below one target of the root count."""
    single = {"strategy": {"mode": "single"}}
    deep = single | {"targets": [RETRY] * 40}
    for count, places in ((9, []), (10, ["/targets/1/targets"])):
        nested = single | {"targets": [deep, *[RETRY] * count]}
        assert pointers(client, single | {"targets": [nested | {"targets": [deep]}, nested]}) == places


# What it names.


def names(place: str, slug: str) -> Record:
    """A config that names a slug at a place."""
    config: Record = {"virtual_key": slug} if place == "virtual_key" else {"provider": f"@{slug}"}
    if place == "model":
        config = {"override_params": {"model": f"@{slug}/gpt-4o"}}
    return {"strategy": {"mode": "single"}, "targets": [config]} if place == "target" else config


PLACES = {
    "provider": "/provider",
    "virtual_key": "/virtual_key",
    "model": "/override_params/model",
    "target": "/targets/0/provider",
}


@pytest.mark.parametrize("place", PLACES)
def test_known_caller_must_name_known_providers(client: Client, place: str) -> None:
    """gateway-data-plane, Gateway error catalogue: 400 with this text."""
    caller = known(client)
    assert sent(caller, names(place, SEEDED)).status_code == 200
    data = refused(sent(caller, names(place, "nobody")), 400, "AB01")
    assert data["message"] == "Following keys are not valid: nobody"
    assert [each["pointer"] for each in data["violations"]] == [f"/config{PLACES[place]}"]


@pytest.mark.parametrize("place", PLACES)
def test_stranger_may_name_any_provider(client: Client, place: str) -> None:
    """*chosen*: who only wants answers need not make providers first."""
    assert pointers(client, names(place, "nobody")) == []


def test_provider_of_another_workspace_is_unknown(client: Client) -> None:
    data = refused(sent(known(client, RESEARCH), {"provider": f"@{SEEDED}"}, RESEARCH), 400, "AB01")
    assert data["message"] == f"Following keys are not valid: {SEEDED}"


def test_update_must_name_known_providers_too(client: Client) -> None:
    caller = known(client)
    slug = sent(caller, RETRY).json()["slug"]
    refused(caller.put(f"/v1/configs/{slug}", {"config": {"virtual_key": "nobody"}}), 400, "AB01")
    assert client.get(f"/v1/configs/{slug}").json()["data"]["config"] == RETRY


def test_unknown_providers_are_told_at_once(client: Client) -> None:
    """Each slug once in the text, each place in the list."""
    targets = [{"virtual_key": "b"}, {"provider": "@a/gpt-4o"}, {"virtual_key": SEEDED}, {"virtual_key": "b"}]
    data = refused(sent(known(client), {"strategy": {"mode": "fallback"}, "targets": targets}), 400, "AB01")
    assert data["message"] == "Following keys are not valid: b, a"
    places = [each["pointer"] for each in data["violations"]]
    assert places == ["/config/targets/0/virtual_key", "/config/targets/1/provider", "/config/targets/3/virtual_key"]


def test_prefix_of_a_model_counts_only_alone(client: Client) -> None:
    """gateway-data-plane, Provider and model addressing: `provider` and `virtual_key` go before it."""
    model = {"override_params": {"model": "@nobody/gpt-4o"}}
    assert sent(known(client), {"virtual_key": SEEDED, **model}).status_code == 200
    assert sent(known(client), {"provider": f"@{SEEDED}", **model}).status_code == 200


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_plain_name_of_a_provider_is_no_slug(client: Client, provider: str) -> None:
    assert sent(known(client), {"provider": provider, "api_key": "sk-1"}).status_code == 200


@pytest.mark.parametrize("field", ["input_guardrails", "output_guardrails", "before_request_hooks", "after_request_hooks"])
def test_everybody_must_name_known_guardrails(client: Client, field: str) -> None:
    """gateway-data-plane, Gateway error catalogue: 400 with this text."""
    made = make_guardrail(client)
    assert pointers(client, {field: [made["slug"], {"default.wordCount": {"maxWords": 5}}, made["id"]]}) == []
    data = refused(sent(client, {field: [made["slug"], "pg-a", "pg-b"]}), 400, "AB01")
    assert data["message"] == "Following guardrails are not valid: pg-a, pg-b"
    assert [each["pointer"] for each in data["violations"]] == [f"/config/{field}/1", f"/config/{field}/2"]


def test_guardrail_of_a_target_must_be_known(client: Client) -> None:
    config = {"strategy": {"mode": "single"}, "targets": [{"virtual_key": "a", "input_guardrails": ["pg-a"]}]}
    assert pointers(client, config) == ["/targets/0/input_guardrails/0"]


def test_guardrail_of_another_workspace_is_unknown(client: Client) -> None:
    slug = make_guardrail(client, workspace_id=RESEARCH)["slug"]
    assert pointers(client, {"input_guardrails": [slug]}) == ["/input_guardrails/0"]
    assert sent(client, {"input_guardrails": [slug]}, RESEARCH).status_code == 200


def test_guardrail_of_the_organisation_is_known_everywhere(client: Client) -> None:
    slug = make_guardrail(client, workspace_id=None)["slug"]
    assert [sent(client, {"input_guardrails": [slug]}, each).status_code for each in (PRODUCTION, RESEARCH)] == [200, 200]


def test_deleted_guardrail_is_unknown(client: Client) -> None:
    slug = make_guardrail(client)["slug"]
    client.delete(f"/v1/guardrails/{slug}")
    assert pointers(client, {"input_guardrails": [slug]}) == ["/input_guardrails/0"]


def test_known_caller_must_name_a_known_prompt(client: Client) -> None:
    """*chosen*, after providers: of prompts nothing is known."""
    data = refused(sent(known(client), {"prompt_id": "pp-nobody-000000@2"}), 400, "AB01")
    assert data["message"] == "Following prompts are not valid: pp-nobody-000000"
    assert pointers(client, {"prompt_id": "pp-nobody-000000"}) == []


# All at once.


def test_all_faults_are_told(client: Client) -> None:
    config = {"strategy": {"mode": "single"}, "targets": [{"weight": 1}, {"virtual_key": "a", "input_guardrails": ["pg-a"]}]}
    data = refused(sent(known(client), config), 400, "AB01")
    assert data["message"] == f"{EMPTY}; Following guardrails are not valid: pg-a; Following keys are not valid: a"
    assert [each["pointer"] for each in data["violations"]] == [
        "/config/targets/0",
        "/config/targets/1/input_guardrails/0",
        "/config/targets/1/virtual_key",
    ]


def test_rules_without_a_workspace_look_everywhere(client: Client) -> None:
    """As for a caller of the gateway who belongs to none."""
    slug = make_guardrail(client, workspace_id=RESEARCH)["slug"]
    assert faults({"input_guardrails": [slug]}, client.world, None) == []
    assert len(faults({"input_guardrails": [slug]}, client.world, workspace_id(client))) == 1
