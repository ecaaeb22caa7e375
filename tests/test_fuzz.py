"""Schemathesis, in process, over the whole document and the admin API: all phases and checks, bounded to a minute."""

from __future__ import annotations

from mockserver.app import App, Settings
from mockserver.fuzz.campaign import Plan, probing, run
from mockserver.portkey.seeds import admin_key

SEED = 20260503


def campaign(plan: Plan) -> None:
    app = App(Settings(strict=True))
    headers = {"x-portkey-api-key": admin_key(app.worlds.get("default"))}
    outcome = run(app, headers, plan)
    assert not outcome.errors
    assert not outcome.failures
    assert outcome.operations == {str(operation) for operation in app.contract.operations}


def test_every_operation_keeps_the_contract() -> None:
    campaign(Plan(SEED, max_time_s=25, examples=8, phases=("examples", "coverage", "fuzzing")))


def test_sequences_keep_the_contract() -> None:
    app = App(Settings(strict=True))
    outcome = run(
        app, {"x-portkey-api-key": admin_key(app.worlds.get("default"))}, Plan(SEED, max_time_s=20, phases=("stateful",))
    )
    assert not outcome.errors
    assert not outcome.failures
    assert outcome.statuses[200] > 20


def test_identity_is_asked_for_everywhere() -> None:
    campaign(probing(Plan(SEED, max_time_s=20)))
