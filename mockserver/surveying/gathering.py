"""Takes up traffic by the names that people give it: files, folders of them, servers of ours."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mockserver import data, values
from mockserver.contract.contract import Contract
from mockserver.contract.loading import load_document
from mockserver.contract.normalising import base_path
from mockserver.contract.reading import read_bytes
from mockserver.coverage.collecting import FORM, Call, Collector, NotMergeable
from mockserver.coverage.items import Universe
from mockserver.traffic import reading
from mockserver.traffic.exchange import Exchange, table
from mockserver.traffic.faults import Malformed
from mockserver.values import JSON

_TIMEOUT_S = 30.0


class CannotGather(ValueError):
    """Traffic that cannot be read; the message names it and says why."""


def collector(document: Path | None, base_url: str | None) -> Collector:
    """Return an empty collector for a document, None for the one that comes along. Raises `SetupError`."""
    is_shipped = document is None or document.resolve() == data.DOCUMENT.resolve()
    loaded = load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE) if document is None else load_document(document)
    contract = Contract(loaded.document, explains=False)
    asked: Any = data.service(loaded.document, strict=True).scopes if is_shipped else lambda _: ()
    universe = Universe(contract, {each: asked(each) for each in contract.operations})
    return Collector(contract, base_url or base_path(loaded.document), universe)


def gather(sources: Iterable[str], into: Collector, world: str, token: str | None) -> None:
    """Take up all sources. Raises `CannotGather`, and `DocumentError` for what is no recording."""
    for source in sources:
        if source.startswith(("http://", "https://")):
            _merge(source, _fetched(source, world, token), into)
            continue
        for file in reading.files(Path(source)):
            value = reading.parse(read_bytes(file), file)
            if isinstance(value, dict) and value.get("form") == FORM:
                _merge(str(file), value, into)
                continue
            for exchange in reading.read(file):
                if isinstance(exchange, Malformed):
                    raise CannotGather(f"{exchange.places.of('')}: {exchange.why}")
                into.take(call_of(exchange))


def call_of(exchange: Exchange) -> Call:
    """Return an exchange as collectors take it."""
    return Call(
        exchange.method,
        exchange.url,
        table(exchange.headers),
        exchange.body.data,
        exchange.status or 0,
        table(exchange.reply_headers),
        exchange.reply_body.data,
        bool(exchange.body.gap),
        bool(exchange.reply_body.gap),
    )


def _merge(source: str, value: JSON, into: Collector) -> None:
    try:
        into.merge(value)
    except NotMergeable as error:
        raise CannotGather(f"{source}: {error}") from error


def _fetched(url: str, world: str, token: str | None) -> JSON:
    asked = urllib.request.Request(url.rstrip("/").removesuffix("/__admin/coverage") + "/__admin/coverage")
    asked.add_header("x-mock-world", world)
    if token:
        asked.add_header("authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as reply:
            return values.parse(reply.read())
    except urllib.error.HTTPError as error:
        raise CannotGather(
            f"{url}: answered {error.code} to /__admin/coverage; it is no mockserver, or asks for a token"
        ) from error
    except (OSError, ValueError) as error:
        raise CannotGather(f"{url}: {getattr(error, 'reason', error)}") from error
