"""Puts a proxy before a service, records calls, and answers them again without the service: `python proxy.py`.

The service is the library of `other_api.yaml`, served by mockserver; yours would be a URL.
"""
# ruff: noqa: T201  an example shows what it gets

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).with_name("other_api.yaml")


def call(origin: str, method: str, path: str, value: Any = None) -> tuple[int, Any]:
    """Call, and return the status and the JSON value of the reply."""
    body = None if value is None else json.dumps(value).encode()
    headers = {"x-library-card": "a-secret-of-mine", "content-type": "application/json"}
    request = urllib.request.Request(origin + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@contextlib.contextmanager
def running(folder: Path, *command: str | Path) -> Iterator[str]:
    """Run a command of mockserver that listens; give its URL, and stop it as Ctrl-C does."""
    port_file = folder / "port"
    process = subprocess.Popen(
        [sys.executable, "-m", "mockserver", *command, "--port", "0", "--port-file", port_file],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not (port_file.exists() and port_file.read_text()):
            if process.poll() is not None:
                sys.exit(f"{command[0]} did not start")
            time.sleep(0.05)  # another process: its file tells when it is ready
        port = port_file.read_text().strip()
        port_file.unlink()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def main() -> None:
    """Record, look at the report, replay."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording, report = folder / "recording", folder / "report.json"
        with running(folder, "serve", DOCUMENT) as service:
            command = ("proxy", service, DOCUMENT, "--record", recording, "--report", f"json={report}")
            with running(folder, *command) as proxy:
                print(call(proxy, "POST", "/api/books", {"title": "Emma", "author": "Jane Austen"}))
                print(call(proxy, "POST", "/api/books", {"title": ""})[0])
        for finding in json.loads(report.read_text())["findings"]:
            print(finding["code"], finding["blame"], finding["message"])

        files = sorted(recording.iterdir())
        print(len(files), "files,", "a-secret-of-mine" in "".join(file.read_text() for file in files))

        with running(folder, "proxy", "--replay", recording, DOCUMENT) as proxy:
            print(call(proxy, "POST", "/api/books", {"title": "Emma", "author": "Jane Austen"}))
            print(call(proxy, "GET", "/api/books")[0])


if __name__ == "__main__":
    main()
