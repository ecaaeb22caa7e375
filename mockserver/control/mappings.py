"""Mappings and scenarios, as WireMock's users set them."""

from __future__ import annotations

from collections.abc import Iterable

from mockserver import values
from mockserver.contract.problems import NOT_FOUND, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.stubbing import matchers, scenarios
from mockserver.stubbing.mappings import PRIORITY, SHELF
from mockserver.stubbing.matchers import Subject
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.scenarios import STARTED
from mockserver.stubbing.stubbing import Stubbing, find
from mockserver.values import Record
from mockserver.world.world import World

_TAKEN = ("reset", "import", "unmatched", "find-by-metadata", "remove-by-metadata")
"""What cannot be an id, since the paths lead elsewhere."""


class Mappings:
    """The operations under `/mappings` and `/scenarios`. All act on the call's own world."""

    def __init__(self, stubbing: Stubbing) -> None:
        self._stubbing = stubbing

    def list_mappings(self, request: Request, world: World) -> Reply:
        """Show the mappings in the order in which they are tried."""
        found = _in_order(world)
        if request.query["unmatched"]:
            found = _unused(found, world)
        return self._listed(found, world, request.query["offset"], request.query["limit"])

    def add_mapping(self, request: Request, world: World) -> Reply:
        """Set a mapping. Fails: `invalid-request` for what makes no sense or is not in the document."""
        return Reply(201, self._set(request.fields, world))

    def clear_mappings(self, request: Request, world: World) -> Reply:
        """Forget all mappings, and the states of scenarios."""
        SHELF.clear(world)
        scenarios.reset(world)
        return Reply(200, {})

    def reset_mappings(self, request: Request, world: World) -> Reply:
        """The same: no mapping is persistent."""
        return self.clear_mappings(request, world)

    def import_mappings(self, request: Request, world: World) -> Reply:
        """Set many mappings, all or none. Fails: as one does, with its number in front of each place."""
        options: Record = request.fields.get("importOptions") or {}
        made = []
        named = []
        for at, definition in enumerate(request.fields["mappings"]):
            id_ = definition.get("id") or definition.get("uuid")
            if options.get("duplicatePolicy") == "IGNORE" and id_ is not None and world[SHELF.collection].get(id_) is not None:
                named.append(id_)
                continue
            try:
                made.append(self._set(definition, world))
            except Problem as problem:
                for place, violation in enumerate(problem.violations):
                    problem.violations[place] = violation._replace(pointer=f"/mappings/{at}{violation.pointer}")
                raise
            named.append(made[-1]["id"])
        if options.get("deleteAllNotInImport"):
            for kept in SHELF.kept(world):
                if kept["id"] not in named:
                    SHELF.remove(world, kept["id"])
        return Reply(200, {"mappings": made, "meta": {"total": len(made)}})

    def list_unmatched_mappings(self, request: Request, world: World) -> Reply:
        """Show the mappings that were never used."""
        return self._listed(_unused(_in_order(world), world), world)

    def remove_unmatched_mappings(self, request: Request, world: World) -> Reply:
        """Forget the mappings that were never used."""
        return _removed(_unused(_in_order(world), world), world)

    def find_mappings_by_metadata(self, request: Request, world: World) -> Reply:
        """Show the mappings whose metadata fit a matcher. Fails: `invalid-request` for one that is none."""
        return self._listed(_described(request, world), world)

    def remove_mappings_by_metadata(self, request: Request, world: World) -> Reply:
        """Forget the mappings whose metadata fit a matcher. Fails: `invalid-request` for one that is none."""
        return _removed(_described(request, world), world)

    def get_mapping(self, request: Request, world: World) -> Reply:
        """Show a mapping. Fails: `not-found`."""
        return Reply(200, self._stubbing.shown(world, find(SHELF, world, request.path["id"], "mapping")))

    def replace_mapping(self, request: Request, world: World) -> Reply:
        """Put another in its place. Fails: `not-found`; `invalid-request` as setting one does."""
        id_ = find(SHELF, world, request.path["id"], "mapping")["id"]
        check_id(request.fields, id_)
        return Reply(200, self._set({**request.fields, "id": id_}, world))

    def delete_mapping(self, request: Request, world: World) -> Reply:
        """Forget a mapping. Fails: `not-found`."""
        SHELF.remove(world, find(SHELF, world, request.path["id"], "mapping")["id"])
        return Reply(200, {})

    def list_scenarios(self, request: Request, world: World) -> Reply:
        """Show the scenarios that mappings name."""
        return Reply(200, {"scenarios": [_scenario(name, world) for name in _scenario_names(world)]})

    def reset_scenarios(self, request: Request, world: World) -> Reply:
        """Put all scenarios back to the first state, those of resources too."""
        scenarios.reset(world)
        return Reply(200, {})

    def set_scenario_state(self, request: Request, world: World) -> Reply:
        """Put a scenario into a state. Fails: `not-found`; `invalid-request` for a state that no mapping names."""
        name = request.path["name"]
        if name not in _scenario_names(world):
            raise Problem(NOT_FOUND, f"No mapping of world {world.name} names the scenario {name}")
        state = request.fields.get("state", STARTED)
        possible = _scenario(name, world)["possibleStates"]
        if state not in possible:
            raise invalid("body", "/state", f"is no state of {name}, only {', '.join(possible)}")
        scenarios.set_state(world, name, state, request.fields.get("key", ""))
        return Reply(200, {})

    def _set(self, definition: Record, world: World) -> Record:
        check_id(definition, definition.get("id"))
        if definition.get("id", definition.get("uuid")) in _TAKEN:
            raise invalid("body", "/id", f"cannot be one of {', '.join(_TAKEN)}")
        return self._stubbing.set_mapping(world, definition)

    def _listed(self, found: list[Record], world: World, offset: int = 0, limit: int | None = None) -> Reply:
        page = found[offset:] if limit is None else found[offset : offset + limit]
        shown = [self._stubbing.shown(world, kept) for kept in page]
        return Reply(200, {"mappings": shown, "meta": {"total": len(found)}})


