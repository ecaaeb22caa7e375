"""Templates of answers, in the part of Handlebars that WireMock's users write: `{{jsonPath request.body '$.name'}}`.

mstache, a mustache library, finds tags and sections and writes values; what stands in a tag is read here: a path into the
request, or a helper with arguments. Chance and time are the world's. Nothing is escaped: answers are JSON, not HTML.
*chosen*: what a request does not have is written as nothing, as in WireMock.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote

from mockserver import values
from mockserver.stubbing import paths
from mockserver.stubbing.asked import Asked
from mockserver.stubbing.dates import NoFormat, NoOffset, offset_of, written
from mockserver.stubbing.matchers import NOT_JSON
from mockserver.stubbing.refusals import Refusals
from mockserver.values import JSON, Record
from mockserver.world.ids import Ids
from mockserver.world.world import World


class Scope(NamedTuple):
    """What a template is rendered from."""

    asked: Asked
    world: World
    chance: Ids


class NoTemplate(ValueError):
    """A text that is no template; the message says why, in half a sentence."""


def render(value: JSON, scope: Scope) -> JSON:
    """Return a value with its texts rendered. What is wrong with a template was refused when it was set."""
    if isinstance(value, str):
        return _render(value, scope) if "{{" in value else value
    if isinstance(value, dict):
        return {name: render(item, scope) for name, item in value.items()}
    if isinstance(value, list):
        return [render(item, scope) for item in value]
    return value


def check(value: JSON, place: str, refusals: Refusals) -> None:
    """Note what is wrong with the templates in a value."""
    if isinstance(value, str):
        try:
            _checked(value)
        except NoTemplate as error:
            refusals.add(place, str(error))
    elif isinstance(value, dict):
        for name, item in value.items():
            check(item, f"{place}{values.pointer(name)}", refusals)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            check(item, f"{place}/{at}", refusals)


def key_reader(told: JSON, place: str, refusals: Refusals, *, literal: bool = False) -> Callable[[Asked, World], str]:
    """Return what reads a key from a call: by a template, by a JSONPath into the body, or by the name of a parameter.

    With `literal`, a text that is neither of the first two is the key itself. None is the empty key.
    """
    if told is None:
        return lambda asked, world: ""
    text = str(told)
    if "{{" in text:
        check(text, place, refusals)
        return lambda asked, world: _render(text, Scope(asked, world, _NO_CHANCE))
    if text.startswith("$"):
        try:
            paths.compiled(text)
        except paths.NoPath as error:
            refusals.add(place, str(error))
        return lambda asked, world: _text(_first(paths.found(text, asked.body.json)))
    if literal:
        return lambda asked, world: text
    return lambda asked, world: next(iter(asked.parameter(text)), "")


_NO_CHANCE = Ids(0)
"""Keys are not left to chance."""


def _render(template: str, scope: Scope) -> str:
    import mstache

    def value_of(_: Any, __: Any, key: str, default: Any = None) -> Any:
        return _expression(key)(scope)

    return mstache.render(
        template,
        {},
        getter=value_of,  # type: ignore[arg-type]  # texts go in, so texts come out
        stringify=lambda value, _: _text(value).encode(),
        escape=bytes,
        keep_lines=True,
        recursion_limit=8,
    )


_TAG = re.compile(r"\{\{(?:\{\s*(?P<raw>.*?)\s*\}\}\}|\s*(?P<mark>[#^/>!=&*~]?)\s*(?P<inner>.*?)\s*\}\})", re.DOTALL)


@lru_cache(maxsize=4096)
def _checked(template: str) -> None:
    """Raise `NoTemplate` when a tag cannot be read."""
    for found in _TAG.finditer(template):
        mark, inner = found["mark"] or "", found["inner"] if found["raw"] is None else found["raw"]
        if mark in ("#", "^") and " " in inner:
            raise NoTemplate(
                f"has the block {{{{{mark}{inner}}}}}, which is not supported; a section such as "
                "{{#request.query.x}}…{{/request.query.x}} is"
            )
        if mark in (">", "=", "*", "~"):
            raise NoTemplate(f"has the tag {found[0]}: partials, delimiters and decorators are not supported")
        if mark not in {"!", "/"}:
            _expression(inner)
    try:
        import mstache

        mstache.tokenize(template.encode())
    except mstache.TokenException as error:
        raise NoTemplate(f"cannot be read: {error}") from None


Value: TypeAlias = Callable[[Scope], JSON]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<open>\()|(?P<close>\))|(?P<named>\w+)=|(?P<word>[^\s()='"]+))""", re.DOTALL
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@lru_cache(maxsize=4096)
def _expression(text: str) -> Value:
    """Return what computes the value of a tag. Raises `NoTemplate`."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NoTemplate(f"has the tag {{{{{text}}}}}, which cannot be read from {text[at:]!r} on")
        tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
        at = found.end()
    value, rest = _call(tokens, text)
    if rest:
        raise NoTemplate(f"has the tag {{{{{text}}}}}, whose brackets do not match")
    return value


def _call(tokens: list[tuple[str, str]], text: str) -> tuple[Value, list[tuple[str, str]]]:
    """A helper with its arguments, or a single value; and the tokens behind it."""
    if not tokens:
        raise NoTemplate(f"has the tag {{{{{text}}}}}, which says nothing")
    kind, word = tokens[0]
    if kind != "word" or word not in HELPERS:
        value, rest = _operand(tokens, text)
        if rest and rest[0][0] != "close":
            listed = ", ".join(HELPERS)
            raise NoTemplate(f"has the tag {{{{{text}}}}}: {word!r} is no helper; helpers are {listed}")
        return value, rest
    rest, positional, named = tokens[1:], list[Value](), dict[str, Value]()
    while rest and rest[0][0] != "close":
        if rest[0][0] == "named":
            name = rest[0][1]
            named[name], rest = _operand(rest[1:], text)
        else:
            value, rest = _operand(rest, text)
            positional.append(value)
    return HELPERS[word](positional, named), rest


def _operand(tokens: list[tuple[str, str]], text: str) -> tuple[Value, list[tuple[str, str]]]:
    if not tokens or tokens[0][0] in ("close", "named"):
        raise NoTemplate(f"has the tag {{{{{text}}}}}, in which a value is missing")
    (kind, word), rest = tokens[0], tokens[1:]
    if kind == "open":
        value, rest = _call(rest, text)
        if not rest or rest[0][0] != "close":
            raise NoTemplate(f"has the tag {{{{{text}}}}}, whose brackets do not match")
        return value, rest[1:]
    if kind == "text":
        return _constant(word[1:-1]), rest
    if _NUMBER.fullmatch(word):
        return _constant(float(word) if "." in word else int(word)), rest
    if word in ("true", "false"):
        return _constant(word == "true"), rest
    return _path(word), rest


def _constant(value: JSON) -> Value:
    return lambda _: value


def _path(text: str) -> Value:
    """A path into the request: `request.headers.Accept`, `request.query.tag.[1]`."""
    parts = [part for part in re.split(r"\.|(?=\[)", text.replace("[", ".[")) if part]
    parts = [part.strip("[]'\"") for part in parts]
    if parts[0] != "request" or len(parts) < 2 or parts[1] not in _REQUEST:
        known = ", ".join(f"request.{name}" for name in _REQUEST)
        raise NoTemplate(f"names {text}, which is not there; {known} are, and helpers {', '.join(HELPERS)}")
    read, below = _REQUEST[parts[1]], parts[2:]
    return lambda scope: read(scope.asked, below)


def _listed(found: list[str], below: list[str]) -> JSON:
    """One of several values: the first unless a number says which."""
    at = int(below[0]) if below and below[0].isdecimal() else 0
    return found[at] if at < len(found) else None


def _by_name(read: Callable[[Asked, str], list[str]]) -> Callable[[Asked, list[str]], JSON]:
    return lambda asked, below: _listed(read(asked, below[0]), below[1:]) if below else None


def _path_part(asked: Asked, below: list[str]) -> JSON:
    """The path, a segment of it by its number, or the value of a variable by its name."""
    if not below:
        return asked.paths[0]
    if below[0].isdecimal():
        return _listed(asked.paths[0].strip("/").split("/"), below)
    return asked.path_values.get(below[0])


_REQUEST: dict[str, Callable[[Asked, list[str]], JSON]] = {
    "method": lambda asked, _: asked.method,
    "url": lambda asked, _: asked.urls[0],
    "path": _path_part,
    "pathSegments": _path_part,
    "query": _by_name(Asked.queries),
    "headers": _by_name(Asked.headers),
    "cookies": _by_name(Asked.cookies),
    "formData": _by_name(Asked.forms),
    "host": lambda asked, _: _listed(asked.headers("host"), []),
    "body": lambda asked, _: asked.body.text,
    "bodyAsBase64": lambda asked, _: base64.b64encode(asked.body.raw).decode(),
}
"""What a template may name of a request."""

Helper: TypeAlias = Callable[[list[Value], dict[str, Value]], Value]


def _needs(name: str, positional: list[Value], least: int, most: int, named: Record, known: tuple[str, ...] = ()) -> None:
    if not least <= len(positional) <= most:
        raise NoTemplate(
            f"calls {name} with {len(positional)} values; it takes {least if least == most else f'{least} to {most}'}"
        )
    for option in named:
        if option not in known:
            raise NoTemplate(f"calls {name} with {option}=, which it does not take; it takes {', '.join(known) or 'none'}")


def _json_path(positional: list[Value], named: dict[str, Value]) -> Value:
    _needs("jsonPath", positional, 2, 2, named, ("default",))
    where, path = positional
    _constant_checked(path, paths.compiled)

    def value(scope: Scope) -> JSON:
        given = where(scope)
        if isinstance(given, str):
            try:
                given = values.parse(given.encode())
            except values.NotJSON:
                given = NOT_JSON
        try:
            found = _first(paths.found(str(path(scope)), given))
        except paths.NoPath:
            found = None
        return named["default"](scope) if found is None and "default" in named else found

    return value


def _constant_checked(value: Value, checked: Callable[[str], Any]) -> None:
    """Check an argument that is the same for all calls, when it is set."""
    try:
        constant = value(None)  # type: ignore[arg-type]  # constants do not look at their scope
    except AttributeError:
        return  # it comes from the request
    try:
        checked(str(constant))
    except ValueError as error:
        raise NoTemplate(f"has a value that cannot be used: {error}") from None


def _now(positional: list[Value], named: dict[str, Value]) -> Value:
    _needs("now", positional, 0, 0, named, ("format", "offset"))
    format_, offset = named.get("format", _constant(None)), named.get("offset", _constant("0 seconds"))
    _constant_checked(offset, offset_of)
    if "format" in named:
        _constant_checked(format_, _writable)

    def value(scope: Scope) -> JSON:
        try:
            moment = scope.world.clock.now() + offset_of(_text(offset(scope)))
            told = format_(scope)
            return written(moment, None if told is None else str(told))
        except (NoFormat, NoOffset, OverflowError):
            return None

    return value


def _writable(format_: str) -> None:
    from datetime import UTC, datetime

    written(datetime(2026, 5, 3, tzinfo=UTC), format_)


_ALPHABETS = {
    "ALPHANUMERIC": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "ALPHABETIC": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "NUMERIC": "0123456789",
    "HEXADECIMAL": "0123456789abcdef",
}


def _random_value(positional: list[Value], named: dict[str, Value]) -> Value:
    _needs("randomValue", positional, 0, 0, named, ("length", "type", "uppercase"))
    kind, length = named.get("type", _constant("ALPHANUMERIC")), named.get("length", _constant(36))
    _constant_checked(kind, _alphabet)

    def value(scope: Scope) -> JSON:
        name = str(kind(scope))
        if name == "UUID":
            made = scope.chance.uuid4()
        else:
            letters = _ALPHABETS.get(name, _ALPHABETS["ALPHANUMERIC"])
            wanted = _text(length(scope))
            count = min(int(wanted), 10_000) if wanted.isdecimal() else 36
            made = "".join(letters[scope.chance.below(len(letters))] for _ in range(count))
        return made.upper() if "uppercase" in named and named["uppercase"](scope) else made

    return value


def _alphabet(name: str) -> None:
    if name != "UUID" and name not in _ALPHABETS:
        raise ValueError(f"{name!r} is no type of randomValue; UUID, {', '.join(_ALPHABETS)} are")


def _random_int(positional: list[Value], named: dict[str, Value]) -> Value:
    _needs("randomInt", positional, 0, 0, named, ("lower", "upper"))
    lower, upper = named.get("lower", _constant(0)), named.get("upper", _constant(2**31))

    def value(scope: Scope) -> JSON:
        least, most = _integer(lower(scope), 0), _integer(upper(scope), 2**31)
        return least + scope.chance.below(max(most - least, 1))

    return value


def _integer(value: JSON, otherwise: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise


def _pick_random(positional: list[Value], named: dict[str, Value]) -> Value:
    _needs("pickRandom", positional, 1, 1000, named)
    return lambda scope: positional[scope.chance.below(len(positional))](scope)


def _textual(name: str, change: Callable[[str], JSON]) -> Helper:
    def helper(positional: list[Value], named: dict[str, Value]) -> Value:
        _needs(name, positional, 1, 1, named)
        return lambda scope: change(_text(positional[0](scope)))

    return helper


def _base64(positional: list[Value], named: dict[str, Value]) -> Value:
    _needs("base64", positional, 1, 1, named, ("decode",))

    def value(scope: Scope) -> JSON:
        text = _text(positional[0](scope)).encode()
        if "decode" not in named or not named["decode"](scope):
            return base64.b64encode(text).decode()
        try:
            return base64.b64decode(text, validate=True).decode("utf-8", "replace")
        except ValueError:
            return None

    return value


def _regex_extract(positional: list[Value], named: dict[str, Value]) -> Value:
    _needs("regexExtract", positional, 2, 2, named, ("default",))
    _constant_checked(positional[1], _compiled)

    def value(scope: Scope) -> JSON:
        found = re.search(str(positional[1](scope)), _text(positional[0](scope)))
        if found is not None:
            return found[0]
        return named["default"](scope) if "default" in named else None

    return value


def _compiled(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


def _default(positional: list[Value], named: dict[str, Value]) -> Value:
    _needs("default", positional, 2, 2, named)

    def value(scope: Scope) -> JSON:
        found = positional[0](scope)
        return positional[1](scope) if found in (None, "") else found

    return value


HELPERS: dict[str, Helper] = {
    "jsonPath": _json_path,
    "now": _now,
    "randomValue": _random_value,
    "randomInt": _random_int,
    "pickRandom": _pick_random,
    "regexExtract": _regex_extract,
    "base64": _base64,
    "urlEncode": _textual("urlEncode", lambda text: quote(text, safe="")),
    "upper": _textual("upper", str.upper),
    "lower": _textual("lower", str.lower),
    "trim": _textual("trim", str.strip),
    "size": _textual("size", len),
    "default": _default,
}
"""The helpers that there are, by name."""


def _first(found: list[JSON]) -> JSON:
    return found[0] if found else None


def _text(value: JSON) -> str:
    """What is written for a value: nothing for null, a text itself, else JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else values.dump(value).decode()
