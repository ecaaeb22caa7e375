"""What a test sees of its world, through the admin API: records, clock, calls. The same wherever the server runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, overload
from urllib.parse import quote, urlencode

from mockserver.values import JSON, Record

Ask: TypeAlias = Callable[..., JSON]
"""Calls the admin API of one world: `ask(method, path, body)` returns the value, `missing=…` what a 404 stands for."""

_WORLD = re.compile(r"^/worlds/[^/]+")
_LOOK_S = 0.01
_ALL = 100_000
_MOST = 10
"""Calls that a failure lists."""


class Records:
    """The collections of a world: `world["api_keys"]`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __getitem__(self, name: str) -> RecordCollection:
        """A collection, empty when nothing was put into it yet."""
        return RecordCollection(self._ask, name)

    def __iter__(self) -> Iterator[str]:
        """The names of the collections that hold something."""
        return iter(self._ask("GET", "/records")["collections"])

    def __repr__(self) -> str:
        return f"Records({self._ask('GET', '/records')['collections']})"


class RecordCollection:
    """Records by key, newest first, without their secrets. What is written is written as it is."""

    def __init__(self, ask: Ask, name: str) -> None:
        self._ask = ask
        self._name = name
        self._path = f"/records/{quote(name, safe='')}"

    def get(self, key: str) -> Record | None:
        """Return the record with this key, or None."""
        found: Record | None = self._ask("GET", self._at(key), missing=None)
        return found

    def find(self, field: str, value: JSON) -> Record | None:
        """Return the newest record with this value in this field, or None."""
        return next(self.newest(**{field: value}), None)

    def newest(self, **fields: JSON) -> Iterator[Record]:
        """All records, or those that have these values in these fields, newest first, as they are now."""
        first = next(iter(fields.items()), None)
        query: Record = {"limit": _ALL}
        if first is not None:
            query |= {"field": first[0], "value": _text(first[1])}
        told = self._ask("GET", f"{self._path}?{urlencode(query)}", missing={"records": []})
        return (record for record in told["records"] if all(record.get(name) == value for name, value in fields.items()))

    def add(self, record: Record) -> None:
        """Put a new record in. Raises `AdminError` when its key or a unique value is taken."""
        self._ask("POST", self._path, record)

    def replace(self, key: str, record: Record) -> None:
        """Put a record in the place of the one with this key, which must be there."""
        self._ask("PUT", self._at(key), record)

    def remove(self, key: str) -> None:
        """Take a record out, which must be there; nothing goes with it."""
        self._ask("DELETE", self._at(key))

    def __len__(self) -> int:
        return int(self._ask("GET", f"{self._path}?limit=1", missing={"total": 0})["total"])

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Iterator[Record]:
        return self.newest()

    def __repr__(self) -> str:
        return f"<{len(self)} records of {self._name}>"

    def _at(self, key: str) -> str:
        return f"{self._path}/{quote(key, safe='')}"


class WorldClock:
    """The time of a world."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def now(self) -> datetime:
        """The time, aware, in UTC, to the millisecond."""
        return datetime.fromisoformat(self._ask("GET", "/clock")["now"]).astimezone(UTC)

    def seconds(self) -> float:
        """Seconds since the epoch."""
        return self.now().timestamp()

    def timestamp(self) -> str:
        """The time as Portkey writes it: `2026-05-03T17:08:55.000Z`, to the second."""
        return f"{self.now():%Y-%m-%dT%H:%M:%S}.000Z"

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return bool(self._ask("GET", "/clock")["frozen"])

    def freeze(self, at: datetime | str | None = None) -> None:
        """Stand still, now or at a given time."""
        self._set(at, frozen=True)

    def run(self, since: datetime | str | None = None) -> None:
        """Run on from where it stands, or from a given time."""
        self._set(since, frozen=False)

    def set(self, at: datetime | str) -> None:
        """Show a time; running or frozen as before."""
        self._ask("PUT", "/clock", {"now": _written(at)})

    def move(self, by: timedelta | float) -> None:
        """Move forward by a span or by so many seconds, back for a negative one; running or frozen as before."""
        self._ask("POST", "/clock/move", {"seconds": by.total_seconds() if isinstance(by, timedelta) else by})

    def __repr__(self) -> str:
        return f"<clock at {self.timestamp()}, {'frozen' if self.frozen else 'running'}>"

    def _set(self, at: datetime | str | None, *, frozen: bool) -> None:
        self._ask("PUT", "/clock", {"frozen": frozen} | ({} if at is None else {"now": _written(at)}))


class RecordedCall(dict[str, Any]):
    """A call as the admin API shows it, secrets taken out: `call["operation"]`, and by attributes what is asked for most."""

    @property
    def number(self) -> int:
        """Its number in the world, from 1 on."""
        return int(self["number"])

    @property
    def operation(self) -> str | None:
        """The operationId; None when the document has no such path or method."""
        found: str | None = self["operation"]
        return found

    @property
    def method(self) -> str:
        """The method, in capitals."""
        return str(self["method"])

    @property
    def path(self) -> str:
        """The path as it was sent, with the world in front where the base URL names it."""
        return str(self["path"])

    @property
    def status(self) -> int:
        """The status of the reply."""
        return int(self["status"])

    @property
    def json(self) -> JSON:
        """The body of the request: its value, or the text when it is no JSON."""
        return self["request"]["body"]

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request, names in lower case."""
        headers: dict[str, str] = self["request"]["headers"]
        return headers

    @property
    def reply(self) -> JSON:
        """The body of the reply."""
        return self["reply"]["body"]

    @property
    def problem(self) -> str | None:
        """The kind of problem that it was refused for."""
        found: str | None = self["problem"]
        return found

    @property
    def violations(self) -> list[Record]:
        """How it broke the contract: each with its place in the request and in the document."""
        found: list[Record] = self["violations"]
        return found

    def __str__(self) -> str:
        named = f" {self.operation}" if self.operation else ""
        refused = f" ({self.problem})" if self.problem else ""
        path = _WORLD.sub("", self.path, count=1)
        return f"#{self.number} {self.method} {path}{named} -> {self.status}{refused}"


