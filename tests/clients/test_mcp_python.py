"""MCP integrations and servers with the real `portkey-ai` for Python, sync and async, over a real socket.

Secret references have no methods of their own in any SDK; they go through its raw calls.
"""

from __future__ import annotations

import operator
from typing import Any

import pydantic
import pytest
from portkey_ai import AsyncPortkey, Portkey
from portkey_ai.api_resources import exceptions

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_python_sdk
from tests.clients.test_python_sdk import ERRORS, NO_PERMISSION, NOBODY, NOT_THERE, PRODUCTION, Call, user_id, workspace_id

call = test_python_sdk.call

METHODS = {
    "mcp_integrations": {"create", "list", "retrieve", "update", "delete", "sync", "test"},
    "mcp_integrations.workspaces": {"list", "update"},
    "mcp_integrations.capabilities": {"list", "update"},
    "mcp_integrations.metadata": {"retrieve"},
    "mcp_servers": {
        "create", "list", "retrieve", "update", "delete", "test", "get_tokens", "update_tokens", "delete_tokens",
        "get_client_info",
    },
    "mcp_servers.capabilities": {"list", "update", "sync"},
    "mcp_servers.user_access": {"list", "update", "check"},
    "mcp_servers.metadata": {"retrieve", "sync"},
}  # fmt: skip

DESK = {"name": "Ticket desk", "url": "https://mcp.tickets.example.com/mcp", "auth_type": "oauth_auto", "transport": "http"}
CLOSED = [{"name": "close_ticket", "type": "tool", "enabled": False}]


@pytest.fixture
def integration(call: Call) -> Any:
    """The id of an integration that Production has, and that offers two tools."""
    made = call("mcp_integrations.create", **DESK, slug="desk", configurations={"custom_headers": {"x-desk": "north-17-x"}})
    call("mcp_integrations.workspaces.update", mcp_integration_id=made.id, workspaces=[{"id": PRODUCTION, "enabled": True}])
    call("mcp_integrations.sync", mcp_integration_id=made.id, capabilities=["file_ticket", "close_ticket"])
    return made.id


@pytest.fixture
def server(call: Call, integration: Any) -> Any:
    """The id of a server of Production."""
    return call("mcp_servers.create", name="Tickets", mcp_integration_id=integration, workspace_id=PRODUCTION).id


