"""Prompt partials: pieces of text with versions that prompts include by slug.

Source of every rule that names none: prompts-configs-guardrails, Prompt partials.
"""

from __future__ import annotations

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import standing, versions
from mockserver.portkey.records import listed, named, new_slug, not_found, workspace_named, workspace_required
from mockserver.values import Record
from mockserver.world.world import World

KIND: versions.Kind = "prompt_partials"


def create_prompt_partial(request: Request, world: World) -> Reply:
    """Make a partial; its first version is the default at once.

    Without a collection it lies in the workspace's default one. Fails: `invalid-request` for an unknown collection, or one
    of another workspace than the one that is named.
    """
    fields = request.fields
    collection = versions.collection_named(request, world)
    if collection is None:
        workspace = workspace_required(request, world, "a partial")
        collection = standing.default_collection(workspace["id"], world)
    elif (workspace_named(request, world) or {"id": collection["workspace_id"]})["id"] != collection["workspace_id"]:
        raise invalid("body", "/collection_id", "is a collection of another workspace")
    now = world.clock.timestamp()
    partial: Record = {
        "id": world.ids.uuid4(),
        "slug": new_slug("prompt_partials", "pl", fields["name"], 6, world),
        "name": fields["name"],
        "collection_id": collection["id"],
        "workspace_id": collection["workspace_id"],
        "created_at": now,
        "last_updated_at": now,
        "status": "active",
    }
    content = {"string": fields["string"], "description": fields.get("version_description")}
    version = versions.make(KIND, partial, content, world)
    return Reply(200, {"id": partial["id"], "slug": partial["slug"], "version_id": version["id"]})


def list_prompt_partials(request: Request, world: World) -> Reply:
    """Show all partials, or those of a collection or a workspace, newest first."""
    group = versions.group_listed(request, world)
    rows = [] if group is None else list(world[KIND].newest(**group))
    return listed([{**_common(partial), "object": "partial"} for partial in rows], len(rows))


def get_prompt_partial(request: Request, world: World) -> Reply:
    """Show a partial in one of its versions, the default one unless another is asked for."""
    partial = _find(request, world)
    version = versions.wanted(KIND, partial, request.query["version"], world)
    shown = {
        **_common(partial),
        "string": version["string"],
        "version": version["number"],
        "version_description": version["description"],
        "prompt_partial_version_id": version["id"],
        "prompt_partial_version_status": versions.status(partial, version),
    }
    return Reply(200, shown)


def update_prompt_partial(request: Request, world: World) -> Reply:
    """Change a partial; a text makes a new version, and the reply tells of it.

    `description` has no effect (the live API drops it). Null stands for nothing sent.
    """
    partial = _find(request, world)
    fields = {name: value for name, value in request.fields.items() if value is not None}
    changed: Record = {name: fields[name] for name in ("name", "status") if name in fields}
    if "string" not in fields:
        if "version_description" in fields:
            versions.describe(KIND, partial, fields["version_description"], world)
        if fields:
            versions.change(KIND, partial, world, **changed)
        return Reply(200, {})
    content = {"string": fields["string"], "description": fields.get("version_description")}
    version = versions.add(KIND, {**partial, **changed}, content, world)
    return Reply(200, {"id": partial["id"], "slug": partial["slug"], "prompt_partial_version_id": version["id"]})


def delete_prompt_partial(request: Request, world: World) -> Reply:
    """Delete a partial with its versions; where prompts still include it, nothing stands from now on."""
    versions.remove(KIND, _find(request, world), world)
    return Reply(200, {})


def get_prompt_partial_versions(request: Request, world: World) -> Reply:
    """Show the versions of a partial, newest first."""
    partial = _find(request, world)
    rows = [
        {
            "prompt_partial_id": partial["id"],
            "prompt_partial_version_id": version["id"],
            "slug": partial["slug"],
            "version": version["number"],
            "string": version["string"],
            "description": version["description"],
            "created_at": version["created_at"],
            "prompt_version_status": versions.status(partial, version),
            "object": "partial",
        }
        for version in versions.newest(KIND, partial, world)
    ]
    return listed(rows, len(rows))


def update_prompt_partial_default(request: Request, world: World) -> Reply:
    """Publish a version: prompts that include the partial without a number have it at once."""
    versions.publish(KIND, _find(request, world), request.fields["version"], world)
    return Reply(200, {})


def _find(request: Request, world: World) -> Record:
    """The partial of a call's path, by id or slug. Fails: `not-found`, `forbidden` out of the caller's reach."""
    partial = named(world, KIND, request.path["promptPartialId"])
    if partial is None:
        raise not_found()
    request.caller.reach(partial["workspace_id"])
    return partial


def _common(partial: Record) -> Record:
    """What a list and a single read have in common: no workspace."""
    names = ("id", "slug", "name", "collection_id", "created_at", "last_updated_at", "status")
    return {name: partial[name] for name in names}
