"""Rate limits and usage limits, wherever they hang: on keys, workspaces, providers, an integration's access to a workspace.

Source: identity-and-access, Conventions (fields, reset timing, state machine); gateway-data-plane, Budgets and rate limits
(fixed windows aligned to the epoch, 412 and 429 with their texts).
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from mockserver.contract.problems import EXHAUSTED, RATE_LIMITED, Problem, invalid
from mockserver.portkey.records import moment
from mockserver.values import JSON, Record
from mockserver.world.clock import format_timestamp, parse_timestamp
from mockserver.world.world import World

WINDOW_S = {"rps": 1, "rpm": 60, "rph": 3600, "rpd": 86400, "rpw": 604800}

MONDAY, SUNDAY = 0, 6
"""Days on which weeks begin, as `datetime.weekday` counts."""

_SAID = ("type", "credit_limit", "alert_threshold", "periodic_reset", "periodic_reset_days", "next_usage_reset_at")
"""What a caller may say of a usage limit; the rest of what a read shows is counted here."""


def kept_limit(limit: Record, pointer: str) -> Record:
    """Return a usage limit as it is kept: whole numbers as integers, its time in UTC. Refuse one that contradicts itself.

    Source: identity-and-access, Conventions (both kinds of reset: 400 with this text; the threshold is an absolute amount
    that does not exceed the limit; workspaces' limits are decoded as integers: `10`, not `10.0`).
    """
    if limit.get("periodic_reset") and limit.get("periodic_reset_days"):
        raise invalid("body", f"{pointer}/periodic_reset", "Cannot set both periodic_reset and periodic_reset_days")
    threshold, credit = limit.get("alert_threshold"), limit.get("credit_limit")
    if threshold is not None and credit is not None and threshold > credit:
        raise invalid("body", f"{pointer}/alert_threshold", "is above credit_limit")
    kept: Record = {}
    for name in limit:
        if name in _SAID:
            value = limit[name]
            kept[name] = int(value) if isinstance(value, float) and value.is_integer() else value
    if limit.get("next_usage_reset_at"):
        at = moment(limit["next_usage_reset_at"], f"{pointer}/next_usage_reset_at")
        kept["next_usage_reset_at"] = format_timestamp(at)
    return kept


def kept_limits(given: list[Record] | None, pointer: str) -> list[Record] | None:
    """Return a list of usage limits as it is kept, None for an empty one."""
    return [kept_limit(limit, f"{pointer}/{at}") for at, limit in enumerate(given or ())] or None


def kept_rates(given: JSON) -> list[Record]:
    """Return rate limits as they are kept: a list, whether a list, a single one or nothing was given."""
    if isinstance(given, dict):
        return [given]
    return list(given or ())


def next_reset(limit: Record | None, now: datetime, week_begins: int = SUNDAY) -> str | None:
    """Return when a usage limit's counter is set back next: as given, else from now on, None for never.

    Source: identity-and-access, Conventions (weekly on Sunday, monthly on the first, 00:00 UTC); policies begin the week on
    Monday. *chosen*: so many days are counted from midnight of the day on which the limit is set, since the dossier says
    nothing finer.
    """
    if limit is None:
        return None
    given = limit.get("next_usage_reset_at")
    if given and parse_timestamp(given) > now:
        return str(given)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if limit.get("periodic_reset") == "weekly":
        return format_timestamp(midnight + timedelta(days=(week_begins - midnight.weekday()) % 7 or 7))
    if limit.get("periodic_reset") == "monthly":
        return format_timestamp(first_of_next_month(midnight))
    if limit.get("periodic_reset_days"):
        return format_timestamp(midnight + timedelta(days=limit["periodic_reset_days"]))
    return None


def first_of_next_month(midnight: datetime) -> datetime:
    """Return midnight of the first day of the month after a time."""
    month = midnight.month % 12 + 1
    return midnight.replace(year=midnight.year + (month == 1), month=month, day=1)


def is_exhausted(limit: Record | None, usage: float) -> bool:
    """Whether a budget is used up. Source: identity-and-access, Conventions (usage >= credit_limit)."""
    credit = limit.get("credit_limit") if limit else None
    return credit is not None and usage >= credit


def is_alarming(limit: Record | None, usage: float) -> bool:
    """Whether a usage has come to the amount from which on a mail is due."""
    threshold = limit.get("alert_threshold") if limit else None
    return threshold is not None and usage >= threshold


def exhausted(what: str) -> Problem:
    """Return the problem of a used-up budget; `what` is `API Key` or `Workspace`.

    Source: gateway-data-plane, error catalogue A (412, code 04, this text).
    """
    return Problem(EXHAUSTED, f"Portkey {what} Usage Limit Exceeded", code="04")


def check_rates(rates: list[Record] | None, subject: str, refusal: str, world: World, type_: str | None = None) -> None:
    """Refuse a call when a window of requests or tokens is full.

    `subject` names the counters, `refusal` is what the caller reads, `type_` the type of error where it has one of its own.
    Source: gateway-data-plane, error catalogue A and C (texts); *chosen*: tokens refuse once a window holds as many as it may,
    since what a call will need is not known before it.
    """
    for rate in rates or ():
        window = int(world.clock.seconds() // WINDOW_S[rate["unit"]])
        if used_in(window, world.facts.get(_counter(subject, rate))) >= rate["value"]:
            raise Problem(RATE_LIMITED, refusal, headers={"retry-after": str(wait_s(rate["unit"], world))}, type_=type_)


def wait_s(unit: str, world: World) -> int:
    """How many seconds a window of this unit goes on.

    *chosen*: `Retry-After` in whole seconds, which the gateway does not send, since clients under test need it.
    """
    length_s, now_s = WINDOW_S[unit], world.clock.seconds()
    return max(1, math.ceil((now_s // length_s + 1) * length_s - now_s))


def count_rates(rates: list[Record] | None, subject: str, world: World, **amounts: int) -> None:
    """Count amounts of `requests` or `tokens` in every window of that type.

    *chosen*: only calls that were let through count, the failures of a provider among them (the gateway counts refused ones as
    well): no refused call changes a world, so that a world follows from its accepted calls alone.
    """
    for rate in rates or ():
        amount = amounts.get(rate["type"])
        if amount:
            window = int(world.clock.seconds() // WINDOW_S[rate["unit"]])
            counter = _counter(subject, rate)
            world.facts.put(counter, [window, used_in(window, world.facts.get(counter)) + amount])


def used_in(window: int, counted: JSON) -> int:
    """Return how much a counter holds for a window: nothing when it is of another one."""
    return int(counted[1]) if counted and counted[0] == window else 0


def mask_name(text: str) -> str:
    """Hide most of an id in an error's text: `wo********abc`. Source: gateway-data-plane, error catalogue A."""
    return f"{text[:2]}********{text[-3:]}"


def _counter(subject: str, rate: Record) -> str:
    return f"rate:{subject}:{rate['type']}:{rate['unit']}"
