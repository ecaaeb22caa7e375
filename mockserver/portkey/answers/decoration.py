"""What the gateway adds to the answers of providers other than OpenAI.

Source: gateway-data-plane, Provider errors and response decoration. *chosen*, where that is silent: each provider's words are
those of its own public API.
"""

from __future__ import annotations

from mockserver.values import JSON, Record

_WITH_BLOCKS = {"anthropic", "bedrock", "google", "vertex-ai"}

_ANTHROPIC = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "function_call": "tool_use"}
_GOOGLE = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "function_call": "STOP", "content_filter": "SAFETY"}

_REASONS: dict[str, dict[str, str]] = {
    "anthropic": {**_ANTHROPIC, "content_filter": "refusal"},
    "bedrock": {**_ANTHROPIC, "content_filter": "content_filtered"},
    "google": _GOOGLE,
    "vertex-ai": _GOOGLE,
}
"""Each provider's own word for why an answer ends; others keep OpenAI's."""


def decorated(body_or_chunk: Record, provider: str, strict: bool) -> Record:
    """Return a reply, or a chunk of one, as the gateway sends it for a provider. What is given stays as it is, and may be it.

    Every answer passes through here: what a model has thought shows only where strict compliance is off, and only from
    providers that tell it.
    """
    made = body_or_chunk if provider == "openai" else {**body_or_chunk, "provider": provider}
    choices = made.get("choices")
    if not isinstance(choices, list):
        return made
    blocks = provider in _WITH_BLOCKS and not strict
    reasons = {} if strict else _REASONS.get(provider, {})
    if not blocks and not reasons and not any(map(_has_blocks, choices)):
        return made
    return {**made, "choices": [_choice(choice, blocks, reasons) for choice in choices]}


def _has_blocks(choice: Record) -> bool:
    return "content_blocks" in (choice.get("message") or choice.get("delta") or ())


def _choice(choice: Record, blocks: bool, reasons: dict[str, str]) -> Record:
    made = {**choice, "finish_reason": reasons.get(choice["finish_reason"], choice["finish_reason"])}
    for place in ("message", "delta"):
        if place in choice:
            made[place] = _blocked(choice[place], place == "delta") if blocks else _plain(choice[place])
    return made


def _plain(message: Record) -> Record:
    return {name: value for name, value in message.items() if name != "content_blocks"}


def _blocked(message: Record, is_delta: bool) -> Record:
    """A message with its parts as blocks; one that has a thought has them already."""
    text = message.get("content")
    if "content_blocks" in message or text is None or (is_delta and not text):
        return message
    block: JSON = {"index": 0, "delta": {"text": text}} if is_delta else {"type": "text", "text": text}
    return {**message, "content_blocks": [block]}
