"""The steps of a call between the socket and the stub, apart from routing. `app` puts them in order."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mockserver import values
from mockserver.call import BREAK_OFF, WHOLE, Call, Target
from mockserver.chassis import Specification, SpecMiddleware
from mockserver.contract.contract import Contract
from mockserver.contract.forms import Form, FormReader, FormTooLarge
from mockserver.contract.heads import Head, read_once
from mockserver.contract.problems import (
    BODY_TOO_LARGE,
    INVALID_WORLD,
    METHOD_NOT_ALLOWED,
    MOCK_BROKE_CONTRACT,
    MOCK_FAILED,
    NO_SUCH_PATH,
    UPGRADE_REQUIRED,
    Problem,
)
from mockserver.contract.replies import Duplex, Reply, Stream
from mockserver.contract.requests import MULTIPART, ContractBroken, Request, refusal
from mockserver.inner import Inside, answered, kept, own_defect
from mockserver.resolver import StubResolver
from mockserver.sockets import Minutes, Silence, converse
from mockserver.stubbing.entrance import Entrance, is_used
from mockserver.stubs.demand import demand_of
from mockserver.stubs.sampling import Source
from mockserver.stubs.service import Service
from mockserver.world.journal import BODY_LIMIT, pack
from mockserver.world.world import DEFAULT, World, Worlds

if TYPE_CHECKING:
    from mockserver.stubbing.stubbing import Stubbing, Verdict

log = logging.getLogger("mockserver")

WORLD_HEADER = b"x-mock-world"
PROBLEM_HEADER = b"x-mock-problem"
_OF_ADMIN = re.compile(r"(/worlds/[^/]+)?/__admin(/|$)")
"""Paths of the admin API, of which nothing is journalled, be it that they lead nowhere."""
_BODILESS = (204, 304)
"""Statuses whose replies have no body by HTTP, and so no length of one."""


_UPGRADE = {"upgrade": "websocket", "connection": "Upgrade"}


_NONE_TO_BREAK = "a fault breaks the connection, and there is none to break in process"


class ClientGone(Exception):
    """The client left before its request was whole: nobody is there to answer."""


class Sent:
    """What was sent of a stream: how it begins, as far as the journal keeps it, how much it was, and in how many chunks."""

    __slots__ = ("beginning", "chunks", "size")

    def __init__(self) -> None:
        self.beginning = b""
        self.chunks = self.size = 0

    def add(self, data: bytes) -> None:
        """Add what was sent."""
        if len(self.beginning) < BODY_LIMIT:
            self.beginning += data[: BODY_LIMIT - len(self.beginning)]
        self.chunks += 1
        self.size += len(data)


class Edge:
    """The outermost step: makes a call of what the socket brings, and a message of what the steps made of it.

    Every problem becomes a reply here, in the words of the service that was called, and every call is journalled here.
    """

    def __init__(
        self, app: Any, *, service: Service, worlds: Worlds, entrance: Entrance, body_limit: int, startup: Any = None
    ) -> None:
        self._app = app
        self._service = service
        self._entrance = entrance
        self._body_limit = body_limit
        self._worlds = worlds
        self._startup = startup

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one HTTP call or WebSocket; answer the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] == "websocket":
            await receive()  # that it would like to be one
        call = Call(scope)
        scope[Call.KEY] = call
        try:
            await self._app(scope, receive, send)
            reply = call.reply
            assert reply is not None, "no step answered"
        except Problem as problem:
            try:
                reply = await self._stray(call, problem, receive) or self._word(call, problem)
            except ClientGone:
                return
        except ClientGone:
            return
        except Exception:
            log.exception("%s %s failed", call.method, call.path)
            reply = self._word(call, Problem(MOCK_FAILED, "The mock failed; its log has the traceback"))
        if call.request is not None and call.request.faults:
            reply = _by_provider(call, call.request, reply)
        if call.strike is not None:
            reply, struck = call.strike(reply)
            call.fault = struck or call.fault
        if reply.due_s is not None and call.world is not None and not await _waited(call.world, reply.due_s, receive):
            self._record(call, reply, self._headers(call, reply, None), b"", None, "left")
            return
        if call.is_socket:
            await self._answer_handshake(scope, call, reply, receive, send)
        elif type(reply.body) is Stream:
            await self._stream(scope, call, reply, reply.body, receive, send)
        else:
            await self._send(call, reply, send)

    def _word(self, call: Call, problem: Problem) -> Reply:
        # The traceback leads to this call and its body, and the call to the problem: a circle that would keep both.
        problem.__traceback__ = problem.__context__ = None
        call.problem = problem
        target = call.target
        if target is None:
            return self._service.word(problem, None)
        reply = target.service.word(problem, target.operation)
        if reply.status < 500 and not call.forbearing and not target.reply.keeps(reply):
            violations = target.reply.violations(reply, target.explainer())
            call.problem = own_defect(target, violations)
            return target.service.word(call.problem, target.operation)
        return reply

    async def _stray(self, call: Call, problem: Problem, receive: Any) -> Reply | None:
        """Return what a tester has set for a call that the document does not have, None for nothing."""
        if call.is_socket or call.target is not None or problem.kind not in (NO_SUCH_PATH, METHOD_NOT_ALLOWED):
            return None
        world = self._worlds.find(_world_name(call))
        if world is None or not is_used(world):
            return None
        call.world = world
        try:
            call.body = await read_body(call.headers, receive, self._body_limit)
        except Problem as too_large:
            return self._word(call, too_large)
        stubbing = self._entrance.stubbing
        asked = stubbing.asked(call.method, call.path, call.query, call.headers.pairs, call.body, None)
        verdict = stubbing.consult_stray(asked, world)
        if verdict is None:
            return None
        assert verdict.mapping is not None
        call.strike, call.mapping, call.forbearing = verdict.strike, verdict.mapping.id, True
        made = stubbing.answer_stray(verdict)
        if made.raw is not None:
            made.reply.body = made.raw
        return made.reply

    async def _send(self, call: Call, reply: Reply, send: Any) -> None:
        body = _bytes_of(reply)
        headers = self._headers(call, reply, None if reply.status in _BODILESS else len(body))
        # Before the reply goes out: who has the reply may look into the journal at once.
        self._record(call, reply, headers, body, ending="spoilt" if call.spoils and body else None)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})

    async def _answer_handshake(self, scope: Any, call: Call, reply: Reply, receive: Any, send: Any) -> None:
        """Open a WebSocket and talk on it, or refuse it: in full where the server can, else by the 403 that it has for that."""
        world = call.world
        if reply.status == 101 and world is not None:
            headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
            number = self._record(call, reply, headers, b"")
            talk = reply.body.talk if isinstance(reply.body, Duplex) else Silence()
            # A client that offers protocols gives up when none is taken; a document cannot tell one from another.
            protocol = next(iter(scope.get("subprotocols", ())), None)
            await send({"type": "websocket.accept", "headers": headers, "subprotocol": protocol})
            await converse(world, talk, Minutes(world.journal, number, call.started), receive, send)
            return
        if type(reply.body) is Stream and reply.body.cut:
            self._record(call, replace(reply, status=0), [], b"", Sent(), "cut")
            self._break_handshake(scope, reply.body)
            return
        body = b"".join(piece.data for piece in reply.body.pieces) if type(reply.body) is Stream else _bytes_of(reply)
        headers = self._headers(call, reply, None if reply.status in _BODILESS else len(body))
        self._record(call, reply, headers, body)
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        await send({"type": "websocket.http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body})

    def _break_handshake(self, scope: Any, stream: Stream) -> None:
        break_off = (scope.get("extensions", {}).get(BREAK_OFF) or _nothing)()
        if break_off is None:
            raise ConnectionResetError(_NONE_TO_BREAK)
        break_off(stream.garbage, reset=stream.reset)

    async def _stream(self, scope: Any, call: Call, reply: Reply, stream: Stream, receive: Any, send: Any) -> None:
        """Send a body piece by piece as its pieces fall due; a client that leaves stops it."""
        headers = self._headers(call, reply, stream.length)
        if reply.media_type.startswith("text/event-stream"):
            headers.append((b"cache-control", b"no-cache"))
        break_off = (scope.get("extensions", {}).get(BREAK_OFF) or _nothing)()
        if stream.headless:
            reply, headers = replace(reply, status=0), []
        if stream.headless and break_off is None:
            self._record(call, reply, headers, b"", Sent(), "cut")
            raise ConnectionResetError(_NONE_TO_BREAK)
        if not stream.headless:
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        left = asyncio.ensure_future(_departure(receive))
        pieces, sent, is_whole = iter(stream.pieces), Sent(), False
        ending = "cut" if stream.cut else "spoilt" if call.spoils else "whole"
        piece = next(pieces, None)
        try:
            while piece is not None:
                if piece.due_s is not None and call.world is not None:
                    await call.world.clock.reach(piece.due_s, left)
                if left.done():
                    break
                sent.add(piece.data)
                following = next(pieces, None)
                is_whole = following is None
                if is_whole:
                    # Before the last piece goes out: who has the reply may look into the journal at once.
                    self._record(call, reply, headers, sent.beginning, sent, ending)
                await send({"type": "http.response.body", "body": piece.data, "more_body": True})
                await asyncio.sleep(0)  # what is written goes out before the next piece is made
                piece = following
        finally:
            left.cancel()
            if not is_whole:
                self._record(call, reply, headers, sent.beginning, sent, "left" if left.done() else ending)
        if not stream.cut:
            await send({"type": "http.response.body", "body": b""})
        elif break_off is not None:
            break_off(stream.garbage, reset=stream.reset)

    def _headers(self, call: Call, reply: Reply, length: int | None) -> list[tuple[bytes, bytes]]:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        if reply.status != 204:
            headers.append((b"content-type", reply.media_type.encode()))
            if length is not None:
                headers.append((b"content-length", b"%d" % length))
        if call.problem is not None:
            headers.append((PROBLEM_HEADER, call.problem.kind.name.encode()))
        return headers

    def _record(
        self,
        call: Call,
        reply: Reply,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        sent: Sent | None = None,
        ending: str | None = None,
    ) -> int:
        """Journal a call; return its number, 0 for one that is not journalled."""
        target = call.target
        if target is not None and not target.journalled:
            return 0
        world = call.world
        if world is None:
            if target is None and _OF_ADMIN.match(call.path):
                return 0
            try:
                world = self._worlds.get(_world_name(call))
            except ValueError:
                return 0
        problem, request = call.problem, call.request
        return world.journal.append(
            world.clock.seconds(),
            call.method,
            call.path,
            call.query,
            target.operation.id if target is not None else None,
            reply.status,
            int((time.perf_counter() - call.started) * 1e6),
            None if problem is None else problem.kind.name,
            () if problem is None else tuple(problem.violations),
            read_once(call.headers, _packed),
            call.body,
            pack(headers),
            body,
            None if problem is None else problem.detail,
            tuple(call.path_values.values()) if call.path_values else (),
            None if call.caller is None or target is None else target.service.caller_name(call.caller),
            ("mapping" if call.mapping else None) if request is None else request.answered_by,
            call.mapping,
            call.fault,
            request is not None,
            reply.due_s,
            call.started,
            None if sent is None else sent.chunks,
            ending,
            call.body_size,
            None if sent is None else sent.size,
            call.forbearing,
        )

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self._startup is not None:
                    self._startup()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await send({"type": "lifespan.shutdown.complete"})
                return


def _by_provider(call: Call, request: Request, reply: Reply) -> Reply:
    """The reply to a call that faults may have struck within the operation: one that did is named, and for what it answered."""
    struck = next((each.fault.id for each in request.faults if each.struck), None)
    if struck is None:
        return reply
    call.fault = struck
    if reply.status >= 400 and call.problem is None:
        request.answered_by = "fault"
    return replace(reply, headers={**reply.headers, "x-mock-fault": struck})


def _bytes_of(reply: Reply) -> bytes:
    if reply.status in _BODILESS:
        return b""
    return reply.body if type(reply.body) is bytes else values.dump(reply.body)


def _packed(head: Head) -> bytes:
    return pack(head.pairs)


def _nothing() -> None:
    """Stands for a server that cannot break off a reply."""


async def _waited(world: World, due_s: float, receive: Any) -> bool:
    """Wait until a world's time; False when the client leaves before."""
    left = asyncio.ensure_future(_departure(receive))
    try:
        await world.clock.reach(due_s, left)
        return not left.done()
    finally:
        left.cancel()


