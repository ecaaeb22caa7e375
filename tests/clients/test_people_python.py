"""Users, invitations and memberships with the real `portkey-ai` for Python, sync and async, over a real socket."""

from __future__ import annotations

import operator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from portkey_ai import AsyncPortkey, Portkey
from portkey_ai.api_resources import exceptions

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_python_sdk
from tests.clients.test_python_sdk import ERRORS, METHODS, NOBODY, PRODUCTION, RESEARCH, Call, user_id, workspace_id

call = test_python_sdk.call

NOOR = "noor@example.com"
DETAILS = {"name": "Noor's", "scopes": ["workspaces.list"], "metadata": {"team": "care"}}
WANTED = [{"id": PRODUCTION, "role": "manager"}]


@pytest.fixture
def resend(request: pytest.FixtureRequest, call: Call) -> Call:
    """Sends an invitation again, by the name that each client has for it (sdk-call-map 1)."""
    is_async = "async" in request.node.callspec.id
    name = "admin.users.resend" if is_async else "admin.users.invites.resend"
    return lambda **given: call(name, **given)


@pytest.fixture
def invite(call: Call) -> Any:
    """An invitation to Production, as its creation shows it."""
    return call("admin.users.invites.create", email=NOOR, role="member", workspaces=WANTED, workspace_api_key_details=DETAILS)


@pytest.mark.parametrize(
    ("client_type", "namespace", "methods"),
    [
        (Portkey, "admin.users", {"retrieve", "list", "update", "delete"}),
        (Portkey, "admin.users.invites", METHODS - {"update"} | {"resend"}),
        (AsyncPortkey, "admin.users", {"retrieve", "list", "update", "delete", "resend"}),
        (AsyncPortkey, "admin.users.invites", METHODS - {"update"}),
    ],
)
def test_namespaces_have_the_methods_tested_here(client_type: Any, namespace: str, methods: set[str]) -> None:
    """A method that the SDK gains wants its tests beside these."""
    client = client_type(base_url="http://127.0.0.1:1/v1", api_key="any")
    found = vars(type(operator.attrgetter(namespace)(client)))
    assert {name for name in found if not name.startswith("_")} == methods


# Users


def test_listed_people_come_newest_first(call: Call) -> None:
    people = call("admin.users.list")
    assert (people.object, people.total) == ("list", 5)
    assert [each.first_name for each in people.data] == ["Eli", "Dara", "Chie", "Ben", "Ada"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"role": "admin"}, ["Ben"]),
        ({"email": "dara@example.com"}, ["Dara"]),
        ({"email": "dara"}, []),
        ({"page_size": 2, "current_page": 2}, ["Ada"]),
        ({"page_size": None, "role": None}, ["Eli", "Dara", "Chie", "Ben", "Ada"]),
    ],
    ids=["role", "address", "part of an address", "last page", "none"],
)
def test_listed_people_fit_the_filter(call: Call, filters: dict[str, Any], names: list[str]) -> None:
    """`None` is written into the query, and means nothing (sdk-call-map 4, row 3)."""
    assert [each.first_name for each in call("admin.users.list", **filters).data] == names


def test_retrieved_person_has_the_attributes_users_read(call: Call, portkey: PortkeyWorld) -> None:
    dara = user_id(portkey, "dara")
    person = call("admin.users.retrieve", user_id=dara)
    assert (person.object, person.id, person.email) == ("user", dara, "dara@example.com")
    assert (person.first_name, person.last_name, person.role) == ("Dara", "Moreau", "member")
    assert (person.created_at, person.workspace_ids) == (person.last_updated_at, [PRODUCTION])


def test_admin_has_every_workspace(call: Call, portkey: PortkeyWorld) -> None:
    assert len(call("admin.users.retrieve", user_id=user_id(portkey, "ben")).workspace_ids) == 3


def test_updated_person_has_the_role(call: Call, portkey: PortkeyWorld) -> None:
    dara = user_id(portkey, "dara")
    call("admin.users.update", user_id=dara, role="admin")
    assert call("admin.users.retrieve", user_id=dara).role == "admin"
    member = call("admin.workspaces.users.retrieve", workspace_id=PRODUCTION, user_id=dara)
    assert (member.org_role, member.role) == ("admin", "member")


