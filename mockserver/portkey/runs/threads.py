"""Threads as runs and their readers see them: what a new thread or message is, and what it is in the words of chat.

Source of every rule that names none: gateway-data-plane, /threads and messages.
"""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.portkey import stored
from mockserver.portkey.gateway.exchange import Customer
from mockserver.values import JSON, Record
from mockserver.world.world import World

THREADS, MESSAGES, RUNS, STEPS = "threads", "thread_messages", "thread_runs", "run_steps"


def add_thread(world: World, body: Record, customer: Customer) -> Record:
    """Make a thread, with messages where the call has some."""
    thread = {
        "id": stored.new_id(world, "thread_"),
        "object": "thread",
        "created_at": stored.seconds(world),
        "metadata": body.get("metadata") or {},
        "tool_resources": resources(body.get("tool_resources")),
    }
    kept = stored.keep(world, THREADS, thread, customer)
    for message in body.get("messages") or ():
        add_message(world, kept["id"], message)
    return kept


def remove_thread(world: World, thread_id: str) -> None:
    """Delete a thread and all that lies below it; a run of it that is on its way ends without a trace (*chosen*)."""
    for run in list(world[RUNS].newest(thread_id=thread_id)):
        for step in list(world[STEPS].newest(run_id=run["id"])):
            world[STEPS].remove(step["id"])
        world.agenda.drop("assistants", run["id"])
        world[RUNS].remove(run["id"])
    for message in list(world[MESSAGES].newest(thread_id=thread_id)):
        world[MESSAGES].remove(message["id"])
    world[THREADS].remove(thread_id)


def add_message(world: World, thread_id: str, body: Record) -> Record:
    """Add to a thread what a caller says. A text becomes one part; other parts stay as they are."""
    content = body["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    said = new_message(world, thread_id, body["role"], [_part(part) for part in parts])
    said |= {"attachments": body.get("attachments") or [], "metadata": body.get("metadata") or {}}
    return stored.keep(world, MESSAGES, said)


def new_message(world: World, thread_id: str, role: str, content: list[Record]) -> Record:
    """Return a message of nobody's run, which is in no thread yet."""
    return {
        "id": stored.new_id(world, "msg_"),
        "object": "thread.message",
        "created_at": stored.seconds(world),
        "thread_id": thread_id,
        "status": "completed",
        "incomplete_details": None,
        "completed_at": None,
        "incomplete_at": None,
        "role": role,
        "content": content,
        "assistant_id": None,
        "run_id": None,
        "attachments": [],
        "metadata": {},
    }


def resources(said: Record | None) -> Record:
    """Return the files and stores of tools as a read shows them: by their ids."""
    said, fields = said or {}, {"code_interpreter": "file_ids", "file_search": "vector_store_ids"}
    return {tool: {name: said[tool].get(name) or []} for tool, name in fields.items() if said.get(tool) is not None}


def text_part(text: str) -> Record:
    """Return a text as a part of a message."""
    return {"type": "text", "text": {"value": text, "annotations": []}}


def in_words_of_chat(world: World, thread_id: str) -> list[Record]:
    """Return the messages of a thread as chat has them, oldest first; one that is being written is left out."""
    messages = list(world[MESSAGES].newest(thread_id=thread_id))[::-1]
    return [{"role": each["role"], "content": _content(each)} for each in messages if each["status"] != "in_progress"]


def attached(world: World, thread_id: str, tool: str) -> list[str]:
    """Return the ids of the files that come with the last message of a user for a tool."""
    asked = next((each for each in world[MESSAGES].newest(thread_id=thread_id) if each["role"] == "user"), {})
    found = [each for each in asked.get("attachments") or () if any(tool == use["type"] for use in each.get("tools") or ())]
    return [each["file_id"] for each in found if each.get("file_id")]


def _part(part: Record) -> Record:
    kind = part["type"]
    if kind == "text":
        return text_part(part["text"])
    return {"type": kind, kind: {"detail": "auto", **part[kind]}}


def _content(message: Record) -> JSON:
    parts = list(_in_chat(message["content"]))
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _in_chat(parts: list[Record]) -> Iterator[Record]:
    for part in parts:
        kind = part["type"]
        if kind == "text":
            yield {"type": "text", "text": part["text"]["value"]}
        elif kind == "refusal":
            yield part
        else:
            image = part[kind]
            place = image["url"] if kind == "image_url" else image["file_id"]
            yield {"type": "image_url", "image_url": {"url": place, "detail": image["detail"]}}
