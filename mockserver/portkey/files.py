"""Files that assistants, batches and fine-tuning work on, and those that these leave.

Source of every rule that names none: gateway-data-plane, /files.
"""

from __future__ import annotations

from mockserver.contract.problems import Problem, invalid
from mockserver.contract.replies import Piece, Reply, Stream
from mockserver.contract.requests import Request
from mockserver.portkey import calls, stored, stored_files
from mockserver.portkey.gateway.exchange import Customer
from mockserver.portkey.gateway.proxying import unified
from mockserver.portkey.records import shown
from mockserver.stubs.service import Perform
from mockserver.values import Record
from mockserver.world.agenda import Due
from mockserver.world.world import World

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


def create_file(request: Request, world: World) -> Reply:
    """Keep a file, byte for byte. `x-portkey-file-purpose` says what it is for where the form does not.

    Fails: `invalid-request` without a file or a purpose, and for half an expiry.
    """
    fields = request.fields
    purpose = fields.get("purpose") or calls.text(request, b"x-portkey-file-purpose")
    upload = next((upload for upload in request.uploads if upload.name == "file"), None)
    if purpose not in PURPOSES:
        raise invalid("body", "/purpose", f"is needed, one of {', '.join(PURPOSES)}")
    if upload is None:
        raise invalid("body", "/file", "is to be a file: a part of the form with a file name")
    anchor, lives_s = (fields.get(f"expires_after[{name}]") for name in ("anchor", "seconds"))
    if (anchor is None) != (lives_s is None):
        raise invalid("body", "/expires_after", "needs both anchor and seconds")

    def answer(customer: Customer, body: Record) -> Reply:
        return Reply(200, shown(stored_files.keep(world, customer, upload.file_name, purpose, upload.blob, lives_s)))

    return unified("createFile", request, world, answer)


def list_files(request: Request, world: World) -> Reply:
    """Show the customer's files, of one purpose if one is named."""
    query = request.query
    purpose = query.get("purpose")
    fits = None if purpose is None else lambda record: record["purpose"] == purpose
    return unified(
        "listFiles", request, world, lambda customer, _: Reply(200, stored.page(world, "files", query, customer, fits=fits))
    )


def retrieve_file(request: Request, world: World) -> Reply:
    """Show what is known of a file. Fails: `not-found`."""
    return unified(
        "retrieveFile", request, world, lambda customer, _: Reply(200, shown(_found(request, customer, world)), stored.POLL)
    )


def download_file(request: Request, world: World) -> Reply:
    """Give out what a file holds. Fails: `not-found`."""
    return unified("retrieveFileContent", request, world, lambda customer, _: _download(request, customer, world))


def delete_file(request: Request, world: World) -> Reply:
    """Delete a file. Fails: `not-found`, also the second time. Who works on it goes on (*chosen*: nothing is known)."""

    def answer(customer: Customer, body: Record) -> Reply:
        record = _found(request, customer, world)
        stored_files.forget(world, record["id"])
        return Reply(200, stored.deleted(record["id"], "file"))

    return unified("deleteFile", request, world, answer)


def happen(due: Due, world: World, perform: Perform) -> None:
    """Let a file expire: it is as if it were deleted."""
    stored_files.forget(world, due.key)


def _download(request: Request, customer: Customer, world: World) -> Reply:
    blob = stored_files.content(world, _found(request, customer, world))
    return Reply(200, Stream(map(Piece, blob.pieces()), length=blob.size), media_type="application/octet-stream")


def _found(request: Request, customer: Customer, world: World) -> Record:
    key = request.path["file_id"]
    try:
        return stored.find(world, "files", key, customer, "file")
    except Problem as problem:
        raise Problem(problem.kind, f"No such File object: {key}", type_=problem.type, code=problem.code) from None
