"""Somebody who looks at the inspector, at one world of a server; and a client beside them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Locator, Page

from mockserver.app import App

PATIENCE_MS = 5000


class Answer(NamedTuple):
    """What a client got."""

    status: int
    body: Any


class Visit:
    """A page of its own in a context of its own. `complaints` are what it must not do: errors, and calls to other hosts."""

    def __init__(self, context: BrowserContext, app: App, origin: str, world: str) -> None:
        self.app = app
        self.origin = origin
        self.world = world
        self.complaints: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", lambda request: self._look(request.url))
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("console", lambda told: self._hear(told.type, told.text))

    def open(self, view: str = "journal", below: str = "") -> Page:
        """Show a view; return when it is there."""
        self.page.goto(f"{self.origin}{below}/__admin/#/{self.world}/{view}")
        return self.shown()

    def shown(self) -> Page:
        """Return the page when its view is there."""
        self.page.wait_for_selector("main:not([aria-busy]) > h1")
        return self.page

    def table(self, name: str) -> Locator:
        """A table by its label."""
        return self.page.get_by_role("table", name=name)

    def row(self, text: str) -> Locator:
        """A row of a table that holds a text."""
        return self.page.get_by_role("row").filter(has_text=text)

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def call(self, method: str, path: str, body: Any = ..., headers: dict[str, str] | None = None) -> Answer:
        """Call the server as a client, in the world that is looked at."""
        given = {"x-portkey-api-key": "any", "x-mock-world": self.world, **(headers or {})}
        content = None
        if body is not ...:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            given.setdefault("content-type", "application/json")
        request = urllib.request.Request(self.origin + path, content, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return Answer(reply.status, _value(reply.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, _value(refused.read()))

    def admin(self, method: str, path: str, body: Any = ...) -> Any:
        """Call the admin API; it must succeed."""
        answer = self.call(method, f"/__admin{path}", body)
        assert answer.status < 300, answer.body
        return answer.body

    def _look(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.complaints.append(f"call to another host: {url}")

    def _hear(self, kind: str, text: str) -> None:
        # That a call was refused is told by the browser of its own accord; a test looks at what the page makes of it.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(f"{kind}: {text}")


def _value(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
