"""Holds what a browser recorded, `traffic.har`, to the library's document, and tells who is to blame: `python verify.py`."""
# ruff: noqa: T201  an example shows what it gets

import json
import subprocess
import sys
from pathlib import Path

TRAFFIC = Path(__file__).with_name("traffic.har")
DOCUMENT = Path(__file__).with_name("other_api.yaml")

command = [sys.executable, "-m", "mockserver", "verify", TRAFFIC, DOCUMENT, "--report", "json"]
done = subprocess.run(command, capture_output=True, text=True, check=False)

report = json.loads(done.stdout)
print("status", done.returncode, report["verdict"], report["checked"]["exchanges"], "exchanges")
for finding in report["findings"]:
    print(f"{finding['code']} {finding['blame']}: {finding['message']}")
