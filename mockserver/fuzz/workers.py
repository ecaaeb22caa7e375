"""Runs a campaign, in this process or divided among several.

The cases are divided in one way only for a seed, a plan and a number of workers: operations by turns, sequences by seeds of
their own. What is found can still differ from run to run where a limit of time ends it, where the service answers otherwise
than before, or where several workers change the same service.
"""

from __future__ import annotations

import multiprocessing
import queue
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.coverage.collecting import Collector
from mockserver.coverage.items import Universe
from mockserver.coverage.witness import of_requests
from mockserver.fuzz.campaign import Outcome, Plan, attack, probing
from mockserver.fuzz.reducing import reduced
from mockserver.fuzz.subjects import Aim, Ready, ready
from mockserver.values import Record

_SHARES = {"single": 6, "identity": 1, "sequences": 3}
"""How time and cases are divided among the parts of a campaign; what one leaves goes to the next."""


@dataclass(frozen=True)
class Task:
    """What one worker does, in its parts; `covers` tells whether it notes what its calls touch."""

    aim: Aim
    parts: tuple[tuple[str, Plan], ...]
    max_time_s: float
    max_cases: int | None
    covers: bool


@dataclass
class Result:
    """What a worker found, and what its calls touched."""

    outcome: Outcome
    touched: list[Record] = field(default_factory=list)


@dataclass(frozen=True)
class Tally:
    """How far a worker is."""

    worker: int
    cases: int
    operations: frozenset[str]
    failures: int


Tell = Callable[[Tally], None]


def tasks(aim: Aim, plan: Plan, labels: list[str], workers: int, *, covers: bool) -> list[Task]:
    """Divide a campaign over operations among workers."""
    made = []
    count = max(1, min(workers, len(labels)))
    for number in range(count):
        mine = frozenset(labels[number::count])
        parts: list[tuple[str, Plan]] = []
        single = tuple(phase for phase in plan.phases if phase != "stateful")
        without = tuple(check for check in plan.checks if check != "ignored_auth")
        if single and without:
            parts.append(("single", replace(plan, phases=single, selected=mine, checks=without)))
        if "ignored_auth" in plan.checks and single:
            parts.append(("identity", replace(probing(plan), selected=mine)))
        if "stateful" in plan.phases and without:
            examples = max(1, -(-plan.examples // count))
            seed = plan.seed + number
            chosen = frozenset(labels)
            parts.append(
                (
                    "sequences",
                    replace(plan, phases=("stateful",), seed=seed, examples=examples, selected=chosen, checks=without),
                )
            )
        cases = None if plan.max_cases is None else plan.max_cases // count + (number < plan.max_cases % count)
        made.append(Task(aim, tuple(parts), plan.max_time_s, cases, covers))
    return made


def work(task: Task, tell: Tell, number: int = 0) -> Result:
    """Do a worker's part, and make what it found small."""
    made = ready(task.aim)
    collector = Collector(made.contract, made.base_url, Universe(made.contract, made.scopes)) if task.covers else None
    outcome = _campaign(task, made, tell, number, collector)
    outcome.settle()
    for failure in list(outcome.failures.values()):
        outcome.failures[failure.key] = reduced(failure, made.bench)
    return Result(outcome, [] if collector is None else [collector.touched()])


def _campaign(task: Task, made: Ready, tell: Tell, number: int, collector: Collector | None) -> Outcome:
    outcome = Outcome(task.parts[0][1].seed if task.parts else 0)
    until_s = time.perf_counter() + task.max_time_s
    witness = None if collector is None else of_requests(collector)
    for at, (kind, plan) in enumerate(task.parts):
        share = _SHARES[kind] / sum(_SHARES[each] for each, _ in task.parts[at:])
        cases = None if task.max_cases is None else round((task.max_cases - outcome.cases) * share)
        left_s = (until_s - time.perf_counter()) * share
        if left_s <= 0 or cases == 0:
            outcome.stopped = outcome.stopped or ("the limit of time" if left_s <= 0 else "the limit of cases")
            continue

        def progress(now: Outcome) -> None:
            operations = frozenset(outcome.operations | now.operations)
            tell(Tally(number, outcome.cases + now.cases, operations, len(outcome.failures.keys() | now.failures.keys())))

        part = replace(plan, max_time_s=left_s, max_cases=cases)
        outcome.add(attack(made.subject, part, progress, witness))
    return outcome


def run(planned: list[Task], tell: Tell) -> Result:
    """Do all tasks: the only one here, several in a process each. Raises what one of them raises."""
    if len(planned) == 1:
        return work(planned[0], tell)
    context = multiprocessing.get_context("spawn")  # threads may hold locks that a fork would keep for ever
    tallies: Any = context.Queue()
    with ProcessPoolExecutor(len(planned), context, _begin, (tallies,)) as pool:
        results = [pool.submit(_work, task, number) for number, task in enumerate(planned)]
        while not all(result.done() for result in results):
            try:
                tell(tallies.get(timeout=0.2))
            except queue.Empty:
                continue
        found = [result.result() for result in results]
    total = found[0]
    for other in found[1:]:
        total.outcome.add(other.outcome)
        total.touched += other.touched
    return total


_tallies: Any = None  # of a worker's process, which does nothing else


def _begin(tallies: Any) -> None:
    global _tallies  # noqa: PLW0603  # a pool hands things to its processes in no other way
    _tallies = tallies


def _work(task: Task, number: int) -> Result:
    return work(task, _tallies.put, number)
