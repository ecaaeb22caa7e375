"""What well-known models cost, as their providers' public price lists have it.

Rows are written as those lists are, in US dollars for a million tokens; `PRICES` has them as Portkey does, in cents for one.
Of the lists only what they say of ordinary calls is here: no batches, no priority, of prices by the length of a prompt those
of the shorter one. Each provider names the month of the list, which three tables of others confirm: the prices that Portkey's
open gateway of March 2026 comes with, and the three that governance-mcp-observability, Model pricing, quotes.
"""

from __future__ import annotations

from typing import NamedTuple


class Price(NamedTuple):
    """US cents for one token of each kind; None for what the list does not price."""

    request_token: float
    response_token: float
    cache_write_input_token: float | None = None
    cache_read_input_token: float | None = None
    request_audio_token: float | None = None
    response_audio_token: float | None = None
    cache_read_audio_input_token: float | None = None


class Dollars(NamedTuple):
    """US dollars for a million tokens: request, response, read from a cache, written to it, spoken, heard, heard again."""

    request: float
    response: float = 0
    read: float | None = None
    write: float | None = None
    audio_in: float | None = None
    audio_out: float | None = None
    audio_read: float | None = None


def cents(dollars_per_million: float) -> float:
    """Return a price for one token in cents."""
    return round(dollars_per_million / 10_000, 12)


