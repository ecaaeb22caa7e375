"""The command `mockserver serve` as a process: how it starts and ends, and what bad input gets over a bare socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sysconfig
import tempfile
import threading
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias

import pytest

import mockserver

Environment: TypeAlias = dict[str, str]

COMMAND = Path(sysconfig.get_path("scripts")) / "mockserver"

ANSWER_WITHIN_S = 5
"""What "quickly" means on a busy machine."""
LONGEST_LIFE_S = 120
MIB = 2**20

AUTH = b"host: localhost\r\nx-portkey-api-key: any\r\n"
JSON = b"content-type: application/json\r\n"
NOBODY = "00000000-0000-4000-a000-000000000000"
PRODUCTION = "ws-produc-71b04e"


class Answer(NamedTuple):
    """What came back. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


class Served:
    """A process of `mockserver serve`: started on entering, ready for the first call then, ended on leaving at the latest."""

    def __init__(
        self, *arguments: str | Path, command: Path = COMMAND, cwd: Path | None = None, environment: Environment | None = None
    ) -> None:
        self._command = [command, "serve", *arguments]
        self._cwd = cwd
        self._environment = plain_environment() | (environment or {})

    def __enter__(self) -> Self:
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self._command, env=self._environment, cwd=self._cwd, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self._watchdog = threading.Timer(LONGEST_LIFE_S, self.process.kill)
        self._watchdog.start()
        assert self.process.stdout is not None
        self.greeting = self.process.stdout.readline()
        found = re.search(r"http://(127\.0\.0\.1:(\d+))", self.greeting)
        if found is None:
            self.__exit__(None, None, None)
            raise AssertionError(f"no URL in {self.greeting!r}")
        self.authority, self.port = found[1], int(found[2])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._watchdog.cancel()
        self.process.kill()
        self.process.communicate()
        self._errors.close()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the status that the process ends with."""
        self.process.send_signal(by)
        return self.process.wait(20)

    def errors(self) -> str:
        """What the process has written to standard error."""
        file = self._errors.fileno()
        # Not by seeking: the process writes where this file stands.
        return os.pread(file, os.fstat(file).st_size, 0).decode()

    def connect(self) -> socket.socket:
        """Return a new connection."""
        return socket.create_connection(("127.0.0.1", self.port), ANSWER_WITHIN_S)

    def send(self, request: bytes, method: str = "GET") -> Answer:
        """Send these bytes on a connection of their own and return the answer to `method`."""
        with self.connect() as connection:
            # A server that has seen enough may stop reading.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(request)
            return receive(connection, method)

    def get(self, path: str, headers: bytes = AUTH) -> Answer:
        """Call by GET."""
        return self.send(head("GET", path, headers))

    def post(self, path: str, body: bytes, headers: bytes = AUTH + JSON) -> Answer:
        """Call by POST."""
        return self.send(post(path, body, headers), "POST")

    def memory_mib(self) -> float:
        """The resident memory of the process."""
        shown = subprocess.run(["ps", "-o", "rss=", "-p", str(self.process.pid)], capture_output=True, text=True, check=True)
        return int(shown.stdout) / 1024


def plain_environment() -> Environment:
    """The environment without settings of the command."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MOCKSERVER_")}


def head(method: str, target: str, headers: bytes = AUTH) -> bytes:
    """Write the head of a request."""
    return f"{method} {target} HTTP/1.1\r\n".encode("latin-1") + headers + b"\r\n"


def post(path: str, body: bytes, headers: bytes = AUTH + JSON) -> bytes:
    """Write a POST."""
    return head("POST", path, headers + b"content-length: %d\r\n" % len(body)) + body


def in_chunks(path: str, chunks: Iterable[bytes]) -> bytes:
    """Write a POST whose length is not announced."""
    encoded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head("POST", path, AUTH + JSON + b"transfer-encoding: chunked\r\n") + encoded + b"0\r\n\r\n"