class Calls:
    """The calls to a world, oldest first, as they were when it was asked for them. Filters give fewer."""

    def __init__(self, calls: list[RecordedCall], again: Callable[[], Calls], told: str = "") -> None:
        self._calls = calls
        self._again = again
        self._told = told

    @overload
    def __getitem__(self, at: int) -> RecordedCall: ...
    @overload
    def __getitem__(self, at: slice) -> list[RecordedCall]: ...
    def __getitem__(self, at: int | slice) -> RecordedCall | list[RecordedCall]:
        """The call at a place, -1 for the last."""
        return self._calls[at]

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[RecordedCall]:
        return iter(self._calls)

    def __repr__(self) -> str:
        return f"<{len(self)} calls{self._told}>"

    def of(self, operation: str, **fields: JSON) -> Calls:
        """Those of an operation, by its operationId, and with these values in these fields of the request's body."""

        def fits(call: RecordedCall) -> bool:
            body = call.json if isinstance(call.json, dict) else {}
            return call.operation == operation and all(name in body and body[name] == fields[name] for name in fields)

        shown = ", ".join([operation, *(f"{name}={value!r}" for name, value in fields.items())])
        return self.where(fits, f" of {shown}")

    def where(self, fits: Callable[[RecordedCall], bool], told: str = "") -> Calls:
        """Those for which a function holds."""
        found = [call for call in self._calls if fits(call)]
        return Calls(found, lambda: self._again().where(fits, told), self._told + told)

    def refused(self) -> Calls:
        """Those that were answered with 400 or more."""
        return self.where(lambda call: call.status >= 400, " refused")

    def count(self, operation: str, **fields: JSON) -> int:
        """How many calls `of` finds."""
        return len(self.of(operation, **fields))

    def wait_for(self, operation: str, *, times: int = 1, timeout_s: float = 5.0, **fields: JSON) -> Calls:
        """Return the calls that `of` finds as soon as there are so many; AssertionError after `timeout_s` real seconds.

        For clients that call in the background.
        """
        __tracebackhide__ = True
        until = time.monotonic() + timeout_s
        calls = self
        while len(found := calls.of(operation, **fields)) < times:
            if time.monotonic() > until:
                raise AssertionError(_missed(found, calls, operation, fields, f"{times} within {timeout_s:g} s"))
            time.sleep(_LOOK_S)
            calls = self._again()
        return found

    def assert_made(self, operation: str, *, times: int | None = None, **fields: JSON) -> Calls:
        """Return the calls that `of` finds. AssertionError when there is none, or another number than `times`."""
        __tracebackhide__ = True
        found = self.of(operation, **fields)
        if not len(found) if times is None else len(found) != times:
            raise AssertionError(_missed(found, self, operation, fields, "at least one" if times is None else f"{times}"))
        return found

    def assert_none(self, operation: str, **fields: JSON) -> None:
        """AssertionError when `of` finds a call."""
        __tracebackhide__ = True
        self.assert_made(operation, times=0, **fields)


def _missed(found: Calls, calls: Calls, operation: str, fields: Record, wanted: str) -> str:
    """Say what was wanted, what comes close to it and in what it differs, and what was called instead."""
    lines = [f"{found!r}, and {wanted} wanted"]
    same = [call for call in calls if call.operation == operation]
    for call in same[-_MOST:]:
        body = call.json if isinstance(call.json, dict) else {}
        lines.append(f"  {call}")
        for name, value in fields.items():
            if name not in body:
                lines.append(f"    {name}: is missing")
            elif body[name] != value:
                lines.append(f"    {name}: is {body[name]!r}, not {value!r}")
    if not same and len(calls):
        lines += ["called instead:", *(f"  {call}" for call in calls[-_MOST:])]
    if not len(calls):
        lines.append("nothing was called in this world")
    return "\n".join(lines)


def _text(value: JSON) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)


def _written(at: datetime | str) -> str:
    if isinstance(at, str):
        return at
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
