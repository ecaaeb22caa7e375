"""Recorded exchanges as a fixture: of each resource that was seen, the last state that was seen of it.

A list shows its rows, a create what it answers and was given, an update what it changes; a delete takes away. What the
service keeps in another form than the API shows is put into its form by the service's own code (`data.recorded_sections`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from mockserver import data, values
from mockserver.app import App, Settings
from mockserver.contract.secrets import REDACTED
from mockserver.stubs.inference import Resource, Role
from mockserver.stubs.resources import ResourceStubs
from mockserver.stubs.service import FixtureError
from mockserver.traffic.exchange import Exchange, Payload
from mockserver.traffic.judging import Judge
from mockserver.values import JSON, Record

_Key = tuple[str, ...]


class Seen:
    """The resources of a document as traffic shows them."""

    def __init__(self, app: App) -> None:
        self._roles = ResourceStubs(app.document, app.contract.operations).roles
        self._judge = Judge(app.contract)
        self.records: dict[Resource, dict[_Key, Record]] = {}

    def look(self, exchange: Exchange) -> None:
        """Take from an exchange what it shows of resources; nothing unless it succeeded."""
        route = self._judge.route(exchange)
        if route is None or route.entry is None or exchange.status is None or not 200 <= exchange.status < 300:
            return
        role = self._roles.get(route.entry.operation)
        if role is None:
            return
        given, told = _value(exchange.body), _inside(_value(exchange.reply_body), role)
        if role.kind == "list":
            for row in told if isinstance(told, list) else ():
                self._see(role.resource, route.values, row)
        elif role.kind == "delete":
            own = route.values.get(role.resource.parameter)
            self.records.get(role.resource, {}).pop(_key(role.resource, route.values, own), None)
        elif role.kind == "create":
            self._see(role.resource, route.values, {**_fields(given), **_fields(told)})
        elif role.kind in ("merge", "replace"):
            known = self._known(role.resource, route.values)
            self._see(role.resource, route.values, {**known, **_fields(given), **_shown(told, role)})
        elif role.kind in ("read", "act"):
            self._see(role.resource, route.values, {**self._known(role.resource, route.values), **_shown(told, role)})

    def _known(self, resource: Resource, path: dict[str, str]) -> Record:
        return self.records.get(resource, {}).get(_key(resource, path, path.get(resource.parameter)), {})

    def _see(self, resource: Resource, path: dict[str, str], record: JSON) -> None:
        if not isinstance(record, dict) or not record:
            return
        own = record.get(resource.key, path.get(resource.parameter))
        if own is None or own == REDACTED:
            return
        parents = {name: path[name] for name in resource.parents if name in path}
        key = _key(resource, path, own)
        held = self.records.setdefault(resource, {})
        held[key] = {**held.get(key, {}), **parents, **_plain(record), resource.key: own}


def _key(resource: Resource, path: dict[str, str], own: object) -> _Key:
    return (*(path.get(name, "") for name in resource.parents), str(own))


def _value(body: Payload) -> JSON:
    try:
        return values.parse(body.data) if body.data and not body.gap else None
    except values.NotJSON:
        return None


def _inside(value: JSON, role: Role) -> JSON:
    for name in role.inside:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _fields(value: JSON) -> Record:
    return value if isinstance(value, dict) else {}


def _shown(value: JSON, role: Role) -> Record:
    """A reply that is the record; one without its key says something else, such as that all went well."""
    fields = _fields(value)
    return fields if role.resource.key in fields else {}


def _plain(value: JSON) -> JSON:
    """A value without the members of which only a placeholder is known."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if not (isinstance(item, str) and REDACTED in item)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def fixture(exchanges: Iterable[Exchange], document: Path | None, tell: Callable[[str], object]) -> Record:
    """Return a fixture that the server starts with; `tell` is given what had to be left out, and why."""
    is_shipped = document is None or document.resolve() == data.DOCUMENT.resolve()
    app = App(Settings(document=document, fixture="empty" if is_shipped else None, explain=False))
    seen = Seen(app)
    for exchange in exchanges:
        seen.look(exchange)
    found = {resource.name: list(held.values()) for resource, held in seen.records.items() if held}
    made = data.recorded_sections(found, tell) if is_shipped else found
    return _loadable(made, app, tell)


def _named(rows: JSON, at: object, section: str) -> str:
    row = rows[at] if isinstance(at, int) and isinstance(rows, list) else {}
    told = next((str(row[name]) for name in ("name", "email", "slug", "id") if name in row), "")
    return f"{told} of {section}" if told else section


def _loadable(made: Record, app: App, tell: Callable[[str], object]) -> Record:
    """Leave out, one after the other, what a world cannot be seeded with."""
    while True:
        try:
            app.service.seed(app.worlds.get("recorded"), made)
        except FixtureError as error:
            section, at = str(error.path[0]), error.path[1] if len(error.path) > 1 else None
            tell(f"left out: {_named(made[section], at, section)}: {error}")
            rows = [row for index, row in enumerate(made[section]) if at is not None and index != at]
            made = {**made, section: rows} if rows else {name: rows for name, rows in made.items() if name != section}
        else:
            return made
        finally:
            app.worlds.delete("recorded")
