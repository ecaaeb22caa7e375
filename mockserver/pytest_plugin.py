"""pytest fixtures: a private world for each test, on one server for the whole session.

def test_creates_a_key(portkey):
    key = portkey.client().api_keys.create(type="workspace", sub_type="service", name="ci", scopes=["logs.view"],
                                           workspace_id="ws-produc-71b04e")
    assert portkey.world["api_keys"].get(key.id) is not None
    assert portkey.calls[0]["operation"] == "createApiKey"
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.values import Record

if TYPE_CHECKING:
    from mockserver.app import App
    from mockserver.world.clock import Clock
    from mockserver.world.world import World


class PortkeyWorld:
    """A world of its own on the session's server, as a test sees it. Its clients are closed when the test ends.

    `url` is the base URL of the world, for any client. `api_key` is the key of an admin that the world knows.
    """

    def __init__(self, app: App, origin: str, name: str) -> None:
        from mockserver.control.exhibit import Exhibit
        from mockserver.portkey.seeds import admin_key

        self.name = name
        self.url = f"{origin}/worlds/{name}{app.base_path}"
        self.admin_url = f"{origin}/worlds/{name}/__admin"
        self._app = app
        self._exhibit = Exhibit(app.contract)
        self.api_key = admin_key(self.world)
        self._clients: list[Any] = []

    @property
    def world(self) -> World:
        """The state, to look at: `world["api_keys"].get(id)`."""
        return self._app.worlds.get(self.name)

    @property
    def clock(self) -> Clock:
        """The time of the world: `freeze`, `run` and `move` it."""
        return self.world.clock

    @property
    def calls(self) -> list[Record]:
        """The journal, oldest call first, secrets taken out."""
        return [self._exhibit.show(entry, self.world) for entry in list(self.world.journal.oldest())]

    @property
    def events(self) -> list[Record]:
        """The mails that the service would have sent, oldest first."""
        from mockserver.control.journal import show_event

        return [show_event(event) for event in self.world.journal.events]

    def client(self, **options: Any) -> Any:
        """A `portkey_ai.Portkey` for this world; options go to its constructor."""
        from portkey_ai import Portkey

        made = Portkey(**{"base_url": self.url, "api_key": self.api_key, **options})
        self._clients.append(made)
        return made

    def async_client(self, **options: Any) -> Any:
        """A `portkey_ai.AsyncPortkey` for this world; close it where it runs: `await client.close()`."""
        from portkey_ai import AsyncPortkey

        return AsyncPortkey(**{"base_url": self.url, "api_key": self.api_key, **options})

    def close(self) -> None:
        """Close the clients and forget the world."""
        for client in self._clients:
            # It is two clients: Portkey's own, and OpenAI's for what is OpenAI's.
            client.close()
            client.openai_client.close()
        self._app.worlds.delete(self.name)


@pytest.fixture(scope="session")
def portkey_server() -> Iterator[Any]:
    """The session's server: a `BackgroundServer` and its application."""
    from mockserver.app import App, Settings
    from mockserver.server import BackgroundServer

    app = App(Settings())
    server = BackgroundServer(app)
    server.start()
    yield server, app
    server.stop()


@pytest.fixture
def portkey(portkey_server: Any) -> Iterator[PortkeyWorld]:
    """A private world, forked from the seed for this test and forgotten after it."""
    server, app = portkey_server
    world = PortkeyWorld(app, server.origin, f"test-{uuid.uuid4().hex[:12]}")
    yield world
    world.close()
