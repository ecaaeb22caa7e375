"""Rotation: by a call and by a policy, with a transition in which both secrets work.

Source of every rule that names none: identity-and-access, API keys: Rotation.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    BEN,
    CHIE,
    DARA,
    NOBODY,
    Made,
    answered,
    at,
    changes,
    done,
    make_key,
    private_world,
    read_key,
    refused,
    state,
    user_id,
)

HALF_AN_HOUR_MS = 1_800_000
DAY_MS = 86_400_000
SCOPES = ["workspaces.list"]


@pytest.fixture(params=["open", "strict"])
def world(request: pytest.FixtureRequest) -> Client:
    """A world under either kind of authentication, on a Tuesday."""
    client: Client = request.getfixturevalue("client" if request.param == "open" else "strict")
    at(client, "2026-05-05T10:00:00Z")
    return client


def rotate(client: Client, key_id: str, **fields: Any) -> Record:
    return answered(client.post(f"/v1/api-keys/{key_id}/rotate", fields))


def works(client: Client, secret: str) -> bool:
    """Whether a secret is a key's; both answers are checked to be what they should."""
    reply = client.as_key(secret).get("/v1/admin/workspaces")
    if reply.status_code != 200:
        refused(reply, 401, "AB05")
    return reply.status_code == 200


# By a call


def test_rotate_gives_new_secret_for_same_id(world: Client) -> None:
    made = make_key(world)
    rotated = rotate(world, made.id)
    assert list(rotated) == ["id", "key", "key_transition_expires_at"]
    assert rotated["id"] == made.id
    assert rotated["key"] != made.secret


@pytest.mark.parametrize(
    "options",
    [{}, {"json": {}}, {"headers": {"content-type": "application/json"}}, {"json": {"id": NOBODY}}],
    ids=["no body", "empty object", "media type alone", "unknown field"],
)
def test_rotate_needs_no_body(client: Client, options: Record) -> None:
    """Conventions, Request tolerance; the Terraform provider sends none (Quirks, 14)."""
    assert client.post(f"/v1/api-keys/{make_key(client).id}/rotate", **options).status_code == 200


def test_old_secret_lives_half_an_hour(world: Client) -> None:
    made = make_key(world, scopes=SCOPES)
    assert rotate(world, made.id)["key_transition_expires_at"] == "2026-05-05T10:30:00.000Z"
    at(world, "2026-05-05T10:29:59Z")
    assert works(world, made.secret)
    at(world, "2026-05-05T10:30:00Z")
    assert not works(world, made.secret)


def test_transition_is_as_long_as_asked(world: Client) -> None:
    made = make_key(world, scopes=SCOPES)
    rotated = rotate(world, made.id, key_transition_period_ms=DAY_MS)
    assert rotated["key_transition_expires_at"] == "2026-05-06T10:00:00.000Z"
    at(world, "2026-05-06T09:59:59Z")
    assert works(world, made.secret)


def test_new_secret_works_during_and_after(world: Client) -> None:
    rotated = rotate(world, make_key(world, scopes=SCOPES).id)
    assert works(world, rotated["key"])
    world.world.clock.move(timedelta(days=1))
    assert works(world, rotated["key"])


def test_rotated_out_secret_stays_dead(world: Client) -> None:
    """A secret that was rotated out is no unknown key: it does not become an admin's under open, however often it is tried."""
    made = make_key(world, scopes=SCOPES)
    rotate(world, made.id)
    world.world.clock.move(timedelta(hours=1))
    assert [works(world, made.secret) for _ in range(3)] == [False] * 3


def test_rotated_out_secret_is_dead_after_a_look(world: Client) -> None:
    """Whoever looks at the key first after the transition, the old secret is refused."""
    made = make_key(world, scopes=SCOPES)
    rotate(world, made.id)
    world.world.clock.move(timedelta(hours=1))
    read_key(world, made.id)
    assert not works(world, made.secret)


def test_old_secret_has_the_rights_of_its_key(client: Client) -> None:
    made = make_key(client, scopes=SCOPES)
    rotate(client, made.id)
    refused(client.as_key(made.secret).get(f"/v1/api-keys/{made.id}"), 403, "AB03")


