"""The gate: compiled validators of the document's schemas, for requests and for replies.

Schemas are rewritten from OpenAPI 3.0 to JSON Schema Draft 4 (which agrees with openapi-core on `1.0` as an integer and
keeps boolean `exclusiveMinimum`), components once for each direction in a shared registry. Validators are made on first
use: most processes need few of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import jsonschema_rs

from mockserver.values import JSON, Record, unescape

Direction: TypeAlias = Literal["request", "reply", "either"]
"""`either` hides nothing: neither what only the server sets, nor what only the client sends."""
Validator: TypeAlias = jsonschema_rs.Draft4Validator

UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
BYTE_PATTERN = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

PATTERN_FORMATS = {"uuid": UUID_PATTERN, "byte": BYTE_PATTERN}
"""Formats that Draft 4 does not know, checked by a pattern (a callable costs three times as much)."""

NATIVE_FORMATS = ("date", "date-time", "time", "email", "idn-email", "hostname", "ipv4", "ipv6", "uri", "regex")
"""Formats that the engine checks by itself. All other formats are annotations: nothing is checked."""

_HIDDEN = {"request": "readOnly", "reply": "writeOnly"}

_COPIED = (
    "type", "enum", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties",
)  # fmt: skip


class Gate:
    """Makes validators for one document, in one direction."""

    def __init__(self, document: Record, direction: Direction) -> None:
        self._direction = direction
        self._base = f"urn:mockserver:{direction}"
        components = document.get("components")
        schemas = components.get("schemas") if isinstance(components, dict) else None
        self._schemas: Record = schemas if isinstance(schemas, dict) else {}
        self._converted: Record = {}

    def compile(self, schema: Record) -> Validator:
        """Return the validator of a Draft 4 schema that `convert` made. Raises `ValueError` when it is none."""
        return compile_schema(schema, self.registry(schema))

    def registry(self, schema: Record) -> Any:
        """Return a registry with the components that a Draft 4 schema refers to, and those that they refer to.

        Only these: another component that is no schema must not spoil it, and most validators need few of hundreds.
        """
        needed: dict[str, Record] = {}
        wanted = [schema]
        prefix = f"{self._base}#/components/schemas/"
        while wanted:
            for reference in _references(wanted.pop()):
                name = unescape(reference.removeprefix(prefix))
                if reference.startswith(prefix) and name in self._schemas and name not in needed:
                    if name not in self._converted:
                        self._converted[name] = self.convert(self._schemas[name])
                    needed[name] = self._converted[name]
                    wanted.append(self._converted[name])
        return jsonschema_rs.Registry([(self._base, {"components": {"schemas": needed}})], draft=jsonschema_rs.Draft4)

    def validator(self, schema: Record) -> Validator:
        """Return the validator of an OpenAPI schema. Raises `ValueError` when it is none."""
        return self.compile(self.convert(schema))

    def convert(self, schema: JSON) -> JSON:
        """Return the Draft 4 form of an OpenAPI 3.0 schema, references pointing into the registry."""
        if not isinstance(schema, dict):
            return schema
        if self._is_hidden(schema):
            return {"not": {}}
        if "$ref" in schema:
            return {"$ref": self._base + schema["$ref"]}
        made: Record = {key: schema[key] for key in _COPIED if key in schema}
        for bound in ("Minimum", "Maximum"):
            if f"exclusive{bound}" in made and bound.lower() not in made:
                del made[f"exclusive{bound}"]
        kind = schema.get("type")
        if schema.get("nullable") is True and isinstance(kind, str):
            made["type"] = [kind, "null"]
        self._add_format(made, schema.get("format"))
        for word in ("allOf", "anyOf", "oneOf"):
            if word in schema:
                made[word] = [self.convert(part) for part in schema[word]] + made.get(word, [])
        if "discriminator" in schema:
            self._add_discriminator(made, schema["discriminator"])
        for word in ("not", "items", "additionalProperties"):
            if word in schema:
                made[word] = self.convert(schema[word])
        if "properties" in schema:
            made["properties"] = {name: self.convert(part) for name, part in schema["properties"].items()}
        if required := [name for name in schema.get("required") or [] if not self._hidden(schema, name)]:
            made["required"] = required
        return made

    def _hidden(self, schema: Record, name: str) -> bool:
        return self._is_hidden((schema.get("properties") or {}).get(name))

    def _is_hidden(self, schema: JSON) -> bool:
        flag = _HIDDEN.get(self._direction)
        return flag is not None and isinstance(schema, dict) and schema.get(flag) is True

    def _add_discriminator(self, made: Record, discriminator: Record) -> None:
        # Fully mapped, as the normaliser left it: the value alone chooses the branch.
        name, by_branch = discriminator["propertyName"], dict[str, list[str]]()
        for value, reference in discriminator["mapping"].items():
            by_branch.setdefault(reference, []).append(value)
        word = "oneOf" if "oneOf" in made else "anyOf"
        made.pop(word)
        made["anyOf"] = [
            {
                "type": "object",
                "required": [name],
                "properties": {name: {"enum": meant}},
                "allOf": [self.convert({"$ref": reference})],
            }
            for reference, meant in by_branch.items()
        ]

    def _add_format(self, made: Record, name: str | None) -> None:
        if name in PATTERN_FORMATS:
            rule: Record = {"pattern": PATTERN_FORMATS[name]}
        elif name in NATIVE_FORMATS:
            made["format"] = name
            return
        else:
            return
        if rule.keys() & made.keys():
            made["format"] = name
        else:
            made.update(rule)


def _references(schema: JSON) -> Iterator[str]:
    stack = [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            stack.extend(value for key, value in part.items() if key != "enum")
        elif isinstance(part, list):
            stack.extend(part)


def _matcher(pattern: str) -> Callable[[str], bool]:
    match = re.compile(pattern.removesuffix("$") + r"\Z").match
    return lambda text: match(text) is not None


_CALLED_FORMATS = {name: _matcher(pattern) for name, pattern in PATTERN_FORMATS.items()}
"""The same rules, for schemas that have a pattern of their own besides."""


def compile_schema(schema: Record, registry: Any = None) -> Validator:
    """Return the validator of a Draft 4 schema; formats on, nothing fetched. Raises `ValueError` when it is none."""
    try:
        return jsonschema_rs.Draft4Validator(
            schema, registry=registry, validate_formats=True, offline=True, formats=_CALLED_FORMATS
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(str(error)) from error
