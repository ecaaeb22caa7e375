"""The real `portkey-ai` for Node over a real socket: logs, log exports and analytics.

`node/calls.mjs` makes the calls. Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.test_node_sdk import NodeClient, Refused

node = test_node_sdk.node

SHARED = "ws-shared-3f9c1a"
NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
WINDOW = {"time_of_generation_min": "2026-05-03T12:00:00.000Z", "time_of_generation_max": "2026-05-03T12:10:00.000Z"}
QUESTION = {"url": "https://api.openai.com/v1/chat/completions", "provider": "openai", "body": {"model": "gpt-4o"}}
FAILED = {
    "request": QUESTION,
    "response": {"status": 500, "response_time": 400, "body": {"usage": {"prompt_tokens": 100, "completion_tokens": 10}}},
    "metadata": {"traceId": "tide-1", "_user": "bo"},
}
EXPORT = {"workspaceId": SHARED, "description": "Noon", "filters": WINDOW, "requestedData": ["trace_id", "cost"]}


@pytest.fixture
def sdk(node: str, portkey: PortkeyWorld) -> Iterator[NodeClient]:
    """The SDK in a private world, with a key that the world does not know."""
    client = NodeClient(node, portkey, PORTKEY_API_KEY="any")
    yield client
    client.close()


@pytest.fixture
def traffic(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    """Reports of a call at noon, and of a failed one three minutes later."""
    portkey.clock.freeze(NOON)
    answer = {"response_time": 270, "body": {"usage": {"prompt_tokens": 21, "completion_tokens": 17}}}
    sdk.call("logs.create", {"request": QUESTION, "response": answer, "metadata": {"user": "ines"}})
    portkey.clock.freeze(NOON + timedelta(minutes=3))
    assert sdk.call("logs.create", FAILED) == {"status": "success", "success": True}


def test_list_of_logs_arrives_by_numbers(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    """The SDK writes a list as an object. Source: sdk-call-map 4, row 22."""
    several: Any = [FAILED, FAILED]
    sdk.call("logs.create", several)
    assert [log["trace_id"] for log in portkey.world["logs"].newest()] == ["tide-1", "tide-1"]


def test_calls_count_as_reports_do(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    portkey.clock.freeze(NOON)
    question = [{"role": "user", "content": "Which tide is next?"}]
    reply = sdk.call("chat.completions.create", {"model": "gpt-4o", "messages": question, "user": "ines"})
    assert sdk.call("analytics.graphs.tokens", WINDOW)["summary"]["total"] == reply["usage"]["total_tokens"] > 0


@pytest.mark.usefixtures("traffic")
def test_export_runs_by_the_clock_and_its_file_needs_no_key(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    made = sdk.call("logs.exports.create", EXPORT)
    assert (made["object"], made["total"]) == ("export", 2)
    sdk.call("logs.exports.start", {"exportId": made["id"]})
    assert sdk.call("logs.exports.retrieve", {"exportId": made["id"]})["status"] == "queued"
    portkey.clock.move(timedelta(seconds=30))
    url = sdk.call("logs.exports.download", {"exportId": made["id"]})["signed_url"]
    lines = [json.loads(line) for line in httpx.get(url).text.splitlines()]
    assert [line["cost"] for line in lines] == [0.02225, 0.035]
    assert lines[1]["trace_id"] == "tide-1"


def test_export_is_listed_changed_and_cancelled(sdk: NodeClient) -> None:
    """The SDK repeats the id in the body. Source: sdk-call-map 4, row 11."""
    made = sdk.call("logs.exports.create", EXPORT)
    changed = sdk.call("logs.exports.update", {"exportId": made["id"], "filters": WINDOW, "requestedData": ["id"]})
    assert (changed["id"], changed["total"]) == (made["id"], 0)
    listed = sdk.call("logs.exports.list", {"workspaceId": SHARED})
    assert (listed["total"], listed["data"][0]["requested_data"]) == (1, ["id"])
    sdk.call("logs.exports.start", {"exportId": made["id"]})
    assert sdk.call("logs.exports.cancel", {"exportId": made["id"]})["message"] == "The export has been stopped"


def test_draft_cannot_be_downloaded(sdk: NodeClient) -> None:
    made = sdk.call("logs.exports.create", EXPORT)
    with pytest.raises(Refused) as caught:
        sdk.call("logs.exports.download", {"exportId": made["id"]})
    assert (caught.value.status, caught.value.message) == (
        400,
        "Invalid request: path/exportId names an export that is draft; it cannot be downloaded",
    )


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize(
    ("method", "summary"),
    [
        ("requests", {"total": 2}),
        ("cost", {"total": 0.05725, "avg": 0.028625}),
        ("latency", {"avg": 335, "p50": 270, "p90": 400, "p99": 400}),
        ("tokens", {"total": 148, "avg": 74}),
        ("users", {"total": 2}),
        ("usersRequests", {"total": 2, "unique": 2, "avg": 1}),
        ("errors", {"total": 1}),
        ("errors_rate", {"rate": 50}),
        ("errors_stack", {"total": 1}),
        ("errors_status_code", {"total_errors": 1, "unique_error_codes": 1}),
        ("requests_rescued", {"retry": 0, "fallback": 0}),
        ("cache_hit_rate", {"total": 0, "rate": 0}),
        ("cache_latency", {}),
        ("feedbacks", {"total": 0}),
        ("feedbacks_score", {"total": 0}),
        ("feedbacks_weighted", {"avg": 0}),
        ("feedback_ai_models", {}),
    ],
)
def test_graphs_count_the_calls(sdk: NodeClient, method: str, summary: dict[str, Any]) -> None:
    graph = sdk.call(f"analytics.graphs.{method}", WINDOW)
    assert (graph["object"], graph["summary"]) == ("analytics-graph", summary)
    stamped = [point for point in graph["data_points"] if "timestamp" in point]
    assert len(stamped) in (0, 10)


@pytest.mark.usefixtures("traffic")
def test_cache_is_summed_up(sdk: NodeClient) -> None:
    summary = sdk.call("analytics.summary.cache", WINDOW)["summary"]
    assert summary == {"hits": 0, "avg_latency": 0, "total_requests": 2, "cache_speedup": 0}


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize(
    ("method", "given", "name", "found"),
    [
        ("users", [WINDOW], "user", ["bo", "ines"]),
        ("aiModels", [WINDOW], "ai_model", ["gpt-4o"]),
        ("workspaces", [WINDOW], "workspace", [SHARED]),
        ("metadata", ["_user", WINDOW], "metadata_value", ["bo", "ines"]),
        ("groupedData", ["status_code", WINDOW], "status_code", [200, 500]),
    ],
)
def test_groups_count_the_calls(sdk: NodeClient, method: str, given: list[Any], name: str, found: list[Any]) -> None:
    groups = sdk.call(f"analytics.groups.{method}", *given)
    assert ([row[name] for row in groups["data"]], groups["total"]) == (found, len(found))
