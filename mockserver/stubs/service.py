"""What one API adds to the engine, and what an API does that adds nothing."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol, TypeAlias

from mockserver.contract.operations import Operation
from mockserver.contract.problems import RATE_LIMITED, UNAUTHENTICATED, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.stubs.sampling import Sampler, Source
from mockserver.values import JSON, Record
from mockserver.world.agenda import Due
from mockserver.world.clock import Clock
from mockserver.world.collection import Layout
from mockserver.world.ids import Ids
from mockserver.world.world import World

Stub: TypeAlias = Callable[[Request, World], Reply]
"""Turns a request that keeps the contract, and a world, into a reply. It refuses by raising `Problem`."""

Ready: TypeAlias = Callable[[Request, World, "asyncio.Future[Any]"], Awaitable[None]]
"""Returns when a stub may be run, or when the client has left, which the future tells. Other calls go on meanwhile."""

Planter: TypeAlias = Callable[[str, Record, World], None]
"""Puts an entry of a fixture, of a collection by its name, into a world. Raises `ValueError`."""

Headers: TypeAlias = Mapping[bytes, bytes]


Perform: TypeAlias = Callable[[str, dict[str, str], Headers, JSON, World], Reply]
"""Calls an operation from inside: its id, values of its path, headers, JSON body. A refusal is a reply as well."""


class PendingFault(Protocol):
    """A fault that a tester set for a provider: whether it strikes shows when the operation asks one."""

    def take(self, names: Collection[str], world: World) -> Record | None:
        """Return how a provider that goes by these names fails now, None when it does not.

        With `delay_ms`, and `error` (`status`; `message`, `type`, `code`, `retry_after_s` as far as told) or `after_events`.
        """
        ...


class Service(Protocol):
    """What one API adds: who calls, how it words problems, how its collections are laid out, its own stubs.

    `stubs` is the package whose modules hold a family's functions, one module a family, one function an operation; None
    when there is none. `marks` are what it knows of a call beyond the document, for faults: `provider`, `key`. `kinds` are
    the classes whose instances its worlds hold, beside JSON; see `world/packing.py`.
    """

    name: str
    layouts: Mapping[str, Layout]
    stubs: str | None
    marks: frozenset[str]
    kinds: tuple[type, ...]

    def identify(self, operation: Operation, path: Mapping[str, str], query: bytes, headers: Headers, world: World) -> Any:
        """Return who calls, or raise `Problem`. Nothing is validated yet: `path` holds decoded texts."""
        ...

    def scopes(self, operation: Operation) -> tuple[str, ...]:
        """The scopes that an operation asks for, as people read them; those that the document names need not be told."""
        ...

    def caller_name(self, caller: Any) -> tuple[str, str] | None:
        """The id and the name of whose credentials a call carries, None for nobody whom the world knows. Never a secret."""
        ...

    def admit(self, request: Request, operation: Operation, world: World) -> None:
        """Refuse a call that keeps the contract, and may be made, for what it asks for, by raising `Problem`."""
        ...

    def account(self, request: Request, reply: Reply, operation: Operation, world: World) -> None:
        """Count a call that succeeded."""
        ...

    def happen(self, due: Due, world: World, perform: Perform) -> None:
        """Let happen what the agenda says; the clock shows when it was due."""
        ...

    def word(self, problem: Problem, operation: Operation | None) -> Reply:
        """Return the API's own reply for a problem; `operation` is None when the call was not routed."""
        ...

    def names(self, mark: str, request: Request, operation: Operation, world: World) -> Collection[str] | None:
        """Return the names by which the provider or key of a call goes, ids among them, no secrets.

        None where only the operation finds out whom it asks: it then looks at `request.faults` itself.
        """
        ...

    def limited(self, problem: Problem, request: Request, operation: Operation, world: World) -> Problem:
        """Return the problem of a fault with what the service adds to such a refusal: of a limiter, how long to wait."""
        ...

    def seed(self, world: World, fixture: Record) -> None:
        """Fill a new world from a fixture's value. Raises `FixtureError`."""
        ...

    def greeting(self, world: World) -> str:
        """What a person needs to know to make the first call, in half a line; empty when nothing."""
        ...

    def credentials(self, world: World) -> dict[str, str]:
        """The headers of a caller whom a seed world knows and lets do everything."""
        ...


_NO_CHANCE = Source(Ids(0), Clock())
"""Refusals need no ids of a world, and must not draw any."""


