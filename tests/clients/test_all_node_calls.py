"""Every method of `portkey-ai` for Node that the document has an operation for, over a real socket.

`node/all_calls.mjs` makes the calls. Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.calls import NODE, Call, Upload, departures, left_over, provider_for, write_uploads

node = test_node_sdk.node


class NodeClient(test_node_sdk.NodeClient):
    """The SDK as there, whose replies are read to the end, streams too."""

    script = "all_calls.mjs"


@pytest.fixture
def sdk(node: str, portkey: PortkeyWorld, family: str) -> Iterator[NodeClient]:
    """The SDK in a private world."""
    client = NodeClient(node, portkey, CLIENT_PROVIDER=provider_for(family))
    yield client
    client.close()


def named(given: Any, uploads: Path) -> Any:
    """What is given, in JSON: files as their paths."""
    if isinstance(given, Upload):
        return {"$upload": str(uploads / given.name)}
    if isinstance(given, dict):
        return {name: named(each, uploads) for name, each in given.items()}
    return [named(each, uploads) for each in given] if isinstance(given, list) else given


@pytest.mark.parametrize("family", NODE)
def test_calls_return_and_reach_their_operations(portkey: PortkeyWorld, sdk: NodeClient, tmp_path: Path, family: str) -> None:
    write_uploads(tmp_path)

    def make(call: Call, given: list[Any]) -> Any:
        return sdk.call(call.method, *named(given, tmp_path))

    found = departures(NODE[family], portkey, make)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("family", ["chat"])
def test_every_method_is_in_the_table(sdk: NodeClient, family: str) -> None:
    """A method that the SDK gains wants a row, or a reason in `BEYOND`."""
    assert left_over(sdk.call("methods"), NODE) == set()
