"""Stubs that remember, for operations whose role the document implies; and stubs that sample, for all others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from urllib.parse import quote

from mockserver import values
from mockserver.contract import grammar, normalising
from mockserver.contract.errors import SetupError
from mockserver.contract.operations import Header, Operation
from mockserver.contract.problems import CONFLICT, INVALID_REQUEST, NOT_FOUND, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.contract.shapes import Shape, branches, shape_of
from mockserver.stubs import paging
from mockserver.stubs.inference import Resource, Role, candidates, infer, override_fault, success
from mockserver.stubs.sampling import Sampler, Source
from mockserver.stubs.service import Stub
from mockserver.values import JSON, Record
from mockserver.world.collection import Duplicate, Layout
from mockserver.world.ids import Ids
from mockserver.world.world import World

KEY = "_key"
"""The field by which a record is kept: the path of its parents' keys and its own."""
PARENT = "_parent"
"""The field by which records are grouped: the path of their parents' keys."""

LAYOUT = Layout(key=KEY, order="_created", groups=(PARENT,))

_OWN = frozenset({"id", "slug", "uuid"})
"""Fields that no two records share, whatever an example says."""
_ENVELOPES = frozenset({"data", "result"})
_CREATED = frozenset({"created_at", "createdAt", "created", "creation_time", "date_created"})
_UPDATED = frozenset({"updated_at", "updatedAt", "last_updated_at", "lastUpdatedAt", "updated", "modified_at", "modified"})


