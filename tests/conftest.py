"""What all tests share: a client that goes in by the front door, in process."""

from __future__ import annotations

import asyncio
import gc
import json as json_module
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.app import App, Settings

DOCUMENTS = Path(__file__).parent / "documents"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect garbage among what tests make: modules and the tests themselves stay to the end, and are not looked through."""
    gc.disable()
    collected = yield
    gc.collect()
    gc.freeze()
    gc.collect()  # it waits for a quarter more than there was the last time, which is nothing now
    gc.set_threshold(50_000, 10, 3)
    gc.enable()
    return collected


class Client:
    """Calls an application in process, through its whole stack. `app` and `world` are there to look at."""

    def __init__(self, app: App, world: str = "default", headers: dict[str, str] | None = None) -> None:
        self.app = app
        self.world_name = world
        self.headers = {"x-portkey-api-key": "any", "x-mock-world": world} if headers is None else headers

    @property
    def world(self) -> Any:
        return self.app.worlds.get(self.world_name)

    def as_key(self, secret: str | None) -> Client:
        """The same world, called with another key, or with none."""
        headers = {name: value for name, value in self.headers.items() if name != "x-portkey-api-key"}
        return Client(self.app, self.world_name, headers | ({} if secret is None else {"x-portkey-api-key": secret}))

    def call(self, method: str, path: str, json: Any = ..., **options: Any) -> httpx.Response:
        """Call; `json` is sent as it is, `content` as bytes."""
        headers = {**self.headers, **options.pop("headers", {})}
        if json is not ...:
            options["content"] = json_module.dumps(json).encode()
            headers.setdefault("content-type", "application/json")

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = ..., **options: Any) -> httpx.Response:
        return self.call("POST", path, json, **options)

    def put(self, path: str, json: Any = ..., **options: Any) -> httpx.Response:
        return self.call("PUT", path, json, **options)

    def delete(self, path: str, json: Any = ..., **options: Any) -> httpx.Response:
        return self.call("DELETE", path, json, **options)


@pytest.fixture(scope="session")
def shared_app() -> App:
    return App(Settings())


@pytest.fixture(scope="session")
def strict_app() -> App:
    return App(Settings(strict=True))


@pytest.fixture
def client(shared_app: App) -> Iterator[Client]:
    """The shipped document in a private world, its clock standing still."""
    name = f"test-{uuid.uuid4().hex}"
    made = Client(shared_app, name)
    made.world.clock.freeze()
    yield made
    shared_app.worlds.delete(name)


@pytest.fixture
def strict(strict_app: App) -> Iterator[Client]:
    """The same under `--auth strict`, called with the admin key of the seed."""
    from mockserver.portkey.seeds import admin_key

    name = f"test-{uuid.uuid4().hex}"
    made = Client(strict_app, name).as_key(admin_key(strict_app.worlds.get(name)))
    made.world.clock.freeze()
    yield made
    strict_app.worlds.delete(name)
