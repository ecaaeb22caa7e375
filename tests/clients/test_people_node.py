"""Users, invitations and memberships with the real `portkey-ai` for Node over a real socket.

Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.test_node_sdk import ERRORS, METHODS, NOBODY, PRODUCTION, RESEARCH, NodeClient, Refused, user_id

node, sdk = test_node_sdk.node, test_node_sdk.sdk

NOOR = "noor@example.com"
DETAILS = {"name": "Noor's", "scopes": ["workspaces.list"]}


@pytest.fixture
def invite(sdk: NodeClient) -> Any:
    """An invitation to Production, as its creation shows it."""
    wanted = [{"id": PRODUCTION, "role": "manager"}]
    fields = {"email": NOOR, "role": "member", "workspaces": wanted, "workspace_api_key_details": DETAILS}
    return sdk.call("admin.users.invites.create", fields)


@pytest.mark.parametrize(
    ("namespace", "methods"),
    [("admin.users", METHODS - {"create"}), ("admin.users.invites", METHODS - {"update"} | {"resend"})],
)
def test_namespaces_have_the_methods_tested_here(sdk: NodeClient, namespace: str, methods: set[str]) -> None:
    """A method that the SDK gains wants its tests beside these."""
    assert set(sdk.call(f"{namespace}.methods")) - {"constructor"} == methods


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["Eli", "Dara", "Chie", "Ben", "Ada"]),
        ({"role": "owner"}, ["Ada"]),
        ({"email": "dara@example.com"}, ["Dara"]),
        ({"pageSize": 2, "currentPage": 1}, ["Chie", "Ben"]),
    ],
    ids=["none", "role", "address", "second page"],
)
def test_listed_people_fit_the_filter(sdk: NodeClient, filters: dict[str, Any], names: list[str]) -> None:
    assert [each["first_name"] for each in sdk.call("admin.users.list", filters)["data"]] == names


def test_retrieved_person_is_whole(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    dara = user_id(portkey, "dara")
    assert sdk.call("admin.users.retrieve", {"userId": dara}) == {
        "object": "user",
        "id": dara,
        "first_name": "Dara",
        "last_name": "Moreau",
        "role": "member",
        "email": "dara@example.com",
        "created_at": "2025-01-06T09:00:00.000Z",
        "last_updated_at": "2025-01-06T09:00:00.000Z",
        "workspace_ids": [PRODUCTION],
    }


def test_updated_person_has_the_role(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    dara = {"userId": user_id(portkey, "dara")}
    assert sdk.call("admin.users.update", {**dara, "role": "admin"}) == {}
    person = sdk.call("admin.users.retrieve", dara)
    assert (person["role"], len(person["workspace_ids"])) == ("admin", 3)


def test_deleted_person_leaves_everywhere(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    """The SDK sends the id in the body as well (sdk-call-map 4, row 8)."""
    dara = {"userId": user_id(portkey, "dara")}
    assert sdk.call("admin.users.delete", dara) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("admin.users.retrieve", dara)
    assert caught.value.status == 404
    with pytest.raises(Refused) as caught:
        sdk.call("admin.workspaces.users.retrieve", {"workspaceId": PRODUCTION, **dara})
    assert caught.value.status == 403
    members = sdk.call("admin.workspaces.users.list", {"workspaceId": PRODUCTION})["data"]
    assert {each["first_name"] for each in members} == {"Ada", "Ben"}


def test_invitation_is_shown_as_it_was_made(sdk: NodeClient, portkey: PortkeyWorld, invite: Any) -> None:
    assert set(invite) == {"id", "invite_link"}
    read = sdk.call("admin.users.invites.retrieve", {"inviteId": invite["id"]})
    assert (read["email"], read["role"], read["status"], read["accepted_at"]) == (NOOR, "member", "pending", None)
    assert (read["workspaces"][0]["id"], read["workspaces"][0]["role"]) == (PRODUCTION, "manager")
    assert read["invited_by"] == user_id(portkey, "ada")


@pytest.mark.parametrize(
    ("filters", "count"),
    [({}, 1), ({"status": "pending"}, 1), ({"status": "expired"}, 0), ({"role": "admin"}, 0), ({"email": NOOR}, 1)],
    ids=repr,
)
def test_listed_invitations_fit_the_filter(sdk: NodeClient, invite: Any, filters: dict[str, Any], count: int) -> None:
    found = sdk.call("admin.users.invites.list", filters)
    assert (found["object"], found["total"], len(found["data"])) == ("list", count, count)


def test_accepted_invitation_brings_a_member(sdk: NodeClient, portkey: PortkeyWorld, invite: Any) -> None:
    """The link is opened as people open it, by no SDK and without a key."""
    reply = httpx.get(invite["invite_link"]).json()
    person = {"userId": reply["user_id"]}
    member = sdk.call("admin.workspaces.users.retrieve", {"workspaceId": PRODUCTION, **person})
    assert (member["email"], member["role"], member["org_role"]) == (NOOR, "manager", "member")
    key = sdk.call("apiKeys.retrieve", {"id": reply["api_keys"][0]["id"]})
    assert (key["name"], key["type"], key["user_id"]) == ("Noor's", "workspace-user", reply["user_id"])
    joins = {"workspaceId": RESEARCH, "users": [{"id": reply["user_id"], "role": "member"}]}
    assert sdk.call("admin.workspaces.users.create", joins) == {}
    assert sdk.call("admin.workspaces.users.update", {"workspaceId": RESEARCH, **person, "role": "manager"}) == {}
    assert set(sdk.call("admin.users.retrieve", person)["workspace_ids"]) == {PRODUCTION, RESEARCH}
    assert sdk.call("admin.workspaces.users.delete", {"workspaceId": RESEARCH, **person}) == {}
    assert sdk.call("admin.users.retrieve", person)["workspace_ids"] == [PRODUCTION]


def test_resent_invitation_lives_longer(sdk: NodeClient, portkey: PortkeyWorld, invite: Any) -> None:
    """The SDK sends a type without a body (sdk-call-map 4, row 7)."""
    invitation = {"inviteId": invite["id"]}
    before = sdk.call("admin.users.invites.retrieve", invitation)
    portkey.clock.move(timedelta(days=6))
    assert sdk.call("admin.users.invites.resend", invitation)["inviteLink"] == invite["invite_link"]
    after = sdk.call("admin.users.invites.retrieve", invitation)
    assert (after["status"], after["expires_at"] > before["expires_at"]) == ("pending", True)


def test_deleted_invitation_is_cancelled(sdk: NodeClient, invite: Any) -> None:
    invitation = {"inviteId": invite["id"]}
    assert sdk.call("admin.users.invites.delete", invitation) == {}
    assert sdk.call("admin.users.invites.retrieve", invitation)["status"] == "cancelled"
    assert httpx.get(invite["invite_link"]).status_code == 400


@pytest.mark.parametrize(
    ("method", "given", "status"),
    [
        ("admin.users.retrieve", {"userId": NOBODY}, 404),
        ("admin.users.invites.retrieve", {"inviteId": NOBODY}, 404),
        ("admin.users.invites.create", {"email": "dara@example.com", "role": "member"}, 409),
        (
            "admin.users.invites.create",
            {"email": NOOR, "role": "member", "workspaces": [{"id": NOBODY, "role": "member"}]},
            403,
        ),
    ],
)
def test_refusals_are_the_errors_of_the_sdk(sdk: NodeClient, method: str, given: dict[str, Any], status: int) -> None:
    with pytest.raises(Refused) as caught:
        sdk.call(method, given)
    assert (caught.value.status, caught.value.type) == (status, ERRORS[status])
