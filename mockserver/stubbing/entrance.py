"""The way in to what testers set: whether anything is set in a world, and who looks after it, loaded when something is.

Most servers never need the rest of this room, and none needs it for its first answer.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mockserver.contract.contract import Contract
from mockserver.contract.operations import Operation
from mockserver.contract.requests import Request
from mockserver.stubs.service import Headers, Service
from mockserver.world.world import World

if TYPE_CHECKING:
    from mockserver.stubbing.faults import Pending
    from mockserver.stubbing.stubbing import Stubbing

REVISION = "_stubbing"
"""The fact that names what is set in a world, for what is kept of it outside: absent when nothing is."""


def is_used(world: World) -> bool:
    """Whether anything is set in a world."""
    return world.facts.get(REVISION) is not None


class Entrance:
    """The way in, for one served document."""

    def __init__(self, contract: Contract, base_path: str, service: Service) -> None:
        self._made_of = (contract, base_path, service)

    def pending(
        self, operation: Operation, path_values: dict[str, str], headers: Headers, body: bytes, request: Request, world: World
    ) -> tuple[Pending, ...]:
        """Return the faults that wait for the provider of a call that the service makes of itself; see `Stubbing.pending`."""
        if not is_used(world):
            return ()
        from mockserver.stubbing.asked import Asked

        path = self._made_of[1] + operation.path.format_map(path_values)
        asked = Asked(operation.method, path, b"", list(headers.items()), body, operation, self._made_of[1], path_values)
        return self.stubbing.pending(asked, world, request)

    @cached_property
    def stubbing(self) -> Stubbing:
        """Who looks after it."""
        from mockserver.stubbing.stubbing import Stubbing

        return Stubbing(*self._made_of)
