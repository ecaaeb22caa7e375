"""Values for the JSON schemas that callers bring: arguments of tools, and answers in a form of the caller's own.

Callers write JSON Schema as of 2019 and later, the sampler reads that of OpenAPI 3.0, so a schema is first put into the
words of the latter as far as they go. The schema itself has the last word on what was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import orjson

from mockserver.contract.normalising import NULL_SCHEMA
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.stubs.sampling import Sampler, Source, Unsatisfiable
from mockserver.values import JSON, Record, unescape
from mockserver.world.clock import Clock
from mockserver.world.ids import Ids

_TODAY = Clock()
_TODAY.freeze(datetime(2026, 5, 4, 10, 0, tzinfo=UTC))
"""The day in samples of dates: the clock of a world must not change what the model says."""

_A_WORD = "\x01"
"""Stands for a text that may be any, until a word of the question takes its place."""

_ANY: dict[str, JSON] = {"string": _A_WORD, "integer": 3, "number": 2.5, "boolean": True}
"""What a type without any rule gets."""

_ANYTHING: Record = {"nullable": True, "example": _A_WORD}
"""What stands where nothing is said. The sampler makes a schema of its own there each time, and keeps them all."""

_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord")

_MORE_FORMATS = {
    "duration": "PT1H30M",
    "iri": "https://example.com/a",
    "uri-reference": "/a",
    "iri-reference": "/a",
    "uri-template": "/a/{b}",
    "idn-hostname": "example.com",
    "json-pointer": "/a",
    "relative-json-pointer": "1/a",
}
"""Formats that OpenAPI's sampler does not know and that are checked all the same."""

_SAME = (
    "type", "enum", "multipleOf", "maximum", "minimum", "maxLength", "minLength", "pattern", "format", "maxItems", "minItems",
    "uniqueItems", "maxProperties", "minProperties", "required", "example",
)  # fmt: skip

_TRIES = 4


def sample(schema: JSON, words: Sequence[str], chance: Chance, pointer: str) -> JSON:
    """Return a value that a JSON schema accepts, with these words where any text will do.

    Raises `Unanswerable` for what is no JSON schema, and for one that no value can be made for; `pointer` says where it is.
    """
    try:
        prepared = _prepared(orjson.dumps(schema))
    except RecursionError:
        raise Unanswerable(pointer, "Invalid schema: it is nested too deep") from None
    except (TypeError, ValueError, Unsatisfiable) as error:
        raise Unanswerable(pointer, f"Invalid schema: {str(error).splitlines()[0]}") from None
    reason = "no value was found that fits it"
    for attempt in range(_TRIES):
        source = Source(Ids(chance.of(attempt).seed), _TODAY, minimal=attempt % 2 == 1)
        try:
            made = prepared.sampler.sample(prepared.schema, source)
        except Unsatisfiable as error:
            reason = str(error)
            continue
        made = _worded(made, words or _WORDS, chance)
        if prepared.validator.is_valid(made):
            return made
    raise Unanswerable(pointer, f"Invalid schema: {reason}")


class _Prepared:
    """A caller's schema, ready to be sampled. Raises `ValueError` for what is none."""

    def __init__(self, schema: JSON) -> None:
        self.validator: Any = jsonschema_rs.validator_for(schema, validate_formats=True, offline=True)
        translation = _Translation(schema)
        self.schema = translation.reference("#")
        if not translation.ends(self.schema):
            raise ValueError("its values would go on for ever")
        self.sampler = translation.sampler()


@lru_cache(maxsize=256)
def _prepared(text: bytes) -> _Prepared:
    # An application sends the same schemas with each of its calls. What is kept follows from the schema alone.
    return _Prepared(orjson.loads(text))


