"""`mockserver verify` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mockserver.reporting.delivery import deliver, fail, report_options


def server_urls(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Check that each `--server` is a URL or a path."""
    for each in value:
        if not each.startswith(("http://", "https://", "/")):
            raise click.BadParameter(f"{each!r} is neither an http URL nor a path that begins with a slash", ctx, param)
    return value


def known_codes(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> frozenset[str]:
    """Check that each `--ignore` is a code, and return them as the catalogue writes them."""
    from mockserver.reporting.catalogue import UnknownCode, entry

    made = set()
    for each in value:
        try:
            made.add(entry(each).code)
        except UnknownCode as error:
            near = f"; near it: {', '.join(error.near)}" if error.near else ""
            raise click.BadParameter(f"there is no code {each!r}{near}", ctx, param) from None
    return frozenset(made)


ignore_option = click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="CODE",
    callback=known_codes,
    help="Do not tell findings of this code. Can be given several times.",
)
"""Gives a command the codes that it does not tell, as `ignored`."""


@click.command(context_settings={"help_option_names": ["--help"]})
@click.argument("traffic", type=click.Path(path_type=Path))
@click.argument("document", required=False, type=click.Path(path_type=Path))
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="URL|PATH",
    callback=server_urls,
    help="Where the service is: only what was called below it is looked at, and its path is taken off. Can be given several "
    "times.  [default: the document's base path, on any host]",
)
@click.option("--only", multiple=True, metavar="OPERATION", help="Look at one operation alone. Can be given several times.")
@ignore_option
@report_options
def verify(
    traffic: Path,
    document: Path | None,
    servers: tuple[str, ...],
    only: tuple[str, ...],
    ignored: frozenset[str],
    report: Any,
    fail_on: Any,
    notes: bool,
) -> None:
    """Hold recorded TRAFFIC to DOCUMENT, by default the one that comes along, and say who is to blame for what breaks it.

    TRAFFIC is a HAR file, an export of the journal, a VCR cassette, or a folder of such files.

    Exit status 0 when all exchanges keep the document, 1 when one does not, 2 when nothing could be checked.
    """
    from mockserver.contract.errors import SetupError
    from mockserver.traffic.opening import contract_of, known_operations
    from mockserver.traffic.verification import Verification
    from mockserver.traffic.verification import verify as run

    try:
        contract, path = contract_of(document)
        wanted = known_operations(contract, only)
        made = run(traffic, Verification("verify", str(traffic), contract, path, servers=servers, only=wanted, ignored=ignored))
    except SetupError as error:
        fail(str(error))
    deliver(made, report, fail_on, notes=notes)
