"""Which config a call has, what is wrong with it, and what targets inherit.

Source: gateway-data-plane, Gateway error catalogue B, Config object and its validation, Target inheritance.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.values import JSON, Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED
from tests.portkey.gateway.calling import ANTHROPIC, OPENAI, ask, asker, cached, log, path, save, script, told, used
from tests.portkey.team import PRODUCTION, RESEARCH, done, make_key, turned_down, user_id, workspace_id

EMPTY = (
    "Invalid configuration. It must have either 'provider' and 'api_key', or 'strategy' and 'targets', or 'cache', or 'retry', "
    "or 'request_timeout'"
)


def test_config_comes_along(client: Client) -> None:
    assert told(ask(client, ANTHROPIC), "provider") == "anthropic"


def test_saved_config_is_named(client: Client) -> None:
    assert told(ask(client, save(client, ANTHROPIC)), "provider") == "anthropic"


def test_saved_config_is_what_it_is_now(client: Client) -> None:
    slug = save(client, ANTHROPIC)
    assert client.put(f"/v1/configs/{slug}", {"config": {"provider": "cohere", "api_key": "k"}}).status_code == 200
    assert told(ask(client, slug), "provider") == "cohere"


def test_config_of_another_workspace_is_unknown(client: Client) -> None:
    stranger = asker(client, workspace_id=workspace_id(client, RESEARCH))
    assert turned_down(ask(stranger, save(client, ANTHROPIC)), 400) == "Invalid config id passed"


def test_deleted_config_is_unknown(client: Client) -> None:
    slug = save(client, ANTHROPIC)
    assert client.delete(f"/v1/configs/{slug}").status_code == 200
    assert turned_down(ask(client, slug), 400) == "Invalid config id passed"


def keyed(client: Client, slug: str, **defaults: Any) -> Client:
    """A key of Production with a default config."""
    return asker(client, defaults={"config_id": slug, **defaults})


def test_default_of_a_key_counts(client: Client) -> None:
    caller = keyed(client, save(client, ANTHROPIC))
    assert told(ask(caller), "provider") == "anthropic"
    assert log(client)["metrics"]["config"].startswith("pc-")


def test_config_of_a_call_replaces_the_default_as_a_whole(client: Client) -> None:
    caller = keyed(client, save(client, {**ANTHROPIC, "cache": {"mode": "simple"}}))
    reply = ask(caller, OPENAI)
    assert (told(reply, "provider"), cached(reply)) == ("openai", "DISABLED")


def test_default_that_is_locked_cannot_be_overridden(client: Client) -> None:
    caller = keyed(client, save(client, ANTHROPIC), allow_config_override=False)
    for config in (OPENAI, "pc-nobody", "nonsense"):
        assert turned_down(ask(caller, config), 400) == "Cannot override default config set for this API key."
    assert told(ask(caller), "provider") == "anthropic"


def test_keys_of_users_fall_back_to_their_workspace(client: Client) -> None:
    slug = save(client, ANTHROPIC)
    done(client.put(f"/v1/admin/workspaces/{PRODUCTION}", {"defaults": {"user_api_key_config": slug}}))
    users = make_key(client, "workspace/user", user_id=user_id(client, "dara@example.com"), scopes=["completions.write"])
    assert told(ask(client.as_key(users.secret)), "provider") == "anthropic"
    assert ask(asker(client)).status_code == 400


CONDITIONAL = {"mode": "conditional", "conditions": [{"query": {}, "then": "a"}]}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("pc-nobody", "Invalid config id passed"),
        ("nonsense", "Invalid config passed. You need to pass a valid json"),
        ("[]", "Invalid config passed. You need to pass a valid json"),
        ("{", "Invalid config passed. You need to pass a valid json"),
        ({"options": []}, "This version of config is not supported in this route. Please migrate to the latest version"),
        ({"provider": "@gone"}, "Following keys are not valid: gone"),
        ({"virtual_key": "gone"}, "Following keys are not valid: gone"),
        ({"override_params": {"model": "@gone/m"}}, "Following keys are not valid: gone"),
        (
            {"strategy": {"mode": "fallback"}, "targets": [{"provider": "@gone"}, {"virtual_key": "lost"}]},
            "Following keys are not valid: gone, lost",
        ),
        ({"input_guardrails": ["pg-a", "pg-b"]}, "Following guardrails are not valid: pg-a, pg-b"),
        ({"output_guardrails": ["pg-a"]}, "Following guardrails are not valid: pg-a"),
        ({}, "Invalid config passed"),
    ],
)
def test_texts_of_refusals(client: Client, config: JSON, text: str) -> None:
    assert turned_down(ask(asker(client), config), 400) == text


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({}, f"path: , message: {EMPTY}"),
        ({"provider": "openai"}, f"path: , message: {EMPTY}"),
        ({"strategy": {"mode": "single"}}, f"path: , message: {EMPTY}"),
        (
            {"strategy": {"mode": "best"}, "targets": [OPENAI]},
            "path: strategy,mode, message: Invalid 'mode' value. Must be one of: single, loadbalance, fallback, conditional",
        ),
        (
            {"cache": {"mode": "vague"}},
            "path: cache,mode, message: Invalid 'cache.mode' value. Must be one of: simple, semantic",
        ),
    ],
)
def test_schema_tells_where_and_what(client: Client, config: Record, error: str) -> None:
    reply = ask(client, config)
    assert turned_down(reply, 400) == "Invalid config passed"
    assert reply.json()["errors"] == [error]


@pytest.mark.parametrize(
    "config",
    [
        {"retry": {"attempts": 1, "on_status_codes": ["429"]}},
        {"strategy": {"mode": "fallback", "on_status_codes": ["429"]}, "targets": [OPENAI]},
        {"strategy": {"mode": "loadbalance", "sticky": {"enabled": True, "hash_fields": ["user"]}}, "targets": [OPENAI]},
        {"strategy": CONDITIONAL, "targets": [{**OPENAI, "name": "a"}]},
        {"strategy": {"mode": "single"}, "targets": [OPENAI] * 101},
    ],
    ids=["retry", "fallback", "sticky", "conditional", "many targets"],
)
def test_schema_refuses(client: Client, config: Record) -> None:
    assert turned_down(ask(client, config), 400) == "Invalid config passed"


@pytest.mark.parametrize(
    "config",
    [
        {"provider": f"@{SEEDED}"},
        {"provider": "bedrock", "aws_region": "eu-west-1"},
        {"cache": {"mode": "simple"}, "unheard_of": 1},
        {"request_timeout": 1},
        {"strategy": {"mode": "single"}, "targets": [OPENAI] * 100},
    ],
)
def test_schema_takes(client: Client, config: Record) -> None:
    reply = ask(asker(client), config, headers={} if "provider" in config else {"x-portkey-provider": "openai"})
    assert reply.status_code == 200, reply.text[:500]


@pytest.mark.parametrize("route", ["/v1/files", "/v1/batches"])
def test_files_and_batches_have_one_target(client: Client, route: str) -> None:
    config = (
        '{"strategy":{"mode":"fallback"},"targets":[{"provider":"openai","api_key":"a"},{"provider":"openai","api_key":"b"}]}'
    )
    reply = client.get(route, headers={"x-portkey-config": config})
    text = "Invalid config provided. Maximum one target is allowed for batch/file/fine_tuning requests"
    assert turned_down(reply, 400) == text


# What targets inherit, and make of a call's parameters


def model(client: Client, config: Record, **fields: Any) -> str:
    """The model that a config asks for."""
    reply = ask(client, config, **fields)
    assert reply.status_code == 200, reply.text[:500]
    return str(reply.json()["model"])


def nested(parent: Record, child: Record) -> Record:
    return {"strategy": {"mode": "single"}, "targets": [{**OPENAI, **child}], **parent}


@pytest.mark.parametrize(
    ("config", "asked", "expected"),
    [
        ({**OPENAI, "override_params": {"model": "over"}}, "m", "over"),
        ({**OPENAI, "default_params": {"model": "usual"}}, "m", "m"),
        ({**OPENAI, "default_params": {"model": "usual"}}, None, "usual"),
        ({**OPENAI, "drop_params": ["model"]}, "m", "gpt-3.5-turbo"),
        (nested({"override_params": {"model": "above"}}, {}), "m", "above"),
        (nested({"override_params": {"model": "above"}}, {"override_params": {"model": "own"}}), "m", "own"),
        (nested({"override_params": {"model": "above"}}, {"override_params": {"temperature": 0}}), "m", "above"),
        (nested({"default_params": {"model": "usual"}}, {"override_params": {"model": "own"}}), None, "own"),
        # camelCase comes along unchecked.
        ({**OPENAI, "overrideParams": {"model": "over"}}, "m", "over"),
    ],
)
def test_parameters_are_shaped(client: Client, config: Record, asked: str | None, expected: str) -> None:
    assert model(client, config, **{"model": asked}) == expected


def test_child_replaces_retry_as_a_whole(client: Client) -> None:
    failing = script(client, {"error": {"status": 500}})
    config = nested({"retry": {"attempts": 5}}, {"retry": {"attempts": 1}})
    assert ask(client, config).status_code == 500
    assert used(client, failing) == 2


def test_child_inherits_retry(client: Client) -> None:
    failing = script(client, {"error": {"status": 500}})
    assert ask(client, nested({"retry": {"attempts": 2}}, {})).status_code == 500
    assert used(client, failing) == 3


def test_child_replaces_guardrails(client: Client) -> None:
    denying: Record = {"default.contains": {"operator": "none", "words": ["Hello"]}, "deny": True}
    assert ask(client, nested({"input_guardrails": [denying]}, {})).status_code == 446
    assert ask(client, nested({"input_guardrails": [denying]}, {"input_guardrails": []})).status_code == 200


def test_nearest_timeout_counts(client: Client) -> None:
    script(client, delay_ms=50)
    client.world.clock.run()
    assert ask(client, nested({"request_timeout": 10}, {"request_timeout": 1000})).status_code == 200
    assert ask(client, nested({"request_timeout": 1000}, {"request_timeout": 10})).status_code == 408


def test_form_keeps_its_parameters(client: Client) -> None:
    form = {"file": ("a.wav", b"RIFF"), "model": (None, "whisper-1")}
    config = '{"provider":"openai","api_key":"k","override_params":{"model":"other"}}'
    reply = client.call("POST", "/v1/audio/transcriptions", files=form, headers={"x-portkey-config": config})
    assert reply.status_code == 200, reply.text[:500]
    assert log(client)["metrics"]["ai_model"] == "whisper-1"


def test_path_of_a_config_without_targets(client: Client) -> None:
    assert path(ask(client, OPENAI)) == "config"


DENYING: Record = {"contains": {"operator": "none", "words": ["x"]}, "deny": True}


@pytest.mark.parametrize("config", [{}, {"input_guardrails": [DENYING]}, {"cache": {"mode": "semantic"}}], ids=str)
@pytest.mark.parametrize(
    "override",
    [
        {"messages": 5}, {"messages": [5]}, {"messages": []}, {"messages": [{"role": "user", "content": [5]}]}, {"model": 5},
        {"n": "x"}, {"max_tokens": "x"}, {"tools": [{}]}, {"stop": 5}, {"stream_options": 5, "stream": True},
        {"response_format": 5}, {"stream": "yes"}, {"user": 5}, {"temperature": "hot"}, {"logprobs": 5},
    ],
    ids=str,
)  # fmt: skip
def test_override_that_no_provider_takes_is_its_refusal(client: Client, config: Record, override: Record) -> None:
    """Nobody has looked at what a config makes of a body, until a provider does."""
    reply = ask(client, {**OPENAI, **config, "override_params": override})
    assert reply.status_code == 400, reply.text[:300]
    assert path(reply) == "config"
    assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "dropped", ["", ".", "[]", "messages[*]", "messages[9].x", "gone.x", "model.x", "messages[0].content.x"]
)
def test_path_that_leads_nowhere_drops_nothing(client: Client, dropped: str) -> None:
    assert ask(client, {**OPENAI, "drop_params": [dropped]}).status_code == 200
