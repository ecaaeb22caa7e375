"""Fuzzes a service whose document promises more than it keeps, and writes the test that shows it: `python fuzz.py`."""
# ruff: noqa: T201  an example shows what it gets

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

MOCKSERVER = [sys.executable, "-m", "mockserver"]
CURRENT = Path(__file__).with_name("other_api.yaml")

with TemporaryDirectory() as name:
    folder = Path(name)
    # The service: a mock of the current document. What it is held to: the next one, in which removals answer 200.
    promised = yaml.safe_load(CURRENT.read_text(encoding="utf-8"))
    promised["paths"]["/books/{id}"]["delete"]["responses"] = {
        "200": {"description": "It is gone."},
        "404": {"description": "No."},
    }
    document = folder / "next.yaml"
    document.write_text(yaml.safe_dump(promised), encoding="utf-8")
    port = folder / "port"
    service = subprocess.Popen([*MOCKSERVER, "serve", CURRENT, "--port", "0", "--port-file", port], stdout=subprocess.DEVNULL)
    try:
        while not (port.exists() and port.read_text()):
            time.sleep(0.05)  # another process: its file tells when it is ready
        url = f"http://127.0.0.1:{port.read_text().strip()}/api"
        asked = ["--operation", "removeBook", "--operation", "addBook", "--check", "status_code_conformance", "--seed", "1"]
        bounds = ["--phase", "stateful", "--cases-per-operation", "5", "-H", "x-library-card: any", "--report", "json"]
        command = [*MOCKSERVER, "fuzz", url, document, *asked, *bounds, "--tests", folder / "test_found.py"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        tests = (folder / "test_found.py").read_text(encoding="utf-8")
    finally:
        service.terminate()
        service.wait()

report = json.loads(done.stdout)
print("status", done.returncode, report["verdict"])
for finding in report["findings"]:
    if finding["operation"] == "removeBook":
        print(f"{finding['code']} {finding['message']}; {finding['blame']} is to blame")
        print(f"{len(finding['evidence']['curl'])} lines of curl, {tests.count('def test_')} tests")
