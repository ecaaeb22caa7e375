"""The command line."""

from __future__ import annotations

import gc
import ipaddress
from pathlib import Path
from typing import Any

import click

from mockserver import __version__
from mockserver.checking.command import check
from mockserver.fuzz.command import fuzz
from mockserver.proxying.command import proxy
from mockserver.recordings.command import recording
from mockserver.reporting.delivery import fail
from mockserver.surveying.command import coverage
from mockserver.traffic.command import verify


class WrongUse(click.ClickException):
    """What click has against a command line, in one line and with status 2, as everything else that could not run."""

    exit_code = 2

    def __init__(self, error: click.UsageError) -> None:
        command = error.ctx.command_path if error.ctx is not None else "mockserver"
        super().__init__(f"{error.format_message().rstrip('.')} (see {command} --help)")

    def show(self, file: Any = None) -> None:
        """Print the line."""
        click.echo(f"mockserver: {' '.join(self.message.split())}", err=True, file=file)


class _Commands(click.Group):
    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        try:
            return super().make_context(info_name, args, *rest, **extra)
        except click.UsageError as error:
            raise _told(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _told(error) from error


def _told(error: click.UsageError) -> click.ClickException:
    # A bare `mockserver` prints its help, which click does by an error.
    return error if error.ctx is not None and error.format_message() == error.ctx.get_help() else WrongUse(error)


@click.group(cls=_Commands, context_settings={"help_option_names": ["--help"], "auto_envvar_prefix": "MOCKSERVER"})
@click.version_option(__version__, prog_name="mockserver")
def main() -> None:
    """A stand-in for an HTTP API, made from its OpenAPI document.

    It remembers, checks, refuses and expires as the real one does.

    Every option can be given in the environment as well: MOCKSERVER_SERVE_PORT=0 is `mockserver serve --port 0`.
    """


@main.command(context_settings={"help_option_names": ["--help"]})
@click.argument("document", required=False, type=click.Path(path_type=Path))
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    default=8787,
    show_default=True,
    envvar=["MOCKSERVER_PORT"],
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "-h",
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar=["MOCKSERVER_HOST"],
    help="Address to listen on. Any but a loopback address needs --admin-token.",
)
@click.option(
    "--fixture",
    metavar="NAME|FILE",
    envvar=["MOCKSERVER_FIXTURE"],
    help="The world that every world starts from: a shipped one (empty, small_team) or a YAML file.  "
    "[default: small_team for the shipped document, else an empty world]",
)
@click.option(
    "--stubs",
    metavar="FILE|FOLDER",
    multiple=True,
    type=click.Path(path_type=Path),
    envvar=["MOCKSERVER_STUBS"],
    help="Stubs that every world begins with, in WireMock's form. Can be given several times.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    envvar=["MOCKSERVER_SEED"],
    help="Where ids, secrets and chance come from: the same seed and calls give the same bytes.",
)
@click.option(
    "--auth",
    type=click.Choice(["open", "strict"]),
    default="open",
    show_default=True,
    envvar=["MOCKSERVER_AUTH"],
    help="open: any key is an admin's, keys of the world are held to their rights. strict: only keys of the world.",
)
@click.option(
    "--port-file",
    type=click.Path(path_type=Path),
    envvar=["MOCKSERVER_PORT_FILE"],
    help="Write the port into this file once the server listens.",
)
@click.option(
    "--log-level",
    type=click.Choice(["critical", "error", "warning", "info", "debug"]),
    default="warning",
    show_default=True,
    envvar=["MOCKSERVER_LOG_LEVEL"],
    help="What to write to standard error.",
)
@click.option("--admin-token", envvar=["MOCKSERVER_ADMIN_TOKEN"], help="Guard the admin API by this bearer token.")
@click.option(
    "--admin-host",
    multiple=True,
    metavar="NAME",
    envvar=["MOCKSERVER_ADMIN_HOST"],
    help="A name of this machine by which the admin API may be called, beside localhost, numeric addresses and --host. "
    "Can be given again.",
)
@click.option(
    "--unredacted",
    is_flag=True,
    envvar=["MOCKSERVER_UNREDACTED"],
    help="Let exports of the journal hold secrets when they are asked for with `secrets=keep`.",
)
@click.option(
    "--explain/--no-explain",
    default=True,
    show_default=True,
    envvar=["MOCKSERVER_EXPLAIN"],
    help="Whether openapi-core says why a call is refused; without it, the gate alone does, and faster.",
)
@click.option(
    "--body-limit",
    type=click.IntRange(min=1),
    default=10 * 2**20,
    show_default=True,
    envvar=["MOCKSERVER_BODY_LIMIT"],
    help="Largest request body in bytes.",
)
@click.option(
    "--upload-limit",
    type=click.IntRange(min=1),
    default=512 * 2**20,
    show_default=True,
    envvar=["MOCKSERVER_UPLOAD_LIMIT"],
    help="Largest form that uploads files, in bytes.",
)
@click.option(
    "--unknown-ids",
    type=click.Choice(["refuse", "sample"]),
    default="refuse",
    show_default=True,
    envvar=["MOCKSERVER_UNKNOWN_IDS"],
    help="What a record that is not there gets: the API's own refusal, or a sample, for tests written against stateless mocks.",
)
@click.option(
    "--journal",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    envvar=["MOCKSERVER_JOURNAL"],
    help="How many calls of each world are kept to be looked at.",
)
@click.option(
    "--token",
    metavar="TOKEN|FILE",
    envvar=["MOCKSERVER_TOKEN"],
    help="Start every world as the one that this token was made of, with its fixture, seed, --auth and --unknown-ids unless "
    "they are given.",
)
@click.pass_context
def serve(
    context: click.Context,
    document: Path | None,
    port: int,
    host: str,
    fixture: str | None,
    stubs: tuple[Path, ...],
    seed: int,
    auth: str,
    port_file: Path | None,
    log_level: str,
    admin_token: str | None,
    admin_host: tuple[str, ...],
    unredacted: bool,
    explain: bool,
    body_limit: int,
    upload_limit: int,
    unknown_ids: str,
    journal: int,
    token: str | None,
) -> None:
    """Serve DOCUMENT, by default the one that comes along.

    The API answers under the document's base path and at the root, a private world under /worlds/<name> before either,
    the admin API under /__admin.
    """
    # What a start makes stays: looking for garbage among it costs a tenth of the time. `run` turns this on again.
    gc.disable()
    context.call_on_close(gc.enable)  # a start that is refused within a program of somebody's own leaves it as it was
    # Imported here: --help and --version need none of it.
    from mockserver.app import App, Settings
    from mockserver.contract.errors import SetupError
    from mockserver.control import tokens
    from mockserver.server import CannotListen, listen, origin, run

    if not _is_loopback(host) and not admin_token:
        fail(f"--host {host} can be reached from other machines: guard the admin API by --admin-token")
    try:
        sockets = listen(host, port)
        read = None if token is None else tokens.read(token)
        made_with: dict[str, Any] = {"fixture": fixture, "seed": seed, "auth": auth, "unknown_ids": unknown_ids}
        if read is not None:
            by_default = click.core.ParameterSource.DEFAULT
            made_with |= {
                name: each for name, each in read.settings.items() if context.get_parameter_source(name) is by_default
            }
        app = App(
            Settings(
                document=document,
                fixture=made_with["fixture"],
                seed=made_with["seed"],
                strict=made_with["auth"] == "strict",
                explain=explain,
                body_limit=body_limit,
                upload_limit=upload_limit,
                journal=journal,
                admin_token=admin_token,
                admin_hosts=(host, *admin_host),
                unredacted=unredacted,
                stubs=stubs,
                sample_unknown=made_with["unknown_ids"] == "sample",
                token=read,
            )
        )
    except (SetupError, CannotListen) as error:
        fail(str(error))
    at = origin(host, sockets)
    greeting = app.service.greeting(app.worlds.get("default"))
    told = [f"{app.service.name} on {at}{app.base_path}", f"admin page {at}/__admin/", greeting]
    try:
        run(app, sockets, log_level, lambda: click.echo("  ".join(part for part in told if part)), port_file=port_file)
    except CannotListen as error:
        fail(str(error))


