"""Labels through the front door. That versions bear them is told in test_prompts.py.

Source of every rule that names none: prompts-configs-guardrails, Labels.
"""

from __future__ import annotations

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.shelf import LABELS, foreigner, keyed, made, make_label, names
from tests.portkey.team import (
    NOBODY,
    PRODUCTION,
    RESEARCH,
    at,
    changes,
    done,
    make_workspace,
    read,
    refused,
    state,
    workspace_id,
)

UNIVERSAL = {"production", "staging", "development"}


def organisation(client: Client) -> str:
    return str(read(client, LABELS)["data"][0]["organisation_id"])


def universal(client: Client, name: str = "production") -> Record:
    (label,) = read(client, LABELS, name=name)["data"]
    return dict(label)


def test_created_label_tells_its_id_only(client: Client) -> None:
    assert set(made(client, LABELS, {"name": "canary", "workspace_id": PRODUCTION})) == {"id"}


def test_label_is_read_as_documented(client: Client) -> None:
    at(client, "2026-03-02T10:12:00Z")
    label_id = make_label(client, description="One in twenty", color_code="#3b82f6")
    assert read(client, f"{LABELS}/{label_id}") == {
        "id": label_id,
        "name": "canary",
        "description": "One in twenty",
        "color_code": "#3b82f6",
        "organisation_id": organisation(client),
        "workspace_id": workspace_id(client),
        "is_universal": False,
        "status": "active",
        "created_at": "2026-03-02T10:12:00.000Z",
        "last_updated_at": "2026-03-02T10:12:00.000Z",
    }


def test_lists_and_reads_show_the_same(client: Client) -> None:
    shown = read(client, f"{LABELS}/{make_label(client)}")
    listed = read(client, LABELS, workspace_id=PRODUCTION)
    assert (listed["object"], listed["total"], listed["data"][0]) == ("list", 4, shown)


@pytest.mark.parametrize("workspace", [PRODUCTION, RESEARCH])
def test_every_workspace_has_the_universal_labels(client: Client, workspace: str) -> None:
    rows = read(client, LABELS, workspace_id=workspace)["data"]
    assert {row["name"]: row["is_universal"] for row in rows} == dict.fromkeys(UNIVERSAL, True)


def test_first_workspace_brings_the_universal_labels(client: Client) -> None:
    before = read(client, LABELS)
    make_workspace(client)
    assert read(client, LABELS) == before


def test_universal_label_stays_as_it_is(client: Client) -> None:
    path = f"{LABELS}/{universal(client)['id']}"
    before = state(client)
    refused(client.delete(path), 403, "AB03")
    refused(client.put(path, {"description": "mine"}), 403, "AB03")
    assert state(client) == before


@pytest.mark.parametrize("name", ["latest", "default", "12", "a@b", "a b", "", "a.b.c"])
def test_name_must_be_one_that_can_be_called(client: Client, name: str) -> None:
    refused(client.post(LABELS, {"name": name, "workspace_id": PRODUCTION}), 400, "AB01")


@pytest.mark.parametrize("name", ["latest2", "v1", "12a", "a_b-c", "Production", "é"])
def test_other_names_are_fine(client: Client, name: str) -> None:
    assert read(client, f"{LABELS}/{make_label(client, name)}")["name"] == name


@pytest.mark.parametrize("name", ["canary", "production"])
def test_name_is_used_once(client: Client, name: str) -> None:
    make_label(client, "canary")
    before = state(client)
    refused(client.post(LABELS, {"name": name, "workspace_id": PRODUCTION}), 409, "AB07")
    assert state(client) == before


def test_workspaces_may_use_the_same_name(client: Client) -> None:
    make_label(client)
    other = make_label(client, workspace_id=RESEARCH)
    assert read(client, f"{LABELS}/{other}")["workspace_id"] == workspace_id(client, RESEARCH)


def test_workspace_of_the_key_counts(client: Client) -> None:
    label_id = made(keyed(client), LABELS, {"name": "canary"})["id"]
    assert read(client, f"{LABELS}/{label_id}")["workspace_id"] == workspace_id(client)


def test_label_without_a_workspace_is_the_organisations(client: Client) -> None:
    label_id = made(client, LABELS, {"name": "canary"})["id"]
    assert read(client, f"{LABELS}/{label_id}")["workspace_id"] is None
    assert "canary" in names(keyed(client), LABELS)
    refused(keyed(client).delete(f"{LABELS}/{label_id}"), 403, "AB03")
    refused(client.post(LABELS, {"name": "canary", "workspace_id": PRODUCTION}), 409, "AB07")


