"""A proxy on a socket, before a service on a socket: what the tests of the proxy share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from mockserver.proxying.proxy import Proxy, places_of
from mockserver.proxying.recorder import Recorder
from mockserver.proxying.replay import Replay
from mockserver.proxying.session import Session
from mockserver.proxying.upstream import Service, Upstream
from mockserver.reporting.finding import Finding
from mockserver.reporting.report import Report
from mockserver.server import BackgroundServer
from mockserver.traffic.opening import contract_of
from mockserver.traffic.redaction import Redactor
from mockserver.traffic.verification import Verification
from tests.conftest import DOCUMENTS

DEPOT = DOCUMENTS / "depot.yaml"

Answering = Callable[[Any, Any, Any], Awaitable[None]]


class Small:
    """A service of a few lines: `answer` is an ASGI application for calls alone. `seen` are the scopes that came."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self.seen: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        self.seen.append(scope)
        await self._answer(scope, receive, send)


async def whole(receive: Any) -> bytes:
    """All of a request's body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def always(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Small:
    """A service with one answer."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return Small(answer)


class Switch:
    """Hands calls to the service of the test that runs: starting and stopping servers is what takes time."""

    def __init__(self) -> None:
        self.service: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
        else:
            await self.service(scope, receive, send)


async def live(receive: Any, send: Any) -> None:
    """Answer the lifespan."""
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": message["type"] + ".complete"})
    await send({"type": "lifespan.shutdown.complete"})


class Through:
    """A proxy before a service, or before a recording. `lines` is what it told; `report` ends it."""

    def __init__(
        self,
        service: Any = None,
        *,
        document: Path | None = DEPOT,
        url: str = "",
        base: str = "",
        record: Path | None = None,
        replay: Path | None = None,
        enforce: bool = False,
        timeout_s: float = 5,
        body_limit: int = 2**20,
    ) -> None:
        contract, path = contract_of(document)
        self._service = None if service is None else BackgroundServer(service)
        origin = self._service.origin if self._service else url or "http://recorded"
        upstream: Upstream = Replay(replay) if replay else Service(origin + base, timeout_s)
        self.lines: list[str] = []
        verification = Verification("proxy", origin, contract, path)
        recorder = Recorder(record) if record else None
        self.session = Session(verification, Redactor(contract), recorder, tell=self.lines.append)
        self._proxy = BackgroundServer(
            Proxy(
                upstream,
                origin,
                base,
                self.session.done,
                judge=verification.judge if enforce else None,
                body_limit=body_limit,
                places=lambda number: places_of(origin, number),
            )
        )
        self.url = self._proxy.origin
        self.service_url = origin

    def __enter__(self) -> Self:
        if self._service:
            self._service.start()
        self._proxy.start()
        self.client = httpx.Client(base_url=self.url, timeout=5, trust_env=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.client.close()
        self._proxy.stop()
        if self._service:
            self._service.stop()

    def report(self) -> Report:
        """Stop the proxy and return its report."""
        self._proxy.stop()
        return self.session.verification.finish()

    def findings(self) -> list[Finding]:
        """Stop the proxy and return what it found."""
        return self.report().findings
