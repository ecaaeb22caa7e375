"""A WebSocket, from its opening to its end: what is due is said, what comes in is heard, and the journal has both."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

from mockserver.contract.replies import Closing, Talk
from mockserver.world.journal import BODY_LIMIT, Journal
from mockserver.world.world import World

log = logging.getLogger("mockserver")

FRAME_LIMIT = 4096
"""Bytes of a message that the journal keeps: sound is long, and what comes after it matters more."""

_FAILED = Closing(1011, "The mock failed; its log has the traceback")


class Silence:
    """Talks on a WebSocket of which nobody knows what is spoken there: it listens."""

    def due_s(self) -> float | None:
        """Never."""
        return None

    def say(self) -> str | bytes | Closing | None:
        """Nothing."""
        return None

    def hear(self, message: str | bytes) -> None:
        """The journal has it."""

    def end(self) -> None:
        """Nothing is left to be done."""


class Minutes:
    """Keeps in the journal what is said on a WebSocket, by either side: message by message, in lines."""

    def __init__(self, journal: Journal, number: int, started: float) -> None:
        """`number` is that of the call, `started` when it began, on the machine's own clock."""
        self._journal = journal
        self._number = number
        self._started = started
        self._kept = {"request": b"", "reply": b""}
        self._sizes = {"request": 0, "reply": 0}

    def heard(self, message: str | bytes) -> None:
        """Keep what the client has said."""
        self._keep("request", message)

    def said(self, message: str | bytes) -> None:
        """Keep what the server says."""
        self._keep("reply", message)

    def end(self) -> None:
        """Keep how long it took."""
        self._journal.amend(self._number, duration_us=int((time.perf_counter() - self._started) * 1e6))

    def _keep(self, side: str, message: str | bytes) -> None:
        data = message.encode() if isinstance(message, str) else message
        self._sizes[side] += len(data)
        kept = self._kept[side]
        if len(kept) < BODY_LIMIT:
            line = data if len(data) <= FRAME_LIMIT else data[:FRAME_LIMIT] + b"..."
            self._kept[side] = kept = (kept + b"\n" + line if kept else line)[:BODY_LIMIT]
        self._journal.amend(self._number, **{f"{side}_body": kept, f"{side}_size": self._sizes[side]})


async def converse(world: World, talk: Talk, minutes: Minutes, receive: Any, send: Any) -> None:
    """Talk on a WebSocket that is open until either side ends it."""
    try:
        with suppress(OSError):  # the client has left, and what was said did not reach it
            await _talk(world, talk, minutes, receive, send)
        with world.attempt() as attempt:
            talk.end()
            attempt.keep()
    except Exception:
        log.exception("a WebSocket failed")
        await _close(_FAILED, send)
    finally:
        minutes.end()


async def _talk(world: World, talk: Talk, minutes: Minutes, receive: Any, send: Any) -> None:
    """Say and hear. All that is due is said before anything more is heard: what is said must not depend on who was faster."""
    incoming = asyncio.ensure_future(receive())
    try:
        while True:
            due_s = talk.due_s()
            if due_s is None:
                await asyncio.wait([incoming])
            else:
                await world.clock.reach(due_s, incoming)
            if due_s is not None and world.clock.seconds() >= due_s:
                if not await _say(world, talk, minutes, send):
                    return
                continue
            message = incoming.result()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            heard: str | bytes = message["bytes"] if text is None else text
            minutes.heard(heard)
            with world.attempt() as attempt:
                talk.hear(heard)
                attempt.keep()
            incoming = asyncio.ensure_future(receive())
    finally:
        incoming.cancel()


async def _say(world: World, talk: Talk, minutes: Minutes, send: Any) -> bool:
    """Say what is due; False at the end."""
    with world.attempt() as attempt:
        said = talk.say()
        attempt.keep()
    if isinstance(said, Closing):
        await _close(said, send)
        return False
    if said is not None:
        minutes.said(said)  # before it goes out: who has it may look into the journal at once
        await send({"type": "websocket.send", "text" if isinstance(said, str) else "bytes": said})
        await asyncio.sleep(0)  # what is written goes out before more is made
    return True


async def _close(closing: Closing, send: Any) -> None:
    with suppress(OSError):  # the client has left
        await send({"type": "websocket.close", "code": closing.code, "reason": closing.reason})
