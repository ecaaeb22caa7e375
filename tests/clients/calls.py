"""The calls that the real SDKs make of every operation: what each is given, and which operations it reaches.

A family's calls are made in a world of their own, in this order. `<name.field>` in what a call is given stands for a field of
an earlier reply, kept under that name; `<person>` and `<workspace>` are ids of the seed, `<root>` is the server without `/v1`.
"""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import httpx

from mockserver.pytest_plugin import PortkeyWorld
from mockserver.stubs.resources import kept


@dataclass(frozen=True)
class Call:
    """A call of a method by its name.

    `given`: its arguments, by name for Python, by position for Node. `reaches`: the operations that the server sees, in
    order, each answering 200, with `polls` the last one as often as the SDK likes; or 101 when it `talks`: then the reply is a
    connection, on which a response is asked for and read to its end. `keep`: the name that later calls know the reply by.
    `streams`: the reply is read event by event. `raises`: the error of a method that breaks by itself. Errors are the beginning
    of `class: message`. `async_method`, `async_raises`: where AsyncPortkey has another name, or breaks by
    itself before it sends anything.

    Source of what breaks: sdk-call-map 1 and 4 (last paragraphs).
    """

    method: str
    given: Mapping[str, Any] | list[Any]
    reaches: str
    keep: str = ""
    polls: bool = False
    streams: bool = False
    talks: bool = False
    raises: str = ""
    async_method: str = ""
    async_raises: str = ""

    @property
    def operations(self) -> list[str]:
        return self.reaches.split()

    def on_async(self) -> Call:
        """The call as AsyncPortkey makes it."""
        if self.async_raises:
            return replace(self, raises=self.async_raises, reaches="")
        return replace(self, method=self.async_method or self.method)


@dataclass(frozen=True)
class Planted:
    """A record that no operation makes: `key` is its own, `parent` the path of those that it lies below."""

    collection: str
    key: str
    record: Mapping[str, Any]
    parent: str = ""

    def plant(self, portkey: PortkeyWorld, known: Mapping[str, Any]) -> None:
        key, parent = (filled(text, known) for text in (self.key, self.parent))
        portkey.world[self.collection].add(kept(filled(self.record, known), key, parent))


@dataclass(frozen=True)
class Passed:
    """Time that passes in the world between two calls."""

    seconds: int


@dataclass(frozen=True)
class Scripted:
    """What a test says that models answer."""

    script: Mapping[str, Any]

    def put(self, portkey: PortkeyWorld) -> None:
        assert httpx.post(f"{portkey.admin_url}/scripts", json=self.script).status_code == 201


@dataclass(frozen=True)
class Upload:
    """A file of this name that an SDK opens and sends."""

    name: str


LINE = {
    "custom_id": "1",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide is next?"}]},
}
EXAMPLE = {"messages": [{"role": "user", "content": "Which tide?"}, {"role": "assistant", "content": "The low one."}]}


