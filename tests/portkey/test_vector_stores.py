"""Vector stores, their files and batches, by the clock. Source: gateway-data-plane, /vector_stores, Stateful resources."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.keeping import done, upload
from tests.portkey.team import at, read

STORES = "/v1/vector_stores"
OPENAI = {"x-portkey-provider": "openai"}
TEXT = b"The desk opens at nine. Boats leave the harbour at noon."
NOBODY = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}


def file(client: Client, name: str = "handbook.md", content: bytes = TEXT) -> str:
    """A file that a provider keeps; return its id."""
    return str(upload(client, content, "assistants", name)["id"])


def make(client: Client, **fields: Any) -> Record:
    """A new store."""
    return done(client.post(STORES, fields, headers=OPENAI))


def call(client: Client, method: str, store: Record, path: str = "", json: Any = ..., **query: Any) -> httpx.Response:
    """Call something of a store."""
    return client.call(method, f"{STORES}/{store['id']}{path}", json, headers=OPENAI, params=query)


def get(client: Client, store: Record, path: str = "", **query: Any) -> Record:
    return done(call(client, "GET", store, path, **query))


def post(client: Client, store: Record, path: str, json: Any = ...) -> Record:
    return done(call(client, "POST", store, path, json))


def wait(client: Client, ms: int = 200) -> None:
    client.world.clock.move(timedelta(milliseconds=ms))


def counts(**some: int) -> Record:
    return {**NOBODY, **some, "total": sum(some.values())}


def words(reply: httpx.Response, status: int) -> str:
    """Check that a call is refused; return the provider's words, without its name."""
    assert reply.status_code == status, reply.text[:500]
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert "provider" not in reply.json()
    return str(reply.json()["error"]["message"])


# Stores


def test_store_has_all_fields(client: Client) -> None:
    at(client, "2026-05-05T12:00:00Z")
    store = make(client, name="Handbook", metadata={"team": "a"})
    assert store.pop("id").startswith("vs_")
    assert store == {
        "object": "vector_store", "created_at": 1777982400, "name": "Handbook", "description": None, "usage_bytes": 0,
        "file_counts": NOBODY, "status": "completed", "expires_after": None, "expires_at": None,
        "last_active_at": 1777982400, "metadata": {"team": "a"},
    }  # fmt: skip


def test_store_is_made_with_files(client: Client) -> None:
    store = make(client, file_ids=[file(client), file(client, "notes.txt", b"12345")])
    assert (store["status"], store["file_counts"], store["usage_bytes"]) == ("in_progress", counts(in_progress=2), 0)
    wait(client)
    ready = get(client, store)
    assert (ready["status"], ready["file_counts"], ready["usage_bytes"]) == ("completed", counts(completed=2), len(TEXT) + 5)


def test_store_is_made_of_files_that_are_there(client: Client) -> None:
    reply = client.post(STORES, {"file_ids": [file(client), "file-none"]}, headers=OPENAI)
    assert words(reply, 400) == "No such File object: file-none"
    assert read(client, STORES)["data"] == []


def test_store_is_changed(client: Client) -> None:
    store = make(client, name="Handbook", metadata={"team": "a"})
    changed = post(client, store, "", {"name": "Guide", "metadata": {"team": "b"}})
    assert changed == {**store, "name": "Guide", "metadata": {"team": "b"}} == get(client, store)


def test_store_is_deleted_and_its_files_stay(client: Client) -> None:
    file_id = file(client)
    store = make(client, file_ids=[file_id])
    assert done(call(client, "DELETE", store)) == {"id": store["id"], "object": "vector_store.deleted", "deleted": True}
    assert words(call(client, "DELETE", store), 404) == f"No vector store found with id '{store['id']}'."
    assert file_id in client.world["files"]
    wait(client)
    assert len(client.world["vector_store_files"]) == 0


