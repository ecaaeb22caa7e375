"""In what a document differs from another that it is to take the place of, and for whom that is breaking.

Compared: operations, parameters, bodies, media types, responses, headers, credentials, base paths, and schemas with references
followed, circles closed and `allOf` merged; alternatives are matched by name, discriminator or equality, else by what they
allow. Not judged, and told as notes: `not`, two different patterns, alternatives beside other rules. Not compared: texts,
examples, links, callbacks, how alternatives overlap, extensions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mockserver import values
from mockserver.checking.differences import Comparison, Difference, Direction, breaking, severity_of
from mockserver.checking.subject import Subject
from mockserver.checking.views import Part, Reader
from mockserver.contract import grammar
from mockserver.contract.normalising import base_path
from mockserver.contract.operations import Content, Operation, Parameter, Response
from mockserver.reporting.finding import Edit, Related, Severity, Side
from mockserver.reporting.report import Report
from mockserver.values import pointer

_IGNORED_HEADERS = {"accept", "content-type", "authorization"}
"""The specification says to ignore parameters of these names."""


def compare(subject: Subject, other: Subject, report: Report) -> None:
    """Add to a report in what a document differs from another."""
    found: dict[tuple[str, str, str, str], tuple[str, list[Difference]]] = {}
    run = _Run(subject, other)
    for name, difference in run.differences():
        key = (difference.code, difference.ours, difference.theirs, difference.message)
        found.setdefault(key, (name, []))[1].append(difference)
    report.count("compared operations", run.compared)
    for name, same in found.values():
        first = same[0]
        sides: tuple[Side, ...] = tuple(side for side in ("consumer", "producer") if any(side in each.breaks for each in same))
        severity: Severity = min((each.severity or "note" for each in same), key=("error", "warning", "note").index)
        directions = [each.direction for each in same if each.direction]
        where = f", in {' and '.join(dict.fromkeys(f'{each}s' for each in directions))}" if directions else ""
        report.add(
            first.code,
            first.message + where,
            subject.place(first.ours),
            operation=name,
            severity=severity,
            edit=_edit(subject, first),
            related=[Related(f"in {other.name}", other.place(first.theirs))],
            breaks=sides,
            because=_because(sides, other.name),
        )


def _because(sides: tuple[Side, ...], name: str) -> str:
    told = {
        ("consumer",): f"A client that keeps {name} can fail at a service that keeps this document.",
        ("producer",): f"A service that keeps {name} does not keep this document.",
        ("consumer", "producer"): f"Neither a client nor a service that keeps {name} can rely on this document.",
    }
    return told.get(sides, f"This document differs from {name}; nobody breaks by it.")


def _edit(subject: Subject, difference: Difference) -> Edit | None:
    if not difference.mend:
        return None
    here = subject.place(difference.ours).file
    steps = []
    for word, place, value in difference.patch:
        at = subject.place(place)
        if at.file != here:
            return Edit(difference.mend)
        steps.append({"op": word, "path": at.pointer, "value": values.parse(value)})
    return Edit(difference.mend, tuple(steps))


class _Run:
    def __init__(self, subject: Subject, other: Subject) -> None:
        self.ours, self.theirs = subject, other
        self.compared = 0
        readers = Reader(subject.document), Reader(other.document)
        self.schemas: dict[Direction, Comparison] = {
            "request": Comparison(*readers, "request"),
            "response": Comparison(*readers, "response"),
        }
        self.ours_at = {_shape(each): each for each in subject.contract.operations}
        self.theirs_at = {_shape(each): each for each in other.contract.operations}

    def differences(self) -> Iterator[tuple[str, Difference]]:
        """Yield each difference with the name of the operation that it was found at."""
        ours, theirs = base_path(self.ours.document), base_path(self.theirs.document)
        if ours != theirs:
            yield "", self.difference("MS-C027", "/servers", "/servers", f"the base path is {ours or '/'}, not {theirs or '/'}",
                                      ("consumer", "producer"))  # fmt: skip
        for shape, other in self.theirs_at.items():
            mine = self.ours_at.get(shape)
            if mine is None:
                yield from self.missing(shape, other)
            else:
                self.compared += 1
                name = self.ours.names.get(mine.pointer, str(mine))
                for difference in self.operation(mine, other):
                    yield name, difference
        known = {_raw_shape(path, method) for _, path, method, _ in self.theirs.operations()}
        for shape, mine in self.ours_at.items():
            if shape in self.theirs_at:
                continue
            name = self.ours.names.get(mine.pointer, str(mine))
            if shape in known:
                yield (
                    name,
                    self.difference(
                        "MS-C029", mine.pointer, "/paths", f"not judged: {mine} is faulty in the other document", ()
                    ),
                )
            else:
                yield name, self.difference("MS-C002", mine.pointer, "/paths", f"{mine} is new", ("producer",))

    def missing(self, shape: tuple[str, str], other: Operation) -> Iterator[tuple[str, Difference]]:
        name = self.theirs.names.get(other.pointer, str(other))
        faulty = {_raw_shape(path, method): place for place, path, method, _ in self.ours.operations()}
        if shape in faulty:
            message = f"not judged: {other} is faulty in this document"
            yield name, self.difference("MS-C029", faulty[shape], other.pointer, message, ())
            return
        path = next((each for each in self.ours.raw["paths"] if _braces(str(each)) == shape[1]), None)
        place = "/paths" if path is None else pointer("paths", path)
        spec = self.theirs.raw["paths"][other.path][other.method]
        at, value = (pointer("paths", other.path), {other.method: spec}) if path is None else (f"{place}/{other.method}", spec)
        text = values.dump(value)
        patch = () if b'"$ref"' in text else (("add", at, text),)
        yield (
            name,
            replace(
                self.difference("MS-C001", place, other.pointer, f"{other} is missing", ("consumer",)),
                mend=f"Add {other} as the other document has it.",
                patch=patch,
            ),
        )

    def difference(
        self,
        code: str,
        ours: str,
        theirs: str,
        message: str,
        sides: tuple[Side, ...],
        severity: Severity | None = None,
        direction: Direction | None = None,
    ) -> Difference:
        return Difference(code, ours, theirs, message, direction, sides, severity=severity or severity_of(sides))

    # One operation.

    def operation(self, mine: Operation, other: Operation) -> Iterator[Difference]:
        yield from self.facts(mine, other)
        yield from self.parameters(mine, other)
        yield from self.body(mine, other)
        yield from self.responses(mine, other)
        yield from self.security(mine, other)

    def facts(self, mine: Operation, other: Operation) -> Iterator[Difference]:
        named, was_named = mine.spec.get("operationId"), other.spec.get("operationId")
        if named != was_named:
            yield self.difference("MS-C028", mine.pointer, other.pointer, f"the operationId is {named}, not {was_named}", ())
        old, new = (each.spec.get("deprecated") is True for each in (other, mine))
        if old != new:
            told = "is deprecated" if new else "is no longer deprecated"
            yield self.difference("MS-C030", mine.pointer, other.pointer, f"{mine} {told}", ())

    def parameters(self, mine: Operation, other: Operation) -> Iterator[Difference]:
        ours, theirs = _parameters(mine), _parameters(other)
        for key, parameter in theirs.items():
            told = f"the parameter {parameter.name!r} in {parameter.location}"
            if key not in ours:
                raw = self.theirs.follow(grammar.find(self.theirs.document, f"#{parameter.pointer}"))
                text = values.dump(raw)
                at = f"{mine.pointer}/parameters/-" if mine.spec.get("parameters") else ""
                yield replace(
                    self.difference("MS-C003", mine.pointer, parameter.pointer, f"{told} is missing", ("consumer",)),
                    mend=f"Add {told} as the other document has it.",
                    patch=(("add", at, text),) if at and b'"$ref"' not in text else (),
                )
            else:
                yield from self.parameter(ours[key], parameter, told)
        for key, parameter in ours.items():
            if key not in theirs:
                told = f"the parameter {parameter.name!r} in {parameter.location} is new"
                sides: tuple[Side, ...] = ("consumer",) if parameter.required else ("producer",)
                told += " and required" if parameter.required else ""
                yield self.difference("MS-C004", parameter.pointer, other.pointer, told, sides)

    def parameter(self, mine: Parameter, other: Parameter, told: str) -> Iterator[Difference]:
        if mine.required != other.required:
            word = "required" if mine.required else "optional"
            side: Side = "consumer" if mine.required else "producer"
            yield self.difference("MS-C005", mine.pointer, other.pointer, f"{told} is {word}", (side,))
        arrays = {"array", "object"} & {str(each.schema.get("type", "array")) for each in (mine, other)}
        ways = [
            (each.media_type or each.style, each.explode if arrays and not each.media_type else None) for each in (mine, other)
        ]
        if ways[0] != ways[1]:
            one, two = (f"{way}{'' if explode is None else f', explode {str(explode).lower()}'}" for way, explode in ways)
            yield self.difference(
                "MS-C006", mine.pointer, other.pointer, f"{told} is written as {one}, not {two}", ("consumer", "producer")
            )
        parts = [Part(each.schema, _schema_place(each)) for each in (mine, other)]
        yield from self.schemas["request"].compare(*parts)

    def body(self, mine: Operation, other: Operation) -> Iterator[Difference]:
        ours, theirs = mine.body, other.body
        if ours is None or theirs is None:
            if theirs is not None:
                yield self.difference("MS-C007", mine.pointer, theirs.pointer, "the request body is missing", ("consumer",))
            elif ours is not None:
                sides: tuple[Side, ...] = ("consumer",) if ours.required else ("producer",)
                word = " and required" if ours.required else ""
                yield self.difference("MS-C007", ours.pointer, other.pointer, f"the request body is new{word}", sides)
            return
        if ours.required != theirs.required:
            word = "required" if ours.required else "optional"
            side: Side = "consumer" if ours.required else "producer"
            yield self.difference("MS-C005", ours.pointer, theirs.pointer, f"the request body is {word}", (side,))
        yield from self.contents(ours.contents, theirs.contents, ours.pointer, theirs.pointer, "request")

    def contents(
        self, ours: tuple[Content, ...], theirs: tuple[Content, ...], our_place: str, their_place: str, direction: Direction
    ) -> Iterator[Difference]:
        for other in theirs:
            mine = _content(ours, other.media_type)
            if mine is None:
                sides = breaking(direction, "narrower")
                told = f"the media type {other.media_type} is missing"
                yield self.difference("MS-C008", our_place, other.pointer, told, sides, direction=direction)
            else:
                parts = [Part(each.schema or {}, f"{each.pointer}/schema") for each in (mine, other)]
                yield from self.schemas[direction].compare(*parts)
        for mine in ours:
            if _content(theirs, mine.media_type) is None and _content((mine,), *(each.media_type for each in theirs)) is None:
                sides = breaking(direction, "wider")
                told = f"the media type {mine.media_type} is new"
                # A client that asks for what it reads does not get the new one.
                severity: Severity | None = "warning" if direction == "response" else None
                yield self.difference("MS-C009", mine.pointer, their_place, told, sides, severity, direction)

    def responses(self, mine: Operation, other: Operation) -> Iterator[Difference]:
        for status, theirs in other.responses.items():
            ours = _response(mine.responses, status)
            if ours is None:
                place = f"{mine.pointer}/responses"
                told = f"the response {status} is missing"
                yield self.difference("MS-C010", place, theirs.pointer, told, ("producer",))
            else:
                yield from self.headers(ours, theirs)
                if ours.contents or theirs.contents:
                    yield from self.contents(ours.contents, theirs.contents, ours.pointer, theirs.pointer, "response")
        for status, ours in mine.responses.items():
            if _response(other.responses, status) is None and not (
                status.endswith("XX") and status[0] in {each[0] for each in other.responses}
            ):
                sides: tuple[Side, ...] = () if status[0] in "45" else ("consumer",)
                told = f"the response {status} is new"
                yield self.difference("MS-C011", ours.pointer, f"{other.pointer}/responses", told, sides)

    def headers(self, mine: Response, other: Response) -> Iterator[Difference]:
        ours, theirs = ({header.name: header for header in each.headers} for each in (mine, other))
        for name, header in theirs.items():
            if name not in ours:
                severity: Severity = "error" if header.required else "warning"
                told = f"the header {name} is missing"
                yield self.difference("MS-C025", mine.pointer, header.pointer, told, ("consumer",), severity, "response")
                continue
            if ours[name].required != header.required:
                word = "required" if ours[name].required else "optional"
                side: Side = "producer" if ours[name].required else "consumer"
                told = f"the header {name} is {word}"
                yield self.difference("MS-C025", ours[name].pointer, header.pointer, told, (side,), direction="response")
            parts = [Part(each.schema, f"{each.pointer}/schema") for each in (ours[name], header)]
            yield from self.schemas["response"].compare(*parts)
        for name, header in ours.items():
            if name not in theirs:
                sides: tuple[Side, ...] = ("producer",) if header.required else ()
                told = f"the header {name} is new" + (" and required" if header.required else "")
                yield self.difference("MS-C025", header.pointer, other.pointer, told, sides, direction="response")

    def security(self, mine: Operation, other: Operation) -> Iterator[Difference]:
        ours, theirs = self.alternatives(self.ours, mine), self.alternatives(self.theirs, other)
        for asked, names in theirs.items():
            if not any(each <= asked for each in ours):
                told = f"{' and '.join(names) or 'no credentials'} is no longer enough"
                yield self.difference("MS-C024", mine.pointer, other.pointer, told, ("consumer",))
        for asked, names in ours.items():
            if not any(each <= asked for each in theirs):
                told = f"{' and '.join(names) or 'no credentials'} is enough now"
                yield self.difference("MS-C024", mine.pointer, other.pointer, told, ("producer",))

    def alternatives(self, subject: Subject, operation: Operation) -> dict[frozenset[Any], tuple[str, ...]]:
        """The alternatives of credentials, by what each asks for whatever its schemes are called."""
        schemes = (subject.document.get("components") or {}).get("securitySchemes") or {}
        made: dict[frozenset[Any], tuple[str, ...]] = {
            frozenset(_signature(subject.follow(schemes.get(name)), name) for name in names): tuple(names)
            for names in operation.security
        }
        return made or {frozenset(): ()}


def _signature(scheme: Any, name: str) -> tuple[str, ...]:
    if not isinstance(scheme, dict):
        return (name,)
    kind = str(scheme.get("type"))
    if kind == "apiKey":
        where = str(scheme.get("in"))
        header = str(scheme.get("name"))
        return (kind, where, header.lower() if where == "header" else header)
    if kind == "http":
        return (kind, str(scheme.get("scheme")).lower())
    return (kind, str(scheme.get("openIdConnectUrl", "")), *sorted(scheme.get("flows") or ()))


def _braces(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/") or "/"


def _raw_shape(path: str, method: str) -> tuple[str, str]:
    return method, _braces(path)


def _shape(operation: Operation) -> tuple[str, str]:
    return _raw_shape(operation.path, operation.method)


def _parameters(operation: Operation) -> dict[tuple[str, str], Parameter]:
    """The parameters by where they stand and their names; those of the path by their order, since their names are not sent."""
    order = {name: str(at) for at, name in enumerate(re.findall(r"\{([^}]*)\}", operation.path))}
    return {
        (each.location, order.get(each.name, each.name) if each.location == "path" else each.key): each
        for each in operation.parameters
        if not (each.location == "header" and each.key in _IGNORED_HEADERS)
    }


def _schema_place(parameter: Parameter) -> str:
    inner = pointer("content", parameter.media_type) if parameter.media_type else ""
    return f"{parameter.pointer}{inner}/schema"


def _content(contents: tuple[Content, ...], *media_types: str) -> Content | None:
    for media_type in media_types:
        essence = media_type.partition(";")[0].strip()
        for wanted in (essence, essence.partition("/")[0] + "/*", "*/*"):
            for content in contents:
                if content.media_type.partition(";")[0].strip() == wanted:
                    return content
    return None


def _response(responses: dict[str, Response], status: str) -> Response | None:
    return responses.get(status) or responses.get(f"{status[0]}XX") or responses.get("default")
