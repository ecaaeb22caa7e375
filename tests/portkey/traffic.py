"""Calls that leave a log, reports of calls, and reads of what they add up to: shared by the tests of observability."""

from __future__ import annotations

from typing import Any, cast

from mockserver.portkey import logbook
from mockserver.portkey.log_records import LogRecord, put_down
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import at, make_key, read, workspace_id

NOON = "2026-05-03T12:00:00Z"
DAY = {"time_of_generation_min": "2026-05-03T00:00:00Z", "time_of_generation_max": "2026-05-04T00:00:00Z"}
"""The day of that noon."""

MESSAGES = [{"role": "user", "content": "Which tide is next?"}]
MODEL = "@openai-production/gpt-4o"
"""A model of the small team, as keys that the world knows must name it."""


def report(
    status: int = 200, *, tokens: tuple[int, int] = (0, 0), ms: Any = 0, model: str = "gpt-4o", **metadata: Any
) -> Record:
    """A call to OpenAI as somebody reports it."""
    return {
        "request": {"url": "https://api.openai.com/v1/chat/completions", "provider": "openai", "body": {"model": model}},
        "response": {
            "status": status,
            "response_time": ms,
            "body": {"usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}},
        },
        "metadata": metadata,
    }


def reported(client: Client, *logs: Record, when: str | None = None) -> list[Record]:
    """Report calls, at a time, and return their logs as the world holds them, in this order."""
    if when is not None:
        at(client, when)
    reply = client.post("/v1/logs", list(logs))
    assert reply.status_code == 200, reply.text[:500]
    return latest(client, len(logs))


def asked(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Record:
    """Ask a model, and return the log of the call as a read shows it."""
    body = {"model": MODEL, "messages": MESSAGES, **fields}
    reply = client.post("/v1/chat/completions", body, headers=headers or {})
    assert reply.status_code == 200, reply.text[:500]
    return read_log(client, latest(client)[0]["id"])


def used(log: Record) -> tuple[int, int]:
    """The tokens that the answer in a log says it used, in and out."""
    usage = log["response"]["body"]["usage"]
    return usage["prompt_tokens"], usage["completion_tokens"]


def cost_of(log: Record) -> float:
    """What the answer in a log costs: list prices of gpt-4o, cents for a token."""
    tokens_in, tokens_out = used(log)
    return round(tokens_in * 0.00025 + tokens_out * 0.001, 10)


def noted(client: Client, when: str | None = None, **facts: Any) -> None:
    """Write a log with facts that no call brings about by itself, into Production unless it says where."""
    if when is not None:
        at(client, when)
    world, metadata = client.world, facts.pop("metadata", {})
    log = cast(LogRecord, {"workspace_id": workspace_id(client), "trace_id": logbook.new_trace(world), **facts})
    put_down(world, log, metadata, {}, {})
    world.keep()


def latest(client: Client, count: int = 1) -> list[Record]:
    """The newest logs that a world holds, oldest first."""
    page: list[Record] = client.world["logs"].page(0, count)[0]
    return page[::-1]


def read_log(client: Client, log_id: str) -> Record:
    """Read a log."""
    return read(client, f"/v1/logs/{log_id}")


def rated(client: Client, trace_id: str, value: int, weight: float | None = None, when: str | None = None) -> None:
    """Give feedback, at a time."""
    if when is not None:
        at(client, when)
    reply = client.post("/v1/feedback", {"trace_id": trace_id, "value": value, "weight": weight})
    assert reply.status_code == 200, reply.text[:500]


def graph(client: Client, path: str, low: str = "", high: str = "", **filters: Any) -> Record:
    """Read a graph, of the day unless a window is given."""
    window = {"time_of_generation_min": low, "time_of_generation_max": high} if low else DAY
    return read(client, f"/v1/analytics/graphs/{path}", **window, **filters)


def groups(client: Client, path: str, **query: Any) -> Record:
    """Read groups, of the day."""
    return read(client, f"/v1/analytics/groups/{path}", **DAY, **query)


def critic(client: Client, slug: str) -> Client:
    """The same world, called with a key of a workspace that may give feedback."""
    return client.as_key(make_key(client, workspace_id=slug, scopes=["logs.write"]).secret)


def production(client: Client, *scopes: str) -> Client:
    """The same world, called with a key of Production that may call, report, read and export."""
    wanted = scopes or ("completions.write", "logs.write", "logs.view", "logs.export", "analytics.view")
    return client.as_key(make_key(client, scopes=list(wanted)).secret)
