"""What faults may name of a call: its key; and how the rate limiter refuses when a fault has it do so."""

from __future__ import annotations

from collections.abc import Collection

from mockserver.contract.problems import Problem
from mockserver.portkey import limits
from mockserver.portkey.identity import Caller
from mockserver.values import Record
from mockserver.world.world import World

_UNIT = "rpm"
"""The window that a key without rates is refused by; *chosen*."""


def names_of_key(caller: Caller) -> Collection[str]:
    """Return the id and the name of the key that a call is made with; none for a key that the world does not know."""
    key = caller.key
    return () if key is None else (key["id"], str(key["_wire"].get("name") or ""))


def limited(problem: Problem, caller: Caller, world: World) -> Problem:
    """Return a refusal as `limits.check_rates` words and times it: by the first rate of the key, else of its workspace."""
    key = caller.key
    workspace = world["workspaces"].get(caller.workspace_id or "")
    holders: list[Record] = [each for each in (key, workspace) if each is not None]
    rate = next((rate for holder in holders for rate in holder["_wire"].get("rate_limits") or ()), None)
    unit = _UNIT if rate is None else rate["unit"]
    problem.headers.setdefault("retry-after", str(limits.wait_s(unit, world)))
    if key is not None and problem.detail == problem.kind.title:
        problem.detail = f"apikey {limits.mask_name(key['_wire']['key'])} rate limit exceeded"
    return problem
