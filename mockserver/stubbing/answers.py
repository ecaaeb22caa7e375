"""What a mapping answers: compiled from its `response`, judged by the contract, made for a call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from mockserver import values
from mockserver.contract.operations import Operation
from mockserver.contract.replies import JSON_TYPE, Duplex, Piece, Reply, ReplyExplainer, ReplyPlan, Stream
from mockserver.contract.violations import Violation
from mockserver.stubbing import delays, matchers, templates
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.templates import Scope
from mockserver.values import JSON, Record
from mockserver.world.ids import Ids

EVENTS = "text/event-stream"
TEMPLATE = "response-template"
"""The transformer that there is."""

_BODIES = ("body", "jsonBody", "base64Body", "stream")
_OURS = frozenset({"content-length", "transfer-encoding", "connection"})
"""Headers that frame a message, which the server writes itself."""
_BODILESS = (204, 304)


@dataclass(eq=False)
class Made:
    """A reply for one call. `raw` are the bytes to send in the place of a body that was parsed for the contract."""

    reply: Reply
    raw: bytes | None = None


@dataclass(eq=False)
class Answer:
    """A compiled response. `is_fixed` tells that it is the same for every call, so that one verdict holds for all."""

    told: Record
    is_templated: bool
    headers: dict[str, str]
    content: bytes | None = None
    off_contract: bool = False

    @property
    def falls_through(self) -> bool:
        """Whether the operation's own stub runs, and this changes its reply."""
        return bool(self.told.get("fall_through"))

    @property
    def status(self) -> int:
        """The status of an answer of its own."""
        return int(self.told.get("status", 200))

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same for every call."""
        return not self.is_templated and not self.falls_through

    @property
    def body_name(self) -> str:
        """Which part of the response says the body."""
        return next((name for name in _BODIES if name in self.told), "body")

    @property
    def fault(self) -> str | None:
        """WireMock's name of the way in which the connection breaks, if it does."""
        return self.told.get("fault")

    def delay_ms(self, chance: Ids) -> float:
        """How long it takes."""
        return float(self.told.get("fixedDelayMilliseconds", 0)) + delays.drawn_ms(self.told.get("delayDistribution"), chance)

    def make(self, operation: Operation | None, plan: ReplyPlan | None, scope: Scope) -> Made:
        """Return the answer to a call; `plan` gives the media type that the document has where the response tells none."""
        told, headers = self.told, self._headers(scope)
        raw: bytes | None = None
        body: JSON = b""
        if "stream" in told:
            return Made(Reply(self.status, self._stream(scope), headers, headers.pop("content-type", EVENTS)))
        if "jsonBody" in told:
            body = templates.render(told["jsonBody"], scope) if self.is_templated else told["jsonBody"]
        elif "body" in told:
            text = templates.render(told["body"], scope) if self.is_templated else told["body"]
            raw = text.encode()
        elif self.content is not None:
            raw = self.content
        media_type = headers.pop("content-type", None) or self._media_type(plan, raw)
        if raw is not None:
            body = raw
            if is_json(media_type) and raw:
                try:
                    body = values.parse(raw)
                except values.NotJSON as error:
                    body = NoJSON(str(error))
        return Made(Reply(self.status, body, headers, media_type), raw)

    def change(self, reply: Reply, scope: Scope) -> Reply:
        """Return the operation's own reply as this changes it: its status, headers, and its body by a merge patch."""
        told, body = self.told, reply.body
        if isinstance(body, Duplex) and told.get("status", reply.status) != reply.status:
            body = b""  # nobody is to talk then
        if "patch" in told and not isinstance(body, (bytes, Stream, Duplex)):
            body = merged(body, templates.render(told["patch"], scope) if self.is_templated else told["patch"])
        headers = self._headers(scope)
        media_type = headers.pop("content-type", reply.media_type)
        return Reply(
            int(told.get("status", reply.status)), body, {**reply.headers, **headers}, media_type,
            reply.problem, reply.kept, reply.due_s,
        )  # fmt: skip

    def _headers(self, scope: Scope) -> dict[str, str]:
        if not self.is_templated:
            return dict(self.headers)
        made = {name: str(templates.render(value, scope)) for name, value in self.headers.items()}
        # A line's end from the request would begin another header.
        return {
            name: re.sub(r"[\r\n]+", " ", value).encode("latin-1", "replace").decode("latin-1") for name, value in made.items()
        }

    def _media_type(self, plan: ReplyPlan | None, raw: bytes | None) -> str:
        """The media type that the document has for the status: for JSON one that is, for a text the only one."""
        response = plan.response(self.status) if plan is not None else None
        listed = [content.media_type for content in response.contents] if response is not None else []
        json_type = next((each for each in listed if is_json(each)), None)
        if raw is None and "jsonBody" in self.told:
            return json_type or JSON_TYPE
        if len(listed) == 1 and not (self.off_contract and is_json(listed[0]) and raw and not _parses(raw)):
            return listed[0]
        if json_type is not None and (not raw or _parses(raw)):
            return json_type
        if listed and not self.off_contract:
            return listed[0]
        return JSON_TYPE if raw and _parses(raw) else "text/plain"

    def _stream(self, scope: Scope) -> Stream:
        told: Record = templates.render(self.told["stream"], scope) if self.is_templated else self.told["stream"]
        start_s = scope.world.clock.seconds() + self.delay_ms(scope.chance) / 1000
        most = told.get("cut_after")
        pause_ms = float(told.get("delay_ms", 0))

        def pieces() -> Iterator[Piece]:
            due_ms, is_paced = 0.0, False
            for at, (data, own_ms) in enumerate(_parts(told)):
                if most is not None and at >= most:
                    return
                due_ms += own_ms if own_ms is not None else pause_ms if at else 0.0
                is_paced = is_paced or due_ms > 0
                yield Piece(data, start_s + due_ms / 1000 if is_paced else None)

        return Stream(pieces(), cut=most is not None)


