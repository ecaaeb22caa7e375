"""A campaign: phases and checks of Schemathesis over a document, against an application in process or a URL."""

from __future__ import annotations

import asyncio
import copy
import re
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from mockserver.app import App, Settings
from mockserver.contract.operations import Operation, read_operations
from mockserver.fuzz.failures import Failure, Key, Makers, failures
from mockserver.fuzz.links import add_links
from mockserver.values import Record

PHASES = ("examples", "coverage", "fuzzing", "stateful")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
)
"""Schemathesis's checks, but for those that need settings of their own."""


_MOST_STEPS = 12


@dataclass
class Outcome:
    """What a campaign found; `errors` are what kept it from testing, `stopped` is why it ended early, empty when it did not."""

    seed: int
    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    failures: dict[Key, Failure] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    stopped: str = ""
    transitions: int = 0

    @property
    def kept(self) -> bool:
        """Whether something was tested and nothing failed."""
        return self.cases > 0 and not self.failures and not self.errors

    def add(self, other: Outcome) -> None:
        """Take up what another campaign found; of two failures that are the same, the smaller one stays."""
        self.cases += other.cases
        self.statuses += other.statuses
        self.operations |= other.operations
        for failure in other.failures.values():
            self.take(failure)
        self.errors += [each for each in other.errors if each not in self.errors]
        self.stopped = self.stopped or other.stopped
        self.transitions = max(self.transitions, other.transitions)

    def take(self, failure: Failure) -> None:
        """Take up a failure, unless a smaller one shows the same."""
        known = self.failures.get(failure.key)
        if known is None:
            self.failures[failure.key] = failure
            return
        better, other = sorted((failure, known), key=lambda each: (not each.shown_again, each.size))
        by_length = {len(steps): steps for steps in (*other.others, *better.others, other.steps) if len(steps) <= _MOST_STEPS}
        self.failures[failure.key] = replace(better, others=tuple(by_length.values()))

    def settle(self) -> None:
        """Leave out what another failure says as well: that a failure of the service is not documented."""
        for key in [key for key in self.failures if key.code == "MS-F002" and key._replace(code="MS-F001") in self.failures]:
            del self.failures[key]


@dataclass(frozen=True)
class Plan:
    """How a campaign goes: seconds and cases at most, cases for each operation and phase, steps of a sequence.

    `include` is a regular expression of paths to keep to, `selected` the operations to test, None for all. `probe_identity`
    has every case called again with no and with wrong credentials, which takes three times as long: a campaign of its own
    does that, see `probing`. `within_s` is how long an answer may take, 0 for any time.
    """

    seed: int
    max_time_s: float = 60
    examples: int = 20
    steps: int = 6
    phases: tuple[str, ...] = PHASES
    include: str | None = None
    probe_identity: bool = False
    operations: tuple[Any, ...] = ()
    """Settings of single operations, in Schemathesis's own form; each with its reason beside it."""
    selected: frozenset[str] | None = None
    checks: tuple[str, ...] = CHECKS
    max_cases: int | None = None
    within_s: float = 0.0
    go_on: bool = True
    """Whether an operation is tested further once it has failed."""


Witness: TypeAlias = Callable[[Any, Any], None]
"""Is told of every call of a campaign: the request of `requests`, the response of Schemathesis."""


@dataclass(frozen=True)
class Subject:
    """What is fuzzed: a document, and who serves it: an application in process, or a URL below which its paths are."""

    document: Record
    app: Any = None
    url: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def base_path(self, schema: Any) -> str:
        """The path before those of the document."""
        return urlsplit(self.url).path if self.url else str(schema.base_path)


def probing(plan: Plan) -> Plan:
    """Return the plan of the campaign that tests identity: the examples, called with wrong credentials too."""
    return replace(plan, phases=("examples",), probe_identity=True, checks=("ignored_auth",))


def run(
    app: App,
    headers: dict[str, str],
    plan: Plan,
    progress: Callable[[Outcome], None] = lambda _: None,
    document: Record | None = None,
) -> Outcome:
    """Run a campaign with these headers on every call, over the document that is served unless another is given."""
    return attack(Subject(app.document if document is None else document, app, None, headers), plan, progress)


