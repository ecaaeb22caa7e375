"""Every operation against keys of every state, generated from the document and the table of scopes.

Each call is the document's own example, with the ids of a world in which there is something for every operation.
Source: identity-and-access, Errors and API keys: Scopes; gateway-data-plane, Authentication and Request pipeline.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from mockserver import data
from mockserver.app import App, Settings
from mockserver.contract.loading import load_document
from mockserver.contract.operations import Operation, read_operations
from mockserver.portkey.scopes import DATA_PLANE, EVERYTHING, KEY_KINDS, OPERATIONS, WORKSPACE_SCOPES, is_data_plane
from mockserver.portkey.seeds import admin_key
from mockserver.values import JSON, Record
from mockserver.world.world import Snapshot
from tests.conftest import Client
from tests.portkey.team import DARA, PRODUCTION, RESEARCH, at, make_key, make_workspace, user_id, workspace_id

DOCUMENT = load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE).document
ALL = read_operations(DOCUMENT)[0]
GUARDED = [operation for operation in ALL if operation.security]
PUBLIC = [operation for operation in ALL if not operation.security]
BY_NAME = pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.id)

EVERY_SCOPE = sorted({*EVERYTHING, *WORKSPACE_SCOPES, "models.list", "logs.read", "feedbacks.write"})

FREE = {
    each.id
    for each in GUARDED
    if (each.method == "get" and each.path.startswith(("/batches", "/files", "/fine_tuning"))) or "/logs/" in each.path
}
"""What neither budgets nor rates hold for (Request pipeline, 3)."""

MADE: dict[str, tuple[str, Record]] = {
    "virtual_key": ("/virtual-keys", {"name": "Own", "provider": "openai", "key": "sk-example-1"}),
    "collection": ("/collections", {"name": "Care"}),
    "label": ("/labels", {"name": "trial"}),
    "partial": ("/prompts/partials", {"name": "Signature", "string": "Yours"}),
    "config": ("/configs", {"name": "Retry", "config": {"retry": {"attempts": 2}}}),
    "guardrail": ("/guardrails", {"name": "Quiet", "checks": [{"id": "default.isAllLowerCase"}], "actions": {}}),
    "budget": (
        "/policies/usage-limits",
        {"conditions": [{"key": "model", "value": "*"}], "group_by": [{"key": "api_key"}], "type": "tokens",
         "credit_limit": 9000},
    ),
    "rate": (
        "/policies/rate-limits",
        {"conditions": [{"key": "model", "value": "x"}], "group_by": [{"key": "api_key"}], "type": "requests", "unit": "rpm",
         "value": 9},
    ),
    "export": (
        "/logs/exports",
        {
            "description": "May",
            "filters": {"time_of_generation_min": "2026-05-01T00:00:00Z", "time_of_generation_max": "2026-06-01T00:00:00Z"},
            "requested_data": ["id"],
        },
    ),
}  # fmt: skip
"""What is made in Production, besides what the fixture has."""


class Arranged(NamedTuple):
    """A world with something for every operation; `values` are its ids by name."""

    app: App
    snapshot: Snapshot
    values: dict[str, str]


@pytest.fixture(scope="module")
def arranged() -> Arranged:
    app = App(Settings(strict=True))
    client = Client(app, "matrix").as_key(admin_key(app.worlds.get("matrix")))
    at(client, "2026-05-05T10:00:00Z")
    values = {"production": workspace_id(client, PRODUCTION), "dara": user_id(client, DARA)}

    def made(path: str, body: Record) -> Record:
        reply = client.post(f"/v1{path}", body)
        assert reply.status_code == 200, f"{path}: {reply.text[:500]}"
        found: Record = reply.json()
        return found

    for name, (path, body) in MADE.items():
        values[name] = made(path, {**body, "workspace_id": PRODUCTION})["id"]
    prompt = {"name": "Reply", "collection_id": values["collection"], "string": "Hello", "parameters": {}, "model": "gpt-4o"}
    told = made("/prompts", {**prompt, "virtual_key": "openai-production"})
    values |= {"prompt": told["id"], "version": told["version_id"]}
    values["invite"] = made("/admin/users/invites", {"email": "zoe@example.com", "role": "member"})["id"]
    mapping = {"workspace_id": PRODUCTION, "role": "member", "scim_group_name": "Support"}
    values["mapping"] = made("/scim/workspaces", mapping)["id"]
    vault = {"name": "Vault", "manager_type": "azure_kv", "secret_path": "a/b"}
    auth = {"azure_auth_mode": "default", "azure_vault_url": "https://vault.example.com"}
    values["secret"] = made("/secret-references", {**vault, "auth_config": auth})["id"]
    desk = {"name": "Desk", "url": "https://mcp.example.com/mcp", "auth_type": "none", "transport": "http"}
    values["mcp_integration"] = made("/mcp-integrations", desk)["id"]
    client.put(
        f"/v1/mcp-integrations/{values['mcp_integration']}/workspaces", {"workspaces": [{"id": PRODUCTION, "enabled": True}]}
    )
    server = {"name": "Desk here", "mcp_integration_id": values["mcp_integration"], "workspace_id": PRODUCTION}
    values["mcp_server"] = made("/mcp-servers", server)["id"]
    values["feedback"] = made("/feedback", {"trace_id": "trace", "value": 5})["feedback_ids"][0]
    key = make_key(client, scopes=["completions.write"])
    values["key"] = key.id
    ask = {"model": "@openai-production/gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    assert client.as_key(key.secret).post("/v1/chat/completions", ask).status_code == 200
    values["log"] = next(client.world["logs"].newest())["id"]
    entities = client.get(f"/v1/policies/usage-limits/{values['budget']}/entities").json()["data"]
    values["entity"] = entities[0]["id"]
    return Arranged(app, app.worlds.get("matrix").snapshot(), values)


@pytest.fixture
def admin(arranged: Arranged) -> Iterator[Client]:
    """A private copy of the arranged world, called with the key of its admin."""
    arranged.app.worlds.fork("matrix-copy", arranged.snapshot)
    client = Client(arranged.app, "matrix-copy")
    yield client.as_key(admin_key(client.world))
    arranged.app.worlds.delete("matrix-copy")


PLACES: dict[str, list[str]] = {
    "/api-keys/{type}/{sub-type}": ["workspace", "service"],
    "/api-keys/{id}": ["key"],
    "/admin/workspaces/{workspaceId}/users/{userId}": ["production", "dara"],
    "/admin/workspaces/{workspaceId}": ["production"],
    "/admin/users/invites/{inviteId}": ["invite"],
    "/admin/users/{userId}": ["dara"],
    "/scim/workspaces/{scimWorkspaceGroupId}": ["mapping"],
    "/collections/{collectionId}": ["collection"],
    "/prompts/partials/{promptPartialId}": ["partial"],
    "/prompts/{promptId}/versions/{versionId}": ["prompt", "version"],
    "/prompts/{promptId}": ["prompt"],
    "/v1/prompts/{promptId}": ["prompt"],
    "/labels/{labelId}": ["label"],
    "/configs/{slug}": ["config"],
    "/guardrails/{guardrailId}": ["guardrail"],
    "/integrations/{slug}": ["openai-production"],
    "/providers/{slug}": ["openai-evaluations"],
    "/virtual-keys/{slug}": ["virtual_key"],
    "/secret-references/{secretReferenceId}": ["secret"],
    "/feedback/{id}": ["feedback"],
    "/mcp-integrations/{mcpIntegrationId}": ["mcp_integration"],
    "/mcp-servers/{mcpServerId}": ["mcp_server"],
    "/logs/exports/{exportId}": ["export"],
    "/logs/{logId}": ["log"],
    "/analytics/groups/metadata/{metadataKey}": ["team"],
    "/analytics/groups/{groupBy}": ["model"],
    "/policies/usage-limits/{policyUsageLimitsId}/entities/{entityId}": ["budget", "entity"],
    "/policies/usage-limits/{policyUsageLimitsId}": ["budget"],
    "/policies/rate-limits/{rateLimitsPolicyId}": ["rate"],
    "/models/{model}": ["@openai-production/gpt-4o"],
}
"""The beginning of a path to the ids that go into it, of the arranged world where it has one of that name."""

QUERIES: dict[str, Record] = {
    "deleteIntegrationModels": {"slugs": "mine"},
    "listAuditLogs": {"start_time": "2026-05-01T00:00:00Z", "end_time": "2026-06-01T00:00:00Z"},
    "checkMcpServerUserAccess": {},
}
SPAN = {"time_of_generation_min": "2026-05-01T00:00:00Z", "time_of_generation_max": "2026-05-06T00:00:00Z"}

BODIES: dict[str, JSON] = {
    "createApiKey": {"name": "app", "scopes": ["logs.view"], "workspace_id": PRODUCTION},
    "McpIntegrations_create": {"name": "More", "url": "https://mcp.example.com", "auth_type": "none", "transport": "http"},
    "addWorkspaceMembers": {"users": [{"id": "dara", "role": "member"}]},
    "deleteWorkspace": ...,
    "createScimWorkspaceMapping": {"workspace_id": PRODUCTION, "role": "member", "scim_group_name": "Others"},
    "createCollection": {"name": "More", "workspace_id": PRODUCTION},
    "createPrompt": {
        "name": "Another", "collection_id": "collection", "string": "Hi", "parameters": {}, "model": "gpt-4o",
        "virtual_key": "openai-production",
    },
    "createPromptPartial": {"name": "Greeting", "string": "Dear", "workspace_id": PRODUCTION},
    "createConfig": {"name": "More", "config": {"retry": {"attempts": 1}}, "workspace_id": PRODUCTION},
    "updateConfig": {"name": "Less"},
    "updatePromptVersion": {"label_id": "label"},
    "createProvider": {"name": "More", "integration_id": "openai-production", "workspace_id": PRODUCTION},
    "updateSecretReference": {"description": "Rotated"},
    "McpServers_create": {"name": "More", "mcp_integration_id": "mcp_integration", "workspace_id": PRODUCTION},
    "McpServerUserAccess_bulkUpdate": {"user_access": [{"user_id": "dara", "enabled": True}]},
    "createUsageLimitsPolicy": {**MADE["budget"][1], "workspace_id": PRODUCTION},
    "createRateLimitsPolicy": {**MADE["rate"][1], "workspace_id": PRODUCTION},
    "createLogExport": {**MADE["export"][1], "workspace_id": PRODUCTION},
    "updateUser": {"role": "admin"},
}  # fmt: skip
"""Bodies where the document's example names what only the example has."""

