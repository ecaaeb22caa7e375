"""A world as a test holds it in its hands."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

from mockserver import values
from mockserver.testing.hosts import Host
from mockserver.testing.views import Calls, RecordedCall, Records, WorldClock
from mockserver.testing.wanted import Wanted
from mockserver.values import JSON, Record

_REQUIRED = object()


_LONGEST_S = 600.0
"""How long a client waits for a reply, unless a call says otherwise: as long as the clients of its kind do."""


class AdminError(Exception):
    """The admin API refused what a test asked of it: the message says why, `status` and `problem` hold its answer."""

    def __init__(self, what: str, status: int, problem: JSON) -> None:
        told = problem.get("detail", problem) if isinstance(problem, dict) else problem
        lines = [f"{what}: {status} {told}"]
        violations = problem.get("violations", ()) if isinstance(problem, dict) else ()
        if len(violations) > 1:  # one alone is told already
            lines += [f"  {each.get('in', '')}{each['pointer']} {each['message']}" for each in violations]
        super().__init__("\n".join(lines))
        self.status = status
        self.problem = problem


class Handle:
    """What a test has set in the place of an answer; it belongs to the world."""

    def __init__(self, world: PortkeyWorld, path: str, shown: Record) -> None:
        self._world = world
        self._path = f"{path}/{shown['id']}"
        self.id = str(shown["id"])
        self.definition = shown

    @property
    def used(self) -> int:
        """How often it had a hand in a reply."""
        return _used(self._world.ask("GET", self._path))

    def remove(self) -> None:
        """Take it out of the world."""
        self._world.ask("DELETE", self._path)

    @property
    def is_unused(self) -> bool:
        """Whether it is there and never had a hand in a reply."""
        shown = self._world.ask("GET", self._path, missing=None)
        return shown is not None and not _used(shown)

    def __str__(self) -> str:
        told = {name: value for name, value in self.definition.items() if name not in _SHOWN_ONLY}
        text = values.dump(told).decode()
        text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
        return f"{self._path.strip('/').split('/')[0].removesuffix('s')} {self.id}: {text}"


_SHOWN_ONLY = frozenset(("id", "uuid", "usage", "passes_over", "matched", "used"))
"""What the server adds to what a test has set."""
_LONGEST_TEXT = 300


def _used(shown: Record) -> int:
    return int(shown["used"] if "used" in shown else shown["usage"]["used"])


_RESPONSE = {
    "status": "status", "headers": "headers", "json": "jsonBody", "body": "body", "stream": "stream", "fault": "fault",
    "fall_through": "fall_through", "patch": "patch", "transformers": "transformers",
}  # fmt: skip
_MATCH = {"provider": "provider", "key": "key", "nth": "call", "probability": "probability"}
_EFFECTS = frozenset(
    ("delay", "error", "reset", "empty", "garbage", "slow_body", "cut", "truncated", "malformed", "half_stream")
)


def _pattern(call: str | Record) -> Record:
    return {"operation": call} if isinstance(call, str) else call


class Verdict(NamedTuple):
    """What a world has to say of a test: calls that broke the contract, and what was set and never used."""

    broken: list[RecordedCall]
    unused: list[Handle]


class PortkeyWorld:
    """A world of its own on the session's server. Its clients are closed and it is forgotten when the test ends.

    `url` is the base URL of the world, for any client. `api_key` is the key of an admin that the world knows. Nothing is made
    before it is asked for: neither the world, nor its clients, nor the server's socket.
    """

    def __init__(self, host: Host, wanted: Wanted, name: str | None = None) -> None:
        self.name = name or f"test-{uuid.uuid4().hex[:16]}"
        self.api_key = host.api_key
        self._host = host
        self._wanted = wanted
        self._is_touched = False
        self._closing: list[Any] = []
        self._set: list[Handle] = []
        self._http: Any = None
        self._seen = 0
        self._expected: set[int] = set()

    # Where it is, and who calls.

    @property
    def url(self) -> str:
        """The base URL of the world, for any client."""
        self._touch()
        return f"{self._host.origin}/worlds/{self.name}{self._host.base_path}"

    @property
    def admin_url(self) -> str:
        """Where the admin API of the world is."""
        self._touch()
        return f"{self._host.origin}/worlds/{self.name}/__admin"

    @property
    def transport(self) -> Any:
        """An httpx transport, sync and async, whose calls go to this world, whatever address they name.

        Where the server runs in this process they take no socket.
        """
        self._touch()
        return self._host.transport(self.name)

    @property
    def http(self) -> Any:
        """An `httpx.Client` with the admin's key on `transport`: `portkey.http.get("/api-keys")`."""
        if self._http is None:
            import httpx

            headers = {"x-portkey-api-key": self.api_key}
            self._http = httpx.Client(
                transport=self.transport,
                base_url=f"http://portkey.test{self._host.base_path}",
                headers=headers,
                timeout=30,
                trust_env=False,
            )
            self._closing.append(self._http)
        return self._http

    def client(self, **options: Any) -> Any:
        """A `portkey_ai.Portkey` for this world, closed when the test ends; options go to its constructor."""
        from portkey_ai import Portkey

        made = Portkey(**{"base_url": self.url, "api_key": self.api_key, **options})
        # It is two clients: Portkey's own, and OpenAI's for what is OpenAI's.
        self._closing += [made, made.openai_client]
        return made

    def async_client(self, **options: Any) -> Any:
        """A `portkey_ai.AsyncPortkey` for this world; close it where it runs: `await client.close()`."""
        import httpx
        from portkey_ai import AsyncPortkey

        url = options.get("base_url", self.url)
        if "http_client" not in options:
            # Left to itself, the client has two: one that `close` closes, and one that falls over the next test's event loop.
            options["http_client"] = httpx.AsyncClient(base_url=url, timeout=_LONGEST_S, verify=False)
        return AsyncPortkey(**{"base_url": url, "api_key": self.api_key, **options})

    def openai(self, **options: Any) -> Any:
        """An `openai.OpenAI` for this world, closed when the test ends; options go to its constructor."""
        from openai import OpenAI

        headers = {"x-portkey-api-key": self.api_key, **options.pop("default_headers", {})}
        made = OpenAI(**{"base_url": self.url, "api_key": self.api_key, "default_headers": headers, **options})
        self._closing.append(made)
        return made

    # What it holds.

    @property
    def world(self) -> Records:
        """The state: `world["api_keys"].get(id)`."""
        return Records(self.ask)

    @property
    def clock(self) -> WorldClock:
        """The time of the world: `freeze`, `run`, `set` and `move` it."""
        return WorldClock(self.ask)

    @property
    def calls(self) -> Calls:
        """The calls until now, oldest first, secrets taken out."""
        told = self.ask("GET", "/requests?limit=100000")
        return Calls([RecordedCall(each) for each in reversed(told["requests"])], lambda: self.calls)

    @property
    def events(self) -> list[Record]:
        """The mails that the service would have sent, oldest first."""
        return list(reversed(self.ask("GET", "/events?limit=100000")["events"]))

    def stub(self, call: str | Record, response: Record | None = None, **more: JSON) -> Handle:
        """Answer calls in the place of their operation; what is said is held to the document.

        `call` is an operationId, a pattern (`{"method": "GET", "urlPath": "/v1/api-keys"}`) or a whole mapping with `request`
        and `response`. `status`, `headers`, `json`, `body`, `stream`, `fault` and `fall_through` go to the response, all
        else (`times`, `priority`, `off_contract`, `scenarioName`, …) to the mapping.
        """
        __tracebackhide__ = True
        mapping = (
            dict(call) if isinstance(call, dict) and ("request" in call or "response" in call) else {"request": _pattern(call)}
        )
        answer = {**mapping.get("response", {}), **(response or {})}
        answer |= {_RESPONSE[name]: more.pop(name) for name in list(more) if name in _RESPONSE}
        return self._add("/mappings", {**mapping, "response": answer, **more})

    def fault(self, call: str | Record | None = None, **more: JSON) -> Handle:
        """Have calls fail, wait or break: `portkey.fault("createChatCompletion", error={"status": 429}, times=1)`.

        `call` is an operationId or a pattern, None for all calls. The effects are `delay`, `error`, `reset`, `empty`,
        `garbage`, `slow_body`, `cut`, `truncated`, `malformed` and `half_stream`; `provider`, `key`, `nth` and `probability`
        narrow the calls down; all else (`times`, `expires_in_s`, …) is the fault's own.
        """
        __tracebackhide__ = True
        match = {} if call is None else dict(_pattern(call))
        match |= {_MATCH[name]: more.pop(name) for name in list(more) if name in _MATCH}
        effect = {name: more.pop(name) for name in list(more) if name in _EFFECTS}
        return self._add("/faults", {**({"match": match} if match else {}), "effect": effect, **more})

    def script(self, answer: Record, *, match: Record | None = None, **more: JSON) -> Handle:
        """Say what a model answers: `portkey.script({"text": "Four."}, match={"model": "gpt-4o"}, times=1)`."""
        __tracebackhide__ = True
        return self._add("/scripts", {"answer": answer, **({} if match is None else {"match": match}), **more})

    # Back and forth.

    def snapshot(self, name: str = "") -> str:
        """Remember the state as it is; return the name that `restore` takes."""
        name = name or f"snapshot-{uuid.uuid4().hex[:8]}"
        self.ask("GET", "/clock")  # makes the world where nothing has called yet
        self._admin("PUT", f"/__admin/worlds/{self.name}/snapshots/{name}")
        return name

    def restore(self, snapshot: str) -> None:
        """Go back to a snapshot. The calls stay."""
        self._admin("POST", f"/__admin/worlds/{self.name}/snapshots/{snapshot}/restore")

    def reset(self) -> None:
        """Start anew: records, clock, calls, and all that was set."""
        self.ask("POST", "/reset")
        self._seen = 0
        self._expected.clear()
        self._set.clear()
        self._begin()

    def token(self) -> str:
        """Return the world as a token, for `mockserver serve --token` and `pytest --portkey-token`."""
        return str(self.ask("GET", "/token")["token"])

    @contextmanager
    def expect_broken(self) -> Iterator[None]:
        """Calls that break the contract within the block are wanted. AssertionError at its end when there was none."""
        first = self.ask("GET", "/verdict")["last"]
        yield
        told = self.ask("GET", f"/verdict?since={first}")
        if not told["broken"]:
            raise AssertionError(f"no call broke the contract, of {told['last'] - first} that were made")
        self._expected.update(each["number"] for each in told["broken"])

    def ask(self, method: str, path: str, body: JSON = None, *, missing: JSON = _REQUIRED) -> JSON:
        """Call the admin API of the world and return the value; for what there is no method here. Raises `AdminError`.

        `missing` is returned in the place of a 404.
        """
        __tracebackhide__ = True
        self._touch()
        return self._admin(method, f"/worlds/{self.name}/__admin{path}", body, missing=missing)

    def close(self) -> None:
        """Close the clients and forget the world; done by itself at the end of the test."""
        for each in self._closing:
            each.close()
        self._closing.clear()
        self._http = None
        if self._is_touched:
            self._is_touched = False
            self._host.ask("DELETE", f"/__admin/worlds/{self.name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<PortkeyWorld {self.name}>"

    # For the plugin.

    @property
    def _wants(self) -> Wanted:
        return self._wanted

    @property
    def _was_touched(self) -> bool:
        return self._is_touched

    def _verdict(self, *, unused: bool = True) -> Verdict:
        """What is to be said of the calls since the last time that this was asked, and of what was set."""
        if not self._is_touched:
            return Verdict([], [])
        told = self.ask("GET", f"/verdict?since={self._seen}")
        self._seen = told["last"]
        broken = [RecordedCall(each) for each in told["broken"] if each["number"] not in self._expected]
        return Verdict(broken, [each for each in self._set if each.is_unused] if unused else [])

    def _touch(self) -> None:
        if not self._is_touched:
            self._is_touched = True
            self._begin()

    def _begin(self) -> None:
        if self._wanted.now is not None:
            self.clock._set(self._wanted.now, frozen=self._wanted.frozen)
        elif self._wanted.frozen:
            self.clock.freeze()

    def _add(self, path: str, body: JSON) -> Handle:
        __tracebackhide__ = True  # what is refused is told by the error; where, by the line of the test
        made = Handle(self, path, self.ask("POST", path, body))
        self._set.append(made)
        return made

    def _admin(self, method: str, path: str, body: JSON = None, *, missing: JSON = _REQUIRED) -> JSON:
        __tracebackhide__ = True
        status, value = self._host.ask(method, path, body)
        if status == 404 and missing is not _REQUIRED:
            return missing
        if status >= 400:
            raise AdminError(f"{method} {path}", status, value)
        return value