class NoJSON(str):
    """Stands for a body that is no JSON where the media type says that it is; the text says why."""


def is_json(media_type: str) -> bool:
    """Whether bodies of a media type are JSON."""
    essence = media_type.partition(";")[0].strip().lower()
    return essence == JSON_TYPE or essence.endswith("+json")


def _parses(raw: bytes) -> bool:
    try:
        values.parse(raw)
    except values.NotJSON:
        return False
    return True


def _parts(told: Record) -> Iterator[tuple[bytes, float | None]]:
    """The parts of a stream, each with its own pause before it when it has one."""
    for event in told.get("events") or ():
        lines = [f"{name}: {event[name]}\n" for name in ("event", "id", "retry") if name in event]
        data = event.get("data", "")
        text = data if isinstance(data, str) else values.dump(data).decode()
        lines += [f"data: {line}\n" for line in text.split("\n")]
        yield ("".join(lines) + "\n").encode(), event.get("delay_ms")
    for chunk in told.get("chunks") or ():
        yield chunk.encode(), None


def merged(value: JSON, patch: JSON) -> JSON:
    """Return a value after a JSON merge patch (RFC 7396): objects are merged, null takes out, all else is replaced."""
    if not isinstance(patch, dict):
        return patch
    made = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), change)
    return made


