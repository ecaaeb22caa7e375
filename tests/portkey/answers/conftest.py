"""The document's word on replies, for the tests of this tree."""

from __future__ import annotations

import pytest

from mockserver.app import App
from mockserver.contract.gate import Gate, Validator
from mockserver.values import JSON
from tests.portkey.answers.given import Judge


@pytest.fixture(scope="session")
def faults(shared_app: App) -> Judge:
    """Returns what the document finds wrong with a reply, by the name of its schema."""
    gate, made = Gate(shared_app.document, "reply"), dict[str, Validator]()

    def judge(name: str, reply: JSON) -> list[str]:
        if name not in made:
            made[name] = gate.validator({"$ref": f"#/components/schemas/{name}"})
        return [f"{error.instance_path}: {error.message}" for error in made[name].iter_errors(reply)]

    return judge