@pytest.mark.parametrize("spelling", ["organisation_id", "organization_id"])
def test_organisation_may_be_spelled_in_two_ways(client: Client, spelling: str) -> None:
    """Python sends it with a z."""
    said = {spelling: organisation(client)}
    assert read(client, f"{LABELS}/{make_label(client, **said)}")["name"] == "canary"
    assert read(client, LABELS, **said)["total"] == 4
    refused(client.post(LABELS, {"name": "other", spelling: NOBODY}), 403, "AB03")
    refused(client.get(LABELS, params={spelling: NOBODY}), 403, "AB03")


def test_list_is_paged_and_searched(client: Client) -> None:
    for name in ("canary", "canteen", "beta"):
        make_label(client, name)
    assert names(client, LABELS, search="CAN") == ["canteen", "canary"]
    assert names(client, LABELS, name="canary") == ["canary"]
    assert names(client, LABELS, page_size=2) == ["beta", "canteen"]
    assert read(client, LABELS, page_size=2, current_page=1)["total"] == 6


def test_workspace_key_sees_its_own_and_the_universal(client: Client) -> None:
    make_label(client)
    assert set(names(foreigner(client), LABELS)) == UNIVERSAL
    assert set(names(keyed(client), LABELS)) == UNIVERSAL | {"canary"}
    assert read(foreigner(client), f"{LABELS}/{universal(client)['id']}")["name"] == "production"


def test_label_of_another_workspace_is_forbidden(client: Client) -> None:
    path = f"{LABELS}/{make_label(client)}"
    foreign = foreigner(client)
    for reply in (foreign.get(path), foreign.put(path, {"name": "mine"}), foreign.delete(path)):
        refused(reply, 403, "AB03")


def test_label_is_not_found_in_another_workspace(client: Client) -> None:
    path = f"{LABELS}/{make_label(client)}"
    assert client.get(path, params={"workspace_id": PRODUCTION}).status_code == 200
    refused(client.get(path, params={"workspace_id": RESEARCH}), 404, "AB08")


def test_unknown_label_is_not_found(client: Client) -> None:
    path = f"{LABELS}/{NOBODY}"
    for reply in (client.get(path), client.put(path, {"name": "x"}), client.delete(path)):
        refused(reply, 404, "AB08")


def test_update_keeps_what_is_not_sent(client: Client) -> None:
    at(client, "2026-03-02T10:12:00Z")
    path = f"{LABELS}/{make_label(client, description='One in twenty', color_code='#3b82f6')}"
    before = read(client, path)
    at(client, "2026-03-03T10:12:00Z")
    done(client.put(path, {"name": "beta", "color_code": None}))
    after = read(client, path)
    assert changes(before, after) == {"name", "color_code", "last_updated_at"}
    assert (after["name"], after["color_code"]) == ("beta", None)


def test_update_takes_no_name_that_is_taken(client: Client) -> None:
    make_label(client, "beta")
    path = f"{LABELS}/{make_label(client)}"
    refused(client.put(path, {"name": "beta"}), 409, "AB07")
    refused(client.put(path, {"name": "staging"}), 409, "AB07")
    done(client.put(path, {"name": "canary"}))
    assert read(client, path)["name"] == "canary"


def test_name_is_free_again(client: Client) -> None:
    path = f"{LABELS}/{make_label(client)}"
    done(client.put(path, {"name": "beta"}))
    second = make_label(client)
    done(client.delete(f"{LABELS}/{second}"))
    assert make_label(client) != second


def test_deleted_workspace_takes_its_labels(client: Client) -> None:
    workspace = make_workspace(client)
    label_id = make_label(client, workspace_id=workspace["id"])
    done(client.delete(f"/v1/admin/workspaces/{workspace['id']}"))
    refused(client.get(f"{LABELS}/{label_id}"), 404, "AB08")


def test_terraform_sees_no_difference(client: Client) -> None:
    """Create, read twice, update one field, read, clear one, read, delete, read: every field each time."""
    at(client, "2026-03-02T10:12:00Z")
    path = f"{LABELS}/{make_label(client, description='One in twenty', color_code='#3b82f6')}"
    first = read(client, path)
    assert read(client, path) == first
    at(client, "2026-03-03T10:12:00Z")
    later = first | {"last_updated_at": "2026-03-03T10:12:00.000Z"}
    done(client.put(path, {"color_code": "#000000"}))
    assert read(client, path) == later | {"color_code": "#000000"}
    done(client.put(path, {"description": None, "color_code": "#000000"}))
    assert read(client, path) == later | {"color_code": "#000000", "description": None}
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")
