"""MCP integrations and servers with the real `portkey-ai` for Node over a real socket.

Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.test_node_sdk import NO_PERMISSION, NOBODY, NOT_THERE, PRODUCTION, NodeClient, Refused, user_id

node = test_node_sdk.node
sdk = test_node_sdk.sdk

METHODS = {
    "mcpIntegrations": {"create", "list", "retrieve", "update", "delete", "sync", "test"},
    "mcpIntegrations.workspaces": {"list", "update"},
    "mcpIntegrations.capabilities": {"list", "update"},
    "mcpIntegrations.metadata": {"get"},
    "mcpServers": {
        "create", "list", "retrieve", "update", "delete", "test", "getTokens", "setTokens", "deleteTokens", "getClientInfo",
    },
    "mcpServers.capabilities": {"list", "update", "sync"},
    "mcpServers.userAccess": {"list", "update", "check"},
    "mcpServers.metadata": {"get", "sync"},
    "mcpServers.connections": {"list", "delete"},
}  # fmt: skip

DESK = {"name": "Ticket desk", "url": "https://mcp.tickets.example.com/mcp", "auth_type": "oauth_auto", "transport": "http"}
OFFERS = [
    {"name": "file_ticket", "type": "tool", "inputSchema": {"type": "object"}},
    {"name": "ticket", "type": "resource_template", "uriTemplate": "tickets://{id}", "mimeType": "text/plain"},
]


@pytest.fixture
def integration(sdk: NodeClient) -> dict[str, str]:
    """The id of an integration that Production has, as the SDK takes it."""
    made = {"id": sdk.call("mcpIntegrations.create", {**DESK, "slug": "desk"})["id"]}
    assert sdk.call("mcpIntegrations.workspaces.update", {**made, "workspaces": [{"id": PRODUCTION, "enabled": True}]}) == {}
    assert sdk.call("mcpIntegrations.sync", {**made, "capabilities": OFFERS})["success"] is True
    return made


@pytest.fixture
def server(sdk: NodeClient, integration: dict[str, str]) -> dict[str, str]:
    """The id of a server of Production, as the SDK takes it."""
    fields = {"name": "Tickets", "mcpIntegrationId": integration["id"], "workspaceId": PRODUCTION}
    return {"id": sdk.call("mcpServers.create", fields)["id"]}


@pytest.mark.parametrize("namespace", METHODS)
def test_namespaces_have_the_methods_tested_here(sdk: NodeClient, namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    assert set(sdk.call(f"{namespace}.methods")) - {"constructor"} == METHODS[namespace]


def test_life_of_an_integration(sdk: NodeClient, integration: dict[str, str]) -> None:
    found = sdk.call("mcpIntegrations.retrieve", integration)
    assert (found["slug"], found["url"], found["auth_type"], found["object"]) == (
        "desk",
        DESK["url"],
        "oauth_auto",
        "mcp-integration",
    )
    assert sdk.call("mcpIntegrations.update", {**integration, "description": "Files tickets"}) == {}
    listed = sdk.call("mcpIntegrations.list", {"workspace_id": PRODUCTION, "search": "desk", "page_size": 1})
    assert (listed["total"], listed["data"][0]["description"]) == (1, "Files tickets")
    assert sdk.call("mcpIntegrations.test", integration)["success"] is True
    assert sdk.call("mcpIntegrations.delete", integration) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("mcpIntegrations.retrieve", integration)
    assert (caught.value.status, caught.value.message) == (404, NOT_THERE)


def test_access_of_workspaces(sdk: NodeClient, integration: dict[str, str]) -> None:
    listed = sdk.call("mcpIntegrations.workspaces.list", integration)
    assert ([row["enabled"] for row in listed["workspaces"]], listed["global_workspace_access"]) == ([True], None)


def test_metadata_and_capabilities_of_an_integration(sdk: NodeClient, integration: dict[str, str]) -> None:
    sdk.call("mcpIntegrations.sync", {**integration, "server_info": {"name": "tickets", "icons": [{"src": "a.png"}]}})
    found = sdk.call("mcpIntegrations.metadata.get", integration)
    assert (found["server_name"], found["icons"], found["sync_status"]) == ("tickets", [{"src": "a.png"}], "synced")
    off = [{"name": "file_ticket", "type": "tool", "enabled": False}]
    assert sdk.call("mcpIntegrations.capabilities.update", {**integration, "capabilities": off}) == {"success": True}
    tool, template = sdk.call("mcpIntegrations.capabilities.list", integration)["data"]
    assert (tool["enabled"], tool["input_schema"]) == (False, {"type": "object"})
    assert (template["enabled"], template["uri_template"], template["mime_type"]) == (True, "tickets://{id}", "text/plain")


def test_life_of_a_server(sdk: NodeClient, integration: dict[str, str], server: dict[str, str]) -> None:
    found = sdk.call("mcpServers.retrieve", server)
    assert (found["name"], found["slug"], found["mcp_integration_id"]) == ("Tickets", "tickets", integration["id"])
    assert sdk.call("mcpServers.update", {**server, "description": "At the counter"}) == {}
    listed = sdk.call("mcpServers.list", {"workspace_id": PRODUCTION, "id": server["id"], "search": "tick"})
    assert (listed["total"], listed["data"][0]["description"]) == (1, "At the counter")
    assert sdk.call("mcpServers.delete", server) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("mcpServers.retrieve", server)
    assert caught.value.status == 404


def test_metadata_and_capabilities_of_a_server(sdk: NodeClient, server: dict[str, str]) -> None:
    told = {"server_name": "ours", "icons": [{"src": "a.png"}], "instructions": None}
    assert sdk.call("mcpServers.metadata.sync", {**server, **told}) == {"success": True}
    found = sdk.call("mcpServers.metadata.get", server)
    assert {name: found[name] for name in told} == told
    own: list[dict[str, Any]] = [{"name": "merge", "type": "tool", "schema": {"type": "object"}}]
    assert sdk.call("mcpServers.capabilities.sync", {**server, "capabilities": own}) == {"success": True}
    off = [{"name": "merge", "type": "tool", "enabled": False}]
    assert sdk.call("mcpServers.capabilities.update", {**server, "capabilities": off}) == {"success": True}
    (row,) = sdk.call("mcpServers.capabilities.list", server)["data"]
    assert (row["enabled"], row["integration_enabled"], row["input_schema"]) == (False, None, {"type": "object"})


def test_access_of_people(sdk: NodeClient, portkey: PortkeyWorld, server: dict[str, str]) -> None:
    rows = [{"id": user_id(portkey, "ben"), "enabled": True}]
    given = {**server, "user_access": rows, "default_user_access": "deny"}
    assert sdk.call("mcpServers.userAccess.update", given) == {"success": True}
    listed = sdk.call("mcpServers.userAccess.list", server)
    assert listed["default_user_access"] == "deny"
    assert {row["first_name"]: row["enabled"] for row in listed["data"]} == {"Ada": False, "Ben": True, "Dara": False}
    assert sdk.call("mcpServers.userAccess.check", server)["has_access"] is True


def test_tokens_connect(sdk: NodeClient, portkey: PortkeyWorld, server: dict[str, str]) -> None:
    assert sdk.call("mcpServers.test", server)["status_code"] == 401
    tokens = {"access_token": "at-7Qd2kXw9", "refresh_token": "rt-Vn40sLpe"}
    assert sdk.call("mcpServers.setTokens", {**server, **tokens}) == {"success": True}
    assert sdk.call("mcpServers.getTokens", server)["refresh_token"] == "rt*****Lpe"
    assert sdk.call("mcpServers.test", server)["success"] is True
    ada = user_id(portkey, "ada")
    listed = sdk.call("mcpServers.connections.list", {**server, "user_id": ada, "workspace_id": PRODUCTION, "page_size": 1})
    assert ([row["user_id"] for row in listed["data"]], listed["has_more"]) == ([ada], False)
    assert sdk.call("mcpServers.deleteTokens", server) == {"success": True}
    assert sdk.call("mcpServers.connections.list", server)["data"][0]["connected"] is False
    assert sdk.call("mcpServers.connections.delete", {**server, "user_id": ada}) == {"success": True}
    assert sdk.call("mcpServers.connections.list", server)["total"] == 0
    assert sdk.call("mcpServers.getClientInfo", server)["client_id"] is None


@pytest.mark.parametrize(
    ("method", "given", "status", "message"),
    [
        ("mcpIntegrations.retrieve", {"id": NOBODY}, 404, NOT_THERE),
        ("mcpIntegrations.create", {**DESK, "workspaceId": "ws-nowhere"}, 403, NO_PERMISSION),
        ("mcpServers.list", {}, 404, "workspace_id is needed: the caller's key belongs to no workspace"),
    ],
)
def test_refusal_becomes_the_error_of_its_status(
    sdk: NodeClient, method: str, given: dict[str, Any], status: int, message: str
) -> None:
    with pytest.raises(Refused) as caught:
        sdk.call(method, given)
    assert (caught.value.status, caught.value.message) == (status, message)
