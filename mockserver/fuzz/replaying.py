"""Sends what a campaign found again: for the tests that it writes, and for `--replay`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mockserver import data
from mockserver.contract.contract import Contract
from mockserver.contract.loading import load_document
from mockserver.fuzz.credentials import given
from mockserver.fuzz.expecting import Expectation
from mockserver.fuzz.failures import Failure
from mockserver.fuzz.steps import Answer, InProcess, Remote, Sender, Step, replaced
from mockserver.values import JSON, Record


class Service:
    """A service that is called and held to its document: at a URL, or without one the mock itself, in process.

    `document` None is the one that comes along. Each service in process is as new as its seed.
    """

    def __init__(self, document: str | None, url: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self._document = None if document is None else Path(document)
        self._url = url
        self._headers = dict(headers or {})

    @cached_property
    def _mock(self) -> Any:
        from mockserver.fuzz.subjects import mock

        return mock(self._document)

    @cached_property
    def _sender(self) -> Sender:
        return Remote(self._url) if self._url else InProcess(self._mock, self._mock.base_path)

    @cached_property
    def _contract(self) -> Contract:
        if not self._url:
            contract: Contract = self._mock.contract
            return contract
        if self._document is None:
            return Contract(load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE).document, explains=False)
        return Contract(load_document(self._document).document, explains=False)

    def call(
        self,
        operation: str,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        takes: Mapping[str, JSON] | None = None,
    ) -> Answer:
        """Send a call and return its answer. `${NAME}` in a header is a variable of the environment.

        `takes` puts values that were answered now in the place of those that were answered when this was found.
        Raises `KeyError` for a variable that is not set.
        """
        step = given(Step(operation, method, target, tuple((headers or {}).items()), body), os.environ, self._headers)
        for old, new in (takes or {}).items():
            if isinstance(new, (str, int, float)) and str(new) != old:
                step = replaced(step, old, str(new))
        return self._sender.send(step)

    def broken(
        self,
        operation: str,
        answer: Answer,
        statuses: tuple[str, ...] = (),
        *,
        contract: bool = False,
        header: str = "",
        within_s: float = 0.0,
        allow: bool = False,
    ) -> str:
        """Say what is wrong with an answer; empty when nothing is. What is expected is that of `Expectation`."""
        known = next((each for each in self._contract.operations if str(each) == operation), None)
        return Expectation(statuses, contract, header, within_s, allow).broken(answer, known, self._contract)


class NotARecording(ValueError):
    """A file that no campaign has written."""


@dataclass(frozen=True)
class Recorded:
    """What a report says of a failure, and of the run that found it."""

    failures: tuple[Failure, ...]
    facts: dict[str, str]


def recorded(path: Path) -> Recorded:
    """Return the failures of a report in JSON. Raises `NotARecording` and `OSError`."""
    try:
        report = json.loads(path.read_bytes())
        found = tuple(_failure(each) for each in report["findings"] if "steps" in each["evidence"])
        return Recorded(found, {str(name): str(fact) for name, fact in report["facts"].items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotARecording(f"it is no report of `mockserver fuzz` in JSON: {type(error).__name__} {error}") from error


def _failure(finding: Record) -> Failure:
    evidence = finding["evidence"]
    steps = tuple(Step.from_json(each) for each in evidence["steps"])
    if not steps:
        raise ValueError("a finding has no steps")
    return Failure(
        operation=str(evidence["operation"]),
        code=str(finding["code"]),
        place=str(evidence["place"]),
        failure=str(evidence["failure"]),
        message=str(finding["message"]),
        expectation=Expectation.from_json(evidence["expected"]),
        steps=steps,
        answer=Answer(int(evidence["answer"]["status"])),
        shown_again=bool(evidence["shown_again"]),
    )