OTHERS_OWN = {"integrations": "workspace", "mcp_integrations": "workspace", "guardrails": "organisation"}
"""Families with scopes for each kind of owner: the beginning of those that are for what is not in this world."""

REFUSED_ALL_THE_SAME: dict[str, int] = {
    "deleteWorkspace": 409,  # Production has providers
    "deleteIntegrationModels": 400,  # only models of one's own can be deleted, and there are none
    "cancelLogExport": 400,  # it has not begun
    "downloadLogExport": 400,  # it has not succeeded
    "McpServerConnections_delete": 400,  # a key of nobody must say whose
}
"""What a caller with every scope is told where it is no success, and why."""


def send(client: Client, operation: Operation, values: dict[str, str]) -> Any:
    """Make the call of an operation."""
    path = operation.path
    for beginning, names in PLACES.items():
        if path.startswith(beginning):
            for name in names:
                start, end = path.index("{"), path.index("}")
                path = path[:start] + quote(values.get(name, name), safe="") + path[end + 1 :]
            break
    while "{" in path:  # the data plane's own things, which nothing here belongs to
        start, end = path.index("{"), path.index("}")
        path = f"{path[:start]}nothing{path[end + 1 :]}"
    query = dict(QUERIES.get(operation.id, {}))
    parameters = {parameter.name for parameter in operation.parameters if parameter.location == "query"}
    query |= {name: value for name, value in SPAN.items() if name in parameters}
    if "workspace_id" in parameters:
        query["workspace_id"] = PRODUCTION
    body = BODIES.get(operation.id, _example(operation))
    if body is ...:
        return client.call(operation.method.upper(), f"/v1{path}", params=query)
    text = json.dumps(body).replace("ws-produc-985697", PRODUCTION)
    for name in ("dara", "collection", "label", "mcp_integration"):
        text = text.replace(json.dumps(name), json.dumps(values[name]))
    return client.call(operation.method.upper(), f"/v1{path}", json.loads(text), params=query)


