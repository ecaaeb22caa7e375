"""What WireMock has and this server has not: told by name, with what to do instead."""

from __future__ import annotations

import re

from mockserver.contract.problems import Problem
from mockserver.contract.violations import Violation

INSTEAD = {
    "persistent": "mappings are kept in the world alone; set them again, or put them into a snapshot",
    "proxyBaseUrl": "nothing is proxied; leave out the mapping to have the operation answer, or use fall_through",
    "additionalProxyRequestHeaders": "nothing is proxied",
    "removeProxyRequestHeaders": "nothing is proxied",
    "proxyUrlPrefixToRemove": "nothing is proxied",
    "bodyFileName": "no files are read; send the content as body, jsonBody or base64Body",
    "transformerParameters": "templates read the request alone; write the values into the template",
    "serveEventListeners": "no webhooks are sent",
    "postServeActions": "no webhooks are sent",
    "customMatcher": "matchers are those of WireMock's core; bodyPatterns with matchesJsonPath say most of the rest",
    "multipartPatterns": "match the body by bodyPatterns with contains or matches",
    "equalToXml": "there is no XML here; use contains or matches",
    "matchesXPath": "there is no XML here; use contains or matches",
    "matchesXmlSchema": "there is no XML here",
    "hasExactly": "of several values one has to fit; join matchers by and, or and not",
    "includes": "of several values one has to fit; join matchers by and, or and not",
    "host": "one server serves one host; match the header Host",
    "port": "one server serves one port; match the header Host",
    "scheme": "there is no TLS here",
    "clientIp": "all clients are the tester's",
    "insertionIndex": "the newest of several with one priority comes first",
    "actualFormat": "times are in RFC 3339",
    "truncateExpected": "write the time as it shall be compared",
    "truncateActual": "write the time as it shall be compared",
    "expectedOffset": "write the time as it shall be compared",
    "applyTruncationLast": "write the time as it shall be compared",
    "idempotencyKey": "match the header, and use a scenario",
    "gzipDisabled": "nothing is compressed",
    "disableGzip": "nothing is compressed",
}
"""Names of WireMock's JSON that are refused, and what to do instead."""

_QUOTED = re.compile(r"[\"'`](\w+)[\"'`]|(\w+)")


def advised(problem: Problem) -> Problem:
    """The refusal of a mapping, with advice beside the names that WireMock knows."""
    violations = [_advised(violation) for violation in problem.violations]
    if violations != problem.violations:
        problem.violations = violations
        problem.detail = f"Invalid request: {violations[0]}" + (f" (and {len(violations) - 1} more)" if violations[1:] else "")
    return problem


def _advised(violation: Violation) -> Violation:
    if violation.keyword != "additionalProperties":
        return violation
    words = [quoted or bare for quoted, bare in _QUOTED.findall(violation.message)]
    known = [f"{word}: {INSTEAD[word]}" for word in words if word in INSTEAD]
    return violation._replace(message=f"{violation.message} ({'; '.join(known)})") if known else violation
