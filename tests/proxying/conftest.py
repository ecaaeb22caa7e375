"""One server for all the small services that tests put behind a proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from mockserver.server import BackgroundServer
from tests.proxying.through import Switch, Through

Before: TypeAlias = Callable[..., Through]


@pytest.fixture(scope="session")
def switched() -> Iterator[tuple[Switch, str]]:
    switch = Switch()
    server = BackgroundServer(switch)
    server.start()
    yield switch, server.origin
    server.stop()


@pytest.fixture
def before(switched: tuple[Switch, str]) -> Before:
    """Makes a proxy before a service: `with before(service) as through`."""
    switch, origin = switched

    def make(service: Any, **options: Any) -> Through:
        switch.service = service
        return Through(url=origin, **options)

    return make