class ResourceStubs:
    """Makes the stubs of one document.

    Its roles are inferred when one is first needed; `SetupError` for an `x-resource` that does not fit shows then, at the
    latest by `layouts`, unless families serve all operations that may have a role.
    """

    def __init__(self, document: Record, operations: list[Operation]) -> None:
        self.document = document
        faults = [
            f"{operation.pointer}: {fault}"
            for operation in operations
            if "x-resource" in operation.spec and (fault := override_fault(operation.spec["x-resource"]))
        ]
        if faults:
            raise SetupError("; ".join(faults))
        self._operations = operations
        self._candidates = candidates(operations)
        self.sampler = Sampler(document, "reply")
        self._makers: dict[Resource, list[_Fresh]] = {}

    @cached_property
    def roles(self) -> dict[Operation, Role]:
        """The role of each operation that has one. Raises `SetupError` for an `x-resource` that does not fit."""
        return infer(self._operations, self.document)

    def role(self, operation: Operation) -> Role | None:
        """Return the role of an operation; what cannot have one does not cost the inference of all."""
        return self.roles.get(operation) if operation in self._candidates else None

    def layouts(self, families: set[Operation], declared: Mapping[str, Layout]) -> dict[str, Layout]:
        """Return how the collections are laid out, given which operations families serve, and what is declared for some.

        A collection whose operations are all served here is laid out for that, with the declared indexes besides.
        """
        made = dict(declared)
        if self._candidates <= families:
            return made
        named: dict[str, list[Operation]] = {}
        for operation, role in self.roles.items():
            named.setdefault(role.resource.name, []).append(operation)
        for name, operations in named.items():
            if families.isdisjoint(operations):
                more = declared.get(name, Layout())
                made[name] = replace(LAYOUT, groups=(PARENT, *more.groups), unique=more.unique)
        return made

    def why(self, operation: Operation) -> str:
        """Why an operation has the stub that it has, for people."""
        role = self.role(operation)
        if role is None:
            return "no resource is implied by its path and schemas"
        return f"{role.kind} of {role.resource.name}: {role.why}"

    def plant(self, name: str, entry: Record, world: World) -> None:
        """Put an entry of a fixture into a world, completed as a create would; parents by their path parameters' names.

        Raises `ValueError` for a collection that the document does not imply, a parent not named, a key that is taken.
        """
        roles = [(operation, role) for operation, role in self.roles.items() if role.resource.name == name]
        if not roles:
            known = ", ".join(sorted({role.resource.name for role in self.roles.values()})) or "none"
            raise ValueError(f"the document implies no collection {name!r}, only {known}")
        resource = roles[0][1].resource
        missing = [parameter for parameter in resource.parents if parameter not in entry]
        if missing:
            raise ValueError(f"the field {missing[0]!r} is needed: it names what the record belongs to")
        parent = path_key(resource.parents, entry)
        record = {**self.blank(resource, world), **entry}
        try:
            world[name].add(kept(record, str(record[resource.key]), parent))
        except Duplicate as duplicate:
            raise ValueError(f"{duplicate.value!r} is there already") from None

    def blank(self, resource: Resource, world: World) -> Record:
        """Return a record of which nothing was said, in all the fields that creating and reading one show."""
        made: Record = {}
        fresh = self._fresh(resource)
        for each in fresh:
            made.update(each.fields(world))
        return fresh[-1].renewed(made, world) if fresh else {resource.key: world.ids.text(24)}

    def shape(self, resource: Resource) -> Shape:
        """What reading a record shows, or else what creating one does."""
        fresh = self._fresh(resource)
        return fresh[-1].record_shape if fresh else shape_of({}, self.document)

    def _fresh(self, resource: Resource) -> list[_Fresh]:
        if resource not in self._makers:
            found = {
                role.kind: _Fresh(self, operation, role)
                for operation, role in self.roles.items()
                if role.resource == resource and role.kind in ("create", "read")
            }
            makers = [found[kind] for kind in ("create", "read") if kind in found and found[kind].content is not None]
            self._makers[resource] = makers
        return self._makers[resource]

    def stub(self, operation: Operation) -> tuple[str, Stub]:
        """Return the kind of an operation's stub, `resource` or `sample`, and the stub, made on its first call."""
        role = self.role(operation)
        _, content = success(operation)
        in_json = content is None or "json" in content.media_type
        if role is None or not (in_json or role.kind == "view"):
            return "sample", _Later(lambda: self._headed(_Sample(self, operation), operation))
        return "resource", _Later(lambda: self._headed(_ACTIONS[role.kind](self, operation, role), operation))

    def _headed(self, stub: Stub, operation: Operation) -> Stub:
        """A stub whose replies have the headers that the document requires."""
        status, _ = success(operation)
        responses = operation.responses
        response = responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("default")
        required = [header for header in response.headers if header.required] if response is not None else []
        return _Headed(self, stub, operation, required) if required else stub

    def invented(self, operation: Operation) -> Stub:
        """Return what answers for a record that is not there as if it were: a sample with the id that was asked for."""
        return _Later(lambda: self._invented(operation))

    def _invented(self, operation: Operation) -> Stub:
        role = self.role(operation)
        _, content = success(operation)
        if role is None or content is None or "json" not in content.media_type:
            return _Sample(self, operation)
        return _Invented(self, operation, role)


class _Later:
    """A stub that is made when it is first called: a start must not wait for two hundred of them."""

    def __init__(self, make: Callable[[], Stub]) -> None:
        self._make = make
        self._stub: Stub | None = None

    def __call__(self, request: Request, world: World) -> Reply:
        if self._stub is None:
            self._stub = self._make()
        return self._stub(request, world)


class _Headed:
    """Adds the headers that are required, sampled from their schemas; `location` leads to the record that was made."""

    def __init__(self, stubs: ResourceStubs, stub: Stub, operation: Operation, required: list[Header]) -> None:
        self.stubs, self.stub, self.required, self.operation = stubs, stub, required, operation
        self.base = normalising.base_path(stubs.document)

    def __call__(self, request: Request, world: World) -> Reply:
        reply = self.stub(request, world)
        for header in self.required:
            if header.name not in reply.headers:
                value = self.location(request, reply) if header.name == "location" else None
                if value is None or not self.stubs.sampler.accepts(header.schema, value):
                    value = self.stubs.sampler.sample(header.schema, Source(world.ids, world.clock))
                reply.headers[header.name] = ",".join(map(_text, value if isinstance(value, list) else [value]))
        return reply

    def location(self, request: Request, reply: Reply) -> str | None:
        role, record = self.stubs.role(self.operation), reply.body
        if role is None or role.kind != "create":
            return None
        for name in (*role.inside, role.resource.key):
            record = record.get(name) if isinstance(record, dict) else None
        if record is None:
            return None
        path = self.operation.path
        for name, value in request.path.items():
            path = path.replace("{" + name + "}", quote(_text(value), safe=""))
        return f"{self.base.rstrip('/')}{path}/{quote(_text(record), safe='')}"


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else values.dump(value).decode()


