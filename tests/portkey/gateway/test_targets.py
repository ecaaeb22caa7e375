"""What targets inherit and what they make of parameters. Source: gateway-data-plane, Target inheritance."""

from __future__ import annotations

import pytest

from mockserver.portkey.gateway.targets import inherit, shaped
from mockserver.values import Record


@pytest.mark.parametrize(
    ("above", "target", "expected"),
    [
        # Objects of parameters merge, the target's own keys win.
        (
            {"override_params": {"model": "a", "n": 1}},
            {"override_params": {"model": "b"}},
            {"override_params": {"model": "b", "n": 1}},
        ),
        (
            {"override_params": {"stop": {"a": 1}}},
            {"override_params": {"stop": {"b": 2}}},
            {"override_params": {"stop": {"b": 2}}},
        ),
        ({"default_params": {"n": 1}}, {}, {"default_params": {"n": 1}}),
        # What else is inherited is replaced as a whole.
        ({"retry": {"attempts": 3, "on_status_codes": [500]}}, {"retry": {"attempts": 1}}, {"retry": {"attempts": 1}}),
        ({"retry": {"attempts": 3}}, {}, {"retry": {"attempts": 3}}),
        ({"cache": {"mode": "simple", "max_age": 60}}, {"cache": {"mode": "semantic"}}, {"cache": {"mode": "semantic"}}),
        ({"request_timeout": 100}, {"request_timeout": 50}, {"request_timeout": 50}),
        ({"request_timeout": 100}, {}, {"request_timeout": 100}),
        ({"input_guardrails": ["pg-a"]}, {"input_guardrails": ["pg-b"]}, {"input_guardrails": ["pg-b"]}),
        ({"input_guardrails": ["pg-a"]}, {"input_guardrails": []}, {"input_guardrails": []}),
        # Who answers is a target's own affair.
        ({"provider": "openai", "virtual_key": "a", "weight": 1, "name": "x", "strategy": {}, "targets": []}, {}, {}),
    ],
)
def test_target_inherits(above: Record, target: Record, expected: Record) -> None:
    assert inherit(above, target) == expected


def test_inheriting_changes_neither() -> None:
    above, target = {"override_params": {"n": 1}}, {"override_params": {"model": "a"}}
    inherit(above, target)
    assert (above, target) == ({"override_params": {"n": 1}}, {"override_params": {"model": "a"}})


@pytest.mark.parametrize(
    ("body", "target", "expected"),
    [
        ({"model": "a"}, {"override_params": {"model": "b"}}, {"model": "b"}),
        ({"model": "a"}, {"default_params": {"model": "b", "n": 2}}, {"model": "a", "n": 2}),
        ({}, {"default_params": {"n": 2}, "override_params": {"n": 3}}, {"n": 3}),
        ({"n": 1, "user": "x"}, {"drop_params": ["user"]}, {"n": 1}),
        ({"n": 1}, {"override_params": {"user": "x"}, "drop_params": ["user"]}, {"n": 1}),
        ({"n": 1}, {"drop_params": ["nothing", "n.deeper"]}, {"n": 1}),
        (
            {"tools": [{"function": {"name": "f", "strict": True}}, {"function": {"name": "g"}}]},
            {"drop_params": ["tools[*].function.strict"]},
            {"tools": [{"function": {"name": "f"}}, {"function": {"name": "g"}}]},
        ),
        ({"stop": [{"a": 1}, {"a": 2}]}, {"drop_params": ["stop[1].a"]}, {"stop": [{"a": 1}, {}]}),
    ],
)
def test_parameters_are_shaped(body: Record, target: Record, expected: Record) -> None:
    assert shaped(body, target) == expected


def test_shaping_leaves_the_call_as_it_was() -> None:
    body: Record = {"tools": [{"function": {"strict": True}}]}
    shaped(body, {"drop_params": ["tools[*].function.strict"]})
    assert body == {"tools": [{"function": {"strict": True}}]}