def attack(
    subject: Subject,
    plan: Plan,
    progress: Callable[[Outcome], None] = lambda _: None,
    witness: Witness | None = None,
) -> Outcome:
    """Run a campaign."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Schemathesis's and its dependencies' own
        return _Campaign(subject, plan, progress, witness).run()


class _Campaign:
    def __init__(self, subject: Subject, plan: Plan, progress: Callable[[Outcome], None], witness: Witness | None) -> None:
        self.subject = subject
        self.plan = plan
        self.progress = progress
        self.witness = witness
        self.outcome = Outcome(plan.seed)
        self.until_s = time.perf_counter() + plan.max_time_s
        self.stream: Any = None
        self.base_path = ""
        self.makers = Makers()

    def run(self) -> Outcome:
        for event in self.events():
            self.take(event)
            self.progress(self.outcome)
        self.outcome.settle()
        return self.outcome

    def events(self) -> Iterator[Any]:
        import schemathesis
        from schemathesis.engine import from_schema

        from mockserver.fuzz import checks  # noqa: F401  # registers our own checks

        # A copy: Schemathesis may write into what it is given, and the application serves from it.
        document = _by_event(_restricted(copy.deepcopy(self.subject.document), self.plan.include))
        operations, _ = read_operations(document)
        if not operations:
            return
        if "stateful" in self.plan.phases:
            add_links(document, operations)
        config = schemathesis.Config.from_dict(_config(self.plan, self.subject, operations))
        schema: Any = schemathesis.openapi.from_dict(document, config=config)
        schema.app = self.subject.app
        schema.hooks.register_hook_with_name(self.after_call, "after_call")
        self.base_path = self.subject.base_path(schema)
        self.stream = from_schema(schema).execute()
        yield from self.stream

    def after_call(self, context: Any, case: Any, response: Any) -> None:
        """Count a call, and stop where the plan says so."""
        outcome, plan = self.outcome, self.plan
        outcome.cases += 1
        outcome.statuses[response.status_code] += 1
        outcome.operations.add(case.operation.label)
        if self.witness is not None:
            self.witness(response.request, response)
        if plan.max_cases is not None and outcome.cases >= plan.max_cases:
            self.stop("the limit of cases")
        elif time.perf_counter() > self.until_s:
            self.stop("the limit of time")
        if not outcome.cases % 50:
            self.progress(outcome)

    def stop(self, why: str) -> None:
        self.outcome.stopped = why
        self.stream.stop()

    def take(self, event: Any) -> None:
        kind, outcome = type(event).__name__, self.outcome
        recorder = getattr(event, "recorder", None)
        if recorder is not None:
            for failure in failures(recorder, self.base_path, self.plan.within_s, self.makers):
                outcome.take(failure)
        elif kind == "PhaseStarted" and (payload := event.payload) is not None:
            outcome.transitions = max(outcome.transitions, payload.transitions_selected)
        elif kind in ("NonFatalError", "FatalError"):
            label = f"{event.label}: " if getattr(event, "label", "") else ""
            what = getattr(event, "value", None) or getattr(event, "exception", event)
            if isinstance(what, OSError):  # of `requests`: no answer came, which is a failure with a record of its own
                return
            outcome.errors.append(f"{label}{what}"[:2000])


def _config(plan: Plan, subject: Subject, operations: list[Operation]) -> Record:
    off = [] if plan.selected is None else [str(each) for each in operations if str(each) not in plan.selected]
    accepts = "positive_data_acceptance" in plan.checks
    checks = {name: {"enabled": name in plan.checks} for name in CHECKS}
    return {
        "seed": plan.seed,
        "continue-on-failure": plan.go_on,
        "headers": subject.headers,
        "cache": {"enabled": False},
        "suppress-health-check": ["all"],
        **({"base-url": subject.url} if subject.url else {}),
        "request-timeout": 10,
        "generation": {
            "mode": "all",
            "max-examples": plan.examples,
            "database": "none",
            # A text with NUL is refused whatever the schema says: databases behind real services do the same.
            "allow-x00": False,
        },
        "phases": {
            **{phase: {"enabled": phase in plan.phases} for phase in PHASES},
            "stateful": {"enabled": "stateful" in plan.phases, "max-steps": plan.steps},
        },
        "checks": {
            **checks,
            # In process `acceptance` is in its place, see checks.py: the mock says which rule a refusal is by.
            "positive_data_acceptance": {"enabled": accepts and subject.url is not None},
            "acceptance": {"enabled": accepts and subject.url is None},
            "ignored_auth": {"enabled": plan.probe_identity},
            **({"max_response_time": plan.within_s} if plan.within_s else {}),
        },
        "operations": [*({"include-name": each, "enabled": False} for each in off), *plan.operations, *_lasting(operations)],
    }


def _lasting(operations: list[Operation]) -> Iterator[Record]:
    """Exceptions for records that a DELETE changes, and leaves to be read, as the document says by `x-resource`."""
    overruled = {each.path: each.spec.get("x-resource") for each in operations if each.method == "delete"}
    lasting = [path for path, said in overruled.items() if isinstance(said, dict) and said.get("role", "delete") != "delete"]
    for each in operations:
        if each.path in lasting or each.path.startswith(tuple(f"{path}/" for path in lasting)):
            yield {"include-name": str(each), "checks": {"use_after_free": {"enabled": False}}}


ADMIN = {"Authorization": "Bearer fuzz"}
"""The headers of a campaign over the admin API."""


ADMIN_EXCEPTIONS: tuple[Record, ...] = (
    # A world is there again as soon as anybody calls it, and who reads a world without naming one calls the default world.
    {"include-name": "DELETE /worlds/{world}", "checks": {"use_after_free": {"enabled": False}}},
    {"include-name": "GET /worlds/{world}", "checks": {"use_after_free": {"enabled": False}}},
)
"""Where checks cannot be right about single operations of it, in Schemathesis's own form."""