class _Sample:
    """Answers a sample of the success reply."""

    def __init__(self, stubs: ResourceStubs, operation: Operation) -> None:
        self.stubs, self.operation = stubs, operation
        self.status, self.content = success(operation)

    def __call__(self, request: Request, world: World) -> Reply:
        return self.reply(world)

    def reply(self, world: World) -> Reply:
        content = self.content
        if content is None:
            return Reply(self.status, b"")
        if "json" not in content.media_type:
            return Reply(self.status, b"", media_type=content.media_type)
        return Reply(self.status, self.refreshed(self.body(world), world), media_type=content.media_type)

    @cached_property
    def example(self) -> JSON:
        """The document's example of the success reply, None when it has none that its schema takes."""
        content = self.content
        if content is None:
            return None
        raw = grammar.find(self.stubs.document, "#" + content.pointer)
        named: Record = next(iter((raw.get("examples") or {}).values()), {})
        example = raw.get("example", named.get("value"))
        return example if example is not None and self.stubs.sampler.accepts(content.schema or {}, example) else None

    def body(self, world: World) -> JSON:
        """A body of the success reply: the document's example, else a sample."""
        if self.example is not None:
            return self.example
        return self.sample(world, (self.content.schema if self.content else None) or {})

    def refreshed(self, body: JSON, world: World) -> JSON:
        """The body with an id of its own, where it has one: two calls give different ids."""
        given = body.get("id") if isinstance(body, dict) else None
        if not isinstance(given, str) or not given or self.content is None:
            return body
        made = {**body, "id": like(given, world.ids)}
        return made if self.stubs.sampler.accepts(self.content.schema or {}, made) else body

    def sample(self, world: World, schema: Record) -> JSON:
        return self.stubs.sampler.sample(schema, Source(world.ids, world.clock))


