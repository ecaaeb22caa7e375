"""Who calls, and whether they may: keys that the world knows are held to all that they are.

Source: gateway-data-plane, Authentication (which header counts) and Request pipeline (the order: key, budget and expiry,
rate, scope); identity-and-access, Errors (AB05, AB03).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mockserver.contract.heads import read_once
from mockserver.contract.operations import Operation
from mockserver.contract.problems import UNAUTHENTICATED, Problem
from mockserver.portkey import due, limits, scopes
from mockserver.portkey.records import forbidden, is_dead
from mockserver.values import Record
from mockserver.world.world import World


@dataclass(slots=True)
class Caller:
    """Who calls. `key` is None for a key that the world does not know: an admin of the organisation, unlimited.

    `config` is what the gateway has made of a call's config, and `told` what it has read in its headers, for calls of the data
    plane. `drawn_id` is the id that a key goes by which the world does not know, where its secret is not at hand any more.
    """

    key: Record | None
    config: Any = None
    told: Any = None
    drawn_id: str = ""

    @property
    def workspace_id(self) -> str | None:
        """The workspace that the caller is bound to, None for an admin of the organisation."""
        return None if self.key is None else self.key["workspace_id"]

    @property
    def user_id(self) -> str | None:
        """The person behind the call, if any."""
        return None if self.key is None else self.key["user_id"]

    def holds(self, *wanted: str) -> bool:
        """Whether the caller has all of these scopes. What only an organisation's key may hold means nothing on another."""
        if self.key is None:
            return True
        held = self.key["_wire"]["scopes"]
        bound = self.key["workspace_id"] is not None
        return all(scope in held and not (bound and scope in scopes.ADMIN_ONLY) for scope in wanted)

    def reach(self, workspace_id: str | None) -> None:
        """Refuse what lies in another workspace, or in none, to a key that is bound to one.

        Source: identity-and-access, Errors (AB03 when the object is not in the caller's workspace).
        """
        if self.workspace_id is not None and workspace_id != self.workspace_id:
            raise forbidden()


STRANGER = Caller(None)


@lru_cache(maxsize=1024)
def digest(secret: str) -> str:
    """Return what is stored of a secret. Remembered, since every call asks for that of its own key."""
    return hashlib.blake2b(secret.encode(), digest_size=16).hexdigest()


def secret_of(headers: Mapping[bytes, bytes]) -> str:
    """Return the key that a call carries, empty when it carries none.

    `x-portkey-api-key` counts; a bearer alone is the key as well. Source: gateway-data-plane, Authentication.
    """
    given = headers.get(b"x-portkey-api-key")
    if given is None:
        word, _, given = headers.get(b"authorization", b"").partition(b" ")
        if word.lower() != b"bearer":
            return ""
    return given.decode("latin-1").strip()


def _digest_of(headers: Mapping[bytes, bytes]) -> str:
    secret = secret_of(headers)
    return digest(secret) if secret else ""


def identify(operation: Operation, headers: Mapping[bytes, bytes], world: World, *, strict: bool) -> Caller:
    """Return the caller. Fails: `unauthenticated`, `exhausted`, `rate-limited`, in this order."""
    hashed = read_once(headers, _digest_of)
    if not hashed:
        raise Problem(UNAUTHENTICATED, "Unauthorised Request")
    key = world["api_keys"].find("_secrets", hashed)
    if key is not None:
        key = due.settle(world, "api_keys", key)
    if key is None or hashed not in key["_secrets"]:  # the time of an old secret beside the new one may just be over
        if strict or is_dead(world, hashed):
            raise Problem(UNAUTHENTICATED, "Invalid API key")
        return STRANGER
    _admit(key, world, free=_is_free(operation))
    return Caller(key)


def authorise(caller: Caller, operation: Operation, path: Mapping[str, str], world: World) -> None:
    """Refuse a caller who lacks the scope of an operation. Fails: `forbidden`."""
    if caller.key is not None:
        wanted = scopes.OPERATIONS.get(operation.id, scopes.DATA_PLANE)
        if wanted and not any(caller.holds(*each) for each in _resolved(wanted, path, world)):
            raise forbidden()


@lru_cache(maxsize=1024)
def _is_free(operation: Operation) -> bool:
    """Whether neither budgets nor rates hold for an operation.

    Source: gateway-data-plane, Request pipeline (3: reading batches, files and fine-tuning jobs, and what lies below logs).
    """
    reads = operation.method == "get" and operation.path.startswith(("/batches", "/files", "/fine_tuning"))
    return reads or "/logs/" in operation.path


def account(caller: Caller, world: World) -> None:
    """Count a call that succeeded against the rates of its key and of the key's workspace."""
    if caller.key is not None:
        for subject, record in _subjects(caller.key, world):
            limits.count_rates(record["_wire"]["rate_limits"], subject, world, requests=1)


def spend(caller: Caller, cost: float, tokens: int, world: World) -> None:
    """Count what a call has used, in US dollars and tokens, against the limits of its key and of the key's workspace."""
    if caller.key is not None:
        for subject, record in _subjects(caller.key, world):
            limits.count_rates(record["_wire"]["rate_limits"], subject, world, tokens=tokens)
            due.spend(world, "api_keys" if record is caller.key else "workspaces", record["id"], cost, tokens)


def _admit(key: Record, world: World, *, free: bool) -> None:
    if key["_wire"]["status"] == "expired":
        raise Problem(UNAUTHENTICATED, "Portkey API Key Expired")
    for _, record in _subjects(key, world):
        if record["status"] == "archived":
            raise Problem(UNAUTHENTICATED, "Portkey Workspace Expired")
    if free:
        return
    for _, record in _subjects(key, world):
        if record["status"] == "exhausted":
            raise limits.exhausted("API Key" if record is key else "Workspace")
    for subject, record in _subjects(key, world):
        rates = record["_wire"]["rate_limits"]
        if rates:
            what = "apikey" if record is key else "workspace"
            name = key["_wire"]["key"] if record is key else record["slug"]
            limits.check_rates(rates, subject, f"{what} {limits.mask_name(name)} rate limit exceeded", world)


def _subjects(key: Record, world: World) -> list[tuple[str, Record]]:
    """The key and its workspace: whose limits hold for a call."""
    subjects = [(f"key:{key['id']}", key)]
    workspace = world["workspaces"].get(key["workspace_id"]) if key["workspace_id"] else None
    if workspace is not None:
        subjects.append((f"workspace:{workspace['id']}", due.settle(world, "workspaces", workspace)))
    return subjects


def _resolved(wanted: scopes.Wanted, path: Mapping[str, str], world: World) -> scopes.Wanted:
    if not any("{kind}" in scope for each in wanted for scope in each):
        return wanted
    if "sub-type" in path:
        kind = f"{path['type']}-{path['sub-type']}"
        kinds = [scopes.KEY_KINDS[kind]] if kind in scopes.KEY_KINDS else []
    else:
        key = world["api_keys"].get(path.get("id", ""))
        kinds = [scopes.KEY_KINDS[key["_wire"]["type"]]] if key is not None else []
    # A key that is not there, or a list, can be of any kind; which of them are shown is the family's affair.
    return tuple(
        frozenset(scope.format(kind=kind) for scope in each) for each in wanted for kind in kinds or scopes.KEY_KINDS.values()
    )