def admin_settings() -> Settings:
    """What a server is made with for such a campaign.

    `testserver` is how Schemathesis calls what it calls in process. Waits are cut short: nothing comes in a campaign.
    """
    return Settings(strict=True, admin_token="fuzz", admin_hosts=("testserver",), journal=50, longest_wait_s=0.01)


def admin(app: App, headers: dict[str, str], plan: Plan, progress: Callable[[Outcome], None] = lambda _: None) -> Outcome:
    """Run both campaigns over each document of the admin API, as one, on a server that was called before."""
    credentials = app.service.credentials(app.worlds.get("default"))
    for operation in app.contract.operations:
        asyncio.run(_call(app, operation.path, credentials))
    outcome = Outcome(plan.seed)
    for document in app.admin_documents:
        outcome.add(both(app, headers, replace(plan, operations=ADMIN_EXCEPTIONS), progress, document))
    return outcome


async def _call(app: App, path: str, headers: dict[str, str]) -> None:
    """Call something, whatever comes of it."""
    told = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": told}

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(_: Any) -> None:
        """Nobody listens."""

    await app(scope, receive, send)


def both(
    app: App,
    headers: dict[str, str],
    plan: Plan,
    progress: Callable[[Outcome], None] = lambda _: None,
    document: Record | None = None,
) -> Outcome:
    """Run the campaign and the one that tests identity, as one."""
    outcome = run(app, headers, plan, progress, document)
    outcome.add(run(app, headers, probing(plan), document=document))
    return outcome


def _restricted(document: Record, include: str | None) -> Record:
    """The document with those paths alone that match, and the links between them."""
    if include is None:
        return document
    document["paths"] = {path: item for path, item in document["paths"].items() if re.search(include, path)}
    operations = [each for item in document["paths"].values() for each in item.values() if isinstance(each, dict)]
    kept = {operation.get("operationId") for operation in operations}
    for operation in operations:
        for response in (operation.get("responses") or {}).values():
            links = response.get("links") or {}
            response["links"] = {name: link for name, link in links.items() if link.get("operationId") in kept}
    return document


EVENT = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}, "event": {"type": "string"}}}


def _by_event(document: Record) -> Record:
    """The document with a schema of one event where an answer is a stream of events.

    The document says of a stream that it is a text; Schemathesis takes what is said there as said of every event, parsed.
    """
    for item in document["paths"].values():
        for operation in (each for each in item.values() if isinstance(each, dict)):
            for response in (operation.get("responses") or {}).values():
                stream = (response.get("content") or {}).get("text/event-stream", {})
                if stream.get("schema") == {"type": "string"}:
                    stream["schema"] = EVENT
    return document
