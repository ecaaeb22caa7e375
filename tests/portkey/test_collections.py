"""Collections through the front door.

Source of every rule that names none: prompts-configs-guardrails, Collections.
"""

from __future__ import annotations

import re

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.shelf import (
    COLLECTIONS,
    PARTIALS,
    PROMPTS,
    default_collection,
    foreigner,
    keyed,
    make_collection,
    make_partial,
    make_prompt,
    names,
)
from tests.portkey.team import (
    NOBODY,
    PRODUCTION,
    RESEARCH,
    at,
    changes,
    done,
    known_admin,
    make_workspace,
    read,
    refused,
    state,
    workspace_id,
)

EMPTY: Record = {
    "child_collections_count": 0,
    "prompts_count": 0,
    "child_collections_last_updated_at": None,
    "prompts_last_updated_at": None,
}


def test_created_collection_tells_id_and_slug(client: Client) -> None:
    told = make_collection(client, "Customer care")
    assert set(told) == {"id", "slug"}
    assert re.fullmatch(r"customer-care-[0-9a-f]{6}", told["slug"])


def test_collection_is_read_as_documented(client: Client) -> None:
    at(client, "2026-03-01T08:00:00Z")
    told = make_collection(client, "Customer care")
    assert read(client, f"{COLLECTIONS}/{told['id']}") == {
        "id": told["id"],
        "name": "Customer care",
        "workspace_id": workspace_id(client),
        "slug": told["slug"],
        "parent_collection_id": None,
        "is_default": 0,
        "status": "active",
        "created_at": "2026-03-01T08:00:00.000Z",
        "last_updated_at": "2026-03-01T08:00:00.000Z",
        "child_collections": [],
    }


@pytest.mark.parametrize("by", ["id", "slug"])
def test_collection_is_addressed_by_id_or_slug(client: Client, by: str) -> None:
    told = make_collection(client)
    assert read(client, f"{COLLECTIONS}/{told[by]}")["id"] == told["id"]


def test_every_workspace_has_a_default_collection(client: Client) -> None:
    made = make_workspace(client)
    rows = read(client, COLLECTIONS, workspace_id=made["slug"])["data"]
    assert [(row["is_default"], row["parent_collection_id"], row["workspace_id"]) for row in rows] == [(1, None, made["id"])]


def test_default_flag_is_a_number(client: Client) -> None:
    """The Go client fails on a boolean."""
    assert type(default_collection(client)["is_default"]) is int


@pytest.mark.parametrize("by", ["id", "slug"])
def test_collection_lies_in_its_parent(client: Client, by: str) -> None:
    parent = make_collection(client, "Care")
    child = make_collection(client, "Refunds", parent_collection_id=parent[by])
    shown = read(client, f"{COLLECTIONS}/{parent['id']}")["child_collections"]
    assert [(row["id"], row["name"], row["collection_details"]) for row in shown] == [(child["id"], "Refunds", EMPTY)]
    assert set(shown[0]) == {"id", "name", "last_updated_at", "collection_details"}
    assert read(client, f"{COLLECTIONS}/{child['id']}")["parent_collection_id"] == parent["id"]


def test_workspace_key_needs_no_workspace(client: Client) -> None:
    told = make_collection(keyed(client), workspace_id=None)
    assert read(client, f"{COLLECTIONS}/{told['id']}")["workspace_id"] == workspace_id(client)


def test_admin_key_needs_a_workspace(client: Client) -> None:
    data = refused(known_admin(client).post(COLLECTIONS, {"name": "Care"}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/workspace_id"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"workspace_id": "ws-nowhere"}, 404),
        ({"workspace_id": PRODUCTION, "parent_collection_id": NOBODY}, 404),
        ({"workspace_id": PRODUCTION, "name": ""}, 400),
        ({"workspace_id": PRODUCTION, "name": None}, 400),
    ],
    ids=["workspace", "parent", "empty name", "no name"],
)
def test_collection_needs_what_is_there(client: Client, fields: Record, status: int) -> None:
    """404 when workspace or parent is missing."""
    before = state(client)
    refused(client.post(COLLECTIONS, {"name": "Care", **fields}), status, "AB08" if status == 404 else "AB01")
    assert state(client) == before


def test_parent_must_be_of_the_workspace(client: Client) -> None:
    fields = {"name": "Care", "workspace_id": RESEARCH, "parent_collection_id": make_collection(client)["id"]}
    refused(client.post(COLLECTIONS, fields), 400, "AB01")


