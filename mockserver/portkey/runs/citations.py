"""What an answer cites of the files that a search has found: marks in its words, and the annotations that tell of them.

Source: the SDK's types (an annotation names the mark, to be replaced, and where it stands). *chosen*: the form of the marks,
which is that which OpenAI is known to write, and how many there are.
"""

from __future__ import annotations

import re

from mockserver.values import Record

MOST = 3
"""How many files an answer that is made up cites."""

_MARK = re.compile(r"【\d+:(\d+)†[^【】]*】")


def marks(found: list[str]) -> str:
    """Return what an answer ends with that cites files."""
    return "".join(f"【0:{number}†source】" for number in range(min(len(found), MOST)))


def cited(text: str, found: list[str]) -> list[Record]:
    """Return what the marks in a text mean; `found` are the ids of the files, as they are numbered. Others mean nothing."""
    return [
        {
            "type": "file_citation",
            "text": mark[0],
            "start_index": mark.start(),
            "end_index": mark.end(),
            "file_citation": {"file_id": found[int(mark[1])]},
        }
        for mark in _MARK.finditer(text)
        if int(mark[1]) < len(found)
    ]


def within(all_: list[Record], start: int, end: int) -> list[Record]:
    """Return the annotations whose marks end behind one place in the text, and by another, with their numbers among all."""
    return [{"index": index, **each} for index, each in enumerate(all_) if start < each["end_index"] <= end]
