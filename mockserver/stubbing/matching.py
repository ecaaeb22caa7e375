"""Whether a call fits what a tester set, and if not, each criterion that it does not fit and why.

A pattern is compiled from a mapping's or fault's JSON once. `fits` is asked on every call, and stops at the first criterion
that says no; `mismatches` is asked when somebody wants to know, and looks at all.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from mockserver.contract.secrets import REDACTED, is_secret_name
from mockserver.contract.violations import shorten
from mockserver.stubbing import conditions, matchers, scenarios
from mockserver.stubbing.asked import Asked, variables
from mockserver.stubbing.matchers import Subject, Test
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.templates import key_reader
from mockserver.values import JSON, Record, pointer
from mockserver.world.world import World

ANY = "ANY"


class Mismatch(NamedTuple):
    """A criterion that a call does not fit: its place in the mapping, what was expected there, and what was found.

    What names a secret is redacted on both sides. `found` is None where the call has nothing.
    """

    place: str
    expected: JSON
    found: JSON

    def as_json(self) -> Record:
        """The mismatch as the admin API shows it."""
        return {"criterion": self.place, "expected": self.expected, "found": self.found}

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, found {self.found}"


Reads: TypeAlias = Callable[[Asked, World], JSON]


class Criterion(NamedTuple):
    """One thing that is asked of a call. `found` gives what to show of the call, for people."""

    place: str
    expected: JSON
    fits: Callable[[Asked, World], bool]
    found: Reads


class Pattern:
    """All that is asked of a call. `criteria` are in the order in which they are looked at, cheap ones first."""

    __slots__ = ("_tests", "criteria")

    def __init__(self, criteria: list[Criterion]) -> None:
        self.criteria = tuple(criteria)
        self._tests = tuple(criterion.fits for criterion in criteria)

    def fits(self, asked: Asked, world: World) -> bool:
        """Whether a call fits."""
        return all(test(asked, world) for test in self._tests)

    def mismatches(self, asked: Asked, world: World) -> list[Mismatch]:
        """Return every criterion that a call does not fit; nothing when it fits."""
        return [
            Mismatch(each.place, each.expected, each.found(asked, world))
            for each in self.criteria
            if not each.fits(asked, world)
        ]


def pattern_of(definition: Record, refusals: Refusals, place: str = "/request") -> Pattern:
    """Return the pattern of a mapping or fault, whose request stands at `place`; what is wrong with it is noted."""
    wanted: Record = definition.get(place[1:]) or {}
    criteria = [
        *_by_operation(wanted, place),
        *_by_url(wanted, place, refusals),
        *_by_values(wanted, place, refusals),
        *_by_body(wanted, place, refusals),
        *_by_state(wanted, place, refusals),
        *_by_scenario(definition, refusals),
    ]
    return Pattern(criteria)


def _by_operation(wanted: Record, place: str) -> Iterator[Criterion]:
    if "operation" in wanted:
        name = wanted["operation"]
        yield Criterion(
            f"{place}/operation",
            name,
            lambda asked, _: asked.operation is not None and asked.operation.id == name,
            lambda asked, _: None if asked.operation is None else asked.operation.id,
        )
    method = wanted.get("method", ANY).upper()
    if method != ANY:
        yield Criterion(f"{place}/method", method, lambda asked, _: asked.method == method, lambda asked, _: asked.method)


URLS = ("url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate")
"""How a URL can be told; one of them at most."""


def _by_url(wanted: Record, place: str, refusals: Refusals) -> Iterator[Criterion]:
    told = [name for name in (*URLS, "operation") if name in wanted]
    if len(told) > 1:
        refusals.add(f"{place}/{told[1]}", f"cannot stand beside {told[0]}: one of them says which calls are meant")
    for name in told[:1]:
        if name != "operation":
            yield _by_one_url(name, wanted[name], f"{place}/{name}", refusals)


def _by_one_url(name: str, text: str, place: str, refusals: Refusals) -> Criterion:
    pattern = matchers.regex(text, place, refusals) if name in ("urlPattern", "urlPathPattern") else None
    with_query = name in ("url", "urlPattern")

    def fits(asked: Asked, _: World) -> bool:
        if name == "urlPathTemplate":
            return _in_template(text, asked) is not None
        found = asked.urls if with_query else asked.paths
        return text in found if pattern is None else any(map(pattern.fullmatch, found))

    return Criterion(place, text, fits, lambda asked, _: (asked.urls if with_query else asked.paths)[0])


def _in_template(template: str, asked: Asked) -> dict[str, str] | None:
    for path in asked.paths:
        found = variables(template, path)
        if found is not None:
            return found
    return None


def _by_values(wanted: Record, place: str, refusals: Refusals) -> Iterator[Criterion]:
    """Criteria on single values: several values of one name fit when one of them does."""
    template = wanted.get("urlPathTemplate")
    if "pathParameters" in wanted and template is None:
        refusals.add(f"{place}/pathParameters", "needs urlPathTemplate; beside `operation`, name them under `parameters`")
    for name in wanted.get("pathParameters") or {}:
        if template is not None and "{" + name + "}" not in template:
            refusals.add(f"{place}/pathParameters{pointer(name)}", f"is not in {template}")

    def of_path(asked: Asked, name: str) -> list[str]:
        found = (_in_template(template, asked) or {}).get(name) if template is not None else None
        return [] if found is None else [found]

    readers: dict[str, Callable[[Asked, str], list[str]]] = {
        "pathParameters": of_path,
        "parameters": Asked.parameter,
        "queryParameters": Asked.queries,
        "headers": Asked.headers,
        "cookies": Asked.cookies,
        "formParameters": Asked.forms,
    }
    for part, read in readers.items():
        for name, matcher in (wanted.get(part) or {}).items():
            yield _by_value(name, matcher, read, f"{place}/{part}{pointer(name)}", refusals)
    if "basicAuthCredentials" in wanted:
        told = wanted["basicAuthCredentials"]
        code = base64.b64encode(f"{told['username']}:{told['password']}".encode()).decode()
        at = f"{place}/basicAuthCredentials"
        yield _by_value("Authorization", {"equalTo": f"Basic {code}"}, Asked.headers, at, refusals)


def _by_value(name: str, matcher: JSON, read: Callable[[Asked, str], list[str]], place: str, refusals: Refusals) -> Criterion:
    """A criterion on the values of one name; a value in the place of a matcher means `equalTo`."""
    told = matcher if isinstance(matcher, dict) else {"equalTo": _written(matcher)}
    test = matchers.compiled(told, place, refusals)

    def fits(asked: Asked, _: World) -> bool:
        found = read(asked, name)
        return any(test(Subject(value)) for value in found) if found else test(Subject(None))

    def found(asked: Asked, _: World) -> JSON:
        values = read(asked, name)
        if not values:
            return None
        return REDACTED if is_secret_name(name) else shorten(", ".join(values))

    return Criterion(place, REDACTED if is_secret_name(name) else matcher, fits, found)


def _written(value: JSON) -> str:
    """A value as it stands in a URL."""
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _by_body(wanted: Record, place: str, refusals: Refusals) -> Iterator[Criterion]:
    for at, matcher in enumerate(wanted.get("bodyPatterns") or ()):
        where = f"{place}/bodyPatterns/{at}"
        yield _of_body(matchers.compiled(matcher, where, refusals), matcher, where)


def _of_body(test: Test, matcher: Record, place: str) -> Criterion:
    return Criterion(place, matcher, lambda asked, _: test(asked.body), lambda asked, _: _shown(asked))


def _shown(asked: Asked) -> JSON:
    return shorten(asked.body.text if asked.shown_body is None else asked.shown_body) or None


def _by_state(wanted: Record, place: str, refusals: Refusals) -> Iterator[Criterion]:
    for at, told in enumerate(wanted.get("state") or ()):
        where = f"{place}/state/{at}"
        condition = conditions.compiled(told, where, refusals)
        yield Criterion(where, told, condition.holds, condition.found)


def _by_scenario(definition: Record, refusals: Refusals) -> Iterator[Criterion]:
    name, wanted = definition.get("scenarioName"), definition.get("requiredScenarioState")
    for part in ("requiredScenarioState", "newScenarioState", "scenarioKey"):
        if name is None and part in definition:
            refusals.add(f"/{part}", "needs scenarioName")
    key_of = key_reader(definition.get("scenarioKey"), "/scenarioKey", refusals)
    if name is None or wanted is None:
        return

    def state(asked: Asked, world: World) -> str:
        return scenarios.state_of(world, name, key_of(asked, world))

    yield Criterion("/requiredScenarioState", wanted, lambda asked, world: state(asked, world) == wanted, state)
