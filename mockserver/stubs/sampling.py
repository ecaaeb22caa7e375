"""Makes values that a schema accepts.

What the document offers comes first: examples, defaults, the first of an enumeration. The rest follows from types,
formats, patterns and bounds. Chance comes from the ids of a world, so the same world and call give the same value, and
two calls give different ids. A value is checked before it is given out: where none can be made, the error says where.
"""

from __future__ import annotations

import math
import re._constants as regex
import re._parser as regex_parser
from dataclasses import dataclass, replace
from typing import Any

from mockserver.contract import grammar
from mockserver.contract.gate import Direction, Gate, Validator
from mockserver.values import JSON, Record
from mockserver.world.clock import Clock
from mockserver.world.ids import Ids

MAX_DEPTH = 6
"""How deep optional fields and items go; recursive schemas end there."""


class Unsatisfiable(ValueError):
    """No value could be made: `pointer` says for which part of the schema."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"no value could be made for {pointer or 'the schema'}: {reason}")
        self.pointer = pointer


@dataclass(frozen=True)
class Source:
    """Where chance and time come from, and whether the document's examples count."""

    ids: Ids
    clock: Clock
    examples: bool = True
    minimal: bool = False
    """Leave out what need not be there: what is optional may stand against a choice that is to be made once."""