def test_list_tells_what_lies_in_each(client: Client) -> None:
    at(client, "2026-03-01T08:00:00Z")
    care = make_collection(client, "Care")
    make_collection(client, "Refunds", parent_collection_id=care["id"])
    at(client, "2026-03-02T08:00:00Z")
    make_prompt(client, collection_id=care["id"])
    make_partial(client, collection_id=care["id"])
    listed = read(client, COLLECTIONS, workspace_id=PRODUCTION)
    assert (listed["object"], listed["total"]) == ("list", 3)
    (row,) = [row for row in listed["data"] if row["id"] == care["id"]]
    assert row["collection_details"] == {
        "child_collections_count": 1,
        "prompts_count": 1,
        "child_collections_last_updated_at": "2026-03-01T08:00:00.000Z",
        "prompts_last_updated_at": "2026-03-02T08:00:00.000Z",
    }
    shown = read(client, f"{COLLECTIONS}/{care['id']}")
    assert set(row) - set(shown) == {"collection_details"}
    assert set(shown) - set(row) == {"child_collections"}


def test_list_is_paged_and_searched(client: Client) -> None:
    for name in ("Care", "Careers", "Sales"):
        make_collection(client, name)
    assert names(client, COLLECTIONS, workspace_id=PRODUCTION) == ["Sales", "Careers", "Care", "Default"]
    assert names(client, COLLECTIONS, workspace_id=PRODUCTION, page_size=2, current_page=1) == ["Care", "Default"]
    assert names(client, COLLECTIONS, workspace_id=PRODUCTION, search="cArE") == ["Careers", "Care"]


def test_admin_lists_all_workspaces(client: Client) -> None:
    """No client sends the workspace of itself."""
    make_collection(client, "Care")
    make_collection(client, "Trials", workspace_id=RESEARCH)
    assert names(client, COLLECTIONS) == ["Trials", "Care", "Default", "Default", "Default"]


def test_workspace_key_lists_its_own(client: Client) -> None:
    make_collection(client, "Care")
    assert names(foreigner(client), COLLECTIONS) == ["Default"]


def test_collection_of_another_workspace_is_forbidden(client: Client) -> None:
    path = f"{COLLECTIONS}/{make_collection(client)['id']}"
    foreign = foreigner(client)
    for reply in (foreign.get(path), foreign.put(path, {"name": "x"}), foreign.delete(path)):
        refused(reply, 403, "AB03")
    refused(foreign.post(COLLECTIONS, {"name": "x", "workspace_id": PRODUCTION}), 403, "AB03")


def test_unknown_collection_is_not_found(client: Client) -> None:
    path = f"{COLLECTIONS}/{NOBODY}"
    for reply in (client.get(path), client.put(path, {"name": "x"}), client.delete(path)):
        refused(reply, 404, "AB08")


def test_rename_keeps_the_slug(client: Client) -> None:
    at(client, "2026-03-01T08:00:00Z")
    path = f"{COLLECTIONS}/{make_collection(client)['id']}"
    before = read(client, path)
    at(client, "2026-03-02T08:00:00Z")
    done(client.put(path, {"name": "Service", "description": "ignored"}))
    after = read(client, path)
    assert changes(before, after) == {"name", "last_updated_at"}
    assert (after["name"], after["last_updated_at"]) == ("Service", "2026-03-02T08:00:00.000Z")


def test_update_of_nothing_changes_nothing(client: Client) -> None:
    path = f"{COLLECTIONS}/{make_collection(client)['id']}"
    before = read(client, path)
    at(client, "2030-01-01T00:00:00Z")
    done(client.put(path, {}))
    assert read(client, path) == before


def test_collection_moves_and_null_is_the_top(client: Client) -> None:
    care, refunds = make_collection(client, "Care"), make_collection(client, "Refunds")
    path = f"{COLLECTIONS}/{refunds['id']}"
    done(client.put(path, {"parent_collection_id": care["slug"]}))
    assert read(client, path)["parent_collection_id"] == care["id"]
    done(client.put(path, {"name": "Refunds"}))
    assert read(client, path)["parent_collection_id"] == care["id"]
    done(client.put(path, {"parent_collection_id": None}))
    assert read(client, path)["parent_collection_id"] is None