_LISTS: dict[str, dict[str, Dollars]] = {
    # platform.openai.com/docs/pricing, January 2026.
    "openai": {
        "gpt-5.2": Dollars(1.75, 14, 0.175),
        "gpt-5.2-chat-latest": Dollars(1.75, 14, 0.175),
        "gpt-5.2-pro": Dollars(21, 168),
        "gpt-5.1": Dollars(1.25, 10, 0.125),
        "gpt-5.1-chat-latest": Dollars(1.25, 10, 0.125),
        "gpt-5.1-codex": Dollars(1.25, 10, 0.125),
        "gpt-5": Dollars(1.25, 10, 0.125),
        "gpt-5-chat-latest": Dollars(1.25, 10, 0.125),
        "gpt-5-codex": Dollars(1.25, 10, 0.125),
        "gpt-5-mini": Dollars(0.25, 2, 0.025),
        "gpt-5-nano": Dollars(0.05, 0.4, 0.005),
        "gpt-5-pro": Dollars(15, 120),
        "gpt-4.1": Dollars(2, 8, 0.5),
        "gpt-4.1-mini": Dollars(0.4, 1.6, 0.1),
        "gpt-4.1-nano": Dollars(0.1, 0.4, 0.025),
        "gpt-4o": Dollars(2.5, 10, 1.25),
        "gpt-4o-2024-05-13": Dollars(5, 15),
        "gpt-4o-mini": Dollars(0.15, 0.6, 0.075),
        "chatgpt-4o-latest": Dollars(5, 15),
        "o1": Dollars(15, 60, 7.5),
        "o1-pro": Dollars(150, 600),
        "o1-mini": Dollars(1.1, 4.4, 0.55),
        "o3": Dollars(2, 8, 0.5),
        "o3-pro": Dollars(20, 80),
        "o3-mini": Dollars(1.1, 4.4, 0.55),
        "o3-deep-research": Dollars(10, 40, 2.5),
        "o4-mini": Dollars(1.1, 4.4, 0.275),
        "o4-mini-deep-research": Dollars(2, 8, 0.5),
        "computer-use-preview": Dollars(3, 12),
        "gpt-4-turbo": Dollars(10, 30),
        "gpt-4": Dollars(30, 60),
        "gpt-4-0613": Dollars(30, 60),
        "gpt-4-32k": Dollars(60, 120),
        "gpt-3.5-turbo": Dollars(0.5, 1.5),
        "gpt-3.5-turbo-0125": Dollars(0.5, 1.5),
        "gpt-3.5-turbo-1106": Dollars(1, 2),
        "gpt-3.5-turbo-instruct": Dollars(1.5, 2),
        "davinci-002": Dollars(2, 2),
        "babbage-002": Dollars(0.4, 0.4),
        "ft:gpt-4.1": Dollars(3, 12, 0.75),
        "ft:gpt-4.1-mini": Dollars(0.8, 3.2, 0.2),
        "ft:gpt-4.1-nano": Dollars(0.2, 0.8, 0.05),
        "ft:gpt-4o": Dollars(3.75, 15, 1.875),
        "ft:gpt-4o-mini": Dollars(0.3, 1.2, 0.15),
        "ft:gpt-3.5-turbo": Dollars(3, 6),
        "gpt-realtime": Dollars(4, 16, 0.4, audio_in=32, audio_out=64, audio_read=0.4),
        "gpt-realtime-mini": Dollars(0.6, 2.4, 0.06, audio_in=10, audio_out=20, audio_read=0.3),
        "gpt-4o-realtime-preview": Dollars(5, 20, 2.5, audio_in=40, audio_out=80, audio_read=2.5),
        "gpt-audio": Dollars(2.5, 10, audio_in=32, audio_out=64),
        "gpt-4o-audio-preview": Dollars(2.5, 10, audio_in=40, audio_out=80),
        "gpt-4o-mini-audio-preview": Dollars(0.15, 0.6, audio_in=10, audio_out=20),
        "gpt-4o-transcribe": Dollars(2.5, 10, audio_in=6),
        "gpt-4o-mini-transcribe": Dollars(1.25, 5, audio_in=3),
        "gpt-4o-mini-tts": Dollars(0.6, audio_out=12),
        "text-embedding-3-small": Dollars(0.02),
        "text-embedding-3-large": Dollars(0.13),
        "text-embedding-ada-002": Dollars(0.1),
        "omni-moderation-latest": Dollars(0),
    },
    # docs.claude.com, Pricing, February 2026; writes to the cache for five minutes.
    "anthropic": {
        "claude-opus-4-6": Dollars(5, 25, 0.5, 6.25),
        "claude-sonnet-4-6": Dollars(3, 15, 0.3, 3.75),
        "claude-opus-4-5": Dollars(5, 25, 0.5, 6.25),
        "claude-sonnet-4-5": Dollars(3, 15, 0.3, 3.75),
        "claude-haiku-4-5": Dollars(1, 5, 0.1, 1.25),
        "claude-opus-4-1": Dollars(15, 75, 1.5, 18.75),
        "claude-opus-4-0": Dollars(15, 75, 1.5, 18.75),
        "claude-opus-4-20250514": Dollars(15, 75, 1.5, 18.75),
        "claude-sonnet-4-0": Dollars(3, 15, 0.3, 3.75),
        "claude-sonnet-4-20250514": Dollars(3, 15, 0.3, 3.75),
        "claude-3-7-sonnet-latest": Dollars(3, 15, 0.3, 3.75),
        "claude-3-7-sonnet-20250219": Dollars(3, 15, 0.3, 3.75),
        "claude-3-5-sonnet-latest": Dollars(3, 15, 0.3, 3.75),
        "claude-3-5-sonnet-20241022": Dollars(3, 15, 0.3, 3.75),
        "claude-3-5-sonnet-20240620": Dollars(3, 15, 0.3, 3.75),
        "claude-3-5-haiku-latest": Dollars(0.8, 4, 0.08, 1),
        "claude-3-5-haiku-20241022": Dollars(0.8, 4, 0.08, 1),
        "claude-3-opus-20240229": Dollars(15, 75, 1.5, 18.75),
        "claude-3-sonnet-20240229": Dollars(3, 15),
        "claude-3-haiku-20240307": Dollars(0.25, 1.25, 0.03, 0.3),
    },
    # ai.google.dev/gemini-api/docs/pricing, January 2026; prompts of up to 200,000 tokens, caches left out.
    "google": {
        "gemini-3-pro-preview": Dollars(2, 12),
        "gemini-2.5-pro": Dollars(1.25, 10),
        "gemini-2.5-flash": Dollars(0.3, 2.5),
        "gemini-2.5-flash-lite": Dollars(0.1, 0.4),
        "gemini-2.0-flash": Dollars(0.1, 0.4),
        "gemini-2.0-flash-001": Dollars(0.1, 0.4),
        "gemini-2.0-flash-lite": Dollars(0.075, 0.3),
        "gemini-1.5-pro": Dollars(1.25, 5),
        "gemini-1.5-flash": Dollars(0.075, 0.3),
        "gemini-1.5-flash-8b": Dollars(0.0375, 0.15),
    },
    # mistral.ai/pricing, July 2025.
    "mistral-ai": {
        "mistral-medium-latest": Dollars(0.4, 2),
        "mistral-medium-2505": Dollars(0.4, 2),
        "mistral-large-2411": Dollars(2, 6),
        "mistral-small-latest": Dollars(0.1, 0.3),
        "magistral-medium-latest": Dollars(2, 5),
        "magistral-small-latest": Dollars(0.5, 1.5),
        "codestral-latest": Dollars(0.3, 0.9),
        "open-mistral-7b": Dollars(0.25, 0.25),
        "open-mistral-nemo": Dollars(0.15, 0.15),
        "open-mixtral-8x7b": Dollars(0.7, 0.7),
        "open-mixtral-8x22b": Dollars(2, 6),
        "mistral-embed": Dollars(0.1),
    },
    # cohere.com/pricing, August 2025.
    "cohere": {
        "command-a-03-2025": Dollars(2.5, 10),
        "command-r-plus": Dollars(2.5, 10),
        "command-r-plus-08-2024": Dollars(2.5, 10),
        "command-r": Dollars(0.15, 0.6),
        "command-r-08-2024": Dollars(0.15, 0.6),
        "command-r7b-12-2024": Dollars(0.0375, 0.15),
        "embed-english-v3.0": Dollars(0.1),
        "embed-multilingual-v3.0": Dollars(0.1),
    },
    # groq.com/pricing, December 2025: Meta's models and others.
    "groq": {
        "llama-3.3-70b-versatile": Dollars(0.59, 0.79),
        "llama-3.1-8b-instant": Dollars(0.05, 0.08),
        "meta-llama/llama-4-maverick-17b-128e-instruct": Dollars(0.2, 0.6),
        "meta-llama/llama-4-scout-17b-16e-instruct": Dollars(0.11, 0.34),
        "openai/gpt-oss-120b": Dollars(0.15, 0.6),
        "openai/gpt-oss-20b": Dollars(0.075, 0.3),
        "qwen/qwen3-32b": Dollars(0.29, 0.59),
        "gemma2-9b-it": Dollars(0.2, 0.2),
    },
    # api-docs.deepseek.com, Models & Pricing, April 2026 (V3.2).
    "deepseek": {
        "deepseek-chat": Dollars(0.28, 0.42, 0.028),
        "deepseek-reasoner": Dollars(0.28, 0.42, 0.028),
    },
}


