"""openapi-core's verdict on requests and replies: the authority on why a message breaks the contract.

It judges the values that our decoder made, through validators aligned with the gate (same formats, patterns, arithmetic,
same choice of operation), so that it and the gate can only agree; a differential test over every operation holds them to
it. Importing it takes a tenth of a second, so nothing imports this module before the first answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import Any

from jsonschema._format import FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from jsonschema_path import SchemaPath
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.datatypes import TemplateResult
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.validation.exceptions import ValidationError as ContractError
from openapi_core.validation.request.exceptions import MissingRequiredParameter, MissingRequiredRequestBody
from openapi_core.validation.request.validators import V30RequestValidator
from openapi_core.validation.response.exceptions import MissingRequiredHeader
from openapi_core.validation.response.validators import V30ResponseValidator
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator

from mockserver.contract.decoding import BodyDecoder, Decoded
from mockserver.contract.findings import MOST, Finding, from_jsonschema
from mockserver.contract.gate import NATIVE_FORMATS, PATTERN_FORMATS, Validator, compile_schema
from mockserver.contract.operations import Content, Operation
from mockserver.contract.replies import Reply, ReplyPlan
from mockserver.contract.requests import PARTS, RequestPlan
from mockserver.contract.violations import Violation
from mockserver.values import JSON, Record

log = logging.getLogger("mockserver.contract")


def _format_checker() -> FormatChecker:
    # The same implementation on both sides: each format is checked by the gate's engine.
    checker = FormatChecker(formats=())
    rules: dict[str, Record] = {name: {"format": name} for name in NATIVE_FORMATS}
    rules |= {name: {"pattern": pattern} for name, pattern in PATTERN_FORMATS.items()}
    for name, rule in rules.items():
        checker.checkers[name] = (compile_schema(rule).is_valid, ())
    return checker


FORMATS = _format_checker()


@cache
def _pattern(pattern: str) -> Validator:
    return compile_schema({"pattern": pattern})


def _check_pattern(validator: Any, pattern: str, instance: JSON, schema: Record) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _pattern(pattern).is_valid(instance):
        yield ValidationError(f"does not match {pattern!r}")


def _check_multiple(validator: Any, step: Any, instance: JSON, schema: Record) -> Iterator[ValidationError]:
    # In decimal: 19.99 is a multiple of 0.01, whatever binary fractions make of it.
    if isinstance(instance, bool) or not isinstance(instance, (int, float)):
        return
    if Fraction(Decimal(str(instance))) % Fraction(Decimal(str(step))):
        yield ValidationError(f"is not a multiple of {step}")


def _check_choice(word: str) -> Any:
    stock = OAS30WriteValidator.VALIDATORS[word]

    def check(validator: Any, branches: Any, instance: JSON, schema: Record) -> Iterator[ValidationError]:
        # openapi-core looks the discriminating value up in a dictionary, whatever it is.
        name = (schema.get("discriminator") or {}).get("propertyName")
        if name is not None and isinstance(instance, dict) and not isinstance(instance.get(name, ""), str):
            yield ValidationError(f"{name} is no text")
            return
        yield from stock(validator, branches, instance, schema) or ()

    return check


_ALIGNED = {
    "pattern": _check_pattern,
    "multipleOf": _check_multiple,
    "oneOf": _check_choice("oneOf"),
    "anyOf": _check_choice("anyOf"),
}
_WriteValidator = extend(OAS30WriteValidator, _ALIGNED)
_ReadValidator = extend(OAS30ReadValidator, _ALIGNED)


class _Finder:
    """Takes our routing decision in the place of a search: the name is the template."""

    def __init__(self, spec: SchemaPath, base_url: str | None = None) -> None:
        self._paths = spec / "paths"

    def find(self, method: str, name: str) -> PathOperationServer:
        path = self._paths / name
        return PathOperationServer(path, path / method, None, TemplateResult(name, {}), {})


class _Decoded:
    """What both validators share: values come decoded, schemas are judged by cached validators."""

    schema_validator: Any
    spec: SchemaPath

    def _find_path(self, request: Any) -> PathOperationServer:
        return _Finder(self.spec).find(request.method, request.path)

    def _get_security(self, parameters: Any, operation: SchemaPath) -> dict[str, str]:
        return {}  # identity is judged elsewhere, before the contract

    def _get_param_or_header_and_schema(
        self, param_or_header: SchemaPath, location: Mapping[str, Any], name: str | None = None
    ) -> tuple[Any, SchemaPath | None]:
        # Header names are lower-cased by the decoder; other names are as documented.
        given = name or (param_or_header / "name").read_str()
        is_header = name is not None or (param_or_header / "in").read_str() == "header"
        value = location[given.lower() if is_header else given]
        if "content" in param_or_header:
            _, content = next(iter((param_or_header / "content").str_items()))
            schema = content / "schema" if "schema" in content else None
        else:
            schema = param_or_header / "schema" if "schema" in param_or_header else None
        if schema is not None:
            self._validate_schema(schema, value)
        return value, schema

    def _validate_schema(self, schema: SchemaPath, value: Any) -> None:
        if errors := tuple(islice(self._validator(schema).iter_errors(value), MOST)):
            raise InvalidSchemaValue(value, "any", schema_errors=errors)

    def _validator(self, schema: SchemaPath) -> Any:
        validators: dict[int, Any] = self.__dict__.setdefault("_schema_validators", {})
        with schema.resolve() as resolved:
            key = id(resolved.contents)
            if key not in validators:
                validators[key] = self.schema_validator(resolved.contents, _resolver=resolved.resolver, format_checker=FORMATS)
            return validators[key]


class _RequestValidator(_Decoded, V30RequestValidator):
    schema_validator = _WriteValidator
    spec_validator_cls = None  # type: ignore[assignment]  # the document was checked when it was bundled

    def _get_content_and_schema(self, raw: Any, content: SchemaPath, mimetype: str | None = None) -> tuple[Any, Any]:
        return _judge_content(self, raw, content, mimetype)

    def _get_body_value(self, body: Any, request_body: SchemaPath) -> Any:
        if body is None and (request_body / "required").read_bool(default=False):
            raise MissingRequiredRequestBody
        return super()._get_body_value(body, request_body)


class _ResponseValidator(_Decoded, V30ResponseValidator):
    schema_validator = _ReadValidator
    spec_validator_cls = None  # type: ignore[assignment]  # likewise

    def _get_content_and_schema(self, raw: Any, content: SchemaPath, mimetype: str | None = None) -> tuple[Any, Any]:
        return _judge_content(self, raw, content, mimetype)


def _judge_content(judge: _Decoded, raw: Any, content: SchemaPath, name: str | None) -> tuple[Any, Any]:
    media_type = next(each for key, each in content.str_items() if key.lower() == name)
    if "schema" in media_type:
        judge._validate_schema(media_type / "schema", raw.value)
    return raw.value, None


class _Present:
    """A body that is there, whatever its value: openapi-core takes what is falsy for a missing one."""

    def __init__(self, value: JSON) -> None:
        self.value = value


class _CallRequest:
    host_url = ""

    def __init__(self, operation: Operation, decoded: Decoded | None, content_type: str = "") -> None:
        parts = decoded.parts if decoded is not None else dict[str, Any]()
        self.method = operation.method
        self.path = operation.path
        self.parameters = RequestParameters(**{part: parts.get(part, {}) for part in PARTS})
        self.body = _Present(parts["body"]) if "body" in parts else None
        self.content_type = content_type


class _CallResponse:
    def __init__(self, reply: Reply, headers: Record, content: Content | None) -> None:
        self.status_code = reply.status
        self.data = _Present(reply.body)
        self.headers = headers
        self.content_type = content.media_type if content is not None else reply.media_type


_PLACES = 2048
"""So many places of a document are found again without being looked for: an operation has fewer, and each of its refusals reads
most of them, several times. It halves the time of a refusal."""


class OpenAPICore:
    """Explains what breaks the contract of one document."""

    def __init__(self, document: Record) -> None:
        spec = SchemaPath.from_dict(document, resolved_cache_maxsize=_PLACES)
        self._requests = _RequestValidator(spec)
        self._responses = _ResponseValidator(spec)

    def request(self, plan: RequestPlan, decoded: Decoded, body: BodyDecoder | None) -> list[Finding]:
        """Return what openapi-core finds in a decoded request; paths begin with the part."""
        media_type = body.content.media_type if body is not None else ""
        request = _CallRequest(plan.operation, decoded, media_type)
        return self._findings(lambda: self._requests.iter_errors(request), "body")  # type: ignore[arg-type]

    def reply(self, plan: ReplyPlan, reply: Reply, content: Content | None) -> list[Finding]:
        """Return what openapi-core finds in a reply's body and headers; paths begin with the part."""
        request, response = _CallRequest(plan.operation, None), _CallResponse(reply, dict(reply.headers), content)
        return self._findings(lambda: self._responses.iter_errors(request, response), "body")  # type: ignore[arg-type]

    def _findings(self, errors: Any, part: str) -> list[Finding]:
        try:
            return [finding for error in errors() for finding in _from_error(error, part)]
        except Exception:
            # What escapes openapi-core is a bug of its own (engineering notes list nine kinds); the gate's errors stand in.
            log.warning("openapi-core failed; the gate's own errors are reported", exc_info=True)
            return []


