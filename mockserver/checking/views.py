"""What a schema allows, in a form in which two of them can be compared.

References are followed, `allOf` is merged, and null is one of the types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.contract import grammar
from mockserver.values import JSON, Record, dump, pointer

_KINDS = {"string", "boolean", "array", "object", "integer", "number"}
_INTEGERS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
LOW = ("minimum", "minLength", "minItems", "minProperties")
HIGH = ("maximum", "maxLength", "maxItems", "maxProperties")


@dataclass(frozen=True)
class Part:
    """A schema and its place in its document."""

    schema: JSON
    place: str


@dataclass(frozen=True)
class View:
    """What a schema allows.

    `types` is None for any, and holds `null` where null is allowed; `number` comes with `integer`. `additional` is True for any
    field, False for none, or the schema of others. `choices` are groups of alternatives of which each must be met. `unjudged`
    names what is not compared.
    """

    place: str
    types: frozenset[str] | None = None
    enum: dict[bytes, JSON] | None = None
    enum_at: str = ""
    holds_fields: bool = False
    """Whether its fields stand at its own place, rather than in a part of an `allOf`."""
    properties: dict[str, Part] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    additional: Part | bool = True
    items: Part | None = None
    bounds: dict[str, tuple[float, bool]] = field(default_factory=dict)
    multiple: float | None = None
    unique: bool = False
    patterns: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    choices: tuple[tuple[Part, ...], ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    """Values of a discriminator, by the reference that each means."""
    refused: frozenset[bytes] = frozenset()
    unjudged: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it allows anything."""
        return replace(self, place="", unjudged=(), holds_fields=False) == View("")

    @property
    def only_chooses(self) -> bool:
        """Whether it says nothing but which alternatives there are, and of which type."""
        return replace(self, place="", choices=(), tags={}, types=None, unjudged=(), holds_fields=False) == View("")


class Reader:
    """Reads the schemas of one document."""

    def __init__(self, document: Record) -> None:
        self._document = document
        self._views: dict[tuple[int, str], View] = {}

    def resolve(self, part: Part) -> Part:
        """Follow references; a schema that leads nowhere allows anything."""
        for _ in range(50):
            schema = part.schema
            if not isinstance(schema, dict):
                return Part({}, part.place)
            if not isinstance(schema.get("$ref"), str):
                return part
            try:
                part = Part(grammar.find(self._document, schema["$ref"]), schema["$ref"].removeprefix("#"))
            except KeyError:
                return Part({}, part.place)
        return Part({}, part.place)

    def view(self, part: Part) -> View:
        """Return what a schema allows."""
        part = self.resolve(part)
        key = (id(part.schema), part.place)
        if key not in self._views:
            self._views[key] = self._read(part, frozenset())
        return self._views[key]

    def _read(self, part: Part, on_the_way: frozenset[int]) -> View:
        part = self.resolve(part)
        schema: Record = part.schema
        if id(schema) in on_the_way:
            return View(part.place)  # within itself: it adds nothing
        on_the_way |= {id(schema)}
        made = self._own(part)
        parts = schema.get("allOf")
        if isinstance(parts, list) and len(parts) == 1 and made.is_open and not {"oneOf", "anyOf"} & set(schema):
            return self._read(Part(parts[0], f"{part.place}/allOf/0"), on_the_way)
        for at, each in enumerate(schema.get("allOf") or ()):
            made = _both(made, self._read(Part(each, f"{part.place}/allOf/{at}"), on_the_way), part.place)
        for word in ("oneOf", "anyOf"):
            if isinstance(schema.get(word), list):
                made = self._choose(made, part, word, on_the_way)
        return made

    def _choose(self, made: View, part: Part, word: str, on_the_way: frozenset[int]) -> View:
        branches = [Part(each, f"{part.place}/{word}/{at}") for at, each in enumerate(part.schema[word])]
        rest = [each for each in branches if not _is_null(self.resolve(each).schema)]
        if len(rest) == 1:
            inner = self._read(rest[0], on_the_way)
            if len(rest) < len(branches) and inner.types is not None:
                inner = replace(inner, types=inner.types | {"null"})
            return _both(made, inner, part.place)
        types = self._types(rest)
        if types is not None and len(rest) < len(branches):
            types |= {"null"}
        mapping = (part.schema.get("discriminator") or {}).get("mapping") or {}
        tags = {reference: value for value, reference in mapping.items()}
        chosen = replace(View(part.place), types=types, choices=(tuple(rest),), tags=tags)
        return _both(made, chosen, part.place)

    def _types(self, parts: list[Part]) -> frozenset[str] | None:
        found: set[str] = set()
        for part in parts:
            schema = self.resolve(part).schema
            kind = schema.get("type", _implied(schema))
            if kind not in _KINDS:
                return None
            found |= {kind} | ({"integer"} if kind == "number" else set())
            if schema.get("nullable") is True:
                found.add("null")
        return frozenset(found)

    def _own(self, part: Part) -> View:
        schema: Record = part.schema
        kind = schema.get("type", _implied(schema))
        types = None
        if kind in _KINDS:
            types = frozenset({kind} | ({"integer"} if kind == "number" else set()))
            types |= {"null"} if schema.get("nullable") is True else frozenset()
        enum = {dump(value): value for value in schema["enum"]} if isinstance(schema.get("enum"), list) else None
        additional = schema.get("additionalProperties", True)
        properties = schema.get("properties") if isinstance(schema.get("properties"), dict) else {}
        return View(
            place=part.place,
            types=types,
            enum=enum,
            enum_at=f"{part.place}/enum" if enum is not None else "",
            holds_fields=bool(properties),
            properties={
                name: Part(each, f"{part.place}/properties{pointer(name)}") for name, each in (properties or {}).items()
            },
            required=frozenset(name for name in schema.get("required") or () if isinstance(name, str)),
            additional=Part(additional, f"{part.place}/additionalProperties")
            if isinstance(additional, dict) and additional
            else additional is not False,
            items=Part(schema["items"], f"{part.place}/items") if isinstance(schema.get("items"), dict) else None,
            bounds=_bounds(schema),
            multiple=schema["multipleOf"] if _is_number(schema.get("multipleOf")) else None,
            unique=schema.get("uniqueItems") is True,
            patterns=frozenset([schema["pattern"]] if isinstance(schema.get("pattern"), str) else []),
            formats=frozenset([schema["format"]] if isinstance(schema.get("format"), str) else []),
            refused=frozenset([dump(schema["not"])] if "not" in schema else []),
        )


