"""One call on its way through the steps: what each of them found out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from mockserver.contract.heads import Head
from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply, ReplyPlan
from mockserver.contract.requests import Request, RequestPlan
from mockserver.stubbing.entrance import Entrance
from mockserver.stubs.demand import Demands
from mockserver.stubs.service import Ready, Service, Stub
from mockserver.world.world import World

BREAK_OFF = "mockserver.break_off"
"""The ASGI extension of a server that can break off a reply: a function, to be called in place of the last message."""
HEAD = "mockserver.head"
"""Where a server that has read the same headers before puts them into the scope as a `Head`."""
WHOLE = "mockserver.whole"
"""Where a server that has the whole body of a request puts it into the scope, beside telling it on demand."""


@dataclass(eq=False)
class Target:
    """All that a routed call needs to know of its operation."""

    operation: Operation
    request: RequestPlan
    reply: ReplyPlan
    service: Service
    explainer: Any
    demands: Demands
    journalled: bool
    unknown: Stub | None = None
    """What answers for a record that is not there, when the server was told to sample those."""
    stub: Stub | None = None
    kind: str | None = None
    """Which kind of stub it is: family, resource or sample."""
    ready: Ready | None = None
    """What is waited for before the stub is run."""
    entrance: Entrance | None = None
    """What testers set, for operations of the served document."""


class Call:
    """A call. Steps read what the steps before them have set, and set what is theirs.

    `request` is there once it is known to keep the contract. `mapping` and `fault` are the ids of a tester's own that had a
    hand in the reply; of the fault, once the reply is on its way.
    """

    KEY: ClassVar[str] = "mockserver.call"

    __slots__ = (
        "body", "body_size", "caller", "fault", "fields", "forbearing", "headers", "is_socket", "mapping", "method", "path",
        "path_values", "problem", "query", "reply", "request", "spoils", "started", "strike", "target",
        "world", "world_name",
    )  # fmt: skip

    def __init__(self, scope: Any) -> None:
        self.started = time.perf_counter()
        self.is_socket: bool = scope["type"] == "websocket"
        self.method: str = "GET" if self.is_socket else scope["method"]  # which a handshake always is
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: Head = scope.get(HEAD) or Head(scope["headers"])
        self.world_name: str | None = None
        self.target: Target | None = None
        self.path_values: dict[str, str] = {}
        self.world: World | None = None
        self.caller: Any = None
        self.body = b""
        self.body_size: int | None = None  # of a body that is not kept whole
        self.fields: dict[str, list[str]] | None = None  # of a form that uploads files
        self.reply: Reply | None = None
        self.problem: Any = None
        self.request: Request | None = None
        self.mapping: str | None = None
        self.fault: str | None = None
        self.strike: Callable[[Reply], tuple[Reply, str | None]] | None = None
        """What becomes of the reply on its way out, and by which fault, when a tester has set a fault or the like."""
        self.spoils = False
        """Whether that makes a body which nobody can read."""
        self.forbearing = False
        """Whether a tester wants a reply that the document does not have."""
