"""Vector stores and the files in them: how they get in, what becomes of them by the clock, how they are counted.

Source of every rule that names none: gateway-data-plane, /vector_stores.
"""

from __future__ import annotations

from collections.abc import Callable

from mockserver.portkey import stored
from mockserver.portkey.gateway.exchange import Customer
from mockserver.portkey.records import shown
from mockserver.values import JSON, Record
from mockserver.world.world import World

STORES, FILES, BATCHES = "vector_stores", "vector_store_files", "vector_store_file_batches"

PROCESSED_S = 0.2
"""How long a file is worked on (*chosen*: so that who polls is done soon)."""

USUAL_CHUNKS: Record = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}

_STATUSES = ("in_progress", "completed", "failed", "cancelled")
NOBODY: Record = {**dict.fromkeys(_STATUSES, 0), "total": 0}
"""The counts of what has no files."""

_DAY_S = 86_400

_SUPPORTED = frozenset(
    {
        "c", "cpp", "cs", "css", "doc", "docx", "go", "html", "java", "js", "json", "md", "pdf", "php", "pptx", "py", "rb",
        "sh", "tex", "ts", "txt",
    }
)  # fmt: skip
"""Endings of the names of files that can be searched, as OpenAI tells them."""


def key_of(store_id: str, file_id: str) -> str:
    """Return the key of a file in a store."""
    return f"{store_id}/{file_id}"


def new_store(world: World, body: Record, customer: Customer) -> Record:
    """Make a store, with files if some are named. Fails: `invalid-request` for an unknown file."""
    now_s, files = stored.seconds(world), body.get("file_ids") or []
    for file_id in files:
        file_of(world, file_id, customer)
    record: Record = {
        "id": stored.new_id(world, "vs_"),
        "object": "vector_store",
        "created_at": now_s,
        "name": body.get("name"),
        "description": body.get("description"),
        "usage_bytes": 0,
        "file_counts": NOBODY,
        "status": "completed",
        "expires_after": body.get("expires_after"),
        "expires_at": None,
        "last_active_at": now_s,
        "metadata": body.get("metadata") or {},
    }
    store_id = stored.keep(world, STORES, record, customer)["id"]
    for file_id in files:
        attach(world, store_id, {**body, "file_id": file_id, "attributes": None})
    return world[STORES].get(store_id) or record


def store_shown(world: World, store: Record) -> Record:
    """Return a store as it is now: its status follows from its files and the clock."""
    after, expires_at = store["expires_after"], None
    if after is not None:
        expires_at = store["last_active_at"] + after["days"] * _DAY_S
    is_over = expires_at is not None and expires_at <= stored.seconds(world)
    status = "expired" if is_over else "in_progress" if store["file_counts"]["in_progress"] else "completed"
    return {**shown(store), "expires_at": expires_at, "status": status}


def used(world: World, store: Record) -> Record:
    """Note that a store is used, so that its life begins anew, and return it. Fails: `invalid-request` once it has expired."""
    if store_shown(world, store)["status"] == "expired":
        raise stored.refused(f"Vector store {store['id']} has expired.")
    store = {**store, "last_active_at": stored.seconds(world)}
    world[STORES].replace(store)
    return store


def searchable(world: World, store_ids: list[str], reaches: Callable[[Record], bool]) -> list[str]:
    """Return those of some stores that are there, within reach and not expired; they are used by that."""
    found = [world[STORES].get(store_id) for store_id in dict.fromkeys(store_ids)]
    stores = [each for each in found if each is not None and reaches(each) and store_shown(world, each)["status"] != "expired"]
    return [used(world, store)["id"] for store in stores]


def file_of(world: World, file_id: str, customer: Customer) -> Record:
    """Return a file of the customer's, which a body names.

    Fails: `invalid-request` for one that is not there (*chosen*, as everywhere: 404 is for what the path names).
    """
    record = world["files"].get(file_id)
    if record is None or customer.account not in (None, record.get("_account", customer.account)):
        raise stored.refused(f"No such File object: {file_id}")
    return record