def test_rotation_changes_mask_and_time_alone(client: Client) -> None:
    """A read does not tell when the transition ends."""
    made = make_key(client, usage_limits={"type": "cost", "credit_limit": 5}, defaults={"metadata": {"team": "a"}})
    before = read_key(client, made.id)
    at(client, "2029-05-05T11:00:00Z")
    secret = rotate(client, made.id)["key"]
    after = read_key(client, made.id)
    assert changes(before, after) == {"key", "last_updated_at"}
    assert after["key"] == f"{secret[:2]}*****{secret[-3:]}"
    assert after["last_updated_at"] == "2029-05-05T11:00:00.000Z"


def test_end_of_transition_changes_nothing_to_read(client: Client) -> None:
    made = make_key(client)
    rotate(client, made.id)
    before = read_key(client, made.id)
    client.world.clock.move(timedelta(hours=1))
    assert read_key(client, made.id) == before


def test_rotating_in_transition_is_a_conflict(client: Client) -> None:
    """At most two secrets live; *chosen*: 409 of the two statuses that are thinkable, since the request itself is right."""
    made = make_key(client)
    rotate(client, made.id)
    before = state(client)
    refused(client.post(f"/v1/api-keys/{made.id}/rotate"), 409, "AB07")
    assert state(client) == before


def test_key_rotates_again_after_transition(client: Client) -> None:
    made = make_key(client)
    first = rotate(client, made.id)["key"]
    client.world.clock.move(timedelta(minutes=30))
    assert rotate(client, made.id)["key"] not in (made.secret, first)


