"""A measure as one HTML file: nothing is fetched, nothing runs, and it prints. Texts are escaped by the template."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from mockserver import __version__
from mockserver.coverage.measuring import Hole, Measure, Measured

TEMPLATE = Path(__file__).parent / "page.html.j2"


def render(measure: Measure, subject: str, sources: list[str]) -> str:
    """Return the page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(measure=measure, subject=subject, sources=sources, version=__version__, grouped=grouped)


def grouped(measured: Measured) -> list[tuple[str, str, str, list[Hole]]]:
    """The holes of an operation: kind, reason, what would fill the first of them, and all of them."""
    order = sorted(measured.holes, key=lambda hole: (hole.excluded, hole.item.kind, hole.reason))
    groups = [(key, list(rows)) for key, rows in groupby(order, key=lambda hole: (hole.item.kind, hole.reason))]
    return [(kind, reason, rows[0].suggestion, rows) for (kind, reason), rows in groups]
