"""The contract of an operation's replies, and the reply itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from mockserver.contract.findings import Finding, flatten, from_gate, violation
from mockserver.contract.gate import Gate, Validator
from mockserver.contract.operations import Content, Header, Operation, Response
from mockserver.contract.shapes import Cast, Shape, cast_for, shape_of
from mockserver.contract.violations import Violation
from mockserver.values import JSON, Record, pointer

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a streamed body. It does not leave before the world's time `due_s`, when that is given."""

    data: bytes
    due_s: float | None = None


class Stream:
    """A body that is sent piece by piece, as the pieces fall due. With `cut` the connection breaks off behind the last one.

    `length` announces a length, else the body comes in chunks. With `reset` the connection is reset rather than closed,
    `garbage` is written on it before, outside HTTP, and `headless` leaves out status and headers: these are for `cut` ones.
    """

    __slots__ = ("cut", "garbage", "headless", "length", "pieces", "reset")

    def __init__(
        self,
        pieces: Iterable[Piece],
        *,
        cut: bool = False,
        length: int | None = None,
        reset: bool = False,
        garbage: bytes = b"",
        headless: bool = False,
    ) -> None:
        self.pieces = pieces
        self.cut = cut
        self.length = length
        self.reset = reset
        self.garbage = garbage
        self.headless = headless


class Closing(NamedTuple):
    """The end of a WebSocket, said by the server."""

    code: int = 1000
    reason: str = ""


class Talk(Protocol):
    """The server's part in what goes to and fro on a WebSocket. Each of its changes to the world stays."""

    def due_s(self) -> float | None:
        """The time of the world at which there is something to say; None when nothing is until something is heard."""
        ...

    def say(self) -> str | bytes | Closing | None:
        """Return what is to be said now, a text or bytes; None when there is nothing after all."""
        ...

    def hear(self, message: str | bytes) -> None:
        """Take what the client says."""
        ...

    def end(self) -> None:
        """Take that either side has ended it: nothing more will be said or heard."""
        ...


class Duplex:
    """A body that goes both ways: behind a 101 the connection is a WebSocket, and this talks on it."""

    __slots__ = ("talk",)

    def __init__(self, talk: Talk) -> None:
        self.talk = talk


@dataclass(slots=True)
class Reply:
    """What a stub answers.

    `body` is a JSON value, or bytes or a `Stream` for other media types; with status 101 a `Duplex`. `headers` have names in
    lower case; `media_type` may carry parameters. A `problem` names its kind, for the journal. A refusal that is `kept` changes
    the world all the same. `due_s` is the time of the world before which the reply does not leave.
    """

    status: int = 200
    body: JSON | bytes | Stream | Duplex = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = JSON_TYPE
    problem: str | None = None
    kept: bool = False
    due_s: float | None = None


class ReplyExplainer(Protocol):
    """Says why a reply breaks the contract."""

    def reply(self, plan: ReplyPlan, reply: Reply, content: Content | None) -> list[Finding]:
        """Return what is wrong; paths begin with `body` or `header`."""
        ...


_MOST_GOOD = 256
"""So many times the values of all headers are remembered, for each response: those that tell of a state or a count come
again."""


class _Headers(NamedTuple):
    """The documented headers of a response, those of them of which there is something to check, and what was found good.

    That are their values, None for what was not sent, in the order of `names`.
    """

    every: list[tuple[Header, Validator, Cast]]
    telling: list[tuple[Header, Validator, Cast]]
    names: tuple[str, ...]
    good: set[tuple[str | None, ...]]


