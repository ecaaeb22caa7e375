"""Who answers a call, and with which model. Source: gateway-data-plane, Provider and model addressing, Request headers."""

from __future__ import annotations

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import SEEDED, grant, make_integration
from tests.portkey.gateway.calling import (
    ANTHROPIC,
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    OPENAI,
    ask,
    asker,
    log,
    path,
    said,
    script,
    send,
    told,
)
from tests.portkey.team import PRODUCTION, at, turned_down

CLAUDE = "claude-team"


@pytest.fixture
def caller(client: Client) -> Client:
    """A key of Production, which has providers of OpenAI and of Anthropic."""
    at(client, "2026-05-05T12:00:00Z")
    make_integration(client, "claude", ai_provider_id="anthropic")
    grant(client, PRODUCTION, slug="claude", default_provider_slug=CLAUDE)
    return asker(client)


def answering(reply: httpx.Response) -> tuple[str | None, str]:
    """The provider that answered, and its model."""
    assert reply.status_code == 200, reply.text[:500]
    return told(reply, "provider"), reply.json()["model"]


@pytest.mark.parametrize(
    ("headers", "model", "config", "expected"),
    [
        ({"x-portkey-provider": f"@{CLAUDE}"}, "m", None, ("anthropic", "m")),
        ({"x-portkey-provider": f"@{CLAUDE}/ignored"}, "m", None, ("anthropic", "m")),
        ({"x-portkey-virtual-key": CLAUDE}, "m", None, ("anthropic", "m")),
        ({}, f"@{CLAUDE}/m", None, ("anthropic", "m")),
        ({}, f"@{CLAUDE}/deep/m", None, ("anthropic", "deep/m")),
        ({"x-portkey-provider": "cohere"}, "m", None, ("cohere", "m")),
        # Precedence: provider header, virtual key, model.
        ({"x-portkey-provider": f"@{CLAUDE}", "x-portkey-virtual-key": SEEDED}, f"@{SEEDED}/m", None, ("anthropic", "m")),
        ({"x-portkey-virtual-key": CLAUDE}, f"@{SEEDED}/m", None, ("anthropic", "m")),
        # A config's provider beats all of them, and one without borrows.
        ({"x-portkey-provider": f"@{CLAUDE}"}, f"@{CLAUDE}/m", OPENAI, ("openai", "m")),
        ({"x-portkey-provider": f"@{CLAUDE}"}, "m", {"retry": {"attempts": 1}}, ("anthropic", "m")),
        ({}, f"@{CLAUDE}/m", {"cache": {"mode": "simple"}}, ("anthropic", "m")),
        # Within a target: provider, virtual key, model of the overrides; the prefix goes in the third case alone.
        ({}, "m", {"provider": f"@{CLAUDE}", "virtual_key": SEEDED}, ("anthropic", "m")),
        ({}, "m", {"virtual_key": CLAUDE, "override_params": {"model": f"@{SEEDED}/n"}}, ("anthropic", f"@{SEEDED}/n")),
        ({}, "m", {"override_params": {"model": f"@{CLAUDE}/n"}, "retry": {"attempts": 1}}, ("anthropic", "n")),
        ({"x-portkey-provider": "@" + SEEDED}, "@cf/meta/llama", None, ("openai", "@cf/meta/llama")),
        ({"x-portkey-provider": "@" + SEEDED}, "@hf/some/model", None, ("openai", "@hf/some/model")),
    ],
)  # fmt: skip
def test_provider_and_model(
    caller: Client, headers: dict[str, str], model: str, config: Record | None, expected: tuple[str, str]
) -> None:
    assert answering(ask(caller, config, headers=headers, model=model)) == expected


def test_passthrough_target_takes_the_provider_of_the_call(caller: Client) -> None:
    config: Record = {"strategy": {"mode": "single"}, "targets": [{"passthrough": True}]}
    reply = ask(caller, config, model=f"@{CLAUDE}/m")
    assert (answering(reply), path(reply)) == (("anthropic", "m"), "config.targets[0]")


@pytest.mark.parametrize("model", ["@nobody/m", "@nobody/deep/m"])
def test_unknown_slug_is_refused_though_the_config_names_a_provider(caller: Client, model: str) -> None:
    assert turned_down(ask(caller, OPENAI, model=model), 400) == "Following keys are not valid: nobody"


def test_provider_of_another_workspace_is_unknown(client: Client) -> None:
    stranger = asker(client, workspace_id="ws-resear-c52d88")
    assert turned_down(ask(stranger, model=f"@{SEEDED}/m"), 400) == f"Following keys are not valid: {SEEDED}"


