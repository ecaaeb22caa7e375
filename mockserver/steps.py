"""The steps of a call between the socket and the stub, apart from routing. `app` puts them in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Any

from mockserver import values
from mockserver.call import BREAK_OFF, Call, Target
from mockserver.chassis import Specification, SpecMiddleware
from mockserver.contract.contract import Contract
from mockserver.contract.problems import BODY_TOO_LARGE, INVALID_WORLD, MOCK_FAILED, Problem
from mockserver.contract.replies import Reply, Stream
from mockserver.contract.requests import ContractBroken, refusal
from mockserver.inner import Inside, answered, kept, own_defect
from mockserver.resolver import StubResolver
from mockserver.stubs.demand import demand_of
from mockserver.stubs.sampling import Source
from mockserver.stubs.service import Service
from mockserver.world.world import DEFAULT, World, Worlds

log = logging.getLogger("mockserver")

WORLD_HEADER = b"x-mock-world"
PROBLEM_HEADER = b"x-mock-problem"


class ClientGone(Exception):
    """The client left before its request was whole: nobody is there to answer."""


class Edge:
    """The outermost step: makes a call of what the socket brings, and a message of what the steps made of it.

    Every problem becomes a reply here, in the words of the service that was called, and every call is journalled here.
    """

    def __init__(self, app: Any, *, service: Service, worlds: Worlds, startup: Any = None) -> None:
        self._app = app
        self._service = service
        self._worlds = worlds
        self._startup = startup

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one HTTP call; answer the lifespan; refuse what is neither."""
        if scope["type"] != "http":
            await self._serve_other(scope, receive, send)
            return
        call = Call(scope)
        scope[Call.KEY] = call
        try:
            await self._app(scope, receive, send)
            reply = call.reply
            assert reply is not None, "no step answered"
        except Problem as problem:
            reply = self._word(call, problem)
        except ClientGone:
            return
        except Exception:
            log.exception("%s %s failed", call.method, call.path)
            reply = self._word(call, Problem(MOCK_FAILED, "The mock failed; its log has the traceback"))
        if reply.due_s is not None and call.world is not None and not await _waited(call.world, reply.due_s, receive):
            self._record(call, reply, self._headers(call, reply, None), b"", None, "left")
            return
        if type(reply.body) is Stream:
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
        if reply.status < 500 and not target.reply.keeps(reply):
            violations = target.reply.violations(reply, target.explainer())
            call.problem = own_defect(target, violations)
            return target.service.word(call.problem, target.operation)
        return reply

    async def _send(self, call: Call, reply: Reply, send: Any) -> None:
        body = b""
        if reply.status != 204:
            body = reply.body if type(reply.body) is bytes else values.dump(reply.body)
        headers = self._headers(call, reply, None if reply.status == 204 else len(body))
        # Before the reply goes out: who has the reply may look into the journal at once.
        self._record(call, reply, headers, body)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})

    async def _stream(self, scope: Any, call: Call, reply: Reply, stream: Stream, receive: Any, send: Any) -> None:
        """Send a body piece by piece as its pieces fall due; a client that leaves stops it."""
        headers = self._headers(call, reply, None)
        headers.append((b"cache-control", b"no-cache"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        left = asyncio.ensure_future(_departure(receive))
        pieces, sent, is_whole = iter(stream.pieces), [], False
        ending = "cut" if stream.cut else "whole"
        piece = next(pieces, None)
        try:
            while piece is not None:
                if piece.due_s is not None and call.world is not None:
                    await call.world.clock.reach(piece.due_s, left)
                if left.done():
                    break
                sent.append(piece.data)
                following = next(pieces, None)
                is_whole = following is None
                if is_whole:
                    # Before the last piece goes out: who has the reply may look into the journal at once.
                    self._record(call, reply, headers, b"".join(sent), len(sent), ending)
                await send({"type": "http.response.body", "body": piece.data, "more_body": True})
                await asyncio.sleep(0)  # what is written goes out before the next piece is made
                piece = following
        finally:
            left.cancel()
            if not is_whole:
                self._record(call, reply, headers, b"".join(sent), len(sent), "left" if left.done() else ending)
        if not stream.cut:
            await send({"type": "http.response.body", "body": b""})
        elif (weak := scope.get("extensions", {}).get(BREAK_OFF)) is not None and (break_off := weak()) is not None:
            break_off()

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
        chunks: int | None = None,
        ending: str | None = None,
    ) -> None:
        target = call.target
        if target is not None and not target.journalled:
            return
        world = call.world
        if world is None:
            if target is None and call.path.startswith("/__admin"):
                return
            try:
                world = self._worlds.get(_world_name(call))
            except ValueError:
                return
        problem, request = call.problem, call.request
        world.journal.append(
            world.clock.seconds(),
            call.method,
            call.path,
            call.query,
            target.operation.id if target is not None else None,
            reply.status,
            int((time.perf_counter() - call.started) * 1e6),
            None if problem is None else problem.kind.name,
            () if problem is None else tuple(problem.violations),
            call.raw_headers,
            call.body,
            headers,
            body,
            None if problem is None else problem.detail,
            tuple(call.path_values.values()) if call.path_values else (),
            None if call.caller is None or target is None else target.service.caller_name(call.caller),
            None if request is None else request.answered_by,
            call.mapping,
            call.fault,
            request is not None,
            reply.due_s,
            call.started,
            chunks,
            ending,
        )

    async def _serve_other(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                if message["type"] == "lifespan.startup":
                    if self._startup is not None:
                        self._startup()
                    await send({"type": "lifespan.startup.complete"})
                elif message["type"] == "lifespan.shutdown":
                    await send({"type": "lifespan.shutdown.complete"})
                    return
        await receive()
        await send({"type": "websocket.close", "code": 1003, "reason": "no operation of this document is a WebSocket"})


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
    while (await receive())["type"] != "http.disconnect":
        pass


class WorldChoice:
    """Finds the world that a call belongs to: named by the base URL, by a header, or the default one."""

    def __init__(self, app: Any, *, worlds: Worlds, inside: Inside) -> None:
        self._app = app
        self._worlds = worlds
        self._inside = inside

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Set the world, in which all has happened that is due; an unknown one is forked from the seed."""
        call: Call = scope[Call.KEY]
        try:
            world = call.world = self._worlds.get(_world_name(call))
        except ValueError as error:
            raise Problem(INVALID_WORLD, str(error)) from None
        if world.agenda:
            self._inside.settle(world)
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

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Set the caller."""
        call: Call = scope[Call.KEY]
        target, world = call.target, call.world
        assert target is not None
        assert world is not None
        call.caller = target.service.identify(target.operation, call.path_values, call.query, call.headers, world)
        await self._app(scope, receive, send)


class Stubs(SpecMiddleware):  # type: ignore[misc]  # connexion has no types
    """The innermost step: the contract on both sides of the stub, and the world changed only by success."""

    def __init__(self, *, body_limit: int) -> None:
        self._body_limit = body_limit

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
        if b"content-length" in headers or b"transfer-encoding" in headers:
            call.body = await self._read_body(headers, receive)
        try:
            request = target.request.read(call.path_values, call.query, headers, call.body)
        except ContractBroken as broken:
            raise refusal(broken.violations(target.explainer())) from None
        request.caller = call.caller
        call.request = request
        if target.ready is not None:
            await _readied(target.ready(request, world, left := asyncio.ensure_future(_departure(receive))), left)
        demand = demand_of(call.query, call.raw_headers) if b"prefer" in headers or b"__" in call.query else None
        with world.attempt() as attempt:
            if demand is not None:
                request.answered_by = "demand"
                reply = kept(target, target.demands.answer(demand, target.operation, Source(world.ids, world.clock)))
            else:
                reply = answered(target, request, world)
            if (reply.status < 400 or reply.kept) and demand is None:
                target.service.account(request, reply, target.operation, world)
                attempt.keep()
        call.reply = reply

    async def _read_body(self, headers: dict[bytes, bytes], receive: Any) -> bytes:
        limit = self._body_limit
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            raise self._too_large()
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            if len(body) > limit:
                raise self._too_large()
            return body
        chunks, size = [body], len(body)
        while message.get("more_body", False):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit:
                raise self._too_large()
        return b"".join(chunks)

    def _too_large(self) -> Problem:
        return Problem(BODY_TOO_LARGE, f"Payload size exceeds the limit of {self._body_limit / 2**20:g}MB")