def receive(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer."""
    with contextlib.closing(http.client.HTTPResponse(connection, method=method)) as response:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())


def run(*arguments: str | Path, environment: Environment | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=plain_environment() | (environment or {}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """One process for the tests that only call it; at the end it must stop cleanly."""
    with Served("-p", "0") as served:
        yield served
        assert served.stop() == 0
        assert "Traceback" not in served.errors()


@pytest.fixture
def base() -> str:
    """The base path of a private world."""
    return f"/worlds/test-{uuid.uuid4().hex[:12]}"


def records(server: Served, base: str) -> Any:
    """How many records each collection of a world holds."""
    return server.get(f"{base}/__admin/records").json["collections"]


# How it starts.


def test_serve_greets_with_one_line() -> None:
    with Served("-p", "0") as served:
        assert f"http://{served.authority}/v1" in served.greeting
        assert f"http://{served.authority}/__admin/" in served.greeting
        assert re.search(r"admin key \S{8,}, workspace key \S{8,}$", served.greeting)
        assert served.stop() == 0
        assert served.process.stdout is not None
        assert (served.process.stdout.read(), served.errors()) == ("", "")


def test_first_call_is_answered_by_the_key_that_is_told() -> None:
    with Served("-p", "0", "--auth", "strict") as served:
        told = re.search(r"admin key (\S+), workspace key (\S+)$", served.greeting)
        assert told is not None
        admin, workspace = (b"host: localhost\r\nx-portkey-api-key: %b\r\n" % key.encode() for key in told.groups())
        assert served.get("/v1/api-keys", admin).json["total"] == 7
        assert served.get("/v1/providers", workspace).json["total"] == 2
        assert served.get("/v1/api-keys").status == 401


def test_admin_page_is_where_the_greeting_says(server: Served) -> None:
    page = server.get("/__admin/", b"host: localhost\r\n")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_port_file_holds_the_port_while_it_serves(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with Served("-p", "0", "--port-file", file) as served:
        assert file.read_text() == f"{served.port}\n"
        served.stop()
    assert not file.exists()


def test_given_port_is_taken() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Served("-p", str(port)) as served:
        assert served.port == port


@pytest.mark.parametrize("prefix", ["MOCKSERVER_", "MOCKSERVER_SERVE_"])
def test_environment_gives_options(prefix: str, tmp_path: Path) -> None:
    wanted = {"FIXTURE": "empty", "SEED": "7", "AUTH": "strict", "JOURNAL": "5", "BODY_LIMIT": "1000", "EXPLAIN": "false"}
    file = tmp_path / "port"
    given = {"PORT": "0", "PORT_FILE": str(file), **wanted}
    with Served(environment={prefix + name: value for name, value in given.items()}) as served:
        settings = served.get("/__admin/settings").json
        assert file.exists()
    assert settings == {
        "document": "openapi.yaml",
        "fixture": "empty",
        "seed": 7,
        "auth": "strict",
        "journal": 5,
        "body_limit": 1000,
        "upload_limit": 512 * 2**20,
        "unknown_ids": "refuse",
        "unredacted": False,
        "explain": False,
    }


def test_command_line_wins_over_environment() -> None:
    with Served("-p", "0", "--seed", "3", environment={"MOCKSERVER_SEED": "7", "MOCKSERVER_PORT": "1"}) as served:
        assert served.get("/__admin/settings").json["seed"] == 3


def test_admin_token_guards_the_admin_api_alone() -> None:
    with Served("-p", "0", "--admin-token", "sesame") as served:
        assert served.get("/__admin/settings").status == 401
        assert served.get("/__admin/settings", AUTH + b"authorization: Bearer sesame\r\n").status == 200
        assert served.get("/v1/api-keys").status == 200


def test_admin_api_takes_the_names_that_it_is_given() -> None:
    with Served("-p", "0", "--admin-host", "mock.internal", "--admin-host", "desk") as served:
        asked = [
            served.get("/__admin/health", b"host: %b\r\n" % name).status for name in (b"mock.internal", b"desk:80", b"mock")
        ]
    assert asked == [200, 200, 403]


def test_fixture_file_is_the_world(tmp_path: Path) -> None:
    fixture = tmp_path / "world.yaml"
    fixture.write_text("workspaces: [{name: Only, slug: ws-only}]\n")
    with Served("-p", "0", "--fixture", fixture) as served:
        listed = served.get("/v1/admin/workspaces").json
    assert [each["slug"] for each in listed["data"]] == ["ws-only"]


def test_token_brings_a_world_back(tmp_path: Path) -> None:
    """With the fixture, the seed and the rest that it was made with, whatever the defaults are."""
    with Served("-p", "0", "--seed", "7", "--fixture", "empty", "--auth", "strict") as served:
        key = re.search(r"admin key ([\w-]+)", served.greeting)
        assert key is not None
        headers = f"host: localhost\r\nx-portkey-api-key: {key[1]}\r\n".encode()
        made = served.post("/v1/admin/workspaces", b'{"name": "Ours"}', headers + JSON).json
        token = served.get("/__admin/token", headers).json["token"]
    file = tmp_path / "world.token"
    file.write_text(token)
    with Served("-p", "0", "--token", file) as again:
        assert again.get(f"/v1/admin/workspaces/{made['id']}", headers).json["name"] == "Ours"
        told = again.get("/__admin/settings", headers).json
        assert (told["seed"], told["fixture"], told["auth"]) == (7, "empty", "strict")


def test_another_document_is_served(tmp_path: Path) -> None:
    document = tmp_path / "notes.yaml"
    document.write_text(
        """
        openapi: 3.0.3
        info: {title: Notes, version: '1'}
        paths:
          /notes:
            get:
              responses:
                '200': {description: All., content: {application/json: {schema: {type: array, items: {type: string}}}}}
        """
    )
    with Served(document, "-p", "0", environment={"XDG_CACHE_HOME": str(tmp_path)}) as served:
        answer = served.get("/notes", b"host: localhost\r\n")
        assert served.greeting.startswith("Notes on http://")
    assert (answer.status, type(answer.json)) == (200, list)


def test_version_is_told() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"mockserver, version {mockserver.__version__}\n")


def test_module_is_the_command() -> None:
    python = Path(sysconfig.get_path("scripts")) / "python"
    done = subprocess.run([python, "-m", "mockserver", "--version"], capture_output=True, text=True, check=False)
    assert done.stdout == run("--version").stdout


def test_help_names_every_option() -> None:
    done = run("serve", "--help")
    assert done.returncode == 0
    for option in ("-p, --port", "-h, --host", "--fixture", "--seed", "--auth [open|strict]", "--port-file", "--log-level"):
        assert option in done.stdout
    assert "--admin-token" in done.stdout


# How it ends.


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_signal_ends_it_cleanly(by: signal.Signals) -> None:
    with Served("-p", "0") as served:
        served.get("/v1/api-keys")
        assert served.stop(by) == 0
        assert served.errors() == ""


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /v1/api-keys HT", head("POST", "/v1/admin/workspaces", AUTH + JSON + b"content-length: 99\r\n") + b'{"na'],
    ids=["idle", "half a head", "half a body"],
)
def test_open_connection_does_not_soil_the_end(sent: bytes) -> None:
    with Served("-p", "0") as served, served.connect() as connection:
        connection.sendall(sent)
        served.get("/v1/api-keys")
        assert served.stop(signal.SIGINT) == 0
        assert served.errors() == ""


# What cannot be started.


BROKEN_FILES = {
    "broken.yaml": b"paths: [1,\n",
    "broken.json": b'{"openapi":',
    "empty.yaml": b"",
    "text.yaml": b"just a text\n",
    "old.yaml": b"swagger: '2.0'\ninfo: {title: Old, version: '1'}\npaths: {}\n",
    "binary.yaml": bytes(range(256)),
    "no-paths.yaml": b"openapi: 3.0.3\ninfo: {title: None, version: '1'}\n",
    "deep.yaml": b"[" * 100_000,
    "unknown-section.yaml": b"workspace: []\n",
    "wrong-type.yaml": b"users:\n  - {email: 7}\n",
    "unknown-name.yaml": b"api_keys:\n  - {name: a, type: workspace-service, workspace: ws-none, scopes: all}\n",
    "list.yaml": b"- 1\n",
    "twice.yaml": b"users:\n  - {email: a@example.com, email: b@example.com}\n",
}


@pytest.fixture
def broken_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An own working directory that holds `BROKEN_FILES`."""
    for name, content in BROKEN_FILES.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)


