"""Invitations: how people come into an organisation, and into its workspaces.

No mail is sent: each that would be is an event, with the link in it. The link leads to this server, and opening it accepts
the invitation. Source of every rule that names none: identity-and-access, User invites.
"""

from __future__ import annotations

import re
from datetime import timedelta

from mockserver.contract.problems import CONFLICT, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.keys import make_key, with_fallback
from mockserver.portkey.memberships import put_member
from mockserver.portkey.records import find_workspace, listed, moment, not_found, owner_id, page
from mockserver.values import Record
from mockserver.world.clock import format_timestamp
from mockserver.world.world import DEFAULT, World

LIFE = timedelta(days=7)
"""How long an invitation can be accepted. *chosen*: all that is known is that it is days."""

TOKEN_LENGTH = 24

_HOST = re.compile(rb"[A-Za-z0-9._-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")


def invites_create(request: Request, world: World) -> Reply:
    """Invite a person; the reply has the id and the link alone.

    Fails: `conflict` for the address of a user, or of an invitation that is pending; `forbidden` for an unknown workspace.
    """
    fields = request.fields
    email = fields["email"]
    _check_no_user(email, world)
    if any(_status(invite, world) == "pending" for invite in world["user_invites"].newest(email=email)):
        raise Problem(CONFLICT, f"An invitation of {email} is pending")
    invite: Record = {
        "object": "invite",
        "id": world.ids.uuid4(),
        "email": email,
        "role": fields["role"],
        "created_at": world.clock.timestamp(),
        "expires_at": _end(world),
        "accepted_at": None,
        "status": "pending",
        "invited_by": request.caller.user_id or owner_id(world),
        "workspaces": [_workspace(wanted, world) for wanted in fields.get("workspaces") or []],
        "_names": {name: fields.get(name) or "" for name in ("first_name", "last_name")},
        "_key": _key(fields.get("workspace_api_key_details")),
        "_token": world.ids.text(TOKEN_LENGTH),
    }
    world["user_invites"].add(invite)
    return Reply(200, {"id": invite["id"], "invite_link": _send(invite, request, world)})


def list_user_invites(request: Request, world: World) -> Reply:
    """Show a page of invitations, newest first, to one role, to one address or in one state when asked."""
    query = request.query
    wanted = {name: query[name] for name in ("role", "status") if name in query}

    def fits(invite: Record) -> bool:
        shown = _shown(invite, world)
        return all(shown[name] == value for name, value in wanted.items())

    group = {"email": query["email"]} if "email" in query else {}
    rows, total = page(world, "user_invites", query, fits if wanted else None, **group)
    return listed([_shown(invite, world) for invite in rows], total)


def get_user_invite(request: Request, world: World) -> Reply:
    """Show an invitation; what its keys may do is not shown."""
    return Reply(200, _shown(_find(request, world), world))


def delete_user_invite(request: Request, world: World) -> Reply:
    """Cancel an invitation.

    *chosen*: one that is not pending stays as it is, and the call succeeds, so that who clears up need not look first.
    """
    invite = _find(request, world)
    if _status(invite, world) == "pending":
        world["user_invites"].replace({**invite, "status": "cancelled"})
    return Reply(200, {})


def resend_user_invite(request: Request, world: World) -> Reply:
    """Send an invitation once more, with the same link; it can be accepted as long as a new one from now on.

    Fails: `invalid-request` for one that is not pending: no arrow leads back there (*chosen*, as other refusals of what is
    no longer so; a new invitation does it).
    """
    invite = _find(request, world)
    _check_pending(invite, "/inviteId", world)
    invite = {**invite, "expires_at": _end(world)}
    world["user_invites"].replace(invite)
    return Reply(200, {"inviteLink": _send(invite, request, world)})


