"""Feedback: scores that people or programs give to a traced call. They show in analytics and nowhere else.

Source of every rule that names none: prompts-configs-guardrails, Feedback.
"""

from __future__ import annotations

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.identity import Caller
from mockserver.portkey.records import not_found
from mockserver.values import Record
from mockserver.world.world import World


def create_feedback(request: Request, world: World) -> Reply:
    """Keep one score, or several: an array, or what the Node client makes of one, an object by index.

    *chosen*: a trace need not be known, since logs may come later than the feedback on them.
    """
    caller: Caller = request.caller
    saved = [_save(fields, caller.workspace_id, world) for fields in _scores(request.body)]
    return _told("Feedback saved", saved)


def update_feedback(request: Request, world: World) -> Reply:
    """Change a score; weight and metadata stay unless they are sent (*chosen*: the value alone is required).

    Fails: `not-found` for an unknown one, `forbidden` for one of another workspace.
    """
    feedback = world["feedback"].get(request.path["id"])
    if feedback is None:
        raise not_found()
    caller: Caller = request.caller
    caller.reach(feedback["workspace_id"])
    feedback = {**feedback, **_judgement({**feedback, **request.fields}), "last_updated_at": world.clock.timestamp()}
    world["feedback"].replace(feedback)
    return _told("Feedback updated", [feedback["id"]])


def _scores(body: Record | list[Record]) -> list[Record]:
    if isinstance(body, list):
        return body
    return [body] if "trace_id" in body else list(body.values())


def _save(fields: Record, workspace_id: str | None, world: World) -> str:
    feedback_id, now = world.ids.uuid4(), world.clock.timestamp()
    world["feedback"].add(
        {
            "id": feedback_id,
            "trace_id": fields.get("trace_id") or fields["traceID"],
            **_judgement(fields),
            "workspace_id": workspace_id,
            "created_at": now,
            "last_updated_at": now,
        }
    )
    return feedback_id


def _judgement(fields: Record) -> Record:
    """What a score says; null stands for what a score has that says nothing (*chosen*)."""
    weight = fields.get("weight")
    return {
        "value": fields["value"],
        "weight": 1 if weight is None else weight,
        "metadata": fields.get("metadata") or {},
    }


def _told(message: str, feedback_ids: list[str]) -> Reply:
    return Reply(200, {"status": "success", "message": message, "feedback_ids": feedback_ids})