class ReplyPlan:
    """Judges the replies of one operation."""

    def __init__(self, operation: Operation, document: Record, gate: Gate) -> None:
        self.operation = operation
        self.document = document
        self._gate = gate
        self._responses: dict[int, Response | None] = {}
        self._bodies: dict[tuple[int, str], tuple[Content, Validator] | None] = {}
        self._headers: dict[Response, _Headers] = {}

    def response(self, status: int) -> Response | None:
        """The documented response for a status: its own, that of its range, the default, or None."""
        if status not in self._responses:
            responses = self.operation.responses
            self._responses[status] = (
                responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("default")
            )
        return self._responses[status]

    def keeps(self, reply: Reply) -> bool:
        """Whether a reply keeps the contract: the fast answer."""
        response = self._responses.get(reply.status)
        if response is None and (response := self.response(reply.status)) is None:
            return False
        if response.headers and not self._keeps_headers(response, reply.headers):
            return False
        if not response.contents:
            return True
        found = self.content(reply.status, reply.media_type)
        return found is not None and (type(reply.body) in (bytes, Stream) or found[1].is_valid(reply.body))

    def violations(self, reply: Reply, explainer: ReplyExplainer | None = None) -> list[Violation]:
        """Return how a reply breaks the contract; nothing when it keeps it."""
        response = self.response(reply.status)
        if response is None:
            listed = ", ".join(self.operation.responses)
            message = f"{reply.status} is not documented for {self.operation}, only {listed}"
            return [Violation("status", "", message, f"{self.operation.pointer}/responses", "status")]
        found = self._header_violations(response, reply)
        if response.contents:
            content = self.content(reply.status, reply.media_type)
            if content is None:
                listed = ", ".join(each.media_type for each in response.contents)
                message = f"{reply.media_type} is not documented for {reply.status}, only {listed}"
                found.append(Violation("header", "/content-type", message, response.pointer, "media-type"))
            elif not isinstance(reply.body, (bytes, Stream)):
                found.extend(self._body_violations(reply, *content, explainer))
        return found

    def content(self, status: int, media_type: str) -> tuple[Content, Validator] | None:
        """The documented content for a status and media type with its validator, or None."""
        key = (status, media_type)
        if key not in self._bodies:
            self._bodies[key] = self._find_content(status, media_type)
        return self._bodies[key]

    def compile(self) -> None:
        """Compile every validator. Raises `ValueError` for a schema that is none."""
        for response in self.operation.responses.values():
            for content in response.contents:
                self._gate.validator(content.schema or {})
            self._header_validators(response)

    def _find_content(self, status: int, media_type: str) -> tuple[Content, Validator] | None:
        response = self.response(status)
        essence = media_type.partition(";")[0].strip().lower()
        for wanted in (essence, essence.partition("/")[0] + "/*", "*/*"):
            for content in response.contents if response else ():
                if content.media_type.partition(";")[0].strip() == wanted:
                    return content, self._gate.validator(content.schema or {})
        return None

    def _body_violations(
        self, reply: Reply, content: Content, validator: Validator, explainer: ReplyExplainer | None
    ) -> list[Violation]:
        by_gate = [
            Finding(f.keyword, ("body", *f.path), f.expected, f.instance, f.rule)
            for f in flatten(from_gate(validator.iter_errors(reply.body), "writeOnly"))
        ]
        if not by_gate:
            return []
        rules = {(finding.path, finding.keyword): finding.rule for finding in by_gate}
        findings = (list(flatten(explainer.reply(self, reply, content))) if explainer else []) or by_gate
        found = []
        for finding in (each for each in findings if each.path[:1] == ("body",)):
            rule = finding.rule or rules.get((finding.path, finding.keyword), "")
            place = rule.partition("#")[2] if rule.startswith("urn:") else f"{content.pointer}/schema{rule.removeprefix('#')}"
            found.append(violation(finding, "body", finding.path[1:], place))
        return list(dict.fromkeys(found))

    def _header_validators(self, response: Response) -> _Headers:
        try:
            return self._headers[response]
        except KeyError:
            every = [
                (header, self._gate.validator(header.schema), _header_cast(shape_of(header.schema, self.document)))
                for header in response.headers
            ]
            telling = [each for each in every if each[0].required or not _is_any_text(each[0])]
            made = self._headers[response] = _Headers(every, telling, tuple(each[0].name for each in telling), set())
            return made

    def _keeps_headers(self, response: Response, told: dict[str, str]) -> bool:
        headers = self._header_validators(response)
        said = tuple(map(told.get, headers.names))
        if said in headers.good:
            return True
        for (header, validator, cast), text in zip(headers.telling, said, strict=True):
            if header.required if text is None else not validator.is_valid(cast(text)):
                return False
        if len(headers.good) < _MOST_GOOD:
            headers.good.add(said)
        return True

    def _header_violations(self, response: Response, reply: Reply) -> list[Violation]:
        found = []
        for header, validator, cast in self._header_validators(response).every:
            text = reply.headers.get(header.name)
            if text is None:
                if header.required:
                    found.append(
                        Violation("header", pointer(header.name), "is required", header.pointer + "/required", "required")
                    )
                continue
            for finding in from_gate(validator.iter_errors(cast(text))):
                rule = f"{header.pointer}/schema{finding.rule.removeprefix('#')}"
                found.append(violation(finding, "header", (header.name, *finding.path), rule))
        return found


def _is_any_text(header: Header) -> bool:
    """Whether a header may be any text, so that there is nothing to check."""
    return header.schema.keys() <= {"type", "description", "example"} and header.schema.get("type") == "string"


def _header_cast(shape: Shape) -> Cast:
    """Return what turns the text of a header into its value."""
    return _split if "array" in shape.types else cast_for(shape)


def _split(text: str) -> JSON:
    return [piece.strip() for piece in text.split(",")]
