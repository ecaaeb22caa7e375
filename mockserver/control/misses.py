"""The stubs of near misses: what calls, or requests and patterns that a tester tells, came close to."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.control import near
from mockserver.control.exhibit import Exhibit
from mockserver.control.finding import OWN, Finder
from mockserver.control.journal import led_nowhere
from mockserver.stubbing.asked import Asked
from mockserver.values import Record
from mockserver.world.world import World


class Misses:
    """Near misses among the operations of one document and the mappings of worlds."""

    def __init__(self, operations: Iterable[Operation], base_path: str, finder: Finder, exhibit: Exhibit) -> None:
        self._operations = operations
        self._base = base_path
        self._finder = finder
        self._exhibit = exhibit

    def of_calls(self, request: Request, world: World) -> Reply:
        """Show what the calls that led nowhere came close to, newest call first."""
        entries = [entry for entry in world.journal.newest() if led_nowhere(entry)][: request.query["limit"]]
        found = []
        for entry in entries:
            shown = self._exhibit.show(entry, world)
            found += self._near(self._finder.looked_at(entry, shown), shown, world)
        return Reply(200, {"nearMisses": found})

    def of_request(self, request: Request, world: World) -> Reply:
        """Show what a request comes close to that nobody has made."""
        fields = request.fields
        method = fields.get("method", "GET").upper()
        path, _, query = fields["url"].partition("?")
        headers = [(name.lower().encode(), value.encode()) for name, value in fields.get("headers", {}).items()]
        body = fields.get("body", "").encode()
        asked = Asked(
            method,
            unquote(path),
            query.encode(),
            headers,
            body,
            self._finder.routed(method, path),
            self._base,
        )
        shown = {name: self._exhibit.veil(world).over(value) for name, value in fields.items()}
        return Reply(200, {"nearMisses": self._near(near.Looked(asked, asked), shown, world)})

    def of_pattern(self, request: Request, world: World) -> Reply:
        """Show which calls come close to a pattern. What the journal alone knows of says which calls are looked at."""
        pattern = self._finder.pattern(request.fields)
        own = {name: value for name, value in request.fields.items() if name in OWN and name != "path"}
        is_meant = self._finder.by_pattern(own, world)
        found = []
        for entry in filter(is_meant, world.journal.newest()):
            asked = self._finder.asked(entry)
            missed = near.miss(pattern, near.Looked(asked, asked), world)
            if missed is not None:
                found.append((missed.distance, entry))
        result = []
        for _, entry in sorted(found, key=lambda each: each[0])[: near.MOST]:
            shown = self._exhibit.show(entry, world)
            missed = near.miss(pattern, self._finder.looked_at(entry, shown), world)
            assert missed is not None
            result.append({"request": shown, "matchResult": missed.as_json(self._exhibit.veil(world))})
        return Reply(200, {"nearMisses": result})

    def _near(self, call: near.Looked, shown: Record, world: World) -> list[Record]:
        """The mappings, and where no operation got the call the operations, that it came close to."""
        veil = self._exhibit.veil(world)
        found: list[Record] = [
            {"request": shown, "stubMapping": veil.over(definition), "matchResult": missed.as_json(veil)}
            for definition, missed in near.mappings(call, world)
        ]
        for operation, missed in near.operations(self._operations, call) if call.asked.operation is None else ():
            told = {"id": operation.id, "method": operation.method.upper(), "path": operation.path}
            found.append({"request": shown, "operation": told, "matchResult": missed.as_json(veil)})
        return sorted(found, key=lambda each: float(each["matchResult"]["distance"]))
