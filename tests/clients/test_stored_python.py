"""Files, batches and fine-tuning in their whole course, by the real `portkey-ai` and `openai` for Python, sync and async.

Source of what the clients send and need: gateway-data-plane, What real clients send and need.
"""

from __future__ import annotations

import asyncio
import json
import operator
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openai as openai_sdk
import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.callers import Caller, script
from tests.portkey.keeping import chats, examples

CHAT = "/v1/chat/completions"
JSONL = "application/jsonl"


def upload(call: Caller, content: bytes, purpose: str) -> str:
    return str(call("files.create", file=("lines.jsonl", content, JSONL), purpose=purpose).id)


def polled(portkey: PortkeyWorld, read: Callable[[], Any], *ends: str) -> Any:
    """Poll each second of the world until one of these states is reached."""
    for _ in range(60):
        found = read()
        if found.status in ends:
            return found
        portkey.clock.move(timedelta(seconds=1))
    raise AssertionError(f"still {found.status}")


async def paged(client: Any, method: str, given: dict[str, Any]) -> list[str]:
    """The ids of a list as OpenAI's client pages through it by itself."""
    found = operator.attrgetter(method)(client)(**given)
    if hasattr(found, "__aiter__"):
        return [each.id async for each in found]
    return [each.id for each in found]


def followed(call: Caller, method: str, **given: Any) -> list[str]:
    """The ids of a list, paged by cursors."""
    seen: list[str] = []
    while True:
        page = call(method, **given, **({"after": seen[-1]} if seen else {}))
        seen += [each.id for each in page.data]
        if not page.model_dump()["has_more"]:
            return seen


def test_file_comes_and_goes(call: Caller) -> None:
    content = bytes(range(256)) * 5000
    file_id = upload(call, content, "user_data")
    assert call("files.retrieve", file_id=file_id).bytes == len(content)
    assert call("files.content", file_id=file_id).content == content
    assert call("files.wait_for_processing", id=file_id, poll_interval=0.01).status == "processed"
    assert call("files.delete", file_id=file_id).deleted is True
    assert [each.id for each in call("files.list").data] == []


def test_file_that_is_gone_raises(openai: Caller) -> None:
    with pytest.raises(openai_sdk.NotFoundError, match="No such File object"):
        openai("files.retrieve", file_id="file-none")


def test_file_expires_as_openai_says_it(openai: Caller, portkey: PortkeyWorld) -> None:
    made = openai("files.create", file=("a", b"x"), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600})
    assert made.expires_at == made.created_at + 3600
    portkey.clock.move(timedelta(seconds=3601))
    with pytest.raises(openai_sdk.NotFoundError):
        openai("files.content", file_id=made.id)


def test_batch_from_upload_to_output(portkey: PortkeyWorld, call: Caller) -> None:
    script(portkey, {"text": "At noon."}, match={"last_message": "number 1?"})
    file_id = upload(call, chats(3), "batch")
    made = call("batches.create", input_file_id=file_id, endpoint=CHAT, completion_window="24h", metadata={"job": "a"})
    over = polled(portkey, lambda: call("batches.retrieve", batch_id=made.id), "completed", "failed")
    assert (over.status, over.request_counts.completed, over.metadata) == ("completed", 3, {"job": "a"})
    answers = [json.loads(text) for text in call("files.content", file_id=over.output_file_id).text.splitlines()]
    told = {each["custom_id"]: each["response"]["body"]["choices"][0]["message"]["content"] for each in answers}
    assert (len(told), told["line-1"]) == (3, "At noon.")


def test_output_by_the_method_of_portkey(portkey: PortkeyWorld, own: Caller) -> None:
    file_id = upload(own, chats(2), "batch")
    made = own("batches.create", input_file_id=file_id, endpoint=CHAT, completion_window="24h")
    polled(portkey, lambda: own("batches.retrieve", batch_id=made.id), "completed")
    output = own("batches.output", batch_id=made.id)
    text = output.text if hasattr(output, "text") else str(output)
    assert "line-0" in text
    assert "line-1" in text