def test_store_expires_when_nobody_uses_it(client: Client) -> None:
    at(client, "2026-05-01T12:00:00Z")
    store = make(client, expires_after={"anchor": "last_active_at", "days": 2})
    assert store["expires_at"] == store["created_at"] + 2 * 86400
    at(client, "2026-05-03T11:59:59Z")
    post(client, store, "/files", {"file_id": file(client)})
    at(client, "2026-05-05T11:59:58Z")
    assert get(client, store)["status"] == "completed"
    at(client, "2026-05-05T11:59:59Z")
    over = get(client, store)
    assert (over["status"], over["expires_at"], over["last_active_at"]) == ("expired", 1777982399, 1777809599)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"name": "New"}),
        ("/files", {"file_id": "file-1"}),
        ("/file_batches", {"file_ids": ["file-1"]}),
        ("/search", {"query": "a"}),
    ],
)
def test_expired_store_is_not_used(client: Client, path: str, body: Record) -> None:
    store = make(client, expires_after={"anchor": "last_active_at", "days": 1})
    client.world.clock.move(timedelta(days=1))
    assert words(call(client, "POST", store, path, body), 400) == f"Vector store {store['id']} has expired."


def test_expired_store_loses_no_file(client: Client) -> None:
    """Taking one out would let it live on."""
    store = make(client, file_ids=[file_id := file(client)], expires_after={"anchor": "last_active_at", "days": 1})
    client.world.clock.move(timedelta(days=1))
    assert words(call(client, "DELETE", store, f"/files/{file_id}"), 400) == f"Vector store {store['id']} has expired."
    assert get(client, store)["status"] == "expired"


def test_other_account_has_other_stores(client: Client) -> None:
    store = make(client)
    other = {"x-portkey-provider": "azure-openai"}
    assert client.get(f"{STORES}/{store['id']}", headers=other).status_code == 404
    assert client.get(STORES, headers=other).json()["data"] == []
    assert client.post(STORES, {"file_ids": [file(client)]}, headers=other).status_code == 400


# Files


def test_file_is_worked_on(client: Client) -> None:
    store, file_id = make(client), file(client)
    made = post(client, store, "/files", {"file_id": file_id, "attributes": {"chapter": 3}})
    assert made == {
        "id": file_id, "object": "vector_store.file", "usage_bytes": 0, "created_at": made["created_at"],
        "vector_store_id": store["id"], "status": "in_progress", "last_error": None, "attributes": {"chapter": 3},
        "chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}},
    }  # fmt: skip
    wait(client, 199)
    assert get(client, store, f"/files/{file_id}")["status"] == "in_progress"
    wait(client, 1)
    assert get(client, store, f"/files/{file_id}") == {**made, "status": "completed", "usage_bytes": len(TEXT)}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("song.mp3", b"ID3", "unsupported_file"), ("lines.jsonl", b"{}", "unsupported_file"), ("empty.txt", b"", "invalid_file")],
)
def test_file_that_cannot_be_searched_fails(client: Client, name: str, content: bytes, code: str) -> None:
    store, file_id = make(client), file(client, name, content)
    post(client, store, "/files", {"file_id": file_id})
    wait(client)
    failed = get(client, store, f"/files/{file_id}")
    assert (failed["status"], failed["last_error"]["code"], failed["usage_bytes"]) == ("failed", code, 0)
    assert (get(client, store)["status"], get(client, store)["file_counts"]) == ("completed", counts(failed=1))


def test_file_that_is_gone_meanwhile_fails(client: Client) -> None:
    file_id = file(client)
    store = make(client, file_ids=[file_id])
    client.world["files"].remove(file_id)
    client.world.keep()
    wait(client)
    assert get(client, store, f"/files/{file_id}")["last_error"]["code"] == "invalid_file"


@pytest.mark.parametrize("is_expired", [False, True], ids=["deleted", "expired"])
def test_file_that_goes_leaves_all_stores(client: Client, is_expired: bool) -> None:
    """Source: the docstring of `files.delete` in the SDK; *chosen*: one that expires does so as well."""
    expiry = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    form = {"purpose": "user_data", **expiry}
    file_id = done(client.post("/v1/files", files={"file": ("a.md", TEXT)}, data=form, headers=OPENAI))["id"]
    stores = [make(client, file_ids=[file_id]) for _ in range(2)]
    wait(client)
    if is_expired:
        client.world.clock.move(timedelta(hours=1))
    else:
        done(client.delete(f"/v1/files/{file_id}", headers=OPENAI))
    assert [get(client, store)["file_counts"] for store in stores] == [NOBODY, NOBODY]
    assert get(client, stores[0])["usage_bytes"] == 0
    assert words(call(client, "GET", stores[0], f"/files/{file_id}"), 404)


