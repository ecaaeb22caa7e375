"""What tallies come to: counts, means, rates and percentiles, of all calls and by what calls have in common.

Source of every formula: governance-mcp-observability, Analytics.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate
from typing import TypeAlias

from mockserver.portkey.log_tallies import Sums, Tally, Traits, added_times, summed
from mockserver.values import JSON, Record

MISSES = frozenset(("MISS", "SEMANTIC MISS", "REFRESH"))
"""What `cache_status` says of a call that the cache was asked for and could not answer."""

Tallies: TypeAlias = list[Tally]
"""Tallies that together hold some calls; no call is in two of them."""

Columns: TypeAlias = dict[str, Callable[[JSON, Sums], JSON]]
"""Names of columns to their values, from what the calls of a group have in common and what they add up to."""

COLUMNS: Columns = {
    "requests": lambda _, sums: sums.requests,
    "cost": lambda _, sums: cents(sums.cost),
    "total_tokens": lambda _, sums: sums.req_units + sums.res_units,
    "avg_tokens": lambda _, sums: mean(sums.req_units + sums.res_units, sums.requests),
    "avg_input_tokens": lambda _, sums: mean(sums.req_units, sums.requests),
    "avg_output_tokens": lambda _, sums: mean(sums.res_units, sums.requests),
    "avg_latency": lambda _, sums: mean(sums.time_ms, sums.requests),
    "success_rate": lambda _, sums: per_cent(sums.requests - sums.errors, sums.requests),
    "error_count": lambda _, sums: sums.errors,
    "cache_hit_rate": lambda _, sums: per_cent(sums.hits, sums.requests),
    "first_seen": lambda _, sums: sums.first_seen,
    "last_seen": lambda _, sums: sums.last_seen,
}
"""Columns that all groups can have."""


# Of all calls


def total(tallies: Tallies) -> Sums:
    """What the calls add up to."""
    return summed([tally.total for tally in tallies])


def requests(tallies: Tallies) -> Record:
    """How many calls there were."""
    return {"total": total(tallies).requests}


def cost(tallies: Tallies) -> Record:
    """What the calls cost, in cents."""
    sums = total(tallies)
    return {"total": cents(sums.cost), "avg": cents(mean(sums.cost, sums.requests))}


def latency(tallies: Tallies) -> Record:
    """How long the calls took, in milliseconds."""
    sums = total(tallies)
    times_ms = added_times(times for tally in tallies for times in tally.times_ms.values())
    p50, p90, p99 = percentiles(times_ms, 50, 90, 99)
    return {"avg": mean(sums.time_ms, sums.requests), "p50": p50, "p90": p90, "p99": p99}


def tokens(tallies: Tallies) -> Record:
    """How many tokens the calls used."""
    sums = total(tallies)
    used = sums.req_units + sums.res_units
    return {"total": used, "avg": mean(used, sums.requests)}


def tokens_both_ways(tallies: Tallies) -> Record:
    """The same, and how many of them went in and came out."""
    sums = total(tallies)
    return {**tokens(tallies), "total_request_units": sums.req_units, "total_response_units": sums.res_units}


def users(tallies: Tallies) -> Record:
    """How many users made the calls, each counted once."""
    return {"total": len(_users(tallies))}


def requests_per_user(tallies: Tallies) -> Record:
    """How many calls a user made."""
    return {"avg": mean(total(tallies).requests, len(_users(tallies)))}


def requests_and_users(tallies: Tallies) -> Record:
    """The same, and of how many."""
    return {"total": total(tallies).requests, "unique": len(_users(tallies)), **requests_per_user(tallies)}


def errors(tallies: Tallies) -> Record:
    """How many calls failed."""
    return {"total": total(tallies).errors}


def error_rate(tallies: Tallies) -> Record:
    """How many per cent of the calls failed."""
    sums = total(tallies)
    return {"rate": per_cent(sums.errors, sums.requests)}


def failures(tallies: Tallies) -> list[tuple[int, int]]:
    """The statuses of calls that failed, and how many had them."""
    return [(status, sums.errors) for status, sums in sorted(by_trait(tallies, "status_code").items()) if sums.errors]


def retries(tallies: Tallies) -> list[tuple[int, int]]:
    """At which retry calls came through, and how many."""
    counted: Counter[int] = Counter()
    for traits, sums in _kinds(tallies):
        if traits.retries:
            counted[traits.retries] += sums.requests
    return sorted(counted.items())


def fallbacks(tallies: Tallies) -> int:
    """How many calls came through at another target than the first."""
    return sum(sums.requests for traits, sums in _kinds(tallies) if traits.fell_back)


def hit_rate(tallies: Tallies) -> float:
    """How many per cent of the calls the cache answered."""
    sums = total(tallies)
    return per_cent(sums.hits, sums.requests)


def cached(tallies: Tallies, statuses: frozenset[str]) -> Sums:
    """What the calls add up to of which `cache_status` says one of these."""
    return summed([sums for traits, sums in _kinds(tallies) if traits.cache_status in statuses])


def mean_time(sums: Sums) -> float:
    """How long a call took, in milliseconds."""
    return mean(sums.time_ms, sums.requests)


# By what calls have in common


def by_trait(tallies: Tallies, trait: str) -> dict[JSON, Sums]:
    """What the calls add up to by one of their traits."""
    found: dict[JSON, list[Sums]] = {}
    for traits, sums in _kinds(tallies):
        found.setdefault(getattr(traits, trait), []).append(sums)
    return {value: summed(many) for value, many in found.items()}


def by_metadata(tallies: Tallies, key: str) -> dict[str, Sums]:
    """What the calls add up to by a value of their metadata; calls without it by an empty text."""
    found: dict[str, list[Sums]] = {}
    for tally in tallies:
        for value, sums in tally.metadata.get(key, {}).items():
            found.setdefault(value, []).append(sums)
    without = [sums for traits, sums in _kinds(tallies) if key not in traits.metadata]
    if without:
        found[""] = without
    return {value: summed(many) for value, many in found.items()}


def percentile_columns(tallies: Tallies, trait: str) -> Columns:
    """The columns of groups by a trait that need each single response time, worked out when one of them is asked for."""

    @cache
    def times_ms() -> dict[JSON, dict[int, int]]:
        found: dict[JSON, list[dict[int, int]]] = {}
        for tally in tallies:
            for traits, times in tally.times_ms.items():
                found.setdefault(getattr(traits, trait), []).append(times)
        return {value: added_times(many) for value, many in found.items()}

    return {
        "p95_latency": lambda value, _: percentiles(times_ms()[value], 95)[0],
        "p99_latency": lambda value, _: percentiles(times_ms()[value], 99)[0],
    }


# Numbers


def percentiles(times_ms: dict[int, int], *percents: int) -> list[int]:
    """Return the shortest times that so many per cent of the calls do not exceed; 0 without calls.

    *chosen*: the nearest rank, which is always a time that was measured, rather than a number between two of them.
    """
    if not times_ms:
        return [0] * len(percents)
    ordered = sorted(times_ms)
    ranks = list(accumulate(times_ms[time_ms] for time_ms in ordered))
    return [ordered[bisect_left(ranks, -(-ranks[-1] * percent // 100))] for percent in percents]


def cents(amount: float) -> float:
    """Return an amount without the noise of adding many: the same whatever the order."""
    return round(amount, 10)


def mean(amount: float, count: int) -> float:
    """Return the mean, 0 of none."""
    return amount / count if count else 0


def per_cent(part: float, whole: float) -> float:
    """Return how many per cent of the whole a part is, 0 of nothing."""
    return 100 * part / whole if whole else 0


def _kinds(tallies: Tallies) -> Iterator[tuple[Traits, Sums]]:
    return (kind for tally in tallies for kind in tally.kinds.items())


def _users(tallies: Tallies) -> set[str]:
    return set().union(*(tally.metadata.get("_user", ()) for tally in tallies))
