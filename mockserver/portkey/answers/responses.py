"""What a model answers to a request for a response. Source: gateway-data-plane, /responses.

The answer is that of a conversation (`chat`), told in items: what was thought, what tools did, the message, or the functions
that the caller is to run. So the same words, arguments, forms and limits hold as for chat.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from mockserver.portkey.answers import chat, hosted, items, logprobs, tokens
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.portkey.answers.ids import Ids
from mockserver.portkey.answers.script import Said, SaidCall
from mockserver.values import JSON, Record

_THINKERS = re.compile(r"(^|/)(o[1-9]|gpt-5(?!-chat)|gpt-oss|codex|grok-3-mini|grok-4|deepseek-r1)")
"""Models that think before they answer (*chosen*: by the names that are known for it)."""
_THOUGHTLESS = ("none", "minimal")

_CACHED_FROM, _CACHED_BY = 1024, 128
"""From how many tokens on a beginning that was read before is cached, and in steps of how many (as OpenAI tells it)."""

_DEFAULTS: Record = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""What a response tells of a request that does not say it."""
_TOLD_WHEN_SAID = ("max_tool_calls", "prompt_cache_key", "safety_identifier", "top_logprobs")

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}

_POINTERS = (
    (re.compile(r"^(/tools/[0-9]+)/(function|custom)/parameters"), r"\1/parameters"),
    (re.compile(r"^/response_format/json_schema"), "/text/format"),
)
"""Where in the request a fault is that was found in the conversation made of it."""


class Asked(NamedTuple):
    """What is asked: the conversation so far as items, the request's own last, of which `known` were there before.

    `id` is the response's, `created` its time in seconds, `elapsed_s` how long the model takes.
    """

    body: Record
    items: Sequence[Record]
    known: int
    id: str
    created: int
    elapsed_s: float


def answer(asked: Asked, model: str, chance: Chance, ids: Ids, search: hosted.Search, said: Said | None = None) -> Record:
    """Return the whole response; what it shows only to whom asks for it is there as well, see `told`. Raises `Unanswerable`."""
    return _Responder(asked, model, chance, ids, search, said or Said()).response()


def told(response: Record, include: Sequence[str]) -> Record:
    """Return a response with what its caller asked to see besides."""
    return {**response, "output": [_told(item, include) for item in response["output"]]}


def _told(item: Record, include: Sequence[str]) -> Record:
    kind = item["type"]
    if kind == "message" and "message.output_text.logprobs" not in include:
        parts = [{**part, "logprobs": []} if part.get("logprobs") else part for part in item["content"]]
        return {**item, "content": parts}
    if kind == "reasoning" and "reasoning.encrypted_content" not in include:
        return {name: value for name, value in item.items() if name != "encrypted_content"}
    if kind == "file_search_call" and "file_search_call.results" not in include:
        return {**item, "results": None}
    if kind == "code_interpreter_call" and "code_interpreter_call.outputs" not in include:
        return {**item, "outputs": None}
    if kind == "web_search_call" and "web_search_call.action.sources" not in include:
        return {**item, "action": {name: value for name, value in item["action"].items() if name != "sources"}}
    return item


def count(body: Record, conversation: Sequence[Record]) -> int:
    """Return how many tokens a request has. Raises `Unanswerable` for tools that are none."""
    as_chat = _as_chat(body, conversation, _tools(body)[0])
    return tokens.count_messages(as_chat["messages"]) + tokens.count_tools(as_chat)


def begun(response: Record, status: str) -> Record:
    """Return a response as it is before it is answered."""
    nothing = dict.fromkeys(("completed_at", "usage", "error", "incomplete_details"))
    return {**response, **nothing, "status": status, "output": []}


