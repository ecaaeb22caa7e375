"""Threads as runs and their readers see them: what a new thread or message is, and what it is in the words of chat.

Source of every rule that names none: gateway-data-plane, /threads and messages. What becomes of files that come with threads
and messages: the SDK's docstrings (a helper makes a store; a file is added to the tools that are named).
"""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.portkey import stored, vector_files
from mockserver.portkey.gateway.exchange import Customer
from mockserver.values import JSON, Record
from mockserver.world.world import World

THREADS, MESSAGES, RUNS, STEPS = "threads", "thread_messages", "thread_runs", "run_steps"


_STORE_DAYS = 7
"""How long after its last use a store lives that was made for a thread (*chosen*: as OpenAI is known to have it)."""
_MOST_FILES = 20
"""How many files the code interpreter may have."""


def add_thread(world: World, body: Record, customer: Customer) -> Record:
    """Make a thread, with messages where the call has some. Fails: as `resources` and `add_message`."""
    thread = {
        "id": stored.new_id(world, "thread_"),
        "object": "thread",
        "created_at": stored.seconds(world),
        "metadata": body.get("metadata") or {},
        "tool_resources": resources(world, body.get("tool_resources"), customer, _STORE_DAYS),
    }
    kept = stored.keep(world, THREADS, thread, customer)
    for message in body.get("messages") or ():
        add_message(world, kept["id"], message, customer)
    return world[THREADS].get(kept["id"]) or kept


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


def add_message(world: World, thread_id: str, body: Record, customer: Customer) -> Record:
    """Add to a thread what a caller says. A text becomes one part; other parts stay as they are.

    Files that come along are the thread's from now on. Fails: `invalid-request` for one to be searched that is not there, and
    where there is no place for it.
    """
    content = body["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    said = new_message(world, thread_id, body["role"], [_part(part) for part in parts])
    said |= {"attachments": body.get("attachments") or [], "metadata": body.get("metadata") or {}}
    for file in said["attachments"]:
        _attach(world, thread_id, file, customer)
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


def resources(world: World, said: Record | None, customer: Customer, days: int | None = None) -> Record:
    """Return the files and stores of tools as a read shows them: by their ids. A store that is described is made.

    `days` is how long it then lives after its last use. *chosen*: ids are taken as they are. Fails: `invalid-request` for a
    store beside another, and for an unknown file in a new one.
    """
    said, fields = said or {}, {"code_interpreter": "file_ids", "file_search": "vector_store_ids"}
    found: Record = {
        tool: {name: list(said[tool].get(name) or [])} for tool, name in fields.items() if said.get(tool) is not None
    }
    for described in (said.get("file_search") or {}).get("vector_stores") or ():
        if found["file_search"]["vector_store_ids"]:
            raise stored.refused("There may be one vector store: either of 'vector_store_ids' or of 'vector_stores'.")
        found["file_search"]["vector_store_ids"] = [_new_store(world, described, customer, days)]
    return found


def stores(world: World, thread_id: str) -> list[str]:
    """Return the ids of the vector stores of a thread."""
    return list((_held(world, thread_id).get("file_search") or {}).get("vector_store_ids") or ())


def _attach(world: World, thread_id: str, file: Record, customer: Customer) -> None:
    """Give a thread a file that came with a message, for the tools that it is meant for."""
    uses, file_id = {use["type"] for use in file.get("tools") or ()}, file.get("file_id")
    if file_id is None:
        return
    if "code_interpreter" in uses:
        held = (_held(world, thread_id).get("code_interpreter") or {}).get("file_ids") or []
        if file_id not in held:
            if len(held) == _MOST_FILES:
                raise stored.refused(
                    f"Thread {thread_id} has {_MOST_FILES} files for the code interpreter, the most that it may."
                )
            _hold(world, thread_id, "code_interpreter", {"file_ids": [*held, file_id]})
    if "file_search" in uses:
        vector_files.file_of(world, file_id, customer)
        store_ids = stores(world, thread_id)
        if not store_ids:
            _hold(world, thread_id, "file_search", {"vector_store_ids": [_new_store(world, {}, customer, _STORE_DAYS)]})
        for store_id in stores(world, thread_id):
            store = world[vector_files.STORES].get(store_id)
            if store is None or customer.account not in (None, store["_account"]):
                raise stored.refused(f"Vector store {store_id} of the thread is not there.")
            vector_files.used(world, store)
            if vector_files.key_of(store_id, file_id) not in world[vector_files.FILES]:
                vector_files.attach(world, store_id, {"file_id": file_id})


def _held(world: World, thread_id: str) -> Record:
    found: Record = (world[THREADS].get(thread_id) or {"tool_resources": {}})["tool_resources"]
    return found


def _hold(world: World, thread_id: str, tool: str, files: Record) -> None:
    thread = world[THREADS].get(thread_id)
    assert thread is not None, "a message without its thread"
    world[THREADS].replace({**thread, "tool_resources": {**thread["tool_resources"], tool: files}})


def _new_store(world: World, described: Record, customer: Customer, days: int | None) -> str:
    expiry = None if days is None else {"anchor": "last_active_at", "days": days}
    return str(vector_files.new_store(world, {**described, "expires_after": expiry}, customer)["id"])


def text_part(text: str, annotations: list[Record] | None = None) -> Record:
    """Return a text as a part of a message."""
    return {"type": "text", "text": {"value": text, "annotations": annotations or []}}


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
