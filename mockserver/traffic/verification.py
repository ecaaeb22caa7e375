"""Collects judgements into a report: what is wrong in the same way is told once, with all exchanges that it is wrong in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mockserver.contract.contract import Contract
from mockserver.contract.secrets import safe_query
from mockserver.reporting.finding import Finding, Place, Related
from mockserver.reporting.report import Report
from mockserver.traffic import reading
from mockserver.traffic.exchange import Exchange
from mockserver.traffic.faults import Malformed
from mockserver.traffic.judging import Fault, Judge, Judgement

RULE = "the rule"
"""What the second place of a finding is: in the document."""
TOLD = 20
"""How many further places a finding lists; its evidence has the numbers of all exchanges."""


@dataclass
class _Told:
    finding: Finding
    numbers: list[int]
    places: list[Place] = field(default_factory=list)


class Verification:
    """A run over exchanges, which are held to the contract of the document at a path; `ignored` are codes that are not told."""

    def __init__(
        self,
        tool: str,
        subject: str,
        contract: Contract,
        path: Path,
        *,
        servers: tuple[str, ...] = (),
        only: frozenset[str] = frozenset(),
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        self.report = Report(tool, subject, ("exchanges",), {"document": path.name})
        self.judge = Judge(contract, servers)
        self._path = path
        self._document = path.name
        self._only = only
        self._ignored = ignored
        self._told: dict[tuple[str, ...], _Told] = {}
        self._hosts: dict[str, bool] = {}
        self._foreign: list[Judgement] = []
        self._skipped: dict[str, tuple[int, Place]] = {}
        self._seen: set[str] = set()

    def take(self, each: Exchange | Malformed) -> list[Finding]:
        """Judge an exchange; return what was found in it, as it is told at once. The report holds it, folded, at the end."""
        if isinstance(each, Malformed):
            finding = self._finding(Fault("MS-T009", each.why, ""), None, each.places.of(""))
            self._fold(finding, 0, ("MS-T009", each.places.file, each.places.record))
            return [finding]
        return self.add(self.judge.judge(each))

    def add(self, judgement: Judgement) -> list[Finding]:
        """Add a judgement."""
        exchange = judgement.exchange
        if judgement.elsewhere:
            self._skip(exchange)
            return []
        if self._only and judgement.name not in self._only:
            return []
        if judgement.foreign and not self._hosts.get(exchange.host):
            self._foreign.append(judgement)  # whose it is shows when another call to the same host has a path of the document
            return []
        self._hosts[exchange.host] = True
        return self._count(judgement)

    def finish(self) -> Report:
        """Return the report with all that was found."""
        for judgement in self._foreign:
            if self._hosts.get(judgement.exchange.host) or not any(self._hosts.values()):
                self._count(judgement)
            else:
                self._skip(judgement.exchange)
        for host, (count, place) in self._skipped.items():
            many = "an exchange" if count == 1 else f"{count:,} exchanges"
            self.report.count("exchanges with others", count)
            fault = Fault("MS-T010", f"{many} with {host or 'another server'} not looked at: the service is another", "path")
            self._fold(self._finding(fault, None, place), 0, ("MS-T010", host))
        self._foreign.clear()
        self._skipped.clear()
        for told in self._told.values():
            self.report.findings.append(_whole(told))
        self._told.clear()
        if any(finding.related for finding in self.report.findings):
            self.report.findings[:] = self._located(self.report.findings)
        return self.report

    def _located(self, findings: list[Finding]) -> list[Finding]:
        """Findings with the rules at the files and lines that they were written at."""
        # Imported here: it reads the document once more, as it was written, which takes its time.
        from mockserver.checking.subject import Subject

        subject = Subject(self._path)

        def located(each: Related) -> Related:
            return Related(each.what, subject.place(each.place.pointer)) if each.what == RULE else each

        return [replace(finding, related=tuple(map(located, finding.related))) for finding in findings]

    def _count(self, judgement: Judgement) -> list[Finding]:
        if judgement.checked:
            self.report.count("exchanges")
            if judgement.name and judgement.name not in self._seen:
                self._seen.add(judgement.name)
                self.report.case("operations", judgement.name)
        else:
            self.report.count("exchanges not judged")
        found = self._findings(judgement)
        for finding, fault in zip(found, self._faults(judgement), strict=True):
            # Numbers in messages are those of items and statuses, which differ from call to call.
            said = re.sub(r"\d+", "0", fault.message)
            key = (
                fault.code,
                finding.blame,
                finding.severity,
                finding.operation,
                fault.rule,
                fault.part,
                said,
                finding.because,
            )
            self._fold(finding, judgement.exchange.number, key)
        return found

    def _faults(self, judgement: Judgement) -> list[Fault]:
        return [fault for fault in judgement.faults if fault.code not in self._ignored]

    def _findings(self, judgement: Judgement) -> list[Finding]:
        exchange = judgement.exchange
        return [self._finding(fault, judgement, exchange.places.of(fault.part, fault.at)) for fault in self._faults(judgement)]

    def _finding(self, fault: Fault, judgement: Judgement | None, place: Place) -> Finding:
        # A report makes the finding, with what the catalogue says of its code; this one keeps it apart, to be folded.
        related = [Related(RULE, Place(self._document, fault.rule))] if fault.rule else []
        return Report("", "").add(
            fault.code,
            fault.message,
            place,
            operation=judgement.name if judgement else "",
            severity=fault.severity,
            blame=fault.blame,
            because=fault.because,
            related=related,
            evidence=_evidence(judgement.exchange) if judgement else {},
        )

    def _fold(self, finding: Finding, number: int, key: tuple[str, ...]) -> None:
        told = self._told.get(key)
        if told is None:
            self._told[key] = _Told(finding, [number])
            return
        told.numbers.append(number)
        if len(told.places) < TOLD:
            told.places.append(finding.place)

    def _skip(self, exchange: Exchange) -> None:
        count, place = self._skipped.get(exchange.host, (0, exchange.places.of("path")))
        self._skipped[exchange.host] = (count + 1, place)


def _whole(told: _Told) -> Finding:
    if len(told.numbers) == 1:
        return told.finding
    more = [Related("also", place) for place in told.places]
    return replace(
        told.finding,
        message=f"{told.finding.message} (in {len(told.numbers):,} exchanges)",
        related=(*told.finding.related, *more),
        evidence={**told.finding.evidence, "exchanges": told.numbers},
    )


def _evidence(exchange: Exchange) -> dict[str, object]:
    path, mark, query = exchange.url.partition("?")
    url = re.sub("//[^/@]*@", "//", path) + mark + safe_query(query)
    return {"exchange": exchange.number, "method": exchange.method, "url": url, "status": exchange.status, "at": exchange.at}


def verify(path: Path, verification: Verification) -> Report:
    """Hold all exchanges of a file or folder to the document. Raises `DocumentError` for what is no recording."""
    take: Iterable[Exchange | Malformed] = reading.read(path)
    for each in take:
        verification.take(each)
    return verification.finish()
