"""What calls of the data plane use: tokens and dollars, counted against keys and workspaces, with the mails that fall due.

Source of every rule that names none: identity-and-access, Conventions (usage_limits, rate_limits, Limit state machine);
gateway-data-plane, Budgets and rate limits. `test_metering` has providers and grants.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import PRODUCTION, at, barred, done, make_key, make_workspace, read, read_key, read_workspace

CHAT = "/v1/chat/completions"
CALL: Record = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
SCOPES = ["completions.write"]


@pytest.fixture
def monday(client: Client) -> Client:
    at(client, "2026-05-04T10:00:00Z")
    return client


def ask(client: Client, **body: Any) -> Any:
    """Make a call of a model at OpenAI."""
    return client.post(CHAT, {**CALL, **body}, headers={"x-portkey-provider": "openai"})


def chat(client: Client) -> Record:
    """Make a call that succeeds; return what it used."""
    reply = ask(client)
    assert reply.status_code == 200, reply.text
    used: Record = reply.json()["usage"]
    return used


def cost_usd(used: Record) -> float:
    """By the list price of the model: 0.00025 and 0.001 cents a token (governance-mcp-observability, Model pricing)."""
    cents: float = used["prompt_tokens"] * 0.00025 + used["completion_tokens"] * 0.001
    return cents / 100


def key_with(client: Client, limit: Record, **fields: Any) -> tuple[str, Client]:
    made = make_key(client, scopes=SCOPES, usage_limits=limit, **fields)
    return made.id, client.as_key(made.secret)


def events(client: Client, **query: Any) -> list[Record]:
    found: list[Record] = read(client, "/__admin/events", **query)["events"]
    return found


def test_tokens_are_counted(monday: Client) -> None:
    key_id, caller = key_with(monday, {"type": "tokens", "credit_limit": 100000})
    used = chat(caller)["total_tokens"] + chat(caller)["total_tokens"]
    assert read_key(monday, key_id)["usage_limits"] == {"type": "tokens", "credit_limit": 100000, "current_usage": used}


def test_dollars_are_counted(monday: Client) -> None:
    key_id, caller = key_with(monday, {"type": "cost", "credit_limit": 10})
    used = chat(caller)
    assert read_key(monday, key_id)["usage_limits"]["current_usage"] == pytest.approx(cost_usd(used))


def test_limit_without_type_counts_dollars(monday: Client) -> None:
    key_id, caller = key_with(monday, {"credit_limit": 10})
    used = chat(caller)
    assert read_key(monday, key_id)["usage_limits"]["current_usage"] == pytest.approx(cost_usd(used))


def test_model_without_a_price_costs_nothing(monday: Client) -> None:
    key_id, caller = key_with(monday, {"type": "cost", "credit_limit": 10})
    assert ask(caller, model="nobody-knows-it").status_code == 200
    assert read_key(monday, key_id)["usage_limits"] == {"type": "cost", "credit_limit": 10}


def test_control_plane_uses_nothing(monday: Client) -> None:
    made = make_key(monday, scopes=["workspaces.list"], usage_limits={"type": "tokens", "credit_limit": 1})
    before = read_key(monday, made.id)
    assert monday.as_key(made.secret).get("/v1/admin/workspaces").status_code == 200
    assert read_key(monday, made.id) == before


def test_key_is_exhausted_by_the_call_that_reaches_its_limit(monday: Client) -> None:
    """Active until usage >= credit_limit; the call that gets there still succeeds."""
    key_id, caller = key_with(monday, {"type": "tokens", "credit_limit": 40})
    calls = 0
    while read_key(monday, key_id)["status"] == "active":
        chat(caller)
        calls += 1
    limit = read_key(monday, key_id)["usage_limits"]
    assert calls > 0
    assert limit["current_usage"] >= 40
    assert barred(ask(caller), 412, "04") == "Portkey API Key Usage Limit Exceeded"
    assert read_key(monday, key_id)["usage_limits"] == limit


def test_workspace_is_exhausted_with_its_keys(monday: Client) -> None:
    made = make_workspace(monday, usage_limits=[{"type": "tokens", "credit_limit": 1}])
    first, second = (monday.as_key(make_key(monday, workspace_id=made["id"], scopes=SCOPES).secret) for _ in range(2))
    used = chat(first)["total_tokens"]
    assert read_workspace(monday, made["id"])["usage_limits"][0]["current_usage"] == used
    assert barred(ask(second), 412, "04") == "Portkey Workspace Usage Limit Exceeded"


@pytest.mark.parametrize("change", [{"usage_limits": {"type": "tokens", "credit_limit": 100000}}, {"reset_usage": True}])
def test_exhausted_key_comes_back(monday: Client, change: Record) -> None:
    key_id, caller = key_with(monday, {"type": "tokens", "credit_limit": 1})
    chat(caller)
    assert ask(caller).status_code == 412
    done(monday.put(f"/v1/api-keys/{key_id}", change))
    assert read_key(monday, key_id)["status"] == "active"
    assert ask(caller).status_code == 200


def test_reset_by_the_clock_brings_a_key_back(monday: Client) -> None:
    key_id, caller = key_with(monday, {"type": "tokens", "credit_limit": 1, "periodic_reset_days": 2})
    chat(caller)
    at(monday, "2026-05-05T23:59:59Z")
    assert ask(caller).status_code == 412
    at(monday, "2026-05-06T00:00:00Z")
    key = read_key(monday, key_id)
    assert (key["status"], key["last_reset_at"]) == ("active", "2026-05-06T00:00:00.000Z")
    assert key["next_usage_reset_at"] == "2026-05-08T00:00:00.000Z"
    assert "current_usage" not in key["usage_limits"]
    assert ask(caller).status_code == 200


@pytest.mark.parametrize(("unit", "wait_s"), [("rps", 1), ("rpm", 60), ("rph", 3600), ("rpd", 50400), ("rpw", 223200)])
def test_window_of_tokens_refuses_when_full(monday: Client, unit: str, wait_s: int) -> None:
    """The call that fills the window succeeds: what it will use is not known before it."""
    rate = {"type": "tokens", "unit": unit, "value": 1}
    caller = monday.as_key(make_key(monday, scopes=SCOPES, rate_limits=[rate]).secret)
    chat(caller)
    reply = ask(caller)
    assert barred(reply, 429, "05").endswith("rate limit exceeded")
    assert reply.headers["retry-after"] == str(wait_s)
    monday.world.clock.move(timedelta(seconds=wait_s))
    assert ask(caller).status_code == 200


def test_windows_of_tokens_and_requests_are_apart(monday: Client) -> None:
    rates = [{"type": "tokens", "unit": "rpm", "value": 100000}, {"type": "requests", "unit": "rpm", "value": 2}]
    caller = monday.as_key(make_key(monday, scopes=SCOPES, rate_limits=rates).secret)
    assert [ask(caller).status_code for _ in range(3)] == [200, 200, 429]


def test_threshold_sends_one_mail(monday: Client) -> None:
    emails = ["ops@example.com", "money@example.com"]
    limit = {"type": "tokens", "credit_limit": 100000, "alert_threshold": 1}
    key_id, caller = key_with(monday, limit, name="metered", alert_emails=emails)
    used = chat(caller)["total_tokens"]
    chat(caller)
    (mail,) = events(monday)
    assert (mail["kind"], mail["at"]) == ("usage-threshold", "2026-05-04T10:00:00.000Z")
    assert mail["details"]["to"] == emails
    assert mail["details"]["about"] == {"object": "api-key", "id": key_id, "name": "metered"}
    assert mail["details"]["usage"] == used
    assert read_key(monday, key_id)["usage_limits"]["is_threshold_alerts_sent"] is True


def test_mail_names_the_call_that_brought_it_about(monday: Client) -> None:
    _, caller = key_with(monday, {"type": "tokens", "credit_limit": 100000, "alert_threshold": 1})
    chat(caller)
    call = read(monday, f"/__admin/requests/{events(monday)[0]['request']}")
    assert (call["operation"], call["status"]) == ("createChatCompletion", 200)


def test_exhaustion_sends_both_mails(monday: Client) -> None:
    key_id, caller = key_with(monday, {"type": "tokens", "credit_limit": 1, "alert_threshold": 1})
    chat(caller)
    assert [mail["kind"] for mail in events(monday)] == ["usage-exhausted", "usage-threshold"]
    limit = read_key(monday, key_id)["usage_limits"]
    assert limit["is_threshold_alerts_sent"] is limit["is_exhausted_alerts_sent"] is True


def test_key_without_addresses_alerts_owners_and_admins(monday: Client) -> None:
    _, caller = key_with(monday, {"type": "tokens", "credit_limit": 1})
    chat(caller)
    assert events(monday)[0]["details"]["to"] == ["ada@example.com", "ben@example.com"]


@pytest.mark.parametrize(
    "change",
    [{"usage_limits": {"type": "tokens", "credit_limit": 100000, "alert_threshold": 99999}}, {"reset_usage": True}],
    ids=["raised", "reset"],
)
def test_mails_are_due_again_after_a_change(monday: Client, change: Record) -> None:
    """Raising a limit or a threshold clears its flag."""
    key_id, caller = key_with(monday, {"type": "tokens", "credit_limit": 2, "alert_threshold": 1})
    chat(caller)
    done(monday.put(f"/v1/api-keys/{key_id}", change))
    limit = read_key(monday, key_id)["usage_limits"]
    assert {"is_threshold_alerts_sent", "is_exhausted_alerts_sent"} & set(limit) == set()
    done(
        monday.put(f"/v1/api-keys/{key_id}", {"usage_limits": {"type": "tokens", "credit_limit": 100000, "alert_threshold": 1}})
    )
    chat(caller)
    assert [mail["kind"] for mail in events(monday, kind="usage-threshold")] == ["usage-threshold"] * 2


def test_expiry_sends_a_mail(monday: Client) -> None:
    """As recorded: the usage limits of an expired key say that the mail is out."""
    made = make_key(monday, expires_at="2026-05-05T00:00:00Z", alert_emails=["ops@example.com"])
    at(monday, "2026-05-05T00:10:00Z")
    assert read_key(monday, made.id)["usage_limits"] == {"is_expired_alerts_sent": True}
    (mail,) = events(monday, kind="expired")
    assert mail["details"]["to"] == ["ops@example.com"]


def test_longer_life_takes_the_flag_of_expiry_away(monday: Client) -> None:
    made = make_key(monday, expires_at="2026-05-05T00:00:00Z")
    at(monday, "2026-05-05T00:10:00Z")
    assert read_key(monday, made.id)["status"] == "expired"
    done(monday.put(f"/v1/api-keys/{made.id}", {"expires_at": None}))
    key = read_key(monday, made.id)
    assert (key["status"], key["usage_limits"]) == ("active", None)


def test_refused_call_sends_no_mail(monday: Client) -> None:
    _, caller = key_with(monday, {"type": "tokens", "credit_limit": 100000, "alert_threshold": 1})
    assert caller.post(CHAT, {"messages": "none"}).status_code == 400
    assert events(monday) == []


def test_events_filter_by_time(monday: Client) -> None:
    _, caller = key_with(monday, {"type": "tokens", "credit_limit": 100000, "alert_threshold": 1})
    chat(caller)
    assert len(events(monday, since="2026-05-04T10:00:00Z", until="2026-05-04T10:00:00Z")) == 1
    assert events(monday, since="2026-05-04T10:00:01Z") == []
    assert events(monday, until="2026-05-04T09:59:59Z") == []


def test_usage_cannot_be_written(monday: Client) -> None:
    """What is counted is no part of what a caller says."""
    limit = {"type": "tokens", "credit_limit": 5, "current_usage": 5, "is_threshold_alerts_sent": True}
    made = make_key(monday, usage_limits=limit)
    assert read_key(monday, made.id)["usage_limits"] == {"type": "tokens", "credit_limit": 5}
    assert read_key(monday, made.id)["status"] == "active"


def test_reset_shows_in_a_workspace(monday: Client) -> None:
    """It has no field of its own for the next reset, so its limit has one."""
    made = make_workspace(monday, usage_limits=[{"type": "cost", "credit_limit": 5, "periodic_reset": "weekly"}])
    assert made["usage_limits"][0]["next_usage_reset_at"] == "2026-05-10T00:00:00.000Z"
    at(monday, "2026-05-12T00:00:00Z")
    limit = read_workspace(monday, made["id"])["usage_limits"][0]
    assert limit["next_usage_reset_at"] == "2026-05-17T00:00:00.000Z"


def test_workspace_of_the_seed_is_where_it_was(monday: Client) -> None:
    """Spending is private to a world."""
    caller = monday.as_key(make_key(monday, scopes=SCOPES, usage_limits={"type": "tokens", "credit_limit": 5}).secret)
    chat(caller)
    other = Client(monday.app, "another")
    try:
        assert read(other, "/__admin/events")["total"] == 0
        assert read_workspace(other, PRODUCTION) == read_workspace(monday, PRODUCTION)
    finally:
        monday.app.worlds.delete("another")
