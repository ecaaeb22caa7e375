"""One run of `mockserver fuzz`: a campaign, a replay, or a campaign over the admin API."""

from __future__ import annotations

import difflib
import fnmatch
import logging
import os
import secrets
import socket
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import click
from schemathesis.errors import SchemathesisError

from mockserver import data, values
from mockserver.app import App
from mockserver.contract.operations import Operation
from mockserver.coverage.collecting import Collector
from mockserver.fuzz import campaign as campaigns
from mockserver.fuzz import telling, workers, writing
from mockserver.fuzz.campaign import Plan
from mockserver.fuzz.credentials import Credentials, given
from mockserver.fuzz.failures import Failure
from mockserver.fuzz.progress import Progress
from mockserver.fuzz.replaying import NotARecording, recorded
from mockserver.fuzz.steps import run as send
from mockserver.fuzz.subjects import Aim, Ready, ready
from mockserver.reporting.report import Report
from mockserver.values import Record


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    document: Path | None
    url: str | None
    headers: dict[str, str]
    seed: int | None
    phases: tuple[str, ...]
    checks: tuple[str, ...]
    operations: tuple[str, ...]
    excluded: tuple[str, ...]
    max_seconds: float
    max_cases: int | None
    cases_per_operation: int
    steps: int
    max_response_time: float
    workers: int
    go_on: bool
    show_secrets: bool
    covers: bool


class CannotRun(ValueError):
    """A run that cannot begin."""


@dataclass
class Run:
    """What came of a run; `tests` and `touched` make the texts of further files."""

    report: Report
    tests: Callable[[], str]
    touched: Callable[[], str]


def campaign(options: Options) -> Run:
    """Run a campaign. Raises `CannotRun` and `SetupError`."""
    logging.getLogger("mockserver").setLevel(logging.ERROR)
    aim = Aim(options.document, options.url, options.headers)
    made = ready(aim)
    chosen = _chosen(made.contract.operations, options)
    if options.url:
        _reach(options.url)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    checks = options.checks
    if options.url is None and not aim.is_shipped:
        # The mock of another document takes any credentials: who may call is not written there.
        checks = tuple(check for check in checks if check != "ignored_auth")
    plan = Plan(
        seed,
        options.max_seconds,
        options.cases_per_operation,
        options.steps,
        options.phases,
        operations=aim.exceptions,
        checks=checks,
        max_cases=options.max_cases,
        within_s=options.max_response_time,
        go_on=options.go_on,
    )
    click.echo(f"seed {seed}", err=True)  # before the work, so that it is known whatever happens
    report = _report(options, aim, seed)
    planned = workers.tasks(aim, plan, [str(each) for each in chosen], options.workers, covers=options.covers)
    try:
        with Progress(options.max_seconds, options.max_cases) as progress:
            result = workers.run(planned, progress)
    except SchemathesisError as error:
        raise CannotRun(f"{report.facts['document']} cannot be fuzzed: {' '.join(str(error).split())}") from error
    except BrokenProcessPool as error:
        raise CannotRun("a worker ended before its work did; is there memory enough for --workers?") from error
    telling.summarise(result.outcome, report, made.contract)
    failures = list(result.outcome.failures.values())
    credentials = Credentials(options.headers, options.show_secrets)
    document = report.facts["document"]
    telling.add(failures, report, made.contract, document, made.base_url, credentials, mock=options.url is None)
    return _run(options, report, failures, credentials, seed, made, result.touched)


