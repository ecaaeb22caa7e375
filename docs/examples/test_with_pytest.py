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
    assert portkey.calls[-1]["operation"] == "createApiKey"


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