def write_uploads(folder: Path) -> None:
    """Write the files that the tables name."""
    (folder / "lines.jsonl").write_text(f"{json.dumps(LINE)}\n")
    (folder / "examples.jsonl").write_text(f"{json.dumps(EXAMPLE)}\n")
    (folder / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with wave.open(str(folder / "speech.wav"), "wb") as sound:  # the SDKs read how long it takes
        sound.setparams((1, 1, 8000, 0, "NONE", "not compressed"))
        sound.writeframes(bytes(8000))


Row: TypeAlias = Call | Planted | Passed | Scripted
Families: TypeAlias = dict[str, list[Row]]

_PLACE = re.compile(r"<([a-z_]+(?:\.[a-z_0-9]+)*)>")


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """Return a value with what is known in its places."""
    if isinstance(value, Mapping):
        return {name: filled(each, known) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    if not isinstance(value, str):
        return value
    whole = _PLACE.fullmatch(value)
    return looked_up(whole[1], known) if whole else _PLACE.sub(lambda place: str(looked_up(place[1], known)), value)


def looked_up(path: str, known: Mapping[str, Any]) -> Any:
    """Return the field of a kept reply; replies are objects of an SDK or plain data."""
    first, *names = path.split(".")
    value = known[first]
    for name in names:
        if isinstance(value, list):
            value = value[int(name)]
        else:
            value = value[name] if isinstance(value, Mapping) else getattr(value, name)
    return value


def departures(rows: list[Row], portkey: PortkeyWorld, make: Callable[[Call, Any], Any]) -> list[str]:
    """Make the calls of a family in order with `make`; return what went otherwise than the table says."""
    known: dict[str, Any] = {
        "root": portkey.url.removesuffix("/v1"),
        "person": _seeded(portkey, "users", "email", "dara@example.com"),
        "workspace": _seeded(portkey, "workspaces", "slug", "ws-produc-71b04e"),
    }
    found: list[str] = []
    for row in rows:
        if isinstance(row, Planted):
            row.plant(portkey, known)
            continue
        if isinstance(row, Passed):
            portkey.clock.move(timedelta(seconds=row.seconds))
            continue
        if isinstance(row, Scripted):
            row.put(portkey)
            continue
        before, raised = len(portkey.calls), ""
        reply: Any = None
        try:
            reply = make(row, filled(row.given, known))
        except Exception as error:  # a method may raise anything
            raised = f"{type(error).__name__}: {error}"
        else:
            if row.keep:
                known[row.keep] = reply
        made = [(call["operation"], call["status"]) for call in portkey.calls[before:]]
        while row.polls and made[-2:-1] == made[-1:]:
            made.pop()
        if made != [(operation, 101 if row.talks else 200) for operation in row.operations]:
            found.append(f"{row.method} reached {made}, not {row.operations}")
        if not raised.startswith(row.raises) or bool(raised) != bool(row.raises):
            found.append(f"{row.method} raised {raised or 'nothing'}, not {row.raises or 'nothing'}")
        elif row.streams and not raised and len(reply) < 2:
            found.append(f"{row.method} gave no stream of events")
    return found


def _seeded(portkey: PortkeyWorld, collection: str, field: str, value: str) -> str:
    record = portkey.world[collection].find(field, value)
    assert record is not None
    return str(record["id"])


def provider_for(family: str) -> str:
    """The provider that a client is made with, as people do: a key that the world knows must name one."""
    return {"rerank": "cohere"}.get(family, "@openai-production")


UNREACHED = {
    "acceptUserInvite": "a link, which people open and no SDK",
    "fetchLogExportFile": "an address that the reply to `download` tells, for any HTTP client",
    "getGatewayHealth": "no SDK asks for it; containers and load balancers do",
    "getDrawnImage": "an address that the reply to `images.generate` tells, for any HTTP client",
}
"""Operations that no call of the tables reaches, and why."""

BEYOND = {
    **dict.fromkeys(
        (
            "beta.chatkit",
            "beta.realtime.sessions",
            "beta.realtime.transcription_sessions",
            "chat.completions.delete",
            "chat.completions.list",
            "chat.completions.messages",
            "chat.completions.retrieve",
            "chat.completions.update",
            "containers",
            "conversations",
            "evals",
            "fine_tuning.alpha",
            "fine_tuning.checkpoints",
            "realtime.calls",
            "realtime.client_secrets",
            "responses.compact",
            "responses.connect",
            "skills",
            "uploads",
            "videos",
        ),
        "OpenAI has it and Portkey publishes no operation for it",
    ),
    **dict.fromkeys(("close", "copy", "fetch", "is_closed", "webhooks", "with_options"), "it sends nothing"),
}
"""Methods of the SDKs, or all of a namespace, that the tables leave out, and why; names in snake case."""


def left_over(methods: Iterable[str], families: Families) -> set[str]:
    """Return the methods that neither a table nor `BEYOND` has."""
    known = {row.method for rows in families.values() for row in rows if isinstance(row, Call)}
    names = {method: re.sub("(?<=[a-z])(?=[A-Z])", "_", method).lower() for method in set(methods) - known}
    return {method for method, name in names.items() if not any(f"{name}.".startswith(f"{each}.") for each in BEYOND)}


MAY = {"time_of_generation_min": "2026-05-01T00:00:00.000Z", "time_of_generation_max": "2026-06-01T00:00:00.000Z"}
MESSAGES = [{"role": "user", "content": "Which tide is next?"}]
ASK = {"model": "gpt-4o", "messages": MESSAGES}
FIND_TIDE = {"type": "function", "function": {"name": "find_tide"}}
TOOL_OUTPUTS = [{"tool_call_id": "<waiting.required_action.submit_tool_outputs.tool_calls.0.id>", "output": "12:40"}]
LATER = {"model": "gpt-4o", "background": True}
SLOWLY = Scripted({"match": {"operation": "createResponse"}, "answer": {"text": "At noon."}, "delay_ms": 3600000})
KEY = {"name": "ci", "workspace_id": "<workspace>", "scopes": ["logs.view"]}
CHECKS = [{"id": "default.wordCount", "parameters": {"minWords": 1, "maxWords": 500}}]
EXPORT = {"workspace_id": "<workspace>", "description": "May", "filters": MAY, "requested_data": ["id", "created_at"]}
NODE_EXPORT = {"workspaceId": "<workspace>", "description": "May", "filters": MAY, "requestedData": ["id", "created_at"]}
LOG = "4f1c2a90-3d7b-4c55-9a3e-d2b8f06c1e47"
USAGE_POLICY = {
    "workspace_id": "<workspace>",
    "conditions": [{"key": "metadata.team", "value": "support"}],
    "group_by": [{"key": "metadata._user"}],
    "type": "cost",
    "credit_limit": 40,
}
GROUP = {"id": "group-1", "policy_id": "<usage.id>", "value_key": "dara", "_handle": "group", "_usage": 0, "_told": []}
RATE_POLICY = {
    "workspace_id": "<workspace>",
    "conditions": [{"key": "model", "value": "@openai/gpt-4o"}],
    "group_by": [{"key": "api_key"}],
    "type": "requests",
    "unit": "rpm",
    "value": 30,
}
SECRET = {
    "name": "OpenAI key",
    "manager_type": "aws_sm",
    "secret_path": "prod/openai",
    "auth_config": {"aws_auth_type": "assumedRole", "aws_role_arn": "arn:aws:iam::1:role/read", "aws_region": "eu-west-1"},
}
MCP = {"name": "Tickets", "url": "https://mcp.example.com/mcp", "auth_type": "none", "transport": "http"}
CAPABILITIES = [{"name": "file_ticket", "type": "tool", "enabled": False}]
PROMPT = {
    "name": "Reply",
    "collection_id": "<collection.id>",
    "string": "Hello {{name}}",
    "parameters": {"max_tokens": 400},
    "model": "gpt-4o",
    "virtual_key": "openai-production",
}
MODEL = {"id": "ft:gpt-4o:tickets", "created": 1, "owned_by": "us", "provider": "openai"}
LOGGED = {
    "request": {"url": "https://models.example.com/v1/chat/completions", "method": "post", "provider": "openai", "body": ASK},
    "response": {"status": 200, "body": {"choices": []}},
}
BATCH = {"input_file_id": "<file.id>", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
JOB = {"model": "gpt-4o-mini", "training_file": "<file.id>"}
RUN = {"thread_id": "<thread.id>", "assistant_id": "<assistant.id>"}
CALLING_RUN = {**RUN, "tool_choice": FIND_TIDE}
THIS_RUN = {"thread_id": "<thread.id>", "run_id": "<run.id>"}
TOLD_RUN = {"thread_id": "<thread.id>", "run_id": "<waiting.id>", "tool_outputs": TOOL_OUTPUTS}
MADE = {"id": "<made.id>"}
ASSISTANT = {"assistant_id": "<assistant.id>"}
IN_THREAD = {"thread_id": "<thread.id>"}
CALLING = {**ASSISTANT, "tool_choice": FIND_TIDE}
TOLD = {**IN_THREAD, "tool_outputs": TOOL_OUTPUTS}
OFTEN = {"pollIntervalMs": 1}
SCIM = {"workspace_id": "<workspace>", "role": "member", "scim_group_name": "Support"}
TUNED = {"slug": "tuned", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"}
PROVIDER = {"name": "Ours", "integration_id": "openai-production", "workspace_id": "<workspace>"}
VIRTUAL_KEY = {"name": "Ours", "provider": "openai", "key": "sk-test-1", "workspace_id": "<workspace>"}
RERANK = {"model": "rerank-v3.5", "query": "When?", "documents": ["At nine.", "At ten."]}
AUDIT_LOGS = "/audit-logs?start_time=2026-05-01T00:00:00Z&end_time=2026-06-01T00:00:00Z"
STORE = {"vector_store_id": "<store.id>"}
IN_STORE = "/vector_stores/<store.id>/files/<file.id>"
STORED = {**STORE, "file_id": "<file.id>"}
BATCHED = {**STORE, "batch_id": "<batch.id>"}


PYTHON: Families = {
    "api_keys": [
        Call("api_keys.create", {"type": "workspace", "sub_type": "service", **KEY}, "createApiKey", keep="key"),
        Call("api_keys.list", {}, "listApiKeys"),
        Call("api_keys.retrieve", {"id": "<key.id>"}, "getApiKey"),
        Call("api_keys.update", {"id": "<key.id>", "name": "ci-2"}, "updateApiKey"),
        Call("post", {"url": "/api-keys/<key.id>/rotate"}, "rotateApiKey"),
        Call("api_keys.delete", {"id": "<key.id>"}, "deleteApiKey"),
    ],
    "workspaces": [
        Call("admin.workspaces.create", {"name": "Evaluation"}, "createWorkspace", keep="made"),
        Call("admin.workspaces.list", {}, "listWorkspaces"),
        Call("admin.workspaces.retrieve", {"workspace_id": "<made.id>"}, "getWorkspace"),
        Call("admin.workspaces.update", {"workspace_id": "<made.id>", "name": "Measuring"}, "updateWorkspace"),
        Call(
            "admin.workspaces.users.create",
            {"workspace_id": "<made.id>", "users": [{"id": "<person>", "role": "member"}]},
            "addWorkspaceMembers",
        ),
        Call("admin.workspaces.users.list", {"workspace_id": "<made.id>"}, "listWorkspaceMembers"),
        Call("admin.workspaces.users.retrieve", {"workspace_id": "<made.id>", "user_id": "<person>"}, "getWorkspaceMember"),
        Call(
            "admin.workspaces.users.update",
            {"workspace_id": "<made.id>", "user_id": "<person>", "role": "manager"},
            "updateWorkspaceMember",
        ),
        Call("admin.workspaces.users.delete", {"workspace_id": "<made.id>", "user_id": "<person>"}, "removeWorkspaceMember"),
        Call("admin.workspaces.delete", {"workspace_id": "<made.id>", "name": "Measuring"}, "deleteWorkspace"),
    ],
    "users": [
        Call("admin.users.list", {}, "listUsers"),
        Call("admin.users.retrieve", {"user_id": "<person>"}, "getUser"),
        Call("admin.users.update", {"user_id": "<person>", "role": "admin"}, "updateUser"),
        Call("admin.users.delete", {"user_id": "<person>"}, "deleteUser"),
        Call("admin.users.invites.create", {"email": "noor@example.com", "role": "member"}, "Invites_create", keep="invite"),
        Call("admin.users.invites.list", {}, "listUserInvites"),
        Call("admin.users.invites.retrieve", {"invite_id": "<invite.id>"}, "getUserInvite"),
        Call(
            "admin.users.invites.resend",
            {"invite_id": "<invite.id>"},
            "resendUserInvite",
            async_method="admin.users.resend",
        ),
        Call("admin.users.invites.delete", {"invite_id": "<invite.id>"}, "deleteUserInvite"),
    ],
    "scim": [
        Call(
            "post",
            {"url": "/scim/workspaces", "workspace_id": "<workspace>", "role": "member", "scim_group_name": "Support"},
            "createScimWorkspaceMapping",
            keep="mapping",
        ),
        Call("get", {"path": "/scim/workspaces"}, "listScimWorkspaceMappings"),
        Call("get", {"path": "/scim/groups"}, "listScimGroups"),
        Call("delete", {"path": "/scim/workspaces/<mapping.id>"}, "deleteScimWorkspaceMapping"),
    ],
    "collections": [
        Call("collections.create", {"name": "Care", "workspace_id": "<workspace>"}, "createCollection", keep="collection"),
        Call("collections.list", {}, "listCollections"),
        Call("collections.retrieve", {"collection_id": "<collection.id>"}, "getCollection"),
        Call("collections.update", {"collection_id": "<collection.id>", "name": "Service"}, "updateCollection"),
        Call("collections.delete", {"collection_id": "<collection.id>"}, "deleteCollection"),
    ],
    "labels": [
        Call("labels.create", {"name": "canary"}, "createLabel", keep="label"),
        Call("labels.list", {}, "listLabels"),
        Call("labels.retrieve", {"label_id": "<label.id>"}, "getLabel"),
        Call("labels.update", {"label_id": "<label.id>", "description": "One in ten"}, "updateLabel"),
        Call("labels.delete", {"label_id": "<label.id>"}, "deleteLabel"),
    ],
    "prompts": [
        Call("collections.create", {"name": "Care", "workspace_id": "<workspace>"}, "createCollection", keep="collection"),
        Call("prompts.create", PROMPT, "createPrompt", keep="prompt"),
        Call("prompts.list", {}, "listPrompts"),
        Call("prompts.retrieve", {"prompt_slug": "<prompt.id>"}, "getPrompt"),
        Call("prompts.update", {"prompt_slug": "<prompt.id>", "name": "Answer"}, "updatePrompt"),
        Call("prompts.publish", {"prompt_slug": "<prompt.id>", "version": 1}, "updatePromptDefault"),
        Call("prompts.versions.list", {"prompt_slug": "<prompt.id>"}, "getPromptVersions"),
        Call(
            "prompts.versions.retrieve",
            {"prompt_slug": "<prompt.id>", "version_id": "<prompt.version_id>"},
            "getPromptByVersion",
        ),
        Call("labels.create", {"name": "canary", "workspace_id": "<workspace>"}, "createLabel", keep="label"),
        Call(
            "prompts.versions.update",
            {"prompt_slug": "<prompt.id>", "version_id": "<prompt.version_id>", "label_id": "<label.id>"},
            "updatePromptVersion",
        ),
        Call("prompts.render", {"prompt_id": "<prompt.id>", "variables": {"name": "Ines"}}, "createPromptRender"),
        Call(
            "prompts.completions.create", {"prompt_id": "<prompt.id>", "variables": {"name": "Ines"}}, "createPromptCompletion"
        ),
        Call(
            "prompts.completions.create",
            {"prompt_id": "<prompt.id>", "variables": {"name": "Ines"}, "stream": True},
            "createPromptCompletion",
            streams=True,
        ),
        # It raises before it sends anything.
        Call("generations.create", {"prompt_id": "<prompt.id>"}, "", raises="TypeError"),
        Call("post", {"url": "/v1/prompts/<prompt.id>/generate", "variables": {"name": "Ines"}}, "createGeneration"),
        Call("prompts.delete", {"prompt_slug": "<prompt.id>"}, "deletePrompt"),
    ],
    "prompt_partials": [
        Call(
            "prompts.partials.create",
            {"name": "Bye", "string": "Yours, {{us}}", "workspace_id": "<workspace>"},
            "createPromptPartial",
            keep="partial",
        ),
        Call("prompts.partials.list", {}, "listPromptPartials"),
        Call("prompts.partials.retrieve", {"partial_slug": "<partial.id>"}, "getPromptPartial"),
        Call("prompts.partials.update", {"partial_slug": "<partial.id>", "string": "Bye, {{us}}"}, "updatePromptPartial"),
        Call("prompts.partials.publish", {"partial_slug": "<partial.id>", "version": 1}, "updatePromptPartialDefault"),
        Call("prompts.partials.versions.list", {"partial_slug": "<partial.id>"}, "getPromptPartialVersions"),
        Call("prompts.partials.delete", {"partial_slug": "<partial.id>"}, "deletePromptPartial"),
    ],
    "configs": [
        Call(
            "configs.create",
            {"name": "Retry", "config": {"retry": {"attempts": 2}}, "workspace_id": "<workspace>"},
            "createConfig",
            keep="config",
        ),
        Call("configs.list", {}, "listConfigs"),
        Call("configs.retrieve", {"slug": "<config.slug>"}, "getConfig"),
        Call("configs.update", {"slug": "<config.slug>", "name": "Retry twice"}, "updateConfig"),
        Call("get", {"path": "/configs/<config.slug>/versions"}, "listConfigVersions"),
        Call("configs.delete", {"slug": "<config.slug>"}, "deleteConfig"),
    ],
    "guardrails": [
        Call(
            "guardrails.create",
            {"name": "Short", "checks": CHECKS, "actions": {"deny": True}, "workspace_id": "<workspace>"},
            "createGuardrail",
            keep="guardrail",
        ),
        Call("guardrails.list", {}, "listGuardrails"),
        Call("guardrails.retrieve", {"guardrail_id": "<guardrail.id>"}, "getGuardrail"),
        Call("guardrails.update", {"guardrail_id": "<guardrail.id>", "name": "Brief"}, "updateGuardrail"),
        Call("guardrails.delete", {"guardrail_id": "<guardrail.id>"}, "deleteGuardrail"),
    ],
    "integrations": [
        Call(
            "integrations.create",
            {"name": "OpenAI", "ai_provider_id": "openai", "key": "sk-test-1"},
            "createIntegration",
            keep="integration",
        ),
        Call("integrations.list", {}, "listIntegrations"),
        Call("integrations.retrieve", {"slug": "<integration.slug>"}, "getIntegration"),
        Call("integrations.update", {"slug": "<integration.slug>", "description": "Paid by us"}, "updateIntegration"),
        Call(
            "integrations.models.update",
            {"slug": "<integration.slug>", "models": [{"slug": "gpt-4o", "enabled": True}, TUNED]},
            "updateIntegrationModels",
        ),
        Call("integrations.models.list", {"slug": "<integration.slug>"}, "listIntegrationModels"),
        Call("integrations.models.delete", {"slug": "<integration.slug>", "slugs": "tuned"}, "deleteIntegrationModels"),
        Call(
            "integrations.workspaces.update",
            {"slug": "<integration.slug>", "workspaces": [{"id": "<workspace>", "enabled": True}]},
            "updateIntegrationWorkspaces",
        ),
        Call("integrations.workspaces.list", {"slug": "<integration.slug>"}, "listIntegrationWorkspaces"),
        Call("integrations.delete", {"slug": "<integration.slug>"}, "deleteIntegration"),
    ],
    "providers": [
        Call("providers.create", PROVIDER, "createProvider", keep="provider"),
        Call("providers.list", {}, "listProviders"),
        Call("providers.retrieve", {"slug": "<provider.slug>"}, "getProvider"),
        Call("providers.update", {"slug": "<provider.slug>", "note": "For support"}, "updateProvider"),
        Call("providers.delete", {"slug": "<provider.slug>"}, "deleteProvider"),
    ],
    "virtual_keys": [
        Call("virtual_keys.create", VIRTUAL_KEY, "createVirtualKey", keep="made"),
        Call("virtual_keys.list", {}, "listVirtualKeys"),
        Call("virtual_keys.retrieve", {"slug": "<made.slug>"}, "getVirtualKey"),
        Call("virtual_keys.update", {"slug": "<made.slug>", "note": "For support"}, "updateVirtualKey"),
        Call("virtual_keys.delete", {"slug": "<made.slug>"}, "deleteVirtualKey"),
    ],
    "secret_references": [
        Call("post", {"url": "/secret-references", **SECRET}, "createSecretReference", keep="secret"),
        Call("get", {"path": "/secret-references"}, "listSecretReferences"),
        Call("get", {"path": "/secret-references/<secret.id>"}, "getSecretReference"),
        Call("put", {"path": "/secret-references/<secret.id>", "body": {"name": "Key"}}, "updateSecretReference"),
        Call("delete", {"path": "/secret-references/<secret.id>"}, "deleteSecretReference"),
    ],
    "feedback": [
        Call("feedback.create", {"trace_id": "order-1", "value": 5}, "createFeedback", keep="feedback"),
        Call("feedback.bulk_create", {"feedbacks": [{"trace_id": "order-1", "value": 5}]}, "createFeedback"),
        Call("feedback.update", {"feedback_id": "<feedback.feedback_ids.0>", "value": -2}, "updateFeedback"),
    ],
    "mcp_integrations": [
        Call("mcp_integrations.create", MCP, "McpIntegrations_create", keep="made"),
        Call("mcp_integrations.list", {}, "McpIntegrations_list"),
        Call("mcp_integrations.retrieve", {"mcp_integration_id": "<made.id>"}, "McpIntegrations_retrieve"),
        Call("mcp_integrations.update", {"mcp_integration_id": "<made.id>", "name": "Desk"}, "McpIntegrations_update"),
        Call("mcp_integrations.test", {"mcp_integration_id": "<made.id>"}, "testMcpIntegration"),
        Call("mcp_integrations.sync", {"mcp_integration_id": "<made.id>"}, "syncMcpIntegration"),
        Call("mcp_integrations.metadata.retrieve", {"mcp_integration_id": "<made.id>"}, "McpIntegrationMetadata_retrieve"),
        Call("mcp_integrations.workspaces.list", {"mcp_integration_id": "<made.id>"}, "McpIntegrationWorkspaces_list"),
        Call(
            "mcp_integrations.workspaces.update",
            {"mcp_integration_id": "<made.id>", "workspaces": [{"id": "<workspace>", "enabled": True}]},
            "McpIntegrationWorkspaces_bulkUpdate",
        ),
        Call("mcp_integrations.capabilities.list", {"mcp_integration_id": "<made.id>"}, "McpIntegrationCapabilities_list"),
        Call(
            "mcp_integrations.capabilities.update",
            {"mcp_integration_id": "<made.id>", "capabilities": CAPABILITIES},
            "McpIntegrationCapabilities_bulkUpdate",
        ),
        Call("mcp_integrations.delete", {"mcp_integration_id": "<made.id>"}, "McpIntegrations_delete"),
    ],
    "mcp_servers": [
        Call("mcp_integrations.create", {**MCP, "workspace_id": "<workspace>"}, "McpIntegrations_create"),
        Call(
            "mcp_servers.create",
            {"name": "Ours", "mcp_integration_id": "tickets", "workspace_id": "<workspace>"},
            "McpServers_create",
            keep="made",
        ),
        Call("mcp_servers.list", {"workspace_id": "<workspace>"}, "McpServers_list"),
        Call("mcp_servers.retrieve", {"mcp_server_id": "<made.id>"}, "McpServers_retrieve"),
        Call("mcp_servers.update", {"mcp_server_id": "<made.id>", "description": "At the desk"}, "McpServers_update"),
        Call("mcp_servers.test", {"mcp_server_id": "<made.id>"}, "McpServers_test"),
        Call("mcp_servers.metadata.retrieve", {"mcp_server_id": "<made.id>"}, "getMcpServerMetadata"),
        Call("mcp_servers.metadata.sync", {"mcp_server_id": "<made.id>", "server_name": "t"}, "syncMcpServerMetadata"),
        Call("mcp_servers.capabilities.list", {"mcp_server_id": "<made.id>"}, "McpServerCapabilities_list"),
        Call(
            "mcp_servers.capabilities.update",
            {"mcp_server_id": "<made.id>", "capabilities": CAPABILITIES},
            "McpServerCapabilities_bulkUpdate",
        ),
        Call("mcp_servers.capabilities.sync", {"mcp_server_id": "<made.id>"}, "syncMcpServerCapabilities"),
        Call(
            "mcp_servers.user_access.list",
            {"mcp_server_id": "<made.id>"},
            "McpServerUserAccess_list",
            raises="ValidationError: 1 validation error for McpServerUserAccessResponse\ndefault_user_access",
        ),
        Call(
            "mcp_servers.user_access.update",
            {"mcp_server_id": "<made.id>", "user_access": [{"user_id": "<person>", "enabled": True}]},
            "McpServerUserAccess_bulkUpdate",
        ),
        Call("mcp_servers.user_access.check", {"mcp_server_id": "<made.id>"}, "checkMcpServerUserAccess"),
        Call("get", {"path": "/mcp-servers/<made.id>/connections"}, "McpServerConnections_list"),
        Call("delete", {"path": "/mcp-servers/<made.id>/connections?user_id=<person>"}, "McpServerConnections_delete"),
        Call("mcp_servers.update_tokens", {"mcp_server_id": "<made.id>", "access_token": "at-1"}, "updateMcpServerTokens"),
        Call("mcp_servers.get_tokens", {"mcp_server_id": "<made.id>"}, "getMcpServerTokens"),
        Call("mcp_servers.delete_tokens", {"mcp_server_id": "<made.id>"}, "deleteMcpServerTokens"),
        Call("mcp_servers.get_client_info", {"mcp_server_id": "<made.id>"}, "getMcpServerClientInfo"),
        Call("mcp_servers.delete", {"mcp_server_id": "<made.id>"}, "McpServers_delete"),
    ],
    "logs": [
        Call("logs.create", {"request": LOGGED["request"], "response": LOGGED["response"]}, "createLog"),
        Planted("logs", "log-1", {"id": LOG, "workspace_id": "", "trace_id": "", "created_at": "2026-05-03T12:00:00.000Z"}),
        Call("get", {"path": f"/logs/{LOG}"}, "getLog"),
        Call("logs.exports.create", EXPORT, "createLogExport", keep="export"),
        Call("logs.exports.list", {}, "listLogExports"),
        Call("logs.exports.retrieve", {"export_id": "<export.id>"}, "getLogExport"),
        Call("logs.exports.update", {"export_id": "<export.id>", "filters": MAY}, "updateLogExport"),
        Call("logs.exports.start", {"export_id": "<export.id>"}, "startLogExport"),
        Call("logs.exports.cancel", {"export_id": "<export.id>"}, "cancelLogExport"),
        Call("logs.exports.create", EXPORT, "createLogExport", keep="export"),
        Call("logs.exports.start", {"export_id": "<export.id>"}, "startLogExport"),
        Passed(3600),
        Call("logs.exports.download", {"export_id": "<export.id>"}, "downloadLogExport"),
        Call("get", {"path": "/audit-logs?start_time=2026-05-01T00:00:00Z&end_time=2026-06-01T00:00:00Z"}, "listAuditLogs"),
    ],
    "analytics": [
        *(
            Call(f"analytics.{name}", MAY, operation)
            for name, operation in {
                "graphs.requests": "getRequestsGraph",
                "graphs.cost": "getCostGraph",
                "graphs.latency": "getLatencyGraph",
                "graphs.tokens": "getTokensGraph",
                "graphs.users": "getUsersGraph",
                "graphs.users_requests": "getUserRequestsGraph",
                "graphs.errors": "getErrorsGraph",
                "graphs.errors_rate": "getErrorRateGraph",
                "graphs.errors_stacks": "getErrorStacksGraph",
                "graphs.errors_status_codes": "getErrorStatusCodesGraph",
                "graphs.requests_rescued": "getRescuedRequestsGraph",
                "graphs.cache_hit_rate": "getCacheHitRateGraph",
                "graphs.cache_latency": "getCacheLatencyGraph",
                "graphs.feedbacks": "getFeedbacksGraph",
                "graphs.feedbacks_scores": "getFeedbackScoresGraph",
                "graphs.feedbacks_weighted": "getWeightedFeedbackGraph",
                "graphs.feedbacks_ai_models": "getFeedbackModelsGraph",
                "summary.cache": "getCacheSummary",
                "groups.users": "listUserGroups",
                "groups.ai_models": "listModelGroups",
                "groups.workspaces": "listWorkspaceGroups",
            }.items()
        ),
        Call("analytics.groups.metadata", {"metadata_key": "_user", **MAY}, "listMetadataGroups"),
        Call("analytics.groups.group_by", {"group_by": "model", **MAY}, "listGroups"),
    ],
    "policies": [
        Call("post", {"url": "/policies/usage-limits", **USAGE_POLICY}, "createUsageLimitsPolicy", keep="usage"),
        Call("get", {"path": "/policies/usage-limits?workspace_id=<workspace>"}, "listUsageLimitsPolicies"),
        Call("get", {"path": "/policies/usage-limits/<usage.id>"}, "getUsageLimitsPolicy"),
        Call("put", {"path": "/policies/usage-limits/<usage.id>", "body": {"credit_limit": 60}}, "updateUsageLimitsPolicy"),
        Planted("usage_limits_policy_entities", "group-1", GROUP),
        Call("get", {"path": "/policies/usage-limits/<usage.id>/entities"}, "listUsageLimitsPolicyEntities"),
        Call("put", {"path": "/policies/usage-limits/<usage.id>/entities/group-1/reset"}, "resetUsageLimitsPolicyEntity"),
        Call("delete", {"path": "/policies/usage-limits/<usage.id>"}, "deleteUsageLimitsPolicy"),
        Call("post", {"url": "/policies/rate-limits", **RATE_POLICY}, "createRateLimitsPolicy", keep="rate"),
        Call("get", {"path": "/policies/rate-limits?workspace_id=<workspace>"}, "listRateLimitsPolicies"),
        Call("get", {"path": "/policies/rate-limits/<rate.id>"}, "getRateLimitsPolicy"),
        Call("put", {"path": "/policies/rate-limits/<rate.id>", "body": {"value": 60}}, "updateRateLimitsPolicy"),
        Call("delete", {"path": "/policies/rate-limits/<rate.id>"}, "deleteRateLimitsPolicy"),
    ],
    "model_pricing": [Call("get", {"path": "<root>/model-configs/pricing/openai/gpt-4o"}, "getModelPricing")],
    "chat": [
        Call("chat.completions.create", ASK, "createChatCompletion"),
        Call("chat.completions.create", {**ASK, "stream": True}, "createChatCompletion", streams=True),
        Call("chat.completions.normal_create", {**ASK, "stream": False}, "createChatCompletion"),
        Call("chat.completions.stream_create", {**ASK, "stream": True}, "createChatCompletion", streams=True),
        Call("chat.completions.parse", ASK, "createChatCompletion"),
        Call("chat.completions.stream", ASK, "createChatCompletion", streams=True),
        Call("beta.chat.completions.parse", ASK, "createChatCompletion"),
        Call("beta.chat.completions.stream", ASK, "createChatCompletion", streams=True),
    ],
    "completions": [
        Call("completions.create", {"model": "gpt-3.5-turbo-instruct", "prompt": "The moons are"}, "createCompletion"),
        Call("completions.create", {"prompt": "The moons are", "stream": True}, "createCompletion", streams=True),
        Call("completions.normal_create", {"model": "gpt-4o", "prompt": "The moons are", "stream": False}, "createCompletion"),
        Call(
            "completions.stream_create",
            {"model": "gpt-4o", "prompt": "The moons are", "stream": True},
            "createCompletion",
            streams=True,
        ),
    ],
    "inference": [
        Call("embeddings.create", {"model": "text-embedding-3-small", "input": "Opening hours"}, "createEmbedding"),
        Call("moderations.create", {"input": "I will water your plants."}, "createModeration"),
        Call("images.generate", {"prompt": "A lighthouse"}, "createImage"),
        Call("images.edit", {"image": Upload("image.png"), "prompt": "Put a boat beside it"}, "createImageEdit"),
        Call("images.create_variation", {"image": Upload("image.png")}, "createImageVariation"),
    ],
    "rerank": [Call("post", {"url": "/rerank", **RERANK}, "createRerank")],
    "realtime": [
        Call("realtime.connect", {"model": "gpt-realtime"}, "connectRealtime", talks=True),
        Call("beta.realtime.connect", {"model": "gpt-4o-realtime-preview"}, "connectRealtime", talks=True),
    ],
    "audio": [
        Call("audio.speech.create", {"model": "tts-1", "voice": "nova", "input": "At noon."}, "createSpeech"),
        Call("audio.transcriptions.create", {"file": Upload("speech.wav"), "model": "whisper-1"}, "createTranscription"),
        Call("audio.translations.create", {"file": Upload("speech.wav"), "model": "whisper-1"}, "createTranslation"),
    ],
    "responses": [
        Call("responses.create", {"model": "gpt-4o", "input": "Which tide?"}, "createResponse", keep="response"),
        Call("responses.create", {"model": "gpt-4o", "input": "Which?", "stream": True}, "createResponse", streams=True),
        Call("responses.stream", {"model": "gpt-4o", "input": "Which tide?"}, "createResponse", streams=True),
        Call("responses.parse", {"model": "gpt-4o", "input": "Which tide?"}, "createResponse"),
        Call("responses.retrieve", {"response_id": "<response.id>"}, "getResponse"),
        Call("responses.retrieve", {"response_id": "<response.id>", "stream": True}, "getResponse", streams=True),
        Call("responses.input_tokens.count", {"model": "gpt-4o", "input": "Which tide?"}, "countInputTokens"),
        SLOWLY,
        Call("responses.create", {**LATER, "input": "Which tide?"}, "createResponse", keep="later"),
        Call("responses.cancel", {"response_id": "<later.id>"}, "cancelResponse"),
        Call("responses.input_items.list", {"response_id": "<response.id>"}, "listInputItems"),
        Call("responses.delete", {"response_id": "<response.id>"}, "deleteResponse"),
    ],
    "models": [
        Planted("models", "ft:gpt-4o:tickets", MODEL),
        Call("models.list", {}, "listModels"),
        Call("models.retrieve", {"model": "ft:gpt-4o:tickets"}, "retrieveModel"),
        Call("models.delete", {"model": "ft:gpt-4o:tickets"}, "deleteModel"),
    ],
    "files": [
        Call("files.create", {"file": Upload("lines.jsonl"), "purpose": "batch"}, "createFile", keep="file"),
        Call("files.list", {}, "listFiles"),
        Call("files.retrieve", {"file_id": "<file.id>"}, "retrieveFile"),
        Call("files.wait_for_processing", {"id": "<file.id>", "poll_interval": 0.01}, "retrieveFile"),
        Call("files.content", {"file_id": "<file.id>"}, "downloadFile"),
        Call("files.retrieve_content", {"file_id": "<file.id>"}, "downloadFile"),
        Call("files.delete", {"file_id": "<file.id>"}, "deleteFile"),
    ],
    "batches": [
        Call("files.create", {"file": Upload("lines.jsonl"), "purpose": "batch"}, "createFile", keep="file"),
        Call("batches.create", BATCH, "createBatch", keep="batch"),
        Call("batches.list", {}, "listBatches"),
        Passed(3),
        Call("batches.retrieve", {"batch_id": "<batch.id>"}, "retrieveBatch"),
        Call("batches.output", {"batch_id": "<batch.id>"}, "getBatchOutput"),
        Call("batches.create", BATCH, "createBatch", keep="batch"),
        Call("batches.cancel", {"batch_id": "<batch.id>"}, "cancelBatch"),
    ],
    "fine_tuning": [
        Call("files.create", {"file": Upload("examples.jsonl"), "purpose": "fine-tune"}, "createFile", keep="file"),
        Call("fine_tuning.jobs.create", JOB, "createFineTuningJob", keep="job"),
        Passed(1),
        Call("post", {"url": "/fine_tuning/jobs/<job.id>/pause"}, "pauseFineTuningJob"),
        Call("post", {"url": "/fine_tuning/jobs/<job.id>/resume"}, "resumeFineTuningJob"),
        Passed(7),
        Call("fine_tuning.jobs.list", {}, "listPaginatedFineTuningJobs"),
        Call("fine_tuning.jobs.retrieve", {"fine_tuning_job_id": "<job.id>"}, "retrieveFineTuningJob", keep="job"),
        Call("fine_tuning.jobs.list_events", {"fine_tuning_job_id": "<job.id>"}, "listFineTuningEvents"),
        Call("fine_tuning.jobs.checkpoints.list", {"fine_tuning_job_id": "<job.id>"}, "listFineTuningJobCheckpoints"),
        Call("models.delete", {"model": "<job.fine_tuned_model>"}, "deleteModel"),
        Call("fine_tuning.jobs.create", JOB, "createFineTuningJob", keep="job"),
        Call("fine_tuning.jobs.cancel", {"fine_tuning_job_id": "<job.id>"}, "cancelFineTuningJob"),
    ],
    "assistants": [
        Call("beta.assistants.create", {"model": "gpt-4o"}, "createAssistant", keep="assistant"),
        Call("beta.assistants.list", {}, "listAssistants"),
        Call("beta.assistants.retrieve", {"assistant_id": "<assistant.id>"}, "getAssistant"),
        Call("beta.assistants.update", {"assistant_id": "<assistant.id>", "name": "Desk"}, "modifyAssistant"),
        Call("beta.assistants.delete", {"assistant_id": "<assistant.id>"}, "deleteAssistant"),
    ],
    "threads": [
        Call("beta.threads.create", {}, "createThread", keep="thread"),
        Call("beta.threads.retrieve", {"thread_id": "<thread.id>"}, "getThread"),
        Call("beta.threads.update", {"thread_id": "<thread.id>", "metadata": {"a": "b"}}, "modifyThread"),
        Call(
            "beta.threads.messages.create",
            {"thread_id": "<thread.id>", "role": "user", "content": "When?"},
            "createMessage",
            keep="message",
        ),
        Call("beta.threads.messages.list", {"thread_id": "<thread.id>"}, "listMessages"),
        Call("beta.threads.messages.retrieve", {"thread_id": "<thread.id>", "message_id": "<message.id>"}, "getMessage"),
        Call(
            "beta.threads.messages.update",
            {"thread_id": "<thread.id>", "message_id": "<message.id>", "metadata": {"a": "b"}},
            "modifyMessage",
        ),
        Call("beta.threads.messages.delete", {"thread_id": "<thread.id>", "message_id": "<message.id>"}, "deleteMessage"),
        Call("beta.threads.delete", {"thread_id": "<thread.id>"}, "deleteThread"),
    ],
    "runs": [
        Call("beta.assistants.create", {"model": "gpt-4o", "tools": [FIND_TIDE]}, "createAssistant", keep="assistant"),
        Call("beta.threads.create", {"messages": MESSAGES}, "createThread", keep="thread"),
        Call("beta.threads.runs.create", RUN, "createRun", keep="run"),
        Call("beta.threads.runs.update", {**THIS_RUN, "metadata": {"a": "b"}}, "modifyRun"),
        Call("beta.threads.runs.cancel", THIS_RUN, "cancelRun"),
        Passed(1),
        Call("beta.threads.runs.normal_create", RUN, "createRun", keep="run"),
        Call("beta.threads.runs.poll", THIS_RUN, "getRun", polls=True),
        Call("beta.threads.runs.list", {"thread_id": "<thread.id>"}, "listRuns"),
        Call("beta.threads.runs.steps.list", THIS_RUN, "listRunSteps", keep="steps"),
        Call("beta.threads.runs.steps.retrieve", {**THIS_RUN, "step_id": "<steps.data.0.id>"}, "getRunStep"),
        Call("beta.threads.runs.create", {**RUN, "stream": True}, "createRun", streams=True),
        Call("beta.threads.runs.stream_create", RUN, "createRun", streams=True),
        Call("beta.threads.runs.create_and_stream", RUN, "createRun", streams=True, async_raises="TypeError"),
        Call("beta.threads.runs.stream", RUN, "createRun", streams=True, async_raises="TypeError"),
        Call("beta.threads.runs.create_and_poll", CALLING_RUN, "createRun getRun", keep="waiting", polls=True),
        Call("beta.threads.runs.submit_tool_outputs", TOLD_RUN, "submitToolOuputsToRun"),
        Passed(1),
        Call("beta.threads.runs.create", CALLING_RUN, "createRun", keep="run"),
        Passed(1),
        Call("beta.threads.runs.retrieve", THIS_RUN, "getRun", keep="waiting"),
        Call("beta.threads.runs.submit_tool_outputs_and_poll", TOLD_RUN, "submitToolOuputsToRun getRun", polls=True),
        Call("beta.threads.runs.create", CALLING_RUN, "createRun", keep="run"),
        Passed(1),
        Call("beta.threads.runs.retrieve", THIS_RUN, "getRun", keep="waiting"),
        Call("beta.threads.runs.submit_tool_outputs_stream", TOLD_RUN, "submitToolOuputsToRun", streams=True),
        Call("beta.threads.create_and_run", ASSISTANT, "createThreadAndRun"),
        Call("beta.threads.create_and_run", {**ASSISTANT, "stream": True}, "createThreadAndRun", streams=True),
        Call("beta.threads.normal_create_and_run", ASSISTANT, "createThreadAndRun"),
        Call("beta.threads.stream_create_and_run", ASSISTANT, "createThreadAndRun", streams=True),
        Call("beta.threads.create_and_run_stream", ASSISTANT, "createThreadAndRun", streams=True, async_raises="TypeError"),
        Call("beta.threads.create_and_run_poll", ASSISTANT, "createThreadAndRun getRun", polls=True),
    ],
    "vector_stores": [
        Call("files.create", {"file": Upload("lines.jsonl"), "purpose": "assistants"}, "createFile", keep="file"),
        Call("vector_stores.create", {"name": "Handbook"}, "createVectorStore", keep="store"),
        Call("vector_stores.list", {}, "listVectorStores"),
        Call("vector_stores.retrieve", STORE, "getVectorStore"),
        Call("vector_stores.update", {**STORE, "name": "Guide"}, "modifyVectorStore"),
        Call("vector_stores.files.create", STORED, "createVectorStoreFile"),
        Call("vector_stores.files.list", STORE, "listVectorStoreFiles"),
        Call("vector_stores.files.retrieve", STORED, "getVectorStoreFile"),
        Call("vector_stores.files.poll", STORED, "getVectorStoreFile", polls=True),
        Call("vector_stores.files.delete", STORED, "deleteVectorStoreFile"),
        Call("vector_stores.files.create_and_poll", STORED, "createVectorStoreFile getVectorStoreFile", polls=True),
        Call("vector_stores.files.upload", {**STORE, "file": Upload("lines.jsonl")}, "createFile createVectorStoreFile"),
        Call(
            "vector_stores.files.upload_and_poll",
            {**STORE, "file": Upload("lines.jsonl")},
            "createFile createVectorStoreFile getVectorStoreFile",
            polls=True,
        ),
        Call(
            "vector_stores.file_batches.create",
            {**STORE, "file_ids": ["<file.id>"]},
            "createVectorStoreFileBatch",
            keep="batch",
        ),
        Call("vector_stores.file_batches.retrieve", BATCHED, "getVectorStoreFileBatch"),
        Call("vector_stores.file_batches.list_files", BATCHED, "listFilesInVectorStoreBatch"),
        Call("vector_stores.file_batches.poll", BATCHED, "getVectorStoreFileBatch", polls=True),
        Call("vector_stores.file_batches.cancel", BATCHED, "cancelVectorStoreFileBatch"),
        Call(
            "vector_stores.file_batches.create_and_poll",
            {**STORE, "file_ids": ["<file.id>"]},
            "createVectorStoreFileBatch getVectorStoreFileBatch",
            polls=True,
        ),
        Call(
            "vector_stores.file_batches.upload_and_poll",
            {**STORE, "files": [Upload("lines.jsonl")]},
            "createFile createVectorStoreFileBatch getVectorStoreFileBatch",
            polls=True,
        ),
        Call("post", {"url": "/vector_stores/<store.id>/search", "query": "tide"}, "searchVectorStore"),
        Call("post", {"url": IN_STORE, "attributes": {"port": "Hull"}}, "updateVectorStoreFile"),
        Call("get", {"path": f"{IN_STORE}/content"}, "getVectorStoreFileContent"),
        Call("vector_stores.delete", STORE, "deleteVectorStore"),
    ],
}
"""What is made with `Portkey` and `AsyncPortkey`."""

NODE: Families = {
    "api_keys": [
        Call("apiKeys.create", [{"type": "workspace", "sub-type": "service", **KEY}], "createApiKey", keep="key"),
        Call("apiKeys.list", [{}], "listApiKeys"),
        Call("apiKeys.retrieve", [{"id": "<key.id>"}], "getApiKey"),
        Call("apiKeys.update", [{"id": "<key.id>", "name": "ci-2"}], "updateApiKey"),
        Call("post", ["/api-keys/<key.id>/rotate", {}], "rotateApiKey"),
        Call("apiKeys.delete", [{"id": "<key.id>"}], "deleteApiKey"),
    ],
    "workspaces": [
        Call("admin.workspaces.create", [{"name": "Evaluation"}], "createWorkspace", keep="made"),
        Call("admin.workspaces.list", [{}], "listWorkspaces"),
        Call("admin.workspaces.retrieve", [{"workspaceId": "<made.id>"}], "getWorkspace"),
        Call("admin.workspaces.update", [{"workspaceId": "<made.id>", "name": "Measuring"}], "updateWorkspace"),
        Call(
            "admin.workspaces.users.create",
            [{"workspaceId": "<made.id>", "users": [{"id": "<person>", "role": "member"}]}],
            "addWorkspaceMembers",
        ),
        Call("admin.workspaces.users.list", [{"workspaceId": "<made.id>"}], "listWorkspaceMembers"),
        Call("admin.workspaces.users.retrieve", [{"workspaceId": "<made.id>", "userId": "<person>"}], "getWorkspaceMember"),
        Call(
            "admin.workspaces.users.update",
            [{"workspaceId": "<made.id>", "userId": "<person>", "role": "manager"}],
            "updateWorkspaceMember",
        ),
        Call("admin.workspaces.users.delete", [{"workspaceId": "<made.id>", "userId": "<person>"}], "removeWorkspaceMember"),
        Call("admin.workspaces.delete", [{"workspaceId": "<made.id>", "name": "Measuring"}], "deleteWorkspace"),
    ],
    "users": [
        Call("admin.users.list", [{}], "listUsers"),
        Call("admin.users.retrieve", [{"userId": "<person>"}], "getUser"),
        Call("admin.users.update", [{"userId": "<person>", "role": "admin"}], "updateUser"),
        Call("admin.users.delete", [{"userId": "<person>"}], "deleteUser"),
        Call("admin.users.invites.create", [{"email": "noor@example.com", "role": "member"}], "Invites_create", keep="invite"),
        Call("admin.users.invites.list", [], "listUserInvites"),
        Call("admin.users.invites.retrieve", [{"inviteId": "<invite.id>"}], "getUserInvite"),
        Call("admin.users.invites.resend", [{"inviteId": "<invite.id>"}], "resendUserInvite"),
        Call("admin.users.invites.delete", [{"inviteId": "<invite.id>"}], "deleteUserInvite"),
    ],
    "scim": [
        Call("post", ["/scim/workspaces", SCIM], "createScimWorkspaceMapping", keep="mapping"),
        Call("get", ["/scim/workspaces"], "listScimWorkspaceMappings"),
        Call("get", ["/scim/groups"], "listScimGroups"),
        Call("delete", ["/scim/workspaces/<mapping.id>"], "deleteScimWorkspaceMapping"),
    ],
    "collections": [
        Call("collections.create", [{"name": "Care", "workspace_id": "<workspace>"}], "createCollection", keep="collection"),
        Call("collections.list", [], "listCollections"),
        Call("collections.retrieve", ["<collection.id>"], "getCollection"),
        Call("collections.update", ["<collection.id>", {"name": "Service"}], "updateCollection"),
        Call("collections.delete", ["<collection.id>"], "deleteCollection"),
    ],
    "labels": [
        Call("labels.create", [{"name": "canary"}], "createLabel", keep="label"),
        Call("labels.list", [], "listLabels"),
        Call("labels.retrieve", ["<label.id>"], "getLabel"),
        Call("labels.update", ["<label.id>", {"description": "One in ten"}], "updateLabel"),
        Call("labels.delete", ["<label.id>"], "deleteLabel"),
    ],
    "prompts": [
        Call("collections.create", [{"name": "Care", "workspace_id": "<workspace>"}], "createCollection", keep="collection"),
        Call("prompts.create", [PROMPT], "createPrompt", keep="prompt"),
        Call("prompts.list", [], "listPrompts"),
        Call("prompts.retrieve", ["<prompt.id>"], "getPrompt"),
        Call("prompts.update", ["<prompt.id>", {"name": "Answer"}], "updatePrompt"),
        Call("prompts.publish", ["<prompt.id>", {"version": 1}], "updatePromptDefault"),
        Call("prompts.versions.list", ["<prompt.id>"], "getPromptVersions"),
        Call("prompts.versions.retrieve", ["<prompt.id>", "<prompt.version_id>"], "getPromptByVersion"),
        Call("labels.create", [{"name": "canary", "workspace_id": "<workspace>"}], "createLabel", keep="label"),
        Call(
            "prompts.versions.update",
            ["<prompt.id>", "<prompt.version_id>", {"label_id": "<label.id>"}],
            "updatePromptVersion",
        ),
        Call("prompts.render", [{"promptID": "<prompt.id>", "variables": {"name": "Ines"}}], "createPromptRender"),
        Call(
            "prompts.completions.create",
            [{"promptID": "<prompt.id>", "variables": {"name": "Ines"}}],
            "createPromptCompletion",
        ),
        Call(
            "prompts.completions.create",
            [{"promptID": "<prompt.id>", "variables": {"name": "Ines"}, "stream": True}],
            "createPromptCompletion",
            streams=True,
        ),
        Call("generations.create", [{"promptID": "<prompt.id>", "variables": {"name": "Ines"}}], "createGeneration"),
        Call("prompts.delete", ["<prompt.id>"], "deletePrompt"),
    ],
    "prompt_partials": [
        Call(
            "prompts.partials.create",
            [{"name": "Bye", "string": "Yours, {{us}}", "workspace_id": "<workspace>"}],
            "createPromptPartial",
            keep="partial",
        ),
        Call("prompts.partials.list", [], "listPromptPartials"),
        Call("prompts.partials.retrieve", ["<partial.id>"], "getPromptPartial"),
        Call("prompts.partials.update", ["<partial.id>", {"string": "Bye, {{us}}"}], "updatePromptPartial"),
        Call("prompts.partials.publish", ["<partial.id>", {"version": 1}], "updatePromptPartialDefault"),
        Call("prompts.partials.versions.list", ["<partial.id>"], "getPromptPartialVersions"),
        Call("prompts.partials.delete", ["<partial.id>"], "deletePromptPartial"),
    ],
    "configs": [
        Call(
            "configs.create",
            [{"name": "Retry", "config": {"retry": {"attempts": 2}}, "workspace_id": "<workspace>"}],
            "createConfig",
            keep="config",
        ),
        Call("configs.list", [], "listConfigs"),
        Call("configs.retrieve", [{"slug": "<config.slug>"}], "getConfig"),
        Call("configs.update", [{"slug": "<config.slug>", "name": "Retry twice"}], "updateConfig"),
        Call("get", ["/configs/<config.slug>/versions"], "listConfigVersions"),
        Call("configs.delete", [{"slug": "<config.slug>"}], "deleteConfig"),
    ],
    "guardrails": [
        Call(
            "guardrails.create",
            [{"name": "Short", "checks": CHECKS, "actions": {"deny": True}, "workspace_id": "<workspace>"}],
            "createGuardrail",
            keep="guardrail",
        ),
        Call("guardrails.list", [], "listGuardrails"),
        Call("guardrails.retrieve", [{"guardrail_id": "<guardrail.id>"}], "getGuardrail"),
        Call("guardrails.update", [{"guardrail_id": "<guardrail.id>", "name": "Brief"}], "updateGuardrail"),
        Call("guardrails.delete", [{"guardrail_id": "<guardrail.id>"}], "deleteGuardrail"),
    ],
    "integrations": [
        Call(
            "integrations.create",
            [{"name": "OpenAI", "ai_provider_id": "openai", "key": "sk-test-1"}],
            "createIntegration",
            keep="integration",
        ),
        Call("integrations.list", [], "listIntegrations"),
        Call("integrations.retrieve", [{"slug": "<integration.slug>"}], "getIntegration"),
        Call("integrations.update", [{"slug": "<integration.slug>", "description": "Paid by us"}], "updateIntegration"),
        Call(
            "integrations.models.update",
            [{"slug": "<integration.slug>", "models": [{"slug": "gpt-4o", "enabled": True}, TUNED]}],
            "updateIntegrationModels",
        ),
        Call("integrations.models.list", [{"slug": "<integration.slug>"}], "listIntegrationModels"),
        Call("integrations.models.delete", [{"slug": "<integration.slug>", "slugs": "tuned"}], "deleteIntegrationModels"),
        Call(
            "integrations.workspaces.update",
            [{"slug": "<integration.slug>", "workspaces": [{"id": "<workspace>", "enabled": True}]}],
            "updateIntegrationWorkspaces",
        ),
        Call("integrations.workspaces.list", [{"slug": "<integration.slug>"}], "listIntegrationWorkspaces"),
        Call("integrations.delete", [{"slug": "<integration.slug>"}], "deleteIntegration"),
    ],
    "providers": [
        Call("providers.create", [PROVIDER], "createProvider", keep="provider"),
        Call("providers.list", [], "listProviders"),
        Call("providers.retrieve", [{"slug": "<provider.slug>"}], "getProvider"),
        Call("providers.update", [{"slug": "<provider.slug>", "note": "For support"}], "updateProvider"),
        Call("providers.delete", [{"slug": "<provider.slug>"}], "deleteProvider"),
    ],
    "virtual_keys": [
        Call("virtualKeys.create", [VIRTUAL_KEY], "createVirtualKey", keep="made"),
        Call("virtualKeys.list", [], "listVirtualKeys"),
        Call("virtualKeys.retrieve", [{"slug": "<made.slug>"}], "getVirtualKey"),
        Call("virtualKeys.update", [{"slug": "<made.slug>", "note": "For support"}], "updateVirtualKey"),
        Call("virtualKeys.delete", [{"slug": "<made.slug>"}], "deleteVirtualKey"),
    ],
    "secret_references": [
        Call("post", ["/secret-references", SECRET], "createSecretReference", keep="secret"),
        Call("get", ["/secret-references"], "listSecretReferences"),
        Call("get", ["/secret-references/<secret.id>"], "getSecretReference"),
        Call("put", ["/secret-references/<secret.id>", {"name": "Key"}], "updateSecretReference"),
        Call("delete", ["/secret-references/<secret.id>"], "deleteSecretReference"),
    ],
    "feedback": [
        Call("feedback.create", [{"traceID": "order-1", "value": 5}], "createFeedback", keep="feedback"),
        Call("feedback.update", [{"feedbackID": "<feedback.feedback_ids.0>", "value": -2}], "updateFeedback"),
    ],
    "mcp_integrations": [
        Call("mcpIntegrations.create", [MCP], "McpIntegrations_create", keep="made"),
        Call("mcpIntegrations.list", [], "McpIntegrations_list"),
        Call("mcpIntegrations.retrieve", [MADE], "McpIntegrations_retrieve"),
        Call("mcpIntegrations.update", [{**MADE, "name": "Desk"}], "McpIntegrations_update"),
        Call("mcpIntegrations.test", [MADE], "testMcpIntegration"),
        Call("mcpIntegrations.sync", [MADE], "syncMcpIntegration"),
        Call("mcpIntegrations.metadata.get", [MADE], "McpIntegrationMetadata_retrieve"),
        Call("mcpIntegrations.workspaces.list", [MADE], "McpIntegrationWorkspaces_list"),
        Call(
            "mcpIntegrations.workspaces.update",
            [{**MADE, "workspaces": [{"id": "<workspace>", "enabled": True}]}],
            "McpIntegrationWorkspaces_bulkUpdate",
        ),
        Call("mcpIntegrations.capabilities.list", [MADE], "McpIntegrationCapabilities_list"),
        Call(
            "mcpIntegrations.capabilities.update",
            [{**MADE, "capabilities": CAPABILITIES}],
            "McpIntegrationCapabilities_bulkUpdate",
        ),
        Call("mcpIntegrations.delete", [MADE], "McpIntegrations_delete"),
    ],
    "mcp_servers": [
        Call("mcpIntegrations.create", [{**MCP, "workspaceId": "<workspace>"}], "McpIntegrations_create"),
        Call(
            "mcpServers.create",
            [{"name": "Ours", "mcp_integration_id": "tickets", "workspaceId": "<workspace>"}],
            "McpServers_create",
            keep="made",
        ),
        Call("mcpServers.list", [{"workspace_id": "<workspace>"}], "McpServers_list"),
        Call("mcpServers.retrieve", [MADE], "McpServers_retrieve"),
        Call("mcpServers.update", [{**MADE, "description": "At the desk"}], "McpServers_update"),
        Call("mcpServers.test", [MADE], "McpServers_test"),
        Call("mcpServers.metadata.get", [MADE], "getMcpServerMetadata"),
        Call("mcpServers.metadata.sync", [{**MADE, "server_name": "tickets"}], "syncMcpServerMetadata"),
        Call("mcpServers.capabilities.list", [MADE], "McpServerCapabilities_list"),
        Call("mcpServers.capabilities.update", [{**MADE, "capabilities": CAPABILITIES}], "McpServerCapabilities_bulkUpdate"),
        Call("mcpServers.capabilities.sync", [MADE], "syncMcpServerCapabilities"),
        Call("mcpServers.userAccess.list", [MADE], "McpServerUserAccess_list"),
        Call(
            "mcpServers.userAccess.update",
            [{**MADE, "user_access": [{"user_id": "<person>", "enabled": True}]}],
            "McpServerUserAccess_bulkUpdate",
        ),
        Call("mcpServers.userAccess.check", [MADE], "checkMcpServerUserAccess"),
        Call("mcpServers.connections.list", [MADE], "McpServerConnections_list"),
        Call("mcpServers.connections.delete", [{**MADE, "user_id": "<person>"}], "McpServerConnections_delete"),
        Call("mcpServers.setTokens", [{**MADE, "access_token": "at-1"}], "updateMcpServerTokens"),
        Call("mcpServers.getTokens", [MADE], "getMcpServerTokens"),
        Call("mcpServers.deleteTokens", [MADE], "deleteMcpServerTokens"),
        Call("mcpServers.getClientInfo", [MADE], "getMcpServerClientInfo"),
        Call("mcpServers.delete", [MADE], "McpServers_delete"),
    ],
    "logs": [
        Call("logs.create", [LOGGED], "createLog"),
        Planted("logs", "log-1", {"id": LOG, "workspace_id": "", "trace_id": "", "created_at": "2026-05-03T12:00:00.000Z"}),
        Call("get", [f"/logs/{LOG}"], "getLog"),
        Call("logs.exports.create", [NODE_EXPORT], "createLogExport", keep="export"),
        Call("logs.exports.list", [{}], "listLogExports"),
        Call("logs.exports.retrieve", [{"exportId": "<export.id>"}], "getLogExport"),
        Call("logs.exports.update", [{"exportId": "<export.id>", "filters": MAY}], "updateLogExport"),
        Call("logs.exports.start", [{"exportId": "<export.id>"}], "startLogExport"),
        Call("logs.exports.cancel", [{"exportId": "<export.id>"}], "cancelLogExport"),
        Call("logs.exports.create", [NODE_EXPORT], "createLogExport", keep="export"),
        Call("logs.exports.start", [{"exportId": "<export.id>"}], "startLogExport"),
        Passed(3600),
        Call("logs.exports.download", [{"exportId": "<export.id>"}], "downloadLogExport"),
        Call("get", [AUDIT_LOGS], "listAuditLogs"),
    ],
    "analytics": [
        *(
            Call(f"analytics.{name}", [MAY], operation)
            for name, operation in {
                "graphs.requests": "getRequestsGraph",
                "graphs.cost": "getCostGraph",
                "graphs.latency": "getLatencyGraph",
                "graphs.tokens": "getTokensGraph",
                "graphs.users": "getUsersGraph",
                "graphs.usersRequests": "getUserRequestsGraphForNode",
                "graphs.errors": "getErrorsGraph",
                "graphs.errors_rate": "getErrorRateGraphForNode",
                "graphs.errors_stack": "getErrorStacksGraphForNode",
                "graphs.errors_status_code": "getErrorStatusCodesGraphForNode",
                "graphs.requests_rescued": "getRescuedRequestsGraphForNode",
                "graphs.cache_hit_rate": "getCacheHitRateGraphForNode",
                "graphs.cache_latency": "getCacheLatencyGraphForNode",
                "graphs.feedbacks": "getFeedbacksGraph",
                "graphs.feedbacks_score": "getFeedbackScoresGraphForNode",
                "graphs.feedbacks_weighted": "getWeightedFeedbackGraph",
                "graphs.feedback_ai_models": "getFeedbackModelsGraph",
                "summary.cache": "getCacheSummary",
                "groups.users": "listUserGroups",
                "groups.aiModels": "listModelGroups",
                "groups.workspaces": "listWorkspaceGroups",
            }.items()
        ),
        Call("analytics.groups.metadata", ["_user", MAY], "listMetadataGroups"),
        Call("analytics.groups.groupedData", ["model", MAY], "listGroups"),
    ],
    "policies": [
        Call("post", ["/policies/usage-limits", USAGE_POLICY], "createUsageLimitsPolicy", keep="usage"),
        Call("get", ["/policies/usage-limits?workspace_id=<workspace>"], "listUsageLimitsPolicies"),
        Call("get", ["/policies/usage-limits/<usage.id>"], "getUsageLimitsPolicy"),
        Call("put", ["/policies/usage-limits/<usage.id>", {"credit_limit": 60}], "updateUsageLimitsPolicy"),
        Planted("usage_limits_policy_entities", "group-1", GROUP),
        Call("get", ["/policies/usage-limits/<usage.id>/entities"], "listUsageLimitsPolicyEntities"),
        Call("put", ["/policies/usage-limits/<usage.id>/entities/group-1/reset", {}], "resetUsageLimitsPolicyEntity"),
        Call("delete", ["/policies/usage-limits/<usage.id>"], "deleteUsageLimitsPolicy"),
        Call("post", ["/policies/rate-limits", RATE_POLICY], "createRateLimitsPolicy", keep="rate"),
        Call("get", ["/policies/rate-limits?workspace_id=<workspace>"], "listRateLimitsPolicies"),
        Call("get", ["/policies/rate-limits/<rate.id>"], "getRateLimitsPolicy"),
        Call("put", ["/policies/rate-limits/<rate.id>", {"value": 60}], "updateRateLimitsPolicy"),
        Call("delete", ["/policies/rate-limits/<rate.id>"], "deleteRateLimitsPolicy"),
    ],
    "model_pricing": [Call("get", ["/model-configs/pricing/openai/gpt-4o"], "getModelPricing")],
    "chat": [
        Call("chat.completions.create", [ASK], "createChatCompletion"),
        Call("chat.completions.create", [{**ASK, "stream": True}], "createChatCompletion", streams=True),
        Call("chat.completions.parse", [ASK], "createChatCompletion"),
        Call("chat.completions.stream", [ASK], "createChatCompletion", streams=True),
        Call("chat.completions.runTools", [{**ASK, "tools": []}], "createChatCompletion"),
    ],
    "completions": [
        Call("completions.create", [{"model": "gpt-3.5-turbo-instruct", "prompt": "The moons are"}], "createCompletion"),
        Call(
            "completions.create",
            [{"model": "gpt-3.5-turbo-instruct", "prompt": "The moons are", "stream": True}],
            "createCompletion",
            streams=True,
        ),
    ],
    "inference": [
        Call("embeddings.create", [{"model": "text-embedding-3-small", "input": "Opening hours"}], "createEmbedding"),
        Call("moderations.create", [{"input": "I will water your plants."}], "createModeration"),
        Call("images.generate", [{"prompt": "A lighthouse"}], "createImage"),
        Call("images.edit", [{"image": Upload("image.png"), "prompt": "Put a boat beside it"}], "createImageEdit"),
        Call("images.createVariation", [{"image": Upload("image.png")}], "createImageVariation"),
    ],
    "rerank": [Call("post", ["/rerank", RERANK], "createRerank")],
    "audio": [
        Call("audio.speech.create", [{"model": "tts-1", "voice": "nova", "input": "At noon."}], "createSpeech"),
        Call("audio.transcriptions.create", [{"file": Upload("speech.wav"), "model": "whisper-1"}], "createTranscription"),
        Call("audio.translations.create", [{"file": Upload("speech.wav"), "model": "whisper-1"}], "createTranslation"),
    ],
    "responses": [
        Call("responses.create", [{"model": "gpt-4o", "input": "Which tide?"}], "createResponse", keep="response"),
        Call("responses.create", [{"model": "gpt-4o", "input": "Which?", "stream": True}], "createResponse", streams=True),
        Call(
            "responses.stream",
            [{"model": "gpt-4o", "input": "Which tide?"}],
            "createResponse",
            streams=True,
        ),
        Call("responses.parse", [{"model": "gpt-4o", "input": "Which tide?"}], "createResponse"),
        Call("responses.retrieve", ["<response.id>"], "getResponse"),
        Call("responses.inputTokens.count", [{"model": "gpt-4o", "input": "Which tide?"}], "countInputTokens"),
        SLOWLY,
        Call("responses.create", [{**LATER, "input": "Which tide?"}], "createResponse", keep="later"),
        Call("responses.cancel", ["<later.id>"], "cancelResponse"),
        Call("responses.inputItems.list", ["<response.id>"], "listInputItems"),
        Call("responses.delete", ["<response.id>"], "deleteResponse"),
    ],
    "models": [
        Planted("models", "ft:gpt-4o:tickets", MODEL),
        Call("models.list", [], "listModels"),
        Call("models.retrieve", ["ft:gpt-4o:tickets"], "retrieveModel"),
        Call("models.delete", ["ft:gpt-4o:tickets"], "deleteModel"),
    ],
    "files": [
        Call("files.create", [{"file": Upload("lines.jsonl"), "purpose": "batch"}], "createFile", keep="file"),
        Call("files.list", [], "listFiles"),
        Call("files.retrieve", ["<file.id>"], "retrieveFile"),
        Call("files.waitForProcessing", ["<file.id>", {"pollInterval": 1}], "retrieveFile"),
        # The bytes get lost in the SDK: what it returns has only the headers.
        Call("files.content", ["<file.id>"], "downloadFile"),
        Call("files.retrieveContent", ["<file.id>"], "downloadFile"),
        Call("files.delete", ["<file.id>"], "deleteFile"),
    ],
    "batches": [
        Call("files.create", [{"file": Upload("lines.jsonl"), "purpose": "batch"}], "createFile", keep="file"),
        Call("batches.create", [BATCH], "createBatch", keep="batch"),
        Call("batches.list", [], "listBatches"),
        Passed(3),
        Call("batches.retrieve", ["<batch.id>"], "retrieveBatch"),
        Call("batches.output", ["<batch.id>"], "getBatchOutput"),
        Call("batches.create", [BATCH], "createBatch", keep="batch"),
        Call("batches.cancel", ["<batch.id>"], "cancelBatch"),
    ],
    "fine_tuning": [
        Call("files.create", [{"file": Upload("examples.jsonl"), "purpose": "fine-tune"}], "createFile", keep="file"),
        Call("fineTuning.jobs.create", [JOB], "createFineTuningJob", keep="job"),
        Passed(1),
        Call("post", ["/fine_tuning/jobs/<job.id>/pause", {}], "pauseFineTuningJob"),
        Call("post", ["/fine_tuning/jobs/<job.id>/resume", {}], "resumeFineTuningJob"),
        Passed(7),
        Call("fineTuning.jobs.list", [], "listPaginatedFineTuningJobs"),
        Call("fineTuning.jobs.retrieve", ["<job.id>"], "retrieveFineTuningJob", keep="job"),
        Call("fineTuning.jobs.listEvents", ["<job.id>"], "listFineTuningEvents"),
        Call("fineTuning.jobs.checkpoints.list", ["<job.id>"], "listFineTuningJobCheckpoints"),
        Call("models.delete", ["<job.fine_tuned_model>"], "deleteModel"),
        Call("fineTuning.jobs.create", [JOB], "createFineTuningJob", keep="job"),
        Call("fineTuning.jobs.cancel", ["<job.id>"], "cancelFineTuningJob"),
    ],
    "assistants": [
        Call("beta.assistants.create", [{"model": "gpt-4o"}], "createAssistant", keep="assistant"),
        Call("beta.assistants.list", [], "listAssistants"),
        Call("beta.assistants.retrieve", ["<assistant.id>"], "getAssistant"),
        Call("beta.assistants.update", ["<assistant.id>", {"name": "Desk"}], "modifyAssistant"),
        Call("beta.assistants.delete", ["<assistant.id>"], "deleteAssistant"),
    ],
    "threads": [
        Call("beta.threads.create", [{}], "createThread", keep="thread"),
        Call("beta.threads.retrieve", ["<thread.id>"], "getThread"),
        Call("beta.threads.update", ["<thread.id>", {"metadata": {"a": "b"}}], "modifyThread"),
        Call(
            "beta.threads.messages.create",
            ["<thread.id>", {"role": "user", "content": "When?"}],
            "createMessage",
            keep="message",
        ),
        Call("beta.threads.messages.list", ["<thread.id>"], "listMessages"),
        Call("beta.threads.messages.retrieve", ["<message.id>", {"thread_id": "<thread.id>"}], "getMessage"),
        Call(
            "beta.threads.messages.update",
            ["<message.id>", {"thread_id": "<thread.id>", "metadata": {"a": "b"}}],
            "modifyMessage",
        ),
        Call("beta.threads.messages.delete", ["<message.id>", {"thread_id": "<thread.id>"}], "deleteMessage"),
        Call("beta.threads.delete", ["<thread.id>"], "deleteThread"),
    ],
    "runs": [
        Call("beta.assistants.create", [{"model": "gpt-4o", "tools": [FIND_TIDE]}], "createAssistant", keep="assistant"),
        Call("beta.threads.create", [{"messages": MESSAGES}], "createThread", keep="thread"),
        Call("beta.threads.runs.create", ["<thread.id>", ASSISTANT], "createRun", keep="run"),
        Call("beta.threads.runs.update", ["<run.id>", {**IN_THREAD, "metadata": {"a": "b"}}], "modifyRun"),
        Call("beta.threads.runs.cancel", ["<run.id>", IN_THREAD], "cancelRun"),
        Passed(1),
        Call("beta.threads.runs.create", ["<thread.id>", ASSISTANT], "createRun", keep="run"),
        Call("beta.threads.runs.poll", ["<run.id>", IN_THREAD], "getRun", polls=True),
        Call("beta.threads.runs.list", ["<thread.id>"], "listRuns"),
        Call("beta.threads.runs.steps.list", ["<run.id>", IN_THREAD], "listRunSteps", keep="steps"),
        Call("beta.threads.runs.steps.retrieve", ["<steps.data.0.id>", {**IN_THREAD, "run_id": "<run.id>"}], "getRunStep"),
        Call("beta.threads.runs.create", ["<thread.id>", {**ASSISTANT, "stream": True}], "createRun", streams=True),
        Call("beta.threads.runs.createAndStream", ["<thread.id>", ASSISTANT], "createRun", streams=True),
        Call("beta.threads.runs.stream", ["<thread.id>", ASSISTANT], "createRun", streams=True),
        Call("beta.threads.runs.createAndPoll", ["<thread.id>", CALLING], "createRun getRun", keep="waiting", polls=True),
        Call("beta.threads.runs.submitToolOutputs", ["<waiting.id>", TOLD], "submitToolOuputsToRun"),
        Passed(1),
        Call("beta.threads.runs.create", ["<thread.id>", CALLING], "createRun", keep="run"),
        Passed(1),
        Call("beta.threads.runs.retrieve", ["<run.id>", IN_THREAD], "getRun", keep="waiting"),
        Call("beta.threads.runs.submitToolOutputsAndPoll", ["<waiting.id>", TOLD], "submitToolOuputsToRun getRun", polls=True),
        Call("beta.threads.runs.create", ["<thread.id>", CALLING], "createRun", keep="run"),
        Passed(1),
        Call("beta.threads.runs.retrieve", ["<run.id>", IN_THREAD], "getRun", keep="waiting"),
        Call("beta.threads.runs.submitToolOutputsStream", ["<waiting.id>", TOLD], "submitToolOuputsToRun", streams=True),
        Call("beta.threads.createAndRun", [ASSISTANT], "createThreadAndRun"),
        Call("beta.threads.createAndRun", [{**ASSISTANT, "stream": True}], "createThreadAndRun", streams=True),
        Call("beta.threads.createAndRunStream", [ASSISTANT], "createThreadAndRun", streams=True),
        Call("beta.threads.createAndRunPoll", [ASSISTANT], "createThreadAndRun getRun", polls=True),
    ],
    "vector_stores": [
        Call("files.create", [{"file": Upload("lines.jsonl"), "purpose": "assistants"}], "createFile", keep="file"),
        Call("vectorStores.create", [{"name": "Handbook"}], "createVectorStore", keep="store"),
        Call("vectorStores.list", [], "listVectorStores"),
        Call("vectorStores.retrieve", ["<store.id>"], "getVectorStore"),
        Call("vectorStores.update", ["<store.id>", {"name": "Guide"}], "modifyVectorStore"),
        Call("vectorStores.files.create", ["<store.id>", {"file_id": "<file.id>"}], "createVectorStoreFile"),
        Call("vectorStores.files.list", ["<store.id>"], "listVectorStoreFiles"),
        Call("vectorStores.files.retrieve", ["<file.id>", STORE], "getVectorStoreFile"),
        Call("vectorStores.files.poll", ["<store.id>", "<file.id>"], "getVectorStoreFile", polls=True),
        Call("vectorStores.files.delete", ["<file.id>", STORE], "deleteVectorStoreFile"),
        Call(
            "vectorStores.files.createAndPoll",
            ["<store.id>", {"file_id": "<file.id>"}],
            "createVectorStoreFile getVectorStoreFile",
            polls=True,
        ),
        Call("vectorStores.files.upload", ["<store.id>", Upload("lines.jsonl")], "createFile createVectorStoreFile"),
        Call(
            "vectorStores.files.uploadAndPoll",
            ["<store.id>", Upload("lines.jsonl")],
            "createFile createVectorStoreFile getVectorStoreFile",
            polls=True,
        ),
        Call(
            "vectorStores.fileBatches.create",
            ["<store.id>", {"file_ids": ["<file.id>"]}],
            "createVectorStoreFileBatch",
            keep="batch",
        ),
        Call("vectorStores.fileBatches.retrieve", ["<batch.id>", STORE], "getVectorStoreFileBatch"),
        Call("vectorStores.fileBatches.listFiles", ["<batch.id>", STORE], "listFilesInVectorStoreBatch"),
        Call("vectorStores.fileBatches.poll", ["<store.id>", "<batch.id>"], "getVectorStoreFileBatch", polls=True),
        Call("vectorStores.fileBatches.cancel", ["<batch.id>", STORE], "cancelVectorStoreFileBatch"),
        Call(
            "vectorStores.fileBatches.createAndPoll",
            ["<store.id>", {"file_ids": ["<file.id>"]}],
            "createVectorStoreFileBatch getVectorStoreFileBatch",
            polls=True,
        ),
        Call(
            "vectorStores.fileBatches.uploadAndPoll",
            ["<store.id>", {"files": [Upload("lines.jsonl")]}],
            "createFile createVectorStoreFileBatch getVectorStoreFileBatch",
            polls=True,
        ),
        Call("post", ["/vector_stores/<store.id>/search", {"query": "tide"}], "searchVectorStore"),
        Call("post", [IN_STORE, {"attributes": {"port": "Hull"}}], "updateVectorStoreFile"),
        Call("get", [f"{IN_STORE}/content"], "getVectorStoreFileContent"),
        Call("vectorStores.delete", ["<store.id>"], "deleteVectorStore"),
    ],
}
"""What is made with the SDK for Node."""