def assert_one_clear_line(done: subprocess.CompletedProcess[str], culprit: str) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mockserver: ")
    assert done.stderr.count("\n") == 1
    assert culprit in done.stderr


@pytest.mark.usefixtures("broken_files")
@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        pytest.param(arguments, culprit, id=" ".join(arguments))
        for arguments, culprit in (
            (["missing.yaml"], "missing.yaml: there is no such file"),
            (["."], ".: "),
            (["broken.yaml"], "broken.yaml:2: is not valid YAML"),
            (["broken.json"], "broken.json: is not valid JSON"),
            (["empty.yaml"], "empty.yaml: is not an OpenAPI document"),
            (["text.yaml"], "text.yaml: is not an OpenAPI document"),
            (["old.yaml"], "old.yaml:/openapi: OpenAPI 3.0 is needed"),
            (["no-paths.yaml"], "no-paths.yaml: is not an OpenAPI document"),
            (["binary.yaml"], "binary.yaml: is not valid YAML"),
            (["deep.yaml"], "deep.yaml"),
            (["--fixture", "nowhere"], "nowhere: there is no such fixture; name one of empty, large_org, small_team"),
            (["--fixture", "missing.yaml"], "missing.yaml: there is no such file"),
            (["--fixture", "broken.yaml"], "broken.yaml:2: is not valid YAML"),
            (["--fixture", "list.yaml"], "list.yaml: a fixture is an object of sections"),
            (["--fixture", "unknown-section.yaml"], "unknown-section.yaml:1: workspace: there is no section 'workspace'"),
            (["--fixture", "wrong-type.yaml"], 'wrong-type.yaml:2: users.0.email: 7 is not of type "string"'),
            (["--fixture", "unknown-name.yaml"], "unknown-name.yaml:2: api_keys.0: there is no workspace 'ws-none'"),
            (["--fixture", "twice.yaml"], "twice.yaml:2: is not valid YAML: the key 'email' is there twice"),
            (["--host", "0.0.0.0"], "--host 0.0.0.0 can be reached from other machines"),
            (["--host", "::"], "--host :: can be reached from other machines"),
            (["--host", "nowhere.invalid", "--admin-token", "sesame"], "--host nowhere.invalid: there is no such address"),
            (["--token", "mock1.AAAA"], "the token is damaged: copy it whole, from `mock1.` to its end"),
            (["--token", "nowhere"], "nowhere is neither a token, which begins with `mock1.`, nor a file with one"),
            (["--port-file", "nowhere/port"], "--port-file nowhere/port: No such file or directory"),
        )
    ],
)
def test_bad_setup_is_told_in_one_line(arguments: list[str], culprit: str, tmp_path: Path) -> None:
    done = run("serve", "-p", "0", *arguments, environment={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert_one_clear_line(done, culprit)


def test_taken_port_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("serve", "-p", str(port))
    assert_one_clear_line(done, f"cannot listen on 127.0.0.1:{port}")


@pytest.mark.parametrize(
    "arguments", [["-p", "70000"], ["--seed", "x"], ["--auth", "maybe"], ["--nope"], ["a.yaml", "b.yaml"]], ids=" ".join
)
def test_wrong_usage_has_status_2(arguments: list[str]) -> None:
    done = run("serve", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"mockserver: .+ \(see mockserver serve --help\)\n", done.stderr)


# Bad input. Source of the rows: what the project promises for bad input; the envelope is Portkey's.


def workspace(name: bytes, more: bytes = b"") -> bytes:
    """The body of a new workspace: its name as it is written in JSON, and more fields."""
    return b'{"name":%b%b}' % (name, more)


REFUSED_BODIES = {
    "nothing": b"",
    "cut off": b'{"name":',
    "more after the end": workspace(b'"a"') + b" {}",
    "single quotes": b"{'name':'a'}",
    "a comment": b'{"name":"a"} // a',
    "a byte that is not UTF-8": workspace(b'"\xff"'),
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "half a surrogate pair": workspace(rb'"\ud800"'),
    "NaN": workspace(b'"a"', b',"x":NaN'),
    "Infinity": workspace(b'"a"', b',"x":-Infinity'),
    "1e999": workspace(b'"a"', b',"x":1e999'),
    "an integer of 400 digits": workspace(b'"a"', b',"x":1' + b"0" * 400),
    "an integer of 100,000 digits": workspace(b'"a"', b',"x":1' + b"0" * 100_000),
    "a budget of 30 digits": workspace(b'"a"', b',"usage_limits":[{"type":"cost","credit_limit":1' + b"0" * 30 + b"}]"),
    "NUL in the name": workspace(rb'"a\u0000b"'),
    "NUL as it is": workspace(b'"a\0b"'),
    "NUL in a field's name": workspace(b'"a"', rb',"a\u0000":1'),
    "201 levels": workspace(b'"a"', b',"x":' + b"[" * 200 + b"]" * 200),
    "100,000 levels": workspace(b'"a"', b',"x":' + b"[" * 100_000 + b"]" * 100_000),
    "100,000 levels of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "100,000 levels, never closed": b"[" * 100_000,
    "an array": b"[]",
    "null": b"null",
    "no name": b"{}",
    "a number for a name": workspace(b"1"),
    "an empty name": workspace(b'""'),
}


@pytest.mark.parametrize("body", REFUSED_BODIES.values(), ids=REFUSED_BODIES)
def test_refused_body_gets_400_in_the_envelope(server: Served, base: str, body: bytes) -> None:
    answer = server.post(f"{base}/v1/admin/workspaces", body)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    told = answer.json
    assert (told["success"], told["data"]["errorCode"]) == (False, "AB01")
    assert told["message"] == told["data"]["message"] == told["error"]["message"]
    assert {violation["in"] for violation in told["data"]["violations"]} == {"body"}


def test_refused_calls_change_nothing(server: Served, base: str) -> None:
    before = records(server, base)
    for body in REFUSED_BODIES.values():
        server.post(f"{base}/v1/admin/workspaces", body)
    assert records(server, base) == before
    assert server.get(f"{base}/__admin/requests/count?status=400").json["count"] == len(REFUSED_BODIES)


def test_every_violation_is_listed(server: Served, base: str) -> None:
    body = b'{"name":"","scopes":[],"rate_limits":[{"type":"wishes","unit":"rpm","value":"1"}],"expires_at":"soon"}'
    told = server.post(f"{base}/v1/api-keys/organisation/service", body).json
    pointers = {violation["pointer"] for violation in told["data"]["violations"]}
    assert pointers == {"/name", "/scopes", "/rate_limits/0/type", "/rate_limits/0/value", "/expires_at"}


def test_200_levels_are_taken(server: Served, base: str) -> None:
    body = workspace(b'"a"', b',"x":' + b"[" * 199 + b"]" * 199)
    assert server.post(f"{base}/v1/admin/workspaces", body).status == 200


@pytest.mark.parametrize(
    "target",
    ["/v1/admin/workspaces/%00", "/v1/admin/workspaces/%ff", "/v1/admin/workspaces?name=%00", "/v1/admin/workspaces?name=%ff"],
)
def test_nul_and_false_utf8_in_the_target_get_400(server: Served, base: str, target: str) -> None:
    answer = server.get(base + target)
    assert (answer.status, answer.json["data"]["errorCode"]) == (400, "AB01")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        b"FROB /v1/api-keys HTTP/1.1\r\n" + AUTH + b"\r\n",
        b"GET /v1/api keys HTTP/1.1\r\n" + AUTH + b"\r\n",
        b"GET /v1/\0 HTTP/1.1\r\n" + AUTH + b"\r\n",
        head("GET", "/v1/api-keys", AUTH + b"x-a: b\0c\r\n"),
        head("POST", "/v1/admin/workspaces", AUTH + b"content-length: -1\r\n"),
        head("POST", "/v1/admin/workspaces", AUTH + b"content-length: 1\r\ncontent-length: 2\r\n") + b"{}",
        head("POST", "/v1/admin/workspaces", AUTH + b"content-length: 2\r\ntransfer-encoding: chunked\r\n") + b"0\r\n\r\n",
        head("POST", "/v1/admin/workspaces", AUTH + b"transfer-encoding: chunked\r\n") + b"zz\r\n",
    ],
    ids=[
        "TLS",
        "unknown method",
        "space in the path",
        "NUL in the path",
        "NUL in a header",
        "negative length",
        "two lengths",
        "length and chunks",
        "no size of a chunk",
    ],
)
def test_what_is_not_http_gets_400_and_the_door(server: Served, raw: bytes) -> None:
    answer = server.send(raw)
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert server.get("/v1/api-keys").status == 200


@pytest.mark.parametrize("media_type", [b"text/plain", b"application/x-www-form-urlencoded", b"application/xml", b"nonsense"])
def test_other_media_type_gets_415(server: Served, base: str, media_type: bytes) -> None:
    answer = server.post(f"{base}/v1/admin/workspaces", workspace(b'"a"'), AUTH + b"content-type: %b\r\n" % media_type)
    assert (answer.status, answer.json["data"]["errorCode"]) == (415, "AB01")
    assert "only application/json" in answer.json["message"]


@pytest.mark.parametrize(
    "media_type", [b"application/json; charset=utf-8", b"Application/JSON", b"application/json;charset=UTF-8"]
)
def test_json_is_taken_however_it_is_written(server: Served, base: str, media_type: bytes) -> None:
    answer = server.post(f"{base}/v1/admin/workspaces", workspace(b'"a"'), AUTH + b"content-type: %b\r\n" % media_type)
    assert answer.status == 200


BODILESS = ("GET", f"/v1/api-keys/{NOBODY}"), ("DELETE", f"/v1/api-keys/{NOBODY}"), ("GET", "/__admin/health")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/admin/workspaces"), ("PUT", f"/v1/admin/workspaces/{PRODUCTION}"), *BODILESS],
    ids=lambda value: value,
)
def test_announced_body_over_10_mib_gets_413(server: Served, base: str, method: str, path: str) -> None:
    """Nothing of the body is waited for, and it matters not whether the operation has one."""
    answer = server.send(head(method, base + path, AUTH + JSON + b"content-length: %d\r\n" % (10 * MIB + 1)), method)
    assert answer.status == 413


