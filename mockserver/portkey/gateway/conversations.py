"""Responses as a provider keeps them: the conversation that one goes on from, and what becomes of it.

Source: gateway-data-plane, /responses.
"""

from __future__ import annotations

from mockserver.portkey import file_search
from mockserver.portkey.answers import items, responses
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.portkey.answers.hosted import Search
from mockserver.portkey.answers.ids import Ids
from mockserver.values import Record
from mockserver.world.world import World

NATIVE = frozenset({"openai", "azure-openai", "x-ai", "groq", "openrouter"})
"""Providers that have responses themselves and keep them; for others the gateway makes them of a chat, and nobody does."""

QUEUED_S, RUNNING_S = 0.1, 0.1
"""How long a response in the background is queued, and takes at least after that (*chosen*: so that who polls is done soon)."""

ACTIVE = ("queued", "in_progress")


def find(world: World, response_id: str, account: str | None) -> Record | None:
    """Return a response of an account, or of any, or None."""
    record = world["responses"].get(response_id)
    if record is None or account not in (None, record["_account"]):
        return None
    return record


def conversation(world: World, body: Record, account: str | None, ids: Ids) -> tuple[list[Record], int]:
    """Return all items that a request is about, and how many of them were there before. Raises `Unanswerable`."""
    known: list[Record] = []
    previous_id = body.get("previous_response_id")
    if previous_id is not None:
        previous = find(world, previous_id, account)
        if previous is None:
            message = f"Previous response with id '{previous_id}' not found."
            raise Unanswerable("/previous_response_id", message, "previous_response_not_found")
        if previous["status"] in ACTIVE:
            message = f"Previous response with id '{previous_id}' is still {previous['status']}."
            raise Unanswerable("/previous_response_id", message)
        known = [*previous["_items"], *previous["output"]]

    def referred(item_id: str) -> Record | None:
        return next((item for item in _items(world, account) if item["id"] == item_id), None)

    every = known + items.entered(body.get("input"), ids, referred)
    items.check(every)
    return every, len(known)


def keep(world: World, response: Record, asked: list[Record], account: str, later_ms: float | None) -> None:
    """Keep a response with what it was asked with; with `later_ms`, as one that is answered later and takes so long."""
    record: Record = {**response, "_items": asked, "_at": world.clock.timestamp(), "_account": account}
    if later_ms is not None:
        queued = responses.begun(response, "queued")
        record = {**record, **queued, "_answer": response, "_ends_s": ends_s(world, later_ms)}
        world.agenda.put("responses", response["id"], world.clock.seconds() + QUEUED_S)
    world["responses"].add(record)


def ends_s(world: World, later_ms: float) -> float:
    """Return when a response that is now queued will be answered."""
    return world.clock.seconds() + QUEUED_S + RUNNING_S + later_ms / 1000


def go_on(world: World, response_id: str) -> None:
    """Let the next happen to a response in the background: it runs, or it is answered."""
    record = world["responses"].get(response_id)
    if record is None or record["status"] not in ACTIVE:
        return
    if record["status"] == "queued":
        world["responses"].replace({**record, "status": "in_progress"})
        world.agenda.put("responses", response_id, record["_ends_s"])
        return
    kept = {name: value for name, value in record.items() if name not in ("_answer", "_ends_s")}
    answer: Record = record["_answer"]
    done = {"completed_at": int(world.clock.seconds())} if answer["status"] == "completed" else {}
    world["responses"].replace({**kept, **answer, **done})


def searching(world: World, account: str | None) -> Search:
    """Return what looks into an account's stores for the tool that searches files."""

    def reaches(store: Record) -> bool:
        return account in (None, store["_account"])

    return lambda tool, question: file_search.in_tool(world, tool, question, reaches)


def _items(world: World, account: str | None) -> list[Record]:
    """All items of the responses of an account."""
    group = {} if account is None else {"_account": account}
    return [item for record in world["responses"].newest(**group) for item in (*record["_items"], *record["output"])]
