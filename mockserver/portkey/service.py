"""Portkey as a service of the engine: identity, words for problems, layouts, seed worlds."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from typing import Any

from mockserver.contract.heads import read_once
from mockserver.contract.operations import Operation
from mockserver.contract.problems import NOT_FOUND, RATE_LIMITED, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls, envelopes, failing, identity, metering, scopes, seeds
from mockserver.portkey.auditing import Auditor
from mockserver.portkey.gateway import configs, exchange, serving
from mockserver.portkey.gateway.proxying import Missed
from mockserver.portkey.log_tallies import Sums, Tally, Traits
from mockserver.portkey.records import LAYOUTS
from mockserver.stubs.service import Perform
from mockserver.values import Record
from mockserver.world.agenda import Due
from mockserver.world.world import World


class PortkeyService:
    """What Portkey adds to the engine."""

    name = "Portkey"
    layouts = LAYOUTS
    stubs = "mockserver.portkey"
    marks = frozenset({"provider", "key"})
    kinds = (Tally, Sums, Traits)

    def __init__(self, document: Record, *, strict: bool) -> None:
        self._strict = strict
        self._document = document
        self._auditor = Auditor(document)

    def identify(
        self, operation: Operation, path: Mapping[str, str], query: bytes, headers: Mapping[bytes, bytes], world: World
    ) -> Any:
        """Return the caller, who may do what they ask for; see `identity`. An operation that is open to all asks nobody.

        A config that cannot be used, or a provider that is not there, beats a missing scope (gateway-data-plane, Request
        pipeline, 6 to 8).
        """
        if not operation.security:
            return identity.STRANGER
        caller = identity.identify(operation, headers, world, strict=self._strict)
        if scopes.is_data_plane(operation.id):
            told = calls.steering(headers)
            if caller is identity.STRANGER and b"x-portkey-config" not in headers:
                caller = read_once(headers, _stranger)
            else:
                caller = identity.Caller(caller.key, configs.chosen(operation, headers, caller, world), told)
            if told.slug:
                exchange.behind(told.slug, caller, world)
        if caller.key is not None:
            identity.authorise(caller, operation, path, world)
        return caller

    def scopes(self, operation: Operation) -> tuple[str, ...]:
        """The scopes that an operation asks for; where any of several will do, they are one."""
        wanted = scopes.OPERATIONS.get(operation.id, scopes.DATA_PLANE)
        told = " or ".join(" and ".join(sorted(each)) for each in wanted)
        return (told,) if told else ()

    def caller_name(self, caller: Any) -> tuple[str, str] | None:
        """The key's id and its name."""
        key = None if caller is None else caller.key
        return None if key is None else (key["id"], key["_wire"]["name"])

    def admit(self, request: Request, operation: Operation, world: World) -> None:
        """Hold a call that a mapping answers to the limits of the provider that it names; others hold themselves to them."""
        if request.answered_by == "mapping" and _is_metered(operation):
            metering.admit(request, world)

    def account(self, request: Request, reply: Reply, operation: Operation, world: World) -> None:
        """Count a call that succeeded; write down what it changed."""
        identity.account(request.caller, world)
        if request.answered_by in ("mapping", "sample") and _is_metered(operation):
            metering.account(request, reply, world)
        if not scopes.is_data_plane(operation.id):
            self._auditor.write(request, reply, operation, world)
        elif world.told:
            self._auditor.write_crossings(request, reply, operation, world)

    def happen(self, due: Due, world: World, perform: Perform) -> None:
        """Let the family say what happens, by its function `happen`."""
        importlib.import_module(f"{self.stubs}.{due.family}").happen(due, world, perform)

    def word(self, problem: Problem, operation: Operation | None) -> Reply:
        """Return the refusal in the words of what was called; see `envelopes`."""
        if isinstance(problem, Missed):
            return problem.reply
        if problem.kind is NOT_FOUND and operation is not None and operation.id == "getModelPricing":
            return envelopes.of_pricing(problem)
        if operation is not None and scopes.is_data_plane(operation.id):
            return envelopes.of_gateway(problem)
        return envelopes.of_control_plane(problem)

    def names(self, mark: str, request: Request, operation: Operation, world: World) -> Collection[str] | None:
        """Return the id and name of a call's key; see `failing`. Whom a call of the data plane asks, the gateway finds out."""
        if mark == "key":
            return failing.names_of_key(request.caller)
        return None if scopes.is_data_plane(operation.id) else ()

    def limited(self, problem: Problem, request: Request, operation: Operation, world: World) -> Problem:
        """Return a refusal of the rate limiter as it would be for the key of a call; see `failing`."""
        return failing.limited(problem, request.caller, world) if problem.kind is RATE_LIMITED else problem

    def seed(self, world: World, fixture: Record) -> None:
        """Fill a new world from a fixture."""
        seeds.plant(world, fixture, self._document)

    def greeting(self, world: World) -> str:
        """The admin key of a seed world, and a workspace's key if it has one: what the real service would ask for."""
        workspace_key = seeds.workspace_key(world)
        of_workspace = "" if workspace_key is None else f", workspace key {workspace_key}"
        return f"admin key {seeds.admin_key(world)}{of_workspace}"

    def credentials(self, world: World) -> dict[str, str]:
        """The admin key of a seed world."""
        return {"x-portkey-api-key": seeds.admin_key(world)}


def _stranger(headers: Mapping[bytes, bytes]) -> identity.Caller:
    return identity.Caller(None, configs.NONE, calls.steering(headers))


def _is_metered(operation: Operation) -> bool:
    """Whether a call reaches a provider past the gateway: it counts as a request, and is held to the provider that it names."""
    return operation.id not in scopes.OPERATIONS and operation.id not in serving.OPERATIONS


def service(document: Record, *, strict: bool) -> PortkeyService:
    """Return the service of the shipped document; `strict` takes only keys that the world knows."""
    return PortkeyService(document, strict=strict)
