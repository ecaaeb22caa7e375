"""How likely the model says that its tokens were, and which others it thought of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from mockserver.portkey.answers.chance import Chance

_OTHERS = (" the", " a", " and", " of", " to", " in", " that", " it", " is", " for", ".", ",", " with", " as", " on", " this",
    " at", " by", " from", " or", " one", " all", " more", " their")  # fmt: skip
_AROUND = 2 * _OTHERS
"""To begin anywhere and still meet all of them."""


class Likely(NamedTuple):
    """A token, its logprob, and the likeliest tokens of its place with theirs: itself first, as the likeliest won."""

    token: str
    logprob: float
    top: list[tuple[str, float]]


def told(pieces: Sequence[str], chance: Chance, top: int) -> list[Likely]:
    """Return what is told of each token, with so many likely ones, 20 at most. Chances of a place never exceed one."""
    found = []
    for piece in pieces:
        drawn = chance.below(1 << 16)
        share = 0.999 - 0.6 * (drawn / 65536) ** 2
        logprob = round(math.log(share), 7)
        likeliest = [(piece, logprob)]
        if top > 1:
            rest = 1 - share
            for other in islice(_AROUND, drawn % len(_OTHERS), None):
                if len(likeliest) == top:
                    break
                if other != piece:
                    rest /= 2
                    likeliest.append((other, round(math.log(rest), 7)))
        found.append(Likely(piece, logprob, likeliest[:top]))
    return found
