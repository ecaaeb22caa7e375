"""Secret references: where in a vault a credential lies.

Of what opens the vault only masks are kept. Source of every rule that names none: governance-mcp-observability, Secret
references.
"""

from __future__ import annotations

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.records import (
    existing,
    free_slug,
    listed,
    mask,
    named,
    organisation_id,
    owner_id,
    page,
    shown,
    stem,
)
from mockserver.portkey.secret_mappings import is_mapped
from mockserver.values import JSON, NotJSON, Record, parse
from mockserver.world.world import World

_MASKED = frozenset(
    {
        "aws_access_key_id", "aws_secret_access_key", "aws_role_arn", "aws_external_id", "azure_entra_client_secret",
        "vault_token", "vault_secret_id",
    }
)  # fmt: skip
"""What of `auth_config` is read as `masked_<name>`; the rest is read as it was written."""

_ITEM = ("id", "name", "slug", "manager_type", "status", "created_at", "last_updated_at", "object")
_CHANGEABLE = ("name", "description", "secret_path", "secret_key", "tags")


def create_secret_reference(request: Request, world: World) -> Reply:
    """Make a reference.

    Fails: `invalid-request` for a slug that is taken (the dossier prefers it to 409), for a workspace that is not there, for
    all workspaces and a list of them at once.
    """
    fields, references = request.fields, world["secret_references"]
    slug = fields.get("slug")
    if slug is not None and references.find("slug", slug) is not None:
        raise invalid("body", "/slug", "is taken")
    chosen = "allowed_workspaces" in fields
    if chosen and fields.get("allow_all_workspaces"):
        raise invalid("body", "/allow_all_workspaces", "excludes allowed_workspaces")
    now = world.clock.timestamp()
    record: Record = {
        "id": world.ids.uuid4(),
        "organisation_id": organisation_id(world),
        "name": fields["name"],
        "slug": slug or free_slug("secret_references", stem(fields["name"]), world),
        "description": fields.get("description"),
        "manager_type": fields["manager_type"],
        "secret_path": fields["secret_path"],
        "secret_key": fields.get("secret_key"),
        "allow_all_workspaces": fields.get("allow_all_workspaces", not chosen),
        "tags": fields.get("tags"),
        "status": "ACTIVE",
        "created_by": request.caller.user_id or owner_id(world),
        "created_at": now,
        "last_updated_at": now,
        "auth_config": _masked(fields["auth_config"]),
        "object": "secret-reference",
        "_allowed_workspaces": _workspaces(fields, world),
    }
    references.add(record)
    return Reply(200, {name: record[name] for name in ("id", "slug", "object")})


def list_secret_references(request: Request, world: World) -> Reply:
    """Show a page of references, newest first, of a kind, with some tags, with a piece of a name in any case.

    *chosen*: all the tags that are asked for must be there; another organisation has none. Fails: `invalid-request` for
    tags that are no JSON object.
    """
    query = request.query
    tags = _tags(query.get("tags"))
    search = query.get("search", "").lower()
    organisation = organisation_id(world)

    def fits(record: Record) -> bool:
        return (
            query.get("manager_type", record["manager_type"]) == record["manager_type"]
            and search in record["name"].lower()
            and tags.items() <= (record["tags"] or {}).items()
        )

    if query.get("organisation_id", organisation) != organisation:
        return listed([], 0)
    narrowed = bool(tags or search or "manager_type" in query)
    rows, total = page(world, "secret_references", query, fits if narrowed else None)
    return listed([{name: row[name] for name in _ITEM} for row in rows], total)


def get_secret_reference(request: Request, world: World) -> Reply:
    """Show a reference, its credentials masked; which workspaces may use it is never told."""
    return Reply(200, shown(_find(request, world)))


def update_secret_reference(request: Request, world: World) -> Reply:
    """Change the fields that are sent; those of `auth_config` one by one, null clears those that can be empty.

    A list of workspaces takes the place of the former one, and of all workspaces; all workspaces take the place of a list.
    The kind of vault stays. Fails: `invalid-request` for a workspace that is not there.
    """
    record, fields = _find(request, world), request.fields
    changes: Record = {name: fields[name] for name in _CHANGEABLE if name in fields}
    if "auth_config" in fields:
        changes["auth_config"] = {**record["auth_config"], **_masked(fields["auth_config"])}
    if "allowed_workspaces" in fields:
        changes |= {"allow_all_workspaces": False, "_allowed_workspaces": _workspaces(fields, world)}
    elif "allow_all_workspaces" in fields:
        every = fields["allow_all_workspaces"]
        changes |= {"allow_all_workspaces": every, "_allowed_workspaces": [] if every else record["_allowed_workspaces"]}
    changes["last_updated_at"] = world.clock.timestamp()
    world["secret_references"].replace({**record, **changes})
    return Reply(200, {})


def delete_secret_reference(request: Request, world: World) -> Reply:
    """Forget a reference. Fails: `invalid-request` while anything maps it."""
    record = _find(request, world)
    if is_mapped(record, world):
        raise invalid("path", "/secretReferenceId", "is in use by the secret mappings of an integration or a virtual key")
    world["secret_references"].remove(record["id"])
    return Reply(200, {})


def _find(request: Request, world: World) -> Record:
    return existing(world, "secret_references", request.path["secretReferenceId"])


def _masked(auth_config: Record) -> Record:
    return {
        f"masked_{name}" if name in _MASKED else name: mask(value) if name in _MASKED and value is not None else value
        for name, value in auth_config.items()
    }


def _workspaces(fields: Record, world: World) -> list[str]:
    """The ids of the workspaces that may use a reference."""
    found: list[str] = []
    for at, id_or_slug in enumerate(fields.get("allowed_workspaces") or ()):
        workspace = named(world, "workspaces", id_or_slug)
        if workspace is None or workspace["status"] == "archived":
            raise invalid("body", f"/allowed_workspaces/{at}", "is no workspace of the organisation")
        found.append(workspace["id"])
    return found


def _tags(text: str | None) -> Record:
    if text is None:
        return {}
    try:
        tags: JSON = parse(text.encode())
    except NotJSON as error:
        raise invalid("query", "/tags", str(error)) from None
    if not isinstance(tags, dict):
        raise invalid("query", "/tags", "must be the text of a JSON object")
    return tags
