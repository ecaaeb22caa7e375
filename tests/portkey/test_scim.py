"""SCIM workspace mappings and groups through the front door.

Source of every rule that names none: identity-and-access, SCIM workspace mappings.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.portkey.scopes import ADMIN_SCOPES, WORKSPACE_SCOPES
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    NOBODY,
    PRODUCTION,
    RESEARCH,
    SHARED,
    answered,
    at,
    done,
    make_key,
    make_workspace,
    read,
    read_workspace,
    refused,
    state,
    workspace_id,
)

MAPPINGS, GROUPS = "/v1/scim/workspaces", "/v1/scim/groups"
FIELDS = ["id", "workspace_id", "scim_group", "role", "scim_group_id"]


def mapped(client: Client, workspace: str = PRODUCTION, role: str = "member", name: str = "Support", **group: str) -> Record:
    """Map a group, by its name unless `scim_group_id` is told."""
    named = group or {"scim_group_name": name}
    return answered(client.post(MAPPINGS, {"workspace_id": workspace, "role": role, **named}))


def listed(client: Client, **query: Any) -> list[Record]:
    """The mappings in a list."""
    found: list[Record] = read(client, MAPPINGS, **query)["mappings"]
    return found


def plant_group(client: Client, name: str) -> str:
    """A group that the identity provider has sent; return its id."""
    group = client.world.ids.uuid4()
    client.world["scim_groups"].add({"id": group, "name": name, "created_at": client.world.clock.timestamp()})
    return str(group)


# Create


def test_mapping_is_shown_whole(client: Client) -> None:
    """`scim_group_name` is not echoed: the name is in `scim_group`."""
    made = mapped(client)
    assert list(made) == FIELDS
    assert (made["workspace_id"], made["scim_group"], made["role"]) == (workspace_id(client), "Support", "member")
    assert listed(client) == [made]


@pytest.mark.parametrize("form", ["id", "slug"])
def test_workspace_comes_back_by_its_id(client: Client, form: str) -> None:
    given = workspace_id(client) if form == "id" else PRODUCTION
    assert mapped(client, given)["workspace_id"] == workspace_id(client)


@pytest.mark.parametrize(
    ("role", "kept"), [("Admin", "admin"), ("MEMBER", "member"), ("mAnAgEr", "manager"), ("admin", "admin")]
)
def test_role_is_taken_in_any_case(client: Client, role: str, kept: str) -> None:
    made = mapped(client, role=role)
    assert made["role"] == listed(client)[0]["role"] == kept


def test_name_without_a_group_makes_the_group(client: Client) -> None:
    """Pre-provisioning: the group need not be there before."""
    made = mapped(client, name="Night shift")
    assert read(client, GROUPS)["groups"] == [{"id": made["scim_group_id"], "name": "Night shift"}]


def test_name_of_a_group_finds_it(client: Client) -> None:
    group = plant_group(client, "Support")
    assert mapped(client)["scim_group_id"] == group
    assert read(client, GROUPS)["total_count"] == 1


def test_group_is_found_by_its_id(client: Client) -> None:
    group = plant_group(client, "Support")
    made = mapped(client, scim_group_id=group)
    assert (made["scim_group_id"], made["scim_group"]) == (group, "Support")


@pytest.mark.parametrize("unknown", [NOBODY, "Support"])
def test_unknown_group_is_not_found(client: Client, unknown: str) -> None:
    """A name is no id."""
    mapped(client)
    before = state(client)
    body = {"workspace_id": RESEARCH, "role": "member", "scim_group_id": unknown}
    refused(client.post(MAPPINGS, body), 404, "AB08")
    assert state(client) == before


@pytest.mark.parametrize("unknown", [NOBODY, "ws-nobody-000000"])
def test_unknown_workspace_is_forbidden(client: Client, unknown: str) -> None:
    """Errors: as everywhere; and no group is made."""
    before = state(client)
    refused(client.post(MAPPINGS, {"workspace_id": unknown, "role": "member", "scim_group_name": "Support"}), 403, "AB03")
    assert state(client) == before


@pytest.mark.parametrize("name", ["ws-care-role-admin", "ws-night shift-role-member", "ws-a-b-role-Manager"])
def test_name_that_provisions_by_itself_is_refused(client: Client, name: str) -> None:
    before = state(client)
    data = refused(client.post(MAPPINGS, {"workspace_id": PRODUCTION, "role": "member", "scim_group_name": name}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/scim_group_name"
    assert state(client) == before


@pytest.mark.parametrize("name", ["ws-care", "role-admin", "ws--role-admin", "my ws-care-role-admin", "ws-care-role-"])
def test_name_that_is_only_alike_is_taken(client: Client, name: str) -> None:
    assert mapped(client, name=name)["scim_group"] == name


@pytest.mark.parametrize(
    "body",
    [
        {"workspace_id": PRODUCTION, "role": "member"},
        {"workspace_id": PRODUCTION, "role": "member", "scim_group_id": NOBODY, "scim_group_name": "Support"},
        {"workspace_id": PRODUCTION, "role": "owner", "scim_group_name": "Support"},
        {"workspace_id": PRODUCTION, "role": " admin", "scim_group_name": "Support"},
        {"workspace_id": PRODUCTION, "scim_group_name": "Support"},
        {"role": "member", "scim_group_name": "Support"},
        {"workspace_id": PRODUCTION, "role": "member", "scim_group_name": ""},
    ],
    ids=repr,
)
def test_wrong_body_maps_nothing(client: Client, body: Record) -> None:
    before = state(client)
    refused(client.post(MAPPINGS, body), 400, "AB01")
    assert state(client) == before


@pytest.mark.parametrize("again", [{}, {"role": "MEMBER"}, {"workspace": "id"}, {"group": "id"}], ids=repr)
def test_same_again_gives_what_exists(client: Client, again: Record) -> None:
    """In whichever form the workspace, the group and the role are told."""
    made = mapped(client)
    before = state(client)
    place = workspace_id(client) if again.get("workspace") else PRODUCTION
    group = {"scim_group_id": made["scim_group_id"]} if again.get("group") else {}
    assert mapped(client, place, again.get("role", "member"), **group) == made
    assert state(client) == before


def test_group_joins_many_workspaces(client: Client) -> None:
    """Since 1.18."""
    made = [mapped(client, slug) for slug in (SHARED, PRODUCTION, RESEARCH)]
    assert len({each["id"] for each in made}) == 3
    assert len({each["scim_group_id"] for each in made}) == 1


@pytest.mark.parametrize("workspace", [PRODUCTION, RESEARCH])
def test_group_has_one_role_in_all_workspaces(client: Client, workspace: str) -> None:
    mapped(client, role="manager")
    before = state(client)
    body = {"workspace_id": workspace, "role": "admin", "scim_group_name": "Support"}
    data = refused(client.post(MAPPINGS, body), 400, "AB01")
    assert data["message"] == (
        "SCIM group is already mapped to other workspace(s) with role 'manager'. "
        "A group can only be mapped with a single role across workspaces."
    )
    assert state(client) == before


def test_other_groups_have_other_roles(client: Client) -> None:
    mapped(client, role="manager")
    assert mapped(client, role="admin", name="Leads")["role"] == "admin"


def test_mapping_makes_nobody_a_member(client: Client) -> None:
    """No identity provider fills the groups."""
    before = read_workspace(client, PRODUCTION)["users"]
    mapped(client)
    assert read_workspace(client, PRODUCTION)["users"] == before


# List


def test_list_without_mappings(client: Client) -> None:
    assert read(client, MAPPINGS) == {"mappings": [], "total_count": 0, "page": 0, "page_size": 100}


def test_list_has_mappings_newest_first(client: Client) -> None:
    names = ["a", "b", "c"]
    for name in names:
        mapped(client, name=name)
    assert [each["scim_group"] for each in listed(client)] == names[::-1]


@pytest.fixture
def four(client: Client) -> list[Record]:
    """Two groups in two workspaces, in one role each."""
    return [
        mapped(client, slug, role, name)
        for slug in (PRODUCTION, RESEARCH)
        for name, role in (("Support", "member"), ("Leads", "admin"))
    ]


@pytest.mark.parametrize("filter_", ["workspace_id", "workspaceId"])
def test_list_of_a_workspace(client: Client, four: list[Record], filter_: str) -> None:
    found = read(client, MAPPINGS, **{filter_: workspace_id(client, RESEARCH)})
    assert (found["mappings"], found["total_count"]) == ([four[3], four[2]], 2)


def test_list_of_a_workspace_by_its_slug_is_empty(client: Client, four: list[Record]) -> None:
    """The Terraform provider has seen that only the id matches; the published document takes either (docs/deviations.md)."""
    assert read(client, MAPPINGS, workspace_id=RESEARCH)["total_count"] == 0


@pytest.mark.parametrize("filter_", ["scim_group_id", "scimGroupId"])
def test_list_of_a_group(client: Client, four: list[Record], filter_: str) -> None:
    assert listed(client, **{filter_: four[0]["scim_group_id"]}) == [four[2], four[0]]


def test_list_of_a_role(client: Client, four: list[Record]) -> None:
    assert listed(client, role="admin") == [four[3], four[1]]


def test_filters_hold_together(client: Client, four: list[Record]) -> None:
    assert listed(client, role="admin", workspace_id=workspace_id(client)) == [four[1]]
    assert listed(client, role="member", scim_group_id=four[1]["scim_group_id"]) == []


@pytest.mark.parametrize("size", ["page_size", "pageSize"])
def test_pages_count_from_zero(client: Client, four: list[Record], size: str) -> None:
    """The provider asks for page after page until it has as many as there are."""
    pages = [read(client, MAPPINGS, **{"page": page, size: 3}) for page in range(3)]
    assert [each["mappings"] for each in pages] == [four[:0:-1], four[:1], []]
    assert [(each["total_count"], each["page"], each["page_size"]) for each in pages] == [(4, 0, 3), (4, 1, 3), (4, 2, 3)]


def test_page_of_a_filtered_list(client: Client, four: list[Record]) -> None:
    found = read(client, MAPPINGS, role="member", page=1, page_size=1)
    assert (found["mappings"], found["total_count"]) == ([four[0]], 2)


@pytest.mark.parametrize(
    ("path", "query"),
    [(MAPPINGS, {"role": "owner"}), (MAPPINGS, {"page": -1}), (MAPPINGS, {"page_size": 0}), (GROUPS, {"page_size": 0})],
)
def test_wrong_query_is_refused(client: Client, path: str, query: Record) -> None:
    refused(client.get(path, params=query), 400, "AB01")


def test_mapping_is_not_read_by_its_id(client: Client) -> None:
    """There is no such path with GET or PUT."""
    path = f"{MAPPINGS}/{mapped(client)['id']}"
    assert [client.get(path).status_code, client.put(path, {}).status_code] == [405, 405]


# Delete


def test_deleted_mapping_leaves_the_list(client: Client) -> None:
    kept, gone = mapped(client), mapped(client, RESEARCH)
    reply = client.delete(f"{MAPPINGS}/{gone['id']}")
    assert (reply.status_code, reply.json()) == (200, {"success": True})
    assert read(client, MAPPINGS)["total_count"] == 1
    assert listed(client) == listed(client, scim_group_id=gone["scim_group_id"]) == [kept]


def test_deleted_mapping_is_archived(client: Client) -> None:
    gone = mapped(client)
    client.delete(f"{MAPPINGS}/{gone['id']}")
    assert read(client, f"/__admin/records/scim_mappings/{gone['id']}")["status"] == "archived"


def test_mapping_is_deleted_once(client: Client) -> None:
    path = f"{MAPPINGS}/{mapped(client)['id']}"
    assert client.delete(path).status_code == 200
    refused(client.delete(path), 404, "AB08")


def test_unknown_mapping_is_not_found(client: Client) -> None:
    refused(client.delete(f"{MAPPINGS}/{NOBODY}"), 404, "AB08")


def test_members_and_group_stay(client: Client) -> None:
    members = read_workspace(client, PRODUCTION)["users"]
    gone = mapped(client)
    client.delete(f"{MAPPINGS}/{gone['id']}")
    assert read_workspace(client, PRODUCTION)["users"] == members
    assert [each["id"] for each in read(client, GROUPS)["groups"]] == [gone["scim_group_id"]]


def test_group_is_free_for_another_role_then(client: Client) -> None:
    gone = mapped(client, role="admin")
    client.delete(f"{MAPPINGS}/{gone['id']}")
    again = mapped(client, role="member")
    assert (again["role"], again["scim_group_id"]) == ("member", gone["scim_group_id"])
    assert again["id"] != gone["id"]
    assert listed(client) == [again]


def test_mappings_go_with_their_workspace(client: Client) -> None:
    """*chosen*: else its role would bind the group for ever."""
    workspace = make_workspace(client)
    mapped(client, workspace["slug"], "admin")
    kept = mapped(client, name="Leads")
    done(client.delete(f"/v1/admin/workspaces/{workspace['id']}"))
    assert listed(client) == [kept]
    assert mapped(client, role="member")["role"] == "member"


# Groups


def test_groups_are_listed_newest_first(client: Client) -> None:
    ids = [plant_group(client, name) for name in ("a", "b", "c")]
    found = read(client, GROUPS)
    assert (list(found), found["total_count"]) == (["groups", "total_count"], 3)
    assert [each["id"] for each in found["groups"]] == ids[::-1]


@pytest.mark.parametrize(
    ("text", "names"), [("eng", {"Engineering", "Sales engineers"}), ("SALES", {"Sales", "Sales engineers"}), ("x", set())]
)
def test_groups_are_searched_by_name(client: Client, text: str, names: set[str]) -> None:
    for name in ("Engineering", "Sales", "Sales engineers"):
        plant_group(client, name)
    found = read(client, GROUPS, search=text)
    assert ({each["name"] for each in found["groups"]}, found["total_count"]) == (names, len(names))


def test_groups_come_in_pages(client: Client) -> None:
    for name in ("a1", "a2", "b", "a3"):
        plant_group(client, name)
    found = read(client, GROUPS, search="a", page=1, page_size=2)
    assert ([each["name"] for each in found["groups"]], found["total_count"]) == (["a1"], 3)


# Access


@pytest.mark.parametrize("call", ["create", "list", "delete", "groups"])
def test_workspace_key_is_refused(client: Client, call: str) -> None:
    """Needs an organisation's key, though a workspace's may hold the scopes."""
    made = mapped(client)
    caller = client.as_key(make_key(client, scopes=sorted({*ADMIN_SCOPES, *WORKSPACE_SCOPES})).secret)
    before = state(client)
    refused(send(caller, call, made), 403, "AB03")
    assert state(client) == before


@pytest.mark.parametrize(("call", "scope"), [("create", "create"), ("list", "list"), ("delete", "delete"), ("groups", "list")])
def test_each_verb_has_its_scope(client: Client, call: str, scope: str) -> None:
    """*chosen*: those of memberships, which a mapping is about."""
    made = mapped(client)
    others = [f"workspace_users.{each}" for each in ("create", "read", "update", "delete", "list") if each != scope]
    bare = make_key(client, "organisation/service", scopes=others)
    refused(send(client.as_key(bare.secret), call, made), 403, "AB03")
    key = make_key(client, "organisation/service", scopes=[f"workspace_users.{scope}"])
    assert send(client.as_key(key.secret), call, made).status_code == 200


def send(client: Client, call: str, made: Record) -> Any:
    """Make one of the calls."""
    if call == "create":
        return client.post(MAPPINGS, {"workspace_id": RESEARCH, "role": "member", "scim_group_name": "Support"})
    if call == "delete":
        return client.delete(f"{MAPPINGS}/{made['id']}")
    return client.get(MAPPINGS if call == "list" else GROUPS)


# As Terraform does


def test_mapping_through_a_whole_life(client: Client) -> None:
    """Created, read twice, replaced (nothing can be changed), read, deleted, read: every field is compared at each step."""
    at(client, "2026-06-01T10:00:00Z")
    made = mapped(client)
    first = {
        "id": made["id"],
        "workspace_id": workspace_id(client),
        "scim_group": "Support",
        "role": "member",
        "scim_group_id": made["scim_group_id"],
    }
    assert made == first
    assert listed(client, page=0, page_size=100) == [first]
    assert listed(client, page=0, page_size=100) == [first]
    client.delete(f"{MAPPINGS}/{made['id']}")
    replaced = mapped(client, role="manager", scim_group_id=made["scim_group_id"])
    assert replaced == {**first, "id": replaced["id"], "role": "manager"}
    assert listed(client) == [replaced]
    client.delete(f"{MAPPINGS}/{replaced['id']}")
    assert listed(client) == []
