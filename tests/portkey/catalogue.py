"""Integrations and what hangs on them: the steps that the tests of these families share."""

from __future__ import annotations

from typing import Any

import httpx

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import PRODUCTION, answered, make_key, read

INTEGRATIONS = "/v1/integrations"
PROVIDERS = "/v1/providers"
VIRTUAL_KEYS = "/v1/virtual-keys"
CHAT = "/v1/chat/completions"

KEY = "sk-live-7Yq2mWv9Xb4T"
MASKED = "sk*****b4T"
"""How reads show the key: identity-and-access, API keys: Secret and mask."""

SEEDED = "openai-production"
"""The integration of the small team, granted to Production, with the provider that the grant made."""

GRANTED = "Created automatically on integration access grant"
"""The note of a provider that came with a grant, as recorded."""

BUDGET: Record = {"type": "cost", "credit_limit": 20, "alert_threshold": 15}
RATE: Record = {"type": "requests", "unit": "rpm", "value": 60}
ADMIN = ("workspaces.list", "workspaces.read", "workspaces.update")


def make_integration(client: Client, slug: str = "ours", **fields: Any) -> Record:
    """Make an integration of OpenAI with a key, unless told otherwise; return what its creation tells."""
    return answered(client.post(INTEGRATIONS, {"name": "Ours", "ai_provider_id": "openai", "key": KEY, "slug": slug, **fields}))


def read_integration(client: Client, slug: str = "ours") -> Record:
    """Read an integration."""
    return read(client, f"{INTEGRATIONS}/{slug}")


def grant(client: Client, *workspaces: str, slug: str = "ours", **terms: Any) -> None:
    """Let workspaces use an integration; `terms` are those of each, `enabled` among them."""
    rows = [{"id": workspace, "enabled": True, **terms} for workspace in workspaces]
    reply = client.put(f"{INTEGRATIONS}/{slug}/workspaces", {"workspaces": rows})
    assert (reply.status_code, reply.json()) == (200, {}), reply.text[:500]


def accesses(client: Client, slug: str = "ours") -> dict[str, Record]:
    """The workspaces of an integration, by slug."""
    return {row["id"]: row for row in read(client, f"{INTEGRATIONS}/{slug}/workspaces")["workspaces"]}


def models(client: Client, slug: str = "ours") -> dict[str, Record]:
    """The models of an integration, by slug."""
    return {model["slug"]: model for model in read(client, f"{INTEGRATIONS}/{slug}/models")["models"]}


def make_provider(client: Client, slug: str = "theirs", integration: str = "ours", **fields: Any) -> Record:
    """Make a provider in Production; return what its creation tells."""
    given = {"name": "Theirs", "slug": slug, "integration_id": integration, "workspace_id": PRODUCTION}
    return answered(client.post(PROVIDERS, given | fields))


def make_virtual_key(client: Client, **fields: Any) -> Record:
    """Make a virtual key of OpenAI in Production; return what its creation tells."""
    given = {"name": "Ours", "provider": "openai", "key": KEY, "workspace_id": PRODUCTION}
    return answered(client.post(VIRTUAL_KEYS, given | fields))


def providers(client: Client, workspace: str = PRODUCTION) -> dict[str, Record]:
    """The providers of a workspace, by slug."""
    return {each["slug"]: each for each in read(client, PROVIDERS, workspace_id=workspace)["data"]}


def make_secret(client: Client, slug: str) -> str:
    """Make a reference to a secret of a vault, for all workspaces; return its slug."""
    vault = {"aws_auth_type": "assumedRole", "aws_role_arn": "arn:aws:iam::1:role/read", "aws_region": "eu-west-1"}
    given = {"name": slug, "slug": slug, "manager_type": "aws_sm", "secret_path": f"prod/{slug}", "auth_config": vault}
    reply = client.post("/v1/secret-references", given)
    assert reply.status_code == 200, reply.text[:500]
    return slug


def mapping(secret: str, target: str = "key") -> Record:
    """A secret's way to a field, as it is written and read."""
    return {"target_field": target, "secret_reference_id": secret, "secret_key": "value", "value_format": "string"}


def as_workspace(client: Client, *scopes: str, workspace: str = PRODUCTION, **fields: Any) -> Client:
    """The same world, called with a new service key of a workspace."""
    return client.as_key(make_key(client, workspace_id=workspace, scopes=list(scopes), **fields).secret)


def as_admin(client: Client, *scopes: str) -> Client:
    """The same world, called with a new key of the organisation."""
    return client.as_key(make_key(client, "organisation/service", scopes=list(scopes)).secret)


def as_asker(client: Client, workspace: str = PRODUCTION, **fields: Any) -> Client:
    """The same world, called with a new key of a workspace that may only ask models."""
    return as_workspace(client, "completions.write", workspace=workspace, **fields)


def ask(client: Client, model: str | None = None, **headers: str) -> httpx.Response:
    """Ask for a chat completion; the names of headers are written without `x-portkey-`, with underscores."""
    body: Record = {"messages": [{"role": "user", "content": "When?"}]}
    if model is not None:
        body["model"] = model
    named = {f"x-portkey-{name.replace('_', '-')}": value for name, value in headers.items()}
    return client.post(CHAT, body, headers=named)


def tokens(reply: httpx.Response) -> tuple[int, int]:
    """The tokens of request and response that a reply tells."""
    assert reply.status_code == 200, reply.text[:500]
    usage = reply.json()["usage"]
    return usage["prompt_tokens"], usage["completion_tokens"]


def everything_shown(client: Client) -> str:
    """All that the journal and the records of the world show, as one text."""
    names = client.get("/__admin/records").json()["collections"]
    pages = [client.get("/__admin/requests", params={"limit": 1000})]
    pages += [client.get(f"/__admin/records/{name}", params={"limit": 1000}) for name in names]
    assert {page.status_code for page in pages} == {200}
    return "\n".join(page.text for page in pages)