def test_chunks_are_as_asked_for(client: Client) -> None:
    chunks = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
    store, first, second = make(client), file(client), file(client)
    assert post(client, store, "/files", {"file_id": first, "chunking_strategy": chunks})["chunking_strategy"] == chunks
    usual = post(client, store, "/files", {"file_id": second, "chunking_strategy": {"type": "auto"}})["chunking_strategy"]
    assert usual["static"]["max_chunk_size_tokens"] == 800


@pytest.mark.parametrize(("given", "kept"), [({"page": 1.5, "draft": True}, {"page": 1.5, "draft": True}), (None, {})])
def test_attributes_are_replaced(client: Client, given: Any, kept: Record) -> None:
    store, file_id = make(client), file(client)
    post(client, store, "/files", {"file_id": file_id, "attributes": {"chapter": 3}})
    assert post(client, store, f"/files/{file_id}", {"attributes": given})["attributes"] == kept
    assert get(client, store, f"/files/{file_id}")["attributes"] == kept


def test_file_is_taken_out_and_stays(client: Client) -> None:
    file_id = file(client)
    store = make(client, file_ids=[file_id])
    wait(client)
    gone = done(call(client, "DELETE", store, f"/files/{file_id}"))
    assert gone == {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}
    assert file_id in client.world["files"]
    assert words(call(client, "GET", store, f"/files/{file_id}"), 404) == f"No file found with id '{file_id}'."
    assert (get(client, store)["file_counts"], get(client, store)["usage_bytes"]) == (NOBODY, 0)


def test_file_is_put_in_again(client: Client) -> None:
    store, file_id = make(client), file(client)
    for attributes in ({"chapter": 1}, {"chapter": 2}):
        post(client, store, "/files", {"file_id": file_id, "attributes": attributes})
        wait(client)
    (row,) = get(client, store, "/files")["data"]
    assert (row["attributes"], get(client, store)["file_counts"]) == ({"chapter": 2}, counts(completed=1))


def test_file_lies_in_several_stores(client: Client) -> None:
    file_id = file(client)
    first, second = make(client, file_ids=[file_id]), make(client, file_ids=[file_id])
    call(client, "DELETE", first, f"/files/{file_id}")
    wait(client)
    assert get(client, second)["file_counts"] == counts(completed=1)


def test_files_are_listed_by_status(client: Client) -> None:
    good, bad = file(client), file(client, "song.mp3")
    store = make(client, file_ids=[good, bad])
    wait(client)
    found = {
        status: [row["id"] for row in get(client, store, "/files", filter=status)["data"]] for status in ("completed", "failed")
    }
    assert found == {"completed": [good], "failed": [bad]}


def test_replies_say_when_to_look_again(client: Client) -> None:
    store = make(client, file_ids=[file_id := file(client)])
    batch = call(client, "POST", store, "/file_batches", {"file_ids": [file(client)]})
    replies = [call(client, "GET", store, path) for path in ("", f"/files/{file_id}", f"/file_batches/{batch.json()['id']}")]
    assert {reply.headers["openai-poll-after-ms"] for reply in (*replies, batch)} == {"100"}


# Batches


def test_batch_is_worked_on(client: Client) -> None:
    store, good, bad = make(client), file(client), file(client, "song.mp3")
    batch = post(client, store, "/file_batches", {"file_ids": [good, bad]})
    assert batch.pop("id").startswith("vsfb_")
    assert batch == {
        "object": "vector_store.files_batch", "created_at": batch["created_at"], "vector_store_id": store["id"],
        "status": "in_progress", "file_counts": counts(in_progress=2),
    }  # fmt: skip