def test_chunked_body_over_10_mib_gets_413(server: Served, base: str) -> None:
    answer = server.send(in_chunks(f"{base}/v1/admin/workspaces", [b" " * MIB] * 11), "POST")
    assert (answer.status, answer.json["data"]["errorCode"]) == (413, "AB01")


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_body_of_10_mib_is_taken(server: Served, base: str, chunked: bool) -> None:
    body = workspace(b'"a"').ljust(10 * MIB)
    path = f"{base}/v1/admin/workspaces"
    pieces = [body[at : at + MIB] for at in range(0, len(body), MIB)]
    assert server.send(in_chunks(path, pieces) if chunked else post(path, body), "POST").status == 200


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/api-keys", "GET, HEAD, OPTIONS"),
        ("/v1/api-keys/organisation/service", "OPTIONS, POST"),
        (f"/v1/api-keys/{NOBODY}", "DELETE, GET, HEAD, OPTIONS, PUT"),
        (f"/v1/api-keys/{NOBODY}/rotate", "OPTIONS, POST"),
        ("/v1/admin/workspaces", "GET, HEAD, OPTIONS, POST"),
        (f"/v1/admin/workspaces/{PRODUCTION}", "DELETE, GET, HEAD, OPTIONS, PUT"),
        (f"/v1/admin/workspaces/{PRODUCTION}/users", "GET, HEAD, OPTIONS, POST"),
        (f"/v1/admin/workspaces/{PRODUCTION}/users/{NOBODY}", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/__admin/health", "GET, HEAD, OPTIONS"),
    ],
)
class TestMethods:
    """What a path answers to methods that it does not have."""

    @pytest.mark.parametrize("method", ["PATCH", "TRACE"])
    def test_other_method_gets_405_with_allow(self, server: Served, path: str, allowed: str, method: str) -> None:
        answer = server.send(head(method, path), method)
        assert (answer.status, answer.headers["allow"]) == (405, allowed)
        assert answer.json["success"] is False

    def test_options_gets_allow(self, server: Served, path: str, allowed: str) -> None:
        answer = server.send(head("OPTIONS", path, b"host: localhost\r\n"), "OPTIONS")
        assert (answer.status, answer.headers["allow"], answer.body) == (204, allowed, b"")


