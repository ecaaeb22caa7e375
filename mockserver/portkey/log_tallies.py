"""What the logs add up to, by workspace and span of time: kept, so that a graph need look at new logs alone.

Logs of calls are added up when somebody looks, since most worlds are never asked. A tally is kept for each second, minute,
hour and day that had calls, shared where one of them holds all that the next does. A graph over any window takes the longest
spans that lie within it; logs are kept to the second, so no window cuts through one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar

from mockserver.portkey.log_records import HITS, full, is_success, metadata_of
from mockserver.values import Record
from mockserver.world.clock import format_timestamp, parse_timestamp
from mockserver.world.world import World

K = TypeVar("K")

SPANS_S = (86_400, 3_600, 60, 1)
"""Seconds of the spans that have tallies, longest first; each is a multiple of the next."""

_COUNTED = "logs_counted"
"""How many logs had arrived when they were last added up."""
_WORKSPACES = "logs_workspaces"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_S = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)


class Traits(NamedTuple):
    """What calls may have in common, and be grouped by. `metadata` holds the names of their metadata."""

    workspace: str
    ai_service: str
    model: str
    status_code: int
    provider: str
    config: str
    prompt: str
    api_key: str
    cache_status: str
    retries: int
    fell_back: bool
    metadata: tuple[str, ...]


class Sums:
    """What some calls add up to. Those of a tally that a world holds are never changed."""

    __slots__ = (
        "cost", "errors", "first_seen", "hits", "last_seen", "req_units", "requests", "res_units", "savings", "time_ms",
    )  # fmt: skip

    def __init__(self) -> None:
        self.requests = self.errors = self.hits = self.req_units = self.res_units = self.time_ms = 0
        self.cost = self.savings = 0.0
        self.first_seen, self.last_seen = "~", ""  # beyond all times, and before them

    def count(self, log: Record, *, failed: bool) -> None:
        """Add a full log."""
        self.requests += 1
        self.errors += failed
        self.hits += log["cache_status"] in HITS
        self.req_units += log["req_units"]
        self.res_units += log["res_units"]
        self.time_ms += log["response_time"]
        self.cost += log["cost"]
        self.savings += log["cache_savings"]
        at = log["created_at"]
        self.first_seen = min(self.first_seen, at)
        self.last_seen = max(self.last_seen, at)

    def add(self, other: Sums) -> None:
        """Add other sums."""
        self.requests += other.requests
        self.errors += other.errors
        self.hits += other.hits
        self.req_units += other.req_units
        self.res_units += other.res_units
        self.time_ms += other.time_ms
        self.cost += other.cost
        self.savings += other.savings
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)


class Tally:
    """The sums of some calls: of all, by their traits, by each value of each metadata; and their response times.

    `times_ms` has, for each set of traits, how often each response time occurred. One that a world holds is never changed.
    """

    __slots__ = ("kinds", "metadata", "times_ms", "total")

    def __init__(self) -> None:
        self.total = Sums()
        self.kinds: dict[Traits, Sums] = {}
        self.times_ms: dict[Traits, dict[int, int]] = {}
        self.metadata: dict[str, dict[str, Sums]] = {}

    def count(self, log: Record) -> None:
        """Add a full log."""
        metadata = {name: value for name, value in metadata_of(log).items() if value}
        succeeded = is_success(log)
        traits = Traits(
            log["workspace_id"],
            log["ai_org"],
            log["ai_model"],
            log["response_status_code"],
            log["virtual_key"],
            log["config"],
            log["prompt_slug"],
            log["api_key_id"],
            log["cache_status"],
            log["retry_success_count"] if succeeded and log["retry_success_count"] > 0 else 0,
            succeeded and log["mode"] == "fallback" and log["last_used_option_index"] > 0,
            tuple(sorted(metadata)),
        )
        all_sums = [self.total, self.kinds.setdefault(traits, Sums())]
        for name, value in metadata.items():
            all_sums.append(self.metadata.setdefault(name, {}).setdefault(value, Sums()))
        for sums in all_sums:
            sums.count(log, failed=not succeeded)
        times = self.times_ms.setdefault(traits, {})
        times[log["response_time"]] = times.get(log["response_time"], 0) + 1

    def plus(self, other: Tally) -> Tally:
        """Return a tally of the calls of both, which shares with them what did not change."""
        made = Tally()
        made.total = summed([self.total, other.total])
        made.kinds = _joined(self.kinds, other.kinds)
        made.metadata = {**self.metadata}
        for name, sums in other.metadata.items():
            made.metadata[name] = _joined(self.metadata.get(name, {}), sums)
        made.times_ms = {**self.times_ms}
        for traits, times in other.times_ms.items():
            made.times_ms[traits] = added_times([self.times_ms.get(traits, {}), times])
        return made


def workspaces(world: World) -> tuple[str, ...]:
    """Return the ids of the workspaces that have logs; an empty one stands for logs of none."""
    add_up(world)
    return tuple(world.facts.get(_WORKSPACES) or ())


def tallies(world: World, among: Iterable[str], low_s: int, high_s: int) -> list[Tally]:
    """Return tallies that together hold the calls of some workspaces from second `low_s` on and before `high_s`."""
    add_up(world)
    return [tally for workspace in among for tally in _within(world, workspace, 0, low_s, high_s)]


def second_of(moment: datetime) -> int:
    """Return the first whole second that is not before a time, as far as calendars go: logs are kept to the second."""
    return min(-((_EPOCH - moment) // timedelta(seconds=1)), _LAST_S)


def text_of(second: int) -> str:
    """Return the time of a second, as logs have it."""
    return format_timestamp(_EPOCH + timedelta(seconds=second))


@lru_cache(maxsize=4096)
def second_at(text: str) -> int:
    """Return the second of a log's time."""
    return second_of(parse_timestamp(text))


