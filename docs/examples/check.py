"""Holds a library's next document against its current one, and tells who would break: `python check.py`."""
# ruff: noqa: T201  an example shows what it gets

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

CURRENT = Path(__file__).with_name("other_api.yaml")

document = yaml.safe_load(CURRENT.read_text(encoding="utf-8"))
del document["paths"]["/books/{id}"]["delete"]
book = document["components"]["schemas"]["Book"]
book["properties"]["shelf"] = {"type": "string"}
book["properties"]["title"]["maxLength"] = 100

with TemporaryDirectory() as folder:
    following = Path(folder, "next.yaml")
    following.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "-m", "mockserver", "check", following, "--against", CURRENT, "--report", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

report = json.loads(done.stdout)
print("status", done.returncode, report["verdict"])
for finding in report["findings"]:
    print(f"{finding['code']} {finding['message']}: breaks {' and '.join(finding['breaks']) or 'nobody'}")
