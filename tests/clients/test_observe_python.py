"""The real `portkey-ai` for Python, sync and async, over a real socket: logs, log exports and analytics."""

from __future__ import annotations

import asyncio
import json
import operator
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import httpx
import pytest
from portkey_ai.api_resources import exceptions
from portkey_ai.api_resources.apis.logger import Logger

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.calls import MESSAGES

Call: TypeAlias = Callable[..., Any]

PRODUCTION = "ws-produc-71b04e"
NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
WINDOW = {"time_of_generation_min": "2026-05-03T12:00:00.000Z", "time_of_generation_max": "2026-05-03T12:10:00.000Z"}
QUESTION = {"url": "https://api.openai.com/v1/chat/completions", "provider": "openai", "body": {"model": "gpt-4o"}}


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, portkey: PortkeyWorld) -> Iterator[Call]:
    """Calls a method of the SDK by its name, on `Portkey` or on `AsyncPortkey`."""
    if request.param == "sync":
        client = portkey.client(api_key="any")
        yield lambda method, **arguments: operator.attrgetter(method)(client)(**arguments)
        return
    client = portkey.async_client(api_key="any")
    with asyncio.Runner() as runner:
        yield lambda method, **arguments: runner.run(operator.attrgetter(method)(client)(**arguments))
        runner.run(client.close())
        runner.run(client.openai_client.close())


def answer(status: int, tokens: tuple[int, int], ms: int) -> dict[str, Any]:
    """An answer as somebody reports it."""
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return {"status": status, "response_time": ms, "body": {"usage": usage}}


@pytest.fixture
def traffic(call: Call, portkey: PortkeyWorld) -> None:
    """Reports of two calls at noon, one of them by Ines, and of a failed one three minutes later."""
    portkey.clock.freeze(NOON)
    for metadata in ({"_user": "ines"}, {}):
        call("logs.create", request=QUESTION, response=answer(200, (21, 17), 270), metadata=metadata)
    portkey.clock.freeze(NOON + timedelta(minutes=3))
    metadata = {"trace_id": "tide-1", "_user": "bo"}
    call("logs.create", request=QUESTION, response=answer(500, (100, 10), 400), metadata=metadata)


def test_calls_count_as_reports_do(call: Call, portkey: PortkeyWorld) -> None:
    portkey.clock.freeze(NOON)
    reply = call("chat.completions.create", model="gpt-4o", messages=MESSAGES, user="ines")
    tokens = call("analytics.graphs.tokens", **WINDOW)
    assert tokens.summary["total"] == tokens.data[0]["total"] == reply.usage.total_tokens > 0
    assert call("analytics.groups.users", **WINDOW).data[0]["user"] == "ines"


@pytest.mark.usefixtures("traffic")
def test_created_log_is_in_the_world(call: Call, portkey: PortkeyWorld) -> None:
    newest = next(portkey.world["logs"].newest())
    assert (newest["trace_id"], newest["response_status_code"]) == ("tide-1", 500)
    assert call("get", path=f"/logs/{newest['id']}").json()["metrics"]["cost"] == 0.035


def test_logger_posts_a_list(portkey: PortkeyWorld) -> None:
    """What the callbacks of LangChain and LlamaIndex use; it sends the key and no other header of the SDK."""
    logger = Logger(api_key=portkey.api_key, base_url=portkey.url)
    reply = logger.log([{"request": QUESTION, "response": {"body": {}}}] * 2)  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    assert (reply.status_code, reply.json()) == (200, {"status": "success", "success": True})
    assert len(portkey.world["logs"]) == 2


@pytest.mark.usefixtures("traffic")
def test_export_runs_by_the_clock_and_its_file_needs_no_key(call: Call, portkey: PortkeyWorld) -> None:
    made = call(
        "logs.exports.create",
        workspace_id="ws-shared-3f9c1a",
        description="Noon",
        filters=WINDOW,
        requested_data=["trace_id", "response_status_code", "cost"],
    )
    assert (made.object, made.total) == ("export", 3)
    assert call("logs.exports.start", export_id=made.id).object == "export"
    states = []
    for seconds in (0, 10, 20):
        portkey.clock.move(timedelta(seconds=seconds))
        states.append(call("logs.exports.retrieve", export_id=made.id).status)
    assert states == ["queued", "in_progress", "success"]
    url = call("logs.exports.download", export_id=made.id).signed_url
    reply = httpx.get(url)
    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert [(line["response_status_code"], line["cost"]) for line in lines] == [(200, 0.02225), (200, 0.02225), (500, 0.035)]
    assert lines[2]["metadata"] == {"_user": "bo"}


def test_export_is_listed_changed_and_cancelled(call: Call) -> None:
    made = call("logs.exports.create", workspace_id=PRODUCTION, description="d", filters=WINDOW, requested_data=["id"])
    changed = call("logs.exports.update", export_id=made.id, filters=WINDOW, requested_data=["cost"])
    assert (changed.id, changed.total) == (made.id, 0)
    listed = call("logs.exports.list", workspace_id=PRODUCTION)
    assert (listed.total, listed.data[0]["requested_data"]) == (1, ["cost"])
    call("logs.exports.start", export_id=made.id)
    assert call("logs.exports.cancel", export_id=made.id).message == "The export has been stopped"
    assert call("logs.exports.retrieve", export_id=made.id).status == "stopped"