def _implied(schema: Record) -> str | None:
    # Formally, fields or items without a type bind objects or arrays alone; whoever writes them means these.
    if isinstance(schema.get("properties"), dict):
        return "object"
    return "array" if isinstance(schema.get("items"), dict) else None


def _bounds(schema: Record) -> dict[str, tuple[float, bool]]:
    implied = _INTEGERS.get(str(schema.get("format"))) if schema.get("type") == "integer" else None
    found: dict[str, tuple[float, bool]] = {}
    for names, at in ((LOW, 0), (HIGH, 1)):
        for name in names:
            value: Any = schema.get(name)
            if not _is_number(value) or (name in ("minimum", "maximum") and implied is not None and value == implied[at]):
                continue
            if name.startswith("min") and name != "minimum" and value == 0:
                continue  # says nothing
            found[name] = (value, schema.get("exclusive" + name.capitalize()) is True)
    return found


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_null(schema: Record) -> bool:
    return schema.get("enum") == [None]


def _both(one: View, two: View, place: str) -> View:
    """What two schemas allow together."""
    closed = [each for each in (one, two) if each.additional is not True]
    unjudged = (*one.unjudged, *two.unjudged)
    if closed and any(set(each.properties) ^ set(other.properties) for each in closed for other in (one, two)):
        unjudged = (*unjudged, "additionalProperties beside fields of other parts of an allOf")
    properties = dict(one.properties)
    for name, part in two.properties.items():
        again = name in properties and properties[name].schema != part.schema
        properties[name] = Part({"allOf": [properties[name].schema, part.schema]}, part.place) if again else part
    enum = one.enum if two.enum is None else two.enum
    if one.enum is not None and two.enum is not None:
        enum = {key: value for key, value in one.enum.items() if key in two.enum}
    return View(
        place=place,
        types=_narrowest(one.types, two.types, frozenset.__and__),
        enum=enum,
        enum_at=one.enum_at or two.enum_at,
        holds_fields=one.holds_fields and one.place == place,
        properties=properties,
        required=one.required | two.required,
        additional=closed[0].additional if closed else True,
        items=one.items or two.items,
        bounds=_tightest(one.bounds, two.bounds),
        multiple=one.multiple if one.multiple is not None else two.multiple,
        unique=one.unique or two.unique,
        patterns=one.patterns | two.patterns,
        formats=one.formats | two.formats,
        choices=(*one.choices, *two.choices),
        tags={**one.tags, **two.tags},
        refused=one.refused | two.refused,
        unjudged=unjudged,
    )


def _narrowest(one: Any, two: Any, together: Callable[[Any, Any], Any]) -> Any:
    if one is None or two is None:
        return one if two is None else two
    return together(one, two)


def _tightest(one: dict[str, tuple[float, bool]], two: dict[str, tuple[float, bool]]) -> dict[str, tuple[float, bool]]:
    found = dict(one)
    for name, bound in two.items():
        if name not in found:
            found[name] = bound
        else:
            found[name] = max(found[name], bound) if name in LOW else min(found[name], bound, key=lambda b: (b[0], not b[1]))
    return found