def summed(many: list[Sums]) -> Sums:
    """Return what sums add up to: of only one, itself."""
    if len(many) == 1:
        return many[0]
    made = Sums()
    for each in many:
        made.add(each)
    return made


def added_times(many: Iterable[dict[int, int]]) -> dict[int, int]:
    """Return how often each response time occurs in all of them."""
    made: dict[int, int] = {}
    for times in many:
        if not made:
            made = dict(times)
            continue
        for time_ms, count in times.items():
            made[time_ms] = made.get(time_ms, 0) + count
    return made


def add_up(world: World) -> None:
    """Add the logs that are new to the tallies of their seconds, minutes, hours and days."""
    logs, counted = world["logs"], world.facts.get(_COUNTED) or 0
    if logs.arrivals == counted:
        return
    world.facts.put(_COUNTED, logs.arrivals)
    found: dict[tuple[str, int], Tally] = {}
    for log in map(full, logs.since(counted)):
        found.setdefault((log["workspace_id"], second_at(log["created_at"])), Tally()).count(log)
    known = world.facts.get(_WORKSPACES) or ()
    new = sorted({workspace for workspace, _ in found}.difference(known))
    if new:
        world.facts.put(_WORKSPACES, (*known, *new))
    for span_s in reversed(SPANS_S):
        joined: dict[tuple[str, int], Tally] = {}
        for (workspace, start), tally in found.items():
            span = (workspace, start // span_s * span_s)
            joined[span] = joined[span].plus(tally) if span in joined else tally
        for (workspace, start), tally in joined.items():
            key = _key(workspace, span_s, start)
            before = world.facts.get(key)
            world.facts.put(key, tally if before is None else before.plus(tally))
        found = joined


def _within(world: World, workspace: str, level: int, low_s: int, high_s: int) -> Iterator[Tally]:
    """The tallies of one workspace within a window, spans of one level first."""
    span_s = SPANS_S[level]
    for start in range(low_s // span_s * span_s, high_s, span_s):
        tally = world.facts.get(_key(workspace, span_s, start))
        if tally is None:
            continue
        first, last = max(start, low_s), min(start + span_s, high_s)
        if last - first == span_s:
            yield tally
        else:
            yield from _within(world, workspace, level + 1, first, last)


def _joined(first: dict[K, Sums], second: dict[K, Sums]) -> dict[K, Sums]:
    """The sums of both, key by key; what only one of them has is shared with it."""
    made = dict(first)
    for key, sums in second.items():
        before = made.get(key)
        made[key] = sums if before is None else summed([before, sums])
    return made


def _key(workspace: str, span_s: int, start: int) -> str:
    return f"logs:{workspace}:{span_s}:{start}"
