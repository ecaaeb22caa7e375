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


BROKEN = "x-broken-references"
"""Where a normalised document lists its references that lead nowhere; what needs one of them is not served."""

_INTEGER_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def normalise(document: Record) -> Record:
    """Change a bundled document in place and return it."""
    for _, kind, node in list(grammar.walk("document", document)):
        if kind == "schema":
            _schema(node)
            _hoist_flags(node, document)
        elif kind == "pathItem":
            _path_item(node, document)
        elif kind == "operation":
            node.pop("servers", None)
        elif kind == "securityScheme" and isinstance(node.get("scheme"), str):
            # openapi-core compares a lower-cased header with this word as it stands.
            node["scheme"] = node["scheme"].lower()
    document["servers"] = [{"url": base_path(document) or "/"}]
    if broken := _broken(document):
        document[BROKEN] = broken
    return document


def _broken(document: Record) -> list[str]:
    """Return the references that lead nowhere, in order."""
    found: set[str] = set()
    for _, _, node in grammar.walk("document", document):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in found:
            try:
                grammar.find(document, reference)
            except KeyError:
                found.add(reference)
    return sorted(found)


def base_path(document: Record) -> str:
    """Return the path of the first server, without a slash at its end; variables take their defaults."""
    servers = document.get("servers")
    server: JSON = servers[0] if isinstance(servers, list) and servers else None
    if not isinstance(server, dict):
        return ""
    url = str(server.get("url", ""))
    variables = server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        default = variable.get("default", "") if isinstance(variable, dict) else ""
        url = url.replace("{" + name + "}", str(default))
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:  # no address: `mockserver check` tells
        return ""


def add_error_responses(document: Record, statuses: tuple[str, ...], response: Record) -> Record:
    """Document the statuses for every operation that neither lists nor covers them by a range or a default."""
    for node in grammar.operations(document):
        if isinstance(node.get("responses"), dict) and node["responses"]:
            responses = node["responses"]
            for status in statuses:
                if not {status, f"{status[0]}XX", "default"} & set(responses):
                    responses[status] = response
    return document


def add_upgrade_responses(document: Record, response: Record) -> Record:
    """Document the refusal of a plain call for every operation that opens a WebSocket."""
    for node in grammar.operations(document):
        if "101" in (node.get("responses") or {}):
            node["responses"].setdefault("426", response)
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
        if _is_number(schema.get("minimum", low)):
            schema["minimum"] = max(low, schema.get("minimum", low))
        if _is_number(schema.get("maximum", high)):
            schema["maximum"] = min(high, schema.get("maximum", high))
    if "discriminator" in schema and not _mapped(schema):
        # Without a full mapping openapi-core takes the value for the name of a schema.
        del schema["discriminator"]


def _hoist_flags(schema: Record, document: Record) -> None:
    # A property that refers to a read-only or write-only schema is so itself: validators relax `required` only then.
    properties = schema.get("properties")
    for name, part in list(properties.items()) if isinstance(properties, dict) else ():
        if isinstance(part, dict) and "$ref" in part:
            target = _target(part, document)
            flags = {flag: True for flag in ("readOnly", "writeOnly") if isinstance(target, dict) and target.get(flag) is True}
            if flags:
                schema["properties"][name] = {**flags, "allOf": [part]}


def _target(node: JSON, document: Record) -> JSON:
    """What a node stands for, references followed; None where they lead nowhere or round in a circle."""
    for _ in range(50):
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            return node
        try:
            node = grammar.find(document, node["$ref"])
        except KeyError:
            return None
    return None


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _mapped(schema: Record) -> bool:
    discriminator = schema.get("discriminator")
    mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
    if not isinstance(mapping, dict) or not isinstance(discriminator, dict) or "propertyName" not in discriminator:
        return False
    choices = [schema[word] for word in ("oneOf", "anyOf") if isinstance(schema.get(word), list)]
    branches = [branch.get("$ref") if isinstance(branch, dict) else None for choice in choices for branch in choice]
    return bool(branches) and None not in branches and set(branches) <= set(mapping.values())


def _path_item(item: Record, document: Record) -> None:
    item.pop("servers", None)
    shared: JSON = item.pop("parameters", None)
    if not shared:
        return
    for method in grammar.METHODS:
        operation = item.get(method)
        if not isinstance(operation, dict):
            continue
        if not isinstance(shared, list):
            operation["parameters"] = shared  # no list: for the reader of operations to refuse
            continue
        own = operation.setdefault("parameters", [])
        if isinstance(own, list):
            named = {_identity(parameter, document) for parameter in own}
            own.extend(parameter for parameter in shared if _identity(parameter, document) not in named)


def _identity(parameter: JSON, document: Record) -> tuple[str, str]:
    target = _target(parameter, document)
    if not isinstance(target, dict):
        return (repr(parameter), "")
    return (str(target.get("name")), str(target.get("in")))
