"""`mockserver check` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mockserver.reporting.delivery import deliver, fail, report_options


@click.command(context_settings={"help_option_names": ["--help"]})
@click.argument("documents", metavar="[DOCUMENT]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--fixture",
    "fixtures",
    metavar="NAME|FILE",
    multiple=True,
    help="Check a fixture as well. Can be given several times.  [default: those that come along, for the shipped document]",
)
@click.option(
    "--stubs",
    metavar="FILE|FOLDER",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Check stub files as well, in WireMock's form. Can be given several times.",
)
@click.option(
    "--against",
    metavar="URL|FILE",
    multiple=True,
    help="Say in what DOCUMENT differs from another, and for whom that is breaking. Can be given several times.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="How many seconds to wait for the document of a URL.",
)
@report_options
def check(
    documents: tuple[Path, ...],
    fixtures: tuple[str, ...],
    stubs: tuple[Path, ...],
    against: tuple[str, ...],
    timeout_s: float,
    report: Any,
    fail_on: Any,
    notes: bool,
) -> None:
    """Say what is wrong with DOCUMENT, by default the one that comes along, and with what stands beside it.

    Its validity, references, schemas, examples, links; whether each operation has a stub; fixtures and stub files; and what it
    lacks against another document. Several documents are checked one by one, and told in one report.

    Exit status 0 when all is in order, 1 when something is not, 2 when the check cannot be made.
    """
    from mockserver.checking import fetching, setup
    from mockserver.checking.run import check as run
    from mockserver.contract.errors import SetupError

    if len(documents) > 1 and (fixtures or stubs or against):
        fail("--fixture, --stubs and --against belong to one document; check the others by themselves")
    for name in fixtures:
        if fault := setup.fixture_fault(name):
            fail(fault)
    try:
        others = tuple(fetching.subject(each, timeout_s) for each in against)
        made = run(documents[0] if documents else None, fixtures, stubs, others)
        for document in documents[1:]:
            made.join(run(document))
    except SetupError as error:
        fail(str(error))
    deliver(made, report, fail_on, notes=notes)
