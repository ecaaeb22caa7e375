"""Files, batches and fine-tuning in their whole course, by the real `portkey-ai` and `openai` for Node.

Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_gateway_node
from tests.clients.calls import write_uploads
from tests.clients.test_all_node_calls import NodeClient

node, make, kind, sdk = (getattr(test_gateway_node, name) for name in ("node", "make", "kind", "sdk"))


def test_batch_from_upload_to_output(portkey: PortkeyWorld, sdk: NodeClient, tmp_path: Path) -> None:
    write_uploads(tmp_path)
    file = sdk.call("files.create", {"file": {"$upload": str(tmp_path / "lines.jsonl")}, "purpose": "batch"})
    asked = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    made = sdk.call("batches.create", asked)
    assert made["status"] == "validating"
    portkey.clock.move(timedelta(seconds=3))
    over = sdk.call("batches.retrieve", made["id"])
    assert (over["status"], over["request_counts"]["completed"]) == ("completed", 1)
    assert over["output_file_id"] in [each["id"] for each in sdk.call("files.list")["data"]]


def test_output_is_downloaded(portkey: PortkeyWorld, make: test_gateway_node.Make, tmp_path: Path) -> None:
    """`portkey-ai` loses the bytes: what it returns has only the headers."""
    write_uploads(tmp_path)
    sdk = make("openai")
    file = sdk.call("files.create", {"file": {"$upload": str(tmp_path / "lines.jsonl")}, "purpose": "user_data"})
    assert sdk.call("files.content", file["id"]) == file["bytes"]


def test_fine_tuning_from_upload_to_model(portkey: PortkeyWorld, sdk: NodeClient, tmp_path: Path) -> None:
    write_uploads(tmp_path)
    file = sdk.call("files.create", {"file": {"$upload": str(tmp_path / "examples.jsonl")}, "purpose": "fine-tune"})
    made = sdk.call("fineTuning.jobs.create", {"model": "gpt-4o-mini", "training_file": file["id"]})
    portkey.clock.move(timedelta(seconds=8))
    over = sdk.call("fineTuning.jobs.retrieve", made["id"])
    assert over["status"] == "succeeded"
    assert len(sdk.call("fineTuning.jobs.listEvents", made["id"])["data"]) > 3
    assert sdk.call("models.retrieve", over["fine_tuned_model"])["id"] == over["fine_tuned_model"]
