"""Workspace members through the front door.

Source of every rule that names none: identity-and-access, Workspace members.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    ADA,
    BEN,
    CHIE,
    DARA,
    ELI,
    NOBODY,
    PRODUCTION,
    RESEARCH,
    SHARED,
    Made,
    at,
    changes,
    done,
    make_key,
    make_workspace,
    read,
    read_workspace,
    refused,
    state,
    user_id,
    workspace_id,
)

FIELDS = {
    "object", "id", "first_name", "last_name", "org_role", "role", "created_at", "last_updated_at", "status", "workspace_id",
    "email", "scopes", "settings",
}  # fmt: skip
MEMBERS = f"/v1/admin/workspaces/{PRODUCTION}/users"


def member(client: Client, email: str, workspace: str = PRODUCTION) -> Record:
    """Read a member."""
    return read(client, f"/v1/admin/workspaces/{workspace}/users/{user_id(client, email)}")


def addresses(client: Client, **query: Any) -> list[str]:
    """The addresses in Production's list."""
    return [each["email"] for each in read(client, MEMBERS, **query)["data"]]


# Add


@pytest.mark.parametrize("role", ["admin", "manager", "member"])
def test_added_person_has_the_role(client: Client, role: str) -> None:
    done(client.post(MEMBERS, {"users": [{"id": user_id(client, ELI), "role": role}]}))
    assert member(client, ELI)["role"] == role


def test_role_is_member_when_not_told(client: Client) -> None:
    done(client.post(MEMBERS, {"users": [{"id": user_id(client, ELI)}]}))
    assert member(client, ELI)["role"] == "member"


def test_several_people_are_added_at_once(client: Client) -> None:
    people = [{"id": user_id(client, CHIE), "role": "manager"}, {"id": user_id(client, ELI), "role": "member"}]
    done(client.post(MEMBERS, {"users": people}))
    assert [member(client, email)["role"] for email in (CHIE, ELI)] == ["manager", "member"]


def test_flat_body_adds_one_person(client: Client) -> None:
    """The admin tools send it so; tolerating it is harmless."""
    done(client.post(MEMBERS, {"user_id": user_id(client, ELI), "role": "manager"}))
    assert member(client, ELI)["role"] == "manager"


def test_path_may_be_repeated_in_the_body(client: Client) -> None:
    """What the SDKs do."""
    done(client.post(MEMBERS, {"workspaceId": PRODUCTION, "users": [{"id": user_id(client, ELI), "role": "member"}]}))
    assert ELI in addresses(client)


@pytest.mark.parametrize("role", ["member", "manager", "admin"])
def test_owner_is_always_admin(client: Client, role: str) -> None:
    """The role that is stored may be another than the one asked for."""
    path = f"/v1/admin/workspaces/{RESEARCH}/users"
    done(client.post(path, {"users": [{"id": user_id(client, ADA), "role": role}]}))
    assert member(client, ADA, RESEARCH)["role"] == "admin"


def test_admin_of_organisation_keeps_role_asked_for(client: Client) -> None:
    """Recorded: admins of an organisation are stored as plain members."""
    path = f"/v1/admin/workspaces/{RESEARCH}/users"
    done(client.post(path, {"users": [{"id": user_id(client, BEN), "role": "member"}]}))
    shown = member(client, BEN, RESEARCH)
    assert (shown["org_role"], shown["role"]) == ("admin", "member")


def test_adding_a_member_again_gives_the_role(client: Client) -> None:
    """*chosen*: an upsert; membership goes on from when it began."""
    before = member(client, DARA)
    at(client, "2029-01-01T00:00:00Z")
    done(client.post(MEMBERS, {"users": [{"id": user_id(client, DARA), "role": "manager"}]}))
    after = member(client, DARA)
    assert changes(before, after) == {"role", "last_updated_at"}
    assert read(client, MEMBERS)["total"] == 3


def test_outsider_is_refused_and_nobody_added(client: Client) -> None:
    """Who is added must belong to the organisation; others are invited. *chosen*: 400, since the workspace is there."""
    before = state(client)
    people = [{"id": user_id(client, ELI), "role": "member"}, {"id": NOBODY, "role": "member"}]
    data = refused(client.post(MEMBERS, {"users": people}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/users/1/id"
    assert state(client) == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"users": []},
        {"users": None},
        {"users": [{"role": "member"}]},
        {"users": [{"id": "eli", "role": "member"}]},
        {"users": [{"id": NOBODY, "role": "owner"}]},
        {"users": [{"id": NOBODY, "role": "ws-member"}]},
        {"users": [NOBODY]},
        {"role": "member"},
        {"user_id": NOBODY, "role": "owner"},
    ],
    ids=repr,
)
def test_wrong_body_adds_nobody(client: Client, body: Record) -> None:
    before = state(client)
    refused(client.post(MEMBERS, body), 400, "AB01")
    assert state(client) == before


