"""Calls of a campaign as plain facts: what was sent, what of it came from an earlier answer, and how it is sent again."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import re
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, unquote, urlsplit

from mockserver import values
from mockserver.values import JSON, Record

TIMEOUT_S = 10.0
"""How long an answer is waited for."""
NOISE = frozenset(
    ("user-agent", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "x-schemathesis-testcaseid")
)
"""Headers that a client sets by itself, or by which Schemathesis knows its own calls."""


class Take(NamedTuple):
    """A value of a step that an earlier one answered: which step, where in the JSON of its body, and what it was then."""

    step: int
    pointer: str
    value: str


@dataclass(frozen=True)
class Step:
    """A call. `target` is its encoded path and query below the base URL; `operation` is `GET /orders/{id}`."""

    operation: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    takes: tuple[Take, ...] = ()

    @property
    def path(self) -> str:
        """The encoded path."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The encoded query, without its mark."""
        return self.target.partition("?")[2]

    def as_json(self) -> Record:
        """The step for files; bytes that are no text are written as Latin-1, which `binary` tells."""
        try:
            body, binary = self.body.decode(), False
        except UnicodeDecodeError:
            body, binary = self.body.decode("latin-1"), True
        return {
            "operation": self.operation,
            "method": self.method,
            "target": self.target,
            "headers": [list(each) for each in self.headers],
            "body": body,
            "binary": binary,
            "takes": [list(each) for each in self.takes],
        }

    @staticmethod
    def from_json(told: Record) -> Step:
        """Return the step of `as_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        return Step(
            str(told["operation"]),
            str(told["method"]),
            str(told["target"]),
            tuple((str(name), str(value)) for name, value in told["headers"]),
            str(told["body"]).encode("latin-1" if told["binary"] else "utf-8"),
            tuple(Take(int(step), str(place), str(value)) for step, place, value in told["takes"]),
        )


@dataclass(frozen=True)
class Answer:
    """What a call was answered. `status` 0: nothing came, and `body` says why. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    elapsed_s: float = 0.0

    def json(self) -> JSON:
        """The body as JSON, None when it is none."""
        try:
            return values.parse(self.body)
        except values.NotJSON:
            return None

    def at(self, pointer: str) -> JSON:
        """A value of the body by its JSON pointer, None when there is none."""
        node = self.json()
        for part in pointer.split("/")[1:]:
            try:
                node = node[int(part)] if isinstance(node, list) else node[values.unescape(part)]
            except (KeyError, IndexError, TypeError, ValueError):
                return None
        return node


class Sender(Protocol):
    """Sends a call as it is."""

    def send(self, step: Step) -> Answer:
        """Return the answer; one with status 0 when none came."""
        ...


class Remote:
    """Sends calls to a URL, each on a connection of its own: a service that breaks one off must not spoil the next."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """`url` is that below which the document's paths are."""
        parts = urlsplit(url)
        self._host, self._port, self._tls = parts.hostname or "", parts.port, parts.scheme == "https"
        self._base = parts.path.rstrip("/")
        self._timeout_s = timeout_s

    def send(self, step: Step) -> Answer:
        """Return the answer."""
        connection: http.client.HTTPConnection
        if self._tls:
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=context)
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        started = time.perf_counter()
        try:
            connection.putrequest(step.method, self._base + step.target, skip_accept_encoding=True)
            for name, value in step.headers:
                connection.putheader(name, value.encode("latin-1", "replace"))
            if step.body or step.method in ("POST", "PUT", "PATCH"):
                connection.putheader("content-length", str(len(step.body)))
            connection.endheaders(step.body or None)
            reply = connection.getresponse()
            body = reply.read()
            headers = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(reply.status, headers, body, time.perf_counter() - started)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(0, {}, f"{type(error).__name__}: {error}".encode(), time.perf_counter() - started)
        finally:
            connection.close()


class InProcess:
    """Calls an ASGI application, in a world of its name."""

    def __init__(self, app: Any, base_path: str, world: str = "default") -> None:
        self._app = app
        self._base = base_path.rstrip("/")
        self._world = world

    def send(self, step: Step) -> Answer:
        """Return the answer."""
        path = self._base + step.path
        headers = [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in step.headers
        ]
        if step.body:
            headers.append((b"content-length", str(len(step.body)).encode()))
        scope = {
            "type": "http",
            "method": step.method,
            "path": unquote(path),
            "raw_path": path.encode("latin-1", "replace"),
            "query_string": step.query.encode("latin-1", "replace"),
            "headers": [(b"host", b"testserver"), *headers, (b"x-mock-world", self._world.encode())],
        }
        told: Record = {"status": 0, "headers": [], "body": b""}

        async def receive() -> Any:
            return {"type": "http.request", "body": step.body}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                told["status"], told["headers"] = message["status"], message["headers"]
            else:
                told["body"] += message.get("body", b"")

        started = time.perf_counter()
        asyncio.run(self._app(scope, receive, send))
        named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in told["headers"]}
        return Answer(told["status"], named, told["body"], time.perf_counter() - started)


