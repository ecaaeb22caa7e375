"""Writes docs/findings.md: every code that a command can report.

`make docs` runs it; a test fails when the page is not what it would write.
"""

from __future__ import annotations

from pathlib import Path

from mockserver.reporting import catalogue
from mockserver.reporting.finding import PARTIES

PAGE = Path(__file__).parent / "findings.md"

HEAD = """\
# Findings

What commands find, by code. `make docs` writes this page from the catalogue; do not edit it. `mockserver explain CODE` prints a
section, `mockserver explain` the list. A code never changes its meaning.

Each finding has a place, a reason, a proposed edit, and one to blame. Severity and blame are those below unless a finding says
otherwise. [Reports](reports.md) tells of the forms.
"""


def page() -> str:
    """Return the whole page."""
    parties = ["| to blame | |", "|---|---|", *(f"| {party} | {meaning} |" for party, meaning in PARTIES.items())]
    parts = [HEAD, "\n".join(parties)]
    for family in catalogue.families():
        rows = [f"| [{each.code}](#{each.code.lower()}) | {each.severity} | {each.title} |" for each in family.entries]
        parts += [
            f"## {family.letter}: {family.title}",
            family.about,
            "\n".join(["| code | severity | |", "|---|---|---|", *rows]),
        ]
        parts += [section(each) for each in family.entries]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def section(entry: catalogue.Entry) -> str:
    """Return what the page says of one code."""
    mark = "//" if entry.language == "json" else "#"
    return "\n".join(
        [
            f"### {entry.code}",
            "",
            f"**{entry.title}**: {entry.severity}, to blame: {entry.blame}. {entry.why}"
            + (" Retired." if entry.retired else ""),
            "",
            entry.explanation,
            "",
            f"```{entry.language}",
            f"{mark} wrong",
            entry.wrong,
            f"{mark} right",
            entry.right,
            "```",
            "",
            f"Mend: {entry.mend}",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