class Sampler:
    """Samples of the schemas of one document, for requests or for replies."""

    def __init__(self, document: Record, direction: Direction) -> None:
        self._document = document
        self._gate = Gate(document, direction)
        self._hidden = "readOnly" if direction == "request" else "writeOnly"
        # Keyed by identity; what is kept with the key stays alive, so that no identity is given out twice. Schemas that are
        # put together here are kept as well and made only once, so the tables stop growing.
        self._validators: dict[int, tuple[Record, Validator]] = {}
        self._merged: dict[int, tuple[Record, Record]] = {}
        self._branches: dict[tuple[int, str, int], Record] = {}

    def sample(self, schema: Record, source: Source, *, examples: bool = True) -> JSON:
        """Return a value that the schema accepts. Raises `Unsatisfiable`. Without `examples` all is made afresh."""
        return self._sample(schema, source if examples else replace(source, examples=False), 0, "")

    def accepts(self, schema: Record, value: JSON) -> bool:
        """Whether the schema accepts a value."""
        found = self._validators.get(id(schema))
        if found is None:
            found = self._validators[id(schema)] = (schema, self._gate.validator(schema))
        return found[1].is_valid(value)

    def _sample(self, schema: Record, source: Source, depth: int, place: str) -> JSON:
        schema = self._follow(schema)
        if depth > 2 * MAX_DEPTH:
            raise Unsatisfiable(place, "it goes on for ever")
        reason = "its rules contradict each other, or ask for what the sampler cannot make"
        for candidate in self._candidates(schema, source, depth, place):
            if isinstance(candidate, Unsatisfiable):
                reason = str(candidate)
            elif self.accepts(schema, candidate):
                return candidate
        raise Unsatisfiable(place, reason)

    def _follow(self, schema: Record) -> Record:
        for _ in range(50):
            if "$ref" not in schema:
                return schema
            schema = grammar.find(self._document, schema["$ref"])
        return schema

    def _candidates(self, schema: Record, source: Source, depth: int, place: str) -> Any:
        merged = self._merge(schema)
        fresh = merged.get("format") in ("uuid", "date-time") and merged.get("type") == "string"
        if source.examples and "example" in merged and not fresh:
            yield merged["example"]
        if "default" in merged:
            yield merged["default"]
        if merged.get("enum"):
            yield from [value for value in merged["enum"] if value is not None] or [None]
        if merged.get("nullable") is True and depth > MAX_DEPTH:
            yield None
        for word in ("oneOf", "anyOf"):
            for at in range(len(merged.get(word) or [])):
                for chosen in (source, replace(source, minimal=True)):
                    try:
                        yield self._sample(self._branch(merged, word, at), chosen, depth + 1, f"{place}/{word}/{at}")
                    except Unsatisfiable as error:
                        yield error
        for chosen in (source, replace(source, minimal=True)):
            try:
                yield self._by_type(merged, chosen, depth, place)
            except Unsatisfiable as error:
                yield error
        if merged.get("nullable") is True:
            yield None
        if "type" not in merged:
            yield from ({}, "text", 0, [], False, None)

    def _branch(self, schema: Record, word: str, at: int) -> Record:
        """One alternative of a schema, together with all else that the schema says."""
        key = (id(schema), word, at)
        if key not in self._branches:
            branch = schema[word][at]
            rest = {name: value for name, value in schema.items() if name not in (word, "discriminator")}
            parts = [branch, rest]
            if "discriminator" in schema:
                meant = [v for v, ref in schema["discriminator"]["mapping"].items() if ref == branch.get("$ref")]
                name = schema["discriminator"]["propertyName"]
                parts.append({"type": "object", "required": [name], "properties": {name: {"enum": meant}}})
            self._branches[key] = {"allOf": [part for part in parts if part]}
        return self._branches[key]

    def _merge(self, schema: Record) -> Record:
        """Fold `allOf` into one schema, as far as the sampler needs it; the gate has the last word."""
        schema = self._follow(schema)
        if "allOf" not in schema:
            return schema
        found = self._merged.get(id(schema))
        if found is None:
            found = self._merged[id(schema)] = (schema, self._folded(schema))
        return found[1]

    def _folded(self, schema: Record) -> Record:
        merged: Record = {}
        for part in [*schema["allOf"], {key: value for key, value in schema.items() if key != "allOf"}]:
            for key, value in self._merge(part).items():
                if key == "properties" and key in merged:
                    merged[key] = self._merge_properties(merged[key], value)
                elif key == "required" and key in merged:
                    merged[key] = list(dict.fromkeys([*merged[key], *value]))
                elif key in ("minimum", "minLength", "minItems", "minProperties") and key in merged:
                    merged[key] = max(merged[key], value)
                elif key in ("maximum", "maxLength", "maxItems", "maxProperties") and key in merged:
                    merged[key] = min(merged[key], value)
                elif key == "enum" and key in merged:
                    merged[key] = [option for option in merged[key] if option in value]
                else:  # a second choice takes the place of the first: the gate refuses what does not fit both
                    merged[key] = value
        return merged

    def _merge_properties(self, one: Record, other: Record) -> Record:
        merged = dict(one)
        for name, schema in other.items():
            merged[name] = {"allOf": [merged[name], schema]} if name in merged else schema
        return merged

    def _by_type(self, schema: Record, source: Source, depth: int, place: str) -> JSON:
        kind = schema.get("type") or _implied_type(schema)
        if kind == "object":
            return self._object(schema, source, depth, place)
        if kind == "array":
            return self._array(schema, source, depth, place)
        if kind == "string":
            return _string(schema, source)
        if kind == "boolean":
            return False
        return _number(schema, integer=kind == "integer")

    def _object(self, schema: Record, source: Source, depth: int, place: str) -> Record:
        properties: Record = schema.get("properties") or {}
        required = set(schema.get("required") or ())
        made: Record = {}
        for name in dict.fromkeys([*properties, *sorted(required)]):
            part = properties.get(name, schema.get("additionalProperties"))
            part = part if isinstance(part, dict) else {}
            if part.get(self._hidden) is True or (name not in required and (depth >= MAX_DEPTH or source.minimal)):
                continue
            try:
                made[name] = self._sample(part, source, depth + 1, f"{place}/properties/{name}")
            except Unsatisfiable:
                if name in required:
                    raise
        limit = schema.get("maxProperties", math.inf)
        for name in [name for name in reversed(made) if name not in required]:
            if len(made) > limit:
                del made[name]
        extra = schema.get("additionalProperties")
        at = 0
        while len(made) < schema.get("minProperties", 0) and extra is not False:
            at += 1
            value_schema = extra if isinstance(extra, dict) else {"type": "string"}
            made[f"field_{at}"] = self._sample(value_schema, source, depth + 1, f"{place}/additionalProperties")
        return made

    def _array(self, schema: Record, source: Source, depth: int, place: str) -> list[JSON]:
        least = schema.get("minItems", 0)
        wanted = max(least, 1 if depth < MAX_DEPTH and schema.get("maxItems", 1) else 0)
        items: list[JSON] = []
        for at in range(wanted):
            try:
                item = self._sample(schema.get("items") or {}, source, depth + 1, f"{place}/items")
            except Unsatisfiable:
                if at < least:
                    raise
                break
            if schema.get("uniqueItems") and item in items:
                item = self._another(schema.get("items") or {}, items)
            items.append(item)
        return items

    def _another(self, schema: Record, taken: list[JSON]) -> JSON:
        merged = self._merge(schema)
        for at in range(len(taken) + 1):
            for option in [*(merged.get("enum") or []), at, f"item {at}", at == 0, {"item": at}, [at]]:
                if option not in taken and self.accepts(schema, option):
                    return option
        return taken[-1]


def _implied_type(schema: Record) -> str:
    for kind, words in (
        ("object", ("properties", "required", "additionalProperties", "minProperties", "maxProperties")),
        ("array", ("items", "minItems", "maxItems", "uniqueItems")),
        ("string", ("format", "pattern", "minLength", "maxLength")),
        ("number", ("minimum", "maximum", "multipleOf")),
    ):
        if any(word in schema for word in words):
            return kind
    return "string"


