"""The lines of a file that a model is fine-tuned on, and what may be wrong with them.

Source: gateway-data-plane, /fine_tuning/jobs (the methods); OpenAI's public reference (what a line of each holds). *chosen*: no
least number of lines, which OpenAI has, since a test's file is short.
"""

from __future__ import annotations

from mockserver import values
from mockserver.blobs import Blob
from mockserver.values import Record

_FORMS: dict[str, tuple[dict[str, type], ...]] = {
    "supervised": ({"messages": list}, {"prompt": str, "completion": str}),
    "dpo": ({"input": dict, "preferred_output": list, "non_preferred_output": list},),
    "reinforcement": ({"messages": list},),
}
"""What a line holds, by the method; some may hold one of several."""


class Fault(ValueError):
    """What is wrong with a file."""


def check(blob: Blob, method: str) -> int:
    """Return how many examples a file holds. Raises `Fault`."""
    count = 0
    for number, text in enumerate(blob.lines(), 1):
        if not text.strip():
            continue
        try:
            line = values.parse(text)
        except values.NotJSON as error:
            raise Fault(f"Line {number} is not a JSON object: it {error}.") from None
        wrong = _wrong(line, method) if isinstance(line, dict) else "is not a JSON object"
        if wrong:
            raise Fault(f"Line {number} {wrong}.")
        count += 1
    if not count:
        raise Fault("The file has no lines.")
    return count


def _wrong(line: Record, method: str) -> str:
    """What is wrong with a line, in half a sentence; empty when nothing is."""
    forms = _FORMS[method]
    if not any(all(isinstance(line.get(name), type_) for name, type_ in form.items()) for form in forms):
        return f"lacks {' or '.join(' and '.join(map(repr, form)) for form in forms)}"
    messages = line.get("messages", [])
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages):
        return "has messages without a role"
    if method == "supervised" and "messages" in line and not any(message["role"] == "assistant" for message in messages):
        return "has no message of the assistant to learn from"
    return ""
