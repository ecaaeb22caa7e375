"""The catalogue of problems: every way in which a call is refused, whatever the API's own words for it.

Raised inside, turned into a reply in one place by the service's envelope. docs/problems.md tells the same for people.
"""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.contract.violations import Violation


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its name, the status that it usually has, and what it means."""

    name: str
    status: int
    title: str


NO_SUCH_PATH = Kind("no-such-path", 404, "The document has no such path")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "The path takes other methods")
INVALID_REQUEST = Kind("invalid-request", 400, "The request breaks the contract")
UPGRADE_REQUIRED = Kind("upgrade-required", 426, "The operation is a WebSocket")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "The operation takes other media types")
BODY_TOO_LARGE = Kind("body-too-large", 413, "The body is larger than the limit")
INVALID_WORLD = Kind("invalid-world", 400, "The name of the world is none")
UNAUTHENTICATED = Kind("unauthenticated", 401, "Nobody, or nobody known, is calling")
FORBIDDEN = Kind("forbidden", 403, "The caller may not do this")
EXHAUSTED = Kind("exhausted", 412, "A budget is used up")
RATE_LIMITED = Kind("rate-limited", 429, "Too many calls in this window")
NOT_FOUND = Kind("not-found", 404, "There is no such record")
CONFLICT = Kind("conflict", 409, "It exists already, or something depends on it")
SERVICE_FAILED = Kind("service-failed", 500, "The service fails, as the real one does here")
STUB_BROKE_CONTRACT = Kind("stub-broke-contract", 500, "What a tester set answers in breach of the contract")
MOCK_BROKE_CONTRACT = Kind("mock-broke-contract", 500, "The mock's own reply breaks the contract: a defect of the mock")
MOCK_FAILED = Kind("mock-failed", 500, "The mock failed: a defect of the mock")

KINDS = (
    NO_SUCH_PATH, METHOD_NOT_ALLOWED, INVALID_REQUEST, UPGRADE_REQUIRED, UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, INVALID_WORLD,
    UNAUTHENTICATED, FORBIDDEN, EXHAUSTED, RATE_LIMITED, NOT_FOUND, CONFLICT, SERVICE_FAILED,
    STUB_BROKE_CONTRACT, MOCK_BROKE_CONTRACT, MOCK_FAILED,
)  # fmt: skip


class Problem(Exception):
    """A call that is refused.

    `detail` is for the caller to read; `code` and `type_` are the API's own where a rule has them; `headers` go on the reply.
    `missing` tells that a record is not there, whatever the status that the API has for it. `status` is the kind's unless
    another is told.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        code: str | None = None,
        type_: str | None = None,
        violations: list[Violation] | None = None,
        headers: dict[str, str] | None = None,
        missing: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(detail or kind.title)
        self.kind = kind
        self.status = status or kind.status
        self.detail = detail or kind.title
        self.code = code
        self.type = type_
        self.violations = violations or []
        self.headers = headers or {}
        self.missing = missing or kind is NOT_FOUND


def invalid(part: str, pointer: str, message: str) -> Problem:
    """Return the problem of a request that breaks a rule which the document cannot say."""
    violation = Violation(part, pointer, message)
    return Problem(INVALID_REQUEST, f"Invalid request: {violation}", violations=[violation])