def test_batch_ends_with_its_files(client: Client) -> None:
    store, good, bad = make(client), file(client), file(client, "song.mp3")
    batch = post(client, store, "/file_batches", {"file_ids": [good, bad]})
    wait(client)
    over = get(client, store, f"/file_batches/{batch['id']}")
    assert (over["status"], over["file_counts"]) == ("completed", counts(completed=1, failed=1))
    assert get(client, store)["file_counts"] == counts(completed=1, failed=1)


def test_files_of_a_batch_have_their_own_settings(client: Client) -> None:
    store, plain, marked = make(client), file(client), file(client)
    files = [{"file_id": plain}, {"file_id": marked, "attributes": {"chapter": 2}}]
    batch = post(client, store, "/file_batches", {"files": files, "attributes": {"chapter": 1}})
    rows = get(client, store, f"/file_batches/{batch['id']}/files", order="asc")["data"]
    assert [(row["id"], row["attributes"]) for row in rows] == [(plain, {"chapter": 1}), (marked, {"chapter": 2})]


def test_batch_is_cancelled(client: Client) -> None:
    store, first = make(client), file(client)
    batch = post(client, store, "/file_batches", {"file_ids": [first]})
    cancelled = post(client, store, f"/file_batches/{batch['id']}/cancel")
    assert (cancelled["status"], cancelled["file_counts"]) == ("cancelled", counts(cancelled=1))
    wait(client)
    assert get(client, store, f"/files/{first}")["status"] == "cancelled"
    assert get(client, store, f"/file_batches/{batch['id']}")["status"] == "cancelled"


def test_batch_that_is_over_is_not_cancelled(client: Client) -> None:
    store = make(client)
    batch = post(client, store, "/file_batches", {"file_ids": [file(client)]})
    wait(client)
    assert post(client, store, f"/file_batches/{batch['id']}/cancel")["status"] == "completed"


def test_batch_does_not_wait_for_what_is_taken_out(client: Client) -> None:
    store, file_id = make(client), file(client)
    batch = post(client, store, "/file_batches", {"file_ids": [file_id]})
    call(client, "DELETE", store, f"/files/{file_id}")
    assert get(client, store, f"/file_batches/{batch['id']}")["file_counts"] == counts(cancelled=1)


def test_batch_of_another_store_is_not_there(client: Client) -> None:
    store, other = make(client), make(client)
    batch = post(client, store, "/file_batches", {"file_ids": [file(client)]})
    assert call(client, "GET", other, f"/file_batches/{batch['id']}").status_code == 404
    assert (
        words(call(client, "POST", store, "/file_batches", {"file_ids": ["file-none"]}), 400)
        == "No such File object: file-none"
    )


# Lists


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("what", ["stores", "files", "batch"])
def test_who_pages_sees_each_once(client: Client, what: str, order: str) -> None:
    files = [file(client) for _ in range(5)]
    store = make(client)
    batch = post(client, store, "/file_batches", {"file_ids": files})
    made = files
    if what == "stores":
        made = [store["id"], *(make(client)["id"] for _ in range(4))]
    path = {"stores": STORES, "files": f"{STORES}/{store['id']}/files"}.get(
        what, f"{STORES}/{store['id']}/file_batches/{batch['id']}/files"
    )
    seen, query = list[str](), {"limit": 2, "order": order}
    while True:
        page = done(client.get(path, headers=OPENAI, params=query))
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        query = {**query, "after": page["last_id"]}
    assert seen == (made if order == "asc" else made[::-1])


# Contents


def test_file_tells_what_it_says(client: Client) -> None:
    store = make(client, file_ids=[file_id := file(client)])
    page = get(client, store, f"/files/{file_id}/content")
    assert page == {
        "object": "vector_store.file_content.page", "data": [{"type": "text", "text": TEXT.decode()}], "has_more": False,
        "next_page": None,
    }  # fmt: skip


def test_contents_come_in_pieces(client: Client) -> None:
    store, file_id = make(client), file(client, content=b"tide " * 250)
    chunks = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
    post(client, store, "/files", {"file_id": file_id, "chunking_strategy": chunks})
    texts = [part["text"] for part in get(client, store, f"/files/{file_id}/content")["data"]]
    assert (len(texts), "".join(texts)) == (3, "tide " * 250)


