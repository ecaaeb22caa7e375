"""Whether the gateway is up, which anybody may ask."""

from __future__ import annotations

from tests.conftest import Client


def test_health_is_told_without_a_key(client: Client) -> None:
    reply = client.as_key(None).get("/v1/health")
    assert (reply.status_code, reply.json()["status"], reply.json()["message"]) == (200, "success", "Server is healthy")


def test_health_is_no_call_of_a_model(client: Client) -> None:
    client.get("/v1/health")
    assert len(client.world["logs"]) == 0
