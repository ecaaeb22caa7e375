"""A pytest session's servers and the worlds that are open on them, and what is said of tests that fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from mockserver.testing.hosts import Elsewhere, Host, House, application
from mockserver.testing.wanted import MARKER, SETTINGS, ServerSettings, Wanted, WrongSetting, changed
from mockserver.testing.world import AdminError, PortkeyWorld, Verdict

_LONGEST_TOKEN = 4096
"""Characters of a token that a report shows; a longer one is kept in a file."""
_SHOWN_CALLS = 10
_SHOWN_VIOLATIONS = 8


class Session:
    """What all tests of a process share."""

    def __init__(self, config: pytest.Config, desk: list[Any] | None) -> None:
        """`desk` is where a controller tells of its servers; None for servers in this process."""
        self._config = config
        self._desk = desk
        self._hosts: dict[ServerSettings, Host] = {}
        self._open: list[PortkeyWorld] = []
        self._wanted: Wanted | None = None

    @property
    def wanted(self) -> Wanted:
        """What the session wants: ini values, then options of the command line. Raises `WrongSetting`."""
        if self._wanted is None:
            config = self._config
            ini = {name: config.getini(f"{MARKER}_{name}") for name in SETTINGS}
            options = {name: config.getoption(f"{MARKER}_{name}") for name in SETTINGS}
            given = {name: value for name, value in ini.items() if value is not None and value != ""}
            of_file = changed(Wanted(), given, "ini", config.rootpath)
            given = {name: value for name, value in options.items() if value is not None}
            self._wanted = changed(of_file, given, "command line", config.invocation_params.dir)
        return self._wanted

    def wanted_by(self, node: pytest.Item) -> Wanted:
        """What a test wants: the session's, and that of its markers, the nearest last. Raises `WrongSetting`."""
        wanted = self.wanted
        for mark in reversed(list(node.iter_markers(MARKER))):
            where = f"@pytest.mark.{MARKER} of {node.nodeid}"
            if mark.args:
                raise WrongSetting(f"{where}: settings are keywords: {', '.join(SETTINGS)}")
            wanted = changed(wanted, mark.kwargs, where, node.path.parent)
        return wanted

    def host(self, wanted: ServerSettings) -> Host:
        """The server with these settings, started when it is first asked for. Raises `WrongSetting`."""
        host = self._hosts.get(wanted)
        if host is None:
            host = self._hosts[wanted] = self._made(wanted)
        return host

    def world(self, wanted: Wanted, name: str | None = None) -> PortkeyWorld:
        """Open a world. Raises `WrongSetting`."""
        made = PortkeyWorld(self.host(wanted.server), wanted, name)
        self._open.append(made)
        return made

    def forget(self, world: PortkeyWorld) -> None:
        """Close a world."""
        with suppress(ValueError):
            self._open.remove(world)
        world.close()

    def close(self) -> None:
        """Close all that is open."""
        for world in list(self._open):
            self.forget(world)
        for host in self._hosts.values():
            host.stop()
        self._hosts.clear()

    def judge(self, private: PortkeyWorld | None) -> str:
        """Return what a test is to fail for; empty for nothing. Shared worlds are judged by the calls since the last test."""
        return "\n\n".join(text for world in self._touched() for text in self._charges(world, unused=world is private))

    def charge_at_end(self, world: PortkeyWorld) -> str:
        """Return what a shared world is to fail for at its end: stubs that no test used."""
        return "\n\n".join(self._charges(world, unused=True)) if world._was_touched else ""

    def report(self, nodeid: str, *, charged: bool) -> list[tuple[str, str]]:
        """What is told of the open worlds when a test has failed, by titles. `charged`: it failed for what they say."""
        told = []
        for world in self._touched():
            try:
                if not charged:
                    told += [("portkey", text) for text in self._charges(world, unused=False)]
                told.append(("portkey", self._story(world, nodeid)))
            except Exception as error:  # a report of one failure must not be lost to another
                told.append(("portkey", f"world {world.name} cannot be told of: {error!r}"))
        return told

    def _story(self, world: PortkeyWorld, nodeid: str) -> str:
        calls = world.calls
        lines = [f"world {world.name}, {len(calls)} call{'' if len(calls) == 1 else 's'}"]
        if len(calls) > _SHOWN_CALLS:
            lines.append(f"  ... {len(calls) - _SHOWN_CALLS} before")
        lines += [f"  {call}" for call in calls[-_SHOWN_CALLS:]]
        try:
            lines += ["", *self._restoring(world.token(), nodeid)]
        except AdminError as error:
            lines += ["", str(error)]
        return "\n".join(lines)

    def _made(self, wanted: ServerSettings) -> Host:
        if self._desk is None:
            return House(application(wanted))
        from mockserver.testing.desk import host_at

        return host_at(self._desk, wanted)

    def _touched(self) -> list[PortkeyWorld]:
        return [world for world in self._open if world._was_touched]

    def _charges(self, world: PortkeyWorld, *, unused: bool) -> Iterator[str]:
        wants = world._wants
        if wants.broken_contract == "allow" and (not unused or wants.unused_stubs == "allow"):
            return
        verdict = world._verdict(unused=unused and wants.unused_stubs == "fail")
        if verdict.broken and wants.broken_contract == "fail":
            yield _broken(verdict)
        if verdict.unused:
            yield _unused(verdict)

    def _restoring(self, token: str, nodeid: str) -> list[str]:
        told = token if len(token) <= _LONGEST_TOKEN else str(self._written(token, nodeid))
        return ["this world again (or with pytest --portkey-token):", f"  mockserver serve --token {told}"]

    def _written(self, token: str, nodeid: str) -> Path:
        named = self._config.getoption("portkey_tokens")
        if named:
            folder = Path(self._config.invocation_params.dir, named)
            folder.mkdir(parents=True, exist_ok=True)
        elif (cache := getattr(self._config, "cache", None)) is not None:
            folder = cache.mkdir("portkey-tokens")
        else:
            import tempfile

            folder = Path(tempfile.mkdtemp(prefix="portkey-tokens-"))
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", nodeid)[-80:].strip("-")
        path = folder / f"{name}-{blake2b(nodeid.encode(), digest_size=4).hexdigest()}.token"
        path.write_text(f"{token}\n", encoding="utf-8")
        return path


