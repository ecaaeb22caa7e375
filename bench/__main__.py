"""Runs the bench, prints a table and writes `bench.json`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import load
from bench.load import Measured, Work

CREATE = "/v1/api-keys/workspace/service"
BODY = json.dumps({"name": "bench", "scopes": ["logs.view", "completions.write"], "workspace_id": "ws-produc-71b04e"})
BARE_POST = Work("POST", CREATE, BODY)
BARE_GET, BARE_PAGE = Work("GET", "/v1/api-keys/0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2"), Work("GET", "/v1/api-keys?page_size=20")
REFUSED = Work("POST", CREATE, json.dumps({"name": "", "scopes": "all", "workspace_id": 3}), 400)
ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide is next?"}]}
CHAT = Work("POST", "/v1/chat/completions", json.dumps(ASK))
NEW_CHAT = Work(CHAT.method, CHAT.path, CHAT.body.replace("next", f"next at pier {load.NUMBER}"))
MANY = 100_000


@dataclass(frozen=True)
class Process:
    """A server process."""

    popen: subprocess.Popen[bytes]
    port: int
    key: str

    @property
    def rss_mib(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def serving(*arguments: str) -> Iterator[Process]:
    """A process of `bench.serving` that listens."""
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        command = [sys.executable, "-m", "bench.serving", arguments[0], str(port_file), *arguments[1:]]
        popen = subprocess.Popen(command)
        try:
            while not port_file.exists() or not port_file.read_text():
                if popen.poll() is not None:
                    raise RuntimeError(f"{' '.join(command)} ended with {popen.returncode}")
                time.sleep(0.01)  # another process: its file is all that tells
            port, _, key = port_file.read_text().partition(" ")
            yield Process(popen, int(port), key)
        finally:
            popen.terminate()
            popen.wait(10)


def start_s(*arguments: str, path: str) -> float:
    """Seconds from the start of a process to its first answered call."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *arguments, str(port)]
    call = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\nx-portkey-api-key: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(BODY)}\r\nconnection: close\r\n\r\n{BODY}"
    ).encode()
    started = time.perf_counter()
    # Modules are compiled once and kept, as they are for whoever installs the package.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    popen = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
    try:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                    connection.sendall(call)
                    if not connection.recv(100).startswith(b"HTTP/1.1 200"):
                        raise RuntimeError("the first call was not answered with 200")
                    return time.perf_counter() - started
            except ConnectionRefusedError:
                if popen.poll() is not None or time.perf_counter() - started > 20:
                    raise RuntimeError(f"{' '.join(command)} does not listen") from None
                time.sleep(0.001)  # another process: asked until it listens
    finally:
        popen.terminate()
        popen.wait(10)


class Bench:
    """One run: rounds in which the bare route and the mock take turns."""

    def __init__(self, rounds: int, seconds: int) -> None:
        self.rounds, self.seconds = rounds, seconds
        self.rows: list[dict[str, Any]] = []

    def against_bare(self, name: str, bare: Process, yardstick: Work, ours: Process, work: Work, goal: float | None) -> None:
        """Measure the ratio to the bare route."""
        pairs = [
            (load.run(yardstick, bare.port, self.seconds), load.run(work, ours.port, self.seconds)) for _ in range(self.rounds)
        ]
        self.add(name, [mine for _, mine in pairs], [mine.rate / theirs.rate for theirs, mine in pairs], goal)

    def add(self, name: str, measured: list[Measured], ratios: list[float], goal: float | None) -> None:
        """Note a row; a round with errors makes the run worthless."""
        if errors := sum(each.errors for each in measured):
            raise RuntimeError(f"{name}: {errors} calls were answered with another status")
        median = statistics.median
        self.note(
            name,
            goal=None if goal is None else f">= {goal:g}x",
            met=None if goal is None else median(ratios) >= goal,
            ratio=round(median(ratios), 2),
            rate=round(median(each.rate for each in measured)),
            p50_ms=round(median(each.p50_ms for each in measured), 2),
            p99_ms=round(median(each.p99_ms for each in measured), 2),
        )

    def note(self, name: str, **facts: Any) -> None:
        """Note a row and print it."""
        self.rows.append({"work": name, **facts})
        shown = "  ".join(f"{key} {value}" for key, value in facts.items() if value is not None)
        print(f"{name:<46} {shown}", flush=True)


def measure_throughput(bench: Bench) -> None:
    """Ratios of calls a second."""
    with serving("bare") as bare, serving("mock", "10") as small, serving("mock", str(MANY)) as large:
        one, page = Work("GET", f"/v1/api-keys/{small.key}"), Work("GET", "/v1/api-keys?page_size=20&current_page=3")
        for process, work in ((bare, BARE_POST), (bare, BARE_GET), (small, one), (large, page)):
            load.run(work, process.port, 1)
        bench.against_bare("GET one key", bare, BARE_GET, small, one, 1.2)
        bench.against_bare("GET a page of 20 out of 100,000 keys", bare, BARE_PAGE, large, page, 0.5)
        pairs = []
        for _ in range(bench.rounds):
            few = load.run(Work("GET", f"/v1/api-keys/{small.key}"), small.port, bench.seconds)
            pairs.append((few, load.run(Work("GET", f"/v1/api-keys/{large.key}"), large.port, bench.seconds)))
        bench.add("100,000 records in the world against 10", [b for _, b in pairs], [b.rate / a.rate for a, b in pairs], 0.9)
        bench.against_bare("POST create a key", bare, BARE_POST, small, Work("POST", CREATE, BODY), 1.2)
        rounds = [load.run(REFUSED, small.port, bench.seconds) for _ in range(bench.rounds)]
        rate = statistics.median(each.rate for each in rounds)
        if errors := sum(each.errors for each in rounds):
            raise RuntimeError(f"{errors} refused calls were accepted")
        bench.note(
            "a refused call",
            goal=">= 800 a second",
            met=rate >= 800,
            rate=round(rate),
            p50_ms=rounds[0].p50_ms,
            p99_ms=rounds[0].p99_ms,
        )
        with serving("mock", "10", "--no-explain") as terse:
            bench.against_bare("a refused call, --no-explain", bare, BARE_POST, terse, REFUSED, 0.8)


