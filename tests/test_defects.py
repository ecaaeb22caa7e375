"""A defect of ours is never a wrong 200: it is a 500 that says whose it is, with the reason in the log, and changes nothing."""

from __future__ import annotations

import logging

import pytest

from mockserver.control.exhibit import verdict
from mockserver.values import Record
from tests.conftest import Client


def some_key(client: Client) -> Record:
    """The admin's: nothing is due on it."""
    *_, key = client.world["api_keys"].newest()
    return dict(key)


def test_reply_that_breaks_the_contract_does_not_get_out(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    key = some_key(client)
    broken = {**key["_wire"], "status": "asleep"}
    client.world["api_keys"].replace({**key, "_wire": broken})
    with caplog.at_level(logging.ERROR):
        reply = client.get(f"/v1/api-keys/{key['id']}")
    assert reply.status_code == 500
    assert reply.headers["x-mock-problem"] == "mock-broke-contract"
    assert reply.headers["x-portkey-gateway-exception"] == "true"
    assert reply.json()["data"]["violations"][0]["pointer"] == "/status"
    assert "status must be one of" in caplog.text


def test_exception_in_a_stub_is_told_with_its_traceback(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    key = some_key(client)
    client.world["api_keys"].replace({name: value for name, value in key.items() if name != "_wire"})
    with caplog.at_level(logging.ERROR):
        reply = client.get(f"/v1/api-keys/{key['id']}")
    assert reply.status_code == 500
    assert reply.headers["x-mock-problem"] == "mock-failed"
    assert "KeyError: '_wire'" in caplog.text
    assert "_wire" not in reply.text


def test_defect_leaves_the_world_as_it_was(client: Client) -> None:
    """The keys of a workspace go before the workspace itself, which is broken here."""
    workspace = client.world["workspaces"].find("slug", "ws-resear-c52d88")
    client.world["workspaces"].replace({**workspace, "_wire": {**workspace["_wire"], "usage_limits": 5}})
    before = [key["id"] for key in client.world["api_keys"].newest()]
    assert client.delete("/v1/admin/workspaces/ws-resear-c52d88").status_code == 500
    assert [key["id"] for key in client.world["api_keys"].newest()] == before


def test_defect_is_counted_in_the_journal(client: Client) -> None:
    key = some_key(client)
    client.world["api_keys"].replace({**key, "_wire": {**key["_wire"], "object": "lock"}})
    client.get(f"/v1/api-keys/{key['id']}")
    entry = next(client.world.journal.newest())
    assert (entry.status, entry.problem) == (500, "mock-broke-contract")
    assert entry.violations
    assert verdict(entry) == ("kept", "broke", "mock")