def is_remote(host: Host) -> bool:
    """Whether a server runs in another process."""
    return isinstance(host, Elsewhere)


def _broken(verdict: Verdict) -> str:
    count = len(verdict.broken)
    lines = [f"portkey: {count} call{'s' if count > 1 else ''} broke the contract"]
    for call in verdict.broken:
        lines.append(f"  {call}")
        for violation in call.violations[:_SHOWN_VIOLATIONS]:
            place = f"{violation['in']}{violation['pointer']}" if violation.get("pointer") else violation.get("in", "")
            schema = f"  [{violation['schema']}]" if violation.get("schema") else ""
            lines.append(f"    {place}: {violation['message']}{schema}")
        if len(call.violations) > _SHOWN_VIOLATIONS:
            lines.append(f"    ... {len(call.violations) - _SHOWN_VIOLATIONS} more")
        if not call.violations and isinstance(call.reply, dict) and "message" in call.reply:
            lines.append(f"    {call.reply['message']}")
    lines.append('If the test means it: `with portkey.expect_broken():`, or `@pytest.mark.portkey(broken_contract="allow")`.')
    return "\n".join(lines)


def _unused(verdict: Verdict) -> str:
    lines = ["portkey: set, and never used"]
    lines += [f"  {each}" for each in verdict.unused]
    lines.append('If the test means it: `@pytest.mark.portkey(unused_stubs="allow")`.')
    return "\n".join(lines)