@pytest.mark.parametrize("action", ["cancel", "download"])
def test_what_does_not_fit_the_state_is_a_bad_request(call: Call, action: str) -> None:
    made = call("logs.exports.create", workspace_id=PRODUCTION, description="d", filters=WINDOW, requested_data=["id"])
    with pytest.raises(exceptions.BadRequestError) as caught:
        call(f"logs.exports.{action}", export_id=made.id)
    assert "draft" in caught.value.message


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize(
    ("method", "summary", "first", "fourth"),
    [
        ("requests", {"total": 3}, {"total": 2}, {"total": 1}),
        ("cost", {"total": 0.0795, "avg": 0.0265}, {"total": 0.0445, "avg": 0.02225}, {"total": 0.035, "avg": 0.035}),
        (
            "latency",
            {"avg": 940 / 3, "p50": 270, "p90": 400, "p99": 400},
            {"avg": 270, "p50": 270, "p90": 270, "p99": 270},
            {"avg": 400, "p50": 400, "p90": 400, "p99": 400},
        ),
        (
            "tokens",
            {"total": 186, "avg": 62},
            {"total": 76, "avg": 38, "total_request_units": 42, "total_response_units": 34},
            {"total": 110, "avg": 110, "total_request_units": 100, "total_response_units": 10},
        ),
        ("users", {"total": 2}, {"total": 1}, {"total": 1}),
        ("users_requests", {"total": 3, "unique": 2, "avg": 1.5}, {"avg": 2}, {"avg": 1}),
        ("errors", {"total": 1}, {"total": 0}, {"total": 1}),
        ("errors_rate", {"rate": 100 / 3}, {"rate": 0}, {"rate": 100}),
        ("errors_stacks", {"total": 1}, {"stats": []}, {"stats": [{"response_status_code": 500, "count": 1}]}),
        ("requests_rescued", {"retry": 0, "fallback": 0}, {"retry": [], "fallback": 0}, {"retry": [], "fallback": 0}),
        ("cache_latency", {}, {"avg": 0}, {"avg": 0}),
        ("feedbacks", {"total": 0}, {"total": 0}, {"total": 0}),
        ("feedbacks_weighted", {"avg": 0}, {"avg": 0}, {"avg": 0}),
    ],
)
def test_graphs_count_the_calls(
    call: Call, method: str, summary: dict[str, Any], first: dict[str, Any], fourth: dict[str, Any]
) -> None:
    """`data` is where the SDK's own type looks; the rest is there as extra attributes (sdk-call-map 7.4)."""
    graph = call(f"analytics.graphs.{method}", **WINDOW)
    assert (graph.object, graph.summary, len(graph.data)) == ("analytics-graph", summary, 10)
    assert graph.data[0] == {"timestamp": "2026-05-03T12:00:00.000Z", **first}
    assert graph.data[3] == {"timestamp": "2026-05-03T12:03:00.000Z", **fourth}


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize(
    ("method", "summary", "data"),
    [
        ("errors_status_codes", {"total_errors": 1, "unique_error_codes": 1}, [{"status_code": 500, "count": 1}]),
        ("feedbacks_scores", {"total": 0}, []),
        ("feedbacks_ai_models", {}, []),
    ],
)
def test_graphs_without_times_count_the_calls(call: Call, method: str, summary: dict[str, Any], data: list[Any]) -> None:
    graph = call(f"analytics.graphs.{method}", **WINDOW)
    assert (graph.summary, graph.data) == (summary, data)


@pytest.mark.usefixtures("traffic")
def test_cache_is_summed_up(call: Call) -> None:
    summary = {"hits": 0, "avg_latency": 0, "total_requests": 3, "cache_speedup": 0}
    assert call("analytics.summary.cache", **WINDOW).data == summary
    assert call("analytics.graphs.cache_hit_rate", **WINDOW).summary == {"total": 0, "rate": 0}


@pytest.mark.usefixtures("traffic")
def test_filters_of_the_sdk_pick_calls(call: Call) -> None:
    for filters, total in (
        ({"status_code": "500"}, 1),
        ({"metadata": '{"_user": "ines"}'}, 1),
        ({"cost_max": 0.03}, 2),
        ({"ai_org_model": "openai__gpt-4o"}, 3),
        ({"cache_status": "HIT"}, 0),
        ({"workspace_slug": PRODUCTION}, 0),
    ):
        assert call("analytics.graphs.requests", **WINDOW, **filters).summary == {"total": total}


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize(
    ("method", "given", "name", "found"),
    [
        ("users", {}, "user", {"bo": 1, "ines": 1, "": 1}),
        ("ai_models", {}, "ai_model", {"gpt-4o": 3}),
        ("workspaces", {}, "workspace", {"ws-shared-3f9c1a": 3}),
        ("metadata", {"metadata_key": "_user"}, "metadata_value", {"bo": 1, "ines": 1, "": 1}),
        ("group_by", {"group_by": "status_code", "columns": "cost", "include_total": True}, "status_code", {200: 2, 500: 1}),
    ],
)
def test_groups_count_the_calls(call: Call, method: str, given: dict[str, Any], name: str, found: dict[Any, int]) -> None:
    groups = call(f"analytics.groups.{method}", **WINDOW, **given)
    assert {row[name]: row["requests"] for row in groups.data} == found
    assert (groups.object, groups.total) == ("list", len(found))


@pytest.mark.usefixtures("traffic")
def test_groups_are_paged_and_sorted(call: Call) -> None:
    query = {"page_size": 1, "current_page": 0, "order_by": "cost", "order_by_type": "desc"}
    groups = call("analytics.groups.users", **WINDOW, **query)
    assert ([row["user"] for row in groups.data], groups.total) == (["bo"], 3)
