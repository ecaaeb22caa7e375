"""The collections that the families meet in, and how their records are found.

A family never calls another; it looks here for what the other has written. Fields whose name begins with an underscore are
the mock's own and are never shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from mockserver.contract.problems import FORBIDDEN, NOT_FOUND, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.values import Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.collection import Layout
from mockserver.world.world import World

LAYOUTS = {
    "api_keys": Layout(groups=("workspace_id", "user_id"), unique=("_secrets",)),
    "users": Layout(groups=("role",), unique=("email",)),
    "user_invites": Layout(groups=("email",), unique=("_token",)),
    "scim_groups": Layout(unique=("name",)),
    "scim_mappings": Layout(groups=("status", "scim_group_id", "workspace_id")),
    "workspaces": Layout(groups=("_shelf",), unique=("slug",)),
    "workspace_users": Layout(groups=("workspace_id", "user_id")),
    "integrations": Layout(groups=("_home",), unique=("slug",)),
    "integration_models": Layout(groups=("integration_id",)),
    "integration_workspaces": Layout(groups=("integration_id", "workspace_id")),
    # Slugs of providers are unique within a workspace: each that an integration is granted to gets one with its slug.
    "providers": Layout(groups=("workspace_id", "integration_id", "slug"), unique=("_handle",)),
    "configs": Layout(groups=("workspace_id",), unique=("slug",)),
    "config_versions": Layout(groups=("config_id",)),
    "prompts": Layout(groups=("workspace_id", "collection_id"), unique=("slug",)),
    "prompt_partials": Layout(groups=("workspace_id", "collection_id"), unique=("slug",)),
    # Versions are listed by their numbers, that is by arrival, wherever the clock was moved meanwhile.
    "prompt_versions": Layout(order="", groups=("owner_id",), unique=("_handle",)),
    "prompt_partial_versions": Layout(order="", groups=("owner_id",), unique=("_handle",)),
    "prompt_labels": Layout(order="", groups=("prompt_id", "version_id", "label_id")),
    "collections": Layout(groups=("workspace_id", "parent_collection_id"), unique=("slug",)),
    "labels": Layout(groups=("workspace_id",), unique=("_handle",)),
    "guardrails": Layout(groups=("workspace_id",), unique=("slug",)),
    "feedback": Layout(groups=("trace_id",)),
    "cache": Layout(groups=("bucket",)),
    "secret_references": Layout(unique=("slug",)),
    "mcp_integrations": Layout(groups=("workspace_id",), unique=("slug",)),
    "mcp_integration_workspaces": Layout(groups=("mcp_integration_id", "workspace_id")),
    "mcp_servers": Layout(groups=("workspace_id", "mcp_integration_id"), unique=("slug",)),
    "mcp_connections": Layout(groups=("mcp_server_id",)),
    # Models that a provider keeps for its customer, as fine-tuning makes them: `provider` is its plain name.
    "models": Layout(groups=("provider",)),
    # What providers keep for their customers; see `stored`.
    "files": Layout(order="_at", groups=("_account", "_content")),
    "batches": Layout(order="_at", groups=("_account", "_content")),
    "fine_tuning_jobs": Layout(order="_at", groups=("_account", "_content", "fine_tuned_model")),
    "fine_tuning_events": Layout(order="_at", groups=("_job",)),
    "fine_tuning_checkpoints": Layout(order="_at", groups=("fine_tuning_job_id",)),
    "assistants": Layout(order="_at", groups=("_account",)),
    "threads": Layout(order="_at", groups=("_account",)),
    "thread_messages": Layout(order="_at", groups=("thread_id",)),
    # A run that has not ended has its thread's id as `_active` as well: there is one at most.
    "thread_runs": Layout(order="_at", groups=("thread_id", "_active")),
    "run_steps": Layout(order="_at", groups=("run_id",)),
    "vector_stores": Layout(order="_at", groups=("_account",)),
    # A file may lie in several stores: the key is the store's id and the file's.
    "vector_store_files": Layout(key="_key", order="_at", groups=("vector_store_id", "_batch", "id")),
    "vector_store_file_batches": Layout(order="_at", groups=("vector_store_id",)),
    "responses": Layout(order="_at", groups=("_account",)),
    "logs": Layout(groups=("workspace_id",)),
    "log_exports": Layout(groups=("workspace_id",)),
    # Policies of a workspace with one status; who belongs to no workspace needs all of one status.
    "usage_limits_policies": Layout(groups=("_shelf", "status")),
    "usage_limits_policy_entities": Layout(groups=("policy_id",), unique=("_handle",)),
    "rate_limits_policies": Layout(groups=("_shelf", "status")),
    # No groups: a world keeps so few that a filter looks at each, and every change of the control plane adds one.
    "audit_logs": Layout(),
}
"""By which fields the families' records are found. Every record has an `id`."""

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