# Read


def test_member_has_documented_fields(client: Client) -> None:
    assert set(member(client, DARA)) == FIELDS


def test_member_is_as_documented(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    done(client.post(MEMBERS, {"users": [{"id": user_id(client, ELI), "role": "manager"}]}))
    assert member(client, ELI) == {
        "object": "workspace-user",
        "id": user_id(client, ELI),
        "first_name": "Eli",
        "last_name": "Novak",
        "org_role": "member",
        "role": "manager",
        "created_at": "2026-05-03T17:08:55.000Z",
        "last_updated_at": "2026-05-03T17:08:55.000Z",
        "status": "active",
        "workspace_id": workspace_id(client),
        "email": ELI,
        "scopes": [],
        "settings": None,
    }


def test_membership_shows_in_the_workspace(client: Client) -> None:
    done(client.post(MEMBERS, {"users": [{"id": user_id(client, ELI), "role": "manager"}]}))
    users = {user["id"]: user["role"] for user in read_workspace(client, PRODUCTION)["users"]}
    assert users[user_id(client, ELI)] == "manager"
    assert len(users) == 4


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("who", [ELI, NOBODY])
def test_who_never_was_member_is_not_found(client: Client, who: str, method: str) -> None:
    known = NOBODY if who == NOBODY else user_id(client, who)
    body = {"role": "member"} if method == "PUT" else ...
    refused(client.call(method, f"{MEMBERS}/{known}", body), 404, "AB08")


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("GET", "", ...),
        ("POST", "", {"users": [{"id": NOBODY}]}),
        ("GET", f"/{NOBODY}", ...),
        ("PUT", f"/{NOBODY}", {"role": "member"}),
        ("DELETE", f"/{NOBODY}", ...),
    ],
)
def test_members_of_unknown_workspace_are_forbidden(client: Client, method: str, end: str, body: Any) -> None:
    """Errors, Missing-resource status: the workspace is 403 AB03."""
    refused(client.call(method, f"/v1/admin/workspaces/ws-nobody-000000/users{end}", body), 403, "AB03")


# List


def test_list_has_recorded_envelope(client: Client) -> None:
    found = read(client, MEMBERS)
    assert list(found) == ["object", "total", "data"]
    assert (found["object"], found["total"], len(found["data"])) == ("list", 3, 3)


def test_list_items_are_what_reads_show(client: Client) -> None:
    found = read(client, MEMBERS)["data"]
    assert found == [read(client, f"{MEMBERS}/{each['id']}") for each in found]


def test_list_is_newest_first(client: Client) -> None:
    at(client, "2029-01-01T00:00:00Z")
    done(client.post(MEMBERS, {"users": [{"id": user_id(client, ELI)}]}))
    at(client, "2029-01-02T00:00:00Z")
    done(client.post(MEMBERS, {"users": [{"id": user_id(client, CHIE)}]}))
    assert addresses(client)[:2] == [CHIE, ELI]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"role": "admin"}, [ADA]),
        ({"role": "manager"}, [BEN]),
        ({"role": "member"}, [DARA]),
        ({"email": BEN}, [BEN]),
        ({"email": "ben"}, []),
        ({"email": ELI}, []),
        ({"email": BEN, "role": "manager"}, [BEN]),
        ({"email": BEN, "role": "member"}, []),
    ],
    ids=repr,
)
def test_list_filters_by_role_and_address(client: Client, query: Record, found: list[str]) -> None:
    assert addresses(client, **query) == found
    assert read(client, MEMBERS, **query)["total"] == len(found)


@pytest.mark.parametrize(
    ("size", "page"),
    [("page_size", "current_page"), ("pageSize", "currentPage"), ("page_size", "currentPage"), ("pageSize", "current_page")],
)
def test_pages_are_zero_based_in_both_casings(client: Client, size: str, page: str) -> None:
    everything = addresses(client)
    pages = [read(client, MEMBERS, **{size: 2, page: number}) for number in range(3)]
    assert [[each["email"] for each in found["data"]] for found in pages] == [everything[:2], everything[2:], []]
    assert {found["total"] for found in pages} == {3}


