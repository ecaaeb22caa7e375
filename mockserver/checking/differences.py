"""How two schemas differ, and whether one allows less or more than the other.

Every difference goes from the *other* document to *ours*: `narrower` is what allows less in ours. In a request, narrower breaks
consumers and wider producers; in a response, narrower breaks producers and wider consumers (chosen: substitution, each side
relying on nothing but its document).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mockserver.checking.views import HIGH, LOW, Part, Reader, View
from mockserver.contract.gate import NATIVE_FORMATS, PATTERN_FORMATS
from mockserver.reporting.finding import Severity, Side
from mockserver.values import JSON, Record, dump, pointer

Direction: TypeAlias = Literal["request", "response"]
Change: TypeAlias = Literal["narrower", "wider", "both", "unjudged", "none"]

_BREAKS: dict[tuple[Direction, Change], tuple[Side, ...]] = {
    ("request", "narrower"): ("consumer",),
    ("request", "wider"): ("producer",),
    ("response", "narrower"): ("producer",),
    ("response", "wider"): ("consumer",),
    ("request", "both"): ("consumer", "producer"),
    ("response", "both"): ("consumer", "producer"),
}

_Pair: TypeAlias = tuple[str, str, int, int]


def _pair(ours: Part, theirs: Part) -> _Pair:
    return (ours.place, theirs.place, id(ours.schema), id(theirs.schema))


_ORDERED_FORMATS = (("int32", "int64"),)
_CHECKED_FORMATS = {*NATIVE_FORMATS, *PATTERN_FORMATS, "int32", "int64"}
"""Formats that refuse anything; all others are annotations."""
_DISJOINT_FORMATS = {"date", "date-time", "time", "uuid", "ipv4", "ipv6"}
"""Formats of which no text has two."""


@dataclass(frozen=True)
class Difference:
    """One difference: where in both documents, what it is, whom it breaks in which direction; `patch` takes it back in ours."""

    code: str
    ours: str
    theirs: str
    message: str
    direction: Direction | None
    breaks: tuple[Side, ...]
    change: Change = "none"
    severity: Severity | None = None
    mend: str = ""
    patch: tuple[tuple[str, str, bytes], ...] = ()


def breaking(direction: Direction, change: Change) -> tuple[Side, ...]:
    """Whom a change breaks."""
    return _BREAKS.get((direction, change), ())


class Comparison:
    """Compares the schemas of two documents in one direction, each pair once."""

    def __init__(self, ours: Reader, theirs: Reader, direction: Direction) -> None:
        self._ours = ours
        self._theirs = theirs
        self._direction: Direction = direction
        self._done: set[_Pair] = set()
        self._stack: list[_Pair] = []
        self._covered: dict[tuple[str, _Pair], bool] = {}

    def compare(self, ours: Part, theirs: Part) -> Iterator[Difference]:
        """Yield how two schemas differ."""
        ours, theirs = self._ours.resolve(ours), self._theirs.resolve(theirs)
        key = _pair(ours, theirs)
        if key in self._done:
            return
        self._done.add(key)
        self._stack.append(key)
        try:
            yield from self._compare(ours, theirs)
        finally:
            self._stack.remove(key)

    def _compare(self, ours: Part, theirs: Part) -> Iterator[Difference]:
        mine, other = self._ours.view(ours), self._theirs.view(theirs)
        yield from self._default(ours, theirs)
        if mine.is_open or other.is_open:
            if mine.is_open != other.is_open:
                change: Change = "wider" if mine.is_open else "narrower"
                told = (
                    f"anything is allowed, not only {_types(other)}"
                    if mine.is_open
                    else f"only {_types(mine)} is allowed, not anything"
                )
                yield self._difference("MS-C017", mine, other, told, change)
            return
        if bool(mine.choices) != bool(other.choices):
            yield from self._lone(ours, theirs, mine, other)
            return
        disjoint = False
        for each in self._type(mine, other):
            disjoint = disjoint or len(each.breaks) == 2
            yield each
        if disjoint:
            return
        yield from self._enum(mine, other)
        yield from self._bound(mine, other)
        yield from self._text(mine, other)
        yield from self._object(mine, other)
        if mine.items is not None or other.items is not None:
            yield from self.compare(
                mine.items or Part({}, f"{mine.place}/items"), other.items or Part({}, f"{other.place}/items")
            )
        yield from self._choices(mine, other)
        for reason in sorted({*mine.unjudged, *other.unjudged}):
            if (mine.properties.keys(), mine.additional) != (other.properties.keys(), other.additional):
                yield self._difference("MS-C029", mine, other, f"not judged: {reason}", "unjudged")
        if mine.refused != other.refused:
            yield self._difference("MS-C029", mine, other, "not judged: `not` differs", "unjudged")

    def _difference(
        self,
        code: str,
        ours: View | str,
        theirs: View | str,
        message: str,
        change: Change,
        *,
        severity: Severity | None = None,
        breaks: tuple[Side, ...] | None = None,
        mend: str = "",
        patch: tuple[tuple[str, str, bytes], ...] = (),
    ) -> Difference:
        sides = breaking(self._direction, change) if breaks is None else breaks
        return Difference(
            code,
            ours if isinstance(ours, str) else ours.place,
            theirs if isinstance(theirs, str) else theirs.place,
            message,
            self._direction,
            sides,
            change,
            severity or ("note" if change == "unjudged" else severity_of(sides)),
            mend,
            patch,
        )

    # One aspect after the other.

    def _default(self, ours: Part, theirs: Part) -> Iterator[Difference]:
        mine, other = ours.schema.get("default"), theirs.schema.get("default")
        if (
            self._direction == "request"
            and dump(mine) != dump(other)
            and ("default" in ours.schema or "default" in theirs.schema)
        ):
            told = f"the default is {_shown(mine, ours.schema)} rather than {_shown(other, theirs.schema)}"
            place = f"{ours.place}/default" if "default" in ours.schema else ours.place
            yield self._difference("MS-C026", place, theirs.place, told, "none", severity="warning")

    def _type(self, mine: View, other: View) -> Iterator[Difference]:
        if _null(mine) != _null(other):
            told = "null is allowed" if _null(mine) else "null is not allowed"
            yield self._difference("MS-C018", mine, other, told, "wider" if _null(mine) else "narrower")
        one, two = _proper(mine), _proper(other)
        if one == two:
            return
        lost, gained = (two or _ALL) - (one or _ALL), (one or _ALL) - (two or _ALL)
        change: Change = "narrower" if not gained else "wider" if not lost else "both"
        yield self._difference("MS-C017", mine, other, f"it is {_types(mine)}, not {_types(other)}", change)

    def _enum(self, mine: View, other: View) -> Iterator[Difference]:
        if mine.enum is None and other.enum is None:
            return
        if mine.enum is None or other.enum is None:
            values = ", ".join(key.decode() for key in (mine.enum or other.enum or {}))
            if mine.enum is None:
                yield self._difference("MS-C016", mine, other, f"any value is allowed, not only {values}", "wider")
            else:
                yield self._difference("MS-C015", mine.enum_at, other, f"only {values} is allowed", "narrower")
            return
        for key, value in other.enum.items():
            if key not in mine.enum and value is not None:
                place = mine.enum_at
                yield self._difference(
                    "MS-C015", place, other, f"the value {key.decode()} is missing", "narrower",
                    mend=f"Add {key.decode()} to the enum.", patch=(("add", f"{place}/-", key),),
                )  # fmt: skip
        for key, value in mine.enum.items():
            if key not in other.enum and value is not None:
                yield self._difference("MS-C016", mine.enum_at, other, f"the value {key.decode()} is new", "wider")

    def _bound(self, mine: View, other: View) -> Iterator[Difference]:
        for name in (*LOW, *HIGH):
            one, two = mine.bounds.get(name), other.bounds.get(name)
            if one == two:
                continue
            tighter = two is None or (
                one is not None and (one > two if name in LOW else (one[0], not one[1]) < (two[0], not two[1]))
            )
            told = f"{name} is {_bound(one)} rather than {_bound(two)}"
            place = f"{mine.place}/{name}" if one is not None else mine.place
            yield self._difference("MS-C019", place, other, told, "narrower" if tighter else "wider")
        if mine.unique != other.unique:
            told = "items must differ" if mine.unique else "items may be the same"
            yield self._difference("MS-C019", mine, other, told, "narrower" if mine.unique else "wider")
        if mine.multiple != other.multiple:
            told = f"multipleOf is {_bound(mine.multiple)} rather than {_bound(other.multiple)}"
            yield self._difference("MS-C019", mine, other, told, _multiple(mine.multiple, other.multiple))

    def _text(self, mine: View, other: View) -> Iterator[Difference]:
        if mine.patterns != other.patterns:
            change: Change = "unjudged"
            if mine.patterns > other.patterns:
                change = "narrower"
            elif mine.patterns < other.patterns:
                change = "wider"
            told = f"the pattern is {_listed(mine.patterns)} rather than {_listed(other.patterns)}"
            yield self._difference("MS-C020", mine, other, told, change)
        if mine.formats != other.formats:
            told = f"the format is {_listed(mine.formats)} rather than {_listed(other.formats)}"
            yield self._difference("MS-C020", mine, other, told, _format(mine.formats, other.formats))

    def _object(self, mine: View, other: View) -> Iterator[Difference]:
        for name, theirs in other.properties.items():
            if name in mine.properties:
                yield from self._field(name, mine, other)
            elif not self._hidden(self._theirs, theirs):
                yield self._missing(name, theirs, mine, other)
        for name, ours in mine.properties.items():
            if name not in other.properties and not self._hidden(self._ours, ours):
                yield self._new(name, ours, mine, other)
        bare = (mine.required | other.required) - (set(mine.properties) | set(other.properties))
        for name in sorted(bare):
            yield from self._required(name, mine, other, f"{mine.place}/required", other.place)
        yield from self._additional(mine, other)

    def _field(self, name: str, mine: View, other: View) -> Iterator[Difference]:
        ours, theirs = mine.properties[name], other.properties[name]
        hidden, was_hidden = self._hidden(self._ours, ours), self._hidden(self._theirs, theirs)
        if hidden != was_hidden:
            flag = "read-only" if self._direction == "request" else "write-only"
            told = f"the field {name!r} is {flag}" if hidden else f"the field {name!r} is not {flag}"
            change: Change = (
                ("narrower" if hidden else "wider") if self._direction == "request" else ("both" if hidden else "none")
            )
            yield self._difference("MS-C031", ours.place, theirs.place, told, change)
        if hidden or was_hidden:
            return
        yield from self._required(name, mine, other, ours.place, theirs.place)
        yield from self.compare(ours, theirs)

    def _required(self, name: str, mine: View, other: View, ours: str, theirs: str) -> Iterator[Difference]:
        if (name in mine.required) == (name in other.required):
            return
        now = name in mine.required
        told = f"the field {name!r} is {'required' if now else 'optional'}"
        yield self._difference("MS-C014", ours, theirs, told, "narrower" if now else "wider")

    def _missing(self, name: str, theirs: Part, mine: View, other: View) -> Difference:
        was_required, closed = name in other.required, mine.additional is False
        told = f"the field {name!r} is missing"
        sides: tuple[Side, ...] = ("consumer",)
        if (closed and self._direction == "response") or (was_required and self._direction == "request"):
            sides = ("consumer", "producer")
        # A client copes with the absence of what was optional, and does not notice that what it sends is ignored.
        severe = was_required if self._direction == "response" else closed
        patch = _patch("add", f"{mine.place}/properties{pointer(name)}", theirs.schema) if mine.holds_fields else ()
        mend = f"Add the field {name!r} as the other document has it."
        severity: Severity = "error" if severe else "warning"
        change: Change = "wider" if was_required else "none"
        if closed:
            change = "both" if was_required else "narrower"
        return self._difference(
            "MS-C012", mine, theirs.place, told, change, severity=severity, breaks=sides, mend=mend, patch=patch
        )

    def _new(self, name: str, ours: Part, mine: View, other: View) -> Difference:
        required, was_closed = name in mine.required, other.additional is False
        told = f"the field {name!r} is new" + (" and required" if required else "")
        sides: tuple[Side, ...]
        if self._direction == "request":
            sides = ("consumer",) if required else ("producer",)
        else:
            consumer: tuple[Side, ...] = ("consumer",) if was_closed else ()
            sides = (*consumer, "producer") if required else consumer
        change: Change = "narrower" if required else "wider" if was_closed else "none"
        return self._difference("MS-C013", ours.place, other, told, change, severity=severity_of(sides), breaks=sides)

    def _hidden(self, reader: Reader, part: Part) -> bool:
        flag = "readOnly" if self._direction == "request" else "writeOnly"
        own = part.schema.get(flag) if isinstance(part.schema, dict) else None
        return own is True or reader.resolve(part).schema.get(flag) is True

    def _additional(self, mine: View, other: View) -> Iterator[Difference]:
        one, two = mine.additional, other.additional
        if isinstance(one, Part) and isinstance(two, Part):
            yield from self.compare(one, two)
            return
        rank = {True: 2, False: 0}
        left, right = (rank.get(each, 1) if isinstance(each, bool) else 1 for each in (one, two))
        if left != right:
            words = ("no other fields are allowed", "other fields are of a certain schema", "any other fields are allowed")
            change: Change = "narrower" if left < right else "wider"
            yield self._difference("MS-C021", mine, other, f"{words[left]}; there, {words[right]}", change)

    # Alternatives.

    def _lone(self, ours: Part, theirs: Part, mine: View, other: View) -> Iterator[Difference]:
        """One document has alternatives where the other has one schema, which is compared as the only alternative."""
        if mine.choices and mine.only_chooses and len(mine.choices) == 1:
            yield from self._alternatives(mine.choices[0], (theirs,), mine, other)
        elif other.choices and other.only_chooses and len(other.choices) == 1:
            yield from self._alternatives((ours,), other.choices[0], mine, other)
        else:
            yield self._difference("MS-C029", mine, other, "not judged: alternatives beside other rules", "unjudged")

    def _choices(self, mine: View, other: View) -> Iterator[Difference]:
        if len(mine.choices) != len(other.choices):
            yield self._difference("MS-C029", mine, other, "not judged: several groups of alternatives", "unjudged")
            return
        for one, two in zip(mine.choices, other.choices, strict=True):
            yield from self._alternatives(one, two, mine, other)

    def _alternatives(self, ours: tuple[Part, ...], theirs: tuple[Part, ...], mine: View, other: View) -> Iterator[Difference]:
        left, right = list(ours), list(theirs)
        for two in theirs:
            one = next((each for each in left if self._same(each, two, mine, other)), None)
            if one is not None:
                left.remove(one)
                right.remove(two)
                yield from self.compare(one, two)
        if len(left) == len(right) == 1 and len(ours) > 1 and len(theirs) > 1 and not self._named(left[0], right[0]):
            yield from self.compare(left[0], right[0])
            return
        for two in right:
            if not any(self._covers(one, two) for one in ours):
                told = f"the alternative {_called(two)} is missing"
                yield self._difference("MS-C022", mine, two.place, told, "narrower")
        for one in left:
            if not any(self._is_covered(one, two) for two in theirs):
                yield self._difference("MS-C023", one.place, other, f"the alternative {_called(one)} is new", "wider")

    def _same(self, one: Part, two: Part, mine: View, other: View) -> bool:
        left, right = one.schema.get("$ref"), two.schema.get("$ref")
        if left is not None and right is not None:
            tag, other_tag = mine.tags.get(left), other.tags.get(right)
            return left == right if tag is None or other_tag is None else tag == other_tag
        return bool(dump(one.schema) == dump(two.schema)) or (
            "title" in one.schema and one.schema["title"] == two.schema.get("title")
        )

    def _named(self, one: Part, two: Part) -> bool:
        return "$ref" in one.schema and "$ref" in two.schema

    def _covers(self, one: Part, two: Part) -> bool:
        """Whether ours allows all that an alternative of theirs does."""
        return self._judged("narrower", one, two)

    def _is_covered(self, one: Part, two: Part) -> bool:
        """Whether an alternative of theirs allows all that one of ours does."""
        return self._judged("wider", one, two)

    def _judged(self, question: Change, one: Part, two: Part) -> bool:
        key = (question, _pair(self._ours.resolve(one), self._theirs.resolve(two)))
        if key not in self._covered:
            # Apart from what is told; what is being compared already is taken to be alike, so that circles end.
            apart = Comparison(self._ours, self._theirs, self._direction)
            apart._done, apart._covered = set(self._stack), self._covered
            self._covered[key] = True
            against = (question, "both", "unjudged")
            self._covered[key] = not any(each.change in against for each in apart.compare(one, two))
        return self._covered[key]


def severity_of(sides: tuple[Side, ...]) -> Severity:
    """What breaks consumers is an error, what breaks producers alone a warning, what breaks nobody a note."""
    return "error" if "consumer" in sides else "warning" if sides else "note"


_ALL = frozenset({"string", "boolean", "array", "object", "integer", "number"})


def _null(view: View) -> bool:
    return (view.types is None or "null" in view.types) and (view.enum is None or b"null" in view.enum)


def _proper(view: View) -> frozenset[str] | None:
    return None if view.types is None else view.types - {"null"}


def _types(view: View) -> str:
    if view.types is None:
        return "of any type"
    shown = sorted(view.types - {"null"} - ({"integer"} if "number" in view.types else set()))
    return " or ".join(shown) or "null"


def _bound(bound: object) -> str:
    if bound is None:
        return "none"
    if isinstance(bound, tuple):
        return f"{bound[0]}{' exclusively' if bound[1] else ''}"
    return str(bound)


def _listed(values: frozenset[str]) -> str:
    return " and ".join(sorted(values)) or "none"


def _shown(value: JSON, schema: Record) -> str:
    return dump(value).decode() if "default" in schema else "none"


def _multiple(one: float | None, two: float | None) -> Change:
    if one is None or two is None:
        return "narrower" if two is None else "wider"
    if one % two == 0:
        return "narrower"
    return "wider" if two % one == 0 else "both"


def _format(ours: frozenset[str], theirs: frozenset[str]) -> Change:
    ours, theirs = ours & _CHECKED_FORMATS, theirs & _CHECKED_FORMATS
    if ours == theirs:
        return "none"  # `password` and its like allow what they would without
    if ours > theirs:
        return "narrower"
    if ours < theirs:
        return "wider"
    if len(ours) == len(theirs) == 1:
        one, two = next(iter(ours)), next(iter(theirs))
        for narrow, wide in _ORDERED_FORMATS:
            if (one, two) == (narrow, wide):
                return "narrower"
            if (one, two) == (wide, narrow):
                return "wider"
        if {one, two} <= _DISJOINT_FORMATS:
            return "both"
    return "unjudged"


def _called(part: Part) -> str:
    schema: Record = part.schema
    return str(schema.get("$ref", "")).rpartition("/")[2] or str(schema.get("title") or schema.get("type") or part.place)


def _patch(operation: str, place: str, value: JSON) -> tuple[tuple[str, str, bytes], ...]:
    """A step of a JSON Patch, unless its value refers to what the document may not have."""
    text = dump(value)
    return () if b'"$ref"' in text else ((operation, place, text),)
