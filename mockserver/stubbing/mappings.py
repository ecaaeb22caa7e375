"""Mappings: which calls they answer, and with what. WireMock's word for what a tester sets in the place of a stub."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.contract.violations import Violation
from mockserver.stubbing import effects, scenarios
from mockserver.stubbing.answers import Answer, answer_of
from mockserver.stubbing.asked import Asked
from mockserver.stubbing.matching import Pattern, pattern_of
from mockserver.stubbing.occasions import Occasion, occasion_of
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.shelf import MAPPINGS, Counts, Shelf, chance_of
from mockserver.stubbing.templates import key_reader
from mockserver.values import Record
from mockserver.world.world import World

SHELF = Shelf(MAPPINGS)
PRIORITY = 5
"""Of a mapping that tells none, as WireMock has it; 1 comes first."""


@dataclass(eq=False)
class Mapping:
    """A compiled mapping. `operations` are those that it may answer, None where that shows only in a call."""

    id: str
    definition: Record
    pattern: Pattern
    occasion: Occasion
    answer: Answer
    priority: int
    expires_at_s: float | None
    operations: frozenset[Operation] | None
    scenario_key: Callable[[Asked, World], str]
    verdicts: dict[Operation, list[Violation]] = field(default_factory=dict)
    """How a fixed answer breaks the contract of an operation, as far as that was found out."""

    @property
    def off_contract(self) -> bool:
        """Whether it may answer what the document does not have."""
        return bool(self.definition.get("off_contract"))

    def is_over(self, world: World) -> bool:
        """Whether it has expired, or was used as often as it may be."""
        if self.expires_at_s is not None and world.clock.seconds() >= self.expires_at_s:
            return True
        return self.occasion.is_over(SHELF.counts(world, self.id))

    def takes(self, asked: Asked, world: World) -> int | None:
        """Count a call that fits; return its number when it is answered, and move the scenario on; else None."""
        if self.is_over(world) or not self.pattern.fits(asked, world):
            return None
        counts = SHELF.counts(world, self.id)
        matched = counts.matched + 1
        used = self.occasion.takes(self.id, matched, world)
        SHELF.count(world, self.id, Counts(matched, counts.used + used))
        if not used:
            return None
        state = self.definition.get("newScenarioState")
        if state is not None:
            scenarios.set_state(world, self.definition["scenarioName"], state, self.scenario_key(asked, world))
        return matched

    def struck(self, reply: Reply, world: World, matched: int) -> Reply:
        """Return what becomes of a reply on its way: its delay, its dribbling, a broken connection."""
        told, chance = self.answer.told, chance_of(world, f"{self.id}/bytes", matched)
        if "stream" not in told:  # whose pieces are late by themselves
            reply = effects.delayed(reply, self.answer.delay_ms(chance_of(world, f"{self.id}/delay", matched)), world)
        if "chunkedDribbleDelay" in told:
            dribble = told["chunkedDribbleDelay"]
            return effects.dribbled(reply, dribble["numberOfChunks"], dribble["totalDuration"], world)
        strikes: dict[str | None, Callable[[], Reply]] = {
            "CONNECTION_RESET_BY_PEER": lambda: effects.reset(reply),
            "EMPTY_RESPONSE": lambda: effects.empty(reply),
            "MALFORMED_RESPONSE_CHUNK": lambda: effects.bad_chunk(reply, chance),
            "RANDOM_DATA_THEN_CLOSE": lambda: effects.garbage(reply, chance),
        }
        return strikes[self.answer.fault]() if self.answer.fault in strikes else reply


def compiled(kept: Record, operations: Iterable[Operation] | None) -> Mapping:
    """Return the mapping that a shelf keeps."""
    definition: Record = kept["definition"]
    refusals = Refusals()  # what is wrong was refused when it was set
    return Mapping(
        kept["id"],
        definition,
        pattern_of(definition, refusals),
        occasion_of(definition, definition.get("request") or {}),
        answer_of(definition.get("response") or {}, refusals, off_contract=bool(definition.get("off_contract"))),
        definition.get("priority", PRIORITY),
        kept["expires_at_s"],
        None if operations is None else frozenset(operations),
        key_reader(definition.get("scenarioKey"), "/scenarioKey", refusals),
    )
