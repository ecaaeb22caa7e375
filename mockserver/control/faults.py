"""Faults, as testers set them."""

from __future__ import annotations

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.control.mappings import check_id
from mockserver.stubbing.faults import SHELF
from mockserver.stubbing.mappings import PRIORITY
from mockserver.stubbing.stubbing import Stubbing, find
from mockserver.world.world import World


class Faults:
    """The operations under `/faults`. All act on the call's own world."""

    def __init__(self, stubbing: Stubbing) -> None:
        self._stubbing = stubbing

    def list_faults(self, request: Request, world: World) -> Reply:
        """Show the faults in the order in which they are tried."""
        found = sorted(SHELF.kept(world), key=lambda kept: kept["definition"].get("priority", PRIORITY))
        if request.query["unmatched"]:
            found = [kept for kept in found if not SHELF.counts(world, kept["id"]).used]
        page = found[request.query["offset"] :][: request.query["limit"]]
        shown = [self._stubbing.shown_fault(world, kept) for kept in page]
        return Reply(200, {"faults": shown, "meta": {"total": len(found)}})

    def add_fault(self, request: Request, world: World) -> Reply:
        """Set a fault. Fails: `invalid-request` for what makes no sense, or for an error that no operation documents."""
        return Reply(201, self._stubbing.set_fault(world, request.fields))

    def clear_faults(self, request: Request, world: World) -> Reply:
        """Forget all faults."""
        SHELF.clear(world)
        return Reply(200, {})

    def get_fault(self, request: Request, world: World) -> Reply:
        """Show a fault. Fails: `not-found`."""
        return Reply(200, self._stubbing.shown_fault(world, find(SHELF, world, request.path["id"], "fault")))

    def replace_fault(self, request: Request, world: World) -> Reply:
        """Put another in its place. Fails: `not-found`; `invalid-request` as setting one does."""
        id_ = find(SHELF, world, request.path["id"], "fault")["id"]
        check_id(request.fields, id_)
        return Reply(200, self._stubbing.set_fault(world, {**request.fields, "id": id_}))

    def delete_fault(self, request: Request, world: World) -> Reply:
        """Forget a fault. Fails: `not-found`."""
        SHELF.remove(world, find(SHELF, world, request.path["id"], "fault")["id"])
        return Reply(200, {})