def test_deleted_person_leaves_everywhere(call: Call, portkey: PortkeyWorld) -> None:
    """Source: identity-and-access, Errors (403 for a departed member)."""
    dara = user_id(portkey, "dara")
    call("admin.users.delete", user_id=dara)
    with pytest.raises(exceptions.NotFoundError):
        call("admin.users.retrieve", user_id=dara)
    with pytest.raises(exceptions.PermissionDeniedError):
        call("admin.workspaces.users.retrieve", workspace_id=PRODUCTION, user_id=dara)
    members = call("admin.workspaces.users.list", workspace_id=PRODUCTION).data
    assert {each["first_name"] for each in members} == {"Ada", "Ben"}
    assert "Dara" not in {key["name"] for key in call("api_keys.list").data}


@pytest.mark.parametrize(
    ("method", "name", "given", "status", "reason"),
    [
        ("update", "dara", {"role": "member"}, 400, "body/role is the role that the person has"),
        ("update", "ada", {"role": "member"}, 400, "path/userId is an owner of the organisation"),
        ("delete", "ada", {}, 400, "path/userId is an owner of the organisation"),
        ("retrieve", None, {}, 404, "Resource not found"),
        ("update", None, {"role": "admin"}, 404, "Resource not found"),
        ("delete", None, {}, 404, "Resource not found"),
    ],
)
def test_refusals_say_why(
    call: Call, portkey: PortkeyWorld, method: str, name: str | None, given: dict[str, str], status: int, reason: str
) -> None:
    with pytest.raises(ERRORS[status]) as caught:
        call(f"admin.users.{method}", user_id=NOBODY if name is None else user_id(portkey, name), **given)
    assert reason in caught.value.message


# Invitations


def test_created_invitation_has_id_and_link(call: Call, portkey: PortkeyWorld, invite: Any) -> None:
    assert invite.invite_link.startswith(f"{portkey.url}/invites/")
    assert portkey.events[-1]["details"]["link"] == invite.invite_link
    assert portkey.events[-1]["details"]["to"] == [NOOR]


def test_retrieved_invitation_has_the_attributes_users_read(call: Call, portkey: PortkeyWorld, invite: Any) -> None:
    read = call("admin.users.invites.retrieve", invite_id=invite.id)
    assert (read.object, read.id, read.email, read.role) == ("invite", invite.id, NOOR, "member")
    assert (read.status, read.accepted_at, read.invited_by) == ("pending", None, user_id(portkey, "ada"))
    assert read.created_at < read.expires_at
    assert read.workspaces == [{"id": PRODUCTION, "workspace_id": workspace_id(portkey, PRODUCTION), "role": "manager"}]


def test_created_invitation_needs_no_workspaces(call: Call) -> None:
    made = call("admin.users.invites.create", email=NOOR, role="admin")
    assert call("admin.users.invites.retrieve", invite_id=made.id).workspaces == []


@pytest.mark.parametrize(
    ("filters", "emails"),
    [
        ({}, ["omar@example.com", NOOR]),
        ({"role": "admin"}, ["omar@example.com"]),
        ({"email": NOOR}, [NOOR]),
        ({"status": "pending"}, ["omar@example.com"]),
        ({"status": "cancelled"}, [NOOR]),
        ({"page_size": 1, "current_page": 1}, [NOOR]),
    ],
    ids=repr,
)
def test_listed_invitations_fit_the_filter(call: Call, invite: Any, filters: dict[str, Any], emails: list[str]) -> None:
    call("admin.users.invites.create", email="omar@example.com", role="admin")
    call("admin.users.invites.delete", invite_id=invite.id)
    found = call("admin.users.invites.list", **filters)
    assert [each.email for each in found.data] == emails


def test_accepted_invitation_brings_a_member_with_a_key(call: Call, portkey: PortkeyWorld, invite: Any) -> None:
    """The link is opened as people open it, by no SDK and without a key."""
    reply = httpx.get(invite.invite_link).json()
    person = call("admin.users.retrieve", user_id=reply["user_id"])
    assert (person.email, person.role, person.workspace_ids) == (NOOR, "member", [PRODUCTION])
    member = call("admin.workspaces.users.retrieve", workspace_id=PRODUCTION, user_id=person.id)
    assert (member.role, member.org_role) == ("manager", "member")
    listed = call("admin.workspaces.users.list", workspace_id=PRODUCTION, email=NOOR)
    assert [each["role"] for each in listed.data] == ["manager"]
    (told,) = reply["api_keys"]
    key = call("api_keys.retrieve", id=told["id"])
    assert (key.name, key.type, key.user_id, key.scopes) == ("Noor's", "workspace-user", person.id, ["workspaces.list"])
    assert [each.slug for each in portkey.client(api_key=told["key"]).admin.workspaces.list().data] == [PRODUCTION]
    assert call("admin.users.invites.retrieve", invite_id=invite.id).status == "accepted"