@pytest.mark.parametrize("path", ["/v1/api-keys", f"/v1/api-keys/{NOBODY}", "/v1/nowhere", "/__admin/health"])
def test_head_is_get_without_a_body(server: Served, base: str, path: str) -> None:
    """The second answer on the connection shows that no body came."""
    got = server.get(base + path)
    with server.connect() as connection:
        connection.sendall(head("HEAD", base + path))
        answer = receive(connection, "HEAD")
        connection.sendall(head("GET", "/__admin/health"))
        assert receive(connection).json["status"] == "healthy"
    assert (answer.status, answer.headers, answer.body) == (got.status, got.headers, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/api-keys",
        "/v1/api-keys/",
        "//v1//api-keys",
        "/v1//api-keys//",
        "/api-keys",
        "//api-keys/",
        "/v1/api-keys?",
        "/v1/api%2Dkeys",
    ],
)
def test_slashes_and_base_path_do_not_matter(server: Served, path: str) -> None:
    """Source: sdk-call-map, Pointing a client at a mock; 4, row 1 (a bare question mark)."""
    answer = server.get(path)
    assert (answer.status, answer.json["total"]) == (200, 7)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "//", "/v1/nowhere", "/v1/nowhere/", "/V1/api-keys", "/v1/../v1/api-keys", "/v1%2Fapi-keys"]
)
def test_unknown_path_gets_404(server: Served, path: str) -> None:
    answer = server.get(path)
    assert (answer.status, answer.json["data"]["errorCode"]) == (404, "AB08")