def first_chunk_ms(port: int) -> float:
    """Milliseconds from a call to the first event of its stream, the median of 200 on one connection."""
    body = json.dumps({**ASK, "stream": True})
    call = (
        f"POST {CHAT.path} HTTP/1.1\r\nhost: x\r\nx-portkey-api-key: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()
    times = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for _ in range(200):
            received, started = b"", time.perf_counter()
            connection.sendall(call)
            while b"data: " not in received:
                received += connection.recv(65536)
            times.append(time.perf_counter() - started)
            while not received.endswith(b"0\r\n\r\n"):
                received += connection.recv(65536)
    return statistics.median(times) * 1000


def measure_chat(bench: Bench) -> None:
    """Answers of models: the ratio of whole ones, the time to the first chunk of a stream."""
    with serving("bare") as bare, serving("mock", "0") as mock:
        for process in (bare, mock):
            load.run(CHAT, process.port, 1)
        bench.against_bare("chat, not streamed", bare, CHAT, mock, CHAT, 0.6)
        bench.against_bare("chat, another question each time", bare, NEW_CHAT, mock, NEW_CHAT, 0.6)
        first = statistics.median(first_chunk_ms(mock.port) for _ in range(bench.rounds))
        bench.note("first chunk of a stream", goal="< 2 ms", met=first < 2, ms=round(first, 2))


def measure_start(bench: Bench) -> None:
    """Seconds to the first answer."""
    uvicorn = "import sys, uvicorn; uvicorn.run('bench.bare:app', port=int(sys.argv[1]), log_level='error')"
    mock = ["-m", "mockserver", "serve", "-p"]
    bare = statistics.median(start_s("-c", uvicorn, path=CREATE) for _ in range(bench.rounds + 2))
    ours = statistics.median(start_s(*mock, path=CREATE) for _ in range(bench.rounds + 2))
    bench.note(
        "start to the first answered call",
        goal="<= 0.30 s, <= 3x",
        met=ours <= 0.3 and ours <= 3 * bare,
        seconds=round(ours, 3),
        bare_seconds=round(bare, 3),
        ratio=round(ours / bare, 2),
    )


def measure_memory(bench: Bench, calls: int) -> None:
    """Resident memory after one call and after many."""
    with serving("mock", "1") as process:
        one = Work("GET", f"/v1/api-keys/{process.key}")
        load.run(Work("GET", "/__admin/health"), process.port, 1)
        first = process.rss_mib
        bench.note("resident memory after the first calls", goal="<= 90 MiB", met=first <= 90, mib=round(first, 1))
        made, filled = 0.0, 0.0
        while made < calls:
            made += load.run(one, process.port, 10).rate * 10
            filled = filled or process.rss_mib  # the journal's ring is full after ten seconds
        last = process.rss_mib
        bench.note(
            f"growth from a full journal to {made:,.0f} calls",
            goal="<= 2 MiB",
            met=last - filled <= 2,
            from_mib=round(filled, 1),
            to_mib=round(last, 1),
        )


def measure_worlds(bench: Bench) -> None:
    """Fork and reset of a world with 100,000 records."""
    from bench.serving import mock

    app = mock(MANY, explain=False)
    worlds = app.worlds
    full = worlds.get("default").snapshot()

    def best_ms(action: Any) -> float:
        times = []
        for _ in range(50):
            started = time.perf_counter()
            action()
            times.append(time.perf_counter() - started)
        return statistics.median(times) * 1000

    fork = best_ms(lambda: worlds.fork("other", full))
    reset = best_ms(lambda: worlds.reset("other"))
    bench.note("fork of a world with 100,000 records", goal="< 1 ms", met=fork < 1, ms=round(fork, 4))
    bench.note("reset of a world", goal="< 1 ms", met=reset < 1, ms=round(reset, 4))


def measure_tests(bench: Bench) -> None:
    """What the pytest plugin adds to a test."""
    from bench.tests import added_ms

    here, there = added_ms()
    bench.note("a test's own world, in process", goal="< 2 ms", met=here < 2, ms=round(here, 3))
    bench.note("a test's own world, under xdist", goal="< 2 ms", met=there < 2, ms=round(there, 3))


def main() -> None:
    """Measure all, or what --only names."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--calls", type=int, default=1_000_000, help="calls of the memory test")
    parser.add_argument("--only", choices=["throughput", "chat", "start", "memory", "worlds", "tests"])
    options = parser.parse_args()
    bench = Bench(options.rounds, options.seconds)
    print(
        f"load by {load.tool()}, {load.CONNECTIONS} connections; Python {platform.python_version()}; "
        "ratios to a bare Starlette route"
    )
    parts: dict[str, Callable[[], None]] = {
        "worlds": lambda: measure_worlds(bench),
        "tests": lambda: measure_tests(bench),
        "start": lambda: measure_start(bench),
        "throughput": lambda: measure_throughput(bench),
        "chat": lambda: measure_chat(bench),
        "memory": lambda: measure_memory(bench, options.calls),
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part()
    Path("bench.json").write_text(
        json.dumps({"load": load.tool(), "python": platform.python_version(), "rows": bench.rows}, indent=1)
    )


if __name__ == "__main__":
    main()
