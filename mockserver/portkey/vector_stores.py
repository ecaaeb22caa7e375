"""Vector stores: files to be searched, added one by one or in batches, worked on by the clock.

Source of every rule that names none: gateway-data-plane, /vector_stores, Stateful resources: shared conventions.
"""

from __future__ import annotations

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import file_search, stored, vector_files
from mockserver.portkey.gateway.exchange import Customer
from mockserver.portkey.gateway.proxying import passed_on
from mockserver.portkey.records import shown
from mockserver.portkey.vector_files import BATCHES, FILES, NOBODY, STORES, store_shown
from mockserver.stubs.service import Perform
from mockserver.values import Record
from mockserver.world.agenda import Due
from mockserver.world.world import World


def create_vector_store(request: Request, world: World) -> Reply:
    """Make a store, with files if some are named. Fails: `invalid-request` for an unknown file."""

    def answer(customer: Customer, body: Record) -> Reply:
        return Reply(200, store_shown(world, vector_files.new_store(world, body, customer)), stored.POLL)

    return passed_on(request, world, answer)


def list_vector_stores(request: Request, world: World) -> Reply:
    """Show the customer's stores."""

    def answer(customer: Customer, _: Record) -> Reply:
        return Reply(200, stored.page(world, STORES, request.query, customer, show=lambda store: store_shown(world, store)))

    return passed_on(request, world, answer)


def get_vector_store(request: Request, world: World) -> Reply:
    """Show a store. Fails: `not-found`."""
    return passed_on(
        request, world, lambda customer, _: Reply(200, store_shown(world, _asked(request, world, customer)), stored.POLL)
    )


def modify_vector_store(request: Request, world: World) -> Reply:
    """Change a store's name, expiry or metadata. Fails: `not-found`; `invalid-request` once it has expired."""

    def answer(customer: Customer, body: Record) -> Reply:
        store = _used(request, world, customer)
        changes: Record = {name: body[name] for name in ("name", "expires_after", "metadata") if name in body}
        if changes.get("metadata", {}) is None:
            changes["metadata"] = {}
        world[STORES].replace({**store, **changes})
        return Reply(200, store_shown(world, _asked(request, world, customer)))

    return passed_on(request, world, answer)


def delete_vector_store(request: Request, world: World) -> Reply:
    """Delete a store with its batches; the files stay. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        store_id = _asked(request, world, customer)["id"]
        world[STORES].remove(store_id)
        for record in list(world[FILES].newest(vector_store_id=store_id)):
            vector_files.detach(world, record)
        for batch in list(world[BATCHES].newest(vector_store_id=store_id)):
            world[BATCHES].remove(batch["id"])
        return Reply(200, stored.deleted(store_id, "vector_store.deleted"))

    return passed_on(request, world, answer)


def search_vector_store(request: Request, world: World) -> Reply:
    """Find pieces of files that have words of a query. Fails: `not-found`; `invalid-request` once the store has expired."""

    def answer(customer: Customer, body: Record) -> Reply:
        store = _used(request, world, customer)
        given = body["query"]
        queries = [given] if isinstance(given, str) else list(given)
        options = body.get("ranking_options") or {}
        wanted = file_search.Wanted(
            " ".join(queries),
            body.get("filters"),
            body.get("max_num_results") or file_search.MOST,
            options.get("score_threshold") or 0.0,
        )
        rows = file_search.found(world, [store["id"]], wanted)
        data = [
            {
                **{name: value for name, value in row.items() if name != "text"},
                "content": [{"type": "text", "text": row["text"]}],
            }
            for row in rows
        ]
        page = {"object": "vector_store.search_results.page", "search_query": queries, "data": data}
        return Reply(200, {**page, "has_more": False, "next_page": None})

    return passed_on(request, world, answer)


# Files


def create_vector_store_file(request: Request, world: World) -> Reply:
    """Put a file into a store. Fails: `not-found`; `invalid-request` for an unknown file, or once the store has expired."""

    def answer(customer: Customer, body: Record) -> Reply:
        store = _used(request, world, customer)
        vector_files.file_of(world, body["file_id"], customer)
        return Reply(200, shown(vector_files.attach(world, store["id"], body)), stored.POLL)

    return passed_on(request, world, answer)


def list_vector_store_files(request: Request, world: World) -> Reply:
    """Show the files of a store, those of one status if one is named. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        store_id = _asked(request, world, customer)["id"]
        return Reply(200, _files(request, world, store_id))

    return passed_on(request, world, answer)


def get_vector_store_file(request: Request, world: World) -> Reply:
    """Show a file of a store. Fails: `not-found`."""
    return passed_on(request, world, lambda customer, _: Reply(200, shown(_file(request, world, customer)), stored.POLL))


def update_vector_store_file(request: Request, world: World) -> Reply:
    """Give a file other attributes, all at once. Fails: `not-found`; `invalid-request` once the store has expired."""

    def answer(customer: Customer, body: Record) -> Reply:
        _used(request, world, customer)
        record = {**_file(request, world, customer), "attributes": body["attributes"] or {}}
        world[FILES].replace(record)
        return Reply(200, shown(record))

    return passed_on(request, world, answer)


