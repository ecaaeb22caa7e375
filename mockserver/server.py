"""Runs an application on uvicorn: sockets bound before anything else, a clean end on Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from mockserver.protocol import PromptProtocol, RefusingProtocol

KEEP_ALIVE_S = 75
"""Clients that pause between calls must not find their connection closed; uvicorn's own 5 s are too few."""


_LAST_REPLIES_S = 0.05
"""How long replies that wait for nothing may still take when the server stops."""


class CannotListen(Exception):
    """The address cannot be bound, or told: the message says which and why."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a bound socket. Raises `CannotListen`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        if isinstance(error, socket.gaierror):
            raise CannotListen(f"--host {host}: there is no such address") from error
        raise CannotListen(
            f"cannot listen on {host}:{port}: {error.strerror}; name another by --port, or 0 for a free one"
        ) from error
    bound.setblocking(False)
    return [bound]


class Server(uvicorn.Server):
    """uvicorn's server, which ends with status 0 when it is asked to stop, and tells when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], Any]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop. Neither half a request is waited for nor a reply that waits for a world's time, which may never come."""
        self._close(lambda cycle: cycle.more_body)
        await asyncio.sleep(_LAST_REPLIES_S)
        self._close(lambda cycle: not cycle.flow.write_paused)  # who reads slowly has until uvicorn gives up
        await super().shutdown(sockets)

    def _close(self, ended: Callable[[Any], bool]) -> None:
        """Close the connections of unfinished replies for which this holds."""
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete and ended(cycle):
                connection.transport.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM without raising them again afterwards, as uvicorn would."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may listen to signals
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {each: signal.signal(each, self.handle_exit) for each in signals}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


class BackgroundServer:
    """A server in a thread of this process, on a free port of the loopback address."""

    def __init__(self, app: Any) -> None:
        self._sockets = listen("127.0.0.1", 0)
        self._ready = threading.Event()
        self._server = Server(configuration(app), self._ready.set)
        self._thread = threading.Thread(target=self._run, name="mockserver", daemon=True)
        self.origin = f"http://127.0.0.1:{self._sockets[0].getsockname()[1]}"

    def start(self) -> None:
        """Start, and return when calls are answered. Raises `RuntimeError` when that does not come to pass."""
        self._thread.start()
        while not self._ready.wait(0.05):
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start; its log says why")

    def stop(self) -> None:
        """Stop, and return when the thread has ended."""
        self._server.should_exit = True
        self._thread.join(10)

    def _run(self) -> None:
        self._server.run(sockets=self._sockets)


def configuration(app: Any, log_level: str = "warning", http: Any = PromptProtocol) -> uvicorn.Config:
    """Return uvicorn's configuration: uvloop and httptools are required, since the fall-back costs three times as much.

    No `Date` and `Server` headers: replies follow from the world alone, to the byte.
    """
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=http,
        ws=RefusingProtocol,
        lifespan="on",
        log_level=log_level,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=3,
    )


def origin(host: str, sockets: list[socket.socket]) -> str:
    """Return the URL of bound sockets, by the name that was asked for."""
    return f"http://{f'[{host}]' if ':' in host else host}:{sockets[0].getsockname()[1]}"


def run(
    app: Any,
    sockets: list[socket.socket],
    log_level: str,
    ready: Callable[[], Any],
    http: Any = PromptProtocol,
    *,
    port_file: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. `port_file` holds the port meanwhile. Raises `CannotListen` when it cannot be written."""
    if port_file is not None:
        try:
            port_file.write_text(f"{sockets[0].getsockname()[1]}\n")
        except OSError as error:
            raise CannotListen(f"--port-file {port_file}: {error.strerror}") from error
    # What lives until the end need not be looked at again, and a young generation of 700 is for other programs than
    # ones that keep what they make: this halves what the garbage collector costs. A larger one would cost as much, in longer
    # pauses: of records, which lead to all that they hold, 10,000 take it several milliseconds.
    gc.freeze()
    gc.set_threshold(10_000, 100, 50)
    gc.enable()
    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    try:
        Server(configuration(app, log_level, http), ready).run(sockets=sockets)
    finally:
        if port_file is not None:
            port_file.unlink(missing_ok=True)
