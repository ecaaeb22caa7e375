"""What shows a failure, in words that can be run: lines of curl, a test for pytest."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterable, Sequence

from mockserver.fuzz.credentials import variables
from mockserver.fuzz.failures import Failure, slug
from mockserver.fuzz.steps import Step


def curl(step: Step, base_url: str) -> str:
    """Return the line that sends a call. Credentials are variables of the shell."""
    parts = ["curl", "-sS", "-i"]
    if step.method == "HEAD":
        parts.append("--head")
    elif step.method != "GET" or step.body:
        parts += ["-X", shlex.quote(step.method)]
    parts.append("--path-as-is --globoff" if re.search(r"\.\.|[\[\]{}]", step.target) else "")
    parts.append(shlex.quote(base_url.rstrip("/") + step.target))
    for name, value in step.headers:
        parts += ["-H", _quoted(f"{name}: {value}" if value else f"{name};")]
    before = ""
    if step.body:
        try:
            parts += ["--data-raw", shlex.quote(step.body.decode())]
            if "\0" in parts[-1]:
                raise UnicodeError
        except UnicodeError:
            before = f"printf %s {shlex.quote(base64.b64encode(step.body).decode())} | base64 -d | "
            parts += ["--data-binary", "@-"] if "--data-raw" not in parts else []
            if "--data-raw" in parts:
                at = parts.index("--data-raw")
                parts[at : at + 2] = ["--data-binary", "@-"]
    return before + " ".join(part for part in parts if part)


def _quoted(header: str) -> str:
    """A header for the shell, in double quotes where it holds a variable."""
    if re.search(r"\$\{[A-Z][A-Z0-9_]*\}$", header):
        return '"' + header + '"'
    return shlex.quote(header)


def module(failures: Iterable[Failure], document: str | None, url: str | None, seed: int) -> str:
    """Return a module of tests, one for each failure that shows again; `failures` have their credentials hidden."""
    shown = [failure for failure in failures if failure.shown_again]
    names = sorted({name for failure in shown for step in failure.steps for name in variables(step)})
    lines = [
        f'"""What `mockserver fuzz` found with seed {seed}. Each test fails until the service keeps its document.',
        "",
        "Run it with pytest. SERVICE_URL names another service"
        + (f"; {', '.join(names)} hold the credentials." if names else "."),
        '"""',
        "",
        "import os",
        "",
        "import pytest",
        "",
        "from mockserver.fuzz.replaying import Service",
        "",
        "",
        '@pytest.fixture(scope="module")',
        "def service() -> Service:",
        f'    return Service({document!r}, os.environ.get("SERVICE_URL", {url!r}))',
    ]
    used: set[str] = set()
    for failure in shown:
        lines += ["", "", *test(failure, used)]
    return "\n".join(lines) + "\n"


def test(failure: Failure, used: set[str]) -> list[str]:
    """Return the lines of a test; `used` are the names that others have."""
    name = stem = f"test_{slug(failure.operation)}_{failure.code[3:].lower()}_{slug(failure.place)}".rstrip("_")[:90]
    number = 2
    while name in used:
        name, number = f"{stem}_{number}", number + 1
    used.add(name)
    title = f"{failure.code}: {failure.operation} {_line(failure.message)}"
    lines = [f"def {name}(service: Service) -> None:", f"    {_docstring(title)}"]
    last = len(failure.steps) - 1
    taken = {take.step for step in failure.steps for take in step.takes}
    for at, step in enumerate(failure.steps):
        target = "answer" if at == last else f"answer_{at + 1}" if at in taken else ""
        arguments = [repr(step.operation), repr(step.method), repr(step.target)]
        if step.headers:
            arguments.append(f"headers={_headers(step.headers)}")
        if step.body:
            arguments.append(f"body={step.body!r}")
        if step.takes:
            pairs = (f"{take.value!r}: answer_{take.step + 1}.at({take.pointer!r})" for take in step.takes)
            arguments.append(f"takes={{{', '.join(pairs)}}}")
        lines += _call(f"{target} = " if target else "", arguments)
    wanted = failure.expectation
    told = [repr(failure.operation), "answer"]
    if wanted.statuses:
        told.append(f"statuses={wanted.statuses!r}")
    if wanted.contract:
        told.append("contract=True")
    if wanted.allow:
        told.append("allow=True")
    if wanted.header:
        told.append(f"header={wanted.header!r}")
    if wanted.within_s:
        told.append(f"within_s={wanted.within_s!r}")
    return [*lines, f'    assert service.broken({", ".join(told)}) == ""']


def _call(target: str, arguments: Sequence[str]) -> list[str]:
    line = f"    {target}service.call({', '.join(arguments)})"
    if len(line) <= 110:
        return [line]
    return [f"    {target}service.call(", *(f"        {each}," for each in arguments), "    )"]


def _headers(headers: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name!r}: {value!r}" for name, value in headers) + "}"


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


def _docstring(text: str) -> str:
    return '"""' + text.replace("\\", "\\\\").replace('"', "'") + '."""'
