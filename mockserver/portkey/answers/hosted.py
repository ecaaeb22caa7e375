"""Tools that a provider runs itself, or knows by name: what a response shows of them.

Source: gateway-data-plane, /responses; the fields of each item as OpenAI's client has them. What a tool finds is *chosen*:
plainly made up, and the same for the same question.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mockserver.portkey.answers import wording
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.drawing import drawn
from mockserver.portkey.answers.ids import Ids
from mockserver.values import JSON, Record, dump

Search = Callable[[Record, str], list[Record]]
"""Looks into the stores that a file search names, for a question; gives rows as `file_search_call.results` has them."""

AWAITING = frozenset({"computer_call", "local_shell_call", "shell_call", "apply_patch_call", "mcp_approval_request"})
"""Items that the caller has to do something about before there is an answer."""

_SIZE = re.compile(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})")
_LARGEST = 2048
_NO_WORD = re.compile(r"[^a-z0-9]+")


class Asking(NamedTuple):
    """What a tool is used for: its declaration, the question, and what a script says that it is called with."""

    tool: Record
    question: str
    given: Record


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the items of tools are made."""

    chance: Chance
    ids: Ids
    search: Search
    approved: dict[str, bool]
    """What the caller has said to requests for approval, by their ids."""


def name_of(tool: Record) -> str:
    """Return the name by which a tool is asked for: its kind, without dates and previews; of a server, with its label."""
    kind = str(tool["type"])
    if kind.startswith("web_search"):
        return "web_search"
    if kind == "mcp":
        return f"mcp:{tool.get('server_label')}"
    return "computer_use_preview" if kind.startswith("computer") else kind


def said(name: str, tools: dict[str, Record]) -> str | None:
    """Return the tool that a script means by a name: its own, its kind, or one that a server offers; None for none."""
    if name in tools:
        return name
    for own, tool in tools.items():
        if tool["type"] == name or (tool["type"] == "mcp" and name in _offered(tool)):
            return own
    return None


def items(asking: Asking, desk: Desk) -> list[Record]:
    """Return what a response shows of the use of a tool."""
    return _MAKERS[name_of(asking.tool).partition(":")[0]](asking, desk)


def citations(made: list[Record], text: str) -> list[Record]:
    """Return what a text cites of what tools have found before it; each citation is of all of the text."""
    cited: list[Record] = []
    for item in made:
        if item["type"] == "web_search_call":
            for source in item["action"].get("sources") or ():
                place = {"start_index": 0, "end_index": len(text)}
                cited.append({"type": "url_citation", "url": source["url"], "title": source["url"].rpartition("/")[2], **place})
        if item["type"] == "file_search_call":
            for row in item.get("results") or ():
                cited.append(
                    {"type": "file_citation", "file_id": row["file_id"], "filename": row["filename"], "index": len(text)}
                )
    return cited


def _web_search(asking: Asking, desk: Desk) -> list[Record]:
    query = str(asking.given.get("query") or " ".join(wording.keywords(asking.question)) or "news")
    words = _NO_WORD.sub(" ", query.lower()).split() or ["news"]
    sources = [{"type": "url", "url": f"https://example.com/{'-'.join(words[:count])}"} for count in (1, 2)]
    action: Record = {"type": "search", "query": query, "queries": [query], "sources": sources[: len(words)]}
    return [{"id": desk.ids.new("ws_"), "type": "web_search_call", "status": "completed", "action": action}]


def _file_search(asking: Asking, desk: Desk) -> list[Record]:
    given = asking.given.get("queries") or asking.given.get("query") or asking.question
    queries = [str(each) for each in given] if isinstance(given, list) else [str(given)]
    found = desk.search(asking.tool, " ".join(queries))
    id_ = desk.ids.new("fs_")
    return [{"id": id_, "type": "file_search_call", "status": "completed", "queries": queries, "results": found}]


def _code(asking: Asking, desk: Desk) -> list[Record]:
    words = wording.keywords(asking.question)
    code = str(asking.given.get("code") or f"words = {dump(words).decode()}\nprint(len(words))")
    container = asking.tool.get("container")
    return [
        {
            "id": desk.ids.new("ci_"),
            "type": "code_interpreter_call",
            "status": "completed",
            "code": code,
            "container_id": container if isinstance(container, str) else desk.ids.new("cntr_"),
            "outputs": [{"type": "logs", "logs": f"{len(words)}\n"}],
        }
    ]