def _from_error(error: Exception, part: str) -> Iterator[Finding]:
    cause = error.__cause__
    name, location = getattr(error, "name", None), getattr(error, "location", None)
    if isinstance(error, MissingRequiredParameter):
        key = error.name.lower() if error.location == "header" else error.name
        yield Finding("required", (error.location,), key, None)
    elif isinstance(error, MissingRequiredHeader):
        yield Finding("required", ("header",), error.name.lower(), None)
    elif isinstance(error, MissingRequiredRequestBody):
        yield Finding("required", (), "body", None)
    elif isinstance(cause, InvalidSchemaValue):
        where: tuple[str | int, ...] = (part,)
        if name is not None:
            at = str(location or "header")
            where = (at, name.lower() if at == "header" else name)
        for finding in from_jsonschema(cause.schema_errors):
            yield _below(finding, where)
    elif isinstance(error, ContractError):
        yield Finding(type(error).__name__, (part,), None, None)
    else:
        raise error


def _below(finding: Finding, path: tuple[str | int, ...]) -> Finding:
    branches = tuple(tuple(_below(child, path) for child in branch) for branch in finding.branches)
    return Finding(finding.keyword, (*path, *finding.path), finding.expected, finding.instance, finding.rule, branches)


__all__ = ["FORMATS", "OpenAPICore", "Violation"]
