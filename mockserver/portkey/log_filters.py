"""Which logs a query means: its window, its workspace and its filters; analytics and exports share them.

Source: governance-mcp-observability, Analytics (query parameters) and Log exports (filter keys, half-open window).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from mockserver import values
from mockserver.contract.problems import invalid
from mockserver.portkey import log_tallies
from mockserver.portkey.log_records import full, metadata_of, of_trace
from mockserver.values import JSON, Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.world import World

Test = Callable[[Record], bool]
"""Says of a full log whether it is meant."""

_LISTS: dict[str, Callable[[Record], JSON]] = {
    "status_code": lambda log: str(log["response_status_code"]),
    "virtual_keys": lambda log: log["virtual_key"],
    "configs": lambda log: log["config"],
    "prompt_slug": lambda log: log["prompt_slug"],
    "trace_id": lambda log: log["trace_id"],
    "span_id": lambda log: log["span_id"],
    "api_key_ids": lambda log: log["api_key_id"],
    "cache_status": lambda log: log["cache_status"],
    "ai_model": lambda log: log["ai_model"],
    "ai_org_model": lambda log: f"{log['ai_org']}__{log['ai_model']}",
}
"""Filters with several values, of which a log has one."""

_AMOUNTS: dict[str, Callable[[Record], float]] = {
    "total_units": lambda log: log["req_units"] + log["res_units"],
    "cost": lambda log: log["cost"],
    "prompt_token": lambda log: log["req_units"],
    "completion_token": lambda log: log["res_units"],
}
"""Filters with `_min` and `_max`; both bounds belong to what is meant (*chosen*: the dossier says nothing)."""


@dataclass(frozen=True)
class Picked:
    """The logs of some workspaces, from one second on and before another, that pass a test.

    `anywhere` tells that these are all workspaces. `test` None stands for no filter, `traces` for the traces that a filter
    names, which spares a look at the whole window.
    """

    workspaces: tuple[str, ...]
    anywhere: bool
    low_s: int
    high_s: int
    test: Test | None = None
    traces: tuple[str, ...] | None = None

    def logs(self, world: World) -> Iterator[Record]:
        """The logs, in full; newest first within a workspace."""
        found: Iterator[Record]
        if self.traces is not None:
            found = (log for trace_id in dict.fromkeys(self.traces) for log in of_trace(world, trace_id))
            return (log for log in found if self.holds(log))
        low, high = log_tallies.text_of(self.low_s), log_tallies.text_of(self.high_s)
        spans = (world["logs"].between(low, high, workspace_id=each) for each in self.workspaces)
        return (log for log in map(full, chain.from_iterable(spans)) if self.test is None or self.test(log))

    def count(self, world: World) -> int:
        """How many they are."""
        if self.test is not None:
            return sum(1 for _ in self.logs(world))
        low, high = log_tallies.text_of(self.low_s), log_tallies.text_of(self.high_s)
        return sum(len(world["logs"].between(low, high, workspace_id=each)) for each in self.workspaces)

    def holds(self, log: Record) -> bool:
        """Whether a full log is one of them."""
        return self.low_s <= log_tallies.second_at(log["created_at"]) < self.high_s and self.suits(log)

    def suits(self, log: Record) -> bool:
        """Whether a full log is one of them, but for its time."""
        return log["workspace_id"] in self.workspaces and (self.test is None or self.test(log))


def picked(said: Record, workspace_id: str | None, world: World, part: str, parent: str = "") -> Picked:
    """Return the logs that filters mean, of one workspace or of all; `part` and `parent` are where they stand in the call.

    Fails: `invalid-request` for a time that no calendar has, and for metadata that is no JSON object.
    """
    low_s, high_s = (
        log_tallies.second_of(
            _moment(said.get(f"time_of_generation_{end}"), part, f"{parent}/time_of_generation_{end}", default)
        )
        for end, default in (("min", datetime.min), ("max", datetime.max))
    )
    tests = list(_tests(said, world, part, parent))
    traces = _listed(said.get("trace_id"))
    workspaces = log_tallies.workspaces(world) if workspace_id is None else (workspace_id,)
    return Picked(
        workspaces, workspace_id is None, low_s, max(low_s, high_s), _every(tests) if tests else None, tuple(traces) or None
    )


def weight_of(feedback: Record) -> float:
    """Return the weighted value of a feedback. Source: governance-mcp-observability, Conflicts (value times weight)."""
    weight = feedback.get("weight")
    return float(feedback["value"] * (1 if weight is None else weight))


def mean_weight(feedbacks: list[Record]) -> float:
    """Return the mean of their weighted values, 0 of none."""
    return sum(map(weight_of, feedbacks)) / len(feedbacks) if feedbacks else 0


def _tests(said: Record, world: World, part: str, parent: str) -> Iterator[Test]:
    for name, value_of in _LISTS.items():
        wanted = _listed(said.get(name))
        if wanted:
            yield _one_of(value_of, frozenset(wanted))
    for name, amount_of in _AMOUNTS.items():
        low, high = said.get(f"{name}_min"), said.get(f"{name}_max")
        if low is not None or high is not None:
            yield _between(amount_of, -math.inf if low is None else low, math.inf if high is None else high)
    metadata = _metadata(said.get("metadata"), part, f"{parent}/metadata")
    if metadata:
        yield lambda log: metadata.items() <= metadata_of(log).items()
    low, high = said.get("weighted_feedback_min"), said.get("weighted_feedback_max")
    if low is not None or high is not None:
        yield lambda log: _is_rated(log, -10 if low is None else low, 10 if high is None else high, world)


def _one_of(value_of: Callable[[Record], JSON], wanted: frozenset[str]) -> Test:
    return lambda log: value_of(log) in wanted


def _between(amount_of: Callable[[Record], float], low: float, high: float) -> Test:
    return lambda log: low <= amount_of(log) <= high


def _every(tests: list[Test]) -> Test:
    return lambda log: all(test(log) for test in tests)


def _is_rated(log: Record, low: float, high: float, world: World) -> bool:
    """Whether the mean of a call's feedback lies between two values (*chosen*: not that of any one); without any, no."""
    feedbacks = list(world["feedback"].newest(trace_id=log["trace_id"]))
    return bool(feedbacks) and low <= mean_weight(feedbacks) <= high


def _listed(said: JSON) -> list[str]:
    """The values of a filter: a text with commas between them, or a list of such texts."""
    texts = said if isinstance(said, list) else [said or ""]
    return [piece.strip() for text in texts for piece in text.split(",") if piece.strip()]


def _metadata(said: JSON, part: str, pointer: str) -> dict[str, str]:
    if not said:
        return {}
    if isinstance(said, str):
        try:
            said = values.parse(said.encode())
        except values.NotJSON as error:
            raise invalid(part, pointer, str(error)) from None
        if not isinstance(said, dict):
            raise invalid(part, pointer, "is no JSON object")
    return {name: text if isinstance(text, str) else values.dump(text).decode() for name, text in said.items()}


def _moment(said: str | None, part: str, pointer: str, default: datetime) -> datetime:
    if said is None:
        return default.replace(microsecond=0, tzinfo=UTC)
    try:
        return parse_timestamp(said.upper())
    except ValueError:
        raise invalid(part, pointer, "is a time that no calendar has") from None
