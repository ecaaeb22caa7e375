"""What a campaign found: a failure with the calls that show it, from Schemathesis's record of a scenario."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from mockserver.fuzz.expecting import MEANINGS, Expectation
from mockserver.fuzz.steps import NOISE, Answer, Step, connected, ids

_HEADER_CHECK = "response_headers_conformance"
_MOST_IDS = 5000
_LONGEST = 65_536
"""Bytes of an answer's body that a failure keeps."""


class Key(NamedTuple):
    """What makes two failures the same: the operation, the code, and the place in the answer."""

    operation: str
    code: str
    place: str


@dataclass(frozen=True)
class Failure:
    """A failure. `steps` are the calls that lead to it, the last of which shows it; `answer` is what that was answered.

    `failure` is the name of Schemathesis's. `shown_again` tells that the steps, sent once more, failed in the same way.
    """

    operation: str
    code: str
    place: str
    failure: str
    message: str
    expectation: Expectation
    steps: tuple[Step, ...]
    answer: Answer
    shown_again: bool = False
    others: tuple[tuple[Step, ...], ...] = field(default=())
    """Further calls that showed the same, for when the smallest ones do not show it again."""

    @property
    def key(self) -> Key:
        """What it is known by."""
        return Key(self.operation, self.code, self.place)

    @property
    def size(self) -> tuple[int, int]:
        """How large what shows it is: calls, characters."""
        return len(self.steps), sum(len(step.target) + len(step.body) + 16 * len(step.headers) for step in self.steps)


class Makers:
    """Remembers which calls made which ids, so that what was found on a record can be shown on another one like it."""

    def __init__(self) -> None:
        self._steps: dict[str, tuple[Step, Answer]] = {}

    def learn(self, step: Step, answer: Answer) -> None:
        """Remember a call that made something."""
        if step.method != "POST" or answer.status // 100 != 2:
            return
        for value in ids(answer.json()):
            self._steps.setdefault(value, (step, answer))
        if len(self._steps) > _MOST_IDS:
            del self._steps[next(iter(self._steps))]

    def of(self, step: Step) -> tuple[Step, Answer] | None:
        """The call that made what a call is about, None when it is not known."""
        segments = [unquote(segment) for segment in step.path.split("/")]
        return next((self._steps[each] for each in reversed(segments) if each in self._steps), None)


def failures(recorder: Any, base_path: str, within_s: float, makers: Makers) -> Iterator[Failure]:
    """Yield the failures of a scenario."""
    for case_id, interaction in recorder.interactions.items():
        if case_id not in recorder.cases:
            continue
        step = _step(recorder.cases[case_id].value, interaction.request, base_path)
        if interaction.response is None:
            steps, others = _shown_by([case_id], recorder, base_path, makers)
            wrong = Answer(0, {}, b"no answer came")
            expectation = MEANINGS["NoAnswer"].expectation
            yield Failure(step.operation, "MS-F016", "", "NoAnswer", "no answer came", expectation, steps, wrong, others=others)
        else:
            makers.learn(step, _answer(interaction.response))
    for case_id, nodes in recorder.checks.items():
        for node in nodes:
            if node.failure_info is None:
                continue
            found = node.failure_info.failure
            chain = [each.case_id for each in node.failure_info.steps]
            failing = getattr(found, "case_id", None) or case_id
            if failing in recorder.interactions and (not chain or chain[-1] != failing):
                chain.append(failing)
            chain = [each for each in chain if each in recorder.interactions and each in recorder.cases]
            if not chain:
                continue
            yield _failure(node.name, found, chain, recorder, base_path, within_s, makers)


def _failure(
    check: str, found: Any, chain: list[str], recorder: Any, base_path: str, within_s: float, makers: Makers
) -> Failure:
    name = next((each.__name__ for each in type(found).__mro__ if each.__name__ in MEANINGS), "CustomFailure")
    meaning = MEANINGS[name]
    code = "MS-F004" if check == _HEADER_CHECK and meaning.code == "MS-F005" else meaning.code
    expectation = Expectation(within_s=within_s) if name == "ResponseTimeExceeded" else meaning.expectation
    answer = _answer(recorder.interactions[chain[-1]].response)
    label = str(recorder.cases[chain[-1]].value.operation.label)
    steps, others = _shown_by(chain, recorder, base_path, makers)
    message = " ".join(str(found.message or found.title).split())
    where = _place(name, found, answer)
    return Failure(label, code, where, name, message[:500], expectation, steps, answer, others=others)


def _shown_by(
    chain: list[str], recorder: Any, base_path: str, makers: Makers
) -> tuple[tuple[Step, ...], tuple[tuple[Step, ...], ...]]:
    """Return the calls that show a failure, and others that may: all that led to it, and what made the record before it."""
    steps = _connected(chain, recorder, base_path)
    others = []
    line = [chain[-1]]
    while (parent := recorder.cases[line[0]].parent_id) in recorder.interactions and parent in recorder.cases:
        line.insert(0, parent)
    if len(line) > len(chain):
        others.append(_connected(line, recorder, base_path))
    if all(step.method != "POST" for step in steps[:-1]) and (maker := makers.of(steps[-1])) is not None:
        first, answer = maker
        answers = [_answer(recorder.interactions[each].response) for each in chain]
        others.append(tuple(connected([first, *steps], [answer, *answers])))
    return steps, tuple(others)


def _connected(chain: list[str], recorder: Any, base_path: str) -> tuple[Step, ...]:
    interactions = [recorder.interactions[each] for each in chain]
    steps = [_step(recorder.cases[each].value, recorder.interactions[each].request, base_path) for each in chain]
    return tuple(connected(steps, [_answer(each.response) for each in interactions]))


def _place(name: str, found: Any, answer: Answer) -> str:
    if name == "JsonSchemaError":
        return "/".join("*" if isinstance(part, int) else str(part) for part in found.instance_path)
    if name in ("UndefinedStatusCode", "ServerError", "ContentTypeServerError"):
        return str(answer.status)
    if name == "MissingHeaders":
        return ",".join(sorted(found.missing_headers))
    if name in ("UndefinedContentType", "MalformedMediaType"):
        return answer.headers.get("content-type", "").partition(";")[0]
    return ""


def _step(case: Any, request: Any, base_path: str) -> Step:
    parts = urlsplit(request.uri)
    path = parts.path.removeprefix(base_path.rstrip("/"))
    target = path + (f"?{parts.query}" if parts.query else "")
    sent = ((name, value) for name, values in request.headers.items() for value in values)
    headers = tuple((name, value) for name, value in sent if name.lower() not in NOISE and (name, value) != ("Accept", "*/*"))
    return Step(str(case.operation.label), request.method, target, headers, request.body or b"")


def _answer(response: Any) -> Answer:
    if response is None:
        return Answer(0, {}, b"no answer came")
    headers = {name.lower(): ", ".join(values) for name, values in response.headers.items()}
    return Answer(response.status_code, headers, (response.content or b"")[:_LONGEST], float(response.elapsed or 0))


def slug(text: str) -> str:
    """A text as a part of a Python name."""
    return re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_")
