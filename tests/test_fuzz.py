"""Schemathesis, in process, over the whole document: every check, every phase, bounded to a minute on two cores.

Two halves of the paths, so that two workers share them; `make fuzz` goes further. Campaigns are bounded by cases, so that they
find the same on a slow or busy machine.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator

import pytest

from mockserver import data
from mockserver.app import App, Settings
from mockserver.fuzz.campaign import ADMIN, Outcome, Plan, admin, admin_settings, probing, run
from mockserver.values import Record

SEED = 20260503
EXCEPTIONS = tuple(data.fuzz_exceptions())
LONGEST_S = 240
"""No campaign comes near it, unless something is broken."""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls in process take no proxy, and need not look for one in the environment: a tenth of their time.

    A campaign leaves an application and all cases of Schemathesis behind, in cycles of a hundred megabytes.
    """
    monkeypatch.setenv("no_proxy", "testserver")
    yield
    gc.collect()


def campaign(plan: Plan) -> tuple[App, Outcome]:
    app = App(Settings(strict=True, fixture=str(data.FUZZ_FIXTURE)))
    return app, run(app, app.service.credentials(app.worlds.get("default")), plan)


@pytest.mark.parametrize(("paths", "cases"), [("^/[a-f]", 8000), ("^/[g-z]", 11_000)], ids=["a to f", "g to z"])
def test_every_operation_keeps_the_contract(paths: str, cases: int) -> None:
    phases = ("examples", "coverage")
    plan = Plan(SEED, LONGEST_S, 1, phases=phases, include=paths, operations=EXCEPTIONS, max_cases=cases)
    app, outcome = campaign(plan)
    assert not outcome.errors
    assert not outcome.failures
    assert outcome.operations == {str(each) for each in app.contract.operations if re.match(paths, each.path)}


@pytest.mark.parametrize(("paths", "examples"), [("^/[a-f]", 10), ("^/[g-z]", 5)], ids=["a to f", "g to z"])
def test_sequences_keep_the_contract(paths: str, examples: int) -> None:
    phases = ("fuzzing", "stateful")
    _, outcome = campaign(Plan(SEED, LONGEST_S, examples, phases=phases, include=paths, operations=EXCEPTIONS))
    assert not outcome.errors
    assert not outcome.failures
    assert not outcome.stopped
    assert outcome.transitions > 500
    assert outcome.statuses[200] > 20


def test_identity_is_asked_for_everywhere() -> None:
    app, outcome = campaign(probing(Plan(SEED, LONGEST_S, operations=EXCEPTIONS)))
    assert not outcome.errors
    assert not outcome.failures
    assert len(outcome.operations) > 200
    assert len(outcome.operations) <= len(app.contract.operations)


def test_admin_api_keeps_the_contract() -> None:
    """All of it but what testers set, whose recursive matchers take a campaign of their own: `make fuzz ARGS=--admin`."""
    app = App(admin_settings())
    others = "^/(?!mappings|scenarios|faults)"
    outcome = admin(app, ADMIN, Plan(SEED, LONGEST_S, 1, phases=("examples", "coverage"), include=others))
    assert not outcome.errors
    assert not outcome.failures
    operations = [each for api in app.added if api.base_path == "/__admin" for each in api.contract.operations]
    assert len(outcome.operations) == sum(re.match(others, each.path) is not None for each in operations)


def test_what_testers_set_keeps_the_contract() -> None:
    app = App(admin_settings())
    outcome = admin(app, ADMIN, Plan(SEED, LONGEST_S, phases=("examples",), include="mappings|scenarios|faults"))
    assert not outcome.errors
    assert not outcome.failures
    assert len(outcome.operations) >= 10


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/components/schemas/Mapping/required", True),
        ("/paths/~1mappings/post/requestBody", True),
        ("/components/schemas/ApiKeyList/required", False),
        ("/paths/~1api-keys/get/responses", False),
        ("", False),
    ],
)
def test_check_knows_pointers_into_its_own_document(pointer: str, expected: bool) -> None:
    """A stub may be refused for the served document, of which the admin API's own says nothing."""
    from mockserver.fuzz.checks import _leads_into  # Schemathesis, which few sessions need

    document: Record = {"components": {"schemas": {"Mapping": {}}}, "paths": {"/mappings": {"post": {}}}}
    assert _leads_into(pointer, document) is expected