class _Action(_Sample):
    """What all roles share: finding the record of a request, and showing a record in the words of a schema."""

    def __init__(self, stubs: ResourceStubs, operation: Operation, role: Role) -> None:
        super().__init__(stubs, operation)
        content = self.content
        self.role, self.resource = role, role.resource
        self.schema: Record = (content.schema if content is not None else None) or {}
        self.shape = shape_of(self.schema, stubs.document)
        node = self.shape
        for name in role.inside:
            node = shape_of(node.properties[name], stubs.document)
        self.record_shape = node
        contents = operation.body.contents if operation.body is not None else ()
        self.input = [shape_of(each.schema, stubs.document) for each in contents]

    def parent_key(self, request: Request) -> str:
        return path_key(self.resource.parents, request.path)

    def key(self, request: Request) -> str:
        return join(self.parent_key(request), str(request.path[self.resource.parameter]))

    def check_parents(self, request: Request, world: World) -> None:
        """Nothing lies below what is not there."""
        parent = self.resource.parent
        while parent is not None:
            key = path_key((*parent.parents, parent.parameter), request.path)
            if key not in world[parent.name]:
                raise Problem(NOT_FOUND, f"{parent.path} holds no {request.path[parent.parameter]}")
            parent = parent.parent

    def record(self, request: Request, world: World) -> Record:
        self.check_parents(request, world)
        record = world[self.resource.name].get(self.key(request))
        if record is None:
            raise Problem(NOT_FOUND, f"{self.resource.path} holds no {request.path[self.resource.parameter]}")
        return record

    def show(self, record: Record, world: World) -> Reply:
        """Reply with a record in its place in the success reply."""
        if self.content is None:
            return self.reply(world)
        body = self.placed(self.body(world), self.role.inside, record, complete=False)
        if not self.stubs.sampler.accepts(self.schema, body):
            body = self.placed(self.body(world), self.role.inside, record)
        if not self.stubs.sampler.accepts(self.schema, body):
            body = self.placed(self.sample(world, self.schema), self.role.inside, record)
        if not self.stubs.sampler.accepts(self.schema, body):
            body = self.body(world)
        return Reply(self.status, body, media_type=self.content.media_type)

    def placed(self, body: JSON, inside: tuple[str, ...], record: Record, *, complete: bool = True) -> JSON:
        """The body with the record in its place; `complete` keeps what the body says where the record says nothing."""
        if not isinstance(body, dict):
            return body
        if inside:
            return {**body, inside[0]: self.placed(body.get(inside[0]), inside[1:], record, complete=complete)}
        return self.project(record, body if complete else {}, self.record_shape)

    def project(self, record: Record, sample: Record, shape: Shape) -> Record:
        """Return the sample with the record's fields in the place of its own, as far as the schema takes them."""
        shown = dict(sample)
        for name, value in record.items():
            schema = shape.properties.get(name)
            if schema is not None and self.stubs.sampler.accepts(schema, value):
                shown[name] = value
        for name in _ENVELOPES & shown.keys() - record.keys():
            if isinstance(shown[name], dict):  # some replies say the same twice, beside an envelope and in it
                shown[name] = self.project(record, shown[name], shape_of(shape.properties.get(name), self.stubs.document))
        return shown

    def given(self, request: Request) -> Record:
        """What the request says of the record."""
        return dict(request.fields)

    def stamp(self, record: Record, shape: Shape, names: frozenset[str], world: World) -> None:
        """Set the time fields of these names, in the style of their schema."""
        for name in names & set(shape.properties):
            types = shape_of(shape.properties[name], self.stubs.document).types
            record[name] = int(world.clock.seconds()) if types & {"integer", "number"} else world.clock.timestamp()


class _Create(_Action):
    def __call__(self, request: Request, world: World) -> Reply:
        path = self.adopted(request, world)
        record = self.stubs.blank(self.resource, world)
        given = self.given(request)
        for shape in self.input:
            for name, schema in shape.properties.items():
                if name not in given:
                    self.leave_out(record, name, shape_of(schema, self.stubs.document))
        record.update(given)
        named = self.resource.parameter
        attached = named in given and named not in self.record_shape.properties
        if attached:  # it exists elsewhere, and is put here under its own id
            record[self.resource.key] = given[named]
        for name in self.resource.parents:
            if name in self.record_shape.properties:
                record[name] = path[name]
        self.stamp(record, self.stubs.shape(self.resource), _CREATED | _UPDATED, world)
        parent = path_key(self.resource.parents, path)
        record[KEY] = join(parent, str(record[self.resource.key]))
        record[PARENT] = parent
        collection = world[self.resource.name]
        if record[KEY] in collection:
            if not attached:
                raise self.conflict(f"{self.resource.path} holds {record[self.resource.key]} already")
            collection.replace(record)  # chosen: what is there already may be put there again
            return self.show(record, world)
        try:
            collection.add(record)
        except Duplicate as duplicate:
            raise self.conflict(f"The {duplicate.field} {duplicate.value} is taken") from None
        return self.show(record, world)

    def adopted(self, request: Request, world: World) -> Record:
        """Return what the path says of the parents, and a new one for each that it leaves out, as `x-resource` may have it."""
        path = dict(request.path)
        chain = [self.resource]
        while chain[0].parent is not None:
            chain.insert(0, chain[0].parent)
        if all(name in path for name in self.resource.parents):
            self.check_parents(request, world)
        for parent in chain[:-1]:
            if parent.parameter not in path:
                record = self.stubs.blank(parent, world)
                path[parent.parameter] = record[parent.key]
                world[parent.name].add(kept(record, str(record[parent.key]), path_key(parent.parents, path)))
        return path

    def conflict(self, detail: str) -> Problem:
        """A value that is taken: 409 where the document has it, else 400."""
        responses = self.operation.responses
        return Problem(CONFLICT if {"409", "4XX", "default"} & set(responses) else INVALID_REQUEST, detail)

    def leave_out(self, record: Record, name: str, shape: Shape) -> None:
        """What could be given and is not: the default, else null, nothing or something empty, hardly ever an example's."""
        if shape.has_default:
            record[name] = shape.default
        elif name in record and name != self.resource.key:
            shown = self.stubs.shape(self.resource)
            schema = shown.properties.get(name, {})
            empties: tuple[JSON, ...] = (None, [], {}, "")
            empty: JSON = next((each for each in empties if self.stubs.sampler.accepts(schema, each)), ...)
            if name in shown.required or empty is None:
                record[name] = record[name] if empty is ... else empty
            else:
                del record[name]


