"""Matchers of texts and JSON, in WireMock's words: `{"equalTo": "a"}`, `{"matchesJsonPath": "$.a"}`.

A matcher is compiled once and asked often. Source of names and meanings: WireMock's reference of request matching.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import jsonschema_rs

from mockserver import values
from mockserver.stubbing import equality, paths
from mockserver.stubbing.refusals import Refusals
from mockserver.values import JSON, Record
from mockserver.world.clock import parse_timestamp

NOT_JSON = object()
"""What stands for the value of a text that is no JSON."""


class Subject:
    """What a matcher looks at: a text or bytes, None when there is none; its JSON is parsed when first asked for."""

    __slots__ = ("_json", "_raw", "_text")

    def __init__(self, raw: str | bytes | None, json: JSON = ...) -> None:
        self._raw = raw
        self._text = raw if isinstance(raw, str) else None
        self._json = json

    @property
    def absent(self) -> bool:
        """Whether there is nothing."""
        return self._raw is None

    @property
    def raw(self) -> bytes:
        """The bytes."""
        return self._raw.encode() if isinstance(self._raw, str) else self._raw or b""

    @property
    def text(self) -> str:
        """The text; empty when there is none."""
        if self._text is None:
            self._text = "" if self._raw is None else self.raw.decode("utf-8", "replace")
        return self._text

    @property
    def json(self) -> JSON:
        """The value, or `NOT_JSON`."""
        if self._json is ...:
            try:
                self._json = values.parse(self.raw)
            except values.NotJSON:
                self._json = NOT_JSON
        return self._json


Test: TypeAlias = Callable[[Subject], bool]
_Maker: TypeAlias = Callable[[JSON, Record, str, Refusals], Test]


class _Kind(NamedTuple):
    """A kind of matcher: how its test is made, and the options that may stand beside it."""

    make: _Maker
    options: tuple[str, ...] = ()


def compiled(matcher: Record, place: str, refusals: Refusals) -> Test:
    """Return the test of a matcher; what is wrong with it is noted, and the test then fits nothing."""
    named = [name for name in matcher if name in KINDS]
    if len(named) != 1:
        found = " and ".join(named) or "none"
        refusals.add(place, f"needs one matcher, not {found}; join several by `and`. Matchers are {', '.join(KINDS)}")
        return _never
    (name,) = named
    kind = KINDS[name]
    for option in matcher:
        if option != name and option not in kind.options:
            refusals.add(f"{place}{values.pointer(option)}", f"does not go with {name}")
    return kind.make(matcher[name], matcher, f"{place}{values.pointer(name)}", refusals)


def _never(_: Subject) -> bool:
    return False


def _present(test: Test) -> Test:
    """Nothing but `absent` fits what is not there."""
    return lambda subject: not subject.absent and test(subject)


def _equal_to(wanted: JSON, matcher: Record, place: str, refusals: Refusals) -> Test:
    text = _text(wanted, place, refusals)
    if matcher.get("caseInsensitive"):
        return _present(lambda subject: subject.text.casefold() == text.casefold())
    return _present(lambda subject: subject.text == text)


def _contains(wanted: JSON, matcher: Record, place: str, refusals: Refusals) -> Test:
    text = _text(wanted, place, refusals)
    if matcher.get("caseInsensitive"):
        return _present(lambda subject: text.casefold() in subject.text.casefold())
    return _present(lambda subject: text in subject.text)


def _does_not_contain(wanted: JSON, matcher: Record, place: str, refusals: Refusals) -> Test:
    contains = _contains(wanted, matcher, place, refusals)
    return lambda subject: not contains(subject)


def _matches(wanted: JSON, _: Record, place: str, refusals: Refusals) -> Test:
    pattern = regex(wanted, place, refusals)
    return _present(lambda subject: pattern.fullmatch(subject.text) is not None)


def _does_not_match(wanted: JSON, _: Record, place: str, refusals: Refusals) -> Test:
    pattern = regex(wanted, place, refusals)
    return lambda subject: pattern.fullmatch(subject.text) is None


def _absent(wanted: JSON, _: Record, place: str, refusals: Refusals) -> Test:
    if wanted is not True:
        refusals.add(place, 'can only be true; what must be there fits {"matches": ".*"}')
    return lambda subject: subject.absent


def _binary(wanted: JSON, _: Record, place: str, refusals: Refusals) -> Test:
    content = from_base64(wanted, place, refusals)
    return _present(lambda subject: subject.raw == content)


def _equal_to_json(wanted: JSON, matcher: Record, place: str, refusals: Refusals) -> Test:
    value = wanted
    if isinstance(wanted, str):
        try:
            value = values.parse(wanted.encode())
        except values.NotJSON as error:
            refusals.add(place, str(error))
    _check_patterns(value, place, refusals)
    any_order, extra = bool(matcher.get("ignoreArrayOrder")), bool(matcher.get("ignoreExtraElements"))

    def test(subject: Subject) -> bool:
        found = subject.json
        return found is not NOT_JSON and equality.equal(value, found, any_order=any_order, extra=extra)

    return _present(test)


def _check_patterns(value: JSON, place: str, refusals: Refusals) -> None:
    """Refuse a placeholder whose regular expression is none."""
    if isinstance(value, dict):
        for item in value.values():
            _check_patterns(item, place, refusals)
    elif isinstance(value, list):
        for item in value:
            _check_patterns(item, place, refusals)
    elif isinstance(value, str) and value.startswith("${json-unit."):
        if value.startswith(equality.REGEX):
            regex(value.removeprefix(equality.REGEX), place, refusals)
        elif value not in equality.PLACEHOLDERS:
            refusals.add(place, f"{value!r} is no placeholder: {', '.join(equality.PLACEHOLDERS)} and {equality.REGEX}… are")


def _matches_json_path(wanted: JSON, _: Record, place: str, refusals: Refusals) -> Test:
    """A text: something is there, and it is neither null nor empty. With a matcher: one of the values fits it."""
    inner: Test | None = None
    expression = wanted
    if isinstance(wanted, dict):
        expression = wanted.get("expression")
        inner = compiled({name: value for name, value in wanted.items() if name != "expression"}, place, refusals)
    if not isinstance(expression, str):
        refusals.add(place, "needs a JSONPath, as a text or under `expression` beside a matcher")
        return _never
    path: str = expression
    try:
        paths.compiled(path)
    except paths.NoPath as error:
        refusals.add(place, str(error))
        return _never

    def test(subject: Subject) -> bool:
        found = [] if subject.json is NOT_JSON else paths.found(path, subject.json)
        if inner is None:
            return any(value is not None and value not in ([], {}) for value in found)
        return any(inner(of_value(value)) for value in found) if found else inner(Subject(None))

    return _present(test)


def of_value(value: JSON) -> Subject:
    """A value as matchers look at it: a text as it is, anything else as JSON; null is nothing."""
    if value is None:
        return Subject(None)
    return Subject(value if isinstance(value, str) else values.dump(value), value)


def _matches_json_schema(wanted: JSON, matcher: Record, place: str, refusals: Refusals) -> Test:
    schema = wanted
    if isinstance(wanted, str):
        try:
            schema = values.parse(wanted.encode())
        except values.NotJSON as error:
            refusals.add(place, str(error))
    version = matcher.get("schemaVersion", "V202012")
    try:
        validator = _DRAFTS[version](schema, offline=True)
    except (ValueError, TypeError, jsonschema_rs.ReferencingError) as error:
        refusals.add(place, f"is no JSON Schema: {str(error).splitlines()[0]}")
        return _never
    return _present(lambda subject: subject.json is not NOT_JSON and validator.is_valid(subject.json))


_DRAFTS: dict[str, Any] = {
    "V4": jsonschema_rs.Draft4Validator,
    "V6": jsonschema_rs.Draft6Validator,
    "V7": jsonschema_rs.Draft7Validator,
    "V201909": jsonschema_rs.Draft201909Validator,
    "V202012": jsonschema_rs.Draft202012Validator,
}
"""WireMock's names of the drafts; the last is its default."""


