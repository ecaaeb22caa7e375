"""Where a check of Schemathesis cannot be right about an operation of Portkey's: one check, one operation, one reason."""

from __future__ import annotations

from mockserver.values import Record


def _without(check: str, *operations: str) -> list[Record]:
    return [{"include-name": operation, "checks": {check: {"enabled": False}}} for operation in operations]


_KEEPING = ("files", "batches", "fine_tuning", "assistants", "threads", "vector_stores", "responses")
NAMED = {"x-portkey-provider": "@openai-production"}

EXCEPTIONS: list[Record] = [
    # A form has no types: a wrong value (an object, null, a number) for a text arrives as a text, which is right, and an
    # empty list or a field of null does not arrive at all.
    *_without(
        "negative_data_rejection",
        "POST /audio/transcriptions",
        "POST /audio/translations",
        "POST /images/edits",
        "POST /images/variations",
        "POST /files",
    ),
    # Likewise: null for a field that is a text or an object arrives as the text `null`, which is neither `auto` nor an object.
    *_without("acceptance", "POST /audio/transcriptions"),
    # What a provider keeps can be reached by who names the provider; nothing in these calls does but a header, which would
    # otherwise be there in one and not in the next.
    *({"include-path-regex": f"^/{family}", "headers": NAMED} for family in _KEEPING),
    # A call without an upgrade is answered 426, as documented, whatever else it says.
    *_without("acceptance", "GET /realtime"),
]
"""Settings of single operations, in Schemathesis's own form."""