async def _readied(ready: Awaitable[None], left: asyncio.Future[Any]) -> None:
    """Wait for what a stub needs. Raises `ClientGone` when the client leaves before."""
    try:
        await ready
        if left.done():
            raise ClientGone
    finally:
        left.cancel()


async def _departure(receive: Any) -> None:
    """Return when the client has left."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass


class WorldChoice:
    """Finds the world that a call belongs to: named by the base URL, by a header, or the default one."""

    def __init__(self, app: Any, *, worlds: Worlds, inside: Inside) -> None:
        self._app = app
        self._worlds = worlds
        self._inside = inside

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Set the world, in which all has happened that is due; an unknown one is forked from the seed."""
        call: Call = scope[Call.KEY]
        try:
            world = call.world = self._worlds.get(_world_name(call))
        except ValueError as error:
            raise Problem(INVALID_WORLD, str(error)) from None
        following: Awaitable[None] = self._settled(scope, receive, send) if world.agenda else self._app(scope, receive, send)
        return following

    async def _settled(self, scope: Any, receive: Any, send: Any) -> None:
        await self._inside.settle(scope[Call.KEY].world)
        await self._app(scope, receive, send)


def _world_name(call: Call) -> str:
    if call.world_name is not None:
        return call.world_name
    named = call.headers.get(WORLD_HEADER)
    return named.decode("latin-1") if named else DEFAULT


