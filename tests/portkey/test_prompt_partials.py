"""Prompt partials through the front door. That prompts include them is told in test_prompt_calls.py.

Source of every rule that names none: prompts-configs-guardrails, Prompt partials.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.shelf import (
    PARTIALS,
    default_collection,
    foreigner,
    keyed,
    make_collection,
    make_partial,
    names,
)
from tests.portkey.team import NOBODY, PRODUCTION, RESEARCH, answered, at, changes, done, known_admin, read, refused, state


def texts(client: Client, partial: Record) -> list[tuple[int, str, str]]:
    """Number, text and status of each version, newest first."""
    rows = read(client, f"{PARTIALS}/{partial['id']}/versions")["data"]
    return [(row["version"], row["string"], row["prompt_version_status"]) for row in rows]


def revise(client: Client, partial: Record, string: str = "Bye", **fields: Any) -> Record:
    """Give a partial a new version and return the reply."""
    return answered(client.put(f"{PARTIALS}/{partial['slug']}", {"string": string, **fields}))


def test_created_partial_tells_ids_and_slug(client: Client) -> None:
    told = make_partial(client, name="Example signature")
    assert set(told) == {"id", "slug", "version_id"}
    assert re.fullmatch(r"pl-exampl-[0-9a-f]{6}", told["slug"])
    assert [uuid.UUID(told[name]).version for name in ("id", "version_id")] == [4, 4]


def test_first_version_is_the_default(client: Client) -> None:
    """Also where an admin tool says that it stays inactive."""
    at(client, "2026-04-10T12:00:00Z")
    told = make_partial(client, version_description="First draft")
    assert read(client, f"{PARTIALS}/{told['id']}") == {
        "id": told["id"],
        "slug": told["slug"],
        "name": "Signature",
        "collection_id": default_collection(client)["id"],
        "created_at": "2026-04-10T12:00:00.000Z",
        "last_updated_at": "2026-04-10T12:00:00.000Z",
        "status": "active",
        "string": "Yours, {{us}}",
        "version": 1,
        "version_description": "First draft",
        "prompt_partial_version_id": told["version_id"],
        "prompt_partial_version_status": "active",
    }


def test_partial_lies_in_the_collection_that_is_named(client: Client) -> None:
    care = make_collection(client)
    told = make_partial(client, collection_id=care["slug"])
    assert read(client, f"{PARTIALS}/{told['slug']}")["collection_id"] == care["id"]


def test_workspace_of_the_key_counts(client: Client) -> None:
    told = make_partial(keyed(client, RESEARCH), workspace_id=None)
    assert read(client, f"{PARTIALS}/{told['id']}")["collection_id"] == default_collection(client, RESEARCH)["id"]


def test_admin_key_needs_a_workspace(client: Client) -> None:
    data = refused(known_admin(client).post(PARTIALS, {"name": "a", "string": "b"}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/workspace_id"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"collection_id": NOBODY}, "/collection_id"),
        ({"name": ""}, "/name"),
        ({"string": None}, "/string"),
    ],
    ids=["collection", "name", "string"],
)
def test_partial_needs_what_is_there(client: Client, fields: Record, pointer: str) -> None:
    before = state(client)
    given = {"name": "a", "string": "b", "workspace_id": PRODUCTION, **fields}
    data = refused(client.post(PARTIALS, given), 400, "AB01")
    assert [each["pointer"] for each in data["violations"]] == [pointer]
    assert state(client) == before


def test_workspace_and_collection_must_agree(client: Client) -> None:
    given = {"name": "a", "string": "b", "workspace_id": RESEARCH, "collection_id": make_collection(client)["id"]}
    refused(client.post(PARTIALS, given), 400, "AB01")


def test_list_is_an_object_without_texts(client: Client) -> None:
    """The published array breaks the Python client."""
    told = make_partial(client)
    listed = read(client, PARTIALS)
    assert (listed["object"], listed["total"]) == ("list", 1)
    shown = read(client, f"{PARTIALS}/{told['id']}")
    kept = ("id", "slug", "name", "collection_id", "created_at", "last_updated_at", "status")
    assert listed["data"] == [{name: shown[name] for name in kept} | {"object": "partial"}]


def test_list_is_of_a_collection_or_a_workspace(client: Client) -> None:
    care = make_collection(client)
    make_partial(client, name="a")
    make_partial(client, name="b", collection_id=care["id"])
    make_partial(client, name="c", workspace_id=RESEARCH)
    assert names(client, PARTIALS) == ["c", "b", "a"]
    assert names(client, PARTIALS, workspace_id=PRODUCTION) == ["b", "a"]
    assert names(client, PARTIALS, collection_id=care["slug"]) == ["b"]
    assert names(client, PARTIALS, collection_id=care["id"], workspace_id=RESEARCH) == []
    assert names(client, PARTIALS, collection_id=NOBODY) == []
    assert names(foreigner(client), PARTIALS) == ["c"]


def test_name_alone_makes_no_version(client: Client) -> None:
    """The reply is an empty object."""
    told = make_partial(client)
    before = read(client, f"{PARTIALS}/{told['id']}")
    done(client.put(f"{PARTIALS}/{told['id']}", {"name": "Closing"}))
    after = read(client, f"{PARTIALS}/{told['slug']}")
    assert changes(before, after) == {"name"}
    assert len(texts(client, told)) == 1


def test_text_makes_a_version_that_is_not_published(client: Client) -> None:
    told = make_partial(client)
    reply = revise(client, told, "Bye, {{us}}", version_description="Shorter")
    assert set(reply) == {"id", "slug", "prompt_partial_version_id"}
    assert texts(client, told) == [(2, "Bye, {{us}}", "archived"), (1, "Yours, {{us}}", "active")]
    assert read(client, f"{PARTIALS}/{told['id']}")["string"] == "Yours, {{us}}"
    newest = read(client, f"{PARTIALS}/{told['id']}", version="latest")
    assert (newest["prompt_partial_version_id"], newest["version_description"]) == (
        reply["prompt_partial_version_id"],
        "Shorter",
    )


def test_description_has_no_effect(client: Client) -> None:
    """SDKs send it, and the live API drops it; `version_description` works."""
    told = make_partial(client, version_description="First draft")
    path = f"{PARTIALS}/{told['id']}"
    done(client.put(path, {"description": "other"}))
    assert read(client, path)["version_description"] == "First draft"
    done(client.put(path, {"version_description": "Second look"}))
    assert (read(client, path)["version_description"], len(texts(client, told))) == ("Second look", 1)


def test_null_is_nothing_sent(client: Client) -> None:
    path = f"{PARTIALS}/{make_partial(client, version_description='First draft')['id']}"
    before = read(client, path)
    at(client, "2030-01-01T00:00:00Z")
    done(client.put(path, {"string": None, "version_description": None, "status": None}))
    assert read(client, path) == before


def test_partial_is_archived(client: Client) -> None:
    path = f"{PARTIALS}/{make_partial(client)['id']}"
    done(client.put(path, {"status": "archived"}))
    assert read(client, path)["status"] == "archived"
    refused(client.put(path, {"status": "gone"}), 400, "AB01")


def test_versions_are_listed_newest_first(client: Client) -> None:
    """In order of their numbers, also when the clock was moved back."""
    at(client, "2026-04-10T12:00:00Z")
    told = make_partial(client, version_description="First draft")
    at(client, "2026-04-09T12:00:00Z")
    revise(client, told)
    listed = read(client, f"{PARTIALS}/{told['slug']}/versions")
    assert (listed["object"], listed["total"]) == ("list", 2)
    assert [row["version"] for row in listed["data"]] == [2, 1]
    assert listed["data"][1] == {
        "prompt_partial_id": told["id"],
        "prompt_partial_version_id": told["version_id"],
        "slug": told["slug"],
        "version": 1,
        "string": "Yours, {{us}}",
        "description": "First draft",
        "created_at": "2026-04-10T12:00:00.000Z",
        "prompt_version_status": "active",
        "object": "partial",
    }


@pytest.mark.parametrize(("asked", "number"), [("default", 2), ("latest", 3), ("1", 1), ("3", 3), ("01", 1)], ids=str)
def test_version_is_asked_for(client: Client, asked: str, number: int) -> None:
    told = make_partial(client)
    revise(client, told, "two")
    revise(client, told, "three")
    done(client.put(f"{PARTIALS}/{told['id']}/makeDefault", {"version": 2}))
    assert read(client, f"{PARTIALS}/{told['id']}", version=asked)["version"] == number


@pytest.mark.parametrize(("asked", "status", "code"), [("9", 404, "AB08"), ("0", 404, "AB08"), ("newest", 400, "AB01")])
def test_unknown_version_is_not_found(client: Client, asked: str, status: int, code: str) -> None:
    refused(client.get(f"{PARTIALS}/{make_partial(client)['id']}", params={"version": asked}), status, code)


def test_published_version_is_the_default(client: Client) -> None:
    told = make_partial(client)
    revise(client, told, "two")
    done(client.put(f"{PARTIALS}/{told['slug']}/makeDefault", {"version": 2}))
    assert texts(client, told) == [(2, "two", "active"), (1, "Yours, {{us}}", "archived")]
    assert read(client, f"{PARTIALS}/{told['id']}")["string"] == "two"


def test_unknown_version_is_not_published(client: Client) -> None:
    told = make_partial(client)
    refused(client.put(f"{PARTIALS}/{told['id']}/makeDefault", {"version": 2}), 400, "AB01")
    refused(client.put(f"{PARTIALS}/{told['id']}/makeDefault", {"version": "1"}), 400, "AB01")
    assert texts(client, told) == [(1, "Yours, {{us}}", "active")]


def test_deleted_partial_is_not_found(client: Client) -> None:
    path = f"{PARTIALS}/{make_partial(client)['id']}"
    done(client.delete(path))
    for reply in (
        client.get(path),
        client.put(path, {"name": "x"}),
        client.delete(path),
        client.get(f"{path}/versions"),
        client.put(f"{path}/makeDefault", {"version": 1}),
    ):
        refused(reply, 404, "AB08")
    assert not len(client.world["prompt_partial_versions"])


def test_partial_of_another_workspace_is_forbidden(client: Client) -> None:
    path = f"{PARTIALS}/{make_partial(client)['id']}"
    foreign = foreigner(client)
    for reply in (
        foreign.get(path),
        foreign.put(path, {"name": "x"}),
        foreign.delete(path),
        foreign.get(f"{path}/versions"),
        foreign.put(f"{path}/makeDefault", {"version": 1}),
    ):
        refused(reply, 403, "AB03")


def test_terraform_sees_no_difference(client: Client) -> None:
    """The provider's way: update, find the number of the new version by its id, publish, read by the slug of before."""
    at(client, "2026-04-10T12:00:00Z")
    told = make_partial(client, version_description="First draft")
    path = f"{PARTIALS}/{told['slug']}"
    first = read(client, path)
    assert read(client, path) == first
    at(client, "2026-04-11T12:00:00Z")
    version_id = revise(client, told, "Bye", name="Closing", version_description="Shorter")["prompt_partial_version_id"]
    rows = read(client, f"{path}/versions")["data"]
    (number,) = [row["version"] for row in rows if row["prompt_partial_version_id"] == version_id]
    done(client.put(f"{path}/makeDefault", {"version": number}))
    second = first | {
        "name": "Closing",
        "string": "Bye",
        "version": 2,
        "version_description": "Shorter",
        "prompt_partial_version_id": version_id,
        "last_updated_at": "2026-04-11T12:00:00.000Z",
    }
    assert read(client, path) == second
    done(client.put(path, {"name": "Ending"}))
    assert read(client, path) == second | {"name": "Ending"}
    done(client.put(path, {"version_description": ""}))
    assert read(client, path) == second | {"name": "Ending", "version_description": ""}
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")
