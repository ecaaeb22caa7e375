"""Which resources a document implies: collections and items by their paths, roles of operations by method and schema.

What cannot be inferred gets no role, and falls to a sample. Every role says why it was given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mockserver.contract.errors import SetupError
from mockserver.contract.operations import Content, Operation, snake_case
from mockserver.contract.shapes import branches, shape_of
from mockserver.values import JSON, Record

ROLES = ("list", "create", "read", "replace", "merge", "delete", "act", "view")
"""`act` answers with the record that it is about, `view` with a sample, as long as the record is there."""

_WRAPPERS = ("data", "result", "response", "body")
_ROWS = ("data", "items", "results", "records", "entries", "values")


@dataclass(frozen=True)
class Resource:
    """A kind of record.

    `name` is that of its collection in a world, `path` the template of its collection, `key` the field that identifies a
    record within its parents, `parameter` the path parameter that holds it, `parents` the path parameters before it.
    """

    name: str
    path: str
    key: str
    parameter: str
    parents: tuple[str, ...]
    parent: Resource | None


@dataclass(frozen=True)
class Role:
    """What an operation does to a resource. `inside` is where in the reply the record or the rows are."""

    kind: str
    resource: Resource
    inside: tuple[str, ...]
    why: str


def override_fault(said: JSON) -> str | None:
    """Return what is wrong with the form of an `x-resource`, None when nothing is.

    It is false, for an operation that remembers nothing, or an object with any of `role`, `collection` (the template of the
    collection's path) and `inside` (where in the reply the record or the rows are, as a list of names).
    """
    if said is False:
        return None
    if not isinstance(said, dict):
        return "x-resource is false or an object"
    unknown = sorted(set(said) - {"role", "collection", "inside"})
    if unknown:
        return f"x-resource has no field {unknown[0]!r}, only role, collection and inside"
    if said.get("role", "read") not in ROLES:
        return f"x-resource has no role {said['role']!r}, only {', '.join(ROLES)}"
    if not isinstance(said.get("collection", ""), str):
        return "x-resource.collection is the template of a path"
    inside = said.get("inside", [])
    if not isinstance(inside, list) or not all(isinstance(name, str) for name in inside):
        return "x-resource.inside is a list of names"
    return None


def success(operation: Operation) -> tuple[int, Content | None]:
    """Return the status of an operation's success, and its JSON content if it has one.

    An operation that documents no success but 101 opens a WebSocket.
    """
    for status in sorted(operation.responses):
        if status.startswith("2"):
            response = operation.responses[status]
            content = next((c for c in response.contents if "json" in c.media_type), None)
            return (int(status) if status.isdigit() else 200), content or (response.contents or (None,))[0]
    if operation.is_socket:
        return 101, None
    if "default" in operation.responses:
        contents = operation.responses["default"].contents
        return 200, contents[0] if contents else None
    return 200, None


def candidates(operations: list[Operation]) -> set[Operation]:
    """Return the operations that may have a role, by their paths alone: all others have none, whatever their schemas say.

    Inferring takes a tenth of a start, and families may serve all of these.
    """
    collections = {path.rpartition("/")[0] for path in map(_trimmed, operations) if path.endswith("}")}
    return {
        each
        for each in operations
        if "{" in each.path or _trimmed(each) in collections or each.spec.get("x-resource") is not None
    }


def infer(operations: list[Operation], document: Record) -> dict[Operation, Role]:
    """Return the role of each operation that has one."""
    return _Inference(operations, document).roles()


class _Inference:
    def __init__(self, operations: list[Operation], document: Record) -> None:
        self.document = document
        self.by_path: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            self.by_path.setdefault(_trimmed(operation), {})[operation.method] = operation
        self.resources: dict[str, Resource] = {}

    def roles(self) -> dict[Operation, Role]:
        items = [path for path in self.by_path if re.search(r"/\{[^}/]+\}$", path)]
        for item in sorted(items, key=len):
            self.add_resource(item)
        found: dict[Operation, Role] = {}
        for path, methods in self.by_path.items():
            for method, operation in methods.items():
                role = self.overruled(self.role(path, method, operation), operation)
                if role is not None:
                    found[operation] = role
        return found

    def overruled(self, role: Role | None, operation: Operation) -> Role | None:
        """The role as the operation's `x-resource` has it, where it has one; `checked_override` has looked at its form."""
        said = operation.spec.get("x-resource")
        if said is None:
            return role
        if said is False:
            return None
        named = said.get("collection")
        resource = self.resources.get(named) if named else role.resource if role else None
        kind = said.get("role") or (role.kind if role else None)
        place = f"{operation.pointer}: x-resource"
        if resource is None:
            known = ", ".join(self.resources) or "none"
            raise SetupError(f"{place} needs a collection that is there, as the template of its path; these are: {known}")
        if kind is None:
            raise SetupError(f"{place} needs a role for this collection: nothing implies one")
        missing = [name for name in self.needed(kind, resource) if "{" + name + "}" not in operation.path]
        if missing:
            raise SetupError(f"{place}: a {kind} needs {missing[0]!r} in the path")
        inside = tuple(said["inside"]) if "inside" in said else role.inside if role else ()
        if not self.reaches(operation, inside):
            raise SetupError(f"{place}.inside: the reply has no {'.'.join(inside)}")
        return Role(kind, resource, inside, "x-resource says so")

    def reaches(self, operation: Operation, inside: tuple[str, ...]) -> bool:
        """Whether the success reply has what these names lead to."""
        _, content = success(operation)
        shape = shape_of(content.schema if content is not None else None, self.document)
        for name in inside:
            if name not in shape.properties:
                return False
            shape = shape_of(shape.properties[name], self.document)
        return True

    def needed(self, kind: str, resource: Resource) -> tuple[str, ...]:
        """The path parameters that a role cannot do without; a create makes the parents that its path leaves out."""
        if kind == "create":
            return ()
        return resource.parents if kind == "list" else (*resource.parents, resource.parameter)

    def add_resource(self, item: str) -> None:
        path, _, last = item.rpartition("/")
        parameter = last[1:-1]
        methods = self.by_path[item]
        if not path or re.search(r"/\{[^}/]+\}$", path) or not ({"get", "delete", "put", "patch"} & set(methods)):
            return
        key = self.key(item, parameter)
        if key is None:
            return
        literals = [segment for segment in path.split("/") if segment and not segment.startswith("{")]
        parents = tuple(re.findall(r"\{([^}]*)\}", path))
        parent = next((r for at, r in self.resources.items() if path.startswith(at + "/{")), None) if parents else None
        self.resources[path] = Resource(
            snake_case("_".join(literals)), path, key, parameter, parents, self.nearest(path) or parent
        )

    def nearest(self, path: str) -> Resource | None:
        holders = [r for at, r in self.resources.items() if path.startswith(f"{at}/{{{r.parameter}}}/")]
        return max(holders, key=lambda r: len(r.path), default=None)

    def key(self, item: str, parameter: str) -> str | None:
        """The field of the record that the path parameter holds."""
        collection = item.rpartition("/")[0]
        sources = [self.by_path[item].get("get"), self.by_path.get(collection, {}).get("post"), *self.by_path[item].values()]
        wanted = [parameter, snake_case(parameter), "id", "slug", "uuid", "key", "name"]
        tail = snake_case(parameter).rpartition("_")[2]
        wanted.insert(2, tail)
        for operation in sources:
            if operation is not None:
                inside = self.properties(operation)
                for name in wanted:
                    if any(name in properties for properties in inside.values()):
                        return name
        return None

    def properties(self, operation: Operation) -> dict[tuple[str, ...], Record]:
        """The properties of the reply, and of each object one level below it, by where they are."""
        _, content = success(operation)
        if content is None or "json" not in content.media_type:
            return {}
        top = shape_of(content.schema, self.document)
        found: dict[tuple[str, ...], Record] = {(): top.properties}
        for name, schema in top.properties.items():
            below = shape_of(schema, self.document)
            if below.properties and "array" not in below.types:
                found[(name,)] = below.properties
        return found

    def role(self, path: str, method: str, operation: Operation) -> Role | None:
        if path in self.resources:
            return self.collection_role(self.resources[path], method, operation)
        item = path.rpartition("/")[0]
        if item in self.resources and path == f"{item}/{{{self.resources[item].parameter}}}":
            return self.item_role(self.resources[item], method, operation)
        holder = self.nearest(path)
        if holder is None:
            return None
        verb = method.upper()
        if method == "post" and item == f"{holder.path}/{{{holder.parameter}}}":
            return Role("act", holder, self.record_place(holder, operation), f"{verb} below an item of {holder.path}")
        return Role("view", holder, (), f"{verb} below an item of {holder.path}, which must be there")

    def collection_role(self, resource: Resource, method: str, operation: Operation) -> Role | None:
        if method == "get":
            place = self.rows_place(operation)
            if place is not None:
                where = "the reply" if not place else f"{'.'.join(place)} of the reply"
                return Role("list", resource, place, f"GET of a collection; the rows are {where}")
        elif method == "post":
            return Role("create", resource, self.record_place(resource, operation), "POST to a collection")
        return None

    def item_role(self, resource: Resource, method: str, operation: Operation) -> Role | None:
        kinds = {"get": "read", "put": "replace", "patch": "merge", "post": "merge", "delete": "delete"}
        kind = kinds.get(method)
        if kind is None:
            return None
        if kind == "replace" and not self.requires(operation):
            kind = "merge"  # nothing is required: what is left out must stay
        why = f"{method.upper()} of an item; {{{resource.parameter}}} is its {resource.key}"
        return Role(kind, resource, self.record_place(resource, operation), why)

    def requires(self, operation: Operation) -> bool:
        contents = operation.body.contents if operation.body else ()
        return any(part.get("required") for content in contents for part in branches(content.schema, self.document))

    def record_place(self, resource: Resource, operation: Operation) -> tuple[str, ...]:
        inside = self.properties(operation)
        return next((place for place, properties in inside.items() if resource.key in properties), ())

    def rows_place(self, operation: Operation) -> tuple[str, ...] | None:
        _, content = success(operation)
        if content is None or "json" not in content.media_type:
            return None
        top = shape_of(content.schema, self.document)
        arrays = [name for name, schema in top.properties.items() if "array" in shape_of(schema, self.document).types]
        if "array" in top.types and not arrays:
            return ()
        preferred = [name for name in _ROWS if name in arrays] or (arrays if len(arrays) == 1 else [])
        if preferred:
            return (preferred[0],)
        for name in _WRAPPERS:  # an envelope within an envelope
            below = shape_of(top.properties.get(name), self.document)
            inner = [each for each in _ROWS if "array" in shape_of(below.properties.get(each), self.document).types]
            if inner:
                return (name, inner[0])
        return () if "array" in top.types else None


def _trimmed(operation: Operation) -> str:
    return operation.path.rstrip("/") or "/"
