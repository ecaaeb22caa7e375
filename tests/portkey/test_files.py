"""Files: kept, shown, given out byte for byte, deleted, expired. Source: gateway-data-plane, /files."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Client
from tests.portkey.keeping import FILES, MANAGED, OPENAI, content, done, refused, start, upload, wait
from tests.portkey.team import make_key
from tests.portkey.traffic import latest, read_log

DAY_S = 86_400
BYTES = bytes(range(256)) * 3 + b"\r\n--boundary\r\n"


def ids(client: Client, **query: Any) -> list[str]:
    return [each["id"] for each in done(client.get(FILES, params=query, headers=OPENAI))["data"]]


def test_file_is_shown_whole(client: Client) -> None:
    made = upload(client, b"{}\n", "user_data", "notes.jsonl")
    assert made["id"].startswith("file-")
    assert made == {
        "id": made["id"],
        "object": "file",
        "bytes": 3,
        "created_at": int(client.world.clock.seconds()),
        "filename": "notes.jsonl",
        "purpose": "user_data",
        "status": "processed",
        "status_details": None,
        "expires_at": None,
    }
    assert done(client.get(f"{FILES}/{made['id']}", headers=OPENAI)) == made


def test_file_of_portkey_has_an_id_a_name_and_a_time_of_its_own(client: Client) -> None:
    reply = client.post(FILES, files={"file": ("a.jsonl", b"x")}, data={"purpose": "assistants"})
    made = done(reply)
    assert made["id"].startswith("pk_file_")
    assert made["filename"].endswith(f"/{made['id']}.jsonl")
    assert made["created_at"] == int(client.world.clock.seconds()) * 1000
    assert "x-portkey-provider" not in reply.headers


@pytest.mark.parametrize("given", [b"", BYTES, BYTES * 2000], ids=["empty", "small", "on-disk"])
def test_content_comes_back_byte_for_byte(client: Client, given: bytes) -> None:
    made = upload(client, given, "vision", "a.bin")
    reply = client.get(f"{FILES}/{made['id']}/content", headers=OPENAI)
    assert reply.content == given
    assert (reply.headers["content-type"], reply.headers["content-length"]) == ("application/octet-stream", str(len(given)))


def test_deleted_file_is_gone(client: Client) -> None:
    made = upload(client, b"x")
    place = f"{FILES}/{made['id']}"
    assert done(client.delete(place, headers=OPENAI)) == {"id": made["id"], "object": "file", "deleted": True}
    error = refused(client.delete(place, headers=OPENAI), 404)
    assert error["message"] == f"openai error: No such File object: {made['id']}"
    refused(client.get(place, headers=OPENAI), 404)
    refused(client.get(f"{place}/content", headers=OPENAI), 404)


def test_content_is_forgotten_with_the_last_file_that_has_it(client: Client) -> None:
    first, second = (upload(client, b"same", name=name) for name in ("a", "b"))
    digest = client.world["files"].get(first["id"])["_content"]
    client.delete(f"{FILES}/{first['id']}", headers=OPENAI)
    assert content(client, second["id"]) == b"same"
    client.delete(f"{FILES}/{second['id']}", headers=OPENAI)
    assert digest not in client.world.contents


def test_restored_world_has_the_content_again(client: Client) -> None:
    made = upload(client, b"kept")
    before = client.world.snapshot()
    client.delete(f"{FILES}/{made['id']}", headers=OPENAI)
    client.world.restore(before)
    assert content(client, made["id"]) == b"kept"


@pytest.mark.parametrize(
    ("purpose", "fields", "lives_s"),
    [
        ("batch", {}, 30 * DAY_S),
        ("assistants", {}, None),
        ("batch", {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}, 3600),
    ],
    ids=["batch", "others", "as-said"],
)
def test_file_expires_by_the_clock(client: Client, purpose: str, fields: dict[str, str], lives_s: int | None) -> None:
    form = {"purpose": purpose, **fields}
    made = done(client.post(FILES, files={"file": ("a", b"x")}, data=form, headers=OPENAI))
    assert made["expires_at"] == (None if lives_s is None else made["created_at"] + lives_s)
    wait(client, (lives_s or 365 * DAY_S) - 1)
    assert content(client, made["id"]) == b"x"
    wait(client, 1)
    assert client.get(f"{FILES}/{made['id']}", headers=OPENAI).status_code == (200 if lives_s is None else 404)


@pytest.mark.parametrize(
    ("form", "files", "place"),
    [
        ({}, {"file": ("a", b"x")}, "/purpose"),
        ({"purpose": "fun"}, {"file": ("a", b"x")}, "/purpose"),
        ({"purpose": "batch_output"}, {"file": ("a", b"x")}, "/purpose"),
        ({"purpose": "batch", "file": "text"}, {"other": ("a", b"x")}, "/file"),
        ({"purpose": "batch", "expires_after[seconds]": "3600"}, {"file": ("a", b"x")}, "/expires_after"),
        ({"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "10"}, {"file": ("a", b"x")},
         "/expires_after[seconds]"),
    ],
    ids=["no-purpose", "unknown-purpose", "own-purpose", "no-file", "half-an-expiry", "short-life"],
)  # fmt: skip
def test_incomplete_forms_are_refused(client: Client, form: Any, files: Any, place: str) -> None:
    reply = client.post(FILES, files=files, data=form, headers=OPENAI)
    assert reply.status_code == 400
    assert place in reply.json()["message"]
    assert len(client.world["files"]) == 0


def test_purpose_may_be_told_by_a_header(client: Client) -> None:
    reply = client.post(FILES, files={"file": ("a", b"x")}, headers={**OPENAI, "x-portkey-file-purpose": "fine-tune"})
    assert done(reply)["purpose"] == "fine-tune"


def test_list_is_filtered_by_purpose(client: Client) -> None:
    made = [upload(client, b"x", purpose)["id"] for purpose in ("batch", "vision", "batch")]
    assert ids(client) == made[::-1]
    assert ids(client, purpose="batch") == [made[2], made[0]]
    assert ids(client, purpose="batch", order="asc", limit=1) == [made[0]]


def test_list_shows_ten_thousand_at_once(client: Client) -> None:
    assert client.get(FILES, params={"limit": 10_000}).status_code == 200
    assert client.get(FILES, params={"limit": 10_001}).status_code == 400


def test_accounts_see_their_own_files(client: Client) -> None:
    """*chosen*: each plain provider is an account, and so is each of a workspace."""
    made = upload(client, b"x")
    service = client.as_key(make_key(client, scopes=["completions.write"]).secret)
    refused(client.get(f"{FILES}/{made['id']}", headers={"x-portkey-provider": "groq"}), 404)
    refused(service.get(f"{FILES}/{made['id']}", headers={"x-portkey-provider": "@openai-production"}), 404)
    assert done(service.get(FILES, headers=MANAGED))["data"] == []


def test_file_that_is_worked_on_may_be_deleted(client: Client) -> None:
    made = upload(client, b"{}\n")
    running = start(client, made["id"])
    client.delete(f"{FILES}/{made['id']}", headers=OPENAI)
    digest = client.world["batches"].get(running["id"])["_content"]
    assert digest in client.world.contents
    wait(client, 60)
    client.get(FILES)
    assert digest not in client.world.contents


def test_log_of_an_upload_names_the_file(client: Client) -> None:
    upload(client, BYTES, name="lines.jsonl")
    log = read_log(client, latest(client)[0]["id"])
    assert log["request"]["body"]["file"] == "lines.jsonl"
