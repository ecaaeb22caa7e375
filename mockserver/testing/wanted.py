"""What a test wants of its server and its world: options of the command line, ini values and markers, held to one table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

MARKER = "portkey"


class WrongSetting(ValueError):
    """A setting that is none, or has a value that it cannot have; the message says what may stand there."""


@dataclass(frozen=True)
class ServerSettings:
    """What a server is made with. Tests that want the same share one."""

    fixture: str | None = None
    seed: int = 0
    auth: str = "open"
    unknown_ids: str = "refuse"
    token: str | None = None


@dataclass(frozen=True)
class Wanted:
    """All that a test wants. `now` is when the clock of the world begins, `broken_contract` and `unused_stubs` are "fail" or
    "allow".
    """

    server: ServerSettings = ServerSettings()
    now: datetime | None = None
    frozen: bool = False
    broken_contract: str = "fail"
    unused_stubs: str = "fail"


class Setting(NamedTuple):
    """One setting: what it is for, and what reads a value that is not of the right kind already."""

    help: str
    read: Callable[[Any], Any]


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise WrongSetting(f"must be {' or '.join(words)}")
        return str(value)

    return read


def _whole_number(value: Any) -> int:
    try:
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise WrongSetting("must be a whole number")


def _truth(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise WrongSetting("must be true or false")
    return value


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise WrongSetting("must be a time with its zone, such as 2030-01-01T00:00:00Z")


def _text(value: Any) -> str:
    if not isinstance(value, (str, Path)) or not str(value):
        raise WrongSetting("must be a text")
    return str(value)


SETTINGS: Mapping[str, Setting] = {
    "fixture": Setting("the world that worlds start from: a shipped one (empty, small_team) or a YAML file", _text),
    "seed": Setting("where ids, secrets and chance come from", _whole_number),
    "auth": Setting("open takes any key, strict only keys that the world knows", _one_of("open", "strict")),
    "unknown_ids": Setting("what a record that is not there gets: refuse or sample", _one_of("refuse", "sample")),
    "token": Setting("a token of a failure report, or a file with one: worlds start from it", _text),
    "now": Setting("the time at which the clock of a world begins", _moment),
    "frozen": Setting("whether the clock stands still", _truth),
    "broken_contract": Setting("whether a test fails when its client broke the contract", _one_of("fail", "allow")),
    "unused_stubs": Setting("whether a test fails when a stub, fault or script was never used", _one_of("fail", "allow")),
}
"""All settings: each is a keyword of the marker, an ini value `portkey_<name>` and an option `--portkey-<name>`."""

_OF_SERVER = frozenset(field.name for field in dataclasses.fields(ServerSettings))


def changed(wanted: Wanted, values: Mapping[str, Any], where: str, folder: Path) -> Wanted:
    """Return what is wanted with these settings in the place of its own; `where` says who wants that, as errors begin.

    A relative path means one below `folder`. Raises `WrongSetting`.
    """
    of_server: dict[str, Any] = {}
    of_world: dict[str, Any] = {}
    for name, value in values.items():
        if name not in SETTINGS:
            raise WrongSetting(f"{where}: there is no setting {name}; there are {', '.join(SETTINGS)}")
        try:
            read = SETTINGS[name].read(value)
        except WrongSetting as error:
            raise WrongSetting(f"{where}: {name} {error}, not {value!r}") from None
        if name == "fixture" or (name == "token" and not read.startswith("mock")):
            path = folder / read
            read = str(path.resolve()) if path.is_file() else read
        (of_server if name in _OF_SERVER else of_world)[name] = read
    server = dataclasses.replace(wanted.server, **of_server)
    if "now" in of_world:
        of_world.setdefault("frozen", True)  # who names a time wants to find it there
    return dataclasses.replace(wanted, server=server, **of_world)
