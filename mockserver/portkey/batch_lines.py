"""The lines of a batch: what may be wrong with a file of them, what each calls, and what comes of it.

Source of every rule that names none: gateway-data-plane, /batches. Codes and texts of what is wrong are *chosen*: what OpenAI
is known to answer, as far as that goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mockserver import values
from mockserver.blobs import Blob
from mockserver.contract.replies import Reply
from mockserver.portkey import metering, stored
from mockserver.portkey.gateway.attempt import RETRIED
from mockserver.stubs.service import Headers, Perform
from mockserver.values import JSON, Record
from mockserver.world.world import World

OPERATIONS = {
    "/v1/chat/completions": "createChatCompletion",
    "/v1/completions": "createCompletion",
    "/v1/embeddings": "createEmbedding",
    "/v1/responses": "createResponse",
    "/v1/moderations": "createModeration",
    "/v1/images/generations": "createImage",
    "/v1/images/edits": "createImageEdit",
}
"""What a line calls, by the endpoint of its batch. Edits take forms, so that lines of them fail with 415."""

MOST = 50_000
_MOST_ERRORS = 100
"""How many errors are told of a file; *chosen*."""

EXPIRED = ("batch_expired", "This request could not be executed before the completion window expired.")
CANCELLED = ("batch_cancelled", "This request was not executed before the batch was cancelled.")
"""What becomes of lines that are not run any more: code and text."""


class Way(NamedTuple):
    """How the lines of a batch are called: with which headers, model (where a line names none), and how often again."""

    endpoint: str
    headers: Headers
    model: str | None
    retries: int
    ends_s: float


class Result(NamedTuple):
    """What came of a line: its text for the file of answers or of failures, tokens in and out, when it is there.

    One that `is_undone` was not answered in time, or not at all.
    """

    text: str
    is_answer: bool
    tokens: tuple[int, int] = (0, 0)
    due_s: float = 0.0
    is_undone: bool = False


class Checked(NamedTuple):
    """What a file holds: how many lines, the model of the first, and what is wrong."""

    total: int
    model: str | None
    errors: list[Record]


def check(blob: Blob, endpoint: str) -> Checked:
    """Look through a file of lines. Blank lines do not count."""
    errors: list[Record] = []
    seen: set[str] = set()
    total, model = 0, None
    for number, text in enumerate(blob.lines(), 1):
        if not text.strip():
            continue
        total += 1
        if total > MOST:
            return Checked(
                total, model, [error("too_many_tasks", f"The file has more than {MOST} lines, the most that there may be.")]
            )
        if len(errors) == _MOST_ERRORS:
            continue  # enough is told; only their number counts
        line, wrong = _read(text, endpoint, seen)
        if wrong is not None:
            code, message, param = wrong
            errors.append(error(code, message, param, number))
        elif total == 1 and isinstance(line["body"].get("model"), str):
            model = line["body"]["model"]
    if total == 0:
        errors.append(error("empty_file", "The input file has no lines."))
    return Checked(total, model, errors)


def error(code: str, message: str, param: str | None = None, line: int | None = None) -> Record:
    """Return an error as batches tell it."""
    return {"code": code, "message": message, "param": param, "line": line}


def _read(text: bytes, endpoint: str, seen: set[str]) -> tuple[Record, tuple[str, str, str | None] | None]:
    """A line, and what is wrong with it: code, message, field."""
    try:
        line = values.parse(text)
    except values.NotJSON as fault:
        return {}, ("invalid_json_line", f"This line is not a JSON object: it {fault}.", None)
    if not isinstance(line, dict):
        return {}, ("invalid_json_line", "This line is not a JSON object.", None)
    for name in ("custom_id", "method", "url", "body"):
        if line.get(name) is None:
            return line, ("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
    custom_id = line["custom_id"]
    if not isinstance(custom_id, str):
        return line, ("invalid_type", "'custom_id' is to be a text.", "custom_id")
    if custom_id in seen:
        return line, ("duplicate_custom_id", f"The custom_id '{custom_id[:100]}' is that of an earlier line.", "custom_id")
    seen.add(custom_id)
    if line["method"] != "POST":
        return line, ("invalid_method", "The method of every line is POST.", "method")
    if line["url"] != endpoint:
        return line, ("invalid_url", f"The url of every line is the endpoint of the batch, {endpoint}.", "url")
    if not isinstance(line["body"], dict):
        return line, ("invalid_type", "'body' is to be an object.", "body")
    return line, None


def remaining(blob: Blob, start: int) -> Iterator[tuple[Record, int]]:
    """The lines of a file that was checked, from a place on, each with the place behind it."""
    for text in blob.lines(start):
        start += len(text)
        if text.strip():
            yield values.parse(text), start


def run(line: Record, way: Way, world: World, perform: Perform) -> Result:
    """Call what a line asks for. *chosen*: a line cannot ask for a stream, since a file holds none."""
    body: Record = line["body"]
    if body.get("stream") is True:
        refused: Record = {
            "message": "Lines of a batch cannot be streamed.", "type": "invalid_request_error", "param": "stream", "code": None,
        }  # fmt: skip
        reply = Reply(400, {"error": refused})
    else:
        if way.model is not None and "model" not in body:
            body = {**body, "model": way.model}
        reply = _performed(body, way, world, perform)
    due_s = reply.due_s or 0.0
    if due_s > way.ends_s:
        return undone(line, EXPIRED, world)
    response: Record = {"status_code": reply.status, "request_id": f"req_{world.ids.hex(32)}", "body": reply.body}
    is_answer = 200 <= reply.status < 300
    return Result(_told(line, response, None, world), is_answer, metering.tokens_of(reply.body) if is_answer else (0, 0), due_s)


def _performed(body: Record, way: Way, world: World, perform: Perform) -> Reply:
    operation = OPERATIONS[way.endpoint]
    reply = perform(operation, {}, way.headers, body, world)
    for _ in range(way.retries):
        if reply.status not in RETRIED:
            break
        reply = perform(operation, {}, way.headers, body, world)
    return reply


def undone(line: Record, why: tuple[str, str], world: World) -> Result:
    """Return what comes of a line that is not run."""
    code, message = why
    return Result(_told(line, None, {"code": code, "message": message}, world), False, is_undone=True)


def _told(line: Record, response: JSON, fault: JSON, world: World) -> str:
    told = {"id": stored.new_id(world, "batch_req_"), "custom_id": line["custom_id"], "response": response, "error": fault}
    return values.dump(told).decode() + "\n"
