"""`mockserver fuzz` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mockserver.reporting.delivery import deliver, fail, report_options, write

_PHASES = ("examples", "coverage", "fuzzing", "stateful")
_CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "missing_required_header",
    "unsupported_method", "allow_header_conformance", "use_after_free", "ensure_resource_availability", "ignored_auth",
)  # fmt: skip
"""Those of `campaign`, which a test compares: what the command line imports at its start must be little."""


def _headers(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    made = {}
    for each in value:
        name, colon, text = each.partition(":")
        if not colon or not name.strip() or any(not 32 < ord(letter) < 127 for letter in name.strip()):
            raise click.BadParameter(f"{each!r} is no header; write 'Name: value'", ctx, param)
        if "\n" in text or "\r" in text:
            raise click.BadParameter(f"{name} has a line break in its value", ctx, param)
        made[name.strip()] = text.strip()
    return made


@click.command(context_settings={"help_option_names": ["--help"]})
@click.argument("target", nargs=-1, metavar="[URL] [DOCUMENT]")
@click.option("--seed", type=int, help="Where cases come from; the same seed gives the same ones.  [default: a fresh one]")
@click.option(
    "--phase", "phases", multiple=True, type=click.Choice(_PHASES), help="Run only this phase. Can be given several times."
)
@click.option(
    "--check",
    "checks",
    multiple=True,
    type=click.Choice(_CHECKS),
    metavar="NAME",
    help=f"Make only this check: {', '.join(_CHECKS)}. Can be given several times.",
)
@click.option(
    "--operation",
    "operations",
    multiple=True,
    metavar="NAME",
    help="Test only this operation: its id, `GET /orders/{id}`, or either with `*`. Can be given several times.",
)
@click.option(
    "--exclude-operation",
    "excluded",
    multiple=True,
    metavar="NAME",
    help="Leave this operation out. Can be given several times.",
)
@click.option("--max-seconds", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="When to stop.")
@click.option("--max-cases", type=click.IntRange(min=1), help="After how many calls to stop.")
@click.option(
    "--cases-per-operation",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many cases to generate for each operation and phase, and how many sequences.",
)
@click.option("--steps", type=click.IntRange(min=2), default=8, show_default=True, help="Calls in a sequence.")
@click.option("--max-response-time", type=click.FloatRange(min=0.001), metavar="SECONDS", help="How long an answer may take.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes share the work.")
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    callback=_headers,
    metavar="'NAME: VALUE'",
    help="Send a header with every call.",
)
@click.option(
    "--replay", metavar="FILE|SEED", help="Send again what a report in JSON holds, or run the campaign of a seed again."
)
@click.option(
    "--continue-on-failure/--stop-on-failure",
    "go_on",
    default=True,
    show_default=True,
    help="Whether an operation is tested further once it has failed.",
)
@click.option("--tests", type=click.Path(path_type=Path), help="Write a module of pytest tests, one for each finding.")
@click.option(
    "--coverage", "touched", type=click.Path(path_type=Path), help="Write what was touched, for `mockserver coverage`."
)
@click.option("--show-secrets", is_flag=True, help="Leave credentials in reports, curl lines and tests.")
@click.option("--admin", "of_admin", is_flag=True, help="Fuzz the mock's own admin API.")
@report_options
def fuzz(
    target: tuple[str, ...],
    seed: int | None,
    phases: tuple[str, ...],
    checks: tuple[str, ...],
    operations: tuple[str, ...],
    excluded: tuple[str, ...],
    max_seconds: float,
    max_cases: int | None,
    cases_per_operation: int,
    steps: int,
    max_response_time: float | None,
    workers: int,
    headers: dict[str, str],
    replay: str | None,
    go_on: bool,
    tests: Path | None,
    touched: Path | None,
    show_secrets: bool,
    of_admin: bool,
    report: Any,
    fail_on: Any,
    notes: bool,
) -> None:
    """Fuzz the service at URL, or without one the mock of DOCUMENT, by default of the one that comes along.

    URL is that below which the document's paths are. Every phase and check of Schemathesis is run, with sequences along the
    document's links and those that its resources imply.

    Exit status 0 when the document is kept, 1 when it is broken, 2 when nothing was tested or the command cannot run.
    """
    from mockserver.contract.errors import SetupError

    try:
        from mockserver.fuzz import runs
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("schemathesis", "hypothesis", "rich", "requests"):
            raise
        fail(f"fuzzing needs {missing}; install it by `pip install 'mockserver[fuzz]'`")
    url, document = _aim(target)
    if of_admin and (target or replay):
        fail("--admin takes neither a URL, nor a document, nor --replay: it is the mock's own API that is fuzzed")
    if replay is not None and replay.lstrip("-").isdigit():
        seed, replay = int(replay), None
    options = runs.Options(
        document, url, headers, seed, phases or _PHASES, checks or _CHECKS, operations, excluded, max_seconds, max_cases,
        cases_per_operation, steps, max_response_time or 0.0, workers, go_on, show_secrets, touched is not None,
    )  # fmt: skip
    try:
        if of_admin:
            run = runs.admin(options)
        elif replay is not None:
            run = runs.replay(options, Path(replay))
        else:
            run = runs.campaign(options)
    except (SetupError, runs.CannotRun) as error:
        fail(str(error))
    for file, text in ((tests, run.tests), (touched, run.touched)):
        if file is not None:
            try:
                write(file, text())
            except OSError as error:
                fail(f"{file} cannot be written: {error.strerror or error}")
    deliver(run.report, report, fail_on, notes=notes)


def _aim(target: tuple[str, ...]) -> tuple[str | None, Path | None]:
    urls = [each for each in target if each.startswith(("http://", "https://"))]
    files = [each for each in target if each not in urls]
    if len(urls) > 1 or len(files) > 1:
        raise click.UsageError(f"one URL and one document at most, not {' '.join(target)}")
    return (urls[0] if urls else None), (Path(files[0]) if files else None)
