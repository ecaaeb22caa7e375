"""Writes down who changed what in the control plane: one record for each call that changes something and succeeds.

Source of every rule that names none: governance-mcp-observability, Audit logs. *chosen*: calls that fail leave no record,
since no refused call changes a world.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from mockserver.contract import normalising
from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.contract.secrets import holds_secrets, is_secret_name, redact
from mockserver.portkey import calls
from mockserver.portkey.records import mask
from mockserver.values import JSON, Record
from mockserver.world.collection import Change
from mockserver.world.journal import Event
from mockserver.world.world import World

COLLECTION = "audit_logs"
MOST, BATCH = 2000, 200
"""How many records a world keeps, and how many more it lets come before the oldest go.

*chosen*: the service keeps all; here every create pays for what is kept, and twice as much at ten thousand.
"""

_NO_CHANGES = frozenset({"createFeedback", "updateFeedback", "createLog", "testMcpIntegration", "McpServers_test"})
"""What reports calls, and what only tries something: no changes of the control plane (*chosen*)."""

_CROSSINGS = ("usage-threshold", "usage-exhausted")

_METHODS = {"post": "create", "put": "update", "delete": "delete"}
_ACTIONS = {
    "rotateApiKey": "rotate",
    "updatePromptDefault": "publish",
    "updatePromptPartialDefault": "publish",
    "startLogExport": "export",
    "cancelLogExport": "update",
    "resendUserInvite": "update",
    "syncMcpIntegration": "update",
    "syncMcpServerMetadata": "update",
    "syncMcpServerCapabilities": "update",
}
"""What an operation does, where its method does not say it (the words are the documented filter's)."""


class Kind(NamedTuple):
    """What all calls of an operation have in common.

    `call`: method, path with its variables, what the operation is about, what it does. `secrets`: the schemas of its bodies
    when there are secrets in them, else nothing.
    """

    call: tuple[str, str, str, str]
    secrets: list[JSON]


class Auditor:
    """Writes the records of one document's operations."""

    def __init__(self, document: Record) -> None:
        self._document = document
        self._base = normalising.base_path(document)
        self._kinds: dict[str, Kind | None] = {}

    def write(self, request: Request, reply: Reply, operation: Operation, world: World) -> None:
        """Write down what a call of the control plane changed, if it is one that changes something."""
        try:
            kind = self._kinds[operation.id]
        except KeyError:
            kind = self._kinds[operation.id] = self._kind(operation)
        if kind is not None:
            changes = self._merged(world.changes, kind.secrets)
            self._add(request, reply, world, kind, self._redacted(request.body, kind.secrets), changes)

    def write_crossings(self, request: Request, reply: Reply, operation: Operation, world: World) -> None:
        """Write down each limit that a call of the data plane came to.

        *chosen*: as an update of what has the limit, and without the call's body, which may be a conversation.
        """
        for event in world.told:
            if event.kind in _CROSSINGS and operation.method in _METHODS:
                resource = _holder(event, world.changes)
                kind = Kind((operation.method.upper(), self._base + operation.path, resource, "update"), [])
                changes: list[Change] = [(resource, str(event.details["about"].get("id")), None, event.details)]
                self._add(request, reply, world, kind, None, changes)

    def _add(self, request: Request, reply: Reply, world: World, kind: Kind, body: JSON, changes: list[Change]) -> None:
        number = (world.facts.get("audited") or 0) + 1
        world.facts.put("audited", number)
        caller = request.caller
        user_id = caller.user_id
        logs = world[COLLECTION]
        # Parts of the call as they are: `audit_logs` makes of them what a read shows.
        logs.add(
            {
                "id": str(number),
                "created_at": world.clock.timestamp(),
                "call": kind.call,
                "request": (request.path, request.query, _masked(tuple(request.headers.items())), body),
                "status": reply.status,
                "who": ("api_key", calls.key_id(request)) if user_id is None else ("user", user_id),
                "workspace_id": caller.workspace_id or _workspace_of(changes),
                "changes": changes,
            }
        )
        if len(logs) >= MOST + BATCH:
            logs.drop_oldest(BATCH)

    def _kind(self, operation: Operation) -> Kind | None:
        """What is known of an operation before it is called; None when it changes nothing."""
        if operation.method not in _METHODS or operation.id in _NO_CHANGES:
            return None
        schemas = [content.schema for content in operation.body.contents] if operation.body else []
        secrets = schemas if any(holds_secrets(schema, self._document) for schema in schemas) else []
        action = _ACTIONS.get(operation.id) or _METHODS[operation.method]
        return Kind((operation.method.upper(), self._base + operation.path, operation.family, action), secrets)

    def _redacted(self, value: JSON, schemas: list[JSON]) -> JSON:
        for schema in schemas:
            value = redact(value, schema, self._document)
        return value

    def _merged(self, changes: Sequence[Change], secrets: list[JSON]) -> list[Change]:
        """Each record that was written, once: as reads showed it before all that was written, and after."""
        if len(changes) == 1:
            ((name, key, before, after),) = changes
            return [(name, key, self._shown(before, secrets), self._shown(after, secrets))]
        merged: dict[tuple[str, str], Change] = {}
        for name, key, before, after in changes:
            earlier = merged.get((name, key))
            first = self._shown(before, secrets) if earlier is None else earlier[2]
            merged[name, key] = (name, key, first, self._shown(after, secrets))
        return list(merged.values())

    def _shown(self, record: Record | None, secrets: list[JSON]) -> Record | None:
        """A record as reads show it. What is the mock's own stays out; a record that is as it was sent is redacted as that."""
        if record is None:
            return None
        wire: Record | None = record.get("_wire")
        if wire is not None:
            return wire
        shown: Record = self._redacted({name: value for name, value in record.items() if not name.startswith("_")}, secrets)
        return shown


def _holder(event: Event, changes: Iterable[Change]) -> str:
    """The collection of what has the limit that an event is about."""
    about = event.details["about"]
    if about.get("object") == "policy_usage_limits":
        return "usage_limits_policies"
    return next((name for name, key, _, _ in changes if key == about.get("id")), "integrations")


def _workspace_of(changes: list[Change]) -> str | None:
    """The workspace that a change lies in: that of the first record which tells one."""
    for name, key, before, after in changes:
        found = key if name == "workspaces" else (after or before or {}).get("workspace_id")
        if found is not None:
            return str(found)
    return None


@lru_cache(maxsize=256)
def _masked(headers: tuple[tuple[bytes, bytes], ...]) -> dict[str, str]:
    """Headers as they are shown. Remembered, since a client sends the same again and again."""
    shown = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    return {name: _hidden(value) if is_secret_name(name) else value for name, value in shown.items()}


def _hidden(secret: str) -> str:
    return mask(secret) if len(secret) >= _LONG else "*****"


_LONG = 10
"""From how many characters on a mask still hides most of a secret."""
