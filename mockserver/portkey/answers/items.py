"""Items: what a response is asked with and what it answers, and the conversation that they make.

Source: gateway-data-plane, /responses. Texts of refusals: as OpenAI's clients have reported them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mockserver.portkey.answers.errors import Unanswerable
from mockserver.portkey.answers.ids import Ids
from mockserver.values import JSON, Record, dump

_PREFIXES = {
    "message": "msg_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "reasoning": "rs_",
    "web_search_call": "ws_",
    "file_search_call": "fs_",
    "code_interpreter_call": "ci_",
    "image_generation_call": "ig_",
    "computer_call": "cu_",
    "computer_call_output": "cuo_",
    "mcp_list_tools": "mcpl_",
    "mcp_call": "mcp_",
    "mcp_approval_request": "mcpr_",
    "mcp_approval_response": "mcpa_",
    "local_shell_call": "lsh_",
    "shell_call": "sh_",
    "apply_patch_call": "apc_",
}
"""How ids of items begin (`msg_`, `fc_`, `rs_`, `ws_`, `fs_` from the dossier, the others as OpenAI's client knows them)."""

_OUTPUTS = {
    "function_call_output": "function_call",
    "custom_tool_call_output": "custom_tool_call",
    "computer_call_output": "computer_call",
    "shell_call_output": "shell_call",
    "apply_patch_call_output": "apply_patch_call",
}
"""What a caller tells of a call, and the call that must have been made."""

_CALLS = {call: output for output, call in _OUTPUTS.items() if call in ("function_call", "custom_tool_call")}
"""Calls that must be answered before a conversation goes on."""


def prefix(kind: str) -> str:
    """Return how the id of an item begins."""
    return _PREFIXES.get(kind, "item_")


def entered(given: JSON, ids: Ids, find: Callable[[str], Record | None]) -> list[Record]:
    """Return what a request is asked with as items with ids: a text is a message; `find` gives the item of a reference.

    Raises `Unanswerable` for a reference that leads nowhere.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_item(each, ids, find) for each in given or ()]


def _item(given: Record, ids: Ids, find: Callable[[str], Record | None]) -> Record:
    kind = given.get("type")
    if kind == "item_reference" or (kind is None and "role" not in given):
        found = find(given["id"])
        if found is None:
            raise Unanswerable("/input", f"Item with id '{given['id']}' not found.", status=404)
        return found
    kind = kind or "message"
    item: Record = {**given, "id": given.get("id") or ids.new(prefix(kind)), "type": kind}
    if kind == "message":
        item["status"] = given.get("status") or "completed"
        if isinstance(given["content"], str):
            text: Record = {"type": "input_text", "text": given["content"]}
            if given["role"] == "assistant":
                text = {"type": "output_text", "text": given["content"], "annotations": [], "logprobs": []}
            item["content"] = [text]
    elif kind in ("function_call", "function_call_output"):
        item.setdefault("status", "completed")
    return item


def check(items: Sequence[Record]) -> None:
    """Refuse a conversation that no model is given. Raises `Unanswerable`.

    An item that is there twice; what is told of a call that nobody made; a call that nothing is told of.
    """
    seen: set[str] = set()
    for item in items:
        if item["id"] in seen:
            message = f"Duplicate item found with id {item['id']}. Remove duplicate items from your input and try again."
            raise Unanswerable("/input", message)
        seen.add(item["id"])
    calls = {_call(item) for item in items}
    for item in items:
        kind, call_id = item["type"], str(item.get("call_id"))
        if kind in _OUTPUTS and (_OUTPUTS[kind], call_id) not in calls:
            raise Unanswerable("/input", f"No tool call found for {kind.replace('_', ' ')} with call_id {call_id}.")
        if kind in _CALLS and (_CALLS[kind], call_id) not in calls:
            raise Unanswerable("/input", f"No tool output found for {kind.replace('_', ' ')} {call_id}.")


def _call(item: Record) -> tuple[str, str]:
    """What an item is, and of which call."""
    return item["type"], str(item.get("call_id"))


def messages(items: Iterable[Record], instructions: str | None) -> list[Record]:
    """Return the conversation as chat has it; instructions come first. What a model has thought is not read again."""
    made: list[Record] = [{"role": "system", "content": instructions}] if instructions else []
    for item in items:
        kind = item["type"]
        if kind == "message":
            made.append({"role": item["role"], "content": _parts(item["content"])})
        elif kind in ("function_call", "custom_tool_call"):
            said = {"name": str(item.get("name") or ""), "arguments": str(item.get("arguments") or item.get("input") or "")}
            call = {"id": item.get("call_id"), "type": "function", "function": said}
            made.append({"role": "assistant", "content": None, "tool_calls": [call]})
        elif kind in _OUTPUTS or kind == "local_shell_call_output":
            made.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": _told(item)})
    return made


def text_of(items: Iterable[Record]) -> str:
    """Return all that messages among items say."""
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)


def _parts(content: Iterable[Record]) -> list[Record]:
    made: list[Record] = []
    for part in content:
        kind = part["type"]
        if kind in ("input_text", "output_text"):
            made.append({"type": "text", "text": part["text"]})
        elif kind == "refusal":
            made.append({"type": "refusal", "refusal": part["refusal"]})
        elif kind == "input_image":
            image = {"url": part.get("image_url") or "", "detail": part.get("detail") or "auto"}
            made.append({"type": "image_url", "image_url": image})
        else:
            made.append({"type": "file", "file": {"file_data": part.get("file_data")}})
    return made


def _told(item: Record) -> JSON:
    """What a tool has told, as the content of a message."""
    output = item.get("output")
    if isinstance(output, str):
        return output
    return _parts(output or ()) if item["type"] == "function_call_output" else dump(output).decode()
