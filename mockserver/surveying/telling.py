"""A measure as a report: what was touched, what was not, and whether it is enough."""

from __future__ import annotations

from itertools import groupby

from mockserver.coverage.measuring import Measure, Measured
from mockserver.reporting.finding import Place
from mockserver.reporting.report import Report

_NAMED = 8
"""Holes that a message names."""


def report(measure: Measure, subject: str, fail_under: float | None) -> Report:
    """Return the report of a measure; `fail_under` is in hundredths of all that is measured."""
    made = Report("coverage", subject, ("operations",))
    made.facts["touched"] = f"{measure.total.percent} % ({measure.total.touched:,} of {measure.total.total:,})"
    for kind, share in measure.kinds.items():
        if share.total:
            made.facts[kind] = f"{share.percent} % ({share.touched:,} of {share.total:,})"
    made.count("calls", measure.matched)
    for each in measure.operations:
        if each.touched.calls:
            made.case("operations", _name(each))
    for each in measure.operations:
        _tell(each, subject, made)
    if measure.unmatched:
        names = list(measure.unmatched)
        count = sum(measure.unmatched.values())
        made.add("MS-U004", f"{count:,} calls were of no operation: {_listed(names)}", Place(subject))
    if fail_under is not None and measure.total.percent < fail_under and measure.matched:
        worst = min(
            (kind for kind, share in measure.kinds.items() if share.total), key=lambda kind: measure.kinds[kind].percent
        )
        message = f"{measure.total.percent} % touched, and {fail_under:g} asked for; least of {worst}: {made.facts[worst]}"
        made.add("MS-U001", message, Place(subject))
    return made


def _tell(each: Measured, subject: str, made: Report) -> None:
    place, name = Place(subject, each.operation.pointer), _name(each)
    if not each.touched.calls:
        if any(hole.item.kind == "operations" for hole in each.holes):
            made.add("MS-U002", f"{each.operation} was never called", place, operation=name)
        return
    open_holes = sorted((hole for hole in each.holes if not hole.excluded), key=lambda hole: (hole.item.kind, hole.reason))
    for (kind, reason), rows in groupby(open_holes, key=lambda hole: (hole.item.kind, hole.reason)):
        holes = list(rows)
        message = f"{kind}: {_listed([hole.item.name for hole in holes])} ({reason})"
        evidence = {"holes": [hole.as_json() for hole in holes]}
        made.add("MS-U003", message, place, operation=name, edit=holes[0].suggestion, evidence=evidence)


def _name(each: Measured) -> str:
    return str(each.operation.spec.get("operationId") or each.operation)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
