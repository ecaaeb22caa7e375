"""Which scope each operation asks for, and which scopes a key may hold.

Source: identity-and-access, API keys: Scopes, and the Scopes line of each resource; rotation takes `.rotate` or `.update`,
since the docs and the Terraform provider disagree (API keys: Rotation, scope conflict).
"""

from __future__ import annotations

from typing import TypeAlias

_ALL = ("create", "read", "update", "delete", "list")

KEY_KINDS = {
    "organisation-service": "organisation_service_api_keys",
    "workspace-service": "workspace_service_api_keys",
    "workspace-user": "workspace_user_api_keys",
}
"""Type of a key to the family of scopes that govern it."""

Wanted: TypeAlias = tuple[frozenset[str], ...]
"""Sets of scopes: who holds all of any one set may call."""


def _any(*scopes: str) -> Wanted:
    return tuple(frozenset((scope,)) for scope in scopes)


def _all(*scopes: str) -> Wanted:
    return (frozenset(scopes),)


def _crud(*families: str, **operations: str) -> dict[str, Wanted]:
    """Operations by what they do, `list="listWidgets"`; the verb of any of the families of scopes will do."""
    return {operation: _any(*(f"{each}.{verb}" for each in families)) for verb, operation in operations.items()}


def _same(wanted: Wanted, *operations: str) -> dict[str, Wanted]:
    return dict.fromkeys(operations, wanted)


_INTEGRATIONS = ("organisation_integrations", "workspace_integrations")
_MCP_INTEGRATIONS = ("organisation_mcp_integrations", "workspace_mcp_integrations")
_GUARDRAILS = ("guardrails", "organisation_guardrails")

