"""The same seed, fixtures and calls give the same bytes, whichever process answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.test_server import AUTH, JSON, Served, head

INSTANT = "2026-05-03T17:08:55Z"
LATER_S = 8 * 86400
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Recorder:
    """Makes calls on a world of a server, from `INSTANT` on, and keeps every byte that comes back."""

    def __init__(self, server: Served, base: str = "") -> None:
        self._server = server
        self._base = base
        self.replies: list[bytes] = []
        self.call("PUT", "/__admin/clock", {"now": INSTANT, "frozen": True})
        self.replies.clear()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call, keep the reply, and return the value of its body."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = AUTH + b"connection: close\r\n"
        if content:
            headers += JSON + b"content-length: %d\r\n" % len(content)
        with self._server.connect() as connection:
            connection.sendall(head(method, self._base + path, headers) + content)
            reply = b"".join(iter(lambda: connection.recv(65536), b""))
        self.replies.append(reply)
        return json.loads(body_of(reply))


def twenty_calls(recorder: Recorder) -> list[bytes]:
    """Make, read, change, rotate, be refused, let time pass, delete; return all replies."""
    call = recorder.call
    listed = call("GET", "/v1/admin/workspaces")
    workspace = call("POST", "/v1/admin/workspaces", {"name": "🧪 Twins", "defaults": {"metadata": {"a": "1"}}})
    member = call("GET", f"/v1/admin/workspaces/{listed['data'][1]['slug']}/users")["data"][0]["id"]
    call("POST", f"/v1/admin/workspaces/{workspace['id']}/users", {"users": [{"id": member, "role": "manager"}]})
    call("GET", f"/v1/admin/workspaces/{workspace['slug']}")
    call("PUT", f"/v1/admin/workspaces/{workspace['id']}", {"usage_limits": [{"type": "cost", "credit_limit": 5}]})
    key = call(
        "POST",
        "/v1/api-keys/workspace/service",
        {
            "name": "twin",
            "workspace_id": workspace["slug"],
            "scopes": ["logs.view"],
            "defaults": {"metadata": {"b": "2"}},
            "rotation_policy": {"rotation_period": "weekly"},
        },
    )
    call("GET", f"/v1/api-keys/{key['id']}")
    call("PUT", f"/v1/api-keys/{key['id']}", {"alert_emails": ["ops@example.com"]})
    call("POST", f"/v1/api-keys/{key['id']}/rotate")
    call("POST", f"/v1/api-keys/{key['id']}/rotate")  # refused: the first is in transition
    call("POST", "/v1/api-keys/workspace/service", {"name": "", "rate_limits": [{"unit": "rpm"}], "expires_at": "soon"})
    call("POST", "/v1/nowhere")
    call("POST", "/__admin/clock/move", {"seconds": LATER_S})
    call("GET", f"/v1/api-keys/{key['id']}")
    call("GET", "/v1/api-keys?page_size=3&current_page=1")
    call("DELETE", f"/v1/admin/workspaces/{workspace['id']}/users/{member}")
    call("DELETE", f"/v1/api-keys/{key['id']}")
    call("GET", f"/v1/api-keys/{key['id']}")
    call("GET", "/__admin/records/workspaces")
    assert len(recorder.replies) == 20
    return recorder.replies


def status_of(reply: bytes) -> int:
    """The status of a reply."""
    return int(reply.split(b" ", 2)[1])


def body_of(reply: bytes) -> bytes:
    """The body of a reply."""
    return reply.partition(b"\r\n\r\n")[2]


@pytest.fixture(scope="module")
def first() -> Iterator[Served]:
    """A process with seed 11."""
    with Served("-p", "0", "--seed", "11", environment={"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}) as served:
        yield served
        assert served.stop() == 0


@pytest.fixture(scope="module")
def replies(first: Served) -> list[bytes]:
    """What the first process replies to the twenty calls."""
    return twenty_calls(Recorder(first))


def test_calls_are_of_all_kinds(replies: list[bytes]) -> None:
    assert [status_of(reply) for reply in replies] == [200] * 10 + [409, 400, 404] + [200] * 5 + [404, 200]
    assert b'"last_updated_at":"2026-05-11T00:00:00.000Z"' in replies[14]  # by its policy, on a Monday


def test_same_seed_gives_the_same_bytes(replies: list[bytes], first: Served) -> None:
    """Hashes of another order and another time zone change nothing."""
    with Served("-p", "0", "--seed", "11", environment={"PYTHONHASHSEED": "2", "TZ": "America/New_York"}) as second:
        assert twenty_calls(Recorder(second)) == replies
        assert second.greeting.split()[-1] == first.greeting.split()[-1]


def test_another_seed_gives_other_ids(replies: list[bytes], first: Served) -> None:
    with Served("-p", "0", "--seed", "12") as other:
        others = twenty_calls(Recorder(other))
        assert other.greeting.split()[-1] != first.greeting.split()[-1]
    ids, other_ids = ({each for reply in all_replies for each in UUID.findall(reply)} for all_replies in (replies, others))
    assert len(ids) == len(other_ids) > 10
    assert ids.isdisjoint(other_ids)
    assert list(map(status_of, replies)) == list(map(status_of, others))


def test_another_world_gives_the_same_bodies(replies: list[bytes], first: Served) -> None:
    """Worlds start alike: a test's ids do not hang on what ran before it."""
    others = twenty_calls(Recorder(first, "/worlds/twin"))
    assert [body_of(reply).replace(b"/worlds/twin", b"") for reply in others] == [body_of(reply) for reply in replies]


def test_reset_starts_the_same_bytes_anew(replies: list[bytes], first: Served) -> None:
    Recorder(first).call("POST", "/__admin/reset")
    assert twenty_calls(Recorder(first)) == replies