def sayable(fields: Record) -> Record:
    """Return what a caller may say of a new record: neither its id nor what the mock keeps for itself."""
    return {name: value for name, value in fields.items() if name != "id" and not name.startswith("_")}


def named(world: World, collection: str, id_or_slug: str | None) -> Record | None:
    """Return a record of a collection with unique slugs by its id or slug, or None."""
    if not id_or_slug:
        return None
    return world[collection].get(id_or_slug) or world[collection].find("slug", id_or_slug)


def existing(world: World, collection: str, id_or_slug: str) -> Record:
    """Return a record as `named` does. Fails: `not-found` when there is none."""
    found = named(world, collection, id_or_slug)
    if found is None:
        raise not_found()
    return found


def shown(record: Record) -> Record:
    """Return a record without the fields that are the mock's own."""
    return {name: value for name, value in record.items() if not name.startswith("_")}


def find_config(world: World, id_or_slug: str | None) -> Record | None:
    """Return a config by its id or slug, or None."""
    return named(world, "configs", id_or_slug)


def find_prompt(world: World, address: str) -> Record | None:
    """Return the prompt that a call addresses by its id or slug, perhaps with a version as in `slug@3`, or None."""
    return named(world, "prompts", address.partition("@")[0])


def required(request: Request, world: World, collection: str, id_or_slug: str) -> Record:
    """Return a record of a collection with unique slugs by its id or slug.

    Fails: `forbidden` for an unknown one, as for one of another workspace. Source: prompts-configs-guardrails, Conventions
    (missing or other-workspace resource: 403 AB03 for configs and guardrails).
    """
    record = named(world, collection, id_or_slug)
    if record is None:
        raise Problem(FORBIDDEN, NO_PERMISSION, missing=True)
    request.caller.reach(record["workspace_id"])
    return record


def admins(world: World) -> list[str]:
    """The addresses of the owners and admins of the organisation, oldest first."""
    users = world["users"]
    return [user["email"] for role in ("owner", "admin") for user in reversed(list(users.newest(role=role)))]


def owner_id(world: World) -> str:
    """Return who stands for what no person did: the organisation's first owner, else an id made for one.

    *chosen*: the real service never leaves `created_by`, `owner_id` or `invited_by` out, also where a service key acted.
    """
    owners = list(world["users"].newest(role="owner"))
    if owners:
        return str(owners[-1]["id"])
    known = world.facts.get("owner_id")
    if known is None:
        known = world.ids.uuid1()
        world.facts.put("owner_id", known)
    return str(known)


def new_slug(collection: str, prefix: str, name: str, length: int, world: World) -> str:
    """Return a free slug as the service makes them: a prefix, so many characters of the name, six hexadecimal digits.

    Source: prompts-configs-guardrails, Identifiers; identity-and-access, Workspaces: Identity.
    """
    start = "-".join(part for part in (prefix, _dashed(name)[:length].strip("-")) if part)
    while True:
        slug = f"{start}-{world.ids.hex(6)}" if start else world.ids.hex(6)
        if world[collection].find("slug", slug) is None:
            return slug


def free_slug(collection: str, wanted: str, world: World, longest: int = 255, shortest: int = 1) -> str:
    """Return a slug as it is wanted, or with six hexadecimal digits behind it where it is taken, too short or too long.

    *chosen*: the dossiers say "derived from the name" and no more; a slug that can be foretold is one to write tests with.
    """
    if shortest <= len(wanted) <= longest and world[collection].find("slug", wanted) is None:
        return wanted
    return new_slug(collection, "", wanted, longest - 7, world)


