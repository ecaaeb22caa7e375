"""One call of an ASGI application in this process, piece by piece, as a server would make it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

from mockserver.call import BREAK_OFF

Headers = list[tuple[bytes, bytes]]

END: dict[str, Any] = {"type": "end"}
"""Comes after all that the application sent."""


def scope_of(method: str, path: str, headers: Headers) -> dict[str, Any]:
    """Return the scope of a call; `path` is as a request line has it, query and all."""
    from urllib.parse import unquote

    raw, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw),
        "raw_path": raw.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "extensions": {},
    }


class Exchange:
    """The two ends of a call: what the application gets, and what it sends, in order. `told` holds that, and `END` at last.

    `ring` is called, on the loop of the application, after each message. `is_reset` and `garbage` say how it was broken off.
    """

    def __init__(self, body: bytes, ring: Callable[[], None] = lambda: None) -> None:
        self.told: deque[dict[str, Any]] = deque()
        self._body: bytes | None = body
        self._ring = ring
        self._left: asyncio.Event | None = None
        self._is_left = False
        self.is_reset = False
        self.garbage = b""

    async def run(self, app: Any, scope: dict[str, Any]) -> None:
        """Have the application answer."""
        self._left = asyncio.Event()
        if self._is_left:
            self._left.set()
        scope["extensions"][BREAK_OFF] = WeakMethod(self._break_off)
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:
            self.told.append({"type": "crash", "error": error})
        finally:
            self.told.append(END)
            self._ring()

    def leave(self) -> None:
        """Be gone, as a client that has closed its connection. To be called on the loop of the application."""
        self._is_left = True
        if self._left is not None:
            self._left.set()

    def whole(self) -> tuple[int, bytes]:
        """Return status and body of an exchange that has ended."""
        status, pieces = 0, []
        for message in self.told:
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                pieces.append(message.get("body", b""))
            elif message["type"] == "crash":
                raise message["error"]
        return status, b"".join(pieces)

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        assert self._left is not None
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.told.append(message)
        self._ring()

    def _break_off(self, garbage: bytes = b"", *, reset: bool = False) -> None:
        """Leave a connection that is no more, after bytes that are no HTTP; who reads sees it by the missing end."""
        self.garbage, self.is_reset = garbage, reset
