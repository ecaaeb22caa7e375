"""The steps of a run, and the message that one of them writes: how they open, and how they close.

Source of every rule that names none: gateway-data-plane, /threads/.../runs and steps.
"""

from __future__ import annotations

from typing import NamedTuple

from mockserver.portkey import stored
from mockserver.portkey.answers import tokens
from mockserver.portkey.runs.threads import MESSAGES, STEPS, new_message, text_part
from mockserver.values import Record
from mockserver.world.world import World


class Change(NamedTuple):
    """A record as it is from now on, and the event that tells of it; no collection for an event that is no record."""

    collection: str
    record: Record
    event: str = ""


def new_step(world: World, run: Record, details: Record) -> Record:
    """Return a step of a run that has just begun."""
    return {
        "id": stored.new_id(world, "step_"),
        "object": "thread.run.step",
        "created_at": stored.seconds(world),
        "run_id": run["id"],
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "type": details["type"],
        "status": "in_progress",
        "step_details": details,
        "last_error": None,
        "expired_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "metadata": {},
        "usage": None,
        "_at": world.clock.timestamp(),
    }


def opened_calls(world: World, run: Record) -> tuple[list[Change], str]:
    """Open the step of a turn that calls functions; return its id as well."""
    step = new_step(world, run, {"type": "tool_calls", "tool_calls": []})
    return _opened(STEPS, step, "thread.run.step"), step["id"]


def opened_message(world: World, run: Record) -> tuple[list[Change], str, str]:
    """Open the step of a turn that answers, and the message; return the ids of both as well."""
    message = new_message(world, run["thread_id"], "assistant", [])
    message |= {"status": "in_progress", "assistant_id": run["assistant_id"], "run_id": run["id"]}
    message["_at"] = world.clock.timestamp()
    step = new_step(world, run, {"type": "message_creation", "message_creation": {"message_id": message["id"]}})
    changes = _opened(STEPS, step, "thread.run.step") + _opened(MESSAGES, message, "thread.message")
    return changes, step["id"], message["id"]


def hosted(world: World, run: Record, call: Record, at: int) -> list[Change]:
    """The whole step of a tool that the provider has itself: it takes no time (*chosen*)."""
    step = new_step(world, run, {"type": "tool_calls", "tool_calls": []})
    done = {**step, "status": "completed", "completed_at": at, "step_details": {"type": "tool_calls", "tool_calls": [call]}}
    done["usage"] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return [
        *_opened(STEPS, step, "thread.run.step"),
        Change("", call_delta(step["id"], [{"index": 0, **_begun(call)}]), "thread.run.step.delta"),
        Change(STEPS, done, "thread.run.step.completed"),
    ]


def _begun(call: Record) -> Record:
    """A call of the provider's tool as a stream tells it: a search shows what it found at the end."""
    if call["type"] == "file_search":
        return {**call, "file_search": {}}
    code = call["code_interpreter"]
    outputs = [{"index": index, **output} for index, output in enumerate(code["outputs"])]
    return {**call, "code_interpreter": {**code, "outputs": outputs}}


def called(world: World, run: Record) -> list[Change]:
    """The step of a turn, with the functions that it calls; it goes on until they are answered."""
    step = _step(world, run)
    calls = [_shown_call(call, None) for call in run["_turn"]["calls"]]
    return [Change(STEPS, {**step, "step_details": {"type": "tool_calls", "tool_calls": calls}})] if step else []


def told(world: World, run: Record, outputs: dict[str, str], at: int) -> list[Change]:
    """The step of functions that were answered is done."""
    step = _step(world, run)
    if step is None:
        return []
    calls = [_shown_call(call, outputs[call["id"]]) for call in run["_turn"]["calls"]]
    details = {"type": "tool_calls", "tool_calls": calls}
    done = {**step, "status": "completed", "completed_at": at, "step_details": details, "usage": _usage(run)}
    return [Change(STEPS, done, "thread.run.step.completed")]