@pytest.mark.parametrize("path", ["/v1/api-keys/", "//v1/api-keys", "/v1//", "/__admin/", "/__admin/health/", "/nowhere/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_nothing_is_redirected(server: Served, method: str, path: str) -> None:
    """The Python client takes a redirect for an error. Source: sdk-call-map, Pointing a client at a mock."""
    answer = server.send(head(method, path, AUTH + b"content-length: 0\r\n"), method)
    assert answer.status // 100 in (2, 4)
    assert "location" not in answer.headers


def test_encoded_slash_belongs_to_the_id(server: Served, base: str) -> None:
    """Source: sdk-call-map 4, row 12 (route on the raw path)."""
    server.get(f"{base}/v1/admin/workspaces/{PRODUCTION}%2Fusers")
    (entry,) = server.get(f"{base}/__admin/requests").json["requests"]
    assert (entry["operation"], entry["status"]) == ("getWorkspace", 403)


@pytest.mark.parametrize(
    "headers",
    [b"host: localhost\r\n", b"host: localhost\r\nx-portkey-api-key:\r\n", b"host: localhost\r\nauthorization: Basic YTpi\r\n"],
    ids=["no key", "an empty key", "another scheme"],
)
def test_call_without_a_key_gets_401(server: Served, headers: bytes) -> None:
    answer = server.get("/v1/api-keys", headers)
    assert (answer.status, answer.json["data"]["errorCode"]) == (401, "AB05")


def test_call_before_http_1_1_is_answered(server: Served) -> None:
    answer = server.send(b"GET /v1/api-keys HTTP/1.0\r\n" + AUTH + b"\r\n")
    assert (answer.status, answer.headers["connection"]) == (200, "close")


# Clients that misbehave.


def hang_up(connection: socket.socket, *, reset: bool) -> None:
    """Close a connection, politely or by a reset."""
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.8, 0.99], ids=["in the line", "in the headers", "in the body", "at the end"])
def test_client_that_hangs_up_changes_nothing(server: Served, base: str, kept: float, reset: bool) -> None:
    before = records(server, base)
    request = post(f"{base}/v1/admin/workspaces", workspace(b'"left"', b',"description":"' + b"a" * 200 + b'"'))
    connection = server.connect()
    connection.sendall(request[: int(len(request) * kept)])
    hang_up(connection, reset=reset)
    assert server.get("/v1/api-keys").status == 200
    assert records(server, base) == before
    assert server.get(f"{base}/__admin/requests/count").json["count"] == 0


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_client_that_does_not_read_harms_nobody(server: Served, reset: bool) -> None:
    for _ in range(20):
        connection = server.connect()
        connection.sendall(head("GET", "/v1/api-keys") * 5)
        hang_up(connection, reset=reset)
    assert server.get("/v1/api-keys").status == 200
    assert "Traceback" not in server.errors()