def replay(options: Options, file: Path) -> Run:
    """Send again what a report holds. Raises `CannotRun` and `SetupError`."""
    logging.getLogger("mockserver").setLevel(logging.ERROR)
    try:
        held = recorded(file)
    except OSError as error:
        raise CannotRun(f"--replay {file}: {error.strerror or error}") from error
    except NotARecording as error:
        raise CannotRun(f"--replay {file}: {error}") from error
    url = options.url or (held.facts.get("url") if options.document is None else None)
    document = options.document or _document(held.facts.get("document"))
    options = replace(options, url=url, document=document)
    aim = Aim(document, url, options.headers)
    made = ready(aim)
    seed = int(held.facts.get("seed", "0"))
    report = _report(options, aim, seed)
    found: list[Failure] = []
    for failure in held.failures:
        operation = made.bench.operation(failure.operation)
        report.case("operations", telling.name(operation) if operation else failure.operation)
        try:
            steps = tuple(given(step, os.environ, options.headers) for step in failure.steps)
        except KeyError as error:
            raise CannotRun(f"--replay {file}: set {error.args[0]} in the environment, or give the header by -H") from error
        answers = send(steps, made.bench.fresh())
        report.count("cases", len(answers))
        wrong = failure.expectation.broken(answers[-1], operation, made.contract)
        if wrong:
            found.append(replace(failure, steps=steps, answer=answers[-1], message=wrong, shown_again=True))
    report.facts["shown again"] = f"{len(found)} of {len(held.failures)}"
    credentials = Credentials(options.headers, options.show_secrets)
    telling.add(found, report, made.contract, report.facts["document"], made.base_url, credentials, mock=url is None)
    return _run(options, report, found, credentials, seed, made, [])


def admin(options: Options) -> Run:
    """Run a campaign over the mock's own admin API."""
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    app = App(campaigns.admin_settings())
    plan = Plan(
        seed, options.max_seconds, options.cases_per_operation, options.steps, options.phases,
        checks=options.checks, max_cases=options.max_cases, go_on=options.go_on,
    )  # fmt: skip
    outcome = campaigns.admin(app, campaigns.ADMIN, plan)
    report = Report("fuzz", "the admin API", ("cases",), {"seed": str(seed), "document": "control/openapi.yaml"})
    credentials = Credentials({}, True)
    failures = list(outcome.failures.values())
    for api in app.added:
        telling.summarise(replace(outcome, errors=[], cases=0), report, api.contract)
    report.count("cases", outcome.cases)
    contract = app.added[0].contract
    for error in outcome.errors:
        report.add("MS-F018", error)
    telling.add(failures, report, contract, "control/openapi.yaml", "http://127.0.0.1:8787/__admin", credentials, mock=True)
    return Run(report, lambda: writing.module(failures, None, None, seed), lambda: "{}\n")


def _run(
    options: Options,
    report: Report,
    failures: list[Failure],
    credentials: Credentials,
    seed: int,
    made: Ready,
    touched: list[Record],
) -> Run:
    shown = [telling.hidden(failure, credentials) for failure in failures]
    document = None if options.document is None else str(options.document)

    def merged() -> str:
        total = Collector(made.contract)
        for each in touched:
            total.merge(each)
        return values.dump(total.touched()).decode() + "\n"

    return Run(report, lambda: writing.module(shown, document, options.url, seed), merged)


def _report(options: Options, aim: Aim, seed: int) -> Report:
    document = data.DOCUMENT.name if aim.document is None else str(aim.document)
    subject = options.url or document
    facts = {"seed": str(seed), "document": document, **({"url": options.url} if options.url else {})}
    if options.workers > 1:
        facts["workers"] = str(options.workers)
    return Report("fuzz", subject, ("cases",), facts)


def _document(told: str | None) -> Path | None:
    return None if told in (None, data.DOCUMENT.name) and not Path(str(told)).exists() else Path(str(told))


def _chosen(operations: list[Operation], options: Options) -> list[Operation]:
    """The operations that were asked for. Raises `CannotRun` for a name of none."""
    for name in (*options.operations, *options.excluded):
        if not any(_means(name, each) for each in operations):
            known = [text for each in operations for text in (each.id, str(each))]
            near = difflib.get_close_matches(name, known, n=3)
            raise CannotRun(f"there is no operation {name!r}" + (f"; near it: {', '.join(near)}" if near else ""))
    chosen = [each for each in operations if not options.operations or any(_means(name, each) for name in options.operations)]
    chosen = [each for each in chosen if not any(_means(name, each) for name in options.excluded)]
    if not chosen:
        raise CannotRun("no operation is left to test")
    return chosen


def _means(name: str, operation: Operation) -> bool:
    return any(name == each or fnmatch.fnmatchcase(each, name) for each in (operation.id, str(operation)))


def _reach(url: str) -> None:
    """Raises `CannotRun` when nothing listens there."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=5).close()
    except (OSError, ValueError) as error:
        raise CannotRun(f"{url} cannot be reached: {getattr(error, 'strerror', None) or error}") from error
