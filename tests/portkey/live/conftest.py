"""Worlds that are called both over a socket and in process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockserver.app import App
from mockserver.testing.hosts import House
from mockserver.testing.wanted import Wanted
from mockserver.testing.world import PortkeyWorld
from tests.conftest import Client


@pytest.fixture(scope="module")
def house(shared_app: App) -> Iterator[House]:
    """A server in this process."""
    made = House(shared_app)
    yield made
    made.stop()


@pytest.fixture
def portkey(house: House) -> Iterator[PortkeyWorld]:
    """A world on it, in the place of one of the session's server."""
    with PortkeyWorld(house, Wanted()) as world:
        yield world


@pytest.fixture
def admin(portkey: PortkeyWorld, shared_app: App) -> Client:
    """Calls the same world in process."""
    return Client(shared_app, portkey.name)
