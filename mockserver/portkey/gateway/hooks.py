"""Guardrails at work: which apply to a call, what they find, and whether they deny.

Source: gateway-data-plane, Guardrails (forms, which calls, the table of cases, the shape of results).
"""

from __future__ import annotations

from typing import NamedTuple

from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.portkey.gateway.verdicts import CheckFailed, Subject, check
from mockserver.portkey.records import named
from mockserver.values import JSON, Record
from mockserver.world.world import World

INPUT_KINDS = frozenset({"chatComplete", "complete", "embed", "createModelResponse"})
OUTPUT_KINDS = INPUT_KINDS - {"embed"}
"""Kinds of calls that guardrails run on: never audio, images, files, assistants, moderations, models."""

_GUARDRAIL_KEYS = frozenset(
    {
        "deny", "async", "id", "sequential", "on_fail", "on_success", "type", "name", "checks", "is_enabled", "soft_deny_200",
        "message",
    }
)  # fmt: skip


class Guardrail(NamedTuple):
    """A guardrail as it runs. `feedback` is what it gives to the trace, by whether it passed.

    `words` are what it has the model say instead of denying, None for one that denies.
    """

    id: str
    checks: list[Record]
    deny: bool
    is_async: bool
    feedback: dict[bool, Record | None]
    words: str | None


class Findings(NamedTuple):
    """What the guardrails of one side found.

    Results as replies show them, whether any failed, whether one denied; and the feedback of all, asynchronous ones included.
    `words` are what is answered when all that denied did so softly.
    """

    results: list[Record]
    failed: bool
    denied: bool
    feedback: list[Record]
    words: str | None = None


NOTHING = Findings([], False, False, [])

REFUSAL = "The guardrail checks defined in the config failed. You can find more information in the `hook_results` object."


def guardrails(target: Record, side: str, workspace: Record | None, world: World) -> list[Guardrail]:
    """Return the guardrails of a target for `input` or `output`, then those that are a workspace's default.

    Fails: `invalid-request` for a saved one that is not there. Forms: a slug, a shorthand of checks by name, or raw hooks
    (`before_request_hooks`, `after_request_hooks`).
    """
    raw = "before_request_hooks" if side == "input" else "after_request_hooks"
    defaults = ((workspace or {}).get("_wire") or {}).get("defaults") or {}
    if not (target.get(f"{side}_guardrails") or target.get(raw) or defaults.get(f"{side}_guardrails")):
        return []
    said = [(each, f"{side}_guardrail_{at:03d}") for at, each in enumerate(target.get(f"{side}_guardrails") or ())]
    said += [
        (each, f"{raw}_{at}")
        for at, each in enumerate(target.get(raw) or ())
        if isinstance(each, str) or each.get("type") == "guardrail"
    ]
    found = _found(said, "Following guardrails are not valid", world)
    by_default = [(each, "") for each in defaults.get(f"{side}_guardrails") or ()]
    return found + _found(by_default, "Following default guardrails are not valid", world)


def _found(said: list[tuple[JSON, str]], refusal: str, world: World) -> list[Guardrail]:
    """Guardrails by slug, or written out with a name for each."""
    found, unknown = [], []
    for each, name in said:
        if not isinstance(each, str):
            found.append(_inline(each, name))
        elif (saved := named(world, "guardrails", each)) is not None:
            found.append(_saved(saved))
        else:
            unknown.append(each)
    if unknown:
        raise Problem(INVALID_REQUEST, f"{refusal}: {', '.join(unknown)}")
    return found


def run(rails: list[Guardrail], subject: Subject, at: str) -> Findings:
    """Run guardrails at a time; asynchronous ones give feedback alone, and neither fail nor deny."""
    results = [_result(rail, subject, at) for rail in rails]
    shown = [result for result in results if not result["async"]]
    failed = [result for result in shown if not result["verdict"]]
    given = [result["feedback"] for result in results if result["feedback"] is not None]
    denying = [rail.words for rail, result in zip(rails, results, strict=True) if result["deny"] and not result["async"]]
    words = denying[0] if denying and None not in denying else None
    return Findings(shown, bool(failed), bool(denying), given, words)


def _result(rail: Guardrail, subject: Subject, at: str) -> Record:
    checks: list[Record] = []
    for each in rail.checks:
        if each.get("is_enabled", True):
            checks.append(_checked(each, subject, at))
    # A check that could not be made does not fail its guardrail, unless it says so.
    verdict = all(each["verdict"] or ("error" in each and not each["fail_on_error"]) for each in checks)
    given = rail.feedback[verdict]
    return {
        "verdict": verdict,
        "id": rail.id,
        "transformed": False,
        "checks": checks,
        "feedback": None if given is None else _feedback(given, checks),
        "execution_time": 0,
        "async": rail.is_async,
        "type": "guardrail",
        "created_at": at,
        "deny": rail.deny and not verdict,
    }


def _checked(each: Record, subject: Subject, at: str) -> Record:
    name, parameters = str(each.get("id", "")), each.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    result: Record = {
        "data": None,
        "verdict": False,
        "id": name,
        "execution_time": 0,
        "transformed": False,
        "created_at": at,
        "log": None,
        "fail_on_error": bool(parameters.get("failOnError")),
    }
    try:
        verdict = check(name, subject, parameters)
    except CheckFailed as error:
        return result | {"error": {"name": "Error", "message": str(error)}}
    return result | {"verdict": verdict.passed, "data": verdict.data}


def _feedback(given: Record, checks: list[Record]) -> Record:
    def names(*, passed: bool) -> str:
        return ",".join(each["id"] for each in checks if "error" not in each and each["verdict"] is passed)

    metadata = {
        "successfulChecks": names(passed=True),
        "failedChecks": names(passed=False),
        "erroredChecks": ",".join(each["id"] for each in checks if "error" in each),
    }
    said, weight = given.get("metadata"), given.get("weight")
    return {
        "value": given["value"],
        "weight": weight if _is_number(weight) else 1,
        "metadata": {**(said if isinstance(said, dict) else {}), **metadata},
    }


def _saved(record: Record) -> Guardrail:
    """A guardrail of the control plane: asynchronous and not denying unless it says otherwise."""
    return _made(record["slug"], record["checks"], record["actions"] or {}, is_async=True)


def _inline(said: Record, name: str) -> Guardrail:
    """One that is written out: as a list of checks, or checks by name with their parameters, `default.` left out if wished."""
    listed = said.get("checks")
    if isinstance(listed, list):
        checks = [each for each in listed if isinstance(each, dict)]
    else:
        checks = [
            {"id": key if "." in key else f"default.{key}", "parameters": value if isinstance(value, dict) else {}}
            for key, value in said.items()
            if key not in _GUARDRAIL_KEYS
        ]
    return _made(str(said.get("id") or name), checks, said, is_async=False)


def _made(name: str, checks: list[Record], actions: Record, *, is_async: bool) -> Guardrail:
    feedback = {passed: _given(actions.get("on_success" if passed else "on_fail")) for passed in (True, False)}
    is_soft, message = actions.get("soft_deny_200") is True, actions.get("message")
    denies = bool(actions.get("deny")) or actions.get("on_fail") == "deny" or is_soft
    words = (message if isinstance(message, str) and message else REFUSAL) if is_soft else None
    return Guardrail(name, checks, denies, bool(actions.get("async", is_async)), feedback, words)


def _given(action: JSON) -> Record | None:
    feedback = action.get("feedback", action) if isinstance(action, dict) else None
    return feedback if isinstance(feedback, dict) and _is_number(feedback.get("value")) else None


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
