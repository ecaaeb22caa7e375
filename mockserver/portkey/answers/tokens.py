"""What counts as a token. Logprobs, chunks of streams, limits and usage all go by the pieces made here.

The rule (*chosen*: near enough to the real ones, about four characters of English each, and no table of a model's to
ship): a piece is up to eight Latin letters, up to three digits, or up to three marks, each with the space before it; or a
line break with the spaces before it, or spaces; of all else a character is a piece. So the first pieces of a text are the
pieces of its beginning: cutting a text after so many makes one that has so many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from zlib import crc32

from mockserver.values import JSON, Record, dump

_PIECE = re.compile(
    r" ?[A-Za-z\u00c0-\u024f]{1,8}"
    r"| ?[0-9]{1,3}"
    r"| ?[!-/:-@\[-`{-~]{1,3}"
    r"|\n+|[^\S\n]+"
    r"|.",
    re.DOTALL,
)

_MESSAGE = 3
_REPLY = 3
"""What each message costs besides its texts, and what opens the answer (as OpenAI's own recipe counts them)."""

_IMAGE = {"low": 85}
_IMAGE_OTHERWISE = 765
"""An image, at low detail and at any other (OpenAI's figures for a square of 1024)."""

_CHARACTERS_OF_SOUND = 4200
_CHARACTERS_OF_A_FILE = 6
_FILE = 100
"""Base64 characters to a token of sound (ten a second of 16-bit sound at 16 kHz) and of a file; a file known by its id."""

_WORDS = (" the", " of", " light", " and", " water", " house", " with", " paper", " north", " in", " stone", " green", " time",
    " to", " river", " glass", " day", " for", " wind", " table", " year", " on", " bread", " road", " name", " sea",
    " song", " hill", " by", " lamp", " door", " rain")  # fmt: skip


def pieces(text: str) -> list[str]:
    """Return the tokens of a text: put together they are the text."""
    return _PIECE.findall(text)


def count(text: str) -> int:
    """Return how many tokens a text has."""
    return len(_PIECE.findall(text))


def stopped(text: str, stop: JSON) -> str:
    """Return a text up to where the first of the texts that end it begins."""
    for end in (stop,) if isinstance(stop, str) else stop or ():
        if end:
            text = text.partition(end)[0]
    return text


def numbers(texts: Iterable[str]) -> list[int]:
    """Return the number of each token, as a vocabulary of 50000 might have it."""
    return [crc32(text.encode("utf-8", "surrogatepass")) % 50000 for text in texts]


def spelled(numbers_: Iterable[int]) -> str:
    """Return a text of so many tokens for numbers whose own texts nobody here knows."""
    return "".join([_WORDS[number % len(_WORDS)] for number in numbers_])


def count_messages(messages: Iterable[Record]) -> int:
    """Return how many tokens a conversation has, the opening of the answer included."""
    total = _REPLY
    for message in messages:
        total += _MESSAGE + 1 + count_content(message.get("content"))
        if message.get("name"):
            total += 1 + count(message["name"])
        if message.get("refusal"):
            total += count(message["refusal"])
        for call in message.get("tool_calls") or ():
            total += count_call(call.get("function") or call.get("custom") or {})
        if message.get("function_call"):
            total += count_call(message["function_call"])
    return total


def count_call(call: Record) -> int:
    """Return how many tokens the name and the arguments of a call have."""
    return count(call.get("name") or "") + count(call.get("arguments") or call.get("input") or "")


def count_tools(body: Record) -> int:
    """Return how many tokens the tools or functions of a request have, and the form of answer that it asks for."""
    total = 0
    for name in ("tools", "functions", "response_format"):
        if body.get(name):
            total += count(dump(body[name]).decode())
    return total


def count_content(content: JSON) -> int:
    """Return how many tokens a text or a list of parts has."""
    if isinstance(content, str):
        return count(content)
    return sum(_count_part(part) for part in content or ())


def _count_part(part: Record) -> int:
    kind = part.get("type")
    if kind == "image_url":
        image = part.get("image_url")
        return _IMAGE.get(image.get("detail", ""), _IMAGE_OTHERWISE) if isinstance(image, dict) else _IMAGE_OTHERWISE
    if kind == "input_audio":
        return 1 + len(part["input_audio"].get("data") or "") // _CHARACTERS_OF_SOUND
    if kind == "file":
        data = part["file"].get("file_data")
        return 1 + len(data) // _CHARACTERS_OF_A_FILE if data else _FILE
    return count(part.get("text") or part.get("refusal") or part.get("thinking") or "")
