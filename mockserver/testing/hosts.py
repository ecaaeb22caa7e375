"""A server as tests reach it: in this process, with or without a socket, or in another one.

In this process the application runs on an event loop in a thread of its own, whoever calls it: worlds are not made for two
threads at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, NamedTuple, Protocol

import orjson

from mockserver import values
from mockserver.testing.wanted import ServerSettings, WrongSetting
from mockserver.values import JSON

PATIENCE_S = 60
"""After so long without an answer of the mock itself something is broken, and a test should end."""


class Answer(NamedTuple):
    """What the admin API answered: a status and a value."""

    status: int
    value: JSON


class Host(Protocol):
    """A server. `base_path` is that of the document, `api_key` the key of an admin that each of its worlds knows."""

    base_path: str
    api_key: str

    @property
    def origin(self) -> str:
        """Where it listens; it does from then on."""
        ...

    def ask(self, method: str, path: str, body: JSON = None) -> Answer:
        """Call the server itself, past all clients."""
        ...

    def transport(self, world: str) -> Any:
        """Return an httpx transport whose calls go to a world, whatever address they name."""
        ...

    def stop(self) -> None:
        """Stop, and return when all has ended."""
        ...


def application(wanted: ServerSettings) -> Any:
    """Return the application with these settings. Raises `WrongSetting`."""
    from mockserver.app import App, Settings
    from mockserver.contract.errors import SetupError
    from mockserver.control import tokens

    try:
        if wanted.token is None:
            strict, sample = wanted.auth == "strict", wanted.unknown_ids == "sample"
            return App(Settings(fixture=wanted.fixture, seed=wanted.seed, strict=strict, sample_unknown=sample))
        token = tokens.read(wanted.token)
        told = token.settings
        strict, sample = told["auth"] == "strict", told["unknown_ids"] == "sample"
        return App(Settings(fixture=told["fixture"], seed=told["seed"], strict=strict, sample_unknown=sample, token=token))
    except SetupError as error:
        raise WrongSetting(str(error)) from None


def admin_key(app: Any) -> str:
    """Return the key of an admin that every world of an application knows."""
    return str(app.service.credentials(app.worlds.scratch())["x-portkey-api-key"])


class House:
    """A server in this process. It listens on a socket once its origin is asked for."""

    def __init__(self, app: Any) -> None:
        import uvloop

        self.app = app
        self.base_path: str = app.base_path
        self.api_key = admin_key(app)
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mockserver", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._listening: tuple[str, Any, Any] | None = None

    @property
    def origin(self) -> str:
        """Where it listens; it does from then on."""
        with self._lock:
            if self._listening is None:
                self._listening = self._listen()
            return self._listening[0]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what a coroutine returns that runs beside the application."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        """Start a coroutine beside the application."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def soon(self, function: Any) -> None:
        """Have a function called beside the application."""
        self._loop.call_soon_threadsafe(function)

    def ask(self, method: str, path: str, body: JSON = None) -> Answer:
        """Call the server itself, past all clients."""
        from mockserver.testing.exchange import Exchange, scope_of

        content = b"" if body is None else values.dump(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))] if content else []
        exchange = Exchange(content)
        self.run(exchange.run(self.app, scope_of(method, path, headers)))
        status, told = exchange.whole()
        return Answer(status, orjson.loads(told) if told else None)

    def transport(self, world: str) -> Any:
        """Return an httpx transport without a socket whose calls go to a world, whatever address they name."""
        from mockserver.testing.transports import InsideTransport

        return InsideTransport(self, world)

    def stop(self) -> None:
        """Stop, and return when the thread has ended."""
        if self._listening is not None:
            _, server, serving = self._listening
            server.should_exit = True
            serving.result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def _listen(self) -> tuple[str, Any, Any]:
        from mockserver.server import Server, configuration, listen

        sockets = listen("127.0.0.1", 0)
        ready = threading.Event()
        server = Server(configuration(self.app), ready.set)
        serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=sockets), self._loop)
        serving.add_done_callback(lambda _: ready.set())
        ready.wait(PATIENCE_S)
        if not server.started:
            raise RuntimeError("the server did not start; its log says why")
        return f"http://127.0.0.1:{sockets[0].getsockname()[1]}", server, serving


class Elsewhere:
    """A server in another process, which somebody else stops."""

    def __init__(self, origin: str, base_path: str, api_key: str) -> None:
        self.origin = origin
        self.base_path = base_path
        self.api_key = api_key
        self._address = origin.removeprefix("http://")
        self._local = threading.local()
        self._connections: list[Any] = []
        self._lock = threading.Lock()
        self._shared: Any = None

    def ask(self, method: str, path: str, body: JSON = None) -> Answer:
        """Call the server itself, past all clients, on a connection that is kept."""
        from http.client import HTTPConnection, RemoteDisconnected

        connection = getattr(self._local, "connection", None)
        for is_last in (connection is None, True):
            if connection is None:
                connection = self._local.connection = HTTPConnection(self._address, timeout=PATIENCE_S)
                self._connections.append(connection)
            content = None if body is None else values.dump(body)
            try:
                connection.request(method, path, content, {} if content is None else {"content-type": "application/json"})
                reply = connection.getresponse()
            except (RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A connection that lay idle for long may be closed by the other side at any time.
                connection.close()
                connection = None
                if is_last:
                    raise
                continue
            told = reply.read()
            return Answer(reply.status, orjson.loads(told) if told else None)
        raise AssertionError("the second attempt returns or raises")

    def transport(self, world: str) -> Any:
        """Return an httpx transport whose calls go to a world, whatever address they name."""
        from mockserver.testing.transports import SocketTransport, plain

        with self._lock:
            self._shared = self._shared or plain()
        return SocketTransport(self.origin, world, self._shared)

    def stop(self) -> None:
        """Close the connections of all threads, and those that transports share."""
        if self._shared is not None:
            self._shared.close()
        for connection in self._connections:
            connection.close()
