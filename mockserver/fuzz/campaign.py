"""A campaign: all phases and all checks of Schemathesis over the whole document, against an application in process."""

from __future__ import annotations

import asyncio
import copy
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.app import App, Settings
from mockserver.values import Record

PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass
class Outcome:
    """What a campaign found: `failures` with a call that shows each; `errors` are what kept it from testing."""

    seed: int
    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    stopped: str = ""

    @property
    def kept(self) -> bool:
        """Whether something was tested and nothing failed."""
        return self.cases > 0 and not self.failures and not self.errors


@dataclass(frozen=True)
class Plan:
    """How a campaign goes: seconds at most, cases for each operation, steps of a sequence, paths to keep to.

    `probe_identity` has every case called again with no and with wrong credentials, which takes three times as long: a
    campaign of its own does that, see `probing`.
    """

    seed: int
    max_time_s: int = 60
    examples: int = 20
    steps: int = 6
    phases: tuple[str, ...] = PHASES
    include: str | None = None
    probe_identity: bool = False
    operations: tuple[Any, ...] = ()
    """Settings of single operations, in Schemathesis's own form; each with its reason beside it."""


def probing(plan: Plan) -> Plan:
    """Return the plan of the campaign that tests identity: the examples, called with wrong credentials too."""
    return replace(plan, phases=("examples",), probe_identity=True)


def run(
    app: App,
    headers: dict[str, str],
    plan: Plan,
    progress: Callable[[Outcome], None] = lambda _: None,
    document: Record | None = None,
) -> Outcome:
    """Run a campaign with these headers on every call, over the document that is served unless another is given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Schemathesis's and its dependencies' own
        outcome = Outcome(plan.seed)
        for event in _events(app, headers, plan, app.document if document is None else document):
            _take(event, outcome)
            progress(outcome)
    return outcome


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
        _add(outcome, both(app, headers, replace(plan, operations=ADMIN_EXCEPTIONS), progress, document))
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


def _add(outcome: Outcome, other: Outcome) -> None:
    outcome.cases += other.cases
    outcome.statuses += other.statuses
    outcome.operations |= other.operations
    outcome.failures |= other.failures
    outcome.errors += other.errors


def both(
    app: App,
    headers: dict[str, str],
    plan: Plan,
    progress: Callable[[Outcome], None] = lambda _: None,
    document: Record | None = None,
) -> Outcome:
    """Run the campaign and the one that tests identity, as one."""
    outcome = run(app, headers, plan, progress, document)
    _add(outcome, run(app, headers, probing(plan), document=document))
    return outcome


def _events(app: App, headers: dict[str, str], plan: Plan, document: Record) -> Iterator[Any]:
    import schemathesis
    from schemathesis.engine import from_schema

    from mockserver.fuzz import checks  # noqa: F401  # registers our own checks

    config = schemathesis.Config.from_dict(
        {
            "seed": plan.seed,
            "max-time": plan.max_time_s,
            "continue-on-failure": True,
            "headers": headers,
            "cache": {"enabled": False},
            "suppress-health-check": ["all"],
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
                # `acceptance` is in its place, see checks.py.
                "positive_data_acceptance": {"enabled": False},
                "ignored_auth": {"enabled": plan.probe_identity},
            },
            "operations": list(plan.operations),
        }
    )
    # A copy: Schemathesis may write into what it is given, and the application serves from it.
    schema: Any = schemathesis.openapi.from_dict(_by_event(_restricted(copy.deepcopy(document), plan.include)), config=config)
    schema.app = app
    yield from from_schema(schema).execute()


def _restricted(document: Record, include: str | None) -> Record:
    """The document with those paths alone that match, and the links between them.

    Schemathesis's own filter is lost as soon as single operations have settings.
    """
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
            for response in operation.get("responses", {}).values():
                stream = response.get("content", {}).get("text/event-stream", {})
                if stream.get("schema") == {"type": "string"}:
                    stream["schema"] = EVENT
    return document


def _answer(recorder: Any, case_id: str) -> str:
    response = getattr(recorder.interactions.get(case_id), "response", None)
    if response is None:
        return "was not answered"
    return f"was answered {response.status_code} {response.content.decode('utf-8', 'replace')[:1000]}"


def _take(event: Any, outcome: Outcome) -> None:
    kind = type(event).__name__
    recorder = getattr(event, "recorder", None)
    if recorder is not None:
        outcome.cases += len(recorder.interactions)
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                outcome.statuses[interaction.response.status_code] += 1
            outcome.operations.add(recorder.cases[case_id].value.operation.label)
        for case_id, nodes in recorder.checks.items():
            for failed in (node.failure_info for node in nodes if node.failure_info is not None):
                key = f"{failed.failure.operation}: {failed.failure.title}: {failed.failure.message[:200]}"
                outcome.failures.setdefault(key, f"{failed.code_sample}\n{_answer(recorder, case_id)}")
    elif kind in ("NonFatalError", "FatalError"):
        outcome.errors.append(str(getattr(event, "value", None) or getattr(event, "exception", event))[:2000])
    elif kind == "EngineFinished":
        outcome.stopped = str(getattr(event, "stop_reason", ""))
