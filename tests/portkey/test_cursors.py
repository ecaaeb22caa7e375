"""Who pages through a list sees each record once, also while records are added and deleted.

A list joins by a row of `LISTS`. Source: gateway-data-plane, Stateful resources: shared conventions.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings, strategies

from mockserver.app import App
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.desk import ASSISTANTS, THREADS, make_assistant, make_run, make_thread
from tests.portkey.keeping import BATCHES, FILES, JOBS, OPENAI, done, start, tune, upload, wait

STORES = "/v1/vector_stores"

Maker: TypeAlias = Callable[[Client], Any]


def delete_file(client: Client, file_id: str) -> None:
    done(client.delete(f"{FILES}/{file_id}", headers=OPENAI))


@dataclass(frozen=True)
class Listed:
    """A list: its `path`, how to `add` a record (one, or several at once), and how to `delete` one, None where nobody can.

    `prepare` makes what the list lies below and returns its id, which stands for `{}` in the path and is handed to `add`.
    `orders` are those that a caller may ask for.
    """

    path: str
    add: Callable[[Client, str], Any]
    delete: Callable[[Client, str], None] | None = None
    prepare: Maker = field(default=lambda client: "")
    orders: tuple[str, ...] = ("",)
    headers: dict[str, str] = field(default_factory=lambda: OPENAI)
    query: Record = field(default_factory=dict)


def tell(client: Client, job_id: str) -> None:
    """Let a job that runs tell two things."""
    for what in ("pause", "resume"):
        done(client.post(f"{JOBS}/{job_id}/{what}", headers=OPENAI))


def running(client: Client) -> str:
    job_id = str(tune(client, hyperparameters={"n_epochs": 50})["id"])
    wait(client, 2)
    return job_id


def five_items(client: Client) -> str:
    """A response to what came in five items."""
    items = [{"role": "user", "content": f"Is {number} a number?"} for number in range(5)]
    return str(done(client.post("/v1/responses", {"model": "gpt-4o", "input": items}, headers=OPENAI))["id"])


def answered(client: Client, thread_id: str) -> None:
    """Let an assistant answer a thread, to the end."""
    make_run(client, thread_id=thread_id)
    wait(client, 1)


def batch_of_store(client: Client) -> str:
    """A batch of three files in a store; the path of its files."""
    store_id = store(client)
    made = client.post(f"{STORES}/{store_id}/file_batches", {"file_ids": [file(client) for _ in range(3)]}, headers=OPENAI)
    return f"{store_id}/file_batches/{done(made)['id']}"


def store(client: Client) -> str:
    return str(done(client.post(STORES, headers=OPENAI, json={}))["id"])


def file(client: Client) -> str:
    return str(upload(client, b"Noon.", "assistants", "noon.txt")["id"])


def forget(path: str) -> Callable[[Client, str], None]:
    """What deletes a record of a list by its id."""

    def delete(client: Client, key: str) -> None:
        done(client.delete(f"{path}/{key}", headers=OPENAI))

    return delete


BOTH = ("", "asc", "desc")
LISTS = {
    "assistants": Listed(ASSISTANTS, lambda client, _: make_assistant(client), forget(ASSISTANTS), orders=BOTH),
    "messages": Listed(
        f"{THREADS}/{{}}/messages",
        lambda client, thread: client.post(f"{THREADS}/{thread}/messages", {"role": "user", "content": "Noon?"}),
        prepare=make_thread,
        orders=BOTH,
    ),
    "runs": Listed(f"{THREADS}/{{}}/runs", answered, prepare=lambda client: make_thread(client, "Noon?"), orders=BOTH),
    "stores": Listed(STORES, lambda client, _: store(client), forget(STORES), orders=BOTH),
    "files-of-a-store": Listed(
        f"{STORES}/{{}}/files",
        lambda client, key: client.post(f"{STORES}/{key}/files", {"file_id": file(client)}, headers=OPENAI),
        prepare=store,
        orders=BOTH,
    ),
    "files-of-a-batch": Listed(f"{STORES}/{{}}/files", lambda client, _: wait(client, 1), prepare=batch_of_store, orders=BOTH),
    "input-items": Listed("/v1/responses/{}/input_items", lambda client, _: wait(client, 1), prepare=five_items, orders=BOTH),
    "files": Listed(FILES, lambda client, _: upload(client, b"x"), delete_file, orders=("", "asc", "desc")),
    "files-of-a-purpose": Listed(
        FILES,
        lambda client, _: (upload(client, b"x", "vision"), upload(client, b"x")),
        delete_file,
        orders=("asc", "desc"),
        query={"purpose": "vision"},
    ),
    "batches": Listed(BATCHES, lambda client, _: start(client, "file-none")),
    "jobs": Listed(JOBS, lambda client, _: tune(client, "file-none")),
    "events": Listed(f"{JOBS}/{{}}/events", tell, prepare=running),
    "checkpoints": Listed(f"{JOBS}/{{}}/checkpoints", lambda client, _: wait(client, 2), prepare=running),
}
"""The lists that page by cursors."""

STEPS = strategies.lists(strategies.lists(strategies.sampled_from(["add", "delete", "wait"]), max_size=3), max_size=6)


@contextmanager
def private(app: App) -> Iterator[Client]:
    client = Client(app, f"test-{uuid.uuid4().hex}")
    client.world.clock.freeze()
    yield client
    app.worlds.delete(client.world_name)


class Walk:
    """A walk through a list, page by page."""

    def __init__(self, client: Client, listed: Listed, parent: str, query: Record) -> None:
        self.seen: list[str] = []
        self.has_more = True
        self._client, self._listed, self._query = client, listed, query | listed.query
        self._path = listed.path.format(parent)

    def page(self) -> None:
        """Read the next page: after the last record of the one before."""
        cursor = {"after": self.seen[-1]} if self.seen else {}
        body = done(self._client.get(self._path, params=self._query | cursor, headers=self._listed.headers))
        ids = [each["id"] for each in body["data"]]
        if "first_id" in body:
            assert (body["first_id"], body["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
        assert len(ids) <= self._query["limit"]
        self.seen += ids
        self.has_more = body["has_more"]

    def all(self) -> list[str]:
        """Read all that is left."""
        while self.has_more:
            self.page()
        return self.seen


@pytest.mark.parametrize("name", LISTS)
@settings(max_examples=12, deadline=None)
@given(
    count=strategies.integers(min_value=0, max_value=7),
    limit=strategies.integers(min_value=1, max_value=4),
    steps=STEPS,
    chance=strategies.randoms(use_true_random=False),
)
def test_who_pages_sees_each_record_once(shared_app: App, name: str, count: int, limit: int, steps: Any, chance: Any) -> None:
    listed = LISTS[name]
    with private(shared_app) as client:
        parent = listed.prepare(client)
        query = {"limit": limit} | ({"order": order} if (order := chance.choice(listed.orders)) else {})
        for _ in range(count):
            listed.add(client, parent)
            wait(client, chance.choice((0, 0, 1)))

        def there() -> list[str]:
            return Walk(client, listed, parent, {**query, "limit": 100}).all()

        before = there()
        deleted: set[str] = set()
        walk = Walk(client, listed, parent, query)
        for step in steps:
            if walk.has_more:
                walk.page()
            for what in step:
                if what == "add":
                    listed.add(client, parent)
                elif what == "wait":
                    wait(client, 1)
                elif listed.delete is not None and (left := [each for each in there() if each not in deleted]):
                    deleted.add(gone := chance.choice(left))
                    listed.delete(client, gone)
        seen = walk.all()
        assert len(seen) == len(set(seen))
        throughout = [each for each in before if each not in deleted]
        assert [each for each in seen if each in throughout] == throughout
        assert deleted.isdisjoint(there())
