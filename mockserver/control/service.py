"""The admin API's identity and stubs. Its document is `openapi.yaml` beside this file."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from mockserver import __version__, data
from mockserver.contract import normalising
from mockserver.contract.contract import Contract
from mockserver.contract.loading import load_document
from mockserver.contract.operations import Operation
from mockserver.contract.problems import NOT_FOUND, UNAUTHENTICATED, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.control import guard, journal
from mockserver.control.exhibit import Exhibit, timestamp
from mockserver.stubs.service import PlainService, Stub
from mockserver.values import Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.collection import Collection
from mockserver.world.world import World, Worlds

BASE_PATH = "/__admin"
"""Where the admin API is served."""
_HERE = Path(__file__).parent
_REFUSED: Record = {"$ref": "#/components/responses/Refused"}
_UNFRAMED = {"content-security-policy": "frame-ancestors 'none'"}
"""The page shows what it shows to who opens it, and in no frame of another."""


@dataclass(frozen=True)
class Access:
    """Who may drive the admin API: the token, if any, and the names beside localhost under which it may be called.

    `unredacted` lets exports hold secrets. A token does not: who may drive the mock need not see what others sent to it.
    """

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    unredacted: bool = False


@dataclass(frozen=True)
class ServerFacts:
    """What the admin API tells of the server. `faults` say what of the document is not served; `access` who may call."""

    contract: Contract
    worlds: Worlds
    serves: str
    faults: list[str]
    settings: Record
    access: Access


class Guarded(PlainService):
    """An API for testers: guarded by the admin token when there is one, and against pages of other origins."""

    base_path = BASE_PATH

    def __init__(self, document: Path, bundle: Path, access: Access) -> None:
        # What the guard refuses, it may refuse anywhere.
        loaded = normalising.add_error_responses(load_document(document, bundle).document, ("403", "415"), _REFUSED)
        self.contract = Contract(loaded)
        super().__init__(self.contract.document)
        self._access = access

    def identify(
        self, operation: Operation, path: Mapping[str, str], query: bytes, headers: Mapping[bytes, bytes], world: World
    ) -> Any:
        """Ask for the admin token when there is one, and refuse pages of other origins; see `guard`."""
        guard.refuse_pages(headers, self._access.hosts, is_page=operation.path == "/")
        token = self._access.token
        if token is not None and operation.security:
            word, _, given = headers.get(b"authorization", b"").partition(b" ")
            if word.lower() != b"bearer" or not hmac.compare_digest(given.strip(), token.encode()):
                raise Problem(UNAUTHENTICATED, "The admin token is missing or wrong", headers={"www-authenticate": "Bearer"})
        guard.refuse_forms(operation, headers)
        return None


class Extension(Guarded):
    """What the served API adds to the admin API: a document of its own, whose stubs are the functions of a module."""

    def __init__(self, document: Path, bundle: Path, module: Any, access: Access) -> None:
        super().__init__(document, bundle, access)
        self._module = module

    def stub(self, operation: Operation) -> tuple[str, Stub]:
        """Return the stub of an operation."""
        return "family", getattr(self._module, operation.stub_name)


class Control(Guarded):
    """The admin API. A stub is the method with the name of its operation."""

    def __init__(self, facts: ServerFacts) -> None:
        super().__init__(data.CONTROL_DOCUMENT, data.CONTROL_BUNDLE, facts.access)
        self.facts = facts
        self._page = _HERE / "page.html"

    def stub(self, operation: Operation) -> tuple[str, Stub]:
        """Return the stub of an operation."""
        return "family", getattr(self, operation.stub_name)

    def get_health(self, request: Request, world: World) -> Reply:
        """Tell that the server is up."""
        facts = self.facts
        return Reply(
            200,
            {
                "status": "healthy",
                "version": __version__,
                "serves": facts.serves,
                "operations": len(facts.contract.operations),
                "not_served": facts.faults,
                "worlds": len(facts.worlds.names()),
            },
        )

    def get_settings(self, request: Request, world: World) -> Reply:
        """Show what the server was started with, but for the admin token."""
        return Reply(200, self.facts.settings)

    def get_admin_document(self, request: Request, world: World) -> Reply:
        """Return this API's own document."""
        return Reply(200, self.contract.document)

    def get_page(self, request: Request, world: World) -> Reply:
        """Return the page for people."""
        return Reply(200, self._page.read_bytes(), dict(_UNFRAMED), "text/html; charset=utf-8")

    def reset(self, request: Request, world: World) -> Reply:
        """Put the call's own world back to the seed."""
        self.facts.worlds.reset(world.name)
        return Reply(200, {})

    def list_worlds(self, request: Request, world: World) -> Reply:
        """Show all worlds."""
        return Reply(200, {"worlds": [self._shown(name) for name in self.facts.worlds.names()]})

    def fork_world(self, request: Request, world: World) -> Reply:
        """Make a world from the seed, another world or a snapshot of it. Fails: `not-found` for either."""
        fields, worlds = request.fields, self.facts.worlds
        source = worlds.seed
        if "from" in fields:
            origin = self._world(fields["from"])
            source = origin.snapshot()
            if "snapshot" in fields:
                source = self._snapshots(fields["from"], fields["snapshot"])[fields["snapshot"]]
        elif "snapshot" in fields:
            raise invalid("body", "/snapshot", "needs `from`: the world whose snapshot it is")
        worlds.fork(fields["name"], source)
        return Reply(201, self._shown(fields["name"]))

    def get_world(self, request: Request, world: World) -> Reply:
        """Show a world. Fails: `not-found`."""
        return Reply(200, self._shown(self._world(request.path["world"]).name))

    def delete_world(self, request: Request, world: World) -> Reply:
        """Forget a world. Fails: `not-found`."""
        self.facts.worlds.delete(self._world(request.path["world"]).name)
        return Reply(200, {})

    def reset_world(self, request: Request, world: World) -> Reply:
        """Put a world back to the seed. Fails: `not-found`."""
        self.facts.worlds.reset(self._world(request.path["world"]).name)
        return Reply(200, {})

    def take_snapshot(self, request: Request, world: World) -> Reply:
        """Remember the state of a world. Fails: `not-found`."""
        named = self._world(request.path["world"])
        self.facts.worlds.snapshots(named.name)[request.path["snapshot"]] = named.snapshot()
        return Reply(200, self._shown(named.name))

    def drop_snapshot(self, request: Request, world: World) -> Reply:
        """Forget a snapshot. Fails: `not-found`."""
        del self._snapshots(request.path["world"], request.path["snapshot"])[request.path["snapshot"]]
        return Reply(200, {})

    def restore_snapshot(self, request: Request, world: World) -> Reply:
        """Put a world back to a snapshot. Fails: `not-found`."""
        named = self._world(request.path["world"])
        named.restore(self._snapshots(named.name, request.path["snapshot"])[request.path["snapshot"]])
        return Reply(200, {})

    def get_clock(self, request: Request, world: World) -> Reply:
        """Tell the time of the call's world."""
        return Reply(200, _time(world))

    def set_clock(self, request: Request, world: World) -> Reply:
        """Set, stop or start the clock. Fails: `invalid-request` for a time that a clock cannot show."""
        fields = request.fields
        try:
            at = parse_timestamp(fields["now"].upper()) if "now" in fields else None
            if fields.get("frozen", world.clock.frozen):
                world.clock.freeze(at)
            else:
                world.clock.run(at)
        except ValueError as error:
            raise invalid("body", "/now", f"cannot be shown: {error}") from None
        return Reply(200, _time(world))

    def move_clock(self, request: Request, world: World) -> Reply:
        """Move the clock. Fails: `invalid-request` for a time that a clock cannot show."""
        try:
            world.clock.move(timedelta(seconds=request.fields["seconds"]))
        except (ValueError, OverflowError) as error:
            raise invalid("body", "/seconds", f"moves too far: {error}") from None
        return Reply(200, _time(world))

    def list_requests(self, request: Request, world: World) -> Reply:
        """Show the calls that fit the filters, newest first."""
        found = journal.select(world.journal, request.query)
        shown = [self._exhibit.show(entry, world) for entry in found[: request.query["limit"]]]
        ring = world.journal
        return Reply(200, {"total": len(found), "dropped": ring.dropped, "capacity": ring.capacity, "requests": shown})

    def clear_requests(self, request: Request, world: World) -> Reply:
        """Forget the calls of the call's world."""
        world.journal.clear()
        return Reply(200, {})

    def count_requests(self, request: Request, world: World) -> Reply:
        """Count the calls that fit the filters."""
        return Reply(200, {"count": len(journal.select(world.journal, request.query))})

    def get_request(self, request: Request, world: World) -> Reply:
        """Show one call. Fails: `not-found` for one that never was or was dropped."""
        entry = world.journal.get(request.path["number"])
        if entry is None:
            raise Problem(NOT_FOUND, f"The journal of world {world.name} has no call {request.path['number']}")
        return Reply(200, self._exhibit.show(entry, world))

    def list_events(self, request: Request, world: World) -> Reply:
        """Show the mails that the service would have sent, newest first."""
        found = journal.select_events(world.journal, request.query)
        shown = [journal.show_event(event) for event in found[: request.query["limit"]]]
        return Reply(200, {"total": len(found), "events": shown})

    def list_collections(self, request: Request, world: World) -> Reply:
        """Show the collections that hold something."""
        sizes = {name: len(each) for name, each in sorted(world.collections.items()) if len(each)}
        return Reply(200, {"collections": sizes})

    def list_records(self, request: Request, world: World) -> Reply:
        """Show records as the world holds them. Fails: `not-found` for an unknown collection."""
        page, total = self._collection(request, world).page(request.query["offset"], request.query["limit"])
        return Reply(200, {"total": total, "records": [_shown_record(record) for record in page]})

    def get_record(self, request: Request, world: World) -> Reply:
        """Show a record. Fails: `not-found`."""
        record = self._collection(request, world).get(request.path["key"])
        if record is None:
            raise Problem(NOT_FOUND, f"{request.path['collection']} holds no record {request.path['key']}")
        return Reply(200, _shown_record(record))

    @cached_property
    def _exhibit(self) -> Exhibit:
        return Exhibit(self.facts.contract)

    def _world(self, name: str) -> World:
        world = self.facts.worlds.find(name)
        if world is None:
            raise Problem(NOT_FOUND, f"There is no world {name}")
        return world

    def _snapshots(self, world: str, snapshot: str) -> Any:
        snapshots = self.facts.worlds.snapshots(self._world(world).name)
        if snapshot not in snapshots:
            raise Problem(NOT_FOUND, f"World {world} has no snapshot {snapshot}")
        return snapshots

    def _collection(self, request: Request, world: World) -> Collection:
        found = world.collections.get(request.path["collection"])
        if found is None:
            raise Problem(NOT_FOUND, f"World {world.name} has no collection {request.path['collection']}")
        return found

    def _shown(self, name: str) -> Record:
        world = self._world(name)
        return {
            "name": name,
            "records": sum(len(each) for each in world.collections.values()),
            "calls": len(world.journal),
            "snapshots": sorted(self.facts.worlds.snapshots(name)),
            **_time(world),
        }


def _time(world: World) -> Record:
    return {"now": timestamp(world.clock.seconds()), "frozen": world.clock.frozen}


def _shown_record(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "_secrets"}
