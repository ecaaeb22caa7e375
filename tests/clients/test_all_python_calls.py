"""Every method of `portkey-ai` for Python that the document has an operation for, sync and async, over a real socket."""

from __future__ import annotations

import asyncio
import inspect
import operator
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from portkey_ai import AsyncPortkey, Portkey
from portkey_ai._vendor.openai import NOT_GIVEN
from portkey_ai.api_resources.apis.logger import Logger

from mockserver.app import App
from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.calls import (
    LOGGED,
    NODE,
    PYTHON,
    UNREACHED,
    Call,
    Families,
    Upload,
    departures,
    left_over,
    provider_for,
    write_uploads,
)

Make: TypeAlias = Callable[[Call, Any], Any]

RAW = frozenset({"get", "post", "put", "delete"})
LONGEST_CALL_S = 10

pytestmark = [
    # OpenAI deprecates what it still serves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # AsyncPortkey breaks before it awaits its own call: `async_raises` in the table.
    pytest.mark.filterwarnings("ignore:coroutine 'AsyncAPIClient.post' was never awaited:RuntimeWarning"),
]


@pytest.fixture
def make(portkey: PortkeyWorld, tmp_path: Path, family: str) -> Make:
    """Makes a call with `Portkey`."""
    client = portkey.client(provider=provider_for(family), websocket_base_url=socket_url(portkey))
    write_uploads(tmp_path)

    def run(call: Call, given: Any) -> Any:
        with ExitStack() as stack, deadline():
            method = operator.attrgetter(call.method)(client)
            reply = method(**complete(method, opened(given, tmp_path, stack)))
            if call.talks:
                return talked(stack.enter_context(reply))
            if not call.streams:
                return reply
            return list(reply if hasattr(reply, "__next__") else stack.enter_context(reply))

    return run


@pytest.fixture
def make_async(portkey: PortkeyWorld, tmp_path: Path, family: str, runner: asyncio.Runner) -> Iterator[Make]:
    """Makes a call with `AsyncPortkey`."""
    client = portkey.async_client(provider=provider_for(family), websocket_base_url=socket_url(portkey))
    write_uploads(tmp_path)

    async def run(call: Call, given: Any) -> Any:
        with ExitStack() as stack:
            async with asyncio.timeout(LONGEST_CALL_S):
                method = operator.attrgetter(call.method)(client)
                reply = method(**complete(method, opened(given, tmp_path, stack)))
                if inspect.isawaitable(reply):
                    reply = await reply
                if call.talks:
                    return await talked_async(reply)
                if not call.streams:
                    return reply
                if hasattr(reply, "__anext__"):
                    return [event async for event in reply]
                async with reply as events:
                    return [event async for event in events]

    yield lambda call, given: runner.run(run(call, given))
    runner.run(client.close())
    runner.run(client.openai_client.close())


def socket_url(portkey: PortkeyWorld) -> str:
    """Where WebSockets are opened: without it, beta sessions ask for TLS whatever the base URL says (sdk-call-map 2)."""
    return portkey.url.replace("http", "ws", 1)


def talked(connection: Any) -> list[Any]:
    """Ask for a response; return the events up to its end."""
    connection.response.create()
    events = [connection.recv()]
    while events[-1].type != "response.done":
        events.append(connection.recv())
    return events


async def talked_async(manager: Any) -> list[Any]:
    """The same with `AsyncPortkey`."""
    async with manager as connection:
        await connection.response.create()
        events = [await connection.recv()]
        while events[-1].type != "response.done":
            events.append(await connection.recv())
    return events