def _image(asking: Asking, desk: Desk) -> list[Record]:
    tool = asking.tool
    size = _SIZE.fullmatch(str(tool.get("size")))
    width, height = (min(int(side), _LARGEST) for side in (size[1], size[2])) if size else (1024, 1024)
    prompt = str(asking.given.get("prompt") or asking.question)
    picture = drawn(desk.chance.of("image", prompt), width, height)
    return [
        {
            "id": desk.ids.new("ig_"),
            "type": "image_generation_call",
            "status": "completed",
            "action": "generate",
            "background": "opaque",
            "output_format": "png",
            "quality": "medium",
            "revised_prompt": prompt,
            "size": f"{width}x{height}",
            "result": base64.b64encode(picture).decode(),
        }
    ]


def _mcp(asking: Asking, desk: Desk) -> list[Record]:
    """A server's tools are listed first; a call waits for approval unless none is required, or it has been given."""
    tool, label = asking.tool, str(asking.tool.get("server_label") or "server")
    offered = _offered(tool)
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    tools = [{"name": name, "description": None, "input_schema": schema, "annotations": None} for name in offered]
    listed = {"id": desk.ids.new("mcpl_"), "type": "mcp_list_tools", "server_label": label, "tools": tools, "error": None}
    arguments = asking.given.get("arguments", asking.given) or {"query": " ".join(wording.keywords(asking.question))}
    wanted = str(asking.given.get("tool") or offered[0])
    call: Record = {"server_label": label, "name": wanted, "arguments": dump(arguments).decode()}
    request = next((id_ for id_, approves in desk.approved.items() if approves), None)
    if tool.get("require_approval", "always") == "never" or request is not None:
        output = wording.reply(asking.question, desk.chance.of("mcp", label))
        done = {"approval_request_id": request, "error": None, "output": output, "status": "completed"}
        return [listed, {"id": desk.ids.new("mcp_"), "type": "mcp_call", **call, **done}]
    return [listed, {"id": desk.ids.new("mcpr_"), "type": "mcp_approval_request", **call}]


def _offered(tool: Record) -> list[str]:
    allowed: JSON = tool.get("allowed_tools")
    if isinstance(allowed, dict):
        allowed = allowed.get("tool_names")
    return [str(name) for name in allowed] if isinstance(allowed, list) and allowed else ["search"]


def _computer(asking: Asking, desk: Desk) -> list[Record]:
    call = {"id": desk.ids.new("cu_"), "type": "computer_call", "call_id": desk.ids.new("call_"), "status": "completed"}
    return [{**call, "action": {"type": "screenshot"}, "pending_safety_checks": []}]


def _command(asking: Asking) -> str:
    return str(asking.given.get("command") or "ls")


def _local_shell(asking: Asking, desk: Desk) -> list[Record]:
    action = {"type": "exec", "command": _command(asking).split(), "env": {}}
    ids = {"id": desk.ids.new("lsh_"), "type": "local_shell_call", "call_id": desk.ids.new("call_")}
    return [{**ids, "action": action, "status": "completed"}]


def _shell(asking: Asking, desk: Desk) -> list[Record]:
    action = {"commands": [_command(asking)], "max_output_length": None, "timeout_ms": None}
    ids = {"id": desk.ids.new("sh_"), "type": "shell_call", "call_id": desk.ids.new("call_")}
    return [{**ids, "action": action, "environment": None, "status": "completed"}]


def _patch(asking: Asking, desk: Desk) -> list[Record]:
    operation = asking.given or {"type": "create_file", "path": "notes.txt", "diff": "+notes\n"}
    ids = {"id": desk.ids.new("apc_"), "type": "apply_patch_call", "call_id": desk.ids.new("call_")}
    return [{**ids, "operation": operation, "status": "completed"}]


_MAKERS: dict[str, Callable[[Asking, Desk], list[Record]]] = {
    "web_search": _web_search,
    "file_search": _file_search,
    "code_interpreter": _code,
    "image_generation": _image,
    "mcp": _mcp,
    "computer_use_preview": _computer,
    "local_shell": _local_shell,
    "shell": _shell,
    "apply_patch": _patch,
}
