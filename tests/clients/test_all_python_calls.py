"""Every method of `portkey-ai` for Python that the document has an operation for, sync and async, over a real socket."""

from __future__ import annotations

import asyncio
import inspect
import operator
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from portkey_ai._vendor.openai import NOT_GIVEN

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.calls import PYTHON, Call, Planted, Upload, departures

# Of OpenAI, who deprecate what they serve.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Make: TypeAlias = Callable[[Call, Any], Any]


@pytest.fixture(scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files of the table."""
    folder = tmp_path_factory.mktemp("uploads")
    (folder / "lines.jsonl").write_text('{"custom_id": "1"}\n')
    (folder / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with wave.open(str(folder / "speech.wav"), "wb") as sound:  # the SDK reads its duration
        sound.setparams((1, 1, 8000, 0, "NONE", "not compressed"))
        sound.writeframes(bytes(8000))
    return folder


@pytest.fixture
def make(portkey: PortkeyWorld, uploads: Path) -> Make:
    """Makes a call with `Portkey`."""
    client = portkey.client()

    def run(call: Call, given: Any) -> Any:
        with ExitStack() as stack:
            method = operator.attrgetter(call.method)(client)
            reply = method(**complete(method, opened(given, uploads, stack)))
            if not call.streams:
                return reply
            if not hasattr(reply, "__next__"):
                reply = stack.enter_context(reply)
            return list(reply)

    return run


@pytest.fixture
def make_async(portkey: PortkeyWorld, uploads: Path) -> Iterator[Make]:
    """Makes a call with `AsyncPortkey`."""
    client = portkey.async_client()

    async def run(call: Call, given: Any) -> Any:
        with ExitStack() as stack:
            method = operator.attrgetter(call.method)(client)
            reply = method(**complete(method, opened(given, uploads, stack)))
            if inspect.isawaitable(reply):
                reply = await reply
            if not call.streams:
                return reply
            if hasattr(reply, "__anext__"):
                return [event async for event in reply]
            async with reply as events:
                return [event async for event in events]

    with asyncio.Runner() as runner:
        yield lambda call, given: runner.run(run(call, given))
        runner.run(client.close())
        runner.run(client.openai_client.close())


def opened(given: Any, uploads: Path, stack: ExitStack) -> Any:
    """What is given, with files in the place of their names."""
    if isinstance(given, Upload):
        return stack.enter_context((uploads / given.name).open("rb"))
    if isinstance(given, dict):
        return {name: opened(each, uploads, stack) for name, each in given.items()}
    return [opened(each, uploads, stack) for each in given] if isinstance(given, list) else given


def complete(method: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """What is given, with nothing for the parameters that inner helpers leave without a default."""
    parameters = inspect.signature(method).parameters.values()
    bare = [each.name for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    return dict.fromkeys(bare, NOT_GIVEN) | given


@pytest.mark.parametrize("family", PYTHON)
def test_calls_return_and_reach_their_operations(portkey: PortkeyWorld, make: Make, family: str) -> None:
    assert departures(PYTHON[family], portkey, make) == []


@pytest.mark.parametrize("family", PYTHON)
def test_async_calls_return_and_reach_their_operations(portkey: PortkeyWorld, make_async: Make, family: str) -> None:
    rows: list[Call | Planted] = [each if isinstance(each, Planted) else each.on_async() for each in PYTHON[family]]
    assert departures(rows, portkey, make_async) == []