def _joined(name: str, join: Callable[[list[bool]], bool]) -> _Maker:
    def make(wanted: JSON, _: Record, place: str, refusals: Refusals) -> Test:
        if not isinstance(wanted, list) or not wanted:
            refusals.add(place, f"{name} joins a list of matchers")
            return _never
        tests = [compiled(each, f"{place}/{at}", refusals) for at, each in enumerate(wanted)]
        return lambda subject: join([test(subject) for test in tests])

    return make


def _not(wanted: JSON, _: Record, place: str, refusals: Refusals) -> Test:
    test = compiled(wanted, place, refusals)
    return lambda subject: not test(subject)


def _dated(compare: Callable[[datetime, datetime], bool]) -> _Maker:
    def make(wanted: JSON, _: Record, place: str, refusals: Refusals) -> Test:
        at = _moment(wanted)
        if at is None:
            refusals.add(
                place, "needs a time with its zone, as in 2026-05-03T17:08:55Z; times relative to now are not supported"
            )
            return _never
        wanted_at = at

        def test(subject: Subject) -> bool:
            found = _moment(subject.text)
            return found is not None and compare(found, wanted_at)

        return _present(test)

    return make


def _moment(text: JSON) -> datetime | None:
    try:
        return parse_timestamp(text) if isinstance(text, str) else None
    except ValueError:
        return None


def regex(wanted: JSON, place: str, refusals: Refusals) -> re.Pattern[str]:
    """Return a compiled pattern; what is wrong with it is noted."""
    try:
        return re.compile(_text(wanted, place, refusals))
    except (re.error, RecursionError, OverflowError) as error:
        refusals.add(place, f"is no regular expression: {error}")
        return re.compile("(?!)")


def from_base64(wanted: JSON, place: str, refusals: Refusals) -> bytes:
    """Return the bytes of a text in base64; what is wrong with it is noted."""
    try:
        return base64.b64decode(_text(wanted, place, refusals), validate=True)
    except ValueError:
        refusals.add(place, "is not base64")
        return b""


def _text(wanted: JSON, place: str, refusals: Refusals) -> str:
    if isinstance(wanted, str):
        return wanted
    refusals.add(place, "needs a text")
    return ""


KINDS: dict[str, _Kind] = {
    "equalTo": _Kind(_equal_to, ("caseInsensitive",)),
    "contains": _Kind(_contains, ("caseInsensitive",)),
    "doesNotContain": _Kind(_does_not_contain, ("caseInsensitive",)),
    "matches": _Kind(_matches),
    "doesNotMatch": _Kind(_does_not_match),
    "absent": _Kind(_absent),
    "binaryEqualTo": _Kind(_binary),
    "equalToJson": _Kind(_equal_to_json, ("ignoreArrayOrder", "ignoreExtraElements")),
    "matchesJsonPath": _Kind(_matches_json_path),
    "matchesJsonSchema": _Kind(_matches_json_schema, ("schemaVersion",)),
    "before": _Kind(_dated(lambda found, wanted: found < wanted)),
    "after": _Kind(_dated(lambda found, wanted: found > wanted)),
    "equalToDateTime": _Kind(_dated(lambda found, wanted: found == wanted)),
    "and": _Kind(_joined("and", all)),
    "or": _Kind(_joined("or", any)),
    "not": _Kind(_not),
}
"""Name to kind."""
