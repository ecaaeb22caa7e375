"""Guardrails: checks on what goes into a model and comes out of it, and what follows when one fails.

They belong to a workspace, or to the organisation itself. Source of every rule that names none: prompts-configs-guardrails,
Guardrails.
"""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.contract.violations import Violation
from mockserver.portkey.checks import lacking
from mockserver.portkey.identity import Caller
from mockserver.portkey.records import (
    forbidden,
    listed,
    new_slug,
    organisation_id,
    owner_id,
    page,
    required,
    workspace_named,
    workspace_required,
)
from mockserver.values import Record
from mockserver.world.world import World

SLUG_STEM = 6


def create_guardrail(request: Request, world: World) -> Reply:
    """Make a guardrail of a workspace, or of the organisation.

    Fails: `invalid-request` for a known check without a parameter that it needs, and when neither owner is named;
    `forbidden` for the organisation of somebody else.
    """
    caller: Caller = request.caller
    fields = request.fields
    organisation = fields.get("organisation_id")
    _check_organisation(organisation, world)
    if organisation is None and "workspace_id" not in fields:
        workspace: Record | None = workspace_required(request, world, "a guardrail without organisation_id")
    else:
        workspace = workspace_named(request, world)
    workspace_id = None if workspace is None else workspace["id"]
    _check_scope(caller, "create", workspace_id)
    check_parameters(fields["checks"])
    return _told(make(fields, workspace_id, world, by=caller.user_id))


def list_guardrails(request: Request, world: World) -> Reply:
    """Show a page of guardrails, newest first, without checks and actions.

    `organisation_id` alone asks for those that belong to the organisation itself. A caller sees the kinds that it may list.
    *chosen*: an admin who names neither owner sees all. The dossier says that it must name one, but not what it gets without.
    """
    caller: Caller = request.caller
    query = request.query
    organisation = query.get("organisation_id")
    _check_organisation(organisation, world)
    workspace = workspace_named(request, world)
    own, shared = (caller.holds(f"{_family(each)}.list") for each in ("a workspace", None))
    if workspace is None and organisation is not None:
        own = False
    ids = {piece.strip() for piece in query["ids"].split(",")} if "ids" in query else None

    def fits(guardrail: Record) -> bool:
        among = ids is None or guardrail["id"] in ids or guardrail["slug"] in ids
        return among and (shared if guardrail["workspace_id"] is None else own)

    group = {} if workspace is None else {"workspace_id": workspace["id"]}
    all_fit = ids is None and own and (shared or workspace is not None)
    rows, total = page(world, "guardrails", query, None if all_fit else fits, **group)
    return listed([_item(guardrail) for guardrail in rows], total)


def get_guardrail(request: Request, world: World) -> Reply:
    """Show a guardrail; checks and actions are what was sent, without defaults."""
    return Reply(200, _find(request, "read", world))


def update_guardrail(request: Request, world: World) -> Reply:
    """Change name, checks and actions where they are sent, each as a whole; that makes a version.

    *chosen*: a call that sends none of them changes nothing, and is told the version that counts.
    """
    guardrail = _find(request, "update", world)
    caller: Caller = request.caller
    changes: Record = {name: request.fields[name] for name in ("name", "checks", "actions") if name in request.fields}
    check_parameters(changes.get("checks", ()))
    if changes:
        changes |= {
            "version_id": world.ids.uuid4(),
            "updated_by": caller.user_id or owner_id(world),
            "last_updated_at": world.clock.timestamp(),
        }
        guardrail = {**guardrail, **changes}
        world["guardrails"].replace(guardrail)
    return _told(guardrail)


def delete_guardrail(request: Request, world: World) -> Reply:
    """Forget a guardrail. *chosen*: configs that name it do not keep it, since nothing is known of that."""
    world["guardrails"].remove(_find(request, "delete", world)["id"])
    return Reply(200, {})


def make(fields: Record, workspace_id: str | None, world: World, by: str | None = None, slug: str | None = None) -> Record:
    """Store a new guardrail, of the organisation for None, made by a user or for lack of one by the organisation's owner.

    Its slug is made from the name unless one is given, which only fixtures can.
    """
    now = world.clock.timestamp()
    guardrail: Record = {
        "id": world.ids.uuid4(),
        "name": fields["name"],
        "slug": slug or new_slug("guardrails", "pg", fields["name"], SLUG_STEM, world),
        "organisation_id": organisation_id(world),
        "workspace_id": workspace_id,
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
        "owner_id": by or owner_id(world),
        "updated_by": None,
        "version_id": world.ids.uuid4(),
        "checks": fields["checks"],
        "actions": fields["actions"],
    }
    world["guardrails"].add(guardrail)
    return guardrail


def _find(request: Request, verb: str, world: World) -> Record:
    """The guardrail of a call's path, which the caller may read, update or delete."""
    guardrail = required(request, world, "guardrails", request.path["guardrailId"])
    _check_scope(request.caller, verb, guardrail["workspace_id"])
    return guardrail


def _family(workspace_id: str | None) -> str:
    """The family of scopes that governs a guardrail of a workspace, or one of the organisation for None."""
    return "organisation_guardrails" if workspace_id is None else "guardrails"


def _check_scope(caller: Caller, verb: str, workspace_id: str | None) -> None:
    # The table of scopes takes either family, since the operation is the same.
    if not caller.holds(f"{_family(workspace_id)}.{verb}"):
        raise forbidden()


def _check_organisation(given: str | None, world: World) -> None:
    if given is not None and given != organisation_id(world):
        raise forbidden()


def check_parameters(given: Iterable[Record]) -> None:
    """Refuse known checks without what they need: 400 AB01, naming each parameter."""
    violations = [
        Violation("body", f"/checks/{at}/parameters/{name}", f"is required by {check}") for at, check, name in lacking(given)
    ]
    if violations:
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        raise Problem(INVALID_REQUEST, f"Invalid request: {violations[0]}{more}", violations=violations)


def _told(guardrail: Record) -> Reply:
    return Reply(200, {name: guardrail[name] for name in ("id", "slug", "version_id")})


def _item(guardrail: Record) -> Record:
    """A guardrail as lists show it: without version, checks and actions."""
    return {name: value for name, value in guardrail.items() if name not in ("version_id", "checks", "actions")}