def test_search_finds_by_words(client: Client) -> None:
    boats, desk = file(client, "boats.md", b"Boats leave at noon."), file(client, "desk.md", b"The desk opens at nine.")
    store = make(client, file_ids=[boats, desk])
    wait(client)
    page = post(client, store, "/search", {"query": "When does the desk open?", "max_num_results": 1})
    assert (page["object"], page["search_query"]) == ("vector_store.search_results.page", ["When does the desk open?"])
    (row,) = page["data"]
    assert (row["file_id"], row["filename"]) == (desk, "desk.md")
    assert (row["content"], 0 < row["score"] <= 1) == ([{"type": "text", "text": "The desk opens at nine."}], True)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"type": "eq", "key": "chapter", "value": 1}, [1]),
        ({"type": "ne", "key": "chapter", "value": 1}, [2]),
        ({"type": "gte", "key": "chapter", "value": 2}, [2]),
        ({"type": "lt", "key": "chapter", "value": "a"}, []),
        ({"type": "in", "key": "chapter", "value": [1, 2]}, [1, 2]),
        ({"type": "eq", "key": "page", "value": 1}, []),
        ({"type": "and", "filters": [{"type": each, "key": "chapter", "value": 1} for each in ("gte", "lte")]}, [1]),
        ({"type": "or", "filters": [{"type": "eq", "key": "chapter", "value": each} for each in (1, 2)]}, [1, 2]),
    ],
)  # fmt: skip
def test_search_filters(client: Client, filters: Record, found: list[int]) -> None:
    store = make(client)
    for chapter in (1, 2):
        post(client, store, "/files", {"file_id": file(client), "attributes": {"chapter": chapter}})
    wait(client)
    rows = post(client, store, "/search", {"query": "desk", "filters": filters})["data"]
    assert sorted(row["attributes"]["chapter"] for row in rows) == found


def test_search_leaves_out_what_is_not_ready_or_unlikely(client: Client) -> None:
    store = make(client, file_ids=[file(client)])
    assert post(client, store, "/search", {"query": "desk"})["data"] == []
    wait(client)
    assert len(post(client, store, "/search", {"query": "desk"})["data"]) == 1
    assert post(client, store, "/search", {"query": "whales", "ranking_options": {"score_threshold": 0.5}})["data"] == []


def test_model_searches_files(client: Client) -> None:
    store = make(client, file_ids=[file_id := file(client)])
    wait(client)
    tool = {"type": "file_search", "vector_store_ids": [store["id"], "vs_none"]}
    body = {"model": "gpt-4o", "input": "When does the desk open?", "tools": [tool], "tool_choice": "required"}
    response = done(client.post("/v1/responses", {**body, "include": ["file_search_call.results"]}, headers=OPENAI))
    call_item, message = response["output"]
    assert [(row["file_id"], row["text"]) for row in call_item["results"]] == [(file_id, TEXT.decode())]
    assert [each["file_id"] for each in message["content"][0]["annotations"]] == [file_id]


def test_model_searches_no_store_that_has_expired(client: Client) -> None:
    store = make(client, file_ids=[file(client)], expires_after={"anchor": "last_active_at", "days": 1})
    wait(client)
    client.world.clock.move(timedelta(days=1))
    assert found_by_model(client, store) == []


def test_model_that_searches_keeps_a_store_alive(client: Client) -> None:
    store = make(client, file_ids=[file(client)], expires_after={"anchor": "last_active_at", "days": 1})
    client.world.clock.move(timedelta(hours=23))
    assert len(found_by_model(client, store)) == 1
    client.world.clock.move(timedelta(hours=23))
    assert get(client, store)["status"] == "completed"


def found_by_model(client: Client, store: Record) -> list[Record]:
    """What the tool of a response finds in a store."""
    tool = {"type": "file_search", "vector_store_ids": [store["id"]]}
    body = {"model": "gpt-4o", "input": "When does the desk open?", "tools": [tool], "tool_choice": "required"}
    response = done(client.post("/v1/responses", {**body, "include": ["file_search_call.results"]}, headers=OPENAI))
    found: list[Record] = response["output"][0]["results"]
    return found
