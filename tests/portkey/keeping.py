"""Steps with what providers keep: files, batches, fine-tuning jobs. Shared by their tests."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx

from mockserver.values import Record
from tests.conftest import Client

FILES, BATCHES, JOBS = "/v1/files", "/v1/batches", "/v1/fine_tuning/jobs"
CHAT = "/v1/chat/completions"
OPENAI = {"x-portkey-provider": "openai"}
MANAGED: dict[str, str] = {}
"""Who names no provider has Portkey keep things."""


def done(reply: httpx.Response) -> Record:
    """Check that a call was done, and return its body."""
    assert reply.status_code == 200, reply.text[:500]
    body: Record = reply.json()
    return body


def refused(reply: httpx.Response, status: int) -> Record:
    """Check that a provider refused a call, and return its error."""
    assert reply.status_code == status, reply.text[:500]
    error: Record = reply.json()["error"]
    return error


def upload(client: Client, content: bytes, purpose: str = "batch", name: str = "lines.jsonl", headers: Any = OPENAI) -> Record:
    """Upload a file."""
    return done(client.post(FILES, files={"file": (name, content)}, data={"purpose": purpose}, headers=headers))


def content(client: Client, file_id: str, headers: Any = OPENAI) -> bytes:
    """Download a file."""
    reply = client.get(f"{FILES}/{file_id}/content", headers=headers)
    assert reply.status_code == 200, reply.text[:500]
    return reply.content


def line(custom_id: str, say: str = "Which tide is next?", **more: Any) -> Record:
    """A line that asks for a chat."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": say}]}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body} | more


def lines(*given: Record | str) -> bytes:
    """The content of a file of lines."""
    return "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in given).encode()


def chats(count: int) -> bytes:
    """So many lines that ask for a chat."""
    return lines(*(line(f"line-{number}", f"Which tide is number {number}?") for number in range(count)))


def start(client: Client, given: bytes | str, headers: Any = OPENAI, **fields: Any) -> Record:
    """Start a batch of lines that are uploaded, or of a file by its id."""
    file_id = given if isinstance(given, str) else upload(client, given, headers=headers)["id"]
    body = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h", **fields}
    return done(client.post(BATCHES, body, headers=headers))


def batch(client: Client, batch_id: str, headers: Any = OPENAI) -> Record:
    """Read a batch."""
    return done(client.get(f"{BATCHES}/{batch_id}", headers=headers))


def wait(client: Client, seconds: float) -> None:
    """Let time pass."""
    client.world.clock.move(timedelta(seconds=seconds))


def run(client: Client, given: bytes | str, headers: Any = OPENAI, **fields: Any) -> Record:
    """Start a batch of a few lines and read it when it is over."""
    made = start(client, given, headers, **fields)
    wait(client, 60)
    return batch(client, made["id"], headers)


def results(client: Client, file_id: str, headers: Any = OPENAI) -> list[Record]:
    """The lines of a file."""
    return [json.loads(text) for text in content(client, file_id, headers).splitlines()]


def examples(count: int = 10) -> bytes:
    """So many lines to learn from."""
    messages = [{"role": "user", "content": "Which tide?"}, {"role": "assistant", "content": "The low one."}]
    return lines(*[{"messages": messages}] * count)


def tune(client: Client, given: bytes | str | None = None, headers: Any = OPENAI, **fields: Any) -> Record:
    """Start a fine-tuning job."""
    made = given if isinstance(given, str) else upload(client, given or examples(), "fine-tune", headers=headers)["id"]
    body = {"model": "gpt-4o-mini", "training_file": made, **fields}
    return done(client.post(JOBS, body, headers=headers))


def job(client: Client, job_id: str, headers: Any = OPENAI) -> Record:
    """Read a fine-tuning job."""
    return done(client.get(f"{JOBS}/{job_id}", headers=headers))
