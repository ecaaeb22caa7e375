"""The template language of prompts and partials: Portkey's dialect of mustache.

mstache renders. What is here makes of the dialect what mstache reads, and hands it the dialect's ways to look names up and
to write values.
Source of every rule that names none: prompts-configs-guardrails, Prompt render and prompt completions: Template engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import mstache

from mockserver.values import JSON, Record, dump

Partials: TypeAlias = Callable[[str], "str | None"]
"""Gives the text of a partial by what a tag says, `slug` or `slug@version`; None when there is none."""

MOST_NESTED = 32
"""How deep partials may lie in one another (*chosen*: the engine goes on until its stack is full)."""

LONGEST_NAME = 50
"""A partial with a longer name is text."""


class NestedTooDeep(ValueError):
    """Partials include one another without end."""


class Tag(NamedTuple):
    """A tag of a template: its mark (empty for a variable), its name, and the innermost section that it stands in."""

    mark: str
    name: str
    section: str | None


def render(template: str, variables: Record, partials: Partials, *, quoted: bool) -> str:
    """Return a template with values in the places of its tags. No text is malformed.

    `quoted` writes texts as they stand between the quotes of JSON, for what is parsed as JSON afterwards; else they are
    written as they are. Fails: `NestedTooDeep`.
    """

    def partial(name: str) -> str | None:
        private = name.startswith(">")
        found = _private(name[1:].strip(), variables, partials) if private else partials(name)
        return None if found is None else _read(found)[0]

    try:
        return mstache.render(
            _read(template)[0],
            variables,
            resolver=partial,  # type: ignore[arg-type]  # texts go in, so texts come out
            getter=_look_up,  # type: ignore[arg-type]  # likewise
            stringify=_text,
            escape=_quoted if quoted else bytes,
            tags=(_END, _END),
            keep_lines=True,  # it takes lines away that hold more than a tag; `_read` takes away those that do not
            recursion_limit=MOST_NESTED,
        )
    except mstache.TemplateRecursionError:
        raise NestedTooDeep(f"includes partials in one another, more than {MOST_NESTED} deep") from None


def components(template: str) -> Record:
    """Return what a template holds besides text, as reads show it: the first part of each dotted name, once each."""
    found: dict[str, dict[str, None]] = {mark: {} for mark in ("", "#", ">", ">>")}
    in_sections: dict[str, dict[str, None]] = {}
    for mark, name, section in _read(template)[1]:
        if mark:
            found[mark][name] = None
            continue
        first = name.partition(".")[0]
        found[""][first] = None
        if section is not None:
            in_sections.setdefault(section, {})[first] = None
    # A section's name is a variable only where a variable within a section has it.
    plain = [name for name in found[""] if name not in found["#"]]
    within = [name for names in in_sections.values() for name in names]
    return {
        "partials": list(found[">"]),
        "sections": list(found["#"]),
        "variables": list(dict.fromkeys(plain + within)),
        "sectionVariables": {section: list(names) for section, names in in_sections.items()},
        "variablePartials": list(found[">>"]),
    }


_END = "\0"
"""What encloses tags in what mstache gets: no text can hold it (`values.parse` refuses it), so no text looks like a tag."""


@lru_cache(maxsize=64)
def _tag(opens: str, closes: str) -> re.Pattern[str]:
    """What a tag looks like between these delimiters. A name ends at the first that closes it."""
    opens, closes = re.escape(opens), re.escape(closes)
    return re.compile(
        rf"""{opens}\s*(?:
            \{{ \s* (?P<raw>.*?) \s* \}} {closes}
          | (?P<unclosed>\{{)
          | = \s* (?P<delimiters>[^\s=]+ \s+ [^\s=]+) \s* = {closes}
          | (?P<mark>\#|\^|/|>>|>(?!>)) \s* (?P<name>(?:(?!{opens}).)*?) \s* {closes}
          | (?:(?P<other>[!&])|(?![\#^/>={{])) \s* (?P<rest>.*?) \s* {closes}
        )""",
        re.VERBOSE | re.DOTALL,
    )


@lru_cache(maxsize=1024)
def _read(template: str) -> tuple[str, tuple[Tag, ...]]:
    """Return a template as mstache reads it, and its tags.

    mstache refuses what the dialect takes: tags that nothing closes (they are text), sections that nothing closes (they go
    on to the end), and closing tags without a section or with the name of another (they close the innermost one, if any).
    The last two as observed with Portkey's engine, version 2.1.5.
    """
    pattern = _tag("{{", "}}")
    parts: list[str] = []
    tags: list[Tag] = []
    sections: list[str] = []
    at = 0
    while (found := pattern.search(template, at)) is not None:
        parts.append(template[at : found.start()])
        at = found.end()
        mark, name = found["mark"] or "", found["name"]
        if found["raw"] is not None:
            mark, name = "&", found["raw"]
        elif found["rest"] is not None:
            mark, name = found["other"] or "", found["rest"]
        if name is None and found["delimiters"] is not None:
            pattern = _tag(*found["delimiters"].split())
            parts.append(f"{_END}!{_END}")
        elif name is None or (mark in (">", ">>") and len(name) > LONGEST_NAME):
            parts.append(found[0])
        elif mark == "/":
            if sections:
                parts.append(f"{_END}/{sections.pop()}{_END}")
        else:
            parts.append(f"{_END}{mark}{name}{_END}")
            if mark != "!":
                listed = {"&": "", "^": "#"}.get(mark, mark)
                tags.append(Tag(listed, name, sections[-1] if sections else None))
                if listed == "#":
                    sections.append(name)
    parts.append(template[at:])
    parts.extend(f"{_END}/{name}{_END}" for name in reversed(sections))
    return _LINE_OF_TAGS.sub(_without_line, "".join(parts)), tuple(tags)


_LINE_OF_TAGS = re.compile(rf"^([ \t]*)((?:{_END}[#^/>!][^{_END}]*{_END}[ \t]*)+)(?:\r?\n|\Z)", re.MULTILINE)


def _without_line(found: re.Match[str]) -> str:
    """The tags of a line that holds nothing but tags which write nothing themselves, without the line around them.

    As observed with Portkey's engine, version 2.1.5, but that the first line alone of a partial is indented.
    """
    tags = found[2].split(_END)[1::2]
    return (found[1] if tags[0][0] == ">" else "") + "".join(f"{_END}{tag}{_END}" for tag in tags)


def _private(name: str, variables: Record, partials: Partials) -> str | None:
    """The text of a private partial: that of the partial whose name the variable holds, else what the variable holds.

    *chosen*: the docs let the caller supply the text, the engine takes it for the name of a partial; both work here.
    """
    value = _look_up(variables, (), name)
    if not isinstance(value, str):
        return None
    known = partials(value)
    return value if known is None else known


def _look_up(scope: JSON, scopes: Sequence[JSON], name: str, default: JSON = None) -> JSON:
    """The value of a name in the innermost scope that has all of its parts."""
    if name == ".":
        return scope
    for value in (scope, *reversed(scopes)):
        found = value
        for part in name.split("."):
            found = _member(found, part)
            if found is _MISSING:
                break
        else:
            return found
    return default


def _member(value: JSON, part: str) -> JSON:
    """A field of an object, or an item of an array; these and texts have a length too, as in JavaScript."""
    if isinstance(value, dict):
        return value.get(part, _MISSING)
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return len(value) if part == "length" and isinstance(value, (list, str)) else _MISSING


_MISSING = object()


class _Dumped(bytes):
    """JSON, which is not escaped."""


def _text(value: JSON, _: bool) -> bytes:
    """What is written for a value: nothing for null, a text itself, else JSON; for an array the JSON of its items."""
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return _Dumped(b",".join(dump(_whole(item)) for item in value))
    return _Dumped(dump(_whole(value)))


def _quoted(text: bytes) -> bytes:
    """A text between the quotes of JSON.

    The engine's version 2.1.3 escapes all that JSON does, 2.1.5 leaves newlines and tabs. *chosen*: all of it, so that what
    is parsed afterwards holds the text as it was.
    """
    return text if isinstance(text, _Dumped) else dump(text.decode())[1:-1]


def _whole(value: JSON) -> JSON:
    """A value with whole numbers written as such: JavaScript knows no 1.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    return value
