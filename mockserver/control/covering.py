"""What the calls of worlds touched of the served document: collected when somebody asks, off the way of calls."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from mockserver.contract.contract import Contract
from mockserver.coverage.collecting import Collector
from mockserver.coverage.items import Universe
from mockserver.coverage.measuring import as_json, measure
from mockserver.coverage.witness import of_entry
from mockserver.stubs.service import Service
from mockserver.values import Record
from mockserver.world.journal import Journal


@dataclass
class _Covered:
    """What was collected of a journal, up to which call, and how often calls had been taken out of it by then."""

    journal: Journal
    losses: int
    collector: Collector
    latest: int = 0


class Coverings:
    """The coverage of worlds. Each call is looked at once, as long as none is taken out of the journal."""

    def __init__(self, contract: Contract, base_path: str, service: Service) -> None:
        scopes = {each: service.scopes(each) for each in contract.operations}
        self._universe = Universe(contract, scopes)
        self._base_path = base_path
        self._worlds: dict[str, _Covered] = {}
        self._busy = threading.Lock()

    def tell(self, name: str, journal: Journal, *, holes: bool) -> Record:
        """Return the coverage of a world, as `mockserver coverage` reads and writes it. Can be called in any thread."""
        with self._busy:
            known = self._worlds.get(name)
            if known is None or known.journal is not journal or known.losses != journal.losses:
                collector = Collector(self._universe.contract, self._base_path, self._universe)
                known = self._worlds[name] = _Covered(journal, journal.losses, collector)
            for entry in journal.oldest():
                if entry.number > known.latest:
                    known.collector.take(of_entry(entry))
                    known.latest = entry.number
            return as_json(measure(known.collector, holes=holes), known.collector, holes=holes)
