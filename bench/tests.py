"""What the pytest plugin adds to a test: a world, made by its first call, judged and forgotten."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from mockserver.testing.desk import Desk, host_at
from mockserver.testing.hosts import Host, House, application
from mockserver.testing.wanted import ServerSettings, Wanted
from mockserver.testing.world import PortkeyWorld

_TESTS = 500


def added_ms() -> tuple[float, float]:
    """Return what a test adds with the server in this process, and with one in another, as under pytest-xdist."""
    house = House(application(ServerSettings()))
    here = _added_ms(house)
    house.stop()
    desk = Desk()
    elsewhere = host_at(desk.address, ServerSettings())
    there = _added_ms(elsewhere)
    elsewhere.stop()
    desk.close()
    return here, there


def _added_ms(host: Host) -> float:
    """The time of a test with one call in a world of its own, less that of the same call in a world that is there."""

    def alone() -> None:
        world = PortkeyWorld(host, Wanted())
        world.http.get("/api-keys")
        world._verdict()
        world.close()

    with PortkeyWorld(host, Wanted()) as shared:
        http = shared.http
        call = _median_ms(lambda: http.get("/api-keys"))
    return _median_ms(alone) - call


def _median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_TESTS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000
