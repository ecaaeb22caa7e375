"""Links between operations that a document does not write down, but implies: what is made can be read, changed, taken away.

Where the document has links from one operation to another, those are enough. Schemathesis walks along links; it infers some
by names, ours follow from the same resources that the mock remembers (see `stubs.inference`).
"""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.contract import grammar
from mockserver.contract.operations import Operation
from mockserver.stubs.inference import Role, infer, success
from mockserver.values import Record, pointer

_OF_RECORD = ("read", "replace", "merge", "delete", "act", "view")
"""Roles of operations below a record, which need its key."""


def add_links(document: Record, operations: list[Operation]) -> int:
    """Write the links that are implied into a document of one's own; return how many."""
    roles = infer(operations, document)
    count = 0
    for source, role in roles.items():
        response = _success_response(document, source)
        if response is None or role.kind not in ("create", "list", "read", "delete"):
            continue
        known = {each.get("operationId") or each.get("operationRef") for each in (response.get("links") or {}).values()}
        for target, parameters in _targets(source, role, roles):
            reference = f"#{target.pointer}"
            if {target.spec.get("operationId"), reference} & known - {None}:
                continue
            response.setdefault("links", {})[f"{role.kind}_{target.stub_name}"] = {
                "operationRef": reference,
                "parameters": parameters,
            }
            count += 1
    return count


def _targets(source: Operation, role: Role, roles: dict[Operation, Role]) -> Iterator[tuple[Operation, Record]]:
    """The operations that a source leads to, each with the values of its path."""
    resource = role.resource
    row = (*role.inside, "0") if role.kind == "list" else role.inside
    key = f"$response.body#{pointer(*row, resource.key)}"
    if role.kind == "delete":  # what is gone must not be there
        same = [target for target, other in roles.items() if other.resource is resource and other.kind == "read"]
        for target in same:
            names = [each.name for each in target.parameters if each.location == "path"]
            if all("{" + name + "}" in source.path for name in names):
                yield target, {f"path.{name}": f"$request.path.{name}" for name in names}
        return
    parents = {f"path.{name}": f"$request.path.{name}" for name in resource.parents if "{" + name + "}" in source.path}
    for target, other in roles.items():
        wanted = {f"path.{each.name}" for each in target.parameters if each.location == "path"}
        if target is source or (role.kind == "read" and other.kind in ("list", "read")):
            continue
        below = role.kind != "list" and other.resource.parent is resource and other.kind in ("create", "list")
        if not below and not (other.resource is resource and other.kind in _OF_RECORD):
            continue
        given = parents | {f"path.{resource.parameter}": key}
        if wanted == given.keys() & wanted and given.keys() <= wanted:
            yield target, given


def _success_response(document: Record, operation: Operation) -> Record | None:
    """The response of a success, as it stands in the document; one that is shared is copied, so that its links are its own."""
    status, _ = success(operation)
    responses = grammar.find(document, f"#{operation.pointer}")["responses"]
    name = next((each for each in (str(status), "2XX", "default") if each in responses), None)
    if name is None:
        return None
    response = responses[name]
    for _ in range(50):
        if "$ref" not in response:
            break
        response = dict(grammar.find(document, response["$ref"]))
        response["links"] = dict(response.get("links") or {})
        responses[name] = response
    return response if isinstance(response, dict) else None