def run(steps: Sequence[Step], sender: Sender) -> list[Answer]:
    """Send steps in their order, each with what the earlier ones answered put into it."""
    answers: list[Answer] = []
    for step in steps:
        answers.append(sender.send(filled(step, answers)))
    return answers


def filled(step: Step, answers: Sequence[Answer]) -> Step:
    """Return a step with the values that were answered now in the place of those that were answered then."""
    for take in step.takes:
        now = answers[take.step].at(take.pointer)
        if isinstance(now, (str, int, float)) and str(now) != take.value:
            step = replaced(step, take.value, str(now))
    return step


def replaced(step: Step, old: str, new: str) -> Step:
    """Return a step with another value for one in its path, its query and its JSON body."""
    segments = [quote(new, safe="") if unquote(each) == old else each for each in step.path.split("/")]
    pairs = []
    for pair in step.query.split("&") if step.query else ():
        name, equals, value = pair.partition("=")
        pairs.append(f"{name}={quote(new, safe='')}" if equals and unquote(value) == old else pair)
    target = "/".join(segments) + ("?" + "&".join(pairs) if pairs else "")
    body = step.body
    if old.encode() in body:
        with contextlib.suppress(values.NotJSON):
            body = values.dump(_swapped(values.parse(body), old, new))
    return Step(step.operation, step.method, target, step.headers, body, step.takes)


def _swapped(value: JSON, old: str, new: str) -> JSON:
    if isinstance(value, list):
        return [_swapped(item, old, new) for item in value]
    if isinstance(value, dict):
        return {name: _swapped(item, old, new) for name, item in value.items()}
    if isinstance(value, str) and value == old:
        return new
    if isinstance(value, int) and not isinstance(value, bool) and str(value) == old and new.lstrip("-").isdigit():
        return int(new)
    return value


def connected(steps: Sequence[Step], answers: Sequence[Answer]) -> list[Step]:
    """Return steps that say which of their path values earlier answers held, so that they can be sent to a fresh service.

    Only values of path variables count: others are seldom ids, and short ones stand in answers by chance.
    """
    made: list[Step] = []
    for at, step in enumerate(steps):
        takes = []
        template = step.operation.partition(" ")[2].split("/")
        # The base path may stand before the template's.
        segments = step.path.split("/")[-len(template) + 1 :] if len(template) > 1 else []
        for wanted, segment in zip(template[1:], segments, strict=False):
            if not wanted.startswith("{") or not segment:
                continue
            value = unquote(segment)
            for earlier in range(at):  # the first: what made it, so that what only read it can be left out
                place = _found(answers[earlier].json(), value, wanted.strip("{}"))
                if place is not None and answers[earlier].status < 400:
                    takes.append(Take(earlier, place, value))
                    break
        made.append(Step(step.operation, step.method, step.target, step.headers, step.body, tuple(dict.fromkeys(takes))))
    return made


def _found(value: JSON, wanted: str, name: str) -> str | None:
    """Where in an answer a value is, best under a name like that of the variable; None when nowhere."""
    found = [place for place, item in _scalars(value, "", 0) if str(item) == wanted]
    named = [place for place in found if place.rpartition("/")[2].lower() in (name.lower(), "id")]
    return next(iter(named or found), None)


def _scalars(value: JSON, place: str, depth: int) -> list[tuple[str, JSON]]:
    if depth > 4:
        return []
    if isinstance(value, dict):
        return [each for name, item in value.items() for each in _scalars(item, place + values.pointer(name), depth + 1)]
    if isinstance(value, list):
        return [each for at, item in enumerate(value[:20]) for each in _scalars(item, f"{place}/{at}", depth + 1)]
    return [(place, value)] if isinstance(value, (str, int)) and not isinstance(value, bool) else []


def ids(value: JSON) -> list[str]:
    """The values of an answer that may be ids: those that are called so, and short texts and whole numbers at its top."""
    named = [(place.rpartition("/")[2].lower(), str(item)) for place, item in _scalars(value, "", 2)]
    return [item for name, item in named if item and len(item) < 100 and re.search("id$|slug$|key$|name$", name)]