class FixtureError(ValueError):
    """A fixture that cannot be used: `path` is the place in it, as keys and indexes."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


class PlainService:
    """An API without code of its own: credentials are looked for as the document says, problems are RFC 9457."""

    stubs: str | None = None
    marks: frozenset[str] = frozenset()
    kinds: tuple[type, ...] = ()

    def __init__(self, document: Record, plant: Planter | None = None, sampler: Sampler | None = None) -> None:
        """`plant` puts an entry of a fixture into a world, `sampler` makes refusals in the document's own shapes."""
        info = document.get("info")
        self.name = str((info.get("title") if isinstance(info, dict) else None) or "API")
        self.layouts: Mapping[str, Layout] = {}
        self._plant = plant
        self._sampler = sampler
        components = document.get("components")
        self._schemes: dict[str, Record] = (components.get("securitySchemes") if isinstance(components, dict) else None) or {}

    def identify(self, operation: Operation, path: Mapping[str, str], query: bytes, headers: Headers, world: World) -> Any:
        """Ask for the credentials of one of the alternatives; which they are does not matter."""
        if not operation.security:
            return None
        for alternative in operation.security:
            if all(self._present(self._schemes[name], query, headers) for name in alternative):
                return alternative
        wanted = " or ".join(" and ".join(alternative) for alternative in operation.security)
        raise Problem(UNAUTHENTICATED, f"Credentials are missing: {wanted}", headers={"www-authenticate": "Mock"})

    def scopes(self, operation: Operation) -> tuple[str, ...]:
        """None beyond those of the document."""
        return ()

    def caller_name(self, caller: Any) -> tuple[str, str] | None:
        """Nobody is known."""
        return None

    def ready(self, operation: Operation) -> Ready | None:
        """What an operation's stub waits for: nothing."""
        return None

    def admit(self, request: Request, operation: Operation, world: World) -> None:
        """Nothing is refused."""

    def account(self, request: Request, reply: Reply, operation: Operation, world: World) -> None:
        """Nothing is counted."""

    def happen(self, due: Due, world: World, perform: Perform) -> None:
        """Nothing is on the agenda."""

    def word(self, problem: Problem, operation: Operation | None) -> Reply:
        """Return an RFC 9457 problem document, or the document's own form of an error where it has one."""
        body: Record = {
            "type": f"urn:mockserver:{problem.kind.name}",
            "title": problem.kind.title,
            "status": problem.status,
            "detail": problem.detail,
        }
        if problem.violations:
            body["violations"] = [violation.as_json() for violation in problem.violations]
        reply = Reply(problem.status, body, dict(problem.headers), "application/problem+json", problem.kind.name)
        return reply if operation is None else self._reword(reply, problem, operation)

    def names(self, mark: str, request: Request, operation: Operation, world: World) -> Collection[str] | None:
        """A document alone tells of no providers, and of no keys by name."""
        return ()

    def limited(self, problem: Problem, request: Request, operation: Operation, world: World) -> Problem:
        """Tell how long the minute goes on; *chosen*, since there is no limiter whose window it could be."""
        if problem.kind is RATE_LIMITED and "retry-after" not in problem.headers:
            problem.headers["retry-after"] = str(60 - int(world.clock.seconds()) % 60)
        return problem

    def _reword(self, reply: Reply, problem: Problem, operation: Operation) -> Reply:
        """Put a refusal into the words of the document where it has its own for this status."""
        status = str(reply.status)
        responses = operation.responses
        response = responses.get(status) or responses.get(f"{status[0]}XX") or responses.get("default")
        if response is None or self._sampler is None:
            return reply
        by_type = {content.media_type: content for content in response.contents}
        content = by_type.get(reply.media_type) or next((c for t, c in by_type.items() if "json" in t), None)
        if content is None:
            return reply
        schema = content.schema or {}
        if not self._sampler.accepts(schema, reply.body):
            said = {"message": problem.detail, "detail": problem.detail, "error": problem.detail, "status": reply.status,
                    "title": problem.kind.title, "code": problem.kind.name}  # fmt: skip
            reply.body = self._overlaid(self._sampler.sample(schema, _NO_CHANCE), said, schema)
        reply.media_type = content.media_type
        return reply

    def _overlaid(self, sample: JSON, said: Record, schema: Record) -> JSON:
        """The sample with what is to be said where it has a place for it, as far as the schema takes it."""
        if not isinstance(sample, dict) or self._sampler is None:
            return sample
        made = dict(sample)
        for name, value in sample.items():
            tried = {**made, name: self._overlaid(value, said, {}) if isinstance(value, dict) else said.get(name, value)}
            if self._sampler.accepts(schema, tried):
                made = tried
        return made

    def seed(self, world: World, fixture: Record) -> None:
        """Put the fixture's entries into the collections that it names."""
        for name, entries in fixture.items():
            if not isinstance(entries, list):
                raise FixtureError((name,), "a list of records is needed here")
            for at, entry in enumerate(entries):
                if not isinstance(entry, dict) or self._plant is None:
                    raise FixtureError((name, at), "a record is an object")
                try:
                    self._plant(name, entry, world)
                except ValueError as error:
                    raise FixtureError((name, at), str(error)) from error

    def greeting(self, world: World) -> str:
        """Nothing needs to be known."""
        return ""

    def credentials(self, world: World) -> dict[str, str]:
        """Any credentials do."""
        headers = {"authorization": "Bearer any"}
        for scheme in self._schemes.values():
            if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                headers[str(scheme.get("name"))] = "any"
        return headers

    def _present(self, scheme: Record, query: bytes, headers: Headers) -> bool:
        kind, where, name = scheme.get("type"), scheme.get("in"), str(scheme.get("name", ""))
        if kind == "apiKey":
            if where == "header":
                return bool(headers.get(name.lower().encode()))
            if where == "cookie":
                return f"{name}=".encode() in headers.get(b"cookie", b"")
            return any(piece.partition(b"=")[0] == name.encode() for piece in query.split(b"&"))
        text = headers.get(b"authorization", b"")
        word, _, credentials = text.partition(b" ")
        if kind == "http" and scheme.get("scheme") == "basic":
            return word.lower() == b"basic" and _is_base64(credentials)
        return word.lower() == b"bearer" and bool(credentials.strip())


def _is_base64(text: bytes) -> bool:
    try:
        return b":" in base64.b64decode(text, validate=True)
    except ValueError:
        return False
