"""Entries of the journal as people see them: everything that the server found out of a call, and no secret."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote_plus

from mockserver.contract.contract import Contract
from mockserver.contract.operations import Operation
from mockserver.contract.secrets import REDACTED, Veil, holds_secrets, is_secret_name, safe_header
from mockserver.control.bodies import Bodies
from mockserver.values import Record
from mockserver.world.journal import Entry, unpack
from mockserver.world.secrets import Secrets
from mockserver.world.world import World

_CLIENTS_FAULT = frozenset(
    ("no-such-path", "method-not-allowed", "invalid-request", "unsupported-media-type", "body-too-large", "invalid-world")
)
"""Kinds of problems that say that the request broke the contract."""
_MOCKS_FAULT = frozenset(("mock-broke-contract", "mock-failed"))
_TESTERS = frozenset(("mapping", "fault"))
"""Kinds of stubs that testers set."""


class Verdict(NamedTuple):
    """What was found of a call: its request `kept` or `broke` the contract, or was `unchecked` when it did not come to that.

    So for the reply, which is `unchecked` where a tester wanted it so or broke it on its way. `blame` is whose doing it is that
    the call did not succeed: `client`, `service` (it would fail as well), `mock` (a defect) or `stub` (a tester's own mapping
    or fault); None when it did.
    """

    request: str
    reply: str
    blame: str | None


def verdict(entry: Entry) -> Verdict:
    """Return the verdict on a call."""
    if entry.problem in _MOCKS_FAULT:
        return Verdict("kept" if entry.checked else "unchecked", "broke", "mock")
    request = "broke" if entry.problem in _CLIENTS_FAULT else "kept" if entry.checked else "unchecked"
    if entry.problem == "stub-broke-contract":
        return Verdict(request, "broke", "stub")
    struck = entry.ending not in (None, "whole") and (entry.fault is not None or entry.mapping is not None)
    reply = "unchecked" if entry.operation is None or entry.forborne or struck else "kept"
    if struck or (entry.stub in _TESTERS and entry.status >= 400):
        return Verdict(request, reply, "stub")
    blame = None if entry.status < 400 else "client" if entry.status < 500 else "service"
    return Verdict(request, reply, blame)


class Exhibit:
    """Shows entries of calls to the operations of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._operations = {operation.id: operation for operation in contract.operations}
        self._document = contract.document
        self._bodies = Bodies(contract.document)
        self._known: tuple[Secrets, int, Veil] = (Secrets(), 0, Veil(()))  # of the world that was last looked at

    def operation(self, entry: Entry) -> Operation | None:
        """The operation that was called, None when there is no such one."""
        return self._operations.get(entry.operation or "")

    def show(self, entry: Entry, world: World) -> Record:
        """Return an entry as JSON, secrets taken out: those that are named or documented so, and those that the world knows."""
        found: set[str] = set()
        shown = self._show(entry, world.name, found)
        for veil in (self.veil(world), Veil(found)):
            _veil(shown, veil)
        return shown

    def reveal(self, entry: Entry, world: World) -> Record:
        """Return an entry as JSON with the secrets in it."""
        return self._show(entry, world.name, None)

    def veil(self, world: World) -> Veil:
        """What takes the secrets that a world knows out of anything else that is shown of it."""
        self._learn(world)
        secrets, version, veil = self._known
        if secrets is not world.secrets or version != secrets.version:
            veil = Veil(world.secrets)
            self._known = (world.secrets, world.secrets.version, veil)
        return veil

    def _learn(self, world: World) -> None:
        """Remember what was sent or answered as a secret in calls that nobody has looked at yet.

        It may stand in other calls, as free text. Only calls of operations that know secrets are read, and each once.
        """
        journal = world.journal
        learnt = latest = journal.learnt
        if learnt + 1 == journal.next_number:
            return
        for entry in journal.newest():
            if entry.number <= learnt:
                break
            latest = max(latest, entry.number)
            operation = self.operation(entry)
            if operation is not None and self._bodies.hold_secrets(operation):
                found: set[str] = set()
                self._bodies.request(entry, operation, found)
                self._bodies.reply(entry, operation, found)
                world.secrets.update(found)
        journal.learnt = latest

    def _show(self, entry: Entry, world: str, found: set[str] | None) -> Record:
        """`found` takes up the secrets that are taken out; None leaves them where they are."""
        operation = self.operation(entry)
        judged = verdict(entry)
        path, path_values = entry.path, _path_values(operation, entry)
        if found is not None:
            for name in self._marked(operation, "path"):
                found.add(path_values[name])
                path, path_values[name] = path.replace(path_values[name], REDACTED), REDACTED
        query = entry.query.decode("latin-1")
        return {
            "number": entry.number,
            "at": timestamp(entry.at_s),
            "started_at": timestamp(time.time() - time.perf_counter() + entry.started),
            "world": world,
            "method": entry.method,
            "path": path,
            "query": query if found is None else _safe_query(query, self._marked(operation, "query"), found),
            "operation": entry.operation,
            "family": None if operation is None else operation.family,
            "path_parameters": path_values,
            "caller": None if entry.caller is None else {"id": entry.caller[0], "name": entry.caller[1]},
            "status": entry.status,
            "duration_us": entry.duration_us,
            "due_at": None if entry.due_s is None else timestamp(entry.due_s),
            "verdict": judged._asdict(),
            "stub": None if entry.stub is None else {"kind": entry.stub, "mapping": entry.mapping, "fault": entry.fault},
            "problem": entry.problem,
            "detail": entry.detail,
            "violations": [violation.as_json() for violation in entry.violations],
            "stream": None if entry.chunks is None else {"chunks": entry.chunks},
            "ending": entry.ending or "whole",
            "request": {
                "headers": self._headers(entry.request_headers, self._marked(operation, "header"), found),
                "body": self._bodies.request(entry, operation, found),
                "size": entry.request_size,
                "truncated": entry.request_size > len(entry.request_body),
            },
            "reply": {
                "headers": self._headers(entry.reply_headers, frozenset(), found),
                "body": self._bodies.reply(entry, operation, found),
                "size": entry.reply_size,
                "truncated": entry.reply_size > len(entry.reply_body),
            },
        }

    def _marked(self, operation: Operation | None, location: str) -> list[str]:
        """The names of an operation's parameters that the document marks as secrets."""
        if operation is None:
            return []
        parameters = (each for each in operation.parameters if each.location == location)
        return [each.key for each in parameters if holds_secrets(each.schema, self._document)]

    def _headers(self, packed: bytes, documented: Collection[str], found: set[str] | None) -> dict[str, str]:
        return dict(safe_headers_of(packed, documented, found))


