"""Tests against a world of their own: installing mockserver is enough for pytest to know the fixture `portkey`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from portkey_ai.api_resources.exceptions import AuthenticationError

from mockserver.pytest_plugin import PortkeyWorld

KEY = {"type": "workspace", "sub_type": "service", "workspace_id": "ws-produc-71b04e", "scopes": ["workspaces.read"]}


def test_key_is_stored(portkey: PortkeyWorld) -> None:
    made = portkey.client().api_keys.create(name="ci", **KEY)

    stored = portkey.world["api_keys"].get(made.id)
    assert stored is not None
    assert stored["status"] == "active"
    assert portkey.calls[-1].operation == "createApiKey"


def test_key_expires(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    tomorrow = portkey.clock.now() + timedelta(days=1)
    made = portkey.client().api_keys.create(name="ci", expires_at=tomorrow.isoformat(), **KEY)
    ci = portkey.client(api_key=made.key)
    assert ci.admin.workspaces.retrieve(workspace_id="ws-produc-71b04e").name == "Production"

    portkey.clock.move(timedelta(days=2))

    with pytest.raises(AuthenticationError, match="Expired"):
        ci.admin.workspaces.retrieve(workspace_id="ws-produc-71b04e")


def test_worlds_are_private(portkey: PortkeyWorld) -> None:
    names = {key["name"] for key in portkey.client().api_keys.list().data}
    assert "ci" not in names


def test_client_tries_again(portkey: PortkeyWorld) -> None:
    limited = portkey.script({"error": {"status": 429}}, times=1)
    client = portkey.openai(default_headers={"x-portkey-provider": "@openai-production"}, max_retries=1)
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "When is the next tide?"}]}

    assert client.chat.completions.create(**asked).choices

    assert limited.used == 1
    assert [call.status for call in portkey.calls.assert_made("createChatCompletion", times=2)] == [429, 200]


@pytest.mark.portkey(now="2030-01-01T00:00:00Z", auth="strict")
def test_time_and_keys_are_the_worlds(portkey: PortkeyWorld) -> None:
    assert portkey.http.get("/api-keys", headers={"x-portkey-api-key": "unknown"}).status_code == 401
    made = portkey.http.post("/admin/workspaces", json={"name": "Ours"}).json()
    assert made["created_at"] == "2030-01-01T00:00:00.000Z"


def test_what_breaks_the_contract_may_be_wanted(portkey: PortkeyWorld) -> None:
    with portkey.expect_broken():
        reply = portkey.http.post("/admin/workspaces", json={"name": 3})
    assert reply.status_code == 400
