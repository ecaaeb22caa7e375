"""What keeps pages of other origins away from the admin API, over a real socket, as browsers send it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from mockserver.app import App, Settings
from mockserver.contract.problems import Problem
from mockserver.control import guard
from mockserver.server import BackgroundServer

PAGES = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
FOLLOWED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Site:
    """The admin API of a server; a call sends these headers and no others."""

    def __init__(self, app: App, origin: str) -> None:
        self.app = app
        self.origin = origin
        self.port = urlsplit(origin).port

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        given = {name: value.replace("PORT", str(self.port)) for name, value in (headers or {}).items()}
        connection.putrequest(method, f"/__admin{path}", skip_host="host" in given, skip_accept_encoding=True)
        if body is not None:
            given["content-length"] = str(len(body))
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        answer = Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        connection.close()
        return answer


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    app = App(Settings(admin_hosts=("mock.internal",)))
    server = BackgroundServer(app)
    server.start()
    yield Site(app, server.origin)
    server.stop()


@pytest.mark.parametrize(
    "headers",
    [
        PAGES,
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        FOLLOWED,
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:1"},
        {"origin": "http://localhost:PORT", "host": "127.0.0.1:PORT"},
        {"origin": "http://[", "host": "127.0.0.1:PORT"},
        {"origin": "null", "host": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/requests"), ("POST", "/reset"), ("OPTIONS", "/reset"), ("GET", "/health")]
)
def test_pages_of_other_origins_are_refused(site: Site, headers: dict[str, str], method: str, path: str) -> None:
    answer = site.call(method, path, headers)
    assert answer.status == (204 if method == "OPTIONS" else 403)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
        {"origin": "http://127.0.0.1:PORT", "sec-fetch-site": "same-origin"},
    ],
    ids=str,
)
def test_own_page_and_no_page_are_answered(site: Site, headers: dict[str, str]) -> None:
    assert site.call("GET", "/requests", headers).status == 200


def test_link_in_another_page_leads_to_the_page(site: Site) -> None:
    """Nobody but the person who follows it sees what comes back; another page cannot put it into a frame."""
    answer = site.call("GET", "/", FOLLOWED)
    assert answer.status == 200
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert site.call("GET", "/", PAGES).status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:PORT", 200),
        ("localhost.", 200),
        ("portkey.localhost:1", 200),
        ("127.0.0.1:PORT", 200),
        ("[::1]:PORT", 200),
        ("10.1.2.3", 200),
        ("mock.internal:PORT", 200),
        ("Mock.Internal", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("notlocalhost", 403),
        ("evil.example:PORT", 403),
        ("127.0.0.1@evil.example", 403),
        ("", 403),
    ],
)
def test_name_that_is_not_ours_is_refused(site: Site, host: str, status: int) -> None:
    """A page may have made its own name lead here (DNS rebinding): then all but this header looks right."""
    assert site.call("GET", "/requests", {"host": host}).status == status


def test_rebound_name_may_not_drive_though_origins_agree(site: Site) -> None:
    world = site.app.worlds.get("default")
    before = world.clock.setting
    headers = {"host": "evil.example:PORT", "origin": "http://evil.example:PORT", "content-type": "application/json"}
    answer = site.call("POST", "/clock/move", headers, b'{"seconds": 60}')
    assert answer.status == 403
    assert b"--admin-host" in answer.body
    assert world.clock.setting == before


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
@pytest.mark.parametrize("path", ["/clock/move", "/reset"])
def test_body_needs_to_say_that_it_is_json(site: Site, path: str, media_type: str | None) -> None:
    """A form can send any text to any origin, and `fetch` a body that says nothing of itself, without asking beforehand."""
    headers = {} if media_type is None else {"content-type": media_type}
    answer = site.call("POST", path, headers, b'{"seconds": 60}')
    assert answer.status == 415
    assert b"unsupported-media-type" in answer.body


def test_body_that_comes_in_chunks_needs_to_as_well() -> None:
    app = App(Settings())
    operation = next(each for each in app.added[0].contract.operations if each.id == "reset")
    with pytest.raises(Problem, match="content type is not taken"):
        guard.refuse_forms(operation, {b"transfer-encoding": b"chunked"})


def test_preflight_promises_nothing(site: Site) -> None:
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = site.call("OPTIONS", "/clock/move", asked)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_served_api_takes_any_name(site: Site) -> None:
    """Its clients may call it what they like."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    connection.request("GET", "/v1/api-keys", headers={"host": "api.portkey.example", "x-portkey-api-key": "any"})
    assert connection.getresponse().status == 200
    connection.close()
