"""A response told event by event, in the order that clients accept. Source: gateway-data-plane, /responses (SSE).

Events of tools that a provider runs: as OpenAI's client has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mockserver.portkey.answers import responses, tokens
from mockserver.values import Record

_Told = Iterator[Record]

_ENDS = {"completed": "response.completed", "incomplete": "response.incomplete", "failed": "response.failed"}


def events(response: Record, chunk_size: int | None = None) -> _Told:
    """Yield the events of a response, numbered from 0; a delta holds so many tokens, one as a rule.

    One that was made in the background is queued first. One that was cancelled ends without an event of its own.
    """
    for number, event in enumerate(_events(response, max(chunk_size or 1, 1))):
        yield {"type": event.pop("type"), "sequence_number": number, **event}


def opening(response: Record) -> int:
    """Return how many events come before anything is answered."""
    return 3 if response["background"] else 2


def _events(response: Record, size: int) -> _Told:
    begun = responses.begun(response, "in_progress")
    if response["background"]:
        queued = {**begun, "status": "queued"}
        yield {"type": "response.created", "response": queued}
        yield {"type": "response.queued", "response": queued}
    else:
        yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for at, item in enumerate(response["output"]):
        for event in _ITEMS.get(item["type"], _plain)(item, size):
            yield {**event, "output_index": at}
    if response["status"] in _ENDS:
        yield {"type": _ENDS[response["status"]], "response": response}


def _added(item: Record, **changes: object) -> Record:
    """An item before there is anything in it; `changes` are the fields that fill up."""
    shown = {**item, **changes}
    if "status" in item:
        shown["status"] = "in_progress"
    return {"type": "response.output_item.added", "item": shown}


def _done(item: Record) -> Record:
    return {"type": "response.output_item.done", "item": item}


def _plain(item: Record, size: int) -> _Told:
    yield _added(item)
    yield _done(item)


def _message(item: Record, size: int) -> _Told:
    yield _added(item, content=[])
    for at, part in enumerate(item["content"]):
        place = {"item_id": item["id"], "content_index": at}
        is_text = part["type"] == "output_text"
        empty = {**part, "text": "", "annotations": [], "logprobs": []} if is_text else {**part, "refusal": ""}
        yield {"type": "response.content_part.added", **place, "part": empty}
        if is_text:
            for text, likely in _pieces(part["text"], part.get("logprobs") or [], size):
                yield {"type": "response.output_text.delta", **place, "delta": text, "logprobs": likely}
            for number, annotation in enumerate(part["annotations"]):
                told = {"annotation_index": number, "annotation": annotation}
                yield {"type": "response.output_text.annotation.added", **place, **told}
            yield {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": part.get("logprobs") or []}
        else:
            for text, _ in _pieces(part["refusal"], [], size):
                yield {"type": "response.refusal.delta", **place, "delta": text}
            yield {"type": "response.refusal.done", **place, "refusal": part["refusal"]}
        yield {"type": "response.content_part.done", **place, "part": part}
    yield _done(item)


def _reasoning(item: Record, size: int) -> _Told:
    yield _added(item, summary=[])
    for at, part in enumerate(item["summary"]):
        place = {"item_id": item["id"], "summary_index": at}
        yield {"type": "response.reasoning_summary_part.added", **place, "part": {**part, "text": ""}}
        for text, _ in _pieces(part["text"], [], size):
            yield {"type": "response.reasoning_summary_text.delta", **place, "delta": text}
        yield {"type": "response.reasoning_summary_text.done", **place, "text": part["text"]}
        yield {"type": "response.reasoning_summary_part.done", **place, "part": part}
    yield _done(item)


def _spelled(item: Record, field: str, what: str, size: int, **besides: str) -> _Told:
    """A field that is told bit by bit."""
    for text, _ in _pieces(item[field], [], size):
        yield {"type": f"response.{what}.delta", "item_id": item["id"], "delta": text}
    yield {"type": f"response.{what}.done", "item_id": item["id"], field: item[field], **besides}


def _function(item: Record, size: int) -> _Told:
    yield _added(item, arguments="")
    yield from _spelled(item, "arguments", "function_call_arguments", size, name=item["name"])
    yield _done(item)


def _custom(item: Record, size: int) -> _Told:
    yield _added(item, input="")
    yield from _spelled(item, "input", "custom_tool_call_input", size)
    yield _done(item)


def _steps(item: Record, *steps: str) -> _Told:
    for step in steps:
        yield {"type": f"response.{item['type']}.{step}", "item_id": item["id"]}


def _searching(item: Record, size: int) -> _Told:
    changes: Record = {"results": None, "queries": []} if "results" in item else {}
    yield _added(item, **changes)
    yield from _steps(item, "in_progress", "searching", "completed")
    yield _done(item)


def _code(item: Record, size: int) -> _Told:
    yield _added(item, code="", outputs=None)
    yield from _steps(item, "in_progress")
    yield from _spelled(item, "code", "code_interpreter_call_code", size)
    yield from _steps(item, "interpreting", "completed")
    yield _done(item)


def _image(item: Record, size: int) -> _Told:
    yield _added(item, result=None)
    yield from _steps(item, "in_progress", "generating", "completed")
    yield _done(item)


def _listing(item: Record, size: int) -> _Told:
    yield _added(item, tools=[])
    yield from _steps(item, "in_progress", "completed")
    yield _done(item)


def _mcp(item: Record, size: int) -> _Told:
    yield _added(item, arguments="", output=None)
    yield from _steps(item, "in_progress")
    yield from _spelled(item, "arguments", "mcp_call_arguments", size)
    yield from _steps(item, "completed")
    yield _done(item)


_ITEMS: dict[str, Callable[[Record, int], _Told]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function,
    "custom_tool_call": _custom,
    "web_search_call": _searching,
    "file_search_call": _searching,
    "code_interpreter_call": _code,
    "image_generation_call": _image,
    "mcp_list_tools": _listing,
    "mcp_call": _mcp,
}


def _pieces(text: str, likely: Sequence[Record], size: int) -> Iterator[tuple[str, list[Record]]]:
    """A text in so many tokens at a time, each with what is told of its tokens."""
    pieces = tokens.pieces(text)
    for at in range(0, len(pieces), size):
        yield "".join(pieces[at : at + size]), list(likely[at : at + size])
