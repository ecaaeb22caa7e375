"""The real `portkey-ai` for Python and the gateway: what it makes of guardrails, failures, streams and headers.

Source: gateway-data-plane, What real clients send and need.
"""

from __future__ import annotations

from typing import Any

import httpx
import portkey_ai
import pytest
from portkey_ai._vendor import openai

from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import Record

OPENAI: Record = {"provider": "openai", "api_key": "k"}
BAD: Record = {"contains": {"operator": "none", "words": ["Hello"]}}


def script(portkey: PortkeyWorld, answer: Record, **more: Any) -> None:
    assert httpx.post(f"{portkey.admin_url}/scripts", json={"answer": answer, **more}).status_code == 201


def ask(portkey: PortkeyWorld, config: Record, **fields: Any) -> Any:
    client = portkey.client(api_key="any", config=config)
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], **fields}
    return client.chat.completions.create(**body)


def test_headers_are_read(portkey: PortkeyWorld) -> None:
    headers = ask(portkey, {**OPENAI, "cache": {"mode": "simple"}}).get_headers()
    names = ("cache-status", "retry-attempt-count", "last-used-option-index", "provider")
    assert [headers[name] for name in names] == ["MISS", "0", "config", "openai"]


def test_246_is_an_answer_with_hook_results(portkey: PortkeyWorld) -> None:
    reply = ask(portkey, {**OPENAI, "input_guardrails": [BAD]})
    assert reply.choices[0].message.content
    assert reply.model_extra["hook_results"]["before_request_hooks"][0]["verdict"] is False


def test_446_is_an_error(portkey: PortkeyWorld) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        ask(portkey, {**OPENAI, "input_guardrails": [{**BAD, "deny": True}]})
    assert caught.value.status_code == 446
    assert "hook_results" in caught.value.response.json()


@pytest.mark.parametrize(("status", "error"), [(429, openai.RateLimitError), (503, openai.InternalServerError)])
def test_failure_of_a_provider_is_not_hidden_by_a_retry(portkey: PortkeyWorld, status: int, error: type[Exception]) -> None:
    script(portkey, {"error": {"status": status}})
    with pytest.raises(error):
        ask(portkey, OPENAI)
    assert len(portkey.calls) == 1


def test_retry_of_the_gateway_shows_as_an_answer(portkey: PortkeyWorld) -> None:
    script(portkey, {"error": {"status": 503}}, times=2)
    assert ask(portkey, {**OPENAI, "retry": {"attempts": 2}}).get_headers()["retry-attempt-count"] == "2"


@pytest.mark.parametrize("expected", ["MISS", "HIT"])
def test_stream_is_put_together(portkey: PortkeyWorld, expected: str) -> None:
    """The chunks of a hit are the gateway's own."""
    script(portkey, {"text": "tide " * 250})
    config = {**OPENAI, "cache": {"mode": "simple"}}
    for _ in range(1 if expected == "MISS" else 2):
        chunks = list(ask(portkey, config, stream=True))
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices or ())
    assert text == "tide " * 250


def test_stream_with_hook_results_is_read(portkey: PortkeyWorld) -> None:
    """Portkey's clients switch strict compliance off, so a chunk without choices comes first."""
    chunks = list(ask(portkey, {**OPENAI, "input_guardrails": [BAD]}, stream=True))
    assert chunks[0].choices is None
    assert any(choice.delta.content for chunk in chunks for choice in chunk.choices or ())


def test_broken_config_tells_how(portkey: PortkeyWorld) -> None:
    with pytest.raises(openai.BadRequestError, match="Invalid config id passed"):
        portkey_ai.Portkey(base_url=portkey.url, api_key="any", config="pc-nobody").chat.completions.create(messages=[])