def _example(operation: Operation) -> JSON:
    contents = operation.spec.get("requestBody", {}).get("content", {})
    return contents["application/json"].get("example", {}) if "application/json" in contents else ...


def alternatives(operation: Operation) -> list[list[str]]:
    """The sets of scopes of which any will do for the call of `send`."""
    wanted = OPERATIONS.get(operation.id, DATA_PLANE)
    kind = KEY_KINDS["workspace-service"]
    return [sorted(scope.format(kind=kind) for scope in each) for each in wanted]


def told(reply: Any) -> str:
    """The text of a refusal, in the envelope of either plane."""
    return str(reply.json()["message"])


def test_table_names_no_operation_that_is_not_served() -> None:
    assert set(OPERATIONS) <= {operation.id for operation in ALL}


def test_every_control_operation_wants_a_scope() -> None:
    """An operation that is forgotten in the table asks for the data plane's scope."""
    paths = (
        "/api-keys", "/admin", "/scim", "/collections", "/labels", "/configs", "/guardrails", "/integrations", "/providers",
        "/virtual-keys", "/secret-references", "/feedback", "/mcp-", "/logs", "/audit-logs", "/analytics", "/policies",
    )  # fmt: skip
    assert {each.id for each in GUARDED if each.path.startswith(paths)} <= set(OPERATIONS)


@pytest.mark.parametrize("operation", PUBLIC, ids=lambda operation: operation.id)
def test_open_operation_asks_nobody(admin: Client, arranged: Arranged, operation: Operation) -> None:
    assert send(admin.as_key(None), operation, arranged.values).status_code != 401


@BY_NAME
def test_call_without_a_key_is_refused(admin: Client, arranged: Arranged, operation: Operation) -> None:
    reply = send(admin.as_key(None), operation, arranged.values)
    assert reply.status_code == 401
    code = "03" if is_data_plane(operation.id) else "AB05"
    assert reply.json()["error"]["code"] == code


