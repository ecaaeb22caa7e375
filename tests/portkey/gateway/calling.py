"""Steps with the gateway that the tests of this folder share: calls, configs, scripts, what a call tells and leaves."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx

from mockserver.values import JSON, Record
from tests.conftest import Client
from tests.portkey.team import PRODUCTION, make_key
from tests.portkey.traffic import latest, read_log

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
EMBEDDINGS = "/v1/embeddings"
SCRIPTS = "/__admin/scripts"

OPENAI: Record = {"provider": "openai", "api_key": "k"}
ANTHROPIC: Record = {"provider": "anthropic", "api_key": "k"}


def ask(
    client: Client, config: JSON = None, say: str = "Hello", headers: dict[str, str] | None = None, **fields: Any
) -> httpx.Response:
    """Ask for a chat completion, with a config: one that comes along, or a saved one by its slug."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": say}], **fields}
    return send(client, CHAT, {name: value for name, value in body.items() if value is not None}, config, headers)


def send(client: Client, path: str, body: Record, config: JSON = None, headers: dict[str, str] | None = None) -> httpx.Response:
    """Send a body, with a config."""
    given = dict(headers or {})
    if config is not None:
        given["x-portkey-config"] = config if isinstance(config, str) else json.dumps(config)
    return client.post(path, body, headers=given)


def save(client: Client, config: Record, **fields: Any) -> str:
    """Save a config of Production and return its slug."""
    reply = client.post("/v1/configs", {"name": "Mine", "config": config, "workspace_id": PRODUCTION, **fields})
    assert reply.status_code == 200, reply.text[:500]
    return str(reply.json()["slug"])


def asker(client: Client, **fields: Any) -> Client:
    """The same world, called with a new key of Production that may ask models."""
    return client.as_key(make_key(client, **{"scopes": ["completions.write"], **fields}).secret)


def script(client: Client, answer: Record | str = "Scripted.", match: Record | None = None, **more: Any) -> str:
    """Say what a model answers, a text unless more is given; return the script's id."""
    answer = {"text": answer} if isinstance(answer, str) else answer
    reply = client.post(SCRIPTS, {"match": match or {}, "answer": answer, **more})
    assert reply.status_code == 201, reply.text[:500]
    return str(reply.json()["id"])


def fail(client: Client, status: int = 500, target: str | None = None, times: int | None = None, **failure: Any) -> str:
    """Let a provider fail, at a target or everywhere."""
    more = {} if times is None else {"times": times}
    return script(client, {"error": {"status": status, **failure}}, {} if target is None else {"target": target}, **more)


def used(client: Client, script_id: str) -> int:
    """How often a script was used."""
    return int(client.get(f"{SCRIPTS}/{script_id}").json()["used"])


def said(reply: httpx.Response) -> str:
    """The text of an answer."""
    assert reply.status_code in (200, 246), reply.text[:500]
    return str(reply.json()["choices"][0]["message"]["content"])


def told(reply: httpx.Response, header: str) -> str | None:
    """A header of the gateway; its name is written without `x-portkey-`."""
    value: str | None = reply.headers.get(f"x-portkey-{header}")
    return value


def path(reply: httpx.Response) -> str | None:
    """Which target answered."""
    return told(reply, "last-used-option-index")


def retries(reply: httpx.Response) -> str | None:
    return told(reply, "retry-attempt-count")


def cached(reply: httpx.Response) -> str | None:
    return told(reply, "cache-status")


def error(reply: httpx.Response, status: int) -> Record:
    """Check that a target failed with a status; return the error in OpenAI's form."""
    assert reply.status_code == status, reply.text[:500]
    found: Record = reply.json()["error"]
    return found


def log(client: Client) -> Record:
    """The newest log, as a read shows it."""
    return read_log(client, latest(client)[0]["id"])


def logs(client: Client) -> int:
    """How many logs there are."""
    return len(client.world["logs"])


def chunks(reply: httpx.Response) -> list[Record]:
    """The JSON of a stream's events; the end is left out."""
    return [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")]


class Sent:
    """What a call sends over the wire: each message with the seconds of the world after the call began."""

    def __init__(self) -> None:
        self.status = 0
        self.pieces: list[tuple[float, bytes]] = []
        self.is_complete = False


def watch(client: Client, body: Record, step_s: float, limit_s: float = 60, path: str = CHAT) -> Sent:
    """Ask for a chat completion, or call another path, and move the clock by steps until all is sent or the time is over."""
    sent, clock = Sent(), client.world.clock
    start = clock.seconds()
    headers = {**client.headers, "content-type": "application/json"}
    content = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], **body}).encode()
    headers["content-length"] = str(len(content))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1), "server": ("mock", 80),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asked = False

    async def receive() -> Record:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            sent.status = message["status"]
            return
        if message.get("body"):
            sent.pieces.append((round(clock.seconds() - start, 3), message["body"]))
        sent.is_complete = not message.get("more_body", False)

    async def run() -> None:
        call = asyncio.ensure_future(client.app(scope, receive, send))
        while not call.done() and clock.seconds() - start < limit_s:
            await asyncio.sleep(0.02)
            if not call.done():
                clock.move(timedelta(seconds=step_s))
        call.cancel()

    asyncio.run(run())
    return sent
