"""Makes texts that a regular expression matches, as far as it is one of those that people write into documents."""

from __future__ import annotations

import re
import re._constants as regex
import re._parser as regex_parser
from collections.abc import Iterator
from typing import Any

from mockserver.world.ids import Ids

_TRIES = 12


def matching(pattern: str, ids: Ids, least: int = 0) -> Iterator[str]:
    """Yield texts that may match, of growing length; `least` is a length that one should have. Whoever asks checks them."""
    try:
        # JavaScript names its groups without the P.
        tokens = regex_parser.parse(re.sub(r"\(\?<(?![=!])", "(?P<", pattern))
    except (re.error, RecursionError, OverflowError):
        return
    for stretch in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, least, least + 1):
        for _ in range(_TRIES if stretch == 1 else 2):
            try:
                made = _Maker(ids, stretch).text(tokens)
            except (NotImplementedError, KeyError, ValueError, RecursionError, OverflowError):
                return
            yield made
            if len(made) < least:
                yield made + made[-1:] * (least - len(made))
                yield made + "x" * (least - len(made))


class _Maker:
    def __init__(self, ids: Ids, stretch: int) -> None:
        self.ids = ids
        self.stretch = stretch
        self.groups: dict[int, str] = {}

    def text(self, tokens: Any) -> str:
        return "".join([self.token(operator, argument) for operator, argument in tokens])

    def token(self, operator: Any, argument: Any) -> str:
        if operator is regex.LITERAL:
            return chr(argument)
        if operator in (regex.AT, regex.ASSERT, regex.ASSERT_NOT):
            return ""
        if operator is regex.ANY:
            return "x"
        if operator is regex.IN:
            return _one_of(argument, self.ids)
        if operator is regex.NOT_LITERAL:
            return "x" if argument != ord("x") else "y"
        if operator in (regex.MAX_REPEAT, regex.MIN_REPEAT, regex.POSSESSIVE_REPEAT):
            low, high, inner = argument
            return "".join([self.text(inner) for _ in range(max(low, min(int(high), self.stretch)))])
        if operator is regex.SUBPATTERN:
            made = self.text(argument[-1])
            if argument[0] is not None:
                self.groups[argument[0]] = made
            return made
        if operator is regex.GROUPREF:
            return self.groups[argument]
        if operator is regex.BRANCH:
            branches = argument[1]
            return self.text(branches[self.ids.below(len(branches))])
        raise NotImplementedError(operator)


_CATEGORIES = {
    regex.CATEGORY_DIGIT: "0123456789",
    regex.CATEGORY_WORD: "abcdefghijklmnopqrstuvwxyz0123456789_",
    regex.CATEGORY_SPACE: " ",
    regex.CATEGORY_NOT_DIGIT: "abcxyz",
    regex.CATEGORY_NOT_WORD: "-. ",
    regex.CATEGORY_NOT_SPACE: "abcxyz",
}


def _one_of(options: Any, ids: Ids) -> str:
    negated, allowed = False, ""
    for operator, argument in options:
        if operator is regex.NEGATE:
            negated = True
        elif operator is regex.LITERAL:
            allowed += chr(argument)
        elif operator is regex.RANGE:
            allowed += "".join(chr(code) for code in range(argument[0], min(argument[1], argument[0] + 200) + 1))
        elif operator is regex.CATEGORY:
            allowed += _CATEGORIES[argument]
    if negated:
        allowed = "".join(letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789 -_." if letter not in allowed)
    return allowed[ids.below(len(allowed))]