class _Fresh(_Action):
    """Makes new records."""

    def fields(self, world: World) -> Record:
        """The fields of a record as the operation shows it, with the values of the document's example or of a sample."""
        made = self.body(world)
        for name in self.role.inside:
            made = made.get(name) or {}
        return made if isinstance(made, dict) else {}

    def renewed(self, record: Record, world: World) -> Record:
        """The record with a key that was never given out, and with other values where no two records have the same."""
        key = self.resource.key
        made = dict(record)
        made[key] = self.new_key(self.record_shape.properties.get(key, {"type": "string"}), made.get(key), world)
        for name in _OWN & set(made) - {key}:
            if isinstance(made[name], str) and made[name]:
                made[name] = like(made[name], world.ids)
        return made

    def new_key(self, schema: Record, sampled: JSON, world: World) -> JSON:
        shape = shape_of(schema, self.stubs.document)
        if "integer" in shape.types or "number" in shape.types:
            name = f"{self.resource.name}.last_key"
            number = int(world.facts.get(name) or 0) + 1
            world.facts.put(name, number)
            return number
        if any(part.get("format") == "uuid" for part in branches(schema, self.stubs.document)):
            return world.ids.uuid4()
        made = like(sampled, world.ids) if isinstance(sampled, str) and sampled else world.ids.text(24)
        return made if self.stubs.sampler.accepts(schema, made) else sampled


class _List(_Action):
    def __init__(self, stubs: ResourceStubs, operation: Operation, role: Role) -> None:
        super().__init__(stubs, operation, role)
        self.paging = paging.paging_of(operation, stubs.document)
        self.envelope_shape = self.shape
        for name in role.inside[:-1]:
            self.envelope_shape = shape_of(self.envelope_shape.properties[name], stubs.document)
        self.row_schema: Record = self.record_shape.items or {}
        self.row_shape = shape_of(self.row_schema, stubs.document)
        self.filters = [
            parameter.name
            for parameter in operation.parameters
            if parameter.location == "query"
            and parameter.name not in self.paging.names
            and parameter.name in self.row_shape.properties
        ]

    def __call__(self, request: Request, world: World) -> Reply:
        self.check_parents(request, world)
        collection, parent = world[self.resource.name], self.parent_key(request)
        wanted = {name: request.query[name] for name in self.filters if name in request.query}
        group = {PARENT: parent}
        if wanted:
            sifted = paging.Sifted(collection, lambda record: all(record.get(n) == v for n, v in wanted.items()), **group)
            total = sifted.total
            seen = paging.window(self.paging, request.query, total, lambda key: sifted.place(join(parent, key)))
            page = sifted.rows(seen)
        else:
            total = collection.count(**group)
            seen = paging.window(self.paging, request.query, total, lambda key: collection.place(join(parent, key), **group))
            page = paging.rows(collection, seen, total, **group)
        rows = [self.row(record, world) for record in page]
        if not self.role.inside:
            return Reply(self.status, rows)
        told = paging.envelope(self.envelope_shape.properties, rows, total, seen, self.paging, self.resource.key)
        return Reply(self.status, self.filled(self.body(world), self.role.inside, rows, told))

    def filled(self, body: JSON, inside: tuple[str, ...], rows: list[Record], told: Record) -> Record:
        """The body with rows in their place, and with what is told of them beside."""
        holder = body if isinstance(body, dict) else {}
        if len(inside) == 1:
            return {**holder, inside[0]: rows, **told}
        return {**holder, inside[0]: self.filled(holder.get(inside[0]), inside[1:], rows, told)}

    def row(self, record: Record, world: World) -> Record:
        known = self.project(record, {}, self.row_shape)
        if self.stubs.sampler.accepts(self.row_schema, known):
            return known
        return self.project(record, self.sample(world, self.row_schema), self.row_shape)


