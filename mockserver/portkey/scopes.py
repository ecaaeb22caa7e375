"""Which scope each operation of the control plane asks for.

Source: identity-and-access, API keys: Scopes, Workspaces (Scopes line), Workspace members (Scopes line); rotation takes
`.rotate` or `.update`, since the docs and the Terraform provider disagree (API keys: Rotation, scope conflict).
"""

from __future__ import annotations

_ALL = ("create", "read", "update", "delete", "list")

KEY_KINDS = {
    "organisation-service": "organisation_service_api_keys",
    "workspace-service": "workspace_service_api_keys",
    "workspace-user": "workspace_user_api_keys",
}
"""Type of a key to the family of scopes that govern it."""

OPERATIONS: dict[str, tuple[str, ...]] = {
    # `{kind}` is the family of the key that the call is about; any of the scopes will do.
    "createApiKey": ("{kind}.create",),
    "listApiKeys": ("{kind}.list",),
    "getApiKey": ("{kind}.read",),
    "updateApiKey": ("{kind}.update",),
    "deleteApiKey": ("{kind}.delete",),
    "rotateApiKey": ("{kind}.rotate", "{kind}.update"),
    "createWorkspace": ("workspaces.create",),
    "listWorkspaces": ("workspaces.list",),
    "getWorkspace": ("workspaces.read",),
    "updateWorkspace": ("workspaces.update",),
    "deleteWorkspace": ("workspaces.delete",),
    "addWorkspaceMembers": ("workspace_users.create",),
    "listWorkspaceMembers": ("workspace_users.list",),
    "getWorkspaceMember": ("workspace_users.read",),
    "updateWorkspaceMember": ("workspace_users.update",),
    "removeWorkspaceMember": ("workspace_users.delete",),
}


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