def accept_user_invite(request: Request, world: World) -> Reply:
    """Make the invited person a user and a member, with a key in each workspace when the invitation says which.

    Workspaces that are gone are passed over. *chosen*: the operation is the mock's own, by GET, since a link is opened; the
    keys have the name and the mode of those that joining makes (API keys: Side effects), and the reply tells their secrets,
    since nobody else will. Fails: `not-found` for an unknown link; `invalid-request` when the invitation is not pending;
    `conflict` when there is a user with the address.
    """
    invite = world["user_invites"].find("_token", request.path["inviteToken"])
    if invite is None:
        raise not_found()
    _check_pending(invite, "/inviteToken", world)
    _check_no_user(invite["email"], world)
    now, user_id = world.clock.timestamp(), world.ids.uuid1()
    user = {"id": user_id, "role": invite["role"], "email": invite["email"], **invite["_names"]}
    world["users"].add({**user, "object": "user", "created_at": now, "last_updated_at": now})
    keys = []
    for workspace_id, role in {each["workspace_id"]: each["role"] for each in invite["workspaces"]}.items():
        workspace = world["workspaces"].get(workspace_id)
        if workspace is None or workspace["status"] == "archived":
            continue
        put_member(workspace, user_id, role, world)
        if invite["_key"] is not None:
            fields = with_fallback(invite["_key"], workspace)
            key, secret = make_key(fields, "workspace-user", workspace_id, user_id, world, creation_mode="auto")
            keys.append({"id": key["id"], "key": secret, "workspace_id": workspace_id})
    invite = {**invite, "status": "accepted", "accepted_at": now}
    world["user_invites"].replace(invite)
    return Reply(200, {**_shown(invite, world), "user_id": user_id, "api_keys": keys})


def _find(request: Request, world: World) -> Record:
    invite = world["user_invites"].get(request.path["inviteId"])
    if invite is None:
        raise not_found()
    return invite


def _status(invite: Record, world: World) -> str:
    """The state of an invitation now: time ends one that is pending."""
    if invite["status"] == "pending" and invite["expires_at"] <= world.clock.timestamp():
        return "expired"
    return str(invite["status"])


def _shown(invite: Record, world: World) -> Record:
    shown = {name: value for name, value in invite.items() if not name.startswith("_")}
    return {**shown, "status": _status(invite, world)}


def _check_pending(invite: Record, pointer: str, world: World) -> None:
    status = _status(invite, world)
    if status != "pending":
        raise invalid("path", pointer, f"belongs to an invitation that is {status}, no longer pending")


def _check_no_user(email: str, world: World) -> None:
    if world["users"].find("email", email) is not None:
        raise Problem(CONFLICT, f"{email} is a user of the organisation")


def _end(world: World) -> str:
    return format_timestamp(world.clock.now() + LIFE)


def _workspace(wanted: Record, world: World) -> Record:
    """A workspace of an invitation: `id` as it was written, which the Terraform provider compares with its plan.

    *chosen*: `workspace_id` is the id, as it is of keys and members, where only examples of the published document differ.
    """
    return {"id": wanted["id"], "workspace_id": find_workspace(world, wanted["id"])["id"], "role": wanted["role"]}


def _key(details: Record | None) -> Record | None:
    """The fields of the keys to make on accepting."""
    if details is None:
        return None
    expiry = details.get("expiry")
    return {
        "name": details.get("name") or "default_user_key",
        "description": "Created by portkey on joining organisation",
        "scopes": details["scopes"],
        "expires_at": expiry and format_timestamp(moment(expiry, "/workspace_api_key_details/expiry")),
        "defaults": {"metadata": details["metadata"]} if details.get("metadata") else None,
    }


def _send(invite: Record, request: Request, world: World) -> str:
    """Write down the mail of an invitation, and return its link: to the host that the caller has called, into this world."""
    host = request.headers.get(b"host", b"")
    place = host.decode() if _HOST.fullmatch(host) else "localhost"
    prefix = "" if world.name == DEFAULT else f"/worlds/{world.name}"
    link = f"http://{place}{prefix}/v1/invites/{invite['_token']}"
    about = {name: invite[name] for name in ("object", "id")}
    world.tell("invite", {"to": [invite["email"]], "about": about, "link": link, "expires_at": invite["expires_at"]})
    return link