def test_filtered_list_pages(client: Client) -> None:
    done(client.post(MEMBERS, {"users": [{"id": user_id(client, ELI), "role": "member"}]}))
    found = read(client, MEMBERS, role="member", page_size=1, current_page=1)
    assert (found["total"], [each["email"] for each in found["data"]]) == (2, [DARA])


def test_second_page_without_size_is_empty(client: Client) -> None:
    """All records are on page 0; who walks pages until one is short must come to an end."""
    assert addresses(client, current_page=1) == []


@pytest.mark.parametrize(
    "query", ["?", "?current_page=0", "?current_page=0&page_size=None&role=None&email=None", "?workspaceId=x"]
)
def test_none_in_a_query_is_absent(client: Client, query: str) -> None:
    """What the clients write; Node repeats the workspace."""
    assert client.get(f"{MEMBERS}{query}").json() == read(client, MEMBERS)


@pytest.mark.parametrize("query", ["role=owner", "page_size=0", "current_page=-1", "page_size=x"])
def test_list_refuses_impossible_queries(client: Client, query: str) -> None:
    refused(client.get(f"{MEMBERS}?{query}"), 400, "AB01")


# Update


@pytest.mark.parametrize("role", ["admin", "manager", "member"])
def test_update_gives_another_role(client: Client, role: str) -> None:
    before = member(client, BEN)
    at(client, "2029-01-01T00:00:00Z")
    done(client.put(f"{MEMBERS}/{user_id(client, BEN)}", {"role": role}))
    after = member(client, BEN)
    assert changes(before, after) == {"last_updated_at"} | ({"role"} if role != "manager" else set())
    assert (after["role"], after["last_updated_at"]) == (role, "2029-01-01T00:00:00.000Z")


def test_owner_stays_admin_when_changed(client: Client) -> None:
    done(client.put(f"{MEMBERS}/{user_id(client, ADA)}", {"role": "member"}))
    assert member(client, ADA)["role"] == "admin"


def test_update_counts_for_one_workspace(client: Client) -> None:
    done(client.put(f"{MEMBERS}/{user_id(client, BEN)}", {"role": "admin"}))
    assert member(client, BEN, SHARED)["role"] == "member"