def _number(schema: Record, *, integer: bool) -> int | float:
    low, high = schema.get("minimum"), schema.get("maximum")
    step = schema.get("multipleOf")
    value: int | float = 0
    nudge = step or (1 if integer else 0.5)
    if low is not None:
        value = low + (nudge if schema.get("exclusiveMinimum") is True else 0)
    elif high is not None and high < 0:
        value = high - (nudge if schema.get("exclusiveMaximum") is True else 0)
    if not integer and schema.get("exclusiveMinimum") is True and high is not None and low is not None and value >= high:
        value = (low + high) / 2
    if step:
        value = math.ceil(round(value / step, 9)) * step
    if integer:
        value = math.ceil(value)
    return value


_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty", "knoll", "larch")


def _string(schema: Record, source: Source) -> str:
    name = schema.get("format")
    made = _FORMATS[name](source) if name in _FORMATS else None
    if made is None and "pattern" in schema:
        made = _matching(schema["pattern"], source.ids)
    if made is None:
        made = _WORDS[source.ids.below(len(_WORDS))]
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if name not in _FORMATS and "pattern" not in schema:
        if len(made) < least:
            made = (made + " ") * (least // (len(made) + 1) + 1)
            made = made[: least - 1] + "x"
        if most is not None:
            made = made[:most]
    return made


def _hours_ago(source: Source) -> str:
    return source.clock.timestamp()


_FORMATS: dict[str, Any] = {
    "uuid": lambda source: source.ids.uuid4(),
    "date-time": _hours_ago,
    "date": lambda source: source.clock.timestamp()[:10],
    "time": lambda source: source.clock.timestamp()[11:],
    "email": lambda source: f"{_WORDS[source.ids.below(len(_WORDS))]}@example.com",
    "idn-email": lambda source: "someone@example.com",
    "hostname": lambda source: "host.example.com",
    "ipv4": lambda source: f"192.0.2.{source.ids.below(254) + 1}",
    "ipv6": lambda source: f"2001:db8::{source.ids.hex(4)}",
    "uri": lambda source: f"https://example.com/{source.ids.hex(8)}",
    "byte": lambda source: "bW9jaw==",
    "regex": lambda source: "^[a-z]+$",
    "password": lambda source: source.ids.text(24),
}


def _matching(pattern: str, ids: Ids) -> str | None:
    """Return a text that a regular expression matches, or None for what this cannot make."""
    try:
        return _from_tokens(regex_parser.parse(pattern), ids)
    except (ValueError, KeyError, TypeError, NotImplementedError, RecursionError, OverflowError):
        return None
    except Exception as error:  # re.error: another dialect's syntax
        if type(error).__module__ in ("re", "re._constants"):
            return None
        raise


def _from_tokens(tokens: Any, ids: Ids) -> str:
    return "".join(_from_token(operator, argument, ids) for operator, argument in tokens)


def _from_token(operator: Any, argument: Any, ids: Ids) -> str:
    if operator is regex.LITERAL:
        return chr(argument)
    if operator in (regex.AT, regex.ASSERT, regex.ASSERT_NOT):
        return ""
    if operator is regex.ANY:
        return "x"
    if operator is regex.IN:
        return _one_of(argument, ids)
    if operator is regex.NOT_LITERAL:
        return "x" if argument != ord("x") else "y"
    if operator in (regex.MAX_REPEAT, regex.MIN_REPEAT, regex.POSSESSIVE_REPEAT):
        low, high, inner = argument
        count = low if low else min(int(high), 1)
        return "".join(_from_tokens(inner, ids) for _ in range(count))
    if operator is regex.SUBPATTERN:
        return _from_tokens(argument[-1], ids)
    if operator is regex.BRANCH:
        return _from_tokens(argument[1][0], ids)
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
    negated, allowed, refused = False, "", set[str]()
    for operator, argument in options:
        if operator is regex.NEGATE:
            negated = True
        elif operator is regex.LITERAL:
            letters = chr(argument)
            allowed += letters
            refused.update(letters)
        elif operator is regex.RANGE:
            letters = "".join(chr(code) for code in range(argument[0], min(argument[1], argument[0] + 200) + 1))
            allowed += letters
            refused.update(letters)
        elif operator is regex.CATEGORY:
            allowed += _CATEGORIES[argument]
            refused.update(_CATEGORIES[argument])
    if negated:
        allowed = "".join(letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789 -_." if letter not in refused)
    return allowed[ids.below(len(allowed))]
