"""Where a check of Schemathesis cannot be right about an operation of Portkey's: one check, one operation, one reason."""

from __future__ import annotations

from mockserver.values import Record

_UNTYPED = {"checks": {"negative_data_rejection": {"enabled": False}}}

EXCEPTIONS: list[Record] = [
    # A form has no types: the wrong value `{}` for an item of a list of texts arrives as the text `{}`, which is right.
    {"include-name": "POST /audio/transcriptions", **_UNTYPED},
]
"""Settings of single operations, in Schemathesis's own form."""