def test_batch_is_cancelled(portkey: PortkeyWorld, call: Caller) -> None:
    file_id = upload(call, chats(3), "batch")
    made = call("batches.create", input_file_id=file_id, endpoint=CHAT, completion_window="24h")
    assert call("batches.cancel", batch_id=made.id).status == "cancelling"
    over = polled(portkey, lambda: call("batches.retrieve", batch_id=made.id), "cancelled")
    assert over.output_file_id is None


def test_errors_of_a_batch_are_read(portkey: PortkeyWorld, call: Caller) -> None:
    file_id = upload(call, b"{\n", "batch")
    made = call("batches.create", input_file_id=file_id, endpoint=CHAT, completion_window="24h")
    over = polled(portkey, lambda: call("batches.retrieve", batch_id=made.id), "completed", "failed")
    (error,) = over.errors.data
    assert (over.status, error.code, error.line) == ("failed", "invalid_json_line", 1)


def test_fine_tuning_from_upload_to_model(portkey: PortkeyWorld, call: Caller) -> None:
    file_id = upload(call, examples(), "fine-tune")
    made = call("fine_tuning.jobs.create", model="gpt-4o-mini", training_file=file_id, suffix="tides")
    over = polled(portkey, lambda: call("fine_tuning.jobs.retrieve", fine_tuning_job_id=made.id), "succeeded", "failed")
    name = over.fine_tuned_model
    assert (over.status, over.error, ":tides:" in name) == ("succeeded", None, True)
    events = call("fine_tuning.jobs.list_events", fine_tuning_job_id=made.id, limit=3).data
    assert [event.object for event in events] == ["fine_tuning.job.event"] * 3
    checkpoints = call("fine_tuning.jobs.checkpoints.list", fine_tuning_job_id=made.id).data
    assert [checkpoint.step_number for checkpoint in checkpoints] == [30, 20, 10]
    assert call("files.content", file_id=over.result_files[0]).text.startswith("step,")
    assert call("models.retrieve", model=name).id == name
    answer = call("chat.completions.create", model=name, messages=[{"role": "user", "content": "Which tide?"}])
    assert answer.model == name
    assert call("models.delete", model=name).deleted is True


def test_fine_tuning_is_paused_resumed_and_cancelled(portkey: PortkeyWorld, openai: Caller) -> None:
    file_id = upload(openai, examples(), "fine-tune")
    key = openai("fine_tuning.jobs.create", model="gpt-4o-mini", training_file=file_id).id
    polled(portkey, lambda: openai("fine_tuning.jobs.retrieve", fine_tuning_job_id=key), "running")
    states = [openai(f"fine_tuning.jobs.{what}", fine_tuning_job_id=key).status for what in ("pause", "resume", "cancel")]
    assert states == ["paused", "running", "cancelled"]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_openai_pages_through_files_by_itself(runner: asyncio.Runner, openai: Caller, order: str) -> None:
    made = [upload(openai, b"x", "user_data") for _ in range(5)]
    seen = runner.run(paged(openai.client, "files.list", {"limit": 2, "order": order}))
    assert seen == (made if order == "asc" else made[::-1])


def test_openai_pages_through_batches_jobs_and_events(runner: asyncio.Runner, openai: Caller) -> None:
    batches = [openai("batches.create", input_file_id="file-none", endpoint=CHAT, completion_window="24h").id for _ in range(3)]
    jobs = [openai("fine_tuning.jobs.create", model="gpt-4o-mini", training_file="file-none").id for _ in range(3)]
    assert runner.run(paged(openai.client, "batches.list", {"limit": 1})) == batches[::-1]
    assert runner.run(paged(openai.client, "fine_tuning.jobs.list", {"limit": 2})) == jobs[::-1]
    asked = {"fine_tuning_job_id": jobs[0], "limit": 1}
    assert len(set(runner.run(paged(openai.client, "fine_tuning.jobs.list_events", asked)))) == 2


def test_portkey_is_paged_by_cursors(own: Caller) -> None:
    files = [upload(own, b"x", "user_data") for _ in range(3)]
    jobs = [own("fine_tuning.jobs.create", model="gpt-4o-mini", training_file="file-none").id for _ in range(3)]
    assert followed(own, "files.list", limit=2) == files[::-1]
    assert followed(own, "fine_tuning.jobs.list", limit=2) == jobs[::-1]