def test_accepted_person_moves_on(call: Call, portkey: PortkeyWorld, invite: Any) -> None:
    """Joins another workspace, gets another role in it, leaves it."""
    person = httpx.get(invite.invite_link).json()["user_id"]
    call("admin.workspaces.users.create", workspace_id=RESEARCH, users=[{"id": person, "role": "member"}])
    call("admin.workspaces.users.update", workspace_id=RESEARCH, user_id=person, role="manager")
    assert set(call("admin.users.retrieve", user_id=person).workspace_ids) == {PRODUCTION, RESEARCH}
    call("admin.workspaces.users.delete", workspace_id=RESEARCH, user_id=person)
    assert call("admin.users.retrieve", user_id=person).workspace_ids == [PRODUCTION]


def test_resent_invitation_lives_longer(call: Call, resend: Call, portkey: PortkeyWorld, invite: Any) -> None:
    before = call("admin.users.invites.retrieve", invite_id=invite.id)
    portkey.clock.move(timedelta(days=6))
    assert resend(invite_id=invite.id).inviteLink == invite.invite_link
    after = call("admin.users.invites.retrieve", invite_id=invite.id)
    assert (after.status, after.expires_at > before.expires_at) == ("pending", True)
    assert len([event for event in portkey.events if event["kind"] == "invite"]) == 2


def test_time_ends_an_invitation(call: Call, portkey: PortkeyWorld, invite: Any) -> None:
    portkey.clock.move(timedelta(days=7))
    assert call("admin.users.invites.retrieve", invite_id=invite.id).status == "expired"
    assert httpx.get(invite.invite_link).status_code == 400


def test_deleted_invitation_is_cancelled(call: Call, resend: Call, invite: Any) -> None:
    call("admin.users.invites.delete", invite_id=invite.id)
    assert call("admin.users.invites.retrieve", invite_id=invite.id).status == "cancelled"
    assert httpx.get(invite.invite_link).status_code == 400
    with pytest.raises(exceptions.BadRequestError) as caught:
        resend(invite_id=invite.id)
    assert "belongs to an invitation that is cancelled" in caught.value.message


@pytest.mark.parametrize("email", [NOOR, "dara@example.com"])
def test_known_address_is_not_invited(call: Call, invite: Any, email: str) -> None:
    with pytest.raises(exceptions.ConflictError):
        call("admin.users.invites.create", email=email, role="member")


def test_unknown_workspace_is_refused(call: Call) -> None:
    with pytest.raises(exceptions.PermissionDeniedError):
        call("admin.users.invites.create", email=NOOR, role="member", workspaces=[{"id": NOBODY, "role": "member"}])


@pytest.mark.parametrize("method", ["retrieve", "delete"])
def test_unknown_invitation_is_not_found(call: Call, method: str) -> None:
    with pytest.raises(exceptions.NotFoundError):
        call(f"admin.users.invites.{method}", invite_id=NOBODY)


def test_unknown_invitation_is_not_resent(resend: Call) -> None:
    with pytest.raises(exceptions.NotFoundError):
        resend(invite_id=NOBODY)


# SCIM, which no method of the SDK names


def test_mapping_is_made_listed_and_deleted(call: Call, portkey: PortkeyWorld) -> None:
    made = call("post", url="/scim/workspaces", workspace_id=PRODUCTION, role="Admin", scim_group_name="Leads")
    assert (made.workspace_id, made.scim_group, made.role) == (workspace_id(portkey, PRODUCTION), "Leads", "admin")
    found = call("get", path=f"/scim/workspaces?scim_group_id={made.scim_group_id}").json()
    assert (found["total_count"], found["mappings"][0]["id"]) == (1, made.id)
    groups = call("get", path="/scim/groups?search=lead").json()
    assert groups == {"groups": [{"id": made.scim_group_id, "name": "Leads"}], "total_count": 1}
    assert call("delete", path=f"/scim/workspaces/{made.id}").json() == {"success": True}
    assert call("get", path="/scim/workspaces").json()["mappings"] == []
