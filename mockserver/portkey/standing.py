"""What is there without anybody making it: the default collection of a workspace, the labels of an organisation.

Ids follow from those of their owners and are not drawn, so that a world's ids do not depend on what stands in it.
Source: prompts-configs-guardrails, Labels (three universal ones), Collections (each workspace has a default one).
"""

from __future__ import annotations

from hashlib import blake2b

from mockserver.portkey.records import organisation_id
from mockserver.values import Record
from mockserver.world.world import World

UNIVERSAL_LABELS = ("production", "staging", "development")


def furnish(workspace: Record, world: World) -> None:
    """Give a new workspace its default collection, and the organisation its labels when it is the first one.

    *chosen*: the universal labels belong to no workspace, since all workspaces have the same.
    """
    now = workspace["created_at"]
    collection_id = _follows(workspace["id"], "collection")
    default: Record = {
        "id": collection_id,
        "name": "Default",
        "workspace_id": workspace["id"],
        "slug": f"default-{collection_id[-12:]}",  # longer than a slug that is drawn: a world may hold many workspaces
        "parent_collection_id": None,
        "is_default": 1,
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
    }
    world["collections"].add(default)
    organisation = organisation_id(world)
    for name in UNIVERSAL_LABELS:
        label_id = _follows(organisation, name)
        if label_id not in world["labels"]:
            world["labels"].add(
                {
                    "id": label_id,
                    "name": name,
                    "description": None,
                    "color_code": None,
                    "organisation_id": organisation,
                    "workspace_id": None,
                    "is_universal": True,
                    "status": "active",
                    "created_at": now,
                    "last_updated_at": now,
                    "_handle": f"/{name}",
                }
            )


def clear(workspace: Record, world: World) -> None:
    """Take away what a workspace that goes leaves behind: collections and labels of its own."""
    for name in ("collections", "labels"):
        for record in list(world[name].newest(workspace_id=workspace["id"])):
            world[name].remove(record["id"])


def default_collection(workspace_id: str, world: World) -> Record:
    """Return the default collection of a workspace."""
    found = world["collections"].get(_follows(workspace_id, "collection"))
    assert found is not None  # it cannot be deleted
    return found


def _follows(owner_id: str, name: str) -> str:
    text = blake2b(f"{owner_id}/{name}".encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:30]}"
