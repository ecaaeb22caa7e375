"""What a conversation asks a model for: its question, and the tools that must be called for it.

Source: gateway-data-plane, /chat/completions.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from mockserver.portkey.answers import wording
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.values import JSON, Record

_PART_OF_A_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


class Tool(NamedTuple):
    """A tool or function of the caller's; `pointer` is where in the body its parameters are."""

    name: str
    kind: Literal["function", "custom"]
    about: str
    parameters: JSON
    pointer: str


class Asked(NamedTuple):
    """What a conversation asks for.

    `question` is the last that a user said, `found` what a tool has told since, None when none has. `demanded` are the tools
    that must be called, `forced` when the caller names it; `legacy` tells that tools are in the older form.
    """

    question: str
    found: str | None
    tools: list[Tool]
    demanded: list[Tool]
    forced: bool
    legacy: bool


def asked(body: Record) -> Asked:
    """Return what a conversation asks for. Raises `Unanswerable` when it is for a tool that is not there."""
    messages: list[Record] = body.get("messages") or []
    question = next((_text(each) for each in reversed(messages) if each.get("role") == "user"), "")
    last = messages[-1] if messages else {}
    found = _text(last) if last.get("role") in ("tool", "function") else None
    legacy = not body.get("tools") and bool(body.get("functions"))
    tools = _tools(body, legacy)
    wanted = body.get("function_call" if legacy else "tool_choice")
    if wanted in (None, "none", "auto"):
        return Asked(question, found, tools, [], False, legacy)
    demanded, forced = _chosen(wanted, tools, "/function_call" if legacy else "/tool_choice")
    if len(demanded) > 1:
        demanded = _fitting(demanded, question)
        if body.get("parallel_tool_calls") is False:
            demanded = demanded[:1]
    return Asked(question, found, tools, demanded, forced, legacy)


def _tools(body: Record, legacy: bool) -> list[Tool]:
    found = []
    for at, each in enumerate(body.get("functions" if legacy else "tools") or ()):
        kind: Literal["function", "custom"] = "function" if legacy else each["type"]
        said, pointer = (each, f"/functions/{at}/parameters") if legacy else (each[kind], f"/tools/{at}/{kind}/parameters")
        found.append(Tool(said["name"], kind, said.get("description") or "", said.get("parameters"), pointer))
    return found


def _chosen(wanted: JSON, tools: list[Tool], pointer: str) -> tuple[list[Tool], bool]:
    """The tools that may be called where one must be, and whether it is one by name. Nothing when none must."""
    if wanted == "required":
        if not tools:
            raise Unanswerable(pointer, "'tool_choice' is only allowed when 'tools' are specified.")
        return tools, False
    if wanted.get("type") == "allowed_tools":
        allowed = wanted.get("allowed_tools") or wanted
        if allowed.get("mode") != "required":
            return [], False
        names = {_name(each) for each in allowed.get("tools") or ()}
        found, name = [tool for tool in tools if tool.name in names], ", ".join(sorted(names))
    else:
        name = _name(wanted)
        found = [tool for tool in tools if tool.name == name]
    if not found:
        raise Unanswerable(pointer, f"Tool choice {name!r} not found in 'tools' parameter.")
    return found, wanted.get("type") != "allowed_tools"


def _name(said: Record) -> str:
    return str(said.get("name") or (said.get(said.get("type", "")) or {}).get("name") or "")


def _fitting(tools: list[Tool], question: str) -> list[Tool]:
    """The tools whose names the question mentions, else the one whose description has most in common with it.

    *Chosen*: so a model that may ask for several at once sometimes does.
    """
    words = {word.lower() for word in wording.keywords(question, 40)}

    def named(tool: Tool) -> bool:
        parts = {part.lower() for part in _PART_OF_A_NAME.findall(tool.name)}
        return not words.isdisjoint(parts - wording.STOP_WORDS)

    def likeness(tool: Tool) -> int:
        return len(words & {word.lower() for word in wording.keywords(tool.about, 40)})

    return [tool for tool in tools if named(tool)] or [max(tools, key=likeness)]


def _text(message: Record) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or () if part.get("type") == "text")
