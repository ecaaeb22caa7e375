"""What prompts and partials share: the collections that they lie in, and versions.

Versions are counted from 1 and never change; one of them is the default, a new one is not until it is published.
Source: prompts-configs-guardrails, Prompts: Versions; Prompt partials.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from mockserver.contract.problems import invalid
from mockserver.contract.requests import Request
from mockserver.portkey.records import named, not_found, workspace_named
from mockserver.values import JSON, Record
from mockserver.world.world import World

Kind: TypeAlias = Literal["prompts", "prompt_partials"]
"""The collection of what has versions."""

_VERSIONS = {"prompts": "prompt_versions", "prompt_partials": "prompt_partial_versions"}


def collection_named(request: Request, world: World) -> Record | None:
    """Return the collection that a call's body names, by id or slug, or None when it names none.

    Fails: `invalid-request` for one that is not there (*chosen*: 404 would say that of the thing in the path), `forbidden`
    out of the caller's reach.
    """
    said = request.fields.get("collection_id")
    if not said:
        return None
    found = named(world, "collections", said)
    if found is None:
        raise invalid("body", "/collection_id", "is no collection")
    request.caller.reach(found["workspace_id"])
    return found


def group_listed(request: Request, world: World) -> dict[str, str] | None:
    """Return the group that a list is of: a collection, a workspace, or all; None when nothing can be in it."""
    workspace = workspace_named(request, world)
    if "collection_id" not in request.query:
        return {} if workspace is None else {"workspace_id": workspace["id"]}
    found = named(world, "collections", request.query["collection_id"])
    if found is None or (workspace is not None and found["workspace_id"] != workspace["id"]):
        return None
    return {"collection_id": found["id"]}


def make(kind: Kind, owner: Record, content: Record, world: World) -> Record:
    """Store a new prompt or partial with its first version, which is the default, and return that version."""
    made = _version(owner, 1, content, world)
    world[_VERSIONS[kind]].add(made)
    world[kind].add({**owner, "_default": made["id"], "_versions": 1})
    return made


def add(kind: Kind, owner: Record, content: Record, world: World) -> Record:
    """Store a new version, the latest, and return it."""
    made = _version(owner, owner["_versions"] + 1, content, world)
    world[_VERSIONS[kind]].add(made)
    change(kind, owner, world, _versions=made["number"])
    return made


def change(kind: Kind, owner: Record, world: World, **fields: JSON) -> None:
    """Change a prompt or partial itself."""
    world[kind].replace({**owner, **fields, "last_updated_at": world.clock.timestamp()})


def describe(kind: Kind, owner: Record, description: str, world: World) -> None:
    """Describe the default version anew, which is the one that a read shows (*chosen*: no source says which)."""
    world[_VERSIONS[kind]].replace({**default(kind, owner, world), "description": description})


def publish(kind: Kind, owner: Record, number: int, world: World) -> None:
    """Make a version the default. Fails: `invalid-request` for one that is not there (*chosen*, as `collection_named`)."""
    found = pick(kind, owner, str(number), world)
    if found is None:
        raise invalid("body", "/version", "is the number of no version")
    change(kind, owner, world, _default=found["id"])


def remove(kind: Kind, owner: Record, world: World) -> None:
    """Take away a prompt or partial with its versions and with what says which of them bears which label."""
    for version in list(world[_VERSIONS[kind]].newest(owner_id=owner["id"])):
        world[_VERSIONS[kind]].remove(version["id"])
    if kind == "prompts":
        for row in list(world["prompt_labels"].newest(prompt_id=owner["id"])):
            world["prompt_labels"].remove(row["id"])
    world[kind].remove(owner["id"])


def default(kind: Kind, owner: Record, world: World) -> Record:
    """Return the default version."""
    found = world[_VERSIONS[kind]].get(owner["_default"])
    assert found is not None  # a version goes only with its owner
    return found


def latest(kind: Kind, owner: Record, world: World) -> Record:
    """Return the newest version, published or not."""
    return next(newest(kind, owner, world))


def newest(kind: Kind, owner: Record, world: World) -> Iterator[Record]:
    """All versions, newest first."""
    return world[_VERSIONS[kind]].newest(owner_id=owner["id"])


def pick(kind: Kind, owner: Record, wanted: str, world: World) -> Record | None:
    """Return the version that is called `default`, `latest` or by its number, None when there is none."""
    if wanted == "default":
        return default(kind, owner, world)
    if wanted == "latest":
        return latest(kind, owner, world)
    number = wanted.lstrip("0") if wanted.isdecimal() else ""
    return world[_VERSIONS[kind]].find("_handle", f"{owner['id']}/{number}")


def wanted(kind: Kind, owner: Record, asked: str, world: World) -> Record:
    """Return the version that a call asks for, as `pick` does. Fails: `not-found`."""
    found = pick(kind, owner, asked, world)
    if found is None:
        raise not_found(f"Version {asked} not found")
    return found


def status(owner: Record, version: Record) -> str:
    """The status of a version: exactly one is active, the default."""
    return "active" if version["id"] == owner["_default"] else "archived"


def _version(owner: Record, number: int, content: Record, world: World) -> Record:
    version_id = world.ids.uuid4()
    return {
        "id": version_id,
        "owner_id": owner["id"],
        "number": number,
        "_handle": f"{owner['id']}/{number}",
        "created_at": world.clock.timestamp(),
        **content,
    }