class _Translation:
    """Puts a JSON schema into the words of OpenAPI 3.0. What has none there is left out.

    Where a schema comes back to itself, what can be left out is, and of alternatives the others come first: values end
    soon, and the sampler need not look for the end.
    """

    def __init__(self, root: JSON) -> None:
        self._root = root
        self._names: dict[str, str] = {}
        self._made: dict[str, Record] = {}
        self._open: set[str] = set()
        self._returns: list[str] = []
        self._leads: dict[str, set[str]] = {}

    def sampler(self) -> Sampler:
        """Return what samples the schemas made so far."""
        return Sampler({"components": {"schemas": self._made}}, "either")

    def reference(self, pointer: str) -> Record:
        """Return a reference to what a pointer of the schema leads to. Raises `ValueError` for one that leads nowhere."""
        if pointer not in self._names:
            self._names[pointer] = name = f"S{len(self._names)}"
            self._open.add(pointer)
            before = len(self._returns)
            self._made[name] = self._schema(_found(self._root, pointer))
            self._open.remove(pointer)
            self._leads[pointer] = set(self._returns[before:])
        elif pointer in self._open:
            self._returns.append(pointer)
        else:
            self._returns.extend(self._leads[pointer])
        return {"$ref": f"#/components/schemas/{self._names[pointer]}"}

    def ends(self, schema: Record) -> bool:
        """Whether a value comes to an end. The sampler would find out too, after all that could be a beginning of one."""
        ending: set[str] = set()
        while found := {name for name, made in self._made.items() if name not in ending and _ends(made, ending)}:
            ending |= found
        return _ends(schema, ending)

    def _schema(self, said: JSON) -> Record:
        if not isinstance(said, dict):
            return {} if said else {"not": {}}
        made: Record = {key: said[key] for key in _SAME if key in said}
        if "const" in said:
            made["enum"] = [said["const"]]
        self._add_bounds(made, said)
        self._add_children(made, said)
        parts = [self._add_type(made, said)]
        if "$ref" in said:
            parts.append(self.reference(said["$ref"]))
        if len(parts) == 1:
            return parts[0]
        return {"allOf": parts} if parts[0] else parts[1]

    def _add_type(self, made: Record, said: Record) -> Record:
        kinds = made.get("type")
        if kinds in ("null", ["null"]):
            return NULL_SCHEMA
        if isinstance(kinds, list):
            del made["type"]
            if "null" in kinds:
                made["nullable"] = True
            kinds = [kind for kind in kinds if kind != "null"]
            if len(kinds) > 1:
                made = {"allOf": [{"anyOf": [{**made, "type": kind} for kind in kinds]}]}
            else:
                made["type"] = kinds[0]
        example, default = said.get("examples"), said.get("default")
        if isinstance(example, list) and example:
            made["example"] = example[0]
        elif default is not None:
            made["example"] = default
        elif made.get("format") in _MORE_FORMATS:
            made["example"] = _MORE_FORMATS[made["format"]]
        elif made.keys() <= {"type", "nullable"} and made.get("type") in _ANY and "$ref" not in said:
            made["example"] = _ANY[made["type"]]
        return made

    def _add_bounds(self, made: Record, said: Record) -> None:
        for name, narrower in (("Minimum", max), ("Maximum", min)):
            bound = said.get(f"exclusive{name}")
            if isinstance(bound, bool):
                made[f"exclusive{name}"] = bound
            elif bound is not None:
                limit = made.get(name.lower(), bound)
                made[name.lower()] = narrower(limit, bound)
                made[f"exclusive{name}"] = narrower(limit, bound) == bound

    def _add_children(self, made: Record, said: Record) -> None:
        for word in ("allOf", "anyOf", "oneOf"):
            if word in said:
                parts = [self._child(part) for part in said[word]]
                made[word] = [part for part, _ in (parts if word == "allOf" else sorted(parts, key=lambda each: each[1]))]
        for word in ("not", "additionalProperties"):
            if word in said:
                made[word] = self._schema(said[word])
        needed = said.get("required") or ()
        if needed or "properties" in said:
            parts_by_name = {name: self._child(part) for name, part in (said.get("properties") or {}).items()}
            others = made.get("additionalProperties") or _ANYTHING
            made["properties"] = {n: part for n, (part, endless) in parts_by_name.items() if n in needed or not endless}
            made["properties"] |= {name: others for name in needed if name not in parts_by_name}
        if "minProperties" in said:
            made.setdefault("additionalProperties", _ANYTHING)
        self._add_items(made, said)

    def _child(self, said: JSON) -> tuple[Record, bool]:
        """A part of a schema, and whether it comes back to where it is a part of."""
        before = len(self._returns)
        return self._schema(said), not self._open.isdisjoint(self._returns[before:])

    def _add_items(self, made: Record, said: Record) -> None:
        items = said.get("items")
        first = said.get("prefixItems") or (items if isinstance(items, list) else None)
        if first:
            # OpenAPI 3.0 has no tuples, so one is made here, once.
            source = Source(Ids(0), _TODAY)
            made["example"] = [self.sampler().sample(self._schema(part), source) for part in first]
        elif "contains" in said:
            made["items"] = {"allOf": [self._schema(part) for part in (items, said["contains"]) if part]}
            made["minItems"] = max(made.get("minItems", 0), said.get("minContains", 1))
        elif items is not None:
            made["items"], endless = self._child(items)
            if endless and not made.get("minItems"):
                made["maxItems"] = 0
        if first or "items" in made or "array" in (said.get("type") or ()):
            made["items"] = made.get("items") or _ANYTHING


def _ends(schema: Record, ending: set[str]) -> bool:
    """Whether a value comes to an end when those of the components in `ending` do."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2] in ending
    if not all(_ends(part, ending) for part in schema.get("allOf") or ()):
        return False
    choices = [part for word in ("anyOf", "oneOf") for part in schema.get(word) or ()]
    if choices and not any(_ends(part, ending) for part in choices):
        return False
    properties = schema.get("properties") or {}
    if not all(_ends(properties[name], ending) for name in schema.get("required") or () if name in properties):
        return False
    return not schema.get("minItems") or _ends(schema.get("items") or {}, ending)


def _found(root: JSON, pointer: str) -> JSON:
    if not pointer.startswith("#"):
        raise ValueError(f"{pointer!r} is not within the schema")
    part = root
    for name in unquote(pointer[1:]).split("/")[1:]:
        try:
            part = part[int(name)] if isinstance(part, list) else part[unescape(name)]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ValueError(f"{pointer!r} leads nowhere") from None
    return part


def _worded(value: JSON, words: Sequence[str], chance: Chance) -> JSON:
    """The value with a word for each text that may be any."""
    if isinstance(value, str):
        return chance.one_of(words) if value == _A_WORD else value
    if isinstance(value, list):
        return [_worded(part, words, chance) for part in value]
    if isinstance(value, dict):
        return {name: _worded(part, words, chance) for name, part in value.items()}
    return value