@pytest.mark.parametrize("body", [{}, {"role": None}, {"role": "owner"}, {"role": "ws-member"}, {"role": 5}], ids=repr)
def test_update_refuses_what_is_no_role(client: Client, body: Record) -> None:
    before = state(client)
    data = refused(client.put(f"{MEMBERS}/{user_id(client, BEN)}", body), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/role"
    assert state(client) == before


def test_update_ignores_other_fields(client: Client) -> None:
    before = member(client, BEN)
    done(client.put(f"{MEMBERS}/{user_id(client, BEN)}", {"role": "manager", "email": "x@example.com", "org_role": "owner"}))
    assert changes(before, member(client, BEN)) <= {"last_updated_at"}


# Remove


@pytest.mark.parametrize(
    "options",
    [{}, {"json": {}}, {"json": {"user_id": NOBODY}}, {"headers": {"content-type": "application/json"}}],
    ids=["nothing", "empty object", "id", "media type alone"],
)
def test_remove_takes_what_clients_send_along(client: Client, options: Record) -> None:
    """Quirks, 21: the SDKs repeat ids in the body."""
    done(client.delete(f"{MEMBERS}/{user_id(client, DARA)}", **options))
    assert DARA not in addresses(client)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_departed_member_is_forbidden(client: Client, method: str) -> None:
    """Errors, Missing-resource status: 403 AB03."""
    path = f"{MEMBERS}/{user_id(client, DARA)}"
    done(client.delete(path))
    refused(client.call(method, path, {"role": "member"} if method == "PUT" else ...), 403, "AB03")


def test_departed_member_leaves_the_workspace(client: Client) -> None:
    dara = user_id(client, DARA)
    done(client.delete(f"{MEMBERS}/{dara}"))
    assert dara not in {user["id"] for user in read_workspace(client, PRODUCTION)["users"]}


def test_departed_member_stays_in_other_workspaces(client: Client) -> None:
    done(client.delete(f"{MEMBERS}/{user_id(client, BEN)}"))
    assert member(client, BEN, SHARED)["email"] == BEN


def test_departed_member_can_come_back(client: Client) -> None:
    dara = user_id(client, DARA)
    done(client.delete(f"{MEMBERS}/{dara}"))
    at(client, "2029-01-01T00:00:00Z")
    done(client.post(MEMBERS, {"users": [{"id": dara, "role": "manager"}]}))
    assert (member(client, DARA)["role"], member(client, DARA)["created_at"]) == ("manager", "2029-01-01T00:00:00.000Z")


def test_coming_back_brings_no_keys_back(client: Client) -> None:
    dara = user_id(client, DARA)
    key = make_key(client, "workspace/user", user_id=dara)
    done(client.delete(f"{MEMBERS}/{dara}"))
    done(client.post(MEMBERS, {"users": [{"id": dara, "role": "member"}]}))
    refused(client.get(f"/v1/api-keys/{key.id}"), 403, "AB03")


@pytest.mark.parametrize("mode", ["client", "strict"])
def test_keys_of_departed_member_are_dead(mode: str, request: pytest.FixtureRequest) -> None:
    """Removal deletes the keys; under open as well their secrets are no unknown keys."""
    client: Client = request.getfixturevalue(mode)
    dara = user_id(client, DARA)
    key = make_key(client, "workspace/user", user_id=dara, scopes=["workspaces.list"])
    done(client.delete(f"{MEMBERS}/{dara}"))
    refused(client.as_key(key.secret).get("/v1/admin/workspaces"), 401, "AB05")


def test_removal_leaves_keys_of_services_and_of_others(client: Client) -> None:
    service = make_key(client)
    other = make_key(client, "workspace/user", user_id=user_id(client, BEN))
    done(client.delete(f"{MEMBERS}/{user_id(client, DARA)}"))
    assert [client.get(f"/v1/api-keys/{key.id}").status_code for key in (service, other)] == [200, 200]


# Who may


def personal_key(client: Client, email: str) -> Made:
    """A person's key in Production that may do all to members."""
    scopes = [f"workspace_users.{verb}" for verb in ("create", "read", "update", "delete", "list")]
    return make_key(client, "workspace/user", user_id=user_id(client, email), scopes=scopes)


def test_manager_adds_nobody_above_manager(client: Client) -> None:
    caller = client.as_key(personal_key(client, BEN).secret)
    before = state(client)
    refused(caller.post(MEMBERS, {"users": [{"id": user_id(client, ELI), "role": "admin"}]}), 403, "AB03")
    assert state(client) == before


def test_manager_promotes_nobody_above_manager(client: Client) -> None:
    caller = client.as_key(personal_key(client, BEN).secret)
    before = state(client)
    refused(caller.put(f"{MEMBERS}/{user_id(client, DARA)}", {"role": "admin"}), 403, "AB03")
    assert state(client) == before


def test_manager_promotes_to_manager(client: Client) -> None:
    caller = client.as_key(personal_key(client, BEN).secret)
    done(caller.put(f"{MEMBERS}/{user_id(client, DARA)}", {"role": "manager"}))
    assert member(client, DARA)["role"] == "manager"


def test_admin_promotes_to_admin(client: Client) -> None:
    caller = client.as_key(personal_key(client, ADA).secret)
    done(caller.put(f"{MEMBERS}/{user_id(client, DARA)}", {"role": "admin"}))
    assert member(client, DARA)["role"] == "admin"


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("GET", "", ...),
        ("POST", "", {"users": [{"id": NOBODY}]}),
        ("GET", "/{chie}", ...),
        ("PUT", "/{chie}", {"role": "member"}),
        ("DELETE", "/{chie}", ...),
    ],
)
def test_workspace_key_reaches_no_other_workspace(client: Client, method: str, end: str, body: Any) -> None:
    caller = client.as_key(personal_key(client, ADA).secret)
    before = state(client)
    path = f"/v1/admin/workspaces/{RESEARCH}/users{end.format(chie=user_id(client, CHIE))}"
    refused(caller.call(method, path, body), 403, "AB03")
    assert state(client) == before


# As the Terraform provider goes about it


def test_terraform_lives_through_a_membership(client: Client) -> None:
    """Add, read twice, change the role, read, remove, read: 403 is how it learns that the member is gone."""
    workspace, eli = make_workspace(client)["id"], user_id(client, ELI)
    path = f"/v1/admin/workspaces/{workspace}/users"
    at(client, "2026-05-05T10:00:00Z")
    done(client.post(path, {"users": [{"id": eli, "role": "member"}]}))
    first = read(client, f"{path}/{eli}")
    assert read(client, f"{path}/{eli}") == first

    at(client, "2026-05-05T10:01:00Z")
    done(client.put(f"{path}/{eli}", {"role": "manager"}))
    assert changes(first, read(client, f"{path}/{eli}")) == {"role", "last_updated_at"}

    done(client.delete(f"{path}/{eli}"))
    refused(client.get(f"{path}/{eli}"), 403, "AB03")
