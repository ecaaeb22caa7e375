"""Vector stores by the real `portkey-ai` and `openai` for Python, sync and async, over a real socket.

Source: gateway-data-plane, /vector_stores, What real clients send and need.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.callers import Caller
from tests.clients.test_responses_python import NOT_FOUND, every

HANDBOOK = ("handbook.md", b"The desk opens at nine. Boats leave at noon.", "text/markdown")


@pytest.fixture
def store(call: Caller) -> Any:
    return call("vector_stores.create", name="Handbook")


def test_file_is_uploaded_and_waited_for(call: Caller, store: Any) -> None:
    """The header of the mock tells when to look again: without it the client would wait a second."""
    began = time.perf_counter()
    made = call("vector_stores.files.upload_and_poll", vector_store_id=store.id, file=HANDBOOK)
    assert (made.status in ("completed", "failed"), made.vector_store_id) == (True, store.id)
    assert time.perf_counter() - began < 0.9
    ready = call("vector_stores.retrieve", vector_store_id=store.id)
    assert (ready.status, ready.file_counts.in_progress, ready.file_counts.total) == ("completed", 0, 1)


def test_batch_is_uploaded_and_waited_for(call: Caller, store: Any) -> None:
    files = [HANDBOOK, ("notes.txt", b"Bring a coat.", "text/plain")]
    batch = call("vector_stores.file_batches.upload_and_poll", vector_store_id=store.id, files=files)
    assert (batch.file_counts.in_progress, batch.file_counts.total) == (0, 2)
    page = call("vector_stores.file_batches.list_files", vector_store_id=store.id, batch_id=batch.id)
    assert len({each["id"] if isinstance(each, dict) else each.id for each in page.data}) == 2  # as the client has them


def test_store_lives_and_dies(call: Caller, store: Any) -> None:
    changed = call("vector_stores.update", vector_store_id=store.id, name="Guide", metadata={"team": "a"})
    assert (changed.name, changed.metadata) == ("Guide", {"team": "a"})
    assert call("vector_stores.delete", vector_store_id=store.id).deleted is True
    with pytest.raises(NOT_FOUND):
        call("vector_stores.retrieve", vector_store_id=store.id)


def test_stores_are_paged(portkey: PortkeyWorld, openai: Caller) -> None:
    made = {openai("vector_stores.create", name=str(number)).id for number in range(5)}
    found = [each.id for each in every(openai, openai.client.vector_stores.list(limit=2))]
    assert (len(found), set(found)) == (5, made)


def test_file_is_marked_searched_and_read(openai: Caller) -> None:
    """`openai` has methods of its own for what Portkey's clients only reach by paths."""
    store = openai("vector_stores.create", name="Handbook")
    made = openai("vector_stores.files.upload_and_poll", vector_store_id=store.id, file=HANDBOOK)
    marked = openai("vector_stores.files.update", vector_store_id=store.id, file_id=made.id, attributes={"chapter": 1})
    assert marked.attributes == {"chapter": 1}
    for method, given in (("search", {"query": "desk"}), ("files.content", {"file_id": made.id})):
        page = openai.client.vector_stores.search if method == "search" else openai.client.vector_stores.files.content
        assert all(each.model_dump() for each in every(openai, page(vector_store_id=store.id, **given)))