OPERATIONS: dict[str, Wanted] = {
    # API keys, workspaces, members (identity-and-access). `{kind}` is the family of the key that the call is about.
    **_crud(
        "{kind}",
        create="createApiKey", list="listApiKeys", read="getApiKey", update="updateApiKey", delete="deleteApiKey",
    ),
    "rotateApiKey": _any("{kind}.rotate", "{kind}.update"),
    **_crud(
        "workspaces",
        create="createWorkspace", list="listWorkspaces", read="getWorkspace", update="updateWorkspace",
        delete="deleteWorkspace",
    ),
    **_crud(
        "workspace_users",
        create="addWorkspaceMembers", list="listWorkspaceMembers", read="getWorkspaceMember",
        update="updateWorkspaceMember", delete="removeWorkspaceMember",
    ),
    # SCIM has no scopes of its own in any source; chosen: those of what it makes, memberships.
    **_crud(
        "workspace_users",
        create="createScimWorkspaceMapping", list="listScimWorkspaceMappings", delete="deleteScimWorkspaceMapping",
    ),
    **_crud("workspace_users", list="listScimGroups"),
    **_crud("organisation_users", list="listUsers", read="getUser", update="updateUser", delete="deleteUser"),
    **_crud(
        "organisation_users",
        create="Invites_create", list="listUserInvites", read="getUserInvite", delete="deleteUserInvite",
    ),
    "acceptUserInvite": (),  # who has the link may open it
    "resendUserInvite": _any("organisation_users.create", "organisation_users.update"),  # chosen: which is unknown
    # Virtual keys are providers under another name, and either scope opens a provider (identity-and-access, Providers).
    **_crud(
        "virtual_keys",
        create="createVirtualKey", list="listVirtualKeys", read="getVirtualKey", update="updateVirtualKey",
        delete="deleteVirtualKey",
    ),
    **_crud(
        "providers", "virtual_keys",
        create="createProvider", list="listProviders", read="getProvider", update="updateProvider",
        delete="deleteProvider",
    ),
    **_crud(
        *_INTEGRATIONS,
        create="createIntegration", list="listIntegrations", read="getIntegration", update="updateIntegration",
        delete="deleteIntegration",
    ),
    **_crud(*_INTEGRATIONS, read="listIntegrationModels", update="updateIntegrationModels"),
    **_crud(*_INTEGRATIONS, update="deleteIntegrationModels"),
    "listIntegrationWorkspaces": _any("workspaces.list", "workspaces.read"),
    "updateIntegrationWorkspaces": _any("workspaces.update"),
    # Prompts, configs, guardrails (prompts-configs-guardrails, Conventions: Scopes). Partials, labels and collections have
    # no scopes of their own; chosen: those of prompts, which all of them are parts of.
    **_crud(
        "prompts",
        create="createPrompt", list="listPrompts", read="getPrompt", update="updatePrompt", delete="deletePrompt",
    ),
    **_crud("prompts", read="getPromptVersions", update="updatePromptVersion"),
    **_crud("prompts", read="getPromptByVersion"),
    **_same(_any("prompts.publish"), "updatePromptDefault", "updatePromptPartialDefault"),
    "createPromptRender": _any("prompts.render"),
    **_crud(
        "prompts",
        create="createPromptPartial", list="listPromptPartials", read="getPromptPartial", update="updatePromptPartial",
        delete="deletePromptPartial",
    ),
    **_crud("prompts", read="getPromptPartialVersions"),
    **_crud(
        "prompts",
        create="createLabel", list="listLabels", read="getLabel", update="updateLabel", delete="deleteLabel",
    ),
    **_crud(
        "prompts",
        create="createCollection", list="listCollections", read="getCollection", update="updateCollection",
        delete="deleteCollection",
    ),
    **_crud(
        "configs",
        create="createConfig", list="listConfigs", read="getConfig", update="updateConfig", delete="deleteConfig",
    ),
    **_crud("configs", read="listConfigVersions"),
    **_crud(
        *_GUARDRAILS,
        create="createGuardrail", list="listGuardrails", read="getGuardrail", update="updateGuardrail",
        delete="deleteGuardrail",
    ),
    **_same(_any("logs.write", "feedbacks.write"), "createFeedback", "updateFeedback"),
    # Governance, MCP, observability (governance-mcp-observability, Cross-cutting rules: Scopes).
    **_crud(
        "policies",
        create="createUsageLimitsPolicy", list="listUsageLimitsPolicies", read="getUsageLimitsPolicy",
        update="updateUsageLimitsPolicy", delete="deleteUsageLimitsPolicy",
    ),
    **_crud("policies", read="listUsageLimitsPolicyEntities", update="resetUsageLimitsPolicyEntity"),
    **_crud(
        "policies",
        create="createRateLimitsPolicy", list="listRateLimitsPolicies", read="getRateLimitsPolicy",
        update="updateRateLimitsPolicy", delete="deleteRateLimitsPolicy",
    ),
    **_crud(
        "secret_references",
        create="createSecretReference", list="listSecretReferences", read="getSecretReference",
        update="updateSecretReference", delete="deleteSecretReference",
    ),
    **_crud(
        *_MCP_INTEGRATIONS,
        create="McpIntegrations_create", list="McpIntegrations_list", read="McpIntegrations_retrieve",
        update="McpIntegrations_update", delete="McpIntegrations_delete",
    ),
    **_same(
        _any(*(f"{each}.read" for each in _MCP_INTEGRATIONS)),
        "testMcpIntegration", "McpIntegrationWorkspaces_list", "McpIntegrationCapabilities_list",
        "McpIntegrationMetadata_retrieve",
    ),
    **_same(
        _any(*(f"{each}.update" for each in _MCP_INTEGRATIONS)),
        "syncMcpIntegration", "McpIntegrationWorkspaces_bulkUpdate", "McpIntegrationCapabilities_bulkUpdate",
    ),
    **_crud(
        "mcp_servers",
        create="McpServers_create", list="McpServers_list", read="McpServers_retrieve", update="McpServers_update",
        delete="McpServers_delete",
    ),
    **_same(
        _any("mcp_servers.read"),
        "McpServers_test", "getMcpServerMetadata", "McpServerCapabilities_list", "McpServerUserAccess_list",
        "checkMcpServerUserAccess", "McpServerConnections_list", "getMcpServerTokens", "getMcpServerClientInfo",
    ),
    **_same(
        _any("mcp_servers.update"),
        "syncMcpServerMetadata", "McpServerCapabilities_bulkUpdate", "syncMcpServerCapabilities",
        "McpServerUserAccess_bulkUpdate", "McpServerConnections_delete", "updateMcpServerTokens", "deleteMcpServerTokens",
    ),
    "createLog": _all("completions.write", "logs.write"),
    "getLog": _any("logs.read", "logs.view", "completions.write", "logs.write"),
    **_same(
        _any("logs.export"),
        "listLogExports", "createLogExport", "getLogExport", "updateLogExport", "startLogExport", "cancelLogExport",
        "downloadLogExport",
    ),
    "fetchLogExportFile": (),  # open to whoever has the signed address (governance-mcp-observability, Log exports: Download)
    "listAuditLogs": _any("audit_logs.list"),
    **_same(
        _any("analytics.view"),
        "getRequestsGraph", "getCostGraph", "getLatencyGraph", "getTokensGraph", "getUsersGraph", "getUserRequestsGraph",
        "getErrorsGraph", "getErrorRateGraph", "getErrorStacksGraph", "getErrorStatusCodesGraph", "getRescuedRequestsGraph",
        "getCacheHitRateGraph", "getCacheLatencyGraph", "getFeedbacksGraph", "getFeedbackScoresGraph",
        "getWeightedFeedbackGraph", "getFeedbackModelsGraph", "getCacheHitRateGraphForNode", "getCacheLatencyGraphForNode",
        "getErrorRateGraphForNode", "getErrorStacksGraphForNode", "getErrorStatusCodesGraphForNode",
        "getRescuedRequestsGraphForNode", "getUserRequestsGraphForNode", "getFeedbackScoresGraphForNode", "getCacheSummary",
        "listUserGroups", "listModelGroups", "listMetadataGroups", "listWorkspaceGroups", "listGroups",
    ),
    "getModelPricing": (),  # open to all (governance-mcp-observability, Model pricing)
    "getGatewayHealth": (),  # open to all (gateway-data-plane, Request pipeline)
    # The data plane (gateway-data-plane, Authentication: Scopes): one scope for all of it but the list of models.
    **_same(_any("virtual_keys.list", "models.list", "completions.write"), "listModels", "retrieveModel"),
}  # fmt: skip
"""What operations of the control plane ask for; what is not here is the data plane's."""

