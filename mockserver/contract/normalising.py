"""Rewrites a bundled document so that all its readers mean the same by it.

Where the OpenAPI text, openapi-core, schemathesis and connexion read a construct differently, it is replaced by one that
they read alike. Nothing is added that the document does not say, apart from `add_error_responses`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from mockserver.contract import grammar
from mockserver.values import JSON, Record

NULL_SCHEMA: Record = {"type": "object", "nullable": True, "enum": [None]}
"""What only null satisfies, in words that every reader of OpenAPI 3.0 understands."""


_INTEGER_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def normalise(document: Record) -> Record:
    """Change a bundled document in place and return it."""
    for _, kind, node in list(grammar.walk("document", document)):
        if kind == "schema":
            _schema(node)
            _hoist_flags(node, document)
        elif kind == "pathItem":
            _path_item(node)
        elif kind == "operation":
            node.pop("servers", None)
        elif kind == "securityScheme" and isinstance(node.get("scheme"), str):
            # openapi-core compares a lower-cased header with this word as it stands.
            node["scheme"] = node["scheme"].lower()
    document["servers"] = [{"url": base_path(document) or "/"}]
    return document


def base_path(document: Record) -> str:
    """Return the path of the first server, without a slash at its end; variables take their defaults."""
    servers = document.get("servers") or [{}]
    url = str(servers[0].get("url", ""))
    for name, variable in (servers[0].get("variables") or {}).items():
        url = url.replace("{" + name + "}", str(variable.get("default", "")))
    return urlsplit(url).path.rstrip("/")


def add_error_responses(document: Record, statuses: tuple[str, ...], response: Record) -> Record:
    """Document the statuses for every operation that neither lists nor covers them by a range or a default."""
    for _, kind, node in grammar.walk("document", document):
        if kind == "operation" and isinstance(node.get("responses"), dict):
            responses = node["responses"]
            for status in statuses:
                if not {status, f"{status[0]}XX", "default"} & set(responses):
                    responses[status] = response
    return document


def _schema(schema: Record) -> None:
    if "$ref" in schema:
        # The standard ignores what stands beside a reference; `nullable` there is common, and its meaning plain.
        if schema.get("nullable") is True:
            reference = {"$ref": schema.pop("$ref")}
            schema.clear()
            schema["anyOf"] = [reference, dict(NULL_SCHEMA)]
        else:
            reference = schema["$ref"]
            schema.clear()
            schema["$ref"] = reference
        return
    if schema.get("nullable") is True:
        enum = schema.get("enum")
        if isinstance(enum, list) and None not in enum:
            enum.append(None)
        if "type" not in schema:
            # Without a type the 3.0.3 text gives `nullable` no effect, schemathesis does.
            del schema["nullable"]
            rest = dict(schema)
            annotations: Record = {key: rest.pop(key) for key in ("description", "default", "example", "title") if key in rest}
            if rest:
                schema.clear()
                schema.update(annotations | {"anyOf": [rest, dict(NULL_SCHEMA)]})
    if schema.get("type") == "integer" and schema.get("format") in _INTEGER_BOUNDS:
        # Written out, since validators differ on whether the format alone binds.
        low, high = _INTEGER_BOUNDS[schema["format"]]
        schema["minimum"] = max(low, schema.get("minimum", low))
        schema["maximum"] = min(high, schema.get("maximum", high))
    if "discriminator" in schema and not _mapped(schema):
        # Without a full mapping openapi-core takes the value for the name of a schema.
        del schema["discriminator"]


def _hoist_flags(schema: Record, document: Record) -> None:
    # A property that refers to a read-only or write-only schema is so itself: validators relax `required` only then.
    for name, part in (schema.get("properties") or {}).items():
        if isinstance(part, dict) and "$ref" in part:
            try:
                target = grammar.find(document, part["$ref"])
            except KeyError:
                continue
            flags = {flag: True for flag in ("readOnly", "writeOnly") if isinstance(target, dict) and target.get(flag) is True}
            if flags:
                schema["properties"][name] = {**flags, "allOf": [part]}


def _mapped(schema: Record) -> bool:
    mapping = (schema.get("discriminator") or {}).get("mapping") or {}
    branches = [branch.get("$ref") for word in ("oneOf", "anyOf") for branch in schema.get(word) or []]
    return bool(branches) and None not in branches and set(branches) <= set(mapping.values())


def _path_item(item: Record) -> None:
    item.pop("servers", None)
    shared: list[JSON] = item.pop("parameters", None) or []
    for method in grammar.METHODS:
        operation = item.get(method)
        if shared and isinstance(operation, dict):
            own = operation.setdefault("parameters", [])
            named = {_identity(parameter) for parameter in own}
            own.extend(parameter for parameter in shared if _identity(parameter) not in named)


def _identity(parameter: Record) -> tuple[str, ...]:
    if "$ref" in parameter:
        return (str(parameter["$ref"]),)
    return (str(parameter.get("name")), str(parameter.get("in")))
