"""The clock of a world."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies

from mockserver.world.clock import EARLIEST, LATEST, Clock, format_timestamp, parse_timestamp

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)


def test_clock_runs_with_the_machine_at_first() -> None:
    clock, before = Clock(), time.time()
    assert before <= clock.seconds() <= time.time()
    assert not clock.frozen


def test_clock_frozen_stands_still() -> None:
    clock = Clock()
    clock.freeze(NOON)
    assert clock.frozen
    assert clock.now() == clock.now() == NOON


def test_clock_freeze_without_a_time_stops_where_it_stands() -> None:
    clock = Clock()
    clock.run(NOON)
    clock.freeze()
    assert clock.frozen
    assert timedelta(0) <= clock.now() - NOON < timedelta(seconds=5)


def test_clock_runs_on_from_where_it_stands() -> None:
    clock = Clock()
    clock.freeze(NOON)
    clock.run()
    assert not clock.frozen
    assert timedelta(0) <= clock.now() - NOON < timedelta(seconds=5)


def test_clock_running_goes_forward() -> None:
    clock = Clock()
    clock.run(NOON)
    first = clock.seconds()
    deadline = time.monotonic() + 5
    while clock.seconds() == first and time.monotonic() < deadline:
        pass
    assert clock.seconds() > first


@pytest.mark.parametrize("by", [timedelta(days=30), timedelta(milliseconds=1), timedelta(hours=-5), timedelta(0)])
def test_clock_moved_stays_frozen(by: timedelta) -> None:
    clock = Clock()
    clock.freeze(NOON)
    clock.move(by)
    assert clock.frozen
    assert clock.now() == NOON + by


def test_clock_moved_keeps_running() -> None:
    clock = Clock()
    clock.run(NOON)
    clock.move(timedelta(days=1))
    assert not clock.frozen
    assert timedelta(0) <= clock.now() - (NOON + timedelta(days=1)) < timedelta(seconds=5)


def test_clock_takes_times_of_other_zones() -> None:
    clock = Clock()
    clock.freeze(NOON.astimezone(timezone(timedelta(hours=9))))
    assert clock.now() == NOON


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "running"])
@pytest.mark.parametrize("by", [timedelta(days=3_000_000), timedelta(days=-3_000_000), timedelta.max, timedelta.min], ids=str)
def test_clock_refuses_moves_out_of_bounds(by: timedelta, frozen: bool) -> None:
    clock = Clock()
    clock.freeze(NOON)
    if not frozen:
        clock.run()
    setting = clock.setting
    with pytest.raises(ValueError, match="1970 to 9000"):
        clock.move(by)
    assert clock.setting == setting


@pytest.mark.parametrize(
    "at", [EARLIEST - timedelta(seconds=1), LATEST + timedelta(seconds=1), datetime.max.replace(tzinfo=UTC)], ids=str
)
def test_clock_refuses_times_out_of_bounds(at: datetime) -> None:
    clock = Clock()
    setting = clock.setting
    with pytest.raises(ValueError, match="1970 to 9000"):
        clock.freeze(at)
    with pytest.raises(ValueError, match="1970 to 9000"):
        clock.run(at)
    assert clock.setting == setting


@pytest.mark.parametrize("at", [EARLIEST, LATEST], ids=str)
def test_clock_takes_the_bounds_themselves(at: datetime) -> None:
    clock = Clock()
    clock.freeze(at)
    assert clock.now() == at


def test_clock_timestamp_follows_moves() -> None:
    clock = Clock()
    clock.freeze(NOON)
    assert clock.timestamp() == "2026-05-03T12:00:00.000Z"
    clock.move(timedelta(seconds=61))
    assert clock.timestamp() == "2026-05-03T12:01:01.000Z"
    clock.move(timedelta(seconds=-61))
    assert clock.timestamp() == "2026-05-03T12:00:00.000Z"


def test_clock_setting_can_be_put_back() -> None:
    clock = Clock()
    clock.freeze(NOON)
    setting = clock.setting
    clock.move(timedelta(days=1))
    clock.setting = setting
    assert clock.timestamp() == "2026-05-03T12:00:00.000Z"


@given(strategies.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=strategies.just(UTC)))
def test_timestamps_read_back_to_the_second(moment: datetime) -> None:
    assert parse_timestamp(format_timestamp(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-05-03T12:00:00Z", NOON),
        ("2026-05-03T14:00:00+02:00", NOON),
        ("2026-05-03T12:00:00.250Z", NOON + timedelta(milliseconds=250)),
    ],
)
def test_timestamps_are_read_in_utc(text: str, read: datetime) -> None:
    assert parse_timestamp(text) == read
    assert parse_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-05-03", "2026-05-03T12:00:00", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+01:00"]
)
def test_timestamps_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_timestamp(text)
