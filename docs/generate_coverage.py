"""Writes docs/coverage.md: what answers each operation of the shipped document, and whose word its rules follow.

`make docs` runs it; a test fails when the page is not what it would write.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path

from mockserver.app import App, Settings
from mockserver.contract.operations import Operation

PAGE = Path(__file__).parent / "coverage.md"

HEAD = """\
# Coverage

What answers each operation, and whose word its rules follow. `make docs` writes this page; do not edit it.

- *family*: a function of the API's own, with rules that the document cannot say. Sources are those that the function and its
  module name; *chosen* stands for at least one rule of ours.
- *resource*: what was created is [remembered](resources.md), as the document implies.
- *sample*: an answer [made from the schema](resources.md#what-falls-to-a-sample). Nothing is remembered.
"""


def page() -> str:
    """Return the whole page."""
    app = App(Settings())
    chosen = app.resolver.chosen
    operations = app.contract.operations
    kinds = Counter(chosen[operation] for operation in operations)
    totals = [f"| {kind} | {kinds[kind]} |" for kind in ("family", "resource", "sample")]
    families = len({operation.family for operation in operations})
    rows = [
        f"| `{operation.method.upper()} {operation.path}` | `{operation.id}` | {operation.family} | {chosen[operation]} "
        f"| {'; '.join(sources(operation, chosen[operation], app.service.stubs))} |"
        for operation in operations
    ]
    lines = [
        HEAD,
        "## Totals",
        "",
        f"{len(operations)} operations in {families} families.",
        "",
        "| stub | operations |",
        "|---|---|",
        *totals,
        "",
        "## Operations",
        "",
        "| operation | operationId | family | stub | sources |",
        "|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def sources(operation: Operation, kind: str, package: str | None) -> list[str]:
    """Return where the rules of an operation come from: for a family, what its function and its module name."""
    if kind != "family":
        return ["document"]
    module = importlib.import_module(f"{package}.{operation.family}")
    function = getattr(module, operation.stub_name)
    return named_in("\n\n".join(text for text in (function.__doc__, module.__doc__) if text)) or ["document"]


def named_in(text: str) -> list[str]:
    """Return the sources that a docstring names, each once: what follows `Source…:`, without what is in brackets."""
    flat = re.sub(r"\s+", " ", text)
    found: list[str] = []
    for said in re.findall(r"\bSource\b[^:.]*: (.*?)(?:\.(?= |$)|$)", flat):
        bare = re.sub(r"\([^()]*\)", "", said)
        found += [re.sub(r"\s+", " ", part).strip(" ,") for part in bare.split(";") if "*chosen*" not in part]
    if "*chosen*" in flat:
        found.append("*chosen*")
    return list(dict.fromkeys(part for part in found if part))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