def answer_of(told: Record, refusals: Refusals, place: str = "/response", *, off_contract: bool = False) -> Answer:
    """Return the compiled response of a mapping; what is wrong with it is noted."""
    transformers = told.get("transformers") or []
    for at, name in enumerate(transformers):
        if name != TEMPLATE:
            refusals.add(f"{place}/transformers/{at}", f"{name!r} is not supported; {TEMPLATE} is")
    is_templated = TEMPLATE in transformers
    headers = _checked_headers(told.get("headers") or {}, f"{place}/headers", refusals)
    answer = Answer(told, is_templated, headers, off_contract=off_contract)
    bodies = [name for name in _BODIES if name in told]
    if len(bodies) > 1:
        refusals.add(f"{place}/{bodies[1]}", f"cannot stand beside {bodies[0]}")
    if "base64Body" in told:
        answer.content = matchers.from_base64(told["base64Body"], f"{place}/base64Body", refusals)
    if is_templated:
        for name in ("body", "jsonBody", "headers", "patch", "stream"):
            templates.check(told.get(name), f"{place}/{name}", refusals)
    if answer.falls_through and bodies:
        refusals.add(
            f"{place}/{bodies[0]}", "cannot stand beside fall_through; `patch` changes the body of the operation's reply"
        )
    if "patch" in told and not answer.falls_through:
        refusals.add(f"{place}/patch", "needs fall_through")
    if answer.status in _BODILESS and any(told[name] not in ("", None) for name in bodies):
        refusals.add(f"{place}/{bodies[0]}", f"{answer.status} has no body")
    if "fault" in told and (bodies or answer.falls_through):
        refusals.add(f"{place}/fault", f"cannot stand beside {(bodies or ['fall_through'])[0]}: nothing of it would arrive")
    if "delayDistribution" in told:
        delays.check(told["delayDistribution"], f"{place}/delayDistribution", refusals)
    _check_message(told, f"{place}/statusMessage", refusals)
    _check_stream(told.get("stream"), f"{place}/stream", refusals)
    return answer


def _checked_headers(told: Record, place: str, refusals: Refusals) -> dict[str, str]:
    made: dict[str, str] = {}
    for name, value in told.items():
        at = f"{place}{values.pointer(name)}"
        if name.lower() in _OURS:
            refusals.add(at, "is written by the server; faults can make a message with a wrong length")
        if re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) is None:
            refusals.add(at, "is no name of a header")
        if isinstance(value, list) and name.lower() == "set-cookie" and len(value) > 1:
            refusals.add(at, "can be sent only once")
        text = ", ".join(value) if isinstance(value, list) else value
        if any(ord(sign) > 255 or sign in "\r\n\0" for sign in text):
            refusals.add(at, "holds a sign that no header can")
        made[name.lower()] = text
    return made


def _check_message(told: Record, place: str, refusals: Refusals) -> None:
    """The text of a status cannot be chosen here, so only the usual one may be told."""
    message = told.get("statusMessage")
    if message is not None:
        try:
            usual = HTTPStatus(int(told.get("status", 200))).phrase
        except ValueError:
            usual = ""
        if message != usual:
            refusals.add(place, f"cannot be chosen: the server sends {usual!r}, which HTTP/2 and clients pass over anyway")


def _check_stream(told: Record | None, place: str, refusals: Refusals) -> None:
    if told is None:
        return
    if ("events" in told) == ("chunks" in told):
        refusals.add(place, "needs `events` or `chunks`")
    for at, event in enumerate(told.get("events") or ()):
        for name in ("event", "id"):
            if "\n" in event.get(name, "") or "\r" in event.get(name, ""):
                refusals.add(f"{place}/events/{at}/{name}", "is one line")


def judge(plan: ReplyPlan, reply: Reply, explainer: ReplyExplainer | None) -> list[Violation]:
    """Return how an answer breaks the contract of an operation; nothing when it keeps it."""
    if isinstance(reply.body, NoJSON):
        bare = Reply(reply.status, b"", reply.headers, reply.media_type)
        return [*plan.violations(bare, explainer), Violation("body", "", str(reply.body), "", "decode")]
    found = plan.violations(reply, explainer)
    response = plan.response(reply.status)
    if response is None or isinstance(reply.body, Stream):
        return found
    is_empty = isinstance(reply.body, Duplex) or (isinstance(reply.body, bytes) and not reply.body)
    if not response.contents and not is_empty:
        found.append(Violation("body", "", f"{reply.status} has no body in the document", response.pointer, "content"))
    if response.contents and is_empty and is_json(reply.media_type):
        found.append(Violation("body", "", f"{reply.status} has a body in the document", response.pointer, "missing-body"))
    return found
