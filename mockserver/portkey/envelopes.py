"""How refusals are worded: the control plane's one envelope, the three of the gateway, the one of model prices.

Source: identity-and-access, Errors; gateway-data-plane, Gateway error catalogue (families A, B and C).
"""

from __future__ import annotations

from mockserver.contract import problems
from mockserver.contract.problems import Problem
from mockserver.contract.replies import Reply
from mockserver.portkey.gateway.configs import ConfigRefused
from mockserver.values import Record

_CODES = {
    problems.INVALID_REQUEST: ("AB01", "invalid_request_error"),
    problems.UPGRADE_REQUIRED: ("AB01", "invalid_request_error"),
    problems.UNSUPPORTED_MEDIA_TYPE: ("AB01", "invalid_request_error"),
    problems.BODY_TOO_LARGE: ("AB01", "invalid_request_error"),
    problems.INVALID_WORLD: ("AB01", "invalid_request_error"),
    problems.METHOD_NOT_ALLOWED: ("AB01", "invalid_request_error"),
    problems.UNAUTHENTICATED: ("AB05", "authentication_error"),
    problems.FORBIDDEN: ("AB03", "permission_error"),
    problems.EXHAUSTED: ("04", "usage_limit_error"),
    problems.RATE_LIMITED: ("AB06", "rate_limit_error"),
    problems.NOT_FOUND: ("AB08", "not_found_error"),
    problems.NO_SUCH_PATH: ("AB08", "not_found_error"),
    problems.CONFLICT: ("AB07", "conflict_error"),
    problems.SERVICE_FAILED: ("AB04", "server_error"),
    problems.STUB_BROKE_CONTRACT: ("AB04", "server_error"),
    problems.MOCK_BROKE_CONTRACT: ("AB04", "server_error"),
    problems.MOCK_FAILED: ("AB04", "server_error"),
}
"""Kind of problem to Portkey's code (identity-and-access, Errors: code table) and to OpenAI's type of error (*chosen*)."""


_FAMILY_A = {
    problems.UNAUTHENTICATED: ("Invalid API Key", "03"),
    problems.FORBIDDEN: ("Forbidden!", "033"),
    problems.EXHAUSTED: (None, "04"),
    problems.RATE_LIMITED: (None, "05"),
}
"""Kind of problem to the text of the gateway's authentication, None for the problem's own, and its code."""


def of_control_plane(problem: Problem) -> Reply:
    """Return the control plane's envelope, with what the SDKs read beside it.

    Source: identity-and-access, Errors (`data`); sdk-call-map 8.2 and 12 (`error` and `message` serve all clients).
    """
    code, type_ = _CODES[problem.kind]
    code, type_ = problem.code or code, problem.type or type_
    data: Record = {"message": problem.detail, "errorCode": code}
    if problem.violations:
        data["violations"] = [violation.as_json() for violation in problem.violations]
    error = {"message": problem.detail, "type": type_, "param": _parameter(problem), "code": code}
    return _reply(problem, {"success": False, "message": problem.detail, "data": data, "error": error})


def of_gateway(problem: Problem) -> Reply:
    """Return the gateway's own words: of authentication (A), of a target (C, when the problem has a type), of all else (B).

    Beside the plain `message` of family B stands an `error` as OpenAI has it, which three of four clients read
    (sdk-call-map 8.2).
    """
    if problem.type is not None:
        error: Record = {"message": problem.detail, "type": problem.type, "param": None, "code": problem.code}
        return _reply(problem, {"error": error})
    if problem.kind in _FAMILY_A:
        text, code = _FAMILY_A[problem.kind]
        if "Expired" in problem.detail:
            text, code = problem.detail, "01"
        message = f"Portkey Error: {text or problem.detail}. Error Code: {code}"
        return _reply(problem, {"status": "failure", "message": message, "error": {"message": message, "code": code}})
    error = {"message": problem.detail, "type": _CODES[problem.kind][1], "param": _parameter(problem), "code": problem.code}
    if problem.violations:
        error["violations"] = [violation.as_json() for violation in problem.violations]
    body: Record = {"status": "failure", "message": problem.detail, "error": error}
    if isinstance(problem, ConfigRefused):
        body["errors"] = problem.errors
    return _reply(problem, body)


def of_pricing(problem: Problem) -> Reply:
    """Return the one plain sentence for a model without a price (governance-mcp-observability, Model pricing)."""
    return _reply(problem, {"error": problem.detail})


def _parameter(problem: Problem) -> str | None:
    """The field at fault, when there is just one."""
    return (problem.violations[0].pointer.strip("/") if len(problem.violations) == 1 else "") or None


def _reply(problem: Problem, body: Record) -> Reply:
    """The reply of a refusal. A 5xx carries the header that keeps the SDKs from hiding it by a retry (sdk-call-map 8.3)."""
    headers = dict(problem.headers)
    if problem.status >= 500:
        headers["x-portkey-gateway-exception"] = "true"
    return Reply(problem.status, body, headers, problem=problem.kind.name)
