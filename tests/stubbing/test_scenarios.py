"""Scenarios: states that mappings ask for and set, for the world and for single resources."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mockserver.app import App, Settings
from tests.conftest import DOCUMENTS
from tests.stubbing.conftest import Desk

ASK = {"operation": "ask"}


def answers(value: str) -> dict[str, Any]:
    return {"jsonBody": {"id": value}}


def told(desk: Desk, question: str = "why") -> str:
    return str(desk.get(f"/api/v2/desk/{question}").json()["id"])


def loans(desk: Desk, **more: Any) -> None:
    """A book that is lent, then gone."""
    desk.stub(
        request=ASK,
        response=answers("here"),
        scenarioName="book",
        requiredScenarioState="Started",
        newScenarioState="lent",
        **more,
    )
    desk.stub(
        request=ASK,
        response=answers("lent"),
        scenarioName="book",
        requiredScenarioState="lent",
        newScenarioState="gone",
        **more,
    )
    desk.stub(request=ASK, response=answers("gone"), scenarioName="book", requiredScenarioState="gone", **more)


def test_scenario_goes_from_state_to_state(desk: Desk) -> None:
    loans(desk)
    assert [told(desk) for _ in range(4)] == ["here", "lent", "gone", "gone"]


def test_scenario_is_shown_with_its_states(desk: Desk) -> None:
    loans(desk)
    told(desk)
    (scenario,) = desk.admin("GET", "/scenarios")["scenarios"]
    assert (scenario["name"], scenario["state"], scenario["possibleStates"]) == ("book", "lent", ["Started", "lent", "gone"])
    assert len(scenario["mappings"]) == 3


def test_each_resource_has_states_of_its_own(desk: Desk) -> None:
    loans(desk, scenarioKey="question")
    assert [told(desk, "emma"), told(desk, "emma"), told(desk, "persuasion"), told(desk, "emma")] == [
        "here",
        "lent",
        "here",
        "gone",
    ]
    (scenario,) = desk.admin("GET", "/scenarios")["scenarios"]
    assert (scenario["state"], scenario["keys"]) == ("Started", {"emma": "gone", "persuasion": "lent"})


def test_key_may_come_from_the_body(desk: Desk) -> None:
    desk.stub(
        request={"operation": "addMember"}, response={"fall_through": True},
        scenarioName="once", requiredScenarioState="Started", newScenarioState="done", scenarioKey="$.name",
    )  # fmt: skip
    replies = [desk.post("/api/v2/members", {"name": name, "town": "Ely"}) for name in ("Ada", "Ada", "Bob")]
    assert ["x-mock-stub" in reply.headers for reply in replies] == [True, False, True]


def test_state_can_be_set_and_reset(desk: Desk) -> None:
    loans(desk)
    desk.admin("PUT", "/scenarios/book/state", {"state": "gone"})
    assert told(desk) == "gone"
    desk.admin("PUT", "/scenarios/book/state")
    assert told(desk) == "here"
    desk.admin("POST", "/scenarios/reset")
    assert told(desk) == "here"


def test_state_of_a_resource_can_be_set(desk: Desk) -> None:
    loans(desk, scenarioKey="question")
    desk.admin("PUT", "/scenarios/book/state", {"state": "gone", "key": "emma"})
    assert (told(desk, "emma"), told(desk, "other")) == ("gone", "here")


def test_state_that_nobody_names_is_refused(desk: Desk) -> None:
    loans(desk)
    refusal = desk.admin("PUT", "/scenarios/book/state", {"state": "lost"}, 400)
    assert "Started, lent, gone" in refusal["detail"]
    desk.admin("PUT", "/scenarios/none/state", {"state": "lent"}, 404)


def test_states_are_the_world_s(desk: Desk) -> None:
    loans(desk)
    desk.admin("PUT", f"/worlds/{desk.world_name}/snapshots/before")
    assert told(desk) == "here"
    desk.admin("POST", f"/worlds/{desk.world_name}/snapshots/before/restore")
    assert told(desk) == "here"


class Machine(RuleBasedStateMachine):
    """Any mappings over few states do what a dictionary of states does."""

    app: App | None = None

    @initialize(steps=st.dictionaries(st.sampled_from("abc"), st.sampled_from("abc"), min_size=1))
    def begin(self, steps: dict[str, str]) -> None:
        Machine.app = Machine.app or App(Settings(document=DOCUMENTS / "library.yaml"))
        name = f"machine-{uuid.uuid4().hex}"
        self.desk = Desk(Machine.app, name, {"x-library-card": "any", "x-mock-world": name})
        self.steps = {"Started": "a", **steps}
        self.states: dict[str, str] = {}
        for state, following in self.steps.items():
            self.desk.app.control.perform(
                "addMapping",
                self.desk.world,
                {
                    "request": ASK, "response": answers(state), "scenarioName": "s", "scenarioKey": "question",
                    "requiredScenarioState": state, "newScenarioState": following,
                },
            )  # fmt: skip

    @rule(question=st.sampled_from("xyz"))
    def ask(self, question: str) -> None:
        state = self.states.get(question, "Started")
        reply = self.desk.get(f"/api/v2/desk/{question}")
        assert ("x-mock-stub" in reply.headers) == (state in self.steps)
        if state in self.steps:
            assert reply.json()["id"] == state
            self.states[question] = self.steps[state]

    @rule()
    def reset(self) -> None:
        self.desk.app.control.perform("resetScenarios", self.desk.world)
        self.states = {}

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.desk.app.worlds.delete(self.desk.world_name)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
