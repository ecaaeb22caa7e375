"""Makes values that a schema accepts.

What the document offers comes first: examples, defaults, the first of an enumeration. The rest follows from types,
formats, patterns and bounds. Chance comes from the ids of a world, so the same world and call give the same value, and
two calls give different ids. A value is checked before it is given out: where none can be made, the error says where.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from mockserver.contract import grammar
from mockserver.contract.gate import Direction, Gate, Validator
from mockserver.stubs.scalars import numbers, strings
from mockserver.values import JSON, Record, pointer
from mockserver.world.clock import Clock
from mockserver.world.ids import Ids

MAX_DEPTH = 6
"""How deep optional fields and items go; recursive schemas end there."""


# One object each, since validators are kept by the identity of their schema.
_ANYTHING: Record = {}
_TEXT: Record = {"type": "string"}
_ALTERNATIVES = 30
"""How many values of a part are tried where the whole does not take the first."""


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
        return next(self._accepted(schema, source, depth, place))

    def _accepted(self, schema: Record, source: Source, depth: int, place: str) -> Iterator[JSON]:
        """Yield values that the schema accepts, one at least. Raises `Unsatisfiable` when there is none."""
        schema = self._follow(schema)
        if depth > 2 * MAX_DEPTH:
            raise Unsatisfiable(place, "it goes on for ever")
        reason = "its rules contradict each other, or ask for what the sampler cannot make"
        found = False
        for candidate in self._candidates(schema, source, depth, place):
            if isinstance(candidate, Unsatisfiable):
                reason = str(candidate)
            elif self.accepts(schema, candidate):
                found = True
                yield candidate
        if not found:
            raise Unsatisfiable(place, reason)

    def _follow(self, schema: Record) -> Record:
        for _ in range(50):
            if "$ref" not in schema:
                return schema
            schema = grammar.find(self._document, schema["$ref"])
        return schema

    def _candidates(self, schema: Record, source: Source, depth: int, place: str) -> Iterator[JSON | Unsatisfiable]:
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
                branch, there = self._branch(merged, word, at), f"{place}/{word}/{at}"
                for chosen in (source, replace(source, minimal=True)):
                    try:
                        yield from islice(self._accepted(branch, chosen, depth + 1, there), _ALTERNATIVES)
                    except Unsatisfiable as error:
                        yield error
        for chosen in (source, replace(source, minimal=True)):
            try:
                yield from self._by_type(merged, chosen, depth, place)
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
            told = [part for part in parts if part]
            self._branches[key] = {"allOf": told} if told else {}
        return self._branches[key]

    def _merge(self, schema: Record) -> Record:
        """Fold `allOf` into one schema, as far as the sampler needs it; the gate has the last word."""
        schema = self._follow(schema)
        if "allOf" not in schema:
            return schema
        found = self._merged.get(id(schema))
        if found is None:
            self._merged[id(schema)] = (schema, {})  # a schema that is part of itself adds nothing to itself
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

    def _by_type(self, schema: Record, source: Source, depth: int, place: str) -> Iterator[JSON]:
        kind = schema.get("type") or _implied_type(schema)
        if kind == "object":
            yield from self._objects(schema, source, depth, place)
        elif kind == "array":
            yield from self._arrays(schema, source, depth, place)
        elif kind == "string":
            yield from strings(schema, source.ids, source.clock)
        elif kind == "boolean":
            yield from (False, True)
        else:
            yield from numbers(schema, integer=kind == "integer")

    def _objects(self, schema: Record, source: Source, depth: int, place: str) -> Iterator[Record]:
        """An object, then the same with other values in one field: for lists whose items must differ."""
        made = self._object(schema, source, depth, place)
        yield made
        for name in made:
            part = (schema.get("properties") or {}).get(name)
            if isinstance(part, dict) and depth < MAX_DEPTH:
                for value in islice(
                    self._accepted(part, source, depth + 1, f"{place}/properties{pointer(name)}"), _ALTERNATIVES
                ):
                    yield {**made, name: value}

    def _arrays(self, schema: Record, source: Source, depth: int, place: str) -> Iterator[list[JSON]]:
        made = self._array(schema, source, depth, place)
        yield made
        if made and depth < MAX_DEPTH:
            for item in islice(
                self._accepted(schema.get("items") or _ANYTHING, source, depth + 1, f"{place}/items"), _ALTERNATIVES
            ):
                yield [item, *made[1:]]

    def _object(self, schema: Record, source: Source, depth: int, place: str) -> Record:
        properties: Record = schema.get("properties") or {}
        required = set(schema.get("required") or ())
        made: Record = {}
        for name in dict.fromkeys([*properties, *sorted(required)]):
            part = properties.get(name, schema.get("additionalProperties"))
            part = part if isinstance(part, dict) else _ANYTHING
            if part.get(self._hidden) is True or (name not in required and (depth >= MAX_DEPTH or source.minimal)):
                continue
            try:
                made[name] = self._sample(part, source, depth + 1, f"{place}/properties{pointer(name)}")
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
            value_schema = extra if isinstance(extra, dict) else _TEXT
            made[f"field_{at}"] = self._sample(value_schema, source, depth + 1, f"{place}/additionalProperties")
        return made

    def _array(self, schema: Record, source: Source, depth: int, place: str) -> list[JSON]:
        least = schema.get("minItems", 0)
        wanted = max(least, 1 if depth < MAX_DEPTH and schema.get("maxItems", 1) else 0)
        part: Record = schema.get("items") or _ANYTHING
        items: list[JSON] = []
        try:
            while len(items) < wanted:
                before = len(items)
                for item in self._accepted(part, source, depth + 1, f"{place}/items"):
                    if not (schema.get("uniqueItems") and _is_among(item, items)):
                        items.append(item)
                        break
                if len(items) == before:
                    raise Unsatisfiable(f"{place}/items", f"no more than {before} different items could be made")
        except Unsatisfiable:
            if len(items) < least:
                raise
        return items


def _is_among(item: JSON, items: list[JSON]) -> bool:
    # In JSON, unlike in Python, true is not 1.
    return any(item == each and isinstance(item, bool) == isinstance(each, bool) for each in items)


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
