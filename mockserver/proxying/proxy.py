"""The proxy as an ASGI application: passes calls on piece by piece, and hands each exchange over when it is whole."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from mockserver import values
from mockserver.proxying.upstream import Answer, Asked, Headers, NoAnswer, Upstream, passed_on, readable
from mockserver.traffic.archives import PARTS
from mockserver.traffic.exchange import Exchange, Header, Payload, Places, uncompressed
from mockserver.traffic.judging import Fault, Judge
from mockserver.values import JSON, Record

log = logging.getLogger("mockserver.proxy")

BREAK_OFF = "mockserver.break_off"
"""The ASGI extension of our server that breaks off a reply, as the service did."""
PROBLEM_HEADER = b"x-mock-problem"
"""Names the kind of problem on replies that are the proxy's own."""


class Taken:
    """What goes past in one direction, as far as it is kept."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self.size = 0
        self._limit = limit

    def add(self, piece: bytes) -> None:
        """Keep a piece, as long as there is room."""
        self.size += len(piece)
        if len(self.data) < self._limit:
            self.data += piece[: self._limit - len(self.data)]

    def payload(self, coding: str) -> Payload:
        """The body without its content coding."""
        if self.size > len(self.data):
            return Payload(b"", f"it has {self.size:,} bytes; --body-limit is {self._limit:,}")
        return uncompressed(Payload(bytes(self.data)), coding, may_be_plain=False)


class Proxy:
    """Stands before `upstream`, whose URL is `origin` and `base`. `done` gets each exchange, and faults of its own making."""

    def __init__(
        self,
        upstream: Upstream,
        origin: str,
        base: str,
        done: Callable[[Exchange, list[Fault]], None],
        *,
        judge: Judge | None = None,
        body_limit: int,
        places: Callable[[int], Places],
    ) -> None:
        """With a `judge`, what breaks the document is answered by the proxy, and goes no further."""
        self._upstream = upstream
        self._origin = origin
        self._base = base
        self._done = done
        self._judge = judge
        self._limit = body_limit
        self._places = places
        self._count = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a call; answer the lifespan; refuse WebSockets."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await asyncio.sleep(0)  # our server gives a call that waits a task of its own, without which httpx cannot be
            self._count += 1
            await _Passage(self, self._count, scope, receive, send).run()
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1011, "reason": "mockserver proxy passes no WebSockets on"})

    async def _live(self, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        assert message["type"] == "lifespan.shutdown"
        await self._upstream.close()
        await send({"type": "lifespan.shutdown.complete"})


class _Passage:
    """One call on its way through."""

    def __init__(self, proxy: Proxy, number: int, scope: Any, receive: Any, send: Any) -> None:
        self.proxy, self.scope, self.receive, self.send = proxy, scope, receive, send
        self.number = number
        self.started = time.perf_counter()
        self.at = datetime.now(UTC)
        self.asked = Taken(proxy._limit)
        self.answered = Taken(proxy._limit)
        self.read = asyncio.Event()
        self.faults: list[Fault] = []
        self.note = ""

    async def run(self) -> None:
        scope = self.scope
        raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        self.target = self.proxy._base.encode() + raw.partition(b"?")[0] + query
        headers: Headers = readable(passed_on(scope["headers"], dropped=frozenset((b"host", b"expect"))))
        lengths = {name: value for name, value in scope["headers"] if name in (b"content-length", b"transfer-encoding")}
        body: AsyncIterator[bytes] | None = self._pieces()
        if not lengths or lengths.get(b"content-length") == b"0":
            await self._drain()
            body = None
        if self.proxy._judge is not None:
            await self._drain()
            if self.asked.size > len(self.asked.data):
                message = f"The body has {self.asked.size:,} bytes: too large to be checked before it goes on (--body-limit)"
                await self._own(413, "body-too-large", message, {})
                return
            body = None if body is None else _once(bytes(self.asked.data))
            if (refusal := self._request_refusal(self.proxy._judge)) is not None:
                await self._own(400, "request-breaks-contract", *refusal)
                return
        try:
            answer = await self.proxy._upstream.send(Asked(scope["method"], self.target, headers), body)
        except NoAnswer as error:
            await self._drain()
            self.faults.append(Fault(error.code, str(error), "status"))
            await self._own(error.status, error.kind, str(error), error.more)
            return
        try:
            await self._pass_back(answer)
        finally:
            with contextlib.suppress(Exception):
                await answer.close()

    # The request.

    async def _pieces(self) -> AsyncIterator[bytes]:
        while not self.read.is_set():
            message = await self.receive()
            if message["type"] == "http.disconnect":
                self.read.set()
                self.note = "the client left before its request was whole"
                raise NoAnswer(400, "client-left", self.note, "MS-T005")
            if not message.get("more_body", False):
                self.read.set()
            piece: bytes = message.get("body", b"")
            self.asked.add(piece)
            if piece:
                yield piece

    async def _drain(self) -> None:
        with contextlib.suppress(NoAnswer):
            async for _ in self._pieces():
                pass

    # The reply.

    async def _pass_back(self, answer: Answer) -> None:
        self.status, self.headers = answer.status, answer.headers
        gone = passed_on(answer.headers)
        held = self.proxy._judge is not None and _is_json(answer.headers)
        if not held:
            await self.send({"type": "http.response.start", "status": answer.status, "headers": _lowered(gone)})
        left = asyncio.ensure_future(self._departure())
        pieces, kept = aiter(answer.pieces), list[bytes]()
        try:
            while (piece := await self._next(pieces, left)) is not None:
                self.answered.add(piece)
                if held and self.answered.size > len(self.answered.data):
                    held = False  # too large to be checked, so nothing can be held against it
                    await self.send({"type": "http.response.start", "status": answer.status, "headers": _lowered(gone)})
                    piece = b"".join((*kept, piece))
                if held:
                    kept.append(piece)
                else:
                    await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        except NoAnswer as error:
            self.note = str(error)
            self.faults.append(Fault(error.code, str(error), "reply body"))
            self._finish()
            if held:
                await self._reply(error.status, error.kind, str(error), {})
            else:
                self._break_off()
            return
        finally:
            left.cancel()
        exchange = self._finish()
        if not held:
            await self.send({"type": "http.response.body", "body": b""})
            return
        assert self.proxy._judge is not None
        broken = [each for each in self.proxy._judge.judge(exchange).faults if each.code.startswith("MS-A00")]
        if any(each.code != "MS-A009" and each.severity is None for each in broken):
            told = [{"message": each.message, "schema": each.rule} for each in broken]
            await self._reply(502, "reply-breaks-contract", "The service's reply breaks the contract", {"violations": told})
            return
        await self.send({"type": "http.response.start", "status": answer.status, "headers": _lowered(gone)})
        await self.send({"type": "http.response.body", "body": bytes(self.answered.data)})

    async def _next(self, pieces: AsyncIterator[bytes], left: asyncio.Future[None]) -> bytes | None:
        """The next piece; None at the end, or when the client has left."""
        coming: asyncio.Future[bytes | None] = asyncio.ensure_future(_following(pieces))
        await asyncio.wait((coming, left), return_when=asyncio.FIRST_COMPLETED)
        if coming.done():
            return coming.result()
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await coming
        self.note = "the client left before the reply was whole"
        return None

    async def _departure(self) -> None:
        await self.read.wait()  # a service may answer before it has all of the request
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _break_off(self) -> None:
        weak = self.scope.get("extensions", {}).get(BREAK_OFF)
        break_off = weak() if weak is not None else None
        if break_off is not None:
            break_off()

    # What the proxy answers itself.

    def _request_refusal(self, judge: Judge) -> tuple[str, Record] | None:
        self.status, self.headers = 0, []
        faults = judge.judge(self._exchange(None)).faults
        broken = [each for each in faults if each.code.startswith("MS-R") and each.severity is None]
        if not broken:
            return None
        return f"The request breaks the contract: {broken[0].message}", {
            "violations": [{"in": each.part, "message": each.message, "schema": each.rule} for each in broken]
        }

    async def _own(self, status: int, kind: str, message: str, more: Record) -> None:
        self.status, self.headers = 0, []
        self._finish()
        await self._reply(status, kind, message, more)

    async def _reply(self, status: int, kind: str, message: str, more: Record) -> None:
        body: JSON = {"error": {"type": kind, "message": message, **more}}
        data = values.dump(body)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(data)),
            (PROBLEM_HEADER, kind.encode()),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": data})

    # What is handed over.

    def _finish(self) -> Exchange:
        exchange = self._exchange(self.status or None)
        try:
            self.proxy._done(exchange, self.faults)
        except Exception:  # whatever it is, the client has its answer, and the next call is to get one too
            log.exception("%s could not be looked at", exchange)
        return exchange

    def _exchange(self, status: int | None) -> Exchange:
        headers = _headers(self.scope["headers"], "/request/headers")
        reply_headers = _headers(self.headers, "/response/headers")
        made = Exchange(
            number=self.number,
            method=self.scope["method"],
            url=self.proxy._origin + self.target.decode("latin-1"),
            headers=headers,
            body=Payload(),
            status=status,
            reply_headers=reply_headers,
            reply_body=Payload(),
            places=self.proxy._places(self.number),
            at=self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            is_live=True,
            note=self.note,
            duration_ms=(time.perf_counter() - self.started) * 1000,
        )
        return replace(
            made,
            body=self.asked.payload(made.header("content-encoding")),
            reply_body=self.answered.payload(made.reply_header("content-encoding")) if not self.note else Payload(),
        )


def places_of(file: str, number: int) -> Places:
    """Where exchanges stand that are in no file: under the URL, by their numbers."""
    return Places(file, f"/exchanges/{number}", PARTS)


async def _following(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _headers(pairs: Headers, at: str) -> tuple[Header, ...]:
    return tuple(
        Header(name.decode("latin-1").lower(), value.decode("latin-1"), f"{at}/{index}")
        for index, (name, value) in enumerate(pairs)
    )


def _lowered(headers: Headers) -> Headers:
    """ASGI wants names in lower case."""
    return [(name.lower(), value) for name, value in headers]


def _is_json(headers: Headers) -> bool:
    kinds = (value for name, value in headers if name.lower() == b"content-type")
    return any(b"json" in kind for kind in kinds)