class _Responder:
    """Makes one response."""

    def __init__(self, asked: Asked, model: str, chance: Chance, ids: Ids, search: hosted.Search, said: Said) -> None:
        self._asked = asked
        self._body = asked.body
        self._model = model
        self._chance = chance
        self._ids = ids
        self._said = said
        self._tools, self._hosted = _tools(asked.body)
        self._desk = hosted.Desk(chance, ids, search, _approvals(asked.items))

    def response(self) -> Record:
        asked, said = self._asked, self._said
        as_chat = _as_chat(self._body, asked.items, self._tools)
        if self._thinks():
            as_chat["thinking"] = {"type": "enabled", "budget_tokens": None}
        uses = self._uses(said.tool_calls or ())
        if uses:  # a script has provider's tools used: what it says besides is said after them
            rest = tuple(call for call in said.tool_calls or () if hosted.said(call.name, self._hosted) is None)
            said = replace(said, tool_calls=rest or None)
            as_chat["tool_choice"] = "none"
        made = self._chat(as_chat, said)
        calls = [call for call in made.choices[0].calls if call.name not in self._hosted]
        if not uses:
            demanded = [call.name for call in made.choices[0].calls if call.name in self._hosted]
            uses = self._uses([SaidCall(name) for name in demanded])
            if uses and not calls:
                made = self._chat({**as_chat, "tool_choice": "none"}, said)
        shown = [item for asking in uses for item in hosted.items(asking, self._desk)]
        if any(item["type"] in hosted.AWAITING for item in shown):
            silent = made.choices[0]._replace(pieces=None, calls=())
            used = made.usage if said.usage else made.usage._replace(completion=silent.tokens)
            made, calls = made._replace(spoken=replace(made.spoken, choices=(silent,), usage=used)), []
        choice = made.choices[0]
        output = self._thought(choice) + shown
        if choice.pieces or (choice.pieces is not None and not choice.thought):
            output.append(self._message(choice, shown))
        output += [self._call(call) for call in calls]
        return self._whole(made, output, _INCOMPLETE.get(choice.finish_reason))

    def _whole(self, made: chat.Completion, output: list[Record], lack: str | None) -> Record:
        asked, failure = self._asked, self._said.failure
        status = "failed" if failure is not None else "incomplete" if lack else "completed"
        if status != "completed" and output and "status" in output[-1]:
            output[-1] = {**output[-1], "status": "incomplete"}
        return {
            "id": asked.id,
            "object": "response",
            "created_at": asked.created,
            "completed_at": None if status != "completed" else int(asked.created + asked.elapsed_s),
            "status": status,
            "error": failure,
            "incomplete_details": {"reason": lack} if lack and failure is None else None,
            "model": self._model,
            "output": output,
            "service_tier": made.spoken.service_tier,
            "usage": self._usage(made),
            **_echo(self._body),
        }

    def _chat(self, as_chat: Record, said: Said) -> chat.Completion:
        try:
            return chat.answer(as_chat, self._model, self._chance.root, self._ids, self._asked.created, said)
        except Unanswerable as refused:
            pointer = refused.pointer
            for pattern, own in _POINTERS:
                pointer = pattern.sub(own, pointer)
            raise Unanswerable(pointer, refused.message) from None

    def _uses(self, calls: Sequence[SaidCall]) -> list[hosted.Asking]:
        """The uses of the provider's tools among calls."""
        question = next((_text(item) for item in reversed(self._asked.items) if item.get("role") == "user"), "")
        found = []
        for call in calls:
            name = hosted.said(call.name, self._hosted)
            if name is not None:
                given: Record = call.arguments if isinstance(call.arguments, dict) else {}
                if call.name not in (name, self._hosted[name]["type"]):
                    given = {"tool": call.name, "arguments": given}
                found.append(hosted.Asking(self._hosted[name], question, given))
        return found

    def _thinks(self) -> bool:
        effort = (self._body.get("reasoning") or {}).get("effort")
        if effort is None:
            return _THINKERS.search(self._model) is not None
        return effort not in _THOUGHTLESS

    def _thought(self, choice: chat.Choice) -> list[Record]:
        """What was thought; in words only to whom asks for a summary."""
        if not choice.thought:
            return []
        settings = self._body.get("reasoning") or {}
        asks = settings.get("summary") or settings.get("generate_summary")
        text = "".join(choice.thought)
        return [
            {
                "id": self._ids.new("rs_"),
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": text}] if asks else [],
                "encrypted_content": self._chance.of("encrypted", text).bytes(96).hex(),
            }
        ]

    def _message(self, choice: chat.Choice, shown: list[Record]) -> Record:
        text = choice.text or ""
        part: Record = {"type": "refusal", "refusal": text}
        if not choice.refused:
            likely = self._likely(choice)
            part = {"type": "output_text", "text": text, "annotations": hosted.citations(shown, text), "logprobs": likely}
        status = "incomplete" if choice.finish_reason in _INCOMPLETE else "completed"
        return {"id": self._ids.new("msg_"), "type": "message", "role": "assistant", "status": status, "content": [part]}

    def _likely(self, choice: chat.Choice) -> list[Record]:
        if "message.output_text.logprobs" not in (self._body.get("include") or ()):
            return []
        top = self._body.get("top_logprobs")
        top = min(max(top, 0), 20) if isinstance(top, int) else 0
        found = logprobs.told(choice.pieces or (), self._chance.of("logprobs"), top)
        return [
            {**_token(each.token, each.logprob), "top_logprobs": [_token(token, logprob) for token, logprob in each.top]}
            for each in found
        ]

    def _call(self, call: chat.Call) -> Record:
        if call.kind == "custom":
            item = {"id": self._ids.new("ctc_"), "type": "custom_tool_call", "call_id": call.id, "name": call.name}
            return {**item, "input": call.arguments, "status": "completed"}
        item = {"id": self._ids.new("fc_"), "type": "function_call", "call_id": call.id, "name": call.name}
        return {**item, "arguments": call.arguments, "status": "completed"}

    def _usage(self, made: chat.Completion) -> Record:
        usage = made.usage
        known = tokens.count_messages(items.messages(self._asked.items[: self._asked.known], None))
        cached = min(known, usage.prompt) // _CACHED_BY * _CACHED_BY if known >= _CACHED_FROM else 0
        return {
            "input_tokens": usage.prompt,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": usage.completion,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning},
            "total_tokens": usage.prompt + usage.completion,
        }


