"""Under pytest-xdist: the controller keeps the servers, a process for each kind that somebody wants, and tells workers of them.

A process of its own, because a server in the controller would take turns with it, and one in each worker would be many.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from typing import Any

from mockserver.testing.hosts import Elsewhere, Host
from mockserver.testing.wanted import ServerSettings, WrongSetting

_QUEUE = 1024
"""So many workers may ask at once."""


class Desk:
    """The controller's end. Servers are started when a worker first wants one."""

    def __init__(self) -> None:
        self._key = os.urandom(16)
        # One that is slow to say who it is must keep nobody else waiting, so each is asked in a thread of its own. And a worker
        # that connects while the queue is full would wait for ever to be asked, since the desk never hears of it.
        self._listener = Listener(("127.0.0.1", 0), backlog=_QUEUE)
        self._closed = False
        self._lock = threading.Lock()
        self._told: dict[str, dict[str, Any]] = {}
        self.processes: list[subprocess.Popen[bytes]] = []
        threading.Thread(target=self._accept, name="portkey desk", daemon=True).start()

    @property
    def address(self) -> list[Any]:
        """What a worker needs to find it: plain values."""
        host, port = self._listener.address
        return [host, port, self._key.hex()]

    def origins(self) -> list[str]:
        """Where the servers listen that were started until now."""
        with self._lock:
            return [told["origin"] for told in self._told.values() if "origin" in told]

    def close(self) -> None:
        """Stop all servers, and return when they have ended."""
        self._closed = True
        self._listener.close()
        with self._lock:
            for process in self.processes:
                assert process.stdin is not None
                process.stdin.close()
            for process in self.processes:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                assert process.stdout is not None
                process.stdout.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
            except OSError:
                continue  # closed, or who asked has gone
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection[Any, Any]) -> None:
        with connection, suppress(AuthenticationError, EOFError, OSError):  # of a stranger, and of a worker that has gone
            deliver_challenge(connection, self._key)
            answer_challenge(connection, self._key)
            wanted = connection.recv_bytes().decode()
            with self._lock:
                if wanted not in self._told:
                    self._told[wanted] = self._start(wanted)
                told = self._told[wanted]
            connection.send_bytes(json.dumps(told).encode())

    def _start(self, wanted: str) -> dict[str, Any]:
        process = subprocess.Popen(
            [sys.executable, "-m", "mockserver.testing.process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.processes.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(wanted.encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            return {"error": f"the server ended with status {process.wait()} before it listened"}
        told: dict[str, Any] = json.loads(line)
        return told


def host_at(address: list[Any], wanted: ServerSettings) -> Host:
    """Return the server with these settings, for a worker. Raises `WrongSetting`."""
    host, port, key = address
    with Client((host, port), authkey=bytes.fromhex(key)) as connection:
        connection.send_bytes(json.dumps(asdict(wanted)).encode())
        told = json.loads(connection.recv_bytes())
    if "error" in told:
        raise WrongSetting(told["error"])
    return Elsewhere(told["origin"], told["base_path"], told["api_key"])
