"""Users through the front door.

Source of every rule that names none: identity-and-access, Users.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.portkey.scopes import ADMIN_SCOPES, WORKSPACE_SCOPES
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
    at,
    changes,
    done,
    make_key,
    make_workspace,
    read,
    refused,
    state,
    user_id,
)

USERS = "/v1/admin/users"
ITEM_FIELDS = ["object", "id", "first_name", "last_name", "role", "email", "created_at", "last_updated_at"]
ROLES = {ADA: "owner", BEN: "admin", CHIE: "member", DARA: "member", ELI: "member"}


def path(client: Client, email: str) -> str:
    """The path of a person."""
    return f"{USERS}/{user_id(client, email)}"


def user(client: Client, email: str) -> Record:
    """Read a person."""
    return read(client, path(client, email))


def addresses(client: Client, **query: Any) -> list[str]:
    """The addresses in a list."""
    return [each["email"] for each in read(client, USERS, **query)["data"]]


# List


def test_list_has_everybody_newest_first(client: Client) -> None:
    found = read(client, USERS)
    assert (found["object"], found["total"]) == ("list", 5)
    assert [each["email"] for each in found["data"]] == [ELI, DARA, CHIE, BEN, ADA]


def test_item_has_documented_fields(client: Client) -> None:
    """A single read adds the workspaces."""
    assert {tuple(each) for each in read(client, USERS)["data"]} == {tuple(ITEM_FIELDS)}


def test_list_and_read_agree(client: Client) -> None:
    for item in read(client, USERS)["data"]:
        single = read(client, f"{USERS}/{item['id']}")
        assert changes(item, single) == {"workspace_ids"}


@pytest.mark.parametrize("role", ["owner", "admin", "member"])
def test_list_of_a_role(client: Client, role: str) -> None:
    found = read(client, USERS, role=role)
    assert {each["email"] for each in found["data"]} == {email for email, each in ROLES.items() if each == role}
    assert found["total"] == len(found["data"])


@pytest.mark.parametrize(("email", "total"), [(DARA, 1), ("dara@example.co", 0), ("dara", 0), ("Dara@example.com", 0), ("", 0)])
def test_address_is_compared_exactly(client: Client, email: str, total: int) -> None:
    """`total` counts what fits."""
    found = read(client, USERS, email=email)
    assert (found["total"], [each["email"] for each in found["data"]]) == (total, [email] * total)


@pytest.mark.parametrize(("role", "total"), [("member", 1), ("admin", 0)])
def test_address_and_role_hold_together(client: Client, role: str, total: int) -> None:
    found = read(client, USERS, email=DARA, role=role)
    assert (found["total"], len(found["data"])) == (total, total)


@pytest.mark.parametrize(
    "query",
    [{"pageSize": 2, "currentPage": 1}, {"page_size": 2, "current_page": 1}, {"page_size": 2, "currentPage": 1}],
    ids=repr,
)
def test_pages_are_asked_for_in_both_casings(client: Client, query: Record) -> None:
    """Conventions, Paging: the document has camel case, and both are taken; pages count from 0."""
    found = read(client, USERS, **query)
    assert ([each["email"] for each in found["data"]], found["total"]) == ([CHIE, BEN], 5)


def test_walk_ends_at_a_short_page(client: Client) -> None:
    """The Terraform provider walks from page 0 until a page is short."""
    pages = [addresses(client, pageSize=3, currentPage=at_page) for at_page in range(3)]
    assert pages == [[ELI, DARA, CHIE], [BEN, ADA], []]


def test_page_of_an_address_beyond_the_first_is_empty(client: Client) -> None:
    found = read(client, USERS, email=DARA, currentPage=1)
    assert (found["data"], found["total"]) == ([], 1)


def test_pages_of_a_role(client: Client) -> None:
    found = read(client, USERS, role="member", pageSize=2, currentPage=1)
    assert ([each["email"] for each in found["data"]], found["total"]) == ([CHIE], 3)


@pytest.mark.parametrize("query", [{"role": "manager"}, {"pageSize": 0}, {"currentPage": -1}], ids=repr)
def test_wrong_query_is_refused(client: Client, query: Record) -> None:
    refused(client.get(USERS, params=query), 400, "AB01")


# Read


def test_person_is_shown_whole(client: Client) -> None:
    assert user(client, DARA) == {
        "object": "user",
        "id": user_id(client, DARA),
        "first_name": "Dara",
        "last_name": "Moreau",
        "role": "member",
        "email": DARA,
        "created_at": "2025-01-06T09:00:00.000Z",
        "last_updated_at": "2025-01-06T09:00:00.000Z",
        "workspace_ids": [PRODUCTION],
    }


def test_member_has_slugs_of_the_workspaces_joined(client: Client) -> None:
    done(client.post(f"/v1/admin/workspaces/{RESEARCH}/users", {"users": [{"id": user_id(client, DARA)}]}))
    assert sorted(user(client, DARA)["workspace_ids"]) == sorted([PRODUCTION, RESEARCH])


def test_member_who_left_has_it_no_more(client: Client) -> None:
    done(client.delete(f"/v1/admin/workspaces/{PRODUCTION}/users/{user_id(client, DARA)}"))
    assert user(client, DARA)["workspace_ids"] == []


@pytest.mark.parametrize("email", [ADA, BEN])
def test_owners_and_admins_have_every_workspace(client: Client, email: str) -> None:
    """Since 1.21, also those that they have not joined."""
    slug = make_workspace(client)["slug"]
    assert sorted(user(client, email)["workspace_ids"]) == sorted([SHARED, PRODUCTION, RESEARCH, slug])


@pytest.mark.parametrize("email", [ADA, CHIE])
def test_archived_workspace_is_nobodys(client: Client, email: str) -> None:
    made = make_workspace(client, users=[user_id(client, CHIE)])
    assert made["slug"] in user(client, email)["workspace_ids"]
    done(client.delete(f"/v1/admin/workspaces/{made['id']}"))
    assert made["slug"] not in user(client, email)["workspace_ids"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("unknown", [NOBODY, "nobody"])
def test_unknown_person_is_not_found(client: Client, method: str, unknown: str) -> None:
    body = {"role": "admin"} if method == "PUT" else ...
    refused(client.call(method, f"{USERS}/{unknown}", body), 404, "AB08")


def test_address_is_no_id(client: Client) -> None:
    refused(client.get(f"{USERS}/{DARA}"), 404, "AB08")


# Update


def test_update_gives_the_role(client: Client) -> None:
    before = user(client, DARA)
    at(client, "2029-01-01T00:00:00Z")
    done(client.put(path(client, DARA), {"role": "admin"}))
    after = user(client, DARA)
    assert (after["role"], after["last_updated_at"]) == ("admin", "2029-01-01T00:00:00.000Z")
    assert changes(before, after) == {"role", "last_updated_at", "workspace_ids"}


def test_new_role_moves_a_person_between_lists(client: Client) -> None:
    done(client.put(path(client, BEN), {"role": "member"}))
    assert addresses(client, role="admin") == []
    assert BEN in addresses(client, role="member")


def test_new_role_shows_in_memberships_alone_as_org_role(client: Client) -> None:
    """Recorded: the role in a workspace is another matter."""
    member = f"/v1/admin/workspaces/{PRODUCTION}/users/{user_id(client, DARA)}"
    before = read(client, member)
    done(client.put(path(client, DARA), {"role": "admin"}))
    after = read(client, member)
    assert (changes(before, after), after["org_role"]) == ({"org_role"}, "admin")


@pytest.mark.parametrize("email", [BEN, DARA])
def test_role_that_one_has_is_refused(client: Client, email: str) -> None:
    before = state(client)
    data = refused(client.put(path(client, email), {"role": ROLES[email]}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/role"
    assert state(client) == before


@pytest.mark.parametrize("role", ["owner", "manager", "", None])
def test_nobody_gets_another_role_than_admin_and_member(client: Client, role: str | None) -> None:
    before = state(client)
    refused(client.put(path(client, DARA), {"role": role}), 400, "AB01")
    assert state(client) == before


@pytest.mark.parametrize("role", ["admin", "member"])
def test_owner_is_not_demoted(client: Client, role: str) -> None:
    before = state(client)
    refused(client.put(path(client, ADA), {"role": role}), 400, "AB01")
    assert state(client) == before


@pytest.mark.parametrize("body", [..., {}, {"first_name": "D.", "last_name": "M."}], ids=repr)
def test_update_without_a_role_changes_nothing(client: Client, body: Any) -> None:
    """The admin tools send names too, and the service takes none. *chosen*: also for an owner."""
    before = state(client)
    for email in (DARA, ADA):
        done(client.put(path(client, email), body))
    assert state(client) == before


def test_other_fields_have_no_effect(client: Client) -> None:
    before = user(client, ELI)
    done(client.put(path(client, ELI), {"role": "admin", "first_name": "E.", "email": "e@example.com", "userId": NOBODY}))
    assert changes(before, user(client, ELI)) <= {"role", "last_updated_at", "workspace_ids"}


# Delete


def test_deleted_person_is_gone(client: Client) -> None:
    gone = path(client, DARA)
    done(client.delete(gone))
    refused(client.get(gone), 404, "AB08")
    refused(client.delete(gone), 404, "AB08")
    assert addresses(client) == [ELI, CHIE, BEN, ADA]
    assert addresses(client, email=DARA) == []


def test_memberships_go_with_a_person(client: Client) -> None:
    """Errors: a departed member is forbidden, not missing."""
    person = user_id(client, CHIE)
    done(client.delete(path(client, CHIE)))
    for slug in (SHARED, RESEARCH):
        refused(client.get(f"/v1/admin/workspaces/{slug}/users/{person}"), 403, "AB03")
        assert person not in {each["id"] for each in read(client, f"/v1/admin/workspaces/{slug}")["users"]}
        assert CHIE not in {each["email"] for each in read(client, f"/v1/admin/workspaces/{slug}/users")["data"]}
    refused(client.get(f"/v1/admin/workspaces/{PRODUCTION}/users/{person}"), 404, "AB08")


def test_keys_go_with_a_person(client: Client) -> None:
    """Errors: the key of a departed user is forbidden; its secret is dead."""
    person = user_id(client, DARA)
    inside = make_key(client, "workspace/user", user_id=person)
    outside = make_key(client, "workspace/user", user_id=person, workspace_id=RESEARCH)
    done(client.delete(path(client, DARA)))
    for key in (inside, outside):
        refused(client.get(f"/v1/api-keys/{key.id}"), 403, "AB03")
        refused(client.as_key(key.secret).get("/v1/admin/workspaces"), 401, "AB05")
    assert not {inside.id, outside.id} & {key["id"] for key in read(client, "/v1/api-keys")["data"]}


def test_keys_and_memberships_of_others_stay(client: Client) -> None:
    key = make_key(client, "workspace/user", user_id=user_id(client, BEN))
    service = make_key(client)
    before = read(client, f"/v1/admin/workspaces/{PRODUCTION}/users")["data"]
    done(client.delete(path(client, DARA)))
    assert {each["id"] for each in read(client, "/v1/api-keys")["data"]} >= {key.id, service.id}
    after = read(client, f"/v1/admin/workspaces/{PRODUCTION}/users")["data"]
    assert after == [each for each in before if each["email"] != DARA]


def test_workspace_changes_in_nothing_else(client: Client) -> None:
    workspace = make_workspace(client, users=[user_id(client, ELI)])
    done(client.delete(path(client, ELI)))
    assert changes(workspace, read(client, f"/v1/admin/workspaces/{workspace['id']}")) == {"users"}


def test_admin_is_removed_too(client: Client) -> None:
    done(client.delete(path(client, BEN)))
    assert addresses(client, role="admin") == []


def test_owner_is_not_removed(client: Client) -> None:
    before = state(client)
    refused(client.delete(path(client, ADA)), 400, "AB01")
    assert state(client) == before


def test_body_of_a_delete_is_ignored(client: Client) -> None:
    """The Node SDK repeats the id there (sdk-call-map 4, row 8)."""
    done(client.delete(path(client, ELI), {"user_id": user_id(client, DARA)}))
    assert (ELI in addresses(client), DARA in addresses(client)) == (False, True)


# Access


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_workspace_key_is_refused(client: Client, method: str) -> None:
    """Whatever scopes it was given: `organisation_users` means nothing on it."""
    caller = client.as_key(make_key(client, scopes=sorted({*ADMIN_SCOPES, *WORKSPACE_SCOPES})).secret)
    body = {"role": "admin"} if method == "PUT" else ...
    before = state(client)
    refused(caller.call(method, path(client, DARA), body), 403, "AB03")
    refused(caller.get(USERS), 403, "AB03")
    assert state(client) == before


@pytest.mark.parametrize(
    ("method", "scope"), [("GET", "read"), ("PUT", "update"), ("DELETE", "delete"), ("LIST", "list")], ids=lambda each: each
)
def test_each_verb_has_its_scope(client: Client, method: str, scope: str) -> None:
    def call(*scopes: str) -> Any:
        caller = client.as_key(make_key(client, "organisation/service", scopes=list(scopes)).secret)
        if method == "LIST":
            return caller.get(USERS)
        return caller.call(method, path(client, DARA), {"role": "admin"} if method == "PUT" else ...)

    others = [f"organisation_users.{each}" for each in ("create", "read", "update", "delete", "list") if each != scope]
    refused(call(*others), 403, "AB03")
    assert call(f"organisation_users.{scope}").status_code == 200


# As Terraform does


def test_person_through_a_whole_life(client: Client) -> None:
    """Every field is compared at each step."""
    at(client, "2026-06-01T10:00:00Z")
    first = user(client, ELI)
    assert user(client, ELI) == first
    at(client, "2026-06-02T10:00:00Z")
    done(client.put(path(client, ELI), {"role": "admin"}))
    everywhere = [RESEARCH, PRODUCTION, SHARED]
    promoted = {**first, "role": "admin", "last_updated_at": "2026-06-02T10:00:00.000Z", "workspace_ids": everywhere}
    assert user(client, ELI) == promoted
    at(client, "2026-06-03T10:00:00Z")
    done(client.put(path(client, ELI), {"role": "member"}))
    assert user(client, ELI) == {**first, "last_updated_at": "2026-06-03T10:00:00.000Z"}
    gone = path(client, ELI)
    done(client.delete(gone))
    refused(client.get(gone), 404, "AB08")