def _price(dollars: Dollars) -> Price:
    read, write = dollars.read, dollars.write
    parts = (dollars.request, dollars.response, write, read, dollars.audio_in, dollars.audio_out, dollars.audio_read)
    return Price(*(None if each is None else cents(each) for each in parts))  # type: ignore[arg-type]  # the first two are there


PRICES: dict[tuple[str, str], Price] = {
    (provider, model): _price(dollars) for provider, listed in _LISTS.items() for model, dollars in listed.items()
}
"""Provider and model to what its tokens cost."""


_WITH_TOOLS = (
    "gpt-5.2", "gpt-5.1", "gpt-5", "gpt-5-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "o3", "o4-mini",
)  # fmt: skip

UNITS: dict[tuple[str, str], dict[str, float]] = {
    **{("openai", model): {"web_search": 1, "file_search": 0.25} for model in _WITH_TOOLS},
    ("cohere", "rerank-v3.5"): {"search": 0.2},
}
"""Cents for one of other things that are counted, by name. From the same lists: dollars for a thousand of each."""


def _pictures(sizes: tuple[str, ...], **by_quality: tuple[float, ...]) -> dict[str, dict[str, float]]:
    """Cents for a picture by quality and size; the first of each is the default."""
    table = {quality: {"default": found[0], **dict(zip(sizes, found, strict=True))} for quality, found in by_quality.items()}
    return {"default": next(iter(table.values())), **table}


PICTURES: dict[tuple[str, str], dict[str, dict[str, float]]] = {
    ("openai", "gpt-image-1"): _pictures(
        ("1024x1024", "1024x1536", "1536x1024"), high=(16.7, 25, 25), medium=(4.2, 6.3, 6.3), low=(1.1, 1.6, 1.6)
    ),
    ("openai", "dall-e-3"): _pictures(("1024x1024", "1024x1792", "1792x1024"), standard=(4, 8, 8), hd=(8, 12, 12)),
    ("openai", "dall-e-2"): _pictures(("1024x1024", "512x512", "256x256"), standard=(2, 1.8, 1.6)),
}
"""Cents for a picture. From the same list; a model without a default quality of its own has the best one, as in the gateway."""

TRAINING: dict[tuple[str, str], dict[str, float]] = {
    ("openai", "gpt-4.1-2025-04-14"): {"pay_per_token": cents(25)},
    ("openai", "gpt-4.1-mini-2025-04-14"): {"pay_per_token": cents(5)},
    ("openai", "gpt-4.1-nano-2025-04-14"): {"pay_per_token": cents(1.5)},
    ("openai", "gpt-4o-2024-08-06"): {"pay_per_token": cents(25)},
    ("openai", "gpt-4o-mini-2024-07-18"): {"pay_per_token": cents(3)},
    ("openai", "gpt-3.5-turbo"): {"pay_per_token": cents(8)},
    ("openai", "o4-mini-2025-04-16"): {"pay_per_hour": 10_000},
}
"""Cents for training, by the name under which a model can be trained."""