def stem(name: str) -> str:
    """Return a name in lower case with a dash for each run of other characters than letters and digits."""
    return _dashed(name).strip("-")


def _dashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


def mask(secret: str) -> str:
    """Hide a secret: two characters, five stars, three characters (identity-and-access, API keys: as recorded).

    *chosen*: of one that is shorter than eight characters nothing is left, since that would be most of it or all.
    """
    return f"{secret[:2]}*****{secret[-3:]}" if len(secret) > 7 else "*****"


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

    Source: identity-and-access, Paging (zero-based; 16 of 16 keys came unpaged without a size; users in camel case).
    """
    page = query.get("current_page", query.get("currentPage", 0))
    size = query.get("page_size", query.get("pageSize"))
    if size is None:
        return 0, (None if page == 0 else 0)  # the first page is everything, and a walk through pages ends after it
    return page * size, size


def page(
    world: World, collection: str, query: Record, fits: Callable[[Record], bool] | None = None, **group: str
) -> tuple[list[Record], int]:
    """Return the records of a page and how many there are before paging, newest first.

    `group` names one group of the collection, as `Collection.page` takes it; `fits` picks records from it, at the cost of
    looking at each.
    """
    offset, size = page_of(query)
    if fits is None:
        return world[collection].page(offset, size, **group)
    found = [record for record in world[collection].newest(**group) if fits(record)]
    return found[offset : None if size is None else offset + size], len(found)


def listed(rows: list[Record], total: int) -> Reply:
    """Return the reply of a list. Source: identity-and-access, Conventions: Lists."""
    return Reply(200, {"object": "list", "total": total, "data": rows})


def workspace_named(request: Request, world: World) -> Record | None:
    """Return the workspace that a call names, in its query or its body, else the caller's own, else None.

    Fails: `forbidden` for an unknown one, and for another than the caller is bound to. Source: identity-and-access,
    Conventions: Auth (query on GET and DELETE, body on POST and PUT, UUID or slug; a workspace key is scoped to its own).
    """
    caller = request.caller
    said = request.query.get("workspace_id") or request.fields.get("workspace_id") or caller.workspace_id
    if said is None:
        return None
    workspace = find_workspace(world, said)
    caller.reach(workspace["id"])
    return workspace


def workspace_pinned(request: Request, world: World) -> Record | None:
    """Return the workspace that a call is about where a workspace's key is pinned to its own: what such a key names is ignored.

    For other callers it is the one that they name, in query or body, by id or slug, else None. Fails: `forbidden` for an
    unknown one. Source: governance-mcp-observability, Cross-cutting rules: Auth.
    """
    said = request.caller.workspace_id or request.query.get("workspace_id") or request.fields.get("workspace_id")
    return None if said is None else find_workspace(world, said)


def workspace_required(request: Request, world: World, what: str) -> Record:
    """Return the workspace that a call names, as `workspace_named`. Fails: `invalid-request` when it names none.

    *chosen*: for a key that the world does not know it is the default workspace then: whoever tests with any key has, with
    the real service, a key of a workspace.
    """
    workspace = workspace_named(request, world)
    if workspace is None and request.caller.key is None:
        active = world["workspaces"].newest(_shelf="active")
        workspace = next((each for each in active if each["_wire"]["is_default"]), None)
    if workspace is None:
        raise invalid("body", "/workspace_id", f"is required for {what}: the caller's key belongs to no workspace")
    return workspace


def find_provider(world: World, id_or_slug: str, workspace_id: str | None) -> Record | None:
    """Return a provider by its id or slug, of one workspace or of any, or None.

    A slug is unique within a workspace only; of several the newest is meant (*chosen*: it is the first that a list shows).
    """
    providers = world["providers"]
    known = providers.get(id_or_slug)
    if known is not None:
        return known if workspace_id in (None, known["workspace_id"]) else None
    if workspace_id is not None:
        return providers.find("_handle", f"{workspace_id}/{id_or_slug}")
    return next(providers.newest(slug=id_or_slug), None)
