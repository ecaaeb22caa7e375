"""The collections that the families meet in, and how their records are found.

A family never calls another; it looks here for what the other has written. Fields whose name begins with an underscore are
the mock's own and are never shown.
"""

from __future__ import annotations

from datetime import datetime

from mockserver.contract.problems import FORBIDDEN, NOT_FOUND, Problem, invalid
from mockserver.values import Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.collection import Layout
from mockserver.world.world import World

LAYOUTS = {
    "api_keys": Layout(groups=("workspace_id", "user_id"), unique=("_secrets",)),
    "users": Layout(unique=("email",)),
    "workspaces": Layout(groups=("_shelf",), unique=("slug",)),
    "workspace_users": Layout(groups=("workspace_id", "user_id")),
    "providers": Layout(groups=("workspace_id",), unique=("slug",)),
    "configs": Layout(groups=("workspace_id",), unique=("slug", "id")),
    "prompts": Layout(groups=("workspace_id",), unique=("slug",)),
    "prompts_partials": Layout(groups=("workspace_id",), unique=("slug",)),
    "guardrails": Layout(groups=("workspace_id",), unique=("slug",)),
}

NO_PERMISSION = "You do not have enough permissions to execute this request"
NOT_THERE = "Resource not found"


def organisation_id(world: World) -> str:
    """Return the id of the world's one organisation, made on first use."""
    known = world.facts.get("organisation_id")
    if known is None:
        known = world.ids.uuid4()
        world.facts.put("organisation_id", known)
    return str(known)


def forbidden(detail: str = NO_PERMISSION) -> Problem:
    """Return the problem of a caller who may not. Source: identity-and-access, Errors (AB03)."""
    return Problem(FORBIDDEN, detail)


def not_found(detail: str = NOT_THERE) -> Problem:
    """Return the problem of a record that is not there. Source: identity-and-access, Errors (AB08)."""
    return Problem(NOT_FOUND, detail)


def find_workspace(world: World, id_or_slug: str) -> Record:
    """Return an active workspace by its id or slug.

    Fails: `forbidden` for an unknown or archived one. Source: identity-and-access, Workspaces (403 AB03 for both, as the
    Terraform provider sees it); every path and parameter takes either form (same place).
    """
    workspaces = world["workspaces"]
    record = workspaces.get(id_or_slug) or workspaces.find("slug", id_or_slug)
    if record is None or record["status"] == "archived":
        raise Problem(FORBIDDEN, NO_PERMISSION, missing=True)
    return record


def find_config(world: World, id_or_slug: str | None) -> Record | None:
    """Return a config by its id or slug, or None."""
    if not id_or_slug:
        return None
    return world["configs"].find("slug", id_or_slug) or world["configs"].find("id", id_or_slug)


def find_member(world: World, workspace_id: str, user_id: str) -> Record | None:
    """Return a membership, or None."""
    return world["workspace_users"].get(membership_id(workspace_id, user_id))


def membership_id(workspace_id: str, user_id: str) -> str:
    """Return the key under which a membership is kept."""
    return f"{workspace_id}/{user_id}"


def depart_keys(world: World, *, user_id: str, workspace_id: str | None = None) -> None:
    """Delete the keys of a user, of one workspace or of all; reading them is forbidden from then on.

    Source: identity-and-access, API keys: Side effects (removal deletes the keys; reads then give 403 AB03).
    """
    for key in list(world["api_keys"].newest(user_id=user_id)):
        if key["_wire"]["type"] == "workspace-user" and workspace_id in (None, key["workspace_id"]):
            world["api_keys"].remove(key["id"])
            bury(world, key["_secrets"])
            world.facts.put(departed(key["id"]), True)


def bury(world: World, digests: list[str]) -> None:
    """Remember secrets that stopped working: where any key is an admin's, these must not be."""
    for digest in digests:
        world.facts.put(f"dead_secret:{digest}", True)


def is_dead(world: World, digest: str) -> bool:
    """Whether a secret worked once and does not any more."""
    return f"dead_secret:{digest}" in world.facts


def departed(key_id: str) -> str:
    """Return the name of the fact that a key went with its user."""
    return f"departed_key:{key_id}"


def moment(text: str, pointer: str) -> datetime:
    """Read a time of a request's body. Fails: `invalid-request` for a time that no calendar has (a leap second, year 0)."""
    try:
        return parse_timestamp(text.upper())
    except ValueError:
        raise invalid("body", pointer, "is a time that no calendar has") from None


def page_of(query: Record) -> tuple[int, int | None]:
    """Return offset and size of a page from a list's query; all records when no size is given.

    Source: identity-and-access, Paging (zero-based; 16 of 16 keys came unpaged without a size).
    """
    page, size = query.get("current_page", 0), query.get("page_size")
    if size is None:
        return 0, (None if page == 0 else 0)  # the first page is everything, and a walk through pages ends after it
    return page * size, size