def test_half_a_request_waits_for_the_rest(server: Served, base: str) -> None:
    request = post(f"{base}/v1/admin/workspaces", workspace(b'"slow"'))
    with server.connect() as connection:
        for piece in (request[:10], request[10:-5], request[-5:]):
            connection.sendall(piece)
            assert server.get("/v1/api-keys").status == 200
        assert receive(connection, "POST").json["name"] == "slow"


def test_500_idle_connections_hold_up_nobody(server: Served, base: str) -> None:
    """Half of them have sent half a request."""
    half = post(f"{base}/v1/admin/workspaces", workspace(b'"idle"'))[:-3]
    with contextlib.ExitStack() as connections:
        idle = [connections.enter_context(server.connect()) for _ in range(500)]
        for connection in idle[::2]:
            connection.sendall(half)
        assert server.post(f"{base}/v1/admin/workspaces", workspace(b'"busy"')).json["name"] == "busy"
        assert server.get("/v1/api-keys").status == 200
        idle[1].sendall(head("GET", "/v1/api-keys"))
        assert receive(idle[1]).status == 200


def test_many_violations_are_refused_quickly() -> None:
    """A report of a few pages serves the reader; one that is many times the body only ties the server up."""
    body = b'{"name":"a","scopes":["a"],"alert_emails":[' + b",".join([b"1"] * 100_000) + b"]}"
    with Served("-p", "0") as served:
        served.post("/v1/admin/workspaces", b"{}")  # the first refusal loads what explains it
        before_mib = served.memory_mib()
        answer = served.post("/v1/api-keys/organisation/service", body)
        assert answer.status == 400
        assert len(answer.body) < MIB
        assert served.memory_mib() - before_mib < 64