def written(world: World, run: Record, at: int) -> list[Change]:
    """The message of a turn is there, and its step is done; a message that was cut off is incomplete."""
    turn = run["_turn"]
    changes = []
    message, step = world[MESSAGES].get(run["_message"]), _step(world, run)
    if message is not None:  # else somebody has deleted it meanwhile
        content = _content(turn, turn.get("refusal", turn.get("text")))
        message = {**message, "content": [content], "status": "completed", "completed_at": at}
        reason = _CUT.get(turn["reason"])
        if reason is not None:
            message |= {"status": "incomplete", "completed_at": None, "incomplete_at": at}
            message["incomplete_details"] = {"reason": reason}
        changes.append(Change(MESSAGES, message, f"thread.message.{message['status']}"))
    if step is not None:
        done = {**step, "status": "completed", "completed_at": at, "usage": _usage(run)}
        changes.append(Change(STEPS, done, "thread.run.step.completed"))
    return changes


_CUT = {"length": "max_tokens", "content_filter": "content_filter"}
"""Why a message is incomplete, by why the model has ended."""


def stopped(world: World, run: Record, status: str, at: int) -> list[Change]:
    """The step that a run was at, and its message, end as the run does: `cancelled`, `expired` or `failed`."""
    changes = []
    message = world[MESSAGES].get(run["_message"]) if run["_message"] else None
    if message is not None and message["status"] == "in_progress":
        details = {"reason": f"run_{status}"}
        cut = {**message, "status": "incomplete", "incomplete_at": at, "incomplete_details": details}
        if run["_told"] is not None:  # clients that were told words look for them here
            cut["content"] = [_content(run["_turn"], _told_so_far(run))]
        changes.append(Change(MESSAGES, cut, "thread.message.incomplete"))
    step = _step(world, run)
    if step is not None and step["status"] == "in_progress":
        changes.append(Change(STEPS, {**step, "status": status, f"{status}_at": at}, f"thread.run.step.{status}"))
    return changes


def call_delta(step_id: str, calls: list[Record]) -> Record:
    """Return more of the calls of a step, as a stream tells it."""
    delta = {"step_details": {"type": "tool_calls", "tool_calls": calls}}
    return {"id": step_id, "object": "thread.run.step.delta", "delta": delta}


def without_content(step: Record) -> Record:
    """Return a step without the parts of files that a search has found: only who asks for them gets them (the SDK's types).

    Any other record stays as it is.
    """
    details = step.get("step_details") or {"type": ""}
    if details["type"] != "tool_calls" or not any(call["type"] == "file_search" for call in details["tool_calls"]):
        return step
    calls = [_without_content(call) for call in details["tool_calls"]]
    return {**step, "step_details": {**details, "tool_calls": calls}}


def _without_content(call: Record) -> Record:
    if call["type"] != "file_search":
        return call
    found = [{name: each[name] for name in each if name != "content"} for each in call["file_search"]["results"]]
    return {**call, "file_search": {**call["file_search"], "results": found}}


def _opened(collection: str, record: Record, name: str) -> list[Change]:
    return [Change(collection, record, f"{name}.created"), Change("", record, f"{name}.in_progress")]


def _content(turn: Record, said: str) -> Record:
    if "refusal" in turn:
        return {"type": "refusal", "refusal": said}
    return text_part(said, [each for each in turn["annotations"] if each["end_index"] <= len(said)])


def _told_so_far(run: Record) -> str:
    """The words that a stream had told of a turn when its run was stopped."""
    turn, told = run["_turn"], run["_told"]
    pieces = tokens.pieces(turn.get("refusal", turn.get("text")))
    late_s = run["_stopped_s"] - told["from_s"]
    if late_s < 0:
        return ""
    chunks = int(late_s * 1000 / told["pause_ms"]) + 1 if told["pause_ms"] else len(pieces)
    return "".join(pieces[: chunks * told["size"]])


def _step(world: World, run: Record) -> Record | None:
    return world[STEPS].get(run["_step"]) if run["_step"] else None


def _shown_call(call: Record, output: str | None) -> Record:
    return {**call, "function": {**call["function"], "output": output}}


def _usage(run: Record) -> Record:
    prompt, completion = run["_turn"]["usage"]
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
