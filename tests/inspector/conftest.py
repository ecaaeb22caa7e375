"""One browser and one server for all tests of the inspector; a page and a world for each.

The browser lives no longer than this package: while it does, an event loop runs in this thread, and others want one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser

from mockserver.app import App, Settings
from mockserver.server import BackgroundServer
from tests.inspector.browser import chromium
from tests.inspector.visit import Visit

TOKEN = "let-me-in"
LINES = """
openapi: 3.0.3
info: {title: Lines, version: 1.0.0}
servers: [{url: /v1}]
paths:
  /lines/newBooks:
    get: {responses: {'200': {description: The lines., content: {application/json: {schema: {type: array, items: {}}}}}}}
"""

Opened: TypeAlias = Callable[..., Visit]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def _served(settings: Settings) -> Iterator[tuple[App, str]]:
    app = App(settings)
    server = BackgroundServer(app)
    server.start()
    yield app, server.origin
    server.stop()


@pytest.fixture(scope="package")
def served() -> Iterator[tuple[App, str]]:
    # Short waits, so that stopping waits for none.
    yield from _served(Settings(longest_wait_s=1))


@pytest.fixture(scope="package")
def guarded() -> Iterator[tuple[App, str]]:
    yield from _served(Settings(longest_wait_s=1, admin_token=TOKEN))


@pytest.fixture(scope="package")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    document = tmp_path_factory.mktemp("other") / "lines.yaml"
    document.write_text(LINES)
    yield from _served(Settings(longest_wait_s=1, document=document))


@pytest.fixture
def visits(browser: Browser, served: tuple[App, str]) -> Iterator[Opened]:
    """Makes visits, with a context as Playwright makes one; what a page must not do fails the test."""
    made: list[tuple[Visit, Any]] = []

    def visit(server: tuple[App, str] = served, **options: Any) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})
        app, origin = server
        one = Visit(context, app, origin, f"test-{uuid.uuid4().hex[:12]}")
        app.worlds.get(one.world).clock.freeze()
        made.append((one, context))
        return one

    yield visit
    for one, context in made:
        context.close()
        one.app.worlds.delete(one.world)
    assert [complaint for one, _ in made for complaint in one.complaints] == []


@pytest.fixture
def visit(visits: Opened) -> Visit:
    return visits()