def _echo(body: Record) -> Record:
    """What a response tells of its request."""
    made = {name: default if body.get(name) is None else body[name] for name, default in _DEFAULTS.items()}
    made["tools"] = [_as_told(tool) for tool in made["tools"]]
    reasoning = body.get("reasoning") or {}
    made["reasoning"] = {"effort": None, "summary": None, **{n: v for n, v in reasoning.items() if n != "generate_summary"}}
    text = body.get("text") or {}
    format_ = text.get("format") or {"type": "text"}
    if format_["type"] == "json_schema":
        format_ = {"description": None, **format_, "strict": bool(format_.get("strict"))}
        format_ = {name: value for name, value in format_.items() if value is not None}
    made["text"] = {**text, "format": format_}
    return made | {name: body[name] for name in _TOLD_WHEN_SAID if body.get(name) is not None}


def _as_told(tool: Record) -> Record:
    if tool["type"] != "function":
        return tool
    strict = tool.get("strict")
    return {"description": None, "parameters": None, **tool, "strict": True if strict is None else strict}


def _tools(body: Record) -> tuple[list[Record], dict[str, Record]]:
    """The tools of a request as chat has them, and those that the provider runs by their names. Raises `Unanswerable`."""
    as_chat: list[Record] = []
    run: dict[str, Record] = {}
    for at, tool in enumerate(body.get("tools") or ()):
        kind = tool["type"]
        if kind in ("function", "custom"):
            if not isinstance(tool.get("name"), str):
                raise Unanswerable(f"/tools/{at}/name", f"Missing required parameter: 'tools[{at}].name'.")
            about = tool.get("description")
            declared: Record = {"name": tool["name"], "description": about if isinstance(about, str) else ""}
            if kind == "function" and tool.get("parameters") is not None:
                declared["parameters"] = tool["parameters"]
            as_chat.append({"type": kind, kind: declared})
        else:
            name = hosted.name_of(tool)
            run[name] = tool
            as_chat.append({"type": "function", "function": {"name": name}})
    return as_chat, run


def _as_chat(body: Record, conversation: Sequence[Record], tools: list[Record]) -> Record:
    format_ = (body.get("text") or {}).get("format") or {}
    made: Record = {
        "messages": items.messages(conversation, body.get("instructions")),
        "tool_choice": _choice(body.get("tool_choice")),
        "parallel_tool_calls": body.get("parallel_tool_calls"),
        "max_completion_tokens": body.get("max_output_tokens"),
        "temperature": body.get("temperature"),
        "top_p": body.get("top_p"),
        "service_tier": body.get("service_tier"),
    }
    if tools:
        made["tools"] = tools
    if format_.get("type") == "json_schema":
        made["response_format"] = {"type": "json_schema", "json_schema": {"schema": format_["schema"]}}
    elif format_.get("type") == "json_object":
        made["response_format"] = {"type": "json_object"}
    return made


def _choice(wanted: JSON) -> JSON:
    """Which tool must be used, as chat says it. Raises `Unanswerable`."""
    if not isinstance(wanted, dict):
        return wanted
    if wanted["type"] != "allowed_tools":
        return {"type": "function", "function": {"name": _name(wanted)}}
    allowed = wanted.get("tools")
    allowed = allowed if isinstance(allowed, list) else []
    named = [each for each in allowed if isinstance(each, dict) and isinstance(each.get("type"), str)]
    if not named:
        raise Unanswerable("/tool_choice/tools", "Missing required parameter: 'tool_choice.tools'.")
    tools = [{"type": "function", "name": _name(each)} for each in named]
    return {"type": "allowed_tools", "mode": wanted.get("mode"), "tools": tools}


def _name(said: Record) -> str:
    return str(said.get("name") or "") if said["type"] in ("function", "custom") else hosted.name_of(said)


def _approvals(conversation: Sequence[Record]) -> dict[str, bool]:
    answers = (item for item in conversation if item["type"] == "mcp_approval_response")
    return {str(item.get("approval_request_id")): item.get("approve") is True for item in answers}


def _text(item: Record) -> str:
    return "\n".join(part["text"] for part in item["content"] if "text" in part)


def _token(text: str, logprob: float) -> Record:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}
