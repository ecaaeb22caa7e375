"""Collections: folders for prompts and partials, one in another.

Source of every rule that names none: prompts-configs-guardrails, Collections.
"""

from __future__ import annotations

from mockserver.contract.problems import Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import standing, versions
from mockserver.portkey.records import listed, named, new_slug, not_found, page, workspace_named, workspace_required
from mockserver.values import Record
from mockserver.world.world import World


def create_collection(request: Request, world: World) -> Reply:
    """Make a collection, at the top of a workspace or in another collection.

    Fails: `not-found` for a workspace or a parent that is not there, `invalid-request` for a parent in another workspace.
    *chosen*: without a workspace, that of the parent; a slug is the name, cut to 20 characters, and six digits, since no
    source shows one.
    """
    fields = request.fields
    parent = None
    if fields.get("parent_collection_id"):
        parent = _reached(fields["parent_collection_id"], request, world)
    try:
        workspace = workspace_named(request, world)
        if workspace is None and parent is not None:
            workspace = world["workspaces"].get(parent["workspace_id"])
        if workspace is None:
            workspace = workspace_required(request, world, "a collection")
    except Problem as problem:
        raise (not_found("Workspace not found") if problem.missing else problem) from None
    if parent is not None and parent["workspace_id"] != workspace["id"]:
        raise invalid("body", "/parent_collection_id", "is a collection of another workspace")
    now = world.clock.timestamp()
    made: Record = {
        "id": world.ids.uuid4(),
        "name": fields["name"],
        "workspace_id": workspace["id"],
        "slug": new_slug("collections", "", fields["name"], 20, world),
        "parent_collection_id": None if parent is None else parent["id"],
        "is_default": 0,
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
    }
    world["collections"].add(made)
    return Reply(200, {"id": made["id"], "slug": made["slug"]})


def list_collections(request: Request, world: World) -> Reply:
    """Show a page of collections with what lies in them, newest first; of all workspaces unless one is named."""
    workspace = workspace_named(request, world)
    group = {} if workspace is None else {"workspace_id": workspace["id"]}
    search = request.query.get("search", "").lower()
    fits = (lambda record: search in record["name"].lower()) if search else None
    rows, total = page(world, "collections", request.query, fits, **group)
    return listed([{**row, "collection_details": _details(row, world)} for row in rows], total)


def get_collection(request: Request, world: World) -> Reply:
    """Show a collection and those right below it."""
    found = _reached(request.path["collectionId"], request, world)
    children = [
        {
            "id": child["id"],
            "name": child["name"],
            "last_updated_at": child["last_updated_at"],
            "collection_details": _details(child, world),
        }
        for child in world["collections"].newest(parent_collection_id=found["id"])
    ]
    return Reply(200, {**found, "child_collections": children})


def update_collection(request: Request, world: World) -> Reply:
    """Rename a collection, or move it; null moves it to the top.

    Fails: `invalid-request` for a parent that is not there, lies in another workspace or within what is moved.
    *chosen*: no 404 for the parent here, which would say that of what is moved; the default collection stays at the top,
    since it must outlive all others.
    """
    found, fields = _reached(request.path["collectionId"], request, world), request.fields
    changed: Record = {}
    if "name" in fields:
        changed["name"] = fields["name"]
    if "parent_collection_id" in fields:
        parent = _parent(found, fields["parent_collection_id"], request, world)
        changed["parent_collection_id"] = None if parent is None else parent["id"]
    if changed:
        world["collections"].replace({**found, **changed, "last_updated_at": world.clock.timestamp()})
    return Reply(200, {})


def delete_collection(request: Request, world: World) -> Reply:
    """Delete a collection, with `cascade` all that lies in it, at any depth.

    *chosen*: without it prompts and partials go to the default collection and collections one up, so that all survive, as a
    known client says of prompts. Fails: `not-found` for the default collection.
    """
    found = _reached(request.path["collectionId"], request, world)
    if found["is_default"]:
        raise not_found("The default collection cannot be deleted")
    if request.query.get("cascade"):
        _delete_with_content(found, world)
        return Reply(200, {})
    for child in list(world["collections"].newest(parent_collection_id=found["id"])):
        world["collections"].replace({**child, "parent_collection_id": found["parent_collection_id"]})
    home = standing.default_collection(found["workspace_id"], world)
    for kind in ("prompts", "prompt_partials"):
        for record in list(world[kind].newest(collection_id=found["id"])):
            world[kind].replace({**record, "collection_id": home["id"]})
    world["collections"].remove(found["id"])
    return Reply(200, {})


def _reached(id_or_slug: str, request: Request, world: World) -> Record:
    """A collection by its id or slug. Fails: `not-found`, `forbidden` for one out of the caller's reach."""
    found = named(world, "collections", id_or_slug)
    if found is None:
        raise not_found("Collection not found")
    request.caller.reach(found["workspace_id"])
    return found


def _parent(moved: Record, id_or_slug: str | None, request: Request, world: World) -> Record | None:
    """The collection to move another one to, None for the top."""
    if not id_or_slug:
        return None
    if moved["is_default"]:
        raise invalid("body", "/parent_collection_id", "cannot be given to the default collection")
    parent = named(world, "collections", id_or_slug)
    if parent is None:
        raise invalid("body", "/parent_collection_id", "is no collection")
    request.caller.reach(parent["workspace_id"])
    if parent["workspace_id"] != moved["workspace_id"]:
        raise invalid("body", "/parent_collection_id", "is a collection of another workspace")
    above: Record | None = parent
    while above is not None:
        if above["id"] == moved["id"]:
            raise invalid("body", "/parent_collection_id", "lies within the collection that is moved")
        above = named(world, "collections", above["parent_collection_id"])
    return parent


def _delete_with_content(found: Record, world: World) -> None:
    collections = world["collections"]
    going = [found]
    for each in going:
        going.extend(collections.newest(parent_collection_id=each["id"]))
    for each in going:
        for prompt in list(world["prompts"].newest(collection_id=each["id"])):
            versions.remove("prompts", prompt, world)
        for partial in list(world["prompt_partials"].newest(collection_id=each["id"])):
            versions.remove("prompt_partials", partial, world)
        collections.remove(each["id"])


def _details(found: Record, world: World) -> Record:
    children = list(world["collections"].newest(parent_collection_id=found["id"]))
    prompts = list(world["prompts"].newest(collection_id=found["id"]))
    return {
        "child_collections_count": len(children),
        "prompts_count": len(prompts),
        "child_collections_last_updated_at": max((child["last_updated_at"] for child in children), default=None),
        "prompts_last_updated_at": max((prompt["last_updated_at"] for prompt in prompts), default=None),
    }