def check_id(definition: Record, id_: str | None) -> None:
    """Refuse a definition that names itself twice, or otherwise than its path does."""
    for name in ("id", "uuid"):
        if id_ is not None and definition.get(name, id_) != id_:
            raise invalid("body", f"/{name}", f"is not {id_}")


def _in_order(world: World) -> list[Record]:
    return sorted(SHELF.kept(world), key=lambda kept: kept["definition"].get("priority", PRIORITY))


def _unused(found: list[Record], world: World) -> list[Record]:
    return [kept for kept in found if not SHELF.counts(world, kept["id"]).used]


def _removed(found: Iterable[Record], world: World) -> Reply:
    for kept in found:
        SHELF.remove(world, kept["id"])
    return Reply(200, {})


def _described(request: Request, world: World) -> list[Record]:
    refusals = Refusals()
    fits = matchers.compiled(request.fields, "", refusals)
    refusals.check("matcher")
    told = [(kept, kept["definition"].get("metadata")) for kept in _in_order(world)]
    return [kept for kept, metadata in told if fits(Subject(None if metadata is None else values.dump(metadata), metadata))]


def _scenario_names(world: World) -> list[str]:
    named = (kept["definition"].get("scenarioName") for kept in SHELF.kept(world))
    return sorted({name for name in named if name is not None})


def _scenario(name: str, world: World) -> Record:
    members = [kept for kept in SHELF.kept(world) if kept["definition"].get("scenarioName") == name]
    told = [
        kept["definition"][part]
        for kept in reversed(members)
        for part in ("requiredScenarioState", "newScenarioState")
        if part in kept["definition"]
    ]
    states = scenarios.keyed_states(world, name)
    return {
        "id": name,
        "name": name,
        "state": states.pop("", STARTED),
        "possibleStates": list(dict.fromkeys([STARTED, *told])),
        "keys": states,
        "mappings": [kept["id"] for kept in members],
    }