@contextmanager
def deadline() -> Iterator[None]:
    """End a call that polls for ever."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONGEST_CALL_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def opened(given: Any, uploads: Path, stack: ExitStack) -> Any:
    """What is given, with open files in the place of their names."""
    if isinstance(given, Upload):
        return stack.enter_context((uploads / given.name).open("rb"))
    if isinstance(given, dict):
        return {name: opened(each, uploads, stack) for name, each in given.items()}
    return [opened(each, uploads, stack) for each in given] if isinstance(given, list) else given


def complete(method: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """What is given, and nothing for other parameters without a default: inner helpers of the SDK have dozens."""
    parameters = inspect.signature(method).parameters.values()
    bare = [each.name for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    return dict.fromkeys(bare, NOT_GIVEN) | given


def methods(holder: Any, path: str = "") -> Iterator[str]:
    """The names of the methods of a client and of the resources below it."""
    for name in dir(holder):
        value = None if name.startswith("_") or name in {"client", "openai_client"} else getattr(holder, name)
        if inspect.ismethod(value):
            yield path + name
        elif type(value).__module__.startswith("portkey_ai.api_resources"):
            yield from methods(value, f"{path}{name}.")


def reached(families: Families, *, raw: bool) -> set[str]:
    """The operations that the calls of the client's own `get`, `post`, `put` and `delete` reach, or those of all others."""
    rows = [row for rows in families.values() for row in rows if isinstance(row, Call)]
    return {operation for row in rows if (row.method in RAW) is raw for operation in row.operations}


def on_async(families: Families) -> Families:
    """The table as AsyncPortkey makes it."""
    return {name: [row.on_async() if isinstance(row, Call) else row for row in rows] for name, rows in families.items()}


@pytest.mark.parametrize("family", PYTHON)
def test_calls_return_and_reach_their_operations(portkey: PortkeyWorld, make: Make, family: str) -> None:
    """And whatever a family keeps in the world, a token holds and brings back."""
    found = departures(PYTHON[family], portkey, make)
    assert not found, "\n".join(found)
    portkey.clock.freeze()
    token = portkey.token()
    portkey.reset()
    portkey.ask("PUT", "/token", {"token": token})
    assert portkey.token() == token


@pytest.mark.parametrize("family", PYTHON)
def test_async_calls_return_and_reach_their_operations(portkey: PortkeyWorld, make_async: Make, family: str) -> None:
    found = departures(on_async(PYTHON)[family], portkey, make_async)
    assert not found, "\n".join(found)


def test_logger_posts_its_entries(portkey: PortkeyWorld) -> None:
    """It is no method of the client: it posts by itself, with the key and no other header of the SDK.

    Source: sdk-call-map 4 (last paragraph).
    """
    reply = Logger(api_key=portkey.api_key, base_url=portkey.url).log([LOGGED, LOGGED])  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    assert reply.status_code == 200
    assert [call["operation"] for call in portkey.calls] == ["createLog"]


@pytest.mark.parametrize(
    ("client_type", "families"), [(Portkey, PYTHON), (AsyncPortkey, on_async(PYTHON))], ids=["sync", "async"]
)
def test_every_method_is_in_the_table(client_type: Any, families: Families) -> None:
    """A method that the SDK gains wants a row, or a reason in `BEYOND`."""
    client = client_type(base_url="http://127.0.0.1:1/v1", api_key="any")
    assert left_over(methods(client), families) == set()


def test_every_operation_is_reached(shared_app: App) -> None:
    """Also those that are not published: they are in the document because a client calls them."""
    tables = [reached(families, raw=raw) for families in (PYTHON, NODE) for raw in (True, False)]
    assert {operation.id for operation in shared_app.contract.operations} == set().union(*tables) | UNREACHED.keys()


def test_generic_methods_reach_what_no_method_names() -> None:
    """Source: sdk-call-map 1 (26 operations); beside them what an admin tool lists, and what OpenAI's own clients have."""
    named = reached(PYTHON, raw=False) | reached(NODE, raw=False)
    unnamed = reached(PYTHON, raw=True) - named
    beside = {
        "listScimGroups",
        "pauseFineTuningJob",
        "resumeFineTuningJob",
        "searchVectorStore",
        "updateVectorStoreFile",
        "getVectorStoreFileContent",
    }
    assert len(unnamed - beside) == 26
    assert unnamed <= reached(NODE, raw=True)
