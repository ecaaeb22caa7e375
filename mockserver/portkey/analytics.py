"""Analytics: what the logs of a window add up to, over time and in groups.

Unfiltered, they come from tallies that are kept as logs arrive; with filters, from the logs of the window, added up alike.
Source of every shape and formula: governance-mcp-observability, Analytics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple, TypeVar

from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import log_figures as figures
from mockserver.portkey import log_filters, log_tallies
from mockserver.portkey.log_figures import Columns, Tallies
from mockserver.portkey.log_filters import Picked, mean_weight
from mockserver.portkey.log_records import HITS, metadata_of, of_trace
from mockserver.portkey.log_tallies import Sums, Tally
from mockserver.portkey.records import find_workspace, page_of
from mockserver.values import JSON, Record
from mockserver.world.world import World

K = TypeVar("K")

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

STEPS = ((60 * _MINUTE, _MINUTE), (_DAY - 1, 10 * _MINUTE), (7 * _DAY, _HOUR))
"""Up to so many seconds of window, points are so many seconds apart; in longer windows, a day.

Measured are 59 minutes, 61 minutes and 24 hours; between them, and that days begin above seven of them, is *chosen*.
"""

LONGEST_S = 3_660 * _DAY
"""The longest window that has a graph (*chosen*: ten years of days are the most points that a reply should hold)."""


class Bucket(NamedTuple):
    """One part of a window: its first second, and tallies that together hold its calls."""

    start_s: int
    tallies: Tallies


# Graphs


def get_requests_graph(request: Request, world: World) -> Reply:
    """Count calls."""
    return _graph(request, world, figures.requests)


def get_cost_graph(request: Request, world: World) -> Reply:
    """Add up cost, in cents."""
    return _graph(request, world, figures.cost)


def get_latency_graph(request: Request, world: World) -> Reply:
    """Tell the mean and three percentiles of the response times."""
    return _graph(request, world, figures.latency)


def get_tokens_graph(request: Request, world: World) -> Reply:
    """Count tokens."""
    return _graph(request, world, figures.tokens, figures.tokens_both_ways)


def get_users_graph(request: Request, world: World) -> Reply:
    """Count users: the `_user` of the metadata."""
    return _graph(request, world, figures.users)


def get_user_requests_graph(request: Request, world: World) -> Reply:
    """Tell how many calls there were for a user."""
    return _graph(request, world, figures.requests_and_users, figures.requests_per_user)


def get_errors_graph(request: Request, world: World) -> Reply:
    """Count calls that failed."""
    return _graph(request, world, figures.errors)


def get_error_rate_graph(request: Request, world: World) -> Reply:
    """Tell how many per cent of the calls failed."""
    return _graph(request, world, figures.error_rate)


def get_error_stacks_graph(request: Request, world: World) -> Reply:
    """Count calls that failed by their status."""

    def point_of(tallies: Tallies) -> Record:
        return {"stats": [{"response_status_code": status, "count": count} for status, count in figures.failures(tallies)]}

    return _graph(request, world, figures.errors, point_of)


def get_error_status_codes_graph(request: Request, world: World) -> Reply:
    """Count calls that failed by their status, over the whole window."""
    failures = figures.failures(_tallies(_asked(request, world), world))
    summary = {"total_errors": sum(count for _, count in failures), "unique_error_codes": len(failures)}
    return _shown(summary, [{"status_code": status, "count": count} for status, count in failures])


def get_rescued_requests_graph(request: Request, world: World) -> Reply:
    """Count calls that came through at a retry, or at another target than the first of a fallback."""

    def summarise(tallies: Tallies) -> Record:
        return {"retry": sum(count for _, count in figures.retries(tallies)), "fallback": figures.fallbacks(tallies)}

    def point_of(tallies: Tallies) -> Record:
        retries = [{"retry_success_count": retry, "count": count} for retry, count in figures.retries(tallies)]
        return {"retry": retries, "fallback": figures.fallbacks(tallies)}

    return _graph(request, world, summarise, point_of)


def get_cache_hit_rate_graph(request: Request, world: World) -> Reply:
    """Tell how many per cent of the calls the cache answered, and what that saved, in cents, since the window began."""
    saved = {"HIT": 0.0, "SEMANTIC HIT": 0.0}

    def point_of(tallies: Tallies) -> Record:
        hits = {status: figures.cached(tallies, frozenset((status,))) for status in saved}
        for status, sums in hits.items():
            saved[status] += sums.savings
        return {
            "simple_hits": hits["HIT"].requests,
            "semantic_hits": hits["SEMANTIC HIT"].requests,
            "rate": figures.hit_rate(tallies),
            "cumulative_simple_cache_savings": figures.cents(saved["HIT"]),
            "cumulative_semantic_cache_savings": figures.cents(saved["SEMANTIC HIT"]),
        }

    def summarise(tallies: Tallies) -> Record:
        return {"total": figures.total(tallies).hits, "rate": figures.hit_rate(tallies)}

    return _graph(request, world, summarise, point_of)


def get_cache_latency_graph(request: Request, world: World) -> Reply:
    """Tell how long the cache took."""
    return _graph(request, world, lambda _: {}, lambda tallies: {"avg": figures.mean_time(figures.cached(tallies, HITS))})


def get_feedbacks_graph(request: Request, world: World) -> Reply:
    """Count feedback."""
    return _feedback_graph(request, world, lambda feedbacks: {"total": len(feedbacks)})


def get_feedback_scores_graph(request: Request, world: World) -> Reply:
    """Count feedback by its value, over the whole window."""
    feedbacks = _feedbacks(_asked(request, world), world)
    counted = Counter(feedback["value"] for feedback in feedbacks)
    points = [{"score": value, "total": count} for value, count in sorted(counted.items())]
    return _shown({"total": len(feedbacks)}, points)


def get_weighted_feedback_graph(request: Request, world: World) -> Reply:
    """Tell the mean of the weighted values of feedback."""
    return _feedback_graph(request, world, lambda feedbacks: {"avg": mean_weight(feedbacks)})


def get_feedback_models_graph(request: Request, world: World) -> Reply:
    """Tell the feedback of each model over the whole window; a trace leads from the one to the other."""
    asked = _asked(request, world)
    found: dict[str, list[Record]] = {}
    for feedback in _feedbacks(asked, world):
        for model in {log["ai_model"] for log in _traced(feedback["trace_id"], asked, world)}:
            found.setdefault(model, []).append(feedback)
    points = [
        {"ai_model": model, "total": len(feedbacks), "avg_weighted_feedback": mean_weight(feedbacks)}
        for model, feedbacks in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return _shown({}, points)


# Where the Node client looks for them (sdk-call-map 5.3).
get_cache_hit_rate_graph_for_node = get_cache_hit_rate_graph
get_cache_latency_graph_for_node = get_cache_latency_graph
get_error_rate_graph_for_node = get_error_rate_graph
get_error_stacks_graph_for_node = get_error_stacks_graph
get_error_status_codes_graph_for_node = get_error_status_codes_graph
get_rescued_requests_graph_for_node = get_rescued_requests_graph
get_user_requests_graph_for_node = get_user_requests_graph
get_feedback_scores_graph_for_node = get_feedback_scores_graph


def get_cache_summary(request: Request, world: World) -> Reply:
    """Tell what the cache did in the whole window.

    *chosen*: the speed-up is by how many per cent hits are faster than misses, 0 when either is missing; calls that asked
    for no cache are no misses.
    """
    tallies = _tallies(_asked(request, world), world)
    hits = figures.cached(tallies, HITS)
    hit_ms, miss_ms = figures.mean_time(hits), figures.mean_time(figures.cached(tallies, figures.MISSES))
    summary = {
        "hits": hits.requests,
        "avg_latency": hit_ms,
        "total_requests": figures.total(tallies).requests,
        "cache_speedup": figures.per_cent(miss_ms - hit_ms, miss_ms) if hits.requests else 0,
    }
    return Reply(200, {"summary": summary, "object": "analytics-summary", "data": summary})


# Groups


def list_user_groups(request: Request, world: World) -> Reply:
    """List users with their calls and cost; calls of nobody have an empty name."""
    found = figures.by_metadata(_tallies(_asked(request, world), world), "_user")
    return _grouped(request, found, "user", ("requests", "cost"), with_quota=True)


def list_model_groups(request: Request, world: World) -> Reply:
    """List models with their calls and cost."""
    tallies = _tallies(_asked(request, world), world)
    columns = figures.COLUMNS | figures.percentile_columns(tallies, "model")
    return _grouped(request, figures.by_trait(tallies, "model"), "ai_model", ("requests", "cost"), columns)


def list_metadata_groups(request: Request, world: World) -> Reply:
    """List the values of a metadata key; calls without the key have an empty value."""
    asked, key = _asked(request, world), request.path["metadataKey"]
    found = figures.by_metadata(_tallies(asked, world), key)
    always = ("requests", "cost", "avg_tokens", "avg_weighted_feedback", "requests_with_feedback", "last_seen")
    columns = figures.COLUMNS | _feedback_columns(asked, key, world)
    return _grouped(request, found, "metadata_value", always, columns, with_quota=True)


def list_workspace_groups(request: Request, world: World) -> Reply:
    """List the workspaces that had calls."""
    return _list_groups(request, world, "workspace")


def list_groups(request: Request, world: World) -> Reply:
    """List groups of calls that have one trait in common."""
    return _list_groups(request, world, request.path["groupBy"])


def _itself(value: JSON) -> JSON:
    return value


# What is asked for


def _asked(request: Request, world: World) -> Picked:
    """The logs that a call means. The key of a workspace sees its own whatever it names; an organisation's sees all.

    Fails: `forbidden` for an unknown workspace; `invalid-request` for a window that is too long.
    """
    caller, slug = request.caller, request.query.get("workspace_slug")
    workspace_id = caller.workspace_id
    if workspace_id is None and slug:
        workspace_id = find_workspace(world, slug)["id"]
    asked = log_filters.picked(request.query, workspace_id, world, "query")
    if asked.high_s - asked.low_s > LONGEST_S:
        raise invalid("query", "/time_of_generation_max", f"ends a window of more than {LONGEST_S // _DAY} days")
    return asked


def step_of(length_s: int) -> int:
    """Return how many seconds apart the points of a window of this length are."""
    return next((step_s for longest_s, step_s in STEPS if length_s <= longest_s), _DAY)


def _tallies(asked: Picked, world: World) -> Tallies:
    """Tallies that together hold the calls of the whole window."""
    if asked.test is None:
        return log_tallies.tallies(world, asked.workspaces, asked.low_s, asked.high_s)
    tally = Tally()
    for log in asked.logs(world):
        tally.count(log)
    return [tally]


def _buckets(asked: Picked, world: World) -> list[Bucket]:
    """The parts of the window, oldest first, those without calls too; parts begin at multiples of their length in UTC."""
    step_s = step_of(asked.high_s - asked.low_s)
    starts = range(asked.low_s // step_s * step_s, asked.high_s, step_s)
    if asked.test is None:
        return [
            Bucket(
                start, log_tallies.tallies(world, asked.workspaces, max(start, asked.low_s), min(start + step_s, asked.high_s))
            )
            for start in starts
        ]
    counted: dict[int, Tally] = {}
    for log in asked.logs(world):
        counted.setdefault(log_tallies.second_at(log["created_at"]) // step_s * step_s, Tally()).count(log)
    return [Bucket(start, [counted[start]] if start in counted else []) for start in starts]


# What is answered


def _graph(
    request: Request,
    world: World,
    summarise: Callable[[Tallies], Record],
    point_of: Callable[[Tallies], Record] | None = None,
) -> Reply:
    """A graph over time; its points say what its summary does, unless `point_of` says otherwise."""
    buckets = _buckets(_asked(request, world), world)
    point_of = point_of or summarise
    points = [{"timestamp": log_tallies.text_of(start_s), **point_of(tallies)} for start_s, tallies in buckets]
    return _shown(summarise([tally for bucket in buckets for tally in bucket.tallies]), points)


def _feedback_graph(request: Request, world: World, summarise: Callable[[list[Record]], Record]) -> Reply:
    """A graph over the times of feedback."""
    asked = _asked(request, world)
    step_s = step_of(asked.high_s - asked.low_s)
    found: dict[int, list[Record]] = {}
    feedbacks = _feedbacks(asked, world)
    for feedback in feedbacks:
        found.setdefault(log_tallies.second_at(feedback["created_at"]) // step_s * step_s, []).append(feedback)
    starts = range(asked.low_s // step_s * step_s, asked.high_s, step_s)
    points = [{"timestamp": log_tallies.text_of(start), **summarise(found.get(start, []))} for start in starts]
    return _shown(summarise(feedbacks), points)


def _shown(summary: Record, points: list[Record]) -> Reply:
    """A graph. The points are there twice: the Python client looks for them in `data` (sdk-call-map 7.4)."""
    graph = {"summary": summary, "data_points": points, "object": "analytics-graph", "is_quota_exceeded": False}
    return Reply(200, {**graph, "data": points})


def _list_groups(request: Request, world: World, trait: str) -> Reply:
    """Groups by a trait, whose value is in `group_key` and in the field of its name (Analytics: Key-field conflict)."""
    tallies = _tallies(_asked(request, world), world)
    columns = figures.COLUMNS | figures.percentile_columns(tallies, trait)
    name_of = partial(_slug, world) if trait == "workspace" else _itself
    return _grouped(request, figures.by_trait(tallies, trait), trait, ("requests",), columns, name_of=name_of, dynamic=True)


def _grouped(
    request: Request,
    found: dict[K, Sums],
    name: str,
    always: tuple[str, ...],
    columns: Columns = figures.COLUMNS,
    *,
    name_of: Callable[[JSON], JSON] = _itself,
    dynamic: bool = False,
    with_quota: bool = False,
) -> Reply:
    """A page of groups, the busiest first unless the call sorts them; past the end there is nothing, and the total is 0.

    `name` is the field that tells what the calls of a group have in common; `dynamic` groups have it in `group_key` too, and
    can leave the total out. Fails: `invalid-request` for a column that groups of this kind cannot be sorted by. Columns that
    they do not have are passed over (*chosen*: as unknown fields of an export are).
    """
    query = request.query
    order = query.get("order_by", "requests")
    if order not in columns:
        raise invalid("query", "/order_by", f"is no column of these groups; they have {', '.join(columns)}")
    falling = query.get("order_by_type", "desc").lower() == "desc"
    rows = sorted(found.items(), key=lambda item: str(name_of(item[0])))
    rows.sort(key=lambda item: _rank(columns[order](*item)), reverse=falling)  # a stable sort: equals stay in order of name
    offset, size = page_of(query)
    page = rows[offset : None if size is None else offset + size]
    wanted = dict.fromkeys((*always, *(each.strip() for each in query.get("columns", "").split(","))))
    shown = [
        {
            **({"group_key": name_of(value)} if dynamic else {}),
            name: name_of(value),
            **{column: columns[column](value, sums) for column in wanted if column in columns},
            "object": "analytics-group",
        }
        for value, sums in page
    ]
    body: Record = {"object": "list", "data": shown}
    if not dynamic or query.get("include_total", "true").lower() == "true":
        body["total"] = len(rows) if page else 0
    if with_quota:
        body["is_quota_exceeded"] = False
    return Reply(200, body)


def _rank(value: JSON) -> tuple[bool, JSON]:
    """What to sort a value by: what is not there comes below all else."""
    return value is not None, 0 if value is None else value


def _slug(world: World, workspace_id: str) -> str:
    return str((world["workspaces"].get(workspace_id) or {}).get("slug", ""))


# What feedback says


def _feedbacks(asked: Picked, world: World) -> list[Record]:
    """The feedback of the window: that of the workspaces, and with filters that of calls which they mean."""
    rows = world["feedback"].between(log_tallies.text_of(asked.low_s), log_tallies.text_of(asked.high_s))
    return [row for row in rows if _is_meant(row, asked, world)]


def _is_meant(feedback: Record, asked: Picked, world: World) -> bool:
    workspace_id = feedback.get("workspace_id")
    if asked.test is None and (asked.anywhere or workspace_id is not None):
        return asked.anywhere or workspace_id in asked.workspaces
    return bool(_traced(feedback["trace_id"], asked, world))


def _traced(trace_id: str, asked: Picked, world: World) -> list[Record]:
    """The logs of a trace that are meant, of whatever time."""
    return [log for log in of_trace(world, trace_id) if asked.suits(log)]


def _feedback_columns(asked: Picked, key: str, world: World) -> Columns:
    """The columns of groups by metadata that need feedback: whenever it was given, on calls of the window."""

    @cache
    def found() -> dict[str, tuple[int, list[Record]]]:
        by_trace: dict[str, list[Record]] = {}
        for feedback in world["feedback"].newest():
            by_trace.setdefault(feedback["trace_id"], []).append(feedback)
        calls: Counter[str] = Counter()
        rated: dict[str, list[Record]] = {}
        for trace_id, feedbacks in by_trace.items():
            values = Counter(metadata_of(log).get(key, "") for log in of_trace(world, trace_id) if asked.holds(log))
            calls += values
            for value in values:
                rated.setdefault(value, []).extend(feedbacks)
        return {value: (calls[value], feedbacks) for value, feedbacks in rated.items()}

    return {
        "avg_weighted_feedback": lambda value, _: mean_weight(found()[value][1]) if value in found() else None,
        "requests_with_feedback": lambda value, _: found()[value][0] if value in found() else 0,
    }