main.add_command(check)
main.add_command(fuzz)
main.add_command(coverage)


@main.command(context_settings={"help_option_names": ["--help"]})
@click.argument("document", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def routes(document: Path | None, as_json: bool) -> None:
    """List each operation of DOCUMENT with the stub that answers it, and why.

    A family is code of the API's own, a resource is remembered as the document implies, a sample is made of the schema.
    """
    from mockserver import values
    from mockserver.app import App, Settings
    from mockserver.contract.errors import SetupError

    try:
        app = App(Settings(document=document))
    except SetupError as error:
        fail(str(error))
    rows = [
        {
            "method": operation.method.upper(),
            "path": operation.path,
            "operation": operation.id,
            "family": operation.family,
            "stub": app.resolver.chosen[operation],
            "why": app.resolver.why(operation),
        }
        for operation in app.contract.operations
    ]
    if as_json:
        click.echo(values.dump({"routes": rows, "not_served": app.faults}).decode())
        return
    widths = [max([len(str(row[name])) for row in rows], default=0) for name in ("method", "path", "stub")]
    for row in rows:
        click.echo(f"{row['method']:<{widths[0]}}  {row['path']:<{widths[1]}}  {row['stub']:<{widths[2]}}  {row['why']}")
    for fault in app.faults:
        click.echo(f"not served: {fault}")


@main.command(context_settings={"help_option_names": ["--help"]})
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain the CODE of a finding: what is wrong, who is to blame, how to mend it. Without one, list all codes."""
    from mockserver.reporting import plain
    from mockserver.reporting.catalogue import UnknownCode

    if code is None:
        click.echo(plain.listing(), nl=False)
        return
    try:
        click.echo(plain.explanation(code), nl=False)
    except UnknownCode as error:
        near = f"; near it: {', '.join(error.near)}" if error.near else ""
        fail(f"there is no code {code!r}{near}; `mockserver explain` lists all")


main.add_command(verify)
main.add_command(proxy)
main.add_command(recording)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