def attach(world: World, store_id: str, given: Record, batch_id: str = "") -> Record:
    """Put a file into a store, to be worked on; one that is there already is worked on anew (*chosen*)."""
    key = key_of(store_id, given["file_id"])
    if key in world[FILES]:
        detach(world, world[FILES].get(key) or {})
    strategy = given.get("chunking_strategy") or {}
    record: Record = {
        "id": given["file_id"],
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": stored.seconds(world),
        "vector_store_id": store_id,
        "status": "in_progress",
        "last_error": None,
        "attributes": given.get("attributes") or {},
        "chunking_strategy": strategy if strategy.get("type") == "static" else USUAL_CHUNKS,
        "_key": key,
        "_batch": batch_id,
    }
    kept = stored.keep(world, FILES, record)
    _count(world, kept, "in_progress", 1)
    world.agenda.put("vector_stores", key, world.clock.seconds() + PROCESSED_S)
    return kept


def detach(world: World, record: Record) -> None:
    """Take a file out of a store; the file itself stays. A batch that still waited for it counts it as cancelled."""
    world.agenda.drop("vector_stores", record["_key"])
    world[FILES].remove(record["_key"])
    store = world[STORES].get(record["vector_store_id"])
    if store is not None:
        usage = store["usage_bytes"] - record["usage_bytes"]
        world[STORES].replace({**store, "usage_bytes": usage, "file_counts": _counted(store, record["status"], -1)})
    batch = world[BATCHES].get(record["_batch"])
    if batch is not None and record["status"] == "in_progress":
        world[BATCHES].replace({**batch, "file_counts": _shifted(batch, "in_progress", "cancelled")})


def finish(world: World, key: str) -> None:
    """Let the work on a file end: well, or not."""
    record = world[FILES].get(key)
    if record is None or record["status"] != "in_progress":
        return
    file = world["files"].get(record["id"])
    error = _error(file)
    if error is not None or file is None:
        _settle(world, {**record, "last_error": error}, "failed")
    else:
        _settle(world, {**record, "usage_bytes": file.get("bytes") or 0}, "completed")


def hurry(world: World, store_id: str) -> None:
    """Let the work on all files of a store end now."""
    for record in [each for each in world[FILES].newest(vector_store_id=store_id) if each["status"] == "in_progress"]:
        world.agenda.drop("vector_stores", record["_key"])
        finish(world, record["_key"])


def cancel(world: World, record: Record) -> None:
    """Let nobody work on a file any more."""
    world.agenda.drop("vector_stores", record["_key"])
    _settle(world, record, "cancelled")


def _settle(world: World, record: Record, status: str) -> None:
    """Write down what has become of a file that was worked on, where it is counted as well."""
    world[FILES].replace({**record, "status": status})
    store = world[STORES].get(record["vector_store_id"])
    if store is not None:
        counts = _shifted(store, "in_progress", status)
        world[STORES].replace({**store, "usage_bytes": store["usage_bytes"] + record["usage_bytes"], "file_counts": counts})
    batch = world[BATCHES].get(record["_batch"])
    if batch is not None:
        world[BATCHES].replace({**batch, "file_counts": _shifted(batch, "in_progress", status)})


def _error(file: Record | None) -> JSON:
    """Why a file cannot be searched, None when it can. Texts *chosen*; what Portkey keeps has lost its name."""
    if file is None:
        return {"code": "invalid_file", "message": "The file is not there any more."}
    ending = str(file.get("filename") or "").rpartition(".")[2].lower()
    if ending not in _SUPPORTED and not str(file["id"]).startswith("pk_"):
        return {"code": "unsupported_file", "message": "The file type is not supported."}
    if file.get("bytes") == 0:
        return {"code": "invalid_file", "message": "The file is empty."}
    return None


def _count(world: World, record: Record, status: str, by: int) -> None:
    for collection, key in ((STORES, record["vector_store_id"]), (BATCHES, record["_batch"])):
        holder = world[collection].get(key)
        if holder is not None:
            world[collection].replace({**holder, "file_counts": _counted(holder, status, by)})


def _counted(holder: Record, status: str, by: int) -> Record:
    counts = holder["file_counts"]
    return {**counts, status: counts[status] + by, "total": counts["total"] + by}


def _shifted(holder: Record, before: str, after: str) -> Record:
    counts = holder["file_counts"]
    return {**counts, before: counts[before] - 1, after: counts[after] + 1}
