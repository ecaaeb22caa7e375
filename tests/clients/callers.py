"""The real `portkey-ai` and `openai` for Python, sync and async, behind one face, and what models are to answer them.

`openai` names its provider as Portkey's guide says: by the headers of `createHeaders`.
"""

from __future__ import annotations

import asyncio
import inspect
import operator
from typing import Any

import httpx
from openai import AsyncOpenAI, OpenAI
from portkey_ai import createHeaders
from pydantic import BaseModel

from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import Record

PROVIDER = "@openai-production"
TEXT = "The next tide comes in at noon."
MESSAGES = [{"role": "user", "content": "Which tide is next?"}]
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES}
TIDE = {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "find_tide", "parameters": TIDE}}
DENYING = [{"default.contains": {"operator": "none", "words": ["tide"]}, "deny": True}]


class Tide(BaseModel):
    """What a model is to answer in."""

    port: str
    hours: list[int]


class Caller:
    """A client of one kind: its methods by name. Streams come as the list of their events."""

    def __init__(self, kind: str, portkey: PortkeyWorld, runner: asyncio.Runner, **options: Any) -> None:
        self.is_portkey = kind.startswith("portkey")
        self._runner = runner
        if self.is_portkey:
            make = portkey.async_client if kind.endswith("async") else portkey.client
            self.client = make(**{"provider": PROVIDER, **options})
        else:
            said = {"provider": PROVIDER, **options}
            headers = createHeaders(api_key=portkey.api_key, **said)  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
            made = AsyncOpenAI if kind.endswith("async") else OpenAI
            self.client = made(api_key="none", base_url=portkey.url, default_headers=headers, max_retries=0)

    def __call__(self, method: str, **given: Any) -> Any:
        return self._runner.run(self._make(method, given))

    async def _make(self, method: str, given: dict[str, Any]) -> Any:
        reply = operator.attrgetter(method)(self.client)(**given)
        if inspect.isawaitable(reply):
            reply = await reply
        if hasattr(reply, "__anext__") or (hasattr(reply, "__aiter__") and given.get("stream")):
            return [event async for event in reply]
        return list(reply) if given.get("stream") else reply

    def close(self) -> None:
        for client in (self.client, getattr(self.client, "openai_client", None)):
            closed = client.close() if client is not None else None
            if inspect.isawaitable(closed):
                self._runner.run(_finished(closed))


async def _finished(closed: Any) -> None:
    await closed


def script(portkey: PortkeyWorld, answer: Record, **fields: Any) -> None:
    """Say what models answer."""
    reply = httpx.post(f"{portkey.admin_url}/scripts", json={"answer": answer, **fields})
    assert reply.status_code == 201, reply.text