def test_unknown_key_may_name_any_slug(client: Client) -> None:
    """*chosen*: who only wants answers need not make providers first. The slug tells the provider."""
    assert answering(ask(client, model="@anthropic-prod/m")) == ("anthropic", "m")
    assert answering(ask(client, model="@whoever/m")) == ("openai", "m")


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (None, "Either x-portkey-config or x-portkey-provider header is required"),
        (
            {"retry": {"attempts": 1}},
            "Either x-portkey-provider needs to be passed. Or the x-portkey-config header should have a valid config with "
            "provider details in it.",
        ),
    ],
    ids=["nothing", "config"],
)
def test_known_key_must_name_a_provider(caller: Client, config: Record | None, text: str) -> None:
    assert turned_down(ask(caller, config), 400) == text


def test_plain_name_that_is_none_is_refused(caller: Client) -> None:
    assert turned_down(ask(caller, headers={"x-portkey-provider": "nobody"}), 400) == "Invalid provider passed"
    assert turned_down(ask(caller, {"provider": "nobody", "api_key": "k"}), 400) == "Invalid provider passed"


@pytest.mark.parametrize("model", [None, "portkey-default"])
@pytest.mark.parametrize(
    ("route", "body", "expected"),
    [
        (CHAT, {"messages": [{"role": "user", "content": "Hi"}]}, "gpt-3.5-turbo"),
        (COMPLETIONS, {"prompt": "Hi"}, "gpt-3.5-turbo-instruct"),
        (EMBEDDINGS, {"input": "Hi"}, "text-embedding-ada-002"),
    ],
    ids=["chat", "completions", "embeddings"],
)
def test_call_without_model_gets_the_usual_one(
    client: Client, model: str | None, route: str, body: Record, expected: str
) -> None:
    reply = send(client, route, body | ({} if model is None else {"model": model}), OPENAI)
    assert reply.status_code == 200, reply.text[:500]
    assert log(client)["metrics"]["ai_model"] == expected


def test_form_names_its_provider_in_a_field(caller: Client) -> None:
    files = {"file": ("a.wav", b"RIFF"), "model": (None, f"@{SEEDED}/whisper-1")}
    reply = caller.call("POST", "/v1/audio/transcriptions", files=files)
    assert (reply.status_code, told(reply, "provider")) == (200, "openai"), reply.text[:500]


@pytest.mark.parametrize(
    "host",
    [
        "ftp://models.example.com", "models.example.com", "https://user@models.example.com", "http://localhost:1234",
        "http://127.0.0.1", "http://10.0.0.8/v1", "http://169.254.169.254", "http://[::1]/", "https://api.portkey.ai/v1",
        "http://metadata.google.internal", "http://[", "https://",
    ],
)  # fmt: skip
def test_host_that_may_not_be_called_is_refused(client: Client, host: str) -> None:
    assert turned_down(ask(client, OPENAI, headers={"x-portkey-custom-host": host}), 400) == "Invalid custom host"


@pytest.mark.parametrize("host", ["https://models.example.com/v1", "http://8.8.8.8:8000"])
def test_public_host_is_taken(client: Client, host: str) -> None:
    assert ask(client, OPENAI, headers={"x-portkey-custom-host": host}).status_code == 200


def test_header_that_forwards_itself_is_refused(client: Client) -> None:
    reply = ask(client, OPENAI, headers={"x-portkey-forward-headers": "x-a, X-Portkey-Forward-Headers"})
    assert turned_down(reply, 400) == "forward_headers must not contain the 'x-portkey-forward-headers' header"


def test_other_providers_say_who_they_are(client: Client) -> None:
    assert ask(client, ANTHROPIC).json()["provider"] == "anthropic"
    assert "provider" not in ask(client, OPENAI).json()


def test_portkey_as_a_provider_is_not_told(client: Client) -> None:
    reply = ask(client, headers={"x-portkey-provider": "portkey"})
    assert reply.status_code == 200
    assert told(reply, "provider") is None


@pytest.mark.parametrize(
    ("header", "config", "expected"),
    [
        (None, None, "stop"),
        ("true", None, "stop"),
        ("false", None, "end_turn"),
        (None, {"strict_open_ai_compliance": False}, "end_turn"),
        ("true", {"strict_open_ai_compliance": False}, "end_turn"),
        ("false", {"strict_open_ai_compliance": True}, "end_turn"),
    ],
)
def test_strict_compliance(client: Client, header: str | None, config: Record | None, expected: str) -> None:
    """Off where either says so."""
    script(client)
    headers = {} if header is None else {"x-portkey-strict-open-ai-compliance": header}
    reply = ask(client, ANTHROPIC | (config or {}), headers=headers)
    assert said(reply) == "Scripted."
    assert reply.json()["choices"][0]["finish_reason"] == expected
    assert ("content_blocks" in reply.json()["choices"][0]["message"]) is (expected == "end_turn")


def test_unknown_key_gets_a_provider_that_can_do_it(client: Client) -> None:
    reply = send(client, "/v1/rerank", {"model": "m", "query": "tide", "documents": ["a"]})
    assert (reply.status_code, told(reply, "provider")) == (200, "cohere")