@BY_NAME
def test_unknown_key_is_refused(admin: Client, arranged: Arranged, operation: Operation) -> None:
    assert send(admin.as_key("nobody-knows-it"), operation, arranged.values).status_code == 401


@BY_NAME
def test_expired_key_is_refused(admin: Client, arranged: Arranged, operation: Operation) -> None:
    made = make_key(admin, "organisation/service", scopes=EVERY_SCOPE, expires_at="2026-05-05T11:00:00Z")
    at(admin, "2026-05-05T11:00:00Z")
    reply = send(admin.as_key(made.secret), operation, arranged.values)
    assert reply.status_code == 401
    assert "Portkey API Key Expired" in told(reply)


@BY_NAME
def test_exhausted_key_is_refused(admin: Client, arranged: Arranged, operation: Operation) -> None:
    made = make_key(admin, "organisation/service", scopes=EVERY_SCOPE, usage_limits={"type": "tokens", "credit_limit": 1})
    caller = admin.as_key(made.secret)
    spend(caller)
    reply = send(caller, operation, arranged.values)
    assert (reply.status_code == 412) is (operation.id not in FREE)
    if operation.id not in FREE:
        assert "Portkey API Key Usage Limit Exceeded" in told(reply)


@BY_NAME
def test_key_of_an_exhausted_workspace_is_refused(admin: Client, arranged: Arranged, operation: Operation) -> None:
    workspace = make_workspace(admin, usage_limits=[{"type": "tokens", "credit_limit": 1}])
    caller = admin.as_key(make_key(admin, workspace_id=workspace["id"], scopes=EVERY_SCOPE).secret)
    spend(caller)
    reply = send(caller, operation, arranged.values)
    assert (reply.status_code == 412) is (operation.id not in FREE)


@BY_NAME
def test_key_with_every_other_scope_is_refused(admin: Client, arranged: Arranged, operation: Operation) -> None:
    wanted = {
        scope.format(kind=kind) for each in OPERATIONS.get(operation.id, DATA_PLANE) for scope in each for kind in _kinds()
    }
    others = [scope for scope in EVERY_SCOPE if scope not in wanted]
    caller = admin.as_key(make_key(admin, "organisation/service", scopes=others).secret)
    reply = send(caller, operation, arranged.values)
    assert reply.status_code == 403
    assert "permissions" in told(reply) or "Forbidden!" in told(reply)


def _kinds() -> list[str]:
    return list(KEY_KINDS.values())


@BY_NAME
def test_wanted_scopes_are_enough(admin: Client, arranged: Arranged, operation: Operation) -> None:
    """A key with nothing but one of the alternatives is answered as one that holds everything is."""
    world, snapshot = admin.world, admin.world.snapshot()
    everything = admin.as_key(make_key(admin, "organisation/service", scopes=EVERY_SCOPE).secret)
    expected = send(everything, operation, arranged.values).status_code
    if operation.id in OPERATIONS:
        assert expected == REFUSED_ALL_THE_SAME.get(operation.id, 200), operation.id
    for scopes in alternatives(operation):
        world.restore(snapshot)
        caller = admin.as_key(make_key(admin, "organisation/service", scopes=scopes).secret)
        reply = send(caller, operation, arranged.values)
        allowed = {expected}
        if scopes[0].split("_")[0] == OTHERS_OWN.get(operation.family):
            allowed.add(403)
        assert reply.status_code in allowed, (scopes, reply.text[:300])


@BY_NAME
def test_key_of_another_workspace_gets_nothing(admin: Client, arranged: Arranged, operation: Operation) -> None:
    """What lies in Production stays as it is and unseen, though the key holds every scope."""
    caller = admin.as_key(make_key(admin, workspace_id=RESEARCH, scopes=EVERY_SCOPE).secret)
    production = arranged.values["production"]
    before = lying_in(admin, production)
    reply = send(caller, operation, arranged.values)
    assert lying_in(admin, production) == before
    if reply.status_code < 400:
        assert production not in reply.text
        assert PRODUCTION not in reply.text
    else:
        assert reply.status_code in (400, 403, 404, 412, 415, 426), reply.text[:300]


def lying_in(client: Client, workspace: str) -> dict[str, list[Record]]:
    """All records of a workspace, by collection."""
    found = {
        name: [record for record in collection.newest() if record.get("workspace_id") == workspace]
        for name, collection in client.world.collections.items()
    }
    return {name: records for name, records in found.items() if records}


def spend(caller: Client) -> None:
    """Use up a budget of one token."""
    ask = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    reply = caller.post("/v1/chat/completions", ask, headers={"x-portkey-provider": "openai"})
    assert reply.status_code == 200, reply.text[:500]
