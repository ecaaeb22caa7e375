"""Whether the links of a document lead somewhere: their targets, their parameters, their runtime expressions.

Source of the expressions: OpenAPI 3.0.3, "Runtime Expressions".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from mockserver.checking.faults import Fault
from mockserver.checking.subject import Subject
from mockserver.contract import grammar
from mockserver.contract.operations import Operation
from mockserver.contract.shapes import branches, shape_of
from mockserver.values import JSON, Record, pointer, unescape

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_EXPRESSION = re.compile(
    rf"\$(?:url|method|statusCode|(?P<of>request|response)\.(?:(?P<part>header)\.(?P<token>{_TOKEN})"
    r"|(?P<named>query|path)\.(?P<name>.+)|(?P<body>body)(?:#(?P<pointer>(?:/(?:[^~]|~[01])*)?))?))"
)
_EMBEDDED = re.compile(r"\{(\$[^}]*)\}")


def check(subject: Subject) -> tuple[list[Fault], int]:
    """Return what is wrong with the links, and how many there are."""
    places: dict[str, Record] = {
        pointer(*path): link
        for path, kind, link in grammar.walk("document", subject.document)
        if kind == "link" and "$ref" not in link
    }
    faults = [fault for place, link in places.items() for fault in _link(subject, place, link)]
    for operation in subject.contract.operations:
        for response in operation.responses.values():
            node = grammar.find(subject.document, f"#{response.pointer}")
            for name, raw in (node.get("links") or {}).items():
                place = f"{response.pointer}/links{pointer(name)}"
                if isinstance(raw, dict) and isinstance(raw.get("$ref"), str):
                    place = raw["$ref"].removeprefix("#")
                if place in places:
                    faults += _meaning(subject, operation, response.status, place, places[place])
    return faults, len(places)


def _link(subject: Subject, place: str, link: Record) -> Iterator[Fault]:
    operations = subject.contract.operations
    by_id = {operation.id: operation for operation in operations}
    by_place = {f"#{operation.pointer}": operation for operation in operations}
    key = "operationId" if "operationId" in link else "operationRef"
    named = str(link.get(key))
    known = by_id if key == "operationId" else by_place
    target = known.get(named)
    if target is None and named in subject.names.values():
        return  # it is there, and another finding says why it is not served
    if target is None:
        near = difflib.get_close_matches(named, known, n=1, cutoff=0.5)
        yield Fault(
            "MS-X003",
            place,
            f"leads to {named!r}, which is no operation",
            mend=f"Name {near[0]!r}, if that is meant." if near else "",
            patch=({"op": "replace", "path": f"{place}/{key}", "value": near[0]},) if near else (),
        )
    parameters = link.get("parameters") or {}
    if target is not None:
        yield from _parameters(place, parameters, target)
    for at, text in _texts(place, link):
        for expression in _expressions(text):
            if _EXPRESSION.fullmatch(expression) is None:
                yield Fault("MS-X005", at, f"{expression!r} is no runtime expression", mend=_proposal(expression))


def _parameters(place: str, parameters: Record, target: Operation) -> Iterator[Fault]:
    known = {key for each in target.parameters for key in (each.name, f"{each.location}.{each.name}")}
    for name in parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            at = f"{place}/parameters"
            yield Fault(
                "MS-X004",
                f"{at}{pointer(name)}",
                f"sets {name!r}, which is no parameter of {target}",
                mend=f"Set {near[0]!r}, if that is meant." if near else "",
                patch=({"op": "move", "from": f"{at}{pointer(name)}", "path": f"{at}{pointer(near[0])}"},) if near else (),
            )
    for each in target.parameters:
        if each.location == "path" and not {each.name, f"path.{each.name}"} & set(parameters):
            yield Fault("MS-X007", place, f"does not set {each.name!r}, without which {target} has no address")


def _texts(place: str, link: Record) -> Iterator[tuple[str, str]]:
    for name, value in (link.get("parameters") or {}).items():
        if isinstance(value, str):
            yield f"{place}/parameters{pointer(name)}", value
    if isinstance(link.get("requestBody"), str):
        yield f"{place}/requestBody", link["requestBody"]


def _expressions(text: str) -> list[str]:
    return [text] if text.startswith("$") else _EMBEDDED.findall(text)


def _proposal(expression: str) -> str:
    match = re.fullmatch(r"(\$(?:request|response)\.body)[./](.+)", expression)
    return f"Write {match[1]}#/{match[2].replace('.', '/')}." if match else ""


def _meaning(subject: Subject, operation: Operation, status: str, place: str, link: Record) -> Iterator[Fault]:
    """Yield the expressions that read what the call or the reply does not have."""
    for at, text in _texts(place, link):
        for expression in _expressions(text):
            match = _EXPRESSION.fullmatch(expression)
            if match is not None and (lack := _lack(subject, operation, status, match)) is not None:
                yield Fault("MS-X006", at, f"{expression!r}: {lack}")


def _lack(subject: Subject, operation: Operation, status: str, match: re.Match[str]) -> str | None:
    response = operation.responses[status]
    if match["of"] is None:
        return None
    if match["of"] == "response" and match["named"]:
        return f"a response has no {match['named']} parameters"
    if match["named"] or (match["part"] and match["of"] == "request"):
        location, name = (match["named"], match["name"]) if match["named"] else ("header", match["token"])
        has = any(
            each.location == location and (each.name == name or (location == "header" and each.key == name.lower()))
            for each in operation.parameters
        )
        return None if has else f"{operation} has no parameter {name!r} in {location}"
    if match["part"]:
        name = str(match["token"]).lower()
        known = {"content-type", *(header.name for header in response.headers)}
        return None if name in known else f"the response {status} of {operation} describes no header {match['token']!r}"
    contents = response.contents if match["of"] == "response" else operation.body.contents if operation.body else ()
    whose = f"the response {status} of {operation}" if match["of"] == "response" else f"the request of {operation}"
    if not contents:
        return f"{whose} has no body"
    parts = [unescape(part) for part in (match["pointer"] or "").split("/")[1:]]
    schemas = [content.schema for content in contents]
    if any(schema is None or _reaches(schema, parts, subject.document) for schema in schemas):
        return None
    return f"the body of {whose} has no {pointer(*parts)}"


def _reaches(schema: JSON, parts: Iterable[str], document: Record) -> bool:
    """Whether a value of a schema may have something at these parts; a schema that says nothing may."""
    for part in parts:
        shape = shape_of(schema, document)
        if part in shape.properties:
            schema = shape.properties[part]
        elif part.isdecimal() and shape.items is not None:
            schema = shape.items
        elif shape.additional is not None:
            schema = shape.additional
        else:
            silent = not shape.properties and shape.items is None and (not shape.types or "object" in shape.types)
            return silent and all(each.get("additionalProperties") is not False for each in branches(schema, document))
    return True
