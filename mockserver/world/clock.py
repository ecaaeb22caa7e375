"""The clock of a world: it runs, stands still, or is moved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Beyond these the clock cannot be moved, so that sums of times stay times."""


_LOOK_S = 0.005
"""How often who waits for a time looks at the clock, in seconds of the machine."""


class Setting(NamedTuple):
    """What a clock shows: a frozen instant, or the real time and an offset to it, both in seconds."""

    frozen_at_s: float | None
    offset_s: float


class Clock:
    """Tells the time of a world.

    `setting` may be read and set: it is part of a snapshot.
    """

    __slots__ = ("_held_at_s", "_second", "_text", "setting")

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting(None, 0.0)
        self._held_at_s: float | None = None
        self._second = -1
        self._text = ""

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self.setting.frozen_at_s is not None

    def seconds(self) -> float:
        """Seconds since the epoch."""
        if self._held_at_s is not None:
            return self._held_at_s
        frozen_at_s, offset_s = self.setting
        return time.time() + offset_s if frozen_at_s is None else frozen_at_s

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def timestamp(self) -> str:
        """The time as most JSON interfaces write it: `2026-05-03T17:08:55.000Z`, to the second."""
        second = int(self.seconds())
        if second != self._second:
            self._second = second
            self._text = format_timestamp(datetime.fromtimestamp(second, UTC))
        return self._text

    @contextmanager
    def held(self, at_s: float) -> Iterator[None]:
        """Show a time within a block: that at which something was due which happens only now, when somebody looks.

        The block must not wait: others would see that time as well.
        """
        self._held_at_s = at_s
        try:
            yield
        finally:
            self._held_at_s = None

    async def reach(self, at_s: float, instead: asyncio.Future[Any] | None = None) -> None:
        """Return when the clock shows this time or a later one, or when `instead` is done.

        A clock that stands still gets there by being moved; it may be moved from another thread, so it is looked at rather
        than listened to.
        """
        while (left_s := at_s - self.seconds()) > 0 and not (instead is not None and instead.done()):
            await asyncio.sleep(_LOOK_S if self.frozen else min(left_s, _LOOK_S))

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still, now or at a given time. Raises `ValueError` outside 1970 to 9000."""
        self.setting = Setting(_checked(at or self.now()).timestamp(), 0.0)

    def run(self, since: datetime | None = None) -> None:
        """Run on from where it stands, or from a given time. Raises `ValueError` outside 1970 to 9000."""
        start = _checked(since or self.now())
        self.setting = Setting(None, start.timestamp() - time.time())

    def move(self, by: timedelta) -> None:
        """Move forward, or back for a negative span; running or frozen as before. Raises `ValueError`."""
        try:
            moved = self.now() + by
        except OverflowError:
            raise ValueError("the clock goes from 1970 to 9000") from None
        if self.frozen:
            self.freeze(moved)
        else:
            _checked(moved)
            self.setting = Setting(None, self.setting.offset_s + by.total_seconds())


def format_timestamp(time_: datetime) -> str:
    """Write a time in UTC to the second, with milliseconds: `2026-05-03T17:08:55.000Z`."""
    return time_.astimezone(UTC).isoformat()[:19] + ".000Z"  # strftime leaves out the zeros of early years


def parse_timestamp(text: str) -> datetime:
    """Read an RFC 3339 time. Raises `ValueError` for what is none, and for years that no calendar has."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the calendar") from None


def _checked(at: datetime) -> datetime:
    if not EARLIEST <= at <= LATEST:
        raise ValueError("the clock goes from 1970 to 9000")
    return at
