"""Steps with collections, prompts, partials and labels that the tests of this tree share."""

from __future__ import annotations

import json
from typing import Any

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import PRODUCTION, RESEARCH, answered, make_key, read, workspace_id

COLLECTIONS = "/v1/collections"
PROMPTS = "/v1/prompts"
PARTIALS = "/v1/prompts/partials"
LABELS = "/v1/labels"

CHAT = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{question}}"}])
VERSION: Record = {
    "string": CHAT,
    "parameters": {"temperature": 0},
    "model": "gpt-4o",
    "virtual_key": "openai-production",
    "is_raw_template": 0,
}
"""All that a version without `patch` needs."""


def made(client: Client, path: str, fields: Record) -> Record:
    """Make something and return what its creation tells."""
    return answered(client.post(path, fields))


def make_collection(client: Client, name: str = "Care", **fields: Any) -> Record:
    given = {} if "parent_collection_id" in fields else {"workspace_id": PRODUCTION}
    return made(client, COLLECTIONS, {"name": name, **given, **fields})


def default_collection(client: Client, workspace: str = PRODUCTION) -> Record:
    """The default collection of a workspace, as lists show it."""
    rows = read(client, COLLECTIONS, workspace_id=workspace)["data"]
    (found,) = [row for row in rows if row["is_default"]]
    return dict(found)


def make_prompt(client: Client, **fields: Any) -> Record:
    """Make a prompt, in the default collection of Production unless another is given."""
    given = {"name": "Support reply", **VERSION, **fields}
    if "collection_id" not in given:
        given["collection_id"] = default_collection(client)["id"]
    return made(client, PROMPTS, given)


def make_partial(client: Client, **fields: Any) -> Record:
    given = {} if "collection_id" in fields else {"workspace_id": PRODUCTION}
    return made(client, PARTIALS, {"name": "Signature", "string": "Yours, {{us}}", **given, **fields})


def make_label(client: Client, name: str = "canary", **fields: Any) -> str:
    """Make a label of Production and return its id."""
    return str(made(client, LABELS, {"name": name, "workspace_id": PRODUCTION, **fields})["id"])


def foreigner(client: Client) -> Client:
    """The same world, called with a key of Research that may do all that these tests do."""
    return keyed(client, RESEARCH)


def keyed(client: Client, workspace: str = PRODUCTION) -> Client:
    """The same world, called with a key of a workspace."""
    verbs = ("create", "read", "update", "delete", "list", "publish", "render")
    scopes = [*(f"prompts.{verb}" for verb in verbs), "completions.write"]
    return client.as_key(make_key(client, workspace_id=workspace_id(client, workspace), scopes=scopes).secret)


def names(client: Client, path: str, **query: Any) -> list[str]:
    """The names in a list."""
    return [row["name"] for row in read(client, path, **query)["data"]]
