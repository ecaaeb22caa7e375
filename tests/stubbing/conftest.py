"""A library that nobody wrote code for, in a private world, its clock standing still; and what testers set in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.app import App, Settings
from tests.conftest import DOCUMENTS, Client


@pytest.fixture(scope="session")
def library_app() -> App:
    return App(Settings(document=DOCUMENTS / "library.yaml"))


class Desk(Client):
    """A client that also sets mappings and faults."""

    def stub(self, status: int = 201, **mapping: Any) -> Any:
        """Set a mapping; return it, or the violations where it is refused."""
        return self._set("mappings", mapping, status)

    def fault(self, status: int = 201, **fault: Any) -> Any:
        """Set a fault; return it, or the violations where it is refused."""
        return self._set("faults", fault, status)

    def admin(self, method: str, path: str, json: Any = ..., status: int = 200) -> Any:
        reply = self.call(method, f"/__admin{path}", json)
        assert reply.status_code == status, reply.text
        return reply.json()

    def usage(self, set_: Any) -> tuple[int, int]:
        """How many calls fitted what was set, and how many of them it answered or struck."""
        kind = "mappings" if "uuid" in set_ else "faults"
        told = self.admin("GET", f"/{kind}/{set_['id']}")["usage"]
        return told["matched"], told["used"]

    def _set(self, kind: str, definition: Any, status: int) -> Any:
        reply = self.call("POST", f"/__admin/{kind}", definition)
        assert reply.status_code == status, reply.text
        return reply.json() if status == 201 else [(each["pointer"], each["message"]) for each in reply.json()["violations"]]


@pytest.fixture
def desk(library_app: App) -> Iterator[Desk]:
    name = f"test-{uuid.uuid4().hex}"
    made = Desk(library_app, name, {"x-library-card": "any", "x-mock-world": name})
    made.world.clock.freeze()
    yield made
    library_app.worlds.delete(name)
