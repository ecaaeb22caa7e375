"""Where a proxy has its answers from: the real service, by HTTP."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

import httpx

from mockserver.contract.errors import SetupError

Headers: TypeAlias = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
     b"transfer-encoding", b"upgrade")
)  # fmt: skip
"""Headers that mean one connection and not the next (RFC 9110, 7.6.1), and those that `Connection` names besides."""
READABLE = (b"gzip", b"deflate", b"identity")
"""Content codings that are asked for: what could not be read could not be checked."""


@dataclass(frozen=True)
class Asked:
    """A request as it goes on: the target begins with the path, encoded as it came."""

    method: str
    target: bytes
    headers: Headers


@dataclass
class Answer:
    """A reply as it comes in. `close` is called when nobody reads on."""

    status: int
    headers: Headers
    pieces: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


class NoAnswer(Exception):
    """There is no answer: `status` is what the client is told, `kind` a word for programs, `code` the finding."""

    def __init__(self, status: int, kind: str, message: str, code: str = "MS-A012", **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.more = more


class Upstream(Protocol):
    """What answers the calls that come to a proxy."""

    async def send(self, asked: Asked, body: AsyncIterator[bytes] | None) -> Answer:
        """Pass a request on and return the reply. Raises `NoAnswer`."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...


class Service:
    """A real service under a URL."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """Raises `SetupError` for what is no URL of a service."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SetupError(f"{url}: the URL of a service is needed, as in https://api.example.com/v1")
        if parts.query or parts.fragment:
            raise SetupError(f"{url}: a URL without a query is needed; each call brings its own")
        self.origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self.base = parts.path.rstrip("/")
        self._url = f"{parts.scheme}://{parts.netloc}"
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_s, connect=min(10, timeout_s), pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
            follow_redirects=False,
            trust_env=not _is_here(parts.hostname),
        )

    async def send(self, asked: Asked, body: AsyncIterator[bytes] | None) -> Answer:
        """Pass a request on. Path and query go out as they came in, to the byte."""
        try:
            request = httpx.Request(
                asked.method, self._url + "/", headers=asked.headers, content=body, extensions=self._extensions(asked)
            )
            reply = await self._client.send(request, stream=True)
        except httpx.TimeoutException as error:
            raise NoAnswer(504, "upstream-timeout", f"{self.origin} took too long: {_reason(error)}") from error
        except httpx.HTTPError as error:
            raise NoAnswer(502, "upstream-unreachable", f"{self.origin} cannot be reached: {_reason(error)}") from error
        return Answer(reply.status_code, list(reply.headers.raw), _pieces(reply), reply.aclose)

    def _extensions(self, asked: Asked) -> dict[str, object]:
        timeout = self._client.timeout.as_dict()
        return {"target": asked.target, "timeout": timeout}

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


async def _pieces(reply: httpx.Response) -> AsyncIterator[bytes]:
    """The bytes of a body as they come, still compressed."""
    try:
        async for piece in reply.aiter_raw():
            yield piece
    except httpx.HTTPError as error:
        raise NoAnswer(502, "upstream-broke-off", f"the service broke off its reply: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def passed_on(headers: Headers, *, dropped: frozenset[bytes] = frozenset()) -> Headers:
    """Headers without those of one connection alone."""
    named = {each.strip().lower() for name, value in headers if name.lower() == b"connection" for each in value.split(b",")}
    gone = HOP_BY_HOP | named | dropped
    return [(name, value) for name, value in headers if name.lower() not in gone]


def readable(headers: Headers) -> Headers:
    """Headers that ask for no coding but those that can be read here, and for none where the client asked for none."""
    asked = b",".join(value for name, value in headers if name.lower() == b"accept-encoding")
    kept = [each.strip() for each in asked.split(b",") if each.partition(b";")[0].strip().lower() in READABLE]
    others = [(name, value) for name, value in headers if name.lower() != b"accept-encoding"]
    return [*others, (b"accept-encoding", b", ".join(kept) or b"identity")]