DATA_PLANE: Wanted = _any("completions.write")
"""What every operation asks for that the table does not name."""


def is_data_plane(operation: str) -> bool:
    """Whether an operation is the data plane's: inference, and what it keeps."""
    return operation not in OPERATIONS or operation in _RUNTIME


_RUNTIME = frozenset({"createPromptRender", "listModels", "retrieveModel"})
"""Operations of the data plane that ask for scopes of their own."""


def _of(family: str, *verbs: str) -> list[str]:
    return [f"{family}.{verb}" for verb in verbs or _ALL]


_ADMIN_ONLY = [
    *_of("organisation_users"),
    *_of("organisation_service_api_keys", *_ALL, "rotate"),
    *_of("organisation_settings", "read", "update"),
    *_of("organisation_guardrails"),
    *_of("organisation_exclusions", "update", "list"),
    *_of("organisation_integrations"),
    *_of("organisation_mcp_integrations"),
    *_of("organisation_agent_integrations"),
    *_of("audit_logs", "list"),
    *_of("plugins", "create", "update", "list"),
    *_of("deployments"),
    *_of("secret_references"),
    *_of("workspaces", "create", "delete"),
]

_BOTH = [
    *_of("workspaces", "read", "update", "list"),
    *_of("workspace_users"),
    *_of("workspace_service_api_keys", *_ALL, "rotate"),
    *_of("workspace_user_api_keys", *_ALL, "rotate"),
    *_of("workspace_integrations"),
    *_of("workspace_mcp_integrations"),
    *_of("workspace_agent_integrations"),
    *_of("providers"),
    *_of("virtual_keys", *_ALL, "duplicate", "copy"),
    *_of("prompts", *_ALL, "publish"),
    *_of("configs"),
    *_of("guardrails"),
    *_of("policies"),
    *_of("mcp_servers"),
    *_of("agent_servers"),
    *_of("analytics", "view"),
    *_of("logs", "export", "list", "view"),
]

_WORKSPACE_ONLY = [
    "completions.write",
    "logs.write",
    "prompts.render",
    "guardrails.invoke",
    "mcp.invoke",
    "agents.invoke",
]

ADMIN_SCOPES = [*_ADMIN_ONLY, *_BOTH]
"""All that an organisation's key may hold."""

WORKSPACE_SCOPES = [
    *_BOTH,
    *_WORKSPACE_ONLY,
    *_of("organisation_integrations", "list"),
    *_of("organisation_mcp_integrations", "list"),
    *_of("organisation_agent_integrations", "list"),
]
"""All that a workspace's key may hold."""

EVERYTHING = [*ADMIN_SCOPES, *_WORKSPACE_ONLY]
"""What a seed world's admin key holds: both planes (*chosen*: one printed key must do for a first try)."""

ADMIN_ONLY = frozenset(ADMIN_SCOPES) - frozenset(WORKSPACE_SCOPES)
"""What means nothing on a workspace's key (identity-and-access, API keys: Scopes, who may hold it)."""