@pytest.mark.parametrize("period", [HALF_AN_HOUR_MS - 1, 0, -1, "1800000", 1800000.5, None], ids=repr)
def test_transition_lasts_half_an_hour_at_least(client: Client, period: Any) -> None:
    made = make_key(client)
    before = state(client)
    data = refused(client.post(f"/v1/api-keys/{made.id}/rotate", {"key_transition_period_ms": period}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/key_transition_period_ms"
    assert state(client) == before


def test_rotate_of_unknown_key_is_not_found(client: Client) -> None:
    refused(client.post(f"/v1/api-keys/{NOBODY}/rotate"), 404, "AB08")


def test_deleting_a_key_ends_both_secrets(world: Client) -> None:
    made = make_key(world, scopes=SCOPES)
    rotated = rotate(world, made.id)
    done(world.delete(f"/v1/api-keys/{made.id}"))
    assert [works(world, secret) for secret in (made.secret, rotated["key"])] == [False, False]


# Who may


def member_key(client: Client, email: str) -> Made:
    """A key of a person in Production, which may rotate keys of users."""
    return make_key(client, "workspace/user", user_id=user_id(client, email), scopes=["workspace_user_api_keys.rotate"])


def test_member_rotates_own_key(client: Client) -> None:
    own = member_key(client, DARA)
    assert client.as_key(own.secret).post(f"/v1/api-keys/{own.id}/rotate").status_code == 200


def test_member_rotates_no_key_of_others(client: Client) -> None:
    own, other = member_key(client, DARA), member_key(client, CHIE)
    before = state(client)
    refused(client.as_key(own.secret).post(f"/v1/api-keys/{other.id}/rotate"), 403, "AB03")
    assert state(client) == before


def test_manager_rotates_keys_of_others(client: Client) -> None:
    """Workspace admins and managers may rotate any key in scope."""
    own, other = member_key(client, BEN), member_key(client, DARA)
    assert client.as_key(own.secret).post(f"/v1/api-keys/{other.id}/rotate").status_code == 200


def test_workspace_service_key_rotates_others(client: Client) -> None:
    service = make_key(client, scopes=["workspace_user_api_keys.rotate"])
    other = member_key(client, DARA)
    assert client.as_key(service.secret).post(f"/v1/api-keys/{other.id}/rotate").status_code == 200


# By a policy


def policy(client: Client, **fields: Any) -> Record:
    """What a read shows of a new key's policy."""
    shown: Record = read_key(client, make_key(client, rotation_policy=fields).id)["rotation_policy"]
    return shown


@pytest.fixture
def tuesday(client: Client) -> Client:
    """The shipped document on Tuesday, 5 May 2026, at ten."""
    at(client, "2026-05-05T10:00:00Z")
    return client


def test_policy_shows_documented_fields(tuesday: Client) -> None:
    assert policy(tuesday, rotation_period="weekly") == {
        "rotation_period": "weekly",
        "next_rotation_at": "2026-05-11T00:00:00.000Z",
        "key_transition_period_ms": HALF_AN_HOUR_MS,
        "status": "ACTIVE",
    }


@pytest.mark.parametrize(
    ("now", "given", "next_rotation"),
    [
        ("2026-05-05T10:00:00Z", {"rotation_period": "weekly"}, "2026-05-11"),
        ("2026-05-10T23:59:59Z", {"rotation_period": "weekly"}, "2026-05-11"),
        ("2026-05-11T00:00:00Z", {"rotation_period": "weekly"}, "2026-05-18"),
        ("2026-05-05T10:00:00Z", {"rotation_period": "monthly"}, "2026-06-01"),
        ("2026-12-31T10:00:00Z", {"rotation_period": "monthly"}, "2027-01-01"),
        ("2027-01-31T10:00:00Z", {"rotation_period": "monthly"}, "2027-02-01"),
        ("2026-05-05T10:00:00Z", {"rotation_period_days": 1}, "2026-05-06"),
        ("2026-05-05T10:00:00Z", {"rotation_period_days": 365}, "2027-05-05"),
        ("2026-05-05T10:00:00Z", {"next_rotation_at": "2026-06-17T00:00:00Z"}, "2026-06-17"),
        ("2026-05-05T10:00:00Z", {"next_rotation_at": "2026-06-17T18:30:00Z"}, "2026-06-17"),
        ("2026-05-05T10:00:00Z", {"next_rotation_at": "2026-06-17T01:00:00+02:00"}, "2026-06-16"),
        ("2026-05-05T10:00:00Z", {"rotation_period": "weekly", "next_rotation_at": "2026-06-17T00:00:00Z"}, "2026-06-17"),
    ],
)
def test_policy_tells_next_rotation(client: Client, now: str, given: Record, next_rotation: str) -> None:
    """Weekly on Monday, monthly on the first, each at midnight; a given time wins and is set to midnight."""
    at(client, now)
    assert policy(client, **given)["next_rotation_at"] == f"{next_rotation}T00:00:00.000Z"


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({}, ""),
        ({"key_transition_period_ms": HALF_AN_HOUR_MS}, ""),
        ({"rotation_period": None, "next_rotation_at": None}, ""),
        ({"rotation_period": "weekly", "rotation_period_days": 7}, "/rotation_period_days"),
        ({"rotation_period": "weekly", "key_transition_period_ms": HALF_AN_HOUR_MS - 1}, "/key_transition_period_ms"),
        ({"rotation_period": "weekly", "key_transition_period_ms": 7 * DAY_MS}, "/key_transition_period_ms"),
        ({"rotation_period": "monthly", "key_transition_period_ms": 31 * DAY_MS}, "/key_transition_period_ms"),
        ({"rotation_period_days": 1, "key_transition_period_ms": DAY_MS}, "/key_transition_period_ms"),
        ({"next_rotation_at": "2026-06-17T23:59:60Z"}, "/next_rotation_at"),
        ({"next_rotation_at": "soon"}, "/next_rotation_at"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("call", ["create", "update"])
def test_contradictory_policy_is_refused(client: Client, call: str, given: Record, pointer: str) -> None:
    made = make_key(client)
    before = state(client)
    if call == "create":
        body = {"name": "app", "scopes": ["logs.view"], "rotation_policy": given}
        reply = client.post("/v1/api-keys/organisation/service", body)
    else:
        reply = client.put(f"/v1/api-keys/{made.id}", {"rotation_policy": given})
    assert refused(reply, 400, "AB01")["violations"][0]["pointer"] == f"/rotation_policy{pointer}"
    assert state(client) == before


def test_transition_a_little_shorter_than_period_will_do(client: Client) -> None:
    given = {"rotation_period_days": 1, "key_transition_period_ms": DAY_MS - 1}
    assert policy(client, **given)["key_transition_period_ms"] == DAY_MS - 1


def test_key_rotates_when_its_policy_says(tuesday: Client) -> None:
    made = make_key(tuesday, scopes=SCOPES, rotation_policy={"rotation_period": "weekly"})
    before = read_key(tuesday, made.id)
    at(tuesday, "2026-05-11T00:00:00Z")
    after = read_key(tuesday, made.id)
    assert changes(before, after) == {"key", "last_updated_at", "rotation_policy"}
    assert after["last_updated_at"] == "2026-05-11T00:00:00.000Z"
    assert after["rotation_policy"]["next_rotation_at"] == "2026-05-18T00:00:00.000Z"


def test_key_does_not_rotate_before_its_time(tuesday: Client) -> None:
    made = make_key(tuesday, rotation_policy={"rotation_period": "weekly"})
    before = read_key(tuesday, made.id)
    at(tuesday, "2026-05-10T23:59:59Z")
    assert read_key(tuesday, made.id) == before


def test_old_secret_outlives_rotation_by_policy(tuesday: Client) -> None:
    made = make_key(tuesday, scopes=SCOPES, rotation_policy={"rotation_period": "weekly", "key_transition_period_ms": DAY_MS})
    at(tuesday, "2026-05-11T23:59:59Z")
    assert works(tuesday, made.secret)
    at(tuesday, "2026-05-12T00:00:00Z")
    assert not works(tuesday, made.secret)


def test_missed_rotations_are_made_up_for(tuesday: Client) -> None:
    """Nobody looked for weeks: the last Monday counts, and the next one lies ahead."""
    made = make_key(tuesday, rotation_policy={"rotation_period": "weekly"})
    at(tuesday, "2026-06-10T12:00:00Z")
    key = read_key(tuesday, made.id)
    assert key["last_updated_at"] == "2026-06-08T00:00:00.000Z"
    assert key["rotation_policy"]["next_rotation_at"] == "2026-06-15T00:00:00.000Z"


@pytest.mark.parametrize(
    "given",
    [
        {"rotation_period": "weekly"},
        {"rotation_period": "monthly"},
        {"rotation_period_days": 3},
        {"rotation_period": "weekly", "next_rotation_at": "2026-05-07T00:00:00Z"},
        {"rotation_period": "monthly", "next_rotation_at": "2026-05-07T00:00:00Z"},
        {"rotation_period_days": 3, "next_rotation_at": "2026-05-07T00:00:00Z"},
    ],
    ids=repr,
)
def test_looking_often_or_seldom_shows_the_same(tuesday: Client, given: Record) -> None:
    """Work that is due happens when somebody looks; when that is must not matter, but for the secret."""
    watched, ignored = (make_key(tuesday, rotation_policy=given).id for _ in range(2))
    for _ in range(40):
        tuesday.world.clock.move(timedelta(days=1))
        read_key(tuesday, watched)
    often, seldom = read_key(tuesday, watched), read_key(tuesday, ignored)
    assert changes(often, seldom) == {"id", "key"}


def test_watched_key_has_the_secrets_of_an_ignored_one(client: Client) -> None:
    """The secrets that a policy gives follow from the key and the time, not from who looked when."""
    masks = []
    for looks in (1, 5):
        with private_world(client.app) as world:
            at(world, "2026-05-05T10:00:00Z")
            made = make_key(world, rotation_policy={"rotation_period": "weekly"})
            for _ in range(looks):
                world.world.clock.move(timedelta(days=30 / looks))
                shown = read_key(world, made.id)
            masks.append(shown["key"])
    assert masks[0] == masks[1]


def test_single_rotation_happens_once(tuesday: Client) -> None:
    """A policy of one time and no period."""
    made = make_key(tuesday, rotation_policy={"next_rotation_at": "2026-05-07T00:00:00Z"})
    at(tuesday, "2026-05-08T00:00:00Z")
    once = read_key(tuesday, made.id)
    at(tuesday, "2027-05-08T00:00:00Z")
    assert once["last_updated_at"] == "2026-05-07T00:00:00.000Z"
    assert read_key(tuesday, made.id) == once


def test_time_of_today_leaves_new_secret_alone(tuesday: Client) -> None:
    """Set to midnight, today's evening lies in the past: the secret that was given out a moment ago must not die of it."""
    body = {"name": "app", "scopes": SCOPES, "rotation_policy": {"next_rotation_at": "2026-05-05T20:00:00Z"}}
    reply = tuesday.post("/v1/api-keys/organisation/service", body)
    assert reply.status_code == 400 or works(tuesday, reply.json()["key"]), reply.text


def test_given_time_comes_before_the_period(tuesday: Client) -> None:
    made = make_key(tuesday, rotation_policy={"rotation_period": "monthly", "next_rotation_at": "2026-05-07T00:00:00Z"})
    at(tuesday, "2026-05-07T00:00:00Z")
    key = read_key(tuesday, made.id)
    assert key["last_updated_at"] == "2026-05-07T00:00:00.000Z"
    assert key["rotation_policy"]["next_rotation_at"] == "2026-06-01T00:00:00.000Z"


def test_rotating_by_hand_sets_next_rotation_anew(tuesday: Client) -> None:
    made = make_key(tuesday, rotation_policy={"rotation_period_days": 3})
    at(tuesday, "2026-05-07T09:00:00Z")
    rotate(tuesday, made.id)
    assert read_key(tuesday, made.id)["rotation_policy"]["next_rotation_at"] == "2026-05-10T00:00:00.000Z"


def test_rotating_by_hand_takes_transition_of_policy(tuesday: Client) -> None:
    made = make_key(tuesday, rotation_policy={"rotation_period": "weekly", "key_transition_period_ms": DAY_MS})
    assert rotate(tuesday, made.id)["key_transition_expires_at"] == "2026-05-06T10:00:00.000Z"


def test_transition_by_hand_is_shorter_than_period(tuesday: Client) -> None:
    made = make_key(tuesday, rotation_policy={"rotation_period_days": 1})
    reply = tuesday.post(f"/v1/api-keys/{made.id}/rotate", {"key_transition_period_ms": DAY_MS})
    assert refused(reply, 400, "AB01")["violations"][0]["pointer"] == "/key_transition_period_ms"


def test_removed_policy_rotates_no_more(tuesday: Client) -> None:
    made = make_key(tuesday, scopes=SCOPES, rotation_policy={"rotation_period": "weekly"})
    done(tuesday.put(f"/v1/api-keys/{made.id}", {"rotation_policy": None}))
    before = read_key(tuesday, made.id)
    at(tuesday, "2027-05-11T00:00:00Z")
    assert read_key(tuesday, made.id) == before
    assert works(tuesday, made.secret)


def test_new_policy_replaces_the_old_one(tuesday: Client) -> None:
    made = make_key(tuesday, rotation_policy={"rotation_period": "weekly", "key_transition_period_ms": DAY_MS})
    done(tuesday.put(f"/v1/api-keys/{made.id}", {"rotation_policy": {"rotation_period": "monthly"}}))
    assert read_key(tuesday, made.id)["rotation_policy"] == {
        "rotation_period": "monthly",
        "next_rotation_at": "2026-06-01T00:00:00.000Z",
        "key_transition_period_ms": HALF_AN_HOUR_MS,
        "status": "ACTIVE",
    }


def test_expired_key_rotates_no_more(tuesday: Client) -> None:
    """*chosen*: a key that nobody can use needs no new secret."""
    made = make_key(tuesday, expires_at="2026-05-08T00:00:00Z", rotation_policy={"rotation_period": "weekly"})
    before = read_key(tuesday, made.id)
    at(tuesday, "2026-06-11T00:00:00Z")
    after = read_key(tuesday, made.id)
    assert changes(before, after) == {"status", "last_updated_at", "usage_limits"}
    assert after["usage_limits"] == {"is_expired_alerts_sent": True}


def test_key_in_transition_expires_all_the_same(tuesday: Client) -> None:
    made = make_key(tuesday, scopes=SCOPES, expires_at="2026-05-05T10:10:00Z")
    rotated = rotate(tuesday, made.id)
    at(tuesday, "2026-05-05T10:10:00Z")
    assert [works(tuesday, secret) for secret in (made.secret, rotated["key"])] == [False, False]


def test_transition_follows_a_running_clock(client: Client) -> None:
    made = make_key(client, scopes=SCOPES)
    client.world.clock.run()
    rotate(client, made.id)
    assert works(client, made.secret)
    client.world.clock.move(timedelta(minutes=31))
    assert not works(client, made.secret)
