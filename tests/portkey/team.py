"""The people and places of the small team by name, and the steps that the tests of this tree share."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from mockserver.app import App, Settings
from mockserver.portkey.seeds import admin_key
from mockserver.values import Record
from tests.conftest import Client

SHARED = "ws-shared-3f9c1a"
PRODUCTION = "ws-produc-71b04e"
RESEARCH = "ws-resear-c52d88"

ADA, BEN, CHIE, DARA, ELI = (f"{name}@example.com" for name in ("ada", "ben", "chie", "dara", "eli"))
"""Owner, admin and three members of the organisation."""

NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that no record has."""


class Made(NamedTuple):
    """A key that was just made."""

    id: str
    secret: str


def at(client: Client, time: str) -> None:
    """Stop the clock of the client's world at a time."""
    client.world.clock.freeze(datetime.fromisoformat(time))


def make_key(client: Client, kind: str = "workspace/service", **fields: Any) -> Made:
    """Make a key, by default one of Production's services."""
    given: Record = {"name": "app", "scopes": ["logs.view"]}
    if kind.startswith("workspace"):
        given["workspace_id"] = PRODUCTION
    reply = client.post(f"/v1/api-keys/{kind}", given | fields)
    assert reply.status_code == 200, reply.text[:500]
    return Made(reply.json()["id"], reply.json()["key"])


def key_with(client: Client, *scopes: str, workspace: str | None = PRODUCTION) -> Client:
    """The same world, called with the key of a workspace's service, or of the organisation's for None."""
    if workspace is None:
        return client.as_key(make_key(client, "organisation/service", scopes=list(scopes)).secret)
    return client.as_key(make_key(client, scopes=list(scopes), workspace_id=workspace).secret)


def read_key(client: Client, key_id: str) -> Record:
    """Read a key."""
    return read(client, f"/v1/api-keys/{key_id}")


def read(client: Client, path: str, **query: Any) -> Record:
    """Read what must be there."""
    return answered(client.get(path, params=query))


def answered(reply: httpx.Response) -> Record:
    """Check that a call was done, and return what it tells."""
    assert reply.status_code == 200, reply.text[:500]
    body: Record = reply.json()
    return body


def succeeded(reply: httpx.Response) -> None:
    """Check that a call was done and tells no more than that."""
    assert answered(reply) == {"success": True}


def done(reply: httpx.Response) -> None:
    """Check that a call was done and tells nothing."""
    assert (reply.status_code, reply.json()) == (200, {}), reply.text[:500]


def refused(reply: httpx.Response, status: int, code: str) -> Record:
    """Check that a call was refused in Portkey's envelope, and return what it says in `data`."""
    assert reply.status_code == status, reply.text[:500]
    body = reply.json()
    assert (body["success"], body["data"]["errorCode"]) == (False, code)
    data: Record = body["data"]
    return data


def turned_down(reply: httpx.Response, status: int) -> str:
    """Check that the gateway itself refused a call, and return its text."""
    assert reply.status_code == status, reply.text[:500]
    body = reply.json()
    assert body["status"] == "failure"
    return str(body["message"])


def known_admin(client: Client) -> Client:
    """The same world, called with the key of an admin that it knows."""
    return client.as_key(admin_key(client.world))


def barred(reply: httpx.Response, status: int, code: str) -> str:
    """Check that the gateway's authentication refused a call, and return its text without prefix and code."""
    assert reply.status_code == status, reply.text[:500]
    body = reply.json()
    prefix, suffix = "Portkey Error: ", f". Error Code: {code}"
    assert (body["status"], body["error"]["code"]) == ("failure", code)
    assert body["message"] == body["error"]["message"]
    assert (body["message"][: len(prefix)], body["message"][-len(suffix) :]) == (prefix, suffix)
    return str(body["message"][len(prefix) : -len(suffix)])


def make_workspace(client: Client, **fields: Any) -> Record:
    """Make a workspace."""
    return answered(client.post("/v1/admin/workspaces", {"name": "Lab", **fields}))


def read_workspace(client: Client, id_or_slug: str) -> Record:
    """Read a workspace."""
    return read(client, f"/v1/admin/workspaces/{id_or_slug}")


def workspace_id(client: Client, slug: str = PRODUCTION) -> str:
    """Return the id of a workspace."""
    return str(client.world["workspaces"].find("slug", slug)["id"])


def user_id(client: Client, email: str) -> str:
    """Return the id of a person."""
    return str(client.world["users"].find("email", email)["id"])


def state(client: Client) -> tuple[str, Record, int]:
    """Return all that the client's world holds, what time did to it included; but not who has called for a change."""
    client.get("/v1/api-keys")
    client.get("/v1/admin/workspaces", params={"status": "active,archived"})
    world = client.world
    kept = [(name, each) for name, each in sorted(world.collections.items()) if len(each) and name != "audit_logs"]
    records = {name: list(each.newest()) for name, each in kept}
    facts: Record = {}
    for layer in reversed(world.snapshot().facts):
        facts |= layer
    facts.pop("audited", None)
    return json.dumps(records, sort_keys=True), facts, world.ids.drawn


def changes(before: Record, after: Record) -> set[str]:
    """Return the names of the fields that differ."""
    return {name for name in before.keys() | after.keys() if before.get(name, ...) != after.get(name, ...)}


def serve(folder: Path, fixture: Any, *, strict: bool = False, name: str = "world.json") -> App:
    """Return an application whose worlds begin as this fixture: a text, or a value that is written as JSON."""
    path = folder / name
    path.write_text(fixture if isinstance(fixture, str) else json.dumps(fixture))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(folder))
        return App(Settings(fixture=str(path), strict=strict))


@contextmanager
def private_world(app: App, secret: str = "any") -> Iterator[Client]:
    """Give a client with a world of its own."""
    name = f"test-{uuid.uuid4().hex}"
    yield Client(app, name).as_key(secret)
    app.worlds.delete(name)