class _Read(_Action):
    def __call__(self, request: Request, world: World) -> Reply:
        return self.show(self.record(request, world), world)


class _Merge(_Action):
    def __call__(self, request: Request, world: World) -> Reply:
        record = self.record(request, world)
        return self.put(self.changed(record, request), record, world)

    def changed(self, record: Record, request: Request) -> Record:
        return {**record, **self.given(request)}

    def put(self, changed: Record, record: Record, world: World) -> Reply:
        kept = {name: record[name] for name in (KEY, PARENT, self.resource.key)}
        changed = {**changed, **kept}
        self.stamp(changed, self.stubs.shape(self.resource), _UPDATED, world)
        world[self.resource.name].replace(changed)
        return self.show(changed, world)


class _Replace(_Merge):
    def changed(self, record: Record, request: Request) -> Record:
        """What the request could say and does not is gone; what only the server sets stays."""
        settable = {name: schema for shape in self.input for name, schema in shape.properties.items()}
        changed = {**{n: v for n, v in record.items() if n not in settable}, **self.given(request)}
        for name in settable.keys() - changed.keys():
            own = shape_of(settable[name], self.stubs.document)
            if own.has_default:
                changed[name] = own.default
        return changed


class _Delete(_Action):
    def __call__(self, request: Request, world: World) -> Reply:
        record = self.record(request, world)
        world[self.resource.name].remove(record[KEY])
        if self.content is None:
            return self.reply(world)
        return self.show({**record, "deleted": True}, world)


class _Act(_Action):
    def __call__(self, request: Request, world: World) -> Reply:
        return self.show(self.record(request, world), world)


class _View(_Action):
    def __call__(self, request: Request, world: World) -> Reply:
        self.record(request, world)
        return self.reply(world)


class _Invented(_Action):
    def __call__(self, request: Request, world: World) -> Reply:
        given = {**request.fields, **{name: request.path[name] for name in self.resource.parents if name in request.path}}
        if self.resource.parameter in request.path:
            given[self.resource.key] = request.path[self.resource.parameter]
        if self.role.kind == "delete":
            given["deleted"] = True
        return self.show(given, world)


_ACTIONS = {
    "list": _List,
    "create": _Create,
    "read": _Read,
    "merge": _Merge,
    "replace": _Replace,
    "delete": _Delete,
    "act": _Act,
    "view": _View,
}


_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PREFIX = re.compile("[a-z]+[-_]")


def like(example: str, ids: Ids) -> str:
    """Return a new id in the style of an example: a UUID, or its prefix with as many other characters behind it."""
    if _UUID.fullmatch(example):
        return ids.uuid4()
    match = _PREFIX.match(example)
    prefix = match[0] if match is not None else ""
    return prefix + ids.text(min(64, max(8, len(example) - len(prefix))))


def kept(record: Record, key: str, parent: str = "") -> Record:
    """Return a record as the collections of this module keep it; for seeds."""
    return {**record, KEY: join(parent, key), PARENT: parent}


def path_key(names: Iterable[str], values: Mapping[str, JSON]) -> str:
    """Return the keys that path parameters of these names give, as a path."""
    return "/".join(str(values[name]) for name in names)


def join(parent: str, key: str) -> str:
    """Return the key of a record below its parents."""
    return f"{parent}/{key}" if parent else key
