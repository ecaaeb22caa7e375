"""All that testers set: mappings, scenarios and faults."""

from __future__ import annotations

from mockserver.control.faults import Faults
from mockserver.control.mappings import Mappings


class Setting(Mappings, Faults):
    """The operations of all of them, by the names of their stubs."""