def too_large_as_announced() -> bytes:
    return head("POST", "/v1/admin/workspaces", AUTH + JSON + b"content-length: %d\r\n" % (2 * MIB)) + b" " * (MIB + MIB // 2)


def too_large_in_chunks() -> bytes:
    return in_chunks("/v1/admin/workspaces", [b" " * (MIB // 2)] * 3)


def wrong_and_just_not_too_large() -> bytes:
    return post("/v1/admin/workspaces", workspace(b'"' + b"a" * (MIB - 100) + b'"'))


@pytest.mark.parametrize(
    ("make", "status"),
    [(too_large_as_announced, 413), (too_large_in_chunks, 413), (wrong_and_just_not_too_large, 400)],
    ids=["announced", "chunked", "wrong"],
)
def test_memory_does_not_grow_with_refused_bodies(make: Any, status: int) -> None:
    """200 bodies of more than 1 MiB where 1 MiB is the limit; what is kept of a call goes into a journal of 10."""
    request = make()
    with Served("-p", "0", "--body-limit", str(MIB), "--journal", "10") as served:
        for _ in range(20):
            assert served.send(request, "POST").status == status
        before_mib = served.memory_mib()
        for _ in range(200):
            assert served.send(request, "POST").status == status
        assert served.memory_mib() - before_mib < 32
