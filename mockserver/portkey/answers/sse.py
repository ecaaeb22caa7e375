"""Server-sent events, as bytes. Source: gateway-data-plane, SSE framing."""

from __future__ import annotations

from mockserver.values import JSON, dump

MEDIA_TYPE = "text/event-stream; charset=utf-8"

DONE = b"data: [DONE]\n\n"
"""What ends a stream of chat and of completions; other streams have no such line."""


def event(data: JSON, name: str | None = None) -> bytes:
    """Return one event; chat and completions name none."""
    head = b"" if name is None else b"event: %s\n" % name.encode()
    return b"%sdata: %s\n\n" % (head, dump(data))