def get_vector_store_file_content(request: Request, world: World) -> Reply:
    """Tell what a file of a store says, piece by piece. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        texts = file_search.pieces(world, _file(request, world, customer), overlapping=False)
        data = [{"type": "text", "text": text} for text in texts]
        return Reply(200, {"object": "vector_store.file_content.page", "data": data, "has_more": False, "next_page": None})

    return passed_on(request, world, answer)


def delete_vector_store_file(request: Request, world: World) -> Reply:
    """Take a file out of a store; the file stays. Fails: `not-found`; `invalid-request` once the store has expired."""

    def answer(customer: Customer, _: Record) -> Reply:
        record = _file(request, world, customer)
        _used(request, world, customer)
        vector_files.detach(world, record)
        return Reply(200, stored.deleted(record["id"], "vector_store.file.deleted"))

    return passed_on(request, world, answer)


# Batches


def create_vector_store_file_batch(request: Request, world: World) -> Reply:
    """Put several files into a store at once. Fails: `not-found`; `invalid-request` for an unknown file, or once it expired.

    What the batch says of attributes and chunks holds for files that say nothing themselves.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        store = _used(request, world, customer)
        common = {name: body[name] for name in ("attributes", "chunking_strategy") if name in body}
        listed = [{"file_id": file_id} for file_id in body.get("file_ids") or ()]
        given = {each["file_id"]: {**common, **each} for each in [*listed, *(body.get("files") or ())]}
        for file_id in given:
            vector_files.file_of(world, file_id, customer)
        record: Record = {
            "id": stored.new_id(world, "vsfb_"),
            "object": "vector_store.files_batch",
            "created_at": stored.seconds(world),
            "vector_store_id": store["id"],
            "status": "in_progress",
            "file_counts": NOBODY,
        }
        batch_id = stored.keep(world, BATCHES, record)["id"]
        for each in given.values():
            vector_files.attach(world, store["id"], each, batch_id)
        return Reply(200, _batch_shown(world[BATCHES].get(batch_id) or record), stored.POLL)

    return passed_on(request, world, answer)


def get_vector_store_file_batch(request: Request, world: World) -> Reply:
    """Show a batch. Fails: `not-found`."""
    return passed_on(
        request, world, lambda customer, _: Reply(200, _batch_shown(_batch(request, world, customer)), stored.POLL)
    )


def cancel_vector_store_file_batch(request: Request, world: World) -> Reply:
    """Let the files of a batch be that are not done; one that is over stays as it is (*chosen*). Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        batch = _batch(request, world, customer)
        waiting = [each for each in world[FILES].newest(_batch=batch["id"]) if each["status"] == "in_progress"]
        for record in waiting:
            vector_files.cancel(world, record)
        if waiting:
            world[BATCHES].replace({**_batch(request, world, customer), "status": "cancelled"})
        return Reply(200, _batch_shown(_batch(request, world, customer)))

    return passed_on(request, world, answer)


def list_files_in_vector_store_batch(request: Request, world: World) -> Reply:
    """Show the files of a batch, those of one status if one is named. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        batch = _batch(request, world, customer)
        return Reply(200, _files(request, world, batch["vector_store_id"], batch["id"]))

    return passed_on(request, world, answer)


def happen(due: Due, world: World, perform: Perform) -> None:
    """Let the work on a file of a store end."""
    vector_files.finish(world, due.key)


def _asked(request: Request, world: World, customer: Customer) -> Record:
    """The store that a call is about."""
    return stored.find(world, STORES, request.path["vector_store_id"], customer, "vector store")


def _used(request: Request, world: World, customer: Customer) -> Record:
    """The store that a call is about, which must not have expired; it is active then."""
    return vector_files.used(world, _asked(request, world, customer))


def _file(request: Request, world: World, customer: Customer) -> Record:
    store_id, file_id = _asked(request, world, customer)["id"], request.path["file_id"]
    record = world[FILES].get(vector_files.key_of(store_id, file_id))
    if record is None:
        raise stored.missing("file", file_id)
    return record


def _batch(request: Request, world: World, customer: Customer) -> Record:
    store_id, batch_id = _asked(request, world, customer)["id"], request.path["batch_id"]
    batch = world[BATCHES].get(batch_id)
    if batch is None or batch["vector_store_id"] != store_id:
        raise stored.missing("vector store file batch", batch_id)
    return batch


def _batch_shown(batch: Record) -> Record:
    """A batch as it is now. *chosen*: it has failed when all of its files have."""
    counts, status = batch["file_counts"], batch["status"]
    if status == "in_progress" and not counts["in_progress"]:
        status = "failed" if counts["failed"] == counts["total"] else "completed"
    return {**shown(batch), "status": status}


def _files(request: Request, world: World, store_id: str, batch_id: str | None = None) -> Record:
    """A page of the files of a store, or of a batch."""
    query, status = request.query, request.query.get("filter")
    fits = None if status is None else lambda record: record["status"] == status

    def key(cursor: str) -> str:
        return vector_files.key_of(store_id, cursor)

    if batch_id is None:
        return stored.page(world, FILES, query, fits=fits, key=key, vector_store_id=store_id)
    return stored.page(world, FILES, query, fits=fits, key=key, _batch=batch_id)