class Identity:
    """Finds out who calls, and whether they may."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Set the caller."""
        call: Call = scope[Call.KEY]
        target, world = call.target, call.world
        assert target is not None
        assert world is not None
        call.caller = target.service.identify(target.operation, call.path_values, call.query, call.headers, world)
        following: Awaitable[None] = self._app(scope, receive, send)
        return following


class Stubs(SpecMiddleware):  # type: ignore[misc]  # connexion has no types
    """The innermost step: the contract on both sides of the stub, and the world changed only by success."""

    def __init__(self, *, body_limit: int, upload_limit: int) -> None:
        self._body_limit = body_limit
        self._upload_limit = upload_limit

    def add_api(
        self,
        specification: Specification,
        *,
        base_path: str,
        resolver: StubResolver,
        contract: Contract,
        targets: list[Target],
        **_: Any,
    ) -> None:
        """Find the stub of every operation, through connexion's operations and our resolver."""
        for target in targets:
            operation = target.operation
            resolved = specification.operation_cls.from_spec(
                specification, path=operation.path, method=operation.method, resolver=resolver
            )
            target.stub = resolved.function
            target.kind = resolver.chosen[operation]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read the request, run the stub, check its reply."""
        call: Call = scope[Call.KEY]
        target, world = call.target, call.world
        assert target is not None
        assert target.stub is not None
        assert world is not None
        headers = call.headers
        body: bytes | Form = b""
        if not call.is_socket and (b"content-length" in headers or b"transfer-encoding" in headers):
            if target.request.takes_forms and _is_form(headers):
                body = await read_form(call, receive, self._upload_limit, self._body_limit)
            else:
                whole = scope.get(WHOLE)
                if whole is None or len(whole) > self._body_limit:
                    whole = await read_body(headers, receive, self._body_limit)
                body = call.body = whole
        try:
            request = target.request.read(call.path_values, call.query, headers, body)
        except ContractBroken as broken:
            raise refusal(broken.violations(target.explainer())) from None
        request.caller, request.url_path = call.caller, call.path
        call.request = request
        if target.ready is not None:
            await _readied(target.ready(request, world, left := asyncio.ensure_future(_departure(receive))), left)
        demand = demand_of(call.query, call.headers.pairs) if b"prefer" in headers or b"__" in call.query else None
        if target.entrance is not None and demand is None and is_used(world):
            stubbing = target.entrance.stubbing
            verdict = stubbing.consult(call, target.operation, request, world)
            if verdict is not None:
                call.reply = self._decided(call, target, stubbing, request, world, verdict)
                return
        with world.attempt() as attempt:
            if demand is not None:
                request.answered_by = "demand"
                reply = kept(target, target.demands.answer(demand, target.operation, Source(world.ids, world.clock)))
            elif target.operation.is_socket and not call.is_socket:
                reply = Reply(101)
            else:
                reply = answered(target, request, world)
            if reply.status == 101 and not call.is_socket:
                raise Problem(UPGRADE_REQUIRED, "Ask for an upgrade to websocket", headers=_UPGRADE)
            if (reply.status < 400 or reply.kept) and demand is None:
                target.service.account(request, reply, target.operation, world)
                attempt.keep()
        call.reply = reply

    def _decided(
        self, call: Call, target: Target, stubbing: Stubbing, request: Request, world: World, verdict: Verdict
    ) -> Reply:
        """Return the reply to a call for which a tester has set something; the edge does what becomes of it on its way."""
        call.strike, call.spoils, call.forbearing = verdict.strike, verdict.spoils, verdict.off_contract
        call.mapping = None if verdict.mapping is None else verdict.mapping.id
        failure = stubbing.failure(verdict, request, target.operation, world)
        if failure is not None:
            request.answered_by = "fault"
            if isinstance(failure, Problem):
                raise failure
            return failure
        mapping, operation = verdict.mapping, target.operation
        if mapping is not None and not mapping.answer.falls_through:
            return self._answered(target, stubbing, request, world, verdict)
        with world.attempt() as attempt:
            try:
                reply = answered(target, request, world)
            except Problem as problem:
                if mapping is None or problem.kind is MOCK_BROKE_CONTRACT:
                    raise
                call.problem, reply = problem, target.service.word(problem, operation)
            changed = reply if mapping is None else stubbing.change(verdict, operation, reply, target.explainer())
            if changed.status != reply.status:
                request.answered_by = "mapping"
            if reply.status < 400 or reply.kept:
                target.service.account(request, reply, operation, world)
                attempt.keep()
        return changed

    def _answered(self, target: Target, stubbing: Stubbing, request: Request, world: World, verdict: Verdict) -> Reply:
        """Return what a mapping answers in the place of the operation; a success counts as one, if the document has it."""
        request.answered_by = "mapping"
        made = stubbing.answer(verdict, target.operation, target.explainer())
        with world.attempt() as attempt:
            target.service.admit(request, target.operation, world)
            if made.reply.status < 400 and not verdict.off_contract and not verdict.breaks:
                target.service.account(request, made.reply, target.operation, world)
                attempt.keep()
        if made.raw is not None:
            made.reply.body = made.raw
        return made.reply


async def read_body(headers: dict[bytes, bytes], receive: Any, limit: int) -> bytes:
    """Return the body of a request, of so many bytes at most. Fails: `body-too-large`; raises `ClientGone`."""
    _check_announced(headers, limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
    return b"".join(chunks)


async def read_form(call: Call, receive: Any, limit: int, field_limit: int) -> Form:
    """Read a form as it comes: what it uploads may be larger than the memory, what else it has may not.

    Fails as `read_body`.
    """
    _check_announced(call.headers, limit)
    reader = FormReader(call.headers[b"content-type"].decode("latin-1"), field_limit)
    form, more = reader.form, True
    try:
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            reader.write(message.get("body", b""))
            more = message.get("more_body", False)
            if form.size > limit:
                raise _too_large(limit)
    except FormTooLarge:
        raise _too_large(field_limit) from None
    finally:
        call.body, call.body_size, call.fields = form.beginning, form.size, form.fields
    return reader.finish()


def _is_form(headers: dict[bytes, bytes]) -> bool:
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower() == MULTIPART.encode()


def _check_announced(headers: dict[bytes, bytes], limit: int) -> None:
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> Problem:
    return Problem(BODY_TOO_LARGE, f"Payload size exceeds the limit of {limit / 2**20:g}MB")
