"""`mockserver coverage` on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mockserver.reporting.delivery import deliver, fail, report_options, write

_KINDS = (
    "operations", "statuses", "parameters", "parameters left out", "parameter values", "request media types", "request fields",
    "request values", "response media types", "response fields", "response values", "credentials", "scopes",
)  # fmt: skip
"""Those of `items.KINDS`, which a test compares: what the command line imports at its start must be little."""


@click.command(context_settings={"help_option_names": ["--help"]})
@click.argument("traffic", nargs=-1, required=True, metavar="TRAFFIC...")
@click.option(
    "--document", type=click.Path(path_type=Path), help="The document that is measured.  [default: the one that comes along]"
)
@click.option(
    "--base-url", help="The URL, or its path, below which the document's paths are.  [default: the document's server]"
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Fail when less is touched.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(_KINDS),
    metavar="KIND",
    help=f"Measure only things of a kind: {', '.join(_KINDS)}. Can be given several times.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Write the measure as one HTML page.")
@click.option(
    "--json", "as_json", type=click.Path(path_type=Path), help="Write the measure as JSON, which can be given as TRAFFIC again."
)
@click.option("--world", default="default", show_default=True, help="The world of a server that is measured.")
@click.option("--admin-token", help="The token of a server's admin API.")
@report_options
def coverage(
    traffic: tuple[str, ...],
    document: Path | None,
    base_url: str | None,
    fail_under: float | None,
    only: tuple[str, ...],
    html: Path | None,
    as_json: Path | None,
    world: str,
    admin_token: str | None,
    report: Any,
    fail_on: Any,
    notes: bool,
) -> None:
    """Say what of a document TRAFFIC touched, and why the rest was not.

    TRAFFIC are recordings, as `mockserver verify` reads them, what `mockserver fuzz --coverage` or this command wrote,
    folders of such files, or URLs of running mockservers. All are added up.

    Exit status 0 when enough is touched, 1 when less is than --fail-under, 2 when nothing is or the command cannot run.
    """
    from mockserver import data, values
    from mockserver.contract.errors import SetupError
    from mockserver.coverage import measuring
    from mockserver.surveying import gathering, page, telling

    try:
        collector = gathering.collector(document, base_url)
        gathering.gather(traffic, collector, world, admin_token)
    except (SetupError, gathering.CannotGather) as error:
        fail(str(error))
    measure = measuring.measure(collector, only or _KINDS)
    subject = str(document or data.DOCUMENT.name)
    files: list[tuple[Path | None, Callable[[], str]]] = [
        (html, lambda: page.render(measure, subject, list(traffic))),
        (as_json, lambda: values.dump(measuring.as_json(measure, collector)).decode() + "\n"),
    ]
    for file, text in files:
        if file is not None:
            try:
                write(file, text())
            except OSError as error:
                fail(f"{file} cannot be written: {error.strerror or error}")
    deliver(telling.report(measure, subject, fail_under), report, fail_on, notes=notes)
