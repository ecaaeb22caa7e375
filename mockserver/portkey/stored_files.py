"""Files that providers keep for their customers: of callers, and of batches and fine-tuning jobs, which leave some.

Source of every rule that names none: gateway-data-plane, /files.
"""

from __future__ import annotations

from mockserver.blobs import Blob
from mockserver.portkey import stored, vector_files
from mockserver.portkey.gateway.exchange import Customer
from mockserver.values import Record
from mockserver.world.world import World

MANAGED = "portkey"
"""The provider of who names none: Portkey itself keeps it, and manages it."""

BATCH_S = 30 * 86_400
"""How long files of batches live unless a call says otherwise."""
_OF_BATCHES = frozenset({"batch", "batch_output"})

_HOLDERS = ("files", "batches", "fine_tuning_jobs")
"""Collections whose records may need what a file holds: who works on it does so to the end, though it be deleted."""


def new_id(world: World, prefix: str, provider: str) -> str:
    """Return the id of what a provider keeps: `pk_…` and a UUID for Portkey, else the prefix of OpenAI's."""
    bare = prefix.rstrip("-_")
    return f"pk_{bare}_{world.ids.uuid4()}" if provider == MANAGED else stored.new_id(world, prefix)


def keep(world: World, customer: Customer, name: str, purpose: str, blob: Blob, lives_s: int | None = None) -> Record:
    """Keep a file for a customer and return it; `lives_s` None is as long as its purpose has it.

    Portkey's own have a name with the account's id, and a time in milliseconds. *chosen*: the id is drawn from the account's.
    """
    now_s, is_managed = stored.seconds(world), customer.provider.name == MANAGED
    key = new_id(world, "file-", customer.provider.name)
    if lives_s is None and purpose in _OF_BATCHES:
        lives_s = BATCH_S
    expires_at = None if lives_s is None else now_s + lives_s
    record: Record = {
        "id": key,
        "object": "file",
        "bytes": blob.size,
        "created_at": now_s * 1000 if is_managed else now_s,
        "filename": f"{world.ids.uuid4()}/{key}.jsonl" if is_managed else name,
        "purpose": purpose,
        "status": "processed",
        "status_details": None,
        "expires_at": expires_at,
        "_content": blob.digest,
    }
    world.contents.put(blob.digest, blob)
    kept = stored.keep(world, "files", record, customer)
    if expires_at is not None:
        world.agenda.put("files", key, expires_at)
    return kept


def content(world: World, record: Record) -> Blob:
    """Return what a file holds, or what somebody who works on it works on."""
    blob = world.contents.get(record["_content"])
    assert blob is not None, "a content went before who needs it"
    return blob


def forget(world: World, key: str) -> None:
    """Take a file out, of all vector stores as well (the SDK's docstrings); what it holds goes with the last who needs it."""
    world.agenda.drop("files", key)
    for record in list(world[vector_files.FILES].newest(id=key)):
        vector_files.detach(world, record)
    release(world, world["files"].remove(key)["_content"])


def release(world: World, digest: str) -> None:
    """Forget a content that nobody needs any more."""
    if not any(world[holder].count(_content=digest) for holder in _HOLDERS):
        world.contents.remove(digest)
