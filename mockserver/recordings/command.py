"""`mockserver recording` on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockserver.reporting.delivery import fail

if TYPE_CHECKING:
    from mockserver.traffic.exchange import Exchange


@click.command(context_settings={"help_option_names": ["--help"]})
@click.argument("traffic", type=click.Path(path_type=Path))
@click.argument("document", required=False, type=click.Path(path_type=Path))
@click.option(
    "--as",
    "form",
    required=True,
    type=click.Choice(["stubs", "fixture", "har"]),
    help="stubs: what was answered, in WireMock's form. fixture: the last state of each resource. har: one file, secrets out.",
)
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help="Where to write it.  [default: standard output]"
)
def recording(traffic: Path, document: Path | None, form: str, output: Path | None) -> None:
    """Make something else of recorded TRAFFIC, so that a server answers as the real service did.

    TRAFFIC is what `mockserver verify` takes: a folder of `mockserver proxy --record`, a HAR file, an export of the journal, a
    VCR cassette. What nothing can be made of is told on standard error.
    """
    from mockserver.contract.errors import SetupError
    from mockserver.reporting.delivery import write

    try:
        text = _made(traffic, document, form)
    except SetupError as error:
        fail(str(error))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        write(output, text)
    except OSError as error:
        fail(f"--output {output}: {error.strerror or error}")


def _tell(line: str) -> None:
    click.echo(f"mockserver: {line}", err=True)


def _made(traffic: Path, document: Path | None, form: str) -> str:
    from mockserver.traffic.judging import Judge
    from mockserver.traffic.opening import contract_of
    from mockserver.traffic.redaction import Redactor

    contract, _ = contract_of(document)
    redactor = Redactor(contract)
    exchanges = (redactor.redact(each) for each in _read(traffic))
    if form == "har":
        from mockserver.traffic.writing import archive

        return archive(exchanges).decode()
    if form == "stubs":
        import json

        from mockserver.recordings.as_stubs import mappings

        stubs = mappings(exchanges, Judge(contract), _tell)
        if not stubs["mappings"]:
            fail(f"{traffic}: no stub could be made of it")
        return json.dumps(stubs, ensure_ascii=False, indent=2) + "\n"
    import yaml

    from mockserver.recordings.as_fixture import fixture

    made = fixture(exchanges, document, _tell)
    if not made:
        fail(f"{traffic}: no resource was seen in it")
    return yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=120)


def _read(traffic: Path) -> Iterator[Exchange]:
    from mockserver.traffic import reading
    from mockserver.traffic.faults import Malformed

    for each in reading.read(traffic):
        if isinstance(each, Malformed):
            _tell(f"{each.places.file}#{each.places.record}: {each.why}")
        else:
            yield each
