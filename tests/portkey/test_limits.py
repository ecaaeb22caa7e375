"""Rates and budgets, of keys and of workspaces, by the clock.

Source of every rule that names none: identity-and-access, Conventions (Common objects, Limit state machine);
gateway-data-plane, Budgets and rate limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mockserver.app import App
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    PRODUCTION,
    RESEARCH,
    at,
    changes,
    done,
    make_key,
    make_workspace,
    private_world,
    read,
    read_key,
    read_workspace,
    refused,
    serve,
    state,
)

PATH = "/v1/admin/workspaces"
SCOPES = ["workspaces.list"]


def rate(unit: str, value: int, kind: str = "requests") -> Record:
    return {"type": kind, "unit": unit, "value": value}


def limited(client: Client, *rates: Record) -> Client:
    """The same world, called with a new key that has these rates."""
    return client.as_key(make_key(client, scopes=SCOPES, rate_limits=list(rates)).secret)


def statuses(client: Client, calls: int) -> list[int]:
    return [client.get(PATH).status_code for _ in range(calls)]


# Rates

WINDOWS = [("rps", 1), ("rpm", 5), ("rph", 3065), ("rpd", 24665), ("rpw", 111065)]
"""Unit, and the seconds until its window ends at 17:08:55 on a Tuesday: windows are aligned to the epoch, a Thursday."""


@pytest.fixture
def tuesday(client: Client) -> Client:
    at(client, "2026-05-05T17:08:55Z")
    return client


@pytest.mark.parametrize(("unit", "wait_s"), WINDOWS)
def test_full_window_refuses(tuesday: Client, unit: str, wait_s: int) -> None:
    caller = limited(tuesday, rate(unit, 2))
    assert statuses(caller, 2) == [200, 200]
    reply = caller.get(PATH)
    refused(reply, 429, "AB06")
    assert reply.headers["retry-after"] == str(wait_s)


@pytest.mark.parametrize(("unit", "wait_s"), WINDOWS)
def test_next_window_lets_in_after_retry_after(tuesday: Client, unit: str, wait_s: int) -> None:
    caller = limited(tuesday, rate(unit, 1))
    assert statuses(caller, 2) == [200, 429]
    tuesday.world.clock.move(timedelta(seconds=wait_s - 0.001))
    assert caller.get(PATH).headers["retry-after"] == "1"
    tuesday.world.clock.move(timedelta(seconds=0.001))
    assert statuses(caller, 2) == [200, 429]


def test_retry_after_is_rounded_up(client: Client) -> None:
    """Whole seconds; who waits that long must get in."""
    at(client, "2026-05-05T17:08:55.250Z")
    caller = limited(client, rate("rpm", 1))
    caller.get(PATH)
    assert caller.get(PATH).headers["retry-after"] == "5"


@pytest.mark.parametrize("unit", [unit for unit, _ in WINDOWS])
def test_window_lets_in_as_many_as_it_says(tuesday: Client, unit: str) -> None:
    caller = limited(tuesday, rate(unit, 7))
    assert statuses(caller, 9) == [200] * 7 + [429] * 2


def test_refusal_names_the_masked_key(tuesday: Client) -> None:
    """Error catalogue: first two and last three characters around eight asterisks."""
    made = make_key(tuesday, scopes=SCOPES, rate_limits=[rate("rpm", 1)])
    caller = tuesday.as_key(made.secret)
    caller.get(PATH)
    masked = f"{made.secret[:2]}********{made.secret[-3:]}"
    assert refused(caller.get(PATH), 429, "AB06")["message"] == f"apikey {masked} rate limit exceeded"


def test_tightest_of_several_rates_refuses(tuesday: Client) -> None:
    caller = limited(tuesday, rate("rph", 3), rate("rpm", 2))
    assert statuses(caller, 3) == [200, 200, 429]
    tuesday.world.clock.move(timedelta(minutes=1))
    assert statuses(caller, 2) == [200, 429]
    assert caller.get(PATH).headers["retry-after"] == str(3065 - 60)


def test_keys_have_their_own_windows(tuesday: Client) -> None:
    first, second = limited(tuesday, rate("rpm", 1)), limited(tuesday, rate("rpm", 1))
    assert [statuses(caller, 2) for caller in (first, second)] == [[200, 429]] * 2


def test_worlds_have_their_own_windows(tuesday: Client) -> None:
    made = make_key(tuesday, scopes=SCOPES, rate_limits=[rate("rpm", 1)])
    tuesday.app.worlds.fork("twin", tuesday.world.snapshot())
    try:
        worlds = [tuesday.as_key(made.secret), Client(tuesday.app, "twin").as_key(made.secret)]
        assert [statuses(caller, 2) for caller in worlds] == [[200, 429]] * 2
    finally:
        tuesday.app.worlds.delete("twin")


def test_rates_of_tokens_let_requests_in(tuesday: Client) -> None:
    """The control plane spends no tokens."""
    assert statuses(limited(tuesday, rate("rpm", 1, "tokens")), 3) == [200] * 3


def test_rates_count_every_operation(tuesday: Client) -> None:
    scopes = ["workspaces.list", "workspaces.read"]
    caller = tuesday.as_key(make_key(tuesday, scopes=scopes, rate_limits=[rate("rpm", 2)]).secret)
    replies = [caller.get(path).status_code for path in (PATH, f"{PATH}/{PRODUCTION}", PATH)]
    assert replies == [200, 200, 429]


@pytest.mark.parametrize(
    ("path", "status"), [(f"{PATH}?page_size=0", 400), (f"{PATH}/{RESEARCH}", 403), ("/v1/api-keys", 403), ("/v1/nowhere", 404)]
)
def test_refused_calls_are_not_counted(tuesday: Client, path: str, status: int) -> None:
    """*chosen*: no refused call changes a world (the gateway counts them)."""
    caller = limited(tuesday, rate("rpm", 1))
    before = state(tuesday)
    assert caller.get(path).status_code == status
    assert state(tuesday) == before
    assert statuses(caller, 2) == [200, 429]


def test_rate_limited_calls_change_nothing(tuesday: Client) -> None:
    caller = limited(tuesday, rate("rpm", 1))
    caller.get(PATH)
    before = state(tuesday)
    refused(caller.get(PATH), 429, "AB06")
    assert state(tuesday) == before


def test_higher_rate_lets_in_within_the_window(tuesday: Client) -> None:
    made = make_key(tuesday, scopes=SCOPES, rate_limits=[rate("rpm", 1)])
    caller = tuesday.as_key(made.secret)
    assert statuses(caller, 2) == [200, 429]
    done(tuesday.put(f"/v1/api-keys/{made.id}", {"rate_limits": [rate("rpm", 3)]}))
    assert statuses(caller, 3) == [200, 200, 429]


def test_cleared_rate_lets_in(tuesday: Client) -> None:
    made = make_key(tuesday, scopes=SCOPES, rate_limits=[rate("rpm", 1)])
    caller = tuesday.as_key(made.secret)
    assert statuses(caller, 2) == [200, 429]
    done(tuesday.put(f"/v1/api-keys/{made.id}", {"rate_limits": None}))
    assert statuses(caller, 2) == [200, 200]


def test_rate_comes_before_scope(tuesday: Client) -> None:
    """Request pipeline: key, budget and expiry, rate, then the rest."""
    caller = limited(tuesday, rate("rpm", 1))
    caller.get(PATH)
    refused(caller.get("/v1/api-keys"), 429, "AB06")


def test_windows_follow_a_running_clock(client: Client) -> None:
    client.world.clock.run()
    caller = limited(client, rate("rpw", 1))
    caller.get(PATH)
    refused(caller.get(PATH), 429, "AB06")
    client.world.clock.move(timedelta(weeks=1))
    assert caller.get(PATH).status_code == 200


# Rates of workspaces


def test_keys_share_the_rate_of_their_workspace(tuesday: Client) -> None:
    done(tuesday.put(f"{PATH}/{PRODUCTION}", {"rate_limits": [rate("rpm", 2)]}))
    first, second = limited(tuesday), limited(tuesday)
    assert statuses(first, 2) == [200, 200]
    reply = second.get(PATH)
    assert refused(reply, 429, "AB06")["message"] == "workspace ws********04e rate limit exceeded"
    assert reply.headers["retry-after"] == "5"


def test_rate_of_workspace_binds_its_own_keys_alone(tuesday: Client) -> None:
    done(tuesday.put(f"{PATH}/{PRODUCTION}", {"rate_limits": [rate("rpm", 1)]}))
    elsewhere = tuesday.as_key(make_key(tuesday, workspace_id=RESEARCH, scopes=SCOPES).secret)
    admin = tuesday.as_key(make_key(tuesday, "organisation/service", scopes=SCOPES).secret)
    assert statuses(limited(tuesday), 2) == [200, 429]
    assert [statuses(caller, 3) for caller in (elsewhere, admin, tuesday)] == [[200] * 3] * 3


def test_key_and_workspace_both_bind(tuesday: Client) -> None:
    done(tuesday.put(f"{PATH}/{PRODUCTION}", {"rate_limits": [rate("rpm", 3)]}))
    tight, free = limited(tuesday, rate("rpm", 1)), limited(tuesday)
    assert statuses(tight, 2) == [200, 429]
    assert statuses(free, 3) == [200, 200, 429]


# Budgets


def budget(credit_limit: float = 20, **more: Any) -> Record:
    return {"type": "cost", "credit_limit": credit_limit, **more}


BUDGETS = {
    "never": budget(),
    "weekly": budget(periodic_reset="weekly"),
    "monthly": budget(periodic_reset="monthly"),
    "ten-days": budget(periodic_reset_days=10),
    "supplied": budget(next_usage_reset_at="2025-01-15T18:30:00Z"),
    "supplied-weekly": budget(next_usage_reset_at="2025-01-15T18:30:00Z", periodic_reset="weekly"),
}


@pytest.fixture(scope="module")
def spent_app(tmp_path_factory: pytest.TempPathFactory) -> App:
    """Worlds in which, on 6 January 2025 at nine, each kind of budget is used up: of a key, and of a workspace."""
    workspaces = [{"name": name, "slug": f"ws-{name}", "usage_limits": [limit], "usage": 20} for name, limit in BUDGETS.items()]
    keys = [
        {"name": name, "type": "workspace-service", "workspace": "ws-free", "scopes": SCOPES, "secret": f"key-{name}"}
        | {"usage_limits": limit, "usage": 20}
        for name, limit in BUDGETS.items()
    ]
    partly = {"name": "partly", "usage_limits": budget(), "usage": 15, "secret": "key-partly"}
    keys.append({"type": "workspace-service", "workspace": "ws-free", "scopes": SCOPES, **partly})
    members = [
        {"name": f"in {name}", "type": "workspace-service", "workspace": f"ws-{name}", "scopes": SCOPES}
        | {"secret": f"key-in-{name}"}
        for name in BUDGETS
    ]
    world = {"workspaces": [{"name": "free", "slug": "ws-free"}, *workspaces], "api_keys": [*keys, *members]}
    return serve(tmp_path_factory.mktemp("spent"), world)


@pytest.fixture
def spent(spent_app: App) -> Iterator[Client]:
    """A private copy on Tuesday, 7 January 2025."""
    with private_world(spent_app) as client:
        at(client, "2025-01-07T09:00:00Z")
        yield client


def key_named(client: Client, name: str) -> Record:
    """Read a key by its name."""
    (found,) = [key["id"] for key in read(client, "/v1/api-keys")["data"] if key["name"] == name]
    return read_key(client, found)


RESETS = [
    ("weekly", "2025-01-12T00:00:00Z", "2025-01-19T00:00:00.000Z"),
    ("monthly", "2025-02-01T00:00:00Z", "2025-03-01T00:00:00.000Z"),
    ("ten-days", "2025-01-16T00:00:00Z", "2025-01-26T00:00:00.000Z"),
    ("supplied", "2025-01-15T18:30:00Z", None),
    ("supplied-weekly", "2025-01-15T18:30:00Z", "2025-01-19T00:00:00.000Z"),
]
"""Budget, when it is set back, when it is next. Weekly on Sunday, monthly on the first, each at midnight; *chosen*: so many
days from midnight of the day on which the budget was set; a time that was given comes first."""


@pytest.mark.parametrize("name", BUDGETS)
def test_spent_key_is_exhausted(spent: Client, name: str) -> None:
    assert key_named(spent, name)["status"] == "exhausted"
    answer = refused(spent.as_key(f"key-{name}").get(PATH), 412, "04")
    assert answer["message"] == "Portkey API Key Usage Limit Exceeded"


@pytest.mark.parametrize(("name", "reset_at", "next_at"), RESETS)
def test_key_is_exhausted_until_its_reset(spent: Client, name: str, reset_at: str, next_at: str | None) -> None:
    at(spent, reset_at)
    spent.world.clock.move(timedelta(seconds=-1))
    refused(spent.as_key(f"key-{name}").get(PATH), 412, "04")
    at(spent, reset_at)
    assert spent.as_key(f"key-{name}").get(PATH).status_code == 200


@pytest.mark.parametrize(("name", "reset_at", "next_at"), RESETS)
def test_reset_shows_in_a_key(spent: Client, name: str, reset_at: str, next_at: str | None) -> None:
    before = key_named(spent, name)
    assert before["next_usage_reset_at"] == reset_at.replace("Z", ".000Z")
    at(spent, reset_at)
    spent.world.clock.move(timedelta(hours=3))
    after = key_named(spent, name)
    assert changes(before, after) == {"status", "last_reset_at", "next_usage_reset_at", "usage_limits"}
    assert "current_usage" in before["usage_limits"]
    assert "current_usage" not in after["usage_limits"]
    assert after["status"] == "active"
    assert (after["last_reset_at"], after["next_usage_reset_at"]) == (reset_at.replace("Z", ".000Z"), next_at)


@pytest.mark.parametrize(
    ("name", "last", "upcoming"),
    [
        ("weekly", "2025-02-02", "2025-02-09"),
        ("monthly", "2025-02-01", "2025-03-01"),
        ("ten-days", "2025-02-05", "2025-02-15"),
        ("supplied-weekly", "2025-02-02", "2025-02-09"),
    ],
)
def test_missed_resets_are_made_up_for(spent: Client, name: str, last: str, upcoming: str) -> None:
    """Nobody looked for weeks: what counts is the last time that is past, and the next one lies ahead."""
    at(spent, "2025-02-05T20:00:00Z")
    key = key_named(spent, name)
    shown = (key["last_reset_at"], key["next_usage_reset_at"])
    assert shown == (f"{last}T00:00:00.000Z", f"{upcoming}T00:00:00.000Z")


@pytest.mark.parametrize("name", ["weekly", "monthly", "ten-days", "supplied-weekly"])
def test_looking_often_or_seldom_shows_the_same(spent_app: App, name: str) -> None:
    """Work that is due happens when somebody looks; when that is must not matter."""
    shown = []
    for steps in (1, 40):
        with private_world(spent_app) as client:
            at(client, "2025-01-07T09:00:00Z")
            for _ in range(steps):
                client.world.clock.move(timedelta(days=40 / steps))
                key = key_named(client, name)
            shown.append(key)
    assert shown[0] == shown[1]


def test_budget_outlives_the_calendar(client: Client) -> None:
    made = make_key(client, usage_limits=budget(periodic_reset_days=1))
    at(client, "8999-12-30T12:00:00Z")
    assert read_key(client, made.id)["next_usage_reset_at"] == "8999-12-31T00:00:00.000Z"


def test_budget_without_reset_stays_exhausted(spent: Client) -> None:
    at(spent, "2035-01-01T00:00:00Z")
    key = key_named(spent, "never")
    assert (key["status"], key["next_usage_reset_at"], key["last_reset_at"]) == ("exhausted", None, None)


@pytest.mark.parametrize(
    ("now", "limit", "next_at"),
    [
        ("2026-05-09T23:59:59Z", budget(periodic_reset="weekly"), "2026-05-10T00:00:00.000Z"),
        ("2026-05-10T00:00:00Z", budget(periodic_reset="weekly"), "2026-05-17T00:00:00.000Z"),
        ("2026-12-15T12:00:00Z", budget(periodic_reset="monthly"), "2027-01-01T00:00:00.000Z"),
        ("2028-01-31T12:00:00Z", budget(periodic_reset="monthly"), "2028-02-01T00:00:00.000Z"),
        ("2026-05-05T12:00:00Z", budget(periodic_reset_days=1), "2026-05-06T00:00:00.000Z"),
        ("2026-05-05T12:00:00Z", budget(periodic_reset_days=365), "2027-05-05T00:00:00.000Z"),
        ("2026-05-05T12:00:00Z", budget(next_usage_reset_at="2026-05-05T14:30:00+02:00"), "2026-05-05T12:30:00.000Z"),
        ("2026-05-05T12:00:00Z", budget(periodic_reset=None, periodic_reset_days=None), None),
        ("2026-05-05T12:00:00Z", budget(), None),
    ],
)
@pytest.mark.parametrize("call", ["create", "update"])
def test_key_tells_its_next_reset(client: Client, call: str, now: str, limit: Record, next_at: str | None) -> None:
    at(client, now)
    if call == "create":
        made = make_key(client, usage_limits=limit)
    else:
        made = make_key(client)
        done(client.put(f"/v1/api-keys/{made.id}", {"usage_limits": limit}))
    assert read_key(client, made.id)["next_usage_reset_at"] == next_at


def test_other_updates_leave_the_reset_alone(client: Client) -> None:
    at(client, "2026-05-05T12:00:00Z")
    made = make_key(client, usage_limits=budget(periodic_reset_days=10))
    before = read_key(client, made.id)
    at(client, "2026-05-08T12:00:00Z")
    done(client.put(f"/v1/api-keys/{made.id}", {"name": "other"}))
    assert changes(before, read_key(client, made.id)) == {"name", "last_updated_at"}


# reset_usage and the limit itself


def test_reset_usage_revives_a_key(spent: Client) -> None:
    """A command: it is not stored, reads back null and sets `last_reset_at`."""
    before = key_named(spent, "never")
    done(spent.put(f"/v1/api-keys/{before['id']}", {"reset_usage": True}))
    after = read_key(spent, before["id"])
    assert changes(before, after) == {"status", "last_reset_at", "last_updated_at", "usage_limits"}
    assert (after["status"], after["last_reset_at"]) == ("active", "2025-01-07T09:00:00.000Z")
    assert after["reset_usage"] is None
    assert spent.as_key("key-never").get(PATH).status_code == 200


@pytest.mark.parametrize("value", [False, None])
def test_reset_usage_that_is_not_true_does_nothing(spent: Client, value: bool | None) -> None:
    before = key_named(spent, "never")
    done(spent.put(f"/v1/api-keys/{before['id']}", {"reset_usage": value}))
    assert read_key(spent, before["id"]) == before


def test_reset_usage_leaves_the_next_reset(spent: Client) -> None:
    before = key_named(spent, "weekly")
    done(spent.put(f"/v1/api-keys/{before['id']}", {"reset_usage": True}))
    assert read_key(spent, before["id"])["next_usage_reset_at"] == before["next_usage_reset_at"]


@pytest.mark.parametrize(
    ("name", "limit", "status"),
    [
        ("never", budget(21), "active"),
        ("never", budget(20.5), "active"),
        ("never", budget(20), "exhausted"),
        ("never", budget(19), "exhausted"),
        ("never", None, "active"),
        ("partly", budget(16), "active"),
        ("partly", budget(15), "exhausted"),
        ("partly", budget(1), "exhausted"),
        ("partly", {"type": "cost"}, "active"),
    ],
)
def test_status_follows_the_limit(spent: Client, name: str, limit: Record | None, status: str) -> None:
    """Exhausted from usage >= limit on; active when the limit is raised above the usage."""
    key_id = key_named(spent, name)["id"]
    done(spent.put(f"/v1/api-keys/{key_id}", {"usage_limits": limit}))
    assert read_key(spent, key_id)["status"] == status


def test_other_updates_leave_a_key_exhausted(spent: Client) -> None:
    key_id = key_named(spent, "never")["id"]
    done(spent.put(f"/v1/api-keys/{key_id}", {"name": "never", "description": "Spent"}))
    assert read_key(spent, key_id)["status"] == "exhausted"


def test_expiry_comes_before_exhaustion(spent: Client) -> None:
    key_id = key_named(spent, "never")["id"]
    done(spent.put(f"/v1/api-keys/{key_id}", {"expires_at": "2025-01-07T10:00:00Z"}))
    at(spent, "2025-01-07T10:00:00Z")
    assert read_key(spent, key_id)["status"] == "expired"
    refused(spent.as_key("key-never").get(PATH), 401, "AB05")


def test_exhaustion_comes_before_rate_and_scope(spent: Client) -> None:
    """Request pipeline."""
    key_id = key_named(spent, "never")["id"]
    done(spent.put(f"/v1/api-keys/{key_id}", {"rate_limits": [rate("rpm", 0)]}))
    refused(spent.as_key("key-never").get("/v1/api-keys"), 412, "04")


# Budgets of workspaces


@pytest.mark.parametrize("name", BUDGETS)
def test_spent_workspace_refuses_its_keys(spent: Client, name: str) -> None:
    answer = refused(spent.as_key(f"key-in-{name}").get(PATH), 412, "04")
    assert answer["message"] == "Portkey Workspace Usage Limit Exceeded"


@pytest.mark.parametrize(("name", "reset_at", "next_at"), RESETS)
def test_workspace_is_exhausted_until_its_reset(spent: Client, name: str, reset_at: str, next_at: str | None) -> None:
    caller = spent.as_key(f"key-in-{name}")
    at(spent, reset_at)
    spent.world.clock.move(timedelta(seconds=-1))
    refused(caller.get(PATH), 412, "04")
    at(spent, reset_at)
    assert caller.get(PATH).status_code == 200
    assert read_workspace(spent, f"ws-{name}")["last_reset_at"] == reset_at.replace("Z", ".000Z")


def test_admin_still_manages_a_spent_workspace(spent: Client) -> None:
    assert read_workspace(spent, "ws-never")["slug"] == "ws-never"


def test_spent_workspaces_are_listed(spent: Client) -> None:
    """They are not archived; a list item tells their status."""
    found = read(spent, PATH)
    assert {item["name"]: item["status"] for item in found["data"]} == {"free": "active"} | dict.fromkeys(BUDGETS, "exhausted")
    assert found["total"] == len(BUDGETS) + 1


def test_spent_workspace_is_listed_once_and_page_by_page(spent: Client) -> None:
    pages = [read(spent, PATH, page_size=3, current_page=page)["data"] for page in range(3)]
    assert sorted(item["name"] for page in pages for item in page) == sorted(["free", *BUDGETS])


def test_spent_workspace_is_found_by_name(spent: Client) -> None:
    assert [item["status"] for item in read(spent, PATH, exact_name="never")["data"]] == ["exhausted"]


def test_list_of_active_and_archived_agrees_with_both(spent: Client) -> None:
    both = read(spent, PATH, status="active,archived")["total"]
    assert both == sum(read(spent, PATH, status=status)["total"] for status in ("active", "archived"))


def test_list_shows_reset_workspaces_as_active(spent: Client) -> None:
    at(spent, "2025-01-12T00:00:00Z")
    assert {item["name"]: item["status"] for item in read(spent, PATH, status="active,archived")["data"]}["weekly"] == "active"


def test_higher_limit_revives_a_workspace(spent: Client) -> None:
    """Update: "Raising a `credit_limit` reactivates an exhausted workspace"."""
    done(spent.put(f"{PATH}/ws-never", {"usage_limits": [budget(21)]}))
    assert spent.as_key("key-in-never").get(PATH).status_code == 200


def test_cleared_limit_revives_a_workspace(spent: Client) -> None:
    done(spent.put(f"{PATH}/ws-never", {"usage_limits": None}))
    assert spent.as_key("key-in-never").get(PATH).status_code == 200


def test_reset_usage_revives_a_workspace(spent: Client) -> None:
    before = read_workspace(spent, "ws-never")
    done(spent.put(f"{PATH}/ws-never", {"reset_usage": True}))
    after = read_workspace(spent, "ws-never")
    assert changes(before, after) == {"last_reset_at", "last_updated_at", "usage_limits"}
    assert after["last_reset_at"] == "2025-01-07T09:00:00.000Z"
    assert spent.as_key("key-in-never").get(PATH).status_code == 200


def test_lower_limit_leaves_a_workspace_without_usage_active(client: Client) -> None:
    made = make_workspace(client, usage_limits=[budget(100)])
    caller = client.as_key(make_key(client, workspace_id=made["id"], scopes=SCOPES).secret)
    done(client.put(f"{PATH}/{made['id']}", {"usage_limits": [budget(1)]}))
    assert caller.get(PATH).status_code == 200


def test_supplied_time_is_shown_in_utc(client: Client) -> None:
    """Conventions, Timestamps: what is sent is UTC with milliseconds, whatever was given."""
    at(client, "2026-05-05T12:00:00Z")
    given = budget(next_usage_reset_at="2026-05-10T02:00:00+02:00")
    assert read_key(client, make_key(client, usage_limits=given).id)["usage_limits"]["next_usage_reset_at"] == (
        "2026-05-10T00:00:00.000Z"
    )


def test_seed_key_that_spent_its_budget(client: Client) -> None:
    """What the small team shows of a limit."""
    key = key_named(client, "Nightly evaluation")
    assert key["status"] == "exhausted"
    assert re.fullmatch(r".{2}\*{5}.{3}", key["key"])
