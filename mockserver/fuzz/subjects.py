"""What a campaign runs against: the mock of a document, or a service elsewhere that should keep it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mockserver import data
from mockserver.app import App, Settings
from mockserver.contract.contract import Contract
from mockserver.contract.loading import Loaded, load_document
from mockserver.contract.operations import Operation
from mockserver.fuzz.campaign import Subject
from mockserver.fuzz.reducing import Bench
from mockserver.fuzz.steps import InProcess, Remote, Sender


@dataclass(frozen=True)
class Aim:
    """What to fuzz, as it can be sent to another process. `document` None is the one that comes along."""

    document: Path | None = None
    url: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_shipped(self) -> bool:
        """Whether the document is the one that comes along."""
        return self.document is None or self.document.resolve() == data.DOCUMENT.resolve()

    @property
    def exceptions(self) -> tuple[Any, ...]:
        """Where checks cannot be right about the shipped document, in Schemathesis's own form."""
        return tuple(data.fuzz_exceptions()) if self.is_shipped else ()


def mock(document: Path | None) -> App:
    """Return the mock of a document as campaigns want it: the shipped one asks for keys that it knows."""
    if document is None or document.resolve() == data.DOCUMENT.resolve():
        return App(Settings(strict=True, fixture=str(data.FUZZ_FIXTURE)))
    return App(Settings(document=document))


def load(document: Path | None) -> Loaded:
    """Return a document as it is, without what a mock adds to it."""
    return load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE) if document is None else load_document(document)


@dataclass(frozen=True)
class Ready:
    """A subject, its contract, where failures are tried again, and the URL that lines of curl name."""

    subject: Subject
    contract: Contract
    bench: Bench
    base_url: str
    scopes: dict[Operation, tuple[str, ...]]


def scopes(aim: Aim, contract: Contract) -> dict[Operation, tuple[str, ...]]:
    """What scopes the operations of the shipped document ask for; those of another stand in it."""
    if not aim.is_shipped:
        return {}
    service = data.service(contract.document, strict=True)
    return {operation: service.scopes(operation) for operation in contract.operations}


def ready(aim: Aim) -> Ready:
    """Make ready what is aimed at. Raises `SetupError`."""
    if aim.url is not None:
        loaded = load(aim.document)
        contract = Contract(loaded.document, explains=False)
        url = aim.url.rstrip("/")
        subject = Subject(loaded.document, None, url, aim.headers)
        return Ready(subject, contract, Bench(partial(Remote, url), contract), url, scopes(aim, contract))
    app = mock(aim.document)
    credentials = app.service.credentials(app.worlds.get("default")) | aim.headers
    numbers = itertools.count()

    def fresh() -> Sender:
        return InProcess(app, app.base_path, f"again-{next(numbers)}")

    subject = Subject(app.document, app, None, credentials)
    return Ready(
        subject, app.contract, Bench(fresh, app.contract), f"http://127.0.0.1:8787{app.base_path}", scopes(aim, app.contract)
    )
