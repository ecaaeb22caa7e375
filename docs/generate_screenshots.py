"""Takes the pictures of docs/inspector.md, in a real Chromium, of a world whose clock stands still.

`make docs` runs it; without Chromium it leaves the pictures as they are.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from mockserver.app import App, Settings
from mockserver.server import BackgroundServer

IMAGES = Path(__file__).parent / "images"
NOW = "2026-05-04T09:30:00Z"
COLOURS = 96
"""Enough for text on a plain ground; a picture is a few ten kB then."""
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")

Step = Callable[[Page], Any]


class Picture(NamedTuple):
    """A view, the window that it is seen in, and what is done before the picture is taken."""

    view: str
    width: int = 1120
    height: int = 560
    scheme: str = "light"
    steps: tuple[Step, ...] = ()


WRONG_BODY = {"object": "list", "total": "none", "data": []}


def refused(page: Page) -> None:
    """Send a stub that the document does not allow."""
    page.get_by_label("Operation").fill("listApiKeys")
    page.get_by_label("Body").fill(json.dumps(WRONG_BODY, indent=2))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").locator("mark").wait_for()


PICTURES = {
    "journal": Picture("journal", height=420),
    "violation": Picture("journal/4", height=720),
    "stub": Picture("stubs/new", height=680, steps=(refused,)),
    "faults": Picture("faults", height=520, scheme="dark"),
    "coverage": Picture("coverage", height=560),
    "narrow": Picture("journal", width=340, height=560, scheme="dark"),
}


class Client:
    """Makes the calls that the pictures show."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def __call__(self, method: str, path: str, body: Any = None) -> None:
        content = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", "x-portkey-api-key": "any"}
        request = urllib.request.Request(self._origin + path, content, headers, method=method)
        try:
            urllib.request.urlopen(request).close()
        except urllib.error.HTTPError as told:
            told.close()


def fill(call: Client) -> None:
    """Give the pictures something to show: calls that keep the contract, and such that do not."""
    call("PUT", "/__admin/clock", {"now": NOW, "frozen": True})
    call("GET", "/v1/api-keys")
    call("POST", "/v1/admin/workspaces", {"name": "Field notes"})
    call("GET", "/v1/apikeys")
    call("POST", "/v1/configs", {"config": {"retry": {"attempts": "five"}}, "name": "retries"})
    call("POST", "/v1/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": "Two and two?"}]})
    call("GET", "/v1/api-keys?page_size=many")
    call("POST", "/__admin/faults", {"match": {"operation": "listConfigs", "call": 2}, "effect": {"error": {"status": 429}}})
    call(
        "POST", "/__admin/faults", {"match": {"provider": "openai"}, "effect": {"half_stream": {"after_events": 3}}, "times": 1}
    )
    answer = {"object": "list", "total": 0, "data": []}
    call("POST", "/__admin/mappings", {"request": {"operation": "listVirtualKeys"}, "response": {"jsonBody": answer}})
    call("GET", "/v1/configs")
    call("GET", "/v1/configs")
    call("GET", "/v1/virtual-keys")
    call("GET", "/v1/api-keys")


def take(browser: Browser, origin: str, picture: Picture) -> bytes:
    """Return a picture as PNG."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,  # type: ignore[arg-type]  # one of the two that the table names
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{origin}/__admin/#/default/{picture.view}")
    page.wait_for_selector("main:not([aria-busy]) > h1")
    for step in picture.steps:
        step(page)
    # How long a call took is another every time.
    page.evaluate(
        "() => document.querySelectorAll('.calls td.wide.number').forEach((each) => { each.textContent = '0.3 ms'; })"
    )
    page.evaluate("() => document.querySelectorAll('dt').forEach((each) => "
                  "{ if (each.textContent === 'Took') each.nextSibling.textContent = '0.3 ms'; })")  # fmt: skip
    taken = page.screenshot()
    context.close()
    return taken


def small(png: bytes) -> bytes:
    """Return a picture with few colours."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            made, "PNG", optimize=True
        )
    return made.getvalue()


def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("docs/images is left as it is: there is no chromium on this machine\n")
        return
    server = BackgroundServer(App(Settings(longest_wait_s=1)))
    server.start()
    fill(Client(server.origin))
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for name, picture in PICTURES.items():
            (IMAGES / f"inspector-{name}.png").write_bytes(small(take(browser, server.origin, picture)))
        browser.close()
    server.stop()


if __name__ == "__main__":
    main()
