"""Makes what shows a failure small: fewer calls, parameters, headers and fields, as long as it still fails in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mockserver import values
from mockserver.contract.contract import Contract
from mockserver.contract.operations import Operation
from mockserver.fuzz.expecting import MEANINGS, is_kept
from mockserver.fuzz.failures import Failure
from mockserver.fuzz.steps import Answer, Sender, Step, Take, run
from mockserver.values import JSON

MOST_TRIES = 120
LONGEST_S = 3.0
"""How long one failure is worked on: several tries a millisecond in process, few over a slow network."""


@dataclass(frozen=True)
class Bench:
    """Where calls are sent again. `fresh` returns a sender to a service as new as it can be: in process, a world of its own."""

    fresh: Callable[[], Sender]
    contract: Contract

    def operation(self, label: str) -> Operation | None:
        """The operation of a label, None for one that cannot be served."""
        return next((each for each in self.contract.operations if str(each) == label), None)


def reduced(failure: Failure, bench: Bench) -> Failure:
    """Return a failure with as little as shows it, or as it was found when it does not show again."""
    operation = bench.operation(failure.operation)
    # First what makes the record that it is about: it can be shown on a service that has none.
    tried = sorted((failure.steps, *failure.others), key=lambda steps: (not _makes(steps), len(steps)))
    for shown_by in tried:
        tries = _Tries(failure, bench, operation)
        steps = list(shown_by)
        if tries.fails(steps):
            break
    else:
        return failure
    for change in _CHANGES:
        steps = _shrunk(steps, change, tries)
    answers = tries.answers
    wrong = failure.expectation.broken(answers[-1], operation, bench.contract)
    return replace(
        failure,
        steps=tuple(steps),
        answer=answers[-1],
        message=wrong or failure.message,
        shown_again=True,
    )


def _makes(steps: Sequence[Step]) -> bool:
    return not any(step.takes for step in steps) if len(steps) == 1 else steps[0].method == "POST"


class _Tries:
    def __init__(self, failure: Failure, bench: Bench, operation: Operation | None) -> None:
        self.failure = failure
        self.bench = bench
        self.operation = operation
        self.meaning = MEANINGS[failure.failure]
        self.left = MOST_TRIES
        self.until_s = time.perf_counter() + LONGEST_S
        self.answers: list[Answer] = []
        self._kept: bool | None = None
        self._wrong = ""
        self._succeeded = 0

    def fails(self, steps: Sequence[Step]) -> bool:
        """Whether these calls fail as the failure does; what the calls before the last one are answered must stay as well."""
        first = not self.answers
        if not first and (self.left <= 0 or time.perf_counter() > self.until_s):
            return False
        self.left -= 1
        kept = self._is_kept(steps[-1]) if self.meaning.keeps else None
        if not first and kept != self._kept:
            return False
        answers = run(steps, self.bench.fresh())
        wrong = self.failure.expectation.broken(answers[-1], self.operation, self.bench.contract)
        if not wrong or (answers[-1].status == 0) != (self.failure.code == "MS-F016"):
            return False
        if not first and (answers[-1].status != self.answers[-1].status or wrong.partition(":")[0] != self._wrong):
            return False
        succeeded = sum(answer.status // 100 == 2 for answer in answers[:-1])
        if first:
            self._kept, self._wrong, self._succeeded = kept, wrong.partition(":")[0], succeeded
        elif succeeded < min(self._succeeded, len(answers) - 1):
            return False
        self.answers = answers
        return True

    def _is_kept(self, step: Step) -> bool | None:
        return None if self.operation is None else is_kept(step, self.operation, self.bench.contract, "")


def _shrunk(steps: list[Step], change: Callable[[list[Step], Failure], Iterator[list[Step]]], tries: _Tries) -> list[Step]:
    """Apply changes of a kind as long as one of them leaves the failure."""
    progress = True
    while progress:
        progress = False
        for smaller in change(steps, tries.failure):
            if tries.fails(smaller):
                steps, progress = smaller, True
                break
    return steps


def _fewer_steps(steps: list[Step], failure: Failure) -> Iterator[list[Step]]:
    """Without one of the calls before the last one, unless others take something from it or it is what the check is about."""
    needs = MEANINGS[failure.failure].needs
    taken = {take.step for step in steps for take in step.takes}
    for at in range(len(steps) - 1):
        if at not in taken and steps[at].method not in needs:
            yield [_moved(step, at) for step in steps[:at] + steps[at + 1 :]]


def _moved(step: Step, gone: int) -> Step:
    return replace(step, takes=tuple(Take(t.step - (t.step > gone), t.pointer, t.value) for t in step.takes))


def _fewer_pairs(steps: list[Step], _: Failure) -> Iterator[list[Step]]:
    for at, step in enumerate(steps):
        pairs = step.query.split("&") if step.query else []
        for gone in range(len(pairs)):
            left = "&".join(pairs[:gone] + pairs[gone + 1 :])
            yield _with(steps, at, replace(step, target=step.path + (f"?{left}" if left else "")))


def _fewer_headers(steps: list[Step], _: Failure) -> Iterator[list[Step]]:
    for at, step in enumerate(steps):
        for gone, (name, _value) in enumerate(step.headers):
            if not (step.body and name.lower() == "content-type"):
                yield _with(steps, at, replace(step, headers=step.headers[:gone] + step.headers[gone + 1 :]))


def _smaller_bodies(steps: list[Step], _: Failure) -> Iterator[list[Step]]:
    for at, step in enumerate(steps):
        if not step.body:
            continue
        try:
            value = values.parse(step.body)
        except values.NotJSON:
            if len(step.body) > 8:
                yield _with(steps, at, replace(step, body=step.body[: len(step.body) // 2]))
            continue
        for smaller in _smaller(value, 0):
            yield _with(steps, at, replace(step, body=values.dump(smaller)))


def _smaller(value: JSON, depth: int) -> Iterator[JSON]:
    """Values with a member less, then with a smaller one."""
    if depth > 6:
        return
    if isinstance(value, dict):
        for name in value:
            yield {key: item for key, item in value.items() if key != name}
        for name, item in value.items():
            for smaller in _smaller(item, depth + 1):
                yield {**value, name: smaller}
    elif isinstance(value, list):
        for at in range(len(value)):
            yield value[:at] + value[at + 1 :]
        for at, item in enumerate(value):
            for smaller in _smaller(item, depth + 1):
                yield [*value[:at], smaller, *value[at + 1 :]]
    elif isinstance(value, str) and len(value) > 3:
        yield value[: len(value) // 2]


def _with(steps: list[Step], at: int, step: Step) -> list[Step]:
    return [*steps[:at], step, *steps[at + 1 :]]


_CHANGES = (_fewer_steps, _fewer_pairs, _fewer_headers, _smaller_bodies)
