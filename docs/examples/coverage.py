"""Measures what two calls touch of an API, and asks what would touch more: `python coverage.py`."""
# ruff: noqa: T201  an example shows what it gets

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

MOCKSERVER = [sys.executable, "-m", "mockserver"]
DOCUMENT = Path(__file__).with_name("other_api.yaml")

with TemporaryDirectory() as name:
    folder = Path(name)
    port = folder / "port"
    server = subprocess.Popen([*MOCKSERVER, "serve", DOCUMENT, "--port", "0", "--port-file", port], stdout=subprocess.DEVNULL)
    try:
        while not (port.exists() and port.read_text()):
            time.sleep(0.05)  # another process: its file tells when it is ready
        origin = f"http://127.0.0.1:{port.read_text().strip()}"
        headers = {"x-library-card": "any", "content-type": "application/json"}
        for body in (b'{"title": "Emma"}', None):
            urllib.request.urlopen(urllib.request.Request(f"{origin}/api/books", body, headers)).close()
        command = [*MOCKSERVER, "coverage", origin, "--document", DOCUMENT, "--only", "operations", "--fail-under", "80"]
        done = subprocess.run([*command, "--report", "json"], capture_output=True, text=True, check=False)
    finally:
        server.terminate()
        server.wait()

report = json.loads(done.stdout)
print("status", done.returncode, report["facts"]["operations"])
for finding in report["findings"]:
    print(finding["code"], finding["message"])