@pytest.mark.parametrize("namespace", METHODS)
@pytest.mark.parametrize("client_type", [Portkey, AsyncPortkey], ids=["sync", "async"])
def test_namespaces_have_the_methods_tested_here(client_type: Any, namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    client = client_type(base_url="http://127.0.0.1:1/v1", api_key="any")
    methods = vars(type(operator.attrgetter(namespace)(client)))
    assert {name for name in methods if not name.startswith("_")} == METHODS[namespace]


# MCP integrations


def test_created_integration_tells_its_id(call: Call) -> None:
    made = call("mcp_integrations.create", **DESK, slug="desk")
    assert (made.id, made.slug, made.object) == (made.id, "desk", None)


def test_retrieved_integration_has_the_attributes_users_read(call: Call, integration: Any) -> None:
    found = call("mcp_integrations.retrieve", mcp_integration_id="desk")
    assert (found.id, found.name, found.url) == (integration, DESK["name"], DESK["url"])
    assert (found.auth_type, found.transport, found.workspace_id) == ("oauth_auto", "http", None)
    assert found.configurations == {"custom_headers": {"x-desk": "no*****7-x"}}
    assert (found.object, found.type, found.status) == ("mcp-integration", "organisation", "active")


def test_listed_integrations_are_rows(call: Call, integration: Any) -> None:
    listed = call(
        "mcp_integrations.list", workspace_id=PRODUCTION, type="organisation", page_size=1, current_page=0, search="DESK"
    )
    assert (listed.object, listed.total) == ("list", 1)
    assert (listed.data[0]["id"], listed.data[0]["workspaces_count"]) == (integration, 1)
    assert call("mcp_integrations.list", type="workspace").data == []


def test_updated_integration_keeps_what_was_not_sent(call: Call, integration: Any) -> None:
    call("mcp_integrations.update", mcp_integration_id=integration, name="Desk", description="Files tickets")
    found = call("mcp_integrations.retrieve", mcp_integration_id=integration)
    assert (found.name, found.description, found.url) == ("Desk", "Files tickets", DESK["url"])


def test_deleted_integration_is_gone(call: Call, integration: Any) -> None:
    call("mcp_integrations.delete", mcp_integration_id=integration)
    with pytest.raises(exceptions.NotFoundError):
        call("mcp_integrations.retrieve", mcp_integration_id=integration)


def test_test_has_a_message(call: Call, integration: Any) -> None:
    outcome = call("mcp_integrations.test", mcp_integration_id=integration)
    assert (outcome.success, outcome.message, outcome.object) == (True, "The MCP server answered", "mcp-integration")


def test_sync_tells_the_metadata(call: Call, integration: Any) -> None:
    info = {"name": "tickets", "version": "2.3.0", "icons": {"small": "a.png"}, "capabilities": {"tools": {}}}
    assert call("mcp_integrations.sync", mcp_integration_id=integration, server_info=info).success is True
    found = call("mcp_integrations.metadata.retrieve", mcp_integration_id=integration)
    assert (found.server_name, found.server_version, found.title) == ("tickets", "2.3.0", None)
    assert (found.icons, found.capability_flags, found.sync_status) == ({"small": "a.png"}, {"tools": {}}, "synced")


def test_icons_as_the_protocol_has_them_break_the_sdk(call: Call, integration: Any) -> None:
    """A defect of the SDK. Source: governance-mcp-observability, Quirks, 4."""
    call("mcp_integrations.sync", mcp_integration_id=integration, server_info={"icons": [{"src": "a.png"}]})
    with pytest.raises(pydantic.ValidationError, match="icons"):
        call("mcp_integrations.metadata.retrieve", mcp_integration_id=integration)


def test_workspaces_of_an_integration(call: Call, portkey: PortkeyWorld, integration: Any) -> None:
    listed = call("mcp_integrations.workspaces.list", mcp_integration_id=integration)
    assert (listed.object, listed.global_workspace_access) == ("integration", None)
    assert [(row["id"], row["enabled"]) for row in listed.workspaces] == [(workspace_id(portkey, PRODUCTION), True)]
    call(
        "mcp_integrations.workspaces.update",
        mcp_integration_id=integration,
        workspaces=[],
        global_workspace_access={"enabled": True},
        override_existing_workspace_access=True,
    )
    listed = call("mcp_integrations.workspaces.list", mcp_integration_id=integration)
    assert (listed.workspaces, listed.global_workspace_access) == ([], {"enabled": True})


def test_capabilities_of_an_integration(call: Call, integration: Any) -> None:
    assert call("mcp_integrations.capabilities.update", mcp_integration_id=integration, capabilities=CLOSED).success is True
    listed = call("mcp_integrations.capabilities.list", mcp_integration_id=integration)
    assert [(row["name"], row["enabled"]) for row in listed.data] == [("file_ticket", True), ("close_ticket", False)]
    assert listed.object == "list"


# MCP servers


def test_created_server_tells_its_id(call: Call, integration: Any) -> None:
    made = call("mcp_servers.create", name="Tickets", mcp_integration_id=integration, workspace_id=PRODUCTION, slug="ours")
    assert (made.slug, made.object) == ("ours", None)


def test_retrieved_server_has_the_attributes_users_read(
    call: Call, portkey: PortkeyWorld, integration: Any, server: Any
) -> None:
    found = call("mcp_servers.retrieve", mcp_server_id=server)
    assert (found.id, found.name, found.slug, found.object) == (server, "Tickets", "tickets", "mcp-server")
    assert (found.workspace_id, found.mcp_integration_id) == (workspace_id(portkey, PRODUCTION), integration)
    assert (found.status, found.mcp_integration_details["slug"]) == ("active", "desk")


def test_listed_servers_are_rows(call: Call, server: Any) -> None:
    """The grant has made the other one."""
    listed = call("mcp_servers.list", workspace_id=PRODUCTION)
    assert (listed.object, listed.total) == ("list", 2)
    assert [row["name"] for row in listed.data] == ["Tickets", "desk"]
    listed = call("mcp_servers.list", workspace_id=PRODUCTION, id=server, search="TICK", page_size=1, current_page=0)
    assert listed.data[0]["url"] == "https://mcp.portkey.ai/tickets/mcp"


def test_updated_server_keeps_what_was_not_sent(call: Call, server: Any) -> None:
    call("mcp_servers.update", mcp_server_id=server, description="At the counter")
    found = call("mcp_servers.retrieve", mcp_server_id=server)
    assert (found.name, found.description) == ("Tickets", "At the counter")


def test_deleted_server_is_gone(call: Call, server: Any) -> None:
    call("mcp_servers.delete", mcp_server_id=server)
    with pytest.raises(exceptions.NotFoundError):
        call("mcp_servers.retrieve", mcp_server_id=server)


def test_tokens_connect(call: Call, server: Any) -> None:
    outcome = call("mcp_servers.test", mcp_server_id=server)
    assert (outcome.success, outcome.status_code, outcome.message) == (False, 401, outcome.error)
    tokens = {"access_token": "at-7Qd2kXw9", "refresh_token": "rt-Vn40sLpe"}
    assert call("mcp_servers.update_tokens", mcp_server_id=server, **tokens).success is True
    found = call("mcp_servers.get_tokens", mcp_server_id=server)
    assert (found.access_token, found.refresh_token, found.expires_at) == ("at*****Xw9", "rt*****Lpe", None)
    assert call("mcp_servers.test", mcp_server_id=server).success is True
    assert call("mcp_servers.delete_tokens", mcp_server_id=server).success is True
    assert call("mcp_servers.get_tokens", mcp_server_id=server).access_token is None


def test_connections_go_through_raw_calls(call: Call, portkey: PortkeyWorld, server: Any) -> None:
    """The SDK has no method for them. Source: sdk-call-map 1."""
    call("mcp_servers.update_tokens", mcp_server_id=server, access_token="at-7Qd2kXw9")
    (row,) = call("get", path=f"/mcp-servers/{server}/connections").json()["data"]
    assert (row["user_id"], row["connected"]) == (user_id(portkey, "ada"), True)
    call("delete", path=f"/mcp-servers/{server}/connections?user_id={row['user_id']}")
    assert call("get", path=f"/mcp-servers/{server}/connections").json()["data"] == []


def test_client_info_is_null_when_nobody_told_it(call: Call, server: Any) -> None:
    found = call("mcp_servers.get_client_info", mcp_server_id=server)
    assert (found.client_id, found.client_secret, found.object) == (None, None, "mcp-server-client-info")


def test_capabilities_of_a_server(call: Call, server: Any) -> None:
    assert call("mcp_servers.capabilities.update", mcp_server_id=server, capabilities=CLOSED).success is True
    rows = call("mcp_servers.capabilities.list", mcp_server_id=server).data
    assert [(row["name"], row["enabled"], row["integration_enabled"]) for row in rows] == [
        ("file_ticket", True, True),
        ("close_ticket", False, True),
    ]
    own = [{"name": "merge", "type": "tool", "schema": {"type": "object"}}]
    assert call("mcp_servers.capabilities.sync", mcp_server_id=server, capabilities=own).success is True
    (row,) = call("mcp_servers.capabilities.list", mcp_server_id=server).data
    assert (row["name"], row["input_schema"]) == ("merge", {"type": "object"})


def test_metadata_of_a_server(call: Call, server: Any) -> None:
    told = {"server_name": "ours", "icons": {"small": "a.png"}, "instructions": "Be kind"}
    assert call("mcp_servers.metadata.sync", mcp_server_id=server, **told).success is True
    found = call("mcp_servers.metadata.retrieve", mcp_server_id=server)
    assert (found.server_name, found.icons, found.instructions, found.object) == (*told.values(), "metadata")


def test_access_of_people(call: Call, portkey: PortkeyWorld, server: Any) -> None:
    """Listing breaks the SDK, which takes no text where the service sends one: Quirks, 4. A raw call shows what there is."""
    with pytest.raises(pydantic.ValidationError, match="default_user_access"):
        call("mcp_servers.user_access.list", mcp_server_id=server)
    rows = [{"user_id": user_id(portkey, "ben"), "enabled": True}]
    given = {"user_access": rows, "default_user_access": "deny"}
    assert call("mcp_servers.user_access.update", mcp_server_id=server, **given).success is True
    listed = call("get", path=f"/mcp-servers/{server}/user-access").json()
    assert listed["default_user_access"] == "deny"
    assert {row["first_name"]: row["enabled"] for row in listed["data"]} == {"Ada": False, "Ben": True, "Dara": False}
    checked = call("mcp_servers.user_access.check", mcp_server_id=server)
    assert (checked.has_access, checked.object) == (True, "user-access")


@pytest.mark.parametrize(
    ("method", "given", "status", "message"),
    [
        ("mcp_integrations.retrieve", {"mcp_integration_id": NOBODY}, 404, NOT_THERE),
        ("mcp_integrations.create", {**DESK, "workspace_id": "ws-nowhere"}, 403, NO_PERMISSION),
        ("mcp_servers.retrieve", {"mcp_server_id": NOBODY}, 404, NOT_THERE),
        ("mcp_servers.list", {}, 404, "workspace_id is needed: the caller's key belongs to no workspace"),
    ],
)
def test_refusal_becomes_the_error_of_its_status(call: Call, method: str, given: Any, status: int, message: str) -> None:
    with pytest.raises(ERRORS[status]) as caught:
        call(method, **given)
    assert str(caught.value) == f"Error code: {status} - {message}"


# Secret references


def test_secret_references_go_through_raw_calls(call: Call) -> None:
    vault = {"vault_auth_type": "token", "vault_addr": "https://vault.example.com", "vault_token": "hvs.CAESIJ-token"}
    reference = {"name": "Key", "manager_type": "hashicorp_vault", "secret_path": "prod/key", "auth_config": vault}
    made = call("post", url="/secret-references", **reference)
    assert (made.slug, made.object) == ("key", "secret-reference")
    mapping = {"target_field": "custom_headers", "secret_reference_id": "key"}
    integration = call("mcp_integrations.create", **DESK, secret_mappings=[mapping])
    call("put", path="/secret-references/key", body={"description": "Of the desk"})
    found = call("get", path="/secret-references/key").json()
    assert (found["description"], found["auth_config"]["masked_vault_token"]) == ("Of the desk", "hv*****ken")
    assert call("get", path="/secret-references?search=KEY").json()["total"] == 1
    with pytest.raises(exceptions.BadRequestError):
        call("delete", path="/secret-references/key")
    call("mcp_integrations.delete", mcp_integration_id=integration.id)
    call("delete", path="/secret-references/key")
    assert call("get", path="/secret-references").json()["total"] == 0
