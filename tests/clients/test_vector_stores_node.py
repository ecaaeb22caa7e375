"""Vector stores by the real `portkey-ai` and `openai` for Node over a real socket. Without Node skipped, or failed on CI."""

from __future__ import annotations

from pathlib import Path

from tests.clients import test_gateway_node
from tests.clients.test_all_node_calls import NodeClient

kind = test_gateway_node.kind
make = test_gateway_node.make
node = test_gateway_node.node
sdk = test_gateway_node.sdk


def test_file_is_uploaded_and_waited_for(sdk: NodeClient, tmp_path: Path) -> None:
    (tmp_path / "handbook.md").write_text("The desk opens at nine.")
    store = sdk.call("vectorStores.create", {"name": "Handbook"})
    made = sdk.call("vectorStores.files.uploadAndPoll", store["id"], {"$upload": str(tmp_path / "handbook.md")})
    assert made["status"] in ("completed", "failed")
    counts = sdk.call("vectorStores.retrieve", store["id"])["file_counts"]
    assert (counts["in_progress"], counts["total"]) == (0, 1)
