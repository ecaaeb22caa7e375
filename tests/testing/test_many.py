"""Very many tests at once: on one server, in any order, with nothing left over."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mockserver.testing.desk import Desk, host_at
from mockserver.testing.wanted import ServerSettings

TESTS = 1000
WORKERS = 8

CONFTEST = '''
"""Shuffles the tests, and asks the server what is left over when all have run."""

import json
import random
import urllib.request
from pathlib import Path

from mockserver.pytest_plugin import _DESK

done, seen_mib = [], []


def pytest_configure(config):
    global desk
    desk = lambda: config.stash.get(_DESK, None)


def pytest_collection_modifyitems(items):
    random.Random(11).shuffle(items)


def pytest_runtest_logreport(report):
    if desk() is not None and report.when == "call":
        done.append(report.outcome)
        if len(done) in (300, 1000):
            seen_mib.append(rss(desk().processes[0]))


def rss(process):
    return int(Path(f"/proc/{process.pid}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


def pytest_sessionfinish(session):
    if desk() is None:
        return
    (origin,) = desk().origins()
    with urllib.request.urlopen(f"{origin}/__admin/worlds") as reply:
        worlds = [world["name"] for world in json.load(reply)["worlds"]]
    told = {"worlds": worlds, "rss_mib": seen_mib, "servers": len(desk().processes), "done": len(done)}
    Path("left.json").write_text(json.dumps(told))
'''

SOURCE = '''
"""Each test makes records under names that all tests share and looks for its own and nothing else; some stop their clock and
look at their calls as well.
"""

import pytest


@pytest.mark.parametrize("number", range({tests}))
def test_alone(portkey, number):
    http = portkey.http
    made = http.post("/admin/workspaces", json={{"name": "Ours", "slug": f"ours-{{number % 3}}"}})
    assert made.status_code == 200
    assert http.get("/admin/workspaces").json()["total"] == 4
    if number % 10 == 0:
        portkey.clock.freeze("2030-01-01T00:00:00Z")
        assert http.get(f"/admin/workspaces/{{made.json()['id']}}").status_code == 200
        assert len(portkey.calls) == 3
'''


class Left(NamedTuple):
    """What a session left over on its server."""

    worlds: list[str]
    rss_mib: list[float]
    servers: int
    done: int


def session(folder: Path, *options: str, source: str, conftest: str = CONFTEST) -> tuple[str, Left | None]:
    """Run a session of its own, with this plugin and pytest-xdist alone; return what it printed and what it left."""
    (folder / "test_many.py").write_text(source)
    (folder / "conftest.py").write_text(conftest)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PORTKEY", "MOCKSERVER"))}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), "-q", "-p", "no:cacheprovider"]
    # Assertions as they are: eight workers would each write the tests anew.
    plugins = ["-p", "xdist", "-p", "mockserver.pytest_plugin", "-W", "error", "--assert=plain"]
    done = subprocess.run(
        [*command, *plugins, *options, str(folder)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    left = folder / "left.json"
    told: Any = json.loads(left.read_text()) if left.exists() else None
    return done.stdout + done.stderr, None if told is None else Left(**told)


def test_thousand_tests_share_a_server_and_leave_nothing(tmp_path: Path) -> None:
    """In random order, by eight workers. The default world is the one that the last question made."""
    printed, left = session(tmp_path, "-n", str(WORKERS), source=SOURCE.format(tests=TESTS))
    assert f"{TESTS} passed" in printed, printed[-3000:]
    assert left is not None
    assert (left.done, left.servers, left.worlds) == (TESTS, 1, ["default"])
    early, late = left.rss_mib
    assert late - early < 4, "MiB that 700 tests left behind"


MIXED = """
import urllib.request

import pytest

def test_shared_server(portkey):
    assert portkey.http.get("/api-keys", headers={"x-portkey-api-key": "unknown"}).status_code == 200

@pytest.mark.portkey(auth="strict")
@pytest.mark.parametrize("number", range(4))
def test_another_server(portkey, number):
    assert portkey.http.get("/api-keys", headers={"x-portkey-api-key": "unknown"}).status_code == 401

@pytest.mark.portkey(fixture="nowhere")
def test_no_server(portkey):
    pass

def test_fails(portkey):
    portkey.http.get("/nowhere")

def test_any_client_over_the_socket(portkey):
    request = urllib.request.Request(f"{portkey.url}/admin/workspaces", headers={"x-portkey-api-key": portkey.api_key})
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 200
    assert len(portkey.calls) == 1
"""


def test_workers_share_a_server_for_each_kind_of_settings(tmp_path: Path) -> None:
    printed, left = session(tmp_path, "-n", "2", source=MIXED, conftest=CONFTEST.replace("(origin,) =", "origin, *_ ="))
    assert "1 failed, 6 passed, 1 error" in printed, printed[-3000:]
    assert left is not None
    assert left.servers == 3  # one of them refused its settings
    assert "nowhere: there is no such fixture" in printed
    assert "GET /v1/nowhere -> 404 (no-such-path)" in printed
    assert "mockserver serve --token mock1." in printed


def test_workers_may_have_servers_of_their_own(tmp_path: Path) -> None:
    source = "def test_it(portkey):\n    assert portkey.http.get('/api-keys').status_code == 200\n"
    printed, left = session(tmp_path, "-n", "1", "--portkey-in-process", source=source)
    assert "1 passed" in printed, printed[-3000:]
    assert left is None


def test_server_ends_with_whoever_started_it() -> None:
    """However that ends: its input is closed then."""
    desk = Desk()
    host = host_at(desk.address, ServerSettings())
    assert host.ask("GET", "/__admin/health").status == 200
    host.stop()
    (process,) = desk.processes
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
    desk.close()


def test_many_ask_at_once_beside_one_that_says_nothing() -> None:
    desk = Desk()
    host, port, _ = desk.address
    with socket.create_connection((host, port)), ThreadPoolExecutor(64) as pool:
        asked = [pool.submit(host_at, desk.address, ServerSettings()) for _ in range(64)]
        assert {future.result(60).api_key for future in asked} == {host_at(desk.address, ServerSettings()).api_key}
    assert len(desk.processes) == 1
    desk.close()


def test_stranger_gets_no_server() -> None:
    desk = Desk()
    host, port, key = desk.address
    with pytest.raises(AuthenticationError):
        host_at([host, port, "00" * (len(key) // 2)], ServerSettings())
    assert desk.processes == []
    assert host_at(desk.address, ServerSettings()).api_key
    desk.close()
