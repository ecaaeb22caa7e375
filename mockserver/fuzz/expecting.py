"""What a check of a campaign means, so that it can be asked again of a single answer: by a reduction, a replay, a test.

Source of names and statuses: Schemathesis's checks and their defaults (`schemathesis/openapi/checks.py`, `config/_checks.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from mockserver import values
from mockserver.contract.contract import Contract
from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.contract.requests import ContractBroken
from mockserver.fuzz.steps import Answer, Step
from mockserver.values import JSON, Record

REFUSED = ("400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5XX")
ACCEPTED = ("1XX", "2XX", "3XX", "401", "403", "404", "409", "429", "5XX")
WITHOUT_HEADER = ("400", "401", "403", "404", "406", "415", "422")


@dataclass(frozen=True)
class Expectation:
    """What the last answer of a sequence must be like.

    `statuses` are those that are right, ranges as `4XX`; empty when any is. `contract`: as the document says. `header` must
    be there. `within_s` is how long it may take. `allow`: the header `Allow` lists the methods of the path, no more, no less.
    """

    statuses: tuple[str, ...] = ()
    contract: bool = False
    header: str = ""
    within_s: float = 0.0
    allow: bool = False

    def broken(self, answer: Answer, operation: Operation | None, contract: Contract | None) -> str:
        """Say what is wrong with an answer, in half a sentence; empty when nothing is."""
        if answer.status == 0:
            return f"was not answered: {answer.body.decode('utf-8', 'replace')}"
        if self.within_s and answer.elapsed_s > self.within_s:
            return f"took longer than {self.within_s:g} s"
        if self.statuses and not fits(answer.status, self.statuses):
            return f"was answered {answer.status}, not {_listed(self.statuses)}"
        if self.header and self.header not in answer.headers:
            return f"was answered without the header {self.header}"
        if self.allow and operation is not None and contract is not None:
            wanted = {each.method.upper() for each in contract.operations if each.path == operation.path}
            told = {each.strip().upper() for each in answer.headers.get("allow", "").split(",")} - {"", "HEAD", "OPTIONS"}
            if told != wanted - {"HEAD", "OPTIONS"}:
                return f"was answered with Allow: {answer.headers.get('allow', '')}, not {', '.join(sorted(wanted))}"
        if self.contract and operation is not None and contract is not None:
            found = violations(answer, operation, contract)
            return f"was answered {answer.status}: {found[0][1]}" if found else ""
        return ""

    def as_json(self) -> Record:
        """The expectation for files."""
        return {
            "statuses": list(self.statuses),
            "contract": self.contract,
            "header": self.header,
            "within_s": self.within_s,
            "allow": self.allow,
        }

    @staticmethod
    def from_json(told: Record) -> Expectation:
        """Return the expectation of `as_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        statuses = tuple(str(each) for each in told["statuses"])
        return Expectation(statuses, bool(told["contract"]), str(told["header"]), float(told["within_s"]), bool(told["allow"]))


def fits(status: int, statuses: tuple[str, ...]) -> bool:
    """Whether a status is among these."""
    return any(status == int(each) if each.isdigit() else str(status)[0] == each[0] for each in statuses)


def _listed(statuses: tuple[str, ...]) -> str:
    return statuses[0] if len(statuses) == 1 else f"{', '.join(statuses[:-1])} or {statuses[-1]}"


def violations(answer: Answer, operation: Operation, contract: Contract) -> list[tuple[str, str]]:
    """What of an answer breaks the document: the place in it and what is wrong, as `body/id`, `body/id must be integer`."""
    media_type = answer.headers.get("content-type", "")
    essence = media_type.partition(";")[0].strip().lower()
    body: JSON | bytes = answer.body
    if re.fullmatch(r"application/(.+\+)?json", essence):
        if not answer.body:
            response = contract.replies[operation].response(answer.status)
            return [("body", "body is missing")] if response is not None and response.contents else []
        try:
            body = values.parse(answer.body)
        except values.NotJSON as error:
            return [("body", f"body is no JSON: {error}")]
    reply = Reply(answer.status, body, answer.headers, media_type)
    found = contract.replies[operation].violations(reply)
    return [(f"{each.part}{re.sub('/[0-9]+(?=/|$)', '/*', each.pointer)}", str(each)) for each in found]


class Meaning(NamedTuple):
    """What a failure of a check is: its code, what must hold instead, and the methods that a sequence cannot do without.

    `keeps` says that a shorter request would be another one: it must go on to break, or to keep, the document.
    """

    code: str
    expectation: Expectation
    needs: tuple[str, ...] = ()
    keeps: bool = False


_CONTRACT = Expectation(contract=True)

MEANINGS: Mapping[str, Meaning] = {
    "ServerError": Meaning("MS-F001", Expectation(("1XX", "2XX", "3XX", "4XX"))),
    "ContentTypeServerError": Meaning("MS-F001", Expectation(("1XX", "2XX", "3XX", "4XX"))),
    "UndefinedStatusCode": Meaning("MS-F002", _CONTRACT),
    "MissingContentType": Meaning("MS-F003", _CONTRACT),
    "UndefinedContentType": Meaning("MS-F003", _CONTRACT),
    "MalformedMediaType": Meaning("MS-F003", _CONTRACT),
    "MissingHeaders": Meaning("MS-F004", _CONTRACT),
    "JsonSchemaError": Meaning("MS-F005", _CONTRACT),
    "MalformedJson": Meaning("MS-F005", _CONTRACT),
    "ContentDeserializationError": Meaning("MS-F005", _CONTRACT),
    "DiscriminatorMismatch": Meaning("MS-F005", _CONTRACT),
    "AcceptedNegativeData": Meaning("MS-F006", Expectation(REFUSED), keeps=True),
    "RejectedPositiveData": Meaning("MS-F007", Expectation(ACCEPTED), keeps=True),
    "MissingHeaderNotRejected": Meaning("MS-F008", Expectation(WITHOUT_HEADER), keeps=True),
    "UnsupportedMethodResponse": Meaning("MS-F009", Expectation(("405", "404", "401", "403", "429"), header="allow")),
    "AllowHeaderMismatch": Meaning("MS-F010", Expectation(allow=True)),
    "UseAfterFree": Meaning("MS-F011", Expectation(("404", "410")), ("DELETE", "POST")),
    "EnsureResourceAvailability": Meaning("MS-F012", Expectation(("1XX", "2XX", "3XX", "400", "401", "403")), ("POST", "PUT")),
    "IgnoredAuth": Meaning("MS-F013", Expectation(("401", "403")), keeps=True),
    "ObjectLevelAuthorizationViolation": Meaning("MS-F014", Expectation(("401", "403", "404")), keeps=True),
    "NoAnswer": Meaning("MS-F016", Expectation(("1XX", "2XX", "3XX", "4XX", "5XX"))),
    "ResponseTimeExceeded": Meaning("MS-F015", Expectation()),
    "CustomFailure": Meaning("MS-F017", Expectation()),
}
"""By the name of Schemathesis's failure. Where nothing is expected, a finding has no test of its own."""


def is_kept(step: Step, operation: Operation, contract: Contract, base_path: str) -> bool | None:
    """Whether a call keeps the document; None when it is not one of the operation at all."""
    path = _path_values(operation.path, step.path.removeprefix(base_path.rstrip("/")))
    if path is None:
        return None
    headers = {name.lower().encode("latin-1", "replace"): value.encode("latin-1", "replace") for name, value in step.headers}
    try:
        contract.requests[operation].read(path, step.query.encode("latin-1", "replace"), headers, step.body)
    except ContractBroken:
        return False
    return True


def _path_values(template: str, path: str) -> dict[str, str] | None:
    names = re.findall(r"\{([^}]*)\}", template)
    pieces = [re.escape(piece) for piece in re.split(r"\{[^}]*\}", template)]
    match = re.fullmatch("([^/]*)".join(pieces), path)
    return None if match is None else dict(zip(names, map(unquote, match.groups()), strict=True))
