"""The contract of an operation's requests: one compiled verdict on all parts at once, and reasons when it is no."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

from mockserver.contract.decoding import BodyDecoder, Decoded, Headers, RequestDecoder
from mockserver.contract.findings import MOST, Finding, flatten, from_gate, violation
from mockserver.contract.forms import Form, Upload
from mockserver.contract.gate import Gate, Validator
from mockserver.contract.operations import Operation, Parameter
from mockserver.contract.problems import INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, Problem
from mockserver.contract.violations import Violation
from mockserver.values import JSON, Record, pointer

MULTIPART = "multipart/form-data"
PARTS = ("path", "query", "header", "cookie")
_PART_ORDER = {part: at for at, part in enumerate((*PARTS, "body"))}


class Request:
    """A request that keeps the contract, as stubs get it.

    `path`, `query`, `header` and `cookie` hold values, defaults filled in, header names in lower case. `body` is the
    value of the body (None when there is none), `raw_body` its bytes (of a form that was read as it came only the first),
    `uploads` the files of a form. `caller` is whatever the service's identity made of the credentials. `answered_by` is the
    kind of stub that was run, None as long as none was. `faults` are what a tester set that may strike in the course of the
    operation; see `stubs.service.PendingFault`.
    `url_path` is the path as it came, world and base included; empty for a request that came by no socket.
    """

    __slots__ = (
        "answered_by",
        "body",
        "caller",
        "cookie",
        "faults",
        "header",
        "headers",
        "media_type",
        "operation",
        "path",
        "query",
        "raw_body",
        "uploads",
        "url_path",
    )

    def __init__(self, operation: Operation, decoded: Decoded, headers: Headers, raw_body: bytes | Form) -> None:
        parts = decoded.parts
        self.operation = operation
        self.path: Record = parts["path"]
        self.query: Record = parts["query"]
        self.header: Record = parts["header"]
        self.cookie: Record = parts["cookie"]
        self.body: JSON = parts.get("body")
        self.media_type = decoded.media_type
        self.raw_body = raw_body if isinstance(raw_body, bytes) else raw_body.beginning
        self.uploads: list[Upload] = decoded.uploads
        self.headers = headers
        self.caller: Any = None
        self.answered_by: str | None = None
        self.faults: tuple[Any, ...] = ()
        self.url_path = ""

    @property
    def fields(self) -> Record:
        """The body when it is an object, else an empty one."""
        return self.body if isinstance(self.body, dict) else {}


class ContractBroken(Exception):
    """A request that breaks the contract; why is found out when it is asked for."""

    def __init__(self, plan: RequestPlan, decoded: Decoded, body: BodyDecoder | None) -> None:
        super().__init__(str(plan.operation))
        self._reasons = (plan, decoded, body)

    def violations(self, explainer: Explainer | None = None) -> list[Violation]:
        """Return every violation, with openapi-core's reasons when it is given, else with the gate's."""
        plan, decoded, body = self._reasons
        return plan.explain(decoded, body, explainer)


def refusal(violations: list[Violation]) -> Problem:
    """Return the problem of a request that breaks the contract in these ways."""
    wrong_type = any(violation.keyword == "media-type" for violation in violations)
    kind = UNSUPPORTED_MEDIA_TYPE if wrong_type else INVALID_REQUEST
    more = f" (and {len(violations) - 1}{' or' if len(violations) >= MOST else ''} more)" if len(violations) > 1 else ""
    return Problem(kind, f"Invalid request: {violations[0]}{more}", violations=violations)


class Explainer(Protocol):
    """Says why a decoded request or reply breaks the contract."""

    def request(self, plan: RequestPlan, decoded: Decoded, body: BodyDecoder | None) -> list[Finding]:
        """Return what is wrong with the decoded parts; nothing when the request is right."""
        ...


class RequestPlan:
    """Decodes and judges the requests of one operation. Validators are compiled on first use."""

    def __init__(self, operation: Operation, document: Record, gate: Gate) -> None:
        self.operation = operation
        self._document = document
        self._gate = gate
        self._validators: dict[BodyDecoder | None, Validator] = {}

    @cached_property
    def decoder(self) -> RequestDecoder:
        """What turns the texts of a request into values."""
        return RequestDecoder(self.operation, self._document)

    @cached_property
    def _defaults(self) -> list[tuple[str, str, JSON]]:
        return [
            (decoder.parameter.location, decoder.parameter.key, decoder.shape.default)
            for decoder in self.decoder.parameters
            if decoder.shape.has_default
        ]

    @cached_property
    def takes_forms(self) -> bool:
        """Whether the operation takes multipart forms, which are best read as they come."""
        body = self.operation.body
        return body is not None and any(each.media_type.startswith(MULTIPART) for each in body.contents)

    def read(self, path: dict[str, str], query: bytes, headers: Headers, body: bytes | Form) -> Request:
        """Return the request. Raises `ContractBroken`."""
        decoded, body_decoder = self.decoder.decode(path, query, headers, body)
        if decoded.violations or not self.validator(body_decoder).is_valid(decoded.parts):
            raise ContractBroken(self, decoded, body_decoder)
        parts = decoded.parts
        for location, key, default in self._defaults:
            if key not in parts[location]:
                parts[location][key] = default
        return Request(self.operation, decoded, headers, body)

    def validator(self, body: BodyDecoder | None) -> Validator:
        """The verdict on all parts, for bodies of this media type."""
        try:
            return self._validators[body]
        except KeyError:
            made = self._validators[body] = self._gate.compile(self._schema(body))
            return made

    def compile(self) -> None:
        """Compile every validator. Raises `ValueError` for a schema that is none."""
        for body in (None, *self.decoder.bodies):
            self.validator(body)

    def explain(self, decoded: Decoded, body: BodyDecoder | None, explainer: Explainer | None) -> list[Violation]:
        """Return all violations of a decoded request."""
        by_gate = list(flatten(from_gate(self.validator(body).iter_errors(decoded.parts), "readOnly")))
        rules = {(finding.path, finding.keyword): finding.rule for finding in by_gate}
        findings = by_gate
        if explainer is not None and not decoded.violations:
            # The gate's own errors stand in where openapi-core, against all tests, should find nothing.
            findings = list(flatten(explainer.request(self, decoded, body))) or by_gate
        undecodable = {violation.part for violation in decoded.violations}
        found = list(decoded.violations)
        for finding in findings:
            if not finding.path:  # of the parts, only the body can be missing as a whole
                if "body" in undecodable:
                    continue
                rule = self.operation.body.pointer + "/required" if self.operation.body else ""
                found.append(Violation("body", "", "is required", rule, "required"))
            elif (part := str(finding.path[0])) not in undecodable:
                rule = finding.rule or rules.get((finding.path, finding.keyword), "")
                if part != "body" and finding.keyword == "required" and len(finding.path) == 1:
                    named = (
                        each for each in self.operation.parameters if each.location == part and each.key == finding.expected
                    )
                    found.append(violation(finding, part, (), next(named).pointer + "/required"))
                    continue
                found.append(violation(finding, part, finding.path[1:], self._rule(rule, part, finding.path[1:], body)))
        return sorted(list(dict.fromkeys(found))[:MOST], key=lambda each: _PART_ORDER[each.part])

    def _rule(self, rule: str, part: str, path: tuple[str | int, ...], body: BodyDecoder | None) -> str:
        """Turn a place in the assembled schema into one in the document."""
        if rule.startswith("urn:"):
            return rule.partition("#")[2]
        keyword = rule.rpartition("/")[2]
        if part == "body" and body is not None:
            return body.content.pointer + "/schema" + rule.removeprefix("#/properties/body")
        for decoder in self.decoder.parameters:
            parameter = decoder.parameter
            if parameter.location == part and path[:1] == (parameter.key,):
                prefix = f"#/properties/{part}/properties" + pointer(parameter.key)
                inner = pointer("content", parameter.media_type) if parameter.media_type else ""
                return f"{parameter.pointer}{inner}/schema{rule.removeprefix(prefix)}"
        return f"{self.operation.pointer}/parameters/{keyword}" if keyword else self.operation.pointer

    def _schema(self, body: BodyDecoder | None) -> Record:
        properties: Record = {}
        for part in PARTS:
            parameters = [d.parameter for d in self.decoder.parameters if d.parameter.location == part]
            if parameters:
                properties[part] = self._part_schema(parameters)
        required = []
        operation_body = self.operation.body
        if operation_body is not None and operation_body.required:
            required.append("body")
        if body is not None:
            properties["body"] = self._gate.convert(body.content.schema or {})
        return {"type": "object", "properties": properties, **({"required": required} if required else {})}

    def _part_schema(self, parameters: list[Parameter]) -> Record:
        schema: Record = {
            "type": "object",
            "properties": {parameter.key: self._gate.convert(parameter.schema) for parameter in parameters},
        }
        if required := [parameter.key for parameter in parameters if parameter.required]:
            schema["required"] = required
        return schema