def test_collection_moves_into_nothing_impossible(client: Client) -> None:
    care = make_collection(client, "Care")
    refunds = make_collection(client, "Refunds", parent_collection_id=care["id"])
    elsewhere = make_collection(client, "Trials", workspace_id=RESEARCH)
    path = f"{COLLECTIONS}/{care['id']}"
    for parent_id in (care["id"], refunds["id"], elsewhere["id"], NOBODY):
        refused(client.put(path, {"parent_collection_id": parent_id}), 400, "AB01")
    assert read(client, path)["parent_collection_id"] is None


def test_default_collection_stays_at_the_top(client: Client) -> None:
    path = f"{COLLECTIONS}/{default_collection(client)['id']}"
    refused(client.put(path, {"parent_collection_id": make_collection(client)["id"]}), 400, "AB01")
    done(client.put(path, {"name": "Main", "parent_collection_id": None}))
    assert read(client, path)["name"] == "Main"


@pytest.mark.parametrize("query", ["", "?cascade=true"])
def test_default_collection_cannot_be_deleted(client: Client, query: str) -> None:
    default = default_collection(client)
    refused(client.delete(f"{COLLECTIONS}/{default['id']}{query}"), 404, "AB08")
    assert default_collection(client) == default


def test_deleted_collection_leaves_its_content(client: Client) -> None:
    """A known client says that prompts survive."""
    care = make_collection(client, "Care")
    refunds = make_collection(client, "Refunds", parent_collection_id=care["id"])
    late = make_collection(client, "Late", parent_collection_id=refunds["id"])
    prompt, partial = make_prompt(client, collection_id=refunds["id"]), make_partial(client, collection_id=refunds["id"])
    done(client.delete(f"{COLLECTIONS}/{refunds['id']}"))
    refused(client.get(f"{COLLECTIONS}/{refunds['id']}"), 404, "AB08")
    home = default_collection(client)["id"]
    assert read(client, f"{PROMPTS}/{prompt['id']}")["collection_id"] == home
    assert read(client, f"{PARTIALS}/{partial['id']}")["collection_id"] == home
    assert read(client, f"{COLLECTIONS}/{late['id']}")["parent_collection_id"] == care["id"]


def test_cascade_deletes_at_any_depth(client: Client) -> None:
    care = make_collection(client, "Care")
    refunds = make_collection(client, "Refunds", parent_collection_id=care["id"])
    late = make_collection(client, "Late", parent_collection_id=refunds["id"])
    prompt, partial = make_prompt(client, collection_id=late["id"]), make_partial(client, collection_id=refunds["id"])
    other = make_prompt(client)
    done(client.delete(f"{COLLECTIONS}/{care['slug']}?cascade=true"))
    for path in (
        *(f"{COLLECTIONS}/{each['id']}" for each in (care, refunds, late)),
        f"{PROMPTS}/{prompt['id']}",
        f"{PARTIALS}/{partial['id']}",
    ):
        refused(client.get(path), 404, "AB08")
    assert read(client, f"{PROMPTS}/{other['id']}")["id"] == other["id"]
    assert not list(client.world["prompt_versions"].newest(owner_id=prompt["id"]))


def test_deleted_workspace_takes_its_collections(client: Client) -> None:
    workspace = make_workspace(client)
    told = make_collection(client, workspace_id=workspace["id"])
    done(client.delete(f"/v1/admin/workspaces/{workspace['id']}"))
    refused(client.get(f"{COLLECTIONS}/{told['id']}"), 404, "AB08")
    assert names(client, COLLECTIONS) == ["Default", "Default", "Default"]


def test_terraform_sees_no_difference(client: Client) -> None:
    """Create, read twice, update, read, move, read, clear, read, delete, read: every field each time."""
    at(client, "2026-03-01T08:00:00Z")
    parent = make_collection(client, "Care")
    path = f"{COLLECTIONS}/{make_collection(client, 'Refunds')['id']}"
    first = read(client, path)
    assert read(client, path) == first
    at(client, "2026-03-02T08:00:00Z")
    later = {"last_updated_at": "2026-03-02T08:00:00.000Z"}
    done(client.put(path, {"name": "Returns"}))
    assert read(client, path) == first | later | {"name": "Returns"}
    done(client.put(path, {"name": "Returns", "parent_collection_id": parent["id"]}))
    assert read(client, path) == first | later | {"name": "Returns", "parent_collection_id": parent["id"]}
    done(client.put(path, {"name": "Returns", "parent_collection_id": None}))
    assert read(client, path) == first | later | {"name": "Returns"}
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")
