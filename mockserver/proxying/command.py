"""`mockserver proxy` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.reporting.delivery import deliver, fail, report_options
from mockserver.traffic.command import ignore_option, server_urls

if TYPE_CHECKING:
    from mockserver.proxying.proxy import Proxy
    from mockserver.proxying.session import Session


@click.command(context_settings={"help_option_names": ["--help"]})
@click.argument("url_and_document", nargs=-1, metavar="URL [DOCUMENT]")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    default=8788,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port-file", type=click.Path(path_type=Path), help="Write the port into this file once the proxy listens.")
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="URL|PATH",
    callback=server_urls,
    help="Where in the service the document's paths begin. Can be given several times.  [default: the document's base path]",
)
@click.option(
    "--record", metavar="DIR", type=click.Path(path_type=Path), help="Keep each exchange in a HAR file there, without secrets."
)
@click.option(
    "--replay", metavar="DIR", type=click.Path(path_type=Path), help="Answer from a recording; the service is not called."
)
@click.option("--enforce", is_flag=True, help="Answer 400 or 502 in the place of what breaks the document.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first finding for which the status is 1.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1),
    default=300.0,
    show_default=True,
    help="How many seconds to wait for the next piece of a reply.",
)
@click.option(
    "--body-limit",
    type=click.IntRange(min=1),
    default=10 * 2**20,
    show_default=True,
    help="Bytes of a body that are checked and kept; larger ones are passed on, and told as not checked.",
)
@ignore_option
@report_options
def proxy(
    url_and_document: tuple[str, ...],
    port: int,
    host: str,
    port_file: Path | None,
    servers: tuple[str, ...],
    record: Path | None,
    replay: Path | None,
    enforce: bool,
    fail_fast: bool,
    timeout_s: float,
    body_limit: int,
    ignored: frozenset[str],
    report: Any,
    fail_on: Any,
    notes: bool,
) -> None:
    """Stand before the service at URL, and hold every call and its answer to DOCUMENT, by default the one that comes along.

    Clients call the proxy in the place of the service. Each exchange is told on standard error as it ends; the report
    follows when the proxy is stopped (Ctrl-C). With --replay no service is needed, and URL may be left out.

    Exit status 0 when all exchanges kept the document, 1 when one did not, 2 when nothing was checked or the proxy could
    not run.
    """
    from mockserver.contract.errors import SetupError
    from mockserver.server import CannotListen, listen, origin, run

    url, document = _told(url_and_document, needs_url=replay is None)
    if record is not None and replay is not None:
        fail("--record and --replay: a recording cannot be made of itself; use one of them")
    try:
        made, session = _make(url, document, servers, record, replay, ignored, enforce, body_limit, timeout_s,
                              fail_on if fail_fast else None, notes)  # fmt: skip
        sockets = listen(host, port)
    except (SetupError, CannotListen) as error:
        fail(str(error))
    told = f"proxy on {origin(host, sockets)} for {session.verification.report.subject}"
    try:
        run(made, sockets, "warning", lambda: click.echo(told, err=True), port_file=port_file)
    except CannotListen as error:
        fail(str(error))
    if session.cannot_record:
        fail(f"--record {record}: {session.cannot_record}")
    deliver(session.verification.finish(), report, fail_on, notes=notes)


def _told(arguments: tuple[str, ...], *, needs_url: bool) -> tuple[str | None, Path | None]:
    urls = [each for each in arguments[:1] if each.startswith(("http://", "https://"))]
    others = arguments[len(urls) :]
    if needs_url and not urls:
        given = f", not {arguments[0]!r}" if arguments else ""
        fail(f"the URL of a service is needed first, as in https://api.example.com{given} (see mockserver proxy --help)")
    if len(others) > 1:
        fail(f"one document is enough, there are {', '.join(others)} (see mockserver proxy --help)")
    return (urls[0] if urls else None), (Path(others[0]) if others else None)


def _make(
    url: str | None,
    document: Path | None,
    servers: tuple[str, ...],
    record: Path | None,
    replay: Path | None,
    ignored: frozenset[str],
    enforce: bool,
    body_limit: int,
    timeout_s: float,
    fail_fast: Any,
    notes: bool,
) -> tuple[Proxy, Session]:
    from urllib.parse import urlsplit

    from mockserver.proxying.proxy import Proxy, places_of
    from mockserver.proxying.recorder import Recorder
    from mockserver.proxying.replay import Replay
    from mockserver.proxying.session import Session
    from mockserver.proxying.upstream import Service, Upstream
    from mockserver.traffic.opening import contract_of
    from mockserver.traffic.redaction import Redactor
    from mockserver.traffic.verification import Verification

    contract, path = contract_of(document)
    parts = urlsplit(url or "")
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if url else ""
    upstream: Upstream = Replay(replay) if replay is not None else Service(str(url), timeout_s)
    subject = f"{origin}{parts.path}" if replay is None else str(replay)
    verification = Verification("proxy", subject, contract, path, servers=servers, ignored=ignored)
    recorder = None if record is None else Recorder(record)
    session = Session(verification, Redactor(contract, servers), recorder, fail_fast=fail_fast, notes=notes)
    made = Proxy(
        upstream,
        origin,
        parts.path.rstrip("/"),
        session.done,
        judge=verification.judge if enforce else None,
        body_limit=body_limit,
        places=lambda number: places_of(subject, number),
    )
    return made, session
