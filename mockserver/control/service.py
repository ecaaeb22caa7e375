"""The admin API's identity and stubs. Its document is `openapi.yaml` beside this file."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver import __version__, data, values
from mockserver.contract import normalising
from mockserver.contract.contract import Contract
from mockserver.contract.loading import load_document
from mockserver.contract.operations import Operation
from mockserver.contract.problems import BODY_TOO_LARGE, CONFLICT, FORBIDDEN, NOT_FOUND, UNAUTHENTICATED, Problem, invalid
from mockserver.contract.replies import Reply, Stream
from mockserver.contract.requests import ContractBroken, Request, refusal
from mockserver.control import guard, journal, wiremock
from mockserver.control.exhibit import Exhibit, timestamp, verdict
from mockserver.control.pages import Pages
from mockserver.control.tokens import TokenError, Tokens, parse
from mockserver.stubbing.entrance import Entrance
from mockserver.stubs.service import PlainService, Ready, Service, Stub
from mockserver.values import JSON, Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.collection import Collection, Duplicate
from mockserver.world.journal import Entry, Event
from mockserver.world.world import World, Worlds

if TYPE_CHECKING:
    from mockserver.control.covering import Coverings
    from mockserver.control.finding import Finder
    from mockserver.control.misses import Misses

BASE_PATH = "/__admin"
"""Where the admin API is served."""
WAIT_S = 10
"""How long is waited for calls and events unless told otherwise."""
_REFUSED: Record = {"$ref": "#/components/responses/Refused"}


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
    """What the admin API tells of the server.

    `faults` say what of the document is not served; `access` who may call; `adds` what the service adds to the admin API.
    """

    contract: Contract
    worlds: Worlds
    entrance: Entrance
    serves: str
    faults: list[str]
    settings: Record
    access: Access
    tokens: Tokens
    base_path: str
    longest_wait_s: float
    service: Service
    adds: list[str]


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

    @property
    def adds(self) -> list[str]:
        """What it is about: the tags of its document."""
        return [tag["name"] for tag in self.contract.document.get("tags", ())]

    def stub(self, operation: Operation) -> tuple[str, Stub]:
        """Return the stub of an operation."""
        return "family", getattr(self._module, operation.stub_name)


class Control(Guarded):
    """The admin API. A stub is the method with the name of its operation, here or in `setting`."""

    def __init__(self, facts: ServerFacts) -> None:
        super().__init__(data.CONTROL_DOCUMENT, data.CONTROL_BUNDLE, facts.access)
        self.facts = facts
        self._covered: dict[str, Record] = {}  # between the moment when it was made ready and that of the reply
        self._pages = Pages()

    def stub(self, operation: Operation) -> tuple[str, Stub]:
        """Return the stub of an operation."""
        if operation.family in ("stubs", "scenarios", "faults"):
            return "family", self._set(operation.stub_name)
        return "family", getattr(self, operation.stub_name)

    def ready(self, operation: Operation) -> Ready | None:
        """What the stub of an operation waits for, if anything: the method with `_before_` before its name."""
        return getattr(self, f"_before_{operation.stub_name}", None)

    def _set(self, name: str) -> Stub:
        """The stub of an operation on what testers set, whose room is loaded when it is first called."""

        def stub(request: Request, world: World) -> Reply:
            answer: Stub = getattr(self._setting, name)
            return answer(request, world)

        return stub

    def word(self, problem: Problem, operation: Operation | None) -> Reply:
        """Return an RFC 9457 problem document, with advice for those who come from WireMock."""
        return super().word(wiremock.advised(problem), operation)

    def perform(self, operation_id: str, world: World, body: JSON = None, query: str = "", **path: str) -> JSON:
        """Do what a call of the admin API does, without one, and return the body of its reply.

        `perform("addMapping", world, {"request": …})`. Raises `Problem` for all that the call would be refused for, with
        the same violations.
        """
        operation = self.contract.operation(operation_id)
        raw = b"" if body is None else values.dump(body)
        headers = {b"content-type": b"application/json", b"content-length": b"%d" % len(raw)} if raw else {}
        try:
            request = self.contract.requests[operation].read(path, query.encode(), headers, raw)
        except ContractBroken as broken:
            raise wiremock.advised(refusal(broken.violations(self.contract.explainer()))) from None
        _, stub = self.stub(operation)
        with world.attempt() as attempt:
            reply = stub(request, world)
            attempt.keep()
        return reply.body

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
                "adds": facts.adds,
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
        """Return the page for people, or send on to the path with a slash, from which its links lead on."""
        if not request.url_path.endswith("/"):
            return Reply(308, b"", {"location": BASE_PATH.removeprefix("/") + "/"}, "text/html; charset=utf-8")
        return self._pages.reply("index.html", request.headers)

    def get_page_file(self, request: Request, world: World) -> Reply:
        """Return a file of the page. Fails: `not-found`."""
        return self._pages.reply(request.path["file"], request.headers)

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

    def get_token(self, request: Request, world: World) -> Reply:
        """Write the call's world down as a token. Fails: `body-too-large` when it holds too large files."""
        try:
            return Reply(200, {"token": self.facts.tokens.write(world)})
        except TokenError as error:
            raise Problem(BODY_TOO_LARGE, f"There is no token: {error}") from None

    def restore_token(self, request: Request, world: World) -> Reply:
        """Put the call's world into the state of a token. Fails: `invalid-request` for one that cannot be used here."""
        try:
            self.facts.tokens.restore(parse(request.fields["token"]), world)
        except TokenError as error:
            raise invalid("body", "/token", f"cannot be restored: {error}") from None
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
        """Show the calls that fit the filters."""
        return self._listed(self._finder.by_query(request.query, world), request, world)

    def find_requests(self, request: Request, world: World) -> Reply:
        """Show the calls that fit a pattern."""
        return self._listed(self._finder.by_pattern(request.fields, world), request, world)

    def list_unmatched_requests(self, request: Request, world: World) -> Reply:
        """Show the calls that led nowhere."""
        return self._listed(journal.led_nowhere, request, world)

    def count_requests(self, request: Request, world: World) -> Reply:
        """Count the calls that fit the filters."""
        return Reply(200, {"count": sum(map(self._finder.by_query(request.query, world), world.journal.newest()))})

    def count_matching_requests(self, request: Request, world: World) -> Reply:
        """Count the calls that fit a pattern."""
        return Reply(200, {"count": sum(map(self._finder.by_pattern(request.fields, world), world.journal.newest()))})

    async def _before_wait_for_requests(self, request: Request, world: World, left: asyncio.Future[Any]) -> None:
        fields = request.fields
        fits = self._awaited(fields, world)
        count, timeout_s = fields.get("count", 1), self._patience(fields)
        await journal.until_called(lambda: self.facts.worlds.get(world.name).journal, fits, count, timeout_s, left)

    def wait_for_requests(self, request: Request, world: World) -> Reply:
        """Show what has come by now; that it is enough was waited for."""
        fields, now = request.fields, self.facts.worlds.get(world.name)
        fits = self._awaited(fields, now)
        found = [entry for entry in now.journal.newest() if fits(entry)]
        shown = [self._exhibit.show(entry, now) for entry in found[: fields.get("limit", 100)]]
        return Reply(200, {"met": len(found) >= fields.get("count", 1), "count": len(found), "requests": shown})

    def list_near_misses(self, request: Request, world: World) -> Reply:
        """Show what the calls that led nowhere came close to, newest call first."""
        return self._misses.of_calls(request, world)

    def find_near_misses_of_request(self, request: Request, world: World) -> Reply:
        """Show what a request comes close to that nobody has made."""
        return self._misses.of_request(request, world)

    def find_near_misses_of_pattern(self, request: Request, world: World) -> Reply:
        """Show which calls come close to a pattern. What the journal alone knows of says which calls are looked at."""
        return self._misses.of_pattern(request, world)

    def export_requests(self, request: Request, world: World) -> Reply:
        """Return the calls that fit the filters as a HAR file. Fails: `forbidden` for secrets that may not be shown."""
        from mockserver.control import har  # late: few ask for it

        keeps = request.query["secrets"] == "keep"
        if keeps and not self.facts.access.unredacted:
            raise Problem(FORBIDDEN, "Exports hold secrets only where the server was started with --unredacted")
        fits = self._finder.by_query(request.query, world)
        show = self._exhibit.reveal if keeps else self._exhibit.show
        shown = (show(entry, world) for entry in world.journal.oldest() if fits(entry))
        about = {"world": world.name, "serves": self.facts.serves, "redacted": not keeps, "dropped": world.journal.dropped}
        named = {"content-disposition": f'attachment; filename="{world.name}.har"'}
        return Reply(200, Stream(har.archive(shown, about)), named)

    async def _before_get_coverage(self, request: Request, world: World, left: asyncio.Future[Any]) -> None:
        # In a thread: ten thousand calls take a while to look at, and others go on being served.
        told = await asyncio.to_thread(self._cover, world.name, holes=request.query["holes"])
        self._covered[world.name] = told

    def get_coverage(self, request: Request, world: World) -> Reply:
        """Tell what the calls of the call's world touched of the document."""
        told = self._covered.pop(world.name, None) or self._cover(world.name, holes=request.query["holes"])
        return Reply(200, {**told, "unmatched": self._exhibit.veil(world).over(told["unmatched"])})

    def _cover(self, world: str, *, holes: bool) -> Record:
        return self._coverings.tell(world, self.facts.worlds.get(world).journal, holes=holes)

    def remove_requests(self, request: Request, world: World) -> Reply:
        """Forget the calls that fit a pattern."""
        fits = self._finder.by_pattern(request.fields, world)
        numbers = {entry.number for entry in world.journal.newest() if fits(entry)}
        world.journal.remove(numbers)
        return Reply(200, {"count": len(numbers)})

    def clear_requests(self, request: Request, world: World) -> Reply:
        """Forget the calls of the call's world."""
        world.journal.clear()
        return Reply(200, {})

    def get_request(self, request: Request, world: World) -> Reply:
        """Show one call. Fails: `not-found` for one that never was or was dropped."""
        return Reply(200, self._exhibit.show(self._entry(request, world), world))

    def remove_request(self, request: Request, world: World) -> Reply:
        """Forget one call. Fails: `not-found`."""
        world.journal.remove({self._entry(request, world).number})
        return Reply(200, {})

    def get_verdict(self, request: Request, world: World) -> Reply:
        """Show the calls that broke the contract, oldest first, and the number of the last call."""
        since = request.query["since"]
        broken = []
        for entry in world.journal.newest():
            if entry.number <= since:
                break
            judged = verdict(entry)
            if (judged.request, judged.blame) == ("broke", "client"):
                broken.append(entry)
        shown = [self._exhibit.show(entry, world) for entry in reversed(broken)]
        return Reply(200, {"last": world.journal.next_number - 1, "broken": shown})

    def list_events(self, request: Request, world: World) -> Reply:
        """Show the mails that the service would have sent, newest first."""
        found = journal.select_events(world.journal, request.query)
        return Reply(200, {"total": len(found), "events": self._shown_events(found[: request.query["limit"]], world)})

    async def _before_wait_for_events(self, request: Request, world: World, left: asyncio.Future[Any]) -> None:
        fields = request.fields
        kind, count, timeout_s = fields.get("kind"), fields.get("count", 1), self._patience(fields)
        await journal.until_told(lambda: self.facts.worlds.get(world.name).journal, kind, count, timeout_s, left)

    def wait_for_events(self, request: Request, world: World) -> Reply:
        """Show what has come by now; that it is enough was waited for."""
        fields, now = request.fields, self.facts.worlds.get(world.name)
        found = journal.select_events(now.journal, {name: fields[name] for name in ("kind",) if name in fields})
        shown = self._shown_events(found[: fields.get("limit", 100)], now)
        return Reply(200, {"met": len(found) >= fields.get("count", 1), "count": len(found), "events": shown})

    def list_collections(self, request: Request, world: World) -> Reply:
        """Show the collections that hold something."""
        sizes = {name: len(each) for name, each in sorted(world.collections.items()) if len(each) and not _is_own(name)}
        return Reply(200, {"collections": sizes})

    def list_records(self, request: Request, world: World) -> Reply:
        """Show records as the world holds them: all, those with a value in a field, those with a text. Fails: `not-found`."""
        collection, query = self._collection(request, world), request.query
        offset, limit = query["offset"], query["limit"]
        if ("field" in query) != ("value" in query):
            raise invalid("query", "/value" if "field" in query else "/field", "is needed: a field and its value")
        wanted = [fits for fits in (_has_value(query), self._has_text(query, world)) if fits is not None]
        if wanted:
            found = [record for record in collection.newest() if all(fits(record) for fits in wanted)]
            page, total = found[offset : offset + limit], len(found)
        else:
            page, total = collection.page(offset, limit)
        shown = [self._shown_record(record, world) for record in page]
        return Reply(200, {"total": total, "key": collection.layout.key, "records": shown})

    def add_record(self, request: Request, world: World) -> Reply:
        """Put a new record in, as it is. Fails: `conflict` when its key or a unique value is taken."""
        collection = world[request.path["collection"]]
        key = request.fields.get(collection.layout.key)
        if not isinstance(key, str) or not key:
            raise invalid("body", f"/{collection.layout.key}", "is needed: it is the key of the records here")
        self._write(collection.add, request.fields)
        return Reply(201, self._shown_record(request.fields, world))

    def put_record(self, request: Request, world: World) -> Reply:
        """Put a record in the place of another, whose secrets stay unless it has its own. Fails: `not-found`, `conflict`."""
        collection, key = self._collection(request, world), request.path["key"]
        before = self._record(request, world)
        if request.fields.get(collection.layout.key) != key:
            raise invalid("body", f"/{collection.layout.key}", f"must be {key}, as in the path")
        # What is sent back as it was shown stays as it is: secrets are shown as none, and JSON has no tuples.
        shown = self._shown_record(before, world)
        kept = {name: before[name] for name in before if name not in shown or request.fields.get(name) == shown[name]}
        record = {
            **request.fields,
            **{name: each for name, each in kept.items() if name in request.fields or name not in shown},
        }
        self._write(collection.replace, record)
        return Reply(200, self._shown_record(record, world))

    def delete_record(self, request: Request, world: World) -> Reply:
        """Take a record out, and nothing with it. Fails: `not-found`."""
        self._record(request, world)
        self._collection(request, world).remove(request.path["key"])
        return Reply(200, {})

    def get_record(self, request: Request, world: World) -> Reply:
        """Show a record. Fails: `not-found`."""
        return Reply(200, self._shown_record(self._record(request, world), world))

    # The rooms of this service are loaded when somebody first asks for them: a start needs none.

    @cached_property
    def _setting(self) -> Any:
        """What serves mappings, scenarios and faults."""
        from mockserver.control.setting import Setting

        return Setting(self.facts.entrance.stubbing)

    @cached_property
    def _exhibit(self) -> Exhibit:
        return Exhibit(self.facts.contract)

    @cached_property
    def _coverings(self) -> Coverings:
        from mockserver.control.covering import Coverings

        return Coverings(self.facts.contract, self.facts.base_path, self.facts.service)

    @cached_property
    def _finder(self) -> Finder:
        from mockserver.control.finding import Finder

        return Finder(self.facts.contract.operations, self.facts.base_path)

    @cached_property
    def _misses(self) -> Misses:
        from mockserver.control.misses import Misses

        return Misses(self.facts.contract.operations, self.facts.base_path, self._finder, self._exhibit)

    def _patience(self, fields: Record) -> float:
        return min(float(fields.get("timeout_s", WAIT_S)), self.facts.longest_wait_s)

    def _awaited(self, fields: Record, world: World) -> Callable[[Entry], bool]:
        """Whether a call counts for who waits."""
        fits, after = self._finder.by_pattern(fields.get("request") or {}, world, "/request"), fields.get("after", 0)
        return lambda entry: entry.number > after and fits(entry)

    def _listed(self, fits: Callable[[Entry], bool], request: Request, world: World) -> Reply:
        ring = world.journal
        page = journal.page(ring, fits, request.query)
        shown = [self._exhibit.show(entry, world) for entry in page.entries]
        told = {"total": page.total, "dropped": ring.dropped, "capacity": ring.capacity, "next": page.next}
        return Reply(200, {**told, "requests": shown})

    def _entry(self, request: Request, world: World) -> Entry:
        entry = world.journal.get(request.path["number"])
        if entry is None:
            raise Problem(NOT_FOUND, f"The journal of world {world.name} has no call {request.path['number']}")
        return entry

    def _shown_events(self, events: list[Event], world: World) -> list[Record]:
        veil = self._exhibit.veil(world)
        return [{**journal.show_event(event), "details": veil.over(event.details)} for event in events]

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

    def _shown_record(self, record: Record, world: World) -> Record:
        shown: Record = self._exhibit.veil(world).over({name: each for name, each in record.items() if name != "_secrets"})
        return shown

    def _has_text(self, query: Record, world: World) -> Callable[[Record], bool] | None:
        """Whether a text is in what is shown of a record: who searches learns nothing of what is not."""
        if "text" not in query:
            return None
        text = query["text"].lower()

        def fits(record: Record) -> bool:
            # Most records do not hold the text at all; only the others are worth taking the secrets out of.
            return text in _written(record) and text in _written(self._shown_record(record, world))

        return fits

    def _record(self, request: Request, world: World) -> Record:
        record = self._collection(request, world).get(request.path["key"])
        if record is None:
            raise Problem(NOT_FOUND, f"{request.path['collection']} holds no record {request.path['key']}")
        return record

    def _write(self, write: Callable[[Record], None], record: Record) -> None:
        try:
            write(record)
        except Duplicate as error:
            raise Problem(CONFLICT, f"Another record has the {error.field} {error.value!r}") from None

    def _shown(self, name: str) -> Record:
        world = self._world(name)
        return {
            "name": name,
            "records": sum(len(each) for name, each in world.collections.items() if not _is_own(name)),
            "calls": len(world.journal),
            "snapshots": sorted(self.facts.worlds.snapshots(name)),
            **_time(world),
        }


def _is_own(collection: str) -> bool:
    """Whether a collection holds what testers set, and no records of the service."""
    return collection.startswith("_")


def _time(world: World) -> Record:
    return {"now": timestamp(world.clock.seconds()), "frozen": world.clock.frozen}


def _written(record: Record) -> str:
    return values.dump({name: each for name, each in record.items() if name != "_secrets"}).decode().lower()


def _has_value(query: Record) -> Callable[[Record], bool] | None:
    if "field" not in query:
        return None
    return lambda record: _text(record.get(query["field"])) == query["value"]


def _text(value: JSON) -> str | None:
    """A scalar as a query can name it; None for what is none."""
    if isinstance(value, str):
        return value
    return None if isinstance(value, (dict, list, tuple)) else values.dump(value).decode()
