"""A run as a machine: which status it has for how long, and what leads to the next one.

A move returns changes and writes nothing: a change is a record as it is from now on, and the event that a stream tells it by.
Source of every rule that names none: gateway-data-plane, /threads/.../runs and steps.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import NamedTuple

from mockserver.contract.replies import Reply
from mockserver.portkey import stored
from mockserver.portkey.gateway import afterwards
from mockserver.portkey.records import shown
from mockserver.portkey.runs import steps, turns
from mockserver.portkey.runs.steps import Change
from mockserver.portkey.runs.threads import RUNS
from mockserver.values import JSON, Record
from mockserver.world.world import World

FAMILY = "assistants"
EXPIRES_AFTER_S = 600


class Rule(NamedTuple):
    """How long a status lasts (None: until the run expires), what comes then, and whether the run can be cancelled."""

    lasts_ms: int | None
    then: str
    can_cancel: bool


STATUSES: dict[str, Rule] = {
    "queued": Rule(50, "in_progress", can_cancel=True),
    "in_progress": Rule(150, "what the turn comes to", can_cancel=True),
    "requires_action": Rule(None, "expired", can_cancel=True),
    "cancelling": Rule(50, "cancelled", can_cancel=False),
}
"""Every status that is not the end of a run, which is then active.

Times are *chosen*: long enough for a clock that stands still to show each status, short enough for who polls.
"""

ENDS = ("completed", "incomplete", "failed", "cancelled", "expired")
"""Every other status."""


def new_run(world: World, thread_id: str, assistant: Record, body: Record, call: Record, model: str) -> Record:
    """Return a run as it begins: what the call says goes before what the assistant says. It is not kept yet."""
    now = stored.seconds(world)

    def said(name: str) -> JSON:
        return assistant[name] if body.get(name) is None else body[name]

    instructions = "\n".join(each for each in (said("instructions"), body.get("additional_instructions")) if each)
    return {
        "id": stored.new_id(world, "run_"),
        "object": "thread.run",
        "created_at": now,
        "thread_id": thread_id,
        "assistant_id": assistant["id"],
        "status": "queued",
        "started_at": None,
        "expires_at": now + EXPIRES_AFTER_S,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "required_action": None,
        "last_error": None,
        "incomplete_details": None,
        "model": model,
        "instructions": instructions,
        "tools": said("tools"),
        "metadata": body.get("metadata") or {},
        "usage": None,
        "temperature": said("temperature"),
        "top_p": said("top_p"),
        "max_prompt_tokens": body.get("max_prompt_tokens"),
        "max_completion_tokens": body.get("max_completion_tokens"),
        "truncation_strategy": {"type": "auto", "last_messages": None, **(body.get("truncation_strategy") or {})},
        "tool_choice": body.get("tool_choice") or "auto",
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "response_format": said("response_format"),
        "_active": thread_id,
        "_at": world.clock.timestamp(),
        "_call": call,
        "_resources": assistant["tool_resources"],
        "_said": [],
        "_used": [0, 0],
        "_turn": None,
        "_step": None,
        "_message": None,
        "_told": None,
        "_stopped_s": None,
    }


def active(world: World, thread_id: str) -> Record | None:
    """Return the run that a thread is busy with, or None."""
    return next(iter(world[RUNS].page(0, 1, _active=thread_id)[0]), None)


def due(world: World, run_id: str) -> None:
    """Let happen what is due of a run."""
    run = world[RUNS].get(run_id)
    if run is None or run["status"] not in STATUSES:
        return
    at = stored.seconds(world)
    is_over = at >= run["expires_at"] and run["status"] != "cancelling"
    move(world, (expired if is_over else _MOVES[run["status"]])(world, run, at))


def move(world: World, changes: list[Change], then_at_s: float | None = None) -> Record:
    """Write changes, put what comes next on the agenda, bill a run that has come to its end; return the run.

    `then_at_s` is when the next move is due, where it is not due by the table.
    """
    run: Record = {}
    for change in changes:
        if change.collection:
            records = world[change.collection]
            (records.replace if change.record["id"] in records else records.add)(change.record)
        if change.collection == RUNS:
            run = change.record
    if run["status"] in STATUSES:
        at_s = next_at_s(world, run) if then_at_s is None else then_at_s
        world.agenda.put(FAMILY, run["id"], min(at_s, run["expires_at"]) if run["status"] != "cancelling" else at_s)
    else:
        world.agenda.drop(FAMILY, run["id"])
        status = (run["_turn"] or {}).get("error", {}).get("status", 200) if run["status"] == "failed" else 200
        usage = run["usage"]
        reply = Reply(status, shown(run))
        afterwards.bill(run["_call"], world, run["model"], usage["prompt_tokens"], usage["completion_tokens"], reply)
    return run


def next_at_s(world: World, run: Record) -> float:
    """Return when a run that has just changed changes again, in seconds since the epoch, to the millisecond."""
    lasts_ms = STATUSES[run["status"]].lasts_ms
    if lasts_ms is None:
        return float(run["expires_at"])
    slow_ms = run["_turn"]["pace"].get("delay_ms", 0) if run["status"] == "in_progress" else 0
    return after(world, lasts_ms + slow_ms)


def after(world: World, ms: float) -> float:
    """Return the time in so many milliseconds, as the agenda keeps it."""
    return floor(world.clock.seconds() * 1000 + ms) / 1000


def begun(world: World, run: Record, at: int) -> list[Change]:
    """queued → in_progress: the model is asked, and the step of its answer begins. Draws ids, and counts scripts."""
    turn = turns.taken(world, run)
    run = {**run, "status": "in_progress", "started_at": run["started_at"] or at}
    run |= {"_turn": turn, "_step": None, "_message": None, "_told": None}
    changes = [Change(RUNS, run, "thread.run.in_progress")]
    for call in turn["hosted"]:
        changes += steps.hosted(world, run, call, at)
    if "calls" in turn and turn["reason"] != "length":
        opened, run["_step"] = steps.opened_calls(world, run)
        changes += opened
    elif "text" in turn or "refusal" in turn:
        opened, run["_step"], run["_message"] = steps.opened_message(world, run)
        changes += opened
    return changes


def ended(world: World, run: Record, at: int) -> list[Change]:
    """in_progress → what the turn comes to: an answer, calls of functions, a limit, or a failure."""
    turn = run["_turn"]
    run = {**run, "_used": [mine + new for mine, new in zip(run["_used"], turn["usage"], strict=True)]}
    if "error" in turn:
        error = {"code": turn["error"]["code"], "message": turn["error"]["message"]}
        told = {"type": turn["error"]["code"], "param": None, **error}
        over = _over(run, "failed", at, "failed_at", last_error=error)
        return [*steps.stopped(world, run, "failed", at), over, Change("", told, "error")]
    if "limit" in turn:
        return [_over(run, "incomplete", at, incomplete_details={"reason": turn["limit"]})]
    if run["_step"] is None:
        return [_over(run, "incomplete", at, incomplete_details={"reason": "max_completion_tokens"})]
    if "calls" in turn:
        asked = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": turn["calls"]}}
        run |= {"status": "requires_action", "required_action": asked}
        return [*steps.called(world, run), Change(RUNS, run, "thread.run.requires_action")]
    changes = steps.written(world, run, at)
    if turn["reason"] == "length":
        return [*changes, _over(run, "incomplete", at, incomplete_details={"reason": "max_completion_tokens"})]
    if turn["reason"] == "content_filter":
        return [*changes, _over(run, "incomplete", at, incomplete_details={})]
    return [*changes, _over(run, "completed", at, "completed_at")]


def resumed(world: World, run: Record, outputs: dict[str, str], at: int) -> list[Change]:
    """requires_action → queued, with what the functions have told, by the ids of their calls."""
    calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    said = [{"role": "assistant", "content": None, "tool_calls": calls}]
    said += [{"role": "tool", "tool_call_id": call["id"], "content": outputs[call["id"]]} for call in calls]
    run = {**run, "status": "queued", "required_action": None, "_said": [*run["_said"], *said]}
    return [*steps.told(world, run, outputs, at), Change(RUNS, run, "thread.run.queued")]


def stopped(world: World, run: Record, at: int) -> list[Change]:
    """queued, in_progress, requires_action → cancelling."""
    run = {**run, "status": "cancelling", "required_action": None, "_stopped_s": world.clock.seconds()}
    return [Change(RUNS, run, "thread.run.cancelling")]


def cancelled(world: World, run: Record, at: int) -> list[Change]:
    """cancelling → cancelled; what was on its way is not paid, and only said as far as a stream has told it (*chosen*)."""
    return [*steps.stopped(world, run, "cancelled", at), _over(run, "cancelled", at, "cancelled_at")]


def expired(world: World, run: Record, at: int) -> list[Change]:
    """Any but cancelling → expired, ten minutes after the run was made."""
    run = {**run, "_stopped_s": at}
    return [*steps.stopped(world, run, "expired", at), _over({**run, "required_action": None}, "expired", at)]


def _over(run: Record, status: str, at: int, when: str | None = None, **more: object) -> Change:
    prompt, completion = run["_used"]
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    over = {**run, "status": status, "usage": usage, "_active": None, **({when: at} if when else {}), **more}
    return Change(RUNS, over, f"thread.run.{status}")


_MOVES: dict[str, Callable[[World, Record, int], list[Change]]] = {
    "queued": begun,
    "in_progress": ended,
    "requires_action": expired,
    "cancelling": cancelled,
}
"""What happens when the time of a status is over."""
