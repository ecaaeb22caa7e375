"""The operations of a document, as facts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mockserver.contract import grammar
from mockserver.contract.normalising import BROKEN
from mockserver.values import JSON, Record, pointer

_STATUS = re.compile(r"[1-5]([0-9][0-9]|XX)|default")
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


class OperationFault(Exception):
    """An operation that cannot be served as the document describes it: `pointer` says where, the message why."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer}: {message}")
        self.pointer = pointer


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter, its reference followed. `schema` is None only where `content` types it without one.

    `media_type` is set when the value is a text of that type rather than in a style. `aliases` are further spellings
    (`x-aliases`), `absent` are texts that mean the same as leaving it out (the document's `x-absent-values`).
    """

    name: str
    location: str
    required: bool
    schema: Record
    style: str
    explode: bool
    media_type: str | None
    aliases: tuple[str, ...]
    absent: frozenset[str]
    pointer: str

    @property
    def key(self) -> str:
        """The name that a decoded request uses: headers in lower case."""
        return self.name.lower() if self.location == "header" else self.name


@dataclass(frozen=True, eq=False)
class Content:
    """One media type of a body with its schema, None when it has none."""

    media_type: str
    schema: Record | None
    encoding: Record
    pointer: str


@dataclass(frozen=True, eq=False)
class Body:
    """What a request may carry."""

    required: bool
    contents: tuple[Content, ...]
    pointer: str


@dataclass(frozen=True, eq=False)
class Header:
    """A documented header of a response."""

    name: str
    required: bool
    schema: Record
    pointer: str


@dataclass(frozen=True, eq=False)
class Response:
    """A documented response: `status` is `200`, a range (`4XX`) or `default`."""

    status: str
    contents: tuple[Content, ...]
    headers: tuple[Header, ...]
    pointer: str


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation. `method` and `path` (the template) identify it, `id` is its name for people and stubs.

    `security` lists alternatives, each naming the schemes that it takes together; empty when nothing is asked for.
    """

    id: str
    method: str
    path: str
    family: str
    summary: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: dict[str, Response]
    security: tuple[tuple[str, ...], ...]
    spec: Record = field(repr=False)
    pointer: str = ""

    @property
    def stub_name(self) -> str:
        """The name of its function in a family: `createWidget` gives `create_widget`."""
        return snake_case(self.id)

    @property
    def is_socket(self) -> bool:
        """Whether it opens a WebSocket: it documents that it switches protocols."""
        return "101" in self.responses

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def snake_case(name: str) -> str:
    """`Spare-parts` gives `spare_parts`, `createWidget` gives `create_widget`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^0-9a-z]+", "_", spaced.lower()).strip("_")


def read_operations(document: Record) -> tuple[list[Operation], list[OperationFault]]:
    """Return the operations that can be served, in the document's order, and what is wrong with the others."""
    operations: list[Operation] = []
    faults: list[OperationFault] = []
    shapes: dict[tuple[str, str], str] = {}
    reader = _Reader(document)
    for path, item in document["paths"].items():
        if not isinstance(item, dict):
            continue
        for method in grammar.METHODS:
            if not isinstance(item.get(method), dict):
                continue
            place = pointer("paths", path, method)
            try:
                shape = (method, re.sub(r"\{[^}]*\}", "{}", path))
                if shape in shapes:
                    raise OperationFault(place, f"cannot be told from {method.upper()} {shapes[shape]}")
                operation = reader.operation(method, path, item[method], place)
                reader.check_references(operation)
                shapes[shape] = path
                operations.append(operation)
            except OperationFault as fault:
                faults.append(fault)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                faults.append(OperationFault(place, f"cannot be read: {type(error).__name__}: {error}"))
    return operations, faults


class _Reader:
    def __init__(self, document: Record) -> None:
        self.document = document
        self.shared: dict[tuple[str, str], Response] = {}
        """Responses that are components, by status and reference: hundreds of operations refer to a few."""
        self.shared_parameters: dict[str, Parameter] = {}
        """Parameters that are components, by reference."""

    def operation(self, method: str, path: str, spec: Record, place: str) -> Operation:
        parameters = tuple(
            self.parameter(raw, f"{place}/parameters/{at}") for at, raw in enumerate(spec.get("parameters") or [])
        )
        named = {parameter.name for parameter in parameters if parameter.location == "path"}
        for name in re.findall(r"\{([^}]*)\}", path):
            if name not in named:
                raise OperationFault(place, f"the path parameter {name!r} is not described")
        body = None
        if "requestBody" in spec:
            node, at = self.follow(spec["requestBody"], f"{place}/requestBody")
            body = Body(node.get("required") is True, self.contents(node, at), at)
        responses = {
            str(status): self.response(str(status), raw, f"{place}/responses/{status}")
            for status, raw in (spec.get("responses") or {}).items()
            if not str(status).startswith("x-")
        }
        if not responses:
            raise OperationFault(place, "no response is described")
        for status in responses:
            if _STATUS.fullmatch(status) is None:
                raise OperationFault(f"{place}/responses", f"{status!r} is no status: write 200, 4XX or default")
        security = spec.get("security", self.document.get("security")) or []
        schemes = (self.document.get("components") or {}).get("securitySchemes") or {}
        for name in (name for alternative in security for name in alternative):
            if name not in schemes:
                raise OperationFault(f"{place}/security", f"the scheme {name!r} is not described")
        return Operation(
            id=str(spec.get("operationId") or snake_case(f"{method} {path}")),
            method=method,
            path=path,
            family=self.family(spec, path),
            summary=str(spec.get("summary") or ""),
            parameters=parameters,
            body=body,
            responses=responses,
            security=tuple(tuple(alternative) for alternative in security),
            spec=spec,
            pointer=place,
        )

    def parameter(self, raw: Record, place: str) -> Parameter:
        if isinstance(raw, dict) and isinstance(raw.get("$ref"), str):
            if raw["$ref"] not in self.shared_parameters:
                self.shared_parameters[raw["$ref"]] = self.own_parameter(raw, place)
            return self.shared_parameters[raw["$ref"]]
        return self.own_parameter(raw, place)

    def own_parameter(self, raw: Record, place: str) -> Parameter:
        node, at = self.follow(raw, place)
        name, location = str(node["name"]), str(node["in"])
        if location not in _STYLES:
            raise OperationFault(at, f"a parameter cannot stand in {location!r}")
        schema: Record = node.get("schema") or {}
        media_type = None
        if node.get("content"):
            media_type, content = next(iter(node["content"].items()))
            schema = content.get("schema") or {}
        style = str(node.get("style") or _STYLES[location])
        return Parameter(
            name=name,
            location=location,
            required=node.get("required") is True or location == "path",
            schema=schema,
            style=style,
            explode=bool(node.get("explode", style == "form")),
            media_type=media_type,
            aliases=tuple(node.get("x-aliases") or ()),
            absent=frozenset(self.document.get("x-absent-values") or ()) if location == "query" else frozenset(),
            pointer=at,
        )

    def contents(self, node: Record, place: str) -> tuple[Content, ...]:
        if not isinstance(node.get("content", {}), dict):
            raise OperationFault(f"{place}/content", "an object is needed here, with media types")
        return tuple(
            Content(name.lower(), content.get("schema"), content.get("encoding") or {}, place + pointer("content", name))
            for name, content in (node.get("content") or {}).items()
        )

    def check_references(self, operation: Operation) -> None:
        """Refuse an operation whose schemas need a reference that leads nowhere; the normaliser has found those."""
        broken = set(self.document.get(BROKEN) or ())
        stack: list[JSON] = [operation.spec] if broken else []
        seen: set[str] = set()
        while stack:
            part = stack.pop()
            if isinstance(part, dict):
                reference = part.get("$ref")
                if isinstance(reference, str) and reference not in seen:
                    seen.add(reference)
                    if reference in broken:
                        raise OperationFault(operation.pointer, f"the reference {reference} points to nothing")
                    stack.append(grammar.find(self.document, reference))
                stack.extend(value for key, value in part.items() if key not in ("example", "examples", "default", "enum"))
            elif isinstance(part, list):
                stack.extend(part)

    def response(self, status: str, raw: Record, place: str) -> Response:
        if isinstance(raw, dict) and isinstance(raw.get("$ref"), str):
            key = (status, raw["$ref"])
            if key not in self.shared:
                self.shared[key] = self.own_response(status, raw, place)
            return self.shared[key]
        return self.own_response(status, raw, place)

    def own_response(self, status: str, raw: Record, place: str) -> Response:
        node, at = self.follow(raw, place)
        headers = []
        for name, raw_header in (node.get("headers") or {}).items():
            if name.lower() == "content-type":  # the standard says to ignore it here
                continue
            header, header_at = self.follow(raw_header, at + pointer("headers", name))
            headers.append(Header(name.lower(), header.get("required") is True, header.get("schema") or {}, header_at))
        return Response(status, self.contents(node, at), tuple(headers), at)

    def family(self, spec: Record, path: str) -> str:
        tags = spec.get("tags") or []
        name = str(tags[0]).split(">")[0] if tags else next((part for part in path.split("/") if part), "root")
        return snake_case(name)

    def follow(self, node: JSON, place: str) -> tuple[Record, str]:
        hops = 0
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            place = node["$ref"].removeprefix("#")
            try:
                node = grammar.find(self.document, node["$ref"])
            except KeyError:
                raise OperationFault(place, f"the reference {node['$ref']} points to nothing") from None
            hops += 1
            if hops > 50:
                raise OperationFault(place, "the references go round in a circle")
        if not isinstance(node, dict):
            raise OperationFault(place, f"an object is needed here, not {type(node).__name__}")
        return node, place
