"""Serves another document, `other_api.yaml` beside this file, and calls it: books are remembered without a line of code."""
# ruff: noqa: T201  an example shows what it gets

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).with_name("other_api.yaml")


def call(origin: str, method: str, path: str, value: Any = None) -> tuple[int, Any]:
    """Call, and return the status and the JSON value of the reply."""
    body = None if value is None else json.dumps(value).encode()
    headers = {"x-library-card": "anybody", "content-type": "application/json"}
    request = urllib.request.Request(origin + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def visit(origin: str) -> None:
    """Add a book, find it again, change it, remove it."""
    _, book = call(origin, "POST", "/api/books", {"title": "Emma", "author": "Jane Austen"})
    print(call(origin, "GET", "/api/books"))
    print(call(origin, "PATCH", f"/api/books/{book['id']}", {"title": "Persuasion"}))
    print(call(origin, "DELETE", f"/api/books/{book['id']}"))
    print(call(origin, "GET", f"/api/books/{book['id']}"))
    print(call(origin, "POST", "/api/books", {"title": ""}))


def main() -> None:
    """Serve on a free port for the time of a visit."""
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        command = [sys.executable, "-m", "mockserver", "serve", str(DOCUMENT), "--port", "0", "--port-file", str(port_file)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while not (port_file.exists() and port_file.read_text()):
                if server.poll() is not None:
                    sys.exit("the server did not start")
                time.sleep(0.05)  # another process: its file tells when it is ready
            visit(f"http://127.0.0.1:{port_file.read_text().strip()}")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
