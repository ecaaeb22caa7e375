"""Portkey as a service of the engine: identity, words for problems, layouts, seed worlds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.contract import problems
from mockserver.contract.operations import Operation
from mockserver.contract.problems import Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import identity, metering, scopes, seeds
from mockserver.portkey.records import LAYOUTS
from mockserver.values import Record
from mockserver.world.world import World

_CODES = {
    problems.INVALID_REQUEST: ("AB01", "invalid_request_error"),
    problems.UNSUPPORTED_MEDIA_TYPE: ("AB01", "invalid_request_error"),
    problems.BODY_TOO_LARGE: ("AB01", "invalid_request_error"),
    problems.INVALID_WORLD: ("AB01", "invalid_request_error"),
    problems.METHOD_NOT_ALLOWED: ("AB01", "invalid_request_error"),
    problems.UNAUTHENTICATED: ("AB05", "authentication_error"),
    problems.FORBIDDEN: ("AB03", "permission_error"),
    problems.EXHAUSTED: ("04", "usage_limit_error"),
    problems.RATE_LIMITED: ("AB06", "rate_limit_error"),
    problems.NOT_FOUND: ("AB08", "not_found_error"),
    problems.NO_SUCH_PATH: ("AB08", "not_found_error"),
    problems.CONFLICT: ("AB07", "conflict_error"),
    problems.MOCK_BROKE_CONTRACT: ("AB04", "server_error"),
    problems.MOCK_FAILED: ("AB04", "server_error"),
}
"""Kind of problem to Portkey's code (identity-and-access, Errors: code table) and to OpenAI's type of error (*chosen*)."""


class PortkeyService:
    """What Portkey adds to the engine."""

    name = "Portkey"
    layouts = LAYOUTS
    stubs = "mockserver.portkey"

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict

    def identify(
        self, operation: Operation, path: Mapping[str, str], query: bytes, headers: Mapping[bytes, bytes], world: World
    ) -> Any:
        """Return the caller; see `identity`. Operations without security are open to all, with whatever key or none."""
        if not operation.security:
            return identity.STRANGER
        return identity.identify(operation, path, headers, world, strict=self._strict)

    def admit(self, request: Request, operation: Operation, world: World) -> None:
        """Hold a call of the data plane to the limits of the provider that it names."""
        if operation.id not in scopes.OPERATIONS:
            metering.admit(request, world)

    def account(self, request: Request, reply: Reply, operation: Operation, world: World) -> None:
        """Count a call that succeeded, and what it used."""
        identity.account(request.caller, world)
        if operation.id not in scopes.OPERATIONS:
            metering.account(request, reply, world)

    def word(self, problem: Problem, operation: Operation | None) -> Reply:
        """Return the control plane's envelope, with what the SDKs read beside it.

        Source: identity-and-access, Errors (`data`); sdk-call-map 8.2 and 12 (`error` and `message` serve all clients);
        sdk-call-map 8.3 (a 5xx of ours carries the header that keeps the SDKs from hiding it behind a retry).
        """
        code, kind = _CODES[problem.kind]
        code, kind = problem.code or code, problem.type or kind
        data: Record = {"message": problem.detail, "errorCode": code}
        if problem.violations:
            data["violations"] = [violation.as_json() for violation in problem.violations]
        first = problem.violations[0].pointer.strip("/") if len(problem.violations) == 1 else ""
        error = {"message": problem.detail, "type": kind, "param": first or None, "code": code}
        body = {"success": False, "message": problem.detail, "data": data, "error": error}
        headers = dict(problem.headers)
        if problem.kind.status >= 500:
            headers["x-portkey-gateway-exception"] = "true"
        return Reply(problem.kind.status, body, headers, problem=problem.kind.name)

    def seed(self, world: World, fixture: Record) -> None:
        """Fill a new world from a fixture."""
        seeds.plant(world, fixture)

    def greeting(self, world: World) -> str:
        """The admin key of a seed world."""
        return f"admin key {seeds.admin_key(world)}"

    def credentials(self, world: World) -> dict[str, str]:
        """The admin key of a seed world."""
        return {"x-portkey-api-key": seeds.admin_key(world)}


def service(*, strict: bool) -> PortkeyService:
    """Return the service; `strict` takes only keys that the world knows."""
    return PortkeyService(strict=strict)
