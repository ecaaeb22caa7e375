"""What is wrong with a document's structure: validity, references, paths, parameters, names, credentials, servers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from mockserver.checking.faults import Fault
from mockserver.checking.subject import Subject
from mockserver.contract import grammar
from mockserver.contract.normalising import BROKEN
from mockserver.values import JSON, Record, pointer


def check(subject: Subject) -> Iterator[Fault]:
    """Yield all that is wrong with the structure of a document, its validity apart."""
    yield from _references(subject)
    yield from _paths(subject)
    yield from _parameters(subject)
    yield from _statuses(subject)
    yield from _names(subject)
    yield from _security(subject)
    yield from _servers(subject)
    if not any(True for _ in subject.operations()):
        yield Fault("MS-D017", "/paths", "the document describes no operation")


def not_served(subject: Subject, told: Iterable[Fault]) -> Iterator[Fault]:
    """Yield what keeps operations from being served and is not among what was told already."""
    codes = {fault.code for fault in told}
    named = [place for fault in told if fault.code != "MS-D007" for place in (fault.place, *(at for _, at in fault.also))]
    for fault in subject.contract.faults:
        if "MS-D002" in codes and subject.document.get(BROKEN):
            continue  # whatever needs a broken reference is told by the reference
        if "MS-D015" in codes and fault.pointer.endswith("/security"):
            continue  # so is what asks for a scheme that is not described
        if not any(place == fault.pointer or place.startswith(f"{fault.pointer}/") for place in named):
            message = str(fault).removeprefix(f"{fault.pointer}: ")
            yield Fault("MS-D003", fault.pointer, first_line(message))
    if codes & {"MS-D001", "MS-D002", "MS-D009", "MS-D011"}:
        return  # a schema that is none is told where it stands
    for fault in subject.contract.compile():
        yield Fault("MS-D011", fault.pointer, first_line(str(fault).removeprefix(f"{fault.pointer}: ")))


def first_line(text: str) -> str:
    """The first line of an error that others wrote, of a length that can be read."""
    line = text.partition("\n")[0]
    return line if len(line) <= 300 else f"{line[:140]} … {line[-140:]}"


# References.


def _references(subject: Subject) -> Iterator[Fault]:
    reasons = list(subject.reference_faults)
    components = subject.raw.get("components") or {}
    for path, _, node in grammar.walk("document", subject.raw):
        reference = node.get("$ref")
        if not isinstance(reference, str):
            continue
        place = pointer(*path)
        if not reference.startswith("#"):
            name = reference.partition("#")[0].rpartition("/")[2]
            reason = next((each for each in reasons if reference in each or name in each), None)
            told = reason.partition(": ")[2] if reason else "cannot be followed"
            yield Fault("MS-D002", place, f"the reference {reference}: {first_line(told)}", mend="Correct the reference.")
            continue
        try:
            grammar.find(subject.raw, reference)
        except KeyError:
            way, _, name = reference.rpartition("/")
            there = components.get(way.rpartition("/")[2])
            near = difflib.get_close_matches(name, there if isinstance(there, dict) else (), n=1)
            mend = f"Refer to {way}/{near[0]}, or add what {reference} refers to." if near else ""
            patch: tuple[Record, ...] = (
                ({"op": "replace", "path": f"{place}/$ref", "value": f"{way}/{near[0]}"},) if near else ()
            )
            yield Fault("MS-D002", place, f"the reference {reference} points to nothing", mend=mend, patch=patch)


# Paths and parameters.


def _paths(subject: Subject) -> Iterator[Fault]:
    shapes: dict[str, str] = {}
    for path, item in subject.raw["paths"].items():
        if str(path).startswith("x-"):
            continue
        if not isinstance(item, dict):
            continue  # told as invalid
        shape = re.sub(r"\{[^}]*\}", "{}", path)
        if shape in shapes:
            other = shapes[shape]
            shared = set(grammar.METHODS) & set(item) & set(subject.raw["paths"][other])
            yield Fault(
                "MS-D006",
                pointer("paths", path),
                f"{path} cannot be told from {other}" + ("" if shared else ", though their methods differ"),
                also=(("the other path", pointer("paths", other)),),
                severity=None if shared else "warning",
            )
        shapes.setdefault(shape, path)


def _parameters(subject: Subject) -> Iterator[Fault]:
    for path, item in subject.raw["paths"].items():
        if not isinstance(item, dict):
            continue
        in_path = re.findall(r"\{([^}]*)\}", str(path))
        shared = _listed(item.get("parameters"))
        yield from _described(subject, pointer("paths", path), shared, in_path, str(path))
        for method in grammar.METHODS:
            operation = item.get(method)
            if not isinstance(operation, dict):
                continue
            place = pointer("paths", path, method)
            own = _listed(operation.get("parameters"))
            yield from _described(subject, place, own, in_path, str(path))
            followed = [subject.follow(each) for each in (*shared, *own)]
            named = {str(each.get("name")) for each in followed if isinstance(each, dict) and each.get("in") == "path"}
            if None in followed:
                continue  # a reference that leads nowhere may have been it
            for name in (name for name in in_path if name not in named):
                described: Record = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                steps: tuple[Record, ...] = ({"op": "add", "path": f"{place}/parameters/-", "value": described},)
                if "parameters" not in operation:
                    steps = ({"op": "add", "path": f"{place}/parameters", "value": [described]},)
                yield Fault(
                    "MS-D004",
                    place,
                    f"the path parameter {name!r} is not described",
                    mend=f"Describe {name!r}: {{name: {name}, in: path, required: true, schema: {{type: string}}}}.",
                    patch=steps,
                )


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def _described(subject: Subject, place: str, parameters: list[JSON], in_path: list[str], path: str) -> Iterator[Fault]:
    seen: dict[tuple[str, str], int] = {}
    for at, raw in enumerate(parameters):
        parameter = subject.follow(raw)
        if not isinstance(parameter, dict):
            continue
        here = f"{place}/parameters/{at}"
        name, where = str(parameter.get("name")), str(parameter.get("in"))
        if where == "path" and name not in in_path:
            near = difflib.get_close_matches(name, in_path, n=1)
            yield Fault(
                "MS-D005",
                here,
                f"the path {path} has no {{{name}}}",
                mend=f"Name it {near[0]!r}, as the path does, or remove it." if near else "",
                patch=({"op": "replace", "path": f"{here}/name", "value": near[0]},) if near and "$ref" not in raw else (),
            )
        key = (name.lower() if where == "header" else name, where)
        if key in seen:
            yield Fault(
                "MS-D020",
                here,
                f"{name!r} in {where} is described twice",
                also=(("the first", f"{place}/parameters/{seen[key]}"),),
                mend="Remove one of them.",
                patch=({"op": "remove", "path": here},),
            )
        seen.setdefault(key, at)
        schema = subject.follow(parameter.get("schema"))
        if parameter.get("required") is True and isinstance(schema, dict) and "default" in schema:
            yield Fault("MS-D022", here, f"{name!r} is required, so its default is never used")


def _statuses(subject: Subject) -> Iterator[Fault]:
    for place, _, _, operation in subject.operations():
        responses = operation.get("responses")
        statuses = [str(each) for each in responses if not str(each).startswith("x-")] if isinstance(responses, dict) else []
        for status in statuses:
            if re.fullmatch(r"[1-5]([0-9][0-9]|XX)|default", status) is None:
                yield Fault("MS-D019", f"{place}/responses{pointer(status)}", f"{status!r} is no status")


# Names.


def _names(subject: Subject) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for place, path, method, operation in subject.operations():
        name = operation.get("operationId")
        if name is None:
            proposed = _proposed(method, path)
            yield Fault(
                "MS-D007",
                place,
                f"{method.upper()} {path} has no operationId",
                mend=f"Add an operationId, {proposed!r} for example.",
                patch=({"op": "add", "path": f"{place}/operationId", "value": proposed},),
            )
        elif isinstance(name, str) and name in seen:
            yield Fault(
                "MS-D008",
                f"{place}/operationId",
                f"{method.upper()} {path} has the operationId {name!r} of another operation",
                also=(("the other operation", f"{seen[name]}/operationId"),),
            )
        else:
            seen[str(name)] = place


_VERBS = {"get": "get", "post": "create", "put": "replace", "patch": "update", "delete": "delete"}


def _proposed(method: str, path: str) -> str:
    words = [word.capitalize() for segment in path.split("/") for word in re.findall(r"[A-Za-z0-9]+", segment)]
    return _VERBS.get(method, method) + "".join(words)


# Credentials and addresses.


def _security(subject: Subject) -> Iterator[Fault]:
    schemes = (subject.raw.get("components") or {}).get("securitySchemes") or {}
    asked = [("/security", subject.raw.get("security"))]
    asked += [(f"{place}/security", operation.get("security")) for place, _, _, operation in subject.operations()]
    for place, alternatives in asked:
        for at, alternative in enumerate(_listed(alternatives)):
            for name, scopes in alternative.items() if isinstance(alternative, dict) else ():
                here = f"{place}/{at}{pointer(name)}"
                if name not in schemes:
                    near = difflib.get_close_matches(name, schemes, n=1)
                    mend = f"Name {near[0]!r}, or describe {name!r}." if near else ""
                    patch: tuple[Record, ...] = (
                        ({"op": "move", "from": here, "path": f"{place}/{at}{pointer(near[0])}"},) if near else ()
                    )
                    yield Fault("MS-D015", here, f"the scheme {name!r} is not described", mend=mend, patch=patch)
                    continue
                known = _scopes(subject.follow(schemes[name]))
                for scope in _listed(scopes) if known is not None else ():
                    if known is not None and scope not in known:
                        yield Fault(
                            "MS-D021", here, f"{name!r} has no scope {scope!r}, only {', '.join(sorted(known)) or 'none'}"
                        )


def _scopes(scheme: JSON) -> set[str] | None:
    if not isinstance(scheme, dict) or scheme.get("type") != "oauth2" or not isinstance(scheme.get("flows"), dict):
        return None
    flows = [flow for name, flow in scheme["flows"].items() if isinstance(flow, dict) and not name.startswith("x-")]
    return {scope for flow in flows for scope in flow.get("scopes") or {}}


def _servers(subject: Subject) -> Iterator[Fault]:
    holders = [("", subject.raw)]
    holders += [(pointer("paths", path), item) for path, item in subject.raw["paths"].items() if isinstance(item, dict)]
    holders += [(place, operation) for place, _, _, operation in subject.operations()]
    for place, holder in holders:
        for at, server in enumerate(_listed(holder.get("servers"))):
            if isinstance(server, dict) and isinstance(server.get("url"), str):
                yield from _server(f"{place}/servers/{at}", server)


def _server(place: str, server: Record) -> Iterator[Fault]:
    url: str = server["url"]
    variables = server.get("variables") or {}
    for name in re.findall(r"\{([^}]*)\}", url):
        variable = variables.get(name)
        if not isinstance(variable, dict) or "default" not in variable:
            yield Fault("MS-D016", f"{place}/url", f"the variable {name!r} is not described with a default")
            return
        options = variable.get("enum")
        if isinstance(options, list) and variable["default"] not in options:
            where = f"{place}/variables{pointer(name)}"
            yield Fault("MS-D016", where, f"the default {variable['default']!r} of {name!r} is not among its enum")
        url = url.replace("{" + name + "}", str(variable["default"]))
    try:
        parts = urlsplit(url)
        _ = parts.port
        wrong = parts.scheme not in ("", "http", "https", "ws", "wss") or (parts.scheme and not parts.hostname)
        wrong = wrong or re.search(r"[\s{}<>]", url) is not None
    except ValueError:
        wrong = True
    if wrong:
        yield Fault("MS-D016", f"{place}/url", f"{url!r} is no address")
