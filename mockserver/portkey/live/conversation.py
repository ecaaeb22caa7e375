"""The items of a conversation, in their order, and what they say to a model.

Source: gateway-data-plane, /realtime; the OpenAI SDK (conversation_item_create_event: `previous_item_id`, `root`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

from mockserver.portkey.live.dialects import Dialect
from mockserver.portkey.live.formats import BYTES_A_MS, FORMATS
from mockserver.values import Record

HEARD_TOKENS_A_SECOND = 10
"""What sound costs that a model hears (*chosen*, as transcription here)."""


@dataclass(eq=False)
class Item:
    """One item: as it is told, without sound; the sound of its parts by their index; what is said in that, in words."""

    record: Record
    sounds: dict[int, bytes] = field(default_factory=dict)
    heard: dict[int, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.record["id"])

    def shown(self, dialect: Dialect, input_format: str, output_format: str) -> Record:
        """The item with its sound, as it is told to who asks for it."""
        if not self.sounds:
            return self.record
        form = FORMATS[input_format if self.record["role"] == "user" else output_format]
        content = [dict(part) for part in self.record["content"]]
        for at, sound in self.sounds.items():
            content[at]["audio"] = base64.b64encode(form.encode(sound)).decode()
        return {**self.record, "content": content}

    def length_ms(self, at: int) -> int:
        """How long the sound of a part takes."""
        return len(self.sounds.get(at, b"")) // BYTES_A_MS

    def truncate(self, at: int, end_ms: int) -> None:
        """Keep the sound of a part up to a time, and none of its words: who said them did not say them all."""
        self.sounds[at] = self.sounds[at][: end_ms * BYTES_A_MS]
        content = [dict(part) for part in self.record["content"]]
        content[at]["transcript"] = ""
        self.record = {**self.record, "content": content}


class Conversation:
    """Items in order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def find(self, item_id: str) -> Item | None:
        """The item with this id, or None."""
        return next((item for item in self.items if item.id == item_id), None)

    def before(self, item: Item) -> str | None:
        """The id of the item before an item, None for the first."""
        at = self.items.index(item)
        return self.items[at - 1].id if at else None

    def last_id(self) -> str | None:
        """The id of the last item, None when there is none."""
        return self.items[-1].id if self.items else None

    def add(self, item: Item, after: Item | None = None, *, first: bool = False) -> None:
        """Add an item: behind another, as the first, or at the end."""
        at = 0 if first else len(self.items) if after is None else self.items.index(after) + 1
        self.items.insert(at, item)

    def calls(self, call_id: str) -> bool:
        """Whether a function was called by this id."""
        return any(item.record["type"] == "function_call" and item.record.get("call_id") == call_id for item in self.items)


def messages(instructions: str, items: Iterable[Item]) -> list[Record]:
    """The items as a chat has them; what is said in sound is written."""
    made = [{"role": "system", "content": instructions}] if instructions else []
    return made + [_message(item, spoken=True) for item in items]


def written(instructions: str, items: Iterable[Item]) -> list[Record]:
    """The same without what is said in sound."""
    made = [{"role": "system", "content": instructions}] if instructions else []
    return made + [_message(item, spoken=False) for item in items]


def seconds_heard(items: Iterable[Item]) -> float:
    """How long all sound of some items takes."""
    return sum(len(sound) for item in items for sound in item.sounds.values()) / BYTES_A_MS / 1000


def _message(item: Item, *, spoken: bool) -> Record:
    record = item.record
    if record["type"] == "function_call":
        function = {"name": record["name"], "arguments": record["arguments"]}
        called = {"id": record.get("call_id") or item.id, "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [called]}
    if record["type"] == "function_call_output":
        return {"role": "tool", "tool_call_id": record["call_id"], "content": record["output"]}
    parts: list[Record] = []
    for at, part in enumerate(record["content"]):
        if part["type"] == "input_image":
            parts.append({"type": "image_url", "image_url": {"url": part["image_url"], "detail": part.get("detail", "auto")}})
        elif "text" in part:
            parts.append({"type": "text", "text": part["text"]})
        elif spoken or at not in item.sounds:
            parts.append({"type": "text", "text": part.get("transcript") or item.heard.get(at, "")})
    return {"role": record["role"], "content": parts}
