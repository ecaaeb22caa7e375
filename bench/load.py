"""Load from another process: `wrk` where it is installed, else a client of ours."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32
NUMBER = "########"
"""Where this stands in a body, each call has another number."""

_SCRIPT = """
wrk.method = "{method}"
wrk.headers["x-portkey-api-key"] = "bench"
{body}
"""
_NUMBERED = f"""
local calls = 0
function request()
  calls = calls + 1
  return wrk.format(nil, nil, nil, (string.gsub(wrk.body, "{NUMBER}", string.format("%08d", calls))))
end
"""


@dataclass(frozen=True)
class Work:
    """One kind of call."""

    method: str
    path: str
    body: str = ""
    status: int = 200


@dataclass(frozen=True)
class Measured:
    """What a round gave: calls a second, and the times in milliseconds that half and all but one in a hundred took."""

    rate: float
    p50_ms: float
    p99_ms: float
    errors: int


def tool() -> str:
    """The name of what makes the load."""
    return "wrk" if shutil.which("wrk") else "bench.client"


def run(work: Work, port: int, seconds: int) -> Measured:
    """Send one kind of call for a while, over 32 connections that stay open."""
    if shutil.which("wrk"):
        return _wrk(work, port, seconds)
    command = [
        sys.executable, "-m", "bench.client", str(port), work.method, work.path, work.body, str(work.status), str(seconds),
        str(CONNECTIONS),
    ]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Measured(float(output[0]), float(output[1]), float(output[2]), int(output[3]))


def _wrk(work: Work, port: int, seconds: int) -> Measured:
    body = ""
    if work.body:
        body = f"wrk.headers['content-type'] = 'application/json'\nwrk.body = [==[{work.body}]==]"
        body += _NUMBERED if NUMBER in work.body else ""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "work.lua"
        script.write_text(_SCRIPT.format(method=work.method, body=body))
        command = [
            "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script),
            f"http://127.0.0.1:{port}{work.path}",
        ]  # fmt: skip
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    total = int(_found(r"(\d+) requests in", text))
    errors = int(failed[1]) if failed else 0
    if work.status >= 400:
        errors = total - errors
    return Measured(float(_found(r"Requests/sec:\s+([\d.]+)", text)), _ms("50%", text), _ms("99%", text), errors)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"wrk printed nothing that fits {pattern}:\n{text}")
    return match[1]


def _ms(percentile: str, text: str) -> float:
    value = _found(rf"{percentile}\s+([\d.]+(?:us|ms|s))", text)
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", value).groups()  # type: ignore[union-attr]  # _found has matched
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