def _veil(shown: Record, veil: Veil) -> None:
    """Take secrets out of what a client can have put into an entry. All else is the mock's own words, which must stay."""
    for name in ("path", "query", "path_parameters", "detail"):
        shown[name] = veil.over(shown[name])
    if shown["caller"] is not None:
        shown["caller"]["name"] = veil.text(shown["caller"]["name"])
    for violation in shown["violations"]:
        violation |= {name: veil.text(violation[name]) for name in ("pointer", "message")}
    for message in (shown["request"], shown["reply"]):
        message |= {name: veil.over(message[name]) for name in ("headers", "body")}


def safe_headers_of(packed: bytes, documented: Collection[str], found: set[str] | None) -> list[tuple[str, str]]:
    """Return packed headers as they may be shown; those that are secrets are added to `found`, which None leaves alone."""
    pairs = unpack(packed)
    if found is None:
        return pairs
    return [(name, _safe_header(name, value, documented, found)) for name, value in pairs]


def timestamp(at_s: float) -> str:
    """Write a time to the millisecond."""
    moment = datetime.fromtimestamp(at_s, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _safe_header(name: str, value: str, documented: Collection[str], found: set[str]) -> str:
    if name in documented or is_secret_name(name):
        # The scheme of `Bearer …` and the names of cookies are none, but too short or too plain to be taken out elsewhere.
        found.update(piece.partition("=")[2] or piece for piece in value.replace(";", " ").split())
        return REDACTED
    return safe_header(name, value, found)


def _safe_query(query: str, documented: Collection[str], found: set[str]) -> str:
    return "&".join(_safe_pair(pair, documented, found) for pair in query.split("&"))


def _safe_pair(pair: str, documented: Collection[str], found: set[str]) -> str:
    name, equals, value = pair.partition("=")
    if not equals or not (unquote_plus(name) in documented or is_secret_name(unquote_plus(name))):
        return pair
    found.update((value, unquote_plus(value)))
    return f"{name}={REDACTED}"


def _path_values(operation: Operation | None, entry: Entry) -> dict[str, str]:
    """The texts of the path parameters, in the order of the template."""
    if operation is None:
        return {}
    return dict(zip(re.findall(r"\{([^}]*)\}", operation.path), entry.path_values, strict=True))
