"""Labels: names by which versions of prompts are called.

Source of every rule that names none: prompts-configs-guardrails, Labels.
"""

from __future__ import annotations

from mockserver.contract.problems import CONFLICT, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.records import forbidden, listed, not_found, organisation_id, page, workspace_named
from mockserver.values import Record
from mockserver.world.world import World


def create_label(request: Request, world: World) -> Reply:
    """Make a label of a workspace.

    Fails: `conflict` for a name that the workspace has already. *chosen*: without a workspace the label is the
    organisation's, for all of its workspaces.
    """
    fields = request.fields
    _check_organisation(fields.get("organisation_id") or fields.get("organization_id"), world)
    workspace = workspace_named(request, world)
    workspace_id = None if workspace is None else workspace["id"]
    now = world.clock.timestamp()
    made: Record = {
        "id": world.ids.uuid4(),
        "name": fields["name"],
        "description": fields.get("description"),
        "color_code": fields.get("color_code"),
        "organisation_id": organisation_id(world),
        "workspace_id": workspace_id,
        "is_universal": False,
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
        "_handle": _free_handle(workspace_id, fields["name"], world),
    }
    world["labels"].add(made)
    return Reply(200, {"id": made["id"]})


def list_labels(request: Request, world: World) -> Reply:
    """Show a page of labels, newest first: those that a workspace can use, or all to an organisation's key."""
    query = request.query
    _check_organisation(query.get("organisation_id"), world)
    workspace = workspace_named(request, world)
    search = query.get("search", "").lower()

    def fits(label: Record) -> bool:
        return (
            (workspace is None or label["workspace_id"] in (None, workspace["id"]))
            and search in label["name"].lower()
            and query.get("name", label["name"]) == label["name"]
        )

    rows, total = page(world, "labels", query, fits)
    return listed([_shown(label) for label in rows], total)


def get_label(request: Request, world: World) -> Reply:
    """Show a label."""
    _check_organisation(request.query.get("organisation_id"), world)
    label = _find(request, world)
    workspace = workspace_named(request, world)
    if workspace is not None and label["workspace_id"] not in (None, workspace["id"]):
        raise not_found()
    return Reply(200, _shown(label))


def update_label(request: Request, world: World) -> Reply:
    """Change the fields that are sent; null clears description and colour.

    Fails: `forbidden` for a universal label (*chosen*: as for deleting it), `conflict` for a name that is taken.
    """
    label, fields = _own(request, world), request.fields
    changed: Record = {name: fields[name] for name in ("name", "description", "color_code") if name in fields}
    if changed.get("name", label["name"]) != label["name"]:
        changed["_handle"] = _free_handle(label["workspace_id"], changed["name"], world)
    if changed:
        world["labels"].replace({**label, **changed, "last_updated_at": world.clock.timestamp()})
    return Reply(200, {})


def delete_label(request: Request, world: World) -> Reply:
    """Delete a label and take it off every version.

    Fails: `forbidden` for a universal label (*chosen*: no source tells the error).
    """
    label = _own(request, world)
    for row in list(world["prompt_labels"].newest(label_id=label["id"])):
        world["prompt_labels"].remove(row["id"])
    world["labels"].remove(label["id"])
    return Reply(200, {})


def _find(request: Request, world: World) -> Record:
    """The label of a call's path. Fails: `not-found`, `forbidden` for one of a workspace out of the caller's reach."""
    label = world["labels"].get(request.path["labelId"])
    if label is None:
        raise not_found()
    if label["workspace_id"] is not None:
        request.caller.reach(label["workspace_id"])
    return label


def _own(request: Request, world: World) -> Record:
    """The label of a call's path, for a caller who may change it: the organisation's are for the organisation's keys."""
    label = _find(request, world)
    request.caller.reach(label["workspace_id"])
    if label["is_universal"]:
        raise forbidden(f"The label {label['name']} is universal and stays as it is")
    return label


def _free_handle(workspace_id: str | None, name: str, world: World) -> str:
    """What makes a label unique. Fails: `conflict` when the workspace or the organisation has one of this name.

    *chosen*: that names are unique (no source says so), since versions are called by them.
    """
    handle = f"{workspace_id or ''}/{name}"
    for taken in (handle, f"/{name}"):
        if world["labels"].find("_handle", taken) is not None:
            raise Problem(CONFLICT, f"A label with the name {name} exists")
    return handle


def _check_organisation(said: str | None, world: World) -> None:
    if said is not None and said != organisation_id(world):
        raise forbidden()


def _shown(label: Record) -> Record:
    return {name: value for name, value in label.items() if name != "_handle"}
