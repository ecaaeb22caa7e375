"""`mockserver proxy` as a process: how it starts, tells, stops, and what it says of wrong use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pytest
from click.testing import CliRunner, Result

from mockserver.cli import main
from tests.proxying.conftest import Before
from tests.proxying.through import DEPOT, Switch, always
from tests.test_server import COMMAND, LONGEST_LIFE_S, plain_environment

KEY = {"x-depot-pass": "a-pass-for-tests"}
JSON = (b"content-type", b"application/json")
CRATE = b'{"id": 1, "weight": 2.5}'


class Running:
    """A process of the proxy, from its first line on."""

    def __init__(self, *arguments: str | Path, environment: dict[str, str] | None = None) -> None:
        self._command = [COMMAND, "proxy", *arguments, "--port", "0"]
        self._environment = plain_environment() | (environment or {})

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._watchdog = threading.Timer(LONGEST_LIFE_S, self.process.kill)
        self._watchdog.start()
        assert self.process.stderr is not None
        self.greeting = self.process.stderr.readline()
        self.url = self.greeting.split(" for ")[0].removeprefix("proxy on ")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._watchdog.cancel()
        self.process.kill()
        self.process.communicate()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=KEY, trust_env=False)

    def stop(self, by: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """Stop it; return status, standard output and standard error."""
        self.process.send_signal(by)
        out, errors = self.process.communicate(timeout=20)
        return self.process.returncode, out, errors


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_run_that_is_kept_ends_with_0_and_a_report(by: signal.Signals, switched: tuple[Switch, str], tmp_path: Path) -> None:
    switch, origin = switched
    switch.service = always(200, CRATE, JSON)
    port_file = tmp_path / "port"
    with Running(origin, DEPOT, "--port-file", port_file) as proxy:
        assert proxy.url.endswith(f":{port_file.read_text().strip()}")
        assert proxy.get("/crates/1").status_code == 200
        status, out, errors = proxy.stop(by)
    assert (status, errors.splitlines()) == (0, [errors.splitlines()[0]])
    assert errors.startswith("GET /crates/1 200 getCrate")
    assert out.endswith(f"{origin}: kept; checked 1 exchanges, 1 operations; 0 errors, 0 warnings, 0 notes\n")
    assert not port_file.exists()


def test_run_that_is_broken_ends_with_1(switched: tuple[Switch, str], tmp_path: Path) -> None:
    switch, origin = switched
    switch.service = always(200, b"{}", JSON)
    given = {"MOCKSERVER_PROXY_RECORD": str(tmp_path / "kept"), "MOCKSERVER_PROXY_REPORT": "json"}
    with Running(origin, DEPOT, environment=given) as proxy:
        proxy.get("/crates/1")
        status, out, _ = proxy.stop()
    report: Any = json.loads(out)
    assert (status, report["tool"], report["verdict"]) == (1, "proxy", "broken")
    assert os.listdir(tmp_path / "kept") == ["000001.har"]


def test_run_without_calls_ends_with_2(switched: tuple[Switch, str]) -> None:
    with Running(switched[1], DEPOT) as proxy:
        assert proxy.stop()[0] == 2


def test_fail_fast_stops_by_itself(switched: tuple[Switch, str]) -> None:
    switch, origin = switched
    switch.service = always(200, b"{}", JSON)
    with Running(origin, DEPOT, "--fail-fast") as proxy:
        assert proxy.get("/crates/1").status_code == 200
        assert proxy.process.wait(10) == 1


def test_replay_needs_no_url(before: Before, tmp_path: Path) -> None:
    with before(always(200, CRATE, JSON), record=tmp_path) as through:
        through.client.get("/crates/1", headers=KEY)
        through.report()
    with Running("--replay", tmp_path, DEPOT) as proxy:
        assert proxy.get("/crates/1").content == CRATE
        assert proxy.stop()[0] == 0


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["proxy", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "the URL of a service is needed first"),
        (["shop.yaml"], "not 'shop.yaml'"),
        (["ftp://example.com"], "the URL of a service is needed first"),
        (["http://"], "the URL of a service is needed"),
        (["http://example.com?a=b"], "without a query"),
        (["http://example.com", "a.yaml", "b.yaml"], "one document is enough"),
        (["http://example.com", "nothing.yaml"], "there is no such file"),
        (["http://example.com", "--record", "a", "--replay", "b"], "a recording cannot be made of itself"),
        (["--replay", "nothing"], "there is no such file"),
        (["http://example.com", "--record", str(DEPOT)], "File exists"),
        (["http://example.com", "--timeout", "0"], "--timeout"),
        (["http://example.com", "--loud"], "No such option"),
    ],
)
def test_wrong_use_is_2_and_one_line(arguments: list[str], reason: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
